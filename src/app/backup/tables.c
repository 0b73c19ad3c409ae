/* Rows without a dialect. A table's columns come from the database's own catalogue, so that none is forgotten; the order of
 * tables, in which rows refer to rows, stands here. */
#include <string.h>

#include "app/backup/backup_internal.h"
#include "base/json/json.h"
#include "core/codec/base64/base64.h"
#include "core/codec/hex/hex.h"

enum {
    COLUMNS_MAX = 32,
    KEYS_MAX = 3,
    PAGE_ROWS = 500,
    ROW_ARENA_LEN = 512 << 20,
    TABLE_ARENA_LEN = 256 << 20
};

/* Tables, and the columns that order their rows: unique together. */
static const struct {
    const char *name;
    const char *keys[KEYS_MAX];
} tables[] = {
    {"epochs", {"id"}},
    {"transitions", {"epoch_id", "position"}},
    {"extensions", {"id"}},
    {"zipcodes", {"zipcode"}},
    {"zipcode_assignments", {"epoch_id", "zipcode"}},
    {"submissions", {"serial"}},
    {"submission_objects", {"epoch_id", "hotkey", "position"}},
    {"miner_submissions", {"epoch_id", "miner_hotkey", "zipcode"}},
    {"miner_status", {"epoch_id", "hotkey"}},
    {"contributions", {"epoch_id", "hotkey"}},
    {"evidence", {"epoch_id", "round", "hotkey"}},
    {"ballots", {"epoch_id", "round", "hotkey"}},
    {"results", {"epoch_id"}},
    {"standings", {"epoch_id", "hotkey"}},
    {"leaderboard", {"hotkey"}},
    {"held_pay", {"epoch_id", "zipcode", "hotkey"}},
    {"penalties", {"epoch_id", "hotkey", "kind"}},
    {"leases", {"name"}},
    {"shards", {"epoch_id", "zipcode"}},
    {"counters", {"name", "day"}},
    {"api_keys", {"created_ms", "id"}}, /* a key that replaces another is younger */
    {"audit", {"serial"}},
    {"audit_head", {"id"}}, /* a row of the migration's own: replaced */
    {"small_values", {"name"}},
};

#define TABLES_COUNT (sizeof tables / sizeof tables[0])
#define HEAD_TABLE   "audit_head"

typedef enum column_type { COLUMN_INT, COLUMN_TEXT, COLUMN_BLOB } column_type;

static const char *const type_names[] = {"int", "text", "blob"};

typedef struct column {
    tl_str name;
    column_type type;
} column;

typedef struct layout {
    column columns[COLUMNS_MAX];
    int count;
    int keys[KEYS_MAX]; /* indexes of columns */
    int key_count;
} layout;

size_t tl__backup_table_count(void)
{
    return TABLES_COUNT;
}

const char *tl__backup_table_name(size_t index)
{
    TL_ASSERT(index < TABLES_COUNT);
    return tables[index].name;
}

bool tl__backup_is_table(tl_str name)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        if (tl_str_eq_cstr(name, tables[i].name)) {
            return true;
        }
    }
    return false;
}

tl_err tl__backup_schema(char out[65], tl_records *records, tl_errctx *ctx)
{
    const tl_sql_step *steps;
    size_t count;
    tl_arena *arena = NULL;
    tl_sha256_state hash;
    tl_hash32 digest;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_records_steps(records, &steps, &count, arena, ctx);
    if (err == TL_OK) {
        tl_sha256_init(&hash);
        for (size_t i = 0; i < count; i++) {
            tl_sha256_update(&hash, steps[i].checksum, strlen(steps[i].checksum));
        }
        tl_sha256_final(&hash, &digest);
        tl_hex_write(out, digest.b, sizeof digest.b);
    }
    tl_arena_free(arena);
    return err;
}

/* --- the catalogue --- */

