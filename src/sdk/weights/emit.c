/* 16-bit weights: for the chain, from the chain, and the hash that commits to them. */
#include <math.h>
#include <string.h>

#include "core/codec/scale/scale.h"
#include "core/crypto/hash/hash.h"
#include "sdk/weights/weights_internal.h"

static const double U16_WHOLE = 65535.0;

/* round() of Python: to nearest, ties to even, whatever the rounding mode says. value from 0 to 2^52. */
static double round_half_even(double value)
{
    const double below = floor(value);
    const double rest = value - below;
    const bool is_odd = floor(below / 2.0) * 2.0 != below;
    return rest > 0.5 || (rest == 0.5 && is_odd) ? below + 1.0 : below;
}

tl_err tl_weights_emit(uint16_t *out_uids, uint16_t *out_values, size_t *out_count,
                       const int64_t *uids, const float *weights, size_t count, tl_errctx *ctx)
{
    if (count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "weights", "there is no weight");
    }
    double highest = 0;
    for (size_t i = 0; i < count; i++) { /* WGT-3: all are looked at first */
        if (!(weights[i] >= 0.0f) || isinf(weights[i])) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "weights",
                                 "weight %zu is negative or not finite", i);
        }
        if (uids[i] < 0 || uids[i] > UINT16_MAX) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "uids", "uid %zu is not 0 to 65535", i);
        }
        highest = (double)weights[i] > highest ? (double)weights[i] : highest;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count && highest > 0.0; i++) {
        const double value = round_half_even((double)weights[i] / highest * U16_WHOLE);
        if (value != 0.0) {
            out_uids[kept] = (uint16_t)uids[i];
            out_values[kept++] = (uint16_t)value;
        }
    }
    *out_count = kept;
    return TL_OK;
}

static tl_err check_parts(double *total, const double *parts, size_t count, tl_errctx *ctx)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(parts[i] >= 0.0) || isinf(parts[i])) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "parts", "part %zu is negative or not finite",
                                 i);
        }
        sum += parts[i]; /* one after the other, as Python's sum() up to 3.11 */
    }
    if (!(sum > 0.0) || isinf(sum)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "parts", "the parts have no positive sum");
    }
    *total = sum;
    return TL_OK;
}

tl_err tl_weights_split(uint16_t *out, const double *parts, size_t count, tl_arena *scratch,
                        tl_errctx *ctx)
{
    double total = 0;
    TL_TRY(check_parts(&total, parts, count, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    int64_t *const values = TL_NEW(scratch, int64_t, count);
    if (values == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    int64_t sum = 0;
    size_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = (int64_t)round_half_even(parts[i] / total * U16_WHOLE);
        sum += values[i];
        largest = values[i] > values[largest] ? i : largest;
    }
    values[largest] -= sum - UINT16_MAX;
    const bool fits = values[largest] >= 0 && values[largest] <= UINT16_MAX;
    sum = 0;
    for (size_t i = 0; i < count && fits; i++) {
        out[i] = (uint16_t)values[i];
        sum += out[i];
    }
    tl_arena_rewind(scratch, mark);
    if (!fits) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "parts", "%zu parts are too many to round", count);
    }
    TL_ASSERT(sum == UINT16_MAX); /* WGT-2 */
    return TL_OK;
}

/* --- rows from the chain --- */

static tl_err check_uids(size_t row_count, const uint16_t *uids, size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        if (uids[i] >= row_count) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "uids", "uid %u, in a row of %zu",
                                 (unsigned)uids[i], row_count);
        }
    }
    return TL_OK;
}

/* Divides a row of whole numbers by its sum, both in float32. */
static void finish_row(float *out, const double *row, size_t count)
{
    const double sum = tl__weights_sum(row, count, true);
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(sum > 0.0 ? row[i] / sum : row[i]);
    }
}

tl_err tl_weights_row(float *out, size_t row_count, const uint16_t *uids, const uint16_t *values,
                      size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    TL_TRY(check_uids(row_count, uids, count, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *const row = TL_NEW(scratch, double, row_count);
    if (row == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        row[uids[i]] = (double)values[i];
    }
    finish_row(out, row, row_count);
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

tl_err tl_weights_root_row(float *out, const uint16_t *subnets, size_t subnet_count,
                           const uint16_t *uids, const uint16_t *values, size_t count,
                           tl_arena *scratch, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *const row = TL_NEW(scratch, double, subnet_count);
    if (row == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < subnet_count && subnets[at] != uids[i]) {
            at++;
        }
        if (at < subnet_count) {
            row[at] = (double)values[i];
        }
    }
    finish_row(out, row, subnet_count);
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

tl_err tl_weights_bonds(int64_t *out, size_t row_count, const uint16_t *uids, const uint16_t *bonds,
                        size_t count, tl_errctx *ctx)
{
    TL_TRY(check_uids(row_count, uids, count, ctx));
    memset(out, 0, row_count * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        out[uids[i]] = bonds[i];
    }
    return TL_OK;
}

/* --- the commit --- */

static void put_u16s(tl_sb *sb, const uint16_t *values, size_t count)
{
    tl_scale_put_compact(sb, count);
    for (size_t i = 0; i < count; i++) {
        tl_scale_put_u16(sb, values[i]);
    }
}

tl_err tl_weights_commit_hash(tl_hash32 *out, const tl_weights_commit *commit, tl_arena *scratch,
                              tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_sb sb;
    tl_str bytes = {NULL, 0};
    tl_sb_init(&sb, scratch);
    tl_sb_put_bytes(&sb, commit->hotkey.b, sizeof commit->hotkey.b);
    tl_scale_put_u16(&sb, commit->storage_index);
    put_u16s(&sb, commit->uids, commit->count);
    put_u16s(&sb, commit->values, commit->count);
    put_u16s(&sb, commit->salt, commit->salt_count);
    tl_scale_put_u64(&sb, commit->version_key);
    const tl_err err = tl_sb_finish(&bytes, &sb, ctx);
    if (err == TL_OK) {
        tl_blake2b_256(out, bytes.ptr, bytes.len);
    }
    tl_arena_rewind(scratch, mark);
    return err;
}

tl_err tl_weights_storage_index(uint16_t *out, uint32_t mechid, uint32_t netuid, tl_errctx *ctx)
{
    if (netuid > 4095 || mechid > 15) {
        return tl_fail(ctx, TL_ERR_RANGE, "mechanism %u of subnet %u: at most 15 of 4095",
                       (unsigned)mechid, (unsigned)netuid);
    }
    *out = (uint16_t)(mechid * 4096 + netuid);
    return TL_OK;
}
