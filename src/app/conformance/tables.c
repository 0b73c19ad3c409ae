/* Series of inputs: lists as they stand, and slices of the tables in the data folder. A table's text is read and
 * decompressed once a run; a slice is cut from the text each time, which costs milliseconds. */
#include "app/conformance/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "core/codec/csv/csv.h"
#include "io/sys/sys.h"

typedef struct table table;
struct table {
    table *next;
    tl_str file;
    tl_str text;
};

struct tl_conform_tables {
    tl_arena *arena;
    table *first;
};

/* One row of a slice; date looks into the table's text. */
typedef struct point {
    tl_str date;
    double value;
    size_t row_index;
    bool is_missing;
} point;

tl_err tl_conform_tables_new(tl_conform_tables **out, tl_arena *arena, tl_errctx *ctx)
{
    tl_conform_tables *tables = TL_NEW(arena, tl_conform_tables, 1);
    if (tables == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tables->arena = arena;
    *out = tables;
    return TL_OK;
}

/* A vector file names a table, never a path: it must not read what lies outside of the data folder. */
static tl_err check_name(tl_str name, tl_errctx *ctx)
{
    if (name.len == 0 || name.ptr[0] == '.' || memchr(name.ptr, '/', name.len) != NULL ||
        memchr(name.ptr, '\0', name.len) != NULL) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "file", "\"%.*s\" is no name of a table",
                             TL_STR_ARG(name));
    }
    return TL_OK;
}

static tl_err find_table(tl_str *out, tl_str name, const tl_conform_env *env, tl_errctx *ctx)
{
    tl_conform_tables *tables = env->tables;
    for (const table *t = tables->first; t != NULL; t = t->next) {
        if (tl_str_eq(t->file, name)) {
            *out = t->text;
            return TL_OK;
        }
    }
    TL_TRY(check_name(name, ctx));
    if (env->data_dir.len == 0) {
        const tl_err err =
            tl_fail_field(ctx, TL_ERR_MISSING, "file", "no data folder given for table \"%.*s\"",
                          TL_STR_ARG(name));
        tl_errctx_hint(ctx, "name the folder with --data DIR");
        return err;
    }
    table *t = TL_NEW(tables->arena, table, 1);
    if (t == NULL) {
        return tl_arena_fail(tables->arena, ctx);
    }
    const char *folder;
    const char *file;
    const char *path;
    TL_TRY(tl_str_copy(&t->file, tables->arena, name, ctx));
    TL_TRY(tl_str_copy_cstr(&folder, env->arena, env->data_dir, ctx));
    TL_TRY(tl_str_copy_cstr(&file, env->arena, name, ctx));
    TL_TRY(tl_sys_join(&path, env->arena, folder, file, ctx));
    TL_TRY(tl_sys_read_text(&t->text, tables->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    t->next = tables->first;
    tables->first = t;
    *out = t->text;
    return TL_OK;
}

/* The dates' column: by its usual names, else the first. */
static size_t date_column(const tl_csv *csv)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        const tl_str name = tl_csv_name(csv, i);
        if (tl_str_eq_cstr(name, "date") || tl_str_eq_cstr(name, "Date")) {
            return i;
        }
    }
    return 0;
}

/* By date, then by row: total, so that the order does not depend on how the sort is made. */
static int by_date(const void *a, const void *b)
{
    const point *x = a;
    const point *y = b;
    const int order = tl_str_cmp(x->date, y->date);
    return order != 0 ? order : (x->row_index > y->row_index) - (x->row_index < y->row_index);
}

/* Rows are at most lines. */
static size_t line_count(tl_str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n';
    }
    return count;
}

typedef struct slice {
    tl_str file;
    tl_str column;
    tl_str from;
    tl_str to;
} slice;

static tl_err read_row(point *points, size_t *count, const tl_csv *csv, size_t date, size_t column,
                       const slice *s, tl_errctx *ctx)
{
    const tl_str day = tl_csv_field(csv, date);
    if (tl_str_cmp(day, s->from) < 0 || tl_str_cmp(day, s->to) > 0) {
        return TL_OK;
    }
    point p = {day, 0, csv->row_index, tl_csv_field(csv, column).len == 0};
    if (!p.is_missing) {
        TL_TRY(tl_csv_f64(&p.value, csv, column, ctx));
    }
    points[(*count)++] = p;
    return TL_OK;
}

