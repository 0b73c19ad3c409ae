/* What the functions of fmath share: sums of two doubles, and the two kernels behind exp and log.
 *
 * A pair (hi, lo) stands for hi + lo, |lo| at most half a unit of hi. Without fused products an exact product is made by
 * Dekker's splitting: each factor becomes two halves of 26 bits, whose four products are exact (FMATH-1).
 */
#ifndef TALLY_CORE_NUM_FMATH_INTERNAL_H
#define TALLY_CORE_NUM_FMATH_INTERNAL_H

#include <stdint.h>
#include <string.h>

typedef struct tl__pair {
    double hi;
    double lo;
} tl__pair;

/* tl__power: (mantissa.hi + mantissa.lo) * 2^exponent, mantissa from 0.99 to 2.01. */
typedef struct tl__power {
    tl__pair mantissa;
    int exponent;
} tl__power;

static inline uint64_t tl__bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double tl__from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* tl__two_to: 2^k, k in [-1022, 1023]. */
static inline double tl__two_to(int k)
{
    return tl__from_bits((uint64_t)(k + 1023) << 52);
}

/* tl__sum: a + b without error (Knuth). */
static inline tl__pair tl__sum(double a, double b)
{
    const double hi = a + b;
    const double part = hi - a;
    const tl__pair r = {hi, (a - (hi - part)) + (b - part)};
    return r;
}

/* tl__sum_ordered: the same in three operations, for |a| >= |b| or a = 0 (Dekker). */
static inline tl__pair tl__sum_ordered(double a, double b)
{
    const double hi = a + b;
    const tl__pair r = {hi, (a - hi) + b};
    return r;
}

/* tl__high_half: x cut to its upper 26 bits, x - tl__high_half(x) has 27. */
static inline double tl__high_half(double x)
{
    return tl__from_bits(tl__bits(x) & UINT64_C(0xfffffffff8000000));
}

/* tl__product: a * b without error, while neither over- nor underflows. */
static inline tl__pair tl__product(double a, double b)
{
    const double ah = tl__high_half(a);
    const double bh = tl__high_half(b);
    const double al = a - ah;
    const double bl = b - bh;
    const double hi = a * b;
    const tl__pair r = {hi, ((ah * bh - hi) + ah * bl + al * bh) + al * bl};
    return r;
}

/* tl__exp_kernel: e^(x.hi + x.lo) with an error of some 2^-61, |x.hi| < 2000. */
tl__power tl__exp_kernel(tl__pair x);

/* tl__round_power: the double next to it: one rounding, subnormal or not; infinite when too large. */
double tl__round_power(tl__power p);

/* tl__log_kernel: log(x.hi + x.lo) as a pair, relative error some 2^-68. x.hi positive, finite, maybe subnormal. */
tl__pair tl__log_kernel(tl__pair x);

#endif
