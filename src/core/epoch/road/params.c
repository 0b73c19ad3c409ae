/* params.c: the engine's parameters: one table of integers, and four that are something else. */
#include "core/epoch/road/road.h"

typedef struct integer_rule {
    const char *name;
    int64_t standard;
    int64_t low;
    int64_t high;
} integer_rule;

enum {
    P_ANTE_MIN,
    P_BAN,
    P_EMISSION,
    P_EXTERNAL,
    P_FEE_BP,
    P_FEE_BURN_BP,
    P_NETUID,
    P_RAKE_BP,
    P_REVEAL_DELAY,
    P_REVEAL_EARLY,
    P_REVEAL_EXPIRY,
    P_UNREVEALED_LIMIT,
    P_UNREVEALED_WINDOW,
    P_COUNT
};

#define BLOCKS_MAX ((int64_t)1 << 40)

static const integer_rule rules[P_COUNT] = {
    [P_ANTE_MIN] = {"ante_min_rao", TL_LEDGER_ANTE_MIN, 1, TL_LEDGER_AMOUNT_MAX},
    [P_BAN] = {"ban_blocks", 216000, 0, BLOCKS_MAX},
    [P_EMISSION] = {"emission_rao", 1000000000000, 0, TL_LEDGER_AMOUNT_MAX},
    [P_EXTERNAL] = {"external_rao", 0, 0, TL_LEDGER_AMOUNT_MAX},
    [P_FEE_BP] = {"fee_bp", 0, 0, TL_LEDGER_FEE_BP_MAX},
    [P_FEE_BURN_BP] = {"fee_burn_bp", 2500, 0, 10000},
    [P_NETUID] = {"netuid", 1, 0, UINT16_MAX},
    [P_RAKE_BP] = {"rake_bp", 800, 0, TL_LEDGER_RAKE_BP_MAX},
    [P_REVEAL_DELAY] = {"reveal_delay_blocks", 4200, 0, BLOCKS_MAX},
    [P_REVEAL_EARLY] = {"reveal_early_blocks", 1800, 0, BLOCKS_MAX},
    [P_REVEAL_EXPIRY] = {"reveal_expiry_blocks", 14400, 0, BLOCKS_MAX},
    [P_UNREVEALED_LIMIT] = {"unrevealed_limit", 3, 1, 1000},
    [P_UNREVEALED_WINDOW] = {"unrevealed_window_blocks", 648000, 0, BLOCKS_MAX},
};

#define CHAIN_ID_LEN_MAX 64

typedef struct values {
    int64_t integer[P_COUNT];
    tl_str chain_id;
    double gamma;
} values;

static tl_err read_integers(values *v, const tl_json *given, tl_errctx *ctx)
{
    for (size_t i = 0; i < P_COUNT; i++) {
        const tl_json *member = tl_json_get(given, rules[i].name);
        v->integer[i] = rules[i].standard;
        if (member == NULL) {
            continue;
        }
        TL_TRY(tl_json_as_i64(&v->integer[i], member, rules[i].name, ctx));
        if (v->integer[i] < rules[i].low || v->integer[i] > rules[i].high) {
            return tl_fail_field(ctx, TL_ERR_RANGE, rules[i].name,
                                 "%lld is not within %lld to %lld", (long long)v->integer[i],
                                 (long long)rules[i].low, (long long)rules[i].high);
        }
    }
    if (v->integer[P_REVEAL_EARLY] > v->integer[P_REVEAL_DELAY] ||
        v->integer[P_REVEAL_DELAY] > v->integer[P_REVEAL_EXPIRY]) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "reveal_delay_blocks",
                             "early, delay and expiry must not descend");
    }
    return TL_OK;
}

static tl_err read_values(values *v, const tl_json *given, tl_errctx *ctx)
{
    TL_TRY(read_integers(v, given, ctx));
    v->chain_id = TL_STR("tally");
    v->gamma = 1.5;
    const tl_json *member = tl_json_get(given, "chain_id");
    if (member != NULL) {
        TL_TRY(tl_json_as_str(&v->chain_id, member, "chain_id", ctx));
        if (v->chain_id.len == 0 || v->chain_id.len > CHAIN_ID_LEN_MAX) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "chain_id", "%zu bytes, not 1 to %d",
                                 v->chain_id.len, CHAIN_ID_LEN_MAX);
        }
    }
    member = tl_json_get(given, "gamma");
    if (member != NULL) {
        TL_TRY(tl_json_as_f64(&v->gamma, member, "gamma", ctx));
        if (!(v->gamma >= TL_LEDGER_GAMMA_MIN && v->gamma <= TL_LEDGER_GAMMA_MAX)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "gamma", "not within 1.0 to 2.0");
        }
    }
    return TL_OK;
}

