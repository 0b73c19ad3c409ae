/* Attacks the folder of wallets: names that lead out of it, keys that would be lost, files that are none of ours, folders
 * that cannot be written. */
#include "sdk/wallet/test/golden.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/wallet/wallet_internal.h"

#define SEED_A "//Alice"
#define SEED_B "//Bob"

static const char *root;

static int open_root(void **state)
{
    return open_golden(state) == 0 &&
                   tl_sys_make_fresh_dir(&root, arena, "/tmp/tally-wallets", NULL) == TL_OK
               ? 0
               : -1;
}

static int close_root(void **state)
{
    char command[256];
    (void)tl_str_print(command, sizeof command, "rm -rf '%s'", root);
    return system(command) == 0 ? close_golden(state) : -1;
}

static tl_keypair *pair_of(const char *uri)
{
    tl_keypair *pair = NULL;
    assert_int_equal(tl_keypair_from_uri(&pair, tl_scheme_sr25519(), tl_str_from_cstr(uri), NULL),
                     TL_OK);
    return pair;
}

static tl_wallet wallet_of(const char *name, const char *hotkey)
{
    tl_wallet w;
    assert_int_equal(tl_wallet_init(&w, arena, root, name, hotkey, NULL), TL_OK);
    return w;
}

static tl_err save(const tl_wallet *w, tl_wallet_part part, const char *uri, bool may_overwrite,
                   tl_errctx *ctx)
{
    tl_keypair *pair = pair_of(uri);
    const tl_entropy entropy = tl_sys_entropy();
    const tl_err err =
        tl_wallet_save(w, part, pair, (tl_str){NULL, 0}, may_overwrite, &entropy, ctx);
    tl_keypair_free(pair);
    return err;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (unsigned)st.st_mode & 0777u;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(tl_str_from_cstr(text)), 0600, NULL),
                     TL_OK);
}

static const char *joined(const char *folder, const char *name)
{
    const char *path = NULL;
    assert_int_equal(tl_sys_join(&path, arena, folder, name, NULL), TL_OK);
    return path;
}

static const tl_wallet_info *find_wallet(const char *name)
{
    const tl_wallet_info *wallets = NULL;
    size_t count = 0;
    assert_int_equal(tl_wallet_list(&wallets, &count, arena, root, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wallets[i].name, name) == 0) {
            return &wallets[i];
        }
    }
    return NULL;
}

/* --- names and paths --- */

static void no_name_leads_out_of_the_folder(void **state) /* WAL-3 */
{
    (void)state;
    static const char *const bad[] = {"",       ".",        "..",   "../x",  "a/b",
                                      "/",      ".hidden",  "a\nb", "a\x7f", "\xff\xfe",
                                      "x.lock", "xpub.txt", "x.tmp"};
    static const char *const good[] = {"default", "a b", "k10", "\xc3\xa4", "a..", "-x", "coldkey"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_wallet w;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_wallet_init(&w, arena, root, bad[i], NULL, &ctx), TL_ERR_RANGE);
        assert_string_equal(ctx.field, "wallet");
        assert_int_equal(tl_wallet_init(&w, arena, root, "a", bad[i], &ctx), TL_ERR_RANGE);
        assert_string_equal(ctx.field, "hotkey");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(tl_wallet_name_check(good[i], "wallet", NULL), TL_OK);
    }
    char long_name[TL_WALLET_NAME_MAX + 2];
    memset(long_name, 'x', sizeof long_name);
    long_name[TL_WALLET_NAME_MAX] = '\0';
    assert_int_equal(tl_wallet_name_check(long_name, "wallet", NULL), TL_OK);
    long_name[TL_WALLET_NAME_MAX] = 'x';
    long_name[TL_WALLET_NAME_MAX + 1] = '\0';
    assert_int_equal(tl_wallet_name_check(long_name, "wallet", NULL), TL_ERR_RANGE);
}

