/* srverify: does this sr25519 signature hold? For public data only, and as fast as the processor allows.
 * For         the check on every signed request's path: keys never seen, keys seen before, many at once
 * Takes       public keys, messages, signatures as they stand on the wire
 * Gives       a verdict; a prepared key; a bounded cache of prepared keys
 * Calls       crypto/strobe, crypto/ristretto   Called by   crypto/sr25519, sdk
 * Owns        nothing: a prepared key is the caller's, a cache lives in the caller's arena
 * Threads     verdicts and prepared keys from anywhere; one tl_srkeys, one thread at a time: its owner locks
 * Invariants  SRV-1 every way of verifying gives the same verdict for the same bytes
 *             SRV-2 the identity is nobody's key: anyone could sign under it, so nothing holds under it
 *             SRV-3 a cache never holds more prepared keys than it was made for, and never gives one for another key
 *
 * NEVER with secrets: branches, indexes and times depend on what is verified.
 *
 * A signature is R ‖ s with the marker, bit 7 of byte 63, set. With k the challenge of the transcript over message,
 * public key A and R (wire spec section 5.3) it holds when s is canonical, A decodes and encode(s*B - k*A) is R byte
 * for byte (section 5.4). Since an element of the group has one encoding, this is the same as: R decodes, and
 * s*B - k*A - R is the identity; crypto/ristretto tells how that is found out quickly. Verdicts are those of schnorrkel
 * but for the identity as a key, which it accepts (SRV-2).
 */
#ifndef TALLY_CORE_CRYPTO_SRVERIFY_H
#define TALLY_CORE_CRYPTO_SRVERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/str/str.h"
#include "core/crypto/ristretto/ristretto.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SR25519_PUBLIC_LEN    32
#define TL_SR25519_SIGNATURE_LEN 64

/* tl_sr25519_verify: the verdict for a key that was never seen. Any length of message and signature may come; a
 * signature of another length than TL_SR25519_SIGNATURE_LEN does not hold. */
bool tl_sr25519_verify(const uint8_t public_key[TL_SR25519_PUBLIC_LEN], tl_bytes message,
                       tl_bytes signature);

/* tl_srkey: a key that was looked at once and verifies faster from then on. Large (see TL_RISTRETTO_TABLE_LEN): kept in
 * arrays and caches, not on stacks. Holds no pointer; may be copied and shared between threads. */
typedef struct tl_srkey {
    uint8_t public_key[TL_SR25519_PUBLIC_LEN];
    tl_ristretto_table multiples;
} tl_srkey;

/* tl_srkey_prepare: false, *out untouched, when the bytes are no key: they do not decode, or to the identity. Costs
 * about seven verdicts of a prepared key, and pays from its eleventh verdict on. */
bool tl_srkey_prepare(tl_srkey *out, const uint8_t public_key[TL_SR25519_PUBLIC_LEN]);

/* tl_srkey_verify: the same verdict as tl_sr25519_verify with key->public_key. */
bool tl_srkey_verify(const tl_srkey *key, tl_bytes message, tl_bytes signature);

/* tl_sr25519_item: one of many to be verified. key NULL: verify by public_key; else by the prepared key, public_key is
 * not looked at and may be NULL. */
typedef struct tl_sr25519_item {
    const uint8_t *public_key; /* TL_SR25519_PUBLIC_LEN bytes */
    const tl_srkey *key;
    tl_bytes message;
    tl_bytes signature;
} tl_sr25519_item;

/* tl_sr25519_verify_batch: out[i] becomes the verdict for items[i], exactly as if it stood alone (SRV-1). Any n, any
 * mix of keys; never allocates. It pays from four items on, where the processor has AVX-512 IFMA; elsewhere it costs
 * what single verdicts cost.
 *
 * There are no random coefficients here. The usual batch equation sums all items under random weights, so that one bad
 * signature spoils it and every item must be verified again: whoever sends one bad request in each batch makes its
 * receiver pay twice. Eight verdicts side by side in vector lanes need no luck, no entropy and no second pass. */
void tl_sr25519_verify_batch(bool *out, const tl_sr25519_item *items, size_t n);

/* --- keys seen often --- */

/* tl_srkeys: the prepared keys of the hotkeys that come back. A key is prepared when it is seen a second time, so that
 * strangers who come once cost no memory bandwidth; when the cache is full, the clock hand frees the first one that
 * nobody used since it passed last. */
typedef struct tl_srkeys tl_srkeys;

/* tl_srkeys_new: room for cap prepared keys (1 … TL_SRKEYS_MAX), about TL_RISTRETTO_TABLE_LEN bytes each, all of it
 * allocated now in the arena. Errors: TL_ERR_RANGE, TL_ERR_LIMIT, TL_ERR_NOMEM. */
#define TL_SRKEYS_MAX 65536
TL_MUST_USE tl_err tl_srkeys_new(tl_srkeys **out, tl_arena *arena, size_t cap, tl_errctx *ctx);

/* tl_srkeys_borrow: the prepared key, valid until the next tl_srkeys_saw or tl_srkeys_verify; NULL for one that is not prepared (seen
 * for the first time, or no key at all): verify by its bytes. Counts as a sighting. Let only keys in whose signature
 * has held (tl_srkeys_saw): otherwise strangers' unsigned requests turn the cache over. */
const tl_srkey *tl_srkeys_borrow(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN]);

/* tl_srkeys_saw: a signature of this key held though it is not prepared. The second time, it becomes prepared. */
void tl_srkeys_saw(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN]);

/* tl_srkeys_verify: tl_sr25519_verify by way of the cache. */
bool tl_srkeys_verify(tl_srkeys *keys, const uint8_t public_key[TL_SR25519_PUBLIC_LEN],
                      tl_bytes message, tl_bytes signature);

/* tl_srkeys_count: prepared keys held now. */
size_t tl_srkeys_count(const tl_srkeys *keys);

#ifdef __cplusplus
}
#endif

#endif
