/* Attacks the error context: texts too long, characters cut in two, a missing context, codes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error/error.h"

static void a_failure_carries_code_field_and_message(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_fail_field(&ctx, TL_ERR_RANGE, "weight", "is %d, above %d", 3, 2),
                     TL_ERR_RANGE);
    tl_errctx_under(&ctx, "positions[%d]", 3);
    tl_errctx_wrap(&ctx, "epoch %s", "2024-M03");
    tl_errctx_hint(&ctx, "at most %d", 2);
    tl_errctx_at(&ctx, 7, 2, 4);
    assert_string_equal(ctx.field, "positions[3].weight");
    assert_string_equal(ctx.message, "epoch 2024-M03: is 3, above 2");
    assert_string_equal(ctx.hint, "at most 2");
    assert_true(ctx.has_offset);
    assert_int_equal(ctx.line, 2);
    tl_errctx_reset(&ctx);
    assert_int_equal(ctx.code, TL_OK);
}

static void an_index_follows_its_parent_without_a_dot(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    (void)tl_fail_field(&ctx, TL_ERR_TYPE, "[4]", "no number");
    tl_errctx_under(&ctx, "rows");
    assert_string_equal(ctx.field, "rows[4]");
}

static void a_missing_context_is_fine(void **state)
{
    (void)state;
    assert_int_equal(tl_fail(NULL, TL_ERR_IO, "lost"), TL_ERR_IO);
    assert_int_equal(tl_fail_field(NULL, TL_ERR_IO, "f", "lost"), TL_ERR_IO);
    tl_errctx_wrap(NULL, "x");
    tl_errctx_under(NULL, "x");
    tl_errctx_hint(NULL, "x");
    tl_errctx_at(NULL, 0, 0, 0);
    tl_errctx_reset(NULL);
}

static void a_long_message_is_cut_at_a_whole_character(void **state)
{
    (void)state; /* ERR-1 */
    char text[1000];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) {
            memcpy(text + i, "\xE2\x82\xAC", 3);
        }
        text[shift + (sizeof text - 4 - shift) / 3 * 3] = '\0';
        tl_errctx ctx = TL_ERRCTX_INIT;
        (void)tl_fail(&ctx, TL_ERR_SYNTAX, "%s", text);
        const size_t len = strlen(ctx.message);
        assert_true(len < sizeof ctx.message && len + 3 >= sizeof ctx.message - 1);
        assert_int_equal((len - shift) % 3, 0);
    }
}

static void each_code_has_its_own_name_and_an_exit_code(void **state)
{
    (void)state; /* ERR-2 */
    assert_string_equal(tl_err_name(TL_OK), "TL_OK");
    assert_int_equal(tl_err_exit(TL_OK), 0);
    for (int i = 1; i < TL_ERR_COUNT; i++) {
        assert_int_equal(strncmp(tl_err_name((tl_err)i), "TL_ERR_", 7), 0);
        assert_true(strlen(tl_err_text((tl_err)i)) > 3);
        assert_true(tl_err_exit((tl_err)i) > 0);
        for (int j = 1; j < i; j++) {
            assert_string_not_equal(tl_err_name((tl_err)i), tl_err_name((tl_err)j));
        }
    }
    assert_string_equal(tl_err_name((tl_err)999), "TL_ERR_INTERNAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_code_field_and_message),
        cmocka_unit_test(an_index_follows_its_parent_without_a_dot),
        cmocka_unit_test(a_missing_context_is_fine),
        cmocka_unit_test(a_long_message_is_cut_at_a_whole_character),
        cmocka_unit_test(each_code_has_its_own_name_and_an_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
