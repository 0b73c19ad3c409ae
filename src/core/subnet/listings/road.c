/* road.c: an epoch of the listings network from its recorded trees to its results. */
#include <string.h>

#include "core/codec/canon/canon.h"
#include "core/subnet/listings/listings_internal.h"

/* --- one form (LROAD-1) --- */

static tl_err check_form(const char *name, tl_str written, const tl_json *tree, tl_arena *arena,
                         tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    TL_TRY(tl_canon_json(&sb, tree, arena, ctx));
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    if (tl_str_eq(text, written)) { /* LROAD-1 */
        return TL_OK;
    }
    size_t at = 0;
    while (at < text.len && at < written.len && text.ptr[at] == written.ptr[at]) {
        at++;
    }
    return tl_fail_field(ctx, TL_ERR_CANONICAL, name,
                         "is not in its one form at byte %zu: a list out of order, a member that "
                         "is missing or unknown, an address in another spelling",
                         at);
}

static tl_err check_forms(tl_arena *arena, const tl_listings_epoch *epoch, const tl_json *inputs,
                          const tl_json *evidence, const tl_json *parameters, tl_errctx *ctx)
{
    const tl_json *const trees[] = {[TL_BUNDLE_EVIDENCE] = evidence,
                                    [TL_BUNDLE_INPUTS] = inputs,
                                    [TL_BUNDLE_PARAMETERS] = parameters};
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl_str written[TL_BUNDLE_SECTIONS];
    tl_err err = tl__listings_put(written, arena, epoch, ctx);
    for (size_t i = 0; i < TL_BUNDLE_RESULTS && err == TL_OK; i++) {
        err = check_form(tl_bundle_section_name((tl_bundle_section)i), written[i], trees[i], arena,
                         ctx);
    }
    tl_arena_rewind(arena, mark);
    return err;
}

/* --- what was promised before the epoch's end --- */

static tl_err check_promises(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx)
{
    const tl_listings_epoch *e = &io->epoch;
    char beacon[TL_BEACON_CAP];
    TL_TRY(tl_beacon(beacon, e->race.nonce, e->contributions, e->contribution_count, ctx));
    io->has_right_beacon = tl_str_eq_cstr(e->race.beacon, beacon);
    const size_t n = e->race.zipcode_count;
    bool *drawn = TL_NEW(arena, bool, n);
    if (drawn == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    io->has_right_honeypots = n <= TL_SELECT_MAX;
    if (n <= TL_SELECT_MAX) {
        TL_TRY(tl_honeypots(drawn, n, e->race.nonce, ctx));
    }
    for (size_t i = 0; i < n && io->has_right_honeypots; i++) {
        io->has_right_honeypots = drawn[i] == e->race.zipcodes[i].is_honeypot;
    }
    return TL_OK;
}

/* --- agreement --- */

static tl_err agree(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx)
{
    const tl_race_input *race = &io->epoch.race;
    tl_race_ballot *ballots = TL_NEW(arena, tl_race_ballot, race->validator_count);
    if (ballots == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t v = 0, b = 0; v < race->validator_count; v++) {
        const tl_hotkey *hotkey = &race->validators[v].hotkey;
        if (b < io->epoch.ballot_count &&
            tl_hotkey_eq(&io->epoch.ballots[b].ballot.hotkey, hotkey)) {
            ballots[v] = io->epoch.ballots[b++].ballot;
        }
        ballots[v].hotkey = *hotkey;
        ballots[v].stake = race->validators[v].stake; /* the inputs', not the ballot's own */
    }
    TL_TRY(tl_race_verdict(&io->verdict, arena, ballots, race->validator_count, race->params,
                           io->epoch.round, ctx));
    io->matches_replay =
        !io->verdict.has_top || tl_hash32_cmp(&io->verdict.top.hash, &io->race.roots.hash) == 0;
    return TL_OK;
}

/* Pay by the median of the weights that were revealed. */
static tl_err repay(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx)
{
    const tl_listings_epoch *e = &io->epoch;
    tl_race_row *rows = TL_NEW(arena, tl_race_row, e->ballot_count);
    if (rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t v = 0, b = 0; v < e->race.validator_count && b < e->ballot_count; v++) {
        if (tl_hotkey_eq(&e->ballots[b].ballot.hotkey, &e->race.validators[v].hotkey)) {
            rows[count++] = (tl_race_row){e->race.validators[v].stake, e->ballots[b].weights,
                                          e->ballots[b].weight_count};
            b++;
        }
    }
    const tl_race_weight *weights = NULL;
    size_t weight_count = 0;
    TL_TRY(tl_race_median(&weights, &weight_count, arena, rows, count, ctx));
    return tl_race_repay(&io->race, arena, weights, weight_count, ctx);
}

/* LROAD-2: the ballots agree, and not on something that the replay does not find; a median is nobody's hash. */
static bool pays(const tl_listings_result *r)
{
    return r->verdict.pays && (r->matches_replay || r->verdict.status == TL_RACE_MEDIAN_WEIGHTS);
}

static tl_err walk_states(tl_listings_result *io, tl_errctx *ctx)
{
    tl_epoch_machine m = {TL_EPOCH_PENDING, 0, io->epoch.round == 2};
    tl_epoch_transition t;
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_OPEN, 0, "opened", ctx));
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, 0, "submissions closed", ctx));
    TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_CLOSE, 0, "secrets revealed", ctx));
    if (pays(io)) {
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_AGREE, 0, "validators agree", ctx));
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_SETTLE, 0, "paid", ctx));
    } else {
        TL_TRY(tl_epoch_step(&m, &t, TL_EPOCH_EV_DISAGREE, 0, "validators disagree", ctx));
    }
    io->state = m.state;
    return TL_OK;
}

