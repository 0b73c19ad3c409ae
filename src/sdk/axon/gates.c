/* What is asked of a request before its body is read, cheapest first (sdk surface spec, section 5), and what becomes of it when
 * its body came or did not. The address list comes first, then penalties by address, the route, the headers, the list of
 * hotkeys, and each protocol's own checks. */
#include <math.h>

#include "sdk/axon/axon_internal.h"

enum { NAME_MAX_SHOWN = 256 };

static tl_auth_request request_of(const tl_axon_call *call)
{
    return (tl_auth_request){call->method, call->target, call->headers};
}

/* Penalties by address: a stranger's word names nobody else, so only its own address pays (sdk surface spec, section 5). */
static bool pass_penalty(tl_axon_call *call)
{
    if (call->is_exempt) {
        return true;
    }
    const tl_net_addr *peer = &tl_http_request_of(call->x)->peer;
    const uint32_t wait_ms =
        tl_limit_peek_ip(call->axon->strangers, peer, tl__steady_ns(call->axon));
    if (wait_ms > 0) {
        tl__refuse_wait(call, wait_ms);
        return false;
    }
    return true;
}

/* The hotkey list and the route's own, on the key that the request claims. */
static bool pass_lists(tl_axon_call *call, const tl_auth_family *family)
{
    call->family = family->id;
    call->caller.protocol = (tl_axon_protocol)(1u << family->id);
    const tl_http_header *named = tl_http_find(call->headers, tl_str_from_cstr(family->hotkey));
    call->caller.ss58 = named != NULL ? named->value : (tl_str){NULL, 0};
    const tl_axon_route *spec = &call->route->spec;
    /* decoding an address costs a microsecond: where nobody looks at the claim, verification does it once */
    const bool is_wanted = call->axon->has_lists || call->axon->settings.is_unverified ||
                           spec->blacklist != NULL || spec->verify != NULL;
    const bool has_key = is_wanted && tl_auth_claimed(&call->caller.hotkey, family, call->headers);
    if (has_key && !tl_limit_lists_admits_hotkey(call->axon->lists, &call->caller.hotkey)) {
        tl__refuse(call, (tl__reason)TL_AUTH_FORBIDDEN, 403, TL_STR("Hotkey is on the blacklist"));
        return false;
    }
    char reason[128] = "";
    if (spec->blacklist != NULL && spec->blacklist(spec->self, call, reason, sizeof reason)) {
        reason[sizeof reason - 1] = 0;
        tl__refuse(call, (tl__reason)TL_AUTH_FORBIDDEN, 403, tl_str_from_cstr(reason));
        return false;
    }
    return true;
}

/* Checks 1 to 7 of wire spec section 9.4, or v10's nonce rules: nothing that needs the body. */
static bool pass_head(tl_axon_call *call, const tl_auth_family *family)
{
    if (call->axon->settings.is_unverified || call->route->spec.verify != NULL) {
        return true;
    }
    tl_auth_verdict verdict;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_auth_request request = request_of(call);
    if (tl_auth_check_head(&call->claim, &verdict, call->arena, family, &request,
                           &call->route->rules, tl__now_ns(call->axon), &ctx) != TL_OK) {
        tl__refuse(call, (tl__reason)TL_AUTH_TOO_LARGE, 413,
                   TL_STR("The request takes too much memory"));
        return false;
    }
    if (verdict.kind != TL_AUTH_OK) {
        tl__refuse_verdict(call, &verdict);
        return false;
    }
    call->has_claim = true;
    call->caller.hotkey = call->claim.sender; /* AXON-2 */
    call->caller.ss58 = call->claim.sender_text;
    return true;
}

/* The head is fine: what becomes of the body. It is hashed as it comes, where its hash was signed. */
static void await_body(tl_axon_call *call, const tl_auth_family *family)
{
    const bool is_hashed = call->has_claim && family->hashes_body;
    if (is_hashed) {
        tl_sha256_init(&call->body_state);
    }
    tl_http_take_body(call->x, is_hashed ? TL_HTTP_CHUNKS_COLLECT : TL_HTTP_COLLECT,
                      call->route->body_len_max, 0);
}

static void pass_common(tl_axon_call *call, const tl_auth_family *family)
{
    if (pass_lists(call, family) && pass_head(call, family)) {
        await_body(call, family);
    }
}

/* --- signed routes --- */

static void head_of_signed(tl_axon_call *call, tl__route *route)
{
    while (route != NULL && !tl_str_eq(route->method, call->method)) {
        route = route->next;
    }
    if (route == NULL) {
        tl__refuse(call, (tl__reason)TL_AUTH_NOT_FOUND, 404,
                   TL_STR("This path has no such method"));
        return;
    }
    call->route = route;
    call->timeout_s = route->timeout_s;
    bool is_ambiguous;
    const tl_auth_family *family = tl_auth_detect(&is_ambiguous, call->headers);
    if (family == NULL) {
        tl__refuse(call, (tl__reason)TL_AUTH_MALFORMED, 401,
                   is_ambiguous ? TL_STR("The headers belong to more than one protocol")
                                : TL_STR("The request is not signed"));
        return;
    }
    if ((route->rules.families & 1u << family->id) == 0) {
        /* v10's headers make no v10 answer here: there is no synapse for its model */
        call->family = family->id == TL_AUTH_V10 ? call->family : family->id;
        tl__refuse(call, (tl__reason)TL_AUTH_MALFORMED, 401,
                   TL_STR("This protocol is not spoken here"));
        return;
    }
    pass_common(call, family);
}

