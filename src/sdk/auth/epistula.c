/* Epistula v2 (wire spec section 9.7): method, path and query are not covered; the uuid is what comes once. */
#include "sdk/auth/auth_internal.h"

#include "core/codec/hex/hex.h"

enum field { VERSION, TIMESTAMP, UUID, SIGNED_BY, SIGNED_FOR, SIGNATURE, FIELD_COUNT };

static const char *const names[FIELD_COUNT] = {
    [VERSION] = "epistula-version",
    [TIMESTAMP] = "epistula-timestamp",
    [UUID] = "epistula-uuid",
    [SIGNED_BY] = "epistula-signed-by",
    [SIGNED_FOR] = "epistula-signed-for",
    [SIGNATURE] = "epistula-request-signature",
};

#define UUID_LEN_MAX   64
#define SECRET_STEP_MS 10000

static bool is_uuid(tl_str text)
{
    if (text.len == 0 || text.len > UUID_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e) { /* visible ASCII */
            return false;
        }
    }
    return true;
}

static tl_err check_form(tl__auth_head *head, const tl__auth_found *found, const tl_str *value,
                         tl_errctx *ctx)
{
    tl_auth_claim *c = head->claim;
    /* verifiers in the field do not read the version; the compatibility mode does as they do */
    if (!head->rules->is_compat &&
        (found[VERSION] == TL__AUTH_ABSENT || !tl_str_eq_cstr(value[VERSION], "2"))) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "Epistula-Version is missing or not 2");
    }
    if (found[SIGNED_BY] == TL__AUTH_ABSENT || value[SIGNED_BY].len == 0) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "Epistula-Signed-By is missing");
    }
    int64_t ms;
    if (found[TIMESTAMP] == TL__AUTH_ABSENT || !tl__auth_decimal(&ms, value[TIMESTAMP])) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED,
                               "Epistula-Timestamp is missing or no decimal integer");
    }
    if (found[UUID] == TL__AUTH_ABSENT || !is_uuid(value[UUID])) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED,
                               "Epistula-Uuid is missing or not 1 to 64 visible characters");
    }
    if (found[SIGNATURE] == TL__AUTH_ABSENT) { /* AUTH-2 */
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "Epistula-Request-Signature is missing");
    }
    bool is_hex;
    TL_TRY(tl__auth_unhex(&c->signature, &is_hex, head->arena, value[SIGNATURE], false, ctx));
    if (!is_hex) {
        return tl__auth_refuse(head, TL_AUTH_MALFORMED, "Epistula-Request-Signature is no hex");
    }
    c->scheme = tl_scheme_sr25519();
    c->sender_text = value[SIGNED_BY];
    c->uuid = value[UUID];
    c->nonce_text = value[TIMESTAMP];
    if (__builtin_mul_overflow(ms, TL__NS_PER_MS, &c->mark.signed_ns)) {
        c->mark.signed_ns = INT64_MAX;
    }
    return TL_OK;
}

static tl_err check(tl__auth_head *head, tl_errctx *ctx)
{
    tl_auth_claim *c = head->claim;
    tl__auth_found found[FIELD_COUNT];
    tl_str value[FIELD_COUNT] = {{NULL, 0}};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        found[i] = tl__auth_field(&value[i], head->request->headers, names[i], TL__AUTH_ONLY);
        if (found[i] == TL__AUTH_TWICE) {
            return tl__auth_refuse(head, TL_AUTH_MALFORMED, "a signed header comes twice");
        }
    }
    TL_TRY(check_form(head, found, value, ctx));
    if (head->verdict->kind != TL_AUTH_OK) {
        return TL_OK;
    }
    if (found[SIGNED_FOR] == TL__AUTH_ABSENT) {
        if (!head->rules->is_receiver_waived) {
            return tl__auth_refuse(head, TL_AUTH_RECEIVER,
                                   "Epistula-Signed-For is missing: requests here are bound to a "
                                   "receiver");
        }
    } else if (!tl_str_eq(value[SIGNED_FOR], head->rules->self_ss58)) {
        return tl__auth_refuse(head, TL_AUTH_RECEIVER, "signed for another receiver");
    }
    c->receiver_text = value[SIGNED_FOR];
    if (!tl__auth_is_fresh(head, c->mark.signed_ns)) {
        return tl__auth_refuse(head, TL_AUTH_STALE,
                               "the timestamp is outside the window: too old, or from the future");
    }
    c->mark.rule = TL_AUTH_ONCE_UUID;
    c->mark.id = c->uuid;
    c->mark.keep_until_ns = tl__auth_keep_until(head, c->mark.signed_ns);
    TL_TRY(tl__auth_check_signer(head));
    c->mark.sender = c->sender;
    return TL_OK;
}

