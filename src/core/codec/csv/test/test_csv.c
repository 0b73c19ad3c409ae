/* Attacks the reader with quotes in every wrong place, ragged rows, line ends of three kinds, bytes that are no text,
 * and everything at its limit; walks all short texts over a small alphabet against a slow reference; writes random
 * tables and reads them back; makes each allocation fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/csv/csv.h"

static tl_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int close_arena(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

/* All rows as one text: fields in brackets, a row a line. */
static tl_err dump(tl_str *out, tl_arena *a, tl_str text, const tl_csv_options *options,
                   tl_errctx *ctx)
{
    tl_csv csv;
    tl_sb sb;
    tl_sb_init(&sb, a);
    TL_TRY(tl_csv_init(&csv, a, text, options, ctx));
    for (;;) {
        bool has_row;
        TL_TRY(tl_csv_next(&csv, &has_row, ctx));
        if (!has_row) {
            break;
        }
        for (size_t i = 0; i < csv.column_count; i++) {
            tl_sb_put_char(&sb, '[');
            tl_sb_put(&sb, tl_csv_field(&csv, i));
            tl_sb_put_char(&sb, ']');
        }
        tl_sb_put_char(&sb, '\n');
    }
    return tl_sb_finish(out, &sb, ctx);
}

static const tl_csv_options ROWS = {.has_no_header = true};

static void assert_rows(const char *text, const tl_csv_options *options, const char *want)
{
    tl_str got;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = dump(&got, arena, tl_str_from_cstr(text), options, &ctx);
    if (err != TL_OK) {
        fail_msg("%s: %s", text, ctx.message);
    }
    assert_string_equal(got.ptr, want);
}

static void rows_are_read_as_the_rfc_says(void **state)
{
    (void)state; /* RFC 4180, section 2 */
    assert_rows("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", &ROWS, "[aaa][bbb][ccc]\n[zzz][yyy][xxx]\n");
    assert_rows("aaa,bbb,ccc\r\nzzz,yyy,xxx", &ROWS, "[aaa][bbb][ccc]\n[zzz][yyy][xxx]\n");
    assert_rows("\"aaa\",\"b\r\nbb\",\"ccc\"\nzzz,yyy,xxx\n", &ROWS,
                "[aaa][b\r\nbb][ccc]\n[zzz][yyy][xxx]\n");
    assert_rows("\"aaa\",\"b\"\"bb\",\"\"\n", &ROWS, "[aaa][b\"bb][]\n");
    assert_rows("\"\"\"\",\"a,b\",\"\"\"x\"\"\"\n", &ROWS, "[\"][a,b][\"x\"]\n");
    assert_rows(",,\n,,", &ROWS, "[][][]\n[][][]\n");
    assert_rows(" a , b \n", &ROWS, "[ a ][ b ]\n");
    assert_rows("", &ROWS, "");
    assert_rows("\n", &ROWS, "[]\n");
    assert_rows("a\n\nb\n", &ROWS, "[a]\n[]\n[b]\n");
    assert_rows("\xEF\xBB\xBF"
                "a,b\n",
                &ROWS, "[a][b]\n");
    assert_rows("\xEF\xBB\xBF\"a\",b\n", &ROWS, "[a][b]\n");
}

static void options_change_separator_comment_and_preamble(void **state)
{
    (void)state;
    const tl_csv_options semicolon = {.separator = ';', .has_no_header = true};
    assert_rows("a,b;c\n\"x;y\";z\n", &semicolon, "[a,b][c]\n[x;y][z]\n");
    const tl_csv_options comment = {.comment = '#', .has_no_header = true};
    assert_rows("# one, two\n#\"\na,b\n#c,d,e\n\"#d\",e\n# end", &comment, "[a][b]\n[#d][e]\n");
    const tl_csv_options preamble = {.header_has = "date"};
    assert_rows("Created \"today,https://example.org\nday,price\ndate,price\n1,2\n", &preamble,
                "[1][2]\n");
    assert_rows("date,price\n1,2\n", &preamble, "[1][2]\n");
    assert_rows("a\n\xFF\n\r\rx\ndate\n7\n", &preamble, "[7]\n");
}

