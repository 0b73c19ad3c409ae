/* Attacks the text with labels that a stranger chose (quotes, line feeds, broken UTF-8, ten thousand of them), and the sums
 * with threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "io/observe/metrics/metrics.h"

static const char *const labels[] = {"route", "status"};
static const double bounds[] = {0.001, 0.01, 1};

static tl_str print(tl_arena *arena, tl_metrics *metrics)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, arena);
    tl_metrics_print(&sb, metrics);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void set_depth(void *self)
{
    tl_series_set(self, 7);
}

static void every_kind_is_printed_as_prometheus_reads_it(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_metrics *metrics = NULL;
    tl_metric *counter = NULL;
    tl_metric *gauge = NULL;
    tl_metric *histogram = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_metrics_new(&metrics, NULL), TL_OK);
    assert_int_equal(tl_metrics_counter(&counter, metrics,
                                        &(tl_metric_spec){.name = "tally_x_total",
                                                          .help = "requests\nserved",
                                                          .labels = labels,
                                                          .label_count = 2},
                                        NULL),
                     TL_OK);
    assert_int_equal(tl_metrics_gauge(&gauge, metrics,
                                      &(tl_metric_spec){.name = "tally_depth", .help = "waiting"},
                                      NULL),
                     TL_OK);
    assert_int_equal(tl_metrics_histogram(&histogram, metrics,
                                          &(tl_metric_spec){.name = "tally_t_seconds",
                                                            .help = "time",
                                                            .bounds = bounds,
                                                            .bound_count = 3},
                                          NULL),
                     TL_OK);
    tl_metrics_on_collect(metrics, set_depth, tl_metric_series(gauge, NULL));
    tl_series_add(tl_metric_series(counter, (const tl_str[]){TL_STR("b"), TL_STR("200")}), 3);
    tl_series_add(tl_metric_series(counter, (const tl_str[]){TL_STR("a\"\\\n\xff"), TL_STR("200")}),
                  2);
    tl_series *t = tl_metric_series(histogram, NULL);
    tl_series_observe(t, 0.001);
    tl_series_observe(t, 0.5);
    tl_series_observe(t, 3);
    tl_series_observe(NULL, 3);
    assert_int_equal(tl_series_count(t), 3);
    const tl_str text = print(arena, metrics);
    assert_string_equal(text.ptr, "# HELP tally_x_total requests\\nserved\n"
                                  "# TYPE tally_x_total counter\n"
                                  "tally_x_total{route=\"a\\\"\\\\\\n?\",status=\"200\"} 2\n"
                                  "tally_x_total{route=\"b\",status=\"200\"} 3\n"
                                  "# HELP tally_depth waiting\n"
                                  "# TYPE tally_depth gauge\n"
                                  "tally_depth 7\n"
                                  "# HELP tally_t_seconds time\n"
                                  "# TYPE tally_t_seconds histogram\n"
                                  "tally_t_seconds_bucket{le=\"0.001\"} 1\n"
                                  "tally_t_seconds_bucket{le=\"0.01\"} 1\n"
                                  "tally_t_seconds_bucket{le=\"1.0\"} 2\n"
                                  "tally_t_seconds_bucket{le=\"+Inf\"} 3\n"
                                  "tally_t_seconds_sum 3.501\n"
                                  "tally_t_seconds_count 3\n"); /* METRICS-2 */
    tl_metrics_free(metrics);
    tl_arena_free(arena);
}

static void a_stranger_cannot_make_more_series_than_the_bound(void **state)
{
    (void)state;
    tl_metrics *metrics = NULL;
    tl_metric *counter = NULL;
    assert_int_equal(tl_metrics_new(&metrics, NULL), TL_OK);
    assert_int_equal(tl_metrics_counter(&counter, metrics,
                                        &(tl_metric_spec){.name = "tally_x_total",
                                                          .help = "requests",
                                                          .labels = labels,
                                                          .label_count = 2,
                                                          .series_max = 3},
                                        NULL),
                     TL_OK);
    const tl_series *others = NULL;
    for (int i = 0; i < 10000; i++) {
        char name[300] = {0};
        const size_t len = tl_str_print(name, sizeof name, "%0250d", i % 5000);
        tl_series *s =
            tl_metric_series(counter, (const tl_str[]){{name + (len - 20), 20}, TL_STR("404")});
        tl_series_add(s, 1);
        others = i == 9999 ? s : others;
    }
    assert_int_equal(tl_series_count(others), 10000 - 6); /* METRICS-1 */
    assert_ptr_equal(others,
                     tl_metric_series(counter, (const tl_str[]){TL_STR("zz"), TL_STR("1")}));
    tl_metrics_free(metrics);
}

static void long_values_are_cut_and_found_again(void **state)
{
    (void)state;
    tl_metrics *metrics = NULL;
    tl_metric *counter = NULL;
    assert_int_equal(tl_metrics_new(&metrics, NULL), TL_OK);
    assert_int_equal(tl_metrics_counter(&counter, metrics,
                                        &(tl_metric_spec){.name = "tally_x_total",
                                                          .help = "requests",
                                                          .labels = labels,
                                                          .label_count = 1},
                                        NULL),
                     TL_OK);
    char text[400];
    memset(text, 'e', sizeof text);
    memcpy(text + TL_METRICS_VALUE_MAX - 1, "\xc3\xa9", 2); /* the bound cuts a character */
    const tl_str whole = {text, sizeof text};
    const tl_series *first = tl_metric_series(counter, &whole);
    assert_ptr_equal(first, tl_metric_series(counter, &whole));
    assert_ptr_equal(first, tl_metric_series(counter, &(tl_str){text, TL_METRICS_VALUE_MAX - 1}));
    tl_metrics_free(metrics);
}

enum { THREADS = 12, MOVES = 20000 };

static void *move_all(void *argument)
{
    tl_metric *family = argument;
    for (int i = 0; i < MOVES; i++) {
        tl_series_add(
            tl_metric_series(family, (const tl_str[]){i % 2 == 0 ? TL_STR("a") : TL_STR("b")}), 1);
    }
    return NULL;
}

static void no_move_is_lost(void **state)
{
    (void)state;
    tl_metrics *metrics = NULL;
    tl_metric *counter = NULL;
    pthread_t threads[THREADS];
    assert_int_equal(tl_metrics_new(&metrics, NULL), TL_OK);
    assert_int_equal(tl_metrics_counter(&counter, metrics,
                                        &(tl_metric_spec){.name = "tally_x_total",
                                                          .help = "requests",
                                                          .labels = labels,
                                                          .label_count = 1},
                                        NULL),
                     TL_OK);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, move_all, counter), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    const int64_t a = tl_series_count(tl_metric_series(counter, (const tl_str[]){TL_STR("a")}));
    const int64_t b = tl_series_count(tl_metric_series(counter, (const tl_str[]){TL_STR("b")}));
    assert_int_equal(a, THREADS * MOVES / 2); /* METRICS-3 */
    assert_int_equal(b, THREADS * MOVES / 2);
    tl_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_printed_as_prometheus_reads_it),
        cmocka_unit_test(a_stranger_cannot_make_more_series_than_the_bound),
        cmocka_unit_test(long_values_are_cut_and_found_again),
        cmocka_unit_test(no_move_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
