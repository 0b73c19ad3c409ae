/* The synapse protocol of SDK 10.5 (wire spec sections 1.6 to 1.9): what default_verify asks of the headers, with its
 * texts. Numbers are read as Python reads them, in both modes: what is signed is the canonical figure. */
#include "sdk/auth/auth_internal.h"

#include <math.h>
#include <string.h>

#include "sdk/value/value.h"

enum field { HOTKEY, NONCE, UUID, VERSION, SIGNATURE, TIMEOUT, BODY_HASH, FIELD_COUNT };

static const char *const names[FIELD_COUNT] = {
    [HOTKEY] = "bt_header_dendrite_hotkey",       [NONCE] = "bt_header_dendrite_nonce",
    [UUID] = "bt_header_dendrite_uuid",           [VERSION] = "bt_header_dendrite_version",
    [SIGNATURE] = "bt_header_dendrite_signature", [TIMEOUT] = "timeout",
    [BODY_HASH] = "computed_body_hash",
};

#define VERSION_WITH_AGE 7002000 /* from SDK 7.2.0 on nonces are times */
#define TIMEOUT_S_MAX    120.0   /* the timeout is not signed: it may widen the window so far */
#define TIMEOUT_S_OF_NAN 12.0

/* In the compatibility mode a nonce of any age may come with a large timeout, so how long it counts as fresh has no
 * bound; the SDK forgets it when it is restarted, we after an hour. The one exception to AUTH-4. */
#define COMPAT_KEEP_NS (INT64_C(3600) * TL__NS_PER_S)

/* What the headers say, parsed. */
typedef struct figures {
    bool has_nonce;
    int64_t version;  /* INT64_MIN: none */
    double timeout_s; /* 0: none */
} figures;

/* Bytes that a status message may hold: it becomes a header. */
static void put_printable(tl_sb *sb, tl_str text, size_t len_max)
{
    for (size_t i = 0; i < text.len && i < len_max; i++) {
        const char c = text.ptr[i];
        tl_sb_put_char(sb, c >= 0x20 && c <= 0x7e ? c : '?');
    }
}

/* Not Verified with error: {text}. */
static tl_err refuse(tl__auth_head *head, const char *text)
{
    tl_sb sb;
    tl_sb_init(&sb, head->arena);
    tl_sb_put_cstr(&sb, "Not Verified with error: ");
    tl_sb_put_cstr(&sb, text);
    head->verdict->kind = TL_AUTH_NOT_VERIFIED;
    return tl_sb_finish(&head->verdict->message, &sb, NULL);
}

