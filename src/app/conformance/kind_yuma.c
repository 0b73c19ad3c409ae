/* yuma-epoch: a subnet's state, then a list of steps: changes, one epoch, what it stores (chain spec 1.10).
 *
 *   initial ─▶ state ─▶ before ─▶ epoch ─▶ stored, raw ─▶ bonds and permits into the state ─▶ before ─▶ epoch …
 */
#include "app/conformance/conformance.h"

#include <string.h>

#include "app/conformance/ints.h"
#include "core/consensus/yuma/yuma.h"

/* One stored row, replaced as a whole. */
typedef struct row {
    tl_yuma_entry *entries;
    size_t count;
} row;

/* What each mechanism has of its own. */
typedef struct mechanism {
    uint64_t *last_update;
    row *weights; /* n */
    row *bonds;   /* n */
} mechanism;

typedef struct state {
    tl_arena *arena;
    tl_errctx *ctx;
    size_t n;
    tl_yuma_params params;
    uint64_t rao_emission;
    uint64_t last_step_block;
    bool has_commits; /* commit-reveal is on */
    uint64_t reveal_period;
    uint64_t epoch_index;
    const uint16_t *split; /* NULL: even */
    size_t split_count;
    size_t mechanism_count;
    mechanism mechanisms[TL_YUMA_MECHANISMS_MAX];
    tl_i64f64 *stake;
    bool *permit;
    uint64_t *registered;
    tl_yuma_commit *commits;
    size_t commit_count;
} state;

/* --- reading --- */

static tl_err want_n(const state *s, const char *key, size_t count)
{
    if (count != s->n) {
        return tl_fail_field(s->ctx, TL_ERR_RANGE, key, "%zu values for %zu neurons", count, s->n);
    }
    return TL_OK;
}

static tl_err read_params(state *s, const tl_json *params)
{
    tl_yuma_params *p = &s->params;
    tl_errctx *ctx = s->ctx;
    tl_i128 wide;
    *p = tl_yuma_params_default();
    TL_TRY(tl__int_want_u16(&p->kappa, params, "kappa", ctx));
    TL_TRY(tl__int_want_u16(&p->bonds_penalty, params, "bonds_penalty", ctx));
    TL_TRY(tl__int_want_u64(&p->bonds_moving_average, params, "bonds_moving_average", ctx));
    TL_TRY(tl_json_want_bool(&p->yuma3, params, "yuma3", ctx));
    TL_TRY(tl_json_want_bool(&p->liquid_alpha, params, "liquid_alpha", ctx));
    TL_TRY(tl__int_want_u16(&p->alpha_low, params, "alpha_low", ctx));
    TL_TRY(tl__int_want_u16(&p->alpha_high, params, "alpha_high", ctx));
    TL_TRY(tl__int_want(&wide, params, "alpha_sigmoid_steepness", INT16_MIN, INT16_MAX, ctx));
    p->alpha_sigmoid_steepness = (int16_t)wide;
    TL_TRY(tl__int_want_u16(&p->max_allowed_validators, params, "max_allowed_validators", ctx));
    TL_TRY(tl__int_want_u64(&p->stake_threshold, params, "stake_threshold", ctx));
    TL_TRY(tl__int_want_u64(&p->activity_cutoff_blocks, params, "activity_cutoff", ctx));
    TL_TRY(tl__int_want_u64(&p->tempo_blocks, params, "tempo", ctx));
    TL_TRY(tl__int_want_u64(&s->last_step_block, params, "last_mechanism_step_block", ctx));
    TL_TRY(tl__int_want_u64(&s->rao_emission, params, "rao_emission", ctx));
    const tl_json *owner = tl_json_get(params, "owner_uid");
    if (owner != NULL && owner->kind != TL_JSON_NULL) {
        TL_TRY(tl__int_want(&wide, params, "owner_uid", 0, UINT16_MAX, ctx));
        p->owner_uid = (int32_t)wide;
    }
    return TL_OK;
}

