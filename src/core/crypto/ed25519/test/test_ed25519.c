/* Attacks ed25519: keys, signatures and verdicts of the vectors, every point of small order in every spelling as key
 * and as R, scalars at and above the order, single changed bits, RFC 8032's own figures. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "base/world/world.h"
#include "core/crypto/ed25519/ed25519.h"

static void keys_and_signatures_are_the_published_ones(void **state)
{
    (void)state;
    golden g = golden_open("ed25519/test/golden/ed25519.json");
    const tl_json *rows = golden_rows(&g, "ed25519_keys");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const uint8_t *seed = golden_bytes(&g, row, "privateKey", 32);
        const tl_bytes message = tl_str_bytes(golden_str(row, "message"));
        uint8_t public_key[32], signature[64];
        tl_ed25519_public(public_key, seed);
        assert_memory_equal(public_key, golden_bytes(&g, row, "public", 32), 32);
        tl_ed25519_sign(signature, seed, public_key, message);
        assert_memory_equal(signature, golden_bytes(&g, row, "signature", 64), 64);
        assert_true(tl_ed25519_verify(public_key, message, (tl_bytes){signature, 64}));
        assert_true(tl_ed25519_key_is_strong(public_key));
    }
    golden_close(&g);
}

static void verdicts_are_tallys(void **state)
{
    (void)state; /* ED-1; the row over <Bytes> is keypair's, whose function wraps */
    golden g = golden_open("ed25519/test/golden/ed25519.json");
    const tl_json *rows = golden_rows(&g, "ed25519_verify");
    size_t weak = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const bool is_wrapped = tl_str_starts_with(golden_str(row, "note"), TL_STR("over <Bytes>"));
        const bool want = golden_bool(row, "tally") && !is_wrapped;
        weak += golden_bool(row, "sdk") && !golden_bool(row, "tally");
        assert_int_equal(tl_ed25519_verify(golden_bytes(&g, row, "public", 32),
                                           tl_str_bytes(golden_str(row, "message")),
                                           golden_hex(&g, row, "signature")),
                         want);
    }
    assert_true(weak >= 3);
    golden_close(&g);
}

/* All encodings whose point has an order that divides 8: five y, each with either sign bit, and y + p where that still
 * fits 255 bits. */
static size_t small_points(uint8_t out[32][32])
{
    static const char *const ys[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 0 + p */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1 + p */
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof ys / sizeof *ys; i++) {
        for (unsigned sign = 0; sign < 2; sign++, n++) {
            assert_int_equal(tl_hex_decode(out[n], 32, tl_str_from_cstr(ys[i]), NULL), TL_OK);
            out[n][31] = (uint8_t)(out[n][31] | sign << 7);
        }
    }
    return n;
}

static void no_point_of_small_order_is_a_key_or_an_r(void **state)
{
    (void)state; /* ED-1 */
    uint8_t points[32][32], seed[32] = {9}, honest[32], signature[64];
    const tl_bytes message = {(const uint8_t *)"pay me", 6};
    const size_t n = small_points(points);
    tl_ed25519_public(honest, seed);
    for (size_t i = 0; i < n; i++) {
        assert_false(tl_ed25519_key_is_strong(points[i]));
        for (size_t k = 0; k < n; k++) { /* with s = 0 the equation holds for R = -k A */
            memset(signature, 0, sizeof signature);
            memcpy(signature, points[k], 32);
            assert_false(tl_ed25519_verify(points[i], message, (tl_bytes){signature, 64}));
        }
        tl_ed25519_sign(signature, seed, honest, message);
        memcpy(signature, points[i], 32);
        assert_false(tl_ed25519_verify(honest, message, (tl_bytes){signature, 64}));
    }
}

static void an_encoding_above_the_prime_or_off_the_curve_is_no_key(void **state)
{
    (void)state;
    uint8_t key[32];
    memset(key, 0xFF, sizeof key);
    for (unsigned low = 0xED; low <= 0xFF; low++) { /* p to p + 18: second spellings */
        key[0] = (uint8_t)low;
        key[31] = 0x7F;
        assert_false(tl_ed25519_key_is_strong(key));
        key[31] = 0xFF;
        assert_false(tl_ed25519_key_is_strong(key));
    }
    static const uint8_t two[32] = {2}; /* y = 2: no x */
    assert_false(tl_ed25519_key_is_strong(two));
    static const uint8_t three[32] = {3};
    assert_true(tl_ed25519_key_is_strong(three)); /* y = 3 is on the curve, of large order */
}

static void a_second_scalar_and_other_lengths_do_not_verify(void **state)
{
    (void)state; /* ED-1 */
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    uint8_t seed[32] = {3}, key[32], signature[96] = {0};
    const tl_bytes message = {(const uint8_t *)"x", 1};
    tl_ed25519_public(key, seed);
    tl_ed25519_sign(signature, seed, key, message);
    for (size_t len = 0; len <= sizeof signature; len++) {
        assert_int_equal(tl_ed25519_verify(key, message, (tl_bytes){signature, len}), len == 64);
    }
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(tl_ed25519_verify(key, message, (tl_bytes){signature, 64}));
}

static void any_changed_bit_is_seen(void **state)
{
    (void)state;
    uint8_t seed[32] = {5}, key[32], signature[64], bytes[3] = {1, 2, 3};
    const tl_bytes message = {bytes, 3}, whole = {signature, 64};
    tl_ed25519_public(key, seed);
    tl_ed25519_sign(signature, seed, key, message);
    for (size_t bit = 0; bit < 8 * 64; bit++) {
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1U << bit % 8);
        assert_false(tl_ed25519_verify(key, message, whole));
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1U << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * 32; bit++) {
        key[bit / 8] = (uint8_t)(key[bit / 8] ^ 1U << bit % 8);
        assert_false(tl_ed25519_verify(key, message, whole));
        key[bit / 8] = (uint8_t)(key[bit / 8] ^ 1U << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * 3; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);
        assert_false(tl_ed25519_verify(key, message, whole));
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);
    }
    assert_true(tl_ed25519_verify(key, message, whole));
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static void the_standards_figures_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *key, *message, *signature;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
    };
    golden g = golden_open("ed25519/test/golden/ed25519.json"); /* its arena, for the hex */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[32], signature[64];
        const tl_bytes seed = golden_unhex(&g, tl_str_from_cstr(rows[i].seed));
        const tl_bytes message = golden_unhex(&g, tl_str_from_cstr(rows[i].message));
        tl_ed25519_public(key, seed.ptr);
        assert_memory_equal(key, golden_unhex(&g, tl_str_from_cstr(rows[i].key)).ptr, 32);
        tl_ed25519_sign(signature, seed.ptr, key, message);
        assert_memory_equal(signature, golden_unhex(&g, tl_str_from_cstr(rows[i].signature)).ptr,
                            64);
    }
    golden_close(&g);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_signatures_are_the_published_ones),
        cmocka_unit_test(verdicts_are_tallys),
        cmocka_unit_test(no_point_of_small_order_is_a_key_or_an_r),
        cmocka_unit_test(an_encoding_above_the_prime_or_off_the_curve_is_no_key),
        cmocka_unit_test(a_second_scalar_and_other_lengths_do_not_verify),
        cmocka_unit_test(any_changed_bit_is_seen),
        cmocka_unit_test(the_standards_figures_come_out),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
