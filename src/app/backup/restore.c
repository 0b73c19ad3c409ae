/* From a backup to stores: looked through whole first, then objects, keys, and the rows last, in one transaction
 * (BACKUP-4): until they stand, no service would take the rest for its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/backup/backup_internal.h"
#include "io/sys/sys.h"

enum { SCRATCH_LEN = 64 << 20 };

static tl_err check_whole(const char *path, tl_backup_report *out, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    const tl_str *differs;
    size_t count;
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl_backup_verify(out, &differs, &count, arena, path, ctx);
    if (err == TL_OK && count > 0) {
        err = tl_fail_field(ctx, TL_ERR_CORRUPT, path, "the backup \"%s\" is damaged: \"%.*s\"%s",
                            path, TL_STR_ARG(differs[0]), count > 1 ? " and others" : "");
    }
    tl_arena_free(arena);
    return err;
}

static tl_err fail_full(const char *what, const char *where, tl_errctx *ctx)
{
    const tl_err err = tl_fail_field(ctx, TL_ERR_STATE, what, "%s already: \"%s\"", what, where);
    tl_errctx_hint(ctx, "a backup is restored into empty stores only");
    return err;
}

static tl_err check_objects_empty(tl_objects *objects, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_objects_page page;
    char key[80] = "";
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    const tl_err err = tl_objects_list(objects, &page, arena, (tl_str){0}, (tl_str){0}, 1, ctx);
    if (err == TL_OK && page.count > 0) {
        (void)tl_str_print(key, sizeof key, "%.*s", TL_STR_ARG(page.items[0].key));
    }
    tl_arena_free(arena);
    return err == TL_OK && key[0] != '\0' ? fail_full("there are objects", key, ctx) : err;
}

/* What is done with each item of one kind. */
typedef tl_err (*item_fn)(const tl__backup_item *item, const char *path,
                          const tl_backup_stores *stores, tl_errctx *ctx);

static tl_err walk(const char *path, tl__backup_kind kind, item_fn fn,
                   const tl_backup_stores *stores, tl_errctx *ctx)
{
    tl__backup_reader r;
    tl_err err = TL_OK;
    TL_TRY(tl__backup_reader_open(&r, path, ctx));
    while (err == TL_OK && !r.is_over) {
        tl__backup_item item;
        err = tl__backup_reader_next(&r, &item, ctx);
        if (err == TL_OK && !r.is_over && item.kind == kind) {
            err = fn(&item, path, stores, ctx);
        }
    }
    tl__backup_reader_close(&r);
    return err;
}

static tl_err state_path(char out[PATH_MAX], const tl__backup_item *item,
                         const tl_backup_stores *stores, tl_errctx *ctx)
{
    if (strlen(stores->dir) + item->name.len + 2 > PATH_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "dir", "the path of the state folder is too long");
    }
    (void)tl_str_print(out, PATH_MAX, "%s/%.*s", stores->dir, TL_STR_ARG(item->name));
    return TL_OK;
}

static tl_err check_state_absent(const tl__backup_item *item, const char *path,
                                 const tl_backup_stores *stores, tl_errctx *ctx)
{
    char to[PATH_MAX];
    (void)path;
    TL_TRY(state_path(to, item, stores, ctx));
    return tl_sys_exists(to) ? fail_full("there is a file of the state folder", to, ctx) : TL_OK;
}

static tl_err restore_state(const tl__backup_item *item, const char *path,
                            const tl_backup_stores *stores, tl_errctx *ctx)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    tl_arena *arena = NULL;
    tl_str bytes;
    tl__backup_item_path(from, path, item);
    TL_TRY(state_path(to, item, stores, ctx));
    TL_TRY(tl_arena_new(&arena, NULL, SCRATCH_LEN, NULL, ctx));
    tl_err err = tl_sys_read_file(&bytes, arena, from, TL_BACKUP_STATE_LEN_MAX, ctx);
    if (err == TL_OK) {
        err = tl_sys_write_file(to, tl_str_bytes(bytes), TL_SYS_FILE_MODE, ctx);
        union {
            const char *theirs;
            char *ours;
        } copy = {.theirs = bytes.ptr};
        tl_wipe(copy.ours, bytes.len);
    }
    tl_arena_free(arena);
    return err;
}

