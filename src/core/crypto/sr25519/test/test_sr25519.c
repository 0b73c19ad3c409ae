/* Attacks keys and signatures: the published walk through a signature, state by state; every derivation of the vectors;
 * private keys just outside the scalars; weak parents; and the laws that tie secret and public derivation. Verdicts are
 * taken twice: from our verifier and from one written on libsodium's group. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "base/world/world.h"
#include "core/crypto/sr25519/sr25519.h"
#include "core/crypto/sr25519/test/reference.h"
#include "core/crypto/strobe/strobe.h"

static const uint8_t ZEROS[32] = {0};

static golden open_golden(void)
{
    return golden_open("sr25519/test/golden/sr25519.json");
}

static void assert_step(const golden *g, const tl_json *step, const tl_merlin *t)
{
    assert_memory_equal(t->strobe.state, golden_bytes(g, step, "state", 200), 200);
    assert_int_equal(t->strobe.pos, golden_i64(step, "pos"));
    assert_int_equal(t->strobe.pos_begin, golden_i64(step, "pos_begin"));
    assert_int_equal(t->strobe.cur_flags, golden_i64(step, "cur_flags"));
}

static void a_signature_walks_through_the_published_states(void **state)
{
    (void)state;
    golden g = open_golden();
    const tl_json *walk = tl_json_get(g.root, "sr25519_sign_walk");
    assert_non_null(walk);
    const tl_json *steps = tl_json_get(walk, "steps");
    assert_int_equal(steps->count, 5);
    const tl_str message = golden_str(walk, "message");
    const uint8_t *want = golden_bytes(&g, walk, "signature", 64);
    const uint8_t *public_key = golden_bytes(&g, walk, "public", 32);

    tl_merlin t;
    uint8_t challenge[64];
    tl_merlin_signing_start(&t);
    tl_merlin_append(&t, TL_STR("sign-bytes"), message.ptr, message.len);
    assert_step(&g, &steps->items[0], &t);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    assert_step(&g, &steps->items[1], &t);
    tl_merlin_append(&t, TL_STR("sign:pk"), public_key, 32);
    assert_step(&g, &steps->items[2], &t);
    tl_merlin_append(&t, TL_STR("sign:R"), want, 32);
    assert_step(&g, &steps->items[3], &t);
    tl_merlin_challenge(&t, TL_STR("sign:c"), challenge, sizeof challenge);
    assert_step(&g, &steps->items[4], &t);

    tl_sr25519_key key;
    tl_sr25519_expand(&key, golden_bytes(&g, walk, "mini_secret", 32));
    assert_memory_equal(key.public_key, public_key, 32);
    assert_memory_equal(key.secret + 32, golden_bytes(&g, walk, "nonce_seed", 32), 32);
    uint8_t got[64];
    tl_sr25519_sign(got, &key, tl_str_bytes(message), golden_bytes(&g, walk, "rng_32_bytes", 32));
    assert_memory_equal(got, want, 64);
    golden_close(&g);
}

static void seeds_expand_to_the_published_keys(void **state)
{
    (void)state; /* SR-1 */
    golden g = open_golden();
    const tl_json *rows = golden_rows(&g, "expand_ed25519");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        tl_sr25519_key key, same;
        tl_sr25519_expand(&key, golden_bytes(&g, row, "mini_secret", 32));
        assert_memory_equal(key.secret, golden_bytes(&g, row, "secret64_canonical", 64), 64);
        assert_memory_equal(key.public_key, golden_bytes(&g, row, "public", 32), 32);
        assert_int_equal(tl_sr25519_import(&same, key.secret, NULL), TL_OK);
        assert_memory_equal(&same, &key, sizeof key);
        const uint8_t *times_8 = golden_bytes(&g, row, "secret64_ed25519_form_x8", 64);
        assert_memory_not_equal(times_8, key.secret, 32);
        assert_int_equal(tl_sr25519_import(&same, times_8, NULL), TL_ERR_CANONICAL);
    }
    golden_close(&g);
}

