/* The field of 2^255 - 19 elements, portable: five limbs of 51 bits, products in 128 bits. Nothing outside this room
 * includes it.
 *
 * Bounds, in bits of a limb: what mul and sq give is below 2^51 + 2^13 ("tight"); they take limbs below 2^54. add of two
 * tight ones is below 2^52.1, sub and neg of tight or once-added ones below 2^53.4: so a sum or a difference may go into
 * a product at once, but not into a third sum without care. Only freeze gives the one number below p.
 */
#ifndef TALLY_CORE_CRYPTO_RISTRETTO_FIELD_INTERNAL_H
#define TALLY_CORE_CRYPTO_RISTRETTO_FIELD_INTERNAL_H

#include <string.h>

#include "core/crypto/ristretto/ristretto.h"

__extension__ typedef unsigned __int128 tl__u128;

#define TL__LIMB_BITS 51
#define TL__LIMB_MASK (((uint64_t)1 << TL__LIMB_BITS) - 1)

static const tl_field TL__FIELD_ZERO = {{0, 0, 0, 0, 0}};
static const tl_field TL__FIELD_ONE = {{1, 0, 0, 0, 0}};

/* d = -121665/121666 */
static const tl_field TL__FIELD_D = {{0x00034dca135978a3, 0x0001a8283b156ebd, 0x0005e7a26001c029,
                                      0x000739c663a03cbb, 0x00052036cee2b6ff}};
static const tl_field TL__FIELD_2D = {{0x00069b9426b2f159, 0x00035050762add7a, 0x0003cf44c0038052,
                                       0x0006738cc7407977, 0x0002406d9dc56dff}};
/* the square root of -1 that is even */
static const tl_field TL__FIELD_SQRT_M1 = {{0x00061b274a0ea0b0, 0x0000d5a5fc8f189d,
                                            0x0007ef5e9cbd0c60, 0x00078595a6804c9e,
                                            0x0002b8324804fc1d}};
/* 1 / sqrt(-1 - d) */
static const tl_field TL__FIELD_INVSQRT_A_MINUS_D = {{0x0000fdaa805d40ea, 0x0002eb482e57d339,
                                                      0x000007610274bc58, 0x0006510b613dc8ff,
                                                      0x000786c8905cfaff}};

static inline uint64_t tl__load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline void tl__store64(uint8_t *p, uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(p, &x, sizeof x);
}

static inline void tl__field_add(tl_field *out, const tl_field *a, const tl_field *b)
{
    for (int i = 0; i < 5; i++) {
        out->limb[i] = a->limb[i] + b->limb[i];
    }
}

/* a + 4p - b: no limb goes below zero while those of b are below 2^53 - 76. */
static inline void tl__field_sub(tl_field *out, const tl_field *a, const tl_field *b)
{
    out->limb[0] = a->limb[0] + 0x1fffffffffffb4 - b->limb[0];
    for (int i = 1; i < 5; i++) {
        out->limb[i] = a->limb[i] + 0x1ffffffffffffc - b->limb[i];
    }
}

/* Carry once around: limbs of up to 63 bits become tight. */
static inline void tl__field_carry(tl_field *a)
{
    uint64_t c = 0;
    for (int i = 0; i < 5; i++) {
        a->limb[i] += c;
        c = a->limb[i] >> TL__LIMB_BITS;
        a->limb[i] &= TL__LIMB_MASK;
    }
    a->limb[0] += 19 * c;
}

static inline void tl__field_neg(tl_field *out, const tl_field *a)
{
    tl__field_sub(out, &TL__FIELD_ZERO, a);
    tl__field_carry(out);
}

/* The five sums of products become tight limbs. Each is below 2^115, so the carries fit 64 bits. */
static inline void tl__field_fold(tl_field *out, tl__u128 r0, tl__u128 r1, tl__u128 r2, tl__u128 r3,
                                  tl__u128 r4)
{
    r1 += (uint64_t)(r0 >> TL__LIMB_BITS);
    r2 += (uint64_t)(r1 >> TL__LIMB_BITS);
    r3 += (uint64_t)(r2 >> TL__LIMB_BITS);
    r4 += (uint64_t)(r3 >> TL__LIMB_BITS);
    uint64_t l0 = (uint64_t)r0 & TL__LIMB_MASK;
    l0 += 19 * (uint64_t)(r4 >> TL__LIMB_BITS);
    out->limb[0] = l0 & TL__LIMB_MASK;
    out->limb[1] = ((uint64_t)r1 & TL__LIMB_MASK) + (l0 >> TL__LIMB_BITS);
    out->limb[2] = (uint64_t)r2 & TL__LIMB_MASK;
    out->limb[3] = (uint64_t)r3 & TL__LIMB_MASK;
    out->limb[4] = (uint64_t)r4 & TL__LIMB_MASK;
}

