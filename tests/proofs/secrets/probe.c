/* Runs what handles secrets under valgrind's memory checker with the secrets marked undefined: a branch or an address
 * that depends on one is then reported (the method of Langley's ctgrind). Prints a line for each operation. Two
 * controls, a branch and an index on a secret, must be reported, or the others prove nothing. What a report may be
 * passed over for is in visible.supp, with what it shows of the secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <valgrind/memcheck.h>

#include "core/crypto/ed25519/ed25519.h"
#include "core/crypto/keypair/keypair.h"
#include "core/crypto/mnemonic/mnemonic.h"
#include "core/crypto/mnemonic/mnemonic_internal.h"
#include "core/crypto/sr25519/sr25519.h"
#include "core/crypto/strobe/strobe.h"

#define DEVELOPMENT "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
#define SEED_HEX    "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"

static const tl_bytes MESSAGE = {(const uint8_t *)"message", 7};
static volatile unsigned sink;

static void hide(void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

static void show(const void *public, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(public, len);
}

/* A secret that the compiler cannot see through. */
static void secret_bytes(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(i * 37 + 11);
    }
    hide(out, len);
}

/* SR-2, and the transcripts of STROBE-2 within */
static bool sr25519_derives(void)
{
    uint8_t seed[32], code[32] = {1}, entropy[32];
    tl_sr25519_key key, child;
    secret_bytes(seed, sizeof seed);
    secret_bytes(entropy, sizeof entropy);
    tl_sr25519_expand(&key, seed);
    tl_sr25519_derive_hard(seed, &key, code);
    show(key.public_key, sizeof key.public_key);
    const tl_err err = tl_sr25519_derive_soft(&child, &key, code, entropy, NULL);
    tl_wipe(&child, sizeof child);
    return err == TL_OK;
}

static bool sr25519_imports(void)
{
    uint8_t secret[64] = {5};
    tl_sr25519_key key;
    hide(secret, sizeof secret);
    const tl_err err = tl_sr25519_import(&key, secret, NULL);
    return err == TL_OK;
}

static bool sr25519_signs(void)
{
    uint8_t seed[32], entropy[32], signature[64];
    tl_sr25519_key key;
    secret_bytes(seed, sizeof seed);
    tl_sr25519_expand(&key, seed);
    show(key.public_key, sizeof key.public_key);
    secret_bytes(entropy, sizeof entropy);
    tl_sr25519_sign(signature, &key, MESSAGE, entropy);
    show(signature, sizeof signature);
    return (signature[63] & 0x80) != 0;
}

/* ED-2 */
static bool ed25519_derives_and_signs(void)
{
    uint8_t seed[32], code[32] = {1}, public_key[32], signature[64];
    secret_bytes(seed, sizeof seed);
    tl_ed25519_derive_hard(seed, seed, code);
    tl_ed25519_public(public_key, seed);
    show(public_key, sizeof public_key);
    tl_ed25519_sign(signature, seed, public_key, MESSAGE);
    show(signature, sizeof signature);
    return tl_ed25519_verify(public_key, MESSAGE, (tl_bytes){signature, 64});
}

/* MNEM-2 */
static bool words_are_looked_up(void)
{
    char word[TL__MNEMONIC_WORD_LEN_MAX] = {'z', 'o', 'o'};
    hide(word, sizeof word);
    uint32_t index = tl__mnemonic_find(word);
    tl__mnemonic_pick(word, index);
    show(&index, sizeof index);
    show(word, sizeof word);
    return index == TL__MNEMONIC_WORDS_COUNT - 1 && memcmp(word, "zoo", 4) == 0;
}

static bool phrases_are_made_and_read(void)
{
    uint8_t entropy[16], back[TL_MNEMONIC_ENTROPY_MAX], seed[TL_MNEMONIC_SEED_LEN];
    char phrase[TL_MNEMONIC_CAP] = {0};
    char passphrase[8] = "hidden";
    size_t len = 0;
    secret_bytes(entropy, sizeof entropy);
    if (tl_mnemonic_from_entropy(phrase, entropy, sizeof entropy, NULL) != TL_OK) {
        return false;
    }
    show(phrase, sizeof phrase);
    const tl_str text = tl_str_from_cstr(phrase);
    hide(phrase, text.len);
    hide(passphrase, sizeof passphrase);
    return tl_mnemonic_to_entropy(back, &len, text, NULL) == TL_OK && len == sizeof entropy &&
           tl_mnemonic_seed(seed, text, (tl_str){passphrase, sizeof passphrase}, NULL) == TL_OK;
}

static bool hex_is_read_and_written(void)
{
    char text[] = SEED_HEX;
    uint8_t secret[32];
    hide(text, sizeof text - 1);
    if (tl_secret_unhex(secret, sizeof secret, (tl_str){text, sizeof text - 1}, NULL) != TL_OK) {
        return false;
    }
    tl_secret_hex(text, secret, sizeof secret);
    show(text, sizeof text);
    return strcmp(text, SEED_HEX) == 0;
}