static void the_paths_are_those_of_other_tools(void **state)
{
    (void)state;
    tl_wallet w;
    const char *path = NULL;
    assert_int_equal(tl_wallet_init(&w, arena, "/w", "n", "h", NULL), TL_OK);
    assert_string_equal(w.coldkey_path, "/w/n/coldkey");
    assert_string_equal(w.coldkey_pub_path, "/w/n/coldkeypub.txt");
    assert_string_equal(w.hotkey_path, "/w/n/hotkeys/h");
    assert_string_equal(w.hotkey_pub_path, "/w/n/hotkeys/hpub.txt");
    assert_int_equal(tl_wallet_root(&path, arena, NULL, "/home/u", NULL), TL_OK);
    assert_string_equal(path, "/home/u/.bittensor/wallets");
    assert_int_equal(tl_wallet_root(&path, arena, "~/w", "/home/u", NULL), TL_OK);
    assert_string_equal(path, "/home/u/w");
    assert_int_equal(tl_wallet_root(&path, arena, "~", "/home/u", NULL), TL_OK);
    assert_string_equal(path, "/home/u");
    assert_int_equal(tl_wallet_root(&path, arena, "~u/w", NULL, NULL), TL_OK);
    assert_string_equal(path, "~u/w"); /* another user's home is nobody's guess */
    assert_int_equal(tl_wallet_root(&path, arena, "rel/w", NULL, NULL), TL_OK);
    assert_string_equal(path, "rel/w");
    assert_int_equal(tl_wallet_root(&path, arena, NULL, NULL, NULL), TL_ERR_MISSING);
}

/* --- saving --- */

static void saved_keys_are_for_their_owner_alone(void **state)
{
    (void)state;
    const tl_wallet w = wallet_of("modes", "h");
    const mode_t before = umask(0);
    assert_int_equal(save(&w, TL_WALLET_COLDKEY, SEED_A, false, NULL), TL_OK);
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_B, false, NULL), TL_OK);
    (void)umask(before);
    assert_int_equal(mode_of(w.coldkey_path), 0600);
    assert_int_equal(mode_of(w.coldkey_pub_path), 0600);
    assert_int_equal(mode_of(w.hotkey_path), 0600);
    assert_int_equal(mode_of(w.hotkey_pub_path), 0600);
    assert_int_equal(mode_of(w.dir), 0700);
    assert_int_equal(mode_of(w.hotkey_dir), 0700);
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sys_read_file(&text, arena, w.coldkey_pub_path, 4096, NULL), TL_OK);
    assert_null(strstr(text.ptr, "privateKey"));
    assert_null(strstr(text.ptr, "secret"));
}

static void a_key_is_not_overwritten_unasked(void **state) /* WAL-2 */
{
    (void)state;
    const tl_wallet w = wallet_of("kept", "h");
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_str before = {NULL, 0};
    tl_str after = {NULL, 0};
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    assert_int_equal(tl_sys_read_file(&before, arena, w.hotkey_path, 4096, NULL), TL_OK);
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_B, false, &ctx), TL_ERR_REFUSED);
    assert_string_equal(ctx.field, w.hotkey_path);
    assert_int_equal(tl_sys_read_file(&after, arena, w.hotkey_path, 4096, NULL), TL_OK);
    assert_text(after, before);
    assert_int_equal(unlink(w.hotkey_path),
                     0); /* the public file alone is kept too, and no key made beside it */
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_B, false, &ctx), TL_ERR_REFUSED);
    assert_false(tl_sys_exists(w.hotkey_path));
    tl_keypair *pair = pair_of(SEED_B);
    assert_int_equal(tl_wallet_save_public(&w, TL_WALLET_HOTKEY, pair, false, NULL),
                     TL_ERR_REFUSED);
    assert_int_equal(tl_wallet_save_public(&w, TL_WALLET_HOTKEY, pair, true, NULL), TL_OK);
    tl_keypair_free(pair);
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_B, true, NULL), TL_OK);
    assert_int_equal(tl_wallet_replace(w.coldkey_path, tl_str_bytes(before), NULL),
                     TL_ERR_NOT_FOUND);
    assert_false(tl_sys_exists(w.coldkey_path));
}

