/* world: one client and one server that does the same to everybody, or what a test's own script says. */
#ifndef TALLY_TEST_CLIENT_WORLD_H
#define TALLY_TEST_CLIENT_WORLD_H

#include "io/net/client/client.h"
#include "io/net/client/test/scripted.h"

#define OK_LINE  "HTTP/1.1 200 OK\r\n"
#define OK_EMPTY OK_LINE "Content-Length: 0\r\n\r\n"

typedef struct world {
    tl_client *client;
    scripted *server;
    scripted_act act;
    const scripted_act *acts; /* by the request's index; the last one stays */
    size_t act_count;
    tl_client_options options;
    char seen[8192]; /* the last request's head and body */
    tl_client_spec spec;
} world;

/* Fill act or acts, options and spec first; script NULL is the server described above. */
void world_start(world *w, scripted_fn script);
void world_stop(world *w);
tl_client_call *world_begin(world *w);
tl_client_call *world_ask(world *w); /* until it is done */

#endif
