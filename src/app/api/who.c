/* Who calls, in the order of cli spec "Who calls": signature, replay, registered, permit and stake; for people a token or a
 * key, then their role. Everything here runs on a worker. */
#include <string.h>

#include "app/api/api_internal.h"
#include "core/crypto/hash/hash.h"

/* The classes of the wire spec come first in our table and in the same order. */
static tl_api_code code_of(tl_auth_class kind)
{
    switch (kind) {
    case TL_AUTH_RECEIVER:
        return TL_API_WRONG_RECEIVER;
    case TL_AUTH_STALE:
        return TL_API_STALE_REQUEST;
    case TL_AUTH_SIGNATURE:
        return TL_API_BAD_SIGNATURE;
    case TL_AUTH_REPLAYED:
        return TL_API_REPLAYED_REQUEST;
    case TL_AUTH_FORBIDDEN:
        return TL_API_FORBIDDEN;
    case TL_AUTH_NOT_FOUND:
        return TL_API_NOT_FOUND;
    case TL_AUTH_TOO_LARGE:
        return TL_API_TOO_LARGE;
    case TL_AUTH_TOO_MANY:
        return TL_API_TOO_MANY_REQUESTS;
    case TL_AUTH_BUSY:
        return TL_API_BUSY;
    case TL_AUTH_TIMEOUT:
        return TL_API_TIMEOUT;
    case TL_AUTH_DUPLICATE:
        return TL_API_DUPLICATE_HEADER;
    case TL_AUTH_OK:
    case TL_AUTH_MALFORMED:
    case TL_AUTH_NOT_VERIFIED:
    case TL_AUTH_UNPARSED:
    case TL_AUTH_CLASS_COUNT:
        return TL_API_MALFORMED_AUTH;
    }
    return TL_API_MALFORMED_AUTH;
}

static bool refuse_verdict(tl_api_call *call, const tl_auth_verdict *verdict)
{
    char message[160];
    tl_str_print(message, sizeof message, "%.*s", TL_STR_ARG(verdict->message));
    tl__api_refuse(call, code_of(verdict->kind), NULL, message);
    return false;
}

static bool refuse_memory(tl_api_call *call)
{
    tl__api_refuse(call, TL_API_BUSY, NULL, "There is no memory for it");
    return false;
}

/* --- signed --- */

static bool is_btauth(const tl_api_call *call)
{
    bool is_ambiguous;
    return tl_auth_detect(&is_ambiguous, call->headers) != NULL || is_ambiguous;
}

/* A signature counts once (API-1). */
static bool pass_replay(tl_api_call *call, const tl_auth_claim *claim)
{
    const int64_t now_ns = tl_clock_wall_ns(&call->api->real);
    tl_auth_verdict verdict;
    if (claim->mark.keep_until_ns < now_ns) {
        tl_auth_refuse_late(&verdict, claim->family);
        return refuse_verdict(call, &verdict);
    }
    switch (tl_replay_keep(call->api->replay, &claim->mark, now_ns)) {
    case TL_REPLAY_FRESH:
        return true;
    case TL_REPLAY_SEEN:
        tl_auth_refuse_replayed(&verdict, claim->family);
        return refuse_verdict(call, &verdict);
    case TL_REPLAY_FULL:
    case TL_REPLAY_DOWN:
        break;
    }
    tl__api_refuse(call, TL_API_BUSY, NULL, "The replay store takes nothing now");
    return false;
}

static bool pass_btauth(tl_api_call *call)
{
    tl_api *api = call->api;
    bool is_ambiguous;
    const tl_auth_family *family = tl_auth_detect(&is_ambiguous, call->headers);
    if (family == NULL) {
        tl__api_refuse(call, TL_API_MALFORMED_AUTH, NULL,
                       is_ambiguous ? "The headers belong to more than one protocol"
                                    : "The request is not signed");
        return false;
    }
    tl_auth_claim claim;
    tl_auth_verdict verdict;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_auth_request request = {call->method, call->target, call->headers};
    if (tl_auth_check_head(&claim, &verdict, call->arena, family, &request, &api->rules,
                           tl_clock_wall_ns(&api->real), &ctx) != TL_OK) {
        return refuse_memory(call);
    }
    if (verdict.kind != TL_AUTH_OK) {
        return refuse_verdict(call, &verdict);
    }
    tl_hash32 digest;
    tl_bytes message;
    tl_sha256(&digest, call->body.ptr, call->body.len);
    if (tl_auth_message(&message, call->arena, &claim, &digest, &ctx) != TL_OK ||
        tl_auth_verify(&verdict, call->arena, &claim, message, &ctx) != TL_OK) {
        return refuse_memory(call);
    }
    if (verdict.kind != TL_AUTH_OK) {
        return refuse_verdict(call, &verdict);
    }
    call->caller.hotkey = claim.sender;
    return pass_replay(call, &claim);
}

