/* kind_score.c: portfolio-score: one record of returns, its turnover and its flags become a score. */
#include "app/conformance/conformance.h"
#include "core/subnet/portfolio/portfolio.h"

/* The figure that a flag's factor needs: rho, severity or days, whichever the flag has. */
static tl_err read_flag(tl_flag *out, const tl_json *item, tl_errctx *ctx)
{
    static const char *const figures[] = {"rho", "severity", "days"};
    tl_str name = {NULL, 0};
    TL_TRY(tl_json_want_str(&name, item, "flag", ctx));
    tl_portfolio_rule rule;
    if (!tl_portfolio_rule_parse(&rule, name)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "flag", "\"%.*s\" is no flag", TL_STR_ARG(name));
    }
    double figure = 0.0;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const tl_json *member = tl_json_get(item, figures[i]);
        if (member != NULL) {
            TL_TRY(tl_json_as_f64(&figure, member, figures[i], ctx));
        }
    }
    *out = (tl_flag){.rule = (uint32_t)rule, .factor = tl_portfolio_flag_factor(rule, figure)};
    return TL_OK;
}

tl_err tl_conform_portfolio_score(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx)
{
    const double *returns = NULL;
    size_t count = 0;
    const tl_json *list = NULL;
    TL_TRY(tl_conform_series(&returns, &count, NULL, tl_json_get(input, "returns"), env, ctx));
    double turnover = 0.0;
    TL_TRY(tl_json_want_f64(&turnover, input, "turnover_per_week", ctx));
    TL_TRY(tl_json_want(&list, input, "flags", TL_JSON_ARRAY, ctx));
    tl_flag *flags = TL_NEW(env->arena, tl_flag, list->count);
    if (flags == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_err err = read_flag(&flags[i], &list->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "flags[%u]", i);
            return err;
        }
    }
    tl_portfolio_score score;
    tl_portfolio_score_record(&score, returns, count, turnover, flags, list->count, NULL);
    tl_json_put_object(out);
    tl_portfolio_put_score(out, &score);
    tl_json_put_end(out);
    return TL_OK;
}
