/* Verification: everything that can be said about the file without knowing what its bytes mean. */
#include "io/store/store_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "io/store/migrations.h"

typedef struct findings {
    tl_arena *arena;
    tl_str *list;
    size_t count;
} findings;

static tl_err find(findings *f, tl_errctx *ctx, const char *format, ...) TL_PRINTF(3, 4);

static tl_err find(findings *f, tl_errctx *ctx, const char *format, ...)
{
    if (f->count == TL_STORE_FINDINGS_MAX) {
        return TL_OK;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tl_str_copy(&f->list[f->count++], f->arena, tl_str_from_cstr(text), ctx);
}

static tl_err check_migrations(tl_store *store, findings *f, tl_errctx *ctx)
{
    const tl_store_migration *rows;
    size_t count;
    TL_TRY(tl_store_migrations(store, &rows, &count, f->arena, ctx));
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != TL_STORE_APPLIED) {
            TL_TRY(find(f, ctx, "migration %u (%.*s) is %s", rows[i].number,
                        TL_STR_ARG(rows[i].name), tl_store_migration_state_name(rows[i].state)));
        }
    }
    return TL_OK;
}

/* The lines of a pragma that has something to complain about. */
static tl_err check_pragma(tl_store *store, findings *f, const char *pragma, const char *good,
                           tl_errctx *ctx)
{
    tl__stmt s;
    tl_err err = TL_OK;
    tl__stmt_open(&s, store, "check", pragma);
    while (err == TL_OK && tl__stmt_row(&s)) {
        tl_str line = {NULL, 0};
        tl__stmt_get_str(&s, &line, 0, f->arena);
        if (good == NULL || !tl_str_eq_cstr(line, good)) {
            err = find(f, ctx, "%s: %.*s", pragma + sizeof "PRAGMA", TL_STR_ARG(line));
        }
    }
    const tl_err closed = tl__stmt_close(&s, ctx);
    return err != TL_OK ? err : closed;
}

#define SCHEMA_TEXT                                                                                \
    "SELECT coalesce(group_concat(sql, ';'), '') FROM (SELECT sql FROM sqlite_schema"              \
    " WHERE sql IS NOT NULL AND name <> 'migrations' ORDER BY type, name)"

/* What the migrations make in an empty database. */
static tl_err schema_wanted(tl_str *out, tl_arena *arena, tl_errctx *ctx)
{
    char path[] = "a database in memory";
    tl_store scratch = {.path = path};
    if (sqlite3_open(":memory:", &scratch.db) != SQLITE_OK) {
        const tl_err err = tl__sql_fail(&scratch, "open", ctx);
        (void)sqlite3_close(scratch.db);
        return err;
    }
    size_t count;
    const tl__migration *migrations = tl__migrations(&count);
    tl_err err = TL_OK;
    for (size_t i = 0; i < count && err == TL_OK; i++) {
        err = tl__sql_exec(&scratch, migrations[i].sql, ctx);
    }
    if (err == TL_OK) {
        err = tl__sql_text(&scratch, out, SCHEMA_TEXT, arena, ctx);
    }
    (void)sqlite3_close(scratch.db);
    return err;
}

static tl_err check_schema(tl_store *store, findings *f, tl_errctx *ctx)
{
    tl_str have;
    tl_str want;
    TL_TRY(tl__sql_text(store, &have, SCHEMA_TEXT, f->arena, ctx));
    TL_TRY(schema_wanted(&want, f->arena, ctx));
    return tl_str_eq(have, want) ? TL_OK
                                 : find(f, ctx, "the schema is not what the migrations make");
}

/* STORE-4: as many rows as the last serial says. */
static tl_err check_serials(tl_store *store, findings *f, tl_errctx *ctx)
{
    uint64_t gaps;
    TL_TRY(tl__store_count(store, &gaps, "check serials",
                           "SELECT abs(coalesce(max(serial), 0) - count(*)) FROM submissions",
                           ctx));
    if (gaps != 0) {
        TL_TRY(find(f, ctx, "submissions: %llu serials are missing", (unsigned long long)gaps));
    }
    TL_TRY(tl__store_count(
        store, &gaps, "check serials",
        "SELECT abs(coalesce(max(serial) + 1, 0) - count(*)) FROM ledger_entries", ctx));
    if (gaps != 0) {
        TL_TRY(find(f, ctx, "ledger: %llu serials are missing", (unsigned long long)gaps));
    }
    return TL_OK;
}

tl_err tl_store_verify(tl_store *store, const tl_str **out, size_t *count, tl_arena *arena,
                       tl_errctx *ctx)
{
    findings f = {arena, TL_NEW(arena, tl_str, TL_STORE_FINDINGS_MAX), 0};
    if (f.list == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(check_migrations(store, &f, ctx));
    TL_TRY(check_schema(store, &f, ctx));
    TL_TRY(check_pragma(store, &f, "PRAGMA integrity_check", "ok", ctx));
    TL_TRY(check_pragma(store, &f, "PRAGMA foreign_key_check", NULL, ctx));
    if (f.count == 0) { /* the tables are there: their rows can be asked for */
        TL_TRY(check_serials(store, &f, ctx));
    }
    *out = f.list;
    *count = f.count;
    return TL_OK;
}
