/* URLs that lend one object for a while.
 *
 *      folder   PUBLIC/objects/KEY?expires=SECONDS&signature=HEX
 *               HEX = HMAC-SHA-256 under the sign file's key, of "tally-object/1 \n METHOD \n KEY \n SECONDS"
 *      S3       SigV4 in the query (s3.c)
 */
#include <string.h>

#include "base/json/json.h"
#include "core/codec/base64/base64.h"
#include "core/codec/hex/hex.h"
#include "io/objects/objects_internal.h"

static tl_err sign_url(char out[65], const tl_objects *store, tl_arena *arena, tl_str method,
                       tl_str key, uint64_t expires_s, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "tally-object/1\n%.*s\n%.*s\n%llu", TL_STR_ARG(method), TL_STR_ARG(key),
                 (unsigned long long)expires_s);
    tl_str text;
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_hash32 mac;
    TL_TRY(tl_hmac_sha256(&mac, (tl_bytes){store->sign_key, sizeof store->sign_key},
                          tl_str_bytes(text), ctx));
    tl_hex_write(out, mac.b, sizeof mac.b);
    tl_wipe(&mac, sizeof mac);
    return TL_OK;
}

static tl_err check_lending(const tl_objects *store, uint32_t expires_s, tl_errctx *ctx)
{
    if (store->is_folder && !store->has_sign_key) {
        return tl_fail_field(ctx, TL_ERR_STATE, "sign_file",
                             "this folder of objects signs no URLs");
    }
    if (expires_s == 0 || expires_s > TL_OBJECTS_EXPIRES_MAX_S) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "expires_s", "%u seconds, not 1 to %d", expires_s,
                             TL_OBJECTS_EXPIRES_MAX_S);
    }
    return TL_OK;
}

/* Kept objects are nobody's to write (OBJ-3). */
static tl_err check_writable(tl_str key, tl_errctx *ctx)
{
    if (tl_str_starts_with(key, TL_STR(TL_OBJECTS_KEPT_PREFIX)) ||
        tl_str_starts_with(TL_STR(TL_OBJECTS_KEPT_PREFIX), key)) {
        return tl__objects_fail(ctx, TL_ERR_REFUSED, key, "\"%.*s\" may not be written by others",
                                TL_STR_ARG(key));
    }
    return TL_OK;
}

tl_err tl_objects_presign(tl_objects *store, tl_str *out, tl_arena *arena, tl_objects_method method,
                          tl_str key, uint32_t expires_s, tl_errctx *ctx)
{
    const tl_str verb = method == TL_OBJECTS_GET ? TL_STR("GET") : TL_STR("PUT");
    TL_TRY(tl_objects_check_key(key, ctx));
    TL_TRY(check_lending(store, expires_s, ctx));
    if (method == TL_OBJECTS_PUT) {
        TL_TRY(check_writable(key, ctx));
    }
    if (!store->is_folder) {
        return tl__s3_presign(store, out, arena, verb, key, expires_s, ctx);
    }
    char signature[65];
    const uint64_t until = (uint64_t)tl__objects_now_s(store) + expires_s;
    TL_TRY(sign_url(signature, store, arena, verb, key, until, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, store->public_url);
    tl_sb_put_cstr(&sb, TL__URL_PATH "/");
    tl_sigv4_encode(&sb, key, true);
    tl_sb_printf(&sb, "?expires=%llu&signature=%s", (unsigned long long)until, signature);
    return tl_sb_finish(out, &sb, ctx);
}

/* expires=…&signature=…, in either order, each once, nothing else. */
static tl_err parse_query(uint64_t *expires_s, tl_str *signature, tl_str query, tl_errctx *ctx)
{
    bool has_expires = false;
    bool has_signature = false;
    tl_str rest = query;
    tl_str pair;
    while (query.len > 0 && tl_str_split(&pair, &rest, '&')) {
        const size_t equals = tl_str_find(pair, '=');
        const tl_str name = tl_str_slice(pair, 0, equals);
        const tl_str value = tl_str_slice(pair, equals + 1, pair.len);
        if (tl_str_eq(name, TL_STR("expires")) && !has_expires) {
            has_expires = true;
            if (!tl_str_parse_u64(expires_s, value)) {
                return tl_fail_field(ctx, TL_ERR_SYNTAX, "expires",
                                     "expires is no number of seconds");
            }
        } else if (tl_str_eq(name, TL_STR("signature")) && !has_signature) {
            has_signature = true;
            *signature = value;
        } else {
            return tl_fail_field(
                ctx, TL_ERR_SYNTAX, "path",
                "the query of an object's URL is expires and signature, each once");
        }
    }
    if (!has_signature || !has_expires) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, has_signature ? "expires" : "signature",
                             "the URL of an object has no %s",
                             has_signature ? "expires" : "signature");
    }
    return TL_OK;
}

