/* sigv4: AWS Signature Version 4, as S3 and whoever speaks like it reads it.
 * For         requests, URLs and forms for an S3 server
 * Takes       a request as it will stand on the wire, keys, the time        Gives   what is to be added to it
 * Calls       OpenSSL (HMAC), core/crypto/hash, io/net/message              Called by   io/objects
 * Owns        nothing: results live in the arena
 * Threads     pure functions, anywhere
 * Invariants  SIGV4-1 what is signed is what is sent: the path is not encoded again, and the order of the query's
 *             parameters and of the headers does not matter
 *             SIGV4-2 keys derived on the way are wiped; the secret stands in no result
 * Read        sign() at the end of sigv4.c, then up
 *
 *      canonical request = METHOD \n path \n sorted query \n lower-case sorted headers \n their names \n payload hash
 *      text to sign      = AWS4-HMAC-SHA256 \n time \n date/region/service/aws4_request \n hex SHA-256 of the above
 *      signature         = hex HMAC(HMAC(HMAC(HMAC(HMAC("AWS4" secret, date), region), service), "aws4_request"), text)
 *
 * Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference; the figures in its examples and
 * of AWS's published test suite are in test/golden.
 */
#ifndef TALLY_IO_SIGV4_H
#define TALLY_IO_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "io/net/message/message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_sigv4_keys: views. */
typedef struct tl_sigv4_keys {
    tl_str access_key;
    tl_str secret_key; /* at most TL_SIGV4_SECRET_LEN_MAX */
    tl_str region;     /* "us-east-1" */
    tl_str service;    /* "s3" */
} tl_sigv4_keys;

#define TL_SIGV4_SECRET_LEN_MAX 256
#define TL_SIGV4_UNSIGNED       TL_STR("UNSIGNED-PAYLOAD")

/* tl_sigv4_request: what is signed.
 * path          as on the wire: encoded, beginning with '/'
 * query         as on the wire, without '?': name=value pairs, encoded by tl_sigv4_encode; may be empty
 * headers       all of them are signed, each name once; Host must be among them, and, but for presigned URLs,
 *               x-amz-date with the time's tl_sigv4_time
 * payload_hash  hex SHA-256 of the body, or TL_SIGV4_UNSIGNED */
typedef struct tl_sigv4_request {
    tl_str method;
    tl_str path;
    tl_str query;
    tl_http_headers headers;
    tl_str payload_hash;
} tl_sigv4_request;

#define TL_SIGV4_HEADERS_MAX 64
#define TL_SIGV4_QUERY_MAX   64 /* parameters */

/* tl_sigv4_encode: every byte but letters, digits, '-', '.', '_' and '~' (and '/' when keep_slash) as %XX. */
void tl_sigv4_encode(tl_sb *sb, tl_str s, bool keep_slash);

/* tl_sigv4_decode: undo it; TL_ERR_SYNTAX for a '%' without two digits, and for %00. '+' stays a plus. */
TL_MUST_USE tl_err tl_sigv4_decode(tl_str *out, tl_arena *arena, tl_str s, tl_errctx *ctx);

/* tl_sigv4_time: "20130524T000000Z". Seconds since 1970, 0 … the year 9999. */
#define TL_SIGV4_TIME_CAP 17
void tl_sigv4_time(char out[TL_SIGV4_TIME_CAP], int64_t time_s);

/* tl_sigv4_parse_time: back; false when it is none. */
bool tl_sigv4_parse_time(int64_t *out, tl_str text);

/* tl_sigv4_credential: "ACCESSKEY/20130524/us-east-1/s3/aws4_request". */
TL_MUST_USE tl_err tl_sigv4_credential(tl_str *out, tl_arena *arena, const tl_sigv4_keys *keys,
                                       int64_t time_s, tl_errctx *ctx);

/* tl_sigv4_authorize: the value of the Authorization header. Errors: LIMIT (too many headers or parameters, a secret too
 * long), DUPLICATE (a header's name twice), NOMEM. */
TL_MUST_USE tl_err tl_sigv4_authorize(tl_str *out, tl_arena *arena, const tl_sigv4_keys *keys,
                                      const tl_sigv4_request *request, int64_t time_s,
                                      tl_errctx *ctx);

/* tl_sigv4_presign: the whole query of a URL that is good for expires_s from time_s: the request's own and X-Amz-*.
 * payload_hash is usually TL_SIGV4_UNSIGNED. Errors: as above, RANGE (expires_s 1 … 604,800). */
TL_MUST_USE tl_err tl_sigv4_presign(tl_str *out_query, tl_arena *arena, const tl_sigv4_keys *keys,
                                    const tl_sigv4_request *request, int64_t time_s,
                                    uint32_t expires_s, tl_errctx *ctx);

/* tl_sigv4_sign_policy: of a form: hex of the signature over its policy in base64. */
#define TL_SIGV4_SIGNATURE_LEN 64
TL_MUST_USE tl_err tl_sigv4_sign_policy(char out[TL_SIGV4_SIGNATURE_LEN + 1],
                                        const tl_sigv4_keys *keys, tl_str policy, int64_t time_s,
                                        tl_errctx *ctx);

/* tl_hmac_sha256: RFC 2104 over OpenSSL; a key of any length. */
TL_MUST_USE tl_err tl_hmac_sha256(tl_hash32 *out, tl_bytes key, tl_bytes text, tl_errctx *ctx);

/* tl_sigv4_same: are two texts equal? In time that depends on their lengths alone. */
bool tl_sigv4_same(tl_str a, tl_str b);

#ifdef __cplusplus
}
#endif

#endif