/* {value:.2f}, rounded half to even on the exact value, as Python's format does. */
static void put_2f(tl_sb *sb, double value)
{
    if (isnan(value)) {
        tl_sb_put_cstr(sb, "nan");
        return;
    }
    if (signbit(value)) {
        tl_sb_put_char(sb, '-');
        value = -value;
    }
    if (isinf(value)) {
        tl_sb_put_cstr(sb, "inf");
        return;
    }
    int exponent;
    const uint64_t digits = (uint64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53; /* value = digits * 2^exponent; digits below 2^53 */
    uint64_t whole;
    uint64_t cents;
    if (exponent >= 0) {
        /* 2^53 seconds and more: no clock gets there; what does not fit is cut */
        whole = exponent < 11 ? digits << exponent : UINT64_MAX;
        cents = 0;
    } else if (exponent < -62) {
        whole = 0;
        cents = 0;
    } else {
        const unsigned shift = (unsigned)-exponent;
        whole = digits >> shift;
        const uint64_t fraction = digits & ((UINT64_C(1) << shift) - 1);
        __extension__ typedef unsigned __int128 wide;
        const wide hundred = (wide)fraction * 100;
        cents = (uint64_t)(hundred >> shift);
        const wide rest = hundred & (((wide)1 << shift) - 1);
        const wide half = (wide)1 << (shift - 1);
        cents += rest > half || (rest == half && (cents & 1) != 0) ? 1 : 0;
        whole += cents / 100;
        cents %= 100;
    }
    tl_sb_put_u64(sb, whole);
    tl_sb_put_char(sb, '.');
    tl_sb_put_char(sb, (char)('0' + cents / 10));
    tl_sb_put_char(sb, (char)('0' + cents % 10));
}

static tl_err refuse_age(tl__auth_head *head, const char *before, double delta_s, double age_s,
                         const char *after)
{
    tl_sb sb;
    tl_sb_init(&sb, head->arena);
    tl_sb_put_cstr(&sb, "Not Verified with error: ");
    tl_sb_put_cstr(&sb, before);
    tl_sb_put_cstr(&sb, ": acceptable delta is ");
    put_2f(&sb, delta_s);
    tl_sb_put_cstr(&sb, " seconds but request was ");
    put_2f(&sb, age_s);
    tl_sb_put_cstr(&sb, after);
    head->verdict->kind = TL_AUTH_NOT_VERIFIED;
    return tl_sb_finish(&head->verdict->message, &sb, NULL);
}

/* The figures, or a refusal: the SDK's parser ends with 500 for text that is no number. */
static tl_err read_figures(figures *out, tl__auth_head *head, const tl__auth_found *found,
                           const tl_str *value)
{
    tl_auth_claim *c = head->claim;
    *out = (figures){.has_nonce = found[NONCE] == TL__AUTH_FOUND, .version = INT64_MIN};
    tl_err err = TL_OK;
    bool is_parsed = true;
    if (out->has_nonce) {
        c->nonce_text = value[NONCE];
        is_parsed =
            tl__auth_python_int(&c->nonce_text, &c->mark.signed_ns, head->arena, &err) && is_parsed;
    }
    if (found[VERSION] == TL__AUTH_FOUND && err == TL_OK) {
        tl_str text = value[VERSION];
        is_parsed = tl__auth_python_int(&text, &out->version, head->arena, &err) && is_parsed;
    }
    if (found[TIMEOUT] == TL__AUTH_FOUND) {
        is_parsed = tl_value_parse_float(&out->timeout_s, value[TIMEOUT]) && is_parsed;
    }
    if (err == TL_OK && !is_parsed) {
        return tl__auth_refuse(head, TL_AUTH_UNPARSED, "");
    }
    return err;
}

static tl_err check_hotkey(tl__auth_head *head, const tl__auth_found *found, const tl_str *value)
{
    if (found[HOTKEY] == TL__AUTH_ABSENT) {
        return refuse(head, "No SS58 formatted address or public key provided.");
    }
    tl_auth_claim *c = head->claim;
    c->sender_text = value[HOTKEY];
    uint16_t prefix;
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_ss58_decode_any(&c->sender, &prefix, c->sender_text, &why);
    if (err == TL_OK) {
        return TL_OK;
    }
    if (err == TL_ERR_CORRUPT) {
        return refuse(head, "Invalid SS58 address: Invalid checksum");
    }
    if (err == TL_ERR_SYNTAX) {
        return refuse(head, why.has_offset ? "Invalid SS58 address: Base 58 requirement is violated"
                                           : "Invalid SS58 address: Length is bad");
    }
    return refuse(head, "Invalid SS58 address: Invalid SS58 prefix byte.");
}

/* now - nonce in seconds: the difference is exact, as Python's integers are. */
static double age_s_of(const tl__auth_head *head)
{
    const int64_t nonce = head->claim->mark.nonce;
    int64_t age_ns;
    if (__builtin_sub_overflow(head->now_ns, nonce, &age_ns)) {
        return ((double)head->now_ns - (double)nonce) / 1e9;
    }
    return (double)age_ns / 1e9;
}

static const char newer[] = "Nonce is too old, a newer one was last processed";

/* Tally's default: comparison with the last nonce, then the age, for everybody. */
static tl_err check_nonce(tl__auth_head *head, const figures *f, bool is_known, int64_t last)
{
    tl_auth_claim *c = head->claim;
    if (is_known && c->mark.nonce <= last) {
        return refuse(head, newer);
    }
    double timeout_s = isnan(f->timeout_s) ? TIMEOUT_S_OF_NAN : f->timeout_s;
    timeout_s = timeout_s < 0.0 ? 0.0 : timeout_s;
    timeout_s = timeout_s > TIMEOUT_S_MAX ? TIMEOUT_S_MAX : timeout_s;
    const int64_t window_ns = head->back_ns + (int64_t)(timeout_s * 1e9);
    const double age_s = age_s_of(head);
    if (c->mark.nonce <= tl__auth_add(head->now_ns, -window_ns)) {
        return refuse_age(head, "Nonce is too old", (double)window_ns / 1e9, age_s, " seconds old");
    }
    if (c->mark.nonce > tl__auth_add(head->now_ns, head->ahead_ns)) {
        return refuse_age(head, "Nonce is too far in the future", (double)head->ahead_ns / 1e9,
                          -age_s, " seconds ahead");
    }
    return TL_OK;
}

/* The SDK's rules: the age of a key that is not known, and of newer clients only; the window in floating point. */
static tl_err check_nonce_compat(tl__auth_head *head, const figures *f, bool is_known, int64_t last)
{
    tl_auth_claim *c = head->claim;
    if (is_known) {
        return c->mark.nonce <= last ? refuse(head, newer) : TL_OK;
    }
    if (f->version < VERSION_WITH_AGE) {
        return TL_OK;
    }
    bool is_old;
    if (f->timeout_s == 0.0) { /* Python's `timeout or 0` stays an integer */
        is_old = c->mark.nonce <= tl__auth_add(head->now_ns, -head->back_ns);
    } else {
        const double oldest =
            (double)tl__auth_add(head->now_ns, -head->back_ns) - f->timeout_s * 1e9;
        is_old = oldest >= 0x1p63 || (oldest >= -0x1p63 && c->mark.nonce <= (int64_t)floor(oldest));
    }
    if (!is_old) {
        return TL_OK;
    }
    return refuse_age(head, "Nonce is too old", ((double)head->back_ns + f->timeout_s * 1e9) / 1e9,
                      age_s_of(head), " seconds old");
}

/* The first character that is no hex digit, as the wallet's library shows it. */
static tl_err refuse_character(tl__auth_head *head, tl_str digits)
{
    size_t at = 0;
    while (at < digits.len && memchr("0123456789abcdefABCDEF", digits.ptr[at], 22) != NULL) {
        at++;
    }
    TL_ASSERT(at < digits.len);
    tl_sb sb;
    tl_sb_init(&sb, head->arena);
    tl_sb_put_cstr(&sb, "Not Verified with error: Invalid hex string: InvalidHexCharacter { c: '");
    if (digits.ptr[at] == '\'' || digits.ptr[at] == '\\') {
        tl_sb_put_char(&sb, '\\');
    }
    put_printable(&sb, tl_str_slice(digits, at, at + 1), 1);
    tl_sb_printf(&sb, "', index: %zu }", at);
    head->verdict->kind = TL_AUTH_NOT_VERIFIED;
    return tl_sb_finish(&head->verdict->message, &sb, NULL);
}

/* The signature's text becomes bytes; the texts are those of the SDK's wallet. */
static tl_err read_signature(tl__auth_head *head, tl_str text, tl_errctx *ctx)
{
    if (text.len == 0) { /* AUTH-2 */
        return refuse(head, "Missing Signature");
    }
    if (!tl_str_starts_with(text, TL_STR("0x"))) {
        return refuse(head, "Invalid signature format. Expected hex string.");
    }
    const tl_str digits = tl_str_slice(text, 2, text.len);
    if (digits.len % 2 != 0) {
        return refuse(head, "Invalid hex string: OddLength");
    }
    bool is_hex;
    tl_auth_claim *c = head->claim;
    /* the text behind 0x as it is: a second 0x is no hex */
    TL_TRY(tl__auth_unhex(&c->signature, &is_hex, head->arena, text, false, ctx));
    if (!is_hex) {
        return refuse_character(head, digits);
    }
    if (c->signature.len != tl_scheme_sr25519()->signature_len_max) {
        return refuse(head, "Invalid SR25519 signature.");
    }
    c->signature_text = text;
    return TL_OK;
}

static tl_err check_nonces(tl__auth_head *head, const figures *f)
{
    tl_auth_claim *c = head->claim;
    if (!f->has_nonce) {
        return refuse(head, "Missing Nonce");
    }
    c->mark.rule = TL_AUTH_RISING;
    c->mark.sender = c->sender;
    c->mark.id = c->uuid;
    c->mark.nonce = c->mark.signed_ns;
    const int64_t widest = tl__auth_add(head->back_ns, (int64_t)TIMEOUT_S_MAX * TL__NS_PER_S);
    tl__auth_head wide = *head;
    wide.back_ns = widest;
    c->mark.keep_until_ns = head->rules->is_compat ? tl__auth_add(head->now_ns, COMPAT_KEEP_NS)
                                                   : tl__auth_keep_until(&wide, c->mark.signed_ns);
    const tl_auth_memory *memory = head->rules->memory;
    int64_t last = 0;
    const bool is_known = memory != NULL && memory->last(memory->self, &c->mark, &last);
    return head->rules->is_compat ? check_nonce_compat(head, f, is_known, last)
                                  : check_nonce(head, f, is_known, last);
}

static tl_err check(tl__auth_head *head, tl_errctx *ctx)
{
    tl_auth_claim *c = head->claim;
    tl__auth_found found[FIELD_COUNT];
    tl_str value[FIELD_COUNT] = {{NULL, 0}};
    const tl__auth_pick pick = head->rules->is_compat ? TL__AUTH_FIRST : TL__AUTH_ONLY;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        found[i] = tl__auth_field(&value[i], head->request->headers, names[i], pick);
        if (found[i] == TL__AUTH_TWICE) { /* AUTH-3 */
            return tl__auth_refuse(head, TL_AUTH_DUPLICATE, "a signed header comes twice");
        }
    }
    const tl_str none = TL_STR("None");
    c->uuid = found[UUID] == TL__AUTH_FOUND ? value[UUID] : none;
    c->body_hash = found[BODY_HASH] == TL__AUTH_FOUND ? value[BODY_HASH] : none;
    c->receiver_text = head->rules->self_ss58;
    c->scheme = tl_scheme_sr25519();
    figures f;
    TL_TRY(read_figures(&f, head, found, value));
    if (head->verdict->kind == TL_AUTH_OK) {
        TL_TRY(check_hotkey(head, found, value));
    }
    if (head->verdict->kind == TL_AUTH_OK) {
        TL_TRY(check_nonces(head, &f));
    }
    if (head->verdict->kind == TL_AUTH_OK) {
        TL_TRY(read_signature(
            head, found[SIGNATURE] == TL__AUTH_FOUND ? value[SIGNATURE] : (tl_str){NULL, 0}, ctx));
    }
    if (head->verdict->kind == TL_AUTH_OK &&
        tl_scheme_admit(head->rules->schemes, &c->sender, c->scheme, NULL) != TL_OK) {
        return refuse(head, "The signature scheme is not the one that is trusted for this hotkey");
    }
    return TL_OK;
}

