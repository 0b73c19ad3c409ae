/* Eight claims at a time with AVX-512 IFMA: one a lane. No lane looks at another, so that nothing is shuffled and nothing
 * waits: an addition of eight points costs what an addition of two does in ifma.c. Every claim has its own verdict; a
 * lane whose bytes decode to nothing goes along and is ignored. */
#include "core/crypto/ristretto/ifma_internal.h"

#if TL__WITH_IFMA

enum {
    LANES = 8,
    WINDOW_BITS = 4,
    WINDOWS = 128 / WINDOW_BITS,
    WIDTH = 8, /* multiples 1 … 8 */
    BASE_BITS = 8,
    BASE_WINDOWS = 256 / BASE_BITS
};

typedef struct points {
    tl__f8 x, y, z, t;
} points;

typedef struct addends {
    tl__f8 y_plus_x, y_minus_x, z2, t2d;
} addends;

TL__IFMA_INLINE tl__f8 number(uint64_t low)
{
    const __m512i zero = _mm512_setzero_si512();
    return (tl__f8){{_mm512_set1_epi64((long long)low), zero, zero, zero, zero}};
}

TL__IFMA_INLINE tl__f8 sum(tl__f8 a, tl__f8 b)
{
    return tl__f8_reduce(tl__f8_add(a, b));
}

TL__IFMA_INLINE tl__f8 difference(tl__f8 a, tl__f8 b)
{
    return tl__f8_reduce(tl__f8_sub(a, b));
}

TL__IFMA_INLINE tl__f8 blend(__mmask8 lanes, tl__f8 a, tl__f8 b)
{
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        a.limb[i] = _mm512_mask_mov_epi64(a.limb[i], lanes, b.limb[i]);
    }
    return a;
}

/* --- comparing: as tl__field_freeze --- */

TL__IFMA_INLINE tl__f8 ripple(tl__f8 a)
{
    const __m512i mask = _mm512_set1_epi64((long long)TL__LIMB_MASK);
    __m512i c = _mm512_setzero_si512();
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i x = tl__plus(a.limb[i], c);
        c = _mm512_srli_epi64(x, TL__LIMB_BITS);
        a.limb[i] = _mm512_and_si512(x, mask);
    }
    a.limb[0] = tl__plus_19(a.limb[0], c);
    return a;
}

TL__IFMA_INLINE tl__f8 freeze(tl__f8 a)
{
    a = ripple(ripple(a));
    __m512i c = _mm512_srli_epi64(tl__plus(a.limb[0], _mm512_set1_epi64(19)), TL__LIMB_BITS);
    TL__UNROLL
    for (int i = 1; i < 5; i++) {
        c = _mm512_srli_epi64(tl__plus(a.limb[i], c), TL__LIMB_BITS);
    }
    a.limb[0] = tl__plus_19(a.limb[0], c);
    const __m512i top = _mm512_set1_epi64((long long)TL__LIMB_MASK);
    TL__UNROLL
    for (int i = 0; i < 4; i++) {
        a.limb[i + 1] = tl__plus(a.limb[i + 1], _mm512_srli_epi64(a.limb[i], TL__LIMB_BITS));
        a.limb[i] = _mm512_and_si512(a.limb[i], top);
    }
    a.limb[4] = _mm512_and_si512(a.limb[4], top);
    return a;
}

TL__IFMA_INLINE __mmask8 lanes_of_zero(tl__f8 a)
{
    a = freeze(a);
    const __m512i all = _mm512_or_si512(_mm512_or_si512(_mm512_or_si512(a.limb[0], a.limb[1]),
                                                        _mm512_or_si512(a.limb[2], a.limb[3])),
                                        a.limb[4]);
    return _mm512_testn_epi64_mask(all, all);
}

TL__IFMA_INLINE __mmask8 lanes_of_negative(tl__f8 a)
{
    return _mm512_test_epi64_mask(freeze(a).limb[0], _mm512_set1_epi64(1));
}

/* --- decoding, in the steps and letters of point.c --- */

typedef struct decoding {
    tl__f8 s, u1, u2, v, square, power;
    __mmask8 is_canonical;
} decoding;

