/* Area hash: the four hash functions at every length around their blocks, addresses, SCALE. */
#include "core/codec/scale/scale.h"
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
        uint16_t seen = prefix;
        back = key;
        if (tl_ss58_prefix_is_registered(prefix)) { /* the others are written and not read */
            DIGEST_OK(tl_ss58_decode_any(&back, &seen, (tl_str){text, len}, &ctx), &ctx);
        }
        digest_str(d, (tl_str){text, len});
        digest_bytes(d, back.b, sizeof back.b);
        digest_u64(d, seen);
    }
}

static void scale(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, d->arena);
    for (size_t i = 0; i < 500; i++) {
        const uint64_t value = digest_sized(d, 64);
        tl_scale_put_compact(&sb, value);
        tl_scale_put_compact_u128(&sb, (tl_u128)value << digest_below(d, 64));
        tl_scale_put_i128(&sb, -(tl_i128)value);
        tl_scale_put_i16(&sb, (int16_t)value);
        tl_scale_put_str(&sb, TL_STR("text"));
    }
    DIGEST_OK(tl_sb_finish(&text, &sb, &ctx), &ctx);
    digest_str(d, text);
    tl_scale_reader r;
    tl_scale_reader_init(&r, tl_str_bytes(text));
    for (size_t i = 0; i < 500; i++) {
        digest_u64(d, tl_scale_read_compact_u64(&r));
        const tl_u128 wide = tl_scale_read_compact_u128(&r);
        digest_u64(d, (uint64_t)wide);
        digest_u64(d, (uint64_t)(wide >> 64));
        digest_i64(d, (int64_t)tl_scale_read_i128(&r));
        digest_i64(d, tl_scale_read_i16(&r));
        digest_str(d, tl_scale_read_str(&r, 10));
    }
    DIGEST_OK(tl_scale_reader_finish(&r, &ctx), &ctx);
}

void digest_area_hash(digest *d)
{
    hashes(d);
    addresses(d);
    scale(d);
}
