/* ristretto: the group that sr25519 signatures live in (RFC 9496), in variable time, for public data only.
 * For         deciding whether s*B - k*A is R, for one, for a known A, or for many at once
 * Takes       32-byte encodings of elements, scalars below L
 * Gives       elements, tables of multiples, verdicts
 * Calls       libc's memcpy                     Called by   crypto/srverify
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  RIS-1 what decodes, encodes to the same bytes; what is not canonical does not decode
 *             RIS-2 every way of calculating gives the same element: portable, vectorised, by table, in lanes
 *             RIS-3 a scalar is below L
 * Read        field_internal.h, then point.c, scalar.c, check.c; ifma_internal.h, ifma.c and lanes.c for the vectors
 *
 * NEVER with secrets: everything here is in variable time, whether its name ends in _var or not. Secret scalars go
 * through libsodium, whose group the tests hold this one against.
 *
 * Elements are points of the Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 over 2^255 - 19, taken modulo its four points of
 * small order; L = 2^252 + 27742317777372353535851937790883648493 is the order of the group and B its generator.
 *
 * How a verdict is found without 253 doublings. For a key never seen, the half-way point of Euclid's algorithm on
 * (L, k) gives u and v, both of some 126 bits, with v*k = u (mod L) and v not 0. The order of the group is prime, so
 *
 *      s*B - k*A = R     if and only if     (v*s)*B - u*A - v*R = 0
 *
 * and with a table for B and one for 2^128 B all four scalars have 128 bits: half of the doublings are gone (Antipa,
 * Brown, Gallant, Lambert, Struik, Vanstone 2005; Pornin 2020). For a key that was seen, a table of its multiples at
 * sixteen positions leaves 12 doublings.
 */
#ifndef TALLY_CORE_CRYPTO_RISTRETTO_H
#define TALLY_CORE_CRYPTO_RISTRETTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_RISTRETTO_LEN 32 /* bytes of an encoding */

/* tl_scalar: a number modulo L, always below L; words from the lowest. */
typedef struct tl_scalar {
    uint64_t w[4];
} tl_scalar;

/* tl_scalar_decode: 32 bytes, little-endian; false, *out untouched, when the number is not below L. */
bool tl_scalar_decode(tl_scalar *out, const uint8_t in[32]);
void tl_scalar_encode(uint8_t out[32], const tl_scalar *a);

/* tl_scalar_reduce: 64 bytes, little-endian, modulo L. */
void tl_scalar_reduce(tl_scalar *out, const uint8_t in[64]);
void tl_scalar_mul(tl_scalar *out, const tl_scalar *a, const tl_scalar *b);

/* tl_field: a number modulo 2^255 - 19 in limbs of 51 bits, from the lowest, with room above. */
typedef struct tl_field {
    uint64_t limb[5];
} tl_field;

/* tl_ristretto: an element as a point in extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z. */
typedef struct tl_ristretto {
    tl_field x, y, z, t;
} tl_ristretto;

void tl_ristretto_identity(tl_ristretto *out);
void tl_ristretto_base(tl_ristretto *out);

/* tl_ristretto_decode: false, *out untouched, when the bytes are no element's encoding (RIS-1). */
bool tl_ristretto_decode(tl_ristretto *out, const uint8_t in[TL_RISTRETTO_LEN]);
void tl_ristretto_encode(uint8_t out[TL_RISTRETTO_LEN], const tl_ristretto *p);
void tl_ristretto_add(tl_ristretto *out, const tl_ristretto *p, const tl_ristretto *q);
void tl_ristretto_sub(tl_ristretto *out, const tl_ristretto *p, const tl_ristretto *q);
void tl_ristretto_double(tl_ristretto *out, const tl_ristretto *p);
bool tl_ristretto_eq(const tl_ristretto *p, const tl_ristretto *q);

/* tl_ristretto_mul: k*p. */
void tl_ristretto_mul(tl_ristretto *out, const tl_scalar *k, const tl_ristretto *p);

/* tl_ristretto_claim: "s*B - k*A = R": what a verdict is about. */
typedef struct tl_ristretto_claim {
    const uint8_t *a; /* encodings of TL_RISTRETTO_LEN bytes */
    const uint8_t *r;
    tl_scalar s;
    tl_scalar k;
} tl_ristretto_claim;

/* tl_ristretto_check: is it so? False as well when a or r does not decode. */
bool tl_ristretto_check(const tl_ristretto_claim *claim);

/* tl_ristretto_check_many: out[i] becomes tl_ristretto_check(&claims[i]); eight at a time where lanes are to be had. */
void tl_ristretto_check_many(bool *out, const tl_ristretto_claim *claims, size_t n);

/* tl_ristretto_table: multiples 1 … 8 of 2^(16 i) * A at i = 0 … 15, with z = 1: y + x, y - x, 2 d x y. */
#define TL_RISTRETTO_TABLE_POSITIONS 16
#define TL_RISTRETTO_TABLE_WIDTH     8

/* tl_ristretto_multiple: one point of a table; limb i of all three numbers stands together, as vectors want it. */
typedef struct tl_ristretto_multiple {
    uint64_t limb[5][3]; /* y + x, y - x, 2 d x y */
} tl_ristretto_multiple;

typedef struct tl_ristretto_table {
    tl_ristretto_multiple at[TL_RISTRETTO_TABLE_POSITIONS][TL_RISTRETTO_TABLE_WIDTH];
} tl_ristretto_table;

#define TL_RISTRETTO_TABLE_LEN sizeof(tl_ristretto_table) /* 15,360 bytes */

/* tl_ristretto_table_make: the table of a; false, *out untouched, when a does not decode. */
bool tl_ristretto_table_make(tl_ristretto_table *out, const uint8_t a[TL_RISTRETTO_LEN]);

/* tl_ristretto_table_fetch: asks for the table to be brought near the processor, and does not wait. A table that was not
 * used for a while costs more to wait for than to calculate with: to be called some 1,000 cycles ahead of the check. */
void tl_ristretto_table_fetch(const tl_ristretto_table *a);

/* tl_ristretto_table_check: tl_ristretto_check by the table of A; claim->a is not looked at. */
bool tl_ristretto_table_check(const tl_ristretto_table *a, const tl_ristretto_claim *claim);

#ifdef __cplusplus
}
#endif

#endif
