/* honest.c: what an honest miner brings, with the small differences of a real scraper, and nothing else (EVAL-2). */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/listings/record/record.h"

#define STALE   0.01
#define MISSING 0.008
#define SLIP_BP 250 /* a stale price that far off is seen through a copy's noise */

double tl__unit(tl__round *r)
{
    return tl_xoshiro_unit(&r->rng);
}

uint64_t tl__below(tl__round *r, uint64_t n)
{
    return tl_xoshiro_below(&r->rng, n);
}

bool tl__chance(tl__round *r, double share)
{
    return tl__unit(r) < share;
}

double tl__between(tl__round *r, double low, double high)
{
    return low + (high - low) * tl__unit(r);
}

tl__row tl__evaluate_row_of(const tl_evaluate_house *house)
{
    tl__row row = {
        .house = house,
        .price_cents = house->price_cents,
        .bedrooms_hundredths = house->bedrooms_hundredths,
        .bathrooms_hundredths = house->bathrooms_hundredths,
        .sqft_hundredths = house->sqft_hundredths,
        .listed_ms = house->listed_day * TL__DAY_MS,
        .days_on_market = house->days_on_market,
        .latitude_e6 = house->latitude_e6,
        .longitude_e6 = house->longitude_e6,
    };
    memcpy(row.zipcode, house->zipcode, sizeof row.zipcode);
    return row;
}

void tl__shuffle(tl__round *r, tl__row *rows, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)tl__below(r, i);
        const tl__row row = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = row;
    }
}

/* A pass over the source somewhere in the epoch, at a pace of its own, in the order of the rows. */
void tl__stamp(tl__round *r, tl__sheet *sheet)
{
    const int64_t epoch_ms = r->world->deadline_ms - r->world->start_ms;
    const uint64_t pace_ms = 250 + tl__below(r, 1250);
    int64_t at = r->world->start_ms + (int64_t)tl__below(r, (uint64_t)epoch_ms / 2);
    for (size_t i = 0; i < sheet->count; i++) {
        at += (int64_t)(pace_ms / 4 + tl__below(r, pace_ms * 3 / 2));
        sheet->rows[i].scraped_ms = sheet->style.has_ms ? at : at / 1000 * 1000;
    }
    sheet->received_ms = at + 1000 + (int64_t)tl__below(r, 600000);
    TL_ASSERT(sheet->received_ms < r->world->deadline_ms);
}

static tl__style make_style(tl__round *r, bool has_ms)
{
    return (tl__style){
        .spelling = (tl__spelling)tl__below(r, TL__SPELLINGS),
        .numbers = (unsigned)tl__below(r, 3),
        .dates = (unsigned)tl__below(r, 3),
        .has_ms = has_ms,
        .rounds_area = tl__chance(r, 0.2),
        .adds_four = tl__chance(r, 0.1),
    };
}

/* What this visit got wrong. */
static void slip(tl__round *r, tl__row *row, const tl__style *style)
{
    if (tl__chance(r, STALE)) {
        const int64_t before = tl__price_before(row->house);
        const int64_t apart =
            before > row->price_cents ? before - row->price_cents : row->price_cents - before;
        row->slips += apart * 10000 > row->price_cents * SLIP_BP;
        row->price_cents = before;
    }
    if (tl__chance(r, MISSING)) {
        row->absent = 1u << tl__below(r, 4);
        row->slips++;
    }
    if (style->rounds_area) {
        row->sqft_hundredths = (row->sqft_hundredths + 500) / 1000 * 1000;
    }
    row->days_on_market += (int64_t)tl__below(r, 2);
}

static void put_in_own_order(tl__round *r, tl__sheet *sheet)
{
    switch (tl__below(r, 3)) {
    case 0: /* as the source has them */
        break;
    case 1: /* dearest first, as sources like to sort */
        for (size_t i = 1; i < sheet->count; i++) {
            const tl__row row = sheet->rows[i];
            size_t at = i;
            for (; at > 0 && sheet->rows[at - 1].price_cents < row.price_cents; at--) {
                sheet->rows[at] = sheet->rows[at - 1];
            }
            sheet->rows[at] = row;
        }
        break;
    default:
        tl__shuffle(r, sheet->rows, sheet->count);
        break;
    }
}

tl_err tl__scrape(tl__sheet *out, tl__round *r, double share, bool has_ms, tl_errctx *ctx)
{
    const size_t all = r->zip->count;
    tl__sheet sheet = {.cap = all * 2 + 8, .role = TL__HONEST, .style = make_style(r, has_ms)};
    sheet.rows = TL_NEW(r->arena, tl__row, sheet.cap);
    if (sheet.rows == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    size_t wanted = (size_t)(share * (double)all + 0.999);
    for (size_t i = 0; i < all;
         i++) { /* so many of so many, each house alike (Knuth's algorithm S) */
        if (tl__below(r, all - i) < wanted) {
            tl__row row = tl__evaluate_row_of(&r->zip->houses[i]);
            slip(r, &row, &sheet.style);
            sheet.rows[sheet.count++] = row;
            wanted--;
        }
    }
    if (tl__chance(r, 0.5)) {
        put_in_own_order(r, &sheet);
        tl__stamp(r, &sheet);
    } else { /* read in the source's order, handed in in another */
        tl__stamp(r, &sheet);
        put_in_own_order(r, &sheet);
    }
    *out = sheet;
    return TL_OK;
}
