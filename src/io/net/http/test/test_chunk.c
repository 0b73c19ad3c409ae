/* Attacks the reader of chunks: lengths that do not fit, line ends that are none, frames without end; and holds it against
 * llhttp: what ours accepts, llhttp accepts, with the same body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <llhttp.h>

#include "base/world/world.h"
#include "io/net/http/http_internal.h"

enum { BODY_CAP = 1 << 16 };

typedef struct body {
    char text[BODY_CAP];
    size_t len;
    bool is_whole;
    size_t used; /* bytes of the input */
} body;

/* Reads with the input cut into steps of `step` bytes; false: refused. */
static bool read_chunks(body *out, tl_str raw, size_t step)
{
    tl__http_chunks chunks = {0};
    out->len = 0;
    out->is_whole = false;
    for (size_t at = 0; at < raw.len; at += step) {
        const size_t n = raw.len - at < step ? raw.len - at : step;
        tl_bytes rest = {(const uint8_t *)raw.ptr + at, n};
        tl_bytes piece;
        tl__http_chunk_step s;
        while ((s = tl__http_chunks_read(&chunks, &rest, &piece)) == TL__HTTP_CHUNK_PIECE) {
            assert_true(out->len + piece.len <= BODY_CAP);
            memcpy(out->text + out->len, piece.ptr, piece.len);
            out->len += piece.len;
        }
        if (s == TL__HTTP_CHUNK_BAD) {
            return false;
        }
        if (s == TL__HTTP_CHUNK_END) {
            out->is_whole = true;
            out->used = at + n - rest.len;
            return true;
        }
    }
    return true;
}

static int on_llhttp_body(llhttp_t *parser, const char *at, size_t len)
{
    body *out = parser->data;
    memcpy(out->text + out->len, at, len);
    out->len += len;
    return 0;
}

static int on_llhttp_end(llhttp_t *parser)
{
    ((body *)parser->data)->is_whole = true;
    return HPE_PAUSED;
}

static bool llhttp_chunks(body *out, tl_str raw)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const llhttp_settings_t settings = {.on_body = on_llhttp_body,
                                               .on_message_complete = on_llhttp_end};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = out;
    out->len = 0;
    out->is_whole = false;
    assert_int_equal(llhttp_execute(&parser, head, sizeof head - 1), HPE_OK);
    const llhttp_errno_t err = llhttp_execute(&parser, raw.ptr, raw.len);
    if (err == HPE_PAUSED) {
        out->used = (size_t)(llhttp_get_error_pos(&parser) - raw.ptr);
    }
    return err == HPE_OK || err == HPE_PAUSED;
}

static void good_chunks_are_joined(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *text;
        size_t behind; /* bytes of the next request */
    } cases[] = {
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET", "hello", 3},
        {"A;x=y\r\n0123456789\r\na\r\nabcdefghij\r\n0;q\r\nX: y\r\nZ:\r\n\r\n",
         "0123456789abcdefghij", 0},
        {"0\r\n\r\n", "", 0},
        {"00000005\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tl_str raw = tl_str_from_cstr(cases[i].raw);
        for (size_t step = 1; step <= raw.len; step++) {
            static body ours;
            static body theirs;
            assert_true(read_chunks(&ours, raw, step));
            assert_true(ours.is_whole);
            assert_int_equal(ours.used, raw.len - cases[i].behind);
            assert_int_equal(ours.len, strlen(cases[i].text));
            assert_memory_equal(ours.text, cases[i].text, ours.len);
            assert_true(llhttp_chunks(&theirs, raw) && theirs.is_whole);
            assert_int_equal(theirs.used, ours.used);
            assert_int_equal(theirs.len, ours.len);
        }
    }
}

