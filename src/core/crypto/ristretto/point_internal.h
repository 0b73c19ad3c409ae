/* Points, scalars and digits of this room. Nothing outside it includes this. */
#ifndef TALLY_CORE_CRYPTO_RISTRETTO_POINT_INTERNAL_H
#define TALLY_CORE_CRYPTO_RISTRETTO_POINT_INTERNAL_H

#include "core/crypto/ristretto/field_internal.h"
#include "core/crypto/ristretto/ristretto.h"

/* --- points (Hisil, Wong, Carter, Dawson 2008; a = -1) --- */

/* tl__completed: the last step but one of an addition: X = e f, Y = g h, Z = f g, T = e h. A doubling wants no T, so
 * whoever doubles next leaves that product out. */
typedef struct tl__completed {
    tl_field e, f, g, h;
} tl__completed;

/* tl__cached: a point as the right side of additions wants it. */
typedef struct tl__cached {
    tl_field y_plus_x, y_minus_x, z2, t2d; /* 2 Z, 2 d T */
} tl__cached;

static inline void tl__point_finish(tl_ristretto *out, const tl__completed *c)
{
    tl__field_mul(&out->x, &c->e, &c->f);
    tl__field_mul(&out->y, &c->g, &c->h);
    tl__field_mul(&out->z, &c->f, &c->g);
    tl__field_mul(&out->t, &c->e, &c->h);
}

/* As finish, but for T, which keeps what it was. */
static inline void tl__point_finish_xyz(tl_ristretto *out, const tl__completed *c)
{
    tl__field_mul(&out->x, &c->e, &c->f);
    tl__field_mul(&out->y, &c->g, &c->h);
    tl__field_mul(&out->z, &c->f, &c->g);
}

/* 2 p; T of p is not looked at. */
static inline void tl__point_double(tl__completed *out, const tl_ristretto *p)
{
    tl_field a;
    tl_field b;
    tl_field c;
    tl_field sum;
    tl__field_sq(&a, &p->x);
    tl__field_sq(&b, &p->y);
    tl__field_sq(&c, &p->z);
    tl__field_add(&c, &c, &c);
    tl__field_add(&sum, &p->x, &p->y);
    tl__field_sq(&sum, &sum);
    tl__field_add(&out->h, &a, &b);
    tl__field_sub(&out->e, &out->h, &sum);
    tl__field_sub(&out->g, &a, &b);
    tl__field_add(&out->f, &c, &out->g);
}

/* p + q, or p - q: the negative of a point has x and t negated, so its sums change places. */
static inline void tl__point_add(tl__completed *out, const tl_ristretto *p, const tl__cached *q,
                                 bool is_negated)
{
    tl_field a;
    tl_field b;
    tl_field c;
    tl_field d;
    tl__field_sub(&a, &p->y, &p->x);
    tl__field_add(&b, &p->y, &p->x);
    tl__field_mul(&a, &a, is_negated ? &q->y_plus_x : &q->y_minus_x);
    tl__field_mul(&b, &b, is_negated ? &q->y_minus_x : &q->y_plus_x);
    tl__field_mul(&c, &p->t, &q->t2d);
    tl__field_mul(&d, &p->z, &q->z2);
    tl__field_sub(&out->e, &b, &a);
    tl__field_add(&out->h, &b, &a);
    tl__field_sub(is_negated ? &out->g : &out->f, &d, &c);
    tl__field_add(is_negated ? &out->f : &out->g, &d, &c);
}

static inline void tl__multiple_part(tl_field *out, const tl_ristretto_multiple *q, int part)
{
    for (int i = 0; i < 5; i++) {
        out->limb[i] = q->limb[i][part];
    }
}

