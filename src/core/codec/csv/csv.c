/* The reader: one pass, one state a field. A row's text is checked for UTF-8 when the row is whole. */
#include <string.h>

#include "core/codec/csv/csv.h"
#include "core/codec/csv/csv_internal.h"

/* Fails for good, with a place (CSV-2, CSV-3). */
#define fail_here(csv, offset, ctx, ...)                                                           \
    tl_err_is_set(place_error((csv), (offset), (ctx), tl_fail(ctx, __VA_ARGS__)))

static tl_err place_error(tl_csv *csv, size_t offset, tl_errctx *ctx, tl_err err)
{
    csv->has_failed = true;
    tl_errctx_at(ctx, offset, csv->line_at, (uint32_t)(offset - csv->line_begin + 1));
    return err;
}

static tl_err out_of_memory(tl_csv *csv, tl_errctx *ctx)
{
    csv->has_failed = true;
    return tl_arena_fail(csv->arena, ctx);
}

static char peek(const tl_csv *csv)
{
    return csv->at < csv->text.len ? csv->text.ptr[csv->at] : '\0';
}

static bool is_at_end(const tl_csv *csv)
{
    return csv->at == csv->text.len;
}

/* Is a line end here, and of how many bytes? */
static size_t line_end_len(const tl_csv *csv)
{
    const size_t left = csv->text.len - csv->at;
    const char *p = csv->text.ptr + csv->at;
    if (left >= 1 && p[0] == '\n') {
        return 1;
    }
    return left >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

static void step_line(tl_csv *csv, size_t end_len)
{
    csv->at += end_len;
    csv->line_begin = csv->at;
    csv->line_at++;
}

bool tl__csv_skip_line(tl_csv *csv)
{
    const tl_str rest = tl_str_slice(csv->text, csv->at, csv->text.len);
    const size_t len = tl_str_find(rest, '\n');
    csv->at += len;
    if (len < rest.len) {
        step_line(csv, 1);
    }
    return !is_at_end(csv);
}

static tl_err grow_fields(tl_csv *csv, tl_errctx *ctx)
{
    const size_t cap = csv->field_cap != 0 ? csv->field_cap * 2 : 16;
    tl_str *fields = TL_NEW(csv->arena, tl_str, cap);
    uint32_t *lines = TL_NEW(csv->arena, uint32_t, cap);
    uint32_t *columns = TL_NEW(csv->arena, uint32_t, cap);
    if (fields == NULL || lines == NULL || columns == NULL) {
        return out_of_memory(csv, ctx);
    }
    if (csv->field_cap != 0) {
        memcpy(fields, csv->fields, csv->field_cap * sizeof *fields);
        memcpy(lines, csv->field_lines, csv->field_cap * sizeof *lines);
        memcpy(columns, csv->field_columns, csv->field_cap * sizeof *columns);
    }
    csv->fields = fields;
    csv->field_lines = lines;
    csv->field_columns = columns;
    csv->field_cap = cap;
    return TL_OK;
}

/* A quoted field with "" inside, unescaped into the scratch. When the scratch grows, the row's earlier fields stay
 * where they are: an arena does not take back. */
static tl_err unescape(tl_str *out, tl_csv *csv, tl_str raw, tl_errctx *ctx)
{
    if (raw.len > csv->scratch_cap - csv->scratch_len) {
        size_t cap = csv->scratch_cap * 2 > 256 ? csv->scratch_cap * 2 : 256;
        while (cap < raw.len) {
            cap *= 2;
        }
        char *scratch = TL_NEW(csv->arena, char, cap);
        if (scratch == NULL) {
            return out_of_memory(csv, ctx);
        }
        csv->scratch = scratch;
        csv->scratch_cap = cap;
        csv->scratch_len = 0;
    }
    char *to = csv->scratch + csv->scratch_len;
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        i += raw.ptr[i] == '"' ? 1 : 0; /* the first of two */
        to[len++] = raw.ptr[i];
    }
    csv->scratch_len += len;
    *out = (tl_str){to, len};
    return TL_OK;
}

