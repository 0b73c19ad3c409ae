/* data.c: where the tables are. */
#include "app/data/data.h"

#include <unistd.h>

#include "io/sys/sys.h"

#define PATH_CAP     4096
#define ZIPCODES_MAX ((size_t)64 << 20) /* bytes of a table, decompressed */

/* The folder of the running program, symbolic links followed; empty when nobody knows. */
static void find_own_folder(char out[PATH_CAP])
{
    const ssize_t len = readlink("/proc/self/exe", out, PATH_CAP - 1);
    size_t end = len > 0 ? (size_t)len : 0;
    while (end > 0 && out[end - 1] != '/') {
        end--;
    }
    out[end] = '\0';
}

tl_err tl_data_find(const char **out, tl_arena *arena, const char *name, tl_errctx *ctx)
{
    char own[PATH_CAP];
    find_own_folder(own);
    static const char *const below[] = {"../../data", "../data", "../share/tally"};
    for (size_t i = 0; i < sizeof below / sizeof *below && own[0] != '\0'; i++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_printf(&sb, "%s%s/%s", own, below[i], name);
        tl_str text = {NULL, 0};
        TL_TRY(tl_sb_finish(&text, &sb, ctx));
        if (tl_sys_exists(text.ptr)) {
            *out = text.ptr;
            return TL_OK;
        }
    }
    const char *path = NULL;
    TL_TRY(tl_sys_join(&path, arena, "data", name, ctx));
    if (tl_sys_exists(path)) {
        *out = path;
        return TL_OK;
    }
    return tl_fail(ctx, TL_ERR_NOT_FOUND, "no table: neither data/%s nor one beside the program",
                   name);
}

tl_err tl_data_zipcodes(tl_places *out, tl_arena *arena, const char *path, tl_errctx *ctx)
{
    const char *found = path; /* DATA-1 */
    if (path == NULL) {
        const tl_err err = tl_data_find(&found, arena, TL_DATA_ZIPCODES, ctx);
        if (err != TL_OK) {
            tl_errctx_hint(ctx, "run it from the project's folder, or name one with --zipcodes");
            return err;
        }
    }
    tl_str text = {NULL, 0};
    TL_TRY(tl_sys_read_text(&text, arena, found, ZIPCODES_MAX, ctx));
    const tl_err err = tl_places_read(out, arena, text, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", found);
    }
    return err;
}
