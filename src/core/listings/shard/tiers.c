/* tiers.c: what is wrong with one submission: tiers 1 and 2, geography and time; at the end patterns and quality. */
#include <string.h>

#include "core/listings/shard/shard_internal.h"

static uint32_t rate_of(uint64_t count, uint64_t of)
{
    return of != 0 ? (uint32_t)(count * TL__MILLION / of) : 0;
}

/* count of n is above a share, in integers: equal is not above. */
static bool is_above(uint64_t count, uint64_t n, uint32_t bp)
{
    return count * TL__BP_ONE > n * bp;
}

tl_err tl__accuse(tl__entry *entry, tl_arena *arena, tl_listing_rule rule, uint32_t count,
                  const uint32_t *indices, size_t index_count, tl_str peer, tl_errctx *ctx)
{
    if (entry->findings[rule] != NULL) {
        return TL_OK;
    }
    tl_finding *const finding = TL_NEW(arena, tl_finding, 1);
    if (finding == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    finding->rule = rule;
    finding->count = count;
    finding->rate_millionths = rate_of(count, entry->sheet.rows);
    finding->peer = peer;
    for (size_t i = 0; i < index_count && i < TL_FINDING_INDICES_MAX; i++) {
        finding->indices[finding->index_count++] = indices[i];
    }
    entry->findings[rule] = finding;
    return TL_OK;
}

/* The rows that have one of some flags. */
static tl_err accuse_rows(tl__entry *entry, tl_shard *shard, tl_listing_rule rule, unsigned flags,
                          uint32_t count, tl_errctx *ctx)
{
    const tl__row *const rows = (const tl__row *)shard->rows.items;
    uint32_t indices[TL_FINDING_INDICES_MAX];
    size_t found = 0;
    for (uint32_t i = 0; i < entry->sheet.rows && found < TL_FINDING_INDICES_MAX; i++) {
        if ((rows[i].flags & flags) != 0) {
            indices[found++] = i;
        }
    }
    return tl__accuse(entry, shard->arena, rule, count, indices, found, TL_STR(""), ctx);
}

/* --- duplicates --- */

/* Room for twice the rows in the set of identities, all slots empty (0: a slot holds a row's index and one). */
static tl_err clear_slots(tl_shard *shard, uint32_t rows, tl_errctx *ctx)
{
    size_t cap = 64;
    while (cap < (size_t)rows * 2) {
        cap *= 2;
    }
    if (cap > shard->slot_cap) {
        shard->slots = TL_NEW(shard->work, uint32_t, cap);
        if (shard->slots == NULL) {
            shard->slot_cap = 0;
            return tl_arena_fail(shard->work, ctx);
        }
        shard->slot_cap = cap;
    } else {
        memset(shard->slots, 0, shard->slot_cap * sizeof *shard->slots);
    }
    return TL_OK;
}

/* Marks each row whose identity an earlier one has; returns how many. Linear probing in a table at most half full. */
static uint32_t mark_duplicates(tl_shard *shard, uint32_t count)
{
    tl__row *const rows = (tl__row *)shard->rows.items;
    const size_t mask = shard->slot_cap - 1;
    uint32_t duplicates = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t slot = (size_t)rows[i].identity & mask;
        while (shard->slots[slot] != 0 &&
               rows[shard->slots[slot] - 1].identity != rows[i].identity) {
            slot = (slot + 1) & mask;
        }
        if (shard->slots[slot] == 0) {
            shard->slots[slot] = i + 1;
        } else {
            rows[i].flags |= TL__DUPLICATE;
            duplicates++;
        }
    }
    return duplicates;
}

/* --- time --- */

/* The second that more than half of the rows share, if there is one: Boyer and Moore's vote, then a count. */
static uint32_t count_same_second(const tl__row *rows, uint32_t count, int64_t *second)
{
    int64_t candidate = TL__NO_SECOND;
    uint32_t lead = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (lead == 0) {
            candidate = rows[i].scraped_s;
        }
        lead = rows[i].scraped_s == candidate ? lead + 1 : lead - 1;
    }
    uint32_t same = 0;
    for (uint32_t i = 0; i < count && candidate != TL__NO_SECOND; i++) {
        same += rows[i].scraped_s == candidate ? 1 : 0;
    }
    *second = candidate;
    return same;
}

