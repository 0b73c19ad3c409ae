/**
 * @file
 * Signed HTTP requests without our client or server: the headers to send, and the verdict on headers that came.
 *
 * Nothing is remembered here: a request that verifies is not proven to be new. The axon keeps a replay store; whoever
 * verifies alone must keep one too.
 */
#ifndef TALLY_AUTH_H
#define TALLY_AUTH_H

#include <tally/error.h>
#include <tally/key.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One header field. */
typedef struct tally_header {
    const char *name;  /**< in any case */
    const char *value; /**< without the white space around it */
} tally_header;

/** A list of header fields that the library made. */
typedef struct tally_headers tally_headers;

/** A request, as it stands on the wire. */
typedef struct tally_request {
    const char *method;          /**< "POST" */
    const char *target;          /**< path and query as on the request line */
    const tally_header *headers; /**< to be verified; not looked at when signing */
    size_t header_count;         /**< of them */
    const void *body;            /**< after transfer decoding */
    size_t body_len;             /**< its length */
} tally_request;

/** What verification found. */
typedef struct tally_verdict {
    bool is_ok;        /**< the signature holds, for this receiver and now */
    int status;        /**< the HTTP status of the answer that refuses it; 200 */
    char reason[32];   /**< "BadSignature" and so on; "" */
    char sender[64];   /**< SS58; "" unless is_ok */
    char protocol[16]; /**< "btauth", "epistula"; "" when unsigned */
    char message[256]; /**< for the caller; "" */
} tally_verdict;

/** The headers of a signed request.
 * @param out freed by tally_headers_free()
 * @param protocol "btauth" or "epistula"
 * @param key it can sign
 * @param request method, target and body
 * @param receiver the SS58 address that the request is bound to; NULL binds it to nobody
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_auth_sign(tally_headers **out, const char *protocol, const tally_key *key,
                              const tally_request *request, const char *receiver,
                              tally_error *error);

/** Frees the list.
 * @param headers NULL is fine */
TALLY_API void tally_headers_free(tally_headers *headers);

/** How many header fields there are.
 * @param headers the list
 * @return the count */
TALLY_API size_t tally_headers_count(const tally_headers *headers);

/** One of them.
 * @param headers the list
 * @param index below the count
 * @return lives as long as the list */
TALLY_API tally_header tally_headers_at(const tally_headers *headers, size_t index);

/** Verifies a request of btauth/1 or Epistula, strictly, by the machine's clock.
 * @param out the verdict
 * @param request all of it
 * @param self the receiver's own SS58 address
 * @param error may be NULL
 * @return 0, also for a request that is refused; a code when no verdict could be made */
TALLY_API int tally_auth_verify(tally_verdict *out, const tally_request *request, const char *self,
                                tally_error *error);

#ifdef __cplusplus
}
#endif

#endif
