/* Families, series and their moves. */
#include "io/observe/metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/observe/metrics/metrics_internal.h"

/* Threads take their shards in turn; a thread keeps its own for life. */
static atomic_uint next_shard;

static size_t my_shard(void)
{
    static _Thread_local unsigned taken; /* 1 + the shard; 0: not yet */
    if (taken == 0) {
        taken =
            1 + atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed) % TL_METRICS_SHARDS;
    }
    return taken - 1;
}

tl_err tl_metrics_new(tl_metrics **out, tl_errctx *ctx)
{
    tl_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for metrics");
    }
    *out = metrics;
    return TL_OK;
}

static void free_series(tl_series *series)
{
    if (series == NULL) {
        return;
    }
    for (size_t i = 0; i < TL_METRICS_LABEL_MAX; i++) {
        free(series->labels[i]);
    }
    free(series->cells);
    free(series);
}

void tl_metrics_free(tl_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (size_t i = 0; i < metrics->family_count; i++) {
        tl_metric *family = &metrics->families[i];
        for (tl_series *s = family->first; s != NULL;) {
            tl_series *next = s->next;
            free_series(s);
            s = next;
        }
        (void)pthread_mutex_destroy(&family->lock);
    }
    free(metrics);
}

static bool is_name(const char *text, bool may_have_colon)
{
    for (const char *c = text; *c != 0; c++) {
        const bool is_letter =
            (*c >= 'a' && *c <= 'z') || *c == '_' || (may_have_colon && *c == ':');
        if (!is_letter && !(c > text && *c >= '0' && *c <= '9')) {
            return false;
        }
    }
    return text[0] != 0;
}

/* METRICS-2: what promtool would find, and what Prometheus keeps for itself ("le", "__…"). */
static void check_spec(tl__metric_kind kind, const tl_metric_spec *spec)
{
    const tl_str name = tl_str_from_cstr(spec->name);
    TL_ASSERT(tl_str_starts_with(name, TL_STR("tally_")) && is_name(spec->name, false));
    TL_ASSERT(tl_str_ends_with(name, TL_STR("_total")) == (kind == TL__METRIC_COUNTER));
    TL_ASSERT(spec->help != NULL && spec->help[0] != 0);
    TL_ASSERT(spec->label_count <= TL_METRICS_LABEL_MAX &&
              spec->series_max <= TL_METRICS_SERIES_MAX &&
              spec->bound_count <= TL_METRICS_BOUND_MAX);
    TL_ASSERT((kind == TL__METRIC_HISTOGRAM) == (spec->bound_count > 0));
    for (size_t i = 0; i < spec->label_count; i++) {
        TL_ASSERT(is_name(spec->labels[i], false) && strcmp(spec->labels[i], "le") != 0 &&
                  strncmp(spec->labels[i], "__", 2) != 0);
    }
    for (size_t i = 1; i < spec->bound_count; i++) {
        TL_ASSERT(spec->bounds[i - 1] < spec->bounds[i]);
    }
}

