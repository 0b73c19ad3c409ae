/**
 * @file
 * The dendrite: asks one axon or hundreds at once, in each of the three protocols.
 *
 * A tally_dendrite belongs to one thread. Replies live on their own, until they are freed.
 */
#ifndef TALLY_DENDRITE_H
#define TALLY_DENDRITE_H

#include <tally/error.h>
#include <tally/key.h>
#include <tally/synapse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client. */
typedef struct tally_dendrite tally_dendrite;

/** What came of a query: one reply for each target, in the order of the targets. */
typedef struct tally_replies tally_replies;

/** What is asked. Begin with TALLY_QUERY_INIT; zero means the default. */
typedef struct tally_query {
    size_t size;                    /**< sizeof(tally_query) */
    const char *protocol;           /**< "v10" (the default), "btauth" or "epistula" */
    const tally_synapses *synapses; /**< v10: the set; it outlives the replies */
    const char *synapse;            /**< v10: the name of the definition */
    const char *input;              /**< v10: the fields as a JSON object; NULL is {} */
    const char *method;             /**< btauth, epistula: POST */
    const char *target;             /**< btauth, epistula: path and query, signed as it stands */
    const void *body;               /**< btauth, epistula */
    size_t body_len;                /**< its length */
    double timeout_s;               /**< of each attempt; 12 */
    unsigned retries;               /**< further attempts, each signed anew; 0 */
} tally_query;

/** The beginning of every tally_query. */
#define TALLY_QUERY_INIT                                                                           \
    {                                                                                              \
        .size = sizeof(tally_query)                                                                \
    }

/** Makes a client.
 * @param out freed by tally_dendrite_free()
 * @param key who signs; it outlives the dendrite
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_dendrite_new(tally_dendrite **out, const tally_key *key, tally_error *error);

/** Closes its connections.
 * @param dendrite NULL is fine */
TALLY_API void tally_dendrite_free(tally_dendrite *dendrite);

/** Asks every target at once, and waits for all. That targets fail is no error: their replies say so.
 * @param dendrite the client
 * @param out freed by tally_replies_free()
 * @param targets each "HOST:PORT:SS58"; an IPv6 address in brackets
 * @param count of them
 * @param query what is asked
 * @param error may be NULL
 * @return 0 or a code: something is wrong with the query or a target's text */
TALLY_API int tally_dendrite_ask(tally_dendrite *dendrite, tally_replies **out,
                                 const char *const *targets, size_t count, const tally_query *query,
                                 tally_error *error);

/** Frees replies and all that they gave.
 * @param replies NULL is fine */
TALLY_API void tally_replies_free(tally_replies *replies);

/** How many targets were asked.
 * @param replies of a query
 * @return the count */
TALLY_API size_t tally_replies_count(const tally_replies *replies);

/** Did a target answer well?
 * @param replies of a query
 * @param index of the target
 * @return status 200, or any 2xx in btauth and Epistula */
TALLY_API bool tally_reply_is_ok(const tally_replies *replies, size_t index);

/** The status, by the SDK's mapping where nothing came back: 408 for no answer in time, 503 for no connection.
 * @param replies of a query
 * @param index of the target
 * @return the code; 0 when there is none */
TALLY_API int tally_reply_status(const tally_replies *replies, size_t index);

/** The status message, or why there is none.
 * @param replies of a query
 * @param index of the target
 * @return lives as long as the replies */
TALLY_API const char *tally_reply_message(const tally_replies *replies, size_t index);

/** Seconds from the request to the end of the answer.
 * @param replies of a query
 * @param index of the target
 * @return 0 when no answer was processed */
TALLY_API double tally_reply_seconds(const tally_replies *replies, size_t index);

/** A field of a v10 answer as JSON text.
 * @param replies of a query
 * @param index of the target
 * @param field its name
 * @return lives as long as the replies; NULL when there is no such field */
TALLY_API const char *tally_reply_json(const tally_replies *replies, size_t index,
                                       const char *field);

/** A text field of a v10 answer.
 * @param replies of a query
 * @param index of the target
 * @param field its name
 * @return UTF-8, lives as long as the replies; NULL when it is None, no text, or unknown */
TALLY_API const char *tally_reply_text(const tally_replies *replies, size_t index,
                                       const char *field);

/** A number of a v10 answer.
 * @param replies of a query
 * @param index of the target
 * @param field its name
 * @param out the value
 * @return 0, TALLY_ERR_UNKNOWN or TALLY_ERR_TYPE */
TALLY_API int tally_reply_float(const tally_replies *replies, size_t index, const char *field,
                                double *out);

/** The body as it came.
 * @param replies of a query
 * @param index of the target
 * @param len receives its length
 * @return lives as long as the replies */
TALLY_API const uint8_t *tally_reply_body(const tally_replies *replies, size_t index, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
