/* Tokens: JWT (RFC 7519) with HMAC-SHA-256 alone. The header is read only to be refused when it asks for anything else: what
 * verifies is chosen here, never by whoever sends the token (ACCESS-1). */
#include <sodium.h>
#include <string.h>

#include "app/access/access_internal.h"
#include "base/json/json.h"
#include "core/codec/base64/base64.h"
#include "core/codec/hex/hex.h"

#define HEADER TL_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")
#define ISSUER "tally"

enum { JTI_LEN = 16, SUBJECT_MAX = 100, ARENA_LEN = 1 << 20 };

/* --- base64url --- */

void tl__base64url_put(tl_sb *sb, const void *bytes, size_t len)
{
    tl_sb plain;
    tl_str text = {NULL, 0};
    tl_sb_init(&plain, sb->arena);
    tl_base64_encode(&plain, bytes, len);
    if (tl_sb_finish(&text, &plain, NULL) != TL_OK) {
        sb->err = TL_ERR_NOMEM;
        return;
    }
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        const char c = text.ptr[i];
        tl_sb_put_char(sb, c == '+' ? '-' : c == '/' ? '_' : c);
    }
}

tl_err tl__base64url_decode(tl_bytes *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    tl_sb plain;
    tl_str padded;
    tl_sb_init(&plain, arena);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c == '+' || c == '/' || c == '=') {
            return tl_fail(ctx, TL_ERR_SYNTAX, "a character of another alphabet");
        }
        tl_sb_put_char(&plain, c == '-' ? '+' : c == '_' ? '/' : c);
    }
    tl_sb_put_repeat(&plain, '=', (4 - text.len % 4) % 4);
    TL_TRY(tl_sb_finish(&padded, &plain, ctx));
    return tl_base64_decode(out, arena, padded, ctx);
}

static void sign(uint8_t out[crypto_auth_hmacsha256_BYTES], const tl_access *access, tl_str text)
{
    crypto_auth_hmacsha256(out, (const unsigned char *)text.ptr, text.len, access->secret);
}
_Static_assert(crypto_auth_hmacsha256_KEYBYTES == TL__ACCESS_SECRET_LEN, "one length of keys");

/* --- making --- */

static void put_claims(tl_sb *sb, tl_str subject, tl_api_role role, int64_t now_s,
                       int64_t expires_s, const char *jti)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "iss");
    tl_json_put_cstr(&w, ISSUER);
    tl_json_put_key(&w, "sub");
    tl_json_put_str(&w, subject);
    tl_json_put_key(&w, "role");
    tl_json_put_cstr(&w, tl_access_role_name(role));
    tl_json_put_key(&w, "iat");
    tl_json_put_i64(&w, now_s);
    tl_json_put_key(&w, "nbf");
    tl_json_put_i64(&w, now_s);
    tl_json_put_key(&w, "exp");
    tl_json_put_i64(&w, expires_s);
    tl_json_put_key(&w, "jti");
    tl_json_put_cstr(&w, jti);
    tl_json_put_end(&w);
}

tl_err tl_access_make_token(const tl_access *access, tl_str *out, int64_t *expires_s, char jti[33],
                            tl_arena *arena, tl_api_role role, int64_t ttl_s, tl_str subject,
                            tl_errctx *ctx)
{
    TL_ASSERT(role != TL_API_ROLE_NONE);
    if (ttl_s < 1 || ttl_s > TL_ACCESS_TOKEN_S_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "ttl", "%lld seconds, not 1 to %lld",
                             (long long)ttl_s, (long long)TL_ACCESS_TOKEN_S_MAX);
    }
    if (subject.len > SUBJECT_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "subject", "more than %d bytes", SUBJECT_MAX);
    }
    uint8_t random[JTI_LEN];
    TL_TRY(tl_entropy_fill(&access->entropy, random, sizeof random, ctx));
    tl_hex_write(jti, random, sizeof random);
    const int64_t now_s = tl__access_now_ms(access) / 1000;
    tl_sb claims;
    tl_str text;
    tl_sb_init(&claims, arena);
    put_claims(&claims, subject, role, now_s, now_s + ttl_s, jti);
    TL_TRY(tl_sb_finish(&text, &claims, ctx));
    tl_sb token;
    tl_str signed_part;
    tl_sb_init(&token, arena);
    tl__base64url_put(&token, HEADER.ptr, HEADER.len);
    tl_sb_put_char(&token, '.');
    tl__base64url_put(&token, text.ptr, text.len);
    TL_TRY(tl_sb_finish(&signed_part, &token, ctx));
    uint8_t tag[crypto_auth_hmacsha256_BYTES];
    sign(tag, access, signed_part);
    tl_sb_put_char(&token, '.');
    tl__base64url_put(&token, tag, sizeof tag);
    TL_TRY(tl_sb_finish(out, &token, ctx));
    *expires_s = now_s + ttl_s;
    return TL_OK;
}

/* --- checking --- */

static tl_err refuse(tl_errctx *ctx, const char *why)
{
    return tl_fail(ctx, TL_ERR_REFUSED, "%s", why);
}

