/* Attacks addresses: known ones of two sources, every single wrong character, every prefix, lengths around the right
 * one, and texts that hold the right bytes in the wrong form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto/strobe/test/golden.h"

#include "core/codec/base58/base58.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/key/key.h"

static tl_hotkey key_of(const char *hex)
{
    tl_hotkey key;
    assert_int_equal(tl_hex_decode(key.b, sizeof key.b, tl_str_from_cstr(hex), NULL), TL_OK);
    return key;
}

/* Figures: the development keys of Substrate (subkey inspect //Alice, //Bob, the stash of Alice), and the tests of
 * btwallet 4.0; prefixes from 63 up derived with an independent implementation. */
static const struct {
    uint16_t prefix;
    const char *hex;
    const char *address;
} KNOWN[] = {
    {42, "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
     "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
    {42, "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48",
     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"},
    {42, "be5ddb1579b72e84524fc29e78609e3caf42e85aa118ebfe0b0ad404b5bdd25f",
     "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"},
    {42, "ec4312ef36e512cd38a0e890a93141d6f0508cf091167bb25441f06bcaaef568",
     "5HQV5mjTgcM9aEBi4xbnbiJdz8aez92tWyRc1U53rLYuYEMk"},
    {42, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "5FvUhL6sQ5egLAvnyiY1n7gTuhmYg9sD3oJbvASWkpNULt3n"},
    {0, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "16ADqpMa4yzfmWs3nuTSMhfZ2ckeGtvqhPWCNqECEGDcGgU2"},
    {42, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"},
    {63, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "7Nkn8KTyHK6TcDMGrSsw9URKkBmAjSbdaeQU8tkAQ8gL14N3"},
    {64, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "cEajRbtvf5TpARg3ZAe7sizGFC1QnJGSYrbBALxNSrHut1fYQ"},
    {255, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "yGHtjKFR75vvwdDGApopDaVCfXPTFCZT4gK88x5tvnnUSFQAr"},
    {13116, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "bt8MCcWw1HpXAQe7TVVn1KFk8hY6W3hMrBmcFDqXiw11vKRY7"},
    {16383, "e4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446",
     "yNaVHbkXWJG2jTukPtMEiNFxSExTmf77rZa2Qi9Qtxew9ycLx"},
};

static void known_addresses_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        const tl_hotkey want = key_of(KNOWN[i].hex);
        const tl_str address = tl_str_from_cstr(KNOWN[i].address);
        char text[TL_SS58_CAP];
        assert_int_equal(tl_ss58_encode(text, &want, KNOWN[i].prefix), address.len);
        assert_string_equal(text, KNOWN[i].address);
        tl_hotkey key;
        uint16_t prefix;
        const bool is_registered = tl_ss58_prefix_is_registered(KNOWN[i].prefix);
        assert_int_equal(is_registered, KNOWN[i].prefix != 64 && KNOWN[i].prefix != 16383);
        assert_int_equal(tl_ss58_decode_any(&key, &prefix, address, NULL),
                         is_registered ? TL_OK : TL_ERR_RANGE);
        assert_true(!is_registered || (tl_hotkey_eq(&key, &want) && prefix == KNOWN[i].prefix));
        assert_int_equal(tl_ss58_decode(&key, address, NULL),
                         address.len == TL_SS58_HOTKEY_LEN ? TL_OK : TL_ERR_SYNTAX);
    }
}

static void every_prefix_survives_but_the_reserved_two(void **state)
{
    (void)state; /* KEY-1 */
    tl_hotkey key = key_of(KNOWN[0].hex);
    size_t valid = 0;
    for (unsigned p = 0; p <= UINT16_MAX; p++) {
        const uint16_t prefix = (uint16_t)p;
        if (!tl_ss58_prefix_is_valid(prefix)) {
            continue;
        }
        valid++;
        if (prefix > 300 && prefix % 37 != 0) {
            continue; /* a bound on the time, not on the law */
        }
        key.b[0] = (uint8_t)(prefix * 7);
        char text[TL_SS58_CAP];
        const size_t len = tl_ss58_encode(text, &key, prefix);
        assert_true(len == strlen(text) && len >= 46 && len <= TL_SS58_TEXT_MAX);
        tl_hotkey back;
        uint16_t seen;
        const bool is_registered = tl_ss58_prefix_is_registered(prefix);
        assert_int_equal(tl_ss58_decode_any(&back, &seen, (tl_str){text, len}, NULL),
                         is_registered ? TL_OK : TL_ERR_RANGE);
        assert_true(!is_registered || (tl_hotkey_eq(&key, &back) && seen == prefix));
        if (len == TL_SS58_HOTKEY_LEN) { /* a submission's prefix need not be registered */
            assert_int_equal(tl_ss58_decode(&back, (tl_str){text, len}, NULL), TL_OK);
            assert_true(tl_hotkey_eq(&key, &back));
        }
    }
    assert_int_equal(valid, 16384 - 2);
}

static void the_registry_is_the_wallets(void **state)
{
    (void)state;
    size_t count = 0, below_64 = 0;
    for (unsigned p = 0; p <= UINT16_MAX; p++) {
        if (tl_ss58_prefix_is_registered((uint16_t)p)) {
            assert_true(tl_ss58_prefix_is_valid((uint16_t)p));
            count++;
            below_64 += p < 64;
        }
    }
    assert_int_equal(count, 146);
    assert_int_equal(below_64, 64 - 6);
    static const uint16_t outside[] = {46, 47,  59,   60,    61,    62,    64,
                                       70, 254, 1000, 13115, 13117, 16383, 65535};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        assert_false(tl_ss58_prefix_is_registered(outside[i]));
    }
    assert_true(tl_ss58_prefix_is_registered(0) && tl_ss58_prefix_is_registered(13116));
    assert_true(tl_ss58_prefix_is_registered(14998));
}