static void nothing_half_done_stays(void **state) /* WAL-2 */
{
    (void)state;
    const tl_wallet w = wallet_of("half", "h");
    assert_int_equal(tl_sys_make_dir(w.hotkey_dir, 0700, NULL), TL_OK);
    assert_int_equal(mkdir(w.hotkey_pub_path, 0700), 0); /* the public file cannot be written */
    assert_int_not_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, true, NULL), TL_OK);
    assert_false(tl_sys_exists(w.hotkey_path));
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, arena, w.hotkey_dir, NULL), TL_OK);
    assert_int_equal(count, 1);
}

static void of_many_writers_one_wins(void **state) /* WAL-2 */
{
    (void)state;
    enum { WRITERS = 8 };
    const tl_wallet w = wallet_of("raced", "h");
    pid_t children[WRITERS];
    int winners = 0;
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            char uri[16];
            (void)tl_str_print(uri, sizeof uri, "//%d", i);
            const tl_err err = save(&w, TL_WALLET_HOTKEY, uri, false, NULL);
            _exit(err == TL_OK ? 0 : err == TL_ERR_REFUSED ? 1 : 2);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        winners += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(winners, 1);
    tl_wallet_key_info whole;
    tl_wallet_key_info pub;
    assert_int_equal(tl_wallet_look(&whole, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                     TL_OK);
    assert_int_equal(tl_wallet_look(&pub, arena, "h", w.hotkey_pub_path, w.hotkey_path, NULL),
                     TL_OK);
    assert_true(whole.is_known && pub.is_known);
    assert_true(tl_hotkey_eq(&whole.public_key, &pub.public_key)); /* both files are the winner's */
}

/* The file is one of two whole ones, whenever its writer is killed. */
static void a_replaced_file_is_the_old_or_the_new_one(void **state) /* WAL-2 */
{
    (void)state;
    enum { ROUNDS = 60, LEN = 3000 };
    static uint8_t forms[2][LEN];
    const tl_wallet w = wallet_of("killed", "h");
    memset(forms[0], 'a', LEN);
    memset(forms[1], 'b', LEN);
    assert_int_equal(tl_sys_make_dir(w.hotkey_dir, 0700, NULL), TL_OK);
    assert_int_equal(tl_sys_write_file(w.hotkey_path, (tl_bytes){forms[0], LEN}, 0600, NULL),
                     TL_OK);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (unsigned i = 0;; i++) {
                const tl_err err =
                    tl_wallet_replace(w.hotkey_path, (tl_bytes){forms[i % 2], LEN}, NULL);
                (void)err;
            }
        }
        (void)usleep(round * 137 % 5000);
        int status = 0;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        tl_str now = {NULL, 0};
        assert_int_equal(tl_sys_read_file(&now, arena, w.hotkey_path, LEN, NULL), TL_OK);
        assert_int_equal(now.len, LEN);
        assert_true(memcmp(now.ptr, forms[0], LEN) == 0 || memcmp(now.ptr, forms[1], LEN) == 0);
        assert_int_equal(mode_of(w.hotkey_path), 0600);
    }
    assert_int_equal(find_wallet("killed")->hotkey_count, 1); /* what the killed left is no key */
}

/* --- listing --- */

static void names_are_in_their_natural_order(void **state)
{
    (void)state;
    static const char *const ordered[] = {"a",
                                          "A2",
                                          "a10",
                                          "B",
                                          "k1",
                                          "k2",
                                          "K2x",
                                          "k010",
                                          "k10",
                                          "k10a",
                                          "k99999999999999999999",
                                          "k100000000000000000000"};
    const size_t count = sizeof ordered / sizeof *ordered;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            const int order = tl__name_cmp(ordered[i], ordered[k]);
            if ((order < 0) != (i < k) || (order == 0) != (i == k)) {
                print_message("# %s, %s: %d\n", ordered[i], ordered[k], order);
            }
            assert_int_equal(order < 0, i < k);
            assert_int_equal(order == 0, i == k);
        }
    }
}

