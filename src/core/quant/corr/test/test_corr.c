/* Attacks the correlations: the tile's variants against one another and against the definition,
 * blocks in any order, gaps, flat and short series, copies, limits, memory that runs out. Figures
 * of libraries: test/golden (app's tests). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/quant/corr/corr_internal.h"

#define SERIES 70 /* three blocks, the last one cut, the last panel too */
#define N_MAX  67

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* world: random series, some equal, some flat, some with gaps. */
typedef struct world {
    double values[SERIES][N_MAX];
    bool missing[SERIES][N_MAX];
    tl_corr_series series[SERIES];
    size_t count;
    size_t n;
} world;

static void world_make(world *w, tl_xoshiro *rng, bool with_gaps)
{
    w->count = 1 + (size_t)tl_xoshiro_below(rng, SERIES);
    w->n = (size_t)tl_xoshiro_below(rng, N_MAX + 1);
    for (size_t i = 0; i < w->count; i++) {
        const uint64_t kind = tl_xoshiro_below(rng, 10);
        const bool has_gaps = with_gaps && tl_xoshiro_below(rng, 3) == 0;
        for (size_t t = 0; t < w->n; t++) {
            const double u = 2.0 * tl_xoshiro_unit(rng) - 1.0;
            w->values[i][t] = kind == 0 ? 0.25 + (t == 7 ? 0x1p-54 : 0.0)
                                        : (kind == 1 ? floor(3.0 * u) : 0.02 * u);
            if (kind == 2 && i > 0) {
                w->values[i][t] = w->values[i - 1][t];
            }
            w->missing[i][t] = has_gaps && tl_xoshiro_below(rng, 4) == 0;
        }
        w->series[i].values = w->values[i];
        w->series[i].is_missing = with_gaps ? w->missing[i] : NULL;
    }
}

/* tables: what a run fills. */
typedef struct tables {
    double value[SERIES * SERIES];
    uint8_t status[SERIES * SERIES];
    uint32_t overlap[SERIES * SERIES];
} tables;

static tl_corr_matrix matrix_of(tables *t)
{
    const tl_corr_matrix m = {t->value, t->status, t->overlap};
    return m;
}

static void run_all(tables *out, const world *w, const tl_corr_options *options)
{
    tl_arena *arena = new_arena();
    tl_corr_table *table;
    assert_int_equal(tl_corr_table_make(&table, arena, w->series, w->count, w->n, options, NULL),
                     TL_OK);
    const tl_corr_matrix m = matrix_of(out);
    assert_int_equal(tl_corr_table_run(table, &m, 0, tl_corr_table_blocks(table), arena, NULL),
                     TL_OK);
    tl_arena_free(arena);
}

