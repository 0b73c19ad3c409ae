/* Where key files lie, and how they get there: whole, for their owner alone, and never over another key unasked (WAL-2). */
#include "sdk/wallet/wallet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/sys/sys.h"

#define HOTKEYS_FOLDER "hotkeys"
#define PUBLIC_SUFFIX  "pub.txt"

/* --- paths --- */

tl_err tl_wallet_root(const char **out, tl_arena *arena, const char *wanted, const char *home,
                      tl_errctx *ctx)
{
    const bool is_of_home =
        wanted == NULL || (wanted[0] == '~' && (wanted[1] == '\0' || wanted[1] == '/'));
    if (!is_of_home) {
        return tl_str_copy_cstr(out, arena, tl_str_from_cstr(wanted), ctx);
    }
    if (home == NULL || home[0] == '\0') {
        const tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "path",
                                         "the folder of wallets is not known: HOME is not set");
        tl_errctx_hint(ctx, "name it with --path or BT_WALLET_PATH");
        return err;
    }
    const char *below = wanted == NULL ? ".bittensor/wallets" : wanted + 1;
    while (below[0] == '/') {
        below++;
    }
    if (below[0] == '\0') {
        return tl_str_copy_cstr(out, arena, tl_str_from_cstr(home), ctx);
    }
    return tl_sys_join(out, arena, home, below, ctx);
}

static bool ends_as_another_file(tl_str name)
{
    return tl_str_ends_with(name, TL_STR(PUBLIC_SUFFIX)) ||
           tl_str_ends_with(name, TL_STR(".lock")) || tl_str_ends_with(name, TL_STR(".tmp"));
}

tl_err tl_wallet_name_check(const char *name, const char *field, tl_errctx *ctx)
{
    const tl_str text = tl_str_from_cstr(name);
    bool is_name = text.len > 0 && text.len <= TL_WALLET_NAME_MAX && tl_str_is_utf8(text) &&
                   text.ptr[0] != '.' && !ends_as_another_file(text);
    for (size_t i = 0; is_name && i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        is_name = c >= 0x20 && c != 0x7f && c != '/'; /* WAL-3 */
    }
    if (is_name) {
        return TL_OK;
    }
    const tl_err err =
        tl_fail_field(ctx, TL_ERR_RANGE, field, "\"%.*s\" cannot be the name of a %s",
                      (int)(text.len < 64 ? text.len : 64), text.ptr, field);
    tl_errctx_hint(
        ctx,
        "a name has 1 to %d bytes of UTF-8 without '/' and control characters, does not begin "
        "with '.' nor end with pub.txt, .lock or .tmp",
        TL_WALLET_NAME_MAX);
    return err;
}

static tl_err join_public(const char **out, tl_arena *arena, const char *path, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, path);
    tl_sb_put_cstr(&sb, PUBLIC_SUFFIX);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = text.ptr;
    return TL_OK;
}

tl_err tl_wallet_init(tl_wallet *out, tl_arena *arena, const char *root, const char *name,
                      const char *hotkey, tl_errctx *ctx)
{
    tl_wallet w = {.root = root};
    TL_TRY(tl_wallet_name_check(name, "wallet", ctx));
    TL_TRY(tl_str_copy_cstr(&w.name, arena, tl_str_from_cstr(name), ctx));
    TL_TRY(tl_sys_join(&w.dir, arena, root, name, ctx));
    TL_TRY(tl_sys_join(&w.hotkey_dir, arena, w.dir, HOTKEYS_FOLDER, ctx));
    TL_TRY(tl_sys_join(&w.coldkey_path, arena, w.dir, "coldkey", ctx));
    TL_TRY(join_public(&w.coldkey_pub_path, arena, w.coldkey_path, ctx));
    if (hotkey != NULL) {
        TL_TRY(tl_wallet_name_check(hotkey, "hotkey", ctx));
        TL_TRY(tl_str_copy_cstr(&w.hotkey, arena, tl_str_from_cstr(hotkey), ctx));
        TL_TRY(tl_sys_join(&w.hotkey_path, arena, w.hotkey_dir, hotkey, ctx));
        TL_TRY(join_public(&w.hotkey_pub_path, arena, w.hotkey_path, ctx));
    }
    *out = w;
    return TL_OK;
}

