/* What lies in a folder of wallets, told without a password. A broken file is a line of the list, not its end. */
#include "sdk/wallet/wallet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/sys/sys.h"
#include "sdk/wallet/wallet_internal.h"

/* --- the order of names --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Two runs of digits by value; both pointers go behind them. */
static int number_cmp(const char **a, const char **b)
{
    while (**a == '0') {
        (*a)++;
    }
    while (**b == '0') {
        (*b)++;
    }
    size_t a_len = 0;
    size_t b_len = 0;
    while (is_digit((*a)[a_len])) {
        a_len++;
    }
    while (is_digit((*b)[b_len])) {
        b_len++;
    }
    const int order = a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(*a, *b, a_len);
    *a += a_len;
    *b += b_len;
    return order;
}

int tl__name_cmp(const char *a, const char *b)
{
    const char *x = a;
    const char *y = b;
    while (*x != '\0' && *y != '\0') {
        int order;
        if (is_digit(*x) && is_digit(*y)) {
            order = number_cmp(&x, &y);
        } else {
            order = (int)(unsigned char)fold(*x) - (int)(unsigned char)fold(*y);
            x++;
            y++;
        }
        if (order != 0) {
            return order;
        }
    }
    const int rest = (*x != '\0') - (*y != '\0');
    return rest != 0 ? rest : strcmp(a, b);
}

static int by_name(const void *a, const void *b)
{
    return tl__name_cmp(*(const char *const *)a, *(const char *const *)b);
}

/* --- one key --- */

static tl_err copy_problem(tl_wallet_key_info *out, tl_arena *arena, const char *path,
                           const tl_errctx *why, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    if (strstr(why->message, path) == NULL) {
        tl_sb_printf(&sb, "\"%s\": ", path);
    }
    tl_sb_put_cstr(&sb, why->message);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    out->problem = text.ptr;
    return TL_OK;
}

static bool stops_the_list(tl_err err)
{
    return err == TL_ERR_NOMEM || err == TL_ERR_INTERRUPTED;
}

/* The public part of a file. */
static tl_err read_public(tl_wallet_key_info *out, tl_str file, tl_errctx *why)
{
    tl_keypair *pair = NULL;
    TL_TRY(tl_keyfile_decode(&pair, tl_str_bytes(file), why));
    out->scheme = tl_keypair_scheme(pair);
    out->public_key = *tl_keypair_public(pair);
    out->is_known = true;
    tl_keypair_free(pair);
    return TL_OK;
}

static bool is_of_mode(const char *path, mode_t kind)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* A pipe that lies there under a key's name would hold up whoever opens it. */
static tl_err read_key_file(tl_str *out, tl_arena *secrets, const char *path, tl_errctx *why)
{
    if (tl_sys_exists(path) && !is_of_mode(path, S_IFREG)) {
        return tl_fail_field(why, TL_ERR_TYPE, path, "\"%s\" is no regular file", path);
    }
    return tl_sys_read_file(out, secrets, path, TL_KEYFILE_LEN_MAX, why);
}

/* The whole key's file; an encrypted one is left to the public file. */
static tl_err look_at_whole(tl_wallet_key_info *out, tl_arena *secrets, const char *path,
                            tl_errctx *why)
{
    tl_str file = {NULL, 0};
    TL_TRY(read_key_file(&file, secrets, path, why));
    out->path = path;
    out->is_encrypted = tl_keyfile_kind_of(tl_str_bytes(file)) != TL_KEYFILE_PLAIN;
    return out->is_encrypted ? TL_OK : read_public(out, file, why);
}

/* The public file: it tells the key where the whole one does not, and must not tell another one. */
static tl_err look_at_public(tl_wallet_key_info *out, tl_arena *secrets, const char *pub_path,
                             tl_errctx *why)
{
    tl_str file = {NULL, 0};
    tl_wallet_key_info pub = *out;
    const tl_err err = read_key_file(&file, secrets, pub_path, why);
    if (err == TL_ERR_NOT_FOUND && out->is_known) {
        tl_errctx_reset(why); /* older releases wrote none */
        return TL_OK;
    }
    TL_TRY(err);
    TL_TRY(read_public(&pub, file, why));
    if (out->is_known &&
        (!tl_hotkey_eq(&out->public_key, &pub.public_key) || out->scheme != pub.scheme)) {
        return tl_fail_field(why, TL_ERR_CORRUPT, pub_path,
                             "\"%s\" is the public file of another key", pub_path);
    }
    *out = pub;
    return TL_OK;
}