static inline void tl__field_mul(tl_field *out, const tl_field *a, const tl_field *b)
{
    const uint64_t a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3],
                   a4 = a->limb[4];
    const uint64_t b0 = b->limb[0], b1 = b->limb[1], b2 = b->limb[2], b3 = b->limb[3],
                   b4 = b->limb[4];
    const uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4; /* 2^255 = 19 */
    const tl__u128 r0 = (tl__u128)a0 * b0 + (tl__u128)a1 * c4 + (tl__u128)a2 * c3 +
                        (tl__u128)a3 * c2 + (tl__u128)a4 * c1;
    const tl__u128 r1 = (tl__u128)a0 * b1 + (tl__u128)a1 * b0 + (tl__u128)a2 * c4 +
                        (tl__u128)a3 * c3 + (tl__u128)a4 * c2;
    const tl__u128 r2 = (tl__u128)a0 * b2 + (tl__u128)a1 * b1 + (tl__u128)a2 * b0 +
                        (tl__u128)a3 * c4 + (tl__u128)a4 * c3;
    const tl__u128 r3 = (tl__u128)a0 * b3 + (tl__u128)a1 * b2 + (tl__u128)a2 * b1 +
                        (tl__u128)a3 * b0 + (tl__u128)a4 * c4;
    const tl__u128 r4 = (tl__u128)a0 * b4 + (tl__u128)a1 * b3 + (tl__u128)a2 * b2 +
                        (tl__u128)a3 * b1 + (tl__u128)a4 * b0;
    tl__field_fold(out, r0, r1, r2, r3, r4);
}

static inline void tl__field_sq(tl_field *out, const tl_field *a)
{
    const uint64_t a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3],
                   a4 = a->limb[4];
    const uint64_t d0 = 2 * a0, d1 = 2 * a1, c3 = 19 * a3, c4 = 19 * a4;
    const tl__u128 r0 = (tl__u128)a0 * a0 + (tl__u128)d1 * c4 + (tl__u128)(2 * a2) * c3;
    const tl__u128 r1 = (tl__u128)d0 * a1 + (tl__u128)(2 * a2) * c4 + (tl__u128)a3 * c3;
    const tl__u128 r2 = (tl__u128)d0 * a2 + (tl__u128)a1 * a1 + (tl__u128)(2 * a3) * c4;
    const tl__u128 r3 = (tl__u128)d0 * a3 + (tl__u128)d1 * a2 + (tl__u128)a4 * c4;
    const tl__u128 r4 = (tl__u128)d0 * a4 + (tl__u128)d1 * a3 + (tl__u128)a2 * a2;
    tl__field_fold(out, r0, r1, r2, r3, r4);
}

/* What is not inlined: field.c. */

/* tl__field_load: the low 255 bits of 32 bytes, little-endian. */
void tl__field_load(tl_field *out, const uint8_t in[32]);

/* tl__field_freeze: the one number below p, in limbs below 2^51. */
void tl__field_freeze(tl_field *out, const tl_field *a);
void tl__field_store(uint8_t out[32], const tl_field *a);
bool tl__field_is_zero(const tl_field *a);
bool tl__field_eq(const tl_field *a, const tl_field *b);

/* tl__field_is_negative: RFC 9496 calls a number negative when its form below p is odd. */
bool tl__field_is_negative(const tl_field *a);

/* tl__field_pow: a^((p - 5) / 8) = a^(2^252 - 3); _pair does two at once, which hides half of the waiting. */
void tl__field_pow(tl_field *out, const tl_field *a);
void tl__field_pow_pair(tl_field out[2], const tl_field a[2]);

/* tl__field_invert: 1/a, and 0 for 0. */
void tl__field_invert(tl_field *out, const tl_field *a);

/* tl__field_invsqrt: a square root of 1/a and true; something else and false when a has no root or is zero, but for a
 * zero *out is zero. (SQRT_RATIO_M1 of RFC 9496 with a numerator of one, but for the sign.) _from takes a^((p-5)/8) of
 * a^7, so that pairs can share the long part. */
bool tl__field_invsqrt(tl_field *out, const tl_field *a);
void tl__field_pow7(tl_field *out, const tl_field *a); /* a^7 */
bool tl__field_invsqrt_from(tl_field *out, const tl_field *a, const tl_field *power);

#endif
