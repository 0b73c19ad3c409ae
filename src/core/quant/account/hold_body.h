/* The body of the variants of tl__account_block and tl__account_turned: a template without a guard,
 * included once by each with
 *
 *      HOLD_BLOCK   the functions that it defines
 *      HOLD_TURNED
 *      HOLD_TARGET  the attribute that turns the instructions on
 *      HOLD_WIDTH   days carried at a time: 4 or 8
 *      HOLD_BEFORE  of (days, the day before them): each day's day before, as a shuffle
 *
 * A block: eight running sums, one a place of tl_dot, HOLD_WIDTH days each; a position costs an
 * index, a weight for all days, a line, one product and one sum: with 8 days in a register 0.25
 * cycles a position and day. The turnover: positions lie in the lanes, four at a time. */
#include <string.h>

#include "core/quant/account/account_internal.h"

typedef double hold_days __attribute__((vector_size(HOLD_WIDTH * 8)));
typedef int64_t hold_claims __attribute__((vector_size(HOLD_WIDTH * 8)));
typedef double hold_four __attribute__((vector_size(32)));
typedef int64_t hold_bits __attribute__((vector_size(32)));

/* Returns of HOLD_WIDTH days, whose growth begins at lines. earned: E of the day before, then of the
 * last day. False when a return is a ruin or beyond all measure. */
HOLD_TARGET static inline bool hold_pass(double *returns, double *earned, const double *lines,
                                         const tl_account_holding *h)
{
    const double *weights = h->weights;
    const uint32_t *index = h->index;
    hold_days sum[8] = {{0}};
    hold_days grown;
    size_t left = h->count;
    for (; left >= 8; left -= 8, weights += 8, index += 8) {
#pragma GCC unroll 8
        for (size_t j = 0; j < 8; j++) {
            memcpy(&grown, lines + (size_t)index[j] * 8, sizeof grown);
            sum[j] += weights[j] * grown;
        }
    }
#pragma GCC unroll 7
    for (size_t j = 0; j < 7; j++) {
        if (j < left) {
            memcpy(&grown, lines + (size_t)index[j] * 8, sizeof grown);
            sum[j] += weights[j] * grown;
        }
    }
    const hold_days even = (sum[0] + sum[4]) + (sum[2] + sum[6]);
    const hold_days odd = (sum[1] + sum[5]) + (sum[3] + sum[7]);
    const hold_days today = even + odd;
    const hold_days first = (hold_days){0} + *earned;
    const hold_days yesterday = HOLD_BEFORE(today, first);
    const hold_days r = (today - yesterday) / (1.0 + yesterday);
    memcpy(returns, &r, sizeof r);
    *earned = today[HOLD_WIDTH - 1];
    const hold_claims fine = (r > -1.0) & (r <= TL_RETURN_MAX);
    hold_bits all[HOLD_WIDTH / 4];
    memcpy(all, &fine, sizeof all);
    all[0] &= all[HOLD_WIDTH / 4 - 1];
    return (all[0][0] & all[0][1] & all[0][2] & all[0][3]) != 0;
}

HOLD_TARGET bool HOLD_BLOCK(double returns[8], double *earned, const double *lines,
                            const tl_account_holding *h)
{
#if HOLD_WIDTH == 4
    const bool is_fine = hold_pass(returns, earned, lines, h);
    return hold_pass(returns + 4, earned, lines + 4, h) && is_fine;
#else
    return hold_pass(returns, earned, lines, h);
#endif
}

/* |target - held| of the four positions from k on. */
#define HOLD_CHANGE(out, k)                                                                        \
    do {                                                                                           \
        hold_four w;                                                                               \
        hold_four target;                                                                          \
        memcpy(&w, h->weights + (k), sizeof w);                                                    \
        memcpy(&target, h->next + (k), sizeof target);                                             \
        const uint32_t *at = h->index + (k);                                                       \
        const hold_four grown = {last[(size_t)at[0] * 8], last[(size_t)at[1] * 8],                 \
                                 last[(size_t)at[2] * 8], last[(size_t)at[3] * 8]};                \
        (out) = (hold_four)((hold_bits)(target - (w + w * grown) * shrink) & INT64_MAX);           \
    } while (0)

HOLD_TARGET double HOLD_TURNED(const double *lines, const tl_account_holding *h, double shrink)
{
    const double *last = lines + 7;
    hold_four low = {0};
    hold_four high = {0};
    hold_four change;
    size_t k = 0;
    for (; k + 8 <= h->count; k += 8) {
        HOLD_CHANGE(change, k);
        low += change;
        HOLD_CHANGE(change, k + 4);
        high += change;
    }
    double lane[8];
    size_t j = 0;
    if (k + 4 <= h->count) {
        HOLD_CHANGE(change, k);
        low += change;
        j = 4;
    }
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (; k + j < h->count; j++) {
        lane[j] += tl__account_change(last, h, k + j, shrink);
    }
    return tl__account_fold(lane);
}

#undef HOLD_CHANGE
