/* Attacks the form reader: bodies as clients write them, cut at every place; boundaries that almost match inside a file;
 * everything that is cut short, doubled, too long or no form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/form/form.h"

#define TYPE "multipart/form-data; boundary=XX"
#define PART(name, value)                                                                          \
    "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_HEAD                                                                                  \
    "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.json\"\r\n"               \
    "Content-Type: application/json\r\n\r\n"

/* What a reader told, as text: name=value; <filename type>bytes</>. */
typedef struct tale {
    char text[4096];
    size_t len;
    tl_err refuse_file; /* what on_file_begin answers */
} tale;

static void tell(tale *t, tl_str s)
{
    assert_true(s.len < sizeof t->text - t->len);
    if (s.len > 0) {
        memcpy(t->text + t->len, s.ptr, s.len);
    }
    t->len += s.len;
    t->text[t->len] = '\0';
}

static tl_err on_field(void *self, tl_str name, tl_str value, tl_errctx *ctx)
{
    (void)ctx;
    tell(self, name);
    tell(self, TL_STR("="));
    tell(self, value);
    tell(self, TL_STR(";"));
    return TL_OK;
}

static tl_err on_file_begin(void *self, const tl_form_file *file, tl_errctx *ctx)
{
    tale *t = self;
    if (t->refuse_file != TL_OK) {
        return tl_fail(ctx, t->refuse_file, "no files today");
    }
    tell(t, TL_STR("<"));
    tell(t, file->filename);
    tell(t, TL_STR(" "));
    tell(t, file->content_type);
    tell(t, TL_STR(">"));
    return TL_OK;
}

static tl_err on_file(void *self, tl_bytes piece, tl_errctx *ctx)
{
    (void)ctx;
    assert_true(piece.len > 0);
    tell(self, (tl_str){(const char *)piece.ptr, piece.len});
    return TL_OK;
}

static tl_err on_file_end(void *self, tl_errctx *ctx)
{
    (void)ctx;
    tell(self, TL_STR("</>"));
    return TL_OK;
}

/* Reads a body in pieces of step bytes (0: whole). */
static tl_err read_form(tale *t, const char *type, tl_str body, size_t step,
                        const tl_form_limits *limits, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_form_calls calls = {t, on_field, on_file_begin, on_file, on_file_end};
    t->len = 0;
    t->text[0] = '\0';
    tl_form *form = NULL;
    tl_err err = tl_form_new(&form, arena, tl_str_from_cstr(type), limits, &calls, ctx);
    for (size_t at = 0; err == TL_OK && at < body.len;) {
        const size_t len = step == 0 || body.len - at < step ? body.len - at : step;
        err = tl_form_feed(form, (tl_bytes){(const uint8_t *)body.ptr + at, len}, ctx);
        at += len;
    }
    if (form != NULL) {
        const tl_err end = tl_form_finish(form, ctx);
        assert_true(err == TL_OK || end == err); /* errors stick */
        err = end;
    }
    tl_arena_free(arena);
    return err;
}

static void expect(const char *type, tl_str body, const char *want)
{
    tale t = {.len = 0};
    for (size_t step = 0; step < 40; step++) { /* FORM-1 */
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(read_form(&t, type, body, step, NULL, &ctx), TL_OK);
        assert_string_equal(t.text, want);
    }
}

static void refuse(tl_str body, tl_err want)
{
    tale t = {.len = 0};
    for (size_t step = 0; step < 8; step++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(read_form(&t, TYPE, body, step, NULL, &ctx), want);
        assert_int_equal(ctx.code, want);
        assert_true(ctx.message[0] != '\0');
    }
}

