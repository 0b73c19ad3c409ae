/* One pair: the definition that all pairs follow. */
#include <math.h>

#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/corr/corr_internal.h"

tl__corr_scale tl__corr_scale_of(const double *x, size_t n)
{
    tl__corr_scale s = {0.0, 0.0, TL_METRIC_TOO_FEW};
    if (n < 2) {
        return s;
    }
    s.mean = tl_mean(x, n);
    const double squares = tl_sum_sq_dev(x, n, s.mean);
    if (!(squares <= 0x1.fffffffffffffp1023)) {
        s.status = TL_METRIC_TOO_LARGE;
        return s;
    }
    if (tl_is_degenerate(x, n, sqrt(squares / (double)(n - 1)))) {
        s.status = TL_METRIC_ZERO_DENOMINATOR;
        return s;
    }
    s.scale = 1.0 / sqrt(squares);
    s.status = TL_METRIC_OK;
    return s;
}

bool tl__corr_is_flat(const double *x, size_t n)
{
    return tl__corr_scale_of(x, n).status == TL_METRIC_ZERO_DENOMINATOR;
}

static tl_metric undefined(tl_metric_status status)
{
    const tl_metric m = {0.0, status};
    return m;
}

tl_metric tl_corr_pearson(const double *a, const double *b, size_t n)
{
    const tl__corr_scale sa = tl__corr_scale_of(a, n);
    const tl__corr_scale sb = tl__corr_scale_of(b, n);
    if (sa.status != TL_METRIC_OK || sb.status != TL_METRIC_OK) {
        return undefined(sa.status != TL_METRIC_OK ? sa.status : sb.status);
    }
    double lane[TL__CORR_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        const double za = (a[i] - sa.mean) * sa.scale;
        const double zb = (b[i] - sb.mean) * sb.scale;
        lane[i % TL__CORR_LANES] += za * zb;
    }
    const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    const tl_metric rho = {tl__corr_clamp(even + odd), TL_METRIC_OK};
    return rho;
}

/* The periods that both have, side by side. Returns how many. */
static size_t gather(double *a_out, double *b_out, tl_corr_series a, tl_corr_series b, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const bool is_gap =
            (a.is_missing != NULL && a.is_missing[i]) || (b.is_missing != NULL && b.is_missing[i]);
        if (!is_gap) {
            a_out[count] = a.values[i];
            b_out[count] = b.values[i];
            count++;
        }
    }
    return count;
}

static tl_err correlate(tl_metric *out, double *a, double *b, size_t n, tl_corr_kind kind,
                        tl_arena *scratch, tl_errctx *ctx)
{
    if (kind == TL_CORR_SPEARMAN) {
        if (tl__corr_is_flat(a, n) || tl__corr_is_flat(b, n)) {
            *out = undefined(TL_METRIC_ZERO_DENOMINATOR);
            return TL_OK;
        }
        double *ranks = TL_NEW(scratch, double, 2 * n);
        if (ranks == NULL) {
            return tl_arena_fail(scratch, ctx);
        }
        TL_TRY(tl_ranks_average(ranks, a, n, scratch, ctx));
        TL_TRY(tl_ranks_average(ranks + n, b, n, scratch, ctx));
        *out = tl_corr_pearson(ranks, ranks + n, n);
        return TL_OK;
    }
    *out = tl_corr_pearson(a, b, n);
    return TL_OK;
}

tl_err tl_corr_pair(tl_corr_result *out, tl_corr_series a, tl_corr_series b, size_t n,
                    const tl_corr_options *options, tl_arena *scratch, tl_errctx *ctx)
{
    if (n > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu periods, above %zu", n, TL_SERIES_PERIODS_MAX);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *both = TL_NEW(scratch, double, 2 * n);
    if (both == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    const size_t overlap = gather(both, both + n, a, b, n);
    tl_metric value = undefined(TL_METRIC_TOO_FEW);
    tl_err err = TL_OK;
    if (overlap >= options->overlap_min && overlap >= 2) {
        err = correlate(&value, both, both + n, overlap, options->kind, scratch, ctx);
    }
    tl_arena_rewind(scratch, mark);
    if (err == TL_OK) {
        out->value = value;
        out->overlap = overlap;
    }
    return err;
}
