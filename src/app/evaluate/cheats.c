/* cheats.c: the cheats of the cli spec, each beyond its rule's threshold (EVAL-3). */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/listings/record/record.h"
#include "core/num/fmath/fmath.h"

#define SHARE_MAX 0.6

/* So many of so many rows, more than the rule lets pass. */
static size_t share_of(tl__round *r, size_t count, double least, double most)
{
    const size_t n = (size_t)(tl__between(r, least, most) * (double)count) + 1;
    return n < count ? n : count;
}

/* --- one's own rows, spoiled --- */

static tl_err start(tl__sheet *out, tl__round *r, tl_evaluate_cheat cheat, double least,
                    double most, tl_errctx *ctx)
{
    TL_TRY(tl__scrape(out, r, tl__between(r, least, most), tl__chance(r, 0.6), ctx));
    out->role = cheat;
    return TL_OK;
}

/* Prices of a type that has enough homes for a median, z deviations off, up or down, within the limits of tier 2. */
static bool spoil_price(tl__round *r, tl__row *row, double z)
{
    const int64_t least = 1000000;
    const int64_t most = INT64_C(5000000000);
    const tl__level *level = &r->zip->levels[tl_record_property_type(row->house->type)];
    if (level->count < 12 || level->mad <= 0.0 ||
        (row->absent & (TL__NO_AREA | TL__NO_TYPE)) != 0) {
        return false;
    }
    const double apart = z * level->mad / 0.6745;
    const double area = (double)row->sqft_hundredths;
    const double high = area * tl_exp(level->median + apart);
    const double low = area * tl_exp(level->median - apart);
    const bool is_up = tl__chance(r, 0.5);
    const bool fits_up = high < (double)most;
    const bool fits_down = low > (double)least;
    if (!fits_up && !fits_down) {
        return false;
    }
    row->price_cents = (int64_t)((is_up && fits_up) || !fits_down ? high : low);
    return true;
}

static void spoil_prices(tl__round *r, tl__sheet *s)
{
    const size_t wanted = share_of(r, s->count, 0.12, SHARE_MAX);
    const double z = tl__between(r, 4.0, 9.0);
    size_t spoiled = 0;
    tl__shuffle(r, s->rows, s->count);
    for (size_t i = 0; i < s->count && spoiled < wanted; i++) {
        spoiled += spoil_price(r, &s->rows[i], z);
    }
    /* No type here has enough homes to stand out from: prices that no home has. */
    for (size_t i = 0; i < wanted && spoiled * 100 <= s->count * 11; i++) {
        s->rows[i].price_cents = INT64_C(5000000000) * (2 + (int64_t)tl__below(r, 9));
    }
}

/* A town that is not here: one that the table of zipcodes knows, of another state. */
static tl_str far_town(tl__round *r)
{
    for (int tries = 0; tries < 100 && r->zip->is_known; tries++) {
        const tl_place *place = &r->places->items[tl__below(r, r->places->count)];
        if (place->city.len != 0 && place->state.len != 0 &&
            !tl_str_eq(place->state, r->zip->place.state) &&
            !tl_str_eq(place->city, r->zip->place.city)) {
            return place->city;
        }
    }
    return TL_STR("Elsewhere");
}

/* Rows from elsewhere: by their zipcode, their coordinates or their town, as far as the rows have these. */
static void spoil_places(tl__round *r, tl__sheet *s)
{
    const size_t wanted = share_of(r, s->count, 0.06, SHARE_MAX);
    const tl_place *place = &r->zip->place;
    const bool has_positions = place->latitude_e4 != 0 || place->longitude_e4 != 0;
    const uint64_t way = tl__below(r, 3);
    const int32_t moved = (int32_t)tl__between(r, 400000, 3000000);
    const tl_str town = far_town(r);
    size_t spoiled = 0;
    tl__shuffle(r, s->rows, s->count);
    for (size_t i = 0; i < s->count && spoiled < wanted; i++) {
        tl__row *row = &s->rows[i];
        if (way == 0 && has_positions && row->house->has_position) {
            row->latitude_e6 += row->latitude_e6 > 0 ? -moved : moved;
        } else if (way == 1 && place->city.len != 0 && row->house->city.len != 0) {
            row->city = town;
        } else {
            row->zipcode[4] = row->zipcode[4] == '9' ? '0' : (char)(row->zipcode[4] + 1);
        }
        spoiled++;
    }
}

