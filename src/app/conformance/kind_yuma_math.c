/* yuma-math: one operation a case (chain spec 1.10), each through the function that the epoch itself uses. */
#include "app/conformance/conformance.h"

#include <string.h>

#include "app/conformance/ints.h"
#include "core/consensus/yuma/yuma.h"

typedef struct math_case {
    tl_json_writer *out;
    const tl_json *input;
    tl_arena *arena;
    tl_errctx *ctx;
} math_case;

/* A dense matrix of rows of one width. */
typedef struct matrix {
    tl_i32f32 **rows;
    size_t row_count;
    size_t column_count;
} matrix;

static tl_err vector(tl_i32f32 **out, size_t *count, const math_case *c, const char *key)
{
    return tl__ints_i64(out, count, c->arena, tl_json_get(c->input, key), key, c->ctx);
}

static tl_err array(const tl_json **out, const math_case *c, const char *key)
{
    return tl_json_want(out, c->input, key, TL_JSON_ARRAY, c->ctx);
}

static tl_err read_matrix(matrix *out, const math_case *c, const char *key)
{
    const tl_json *rows;
    TL_TRY(array(&rows, c, key));
    *out = (matrix){TL_NEW(c->arena, tl_i32f32 *, rows->count), rows->count, 0};
    if (out->rows == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t i = 0; i < out->row_count; i++) {
        size_t width;
        TL_TRY(tl__ints_i64(&out->rows[i], &width, c->arena, &rows->items[i], key, c->ctx));
        if (i > 0 && width != out->column_count) {
            return tl_fail_field(c->ctx, TL_ERR_RANGE, key, "rows of different lengths");
        }
        out->column_count = width;
    }
    return TL_OK;
}

static tl_err want_length(const math_case *c, const char *key, size_t is, size_t should)
{
    if (is != should) {
        return tl_fail_field(c->ctx, TL_ERR_RANGE, key, "%zu values where %zu are wanted", is,
                             should);
    }
    return TL_OK;
}

static void put_raw(const math_case *c, const char *key, int64_t value)
{
    tl_json_put_key(c->out, key);
    tl_json_put_i64(c->out, value);
}

static void put_matrix(const math_case *c, const matrix *m)
{
    tl_json_put_key(c->out, "result_rows_raw");
    tl_json_put_array(c->out);
    for (size_t i = 0; i < m->row_count; i++) {
        tl_json_put_array(c->out);
        for (size_t j = 0; j < m->column_count; j++) {
            tl_json_put_i64(c->out, m->rows[i][j]);
        }
        tl_json_put_end(c->out);
    }
    tl_json_put_end(c->out);
}

static tl_err op_weighted_median(const math_case *c)
{
    tl_i32f32 *stake;
    tl_i32f32 *score;
    size_t count;
    size_t score_count;
    int64_t minority;
    int64_t lo;
    int64_t hi;
    TL_TRY(vector(&stake, &count, c, "stake_raw"));
    TL_TRY(vector(&score, &score_count, c, "score_raw"));
    TL_TRY(want_length(c, "score_raw", score_count, count));
    TL_TRY(tl__int_want_i64(&minority, c->input, "minority_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&lo, c->input, "partition_lo_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&hi, c->input, "partition_hi_raw", c->ctx));
    uint32_t *scratch = TL_NEW(c->arena, uint32_t, 2 * count);
    if (scratch == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    put_raw(c, "median_raw",
            tl_yuma_weighted_median(stake, score, count, minority, lo, hi, scratch));
    return TL_OK;
}

/* Wrapping sum, then safe division: what the chain calls normalising a vector. */
static tl_i32f32 normalise(tl_i32f32 *values, size_t count)
{
    tl_i32f32 sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum = tl_i32f32_add_wrapping(sum, values[i]);
    }
    tl_i32f32 total = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = sum == 0 ? values[i] : tl_i32f32_div_or_zero(values[i], sum);
        total = tl_i32f32_add_wrapping(total, values[i]);
    }
    return total;
}

