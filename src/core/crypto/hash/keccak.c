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

static uint64_t rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64 - n));
}

/* Step of the cycle: the lane that moves goes to `to`, turned by `bits`; what was there moves next. */
#define MOVE(to, bits)                                                                             \
    do {                                                                                           \
        const uint64_t next_ = a[to];                                                              \
        a[to] = rotl(moving, bits);                                                                \
        moving = next_;                                                                            \
    } while (0)

/* The cycle that pi makes of all lanes but the first, and how far rho turns each on its way. */
static void rho_and_pi(uint64_t a[25])
{
    uint64_t moving = a[1];
    MOVE(10, 1);
    MOVE(7, 3);
    MOVE(11, 6);
    MOVE(17, 10);
    MOVE(18, 15);
    MOVE(3, 21);
    MOVE(5, 28);
    MOVE(16, 36);
    MOVE(8, 45);
    MOVE(21, 55);
    MOVE(24, 2);
    MOVE(4, 14);
    MOVE(15, 27);
    MOVE(23, 41);
    MOVE(19, 56);
    MOVE(13, 8);
    MOVE(12, 25);
    MOVE(2, 43);
    MOVE(20, 62);
    MOVE(14, 18);
    MOVE(22, 39);
    MOVE(9, 61);
    MOVE(6, 20);
    MOVE(1, 44);
}

static void theta(uint64_t a[25])
{
    uint64_t parity[5];
    for (size_t x = 0; x < 5; x++) {
        parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    const uint64_t d[5] = {parity[4] ^ rotl(parity[1], 1), parity[0] ^ rotl(parity[2], 1),
                           parity[1] ^ rotl(parity[3], 1), parity[2] ^ rotl(parity[4], 1),
                           parity[3] ^ rotl(parity[0], 1)};
    for (size_t y = 0; y < 25; y += 5) {
        for (size_t x = 0; x < 5; x++) {
            a[x + y] ^= d[x];
        }
    }
}

static void chi(uint64_t a[25])
{
    for (size_t y = 0; y < 25; y += 5) {
        const uint64_t r0 = a[y], r1 = a[y + 1], r2 = a[y + 2], r3 = a[y + 3], r4 = a[y + 4];
        a[y] = r0 ^ (~r1 & r2);
        a[y + 1] = r1 ^ (~r2 & r3);
        a[y + 2] = r2 ^ (~r3 & r4);
        a[y + 3] = r3 ^ (~r4 & r0);
        a[y + 4] = r4 ^ (~r0 & r1);
    }
}

void tl_keccak_f1600(uint64_t lane[25])
{
    for (size_t round = 0; round < 24; round++) {
        theta(lane);
        rho_and_pi(lane);
        chi(lane);
        lane[0] ^= ROUND_CONSTANT[round]; /* iota */
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