static void spoil_dates(tl__round *r, tl__sheet *s)
{
    const int64_t hour_ms = 3600 * 1000;
    const uint64_t way = tl__below(r, 4);
    const size_t wanted =
        way == 3 ? share_of(r, s->count, 0.55, 1.0) : share_of(r, s->count, 0.06, SHARE_MAX);
    const int64_t second = s->rows[0].scraped_ms / 1000 * 1000;
    tl__shuffle(r, s->rows, s->count);
    for (size_t i = 0; i < wanted; i++) {
        tl__row *row = &s->rows[i];
        switch (way) {
        case 0:
            row->listed_ms = r->world->deadline_ms + (1 + (int64_t)tl__below(r, 400)) * TL__DAY_MS;
            break;
        case 1:
            row->days_on_market = -1 - (int64_t)tl__below(r, 100);
            break;
        case 2:
            row->scraped_ms =
                tl__chance(r, 0.5)
                    ? r->world->start_ms - hour_ms * (2 + (int64_t)tl__below(r, 90))
                    : r->world->deadline_ms + hour_ms * (1 + (int64_t)tl__below(r, 90));
            break;
        default:
            row->scraped_ms = second + (s->style.has_ms ? (int64_t)tl__below(r, 1000) : 0);
            break;
        }
    }
}

/* Rows again: under their own ids, or others, another spelling and a price beside the true one. */
static void repeat_rows(tl__round *r, tl__sheet *s, bool is_near)
{
    const double share = tl__between(r, 0.06, 0.12);
    const size_t wanted = (size_t)(share / (1.0 - share) * (double)s->count) + 1;
    const size_t count = s->count;
    tl__shuffle(r, s->rows, count);
    for (size_t i = 0; i < wanted; i++) {
        tl__row row = s->rows[i];
        row.scraped_ms += 1000 + (int64_t)tl__below(r, 60000);
        if (is_near) {
            row.variant = 1 + (uint32_t)tl__below(r, 9);
            row.typo = tl__chance(r, 0.7) ? 1 + (uint32_t)tl__below(r, 3) : 0;
            row.price_cents = (int64_t)((double)row.price_cents * tl__between(r, 0.99, 1.01));
        }
        s->rows[s->count++] = row;
    }
    tl__shuffle(r, s->rows, s->count);
}

/* --- inventions --- */

tl__row tl__invent(tl__round *r)
{
    const tl_evaluate_house *a = &r->zip->houses[tl__below(r, r->zip->count)];
    const tl_evaluate_house *b = &r->zip->houses[tl__below(r, r->zip->count)];
    tl__row row = tl__evaluate_row_of(a);
    const double area = tl__between(r, 0.92, 1.08);
    const double price = tl__between(r, 0.9, 1.1);
    row.sqft_hundredths = (int64_t)((double)a->sqft_hundredths * area) / 100 * 100;
    row.price_cents = (int64_t)((double)a->price_cents * area * price) / 100000 * 100000;
    row.bathrooms_hundredths =
        tl__chance(r, 0.7) ? a->bathrooms_hundredths : b->bathrooms_hundredths;
    row.listed_ms = b->listed_day * TL__DAY_MS;
    row.days_on_market = b->days_on_market;
    row.variant = 10 + (uint32_t)tl__below(r, 1000000000);
    row.number = 100 + (uint32_t)tl__below(r, 9900);
    row.latitude_e6 += (int32_t)tl__below(r, 2000) - 1000;
    row.longitude_e6 += (int32_t)tl__below(r, 2000) - 1000;
    return row;
}

static void invent_rows(tl__round *r, tl__sheet *s, size_t count)
{
    tl__shuffle(r, s->rows, s->count);
    for (size_t i = 0; i < count; i++) {
        tl__row row = tl__invent(r);
        row.scraped_ms = s->rows[i].scraped_ms;
        s->rows[i] = row;
    }
    tl__shuffle(r, s->rows, s->count);
}

/* --- another one's work --- */

/* What of the original's own is left to see: slips that the rows carry, six at least, and gaps, of which six tell enough. */
static size_t marks_left(const tl__round *r, const tl__sheet *s, const tl__sheet *of)
{
    const size_t gaps = r->zip->count > of->count ? r->zip->count - of->count : 0;
    size_t slips = 0;
    for (size_t i = 0; i < s->count; i++) {
        slips += s->rows[i].slips;
    }
    return slips < 6 ? 0 : slips + (gaps < 6 ? gaps : 6);
}

