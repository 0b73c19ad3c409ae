/* Scripts: by their digest, and by their text to a server that does not know them yet. */
#include "io/redis/redis.h"

#include <openssl/sha.h>
#include <string.h>

#include "core/codec/hex/hex.h"

void tl_redis_script_init(tl_redis_script *script, tl_str text)
{
    uint8_t digest[SHA_DIGEST_LENGTH];
    (void)SHA1((const uint8_t *)text.ptr, text.len, digest);
    script->text = text;
    tl_hex_write(script->sha1, digest, sizeof digest);
}

/* The runs as whole commands: first EVALSHA and digest, or EVAL and text. */
static tl_err whole(tl_redis_command *out, tl_arena *arena, const char *name, tl_str script,
                    const tl_redis_command *run, tl_errctx *ctx)
{
    tl_bytes *words = TL_NEW(arena, tl_bytes, run->count + 2);
    if (words == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    words[0] = tl_str_bytes(tl_str_from_cstr(name));
    words[1] = tl_str_bytes(script);
    memcpy(words + 2, run->words, run->count * sizeof *words);
    *out = (tl_redis_command){words, run->count + 2};
    return TL_OK;
}

tl_err tl_redis_run(tl_redis *redis, tl_redis_reply *out, tl_arena *arena,
                    const tl_redis_script *script, const tl_redis_command *runs, size_t count,
                    tl_errctx *ctx)
{
    tl_redis_command *commands = TL_NEW(arena, tl_redis_command, count);
    tl_redis_reply *again = TL_NEW(arena, tl_redis_reply, count);
    if (commands == NULL || again == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        TL_TRY(
            whole(&commands[i], arena, "EVALSHA", tl_str_from_cstr(script->sha1), &runs[i], ctx));
    }
    TL_TRY(tl_redis_call(redis, out, arena, commands, count, ctx));
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++) {
        if (out[i].kind == TL_REDIS_ERROR &&
            tl_str_starts_with(out[i].text, TL_STR("NOSCRIPT"))) { /* it did nothing */
            TL_TRY(whole(&commands[unknown++], arena, "EVAL", script->text, &runs[i], ctx));
        }
    }
    if (unknown == 0) {
        return TL_OK;
    }
    TL_TRY(tl_redis_call(redis, again, arena, commands, unknown, ctx));
    unknown = 0;
    for (size_t i = 0; i < count; i++) {
        if (out[i].kind == TL_REDIS_ERROR && tl_str_starts_with(out[i].text, TL_STR("NOSCRIPT"))) {
            out[i] = again[unknown++];
        }
    }
    return TL_OK;
}
