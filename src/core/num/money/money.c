#include "core/num/money/money.h"

tl_err tl_rao_add(tl_rao *out, tl_rao a, tl_rao b, tl_errctx *ctx)
{
    int64_t r;
    if (__builtin_add_overflow(a.rao, b.rao, &r)) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "%lld + %lld rao does not fit", (long long)a.rao,
                       (long long)b.rao);
    }
    out->rao = r;
    return TL_OK;
}

tl_err tl_rao_sub(tl_rao *out, tl_rao a, tl_rao b, tl_errctx *ctx)
{
    int64_t r;
    if (__builtin_sub_overflow(a.rao, b.rao, &r)) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "%lld - %lld rao does not fit", (long long)a.rao,
                       (long long)b.rao);
    }
    out->rao = r;
    return TL_OK;
}

tl_err tl_rao_neg(tl_rao *out, tl_rao a, tl_errctx *ctx)
{
    return tl_rao_sub(out, TL_RAO_ZERO, a, ctx);
}

tl_err tl_rao_sum(tl_rao *out, const tl_rao *amounts, size_t n, tl_errctx *ctx)
{
    tl_i128 total = 0; /* below 2^64 addends of below 2^63: never past 2^127 */
    for (size_t i = 0; i < n; i++) {
        total += amounts[i].rao;
    }
    if (total > INT64_MAX || total < INT64_MIN) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "the sum of %zu amounts does not fit", n);
    }
    out->rao = (int64_t)total;
    return TL_OK;
}

tl_err tl_rao_mul_div_floor(tl_rao *out, tl_rao a, uint64_t num, uint64_t den, tl_errctx *ctx)
{
    if (den == 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "an amount is divided by zero");
    }
    const tl_i128 product = (tl_i128)a.rao * (tl_i128)num; /* at least -2^63 * (2^64 - 1) */
    tl_i128 quotient = product / (tl_i128)den;
    if (product % (tl_i128)den < 0) {
        quotient--; /* C rounds towards zero, floor does not */
    }
    if (quotient > INT64_MAX || quotient < INT64_MIN) {
        return tl_fail(ctx, TL_ERR_OVERFLOW, "%lld rao * %llu / %llu does not fit",
                       (long long)a.rao, (unsigned long long)num, (unsigned long long)den);
    }
    const tl_i128 rest = product - quotient * (tl_i128)den;
    TL_ASSERT(rest >= 0 && rest < (tl_i128)den); /* MONEY-1 */
    out->rao = (int64_t)quotient;
    return TL_OK;
}

void tl_rao_print(tl_sb *sb, tl_rao a)
{
    const uint64_t size = a.rao < 0 ? 0 - (uint64_t)a.rao : (uint64_t)a.rao;
    tl_sb_printf(sb, "%s%llu.%09llu", a.rao < 0 ? "-" : "",
                 (unsigned long long)(size / (uint64_t)TL_RAO_PER_TAO),
                 (unsigned long long)(size % (uint64_t)TL_RAO_PER_TAO));
}

/* The places behind the point as rao: "5" is 500,000,000. */
static bool parse_places(uint64_t *out, tl_str text)
{
    if (text.len == 0 || text.len > TL_RAO_TAO_PLACES) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < TL_RAO_TAO_PLACES; i++) {
        const char c = i < text.len ? text.ptr[i] : '0';
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(c - '0');
    }
    *out = value;
    return true;
}

/* Digits without a leading zero; *is_too_large when they are well formed but beyond any amount. */
static bool parse_whole(uint64_t *out, bool *is_too_large, tl_str text)
{
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    uint64_t value = 0;
    *is_too_large = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c < '0' || c > '9') {
            return false;
        }
        if (value > (uint64_t)INT64_MAX / 10 - 1) {
            *is_too_large = true;
            continue;
        }
        value = value * 10 + (uint64_t)(c - '0');
    }
    *out = value;
    return true;
}

tl_err tl_rao_parse(tl_rao *out, tl_str text, tl_errctx *ctx)
{
    const bool is_negative = text.len > 0 && text.ptr[0] == '-';
    const tl_str digits = tl_str_slice(text, is_negative ? 1 : 0, text.len);
    const size_t point = tl_str_find(digits, '.');
    uint64_t tao = 0;
    uint64_t places = 0;
    bool is_too_large = false;
    const bool is_amount =
        parse_whole(&tao, &is_too_large, tl_str_slice(digits, 0, point)) &&
        (point == digits.len || parse_places(&places, tl_str_slice(digits, point + 1, digits.len)));
    if (!is_amount || (is_negative && tao == 0 && places == 0 && !is_too_large)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no amount in TAO", TL_STR_ARG(text));
    }
    const tl_i128 size = (tl_i128)tao * TL_RAO_PER_TAO + (tl_i128)places;
    const tl_i128 value = is_negative ? -size : size;
    if (is_too_large || value > INT64_MAX || value < INT64_MIN) {
        return tl_fail(ctx, TL_ERR_RANGE, "\"%.*s\" TAO is above %lld rao", TL_STR_ARG(text),
                       (long long)INT64_MAX);
    }
    out->rao = (int64_t)value; /* MONEY-5 */
    return TL_OK;
}