/* golden/ss58.json: encoding takes every row; decoding those of a registered format. */
static void published_addresses_have_the_published_verdicts(void **state)
{
    (void)state;
    golden g = golden_open("key/test/golden/ss58.json");
    const tl_json *rows = golden_rows(&g, "ss58");
    tl_hotkey key, seen;
    uint16_t prefix;
    for (size_t i = 0; i < rows->count; i++) {
        const tl_str address = golden_str(&rows->items[i], "address");
        const uint16_t format = (uint16_t)golden_i64(&rows->items[i], "format");
        char text[TL_SS58_CAP];
        memcpy(key.b, golden_bytes(&g, &rows->items[i], "public", 32), 32);
        (void)tl_ss58_encode(text, &key, format);
        assert_true(tl_str_eq_cstr(address, text));
        assert_int_equal(tl_ss58_decode_any(&seen, &prefix, address, NULL),
                         format == 64 || format == 16383 ? TL_ERR_RANGE : TL_OK);
    }
    rows = golden_rows(&g, "ss58_valid");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_str address = golden_str(&rows->items[i], "address");
        assert_int_equal(tl_ss58_decode_any(&seen, &prefix, address, NULL), TL_OK);
        assert_memory_equal(seen.b, golden_bytes(&g, &rows->items[i], "public", 32), 32);
    }
    rows = golden_rows(&g, "ss58_invalid");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_str address = golden_str(&rows->items[i], "address");
        assert_int_not_equal(tl_ss58_decode_any(&seen, &prefix, address, NULL), TL_OK);
        assert_int_not_equal(tl_ss58_decode(&seen, address, NULL), TL_OK);
    }
    golden_close(&g);
}

