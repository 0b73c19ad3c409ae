/* params.c: what of the tally profile can be chosen. One table: name, default, limits; ascending by name. */
#include <string.h>

#include "core/listings/model/model.h"

#define BP_ONE 10000

/* X(name, default, least, most) */
#define PARAMS_FIRST(X)                                                                            \
    X(completeness_bp_min, 9000, 0, BP_ONE)                                                        \
    X(consistency_bp_min, 9000, 0, BP_ONE)                                                         \
    X(duplicates_bp_max, 500, 0, BP_ONE)

#define PARAMS_AFTER_EMISSION(X)                                                                   \
    X(evidence_stake_bp_min, 3333, 0, BP_ONE)                                                      \
    X(fallback_bp_min, 7000, 0, BP_ONE)                                                            \
    X(geography_bp_max, 500, 0, BP_ONE)                                                            \
    X(geography_metres, 15000, 1, 1000000)                                                         \
    X(majority_bp_min, 9000, 0, BP_ONE)                                                            \
    X(participation_bp, 500, 0, BP_ONE)

#define PARAMS_AFTER_PLACES(X)                                                                     \
    X(price_bp_max, 1000, 0, BP_ONE)                                                               \
    X(price_z_thousandths, 3500, 1, 1000000)                                                       \
    X(quorum_bp_min, 5000, 0, BP_ONE)                                                              \
    X(same_second_bp_max, 5000, 0, BP_ONE)                                                         \
    X(sample_bp, 1000, 0, BP_ONE)                                                                  \
    X(sample_judged_min, 3, 1, TL_SAMPLES_MAX)                                                     \
    X(sample_max, 10, 1, TL_SAMPLES_MAX)                                                           \
    X(sample_min, 3, 1, TL_SAMPLES_MAX)                                                            \
    X(sample_reserve, 5, 0, TL_SAMPLES_MAX)                                                        \
    X(spot_check_bp_min, 8000, 0, BP_ONE)                                                          \
    X(synthetic_bp_min, 7000, 0, BP_ONE)                                                           \
    X(time_bp_max, 500, 0, BP_ONE)                                                                 \
    X(tolerance_bp, 1500, 0, BP_ONE)                                                               \
    X(validators_min, 2, 1, 65535)                                                                 \
    X(values_bp_min, 9500, 0, BP_ONE)

typedef struct param {
    const char *name;
    size_t offset; /* of the uint32_t in tl_listings_params */
    uint32_t fallback;
    uint32_t least;
    uint32_t most;
} param;

#define PARAM_ROW(name, fallback, least, most)                                                     \
    {#name, offsetof(tl_listings_params, name), (fallback), (least), (most)},

static const param first_params[] = {PARAMS_FIRST(PARAM_ROW)};
static const param middle_params[] = {PARAMS_AFTER_EMISSION(PARAM_ROW)};
static const param last_params[] = {PARAMS_AFTER_PLACES(PARAM_ROW)};

typedef struct params_group {
    const param *items;
    size_t count;
} params_group;

static const params_group groups[] = {
    {first_params, sizeof first_params / sizeof *first_params},
    {middle_params, sizeof middle_params / sizeof *middle_params},
    {last_params, sizeof last_params / sizeof *last_params},
};

#define GROUP_COUNT (sizeof groups / sizeof *groups)

static const uint32_t place_bp_default[3] = {5500, 3000, 1000};

static uint32_t get(const tl_listings_params *params, const param *p)
{
    uint32_t value;
    memcpy(&value, (const char *)params + p->offset, sizeof value);
    return value;
}

static void set(tl_listings_params *params, const param *p, uint32_t value)
{
    memcpy((char *)params + p->offset, &value, sizeof value);
}

void tl_listings_params_default(tl_listings_params *out)
{
    memset(out, 0, sizeof *out);
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (size_t i = 0; i < groups[g].count; i++) {
            set(out, &groups[g].items[i], groups[g].items[i].fallback);
        }
    }
    memcpy(out->place_bp, place_bp_default, sizeof out->place_bp);
    out->emission = tl_rao_from_i64(INT64_C(1000000000000));
}

static const param *find(tl_str name)
{
    for (size_t g = 0; g < GROUP_COUNT; g++) {
        for (size_t i = 0; i < groups[g].count; i++) {
            if (tl_str_eq_cstr(name, groups[g].items[i].name)) {
                return &groups[g].items[i];
            }
        }
    }
    return NULL;
}

