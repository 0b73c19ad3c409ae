/* Attacks REC-4: objects of many miners who say the same in the same words, read with a memo and without, must be the same
 * listings; with times of every kind, listings that nearly are one another, and memory that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/record/record.h"

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static void assert_same_text(tl_str a, tl_str b)
{
    assert_int_equal(a.len, b.len);
    assert_true(tl_str_eq(a, b));
}

static void assert_same(const tl_listing *a, const tl_listing *b)
{
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->present, b->present);
    assert_int_equal(a->readable, b->readable);
    for (size_t i = 0; i < TL_LISTING_FIELD_COUNT; i++) {
        assert_same_text(a->text[i], b->text[i]);
    }
    assert_same_text(a->identity, b->identity);
    assert_same_text(a->address, b->address);
    assert_string_equal(a->zipcode, b->zipcode);
    assert_int_equal(a->property_type, b->property_type);
    assert_int_equal(a->price_cents, b->price_cents);
    assert_int_equal(a->bedrooms_hundredths, b->bedrooms_hundredths);
    assert_int_equal(a->bathrooms_hundredths, b->bathrooms_hundredths);
    assert_int_equal(a->sqft_hundredths, b->sqft_hundredths);
    assert_int_equal(a->days_on_market, b->days_on_market);
    assert_int_equal(a->listed_ms, b->listed_ms);
    assert_int_equal(a->scraped_ms, b->scraped_ms);
    assert_int_equal(a->latitude_e6, b->latitude_e6);
    assert_int_equal(a->longitude_e6, b->longitude_e6);
}

/* Reads an object with the memo and without. Returns how many of its listings the memo had; the error too must agree. */
static size_t compare(tl_arena *arena, tl_record_memo *memo, tl_str object, tl_err *out_err)
{
    tl_listing_reader bare;
    tl_listing_reader with;
    size_t known = 0;
    assert_int_equal(tl_record_open(&bare, arena, object, 3, NULL), TL_OK);
    assert_int_equal(tl_record_open(&with, arena, object, 3, NULL), TL_OK);
    with.memo = memo;
    for (;;) {
        tl_listing a;
        tl_listing b;
        bool has_a = false;
        bool has_b = false;
        const tl_err err = tl_record_next(&bare, &a, &has_a, NULL);
        assert_int_equal(tl_record_next(&with, &b, &has_b, NULL), err);
        assert_int_equal(has_a, has_b);
        *out_err = err;
        if (err != TL_OK || !has_a) {
            return known;
        }
        assert_same(&a, &b);
        assert_int_equal(bare.offset, with.offset);
        uint64_t *const note = (uint64_t *)with.note;
        if (note != NULL) { /* it belongs to this very identity */
            assert_true(*note == 0 || *note == b.identity.len + 1);
            known += *note != 0 ? 1 : 0;
            *note = b.identity.len + 1;
        }
    }
}

static tl_str house(tl_arena *arena, size_t number, const char *time)
{
    tl_sb sb;
    tl_str out = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb,
                 "{\"address\":\"%zu O\\u0027Brien Street, Seattle, WA 98103\",\"price\":%zu,"
                 "\"bedrooms\":3,\"bathrooms\":2.5,\"sqft\":1800,\"listing_date\":\"2025-10-01\","
                 "\"property_type\":\"CONDO\",\"description\":\"a \\\"fine\\\" one\"%s%s}",
                 number, 500000 + number, time[0] != '\0' ? ",\"scraped_timestamp\":" : "", time);
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
    return out;
}

static void any_time_may_stand_in_a_known_listing(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    static const char *const times[] = {
        "\"2025-10-03T16:00:00Z\"",
        "\"2025-10-03T16:00:00.5+02:00\"",
        "\"\"",
        "\"nan\"",
        "\" \"",
        "\"never\"",
        "null",
        "NaN",
        "17",
        "\"2025\\u002d10-03\"",
        "[\"}\",{}]",
        "\"gr\xC3\xBC\xC3\x9F\"",
        "",
    };
    const size_t count = sizeof times / sizeof *times;
    tl_record_memo *memo = NULL;
    assert_int_equal(tl_record_memo_new(&memo, arena, 4, sizeof(uint64_t), NULL), TL_OK);
    size_t known = 0;
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            tl_sb sb;
            tl_str object = {NULL, 0};
            tl_err err;
            tl_sb_init(&sb, arena);
            tl_sb_put_cstr(&sb, "{\"listings\":[");
            for (size_t n = 0; n < 5; n++) {
                tl_sb_put_cstr(&sb, n > 0 ? " , " : "");
                tl_sb_put(&sb, house(arena, n, times[(i + n) % count]));
            }
            tl_sb_put_cstr(&sb, "]}");
            assert_int_equal(tl_sb_finish(&object, &sb, NULL), TL_OK);
            known += compare(arena, memo, object, &err);
            assert_int_equal(err, TL_OK);
        }
    }
    assert_true(known > count); /* or nothing was tried */
    tl_arena_free(arena);
}

