/* From bytes to a claim about group elements: lengths, marker, canonical s, and the challenge of the transcript. */
#include "core/crypto/srverify/srverify.h"

#include <string.h>

#include "base/error/error.h"
#include "core/crypto/strobe/strobe.h"

#define MARKER 0x80

/* Identities encode as zeros, and nothing else does (RIS-1). */
static bool is_weak(const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    static const uint8_t identity[TL_SR25519_PUBLIC_LEN] = {0};
    return memcmp(public_key, identity, sizeof identity) == 0; /* SRV-2 */
}

/* The claim of a signature; false when its form alone refuses it. The claim borrows public_key and signature. */
static bool make_claim(tl_ristretto_claim *claim, const uint8_t public_key[TL_SR25519_PUBLIC_LEN],
                       tl_bytes message, tl_bytes signature)
{
    if (signature.len != TL_SR25519_SIGNATURE_LEN || message.len > UINT32_MAX) {
        return false;
    }
    uint8_t s[32];
    memcpy(s, signature.ptr + 32, sizeof s);
    if ((s[31] & MARKER) == 0) {
        return false;
    }
    s[31] = (uint8_t)(s[31] & ~MARKER);
    if (!tl_scalar_decode(&claim->s, s)) {
        return false;
    }
    tl_merlin t;
    uint8_t challenge[64];
    tl_merlin_signing_start(&t);
    tl_merlin_append(&t, TL_STR("sign-bytes"), message.ptr, message.len);
    tl_merlin_append(&t, TL_STR("proto-name"), "Schnorr-sig", 11);
    tl_merlin_append(&t, TL_STR("sign:pk"), public_key, TL_SR25519_PUBLIC_LEN);
    tl_merlin_append(&t, TL_STR("sign:R"), signature.ptr, 32);
    tl_merlin_challenge(&t, TL_STR("sign:c"), challenge, sizeof challenge);
    tl_scalar_reduce(&claim->k, challenge);
    claim->a = public_key;
    claim->r = signature.ptr;
    return true;
}

bool tl_sr25519_verify(const uint8_t public_key[TL_SR25519_PUBLIC_LEN], tl_bytes message,
                       tl_bytes signature)
{
    tl_ristretto_claim claim;
    return !is_weak(public_key) && make_claim(&claim, public_key, message, signature) &&
           tl_ristretto_check(&claim);
}

bool tl_srkey_prepare(tl_srkey *out, const uint8_t public_key[TL_SR25519_PUBLIC_LEN])
{
    if (is_weak(public_key) || !tl_ristretto_table_make(&out->multiples, public_key)) {
        return false;
    }
    memcpy(out->public_key, public_key, sizeof out->public_key);
    return true;
}

bool tl_srkey_verify(const tl_srkey *key, tl_bytes message, tl_bytes signature)
{
    tl_ristretto_claim claim;
    tl_ristretto_table_fetch(&key->multiples); /* arrives while the challenge is made */
    return make_claim(&claim, key->public_key, message, signature) &&
           tl_ristretto_table_check(&key->multiples, &claim);
}

void tl_sr25519_verify_batch(bool *out, const tl_sr25519_item *items, size_t n)
{
    enum { GROUP = 64 }; /* claims gathered on the stack: 8 KiB */
    tl_ristretto_claim claims[GROUP];
    bool verdicts[GROUP];
    size_t from[GROUP];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const tl_sr25519_item *item = &items[i];
        out[i] = false;
        if (item->key != NULL) {
            out[i] = tl_srkey_verify(item->key, item->message, item->signature);
        } else if (!is_weak(item->public_key) &&
                   make_claim(&claims[count], item->public_key, item->message, item->signature)) {
            from[count++] = i;
        }
        if (count == GROUP || (i + 1 == n && count != 0)) {
            tl_ristretto_check_many(verdicts, claims, count);
            for (size_t j = 0; j < count; j++) {
                out[from[j]] = verdicts[j]; /* SRV-1 */
            }
            count = 0;
        }
    }
}
