/* Copies, sybils and repeats across the miners of a zipcode. Attacked: honest miners of one world, worlds that change,
 * sources of several, coarse and even times, noise of every kind, memory that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/listings/near/near_internal.h"
#include "core/listings/near/test/world.h"

#define MINERS 24

typedef struct fixture {
    tl_arena *arena;
    tl_near *near;
    tl_listings_params params;
    tl_near_entry entries[300];
    char names[300][16];
    size_t count;
    tl_near_finding *findings;
    size_t found;
} fixture;

static world w;
static world_sheet sheets[300];

static void begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    tl_listings_params_default(&f->params);
    assert_int_equal(tl_arena_new(&f->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_near_new(&f->near, f->arena, &f->params, NULL), TL_OK);
}

static void put(fixture *f, const world_sheet *s, int64_t received_ms, const char *coldkey)
{
    const size_t i = f->count++;
    const int len = snprintf(f->names[i], sizeof f->names[i], "5H%06zu", i);
    f->entries[i] = (tl_near_entry){.hotkey = {f->names[i], (size_t)len},
                                    .coldkey = tl_str_from_cstr(coldkey),
                                    .received_ms = received_ms,
                                    .rows = (uint32_t)s->count};
    assert_int_equal(world_add(f->near, i, s, NULL), TL_OK);
}

static void finish(fixture *f)
{
    assert_int_equal(tl_near_finish(f->near, f->entries, f->count, &f->findings, &f->found, NULL),
                     TL_OK);
}

static const tl_near_finding *find(const fixture *f, size_t entry, tl_listing_rule rule)
{
    for (size_t i = 0; i < f->found; i++) {
        if (f->findings[i].entry == entry && f->findings[i].finding.rule == rule) {
            return &f->findings[i];
        }
    }
    return NULL;
}

static const tl_near_finding *must_find(const fixture *f, size_t entry, tl_listing_rule rule)
{
    static const tl_near_finding none = {.entry = SIZE_MAX};
    const tl_near_finding *it = find(f, entry, rule);
    assert_non_null(it);
    return it != NULL ? it : &none;
}

static void put_honest(fixture *f, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_honest(&w, &sheets[f->count]);
        put(f, &sheets[f->count], OPEN_MS + 1000 + (int64_t)i, "");
    }
}

static void honest_miners_are_not_accused(void **state)
{
    (void)state;
    size_t accused = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        fixture f;
        begin(&f);
        world_make(&w, seed, 40 + seed * 5);
        put_honest(&f, 2 + (seed * 7) % 40);
        finish(&f);
        accused += f.found;
        tl_arena_free(f.arena);
    }
    assert_int_equal(accused, 0);
}

static void an_equal_content_is_the_later_ones_copy(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 5, 60);
    put_honest(&f, 2);
    sheets[2] = sheets[1];
    world_shuffle(&w, &sheets[2]);
    put(&f, &sheets[2], OPEN_MS + 1, ""); /* received before its twin */
    finish(&f);
    assert_int_equal(f.found, 1);
    const tl_near_finding *it = must_find(&f, 1, TL_LISTING_COPY);
    assert_int_equal(it->bits, UINT32_MAX);
    assert_int_equal(it->finding.count, sheets[1].count);
    assert_int_equal(it->finding.rate_millionths, 1000000);
    assert_int_equal(it->finding.index_count, TL_FINDING_INDICES_MAX);
    assert_string_equal(it->finding.peer.ptr, f.names[2]);
    tl_arena_free(f.arena);
}

