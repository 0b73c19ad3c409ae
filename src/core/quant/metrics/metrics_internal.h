/* What the files of metrics share. Nothing outside this room includes it. */
#ifndef TALLY_CORE_QUANT_METRICS_INTERNAL_H
#define TALLY_CORE_QUANT_METRICS_INTERNAL_H

#include <string.h>

#include "core/quant/metrics/metrics.h"

#define TL__LANES 8

/* tl__eight: the eight lanes as one value; the compiler cuts it to what the machine has. Lanes
 * never meet before the fold, so the width makes no difference to the bits. Functions pass it by
 * pointer: its ABI differs between machines. */
typedef double tl__eight __attribute__((vector_size(64)));
typedef int64_t tl__eight_mask __attribute__((vector_size(64)));

/* tl__load_eight: the next eight values, or count when there are fewer; the lanes beyond hold
 * rest. */
static inline void tl__load_eight(tl__eight *out, const double *x, size_t count, double rest)
{
    if (count >= TL__LANES) {
        memcpy(out, x, sizeof *out);
        return;
    }
    double lane[TL__LANES] = {rest, rest, rest, rest, rest, rest, rest, rest};
    memcpy(lane, x, count * sizeof *x);
    memcpy(out, lane, sizeof *out);
}

/* tl__abs_eight: |x|, all bits but the sign. With it max(x, 0) is (x + |x|) / 2 and max(-x, 0) is
 * (|x| - x) / 2, both exact: compilers make vectors of that, and of comparisons not everywhere. */
static inline void tl__abs_eight(tl__eight *out, const tl__eight *x)
{
    *out = (tl__eight)((tl__eight_mask)*x & INT64_MAX);
}

/* tl__fold: tl_sum's tree, for sums whose terms are made on the way (num/sum, SUM-1). */
static inline double tl__fold(const tl__eight *sums)
{
    double lane[TL__LANES];
    memcpy(lane, sums, sizeof lane);
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
