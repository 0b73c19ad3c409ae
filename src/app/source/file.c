/* file.c: a folder of ZIPCODE.json, or one file for all zipcodes. */
#include <errno.h>
#include <sys/stat.h>

#include "app/source/source_internal.h"
#include "base/vec/vec.h"
#include "io/sys/sys.h"

static tl_err read_json(const tl_json **out, tl_arena *arena, const char *path, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_sys_read_text(&text, arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    const tl_json_options options = {.allow_nonfinite = true};
    const tl_err err = tl_json_parse(out, arena, text, &options, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", path);
    }
    return err;
}

/* Those of an array whose own zipcode it is. */
static tl_err take_of_zipcode(tl_source_batch *out, tl_arena *arena, const tl_json *array,
                              tl_str zipcode, tl_errctx *ctx)
{
    tl_vec mine;
    tl_vec_init(&mine, arena, sizeof(const tl_json *));
    for (uint32_t i = 0; i < array->count && mine.count < TL_SOURCE_LISTINGS_MAX; i++) {
        const tl_json *of = tl_json_get(&array->items[i], "zipcode");
        if (of != NULL && tl_str_eq(of->text, zipcode)) {
            const tl_json **slot = (const tl_json **)tl_vec_push(&mine);
            if (slot == NULL) {
                return tl_arena_fail(arena, ctx);
            }
            *slot = &array->items[i];
        }
    }
    *out = (tl_source_batch){(const tl_json *const *)mine.items, NULL, mine.count};
    return TL_OK;
}

tl_err tl__source_collect_file(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, tl_errctx *ctx)
{
    struct stat st;
    const tl_json *json = NULL;
    if (stat(source->place, &st) != 0) {
        return tl_fail_field(ctx, errno == ENOENT ? TL_ERR_NOT_FOUND : TL_ERR_IO, "source",
                             "cannot look at \"%s\"", source->place);
    }
    if (S_ISDIR(st.st_mode)) {
        const char *path = NULL;
        char name[32];
        (void)tl_str_print(name, sizeof name, "%.*s.json", TL_STR_ARG(tl_str_slice(zipcode, 0, 5)));
        TL_TRY(tl_sys_join(&path, arena, source->place, name, ctx));
        TL_TRY(read_json(&json, arena, path, ctx));
        const tl_json *inner = tl_json_get(json, "listings");
        return tl__source_take(out, arena, inner != NULL ? inner : json, ctx);
    }
    TL_TRY(read_json(&json, arena, source->place, ctx));
    if (json->kind == TL_JSON_ARRAY) {
        return take_of_zipcode(out, arena, json, zipcode, ctx);
    }
    const tl_json *mine = tl_json_get_str(json, zipcode);
    if (mine == NULL) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, "source", "\"%s\" has no zipcode %.*s",
                             source->place, TL_STR_ARG(tl_str_slice(zipcode, 0, 20)));
    }
    return tl__source_take(out, arena, mine, ctx);
}