static void assert_fails(const char *text, size_t len, const tl_csv_options *options, tl_err want,
                         uint32_t line, uint32_t column)
{
    tl_str got;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(dump(&got, arena, (tl_str){text, len}, options, &ctx), want);
    assert_int_equal(ctx.line, line);
    assert_int_equal(ctx.column, column);
    assert_true(ctx.message[0] != '\0');
}

#define ASSERT_FAILS(text, want, line, column)                                                     \
    assert_fails("" text, sizeof(text) - 1, &ROWS, want, line, column)

static void what_breaks_a_rule_is_refused_with_its_place(void **state)
{
    (void)state; /* CSV-1, CSV-3 */
    ASSERT_FAILS("a,b\nc\n", TL_ERR_SYNTAX, 2, 1);
    ASSERT_FAILS("a,b\nc,d,e\n", TL_ERR_SYNTAX, 2, 1);
    ASSERT_FAILS("a,b\n\n", TL_ERR_SYNTAX, 2, 1);
    ASSERT_FAILS("a,b\n\"x\ny\",c\nd,\n\n", TL_ERR_SYNTAX, 5, 1);
    ASSERT_FAILS("a,b\"c\n", TL_ERR_SYNTAX, 1, 4);
    ASSERT_FAILS("a,\"b\"c\n", TL_ERR_SYNTAX, 1, 6);
    ASSERT_FAILS("a,\"b\" \n", TL_ERR_SYNTAX, 1, 6);
    ASSERT_FAILS("a,\"b\nc\n", TL_ERR_SYNTAX, 1, 3);
    ASSERT_FAILS("x\n\"", TL_ERR_SYNTAX, 2, 1);
    ASSERT_FAILS("a\rb\n", TL_ERR_SYNTAX, 1, 2);
    ASSERT_FAILS("a\r", TL_ERR_SYNTAX, 1, 2);
    ASSERT_FAILS("\"a\"\rb", TL_ERR_SYNTAX, 1, 4);
    ASSERT_FAILS("a\nb\0\n", TL_ERR_SYNTAX, 2, 2);
    ASSERT_FAILS("a\n\"b\0\"\n", TL_ERR_SYNTAX, 2, 3);
    ASSERT_FAILS("a\nb\xC3\n", TL_ERR_ENCODING, 2, 1);
    ASSERT_FAILS("a\n\"\xED\xA0\x80\"\n", TL_ERR_ENCODING, 2, 1);
}

static void a_failed_reader_gives_no_more(void **state)
{
    (void)state; /* CSV-2 */
    tl_csv csv;
    bool has_row = false;
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR("a,b\n1,2\n3\n4,5\n"), NULL, NULL), TL_OK);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_true(has_row && csv.row_index == 0 && csv.line == 2);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_ERR_STATE);
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR("a,a\n1,2\n"), NULL, NULL), TL_ERR_DUPLICATE);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_ERR_STATE);
}

