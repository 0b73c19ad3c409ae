/* SHA-256 as FIPS 180-4 writes it, with the eight working variables renamed from round to round instead of moved:
 * eight rounds in a row bring the names back where they were. */
#include <string.h>

#include "core/crypto/hash/hash_internal.h"

const uint32_t tl__sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, unsigned n)
{
    return (x >> n) | (x << (32 - n));
}

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void store_be32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

static void store_be64(uint8_t *p, uint64_t x)
{
    store_be32(p, (uint32_t)(x >> 32));
    store_be32(p + 4, (uint32_t)x);
}

/* One round: T1 = h + Σ1(e) + Ch(e,f,g) + K + W, T2 = Σ0(a) + Maj(a,b,c); d += T1, h = T1 + T2.
 * Ch as g ^ (e & (f ^ g)) and Maj as (a & b) | (c & (a | b)) save an operation each. */
#define ROUND(a, b, c, d, e, f, g, h, kw)                                                          \
    do {                                                                                           \
        const uint32_t t1_ =                                                                       \
            h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g))) + (kw);             \
        const uint32_t t2_ = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b))); \
        d += t1_;                                                                                  \
        h = t1_ + t2_;                                                                             \
    } while (0)

/* The message schedule in place: w[i] becomes W[t + 16] once W[t] has been used. */
#define SCHEDULE(i)                                                                                \
    (w[i] +=                                                                                       \
     (rotr(w[(i + 14) & 15], 17) ^ rotr(w[(i + 14) & 15], 19) ^ (w[(i + 14) & 15] >> 10)) +        \
     w[(i + 9) & 15] +                                                                             \
     (rotr(w[(i + 1) & 15], 7) ^ rotr(w[(i + 1) & 15], 18) ^ (w[(i + 1) & 15] >> 3)))

/* Eight rounds, after which the variables have their own names again. */
#define EIGHT_ROUNDS(t, i)                                                                         \
    do {                                                                                           \
        ROUND(a, b, c, d, e, f, g, h, K[(t) + (i)] + w[i]);                                        \
        ROUND(h, a, b, c, d, e, f, g, K[(t) + (i) + 1] + w[(i) + 1]);                              \
        ROUND(g, h, a, b, c, d, e, f, K[(t) + (i) + 2] + w[(i) + 2]);                              \
        ROUND(f, g, h, a, b, c, d, e, K[(t) + (i) + 3] + w[(i) + 3]);                              \
        ROUND(e, f, g, h, a, b, c, d, K[(t) + (i) + 4] + w[(i) + 4]);                              \
        ROUND(d, e, f, g, h, a, b, c, K[(t) + (i) + 5] + w[(i) + 5]);                              \
        ROUND(c, d, e, f, g, h, a, b, K[(t) + (i) + 6] + w[(i) + 6]);                              \
        ROUND(b, c, d, e, f, g, h, a, K[(t) + (i) + 7] + w[(i) + 7]);                              \
    } while (0)

void tl__sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    const uint32_t *const K = tl__sha256_k;
    const uint8_t *p = blocks;
    uint32_t w[16];
    for (; block_count != 0; block_count--, p += TL_SHA256_BLOCK_LEN) {
        for (size_t i = 0; i < 16; i++) {
            w[i] = load_be32(p + 4 * i);
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (size_t t = 0;; t += 16) {
            EIGHT_ROUNDS(t, 0);
            EIGHT_ROUNDS(t, 8);
            if (t == 48) {
                break;
            }
            SCHEDULE(0);
            SCHEDULE(1);
            SCHEDULE(2);
            SCHEDULE(3);
            SCHEDULE(4);
            SCHEDULE(5);
            SCHEDULE(6);
            SCHEDULE(7);
            SCHEDULE(8);
            SCHEDULE(9);
            SCHEDULE(10);
            SCHEDULE(11);
            SCHEDULE(12);
            SCHEDULE(13);
            SCHEDULE(14);
            SCHEDULE(15);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}

static void compress(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    if (tl__sha256_has_ni()) { /* HASH-3 */
        tl__sha256_compress_ni(state, blocks, block_count);
    } else {
        tl__sha256_compress_portable(state, blocks, block_count);
    }
}

void tl_sha256_init(tl_sha256_state *state)
{
    *state = (tl_sha256_state){.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

/* HASH-1: only whole blocks are compressed, wherever the pieces were cut. */
void tl_sha256_update(tl_sha256_state *state, const void *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    const size_t held = (size_t)(state->len % TL_SHA256_BLOCK_LEN); /* HASH-2 */
    state->len += len;
    if (held != 0) {
        const size_t room = TL_SHA256_BLOCK_LEN - held;
        const size_t take = len < room ? len : room;
        if (take != 0) {
            memcpy(state->block + held, p, take);
            p += take;
            len -= take;
        }
        if (take < room) {
            return;
        }
        compress(state->h, state->block, 1);
    }
    const size_t whole = len / TL_SHA256_BLOCK_LEN;
    if (whole != 0) {
        compress(state->h, p, whole);
        p += whole * TL_SHA256_BLOCK_LEN;
        len -= whole * TL_SHA256_BLOCK_LEN;
    }
    if (len != 0) {
        memcpy(state->block, p, len);
    }
}

/* Padding: one bit, zeros, the length in bits as 64 bits big-endian, up to a whole block. */
void tl_sha256_final(tl_sha256_state *state, tl_hash32 *out)
{
    size_t held = (size_t)(state->len % TL_SHA256_BLOCK_LEN);
    state->block[held++] = 0x80;
    if (held > TL_SHA256_BLOCK_LEN - 8) {
        memset(state->block + held, 0, TL_SHA256_BLOCK_LEN - held);
        compress(state->h, state->block, 1);
        held = 0;
    }
    memset(state->block + held, 0, TL_SHA256_BLOCK_LEN - 8 - held);
    store_be64(state->block + TL_SHA256_BLOCK_LEN - 8, state->len * 8);
    compress(state->h, state->block, 1);
    for (size_t i = 0; i < 8; i++) {
        store_be32(out->b + 4 * i, state->h[i]);
    }
}

void tl_sha256(tl_hash32 *out, const void *data, size_t len)
{
    tl_sha256_state state;
    tl_sha256_init(&state);
    tl_sha256_update(&state, data, len);
    tl_sha256_final(&state, out);
}

void tl_sha256_two(tl_hash32 out[2], tl_bytes a, tl_bytes b)
{
    tl_sha256_state states[2];
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const size_t blocks = tl__sha256_has_ni() ? shorter / TL_SHA256_BLOCK_LEN : 0;
    const size_t len = blocks * TL_SHA256_BLOCK_LEN;
    tl_sha256_init(&states[0]);
    tl_sha256_init(&states[1]);
    if (blocks != 0) { /* HASH-3 */
        uint32_t *const h[2] = {states[0].h, states[1].h};
        const uint8_t *const from[2] = {a.ptr, b.ptr};
        tl__sha256_compress_two_ni(h, from, blocks);
        states[0].len = states[1].len = len;
    }
    if (a.len > len) {
        tl_sha256_update(&states[0], a.ptr + len, a.len - len);
    }
    if (b.len > len) {
        tl_sha256_update(&states[1], b.ptr + len, b.len - len);
    }
    tl_sha256_final(&states[0], &out[0]);
    tl_sha256_final(&states[1], &out[1]);
}
