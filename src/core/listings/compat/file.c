/* A submission's file, read as it comes: {"zipcode", "listings": [{…}, …], …}. A listing lives until the next begins; of
 * its values only a price that is a list or a dict is kept as a tree, since only there its text is asked for. */
#include "core/listings/compat/compat_internal.h"

#include <string.h>

typedef struct file_reader {
    tl_json_reader json;
    tl_arena *scratch;
    tl_str input;
    tl_compat_quality *quality;
    tl_compat_file *file;
    bool has_listings;
} file_reader;

static const tl_json_options lax = {
    .allow_duplicate_keys = true, .allow_nonfinite = true, .depth_max = TL_JSON_DEPTH_MAX};

static const tl_str keys[] = {
#define KEY(name, key) {key, sizeof(key) - 1},
    TL_LISTING_FIELD_MAP(KEY)
#undef KEY
};

/* Which field a key names; TL_COMPAT_FIELDS: none that is looked at. The lengths tell nearly all apart. */
static size_t field_of(tl_str key)
{
    size_t f = 0;
    while (f < TL_COMPAT_FIELDS &&
           (key.len != keys[f].len || memcmp(key.ptr, keys[f].ptr, key.len) != 0)) {
        f++;
    }
    return f;
}

static tl_err refuse_long(tl_str digits, tl_errctx *ctx)
{
    return tl_py_is_loadable(tl_py_of_number(digits))
               ? TL_OK
               : tl_fail(ctx, TL_ERR_RANGE, "an integer of more than %d digits",
                         TL_PY_INT_DIGITS_MAX);
}

/* To the end of the list or dict that just began; how many values or keys it holds. */
static tl_err skip_nested(uint32_t *count, file_reader *r, tl_errctx *ctx)
{
    const uint32_t depth = r->json.depth;
    uint32_t found = 0;
    while (r->json.depth >= depth) {
        const bool is_outer = r->json.depth == depth;
        tl_json_event event;
        TL_TRY(tl_json_next(&r->json, &event, ctx));
        if (event == TL_JSON_EV_NUMBER) {
            TL_TRY(refuse_long(r->json.text, ctx));
        }
        found += is_outer && r->json.depth >= depth && event != TL_JSON_EV_KEY ? 1 : 0;
    }
    *count = found;
    return TL_OK;
}

static tl_err read_nested(tl_py_value *out, tl_py_kind kind, bool is_kept, file_reader *r,
                          tl_errctx *ctx)
{
    const size_t begin = r->json.offset;
    uint32_t count;
    TL_TRY(skip_nested(&count, r, ctx));
    *out = (tl_py_value){.kind = kind, .count = count};
    if (is_kept) {
        const tl_str text = tl_str_slice(r->input, begin, r->json.offset + 1);
        TL_TRY(tl_json_parse(&out->tree, r->scratch, text, &lax, ctx));
        out->count = out->tree->count; /* a dict with equal keys holds fewer */
    }
    return TL_OK;
}

/* The value whose first event was read. */
static tl_err read_value(tl_py_value *out, tl_json_event event, bool is_kept, file_reader *r,
                         tl_errctx *ctx)
{
    switch (event) {
    case TL_JSON_EV_NULL:
        *out = (tl_py_value){.kind = TL_PY_NONE};
        return TL_OK;
    case TL_JSON_EV_FALSE:
        *out = (tl_py_value){.kind = TL_PY_FALSE};
        return TL_OK;
    case TL_JSON_EV_TRUE:
        *out = (tl_py_value){.kind = TL_PY_TRUE};
        return TL_OK;
    case TL_JSON_EV_STRING:
        *out = (tl_py_value){.kind = TL_PY_STR, .text = r->json.text};
        return TL_OK;
    case TL_JSON_EV_NUMBER:
        *out = tl_py_of_number(r->json.text);
        return refuse_long(r->json.text, ctx);
    case TL_JSON_EV_ARRAY_BEGIN:
        return read_nested(out, TL_PY_LIST, is_kept, r, ctx);
    case TL_JSON_EV_OBJECT_BEGIN:
        return read_nested(out, TL_PY_DICT, is_kept, r, ctx);
    case TL_JSON_EV_END:
    case TL_JSON_EV_KEY:
    case TL_JSON_EV_ARRAY_END:
    case TL_JSON_EV_OBJECT_END:
        break;
    }
    return tl_fail(ctx, TL_ERR_INTERNAL, "no value begins here");
}

