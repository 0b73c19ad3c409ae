/**
 * @file
 * The axon: one server for signed requests in three protocols on one port.
 *
 * Make one, attach handlers to synapses (v10) and routes (btauth/1, Epistula), start it; stop and free it from the thread
 * that made it. Handlers run on the axon's threads, several at once.
 */
#ifndef TALLY_AXON_H
#define TALLY_AXON_H

#include <tally/error.h>
#include <tally/key.h>
#include <tally/synapse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A server. */
typedef struct tally_axon tally_axon;

/** One request, from its headers to its answer: a handler's, until it returns. */
typedef struct tally_call tally_call;

/** What a handler does: reads the call, answers it or changes its fields.
 * @param self as it was attached
 * @param call this request
 * @param error to be filled when it fails (tally_call_fail())
 * @return 0 sends the answer; anything else is a failed handler: status 500 */
typedef int (*tally_handler)(void *self, tally_call *call, tally_error *error);

/** A gate: may this caller come in? It runs before the signature is looked at, as in the SDK.
 * @param self as it was attached
 * @param call the request, without its body
 * @return false refuses with status 403 */
typedef bool (*tally_gate)(void *self, const tally_call *call);

/** Settings of an axon. Begin with TALLY_AXON_OPTIONS_INIT; zero means the default. Texts are borrowed until
 * tally_axon_free(). */
typedef struct tally_axon_options {
    size_t size; /**< sizeof(tally_axon_options), so that newer libraries know older programs */
    const tally_key *key; /**< the axon's hotkey; required */
    const char *host;     /**< the address to listen on; 0.0.0.0 */
    uint16_t port;        /**< 0 takes a free one */
    unsigned workers;     /**< threads that run handlers; 4 */
    const char
        *dir; /**< folder of the replay store; NULL: in memory, forgotten when the program ends */
    const char *const *block; /**< SS58, IP or CIDR that are shut out; ended by NULL */
    const char *const
        *allow; /**< with one of a kind, every other of that kind is shut out; ended by NULL */
    size_t body_len_max; /**< bytes of a request's body; 16 MiB */
    bool is_compat_sdk;  /**< v10's own nonce rules and lenient forms */
} tally_axon_options;

/** The beginning of every tally_axon_options. */
#define TALLY_AXON_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(tally_axon_options)                                                         \
    }

/** Makes a server that does not listen yet. The synapse Synapse, the SDK's ping, is attached.
 * @param out freed by tally_axon_free()
 * @param options its settings
 * @param error may be NULL
 * @return 0 or a code; the error's field names the setting */
TALLY_API int tally_axon_new(tally_axon **out, const tally_axon_options *options,
                             tally_error *error);

/** Attaches a handler to a synapse, before the start: POST /NAME in protocol v10.
 * @param axon the server
 * @param synapses a set that outlives the axon
 * @param name of the definition
 * @param handler what answers
 * @param gate may be NULL: all may come in
 * @param self goes to both
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_axon_attach(tally_axon *axon, const tally_synapses *synapses, const char *name,
                                tally_handler handler, tally_gate gate, void *self,
                                tally_error *error);

/** Attaches a handler to a route, before the start, in the protocols btauth/1 and Epistula.
 * @param axon the server
 * @param method "POST"
 * @param path the exact bytes before the '?'
 * @param handler what answers
 * @param gate may be NULL: all may come in
 * @param self goes to both
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_axon_attach_route(tally_axon *axon, const char *method, const char *path,
                                      tally_handler handler, tally_gate gate, void *self,
                                      tally_error *error);

/** Listens and serves, on threads of its own.
 * @param axon the server
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_axon_start(tally_axon *axon, tally_error *error);

/** The port that it listens on.
 * @param axon a started one
 * @return the port */
TALLY_API uint16_t tally_axon_port(const tally_axon *axon);

/** Takes no new connection, finishes what was begun (at most 10 s), and ends its threads.
 * @param axon NULL is fine */
TALLY_API void tally_axon_stop(tally_axon *axon);

/** Stops and frees.
 * @param axon NULL is fine */
TALLY_API void tally_axon_free(tally_axon *axon);

