/* Attacks verification with the published signatures, with signatures made here over libsodium's group, with every bit
 * of them turned, with weak keys and scalars out of range, and holds each way of verifying against the others. The cache
 * is driven beyond its size, against a list that remembers everything. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "base/arena/arena.h"
#include "core/crypto/srverify/srkeys.c"
#include "core/crypto/srverify/srverify.h"
#include "core/crypto/strobe/strobe.h"

static int begin(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static tl_bytes bytes(const void *ptr, size_t len)
{
    return (tl_bytes){(const uint8_t *)ptr, len};
}

/* A signer of its own: the transcript by its four calls, the group by libsodium, the nonce from the message's hash. */
typedef struct signer {
    uint8_t secret[32];
    uint8_t public_key[32];
} signer;

/* What libsodium writes is zeroed first: the memory sanitizer does not see into it. */
static void make_signer(signer *out, uint64_t number)
{
    uint8_t wide[64] = {0};
    memset(out, 0, sizeof *out);
    crypto_generichash(wide, sizeof wide, (const uint8_t *)&number, sizeof number, NULL, 0);
    crypto_core_ristretto255_scalar_reduce(out->secret, wide);
    assert_int_equal(crypto_scalarmult_ristretto255_base(out->public_key, out->secret), 0);
}

static void challenge_of(uint8_t k[32], const uint8_t *public_key, tl_bytes message,
                         const uint8_t *r)
{
    tl_merlin t;
    uint8_t wide[64];
    memset(k, 0, 32);
    tl_merlin_init(&t, TL_STR("SigningContext"));
    tl_merlin_append(&t, TL_STR(""), "substrate", 9);
    tl_merlin_append(&t, TL_STR("sign-bytes"), message.ptr, message.len);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), public_key, 32);
    tl_merlin_append(&t, TL_STR("sign:R"), r, 32);
    tl_merlin_challenge(&t, TL_STR("sign:c"), wide, sizeof wide);
    crypto_core_ristretto255_scalar_reduce(k, wide);
}

static void sign(uint8_t out[64], const signer *who, tl_bytes message)
{
    uint8_t wide[64] = {0};
    uint8_t nonce[32] = {0};
    uint8_t k[32];
    memset(out, 0, 64);
    crypto_generichash(wide, sizeof wide, message.ptr, message.len, who->secret, 32);
    crypto_core_ristretto255_scalar_reduce(nonce, wide);
    assert_int_equal(crypto_scalarmult_ristretto255_base(out, nonce), 0);
    challenge_of(k, who->public_key, message, out);
    crypto_core_ristretto255_scalar_mul(k, k, who->secret);
    crypto_core_ristretto255_scalar_add(out + 32, k, nonce);
    out[63] |= 0x80;
}

/* The verdict of every way there is; they must agree (SRV-1). */
static bool verdict(const uint8_t *public_key, tl_bytes message, tl_bytes signature)
{
    const bool single = tl_sr25519_verify(public_key, message, signature);
    tl_srkey key;
    const bool is_key = tl_srkey_prepare(&key, public_key);
    assert_true(is_key || !single);
    if (is_key) {
        assert_memory_equal(key.public_key, public_key, 32);
        assert_int_equal(tl_srkey_verify(&key, message, signature), single);
    }
    tl_sr25519_item items[9];
    bool out[9];
    for (size_t i = 0; i < 9; i++) {
        items[i] = (tl_sr25519_item){.public_key = public_key,
                                     .key = is_key && i == 4 ? &key : NULL,
                                     .message = message,
                                     .signature = signature};
    }
    tl_sr25519_verify_batch(out, items, 9);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(out[i], single);
    }
    return single;
}

static void the_published_signatures_get_their_verdicts(void **state)
{
    (void)state;
    golden g = golden_open("srverify/test/golden/sr25519_verify.json");
    const tl_json *rows = golden_rows(&g, "sr25519_verify");
    assert_int_equal(rows->count, 8);
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const tl_str message = golden_str(row, "message");
        const bool want = tl_json_get(row, "valid")->boolean;
        assert_int_equal(verdict(golden_bytes(&g, row, "public", 32), tl_str_bytes(message),
                                 bytes(golden_bytes(&g, row, "signature", 64), 64)),
                         want);
    }
    golden_close(&g);
}

