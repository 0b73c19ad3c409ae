/* evidence.c: one validator's evidence as a document, in one form only. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

#define EPOCH_ID_MAX 64

int tl__zipcode_cmp(const char a[6], const char b[6])
{
    return memcmp(a, b, 5);
}

static int item_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_evidence_item *x = (const tl_evidence_item *)a;
    const tl_evidence_item *y = (const tl_evidence_item *)b;
    const int by_zipcode = tl__zipcode_cmp(x->zipcode, y->zipcode);
    return by_zipcode != 0 ? by_zipcode : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

tl_err tl_evidence_sort(tl_evidence_item *items, size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    TL_TRY(tl_sort(items, count, sizeof *items, item_cmp, NULL, scratch, ctx));
    for (size_t i = 1; i < count; i++) {
        if (item_cmp(&items[i - 1], &items[i], NULL) == 0) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "two items of one miner and zipcode %s",
                           items[i].zipcode);
        }
    }
    return TL_OK;
}

bool tl__evidence_is_of(const tl_evidence *evidence, tl_str epoch_id)
{
    for (size_t i = 1; i < evidence->count; i++) {
        if (item_cmp(&evidence->items[i - 1], &evidence->items[i], NULL) >= 0) {
            return false;
        }
    }
    return tl_str_eq(evidence->epoch_id, epoch_id);
}

/* --- reading --- */

static tl_err read_address(tl_hotkey *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, "hotkey", ctx));
    const tl_err err = tl_ss58_decode(out, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "hotkey");
        return err;
    }
    char again[TL_SS58_CAP];
    (void)tl_ss58_encode(again, out, TL_SS58_PREFIX_GENERIC);
    if (!tl_str_eq_cstr(text, again)) {
        return tl_fail_field(ctx, TL_ERR_CANONICAL, "hotkey", "is not written with prefix 42");
    }
    return TL_OK;
}

static tl_err read_verdicts(tl_evidence_item *out, const tl_json *item, tl_errctx *ctx)
{
    TL_TRY(tl_json_want_str(&out->verdicts, item, "verdicts", ctx));
    if (out->verdicts.len > TL_SAMPLES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "verdicts", "%zu characters, above %d",
                             out->verdicts.len, TL_SAMPLES_MAX);
    }
    for (size_t i = 0; i < out->verdicts.len; i++) {
        const char c = out->verdicts.ptr[i];
        if (c != 'P' && c != 'F' && c != 'N' && c != '-') {
            return tl_fail_field(ctx, TL_ERR_RANGE, "verdicts", "character %zu is none of P F N -",
                                 i);
        }
    }
    return TL_OK;
}

static tl_err read_honeypots(tl_evidence_item *out, tl_arena *arena, const tl_json *item,
                             tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, item, "honeypots", TL_JSON_ARRAY, ctx));
    if (list->count > TL_EVIDENCE_HONEYPOTS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "honeypots", "%u indices, above %d", list->count,
                             TL_EVIDENCE_HONEYPOTS_MAX);
    }
    uint32_t *indices = TL_NEW(arena, uint32_t, list->count);
    if (indices == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        uint64_t index = 0;
        TL_TRY(tl_json_as_u64(&index, &list->items[i], "honeypots", ctx));
        if (index >= TL_SUBMISSION_ROWS_MAX) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "honeypots", "index %llu is above any row",
                                 (unsigned long long)index);
        }
        if (i > 0 && index <= indices[i - 1]) {
            return tl_fail_field(ctx, TL_ERR_CANONICAL, "honeypots", "indices do not ascend");
        }
        indices[i] = (uint32_t)index;
    }
    out->honeypots = indices;
    out->honeypot_count = list->count;
    return TL_OK;
}

/* Lower-case only: one form. */
static tl_err read_hash(tl_hash32 *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, "contentHash", ctx));
    const tl_err err = tl_hex_decode(out->b, sizeof out->b, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "contentHash");
        return err;
    }
    char again[65];
    tl_hex_write(again, out->b, sizeof out->b);
    if (!tl_str_eq_cstr(text, again)) {
        return tl_fail_field(ctx, TL_ERR_CANONICAL, "contentHash", "is not lower-case hex");
    }
    return TL_OK;
}

static tl_err read_zipcode(char out[6], const tl_json *item, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, "zipcode", ctx));
    bool is_one = text.len == 5;
    for (size_t i = 0; is_one && i < 5; i++) {
        is_one = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    if (!is_one) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "zipcode", "is not five digits");
    }
    memcpy(out, text.ptr, 5);
    out[5] = '\0';
    return TL_OK;
}