static void a_copy_under_noise_is_found_and_its_original_is_not_accused(void **state)
{
    (void)state;
    const double noises[] = {0.05, 0.2, 0.4};
    size_t caught[3][2] = {{0}};
    size_t others = 0;
    const size_t turns = 20;
    for (uint64_t seed = 0; seed < turns; seed++) {
        for (size_t n = 0; n < 6; n++) {
            fixture f;
            begin(&f);
            world_make(&w, 1000 + seed, 340);
            put_honest(&f, MINERS - 1);
            world_copy(&w, &sheets[MINERS - 1], &sheets[seed], noises[n / 2], n % 2 != 0);
            put(&f, &sheets[MINERS - 1], OPEN_MS + 90000, "");
            finish(&f);
            const tl_near_finding *it = find(&f, MINERS - 1, TL_LISTING_COPY);
            if (it != NULL) {
                caught[n / 2][n % 2]++;
                assert_string_equal(it->finding.peer.ptr, f.names[seed]);
                assert_true(it->bits >= TL_NEAR_BITS_MIN && it->finding.count >= TL_NEAR_MARKS_MIN);
            }
            others += f.found - (it != NULL);
            tl_arena_free(f.arena);
        }
    }
    for (size_t n = 0; n < 3; n++) {
        assert_int_equal(caught[n][1],
                         turns); /* with its times, moved or not, whatever the noise */
        assert_true(caught[n][0] * 10 >= turns * (n < 2 ? 9 : 7)); /* by slips and gaps alone */
    }
    assert_int_equal(others, 0);
}

static void times_moved_alike_are_still_the_same_times(void **state)
{
    (void)state;
    for (size_t miners = 2; miners < 8; miners += 5) {
        fixture f;
        begin(&f);
        world_make(&w, 8, 40);
        put_honest(&f, miners);
        world_copy(&w, &sheets[miners], &sheets[0], 0.2, true);
        for (size_t i = 0; i < sheets[miners].count; i++) {
            sheets[miners].rows[i].scraped_ms += 754321;
        }
        put(&f, &sheets[miners], OPEN_MS + 90000, "");
        finish(&f);
        assert_int_equal(f.found, 1);
        (void)must_find(&f, miners, TL_LISTING_COPY);
        tl_arena_free(f.arena);
    }
}

static void coarse_dense_and_even_times_accuse_nobody(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        fixture f;
        begin(&f);
        world_make(&w, 9, 200);
        for (size_t i = 0; i < 12; i++) {
            world_honest(&w, &sheets[i]);
            for (size_t r = 0; r < sheets[i].count; r++) {
                world_row *row = &sheets[i].rows[r];
                const int64_t at = (int64_t)row->house;
                /* all start together and read the source in its order: every second or millisecond coincides */
                row->scraped_ms = OPEN_MS + (kind == 0   ? at * 1000
                                             : kind == 1 ? at * 7 / 5
                                             : kind == 2 ? at * 137
                                                         : at * 2000 + (at * at % 7) * 1000);
            }
            put(&f, &sheets[i], OPEN_MS + (int64_t)i, "");
        }
        finish(&f);
        assert_int_equal(f.found, 0);
        tl_arena_free(f.arena);
    }
}

/* All read one source in its order, fifty rows a page, a time for each page: its pages are what they share. */
static void pages_of_one_source_accuse_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        fixture f;
        begin(&f);
        world_make(&w, 100 + seed, 250);
        for (size_t i = 0; i < 2 + seed % 7; i++) {
            world_sheet *s = &sheets[i];
            int64_t at = OPEN_MS + (int64_t)(i * 5);
            s->count = 0;
            for (size_t r = 0; r < w.house_count; r++) {
                at += r % 50 == 0 ? 190 + (int64_t)tl_xoshiro_below(&w.rng, 400) : 0;
                s->rows[s->count] = w.truth[r];
                s->rows[s->count++].scraped_ms = at;
            }
            put(&f, s, OPEN_MS + (int64_t)i, "");
        }
        finish(&f);
        assert_int_equal(f.found, 0);
        tl_arena_free(f.arena);
    }
}

static void what_changed_in_the_world_is_no_mark(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 10, 300);
    for (size_t i = 0; i < 16; i++) {
        if (i == 14) { /* two come late: prices have moved, houses are sold, one in twelve each */
            for (size_t h = 0; h < w.house_count; h += 12) {
                w.truth[h].price_cents = w.truth[h].price_cents * 9 / 10;
            }
        }
        world_honest(&w, &sheets[i]);
        size_t kept = 0;
        for (size_t r = 0; r < sheets[i].count; r++) {
            world_row row = sheets[i].rows[r];
            row.scraped_ms =
                OPEN_MS + (i >= 14 ? 9000000 : 0) + (row.scraped_ms - OPEN_MS) % 5000000;
            if (i < 14 || row.house % 12 != 5) {
                sheets[i].rows[kept++] = row;
            }
        }
        sheets[i].count = kept;
        put(&f, &sheets[i], OPEN_MS + (int64_t)i, "");
    }
    finish(&f);
    assert_int_equal(f.found, 0);
    tl_arena_free(f.arena);
}

