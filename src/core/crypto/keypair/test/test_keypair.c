/* Attacks key pairs: every URI of the vectors, forms of URIs that are none, junctions at the border of number and text,
 * bad phrases, private keys of wrong length, pairs that cannot sign, and what each way of making a pair keeps. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "base/world/world.h"
#include "core/crypto/keypair/keypair.h"

#define DEVELOPMENT "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

static const tl_str NONE = {NULL, 0};

static void assert_named(const tl_keypair *pair, const uint8_t *public_key, tl_str address)
{
    char text[TL_SS58_CAP];
    assert_memory_equal(tl_keypair_public(pair)->b, public_key, 32);
    (void)tl_ss58_encode(text, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    assert_true(tl_str_eq_cstr(address, text));
}

static void secret_uris_lead_to_the_published_keys(void **state)
{
    (void)state;
    golden g = golden_open("keypair/test/golden/keypair.json");
    const tl_json *rows = golden_rows(&g, "uri");
    assert_true(rows->count >= 24);
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        tl_keypair *pair = NULL;
        tl_str text;
        tl_bytes bytes;
        assert_int_equal(
            tl_keypair_from_uri(&pair, tl_scheme_sr25519(), golden_str(row, "uri"), NULL), TL_OK);
        assert_named(pair, golden_bytes(&g, row, "public", 32), golden_str(row, "ss58_42"));
        assert_false(tl_keypair_borrow_phrase(&text, pair));
        assert_false(tl_keypair_borrow_seed(&bytes, pair));
        assert_true(tl_keypair_borrow_private(&bytes, pair));
        assert_int_equal(bytes.len, 64);
        tl_keypair_free(pair);
    }
    golden_close(&g);
}

static void ed25519_pairs_are_the_published_ones(void **state)
{
    (void)state;
    golden g = golden_open("ed25519/test/golden/ed25519.json");
    const tl_json *rows = golden_rows(&g, "ed25519_keys");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        tl_keypair *pair = NULL;
        uint8_t signature[64];
        size_t len = 0;
        tl_bytes bytes;
        if (golden_has(row, "uri")) {
            assert_int_equal(
                tl_keypair_from_uri(&pair, tl_scheme_ed25519(), golden_str(row, "uri"), NULL),
                TL_OK);
        } else {
            assert_int_equal(tl_keypair_from_seed(&pair, tl_scheme_ed25519(),
                                                  golden_bytes(&g, row, "seed", 32), NULL),
                             TL_OK);
        }
        assert_named(pair, golden_bytes(&g, row, "public", 32), golden_str(row, "ss58_42"));
        assert_true(tl_keypair_borrow_private(&bytes, pair));
        assert_int_equal(bytes.len, 32);
        assert_memory_equal(bytes.ptr, golden_bytes(&g, row, "privateKey", 32), 32);
        assert_int_equal(tl_keypair_sign(signature, sizeof signature, &len, pair,
                                         tl_str_bytes(golden_str(row, "message")), NULL, NULL),
                         TL_OK);
        assert_int_equal(len, 64);
        assert_memory_equal(signature, golden_bytes(&g, row, "signature", 64), 64);
        tl_keypair_free(pair);
    }
    golden_close(&g);
}

static void junctions_become_the_published_chain_codes(void **state)
{
    (void)state;
    golden g = golden_open("keypair/test/golden/keypair.json");
    const tl_json *rows = golden_rows(&g, "junction_chain_code");
    for (size_t i = 0; i < rows->count; i++) {
        uint8_t code[32];
        assert_int_equal(
            tl_junction_chain_code(code, golden_str(&rows->items[i], "junction"), NULL), TL_OK);
        assert_memory_equal(code, golden_bytes(&g, &rows->items[i], "chain_code", 32), 32);
    }
    golden_close(&g);
}

static bool is_same_code(const char *a, const char *b)
{
    uint8_t x[32], y[32];
    assert_int_equal(tl_junction_chain_code(x, tl_str_from_cstr(a), NULL), TL_OK);
    assert_int_equal(tl_junction_chain_code(y, tl_str_from_cstr(b), NULL), TL_OK);
    return memcmp(x, y, 32) == 0;
}

static void numbers_and_texts_are_told_apart_at_the_border(void **state)
{
    (void)state;
    uint8_t code[32];
    assert_true(is_same_code("1", "+1"));
    assert_true(is_same_code("1", "0000000000000000000000000000000000000000000001"));
    assert_true(is_same_code("18446744073709551615", "+018446744073709551615"));
    assert_int_equal(tl_junction_chain_code(code, TL_STR("18446744073709551616"), NULL), TL_OK);
    assert_int_equal(code[0], 20 << 2); /* text: one too many for 64 bits */
    static const char *const texts[] = {"+", "-1", " 1", "1 ", "0x1", "1_0", "++1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(tl_junction_chain_code(code, tl_str_from_cstr(texts[i]), NULL), TL_OK);
        assert_int_equal(code[0], strlen(texts[i]) << 2);
    }
    /* 31 bytes of text fit beside their length, 32 are hashed; from 64 on the length takes two bytes */
    char text[65];
    memset(text, 'a', sizeof text);
    assert_int_equal(tl_junction_chain_code(code, (tl_str){text, 31}, NULL), TL_OK);
    assert_true(code[0] == 31 << 2 && code[31] == 'a');
    assert_int_equal(tl_junction_chain_code(code, (tl_str){text, 32}, NULL), TL_OK);
    assert_int_not_equal(code[0], 32 << 2);
    uint8_t scale[67] = {(uint8_t)(65 << 2 | 1), 65 >> 6}, want[32] = {0};
    memset(scale + 2, 'a', 65);
    assert_int_equal(crypto_generichash(want, 32, scale, 67, NULL, 0), 0);
    assert_int_equal(tl_junction_chain_code(code, (tl_str){text, 65}, NULL), TL_OK);
    assert_memory_equal(code, want, 32);
    assert_int_equal(tl_junction_chain_code(code, NONE, NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_junction_chain_code(code, TL_STR("a/b"), NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_junction_chain_code(code, TL_STR("\xFF"), NULL), TL_ERR_ENCODING);
    static char long_text[TL_URI_LEN_MAX + 1];
    memset(long_text, 'a', sizeof long_text);
    assert_int_equal(tl_junction_chain_code(code, (tl_str){long_text, TL_URI_LEN_MAX}, NULL),
                     TL_OK);
    assert_int_equal(tl_junction_chain_code(code, (tl_str){long_text, TL_URI_LEN_MAX + 1}, NULL),
                     TL_ERR_LIMIT);
}

static void texts_that_are_no_secret_uri_are_refused_without_repeating_them(void **state)
{
    (void)state; /* PAIR-3 */
    static const struct {
        const char *uri;
        tl_err err;
    } rows[] = {
        {"//", TL_ERR_SYNTAX},
        {"/", TL_ERR_SYNTAX},
        {"//Alice/", TL_ERR_SYNTAX},
        {"//Alice//", TL_ERR_SYNTAX},
        {"Alice-secret//x", TL_ERR_SYNTAX},
        {"\t//Alice", TL_ERR_SYNTAX},
        {"//Alice///pass\nword", TL_ERR_SYNTAX},
        {"0x", TL_ERR_SYNTAX},
        {"0x00", TL_ERR_SYNTAX},
        {"0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479g", TL_ERR_SYNTAX},
        {"0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e00", TL_ERR_SYNTAX},
        {"0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e///pass\nword",
         TL_ERR_SYNTAX},
        {"0Xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e", TL_ERR_RANGE},
        {" ", TL_ERR_RANGE},
        {"secret", TL_ERR_RANGE},
        {"secret words of mine are not on any list at all twelve", TL_ERR_UNKNOWN},
        {"drive bottom obey lake curtain smoke basket hold race lonely fit walk", TL_ERR_CORRUPT},
        {"//\xC3", TL_ERR_ENCODING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tl_keypair *pair = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        for (size_t k = 0; k < tl_scheme_count(); k++) {
            assert_int_equal(
                tl_keypair_from_uri(&pair, tl_scheme_at(k), tl_str_from_cstr(rows[i].uri), &ctx),
                rows[i].err);
            assert_null(pair);
            assert_true(ctx.message[0] != '\0');
            assert_null(strstr(ctx.message, "secret words"));
            assert_null(strstr(ctx.message, "7959db"));
        }
    }
}

/* As the wallets of the field have it: a seed in hex is the mini-secret, with or without a password behind it. */
static void a_password_behind_a_seed_in_hex_changes_nothing(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e//x",
        "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e//x///",
        "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e//x///secret",
    };
    uint8_t first[32];
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        tl_keypair *pair = NULL;
        assert_int_equal(
            tl_keypair_from_uri(&pair, tl_scheme_sr25519(), tl_str_from_cstr(uris[i]), NULL),
            TL_OK);
        if (i == 0) {
            memcpy(first, tl_keypair_public(pair)->b, sizeof first);
        }
        assert_memory_equal(tl_keypair_public(pair)->b, first, sizeof first);
        tl_keypair_free(pair);
    }
}

