/* Attacks the scan of the head: everything that two readers of the same bytes could read in two ways. The good heads are
 * there so that the scan cannot pass by refusing all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/http/http_internal.h"

#define G "GET / HTTP/1.1\r\n"
#define H "Host: a\r\n"

/* The scan, then llhttp, as the connection does it. */
static int read_head(tl__http_head *out, tl_http_header *fields, tl_str raw)
{
    const int status = tl__http_head_scan(out, fields, raw);
    return status != 0 ? status : tl__http_head_confirm(out, raw, false);
}

static void good_heads_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *method;
        const char *target;
        const char *origin;
        uint64_t length;
        bool is_chunked;
        bool is_last;
        bool expects;
    } cases[] = {
        {G H "\r\n", "GET", "/", "/", 0, false, false, false},
        {"POST /a%2Fb//c?d=%7e&e? HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", "POST",
         "/a%2Fb//c?d=%7e&e?", "/a%2Fb//c?d=%7e&e?", 5, false, false, false},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", "POST", "/", "/", 0, true,
         false, false},
        {"GET /x HTTP/1.0\r\n\r\n", "GET", "/x", "/x", 0, false, true, false},
        {"GET /x HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "GET", "/x", "/x", 0, false, false,
         false},
        {G H "Connection: keep-alive\r\nConnection: Close\r\n\r\n", "GET", "/", "/", 0, false, true,
         false},
        {"OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS", "*", "*", 0, false, false, false},
        {"GET http://a.b:8091/c?d HTTP/1.1\r\n" H "\r\n", "GET", "http://a.b:8091/c?d", "/c?d", 0,
         false, false, false},
        {"GET HTTPS://[::1] HTTP/1.1\r\n" H "\r\n", "GET", "HTTPS://[::1]", "", 0, false, false,
         false},
        {"GET http://a?b HTTP/1.1\r\n" H "\r\n", "GET", "http://a?b", "?b", 0, false, false, false},
        {"PUT / HTTP/1.1\r\nHost:\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n", "PUT", "/",
         "/", 0, false, false, true},
        {"PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "PUT", "/", "/", 0, false, true, false},
        {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\nX:\r\nY: \t a\tb \xc3\xa9 "
         "\t\r\n!#$%&'*+-.^_`|~: 1\r\n\r\n",
         "GET", "/", "/", 0, false, false, false},
        {"GET / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n", "GET", "/", "/",
         INT64_MAX, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
        tl__http_head head;
        assert_int_equal(read_head(&head, fields, tl_str_from_cstr(cases[i].raw)), 0);
        assert_true(tl_str_eq_cstr(head.method, cases[i].method));
        assert_true(tl_str_eq_cstr(head.target, cases[i].target));
        assert_true(tl_str_eq_cstr(head.origin, cases[i].origin));
        assert_true(head.content_length == cases[i].length);
        assert_int_equal(head.is_chunked, cases[i].is_chunked);
        assert_int_equal(head.is_last, cases[i].is_last);
        assert_int_equal(head.expects_continue, cases[i].expects);
    }
}