/* --- in a handler --- */

/** Who asks: the SS58 address, verified when a handler sees it.
 * @param call the request
 * @return lives as long as the call */
TALLY_API const char *tally_call_sender(const tally_call *call);

/** By which protocol.
 * @param call the request
 * @return "v10", "btauth" or "epistula" */
TALLY_API const char *tally_call_protocol(const tally_call *call);

/** The peer's IP address.
 * @param call the request
 * @return lives as long as the call */
TALLY_API const char *tally_call_peer(const tally_call *call);

/** Path and query as on the request line.
 * @param call the request
 * @return lives as long as the call; NULL without memory */
TALLY_API const char *tally_call_target(const tally_call *call);

/** The body.
 * @param call the request
 * @param len receives its length
 * @return lives as long as the call */
TALLY_API const uint8_t *tally_call_body(const tally_call *call, size_t *len);

/** An integer field of the synapse.
 * @param call a request for a synapse
 * @param field its name
 * @param out the value
 * @return 0, TALLY_ERR_UNKNOWN, TALLY_ERR_TYPE or TALLY_ERR_RANGE */
TALLY_API int tally_call_get_int(const tally_call *call, const char *field, int64_t *out);

/** A float field of the synapse, or an integer one.
 * @param call a request for a synapse
 * @param field its name
 * @param out the value
 * @return 0, TALLY_ERR_UNKNOWN or TALLY_ERR_TYPE */
TALLY_API int tally_call_get_float(const tally_call *call, const char *field, double *out);

/** A text field of the synapse.
 * @param call a request for a synapse
 * @param field its name
 * @return UTF-8, lives as long as the call; NULL when it is None, no text, or unknown */
TALLY_API const char *tally_call_get_text(const tally_call *call, const char *field);

/** A field as JSON text.
 * @param call a request for a synapse
 * @param field its name
 * @return lives as long as the call; NULL when it is unknown */
TALLY_API const char *tally_call_get_json(const tally_call *call, const char *field);

/** Sets a field for the answer.
 * @param call a request for a synapse
 * @param field its name
 * @param value an integer
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_call_set_int(tally_call *call, const char *field, int64_t value,
                                 tally_error *error);

/** Sets a field for the answer.
 * @param call a request for a synapse
 * @param field its name
 * @param value a float; an answer with nan or infinity fails
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_call_set_float(tally_call *call, const char *field, double value,
                                   tally_error *error);

/** Sets a field for the answer.
 * @param call a request for a synapse
 * @param field its name
 * @param value UTF-8, copied; NULL is None
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_call_set_text(tally_call *call, const char *field, const char *value,
                                  tally_error *error);

/** Sets a field for the answer from JSON text: lists, dicts, booleans, anything.
 * @param call a request for a synapse
 * @param field its name
 * @param json copied
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_call_set_json(tally_call *call, const char *field, const char *json,
                                  tally_error *error);

/** Answers a route's request.
 * @param call the request
 * @param status the HTTP status
 * @param content_type NULL is application/octet-stream
 * @param body copied
 * @param len its length */
TALLY_API void tally_call_answer(tally_call *call, int status, const char *content_type,
                                 const void *body, size_t len);

/** The status that a synapse's answer carries, 200 and Success by default.
 * @param call the request
 * @param status the code
 * @param message for the caller */
TALLY_API void tally_call_set_status(tally_call *call, int status, const char *message);

/** Begins an answer that goes out piece by piece.
 * @param call the request
 * @param content_type NULL is text/event-stream */
TALLY_API void tally_call_stream_begin(tally_call *call, const char *content_type);

/** One piece. A handler that fails after it cuts the connection, so that nobody takes a part for the whole.
 * @param call the request
 * @param piece copied
 * @param len its length
 * @return false when nobody listens any more */
TALLY_API bool tally_call_stream_write(tally_call *call, const void *piece, size_t len);

/** Has the caller left, or its time run out?
 * @param call the request
 * @return what the handler still does is for nobody */
TALLY_API bool tally_call_is_gone(const tally_call *call);

#ifdef __cplusplus
}
#endif

#endif