static void move_times(tl__round *r, tl__sheet *s, const tl__sheet *of)
{
    const int64_t room = r->world->deadline_ms - of->received_ms;
    const int64_t by = (int64_t)tl__below(r, (uint64_t)room / 2);
    for (size_t i = 0; i < s->count; i++) {
        s->rows[i].scraped_ms += by;
    }
}

/* Noise of each kind over up to half of the rows. marks_min: with fewer the times, or most of them, are kept. */
static void put_noise(tl__round *r, tl__sheet *s, const tl__sheet *of, size_t marks_min)
{
    const double shaken = tl__between(r, 0.0, 0.5);
    const double respelled = tl__between(r, 0.0, 0.5);
    const double dropped = tl__between(r, 0.0, 0.08);
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        tl__row row = s->rows[i];
        if (tl__chance(r, dropped) && s->count - i + kept > r->zip->count * 87 / 100) {
            continue;
        }
        if (tl__chance(r, shaken)) {
            row.price_cents = (int64_t)((double)row.price_cents * tl__between(r, 0.99, 1.01));
            row.sqft_hundredths =
                (int64_t)((double)row.sqft_hundredths * tl__between(r, 0.99, 1.01));
        }
        if (tl__chance(r, respelled)) {
            row.typo = 1 + (uint32_t)tl__below(r, 3);
        }
        s->rows[kept++] = row;
    }
    s->count = kept;
    const bool is_new =
        marks_left(r, s, of) >= marks_min && (!of->style.has_ms || tl__chance(r, 0.5));
    if (is_new) {
        tl__stamp(r, s);
    } else if (tl__chance(r, 0.5)) {
        move_times(r, s, of);
    } else { /* a third of the rows is looked at anew, and so has new times */
        for (size_t i = 0; i < s->count; i++) {
            s->rows[i].scraped_ms += tl__chance(r, 0.33) ? (int64_t)tl__below(r, 900000) : 0;
        }
    }
    tl__shuffle(r, s->rows, s->count);
}

/* A few rows of a house that the original has not. */
static void add_rows(tl__round *r, tl__sheet *s)
{
    const size_t wanted = tl__below(r, s->count / 33 + 2);
    for (size_t i = 0, tries = 0; i < wanted && tries < 40; tries++) {
        const tl_evaluate_house *house = &r->zip->houses[tl__below(r, r->zip->count)];
        bool is_there = false;
        for (size_t j = 0; j < s->count && !is_there; j++) {
            is_there = s->rows[j].house == house;
        }
        if (!is_there && s->count < s->cap) {
            tl__row row = tl__evaluate_row_of(house);
            row.scraped_ms = s->rows[0].scraped_ms + 500;
            s->rows[s->count++] = row;
            i++;
        }
    }
}

