/* The golden figures of quant, through the same kinds that users run; and inputs of those kinds
 * that are wrong. Attacked: every metric against empyrical, pandas, SciPy and arch
 * (src/core/quant/metrics/test/golden/generate.py). */
#include "app/conformance/conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct counts {
    size_t passed;
    size_t failed;
} counts;

static tl_err count_case(void *self, const tl_conform_case *result, tl_errctx *ctx)
{
    (void)ctx;
    counts *c = self;
    c->passed += result->is_passed;
    c->failed += !result->is_passed;
    for (size_t i = 0; i < result->diff_count && i < 3; i++) {
        const tl_conform_diff *d = &result->diffs[i];
        print_message("%.*s: %.*s: expected %.*s, is %.*s\n", TL_STR_ARG(result->id),
                      TL_STR_ARG(d->path), TL_STR_ARG(d->expected), TL_STR_ARG(d->actual));
    }
    return TL_OK;
}

static void run_golden(const char *path, size_t case_count)
{
    tl_arena *arena = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, &ctx), TL_OK);
    tl_conform_tables *tables;
    assert_int_equal(tl_conform_tables_new(&tables, arena, &ctx), TL_OK);
    counts c = {0, 0};
    const tl_conform_sink sink = {&c, count_case};
    const tl_err err = tl_conform_file(path, TL_STR(""), tables, arena, &sink, &ctx);
    if (err != TL_OK) {
        fail_msg("%s: %s %s", path, tl_err_name(err), ctx.message);
    }
    assert_int_equal(c.failed, 0);
    assert_int_equal(c.passed, case_count);
    tl_arena_free(arena);
}

#define GOLDEN TL_SOURCE_ROOT "/src/core/quant/"

static void all_metrics_equal_the_libraries(void **state)
{
    (void)state;
    run_golden(GOLDEN "metrics/test/golden/quant-returns.json", 24);
}

static void all_deflated_ratios_equal_the_paper(void **state)
{
    (void)state;
    run_golden(GOLDEN "metrics/test/golden/quant-deflated-sharpe.json", 9);
}

static void all_correlations_equal_the_libraries(void **state)
{
    (void)state;
    run_golden(GOLDEN "corr/test/golden/quant-correlation.json", 7);
}

static void all_bootstraps_equal_the_definition(void **state)
{
    (void)state;
    run_golden(GOLDEN "boot/test/golden/quant-bootstrap.json", 6);
}

static void all_portfolios_equal_the_definition(void **state)
{
    (void)state;
    run_golden(GOLDEN "account/test/golden/quant-portfolio.json", 8);
}

static void all_detectors_equal_the_definition(void **state)
{
    (void)state;
    run_golden(GOLDEN "detect/test/golden/quant-anti-gaming.json", 16);
}

static tl_err run_kind(const char *kind, const char *input, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_json *tree;
    assert_int_equal(tl_json_parse(&tree, arena, tl_str_from_cstr(input), NULL, ctx), TL_OK);
    tl_conform_env env = {.arena = arena, .data_dir = TL_STR(""), .tables = NULL};
    tl_sb sb;
    tl_json_writer writer;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&writer, &sb, 0, false);
    const tl_conform_kind *found = tl_conform_find(tl_str_from_cstr(kind));
    assert_non_null(found);
    const tl_err err = found->run(&writer, tree, &env, ctx);
    tl_arena_free(arena);
    return err;
}