/* What the metagraph says, and what the route asks for. */
static bool pass_member(tl_api_call *call)
{
    const tl_api_settings *s = &call->api->settings;
    tl_api_caller *c = &call->caller;
    const tl_api_auth auth = call->route->spec->auth;
    c->is_member = s->member != NULL && s->member(s->self, &c->member, &c->hotkey);
    c->is_validator =
        c->is_member && c->member.has_permit && c->member.stake_rao >= s->validator_stake_rao;
    if (auth != TL_API_SIGNED && !c->is_member) {
        tl__api_refuse(call, TL_API_NOT_REGISTERED, NULL, "The hotkey is not registered");
        return false;
    }
    if (auth == TL_API_VALIDATOR && !c->is_validator) {
        tl__api_refuse(call, TL_API_NOT_PERMITTED, NULL,
                       "This is for validators with a permit and the stake that is asked for");
        return false;
    }
    return true;
}

static bool pass_signed(tl_api_call *call)
{
    const bool is_original =
        call->api->settings.is_compat && call->route->spec->commitments != NULL && !is_btauth(call);
    if (!(is_original ? tl__compat_pass(call) : pass_btauth(call))) {
        return false;
    }
    tl_api_caller *c = &call->caller;
    c->is_signed = true; /* API-1 */
    (void)tl_ss58_encode(c->ss58, &c->hotkey, TL_SS58_PREFIX_GENERIC);
    memcpy(c->subject, c->ss58, sizeof c->ss58);
    if (!tl_limit_lists_admits_hotkey(call->api->lists, &c->hotkey)) {
        tl__api_refuse(call, TL_API_FORBIDDEN, NULL, "The hotkey is on the blacklist");
        return false;
    }
    return pass_member(call);
}

/* --- people --- */

static const tl_http_header *bearer(const tl_api_call *call)
{
    return tl_http_find(call->headers, TL_STR("authorization"));
}

static const tl_http_header *api_key(const tl_api_call *call)
{
    return tl_http_find(call->headers, TL_STR("x-api-key"));
}

static bool refuse_credentials(tl_api_call *call, tl_err err, const tl_errctx *ctx)
{
    if (err == TL_ERR_REFUSED) {
        tl__api_refuse(call, TL_API_BAD_CREDENTIALS, NULL, "The token or key is not taken");
        return false;
    }
    const tl_log_field fields[] = {TL_LOG_TEXT("error", tl_str_from_cstr(ctx->message))};
    tl_log_say(&call->log, TL_LOG_ERROR, "credentials cannot be looked up", fields, 1);
    tl__api_refuse(call, TL_API_BUSY, NULL, "Credentials cannot be looked up now");
    return false;
}

static bool pass_people(tl_api_call *call)
{
    const tl_api_settings *s = &call->api->settings;
    const tl_http_header *token = bearer(call);
    const tl_http_header *key = api_key(call);
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = TL_ERR_REFUSED;
    if ((token == NULL) == (key == NULL) || tl_http_count(call->headers, TL_STR("x-api-key")) > 1 ||
        tl_http_count(call->headers, TL_STR("authorization")) > 1) {
        tl__api_refuse(call, TL_API_MALFORMED_AUTH, NULL,
                       token == NULL && key == NULL ? "There is neither a token nor a key"
                                                    : "One token or one key is taken, not both");
        return false;
    }
    if (token != NULL && !tl_http_name_starts_with(token->value, TL_STR("Bearer "))) {
        tl__api_refuse(call, TL_API_MALFORMED_AUTH, NULL, "Authorization is not a Bearer token");
        return false;
    }
    if (token != NULL && s->token != NULL) {
        err = s->token(s->self, call->worker, &call->caller,
                       tl_str_trim(tl_str_slice(token->value, 7, token->value.len)), &ctx);
    } else if (key != NULL && s->key != NULL) {
        err = s->key(s->self, call->worker, &call->caller, key->value, &ctx);
    }
    if (err != TL_OK) {
        return refuse_credentials(call, err, &ctx);
    }
    const int needed = (int)call->route->spec->auth - (int)TL_API_VIEWER + TL_API_ROLE_VIEWER;
    if ((int)call->caller.role < needed) {
        tl__api_refuse(call, TL_API_NOT_PERMITTED, NULL, "The role does not allow it");
        return false;
    }
    return true;
}

bool tl__who_has_credentials(const tl_api_call *call)
{
    switch (call->route->spec->auth) {
    case TL_API_PUBLIC:
        return true;
    case TL_API_SIGNED:
    case TL_API_MEMBER:
    case TL_API_VALIDATOR:
        return is_btauth(call) ||
               (call->api->settings.is_compat && call->route->spec->commitments != NULL);
    case TL_API_VIEWER:
    case TL_API_OPERATOR:
    case TL_API_ADMIN:
        return bearer(call) != NULL || api_key(call) != NULL;
    }
    return false;
}

bool tl__who_pass(tl_api_call *call)
{
    switch (call->route->spec->auth) {
    case TL_API_PUBLIC:
        return true;
    case TL_API_SIGNED:
    case TL_API_MEMBER:
    case TL_API_VALIDATOR:
        return pass_signed(call);
    case TL_API_VIEWER:
    case TL_API_OPERATOR:
    case TL_API_ADMIN:
        return pass_people(call);
    }
    return false;
}