static char *copy_value(tl_str value)
{
    size_t len = value.len < TL_METRICS_VALUE_MAX ? value.len : TL_METRICS_VALUE_MAX;
    while (len > 0 && len < value.len && ((unsigned char)value.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    char *text = malloc(len + 1);
    if (text != NULL) {
        if (len > 0) {
            memcpy(text, value.ptr, len);
        }
        text[len] = 0;
    }
    return text;
}

static tl_series *new_series(tl_metric *family, const tl_str *values)
{
    tl_series *series = calloc(1, sizeof *series);
    if (series == NULL) {
        return NULL;
    }
    series->family = family;
    const size_t len = TL_METRICS_SHARDS * family->row_len * sizeof(int64_t);
    series->cells = aligned_alloc(TL__METRICS_LINE, len);
    bool is_whole = series->cells != NULL;
    for (size_t i = 0; i < TL_METRICS_SHARDS * family->row_len && is_whole; i++) {
        atomic_init(&series->cells[i], 0);
    }
    for (size_t i = 0; i < family->spec.label_count && is_whole; i++) {
        series->labels[i] = copy_value(values[i]);
        is_whole = series->labels[i] != NULL;
    }
    if (!is_whole) {
        free_series(series);
        return NULL;
    }
    return series;
}

/* Order of a series' labels against values, which are looked at as copy_value would keep them. */
static int compare(const tl_series *series, const tl_str *values)
{
    int order = 0;
    for (size_t i = 0; i < series->family->spec.label_count && order == 0; i++) {
        tl_str value = values[i];
        if (value.len > TL_METRICS_VALUE_MAX) {
            value.len = TL_METRICS_VALUE_MAX;
            while (value.len > 0 && ((unsigned char)value.ptr[value.len] & 0xc0) == 0x80) {
                value.len--;
            }
        }
        order = tl_str_cmp(tl_str_from_cstr(series->labels[i]), value);
    }
    return order;
}

/* The place of a series in the list: *at is the first that is not below. */
static tl_series **seek(tl_metric *family, const tl_str *values, bool *is_there)
{
    tl_series **at = &family->first;
    int order = -1;
    while (*at != NULL && (order = compare(*at, values)) < 0) {
        at = &(*at)->next;
    }
    *is_there = *at != NULL && order == 0;
    return at;
}

static tl_err add_family(tl_metric **out, tl_metrics *metrics, tl__metric_kind kind,
                         const tl_metric_spec *spec, tl_errctx *ctx)
{
    TL_ASSERT(metrics->family_count < TL_METRICS_FAMILY_MAX);
    check_spec(kind, spec);
    tl_metric *family = &metrics->families[metrics->family_count];
    *family = (tl_metric){.kind = kind, .spec = *spec};
    const size_t words = kind == TL__METRIC_HISTOGRAM ? 2 + spec->bound_count : 1;
    const size_t line_words = TL__METRICS_LINE / sizeof(int64_t);
    family->row_len = (words + line_words - 1) / line_words * line_words;
    family->series_max = spec->series_max > 0 ? spec->series_max : spec->label_count > 0 ? 64 : 1;
    (void)pthread_mutex_init(&family->lock, NULL);
    /* what takes the overflow is made now, so that no later failure can leave a move without a place; a family
     * without labels has one series, which is this one, and the rest have it listed once something fell into it */
    const tl_str other[TL_METRICS_LABEL_MAX] = {TL_STR("other"), TL_STR("other"), TL_STR("other"),
                                                TL_STR("other"), TL_STR("other"), TL_STR("other")};
    family->overflow = new_series(family, other);
    if (family->overflow == NULL) {
        (void)pthread_mutex_destroy(&family->lock);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the metric \"%s\"", spec->name);
    }
    family->first = family->overflow;
    metrics->family_count++;
    *out = family;
    return TL_OK;
}

tl_err tl_metrics_counter(tl_metric **out, tl_metrics *metrics, const tl_metric_spec *spec,
                          tl_errctx *ctx)
{
    return add_family(out, metrics, TL__METRIC_COUNTER, spec, ctx);
}

tl_err tl_metrics_gauge(tl_metric **out, tl_metrics *metrics, const tl_metric_spec *spec,
                        tl_errctx *ctx)
{
    return add_family(out, metrics, TL__METRIC_GAUGE, spec, ctx);
}

tl_err tl_metrics_histogram(tl_metric **out, tl_metrics *metrics, const tl_metric_spec *spec,
                            tl_errctx *ctx)
{
    return add_family(out, metrics, TL__METRIC_HISTOGRAM, spec, ctx);
}

tl_series *tl_metric_series(tl_metric *family, const tl_str *values)
{
    if (family->spec.label_count == 0) {
        return family->overflow;
    }
    (void)pthread_mutex_lock(&family->lock);
    bool is_there;
    tl_series **at = seek(family, values, &is_there);
    tl_series *found = is_there ? *at : family->overflow;
    if (!is_there && family->count < family->series_max) { /* METRICS-1 */
        tl_series *made = new_series(family, values);
        if (made != NULL) {
            made->next = *at;
            *at = made;
            family->count++;
            found = made;
        }
    }
    (void)pthread_mutex_unlock(&family->lock);
    return found;
}

/* A word of this thread's row. Relaxed: a reader wants the sum, not an order among them (METRICS-3). */
static void move(tl_series *series, size_t word, int64_t by)
{
    (void)atomic_fetch_add_explicit(&series->cells[my_shard() * series->family->row_len + word], by,
                                    memory_order_relaxed);
}

void tl_series_add(tl_series *series, uint64_t by)
{
    if (series != NULL) {
        TL_ASSERT(series->family->kind == TL__METRIC_COUNTER);
        move(series, 0, (int64_t)by);
    }
}

void tl_series_move(tl_series *series, int64_t by)
{
    if (series != NULL) {
        TL_ASSERT(series->family->kind == TL__METRIC_GAUGE);
        move(series, 0, by);
    }
}

void tl_series_set(tl_series *series, int64_t to)
{
    if (series != NULL) {
        TL_ASSERT(series->family->kind == TL__METRIC_GAUGE);
        atomic_store_explicit(&series->cells[0], to, memory_order_relaxed);
    }
}

void tl_series_observe(tl_series *series, double value)
{
    if (series == NULL || !isfinite(value)) {
        return;
    }
    const tl_metric_spec *spec = &series->family->spec;
    TL_ASSERT(series->family->kind == TL__METRIC_HISTOGRAM);
    size_t bucket = 0;
    while (bucket < spec->bound_count && value > spec->bounds[bucket]) {
        bucket++;
    }
    const double billionths = value * 1e9;
    if (billionths < 9e18 && billionths > -9e18) {
        move(series, 0, (int64_t)billionths);
    }
    move(series, 1 + bucket, 1);
}

int64_t tl__series_word(const tl_series *series, size_t word)
{
    int64_t sum = 0;
    for (size_t i = 0; i < TL_METRICS_SHARDS; i++) {
        sum += atomic_load_explicit(&series->cells[i * series->family->row_len + word],
                                    memory_order_relaxed);
    }
    return sum;
}

int64_t tl_series_count(const tl_series *series)
{
    if (series->family->kind != TL__METRIC_HISTOGRAM) {
        return tl__series_word(series, 0);
    }
    int64_t count = 0;
    for (size_t i = 0; i <= series->family->spec.bound_count; i++) {
        count += tl__series_word(series, 1 + i);
    }
    return count;
}

void tl_metrics_on_collect(tl_metrics *metrics, void (*hook)(void *self), void *self)
{
    TL_ASSERT(metrics->hook_count < TL_METRICS_COLLECT_MAX);
    metrics->hooks[metrics->hook_count++] = (tl__metrics_hook){hook, self};
}
