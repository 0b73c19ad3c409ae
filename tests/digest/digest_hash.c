/* Area hash: the four hash functions at every length around their blocks, addresses. */
#include "core/crypto/key/key.h"

#include "digest.h"

static void hashes(digest *d)
{
    uint8_t data[600];
    digest_random_bytes(d, data, sizeof data);
    for (size_t len = 0; len < sizeof data; len += 1 + len / 150) {
        tl_hash32 out;
        uint8_t wide[TL_BLAKE2B_OUT_MAX];
        tl_sha256(&out, data, len);
        digest_bytes(d, out.b, sizeof out.b);
        tl_sha3_256(&out, data, len);
        digest_bytes(d, out.b, sizeof out.b);
        tl_keccak256(&out, data, len);
        digest_bytes(d, out.b, sizeof out.b);
        tl_blake2b(wide, 1 + len % TL_BLAKE2B_OUT_MAX, data, len);
        digest_bytes(d, wide, 1 + len % TL_BLAKE2B_OUT_MAX);
    }
}

static void addresses(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t i = 0; i < 200; i++) {
        tl_hotkey key;
        tl_hotkey back;
        digest_random_bytes(d, key.b, sizeof key.b);
        const uint16_t prefix = i % 2 == 0 ? TL_SS58_PREFIX_GENERIC : (uint16_t)(48 + 81 * i);
        char text[TL_SS58_CAP];
        const size_t len = tl_ss58_encode(text, &key, prefix);
        uint16_t seen = 0;
        DIGEST_OK(tl_ss58_decode_any(&back, &seen, (tl_str){text, len}, &ctx), &ctx);
        digest_str(d, (tl_str){text, len});
        digest_bytes(d, back.b, sizeof back.b);
        digest_u64(d, seen);
    }
}

void digest_area_hash(digest *d)
{
    hashes(d);
    addresses(d);
}
