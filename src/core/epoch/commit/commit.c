#include "core/epoch/commit/commit.h"

#include "core/crypto/hash/hash.h"

static void put_field(tl_keccak_state *hash, const void *bytes, size_t len)
{
    TL_ASSERT(len <= UINT32_MAX); /* COM-1 */
    const uint8_t prefix[4] = {(uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                               (uint8_t)(len >> 24)};
    tl_keccak_update(hash, prefix, sizeof prefix);
    tl_keccak_update(hash, bytes, len);
}

void tl_commit_hash(tl_hash32 *out, const tl_commit_scope *scope, const tl_hotkey *hotkey,
                    const tl_hash32 *body_hash, const tl_hash32 *salt)
{
    tl_keccak_state hash;
    tl_keccak_init(&hash);
    const uint8_t netuid[2] = {(uint8_t)scope->netuid, (uint8_t)(scope->netuid >> 8)};
    put_field(&hash, scope->domain.ptr, scope->domain.len);
    put_field(&hash, scope->chain_id.ptr, scope->chain_id.len);
    put_field(&hash, netuid, sizeof netuid);
    put_field(&hash, scope->epoch_id.ptr, scope->epoch_id.len);
    put_field(&hash, hotkey->b, sizeof hotkey->b);
    put_field(&hash, body_hash->b, sizeof body_hash->b);
    put_field(&hash, salt->b, sizeof salt->b);
    tl_keccak256_final(&hash, out);
}