static void fields_then_a_file_arrive_whatever_the_cuts(void **state)
{
    (void)state;
    expect(TYPE,
           TL_STR(PART("key", "data/a b") PART("empty", "") FILE_HEAD "{\"a\":1}\r\n--XX--\r\n"),
           "key=data/a b;empty=;<a.json application/json>{\"a\":1}</>");
    expect(TYPE, TL_STR("\r\n" PART("key", "v") "--XX--"), "key=v;");
    expect("Multipart/Form-Data; charset=utf-8; Boundary=\"XX\";", TL_STR(PART("a", "b") "--XX--"),
           "a=b;");
    expect(TYPE, TL_STR("--XX--"), "");
    expect(TYPE, TL_STR(FILE_HEAD "\r\n--XX--\r\nanything may follow"),
           "<a.json application/json></>");
}

static void a_file_may_hold_all_but_its_delimiter(void **state)
{
    (void)state;
    expect(TYPE, TL_STR(FILE_HEAD "--XX\r\n-\r\n--\r\r\n--X\r\n--Y\r\n\r\n--XX--"),
           "<a.json application/json>--XX\r\n-\r\n--\r\r\n--X\r\n--Y\r\n</>");
    expect(
        TYPE,
        TL_STR(FILE_HEAD
               "\r\r\r\n\r\n--XX  \t\r\nContent-Disposition: form-data; name=z\r\n\r\n1\r\n--XX--"),
        "<a.json application/json>\r\r\r\n</>");
    expect("multipart/form-data; boundary=\"--a'()+_,./:=? b\"",
           TL_STR("----a'()+_,./:=? b\r\nContent-Disposition: form-data; name=x\r\n\r\n--a\r\n"
                  "----a'()+_,./:=? b--"),
           "x=--a;");
}

static void names_are_read_as_clients_write_them(void **state)
{
    (void)state;
    expect(TYPE,
           TL_STR("--XX\r\ncontent-disposition:form-data;name=\"a\\\"b\\\\c%22\" ; x=y\r\n\r\n1\r\n"
                  "--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nf\r\n--XX--"),
           "a\"b\\c%22=1;< >f</>");
    expect(TYPE,
           TL_STR("--XX\r\nContent-Disposition: form-data; name=up; filename*=utf-8''%C3%A9\r\n\r\n"
                  "f\r\n--XX--"),
           "<utf-8''%C3%A9 >f</>");
}

static void what_stands_behind_the_file_is_read_over(void **state)
{
    (void)state;
    expect(TYPE, TL_STR(FILE_HEAD "x\r\n" PART("key", "other") FILE_HEAD "second\r\n--XX--"),
           "<a.json application/json>x</>");
    refuse(TL_STR(FILE_HEAD "x\r\n" PART("key", "other")), TL_ERR_SYNTAX);
}

static void a_body_cut_anywhere_never_ends_well(void **state)
{
    (void)state;
    const tl_str body = TL_STR(PART("key", "v") FILE_HEAD "data\r\n--XX--");
    tale t = {.len = 0};
    for (size_t len = 0; len < body.len; len++) { /* FORM-3 */
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(read_form(&t, TYPE, tl_str_slice(body, 0, len), 0, NULL, &ctx),
                         TL_ERR_SYNTAX);
    }
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    refuse(TL_STR("preamble\r\n" PART("a", "b") "--XX--"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: form-data; name=a\r\n\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\n\r\n1\r\n--XX--"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Type: a/b\r\n\r\n1\r\n--XX--"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\n Content-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XXY\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--"),
           TL_ERR_SYNTAX);
    refuse(TL_STR("--XX-\r\n"), TL_ERR_SYNTAX);
    refuse(TL_STR("--XX\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n1\r\n--XX--"),
           TL_ERR_ENCODING);
    refuse(TL_STR(PART("a", "\xc3") "--XX--"), TL_ERR_ENCODING);
    refuse(TL_STR(PART("key", "1") PART("KEY", "2") "--XX--"), TL_ERR_DUPLICATE);
}

static void a_content_type_without_a_boundary_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        tl_err want;
    } cases[] = {
        {"", TL_ERR_TYPE},
        {"application/json", TL_ERR_TYPE},
        {"multipart/mixed; boundary=XX", TL_ERR_TYPE},
        {"multipart/form-data", TL_ERR_SYNTAX},
        {"multipart/form-data; boundary=", TL_ERR_SYNTAX},
        {"multipart/form-data; boundary=\"a \"", TL_ERR_SYNTAX},
        {"multipart/form-data; boundary=a; boundary=b", TL_ERR_SYNTAX},
        {"multipart/form-data; boundary=\"a", TL_ERR_SYNTAX},
        {"multipart/form-data; boundary=0123456789012345678901234567890123456789"
         "0123456789012345678901234567890",
         TL_ERR_SYNTAX},
    };
    tale t = {.len = 0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(read_form(&t, cases[i].type, TL_STR("--XX--"), 0, NULL, &ctx),
                         cases[i].want);
        assert_string_equal(ctx.field, "Content-Type");
    }
}