static void junctions_lead_to_the_published_keys(void **state)
{
    (void)state; /* SR-3 */
    golden g = open_golden();
    const tl_json *rows = golden_rows(&g, "hdkd");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const tl_str kind = golden_str(row, "kind");
        const uint8_t *code = golden_bytes(&g, row, "chain_code", 32);
        const uint8_t *want = golden_bytes(&g, row, "public", 32);
        uint8_t child[32];
        if (tl_str_eq_cstr(kind, "soft-public")) {
            assert_int_equal(tl_sr25519_derive_soft_public(
                                 child, golden_bytes(&g, row, "parent_public", 32), code, NULL),
                             TL_OK);
            assert_memory_equal(child, want, 32);
            continue;
        }
        tl_sr25519_key key;
        tl_sr25519_expand(&key, golden_bytes(&g, row, "mini_secret", 32));
        if (tl_str_eq_cstr(kind, "hard")) {
            tl_sr25519_derive_hard(child, &key, code);
            assert_memory_equal(child, golden_bytes(&g, row, "derived_mini_secret", 32), 32);
            tl_sr25519_expand(&key, child);
        } else {
            const uint8_t *entropy = golden_bytes(&g, row, "rng_32_bytes", 32);
            assert_int_equal(tl_sr25519_derive_soft(&key, &key, code, entropy, NULL), TL_OK);
        }
        assert_memory_equal(key.public_key, want, 32);
        assert_memory_equal(key.secret, golden_bytes(&g, row, "secret64_canonical", 64), 64);
    }
    golden_close(&g);
}

static void two_verifiers_agree_on_the_published_verdicts(void **state)
{
    (void)state;
    golden g = open_golden();
    const tl_json *rows = golden_rows(&g, "sr25519_verify");
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const bool want = golden_bool(row, "valid");
        const uint8_t *key = golden_bytes(&g, row, "public", 32);
        const tl_bytes message = tl_str_bytes(golden_str(row, "message"));
        const tl_bytes signature = golden_hex(&g, row, "signature");
        assert_int_equal(tl_sr25519_verify(key, message, signature), want);
        assert_int_equal(reference_sr25519_verify(key, message, signature), want);
    }
    golden_close(&g);
}

#define ROUNDS 64

static void what_was_signed_verifies_and_nothing_else_does(void **state)
{
    (void)state;
    tl_seeded_entropy seeded;
    const tl_entropy entropy = tl_seeded_entropy_start(&seeded, 20);
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t seed[32], random[32], bytes[512], signature[64], flip[2];
        assert_int_equal(tl_entropy_fill(&entropy, seed, 32, NULL), TL_OK);
        assert_int_equal(tl_entropy_fill(&entropy, random, 32, NULL), TL_OK);
        assert_int_equal(tl_entropy_fill(&entropy, bytes, sizeof bytes, NULL), TL_OK);
        assert_int_equal(tl_entropy_fill(&entropy, flip, 2, NULL), TL_OK);
        const size_t len = round < 8 ? round : (size_t)round * 8;
        tl_sr25519_key key;
        tl_sr25519_expand(&key, seed);
        const tl_bytes message = {bytes, len};
        tl_sr25519_sign(signature, &key, message, round % 2 == 0 ? random : ZEROS);
        const tl_bytes signed_as = {signature, 64};
        assert_true((signature[63] & 0x80) != 0);
        assert_true(reference_sr25519_verify(key.public_key, message, signed_as));
        assert_true(tl_sr25519_verify(key.public_key, message, signed_as));
        const size_t at = flip[0] % 64;
        signature[at] = (uint8_t)(signature[at] ^ 1U << flip[1] % 8);
        assert_false(reference_sr25519_verify(key.public_key, message, signed_as));
        assert_false(tl_sr25519_verify(key.public_key, message, signed_as));
    }
}

static void entropy_changes_the_signature_and_only_that(void **state)
{
    (void)state;
    static const uint8_t other[32] = {1};
    tl_sr25519_key key;
    tl_sr25519_expand(&key, ZEROS);
    const tl_bytes message = {(const uint8_t *)"m", 1};
    uint8_t a[64], b[64], c[64];
    tl_sr25519_sign(a, &key, message, ZEROS);
    tl_sr25519_sign(b, &key, message, other);
    tl_sr25519_sign(c, &key, message, ZEROS);
    assert_memory_equal(a, c, 64);
    assert_memory_not_equal(a, b, 32);
    assert_true(tl_sr25519_verify(key.public_key, message, (tl_bytes){b, 64}));
}

