/* The table of families, and what does not depend on which one it is. */
#include "sdk/auth/auth_internal.h"

#include <string.h>

#include "base/json/json.h"

static const tl_auth_family *const families[] = {
    [TL_AUTH_V10] = &tl__auth_v10,
    [TL_AUTH_BTAUTH] = &tl__auth_btauth,
    [TL_AUTH_EPISTULA] = &tl__auth_epistula,
};

_Static_assert(sizeof families / sizeof families[0] == TL_AUTH_FAMILY_COUNT, "a row for each");
_Static_assert(TL_AUTH_FAMILIES_ALL == (1U << TL_AUTH_FAMILY_COUNT) - 1, "a bit for each");

static const struct {
    const char *name;
    uint16_t status;
} classes[] = {[TL_AUTH_OK] = {"", 200},
#define CLASS_ROW(name, text, status) [TL_AUTH_##name] = {text, status},
               TL_AUTH_CLASS_MAP(CLASS_ROW)
#undef CLASS_ROW
};

const char *tl_auth_class_name(tl_auth_class kind)
{
    TL_ASSERT(kind < TL_AUTH_CLASS_COUNT);
    return classes[kind].name;
}

uint16_t tl_auth_class_status(tl_auth_class kind)
{
    TL_ASSERT(kind < TL_AUTH_CLASS_COUNT);
    return classes[kind].status;
}

void tl_auth_put_error(tl_sb *sb, tl_auth_class kind, tl_str message)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "error");
    tl_json_put_cstr(&w, tl_auth_class_name(kind));
    tl_json_put_key(&w, "message");
    tl_json_put_str(&w, message);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
}

tl_err tl__auth_refuse(tl__auth_head *head, tl_auth_class kind, const char *message)
{
    *head->verdict = (tl_auth_verdict){kind, tl_str_from_cstr(message)};
    return TL_OK;
}

const tl_auth_family *tl_auth_family_at(tl_auth_family_id id)
{
    TL_ASSERT((size_t)id < TL_AUTH_FAMILY_COUNT);
    return families[id];
}

const tl_auth_family *tl_auth_family_by_name(tl_str name)
{
    for (size_t i = 0; i < TL_AUTH_FAMILY_COUNT; i++) {
        if (tl_str_eq(families[i]->name, name)) {
            return families[i];
        }
    }
    return NULL;
}

const tl_auth_family *tl_auth_detect(bool *is_ambiguous, tl_http_headers headers)
{
    const tl_auth_family *found = NULL;
    *is_ambiguous = false;
    for (size_t i = 0; i < headers.count; i++) {
        for (size_t f = 0; f < TL_AUTH_FAMILY_COUNT; f++) {
            if (!tl_http_name_starts_with(headers.at[i].name, families[f]->prefix)) {
                continue;
            }
            if (found != NULL && found != families[f]) { /* AUTH-3 */
                *is_ambiguous = true;
                return NULL;
            }
            found = families[f];
        }
    }
    return found;
}

bool tl_auth_claimed(tl_hotkey *out, const tl_auth_family *family, tl_http_headers headers)
{
    tl_str text;
    uint16_t prefix;
    return tl__auth_field(&text, headers, family->hotkey, TL__AUTH_FIRST) == TL__AUTH_FOUND &&
           tl_ss58_decode_any(out, &prefix, text, NULL) == TL_OK;
}

void tl_auth_rules_init(tl_auth_rules *rules, tl_str self_ss58)
{
    *rules = (tl_auth_rules){
        .self_ss58 = self_ss58, .families = TL_AUTH_FAMILIES_ALL, .back_ns = -1, .ahead_ns = -1};
}