/* in: eight encodings. The bytes are looked at one by one; what is not canonical becomes zero and is remembered. */
TL__IFMA_INLINE void begin_decoding(decoding *d, const uint8_t *const in[LANES])
{
    tl_field s[LANES];
    d->is_canonical = 0;
    for (unsigned i = 0; i < LANES; i++) {
        s[i] = TL__FIELD_ZERO;
        if (tl__is_canonical(in[i])) {
            tl__field_load(&s[i], in[i]);
            d->is_canonical = (__mmask8)(d->is_canonical | 1u << i);
        }
    }
    const tl__f8 one = number(1);
    d->s = tl__f8_load(s);
    const tl__f8 ss = tl__f8_sq(d->s);
    d->u1 = difference(one, ss);
    d->u2 = sum(one, ss);
    const tl__f8 u2_sq = tl__f8_sq(d->u2);
    const tl__f8 t = tl__f8_mul(tl__f8_sq(d->u1), tl__f8_all(&TL__FIELD_D));
    d->v = tl__f8_reduce(tl__f8_sub(tl__f8_sub(number(0), t), u2_sq)); /* -(d u1^2) - u2^2 */
    d->square = tl__f8_mul(d->v, u2_sq);
    const tl__f8 cube = tl__f8_mul(tl__f8_sq(d->square), d->square);
    d->power = tl__f8_mul(tl__f8_sq(cube), d->square);
}

/* power has become a^((p-5)/8) of square^7. Returns the lanes that decoded. */
TL__IFMA_INLINE __mmask8 finish_decoding(points *out, const decoding *d)
{
    const tl__f8 cube = tl__f8_mul(tl__f8_sq(d->square), d->square);
    tl__f8 root = tl__f8_mul(cube, d->power);
    const tl__f8 check = tl__f8_mul(tl__f8_sq(root), d->square);
    const __mmask8 is_root = lanes_of_zero(tl__f8_sub(check, number(1)));
    const __mmask8 is_turned = lanes_of_zero(tl__f8_add(check, number(1)));
    root = blend(is_turned, root, tl__f8_mul(root, tl__f8_all(&TL__FIELD_SQRT_M1)));
    const tl__f8 den_x = tl__f8_mul(root, d->u2);
    const tl__f8 den_y = tl__f8_mul(tl__f8_mul(root, den_x), d->v);
    tl__f8 x = tl__f8_mul(d->s, den_x);
    x = sum(x, x);
    x = blend(lanes_of_negative(x), x, difference(number(0), x));
    out->x = x;
    out->y = tl__f8_mul(d->u1, den_y);
    out->z = number(1);
    out->t = tl__f8_mul(x, out->y);
    const __mmask8 is_wrong = (__mmask8)(lanes_of_negative(out->t) | lanes_of_zero(out->y));
    return (__mmask8)(d->is_canonical & (is_root | is_turned) & ~is_wrong);
}

/* --- points, in the letters of point_internal.h --- */

TL__IFMA_INLINE void finish(points *p, tl__f8 e, tl__f8 f, tl__f8 g, tl__f8 h, bool with_t)
{
    e = tl__f8_reduce(e);
    f = tl__f8_reduce(f);
    g = tl__f8_reduce(g);
    h = tl__f8_reduce(h);
    p->x = tl__f8_mul(e, f);
    p->y = tl__f8_mul(g, h);
    p->z = tl__f8_mul(f, g);
    if (with_t) {
        p->t = tl__f8_mul(e, h);
    }
}

TL__IFMA static void twice(points *p, bool with_t)
{
    const tl__f8 a = tl__f8_sq(p->x);
    const tl__f8 b = tl__f8_sq(p->y);
    const tl__f8 c = tl__f8_sq(p->z);
    const tl__f8 s = tl__f8_sq(sum(p->x, p->y));
    const tl__f8 h = tl__f8_add(a, b);
    const tl__f8 g = tl__f8_sub(a, b);
    finish(p, tl__f8_sub(h, s), tl__f8_add(tl__f8_add(c, c), g), g, h, with_t);
}

/* p + q; with_t as for twice: what is doubled next needs none. */
TL__IFMA static void plus(points *p, const addends *q, bool with_t)
{
    const tl__f8 a = tl__f8_mul(difference(p->y, p->x), q->y_minus_x);
    const tl__f8 b = tl__f8_mul(sum(p->y, p->x), q->y_plus_x);
    const tl__f8 c = tl__f8_mul(p->t, q->t2d);
    const tl__f8 d = tl__f8_mul(p->z, q->z2);
    finish(p, tl__f8_sub(b, a), tl__f8_sub(d, c), tl__f8_add(d, c), tl__f8_add(b, a), with_t);
}

