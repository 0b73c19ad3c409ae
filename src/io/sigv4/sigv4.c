/* The canonical request and its signature. */
#include "io/sigv4/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

#define ALGORITHM   "AWS4-HMAC-SHA256"
#define TERMINATION "aws4_request"
enum { DATE_LEN = 8, EXPIRES_MAX_S = 604800 };

/* A header's name in lower case, its value trimmed and with single spaces. */
typedef struct named {
    tl_str name;
    tl_str value;
} named;

static int compare_named(const void *a, const void *b)
{
    const named *x = a;
    const named *y = b;
    const int by_name = tl_str_cmp(x->name, y->name);
    return by_name != 0 ? by_name : tl_str_cmp(x->value, y->value);
}

/* tl_str_cmp puts "a" before "ab", as S3 does: it sorts by code point. */
static tl_err sort_query(named *out, size_t *out_count, tl_str query, tl_errctx *ctx)
{
    size_t count = 0;
    tl_str rest = query;
    tl_str pair;
    while (query.len > 0 && tl_str_split(&pair, &rest, '&')) {
        if (pair.len == 0) {
            continue;
        }
        if (count == TL_SIGV4_QUERY_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "more than %d parameters in a query to sign",
                           TL_SIGV4_QUERY_MAX);
        }
        const size_t equals = tl_str_find(pair, '=');
        out[count++] =
            (named){tl_str_slice(pair, 0, equals), tl_str_slice(pair, equals + 1, pair.len)};
    }
    qsort(out, count, sizeof *out, compare_named);
    *out_count = count;
    return TL_OK;
}

static void put_query(tl_sb *sb, const named *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tl_sb_put_cstr(sb, i > 0 ? "&" : "");
        tl_sb_put(sb, pairs[i].name);
        tl_sb_put_char(sb, '=');
        tl_sb_put(sb, pairs[i].value);
    }
}

static tl_err lower(tl_str *out, tl_arena *arena, tl_str name, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        tl_sb_put_char(&sb, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err squeeze(tl_str *out, tl_arena *arena, tl_str value, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    const tl_str trimmed = tl_str_trim(value);
    for (size_t i = 0; i < trimmed.len; i++) {
        if (trimmed.ptr[i] != ' ' || trimmed.ptr[i - 1] != ' ') { /* trimmed: [0] is no space */
            tl_sb_put_char(&sb, trimmed.ptr[i]);
        }
    }
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err sort_headers(named *out, tl_arena *arena, tl_http_headers headers, tl_errctx *ctx)
{
    if (headers.count > TL_SIGV4_HEADERS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu headers to sign, above %d", headers.count,
                       TL_SIGV4_HEADERS_MAX);
    }
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(lower(&out[i].name, arena, headers.at[i].name, ctx));
        TL_TRY(squeeze(&out[i].value, arena, headers.at[i].value, ctx));
    }
    qsort(out, headers.count, sizeof *out, compare_named);
    for (size_t i = 1; i < headers.count; i++) {
        if (tl_str_eq(out[i].name, out[i - 1].name)) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "two headers \"%.*s\" to sign",
                           TL_STR_ARG(out[i].name));
        }
    }
    return TL_OK;
}

static tl_err signed_names(tl_str *out, tl_arena *arena, const named *headers, size_t count,
                           tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < count; i++) {
        tl_sb_put_cstr(&sb, i > 0 ? ";" : "");
        tl_sb_put(&sb, headers[i].name);
    }
    return tl_sb_finish(out, &sb, ctx);
}

static void put_scope(tl_sb *sb, const tl_sigv4_keys *keys, const char *time)
{
    tl_sb_printf(sb, "%.*s/%.*s/%.*s/" TERMINATION, (int)DATE_LEN, time, TL_STR_ARG(keys->region),
                 TL_STR_ARG(keys->service));
}

tl_err tl_sigv4_credential(tl_str *out, tl_arena *arena, const tl_sigv4_keys *keys, int64_t time_s,
                           tl_errctx *ctx)
{
    char time[TL_SIGV4_TIME_CAP];
    tl_sigv4_time(time, time_s);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, keys->access_key);
    tl_sb_put_char(&sb, '/');
    put_scope(&sb, keys, time);
    return tl_sb_finish(out, &sb, ctx);
}

/* The signature of a text under the key of one day, region and service. */
static tl_err sign_text(char out[TL_SIGV4_SIGNATURE_LEN + 1], const tl_sigv4_keys *keys,
                        const char *time, tl_str text, tl_errctx *ctx)
{
    if (keys->secret_key.len > TL_SIGV4_SECRET_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "the secret key is above %d bytes",
                       TL_SIGV4_SECRET_LEN_MAX);
    }
    uint8_t first[4 + TL_SIGV4_SECRET_LEN_MAX] = "AWS4";
    if (keys->secret_key.len > 0) {
        memcpy(first + 4, keys->secret_key.ptr, keys->secret_key.len);
    }
    const tl_str steps[] = {
        {time, DATE_LEN}, keys->region, keys->service, TL_STR(TERMINATION), text};
    tl_hash32 key;
    tl_err err = TL_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && err == TL_OK; i++) {
        const tl_bytes under =
            i == 0 ? (tl_bytes){first, 4 + keys->secret_key.len} : (tl_bytes){key.b, sizeof key.b};
        tl_hash32 next;
        err = tl_hmac_sha256(&next, under, tl_str_bytes(steps[i]), ctx);
        if (err == TL_OK) {
            key = next;
        }
        tl_wipe(&next, sizeof next);
    }
    if (err == TL_OK) {
        tl_hex_write(out, key.b, sizeof key.b);
    }
    tl_wipe(first, sizeof first); /* SIGV4-2 */
    tl_wipe(&key, sizeof key);
    return err;
}

