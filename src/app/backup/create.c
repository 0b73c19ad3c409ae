/* Making a backup: rows of one moment, then the keys, then the objects; beside its path first (BACKUP-2). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/backup/backup_internal.h"
#include "io/sys/sys.h"

enum { SCRATCH_LEN = 256 << 20 };

typedef struct making {
    const tl_backup_stores *stores;
    const char *part; /* the folder until it is whole */
    tl_arena *arena;
    tl__backup_file manifest;
    tl_backup_report report;
} making;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static tl_err put_item(making *m, const tl__backup_item *item, tl_errctx *ctx)
{
    m->report.rows += item->rows;
    m->report.objects += item->kind == TL__BACKUP_OBJECT ? 1 : 0;
    m->report.keys += item->kind == TL__BACKUP_STATE ? 1 : 0;
    m->report.bytes += item->bytes;
    return tl__backup_put_item(&m->manifest, m->arena, item, ctx);
}

/* --- rows: one transaction reads them all (BACKUP-1) --- */

static tl_err dump_tables(making *m, tl_errctx *ctx)
{
    tl_sql *sql = tl_records_sql(m->stores->records);
    tl_err err = tl_sql_begin_read(sql, ctx);
    if (err == TL_OK && tl_sql_kind_of(sql) == TL_SQL_SQLITE) {
        err =
            tl__backup_check_tables(sql, ctx); /* on a server others may have tables beside ours */
    }
    for (size_t i = 0; i < tl__backup_table_count() && err == TL_OK; i++) {
        tl__backup_item item;
        err = tl__backup_dump_table(&item, sql, i, m->part, ctx);
        if (err == TL_OK) {
            err = put_item(m, &item, ctx);
        }
    }
    tl_sql_rollback(sql); /* it wrote nothing */
    return err;
}

/* --- keys --- */

static tl_err copy_state(making *m, tl_errctx *ctx)
{
    const char *const *names;
    size_t count;
    TL_TRY(tl__backup_state_names(&names, &count, m->arena, m->stores->dir, ctx));
    for (size_t i = 0; i < count; i++) {
        const char *from;
        char to[PATH_MAX];
        tl_str bytes;
        tl__backup_item item = {.kind = TL__BACKUP_STATE, .name = tl_str_from_cstr(names[i])};
        TL_TRY(tl_sys_join(&from, m->arena, m->stores->dir, names[i], ctx));
        TL_TRY(tl_sys_read_file(&bytes, m->arena, from, TL_BACKUP_STATE_LEN_MAX, ctx));
        tl__backup_item_path(to, m->part, &item);
        const tl_err err = tl_sys_write_file(to, tl_str_bytes(bytes), TL_SYS_FILE_MODE, ctx);
        tl_sha256(&item.sha256, bytes.ptr, bytes.len);
        item.bytes = bytes.len;
        union {
            const char *theirs;
            char *ours;
        } copy = {.theirs = bytes.ptr};
        tl_wipe(copy.ours, bytes.len); /* a key lies in the file, not in memory */
        if (err != TL_OK) {
            return err;
        }
        TL_TRY(put_item(m, &item, ctx));
    }
    return TL_OK;
}

/* --- objects --- */

static tl_err take_piece(void *self, tl_bytes piece, tl_errctx *ctx)
{
    return tl__backup_write((tl__backup_file *)self, piece, ctx);
}