static void columns_have_names(void **state)
{
    (void)state;
    tl_csv csv;
    tl_errctx ctx = TL_ERRCTX_INIT;
    bool has_row;
    size_t column = 99;
    const tl_str text = TL_STR(",\"Close \"\"adj\"\"\",\"two\nlines\"\nx,1.5,y\n");
    assert_int_equal(tl_csv_init(&csv, arena, text, NULL, NULL), TL_OK);
    assert_int_equal(csv.column_count, 3);
    assert_int_equal(tl_csv_column(&column, &csv, "Close \"adj\"", &ctx), TL_OK);
    assert_int_equal(column, 1);
    assert_int_equal(tl_csv_column(&column, &csv, "", &ctx), TL_OK);
    assert_int_equal(column, 0);
    assert_int_equal(tl_csv_column(&column, &csv, "close", &ctx), TL_ERR_MISSING);
    assert_true(column == 0 && strcmp(ctx.field, "close") == 0);
    assert_non_null(strstr(ctx.hint, "3 columns"));
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_true(tl_str_eq(tl_csv_name(&csv, 2), TL_STR("two\nlines")));
    assert_true(tl_str_eq(tl_csv_field(&csv, 2), TL_STR("y")));
    assert_int_equal(csv.line, 3);
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR(""), NULL, &ctx), TL_ERR_MISSING);
    assert_int_equal(tl_csv_init(&csv, arena, (tl_str){NULL, 0}, NULL, &ctx), TL_ERR_MISSING);
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR("a,b,a\n"), NULL, &ctx), TL_ERR_DUPLICATE);
    assert_true(ctx.line == 1 && ctx.column == 5);
    const tl_csv_options preamble = {.header_has = "date"};
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR("a\nb\n"), &preamble, &ctx), TL_ERR_MISSING);
    assert_int_equal(tl_csv_init(&csv, arena,
                                 TL_STR("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14"
                                        "\n15\n16\n17\ndate\n"),
                                 &preamble, &ctx),
                     TL_ERR_MISSING);
    assert_int_equal(tl_csv_init(&csv, arena,
                                 TL_STR("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14"
                                        "\n15\n16\ndate\n"),
                                 &preamble, &ctx),
                     TL_OK);
    assert_int_equal(tl_csv_init(&csv, arena, TL_STR("x"), &ROWS, &ctx), TL_OK);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_int_equal(tl_csv_name(&csv, 0).len, 0);
    assert_int_equal(tl_csv_column(&column, &csv, "x", &ctx), TL_ERR_MISSING);
}

static void numbers_are_read_exactly_or_refused_with_their_place(void **state)
{
    (void)state;
    static const char text[] = "f,i\n"
                               "0.1,-9223372036854775808\n"
                               "\"1e3\",\"7\"\n"
                               ",\n"
                               "1e400,9223372036854775808\n"
                               "1.,01\n"
                               "nan,1.0\n"
                               " 1,+1\n";
    tl_csv csv;
    tl_errctx ctx = TL_ERRCTX_INIT;
    bool has_row;
    double f = 0.0;
    int64_t i = 0;
    assert_int_equal(tl_csv_init(&csv, arena, tl_str_from_cstr(text), NULL, NULL), TL_OK);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_int_equal(tl_csv_f64(&f, &csv, 0, NULL), TL_OK);
    assert_int_equal(tl_csv_i64(&i, &csv, 1, NULL), TL_OK);
    assert_true(f == 0.1 && i == INT64_MIN);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_int_equal(tl_csv_f64(&f, &csv, 0, NULL), TL_OK);
    assert_int_equal(tl_csv_i64(&i, &csv, 1, NULL), TL_OK);
    assert_true(f == 1000.0 && i == 7);
    static const tl_err want[][2] = {{TL_ERR_MISSING, TL_ERR_MISSING},
                                     {TL_ERR_RANGE, TL_ERR_SYNTAX},
                                     {TL_ERR_SYNTAX, TL_ERR_SYNTAX},
                                     {TL_ERR_SYNTAX, TL_ERR_SYNTAX},
                                     {TL_ERR_SYNTAX, TL_ERR_SYNTAX}};
    for (uint32_t row = 0; row < 5; row++) {
        assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
        assert_int_equal(tl_csv_f64(&f, &csv, 0, &ctx), want[row][0]);
        assert_true(ctx.line == row + 4 && ctx.column == 1 && strcmp(ctx.field, "f") == 0);
        assert_int_equal(tl_csv_i64(&i, &csv, 1, &ctx), want[row][1]);
        assert_true(ctx.line == row + 4 && ctx.column > 1 && strcmp(ctx.field, "i") == 0);
    }
    assert_true(f == 1000.0 && i == 7);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_false(has_row);
    assert_int_equal(tl_csv_next(&csv, &has_row, NULL), TL_OK);
    assert_false(has_row);
}

