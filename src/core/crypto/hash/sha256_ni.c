/* SHA-256's compression by the processor's own instructions (Gulley et al., Intel SHA Extensions, 2013): two rounds an
 * instruction, the state as two vectors. Measured 0.5 us/KiB where the portable form takes 2.4. */
#include "core/crypto/hash/hash_internal.h"

#include "base/error/error.h"

/* clang before 19 cannot ask the processor for these by name: it builds the portable form alone. */
#if defined(__x86_64__) && (!defined(__clang__) || __clang_major__ >= 19)
#    include <immintrin.h>

bool tl__sha256_has_ni(void)
{
    return __builtin_cpu_supports("sha") != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

/* Four rounds with W[4i] to W[4i + 3] in w0; then w0 becomes W[4i + 16] to W[4i + 19], as long as they are needed. */
#    define FOUR_ROUNDS(i, w0, w1, w2, w3)                                                         \
        do {                                                                                       \
            __m128i kw_ = _mm_add_epi32(w0, load(tl__sha256_k + 4 * (i)));                         \
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw_);                                         \
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(kw_, 0x0E));                \
            if ((i) < 12) {                                                                        \
                w0 = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));      \
                w0 = _mm_sha256msg2_epu32(w0, w3);                                                 \
            }                                                                                      \
        } while (0)

#    define SIXTEEN_ROUNDS(i)                                                                      \
        do {                                                                                       \
            FOUR_ROUNDS(i, w0, w1, w2, w3);                                                        \
            FOUR_ROUNDS((i) + 1, w1, w2, w3, w0);                                                  \
            FOUR_ROUNDS((i) + 2, w2, w3, w0, w1);                                                  \
            FOUR_ROUNDS((i) + 3, w3, w0, w1, w2);                                                  \
        } while (0)

__attribute__((target("sha,sse4.1"))) static inline __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

