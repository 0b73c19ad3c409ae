/* run.c: the road from recorded inputs to results. Read tl_road_run() first: each step is one station. */
#include "core/epoch/road/road_internal.h"
#include "core/num/stats/stats.h"

/* --- reading the trees --- */

static tl_err read_signals(tl__run *run, const tl_json *inputs, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, inputs, "signals", TL_JSON_ARRAY, ctx));
    if (list->count > TL_ROAD_SIGNALS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "signals", "%u signals, above %d", list->count,
                             TL_ROAD_SIGNALS_MAX);
    }
    tl_submission *all = TL_NEW(run->arena, tl_submission, list->count);
    tl_submission *sorted = TL_NEW(run->arena, tl_submission, list->count);
    if (all == NULL || sorted == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_err err = tl_road_submission_read(&all[i], run->arena, run->subnet,
                                                   &run->out->params, &list->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "signals[%u]", i);
            return err;
        }
        sorted[i] = all[i];
    }
    TL_TRY(tl_road_submissions_sort(sorted, list->count, run->subnet, run->arena, ctx));
    for (uint32_t i = 0; i < list->count; i++) { /* ROAD-1: equal twins may stand in any order */
        if (sorted[i].commit_height != all[i].commit_height ||
            tl_hash32_cmp(&sorted[i].commitment, &all[i].commitment) != 0) {
            return tl_fail_field(ctx, TL_ERR_CANONICAL, "signals",
                                 "signals[%u] is out of order: by commit height, then commitment",
                                 i);
        }
    }
    run->submissions = sorted;
    run->submission_count = list->count;
    return TL_OK;
}

static tl_err read_stake(tl_rao *out, const tl_json *item, tl_errctx *ctx)
{
    int64_t rao = 0;
    TL_TRY(tl_json_want_i64(&rao, item, "stake_rao", ctx));
    if (rao < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "stake_rao", "%lld is below 0", (long long)rao);
    }
    *out = tl_rao_from_i64(rao);
    return TL_OK;
}

static tl_err read_hotkey(tl_hotkey *out, const tl_json *item, const char *key, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, key, ctx));
    const tl_err err = tl_ss58_decode(out, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", key);
    }
    return err;
}

/* The validators of the inputs, beside what each saw according to the evidence: two lists of one order. */
static tl_err read_validators(tl__run *run, const tl_json *inputs, const tl_json *evidence,
                              tl_errctx *ctx)
{
    const tl_json *list = NULL;
    const tl_json *seen = NULL;
    TL_TRY(tl_json_want(&list, inputs, "validators", TL_JSON_ARRAY, ctx));
    TL_TRY(tl_json_want(&seen, evidence, "validators", TL_JSON_ARRAY, ctx));
    if (list->count == 0 || list->count > TL_ROAD_VALIDATORS_MAX || seen->count != list->count) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "validators",
                             "%u validators with %u views: not one each, 1 to %d", list->count,
                             seen->count, TL_ROAD_VALIDATORS_MAX);
    }
    tl_road_validator *all = TL_NEW(run->arena, tl_road_validator, list->count);
    const tl_json **rows = TL_NEW(run->arena, const tl_json *, list->count);
    if (all == NULL || rows == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_hotkey twin;
        tl_err err = read_hotkey(&all[i].hotkey, &list->items[i], "hotkey", ctx);
        err = err != TL_OK ? err : read_stake(&all[i].stake, &list->items[i], ctx);
        err = err != TL_OK ? err : read_hotkey(&twin, &seen->items[i], "hotkey", ctx);
        if (err == TL_OK && !tl_hotkey_eq(&twin, &all[i].hotkey)) {
            err = tl_fail_field(ctx, TL_ERR_CANONICAL, "hotkey", "the views are those of others");
        }
        if (err == TL_OK && i > 0 && tl_hotkey_cmp(&all[i - 1].hotkey, &all[i].hotkey) >= 0) {
            err = tl_fail_field(ctx, TL_ERR_CANONICAL, "hotkey", "hotkeys do not ascend");
        }
        const tl_json *feed = tl_json_get(&seen->items[i], "feed");
        rows[i] = tl_json_get(&seen->items[i], "row");
        if (err == TL_OK && (feed == NULL || rows[i] == NULL)) {
            err = tl_fail_field(ctx, TL_ERR_MISSING, feed == NULL ? "feed" : "row", "is missing");
        }
        if (err == TL_OK && feed->kind != TL_JSON_NULL) {
            uint64_t index = 0;
            err = tl_json_as_u64(&index, feed, "feed", ctx);
            if (err == TL_OK && index >= run->subnet->feed_count(run->world)) {
                err = tl_fail_field(ctx, TL_ERR_RANGE, "feed", "there is no feed %llu",
                                    (unsigned long long)index);
            }
            all[i].has_feed = true;
            all[i].feed = (size_t)index;
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "validators[%u]", i);
            return err;
        }
    }
    run->validators = all;
    run->reported = rows;
    run->out->validators = all;
    run->out->validator_count = list->count;
    return TL_OK;
}

