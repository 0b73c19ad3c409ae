/* Keccak-f[1600] and the two hashes of rate 1088 on it. The 24 rounds are theta, rho with pi, chi, iota, in the order
 * of the Keccak reference (section 1.2). */
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

static uint64_t rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64 - n));
}

/* One row of the next state: five lanes of the last one, each with its column's parity (theta), turned (rho), brought
 * here (pi) and mixed (chi). Lanes are named, not walked: as loops over memory this takes twice as long. */
static void make_row(uint64_t out[5], uint64_t r0, uint64_t r1, uint64_t r2, uint64_t r3,
                     uint64_t r4)
{
    out[0] = r0 ^ (~r1 & r2);
    out[1] = r1 ^ (~r2 & r3);
    out[2] = r2 ^ (~r3 & r4);
    out[3] = r3 ^ (~r4 & r0);
    out[4] = r4 ^ (~r0 & r1);
}

/* b = the round of a; two states take turns, so that no lane waits for its place. */
static void run_round(uint64_t b[25], const uint64_t a[25], uint64_t constant)
{
    const uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    const uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    const uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    const uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    const uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    const uint64_t d0 = c4 ^ rotl(c1, 1), d1 = c0 ^ rotl(c2, 1), d2 = c1 ^ rotl(c3, 1),
                   d3 = c2 ^ rotl(c4, 1), d4 = c3 ^ rotl(c0, 1);
    make_row(b, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21),
             rotl(a[24] ^ d4, 14));
    b[0] ^= constant; /* iota */
    make_row(b + 5, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3),
             rotl(a[16] ^ d1, 45), rotl(a[22] ^ d2, 61));
    make_row(b + 10, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25),
             rotl(a[19] ^ d4, 8), rotl(a[20] ^ d0, 18));
    make_row(b + 15, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10),
             rotl(a[17] ^ d2, 15), rotl(a[23] ^ d3, 56));
    make_row(b + 20, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39),
             rotl(a[15] ^ d0, 41), rotl(a[21] ^ d1, 2));
}

void tl_keccak_f1600(uint64_t lane[25])
{
    uint64_t other[25];
    for (size_t round = 0; round < 24; round += 2) {
        run_round(other, lane, ROUND_CONSTANT[round]);
        run_round(lane, other, ROUND_CONSTANT[round + 1]);
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
