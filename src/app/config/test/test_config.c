/* Attacks settings that do not exist, values of the wrong type, lines at fault, and secrets in the wrong place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/config/config.h"
#include "io/sys/sys.h"

static const char *const levels[] = {"low", "high", NULL};
static const tl_setting settings[] = {
    {"log.level", TL_SETTING_CHOICE, "low", levels, 0, "how much"},
    {"pool.threads", TL_SETTING_U64, "0", NULL, 64, "how many"},
    {"state.dir", TL_SETTING_PATH, NULL, NULL, 0, "where"},
    {"publish.key", TL_SETTING_SECRET, NULL, NULL, 0, "what nobody may see"},
};
enum { COUNT = sizeof settings / sizeof settings[0] };

typedef struct fixture {
    tl_arena *arena;
    const char *path;
    const char *env_name; /* the one variable that is set */
    const char *env_value;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    static char path[64];
    f = (fixture){0};
    (void)snprintf(path, sizeof path, "/tmp/tally-test-config.%ld", (long)getpid());
    f.path = path;
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    (void)unlink(f->path);
    tl_arena_free(f->arena);
    return 0;
}

static const char *get_env(void *self, const char *name)
{
    const fixture *f = self;
    return f->env_name != NULL && strcmp(f->env_name, name) == 0 ? f->env_value : NULL;
}

static tl_err load(fixture *f, tl_config *out, const char *text, tl_errctx *why)
{
    tl_errctx_reset(why);
    const tl_bytes bytes = tl_str_bytes(tl_str_from_cstr(text));
    assert_int_equal(tl_sys_write_file(f->path, bytes, 0600, NULL), TL_OK);
    return tl_config_load(out, f->arena, settings, COUNT, f->path, get_env, f, why);
}

static void the_file_wins_over_defaults_and_the_environment_over_both(void **state)
{
    fixture *f = *state;
    tl_config c;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_config_load(&c, f->arena, settings, COUNT, NULL, get_env, f, &why), TL_OK);
    assert_string_equal(tl_config_text(&c, "log.level"), "low");
    assert_null(tl_config_text(&c, "state.dir"));
    f->env_name = "TALLY_POOL_THREADS";
    f->env_value = "7";
    assert_int_equal(load(f, &c,
                          "# comment\n[pool]\nthreads = 3\r\n[log]\nlevel = high ; why\n"
                          "[state]\ndir = \"/with space\"",
                          &why),
                     TL_OK);
    assert_true(tl_config_u64(&c, "pool.threads") == 7);
    assert_string_equal(tl_config_text(&c, "log.level"), "high");
    assert_string_equal(tl_config_text(&c, "state.dir"), "/with space");
    assert_string_equal(tl_config_origin_name(c.values[0].origin), "file");
    assert_int_equal(c.values[0].line, 5);
    assert_string_equal(tl_config_origin_name(c.values[1].origin), "env");
}

