/* strobe: STROBE-128 and Merlin, the transcript that sr25519 signs and derives by.
 * For         turning everything that two sides have said so far into challenges, and a secret into a nonce
 * Takes       labelled messages in order       Gives       challenge bytes; witness bytes
 * Calls       crypto/hash (Keccak-f)           Called by   crypto/srverify, crypto/sr25519, crypto/keypair
 * Owns        nothing: a transcript is a value of fixed size, copied by assignment to go on twice
 * Threads     one transcript, one thread
 * Invariants  STROBE-1 pos stays below the rate, and pos_begin at or below pos once begin has returned
 *             STROBE-2 the time of each call depends on lengths and labels only, never on the bytes
 *             STROBE-3 the prepared signing context equals the transcript that its four calls make
 * Read        tl_merlin_append() in merlin.c, then strobe.c
 *
 * The state is a Keccak sponge of 200 bytes; of these the first 166 (the rate, less two of padding) are touched by
 * operations and the rest only by the permutation:
 *
 *      0        pos_begin           pos                 166 167                          200
 *      ├── done ───┼── this operation ┼── not yet reached ──┤ ── capacity, never seen ────┤
 *
 * An operation begins by absorbing where the last one began and its own flags; those that send or take secrets start
 * on a fresh block. Only the operations that Merlin needs are here: associated data (AD), its frame (meta-AD), KEY
 * (overwrites: an older state cannot be computed back) and PRF (squeezes). Wire spec sections 5.1 and 5.2; STROBE
 * v1.0.2 (Hamburg 2017); Merlin v1.0 (de Valence).
 */
#ifndef TALLY_CORE_CRYPTO_STROBE_H
#define TALLY_CORE_CRYPTO_STROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_STROBE_STATE_LEN 200
#define TL_STROBE_RATE_LEN  166

/* tl_strobe: copied freely. One that took a secret is a secret: wipe it with tl_wipe. */
typedef struct tl_strobe {
    uint8_t state[TL_STROBE_STATE_LEN];
    uint8_t pos; /* next byte of the block, below TL_STROBE_RATE_LEN */
    uint8_t
        pos_begin; /* one behind where the current operation began; 0 when that was in an earlier block */
    uint8_t cur_flags; /* of the current operation */
} tl_strobe;

/* tl_strobe_init: a fresh state under a protocol's label.
 * more, below: the call goes on with the last operation, which must be of the same kind (asserted). */
void tl_strobe_init(tl_strobe *strobe, tl_str protocol);
void tl_strobe_meta_ad(tl_strobe *strobe, const void *data, size_t len, bool more);
void tl_strobe_ad(tl_strobe *strobe, const void *data, size_t len, bool more);
void tl_strobe_key(tl_strobe *strobe, const void *data, size_t len);
void tl_strobe_prf(tl_strobe *strobe, uint8_t *out, size_t len);

/* tl_merlin: a transcript. Lengths of messages and challenges: at most 2^32 - 1 bytes (asserted). */
typedef struct tl_merlin {
    tl_strobe strobe;
} tl_merlin;

void tl_merlin_init(tl_merlin *t, tl_str label);
void tl_merlin_append(tl_merlin *t, tl_str label, const void *data, size_t len);
void tl_merlin_challenge(tl_merlin *t, tl_str label, uint8_t *out, size_t len);

#define TL_MERLIN_ENTROPY_LEN 32

/* tl_merlin_witness: bytes that nobody else can compute: a function of the transcript, of the seeds (secrets) and of
 * fresh entropy, so that neither a bad generator nor a repeated message gives a nonce away. The transcript stays as it
 * is; what was made on the way is wiped. With entropy of zeros it is deterministic, which only tests want. */
void tl_merlin_witness(const tl_merlin *t, tl_str label, const tl_bytes *seeds, size_t seeds_count,
                       const uint8_t entropy[TL_MERLIN_ENTROPY_LEN], uint8_t *out, size_t len);

/* tl_merlin_signing_start: the transcript of every sr25519 signature of this network, up to its message:
 * Transcript("SigningContext"), append("", "substrate"). A copy of a constant: it saves two permutations.
 * What follows: append("sign-bytes", message), append("proto-name", "Schnorr-sig"), append("sign:pk", key). */
void tl_merlin_signing_start(tl_merlin *out);

#ifdef __cplusplus
}
#endif

#endif
