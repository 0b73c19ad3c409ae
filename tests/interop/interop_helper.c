/* interop_helper: keys by the line, so that a foreign program can have thousands of signatures made and checked without
 * starting a process for each. Reads from standard input, answers each line with one:
 *
 *      public SCHEME SEED               its public key
 *      sign SCHEME SEED MESSAGE         a signature
 *      verify SCHEME PUBLIC MESSAGE SIGNATURE      1 or 0; <Bytes> around the message counts too, as in wallets
 *
 * All but SCHEME is hex; - is no bytes at all. A line that cannot be read is answered with "error" and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/keypair/keypair.h"
#include "io/sys/sys.h"

enum { WORDS_MAX = 5 };

static tl_err bytes_of(tl_bytes *out, tl_arena *arena, const char *word, tl_errctx *ctx)
{
    const tl_str hex = tl_str_from_cstr(strcmp(word, "-") == 0 ? "" : word);
    return tl_hex_decode_bytes(out, arena, hex, ctx);
}

static tl_err pair_of(tl_keypair **out, tl_arena *arena, const tl_scheme *scheme, const char *word,
                      tl_errctx *ctx)
{
    tl_bytes seed = {NULL, 0};
    TL_TRY(bytes_of(&seed, arena, word, ctx));
    if (seed.len != TL_SEED_LEN) {
        return tl_fail(ctx, TL_ERR_RANGE, "the seed has %zu bytes", seed.len);
    }
    return tl_keypair_from_seed(out, scheme, seed.ptr, ctx);
}

static tl_err sign(tl_sb *sb, tl_arena *arena, const tl_keypair *pair, const char *word,
                   tl_errctx *ctx)
{
    const size_t cap = tl_keypair_scheme(pair)->signature_len_max;
    const tl_entropy entropy = tl_sys_entropy();
    uint8_t *signature = TL_NEW(arena, uint8_t, cap);
    tl_bytes message = {NULL, 0};
    size_t len = 0;
    if (signature == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(bytes_of(&message, arena, word, ctx));
    TL_TRY(tl_keypair_sign(signature, cap, &len, pair, message, &entropy, ctx));
    tl_hex_encode(sb, signature, len);
    return TL_OK;
}

static tl_err verify(tl_sb *sb, tl_arena *arena, const tl_scheme *scheme, char *const *words,
                     tl_errctx *ctx)
{
    tl_bytes parts[3];
    for (size_t i = 0; i < 3; i++) {
        TL_TRY(bytes_of(&parts[i], arena, words[i], ctx));
    }
    tl_sb_put_char(sb, tl_scheme_verify_wrapped(scheme, parts[0], parts[1], parts[2], arena) ? '1'
                                                                                             : '0');
    return TL_OK;
}

static tl_err answer(tl_sb *sb, tl_arena *arena, char *const *words, size_t count, tl_errctx *ctx)
{
    const tl_scheme *scheme = count > 1 ? tl_scheme_by_name(tl_str_from_cstr(words[1])) : NULL;
    tl_keypair *pair = NULL;
    if (scheme == NULL) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "no scheme");
    }
    if (strcmp(words[0], "verify") == 0 && count == 5) {
        return verify(sb, arena, scheme, words + 2, ctx);
    }
    const bool is_sign = strcmp(words[0], "sign") == 0 && count == 4;
    if (!is_sign && (strcmp(words[0], "public") != 0 || count != 3)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "unknown line");
    }
    TL_TRY(pair_of(&pair, arena, scheme, words[2], ctx));
    tl_err err = TL_OK;
    if (is_sign) {
        err = sign(sb, arena, pair, words[3], ctx);
    } else {
        tl_hex_encode(sb, tl_keypair_public(pair)->b, sizeof(tl_hotkey));
    }
    tl_keypair_free(pair);
    return err;
}

static bool answer_line(tl_arena *arena, char *line)
{
    char *words[WORDS_MAX];
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " \n", &rest)) {
        words[count++] = word;
    }
    tl_errctx why = TL_ERRCTX_INIT;
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_err err = answer(&sb, arena, words, count, &why);
    if (err == TL_OK) {
        err = tl_sb_finish(&text, &sb, &why);
    }
    return (err == TL_OK ? printf("%.*s\n", TL_STR_ARG(text)) : printf("error %s\n", why.message)) >
           0;
}

int main(void)
{
    tl_arena *arena = NULL;
    char *line = NULL;
    size_t cap = 0;
    bool is_fine = tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK;
    while (is_fine && getline(&line, &cap, stdin) > 0) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        is_fine = answer_line(arena, line);
        tl_arena_rewind(arena, mark);
    }
    free(line);
    tl_arena_free(arena);
    return is_fine && fflush(stdout) == 0 ? 0 : 1;
}