static void a_uri_has_limits(void **state)
{
    (void)state;
    char uri[TL_URI_LEN_MAX + 2];
    tl_keypair *pair = NULL;
    size_t len = 0;
    for (size_t i = 0; i <= TL_URI_JUNCTIONS_MAX; i++) {
        len += (size_t)snprintf(uri + len, sizeof uri - len, "//%zu", i);
        const tl_err err =
            tl_keypair_from_uri(&pair, tl_scheme_ed25519(), (tl_str){uri, len}, NULL);
        assert_int_equal(err, i < TL_URI_JUNCTIONS_MAX ? TL_OK : TL_ERR_LIMIT);
        if (err == TL_OK) {
            tl_keypair_free(pair);
            pair = NULL;
        }
    }
    memset(uri, 'x', sizeof uri);
    memcpy(uri, "//", 2);
    assert_int_equal(
        tl_keypair_from_uri(&pair, tl_scheme_ed25519(), (tl_str){uri, TL_URI_LEN_MAX + 1}, NULL),
        TL_ERR_LIMIT);
    assert_int_equal(
        tl_keypair_from_uri(&pair, tl_scheme_ed25519(), (tl_str){uri, TL_URI_LEN_MAX}, NULL),
        TL_OK);
    tl_keypair_free(pair);
}

