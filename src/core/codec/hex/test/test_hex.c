/* Attacks hex with every byte, every character that is no digit, and every wrong length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"

static void each_byte_survives_and_is_lower_case(void **state)
{
    (void)state; /* HEX-1 */
    uint8_t all[256];
    uint8_t back[256];
    char text[513];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    tl_hex_write(text, all, sizeof all);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f1011", 36);
    assert_int_equal(tl_hex_decode(back, sizeof back, (tl_str){text, 512}, NULL), TL_OK);
    assert_memory_equal(all, back, sizeof all);
    for (size_t i = 0; i < 512; i++) {
        if (text[i] >= 'a') {
            text[i] = (char)(text[i] - 'a' + 'A');
        }
    }
    memset(back, 0, sizeof back);
    assert_int_equal(tl_hex_decode(back, sizeof back, (tl_str){text, 512}, NULL), TL_OK);
    assert_memory_equal(all, back, sizeof all);
}

static void each_foreign_character_is_named_with_its_place(void **state)
{
    (void)state; /* HEX-2 */
    static const char digits[] = "0123456789abcdefABCDEF";
    size_t refused = 0;
    for (unsigned c = 0; c < 256; c++) {
        if (c != 0 && strchr(digits, (int)c) != NULL) {
            continue;
        }
        char text[4] = {'a', 'b', 'c', (char)c};
        uint8_t out[2] = {7, 7};
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_hex_decode(out, 2, (tl_str){text, 4}, &ctx), TL_ERR_SYNTAX);
        assert_true(ctx.has_offset && ctx.offset == 3);
        assert_non_null(strstr(ctx.message, "character 4"));
        assert_true(out[0] == 7 && out[1] == 7);
        refused++;
    }
    assert_int_equal(refused, 256 - 22);
}

static void the_length_must_be_the_right_one(void **state)
{
    (void)state;
    uint8_t out[4];
    tl_errctx ctx = TL_ERRCTX_INIT;
    const char *bad[] = {"", "0", "0011223", "001122334", "0011223344", "0x112233", " 0112233"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tl_hex_decode(out, 4, tl_str_from_cstr(bad[i]), &ctx), TL_ERR_SYNTAX);
    }
    assert_int_equal(tl_hex_decode(out, 0, TL_STR(""), NULL), TL_OK);
    assert_int_equal(tl_hex_decode(out, 4, TL_STR("00112233"), NULL), TL_OK);
}

static void any_number_of_bytes_in_an_arena(void **state)
{
    (void)state;
    tl_arena *a = NULL;
    tl_bytes bytes = {NULL, 99};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&a, NULL, 8192, NULL, NULL), TL_OK);
    assert_int_equal(tl_hex_decode_bytes(&bytes, a, TL_STR("abc"), &ctx), TL_ERR_SYNTAX);
    assert_int_equal(tl_hex_decode_bytes(&bytes, a, TL_STR("abcg"), &ctx), TL_ERR_SYNTAX);
    assert_int_equal(bytes.len, 99);
    assert_int_equal(tl_hex_decode_bytes(&bytes, a, TL_STR(""), &ctx), TL_OK);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(tl_hex_decode_bytes(&bytes, a, TL_STR("DEADbeef"), &ctx), TL_OK);
    assert_memory_equal(bytes.ptr, "\xDE\xAD\xBE\xEF", 4);
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, a);
    tl_hex_encode(&sb, bytes.ptr, bytes.len);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_string_equal(text.ptr, "deadbeef");
    static char many[40000];
    memset(many, '0', sizeof many);
    bytes = (tl_bytes){NULL, 99};
    assert_int_equal(tl_hex_decode_bytes(&bytes, a, (tl_str){many, sizeof many}, &ctx),
                     TL_ERR_LIMIT);
    assert_int_equal(bytes.len, 99);
    tl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_survives_and_is_lower_case),
        cmocka_unit_test(each_foreign_character_is_named_with_its_place),
        cmocka_unit_test(the_length_must_be_the_right_one),
        cmocka_unit_test(any_number_of_bytes_in_an_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