static void what_is_no_hotkey_is_not_listed(void **state)
{
    (void)state;
    const tl_wallet w = wallet_of("listed", "k10");
    const tl_wallet k2 = wallet_of("listed", "k2");
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    assert_int_equal(save(&k2, TL_WALLET_HOTKEY, SEED_B, false, NULL), TL_OK);
    write_text(joined(w.hotkey_dir, "k2.lock"), "");
    write_text(joined(w.hotkey_dir, "k3.tmp"), "{");
    write_text(joined(w.hotkey_dir, "k2.part-Ab12Cd"), "{");
    write_text(joined(w.hotkey_dir, ".hidden"), "{");
    assert_int_equal(mkdir(joined(w.hotkey_dir, "folder"), 0700), 0);
    assert_int_equal(mkdir(joined(w.dir, "evmkeys"), 0700), 0);
    write_text(joined(joined(w.dir, "evmkeys"), "main"), "{\"version\":3}");
    write_text(joined(root, "stray"), "");
    const tl_wallet_info *info = find_wallet("listed");
    assert_non_null(info);
    assert_int_equal(info->hotkey_count, 2);
    assert_string_equal(info->hotkeys[0].name, "k2");
    assert_string_equal(info->hotkeys[1].name, "k10");
    assert_true(info->hotkeys[0].is_known && !info->hotkeys[0].is_encrypted);
    assert_false(info->has_coldkey);
    assert_null(find_wallet("stray"));
}

static void a_broken_key_is_a_line_of_the_list(void **state)
{
    (void)state;
    const tl_wallet w = wallet_of("broken", "cut");
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    write_text(w.hotkey_path, "{\"secretPhrase\":\"old leo");
    assert_int_equal(unlink(w.hotkey_pub_path), 0);
    write_text(w.coldkey_path, "$NACL and nobody knows");
    const tl_wallet_info *info = find_wallet("broken");
    assert_non_null(info);
    assert_int_equal(info->hotkey_count, 1);
    assert_false(info->hotkeys[0].is_known);
    assert_non_null(info->hotkeys[0].problem);
    assert_null(strstr(info->hotkeys[0].problem, "leo"));
    assert_true(info->has_coldkey);
    assert_true(info->coldkey.is_encrypted && !info->coldkey.is_known);
    write_text(w.coldkey_pub_path,
               "{\"ss58Address\":\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\"}");
    info = find_wallet("broken");
    assert_true(info->coldkey.is_encrypted && info->coldkey.is_known);
    assert_int_equal(unlink(w.coldkey_path), 0);
    info = find_wallet("broken");
    assert_true(info->coldkey.is_known);
    assert_null(info->coldkey.path); /* the public part alone */
}