static tl_err fill(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    secret_bytes((uint8_t *)out, len);
    return TL_OK;
}

/* Pairs of both schemes, from hidden text and bytes, used as commands use them. */
static bool pairs_are_made_and_sign(void)
{
    const tl_entropy entropy = {NULL, fill};
    bool is_fine = true;
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        tl_keypair *pairs[4] = {NULL, NULL, NULL, NULL};
        uint8_t seed[32], private_key[64] = {3};
        char uri[] = "0x" SEED_HEX "//path", phrase[] = DEVELOPMENT;
        secret_bytes(seed, sizeof seed);
        hide(private_key, sizeof private_key);
        hide(uri + 2, 64);
        hide(phrase, sizeof phrase - 1);
        const tl_scheme *scheme = tl_scheme_at(i);
        is_fine &= tl_keypair_from_seed(&pairs[0], scheme, seed, NULL) == TL_OK;
        is_fine &=
            tl_keypair_from_uri(&pairs[1], scheme, (tl_str){uri, sizeof uri - 1}, NULL) == TL_OK;
        is_fine &= tl_keypair_from_mnemonic(&pairs[2], scheme, (tl_str){phrase, sizeof phrase - 1},
                                            (tl_str){NULL, 0}, NULL) == TL_OK;
        is_fine &=
            tl_keypair_from_private(&pairs[3], scheme, (tl_bytes){private_key, scheme->private_len},
                                    NULL) == TL_OK;
        for (size_t k = 0; k < 4 && is_fine; k++) {
            uint8_t signature[64];
            size_t len = 0;
            const tl_hotkey *key = tl_keypair_public(pairs[k]);
            show(key, sizeof *key);
            is_fine &= tl_keypair_sign(signature, sizeof signature, &len, pairs[k], MESSAGE,
                                       &entropy, NULL) == TL_OK;
            show(signature, sizeof signature);
            is_fine &= tl_scheme_verify(scheme, (tl_bytes){key->b, sizeof key->b}, MESSAGE,
                                        (tl_bytes){signature, len});
        }
        for (size_t k = 0; k < 4; k++) {
            tl_keypair_free(pairs[k]);
        }
    }
    return is_fine;
}

/* --- SR-4: nothing is left on the stack --- */

#define STACK_LEN 32768

__attribute__((noinline)) static void paint_stack(void)
{
    volatile uint8_t area[STACK_LEN];
    for (size_t i = 0; i < sizeof area; i++) {
        area[i] = 0x5A;
    }
    sink += area[STACK_LEN / 2];
}

/* Do these eight bytes stand anywhere in what earlier calls left below this frame? */
__attribute__((noinline)) static bool is_on_stack(const uint8_t needle[8])
{
    uint8_t area[STACK_LEN];
    show(area, sizeof area);
    __asm__ volatile("" : : "r"(area) : "memory"); /* area is read as it was found */
    for (size_t i = 0; i + 8 <= sizeof area; i++) {
        if (area[i] == needle[0] && memcmp(area + i, needle, 8) == 0) {
            return true;
        }
    }
    return false;
}

/* Any eight bytes of a secret, at a step of eight. */
static bool is_any_on_stack(const uint8_t *secret, size_t len)
{
    bool found = false;
    for (size_t i = 0; i + 8 <= len; i += 8) {
        found |= is_on_stack(secret + i);
    }
    return found;
}

__attribute__((noinline)) static void leave_behind(const uint8_t *secret)
{
    volatile uint8_t copy[32];
    for (size_t i = 0; i < sizeof copy; i++) {
        copy[i] = secret[i];
    }
    sink += copy[7];
}

/* The nonce of a signature, computed apart: whoever has it has the key. */
static void nonce_of(uint8_t wide[64], uint8_t r[32], const tl_sr25519_key *key,
                     const uint8_t entropy[32])
{
    tl_merlin t;
    const tl_bytes seed = {key->secret + 32, 32};
    tl_merlin_signing_start(&t);
    tl_merlin_append(&t, TL_STR("sign-bytes"), MESSAGE.ptr, MESSAGE.len);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), key->public_key, 32);
    tl_merlin_witness(&t, TL_STR("signing"), &seed, 1, entropy, wide, 64);
    crypto_core_ristretto255_scalar_reduce(r, wide);
}

static bool nothing_stays_on_the_stack(void)
{
    static uint8_t seed[32], entropy[32], child_seed[32], wide[64], r[32], signature[64];
    static tl_sr25519_key key, child;
    const uint8_t code[32] = {7};
    for (size_t i = 0; i < sizeof seed; i++) {
        seed[i] = (uint8_t)(i * 91 + 3);
        entropy[i] = (uint8_t)(i * 53 + 9);
    }
    paint_stack();
    leave_behind(seed);
    const bool is_sharp = is_any_on_stack(seed, 8);
    tl_sr25519_expand(&key, seed);
    nonce_of(wide, r, &key, entropy);
    paint_stack();
    tl_sr25519_expand(&key, seed);
    bool left = is_any_on_stack(seed, 32) || is_any_on_stack(key.secret, 64);
    paint_stack();
    tl_sr25519_sign(signature, &key, MESSAGE, entropy);
    left |= is_any_on_stack(key.secret, 64) || is_any_on_stack(wide, 64) || is_any_on_stack(r, 32);
    paint_stack();
    tl_sr25519_derive_hard(child_seed, &key, code);
    left |= is_any_on_stack(key.secret, 64) || is_any_on_stack(child_seed, 32);
    paint_stack();
    const tl_err err = tl_sr25519_derive_soft(&child, &key, code, entropy, NULL);
    left |= is_any_on_stack(key.secret, 64) || is_any_on_stack(child.secret, 64);
    return is_sharp && err == TL_OK && !left;
}

