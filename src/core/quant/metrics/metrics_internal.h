/* What the files of metrics share. Nothing outside this room includes it. */
#ifndef TALLY_CORE_QUANT_METRICS_INTERNAL_H
#define TALLY_CORE_QUANT_METRICS_INTERNAL_H

#include "core/quant/metrics/metrics.h"

#define TL__LANES 8

/* tl__fold: tl_sum's tree, for sums whose terms are made on the way (num/sum, SUM-1). */
static inline double tl__fold(const double lane[TL__LANES])
{
    const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return even + odd;
}

static inline tl_metric tl__none(tl_metric_status why)
{
    const tl_metric m = {0.0, why};
    return m;
}

/* tl__some: a value, when it is one (METRIC-1); -0.0 becomes 0.0. */
tl_metric tl__some(double value);

/* tl__ratio: a / b, zero_denominator when b is 0. */
tl_metric tl__ratio(double a, double b);

/* tl__spread: mean and sample deviation in two passes. is_degenerate: METRIC-2. n at least 2. */
typedef struct tl__spread {
    double mean;
    double std;
    bool is_degenerate;
} tl__spread;

tl__spread tl__spread_of(const double *r, size_t n);

/* tl__is_ruined: does some period lose everything? */
bool tl__is_ruined(const double *r, size_t n);

#endif
