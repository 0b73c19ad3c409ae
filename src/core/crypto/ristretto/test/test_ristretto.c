/* Attacks the group with libsodium's: every operation on random elements and on edges (zero, one, L - 1, the identity,
 * small multiples, runs of equal bits), every encoding that is not canonical, and each way of checking a claim against
 * the plain sum. SEED in the environment replays another world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/crypto/ristretto/point_internal.h"

#define LEN 32

static uint64_t seed = 20260801;

static uint64_t next(void)
{
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void fill(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(next() >> 32);
    }
}

static int begin(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    if (given != NULL) {
        seed = strtoull(given, NULL, 10);
    }
    print_message("# seed %llu\n", (unsigned long long)seed);
    return sodium_init() < 0 ? -1 : 0;
}

static const uint8_t ORDER[LEN] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                   0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                   0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
static const uint8_t ZERO[LEN] = {0};

/* Scalars with a taste for edges. */
static void some_scalar(uint8_t out[LEN])
{
    memset(out, 0, LEN);
    switch (next() % 10) {
    case 0:
        out[0] = (uint8_t)(next() % 18); /* 0, 1, 2 … */
        return;
    case 1:
        memcpy(out, ORDER, LEN); /* L - 1 … */
        out[0] = (uint8_t)(out[0] - 1 - next() % 18);
        return;
    case 2:
        out[next() % 31] = (uint8_t)(1u << next() % 8); /* a power of two */
        return;
    case 3:
        memset(out, 0xff, 1 + next() % 31); /* runs of ones */
        return;
    case 4:
        memset(out + 8, (int)(next() % 2 * 0xff), 16); /* a run in the middle */
        fill(out, 8);
        fill(out + 24, 7);
        return;
    default: {
        uint8_t wide[64];
        fill(wide, sizeof wide);
        crypto_core_ristretto255_scalar_reduce(out, wide);
        return;
    }
    }
}

static tl_scalar scalar_of(const uint8_t bytes[LEN])
{
    tl_scalar s;
    assert_true(tl_scalar_decode(&s, bytes));
    return s;
}

/* k * p by libsodium, which refuses zeros and identities. What it writes is zeroed first, here and below: the memory
 * sanitizer does not see into it. */
static void their_mul(uint8_t out[LEN], const uint8_t k[LEN], const uint8_t p[LEN])
{
    memset(out, 0, LEN);
    if (crypto_scalarmult_ristretto255(out, k, p) != 0) {
        memset(out, 0, LEN);
    }
}

static void their_base(uint8_t out[LEN], const uint8_t k[LEN])
{
    memset(out, 0, LEN);
    if (crypto_scalarmult_ristretto255_base(out, k) != 0) {
        memset(out, 0, LEN);
    }
}

/* libsodium calls the identity invalid as a point to multiply, and older releases do not look at the top bit. */
static bool is_element(const uint8_t b[LEN])
{
    return (b[31] & 0x80) == 0 &&
           (crypto_core_ristretto255_is_valid_point(b) == 1 || memcmp(b, ZERO, LEN) == 0);
}

static void some_element(uint8_t out[LEN])
{
    memset(out, 0, LEN);
    if (next() % 3 == 0) {
        uint8_t k[LEN];
        some_scalar(k);
        their_base(out, k);
        return;
    }
    uint8_t wide[64];
    fill(wide, sizeof wide);
    assert_int_equal(crypto_core_ristretto255_from_hash(out, wide), 0);
}

static tl_ristretto element_of(const uint8_t bytes[LEN])
{
    tl_ristretto p;
    assert_true(tl_ristretto_decode(&p, bytes));
    return p;
}

static void assert_encodes(const tl_ristretto *p, const uint8_t want[LEN])
{
    uint8_t got[LEN];
    tl_ristretto_encode(got, p);
    assert_memory_equal(got, want, LEN);
}

/* --- the field --- */

