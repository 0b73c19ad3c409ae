/* shard.c: from the miners' objects of a zipcode to its sheets. */
#include "core/listings/shard/shard.h"

#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard_internal.h"
#include "core/num/stats/stats.h"

#define STATUS_LEN_MAX 64

/* --- new --- */

/* Tier 1's bounds: the least and the most rows r with |r - expected| * 10,000 <= expected * tolerance. */
static void find_bounds(tl_shard *shard)
{
    const uint64_t expected = shard->context.expected;
    const uint64_t margin = expected * shard->context.params->tolerance_bp;
    const uint64_t low = expected * TL__BP_ONE - margin;
    shard->rows_least = (uint32_t)((low + TL__BP_ONE - 1) / TL__BP_ONE);
    shard->rows_most = (uint32_t)((expected * TL__BP_ONE + margin) / TL__BP_ONE);
}

static tl_err check_context(const tl_shard_context *c, tl_errctx *ctx)
{
    char zipcode[6];
    if (!tl_record_zipcode(zipcode, tl_str_from_cstr(c->place->zipcode))) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "zipcode", "\"%s\" is no zipcode",
                             c->place->zipcode);
    }
    if (c->expected > TL_SHARD_EXPECTED_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "expected", "%u listings, above %u", c->expected,
                             TL_SHARD_EXPECTED_MAX);
    }
    if (c->deadline_ms <= c->start_ms || c->start_ms < -TL_SLOT_MS_CEILING ||
        c->deadline_ms > TL_SLOT_MS_CEILING) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "deadline", "the deadline is not after the start");
    }
    return TL_OK;
}

tl_err tl_shard_new(tl_shard **out, tl_arena *arena, const tl_shard_context *context,
                    tl_errctx *ctx)
{
    TL_TRY(check_context(context, ctx));
    tl_shard *const shard = TL_NEW(arena, tl_shard, 1);
    if (shard == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    shard->arena = arena;
    shard->context = *context;
    memcpy(shard->zipcode, context->place->zipcode, 5);
    find_bounds(shard);
    tl_vec_init(&shard->entries, arena, sizeof(tl__entry));
    /* The arena's own ceiling counts. */
    TL_TRY(tl_arena_new(&shard->work, arena, SIZE_MAX / 2, NULL, ctx));
    tl_vec_init(&shard->rows, shard->work, sizeof(tl__row));
    TL_TRY(tl__geography_init(&shard->geography, arena, context, ctx));
    TL_TRY(tl_near_new(&shard->near, shard->work, context->params, ctx));
    TL_TRY(tl_record_memo_new(&shard->memo, shard->work, shard->rows_most, sizeof(tl__known), ctx));
    *out = shard;
    return TL_OK;
}

/* --- add: reading --- */

/* What a stranger's object has wrong: the rest of the submission is not looked at. */
static tl_err find_fault(tl__entry *entry, tl_shard *shard, size_t object, const char *field,
                         const char *what, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, shard->arena);
    tl_sb_printf(&sb, "object %zu%s%s: %s", object, field[0] != '\0' ? ", " : "", field, what);
    return tl_sb_finish(&entry->fault, &sb, ctx);
}

static tl_err take_row(tl__entry *entry, tl_shard *shard, const tl_listing *listing, size_t object,
                       const tl_listing_reader *reader, tl_arena *scratch, tl_errctx *ctx)
{
    tl__known own = {.is_set = false};
    tl__known *const known = reader->note != NULL ? (tl__known *)reader->note : &own;
    if (!known->is_set) {
        TL_TRY(tl__know(known, shard, listing, scratch, ctx));
    }
    tl__row *const row = (tl__row *)tl_vec_push(&shard->rows);
    if (row == NULL) {
        return tl_arena_fail(shard->work, ctx);
    }
    row->object = (uint32_t)object;
    row->offset = (uint32_t)reader->offset;
    tl__judge(row, shard, known, listing);
    if (shard->rows.count <= shard->rows_most) {
        TL_TRY(tl_near_add_sketched(shard->near, shard->entries.count - 1, &known->sketch, listing,
                                    ctx));
        entry->near_rows++;
    }
    return TL_OK;
}

