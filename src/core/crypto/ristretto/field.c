/* What the field needs beside sums and products: bytes, comparing, powers. */
#include "core/crypto/ristretto/field_internal.h"

void tl__field_load(tl_field *out, const uint8_t in[32])
{
    const uint64_t w0 = tl__load64(in), w1 = tl__load64(in + 8), w2 = tl__load64(in + 16),
                   w3 = tl__load64(in + 24);
    out->limb[0] = w0 & TL__LIMB_MASK;
    out->limb[1] = (w0 >> 51 | w1 << 13) & TL__LIMB_MASK;
    out->limb[2] = (w1 >> 38 | w2 << 26) & TL__LIMB_MASK;
    out->limb[3] = (w2 >> 25 | w3 << 39) & TL__LIMB_MASK;
    out->limb[4] = (w3 >> 12) & TL__LIMB_MASK;
}

void tl__field_freeze(tl_field *out, const tl_field *a)
{
    tl_field x = *a;
    tl__field_carry(&x);
    tl__field_carry(&x);
    /* Now x < 2^255 + 19, so x + 19 reaches 2^255 when x >= p, and then only x - p is left below it. */
    uint64_t c = (x.limb[0] + 19) >> TL__LIMB_BITS;
    for (int i = 1; i < 5; i++) {
        c = (x.limb[i] + c) >> TL__LIMB_BITS;
    }
    x.limb[0] += 19 * c;
    c = 0;
    for (int i = 0; i < 5; i++) {
        x.limb[i] += c;
        c = x.limb[i] >> TL__LIMB_BITS;
        x.limb[i] &= TL__LIMB_MASK;
    }
    *out = x;
}

void tl__field_store(uint8_t out[32], const tl_field *a)
{
    tl_field x;
    tl__field_freeze(&x, a);
    tl__store64(out, x.limb[0] | x.limb[1] << 51);
    tl__store64(out + 8, x.limb[1] >> 13 | x.limb[2] << 38);
    tl__store64(out + 16, x.limb[2] >> 26 | x.limb[3] << 25);
    tl__store64(out + 24, x.limb[3] >> 39 | x.limb[4] << 12);
}

bool tl__field_is_zero(const tl_field *a)
{
    tl_field x;
    tl__field_freeze(&x, a);
    return (x.limb[0] | x.limb[1] | x.limb[2] | x.limb[3] | x.limb[4]) == 0;
}

bool tl__field_eq(const tl_field *a, const tl_field *b)
{
    tl_field x;
    tl_field y;
    tl__field_freeze(&x, a);
    tl__field_freeze(&y, b);
    return memcmp(&x, &y, sizeof x) == 0;
}

bool tl__field_is_negative(const tl_field *a)
{
    tl_field x;
    tl__field_freeze(&x, a);
    return (x.limb[0] & 1) != 0;
}

/* --- powers --- */

/* In the names below, x_n is a^(2^n - 1). Both numbers of a pair take each step together: the second multiplication
 * fills the time in which the first one's carries ripple. */
enum { LANES_MAX = 2 };

static inline void squares(tl_field out[], const tl_field a[], int lanes, int count)
{
    tl_field x[LANES_MAX];
    for (int lane = 0; lane < lanes; lane++) {
        tl__field_sq(&x[lane], &a[lane]);
    }
    for (int i = 1; i < count; i++) {
        for (int lane = 0; lane < lanes; lane++) {
            tl__field_sq(&x[lane], &x[lane]);
        }
    }
    memcpy(out, x, (size_t)lanes * sizeof *x);
}

static inline void products(tl_field out[], const tl_field a[], const tl_field b[], int lanes)
{
    for (int lane = 0; lane < lanes; lane++) {
        tl__field_mul(&out[lane], &a[lane], &b[lane]);
    }
}

/* x_250 and a^11: where the powers for roots and for inverses part. */
static inline void powers(tl_field x_250[], tl_field a_11[], const tl_field a[], int lanes)
{
    tl_field t[LANES_MAX];
    tl_field a_9[LANES_MAX];
    tl_field x_5[LANES_MAX];
    tl_field x_10[LANES_MAX];
    tl_field x_50[LANES_MAX];
    tl_field x_100[LANES_MAX];
    squares(t, a, lanes, 1);       /* 2 */
    squares(a_9, t, lanes, 2);     /* 8 */
    products(a_9, a_9, a, lanes);  /* 9 */
    products(a_11, a_9, t, lanes); /* 11 */
    squares(t, a_11, lanes, 1);    /* 22 */
    products(x_5, t, a_9, lanes);  /* 31 */
    squares(t, x_5, lanes, 5);
    products(x_10, t, x_5, lanes);
    squares(t, x_10, lanes, 10);
    products(x_50, t, x_10, lanes); /* x_20, for a moment */
    squares(t, x_50, lanes, 20);
    products(t, t, x_50, lanes); /* x_40 */
    squares(t, t, lanes, 10);
    products(x_50, t, x_10, lanes);
    squares(t, x_50, lanes, 50);
    products(x_100, t, x_50, lanes);
    squares(t, x_100, lanes, 100);
    products(t, t, x_100, lanes); /* x_200 */
    squares(t, t, lanes, 50);
    products(x_250, t, x_50, lanes);
}

void tl__field_pow(tl_field *out, const tl_field *a)
{
    tl_field x_250;
    tl_field a_11;
    powers(&x_250, &a_11, a, 1);
    squares(&x_250, &x_250, 1, 2);
    tl__field_mul(out, &x_250, a); /* 4 (2^250 - 1) + 1 */
}

void tl__field_pow_pair(tl_field out[2], const tl_field a[2])
{
    tl_field x_250[2];
    tl_field a_11[2];
    powers(x_250, a_11, a, 2);
    squares(x_250, x_250, 2, 2);
    products(out, x_250, a, 2);
}

void tl__field_invert(tl_field *out, const tl_field *a)
{
    tl_field x_250;
    tl_field a_11;
    powers(&x_250, &a_11, a, 1);
    squares(&x_250, &x_250, 1, 5);
    tl__field_mul(out, &x_250, &a_11); /* 32 (2^250 - 1) + 11 = p - 2 */
}

void tl__field_pow7(tl_field *out, const tl_field *a)
{
    tl_field t;
    tl__field_sq(&t, a);
    tl__field_mul(&t, &t, a);
    tl__field_sq(&t, &t);
    tl__field_mul(out, &t, a);
}

bool tl__field_invsqrt_from(tl_field *out, const tl_field *a, const tl_field *power)
{
    /* r = a^3 (a^7)^((p-5)/8) has a r^2 in {1, -1, i, -i}; for the first two, r or i r is a root of 1/a. */
    tl_field r;
    tl_field check;
    tl__field_sq(&r, a);
    tl__field_mul(&r, &r, a);
    tl__field_mul(&r, &r, power);
    tl__field_sq(&check, &r);
    tl__field_mul(&check, &check, a);
    *out = r;
    if (tl__field_eq(&check, &TL__FIELD_ONE)) {
        return true;
    }
    tl__field_mul(out, &r, &TL__FIELD_SQRT_M1);
    tl__field_add(&check, &check, &TL__FIELD_ONE);
    return tl__field_is_zero(&check);
}

bool tl__field_invsqrt(tl_field *out, const tl_field *a)
{
    tl_field power;
    tl__field_pow7(&power, a);
    tl__field_pow(&power, &power);
    return tl__field_invsqrt_from(out, a, &power);
}
