/* The manifest: what a backup holds, a line each, under one digest (BACKUP-3). */
#include <stdlib.h>
#include <string.h>

#include "app/backup/backup_internal.h"
#include "base/json/json.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"

enum { ITEM_ARENA_LEN = 64 << 20, ITEM_LINE_MAX = 16384 };

static const char *const kinds[] = {"table", "state", "object", "end"};

_Static_assert(sizeof kinds / sizeof kinds[0] == TL__BACKUP_END + 1, "each kind has a word");

void tl__backup_item_path(char out[PATH_MAX], const char *path, const tl__backup_item *item)
{
    char digest[65];
    switch (item->kind) {
    case TL__BACKUP_TABLE:
        (void)tl_str_print(out, PATH_MAX, "%s/tables/%.*s.jsonl", path, TL_STR_ARG(item->name));
        return;
    case TL__BACKUP_STATE:
        (void)tl_str_print(out, PATH_MAX, "%s/state/%.*s", path, TL_STR_ARG(item->name));
        return;
    case TL__BACKUP_OBJECT:
        tl_hex_write(digest, item->sha256.b, sizeof item->sha256.b);
        (void)tl_str_print(out, PATH_MAX, "%s/objects/%.2s/%s", path, digest, digest);
        return;
    case TL__BACKUP_END:
        break;
    }
    (void)tl_str_print(out, PATH_MAX, "%s/MANIFEST", path);
}

tl_err tl__backup_item_label(tl_str *out, tl_arena *arena, const tl__backup_item *item,
                             tl_errctx *ctx)
{
    const char *folder = item->kind == TL__BACKUP_TABLE   ? "tables/"
                         : item->kind == TL__BACKUP_STATE ? "state/"
                                                          : "objects/";
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, folder);
    tl_sb_put(&sb, item->name);
    tl_sb_put_cstr(&sb, item->kind == TL__BACKUP_TABLE ? ".jsonl" : "");
    return tl_sb_finish(out, &sb, ctx);
}

/* --- writing --- */

static tl_err put_line(tl__backup_file *f, tl_sb *sb, tl_errctx *ctx)
{
    tl_str line;
    tl_sb_put_char(sb, '\n');
    TL_TRY(tl_sb_finish(&line, sb, ctx));
    return tl__backup_write(f, tl_str_bytes(line), ctx);
}

tl_err tl__backup_put_head(tl__backup_file *f, tl_arena *scratch, const char *schema,
                           const tl_clock *clock, tl_errctx *ctx)
{
    char time[TL_TIME_TEXT_CAP];
    tl_sb sb;
    tl_json_writer w;
    tl_time_text(time, tl_clock_wall_ns(clock));
    tl_sb_init(&sb, scratch);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "format");
    tl_json_put_cstr(&w, TL__BACKUP_FORMAT);
    tl_json_put_key(&w, "created");
    tl_json_put_cstr(&w, time);
    tl_json_put_key(&w, "schema");
    tl_json_put_cstr(&w, schema);
    tl_json_put_end(&w);
    return put_line(f, &sb, ctx);
}

tl_err tl__backup_put_item(tl__backup_file *f, tl_arena *scratch, const tl__backup_item *item,
                           tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, scratch);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "kind");
    tl_json_put_cstr(&w, kinds[item->kind]);
    tl_json_put_key(&w, "name");
    tl_json_put_str(&w, item->name);
    if (item->kind == TL__BACKUP_TABLE) {
        tl_json_put_key(&w, "rows");
        tl_json_put_u64(&w, item->rows);
    }
    tl_json_put_key(&w, "bytes");
    tl_json_put_u64(&w, item->bytes);
    tl_json_put_key(&w, "sha256");
    tl_json_put_hex(&w, item->sha256.b, sizeof item->sha256.b);
    tl_json_put_end(&w);
    const tl_err err = put_line(f, &sb, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}

static void digest_so_far(char out[65], const tl__backup_file *f)
{
    tl_sha256_state hash = f->hash;
    tl_hash32 digest;
    tl_sha256_final(&hash, &digest);
    tl_hex_write(out, digest.b, sizeof digest.b);
}

