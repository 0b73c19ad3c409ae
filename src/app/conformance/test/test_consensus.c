/* The golden figures of consensus and of the listings network's original, through the same kinds that users run: every field to the bit.
 * Attacked: rounding, order of operations, masks, ties, saturation; the files name where each case is from. */
#include "app/conformance/conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
    if (!result->is_passed) {
        print_message("%.*s: %s\n", TL_STR_ARG(result->id),
                      result->error != TL_OK ? result->message : "differs");
        for (size_t i = 0; i < result->diff_count && i < 3; i++) {
            const tl_conform_diff *d = &result->diffs[i];
            print_message("    %.*s: expected %.*s, is %.*s\n", TL_STR_ARG(d->path),
                          TL_STR_ARG(d->expected), TL_STR_ARG(d->actual));
        }
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

static void all_epochs_equal_the_chain(void **state)
{
    (void)state;
    run_golden(TL_SOURCE_ROOT "/src/core/consensus/yuma/test/golden/yuma-epoch.json", 62);
}

static void all_operations_equal_the_chain(void **state)
{
    (void)state;
    run_golden(TL_SOURCE_ROOT "/src/core/consensus/yuma/test/golden/yuma-math.json", 149);
}

static void all_joins_equal_the_spec(void **state)
{
    (void)state;
    run_golden(TL_SOURCE_ROOT "/src/core/consensus/join/test/golden/portfolio-join.json", 22);
}

#define LISTINGS TL_SOURCE_ROOT "/src/core/listings/compat/test/golden/listings-"

static void all_listings_equal_the_original(void **state)
{
    (void)state;
    run_golden(LISTINGS "spot-check.json", 40);
    run_golden(LISTINGS "consensus-hash.json", 12);
    run_golden(LISTINGS "epoch-weights.json", 14);
    run_golden(LISTINGS "tier1.json", 90);
    run_golden(LISTINGS "consensus-status.json", 30);
    run_golden(LISTINGS "quality-odd.json", 30);
    run_golden(LISTINGS "ranking.json", 20);
    run_golden(LISTINGS "field-completeness.json", 16);
    run_golden(LISTINGS "synthetic.json", 16);
    run_golden(LISTINGS "honeypot.json", 12);
    run_golden(LISTINGS "quality.json", 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_epochs_equal_the_chain),
        cmocka_unit_test(all_operations_equal_the_chain),
        cmocka_unit_test(all_joins_equal_the_spec),
        cmocka_unit_test(all_listings_equal_the_original),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