static void every_length_of_message_verifies(void **state)
{
    (void)state;
    static uint8_t message[700];
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)(i * 31);
    }
    for (size_t len = 0; len < sizeof message; len += len < 350 ? 1 : 37) {
        signer who;
        uint8_t signature[64];
        make_signer(&who, len);
        sign(signature, &who, bytes(message, len));
        assert_true(tl_sr25519_verify(who.public_key, bytes(message, len), bytes(signature, 64)));
        assert_false(
            tl_sr25519_verify(who.public_key, bytes(message, len + 1), bytes(signature, 64)));
    }
}

static void no_bit_may_turn(void **state)
{
    (void)state;
    signer who;
    uint8_t message[40] = "what was signed";
    uint8_t signature[64];
    make_signer(&who, 1);
    sign(signature, &who, bytes(message, sizeof message));
    assert_true(verdict(who.public_key, bytes(message, sizeof message), bytes(signature, 64)));
    for (size_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(tl_sr25519_verify(who.public_key, bytes(message, sizeof message),
                                       bytes(signature, 64)));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 256; bit++) {
        who.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(tl_sr25519_verify(who.public_key, bytes(message, sizeof message),
                                       bytes(signature, 64)));
        who.public_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(tl_sr25519_verify(who.public_key, bytes(message, sizeof message),
                                       bytes(signature, 64)));
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void other_lengths_of_a_signature_are_refused(void **state)
{
    (void)state;
    signer who;
    uint8_t signature[65] = {0};
    make_signer(&who, 2);
    sign(signature, &who, bytes("m", 1));
    for (size_t len = 0; len <= 65; len++) {
        assert_int_equal(verdict(who.public_key, bytes("m", 1), bytes(signature, len)), len == 64);
    }
    assert_false(verdict(who.public_key, bytes("m", 1), bytes(NULL, 0)));
}

/* SRV-2: under the identity anyone can sign: R = s*B holds for every message. */
static void nothing_holds_under_the_identity(void **state)
{
    (void)state;
    const uint8_t identity[32] = {0};
    uint8_t signature[64] = {0};
    signature[63] = 0x80;
    assert_false(verdict(identity, bytes("m", 1), bytes(signature, 64))); /* s = 0, R = 0 */
    signature[32] = 5;
    signature[63] = 0;
    assert_int_equal(crypto_scalarmult_ristretto255_base(signature, signature + 32), 0);
    signature[63] = 0x80;
    assert_false(verdict(identity, bytes("m", 1), bytes(signature, 64)));
    tl_srkey key;
    assert_false(tl_srkey_prepare(&key, identity));
}

/* s*B = R + k*A with R the identity, or s zero: rare, and as good as any other. */
static void an_identity_as_R_and_a_zero_as_s_are_decided_by_the_sum(void **state)
{
    (void)state;
    signer who;
    uint8_t signature[64] = {0};
    uint8_t k[32];
    make_signer(&who, 3);
    challenge_of(k, who.public_key, bytes("zero", 4), signature);
    crypto_core_ristretto255_scalar_mul(signature + 32, k, who.secret);
    signature[63] |= 0x80;
    assert_true(verdict(who.public_key, bytes("zero", 4), bytes(signature, 64)));
    assert_false(verdict(who.public_key, bytes("Zero", 4), bytes(signature, 64)));
    memset(signature + 32, 0, 32);
    signature[63] = 0x80;
    assert_false(verdict(who.public_key, bytes("zero", 4), bytes(signature, 64)));
}

static void s_must_be_below_L_and_marked(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    for (uint64_t i = 0; i < 20; i++) {
        signer who;
        uint8_t signature[64];
        make_signer(&who, 100 + i);
        sign(signature, &who, bytes(&i, sizeof i));
        assert_true(verdict(who.public_key, bytes(&i, sizeof i), bytes(signature, 64)));
        uint8_t more[64];
        memcpy(more, signature, 64);
        unsigned carry = 0;
        for (size_t j = 0; j < 32; j++) { /* s + L: the same modulo L */
            carry += (unsigned)more[32 + j] + order[j];
            more[32 + j] = (uint8_t)carry;
            carry >>= 8;
        }
        assert_false(verdict(who.public_key, bytes(&i, sizeof i), bytes(more, 64)));
        signature[63] &= 0x7f;
        assert_false(verdict(who.public_key, bytes(&i, sizeof i), bytes(signature, 64)));
    }
}

/* SRV-1: batches of every size, good and bad items mixed, prepared keys among them. */
static void a_batch_gives_the_verdict_of_each_alone(void **state)
{
    (void)state;
    enum { MAX = 150 };
    static signer who[MAX];
    static uint8_t message[MAX][16];
    static uint8_t signature[MAX][64];
    static tl_srkey prepared[4];
    tl_sr25519_item items[MAX];
    bool out[MAX];
    uint64_t state_bits = 77;
    for (size_t i = 0; i < MAX; i++) {
        make_signer(&who[i], 500 + i);
        memset(message[i], (int)i, sizeof message[i]);
        sign(signature[i], &who[i], bytes(message[i], sizeof message[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(tl_srkey_prepare(&prepared[i], who[5 * i].public_key));
    }
    for (size_t n = 0; n <= MAX; n += n < 20 ? 1 : 13) {
        bool want[MAX] = {false};
        for (size_t i = 0; i < n; i++) {
            state_bits = state_bits * 6364136223846793005u + 1442695040888963407u;
            const unsigned kind = (unsigned)(state_bits >> 33) % 6;
            const size_t other = (i + 1) % MAX;
            items[i] = (tl_sr25519_item){
                .public_key = who[i].public_key,
                .message = bytes(message[kind == 1 ? other : i], sizeof message[i]),
                .signature = bytes(signature[kind == 2 ? other : i], kind == 3 ? 63 : 64)};
            if (i % 5 == 0 && i < 20) {
                items[i].key = &prepared[i / 5];
            }
            want[i] = kind == 0 || kind > 3;
        }
        tl_sr25519_verify_batch(out, items, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[i], want[i]);
        }
    }
}

/* --- the cache --- */

static void a_key_is_prepared_when_it_comes_back(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_srkeys *keys = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_srkeys_new(&keys, arena, 3, NULL), TL_OK);
    signer who;
    uint8_t signature[64];
    make_signer(&who, 7);
    sign(signature, &who, bytes("m", 1));
    assert_false(tl_srkeys_verify(keys, who.public_key, bytes("n", 1), bytes(signature, 64)));
    assert_false(tl_srkeys_verify(keys, who.public_key, bytes("n", 1), bytes(signature, 64)));
    assert_int_equal(tl_srkeys_count(keys), 0); /* what does not hold is no sighting */
    assert_true(tl_srkeys_verify(keys, who.public_key, bytes("m", 1), bytes(signature, 64)));
    assert_null(tl_srkeys_borrow(keys, who.public_key));
    assert_true(tl_srkeys_verify(keys, who.public_key, bytes("m", 1), bytes(signature, 64)));
    assert_int_equal(tl_srkeys_count(keys), 1);
    assert_non_null(tl_srkeys_borrow(keys, who.public_key));
    assert_true(tl_srkeys_verify(keys, who.public_key, bytes("m", 1), bytes(signature, 64)));
    assert_false(tl_srkeys_verify(keys, who.public_key, bytes("n", 1), bytes(signature, 64)));
    const uint8_t identity[32] = {0};
    uint8_t no_key[32];
    memset(no_key, 0xff, sizeof no_key);
    for (int i = 0; i < 3; i++) {
        tl_srkeys_saw(keys, identity);
        tl_srkeys_saw(keys, no_key);
        tl_srkeys_saw(keys, who.public_key);
    }
    assert_int_equal(tl_srkeys_count(keys), 1);
    assert_null(tl_srkeys_borrow(keys, identity));
    tl_arena_free(arena);
}

/* SRV-3 */
static void a_full_cache_keeps_what_is_used_and_gives_no_key_for_another(void **state)
{
    (void)state;
    enum { CAP = 5, KEYS = 40 };
    tl_arena *arena = NULL;
    tl_srkeys *keys = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_srkeys_new(&keys, arena, CAP, NULL), TL_OK);
    static signer who[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        make_signer(&who[i], 900 + i);
    }
    uint64_t bits = 3;
    for (int step = 0; step < 2000; step++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        const signer *one = &who[(bits >> 33) % KEYS];
        const tl_srkey *found = tl_srkeys_borrow(keys, one->public_key);
        if (found != NULL) {
            assert_memory_equal(found->public_key, one->public_key, 32);
        } else {
            tl_srkeys_saw(keys, one->public_key);
        }
        /* the first is used all the time, so it stays once it is in */
        tl_srkeys_saw(keys, who[0].public_key);
        assert_int_equal(tl_srkeys_borrow(keys, who[0].public_key) != NULL,
                         step >= 1 || one == &who[0]);
        assert_true(tl_srkeys_count(keys) <= CAP);
        size_t held = 0;
        for (size_t i = 0; step % 100 == 0 && i < KEYS; i++) {
            found = tl_srkeys_borrow(keys, who[i].public_key);
            assert_true(found == NULL || memcmp(found->public_key, who[i].public_key, 32) == 0);
            held += found != NULL;
        }
        assert_true(step % 100 != 0 || held == tl_srkeys_count(keys));
    }
    assert_int_equal(tl_srkeys_count(keys), CAP);
    tl_arena_free(arena);
}

/* Six times as many keys as there is room for, over and over: cells are freed and closed up all the time, and at each
 * moment exactly the keys that are held are found. */
static void what_is_held_is_found_however_often_the_cache_turns_over(void **state)
{
    (void)state;
    enum { CAP = 64, KEYS = 400 };
    tl_arena *arena = NULL;
    tl_srkeys *keys = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_srkeys_new(&keys, arena, CAP, NULL), TL_OK);
    static signer who[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        make_signer(&who[i], 5000 + i);
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < KEYS; i++) {
            tl_srkeys_saw(keys, who[i].public_key);
            tl_srkeys_saw(keys, who[i].public_key);
            const tl_srkey *found = tl_srkeys_borrow(keys, who[i].public_key);
            assert_true(found == NULL || memcmp(found->public_key, who[i].public_key, 32) == 0);
            size_t held = 0;
            for (size_t j = 0; i % 40 == 0 && j < KEYS; j++) {
                found = tl_srkeys_borrow(keys, who[j].public_key);
                held += found != NULL;
            }
            assert_true(i % 40 != 0 || held == tl_srkeys_count(keys));
        }
    }
    assert_int_equal(tl_srkeys_count(keys), CAP);
    tl_arena_free(arena);
}