static tl_err read_bonds(tl__run *run, const tl_json *inputs, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, inputs, "bonds", TL_JSON_ARRAY, ctx));
    tl_bond *bonds = TL_NEW(run->arena, tl_bond, list->count);
    if (bonds == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        uint64_t value = 0;
        tl_err err = read_hotkey(&bonds[i].validator, &list->items[i], "validator", ctx);
        err = err != TL_OK ? err : read_hotkey(&bonds[i].miner, &list->items[i], "miner", ctx);
        err = err != TL_OK ? err : tl_json_want_u64(&value, &list->items[i], "bond_u16", ctx);
        if (err == TL_OK && value > UINT16_MAX) {
            err = tl_fail_field(ctx, TL_ERR_RANGE, "bond_u16", "%llu, above 65535",
                                (unsigned long long)value);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "bonds[%u]", i);
            return err;
        }
        bonds[i].bond_u16 = (uint16_t)value;
    }
    run->bonds = (tl_bonds){bonds, list->count};
    return TL_OK;
}

static tl_err read_inputs(tl__run *run, const tl_json *inputs, const tl_json *evidence,
                          const tl_json *parameters, tl_errctx *ctx)
{
    tl_road_result *out = run->out;
    TL_TRY(tl_road_params_read(&out->params, run->subnet, parameters, ctx));
    TL_TRY(tl_json_want_str(&out->epoch_id, inputs, "epoch_id", ctx));
    tl_epoch_span span = {0, 0};
    TL_TRY(tl_epoch_span_parse(&span, out->epoch_id, ctx));
    TL_TRY(tl_json_want_u64(&out->height, inputs, "height", ctx));
    TL_TRY(tl_json_want_bool(&run->was_extended, inputs, "was_extended", ctx));
    const tl_json *records = NULL;
    TL_TRY(tl_json_want(&records, inputs, "records", TL_JSON_ARRAY, ctx));
    TL_TRY(tl_carry_read(&run->carry, run->arena, run->subnet, records, ctx));
    const tl_json *balances = tl_json_get(inputs, "balances_rao");
    run->balances = balances != NULL && balances->kind == TL_JSON_OBJECT ? balances : NULL;
    const tl_subnet_task task = {out->epoch_id, span, inputs, evidence, out->params.subnet};
    TL_TRY(run->subnet->open(&run->world, run->arena, &task, ctx));
    TL_TRY(read_signals(run, inputs, ctx));
    TL_TRY(read_bonds(run, inputs, ctx));
    return read_validators(run, inputs, evidence, ctx);
}

/* --- station 5: one scoreboard a feed, one row a validator --- */

static int by_height_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_submission *x = *(const tl_submission *const *)a;
    const tl_submission *y = *(const tl_submission *const *)b;
    if (x->commit_height != y->commit_height) {
        return x->commit_height < y->commit_height ? -1 : 1;
    }
    return tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

static int order_cmp(const void *a, const void *b, void *self)
{
    const tl__run *run = (const tl__run *)self;
    return tl_hotkey_cmp(&run->peers[*(const size_t *)a]->hotkey,
                         &run->peers[*(const size_t *)b]->hotkey);
}