static void ed25519_has_no_soft_junctions(void **state)
{
    (void)state;
    tl_keypair *pair = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_keypair_from_uri(&pair, tl_scheme_ed25519(), TL_STR("//Alice/soft"), &ctx),
                     TL_ERR_TYPE);
    assert_non_null(strstr(ctx.message, "soft"));
    assert_null(pair);
}

static void one_uri_is_one_private_key(void **state)
{
    (void)state;
    tl_keypair *a = NULL, *b = NULL;
    tl_bytes x = {NULL, 0}, y = {NULL, 0};
    assert_int_equal(
        tl_keypair_from_uri(&a, tl_scheme_sr25519(), TL_STR("//Alice/soft/2///pw"), NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&b, tl_scheme_sr25519(),
                                         TL_STR(DEVELOPMENT "//Alice/soft/2///pw"), NULL),
                     TL_OK);
    assert_true(tl_keypair_borrow_private(&x, a) && tl_keypair_borrow_private(&y, b));
    assert_int_equal(tl_bytes_cmp(x, y), 0);
    tl_keypair_free(a);
    tl_keypair_free(b);
}

static void a_phrase_is_kept_in_plain_form_with_its_seed(void **state)
{
    (void)state; /* PAIR-4 */
    golden g = golden_open("keypair/test/golden/keypair.json");
    for (size_t k = 0; k < tl_scheme_count(); k++) {
        tl_keypair *pair = NULL, *same = NULL;
        tl_str phrase;
        tl_bytes seed, key;
        assert_int_equal(
            tl_keypair_from_mnemonic(
                &pair, tl_scheme_at(k),
                TL_STR("  BOTTOM drive obey lake curtain smoke basket hold\nrace lonely fit walk "),
                NONE, NULL),
            TL_OK);
        assert_true(tl_keypair_borrow_phrase(&phrase, pair));
        assert_true(tl_str_eq_cstr(phrase, DEVELOPMENT));
        assert_true(tl_keypair_borrow_seed(&seed, pair));
        const tl_bytes want = golden_unhex(
            &g, TL_STR("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"));
        assert_int_equal(tl_bytes_cmp(seed, want), 0);
        assert_true(tl_keypair_borrow_private(&key, pair));
        assert_int_equal(key.len, tl_scheme_at(k)->private_len);
        assert_int_equal(tl_keypair_from_private(&same, tl_scheme_at(k), key, NULL), TL_OK);
        assert_true(tl_hotkey_eq(tl_keypair_public(same), tl_keypair_public(pair)));
        assert_ptr_equal(tl_keypair_scheme(same), tl_scheme_at(k));
        assert_false(tl_keypair_borrow_phrase(&phrase, same));
        assert_int_equal(tl_keypair_borrow_seed(&seed, same), key.len == 32);
        tl_keypair_free(same);
        tl_keypair_free(pair);
        /* with a password the phrase alone would lead elsewhere: it is not kept, the seed is */
        assert_int_equal(tl_keypair_from_mnemonic(&pair, tl_scheme_at(k), TL_STR(DEVELOPMENT),
                                                  TL_STR("pw"), NULL),
                         TL_OK);
        assert_false(tl_keypair_borrow_phrase(&phrase, pair));
        assert_true(tl_keypair_borrow_seed(&seed, pair));
        assert_int_not_equal(tl_bytes_cmp(seed, want), 0);
        tl_keypair_free(pair);
    }
    golden_close(&g);
}

