/* params.c: what of the portfolio subnet can be chosen. One table: name, kind, default, limits. */
#include "core/subnet/portfolio/portfolio_internal.h"

static const char *const profile_text[] = {
    [TL_PROFILE_A] = "A", [TL_PROFILE_P] = "P", [TL_PROFILE_D] = "D"};

#define RESAMPLES_DEFAULT 1000
#define RESAMPLES_MAX     10000 /* a stranger's bundle is run again: 1,000 are the rule */

static tl_err read_profile(tl_portfolio_profile *out, const tl_json *value, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_as_str(&text, value, "profile", ctx));
    for (unsigned i = 0; i <= TL_PROFILE_D; i++) {
        if (tl_str_eq_cstr(text, profile_text[i])) {
            *out = (tl_portfolio_profile)i;
            return TL_OK;
        }
    }
    return tl_fail_field(ctx, TL_ERR_UNKNOWN, "profile", "\"%.*s\" is no profile: A, P or D",
                         TL_STR_ARG(tl_str_slice(text, 0, 40)));
}

/* Absent members keep what out has. */
static tl_err read_given(tl__params *out, const tl_json *given, tl_errctx *ctx)
{
    const tl_json *v = tl_json_get(given, "allow_short");
    if (v != NULL) {
        TL_TRY(tl_json_as_bool(&out->allow_short, v, "allow_short", ctx));
    }
    v = tl_json_get(given, "bootstrap_resamples");
    if (v != NULL) {
        uint64_t n = 0;
        TL_TRY(tl_json_as_u64(&n, v, "bootstrap_resamples", ctx));
        if (n > RESAMPLES_MAX) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "bootstrap_resamples", "%llu, above %d",
                                 (unsigned long long)n, RESAMPLES_MAX);
        }
        out->bootstrap_resamples = (uint32_t)n;
    }
    v = tl_json_get(given, "profile");
    if (v != NULL) {
        TL_TRY(read_profile(&out->score.profile, v, ctx));
    }
    v = tl_json_get(given, "sortino_all_days");
    if (v != NULL) {
        TL_TRY(tl_json_as_bool(&out->score.sortino_all_days, v, "sortino_all_days", ctx));
    }
    return TL_OK;
}

tl_err tl__params_put(tl_json_writer *w, const tl_json *given, tl_errctx *ctx)
{
    static const char *const names[] = {"allow_short", "bootstrap_resamples", "profile",
                                        "sortino_all_days"};
    const uint32_t count = given != NULL ? given->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            is_known = is_known || tl_str_eq_cstr(given->members[i].key, names[k]);
        }
        if (!is_known) {
            return tl_fail_field(ctx, TL_ERR_UNKNOWN, "", "\"%.*s\" is no parameter",
                                 TL_STR_ARG(tl_str_slice(given->members[i].key, 0, 60)));
        }
    }
    tl__params p = {{TL_PROFILE_A, false}, false, RESAMPLES_DEFAULT};
    TL_TRY(read_given(&p, given, ctx));
    tl_json_put_object(w);
    tl_json_put_key(w, "allow_short");
    tl_json_put_bool(w, p.allow_short);
    tl_json_put_key(w, "bootstrap_resamples");
    tl_json_put_u64(w, p.bootstrap_resamples);
    tl_json_put_key(w, "profile");
    tl_json_put_cstr(w, profile_text[p.score.profile]);
    tl_json_put_key(w, "sortino_all_days");
    tl_json_put_bool(w, p.score.sortino_all_days);
    tl_json_put_end(w);
    return TL_OK;
}

tl_err tl__params_read(tl__params *out, const tl_json *parameters, tl_errctx *ctx)
{
    *out = (tl__params){{TL_PROFILE_A, false}, false, RESAMPLES_DEFAULT};
    return read_given(out, parameters, ctx);
}
