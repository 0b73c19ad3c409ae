/* What exec.c (requests, threads) and process.c (one process and its pipes) share. Everything here but what the lock
 * guards belongs to the room's own thread. */
#ifndef TALLY_SDK_EXEC_INTERNAL_H
#define TALLY_SDK_EXEC_INTERNAL_H

#include "sdk/exec/exec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum {
    TL__EXEC_CHUNK = 65536,
    TL__EXEC_TICK_MS = 50,
    TL__EXEC_LINGER_MS =
        300 /* between the end of a program's output and its exit, whichever comes first */
};

/* A request, from tl_exec_ask to its last answer, and on until its process is done with it. */
typedef struct tl__exec_ask {
    struct tl__exec_ask *next; /* in the inbox, the waiting list or a process's list */
    uint64_t id;
    int64_t deadline_ns;
    tl_exec_on_answer on_answer; /* NULL: has had its last answer */
    void *self;
    bool is_cancel; /* in the inbox: not a request, but the word to cancel id */
    char *frame;    /* whole, until it is written */
    size_t frame_len;
} tl__exec_ask;

typedef enum tl__process_state {
    TL__PROCESS_DOWN,     /* not there; starts again at retry_ns */
    TL__PROCESS_STARTING, /* runs, has not said its first frame */
    TL__PROCESS_READY,
    TL__PROCESS_ENDING /* killed or ended; what libuv still holds of it is awaited */
} tl__process_state;

/*  DOWN ──start──▶ STARTING ──first frame──▶ READY ──broken, late, ended──▶ ENDING ──handles closed──▶ DOWN
 *                      └───────────────── broken, late, ended ────────────────▶                             */
typedef struct tl__process {
    tl_exec *exec;
    unsigned index;
    tl__process_state state;
    uv_process_t process;
    uv_pipe_t in;
    uv_pipe_t out;
    uv_pipe_t err;
    unsigned open_handles; /* of the four above: what libuv has not closed yet */
    tl_exec_reader reader;
    uint32_t room;      /* requests at once, by its first frame */
    tl__exec_ask *asks; /* with it now, overdue ones too */
    uint32_t ask_count;
    int64_t started_ns;
    int64_t retry_ns;
    int64_t eof_ns;  /* its output ended then; 0: not yet */
    int64_t exit_ns; /* it exited then; 0: not yet */
    char exit_text[64];
    double backoff_s; /* before the next start */
    char line[TL_EXEC_STDERR_LINE];
    size_t line_len;
    char chunk[TL__EXEC_CHUNK]; /* what a read brings */
} tl__process;

struct tl_exec {
    tl_exec_settings settings;
    char **words; /* the command, ends with NULL */
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick; /* deadlines and restarts */
    pthread_t thread;
    tl_arena *scratch; /* heads being read */
    tl__process *processes;
    tl__exec_ask *waiting;
    tl__exec_ask **waiting_end;
    bool is_ending; /* close was called, as the thread knows it */
    bool is_killing;
    int64_t ending_ns;
    atomic_uint in_flight;
    atomic_uint ready;
    _Atomic(uint64_t) restarts;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_news;
    tl__exec_ask *inbox;
    tl__exec_ask **inbox_end;
    uint32_t held; /* requests in the inbox and waiting */
    uint64_t last_id;
    bool wants_end;
    bool has_opened; /* open need not wait any more: hello or failure is there */
    tl_err failure;
    tl_errctx why;
    tl_arena *hello_arena;
    const tl_json *hello;
};

int64_t tl__exec_now_ns(void);

/* process.c */
void tl__process_start(tl__process *p);
void tl__process_hand(tl__process *p, tl__exec_ask *ask); /* takes it */
void tl__process_cancel(tl__process *p, uint64_t id);
void tl__process_kill(tl__process *p, const char *why);
void tl__process_close_input(tl__process *p);
void tl__process_step(tl__process *p, int64_t now_ns); /* what it is waited for no longer */

/* exec.c: what a process reports */
void tl__exec_on_hello(tl__process *p, const tl_exec_frame *frame);
void tl__exec_on_reply(tl__process *p, const tl_exec_frame *frame);
void tl__exec_on_down(tl__process *p, const char *why);

/* tl__exec_answer: the one place where an ask is answered; a last answer is given once (EXEC-1). */
void tl__exec_answer(tl__exec_ask *ask, const tl_exec_answer *answer);
void tl__exec_free_ask(tl__exec_ask *ask);

#endif
