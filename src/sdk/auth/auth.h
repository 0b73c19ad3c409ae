/* auth: who signed a request, by which protocol, and whether to believe it.
 * For         one server for every protocol that miners and validators sign with: v10, btauth/1, Epistula v2
 * Takes       a request's method, target and headers; the SHA-256 of its body; a clock's figure; rules of the route
 * Gives       a claim, the bytes that were signed, a verdict; the other way round: the headers of a signed request
 * Calls       core/crypto (keypair, hash, key), io/net/message      Called by   sdk/replay, sdk/axon, sdk/dendrite, app
 * Owns        nothing: claims and messages live in the request's arena and look into its headers
 * Threads     pure functions, anywhere
 * Invariants  AUTH-1 a verdict of a signed route repeats nothing that the request sent
 *             AUTH-2 an absent signature and a weak key are refused on every protocol, in both modes
 *             AUTH-3 a request that two families claim is refused, and so is (by default) a header that comes twice
 *             AUTH-4 what the replay store is to remember outlives the time in which the request counts as fresh
 * Read        family.c, then btauth.c, then epistula.c and v10.c; sign.c for the other side
 *
 * Verification runs in the order of the wire spec, section 9.4, and its halves lie on both sides of the body:
 *
 *     headers ─▶ tl_auth_detect ─▶ tl_auth_check_head ───────▶ claim        checks 1 to 7, and 8 as far as it needs no
 *                (none, one, two    (malformed, receiver,        │          body: the head is judged before a byte of
 *                 families)          stale, pins)                │          the body was read
 *                                                                ▼
 *     body ────▶ SHA-256 ─────────▶ tl_auth_message ──────▶ the bytes that were signed
 *                                                                │
 *                                   tl_auth_verify ◀─────────────┤          one signature; or the parts for a batch,
 *                                   (bad signature)              ▼          judged by tl_auth_judge
 *                                   tl_replay_keep (sdk/replay): only now is anything remembered
 *
 * A family is one file and one row of the table in family.c: how its headers are called, how its head is checked, what
 * was signed, what the replay store keys on, how a client signs.
 *
 * Where the spec leaves a choice:
 *   - Epistula has no reference implementation, so the compatibility mode changes one thing there: the version header is
 *     not looked at. A header that comes twice is refused in both modes.
 *   - An absolute-form target counts as its path and query; without a path as "/".
 *   - Another scheme than the one pinned for a hotkey is BadSignature, found after freshness and before the body.
 *   - A v10 nonce is compared as a number of 63 bits and a sign; what is larger counts as the largest. The signed text
 *     has all its digits.
 */
#ifndef TALLY_SDK_AUTH_H
#define TALLY_SDK_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/key/key.h"
#include "core/crypto/keypair/keypair.h"
#include "io/net/message/message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- verdicts --- */

/* X(name, class as a signed route's answer has it, HTTP status): section 9.4 and Tally's own. The last two are v10's:
 * NotVerified is its 401, Unparsed its 500 (the text is the axon's) for headers that its parser would choke on. */
#define TL_AUTH_CLASS_MAP(X)                                                                       \
    X(MALFORMED, "MalformedAuth", 401)                                                             \
    X(RECEIVER, "WrongReceiver", 403)                                                              \
    X(STALE, "StaleRequest", 401)                                                                  \
    X(SIGNATURE, "BadSignature", 401)                                                              \
    X(REPLAYED, "ReplayedRequest", 401)                                                            \
    X(FORBIDDEN, "Forbidden", 403)                                                                 \
    X(NOT_FOUND, "NotFound", 404)                                                                  \
    X(TOO_LARGE, "TooLarge", 413)                                                                  \
    X(TOO_MANY, "TooManyRequests", 429)                                                            \
    X(BUSY, "Busy", 503)                                                                           \
    X(TIMEOUT, "Timeout", 408)                                                                     \
    X(DUPLICATE, "DuplicateHeader", 400)                                                           \
    X(NOT_VERIFIED, "NotVerified", 401)                                                            \
    X(UNPARSED, "Unparsed", 500)