/* Keys whose fingerprints share one cell, as an enemy would choose them: the first PROBES_MAX are prepared, the others
 * are not, and verify all the same. */
static void keys_that_crowd_one_cell_find_an_end(void **state)
{
    (void)state;
    enum { CAP = 64, CROWD = PROBES_MAX + 3 };
    tl_arena *arena = NULL;
    tl_srkeys *keys = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_srkeys_new(&keys, arena, CAP, NULL), TL_OK);
    signer who;
    unsigned count = 0;
    for (uint64_t i = 0; count < CROWD; i++) {
        make_signer(&who, 10000 + i);
        if (cell_of(keys, fingerprint(who.public_key)) != 5) {
            continue;
        }
        count++;
        for (int times = 0; times < 3; times++) {
            tl_srkeys_saw(keys, who.public_key);
        }
        assert_int_equal(tl_srkeys_borrow(keys, who.public_key) != NULL, count <= PROBES_MAX);
        assert_int_equal(tl_srkeys_count(keys), count < PROBES_MAX ? count : PROBES_MAX);
    }
    uint8_t signature[64];
    sign(signature, &who, bytes("m", 1));
    assert_true(tl_srkeys_verify(keys, who.public_key, bytes("m", 1), bytes(signature, 64)));
    assert_false(tl_srkeys_verify(keys, who.public_key, bytes("n", 1), bytes(signature, 64)));
    tl_arena_free(arena);
}

