/* Attacks secrets in fields, lines that break into two, lines that are too long, and text that is no UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"
#include "base/log/log.h"

typedef struct kept {
    char text[TL_LOG_LINE_CAP];
    size_t len;
    int count;
} kept;

static void keep(void *self, tl_str line)
{
    kept *k = self;
    assert_true(line.len <= sizeof k->text);
    memcpy(k->text, line.ptr, line.len);
    k->len = line.len;
    k->count++;
}

typedef struct fixture {
    tl_manual_clock storage;
    kept kept;
    tl_log log;
} fixture;

static void start(fixture *f, tl_log_level level, bool is_json)
{
    memset(f, 0, sizeof *f);
    const tl_clock clock = tl_manual_clock_start(&f->storage, INT64_C(1234567890123000000));
    tl_log_init(&f->log, level, is_json, &clock, keep, &f->kept);
}

static void assert_line(const fixture *f, const char *want)
{
    assert_int_equal(f->kept.len, strlen(want));
    assert_memory_equal(f->kept.text, want, f->kept.len);
}

static void text_lines_have_time_level_message_and_fields(void **state)
{
    (void)state;
    fixture f;
    start(&f, TL_LOG_INFO, false);
    tl_log_correlate(&f.log, TL_STR("7f 3a"));
    const tl_log_field fields[] = {TL_LOG_TEXT("peer", TL_STR("10.0.0.7")),
                                   TL_LOG_NUMBER("tries", INT64_MIN),
                                   TL_LOG_TEXT("why", TL_STR("no route\n"))};
    tl_log_say(&f.log, TL_LOG_WARN, "cannot reach\na peer", fields, 3);
    assert_line(&f, "2009-02-13T23:31:30.123Z WARN  cannot reach a peer correlation=7f?3a "
                    "peer=10.0.0.7 tries=-9223372036854775808 why=\"no route\\u000a\"\n");
}

static void json_lines_are_one_object(void **state)
{
    (void)state;
    fixture f;
    start(&f, TL_LOG_DEBUG, true);
    const tl_log_field fields[] = {TL_LOG_TEXT("say", TL_STR("a\"b\\c\x01")),
                                   TL_LOG_TEXT("odd", TL_STR("caf\xc3")), TL_LOG_NUMBER("n", 0)};
    tl_log_say(&f.log, TL_LOG_ERROR, "went wrong", fields, 3);
    assert_line(
        &f, "{\"time\":\"2009-02-13T23:31:30.123Z\",\"level\":\"error\",\"message\":\"went wrong\","
            "\"say\":\"a\\\"b\\\\c\\u0001\",\"odd\":\"caf?\",\"n\":0}\n");
}

static bool has(const fixture *f, const char *word)
{
    const tl_str line = {f->kept.text, f->kept.len};
    for (size_t i = 0; i < line.len; i++) {
        if (tl_str_starts_with(tl_str_slice(line, i, line.len), tl_str_from_cstr(word))) {
            return true;
        }
    }
    return false;
}

static void secrets_are_masked_whatever_their_case(void **state)
{
    (void)state;
    for (int is_json = 0; is_json < 2; is_json++) {
        fixture f;
        start(&f, TL_LOG_DEBUG, is_json == 1);
        const tl_log_field fields[] = {TL_LOG_TEXT("wallet_Password", TL_STR("hunter2")),
                                       TL_LOG_TEXT("api_key_id", TL_STR("hunter2")),
                                       TL_LOG_NUMBER("pin_token", 4711),
                                       TL_LOG_TEXT("hotkey", TL_STR("5F"))};
        tl_log_say(&f.log, TL_LOG_INFO, "x", fields, 4);
        assert_false(has(&f, "hunter2")); /* LOG-2 */
        assert_false(has(&f, "4711"));
        assert_true(has(&f, "5F"));
    }
}

static void long_lines_are_cut_and_stay_whole(void **state)
{
    (void)state;
    static char big[3 * TL_LOG_LINE_CAP + 1];
    memset(big, '"', sizeof big - 1); /* each needs an escape */
    for (size_t len = TL_LOG_LINE_CAP - 300; len < TL_LOG_LINE_CAP + 40; len++) {
        fixture f;
        start(&f, TL_LOG_DEBUG, true);
        const tl_log_field fields[] = {TL_LOG_TEXT("a", ((tl_str){big, len / 2})),
                                       TL_LOG_TEXT("b", ((tl_str){big, sizeof big - 1}))};
        tl_log_say(&f.log, TL_LOG_INFO, big + sizeof big - len, fields, 2);
        assert_true(f.kept.len <= TL_LOG_LINE_CAP && f.kept.text[f.kept.len - 1] == '\n');
        tl_arena *arena = NULL;
        assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
        const tl_json *tree = NULL;
        assert_int_equal(
            tl_json_parse(&tree, arena, (tl_str){f.kept.text, f.kept.len - 1}, NULL, NULL), TL_OK);
        assert_non_null(tl_json_get(tree, "cut")); /* LOG-1 */
        tl_arena_free(arena);
    }
}

static void lines_below_the_level_are_not_made(void **state)
{
    (void)state;
    fixture f;
    start(&f, TL_LOG_WARN, false);
    tl_log_say(&f.log, TL_LOG_INFO, "quiet", NULL, 0); /* LOG-3 */
    assert_int_equal(f.kept.count, 0);
    tl_log_say(&f.log, TL_LOG_WARN, "loud", NULL, 0);
    assert_int_equal(f.kept.count, 1);
    tl_log_say(NULL, TL_LOG_ERROR, "nobody", NULL, 0);
    tl_log_level level = TL_LOG_OFF;
    assert_true(tl_log_level_parse(&level, TL_STR("debug")) && level == TL_LOG_DEBUG);
    assert_false(tl_log_level_parse(&level, TL_STR("DEBUG")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_have_time_level_message_and_fields),
        cmocka_unit_test(json_lines_are_one_object),
        cmocka_unit_test(secrets_are_masked_whatever_their_case),
        cmocka_unit_test(long_lines_are_cut_and_stay_whole),
        cmocka_unit_test(lines_below_the_level_are_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