static tl_err read_extra_params(state *s, const tl_json *params)
{
    tl_errctx *ctx = s->ctx;
    s->mechanism_count = 1;
    if (tl_json_get(params, "mechanisms") != NULL) {
        tl_i128 count;
        TL_TRY(tl__int_want(&count, params, "mechanisms", 1, TL_YUMA_MECHANISMS_MAX, ctx));
        s->mechanism_count = (size_t)count;
    }
    const tl_json *split = tl_json_get(params, "mechanism_split");
    if (split != NULL && split->kind != TL_JSON_NULL) {
        uint16_t *shares;
        TL_TRY(tl__ints_u16(&shares, &s->split_count, s->arena, split, "mechanism_split", ctx));
        s->split = shares;
    }
    if (tl_json_get(params, "commit_reveal") != NULL) {
        TL_TRY(tl_json_want_bool(&s->has_commits, params, "commit_reveal", ctx));
    }
    if (tl_json_get(params, "reveal_period") != NULL) {
        TL_TRY(tl__int_want_u64(&s->reveal_period, params, "reveal_period", ctx));
    }
    if (tl_json_get(params, "epoch_index") != NULL) {
        TL_TRY(tl__int_want_u64(&s->epoch_index, params, "epoch_index", ctx));
    }
    return TL_OK;
}

static tl_err read_stake(state *s, const tl_json *value)
{
    uint64_t *whole;
    size_t count;
    TL_TRY(tl__ints_u64(&whole, &count, s->arena, value, "stake", s->ctx));
    TL_TRY(want_n(s, "stake", count));
    for (size_t i = 0; i < s->n; i++) {
        s->stake[i] = tl_i64f64_from_u64(whole[i]);
    }
    return TL_OK;
}

static tl_err read_blocks(uint64_t **out, state *s, const tl_json *object, const char *key)
{
    size_t count;
    TL_TRY(tl__ints_u64(out, &count, s->arena, tl_json_get(object, key), key, s->ctx));
    return want_n(s, key, count);
}

static tl_err read_permits(state *s, const tl_json *object)
{
    size_t count;
    TL_TRY(tl__ints_bool(&s->permit, &count, s->arena, tl_json_get(object, "validator_permit"),
                         "validator_permit", s->ctx));
    return want_n(s, "validator_permit", count);
}

static tl_err read_initial(state *s, const tl_json *input)
{
    const tl_json *initial;
    uint64_t *last_update;
    TL_TRY(tl_json_want(&initial, input, "initial", TL_JSON_OBJECT, s->ctx));
    TL_TRY(read_permits(s, initial));
    TL_TRY(read_blocks(&s->registered, s, initial, "block_at_registration"));
    TL_TRY(read_blocks(&last_update, s, initial, "last_update"));
    for (size_t m = 0; m < s->mechanism_count; m++) {
        s->mechanisms[m] = (mechanism){TL_NEW(s->arena, uint64_t, s->n),
                                       TL_NEW(s->arena, row, s->n), TL_NEW(s->arena, row, s->n)};
        if (s->mechanisms[m].last_update == NULL || s->mechanisms[m].weights == NULL ||
            s->mechanisms[m].bonds == NULL) {
            return tl_arena_fail(s->arena, s->ctx);
        }
        memcpy(s->mechanisms[m].last_update, last_update, s->n * sizeof *last_update);
    }
    return TL_OK;
}

