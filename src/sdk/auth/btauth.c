/* btauth/1, the signed requests of SDK 11 (wire spec sections 9.1 to 9.6). */
#include "sdk/auth/auth_internal.h"

#include "core/codec/hex/hex.h"

enum field { VERSION, HOTKEY, NONCE, CRYPTO, SIGNATURE, RECEIVER, FIELD_COUNT };

static const char *const names[FIELD_COUNT] = {
    [VERSION] = "x-bittensor-version",     [HOTKEY] = "x-bittensor-hotkey",
    [NONCE] = "x-bittensor-nonce",         [CRYPTO] = "x-bittensor-crypto",
    [SIGNATURE] = "x-bittensor-signature", [RECEIVER] = "x-bittensor-receiver",
};

/* Path and query of a target in absolute form; any other target as it is. */
static tl_err origin_form(tl_str *out, tl_arena *arena, tl_str target, tl_errctx *ctx)
{
    size_t from = 0;
    if (tl_http_name_starts_with(target, TL_STR("http://"))) {
        from = 7;
    } else if (tl_http_name_starts_with(target, TL_STR("https://"))) {
        from = 8;
    } else {
        *out = target;
        return TL_OK;
    }
    while (from < target.len && target.ptr[from] != '/' && target.ptr[from] != '?') {
        from++;
    }
    const tl_str rest = tl_str_slice(target, from, target.len);
    if (rest.len > 0 && rest.ptr[0] == '/') {
        *out = rest;
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_char(&sb, '/');
    tl_sb_put(&sb, rest);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err upper(tl_str *out, tl_arena *arena, tl_str text, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        tl_sb_put_char(&sb, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    return tl_sb_finish(out, &sb, ctx);
}

/* Check 3: text becomes canonical. */
static tl_err read_nonce(tl__auth_head *head, tl_str text)
{
    tl_auth_claim *c = head->claim;
    c->nonce_text = text;
    int64_t *value = &c->mark.signed_ns;
    tl_err err = TL_OK;
    const bool is_number = head->rules->is_compat
                               ? tl__auth_python_int(&c->nonce_text, value, head->arena, &err)
                               : tl__auth_decimal(value, text);
    if (err == TL_OK && !is_number) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Nonce is no decimal integer");
    }
    return err;
}

/* Check 4. */
static tl_err read_scheme(tl__auth_head *head, tl_str text)
{
    tl_err err = TL_OK;
    head->claim->scheme = head->rules->is_compat ? tl__auth_python_scheme(text, head->arena, &err)
                                                 : tl_scheme_parse(text);
    if (err == TL_OK && head->claim->scheme == NULL) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Crypto names no scheme");
    }
    return err;
}

/* Check 6. */
static tl_err check_receiver(tl__auth_head *head, bool is_bound, tl_str receiver)
{
    if (!is_bound) {
        return head->rules->is_receiver_waived
                   ? TL_OK
                   : tl__auth_refuse(head, TL_AUTH_RECEIVER,
                                     "X-Bittensor-Receiver is missing: requests here are bound to "
                                     "a receiver");
    }
    if (!tl_str_eq(receiver, head->rules->self_ss58)) {
        return tl__auth_refuse(head, TL_AUTH_RECEIVER, "signed for another receiver");
    }
    head->claim->receiver_text = receiver;
    return TL_OK;
}

/* Checks 1 to 5: what must be there, and in which form. */
static tl_err check_form(tl__auth_head *head, const tl__auth_found *found, const tl_str *value,
                         tl_errctx *ctx)
{
    tl_auth_claim *c = head->claim;
    if (found[VERSION] == TL__AUTH_ABSENT || !tl_str_eq_cstr(value[VERSION], "1")) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Version is missing or not 1");
    }
    if (found[HOTKEY] == TL__AUTH_ABSENT || value[HOTKEY].len == 0) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Hotkey is missing");
    }
    c->sender_text = value[HOTKEY];
    if (found[NONCE] == TL__AUTH_ABSENT) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Nonce is missing");
    }
    TL_TRY(read_nonce(head, value[NONCE]));
    if (head->verdict->kind != TL_AUTH_OK) {
        return TL_OK;
    }
    TL_TRY(read_scheme(head, found[CRYPTO] == TL__AUTH_ABSENT ? TL_STR("sr25519") : value[CRYPTO]));
    if (head->verdict->kind != TL_AUTH_OK) {
        return TL_OK;
    }
    if (found[SIGNATURE] == TL__AUTH_ABSENT) { /* AUTH-2 */
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Signature is missing");
    }
    bool is_hex;
    TL_TRY(tl__auth_unhex(&c->signature, &is_hex, head->arena, value[SIGNATURE],
                          head->rules->is_compat, ctx));
    return is_hex ? TL_OK
                  : tl__auth_refuse(head, TL_AUTH_MALFORMED, "X-Bittensor-Signature is no hex");
}

