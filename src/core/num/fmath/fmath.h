/* fmath: exp, log and their kin with the same bits on every machine.
 * For         whatever a library's transcendental functions would do: annual rates, decay, powers, the normal law
 * Takes       any double, infinities and NaN too    Gives   the double next to the true value, or one beside it
 * Calls       sqrt                                  Called by   quant, subnet, consensus
 * Owns        nothing
 * Threads     any: no state
 * Invariants  FMATH-1 only + - * / sqrt and moves of bits: no fused product, no library, so no machine differs
 *             FMATH-2 errors stay below the bounds stated here, measured against 60 digits
 *             FMATH-3 a result that is exactly a double is that double (powers of integers, log10 of 1000, 2^k)
 * Read        fmath_internal.h, then exp.c, log.c, pow.c, normal.c; tables/generate.py makes all figures
 *
 * Where the bits come from. exp: x = (k + j/128) ln 2 + r, a table of 2^(j/128) as a sum of two doubles, a polynomial
 * for e^r - 1 with |r| < 0.0028. log: x = 2^k z, z times a 12-bit c near 1/z is 1 + r without rounding (the product is
 * taken in two parts), a table of -log c, a polynomial in r; the result is a sum of two doubles good to some 2^-68,
 * which log10 and pow go on with. So all but the last rounding is far below half a unit: the bounds are 0.51 and the
 * like, and an exact result survives.
 *
 *      function            bound, units in the last place       largest found in 40,000 random arguments
 *      exp                 0.51                                 0.5024
 *      expm1               0.55                                 0.5271
 *      log, log1p, log10   0.501                                0.5000
 *      pow                 0.51                                 0.5026
 *      normal_cdf          4, the far left tail too             3.3
 *      normal_quantile     4e-16 absolute within 1 of 0, 5e-16 relative beyond
 *
 * Subnormal results are rounded once, like all others. Special values are those of C's Annex F: log(0) is -inf, log(-1)
 * NaN, pow(x, 0) and pow(1, y) are 1 for every x and y. No flags, no errno.
 */
#ifndef TALLY_CORE_NUM_FMATH_H
#define TALLY_CORE_NUM_FMATH_H

#ifdef __cplusplus
extern "C" {
#endif

double tl_exp(double x);

/* tl_expm1: e^x - 1, exact in the small too. */
double tl_expm1(double x);

double tl_log(double x);

/* tl_log1p: log(1 + x), exact in the small too. */
double tl_log1p(double x);

double tl_log10(double x);

/* tl_pow: x to the power y. y = 0.5 of a positive x is sqrt(x), correctly rounded. */
double tl_pow(double x, double y);

/* tl_normal_cdf: the probability that a standard normal is at most x. tl_normal_cdf(0) is exactly 0.5; x and -x add up
 * to 1 within one rounding. */
double tl_normal_cdf(double x);

/* tl_normal_quantile: its inverse. p = 0.5 gives exactly 0, p and 1 - p opposite values; 0 and 1 give -inf and inf, p
 * outside [0, 1] NaN. */
double tl_normal_quantile(double p);

#ifdef __cplusplus
}
#endif

#endif