const char *tl_wallet_path(const tl_wallet *wallet, tl_wallet_part part)
{
    return part == TL_WALLET_COLDKEY ? wallet->coldkey_path : wallet->hotkey_path;
}

const char *tl_wallet_pub_path(const tl_wallet *wallet, tl_wallet_part part)
{
    return part == TL_WALLET_COLDKEY ? wallet->coldkey_pub_path : wallet->hotkey_pub_path;
}

/* --- writing --- */

/* The lock is on the folder itself: it leaves no file behind that other tools would take for a key. */
static tl_err lock_folder(int *out, const tl_wallet *wallet, tl_wallet_part part, tl_errctx *ctx)
{
    TL_TRY(tl_sys_make_dir(wallet->dir, TL_SYS_DIR_MODE, ctx));
    if (part == TL_WALLET_HOTKEY) {
        TL_TRY(tl_sys_make_dir(wallet->hotkey_dir, TL_SYS_DIR_MODE, ctx));
    }
    const int fd = open(wallet->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return tl_fail_field(ctx, TL_ERR_IO, wallet->dir, "cannot open \"%s\": %s", wallet->dir,
                             strerror(errno));
    }
    while (flock(fd, LOCK_EX) != 0) { /* whoever has it writes two small files */
        const int errnum = errno;
        const tl_err err =
            errnum == EINTR ? tl_sys_check_interrupt(ctx)
                            : tl_fail_field(ctx, TL_ERR_IO, wallet->dir, "cannot lock \"%s\": %s",
                                            wallet->dir, strerror(errnum));
        if (err != TL_OK) {
            (void)close(fd);
            return err;
        }
    }
    *out = fd;
    return TL_OK;
}

static tl_err refuse_existing(const char *path, bool may_overwrite, tl_errctx *ctx)
{
    if (may_overwrite || !tl_sys_exists(path)) {
        return TL_OK;
    }
    const tl_err err =
        tl_fail_field(ctx, TL_ERR_REFUSED, path, "\"%s\" is there already", path); /* WAL-2 */
    tl_errctx_hint(ctx, "--overwrite replaces it; without its mnemonic that key is lost");
    return err;
}

/* Both files over two that are there. The public file goes before the key that it is of, and comes behind the new one:
 * whoever is killed in between leaves a key without its public file, never with another key's, which an encrypted coldkey
 * would be taken for. When the key cannot be written the old public file comes back. */
static tl_err write_over(tl_arena *scratch, const char *path, tl_bytes whole, const char *pub_path,
                         tl_bytes pub, tl_errctx *ctx)
{
    tl_str old = {NULL, 0};
    const bool had_pub = tl_sys_exists(pub_path);
    if (had_pub) {
        TL_TRY(tl_sys_read_file(&old, scratch, pub_path, TL_KEYFILE_LEN_MAX, ctx));
    }
    if (had_pub && unlink(pub_path) != 0) {
        return tl_fail_field(ctx, TL_ERR_IO, pub_path, "cannot remove \"%s\": %s", pub_path,
                             strerror(errno));
    }
    const tl_err err = tl_sys_write_file(path, whole, TL_SYS_FILE_MODE, ctx);
    if (err != TL_OK && had_pub) {
        const tl_err back = tl_sys_write_file(pub_path, tl_str_bytes(old), TL_SYS_FILE_MODE, NULL);
        (void)back; /* the first error is told */
    }
    return err != TL_OK ? err : tl_sys_write_file(pub_path, pub, TL_SYS_FILE_MODE, ctx);
}