/* What differs from a known listing in any one byte is another, or is refused as it would be without the memo. */
static void one_byte_makes_another(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    tl_record_memo *memo = NULL;
    tl_err err;
    const tl_str text = house(arena, 7, "\"2025-10-03T16:00:00Z\"");
    char object[1024];
    const size_t head = 13;
    memcpy(object, "{\"listings\":[", head);
    memcpy(object + head + text.len, "]}", 2);
    assert_int_equal(tl_record_memo_new(&memo, arena, 4000, sizeof(uint64_t), NULL), TL_OK);
    static const char others[] = "0\"\\},]{ \x01\x80";
    for (size_t i = 0; i < text.len; i++) {
        for (size_t k = 0; k < sizeof others - 1; k++) {
            memcpy(object + head, text.ptr, text.len);
            (void)compare(arena, memo, (tl_str){object, head + text.len + 2}, &err);
            assert_int_equal(err, TL_OK);
            object[head + i] = others[k];
            (void)compare(arena, memo, (tl_str){object, head + text.len + 2}, &err);
        }
    }
    for (size_t len = 0; len < head + text.len + 2; len++) { /* a known listing that is cut */
        memcpy(object + head, text.ptr, text.len);
        (void)compare(arena, memo, (tl_str){object, len}, &err);
        assert_int_not_equal(err, TL_OK);
    }
    tl_arena_free(arena);
}

/* A number has no end of its own: a longer one is not the shorter. */
static void what_is_no_object_is_read_to_its_end(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    tl_record_memo *memo = NULL;
    tl_err err;
    char object[512];
    assert_int_equal(tl_record_memo_new(&memo, arena, 4, sizeof(uint64_t), NULL), TL_OK);
    for (size_t digits = 200; digits < 210; digits++) {
        memcpy(object, "{\"listings\":[", 13);
        memset(object + 13, '7', digits);
        memcpy(object + 13 + digits, "]}", 2);
        assert_int_equal(compare(arena, memo, (tl_str){object, 15 + digits}, &err), 0);
        assert_int_equal(err, TL_OK);
    }
    tl_arena_free(arena);
}

/* More listings than it holds: it forgets, it gives up, and what is read stays what it is; its memory has an end. */
static void a_full_memo_forgets(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    tl_arena *const scratch = new_arena();
    tl_record_memo *memo = NULL;
    assert_int_equal(tl_record_memo_new(&memo, arena, 100000, sizeof(uint64_t), NULL), TL_OK);
    for (size_t n = 0; n < 80000; n++) {
        const tl_arena_mark mark = tl_arena_get_mark(scratch);
        tl_sb sb;
        tl_str object = {NULL, 0};
        tl_err err;
        tl_sb_init(&sb, scratch);
        tl_sb_put_cstr(&sb, "{\"listings\":[");
        tl_sb_put(&sb, house(scratch, n / 2, "\"2025-10-03T16:00:00Z\""));
        tl_sb_put_cstr(&sb, "]}");
        assert_int_equal(tl_sb_finish(&object, &sb, NULL), TL_OK);
        assert_int_equal(compare(scratch, memo, object, &err), n % 2);
        assert_int_equal(err, TL_OK);
        tl_arena_rewind(scratch, mark);
    }
    assert_true(tl_arena_live_len(arena) < (size_t)48 << 20);
    tl_arena_free(scratch);
    tl_arena_free(arena);
}

/* With a ceiling that it meets soon the memo is of no use, and in nobody's way. */
static void short_memory_only_makes_it_forget(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_arena *const scratch = new_arena();
    tl_record_memo *memo = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 16384, NULL, NULL), TL_OK);
    assert_int_equal(tl_record_memo_new(&memo, arena, 4, sizeof(uint64_t), NULL), TL_OK);
    for (size_t n = 0; n < 100; n++) {
        tl_sb sb;
        tl_str object = {NULL, 0};
        tl_err err;
        tl_sb_init(&sb, scratch);
        tl_sb_put_cstr(&sb, "{\"listings\":[");
        tl_sb_put(&sb, house(scratch, n, "\"2025-10-03T16:00:00Z\""));
        tl_sb_put_cstr(&sb, "]}");
        assert_int_equal(tl_sb_finish(&object, &sb, NULL), TL_OK);
        (void)compare(scratch, memo, object, &err);
        assert_int_equal(err, TL_OK);
    }
    tl_arena_free(scratch);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_time_may_stand_in_a_known_listing),
        cmocka_unit_test(one_byte_makes_another),
        cmocka_unit_test(what_is_no_object_is_read_to_its_end),
        cmocka_unit_test(a_full_memo_forgets),
        cmocka_unit_test(short_memory_only_makes_it_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