static void a_source_of_many_and_a_style_of_ones_own_are_no_marks(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 11, 300);
    put_honest(&f, 9);
    for (size_t i = 9; i < 15; i++) {
        world_honest(&w, &sheets[i]);
        size_t kept = 0;
        for (size_t r = 0; r < sheets[i].count; r++) {
            world_row row = sheets[i].rows[r];
            row.price_cents +=
                row.house % 9 == 0 ? row.price_cents / 20 : 0;            /* the source's errors */
            row.sqft_hundredths += i < 11 ? row.sqft_hundredths / 10 : 0; /* with the garage */
            if (row.house % 11 != 0) {
                sheets[i].rows[kept++] = row;
            }
        }
        sheets[i].count = kept;
        put(&f, &sheets[i], OPEN_MS + (int64_t)i, "");
    }
    finish(&f);
    assert_int_equal(f.found, 0);
    tl_arena_free(f.arena);
}

static void three_of_one_work_are_sybils_all_but_the_first(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 12, 200);
    put_honest(&f, 12);
    for (size_t i = 12; i < 16; i++) {
        world_copy(&w, &sheets[i], &sheets[3], 0.2, true);
        put(&f, &sheets[i], OPEN_MS + (int64_t)(i == 14 ? 0 : i), "");
    }
    finish(&f);
    assert_int_equal(f.found, 4);
    (void)must_find(&f, 3, TL_LISTING_SYBIL); /* 14 came before it */
    (void)must_find(&f, 12, TL_LISTING_SYBIL);
    (void)must_find(&f, 13, TL_LISTING_SYBIL);
    (void)must_find(&f, 15, TL_LISTING_SYBIL);
    assert_null(find(&f, 14, TL_LISTING_SYBIL)); /* NEAR-2 */
    tl_arena_free(f.arena);
}

static void two_of_one_coldkey_are_sybils_and_two_works_of_one_coldkey_are_not(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 13, 200);
    put_honest(&f, 10);
    for (size_t i = 10; i < 12; i++) {
        world_honest(&w, &sheets[i]);
        put(&f, &sheets[i], OPEN_MS + 5000 + (int64_t)i, "5Cold");
    }
    world_copy(&w, &sheets[12], &sheets[11], 0.3, true);
    put(&f, &sheets[12], OPEN_MS + 6000, "5Cold");
    finish(&f);
    assert_int_equal(f.found, 1);
    assert_string_equal(must_find(&f, 12, TL_LISTING_SYBIL)->finding.peer.ptr, f.names[11]);
    tl_arena_free(f.arena);
}

static void who_mixes_two_originals_frames_neither(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    world_make(&w, 14, 300);
    put_honest(&f, 12);
    sheets[12] = sheets[4];
    for (size_t i = 0; i < sheets[12].count; i++) {
        for (size_t j = 0; j < sheets[5].count; j++) {
            if (i % 2 == 0 && sheets[5].rows[j].house == sheets[12].rows[i].house) {
                sheets[12].rows[i] = sheets[5].rows[j];
            }
        }
    }
    put(&f, &sheets[12], OPEN_MS + 90000, "");
    finish(&f);
    assert_int_equal(f.found, 1);
    assert_int_equal(f.findings[0].entry, 12);
    tl_arena_free(f.arena);
}