tl_err tl__backup_put_end(tl__backup_file *f, tl_arena *scratch, tl_backup_report *report,
                          tl_errctx *ctx)
{
    tl_hash32 whole;
    tl_sb sb;
    tl_json_writer w;
    digest_so_far(report->digest, f);
    tl_sb_init(&sb, scratch);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "kind");
    tl_json_put_cstr(&w, kinds[TL__BACKUP_END]);
    tl_json_put_key(&w, "digest");
    tl_json_put_cstr(&w, report->digest);
    tl_json_put_key(&w, "rows");
    tl_json_put_u64(&w, report->rows);
    tl_json_put_key(&w, "objects");
    tl_json_put_u64(&w, report->objects);
    tl_json_put_key(&w, "keys");
    tl_json_put_u64(&w, report->keys);
    tl_json_put_key(&w, "bytes");
    tl_json_put_u64(&w, report->bytes);
    tl_json_put_end(&w);
    TL_TRY(put_line(f, &sb, ctx));
    return tl__backup_close(f, &whole, ctx);
}

/* --- reading --- */

static tl_err corrupt(const tl__backup_reader *r, const char *why, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_CORRUPT, "MANIFEST", "the manifest of \"%s\" is damaged: %s",
                         r->path, why);
}

/* The next line as JSON in the arena, which forgets the one before. */
static tl_err read_json(tl__backup_reader *r, const tl_json **out, bool *is_there, tl_errctx *ctx)
{
    tl_str line;
    tl_str copy;
    tl_arena_rewind(r->arena, r->mark);
    TL_TRY(tl__backup_read_line(&r->file, &line, is_there, ctx));
    if (!*is_there) {
        return TL_OK;
    }
    if (line.len > ITEM_LINE_MAX) {
        return corrupt(r, "a line is too long", ctx);
    }
    TL_TRY(tl_str_copy(&copy, r->arena, line, ctx));
    return tl_json_parse(out, r->arena, copy, NULL, ctx);
}

static tl_err read_head(tl__backup_reader *r, tl_errctx *ctx)
{
    const tl_json *head = NULL;
    bool is_there = false;
    tl_str format = {0};
    tl_str schema;
    const tl_err err = read_json(r, &head, &is_there, NULL);
    if (err != TL_OK || !is_there || tl_json_want_str(&format, head, "format", NULL) != TL_OK ||
        !tl_str_starts_with(format, TL_STR("tally-backup/"))) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, r->path, "\"%s\" is no backup", r->path);
    }
    if (!tl_str_eq(format, TL_STR(TL__BACKUP_FORMAT))) {
        return tl_fail_field(ctx, TL_ERR_VERSION, r->path,
                             "the backup \"%s\" has the format \"%.*s\", not " TL__BACKUP_FORMAT,
                             r->path, (int)(format.len < 40 ? format.len : 40), format.ptr);
    }
    if (tl_json_want_str(&schema, head, "schema", NULL) != TL_OK || schema.len != 64) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, r->path, "\"%s\" is no backup: no schema",
                             r->path);
    }
    (void)tl_str_print(r->schema, sizeof r->schema, "%.*s", TL_STR_ARG(schema));
    return TL_OK;
}

tl_err tl__backup_reader_open(tl__backup_reader *r, const char *path, tl_errctx *ctx)
{
    *r = (tl__backup_reader){.is_over = false};
    if (strlen(path) + 128 > sizeof r->path) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "path", "the path of the backup is too long");
    }
    (void)tl_str_print(r->path, sizeof r->path, "%s", path);
    const tl__backup_item end = {.kind = TL__BACKUP_END};
    char manifest[PATH_MAX];
    tl__backup_item_path(manifest, path, &end);
    if (!tl_sys_exists(path)) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "no backup \"%s\"", path);
    }
    if (tl__backup_read_open(&r->file, manifest, NULL) != TL_OK) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, path, "\"%s\" is no backup: it has no MANIFEST",
                             path);
    }
    r->file.path = r->path;
    r->is_opened = true;
    tl_err err = tl_arena_new(&r->arena, NULL, ITEM_ARENA_LEN, NULL, ctx);
    if (err == TL_OK) {
        r->mark = tl_arena_get_mark(r->arena);
        err = read_head(r, ctx);
    }
    if (err != TL_OK) {
        tl__backup_reader_close(r);
    }
    return err;
}