/* One object. SHARD-3: only what is our own fault is an error. */
static tl_err read_object(tl__entry *entry, tl_shard *shard, tl_str object, size_t number,
                          tl_arena *scratch, tl_errctx *ctx)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_listing_reader reader;
    const tl_err open_err =
        tl_record_open(&reader, scratch, object, (uint32_t)shard->rows.count, &why);
    if (open_err != TL_OK) {
        return find_fault(entry, shard, number, "", why.message, ctx);
    }
    reader.memo = shard->memo;
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    for (;;) {
        tl_listing listing;
        bool has_listing = false;
        const tl_err err = tl_record_next(&reader, &listing, &has_listing, &why);
        if (err != TL_OK && reader.is_ours) {
            if (ctx != NULL) {
                *ctx = why;
            }
            return err;
        }
        if (err != TL_OK) {
            return find_fault(entry, shard, number, why.field, why.message, ctx);
        }
        if (!has_listing) {
            break;
        }
        if (shard->rows.count == TL_SUBMISSION_ROWS_MAX) {
            return find_fault(entry, shard, number, "listings", "there are too many", ctx);
        }
        TL_TRY(take_row(entry, shard, &listing, number, &reader, scratch, ctx));
        tl_arena_rewind(scratch, mark);
    }
    if (reader.zipcode[0] != '\0' && memcmp(reader.zipcode, shard->zipcode, 5) != 0) {
        return find_fault(entry, shard, number, "zipcode", "it names another zipcode", ctx);
    }
    return TL_OK;
}

/* All of an entry's rows, numbered through its objects: where one ends shows in no figure (SHARD-2). */
static tl_err read_objects(tl__entry *entry, tl_shard *shard, const tl_shard_entry *given,
                           tl_arena *scratch, tl_errctx *ctx)
{
    shard->rows.count = 0;
    if (given->object_count > TL_SHARD_OBJECTS_MAX) {
        return find_fault(entry, shard, given->object_count, "", "there are too many objects", ctx);
    }
    for (size_t i = 0; i < given->object_count && entry->fault.len == 0; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(scratch);
        const tl_str object = {(const char *)given->objects[i].ptr, given->objects[i].len};
        shard->bytes += object.len;
        TL_TRY(read_object(entry, shard, object, i, scratch, ctx));
        tl_arena_rewind(scratch, mark);
    }
    shard->listings += shard->rows.count;
    entry->sheet.rows = entry->fault.len == 0 ? (uint32_t)shard->rows.count : 0;
    return TL_OK;
}

/* --- add: what is kept --- */

static tl_err keep_prices(tl__entry *entry, tl_shard *shard, tl_errctx *ctx)
{
    const tl__row *const rows = (const tl__row *)shard->rows.items;
    const uint32_t n = entry->sheet.rows;
    if (n > shard->rows_most) {
        return TL_OK;
    }
    tl__price *const prices = TL_NEW(shard->work, tl__price, n);
    if (prices == NULL) {
        return tl_arena_fail(shard->work, ctx);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (rows[i].price_x != TL__NO_PRICE) {
            prices[entry->price_count++] =
                (tl__price){rows[i].price_x, (uint32_t)(i * TL__TYPES) + rows[i].type};
        }
    }
    entry->prices = prices;
    return TL_OK;
}