static void wrong_inputs_are_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *input;
        tl_err err;
        const char *field;
    } rows[] = {
        {"quant-returns", "{\"periods_per_year\":252}", TL_ERR_MISSING, "returns"},
        {"quant-returns", "{\"returns\":[0.1]}", TL_ERR_MISSING, "periods_per_year"},
        {"quant-returns", "{\"returns\":[0.1,null],\"periods_per_year\":252}", TL_ERR_TYPE,
         "returns[1]"},
        {"quant-returns", "{\"prices\":[1,0,1],\"periods_per_year\":252}", TL_ERR_RANGE,
         "prices[1]"},
        {"quant-returns", "{\"returns\":[0.1,2e7],\"periods_per_year\":252}", TL_ERR_RANGE,
         "returns[1]"},
        {"quant-returns", "{\"returns\":[],\"periods_per_year\":0}", TL_ERR_RANGE, "periods"},
        {"quant-returns",
         "{\"returns\":[0.1],\"benchmark_returns\":[0.1,0.1],\"periods_per_year\":252}",
         TL_ERR_RANGE, "benchmark"},
        {"quant-returns",
         "{\"returns\":[0.1],\"benchmark_prices\":[1,-1],\"periods_per_year\":252}", TL_ERR_RANGE,
         "benchmark_prices[1]"},
        {"quant-deflated-sharpe", "{\"sharpe_per_period\":0.1}", TL_ERR_MISSING, "observations"},
        {"quant-deflated-sharpe",
         "{\"sharpe_per_period\":0.1,\"observations\":9,\"skew\":0,\"kurtosis\":3,\"trials\":2,"
         "\"trial_sharpe_std\":0.1,\"periods_per_year\":252,\"confidence\":1}",
         TL_ERR_RANGE, "confidence"},
        {"quant-bootstrap",
         "{\"returns\":[0.1],\"seed\":1,\"mean_block\":0.5,\"periods_per_year\":252}", TL_ERR_RANGE,
         "mean_block"},
        {"quant-bootstrap", "{\"returns\":[0.1],\"seed\":-1,\"periods_per_year\":252}",
         TL_ERR_RANGE, "seed"},
        {"quant-bootstrap",
         "{\"returns\":[0.1],\"seed\":1,\"resamples\":99999999,\"periods_per_year\":252}",
         TL_ERR_RANGE, "resamples"},
        {"quant-correlation", "{\"series\":{\"a\":[1,2],\"b\":[1]}}", TL_ERR_RANGE, "series"},
        {"quant-correlation", "{\"series\":[1]}", TL_ERR_TYPE, "series"},
        {"quant-portfolio", "{\"prices_by_asset\":[]}", TL_ERR_RANGE, "prices_by_asset"},
        {"quant-portfolio",
         "{\"prices_by_asset\":[[1,2]],\"target_weights\":[[0.5,0.5]],"
         "\"rebalance_every_sessions\":1,\"periods_per_year\":252}",
         TL_ERR_RANGE, "target_weights"},
        {"quant-portfolio",
         "{\"prices_by_asset\":[[1,2]],\"target_weights\":[[1]],\"rebalance_every_sessions\":0,"
         "\"periods_per_year\":252}",
         TL_ERR_RANGE, "rebalance_every"},
        {"quant-anti-gaming", "{\"returns\":[0.1],\"peers\":[]}", TL_ERR_TYPE, "peers"},
        {"quant-anti-gaming", "{\"returns\":[0.1],\"peers\":{\"a\":[]}}", TL_ERR_RANGE, "peers"},
        {"quant-anti-gaming", "{\"returns\":[0.1],\"weights\":[1e300]}", TL_ERR_RANGE, "weights"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = run_kind(rows[k].kind, rows[k].input, &ctx);
        if (err != rows[k].err) {
            fail_msg("%s of %s is %s", rows[k].input, rows[k].kind, tl_err_name(err));
        }
        assert_string_equal(ctx.field, rows[k].field);
    }
}

static void seeds_and_counts_may_be_strings(void **state)
{
    (void)state;
    assert_int_equal(run_kind("quant-bootstrap",
                              "{\"returns\":[0.1,0.2],\"seed\":\"18446744073709551615\","
                              "\"resamples\":\"10\",\"periods_per_year\":252}",
                              NULL),
                     TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_metrics_equal_the_libraries),
        cmocka_unit_test(all_deflated_ratios_equal_the_paper),
        cmocka_unit_test(all_correlations_equal_the_libraries),
        cmocka_unit_test(all_bootstraps_equal_the_definition),
        cmocka_unit_test(all_portfolios_equal_the_definition),
        cmocka_unit_test(all_detectors_equal_the_definition),
        cmocka_unit_test(wrong_inputs_are_refused_and_named),
        cmocka_unit_test(seeds_and_counts_may_be_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
