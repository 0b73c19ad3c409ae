/* copies.c: who follows whom: correlation, plagiarism and lagged copies (portfolio spec, section 8).
 *
 * All three compare a miner with *earlier* peers only: those with a smaller commit height. Of two at one height neither
 * can be the copy; both are flagged for review and neither loses. Correlations are those of the active records, each
 * day's return less that of the universe in equal weights: two honest long portfolios share the market, not this.
 *
 * Lag L: the suspect's day t beside the peer's day t - L, in trading days.
 *
 *   peer     ·─a─b─c─d─e─f─g          records without a hole that cover the same days need one dot product a pair and
 *   suspect  ·───a─b─c─d─e─f          lag, since each window is centred and scaled once; others are aligned pair by pair
 */
#include <math.h>

#include "core/num/sum/sum.h"
#include "core/subnet/portfolio/copies.h"

#define CORRELATION_LIMIT 0.70
#define CORRELATION_DAYS  30
#define LAG_LIMIT         0.85
#define LAG_DAYS          60
#define LAG_MAX           5
#define OVERLAP_LIMIT     950000 /* millionths */
#define DEGENERATE        0x1p-40

/* One miner's active record; scaled[L] and scaled_tail[L]: unit vectors of its first n - L and last n - L days. */
typedef struct series {
    const double *active;
    const uint32_t *day;
    size_t count;
    bool is_whole;                   /* no hole between first and last day */
    const double *head[LAG_MAX + 1]; /* as a peer: without its last L days */
    const double *tail[LAG_MAX + 1]; /* as a suspect: without its first L days */
    size_t held_count;
    uint32_t held[TL_PORTFOLIO_POSITIONS_MAX]; /* tickers by index, ascending */
    int64_t weight[TL_PORTFOLIO_POSITIONS_MAX];
} series;

/* x less its mean, over its length; zeros when it is constant (quant-math 1: a degenerate spread), so that a
 * correlation with it is 0. */
static void to_unit(double *out, const double *x, size_t n)
{
    const double mean = n > 0 ? tl_sum(x, n) / (double)n : 0.0;
    const double square = tl_sum_sq_dev(x, n, mean);
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
    }
    const bool is_constant = n < 2 || sqrt(square / (double)(n - 1)) <= DEGENERATE * largest;
    const double length = sqrt(square);
    for (size_t i = 0; i < n; i++) {
        out[i] = is_constant ? 0.0 : (x[i] - mean) / length;
    }
}

/* Texts are compared once a miner, not once a pair. */
static void prepare_holding(series *out, const tl_portfolio *portfolio, const tl__prices *prices)
{
    TL_ASSERT(portfolio->count <= TL_PORTFOLIO_POSITIONS_MAX);
    out->held_count = portfolio->count;
    for (size_t k = 0; k < portfolio->count; k++) {
        const size_t ticker = tl__prices_find(prices, portfolio->positions[k].ticker);
        TL_ASSERT(ticker < prices->ticker_count);
        out->held[k] = (uint32_t)ticker;
        out->weight[k] = portfolio->positions[k].weight_millionths;
    }
}

static tl_err prepare(series *out, const tl__peer *peer, const tl__prices *prices, tl_arena *arena,
                      tl_errctx *ctx)
{
    const tl__record *r = &peer->record;
    *out = (series){.active = peer->active, .day = r->day, .count = r->count};
    prepare_holding(out, peer->portfolio, prices);
    out->is_whole = r->count > 0 && r->day[r->count - 1] - r->day[0] + 1 == r->count;
    for (size_t lag = 0; lag <= LAG_MAX && lag < r->count && out->is_whole; lag++) {
        const size_t n = r->count - lag;
        double *head = TL_NEW(arena, double, n);
        double *tail = lag == 0 ? head : TL_NEW(arena, double, n);
        if (head == NULL || tail == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        to_unit(head, peer->active, n);
        if (lag > 0) {
            to_unit(tail, peer->active + lag, n);
        }
        out->head[lag] = head;
        out->tail[lag] = tail;
    }
    return TL_OK;
}

static double clamp_rho(double rho)
{
    return rho > 1.0 ? 1.0 : rho < -1.0 ? -1.0 : rho;
}

/* A correlation, and the days of the suspect that it is about, by their index in the price table. */
typedef struct match {
    double value;
    size_t days;
    uint32_t from;
    uint32_t to;
} match;

/* The days that both have, the suspect's t beside the peer's t - lag, gathered into a and b. */
static void align(match *out, double *a, double *b, const series *suspect, const series *peer,
                  uint32_t lag)
{
    size_t n = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < suspect->count && k < peer->count) {
        const uint32_t own = suspect->day[i];
        const uint32_t other = peer->day[k] + lag;
        if (own == other) {
            out->from = n == 0 ? own : out->from;
            out->to = own;
            a[n] = suspect->active[i++];
            b[n++] = peer->active[k++];
        } else if (own < other) {
            i++;
        } else {
            k++;
        }
    }
    out->days = n;
}

