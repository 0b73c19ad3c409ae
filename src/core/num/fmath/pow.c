/* pow: e^(y log x), log x and the product as pairs: an error of 2^-68 in log x, times at most 745, is 2^-58.
 * An exact result is nearer than that to what is rounded, and so comes out as itself (FMATH-3). */
#include <math.h>
#include <stdbool.h>

#include "core/num/fmath/fmath.h"
#include "core/num/fmath/fmath_internal.h"

typedef enum parity { NOT_INTEGER, ODD, EVEN } parity;

static parity parity_of(double y)
{
    const double size = fabs(y);
    if (size >= 0x1p53) {
        return EVEN; /* infinity too */
    }
    const uint64_t whole = (uint64_t)size;
    if (size != (double)whole) {
        return NOT_INTEGER;
    }
    return (whole & 1) != 0 ? ODD : EVEN;
}

/* x 0 or infinite, y neither 0 nor NaN. */
static double pow_of_border(double x, double y)
{
    const bool is_negative = signbit(x) != 0 && parity_of(y) == ODD;
    const bool is_large = (x == 0.0) == (y < 0.0);
    const double size = is_large ? (double)INFINITY : 0.0;
    return is_negative ? -size : size;
}

/* y infinite, x neither 1 nor NaN. */
static double pow_to_infinity(double x, double y)
{
    const double size = fabs(x);
    if (size == 1.0) {
        return 1.0;
    }
    return (size > 1.0) == (y > 0.0) ? (double)INFINITY : 0.0;
}

/* x positive and finite, not 1; y finite, not 0. */
static double pow_of_positive(double x, double y)
{
    if (y == 1.0) {
        return x;
    }
    if (y == 0.5) {
        return sqrt(x);
    }
    /* |log x| is at least 2^-53 and at most 745: outside these sizes of y nothing is left to compute, and the exact
     * product below can neither overflow nor underflow. */
    if (fabs(y) >= 0x1p65) {
        return (x > 1.0) == (y > 0.0) ? (double)INFINITY : 0.0;
    }
    if (fabs(y) <= 0x1p-65) {
        return 1.0;
    }
    const tl__pair exact = {x, 0.0};
    const tl__pair log = tl__log_kernel(exact);
    tl__pair product = tl__product(y, log.hi);
    product = tl__sum_ordered(product.hi, product.lo + y * log.lo);
    if (product.hi > 710.0) {
        return (double)INFINITY;
    }
    if (product.hi < -746.0) {
        return 0.0;
    }
    return tl__round_power(tl__exp_kernel(product));
}

double tl_pow(double x, double y)
{
    if (y == 0.0 || x == 1.0) {
        return 1.0; /* for NaN too */
    }
    if (x != x || y != y) {
        return x + y;
    }
    if (fabs(y) > 0x1.fffffffffffffp1023) {
        return pow_to_infinity(x, y);
    }
    if (x == 0.0 || fabs(x) > 0x1.fffffffffffffp1023) {
        return pow_of_border(x, y);
    }
    if (x > 0.0) {
        return pow_of_positive(x, y);
    }
    const parity kind = parity_of(y);
    if (kind == NOT_INTEGER) {
        return (double)NAN;
    }
    const double size = x == -1.0 ? 1.0 : pow_of_positive(-x, y);
    return kind == ODD ? -size : size;
}