static tl_err parse_part(const tl_json **out, tl_arena *arena, tl_str part, tl_errctx *ctx)
{
    tl_bytes bytes;
    if (tl__base64url_decode(&bytes, arena, part, NULL) != TL_OK ||
        tl_json_parse(out, arena, (tl_str){(const char *)bytes.ptr, bytes.len}, NULL, NULL) !=
            TL_OK ||
        (*out)->kind != TL_JSON_OBJECT) {
        return refuse(ctx, "a part of the token is no JSON object in base64url");
    }
    return TL_OK;
}

static bool is_text(const tl_json *object, const char *key, const char *wanted)
{
    const tl_json *value = tl_json_get(object, key);
    return value != NULL && value->kind == TL_JSON_STRING && tl_str_eq_cstr(value->text, wanted);
}

/* ACCESS-1; and nothing critical that is not understood (RFC 7515, section 4.1.11). */
static tl_err check_header(const tl_json *header, tl_errctx *ctx)
{
    if (!is_text(header, "alg", "HS256")) {
        return refuse(ctx, "the token is not signed by HS256");
    }
    if (tl_json_get(header, "crit") != NULL) {
        return refuse(ctx, "the token asks for an extension");
    }
    const tl_json *type = tl_json_get(header, "typ");
    return type == NULL || is_text(header, "typ", "JWT") ? TL_OK
                                                         : refuse(ctx, "the token is no JWT");
}

static tl_err check_times(const tl_json *claims, int64_t now_s, tl_errctx *ctx)
{
    int64_t expires_s;
    int64_t from_s;
    int64_t made_s;
    if (tl_json_want_i64(&expires_s, claims, "exp", NULL) != TL_OK ||
        tl_json_want_i64(&from_s, claims, "nbf", NULL) != TL_OK ||
        tl_json_want_i64(&made_s, claims, "iat", NULL) != TL_OK) {
        return refuse(ctx, "the token lacks one of exp, nbf and iat"); /* ACCESS-2 */
    }
    if (now_s - TL_ACCESS_SKEW_S >= expires_s) {
        return refuse(ctx, "the token has expired");
    }
    if (from_s > now_s + TL_ACCESS_SKEW_S || made_s > now_s + TL_ACCESS_SKEW_S) {
        return refuse(ctx, "the token is of the future");
    }
    return TL_OK;
}

static tl_err read_claims(tl_api_caller *out, const tl_json *claims, int64_t now_s, tl_errctx *ctx)
{
    TL_TRY(check_times(claims, now_s, ctx));
    tl_str role_name;
    tl_str jti;
    tl_api_role role;
    if (!is_text(claims, "iss", ISSUER) ||
        tl_json_want_str(&role_name, claims, "role", NULL) != TL_OK ||
        !tl_access_role_parse(&role, role_name) ||
        tl_json_want_str(&jti, claims, "jti", NULL) != TL_OK || jti.len != 2 * JTI_LEN) {
        return refuse(ctx, "the token has no role of ours");
    }
    out->role = role;
    tl_str_print(out->subject, sizeof out->subject, "token:%.*s", TL_STR_ARG(jti));
    return TL_OK;
}

static tl_err check(const tl_access *access, tl_api_caller *out, tl_arena *arena, tl_str token,
                    tl_errctx *ctx)
{
    tl_str rest = token;
    tl_str parts[3];
    size_t count = 0;
    for (tl_str part; tl_str_split(&part, &rest, '.'); count++) {
        if (count == 3) {
            return refuse(ctx, "the token has more than three parts");
        }
        parts[count] = part;
    }
    if (count != 3) {
        return refuse(ctx, "the token has fewer than three parts");
    }
    tl_bytes tag;
    uint8_t own[crypto_auth_hmacsha256_BYTES];
    sign(own, access, tl_str_slice(token, 0, parts[0].len + 1 + parts[1].len));
    if (tl__base64url_decode(&tag, arena, parts[2], NULL) != TL_OK || tag.len != sizeof own ||
        sodium_memcmp(tag.ptr, own, sizeof own) != 0) {
        return refuse(ctx, "the token's signature does not hold");
    }
    const tl_json *header;
    const tl_json *claims;
    TL_TRY(parse_part(&header, arena, parts[0], ctx));
    TL_TRY(check_header(header, ctx));
    TL_TRY(parse_part(&claims, arena, parts[1], ctx));
    return read_claims(out, claims, tl__access_now_ms(access) / 1000, ctx);
}

tl_err tl_access_check_token(const tl_access *access, tl_api_caller *out, tl_str token,
                             tl_errctx *ctx)
{
    if (token.len == 0 || token.len > TL_ACCESS_TOKEN_LEN_MAX) {
        return refuse(ctx, "the token is empty or too long");
    }
    tl_arena *arena;
    TL_TRY(tl_arena_new(&arena, NULL, ARENA_LEN, NULL, ctx));
    const tl_err err = check(access, out, arena, token, ctx);
    tl_arena_free(arena);
    return err;
}