tl_err tl_sigv4_sign_policy(char out[TL_SIGV4_SIGNATURE_LEN + 1], const tl_sigv4_keys *keys,
                            tl_str policy, int64_t time_s, tl_errctx *ctx)
{
    char time[TL_SIGV4_TIME_CAP];
    tl_sigv4_time(time, time_s);
    return sign_text(out, keys, time, policy, ctx);
}

/* What sign() makes besides the signature. */
typedef struct signing {
    char time[TL_SIGV4_TIME_CAP];
    char signature[TL_SIGV4_SIGNATURE_LEN + 1];
    named headers[TL_SIGV4_HEADERS_MAX];
    tl_str names;
} signing;

static tl_err sign(signing *s, tl_arena *arena, const tl_sigv4_keys *keys,
                   const tl_sigv4_request *request, tl_str query, tl_errctx *ctx)
{
    named pairs[TL_SIGV4_QUERY_MAX];
    size_t pair_count;
    TL_TRY(sort_query(pairs, &pair_count, query, ctx)); /* SIGV4-1 */
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, request->method);
    tl_sb_put_char(&sb, '\n');
    tl_sb_put(&sb, request->path);
    tl_sb_put_char(&sb, '\n');
    put_query(&sb, pairs, pair_count);
    tl_sb_put_char(&sb, '\n');
    for (size_t i = 0; i < request->headers.count; i++) {
        tl_sb_put(&sb, s->headers[i].name);
        tl_sb_put_char(&sb, ':');
        tl_sb_put(&sb, s->headers[i].value);
        tl_sb_put_char(&sb, '\n');
    }
    tl_sb_put_char(&sb, '\n');
    tl_sb_put(&sb, s->names);
    tl_sb_put_char(&sb, '\n');
    tl_sb_put(&sb, request->payload_hash);
    tl_str canonical;
    TL_TRY(tl_sb_finish(&canonical, &sb, ctx));
    tl_hash32 digest;
    tl_sha256(&digest, canonical.ptr, canonical.len);
    tl_sb text;
    tl_sb_init(&text, arena);
    tl_sb_printf(&text, ALGORITHM "\n%s\n", s->time);
    put_scope(&text, keys, s->time);
    tl_sb_put_char(&text, '\n');
    tl_hex_encode(&text, digest.b, sizeof digest.b);
    tl_str to_sign;
    TL_TRY(tl_sb_finish(&to_sign, &text, ctx));
    return sign_text(s->signature, keys, s->time, to_sign, ctx);
}

tl_err tl_sigv4_authorize(tl_str *out, tl_arena *arena, const tl_sigv4_keys *keys,
                          const tl_sigv4_request *request, int64_t time_s, tl_errctx *ctx)
{
    signing s;
    tl_sigv4_time(s.time, time_s);
    TL_TRY(sort_headers(s.headers, arena, request->headers, ctx));
    TL_TRY(signed_names(&s.names, arena, s.headers, request->headers.count, ctx));
    TL_TRY(sign(&s, arena, keys, request, request->query, ctx));
    tl_str credential;
    TL_TRY(tl_sigv4_credential(&credential, arena, keys, time_s, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, ALGORITHM " Credential=%.*s, SignedHeaders=%.*s, Signature=%s",
                 TL_STR_ARG(credential), TL_STR_ARG(s.names), s.signature);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_sigv4_presign(tl_str *out_query, tl_arena *arena, const tl_sigv4_keys *keys,
                        const tl_sigv4_request *request, int64_t time_s, uint32_t expires_s,
                        tl_errctx *ctx)
{
    if (expires_s == 0 || expires_s > EXPIRES_MAX_S) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "expires_s", "%u seconds, not 1 to %d", expires_s,
                             (int)EXPIRES_MAX_S);
    }
    signing s;
    tl_sigv4_time(s.time, time_s);
    TL_TRY(sort_headers(s.headers, arena, request->headers, ctx));
    TL_TRY(signed_names(&s.names, arena, s.headers, request->headers.count, ctx));
    tl_str credential;
    TL_TRY(tl_sigv4_credential(&credential, arena, keys, time_s, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, request->query);
    tl_sb_put_cstr(&sb, request->query.len > 0 ? "&" : "");
    tl_sb_put_cstr(&sb, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
    tl_sigv4_encode(&sb, credential, false);
    tl_sb_printf(&sb, "&X-Amz-Date=%s&X-Amz-Expires=%u&X-Amz-SignedHeaders=", s.time, expires_s);
    tl_sigv4_encode(&sb, s.names, false);
    tl_str query;
    TL_TRY(tl_sb_finish(&query, &sb, ctx));
    TL_TRY(sign(&s, arena, keys, request, query, ctx));
    tl_sb_printf(&sb, "&X-Amz-Signature=%s", s.signature);
    return tl_sb_finish(out_query, &sb, ctx);
}