static void some_field(tl_field *out)
{
    uint8_t b[LEN];
    fill(b, sizeof b);
    if (next() % 4 == 0) {
        memset(b, next() % 2 == 0 ? 0xff : 0, sizeof b);
        b[0] = (uint8_t)next();
    }
    tl__field_load(out, b);
}

static void the_laws_of_a_field_hold(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        tl_field a, b, c, x, y, z;
        some_field(&a);
        some_field(&b);
        some_field(&c);
        tl__field_add(&x, &b, &c);
        tl__field_mul(&x, &a, &x);
        tl__field_mul(&y, &a, &b);
        tl__field_mul(&z, &c, &a);
        tl__field_add(&y, &y, &z);
        assert_true(tl__field_eq(&x, &y)); /* a (b + c) = a b + c a */
        tl__field_sub(&x, &a, &b);
        tl__field_sq(&x, &x);
        tl__field_sub(&y, &b, &a);
        tl__field_mul(&y, &y, &y);
        assert_true(tl__field_eq(&x, &y)); /* (a - b)^2 = (b - a)^2 */
        tl__field_neg(&x, &a);
        tl__field_add(&x, &x, &a);
        assert_true(tl__field_is_zero(&x));
        assert_int_equal(
            tl__field_is_negative(&a),
            tl__field_is_zero(&a) ? 0 : (tl__field_neg(&x, &a), !tl__field_is_negative(&x)));
        tl__field_invert(&x, &a);
        tl__field_mul(&x, &x, &a);
        assert_true(tl__field_is_zero(&a) ? tl__field_is_zero(&x)
                                          : tl__field_eq(&x, &TL__FIELD_ONE));
        /* a square's inverse has a root, and with a factor that is none (2) it has none */
        tl__field_sq(&y, &a);
        tl__field_add(&z, &y, &y);
        if (!tl__field_is_zero(&a)) {
            assert_true(tl__field_invsqrt(&x, &y));
            tl__field_sq(&x, &x);
            tl__field_mul(&x, &x, &y);
            assert_true(tl__field_eq(&x, &TL__FIELD_ONE));
            assert_false(tl__field_invsqrt(&x, &z));
        }
        const tl_field pair[2] = {a, b};
        tl_field powers[2];
        tl__field_pow_pair(powers, pair);
        tl__field_pow(&x, &a);
        tl__field_pow(&y, &b);
        assert_true(tl__field_eq(&x, &powers[0]) && tl__field_eq(&y, &powers[1]));
    }
    tl_field root;
    assert_false(tl__field_invsqrt(&root, &TL__FIELD_ZERO));
    assert_true(tl__field_is_zero(&root));
}

static void numbers_around_p_freeze_below_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) { /* p - 20 … p + 18 = 2^255 - 1, and above */
        uint8_t b[LEN];
        memset(b, 0xff, sizeof b);
        b[31] = 0x7f;
        b[0] = (uint8_t)(0xed - 20 + i);
        tl_field a;
        uint8_t out[LEN];
        tl__field_load(&a, b);
        tl__field_store(out, &a);
        if (i < 20 || i > 38) {
            b[31] = i > 38 ? 0 : b[31];
            assert_true(i > 38 || memcmp(out, b, LEN) == 0);
        } else {
            uint8_t want[LEN] = {(uint8_t)(i - 20)};
            assert_memory_equal(out, want, LEN);
        }
    }
}

/* --- encodings --- */

/* RIS-1: our decoder takes what libsodium's takes, and gives the same bytes back. */
static void what_decodes_encodes_to_the_same_bytes(void **state)
{
    (void)state;
    unsigned taken = 0;
    for (int i = 0; i < 4000; i++) {
        uint8_t b[LEN];
        if (i % 2 == 0) {
            some_element(b);
        } else {
            fill(b, sizeof b);
            b[31] &= 0x7f;
            b[0] &= 0xfe;
        }
        if (i % 5 == 0) { /* bend it */
            b[next() % LEN] ^= (uint8_t)(1u << next() % 8);
        }
        tl_ristretto p;
        assert_int_equal(tl_ristretto_decode(&p, b), is_element(b));
        if (is_element(b)) {
            assert_encodes(&p, b);
            taken++;
        }
    }
    assert_true(taken > 1000);
}

