/* log, log1p, log10. With x = 2^k z, z in [0.707, 1.414), and c near 1/z from a table:
 *
 *     log x = k ln 2 - log c + log(1 + r)      r = c z - 1      log(1 + r) = r - r^2/2 + r^3 P(r)
 *
 * c has 12 bits, so c times each half of z is exact, and so is r as a pair. Around 1 the table holds c = 1, log c = 0:
 * nothing cancels there, and log keeps its relative accuracy.
 */
#include <math.h>

#include "base/error/error.h"
#include "core/num/fmath/fmath.h"
#include "core/num/fmath/fmath_internal.h"
#include "core/num/fmath/tables/log_table.h"

#define EXPONENT_MASK UINT64_C(0xfff0000000000000)

/* log(1 + r) as a pair */
static tl__pair log_near_one(tl__pair r)
{
    const double *c = log_poly;
    const double r1 = r.hi;
    const double r2 = r1 * r1;
    const double poly =
        (c[0] + r1 * c[1]) +
        r2 * ((c[2] + r1 * c[3]) + r2 * ((c[4] + r1 * c[5]) + r2 * (c[6] + r1 * c[7])));
    const tl__pair square = tl__product(r1, r1);
    const tl__pair lead = tl__sum_ordered(r1, -0.5 * square.hi);
    const double rest = (r.lo - r1 * r.lo) - 0.5 * square.lo;
    return tl__sum_ordered(lead.hi, lead.lo + (rest + r2 * r1 * poly));
}

tl__pair tl__log_kernel(tl__pair x)
{
    TL_ASSERT(x.hi > 0.0 && x.hi <= 0x1.fffffffffffffp1023);
    int k = 0;
    if (x.hi < 0x1p-1022) {
        x.hi *= 0x1p54;
        x.lo *= 0x1p54;
        k = -54;
    }
    const uint64_t bits = tl__bits(x.hi);
    const uint64_t above = bits - LOG_OFFSET;
    const double *at = log_interval[(above >> (52 - LOG_BITS)) & ((1 << LOG_BITS) - 1)];
    const int shift = (int)((int64_t)above >> 52);
    k += shift;
    const double z = tl__from_bits(bits - (above & EXPONENT_MASK));
    /* 2^-shift in two steps: shift may be 1024, and -1022 with the offset one less. */
    const int half = shift / 2;
    const double z_lo = x.lo * tl__two_to(-half) * tl__two_to(half - shift);
    const double c = at[0];
    const double z_high = tl__high_half(z);
    tl__pair r = tl__sum(c * z_high - 1.0, c * (z - z_high));
    r = tl__sum_ordered(r.hi, r.lo + c * z_lo);
    const tl__pair near = log_near_one(r);
    /* k ln 2 and -log c have high parts of whole units of 2^-42: their sum is exact. */
    const double lead = (double)k * LOG_LN2_HI + at[1];
    const tl__pair sum = tl__sum(lead, near.hi);
    return tl__sum_ordered(sum.hi, sum.lo + (near.lo + ((double)k * LOG_LN2_LO + at[2])));
}

/* Where log has no kernel: NaN, below 0, 0, infinity. */
static double log_special(double x)
{
    if (x == 0.0) {
        return -(double)INFINITY;
    }
    if (x < 0.0) {
        return (double)NAN;
    }
    return x; /* NaN and infinity */
}

static int is_positive_finite(double x)
{
    return x > 0.0 && x <= 0x1.fffffffffffffp1023;
}

double tl_log(double x)
{
    if (!is_positive_finite(x)) {
        return log_special(x);
    }
    const tl__pair exact = {x, 0.0};
    const tl__pair log = tl__log_kernel(exact);
    return log.hi + log.lo;
}

double tl_log1p(double x)
{
    if (fabs(x) < 0x1p-54) {
        return x; /* x^2/2 is below a quarter unit; and the square of less might underflow */
    }
    if (!(x > -1.0 && x <= 0x1.fffffffffffffp1023)) {
        return x == -1.0 ? -(double)INFINITY : (x < -1.0 ? (double)NAN : x);
    }
    const tl__pair log = tl__log_kernel(tl__sum(1.0, x));
    return log.hi + log.lo;
}

double tl_log10(double x)
{
    if (!is_positive_finite(x)) {
        return log_special(x);
    }
    const tl__pair exact = {x, 0.0};
    const tl__pair log = tl__log_kernel(exact);
    const tl__pair lead = tl__product(log.hi, LOG_INV_LN10_HI);
    return lead.hi + (lead.lo + (log.hi * LOG_INV_LN10_LO + log.lo * LOG_INV_LN10_HI));
}