static tl_err read_state(state *s, const tl_json *input)
{
    const tl_json *params;
    tl_i128 n;
    TL_TRY(tl_json_want(&params, input, "params", TL_JSON_OBJECT, s->ctx));
    TL_TRY(tl__int_want(&n, input, "n", 0, TL_YUMA_NEURONS_MAX, s->ctx));
    s->n = (size_t)n;
    TL_TRY(read_params(s, params));
    TL_TRY(read_extra_params(s, params));
    s->stake = TL_NEW(s->arena, tl_i64f64, s->n);
    if (s->stake == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    TL_TRY(read_stake(s, tl_json_get(input, "stake")));
    return read_initial(s, input);
}

/* --- changes before a step --- */

static tl_err check_unique(const state *s, const row *r, const char *key)
{
    bool *seen = TL_NEW(s->arena, bool, UINT16_MAX + 1);
    if (seen == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    for (size_t k = 0; k < r->count; k++) {
        if (seen[r->entries[k].uid]) {
            return tl_fail_field(s->ctx, TL_ERR_DUPLICATE, key, "uid %d stands twice in a row",
                                 r->entries[k].uid);
        }
        seen[r->entries[k].uid] = true;
    }
    return TL_OK;
}

/* A row of [uid, value] pairs. */
static tl_err read_row(row *out, state *s, const tl_json *value, const char *key)
{
    if (value->kind != TL_JSON_ARRAY) {
        return tl_fail_field(s->ctx, TL_ERR_TYPE, key, "a row is a list of pairs");
    }
    *out = (row){TL_NEW(s->arena, tl_yuma_entry, value->count), value->count};
    if (out->entries == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    for (size_t k = 0; k < out->count; k++) {
        const tl_json *pair = &value->items[k];
        if (pair->kind != TL_JSON_ARRAY || pair->count != 2) {
            return tl_fail_field(s->ctx, TL_ERR_TYPE, key, "a pair of uid and value is wanted");
        }
        TL_TRY(tl__int_u16(&out->entries[k].uid, &pair->items[0], key, s->ctx));
        TL_TRY(tl__int_u16(&out->entries[k].value, &pair->items[1], key, s->ctx));
    }
    const tl_arena_mark mark = tl_arena_get_mark(s->arena);
    const tl_err err = check_unique(s, out, key);
    tl_arena_rewind(s->arena, mark);
    return err;
}

static tl_err replace_rows(row *rows, state *s, const tl_json *before, const char *key)
{
    const tl_json *list = tl_json_get(before, key);
    if (list == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_json_want(&list, before, key, TL_JSON_ARRAY, s->ctx));
    TL_TRY(want_n(s, key, list->count));
    for (size_t i = 0; i < s->n; i++) {
        TL_TRY(read_row(&rows[i], s, &list->items[i], key));
    }
    return TL_OK;
}

/* The uid that a change of a row names. */
static tl_err read_uid(size_t *out, const state *s, const tl_json *value, const char *key)
{
    uint16_t uid;
    TL_TRY(tl__int_u16(&uid, value, key, s->ctx));
    if (uid >= s->n) {
        return tl_fail_field(s->ctx, TL_ERR_RANGE, key, "uid %d of %zu neurons", uid, s->n);
    }
    *out = uid;
    return TL_OK;
}

static tl_err check_tuple(const state *s, const tl_json *tuple, const char *key, size_t least,
                          size_t most)
{
    if (tuple->kind != TL_JSON_ARRAY || tuple->count < least || tuple->count > most) {
        return tl_fail_field(s->ctx, TL_ERR_TYPE, key, "an entry is a list of %zu values", least);
    }
    return TL_OK;
}

static tl_err store_weights(state *s, const tl_json *before)
{
    const tl_json *list = tl_json_get(before, "weights_stored");
    for (uint32_t k = 0; list != NULL && k < list->count; k++) {
        size_t uid;
        TL_TRY(check_tuple(s, &list->items[k], "weights_stored", 2, 2));
        TL_TRY(read_uid(&uid, s, &list->items[k].items[0], "weights_stored"));
        TL_TRY(read_row(&s->mechanisms[0].weights[uid], s, &list->items[k].items[1],
                        "weights_stored"));
    }
    return TL_OK;
}

static tl_err read_commits(state *s, const tl_json *before)
{
    const tl_json *list = tl_json_get(before, "commits");
    if (list == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_json_want(&list, before, "commits", TL_JSON_ARRAY, s->ctx));
    s->commits = TL_NEW(s->arena, tl_yuma_commit, list->count);
    s->commit_count = list->count;
    if (s->commits == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    for (uint32_t k = 0; k < list->count; k++) {
        const tl_json *tuple = &list->items[k];
        tl_yuma_commit *commit = &s->commits[k];
        size_t uid;
        TL_TRY(check_tuple(s, tuple, "commits", 3, 4));
        TL_TRY(read_uid(&uid, s, &tuple->items[0], "commits"));
        commit->uid = (uint32_t)uid;
        TL_TRY(tl__int_u64(&commit->epoch, &tuple->items[1], "commits", s->ctx));
        TL_TRY(tl__int_u64(&commit->block, &tuple->items[2], "commits", s->ctx));
        if (tuple->count == 4) {
            tl_str form;
            TL_TRY(tl_json_as_str(&form, &tuple->items[3], "commits", s->ctx));
            if (!tl_str_eq_cstr(form, "timelocked")) {
                return tl_fail_field(s->ctx, TL_ERR_UNKNOWN, "commits", "no form \"%.*s\"",
                                     TL_STR_ARG(form));
            }
            commit->is_timelocked = true;
        }
    }
    return TL_OK;
}

/* One [uid, dest_uids, values, last_update_block]: upscaled as when a validator sets its weights. */
static tl_err set_row(state *s, mechanism *m, const tl_json *tuple, const char *key)
{
    size_t uid;
    uint16_t *uids;
    uint16_t *values;
    size_t count;
    size_t value_count;
    uint64_t block;
    TL_TRY(read_uid(&uid, s, &tuple[0], key));
    TL_TRY(tl__ints_u16(&uids, &count, s->arena, &tuple[1], key, s->ctx));
    TL_TRY(tl__ints_u16(&values, &value_count, s->arena, &tuple[2], key, s->ctx));
    TL_TRY(tl__int_u64(&block, &tuple[3], key, s->ctx));
    if (count != value_count) {
        return tl_fail_field(s->ctx, TL_ERR_RANGE, key, "%zu uids with %zu values", count,
                             value_count);
    }
    uint16_t *upscaled = TL_NEW(s->arena, uint16_t, count);
    row r = {TL_NEW(s->arena, tl_yuma_entry, count), count};
    if (upscaled == NULL || r.entries == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    tl_yuma_upscale_u16(upscaled, values, count);
    for (size_t k = 0; k < count; k++) {
        r.entries[k] = (tl_yuma_entry){uids[k], upscaled[k]};
    }
    TL_TRY(check_unique(s, &r, key));
    m->weights[uid] = r;
    m->last_update[uid] = block;
    return TL_OK;
}

static tl_err set_weights(state *s, const tl_json *before)
{
    const tl_json *list = tl_json_get(before, "set_weights");
    for (uint32_t k = 0; list != NULL && k < list->count; k++) {
        TL_TRY(check_tuple(s, &list->items[k], "set_weights", 4, 4));
        TL_TRY(set_row(s, &s->mechanisms[0], list->items[k].items, "set_weights"));
    }
    list = tl_json_get(before, "set_weights_mech");
    for (uint32_t k = 0; list != NULL && k < list->count; k++) {
        TL_TRY(check_tuple(s, &list->items[k], "set_weights_mech", 5, 5));
        uint16_t m;
        TL_TRY(tl__int_u16(&m, &list->items[k].items[0], "set_weights_mech", s->ctx));
        if (m >= s->mechanism_count) {
            return tl_fail_field(s->ctx, TL_ERR_RANGE, "set_weights_mech", "mechanism %d of %zu", m,
                                 s->mechanism_count);
        }
        TL_TRY(set_row(s, &s->mechanisms[m], list->items[k].items + 1, "set_weights_mech"));
    }
    return TL_OK;
}

static tl_err apply_before(state *s, const tl_json *before)
{
    if (tl_json_get(before, "stake") != NULL) {
        TL_TRY(read_stake(s, tl_json_get(before, "stake")));
    }
    const tl_json *fine = tl_json_get(before, "stake_i64f64");
    if (fine != NULL) {
        size_t count;
        TL_TRY(tl__ints_i128(&s->stake, &count, s->arena, fine, "stake_i64f64", s->ctx));
        TL_TRY(want_n(s, "stake_i64f64", count));
    }
    if (tl_json_get(before, "validator_permit") != NULL) {
        TL_TRY(read_permits(s, before));
    }
    if (tl_json_get(before, "block_at_registration") != NULL) {
        TL_TRY(read_blocks(&s->registered, s, before, "block_at_registration"));
    }
    if (tl_json_get(before, "last_update") != NULL) {
        uint64_t *blocks;
        TL_TRY(read_blocks(&blocks, s, before, "last_update"));
        for (size_t m = 0; m < s->mechanism_count; m++) {
            memcpy(s->mechanisms[m].last_update, blocks, s->n * sizeof *blocks);
        }
    }
    if (tl_json_get(before, "last_mechanism_step_block") != NULL) {
        TL_TRY(tl__int_want_u64(&s->last_step_block, before, "last_mechanism_step_block", s->ctx));
    }
    if (tl_json_get(before, "epoch_index") != NULL) {
        TL_TRY(tl__int_want_u64(&s->epoch_index, before, "epoch_index", s->ctx));
    }
    TL_TRY(replace_rows(s->mechanisms[0].weights, s, before, "weights"));
    TL_TRY(replace_rows(s->mechanisms[0].bonds, s, before, "bonds"));
    TL_TRY(store_weights(s, before));
    TL_TRY(read_commits(s, before));
    return set_weights(s, before);
}

/* --- one epoch --- */

static tl_err pack_rows(tl_yuma_rows *out, const state *s, const row *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < s->n; i++) {
        count += rows[i].count;
    }
    uint32_t *starts = TL_NEW(s->arena, uint32_t, s->n + 1);
    tl_yuma_entry *entries = TL_NEW(s->arena, tl_yuma_entry, count);
    if (starts == NULL || entries == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    uint32_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < rows[i].count; k++) {
            entries[at++] = rows[i].entries[k];
        }
        starts[i + 1] = at;
    }
    *out = (tl_yuma_rows){starts, entries};
    return TL_OK;
}

static tl_err keep_bonds(state *s, row *rows, const tl_yuma_rows *bonds)
{
    for (size_t i = 0; i < s->n; i++) {
        const size_t count = bonds->starts[i + 1] - bonds->starts[i];
        rows[i] = (row){TL_NEW(s->arena, tl_yuma_entry, count), count};
        if (rows[i].entries == NULL) {
            return tl_arena_fail(s->arena, s->ctx);
        }
        for (size_t k = 0; k < count; k++) {
            rows[i].entries[k] = bonds->entries[bonds->starts[i] + k];
        }
    }
    return TL_OK;
}

static tl_err run_epoch(tl_yuma_output *out, tl_yuma_output *each, state *s, uint64_t now)
{
    uint64_t *commit_block = NULL;
    if (s->has_commits) {
        commit_block = TL_NEW(s->arena, uint64_t, s->n);
        if (commit_block == NULL) {
            return tl_arena_fail(s->arena, s->ctx);
        }
        tl_yuma_commit_blocks(commit_block, s->n, s->commits, s->commit_count, s->epoch_index,
                              s->reveal_period);
    }
    tl_yuma_mechanism mechanisms[TL_YUMA_MECHANISMS_MAX];
    for (size_t m = 0; m < s->mechanism_count; m++) {
        mechanisms[m] = (tl_yuma_mechanism){.last_update_block = s->mechanisms[m].last_update,
                                            .commit_block = commit_block};
        TL_TRY(pack_rows(&mechanisms[m].weights, s, s->mechanisms[m].weights));
        TL_TRY(pack_rows(&mechanisms[m].bonds, s, s->mechanisms[m].bonds));
    }
    uint64_t amounts[TL_YUMA_MECHANISMS_MAX];
    tl_yuma_split_emission(amounts, s->mechanism_count, s->rao_emission, s->split, s->split_count);
    const tl_yuma_input input = {
        .params = &s->params,
        .n = s->n,
        .now_block = now,
        .last_step_block = s->last_step_block,
        .stake = s->stake,
        .validator_permit = s->permit,
        .block_at_registration = s->registered,
        .wants_legacy = true,
    };
    TL_TRY(tl_yuma_mechanisms(s->arena, out, each, &input, mechanisms, amounts, s->mechanism_count,
                              s->rao_emission, s->ctx));
    for (size_t m = 0; m < s->mechanism_count; m++) {
        TL_TRY(keep_bonds(s, s->mechanisms[m].bonds, &each[m].bonds));
    }
    bool *permit = TL_NEW(s->arena, bool, s->n);
    if (permit == NULL) {
        return tl_arena_fail(s->arena, s->ctx);
    }
    memcpy(permit, out->validator_permit, s->n * sizeof *permit);
    s->permit = permit;
    return TL_OK;
}

/* --- writing --- */

static void put_rows(tl_json_writer *w, const tl_yuma_rows *rows, size_t n)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        tl_json_put_array(w);
        for (uint32_t k = rows->starts[i]; k < rows->starts[i + 1]; k++) {
            tl_json_put_array(w);
            tl_json_put_u64(w, rows->entries[k].uid);
            tl_json_put_u64(w, rows->entries[k].value);
            tl_json_put_end(w);
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_each(tl_json_writer *w, const state *s, const tl_yuma_output *each)
{
    tl_json_put_key(w, "incentive_mech");
    tl_json_put_array(w);
    for (size_t m = 0; m < s->mechanism_count; m++) {
        tl_json_put_array(w);
        for (size_t i = 0; i < s->n; i++) {
            tl_json_put_u64(w, each[m].incentive[i]);
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "bonds_mech");
    tl_json_put_array(w);
    for (size_t m = 0; m < s->mechanism_count; m++) {
        put_rows(w, &each[m].bonds, s->n);
    }
    tl_json_put_end(w);
}

static void put_stored(tl_json_writer *w, const state *s, const tl_yuma_output *o,
                       const tl_yuma_output *each)
{
    tl_json_put_key(w, "stored");
    tl_json_put_object(w);
    tl__ints_put_bool(w, "active", o->active, o->n);
    tl__ints_put_bool(w, "validator_permit", o->validator_permit, o->n);
    tl__ints_put_u16(w, "stake_weight", o->stake_weight, o->n);
    tl__ints_put_u16(w, "consensus", o->consensus, o->n);
    tl__ints_put_u16(w, "incentive", o->incentive, o->n);
    tl__ints_put_u16(w, "dividends", o->dividends, o->n);
    tl__ints_put_u16(w, "validator_trust", o->validator_trust, o->n);
    tl__ints_put_u64(w, "server_emission", o->server_emission, o->n);
    tl__ints_put_u64(w, "validator_emission", o->validator_emission, o->n);
    tl__ints_put_u64(w, "emission", o->emission, o->n);
    tl_json_put_key(w, "bonds");
    put_rows(w, &o->bonds, o->n);
    if (s->mechanism_count > 1) {
        put_each(w, s, each);
    }
    tl_json_put_end(w);
}

static void put_raw(tl_json_writer *w, const tl_yuma_output *o)
{
    tl_json_put_key(w, "raw");
    tl_json_put_object(w);
    tl__ints_put_i64(w, "stake", o->stake_raw, o->n);
    tl__ints_put_i64(w, "active_stake", o->active_stake_raw, o->n);
    tl__ints_put_i64(w, "consensus", o->consensus_raw, o->n);
    tl__ints_put_i64(w, "incentive", o->incentive_raw, o->n);
    tl__ints_put_i64(w, "dividends", o->dividends_raw, o->n);
    tl__ints_put_i64(w, "validator_trust", o->validator_trust_raw, o->n);
    tl__ints_put_i64(w, "preranks", o->preranks_raw, o->n);
    tl__ints_put_i64(w, "ranks_raw", o->ranks_raw, o->n);
    tl__ints_put_i64(w, "trust_legacy", o->trust_legacy_raw, o->n);
    tl_json_put_end(w);
}

static tl_err run_step(tl_json_writer *w, state *s, const tl_json *step)
{
    uint64_t now;
    TL_TRY(tl__int_want_u64(&now, step, "current_block", s->ctx));
    const tl_json *before = tl_json_get(step, "before");
    if (before != NULL) {
        TL_TRY(apply_before(s, before));
    }
    tl_yuma_output out;
    tl_yuma_output each[TL_YUMA_MECHANISMS_MAX];
    TL_TRY(run_epoch(&out, each, s, now));
    tl_json_put_object(w);
    put_stored(w, s, &out, each);
    if (s->mechanism_count == 1) { /* sums over mechanisms have no raw form */
        put_raw(w, &out);
    }
    tl_json_put_end(w);
    return TL_OK;
}

tl_err tl_conform_yuma_epoch(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                             tl_errctx *ctx)
{
    state s = {.arena = env->arena, .ctx = ctx};
    TL_TRY(read_state(&s, input));
    const tl_json *steps;
    TL_TRY(tl_json_want(&steps, input, "steps", TL_JSON_ARRAY, ctx));
    tl_json_put_object(out);
    tl_json_put_key(out, "steps");
    tl_json_put_array(out);
    for (uint32_t i = 0; i < steps->count; i++) {
        const tl_err err = run_step(out, &s, &steps->items[i]);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "steps[%u]", i);
            return err;
        }
    }
    tl_json_put_end(out);
    tl_json_put_end(out);
    return TL_OK;
}
