/* Scalars: numbers modulo L = 2^252 + c, and the ways in which they are cut up. */
#include "base/error/error.h"
#include "core/crypto/ristretto/point_internal.h"

static const uint64_t ORDER[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

static bool is_below(const uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        if (a[i] != b[i]) {
            return a[i] < b[i];
        }
    }
    return false;
}

/* a += b, or a -= b; what leaves at the top is returned. */
static uint64_t add_words(uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < n; i++) {
        const tl__u128 sum = (tl__u128)a[i] + b[i] + carry;
        a[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return carry;
}

static uint64_t sub_words(uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < n; i++) {
        const tl__u128 difference = (tl__u128)a[i] - b[i] - borrow;
        a[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

/* out (n + 2 words) = a (n words) times c, the low part of L. */
static void mul_c(uint64_t *out, const uint64_t *a, size_t n)
{
    memset(out, 0, (n + 2) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        tl__u128 t = (tl__u128)a[i] * ORDER[0] + out[i];
        out[i] = (uint64_t)t;
        t = (tl__u128)a[i] * ORDER[1] + out[i + 1] + (uint64_t)(t >> 64);
        out[i + 1] = (uint64_t)t;
        out[i + 2] = (uint64_t)(t >> 64);
    }
}

/* low (4 words) = x mod 2^252, high (n - 3 words) = x / 2^252. */
static void cut_252(uint64_t low[4], uint64_t *high, const uint64_t *x, size_t n)
{
    memcpy(low, x, 4 * sizeof *low);
    low[3] &= 0x0fffffffffffffff;
    for (size_t i = 3; i < n; i++) {
        high[i - 3] = x[i] >> 60 | (i + 1 < n ? x[i + 1] << 4 : 0);
    }
}

/* x modulo L: 2^252 = -c, so x = low - c high, three times; the rests alternate in sign and shrink: 385, 258, 131 bits. */
static void reduce_words(tl_scalar *out, const uint64_t x[8])
{
    uint64_t r[4];
    uint64_t low[4];
    uint64_t high[5];
    uint64_t product[7];
    cut_252(r, high, x, 8);
    mul_c(product, high, 5);
    cut_252(low, high, product, 7);
    /* r - low + (product of high), kept positive by L: each part is below 2^252. */
    (void)add_words(r, ORDER, 4);
    (void)sub_words(r, low, 4);
    mul_c(product, high, 3); /* 385 - 252 = 133 bits of high: three words */
    cut_252(low, high, product, 5);
    (void)add_words(r, low, 4);
    mul_c(product, high, 2);
    product[3] = 0;
    (void)add_words(r, ORDER, 4);
    (void)sub_words(r, product, 4);
    while (!is_below(r, ORDER, 4)) {
        (void)sub_words(r, ORDER, 4);
    }
    memcpy(out->w, r, sizeof r);
}

bool tl_scalar_decode(tl_scalar *out, const uint8_t in[32])
{
    uint64_t w[4];
    for (size_t i = 0; i < 4; i++) {
        w[i] = tl__load64(in + 8 * i);
    }
    if (!is_below(w, ORDER, 4)) {
        return false;
    }
    memcpy(out->w, w, sizeof w);
    return true;
}

void tl_scalar_encode(uint8_t out[32], const tl_scalar *a)
{
    for (size_t i = 0; i < 4; i++) {
        tl__store64(out + 8 * i, a->w[i]);
    }
}

void tl_scalar_reduce(tl_scalar *out, const uint8_t in[64])
{
    uint64_t w[8];
    for (size_t i = 0; i < 8; i++) {
        w[i] = tl__load64(in + 8 * i);
    }
    reduce_words(out, w);
}

void tl_scalar_mul(tl_scalar *out, const tl_scalar *a, const tl_scalar *b)
{
    uint64_t product[8] = {0};
    for (size_t i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 4; j++) {
            const tl__u128 t = (tl__u128)a->w[i] * b->w[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        product[i + 4] = carry;
    }
    reduce_words(out, product);
}

/* --- half of Euclid --- */

static unsigned bits_of(const uint64_t *a, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        if (a[i] != 0) {
            return (unsigned)(64 * i + 64) - (unsigned)__builtin_clzll(a[i]);
        }
    }
    return 0;
}

static void shift_left(uint64_t *out, const uint64_t *a, size_t n, unsigned by)
{
    const size_t words = by / 64;
    const unsigned bits = by % 64;
    for (size_t i = n; i-- > 0;) {
        const uint64_t high = i >= words ? a[i - words] : 0;
        const uint64_t low = i >= words + 1 ? a[i - words - 1] : 0;
        out[i] = bits == 0 ? high : high << bits | low >> (64 - bits);
    }
}

/* Euclid on (L, k): rests r and factors t with t_i k = (-1)^(i+1) r_i (mod L) and t_i r_(i-1) <= L. At the first rest
 * below 2^127 the one before it is not, so that t is below L / 2^127 < 2^126. A quotient is found by shifts: most are
 * 1, 2 or 3. */
void tl__scalar_halve(tl__halves *out, const tl_scalar *k)
{
    uint64_t r[2][4];
    uint64_t t[2][4] = {{0}, {1, 0, 0, 0}};
    memcpy(r[0], ORDER, sizeof ORDER);
    memcpy(r[1], k->w, sizeof r[1]);
    bool is_negative = false;
    while ((r[1][3] | r[1][2]) != 0 || r[1][1] >> 63 != 0) {
        const unsigned bits = bits_of(r[1], 4);
        while (!is_below(r[0], r[1], 4)) {
            uint64_t shifted[4];
            unsigned by = bits_of(r[0], 4) - bits;
            shift_left(shifted, r[1], 4, by);
            if (is_below(r[0], shifted, 4)) {
                by--;
                shift_left(shifted, r[1], 4, by);
            }
            (void)sub_words(r[0], shifted, 4);
            shift_left(shifted, t[1], 4, by);
            (void)add_words(t[0], shifted, 4);
        }
        for (size_t i = 0; i < 4; i++) {
            const uint64_t rest = r[0][i];
            const uint64_t factor = t[0][i];
            r[0][i] = r[1][i];
            r[1][i] = rest;
            t[0][i] = t[1][i];
            t[1][i] = factor;
        }
        is_negative = !is_negative;
    }
    TL_ASSERT((t[1][3] | t[1][2] | t[1][1] >> 63) == 0 && (t[1][0] | t[1][1]) != 0);
    *out = (tl__halves){{r[1][0], r[1][1]}, {t[1][0], t[1][1]}, is_negative};
}

void tl__claim_halves(tl__halves *halves, tl_scalar *w, const tl_ristretto_claim *claim)
{
    TL_ASSERT(is_below(claim->k.w, ORDER, 4) && is_below(claim->s.w, ORDER, 4)); /* RIS-3 */
    tl__scalar_halve(halves, &claim->k);
    const tl_scalar v = {{halves->v[0], halves->v[1], 0, 0}};
    tl_scalar_mul(w, &v, &claim->s);
}

/* --- digits --- */

/* The n bits from bit at on; what lies behind the words is zero. n is 1 … 63. */
static uint64_t bits_at(const uint64_t *word, size_t words, size_t at, unsigned n)
{
    const size_t i = at / 64;
    const unsigned shift = (unsigned)(at % 64);
    if (i >= words) {
        return 0;
    }
    uint64_t x = word[i] >> shift;
    if (shift != 0 && i + 1 < words) {
        x |= word[i + 1] << (64 - shift);
    }
    return x & (((uint64_t)1 << n) - 1);
}

void tl__digits_radix(int16_t *out, size_t n, unsigned bits, const uint64_t *word, size_t words)
{
    const int half = 1 << (bits - 1);
    int carry = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = (int)bits_at(word, words, i * bits, bits) + carry;
        carry = digit >= half && i + 1 < n;
        digit -= carry << bits;
        out[i] = (int16_t)digit;
    }
}

size_t tl__digits_sparse(int8_t *out, size_t n, unsigned width, const uint64_t *word, size_t words)
{
    memset(out, 0, n);
    size_t count = 0;
    int carry = 0;
    for (size_t at = 0; at < n;) {
        const int window = (int)bits_at(word, words, at, width) + carry;
        if ((window & 1) == 0) {
            at++; /* the carry stays: a window of 2^width is even, too */
            continue;
        }
        carry = window >= 1 << (width - 1);
        out[at] = (int8_t)(window - (carry << width));
        count = at + 1;
        at += width;
    }
    return count;
}
