/* exec: programs in any language answer requests over their standard input and output.
 * For         a Python model behind a C server: the server keeps connections, signatures and limits, the program answers
 * Takes       a command to run, several times where wanted; requests with a deadline
 * Gives       answers, whole or in pieces, on the room's thread
 * Calls       libuv, base                      Called by   sdk/axon, app
 * Owns        the processes, their pipes, one thread, from open to close
 * Threads     open and close belong to one thread; ask and cancel from any; answers come on the room's own thread
 * Invariants  EXEC-1 each request that was taken gets one last answer, exactly, also when its process dies
 *             EXEC-2 a process has at most as many requests at once as it asked for, and nothing of a frame beyond the
 *                    limits is kept in memory
 *             EXEC-3 a process that breaks the protocol, ends, or is kill_after_s late is killed and started again, never
 *                    sooner than the back-off says
 * Read        frames.c (what a frame is), then exec.c, then process.c
 *
 *     frame   head length, u32 little-endian | body length, u32 little-endian | head, a JSON object | body, raw bytes
 *
 *     program ─▶ us   {"tally_exec":1,"routes":["POST /predict"],"synapses":[…],"in_flight":1}       first, once
 *     us ─▶ program   {"id":7,"kind":"route","method":"POST","target":"/predict?n=1","hotkey":"5F…", …}  and the body
 *                     {"id":7,"kind":"cancel"}                          the caller left; may be ignored
 *     program ─▶ us   {"id":7,"status":200,"content_type":"text/plain"} the answer, and its body
 *                     {"id":7,"more":true}                              a piece of a stream; the next frame goes on
 *                     {"id":7,"error":"no such model"}                  it failed: for the log, the caller sees 500
 *
 *     waiting ──a process has room──▶ in flight ──last frame──▶ answered
 *                                         └──deadline──▶ overdue ──last frame──▶ forgotten
 *                                                           └──kill_after_s──▶ the process is killed
 *
 * The end of standard input tells a program to end. What it writes to standard error goes to the log, line by line.
 */
#ifndef TALLY_SDK_EXEC_H
#define TALLY_SDK_EXEC_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/log/log.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_EXEC_VERSION         1
#define TL_EXEC_HEAD_MAX        65536 /* bytes of a program's head */
#define TL_EXEC_PROCESSES_MAX   64
#define TL_EXEC_IN_FLIGHT_MAX   64 /* requests at once that a process may ask for */
#define TL_EXEC_WAITING_DEFAULT 256
#define TL_EXEC_BODY_DEFAULT    ((size_t)16 << 20)
#define TL_EXEC_BODY_CEILING    ((size_t)1 << 30)
#define TL_EXEC_STDERR_LINE     1024 /* longer lines are cut into several */

typedef struct tl_exec tl_exec;

/* tl_exec_settings: zero means the default. Copied; the log is borrowed until close. */
typedef struct tl_exec_settings {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH */
    unsigned processes;      /* default 1 */
    uint32_t waiting_max;    /* requests that wait for a process */
    size_t body_len_max;     /* of a frame, both ways; default TL_EXEC_BODY_DEFAULT */
    double start_s;          /* until the first frame must have come, default 10 */
    double kill_after_s;     /* default 5 */
    double backoff_s;        /* before it is started again, default 0.5, doubled each time */
    double backoff_s_max;    /* default 30 */
    tl_log *log;             /* NULL: none; its sink takes lines from this room's thread */
} tl_exec_settings;

/* tl_exec_request: what a program is told. Copied by tl_exec_ask. Empty texts are left out. */
typedef struct tl_exec_request {
    tl_str kind;   /* "route" or "synapse" */
    tl_str name;   /* of the synapse */
    tl_str method; /* of the route, as target */
    tl_str target;
    tl_str protocol;
    tl_str hotkey;
    tl_str address;
    tl_str correlation_id;
    double timeout_s; /* from now; above 0 */
    tl_bytes body;
} tl_exec_request;

typedef enum tl_exec_outcome {
    TL_EXEC_PIECE,    /* a stream goes on */
    TL_EXEC_ANSWER,   /* the last frame */
    TL_EXEC_FAILED,   /* the program says so; error is its text */
    TL_EXEC_TIMEOUT,  /* the deadline passed, waiting or in flight */
    TL_EXEC_CRASHED,  /* the process ended or broke the protocol before it had answered */
    TL_EXEC_CANCELLED /* by tl_exec_cancel, or by close */
} tl_exec_outcome;

/* tl_exec_answer: views for the time of the call. */
typedef struct tl_exec_answer {
    tl_exec_outcome outcome;
    int status;          /* 200 … 599; 200 when the program gives none */
    tl_str content_type; /* empty: not given */
    tl_str error;
    tl_bytes body;
} tl_exec_answer;

