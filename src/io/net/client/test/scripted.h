/* scripted: an HTTP server that answers what a test tells it to, well formed or not, on a port of its own.
 * One thread a connection; a request is read whole (head, then Content-Length bytes), handed to the script, and what
 * the script wants is done: bytes sent as they are, after a pause, then the connection kept or closed. */
#ifndef TALLY_TEST_SCRIPTED_H
#define TALLY_TEST_SCRIPTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

typedef struct scripted scripted;

/* What to do about a request. Zeroed before the script is asked. */
typedef struct scripted_act {
    const char *bytes; /* static, or kept by the test; NULL: none */
    size_t len;        /* 0: strlen(bytes) */
    size_t repeat;     /* send bytes so many times; 0: once */
    unsigned pause_ms; /* before the first byte; the pause ends early when the server is stopped */
    unsigned between_ms; /* between repeats */
    bool hangs;          /* say nothing more until the server is stopped or the client goes */
    bool closes;         /* close after the bytes */
} scripted_act;

typedef struct scripted_request {
    unsigned index;      /* of all requests of this server, from 0 */
    unsigned connection; /* from 0 */
    tl_str head;         /* request line and headers, with their line ends */
    tl_str body;
} scripted_request;

/* The script is called under the server's lock. */
typedef void (*scripted_fn)(void *self, const scripted_request *request, scripted_act *act);

scripted *scripted_start(scripted_fn script, void *self);
uint16_t scripted_port(const scripted *server);
unsigned scripted_requests(scripted *server); /* so far */
unsigned scripted_connections(scripted *server);
unsigned
scripted_gone(scripted *server); /* connections that the client closed while one hung or paused */
void scripted_stop(scripted *server);

/* The value of a header in a head, "" when it is not there; any case. */
tl_str scripted_header(tl_str head, const char *name);

/* A port on which nothing listens: it was free a moment ago. */
uint16_t scripted_dead_port(void);

#endif
