/* A wire that fails: between a client and a server on loopback, one thread that passes bytes on, or does not. */
#ifndef TALLY_IO_OBJECTS_TEST_BAD_WIRE_H
#define TALLY_IO_OBJECTS_TEST_BAD_WIRE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum bad_wire_mode {
    WIRE_GOOD,
    WIRE_503,      /* answers by itself: 503, and closes */
    WIRE_CUT_UP,   /* passes cut_at bytes of the request on, then closes both ends */
    WIRE_CUT_DOWN, /* passes the request on and cut_at bytes of the answer, then closes both ends */
    WIRE_SILENT    /* takes the request and never answers */
} bad_wire_mode;

typedef struct bad_wire {
    uint16_t port;
    uint16_t server_port;
    int listener;
    pthread_t thread;
    bool is_over; /* atomic, as the next two */
    bool is_dropped;
    bool is_busy;
    int mode;  /* atomic: of the next `count` connections */
    int count; /* atomic; then the wire is good */
    uint64_t cut_at;
    int seen; /* atomic: connections so far */
} bad_wire;

void bad_wire_start(bad_wire *wire, uint16_t server_port);
void bad_wire_set(bad_wire *wire, bad_wire_mode mode, int count, uint64_t cut_at);
/* The connection that is open now is closed; the next one is the mode's. */
void bad_wire_drop(bad_wire *wire);
void bad_wire_stop(bad_wire *wire);

#endif