/* {nonce}.{dendrite_hotkey}.{axon_hotkey}.{dendrite_uuid}.{body_hash} */
static void put_message(tl_sb *sb, tl_str nonce, tl_str dendrite, tl_str axon, tl_str uuid,
                        tl_str body_hash)
{
    const tl_str parts[] = {nonce, dendrite, axon, uuid, body_hash};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (i > 0) {
            tl_sb_put_char(sb, '.');
        }
        tl_sb_put(sb, parts[i]);
    }
}

static tl_err message(tl_sb *sb, const tl_auth_claim *c, const tl_hash32 *body_sha256,
                      tl_errctx *ctx)
{
    (void)body_sha256;
    (void)ctx;
    put_message(sb, c->nonce_text, c->sender_text, c->receiver_text, c->uuid, c->body_hash);
    return TL_OK;
}

static tl_err mismatch(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                       tl_bytes text, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "Not Verified with error: Signature mismatch with ");
    put_printable(&sb, (tl_str){(const char *)text.ptr, text.len}, TL_AUTH_MESSAGE_MAX - 512);
    tl_sb_put_cstr(&sb, " and ");
    put_printable(&sb, claim->signature_text, 256);
    verdict->kind = TL_AUTH_NOT_VERIFIED;
    TL_TRY(tl_sb_finish(&verdict->message, &sb, ctx));
    TL_ASSERT(verdict->message.len <= TL_AUTH_MESSAGE_MAX);
    return TL_OK;
}