typedef enum tl_auth_class {
    TL_AUTH_OK = 0,
#define TL_AUTH_CLASS_ENUM(name, text, status) TL_AUTH_##name,
    TL_AUTH_CLASS_MAP(TL_AUTH_CLASS_ENUM)
#undef TL_AUTH_CLASS_ENUM
        TL_AUTH_CLASS_COUNT
} tl_auth_class;

/* tl_auth_class_name: "MalformedAuth" …; "" for TL_AUTH_OK. Static text; metrics use it as the reason. */
const char *tl_auth_class_name(tl_auth_class kind);

/* tl_auth_class_status: the HTTP status; 200 for TL_AUTH_OK. */
uint16_t tl_auth_class_status(tl_auth_class kind);

/* tl_auth_verdict: TL_AUTH_OK with an empty message, or why not. On a signed route the message is static text
 * (AUTH-1); on v10 it is the whole status message of section 1.9 ("Not Verified with error: …"), in the arena, printable
 * ASCII and at most TL_AUTH_MESSAGE_MAX bytes (it goes into a header, which clients limit). */
typedef struct tl_auth_verdict {
    tl_auth_class kind;
    tl_str message;
} tl_auth_verdict;

#define TL_AUTH_MESSAGE_MAX 4096

/* tl_auth_put_error: {"error":"BadSignature","message":"…"}, the body of a signed route's refusal. */
void tl_auth_put_error(tl_sb *sb, tl_auth_class kind, tl_str message);

/* --- families --- */

typedef enum tl_auth_family_id { TL_AUTH_V10, TL_AUTH_BTAUTH, TL_AUTH_EPISTULA } tl_auth_family_id;

#define TL_AUTH_FAMILY_COUNT 3
#define TL_AUTH_FAMILIES_ALL 7u /* a set: bit 1u << tl_auth_family_id */

/* tl_auth_family: a row of the table. Its functions are the room's: call them by tl_auth_…. */
typedef struct tl_auth_family {
    tl_auth_family_id id;
    tl_str name;        /* "v10", "btauth", "epistula": of --protocol, metrics, logs */
    tl_str prefix;      /* of its headers' names, lower case */
    const char *hotkey; /* the header that names the sender */
    bool hashes_body;   /* does its message need the body's SHA-256? (v10's does not) */
    int64_t back_ns;    /* freshness: how old a request may be … */
    int64_t ahead_ns;   /* … and how far in the future, both included */
    const struct tl_auth_steps *steps;
} tl_auth_family;

/* tl_auth_family_at: the row of a family. tl_auth_family_by_name: the same by its name, NULL when there is none. */
const tl_auth_family *tl_auth_family_at(tl_auth_family_id id);
const tl_auth_family *tl_auth_family_by_name(tl_str name);

/* tl_auth_detect: the family that a request's headers belong to, or NULL; *is_ambiguous when they belong to more than one
 * (then the result is NULL too, and the request is MalformedAuth: AUTH-3). Both NULL and not ambiguous: unsigned. */
const tl_auth_family *tl_auth_detect(bool *is_ambiguous, tl_http_headers headers);

/* tl_auth_claimed: whose request it claims to be, before anything is proven (for lists that come before verification);
 * false when there is no such header or no address in it. Of a header that comes twice the first counts. */
bool tl_auth_claimed(tl_hotkey *out, const tl_auth_family *family, tl_http_headers headers);

/* --- rules of a route --- */

/* tl_auth_memory: what a v10 nonce is compared with before the signature (section 1.8): the last nonce that was accepted
 * under a key. sdk/replay fills it; NULL where nothing is remembered. */
typedef struct tl_auth_mark tl_auth_mark;
typedef struct tl_auth_memory {
    void *self;
    bool (*last)(void *self, const tl_auth_mark *mark, int64_t *nonce); /* false: none known */
} tl_auth_memory;