static tl_err check(tl__auth_head *head, tl_errctx *ctx)
{
    tl_auth_claim *c = head->claim;
    tl__auth_found found[FIELD_COUNT];
    tl_str value[FIELD_COUNT] = {{NULL, 0}};
    const tl__auth_pick pick = head->rules->is_compat ? TL__AUTH_LAST : TL__AUTH_ONLY;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        found[i] = tl__auth_field(&value[i], head->request->headers, names[i], pick);
        if (found[i] == TL__AUTH_TWICE) {
            return tl__auth_refuse(head, TL_AUTH_MALFORMED, "a signed header comes twice");
        }
    }
    TL_TRY(check_form(head, found, value, ctx));
    if (head->verdict->kind == TL_AUTH_OK) {
        TL_TRY(check_receiver(head, found[RECEIVER] == TL__AUTH_FOUND, value[RECEIVER]));
    }
    if (head->verdict->kind == TL_AUTH_OK && !tl__auth_is_fresh(head, c->mark.signed_ns)) {
        return tl__auth_refuse(head, TL_AUTH_STALE,
                               "the nonce is outside the window: too old, or from the future");
    }
    if (head->verdict->kind == TL_AUTH_OK) {
        TL_TRY(tl__auth_check_signer(head));
    }
    if (head->verdict->kind != TL_AUTH_OK) {
        return TL_OK;
    }
    c->mark.rule = TL_AUTH_ONCE_NONCE;
    c->mark.sender = c->sender;
    c->mark.id = c->nonce_text;
    c->mark.keep_until_ns = tl__auth_keep_until(head, c->mark.signed_ns);
    TL_TRY(upper(&c->method, head->arena, head->request->method, ctx));
    return origin_form(&c->target, head->arena, head->request->target, ctx);
}

/* Eight lines, no line end behind the last. */
static void put_payload(tl_sb *sb, const char *scheme, tl_str method, tl_str target,
                        const tl_hash32 *body, tl_str nonce, tl_str sender, tl_str receiver)
{
    tl_sb_put_cstr(sb, "btauth/1\n");
    tl_sb_put_cstr(sb, scheme);
    tl_sb_put_char(sb, '\n');
    tl_sb_put(sb, method);
    tl_sb_put_char(sb, '\n');
    tl_sb_put(sb, target);
    tl_sb_put_char(sb, '\n');
    tl_hex_encode(sb, body->b, sizeof body->b);
    tl_sb_put_char(sb, '\n');
    tl_sb_put(sb, nonce);
    tl_sb_put_char(sb, '\n');
    tl_sb_put(sb, sender);
    tl_sb_put_char(sb, '\n');
    tl_sb_put(sb, receiver.len > 0 ? receiver : TL_STR("-"));
}

static tl_err message(tl_sb *sb, const tl_auth_claim *c, const tl_hash32 *body_sha256,
                      tl_errctx *ctx)
{
    (void)ctx;
    put_payload(sb, c->scheme->name, c->method, c->target, body_sha256, c->nonce_text,
                c->sender_text, c->receiver_text);
    return TL_OK;
}

static tl_err mismatch(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                       tl_bytes text, tl_errctx *ctx)
{
    (void)arena;
    (void)claim;
    (void)text;
    (void)ctx;
    *verdict =
        (tl_auth_verdict){TL_AUTH_SIGNATURE, TL_STR("the signature does not hold for this hotkey")};
    return TL_OK;
}

static tl_err sign(tl_http_headers *out, tl_arena *arena, const tl_keypair *pair,
                   const tl_auth_outgoing *what, const tl_entropy *entropy, tl_errctx *ctx)
{
    tl_str sender;
    tl_str nonce;
    tl_str method;
    TL_TRY(tl__auth_own_address(&sender, arena, pair, ctx));
    TL_TRY(tl__auth_figure(&nonce, arena, what, 1, ctx));
    TL_TRY(upper(&method, arena, what->method, ctx));
    const char *scheme = tl_keypair_scheme(pair)->name;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    put_payload(&sb, scheme, method, what->target, &what->body_sha256, nonce, sender,
                what->receiver);
    tl_str payload;
    tl_str signature;
    TL_TRY(tl_sb_finish(&payload, &sb, ctx));
    TL_TRY(tl__auth_signature_text(&signature, arena, pair, tl_str_bytes(payload), entropy, ctx));
    tl__auth_out headers = {.count = 0};
    tl__auth_put(&headers, "X-Bittensor-Version", TL_STR("1"));
    tl__auth_put(&headers, "X-Bittensor-Hotkey", sender);
    tl__auth_put(&headers, "X-Bittensor-Nonce", nonce);
    tl__auth_put(&headers, "X-Bittensor-Signature", signature);
    if (tl_keypair_scheme(pair) != tl_scheme_sr25519()) {
        tl__auth_put(&headers, "X-Bittensor-Crypto", tl_str_from_cstr(scheme));
    }
    if (what->receiver.len > 0) {
        tl__auth_put(&headers, "X-Bittensor-Receiver", what->receiver);
    }
    return tl__auth_finish(out, arena, &headers, ctx);
}

static const struct tl_auth_steps steps = {check, message, mismatch, sign};

const tl_auth_family tl__auth_btauth = {
    .id = TL_AUTH_BTAUTH,
    .name = {"btauth", 6},
    .prefix = {"x-bittensor-", 12},
    .hotkey = "x-bittensor-hotkey",
    .hashes_body = true,
    .back_ns = 10 * TL__NS_PER_S,
    .ahead_ns = 2 * TL__NS_PER_S,
    .steps = &steps,
};