static void a_private_key_of_wrong_form_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[80] = {8};
    static const uint8_t zeros[64] = {0};
    for (size_t k = 0; k < tl_scheme_count(); k++) {
        for (size_t len = 0; len <= sizeof bytes; len++) {
            tl_keypair *pair = NULL;
            const tl_err err =
                tl_keypair_from_private(&pair, tl_scheme_at(k), (tl_bytes){bytes, len}, NULL);
            const bool fits = len == 32 || len == tl_scheme_at(k)->private_len;
            assert_int_equal(err, fits ? TL_OK : TL_ERR_SYNTAX);
            assert_int_equal(pair != NULL, fits);
            tl_keypair_free(pair);
        }
    }
    tl_keypair *pair = NULL;
    assert_int_equal(
        tl_keypair_from_private(&pair, tl_scheme_sr25519(), (tl_bytes){zeros, 64}, NULL),
        TL_ERR_CANONICAL);
    assert_null(pair);
}

static void what_a_pair_signs_verifies_under_its_key_alone(void **state)
{
    (void)state; /* PAIR-1 */
    tl_seeded_entropy seeded;
    const tl_entropy entropy = tl_seeded_entropy_start(&seeded, 4);
    for (size_t k = 0; k < tl_scheme_count(); k++) {
        const tl_scheme *scheme = tl_scheme_at(k);
        tl_keypair *alice = NULL, *bob = NULL;
        assert_int_equal(tl_keypair_from_uri(&alice, scheme, TL_STR("//Alice"), NULL), TL_OK);
        assert_int_equal(tl_keypair_from_uri(&bob, scheme, TL_STR("//Bob"), NULL), TL_OK);
        const tl_bytes a = {tl_keypair_public(alice)->b, 32}, b = {tl_keypair_public(bob)->b, 32};
        for (size_t round = 0; round < 20; round++) {
            uint8_t message[200], signature[64];
            size_t len = 0;
            assert_int_equal(tl_entropy_fill(&entropy, message, sizeof message, NULL), TL_OK);
            const tl_bytes said = {message, round * 10};
            assert_int_equal(tl_keypair_sign(signature, sizeof signature, &len, alice, said,
                                             round % 2 == 0 ? &entropy : NULL, NULL),
                             TL_OK);
            assert_true(tl_scheme_verify(scheme, a, said, (tl_bytes){signature, len}));
            assert_false(tl_scheme_verify(scheme, b, said, (tl_bytes){signature, len}));
            assert_false(tl_scheme_verify(scheme, a, (tl_bytes){message, said.len + 1},
                                          (tl_bytes){signature, len}));
        }
        tl_keypair_free(alice);
        tl_keypair_free(bob);
    }
}

static tl_err no_entropy(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    (void)out;
    (void)len;
    return tl_fail(ctx, TL_ERR_IO, "no entropy");
}