/* --- v10 --- */

/* The caller's own timeout, within bounds (wire spec section 1.8: it is not signed). */
static double clamp_timeout(const tl_value *timeout)
{
    const double asked = timeout->kind == TL_VALUE_FLOAT ? timeout->f64 : TL_AXON_TIMEOUT_S;
    if (!(asked > 0)) { /* nan too */
        return TL_AXON_TIMEOUT_S;
    }
    return asked < TL_AXON_TIMEOUT_S_MAX ? asked : TL_AXON_TIMEOUT_S_MAX;
}

/* The name of an unknown synapse is the one thing that is repeated (AXON-5): visible ASCII, and not much of it. */
static void refuse_unknown(tl_axon_call *call, tl_str name)
{
    char shown[NAME_MAX_SHOWN];
    const size_t len = name.len < sizeof shown ? name.len : sizeof shown;
    for (size_t i = 0; i < len; i++) {
        shown[i] = name.ptr[i] > ' ' && name.ptr[i] < 0x7f ? name.ptr[i] : '?';
    }
    tl_sb sb;
    tl_str message = {NULL, 0};
    tl_sb_init(&sb, call->arena);
    tl_sb_put(&sb, TL_STR("Synapse name '"));
    tl_sb_put_bytes(&sb, shown, len);
    tl_sb_put(&sb, TL_STR("' not found. Available synapses "));
    tl_sb_put(&sb, tl_str_slice(call->axon->known_names, 0, TL_AUTH_MESSAGE_MAX));
    if (tl_sb_finish(&message, &sb, NULL) != TL_OK) {
        message = TL_STR("Synapse name not found.");
    }
    tl__refuse(call, TL__REASON_UNKNOWN_NAME, 404, message);
}

/* What FastAPI's router answers by itself for a known name. */
static bool pass_router(tl_axon_call *call, tl_str rest)
{
    if (rest.len > 1) {
        tl__refuse_plain(call, TL__REASON_ROUTER, 404, NULL, TL_STR("{\"detail\":\"Not Found\"}"));
        return false;
    }
    if (rest.len == 1) {
        const tl_http_header location = {TL_STR("location"), call->route->path};
        tl__refuse_plain(call, TL__REASON_ROUTER, 307, &location, (tl_str){NULL, 0});
        return false;
    }
    if (!tl_str_eq(call->method, TL_STR("POST")) && !tl_str_eq(call->method, TL_STR("GET"))) {
        const tl_http_header allow = {TL_STR("allow"), TL_STR("GET, POST")};
        tl__refuse_plain(call, TL__REASON_ROUTER, 405, &allow,
                         TL_STR("{\"detail\":\"Method Not Allowed\"}"));
        return false;
    }
    return true;
}

/* A caller that names the versions it speaks gets one of them, or hears ours. */
static bool pass_version(tl_axon_call *call)
{
    const tl_http_header *asked = tl_http_find(call->headers, TL_STR(TL_SYNAPSE_VERSION_HEADER));
    if (asked == NULL) {
        return true;
    }
    tl_synapse_version version;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err =
        tl_synapse_negotiate(&version, call->route->spec.synapse, asked->value, &ctx);
    if (err == TL_OK) {
        return true;
    }
    tl_sb sb;
    tl_http_header ours = {TL_STR(TL_SYNAPSE_VERSION_HEADER), {NULL, 0}};
    tl_sb_init(&sb, call->arena);
    tl_synapse_put_versions(&sb, call->route->spec.synapse);
    const bool has_ours = tl_sb_finish(&ours.value, &sb, NULL) == TL_OK;
    tl__refuse_plain(call, TL__REASON_VERSION, err == TL_ERR_VERSION ? 426 : 400,
                     has_ours ? &ours : NULL,
                     TL_STR("{\"message\":\"No version of this synapse is common\"}"));
    return false;
}

/* The model that the headers make: its failure is the SDK's own (500), a header that comes twice is ours (400). */
static bool pass_model(tl_axon_call *call)
{
    tl_synapse *model;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err =
        tl_synapse_from_headers(&model, call->arena, call->route->spec.synapse, call->headers,
                                call->axon->settings.is_compat_sdk, &ctx);
    if (err == TL_OK) {
        call->timeout_s = clamp_timeout(&model->timeout);
        return true;
    }
    if (err == TL_ERR_DUPLICATE) {
        tl__refuse(call, (tl__reason)TL_AUTH_DUPLICATE, 400, TL_STR("A header comes twice"));
    } else {
        tl__refuse_internal(call, TL__REASON_PARSE);
    }
    return false;
}

