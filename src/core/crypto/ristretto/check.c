/* The portable ways of deciding a claim, which are the definition, and the choice among the ways. */
#include "base/error/error.h"
#include "core/crypto/ristretto/ifma_internal.h"
#include "core/crypto/ristretto/point_internal.h"

/* --- sparse digits of several scalars over one row of doublings (Straus) --- */

enum {
    DIGITS_MAX = 256,
    WIDTH = 5, /* odd multiples 1 … 15 of a point that has no table: 8 of them */
    MULTIPLES = 1 << (WIDTH - 2),
    BASE_WIDTH = 8
};

static void odd_multiples(tl__cached out[MULTIPLES], const tl_ristretto *p)
{
    tl_ristretto twice;
    tl_ristretto sum;
    tl__cached step;
    tl__completed c;
    tl_ristretto_double(&twice, p);
    tl__point_cache(&step, &twice);
    tl__point_cache(&out[0], p);
    sum = *p;
    for (int i = 1; i < MULTIPLES; i++) {
        tl__point_add(&c, &sum, &step, false);
        tl__point_finish(&sum, &c);
        tl__point_cache(&out[i], &sum);
    }
}

static void add_digit(tl__completed *c, tl_ristretto *p, const tl__cached *multiples, int digit)
{
    tl__point_finish(p, c);
    tl__point_add(c, p, &multiples[(digit < 0 ? -digit : digit) / 2], digit < 0);
}

