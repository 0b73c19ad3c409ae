/* exp and expm1. With N = 128 and x = (k + j/N) ln 2 + r:
 *
 *     e^x = 2^k * 2^(j/N) * e^r        e^r = 1 + r + r^2 P(r),  |r| <= ln 2 / 2N
 */
#include <math.h>

#include "base/error/error.h"
#include "core/num/fmath/fmath.h"
#include "core/num/fmath/fmath_internal.h"
#include "core/num/fmath/tables/exp_table.h"

#define EXP_STEPS      (1 << EXP_BITS)
#define TO_INTEGER     0x1.8p52 /* added and taken away again, rounds to the nearest integer */
#define EXP_X_MAX      710.0    /* beyond it e^x is infinite */
#define EXP_X_MIN      -746.0   /* below it e^x rounds to 0 */
#define EXPM1_X_MIN    -38.0    /* below it e^x - 1 rounds to -1 */
#define EXPM1_POLY_MAX 0.35     /* up to it a polynomial of its own */
#define EXPM1_ONE_LOST 40.0     /* beyond it the 1 is below a quarter unit of e^x */

/* x reduced: its step as an integer, r as the double next to it and what that leaves out. */
typedef struct reduced {
    int step;
    double r;
} reduced;

static reduced reduce(tl__pair x)
{
    const double step = (x.hi * EXP_INV_STEP + TO_INTEGER) - TO_INTEGER;
    /* step * EXP_STEP_HI is exact (11 + 7 bits times 35), and so is the difference. */
    const reduced out = {(int)step, (x.hi - step * EXP_STEP_HI) - (step * EXP_STEP_LO - x.lo)};
    return out;
}

/* e^r - 1 */
static double small_expm1(double r)
{
    const double r2 = r * r;
    const double *c = exp_poly;
    return r + r2 * ((c[0] + r * c[1]) + r2 * ((c[2] + r * c[3]) + r2 * c[4]));
}

tl__power tl__exp_kernel(tl__pair x)
{
    TL_ASSERT(x.hi > -2000.0 && x.hi < 2000.0);
    const reduced at = reduce(x);
    const unsigned j = (unsigned)at.step & (EXP_STEPS - 1);
    const double *power = exp_power[j];
    const double rest = power[1] + power[0] * small_expm1(at.r);
    const tl__power out = {tl__sum_ordered(power[0], rest), (at.step - (int)j) / EXP_STEPS};
    return out;
}

double tl__round_power(tl__power p)
{
    const tl__pair m = p.mantissa;
    TL_ASSERT(p.exponent <= 1024); /* callers know what is larger to be infinite */
    if (p.exponent == 1024) {
        return ((m.hi + m.lo) * 0x1p1023) * 2.0;
    }
    if (p.exponent >= -1021) {
        return (m.hi + m.lo) * tl__two_to(p.exponent);
    }
    if (p.exponent < -1080) {
        return 0.0;
    }
    /* Near or below the smallest normal 2^-1022: v is the value in units of it, and 1 + v has just the bits that a
     * subnormal has, so that this addition is the one rounding. */
    const double scale = tl__two_to(p.exponent + 1022);
    const double v = m.hi * scale;
    const double v_lo = m.lo * scale;
    if (v + v_lo >= 1.0) {
        return (v + v_lo) * 0x1p-1022;
    }
    const tl__pair w = tl__sum_ordered(1.0, v);
    return ((w.hi + (w.lo + v_lo)) - 1.0) * 0x1p-1022;
}

double tl_exp(double x)
{
    if (x != x) {
        return x;
    }
    if (x > EXP_X_MAX) {
        return (double)INFINITY;
    }
    if (x < EXP_X_MIN) {
        return 0.0;
    }
    const tl__pair exact = {x, 0.0};
    return tl__round_power(tl__exp_kernel(exact)); /* FMATH-2: one visible rounding */
}

/* x + x^2/2 + x^3 Q(x), the square as a pair, so that only the last addition rounds visibly. */
static double expm1_by_polynomial(double x)
{
    if (fabs(x) < 0x1p-54) {
        return x; /* x^2/2 is below a quarter unit; and the square of less might underflow */
    }
    const double x2 = x * x;
    const double *c = expm1_poly;
    const double low = (c[0] + x * c[1]) + x2 * (c[2] + x * c[3]);
    const double mid = (c[4] + x * c[5]) + x2 * (c[6] + x * c[7]);
    const double high = (c[8] + x * c[9]) + x2 * (c[10] + x * c[11]);
    const double x4 = x2 * x2;
    const double cubic = x2 * x * (low + x4 * (mid + x4 * high));
    const tl__pair square = tl__product(x, x);
    const tl__pair sum = tl__sum_ordered(x, 0.5 * square.hi);
    return sum.hi + (sum.lo + (0.5 * square.lo + cubic));
}

double tl_expm1(double x)
{
    if (x != x) {
        return x;
    }
    if (fabs(x) < EXPM1_POLY_MAX) {
        return expm1_by_polynomial(x);
    }
    if (x > EXPM1_ONE_LOST) {
        return tl_exp(x);
    }
    if (x < EXPM1_X_MIN) {
        return -1.0;
    }
    const tl__pair exact = {x, 0.0};
    const tl__power p = tl__exp_kernel(exact);
    const double scale = tl__two_to(p.exponent);
    const tl__pair sum = tl__sum(p.mantissa.hi * scale, -1.0);
    return sum.hi + (sum.lo + p.mantissa.lo * scale);
}
