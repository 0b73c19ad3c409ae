/* portfolio-join: five validators' scores to one result (portfolio spec section 9), one epoch without earlier bonds.
 * Hotkeys are hex here; names of flags become bits in the order in which they first appear. */
#include "app/conformance/conformance.h"

#include <string.h>

#include "app/conformance/ints.h"
#include "core/codec/hex/hex.h"
#include "core/consensus/join/join.h"
#include "core/num/stats/stats.h"

enum { FLAG_NAMES_MAX = 32 };

typedef struct join_case {
    tl_arena *arena;
    tl_errctx *ctx;
    tl_join_input input;
    tl_join_validator *validators;
    tl_join_miner *miners;
    tl_str flag_names[FLAG_NAMES_MAX];
    size_t flag_count;
} join_case;

static tl_err read_hotkey(tl_hotkey *out, const join_case *c, const tl_json *object)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, "hotkey", c->ctx));
    const tl_err err = tl_hex_decode(out->b, sizeof out->b, text, c->ctx);
    if (err != TL_OK) {
        tl_errctx_under(c->ctx, "hotkey");
    }
    return err;
}

static tl_err read_millionths(const uint32_t **out, const join_case *c, const tl_json *row,
                              const char *key)
{
    uint64_t *wide;
    size_t count;
    TL_TRY(tl__ints_u64(&wide, &count, c->arena, tl_json_get(row, key), key, c->ctx));
    uint32_t *values = TL_NEW(c->arena, uint32_t, count);
    if (values == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    if (count != c->input.miner_count) {
        return tl_fail_field(c->ctx, TL_ERR_RANGE, key, "%zu values for %zu miners", count,
                             c->input.miner_count);
    }
    for (size_t m = 0; m < count; m++) {
        if (wide[m] > UINT32_MAX) {
            return tl_fail_field(c->ctx, TL_ERR_RANGE, key, "a value above 32 bits");
        }
        values[m] = (uint32_t)wide[m];
    }
    *out = values;
    return TL_OK;
}

static tl_err read_votes(const bool **out, const join_case *c, const tl_json *row)
{
    const uint32_t *numbers;
    TL_TRY(read_millionths(&numbers, c, row, "disqualify"));
    bool *votes = TL_NEW(c->arena, bool, c->input.miner_count);
    if (votes == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t m = 0; m < c->input.miner_count; m++) {
        if (numbers[m] > 1) {
            return tl_fail_field(c->ctx, TL_ERR_RANGE, "disqualify", "a vote is 0 or 1");
        }
        votes[m] = numbers[m] == 1;
    }
    *out = votes;
    return TL_OK;
}

static tl_err flag_bit(uint32_t *out, join_case *c, tl_str name)
{
    size_t at = 0;
    while (at < c->flag_count && !tl_str_eq(c->flag_names[at], name)) {
        at++;
    }
    if (at == FLAG_NAMES_MAX) {
        return tl_fail_field(c->ctx, TL_ERR_LIMIT, "flags", "more than %d names of flags",
                             FLAG_NAMES_MAX);
    }
    if (at == c->flag_count) {
        c->flag_names[c->flag_count++] = name;
    }
    *out = (uint32_t)1 << at;
    return TL_OK;
}

static tl_err read_flags(const uint32_t **out, join_case *c, const tl_json *row)
{
    const tl_json *lists;
    TL_TRY(tl_json_want(&lists, row, "flags", TL_JSON_ARRAY, c->ctx));
    uint32_t *flags = TL_NEW(c->arena, uint32_t, c->input.miner_count);
    if (flags == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    if (lists->count != c->input.miner_count) {
        return tl_fail_field(c->ctx, TL_ERR_RANGE, "flags", "%u lists for %zu miners", lists->count,
                             c->input.miner_count);
    }
    for (size_t m = 0; m < c->input.miner_count; m++) {
        const tl_json *names = &lists->items[m];
        if (names->kind != TL_JSON_ARRAY) {
            return tl_fail_field(c->ctx, TL_ERR_TYPE, "flags", "flags are a list of names a miner");
        }
        for (uint32_t k = 0; k < names->count; k++) {
            tl_str name;
            uint32_t bit;
            TL_TRY(tl_json_as_str(&name, &names->items[k], "flags", c->ctx));
            TL_TRY(flag_bit(&bit, c, name));
            flags[m] |= bit;
        }
    }
    *out = flags;
    return TL_OK;
}

static tl_err read_rao(tl_rao *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    int64_t rao;
    TL_TRY(tl__int_want_i64(&rao, object, key, ctx));
    *out = tl_rao_from_i64(rao);
    return TL_OK;
}

static tl_err read_validator(join_case *c, tl_join_validator *out, const tl_json *value)
{
    TL_TRY(read_hotkey(&out->hotkey, c, value));
    TL_TRY(read_rao(&out->stake, value, "stake", c->ctx));
    const tl_json *json = tl_json_get(value, "row");
    if (json == NULL || json->kind == TL_JSON_NULL) {
        return TL_OK;
    }
    tl_row *row = TL_NEW(c->arena, tl_row, 1);
    if (row == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    TL_TRY(read_millionths(&row->qs_millionths, c, json, "qs"));
    TL_TRY(read_millionths(&row->max_drawdown_millionths, c, json, "max_drawdown"));
    TL_TRY(read_votes(&row->disqualify, c, json));
    TL_TRY(read_flags(&row->flags, c, json));
    out->row = row;
    return TL_OK;
}

static tl_err read_miner(const join_case *c, tl_join_miner *out, const tl_json *value)
{
    TL_TRY(read_hotkey(&out->hotkey, c, value));
    out->days = TL_JOIN_DAYS_MIN; /* the kind does not say why a miner is not ranked */
    return tl__int_want_u64(&out->commit_height, value, "commit_height", c->ctx);
}

static tl_err read_case(join_case *c, const tl_json *input)
{
    const tl_json *validators;
    const tl_json *miners;
    TL_TRY(tl_json_want(&validators, input, "validators", TL_JSON_ARRAY, c->ctx));
    TL_TRY(tl_json_want(&miners, input, "miners", TL_JSON_ARRAY, c->ctx));
    c->validators = TL_NEW(c->arena, tl_join_validator, validators->count);
    c->miners = TL_NEW(c->arena, tl_join_miner, miners->count);
    if (c->validators == NULL || c->miners == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    c->input = (tl_join_input){.domain = TL_STR("portfolio/1/vector"),
                               .validators = c->validators,
                               .validator_count = validators->count,
                               .miners = c->miners,
                               .miner_count = miners->count};
    TL_TRY(read_rao(&c->input.emission, input, "emission", c->ctx));
    for (uint32_t m = 0; m < miners->count; m++) {
        const tl_err err = read_miner(c, &c->miners[m], &miners->items[m]);
        if (err != TL_OK) {
            tl_errctx_under(c->ctx, "miners[%u]", m);
            return err;
        }
    }
    for (uint32_t v = 0; v < validators->count; v++) {
        const tl_err err = read_validator(c, &c->validators[v], &validators->items[v]);
        if (err != TL_OK) {
            tl_errctx_under(c->ctx, "validators[%u]", v);
            return err;
        }
    }
    return TL_OK;
}

/* --- writing --- */

static void put_rao(tl_json_writer *w, const char *key, tl_rao amount)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, tl_rao_to_i64(amount));
}

/* One list, one expression a member. */
#define PUT_LIST(w, key, count, index, put)                                                        \
    do {                                                                                           \
        tl_json_put_key((w), (key));                                                               \
        tl_json_put_array(w);                                                                      \
        for (size_t index = 0; index < (count); index++) {                                         \
            put;                                                                                   \
        }                                                                                          \
        tl_json_put_end(w);                                                                        \
    } while (0)

static void put_rows(tl_json_writer *w, const tl_agreement *a)
{
    tl_json_put_key(w, "u16_rows");
    tl_json_put_array(w);
    for (size_t v = 0; v < a->validator_count; v++) {
        tl_json_put_array(w);
        for (size_t m = 0; a->validators[v].u16_row != NULL && m < a->miner_count; m++) {
            tl_json_put_u64(w, a->validators[v].u16_row[m]);
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_verdict(tl_json_writer *w, const tl_agreement *a)
{
    tl_json_put_key(w, "agreement");
    tl_json_put_object(w);
    tl_json_put_key(w, "status");
    tl_json_put_cstr(w, tl_agree_status_name(a->verdict.status));
    put_rao(w, "stake_on_top_hash", a->verdict.stake_on_top);
    put_rao(w, "stake", a->verdict.stake_total);
    tl_json_put_key(w, "pays");
    tl_json_put_bool(w, a->verdict.pays);
    tl_json_put_end(w);
    tl_json_put_key(w, "split");
    tl_json_put_object(w);
    put_rao(w, "miners", a->split.miners);
    put_rao(w, "validators", a->split.validators);
    put_rao(w, "owner", a->split.owner);
    tl_json_put_end(w);
}

static int cmp_hotkey_items(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(a, b);
}

/* Hotkeys of miners that are disqualified, or of those neither ranked nor disqualified; sorted. */
static tl_err put_unranked(tl_json_writer *w, const join_case *c, const tl_agreement *a,
                           const char *name, bool wants_disqualified)
{
    tl_hotkey *keys = TL_NEW(c->arena, tl_hotkey, a->miner_count);
    if (keys == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    size_t count = 0;
    for (size_t m = 0; m < a->miner_count; m++) {
        const bool is_disqualified = a->miners[m].outcome == TL_JOIN_DISQUALIFIED;
        if (a->miners[m].outcome != TL_JOIN_RANKED && is_disqualified == wants_disqualified) {
            keys[count++] = c->miners[m].hotkey;
        }
    }
    TL_TRY(tl_sort(keys, count, sizeof *keys, cmp_hotkey_items, NULL, c->arena, c->ctx));
    PUT_LIST(w, name, count, i, tl_json_put_hex(w, keys[i].b, sizeof keys[i].b));
    return TL_OK;
}

static tl_err put_results(tl_json_writer *w, const join_case *c, const tl_agreement *a)
{
    PUT_LIST(w, "consensus_raw", a->miner_count, m, tl_json_put_i64(w, a->miners[m].consensus_raw));
    PUT_LIST(w, "incentive_raw", a->miner_count, m, tl_json_put_i64(w, a->miners[m].incentive_raw));
    PUT_LIST(w, "dividends_raw", a->validator_count, v,
             tl_json_put_i64(w, a->validators[v].dividends_raw));
    PUT_LIST(w, "agreed_max_drawdown", a->miner_count, m,
             tl_json_put_u64(w, a->miners[m].max_drawdown_millionths));
    PUT_LIST(w, "rank_order", a->ranked_count, i,
             tl_json_put_hex(w, c->miners[a->rank_order[i]].hotkey.b, sizeof(tl_hotkey)));
    TL_TRY(put_unranked(w, c, a, "not_ranked", false));
    TL_TRY(put_unranked(w, c, a, "disqualified", true));
    PUT_LIST(w, "validator_pay", a->validator_count, v,
             tl_json_put_i64(w, tl_rao_to_i64(a->validators[v].pay)));
    return TL_OK;
}

tl_err tl_conform_portfolio_join(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                 tl_errctx *ctx)
{
    join_case c = {.arena = env->arena, .ctx = ctx};
    TL_TRY(read_case(&c, input));
    tl_agreement a;
    TL_TRY(tl_consensus_agree(env->arena, &a, &c.input, ctx));
    tl_json_put_object(out);
    PUT_LIST(out, "validator_uids", a.validator_count, v,
             tl_json_put_u64(out, a.validators[v].uid));
    PUT_LIST(out, "miner_uids", a.miner_count, m, tl_json_put_u64(out, a.miners[m].uid));
    put_rows(out, &a);
    put_verdict(out, &a);
    if (a.verdict.pays) {
        TL_TRY(put_results(out, &c, &a));
    }
    tl_json_put_end(out);
    return TL_OK;
}
