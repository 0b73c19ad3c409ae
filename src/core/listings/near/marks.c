/* marks.c: what a miner says that most others do not, house by house; who else says it; and what sharing it tells. */
#include <string.h>

#include "core/listings/near/marks_internal.h"

static const tl__near_kind kinds[TL__NEAR_FIELD_COUNT] = {
#define FIELD_KIND(name, kind) [TL__NEAR_F_##name] = TL__NEAR_##kind,
    TL__NEAR_FIELD_MAP(FIELD_KIND)
#undef FIELD_KIND
};

tl__near_kind tl__near_kind_of(tl__near_field field)
{
    TL_ASSERT((unsigned)field < TL__NEAR_FIELD_COUNT);
    return kinds[field];
}

/* --- values --- */

#define VALUE_THOUSANDTHS 20 /* of price and area: rounding, and what noise may shake */
#define SHARE_THOUSANDTHS 15 /* two deviations that are one */
#define REPORTERS_MIN     TL_NEAR_MINERS_MIN

static bool is_tolerant(tl__near_field field)
{
    return field == TL__NEAR_F_PRICE || field == TL__NEAR_F_SQFT;
}

static uint32_t value_of(const tl__near_finder *f, const tl__near_row *row, tl__near_field field)
{
    switch (field) {
    case TL__NEAR_F_PRICE:
        return row->price;
    case TL__NEAR_F_SQFT:
        return row->sqft;
    case TL__NEAR_F_BEDROOMS:
        return row->bedrooms;
    case TL__NEAR_F_BATHROOMS:
        return row->bathrooms;
    case TL__NEAR_F_DAY:
        return row->day;
    case TL__NEAR_F_TYPE:
        return row->type;
    case TL__NEAR_F_STATUS:
        return row->status;
    case TL__NEAR_F_IDS:
        return row->ids;
    case TL__NEAR_F_TEXT:
        return row->text;
    case TL__NEAR_F_PRESENT:
        return (row->present ^ f->habit[row->entry]) + 1;
    case TL__NEAR_F_MISSED:
    case TL__NEAR_F_MOMENT:
    case TL__NEAR_F_STEP:
    case TL__NEAR_FIELD_COUNT:
        break;
    }
    return 0;
}

/* The value of more than half of the claims; 0: there is none (Boyer and Moore 1981). A majority is the median too. */
static uint32_t majority_of(const tl__near_claim *claims, size_t count)
{
    uint32_t value = 0;
    size_t lead = 0;
    for (size_t i = 0; i < count; i++) {
        if (lead == 0) {
            value = claims[i].value;
        }
        lead = claims[i].value == value ? lead + 1 : lead - 1;
    }
    size_t votes = 0;
    for (size_t i = 0; i < count; i++) {
        votes += claims[i].value == value;
    }
    return votes * 2 > count ? value : 0;
}

/* Claims by value, then rank. */
static void sort_claims(tl__near_finder *f, tl__near_claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        f->keys[i] = (tl__near_key){claims[i].value, claims[i].row, claims[i].entry};
    }
    tl__near_sort(f->keys, f->spare, count);
    for (size_t i = 0; i < count; i++) {
        claims[i] = (tl__near_claim){f->keys[i].entry, f->keys[i].at, (uint32_t)f->keys[i].key};
    }
}

/* When those who say what most say read their rows. */
static tl__near_span span_of(const tl__near_finder *f, const tl__near_claim *claims, size_t count)
{
    tl__near_span span = {INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < count; i++) {
        const int64_t at = f->work->rows[claims[i].row].scraped_ms;
        if (at != TL__NEAR_NO_TIME) {
            span.first = at < span.first ? at : span.first;
            span.last = at > span.last ? at : span.last;
        }
    }
    return span;
}

/* What may change between two visits. A house does not grow a room, and a field that is missing is the reader's own doing. */
static bool may_change(tl__near_field field)
{
    return field == TL__NEAR_F_PRICE || field == TL__NEAR_F_STATUS || field == TL__NEAR_F_DAY ||
           field == TL__NEAR_F_TEXT;
}

/* Did all of them read before all who say what most say, or all after? Then the world may have changed in between. */
static bool is_explained(const tl__near_finder *f, const tl__near_claim *claims, size_t count,
                         tl__near_span common)
{
    const tl__near_span own = span_of(f, claims, count);
    if (own.first > own.last || common.first > common.last) {
        return false;
    }
    return own.last < common.first || own.first > common.last;
}

tl_err tl__near_put_mark(tl__near_finder *f, tl__near_field field, const tl__near_claim *claims,
                         size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        f->out->total[field * f->work->entry_count + claims[i].entry]++;
    }
    if (count < 2) {
        return TL_OK;
    }
    tl__near_group *group = tl_vec_push(&f->out->groups);
    if (group == NULL) {
        return tl_arena_fail(f->work->scratch, ctx);
    }
    *group = (tl__near_group){(uint32_t)f->out->members.count, (uint32_t)count, field, 0};
    for (size_t i = 0; i < count; i++) {
        tl__near_member *member = tl_vec_push(&f->out->members);
        if (member == NULL) {
            return tl_arena_fail(f->work->scratch, ctx);
        }
        *member = (tl__near_member){claims[i].entry, claims[i].row};
    }
    return TL_OK;
}