static void limits_hold(void **state)
{
    (void)state;
    const size_t len = 2 * TL_CSV_FIELD_MAX + 64;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    assert_fails(text, TL_CSV_FIELD_MAX + 1, &ROWS, TL_ERR_LIMIT, 1,
                 (uint32_t)TL_CSV_FIELD_MAX + 2);
    tl_str got;
    assert_int_equal(dump(&got, arena, (tl_str){text, TL_CSV_FIELD_MAX}, &ROWS, NULL), TL_OK);
    assert_int_equal(got.len, TL_CSV_FIELD_MAX + 3);
    text[0] = '"'; /* never closed, and too long */
    assert_int_equal(dump(&got, arena, (tl_str){text, len}, &ROWS, NULL), TL_ERR_LIMIT);
    memset(text, '"', len); /* the longest field that is all quotes */
    assert_int_equal(dump(&got, arena, (tl_str){text, 2 * TL_CSV_FIELD_MAX + 2}, &ROWS, NULL),
                     TL_OK);
    assert_int_equal(got.len, TL_CSV_FIELD_MAX + 3);
    assert_int_equal(dump(&got, arena, (tl_str){text, 2 * TL_CSV_FIELD_MAX + 4}, &ROWS, NULL),
                     TL_ERR_LIMIT);
    memset(text, ',', len);
    assert_int_equal(dump(&got, arena, (tl_str){text, TL_CSV_COLUMNS_MAX - 1}, &ROWS, NULL), TL_OK);
    assert_int_equal(dump(&got, arena, (tl_str){text, TL_CSV_COLUMNS_MAX}, &ROWS, NULL),
                     TL_ERR_LIMIT);
    assert_int_equal(dump(&got, arena, (tl_str){text, TL_CSV_LEN_MAX + 1}, &ROWS, NULL),
                     TL_ERR_LIMIT);
    free(text);
}

/* The reference: one byte at a time, three states, no positions and no scratch. Rows as dump() writes them, or false
 * when a rule is broken. */
static bool reference(char *out, const char *text)
{
    enum { BEGIN, BARE, QUOTED, CLOSED } at = BEGIN;
    size_t fields = 0;
    size_t first_fields = 0;
    bool row_open = false;
    for (size_t i = 0;; i++) {
        const char c = text[i];
        if (at == QUOTED && c == '"' && text[i + 1] == '"') {
            *out++ = c;
            i++;
            continue;
        }
        if (at == QUOTED) {
            if (c == '\0') {
                return false;
            }
            if (c == '"') {
                at = CLOSED;
            } else {
                *out++ = c;
            }
            continue;
        }
        if (c == '\0' && at == BEGIN && !row_open) {
            break;
        }
        if (at == BEGIN) {
            *out++ = '[';
            row_open = true;
            fields++;
            at = c == '"' ? QUOTED : BARE;
            if (at == QUOTED) {
                continue;
            }
        }
        const bool ends_row = c == '\n' || c == '\0' || (c == '\r' && text[i + 1] == '\n');
        if (c == ',' || ends_row) {
            *out++ = ']';
            at = BEGIN;
        } else if (at == CLOSED || c == '"' || c == '\r') {
            return false;
        } else {
            *out++ = c;
        }
        if (ends_row) {
            *out++ = '\n';
            first_fields = first_fields != 0 ? first_fields : fields;
            if (fields != first_fields) {
                return false;
            }
            fields = 0;
            row_open = false;
            if (c == '\0') {
                break;
            }
            i += c == '\r' ? 1 : 0;
        }
    }
    *out = '\0';
    return true;
}

