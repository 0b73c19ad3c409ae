/* sketch.c: a listing becomes some eighty bytes that are enough to find it again under another spelling. */
#include <string.h>

#include "core/listings/near/near_internal.h"

static const uint64_t seeds[2] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f)};

/* The two halves of a 128-bit product, folded: each bit of either word reaches about half of the result's. */
uint64_t tl__near_mix(uint64_t a, uint64_t b)
{
    const tl_u128 wide = (tl_u128)(a ^ seeds[0]) * (b ^ seeds[1]);
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

/* Eight bytes, the first one lowest, on every machine: one load where the machine's order is that. */
static uint64_t word_at(const char *text)
{
    const uint8_t *b = (const uint8_t *)text;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

static uint64_t tail_at(const char *text, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)(uint8_t)text[i] << (8 * i);
    }
    return word;
}

static uint64_t hash_text(uint64_t state, tl_str text)
{
    size_t at = 0;
    state ^= (uint64_t)text.len << 32;
    for (; at + 8 <= text.len; at += 8) {
        state = tl__near_mix(state ^ word_at(text.ptr + at), seeds[0]);
    }
    return tl__near_mix(state ^ tail_at(text.ptr + at, text.len - at), seeds[1] + text.len);
}

static uint32_t fold(uint64_t hash)
{
    const uint32_t folded = (uint32_t)(hash ^ (hash >> 32));
    return folded != 0 ? folded : 1; /* 0 is absent */
}

/* --- addresses --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* A direction, or a single letter: a unit, a building. Short, and a slip of the pen there is another house. */
static bool is_quarter(tl_str word)
{
    if (word.len == 1) {
        return is_letter(word.ptr[0]);
    }
    return word.len == 2 && (word.ptr[0] == 'N' || word.ptr[0] == 'S') &&
           (word.ptr[1] == 'E' || word.ptr[1] == 'W');
}

/* What survives another spelling: the numbers, whatever their order; the quarters; the pairs of letters. */
static void read_address(tl__near_row *row, tl_str address, const char *zipcode)
{
    uint64_t numbers = 0;
    uint64_t quarters = 0;
    tl_str rest = address;
    tl_str word;
    while (tl_str_split(&word, &rest, ' ')) {
        if (word.len == 5 && memcmp(word.ptr, zipcode, 5) == 0) {
            continue; /* all have it */
        }
        if (is_quarter(word)) {
            quarters += tl__near_mix(tail_at(word.ptr, word.len), 1);
            continue;
        }
        uint64_t number = 0;
        bool has_number = false;
        for (size_t i = 0; i < word.len; i++) {
            if (is_digit(word.ptr[i])) {
                number = number * 10 + (uint64_t)(word.ptr[i] - '0') + 1;
                has_number = true;
            } else if (i + 1 < word.len && is_letter(word.ptr[i]) && is_letter(word.ptr[i + 1])) {
                const uint64_t pair =
                    (uint64_t)(word.ptr[i] - 'A') * 26 + (uint64_t)(word.ptr[i + 1] - 'A');
                row->letters |= UINT64_C(1) << ((pair + 1) * seeds[0] >> 58);
            }
        }
        numbers += has_number ? tl__near_mix(number, 3) : 0;
    }
    row->block = numbers != 0 ? fold(numbers) : 0;
    row->quarter = fold(quarters);
}

/* --- a row --- */

static bool is_readable(const tl_listing *listing, tl_listing_field field)
{
    return (listing->readable >> field & 1) != 0;
}

