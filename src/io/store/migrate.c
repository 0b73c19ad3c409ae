/* Migrations: what the file has against what the program has, by number and checksum. */
#include "io/store/store_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "io/store/migrations.h"

enum { FILE_MIGRATIONS_MAX = 4096 };

static void checksum_of(char out[65], const char *sql)
{
    static const char hex[] = "0123456789abcdef";
    tl_hash32 digest;
    tl_sha256(&digest, sql, strlen(sql));
    for (size_t i = 0; i < sizeof digest.b; i++) {
        out[2 * i] = hex[digest.b[i] >> 4];
        out[2 * i + 1] = hex[digest.b[i] & 15];
    }
    out[64] = '\0';
}

const char *tl_store_migration_state_name(tl_store_migration_state state)
{
    switch (state) {
    case TL_STORE_APPLIED:
        return "applied";
    case TL_STORE_PENDING:
        return "pending";
    case TL_STORE_CHANGED:
        return "changed";
    case TL_STORE_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

static bool has_migrations_table(tl_store *store, tl_err *err, tl_errctx *ctx)
{
    uint64_t count = 0;
    *err = tl__store_count(store, &count, "read the schema",
                           "SELECT count(*) FROM sqlite_schema"
                           " WHERE type = 'table' AND name = 'migrations'",
                           ctx);
    return *err == TL_OK && count == 1;
}

/* One row of the file beside the program's of that number. */
static void judge_row(tl__stmt *s, tl_store_migration *row, tl_arena *arena)
{
    size_t known;
    const tl__migration *ours = tl__migrations(&known);
    const uint64_t number = tl__stmt_get_u64(s, 0);
    tl_str checksum = {NULL, 0};
    tl__stmt_get_str(s, &row->name, 1, arena);
    tl__stmt_get_str(s, &checksum, 2, arena);
    row->number = number <= UINT32_MAX ? (uint32_t)number : UINT32_MAX;
    const size_t len = checksum.len < 64 ? checksum.len : 64;
    if (len > 0) {
        memcpy(row->checksum, checksum.ptr, len);
    }
    row->checksum[len] = '\0';
    row->state = TL_STORE_UNKNOWN;
    if (number >= 1 && number <= known) {
        char own[65];
        checksum_of(own, ours[number - 1].sql);
        row->state = strcmp(own, row->checksum) == 0 ? TL_STORE_APPLIED : TL_STORE_CHANGED;
    }
}

tl_err tl_store_migrations(tl_store *store, const tl_store_migration **out, size_t *count,
                           tl_arena *arena, tl_errctx *ctx)
{
    size_t known;
    const tl__migration *ours = tl__migrations(&known);
    tl_store_migration *rows = TL_NEW(arena, tl_store_migration, FILE_MIGRATIONS_MAX);
    if (rows == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    tl_err err;
    if (has_migrations_table(store, &err, ctx)) {
        tl__stmt s;
        tl__stmt_open(&s, store, "read migrations",
                      "SELECT number, name, checksum FROM migrations ORDER BY number");
        while (n < FILE_MIGRATIONS_MAX - known && tl__stmt_row(&s)) {
            judge_row(&s, &rows[n++], arena);
        }
        err = tl__stmt_close(&s, ctx);
    }
    TL_TRY(err);
    const size_t applied = n;
    for (size_t i = 0; i < known; i++) {
        bool is_there = false;
        for (size_t k = 0; k < applied; k++) {
            is_there = is_there || rows[k].number == ours[i].number;
        }
        if (!is_there) {
            rows[n].number = ours[i].number;
            rows[n].name = tl_str_from_cstr(ours[i].name);
            rows[n].state = TL_STORE_PENDING;
            checksum_of(rows[n++].checksum, ours[i].sql);
        }
    }
    *out = rows;
    *count = n;
    return TL_OK;
}

/* A file that is not empty and has no migrations is someone else's. */
static tl_err check_ours(tl_store *store, tl_errctx *ctx)
{
    tl_err err;
    if (has_migrations_table(store, &err, ctx)) {
        return TL_OK;
    }
    TL_TRY(err);
    uint64_t objects;
    TL_TRY(tl__store_count(store, &objects, "read the schema", "SELECT count(*) FROM sqlite_schema",
                           ctx));
    if (objects > 0) { /* STORE-5 */
        return tl_fail_field(ctx, TL_ERR_CORRUPT, store->path,
                             "\"%s\" was not made by this program: it has tables and no migrations",
                             store->path);
    }
    return TL_OK;
}

tl_err tl__store_check_migrations(tl_store *store, size_t *pending, tl_errctx *ctx)
{
    tl_arena *arena;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    const tl_store_migration *rows = NULL;
    size_t count = 0;
    size_t left = 0;
    tl_err err = check_ours(store, ctx);
    if (err == TL_OK) {
        err = tl_store_migrations(store, &rows, &count, arena, ctx);
    }
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        left += rows[i].state == TL_STORE_PENDING;
        if (rows[i].state != TL_STORE_UNKNOWN && rows[i].number != i + 1) {
            err = tl_fail_field(ctx, TL_ERR_CORRUPT, store->path,
                                "\"%s\" has migration %u before migration %zu", store->path,
                                rows[i].number, i + 1);
        } else if (rows[i].state == TL_STORE_UNKNOWN) {
            err = tl_fail_field(ctx, TL_ERR_VERSION, store->path,
                                "\"%s\" has migration %u, which this program does not know",
                                store->path, rows[i].number);
            tl_errctx_hint(ctx, "it was written by a newer version: use that");
        } else if (rows[i].state == TL_STORE_CHANGED) {
            err = tl_fail_field(ctx, TL_ERR_CORRUPT, store->path,
                                "migration %u of \"%s\" has another checksum than this program's",
                                rows[i].number, store->path);
        }
    }
    tl_arena_free(arena);
    if (err == TL_OK) {
        *pending = left;
    }
    return err;
}

static tl_err note_migration(tl_store *store, const tl__migration *migration, tl_errctx *ctx)
{
    char checksum[65];
    checksum_of(checksum, migration->sql);
    tl__stmt s;
    tl__stmt_open(&s, store, "note a migration",
                  "INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)");
    tl__stmt_u64(&s, 1, migration->number);
    tl__stmt_str(&s, 2, tl_str_from_cstr(migration->name));
    tl__stmt_str(&s, 3, tl_str_from_cstr(checksum));
    (void)tl__stmt_row(&s);
    return tl__stmt_close(&s, ctx);
}

static tl_err apply(tl_store *store, const tl__migration *migration, tl_errctx *ctx)
{
    TL_TRY(tl_store_begin(store, ctx));
    tl_err err = tl__sql_exec(store, migration->sql, ctx);
    if (err == TL_OK) {
        err = note_migration(store, migration, ctx);
    }
    if (err != TL_OK) {
        tl_store_rollback(store);
        return err;
    }
    return tl_store_commit(store, ctx);
}

tl_err tl_store_migrate(tl_store *store, size_t *applied, tl_errctx *ctx)
{
    size_t pending;
    size_t known;
    const tl__migration *ours = tl__migrations(&known);
    TL_TRY(tl__store_check_migrations(store, &pending, ctx)); /* STORE-5 */
    if (pending > 0) {
        TL_TRY(tl__sql_exec(store,
                            "CREATE TABLE IF NOT EXISTS migrations ("
                            " number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                            " checksum TEXT NOT NULL) STRICT",
                            ctx));
    }
    for (size_t i = known - pending; i < known; i++) {
        const tl_err err = apply(store, &ours[i], ctx);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "migration %u", ours[i].number);
            return err;
        }
    }
    *applied = pending;
    return TL_OK;
}