static void one_house_twice_under_other_words_is_a_duplicate(void **state)
{
    (void)state;
    for (uint32_t repeats = 9; repeats < 12; repeats++) { /* of 190 to 200 rows: 5 % lies at 10 */
        fixture f;
        begin(&f);
        world_make(&w, 15, 200);
        put_honest(&f, 3);
        sheets[1].count = 190;
        for (uint32_t i = 0; i < repeats; i++) {
            world_row row = sheets[1].rows[i * 17];
            row.spelling = 1 + i % 3;
            row.id = i % 4 != 0 ? 7 : 0; /* every fourth keeps its identity */
            row.price_cents = scaled(&w, row.price_cents, 0.01);
            sheets[1].rows[sheets[1].count++] = row;
        }
        put(&f, &sheets[1], OPEN_MS + 5000, "");
        finish(&f);
        const tl_near_finding *it = find(&f, 3, TL_LISTING_DUPLICATES);
        assert_int_equal(it != NULL, repeats > 10);
        if (it != NULL) {
            assert_int_equal(it->finding.count, repeats);
            for (uint32_t i = 0; i < it->finding.index_count; i++) {
                assert_int_equal(it->finding.indices[i], 190 + i);
            }
        }
        assert_null(find(&f, 1, TL_LISTING_DUPLICATES));
        tl_arena_free(f.arena);
    }
}

/* Everything that was found, as text, miners by name. */
static size_t print_findings(char *out, size_t cap, const fixture *f, const size_t *names)
{
    size_t len = 0;
    for (size_t n = 0; n < f->count; n++) {
        for (size_t i = 0; i < f->found; i++) {
            const tl_near_finding *it = &f->findings[i];
            if (names[it->entry] == n) {
                len += (size_t)snprintf(out + len, cap - len, "%zu %s %u %u %u %u %.*s\n", n,
                                        tl_listing_rule_name(it->finding.rule), it->bits,
                                        it->finding.count, it->finding.rate_millionths,
                                        it->finding.indices[0], TL_STR_ARG(it->finding.peer));
            }
        }
    }
    return len;
}

static void put_named(fixture *f, const world_sheet *s, size_t name, int64_t received_ms)
{
    put(f, s, received_ms, "");
    tl_near_entry *entry = &f->entries[f->count - 1];
    entry->hotkey.len = (size_t)snprintf(f->names[f->count - 1], 16, "5N%06zu", name);
}

static void the_order_of_adding_changes_nothing(void **state)
{
    (void)state;
    world_make(&w, 16, 150);
    for (size_t i = 0; i < 10; i++) {
        world_honest(&w, &sheets[i]);
    }
    world_copy(&w, &sheets[10], &sheets[2], 0.1, true);
    world_copy(&w, &sheets[11], &sheets[2], 0.2, true);
    world_copy(&w, &sheets[12], &sheets[6], 0.3, true);
    char first[4096] = "";
    char other[4096];
    for (size_t turn = 0; turn < 5; turn++) {
        fixture f;
        size_t names[13];
        begin(&f);
        for (size_t i = 0; i < 13; i++) {
            names[i] = (i * (2 * turn + 1) + turn) % 13;
            put_named(&f, &sheets[names[i]], names[i], OPEN_MS + (int64_t)(names[i] / 2));
        }
        finish(&f);
        char *text = turn == 0 ? first : other;
        assert_true(print_findings(text, sizeof other, &f, names) > 0);
        assert_string_equal(first, text); /* NEAR-1 */
        tl_arena_free(f.arena);
    }
}

/* golden/near.txt: what was found in a world of twenty miners, four of them cheats; by this code, so that a change of any
 * bit on any build is seen. */
static void findings_are_the_golden_ones(void **state)
{
    (void)state;
    fixture f;
    size_t names[20];
    char text[4096];
    begin(&f);
    world_make(&w, 2026, 240);
    for (size_t i = 0; i < 20; i++) {
        names[i] = i;
        if (i < 16) {
            world_honest(&w, &sheets[i]);
        } else {
            world_copy(&w, &sheets[i], &sheets[i < 18 ? 3 : 9], 0.1 * (double)(i - 15), i % 2 == 0);
        }
        put_named(&f, &sheets[i], i, OPEN_MS + (int64_t)(i * 37 % 20));
    }
    finish(&f);
    const size_t len = print_findings(text, sizeof text, &f, names);
    FILE *file = fopen(TL_SOURCE_ROOT "/src/core/listings/near/test/golden/near.txt", "rb");
    assert_non_null(file);
    char golden[4096];
    const size_t read = fread(golden, 1, sizeof golden - 1, file);
    golden[read] = '\0';
    (void)fclose(file);
    text[len] = '\0';
    assert_true(len > 0);
    assert_string_equal(text, golden);
    tl_arena_free(f.arena);
}