static uint32_t saturate(int64_t value)
{
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* Hundredths of rooms, from 1 on, so that none is not absent. */
static uint16_t rooms(const tl_listing *listing, tl_listing_field field, int64_t hundredths)
{
    if (!is_readable(listing, field) || hundredths < 0) {
        return 0;
    }
    return (uint16_t)(hundredths >= UINT16_MAX ? UINT16_MAX : hundredths + 1);
}

static uint32_t hash_field(const tl_listing *listing, tl_listing_field field)
{
    return (listing->present >> field & 1) != 0 ? fold(hash_text(field, listing->text[field])) : 0;
}

/* All but index, entry and scraped_timestamp. */
static void read_row(tl__near_row *row, const tl_listing *listing)
{
    const int64_t day_ms = INT64_C(86400000);
    row->identity = listing->identity.len != 0 ? hash_text(1, listing->identity) | 1 : 0;
    if (listing->address.len != 0) {
        row->address = hash_text(2, listing->address) | 1;
        read_address(row, listing->address, listing->zipcode);
    } else {
        row->address = row->identity;
    }
    row->price = is_readable(listing, TL_FIELD_PRICE) ? saturate(listing->price_cents / 100) : 0;
    row->sqft = is_readable(listing, TL_FIELD_SQFT) ? saturate(listing->sqft_hundredths) : 0;
    row->bedrooms = rooms(listing, TL_FIELD_BEDROOMS, listing->bedrooms_hundredths);
    row->bathrooms = rooms(listing, TL_FIELD_BATHROOMS, listing->bathrooms_hundredths);
    if (is_readable(listing, TL_FIELD_LISTING_DATE)) {
        row->day = saturate(listing->listed_ms / day_ms + INT64_C(1000000));
    }
    row->ids = hash_field(listing, TL_FIELD_MLS_ID) + 3 * hash_field(listing, TL_FIELD_ZPID);
    row->text = hash_field(listing, TL_FIELD_DESCRIPTION);
    row->status = (uint16_t)hash_field(listing, TL_FIELD_LISTING_STATUS);
    if ((listing->present >> TL_FIELD_PROPERTY_TYPE & 1) != 0) {
        row->type = (uint16_t)(listing->property_type + 1);
    }
}

/* Every text of the listing but that of scraped_timestamp, as written. Zeros where a field is absent keep the others in
 * their places. */
static uint64_t read_content(const tl_listing *listing)
{
    uint64_t hash = seeds[1];
    for (unsigned f = 0; f < TL_LISTING_FIELD_COUNT; f++) {
        if (f != TL_FIELD_SCRAPED_TIMESTAMP) {
            hash = (listing->present >> f & 1) != 0 ? hash_text(hash, listing->text[f])
                                                    : tl__near_mix(hash, 0);
        }
    }
    return hash;
}

void tl_near_sketch_of(tl_near_sketch *out, const tl_listing *listing)
{
    tl__near_row row;
    memset(&row, 0, sizeof row);
    memset(out, 0, sizeof *out);
    read_row(&row, listing);
    memcpy(out->words, &row, sizeof row);
    out->content = read_content(listing);
}

/* What sketches leave open: where the listing stands, and when it was read. */
static void finish_row(tl__near_row *row, const tl_listing *listing)
{
    row->index = listing->index;
    row->present = listing->present & ((UINT32_C(1) << TL_LISTING_FIELDS_ASKED) - 1);
    row->scraped_ms =
        is_readable(listing, TL_FIELD_SCRAPED_TIMESTAMP) ? listing->scraped_ms : TL__NEAR_NO_TIME;
}

static void add_content(tl__near_content *content, uint64_t texts, const tl_listing *listing)
{
    const bool has_time = (listing->present >> TL_FIELD_SCRAPED_TIMESTAMP & 1) != 0;
    const uint64_t hash = has_time ? hash_text(texts, listing->text[TL_FIELD_SCRAPED_TIMESTAMP])
                                   : tl__near_mix(texts, 0);
    content->sum[0] += hash;
    content->sum[1] += tl__near_mix(hash, seeds[1]);
    content->rows++;
}

/* --- the set --- */

tl_err tl_near_new(tl_near **out, tl_arena *arena, const tl_listings_params *params, tl_errctx *ctx)
{
    tl_near *near = TL_NEW(arena, tl_near, 1);
    if (near == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    near->arena = arena;
    near->params = params;
    tl_vec_init(&near->chunks, arena, sizeof(tl__near_row *));
    tl_vec_init(&near->contents, arena, sizeof(tl__near_content));
    *out = near;
    return TL_OK;
}

/* Chunks, since an array that grows would leave its old copies behind (NEAR-3). NULL: no memory. */
static tl__near_row *next_row(tl_near *near)
{
    const size_t at = near->row_count % TL__NEAR_CHUNK;
    if (at == 0) {
        tl__near_row *chunk = TL_NEW(near->arena, tl__near_row, TL__NEAR_CHUNK);
        tl__near_row **slot = chunk != NULL ? tl_vec_push(&near->chunks) : NULL;
        if (slot == NULL) {
            return NULL;
        }
        *slot = chunk;
    }
    tl__near_row *const *chunks = near->chunks.items;
    return &chunks[near->row_count++ / TL__NEAR_CHUNK][at];
}

tl_err tl_near_add_sketched(tl_near *near, size_t entry, const tl_near_sketch *sketch,
                            const tl_listing *listing, tl_errctx *ctx)
{
    TL_ASSERT(!near->is_finished);
    if (entry >= TL_ENTRIES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %zu miners in one zipcode", TL_ENTRIES_MAX);
    }
    if (near->row_count >= TL_NEAR_ROWS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %zu listings in one zipcode",
                       TL_NEAR_ROWS_MAX);
    }
    while (near->contents.count <= entry) {
        if (tl_vec_push(&near->contents) == NULL) {
            return tl_arena_fail(near->arena, ctx);
        }
    }
    tl__near_row *const row = next_row(near);
    if (row == NULL) {
        return tl_arena_fail(near->arena, ctx);
    }
    memcpy(row, sketch->words, sizeof *row);
    row->entry = (uint32_t)entry;
    finish_row(row, listing);
    tl__near_content *const contents = near->contents.items;
    add_content(&contents[entry], sketch->content, listing);
    return TL_OK;
}

tl_err tl_near_add(tl_near *near, size_t entry, const tl_listing *listings, size_t count,
                   tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        tl_near_sketch sketch;
        tl_near_sketch_of(&sketch, &listings[i]);
        TL_TRY(tl_near_add_sketched(near, entry, &sketch, &listings[i], ctx));
    }
    return TL_OK;
}

/* --- likeness of two rows --- */

bool tl__near_within(uint32_t a, uint32_t b, uint32_t thousandths)
{
    const uint32_t low = a < b ? a : b;
    const uint32_t high = a < b ? b : a;
    return (uint64_t)(high - low) * 1000 <= (uint64_t)high * thousandths;
}

/* Sums of neighbours, in pairs, fours and eights, then of all bytes at once: plain C, no helper of the compiler's. */
static uint32_t bit_count(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

/* Equal, or not said by one of them. */
static bool is_compatible(uint16_t a, uint16_t b)
{
    return a == b || a == 0 || b == 0;
}

/* One letter more, less or changed moves at most four pairs of letters, two swapped six. */
#define LETTERS_APART_MAX 8

bool tl__near_is_same_house(const tl__near_row *a, const tl__near_row *b)
{
    return a->block == b->block && a->quarter == b->quarter &&
           (a->address == b->address || bit_count(a->letters ^ b->letters) <= LETTERS_APART_MAX) &&
           is_compatible(a->bedrooms, b->bedrooms) && is_compatible(a->bathrooms, b->bathrooms) &&
           tl__near_within(a->sqft, b->sqft, 20);
}
