/* Attacks the hashes with published figures, with CPython's figures at every length around the blocks
 * (golden/hashes.txt), with libsodium at random lengths, and with every cut of a message in two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/hash/hash_internal.h"

#define MESSAGE_LEN 65537

static uint8_t message[MESSAGE_LEN];

static int make_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)(i * 167 + (i >> 8));
    }
    return sodium_init() < 0 ? -1 : 0;
}

/* The algorithms under one shape: name, digest length, one-shot, and a message in pieces. */
typedef struct algorithm {
    const char *name;
    size_t out_len;
    void (*whole)(uint8_t *out, const uint8_t *data, size_t len);
    void (*pieces)(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts, size_t count);
} algorithm;

static void sha256_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_hash32 h;
    tl_sha256(&h, data, len);
    memcpy(out, h.b, 32);
}

static void sha3_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_hash32 h;
    tl_sha3_256(&h, data, len);
    memcpy(out, h.b, 32);
}

static void keccak_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_hash32 h;
    tl_keccak256(&h, data, len);
    memcpy(out, h.b, 32);
}

static void blake512_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_blake2b(out, 64, data, len);
}

static void blake256_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_hash32 h;
    tl_blake2b_256(&h, data, len);
    memcpy(out, h.b, 32);
}

static void blake128_whole(uint8_t *out, const uint8_t *data, size_t len)
{
    tl_blake2b(out, 16, data, len);
}

/* Feeds data cut at the ascending offsets, the last piece going to the end. */
#define FEED(update, state)                                                                        \
    do {                                                                                           \
        size_t from_ = 0;                                                                          \
        for (size_t i_ = 0; i_ < count; i_++) {                                                    \
            update(state, data + from_, cuts[i_] - from_);                                         \
            from_ = cuts[i_];                                                                      \
        }                                                                                          \
        update(state, data + from_, len - from_);                                                  \
    } while (0)

static void sha256_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                          size_t count)
{
    tl_sha256_state s;
    tl_hash32 h;
    tl_sha256_init(&s);
    FEED(tl_sha256_update, &s);
    tl_sha256_final(&s, &h);
    memcpy(out, h.b, 32);
}

static void sha3_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                        size_t count)
{
    tl_keccak_state s;
    tl_hash32 h;
    tl_keccak_init(&s);
    FEED(tl_keccak_update, &s);
    tl_sha3_256_final(&s, &h);
    memcpy(out, h.b, 32);
}

static void keccak_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                          size_t count)
{
    tl_keccak_state s;
    tl_hash32 h;
    tl_keccak_init(&s);
    FEED(tl_keccak_update, &s);
    tl_keccak256_final(&s, &h);
    memcpy(out, h.b, 32);
}

static void blake_pieces(uint8_t *out, size_t out_len, const uint8_t *data, size_t len,
                         const size_t *cuts, size_t count)
{
    tl_blake2b_state s;
    tl_blake2b_init(&s, out_len);
    FEED(tl_blake2b_update, &s);
    tl_blake2b_final(&s, out);
}

static void blake512_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                            size_t count)
{
    blake_pieces(out, 64, data, len, cuts, count);
}

static void blake256_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                            size_t count)
{
    blake_pieces(out, 32, data, len, cuts, count);
}

static void blake128_pieces(uint8_t *out, const uint8_t *data, size_t len, const size_t *cuts,
                            size_t count)
{
    blake_pieces(out, 16, data, len, cuts, count);
}

static const algorithm ALGORITHMS[] = {
    {"sha256", 32, sha256_whole, sha256_pieces},
    {"sha3_256", 32, sha3_whole, sha3_pieces},
    {"keccak256", 32, keccak_whole, keccak_pieces},
    {"blake2b_512", 64, blake512_whole, blake512_pieces},
    {"blake2b_256", 32, blake256_whole, blake256_pieces},
    {"blake2b_128", 16, blake128_whole, blake128_pieces},
};

#define ALGORITHM_COUNT (sizeof ALGORITHMS / sizeof *ALGORITHMS)

static const algorithm *find(const char *name)
{
    size_t i = 0;
    while (i < ALGORITHM_COUNT && strcmp(ALGORITHMS[i].name, name) != 0) {
        i++;
    }
    TL_ASSERT(i < ALGORITHM_COUNT);
    return &ALGORITHMS[i];
}

static void assert_digest(const char *name, const void *data, size_t len, const char *want)
{
    const algorithm *a = find(name);
    uint8_t digest[TL_BLAKE2B_OUT_MAX];
    char text[2 * TL_BLAKE2B_OUT_MAX + 1];
    a->whole(digest, (const uint8_t *)data, len);
    tl_hex_write(text, digest, a->out_len);
    assert_string_equal(text, want);
}