static bool parse_type(column_type *out, tl_str name)
{
    static const struct {
        const char *name;
        column_type type;
    } known[] = {{"INTEGER", COLUMN_INT}, {"bigint", COLUMN_INT}, {"TEXT", COLUMN_TEXT},
                 {"text", COLUMN_TEXT},   {"BLOB", COLUMN_BLOB},  {"bytea", COLUMN_BLOB}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (tl_str_eq_cstr(name, known[i].name)) {
            *out = known[i].type;
            return true;
        }
    }
    return false;
}

static int find_column(const layout *l, tl_str name)
{
    for (int i = 0; i < l->count; i++) {
        if (tl_str_eq(l->columns[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static tl_err fail_schema(const char *table, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_VERSION, table,
                         "the table \"%s\" is not as this program knows it", table);
}

static tl_err read_layout(layout *out, tl_sql *sql, tl_arena *arena, size_t index, tl_errctx *ctx)
{
    const char *table = tables[index].name;
    const bool is_sqlite = tl_sql_kind_of(sql) == TL_SQL_SQLITE;
    tl_sql_stmt s;
    bool is_known = true;
    *out = (layout){.count = 0};
    tl_sql_prepare(&s, sql, "read the columns of a table",
                   is_sqlite ? "SELECT name, type FROM pragma_table_info(?) ORDER BY cid"
                             : "SELECT column_name, data_type FROM information_schema.columns"
                               " WHERE table_schema = current_schema() AND table_name = ?"
                               " ORDER BY ordinal_position");
    tl_sql_put_str(&s, tl_str_from_cstr(table));
    while (tl_sql_row(&s)) {
        tl_str type;
        is_known = is_known && out->count < COLUMNS_MAX;
        if (is_known) {
            column *c = &out->columns[out->count++];
            tl_sql_get_str(&s, &c->name, 0, arena);
            tl_sql_get_str(&s, &type, 1, arena);
            is_known = s.err == TL_OK && parse_type(&c->type, type);
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    for (int i = 0; i < KEYS_MAX && tables[index].keys[i] != NULL && is_known; i++) {
        const int at = find_column(out, tl_str_from_cstr(tables[index].keys[i]));
        is_known = at >= 0;
        out->keys[out->key_count++] = at;
    }
    return is_known && out->count > 0 ? TL_OK : fail_schema(table, ctx);
}

tl_err tl__backup_check_tables(tl_sql *sql, tl_errctx *ctx)
{
    const bool is_sqlite = tl_sql_kind_of(sql) == TL_SQL_SQLITE;
    tl_sql_stmt s;
    char unknown[64] = "";
    tl_sql_prepare(&s, sql, "list the tables",
                   is_sqlite ? "SELECT name FROM sqlite_master WHERE type = 'table'"
                             : "SELECT table_name FROM information_schema.tables"
                               " WHERE table_schema = current_schema()");
    while (tl_sql_row(&s)) {
        const tl_bytes name = tl_sql_borrow(&s, 0);
        const tl_str text = {(const char *)name.ptr, name.len};
        if (!tl__backup_is_table(text) && !tl_str_eq(text, TL_STR("migrations")) &&
            !tl_str_starts_with(text, TL_STR("sqlite_"))) {
            (void)tl_str_print(unknown, sizeof unknown, "%.*s", TL_STR_ARG(text));
        }
    }
    TL_TRY(tl_sql_end(&s, NULL, ctx));
    return unknown[0] == '\0' ? TL_OK : fail_schema(unknown, ctx);
}

/* --- dump --- */

static void put_names(tl_sb *sb, const layout *l)
{
    for (int i = 0; i < l->count; i++) {
        tl_sb_printf(sb, "%s%.*s", i > 0 ? ", " : "", TL_STR_ARG(l->columns[i].name));
    }
}

/* SELECT a, b FROM t WHERE (k, l) > (?, ?) ORDER BY k, l LIMIT n: pages of one moment, since one transaction reads them. */
static tl_err page_text(const char **out, tl_arena *arena, const layout *l, size_t index,
                        bool is_first, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "SELECT ");
    put_names(&sb, l);
    tl_sb_printf(&sb, " FROM %s", tables[index].name);
    for (int part = is_first ? 1 : 0; part < 2; part++) {
        tl_sb_put_cstr(&sb, part == 0 ? " WHERE (" : " ORDER BY ");
        for (int i = 0; i < l->key_count; i++) {
            tl_sb_printf(&sb, "%s%s", i > 0 ? ", " : "", tables[index].keys[i]);
        }
        for (int i = 0; i < l->key_count && part == 0; i++) {
            tl_sb_put_cstr(&sb, i > 0 ? ", ?" : ") > (?");
        }
        tl_sb_put_cstr(&sb, part == 0 ? ")" : "");
    }
    tl_sb_printf(&sb, " LIMIT %d", (int)PAGE_ROWS);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = text.ptr;
    return TL_OK;
}

static tl_err put_columns(tl__backup_file *f, tl_arena *arena, const layout *l, const char *table,
                          tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str line;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "table");
    tl_json_put_cstr(&w, table);
    tl_json_put_key(&w, "columns");
    tl_json_put_array(&w);
    for (int i = 0; i < l->count; i++) {
        tl_json_put_array(&w);
        tl_json_put_str(&w, l->columns[i].name);
        tl_json_put_cstr(&w, type_names[l->columns[i].type]);
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    TL_TRY(tl_sb_finish(&line, &sb, ctx));
    return tl__backup_write(f, tl_str_bytes(line), ctx);
}

static void put_value(tl_json_writer *w, tl_sql_stmt *s, int at, column_type type, tl_arena *arena)
{
    if (tl_sql_is_null(s, at)) {
        tl_json_put_null(w);
        return;
    }
    if (type == COLUMN_INT) {
        tl_json_put_i64(w, tl_sql_get_i64(s, at));
        return;
    }
    const tl_bytes value = tl_sql_borrow(s, at);
    if (type == COLUMN_TEXT) {
        tl_json_put_str(w, (tl_str){(const char *)value.ptr, value.len});
        return;
    }
    tl_sb sb;
    tl_str text = {0};
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, value.ptr, value.len);
    if (tl_sb_finish(&text, &sb, NULL) != TL_OK) {
        tl_errctx why = TL_ERRCTX_INIT;
        (void)tl_fail(&why, TL_ERR_NOMEM, "no memory for a value of %zu bytes", value.len);
        tl_sql_fail(s, TL_ERR_NOMEM, &why);
    }
    tl_json_put_str(w, text);
}

/* The keys of the last row, which the next page begins behind. */
typedef struct place {
    int64_t number[KEYS_MAX];
    tl_str text[KEYS_MAX];
} place;

static void put_place(tl_sql_stmt *s, const layout *l, const place *p)
{
    for (int i = 0; i < l->key_count; i++) {
        const column_type type = l->columns[l->keys[i]].type;
        if (type == COLUMN_INT) {
            tl_sql_put_i64(s, p->number[i]);
        } else if (type == COLUMN_TEXT) {
            tl_sql_put_str(s, p->text[i]);
        } else {
            tl_sql_put_bytes(s, tl_str_bytes(p->text[i]));
        }
    }
}

static void get_place(tl_sql_stmt *s, const layout *l, place *p, tl_arena *arena)
{
    for (int i = 0; i < l->key_count; i++) {
        const int at = l->keys[i];
        if (l->columns[at].type == COLUMN_INT) {
            p->number[i] = tl_sql_get_i64(s, at);
        } else {
            tl_bytes bytes = {0};
            tl_sql_get_bytes(s, &bytes, at, arena);
            p->text[i] = (tl_str){(const char *)bytes.ptr, bytes.len};
        }
    }
}

/* One page; *rows of it. keys: an arena for the place alone. */
static tl_err dump_page(tl__backup_file *f, tl_sql *sql, const layout *l, const char *text,
                        bool is_first, place *p, tl_arena *keys, tl_arena *scratch, size_t *rows,
                        tl_errctx *ctx)
{
    tl_sql_stmt s;
    tl_err err = TL_OK;
    *rows = 0;
    tl_sql_prepare(&s, sql, "read rows for a backup", text);
    if (!is_first) {
        put_place(&s, l, p);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    while (err == TL_OK && tl_sql_row(&s)) {
        tl_sb sb;
        tl_json_writer w;
        tl_str line;
        tl_sb_init(&sb, scratch);
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_array(&w);
        for (int i = 0; i < l->count; i++) {
            put_value(&w, &s, i, l->columns[i].type, scratch);
        }
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
        err = tl_sb_finish(&line, &sb, ctx);
        if (err == TL_OK && s.err == TL_OK) {
            err = tl__backup_write(f, tl_str_bytes(line), ctx);
        }
        if (++*rows ==
            PAGE_ROWS) { /* not in the room of the place before: its values are bound still */
            get_place(&s, l, p, keys);
        }
        tl_arena_rewind(scratch, mark);
    }
    const tl_err ended = tl_sql_end(&s, NULL, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : ended;
}

static tl_err dump_rows(tl__backup_file *f, tl__backup_item *item, tl_sql *sql, size_t index,
                        tl_arena *arena, tl_arena *keys, tl_arena *scratch, tl_errctx *ctx)
{
    layout l;
    const char *first;
    const char *next;
    place p = {.number = {0}};
    size_t rows = PAGE_ROWS;
    TL_TRY(read_layout(&l, sql, arena, index, ctx));
    TL_TRY(put_columns(f, arena, &l, tables[index].name, ctx));
    TL_TRY(page_text(&first, arena, &l, index, true, ctx));
    TL_TRY(page_text(&next, arena, &l, index, false, ctx));
    for (bool is_first = true; rows == PAGE_ROWS; is_first = false) {
        TL_TRY(dump_page(f, sql, &l, is_first ? first : next, is_first, &p, keys, scratch, &rows,
                         ctx));
        item->rows += rows;
    }
    return TL_OK;
}

tl_err tl__backup_dump_table(tl__backup_item *out, tl_sql *sql, size_t index, const char *path,
                             tl_errctx *ctx)
{
    char file[PATH_MAX];
    tl__backup_file f;
    tl_arena *arena = NULL;
    tl_arena *keys = NULL;
    tl_arena *scratch = NULL;
    *out =
        (tl__backup_item){.kind = TL__BACKUP_TABLE, .name = tl_str_from_cstr(tables[index].name)};
    tl__backup_item_path(file, path, out);
    TL_TRY(tl__backup_write_open(&f, file, ctx));
    tl_err err = tl_arena_new(&arena, NULL, TABLE_ARENA_LEN, NULL, ctx);
    err = err == TL_OK ? tl_arena_new(&keys, NULL, TABLE_ARENA_LEN, NULL, ctx) : err;
    err = err == TL_OK ? tl_arena_new(&scratch, NULL, ROW_ARENA_LEN, NULL, ctx) : err;
    err = err == TL_OK ? dump_rows(&f, out, sql, index, arena, keys, scratch, ctx) : err;
    out->bytes = f.bytes;
    if (err == TL_OK) {
        err = tl__backup_close(&f, &out->sha256, ctx);
    } else {
        tl__backup_abandon(&f);
    }
    tl_arena_free(scratch);
    tl_arena_free(keys);
    tl_arena_free(arena);
    return err;
}

/* --- load --- */

static tl_err fail_row(const tl__backup_item *item, uint64_t row, const char *why, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_CORRUPT, "tables", "row %llu of \"%.*s\": %s",
                         (unsigned long long)row, TL_STR_ARG(item->name), why);
}

/* The columns of the file are those of the database, whatever their order. */
static tl_err read_columns(layout *l, tl_arena *arena, const tl__backup_item *item, tl_str line,
                           tl_errctx *ctx)
{
    const tl_json *head;
    const tl_json *columns;
    tl_str copy;
    layout file = {.count = 0};
    TL_TRY(tl_str_copy(&copy, arena, line, ctx));
    TL_TRY(tl_json_parse(&head, arena, copy, NULL, ctx));
    TL_TRY(tl_json_want(&columns, head, "columns", TL_JSON_ARRAY, ctx));
    bool is_same = columns->count == (uint32_t)l->count;
    for (uint32_t i = 0; i < columns->count && is_same; i++) {
        const tl_json *pair = &columns->items[i];
        is_same = pair->kind == TL_JSON_ARRAY && pair->count == 2;
        const int at = is_same ? find_column(l, pair->items[0].text) : -1;
        is_same = at >= 0 && find_column(&file, pair->items[0].text) < 0 &&
                  tl_str_eq_cstr(pair->items[1].text, type_names[l->columns[at].type]);
        if (is_same) {
            file.columns[file.count++] = l->columns[at];
        }
    }
    if (!is_same) {
        return fail_row(item, 0, "its columns are not this schema's", ctx);
    }
    *l = file;
    return TL_OK;
}

static tl_err insert_text(const char **out, tl_arena *arena, const layout *l, tl_str table,
                          tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "INSERT INTO %.*s (", TL_STR_ARG(table));
    put_names(&sb, l);
    for (int i = 0; i < l->count; i++) {
        tl_sb_put_cstr(&sb, i > 0 ? ", ?" : ") VALUES (?");
    }
    tl_sb_put_char(&sb, ')');
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = text.ptr;
    return TL_OK;
}

static tl_err bind_value(tl_sql_stmt *s, const tl_json *value, column_type type, tl_arena *arena)
{
    int64_t number;
    tl_bytes bytes;
    if (value->kind == TL_JSON_NULL) {
        tl_sql_put_null(s);
        return TL_OK;
    }
    if (type == COLUMN_INT) {
        TL_TRY(tl_json_as_i64(&number, value, NULL, NULL));
        tl_sql_put_i64(s, number);
        return TL_OK;
    }
    if (value->kind != TL_JSON_STRING) {
        return TL_ERR_TYPE;
    }
    if (type == COLUMN_TEXT) {
        tl_sql_put_str(s, value->text);
        return TL_OK;
    }
    TL_TRY(tl_base64_decode(&bytes, arena, value->text, NULL));
    tl_sql_put_bytes(s, bytes);
    return TL_OK;
}

static tl_err load_row(tl_sql *sql, const layout *l, const char *text, const tl__backup_item *item,
                       uint64_t row, tl_str line, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_json *values;
    tl_sql_stmt s;
    tl_str copy;
    tl_err err = TL_OK;
    TL_TRY(tl_str_copy(&copy, scratch, line, ctx));
    TL_TRY(tl_json_parse(&values, scratch, copy, NULL, ctx));
    if (values->kind != TL_JSON_ARRAY || values->count != (uint32_t)l->count) {
        return fail_row(item, row, "another number of values", ctx);
    }
    tl_sql_prepare(&s, sql, "restore a row", text);
    for (int i = 0; i < l->count && err == TL_OK; i++) {
        err = bind_value(&s, &values->items[i], l->columns[i].type, scratch);
    }
    if (err != TL_OK) {
        tl_errctx why = TL_ERRCTX_INIT;
        err = fail_row(item, row, "a value is not of its column", &why);
        tl_sql_fail(&s, err, &why);
    }
    return tl_sql_end(&s, NULL, ctx);
}

static tl_err load_rows(tl__backup_file *f, tl_sql *sql, const tl__backup_item *item, size_t index,
                        tl_arena *arena, tl_arena *scratch, tl_errctx *ctx)
{
    layout l;
    tl_str line;
    bool is_there;
    const char *text;
    uint64_t row = 0;
    TL_TRY(read_layout(&l, sql, arena, index, ctx));
    TL_TRY(tl__backup_read_line(f, &line, &is_there, ctx));
    if (!is_there) {
        return fail_row(item, 0, "the file is empty", ctx);
    }
    TL_TRY(read_columns(&l, arena, item, line, ctx));
    TL_TRY(insert_text(&text, arena, &l, item->name, ctx));
    for (;;) {
        const tl_arena_mark mark = tl_arena_get_mark(scratch);
        TL_TRY(tl__backup_read_line(f, &line, &is_there, ctx));
        if (!is_there) {
            break;
        }
        TL_TRY(load_row(sql, &l, text, item, ++row, line, scratch, ctx));
        tl_arena_rewind(scratch, mark);
    }
    return row == item->rows ? TL_OK : fail_row(item, row, "another number of rows than said", ctx);
}

tl_err tl__backup_load_table(tl_sql *sql, const tl__backup_item *item, const char *path,
                             tl_errctx *ctx)
{
    char file[PATH_MAX];
    tl__backup_file f;
    tl_arena *arena = NULL;
    tl_arena *scratch = NULL;
    tl_hash32 sha256;
    size_t index = 0;
    while (index < TABLES_COUNT && !tl_str_eq_cstr(item->name, tables[index].name)) {
        index++;
    }
    TL_ASSERT(index < TABLES_COUNT); /* the reader let no other name through */
    if (tl_str_eq(item->name, TL_STR(HEAD_TABLE))) {
        TL_TRY(tl_sql_exec(sql, "DELETE FROM " HEAD_TABLE, ctx));
    }
    tl__backup_item_path(file, path, item);
    TL_TRY(tl__backup_read_open(&f, file, ctx));
    tl_err err = tl_arena_new(&arena, NULL, TABLE_ARENA_LEN, NULL, ctx);
    err = err == TL_OK ? tl_arena_new(&scratch, NULL, ROW_ARENA_LEN, NULL, ctx) : err;
    err = err == TL_OK ? load_rows(&f, sql, item, index, arena, scratch, ctx) : err;
    if (err == TL_OK) {
        err = tl__backup_close(&f, &sha256, ctx);
    } else {
        tl__backup_abandon(&f);
    }
    if (err == TL_OK && tl_hash32_cmp(&sha256, &item->sha256) != 0) {
        err = fail_row(item, item->rows, "the file changed since it was verified", ctx);
    }
    tl_arena_free(scratch);
    tl_arena_free(arena);
    return err;
}

tl_err tl__backup_tables_are_empty(tl_sql *sql, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, ctx);
    for (size_t i = 0; i < TABLES_COUNT && err == TL_OK; i++) {
        tl_sql_stmt s;
        tl_sb sb;
        tl_str text;
        if (strcmp(tables[i].name, HEAD_TABLE) == 0) {
            continue;
        }
        tl_sb_init(&sb, arena);
        tl_sb_printf(&sb, "SELECT 1 FROM %s LIMIT 1", tables[i].name);
        err = tl_sb_finish(&text, &sb, ctx);
        if (err != TL_OK) {
            break;
        }
        tl_sql_prepare(&s, sql, "look for rows", text.ptr);
        const bool has_rows = tl_sql_row(&s);
        err = tl_sql_end(&s, NULL, ctx);
        if (err == TL_OK && has_rows) {
            err = tl_fail_field(ctx, TL_ERR_STATE, tables[i].name,
                                "the database has rows in \"%s\" already", tables[i].name);
            tl_errctx_hint(ctx, "a backup is restored into empty stores only");
        }
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl__backup_fix_serials(tl_sql *sql, tl_errctx *ctx)
{
    if (tl_sql_kind_of(sql) == TL_SQL_SQLITE) {
        return TL_OK; /* AUTOINCREMENT looks at the rows */
    }
    static const char *const texts[] = {
        "SELECT setval(pg_get_serial_sequence('submissions', 'serial'),"
        " GREATEST(1, (SELECT max(serial) FROM submissions)),"
        " EXISTS (SELECT 1 FROM submissions))",
        "SELECT setval(pg_get_serial_sequence('extensions', 'id'),"
        " GREATEST(1, (SELECT max(id) FROM extensions)), EXISTS (SELECT 1 FROM extensions))"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tl_sql_stmt s;
        tl_sql_prepare(&s, sql, "set a counter", texts[i]);
        TL_TRY(tl_sql_end(&s, NULL, ctx));
    }
    return TL_OK;
}
