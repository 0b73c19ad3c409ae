/* decode.c: an object's bytes as listings, one at a time.
 *
 *     OPEN ─'{'─▶ TOP ─key "listings" '['─▶ LIST ─a listing─▶ LIST …
 *                  ▲  └─other key, its value─▶ TOP   │ ']'
 *                  └──────────────────────────────────┘       TOP ─'}'─▶ DONE: only white space may follow
 */
#include <string.h>

#include "base/json/json.h"
#include "core/listings/record/record_internal.h"

enum { OPEN, TOP, LIST, DONE };

#define DEPTH_IN_TOP     1
#define DEPTH_IN_LIST    2
#define DEPTH_IN_LISTING 3

/* --- errors --- */

static tl_err fail(tl_listing_reader *r, tl_err err)
{
    r->failed = (uint8_t)err;
    return err;
}

/* Memory ran out: our fault, not the object's. */
static tl_err fail_ours(tl_listing_reader *r, tl_err err)
{
    r->is_ours = true;
    return fail(r, err);
}

/* The text is no JSON: the strict reader says where and why (REC-1: it refuses what the scan refuses). Where even its
 * memory does not suffice (a string of megabytes in escapes), the words are short. */
static tl_err explain(tl_listing_reader *r, tl_errctx *ctx)
{
    const tl_json_options options = {.allow_nonfinite = true};
    const tl_str text = {r->begin, (size_t)(r->end - r->begin)};
    tl_errctx why = TL_ERRCTX_INIT;
    tl_json_reader json;
    tl_err err = tl_json_reader_init(&json, r->scratch, text, &options, &why);
    tl_json_event event = TL_JSON_EV_NULL;
    const tl_arena_mark mark = tl_arena_get_mark(r->scratch);
    while (err == TL_OK && event != TL_JSON_EV_END) {
        err = tl_json_next(&json, &event, &why);
        tl_arena_rewind(r->scratch, mark);
    }
    TL_VERIFY(err != TL_OK); /* REC-1 */
    if (err == TL_OK || !why.has_offset) {
        return fail(r, tl_fail(ctx, TL_ERR_SYNTAX, "the object is no JSON"));
    }
    if (ctx != NULL) {
        *ctx = why;
    }
    return fail(r, err);
}

static tl_err fail_shape(tl_listing_reader *r, const char *at, tl_err code, const char *field,
                         const char *what, tl_errctx *ctx)
{
    const tl_err err = tl_fail_field(ctx, code, field, "%s", what);
    tl_errctx_at(ctx, (size_t)(at - r->begin), 0, 0);
    return fail(r, err);
}

/* --- one listing --- */

/* Members of the listing that c stands in, after its '{'. *twice: the field that came twice, or none. */
static bool scan_members(tl__cursor *c, tl_arena *arena, tl__value *values, unsigned *twice,
                         tl_err *err, tl_errctx *ctx)
{
    if (!tl__scan_blank(c)) {
        return false;
    }
    if (*c->at == '}') {
        c->at++;
        return true;
    }
    for (;;) {
        tl__value key;
        if (!tl__scan_blank(c) || *c->at != '"' || !tl__scan_string(c, &key)) {
            return false;
        }
        tl_str name = key.text;
        if (key.has_escapes) {
            *err = tl__unescape_key(&name, arena, &key, ctx);
            if (*err != TL_OK) {
                return false;
            }
        }
        if (!tl__scan_blank(c) || *c->at++ != ':' || !tl__scan_blank(c)) {
            return false;
        }
        tl__value value;
        if (!tl__scan_value(c, &value, DEPTH_IN_LISTING)) {
            return false;
        }
        const unsigned field = tl__field_of_key(name);
        if (field < TL__VALUE_COUNT) {
            *twice = values[field].kind != TL__ABSENT ? field : *twice;
            values[field] = value;
        }
        if (!tl__scan_blank(c) || (*c->at != ',' && *c->at != '}')) {
            return false;
        }
        if (*c->at++ == '}') {
            return true;
        }
    }
}

