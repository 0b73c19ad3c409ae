/* What metrics.c fills and print.c reads. */
#ifndef TALLY_IO_OBSERVE_METRICS_INTERNAL_H
#define TALLY_IO_OBSERVE_METRICS_INTERNAL_H

#include "io/observe/metrics/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TL__METRICS_LINE = 64 }; /* bytes of a cache line */

typedef enum tl__metric_kind {
    TL__METRIC_COUNTER,
    TL__METRIC_GAUGE,
    TL__METRIC_HISTOGRAM
} tl__metric_kind;

struct tl_series {
    tl_series *next; /* by label values, set under the family's lock */
    tl_metric *family;
    char *labels[TL_METRICS_LABEL_MAX];
    /* TL_METRICS_SHARDS rows of family->row_len words: a counter's or gauge's value alone; of a histogram its sum in
     * billionths, then a word a bucket, +Inf last */
    _Atomic(int64_t) *cells;
};

struct tl_metric {
    tl__metric_kind kind;
    tl_metric_spec spec;
    size_t series_max;
    size_t row_len;       /* words of a shard's row: whole cache lines */
    pthread_mutex_t lock; /* guards first and count */
    tl_series *first;
    size_t count;
    tl_series *overflow; /* METRICS-1 */
};

typedef struct tl__metrics_hook {
    void (*call)(void *self);
    void *self;
} tl__metrics_hook;

struct tl_metrics {
    tl_metric families[TL_METRICS_FAMILY_MAX];
    size_t family_count;
    tl__metrics_hook hooks[TL_METRICS_COLLECT_MAX];
    size_t hook_count;
};

/* tl__series_word: the sum of one word over all shards. */
int64_t tl__series_word(const tl_series *series, size_t word);

#endif
