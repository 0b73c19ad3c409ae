/* One claim at a time with AVX-512 IFMA: two points in eight lanes, both doubled and added to by the same instructions
 * (the four-lane formulas of Hisil, Wong, Carter and Dawson, 2008).
 *
 *      lane      0   1   2   3     4   5   6   7
 *      point     X   Y   Z   T     X   Y   Z   T
 *      addend  Y-X Y+X  2Z 2dT   Y-X Y+X  2Z 2dT
 *
 * A claim falls into two sums that need not see each other until the end: in the lower half of the lanes u*A and the low
 * 128 bits of w*B, in the upper half v*R and the high bits. Cost: two multiplications of eight lanes for an addition or a
 * doubling of both points, some 150 cycles, mostly waiting. */
#include "core/crypto/ristretto/ifma_internal.h"

#if TL__WITH_IFMA

#    include "base/error/error.h"

bool tl__has_ifma(void)
{
    return __builtin_cpu_supports("avx512ifma") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0;
}

/* --- powers --- */

TL__IFMA_INLINE void squares(tl__f8 *a, size_t count, int times)
{
    if (count == 1) {
        tl__f8 x = a[0];
        for (int i = 0; i < times; i++) {
            x = tl__f8_sq(x);
        }
        a[0] = x;
        return;
    }
    tl__f8 x = a[0];
    tl__f8 y = a[1];
    for (int i = 0; i < times; i++) {
        x = tl__f8_sq(x);
        y = tl__f8_sq(y);
    }
    a[0] = x;
    a[1] = y;
}

/* a = a^(2^times) b */
TL__IFMA_INLINE void squares_times(tl__f8 *a, size_t count, int times, const tl__f8 *b)
{
    squares(a, count, times);
    for (size_t i = 0; i < count; i++) {
        a[i] = tl__f8_mul(a[i], b[i]);
    }
}

/* The chain of field.c's powers: x_n is a^(2^n - 1). */
TL__IFMA_INLINE void pow_chain(tl__f8 *a, size_t count)
{
    tl__f8 t[2];
    tl__f8 x_5[2];
    tl__f8 x_10[2];
    tl__f8 x_50[2];
    tl__f8 x_100[2];
    for (size_t i = 0; i < count; i++) {
        const tl__f8 a_2 = tl__f8_sq(a[i]);
        const tl__f8 a_9 = tl__f8_mul(tl__f8_sq(tl__f8_sq(a_2)), a[i]);
        x_5[i] = tl__f8_mul(tl__f8_sq(tl__f8_mul(a_9, a_2)), a_9);
        t[i] = x_5[i];
    }
    squares_times(t, count, 5, x_5);
    memcpy(x_10, t, count * sizeof *t);
    squares_times(t, count, 10, x_10); /* x_20 */
    memcpy(x_50, t, count * sizeof *t);
    squares_times(t, count, 20, x_50); /* x_40 */
    squares_times(t, count, 10, x_10);
    memcpy(x_50, t, count * sizeof *t);
    squares_times(t, count, 50, x_50);
    memcpy(x_100, t, count * sizeof *t);
    squares_times(t, count, 100, x_100); /* x_200 */
    squares_times(t, count, 50, x_50);   /* x_250 */
    squares_times(t, count, 2, a);
    memcpy(a, t, count * sizeof *t);
}

TL__IFMA void tl__f8_pow(tl__f8 *a, size_t count)
{
    if (count == 1) {
        pow_chain(a, 1);
    } else {
        pow_chain(a, 2);
    }
}

/* --- two points at a time --- */

/* Lanes of every half, from the lowest: 0, 1, 2, 3 name the four numbers. */
#    define LANES(a, b, c, d) ((a) | (b) << 2 | (c) << 4 | (d) << 6)

/* Masks: a bit for each of the eight lanes. */
enum { LANES_0 = 0x11, LANES_1 = 0x22, LANES_2 = 0x44, LANES_3 = 0x88 };

/* 2 p in some of the lanes */
TL__IFMA_INLINE tl__f8 twice_p_in(__mmask8 lanes)
{
    tl__f8 p = tl__f8_twice_p();
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        p.limb[i] = _mm512_maskz_mov_epi64(lanes, p.limb[i]);
    }
    return p;
}