/* Does a value that so many of all say belong to a few? More than a quarter are a source, not a coincidence. */
static bool is_few(size_t few, size_t all)
{
    return few <= TL__NEAR_GROUP_MAX && 4 * (few - 1) <= all - 1;
}

static bool deviates(tl__near_field field, uint32_t value, uint32_t common)
{
    return is_tolerant(field) ? !tl__near_within(value, common, VALUE_THOUSANDTHS)
                              : value != common;
}

/* One field of one house. claims: all that say something of it. */
static tl_err find_in_field(tl__near_finder *f, tl__near_field field, tl__near_claim *claims,
                            size_t count, tl_errctx *ctx)
{
    uint32_t common = majority_of(claims, count);
    if (common == 0 && is_tolerant(field)) {
        sort_claims(f, claims, count);
        common = claims[count / 2].value;
    }
    size_t few = 0;
    tl__near_claim *apart = f->apart;
    size_t rest = 0;
    for (size_t i = 0; i < count && common != 0; i++) {
        if (deviates(field, claims[i].value, common)) {
            apart[few++] = claims[i];
        } else {
            claims[rest++] = claims[i];
        }
    }
    if (few == 0 || rest * 2 <= count) {
        return TL_OK; /* nothing apart, or nothing to stand apart from */
    }
    const tl__near_span span = span_of(f, claims, rest);
    sort_claims(f, apart, few);
    for (size_t at = 0, len; at < few; at += len) {
        len = 1;
        while (at + len < few &&
               (is_tolerant(field)
                    ? tl__near_within(apart[at].value, apart[at + len].value, SHARE_THOUSANDTHS)
                    : apart[at].value == apart[at + len].value)) {
            len++;
        }
        const bool is_news = may_change(field) && is_explained(f, &apart[at], len, span);
        if (is_few(len, count) && !is_news) {
            TL_TRY(tl__near_put_mark(f, field, &apart[at], len, ctx));
        }
    }
    return TL_OK;
}

/* --- houses --- */

/* The first row of each miner in a house, by rank. Returns how many miners. */
static size_t reporters_of(const tl__near_finder *f, size_t house, uint32_t *rows)
{
    const tl__near_work *work = f->work;
    size_t count = 0;
    for (uint32_t i = work->houses[house].begin; i < work->houses[house].end; i++) {
        const uint32_t row = work->by_house[i];
        if (count == 0 || work->rows[rows[count - 1]].entry != work->rows[row].entry) {
            rows[count++] = row;
        }
    }
    return count;
}

/* A house that nearly all who cover the zipcode list, and these do not. */
static tl_err find_missed(tl__near_finder *f, const uint32_t *rows, size_t count, tl_errctx *ctx)
{
    size_t present = 0;
    tl__near_span span = {INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < count; i++) {
        const uint32_t entry = f->work->rows[rows[i]].entry;
        if (f->covers[entry]) {
            present++;
            const int64_t at = f->usual_ms[entry];
            span.first = at < span.first ? at : span.first;
            span.last = at > span.last ? at : span.last;
        }
    }
    const size_t missing = f->cover_count - present;
    if (missing == 0 || present * 4 < f->cover_count * 3 || !is_few(missing, f->cover_count)) {
        return TL_OK;
    }
    tl__near_span own = {INT64_MAX, INT64_MIN};
    size_t found = 0;
    size_t next = 0;
    for (uint32_t entry = 0; entry < f->work->entry_count; entry++) {
        const bool is_here = next < count && f->work->rows[rows[next]].entry == entry;
        next += is_here;
        if (f->covers[entry] && !is_here) {
            f->apart[found++] = (tl__near_claim){entry, TL__NEAR_NO_ROW, 0};
            own.first = f->usual_ms[entry] < own.first ? f->usual_ms[entry] : own.first;
            own.last = f->usual_ms[entry] > own.last ? f->usual_ms[entry] : own.last;
        }
    }
    if (own.last < span.first || own.first > span.last) {
        return TL_OK; /* listed or sold between these and those */
    }
    return tl__near_put_mark(f, TL__NEAR_F_MISSED, f->apart, found, ctx);
}

static tl_err find_in_house(tl__near_finder *f, size_t house, tl_errctx *ctx)
{
    const size_t count = reporters_of(f, house, f->reporters);
    TL_TRY(tl__near_put_steps(f, house, f->reporters, count, ctx));
    if (count < REPORTERS_MIN) {
        return TL_OK;
    }
    TL_TRY(find_missed(f, f->reporters, count, ctx));
    for (unsigned field = TL__NEAR_F_PRICE; field <= TL__NEAR_F_PRESENT; field++) {
        size_t claims = 0;
        for (size_t i = 0; i < count; i++) {
            const tl__near_row *row = &f->work->rows[f->reporters[i]];
            const uint32_t value = value_of(f, row, (tl__near_field)field);
            f->claims[claims] = (tl__near_claim){row->entry, f->reporters[i], value};
            claims += value != 0;
        }
        if (claims >= REPORTERS_MIN) {
            TL_TRY(find_in_field(f, (tl__near_field)field, f->claims, claims, ctx));
        }
    }
    return TL_OK;
}