tl_err tl_auth_check_head(tl_auth_claim *out, tl_auth_verdict *verdict, tl_arena *arena,
                          const tl_auth_family *family, const tl_auth_request *request,
                          const tl_auth_rules *rules, int64_t now_ns, tl_errctx *ctx)
{
    TL_ASSERT(rules->self_ss58.len > 0);
    tl_auth_claim claim = {.family = family};
    tl_auth_verdict found = {TL_AUTH_OK, {NULL, 0}};
    tl__auth_head head = {
        .claim = &claim,
        .verdict = &found,
        .arena = arena,
        .request = request,
        .rules = rules,
        .now_ns = now_ns,
        .back_ns = rules->back_ns < 0 ? family->back_ns : rules->back_ns,
        .ahead_ns = rules->ahead_ns < 0 ? family->ahead_ns : rules->ahead_ns,
    };
    if ((rules->families & 1U << family->id) == 0) {
        TL_TRY(tl__auth_refuse(&head, TL_AUTH_MALFORMED, "this protocol is not served here"));
    } else {
        TL_TRY(family->steps->check(&head, ctx));
    }
    if (found.kind == TL_AUTH_OK) {
        TL_ASSERT(claim.scheme != NULL && claim.signature.len > 0); /* AUTH-2 */
        *out = claim;
    }
    *verdict = found;
    return TL_OK;
}

tl_err tl_auth_message(tl_bytes *out, tl_arena *arena, const tl_auth_claim *claim,
                       const tl_hash32 *body_sha256, tl_errctx *ctx)
{
    TL_ASSERT(body_sha256 != NULL || !claim->family->hashes_body);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    TL_TRY(claim->family->steps->message(&sb, claim, body_sha256, ctx));
    tl_str text;
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = tl_str_bytes(text);
    return TL_OK;
}

static tl_bytes sender_key(const tl_auth_claim *claim)
{
    return (tl_bytes){claim->sender.b, sizeof claim->sender.b};
}

static tl_err conclude(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                       tl_bytes message, bool holds, tl_errctx *ctx)
{
    if (holds) {
        *verdict = (tl_auth_verdict){TL_AUTH_OK, {NULL, 0}};
        return TL_OK;
    }
    return claim->family->steps->mismatch(verdict, arena, claim, message, ctx);
}

tl_err tl_auth_verify(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                      tl_bytes message, tl_errctx *ctx)
{
    const bool holds =
        tl_scheme_verify(claim->scheme, sender_key(claim), message, claim->signature);
    return tl_auth_judge(verdict, arena, claim, message, holds, ctx);
}

tl_err tl_auth_judge(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                     tl_bytes message, bool holds, tl_errctx *ctx)
{
    if (!holds) { /* browser extensions sign the wrapped form */
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_put_cstr(&sb, "<Bytes>");
        tl_sb_put_bytes(&sb, message.ptr, message.len);
        tl_sb_put_cstr(&sb, "</Bytes>");
        tl_str wrapped;
        TL_TRY(tl_sb_finish(&wrapped, &sb, ctx));
        holds = tl_scheme_verify(claim->scheme, sender_key(claim), tl_str_bytes(wrapped),
                                 claim->signature);
    }
    /* AUTH-2: what the batch said cannot make a weak key strong, nor a signature of nothing one */
    holds = holds && claim->signature.len > 0;
    return conclude(verdict, arena, claim, message, holds, ctx);
}

void tl_auth_refuse_replayed(tl_auth_verdict *verdict, const tl_auth_family *family)
{
    if (family->id == TL_AUTH_V10) {
        *verdict = (tl_auth_verdict){TL_AUTH_NOT_VERIFIED,
                                     TL_STR("Not Verified with error: Nonce is too old, a newer "
                                            "one was last processed")};
        return;
    }
    *verdict = (tl_auth_verdict){TL_AUTH_REPLAYED,
                                 TL_STR("a request with this nonce was accepted from this hotkey")};
}

void tl_auth_refuse_late(tl_auth_verdict *verdict, const tl_auth_family *family)
{
    if (family->id == TL_AUTH_V10) {
        *verdict = (tl_auth_verdict){TL_AUTH_NOT_VERIFIED,
                                     TL_STR("Not Verified with error: Nonce is too old")};
        return;
    }
    *verdict = (tl_auth_verdict){TL_AUTH_STALE,
                                 TL_STR("the window was over before the whole request had come")};
}

void tl_auth_refuse_busy(tl_auth_verdict *verdict, const tl_auth_family *family)
{
    (void)family;
    *verdict =
        (tl_auth_verdict){TL_AUTH_BUSY, TL_STR("no room to remember this request: try again")};
}