/* X = e f, Y = g h, Z = f g, T = e h from (f, h, f, h) and (e, g, g, e). */
TL__IFMA_INLINE tl__f8 finish(tl__f8 left, tl__f8 right)
{
    return tl__f8_mul(tl__f8_reduce(left), tl__f8_reduce(right));
}

TL__IFMA_INLINE tl__f8 twice(tl__f8 p)
{
    /* (X, Y, Z, X + Y), squared: (a, b, c/2, s) */
    tl__f8 q;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i x = _mm512_maskz_permutex_epi64(LANES_3, p.limb[i], LANES(0, 0, 0, 0));
        q.limb[i] = tl__plus(_mm512_permutex_epi64(p.limb[i], LANES(0, 1, 2, 1)), x);
    }
    const tl__f8 s = tl__f8_sq(tl__f8_reduce(q));
    /* h = a + b, g = a - b, f = c + g, e = h - s */
    const tl__f8 two_p = tl__f8_twice_p();
    tl__f8 left;
    tl__f8 right;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i a = _mm512_permutex_epi64(s.limb[i], LANES(0, 0, 0, 0));
        const __m512i b = _mm512_permutex_epi64(s.limb[i], LANES(1, 1, 1, 1));
        const __m512i c =
            _mm512_maskz_permutex_epi64(LANES_0 | LANES_2, s.limb[i], LANES(2, 2, 2, 2));
        const __m512i d = _mm512_permutex_epi64(s.limb[i], LANES(3, 3, 3, 3));
        const __m512i h = tl__plus(a, b);
        const __m512i g = _mm512_sub_epi64(tl__plus(a, two_p.limb[i]), b);
        left.limb[i] = tl__plus(_mm512_mask_mov_epi64(h, LANES_0 | LANES_2, g), tl__plus(c, c));
        right.limb[i] = _mm512_mask_sub_epi64(g, LANES_0 | LANES_3, tl__plus(h, two_p.limb[i]), d);
    }
    return finish(left, right);
}

TL__IFMA_INLINE tl__f8 plus(tl__f8 p, tl__f8 addend)
{
    const tl__f8 p_0 = twice_p_in(LANES_0);
    tl__f8 q;
    TL__UNROLL
    for (int i = 0; i < 5; i++) { /* (Y - X, Y + X, Z, T) */
        const __m512i y = _mm512_permutex_epi64(p.limb[i], LANES(1, 1, 2, 3));
        const __m512i x = _mm512_permutex_epi64(p.limb[i], LANES(0, 0, 0, 0));
        const __m512i sum = _mm512_mask_add_epi64(tl__plus(y, p_0.limb[i]), LANES_1, y, x);
        q.limb[i] = _mm512_mask_sub_epi64(sum, LANES_0, sum, x);
    }
    const tl__f8 s = tl__f8_mul(tl__f8_reduce(q), addend);
    /* e = s1 - s0, f = s2 - s3, g = s2 + s3, h = s1 + s0 */
    const tl__f8 p_02 = twice_p_in(LANES_0 | LANES_2);
    const tl__f8 p_03 = twice_p_in(LANES_0 | LANES_3);
    tl__f8 left;
    tl__f8 right;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i l1 = _mm512_permutex_epi64(s.limb[i], LANES(2, 1, 2, 1));
        const __m512i l2 = _mm512_permutex_epi64(s.limb[i], LANES(3, 0, 3, 0));
        const __m512i r1 = _mm512_permutex_epi64(s.limb[i], LANES(1, 2, 2, 1));
        const __m512i r2 = _mm512_permutex_epi64(s.limb[i], LANES(0, 3, 3, 0));
        const __m512i l = tl__plus(l1, p_02.limb[i]);
        const __m512i r = tl__plus(r1, p_03.limb[i]);
        left.limb[i] = _mm512_mask_sub_epi64(tl__plus(l1, l2), LANES_0 | LANES_2, l, l2);
        right.limb[i] = _mm512_mask_sub_epi64(tl__plus(r1, r2), LANES_0 | LANES_3, r, r2);
    }
    return finish(left, right);
}