static bool is_listed(tl_str key, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (tl_str_eq_cstr(key, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_own(tl_str key)
{
    for (size_t i = 0; i < P_COUNT; i++) {
        if (tl_str_eq_cstr(key, rules[i].name)) {
            return true;
        }
    }
    return tl_str_eq(key, TL_STR("chain_id")) || tl_str_eq(key, TL_STR("gamma"));
}

/* What is neither the engine's nor somebody else's goes to the subnet, which knows its own names. */
static tl_err pick_subnet_members(tl_json *out, const tl_json *given, const char *const *ignored,
                                  tl_arena *scratch, tl_errctx *ctx)
{
    const uint32_t count = given != NULL ? given->count : 0;
    tl_json_member *members = TL_NEW(scratch, tl_json_member, count);
    if (members == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_own(given->members[i].key) && !is_listed(given->members[i].key, ignored)) {
            members[kept++] = given->members[i];
        }
    }
    *out = (tl_json){.kind = TL_JSON_OBJECT, .count = kept, .members = members};
    return TL_OK;
}

static void put_integer(tl_json_writer *w, const values *v, size_t which)
{
    tl_json_put_key(w, rules[which].name);
    tl_json_put_i64(w, v->integer[which]);
}

tl_err tl_road_params_put(tl_json_writer *w, const tl_subnet *subnet, const tl_json *given,
                          const char *const *ignored, tl_arena *scratch, tl_errctx *ctx)
{
    if (given != NULL && given->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "parameters are no JSON object");
    }
    values v;
    TL_TRY(read_values(&v, given, ctx));
    tl_json rest = {0};
    TL_TRY(pick_subnet_members(&rest, given, ignored, scratch, ctx));
    tl_json_put_object(w);
    put_integer(w, &v, P_ANTE_MIN);
    put_integer(w, &v, P_BAN);
    tl_json_put_key(w, "chain_id");
    tl_json_put_str(w, v.chain_id);
    for (size_t i = P_EMISSION; i <= P_FEE_BURN_BP; i++) {
        put_integer(w, &v, i);
    }
    tl_json_put_key(w, "gamma");
    tl_json_put_f64(w, v.gamma);
    for (size_t i = P_NETUID; i <= P_REVEAL_EXPIRY; i++) {
        put_integer(w, &v, i);
    }
    tl_json_put_key(w, "subnet");
    TL_TRY(subnet->params(w, &rest, ctx));
    put_integer(w, &v, P_UNREVEALED_LIMIT);
    put_integer(w, &v, P_UNREVEALED_WINDOW);
    tl_json_put_key(w, "versions");
    tl_json_put_object(w);
    tl_json_put_key(w, "road");
    tl_json_put_u64(w, TL_ROAD_VERSION);
    tl_json_put_key(w, "subnet");
    tl_json_put_cstr(w, subnet->name);
    tl_json_put_key(w, "subnet_version");
    tl_json_put_u64(w, subnet->version);
    tl_json_put_end(w);
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err check_versions(const tl_json *parameters, const tl_subnet *subnet, tl_errctx *ctx)
{
    const tl_json *versions = NULL;
    uint64_t road = 0;
    uint64_t rules_version = 0;
    tl_str name = {NULL, 0};
    TL_TRY(tl_json_want(&versions, parameters, "versions", TL_JSON_OBJECT, ctx));
    TL_TRY(tl_json_want_u64(&road, versions, "road", ctx));
    TL_TRY(tl_json_want_str(&name, versions, "subnet", ctx));
    TL_TRY(tl_json_want_u64(&rules_version, versions, "subnet_version", ctx));
    if (road != TL_ROAD_VERSION || !tl_str_eq_cstr(name, subnet->name) ||
        rules_version != subnet->version) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "versions",
                             "made by other rules: road %llu, subnet %.*s %llu",
                             (unsigned long long)road, TL_STR_ARG(tl_str_slice(name, 0, 40)),
                             (unsigned long long)rules_version);
    }
    return TL_OK;
}

tl_err tl_road_params_read(tl_road_params *out, const tl_subnet *subnet, const tl_json *parameters,
                           tl_errctx *ctx)
{
    TL_TRY(check_versions(parameters, subnet, ctx));
    values v;
    TL_TRY(read_values(&v, parameters, ctx));
    const tl_json *own = NULL;
    TL_TRY(tl_json_want(&own, parameters, "subnet", TL_JSON_OBJECT, ctx));
    *out = (tl_road_params){
        .chain_id = v.chain_id,
        .netuid = (uint16_t)v.integer[P_NETUID],
        .emission = tl_rao_from_i64(v.integer[P_EMISSION]),
        .external = tl_rao_from_i64(v.integer[P_EXTERNAL]),
        .ante_min = tl_rao_from_i64(v.integer[P_ANTE_MIN]),
        .payout = {(uint32_t)v.integer[P_RAKE_BP], v.gamma, (uint32_t)v.integer[P_FEE_BP],
                   (uint32_t)v.integer[P_FEE_BURN_BP]},
        .reveal_early_blocks = (uint64_t)v.integer[P_REVEAL_EARLY],
        .reveal_delay_blocks = (uint64_t)v.integer[P_REVEAL_DELAY],
        .reveal_expiry_blocks = (uint64_t)v.integer[P_REVEAL_EXPIRY],
        .unrevealed_window_blocks = (uint64_t)v.integer[P_UNREVEALED_WINDOW],
        .unrevealed_limit = (uint64_t)v.integer[P_UNREVEALED_LIMIT],
        .ban_blocks = (uint64_t)v.integer[P_BAN],
        .subnet = own,
    };
    return TL_OK;
}