static void a_cache_of_no_or_too_many_keys_is_refused(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_srkeys *keys = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&arena, NULL, 1 << 20, NULL, NULL), TL_OK);
    assert_int_equal(tl_srkeys_new(&keys, arena, 0, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_srkeys_new(&keys, arena, TL_SRKEYS_MAX + 1, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_srkeys_new(&keys, arena, 1000, &ctx), TL_ERR_LIMIT); /* 15 MB into one */
    assert_null(keys);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_signatures_get_their_verdicts),
        cmocka_unit_test(every_length_of_message_verifies),
        cmocka_unit_test(no_bit_may_turn),
        cmocka_unit_test(other_lengths_of_a_signature_are_refused),
        cmocka_unit_test(nothing_holds_under_the_identity),
        cmocka_unit_test(an_identity_as_R_and_a_zero_as_s_are_decided_by_the_sum),
        cmocka_unit_test(s_must_be_below_L_and_marked),
        cmocka_unit_test(a_batch_gives_the_verdict_of_each_alone),
        cmocka_unit_test(a_key_is_prepared_when_it_comes_back),
        cmocka_unit_test(a_full_cache_keeps_what_is_used_and_gives_no_key_for_another),
        cmocka_unit_test(what_is_held_is_found_however_often_the_cache_turns_over),
        cmocka_unit_test(keys_that_crowd_one_cell_find_an_end),
        cmocka_unit_test(a_cache_of_no_or_too_many_keys_is_refused),
    };
    return cmocka_run_group_tests_name("srverify", tests, begin, NULL);
}
