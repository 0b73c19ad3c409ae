/* commit: the hash by which a miner binds itself to a submission before it shows it.
 * For         commit-reveal: nobody can copy what is still hidden, nobody can change what was committed
 * Takes       chain, netuid, epoch, hotkey, the hash of the body, a salt of 32 bytes     Gives   32 bytes
 * Calls       core/crypto/hash                 Called by   core/epoch/road, core/subnet, app
 * Invariants  COM-1 each field stands behind its length, so no two different inputs have one preimage
 *
 *      keccak256( "tally/portfolio/commit/1" | chain_id | netuid | epoch_id | hotkey | body_hash | salt )
 *      where each field is u32 length, little-endian, then its bytes; netuid is a u16, little-endian
 *
 * The originals joined plain texts, where "ab" + "c" and "a" + "bc" are one commitment (portfolio spec, section 1).
 */
#ifndef TALLY_CORE_EPOCH_COMMIT_H
#define TALLY_CORE_EPOCH_COMMIT_H

#include "base/str/str.h"
#include "core/crypto/key/key.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_commit_scope: where a commitment counts. Views, borrowed for the call. */
typedef struct tl_commit_scope {
    tl_str domain;   /* "tally/portfolio/commit/1" */
    tl_str chain_id; /* "tally" */
    uint16_t netuid;
    tl_str epoch_id;
} tl_commit_scope;

/* tl_commit_hash: the commitment of a body's hash under a salt. Never fails; lengths are below 2^32 because decode
 * let them in. */
void tl_commit_hash(tl_hash32 *out, const tl_commit_scope *scope, const tl_hotkey *hotkey,
                    const tl_hash32 *body_hash, const tl_hash32 *salt);

#ifdef __cplusplus
}
#endif

#endif