static tl_err write_both(const char *path, tl_bytes whole, const char *pub_path, tl_bytes pub,
                         tl_errctx *ctx)
{
    if (whole.len == 0) {
        return tl_sys_write_file(pub_path, pub, TL_SYS_FILE_MODE, ctx);
    }
    if (tl_sys_exists(path)) {
        tl_arena *scratch = NULL;
        TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
        const tl_err err = write_over(scratch, path, whole, pub_path, pub, ctx);
        tl_arena_free(scratch);
        return err;
    }
    TL_TRY(tl_sys_write_file(path, whole, TL_SYS_FILE_MODE, ctx));
    const tl_err err = tl_sys_write_file(pub_path, pub, TL_SYS_FILE_MODE, ctx);
    if (err != TL_OK) {
        (void)unlink(path); /* the caller is told of the first error: nothing was made */
    }
    return err;
}

/* Both files of a part; whole may be empty: then only the public one. */
static tl_err write_part(const tl_wallet *wallet, tl_wallet_part part, tl_bytes whole, tl_str pub,
                         bool may_overwrite, tl_errctx *ctx)
{
    const char *path = tl_wallet_path(wallet, part);
    const char *pub_path = tl_wallet_pub_path(wallet, part);
    int fd = -1;
    TL_TRY(lock_folder(&fd, wallet, part, ctx));
    tl_err err = whole.len > 0 ? refuse_existing(path, may_overwrite, ctx) : TL_OK;
    if (err == TL_OK) {
        err = refuse_existing(pub_path, may_overwrite, ctx);
    }
    if (err == TL_OK) {
        err = write_both(path, whole, pub_path, tl_str_bytes(pub), ctx);
    }
    (void)close(fd);
    return err;
}

static tl_err encode_whole(tl_bytes *out, tl_arena *arena, const tl_keypair *keypair,
                           tl_str password, const tl_entropy *entropy, tl_errctx *ctx)
{
    tl_str plain = {NULL, 0};
    TL_TRY(tl_keyfile_encode(&plain, arena, keypair, ctx));
    if (password.ptr == NULL) {
        *out = tl_str_bytes(plain);
        return TL_OK;
    }
    return tl_keyfile_encrypt(out, arena, plain, password, entropy, ctx);
}

tl_err tl_wallet_save(const tl_wallet *wallet, tl_wallet_part part, const tl_keypair *keypair,
                      tl_str password, bool may_overwrite, const tl_entropy *entropy,
                      tl_errctx *ctx)
{
    tl_arena *secrets = NULL;
    tl_bytes whole = {NULL, 0};
    tl_str pub = {NULL, 0};
    TL_TRY(refuse_existing(tl_wallet_path(wallet, part), may_overwrite, ctx)); /* before it costs */
    TL_TRY(tl_wallet_arena_new(&secrets, ctx));
    tl_err err = encode_whole(&whole, secrets, keypair, password, entropy, ctx);
    if (err == TL_OK) {
        err = tl_keyfile_encode_public(&pub, secrets, keypair, ctx);
    }
    if (err == TL_OK && password.ptr != NULL) {
        err = tl_sys_check_interrupt(ctx); /* seconds went by since the caller looked */
    }
    if (err == TL_OK) {
        err = write_part(wallet, part, whole, pub, may_overwrite, ctx);
    }
    tl_arena_free(secrets);
    return err;
}

tl_err tl_wallet_save_public(const tl_wallet *wallet, tl_wallet_part part,
                             const tl_keypair *keypair, bool may_overwrite, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_str pub = {NULL, 0};
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_keyfile_encode_public(&pub, arena, keypair, ctx);
    if (err == TL_OK) {
        err = write_part(wallet, part, (tl_bytes){NULL, 0}, pub, may_overwrite, ctx);
    }
    tl_arena_free(arena);
    return err;
}

tl_err tl_wallet_replace(const char *path, tl_bytes file, tl_errctx *ctx)
{
    if (!tl_sys_exists(path)) {
        return tl_fail_field(ctx, TL_ERR_NOT_FOUND, path, "there is no \"%s\"", path);
    }
    return tl_sys_write_file(path, file, TL_SYS_FILE_MODE, ctx);
}