/* p + q with Z = 1 on the right */
TL__IFMA static void plus_flat(points *p, const addends *q, bool with_t)
{
    const tl__f8 a = tl__f8_mul(difference(p->y, p->x), q->y_minus_x);
    const tl__f8 b = tl__f8_mul(sum(p->y, p->x), q->y_plus_x);
    const tl__f8 c = tl__f8_mul(p->t, q->t2d);
    const tl__f8 d = tl__f8_add(p->z, p->z);
    finish(p, tl__f8_sub(b, a), tl__f8_sub(d, c), tl__f8_add(d, c), tl__f8_add(b, a), with_t);
}

TL__IFMA_INLINE void negate(addends *q, __mmask8 lanes)
{
    const tl__f8 y_plus_x = q->y_plus_x;
    q->y_plus_x = blend(lanes, q->y_plus_x, q->y_minus_x);
    q->y_minus_x = blend(lanes, q->y_minus_x, y_plus_x);
    q->t2d = blend(lanes, q->t2d, difference(number(0), q->t2d));
}

/* --- tables --- */

TL__IFMA static void as_addends(addends *out, const points *p)
{
    out->y_plus_x = sum(p->y, p->x);
    out->y_minus_x = difference(p->y, p->x);
    out->z2 = sum(p->z, p->z);
    out->t2d = tl__f8_mul(p->t, tl__f8_all(&TL__FIELD_2D));
}

TL__IFMA static void multiply_out(addends table[WIDTH], points p)
{
    as_addends(&table[0], &p);
    for (size_t i = 1; i < WIDTH; i++) {
        plus(&p, &table[0], true);
        as_addends(&table[i], &p);
    }
}

/* The multiple that each lane's digit asks for: all eight are read, in order, and each lane keeps its own. */
TL__IFMA static void pick(addends *out, const addends table[WIDTH], __m512i digit, bool is_negated)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i size = _mm512_abs_epi64(digit);
    *out = (addends){number(1), number(1), number(2), number(0)};
    for (size_t i = 0; i < WIDTH; i++) {
        const __mmask8 lanes = _mm512_cmpeq_epi64_mask(size, _mm512_set1_epi64((long long)i + 1));
        out->y_plus_x = blend(lanes, out->y_plus_x, table[i].y_plus_x);
        out->y_minus_x = blend(lanes, out->y_minus_x, table[i].y_minus_x);
        out->z2 = blend(lanes, out->z2, table[i].z2);
        out->t2d = blend(lanes, out->t2d, table[i].t2d);
    }
    negate(out, is_negated ? _mm512_cmpgt_epi64_mask(digit, zero)
                           : _mm512_cmplt_epi64_mask(digit, zero));
}

