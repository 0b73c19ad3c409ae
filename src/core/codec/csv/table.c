/* The table around the rows: its header, columns by name, fields as numbers, and fields written. */
#include <math.h>
#include <string.h>

#include "base/decimal/decimal.h"
#include "core/codec/csv/csv.h"
#include "core/codec/csv/csv_internal.h"

static bool row_has(const tl_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        if (tl_str_eq_cstr(csv->fields[i], name)) {
            return true;
        }
    }
    return false;
}

/* Lines are tried one by one, each as if it were the header: a preamble is prose and may break any rule. */
static tl_err skip_preamble(tl_csv *csv, const char *name, tl_errctx *ctx)
{
    for (size_t skipped = 0; skipped <= TL_CSV_PREAMBLE_MAX; skipped++) {
        tl_csv trial = *csv;
        bool has_row = false;
        const tl_err err = tl_csv_next(&trial, &has_row, ctx);
        if (err == TL_ERR_NOMEM || err == TL_ERR_LIMIT) {
            return err;
        }
        tl_errctx_reset(ctx);
        if (err == TL_OK && has_row && row_has(&trial, name)) {
            return TL_OK;
        }
        if (!tl__csv_skip_line(csv)) {
            break;
        }
    }
    return tl_fail(ctx, TL_ERR_MISSING, "no header with a column \"%s\" in the first %d lines",
                   name, TL_CSV_PREAMBLE_MAX + 1);
}

/* Names outlive the row that they were read from. */
static tl_err keep_names(tl_csv *csv, tl_errctx *ctx)
{
    tl_str *names = TL_NEW(csv->arena, tl_str, csv->column_count);
    if (names == NULL) {
        return tl_arena_fail(csv->arena, ctx);
    }
    for (size_t i = 0; i < csv->column_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (tl_str_eq(names[k], csv->fields[i])) {
                const tl_err err =
                    tl_fail(ctx, TL_ERR_DUPLICATE, "columns %zu and %zu are both named \"%.*s\"",
                            k + 1, i + 1, TL_STR_ARG(tl_str_slice(names[k], 0, 80)));
                tl_csv_at(csv, i, ctx);
                return err;
            }
        }
        TL_TRY(tl_str_copy(&names[i], csv->arena, csv->fields[i], ctx));
    }
    csv->names = names;
    return TL_OK;
}

static tl_err read_header(tl_csv *csv, const char *header_has, tl_errctx *ctx)
{
    if (header_has != NULL) {
        TL_TRY(skip_preamble(csv, header_has, ctx));
    }
    bool has_row = false;
    TL_TRY(tl_csv_next(csv, &has_row, ctx));
    if (!has_row) {
        return tl_fail(ctx, TL_ERR_MISSING, "the table is empty: no header line");
    }
    csv->rows_read = 0;
    return keep_names(csv, ctx);
}

tl_err tl_csv_init(tl_csv *csv, tl_arena *arena, tl_str text, const tl_csv_options *options,
                   tl_errctx *ctx)
{
    const tl_csv_options none = {'\0', '\0', false, NULL};
    const tl_csv_options *o = options != NULL ? options : &none;
    if (text.len > TL_CSV_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a table of %zu bytes, above %zu", text.len,
                       TL_CSV_LEN_MAX);
    }
    const tl_str mark = TL_STR("\xEF\xBB\xBF");
    const size_t mark_len = tl_str_starts_with(text, mark) ? mark.len : 0;
    *csv = (tl_csv){.arena = arena,
                    .text = text.ptr != NULL ? text : TL_STR(""),
                    .at = mark_len,
                    .line_at = 1,
                    .separator = o->separator != '\0' ? o->separator : ',',
                    .comment = o->comment};
    TL_ASSERT(csv->separator != '"' && csv->separator != '\n' && csv->separator != '\r');
    TL_ASSERT(!o->has_no_header || o->header_has == NULL);
    if (!o->has_no_header) {
        const tl_err err = read_header(csv, o->header_has, ctx);
        csv->has_failed = err != TL_OK;
        return err;
    }
    return TL_OK;
}