static void published_figures_come_out(void **state)
{
    (void)state;
    /* FIPS 180-4 and FIPS 202 examples (NIST, Cryptographic Standards and Guidelines, example values) */
    assert_digest("sha256", NULL, 0,
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest("sha256", "abc", 3,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest("sha256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest("sha3_256", NULL, 0,
                  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    assert_digest("sha3_256", "abc", 3,
                  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    /* the empty text under the original padding: Ethereum's yellow paper, KEC of nothing */
    assert_digest("keccak256", NULL, 0,
                  "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    /* RFC 7693, appendix A */
    assert_digest("blake2b_512", "abc", 3,
                  "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                  "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

static void a_million_letters_in_pieces_of_any_size(void **state)
{
    (void)state; /* FIPS 180-4's third example, HASH-1 */
    uint8_t letters[997];
    memset(letters, 'a', sizeof letters);
    tl_sha256_state s;
    tl_sha256_init(&s);
    size_t left = 1000000;
    for (size_t piece = 1; left != 0; piece = piece * 7 % 997 + 1) {
        const size_t len = piece < left ? piece : left;
        tl_sha256_update(&s, letters, len);
        left -= len;
    }
    tl_hash32 h;
    char text[65];
    tl_sha256_final(&s, &h);
    tl_hex_write(text, h.b, sizeof h.b);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void cpython_agrees_at_every_length(void **state)
{
    (void)state;
    FILE *golden = fopen(TL_SOURCE_ROOT "/src/core/crypto/hash/test/golden/hashes.txt", "r");
    assert_non_null(golden);
    char name[32];
    char length[16];
    char want[160];
    size_t lines = 0;
    while (fscanf(golden, "%31s %15s %159s", name, length, want) == 3) {
        lines++;
        if (strcmp(length, "every") != 0) {
            assert_digest(name, message, (size_t)strtoul(length, NULL, 10), want);
            continue;
        }
        tl_sha256_state all;
        tl_sha256_init(&all);
        for (size_t len = 0; len < 1024; len++) {
            uint8_t digest[TL_BLAKE2B_OUT_MAX];
            find(name)->whole(digest, message, len);
            tl_sha256_update(&all, digest, find(name)->out_len);
        }
        tl_hash32 h;
        char text[65];
        tl_sha256_final(&all, &h);
        tl_hex_write(text, h.b, sizeof h.b);
        assert_string_equal(text, want);
    }
    fclose(golden);
    assert_int_equal(lines, 216);
}

static void each_cut_in_two_gives_the_same_digest(void **state)
{
    (void)state; /* HASH-1, HASH-2 */
    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        const algorithm *a = &ALGORITHMS[i];
        for (size_t len = 0; len <= 300; len += len < 8 ? 1 : 73) {
            uint8_t whole[TL_BLAKE2B_OUT_MAX];
            a->whole(whole, message, len);
            for (size_t cut = 0; cut <= len; cut++) {
                uint8_t pieces[TL_BLAKE2B_OUT_MAX];
                a->pieces(pieces, message, len, &cut, 1);
                assert_memory_equal(whole, pieces, a->out_len);
            }
        }
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_cuts_give_the_same_digest(void **state)
{
    (void)state; /* HASH-1; cuts may coincide: empty pieces */
    uint64_t seed = 0x1234567;
    for (size_t round = 0; round < 300; round++) {
        const algorithm *a = &ALGORITHMS[round % ALGORITHM_COUNT];
        const size_t len = next_random(&seed) % 5000;
        size_t cuts[6];
        size_t at = 0;
        for (size_t i = 0; i < 6; i++) {
            at += next_random(&seed) % (len - at + 1);
            cuts[i] = at;
        }
        uint8_t whole[TL_BLAKE2B_OUT_MAX];
        uint8_t pieces[TL_BLAKE2B_OUT_MAX];
        a->whole(whole, message, len);
        a->pieces(pieces, message, len, cuts, 6);
        assert_memory_equal(whole, pieces, a->out_len);
    }
}

static void the_processors_instructions_give_the_portable_state(void **state)
{
    (void)state; /* HASH-3 */
    if (!tl__sha256_has_ni()) {
        print_message("# no such instructions here: the portable form serves alone\n");
        return;
    }
    uint64_t seed = 0x7654321;
    for (size_t round = 0; round < 400; round++) {
        uint32_t portable[8], native[8];
        for (size_t i = 0; i < 8; i++) {
            portable[i] = native[i] = (uint32_t)(round < 2 ? 0 - round : next_random(&seed) >> 20);
        }
        const size_t blocks = next_random(&seed) % 9, from = next_random(&seed) % 1000;
        tl__sha256_compress_portable(portable, message + from, blocks);
        tl__sha256_compress_ni(native, message + from, blocks);
        assert_memory_equal(native, portable, sizeof native);
    }
}

static void two_side_by_side_are_two(void **state)
{
    (void)state; /* HASH-3, HASH-1: of any two lengths, one input inside the other too */
    uint64_t seed = 0x24681357;
    for (size_t round = 0; round < 600; round++) {
        const size_t most = round < 300 ? 260 : 4000;
        const size_t from = next_random(&seed) % 1000;
        const tl_bytes a = {message + from, next_random(&seed) % most};
        const tl_bytes b = {message + next_random(&seed) % 1000, next_random(&seed) % most};
        tl_hash32 got[2], want[2];
        tl_sha256_two(got, a, round % 7 == 0 ? (tl_bytes){NULL, 0} : b);
        tl_sha256(&want[0], a.ptr, a.len);
        tl_sha256(&want[1], b.ptr, round % 7 == 0 ? 0 : b.len);
        assert_memory_equal(got, want, sizeof got);
    }
}

static void blake2b_has_its_three_sizes(void **state)
{
    (void)state; /* 128, 256 and 512 bits: digests of their own, not prefixes of one another */
    static const size_t sizes[] = {16, 32, 64};
    for (size_t len = 0; len < 300; len++) {
        uint8_t got[3][64], want[64] = {0};
        for (size_t i = 0; i < 3; i++) {
            tl_blake2b(got[i], sizes[i], message, len);
            assert_int_equal(crypto_generichash(want, sizes[i], message, len, NULL, 0), 0);
            assert_memory_equal(got[i], want, sizes[i]);
        }
        assert_memory_not_equal(got[0], got[1], 16);
        assert_memory_not_equal(got[1], got[2], 32);
    }
}

static void libsodium_agrees(void **state)
{
    (void)state;
    uint64_t seed = 0xBEEF;
    for (size_t round = 0; round < 500; round++) {
        const size_t from = next_random(&seed) % 1000;
        const size_t len = next_random(&seed) % (round % 10 == 0 ? 60000 : 700);
        const size_t out_len = crypto_generichash_BYTES_MIN +
                               next_random(&seed) % (64 - crypto_generichash_BYTES_MIN + 1);
        uint8_t ours[64];
        uint8_t theirs[64];
        sha256_whole(ours, message + from, len);
        crypto_hash_sha256(theirs, message + from, len);
        assert_memory_equal(ours, theirs, 32);
        tl_blake2b(ours, out_len, message + from, len);
        crypto_generichash(theirs, out_len, message + from, len, NULL, 0);
        assert_memory_equal(ours, theirs, out_len);
    }
}

static void a_copied_state_goes_on_twice(void **state)
{
    (void)state;
    tl_keccak_state first;
    tl_keccak_init(&first);
    tl_keccak_update(&first, message, 200);
    tl_keccak_state second = first;
    tl_hash32 a;
    tl_hash32 b;
    tl_hash32 want;
    tl_keccak_update(&first, message + 200, 100);
    tl_keccak256_final(&first, &a);
    tl_keccak_update(&second, message + 200, 100);
    tl_keccak256_final(&second, &b);
    tl_keccak256(&want, message, 300);
    assert_int_equal(tl_hash32_cmp(&a, &want), 0);
    assert_int_equal(tl_hash32_cmp(&b, &want), 0);
}

static void the_permutation_of_zeros(void **state)
{
    (void)state; /* the wire vectors' group keccak_f1600; also in the Keccak team's test vectors */
    uint64_t lanes[25] = {0};
    tl_keccak_f1600(lanes);
    assert_true(lanes[0] == 0xF1258F7940E1DDE7 && lanes[1] == 0x84D5CCF933C0478A);
    assert_true(lanes[24] == 0xEAF1FF7B5CECA249);
}

static void digests_of_two_lengths_share_no_prefix(void **state)
{
    (void)state;
    uint8_t longer[64];
    uint8_t shorter[64];
    for (size_t len = 1; len < 64; len++) {
        tl_blake2b(longer, len + 1, "x", 1);
        tl_blake2b(shorter, len, "x", 1);
        if (len >= 4) {
            assert_memory_not_equal(longer, shorter, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_figures_come_out),
        cmocka_unit_test(a_million_letters_in_pieces_of_any_size),
        cmocka_unit_test(cpython_agrees_at_every_length),
        cmocka_unit_test(each_cut_in_two_gives_the_same_digest),
        cmocka_unit_test(random_cuts_give_the_same_digest),
        cmocka_unit_test(the_processors_instructions_give_the_portable_state),
        cmocka_unit_test(two_side_by_side_are_two),
        cmocka_unit_test(blake2b_has_its_three_sizes),
        cmocka_unit_test(libsodium_agrees),
        cmocka_unit_test(a_copied_state_goes_on_twice),
        cmocka_unit_test(the_permutation_of_zeros),
        cmocka_unit_test(digests_of_two_lengths_share_no_prefix),
    };
    return cmocka_run_group_tests(tests, make_message, NULL);
}
