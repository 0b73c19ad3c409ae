/* The door: which kind of source it is, and what all kinds have in common. */
#include "app/source/source_internal.h"

#include <string.h>

#include "io/sys/sys.h"

static tl_err open_http(tl_source *source, tl_str url, tl_errctx *ctx)
{
    const tl_caller_options options = {
        .url = url,
        .retries_max = 4,
        .per_s = source->options.per_s != 0 ? source->options.per_s : 200,
        .flight_max = source->options.flight_max != 0 ? source->options.flight_max : 8,
        .clock = source->options.clock,
        .entropy = source->options.entropy,
    };
    source->kind = TL__SOURCE_HTTP;
    const tl_err err = tl_caller_new(&source->caller, &options, ctx);
    if (err == TL_ERR_SYNTAX) {
        tl_errctx_under(ctx, "source");
    }
    return err;
}

static tl_err open_kind(tl_source *source, tl_errctx *ctx)
{
    const char *spec = source->options.spec;
    if (spec == NULL) {
        TL_ASSERT(source->options.collect != NULL);
        source->kind = TL__SOURCE_CALL;
        return TL_OK;
    }
    const tl_str text = tl_str_from_cstr(spec);
    const bool is_file = tl_str_starts_with(text, TL_STR("file:"));
    if (is_file || tl_str_starts_with(text, TL_STR("exec:"))) {
        TL_TRY(
            tl_str_copy_cstr(&source->place, source->arena, tl_str_slice(text, 5, text.len), ctx));
        source->kind = is_file ? TL__SOURCE_FILE : TL__SOURCE_EXEC;
        if (source->place[0] == 0) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "source", "nothing stands behind \"%s\"",
                                 spec);
        }
        if (is_file && !tl_sys_exists(source->place)) {
            return tl_fail_field(ctx, TL_ERR_NOT_FOUND, "source", "there is no \"%s\"",
                                 source->place);
        }
        return TL_OK;
    }
    if (!tl_str_starts_with(text, TL_STR("http://")) &&
        !tl_str_starts_with(text, TL_STR("https://"))) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "source",
                             "\"%s\" is no source: a URL, file:PATH or exec:PROGRAM", spec);
    }
    return open_http(source, text, ctx);
}

tl_err tl_source_open(tl_source **out, const tl_source_options *options, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_source *source = TL_NEW(arena, tl_source, 1);
    tl_err err = source != NULL ? TL_OK : tl_arena_fail(arena, ctx);
    if (err == TL_OK) {
        *source = (tl_source){.arena = arena, .options = *options};
        if (options->clock.wall_ns == NULL) {
            source->options.clock = tl_sys_clock();
        }
        err = open_kind(source, ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out = source;
    return TL_OK;
}

void tl_source_close(tl_source *source)
{
    if (source != NULL) {
        tl_caller_free(source->caller);
        tl_arena_free(source->arena);
    }
}

bool tl_source_has_mirror(const tl_source *source)
{
    return source->kind == TL__SOURCE_HTTP || source->kind == TL__SOURCE_CALL;
}

tl_err tl__source_take(tl_source_batch *out, tl_arena *arena, const tl_json *array, tl_errctx *ctx)
{
    if (array == NULL || array->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "source", "what it gives is no array of listings");
    }
    if (array->count > TL_SOURCE_LISTINGS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "source", "%u listings of one zipcode, above %zu",
                             array->count, TL_SOURCE_LISTINGS_MAX);
    }
    const tl_json **items = TL_NEW(arena, const tl_json *, array->count);
    if (items == NULL && array->count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < array->count; i++) {
        if (array->items[i].kind != TL_JSON_OBJECT) {
            return tl_fail_field(ctx, TL_ERR_TYPE, "source", "listing %u is no object", i);
        }
        items[i] = &array->items[i];
    }
    *out = (tl_source_batch){items, NULL, array->count};
    return TL_OK;
}

tl_err tl_source_collect(tl_source *source, tl_source_batch *out, tl_arena *arena, tl_str zipcode,
                         bool is_mirror, tl_errctx *ctx)
{
    if (is_mirror && !tl_source_has_mirror(source)) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, "source", "this source has no mirror");
    }
    switch (source->kind) {
    case TL__SOURCE_HTTP:
        return tl__source_collect_http(source, out, arena, zipcode, is_mirror, ctx);
    case TL__SOURCE_FILE:
        return tl__source_collect_file(source, out, arena, zipcode, ctx);
    case TL__SOURCE_EXEC:
        return tl__source_collect_exec(source, out, arena, zipcode, ctx);
    case TL__SOURCE_CALL:
        break;
    }
    return source->options.collect(source->options.self, out, arena, zipcode, is_mirror, ctx);
}

tl_err tl_source_collect_many(tl_source *source, tl_source_want *wants, size_t count,
                              tl_arena *arena, tl_errctx *ctx)
{
    if (source->kind == TL__SOURCE_HTTP) {
        return tl__source_collect_many_http(source, wants, count, arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        wants[i].why = (tl_errctx)TL_ERRCTX_INIT;
        wants[i].err = tl_source_collect(source, &wants[i].batch, arena, wants[i].zipcode, false,
                                         &wants[i].why);
        if (wants[i].err == TL_ERR_INTERRUPTED || wants[i].err == TL_ERR_NOMEM) {
            return tl_fail(ctx, wants[i].err, "%s", wants[i].why.message);
        }
    }
    return TL_OK;
}

/* By id among what is collected: for sources without a question of their own. */
static tl_err ask_collected(tl_source *source, tl_source_look *out, tl_arena *arena, tl_str zipcode,
                            const tl_str *ids, size_t count, tl_errctx *ctx)
{
    tl_source_batch all = {NULL, NULL, 0};
    const tl_err err = tl_source_collect(source, &all, arena, zipcode, false, ctx);
    if (err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM) {
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (tl_source_look){.state = err == TL_OK ? TL_SOURCE_UNKNOWN : TL_SOURCE_SILENT};
        for (size_t k = 0; k < all.count && out[i].item == NULL; k++) {
            static const char *const names[] = {"id", "zpid"};
            for (size_t n = 0; n < 2; n++) {
                const tl_json *id = tl_json_get(all.items[k], names[n]);
                if (id != NULL && tl_str_eq(id->text, ids[i])) {
                    out[i] = (tl_source_look){.state = TL_SOURCE_HERE, .item = all.items[k]};
                }
            }
        }
    }
    return TL_OK;
}

tl_err tl_source_ask(tl_source *source, tl_source_look *out, tl_arena *arena, tl_str zipcode,
                     const tl_str *ids, size_t count, tl_errctx *ctx)
{
    return source->kind == TL__SOURCE_HTTP
               ? tl__source_ask_http(source, out, arena, ids, count, ctx)
               : ask_collected(source, out, arena, zipcode, ids, count, ctx);
}
