/* Attacks the padding, the bits behind the last byte, and every byte that is no letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/base64/base64.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_str encode(const void *bytes, size_t len)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, bytes, len);
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void the_standards_vectors_hold(void **state)
{
    (void)state; /* RFC 4648 section 10 */
    static const char word[] = "foobar";
    static const char *const texts[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t len = 0; len < sizeof texts / sizeof texts[0]; len++) {
        assert_true(tl_str_eq_cstr(encode(word, len), texts[len]));
        tl_bytes bytes = {NULL, 0};
        assert_int_equal(tl_base64_decode(&bytes, arena, tl_str_from_cstr(texts[len]), NULL),
                         TL_OK);
        assert_int_equal(bytes.len, len);
        assert_memory_equal(bytes.ptr, word, len);
    }
}

static void bytes_come_back_at_every_length(void **state)
{
    (void)state; /* B64-1 */
    uint8_t all[768];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)(i * 167 + i / 256);
    }
    for (size_t len = 0; len <= sizeof all; len++) {
        const tl_str text = encode(all, len);
        tl_bytes bytes = {NULL, 0};
        assert_int_equal(tl_base64_decode(&bytes, arena, text, NULL), TL_OK);
        assert_int_equal(bytes.len, len);
        assert_memory_equal(bytes.ptr, all, len);
    }
}

static void other_spellings_are_refused(void **state)
{
    (void)state; /* B64-2 */
    static const struct {
        const char *text;
        tl_err code;
    } rows[] = {
        {"Zg", TL_ERR_SYNTAX},       {"Zg=", TL_ERR_SYNTAX},     {"Zg==\n", TL_ERR_SYNTAX},
        {"Z===", TL_ERR_SYNTAX},     {"====", TL_ERR_SYNTAX},    {"=AAA", TL_ERR_SYNTAX},
        {"Zg==Zg==", TL_ERR_SYNTAX}, {"Zm-v", TL_ERR_SYNTAX},    {"Zm_v", TL_ERR_SYNTAX},
        {"Zm 9", TL_ERR_SYNTAX},     {"Zh==", TL_ERR_CANONICAL}, {"Zm9=", TL_ERR_CANONICAL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_bytes bytes = {NULL, 77};
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_base64_decode(&bytes, arena, tl_str_from_cstr(rows[i].text), &ctx),
                         rows[i].code);
        assert_int_equal(bytes.len, 77);
    }
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 0; c < 256; c++) {
        char four[4] = {'A', (char)c, 'A', 'A'};
        tl_bytes bytes = {NULL, 0};
        const bool is_letter = c != 0 && strchr(letters, c) != NULL;
        assert_int_equal(tl_base64_decode(&bytes, arena, (tl_str){four, 4}, NULL) == TL_OK,
                         is_letter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_vectors_hold),
        cmocka_unit_test(bytes_come_back_at_every_length),
        cmocka_unit_test(other_spellings_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
