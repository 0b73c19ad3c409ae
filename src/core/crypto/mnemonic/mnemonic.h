/* mnemonic: secret phrases of 12 to 24 English words (BIP-39), and the seed that Substrate makes of them.
 * For         creating wallets and bringing them back
 * Takes       entropy, or a phrase             Gives       a phrase, its entropy, the 64-byte seed
 * Calls       crypto/hash, libsodium's HMAC-SHA-512        Called by   crypto/keypair, sdk/wallet, app
 * Owns        nothing: phrase and entropy are secrets in the caller's memory, who wipes them
 * Threads     pure functions, anywhere
 * Invariants  MNEM-1 to_entropy(from_entropy(e)) is e, and from_entropy(to_entropy(p)) is p up to case and spaces
 *             MNEM-2 words are looked up in a time, and at addresses, that do not depend on the word
 *             MNEM-3 a refused phrase leaves out untouched, and no message repeats a word of it
 * Read        mnemonic.c, then seed.c
 *
 *      entropy (16, 20, 24, 28 or 32 bytes) ‖ first bits of its SHA-256 (one for each 4 bytes)
 *          = 11 bits a word = 12, 15, 18, 21 or 24 words of a list of 2048
 *
 *      seed = PBKDF2-HMAC-SHA-512( password: the ENTROPY, salt: "mnemonic" ‖ passphrase, 2048 rounds )
 *
 * Substrate's seed comes from the entropy, where BIP-39 takes the words: the two give different keys for one phrase.
 * What timing shows of a phrase: how many words it has and how long each is (the places of the spaces), and whether it
 * was accepted; not which words. Wire spec section 4.4.
 */
#ifndef TALLY_CORE_CRYPTO_MNEMONIC_H
#define TALLY_CORE_CRYPTO_MNEMONIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"
#include "base/world/world.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_MNEMONIC_WORDS_DEFAULT 12
#define TL_MNEMONIC_WORDS_MAX     24
#define TL_MNEMONIC_ENTROPY_MAX   32
#define TL_MNEMONIC_TEXT_MAX      (TL_MNEMONIC_WORDS_MAX * 9 - 1) /* words have 3 to 8 letters */
#define TL_MNEMONIC_CAP           (TL_MNEMONIC_TEXT_MAX + 1)
#define TL_MNEMONIC_SEED_LEN      64
#define TL_MNEMONIC_INPUT_MAX                                                                      \
    1024 /* bytes of a phrase as someone typed it: spaces are free, not endless */
#define TL_MNEMONIC_PASSPHRASE_MAX 1024

/* tl_mnemonic_generate: a phrase of that many words, in lower case, one space between them, a NUL behind it.
 * Errors: TL_ERR_RANGE unless words is 12, 15, 18, 21 or 24; those of the entropy. */
TL_MUST_USE tl_err tl_mnemonic_generate(char out[TL_MNEMONIC_CAP], size_t words,
                                        const tl_entropy *entropy, tl_errctx *ctx);

/* tl_mnemonic_from_entropy: the phrase of 16, 20, 24, 28 or 32 bytes. Errors: TL_ERR_RANGE for another len. */
TL_MUST_USE tl_err tl_mnemonic_from_entropy(char out[TL_MNEMONIC_CAP], const uint8_t *entropy,
                                            size_t len, tl_errctx *ctx);

/* tl_mnemonic_to_entropy: letters in either case; spaces, tabs and line ends between words, as many as you like.
 * Errors: TL_ERR_LIMIT (above TL_MNEMONIC_INPUT_MAX bytes), TL_ERR_RANGE (number of words), TL_ERR_UNKNOWN (a word
 * that is not on the list, named by its place), TL_ERR_CORRUPT (checksum). */
TL_MUST_USE tl_err tl_mnemonic_to_entropy(uint8_t out[TL_MNEMONIC_ENTROPY_MAX], size_t *out_len,
                                          tl_str phrase, tl_errctx *ctx);

/* tl_mnemonic_check: is it a phrase? The errors of tl_mnemonic_to_entropy. */
TL_MUST_USE tl_err tl_mnemonic_check(tl_str phrase, tl_errctx *ctx);

/* tl_mnemonic_seed: Substrate's seed of 64 bytes; its first 32 are the mini-secret. Some milliseconds, on purpose.
 * passphrase  as bytes, usually empty
 * Errors: those of tl_mnemonic_to_entropy; TL_ERR_LIMIT for a passphrase above TL_MNEMONIC_PASSPHRASE_MAX. */
TL_MUST_USE tl_err tl_mnemonic_seed(uint8_t out[TL_MNEMONIC_SEED_LEN], tl_str phrase,
                                    tl_str passphrase, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
