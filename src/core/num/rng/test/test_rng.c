/* Attacks the generators with the figures of their originals (xoshiro's from its authors' code, MT19937's from CPython
 * 3.11: test/golden), the seeds that are special, each k on both sides of CPython's switch from pool to set, and a
 * scratch arena that is too small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "core/num/rng/rng.h"

#define GOLDEN   TL_SOURCE_ROOT "/src/core/num/rng/test/golden/"
#define LINE_CAP 32768

typedef struct golden {
    FILE *file;
    char line[LINE_CAP];
    char *at;
} golden;

static void golden_open(golden *g, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, GOLDEN "%s", name);
    g->file = fopen(path, "r");
    assert_non_null(g->file);
}

/* The next row that starts with '['; false at the end, and the file is closed. */
static bool golden_row(golden *g)
{
    while (fgets(g->line, sizeof g->line, g->file) != NULL) {
        if (g->line[0] == '[') {
            g->at = g->line + 1;
            return true;
        }
    }
    fclose(g->file);
    return false;
}

static uint64_t golden_number(golden *g, int base)
{
    g->at += *g->at == ',';
    g->at += *g->at == '"';
    const uint64_t value = strtoull(g->at, &g->at, base);
    g->at += *g->at == '"';
    return value;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static tl_arena *new_arena(size_t limit_len)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, limit_len, NULL, NULL), TL_OK);
    return arena;
}

static void xoshiro_gives_the_figures_of_its_authors(void **state)
{
    (void)state;
    const struct {
        uint64_t seed;
        uint64_t first[4];
        double unit[2];
        uint64_t below_1000[4];
    } cases[] = {
        {0,
         {UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a), UINT64_C(0x1a5f849d4933e6e0),
          UINT64_C(0x6aa594f1262d2d2c)},
         {0.6012629994179048, 0.7477740925472398},
         {601, 747, 103, 416}},
        {1,
         {UINT64_C(0xb3f2af6d0fc710c5), UINT64_C(0x853b559647364cea), UINT64_C(0x92f89756082a4514),
          UINT64_C(0x642e1c7bc266a3a7)},
         {0.7029218331588505, 0.5204366199388569},
         {702, 520, 574, 391}},
        {20251211,
         {UINT64_C(0xc65ed748f1cb3166), UINT64_C(0xe71431e051999d91), UINT64_C(0x1100a61564f9f62e),
          UINT64_C(0x31728bfd2912545a)},
         {0.7748846581542181, 0.9026518986371229},
         {774, 902, 66, 193}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, cases[c].seed);
        for (size_t i = 0; i < 4; i++) {
            assert_true(tl_xoshiro_next(&rng) == cases[c].first[i]);
        }
        tl_xoshiro_seed(&rng, cases[c].seed);
        for (size_t i = 0; i < 2; i++) {
            assert_true(bits_of(tl_xoshiro_unit(&rng)) == bits_of(cases[c].unit[i]));
        }
        tl_xoshiro_seed(&rng, cases[c].seed);
        for (size_t i = 0; i < 4; i++) {
            assert_true(tl_xoshiro_below(&rng, 1000) == cases[c].below_1000[i]);
        }
    }
}

