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

/* What half of Euclid walks with: two rests and the factors that k has in them, whose signs alternate. */
typedef struct walk {
    uint64_t r[2][4];
    tl__u128 t[2];
    bool is_negative;
} walk;

static void change_places(walk *w)
{
    uint64_t rest[4];
    memcpy(rest, w->r[0], sizeof rest);
    memcpy(w->r[0], w->r[1], sizeof rest);
    memcpy(w->r[1], rest, sizeof rest);
    const tl__u128 factor = w->t[0];
    w->t[0] = w->t[1];
    w->t[1] = factor;
    w->is_negative = !w->is_negative;
}

/* One division, by shifts: most quotients are 1, 2 or 3. */
static void divide_once(walk *w)
{
    const unsigned bits = bits_of(w->r[1], 4);
    while (!is_below(w->r[0], w->r[1], 4)) {
        uint64_t shifted[4];
        unsigned by = bits_of(w->r[0], 4) - bits;
        shift_left(shifted, w->r[1], 4, by);
        if (is_below(w->r[0], shifted, 4)) {
            by--;
            shift_left(shifted, w->r[1], 4, by);
        }
        (void)sub_words(w->r[0], shifted, 4);
        w->t[0] += w->t[1] << by;
    }
    change_places(w);
}

/* Quotients that the upper 64 bits decide (Lehmer 1938): after some of them the rests are u r0 - v r1, of alternating
 * sign. */
typedef struct quotients {
    uint64_t u[2];
    uint64_t v[2];
    unsigned count;
} quotients;

/* a >= b: the upper bits of both rests; least: no rest may fall below. The condition is Jebelean's (1993), made
 * stricter by a factor of two: what was cut off can then change no quotient, and halves a rest at most. */
static quotients find_quotients(uint64_t a, uint64_t b, uint64_t least)
{
    quotients q = {{1, 0}, {0, 1}, 0};
    while (b != 0) {
        const uint64_t quotient = a / b;
        const uint64_t rest = a - quotient * b;
        if (quotient >> 32 != 0) {
            break;
        }
        const uint64_t u = q.u[0] + quotient * q.u[1];
        const uint64_t v = q.v[0] + quotient * q.v[1];
        const uint64_t larger = u > v ? u : v;
        const uint64_t before = q.u[1] > q.v[1] ? q.u[1] : q.v[1];
        if (rest < 2 * larger || rest < least || b - rest < larger + before) {
            break;
        }
        q = (quotients){{q.u[1], u}, {q.v[1], v}, q.count + 1};
        a = b;
        b = rest;
    }
    return q;
}

/* out = plus x - minus y, which is known to be no less than zero and to fit. */
static void combine(uint64_t out[4], uint64_t plus, const uint64_t x[4], uint64_t minus,
                    const uint64_t y[4])
{
    uint64_t high_x = 0;
    uint64_t high_y = 0;
    uint64_t borrow = 0;
    for (size_t i = 0; i < 4; i++) {
        const tl__u128 p = (tl__u128)plus * x[i] + high_x;
        const tl__u128 m = (tl__u128)minus * y[i] + high_y;
        const tl__u128 difference = (tl__u128)(uint64_t)p - (uint64_t)m - borrow;
        out[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
        high_x = (uint64_t)(p >> 64);
        high_y = (uint64_t)(m >> 64);
    }
    TL_ASSERT(high_x - high_y - borrow == 0);
}

static void apply(walk *w, const quotients *q)
{
    uint64_t r[2][4];
    tl__u128 t[2];
    for (unsigned i = 0; i < 2; i++) {
        if ((q->count + i) % 2 == 0) {
            combine(r[i], q->u[i], w->r[0], q->v[i], w->r[1]);
        } else {
            combine(r[i], q->v[i], w->r[1], q->u[i], w->r[0]);
        }
        t[i] = q->u[i] * w->t[0] + q->v[i] * w->t[1];
    }
    memcpy(w->r, r, sizeof r);
    memcpy(w->t, t, sizeof t);
    w->is_negative ^= q->count % 2 != 0;
}

/* The 64 bits of a from bit at on; at is at most 192. */
static uint64_t word_at(const uint64_t a[4], unsigned at)
{
    const size_t i = at / 64;
    const unsigned shift = at % 64;
    return shift == 0 ? a[i] : a[i] >> shift | (i + 1 < 4 ? a[i + 1] << (64 - shift) : 0);
}

/* Euclid on (L, k): rests r and factors t with t_i k = (-1)^(i+1) r_i (mod L) and t_i r_(i-1) <= L. At the first rest
 * below 2^126 the one before it is not, so that t is at most L / 2^126, some 2^126 as well. */
void tl__scalar_halve(tl__halves *out, const tl_scalar *k)
{
    enum { HALF = 126 };
    walk w = {.t = {0, 1}};
    memcpy(w.r[0], ORDER, sizeof ORDER);
    memcpy(w.r[1], k->w, sizeof w.r[1]);
    while (bits_of(w.r[1], 4) > HALF) {
        const unsigned shift = bits_of(w.r[0], 4) - 64; /* 63 … 189 */
        /* A rest of b upper bits is at least b / 2 in truth: b from 2^(127 - shift) on keeps above 2^126. */
        const uint64_t least = shift > HALF ? 1 : (uint64_t)1 << (HALF + 1 - shift) % 64;
        const quotients q =
            shift > 64 ? find_quotients(word_at(w.r[0], shift), word_at(w.r[1], shift), least)
                       : (quotients){.count = 0};
        if (q.count != 0) {
            apply(&w, &q);
        } else {
            divide_once(&w);
        }
    }
    const uint64_t v[2] = {(uint64_t)w.t[1], (uint64_t)(w.t[1] >> 64)};
    TL_ASSERT(v[1] <= (uint64_t)1 << 62 && (v[0] | v[1]) != 0);
    *out = (tl__halves){{w.r[1][0], w.r[1][1]}, {v[0], v[1]}, w.is_negative};
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

/* With half of the radix added to every digit at once, the digits of the sum are those wanted, each too large by that
 * half: no carry runs from digit to digit. */
void tl__digits_radix(int8_t *out, unsigned bits, const uint64_t *word, size_t words)
{
    const uint64_t halves = bits == 4 ? 0x8888888888888888 : 0x8080808080808080;
    const int half = 1 << (bits - 1);
    uint64_t carry = 0;
    for (size_t i = 0; i < words; i++) {
        const tl__u128 sum = (tl__u128)word[i] + halves + carry;
        uint64_t rest = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
        for (unsigned at = 0; at < 64; at += bits) {
            *out++ = (int8_t)((int)(rest & (2 * (uint64_t)half - 1)) - half);
            rest >>= bits;
        }
    }
    TL_ASSERT(carry == 0);
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
