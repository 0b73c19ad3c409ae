/* A form that comes back to a folder store: S3's rules, held by ourselves.
 *
 *      signature over the policy's base64 ─▶ expiration ─▶ each condition holds ─▶ each field has a condition ─▶ the key
 *
 * Source: "Authenticating Requests: Browser-Based Uploads Using POST (AWS Signature Version 4)" and "POST Policy",
 * Amazon S3 API Reference. */
#include <string.h>

#include "base/json/json.h"
#include "core/codec/base64/base64.h"
#include "io/objects/objects_internal.h"

enum { FORM_FIELDS_MAX = 64, FIELD_NAME_CAP = 96 };

typedef struct form {
    const tl_objects *store;
    const tl_objects_field *fields;
    size_t count;
    bool is_covered[FORM_FIELDS_MAX]; /* by a condition */
    tl_objects_grant *grant;
    bool has_range;
} form;

static bool same_name(tl_str a, tl_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        const char x = a.ptr[i];
        const char y = b.ptr[i];
        const char low_x = x >= 'A' && x <= 'Z' ? (char)(x + 32) : x;
        const char low_y = y >= 'A' && y <= 'Z' ? (char)(y + 32) : y;
        if (low_x != low_y) {
            return false;
        }
    }
    return true;
}

static size_t find_field(const form *f, tl_str name)
{
    size_t at = 0;
    while (at < f->count && !same_name(f->fields[at].name, name)) {
        at++;
    }
    return at;
}

static tl_err refuse(tl_str field, const char *why, tl_errctx *ctx)
{
    char name[FIELD_NAME_CAP];
    (void)tl_str_print(name, sizeof name, "%.*s", TL_STR_ARG(field));
    return tl_fail_field(ctx, TL_ERR_REFUSED, name, "%s", why);
}

static tl_err want_field(tl_str *out, form *f, const char *name, tl_errctx *ctx)
{
    const size_t at = find_field(f, tl_str_from_cstr(name));
    if (at == f->count) {
        return tl_fail_field(ctx, TL_ERR_MISSING, name, "the form has no field \"%s\"", name);
    }
    *out = f->fields[at].value;
    return TL_OK;
}

/* Is the policy one that this store signed? */
static tl_err check_signature(form *f, tl_arena *arena, tl_str policy, tl_errctx *ctx)
{
    tl_str algorithm;
    tl_str credential;
    tl_str date;
    tl_str signature;
    int64_t signed_s;
    TL_TRY(want_field(&algorithm, f, "x-amz-algorithm", ctx));
    TL_TRY(want_field(&credential, f, "x-amz-credential", ctx));
    TL_TRY(want_field(&date, f, "x-amz-date", ctx));
    TL_TRY(want_field(&signature, f, "x-amz-signature", ctx));
    if (!tl_str_eq(algorithm, TL_STR("AWS4-HMAC-SHA256"))) {
        return refuse(TL_STR("x-amz-algorithm"), "the form is not signed by AWS4-HMAC-SHA256", ctx);
    }
    if (!tl_sigv4_parse_time(&signed_s, date)) {
        return refuse(TL_STR("x-amz-date"), "the form's date is none", ctx);
    }
    tl_str want;
    TL_TRY(tl_sigv4_credential(&want, arena, &f->store->keys, signed_s, ctx));
    if (!tl_str_eq(credential, want)) {
        return refuse(TL_STR("x-amz-credential"), "the form's credential is not of this store",
                      ctx);
    }
    char mine[TL_SIGV4_SIGNATURE_LEN + 1];
    TL_TRY(tl_sigv4_sign_policy(mine, &f->store->keys, policy, signed_s, ctx));
    return tl_sigv4_same(tl_str_from_cstr(mine), signature)
               ? TL_OK
               : refuse(TL_STR("x-amz-signature"), "the form's signature does not hold", ctx);
}

/* {"name":"value"} */
static tl_err check_exact(form *f, const tl_json *condition, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < condition->count; i++) {
        const tl_json_member *member = &condition->members[i];
        if (member->value.kind != TL_JSON_STRING) {
            return refuse(TL_STR("policy"), "a condition of the policy is malformed", ctx);
        }
        if (tl_str_eq(member->key, TL_STR("bucket"))) {
            if (!tl_str_eq(member->value.text, tl__objects_bucket(f->store))) {
                return refuse(TL_STR("policy"), "the policy is for another store", ctx);
            }
            continue;
        }
        const size_t at = find_field(f, member->key);
        if (at == f->count || !tl_str_eq(f->fields[at].value, member->value.text)) {
            return refuse(member->key, "the field is not what the policy says", ctx);
        }
        f->is_covered[at] = true;
    }
    return TL_OK;
}