/* A point as an addend. */
TL__IFMA_INLINE tl__f8 as_addend(tl__f8 p)
{
    const tl__f8 p_0 = twice_p_in(LANES_0);
    tl__f8 q;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i y = _mm512_permutex_epi64(p.limb[i], LANES(1, 1, 2, 3));
        const __m512i x = _mm512_permutex_epi64(p.limb[i], LANES(0, 0, 2, 3));
        const __m512i sum =
            _mm512_mask_add_epi64(tl__plus(y, p_0.limb[i]), LANES_1 | LANES_2, y, x);
        q.limb[i] = _mm512_mask_sub_epi64(sum, LANES_0, sum, x);
    }
    /* T times 2d, the others times 1 */
    const tl__f8 two_d = tl__f8_all(&TL__FIELD_2D);
    tl__f8 factor;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        factor.limb[i] = _mm512_mask_mov_epi64(_mm512_set1_epi64(i == 0), LANES_3, two_d.limb[i]);
    }
    return tl__f8_mul(tl__f8_reduce(q), factor);
}

/* The negative of an addend, in the halves whose lanes are named: the sums change places and 2dT its sign. */
TL__IFMA_INLINE tl__f8 negate(tl__f8 addend, __mmask8 lanes)
{
    const tl__f8 p = tl__f8_twice_p();
    tl__f8 r;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m512i t =
            _mm512_mask_sub_epi64(addend.limb[i], LANES_3 & lanes, p.limb[i], addend.limb[i]);
        r.limb[i] = _mm512_mask_permutex_epi64(t, lanes, t, LANES(1, 0, 2, 3));
    }
    return r;
}

/* --- addends from tables --- */

static __mmask8 lanes_of(bool is_low_negated, bool is_high_negated)
{
    return (__mmask8)((is_low_negated ? 0x0f : 0) | (is_high_negated ? 0xf0 : 0));
}

static unsigned size_of(int digit)
{
    return (unsigned)(digit < 0 ? -digit : digit);
}

/* Two points of tables with Z = 1; NULL stands for the identity. Stored: y + x, y - x, 2 d x y. */
TL__IFMA_INLINE tl__f8 load_multiples(const tl_ristretto_multiple *low,
                                      const tl_ristretto_multiple *high, __mmask8 negated)
{
    static const tl_ristretto_multiple identity = {{{1, 1, 0}}};
    low = low != NULL ? low : &identity;
    high = high != NULL ? high : &identity;
    tl__f8 r;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        const __m256i l = _mm256_maskz_loadu_epi64(7, low->limb[i]);
        const __m256i h = _mm256_maskz_loadu_epi64(7, high->limb[i]);
        const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(l), h, 1);
        const __m512i z2 = _mm512_set1_epi64(i == 0 ? 2 : 0);
        r.limb[i] = _mm512_mask_permutex_epi64(z2, (__mmask8)~LANES_2, both, LANES(1, 0, 3, 2));
    }
    return negate(r, negated);
}

/* Two points of the same table of addends, each from its half of the lanes. */
TL__IFMA_INLINE tl__f8 load_addends(const tl__f8 *table, unsigned low, unsigned high,
                                    __mmask8 negated)
{
    tl__f8 r;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        r.limb[i] = _mm512_mask_mov_epi64(table[low].limb[i], 0xf0, table[high].limb[i]);
    }
    return negate(r, negated);
}

TL__IFMA_INLINE tl__f8 identities(void)
{
    const __m512i one = _mm512_maskz_set1_epi64(LANES_1 | LANES_2, 1);
    const __m512i zero = _mm512_setzero_si512();
    return (tl__f8){{one, zero, zero, zero, zero}};
}

/* --- claims --- */

enum {
    LOW_BITS = 128,
    WINDOW_BITS = 4,
    WINDOWS = LOW_BITS / WINDOW_BITS,
    WIDTH = 8, /* multiples 1 … 8 */
    BASE_BITS = 8,
    BASE_WINDOWS = 2 * LOW_BITS / BASE_BITS
};