/* The same for a pair as commands make it and use it: made, then signed with, of each scheme. */
static bool no_pair_leaves_a_trace(void)
{
    static const char uri[] = "0x" SEED_HEX "//path", phrase[] = DEVELOPMENT;
    static uint8_t seed[32], entropy[TL_MNEMONIC_ENTROPY_MAX];
    bool is_fine = true, left = false;
    size_t len = 0;
    is_fine &= tl_secret_unhex(seed, sizeof seed, TL_STR(SEED_HEX), NULL) == TL_OK;
    is_fine &= tl_mnemonic_to_entropy(entropy, &len, TL_STR(DEVELOPMENT), NULL) == TL_OK;
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        tl_keypair *pair = NULL;
        tl_bytes secret = {NULL, 0};
        uint8_t signature[64];
        paint_stack();
        is_fine &= tl_keypair_from_uri(&pair, tl_scheme_at(i), (tl_str){uri, sizeof uri - 1},
                                       NULL) == TL_OK &&
                   tl_keypair_borrow_private(&secret, pair);
        left |= is_any_on_stack(seed, sizeof seed) || is_any_on_stack(secret.ptr, secret.len);
        paint_stack();
        is_fine &=
            tl_keypair_sign(signature, sizeof signature, &len, pair, MESSAGE, NULL, NULL) == TL_OK;
        left |= is_any_on_stack(secret.ptr, secret.len);
        tl_keypair_free(pair);
        paint_stack();
        is_fine &=
            tl_keypair_from_mnemonic(&pair, tl_scheme_at(i), (tl_str){phrase, sizeof phrase - 1},
                                     (tl_str){NULL, 0}, NULL) == TL_OK &&
            tl_keypair_borrow_private(&secret, pair);
        left |= is_any_on_stack(entropy, 16) || is_any_on_stack(secret.ptr, secret.len);
        tl_keypair_free(pair);
    }
    return is_fine && !left;
}

static bool control_branch(void)
{
    uint8_t secret[1];
    secret_bytes(secret, sizeof secret);
    if (secret[0] == 11) {
        sink++;
    }
    return true;
}

static bool control_index(void)
{
    static const volatile uint8_t table[256] = {1, 2, 3};
    uint8_t secret[1];
    secret_bytes(secret, sizeof secret);
    sink += table[secret[0]];
    return true;
}

static const struct {
    const char *name;
    bool (*run)(void);
    bool must_report;
} OPERATIONS[] = {
    {"a_branch_on_a_secret_is_reported", control_branch, true},
    {"an_index_by_a_secret_is_reported", control_index, true},
    {"sr25519_derivation_is_blind_to_its_secrets", sr25519_derives, false},
    {"sr25519_import_is_blind_to_its_secrets", sr25519_imports, false},
    {"sr25519_signing_is_blind_to_its_secrets", sr25519_signs, false},
    {"ed25519_derivation_and_signing_are_blind_to_their_secrets", ed25519_derives_and_signs, false},
    {"words_of_a_phrase_are_looked_up_blindly", words_are_looked_up, false},
    {"phrases_show_their_spaces_and_nothing_else", phrases_are_made_and_read, false},
    {"hex_of_secrets_is_read_and_written_blindly", hex_is_read_and_written, false},
    {"key_pairs_are_made_and_sign_blindly", pairs_are_made_and_sign, false},
    {"no_secret_is_left_on_the_stack", nothing_stays_on_the_stack, false},
    {"no_key_pair_leaves_a_trace_on_the_stack", no_pair_leaves_a_trace, false},
};

int main(void)
{
    if (sodium_init() < 0 || RUNNING_ON_VALGRIND == 0) {
        (void)fprintf(stderr, "secrets: runs under valgrind only\n");
        return EXIT_FAILURE;
    }
    int failures = 0;
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++) {
        const unsigned before = (unsigned)VALGRIND_COUNT_ERRORS;
        const bool worked = OPERATIONS[i].run();
        const bool was_reported = (unsigned)VALGRIND_COUNT_ERRORS != before;
        const bool is_fine = worked && was_reported == OPERATIONS[i].must_report;
        failures += !is_fine;
        (void)printf("%sok %zu - %s\n", is_fine ? "" : "not ", i + 1, OPERATIONS[i].name);
        (void)fflush(stdout);
    }
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
