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

/* |target - drifted| of four positions. */
HOLD_TARGET static inline void hold_change(hold_four *out, const hold_four *weights,
                                           const hold_four *targets, const hold_four *grown,
                                           double shrink)
{
    const hold_four drifted = (*weights + *weights * *grown) * shrink;
    *out = (hold_four)((hold_bits)(*targets - drifted) & INT64_MAX);
}

/* The four positions from k on. */
HOLD_TARGET static inline void hold_four_from(hold_four *out, const double *last,
                                              const tl_account_holding *h, size_t k, double shrink)
{
    const uint32_t *at = h->index + k;
    const hold_four grown = {last[(size_t)at[0] * 8], last[(size_t)at[1] * 8],
                             last[(size_t)at[2] * 8], last[(size_t)at[3] * 8]};
    hold_four weights;
    hold_four targets;
    memcpy(&weights, h->weights + k, sizeof weights);
    memcpy(&targets, h->next + k, sizeof targets);
    hold_change(out, &weights, &targets, &grown, shrink);
}

/* The positions from k on, at most three; where there is none, nothing changes: a lane of 0 keeps
 * the bits of a sum that is not negative. */
HOLD_TARGET static inline void hold_rest_from(hold_four *out, const double *last,
                                              const tl_account_holding *h, size_t k, double shrink)
{
    hold_four grown = {0};
    hold_four weights = {0};
    hold_four targets = {0};
#pragma GCC unroll 3
    for (size_t j = 0; j < 3; j++) {
        if (k + j < h->count) {
            grown[j] = last[(size_t)h->index[k + j] * 8];
            weights[j] = h->weights[k + j];
            targets[j] = h->next[k + j];
        }
    }
    hold_change(out, &weights, &targets, &grown, shrink);
}

HOLD_TARGET double HOLD_TURNED(const double *lines, const tl_account_holding *h, double shrink)
{
    const double *last = lines + 7;
    hold_four low = {0};
    hold_four high = {0};
    hold_four change;
    size_t k = 0;
    for (; k + 8 <= h->count; k += 8) {
        hold_four_from(&change, last, h, k, shrink);
        low += change;
        hold_four_from(&change, last, h, k + 4, shrink);
        high += change;
    }
    if (k + 4 <= h->count) {
        hold_four_from(&change, last, h, k, shrink);
        low += change;
        hold_rest_from(&change, last, h, k + 4, shrink);
        high += change;
    } else {
        hold_rest_from(&change, last, h, k, shrink);
        low += change;
    }
    low += high;
    return (low[0] + low[2]) + (low[1] + low[3]); /* tl_sum's tree */
}