/* ["starts-with","$name","beginning"], ["eq",…], ["content-length-range",min,max] */
static tl_err check_triple(form *f, const tl_json *condition, tl_errctx *ctx)
{
    const tl_json *items = condition->items;
    if (condition->count != 3 || items[0].kind != TL_JSON_STRING) {
        return refuse(TL_STR("policy"), "a condition of the policy is malformed", ctx);
    }
    if (tl_str_eq(items[0].text, TL_STR("content-length-range"))) {
        f->has_range = true;
        TL_TRY(tl_json_as_u64(&f->grant->len_min, &items[1], "policy", ctx));
        return tl_json_as_u64(&f->grant->len_max, &items[2], "policy", ctx);
    }
    const bool is_prefix = tl_str_eq(items[0].text, TL_STR("starts-with"));
    if ((!is_prefix && !tl_str_eq(items[0].text, TL_STR("eq"))) ||
        items[1].kind != TL_JSON_STRING || items[2].kind != TL_JSON_STRING ||
        !tl_str_starts_with(items[1].text, TL_STR("$"))) {
        return refuse(TL_STR("policy"), "a condition of the policy is malformed", ctx);
    }
    const tl_str name = tl_str_slice(items[1].text, 1, items[1].text.len);
    const bool is_key = same_name(name, TL_STR("key"));
    const size_t at = find_field(f, name);
    const tl_str value = is_key ? f->grant->key : at < f->count ? f->fields[at].value : (tl_str){0};
    if (is_prefix ? !tl_str_starts_with(value, items[2].text) : !tl_str_eq(value, items[2].text)) {
        return refuse(name, "the field is not what the policy allows", ctx);
    }
    if (at < f->count) {
        f->is_covered[at] = true;
    }
    return TL_OK;
}

static tl_err check_policy(form *f, tl_arena *arena, tl_str policy, tl_errctx *ctx)
{
    tl_bytes json;
    const tl_json *doc;
    tl_str expiration;
    char now[TL_TIME_TEXT_CAP];
    const tl_err err = tl_base64_decode(&json, arena, policy, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "policy");
        return err;
    }
    TL_TRY(tl_json_parse(&doc, arena, (tl_str){(const char *)json.ptr, json.len}, NULL, ctx));
    TL_TRY(tl_json_want_str(&expiration, doc, "expiration", ctx));
    tl_time_text(now, tl_clock_wall_ns(&f->store->clock));
    if (tl_str_cmp(expiration, tl_str_from_cstr(now)) <
        0) { /* both as tl_time_text writes: their order is time's */
        return refuse(TL_STR("policy"), "the form has expired", ctx);
    }
    const tl_json *conditions;
    TL_TRY(tl_json_want(&conditions, doc, "conditions", TL_JSON_ARRAY, ctx));
    for (uint32_t i = 0; i < conditions->count; i++) {
        const tl_json *condition = &conditions->items[i];
        TL_TRY(condition->kind == TL_JSON_OBJECT ? check_exact(f, condition, ctx)
               : condition->kind == TL_JSON_ARRAY
                   ? check_triple(f, condition, ctx)
                   : refuse(TL_STR("policy"), "a condition of the policy is malformed", ctx));
    }
    return f->has_range ? TL_OK
                        : refuse(TL_STR("policy"), "the policy has no range of lengths", ctx);
}

/* Fields without a condition: S3 takes these alone. */
static tl_err check_covered(const form *f, tl_errctx *ctx)
{
    for (size_t i = 0; i < f->count; i++) {
        const tl_str name = f->fields[i].name;
        if (!f->is_covered[i] && !same_name(name, TL_STR("policy")) &&
            !same_name(name, TL_STR("x-amz-signature")) &&
            !same_name(tl_str_slice(name, 0, 9), TL_STR("x-ignore-"))) {
            return refuse(name, "the policy does not speak of this field", ctx);
        }
    }
    return TL_OK;
}

/* The key with the file's name in the place of ${filename}; of a path, its last part. */
static tl_err fill_key(tl_str *out, tl_arena *arena, tl_str key, tl_str filename, tl_errctx *ctx)
{
    const tl_str mark = TL_STR("${filename}");
    size_t from = filename.len;
    while (from > 0 && filename.ptr[from - 1] != '/' && filename.ptr[from - 1] != '\\') {
        from--;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < key.len;) {
        if (tl_str_starts_with(tl_str_slice(key, i, key.len), mark)) {
            tl_sb_put(&sb, tl_str_slice(filename, from, filename.len));
            i += mark.len;
        } else {
            tl_sb_put_char(&sb, key.ptr[i]);
            i++;
        }
    }
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_objects_check_post(tl_objects *store, tl_objects_grant *out, tl_arena *arena,
                             const tl_objects_field *fields, size_t count, tl_str filename,
                             tl_errctx *ctx)
{
    tl_objects_grant grant = {.len_min = 0};
    form f = {.store = store, .fields = fields, .count = count, .grant = &grant};
    tl_str policy;
    tl_str key;
    if (!store->is_folder || !store->has_sign_key) {
        return tl_fail_field(ctx, TL_ERR_STATE, "sign_file", "this store takes no forms");
    }
    if (count > FORM_FIELDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "form", "%zu fields, above %d", count,
                             FORM_FIELDS_MAX);
    }
    TL_TRY(want_field(&policy, &f, "policy", ctx));
    TL_TRY(check_signature(&f, arena, policy, ctx));
    TL_TRY(want_field(&key, &f, "key", ctx));
    TL_TRY(fill_key(&grant.key, arena, key, filename, ctx));
    TL_TRY(check_policy(&f, arena, policy, ctx));
    TL_TRY(check_covered(&f, ctx));
    const tl_err err = tl_objects_check_key(grant.key, ctx);
    if (err != TL_OK) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "key", "the form's key is no key of an object");
    }
    TL_ASSERT(!tl_str_starts_with(grant.key, TL_STR(TL_OBJECTS_KEPT_PREFIX))); /* OBJ-3 */
    *out = grant;
    return TL_OK;
}

tl_str tl__objects_bucket(const tl_objects *store)
{
    return store->is_folder ? TL_STR("tally") : tl__s3_bucket(store);
}