static tl_err op_weighted_median_col(const math_case *c)
{
    tl_i32f32 *stake;
    size_t count;
    matrix m;
    int64_t majority;
    TL_TRY(vector(&stake, &count, c, "stake_raw"));
    TL_TRY(read_matrix(&m, c, "score_rows_raw"));
    TL_TRY(want_length(c, "score_rows_raw", m.row_count, count));
    TL_TRY(tl__int_want_i64(&majority, c->input, "majority_raw", c->ctx));
    tl_i32f32 *used = TL_NEW(c->arena, tl_i32f32, count);
    tl_i32f32 *score = TL_NEW(c->arena, tl_i32f32, count);
    uint32_t *scratch = TL_NEW(c->arena, uint32_t, 2 * count);
    tl_i32f32 *medians = TL_NEW(c->arena, tl_i32f32, m.column_count);
    if (used == NULL || score == NULL || scratch == NULL || medians == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    size_t voters = 0;
    for (size_t i = 0; i < count; i++) {
        if (stake[i] > 0) {
            used[voters++] = stake[i];
        }
    }
    const tl_i32f32 total = normalise(used, voters);
    for (size_t j = 0; j < m.column_count; j++) {
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            if (stake[i] > 0) {
                score[at++] = m.rows[i][j];
            }
        }
        medians[j] = tl_yuma_weighted_median(used, score, voters, tl_i32f32_sub(total, majority), 0,
                                             total, scratch);
    }
    tl__ints_put_i64(c->out, "median_raw", medians, m.column_count);
    return TL_OK;
}

static tl_err op_matmul(const math_case *c)
{
    matrix m;
    tl_i32f32 *v;
    size_t count;
    TL_TRY(read_matrix(&m, c, "matrix_rows_raw"));
    TL_TRY(vector(&v, &count, c, "vector_raw"));
    TL_TRY(want_length(c, "vector_raw", count, m.row_count));
    tl_i32f32 *sums = TL_NEW(c->arena, tl_i32f32, m.column_count);
    if (sums == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t i = 0; i < m.row_count; i++) {
        for (size_t j = 0; j < m.column_count; j++) {
            sums[j] = tl_i32f32_add(sums[j], tl_i32f32_mul(v[i], m.rows[i][j]));
        }
    }
    tl__ints_put_i64(c->out, "result_raw", sums, m.column_count);
    return TL_OK;
}

static tl_err op_matmul_transpose(const math_case *c)
{
    matrix m;
    tl_i32f32 *v;
    size_t count;
    TL_TRY(read_matrix(&m, c, "matrix_rows_raw"));
    TL_TRY(vector(&v, &count, c, "vector_raw"));
    if (m.row_count > 0) {
        TL_TRY(want_length(c, "vector_raw", count, m.column_count));
    }
    /* The chain gives an empty vector for rows without columns. */
    const size_t out_count = m.column_count > 0 ? m.row_count : 0;
    tl_i32f32 *sums = TL_NEW(c->arena, tl_i32f32, m.row_count);
    if (sums == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t i = 0; i < m.row_count; i++) {
        for (size_t j = 0; j < m.column_count; j++) {
            sums[i] = tl_i32f32_add(sums[i], tl_i32f32_mul(m.rows[i][j], v[j]));
        }
    }
    tl__ints_put_i64(c->out, "result_raw", sums, out_count);
    return TL_OK;
}

static tl_err op_row_hadamard(const math_case *c)
{
    matrix m;
    tl_i32f32 *v;
    size_t count;
    TL_TRY(read_matrix(&m, c, "matrix_rows_raw"));
    TL_TRY(vector(&v, &count, c, "vector_raw"));
    TL_TRY(want_length(c, "vector_raw", count, m.row_count));
    for (size_t i = 0; i < m.row_count; i++) {
        for (size_t j = 0; j < m.column_count; j++) {
            m.rows[i][j] = tl_i32f32_mul(m.rows[i][j], v[i]);
        }
    }
    put_matrix(c, &m);
    return TL_OK;
}