/* The members of the listing that just began. */
static tl_err read_listing(file_reader *r, tl_errctx *ctx)
{
    tl_compat_listing listing = {0};
    tl_json_event event;
    for (;;) {
        TL_TRY(tl_json_next(&r->json, &event, ctx));
        if (event == TL_JSON_EV_OBJECT_END) {
            return tl_compat_quality_add(r->quality, &listing, ctx);
        }
        const size_t field = field_of(r->json.text);
        tl_py_value value;
        TL_TRY(tl_json_next(&r->json, &event, ctx));
        TL_TRY(read_value(&value, event, field == TL_FIELD_PRICE, r, ctx));
        if (field < TL_COMPAT_FIELDS) {
            listing.field[field] = value;
        }
    }
}

static tl_err read_listings(file_reader *r, tl_errctx *ctx)
{
    tl_json_event event;
    for (r->file->count = 0;; r->file->count++) {
        TL_TRY(tl_json_next(&r->json, &event, ctx));
        if (event == TL_JSON_EV_ARRAY_END) {
            return TL_OK;
        }
        const tl_arena_mark mark = tl_arena_get_mark(r->scratch);
        tl_err err = TL_OK;
        if (event != TL_JSON_EV_OBJECT_BEGIN) {
            err = tl_fail(ctx, TL_ERR_TYPE, "a listing is an object");
        } else {
            err = read_listing(r, ctx);
        }
        tl_arena_rewind(r->scratch, mark);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "listings[%llu]", (unsigned long long)r->file->count);
            return err;
        }
    }
}

static tl_err read_member(file_reader *r, tl_errctx *ctx)
{
    const struct {
        const char *key;
        tl_str *text;
    } texts[] = {{"zipcode", &r->file->zipcode},
                 {"submission_timestamp", &r->file->time},
                 {"miner_hotkey", &r->file->hotkey}};
    const tl_str key = r->json.text;
    tl_json_event event;
    TL_TRY(tl_json_next(&r->json, &event, ctx));
    if (tl_str_eq(key, TL_STR("listings"))) {
        if (r->has_listings) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "listings", "listings are given twice");
        }
        if (event != TL_JSON_EV_ARRAY_BEGIN) {
            return tl_fail_field(ctx, TL_ERR_TYPE, "listings", "listings are an array");
        }
        r->has_listings = true;
        return read_listings(r, ctx);
    }
    tl_py_value value;
    TL_TRY(read_value(&value, event, false, r, ctx));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (tl_str_eq_cstr(key, texts[i].key)) {
            *texts[i].text = value.kind == TL_PY_STR ? value.text : TL_STR("");
        }
    }
    return TL_OK;
}

tl_err tl_compat_file_read(tl_compat_file *out, tl_compat_quality *quality, tl_str text,
                           tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(scratch != quality->arena);
    tl_compat_file file = {0};
    file_reader r = {.scratch = scratch, .input = text, .quality = quality, .file = &file};
    tl_json_event event;
    TL_TRY(tl_json_reader_init(&r.json, scratch, text, &lax, ctx));
    TL_TRY(tl_json_next(&r.json, &event, ctx));
    if (event != TL_JSON_EV_OBJECT_BEGIN) {
        return tl_fail(ctx, TL_ERR_TYPE, "a submission is an object");
    }
    for (;;) {
        TL_TRY(tl_json_next(&r.json, &event, ctx));
        if (event == TL_JSON_EV_OBJECT_END) {
            break;
        }
        TL_TRY(read_member(&r, ctx));
    }
    TL_TRY(tl_json_next(&r.json, &event, ctx)); /* nothing behind it */
    if (!r.has_listings) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "listings", "a submission without listings");
    }
    *out = file;
    return TL_OK;
}

static tl_err add_files(tl_compat_quality *quality, const tl_str *files, size_t count,
                        tl_arena *scratch, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(scratch);
        tl_compat_file file;
        const tl_err err = tl_compat_file_read(&file, quality, files[i], scratch, ctx);
        tl_arena_rewind(scratch, mark);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "files[%zu]", i);
            return err;
        }
    }
    return TL_OK;
}

tl_err tl_compat_check_files(tl_compat_check *out, const tl_str *files, size_t count,
                             bool has_expected, int64_t expected,
                             const tl_compat_quality_options *options, tl_arena *scratch,
                             tl_errctx *ctx)
{
    tl_arena *seen; /* what quality remembers outlives a listing */
    tl_compat_quality quality;
    TL_TRY(tl_arena_new(&seen, scratch, 0, NULL, ctx));
    tl_compat_quality_init(&quality, seen, options);
    const tl_err err = add_files(&quality, files, count, scratch, ctx);
    if (err == TL_OK) {
        tl_compat_check check = {.bounds = tl_compat_tier1(options->code, has_expected, expected)};
        tl_compat_quality_finish(&check.rates, &quality);
        check.failed_at_tier = !tl_compat_tier1_passes(&check.bounds, check.rates.count) ? 1
                               : !check.rates.passes                                     ? 2
                                                                                         : 0;
        *out = check;
    }
    tl_arena_free(seen);
    return err;
}