/* --- miners --- */

/* Which fields a miner's rows usually have, and when it usually read them. */
static void find_habits(tl__near_finder *f)
{
    const tl__near_work *work = f->work;
    for (size_t entry = 0; entry < work->entry_count; entry++) {
        uint32_t have[TL_LISTING_FIELDS_ASKED] = {0};
        const uint32_t begin = work->begin[entry];
        const uint32_t end = work->begin[entry + 1];
        int64_t sum = 0;
        uint32_t timed = 0;
        for (uint32_t i = begin; i < end; i++) {
            for (unsigned b = 0; b < TL_LISTING_FIELDS_ASKED; b++) {
                have[b] += work->rows[i].present >> b & 1;
            }
            if (work->rows[i].scraped_ms != TL__NEAR_NO_TIME) {
                sum += work->rows[i].scraped_ms / (int64_t)work->row_count;
                timed++;
            }
        }
        for (unsigned b = 0; b < TL_LISTING_FIELDS_ASKED; b++) {
            f->habit[entry] |= have[b] * 2 > end - begin ? UINT32_C(1) << b : 0;
        }
        f->usual_ms[entry] = timed != 0 ? sum / timed * (int64_t)work->row_count : 0;
    }
}

/* Who covers the zipcode: three quarters of the houses that half of the miners list. The others' gaps are no marks. */
static void find_cover(tl__near_finder *f)
{
    const tl__near_work *work = f->work;
    uint32_t common = 0;
    for (size_t house = 0; house < work->house_count; house++) {
        const size_t count = reporters_of(f, house, f->reporters);
        if (count * 2 < work->miner_count) {
            continue;
        }
        common++;
        for (size_t i = 0; i < count; i++) {
            f->cover[work->rows[f->reporters[i]].entry]++;
        }
    }
    for (size_t entry = 0; entry < work->entry_count; entry++) {
        f->covers[entry] = common > 0 && (uint64_t)f->cover[entry] * 4 >= (uint64_t)common * 3;
        f->cover_count += f->covers[entry];
    }
}

static tl_err make_finder(tl__near_finder *f, tl_errctx *ctx)
{
    tl_arena *scratch = f->work->scratch;
    const size_t n = f->work->entry_count;
    const size_t rows = f->work->row_count;
    f->keys = f->work->keys;
    f->spare = f->work->spare;
    f->claims = TL_NEW(scratch, tl__near_claim, n);
    f->apart = TL_NEW(scratch, tl__near_claim, n);
    f->reporters = TL_NEW(scratch, uint32_t, n);
    f->habit = TL_NEW(scratch, uint32_t, n);
    f->usual_ms = TL_NEW(scratch, int64_t, n);
    f->cover = TL_NEW(scratch, uint32_t, n);
    f->covers = TL_NEW(scratch, bool, n);
    f->is_timed = TL_NEW(scratch, bool, n);
    f->has_steps = TL_NEW(scratch, bool, n);
    f->last = TL_NEW(scratch, tl__near_last, n);
    f->steps = TL_NEW(scratch, tl__near_key, rows);
    f->out->total = TL_NEW(scratch, uint32_t, n * TL__NEAR_FIELD_COUNT);
    f->out->is_style = TL_NEW(scratch, bool, n *TL__NEAR_FIELD_COUNT);
    const bool is_made = f->claims != NULL && f->apart != NULL && f->reporters != NULL &&
                         f->habit != NULL && f->usual_ms != NULL && f->cover != NULL &&
                         f->covers != NULL && f->is_timed != NULL && f->has_steps != NULL &&
                         f->last != NULL && f->steps != NULL && f->out->total != NULL &&
                         f->out->is_style != NULL;
    tl_vec_init(&f->out->groups, scratch, sizeof(tl__near_group));
    tl_vec_init(&f->out->members, scratch, sizeof(tl__near_member));
    return is_made ? TL_OK : tl_arena_fail(scratch, ctx);
}

tl_err tl__near_find_marks(tl__near_work *work, tl__near_marks *out, tl_errctx *ctx)
{
    tl__near_finder f = {.work = work, .out = out};
    TL_TRY(make_finder(&f, ctx));
    TL_TRY(tl__near_put_moments(&f, ctx));
    find_habits(&f);
    find_cover(&f);
    for (size_t house = 0; house < work->house_count; house++) {
        TL_TRY(find_in_house(&f, house, ctx));
    }
    TL_TRY(tl__near_finish_steps(&f, ctx));
    return TL_OK;
}
