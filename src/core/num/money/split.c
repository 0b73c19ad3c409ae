/* Splits of an amount: shares by floor, the rest by a named order. */
#include "core/num/money/money.h"

/* One rao each along the order until nothing is left; returns what is left after one round. */
static tl_u128 hand_out_rest(tl_rao *out, tl_u128 rest, const uint64_t *weights, size_t n,
                             const size_t *order)
{
    for (size_t i = 0; i < n && rest > 0; i++) {
        const size_t at = order != NULL ? order[i] : i;
        TL_ASSERT(at < n);
        if (weights[at] > 0) { /* MONEY-3 */
            out[at].rao++;
            rest--;
        }
    }
    return rest;
}

tl_err tl_rao_split_pro_rata(tl_rao *out, tl_rao total, const uint64_t *weights, size_t n,
                             const size_t *order, tl_errctx *ctx)
{
    if (total.rao < 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "%lld rao cannot be split: it is negative",
                       (long long)total.rao);
    }
    tl_u128 weight_sum = 0; /* below 2^64 weights of below 2^64 */
    for (size_t i = 0; i < n; i++) {
        weight_sum += weights[i];
    }
    if (weight_sum == 0 && total.rao > 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "%lld rao cannot be split: all %zu weights are zero",
                       (long long)total.rao, n);
    }
    tl_u128 rest = (tl_u128)total.rao;
    for (size_t i = 0; i < n; i++) {
        /* total below 2^63, weight below 2^64: the product fits. */
        const tl_u128 share =
            weight_sum == 0 ? 0 : (tl_u128)total.rao * (tl_u128)weights[i] / weight_sum;
        TL_ASSERT(share <= rest); /* MONEY-2: floors never exceed the total */
        out[i].rao = (int64_t)share;
        rest -= share;
    }
    rest = hand_out_rest(out, rest, weights, n, order);
    TL_ASSERT(rest == 0); /* MONEY-2 */
    return TL_OK;
}
