/* Attacks files that are not there, too large, damaged, or on a full disk, and writes that fail half way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "io/sys/sys.h"

typedef struct fixture {
    tl_arena *arena;
    const char *dir;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&f.dir, f.arena, "/tmp/tally-test-file", NULL), TL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, f->dir, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        const char *path = NULL;
        assert_int_equal(tl_sys_join(&path, f->arena, f->dir, names[i], NULL), TL_OK);
        (void)remove(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    tl_arena_free(f->arena);
    return 0;
}

static const char *in_dir(fixture *f, const char *name)
{
    const char *path = NULL;
    assert_int_equal(tl_sys_join(&path, f->arena, f->dir, name, NULL), TL_OK);
    return path;
}

static tl_bytes bytes_of(const char *text)
{
    return tl_str_bytes(tl_str_from_cstr(text));
}

/* What looks like the remains of a write goes; what only nearly does stays. */
static void remains_of_a_killed_write_are_removed(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"a.bundle.part-x7Yz09", "a.bundle", ".part-x7Yz09",
                                        "a.part-x7Yz0", "a.part-x7Yz091"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(tl_sys_write_file(in_dir(f, names[i]), bytes_of("x"), 0600, NULL), TL_OK);
    }
    assert_int_equal(tl_sys_remove_parts(f->dir, f->arena, NULL), TL_OK);
    assert_false(tl_sys_exists(in_dir(f, names[0])));
    for (size_t i = 1; i < 5; i++) {
        assert_true(tl_sys_exists(in_dir(f, names[i])));
    }
    assert_int_equal(tl_sys_remove_parts(in_dir(f, "none"), f->arena, NULL), TL_ERR_NOT_FOUND);
}

static void what_is_written_is_read_and_replaced_whole(void **state)
{
    fixture *f = *state;
    const char *path = in_dir(f, "a");
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sys_write_file(path, bytes_of("first, longer"), 0600, NULL), TL_OK);
    assert_int_equal(tl_sys_write_file(path, bytes_of("second"), 0640, NULL), TL_OK);
    assert_int_equal(tl_sys_read_file(&text, f->arena, path, 6, NULL), TL_OK);
    assert_true(tl_str_eq(text, TL_STR("second")));
    assert_int_equal(text.ptr[text.len], '\0');
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, f->dir, NULL), TL_OK);
    assert_int_equal(count, 1); /* no temporary file is left: SYS-1 */
}

static void each_kind_of_failure_has_its_code(void **state)
{
    fixture *f = *state;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_str text = {NULL, 0};
    const char *path = in_dir(f, "b");
    assert_int_equal(tl_sys_read_file(&text, f->arena, path, 9, &why), TL_ERR_NOT_FOUND);
    assert_string_equal(why.field, path);
    assert_int_equal(tl_sys_read_file(&text, f->arena, f->dir, 9, &why), TL_ERR_TYPE);
    assert_int_equal(tl_sys_write_file(f->dir, bytes_of("x"), 0600, &why), TL_ERR_TYPE);
    assert_int_equal(tl_sys_write_file(in_dir(f, "no/such"), bytes_of("x"), 0600, &why),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_sys_write_file(path, bytes_of("1234567890"), 0600, &why), TL_OK);
    assert_int_equal(tl_sys_read_file(&text, f->arena, path, 9, &why), TL_ERR_LIMIT);
    assert_int_equal(tl_sys_make_dir(path, 0700, &why), TL_ERR_TYPE);
    assert_int_equal(tl_sys_make_dir(in_dir(f, "b/c"), 0700, &why), TL_ERR_NOT_FOUND);
    assert_null(text.ptr);
    char name[5000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(tl_sys_write_file(name, bytes_of("x"), 0600, &why), TL_ERR_TYPE);
}

static void a_full_disk_is_an_error_that_leaves_the_old_file(void **state)
{
    fixture *f = *state;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_sys_write_file("/dev/full", bytes_of("x"), 0600, &why), TL_ERR_IO);
    assert_non_null(strstr(why.message, "/dev/full"));
    assert_int_equal(tl_sys_write_file("/dev/null", bytes_of("x"), 0600, &why), TL_OK);
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode)); /* not replaced by a file */
    (void)f;
}