typedef void (*tl_exec_on_answer)(void *self, const tl_exec_answer *answer);

/* tl_exec_open: start the processes and wait for the first one's first frame.
 * Errors: TL_ERR_NOT_FOUND, TL_ERR_IO (it ended, or said nothing in time), what tl_exec_hello_parse says of the frame. */
TL_MUST_USE tl_err tl_exec_open(tl_exec **out, const tl_exec_settings *settings, tl_errctx *ctx);

/* tl_exec_close: input is closed, those who stay are killed after a second; open requests are cancelled. NULL is fine. */
void tl_exec_close(tl_exec *exec);

/* tl_exec_borrow_hello: the first frame's head: "routes" is an array of strings and objects, "synapses" one of objects; either
 * may be missing. Lives until close. */
const tl_json *tl_exec_borrow_hello(const tl_exec *exec);

/* tl_exec_ask: hand a request over. *id names it for tl_exec_cancel; NULL: nobody wants it.
 * Errors: TL_ERR_LIMIT when waiting_max wait or the body is too long; TL_ERR_NOMEM; then on_answer is never called. */
TL_MUST_USE tl_err tl_exec_ask(tl_exec *exec, uint64_t *id, const tl_exec_request *request,
                               tl_exec_on_answer on_answer, void *self, tl_errctx *ctx);

/* tl_exec_cancel: its last answer is then TL_EXEC_CANCELLED, unless another was on its way. An unknown id: nothing. */
void tl_exec_cancel(tl_exec *exec, uint64_t id);

/* tl_exec_load: requests that wait, and that are with processes; processes that are ready. */
typedef struct tl_exec_load {
    uint32_t waiting;
    uint32_t in_flight;
    uint32_t ready;
    uint64_t restarts;
} tl_exec_load;
tl_exec_load tl_exec_get_load(tl_exec *exec);

/* --- frames, for programs in C and for tests --- */

/* tl_exec_reader: bytes in, frames out. The caller's storage; deinit it. */
typedef struct tl_exec_reader {
    uint8_t *bytes; /* of frames that were not given yet */
    size_t start;   /* where they begin */
    size_t len;     /* where they end */
    size_t cap;
    size_t used; /* bytes of the frame given last, dropped by the next call */
    size_t body_len_max;
    bool is_broken;
} tl_exec_reader;

typedef struct tl_exec_frame {
    tl_str head;
    tl_bytes body;
} tl_exec_frame;

void tl_exec_reader_init(tl_exec_reader *reader, size_t body_len_max);
void tl_exec_reader_deinit(tl_exec_reader *reader);

/* tl_exec_reader_feed: more bytes. Errors: TL_ERR_NOMEM. Memory grows with what came, not with what a length claims. */
TL_MUST_USE tl_err tl_exec_reader_feed(tl_exec_reader *reader, tl_bytes bytes, tl_errctx *ctx);

/* tl_exec_reader_next: the next whole frame, views until the next call of either; *has_one false: more bytes are wanted.
 * Errors, which stay: TL_ERR_LIMIT when a length is above its limit, TL_ERR_SYNTAX when a head is empty. */
TL_MUST_USE tl_err tl_exec_reader_next(tl_exec_reader *reader, tl_exec_frame *out, bool *has_one,
                                       tl_errctx *ctx);

/* tl_exec_hello: what the first frame says; tl_exec_reply: what any other one says. Unknown members are ignored. */
typedef struct tl_exec_hello {
    uint32_t in_flight; /* 1 … TL_EXEC_IN_FLIGHT_MAX */
    const tl_json *head;
} tl_exec_hello;

typedef struct tl_exec_reply {
    uint64_t id;
    bool is_more;
    bool is_error;
    int status;
    tl_str content_type;
    tl_str error;
} tl_exec_reply;

/* Errors: those of JSON, with the member as field: TL_ERR_MISSING, TL_ERR_TYPE, TL_ERR_RANGE; TL_ERR_VERSION. */
TL_MUST_USE tl_err tl_exec_hello_parse(tl_exec_hello *out, tl_arena *arena, tl_str head,
                                       tl_errctx *ctx);
TL_MUST_USE tl_err tl_exec_reply_parse(tl_exec_reply *out, tl_arena *arena, tl_str head,
                                       tl_errctx *ctx);

/* tl_exec_frame_put: a frame around a head and a body. */
void tl_exec_frame_put(tl_sb *sb, tl_str head, tl_bytes body);

#ifdef __cplusplus
}
#endif

#endif