/* The listing at r->at, or whatever stands there. */
static tl_err take_listing(tl_listing_reader *r, tl_listing *out, tl_errctx *ctx)
{
    r->note = NULL;
    if (r->memo != NULL && tl__memo_find(r, out)) {
        return TL_OK;
    }
    tl__cursor c = {r->at, r->end};
    tl__value values[TL__VALUE_COUNT];
    memset(values, 0, sizeof values);
    unsigned twice = TL__VALUE_COUNT;
    tl_err err = TL_OK;
    bool is_json;
    if (*c.at == '{') {
        c.at++;
        is_json = scan_members(&c, r->scratch, values, &twice, &err, ctx);
    } else {
        tl__value value;
        is_json = tl__scan_value(&c, &value, DEPTH_IN_LIST);
    }
    if (err != TL_OK) {
        return fail_ours(r, err);
    }
    if (!is_json) {
        return explain(r, ctx);
    }
    if (twice < TL__VALUE_COUNT) {
        const char *const key =
            twice < TL_LISTING_FIELD_COUNT ? tl_listing_field_key((tl_listing_field)twice) : "uri";
        return fail_shape(r, r->at, TL_ERR_DUPLICATE, key, "a listing has this key twice", ctx);
    }
    err = tl__listing_make(out, r->scratch, values, ctx);
    if (err != TL_OK) {
        return fail_ours(r, err);
    }
    if (r->memo != NULL) {
        tl__memo_keep(r, (tl_str){r->at, (size_t)(c.at - r->at)},
                      &values[TL_FIELD_SCRAPED_TIMESTAMP], out);
    }
    r->at = c.at;
    return TL_OK;
}

/* --- around the listings --- */

static tl_err take_zipcode(tl_listing_reader *r, const char *at, const tl__value *value,
                           tl_errctx *ctx)
{
    if (r->has_zipcode) {
        return fail_shape(r, at, TL_ERR_DUPLICATE, "zipcode", "the object has this key twice", ctx);
    }
    r->has_zipcode = true;
    if (value->kind == TL__NULL) {
        return TL_OK;
    }
    tl_str text = value->text;
    const tl_err err = tl__unescape(&text, r->scratch, value, ctx);
    if (err != TL_OK) {
        return fail_ours(r, err);
    }
    const bool is_zipcode =
        (value->kind == TL__STRING && tl_record_zipcode(r->zipcode, text)) ||
        (value->kind == TL__NUMBER && tl__zipcode_from_number(r->zipcode, text));
    if (!is_zipcode) {
        return fail_shape(r, at, TL_ERR_RANGE, "zipcode", "five digits are expected", ctx);
    }
    return TL_OK;
}

/* A member of the object; c stands on the quote of its key. "listings" is entered, all else stepped over. */
static tl_err take_member(tl_listing_reader *r, tl__cursor *c, tl_errctx *ctx)
{
    tl__value key;
    tl__value value;
    if (*c->at != '"' || !tl__scan_string(c, &key)) {
        return explain(r, ctx);
    }
    tl_str name = {NULL, 0};
    const tl_err err = tl__unescape_key(&name, r->scratch, &key, ctx);
    if (err != TL_OK) {
        return fail_ours(r, err);
    }
    if (!tl__scan_blank(c) || *c->at++ != ':' || !tl__scan_blank(c)) {
        return explain(r, ctx);
    }
    const char *const at = c->at;
    if (tl_str_eq_cstr(name, "listings")) {
        if (r->has_listings) {
            return fail_shape(r, at, TL_ERR_DUPLICATE, "listings", "the object has this key twice",
                              ctx);
        }
        r->has_listings = true;
        if (*at == '[') {
            c->at++;
            r->state = LIST;
            return TL_OK;
        }
        return tl__scan_value(c, &value, DEPTH_IN_TOP)
                   ? fail_shape(r, at, TL_ERR_TYPE, "listings", "an array is expected", ctx)
                   : explain(r, ctx);
    }
    if (!tl__scan_value(c, &value, DEPTH_IN_TOP)) {
        return explain(r, ctx);
    }
    return tl_str_eq_cstr(name, "zipcode") ? take_zipcode(r, at, &value, ctx) : TL_OK;
}