/* Both elements of a claim, their roots taken side by side. */
TL__IFMA_INLINE bool decode_both(tl_ristretto *a, tl_ristretto *r, const tl_ristretto_claim *claim)
{
    tl__decode d[2];
    if (!tl__decode_begin(&d[0], claim->a) || !tl__decode_begin(&d[1], claim->r)) {
        return false;
    }
    tl_field power[8] = {TL__FIELD_ZERO};
    tl__field_pow7(&power[0], &d[0].square);
    tl__field_pow7(&power[1], &d[1].square);
    tl__f8 x = tl__f8_load(power);
    pow_chain(&x, 1);
    tl__f8_store(power, x);
    tl_field root;
    return tl__field_invsqrt_from(&root, &d[0].square, &power[0]) &&
           tl__decode_finish(a, &d[0], &root) &&
           tl__field_invsqrt_from(&root, &d[1].square, &power[1]) &&
           tl__decode_finish(r, &d[1], &root);
}

TL__IFMA_INLINE tl__f8 load_points(const tl_ristretto *low, const tl_ristretto *high)
{
    const tl_field lane[8] = {low->x, low->y, low->z, low->t, high->x, high->y, high->z, high->t};
    return tl__f8_load(lane);
}

TL__IFMA_INLINE void store_points(tl_ristretto *low, tl_ristretto *high, tl__f8 p)
{
    tl_field lane[8];
    tl__f8_store(lane, p);
    *low = (tl_ristretto){lane[0], lane[1], lane[2], lane[3]};
    *high = (tl_ristretto){lane[4], lane[5], lane[6], lane[7]};
}

/* 0 … 8 times both points, as addends. */
TL__IFMA_INLINE void multiply_out(tl__f8 table[WIDTH + 1], tl__f8 p)
{
    table[0] = as_addend(identities());
    table[1] = as_addend(p);
    tl__f8 sum = p;
    for (int i = 2; i <= WIDTH; i++) {
        sum = i == 2 ? twice(p) : plus(sum, table[1]);
        table[i] = as_addend(sum);
    }
}

TL__IFMA bool tl__check_ifma(const tl_ristretto_claim *claim)
{
    tl_ristretto a;
    tl_ristretto r;
    if (!decode_both(&a, &r, claim)) {
        return false;
    }
    tl__halves halves;
    tl_scalar w;
    tl__claim_halves(&halves, &w, claim);
    int8_t u_digit[WINDOWS];
    int8_t v_digit[WINDOWS];
    int8_t w_digit[BASE_WINDOWS];
    tl__digits_radix(u_digit, WINDOW_BITS, halves.u, 2);
    tl__digits_radix(v_digit, WINDOW_BITS, halves.v, 2);
    tl__digits_radix(w_digit, BASE_BITS, w.w, 4);
    tl__f8 table[WIDTH + 1];
    multiply_out(table, load_points(&a, &r));
    tl__f8 p = identities();
    for (size_t i = WINDOWS; i-- > 0;) {
        for (int n = 0; n < WINDOW_BITS; n++) {
            p = twice(p);
        }
        /* minus u A, minus v R */
        const int u = halves.is_negative ? -u_digit[i] : u_digit[i];
        const int v = v_digit[i];
        p = plus(p, load_addends(table, size_of(u), size_of(v), lanes_of(u > 0, v > 0)));
        if (i % 2 == 0) {
            const int low = w_digit[i / 2];
            const int high = w_digit[i / 2 + BASE_WINDOWS / 2];
            p = plus(p, load_multiples(low != 0 ? &tl__base_multiples[0][size_of(low) - 1] : NULL,
                                       high != 0 ? &tl__base_multiples[1][size_of(high) - 1] : NULL,
                                       lanes_of(low < 0, high < 0)));
        }
    }
    tl_ristretto low;
    tl_ristretto high;
    store_points(&low, &high, p);
    tl_ristretto_add(&low, &low, &high);
    return tl__point_is_zero(&low);
}

enum { POSITIONS = TL_RISTRETTO_TABLE_POSITIONS, PHASES = 4, DIGITS = POSITIONS * PHASES };

TL__IFMA_INLINE const tl_ristretto_multiple *pick(const tl_ristretto_multiple *row, int digit)
{
    return digit != 0 ? &row[size_of(digit) - 1] : NULL;
}

/* The power for R's root, a few squarings at a time. Additions in vectors wait for each other most of the time, and so
 * do squarings in general registers; taken by turns, each fills the other's gaps. */
