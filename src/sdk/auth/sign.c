/* The signing side: what the families' sign functions share. */
#include "sdk/auth/auth_internal.h"

#include <string.h>

#include "core/codec/hex/hex.h"

/* What goes into a header or a line of a payload must not end it. */
static tl_err check_visible(tl_str text, const char *field, bool takes_spaces, tl_errctx *ctx)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if ((c >= 0 && c < (takes_spaces ? 0x20 : 0x21)) || c == 0x7f) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, field, "character %zu is no visible one", i);
        }
    }
    return TL_OK;
}

tl_err tl_auth_sign(tl_http_headers *out, tl_arena *arena, const tl_auth_family *family,
                    const tl_keypair *pair, const tl_auth_outgoing *what, const tl_entropy *entropy,
                    tl_errctx *ctx)
{
    if (!tl_keypair_can_sign(pair)) {
        return tl_fail(ctx, TL_ERR_REFUSED, "this key is a public one: it cannot sign");
    }
    const tl_scheme *scheme = tl_keypair_scheme(pair);
    if (family->id != TL_AUTH_BTAUTH && scheme != tl_scheme_sr25519()) {
        return tl_fail(ctx, TL_ERR_REFUSED, "%.*s is signed with sr25519 keys, this one is %s",
                       TL_STR_ARG(family->name), scheme->name);
    }
    TL_TRY(check_visible(what->method, "method", false, ctx));
    TL_TRY(check_visible(what->target, "target", true, ctx));
    TL_TRY(check_visible(what->receiver, "receiver", false, ctx));
    TL_TRY(check_visible(what->uuid, "uuid", true, ctx));
    TL_TRY(check_visible(what->body_hash, "body_hash", true, ctx));
    return family->steps->sign(out, arena, pair, what, entropy, ctx);
}

tl_err tl__auth_signature_text(tl_str *out, tl_arena *arena, const tl_keypair *pair,
                               tl_bytes message, const tl_entropy *entropy, tl_errctx *ctx)
{
    const size_t cap = tl_keypair_scheme(pair)->signature_len_max;
    uint8_t *signature = TL_NEW(arena, uint8_t, cap);
    if (signature == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t len;
    TL_TRY(tl_keypair_sign(signature, cap, &len, pair, message, entropy, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "0x");
    tl_hex_encode(&sb, signature, len);
    return tl_sb_finish(out, &sb, ctx);
}

void tl__auth_put(tl__auth_out *out, const char *name, tl_str value)
{
    TL_ASSERT(out->count < TL__AUTH_OUT_MAX);
    out->at[out->count++] = (tl_http_header){tl_str_from_cstr(name), value};
}

tl_err tl__auth_finish(tl_http_headers *headers, tl_arena *arena, const tl__auth_out *out,
                       tl_errctx *ctx)
{
    tl_http_header *copy = TL_NEW(arena, tl_http_header, out->count);
    if (copy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(copy, out->at, out->count * sizeof *copy);
    *headers = (tl_http_headers){copy, out->count};
    return TL_OK;
}

tl_err tl__auth_own_address(tl_str *out, tl_arena *arena, const tl_keypair *pair, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_hotkey_print(&sb, tl_keypair_public(pair));
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl__auth_figure(tl_str *out, tl_arena *arena, const tl_auth_outgoing *what, int64_t unit,
                       tl_errctx *ctx)
{
    if (what->nonce.len > 0) {
        int64_t value;
        if (!tl__auth_decimal(&value, what->nonce)) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "nonce",
                                 "no decimal integer of at most %d digits", TL__AUTH_DIGITS_MAX);
        }
        *out = what->nonce;
        return TL_OK;
    }
    if (what->now_ns < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "nonce", "the clock stands before 1970");
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_i64(&sb, what->now_ns / unit);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_auth_sign_v10_answer(tl_str *out, tl_arena *arena, const tl_keypair *pair, tl_str nonce,
                               tl_str dendrite_hotkey, tl_str axon_hotkey, tl_str uuid,
                               const tl_entropy *entropy, tl_errctx *ctx)
{
    const tl_str parts[] = {nonce, dendrite_hotkey, axon_hotkey, uuid};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (i > 0) {
            tl_sb_put_char(&sb, '.');
        }
        tl_sb_put(&sb, parts[i].len > 0 ? parts[i] : TL_STR("None"));
    }
    tl_str text;
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    return tl__auth_signature_text(out, arena, pair, tl_str_bytes(text), entropy, ctx);
}

tl_err tl_auth_uuid4(char out[TL_AUTH_UUID_CAP], const tl_entropy *entropy, tl_errctx *ctx)
{
    uint8_t b[16];
    TL_TRY(tl_entropy_fill(entropy, b, sizeof b, ctx));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    static const uint8_t lens[] = {4, 2, 2, 2, 6};
    size_t at = 0;
    size_t from = 0;
    for (size_t i = 0; i < sizeof lens; i++) {
        if (i > 0) {
            out[at++] = '-';
        }
        tl_hex_write(out + at, b + from, lens[i]);
        at += 2U * lens[i];
        from += lens[i];
    }
    TL_ASSERT(at == TL_AUTH_UUID_CAP - 1);
    return TL_OK;
}