/* {sha256 hex of the body}.{uuid}.{timestamp}.{signed_for or empty} */
static void put_message(tl_sb *sb, const tl_hash32 *body, tl_str uuid, tl_str timestamp,
                        tl_str signed_for)
{
    tl_hex_encode(sb, body->b, sizeof body->b);
    tl_sb_put_char(sb, '.');
    tl_sb_put(sb, uuid);
    tl_sb_put_char(sb, '.');
    tl_sb_put(sb, timestamp);
    tl_sb_put_char(sb, '.');
    tl_sb_put(sb, signed_for);
}

static tl_err message(tl_sb *sb, const tl_auth_claim *c, const tl_hash32 *body_sha256,
                      tl_errctx *ctx)
{
    (void)ctx;
    put_message(sb, body_sha256, c->uuid, c->nonce_text, c->receiver_text);
    return TL_OK;
}

static tl_err mismatch(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                       tl_bytes text, tl_errctx *ctx)
{
    return tl__auth_btauth.steps->mismatch(verdict, arena, claim, text, ctx);
}

/* Secret signatures: {i-1}.{for}, {i}.{for}, {i+1}.{for} with i = ceil(ms / 10000). Sent for servers that filter by
 * them; they cover nothing of the request and prove nothing, so nobody here reads them. */
static tl_err put_secrets(tl__auth_out *headers, tl_arena *arena, const tl_keypair *pair,
                          tl_str timestamp, tl_str receiver, const tl_entropy *entropy,
                          tl_errctx *ctx)
{
    static const char *const secret_names[] = {"Epistula-Secret-Signature-0",
                                               "Epistula-Secret-Signature-1",
                                               "Epistula-Secret-Signature-2"};
    int64_t ms;
    if (!tl__auth_decimal(&ms, timestamp) || ms > INT64_MAX - SECRET_STEP_MS) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "nonce", "a timestamp beyond 63 bits");
    }
    const int64_t interval = (ms + SECRET_STEP_MS - 1) / SECRET_STEP_MS;
    for (int64_t i = 0; i < 3; i++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_put_i64(&sb, interval - 1 + i);
        tl_sb_put_char(&sb, '.');
        tl_sb_put(&sb, receiver);
        tl_str text;
        tl_str signature;
        TL_TRY(tl_sb_finish(&text, &sb, ctx));
        TL_TRY(tl__auth_signature_text(&signature, arena, pair, tl_str_bytes(text), entropy, ctx));
        tl__auth_put(headers, secret_names[i], signature);
    }
    return TL_OK;
}

static tl_err sign(tl_http_headers *out, tl_arena *arena, const tl_keypair *pair,
                   const tl_auth_outgoing *what, const tl_entropy *entropy, tl_errctx *ctx)
{
    tl_str sender;
    tl_str timestamp;
    tl_str uuid = what->uuid;
    TL_TRY(tl__auth_own_address(&sender, arena, pair, ctx));
    TL_TRY(tl__auth_figure(&timestamp, arena, what, TL__NS_PER_MS, ctx));
    if (uuid.len == 0) {
        char fresh[TL_AUTH_UUID_CAP];
        TL_TRY(tl_auth_uuid4(fresh, entropy, ctx));
        TL_TRY(tl_str_copy(&uuid, arena, tl_str_from_cstr(fresh), ctx));
    } else if (!is_uuid(uuid)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "uuid", "not 1 to %d visible characters",
                             UUID_LEN_MAX);
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    put_message(&sb, &what->body_sha256, uuid, timestamp, what->receiver);
    tl_str text;
    tl_str signature;
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl__auth_signature_text(&signature, arena, pair, tl_str_bytes(text), entropy, ctx));
    tl__auth_out headers = {.count = 0};
    tl__auth_put(&headers, "Epistula-Version", TL_STR("2"));
    tl__auth_put(&headers, "Epistula-Timestamp", timestamp);
    tl__auth_put(&headers, "Epistula-Uuid", uuid);
    tl__auth_put(&headers, "Epistula-Signed-By", sender);
    tl__auth_put(&headers, "Epistula-Request-Signature", signature);
    if (what->receiver.len > 0) {
        tl__auth_put(&headers, "Epistula-Signed-For", what->receiver);
        if (!what->omits_secrets) {
            TL_TRY(put_secrets(&headers, arena, pair, timestamp, what->receiver, entropy, ctx));
        }
    }
    return tl__auth_finish(out, arena, &headers, ctx);
}

static const struct tl_auth_steps steps = {check, message, mismatch, sign};

const tl_auth_family tl__auth_epistula = {
    .id = TL_AUTH_EPISTULA,
    .name = {"epistula", 8},
    .prefix = {"epistula-", 9},
    .hotkey = "epistula-signed-by",
    .hashes_body = true,
    .back_ns = 8 * TL__NS_PER_S,
    .ahead_ns = 2 * TL__NS_PER_S,
    .steps = &steps,
};
