/* world.h: a zipcode and its miners, for the tests of near: houses with true figures, and submissions as honest miners
 * and cheats would bring them. Everything follows from the seed. */
#ifndef TALLY_CORE_LISTINGS_NEAR_TEST_WORLD_H
#define TALLY_CORE_LISTINGS_NEAR_TEST_WORLD_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/listings/near/near.h"
#include "core/num/rng/rng.h"

#define HOUSES_MAX 1024
#define OPEN_MS    INT64_C(1700000000000)

typedef struct world_row {
    uint32_t house;
    int64_t price_cents;
    int64_t sqft_hundredths;
    int64_t bedrooms_hundredths; /* -1: not there */
    int64_t bathrooms_hundredths;
    int64_t scraped_ms;
    uint32_t spelling; /* 0: the usual one */
    uint32_t id;       /* 0: the house's own */
} world_row;

typedef struct world_sheet {
    world_row rows[HOUSES_MAX * 2];
    size_t count;
} world_sheet;

typedef struct world {
    tl_xoshiro rng;
    size_t house_count;
    world_row truth[HOUSES_MAX];
} world;

static inline bool one_in(world *w, double share)
{
    return tl_xoshiro_unit(&w->rng) < share;
}

static inline int64_t scaled(world *w, int64_t value, double spread)
{
    return (int64_t)((double)value * (1.0 + spread * (2.0 * tl_xoshiro_unit(&w->rng) - 1.0)));
}

static inline void world_make(world *w, uint64_t seed, size_t houses)
{
    tl_xoshiro_seed(&w->rng, seed);
    w->house_count = houses;
    for (size_t i = 0; i < houses; i++) {
        w->truth[i] = (world_row){
            .house = (uint32_t)i,
            .price_cents = (int64_t)(200000 + tl_xoshiro_below(&w->rng, 800000)) * 100,
            .sqft_hundredths = (int64_t)(600 + tl_xoshiro_below(&w->rng, 3000)) * 100,
            .bedrooms_hundredths = (int64_t)(1 + tl_xoshiro_below(&w->rng, 5)) * 100,
            .bathrooms_hundredths = (int64_t)(4 + tl_xoshiro_below(&w->rng, 10)) * 25,
        };
    }
}

static inline void world_shuffle(world *w, world_sheet *s)
{
    for (size_t i = s->count; i > 1; i--) {
        const size_t j = (size_t)tl_xoshiro_below(&w->rng, i);
        const world_row row = s->rows[i - 1];
        s->rows[i - 1] = s->rows[j];
        s->rows[j] = row;
    }
}

/* Times as a scraper that starts somewhere in the epoch has them. */
static inline void world_stamp(world *w, world_sheet *s)
{
    int64_t at = OPEN_MS + (int64_t)tl_xoshiro_below(&w->rng, 10000000);
    for (size_t i = 0; i < s->count; i++) {
        at += 120 + (int64_t)tl_xoshiro_below(&w->rng, 900);
        s->rows[i].scraped_ms = at;
    }
}

/* 90 to 100 % of the houses, and a few slips of one's own. */
static inline void world_honest(world *w, world_sheet *s)
{
    const double missed = 0.1 * tl_xoshiro_unit(&w->rng);
    s->count = 0;
    for (size_t i = 0; i < w->house_count; i++) {
        if (one_in(w, missed)) {
            continue;
        }
        world_row row = w->truth[i];
        if (one_in(w, 0.012)) {
            row.price_cents = scaled(w, row.price_cents, 0.06);
        }
        if (one_in(w, 0.01)) {
            row.bedrooms_hundredths = -1;
        }
        if (one_in(w, 0.01)) {
            row.bathrooms_hundredths = -1;
        }
        s->rows[s->count++] = row;
    }
    world_shuffle(w, s);
    world_stamp(w, s);
}