/* RFC 9496, appendix A.2 and A.3: the multiples of the generator begin so, and these are no encodings. */
static void encodings_that_are_not_canonical_do_not_decode(void **state)
{
    (void)state;
    static const char *const bad[] = {
        /* p and above, in 255 bits and in 256 */
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        /* negative */
        "0100000000000000000000000000000000000000000000000000000000000000",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
        "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
        /* no square */
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
        "de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b",
        "bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042",
        /* x y negative */
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
        "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
        /* y = 0 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t b[LEN] = {0};
        assert_int_equal(sodium_hex2bin(b, LEN, bad[i], 64, NULL, NULL, NULL), 0);
        tl_ristretto p;
        assert_false(tl_ristretto_decode(&p, b));
        assert_int_equal(crypto_core_ristretto255_is_valid_point(b), 0);
        /* nor is it an answer, in any of the ways to ask */
        uint8_t good[LEN];
        some_element(good);
        const tl_ristretto_claim claims[2] = {{.a = b, .r = good}, {.a = good, .r = b}};
        for (int k = 0; k < 2; k++) {
            assert_false(tl__check_portable(&claims[k]));
            assert_false(tl_ristretto_check(&claims[k]));
        }
        bool out[16];
        tl_ristretto_claim many[16];
        for (size_t k = 0; k < 16; k++) {
            many[k] = claims[k % 2];
        }
        tl_ristretto_check_many(out, many, 16);
        for (size_t k = 0; k < 16; k++) {
            assert_false(out[k]);
        }
        tl_ristretto_table table;
        assert_false(tl_ristretto_table_make(&table, b));
        assert_true(tl_ristretto_table_make(&table, good));
        assert_false(tl_ristretto_table_check(&table, &claims[1]));
        assert_false(tl__table_check_portable(&table, &claims[1]));
    }
}

static void multiples_of_the_generator_are_as_published(void **state)
{
    (void)state;
    tl_ristretto base;
    tl_ristretto p;
    tl_ristretto_base(&base);
    tl_ristretto_identity(&p);
    assert_encodes(&p, ZERO);
    for (unsigned i = 1; i < 140; i++) {
        uint8_t k[LEN] = {(uint8_t)i};
        uint8_t want[LEN];
        their_base(want, k);
        tl_ristretto_add(&p, &p, &base);
        assert_encodes(&p, want);
    }
}

/* --- scalars --- */

static void scalars_are_reduced_and_multiplied_as_libsodium_does(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        uint8_t wide[64];
        uint8_t want[LEN];
        uint8_t got[LEN];
        fill(wide, sizeof wide);
        if (i % 3 == 0) {
            memset(wide + next() % 64, (int)(next() % 2 * 0xff), 1);
            memset(wide, i % 2 == 0 ? 0xff : 0, 1 + next() % 64);
        }
        crypto_core_ristretto255_scalar_reduce(want, wide);
        tl_scalar s;
        tl_scalar_reduce(&s, wide);
        tl_scalar_encode(got, &s);
        assert_memory_equal(got, want, LEN);
        uint8_t a[LEN];
        uint8_t b[LEN];
        some_scalar(a);
        some_scalar(b);
        const tl_scalar x = scalar_of(a);
        const tl_scalar y = scalar_of(b);
        tl_scalar_mul(&s, &x, &y);
        tl_scalar_encode(got, &s);
        crypto_core_ristretto255_scalar_mul(want, a, b);
        assert_memory_equal(got, want, LEN);
    }
}

/* RIS-3 */
static void a_scalar_of_L_or_above_does_not_decode(void **state)
{
    (void)state;
    tl_scalar s;
    uint8_t b[LEN];
    memcpy(b, ORDER, LEN);
    assert_false(tl_scalar_decode(&s, b));
    b[0]--;
    assert_true(tl_scalar_decode(&s, b));
    b[0]++;
    for (size_t i = 0; i < LEN; i++) {
        memcpy(b, ORDER, LEN);
        b[i]++;
        assert_int_equal(tl_scalar_decode(&s, b), b[i] == 0);
    }
    memset(b, 0xff, LEN);
    assert_false(tl_scalar_decode(&s, b));
}

