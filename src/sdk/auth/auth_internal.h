/* What the families share: how a header is picked, and what text in it means in each mode. */
#ifndef TALLY_SDK_AUTH_INTERNAL_H
#define TALLY_SDK_AUTH_INTERNAL_H

#include "sdk/auth/auth.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL__NS_PER_S  INT64_C(1000000000)
#define TL__NS_PER_MS INT64_C(1000000)

/* One look at a request's head. Steps write into claim and verdict. */
typedef struct tl__auth_head {
    tl_auth_claim *claim;
    tl_auth_verdict *verdict;
    tl_arena *arena;
    const tl_auth_request *request;
    const tl_auth_rules *rules;
    int64_t now_ns;
    int64_t back_ns;  /* of the rules, or the family's */
    int64_t ahead_ns; /* likewise */
} tl__auth_head;

/* tl_auth_steps: what a family does; TL_OK with verdict->kind set is a refusal. */
struct tl_auth_steps {
    tl_err (*check)(tl__auth_head *head, tl_errctx *ctx);
    tl_err (*message)(tl_sb *sb, const tl_auth_claim *claim, const tl_hash32 *body_sha256,
                      tl_errctx *ctx);
    /* the verdict for a signature that does not hold */
    tl_err (*mismatch)(tl_auth_verdict *verdict, tl_arena *arena, const tl_auth_claim *claim,
                       tl_bytes message, tl_errctx *ctx);
    tl_err (*sign)(tl_http_headers *out, tl_arena *arena, const tl_keypair *pair,
                   const tl_auth_outgoing *what, const tl_entropy *entropy, tl_errctx *ctx);
};

extern const tl_auth_family tl__auth_v10;
extern const tl_auth_family tl__auth_btauth;
extern const tl_auth_family tl__auth_epistula;

/* --- verdicts (family.c) --- */

/* tl__auth_refuse: a refusal with static text. Returns TL_OK, so that a step may end with it. */
tl_err tl__auth_refuse(tl__auth_head *head, tl_auth_class kind, const char *message);

/* --- fields (field.c) --- */

/* Which of two equal headers counts. */
typedef enum tl__auth_pick { TL__AUTH_ONLY, TL__AUTH_FIRST, TL__AUTH_LAST } tl__auth_pick;
typedef enum tl__auth_found { TL__AUTH_ABSENT, TL__AUTH_FOUND, TL__AUTH_TWICE } tl__auth_found;

/* tl__auth_field: a header's value by its name in lower case; TL__AUTH_TWICE only under TL__AUTH_ONLY. */
tl__auth_found tl__auth_field(tl_str *out, tl_http_headers headers, const char *name,
                              tl__auth_pick pick);

#define TL__AUTH_DIGITS_MAX 39

/* tl__auth_decimal: 0 or [1-9][0-9]*, at most TL__AUTH_DIGITS_MAX digits. *value is cut to INT64_MAX. */
bool tl__auth_decimal(int64_t *value, tl_str text);

/* tl__auth_python_int: int() of text that may be Unicode. *text becomes the canonical decimal, *value is cut to what an
 * int64_t holds. False when it is none (or the arena gave out: then *err says so). */
bool tl__auth_python_int(tl_str *text, int64_t *value, tl_arena *arena, tl_err *err);

/* tl__auth_unhex: the signature's bytes from hex with or without 0x; is_lenient: white space may stand between bytes, as
 * in Python's bytes.fromhex. *is_hex false: it is none. */
TL_MUST_USE tl_err tl__auth_unhex(tl_bytes *out, bool *is_hex, tl_arena *arena, tl_str text,
                                  bool is_lenient, tl_errctx *ctx);

/* tl__auth_python_scheme: a scheme's name or number as the SDK reads it; NULL when it is none. */
const tl_scheme *tl__auth_python_scheme(tl_str text, tl_arena *arena, tl_err *err);

/* tl__auth_is_fresh: now - signed at most back, signed - now at most ahead. */
bool tl__auth_is_fresh(const tl__auth_head *head, int64_t signed_ns);

/* tl__auth_add: a + b, cut to what an int64_t holds. */
int64_t tl__auth_add(int64_t a, int64_t b);

/* tl__auth_keep_until: how long the mark must be kept: signed_ns and the longest window. */
int64_t tl__auth_keep_until(const tl__auth_head *head, int64_t signed_ns);

/* tl__auth_check_signer: check 8 as far as it needs no body: address, signature's length, pins. The same for btauth and
 * Epistula; TL_OK and a verdict. */
tl_err tl__auth_check_signer(tl__auth_head *head);

/* --- signing (sign.c) --- */

/* tl__auth_signature_text: "0x" and the lower-case hex of a signature over message. */
TL_MUST_USE tl_err tl__auth_signature_text(tl_str *out, tl_arena *arena, const tl_keypair *pair,
                                           tl_bytes message, const tl_entropy *entropy,
                                           tl_errctx *ctx);

/* tl__auth_out: headers in the making; room for TL__AUTH_OUT_MAX. */
enum { TL__AUTH_OUT_MAX = 10 };
typedef struct tl__auth_out {
    tl_http_header at[TL__AUTH_OUT_MAX];
    size_t count;
} tl__auth_out;

void tl__auth_put(tl__auth_out *out, const char *name, tl_str value);
TL_MUST_USE tl_err tl__auth_finish(tl_http_headers *headers, tl_arena *arena,
                                   const tl__auth_out *out, tl_errctx *ctx);

/* tl__auth_own_address: the pair's SS58 address with the generic prefix, in the arena. */
TL_MUST_USE tl_err tl__auth_own_address(tl_str *out, tl_arena *arena, const tl_keypair *pair,
                                        tl_errctx *ctx);

/* tl__auth_figure: what->nonce checked, or now_ns / unit as decimal. */
TL_MUST_USE tl_err tl__auth_figure(tl_str *out, tl_arena *arena, const tl_auth_outgoing *what,
                                   int64_t unit, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
