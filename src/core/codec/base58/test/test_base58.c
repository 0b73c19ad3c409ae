/* Attacks base58 with leading zeros, every foreign character, texts at and above the limits, and all short inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/base58/base58.h"

static void known_texts_come_out(void **state)
{
    (void)state; /* the Base58 draft's examples (draft-msporny-base58, section 5) */
    char text[TL_BASE58_CAP];
    assert_int_equal(tl_base58_encode_var(text, (const uint8_t *)"Hello World!", 12), 17);
    assert_string_equal(text, "2NEpo7TZRRrLZSi2U");
    tl_base58_encode_var(text, (const uint8_t *)"The quick brown fox jumps over the lazy dog.", 44);
    assert_string_equal(text, "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
    tl_base58_encode_var(text, (const uint8_t *)"\x00\x00\x28\x7f\xb4\xcd", 6);
    assert_string_equal(text, "11233QC4");
    assert_int_equal(tl_base58_encode_var(text, NULL, 0), 0);
    assert_string_equal(text, "");
}

static void assert_round_trip(const uint8_t *bytes, size_t len)
{
    char text[TL_BASE58_CAP];
    uint8_t back[TL_BASE58_BYTES_MAX];
    size_t back_len = 999;
    const size_t text_len = tl_base58_encode_var(text, bytes, len);
    assert_true(text_len == strlen(text) && text_len <= TL_BASE58_TEXT_MAX);
    assert_int_equal(tl_base58_decode_var(back, &back_len, (tl_str){text, text_len}, NULL), TL_OK);
    assert_int_equal(back_len, len);
    assert_memory_equal(back, bytes, len);
}

static void all_strings_of_two_bytes_and_all_lengths_survive(void **state)
{
    (void)state; /* B58-1 */
    for (unsigned v = 0; v < 65536; v++) {
        const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
        assert_round_trip(bytes, 2);
    }
    uint8_t bytes[TL_BASE58_BYTES_MAX];
    static const uint8_t fills[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    for (size_t len = 1; len <= sizeof bytes; len++) {
        for (size_t f = 0; f < sizeof fills; f++) {
            for (size_t zeros = 0; zeros <= len; zeros += 1 + len / 5) {
                memset(bytes, fills[f], len);
                memset(bytes, 0, zeros);
                assert_round_trip(bytes, len);
            }
        }
    }
}

static void all_texts_of_three_digits_survive(void **state)
{
    (void)state; /* B58-1, from the other side: no text has two readings */
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for (size_t i = 0; i < 58 * 58 * 58; i++) {
        const char text[3] = {alphabet[i / 58 / 58], alphabet[i / 58 % 58], alphabet[i % 58]};
        uint8_t bytes[TL_BASE58_BYTES_MAX];
        size_t len;
        char again[TL_BASE58_CAP];
        assert_int_equal(tl_base58_decode_var(bytes, &len, (tl_str){text, 3}, NULL), TL_OK);
        assert_int_equal(tl_base58_encode_var(again, bytes, len), 3);
        assert_memory_equal(again, text, 3);
    }
}

static void each_foreign_character_is_refused(void **state)
{
    (void)state; /* B58-2 */
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    size_t refused = 0;
    for (unsigned c = 0; c < 256; c++) {
        const char text[3] = {'2', (char)c, '2'};
        uint8_t out[TL_BASE58_BYTES_MAX] = {7};
        size_t len = 999;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_base58_decode_var(out, &len, (tl_str){text, 3}, &ctx);
        if (c != 0 && strchr(alphabet, (int)c) != NULL) {
            assert_int_equal(err, TL_OK);
            continue;
        }
        assert_int_equal(err, TL_ERR_SYNTAX);
        assert_true(ctx.has_offset && ctx.offset == 1 && len == 999 && out[0] == 7);
        refused++;
    }
    assert_int_equal(refused, 256 - 58);
}

static void texts_above_the_limits_are_refused(void **state)
{
    (void)state;
    char text[TL_BASE58_TEXT_MAX + 1];
    uint8_t out[TL_BASE58_BYTES_MAX];
    size_t len = 999;
    memset(text, '2', sizeof text);
    assert_int_equal(tl_base58_decode_var(out, &len, (tl_str){text, sizeof text}, NULL),
                     TL_ERR_LIMIT);
    memset(text, 'z', sizeof text); /* 88 of the largest digit are more than 64 bytes */
    assert_int_equal(tl_base58_decode_var(out, &len, (tl_str){text, TL_BASE58_TEXT_MAX}, NULL),
                     TL_ERR_LIMIT);
    memset(text, '1', sizeof text); /* 65 zero bytes */
    assert_int_equal(tl_base58_decode_var(out, &len, (tl_str){text, TL_BASE58_BYTES_MAX + 1}, NULL),
                     TL_ERR_LIMIT);
    assert_int_equal(len, 999);
    assert_int_equal(tl_base58_decode_var(out, &len, (tl_str){text, TL_BASE58_BYTES_MAX}, NULL),
                     TL_OK);
    assert_int_equal(len, TL_BASE58_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_come_out),
        cmocka_unit_test(all_strings_of_two_bytes_and_all_lengths_survive),
        cmocka_unit_test(all_texts_of_three_digits_survive),
        cmocka_unit_test(each_foreign_character_is_refused),
        cmocka_unit_test(texts_above_the_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