static void halves_are_short_and_say_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t k[LEN];
        some_scalar(k);
        const tl_scalar scalar = scalar_of(k);
        tl__halves h;
        tl__scalar_halve(&h, &scalar);
        assert_true(h.u[1] >> 62 == 0 && h.v[1] <= (uint64_t)1 << 62 && (h.v[0] | h.v[1]) != 0);
        const tl_scalar v = {{h.v[0], h.v[1], 0, 0}};
        tl_scalar vk;
        tl_scalar_mul(&vk, &v, &scalar);
        uint8_t got[LEN];
        uint8_t want[LEN];
        const tl_scalar u = {{h.u[0], h.u[1], 0, 0}};
        tl_scalar_encode(want, &u);
        if (h.is_negative) {
            crypto_core_ristretto255_scalar_negate(want, want);
        }
        tl_scalar_encode(got, &vk);
        assert_memory_equal(got, want, LEN);
    }
}

/* sum += digit 2^bit, modulo 2^256 */
static void add_at(uint64_t sum[4], size_t bit, int digit)
{
    uint64_t term[4];
    uint64_t carry = 0;
    for (size_t i = 0; i < 4; i++) {
        term[i] = i == bit / 64  ? (uint64_t)(int64_t)digit << bit % 64
                  : i < bit / 64 ? 0
                  : i == bit / 64 + 1 && bit % 64 != 0
                      ? (uint64_t)((int64_t)digit >> (64 - bit % 64))
                  : digit < 0 ? UINT64_MAX
                              : 0;
        const tl__u128 t = (tl__u128)sum[i] + term[i] + carry;
        sum[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
}

static void digits_sum_up_to_their_number(void **state)
{
    (void)state;
    for (int i = 0; i < 4000; i++) {
        uint8_t k[LEN];
        some_scalar(k);
        const tl_scalar s = scalar_of(k);
        int8_t digit[256];
        for (unsigned bits = 4; bits <= 8; bits += 4) {
            uint64_t sum[4] = {0};
            tl__digits_radix(digit, bits, s.w, 4);
            for (size_t j = 0; j < 256 / bits; j++) {
                assert_in_range(digit[j] + (1 << (bits - 1)), 0, (1 << bits) - 1);
                add_at(sum, j * bits, digit[j]);
            }
            assert_memory_equal(sum, s.w, sizeof sum);
        }
        for (unsigned width = 2; width <= 8; width++) {
            uint64_t sum[4] = {0};
            const size_t count = tl__digits_sparse(digit, 256, width, s.w, 4);
            size_t last = 256;
            for (size_t j = 0; j < count; j++) {
                if (digit[j] != 0) {
                    assert_true(digit[j] % 2 != 0 && abs(digit[j]) < 1 << (width - 1));
                    assert_true(last == 256 || j - last >= width);
                    last = j;
                }
                add_at(sum, j, digit[j]);
            }
            assert_memory_equal(sum, s.w, sizeof sum);
        }
    }
}

/* --- sums and claims --- */

static void sums_and_multiples_are_those_of_libsodium(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        uint8_t a[LEN], b[LEN], k[LEN], want[LEN];
        some_element(a);
        some_element(b);
        some_scalar(k);
        tl_ristretto p = element_of(a);
        const tl_ristretto q = element_of(b);
        tl_ristretto r;
        tl_ristretto_add(&r, &p, &q);
        assert_int_equal(crypto_core_ristretto255_add(want, a, b), 0);
        assert_encodes(&r, want);
        tl_ristretto_sub(&r, &p, &q);
        assert_int_equal(crypto_core_ristretto255_sub(want, a, b), 0);
        assert_encodes(&r, want);
        assert_int_equal(tl_ristretto_eq(&p, &q), memcmp(a, b, LEN) == 0);
        tl_ristretto_add(&r, &r, &q);
        assert_true(tl_ristretto_eq(&r, &p));
        tl_ristretto_double(&r, &p);
        assert_int_equal(crypto_core_ristretto255_add(want, a, a), 0);
        assert_encodes(&r, want);
        const tl_scalar s = scalar_of(k);
        tl_ristretto_mul(&r, &s, &p);
        their_mul(want, k, a);
        assert_encodes(&r, want);
    }
}

/* Points that differ by one of order 2 or 4 are one element: same encoding, equal, and equal claims. */
static void points_of_small_order_change_nothing(void **state)
{
    (void)state;
    tl_ristretto small[3];
    tl_field minus_one;
    tl__field_neg(&minus_one, &TL__FIELD_ONE);
    small[0] = (tl_ristretto){TL__FIELD_ZERO, minus_one, TL__FIELD_ONE, TL__FIELD_ZERO};
    small[1] = (tl_ristretto){TL__FIELD_SQRT_M1, TL__FIELD_ZERO, TL__FIELD_ONE, TL__FIELD_ZERO};
    small[2] = small[1];
    tl__field_neg(&small[2].x, &small[2].x);
    for (int i = 0; i < 50; i++) {
        uint8_t a[LEN];
        some_element(a);
        const tl_ristretto p = element_of(a);
        for (size_t j = 0; j < 3; j++) {
            assert_true(tl__point_is_zero(&small[j]));
            assert_encodes(&small[j], ZERO);
            tl_ristretto q;
            tl_ristretto_add(&q, &p, &small[j]);
            assert_true(tl_ristretto_eq(&p, &q));
            assert_encodes(&q, a);
            tl_ristretto_sub(&q, &q, &p);
            assert_true(tl__point_is_zero(&q));
        }
    }
}

typedef struct case_ {
    uint8_t a[LEN];
    uint8_t r[LEN];
    tl_ristretto_claim claim;
    bool is_true;
} case_;

/* s*B - k*A by libsodium; every third claim is then spoiled. */
static void some_case(case_ *c)
{
    uint8_t s[LEN], k[LEN], sb[LEN], ka[LEN];
    memset(c, 0, sizeof *c);
    some_element(c->a);
    some_scalar(s);
    some_scalar(k);
    their_base(sb, s);
    their_mul(ka, k, c->a);
    assert_int_equal(crypto_core_ristretto255_sub(c->r, sb, ka), 0);
    c->is_true = true;
    if (next() % 3 == 0) {
        uint8_t *const spoiled[4] = {s, k, c->r, c->a};
        const uint64_t which = next() % 4;
        if (which < 2) {
            some_scalar(spoiled[which]);
        } else if (next() % 2 == 0) {
            some_element(spoiled[which]);
        } else {
            spoiled[which][next() % 32] ^= (uint8_t)(1u << next() % 8);
        }
        uint8_t sum[LEN] = {0};
        their_base(sb, s);
        c->is_true = is_element(c->a);
        if (c->is_true) {
            their_mul(ka, k, c->a);
            assert_int_equal(crypto_core_ristretto255_sub(sum, sb, ka), 0);
            c->is_true = memcmp(sum, c->r, LEN) == 0;
        }
    }
    c->claim = (tl_ristretto_claim){.a = c->a, .r = c->r, .s = scalar_of(s), .k = scalar_of(k)};
}

/* RIS-2 */
static void every_way_of_checking_gives_libsodiums_verdict(void **state)
{
    (void)state;
    unsigned held = 0;
    unsigned failed = 0;
    for (int round = 0; round < 60; round++) {
        case_ cases[21];
        tl_ristretto_claim claims[21];
        bool out[21];
        const size_t n = next() % 22;
        for (size_t i = 0; i < n; i++) {
            some_case(&cases[i]);
            claims[i] = cases[i].claim;
        }
        tl_ristretto_check_many(out, claims, n);
        for (size_t i = 0; i < n; i++) {
            const case_ *c = &cases[i];
            *(c->is_true ? &held : &failed) += 1;
            assert_int_equal(tl__check_portable(&c->claim), c->is_true);
            assert_int_equal(tl_ristretto_check(&c->claim), c->is_true);
            assert_int_equal(out[i], c->is_true);
            tl_ristretto_table table;
            if (tl_ristretto_table_make(&table, c->a)) {
                assert_int_equal(tl__table_check_portable(&table, &c->claim), c->is_true);
                assert_int_equal(tl_ristretto_table_check(&table, &c->claim), c->is_true);
            } else {
                assert_false(c->is_true);
            }
        }
    }
    assert_true(held > 100 && failed > 50);
}

/* All pairs of edge scalars with edge elements, true and, with the negative of R, almost always false. */
static void edges_meet_edges(void **state)
{
    (void)state;
    uint8_t edge[8][LEN] = {{0}, {1}, {2}, {8}, {0}, {0}, {0}, {0}};
    memcpy(edge[4], ORDER, LEN);
    edge[4][0] -= 1;
    memcpy(edge[5], ORDER, LEN);
    edge[5][0] -= 2;
    edge[6][16] = 1;           /* 2^128 */
    memset(edge[7], 0xff, 16); /* 2^128 - 1 */
    for (size_t i = 0; i < 8 * 8 * 8; i++) {
        const uint8_t *s = edge[i % 8], *k = edge[i / 8 % 8];
        uint8_t a[LEN], r[LEN] = {0}, minus_r[LEN] = {0}, sb[LEN], ka[LEN];
        their_base(a, edge[i / 64]);
        their_base(sb, s);
        their_mul(ka, k, a);
        assert_int_equal(crypto_core_ristretto255_sub(r, sb, ka), 0);
        assert_int_equal(crypto_core_ristretto255_sub(minus_r, ka, sb), 0);
        tl_ristretto_table table;
        assert_true(tl_ristretto_table_make(&table, a));
        const tl_ristretto_claim claims[2] = {
            {.a = a, .r = r, .s = scalar_of(s), .k = scalar_of(k)},
            {.a = a, .r = minus_r, .s = scalar_of(s), .k = scalar_of(k)}};
        tl_ristretto_claim many[8];
        bool out[8];
        for (size_t j = 0; j < 8; j++) {
            many[j] = claims[j % 2];
        }
        tl_ristretto_check_many(out, many, 8);
        for (size_t j = 0; j < 8; j++) {
            const bool want = j % 2 == 0 || memcmp(r, minus_r, LEN) == 0;
            assert_int_equal(out[j], want);
            assert_int_equal(tl__check_portable(&many[j]), want);
            assert_int_equal(tl_ristretto_check(&many[j]), want);
            assert_int_equal(tl_ristretto_table_check(&table, &many[j]), want);
            assert_int_equal(tl__table_check_portable(&table, &many[j]), want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_laws_of_a_field_hold),
        cmocka_unit_test(numbers_around_p_freeze_below_it),
        cmocka_unit_test(what_decodes_encodes_to_the_same_bytes),
        cmocka_unit_test(encodings_that_are_not_canonical_do_not_decode),
        cmocka_unit_test(multiples_of_the_generator_are_as_published),
        cmocka_unit_test(scalars_are_reduced_and_multiplied_as_libsodium_does),
        cmocka_unit_test(a_scalar_of_L_or_above_does_not_decode),
        cmocka_unit_test(halves_are_short_and_say_the_same),
        cmocka_unit_test(digits_sum_up_to_their_number),
        cmocka_unit_test(sums_and_multiples_are_those_of_libsodium),
        cmocka_unit_test(points_of_small_order_change_nothing),
        cmocka_unit_test(every_way_of_checking_gives_libsodiums_verdict),
        cmocka_unit_test(edges_meet_edges),
    };
    return cmocka_run_group_tests_name("ristretto", tests, begin, NULL);
}