/* Rows become columns: word i of lane k goes to lane k of out[i]. */
TL__IFMA_INLINE void transpose(__m512i out[8], const __m512i in[8])
{
    __m512i a[8];
    __m512i b[8];
    TL__UNROLL
    for (int i = 0; i < 8; i += 2) { /* pairs of lanes, 128 bits */
        a[i] = _mm512_unpacklo_epi64(in[i], in[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi64(in[i], in[i + 1]);
    }
    TL__UNROLL
    for (int i = 0; i < 2; i++) { /* fours: words 0 4 | 2 6 of parity i */
        b[i] = _mm512_shuffle_i64x2(a[i], a[i + 2], 0x88);
        b[i + 2] = _mm512_shuffle_i64x2(a[i], a[i + 2], 0xdd);
        b[i + 4] = _mm512_shuffle_i64x2(a[i + 4], a[i + 6], 0x88);
        b[i + 6] = _mm512_shuffle_i64x2(a[i + 4], a[i + 6], 0xdd);
    }
    TL__UNROLL
    for (int i = 0; i < 2; i++) {
        out[i] = _mm512_shuffle_i64x2(b[i], b[i + 4], 0x88);
        out[i + 4] = _mm512_shuffle_i64x2(b[i], b[i + 4], 0xdd);
        out[i + 2] = _mm512_shuffle_i64x2(b[i + 2], b[i + 6], 0x88);
        out[i + 6] = _mm512_shuffle_i64x2(b[i + 2], b[i + 6], 0xdd);
    }
}

/* One multiple of a table of B for each lane: fifteen words, read as words 0 … 7 and 7 … 14. */
TL__IFMA static void pick_base(addends *out, const tl_ristretto_multiple table[128],
                               const int8_t *const digit[LANES], size_t at)
{
    static const tl_ristretto_multiple identity = {{{1, 1, 0}}};
    __m512i rows[8];
    __m512i more[8];
    __m512i word[15];
    unsigned negated = 0;
    for (unsigned i = 0; i < LANES; i++) {
        const int d = digit[i][at];
        const uint64_t *from = d == 0  ? &identity.limb[0][0]
                               : d < 0 ? &table[-d - 1].limb[0][0]
                                       : &table[d - 1].limb[0][0];
        rows[i] = _mm512_loadu_si512(from);
        more[i] = _mm512_loadu_si512(from + 7);
        negated |= (d < 0 ? 1u : 0u) << i;
    }
    transpose(word, rows);
    transpose(word + 7, more);
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        out->y_plus_x.limb[i] = word[3 * i];
        out->y_minus_x.limb[i] = word[3 * i + 1];
        out->t2d.limb[i] = word[3 * i + 2];
    }
    negate(out, (__mmask8)negated);
}

/* --- claims --- */

/* What is left of eight claims: digits. u and v of window i stand together, a lane each. */
typedef struct digits {
    int64_t u[WINDOWS][LANES];
    int64_t v[WINDOWS][LANES];
    int8_t w[LANES][BASE_WINDOWS];
} digits;

static void cut_claim(digits *out, unsigned lane, const tl_ristretto_claim *claim)
{
    tl__halves halves;
    tl_scalar w;
    int8_t u[WINDOWS];
    int8_t v[WINDOWS];
    tl__claim_halves(&halves, &w, claim);
    tl__digits_radix(u, WINDOW_BITS, halves.u, 2);
    tl__digits_radix(v, WINDOW_BITS, halves.v, 2);
    tl__digits_radix(out->w[lane], BASE_BITS, w.w, 4);
    for (size_t i = 0; i < WINDOWS; i++) {
        out->u[i][lane] = halves.is_negative ? -u[i] : u[i];
        out->v[i][lane] = v[i];
    }
}

/* w B - u A - v R in each lane, as in the header's equation. */
TL__IFMA static void sum_up(points *p, const digits *d, const points *a, const points *r)
{
    addends a_table[WIDTH];
    addends r_table[WIDTH];
    addends q;
    const int8_t *w[LANES];
    for (unsigned i = 0; i < LANES; i++) {
        w[i] = d->w[i];
    }
    multiply_out(a_table, *a);
    multiply_out(r_table, *r);
    *p = (points){number(0), number(1), number(1), number(0)};
    for (size_t i = WINDOWS; i-- > 0;) {
        for (int n = 0; n < WINDOW_BITS; n++) {
            twice(p, n == WINDOW_BITS - 1);
        }
        const bool with_base = i % (BASE_BITS / WINDOW_BITS) == 0;
        pick(&q, a_table, _mm512_loadu_si512(d->u[i]), true);
        plus(p, &q, true);
        pick(&q, r_table, _mm512_loadu_si512(d->v[i]), true);
        plus(p, &q, with_base);
        if (with_base) {
            const size_t at = i / (BASE_BITS / WINDOW_BITS);
            pick_base(&q, tl__base_multiples[0], w, at);
            plus_flat(p, &q, true);
            pick_base(&q, tl__base_multiples[1], w, at + BASE_WINDOWS / 2);
            plus_flat(p, &q, false);
        }
    }
}

TL__IFMA void tl__check_lanes(bool *out, const tl_ristretto_claim *claims, size_t n)
{
    digits d;
    decoding both[2];
    const uint8_t *a_bytes[LANES];
    const uint8_t *r_bytes[LANES];
    for (unsigned i = 0; i < LANES; i++) {
        const tl_ristretto_claim *claim =
            &claims[i < n ? i : 0]; /* lanes to spare repeat the first */
        a_bytes[i] = claim->a;
        r_bytes[i] = claim->r;
        cut_claim(&d, i, claim);
    }
    begin_decoding(&both[0], a_bytes);
    begin_decoding(&both[1], r_bytes);
    tl__f8 power[2] = {both[0].power, both[1].power};
    tl__f8_pow(power, 2);
    both[0].power = power[0];
    both[1].power = power[1];
    points a;
    points r;
    points p;
    const __mmask8 is_element =
        (__mmask8)(finish_decoding(&a, &both[0]) & finish_decoding(&r, &both[1]));
    sum_up(&p, &d, &a, &r);
    const unsigned is_zero =
        (unsigned)(lanes_of_zero(p.x) | lanes_of_zero(p.y)) & (unsigned)is_element;
    for (unsigned i = 0; i < n; i++) {
        out[i] = (is_zero >> i & 1) != 0;
    }
}

#else

typedef int tl__lanes_is_absent; /* ISO C wants a declaration in every file */

#endif
