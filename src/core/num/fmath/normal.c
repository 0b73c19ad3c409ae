/* The normal law. Within one deviation of the middle cdf(x) = 1/2 + x C(x^2), a polynomial. Beyond, tail(a), the
 * probability above a, is e^(-a^2/2) times a slow function R(a), which one Chebyshev series gives for all a; so the far
 * tail keeps its relative accuracy down to the smallest double.
 *
 *     R(a) = S(u) / (1 + 2a),  u = (a - centre) / (a + centre)        cdf(x) = tail(-x), or 1 - tail(x) for x > 0
 *
 * The quantile starts from a series for t - x, t = sqrt(-2 log p), good to 2e-7, and takes two steps of Halley's method:
 * it is cubic, so one does but where x is nearly 0 and its relative accuracy would suffer.
 */
#include <math.h>

#include "core/num/fmath/fmath.h"
#include "core/num/fmath/fmath_internal.h"
#include "core/num/fmath/tables/normal_table.h"

#define TAIL_COUNT   (sizeof normal_tail / sizeof *normal_tail)
#define GUESS_COUNT  (sizeof normal_guess / sizeof *normal_guess)
#define CENTRE_COUNT (sizeof normal_centre / sizeof *normal_centre)
#define CENTRE_MAX   1.0  /* up to it the polynomial of the middle; made for a little more */
#define TAIL_A_MAX   39.0 /* beyond it the tail rounds to 0 */

/* Clenshaw's sum of c[k] T_k(u). */
static double chebyshev(const double *c, unsigned long count, double u)
{
    double b1 = 0.0;
    double b2 = 0.0;
    for (unsigned long k = count; k-- > 1;) {
        const double b0 = (c[k] - b2) + 2.0 * u * b1;
        b2 = b1;
        b1 = b0;
    }
    return (c[0] - b2) + u * b1;
}

/* tail(a) e^(a^2/2) */
static double tail_ratio(double a)
{
    const double u = (a - NORMAL_TAIL_CENTRE) / (a + NORMAL_TAIL_CENTRE);
    return chebyshev(normal_tail, TAIL_COUNT, u) / (1.0 + 2.0 * a);
}

/* cdf(a) - 1/2 for 0 <= a <= CENTRE_MAX */
static double centre(double a)
{
    const double v = a * a;
    double sum = 0.0;
    for (unsigned long k = CENTRE_COUNT; k-- > 0;) {
        sum = sum * v + normal_centre[k];
    }
    return a * sum;
}

/* The probability beyond a > CENTRE_MAX. */
static double tail(double a)
{
    if (a > TAIL_A_MAX) {
        return 0.0;
    }
    const tl__pair square = tl__product(a, a);
    const tl__pair exponent = {-0.5 * square.hi, -0.5 * square.lo};
    tl__power p = tl__exp_kernel(exponent);
    const double ratio =
        tail_ratio(a); /* from 0.5 down to 0.01: a power of two makes it a mantissa again */
    const int down = (int)(tl__bits(ratio) >> 52) - 1023;
    const double mantissa = ratio * tl__two_to(-down);
    p.mantissa = tl__sum_ordered(p.mantissa.hi * mantissa, p.mantissa.lo * mantissa);
    p.exponent += down;
    return tl__round_power(p);
}

double tl_normal_cdf(double x)
{
    if (x != x) {
        return x;
    }
    if (fabs(x) <= CENTRE_MAX) {
        return x < 0.0 ? 0.5 - centre(-x) : 0.5 + centre(x);
    }
    return x < 0.0 ? tail(-x) : 1.0 - tail(x);
}

/* (tail(a) - p) / density(a) */
static double excess(double a, double p)
{
    const double root = tl_exp(0.25 * a * a); /* its square alone overflows where p is subnormal */
    if (a <= CENTRE_MAX) {
        return NORMAL_SQRT_2PI * root * root * ((0.5 - p) - centre(a));
    }
    return NORMAL_SQRT_2PI * (tail_ratio(a) - p * root * root);
}

/* The quantile of 0 < p < 0.5; negative. */
static double quantile_of_lower(double p)
{
    const double t = sqrt(-2.0 * tl_log(p));
    const double u = (t - NORMAL_GUESS_CENTRE) / (t + NORMAL_GUESS_CENTRE);
    const double guess =
        t - chebyshev(normal_guess, GUESS_COUNT, (u - NORMAL_GUESS_MID) / NORMAL_GUESS_HALF);
    double a = guess > 0.0 ? guess : 0.0;
    for (int step = 0; step < 2; step++) {
        const double e = excess(a, p);
        a += e / (1.0 - 0.5 * a * e);
    }
    return -a;
}

double tl_normal_quantile(double p)
{
    if (!(p >= 0.0 && p <= 1.0)) {
        return (double)NAN;
    }
    if (p == 0.5) {
        return 0.0;
    }
    if (p == 0.0 || p == 1.0) {
        return p == 0.0 ? -(double)INFINITY : (double)INFINITY;
    }
    return p < 0.5 ? quantile_of_lower(p) : -quantile_of_lower(1.0 - p); /* 1 - p is exact */
}
