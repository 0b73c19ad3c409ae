/* kind_num.c: doubles as text and the generators: python-float-repr, python-random-sample, quant-prng.
 *
 * python-float-repr     {"f64": hex of the bits, big-endian} gives {"repr"}, NaN and infinities included
 * python-random-sample  {"seed", "n", "k"} gives {"drawn": […]}: random.seed(seed); random.sample(range(n), k), or
 *                       {"error": "ValueError"} where CPython raises that. seed is an integer of any size and sign.
 * quant-prng            {"seed"} gives 8 outputs, 4 units and 8 draws below 1000, each list from a fresh generator
 *                       (quant-math spec section 7) */
#include "app/conformance/conformance.h"

#include <stdint.h>
#include <string.h>

#include "base/decimal/decimal.h"
#include "core/codec/hex/hex.h"
#include "core/num/rng/rng.h"

#define SEED_DIGITS_MAX 10000 /* decimal digits of a seed: 1039 words */
#define PRNG_COUNT      8
#define PRNG_UNITS      4
#define PRNG_BELOW      1000

tl_err tl_conform_python_float_repr(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx)
{
    (void)env;
    tl_str hex;
    TL_TRY(tl_json_want_str(&hex, input, "f64", ctx));
    uint8_t bytes[8];
    TL_TRY(tl_hex_decode(bytes, sizeof bytes, hex, ctx));
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bits = bits << 8 | bytes[i];
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    char text[TL_F64_TEXT_CAP];
    const tl_str repr = {text, tl_f64_print(text, value)};
    tl_json_put_object(out);
    tl_json_put_key(out, "repr");
    tl_json_put_str(out, repr);
    tl_json_put_end(out);
    return TL_OK;
}

/* The decimal digits as words of 32 bits, lowest first; each digit is one pass over the words. */
static bool words_of_digits(uint32_t *words, size_t *count, tl_str digits)
{
    *count = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return false;
        }
        uint64_t carry = (uint64_t)(digits.ptr[i] - '0');
        for (size_t w = 0; w < *count; w++) {
            carry += (uint64_t)words[w] * 10;
            words[w] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry != 0) {
            words[(*count)++] = (uint32_t)carry;
        }
    }
    return digits.len > 0;
}

/* An integer of any size, as a number or a string; of a negative one the absolute value, as CPython seeds. */
static tl_err seed_from_json(tl_mt *mt, const tl_json *input, tl_conform_env *env, tl_errctx *ctx)
{
    const tl_json *seed = tl_json_get(input, "seed");
    if (seed == NULL || (seed->kind != TL_JSON_NUMBER && seed->kind != TL_JSON_STRING)) {
        return tl_fail_field(ctx, seed == NULL ? TL_ERR_MISSING : TL_ERR_TYPE, "seed",
                             "a seed is an integer");
    }
    const bool is_negative = tl_str_starts_with(seed->text, TL_STR("-"));
    const tl_str digits = tl_str_slice(seed->text, is_negative ? 1 : 0, seed->text.len);
    if (digits.len > SEED_DIGITS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "seed", "a seed of %zu digits, above %d",
                             digits.len, SEED_DIGITS_MAX);
    }
    uint32_t *words = TL_NEW(env->arena, uint32_t, digits.len / 9 + 1);
    if (words == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    size_t count;
    if (!words_of_digits(words, &count, digits)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "seed", "\"%.*s\" is no integer",
                             TL_STR_ARG(seed->text));
    }
    tl_mt_seed_words(mt, words, count);
    return TL_OK;
}

tl_err tl_conform_python_random_sample(tl_json_writer *out, const tl_json *input,
                                       tl_conform_env *env, tl_errctx *ctx)
{
    tl_mt mt;
    int64_t n;
    int64_t k;
    TL_TRY(seed_from_json(&mt, input, env, ctx));
    TL_TRY(tl_json_want_i64(&n, input, "n", ctx));
    TL_TRY(tl_json_want_i64(&k, input, "k", ctx));
    const uint64_t population = n > 0 ? (uint64_t)n : 0; /* range(-3) is empty */
    tl_json_put_object(out);
    if (k < 0 || (uint64_t)k > population) {
        tl_json_put_key(out, "error");
        tl_json_put_cstr(out, "ValueError");
        tl_json_put_end(out);
        return TL_OK;
    }
    if ((uint64_t)k > TL_MT_SAMPLE_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "k", "a sample of %lld is above %llu", (long long)k,
                             (unsigned long long)TL_MT_SAMPLE_MAX);
    }
    uint64_t *drawn = TL_NEW(env->arena, uint64_t, (size_t)k);
    if (drawn == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    TL_TRY(tl_mt_sample(&mt, drawn, population, (uint64_t)k, env->arena, ctx));
    tl_json_put_key(out, "drawn");
    tl_json_put_array(out);
    for (int64_t i = 0; i < k; i++) {
        tl_json_put_u64(out, drawn[i]);
    }
    tl_json_put_end(out);
    tl_json_put_end(out);
    return TL_OK;
}

tl_err tl_conform_quant_prng(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                             tl_errctx *ctx)
{
    (void)env;
    uint64_t seed;
    TL_TRY(tl_json_want_u64(&seed, input, "seed", ctx));
    tl_xoshiro rng;
    tl_json_put_object(out);
    tl_json_put_key(out, "u64_hex");
    tl_json_put_array(out);
    tl_xoshiro_seed(&rng, seed);
    for (int i = 0; i < PRNG_COUNT; i++) {
        const uint64_t output = tl_xoshiro_next(&rng);
        uint8_t bytes[8];
        for (size_t b = 0; b < sizeof bytes; b++) {
            bytes[b] = (uint8_t)(output >> (56 - 8 * b));
        }
        tl_json_put_hex(out, bytes, sizeof bytes);
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "unit");
    tl_json_put_array(out);
    tl_xoshiro_seed(&rng, seed);
    for (int i = 0; i < PRNG_UNITS; i++) {
        tl_json_put_f64(out, tl_xoshiro_unit(&rng));
    }
    tl_json_put_end(out);
    tl_json_put_key(out, "below_1000");
    tl_json_put_array(out);
    tl_xoshiro_seed(&rng, seed);
    for (int i = 0; i < PRNG_COUNT; i++) {
        tl_json_put_u64(out, tl_xoshiro_below(&rng, PRNG_BELOW));
    }
    tl_json_put_end(out);
    tl_json_put_end(out);
    return TL_OK;
}