static void draws_stay_below_their_bound(void **state)
{
    (void)state; /* RNG-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 3);
    tl_mt mt;
    tl_mt_seed_u64(&mt, 3);
    bool is_seen[7] = {false};
    for (int i = 0; i < 20000; i++) {
        const uint64_t n = (tl_xoshiro_next(&rng) >> tl_xoshiro_below(&rng, 64)) | 1;
        assert_true(tl_xoshiro_below(&rng, n) < n);
        assert_true(tl_mt_randbelow(&mt, n) < n);
        const double u = tl_xoshiro_unit(&rng);
        const double v = tl_mt_random(&mt);
        assert_true(u >= 0.0 && u < 1.0 && v >= 0.0 && v < 1.0);
        is_seen[tl_xoshiro_below(&rng, 7)] = true;
    }
    for (size_t i = 0; i < 7; i++) {
        assert_true(is_seen[i]);
    }
    assert_true(tl_xoshiro_below(&rng, 1) == 0 && tl_mt_randbelow(&mt, 1) == 0);
}

/* "1f…" of any length as words of 32 bits, lowest first. */
static size_t words_of_hex(uint32_t *words, const char *hex, size_t len)
{
    size_t count = 0;
    for (size_t end = len; end > 0; count++) {
        const size_t first = end > 8 ? end - 8 : 0;
        char digits[9] = {0};
        memcpy(digits, hex + first, end - first);
        words[count] = (uint32_t)strtoul(digits, NULL, 16);
        end = first;
    }
    return count;
}

static void the_stream_is_that_of_cpython(void **state)
{
    (void)state;
    golden g;
    golden_open(&g, "stream.json");
    static uint32_t words[LINE_CAP / 8];
    size_t rows = 0;
    for (; golden_row(&g); rows++) {
        const char *hex = g.line + 2;
        const size_t len = strcspn(hex, "\"");
        g.at = g.line + 2 + len + 1;
        tl_mt mt;
        tl_mt_seed_words(&mt, words, words_of_hex(words, hex, len));
        for (int i = 0; i < 3; i++) {
            assert_true(bits_of(tl_mt_random(&mt)) == golden_number(&g, 16));
        }
        const uint32_t widths[] = {1, 17, 32, 33, 53, 64};
        for (size_t i = 0; i < 6; i++) {
            assert_true(tl_mt_getrandbits(&mt, widths[i]) == golden_number(&g, 16));
        }
        const uint64_t bounds[] = {1, 2, 3, 1000, UINT64_C(1) << 32, (UINT64_C(1) << 63) + 1};
        for (size_t i = 0; i < 6; i++) {
            assert_true(tl_mt_randbelow(&mt, bounds[i]) == golden_number(&g, 16));
        }
        for (int i = 0; i < 700; i++) { /* past a renewal of all 624 words */
            (void)tl_mt_random(&mt);
        }
        assert_true(bits_of(tl_mt_random(&mt)) == golden_number(&g, 16));
    }
    assert_int_equal(rows, 20);
}

static void seeds_of_one_number_are_one_seed(void **state)
{
    (void)state;
    tl_mt a;
    tl_mt b;
    const uint32_t padded[4] = {5, 0, 0, 0};
    tl_mt_seed_words(&a, padded, 4);
    tl_mt_seed_u64(&b, 5);
    assert_memory_equal(&a, &b, sizeof a);
    tl_mt_seed_i64(&a, -5); /* CPython takes abs */
    assert_memory_equal(&a, &b, sizeof a);
    tl_mt_seed_words(&a, NULL, 0);
    tl_mt_seed_u64(&b, 0);
    assert_memory_equal(&a, &b, sizeof a);
    tl_mt_seed_i64(&a, INT64_MIN);
    tl_mt_seed_u64(&b, UINT64_C(1) << 63);
    assert_memory_equal(&a, &b, sizeof a);
}

static void nothing_to_draw_draws_nothing(void **state)
{
    (void)state;
    tl_mt a;
    tl_mt b;
    tl_mt_seed_u64(&a, 9);
    tl_mt_seed_u64(&b, 9);
    assert_true(tl_mt_randbelow(&a, 0) == 0);
    assert_true(tl_mt_getrandbits(&a, 0) == 0);
    assert_true(tl_mt_next_u32(&a) == tl_mt_next_u32(&b));
}

static size_t check_samples(const char *name)
{
    golden g;
    golden_open(&g, name);
    tl_arena *arena = new_arena(0);
    static uint64_t drawn[LINE_CAP];
    size_t rows = 0;
    for (; golden_row(&g); rows++) {
        const uint64_t seed = golden_number(&g, 10);
        const uint64_t n = golden_number(&g, 10);
        const uint64_t k = golden_number(&g, 10);
        tl_mt mt;
        tl_mt_seed_u64(&mt, seed);
        const tl_err err = tl_mt_sample(&mt, drawn, n, k, arena, NULL);
        assert_int_equal(err, k > n ? TL_ERR_RANGE : TL_OK);
        for (uint64_t i = 0; err == TL_OK && i < k; i++) {
            assert_int_equal(*g.at, ',');
            assert_true(drawn[i] == golden_number(&g, 10));
        }
        assert_int_equal(*g.at, ']');
    }
    tl_arena_free(arena);
    return rows;
}

static void samples_are_those_of_cpython(void **state)
{
    (void)state;
    assert_int_equal(check_samples("sample.json"), 297);
    assert_int_equal(check_samples("listings_sample.json"), 200);
}

static void a_sample_holds_different_indices(void **state)
{
    (void)state; /* RNG-2 */
    tl_arena *arena = new_arena(0);
    tl_mt mt;
    tl_mt_seed_u64(&mt, 1);
    uint64_t drawn[64];
    for (uint64_t n = 0; n <= 40; n++) {
        for (uint64_t k = 0; k <= n; k++) {
            assert_int_equal(tl_mt_sample(&mt, drawn, n, k, arena, NULL), TL_OK);
            uint64_t seen = 0;
            for (uint64_t i = 0; i < k; i++) {
                assert_true(drawn[i] < n);
                assert_true((seen >> drawn[i] & 1) == 0);
                seen |= UINT64_C(1) << drawn[i];
            }
        }
    }
    uint64_t *many = TL_NEW(arena, uint64_t, 100000);
    uint8_t *is_seen = TL_NEW(arena, uint8_t, 2000000);
    assert_true(many != NULL && is_seen != NULL);
    assert_int_equal(tl_mt_sample(&mt, many, 2000000, 100000, arena, NULL), TL_OK);
    for (size_t i = 0; i < 100000; i++) {
        assert_true(many[i] < 2000000 && is_seen[many[i]]++ == 0);
    }
    tl_arena_free(arena);
}

static void a_sample_that_cannot_be_is_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena(0);
    tl_mt mt;
    tl_mt_seed_u64(&mt, 1);
    uint64_t drawn[8] = {7};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_mt_sample(&mt, drawn, 2, 3, arena, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.message, "a sample of 3 from 2: larger than the population");
    assert_int_equal(tl_mt_sample(&mt, drawn, UINT64_MAX, TL_MT_SAMPLE_MAX + 1, arena, NULL),
                     TL_ERR_RANGE);
    assert_true(drawn[0] == 7);
    tl_arena_free(arena);
}

