/* Portfolios from one rebalance to the next, over growth that all of them share: nothing drifts in
 * between.
 *
 *      returns of a span ──growth──▶ lines ──block──▶ E, R of 8 days ──turned──▶ turnover
 *                                    (one for all)    (a portfolio)
 *
 * Written with the compiler's vectors, as tl_sum is; the portable functions are the definition, and
 * the others equal them bit for bit. */
#include "core/quant/account/account_internal.h"

#define GROUP      8    /* portfolios whose steps are taken side by side */
#define GROWTH_MAX 1e12 /* of an asset within a span */

tl_err tl_account_growth(double *lines, const double *returns, size_t days, size_t assets,
                         size_t stride, tl_errctx *ctx)
{
    TL_ASSERT(stride >= assets);
    bool is_bounded = true;
    for (size_t t = 0; t < (days + 7) / 8 * 8; t++) {
        const double *row = t < days ? returns + t * stride : NULL; /* behind the last: no growth */
        double *today = lines + t / 8 * 8 * assets + t % 8;
        const double *yesterday = t % 8 > 0 ? today - 1 : t > 0 ? today - 8 * assets + 7 : NULL;
        for (size_t i = 0; i < assets; i++) {
            const double before = yesterday != NULL ? yesterday[i * 8] : 0.0;
            const double grown = row != NULL ? before + row[i] * (1.0 + before) : before;
            is_bounded &= grown <= GROWTH_MAX;
            today[i * 8] = grown;
        }
    }
    return is_bounded ? TL_OK : tl_fail(ctx, TL_ERR_RANGE, "an asset grew by more than 1e12");
}

/* The definition: one term at a time, position k to lane k mod 8, each day by itself. */
bool tl__account_block_portable(double returns[8], double *earned, const double *lines,
                                const tl_account_holding *h)
{
    bool is_fine = true;
    double lane[8][8] = {{0}};
    for (size_t k = 0; k < h->count; k++) {
        const double *grown = lines + (size_t)h->index[k] * 8;
        for (size_t t = 0; t < 8; t++) {
            lane[t][k % 8] += h->weights[k] * grown[t];
        }
    }
    for (size_t t = 0; t < 8; t++) {
        const double today = tl__account_fold(lane[t]);
        returns[t] = (today - *earned) / (1.0 + *earned);
        is_fine = is_fine && returns[t] > -1.0 && returns[t] <= TL_RETURN_MAX;
        *earned = today;
    }
    return is_fine;
}

double tl__account_turned_portable(const double *lines, const tl_account_holding *h, double shrink)
{
    double lane[8] = {0};
    for (size_t k = 0; k < h->count; k++) {
        lane[k % 8] += tl__account_change(lines + 7, h, k, shrink);
    }
    return tl__account_fold(lane);
}

static tl__account_hold hold_best(void)
{
#if TL__ACCOUNT_WITH_X86
    if (tl__account_has_avx512()) {
        return (tl__account_hold){tl__account_block_avx512, tl__account_turned_avx512};
    }
    if (tl__account_has_avx2()) {
        return (tl__account_hold){tl__account_block_avx2, tl__account_turned_avx2};
    }
#endif
    return (tl__account_hold){tl__account_block_portable, tl__account_turned_portable};
}

/* The first day that lost everything ends it (ACC-3), unless one before it was beyond all measure.
 */
static tl_err end_early(double *returns, size_t days, tl_errctx *ctx)
{
    size_t t = 0;
    while (returns[t] > -1.0 && returns[t] <= TL_RETURN_MAX) {
        t++;
    }
    if (returns[t] > -1.0) {
        return tl_fail(ctx, TL_ERR_RANGE, "a return of the portfolio above 1e7");
    }
    returns[t] = -1.0;
    for (t++; t < days; t++) {
        returns[t] = 0.0;
    }
    return TL_OK;
}

/* The first width of a block. A span is seldom long enough for a call of memcpy to pay. */
static void keep(double *returns, const double block[8], size_t width)
{
    if (width == 8) {
        memcpy(returns, block, 8 * sizeof *block);
        return;
    }
    if ((width & 4) != 0) {
        memcpy(returns, block, 4 * sizeof *block);
    }
    if ((width & 2) != 0) {
        memcpy(returns + (width & 4), block + (width & 4), 2 * sizeof *block);
    }
    if ((width & 1) != 0) {
        returns[width - 1] = block[width - 1];
    }
}

/* One portfolio of many. */
static tl_account_holding one_of(const tl_account_holding *all, size_t p)
{
    tl_account_holding one = *all;
    one.index += p * all->count;
    one.weights += p * all->count;
    one.next = all->next != NULL ? all->next + p * all->count : NULL;
    return one;
}

/* The rows of a target that the next group asks for: 8 doubles a line of the cache. */
static void call_for(const tl_account_holding *all, size_t from)
{
    const size_t end = from + GROUP < all->portfolios ? from + GROUP : all->portfolios;
    for (size_t at = from * all->count; all->next != NULL && at < end * all->count; at += 8) {
        __builtin_prefetch(all->next + at);
    }
}

/* Portfolios from … to - 1, of which there are at most GROUP. Their steps are taken side by side: what follows
 * from a sum has to wait for it, and the processor does not look further than a portfolio. */
static tl_err hold_group(const tl_account_out *out, const tl_account_span *span,
                         const tl_account_holding *all, size_t from, size_t to, tl_errctx *ctx)
{
    for (size_t k = from * all->count; k < to * all->count; k++) {
        TL_VERIFY(all->index[k] < span->assets);
    }
    const tl__account_hold best = hold_best();
    double earned[GROUP] = {0};
    bool is_fine[GROUP];
    double block[GROUP][8];
    memset(is_fine, true, sizeof is_fine);
    for (size_t t = 0; t < span->days; t += 8) {
        const size_t width = span->days - t < 8 ? span->days - t : 8;
        for (size_t p = from; p < to; p++) {
            const tl_account_holding h = one_of(all, p);
            is_fine[p - from] &=
                best.block(block[p - from], &earned[p - from], span->lines + t * span->assets, &h);
        }
        for (size_t p = from; p < to; p++) {
            keep(out->returns + p * out->returns_stride + t, block[p - from], width);
        }
    }
    /* Drifted once, over the whole span: ACC-4. */
    const double *last = span->lines + (span->days - 1) / 8 * 8 * span->assets;
    for (size_t p = from; p < to; p++) {
        double turnover = 0.0;
        if (!is_fine[p - from]) {
            TL_TRY(end_early(out->returns + p * out->returns_stride, span->days, ctx));
        } else if (all->next != NULL) {
            const tl_account_holding h = one_of(all, p);
            turnover = 0.5 * best.turned(last, &h, 1.0 / (1.0 + earned[p - from]));
        }
        if (!(turnover <= TL__WEIGHT_MAX)) {
            return tl_fail(ctx, TL_ERR_RANGE, "a turnover above 1e9");
        }
        out->turnovers[p * out->turnovers_stride] = turnover;
    }
    return TL_OK;
}

tl_err tl_account_hold(const tl_account_out *out, const tl_account_span *span,
                       const tl_account_holding *all, tl_errctx *ctx)
{
    TL_ASSERT(span->days > 0);
    call_for(all, 0);
    for (size_t from = 0; from < all->portfolios; from += GROUP) {
        const size_t end = from + GROUP < all->portfolios ? from + GROUP : all->portfolios;
        call_for(all, end);
        TL_TRY(hold_group(out, span, all, from, end, ctx));
    }
    return TL_OK;
}
