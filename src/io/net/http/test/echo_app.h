/* echo_app: an application that does what the path says, and writes down what it was told. For tests of the connection
 * (from memory) and of the server (over sockets). */
#ifndef TALLY_IO_NET_HTTP_TEST_ECHO_APP_H
#define TALLY_IO_NET_HTTP_TEST_ECHO_APP_H

#include <stdatomic.h>

#include "io/net/http/http.h"

enum { ECHO_WAITING_MAX = 64 };

/* Paths:
 *   /echo      answers the body in on_request       /later     answered by echo_app_answer_later
 *   /turn      answered in on_turn                  /refuse    403 in on_head
 *   /chunks    on_body; answers how many bytes      /both      on_body and collected; answers whether they agree
 *   /small     a body of at most 10 bytes           /own       the same, and on_gone answers 422 itself
 *   /stream    "one", "two", "three" in chunks      /flood     pieces of 10,000 bytes while there is room, 100 in all
 *   /cut       "one", then the stream is cut        /slow      tl_http_set_timeout 50 ms, never answered
 *   /bad       a header with a line end in it       /target    answers target, origin, path and query in lines
 *   /status    the status that the query says, with the body "text" */
typedef struct echo_app {
    tl_http_app app;
    tl_http_exchange *later[ECHO_WAITING_MAX];
    size_t later_count;
    tl_http_exchange *turn[ECHO_WAITING_MAX];
    size_t turn_count;
    atomic_size_t heads;
    atomic_size_t requests;
    atomic_size_t ends; /* answered, or gone */
    atomic_size_t gone[TL_HTTP_GONE_TIMEOUT + 1];
    atomic_size_t rooms;
    size_t chunk_len; /* of /chunks and /both, so far */
    uint64_t chunk_sum;
    size_t flood_left;
} echo_app;

void echo_app_init(echo_app *e);
void echo_app_answer_later(echo_app *e, size_t index, const char *text); /* on the loop's thread */

#endif