static void nobody_and_nothing_are_fine(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    finish(&f);
    assert_int_equal(f.found, 0);
    tl_arena_free(f.arena);
    begin(&f);
    sheets[0].count = 0;
    put(&f, &sheets[0], 5, "");
    put(&f, &sheets[0], 6, "");
    finish(&f);
    assert_int_equal(f.found, 0); /* two who bring nothing are no copies */
    tl_arena_free(f.arena);
    begin(&f);
    tl_listing blank[8] = {{0}};
    assert_int_equal(tl_near_add(f.near, 0, blank, 8, NULL), TL_OK);
    assert_int_equal(tl_near_add(f.near, TL_ENTRIES_MAX, blank, 8, NULL), TL_ERR_LIMIT);
    f.entries[0] = (tl_near_entry){.hotkey = TL_STR("a"), .rows = 8};
    f.count = 1;
    finish(&f);
    assert_int_equal(f.found, 0);
    tl_arena_free(f.arena);
}

static void a_listing_costs_what_the_header_says(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    const size_t before = tl_arena_live_len(f.arena);
    const tl_listing blank = {0};
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(tl_near_add(f.near, i / 400, &blank, 1, NULL), TL_OK);
    }
    const size_t each = (tl_arena_live_len(f.arena) - before) / 100000;
    assert_true(each <= TL_NEAR_SKETCH_LEN); /* NEAR-3 */
    tl_arena_free(f.arena);
}

static void logarithms_are_exact_to_their_unit(void **state)
{
    (void)state;
    assert_int_equal(tl__near_log2_q8(1), 0);
    assert_int_equal(tl__near_log2_q8(2), 256);
    assert_int_equal(tl__near_log2_q8(3), 405); /* 1.58496 * 256 = 405.75 */
    assert_int_equal(tl__near_log2_q8(1000), 2551);
    assert_int_equal(tl__near_log2_q8(UINT64_MAX), 64 * 256 - 1);
    for (uint64_t v = 1; v < 5000; v++) {
        assert_true(tl__near_log2_q8(v) <= tl__near_log2_q8(v + 1));
    }
}

static void keys_are_sorted_and_equal_ones_keep_their_order(void **state)
{
    (void)state;
    static tl__near_key keys[12000];
    static tl__near_key spare[12000];
    for (size_t count = 1; count <= 12000; count = count * 3 / 2 + 1) {
        tl_xoshiro rng;
        tl_xoshiro_seed(&rng, count);
        for (size_t i = 0; i < count; i++) {
            const uint64_t key = tl_xoshiro_next(&rng) >> (8 * (count % 7));
            keys[i] = (tl__near_key){i % 3 == 0 ? key : key & 255, (uint32_t)i, 0};
        }
        tl__near_sort(keys, spare, count);
        for (size_t i = 1; i < count; i++) {
            assert_true(keys[i - 1].key < keys[i].key ||
                        (keys[i - 1].key == keys[i].key && keys[i - 1].at < keys[i].at));
        }
    }
}