/* The file's bytes into the stream, piece by piece. */
static tl_err pour(tl_objects_stream *stream, const char *path, tl_errctx *ctx)
{
    tl__backup_file f;
    uint8_t step[1 << 16];
    size_t got;
    tl_err err = TL_OK;
    TL_TRY(tl__backup_read_open(&f, path, ctx));
    while (err == TL_OK && (got = fread(step, 1, sizeof step, f.stream)) > 0) {
        err = tl_objects_stream_write(stream, (tl_bytes){step, got}, ctx);
    }
    if (err == TL_OK && ferror(f.stream) != 0) {
        err = tl_fail_field(ctx, TL_ERR_IO, path, "cannot read \"%s\"", path);
    }
    tl__backup_abandon(&f);
    return err;
}

static tl_err restore_object(const tl__backup_item *item, const char *path,
                             const tl_backup_stores *stores, tl_errctx *ctx)
{
    char from[PATH_MAX];
    tl_objects_stream *stream = NULL;
    tl_objects_info info;
    tl__backup_item_path(from, path, item);
    TL_TRY(tl_sys_check_interrupt(ctx));
    TL_TRY(tl_objects_stream_begin(&stream, stores->objects, item->name, NULL, ctx));
    const tl_err err = pour(stream, from, ctx);
    if (err != TL_OK) {
        tl_objects_stream_abort(stream);
        return err;
    }
    TL_TRY(tl_objects_stream_finish(stream, &info, ctx));
    if (info.bytes != item->bytes || tl_hash32_cmp(&info.sha256, &item->sha256) != 0) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, path, "\"%s\" changed since it was verified",
                             from);
    }
    return TL_OK;
}

static tl_err restore_table(const tl__backup_item *item, const char *path,
                            const tl_backup_stores *stores, tl_errctx *ctx)
{
    return tl__backup_load_table(tl_records_sql(stores->records), item, path, ctx);
}

static tl_err restore_rows(const char *path, const tl_backup_stores *stores, tl_errctx *ctx)
{
    tl_sql *sql = tl_records_sql(stores->records);
    TL_TRY(tl_sql_begin(sql, ctx));
    tl_err err = tl__backup_tables_are_empty(sql, ctx);
    err = err == TL_OK ? walk(path, TL__BACKUP_TABLE, restore_table, stores, ctx) : err;
    err = err == TL_OK ? tl__backup_fix_serials(sql, ctx) : err;
    if (err != TL_OK) {
        tl_sql_rollback(sql);
        return err;
    }
    return tl_sql_commit(sql, ctx);
}

/* Objects in a folder were put without a sync each: one for all, before the rows name them. */
static tl_err sync_folder(const tl_backup_stores *stores, tl_errctx *ctx)
{
    if (!tl_objects_is_folder(stores->objects)) {
        return TL_OK;
    }
    const int fd = open(stores->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_synced
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_IO, stores->dir, "cannot sync \"%s\"", stores->dir);
}

static tl_err check_schema(const char *path, const tl_backup_stores *stores, tl_errctx *ctx)
{
    tl__backup_reader r;
    char ours[65];
    TL_TRY(tl__backup_schema(ours, stores->records, ctx));
    TL_TRY(tl__backup_reader_open(&r, path, ctx));
    const bool is_same = strcmp(r.schema, ours) == 0;
    tl__backup_reader_close(&r);
    if (is_same) {
        return TL_OK;
    }
    const tl_err err =
        tl_fail_field(ctx, TL_ERR_VERSION, path,
                      "the backup \"%s\" is of another schema than this program's", path);
    tl_errctx_hint(ctx, "restore with the version that made it, then upgrade");
    return err;
}

tl_err tl_backup_restore(tl_backup_report *out, const char *path, const tl_backup_stores *stores,
                         tl_errctx *ctx)
{
    tl_backup_report report;
    TL_TRY(check_whole(path, &report, ctx));
    TL_TRY(check_schema(path, stores, ctx));
    TL_TRY(tl__backup_tables_are_empty(tl_records_sql(stores->records), ctx));
    TL_TRY(check_objects_empty(stores->objects, ctx));
    TL_TRY(walk(path, TL__BACKUP_STATE, check_state_absent, stores, ctx));
    TL_TRY(walk(path, TL__BACKUP_OBJECT, restore_object, stores, ctx));
    TL_TRY(sync_folder(stores, ctx));
    TL_TRY(walk(path, TL__BACKUP_STATE, restore_state, stores, ctx));
    TL_TRY(restore_rows(path, stores, ctx));
    *out = report;
    return TL_OK;
}
