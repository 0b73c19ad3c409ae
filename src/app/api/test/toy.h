/* A small service on the kit, as a service of its own would be written, and a client that sends bytes as it is told. */
#ifndef TALLY_APP_API_TEST_TOY_H
#define TALLY_APP_API_TEST_TOY_H

#include <stdatomic.h>

#include "app/api/api.h"
#include "core/crypto/keypair/keypair.h"

#define TOY_ANSWER_CAP 262144

typedef struct toy {
    tl_arena *arena;
    tl_keypair *service;
    tl_keypair *miner;     /* registered */
    tl_keypair *validator; /* with permit and stake */
    tl_keypair *poor;      /* with a permit and little stake */
    tl_keypair *stranger;
    char ss58[TL_SS58_CAP]; /* the service's */
    tl_api_settings settings;
    tl_api *api;
    tl_api_page *page;
    _Atomic int books;    /* made so far */
    _Atomic int handled;  /* calls that reached a handler */
    _Atomic int workers;  /* threads with state */
    _Atomic bool is_held; /* /v1/held waits while it is set */
    _Atomic int holding;  /* calls that wait there */
    _Atomic bool is_ready;
    tl_log log;
    char lines[65536]; /* of the log */
    _Atomic size_t lines_len;
    char dir[64];
} toy;

/* toy_begin: keys and settings; change settings, then toy_start. */
void toy_begin(toy *t);
void toy_start(toy *t);
void toy_end(toy *t);

typedef struct toy_answer {
    int status;
    size_t len;
    char text[TOY_ANSWER_CAP];
    const char *body;
    size_t body_len;
} toy_answer;

/* toy_send: a whole request as text; toy_ask: method, target, headers (each with its CR LF), body. */
int toy_connect(const toy *t);
void toy_send(int fd, const void *bytes, size_t len);
void toy_receive(int fd, toy_answer *out);
void toy_ask(const toy *t, toy_answer *out, const char *method, const char *target,
             const char *headers, const char *body);
const char *toy_header(const toy_answer *answer, const char *name); /* NULL: not there */

/* toy_sign: headers of a btauth request, in the arena; JSON's content type too. */
const char *toy_sign(toy *t, const tl_keypair *from, const char *method, const char *target,
                     const char *body);

/* toy_refused: the answer is that refusal, in the one shape, with its correlation id in both places. */
void toy_refused(const toy_answer *answer, int status, const char *code, const char *field);

#endif
