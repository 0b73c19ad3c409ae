/* metadata.json, decoded once:
 *
 *      {"epochId", "hotkey", "objects": [{"key", "zipcode", "sha256", "bytes", "rows"}]}     other members are ignored
 */
#include <string.h>

#include "app/coordinator/intake/intake.h"
#include "base/json/json.h"
#include "base/map/map.h"
#include "core/codec/hex/hex.h"
#include "core/listings/model/model.h"

static const tl_record_assignment *find_zipcode(const tl_intake_claim *claim, tl_str zipcode)
{
    size_t low = 0;
    size_t high = claim->zipcode_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = tl_str_cmp(claim->zipcodes[middle].zipcode, zipcode);
        if (order == 0) {
            return &claim->zipcodes[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static tl_err read_hash(tl_hash32 *out, const tl_json *value, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, value, "sha256", ctx));
    return tl_hex_decode(out->b, sizeof out->b, text, ctx) == TL_OK
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_SYNTAX, "sha256", "no SHA-256 in hex");
}

static tl_err read_key(tl_str *out, const tl_json *value, tl_str folder, tl_errctx *ctx)
{
    TL_TRY(tl_json_want_str(out, value, "key", ctx));
    if (!tl_str_starts_with(*out, folder) || out->len == folder.len) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "key", "not below \"%.*s\"", TL_STR_ARG(folder));
    }
    const tl_err err = tl_objects_check_key(*out, ctx);
    return err == TL_OK ? TL_OK : tl_fail_field(ctx, TL_ERR_SYNTAX, "key", "no key of an object");
}

/* held  bytes so far, one a zipcode of the claim */
static tl_err read_object(tl_record_object *out, uint64_t *held, const tl_json *value,
                          tl_str folder, const tl_intake_claim *claim, tl_errctx *ctx)
{
    uint64_t rows;
    TL_TRY(read_key(&out->key, value, folder, ctx));
    TL_TRY(tl_json_want_str(&out->zipcode, value, "zipcode", ctx));
    const tl_record_assignment *zipcode = find_zipcode(claim, out->zipcode);
    if (zipcode == NULL) { /* TAKE-3 */
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "zipcode", "not assigned in this epoch");
    }
    TL_TRY(read_hash(&out->sha256, value, ctx));
    TL_TRY(tl_json_want_u64(&out->bytes, value, "bytes", ctx));
    if (out->bytes < 1 || out->bytes > TL_INTAKE_OBJECT_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "bytes", "%llu is not 1 to %llu",
                             (unsigned long long)out->bytes,
                             (unsigned long long)TL_INTAKE_OBJECT_LEN_MAX);
    }
    held += zipcode - claim->zipcodes;
    *held += out->bytes;
    if (*held > TL_INTAKE_ZIPCODE_LEN_MAX) {
        return tl_fail_field(
            ctx, TL_ERR_LIMIT, "bytes", "the objects of zipcode %.*s are above %llu bytes together",
            TL_STR_ARG(out->zipcode), (unsigned long long)TL_INTAKE_ZIPCODE_LEN_MAX);
    }
    TL_TRY(tl_json_want_u64(&rows, value, "rows", ctx));
    if (rows > TL_SUBMISSION_ROWS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "rows", "%llu is above %u",
                             (unsigned long long)rows, TL_SUBMISSION_ROWS_MAX);
    }
    out->rows = (uint32_t)rows;
    return TL_OK;
}

static tl_err check_owner(const tl_json *root, const tl_intake_claim *claim, tl_errctx *ctx)
{
    tl_str epoch_id;
    tl_str hotkey;
    TL_TRY(tl_json_want_str(&epoch_id, root, "epochId", ctx));
    TL_TRY(tl_json_want_str(&hotkey, root, "hotkey", ctx));
    if (!tl_str_eq(epoch_id, claim->epoch_id)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "epochId", "of another epoch");
    }
    return tl_str_eq(hotkey, claim->ss58)
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_UNKNOWN, "hotkey", "of another hotkey");
}

tl_err tl_intake_read(const tl_record_object **out, size_t *count, tl_arena *arena, tl_str text,
                      const tl_intake_claim *claim, tl_errctx *ctx)
{
    const tl_json *root;
    const tl_json *list;
    tl_str folder;
    tl_map keys;
    uint64_t bytes = 0;
    TL_TRY(tl_json_parse(&root, arena, text, NULL, ctx));
    TL_TRY(check_owner(root, claim, ctx));
    TL_TRY(tl_json_want(&list, root, "objects", TL_JSON_ARRAY, ctx));
    if (list->count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "objects", "no object is named");
    }
    if (list->count > TL_INTAKE_OBJECTS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "objects", "%u objects, above %d", list->count,
                             TL_INTAKE_OBJECTS_MAX);
    }
    TL_TRY(tl_intake_folder(&folder, arena, claim->ss58, claim->epoch_id, ctx));
    tl_record_object *rows = TL_NEW(arena, tl_record_object, list->count);
    uint64_t *held = TL_NEW(arena, uint64_t, claim->zipcode_count);
    if (rows == NULL || held == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_map_init(&keys, arena);
    for (uint32_t i = 0; i < list->count; i++) {
        tl_map_entry *slot;
        const tl_err err = read_object(&rows[i], held, &list->items[i], folder, claim, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "objects[%u]", i);
            return err;
        }
        TL_TRY(tl_map_slot(&slot, &keys, tl_str_bytes(rows[i].key), ctx));
        if (slot->value != NULL) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "objects", "a key comes twice");
        }
        slot->value = &rows[i];
        bytes += rows[i].bytes;
    }
    if (bytes > TL_INTAKE_BYTES_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "objects", "%llu bytes together, above %llu",
                             (unsigned long long)bytes, (unsigned long long)TL_INTAKE_BYTES_MAX);
    }
    *out = rows;
    *count = list->count;
    return TL_OK;
}