static tl_err read_number(uint32_t *out, const tl_json *value, const char *name, uint32_t least,
                          uint32_t most, tl_errctx *ctx)
{
    uint64_t n = 0;
    TL_TRY(tl_json_as_u64(&n, value, name, ctx));
    if (n < least || n > most) {
        return tl_fail_field(ctx, TL_ERR_RANGE, name, "%llu, not within %u and %u",
                             (unsigned long long)n, least, most);
    }
    *out = (uint32_t)n;
    return TL_OK;
}

static tl_err read_places(uint32_t out[3], const tl_json *value, tl_errctx *ctx)
{
    if (value->kind != TL_JSON_ARRAY || value->count != 3) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "place_bp", "an array of three numbers is expected");
    }
    for (uint32_t i = 0; i < 3; i++) {
        TL_TRY(read_number(&out[i], &value->items[i], "place_bp", 0, BP_ONE, ctx));
    }
    return TL_OK;
}

static tl_err read_member(tl_listings_params *out, tl_str key, const tl_json *value, tl_errctx *ctx)
{
    const param *const p = find(key);
    if (p != NULL) {
        uint32_t number = 0;
        TL_TRY(read_number(&number, value, p->name, p->least, p->most, ctx));
        set(out, p, number);
        return TL_OK;
    }
    if (tl_str_eq_cstr(key, "place_bp")) {
        return read_places(out->place_bp, value, ctx);
    }
    if (tl_str_eq_cstr(key, "emission_rao")) {
        int64_t rao = 0;
        TL_TRY(tl_json_as_i64(&rao, value, "emission_rao", ctx));
        if (rao < 0) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "emission_rao", "%lld, below 0",
                                 (long long)rao);
        }
        out->emission = tl_rao_from_i64(rao);
        return TL_OK;
    }
    if (tl_str_eq_cstr(key, "burn")) {
        tl_str text = {NULL, 0};
        TL_TRY(tl_json_as_str(&text, value, "burn", ctx));
        const tl_err err = tl_ss58_decode(&out->burn, text, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "burn");
        }
        return err;
    }
    char name[61];
    tl_str_print(name, sizeof name, "%.*s", TL_STR_ARG(tl_str_slice(key, 0, 60)));
    return tl_fail_field(ctx, TL_ERR_UNKNOWN, name, "\"%s\" is no parameter", name);
}

tl_err tl_listings_params_read(tl_listings_params *out, const tl_json *given, tl_errctx *ctx)
{
    tl_listings_params params;
    tl_listings_params_default(&params);
    if (given != NULL && given->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "the parameters are no object");
    }
    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        TL_TRY(read_member(&params, given->members[i].key, &given->members[i].value, ctx));
    }
    if (params.sample_min > params.sample_max ||
        params.sample_max + params.sample_reserve > TL_SAMPLES_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "sample_max",
                             "samples of %u to %u and %u in reserve: at most %d in all",
                             params.sample_min, params.sample_max, params.sample_reserve,
                             TL_SAMPLES_MAX);
    }
    const uint64_t paid = (uint64_t)params.place_bp[0] + params.place_bp[1] + params.place_bp[2] +
                          params.participation_bp;
    if (paid > BP_ONE) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "place_bp",
                             "places and participation sum to %llu basis points, above %d",
                             (unsigned long long)paid, BP_ONE);
    }
    *out = params;
    return TL_OK;
}

static void put_group(tl_json_writer *w, const tl_listings_params *params, size_t group)
{
    for (size_t i = 0; i < groups[group].count; i++) {
        tl_json_put_key(w, groups[group].items[i].name);
        tl_json_put_u64(w, get(params, &groups[group].items[i]));
    }
}

static bool has_burn(const tl_listings_params *params)
{
    static const tl_hotkey none = {{0}};
    return !tl_hotkey_eq(&params->burn, &none);
}

void tl_listings_params_put(tl_json_writer *w, const tl_listings_params *params)
{
    tl_json_put_object(w);
    if (has_burn(params)) {
        char text[TL_SS58_CAP];
        (void)tl_ss58_encode(text, &params->burn, TL_SS58_PREFIX_GENERIC);
        tl_json_put_key(w, "burn");
        tl_json_put_cstr(w, text);
    }
    put_group(w, params, 0);
    tl_json_put_key(w, "emission_rao");
    tl_json_put_i64(w, tl_rao_to_i64(params->emission));
    put_group(w, params, 1);
    tl_json_put_key(w, "place_bp");
    tl_json_put_array(w);
    for (size_t i = 0; i < 3; i++) {
        tl_json_put_u64(w, params->place_bp[i]);
    }
    tl_json_put_end(w);
    put_group(w, params, 2);
    tl_json_put_end(w);
}