tl_err tl_csv_column(size_t *out, const tl_csv *csv, const char *name, tl_errctx *ctx)
{
    for (size_t i = 0; csv->names != NULL && i < csv->column_count; i++) {
        if (tl_str_eq_cstr(csv->names[i], name)) {
            *out = i;
            return TL_OK;
        }
    }
    const tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, name, "no column \"%s\"", name);
    if (csv->names != NULL) {
        const tl_str first = tl_str_slice(csv->names[0], 0, 40);
        const tl_str last = tl_str_slice(csv->names[csv->column_count - 1], 0, 40);
        tl_errctx_hint(ctx, "the header has %zu columns, \"%.*s\" to \"%.*s\"", csv->column_count,
                       TL_STR_ARG(first), TL_STR_ARG(last));
    }
    return err;
}

tl_str tl_csv_name(const tl_csv *csv, size_t column)
{
    TL_ASSERT(column < csv->column_count);
    return csv->names != NULL ? csv->names[column] : (tl_str){NULL, 0};
}

tl_str tl_csv_field(const tl_csv *csv, size_t column)
{
    TL_ASSERT(column < csv->column_count);
    return csv->fields[column];
}

void tl_csv_at(const tl_csv *csv, size_t column, tl_errctx *ctx)
{
    TL_ASSERT(column < csv->column_count);
    if (ctx == NULL) {
        return;
    }
    tl_errctx_at(ctx, 0, csv->field_lines[column], csv->field_columns[column]);
    ctx->has_offset = false;
}

/* A field that is no number, told with its column's name and its place. */
#define fail_field(csv, column, ctx, ...)                                                          \
    tl_err_is_set(place_field((csv), (column), (ctx), tl_fail(ctx, __VA_ARGS__)))

static tl_err place_field(const tl_csv *csv, size_t column, tl_errctx *ctx, tl_err err)
{
    const tl_str name = tl_str_slice(tl_csv_name(csv, column), 0, 80);
    if (name.len != 0) {
        tl_errctx_under(ctx, "%.*s", TL_STR_ARG(name));
    }
    tl_csv_at(csv, column, ctx);
    return err;
}

tl_err tl_csv_f64(double *out, const tl_csv *csv, size_t column, tl_errctx *ctx)
{
    const tl_str field = tl_csv_field(csv, column);
    const tl_str shown = tl_str_slice(field, 0, 80);
    double value;
    if (field.len == 0) {
        return fail_field(csv, column, ctx, TL_ERR_MISSING,
                          "an empty field where a number belongs");
    }
    if (!tl_f64_parse(&value, field)) {
        return fail_field(csv, column, ctx, TL_ERR_SYNTAX, "\"%.*s\" is no number",
                          TL_STR_ARG(shown));
    }
    if (!isfinite(value)) {
        return fail_field(csv, column, ctx, TL_ERR_RANGE, "\"%.*s\" is too large for a number",
                          TL_STR_ARG(shown));
    }
    *out = value;
    return TL_OK;
}

tl_err tl_csv_i64(int64_t *out, const tl_csv *csv, size_t column, tl_errctx *ctx)
{
    const tl_str field = tl_csv_field(csv, column);
    const tl_str shown = tl_str_slice(field, 0, 80);
    if (field.len == 0) {
        return fail_field(csv, column, ctx, TL_ERR_MISSING,
                          "an empty field where an integer belongs");
    }
    if (!tl_str_parse_i64(out, field)) {
        return fail_field(csv, column, ctx, TL_ERR_SYNTAX,
                          "\"%.*s\" is no integer of at most 64 bits", TL_STR_ARG(shown));
    }
    return TL_OK;
}

/* Quotes where a reader would take the field apart, and where a comment or byte order mark could be seen in it. */
void tl_csv_put(tl_sb *sb, tl_str field, char separator)
{
    const char cut = separator != '\0' ? separator : ',';
    bool must_quote = field.len != 0 && (field.ptr[0] == '#' || field.ptr[0] == '\xEF');
    for (size_t i = 0; i < field.len; i++) {
        const char c = field.ptr[i];
        must_quote = must_quote || c == cut || c == '"' || c == '\n' || c == '\r';
    }
    if (!must_quote) {
        tl_sb_put(sb, field);
        return;
    }
    tl_sb_put_char(sb, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"') {
            tl_sb_put_char(sb, '"');
        }
        tl_sb_put_char(sb, field.ptr[i]);
    }
    tl_sb_put_char(sb, '"');
}