static void every_wrong_character_is_noticed(void **state)
{
    (void)
        state; /* KEY-2; two bytes of checksum: one in 65,536 of all errors passes, none of these */
    const char *alice = KNOWN[0].address;
    for (size_t at = 0; at < TL_SS58_HOTKEY_LEN; at++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[TL_SS58_HOTKEY_LEN];
            memcpy(text, alice, sizeof text);
            if (text[at] == (char)c) {
                continue;
            }
            text[at] = (char)c;
            tl_hotkey key = {{7}};
            tl_errctx ctx = TL_ERRCTX_INIT;
            const tl_err err = tl_ss58_decode(&key, (tl_str){text, sizeof text}, &ctx);
            assert_true(err == TL_ERR_SYNTAX || err == TL_ERR_CORRUPT || err == TL_ERR_RANGE);
            assert_true(err == ctx.code && ctx.message[0] != '\0' && key.b[0] == 7);
        }
    }
}

static void each_fault_has_its_own_message(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
        const char *says;
    } faults[] = {
        {"", TL_ERR_SYNTAX, "0 characters"},
        {"blabla", TL_ERR_SYNTAX, "6 characters"},
        {"InvalidAddress", TL_ERR_SYNTAX, "14 characters"},
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ", TL_ERR_SYNTAX, "47 characters"},
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQYY", TL_ERR_SYNTAX, "49 characters"},
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKut0Y", TL_ERR_SYNTAX, "character 47"},
        {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY ", TL_ERR_SYNTAX, "49 characters"},
        {"5F3sa2TJAWMqDhXG6jhV4N8ko9rLbc4B52kmxXJoN5D3ue8w", TL_ERR_CORRUPT, "checksum"},
        {"111111111111111111111111111111111111111111111111", TL_ERR_SYNTAX, "48 bytes, not 35"},
        {"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", TL_ERR_SYNTAX, "bytes, not"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        tl_hotkey key;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_ss58_decode(&key, tl_str_from_cstr(faults[i].text), &ctx),
                         faults[i].err);
        assert_non_null(strstr(ctx.message, faults[i].says));
    }
}

static void addresses_of_any_prefix_have_their_own_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
        const char *says;
    } faults[] = {
        {"", TL_ERR_SYNTAX, "0 characters"},
        {"1", TL_ERR_SYNTAX, "1 bytes"},
        {"zz", TL_ERR_SYNTAX, "holds 2 bytes, not 35"},
        {"LUv", TL_ERR_RANGE, "begins with byte"},
        {"yNaVHbkXWJG2jTukPtMEiNFxSExTmf77rZa2Qi9Qtxew9ycLxxx", TL_ERR_SYNTAX, "51 characters"},
        {"yNaVHbkXWJG2jTukPtMEiNFxSExTmf77rZa2Qi9Qtxew9ycLy", TL_ERR_CORRUPT, "checksum"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        tl_hotkey key = {{7}};
        uint16_t prefix = 7;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err =
            tl_ss58_decode_any(&key, &prefix, tl_str_from_cstr(faults[i].text), &ctx);
        if (err != faults[i].err || strstr(ctx.message, faults[i].says) == NULL) {
            fail_msg("%s: %s %s", faults[i].text, tl_err_name(err), ctx.message);
        }
        assert_true(key.b[0] == 7 && prefix == 7);
    }
}

/* The address of a payload as it is, with a true checksum: what an attacker can make. */
static tl_str forge(char out[TL_BASE58_CAP], const uint8_t *payload, size_t len)
{
    uint8_t bytes[TL_BASE58_BYTES_MAX];
    uint8_t digest[64];
    tl_blake2b_state s;
    memcpy(bytes, payload, len);
    tl_blake2b_init(&s, sizeof digest);
    tl_blake2b_update(&s, "SS58PRE", 7);
    tl_blake2b_update(&s, payload, len);
    tl_blake2b_final(&s, digest);
    memcpy(bytes + len, digest, 2);
    const size_t text_len = tl_base58_encode_var(out, bytes, len + 2);
    return (tl_str){out, text_len};
}

