/* A queue before each SQLite file. SQLite lets writers that wait sleep and try again, longer each time, so under load
 * some wait far too long while others overtake; the writers of this process line up here instead, first come, first
 * served, and only those of other processes are left to SQLite's own way. */
#include "io/sql/sql_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct waiter {
    struct waiter *next;
    pthread_cond_t woken;
    bool is_next;
} waiter;

struct tl__gate {
    tl__gate *next;
    uint64_t device;
    uint64_t inode;
    size_t users;
    pthread_mutex_t lock; /* guards what follows */
    bool is_taken;
    waiter *first;
    waiter *last;
};

static pthread_mutex_t gates_lock = PTHREAD_MUTEX_INITIALIZER; /* guards gates, next and users */
static tl__gate *gates;

tl__gate *tl__gate_open(uint64_t device, uint64_t inode)
{
    (void)pthread_mutex_lock(&gates_lock);
    tl__gate *gate = gates;
    while (gate != NULL && (gate->device != device || gate->inode != inode)) {
        gate = gate->next;
    }
    if (gate == NULL) {
        gate = calloc(1, sizeof *gate);
        if (gate != NULL) {
            gate->device = device;
            gate->inode = inode;
            gate->next = gates;
            (void)pthread_mutex_init(&gate->lock, NULL);
            gates = gate;
        }
    }
    if (gate != NULL) {
        gate->users++;
    }
    (void)pthread_mutex_unlock(&gates_lock);
    return gate;
}

void tl__gate_close(tl__gate *gate)
{
    if (gate == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&gates_lock);
    if (--gate->users == 0) {
        tl__gate **at = &gates;
        while (*at != gate) {
            at = &(*at)->next;
        }
        *at = gate->next;
        (void)pthread_mutex_destroy(&gate->lock);
        free(gate);
    }
    (void)pthread_mutex_unlock(&gates_lock);
}

static void take_out(tl__gate *gate, const waiter *gone)
{
    waiter *before = NULL;
    waiter *w = gate->first;
    while (w != gone) {
        before = w;
        w = w->next;
    }
    if (before == NULL) {
        gate->first = w->next;
    } else {
        before->next = w->next;
    }
    if (gate->last == w) {
        gate->last = before;
    }
}

static bool wait_turn(tl__gate *gate, uint32_t wait_ms)
{
    waiter w = {.is_next = false};
    pthread_condattr_t steady;
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w.woken, &steady);
    (void)pthread_condattr_destroy(&steady);
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    if (gate->last != NULL) {
        gate->last->next = &w;
    } else {
        gate->first = &w;
    }
    gate->last = &w;
    int rc = 0;
    while (!w.is_next && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&w.woken, &gate->lock, &until);
    }
    if (!w.is_next) {
        take_out(gate, &w);
    }
    (void)pthread_cond_destroy(&w.woken);
    return w.is_next;
}

bool tl__gate_enter(tl__gate *gate, uint32_t wait_ms)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool is_in = !gate->is_taken;
    if (is_in) {
        gate->is_taken = true;
    } else {
        is_in = wait_turn(gate, wait_ms); /* whoever leaves hands it over: is_taken stays */
    }
    (void)pthread_mutex_unlock(&gate->lock);
    return is_in;
}

void tl__gate_leave(tl__gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    waiter *w = gate->first;
    if (w != NULL) {
        gate->first = w->next;
        if (gate->first == NULL) {
            gate->last = NULL;
        }
        w->is_next = true;
        (void)pthread_cond_signal(&w->woken);
    } else {
        gate->is_taken = false;
    }
    (void)pthread_mutex_unlock(&gate->lock);
}