static void every_cell_is_the_pair_of_its_definition(void **state)
{
    (void)state; /* CORR-1, CORR-2, CORR-3 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    world *w = calloc(1, sizeof *w);
    tables *t = calloc(1, sizeof *t);
    assert_true(w != NULL && t != NULL);
    tl_arena *arena = new_arena();
    for (size_t round = 0; round < 60; round++) {
        world_make(w, &rng, round % 2 == 1);
        const tl_corr_options options = {round % 4 < 2 ? TL_CORR_PEARSON : TL_CORR_SPEARMAN,
                                         (size_t)tl_xoshiro_below(&rng, 40)};
        run_all(t, w, &options);
        for (size_t i = 0; i < w->count; i++) {
            for (size_t j = 0; j < w->count; j++) {
                const size_t at = i * w->count + j;
                tl_corr_result pair;
                assert_int_equal(
                    tl_corr_pair(&pair, w->series[i], w->series[j], w->n, &options, arena, NULL),
                    TL_OK);
                assert_int_equal(t->status[at], pair.value.status);
                assert_int_equal(t->overlap[at], pair.overlap);
                assert_true(t->value[at] == t->value[j * w->count + i]);
                assert_true(t->value[at] >= -1.0 && t->value[at] <= 1.0);
                if (i == j && pair.value.status == TL_METRIC_OK) {
                    assert_true(t->value[at] == 1.0);
                } else {
                    assert_true(t->value[at] == pair.value.value);
                }
            }
        }
    }
    tl_arena_free(arena);
    free(t);
    free(w);
}

static void blocks_may_run_in_any_order_and_in_shards(void **state)
{
    (void)state; /* CORR-4 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 2);
    world *w = calloc(1, sizeof *w);
    tables *whole = calloc(1, sizeof *whole);
    tables *parts = calloc(1, sizeof *parts);
    assert_true(w != NULL && whole != NULL && parts != NULL);
    for (size_t round = 0; round < 20; round++) {
        do {
            world_make(w, &rng, round % 2 == 1);
        } while (w->count <= (size_t)2 * TL_CORR_BLOCK_ROWS);
        const tl_corr_options options = {TL_CORR_PEARSON, 5};
        memset(parts, 0x55, sizeof *parts);
        run_all(whole, w, &options);
        tl_arena *arena = new_arena();
        tl_corr_table *table;
        assert_int_equal(
            tl_corr_table_make(&table, arena, w->series, w->count, w->n, &options, NULL), TL_OK);
        assert_int_equal(tl_corr_table_blocks(table), 3);
        const tl_corr_matrix m = matrix_of(parts);
        for (size_t block = 3; block-- > 0;) {
            assert_int_equal(tl_corr_table_run(table, &m, block, block + 1, arena, NULL), TL_OK);
        }
        const size_t cells = w->count * w->count;
        assert_memory_equal(parts->value, whole->value, cells * sizeof *whole->value);
        assert_memory_equal(parts->status, whole->status, cells * sizeof *whole->status);
        assert_memory_equal(parts->overlap, whole->overlap, cells * sizeof *whole->overlap);
        const tl_corr_matrix values_alone = {parts->value, NULL, NULL};
        memset(parts->value, 0x55, sizeof parts->value);
        assert_int_equal(tl_corr_table_run(table, &values_alone, 0, 3, arena, NULL), TL_OK);
        assert_memory_equal(parts->value, whole->value, cells * sizeof *whole->value);
        tl_arena_free(arena);
    }
    free(parts);
    free(whole);
    free(w);
}

static void every_variant_of_the_tile_gives_the_bits_of_tl_dot(void **state)
{
    (void)state; /* CORR-2 */
    enum { GROUPS_MAX = 40 };
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    tl__corr_tile *variants[3] = {tl__corr_tile_portable, tl__corr_tile_best(), NULL};
#if TL__CORR_WITH_X86
    variants[2] = tl__corr_has_avx2() ? tl__corr_tile_avx2 : NULL;
#endif
    static double a[GROUPS_MAX * 32];
    static double b[GROUPS_MAX * 32];
    for (size_t groups = 0; groups <= GROUPS_MAX; groups++) {
        double row[4][GROUPS_MAX * 8];
        double column[4][GROUPS_MAX * 8];
        for (size_t k = 0; k < groups * 32; k++) {
            a[k] = (2.0 * tl_xoshiro_unit(&rng) - 1.0) * 0x1p+30;
            b[k] = (2.0 * tl_xoshiro_unit(&rng) - 1.0) / (double)(k + 1);
            row[k / 8 % 4][k / 32 * 8 + k % 8] = a[k];
            column[k / 8 % 4][k / 32 * 8 + k % 8] = b[k];
        }
        for (size_t v = 0; v < 3 && variants[v] != NULL; v++) {
            double out[16];
            variants[v](out, a, b, groups);
            for (size_t k = 0; k < 16; k++) {
                assert_true(out[k] == tl_dot(row[k / 4], column[k % 4], groups * 8));
            }
        }
    }
}

static void copies_and_mirrors_are_as_alike_as_can_be(void **state)
{
    (void)state; /* CORR-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 4);
    for (size_t round = 0; round < 500; round++) {
        double a[N_MAX];
        double doubled[N_MAX];
        double mirror[N_MAX];
        const size_t n = 2 + (size_t)tl_xoshiro_below(&rng, N_MAX - 2);
        for (size_t t = 0; t < n; t++) {
            a[t] = tl_xoshiro_unit(&rng);
            doubled[t] = 2.0 * a[t];
            mirror[t] = -a[t];
        }
        const tl_metric same = tl_corr_pearson(a, a, n);
        assert_int_equal(same.status, TL_METRIC_OK);
        assert_true(same.value > 1.0 - 1e-14 && same.value <= 1.0);
        assert_true(tl_corr_pearson(a, doubled, n).value == same.value);
        assert_true(tl_corr_pearson(a, mirror, n).value == -same.value);
    }
}

static void what_has_no_correlation_says_why(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const double a[4] = {1.0, 2.0, 3.0, 4.0};
    const double flat[4] = {0.1, 0.1, 0.1, 0.1};
    const double huge[4] = {1e200, -1e200, 1e200, 1e200};
    const bool gaps[4] = {false, true, true, false};
    const bool all[4] = {true, true, true, true};
    assert_int_equal(tl_corr_pearson(a, flat, 4).status, TL_METRIC_ZERO_DENOMINATOR);
    assert_int_equal(tl_corr_pearson(flat, a, 4).status, TL_METRIC_ZERO_DENOMINATOR);
    assert_int_equal(tl_corr_pearson(a, a, 1).status, TL_METRIC_TOO_FEW);
    assert_int_equal(tl_corr_pearson(NULL, NULL, 0).status, TL_METRIC_TOO_FEW);
    assert_int_equal(tl_corr_pearson(a, huge, 4).status, TL_METRIC_TOO_LARGE);
    const tl_corr_series whole = {a, NULL};
    const tl_corr_series gapped = {a, gaps};
    const tl_corr_series nothing = {a, all};
    const tl_corr_options any = {TL_CORR_PEARSON, 0};
    const tl_corr_options three = {TL_CORR_SPEARMAN, 3};
    tl_corr_result r;
    assert_int_equal(tl_corr_pair(&r, whole, gapped, 4, &any, arena, NULL), TL_OK);
    assert_true(r.value.value > 1.0 - 1e-15 && r.overlap == 2);
    assert_int_equal(tl_corr_pair(&r, whole, gapped, 4, &three, arena, NULL), TL_OK);
    assert_true(r.value.status == TL_METRIC_TOO_FEW && r.overlap == 2);
    assert_int_equal(tl_corr_pair(&r, nothing, whole, 4, &any, arena, NULL), TL_OK);
    assert_true(r.value.status == TL_METRIC_TOO_FEW && r.overlap == 0);
    tl_arena_free(arena);
}

static void ranks_see_order_alone(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const double a[5] = {1.0, 2.0, 3.0, 4.0, 5.0};
    const double cubes[5] = {1.0, 8.0, 27.0, 64.0, 1e6};
    const tl_corr_options spearman = {TL_CORR_SPEARMAN, 2};
    tl_corr_result r;
    const tl_corr_series sa = {a, NULL};
    const tl_corr_series sb = {cubes, NULL};
    assert_int_equal(tl_corr_pair(&r, sa, sb, 5, &spearman, arena, NULL), TL_OK);
    assert_true(r.value.value > 1.0 - 1e-15);
    assert_true(tl_corr_pearson(a, cubes, 5).value < 0.8);
    const double rounding[5] = {0.3, 0.1 + 0.2, 0.3, 0.3, 0.3}; /* one differs in its last bit */
    const tl_corr_series sc = {rounding, NULL};
    assert_int_equal(tl_corr_pair(&r, sa, sc, 5, &spearman, arena, NULL), TL_OK);
    assert_int_equal(r.value.status, TL_METRIC_ZERO_DENOMINATOR);
    tl_arena_free(arena);
}

