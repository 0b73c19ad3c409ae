/* STROBE-128: the operations of wire spec section 5.1, whole words at a time where the block allows. */
#include "core/crypto/strobe/strobe.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

/* Which way data goes, by STROBE's bits: inbound 1, application 2, cipher 4, transport 8, meta 16, keytree 32. */
enum {
    FLAGS_AD = 2,
    FLAGS_KEY = 2 | 4,
    FLAGS_PRF = 1 | 2 | 4,
    FLAGS_META_AD = 2 | 16,
    FRESH_BLOCK = 4 | 32,
};

_Static_assert(TL_STROBE_RATE_LEN + 2 + 32 == TL_STROBE_STATE_LEN,
               "128 bits of security: 32 bytes hidden");

/* Spelled out, so that compilers see one load and one store. */
static uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static void store_le64(uint8_t *p, uint64_t x)
{
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
    p[4] = (uint8_t)(x >> 32);
    p[5] = (uint8_t)(x >> 40);
    p[6] = (uint8_t)(x >> 48);
    p[7] = (uint8_t)(x >> 56);
}

/* What a state squeezes may be a nonce: no copy of it stays on the stack. The rounds are the same for any bytes
 * (STROBE-2). */
static void permute(uint8_t state[TL_STROBE_STATE_LEN])
{
    uint64_t lane[25];
    for (size_t i = 0; i < 25; i++) {
        lane[i] = load_le64(state + 8 * i);
    }
    tl_keccak_f1600(lane);
    for (size_t i = 0; i < 25; i++) {
        store_le64(state + 8 * i, lane[i]);
    }
    tl_wipe(lane, sizeof lane);
}

static void run_f(tl_strobe *strobe)
{
    TL_ASSERT(strobe->pos <= TL_STROBE_RATE_LEN);
    strobe->state[strobe->pos] ^= strobe->pos_begin;
    strobe->state[strobe->pos + 1] ^= 0x04;
    strobe->state[TL_STROBE_RATE_LEN + 1] ^= 0x80;
    permute(strobe->state);
    strobe->pos = 0;
    strobe->pos_begin = 0;
}

/* As many bytes as the block still takes. */
static size_t fitting(const tl_strobe *strobe, size_t len)
{
    const size_t room = (size_t)TL_STROBE_RATE_LEN - strobe->pos;
    return len < room ? len : room;
}

static void advance(tl_strobe *strobe, size_t by)
{
    strobe->pos = (uint8_t)(strobe->pos + by);
    if (strobe->pos == TL_STROBE_RATE_LEN) {
        run_f(strobe);
    }
    TL_ASSERT(strobe->pos < TL_STROBE_RATE_LEN); /* STROBE-1 */
}

static void absorb(tl_strobe *strobe, const uint8_t *data, size_t len)
{
    while (len != 0) {
        const size_t now = fitting(strobe, len);
        uint8_t *to = strobe->state + strobe->pos;
        size_t i = 0;
        for (; i + 8 <= now; i += 8) {
            uint64_t a, b;
            memcpy(&a, to + i, 8);
            memcpy(&b, data + i, 8);
            a ^= b;
            memcpy(to + i, &a, 8);
        }
        for (; i < now; i++) {
            to[i] ^= data[i];
        }
        data += now;
        len -= now;
        advance(strobe, now);
    }
}

static void overwrite(tl_strobe *strobe, const uint8_t *data, size_t len)
{
    while (len != 0) {
        const size_t now = fitting(strobe, len);
        memcpy(strobe->state + strobe->pos, data, now);
        data += now;
        len -= now;
        advance(strobe, now);
    }
}

static void squeeze(tl_strobe *strobe, uint8_t *out, size_t len)
{
    while (len != 0) {
        const size_t now = fitting(strobe, len);
        memcpy(out, strobe->state + strobe->pos, now);
        memset(strobe->state + strobe->pos, 0, now);
        out += now;
        len -= now;
        advance(strobe, now);
    }
}

static void begin(tl_strobe *strobe, uint8_t flags, bool more)
{
    if (more) {
        TL_ASSERT(flags == strobe->cur_flags);
        return;
    }
    const uint8_t frame[2] = {strobe->pos_begin, flags};
    strobe->pos_begin = (uint8_t)(strobe->pos + 1);
    strobe->cur_flags = flags;
    absorb(strobe, frame, sizeof frame);
    if ((flags & FRESH_BLOCK) != 0 && strobe->pos != 0) {
        run_f(strobe);
    }
    TL_ASSERT(strobe->pos_begin <= strobe->pos); /* STROBE-1 */
}

void tl_strobe_init(tl_strobe *strobe, tl_str protocol)
{
    static const uint8_t domain[] = {1,   TL_STROBE_RATE_LEN + 2,
                                     1,   0,
                                     1,   96,
                                     'S', 'T',
                                     'R', 'O',
                                     'B', 'E',
                                     'v', '1',
                                     '.', '0',
                                     '.', '2'};
    *strobe = (tl_strobe){.pos = 0};
    memcpy(strobe->state, domain, sizeof domain);
    permute(strobe->state);
    tl_strobe_meta_ad(strobe, protocol.ptr, protocol.len, false);
}

void tl_strobe_meta_ad(tl_strobe *strobe, const void *data, size_t len, bool more)
{
    begin(strobe, FLAGS_META_AD, more);
    absorb(strobe, (const uint8_t *)data, len);
}

void tl_strobe_ad(tl_strobe *strobe, const void *data, size_t len, bool more)
{
    begin(strobe, FLAGS_AD, more);
    absorb(strobe, (const uint8_t *)data, len);
}

void tl_strobe_key(tl_strobe *strobe, const void *data, size_t len)
{
    begin(strobe, FLAGS_KEY, false);
    overwrite(strobe, (const uint8_t *)data, len);
}

void tl_strobe_prf(tl_strobe *strobe, uint8_t *out, size_t len)
{
    begin(strobe, FLAGS_PRF, false);
    squeeze(strobe, out, len);
}