static void limits_hold_and_errors_of_callbacks_pass(void **state)
{
    (void)state;
    tale t = {.len = 0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_form_limits limits = {.fields_max = 2, .field_len_max = 4};
    assert_int_equal(
        read_form(&t, TYPE, TL_STR(PART("a", "1234") PART("b", "") "--XX--"), 1, &limits, &ctx),
        TL_OK);
    assert_int_equal(read_form(&t, TYPE, TL_STR(PART("a", "12345") "--XX--"), 1, &limits, &ctx),
                     TL_ERR_LIMIT); /* FORM-2 */
    assert_int_equal(read_form(&t, TYPE, TL_STR(PART("a", "") PART("b", "") PART("c", "") "--XX--"),
                               0, &limits, &ctx),
                     TL_ERR_LIMIT);
    char head[TL_FORM_HEAD_LEN_MAX + 64];
    memset(head, 'a', sizeof head);
    memcpy(head, "--XX\r\nX: ", 9);
    assert_int_equal(read_form(&t, TYPE, (tl_str){head, sizeof head}, 0, NULL, &ctx), TL_ERR_LIMIT);
    t.refuse_file = TL_ERR_REFUSED;
    assert_int_equal(read_form(&t, TYPE, TL_STR(FILE_HEAD "x\r\n--XX--"), 3, NULL, &ctx),
                     TL_ERR_REFUSED);
    assert_string_equal(ctx.message, "no files today");
    const tl_form_limits too_many = {.fields_max = 100000};
    assert_int_equal(read_form(&t, TYPE, TL_STR("--XX--"), 0, &too_many, &ctx), TL_ERR_RANGE);
}

static void no_memory_is_an_error_and_no_crash(void **state)
{
    (void)state;
    const tl_form_calls calls = {0};
    size_t done = 0;
    for (size_t limit = 4096; limit < (64 << 10); limit += 1024) {
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, limit, NULL, NULL) != TL_OK) {
            continue;
        }
        tl_form *form = NULL;
        tl_err err = tl_form_new(&form, arena, TL_STR(TYPE), NULL, &calls, NULL);
        const tl_str body = TL_STR(PART("key", "v") FILE_HEAD "data\r\n--XX--");
        if (err == TL_OK) {
            err = tl_form_feed(form, tl_str_bytes(body), NULL);
        }
        if (err == TL_OK) {
            assert_int_equal(tl_form_finish(form, NULL), TL_OK);
            assert_true(tl_form_has_file(form));
            done++;
        } else {
            assert_true(err == TL_ERR_LIMIT || err == TL_ERR_NOMEM);
        }
        tl_arena_free(arena);
    }
    assert_true(done > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_then_a_file_arrive_whatever_the_cuts),
        cmocka_unit_test(a_file_may_hold_all_but_its_delimiter),
        cmocka_unit_test(names_are_read_as_clients_write_them),
        cmocka_unit_test(what_stands_behind_the_file_is_read_over),
        cmocka_unit_test(a_body_cut_anywhere_never_ends_well),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(a_content_type_without_a_boundary_is_refused),
        cmocka_unit_test(limits_hold_and_errors_of_callbacks_pass),
        cmocka_unit_test(no_memory_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
