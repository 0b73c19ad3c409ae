/* Attacks the tables that the program is made of, and the amounts that it prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/cli/cli.h"
#include "core/num/money/money.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static void the_table_of_commands_keeps_its_rules(void **state)
{
    (void)state;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_cmd_check(tl_cli_table(), &why) != TL_OK) { /* CMD-2 */
        fail_msg("%s", why.message);
    }
}

static void every_default_is_a_value_of_its_setting(void **state)
{
    (void)state;
    size_t count;
    const tl_setting *settings = tl_cli_settings(&count);
    tl_config config;
    assert_int_equal(tl_config_load(&config, arena, settings, count, NULL, NULL, NULL, NULL),
                     TL_OK);
    tl_log_level level;
    const char *text = tl_config_text(&config, "log.level");
    assert_true(tl_log_level_parse(&level, tl_str_from_cstr(text)));
    assert_true(tl_config_u64(&config, "pool.threads") == 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(settings[i].meaning[0] != '\0' && strchr(settings[i].name, '.') != NULL);
        assert_true(i == 0 || strcmp(settings[i - 1].name, settings[i].name) < 0);
    }
}

static tl_str finish(tl_sb *sb)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, sb, NULL), TL_OK);
    return text;
}

static void amounts_are_rao_in_json_and_tao_in_text(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        const char *text; /* 16 columns */
    } cases[] = {
        {0, "     0.000000000"},
        {-1, "    -0.000000001"},
        {1500000000, "     1.500000000"},
        {INT64_MAX, "9223372036.854775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_app_put_tao(&sb, tl_rao_from_i64(cases[i].amount), 16);
        assert_string_equal(finish(&sb).ptr, cases[i].text);
    }
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_app_put_rao(&w, "reward_rao", tl_rao_from_i64(INT64_MIN));
    tl_json_put_end(&w);
    assert_string_equal(finish(&sb).ptr, "{\"reward_rao\":-9223372036854775808}");
}

static void an_error_is_told_with_all_that_is_known(void **state)
{
    (void)state;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_fail_field(&why, TL_ERR_RANGE, "a.b", "too \"much\"");
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_app_put_error(&w, err, &why);
    assert_string_equal(finish(&sb).ptr, "{\"error\":{\"code\":\"TL_ERR_RANGE\",\"message\":"
                                         "\"too \\\"much\\\"\",\"field\":\"a.b\",\"hint\":null}}");
    tl_errctx_reset(&why);
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_app_put_error(&w, TL_ERR_NOMEM, &why);
    assert_non_null(strstr(finish(&sb).ptr, "\"message\":\"out of memory\"")); /* CLI-1 */
}

static void a_failed_check_is_exit_code_1(void **state)
{
    (void)state;
    tl_app app = {.exit_code = 0};
    tl_app_check_failed(&app);
    assert_int_equal(app.exit_code, 1); /* CLI-2 */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_of_commands_keeps_its_rules),
        TEST(every_default_is_a_value_of_its_setting),
        TEST(amounts_are_rao_in_json_and_tao_in_text),
        TEST(an_error_is_told_with_all_that_is_known),
        TEST(a_failed_check_is_exit_code_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