static tl_err op_col_clip(const math_case *c)
{
    matrix m;
    tl_i32f32 *limit;
    size_t count;
    TL_TRY(read_matrix(&m, c, "matrix_rows_raw"));
    TL_TRY(vector(&limit, &count, c, "threshold_raw"));
    if (m.row_count > 0) {
        TL_TRY(want_length(c, "threshold_raw", count, m.column_count));
    }
    for (size_t i = 0; i < m.row_count; i++) {
        for (size_t j = 0; j < m.column_count; j++) {
            m.rows[i][j] = m.rows[i][j] < limit[j] ? m.rows[i][j] : limit[j];
        }
    }
    put_matrix(c, &m);
    return TL_OK;
}

static tl_err op_vec_max_upscale(const math_case *c)
{
    tl_i32f32 *values;
    size_t count;
    TL_TRY(vector(&values, &count, c, "vec_raw"));
    uint16_t *result = TL_NEW(c->arena, uint16_t, count);
    if (result == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    tl_yuma_upscale(result, values, count);
    tl__ints_put_u16(c->out, "result", result, count);
    return TL_OK;
}

static tl_err op_vec_u16_max_upscale(const math_case *c)
{
    uint16_t *values;
    size_t count;
    TL_TRY(tl__ints_u16(&values, &count, c->arena, tl_json_get(c->input, "vec"), "vec", c->ctx));
    uint16_t *result = TL_NEW(c->arena, uint16_t, count);
    if (result == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    tl_yuma_upscale_u16(result, values, count);
    tl__ints_put_u16(c->out, "result", result, count);
    return TL_OK;
}

static tl_err op_check_vec_max_limited(const math_case *c)
{
    uint16_t *values;
    size_t count;
    uint16_t limit;
    TL_TRY(tl__ints_u16(&values, &count, c->arena, tl_json_get(c->input, "vec"), "vec", c->ctx));
    TL_TRY(tl__int_want_u16(&limit, c->input, "limit", c->ctx));
    tl_json_put_key(c->out, "result");
    tl_json_put_bool(c->out, tl_yuma_is_limited(values, count, limit));
    return TL_OK;
}

static tl_err op_sigmoid_safe(const math_case *c)
{
    int64_t x;
    int64_t rho;
    int64_t kappa;
    TL_TRY(tl__int_want_i64(&x, c->input, "x_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&rho, c->input, "rho_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&kappa, c->input, "kappa_raw", c->ctx));
    put_raw(c, "result_raw", tl_yuma_sigmoid(x, rho, kappa));
    return TL_OK;
}

static tl_err op_exp_safe(const math_case *c)
{
    int64_t x;
    TL_TRY(tl__int_want_i64(&x, c->input, "x_raw", c->ctx));
    put_raw(c, "result_raw", tl_i32f32_exp_safe(x));
    return TL_OK;
}

static tl_err op_is_topk(const math_case *c)
{
    tl_i32f32 *values;
    size_t count;
    uint64_t k;
    TL_TRY(vector(&values, &count, c, "vec_raw"));
    TL_TRY(tl__int_want_u64(&k, c->input, "k", c->ctx));
    bool *result = TL_NEW(c->arena, bool, count);
    uint32_t *scratch = TL_NEW(c->arena, uint32_t, count);
    if (result == NULL || scratch == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    tl_yuma_topk(result, values, count, k, false, scratch);
    tl__ints_put_bool(c->out, "topk", result, count);
    tl_yuma_topk(result, values, count, k, true, scratch);
    tl__ints_put_bool(c->out, "topk_nonzero", result, count);
    return TL_OK;
}

static tl_err op_alpha_sigmoid(const math_case *c)
{
    int64_t consensus;
    int64_t weight;
    int64_t bond;
    uint16_t low;
    uint16_t high;
    tl_i128 steepness;
    TL_TRY(tl__int_want_i64(&consensus, c->input, "consensus_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&weight, c->input, "weight_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&bond, c->input, "bond_raw", c->ctx));
    TL_TRY(tl__int_want_u16(&low, c->input, "alpha_low_u16", c->ctx));
    TL_TRY(tl__int_want_u16(&high, c->input, "alpha_high_u16", c->ctx));
    TL_TRY(tl__int_want(&steepness, c->input, "steepness", INT16_MIN, INT16_MAX, c->ctx));
    const tl_yuma_alpha alpha = tl_yuma_alpha_make(low, high, (int16_t)steepness);
    put_raw(c, "alpha_raw", tl_yuma_alpha_cell(&alpha, consensus, weight, bond));
    return TL_OK;
}

/* Sparse rows of [uid, raw] pairs. */
typedef struct sparse {
    uint16_t **uids;
    tl_i32f32 **raws;
    size_t *counts;
    size_t row_count;
    size_t width; /* one above the largest uid */
} sparse;

static tl_err read_pair(uint16_t *uid, tl_i32f32 *raw, const math_case *c, const char *key,
                        const tl_json *pair)
{
    if (pair->kind != TL_JSON_ARRAY || pair->count != 2) {
        return tl_fail_field(c->ctx, TL_ERR_TYPE, key, "a pair of uid and value is wanted");
    }
    tl_i128 wide;
    TL_TRY(tl__int_u16(uid, &pair->items[0], key, c->ctx));
    TL_TRY(tl__int_128(&wide, &pair->items[1], key, c->ctx));
    *raw = tl_i64_saturate(wide);
    return TL_OK;
}

static tl_err read_sparse(sparse *out, const math_case *c, const char *key)
{
    const tl_json *rows;
    TL_TRY(array(&rows, c, key));
    *out = (sparse){TL_NEW(c->arena, uint16_t *, rows->count),
                    TL_NEW(c->arena, tl_i32f32 *, rows->count),
                    TL_NEW(c->arena, size_t, rows->count), rows->count, 0};
    if (out->uids == NULL || out->raws == NULL || out->counts == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t i = 0; i < out->row_count; i++) {
        const tl_json *row = &rows->items[i];
        if (row->kind != TL_JSON_ARRAY) {
            return tl_fail_field(c->ctx, TL_ERR_TYPE, key, "a row is a list of pairs");
        }
        out->counts[i] = row->count;
        out->uids[i] = TL_NEW(c->arena, uint16_t, row->count);
        out->raws[i] = TL_NEW(c->arena, tl_i32f32, row->count);
        if (out->uids[i] == NULL || out->raws[i] == NULL) {
            return tl_arena_fail(c->arena, c->ctx);
        }
        for (size_t k = 0; k < row->count; k++) {
            TL_TRY(read_pair(&out->uids[i][k], &out->raws[i][k], c, key, &row->items[k]));
            const size_t width = (size_t)out->uids[i][k] + 1;
            out->width = width > out->width ? width : out->width;
        }
    }
    return TL_OK;
}

static void put_pair(const math_case *c, uint16_t uid, tl_i32f32 value)
{
    tl_json_put_array(c->out);
    tl_json_put_u64(c->out, uid);
    tl_json_put_i64(c->out, value);
    tl_json_put_end(c->out);
}

/* Both sides of an average, and what they are spread out on: width cells. */
static tl_err read_sides(sparse *fresh, sparse *old, tl_i32f32 **dense, const math_case *c)
{
    TL_TRY(read_sparse(fresh, c, "new"));
    TL_TRY(read_sparse(old, c, "old"));
    TL_TRY(want_length(c, "old", old->row_count, fresh->row_count));
    fresh->width = fresh->width > old->width ? fresh->width : old->width;
    *dense = TL_NEW(c->arena, tl_i32f32, fresh->width);
    return *dense != NULL ? TL_OK : tl_arena_fail(c->arena, c->ctx);
}

static tl_err op_mat_ema_sparse(const math_case *c)
{
    sparse fresh;
    sparse old;
    tl_i32f32 *cells;
    int64_t alpha;
    TL_TRY(read_sides(&fresh, &old, &cells, c));
    TL_TRY(tl__int_want_i64(&alpha, c->input, "alpha_raw", c->ctx));
    /* The matrix is square: columns past the rows are not there. */
    const size_t width = fresh.width < fresh.row_count ? fresh.width : fresh.row_count;
    const tl_i32f32 rest = tl_i32f32_sub(TL_I32F32_ONE, alpha);
    tl_json_put_key(c->out, "result");
    tl_json_put_array(c->out);
    for (size_t i = 0; i < fresh.row_count; i++) {
        memset(cells, 0, fresh.width * sizeof *cells);
        for (size_t k = 0; k < fresh.counts[i]; k++) {
            tl_i32f32 *cell = &cells[fresh.uids[i][k]];
            *cell = tl_i32f32_add(*cell, tl_i32f32_mul(alpha, fresh.raws[i][k]));
        }
        for (size_t k = 0; k < old.counts[i]; k++) {
            tl_i32f32 *cell = &cells[old.uids[i][k]];
            *cell = tl_i32f32_add(*cell, tl_i32f32_mul(rest, old.raws[i][k]));
        }
        tl_json_put_array(c->out);
        for (size_t j = 0; j < width; j++) {
            if (cells[j] > 0) {
                put_pair(c, (uint16_t)j, cells[j]);
            }
        }
        tl_json_put_end(c->out);
    }
    tl_json_put_end(c->out);
    return TL_OK;
}

static tl_err op_mat_ema_alpha_sparse(const math_case *c)
{
    sparse fresh;
    sparse old;
    tl_i32f32 *olds;
    matrix alpha;
    TL_TRY(read_sides(&fresh, &old, &olds, c));
    TL_TRY(read_matrix(&alpha, c, "alpha_rows_raw"));
    TL_TRY(want_length(c, "alpha_rows_raw", alpha.row_count, fresh.row_count));
    tl_json_put_key(c->out, "result");
    tl_json_put_array(c->out);
    for (size_t i = 0; i < fresh.row_count; i++) {
        memset(olds, 0, fresh.width * sizeof *olds);
        for (size_t k = 0; k < old.counts[i]; k++) {
            olds[old.uids[i][k]] = old.raws[i][k];
        }
        tl_json_put_array(c->out);
        for (size_t k = 0; k < fresh.counts[i]; k++) {
            const uint16_t uid = fresh.uids[i][k];
            const tl_i32f32 value =
                uid < alpha.column_count
                    ? tl_yuma_ema_cell(alpha.rows[i][uid], fresh.raws[i][k], olds[uid])
                    : 0;
            if (value > 0) {
                put_pair(c, uid, value);
            }
        }
        tl_json_put_end(c->out);
    }
    tl_json_put_end(c->out);
    return TL_OK;
}

static tl_err op_burn_decay(const math_case *c)
{
    uint16_t half_life;
    uint64_t burn;
    TL_TRY(tl__int_want_u16(&half_life, c->input, "half_life", c->ctx));
    TL_TRY(tl__int_want_u64(&burn, c->input, "burn", c->ctx));
    const uint64_t factor = tl_yuma_burn_factor(half_life);
    tl_json_put_key(c->out, "factor_q32");
    tl_json_put_u64(c->out, factor);
    tl_json_put_key(c->out, "after_1");
    tl_json_put_u64(c->out, tl_yuma_burn_decay(burn, factor));
    return TL_OK;
}

static tl_err op_fixed_op(const math_case *c)
{
    int64_t a;
    int64_t b;
    TL_TRY(tl__int_want_i64(&a, c->input, "a_raw", c->ctx));
    TL_TRY(tl__int_want_i64(&b, c->input, "b_raw", c->ctx));
    put_raw(c, "mul_raw", tl_i32f32_mul(a, b));
    put_raw(c, "safe_div_raw", tl_i32f32_div_or_zero(a, b));
    put_raw(c, "add_raw", tl_i32f32_add(a, b));
    put_raw(c, "sub_raw", tl_i32f32_sub(a, b));
    put_raw(c, "wrapping_sum_raw", tl_i32f32_add_wrapping(a, b));
    put_raw(c, "checked_mul_or_zero_raw", tl_i32f32_mul_or_zero(a, b));
    put_raw(c, "u16", tl_i32f32_to_u16(a));
    tl_json_put_key(c->out, "u64");
    tl_json_put_u64(c->out, tl_i32f32_to_u64(a));
    put_raw(c, "proportion_u16", tl_i32f32_to_u16_proportion(a));
    return TL_OK;
}

static tl_err op_amount(const math_case *c)
{
    int64_t share;
    uint64_t emission;
    TL_TRY(tl__int_want_i64(&share, c->input, "share_raw", c->ctx));
    TL_TRY(tl__int_want_u64(&emission, c->input, "emission", c->ctx));
    tl_json_put_key(c->out, "amount");
    tl_json_put_u64(c->out, tl_i32f32_amount(share, emission));
    return TL_OK;
}

static tl_err op_normalise_64(const math_case *c)
{
    tl_i64f64 *values;
    size_t count;
    TL_TRY(tl__ints_i128(&values, &count, c->arena, tl_json_get(c->input, "vec_i64f64"),
                         "vec_i64f64", c->ctx));
    tl_i32f32 *result = TL_NEW(c->arena, tl_i32f32, count);
    if (result == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    tl_yuma_normalise_64(result, values, count);
    tl__ints_put_i64(c->out, "result_raw", result, count);
    return TL_OK;
}

static tl_err read_links(tl_yuma_link **out, size_t *count, const math_case *c, size_t n)
{
    const tl_json *links;
    TL_TRY(array(&links, c, "links"));
    tl_yuma_link *list = TL_NEW(c->arena, tl_yuma_link, links->count);
    if (list == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    for (size_t k = 0; k < links->count; k++) {
        uint64_t *triple;
        size_t size;
        TL_TRY(tl__ints_u64(&triple, &size, c->arena, &links->items[k], "links", c->ctx));
        TL_TRY(want_length(c, "links", size, 3));
        if (triple[0] >= n || triple[1] >= n) {
            return tl_fail_field(c->ctx, TL_ERR_RANGE, "links", "a link names a uid above %zu", n);
        }
        list[k] = (tl_yuma_link){(uint32_t)triple[0], (uint32_t)triple[1], triple[2]};
    }
    *out = list;
    *count = links->count;
    return TL_OK;
}

static tl_err op_stake_weight(const math_case *c)
{
    uint64_t *alpha;
    uint64_t *root;
    size_t n;
    size_t root_count;
    uint64_t proportion;
    tl_yuma_link *links;
    size_t link_count;
    TL_TRY(tl__ints_u64(&alpha, &n, c->arena, tl_json_get(c->input, "alpha"), "alpha", c->ctx));
    TL_TRY(
        tl__ints_u64(&root, &root_count, c->arena, tl_json_get(c->input, "root"), "root", c->ctx));
    TL_TRY(want_length(c, "root", root_count, n));
    TL_TRY(tl__int_want_u64(&proportion, c->input, "tao_weight", c->ctx));
    TL_TRY(read_links(&links, &link_count, c, n));
    uint64_t *alphas = TL_NEW(c->arena, uint64_t, n);
    uint64_t *taos = TL_NEW(c->arena, uint64_t, n);
    tl_i64f64 *totals = TL_NEW(c->arena, tl_i64f64, n);
    tl_i32f32 *stakes = TL_NEW(c->arena, tl_i32f32, n);
    if (alphas == NULL || taos == NULL || totals == NULL || stakes == NULL) {
        return tl_arena_fail(c->arena, c->ctx);
    }
    const tl_u96f32 weight = tl_u96f32_from_u64_proportion(proportion);
    TL_TRY(tl_yuma_inherit(alphas, c->arena, alpha, n, links, link_count, c->ctx));
    TL_TRY(tl_yuma_inherit(taos, c->arena, root, n, links, link_count, c->ctx));
    tl_json_put_key(c->out, "tao_weight_raw");
    tl__ints_put_i128(c->out, (tl_i128)weight);
    tl__ints_put_u64(c->out, "alpha", alphas, n);
    tl__ints_put_u64(c->out, "tao", taos, n);
    tl_json_put_key(c->out, "total_i64f64");
    tl_json_put_array(c->out);
    for (size_t i = 0; i < n; i++) {
        totals[i] = tl_yuma_stake_weight(alphas[i], taos[i], weight);
        tl__ints_put_i128(c->out, totals[i]);
    }
    tl_json_put_end(c->out);
    tl_yuma_normalise_64(stakes, totals, n);
    tl__ints_put_i64(c->out, "stake_raw", stakes, n);
    return TL_OK;
}

static tl_err op_split_emissions(const math_case *c)
{
    uint64_t emission;
    tl_i128 count;
    TL_TRY(tl__int_want_u64(&emission, c->input, "emission", c->ctx));
    TL_TRY(tl__int_want(&count, c->input, "count", 1, UINT8_MAX, c->ctx));
    const tl_json *split = tl_json_get(c->input, "split");
    uint16_t *shares = NULL;
    size_t share_count = 0;
    if (split != NULL && split->kind != TL_JSON_NULL) {
        TL_TRY(tl__ints_u16(&shares, &share_count, c->arena, split, "split", c->ctx));
    }
    uint64_t amounts[UINT8_MAX];
    tl_yuma_split_emission(amounts, (size_t)count, emission, shares, share_count);
    tl__ints_put_u64(c->out, "amounts", amounts, (size_t)count);
    return TL_OK;
}

typedef struct operation {
    const char *name;
    tl_err (*run)(const math_case *c);
} operation;

static const operation operations[] = {
    {"weighted_median", op_weighted_median},
    {"weighted_median_col", op_weighted_median_col},
    {"matmul", op_matmul},
    {"matmul_transpose", op_matmul_transpose},
    {"row_hadamard", op_row_hadamard},
    {"col_clip", op_col_clip},
    {"vec_max_upscale_to_u16", op_vec_max_upscale},
    {"vec_u16_max_upscale_to_u16", op_vec_u16_max_upscale},
    {"check_vec_max_limited", op_check_vec_max_limited},
    {"sigmoid_safe", op_sigmoid_safe},
    {"exp_safe", op_exp_safe},
    {"is_topk", op_is_topk},
    {"alpha_sigmoid", op_alpha_sigmoid},
    {"mat_ema_sparse", op_mat_ema_sparse},
    {"mat_ema_alpha_sparse", op_mat_ema_alpha_sparse},
    {"burn_decay", op_burn_decay},
    {"fixed_op", op_fixed_op},
    {"amount", op_amount},
    {"normalise_64", op_normalise_64},
    {"stake_weight", op_stake_weight},
    {"split_emissions", op_split_emissions},
};

tl_err tl_conform_yuma_math(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                            tl_errctx *ctx)
{
    tl_str name;
    TL_TRY(tl_json_want_str(&name, input, "op", ctx));
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (tl_str_eq_cstr(name, operations[i].name)) {
            const math_case c = {out, input, env->arena, ctx};
            tl_json_put_object(out);
            TL_TRY(operations[i].run(&c));
            tl_json_put_end(out);
            return TL_OK;
        }
    }
    return tl_fail_field(ctx, TL_ERR_UNKNOWN, "op", "no operation \"%.*s\"", TL_STR_ARG(name));
}