static void bad_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5\t\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "123456789\r\n",
        "ffffffffffffffff5\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\x01\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
        "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\rY: b\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\n\r\n",
        "5\r\nhello\r\n0\r\n: a\r\n\r\n",
        "5\r\nhello\r\n0\r\nX\r\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        ";a\r\n\r\n",
        "5;a=b;c\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;a=\r\nhello\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const tl_str raw = tl_str_from_cstr(bad[i]);
        for (size_t step = 1; step <= raw.len; step++) {
            static body ours;
            if (read_chunks(&ours, raw, step)) {
                fail_msg("case %zu, in steps of %zu, was accepted", i, step);
            }
        }
    }
}

/* A sender may not buy work with framing: extensions, trailers and tiny chunks are bounded. */
static void framing_is_bounded(void **state)
{
    (void)state;
    static body ours;
    static char raw[BODY_CAP * 4];
    memset(raw, 'e', sizeof raw);
    memcpy(raw, "5;", 2);
    assert_false(read_chunks(&ours, (tl_str){raw, TL__HTTP_CHUNK_LINE_MAX + 1}, 7));
    assert_true(read_chunks(&ours, (tl_str){raw, TL__HTTP_CHUNK_LINE_MAX}, 7));
    memcpy(raw, "0\r\nT:", 5);
    assert_false(read_chunks(&ours, (tl_str){raw, TL__HTTP_TRAILER_LEN_MAX + 4}, 1000));
    size_t len = 0;
    while (len + 120 < sizeof raw) { /* one byte of body for a hundred of framing */
        memset(raw + len, 'x', 110);
        memcpy(raw + len, "1;", 2);
        memcpy(raw + len + 105, "\r\nx\r\n", 5);
        len += 110;
    }
    assert_false(read_chunks(&ours, (tl_str){raw, len}, 999));
}

/* Random changes of good bodies: whatever ours accepts, llhttp accepts with the same body and the same end. */
static void what_is_accepted_llhttp_reads_the_same(void **state)
{
    (void)state;
    static const char good[] = "5;x=y\r\nhello\r\nc\r\nhello\r\nagain\r\n0\r\nX: y\r\nZ: 1\r\n\r\n";
    static const char letters[] = "\r\n\t 0159afg;:=xX\"\x7f\x80\xff";
    tl_seeded_entropy seed;
    const tl_entropy luck = tl_seeded_entropy_start(&seed, 7);
    size_t accepted = 0;
    for (size_t i = 0; i < 200000; i++) {
        static body ours;
        static body theirs;
        char raw[sizeof good];
        uint8_t dice[6];
        memcpy(raw, good, sizeof good);
        assert_int_equal(tl_entropy_fill(&luck, dice, sizeof dice, NULL), TL_OK);
        for (size_t k = 0; k < 1u + dice[0] % 3u; k++) {
            raw[dice[1 + k] % (sizeof good - 1)] =
                letters[dice[k + 3 - (k > 2)] % (sizeof letters - 1)];
        }
        const tl_str text = {raw, sizeof raw - 1};
        if (read_chunks(&ours, text, text.len) && ours.is_whole) {
            accepted++;
            if (!llhttp_chunks(&theirs, text)) {
                fail_msg("llhttp refuses %s", raw);
            }
            assert_int_equal(theirs.is_whole, ours.is_whole);
            assert_int_equal(theirs.used, ours.used);
            assert_int_equal(theirs.len, ours.len);
            assert_memory_equal(theirs.text, ours.text, ours.len);
        }
    }
    if (accepted < 1000) {
        fail_msg("only %zu were accepted", accepted);
    }
}

/* Why bodies are not llhttp's: when one of these fails, a newer llhttp could be asked again. */
static void llhttp_is_laxer(void **state)
{
    (void)state;
    static const char *const lax[] = {
        "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof lax / sizeof *lax; i++) {
        static body theirs;
        static body ours;
        assert_true(llhttp_chunks(&theirs, tl_str_from_cstr(lax[i])) && theirs.is_whole);
        assert_false(read_chunks(&ours, tl_str_from_cstr(lax[i]), 100));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_chunks_are_joined),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(framing_is_bounded),
        cmocka_unit_test(what_is_accepted_llhttp_reads_the_same),
        cmocka_unit_test(llhttp_is_laxer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