/* From behind the opening quote to behind the closing one. */
static tl_err read_quoted(tl_str *out, tl_csv *csv, tl_errctx *ctx)
{
    const size_t begin = ++csv->at;
    const size_t opening_line_begin = csv->line_begin;
    const uint32_t opening_line = csv->line_at;
    bool has_escapes = false;
    for (;;) {
        if (is_at_end(csv)) {
            csv->line_begin = opening_line_begin;
            csv->line_at = opening_line;
            return fail_here(csv, begin - 1, ctx, TL_ERR_SYNTAX, "a quote that is never closed");
        }
        const char c = csv->text.ptr[csv->at];
        if (c == '\0') {
            return fail_here(csv, csv->at, ctx, TL_ERR_SYNTAX, "a zero byte");
        }
        if (csv->at - begin > 2 * TL_CSV_FIELD_MAX) {
            return fail_here(csv, csv->at, ctx, TL_ERR_LIMIT, "a field of more than %zu bytes",
                             TL_CSV_FIELD_MAX);
        }
        if (c == '\n') {
            step_line(csv, 1);
            continue;
        }
        csv->at++;
        if (c == '"') {
            if (peek(csv) != '"') {
                break;
            }
            csv->at++;
            has_escapes = true;
        }
    }
    *out = tl_str_slice(csv->text, begin, csv->at - 1);
    if (has_escapes) {
        TL_TRY(unescape(out, csv, *out, ctx));
    }
    if (!is_at_end(csv) && peek(csv) != csv->separator && line_end_len(csv) == 0) {
        return fail_here(csv, csv->at, ctx, TL_ERR_SYNTAX, "text after a closing quote");
    }
    return TL_OK;
}

static tl_err read_bare(tl_str *out, tl_csv *csv, tl_errctx *ctx)
{
    const size_t begin = csv->at;
    while (!is_at_end(csv)) {
        const char c = csv->text.ptr[csv->at];
        if (c == csv->separator || c == '\n') {
            break;
        }
        if (c == '"') {
            return fail_here(csv, csv->at, ctx, TL_ERR_SYNTAX,
                             "a quote inside a field that does not begin with one");
        }
        if (c == '\0') {
            return fail_here(csv, csv->at, ctx, TL_ERR_SYNTAX, "a zero byte");
        }
        if (c == '\r') {
            if (line_end_len(csv) != 0) {
                break;
            }
            return fail_here(csv, csv->at, ctx, TL_ERR_SYNTAX,
                             "a carriage return without a line feed");
        }
        csv->at++;
    }
    *out = tl_str_slice(csv->text, begin, csv->at);
    return TL_OK;
}

/* One row into fields[0 … *count). The text is not at its end. */
static tl_err read_row(size_t *count, tl_csv *csv, tl_errctx *ctx)
{
    const size_t begin = csv->at;
    const size_t begin_line_begin = csv->line_begin;
    size_t n = 0;
    csv->line = csv->line_at;
    csv->scratch_len = 0;
    for (;;) {
        if (n == TL_CSV_COLUMNS_MAX) {
            return fail_here(csv, csv->at, ctx, TL_ERR_LIMIT, "a row of more than %d fields",
                             TL_CSV_COLUMNS_MAX);
        }
        if (n == csv->field_cap) {
            TL_TRY(grow_fields(csv, ctx));
        }
        const size_t field_begin = csv->at;
        tl_str field;
        csv->field_lines[n] = csv->line_at;
        csv->field_columns[n] = (uint32_t)(field_begin - csv->line_begin + 1);
        TL_TRY(peek(csv) == '"' ? read_quoted(&field, csv, ctx) : read_bare(&field, csv, ctx));
        if (field.len > TL_CSV_FIELD_MAX) {
            return fail_here(csv, csv->at, ctx, TL_ERR_LIMIT, "a field of more than %zu bytes",
                             TL_CSV_FIELD_MAX);
        }
        csv->fields[n++] = field;
        if (is_at_end(csv) || peek(csv) != csv->separator) {
            break;
        }
        csv->at++;
    }
    if (!tl_str_is_utf8(tl_str_slice(csv->text, begin, csv->at))) {
        csv->line_at = csv->line;
        csv->line_begin = begin_line_begin;
        return fail_here(csv, begin, ctx, TL_ERR_ENCODING, "a row that is not UTF-8");
    }
    if (!is_at_end(csv)) {
        step_line(csv, line_end_len(csv));
    }
    *count = n;
    return TL_OK;
}

tl_err tl_csv_next(tl_csv *csv, bool *has_row, tl_errctx *ctx)
{
    if (csv->has_failed) {
        return tl_fail(ctx, TL_ERR_STATE, "the table could not be read further");
    }
    while (csv->comment != '\0' && peek(csv) == csv->comment && !is_at_end(csv)) {
        (void)tl__csv_skip_line(csv);
    }
    if (is_at_end(csv)) {
        *has_row = false;
        return TL_OK;
    }
    const size_t begin = csv->at;
    const size_t line_begin = csv->line_begin;
    size_t count = 0;
    TL_TRY(read_row(&count, csv, ctx));
    TL_ASSERT(count >= 1 && csv->at > begin);
    if (csv->column_count != 0 && count != csv->column_count) { /* CSV-1 */
        csv->line_at = csv->line;
        csv->line_begin = line_begin;
        return fail_here(csv, begin, ctx, TL_ERR_SYNTAX, "a row of %zu fields, the first has %zu",
                         count, csv->column_count);
    }
    csv->column_count = count;
    csv->row_index = csv->rows_read++;
    *has_row = true;
    return TL_OK;
}
