/* Is every byte as the manifest says? (BACKUP-3) */
#include <string.h>

#include "app/backup/backup_internal.h"
#include "base/vec/vec.h"

static tl_err note(tl_vec *differs, tl_arena *arena, tl_str label, tl_errctx *ctx)
{
    if (differs->count == TL_BACKUP_DIFFERS_MAX) {
        return TL_OK;
    }
    tl_str *room = (tl_str *)tl_vec_push(differs);
    if (room == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    return tl_str_copy(room, arena, label, ctx);
}

static tl_err check_item(tl_vec *differs, tl_arena *arena, const char *path,
                         const tl__backup_item *item, tl_errctx *ctx)
{
    char file[PATH_MAX];
    tl_hash32 sha256;
    uint64_t bytes;
    tl_str label;
    tl__backup_item_path(file, path, item);
    const tl_err err = tl__backup_hash_file(&sha256, &bytes, file, ctx);
    if (err != TL_OK && err != TL_ERR_NOT_FOUND && err != TL_ERR_REFUSED) {
        return err;
    }
    if (err == TL_OK && bytes == item->bytes && tl_hash32_cmp(&sha256, &item->sha256) == 0) {
        return TL_OK;
    }
    tl_errctx_reset(ctx);
    TL_TRY(tl__backup_item_label(&label, arena, item, ctx));
    return note(differs, arena, label, ctx);
}

tl_err tl_backup_verify(tl_backup_report *out, const tl_str **differs, size_t *count,
                        tl_arena *arena, const char *path, tl_errctx *ctx)
{
    tl__backup_reader r;
    tl_vec found;
    tl_err err = TL_OK;
    TL_TRY(tl__backup_reader_open(&r, path, ctx));
    tl_vec_init(&found, arena, sizeof(tl_str));
    while (err == TL_OK && !r.is_over) {
        tl__backup_item item;
        err = tl__backup_reader_next(&r, &item, ctx);
        if (err == TL_ERR_CORRUPT) {
            tl_errctx_reset(ctx);
            err = note(&found, arena, TL_STR("MANIFEST"), ctx);
            break;
        }
        if (err == TL_OK && !r.is_over) {
            err = check_item(&found, arena, path, &item, ctx);
        }
    }
    if (err == TL_OK) {
        *out = r.report;
        *differs = (const tl_str *)found.items;
        *count = found.count;
    }
    tl__backup_reader_close(&r);
    return err;
}
