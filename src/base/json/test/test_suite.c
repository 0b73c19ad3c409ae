/* Attacks the parser with the public JSON parsing test suite (tests/corpus/json_suite, its licence beside it): y_ must
 * be accepted, n_ refused, i_ either way. Two y_ files give a key twice: refused by policy, accepted by the option. */
#define _POSIX_C_SOURCE 200809L /* opendir */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"

#define SUITE TL_SOURCE_ROOT "/tests/corpus/json_suite"

enum { Y_FILES = 95, N_FILES = 188, I_FILES = 35, TEXT_LEN_MAX = 1 << 19 };

typedef struct tally_of {
    int files;
    int accepted;
    int refused;
    int refused_by_policy; /* accepted when keys may come twice */
} tally_of;

static tl_str read_file(char *buffer, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", SUITE, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t len = fread(buffer, 1, TEXT_LEN_MAX, f);
    assert_true(len < TEXT_LEN_MAX);
    (void)fclose(f);
    return (tl_str){buffer, len};
}

/* The verdict of the pull reader, which looks for no duplicates. */
static tl_err read_all_events(tl_arena *arena, tl_str text)
{
    tl_json_reader reader;
    tl_json_event event = TL_JSON_EV_NULL;
    tl_err err = tl_json_reader_init(&reader, arena, text, NULL, NULL);
    while (err == TL_OK && event != TL_JSON_EV_END) {
        err = tl_json_next(&reader, &event, NULL);
    }
    return err;
}

static void judge(tally_of *t, const char *name, char *buffer)
{
    const tl_json_options lenient = {.allow_duplicate_keys = true};
    const tl_str text = read_file(buffer, name);
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_json *tree = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_json_parse(&tree, arena, text, NULL, &ctx);
    const tl_err lenient_err = tl_json_parse(&tree, arena, text, &lenient, NULL);
    t->files++;
    t->accepted += err == TL_OK ? 1 : 0;
    t->refused += err != TL_OK ? 1 : 0;
    t->refused_by_policy += err == TL_ERR_DUPLICATE && lenient_err == TL_OK ? 1 : 0;
    assert_int_equal(ctx.code, err);
    if (err != TL_OK) {
        assert_true(ctx.has_offset && ctx.offset <= text.len && ctx.line >= 1 && ctx.column >= 1);
    }
    assert_int_equal(read_all_events(arena, text), lenient_err);
    if (name[0] == 'y' && lenient_err != TL_OK) {
        fail_msg("%s is refused", name);
    }
    if (name[0] == 'n' && lenient_err == TL_OK) {
        fail_msg("%s is accepted", name);
    }
    tl_arena_free(arena);
}

static void the_public_suite_is_judged_rightly(void **state)
{
    (void)state;
    tally_of y = {0, 0, 0, 0};
    tally_of n = {0, 0, 0, 0};
    tally_of i = {0, 0, 0, 0};
    char *buffer = (char *)malloc(TEXT_LEN_MAX);
    assert_non_null(buffer);
    DIR *folder = opendir(SUITE);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *name = entry->d_name;
        if (name[0] != '\0' && name[1] == '_') {
            judge(name[0] == 'y' ? &y : name[0] == 'n' ? &n : &i, name, buffer);
        }
    }
    (void)closedir(folder);
    free(buffer);
    printf("# PROOF json_suite y=%d n=%d refused_by_policy=%d\n", y.accepted, n.refused,
           y.refused_by_policy);
    assert_int_equal(y.files, Y_FILES);
    assert_int_equal(n.files, N_FILES);
    assert_int_equal(i.files, I_FILES);
    assert_int_equal(n.refused, N_FILES);
    assert_int_equal(y.refused_by_policy, 2);
    assert_int_equal(y.accepted, Y_FILES - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_public_suite_is_judged_rightly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