static void a_folder_that_may_not_be_written_is_refused(void **state)
{
    fixture *f = *state;
    const bool is_root = geteuid() == 0;
    assert_int_equal(chmod(f->dir, 0500), 0);
    assert_int_equal(is_root ? seteuid(65534) : 0, 0); /* root may write everywhere: be nobody */
    const tl_err err = tl_sys_write_file(in_dir(f, "x"), bytes_of("x"), 0600, NULL);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(chmod(f->dir, 0700), 0);
    assert_int_equal(err, TL_ERR_REFUSED);
}

/* gzip of text by zlib's own writer. */
static tl_str gzip_of(fixture *f, const char *text)
{
    const char *path = in_dir(f, "made.gz");
    const gzFile gz = gzopen(path, "wb");
    assert_true(gzwrite(gz, text, (unsigned)strlen(text)) == (int)strlen(text));
    assert_int_equal(gzclose(gz), Z_OK);
    tl_str bytes = {NULL, 0};
    assert_int_equal(tl_sys_read_file(&bytes, f->arena, path, 1 << 20, NULL), TL_OK);
    return bytes;
}

static void gzip_is_read_member_by_member(void **state)
{
    fixture *f = *state;
    const tl_str one = gzip_of(f, "hello ");
    const tl_str two = gzip_of(f, "world");
    tl_sb sb;
    tl_str both = {NULL, 0};
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, f->arena);
    tl_sb_put(&sb, one);
    tl_sb_put(&sb, two);
    assert_int_equal(tl_sb_finish(&both, &sb, NULL), TL_OK);
    assert_int_equal(tl_sys_gunzip(&text, f->arena, both, 11, NULL), TL_OK);
    assert_true(tl_str_eq(text, TL_STR("hello world")));
    assert_int_equal(tl_sys_gunzip(&text, f->arena, both, 10, NULL), TL_ERR_LIMIT);
    assert_int_equal(tl_sys_read_text(&text, f->arena, in_dir(f, "made.gz"), 99, NULL), TL_OK);
    assert_true(tl_str_eq(text, TL_STR("world")));
}

static void gzip_that_is_cut_or_changed_is_corrupt(void **state)
{
    fixture *f = *state;
    const tl_str whole = gzip_of(f, "forty-two and then some, forty-two and then some");
    for (size_t len = 2; len < whole.len; len++) {
        tl_str text = {NULL, 0};
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_str cut = {whole.ptr, len};
        assert_int_equal(tl_sys_gunzip(&text, f->arena, cut, 99, &why), TL_ERR_CORRUPT);
        assert_true(why.message[0] != '\0');
    }
    char *changed = malloc(whole.len);
    assert_non_null(changed);
    memcpy(changed, whole.ptr, whole.len);
    changed[whole.len - 8] ^= 1; /* the checksum of the text */
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sys_gunzip(&text, f->arena, (tl_str){changed, whole.len}, 99, NULL),
                     TL_ERR_CORRUPT);
    free(changed);
    tl_errctx why = TL_ERRCTX_INIT;
    const char *path = in_dir(f, "cut.gz");
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(tl_str_slice(whole, 0, 20)), 0600, NULL),
                     TL_OK);
    assert_int_equal(tl_sys_read_text(&text, f->arena, path, 99, &why), TL_ERR_CORRUPT);
    assert_non_null(strstr(why.message, "cut.gz"));
}

static void folders_are_made_and_listed_in_order(void **state)
{
    fixture *f = *state;
    const char *deep = in_dir(f, "x/y");
    assert_int_equal(tl_sys_make_dir(deep, 0700, NULL), TL_OK);
    assert_int_equal(tl_sys_make_dir(deep, 0700, NULL), TL_OK);
    assert_true(tl_sys_exists(deep));
    assert_int_equal(tl_sys_write_file(in_dir(f, "b"), bytes_of(""), 0600, NULL), TL_OK);
    assert_int_equal(tl_sys_write_file(in_dir(f, "B"), bytes_of(""), 0600, NULL), TL_OK);
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, f->dir, NULL), TL_OK);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "B");
    assert_string_equal(names[2], "x");
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, in_dir(f, "none"), NULL),
                     TL_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_and_replaced_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_kind_of_failure_has_its_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error_that_leaves_the_old_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_may_not_be_written_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(remains_of_a_killed_write_are_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gzip_is_read_member_by_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gzip_that_is_cut_or_changed_is_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_and_listed_in_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
