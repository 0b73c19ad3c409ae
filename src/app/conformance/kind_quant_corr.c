/* kind_quant_corr.c: quant-correlation: all pairs of named series (quant-math spec 6).
 *
 * input   {"series":{name:[… or null],…},"min_overlap"?}
 * expect  {"order","overlap","pearson","spearman"}: names as they come, and matrices in that order
 *         */
#include "app/conformance/kind_quant.h"

static tl_err read_all(tl_corr_series **out, size_t *n, const tl_json *series, tl_conform_env *env,
                       tl_errctx *ctx)
{
    tl_corr_series *list = TL_NEW(env->arena, tl_corr_series, series->count);
    if (list == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    *n = 0;
    for (size_t i = 0; i < series->count; i++) {
        size_t count;
        const tl_json *value = &series->members[i].value;
        TL_TRY(tl_conform_series(&list[i].values, &count, &list[i].is_missing, value, env, ctx));
        *n = i == 0 ? count : *n;
        if (count != *n) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "series", "\"%.*s\" has %zu values, not %zu",
                                 TL_STR_ARG(series->members[i].key), count, *n);
        }
    }
    *out = list;
    return TL_OK;
}

static tl_err correlate(tl_corr_matrix *out, const tl_corr_series *series, size_t count, size_t n,
                        const tl_corr_options *options, tl_conform_env *env, tl_errctx *ctx)
{
    const size_t cells = count * count; /* count is below 2^32: JSON counts in 32 bits */
    tl_corr_table *table;
    TL_TRY(tl_corr_table_make(&table, env->arena, series, count, n, options, ctx));
    out->value = TL_NEW(env->arena, double, cells);
    out->status = TL_NEW(env->arena, uint8_t, cells);
    out->overlap = TL_NEW(env->arena, uint32_t, cells);
    if (out->value == NULL || out->status == NULL || out->overlap == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    return tl_corr_table_run(table, out, 0, tl_corr_table_blocks(table), env->arena, ctx);
}

static void put_overlap(tl_json_writer *out, const tl_corr_matrix *m, size_t count)
{
    tl_json_put_key(out, "overlap");
    tl_json_put_array(out);
    for (size_t row = 0; row < count; row++) {
        tl_json_put_array(out);
        for (size_t column = 0; column < count; column++) {
            tl_json_put_u64(out, m->overlap[row * count + column]);
        }
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
}

static void put_matrix(tl_json_writer *out, const char *key, const tl_corr_matrix *m, size_t count)
{
    tl_json_put_key(out, key);
    tl_json_put_array(out);
    for (size_t row = 0; row < count; row++) {
        tl_json_put_array(out);
        for (size_t column = 0; column < count; column++) {
            const size_t at = row * count + column;
            const tl_metric cell = {m->value[at], (tl_metric_status)m->status[at]};
            tl__put_metric_value(out, cell);
        }
        tl_json_put_end(out);
    }
    tl_json_put_end(out);
}

tl_err tl_conform_quant_correlation(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx)
{
    const tl_json *named;
    tl_corr_series *series;
    size_t n;
    uint64_t overlap_min;
    TL_TRY(tl_json_want(&named, input, "series", TL_JSON_OBJECT, ctx));
    TL_TRY(read_all(&series, &n, named, env, ctx));
    TL_TRY(tl__want_u64_or(&overlap_min, input, "min_overlap", TL_CORR_OVERLAP_MIN, ctx));
    const size_t count = named->count;
    const tl_corr_options pearson = {TL_CORR_PEARSON, (size_t)overlap_min};
    const tl_corr_options spearman = {TL_CORR_SPEARMAN, (size_t)overlap_min};
    tl_corr_matrix of_values;
    tl_corr_matrix of_ranks;
    TL_TRY(correlate(&of_values, series, count, n, &pearson, env, ctx));
    TL_TRY(correlate(&of_ranks, series, count, n, &spearman, env, ctx));
    tl_json_put_object(out);
    tl_json_put_key(out, "order");
    tl_json_put_array(out);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_str(out, named->members[i].key);
    }
    tl_json_put_end(out);
    put_overlap(out, &of_values, count);
    put_matrix(out, "pearson", &of_values, count);
    put_matrix(out, "spearman", &of_ranks, count);
    tl_json_put_end(out);
    return TL_OK;
}