static tl_err judge_time(tl__entry *entry, tl_shard *shard, uint32_t untimely, tl_errctx *ctx)
{
    const tl_listings_params *const p = shard->context.params;
    const uint32_t n = entry->sheet.rows;
    if (is_above(untimely, n, p->time_bp_max)) {
        return accuse_rows(entry, shard, TL_LISTING_TIME, TL__UNTIMELY, untimely, ctx);
    }
    tl__row *const rows = (tl__row *)shard->rows.items;
    int64_t second = 0;
    const uint32_t same = count_same_second(rows, n, &second);
    if (same < 2 || !is_above(same, n, p->same_second_bp_max)) {
        return TL_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        rows[i].flags &= (uint8_t)~TL__UNTIMELY;
        rows[i].flags |= rows[i].scraped_s == second ? TL__UNTIMELY : 0;
    }
    return accuse_rows(entry, shard, TL_LISTING_TIME, TL__UNTIMELY, same, ctx);
}

/* --- tiers --- */

typedef struct counts {
    uint32_t incomplete;
    uint32_t unreasonable;
    uint32_t inconsistent;
    uint32_t elsewhere;
    uint32_t untimely;
    uint32_t honeypots;
} counts;

static counts count_flags(const tl__row *rows, uint32_t n)
{
    counts c = {0, 0, 0, 0, 0, 0};
    for (uint32_t i = 0; i < n; i++) {
        const unsigned flags = rows[i].flags;
        c.incomplete += (flags & TL__INCOMPLETE) != 0;
        c.unreasonable += (flags & TL__UNREASONABLE) != 0;
        c.inconsistent += (flags & TL__INCONSISTENT) != 0;
        c.elsewhere += (flags & TL__ELSEWHERE) != 0;
        c.untimely += (flags & TL__UNTIMELY) != 0;
        c.honeypots += (flags & TL__HONEYPOT) != 0;
    }
    return c;
}

static tl_err judge_tier1(tl__entry *entry, tl_shard *shard, tl_errctx *ctx)
{
    tl_sheet *const sheet = &entry->sheet;
    const uint32_t n = sheet->rows;
    const bool is_enough = n >= shard->rows_least && n <= shard->rows_most;
    sheet->passes_tier1 = is_enough && !entry->is_late;
    if (entry->is_late) {
        TL_TRY(tl__accuse(entry, shard->arena, TL_LISTING_LATE, n, NULL, 0, TL_STR(""), ctx));
    }
    if (!is_enough) {
        tl_finding *const finding = TL_NEW(shard->arena, tl_finding, 1);
        if (finding == NULL) {
            return tl_arena_fail(shard->arena, ctx);
        }
        finding->rule = TL_LISTING_QUANTITY;
        finding->count = n;
        finding->rate_millionths = rate_of(n, shard->context.expected);
        finding->peer = TL_STR("");
        entry->findings[TL_LISTING_QUANTITY] = finding;
    }
    return TL_OK;
}

/* One rate of tier 2: bad of n rows; the good ones must be at least good_bp of them. */
static tl_err judge_rate(tl__entry *entry, tl_shard *shard, tl_listing_rule rule, unsigned flag,
                         uint32_t bad, uint32_t good_bp, tl_errctx *ctx)
{
    const uint32_t n = entry->sheet.rows;
    if ((uint64_t)(n - bad) * TL__BP_ONE >= (uint64_t)n * good_bp) {
        return TL_OK;
    }
    entry->sheet.passes_tier2 = false;
    return accuse_rows(entry, shard, rule, flag, bad, ctx);
}

static tl_err judge_tier2(tl__entry *entry, tl_shard *shard, const counts *c, uint32_t duplicates,
                          tl_errctx *ctx)
{
    const tl_listings_params *const p = shard->context.params;
    entry->sheet.passes_tier2 = entry->sheet.rows != 0;
    TL_TRY(judge_rate(entry, shard, TL_LISTING_COMPLETENESS, TL__INCOMPLETE, c->incomplete,
                      p->completeness_bp_min, ctx));
    TL_TRY(judge_rate(entry, shard, TL_LISTING_VALUES, TL__UNREASONABLE, c->unreasonable,
                      p->values_bp_min, ctx));
    TL_TRY(judge_rate(entry, shard, TL_LISTING_CONSISTENCY, TL__INCONSISTENT, c->inconsistent,
                      p->consistency_bp_min, ctx));
    return judge_rate(entry, shard, TL_LISTING_DUPLICATES, TL__DUPLICATE, duplicates,
                      TL__BP_ONE - p->duplicates_bp_max, ctx);
}