static tl_err copy_of(tl__sheet *out, tl__round *r, const tl__sheet *of, tl_evaluate_cheat cheat,
                      tl_errctx *ctx)
{
    tl__sheet sheet = *of;
    sheet.rows = TL_NEW(r->arena, tl__row, of->cap);
    if (sheet.rows == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    memcpy(sheet.rows, of->rows, of->count * sizeof *of->rows);
    sheet.role = cheat;
    *out = sheet;
    return TL_OK;
}

static void receive_later(tl__round *r, tl__sheet *s, const tl__sheet *of)
{
    const uint64_t room = (uint64_t)(r->world->deadline_ms - of->received_ms);
    s->received_ms = of->received_ms + 1 + (int64_t)tl__below(r, room);
}

static tl_err play_copy(tl__sheet *out, tl__round *r, const tl__sheet *from, size_t from_count,
                        tl_evaluate_cheat cheat, bool *is_played, tl_errctx *ctx)
{
    const size_t first = (size_t)tl__below(r, from_count);
    const tl__sheet *of = NULL;
    for (size_t i = 0; i < from_count && of == NULL; i++) { /* one whose copy could be told */
        const tl__sheet *it = &from[(first + i) % from_count];
        const bool tells = cheat == TL_EVALUATE_CHEAT_COPY_EXACT || it->style.has_ms ||
                           marks_left(r, it, it) >= 2 * TL_EVALUATE_MARKS;
        of = tells ? it : NULL;
    }
    *is_played = of != NULL;
    if (of == NULL) {
        return TL_OK;
    }
    TL_TRY(copy_of(out, r, of, cheat, ctx));
    if (cheat == TL_EVALUATE_CHEAT_COPY_NEAR) {
        put_noise(r, out, of, TL_EVALUATE_MARKS);
        add_rows(r, out);
        out->style.spelling = (tl__spelling)tl__below(r, TL__SPELLINGS);
    }
    receive_later(r, out, of);
    return TL_OK;
}

/* One scrape, and what is made of it. */
static tl_err play_sybils(tl__sheet *out, size_t *out_count, tl__round *r, tl_errctx *ctx)
{
    const size_t count = 3 + (size_t)tl__below(r, TL__SYBILS_MAX - 2);
    TL_TRY(tl__scrape(&out[0], r, tl__between(r, 0.9, 1.0), true, ctx));
    out[0].role = TL__ORIGINAL;
    for (size_t i = 1; i < count; i++) {
        TL_TRY(copy_of(&out[i], r, &out[0], TL_EVALUATE_CHEAT_SYBIL, ctx));
        put_noise(r, &out[i], &out[0], TL_EVALUATE_MARKS_SYBIL);
        receive_later(r, &out[i], &out[0]);
    }
    *out_count = count;
    return TL_OK;
}

/* Rows of the mirror among the others; which they are is the round's to say. */
static void add_traps(tl__round *r, tl__sheet *s)
{
    const size_t wanted = 1 + (size_t)tl__below(r, 5);
    const size_t first = (size_t)tl__below(r, TL__TRAPS);
    for (size_t i = 0; i < wanted; i++) {
        tl__row row = r->traps[(first + i) % TL__TRAPS];
        row.scraped_ms = s->rows[i].scraped_ms + 700;
        s->rows[s->count++] = row;
    }
    tl__shuffle(r, s->rows, s->count);
}

tl_err tl__play(tl__sheet *out, size_t *out_count, tl_evaluate_cheat cheat, tl__round *r,
                const tl__sheet *from, size_t from_count, tl_errctx *ctx)
{
    bool is_played = true;
    *out_count = 1;
    switch (cheat) {
    case TL_EVALUATE_CHEAT_IMPOSSIBLE_PRICES:
        TL_TRY(start(out, r, cheat, 0.9, 1.0, ctx));
        spoil_prices(r, out);
        break;
    case TL_EVALUATE_CHEAT_WRONG_GEOGRAPHY:
        TL_TRY(start(out, r, cheat, 0.9, 1.0, ctx));
        spoil_places(r, out);
        break;
    case TL_EVALUATE_CHEAT_IMPOSSIBLE_DATES:
        TL_TRY(start(out, r, cheat, 0.9, 1.0, ctx));
        spoil_dates(r, out);
        break;
    case TL_EVALUATE_CHEAT_DUPLICATES:
    case TL_EVALUATE_CHEAT_DUPLICATES_NEAR:
        TL_TRY(start(out, r, cheat, 0.88, 0.95, ctx));
        repeat_rows(r, out, cheat == TL_EVALUATE_CHEAT_DUPLICATES_NEAR);
        break;
    case TL_EVALUATE_CHEAT_FABRICATED:
        TL_TRY(start(out, r, cheat, 0.9, 1.0, ctx));
        invent_rows(r, out, out->count);
        break;
    case TL_EVALUATE_HALF_INVENTED:
        TL_TRY(start(out, r, cheat, 0.9, 1.0, ctx));
        invent_rows(r, out, out->count / 2);
        break;
    case TL_EVALUATE_CHEAT_HONEYPOT:
        TL_TRY(start(out, r, cheat, 0.9, 0.97, ctx));
        add_traps(r, out);
        break;
    case TL_EVALUATE_CHEAT_COPY_EXACT:
    case TL_EVALUATE_CHEAT_COPY_NEAR:
        TL_TRY(play_copy(out, r, from, from_count, cheat, &is_played, ctx));
        break;
    case TL_EVALUATE_CHEAT_SYBIL:
        TL_TRY(play_sybils(out, out_count, r, ctx));
        break;
    case TL_EVALUATE_PLAYED_COUNT:
        is_played = false;
        break;
    }
    *out_count = is_played ? *out_count : 0;
    return TL_OK;
}