static tl_err read_item(tl_evidence_item *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    TL_TRY(read_hash(&out->content_hash, item, ctx));
    TL_TRY(read_honeypots(out, arena, item, ctx));
    TL_TRY(read_address(&out->hotkey, item, ctx));
    TL_TRY(read_verdicts(out, item, ctx));
    TL_TRY(read_zipcode(out->zipcode, item, ctx));
    if (item->count != 5) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "an item has %u members, not 5", item->count);
    }
    return TL_OK;
}

static tl_err read_items(tl_evidence *out, tl_arena *arena, const tl_json *list, tl_errctx *ctx)
{
    if (list->count > TL_EVIDENCE_ITEMS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "items", "%u items, above %zu", list->count,
                             TL_EVIDENCE_ITEMS_MAX);
    }
    tl_evidence_item *items = TL_NEW(arena, tl_evidence_item, list->count);
    if (items == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_err err = read_item(&items[i], arena, &list->items[i], ctx);
        if (err == TL_OK && i > 0 && item_cmp(&items[i - 1], &items[i], NULL) >= 0) {
            err = tl_fail(ctx, TL_ERR_CANONICAL, "items do not ascend by zipcode and hotkey");
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "items[%u]", i);
            return err;
        }
    }
    out->items = items;
    out->count = list->count;
    return TL_OK;
}

tl_err tl_evidence_read(tl_evidence *out, tl_arena *arena, const tl_json *document, tl_errctx *ctx)
{
    tl_evidence e = {0};
    const tl_json *list = NULL;
    uint64_t rate = 0;
    TL_TRY(tl_json_want_str(&e.epoch_id, document, "epochId", ctx));
    if (e.epoch_id.len == 0 || e.epoch_id.len > EPOCH_ID_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "epochId", "%zu bytes, not 1 to %d", e.epoch_id.len,
                             EPOCH_ID_MAX);
    }
    TL_TRY(tl_json_want(&list, document, "items", TL_JSON_ARRAY, ctx));
    TL_TRY(read_items(&e, arena, list, ctx));
    TL_TRY(tl_json_want_u64(&rate, document, "noEvidenceRate", ctx));
    if (rate != tl_evidence_none_millionths(&e)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "noEvidenceRate",
                             "%llu millionths, but the items say %u", (unsigned long long)rate,
                             tl_evidence_none_millionths(&e));
    }
    if (document->count != 3) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "evidence has %u members, not 3", document->count);
    }
    *out = e;
    return TL_OK;
}

uint32_t tl_evidence_none_millionths(const tl_evidence *evidence)
{
    uint64_t asked = 0;
    uint64_t none = 0;
    for (size_t i = 0; i < evidence->count; i++) {
        const tl_str v = evidence->items[i].verdicts;
        for (size_t k = 0; k < v.len; k++) {
            asked += v.ptr[k] != '-' ? 1 : 0;
            none += v.ptr[k] == 'N' ? 1 : 0;
        }
    }
    return asked == 0 ? 0 : (uint32_t)(none * TL__MILLION / asked);
}

/* --- writing --- */

static void put_item(tl_json_writer *w, const tl_evidence_item *item)
{
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, &item->hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_object(w);
    tl_json_put_key(w, "contentHash");
    tl_json_put_hex(w, item->content_hash.b, sizeof item->content_hash.b);
    tl_json_put_key(w, "honeypots");
    tl_json_put_array(w);
    for (size_t i = 0; i < item->honeypot_count; i++) {
        tl_json_put_u64(w, item->honeypots[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, address);
    tl_json_put_key(w, "verdicts");
    tl_json_put_str(w, item->verdicts);
    tl_json_put_key(w, "zipcode");
    tl_json_put_cstr(w, item->zipcode);
    tl_json_put_end(w);
}

void tl_evidence_put(tl_json_writer *w, const tl_evidence *evidence)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "epochId");
    tl_json_put_str(w, evidence->epoch_id);
    tl_json_put_key(w, "items");
    tl_json_put_array(w);
    for (size_t i = 0; i < evidence->count; i++) {
        TL_ASSERT(i == 0 || item_cmp(&evidence->items[i - 1], &evidence->items[i], NULL) < 0);
        put_item(w, &evidence->items[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "noEvidenceRate");
    tl_json_put_u64(w, tl_evidence_none_millionths(evidence));
    tl_json_put_end(w);
}
