/* What the files of account share. Nothing outside this room includes it. */
#ifndef TALLY_CORE_QUANT_ACCOUNT_INTERNAL_H
#define TALLY_CORE_QUANT_ACCOUNT_INTERNAL_H

#include <math.h>
#include <string.h>

#include "core/quant/account/account.h"
#include "core/quant/metrics/metrics.h"

/* Long portfolios stay below 1; debts and shorts may drift apart, and a billion times the equity
 * is no portfolio. */
#define TL__WEIGHT_MAX 1e9

#if defined(__x86_64__)
#    define TL__ACCOUNT_WITH_X86 1
bool tl__account_has_avx2(void);
bool tl__account_has_avx512(void);
#else
#    define TL__ACCOUNT_WITH_X86 0
#endif

/* --- hold.c --- */

/* tl__account_block: returns of the eight days of a block. earned: E of the day before; then of the
 * last. False when a return is a ruin, or beyond all measure. */
typedef bool tl__account_block(double returns[8], double *earned, const double *lines,
                               const tl_account_holding *h);

/* tl__account_turned: sum of |next - drifted|; lines are those of the last block. */
typedef double tl__account_turned(const double *lines, const tl_account_holding *h, double shrink);

typedef struct tl__account_hold {
    tl__account_block *block;
    tl__account_turned *turned;
} tl__account_hold;

tl__account_block tl__account_block_portable;
tl__account_turned tl__account_turned_portable;
#if TL__ACCOUNT_WITH_X86
tl__account_block tl__account_block_avx2;
tl__account_block tl__account_block_avx512;
tl__account_turned tl__account_turned_avx2;
tl__account_turned tl__account_turned_avx512;
#endif

/* tl_sum's tree. */
static inline double tl__account_fold(const double lane[8])
{
    const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return even + odd;
}

/* Position k after the last day; last: the last days of the lines. */
static inline double tl__account_drifted(const double *last, const tl_account_holding *h, size_t k,
                                         double shrink)
{
    const double w = h->weights[k];
    return (w + w * last[(size_t)h->index[k] * 8]) * shrink;
}

/* How far it is from there to the next target. */
static inline double tl__account_change(const double *last, const tl_account_holding *h, size_t k,
                                        double shrink)
{
    return fabs(h->next[k] - tl__account_drifted(last, h, k, shrink));
}

#endif