static void two_files_of_two_keys_are_told(void **state)
{
    (void)state;
    const tl_wallet w = wallet_of("stale", "h");
    tl_wallet_key_info info;
    tl_keypair *bob = pair_of(SEED_B);
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    assert_int_equal(tl_wallet_look(&info, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                     TL_OK);
    assert_true(info.is_known && info.problem == NULL);
    assert_int_equal(tl_wallet_save_public(&w, TL_WALLET_HOTKEY, bob, true, NULL), TL_OK);
    assert_int_equal(tl_wallet_look(&info, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                     TL_OK);
    assert_true(info.is_known);
    assert_false(tl_hotkey_eq(&info.public_key, tl_keypair_public(bob))); /* as it would sign */
    assert_non_null(info.problem);
    write_text(w.hotkey_path, "{");
    assert_int_equal(tl_wallet_look(&info, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                     TL_OK);
    assert_true(info.is_known && tl_hotkey_eq(&info.public_key, tl_keypair_public(bob)));
    assert_non_null(info.problem);
    assert_int_equal(unlink(w.hotkey_pub_path), 0);
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, true, NULL), TL_OK);
    assert_int_equal(unlink(w.hotkey_pub_path), 0); /* as before 3.1 */
    assert_int_equal(tl_wallet_look(&info, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                     TL_OK);
    assert_true(info.is_known && info.problem == NULL);
    tl_keypair_free(bob);
}

/* Opened, it would hold up the list for ever. */
static void a_pipe_under_a_keys_name_is_told(void **state)
{
    (void)state;
    const tl_wallet w = wallet_of("piped", "h");
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    assert_int_equal(unlink(w.hotkey_pub_path), 0);
    assert_int_equal(mkfifo(w.hotkey_pub_path, 0600), 0);
    assert_int_equal(mkfifo(w.coldkey_path, 0600), 0);
    const tl_wallet_info *info = find_wallet("piped");
    assert_non_null(info);
    assert_non_null(info->coldkey.problem);
    assert_false(info->coldkey.is_known);
    assert_int_equal(info->hotkey_count, 1);
    assert_non_null(info->hotkeys[0].problem);
    assert_true(info->hotkeys[0].is_known);
}

/* Both files end in the new one, or at each moment in between the public one is of no other key. */
static void a_killed_writer_leaves_no_public_file_of_another_key(void **state) /* WAL-2 */
{
    (void)state;
    const tl_wallet w = wallet_of("between", "h");
    assert_int_equal(save(&w, TL_WALLET_HOTKEY, SEED_A, false, NULL), TL_OK);
    for (int i = 0; i < 40; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (int k = 0;; k++) {
                (void)!save(&w, TL_WALLET_HOTKEY, k % 2 != 0 ? SEED_A : SEED_B, true, NULL);
            }
        }
        (void)usleep((useconds_t)(1000 + 100 * i)); /* where the writer stands then is chance */
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        tl_wallet_key_info info;
        assert_int_equal(tl_wallet_look(&info, arena, "h", w.hotkey_path, w.hotkey_pub_path, NULL),
                         TL_OK);
        assert_true(info.is_known);
        assert_null(info.problem); /* "the public file of another key" */
    }
}

static void no_folder_has_no_wallets(void **state)
{
    (void)state;
    const tl_wallet_info *wallets = NULL;
    size_t count = 1;
    const char *file = joined(root, "file");
    write_text(file, "no folder");
    assert_int_equal(tl_wallet_list(&wallets, &count, arena, file, NULL), TL_ERR_TYPE);
    assert_int_equal(tl_wallet_list(&wallets, &count, arena, joined(root, "none"), NULL), TL_OK);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_name_leads_out_of_the_folder),
        cmocka_unit_test(the_paths_are_those_of_other_tools),
        cmocka_unit_test(saved_keys_are_for_their_owner_alone),
        cmocka_unit_test(a_key_is_not_overwritten_unasked),
        cmocka_unit_test(nothing_half_done_stays),
        cmocka_unit_test(of_many_writers_one_wins),
        cmocka_unit_test(a_replaced_file_is_the_old_or_the_new_one),
        cmocka_unit_test(names_are_in_their_natural_order),
        cmocka_unit_test(what_is_no_hotkey_is_not_listed),
        cmocka_unit_test(a_broken_key_is_a_line_of_the_list),
        cmocka_unit_test(two_files_of_two_keys_are_told),
        cmocka_unit_test(a_pipe_under_a_keys_name_is_told),
        cmocka_unit_test(a_killed_writer_leaves_no_public_file_of_another_key),
        cmocka_unit_test(no_folder_has_no_wallets),
    };
    return cmocka_run_group_tests(tests, open_root, close_root);
}
