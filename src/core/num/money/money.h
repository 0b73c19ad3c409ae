/* money: amounts that cannot be mixed up, and splits that lose nothing.
 * For         every amount of the network: antes, rewards, balances, emission
 * Takes       rao (10^9 rao = 1 TAO), weights as plain integers
 * Gives       checked sums, products rounded down by name, splits whose parts add up to the whole
 * Calls       base/str, base/error             Called by   ledger, consensus, epoch, subnet, app
 * Owns        nothing
 * Threads     any: no state
 * Invariants  MONEY-1 a result is written only when it is exact, or rounded as the function's name says
 *             MONEY-2 the parts of a split are never negative and add up to the total
 *             MONEY-3 who has no weight gets nothing, not even of the rest
 *             MONEY-4 a wide quotient and its remainder give the dividend back, the remainder below the divisor
 *             MONEY-5 print and parse are inverse for every amount
 * Read        money.c, then split.c, then wide.c
 *
 *      total 100, weights 1 2 4              floors 14 28 57 = 99        rest 1, first in order: 15 28 57
 *
 * Only core/num reaches into the field; all others go through these functions, so that an amount is never added to a
 * count, a weight or a float by mistake.
 */
#ifndef TALLY_CORE_NUM_MONEY_H
#define TALLY_CORE_NUM_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

__extension__ typedef __int128 tl_i128;
__extension__ typedef unsigned __int128 tl_u128;

/* tl_rao: an amount in rao; may be negative (a balance's change, a deficit). */
typedef struct tl_rao {
    int64_t rao;
} tl_rao;

#define TL_RAO_PER_TAO    INT64_C(1000000000)
#define TL_RAO_TAO_PLACES 9
#define TL_RAO_ZERO       ((tl_rao){0})

/* The only doors between an amount and a bare integer: for codecs and printing. */
static inline tl_rao tl_rao_from_i64(int64_t rao)
{
    const tl_rao r = {rao};
    return r;
}

static inline int64_t tl_rao_to_i64(tl_rao a)
{
    return a.rao;
}

/* tl_rao_cmp: < 0, 0, > 0. */
static inline int tl_rao_cmp(tl_rao a, tl_rao b)
{
    return (a.rao > b.rao) - (a.rao < b.rao);
}

static inline bool tl_rao_eq(tl_rao a, tl_rao b)
{
    return a.rao == b.rao;
}

static inline bool tl_rao_is_negative(tl_rao a)
{
    return a.rao < 0;
}

static inline bool tl_rao_is_zero(tl_rao a)
{
    return a.rao == 0;
}

static inline tl_rao tl_rao_min(tl_rao a, tl_rao b)
{
    return b.rao < a.rao ? b : a;
}

static inline tl_rao tl_rao_max(tl_rao a, tl_rao b)
{
    return b.rao > a.rao ? b : a;
}

/* tl_rao_add, tl_rao_sub, tl_rao_neg: exact, or TL_ERR_OVERFLOW with out untouched. */
TL_MUST_USE tl_err tl_rao_add(tl_rao *out, tl_rao a, tl_rao b, tl_errctx *ctx);
TL_MUST_USE tl_err tl_rao_sub(tl_rao *out, tl_rao a, tl_rao b, tl_errctx *ctx);
TL_MUST_USE tl_err tl_rao_neg(tl_rao *out, tl_rao a, tl_errctx *ctx);

/* tl_rao_sum: all of them; only the total need fit, not the sums on the way. n = 0 gives zero.
 * Errors: TL_ERR_OVERFLOW. */
TL_MUST_USE tl_err tl_rao_sum(tl_rao *out, const tl_rao *amounts, size_t n, tl_errctx *ctx);

/* tl_rao_mul_div_floor: floor(a * num / den), the product in 128 bits, rounded towards minus infinity.
 * Errors: TL_ERR_RANGE when den is 0, TL_ERR_OVERFLOW when the quotient does not fit. */
TL_MUST_USE tl_err tl_rao_mul_div_floor(tl_rao *out, tl_rao a, uint64_t num, uint64_t den,
                                        tl_errctx *ctx);

/* tl_rao_split_pro_rata: share i is floor(total * weights[i] / sum of weights); what is left goes out one rao each.
 *
 * out      n amounts; may not overlap weights
 * total    not negative
 * weights  n of them, any size, at least one above 0; their sum is taken in 128 bits
 * order    NULL: the rest goes to index 0, 1, 2 …; else a permutation of 0 … n-1: the rest goes to order[0], order[1] …
 *          Whoever has weight 0 is passed over (MONEY-3); the rest is smaller than the number of the others, so one
 *          round is enough.
 *
 * Errors: TL_ERR_RANGE for a negative total, or when all weights are 0 (also n = 0) and total is not.
 * Cost:   O(n), one 128-bit division each. Source: portfolio spec sections 7 and 9.
 */
TL_MUST_USE tl_err tl_rao_split_pro_rata(tl_rao *out, tl_rao total, const uint64_t *weights,
                                         size_t n, const size_t *order, tl_errctx *ctx);

/* tl_rao_print: TAO with nine places, "-0.000000001". */
void tl_rao_print(tl_sb *sb, tl_rao a);

/* tl_rao_parse: the inverse: an optional '-', digits, optionally a point and one to nine digits. No plus, no spaces, no
 * leading zeros, no "-0". Errors: TL_ERR_SYNTAX, TL_ERR_RANGE when it does not fit. */
TL_MUST_USE tl_err tl_rao_parse(tl_rao *out, tl_str text, tl_errctx *ctx);

/* --- wide integers, for products that 128 bits do not hold --- */

/* tl_u256: 256 bits, w[0] the lowest 64. */
typedef struct tl_u256 {
    uint64_t w[4];
} tl_u256;

tl_u256 tl_u256_from_u128(tl_u128 a);

/* tl_u256_to_u128: false, out untouched, when it does not fit. */
TL_MUST_USE bool tl_u256_to_u128(tl_u128 *out, tl_u256 a);

/* tl_u256_mul: the whole product; cannot overflow. */
tl_u256 tl_u256_mul(tl_u128 a, tl_u128 b);

/* tl_u256_add, tl_u256_sub: false, out untouched, on carry or borrow. */
TL_MUST_USE bool tl_u256_add(tl_u256 *out, tl_u256 a, tl_u256 b);
TL_MUST_USE bool tl_u256_sub(tl_u256 *out, tl_u256 a, tl_u256 b);

/* tl_u256_cmp: < 0, 0, > 0. */
int tl_u256_cmp(tl_u256 a, tl_u256 b);

/* tl_u256_div_floor: quotient and remainder; den not 0 (asserted). remainder may be NULL. Knuth's algorithm D in
 * digits of 64 bits. */
tl_u256 tl_u256_div_floor(tl_u128 *remainder, tl_u256 a, tl_u128 den);

/* tl_u128_mul_div_floor: floor(a * b / den) through 256 bits.
 * Errors: TL_ERR_RANGE when den is 0, TL_ERR_OVERFLOW. */
TL_MUST_USE tl_err tl_u128_mul_div_floor(tl_u128 *out, tl_u128 a, tl_u128 b, tl_u128 den,
                                         tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