static tl_err name_object(const char *part, const char *to, tl_errctx *ctx)
{
    char folder[PATH_MAX];
    if (rename(part, to) == 0) {
        return TL_OK;
    }
    (void)tl_str_print(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = '\0';
    if (errno == ENOENT && (mkdir(folder, TL_SYS_DIR_MODE) == 0 || errno == EEXIST) &&
        rename(part, to) == 0) {
        return TL_OK;
    }
    return tl_fail_field(ctx, TL_ERR_IO, to, "cannot write \"%s\": %s", to, strerror(errno));
}

static tl_err copy_object(making *m, tl_str key, tl_errctx *ctx)
{
    char part[PATH_MAX];
    char to[PATH_MAX];
    tl__backup_file f;
    tl_objects_info info;
    tl_hash32 written;
    tl__backup_item item = {.kind = TL__BACKUP_OBJECT, .name = key};
    (void)tl_str_print(part, sizeof part, "%s/objects/part", m->part);
    TL_TRY(tl__backup_write_open(&f, part, ctx));
    tl_err err = tl_objects_read(m->stores->objects, &info, key, take_piece, &f, ctx);
    if (err == TL_OK) {
        item.bytes = f.bytes;
        err = tl__backup_close(&f, &written, ctx);
    } else {
        tl__backup_abandon(&f);
    }
    if (err == TL_ERR_NOT_FOUND) { /* deleted since it was listed */
        tl_errctx_reset(ctx);
        (void)unlink(part);
        return TL_OK;
    }
    if (err != TL_OK) {
        return err;
    }
    item.sha256 = written;
    tl__backup_item_path(to, m->part, &item);
    if (tl_sys_exists(to)) { /* another key has the same bytes */
        (void)unlink(part);
    } else {
        TL_TRY(name_object(part, to, ctx));
    }
    return put_item(m, &item, ctx);
}

static tl_err copy_objects(making *m, tl_errctx *ctx)
{
    tl_objects_page page = {.has_more = true};
    char after[TL_OBJECTS_KEY_LEN_MAX];
    size_t after_len = 0;
    while (page.has_more) {
        const tl_arena_mark mark = tl_arena_get_mark(m->arena);
        TL_TRY(tl_objects_list(m->stores->objects, &page, m->arena, (tl_str){0},
                               (tl_str){after, after_len}, 0, ctx));
        for (size_t i = 0; i < page.count; i++) {
            const tl_str key = page.items[i].key;
            TL_TRY(tl_sys_check_interrupt(ctx));
            if (!tl_str_starts_with(key, TL_STR("probe/")) &&
                tl_objects_check_key(key, NULL) == TL_OK) {
                TL_TRY(copy_object(m, key, ctx));
            }
            TL_ASSERT(key.len <= sizeof after);
            memcpy(after, key.ptr, key.len);
            after_len = key.len;
        }
        page.has_more = page.has_more && page.count > 0;
        tl_arena_rewind(m->arena, mark);
    }
    return TL_OK;
}

/* --- the whole --- */

static tl_err make_folders(const making *m, tl_errctx *ctx)
{
    static const char *const names[] = {"tables", "state", "objects"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path;
        TL_TRY(tl_sys_join(&path, m->arena, m->part, names[i], ctx));
        TL_TRY(tl_sys_make_dir(path, TL_SYS_DIR_MODE, ctx));
    }
    return TL_OK;
}

static tl_err fill(making *m, const tl_clock *clock, tl_errctx *ctx)
{
    char path[PATH_MAX];
    char schema[65];
    const tl__backup_item end = {.kind = TL__BACKUP_END};
    TL_TRY(make_folders(m, ctx));
    TL_TRY(tl__backup_schema(schema, m->stores->records, ctx));
    tl__backup_item_path(path, m->part, &end);
    TL_TRY(tl__backup_write_open(&m->manifest, path, ctx));
    tl_err err = tl__backup_put_head(&m->manifest, m->arena, schema, clock, ctx);
    err = err == TL_OK ? dump_tables(m, ctx) : err;
    err = err == TL_OK ? copy_state(m, ctx) : err;
    err = err == TL_OK ? copy_objects(m, ctx) : err;
    err = err == TL_OK ? tl__backup_put_end(&m->manifest, m->arena, &m->report, ctx) : err;
    tl__backup_abandon(&m->manifest);
    return err;
}

/* Durable, then at its path; a path that came into being meanwhile is not written over, unless it is an empty folder. */
static tl_err publish(const making *m, const char *path, tl_errctx *ctx)
{
    const int fd = open(m->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!is_synced || rename(m->part, path) != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, path, "cannot write \"%s\": %s", path,
                             strerror(errno));
    }
    char parent[PATH_MAX];
    (void)tl_str_print(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        return tl_sys_sync_dir(".", ctx);
    }
    slash[slash == parent ? 1 : 0] = '\0';
    return tl_sys_sync_dir(parent, ctx);
}

tl_err tl_backup_create(tl_backup_report *out, const char *path, const tl_backup_stores *stores,
                        const tl_clock *clock, tl_errctx *ctx)
{
    making m = {.stores = stores};
    char prefix[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    if (len == 0 || len + 160 > sizeof prefix) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "to", "no path for a backup of %zu bytes", len);
    }
    char plain[PATH_MAX];
    (void)tl_str_print(plain, sizeof plain, "%.*s", (int)len, path);
    if (tl_sys_exists(plain)) {
        return tl_fail_field(ctx, TL_ERR_STATE, "to", "\"%s\" is there already", plain);
    }
    TL_TRY(tl_arena_new(&m.arena, NULL, SCRATCH_LEN, NULL, ctx));
    (void)tl_str_print(prefix, sizeof prefix, "%s.part", plain);
    tl_err err = tl_sys_make_fresh_dir(&m.part, m.arena, prefix, ctx);
    if (err == TL_OK) {
        err = fill(&m, clock, ctx);
        err = err == TL_OK ? publish(&m, plain, ctx) : err;
        if (err != TL_OK) {
            (void)nftw(m.part, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        } else {
            *out = m.report;
        }
    }
    tl_arena_free(m.arena);
    return err;
}