/* back_ns, ahead_ns       freshness; below 0: the family's own figure
 * families                a set; a family that is not in it is MalformedAuth
 * is_compat               --compat sdk: answers as the SDK does (section 9.5; 1.8 on v10)
 * is_receiver_waived      a request that names no receiver is taken; one for somebody else never is
 * keep_back_ns            the longest back_ns of all routes that share a replay store; 0: this one's
 * self_ss58               the receiver's own address: compared as text with what was signed for
 * schemes                 which are taken, and from whom; NULL: every one that Tally knows
 * memory                  v10's last nonces; NULL: none */
typedef struct tl_auth_rules {
    tl_str self_ss58;
    uint32_t families;
    bool is_compat;
    bool is_receiver_waived;
    int64_t back_ns;
    int64_t ahead_ns;
    int64_t keep_back_ns;
    const tl_scheme_policy *schemes;
    const tl_auth_memory *memory;
} tl_auth_rules;

/* tl_auth_rules_init: the defaults (all families, strict, a receiver is asked for, each family's own window) for a
 * receiver, whose address is borrowed as long as the rules are used. */
void tl_auth_rules_init(tl_auth_rules *rules, tl_str self_ss58);

/* --- one request --- */

/* tl_auth_request: what stands on the request line, and the headers. Views, borrowed as long as the claim lives. */
typedef struct tl_auth_request {
    tl_str method;
    tl_str target; /* byte for byte as on the request line, never decoded */
    tl_http_headers headers;
} tl_auth_request;

/* The three replay rules (sections 1.8, 9.6, 9.7), which never mix. */
typedef enum tl_auth_rule { TL_AUTH_RISING, TL_AUTH_ONCE_NONCE, TL_AUTH_ONCE_UUID } tl_auth_rule;

/* tl_auth_mark: what a replay store keys on and how long it must remember it. */
struct tl_auth_mark {
    tl_auth_rule rule;
    tl_hotkey sender;
    tl_str id;         /* RISING: the uuid; ONCE_NONCE: the canonical nonce; ONCE_UUID: the uuid */
    int64_t nonce;     /* RISING: must be above the last one; else 0 */
    int64_t signed_ns; /* when it says that it was signed, cut to what an int64_t holds */
    int64_t keep_until_ns; /* at no later time does it count as fresh (AUTH-4) */
};

/* tl_auth_claim: a head that passed: who claims to have signed it, and everything that the signature needs.
 * sender_text, receiver_text   as in the headers: they are part of the message; the second is empty when unbound
 * signature                    bytes; of the scheme's length on btauth and Epistula
 * signature_text               v10: as in the header, for the message of its refusal
 * nonce_text                   canonical decimal (Epistula: the timestamp)
 * uuid                         Epistula, v10 ("None" when absent)
 * method, target               btauth: upper case; path and query
 * body_hash                    v10: the header computed_body_hash ("None" when absent) */
typedef struct tl_auth_claim {
    const tl_auth_family *family;
    const tl_scheme *scheme;
    tl_hotkey sender;
    tl_auth_mark mark;
    tl_str sender_text;
    tl_str receiver_text;
    tl_bytes signature;
    tl_str signature_text;
    tl_str nonce_text;
    tl_str uuid;
    tl_str method;
    tl_str target;
    tl_str body_hash;
} tl_auth_claim;

/* tl_auth_check_head: checks 1 to 7, and 8 as far as the address, the signature's length and the pins go; on v10 the
 * address, the nonce rules and the presence of a signature. The body is not needed.
 *
 * out       written when *verdict says TL_AUTH_OK; lives in the arena and looks into the request
 * family    from tl_auth_detect; one that the rules do not allow is MalformedAuth
 * now_ns    the wall clock
 *
 * Errors: TL_ERR_NOMEM, TL_ERR_LIMIT of the arena alone: whatever is wrong with the request is a verdict. */
TL_MUST_USE tl_err tl_auth_check_head(tl_auth_claim *out, tl_auth_verdict *verdict, tl_arena *arena,
                                      const tl_auth_family *family, const tl_auth_request *request,
                                      const tl_auth_rules *rules, int64_t now_ns, tl_errctx *ctx);

/* tl_auth_message: the bytes that were signed. body_sha256 is of the body after transfer decoding; NULL is fine where
 * the family does not hash it. Errors: the arena's. */