/* --- the road --- */

/* From a sorted epoch. */
static tl_err run(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(check_promises(io, arena, ctx));
    TL_TRY(tl_race_run(&io->race, arena, &io->epoch.race, ctx));
    TL_TRY(agree(io, arena, ctx));
    if (io->verdict.status == TL_RACE_MEDIAN_WEIGHTS) {
        TL_TRY(repay(io, arena, ctx));
    }
    TL_TRY(walk_states(io, ctx));
    return tl__listings_put_results(io, arena, ctx);
}

tl_err tl_listings_road_run(tl_listings_result *out, tl_arena *arena, const tl_json *inputs,
                            const tl_json *evidence, const tl_json *parameters, tl_errctx *ctx)
{
    tl_listings_epoch read = {0};
    tl_listings_result *result = TL_NEW(arena, tl_listings_result, 1);
    if (result == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl__listings_read(&read, arena, inputs, evidence, parameters, ctx));
    TL_TRY(tl__listings_sort(&result->epoch, arena, &read, ctx));
    TL_TRY(check_forms(arena, &result->epoch, inputs, evidence, parameters, ctx));
    TL_TRY(run(result, arena, ctx));
    *out = *result; /* race.input looks into the arena's copy, which lives as long */
    return TL_OK;
}

tl_err tl_listings_publish(tl_str *out, tl_hash32 *digest, tl_listings_result *result,
                           tl_arena *arena, const tl_listings_epoch *epoch, tl_errctx *ctx)
{
    tl_listings_epoch sorted = {0};
    tl_listings_result own = {0};
    tl_str sections[TL_BUNDLE_SECTIONS];
    const tl_json *trees[TL_BUNDLE_RESULTS] = {NULL};
    TL_TRY(tl__listings_sort(&sorted, arena, epoch, ctx));
    TL_TRY(tl__listings_put(sections, arena, &sorted, ctx));
    for (size_t i = 0; i < TL_BUNDLE_RESULTS; i++) { /* what is published is what can be read */
        TL_TRY(tl_json_parse(&trees[i], arena, sections[i], NULL, ctx));
    }
    TL_TRY(tl_listings_road_run(&own, arena, trees[TL_BUNDLE_INPUTS], trees[TL_BUNDLE_EVIDENCE],
                                trees[TL_BUNDLE_PARAMETERS], ctx));
    sections[TL_BUNDLE_RESULTS] = own.json;
    TL_TRY(tl_bundle_publish(out, digest, arena, sections, ctx));
    if (result != NULL) {
        *result = own;
    }
    return TL_OK;
}

/* --- the table --- */

static tl_err road(tl_str *results, tl_arena *arena, const tl_json *inputs, const tl_json *evidence,
                   const tl_json *parameters, tl_errctx *ctx)
{
    tl_listings_result result = {0};
    TL_TRY(tl_listings_road_run(&result, arena, inputs, evidence, parameters, ctx));
    *results = result.json;
    return TL_OK;
}

static tl_err params(tl_json_writer *w, const tl_json *given, tl_errctx *ctx)
{
    tl_listings_params p;
    TL_TRY(tl_listings_params_read(&p, given, ctx));
    tl_listings_params_put(w, &p);
    return TL_OK;
}

static const char *const rules[] = {
#define RULE_TEXT(name, text) (text),
    TL_LISTING_RULE_MAP(RULE_TEXT)
#undef RULE_TEXT
};

const tl_subnet tl_subnet_listings = {
    .name = "listings",
    .version = TL__LISTINGS_VERSION,
    .commit_domain = "tally/listings/commit/1",
    .rules = rules,
    .rule_count = TL_LISTING_RULE_COUNT,
    .params = params,
    .road = road,
};
