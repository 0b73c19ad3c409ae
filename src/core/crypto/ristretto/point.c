/* Elements as bytes and as points: RFC 9496, sections 4.3.1 to 4.3.4. */
#include "core/crypto/ristretto/point_internal.h"

void tl_ristretto_identity(tl_ristretto *out)
{
    *out = (tl_ristretto){TL__FIELD_ZERO, TL__FIELD_ONE, TL__FIELD_ONE, TL__FIELD_ZERO};
}

void tl_ristretto_base(tl_ristretto *out)
{
    /* y + x and y - x of the first multiple: twice the coordinates; Z is then 2. */
    tl_field sum;
    tl_field difference;
    tl__multiple_part(&sum, &tl__base_multiples[0][0], 0);
    tl__multiple_part(&difference, &tl__base_multiples[0][0], 1);
    tl_field x;
    tl_field y;
    tl__field_sub(&x, &sum, &difference);
    tl__field_add(&y, &sum, &difference);
    const tl_field two = {{2, 0, 0, 0, 0}};
    tl__field_mul(&out->x, &x, &two);
    tl__field_mul(&out->y, &y, &two);
    out->z = (tl_field){{4, 0, 0, 0, 0}};
    tl__field_mul(&out->t, &x, &y);
}

bool tl__is_canonical(const uint8_t in[TL_RISTRETTO_LEN])
{
    if ((in[0] & 1) != 0 || (in[31] & 0x80) != 0) { /* negative, or at least 2^255 */
        return false;
    }
    tl_field s;
    tl_field reduced;
    tl__field_load(&s, in);
    tl__field_freeze(&reduced, &s);
    return memcmp(&reduced, &s, sizeof s) == 0; /* p or above: RIS-1 */
}

bool tl__decode_begin(tl__decode *d, const uint8_t in[TL_RISTRETTO_LEN])
{
    if (!tl__is_canonical(in)) {
        return false;
    }
    tl__field_load(&d->s, in);
    tl_field ss;
    tl_field t;
    tl__field_sq(&ss, &d->s);
    tl__field_sub(&d->u1, &TL__FIELD_ONE, &ss);
    tl__field_add(&d->u2, &TL__FIELD_ONE, &ss);
    tl_field u2_sq;
    tl__field_sq(&u2_sq, &d->u2);
    tl__field_sq(&t, &d->u1);
    tl__field_mul(&t, &t, &TL__FIELD_D);
    tl__field_add(&t, &t, &u2_sq);
    tl__field_neg(&d->v, &t); /* -(d u1^2) - u2^2 */
    tl__field_mul(&d->square, &d->v, &u2_sq);
    return true;
}

bool tl__decode_finish(tl_ristretto *out, const tl__decode *d, const tl_field *invsqrt)
{
    tl_field den_x;
    tl_field den_y;
    tl_field x;
    tl_field y;
    tl_field t;
    tl__field_mul(&den_x, invsqrt, &d->u2);
    tl__field_mul(&den_y, invsqrt, &den_x);
    tl__field_mul(&den_y, &den_y, &d->v);
    tl__field_mul(&x, &d->s, &den_x);
    tl__field_add(&x, &x, &x);
    tl__field_carry(&x);
    if (tl__field_is_negative(&x)) {
        tl__field_neg(&x, &x);
    }
    tl__field_mul(&y, &d->u1, &den_y);
    tl__field_mul(&t, &x, &y);
    if (tl__field_is_negative(&t) || tl__field_is_zero(&y)) {
        return false;
    }
    *out = (tl_ristretto){x, y, TL__FIELD_ONE, t};
    return true;
}

bool tl_ristretto_decode(tl_ristretto *out, const uint8_t in[TL_RISTRETTO_LEN])
{
    tl__decode d;
    tl_field root;
    return tl__decode_begin(&d, in) && tl__field_invsqrt(&root, &d.square) &&
           tl__decode_finish(out, &d, &root);
}

void tl_ristretto_encode(uint8_t out[TL_RISTRETTO_LEN], const tl_ristretto *p)
{
    tl_field u1;
    tl_field u2;
    tl_field t;
    tl_field root;
    tl__field_add(&u1, &p->z, &p->y);
    tl__field_sub(&t, &p->z, &p->y);
    tl__field_mul(&u1, &u1, &t);
    tl__field_mul(&u2, &p->x, &p->y);
    tl__field_sq(&t, &u2);
    tl__field_mul(&t, &t, &u1);
    (void)tl__field_invsqrt(&root,
                            &t); /* no root only for 0, where root is 0 and so is the encoding */
    tl_field den1;
    tl_field den2;
    tl_field z_inv;
    tl__field_mul(&den1, &root, &u1);
    tl__field_mul(&den2, &root, &u2);
    tl__field_mul(&z_inv, &den1, &den2);
    tl__field_mul(&z_inv, &z_inv, &p->t);
    tl_field x = p->x;
    tl_field y = p->y;
    tl__field_mul(&t, &p->t, &z_inv);
    if (tl__field_is_negative(&t)) {
        tl__field_mul(&x, &p->y, &TL__FIELD_SQRT_M1);
        tl__field_mul(&y, &p->x, &TL__FIELD_SQRT_M1);
        tl__field_mul(&den2, &den1, &TL__FIELD_INVSQRT_A_MINUS_D);
    }
    tl__field_mul(&t, &x, &z_inv);
    if (tl__field_is_negative(&t)) {
        tl__field_neg(&y, &y);
    }
    tl__field_sub(&t, &p->z, &y);
    tl__field_mul(&t, &t, &den2);
    if (tl__field_is_negative(&t)) {
        tl__field_neg(&t, &t);
    }
    tl__field_store(out, &t);
}

void tl_ristretto_add(tl_ristretto *out, const tl_ristretto *p, const tl_ristretto *q)
{
    tl__cached cached;
    tl__completed c;
    tl__point_cache(&cached, q);
    tl__point_add(&c, p, &cached, false);
    tl__point_finish(out, &c);
}

void tl_ristretto_sub(tl_ristretto *out, const tl_ristretto *p, const tl_ristretto *q)
{
    tl__cached cached;
    tl__completed c;
    tl__point_cache(&cached, q);
    tl__point_add(&c, p, &cached, true);
    tl__point_finish(out, &c);
}

void tl_ristretto_double(tl_ristretto *out, const tl_ristretto *p)
{
    tl__completed c;
    tl__point_double(&c, p);
    tl__point_finish(out, &c);
}

bool tl_ristretto_eq(const tl_ristretto *p, const tl_ristretto *q)
{
    tl_field a;
    tl_field b;
    tl__field_mul(&a, &p->x, &q->y);
    tl__field_mul(&b, &p->y, &q->x);
    if (tl__field_eq(&a, &b)) {
        return true;
    }
    tl__field_mul(&a, &p->y, &q->y);
    tl__field_mul(&b, &p->x, &q->x);
    return tl__field_eq(&a, &b);
}

bool tl__point_is_zero(const tl_ristretto *p)
{
    return tl__field_is_zero(&p->x) || tl__field_is_zero(&p->y);
}
