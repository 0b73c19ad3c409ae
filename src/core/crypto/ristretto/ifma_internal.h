/* Eight field elements side by side, for processors with AVX-512 IFMA. Nothing outside this room includes it.
 *
 * A tl__f8 holds limb i of eight elements in its i-th vector. The multiplier of IFMA takes 52 bits and gives the lower or
 * the upper 52 of the product, so that limbs of 51 bits leave one bit to sums. Two kinds of values:
 *
 *      small    limbs below 2^51 + 2^15: what mul, sq and reduce give
 *      wide     limbs below 2^60: sums and differences; reduce makes them small
 *
 * mul and sq want limbs below 2^52, that is, small ones: not even a sum of two. */
#ifndef TALLY_CORE_CRYPTO_RISTRETTO_IFMA_INTERNAL_H
#define TALLY_CORE_CRYPTO_RISTRETTO_IFMA_INTERNAL_H

#include "core/crypto/ristretto/point_internal.h"

#if defined(__x86_64__)
#    define TL__WITH_IFMA 1

#    include <immintrin.h>

#    define TL__IFMA __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma")))
/* Inlined whatever it costs, but not into instrumented code, which would take minutes to compile. */
#    if defined(TL_INSTRUMENTED)
#        define TL__IFMA_INLINE TL__IFMA __attribute__((unused)) static inline
#    else
#        define TL__IFMA_INLINE TL__IFMA __attribute__((always_inline)) static inline
#    endif

/* For loops over five limbs: left as loops, they would keep their vectors in memory. */
#    if defined(__clang__)
#        define TL__UNROLL _Pragma("clang loop unroll(full)")
#    else
#        define TL__UNROLL _Pragma("GCC unroll 8")
#    endif

typedef struct tl__f8 {
    __m512i limb[5];
} tl__f8;