static tl_err list_honeypots(tl__entry *entry, tl_shard *shard, uint32_t count, tl_errctx *ctx)
{
    if (count == 0) {
        return TL_OK;
    }
    const tl__row *const rows = (const tl__row *)shard->rows.items;
    uint32_t *const indices = TL_NEW(shard->arena, uint32_t, count);
    if (indices == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    size_t found = 0;
    for (uint32_t i = 0; i < entry->sheet.rows; i++) {
        if ((rows[i].flags & TL__HONEYPOT) != 0) {
            indices[found++] = i;
        }
    }
    TL_ASSERT(found == count);
    entry->hits = (tl_shard_hits){indices, count};
    return TL_OK;
}

static tl_err list_identities(tl__entry *entry, tl_shard *shard, tl_errctx *ctx)
{
    const tl__row *const rows = (const tl__row *)shard->rows.items;
    uint64_t *const identities = TL_NEW(shard->arena, uint64_t, entry->sheet.rows);
    if (identities == NULL && entry->sheet.rows > 0) {
        return tl_arena_fail(shard->arena, ctx);
    }
    for (uint32_t i = 0; i < entry->sheet.rows; i++) {
        identities[i] = rows[i].identity;
    }
    entry->identities = identities;
    return TL_OK;
}

tl_err tl__count(tl__entry *entry, tl_shard *shard, tl_errctx *ctx)
{
    tl_sheet *const sheet = &entry->sheet;
    const uint32_t n = sheet->rows;
    TL_ASSERT(n <= shard->rows.count);
    TL_TRY(clear_slots(shard, n, ctx));
    const uint32_t duplicates = mark_duplicates(shard, n);
    const counts c = count_flags((const tl__row *)shard->rows.items, n);
    sheet->complete = n - c.incomplete;
    sheet->reasonable = n - c.unreasonable;
    sheet->consistent = n - c.inconsistent;
    sheet->distinct = n - duplicates;
    TL_TRY(judge_tier1(entry, shard, ctx));
    TL_TRY(judge_tier2(entry, shard, &c, duplicates, ctx));
    if (is_above(c.elsewhere, n, shard->context.params->geography_bp_max)) {
        TL_TRY(accuse_rows(entry, shard, TL_LISTING_GEOGRAPHY, TL__ELSEWHERE, c.elsewhere, ctx));
    }
    TL_TRY(list_honeypots(entry, shard, c.honeypots, ctx));
    if (shard->context.wants_identities) {
        TL_TRY(list_identities(entry, shard, ctx));
    }
    return judge_time(entry, shard, c.untimely, ctx); /* last: it may set flags anew */
}

/* --- the end --- */

static void judge_patterns(tl__entry *entry, const tl_listings_params *p)
{
    const tl_finding *const *const f = entry->findings;
    const uint32_t k = (f[TL_LISTING_PRICE_ANOMALY] != NULL ? 1u : 0u) +
                       (f[TL_LISTING_GEOGRAPHY] != NULL ? 1u : 0u) +
                       (f[TL_LISTING_TIME] != NULL ? 1u : 0u) +
                       (f[TL_LISTING_COPY] != NULL || f[TL_LISTING_SYBIL] != NULL ? 1u : 0u);
    const uint32_t bp = k < 2 ? 0 : 3000 + 2000 * k > 9500 ? 9500 : 3000 + 2000 * k;
    entry->sheet.is_synthetic = k >= 2;
    entry->sheet.confidence_millionths = bp * (TL__MILLION / TL__BP_ONE);
    entry->sheet.is_disqualified = k >= 2 && bp >= p->synthetic_bp_min;
}

static uint32_t timeliness(const tl_shard_context *c, int64_t received_ms)
{
    const int64_t length = c->deadline_ms - c->start_ms;
    const int64_t left = c->deadline_ms - received_ms;
    if (left <= 0) {
        return 0;
    }
    return left >= length ? TL__MILLION : (uint32_t)(left * (int64_t)TL__MILLION / length);
}

void tl__conclude(tl__entry *entry, const tl_shard *shard)
{
    tl_sheet *const sheet = &entry->sheet;
    const tl_shard_context *const c = &shard->context;
    if (entry->findings[TL_LISTING_DUPLICATES] != NULL) {
        sheet->passes_tier2 = false;
    }
    judge_patterns(entry, c->params);
    const uint64_t good =
        (uint64_t)sheet->complete + sheet->reasonable + sheet->consistent + sheet->distinct;
    const uint32_t share = rate_of(sheet->rows, c->expected);
    sheet->data_quality_millionths = rate_of(good, (uint64_t)sheet->rows * 4);
    sheet->completeness_millionths = share > TL__MILLION ? TL__MILLION : share;
    sheet->timeliness_millionths = timeliness(c, sheet->received_ms);
    if (!sheet->passes_tier1 || !sheet->passes_tier2 || sheet->is_disqualified) {
        sheet->sample_count = sheet->sample_asked = 0;
    }
}