/* What is no HTTP, or HTTP in more than one reading: 400, unless another status stands beside it. */
static const struct {
    const char *what;
    const char *raw;
    int status;
} bad[] = {
    {"folded by a space", G H "X-Bittensor-Hot: a\r\n key\r\n\r\n", 400},
    {"folded by a tab", G H "X: a\r\n\tb\r\n\r\n", 400},
    {"first field folded", G " X: a\r\n" H "\r\n", 400},
    {"space before the colon", G H "Content-Length : 0\r\n\r\n", 400},
    {"tab before the colon", G H "Content-Length\t: 0\r\n\r\n", 400},
    {"empty name", G H ": a\r\n\r\n", 400},
    {"no colon", G H "abc\r\n\r\n", 400},
    {"space in a name", G H "a b: c\r\n\r\n", 400},
    {"parenthesis in a name", G H "a(: c\r\n\r\n", 400},
    {"byte above ASCII in a name", G H "\xc3\xa9: c\r\n\r\n", 400},
    {"control in a value", G H "X: a\x01z\r\n\r\n", 400},
    {"DEL in a value", G H "X: a\x7fz\r\n\r\n", 400},
    {"bare CR in a value", G H "X: a\rY: b\r\n\r\n", 400},
    {"two CR", G H "X: a\r\r\n\r\n", 400},
    {"bare LF after a field", G H "X: a\n\r\n", 400},
    {"bare LF at the end", G H "X: a\r\n\n", 400},
    {"bare LF after the request line", "GET / HTTP/1.1\n" H "\r\n", 400},
    {"length and coding", G H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"coding and length", G H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"two lengths", G H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
    {"the same length twice", G H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"a list of lengths", G H "Content-Length: 5, 5\r\n\r\n", 400},
    {"length with a plus", G H "Content-Length: +5\r\n\r\n", 400},
    {"negative length", G H "Content-Length: -5\r\n\r\n", 400},
    {"length in hex", G H "Content-Length: 0x5\r\n\r\n", 400},
    {"length with a zero before it", G H "Content-Length: 05\r\n\r\n", 400},
    {"length with a space in it", G H "Content-Length: 5 5\r\n\r\n", 400},
    {"length with an underscore", G H "Content-Length: 5_0\r\n\r\n", 400},
    {"empty length", G H "Content-Length:\r\n\r\n", 400},
    {"length above 2^63", G H "Content-Length: 9223372036854775808\r\n\r\n", 400},
    {"length above 2^64", G H "Content-Length: 18446744073709551621\r\n\r\n", 400},
    {"another coding", G H "Transfer-Encoding: gzip\r\n\r\n", 400},
    {"another coding before chunked", G H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
    {"chunked twice in one", G H "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {"chunked twice", G H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked and identity",
     G H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
    {"chunked with a parameter", G H "Transfer-Encoding: chunked;q=1\r\n\r\n", 400},
    {"xchunked", G H "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {"chunked with a vertical tab",
     G H "Transfer-Encoding: \x0b"
         "chunked\r\n\r\n",
     400},
    {"empty coding", G H "Transfer-Encoding:\r\n\r\n", 400},
    {"chunked in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400},
    {"no host", G "\r\n", 400},
    {"two hosts", G H "Host: b\r\n\r\n", 400},
    {"two hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"host with a path", G "Host: a/b\r\n\r\n", 400},
    {"host with a user", G "Host: a@b\r\n\r\n", 400},
    {"two hosts in one", G "Host: a, b\r\n\r\n", 400},
    {"HTTP/0.9", "GET /\r\n\r\n", 400},
    {"HTTP/0.9 said", "GET / HTTP/0.9\r\n" H "\r\n", 400},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 400},
    {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\n", 400},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 400},
    {"HTTP/1.10", "GET / HTTP/1.10\r\n" H "\r\n", 400},
    {"HTTP/01.1", "GET / HTTP/01.1\r\n" H "\r\n", 400},
    {"http/1.1", "GET / http/1.1\r\n" H "\r\n", 400},
    {"space behind the version", "GET / HTTP/1.1 \r\n" H "\r\n", 400},
    {"two spaces before the target", "GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" H "\r\n", 400},
    {"space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", 400},
    {"tab in the target", "GET /a\tb HTTP/1.1\r\n" H "\r\n", 400},
    {"tab for a space", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400},
    {"fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400},
    {"control in the target", "GET /a\x01 HTTP/1.1\r\n" H "\r\n", 400},
    {"byte above ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400},
    {"no target", "GET  HTTP/1.1\r\n" H "\r\n", 400},
    {"target without a slash", "GET a HTTP/1.1\r\n" H "\r\n", 400},
    {"star for GET", "GET * HTTP/1.1\r\n" H "\r\n", 400},
    {"another scheme", "GET ftp://a/b HTTP/1.1\r\n" H "\r\n", 400},
    {"scheme without a host", "GET http:///b HTTP/1.1\r\n" H "\r\n", 400},
    {"user in the target", "GET http://u@a/b HTTP/1.1\r\n" H "\r\n", 400},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 400},
    {"parenthesis in the method", "G(T / HTTP/1.1\r\n" H "\r\n", 400},
    {"space before the method", " GET / HTTP/1.1\r\n" H "\r\n", 400},
    {"no method", "/ HTTP/1.1\r\n" H "\r\n", 400},
    {"bytes behind the end", G H "\r\nX", 400},
    {"no end", G H, 400},
    {"nothing", "", 400},
    {"a method that nobody knows", "FETCH / HTTP/1.1\r\n" H "\r\n", 501},
    {"lower-case method", "get / HTTP/1.1\r\n" H "\r\n", 501},
    {"another expectation", G H "Expect: 200-ok\r\n\r\n", 417},
    {"two expectations", G H "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 417},
};

static void bad_heads_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
        tl__http_head head;
        const int status = read_head(&head, fields, tl_str_from_cstr(bad[i].raw)); /* HTTP-1 */
        if (status != bad[i].status) {
            fail_msg("%s: %d, not %d", bad[i].what, status, bad[i].status);
        }
    }
}

/* The application's to refuse: framing is read all the same, and no leniently. */
static void any_method_may_be_let_through(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        int status;
    } cases[] = {
        {"FETCH / HTTP/1.1\r\n" H "\r\n", 0},
        {"get / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", 0},
        {"QUERY / HTTP/1.0\r\n\r\n", 0},
        {"QUERY / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"QU(RY / HTTP/1.1\r\n" H "\r\n", 400},
        {"QUERY / HTTP/2.0\r\n" H "\r\n", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
        tl__http_head head;
        const tl_str raw = tl_str_from_cstr(cases[i].raw);
        int status = tl__http_head_scan(&head, fields, raw);
        status = status != 0 ? status : tl__http_head_confirm(&head, raw, true);
        assert_int_equal(status, cases[i].status);
    }
}

/* Each byte in each place of a good head: only what the tables allow gets through, and a NUL nowhere. */
static void no_control_gets_through_anywhere(void **state)
{
    (void)state;
    static const char good[] =
        "POST /a?b HTTP/1.1\r\nHost: a\r\nX-Y: z z\r\nContent-Length: 5\r\n\r\n";
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int c = 0; c < 256; c++) {
            char raw[sizeof good];
            memcpy(raw, good, sizeof good);
            const bool is_control = c < ' ' || c == 0x7f;
            if (good[at] == (char)c || (c == '\t' && good[at] == ' ')) {
                continue;
            }
            raw[at] = (char)c;
            tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
            tl__http_head head;
            const int status = read_head(&head, fields, (tl_str){raw, sizeof raw - 1});
            if (status == 0 && (is_control && c != '\t')) {
                fail_msg("byte %d at %zu was let in", c, at);
            }
        }
    }
}

static void a_head_has_limits(void **state)
{
    (void)state;
    char *raw = malloc(TL_HTTP_HEAD_LEN_MAX + 100);
    tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
    tl__http_head head;
    assert_non_null(raw);
    for (size_t more = 0; more < 2; more++) { /* as long as may be, and one byte more */
        const size_t len = TL_HTTP_HEAD_LEN_MAX + more;
        memset(raw, 'x', len);
        memcpy(raw, G H "X: ", strlen(G H "X: "));
        memcpy(raw + len - 4, "\r\n\r\n", 4);
        assert_int_equal(read_head(&head, fields, (tl_str){raw, len}), more == 0 ? 0 : 431);
    }
    for (size_t count = TL_HTTP_FIELD_COUNT_MAX; count <= TL_HTTP_FIELD_COUNT_MAX + 1; count++) {
        size_t len = (size_t)sprintf(raw, G H);
        for (size_t i = 1; i < count; i++) {
            len += (size_t)sprintf(raw + len, "X%zu: %zu\r\n", i, i);
        }
        len += (size_t)sprintf(raw + len, "\r\n");
        assert_int_equal(read_head(&head, fields, (tl_str){raw, len}),
                         count == TL_HTTP_FIELD_COUNT_MAX ? 0 : 431);
    }
    assert_int_equal(head.field_count, TL_HTTP_FIELD_COUNT_MAX);
    assert_true(tl_str_eq_cstr(fields[99].value, "99"));
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads_are_read),
        cmocka_unit_test(bad_heads_are_refused),
        cmocka_unit_test(any_method_may_be_let_through),
        cmocka_unit_test(no_control_gets_through_anywhere),
        cmocka_unit_test(a_head_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