static void all_short_texts_are_read_as_the_reference_reads_them(void **state)
{
    (void)state; /* every text of up to seven bytes over five letters */
    static const char letters[] = {'a', ',', '"', '\n', '\r'};
    size_t accepted = 0;
    size_t refused = 0;
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (size_t len = 0; len <= 7; len++) {
        size_t count = 1;
        for (size_t i = 0; i < len; i++) {
            count *= sizeof letters;
        }
        for (size_t code = 0; code < count; code++) {
            char text[8] = {0};
            char want[64];
            size_t left = code;
            for (size_t i = 0; i < len; i++, left /= sizeof letters) {
                text[i] = letters[left % sizeof letters];
            }
            tl_str got;
            const tl_err err = dump(&got, arena, (tl_str){text, len}, &ROWS, NULL);
            if (reference(want, text)) {
                assert_int_equal(err, TL_OK);
                assert_string_equal(got.ptr, want);
                accepted++;
            } else {
                assert_int_equal(err, TL_ERR_SYNTAX);
                refused++;
            }
            tl_arena_rewind(arena, mark);
        }
    }
    assert_true(accepted > 1000 && refused > 1000);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_tables_survive_writing_and_reading(void **state)
{
    (void)state; /* decode after encode is identity */
    uint64_t seed = 0xC5F;
    static const char *pieces[] = {"a", ",", "\"",       "\n",           "\r\n", "\r",
                                   " ", "#", "\xC3\xA9", "\xEF\xBB\xBF", "0.5",  ";"};
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (size_t round = 0; round < 500; round++) {
        const size_t columns = 2 + next_random(&seed) % 5;
        const size_t rows = 1 + next_random(&seed) % 6;
        const char separator = round % 2 == 0 ? ',' : ';';
        tl_sb table;
        tl_sb want;
        tl_sb_init(&table, arena);
        tl_sb_init(&want, arena);
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < columns; c++) {
                tl_sb field;
                tl_str text;
                tl_sb_init(&field, arena);
                for (size_t n = next_random(&seed) % 5; n != 0; n--) {
                    tl_sb_put_cstr(&field, pieces[next_random(&seed) % 12]);
                }
                assert_int_equal(tl_sb_finish(&text, &field, NULL), TL_OK);
                if (c != 0) {
                    tl_sb_put_char(&table, separator);
                }
                tl_csv_put(&table, text, separator);
                tl_sb_printf(&want, "[%.*s]", TL_STR_ARG(text));
            }
            tl_sb_put_cstr(&table, round % 3 == 0 ? "\r\n" : "\n");
            tl_sb_put_char(&want, '\n');
        }
        tl_str text;
        tl_str expected;
        tl_str got;
        const tl_csv_options options = {
            .separator = separator, .comment = '#', .has_no_header = true};
        assert_int_equal(tl_sb_finish(&text, &table, NULL), TL_OK);
        assert_int_equal(tl_sb_finish(&expected, &want, NULL), TL_OK);
        assert_int_equal(dump(&got, arena, text, &options, NULL), TL_OK);
        assert_true(tl_str_eq(got, expected));
        tl_arena_rewind(arena, mark);
    }
}

typedef struct flaky {
    size_t calls_left;
    size_t live;
} flaky;

static void *flaky_alloc(void *self, size_t len)
{
    flaky *f = (flaky *)self;
    if (f->calls_left == 0) {
        return NULL;
    }
    f->calls_left--;
    f->live++;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    ((flaky *)self)->live--;
    free(memory);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, arena);
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 700; column++) {
            tl_sb_printf(&sb, "%s\"%d \"\" %040d\"", column != 0 ? "," : "", column, row);
        }
        tl_sb_put_char(&sb, '\n');
    }
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    size_t failures = 0;
    for (size_t n = 0;; n++) {
        flaky f = {n, 0};
        const tl_allocator allocator = {&f, flaky_alloc, flaky_release};
        const tl_csv_options options = {.header_has =
                                            "699 \" 0000000000000000000000000000000000000000"};
        tl_arena *a = NULL;
        tl_str out;
        tl_err err = tl_arena_new(&a, NULL, 0, &allocator, NULL);
        if (err == TL_OK) {
            err = dump(&out, a, text, &options, NULL);
        }
        tl_arena_free(a);
        assert_int_equal(f.live, 0);
        if (err == TL_OK) {
            break;
        }
        assert_int_equal(err, TL_ERR_NOMEM);
        failures++;
        assert_true(n < 1000);
    }
    assert_true(failures >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_as_the_rfc_says),
        cmocka_unit_test(options_change_separator_comment_and_preamble),
        cmocka_unit_test(what_breaks_a_rule_is_refused_with_its_place),
        cmocka_unit_test(a_failed_reader_gives_no_more),
        cmocka_unit_test(columns_have_names),
        cmocka_unit_test(numbers_are_read_exactly_or_refused_with_their_place),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(all_short_texts_are_read_as_the_reference_reads_them),
        cmocka_unit_test(random_tables_survive_writing_and_reading),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
