/* BLAKE2b without a key, as RFC 7693 writes it. The last block is compressed with a flag, so a whole block waits in
 * the state until more comes or the end does. */
#include <string.h>

#include "base/error/error.h"
#include "core/crypto/hash/hash.h"

static const uint64_t IV[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                               0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                               0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* Twelve rounds: the last two use the first two rows again. */
static const uint8_t SIGMA[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t rotr(uint64_t x, unsigned n)
{
    return (x >> n) | (x << (64 - n));
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) {
        x |= (uint64_t)p[i] << (8 * i);
    }
    return x;
}

static void mix(uint64_t v[16], size_t a, size_t b, size_t c, size_t d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = rotr(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = rotr(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotr(v[b] ^ v[c], 63);
}

static void compress(tl_blake2b_state *state, const uint8_t *block, uint64_t counter, bool is_last)
{
    uint64_t m[16];
    uint64_t v[16];
    for (size_t i = 0; i < 16; i++) {
        m[i] = load_le64(block + 8 * i);
    }
    memcpy(v, state->h, sizeof state->h);
    memcpy(v + 8, IV, sizeof IV);
    v[12] ^= counter; /* its upper half, v[13], stays: lengths are below 2^64 */
    v[14] ^= is_last ? UINT64_MAX : 0;
    for (size_t round = 0; round < 12; round++) {
        const uint8_t *s = SIGMA[round % 10];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (size_t i = 0; i < 8; i++) {
        state->h[i] ^= v[i] ^ v[i + 8];
    }
}

void tl_blake2b_init(tl_blake2b_state *state, size_t out_len)
{
    TL_ASSERT(out_len >= 1 && out_len <= TL_BLAKE2B_OUT_MAX);
    *state = (tl_blake2b_state){.out_len = (uint32_t)out_len};
    memcpy(state->h, IV, sizeof IV);
    state->h[0] ^= 0x01010000U ^ out_len; /* depth 1, fanout 1, no key */
}

void tl_blake2b_update(tl_blake2b_state *state, const void *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    while (len != 0) {
        if (state->at == TL_BLAKE2B_BLOCK_LEN) {
            state->len += TL_BLAKE2B_BLOCK_LEN;
            compress(state, state->block, state->len, false);
            state->at = 0;
        }
        const size_t room = TL_BLAKE2B_BLOCK_LEN - state->at;
        const size_t take = len < room ? len : room;
        memcpy(state->block + state->at, p, take);
        state->at += (uint32_t)take;
        p += take;
        len -= take;
        TL_ASSERT(state->at <= TL_BLAKE2B_BLOCK_LEN); /* HASH-2 */
    }
}

void tl_blake2b_final(tl_blake2b_state *state, uint8_t *out)
{
    memset(state->block + state->at, 0, TL_BLAKE2B_BLOCK_LEN - state->at);
    state->len += state->at;
    compress(state, state->block, state->len, true);
    for (size_t i = 0; i < state->out_len; i++) {
        out[i] = (uint8_t)(state->h[i / 8] >> (8 * (i % 8)));
    }
}

void tl_blake2b(uint8_t *out, size_t out_len, const void *data, size_t len)
{
    tl_blake2b_state state;
    tl_blake2b_init(&state, out_len);
    tl_blake2b_update(&state, data, len);
    tl_blake2b_final(&state, out);
}

void tl_blake2b_256(tl_hash32 *out, const void *data, size_t len)
{
    tl_blake2b(out->b, sizeof out->b, data, len);
}