static void forged_forms_are_refused(void **state)
{
    (void)state; /* true checksums, wrong forms */
    uint8_t payload[34] = {0};
    char text[TL_BASE58_CAP];
    tl_hotkey key;
    uint16_t prefix;
    memset(payload + 2, 0x5A, 32);
    payload[0] = 46; /* reserved, one byte */
    payload[1] = 0x5A;
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 33), NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_ss58_decode(&key, forge(text, payload, 33), NULL), TL_ERR_RANGE);
    payload[0] = 47;
    assert_int_equal(tl_ss58_decode(&key, forge(text, payload, 33), NULL), TL_ERR_RANGE);
    payload[0] = 45;
    assert_int_equal(tl_ss58_decode(&key, forge(text, payload, 33), NULL), TL_OK);
    payload[0] = 128; /* no prefix at all */
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 33), NULL),
                     TL_ERR_RANGE);
    payload[0] = 0x40 | 42 >> 2; /* 42 in two bytes: a second spelling of one address */
    payload[1] = (42 & 3) << 6;
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 34), NULL),
                     TL_ERR_CANONICAL);
    payload[0] = 0x40 | 46 >> 2;
    payload[1] = (46 & 3) << 6;
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 34), NULL),
                     TL_ERR_RANGE);
    payload[0] = 0x40 | 64 >> 2; /* 64 in two bytes, as it must be, but nobody's */
    payload[1] = 0;
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 34), NULL),
                     TL_ERR_RANGE);
    payload[1] = (65 & 3) << 6; /* 65, registered */
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 34), NULL), TL_OK);
    assert_int_equal(prefix, 65);
    payload[0] = 42; /* a key of 31 and of 33 bytes */
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 32), NULL),
                     TL_ERR_SYNTAX);
    assert_int_equal(tl_ss58_decode_any(&key, &prefix, forge(text, payload, 34), NULL),
                     TL_ERR_SYNTAX);
}

static void order_is_that_of_the_bytes_and_not_of_the_text(void **state)
{
    (void)state; /* KEY-3 */
    tl_hotkey low = {{0x7F}};
    tl_hotkey high = {{0x80}};
    assert_true(tl_hotkey_cmp(&low, &high) < 0 && tl_hotkey_cmp(&high, &low) > 0);
    low.b[0] = 0x80;
    assert_true(tl_hotkey_eq(&low, &high) && tl_hotkey_cmp(&low, &high) == 0);
    high.b[31] = 1;
    assert_true(tl_hotkey_cmp(&low, &high) < 0 && !tl_hotkey_eq(&low, &high));
}

static void one_key_has_one_spelling_a_prefix(void **state)
{
    (void)state;
    const tl_hotkey alice = key_of(KNOWN[0].hex);
    char text[TL_SS58_CAP];
    tl_hotkey back;
    const size_t len = tl_ss58_encode(text, &alice, 2);
    assert_true(strcmp(text, KNOWN[0].address) != 0);
    assert_true(len == 47 || len == 48);
    if (len == TL_SS58_HOTKEY_LEN) {
        assert_int_equal(tl_ss58_decode(&back, (tl_str){text, len}, NULL), TL_OK);
        assert_true(tl_hotkey_eq(&back, &alice));
    }
    tl_arena *a = NULL;
    tl_sb sb;
    tl_str printed;
    assert_int_equal(tl_arena_new(&a, NULL, 0, NULL, NULL), TL_OK);
    tl_sb_init(&sb, a);
    tl_hotkey_print(&sb, &alice);
    assert_int_equal(tl_sb_finish(&printed, &sb, NULL), TL_OK);
    assert_string_equal(printed.ptr, KNOWN[0].address);
    tl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_addresses_come_out),
        cmocka_unit_test(every_prefix_survives_but_the_reserved_two),
        cmocka_unit_test(the_registry_is_the_wallets),
        cmocka_unit_test(published_addresses_have_the_published_verdicts),
        cmocka_unit_test(every_wrong_character_is_noticed),
        cmocka_unit_test(each_fault_has_its_own_message),
        cmocka_unit_test(addresses_of_any_prefix_have_their_own_faults),
        cmocka_unit_test(forged_forms_are_refused),
        cmocka_unit_test(order_is_that_of_the_bytes_and_not_of_the_text),
        cmocka_unit_test(one_key_has_one_spelling_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