static tl_err gather_peers(tl__run *run, tl_errctx *ctx)
{
    const tl_submission **peers = TL_NEW(run->arena, const tl_submission *, run->submission_count);
    run->peer_order = TL_NEW(run->arena, size_t, run->submission_count);
    if (peers == NULL || run->peer_order == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (size_t i = 0; i < run->submission_count; i++) {
        if (run->admissions[i].state == TL_ADMIT_VALID) {
            peers[run->peer_count++] = &run->submissions[i];
        }
    }
    TL_TRY(tl_sort(peers, run->peer_count, sizeof *peers, by_height_cmp, NULL, run->arena, ctx));
    run->peers = peers;
    for (size_t i = 0; i < run->peer_count; i++) {
        run->peer_order[i] = i;
    }
    return tl_sort(run->peer_order, run->peer_count, sizeof *run->peer_order, order_cmp, run,
                   run->arena, ctx);
}

static tl_err score_feeds(tl__run *run, tl_errctx *ctx)
{
    const size_t feeds = run->subnet->feed_count(run->world);
    run->boards = TL_NEW(run->arena, tl_scoreboard, feeds);
    if (run->boards == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (size_t f = 0; f < feeds; f++) {
        TL_TRY(run->subnet->score(&run->boards[f], run->arena, run->world, f, run->peers,
                                  run->peer_count, ctx));
        TL_ASSERT(run->boards[f].count == run->peer_count); /* SUB-1 */
    }
    return TL_OK;
}

/* --- station 6: rows, then one agreement --- */

static tl_err agree(tl__run *run, tl_errctx *ctx)
{
    tl_road_result *out = run->out;
    const size_t vn = out->validator_count;
    tl_join_validator *validators = TL_NEW(run->arena, tl_join_validator, vn);
    tl_join_miner *miners = TL_NEW(run->arena, tl_join_miner, run->peer_count);
    tl_row *rows = TL_NEW(run->arena, tl_row, vn);
    if (validators == NULL || miners == NULL || rows == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (size_t i = 0; i < run->peer_count; i++) {
        /* All feeds share one calendar, so every board knows the same days. */
        miners[i] = (tl_join_miner){run->peers[i]->hotkey, run->peers[i]->commit_height,
                                    run->boards[0].scores[i].days};
    }
    for (size_t v = 0; v < vn; v++) {
        validators[v] =
            (tl_join_validator){run->validators[v].hotkey, run->validators[v].stake, NULL};
        if (run->validators[v].has_feed) {
            TL_TRY(tl__row_of(&rows[v], run, v, ctx));
            validators[v].row = &rows[v];
        }
    }
    tl_sb domain;
    tl_sb_init(&domain, run->arena);
    tl_sb_printf(&domain, "%s/%u/%.*s", run->subnet->name, run->subnet->version,
                 TL_STR_ARG(out->epoch_id));
    tl_join_input join = {.validators = validators,
                          .validator_count = vn,
                          .miners = miners,
                          .miner_count = run->peer_count,
                          .emission = out->params.emission,
                          .bonds = run->bonds};
    TL_TRY(tl_sb_finish(&join.domain, &domain, ctx));
    TL_TRY(tl_consensus_agree(run->arena, &out->agreement, &join, ctx));
    TL_ASSERT(out->agreement.miner_count == run->peer_count);
    for (size_t v = 0; v < vn; v++) {
        run->validators[v].agreed = &out->agreement.validators[v];
    }
    return TL_OK;
}

/* Whose scores are shown: of the validators on the winning hash, or of all when there is none, the one with most stake
 * (ties: the lower hotkey bytes). Returns the feed. */
static size_t reference_feed(const tl__run *run)
{
    const tl_road_result *out = run->out;
    const tl_road_validator *best = NULL;
    for (size_t v = 0; v < out->validator_count; v++) {
        const tl_road_validator *x = &out->validators[v];
        const bool is_in = x->has_feed && x->is_faithful && !x->agreed->is_outlier;
        if (is_in && (best == NULL || tl_rao_cmp(x->stake, best->stake) > 0)) {
            best = x;
        }
    }
    return best != NULL ? best->feed : 0;
}

/* --- the transitions of an epoch that is run in one go --- */

static tl_err walk_states(tl__run *run, tl_errctx *ctx)
{
    tl_epoch_machine m = {TL_EPOCH_PENDING, 0, run->was_extended};
    const uint64_t h = run->out->height;
    tl_epoch_transition t;
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_OPEN, h, "opened", ctx));
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, h, "commits closed", ctx));
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, h, "reveals closed", ctx));
    if (run->out->agreement.verdict.pays) {
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_AGREE, h, "half of the stake agrees", ctx));
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_SETTLE, h, "paid", ctx));
    } else {
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_DISAGREE, h, "less than half agrees", ctx));
    }
    run->out->state = m.state;
    return TL_OK;
}

tl_err tl_road_run(tl_road_result *out, tl_arena *arena, const tl_subnet *subnet,
                   const tl_json *inputs, const tl_json *evidence, const tl_json *parameters,
                   tl_errctx *ctx)
{
    TL_ASSERT(subnet->road == NULL); /* whoever has a road of its own is not run on this one */
    tl_road_result result = {0};
    tl__run run = {.arena = arena, .subnet = subnet, .out = &result};
    TL_TRY(read_inputs(&run, inputs, evidence, parameters, ctx));
    run.admissions = TL_NEW(arena, tl_admission, run.submission_count);
    if (run.admissions == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_road_admit(run.admissions, arena, subnet, run.world, &result.params, result.epoch_id,
                         &run.carry, run.balances, run.submissions, run.submission_count, ctx));
    TL_TRY(gather_peers(&run, ctx));
    TL_TRY(score_feeds(&run, ctx));
    TL_TRY(agree(&run, ctx));
    run.reference = reference_feed(&run);
    TL_TRY(walk_states(&run, ctx));
    TL_TRY(tl__draw_lines(&run, ctx));
    if (result.state == TL_EPOCH_SETTLED) {
        TL_TRY(tl__settle(&run, ctx));
    }
    TL_TRY(tl_carry_advance(&result.carry, arena, &run.carry, &result.params, result.epoch_id,
                            run.submissions, run.admissions, run.submission_count, ctx));
    TL_TRY(tl__results_put(&run, ctx));
    *out = result;
    return TL_OK;
}