/* Sixteen bytes as four big-endian words. */
__attribute__((target("sha,sse4.1"))) static inline __m128i load_words(const uint8_t *p)
{
    return _mm_shuffle_epi8(load(p), _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

__attribute__((target("sha,sse4.1"))) void
tl__sha256_compress_ni(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    /* the instructions want the words as f e b a and h g d c, from the low end */
    const __m128i cdab = _mm_shuffle_epi32(load(state), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    for (; block_count != 0; block_count--, blocks += TL_SHA256_BLOCK_LEN) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w0 = load_words(blocks), w1 = load_words(blocks + 16);
        __m128i w2 = load_words(blocks + 32), w3 = load_words(blocks + 48);
        SIXTEEN_ROUNDS(0);
        SIXTEEN_ROUNDS(4);
        SIXTEEN_ROUNDS(8);
        SIXTEEN_ROUNDS(12);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* One stream of two: its state, and its sixteen words as they go round. */
#    define LOAD_STREAM(n, state)                                                                  \
        const __m128i cdab##n = _mm_shuffle_epi32(load(state), 0xB1);                              \
        const __m128i efgh##n = _mm_shuffle_epi32(load((state) + 4), 0x1B);                        \
        __m128i abef##n = _mm_alignr_epi8(cdab##n, efgh##n, 8);                                    \
        __m128i cdgh##n = _mm_blend_epi16(efgh##n, cdab##n, 0xF0)

#    define STORE_STREAM(n, state)                                                                 \
        do {                                                                                       \
            const __m128i feba_ = _mm_shuffle_epi32(abef##n, 0x1B);                                \
            const __m128i dchg_ = _mm_shuffle_epi32(cdgh##n, 0xB1);                                \
            _mm_storeu_si128((__m128i *)(void *)(state), _mm_blend_epi16(feba_, dchg_, 0xF0));     \
            _mm_storeu_si128((__m128i *)(void *)((state) + 4), _mm_alignr_epi8(dchg_, feba_, 8));  \
        } while (0)

/* Four rounds of both: the two chains stand between each other's instructions. */
#    define FOUR_OF_TWO(i, w0, w1, w2, w3)                                                         \
        do {                                                                                       \
            const __m128i k_ = load(tl__sha256_k + 4 * (i));                                       \
            __m128i ka_ = _mm_add_epi32(a[w0], k_);                                                \
            __m128i kb_ = _mm_add_epi32(b[w0], k_);                                                \
            cdgh0 = _mm_sha256rnds2_epu32(cdgh0, abef0, ka_);                                      \
            cdgh1 = _mm_sha256rnds2_epu32(cdgh1, abef1, kb_);                                      \
            abef0 = _mm_sha256rnds2_epu32(abef0, cdgh0, _mm_shuffle_epi32(ka_, 0x0E));             \
            abef1 = _mm_sha256rnds2_epu32(abef1, cdgh1, _mm_shuffle_epi32(kb_, 0x0E));             \
            if ((i) < 12) {                                                                        \
                a[w0] = _mm_add_epi32(_mm_sha256msg1_epu32(a[w0], a[w1]),                          \
                                      _mm_alignr_epi8(a[w3], a[w2], 4));                           \
                b[w0] = _mm_add_epi32(_mm_sha256msg1_epu32(b[w0], b[w1]),                          \
                                      _mm_alignr_epi8(b[w3], b[w2], 4));                           \
                a[w0] = _mm_sha256msg2_epu32(a[w0], a[w3]);                                        \
                b[w0] = _mm_sha256msg2_epu32(b[w0], b[w3]);                                        \
            }                                                                                      \
        } while (0)

#    define SIXTEEN_OF_TWO(i)                                                                      \
        do {                                                                                       \
            FOUR_OF_TWO(i, 0, 1, 2, 3);                                                            \
            FOUR_OF_TWO((i) + 1, 1, 2, 3, 0);                                                      \
            FOUR_OF_TWO((i) + 2, 2, 3, 0, 1);                                                      \
            FOUR_OF_TWO((i) + 3, 3, 0, 1, 2);                                                      \
        } while (0)

__attribute__((target("sha,sse4.1"))) void
tl__sha256_compress_two_ni(uint32_t *const states[2], const uint8_t *const blocks[2],
                           size_t block_count)
{
    LOAD_STREAM(0, states[0]);
    LOAD_STREAM(1, states[1]);
    const uint8_t *p = blocks[0];
    const uint8_t *q = blocks[1];
    for (; block_count != 0; block_count--, p += TL_SHA256_BLOCK_LEN, q += TL_SHA256_BLOCK_LEN) {
        const __m128i abef0_before = abef0, cdgh0_before = cdgh0;
        const __m128i abef1_before = abef1, cdgh1_before = cdgh1;
        __m128i a[4] = {load_words(p), load_words(p + 16), load_words(p + 32), load_words(p + 48)};
        __m128i b[4] = {load_words(q), load_words(q + 16), load_words(q + 32), load_words(q + 48)};
        SIXTEEN_OF_TWO(0);
        SIXTEEN_OF_TWO(4);
        SIXTEEN_OF_TWO(8);
        SIXTEEN_OF_TWO(12);
        abef0 = _mm_add_epi32(abef0, abef0_before);
        cdgh0 = _mm_add_epi32(cdgh0, cdgh0_before);
        abef1 = _mm_add_epi32(abef1, abef1_before);
        cdgh1 = _mm_add_epi32(cdgh1, cdgh1_before);
    }
    STORE_STREAM(0, states[0]);
    STORE_STREAM(1, states[1]);
}

#else

bool tl__sha256_has_ni(void)
{
    return false;
}

void tl__sha256_compress_ni(uint32_t state[8], const uint8_t *blocks, size_t block_count)
{
    (void)state;
    (void)blocks;
    (void)block_count;
    TL_ASSERT(tl__sha256_has_ni());
}

void tl__sha256_compress_two_ni(uint32_t *const states[2], const uint8_t *const blocks[2],
                                size_t block_count)
{
    (void)states;
    (void)blocks;
    (void)block_count;
    TL_ASSERT(tl__sha256_has_ni());
}

#endif