static void head_of_v10(tl_axon_call *call, tl__route *route, tl_str path)
{
    call->family = TL_AUTH_V10;
    const tl_str behind = tl_str_slice(path, 1, path.len);
    const tl_str name = tl_str_slice(behind, 0, tl_str_find(behind, '/'));
    if (route == NULL) {
        route = tl__route_find(call->axon, tl_str_slice(path, 0, name.len + 1));
    }
    if (route == NULL || route->spec.synapse == NULL) {
        refuse_unknown(call, name);
        return;
    }
    call->route = route;
    call->timeout_s = route->timeout_s;
    bool is_ambiguous;
    (void)tl_auth_detect(&is_ambiguous, call->headers);
    if (!pass_router(call, tl_str_slice(path, route->path.len, path.len)) || !pass_version(call)) {
        return;
    }
    if (is_ambiguous) {
        tl__refuse(call, (tl__reason)TL_AUTH_NOT_VERIFIED, 401,
                   TL_STR("Not Verified with error: Headers of more than one protocol."));
        return;
    }
    if (pass_model(call)) {
        pass_common(call, tl_auth_family_at(TL_AUTH_V10));
    }
}

/* --- the server's callbacks --- */

void tl__gates_on_head(void *user, tl_http_exchange *x)
{
    tl__lane *lane = user;
    const bool is_listed =
        !tl_limit_lists_admits_ip(lane->axon->lists, &tl_http_request_of(x)->peer);
    if (!is_listed && tl__health(lane, x)) {
        return;
    }
    tl_axon_call *call = tl__call_new(lane, x);
    if (call == NULL) {
        tl_http_answer(x, 503, (tl_http_headers){NULL, 0}, (tl_bytes){NULL, 0});
        return;
    }
    const tl_str path = tl_http_request_of(x)->path;
    tl__route *route = tl__route_find(lane->axon, path);
    const bool is_signed = route != NULL && route->spec.synapse == NULL;
    const bool speaks_v10 = (lane->axon->settings.protocols & TL_AXON_V10) != 0;
    call->family =
        is_signed || !speaks_v10 ? TL_AUTH_BTAUTH : TL_AUTH_V10; /* for the answer's shape */
    if (is_listed) {
        tl__refuse(call, (tl__reason)TL_AUTH_FORBIDDEN, 403, TL_STR("Address is on the blacklist"));
        return;
    }
    if (!pass_penalty(call)) {
        return;
    }
    if (is_signed) {
        head_of_signed(call, route);
    } else if (speaks_v10) {
        head_of_v10(call, route, path);
    } else {
        tl__refuse(call, (tl__reason)TL_AUTH_NOT_FOUND, 404, TL_STR("There is no such path"));
    }
}

void tl__gates_on_body(void *user, tl_http_exchange *x, tl_bytes chunk)
{
    (void)user;
    tl_axon_call *call = tl_http_user(x);
    tl_sha256_update(&call->body_state, chunk.ptr, chunk.len);
}

void tl__gates_on_request(void *user, tl_http_exchange *x)
{
    (void)user;
    tl_axon_call *call = tl_http_user(x);
    call->body = tl_http_request_of(x)->body;
    tl_http_set_timeout(x, (int64_t)ceil(call->timeout_s * 1000));
    if (call->has_claim ||
        (call->route->spec.verify != NULL && !call->axon->settings.is_unverified)) {
        tl__verify_add(call);
    } else {
        tl__admit(call);
    }
}

/* Where the server ends the exchange itself, the refusal still has the protocol's shape. */
static void answer_for_server(tl_axon_call *call, tl_http_gone why)
{
    switch (why) {
    case TL_HTTP_GONE_TOO_LARGE:
        tl__refuse(call, (tl__reason)TL_AUTH_TOO_LARGE, 413, TL_STR("The body is too large"));
        return;
    case TL_HTTP_GONE_BODY_SLOW:
        tl__refuse(call, (tl__reason)TL_AUTH_TIMEOUT, 408, TL_STR("The body did not come in time"));
        return;
    case TL_HTTP_GONE_TIMEOUT:
        tl__refuse_timeout(call);
        return;
    case TL_HTTP_GONE_MEMORY:
        tl__refuse(call, (tl__reason)TL_AUTH_BUSY, 503, TL_STR("There is no memory for it"));
        return;
    case TL_HTTP_GONE_PEER:
    case TL_HTTP_GONE_BAD:
    case TL_HTTP_GONE_STOP:
        return;
    }
}

void tl__gates_on_gone(void *user, tl_http_exchange *x, tl_http_gone why)
{
    (void)user;
    tl_axon_call *call = tl_http_user(x);
    if (call == NULL) {
        return;
    }
    if (call->state == TL__CALL_PENDING) {
        tl__verify_drop(call);
    } else if (call->state == TL__CALL_WAITING) {
        (void)tl__queue_remove(&call->axon->queue, call);
    }
    if (why != TL_HTTP_GONE_PEER && why != TL_HTTP_GONE_BAD && why != TL_HTTP_GONE_STOP) {
        answer_for_server(call, why);
        return;
    }
    call->reason = TL__REASON_GONE;
    tl__observe_done(call, 0);
    tl__call_end_exchange(call);
}
