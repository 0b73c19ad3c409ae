/* Attacks what must not matter: the order of adding, the cut into objects, memory used before, what one miner's rows do to
 * the verdict on another; and the draw, against CPython's. */
#include "core/listings/shard/test/shards.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/codec/hex/hex.h"
#include "core/listings/shard/shard_internal.h"

#define GOLDEN TL_SOURCE_ROOT "/src/core/listings/shard/test/golden/"

enum { MINERS = 9, HOUSES = 110 };

static row rows[ROWS_CAP];

/* Miner m of a crowd: most of the houses, in an order of its own, some wrong in some way. */
static size_t crowd_rows(row *out, uint32_t m)
{
    size_t count = 0;
    for (uint32_t i = 0; i < HOUSES; i++) {
        const uint32_t house = (i * 37 + m * 11) % HOUSES;
        if (dice(house, 100 + m, 100) >= 8) {
            out[count] = honest_row(house);
            out[count].city = m == 5 && house < 20 ? "\"Tacoma\"" : "\"Seattle\"";
            out[count].price *= m == 6 && house < 30 ? 40 : 1;
            out[count].lacks_mls = m == 7 && house < 40;
            count++;
        }
    }
    return m == 8 ? 40 : count;
}

/* The sheets of a crowd, added in some order, each cut into so many objects. */
static tl_str judge_crowd(world *w, const uint32_t *order, size_t pieces)
{
    start(w);
    for (size_t k = 0; k < MINERS; k++) {
        const uint32_t m = order[k];
        const size_t count = crowd_rows(rows, m);
        tl_bytes objects[4];
        for (size_t i = 0; i < pieces; i++) {
            objects[i] = object_of(w->arena, rows, count * i / pieces, count * (i + 1) / pieces);
        }
        char hotkey[16];
        tl_str_print(hotkey, sizeof hotkey, "miner-%u", m);
        tl_shard_entry entry = entry_of(hotkey, objects, pieces);
        entry.received_ms += m / 3; /* ties too */
        add(w, &entry);
    }
    const tl_shard_result result = finish(w);
    assert_int_equal(result.count, MINERS);
    for (size_t i = 1; i < MINERS; i++) {
        assert_true(result.sheets[i - 1].received_ms <= result.sheets[i].received_ms);
    }
    return sheets_text(w->arena, &result);
}