static void errors_name_file_line_and_setting(void **state)
{
    fixture *f = *state;
    tl_config c = {0};
    tl_errctx why = TL_ERRCTX_INIT;
    static const struct {
        const char *text;
        tl_err err;
        unsigned line;
        const char *field;
    } cases[] = {
        {"\n[log]\nlevel = medium\n", TL_ERR_RANGE, 3, "log.level"},
        {"[log]\nlevle = low\n", TL_ERR_UNKNOWN, 2, "log.levle"},
        {"[pool]\nthreads = many\n", TL_ERR_TYPE, 2, "pool.threads"},
        {"[pool]\nthreads = 65\n", TL_ERR_RANGE, 2, "pool.threads"},
        {"[pool]\nthreads = 1\n\nthreads = 1\n", TL_ERR_DUPLICATE, 4, "pool.threads"},
        {"[state]\ndir =\n", TL_ERR_RANGE, 2, "state.dir"},
        {"[log\n", TL_ERR_SYNTAX, 1, ""},
        {"[log]\nwhat is this\n", TL_ERR_SYNTAX, 2, ""},
        {"threads = 1\n", TL_ERR_UNKNOWN, 1, ".threads"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char place[96];
        assert_int_equal(load(f, &c, cases[i].text, &why), cases[i].err); /* CFG-1 */
        (void)snprintf(place, sizeof place, "%s:%u: ", f->path, cases[i].line);
        assert_true(strncmp(why.message, place, strlen(place)) == 0);
        assert_string_equal(why.field, cases[i].field);
        assert_null(c.settings);
    }
    char line[4000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_int_equal(load(f, &c, line, &why), TL_ERR_SYNTAX);
    f->env_name = "TALLY_LOG_LEVEL";
    f->env_value = "none";
    assert_int_equal(load(f, &c, "", &why), TL_ERR_RANGE);
    assert_non_null(strstr(why.message, "TALLY_LOG_LEVEL"));
    assert_int_equal(tl_config_load(&c, f->arena, settings, COUNT, "/no/such", NULL, NULL, &why),
                     TL_ERR_NOT_FOUND);
}

static void a_secret_is_referred_to_and_never_shown(void **state)
{
    fixture *f = *state;
    tl_config c = {0};
    tl_errctx why = TL_ERRCTX_INIT;
    tl_str secret = {NULL, 0};
    assert_int_equal(load(f, &c, "[publish]\nkey = hunter2\n", &why), TL_ERR_REFUSED); /* CFG-2 */
    assert_null(strstr(why.message, "hunter2"));
    assert_int_equal(load(f, &c, "[publish]\nkey = env:\n", &why), TL_ERR_REFUSED);
    assert_int_equal(load(f, &c, "[publish]\nkey = env:MY_KEY\n", &why), TL_OK);
    assert_string_equal(tl_config_shown(&c, 3), "***"); /* CFG-3 */
    assert_null(tl_config_shown(&c, 2));
    assert_int_equal(tl_config_secret(&secret, f->arena, &c, "publish.key", get_env, f, &why),
                     TL_ERR_NOT_FOUND);
    f->env_name = "MY_KEY";
    f->env_value = "hunter2";
    assert_int_equal(tl_config_secret(&secret, f->arena, &c, "publish.key", get_env, f, &why),
                     TL_OK);
    assert_true(tl_str_eq(secret, TL_STR("hunter2")));
    char text[128];
    (void)snprintf(text, sizeof text, "[publish]\nkey = file:%s\n", f->path);
    assert_int_equal(load(f, &c, text, &why), TL_OK);
    assert_int_equal(tl_config_secret(&secret, f->arena, &c, "publish.key", get_env, f, &why),
                     TL_OK);
    assert_true(tl_str_starts_with(secret, TL_STR("[publish]")));
    assert_int_equal(load(f, &c, "[publish]\nkey = file:/no/such\n", &why), TL_OK);
    assert_int_equal(tl_config_secret(&secret, f->arena, &c, "publish.key", get_env, f, &why),
                     TL_ERR_NOT_FOUND);
}

/* One block of memory, of which ever more is used up beforehand: each allocation fails once. */
static void memory_that_ends_anywhere_is_an_error(void **state)
{
    fixture *f = *state;
    enum { BLOCK_LEN = 4160, STEP = 8 };
    const tl_bytes bytes = tl_str_bytes(TL_STR("[state]\ndir = /x\n[publish]\nkey = env:KEY\n"));
    assert_int_equal(tl_sys_write_file(f->path, bytes, 0600, NULL), TL_OK);
    f->env_name = "KEY";
    f->env_value = "value";
    size_t failed = 0;
    for (size_t fill = 0; fill < 4000; fill += STEP) {
        tl_arena *small = NULL;
        tl_config c = {0};
        tl_str secret = {NULL, 0};
        assert_int_equal(tl_arena_new(&small, NULL, BLOCK_LEN, NULL, NULL), TL_OK);
        assert_non_null(TL_NEW(small, char, fill));
        tl_err err = tl_config_load(&c, small, settings, COUNT, f->path, get_env, f, NULL);
        if (err == TL_OK) {
            err = tl_config_secret(&secret, small, &c, "publish.key", get_env, f, NULL);
        }
        assert_true(err == TL_OK || err == TL_ERR_LIMIT);
        failed += err != TL_OK;
        tl_arena_free(small);
    }
    assert_true(failed > 0 && failed < 4000 / STEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_wins_over_defaults_and_the_environment_over_both,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_name_file_line_and_setting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_is_referred_to_and_never_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_that_ends_anywhere_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
