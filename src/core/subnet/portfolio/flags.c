/* flags.c: what a miner's own record and weights say: variance, fence swinging, churn, streak, sybil, data quality
 * (portfolio spec, section 8). Detectors decide (core/quant/detect), this file turns their evidence into flags. */
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/detect/detect.h"
#include "core/subnet/portfolio/portfolio_internal.h"

#define YEAR_DAYS    252.0
#define BLIND_WINDOW 252
#define SYBIL_LIMIT  0.5
#define SYBIL_DAYS   90.0

/* A flag with the days from row `from` to row `to` of the record. */
static tl_flag *add(tl__peer *peer, tl_portfolio_rule rule, double factor, double value,
                    double limit)
{
    TL_ASSERT(peer->flag_count < TL_RULE_COUNT);
    tl_flag *flag = &peer->flags[peer->flag_count++];
    *flag = (tl_flag){.rule = (uint32_t)rule,
                      .factor = factor,
                      .has_value = true,
                      .value = value,
                      .has_limit = true,
                      .limit = limit};
    return flag;
}

static void set_span(tl_flag *flag, const tl__peer *peer, const tl__prices *prices, size_t from,
                     size_t to)
{
    flag->has_days = true;
    flag->has_span = true;
    flag->from = prices->days[peer->record.day[from]];
    flag->to = prices->days[peer->record.day[to]];
}

static void add_detected(tl__peer *peer, const tl__prices *prices, tl_portfolio_rule rule,
                         const tl_evidence *e, double figure)
{
    if (!e->is_flagged) {
        return;
    }
    tl_flag *flag =
        add(peer, rule, tl_portfolio_flag_factor(rule, figure), e->value.value, e->limit);
    if (e->days > 0) {
        set_span(flag, peer, prices, e->from, e->to);
        flag->days = (uint32_t)e->days;
    }
}

/* Annualised churn Σ τ · P / n over the whole record. */
static double churn_of(const tl__record *record)
{
    return record->count > 0
               ? tl_sum(record->turnover, record->count) * YEAR_DAYS / (double)record->count
               : 0.0;
}

static tl_err raise_detected(tl__peer *peer, const tl__prices *prices, tl_arena *scratch,
                             tl_errctx *ctx)
{
    const tl__record *r = &peer->record;
    tl_detect_variance variance;
    tl_detect_variance_run(&variance, r->returns, r->count, YEAR_DAYS);
    add_detected(peer, prices, TL_RULE_VARIANCE, &variance.evidence, 0.0);

    double weights[TL_PORTFOLIO_POSITIONS_MAX];
    for (size_t i = 0; i < peer->portfolio->count; i++) {
        weights[i] = (double)peer->portfolio->positions[i].weight_millionths / 1e6;
    }
    tl_detect_concentration concentration;
    tl_detect_concentration_run(&concentration, weights, peer->portfolio->count, r->returns,
                                r->count, YEAR_DAYS);
    add_detected(peer, prices, TL_RULE_FENCE_SWINGING, &concentration.evidence, 0.0);

    tl_detect_churn churn;
    tl_detect_churn_run(&churn, churn_of(r));
    add_detected(peer, prices, TL_RULE_CHURN, &churn.evidence, churn.severity);

    tl_detect_streak streak;
    TL_TRY(tl_detect_streak_run(&streak, r->returns, r->count, scratch, ctx));
    add_detected(peer, prices, TL_RULE_STREAK, &streak.evidence, 0.0);
    return TL_OK;
}

static void raise_data_quality(tl__peer *peer, const tl__prices *prices)
{
    const tl__record *r = &peer->record;
    const size_t from = r->count > BLIND_WINDOW ? r->count - BLIND_WINDOW : 0;
    uint32_t days = 0;
    size_t first = 0;
    size_t last = 0;
    for (size_t i = from; i < r->count; i++) {
        if (r->is_blind[i]) {
            first = days == 0 ? i : first;
            last = i;
            days++;
        }
    }
    if (days > 0) {
        tl_flag *flag = add(peer, TL_RULE_DATA_QUALITY,
                            tl_portfolio_flag_factor(TL_RULE_DATA_QUALITY, days), days, 0.0);
        set_span(flag, peer, prices, first, last);
        flag->days = days;
    }
}

/* --- sybil: stake, age and history, each against what is usual --- */

static tl_err stake_of(int64_t *out, const tl__peer *peer, const tl_json *stakes, tl_errctx *ctx)
{
    const tl_json *member = tl_json_get_str(stakes, peer->submission->hotkey_text);
    *out = 0;
    return member != NULL ? tl_json_as_i64(out, member, "stakes_rao", ctx) : TL_OK;
}

static int i64_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* .5·min(stake/median, 1) + .3·min(days/90, 1) + .2·history; a median of 0 gives the first term whole. */
static double sybil_score(const tl__peer *peer, int64_t stake, int64_t median)
{
    const double share = median > 0 ? (double)stake / (double)median : 1.0;
    const double age = (double)peer->record.count / SYBIL_DAYS;
    const tl__past *past = peer->past;
    const double history =
        past != NULL && past->epochs > 0 ? (double)past->reveals / (double)past->epochs : 0.0;
    const double terms[3] = {0.5 * (share < 1.0 ? share : 1.0), 0.3 * (age < 1.0 ? age : 1.0),
                             0.2 * history};
    return tl_sum(terms, 3);
}

static tl_err raise_sybil(tl__peer *peers, size_t count, const tl_json *stakes, tl_arena *scratch,
                          tl_errctx *ctx)
{
    if (stakes == NULL || count == 0) {
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    int64_t *own = TL_NEW(scratch, int64_t, count);
    int64_t *sorted = TL_NEW(scratch, int64_t, count);
    if (own == NULL || sorted == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TL_TRY(stake_of(&own[i], &peers[i], stakes, ctx));
        sorted[i] = own[i];
    }
    TL_TRY(tl_sort(sorted, count, sizeof *sorted, i64_cmp, NULL, scratch, ctx));
    const int64_t median = sorted[(count - 1) / 2];
    for (size_t i = 0; i < count; i++) {
        const double score = sybil_score(&peers[i], own[i], median);
        if (score < SYBIL_LIMIT) {
            (void)add(&peers[i], TL_RULE_SYBIL, tl_portfolio_flag_factor(TL_RULE_SYBIL, 0.0), score,
                      SYBIL_LIMIT);
        }
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

/* A handful of flags a peer: insertion by rule. */
static void sort_by_rule(tl__peer *peer)
{
    for (size_t i = 1; i < peer->flag_count; i++) {
        const tl_flag flag = peer->flags[i];
        size_t at = i;
        while (at > 0 && peer->flags[at - 1].rule > flag.rule) {
            peer->flags[at] = peer->flags[at - 1];
            at--;
        }
        peer->flags[at] = flag;
    }
}

tl_err tl__flags_raise(tl__peer *peers, size_t count, const tl__world *world, tl_arena *scratch,
                       tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        TL_TRY(raise_detected(&peers[i], &world->prices, scratch, ctx));
        raise_data_quality(&peers[i], &world->prices);
    }
    TL_TRY(raise_sybil(peers, count, world->stakes, scratch, ctx));
    for (size_t i = 0; i < count; i++) {
        sort_by_rule(&peers[i]);
    }
    return TL_OK;
}