/* noise: which share of the rows is dropped, shaken and respelled, each. */
static inline void world_copy(world *w, world_sheet *s, const world_sheet *of, double noise,
                              bool keeps_times)
{
    s->count = 0;
    for (size_t i = 0; i < of->count; i++) {
        world_row row = of->rows[i];
        if (one_in(w, noise / 4)) {
            continue;
        }
        if (one_in(w, noise)) {
            row.price_cents = scaled(w, row.price_cents, 0.01);
            row.sqft_hundredths = scaled(w, row.sqft_hundredths, 0.01);
        }
        row.spelling = one_in(w, noise) ? 1 + (uint32_t)tl_xoshiro_below(&w->rng, 3) : 0;
        s->rows[s->count++] = row;
    }
    world_shuffle(w, s);
    if (!keeps_times) {
        world_stamp(w, s);
    }
}

TL_PRINTF(2, 3) static inline tl_str print_text(tl_arena *arena, const char *format, ...)
{
    char *text = tl_arena_alloc(arena, 1, 96, 1);
    va_list list;
    va_start(list, format);
    const int len = vsnprintf(text, 96, format, list);
    va_end(list);
    return (tl_str){text, (size_t)len};
}

static inline void set_field(tl_listing *out, tl_listing_field field, tl_str text)
{
    out->text[field] = text;
    out->present |= UINT32_C(1) << field;
    out->readable |= UINT32_C(1) << field;
}

/* What the decoder would have made of the row. */
static inline void world_listing(tl_arena *arena, tl_listing *out, const world_row *row,
                                 size_t index)
{
    static const char *const names[] = {"MAPLETON", "MAPELTON", "MAPLETN", "MAPLETONN"};
    memset(out, 0, sizeof *out);
    const unsigned number = 100 + 2 * row->house;
    memcpy(out->zipcode, "98101", 6);
    out->index = (uint32_t)index;
    out->address = print_text(arena, "%u NE %uTH %s ST SEATTLE WA 98101", number,
                              1 + row->house % 40, names[row->spelling % 4]);
    set_field(out, TL_FIELD_ADDRESS, out->address);
    out->identity = print_text(arena, "mls:%u.%u", row->house, row->id);
    set_field(out, TL_FIELD_MLS_ID, out->identity);
    out->price_cents = row->price_cents;
    set_field(out, TL_FIELD_PRICE,
              print_text(arena, "%u.%02u", (unsigned)(row->price_cents / 100),
                         (unsigned)(row->price_cents % 100)));
    out->sqft_hundredths = row->sqft_hundredths;
    set_field(out, TL_FIELD_SQFT,
              print_text(arena, "%u.%02u", (unsigned)(row->sqft_hundredths / 100),
                         (unsigned)(row->sqft_hundredths % 100)));
    if (row->bedrooms_hundredths >= 0) {
        out->bedrooms_hundredths = row->bedrooms_hundredths;
        set_field(out, TL_FIELD_BEDROOMS,
                  print_text(arena, "%u", (unsigned)row->bedrooms_hundredths));
    }
    if (row->bathrooms_hundredths >= 0) {
        out->bathrooms_hundredths = row->bathrooms_hundredths;
        set_field(out, TL_FIELD_BATHROOMS,
                  print_text(arena, "%u", (unsigned)row->bathrooms_hundredths));
    }
    out->listed_ms = OPEN_MS - (int64_t)(row->house % 300) * 86400000;
    set_field(out, TL_FIELD_LISTING_DATE, print_text(arena, "%u", row->house % 300));
    out->scraped_ms = row->scraped_ms;
    set_field(out, TL_FIELD_SCRAPED_TIMESTAMP, print_text(arena, "%" PRId64, row->scraped_ms));
}

/* Hands a sheet to near in pieces. */
static inline tl_err world_add(tl_near *near, size_t entry, const world_sheet *s, tl_errctx *ctx)
{
    tl_arena *arena;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = TL_OK;
    for (size_t i = 0; i < s->count && err == TL_OK; i++) {
        tl_listing listing;
        world_listing(arena, &listing, &s->rows[i], i);
        err = tl_near_add(near, entry, &listing, 1, ctx);
    }
    tl_arena_free(arena);
    return err;
}

#endif