void tl__backup_reader_close(tl__backup_reader *r)
{
    if (r->is_opened) {
        tl__backup_abandon(&r->file);
    }
    tl_arena_free(r->arena);
    r->arena = NULL;
    r->is_opened = false;
}

static bool has_number(const tl_json *line, const char *key, uint64_t want)
{
    uint64_t value;
    return tl_json_want_u64(&value, line, key, NULL) == TL_OK && value == want;
}

/* The end says what was added up, and nothing stands behind it. */
static tl_err check_end(tl__backup_reader *r, const tl_json *line, const char *digest,
                        tl_errctx *ctx)
{
    tl_str told;
    bool is_there;
    const tl_json *more;
    if (tl_json_want_str(&told, line, "digest", NULL) != TL_OK || !tl_str_eq_cstr(told, digest)) {
        return corrupt(r, "its digest does not fit", ctx);
    }
    if (!has_number(line, "rows", r->report.rows) || !has_number(line, "keys", r->report.keys) ||
        !has_number(line, "objects", r->report.objects) ||
        !has_number(line, "bytes", r->report.bytes) || line->count != 6) {
        return corrupt(r, "its sums do not fit", ctx);
    }
    if (read_json(r, &more, &is_there, NULL) != TL_OK || is_there) {
        return corrupt(r, "something stands behind its end", ctx);
    }
    (void)tl_str_print(r->report.digest, sizeof r->report.digest, "%s", digest);
    r->is_over = true;
    return TL_OK;
}

static bool is_valid_name(const tl__backup_item *item)
{
    switch (item->kind) {
    case TL__BACKUP_TABLE:
        return tl__backup_is_table(item->name);
    case TL__BACKUP_STATE:
        return tl__backup_is_state_name(item->name);
    case TL__BACKUP_OBJECT:
        return tl_objects_check_key(item->name, NULL) == TL_OK;
    case TL__BACKUP_END:
        break;
    }
    return false;
}

static tl_err read_item(tl__backup_reader *r, tl__backup_item *out, const tl_json *line,
                        tl_errctx *ctx)
{
    tl_str sha256;
    const bool is_table = out->kind == TL__BACKUP_TABLE;
    if (tl_json_want_str(&out->name, line, "name", NULL) != TL_OK || !is_valid_name(out) ||
        tl_json_want_u64(&out->bytes, line, "bytes", NULL) != TL_OK ||
        (is_table && tl_json_want_u64(&out->rows, line, "rows", NULL) != TL_OK) ||
        tl_json_want_str(&sha256, line, "sha256", NULL) != TL_OK ||
        tl_hex_decode(out->sha256.b, sizeof out->sha256.b, sha256, NULL) != TL_OK) {
        return corrupt(r, "a line is none of ours", ctx);
    }
    r->report.rows += out->rows;
    r->report.objects += out->kind == TL__BACKUP_OBJECT ? 1 : 0;
    r->report.keys += out->kind == TL__BACKUP_STATE ? 1 : 0;
    r->report.bytes += out->bytes;
    return TL_OK;
}

tl_err tl__backup_reader_next(tl__backup_reader *r, tl__backup_item *out, tl_errctx *ctx)
{
    const tl_json *line = NULL;
    bool is_there;
    char digest[65];
    tl_str kind;
    TL_ASSERT(!r->is_over);
    digest_so_far(digest, &r->file);
    if (read_json(r, &line, &is_there, NULL) != TL_OK) {
        return corrupt(r, "a line is no JSON", ctx);
    }
    if (!is_there) {
        return corrupt(r, "it has no end", ctx);
    }
    *out = (tl__backup_item){.kind = TL__BACKUP_TABLE};
    size_t at = 0;
    if (tl_json_want_str(&kind, line, "kind", NULL) != TL_OK) {
        return corrupt(r, "a line is none of ours", ctx);
    }
    while (at <= TL__BACKUP_END && !tl_str_eq_cstr(kind, kinds[at])) {
        at++;
    }
    if (at > TL__BACKUP_END) {
        return corrupt(r, "a line is none of ours", ctx);
    }
    out->kind = (tl__backup_kind)at;
    return out->kind == TL__BACKUP_END ? check_end(r, line, digest, ctx)
                                       : read_item(r, out, line, ctx);
}
