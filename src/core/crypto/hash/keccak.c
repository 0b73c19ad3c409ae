/* Keccak-f[1600] and the two hashes of rate 1088 on it. The 24 rounds are theta, rho with pi, chi, iota, in the order
 * of the Keccak reference (section 1.2); rho and pi walk one cycle of 24 lanes, so one lane of memory suffices. */
#include <string.h>

#include "base/error/error.h"
#include "core/crypto/hash/hash.h"

static const uint64_t ROUND_CONSTANT[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* The cycle that pi makes of all lanes but the first, and how far rho turns each. */
static const uint8_t PI_LANE[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                    15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t RHO_BITS[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                     27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64 - n));
}

void tl_keccak_f1600(uint64_t lane[25])
{
    for (size_t round = 0; round < 24; round++) {
        uint64_t parity[5];
        for (size_t x = 0; x < 5; x++) {
            parity[x] = lane[x] ^ lane[x + 5] ^ lane[x + 10] ^ lane[x + 15] ^ lane[x + 20];
        }
        for (size_t x = 0; x < 5; x++) {
            const uint64_t d = parity[(x + 4) % 5] ^ rotl(parity[(x + 1) % 5], 1);
            for (size_t y = 0; y < 25; y += 5) {
                lane[x + y] ^= d;
            }
        }
        uint64_t moving = lane[1];
        for (size_t i = 0; i < 24; i++) {
            const uint64_t next = lane[PI_LANE[i]];
            lane[PI_LANE[i]] = rotl(moving, RHO_BITS[i]);
            moving = next;
        }
        for (size_t y = 0; y < 25; y += 5) {
            uint64_t row[5];
            memcpy(row, lane + y, sizeof row);
            for (size_t x = 0; x < 5; x++) {
                lane[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        lane[0] ^= ROUND_CONSTANT[round];
    }
}

/* Lanes are little-endian by definition; shifts say so on every machine. */
static void absorb_byte(tl_keccak_state *state, size_t at, uint8_t byte)
{
    state->lane[at / 8] ^= (uint64_t)byte << (8 * (at % 8));
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) {
        x |= (uint64_t)p[i] << (8 * i);
    }
    return x;
}

void tl_keccak_init(tl_keccak_state *state)
{
    *state = (tl_keccak_state){.at = 0};
}

void tl_keccak_update(tl_keccak_state *state, const void *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    while (len != 0) {
        TL_ASSERT(state->at < TL_KECCAK_RATE_LEN); /* HASH-2 */
        if (state->at == 0 && len >= TL_KECCAK_RATE_LEN) {
            for (size_t i = 0; i < TL_KECCAK_RATE_LEN / 8; i++) {
                state->lane[i] ^= load_le64(p + 8 * i);
            }
            tl_keccak_f1600(state->lane);
            p += TL_KECCAK_RATE_LEN;
            len -= TL_KECCAK_RATE_LEN;
            continue;
        }
        absorb_byte(state, state->at, *p);
        p++;
        len--;
        if (++state->at == TL_KECCAK_RATE_LEN) {
            tl_keccak_f1600(state->lane);
            state->at = 0;
        }
    }
}

/* Pad: the domain's first byte, zeros, and the last bit of the block. Both may fall on one byte. */
static void finish(tl_keccak_state *state, uint8_t domain, tl_hash32 *out)
{
    absorb_byte(state, state->at, domain);
    absorb_byte(state, TL_KECCAK_RATE_LEN - 1, 0x80);
    tl_keccak_f1600(state->lane);
    for (size_t i = 0; i < sizeof out->b; i++) {
        out->b[i] = (uint8_t)(state->lane[i / 8] >> (8 * (i % 8)));
    }
}

void tl_sha3_256_final(tl_keccak_state *state, tl_hash32 *out)
{
    finish(state, 0x06, out);
}

void tl_keccak256_final(tl_keccak_state *state, tl_hash32 *out)
{
    finish(state, 0x01, out);
}

void tl_sha3_256(tl_hash32 *out, const void *data, size_t len)
{
    tl_keccak_state state;
    tl_keccak_init(&state);
    tl_keccak_update(&state, data, len);
    tl_sha3_256_final(&state, out);
}

void tl_keccak256(tl_hash32 *out, const void *data, size_t len)
{
    tl_keccak_state state;
    tl_keccak_init(&state);
    tl_keccak_update(&state, data, len);
    tl_keccak256_final(&state, out);
}