/* The same for a point of a table, whose Z is 1. */
static inline void tl__point_add_multiple(tl__completed *out, const tl_ristretto *p,
                                          const tl_ristretto_multiple *q, bool is_negated)
{
    tl_field a;
    tl_field b;
    tl_field c;
    tl_field d;
    tl_field part;
    tl__field_sub(&a, &p->y, &p->x);
    tl__field_add(&b, &p->y, &p->x);
    tl__multiple_part(&part, q, is_negated ? 0 : 1);
    tl__field_mul(&a, &a, &part);
    tl__multiple_part(&part, q, is_negated ? 1 : 0);
    tl__field_mul(&b, &b, &part);
    tl__multiple_part(&part, q, 2);
    tl__field_mul(&c, &p->t, &part);
    tl__field_add(&d, &p->z, &p->z);
    tl__field_sub(&out->e, &b, &a);
    tl__field_add(&out->h, &b, &a);
    tl__field_sub(is_negated ? &out->g : &out->f, &d, &c);
    tl__field_add(is_negated ? &out->f : &out->g, &d, &c);
}

static inline void tl__point_cache(tl__cached *out, const tl_ristretto *p)
{
    tl__field_add(&out->y_plus_x, &p->y, &p->x);
    tl__field_sub(&out->y_minus_x, &p->y, &p->x);
    tl__field_add(&out->z2, &p->z, &p->z);
    tl__field_mul(&out->t2d, &p->t, &TL__FIELD_2D);
}

/* tl__point_is_zero: is p the identity of the group, that is, one of the four points of order 1, 2 or 4? Exactly those
 * have x = 0 or y = 0. */
bool tl__point_is_zero(const tl_ristretto *p);

/* tl__is_canonical: is it a number below p that is not negative? */
bool tl__is_canonical(const uint8_t in[TL_RISTRETTO_LEN]);

/* tl__decode: an element on its way from its bytes; tl__decode_begin is false when the bytes are not canonical. The root
 * of 1/(v u2^2) is found between the two, alone or in pairs or lanes. */
typedef struct tl__decode {
    tl_field s, u1, u2, v, square; /* square = v u2^2 */
} tl__decode;

bool tl__decode_begin(tl__decode *d, const uint8_t in[TL_RISTRETTO_LEN]);
bool tl__decode_finish(tl_ristretto *out, const tl__decode *d, const tl_field *invsqrt);

/* --- scalars --- */

/* tl__halves: u below 2^126 and v below 2^126 + 2^63, v not 0, with v*k = u (mod L), or v*k = -u when is_negative. */
typedef struct tl__halves {
    uint64_t u[2];
    uint64_t v[2];
    bool is_negative;
} tl__halves;

void tl__scalar_halve(tl__halves *out, const tl_scalar *k);

/* tl__claim_halves: what a claim becomes: w*B = (is_negative ? -u : u)*A + v*R, w = v*s mod L. */
void tl__claim_halves(tl__halves *halves, tl_scalar *w, const tl_ristretto_claim *claim);

/* tl__digits_radix: digits of bits bits (4 or 8), each from -2^(bits-1) to 2^(bits-1) - 1, whose weighted sum is the
 * number of 64-bit words; 64 / bits of them a word. The number must be below 0.46 of what the words hold (asserted:
 * the digits would want one more). */
void tl__digits_radix(int8_t *out, unsigned bits, const uint64_t *word, size_t words);

/* tl__digits_sparse: digits for bits 0 … n - 1, zero or odd and below 2^(width-1), of any width zero but one at most.
 * Returns how many of them there are up to the last that is not zero. n must be above the bits of the number. */
size_t tl__digits_sparse(int8_t *out, size_t n, unsigned width, const uint64_t *word, size_t words);

/* --- tables/base.c: generated by base.py --- */

/* multiples 1 … 128 of B and of 2^128 B */
extern const tl_ristretto_multiple tl__base_multiples[2][128];

/* the table of B */
extern const tl_ristretto_table tl__base_table;

/* --- the ways of checking: check.c, ifma.c, lanes.c --- */

bool tl__check_portable(const tl_ristretto_claim *claim);
bool tl__table_check_portable(const tl_ristretto_table *a, const tl_ristretto_claim *claim);

#endif