static void secret_and_public_soft_derivation_meet(void **state)
{
    (void)state; /* SR-3 */
    tl_seeded_entropy seeded;
    const tl_entropy entropy = tl_seeded_entropy_start(&seeded, 21);
    for (size_t round = 0; round < ROUNDS; round++) {
        uint8_t seed[32], code[32], child[32], random[32];
        assert_int_equal(tl_entropy_fill(&entropy, seed, 32, NULL), TL_OK);
        assert_int_equal(tl_entropy_fill(&entropy, code, 32, NULL), TL_OK);
        assert_int_equal(tl_entropy_fill(&entropy, random, 32, NULL), TL_OK);
        tl_sr25519_key key, soft, same_key;
        tl_sr25519_expand(&key, seed);
        assert_int_equal(tl_sr25519_derive_soft(&soft, &key, code, random, NULL), TL_OK);
        assert_int_equal(tl_sr25519_derive_soft_public(child, key.public_key, code, NULL), TL_OK);
        assert_memory_equal(soft.public_key, child, 32);
        assert_int_equal(tl_sr25519_derive_soft(&same_key, &key, code, ZEROS, NULL), TL_OK);
        assert_memory_equal(same_key.secret, soft.secret, 32); /* the scalar is one */
        assert_memory_not_equal(same_key.secret + 32, soft.secret + 32,
                                32); /* the nonce seed is not */
        uint8_t signature[64];
        const tl_bytes message = {code, 32};
        tl_sr25519_sign(signature, &soft, message, random);
        assert_true(tl_sr25519_verify(child, message, (tl_bytes){signature, 64}));
        code[31] ^= 1;
        assert_int_equal(tl_sr25519_derive_soft_public(child, key.public_key, code, NULL), TL_OK);
        assert_memory_not_equal(soft.public_key, child, 32);
    }
}

static void a_scalar_out_of_range_is_no_private_key(void **state)
{
    (void)state; /* SR-1 */
    uint8_t secret[64] = {0};
    tl_sr25519_key key, before;
    memset(&key, 0xA5, sizeof key);
    before = key;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_sr25519_import(&key, secret, &ctx), TL_ERR_CANONICAL); /* zero */
    assert_non_null(strstr(ctx.message, "scalar"));
    memcpy(secret, REFERENCE_ORDER, 32);
    assert_int_equal(tl_sr25519_import(&key, secret, NULL), TL_ERR_CANONICAL); /* the order */
    secret[0]++;
    assert_int_equal(tl_sr25519_import(&key, secret, NULL), TL_ERR_CANONICAL); /* 1, unreduced */
    memset(secret, 0xFF, 32);
    assert_int_equal(tl_sr25519_import(&key, secret, NULL), TL_ERR_CANONICAL);
    assert_memory_equal(&key, &before, sizeof key);
    memcpy(secret, REFERENCE_ORDER, 32);
    secret[0]--;
    assert_int_equal(tl_sr25519_import(&key, secret, NULL), TL_OK); /* the largest */
    memset(secret, 0, 32);
    secret[0] = 1;
    assert_int_equal(tl_sr25519_import(&key, secret, NULL),
                     TL_OK); /* the smallest: the base point */
    assert_true(tl_sr25519_key_is_strong(key.public_key));
}

static void a_weak_or_broken_parent_has_no_children(void **state)
{
    (void)state;
    uint8_t parent[32] = {0}, child[32] = {7};
    assert_false(tl_sr25519_key_is_strong(parent)); /* the identity */
    assert_int_equal(tl_sr25519_derive_soft_public(child, parent, ZEROS, NULL), TL_ERR_RANGE);
    parent[0] = 1; /* odd: a negative, non-canonical element */
    assert_false(tl_sr25519_key_is_strong(parent));
    assert_int_equal(tl_sr25519_derive_soft_public(child, parent, ZEROS, NULL), TL_ERR_RANGE);
    memset(parent, 0xFF, sizeof parent);
    assert_int_equal(tl_sr25519_derive_soft_public(child, parent, ZEROS, NULL), TL_ERR_RANGE);
    assert_int_equal(child[0], 7);
}

/* The parent's public key and the chain code fix t; a parent of scalar -t would lead to zero. No chain code is known
 * for which that happens (it would be a preimage), so the child of zero is tested on the verdict of libsodium. */
static void libsodium_says_so_when_a_product_is_the_identity(void **state)
{
    (void)state;
    uint8_t point[32] = {0};
    assert_int_equal(crypto_scalarmult_ristretto255_base(point, ZEROS), -1);
    assert_memory_equal(point, ZEROS, 32);
    assert_int_equal(crypto_core_ristretto255_add(point, ZEROS, ZEROS), 0);
    assert_memory_equal(point, ZEROS, 32);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_walks_through_the_published_states),
        cmocka_unit_test(seeds_expand_to_the_published_keys),
        cmocka_unit_test(junctions_lead_to_the_published_keys),
        cmocka_unit_test(two_verifiers_agree_on_the_published_verdicts),
        cmocka_unit_test(what_was_signed_verifies_and_nothing_else_does),
        cmocka_unit_test(entropy_changes_the_signature_and_only_that),
        cmocka_unit_test(secret_and_public_soft_derivation_meet),
        cmocka_unit_test(a_scalar_out_of_range_is_no_private_key),
        cmocka_unit_test(a_weak_or_broken_parent_has_no_children),
        cmocka_unit_test(libsodium_says_so_when_a_product_is_the_identity),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