static void add_base_digit(tl__completed *c, tl_ristretto *p,
                           const tl_ristretto_multiple *multiples, int digit)
{
    tl__point_finish(p, c);
    tl__point_add_multiple(c, p, &multiples[(digit < 0 ? -digit : digit) - 1], digit < 0);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool decode_pair(tl_ristretto *p, tl_ristretto *q, const uint8_t *p_bytes,
                        const uint8_t *q_bytes)
{
    tl__decode d[2];
    tl_field power[2];
    tl_field root;
    if (!tl__decode_begin(&d[0], p_bytes) || !tl__decode_begin(&d[1], q_bytes)) {
        return false;
    }
    tl__field_pow7(&power[0], &d[0].square);
    tl__field_pow7(&power[1], &d[1].square);
    tl__field_pow_pair(power, power);
    return tl__field_invsqrt_from(&root, &d[0].square, &power[0]) &&
           tl__decode_finish(p, &d[0], &root) &&
           tl__field_invsqrt_from(&root, &d[1].square, &power[1]) &&
           tl__decode_finish(q, &d[1], &root);
}

bool tl__check_portable(const tl_ristretto_claim *claim)
{
    enum { BITS = 130 };
    tl_ristretto a;
    tl_ristretto r;
    if (!decode_pair(&a, &r, claim->a, claim->r)) {
        return false;
    }
    tl__halves halves;
    tl_scalar w;
    tl__claim_halves(&halves, &w, claim);
    int8_t u_digit[BITS];
    int8_t v_digit[BITS];
    int8_t low_digit[BITS];
    int8_t high_digit[BITS];
    size_t n = larger(tl__digits_sparse(u_digit, BITS, WIDTH, halves.u, 2),
                      tl__digits_sparse(v_digit, BITS, WIDTH, halves.v, 2));
    n = larger(n, tl__digits_sparse(low_digit, BITS, BASE_WIDTH, w.w, 2));
    n = larger(n, tl__digits_sparse(high_digit, BITS, BASE_WIDTH, w.w + 2, 2));
    tl__cached a_multiple[MULTIPLES];
    tl__cached r_multiple[MULTIPLES];
    odd_multiples(a_multiple, &a);
    odd_multiples(r_multiple, &r);
    tl_ristretto p;
    tl__completed c;
    tl_ristretto_identity(&p);
    while (n-- > 0) {
        tl__point_double(&c, &p);
        if (u_digit[n] != 0) {
            add_digit(&c, &p, a_multiple, halves.is_negative ? u_digit[n] : -u_digit[n]);
        }
        if (v_digit[n] != 0) {
            add_digit(&c, &p, r_multiple, -v_digit[n]);
        }
        if (low_digit[n] != 0) {
            add_base_digit(&c, &p, tl__base_multiples[0], low_digit[n]);
        }
        if (high_digit[n] != 0) {
            add_base_digit(&c, &p, tl__base_multiples[1], high_digit[n]);
        }
        tl__point_finish_xyz(&p, &c);
    }
    return tl__point_is_zero(&p);
}

void tl_ristretto_mul(tl_ristretto *out, const tl_scalar *k, const tl_ristretto *p)
{
    int8_t digit[DIGITS_MAX];
    tl__cached multiple[MULTIPLES];
    odd_multiples(multiple, p);
    tl_ristretto sum;
    tl_ristretto_identity(&sum);
    tl__completed c;
    for (size_t n = tl__digits_sparse(digit, DIGITS_MAX, WIDTH, k->w, 4); n-- > 0;) {
        tl__point_double(&c, &sum);
        if (digit[n] != 0) {
            add_digit(&c, &sum, multiple, digit[n]);
        }
        tl__point_finish(&sum, &c);
    }
    *out = sum;
}

/* --- tables --- */

enum {
    POSITIONS = TL_RISTRETTO_TABLE_POSITIONS,
    TABLE_WIDTH = TL_RISTRETTO_TABLE_WIDTH,
    RADIX_BITS = 4,
    PHASES = 4, /* digits of 4 bits between two positions of 16 */
    DIGITS = POSITIONS * PHASES
};

_Static_assert(TABLE_WIDTH == 1 << (RADIX_BITS - 1), "a digit is found in the table");
_Static_assert(DIGITS *RADIX_BITS >= 253, "a scalar fits its digits");

/* Multiples 1 … 8 of every position, in coordinates with a Z of their own. */
static void multiply_out(tl_ristretto at[POSITIONS * TABLE_WIDTH], const tl_ristretto *a)
{
    tl_ristretto p = *a;
    for (size_t i = 0; i < POSITIONS; i++) {
        tl_ristretto *row = &at[i * TABLE_WIDTH];
        tl__cached step;
        tl__completed c;
        tl__point_cache(&step, &p);
        row[0] = p;
        for (size_t j = 1; j < TABLE_WIDTH; j++) {
            tl__point_add(&c, &row[j - 1], &step, false);
            tl__point_finish(&row[j], &c);
        }
        p = row[TABLE_WIDTH - 1]; /* 8 of them: 13 doublings to the next position */
        for (unsigned n = 0; n < RADIX_BITS * PHASES - 3; n++) {
            tl__point_double(&c, &p);
            tl__point_finish_xyz(&p, &c);
        }
        tl__field_mul(&p.t, &c.e, &c.h);
    }
}

static void put_part(tl_ristretto_multiple *out, int part, const tl_field *x)
{
    tl_field whole;
    tl__field_freeze(&whole, x);
    for (int i = 0; i < 5; i++) {
        out->limb[i][part] = whole.limb[i];
    }
}

/* One inversion for all (Montgomery): run[i] is the product of the first i Z. */
static void flatten(tl_ristretto_multiple *out, const tl_ristretto *at, size_t n)
{
    tl_field run[POSITIONS * TABLE_WIDTH];
    tl_field inverse;
    run[0] = at[0].z;
    for (size_t i = 1; i < n; i++) {
        tl__field_mul(&run[i], &run[i - 1], &at[i].z);
    }
    tl__field_invert(&inverse, &run[n - 1]);
    for (size_t i = n; i-- > 0;) {
        tl_field z_inverse = inverse;
        if (i > 0) {
            tl__field_mul(&z_inverse, &inverse, &run[i - 1]);
            tl__field_mul(&inverse, &inverse, &at[i].z);
        }
        tl_field x;
        tl_field y;
        tl_field t;
        tl__field_mul(&x, &at[i].x, &z_inverse);
        tl__field_mul(&y, &at[i].y, &z_inverse);
        tl__field_mul(&t, &x, &y);
        tl__field_mul(&t, &t, &TL__FIELD_2D);
        put_part(&out[i], 2, &t);
        tl__field_add(&t, &y, &x);
        put_part(&out[i], 0, &t);
        tl__field_sub(&t, &y, &x);
        put_part(&out[i], 1, &t);
    }
}

bool tl_ristretto_table_make(tl_ristretto_table *out, const uint8_t a[TL_RISTRETTO_LEN])
{
    tl_ristretto p;
    if (!tl_ristretto_decode(&p, a)) {
        return false;
    }
    tl_ristretto at[POSITIONS * TABLE_WIDTH];
    multiply_out(at, &p);
    flatten(&out->at[0][0], at, POSITIONS * TABLE_WIDTH);
    return true;
}

void tl_ristretto_table_fetch(const tl_ristretto_table *a)
{
    enum { LINE = 64 };
    const char *from = (const char *)a;
    for (size_t i = 0; i < sizeof *a; i += LINE) {
        __builtin_prefetch(from + i, 0, 3);
    }
}

bool tl__table_check_portable(const tl_ristretto_table *a, const tl_ristretto_claim *claim)
{
    int8_t s_digit[DIGITS];
    int8_t k_digit[DIGITS];
    tl__digits_radix(s_digit, RADIX_BITS, claim->s.w, 4);
    tl__digits_radix(k_digit, RADIX_BITS, claim->k.w, 4);
    tl_ristretto p;
    tl__completed c;
    tl_ristretto_identity(&p);
    for (size_t phase = PHASES; phase-- > 0;) {
        for (unsigned i = 0; phase != PHASES - 1 && i < RADIX_BITS; i++) {
            tl__point_double(&c, &p);
            tl__point_finish(&p, &c);
        }
        for (size_t i = 0; i < POSITIONS; i++) {
            const int s = s_digit[i * PHASES + phase];
            const int k = k_digit[i * PHASES + phase];
            if (s != 0) {
                tl__point_add_multiple(&c, &p, &tl__base_table.at[i][(s < 0 ? -s : s) - 1], s < 0);
                tl__point_finish(&p, &c);
            }
            if (k != 0) {
                tl__point_add_multiple(&c, &p, &a->at[i][(k < 0 ? -k : k) - 1], k > 0);
                tl__point_finish(&p, &c);
            }
        }
    }
    uint8_t encoded[TL_RISTRETTO_LEN];
    tl_ristretto_encode(encoded, &p);
    return memcmp(encoded, claim->r, sizeof encoded) == 0;
}

/* --- the choice --- */

bool tl_ristretto_check(const tl_ristretto_claim *claim)
{
#if TL__WITH_IFMA
    if (tl__has_ifma()) {
        return tl__check_ifma(claim); /* RIS-2 */
    }
#endif
    return tl__check_portable(claim);
}

bool tl_ristretto_table_check(const tl_ristretto_table *a, const tl_ristretto_claim *claim)
{
#if TL__WITH_IFMA
    if (tl__has_ifma()) {
        return tl__table_check_ifma(a, claim); /* RIS-2 */
    }
#endif
    return tl__table_check_portable(a, claim);
}

void tl_ristretto_check_many(bool *out, const tl_ristretto_claim *claims, size_t n)
{
    size_t i = 0;
#if TL__WITH_IFMA
    enum { LANES = 8, WORTH_LANES = 4 };
    while (tl__has_ifma() && n - i >= WORTH_LANES) {
        const size_t count = n - i < LANES ? n - i : LANES;
        tl__check_lanes(out + i, claims + i, count); /* RIS-2 */
        i += count;
    }
#endif
    for (; i < n; i++) {
        out[i] = tl_ristretto_check(&claims[i]);
    }
}