TL_MUST_USE tl_err tl_auth_message(tl_bytes *out, tl_arena *arena, const tl_auth_claim *claim,
                                   const tl_hash32 *body_sha256, tl_errctx *ctx);

/* tl_auth_verify: does the signature hold? Under the claim's scheme alone, also over "<Bytes>" message "</Bytes>". */
TL_MUST_USE tl_err tl_auth_verify(tl_auth_verdict *verdict, tl_arena *arena,
                                  const tl_auth_claim *claim, tl_bytes message, tl_errctx *ctx);

/* tl_auth_judge: the same when claim->scheme, claim->sender, message and claim->signature went through a batch: holds is
 * what it said of this one. A signature that does not hold over the bare message is tried over the wrapped one. */
TL_MUST_USE tl_err tl_auth_judge(tl_auth_verdict *verdict, tl_arena *arena,
                                 const tl_auth_claim *claim, tl_bytes message, bool holds,
                                 tl_errctx *ctx);

/* tl_auth_refuse_replayed, _busy: the verdict when the replay store has seen the mark, or cannot take it. _late: when the
 * request was fresh with its head and is not any more with its body (keep_until_ns has passed): the store would call it
 * seen. */
void tl_auth_refuse_late(tl_auth_verdict *verdict, const tl_auth_family *family);
void tl_auth_refuse_replayed(tl_auth_verdict *verdict, const tl_auth_family *family);
void tl_auth_refuse_busy(tl_auth_verdict *verdict, const tl_auth_family *family);

/* --- the signing side --- */

typedef struct tl_auth_outgoing {
    tl_str method;         /* btauth; any case */
    tl_str target;         /* btauth: as it will stand on the request line */
    tl_hash32 body_sha256; /* btauth, Epistula */
    tl_str receiver;       /* SS58; empty: bound to nobody (no header is sent); v10: the axon's */
    tl_str nonce;   /* decimal: nanoseconds (btauth, v10), milliseconds (Epistula); empty: now_ns */
    int64_t now_ns; /* where nonce is empty */
    tl_str uuid;    /* Epistula: empty makes a fresh one; v10: the dendrite's */
    tl_str body_hash;   /* v10: the text of computed_body_hash */
    bool omits_secrets; /* Epistula: no secret signatures although there is a receiver */
} tl_auth_outgoing;

/* tl_auth_sign: the headers of a signed request, in the arena. btauth and Epistula: all that the family needs, in the
 * order of sections 9.1 and 9.7 (Epistula's secret signatures in their first form); with the receiver as caller it also
 * signs an Epistula response. v10: the nonce, uuid, hotkey and signature of the dendrite (section 1.2) alone.
 *
 * Errors: the arena's; TL_ERR_SYNTAX (nonce, uuid) with the field; what signing gives; TL_ERR_REFUSED when the family
 * does not take the key's scheme (v10 and Epistula: sr25519 only) or the pair cannot sign. */
TL_MUST_USE tl_err tl_auth_sign(tl_http_headers *out, tl_arena *arena, const tl_auth_family *family,
                                const tl_keypair *pair, const tl_auth_outgoing *what,
                                const tl_entropy *entropy, tl_errctx *ctx);

/* tl_auth_sign_v10_answer: the signature text ("0x…") of an axon's answer (section 1.7): nonce is the axon's clock in
 * nanoseconds, axon_hotkey as received (empty text: "None"), dendrite_hotkey as received, uuid the axon's. */
TL_MUST_USE tl_err tl_auth_sign_v10_answer(tl_str *out, tl_arena *arena, const tl_keypair *pair,
                                           tl_str nonce, tl_str dendrite_hotkey, tl_str axon_hotkey,
                                           tl_str uuid, const tl_entropy *entropy, tl_errctx *ctx);

/* tl_auth_uuid4: a random version 4 UUID, 36 characters and a NUL. */
#define TL_AUTH_UUID_CAP 37
TL_MUST_USE tl_err tl_auth_uuid4(char out[TL_AUTH_UUID_CAP], const tl_entropy *entropy,
                                 tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