static void a_pair_that_cannot_sign_says_so(void **state)
{
    (void)state;
    tl_keypair *pair = NULL, *public_only = NULL;
    tl_bytes bytes;
    uint8_t signature[64] = {1}, untouched[64] = {1};
    size_t len = 5;
    const tl_bytes message = {(const uint8_t *)"m", 1};
    const tl_entropy broken = {NULL, no_entropy};
    assert_int_equal(tl_keypair_from_uri(&pair, tl_scheme_sr25519(), TL_STR("//Alice"), NULL),
                     TL_OK);
    assert_int_equal(
        tl_keypair_from_public(&public_only, tl_scheme_sr25519(), tl_keypair_public(pair), NULL),
        TL_OK);
    assert_true(tl_keypair_can_sign(pair));
    assert_false(tl_keypair_can_sign(public_only));
    assert_false(tl_keypair_borrow_private(&bytes, public_only));
    assert_true(tl_hotkey_eq(tl_keypair_public(pair), tl_keypair_public(public_only)));
    assert_int_equal(tl_keypair_sign(signature, 64, &len, public_only, message, NULL, NULL),
                     TL_ERR_STATE);
    assert_int_equal(tl_keypair_sign(signature, 63, &len, pair, message, NULL, NULL), TL_ERR_LIMIT);
    assert_int_equal(tl_keypair_sign(signature, 64, &len, pair, message, &broken, NULL), TL_ERR_IO);
    assert_int_equal(len, 5);
    assert_memory_equal(signature, untouched, 64);
    tl_keypair_free(pair);
    tl_keypair_free(public_only);
    tl_keypair_free(NULL);
}

static void hex_of_secrets_goes_both_ways(void **state)
{
    (void)state;
    uint8_t all[256], back[256];
    char text[513];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    tl_secret_hex(text, all, sizeof all);
    char want[513];
    tl_hex_write(want, all, sizeof all);
    assert_string_equal(text, want);
    assert_int_equal(tl_secret_unhex(back, sizeof back, tl_str_from_cstr(text), NULL), TL_OK);
    assert_memory_equal(back, all, sizeof all);
    for (unsigned c = 0; c < 256; c++) { /* every byte as a digit, as the plain decoder judges it */
        const char pair[2] = {(char)c, '7'};
        uint8_t x = 0xA5, y = 0xA5;
        const tl_err err = tl_secret_unhex(&x, 1, (tl_str){pair, 2}, NULL);
        assert_int_equal(err, tl_hex_decode(&y, 1, (tl_str){pair, 2}, NULL));
        assert_int_equal(x, err == TL_OK ? y : 0);
    }
    assert_int_equal(tl_secret_unhex(back, 1, TL_STR("0xAb"), NULL), TL_OK);
    assert_int_equal(back[0], 0xAB);
    assert_int_equal(tl_secret_unhex(back, 1, TL_STR("0x"), NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_secret_unhex(back, 1, TL_STR("0xabc"), NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_secret_unhex(back, 1, TL_STR("abcd"), NULL), TL_ERR_SYNTAX);
    assert_int_equal(tl_secret_unhex(back, 0, TL_STR(""), NULL), TL_OK);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_uris_lead_to_the_published_keys),
        cmocka_unit_test(ed25519_pairs_are_the_published_ones),
        cmocka_unit_test(junctions_become_the_published_chain_codes),
        cmocka_unit_test(numbers_and_texts_are_told_apart_at_the_border),
        cmocka_unit_test(texts_that_are_no_secret_uri_are_refused_without_repeating_them),
        cmocka_unit_test(a_password_behind_a_seed_in_hex_changes_nothing),
        cmocka_unit_test(a_uri_has_limits),
        cmocka_unit_test(ed25519_has_no_soft_junctions),
        cmocka_unit_test(one_uri_is_one_private_key),
        cmocka_unit_test(a_phrase_is_kept_in_plain_form_with_its_seed),
        cmocka_unit_test(a_private_key_of_wrong_form_is_refused),
        cmocka_unit_test(what_a_pair_signs_verifies_under_its_key_alone),
        cmocka_unit_test(a_pair_that_cannot_sign_says_so),
        cmocka_unit_test(hex_of_secrets_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