static tl_err cut_slice(point **out, size_t *count, const slice *s, tl_str text, tl_arena *arena,
                        tl_errctx *ctx)
{
    const char *column_name;
    TL_TRY(tl_str_copy_cstr(&column_name, arena, s->column, ctx));
    const tl_csv_options options = {.header_has = column_name};
    tl_csv csv;
    size_t column;
    TL_TRY(tl_csv_init(&csv, arena, text, &options, ctx));
    TL_TRY(tl_csv_column(&column, &csv, column_name, ctx));
    const size_t date = date_column(&csv);
    point *points = TL_NEW(arena, point, line_count(text));
    if (points == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *count = 0;
    for (;;) {
        bool has_row;
        TL_TRY(tl_csv_next(&csv, &has_row, ctx));
        if (!has_row) {
            break;
        }
        TL_TRY(read_row(points, count, &csv, date, column, s, ctx));
    }
    qsort(points, *count, sizeof *points, by_date);
    *out = points;
    return TL_OK;
}

static tl_err series_of_points(double *values, bool *missing, const point *points, size_t count,
                               bool nulls_allowed, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        if (points[i].is_missing && !nulls_allowed) {
            return tl_fail(ctx, TL_ERR_MISSING, "no value on %.*s", TL_STR_ARG(points[i].date));
        }
        values[i] = points[i].value;
        missing[i] = points[i].is_missing;
    }
    return TL_OK;
}

static tl_err series_of_list(double *values, bool *missing, const tl_json *list, bool nulls_allowed,
                             tl_errctx *ctx)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *item = &list->items[i];
        missing[i] = item->kind == TL_JSON_NULL && nulls_allowed;
        if (missing[i]) {
            continue;
        }
        const tl_err err = tl_json_as_f64(&values[i], item, NULL, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "[%u]", i);
            return err;
        }
    }
    return TL_OK;
}

/* A slice as points in the case's arena. */
static tl_err read_slice(point **out, size_t *count, const tl_json *value, tl_conform_env *env,
                         tl_errctx *ctx)
{
    slice s;
    tl_str text;
    TL_TRY(tl_json_want_str(&s.file, value, "file", ctx));
    TL_TRY(tl_json_want_str(&s.column, value, "column", ctx));
    TL_TRY(tl_json_want_str(&s.from, value, "from", ctx));
    TL_TRY(tl_json_want_str(&s.to, value, "to", ctx));
    TL_TRY(find_table(&text, s.file, env, ctx));
    const tl_err err = cut_slice(out, count, &s, text, env->arena, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "table %.*s", TL_STR_ARG(s.file));
        return err;
    }
    if (*count == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "table %.*s has no row from %.*s to %.*s",
                       TL_STR_ARG(s.file), TL_STR_ARG(s.from), TL_STR_ARG(s.to));
    }
    return TL_OK;
}

tl_err tl_conform_series(const double **out, size_t *count, const bool **missing,
                         const tl_json *value, tl_conform_env *env, tl_errctx *ctx)
{
    point *points = NULL;
    size_t n = 0;
    if (value != NULL && value->kind == TL_JSON_OBJECT) {
        TL_TRY(read_slice(&points, &n, value, env, ctx));
    } else if (value != NULL && value->kind == TL_JSON_ARRAY) {
        n = value->count;
    } else {
        return tl_fail(ctx, value == NULL ? TL_ERR_MISSING : TL_ERR_TYPE,
                       "a series is a list of numbers or {file, column, from, to}");
    }
    double *values = TL_NEW(env->arena, double, n);
    bool *is_missing = TL_NEW(env->arena, bool, n);
    if (values == NULL || is_missing == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    if (points != NULL) {
        TL_TRY(series_of_points(values, is_missing, points, n, missing != NULL, ctx));
    } else {
        TL_TRY(series_of_list(values, is_missing, value, missing != NULL, ctx));
    }
    *out = values;
    *count = n;
    if (missing != NULL) {
        *missing = is_missing;
    }
    return TL_OK;
}
