/* Signed requests without our client or server. */
#include "sdk/auth/auth.h"

#include <string.h>

#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"
#include "sdk/api/api_internal.h"

enum { HEADERS_MAX = 256 }; /* of a request that is verified */

struct tally_headers {
    tl_arena *arena;
    size_t count;
    tally_header *at;
};

static tl_err find_family(const tl_auth_family **out, const char *protocol, tl_errctx *ctx)
{
    *out = tl_auth_family_by_name(tl_str_from_cstr(protocol));
    if (*out == NULL || (*out)->id == TL_AUTH_V10) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "protocol",
                             "\"%.40s\" does not sign requests: btauth, epistula do",
                             protocol != NULL ? protocol : "");
    }
    return TL_OK;
}

static tl_err sign(tally_headers **out, tl_arena *arena, const char *protocol, const tally_key *key,
                   const tally_request *request, const char *receiver, tl_errctx *ctx)
{
    const tl_auth_family *family = NULL;
    const tl_clock clock = tl_sys_clock();
    const tl_entropy entropy = tl_sys_entropy();
    tl_auth_outgoing what = {.method = tl_str_from_cstr(request->method),
                             .target = tl_str_from_cstr(request->target),
                             .receiver = tl_str_from_cstr(receiver),
                             .now_ns = tl_clock_wall_ns(&clock)};
    tl_http_headers headers = {NULL, 0};
    TL_TRY(find_family(&family, protocol, ctx));
    tl_sha256(&what.body_sha256, request->body, request->body_len);
    TL_TRY(tl_auth_sign(&headers, arena, family, key->pair, &what, &entropy, ctx));
    tally_headers *const list = TL_NEW(arena, tally_headers, 1);
    tally_header *const at = TL_NEW(arena, tally_header, headers.count);
    if (list == NULL || at == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < headers.count; i++) {
        TL_TRY(tl_str_copy_cstr(&at[i].name, arena, headers.at[i].name, ctx));
        TL_TRY(tl_str_copy_cstr(&at[i].value, arena, headers.at[i].value, ctx));
    }
    *list = (tally_headers){arena, headers.count, at};
    *out = list; /* API-2 */
    return TL_OK;
}

int tally_auth_sign(tally_headers **out, const char *protocol, const tally_key *key,
                    const tally_request *request, const char *receiver, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = sign(out, arena, protocol, key, request, receiver, &ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
    }
    return tl__api_error(err, &ctx, error);
}

void tally_headers_free(tally_headers *headers)
{
    if (headers != NULL) {
        tl_arena_free(headers->arena); /* the list itself lies in it */
    }
}

size_t tally_headers_count(const tally_headers *headers)
{
    return headers->count;
}

tally_header tally_headers_at(const tally_headers *headers, size_t index)
{
    TL_ASSERT(index < headers->count);
    return headers->at[index];
}

/* --- verification --- */

static void put_text(char *out, size_t cap, tl_str text)
{
    (void)tl_str_print(out, cap, "%.*s", TL_STR_ARG(text));
}

static void put_verdict(tally_verdict *out, const tl_auth_verdict *verdict,
                        const tl_auth_family *family, const tl_auth_claim *claim)
{
    memset(out, 0, sizeof *out);
    out->is_ok = verdict->kind == TL_AUTH_OK;
    out->status = tl_auth_class_status(verdict->kind);
    put_text(out->reason, sizeof out->reason, tl_str_from_cstr(tl_auth_class_name(verdict->kind)));
    put_text(out->message, sizeof out->message, verdict->message);
    put_text(out->protocol, sizeof out->protocol, family != NULL ? family->name : TL_STR(""));
    put_text(out->sender, sizeof out->sender, out->is_ok ? claim->sender_text : TL_STR(""));
}

static tl_err verify(tally_verdict *out, tl_arena *arena, const tally_request *request,
                     const char *self, tl_errctx *ctx)
{
    if (request->header_count > HEADERS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "headers", "%zu headers, above %d",
                             request->header_count, HEADERS_MAX);
    }
    tl_http_header headers[HEADERS_MAX];
    for (size_t i = 0; i < request->header_count; i++) {
        headers[i] = (tl_http_header){tl_str_from_cstr(request->headers[i].name),
                                      tl_str_from_cstr(request->headers[i].value)};
    }
    const tl_auth_request head = {tl_str_from_cstr(request->method),
                                  tl_str_from_cstr(request->target),
                                  {headers, request->header_count}};
    bool is_ambiguous = false;
    tl_auth_verdict verdict = {TL_AUTH_MALFORMED, TL_STR("the request is not signed")};
    tl_auth_claim claim;
    memset(&claim, 0, sizeof claim);
    const tl_auth_family *const family = tl_auth_detect(&is_ambiguous, head.headers);
    if (family == NULL || family->id == TL_AUTH_V10) {
        put_verdict(out, &verdict, NULL, &claim);
        return TL_OK;
    }
    const tl_clock clock = tl_sys_clock();
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, tl_str_from_cstr(self));
    TL_TRY(tl_auth_check_head(&claim, &verdict, arena, family, &head, &rules,
                              tl_clock_wall_ns(&clock), ctx));
    if (verdict.kind == TL_AUTH_OK) {
        tl_hash32 digest;
        tl_bytes message = {NULL, 0};
        tl_sha256(&digest, request->body, request->body_len);
        TL_TRY(tl_auth_message(&message, arena, &claim, &digest, ctx));
        TL_TRY(tl_auth_verify(&verdict, arena, &claim, message, ctx));
    }
    put_verdict(out, &verdict, family, &claim);
    return TL_OK;
}

int tally_auth_verify(tally_verdict *out, const tally_request *request, const char *self,
                      tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = verify(out, arena, request, self, &ctx);
    }
    tl_arena_free(arena);
    return tl__api_error(err, &ctx, error);
}
