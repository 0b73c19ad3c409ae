/* lines.c: one line for every signal, then the money of those whose ante is locked. */
#include "core/epoch/road/road_internal.h"
#include "core/num/stats/stats.h"

static tl_outcome outcome_of(tl_admit_state state)
{
    switch (state) {
    case TL_ADMIT_NOT_REVEALED:
        return TL_OUTCOME_NOT_REVEALED;
    case TL_ADMIT_REVEALED_EARLY:
        return TL_OUTCOME_REVEALED_EARLY;
    case TL_ADMIT_HASH_DIFFERS:
        return TL_OUTCOME_HASH_DIFFERS;
    case TL_ADMIT_INVALID:
    case TL_ADMIT_REFUSED:
    case TL_ADMIT_VALID:
        break;
    }
    return TL_OUTCOME_INVALID;
}

static tl_outcome outcome_of_agreed(tl_join_outcome outcome)
{
    switch (outcome) {
    case TL_JOIN_RANKED:
        return TL_OUTCOME_RANKED;
    case TL_JOIN_NOT_RANKED:
        return TL_OUTCOME_NOT_RANKED;
    case TL_JOIN_ELIMINATED:
        return TL_OUTCOME_ELIMINATED;
    case TL_JOIN_NO_INCENTIVE:
        return TL_OUTCOME_NO_INCENTIVE;
    case TL_JOIN_DISQUALIFIED:
        break;
    }
    return TL_OUTCOME_DISQUALIFIED;
}

static uint32_t rank_of(const tl_road_line *line)
{
    return line->agreed != NULL && line->agreed->rank > 0 ? line->agreed->rank : UINT32_MAX;
}

/* By rank, then hotkey bytes (texts that are no hotkey last, by their text), then height, then commitment. */
static int line_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_road_line *x = (const tl_road_line *)a;
    const tl_road_line *y = (const tl_road_line *)b;
    if (rank_of(x) != rank_of(y)) {
        return rank_of(x) < rank_of(y) ? -1 : 1;
    }
    const tl_submission *s = x->submission;
    const tl_submission *t = y->submission;
    if (s->has_hotkey != t->has_hotkey) {
        return s->has_hotkey ? -1 : 1;
    }
    const int by_hotkey = s->has_hotkey ? tl_hotkey_cmp(&s->hotkey, &t->hotkey)
                                        : tl_str_cmp(s->hotkey_text, t->hotkey_text);
    if (by_hotkey != 0) {
        return by_hotkey;
    }
    if (s->commit_height != t->commit_height) {
        return s->commit_height < t->commit_height ? -1 : 1;
    }
    return tl_hash32_cmp(&s->commitment, &t->commitment);
}

tl_err tl__draw_lines(tl__run *run, tl_errctx *ctx)
{
    tl_road_line *lines = TL_NEW(run->arena, tl_road_line, run->submission_count);
    if (lines == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    for (size_t i = 0; i < run->submission_count; i++) {
        const tl_admission admission = run->admissions[i];
        lines[i] = (tl_road_line){.submission = &run->submissions[i], .admission = admission};
        lines[i].has_outcome = admission.state != TL_ADMIT_REFUSED;
        lines[i].outcome = outcome_of(admission.state);
    }
    const tl_scoreboard *board = &run->boards[run->reference];
    for (size_t p = 0; p < run->peer_count; p++) {
        tl_road_line *line = &lines[run->peers[p] - run->submissions];
        line->agreed = &run->out->agreement.miners[p];
        line->score = &board->scores[p];
        line->outcome = outcome_of_agreed(line->agreed->outcome);
    }
    TL_TRY(tl_sort(lines, run->submission_count, sizeof *lines, line_cmp, NULL, run->arena, ctx));
    run->lines = lines;
    run->out->lines = lines;
    run->out->line_count = run->submission_count;
    return TL_OK;
}

/* ROAD-2: each locked ante is one payee; lines are by rank, so the ranked stand in rank order. */
tl_err tl__settle(tl__run *run, tl_errctx *ctx)
{
    tl_road_result *out = run->out;
    tl_payout_miner *payees = TL_NEW(run->arena, tl_payout_miner, out->line_count);
    size_t *line_of = TL_NEW(run->arena, size_t, out->line_count);
    if (payees == NULL || line_of == NULL) {
        return tl_arena_fail(run->arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < out->line_count; i++) {
        const tl_road_line *line = &run->lines[i];
        if (line->has_outcome) {
            line_of[count] = i;
            payees[count++] = (tl_payout_miner){line->submission->hotkey, line->submission->ante,
                                                line->outcome, false};
        }
    }
    TL_TRY(tl_settle(&out->settlement, run->arena, out->agreement.split.miners,
                     out->params.external, payees, count, &out->params.payout, ctx));
    TL_ASSERT(out->settlement.count == count);
    TL_ASSERT(tl_rao_eq(out->settlement.total_in, out->settlement.total_out)); /* LED-7 */
    for (size_t k = 0; k < count; k++) {
        run->lines[line_of[k]].payout = &out->settlement.payouts[k];
        TL_ASSERT(out->settlement.payouts[k].rank == 0 ||
                  out->settlement.payouts[k].rank ==
                      run->lines[line_of[k]].agreed->rank); /* ROAD-2 */
    }
    out->payees = payees;
    out->payee_count = count;
    return TL_OK;
}

tl_err tl_road_pay(tl_ledger *ledger, const tl_road_result *result, tl_arena *scratch,
                   tl_errctx *ctx)
{
    if (result->state == TL_EPOCH_EXTENDED) {
        return TL_OK;
    }
    if (result->state == TL_EPOCH_FAILED) {
        return tl_escrow_refund(ledger, result->epoch_id, result->height,
                                TL_STR("the validators did not agree"), ctx);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_pay *pays = TL_NEW(scratch, tl_pay, result->validator_count);
    if (pays == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t v = 0; v < result->validator_count; v++) {
        pays[v] = (tl_pay){result->validators[v].hotkey, result->validators[v].agreed->pay};
    }
    const tl_settle_order order = {.epoch = result->epoch_id,
                                   .height = result->height,
                                   .settlement = &result->settlement,
                                   .miners = result->payees,
                                   .validators = pays,
                                   .validator_count = result->validator_count,
                                   .owner = result->agreement.split.owner};
    const tl_err err = tl_ledger_settle(ledger, &order, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}
