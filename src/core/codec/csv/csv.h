/* csv: tables as text, read row by row, by the letter of RFC 4180.
 * For         prices, returns, listings
 * Takes       UTF-8 text; LF or CRLF; quoted fields with "" for a quote, and line ends inside
 * Gives       rows of fields by column; columns by name; numbers with the place of what is wrong
 * Calls       base/str, base/decimal           Called by   quant, epoch, app
 * Owns        nothing: names and unescaped fields live in the arena, all others look into the text
 * Threads     one reader, one thread
 * Invariants  CSV-1 every row has as many fields as the first
 *             CSV-2 a reader that failed once gives no more rows
 *             CSV-3 a line that breaks a rule is an error with line and column, never a guess
 *
 *      tl_csv csv;
 *      TL_TRY(tl_csv_init(&csv, arena, text, NULL, ctx));            reads the header
 *      TL_TRY(tl_csv_column(&close, &csv, "close", ctx));
 *      for (;;) {
 *          TL_TRY(tl_csv_next(&csv, &has_row, ctx));
 *          if (!has_row) { break; }
 *          TL_TRY(tl_csv_f64(&price, &csv, close, ctx));
 *      }
 *
 * Refused, because each has been read in two ways by two programs: a quote inside a bare field, text after a closing
 * quote, a CR that no LF follows (outside quotes), NUL, ragged rows, two columns of one name. An empty line is a row
 * of one empty field, hence ragged in a table of several columns. Spaces belong to the field. The last line may lack
 * its line end. A UTF-8 byte order mark at the start is skipped: spreadsheets write it.
 */
#ifndef TALLY_CORE_CODEC_CSV_H
#define TALLY_CORE_CODEC_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_CSV_LEN_MAX      ((size_t)1 << 30) /* bytes of text: what an arena holds by default */
#define TL_CSV_COLUMNS_MAX  4096              /* a universe of tickers is a few hundred */
#define TL_CSV_FIELD_MAX    ((size_t)1 << 20) /* bytes of one field: descriptions, not documents */
#define TL_CSV_PREAMBLE_MAX 16                /* lines before the header that an option may skip */

/* tl_csv_options: zero means the default. */
typedef struct tl_csv_options {
    char separator;     /* default ',' */
    char comment;       /* a line that begins with it is skipped; default: there are none */
    bool has_no_header; /* the first row is data: columns have numbers, no names */
    const char *
        header_has; /* not NULL: lines before the first one that has a field of this name are a preamble, at
                               most TL_CSV_PREAMBLE_MAX of them; they need not be well-formed rows */
} tl_csv_options;

/* tl_csv: the caller's storage. */
typedef struct tl_csv {
    tl_str *fields;      /* of the row read last; valid until the next one is read */
    size_t column_count; /* 0 until the first row was read */
    size_t row_index;    /* of the row read last, from 0, the header not counted */
    uint32_t line;       /* where the row read last begins, from 1 */
    /* the room's */
    tl_arena *arena;
    tl_str text;
    size_t at;
    size_t line_begin; /* offset of the physical line that at is in */
    uint32_t line_at;  /* its number */
    char separator;
    char comment;
    bool has_failed;
    const tl_str *names; /* column_count of them, or NULL */
    size_t field_cap;
    uint32_t *field_lines; /* where each field begins, for errors */
    uint32_t *field_columns;
    char *scratch; /* unescaped fields of the row */
    size_t scratch_len;
    size_t scratch_cap;
    size_t rows_read;
} tl_csv;

/* tl_csv_init: begin, and read the header unless the options say that there is none. options may be NULL.
 *
 * arena  holds names and scratch; must live as long as the reader
 * text   must live as long as the reader
 * Errors: TL_ERR_MISSING (no header), TL_ERR_DUPLICATE (two columns of one name), and those of tl_csv_next.
 */
TL_MUST_USE tl_err tl_csv_init(tl_csv *csv, tl_arena *arena, tl_str text,
                               const tl_csv_options *options, tl_errctx *ctx);

/* tl_csv_next: read a row; *has_row is false at the end of the text.
 * Errors, with line, column and offset: TL_ERR_SYNTAX, TL_ERR_ENCODING, TL_ERR_LIMIT, TL_ERR_NOMEM; TL_ERR_STATE when
 * the reader had failed before (CSV-2). */
TL_MUST_USE tl_err tl_csv_next(tl_csv *csv, bool *has_row, tl_errctx *ctx);

/* tl_csv_column: the index of the column of that name. Errors: TL_ERR_MISSING, the hint tells which there are. */
TL_MUST_USE tl_err tl_csv_column(size_t *out, const tl_csv *csv, const char *name, tl_errctx *ctx);

/* tl_csv_name: a column's name; empty where there is no header. column below column_count: asserted, here and below. */
tl_str tl_csv_name(const tl_csv *csv, size_t column);

/* tl_csv_field: of the row read last; valid until the next row is read. */
tl_str tl_csv_field(const tl_csv *csv, size_t column);

/* tl_csv_f64, _i64: a field as a number: JSON's grammar for doubles (the nearest one; TL_ERR_RANGE when infinite), plain
 * decimal digits for integers. Errors: TL_ERR_SYNTAX, TL_ERR_MISSING when the field is empty; with its place. */
TL_MUST_USE tl_err tl_csv_f64(double *out, const tl_csv *csv, size_t column, tl_errctx *ctx);
TL_MUST_USE tl_err tl_csv_i64(int64_t *out, const tl_csv *csv, size_t column, tl_errctx *ctx);

/* tl_csv_at: give an error that the caller has just filled the place of a field of the row read last. */
void tl_csv_at(const tl_csv *csv, size_t column, tl_errctx *ctx);

/* tl_csv_put: one field into a builder, quoted where it must be; the caller writes separators and line ends.
 * separator 0 means ','. */
void tl_csv_put(tl_sb *sb, tl_str field, char separator);

#ifdef __cplusplus
}
#endif

#endif