static void limits_are_held(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    const tl_corr_options any = {TL_CORR_PEARSON, 0};
    const tl_corr_series none = {NULL, NULL};
    tl_corr_table *table;
    tl_corr_result r;
    assert_int_equal(
        tl_corr_table_make(&table, arena, &none, TL_CORR_SERIES_MAX + 1, 1, &any, NULL),
        TL_ERR_RANGE);
    assert_int_equal(
        tl_corr_table_make(&table, arena, &none, 1, TL_SERIES_PERIODS_MAX + 1, &any, NULL),
        TL_ERR_RANGE);
    assert_int_equal(tl_corr_pair(&r, none, none, TL_SERIES_PERIODS_MAX + 1, &any, arena, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_corr_table_make(&table, arena, &none, 0, 0, &any, NULL), TL_OK);
    assert_int_equal(tl_corr_table_blocks(table), 0);
    tl_arena_free(arena);
}

/* An allocator that fails from the n-th block on. */
static void *fail_later(void *self, size_t len)
{
    size_t *left = self;
    if (*left == 0) {
        return NULL;
    }
    (*left)--;
    return malloc(len);
}

static void release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void running_out_of_memory_is_an_error_like_any_other(void **state)
{
    (void)state;
    enum { N = 30000 };
    double *values = calloc(N, sizeof *values);
    assert_non_null(values);
    values[7] = 1.0;
    const tl_corr_series series[3] = {{values, NULL}, {values, NULL}, {values, NULL}};
    double cells[9];
    const tl_corr_matrix m = {cells, NULL, NULL};
    size_t failures = 0;
    for (size_t kind = 0; kind < 2; kind++) {
        const tl_corr_options options = {(tl_corr_kind)kind, 2};
        for (size_t blocks = 1; blocks < 12; blocks++) {
            size_t left = blocks;
            const tl_allocator allocator = {&left, fail_later, release};
            tl_arena *arena = NULL;
            if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
                continue;
            }
            tl_corr_table *table;
            tl_corr_result pair;
            tl_err err = tl_corr_table_make(&table, arena, series, 3, N, &options, NULL);
            if (err == TL_OK) {
                err = tl_corr_table_run(table, &m, 0, 1, arena, NULL);
            }
            if (err == TL_OK) {
                err = tl_corr_pair(&pair, series[0], series[1], N, &options, arena, NULL);
            }
            assert_true(err == TL_OK || err == TL_ERR_NOMEM);
            failures += err == TL_ERR_NOMEM;
            tl_arena_free(arena);
        }
    }
    assert_true(failures >= 4 && failures < 22);
    assert_true(cells[0] == 1.0 && cells[1] > 1.0 - 1e-14);
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_the_pair_of_its_definition),
        cmocka_unit_test(blocks_may_run_in_any_order_and_in_shards),
        cmocka_unit_test(every_variant_of_the_tile_gives_the_bits_of_tl_dot),
        cmocka_unit_test(copies_and_mirrors_are_as_alike_as_can_be),
        cmocka_unit_test(what_has_no_correlation_says_why),
        cmocka_unit_test(ranks_see_order_alone),
        cmocka_unit_test(limits_are_held),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