/* From OPEN or TOP to LIST or DONE. is_first: no comma is expected before the next member. */
static tl_err take_top(tl_listing_reader *r, bool is_first, tl_errctx *ctx)
{
    tl__cursor c = {r->at, r->end};
    while (r->state == TOP) {
        if (!tl__scan_blank(&c)) {
            return explain(r, ctx);
        }
        if (*c.at == '}') {
            c.at++;
            r->state = DONE;
            break;
        }
        if (!is_first && (*c.at++ != ',' || !tl__scan_blank(&c))) {
            return explain(r, ctx);
        }
        is_first = false;
        TL_TRY(take_member(r, &c, ctx));
    }
    if (r->state == DONE && tl__scan_blank(&c)) {
        return explain(r, ctx);
    }
    r->at = c.at;
    return TL_OK;
}

static tl_err take_open(tl_listing_reader *r, tl_errctx *ctx)
{
    tl__cursor c = {r->at, r->end};
    if (!tl__scan_blank(&c)) {
        return explain(r, ctx);
    }
    if (*c.at != '{') {
        tl__value value;
        const char *const at = c.at;
        const bool is_json = tl__scan_value(&c, &value, 0) && !tl__scan_blank(&c);
        return is_json ? fail_shape(r, at, TL_ERR_TYPE, "", "an object is expected", ctx)
                       : explain(r, ctx);
    }
    r->at = c.at + 1;
    r->state = TOP;
    return take_top(r, true, ctx);
}

/* The next listing of the array, or its end: r->state says which. */
static tl_err take_item(tl_listing_reader *r, tl_listing *out, bool is_first, tl_errctx *ctx)
{
    tl__cursor c = {r->at, r->end};
    if (!tl__scan_blank(&c)) {
        return explain(r, ctx);
    }
    if (*c.at == ']') {
        r->at = c.at + 1;
        r->state = TOP;
        return take_top(r, false, ctx);
    }
    if (!is_first && (*c.at++ != ',' || !tl__scan_blank(&c))) {
        return explain(r, ctx);
    }
    r->at = c.at;
    r->offset = (size_t)(c.at - r->begin);
    TL_TRY(take_listing(r, out, ctx));
    out->index = r->first_index + r->count;
    r->count++;
    return TL_OK;
}

tl_err tl_record_open(tl_listing_reader *reader, tl_arena *scratch, tl_str object,
                      uint32_t first_index, tl_errctx *ctx)
{
    if (object.len > TL_RECORD_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "the object has %zu bytes, above %zu", object.len,
                       TL_RECORD_LEN_MAX);
    }
    memset(reader, 0, sizeof *reader);
    reader->scratch = scratch;
    reader->begin = object.len != 0 ? object.ptr : "";
    reader->at = reader->begin;
    reader->end = reader->begin + object.len;
    reader->first_index = first_index;
    return TL_OK;
}

tl_err tl_record_next(tl_listing_reader *reader, tl_listing *out, bool *has_listing, tl_errctx *ctx)
{
    if (reader->failed != TL_OK) {
        return tl_fail(ctx, (tl_err)reader->failed, "the reader of listings failed before");
    }
    if (reader->state == OPEN) {
        TL_TRY(take_open(reader, ctx));
    }
    const uint32_t before = reader->count;
    if (reader->state == LIST) {
        TL_TRY(take_item(reader, out, before == 0, ctx));
    }
    *has_listing = reader->count > before;
    if (!*has_listing && !reader->has_listings) {
        return fail_shape(reader, reader->end, TL_ERR_MISSING, "listings", "the object has none",
                          ctx);
    }
    return TL_OK;
}

tl_err tl_record_at(tl_listing *out, tl_arena *scratch, tl_str object, size_t offset,
                    uint32_t index, tl_errctx *ctx)
{
    tl_listing_reader reader;
    TL_TRY(tl_record_open(&reader, scratch, object, index, ctx));
    if (offset >= object.len) {
        return tl_fail(ctx, TL_ERR_RANGE, "offset %zu, the object has %zu bytes", offset,
                       object.len);
    }
    reader.at = reader.begin + offset;
    TL_TRY(take_listing(&reader, out, ctx));
    out->index = index;
    return TL_OK;
}