/* room: 4 * max(count) doubles. */
static match correlate(const series *suspect, const series *peer, uint32_t lag, double *room,
                       size_t room_count)
{
    match m = {0};
    const bool same_days = suspect->is_whole && peer->is_whole && suspect->count == peer->count &&
                           suspect->count > lag && suspect->day[0] == peer->day[0];
    if (same_days) {
        m.days = suspect->count - lag;
        m.from = suspect->day[lag];
        m.to = suspect->day[suspect->count - 1];
        m.value = clamp_rho(tl_dot(suspect->tail[lag], peer->head[lag], m.days));
        return m;
    }
    double *a = room;
    double *b = room + room_count;
    align(&m, a, b, suspect, peer, lag);
    double *unit_a = room + 2 * room_count;
    double *unit_b = room + 3 * room_count;
    to_unit(unit_a, a, m.days);
    to_unit(unit_b, b, m.days);
    m.value = clamp_rho(tl_dot(unit_a, unit_b, m.days)); /* 0 for less than two days */
    return m;
}

/* The strongest peer so far. Ties: the lowest hotkey, since peers of one height come in that order (PORT-4). */
typedef struct strongest {
    const tl__peer *peer;
    match match;
} strongest;

static void consider(strongest *s, const tl__peer *peer, match m)
{
    const bool is_tie = s->peer != NULL && m.value == s->match.value &&
                        tl_hotkey_cmp(&peer->submission->hotkey, &s->peer->submission->hotkey) < 0;
    if (s->peer == NULL || m.value > s->match.value || is_tie) {
        *s = (strongest){peer, m};
    }
}

static void raise(tl__peer *suspect, tl_portfolio_rule rule, const strongest *s, double limit,
                  double factor, const tl__prices *prices)
{
    TL_ASSERT(suspect->flag_count < TL_RULE_COUNT); /* once a rule */
    tl_flag *flag = &suspect->flags[suspect->flag_count++];
    *flag = (tl_flag){.rule = (uint32_t)rule,
                      .factor = factor,
                      .has_peer = true,
                      .has_value = true,
                      .value = s->match.value,
                      .has_limit = true,
                      .limit = limit};
    flag->peer = s->peer->submission->hotkey;
    if (rule != TL_RULE_PLAGIARISM) {
        flag->has_days = true;
        flag->days = (uint32_t)s->match.days;
        flag->has_span = true;
        flag->from = prices->days[s->match.from];
        flag->to = prices->days[s->match.to];
    }
}

/* Σ min(w_i, w'_i) in millionths, over all that either holds: a ticker that one lacks has weight 0 there, which is more
 * than a short of the other. */
static int64_t overlap(const series *a, const series *b)
{
    int64_t sum = 0;
    size_t i = 0;
    size_t k = 0;
    while (i < a->held_count || k < b->held_count) {
        const uint32_t own = i < a->held_count ? a->held[i] : UINT32_MAX;
        const uint32_t other = k < b->held_count ? b->held[k] : UINT32_MAX;
        const int64_t own_weight = own <= other ? a->weight[i++] : 0;
        const int64_t other_weight = other <= own ? b->weight[k++] : 0;
        sum += own_weight < other_weight ? own_weight : other_weight;
    }
    return sum;
}

/* What one suspect has most in common with earlier peers, and with those of its own height. */
typedef struct likeness {
    strongest correlation;
    strongest plagiarism;
    strongest lag;
} likeness;

static void compare(likeness *out, const series *own, const tl__peer *peer, const series *other,
                    double *room, size_t room_count)
{
    const match same_day = correlate(own, other, 0, room, room_count);
    if (same_day.days >= CORRELATION_DAYS) {
        consider(&out->correlation, peer, same_day);
    }
    consider(&out->plagiarism, peer, (match){.value = (double)overlap(own, other) / 1e6});
    for (uint32_t lag = 1; lag <= LAG_MAX; lag++) {
        const match lagged = correlate(own, other, lag, room, room_count);
        if (lagged.days >= LAG_DAYS) {
            consider(&out->lag, peer, lagged);
        }
    }
}

static void judge(tl__peer *suspect, tl_portfolio_rule rule, double limit, const strongest *earlier,
                  const strongest *equal, const tl__prices *prices)
{
    if (earlier->peer != NULL && earlier->match.value > limit) {
        raise(suspect, rule, earlier, limit, tl_portfolio_flag_factor(rule, earlier->match.value),
              prices);
    } else if (equal->peer != NULL && equal->match.value > limit) {
        raise(suspect, rule, equal, limit, 1.0, prices);
    }
}

tl_err tl__copies_find(tl__peer *peers, size_t count, const tl__prices *prices, tl_arena *scratch,
                       tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    series *all = TL_NEW(scratch, series, count);
    size_t longest = 0;
    for (size_t i = 0; i < count && all != NULL; i++) {
        TL_TRY(prepare(&all[i], &peers[i], prices, scratch, ctx));
        longest = peers[i].record.count > longest ? peers[i].record.count : longest;
    }
    double *room = TL_NEW(scratch, double, 4 * longest);
    if (all == NULL || room == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        likeness earlier = {0};
        likeness equal = {0};
        const uint64_t height = peers[i].submission->commit_height;
        for (size_t k = 0; k < count && peers[k].submission->commit_height <= height; k++) {
            if (k != i) {
                likeness *into = peers[k].submission->commit_height < height ? &earlier : &equal;
                compare(into, &all[i], &peers[k], &all[k], room, longest);
            }
        }
        judge(&peers[i], TL_RULE_CORRELATION, CORRELATION_LIMIT, &earlier.correlation,
              &equal.correlation, prices);
        judge(&peers[i], TL_RULE_PLAGIARISM, (double)OVERLAP_LIMIT / 1e6, &earlier.plagiarism,
              &equal.plagiarism, prices);
        judge(&peers[i], TL_RULE_LAG_COPY, LAG_LIMIT, &earlier.lag, &equal.lag, prices);
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
