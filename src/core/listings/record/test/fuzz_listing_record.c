/* Attacks the decoder of objects with anything, beside the strict reader of base/json (REC-1): one refuses what the other
 * refuses; what both accept has the same listings and the same texts. Then the values' own laws: numbers and dates within
 * their limits, a normalised address normalises to itself (REC-3), a listing read again by its offset is the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json/json.h"
#include "core/listings/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA_LIMIT = 1 << 26 };

static const tl_json_options lenient = {.allow_duplicate_keys = true, .allow_nonfinite = true};

static bool is_blank_or_nan(tl_str text)
{
    const tl_str t = tl_str_trim(text);
    return t.len == 0 || (t.len == 3 && (t.ptr[0] | 32) == 'n' && (t.ptr[1] | 32) == 'a' &&
                          (t.ptr[2] | 32) == 'n');
}

/* The reader's texts are those of the tree, or empty where a value counts as absent. */
static void check_texts(const tl_listing *listing, const tl_json *item)
{
    for (unsigned i = 0; i < TL_LISTING_FIELD_COUNT; i++) {
        const tl_json *const value = tl_json_get(item, tl_listing_field_key((tl_listing_field)i));
        const bool is_present = (listing->present >> i & 1) != 0;
        const bool is_readable = (listing->readable >> i & 1) != 0;
        TL_ASSERT(is_present || (!is_readable && listing->text[i].len == 0));
        TL_ASSERT(!is_present || (value != NULL && value->kind != TL_JSON_NULL));
        if (value == NULL || value->kind == TL_JSON_NULL) {
            continue;
        }
        if (value->kind == TL_JSON_NUMBER || value->kind == TL_JSON_STRING) {
            TL_ASSERT(!is_present || tl_str_eq(listing->text[i], value->text));
            TL_ASSERT(!is_blank_or_nan(value->text) || !is_present);
        } else {
            TL_ASSERT(is_present && !is_readable);
        }
    }
}

static void check_values(tl_arena *arena, const tl_listing *l)
{
    const int64_t most = INT64_C(1000000000000000);
    TL_ASSERT(l->price_cents <= most && l->price_cents >= -most); /* REC-2 */
    TL_ASSERT(l->latitude_e6 <= 90000000 && l->latitude_e6 >= -90000000);
    TL_ASSERT(l->longitude_e6 <= 180000000 && l->longitude_e6 >= -180000000);
    TL_ASSERT(l->address.len <= TL_RECORD_ADDRESS_MAX && tl_str_is_utf8(l->address));
    TL_ASSERT(l->identity.len <= TL_RECORD_ADDRESS_MAX + 8 && tl_str_is_utf8(l->identity));
    TL_ASSERT(l->zipcode[0] == '\0' || strlen(l->zipcode) == 5);
    tl_str again = {NULL, 0};
    const tl_err err = tl_record_address(&again, arena, l->address, NULL);
    TL_ASSERT(err == TL_OK && tl_str_eq(again, l->address)); /* REC-3 */
}

static void check_listing(tl_arena *arena, tl_str text, const tl_listing_reader *reader,
                          const tl_listing *l)
{
    tl_listing again;
    const tl_err err = tl_record_at(&again, arena, text, reader->offset, l->index, NULL);
    TL_ASSERT(err == TL_OK && again.present == l->present && again.readable == l->readable);
    TL_ASSERT(tl_str_eq(again.identity, l->identity) && tl_str_eq(again.address, l->address));
    TL_ASSERT(again.price_cents == l->price_cents && again.listed_ms == l->listed_ms);
    check_values(arena, l);
}

static const tl_json *listings_of(const tl_json *tree)
{
    const tl_json *const list = tl_json_get(tree, "listings");
    return list != NULL && list->kind == TL_JSON_ARRAY ? list : NULL;
}

static void check(tl_arena *arena, tl_str text)
{
    const tl_json *tree = NULL;
    const tl_err json_err = tl_json_parse(&tree, arena, text, &lenient, NULL);
    const tl_json *const list = json_err == TL_OK ? listings_of(tree) : NULL;
    tl_listing_reader reader;
    tl_err err = tl_record_open(&reader, arena, text, 7, NULL);
    bool has_listing = true;
    uint32_t count = 0;
    while (err == TL_OK && has_listing) {
        tl_listing listing;
        err = tl_record_next(&reader, &listing, &has_listing, NULL);
        if (err == TL_OK && has_listing) {
            TL_ASSERT(listing.index == 7 + count);
            if (list != NULL) {
                TL_ASSERT(count < list->count);
                check_texts(&listing, &list->items[count]);
            }
            check_listing(arena, text, &reader, &listing);
            count++;
        }
    }
    TL_ASSERT(!reader.is_ours);
    if (json_err != TL_OK) { /* an object's shape may be found wrong before its end is no JSON */
        TL_ASSERT(err != TL_OK);
        TL_ASSERT(err == json_err || err == TL_ERR_DUPLICATE || err == TL_ERR_TYPE ||
                  err == TL_ERR_RANGE);
    } else if (err == TL_OK) {
        TL_ASSERT(list != NULL && count == list->count);
    } else {
        TL_ASSERT(err == TL_ERR_DUPLICATE || err == TL_ERR_TYPE || err == TL_ERR_RANGE ||
                  err == TL_ERR_MISSING);
    }
}

/* The same with a memo, which knows the listings from the second turn on (REC-4). */
static void check_memo(tl_arena *arena, tl_str text)
{
    tl_record_memo *memo = NULL;
    tl_err err = tl_record_memo_new(&memo, arena, 16, 0, NULL);
    for (int turn = 0; turn < 2; turn++) {
        tl_listing_reader bare;
        tl_listing_reader with;
        bool has_listing = memo != NULL;
        tl_err with_err = tl_record_open(&with, arena, text, 7, NULL);
        err = tl_record_open(&bare, arena, text, 7, NULL);
        with.memo = memo;
        while (err == TL_OK && has_listing) {
            tl_listing a;
            tl_listing b;
            bool has_b = false;
            err = tl_record_next(&bare, &a, &has_listing, NULL);
            with_err = tl_record_next(&with, &b, &has_b, NULL);
            TL_ASSERT(with_err == err && (err != TL_OK || has_b == has_listing));
            if (err == TL_OK && has_listing) {
                TL_ASSERT(a.present == b.present && a.readable == b.readable);
                TL_ASSERT(tl_str_eq(a.identity, b.identity) && tl_str_eq(a.address, b.address));
                TL_ASSERT(a.scraped_ms == b.scraped_ms && a.price_cents == b.price_cents);
                TL_ASSERT(tl_str_eq(a.text[TL_FIELD_SCRAPED_TIMESTAMP],
                                    b.text[TL_FIELD_SCRAPED_TIMESTAMP]));
            }
        }
        TL_ASSERT(with_err == err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= 1 << 16 && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        check_memo(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
