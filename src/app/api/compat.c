/* The original's signatures (listings spec section 2): sr25519 over a commitment string that names the purpose and a time.
 * None binds the body, so they are taken in the compat profile alone; and a signature is taken once. */
#include <string.h>

#include "app/api/api_internal.h"
#include "core/codec/hex/hex.h"

#define S          INT64_C(1000000000)
#define BACK_S     300
#define AHEAD_S    60
#define TIME_S_MIN INT64_C(1600000000)
#define TIME_S_MAX INT64_C(2147483647)
#define TEXT_MAX   512
#define SIGNED_LEN 64

/* A named field of the request: of the query, or a member of the body (a number as it is written). */
static bool field(tl_str *out, tl_api_call *call, tl_str name)
{
    const tl_json *value = tl_json_get_str(call->json, name);
    if (value != NULL && (value->kind == TL_JSON_STRING || value->kind == TL_JSON_NUMBER)) {
        *out = value->text;
        return value->text.len > 0 && value->text.len <= TEXT_MAX;
    }
    bool is_twice = false;
    return tl__input_query(out, call, name, &is_twice) && !is_twice && out->len > 0 &&
           out->len <= TEXT_MAX;
}

/* "a:{epochId}:{timestamp}" with the request's own words. False: one of them is missing. */
static bool fill(tl_str *out, tl_api_call *call, const char *form)
{
    tl_sb sb;
    tl_sb_init(&sb, call->arena);
    tl_str rest = tl_str_from_cstr(form);
    while (rest.len > 0) {
        const size_t open = tl_str_find(rest, '{');
        tl_sb_put(&sb, tl_str_slice(rest, 0, open));
        rest = tl_str_slice(rest, open, rest.len);
        if (rest.len == 0) {
            break;
        }
        const size_t close = tl_str_find(rest, '}');
        tl_str value;
        if (!field(&value, call, tl_str_slice(rest, 1, close))) {
            return false;
        }
        tl_sb_put(&sb, value);
        rest = tl_str_slice(rest, close + 1, rest.len);
    }
    return tl_sb_finish(out, &sb, NULL) == TL_OK;
}

static bool refuse(tl_api_call *call, tl_api_code code, const char *message)
{
    tl__api_refuse(call, code, NULL, message);
    return false;
}

/* A body that is no JSON names no signer. */
static void read_body(tl_api_call *call)
{
    if (call->json == NULL && call->body.len > 0 &&
        tl_json_parse(&call->json, call->arena,
                      (tl_str){(const char *)call->body.ptr, call->body.len}, NULL,
                      NULL) != TL_OK) {
        call->json = NULL;
    }
}

static bool read_signature(uint8_t out[SIGNED_LEN], tl_str text)
{
    if (tl_str_starts_with(text, TL_STR("0x"))) {
        text = tl_str_slice(text, 2, text.len);
    }
    return tl_hex_decode(out, SIGNED_LEN, text, NULL) == TL_OK;
}

static bool verify(tl_api_call *call, const uint8_t *signature)
{
    const tl_bytes key = {call->caller.hotkey.b, sizeof call->caller.hotkey.b};
    for (const char *const *form = call->route->spec->commitments; *form != NULL; form++) {
        tl_str text;
        if (fill(&text, call, *form) &&
            tl_scheme_verify_wrapped(tl_scheme_sr25519(), key, tl_str_bytes(text),
                                     (tl_bytes){signature, SIGNED_LEN}, call->arena)) {
            return true;
        }
    }
    return false;
}

/* The same signature is refused for as long as its time would be taken. */
static bool remember(tl_api_call *call, const uint8_t *signature, int64_t time_s, int64_t now_ns)
{
    const tl_auth_mark mark = {.rule = TL_AUTH_ONCE_NONCE,
                               .sender = call->caller.hotkey,
                               .id = {(const char *)signature, SIGNED_LEN},
                               .signed_ns = time_s * S,
                               .keep_until_ns = (time_s + BACK_S + 1) * S};
    switch (tl_replay_keep(call->api->replay, &mark, now_ns)) {
    case TL_REPLAY_FRESH:
        return true;
    case TL_REPLAY_SEEN:
        return refuse(call, TL_API_REPLAYED_REQUEST, "The signature was used before");
    case TL_REPLAY_FULL:
    case TL_REPLAY_DOWN:
        break;
    }
    return refuse(call, TL_API_BUSY, "The replay store takes nothing now");
}

bool tl__compat_pass(tl_api_call *call)
{
    read_body(call);
    tl_str hotkey;
    tl_str signature_text;
    tl_str time_text;
    uint8_t signature[SIGNED_LEN];
    int64_t time_s;
    if (!field(&hotkey, call, TL_STR("hotkey")) ||
        !field(&signature_text, call, TL_STR("signature")) ||
        !field(&time_text, call, TL_STR("timestamp"))) {
        return refuse(call, TL_API_MALFORMED_AUTH, "hotkey, signature and timestamp are needed");
    }
    if (tl_ss58_decode(&call->caller.hotkey, hotkey, NULL) != TL_OK ||
        !read_signature(signature, signature_text) || !tl_str_parse_i64(&time_s, time_text) ||
        time_s < TIME_S_MIN || time_s > TIME_S_MAX) {
        return refuse(call, TL_API_MALFORMED_AUTH, "hotkey, signature or timestamp is malformed");
    }
    const int64_t now_ns = tl_clock_wall_ns(&call->api->real);
    const int64_t age_ns = now_ns - time_s * S;
    if (age_ns > BACK_S * S || age_ns < -AHEAD_S * S) {
        return refuse(call, TL_API_STALE_REQUEST, "The timestamp is too old or in the future");
    }
    if (!verify(call, signature)) {
        return refuse(call, TL_API_BAD_SIGNATURE, "The signature does not hold");
    }
    return remember(call, signature, time_s, now_ns);
}
