/* Attacks the file of stakes: hotkeys twice, stakes below zero, another shape, a change to something broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "app/cli/stakes.h"
#include "io/sys/sys.h"

#define BOB   "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

static void write_file(const char *path, const char *text)
{
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(tl_str_from_cstr(text)), 0600, NULL),
                     TL_OK);
}

static int64_t stake_of(tl_app_stakes *stakes, const char *ss58)
{
    tl_hotkey key;
    assert_int_equal(tl_ss58_decode(&key, tl_str_from_cstr(ss58), NULL), TL_OK);
    return tl_app_stakes_of(stakes, &key);
}

static void a_changed_file_is_read_and_a_broken_one_changes_nothing(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    const char *dir;
    const char *path;
    tl_app_stakes *stakes = NULL;
    bool was_read;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&dir, arena, "stakes", NULL), TL_OK);
    assert_int_equal(tl_sys_join(&path, arena, dir, "metagraph.json", NULL), TL_OK);
    write_file(path, "[{\"hotkey\":\"" BOB "\",\"stake_rao\":7,\"uid\":1}]");
    assert_int_equal(tl_app_stakes_open(&stakes, path, NULL), TL_OK);
    assert_int_equal(stake_of(stakes, BOB), 7);
    assert_int_equal(stake_of(stakes, ALICE), 0);
    assert_int_equal(tl_app_stakes_refresh(stakes, &was_read, NULL), TL_OK);
    assert_false(was_read);
    write_file(path, "[{\"hotkey\":\"" BOB "\",\"stake_rao\":8},{\"hotkey\":\"" ALICE
                     "\",\"stake_rao\":9}]");
    assert_int_equal(tl_app_stakes_refresh(stakes, &was_read, NULL), TL_OK);
    assert_true(was_read);
    assert_int_equal(stake_of(stakes, BOB), 8);
    assert_int_equal(stake_of(stakes, ALICE), 9);
    /* Each of another length than the one before: two writes may share a tick of the file system's clock. */
    const struct {
        const char *text;
        tl_err err;
    } broken[] = {
        {" [{\"hotkey\":\"" BOB "\",\"stake_rao\":8},{\"hotkey\":\"" BOB "\",\"stake_rao\":8}]",
         TL_ERR_DUPLICATE},
        {"[{\"hotkey\":\"" BOB "\",\"stake_rao\":-1}]", TL_ERR_RANGE},
        {"[{\"hotkey\":\"nobody\",\"stake_rao\":1}]", TL_ERR_SYNTAX},
        {"[{\"hotkey\":\"" BOB "\"}]", TL_ERR_MISSING},
        {"[{\"hotkey\":\"" BOB "\",\"stake_rao\":8,\"uid\":65536}]", TL_ERR_RANGE},
        {"[{\"hotkey\":\"" BOB "\",\"stake_rao\":8,\"coldkey\":\"x\"}]", TL_ERR_SYNTAX},
        {"[{\"hotkey\":\"" BOB "\",\"stake_rao\":8,\"validator_permit\":1}]", TL_ERR_TYPE},
        {"[{\"uid\":3,\"hotkey\":\"" BOB "\",\"stake_rao\":8},{\"uid\":3,\"hotkey\":\"" ALICE
         "\",\"stake_rao\":8}]",
         TL_ERR_DUPLICATE},
        {"{}", TL_ERR_TYPE},
        {"[", TL_ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        write_file(path, broken[i].text);
        assert_int_equal(tl_app_stakes_refresh(stakes, &was_read, NULL), broken[i].err);
        assert_int_equal(stake_of(stakes, BOB), 8);
        assert_int_equal(tl_app_stakes_refresh(stakes, &was_read, NULL), TL_OK); /* told once */
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tl_app_stakes_refresh(stakes, &was_read, NULL), TL_ERR_NOT_FOUND);
    tl_app_stakes_close(stakes);
    assert_int_equal(tl_app_stakes_open(&stakes, path, NULL), TL_ERR_NOT_FOUND);
    assert_int_equal(rmdir(dir), 0);
    tl_arena_free(arena);
}

static void a_row_tells_uid_coldkey_and_permit(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    const char *dir;
    const char *path;
    tl_app_stakes *stakes = NULL;
    tl_app_stake row;
    tl_app_stake rows[3];
    tl_hotkey bob;
    tl_hotkey alice;
    assert_int_equal(tl_ss58_decode(&bob, TL_STR(BOB), NULL), TL_OK);
    assert_int_equal(tl_ss58_decode(&alice, TL_STR(ALICE), NULL), TL_OK);
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&dir, arena, "stakes", NULL), TL_OK);
    assert_int_equal(tl_sys_join(&path, arena, dir, "metagraph.json", NULL), TL_OK);
    write_file(path, "[{\"uid\":7,\"hotkey\":\"" BOB "\",\"coldkey\":\"" ALICE
                     "\",\"stake_rao\":5,\"validator_permit\":true}]");
    assert_int_equal(tl_app_stakes_open(&stakes, path, NULL), TL_OK);
    assert_true(tl_app_stakes_find(stakes, &row, &bob));
    assert_int_equal(row.uid, 7);
    assert_int_equal(tl_hotkey_cmp(&row.coldkey, &alice), 0);
    assert_true(row.has_permit);
    assert_int_equal(row.stake_rao, 5);
    assert_false(tl_app_stakes_find(stakes, &row, &alice));
    assert_int_equal(tl_app_stakes_list(stakes, rows, 3), 1);
    assert_int_equal(tl_app_stakes_list(stakes, rows, 0), 1);
    assert_int_equal(tl_hotkey_cmp(&rows[0].hotkey, &bob), 0);
    tl_app_stakes_close(stakes);
    write_file(path, "[{\"hotkey\":\"" BOB "\",\"stake_rao\":5}]");
    assert_int_equal(tl_app_stakes_open(&stakes, path, NULL), TL_OK);
    assert_true(tl_app_stakes_find(stakes, &row, &bob));
    assert_int_equal(row.uid, 0);
    assert_int_equal(tl_hotkey_cmp(&row.coldkey, &bob), 0);
    assert_false(row.has_permit);
    tl_app_stakes_close(stakes);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_file_is_read_and_a_broken_one_changes_nothing),
        cmocka_unit_test(a_row_tells_uid_coldkey_and_permit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
