/* access: tokens for people, keys for programs, and the record of what they did.
 * For         the administrative routes of a service, and the commands that hand credentials out
 * Takes       roles and scopes, a state folder or the service's tables, the clock
 * Gives       tokens (JWT, HS256) and keys, shown once; a verdict on one that comes back; lines of the audit log
 * Calls       app/api (caller, roles), io/records, libsodium          Called by   app/coordinator, app/cli
 * Owns        the signing key of tokens, wiped when it closes
 * Threads     tl_access is only read once it is open; a tl_records belongs to its thread
 * Invariants  ACCESS-1 of a token one algorithm is taken, HS256, whatever its header says
 *             ACCESS-2 a token counts from nbf to exp, with 60 s of skew, and never without an exp
 *             ACCESS-3 a key is stored as its SHA-256 alone, and one that is revoked or expired is refused
 *             ACCESS-4 credentials are made, rotated and revoked with a line in the audit log, or not at all
 * Read        token.c, then key.c
 *
 * Where the signing key lies: with SQLite in the state folder (tokens.key, 0600); with PostgreSQL in the database, so that
 * several coordinators on one database take each other's tokens. A token is not revocable before it expires: hence its
 * default of one hour; keys are for what lives longer.
 *
 *      token   base64url(header) . base64url({"iss":"tally","sub","role","iat","nbf","exp","jti"}) . base64url(HMAC)
 *      key     "tk_" and 43 characters: 32 random bytes
 */
#ifndef TALLY_APP_ACCESS_H
#define TALLY_APP_ACCESS_H

#include <stdint.h>

#include "app/api/api.h"
#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "io/records/records.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_access tl_access;

#define TL_ACCESS_TOKEN_S_DEFAULT INT64_C(3600)
#define TL_ACCESS_TOKEN_S_MAX     INT64_C(2592000) /* 30 days */
#define TL_ACCESS_TOKEN_LEN_MAX   4096
#define TL_ACCESS_SKEW_S          60
#define TL_ACCESS_KEY_DAYS        90
#define TL_ACCESS_KEY_FILE        "tokens.key"
#define TL_ACCESS_LABEL_MAX       100

/* tl_access_options: records decides where the signing key lies (see above); it is borrowed for the call alone. */
typedef struct tl_access_options {
    const char *dir; /* the state folder, which exists */
    tl_records *records;
    tl_clock clock;     /* zero: the machine's */
    tl_entropy entropy; /* zero: the machine's */
} tl_access_options;

/* tl_access_open: the signing key, made when there is none. Errors: CORRUPT (a key file of another length), files', SQL's. */
TL_MUST_USE tl_err tl_access_open(tl_access **out, const tl_access_options *options,
                                  tl_errctx *ctx);
void tl_access_close(tl_access *access); /* NULL is fine */

/* --- roles (tokens) and scopes (keys): viewer and read, operator and operate, admin --- */

const char *tl_access_role_name(tl_api_role role);
bool tl_access_role_parse(tl_api_role *out, tl_str text);

/* --- tokens (token.c) --- */

/* tl_access_make_token: for role, good for ttl_s (1 … TL_ACCESS_TOKEN_S_MAX; RANGE). subject: who it is for; jti: 32 hex
 * characters go to jti, for the audit log. */
TL_MUST_USE tl_err tl_access_make_token(const tl_access *access, tl_str *out, int64_t *expires_s,
                                        char jti[33], tl_arena *arena, tl_api_role role,
                                        int64_t ttl_s, tl_str subject, tl_errctx *ctx);

/* tl_access_check_token: role and subject ("token:" and the jti) of out. TL_ERR_REFUSED for every token that does not count. */
TL_MUST_USE tl_err tl_access_check_token(const tl_access *access, tl_api_caller *out, tl_str token,
                                         tl_errctx *ctx);

/* --- keys (key.c); every change notes itself in the audit log as actor's act, in one transaction with it --- */

typedef struct tl_access_actor {
    tl_str name;        /* "token:…", "key:…", "cli:…" */
    tl_str correlation; /* of the request; empty: none */
} tl_access_actor;

typedef struct tl_access_new_key {
    tl_str id;
    tl_str key; /* shown once */
    int64_t expires_ms;
} tl_access_new_key;

/* tl_access_make_key: scopes: any of "read", "operate", "admin", parted by spaces, none twice (UNKNOWN, DUPLICATE,
 * MISSING; field "scope"). label: what it is for (LIMIT above TL_ACCESS_LABEL_MAX). */
TL_MUST_USE tl_err tl_access_make_key(const tl_access *access, tl_records *records,
                                      tl_access_new_key *out, tl_arena *arena, tl_str scopes,
                                      tl_str label, const tl_access_actor *actor, tl_errctx *ctx);

/* tl_access_rotate_key: a new one with the same scopes and label; the old one is revoked in the same step.
 * Errors: NOT_FOUND, STATE (revoked already). */
TL_MUST_USE tl_err tl_access_rotate_key(const tl_access *access, tl_records *records,
                                        tl_access_new_key *out, tl_arena *arena, tl_str id,
                                        const tl_access_actor *actor, tl_errctx *ctx);
TL_MUST_USE tl_err tl_access_revoke_key(const tl_access *access, tl_records *records, tl_str id,
                                        const tl_access_actor *actor,
                                        tl_errctx *ctx); /* NOT_FOUND */

/* tl_access_check_key: role (the highest scope's) and subject ("key:" and the id) of out. TL_ERR_REFUSED for every key
 * that does not count. */
TL_MUST_USE tl_err tl_access_check_key(const tl_access *access, tl_records *records,
                                       tl_api_caller *out, tl_str key, tl_errctx *ctx);

/* --- the audit log --- */

/* tl_access_note: one administrative act; within a transaction of records it is a part of it. detail: JSON, or empty. */
TL_MUST_USE tl_err tl_access_note(const tl_access *access, tl_records *records,
                                  const tl_access_actor *actor, tl_str act, tl_str subject,
                                  tl_str detail, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