static tl_err keep_status(tl_str *out, tl_arena *arena, tl_str raw, tl_errctx *ctx)
{
    const tl_str text = tl_str_trim(raw);
    size_t len = text.len < STATUS_LEN_MAX ? text.len : STATUS_LEN_MAX;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    char *const upper = TL_NEW(arena, char, len);
    if (upper == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < len; i++) {
        const char c = text.ptr[i];
        upper[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    *out = (tl_str){upper, len};
    return TL_OK;
}

static tl_err keep_sample(tl_sample *out, const tl_shard *shard, const tl_listing *l,
                          tl_errctx *ctx)
{
    const uint32_t beds = UINT32_C(1) << TL_FIELD_BEDROOMS;
    const uint32_t baths = UINT32_C(1) << TL_FIELD_BATHROOMS;
    out->index = l->index;
    TL_TRY(tl_str_copy(&out->identity, shard->arena, l->identity, ctx));
    TL_TRY(tl_str_copy(&out->address, shard->arena, l->address, ctx));
    memcpy(out->zipcode, l->zipcode[0] != '\0' ? l->zipcode : shard->zipcode, 6);
    out->price_cents = l->price_cents;
    out->bedrooms_hundredths = (l->readable & beds) != 0 ? l->bedrooms_hundredths : -1;
    out->bathrooms_hundredths = (l->readable & baths) != 0 ? l->bathrooms_hundredths : -1;
    return keep_status(&out->status, shard->arena, l->text[TL_FIELD_LISTING_STATUS], ctx);
}

static tl_err keep_samples(tl__entry *entry, tl_shard *shard, const tl_shard_entry *given,
                           tl_arena *scratch, tl_errctx *ctx)
{
    tl_sheet *const sheet = &entry->sheet;
    if (!sheet->passes_tier1 || !sheet->passes_tier2 || shard->context.beacon.len == 0) {
        return TL_OK;
    }
    uint32_t indices[TL_SAMPLES_MAX];
    size_t count = 0;
    size_t asked = 0;
    TL_TRY(tl__draw(indices, &count, &asked, shard, entry, scratch, ctx));
    tl_sample *const samples = TL_NEW(shard->arena, tl_sample, count);
    if (samples == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    for (size_t i = 0; i < count; i++) {
        const tl__row *const row = (const tl__row *)tl_vec_at(&shard->rows, indices[i]);
        const tl_bytes object = given->objects[row->object];
        tl_listing listing;
        TL_TRY(tl_record_at(&listing, scratch, (tl_str){(const char *)object.ptr, object.len},
                            row->offset, indices[i], ctx));
        TL_TRY(keep_sample(&samples[i], shard, &listing, ctx));
        tl_arena_rewind(scratch, mark);
    }
    sheet->samples = samples;
    sheet->sample_count = count;
    sheet->sample_asked = asked;
    return TL_OK;
}

/* The bytes that order entries; a hotkey that is no address (a check of files has file names) stands under its hash. */
static void make_key(tl_hotkey *out, tl_str hotkey)
{
    if (tl_ss58_decode(out, hotkey, NULL) != TL_OK) {
        tl_hash32 hash;
        tl_sha256(&hash, hotkey.ptr, hotkey.len);
        memcpy(out->b, hash.b, sizeof out->b);
    }
}

tl_err tl_shard_add(tl_shard *shard, const tl_shard_entry *given, tl_arena *scratch, tl_errctx *ctx)
{
    if (shard->entries.count == TL_ENTRIES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %zu miners", TL_ENTRIES_MAX);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    if (TL_NEW(scratch, char, 1) ==
        NULL) { /* holds a block: a rewind to nothing would free it, listing by listing */
        return tl_arena_fail(scratch, ctx);
    }
    tl__entry *const entry = (tl__entry *)tl_vec_push(&shard->entries);
    if (entry == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    tl_sheet *const sheet = &entry->sheet;
    TL_TRY(tl_str_copy(&sheet->hotkey, shard->arena, given->hotkey, ctx));
    TL_TRY(tl_str_copy(&sheet->coldkey, shard->arena, given->coldkey, ctx));
    sheet->content_hash = given->content_hash;
    sheet->received_ms = given->received_ms;
    make_key(&entry->key, given->hotkey);
    entry->is_late = given->received_ms > shard->context.deadline_ms;
    TL_TRY(read_objects(entry, shard, given, scratch, ctx));
    TL_TRY(tl__count(entry, shard, ctx));
    TL_TRY(keep_prices(entry, shard, ctx));
    TL_TRY(keep_samples(entry, shard, given, scratch, ctx));
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

/* --- finish --- */

static int by_key(const void *a, const void *b, void *self)
{
    const tl__entry *const entries = (const tl__entry *)self;
    return tl_hotkey_cmp(&entries[*(const uint32_t *)a].key, &entries[*(const uint32_t *)b].key);
}

static int by_receipt(const void *a, const void *b, void *self)
{
    const tl__entry *const entries = (const tl__entry *)self;
    const tl_sheet *const x = &entries[*(const uint32_t *)a].sheet;
    const tl_sheet *const y = &entries[*(const uint32_t *)b].sheet;
    const int by_time = (x->received_ms > y->received_ms) - (x->received_ms < y->received_ms);
    return by_time != 0 ? by_time : by_key(a, b, self);
}

/* Entries as they are ranked; no hotkey twice, so the order is total (SHARD-1). */
static tl_err sort_entries(uint32_t **out, tl_shard *shard, tl_errctx *ctx)
{
    tl__entry *const entries = (tl__entry *)shard->entries.items;
    const size_t n = shard->entries.count;
    uint32_t *const order = TL_NEW(shard->arena, uint32_t, n);
    if (order == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
    }
    TL_TRY(tl_sort(order, n, sizeof *order, by_key, entries, shard->arena, ctx));
    for (size_t i = 1; i < n; i++) {
        if (by_key(&order[i - 1], &order[i], entries) == 0) {
            const tl_str hotkey = entries[order[i]].sheet.hotkey;
            return tl_fail(ctx, TL_ERR_DUPLICATE, "\"%.*s\" has two submissions for %s",
                           TL_STR_ARG(tl_str_slice(hotkey, 0, 64)), shard->zipcode);
        }
    }
    TL_TRY(tl_sort(order, n, sizeof *order, by_receipt, entries, shard->arena, ctx));
    *out = order;
    return TL_OK;
}

/* Copies, sybils and near duplicates; those of a submission that could not be read speak of no row. */
static tl_err judge_copies(tl_shard *shard, tl_errctx *ctx)
{
    tl__entry *const entries = (tl__entry *)shard->entries.items;
    const size_t n = shard->entries.count;
    tl_near_entry *const miners = TL_NEW(shard->arena, tl_near_entry, n);
    if (miners == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        const tl_sheet *const s = &entries[i].sheet;
        miners[i] = (tl_near_entry){s->hotkey, s->coldkey, s->content_hash, s->received_ms,
                                    entries[i].near_rows};
    }
    tl_near_finding *found = NULL;
    size_t count = 0;
    TL_TRY(tl_near_finish(shard->near, miners, n, &found, &count, ctx));
    for (size_t i = 0; i < count; i++) {
        tl__entry *const entry = &entries[found[i].entry];
        const tl_listing_rule rule = found[i].finding.rule;
        if (entry->sheet.rows != 0 && entry->findings[rule] == NULL) {
            entry->findings[rule] = &found[i].finding;
        }
    }
    return TL_OK;
}

static tl_err put_findings(tl_sheet *sheet, const tl__entry *entry, tl_arena *arena, tl_errctx *ctx)
{
    tl_finding *const findings = TL_NEW(arena, tl_finding, TL_LISTING_RULE_COUNT);
    if (findings == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t rule = 0; rule < TL_LISTING_RULE_COUNT; rule++) {
        if (entry->findings[rule] != NULL) {
            findings[sheet->finding_count++] = *entry->findings[rule];
        }
    }
    sheet->findings = findings;
    return TL_OK;
}

tl_err tl_shard_finish(tl_shard *shard, tl_shard_result *out, tl_errctx *ctx)
{
    const size_t n = shard->entries.count;
    tl__entry *const entries = (tl__entry *)shard->entries.items;
    uint32_t *order = NULL;
    TL_TRY(sort_entries(&order, shard, ctx));
    TL_TRY(judge_copies(shard, ctx));
    TL_TRY(tl__judge_prices(shard, order, ctx));
    tl_sheet *const sheets = TL_NEW(shard->arena, tl_sheet, n);
    tl_shard_hits *const hits = TL_NEW(shard->arena, tl_shard_hits, n);
    tl_str *const faults = TL_NEW(shard->arena, tl_str, n);
    const uint64_t **const identities = TL_NEW(shard->arena, const uint64_t *, n);
    if (sheets == NULL || hits == NULL || faults == NULL || identities == NULL) {
        return tl_arena_fail(shard->arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        tl__entry *const entry = &entries[order[i]];
        tl__conclude(entry, shard);
        sheets[i] = entry->sheet;
        TL_TRY(put_findings(&sheets[i], entry, shard->arena, ctx));
        hits[i] = entry->hits;
        identities[i] = entry->identities;
        faults[i] = entry->fault.len != 0 ? entry->fault : TL_STR("");
    }
    tl_arena_free(shard->work);
    *out = (tl_shard_result){.sheets = sheets,
                             .count = n,
                             .honeypots = hits,
                             .identities = shard->context.wants_identities ? identities : NULL,
                             .faults = faults,
                             .listings = shard->listings,
                             .bytes = shard->bytes};
    return TL_OK;
}