static void order_and_cut_change_nothing(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    uint32_t order[MINERS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    const tl_str first = judge_crowd(&w, order, 1);
    assert_true(first.len > 1000);
    for (uint32_t round = 0; round < 6; round++) { /* SHARD-1, SHARD-2 */
        for (uint32_t i = MINERS - 1; i > 0; i--) {
            const uint32_t j = dice(round, i, i + 1);
            const uint32_t kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        assert_true(tl_str_eq(judge_crowd(&w, order, 1 + round % 4), first));
    }
    tear_down(&w);
}

/* Honest miners and one that multiplies all its prices: whose sheets have price_anomaly? */
static void check_poison(uint32_t honest, uint32_t factor)
{
    world w;
    set_up(&w);
    start(&w);
    for (uint32_t m = 0; m <= honest; m++) {
        char hotkey[16];
        tl_str_print(hotkey, sizeof hotkey, "%s-%u", m == honest ? "poison" : "honest", m);
        honest_rows(rows, 0, 100);
        for (uint32_t i = 0; i < 100 && m == honest; i++) {
            rows[i].price *= factor;
        }
        add_rows(&w, hotkey, rows, 100);
    }
    const tl_shard_result r = finish(&w);
    for (size_t i = 0; i < r.count; i++) {
        const bool is_poison = tl_str_starts_with(r.sheets[i].hotkey, TL_STR("poison"));
        const bool is_accused = finding_of(&r.sheets[i], TL_LISTING_PRICE_ANOMALY) != NULL;
        assert_int_equal(is_accused, is_poison && honest >= 2);
    }
    tear_down(&w);
}

static void one_miner_moves_nobody_else_s_prices(void **state)
{
    (void)state; /* SHARD-5 */
    check_poison(8, 9);
    check_poison(2, 9);
    check_poison(1, 9); /* two against each other: nobody can tell */
    check_poison(0, 9);
}

static void impossible_prices_are_found_from_the_threshold_on(void **state)
{
    (void)state;
    for (uint32_t bad = 10; bad <= 11; bad++) {
        for (int crowd = 0; crowd <= 1; crowd++) {
            world w;
            set_up(&w);
            start(&w);
            for (uint32_t m = 0; m < (crowd ? 5u : 1u); m++) {
                char hotkey[16];
                tl_str_print(hotkey, sizeof hotkey, "m%u", m);
                honest_rows(rows, 0, 100);
                for (uint32_t i = 0; i < bad && m == 0; i++) {
                    rows[3 * i].price = i % 2 == 0 ? rows[3 * i].price * 40 : 10000;
                }
                add_rows(&w, hotkey, rows, 100);
            }
            const tl_shard_result r = finish(&w);
            for (size_t i = 0; i < r.count; i++) {
                const tl_finding *const f = finding_of(&r.sheets[i], TL_LISTING_PRICE_ANOMALY);
                const bool is_bad = tl_str_eq_cstr(r.sheets[i].hotkey, "m0");
                assert_int_equal(f != NULL, is_bad && bad == 11);
                assert_true(f == NULL || (f->count == 11 && f->indices[0] == 0 &&
                                          f->indices[10] == 30 && f->rate_millionths == 110000));
            }
            tear_down(&w);
        }
    }
}

static void equal_prices_accuse_nobody(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    honest_rows(rows, 0, 100);
    for (uint32_t i = 0; i < 100; i++) {
        rows[i].price = i < 80 ? rows[i].sqft * 300 : rows[i].sqft * 9000; /* MAD 0 */
    }
    const tl_sheet s = judge_alone(&w, rows, 100);
    assert_null(finding_of(&s, TL_LISTING_PRICE_ANOMALY));
    tear_down(&w);
}

static void honeypots_are_told_by_row(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    tl_hash32 hashes[3];
    tl_sha256(&hashes[0], "zpid:3", 6);
    tl_sha256(&hashes[1], "zpid:77", 7);
    tl_sha256(&hashes[2], "zpid:500", 8);
    for (int i = 0; i < 3; i++) { /* ascending */
        for (int k = 0; k + 1 < 3; k++) {
            if (tl_hash32_cmp(&hashes[k], &hashes[k + 1]) > 0) {
                const tl_hash32 kept = hashes[k];
                hashes[k] = hashes[k + 1];
                hashes[k + 1] = kept;
            }
        }
    }
    w.context.honeypots = hashes;
    w.context.honeypot_count = 3;
    start(&w);
    honest_rows(rows, 0, 100);
    add_rows(&w, "caught", rows, 100);
    honest_rows(rows, 100, 100);
    add_rows(&w, "clean", rows, 100);
    const tl_shard_result r = finish(&w);
    for (size_t i = 0; i < 2; i++) {
        const bool is_caught = tl_str_eq_cstr(r.sheets[i].hotkey, "caught");
        assert_int_equal(r.honeypots[i].count, is_caught ? 2 : 0);
        assert_true(!is_caught ||
                    (r.honeypots[i].indices[0] == 3 && r.honeypots[i].indices[1] == 77));
        assert_false(r.sheets[i].is_disqualified);
    }
    tear_down(&w);
}

static tl_str read_golden(tl_arena *arena, const char *name)
{
    char path[512];
    tl_str_print(path, sizeof path, GOLDEN "%s", name);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    char *const text = TL_NEW(arena, char, 1 << 20);
    assert_non_null(text);
    const size_t len = fread(text, 1, 1 << 20, file);
    assert_true(len != 0 && len < 1 << 20);
    assert_int_equal(fclose(file), 0);
    return (tl_str){text, len};
}

static void the_draw_is_cpython_s(void **state)
{
    (void)state; /* SHARD-4 */
    world w;
    set_up(&w);
    const tl_json *golden = NULL;
    assert_int_equal(
        tl_json_parse(&golden, w.arena, read_golden(w.arena, "sample.json"), NULL, NULL), TL_OK);
    const tl_json *const cases = tl_json_get(golden, "cases");
    assert_int_equal(cases->count, 44);
    for (uint32_t i = 0; i < cases->count; i++) {
        const tl_json *const c = &cases->items[i];
        uint64_t n = 0;
        uint64_t asked = 0;
        assert_int_equal(tl_json_want_u64(&n, c, "n", NULL), TL_OK);
        assert_int_equal(tl_json_want_u64(&asked, c, "asked", NULL), TL_OK);
        w.context.beacon = tl_json_get(c, "beacon")->text;
        start(&w);
        tl__entry entry;
        memset(&entry, 0, sizeof entry);
        entry.sheet.hotkey = tl_json_get(c, "hotkey")->text;
        entry.sheet.rows = (uint32_t)n;
        assert_int_equal(tl_hex_decode(entry.sheet.content_hash.b, 32,
                                       tl_json_get(c, "content_hash")->text, NULL),
                         TL_OK);
        uint32_t drawn[TL_SAMPLES_MAX];
        size_t drawn_count = 0;
        size_t asked_count = 0;
        assert_int_equal(
            tl__draw(drawn, &drawn_count, &asked_count, w.shard, &entry, w.scratch, NULL), TL_OK);
        const tl_json *const expected = tl_json_get(c, "drawn");
        assert_int_equal(drawn_count, expected->count);
        assert_int_equal(asked_count, asked);
        for (uint32_t k = 0; k < expected->count; k++) {
            uint64_t index = 0;
            assert_int_equal(tl_json_as_u64(&index, &expected->items[k], NULL, NULL), TL_OK);
            assert_int_equal(drawn[k], index);
        }
    }
    tear_down(&w);
}

static void a_hotkey_comes_once(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    start(&w);
    honest_rows(rows, 0, 100);
    add_rows(&w, "one", rows, 100);
    add_rows(&w, "one", rows, 100);
    tl_shard_result r;
    assert_int_equal(tl_shard_finish(w.shard, &r, NULL), TL_ERR_DUPLICATE);
    tear_down(&w);
}

static void wrong_contexts_are_refused(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    tl_shard_context bad = w.context;
    bad.expected = TL_SHARD_EXPECTED_MAX + 1;
    assert_int_equal(tl_shard_new(&w.shard, w.arena, &bad, NULL), TL_ERR_RANGE);
    bad = w.context;
    bad.deadline_ms = bad.start_ms;
    assert_int_equal(tl_shard_new(&w.shard, w.arena, &bad, NULL), TL_ERR_RANGE);
    tl_place nowhere = w.place;
    nowhere.zipcode[0] = 'x';
    bad = w.context;
    bad.place = &nowhere;
    assert_int_equal(tl_shard_new(&w.shard, w.arena, &bad, NULL), TL_ERR_RANGE);
    tear_down(&w);
}

static void an_empty_shard_has_no_sheets(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    start(&w);
    assert_int_equal(finish(&w).count, 0);
    tear_down(&w);
}

/* What adding needs for itself is given back, and does not depend on what was there. */
static void scratch_is_given_back(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    start(&w);
    honest_rows(rows, 0, 115);
    const tl_bytes object = object_of(w.arena, rows, 0, 115);
    size_t live = 0;
    for (uint32_t m = 0; m < 5; m++) {
        char hotkey[16];
        tl_str_print(hotkey, sizeof hotkey, "m%u", m);
        const tl_shard_entry entry = entry_of(hotkey, &object, 1);
        add(&w, &entry);
        assert_true(m == 0 || tl_arena_live_len(w.scratch) == live);
        live = tl_arena_live_len(w.scratch);
        const tl_arena_mark mark = tl_arena_get_mark(w.scratch);
        void *const dirt = tl_arena_alloc(w.scratch, 1, 64, 1);
        assert_non_null(dirt);
        memset(dirt, 0xA5, 64);
        tl_arena_rewind(w.scratch, mark);
    }
    tear_down(&w);
}

/* An allocator whose n-th block is not to be had. */
typedef struct scarce {
    size_t left;
} scarce;

static void *scarce_alloc(void *self, size_t len)
{
    scarce *const s = (scarce *)self;
    return s->left-- == 0 ? NULL : aligned_alloc(64, (len + 63) / 64 * 64);
}

static void scarce_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static tl_err run_in(tl_arena *arena, tl_arena *scratch, const world *w, const tl_bytes *object)
{
    tl_shard *shard = NULL;
    tl_shard_result result;
    TL_TRY(tl_shard_new(&shard, arena, &w->context, NULL));
    for (uint32_t m = 0; m < 3; m++) {
        char hotkey[16];
        tl_str_print(hotkey, sizeof hotkey, "m%u", m);
        const tl_shard_entry entry = entry_of(hotkey, object, 1);
        TL_TRY(tl_shard_add(shard, &entry, scratch, NULL));
    }
    return tl_shard_finish(shard, &result, NULL);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    honest_rows(rows, 0, 100);
    const tl_bytes object = object_of(w.arena, rows, 0, 100);
    tl_err err = TL_ERR_NOMEM;
    size_t n = 0;
    for (; err != TL_OK; n++) {
        scarce s = {n};
        const tl_allocator allocator = {&s, scarce_alloc, scarce_release};
        tl_arena *arena = NULL;
        tl_arena *scratch = NULL;
        err = tl_arena_new(&arena, NULL, 0, &allocator, NULL);
        err = err == TL_OK ? tl_arena_new(&scratch, NULL, 0, &allocator, NULL) : err;
        err = err == TL_OK ? run_in(arena, scratch, &w, &object) : err;
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        tl_arena_free(scratch);
        tl_arena_free(arena);
        assert_true(n < 2000);
    }
    assert_true(n > 4);
    tear_down(&w);
}

static void sheets_survive_their_text(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    const uint32_t order[MINERS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    const tl_str text = judge_crowd(&w, order, 1);
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, w.arena, text, NULL, NULL), TL_OK);
    tl_sheet *const sheets = TL_NEW(w.arena, tl_sheet, tree->count);
    assert_non_null(sheets);
    for (uint32_t i = 0; i < tree->count; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_sheet_read(&sheets[i], w.arena, &tree->items[i], &ctx);
        assert_string_equal(ctx.message, "");
        assert_int_equal(err, TL_OK);
    }
    const tl_shard_result again = {.sheets = sheets, .count = tree->count};
    assert_true(tl_str_eq(sheets_text(w.arena, &again), text));
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_cut_change_nothing),
        cmocka_unit_test(one_miner_moves_nobody_else_s_prices),
        cmocka_unit_test(impossible_prices_are_found_from_the_threshold_on),
        cmocka_unit_test(equal_prices_accuse_nobody),
        cmocka_unit_test(honeypots_are_told_by_row),
        cmocka_unit_test(the_draw_is_cpython_s),
        cmocka_unit_test(a_hotkey_comes_once),
        cmocka_unit_test(wrong_contexts_are_refused),
        cmocka_unit_test(an_empty_shard_has_no_sheets),
        cmocka_unit_test(scratch_is_given_back),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(sheets_survive_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
