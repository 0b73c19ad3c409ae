/* What the axon's tests share: an axon on loopback, a client that sends bytes as they are told, signatures by sdk/auth. */
#ifndef TALLY_SDK_AXON_TEST_WORLD_H
#define TALLY_SDK_AXON_TEST_WORLD_H

#include <stdatomic.h>

#include "core/crypto/keypair/keypair.h"
#include "sdk/auth/auth.h"
#include "sdk/axon/axon.h"
#include "sdk/synapse/synapse.h"

#define WORLD_ANSWER_CAP 65536

typedef struct world {
    tl_arena *arena;
    tl_keypair *alice; /* the axon */
    tl_keypair *bob;   /* a caller */
    tl_keypair *carol; /* another one */
    tl_axon_settings settings;
    tl_axon *axon;
    tl_clock clock;
    tl_entropy entropy;
} world;

/* world_begin: keys and settings; change settings, then world_axon, attach, world_start. */
void world_begin(world *w);
void world_axon(world *w);
void world_start(world *w);
void world_end(world *w);

/* An answer as it came: status 0 when the connection was closed without one. */
typedef struct world_answer {
    int status;
    size_t len; /* of all that came */
    char text[WORLD_ANSWER_CAP];
    const char *body;
} world_answer;

/* What is sent: headers as text, each line with its CR LF. */
typedef struct world_request {
    const char *method;
    const char *target;
    tl_str headers;
    tl_bytes body;
} world_request;

int world_connect(const world *w);
void world_send(int fd, const world_request *request);
void world_receive(int fd, world_answer *out); /* one answer, or until the end for a stream */
void world_ask(const world *w, const world_request *request, world_answer *out);

/* Signed headers; from NULL is bob. */
world_request world_btauth(world *w, const tl_keypair *from, const char *method, const char *target,
                           const char *body);
/* btauth, bound to no receiver, signed so many seconds ago. */
world_request world_unbound(world *w, const char *target, const char *body, int age_s);
world_request world_epistula(world *w, const char *target, const char *body);
/* A v10 request for a synapse with fields a and text; the hash as world_hash makes it of the values' texts. */
void world_hash(char out[65], const char *const *values, size_t count);
world_request world_v10(world *w, const char *name, const char *body, const char *hash);
world_request world_echo(world *w, int a, const char *text);

/* world_header: the value of a header of the answer, or NULL; storage of the thread. */
const char *world_header(const world_answer *answer, const char *name);

/* world_metric: the value of a line of /metrics that begins so; -1 when there is none. */
long world_metric(const world *w, const char *line);

#endif
