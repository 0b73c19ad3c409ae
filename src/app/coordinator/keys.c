/* API keys and tokens, handed out over the wire by whoever may. */
#include "app/coordinator/coordinator_internal.h"

static tl_access_actor actor_of(const tl_api_call *call)
{
    return (tl_access_actor){.name = tl_str_from_cstr(tl_api_call_caller(call)->subject),
                             .correlation = tl_api_call_id(call)};
}

/* The hash stays where it is. */
static void put_key(tl_json_writer *w, const tl_record_key *key)
{
    tl_json_put_object(w);
    tl__coordinator_put_text(w, "id", key->id);
    tl__coordinator_put_text(w, "scopes", key->scopes);
    tl__coordinator_put_text(w, "label", key->label);
    tl__coordinator_put_time(w, "createdAt", key->created_ms);
    tl__coordinator_put_time(w, "expiresAt", key->expires_ms);
    tl__coordinator_put_time(w, "revokedAt", key->revoked_ms);
    tl__coordinator_put_text_or_null(w, "replaces", key->replaces);
    tl_json_put_end(w);
}

tl_err tl__coordinator_list_keys(tl_api_call *call, tl_errctx *ctx)
{
    const tl_record_key *keys;
    size_t count;
    tl_sb sb;
    tl_json_writer w;
    const size_t limit = (size_t)tl_api_param_i64(call, "limit", 50);
    TL_TRY(tl_records_keys(tl__coordinator_records_of(call), &keys, &count,
                           tl_api_param_str(call, "cursor"), limit, tl_api_call_arena(call), ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_key(&w, &keys[i]);
    }
    tl_json_put_end(&w);
    tl__coordinator_put_text_or_null(&w, "nextCursor",
                                     count == limit ? keys[count - 1].id : (tl_str){NULL, 0});
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static tl_err answer_key(tl_api_call *call, const tl_access_new_key *made, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "id", made->id);
    tl__coordinator_put_text(&w, "key", made->key);
    tl__coordinator_put_time(&w, "expiresAt", made->expires_ms);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 201, &sb, ctx);
}

tl_err tl__coordinator_make_key(tl_api_call *call, tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    const tl_json *label = tl_json_get(body, "label");
    const tl_access_actor actor = actor_of(call);
    tl_access_new_key made;
    tl_str scopes;
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&scopes, body, "scopes", ctx));
    if (label != NULL) {
        TL_TRY(tl_json_as_str(&text, label, "label", ctx));
    }
    TL_TRY(tl_access_make_key(tl__coordinator_of(call)->access, tl__coordinator_records_of(call),
                              &made, tl_api_call_arena(call), scopes, text, &actor, ctx));
    return answer_key(call, &made, ctx);
}

tl_err tl__coordinator_rotate_key(tl_api_call *call, tl_errctx *ctx)
{
    const tl_access_actor actor = actor_of(call);
    tl_access_new_key made;
    const tl_err err = tl_access_rotate_key(
        tl__coordinator_of(call)->access, tl__coordinator_records_of(call), &made,
        tl_api_call_arena(call), tl_api_param_str(call, "keyId"), &actor, ctx);
    if (err == TL_ERR_STATE) {
        return tl_api_fail(call, TL_API_CONFLICT, "keyId", "The key is revoked");
    }
    TL_TRY(err);
    return answer_key(call, &made, ctx);
}

tl_err tl__coordinator_revoke_key(tl_api_call *call, tl_errctx *ctx)
{
    const tl_access_actor actor = actor_of(call);
    TL_TRY(tl_access_revoke_key(tl__coordinator_of(call)->access, tl__coordinator_records_of(call),
                                tl_api_param_str(call, "keyId"), &actor, ctx));
    tl_api_answer_empty(call);
    return TL_OK;
}

/* The note goes with the token: a token that nobody noted is not handed out (COORD-3). */
tl_err tl__coordinator_make_token(tl_api_call *call, tl_errctx *ctx)
{
    const tl_coordinator *c = tl__coordinator_of(call);
    const tl_json *body = tl_api_call_json(call);
    const tl_json *ttl = tl_json_get(body, "ttlSeconds");
    const tl_access_actor actor = actor_of(call);
    int64_t ttl_s = TL_ACCESS_TOKEN_S_DEFAULT;
    int64_t expires_s;
    tl_api_role role;
    tl_str word;
    tl_str token;
    char jti[33];
    tl_sb sb;
    tl_json_writer w;
    TL_TRY(tl_json_want_str(&word, body, "role", ctx));
    if (!tl_access_role_parse(&role, word)) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/role", "It is no role");
    }
    if (ttl != NULL) {
        TL_TRY(tl_json_as_i64(&ttl_s, ttl, "ttlSeconds", ctx));
    }
    TL_TRY(tl_access_make_token(c->access, &token, &expires_s, jti, tl_api_call_arena(call), role,
                                ttl_s, actor.name, ctx));
    TL_TRY(tl_access_note(c->access, tl__coordinator_records_of(call), &actor,
                          TL_STR("token.create"), tl_str_from_cstr(jti), (tl_str){NULL, 0}, ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "token", token);
    tl__coordinator_put_time(&w, "expiresAt", expires_s * 1000);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 201, &sb, ctx);
}