tl_err tl_objects_check_url(tl_objects *store, tl_str *out_key, tl_arena *arena, tl_str method,
                            tl_str path, tl_str query, tl_errctx *ctx)
{
    tl_str key;
    tl_str signature = {0};
    uint64_t expires_s = 0;
    TL_TRY(check_lending(store, 1, ctx));
    if (!tl_str_starts_with(path, TL_STR(TL__URL_PATH "/"))) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "path", "no path of an object");
    }
    const tl_str encoded = tl_str_slice(path, sizeof TL__URL_PATH, path.len);
    if (tl_sigv4_decode(&key, arena, encoded, ctx) != TL_OK ||
        tl_objects_check_key(key, ctx) != TL_OK) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "path", "the path names no object");
    }
    TL_TRY(parse_query(&expires_s, &signature, query, ctx));
    const tl_str verb = tl_str_eq(method, TL_STR("HEAD")) ? TL_STR("GET") : method;
    if (!tl_str_eq(verb, TL_STR("GET")) && !tl_str_eq(verb, TL_STR("PUT"))) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "method",
                             "a URL of an object is for GET, HEAD or PUT");
    }
    char want[65];
    TL_TRY(sign_url(want, store, arena, verb, key, expires_s, ctx));
    if (!tl_sigv4_same(tl_str_from_cstr(want), signature)) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "signature", "the URL's signature does not hold");
    }
    /* Signed, and so ours: only now is its time worth a word. */
    if (expires_s < (uint64_t)tl__objects_now_s(store)) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "expires", "the URL has expired");
    }
    *out_key = key;
    return TL_OK;
}

/* --- forms: what is signed is made here, what comes back is judged in post.c --- */

static tl_err write_policy(tl_str *out, const tl_objects *store, tl_arena *arena,
                           const tl_objects_post_rule *rule, tl_str credential, const char *time,
                           int64_t until_ns, tl_errctx *ctx)
{
    char expiration[TL_TIME_TEXT_CAP];
    tl_time_text(expiration, until_ns);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "expiration");
    tl_json_put_cstr(&w, expiration);
    tl_json_put_key(&w, "conditions");
    tl_json_put_array(&w);
    const struct {
        const char *name;
        tl_str value;
    } exact[] = {{"bucket", tl__objects_bucket(store)},
                 {"x-amz-algorithm", TL_STR("AWS4-HMAC-SHA256")},
                 {"x-amz-credential", credential},
                 {"x-amz-date", tl_str_from_cstr(time)}};
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        tl_json_put_object(&w);
        tl_json_put_key(&w, exact[i].name);
        tl_json_put_str(&w, exact[i].value);
        tl_json_put_end(&w);
    }
    tl_json_put_array(&w);
    tl_json_put_cstr(&w, "starts-with");
    tl_json_put_cstr(&w, "$key");
    tl_json_put_str(&w, rule->prefix);
    tl_json_put_end(&w);
    tl_json_put_array(&w);
    tl_json_put_cstr(&w, "content-length-range");
    tl_json_put_u64(&w, rule->len_min);
    tl_json_put_u64(&w, rule->len_max);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_str json;
    TL_TRY(tl_sb_finish(&json, &sb, ctx));
    tl_sb encoded;
    tl_sb_init(&encoded, arena);
    tl_base64_encode(&encoded, json.ptr, json.len);
    return tl_sb_finish(out, &encoded, ctx);
}

static tl_err post_url(tl_str *out, const tl_objects *store, tl_arena *arena, tl_errctx *ctx)
{
    if (!store->is_folder) {
        return tl__s3_url(store, out, arena, ctx);
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, store->public_url);
    tl_sb_put_cstr(&sb, TL__URL_PATH);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_objects_presign_post(tl_objects *store, tl_objects_post *out, tl_arena *arena,
                               const tl_objects_post_rule *rule, tl_errctx *ctx)
{
    const tl_str prefix = rule->prefix;
    if (!tl_str_ends_with(prefix, TL_STR("/"))) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "prefix", "a form's prefix ends with '/'");
    }
    TL_TRY(tl_objects_check_key(tl_str_slice(prefix, 0, prefix.len - 1), ctx));
    TL_TRY(check_writable(prefix, ctx));
    TL_TRY(check_lending(store, rule->expires_s, ctx));
    if (rule->len_min > rule->len_max) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "len_min", "a form for %llu to %llu bytes",
                             (unsigned long long)rule->len_min, (unsigned long long)rule->len_max);
    }
    const int64_t now_s = tl__objects_now_s(store);
    const int64_t until_ns = (now_s + rule->expires_s) * 1000000000;
    char time[TL_SIGV4_TIME_CAP];
    char signature[TL_SIGV4_SIGNATURE_LEN + 1];
    tl_str credential;
    tl_str policy;
    tl_sigv4_time(time, now_s);
    TL_TRY(tl_sigv4_credential(&credential, arena, &store->keys, now_s, ctx));
    TL_TRY(write_policy(&policy, store, arena, rule, credential, time, until_ns, ctx));
    TL_TRY(tl_sigv4_sign_policy(signature, &store->keys, policy, now_s, ctx));
    tl_objects_post post = {.expires_ms = until_ns / 1000000};
    TL_TRY(post_url(&post.url, store, arena, ctx));
    tl_sb key;
    tl_sb_init(&key, arena);
    tl_sb_put(&key, prefix);
    tl_sb_put_cstr(&key, "${filename}");
    const struct {
        const char *name;
        tl_str value;
    } texts[] = {{"policy", policy},
                 {"x-amz-algorithm", TL_STR("AWS4-HMAC-SHA256")},
                 {"x-amz-credential", credential},
                 {"x-amz-date", tl_str_from_cstr(time)},
                 {"x-amz-signature", tl_str_from_cstr(signature)}};
    post.fields[0].name = TL_STR("key");
    TL_TRY(tl_sb_finish(&post.fields[0].value, &key, ctx));
    post.count = 1;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        TL_ASSERT(post.count < TL_OBJECTS_POST_FIELDS);
        tl_objects_field *field = &post.fields[post.count++];
        field->name = tl_str_from_cstr(texts[i].name);
        TL_TRY(tl_str_copy(&field->value, arena, texts[i].value, ctx));
    }
    *out = post;
    return TL_OK;
}
