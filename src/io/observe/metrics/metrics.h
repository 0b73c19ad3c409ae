/* metrics: counters, gauges and histograms that threads move cheaply and Prometheus reads.
 * For         what a server tells about itself at /metrics
 * Takes       families (a name, a help text, label names, a bound of series); moves of a series
 * Gives       the text exposition format, version 0.0.4
 * Calls       base, C11 atomics, pthread's mutex   Called by   sdk, app
 * Owns        families and series until tl_metrics_free; a series never moves and never goes
 * Threads     families are declared by one thread before the others start; everything else from any thread
 * Invariants  METRICS-1 a family has at most its bound of series: further label values fall into one series whose
 *                       label values are all "other", so a stranger's words cannot grow the memory
 *             METRICS-2 a name begins with tally_ and a counter's ends in _total: promtool finds nothing (asserted)
 *             METRICS-3 no move is lost, from however many threads
 * Read        metrics.c, then print.c
 *
 * A series has TL_METRICS_SHARDS cells, each on cache lines of its own; a thread always moves the same cell, so a move is one
 * uncontended atomic addition (about 5 ns), and reading adds the cells up.
 */
#ifndef TALLY_IO_OBSERVE_METRICS_H
#define TALLY_IO_OBSERVE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_METRICS_SHARDS     8    /* cells of a series */
#define TL_METRICS_FAMILY_MAX 64   /* families of a registry */
#define TL_METRICS_LABEL_MAX  6    /* labels of a family */
#define TL_METRICS_BOUND_MAX  24   /* buckets of a histogram, +Inf not counted */
#define TL_METRICS_SERIES_MAX 4096 /* series of a family */
#define TL_METRICS_VALUE_MAX                                                                       \
    96 /* bytes of a label's value; longer ones are cut at a whole character */
#define TL_METRICS_COLLECT_MAX 8 /* hooks */

typedef struct tl_metrics tl_metrics; /* a registry */
typedef struct tl_metric tl_metric;   /* a family */
typedef struct tl_series tl_series;   /* a family with label values */

TL_MUST_USE tl_err tl_metrics_new(tl_metrics **out, tl_errctx *ctx);
void tl_metrics_free(tl_metrics *metrics); /* NULL is fine */

/* tl_metric_spec: a family as data. name, help, labels and bounds are borrowed for the registry's life: constants. */
typedef struct tl_metric_spec {
    const char *name;          /* "tally_axon_requests_total" */
    const char *help;          /* one sentence */
    const char *const *labels; /* label_count names; NULL when there is none */
    size_t label_count;
    size_t series_max;    /* 1 … TL_METRICS_SERIES_MAX; 0 means 1 without labels, else 64 */
    const double *bounds; /* of a histogram: upper bounds, ascending, finite */
    size_t bound_count;
} tl_metric_spec;

/* A spec that breaks METRICS-2 or a limit is our own mistake: asserted. Errors: TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_metrics_counter(tl_metric **out, tl_metrics *metrics,
                                      const tl_metric_spec *spec, tl_errctx *ctx);
TL_MUST_USE tl_err tl_metrics_gauge(tl_metric **out, tl_metrics *metrics,
                                    const tl_metric_spec *spec, tl_errctx *ctx);
TL_MUST_USE tl_err tl_metrics_histogram(tl_metric **out, tl_metrics *metrics,
                                        const tl_metric_spec *spec, tl_errctx *ctx);

/* tl_metric_series: the series of these label values (label_count of the family), made when it is new; with the bound
 * reached or no memory, the one of "other" (METRICS-1). Never NULL. Takes a lock: whoever is on a hot path keeps it. */
tl_series *tl_metric_series(tl_metric *metric, const tl_str *values);

/* Moves: of a counter, of a gauge, of a histogram. series may be NULL: nothing happens. */
void tl_series_add(tl_series *series, uint64_t by);
void tl_series_move(tl_series *series, int64_t by); /* a gauge that goes up and down */
void tl_series_set(tl_series *series, int64_t to);  /* a gauge that one thread at a time sets */
void tl_series_observe(tl_series *series, double value);

/* tl_series_count: what a counter or gauge stands at; of a histogram how many values it saw. */
int64_t tl_series_count(const tl_series *series);

/* tl_metrics_on_collect: hook(self) is called before each printing, to set what is measured only then. */
void tl_metrics_on_collect(tl_metrics *metrics, void (*hook)(void *self), void *self);

/* tl_metrics_print: everything, families in the order of their declaration, series by label values. */
void tl_metrics_print(tl_sb *sb, tl_metrics *metrics);

#define TL_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#ifdef __cplusplus
}
#endif

#endif