typedef struct power_walk {
    tl_field x;
    tl_field kept[6];
    unsigned step;
    int left; /* squarings of this step */
} power_walk;

/* x = x^(2^squarings) kept[factor], which is kept, too. The chain of field.c from x_5 on. */
static const struct {
    uint8_t squarings, factor, keep;
} POWER_STEPS[] = {
    {5, 1, 2},  {10, 2, 3},  {20, 3, 3}, {10, 2, 4}, /* x_10, x_20, x_40, x_50 */
    {50, 4, 5}, {100, 5, 5}, {50, 4, 5}, {2, 0, 5},  /* x_100, x_200, x_250, a^((p-5)/8) */
};

enum { POWER_STEP_COUNT = sizeof POWER_STEPS / sizeof *POWER_STEPS };

static void start_power(power_walk *w, const tl_field *a)
{
    tl_field a_2;
    tl_field a_9;
    tl__field_sq(&a_2, a);
    tl__field_sq(&a_9, &a_2);
    tl__field_sq(&a_9, &a_9);
    tl__field_mul(&a_9, &a_9, a);
    tl__field_mul(&w->x, &a_9, &a_2);
    tl__field_sq(&w->x, &w->x);
    tl__field_mul(&w->x, &w->x, &a_9); /* x_5 */
    w->kept[0] = *a;
    w->kept[1] = w->x;
    w->step = 0;
    w->left = POWER_STEPS[0].squarings;
}

static inline void walk_power(power_walk *w, int squarings)
{
    for (int i = 0; i < squarings && w->step < POWER_STEP_COUNT; i++) {
        tl__field_sq(&w->x, &w->x);
        if (--w->left == 0) {
            tl__field_mul(&w->x, &w->x, &w->kept[POWER_STEPS[w->step].factor]);
            w->kept[POWER_STEPS[w->step].keep] = w->x;
            w->step++;
            w->left = w->step < POWER_STEP_COUNT ? POWER_STEPS[w->step].squarings : 0;
        }
    }
}

/* s B - k A, s B in the lower lanes, and the power of w on the way. */
TL__IFMA_INLINE void sum_by_tables(tl_ristretto *out, power_walk *w, const tl_ristretto_table *a,
                                   const tl_ristretto_claim *claim)
{
    enum { SQUARINGS = 4 }; /* between two of 64 additions: 247 are needed */
    int8_t s_digit[DIGITS];
    int8_t k_digit[DIGITS];
    tl__digits_radix(s_digit, WINDOW_BITS, claim->s.w, 4);
    tl__digits_radix(k_digit, WINDOW_BITS, claim->k.w, 4);
    tl__f8 p = identities();
    for (size_t phase = PHASES; phase-- > 0;) {
        for (int i = 0; phase != PHASES - 1 && i < WINDOW_BITS; i++) {
            p = twice(p);
        }
        for (size_t i = 0; i < POSITIONS; i++) {
            const int s = s_digit[i * PHASES + phase];
            const int k = k_digit[i * PHASES + phase];
            p = plus(p, load_multiples(pick(tl__base_table.at[i], s), pick(a->at[i], k),
                                       lanes_of(s<0, k> 0)));
            walk_power(w, SQUARINGS);
        }
    }
    tl_ristretto high;
    store_points(out, &high, p);
    tl_ristretto_add(out, out, &high);
}

TL__IFMA bool tl__table_check_ifma(const tl_ristretto_table *a, const tl_ristretto_claim *claim)
{
    tl__decode d;
    power_walk w;
    if (!tl__decode_begin(&d, claim->r)) {
        return false;
    }
    tl_field power;
    tl__field_pow7(&power, &d.square);
    start_power(&w, &power);
    tl_ristretto sum;
    sum_by_tables(&sum, &w, a, claim);
    TL_ASSERT(w.step == POWER_STEP_COUNT);
    tl_ristretto r;
    tl_field root;
    return tl__field_invsqrt_from(&root, &d.square, &w.x) && tl__decode_finish(&r, &d, &root) &&
           tl_ristretto_eq(&sum, &r);
}

#else

typedef int tl__ifma_is_absent; /* ISO C wants a declaration in every file */

#endif