/* Rows that all look alike, in each way that the room looks at: a loop over pairs would not come to an end. */
static void what_is_built_to_be_slow_is_not(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        fixture f;
        begin(&f);
        for (uint32_t i = 0; i < 200000; i++) {
            tl_listing listing;
            memset(&listing, 0, sizeof listing);
            char text[64];
            const unsigned entry = kind < 2 ? i % 4 : i % 20000;
            /* one address; one number under many names; a house of 20,000 prices; a mark of 20,000 miners */
            snprintf(text, sizeof text, "1 %u%s ST", kind == 1 ? i : 5, kind == 1 ? "X" : " MAIN");
            listing.index = i;
            listing.address = tl_str_from_cstr(text);
            listing.identity = listing.address;
            set_field(&listing, TL_FIELD_PRICE, TL_STR("1"));
            listing.price_cents = kind == 2 ? (int64_t)entry * 100000 + 100 : 50000000;
            set_field(&listing, TL_FIELD_SCRAPED_TIMESTAMP, TL_STR("1"));
            listing.scraped_ms = OPEN_MS + (kind == 3 ? i / 20000 * 7777 : i);
            assert_int_equal(tl_near_add(f.near, entry, &listing, 1, NULL), TL_OK);
        }
        static tl_near_entry entries[20000];
        static char names[20000][8];
        for (size_t i = 0; i < 20000; i++) {
            const int len = snprintf(names[i], sizeof names[i], "%zu", i);
            entries[i] = (tl_near_entry){.hotkey = {names[i], (size_t)len}, .rows = 10};
        }
        assert_int_equal(tl_near_finish(f.near, entries, 20000, &f.findings, &f.found, NULL),
                         TL_OK); /* NEAR-4 */
        tl_arena_free(f.arena);
    }
}

/* --- memory that ends --- */

typedef struct failing {
    size_t left;
} failing;

static void *fail_alloc(void *self, size_t len)
{
    failing *f = self;
    if (f->left == 0) {
        return NULL;
    }
    f->left--;
    return malloc(len);
}

static void fail_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    world_make(&w, 17, 60);
    for (size_t i = 0; i < 8; i++) {
        world_honest(&w, &sheets[i]);
    }
    world_copy(&w, &sheets[8], &sheets[1], 0.1, true);
    tl_listings_params params;
    tl_listings_params_default(&params);
    tl_err err = TL_ERR_NOMEM;
    for (size_t n = 0; err != TL_OK && n < 500; n++) {
        failing left = {n};
        const tl_allocator allocator = {&left, fail_alloc, fail_release};
        tl_near_entry entries[9];
        tl_near_finding *out = NULL;
        size_t count = 0;
        tl_arena *arena = NULL;
        tl_near *near = NULL;
        err = tl_arena_new(&arena, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            err = tl_near_new(&near, arena, &params, NULL);
        }
        for (size_t i = 0; i < 9 && err == TL_OK; i++) {
            entries[i] = (tl_near_entry){.hotkey = TL_STR("5X"),
                                         .received_ms = (int64_t)i,
                                         .rows = (uint32_t)sheets[i].count};
            err = world_add(near, i, &sheets[i], NULL);
        }
        if (err == TL_OK) {
            err = tl_near_finish(near, entries, 9, &out, &count, NULL);
        }
        assert_true(err == TL_ERR_NOMEM || (err == TL_OK && count == 1));
        tl_arena_free(arena);
    }
    assert_int_equal(err, TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_miners_are_not_accused),
        cmocka_unit_test(an_equal_content_is_the_later_ones_copy),
        cmocka_unit_test(a_copy_under_noise_is_found_and_its_original_is_not_accused),
        cmocka_unit_test(times_moved_alike_are_still_the_same_times),
        cmocka_unit_test(coarse_dense_and_even_times_accuse_nobody),
        cmocka_unit_test(pages_of_one_source_accuse_nobody),
        cmocka_unit_test(what_changed_in_the_world_is_no_mark),
        cmocka_unit_test(a_source_of_many_and_a_style_of_ones_own_are_no_marks),
        cmocka_unit_test(three_of_one_work_are_sybils_all_but_the_first),
        cmocka_unit_test(two_of_one_coldkey_are_sybils_and_two_works_of_one_coldkey_are_not),
        cmocka_unit_test(who_mixes_two_originals_frames_neither),
        cmocka_unit_test(one_house_twice_under_other_words_is_a_duplicate),
        cmocka_unit_test(the_order_of_adding_changes_nothing),
        cmocka_unit_test(findings_are_the_golden_ones),
        cmocka_unit_test(nobody_and_nothing_are_fine),
        cmocka_unit_test(a_listing_costs_what_the_header_says),
        cmocka_unit_test(logarithms_are_exact_to_their_unit),
        cmocka_unit_test(keys_are_sorted_and_equal_ones_keep_their_order),
        cmocka_unit_test(what_is_built_to_be_slow_is_not),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("near", tests, NULL, NULL);
}