static void no_scratch_is_an_error_and_what_there_is_comes_back(void **state)
{
    (void)state;
    tl_arena *small = new_arena(4096);
    tl_mt mt;
    tl_mt_seed_u64(&mt, 1);
    static uint64_t drawn[10000];
    assert_int_equal(tl_mt_sample(&mt, drawn, 20000, 10000, small, NULL), TL_ERR_LIMIT);
    assert_int_equal(tl_mt_sample(&mt, drawn, UINT64_C(1) << 40, 10000, small, NULL), TL_ERR_LIMIT);
    tl_arena_free(small);
    tl_arena *arena = new_arena(1 << 20);
    assert_int_equal(tl_mt_sample(&mt, drawn, 20000, 10000, arena, NULL), TL_OK);
    const size_t after_one = tl_arena_live_len(arena);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(tl_mt_sample(&mt, drawn, 20000, 10000, arena, NULL), TL_OK);
    }
    assert_int_equal(tl_arena_live_len(arena), after_one);
    tl_arena_free(arena);
}

static void shuffles_are_those_of_cpython(void **state)
{
    (void)state; /* RNG-3 */
    golden g;
    golden_open(&g, "shuffle.json");
    size_t rows = 0;
    for (; golden_row(&g); rows++) {
        const uint64_t seed = golden_number(&g, 10);
        const uint64_t n = golden_number(&g, 10);
        uint64_t items[100];
        for (uint64_t i = 0; i < n; i++) {
            items[i] = i;
        }
        tl_mt mt;
        tl_mt_seed_u64(&mt, seed);
        tl_mt_shuffle(&mt, items, (size_t)n);
        uint8_t is_seen[100] = {0};
        for (uint64_t i = 0; i < n; i++) {
            assert_true(items[i] == golden_number(&g, 10));
            assert_true(is_seen[items[i]]++ == 0);
        }
    }
    assert_int_equal(rows, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xoshiro_gives_the_figures_of_its_authors),
        cmocka_unit_test(draws_stay_below_their_bound),
        cmocka_unit_test(the_stream_is_that_of_cpython),
        cmocka_unit_test(seeds_of_one_number_are_one_seed),
        cmocka_unit_test(nothing_to_draw_draws_nothing),
        cmocka_unit_test(samples_are_those_of_cpython),
        cmocka_unit_test(a_sample_holds_different_indices),
        cmocka_unit_test(a_sample_that_cannot_be_is_refused),
        cmocka_unit_test(no_scratch_is_an_error_and_what_there_is_comes_back),
        cmocka_unit_test(shuffles_are_those_of_cpython),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
