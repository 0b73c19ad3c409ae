/* Shared by order.c and sort.c alone. */
#ifndef TALLY_CORE_NUM_STATS_INTERNAL_H
#define TALLY_CORE_NUM_STATS_INTERNAL_H

#include <stddef.h>

/* tl__partition_f64: reorder x, n at least 2, and return mid < n - 1: no value of x[0 … mid] is above one of
 * x[mid + 1 … n - 1]. */
size_t tl__partition_f64(double *x, size_t n);

#endif