static tl_err sign(tl_http_headers *out, tl_arena *arena, const tl_keypair *pair,
                   const tl_auth_outgoing *what, const tl_entropy *entropy, tl_errctx *ctx)
{
    tl_str sender;
    tl_str nonce;
    TL_TRY(tl__auth_own_address(&sender, arena, pair, ctx));
    TL_TRY(tl__auth_figure(&nonce, arena, what, 1, ctx));
    tl_sb sb;
    tl_sb_init(&sb, arena);
    put_message(&sb, nonce, sender, what->receiver, what->uuid, what->body_hash);
    tl_str text;
    tl_str signature;
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl__auth_signature_text(&signature, arena, pair, tl_str_bytes(text), entropy, ctx));
    tl__auth_out headers = {.count = 0};
    tl__auth_put(&headers, names[NONCE], nonce);
    tl__auth_put(&headers, names[UUID], what->uuid);
    tl__auth_put(&headers, names[HOTKEY], sender);
    tl__auth_put(&headers, names[SIGNATURE], signature);
    return tl__auth_finish(out, arena, &headers, ctx);
}

static const struct tl_auth_steps steps = {check, message, mismatch, sign};

const tl_auth_family tl__auth_v10 = {
    .id = TL_AUTH_V10,
    .name = {"v10", 3},
    .prefix = {"bt_header_", 10},
    .hotkey = "bt_header_dendrite_hotkey",
    .hashes_body = false,
    .back_ns = 4 * TL__NS_PER_S, /* and the request's timeout */
    .ahead_ns = 2 * TL__NS_PER_S,
    .steps = &steps,
};