tl_err tl_wallet_look(tl_wallet_key_info *out, tl_arena *arena, const char *name, const char *path,
                      const char *pub_path, tl_errctx *ctx)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_errctx pub_why = TL_ERRCTX_INIT;
    tl_arena *secrets = NULL;
    *out = (tl_wallet_key_info){.name = name};
    TL_TRY(tl_wallet_arena_new(&secrets, ctx));
    const tl_err err = look_at_whole(out, secrets, path, &why);
    const tl_err pub_err =
        stops_the_list(err) ? err : look_at_public(out, secrets, pub_path, &pub_why);
    tl_arena_free(secrets);
    if (stops_the_list(pub_err)) {
        return tl_fail(ctx, pub_err, "%s", err == pub_err ? why.message : pub_why.message);
    }
    if (err != TL_OK && err != TL_ERR_NOT_FOUND) {
        return copy_problem(out, arena, path, &why, ctx);
    }
    return pub_err == TL_OK ? TL_OK : copy_problem(out, arena, pub_path, &pub_why, ctx);
}

/* --- folders --- */

/* A temporary file of ours: its name, ".part-" and six characters. */
static bool is_part(tl_str name)
{
    enum { RANDOM_LEN = 6 };
    const tl_str mark = TL_STR(".part-");
    return name.len > mark.len + RANDOM_LEN &&
           tl_str_ends_with(tl_str_slice(name, 0, name.len - RANDOM_LEN), mark);
}

/* The names in a folder that are those of keys or wallets, in their order; a folder that is not there has none. */
static tl_err list_names(const char *const **out, size_t *count, tl_arena *arena, const char *dir,
                         mode_t kind, tl_errctx *ctx)
{
    const char *const *found = NULL;
    size_t found_count = 0;
    *out = NULL;
    *count = 0;
    const tl_err err = tl_sys_list_dir(&found, &found_count, arena, dir, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    if (found_count > TL_WALLET_COUNT_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, dir, "\"%s\" has more than %d entries", dir,
                             TL_WALLET_COUNT_MAX);
    }
    const char **names = TL_NEW(arena, const char *, found_count);
    if (names == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t kept = 0;
    for (size_t i = 0; i < found_count; i++) {
        const char *path;
        TL_TRY(tl_sys_join(&path, arena, dir, found[i], ctx));
        if (tl_wallet_name_check(found[i], "name", NULL) == TL_OK &&
            !is_part(tl_str_from_cstr(found[i])) && is_of_mode(path, kind)) {
            names[kept++] = found[i];
        }
    }
    qsort(names, kept, sizeof *names, by_name);
    *out = names;
    *count = kept;
    return TL_OK;
}

static tl_err list_hotkeys(tl_wallet_info *out, tl_arena *arena, const tl_wallet *wallet,
                           tl_errctx *ctx)
{
    const char *const *names;
    TL_TRY(list_names(&names, &out->hotkey_count, arena, wallet->hotkey_dir, S_IFREG, ctx));
    tl_wallet_key_info *keys = TL_NEW(arena, tl_wallet_key_info, out->hotkey_count);
    if (keys == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < out->hotkey_count; i++) {
        tl_wallet one;
        TL_TRY(tl_wallet_init(&one, arena, wallet->root, wallet->name, names[i], ctx));
        TL_TRY(
            tl_wallet_look(&keys[i], arena, names[i], one.hotkey_path, one.hotkey_pub_path, ctx));
    }
    out->hotkeys = keys;
    return TL_OK;
}

tl_err tl_wallet_list(const tl_wallet_info **out, size_t *count, tl_arena *arena, const char *root,
                      tl_errctx *ctx)
{
    const char *const *names;
    size_t name_count = 0;
    if (tl_sys_exists(root) && !is_of_mode(root, S_IFDIR)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, root, "\"%s\" is no folder", root);
    }
    TL_TRY(list_names(&names, &name_count, arena, root, S_IFDIR, ctx));
    tl_wallet_info *wallets = TL_NEW(arena, tl_wallet_info, name_count);
    if (wallets == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < name_count; i++) {
        tl_wallet w;
        wallets[i].name = names[i];
        TL_TRY(tl_wallet_init(&w, arena, root, names[i], NULL, ctx));
        wallets[i].has_coldkey = tl_sys_exists(w.coldkey_path) || tl_sys_exists(w.coldkey_pub_path);
        if (wallets[i].has_coldkey) {
            TL_TRY(tl_wallet_look(&wallets[i].coldkey, arena, "coldkey", w.coldkey_path,
                                  w.coldkey_pub_path, ctx));
        }
        TL_TRY(list_hotkeys(&wallets[i], arena, &w, ctx));
    }
    *out = wallets;
    *count = name_count;
    return TL_OK;
}
