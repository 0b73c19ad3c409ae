/* weights, inside the room: NumPy's arithmetic in either width. Arrays are doubles; a narrow one holds floats. */
#ifndef TALLY_SDK_WEIGHTS_INTERNAL_H
#define TALLY_SDK_WEIGHTS_INTERNAL_H

#include "sdk/weights/weights.h"

/* tl__weights_round: value, or the float nearest to it. */
double tl__weights_round(double value, bool is_narrow);

/* tl__weights_sum: NumPy's x.sum() (WGT-1). */
double tl__weights_sum(const double *x, size_t n, bool is_narrow);

/* tl__weights_sort: ascending, in place. */
void tl__weights_sort(double *x, size_t n);

/* tl__weights_normalize: in place; sorted has room for n. n at least 1. */
void tl__weights_normalize(double *out, double *sorted, size_t n, double limit, bool is_narrow);

/* tl__weights_check: what every function wants of its weights and limit. */
TL_MUST_USE tl_err tl__weights_check(const float *weights, size_t count, double limit,
                                     tl_errctx *ctx);

#endif