TL__IFMA_INLINE __m512i tl__lo(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

TL__IFMA_INLINE __m512i tl__hi(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

TL__IFMA_INLINE __m512i tl__plus(__m512i a, __m512i b)
{
    return _mm512_add_epi64(a, b);
}

/* low + 19 high */
TL__IFMA_INLINE __m512i tl__plus_19(__m512i low, __m512i high)
{
    const __m512i times_3 = tl__plus(high, _mm512_slli_epi64(high, 1));
    return tl__plus(tl__plus(low, _mm512_slli_epi64(high, 4)), times_3);
}

/* low + 2 high: the upper half of a product of two limbs stands 52 bits up, the next limb 51. */
TL__IFMA_INLINE __m512i tl__plus_2(__m512i low, __m512i high)
{
    return tl__plus(low, tl__plus(high, high));
}

/* Every limb hands its upper bits to the next one at once: wide becomes small. */
TL__IFMA_INLINE tl__f8 tl__f8_reduce(tl__f8 a)
{
    const __m512i mask = _mm512_set1_epi64((long long)TL__LIMB_MASK);
    const __m512i c0 = _mm512_srli_epi64(a.limb[0], TL__LIMB_BITS);
    const __m512i c1 = _mm512_srli_epi64(a.limb[1], TL__LIMB_BITS);
    const __m512i c2 = _mm512_srli_epi64(a.limb[2], TL__LIMB_BITS);
    const __m512i c3 = _mm512_srli_epi64(a.limb[3], TL__LIMB_BITS);
    const __m512i c4 = _mm512_srli_epi64(a.limb[4], TL__LIMB_BITS);
    return (tl__f8){{tl__plus_19(_mm512_and_si512(a.limb[0], mask), c4),
                     tl__plus(_mm512_and_si512(a.limb[1], mask), c0),
                     tl__plus(_mm512_and_si512(a.limb[2], mask), c1),
                     tl__plus(_mm512_and_si512(a.limb[3], mask), c2),
                     tl__plus(_mm512_and_si512(a.limb[4], mask), c3)}};
}

TL__IFMA_INLINE tl__f8 tl__f8_add(tl__f8 a, tl__f8 b)
{
    return (tl__f8){{tl__plus(a.limb[0], b.limb[0]), tl__plus(a.limb[1], b.limb[1]),
                     tl__plus(a.limb[2], b.limb[2]), tl__plus(a.limb[3], b.limb[3]),
                     tl__plus(a.limb[4], b.limb[4])}};
}

/* 2 p */
TL__IFMA_INLINE tl__f8 tl__f8_twice_p(void)
{
    const __m512i low = _mm512_set1_epi64(0xfffffffffffda);
    const __m512i other = _mm512_set1_epi64(0xffffffffffffe);
    return (tl__f8){{low, other, other, other, other}};
}

/* a + 2p - b, for a small b */
TL__IFMA_INLINE tl__f8 tl__f8_sub(tl__f8 a, tl__f8 b)
{
    const tl__f8 p = tl__f8_twice_p();
    tl__f8 r;
    r.limb[0] = _mm512_sub_epi64(tl__plus(a.limb[0], p.limb[0]), b.limb[0]);
    r.limb[1] = _mm512_sub_epi64(tl__plus(a.limb[1], p.limb[1]), b.limb[1]);
    r.limb[2] = _mm512_sub_epi64(tl__plus(a.limb[2], p.limb[2]), b.limb[2]);
    r.limb[3] = _mm512_sub_epi64(tl__plus(a.limb[3], p.limb[3]), b.limb[3]);
    r.limb[4] = _mm512_sub_epi64(tl__plus(a.limb[4], p.limb[4]), b.limb[4]);
    return r;
}

/* The ten limbs of a product, 19 of the upper ones for each of the lower. Limbs of the sums are below 2^56. */
TL__IFMA_INLINE tl__f8 tl__f8_fold(const __m512i low[9], const __m512i high[9])
{
    const __m512i t5 = tl__plus_2(low[5], high[4]);
    const __m512i t6 = tl__plus_2(low[6], high[5]);
    const __m512i t7 = tl__plus_2(low[7], high[6]);
    const __m512i t8 = tl__plus_2(low[8], high[7]);
    const __m512i t9 = tl__plus(high[8], high[8]);
    return tl__f8_reduce((tl__f8){
        {tl__plus_19(low[0], t5), tl__plus_19(tl__plus_2(low[1], high[0]), t6),
         tl__plus_19(tl__plus_2(low[2], high[1]), t7), tl__plus_19(tl__plus_2(low[3], high[2]), t8),
         tl__plus_19(tl__plus_2(low[4], high[3]), t9)}});
}

/* Limb k of the product: x_i y_(k-i), from the first i to the last. */
TL__IFMA_INLINE void tl__f8_column(__m512i low[9], __m512i high[9], const tl__f8 *x,
                                   const tl__f8 *y, int k, int first, int last)
{
    low[k] = _mm512_setzero_si512();
    high[k] = _mm512_setzero_si512();
    TL__UNROLL
    for (int i = first; i <= last; i++) {
        low[k] = tl__lo(low[k], x->limb[i], y->limb[k - i]);
        high[k] = tl__hi(high[k], x->limb[i], y->limb[k - i]);
    }
}

/* Limb by limb, the upper ones first: few sums are alive at a time, and the processor itself finds those that need not
 * wait for each other. */
TL__IFMA_INLINE tl__f8 tl__f8_mul(tl__f8 x, tl__f8 y)
{
    __m512i low[9];
    __m512i high[9];
    tl__f8_column(low, high, &x, &y, 8, 4, 4);
    tl__f8_column(low, high, &x, &y, 7, 3, 4);
    tl__f8_column(low, high, &x, &y, 6, 2, 4);
    tl__f8_column(low, high, &x, &y, 5, 1, 4);
    tl__f8_column(low, high, &x, &y, 4, 0, 4);
    tl__f8_column(low, high, &x, &y, 3, 0, 3);
    tl__f8_column(low, high, &x, &y, 2, 0, 2);
    tl__f8_column(low, high, &x, &y, 1, 0, 1);
    tl__f8_column(low, high, &x, &y, 0, 0, 0);
    return tl__f8_fold(low, high);
}

/* Ten of the products occur twice: they are summed once and doubled, before the five squares come in. */
TL__IFMA_INLINE tl__f8 tl__f8_sq(tl__f8 x)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i a = x.limb[0], b = x.limb[1], c = x.limb[2], d = x.limb[3], e = x.limb[4];
    __m512i low[9];
    __m512i high[9];
    low[1] = tl__lo(zero, a, b);
    low[2] = tl__lo(zero, a, c);
    low[3] = tl__lo(tl__lo(zero, a, d), b, c);
    low[4] = tl__lo(tl__lo(zero, a, e), b, d);
    low[5] = tl__lo(tl__lo(zero, b, e), c, d);
    low[6] = tl__lo(zero, c, e);
    low[7] = tl__lo(zero, d, e);
    high[1] = tl__hi(zero, a, b);
    high[2] = tl__hi(zero, a, c);
    high[3] = tl__hi(tl__hi(zero, a, d), b, c);
    high[4] = tl__hi(tl__hi(zero, a, e), b, d);
    high[5] = tl__hi(tl__hi(zero, b, e), c, d);
    high[6] = tl__hi(zero, c, e);
    high[7] = tl__hi(zero, d, e);
    low[0] = tl__lo(zero, a, a);
    high[0] = tl__hi(zero, a, a);
    low[1] = tl__plus(low[1], low[1]);
    high[1] = tl__plus(high[1], high[1]);
    low[2] = tl__lo(tl__plus(low[2], low[2]), b, b);
    high[2] = tl__hi(tl__plus(high[2], high[2]), b, b);
    low[3] = tl__plus(low[3], low[3]);
    high[3] = tl__plus(high[3], high[3]);
    low[4] = tl__lo(tl__plus(low[4], low[4]), c, c);
    high[4] = tl__hi(tl__plus(high[4], high[4]), c, c);
    low[5] = tl__plus(low[5], low[5]);
    high[5] = tl__plus(high[5], high[5]);
    low[6] = tl__lo(tl__plus(low[6], low[6]), d, d);
    high[6] = tl__hi(tl__plus(high[6], high[6]), d, d);
    low[7] = tl__plus(low[7], low[7]);
    high[7] = tl__plus(high[7], high[7]);
    low[8] = tl__lo(zero, e, e);
    high[8] = tl__hi(zero, e, e);
    return tl__f8_fold(low, high);
}

/* The same number in every lane. */
TL__IFMA_INLINE tl__f8 tl__f8_all(const tl_field *a)
{
    return (tl__f8){
        {_mm512_set1_epi64((long long)a->limb[0]), _mm512_set1_epi64((long long)a->limb[1]),
         _mm512_set1_epi64((long long)a->limb[2]), _mm512_set1_epi64((long long)a->limb[3]),
         _mm512_set1_epi64((long long)a->limb[4])}};
}

/* One number a lane; what is loaded must be tight (field_internal.h). */
TL__IFMA_INLINE tl__f8 tl__f8_load(const tl_field a[8])
{
    tl__f8 r;
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        uint64_t lane[8];
        TL__UNROLL
        for (int k = 0; k < 8; k++) {
            lane[k] = a[k].limb[i];
        }
        r.limb[i] = _mm512_loadu_si512(lane);
    }
    return r;
}

TL__IFMA_INLINE void tl__f8_store(tl_field out[8], tl__f8 a)
{
    TL__UNROLL
    for (int i = 0; i < 5; i++) {
        uint64_t lane[8];
        _mm512_storeu_si512(lane, a.limb[i]);
        TL__UNROLL
        for (int k = 0; k < 8; k++) {
            out[k].limb[i] = lane[k];
        }
    }
}

/* tl__has_ifma: may the functions below be called? */
bool tl__has_ifma(void);

/* tl__f8_pow: a^((p - 5) / 8) in every lane, as tl__field_pow; count values of eight lanes together (1 or 2). ifma.c */
void tl__f8_pow(tl__f8 *a, size_t count);

bool tl__check_ifma(const tl_ristretto_claim *claim);
bool tl__table_check_ifma(const tl_ristretto_table *a, const tl_ristretto_claim *claim);

/* tl__check_lanes: the verdicts of n claims, n up to 8: one a lane. lanes.c */
void tl__check_lanes(bool *out, const tl_ristretto_claim *claims, size_t n);

#else
#    define TL__WITH_IFMA 0
#endif

#endif
