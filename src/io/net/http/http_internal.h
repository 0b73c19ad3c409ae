/* http_internal: what the files of this room share. The connection's part (head.c, chunk.c, conn.c, exchange.c, answer.c,
 * out.c, wheel.c, tunnel.c) knows no sockets: bytes come in by tl__http_conn_input, and leave through a tl__http_wire. So a
 * fuzzer and the unit tests drive it from memory, and loop.c from libuv. */
#ifndef TALLY_IO_NET_HTTP_INTERNAL_H
#define TALLY_IO_NET_HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <uv.h>

#include "io/net/http/http.h"

/* --- limits that are nobody's setting --- */

#define TL__HTTP_READ_LEN        ((size_t)64 << 10) /* one read of a socket */
#define TL__HTTP_BLOCK_LEN       ((size_t)16 << 10) /* what waits to be sent lies in blocks of this */
#define TL__HTTP_ANSWER_HEAD_MAX ((size_t)64 << 10)
#define TL__HTTP_DRAIN_LEN_MAX                                                                     \
    ((uint64_t)64 << 10) /* of a refused request's body, read so that the connection serves on */
#define TL__HTTP_LINGER_LEN_MAX ((uint64_t)1 << 20) /* discarded before a close */
#define TL__HTTP_OUT_PAUSE_LEN                                                                     \
    ((size_t)256 << 10) /* no further request is read while this much waits */
#define TL__HTTP_BODY_KEPT_MAX   ((size_t)16 << 10) /* a body buffer up to this is used again */
#define TL__HTTP_ARENA_LEN_MAX   ((size_t)64 << 20)
#define TL__HTTP_SPARE_MAX       256 /* exchanges kept for use again while there is work … */
#define TL__HTTP_SPARE_IDLE      16  /* … and when there is none */
#define TL__HTTP_CHUNK_LINE_MAX  256 /* size and extensions of a chunk */
#define TL__HTTP_TRAILER_LEN_MAX 4096
#define TL__HTTP_OVERHEAD_FREE                                                                     \
    ((uint64_t)16 << 10) /* of chunked framing; and eight bytes for each byte of body */
#define TL__HTTP_WHEEL_SLOTS    1024
#define TL__HTTP_NEVER          INT64_MAX
#define TL__HTTP_TUNNEL_TICK_MS 1000

typedef struct tl__http_conn tl__http_conn;

/* --- head.c --- */

typedef struct tl__http_head {
    tl_str method;
    tl_str target;
    tl_str
        origin; /* view into target; empty or from '?' on when an absolute-form target has no path */
    uint64_t content_length;
    size_t field_count;
    bool is_http_1_0;
    bool has_content_length;
    bool is_chunked;
    bool is_last; /* the connection ends with this request */
    bool expects_continue;
} tl__http_head;

/* tl__http_head_scan: a whole head, from its first byte to the empty line's last. 0, or the status to refuse it with. */
int tl__http_head_scan(tl__http_head *out, tl_http_header *fields, tl_str raw);

/* tl__http_head_confirm: llhttp's opinion of a head that the scan let in; 0, or the status. They must agree, but for the name
 * of a method that llhttp does not know, where that is let through. */
int tl__http_head_confirm(const tl__http_head *head, tl_str raw, bool takes_any_method);

/* --- chunk.c --- */

typedef enum tl__http_chunk_step {
    TL__HTTP_CHUNK_MORE, /* all bytes are used up */
    TL__HTTP_CHUNK_PIECE,
    TL__HTTP_CHUNK_END,
    TL__HTTP_CHUNK_BAD
} tl__http_chunk_step;

typedef struct tl__http_chunks {
    uint64_t left;     /* of the chunk whose data come now, or the size as read so far */
    uint64_t payload;  /* handed out so far */
    uint64_t overhead; /* bytes of framing so far */
    uint16_t line_len; /* of the size line, or of all trailers */
    uint8_t digits;
    uint8_t state;
} tl__http_chunks;

/* tl__http_chunks_read: the next step; *rest loses what was read. A piece is a view into it. */
tl__http_chunk_step tl__http_chunks_read(tl__http_chunks *chunks, tl_bytes *rest, tl_bytes *piece);

/* tl__http_chunk_left: bytes that the chunk which has begun still wants; 0 between two. */
uint64_t tl__http_chunk_left(const tl__http_chunks *chunks);

/* --- out.c: what waits to be sent --- */

typedef struct tl__http_block {
    struct tl__http_block *next;
    size_t from; /* sent up to here */
    size_t to;
    size_t cap;
    uint8_t data[];
} tl__http_block;

typedef struct tl__http_queue {
    tl__http_block *first;
    tl__http_block *last;
    size_t len;
} tl__http_queue;

/* tl__http_wire: what carries a connection's bytes. */
typedef struct tl__http_wire {
    /* Send now what can be sent without waiting: how many bytes, or -1: the peer is gone. */
    ptrdiff_t (*try_write)(tl__http_conn *conn, const struct iovec *parts, size_t count);
    void (*write_out)(
        tl__http_conn *conn); /* send conn->out's first blocks, then call tl__http_conn_wrote */
    void (*read)(tl__http_conn *conn, bool is_on);
    void (*shutdown)(tl__http_conn *conn);
    void (*close)(tl__http_conn *conn); /* then, never inside this call, tl__http_conn_free */
} tl__http_wire;

/* --- exchanges --- */

struct tl_http_exchange {
    tl__http_conn *conn;
    tl_http_exchange *next; /* in the connection's order, or of the spare ones */
    tl_http_request request;
    tl_arena *arena;
    tl_arena_mark empty;
    void *user;
    uint8_t *body;
    size_t body_len;
    size_t body_cap;
    uint64_t body_len_max;
    int64_t body_timeout_ms; /* for the body: 0 the settings' */
    int64_t due_ms;          /* by tl_http_set_timeout */
    tl__http_queue held;     /* of its answer, while others come before it */
    tl_http_body_take take;
    bool is_seen;     /* the application knows it, and is owed an end (HTTP-2) */
    bool is_mute;     /* nobody takes an answer: what the application still says is dropped */
    bool is_received; /* the request is whole */
    bool is_head;     /* method HEAD: no body in its answer */
    bool is_bodiless; /* no body in this answer */
    bool is_last;     /* the connection ends with its answer */
    bool is_streaming;
    bool is_complete; /* answered: the application has let go */
    bool is_full;     /* its writer was told to pause */
    bool awaits_continue;
};

/* --- connections --- */

typedef enum tl__http_rx {
    TL__HTTP_RX_HEAD,
    TL__HTTP_RX_LENGTH,  /* a body of `left` bytes */
    TL__HTTP_RX_CHUNKED, /* a body in chunks */
    TL__HTTP_RX_IGNORE,  /* nothing more is wanted */
    TL__HTTP_RX_TUNNEL
} tl__http_rx;

struct tl_http_tunnel {
    tl__http_conn *conn;
    const tl_http_tunnel_calls *calls;
    void *self;
    bool is_full;
};

struct tl__http_conn {
    tl_http_loop *loop;
    tl__http_conn *all_prev; /* of the loop's connections */
    tl__http_conn *all_next;
    tl__http_conn *wheel_prev; /* of its slot */
    tl__http_conn *wheel_next;
    tl__http_conn *dirty_next;
    tl_http_exchange *first; /* waiting for answers, in order */
    tl_http_exchange *last;
    tl_http_exchange *receiving; /* whose body comes; NULL: it is thrown away */
    tl_http_exchange *ending;    /* that tl__http_end_exchange is at; NULL once it is answered */
    tl_tls_session *tls;
    tl_http_tunnel *tunnel;
    uint8_t *in; /* read, but not yet understood */
    tl__http_queue out;
    tl__http_chunks chunks;
    uint64_t left;       /* of a body with a length */
    uint64_t taken;      /* of this body so far */
    uint64_t drain_left; /* of a body that nobody wants, or after the last answer */
    int64_t read_due_ms;
    int64_t write_due_ms;
    int64_t filed_ms; /* when the wheel looks at it */
    int64_t body_from_ms;
    size_t in_len;
    size_t in_cap;
    size_t in_scanned; /* no end of the head before this */
    tl_net_addr peer;
    uint16_t waiting_count;
    uint16_t filed_slot;
    uint8_t rx;
    bool is_counted;  /* against its address */
    bool is_running;  /* inside tl__http_conn_input */
    bool is_dirty;    /* on the list of the turn's end */
    bool is_corked;   /* more answers are likely: gather them */
    bool is_broken;   /* to be closed at the turn's end */
    bool is_paused;   /* not reading */
    bool is_writing;  /* wire.write_out is under way */
    bool is_in_head;  /* part of a head has come */
    bool is_stopping; /* no request is read after this one */
    bool is_ending;   /* the last answer is in `out` */
    bool lingers;     /* drain the sender before closing, so that a reset does not eat the answer */
    bool is_shut;     /* our half is closed */
    bool is_peer_done; /* its half is */
    bool is_closed;
    bool was_used; /* a request came */
    bool did_skip; /* an empty line before this head */
    uv_tcp_t tcp;
    union {
        uv_write_t write;
        uv_shutdown_t shutdown;
    } req;
    size_t writing_len; /* of `out`, given to wire.write_out */
};

struct tl_http_loop {
    const tl_http_settings *settings; /* every default filled in */
    const tl_http_app *app;
    const tl__http_wire *wire;
    const tl_allocator *allocator;
    void *user;
    int64_t now_ms;

    tl__http_conn *all;
    size_t count; /* connections, the closing ones too */
    tl_http_exchange *spare;
    size_t spare_count;
    size_t busy_count; /* exchanges in use */
    size_t bodies_len; /* being collected */
    tl__http_conn *dirty;
    bool is_draining;

    tl__http_conn *wheel[TL__HTTP_WHEEL_SLOTS];
    int64_t tick_ms;
    int64_t ticked_ms; /* the wheel has been turned up to here */

    int64_t date_ms; /* when the date was written */
    char date[40];   /* "Date: …\r\n" */
    size_t date_len;
    tl_http_header fields[TL_HTTP_FIELD_COUNT_MAX];
    char *scratch;  /* TL__HTTP_ANSWER_HEAD_MAX */
    uint8_t *plain; /* decrypted bytes: TL__HTTP_BLOCK_LEN */

    /* what libuv's side needs (loop.c) */
    tl_http_server *server;
    size_t index;
    atomic_size_t load; /* connections, for the one that accepts */
    pthread_t thread;
    bool has_thread;
    bool has_uv;
    bool is_over;
    uv_loop_t uv;
    uv_check_t check;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_timer_t drain_timer;
    uv_async_t async;
    uint8_t *read_buffer;
    pthread_mutex_t post_lock; /* guards the two below */
    tl_http_post *post_first;
    tl_http_post *post_last;
    tl_http_post stop_post;
};

/* memory of a loop (exchange.c): NULL when there is none */
void *tl__http_alloc(tl_http_loop *loop, size_t len);
void tl__http_release(tl_http_loop *loop, void *memory);

/* engine.c: a loop without libuv. settings and app are borrowed. */
TL_MUST_USE tl_err tl__http_engine_init(tl_http_loop *loop, const tl_http_settings *settings,
                                        const tl_http_app *app, const tl__http_wire *wire,
                                        int64_t now_ms, tl_errctx *ctx);
void tl__http_engine_deinit(tl_http_loop *loop);
void tl__http_settle(
    tl_http_loop *loop); /* the turn's end: on_turn, then what its connections need */
void tl__http_flush(tl_http_loop *loop); /* the connections alone */
void tl__http_engine_drain(tl_http_loop *loop);
void tl__http_engine_abort(tl_http_loop *loop); /* close all, at once */
void tl__http_settings_fill(tl_http_settings *settings);

/* conn.c */
tl__http_conn *tl__http_conn_new(tl_http_loop *loop, const tl_net_addr *peer); /* NULL: no memory */
void tl__http_conn_free(tl__http_conn *conn);
void tl__http_conn_wire_input(tl__http_conn *conn,
                              tl_bytes bytes); /* as they came from the socket */
void tl__http_conn_eof(tl__http_conn *conn);
void tl__http_conn_error(tl__http_conn *conn);
void tl__http_conn_wrote(tl__http_conn *conn, bool is_ok);
void tl__http_conn_due(tl__http_conn *conn);    /* a deadline may have passed */
void tl__http_conn_settle(tl__http_conn *conn); /* at the turn's end */
void tl__http_conn_break(
    tl__http_conn *conn); /* close it at the turn's end: no callback runs before */
void tl__http_conn_advance(tl__http_conn *conn); /* its first exchange may be complete */
void tl__http_conn_close(tl__http_conn *conn, tl_http_gone why);
void tl__http_conn_dirty(tl__http_conn *conn);
void tl__http_conn_stop(tl__http_conn *conn); /* the server drains */

/* exchange.c */
tl_http_exchange *tl__http_exchange_new(tl__http_conn *conn);
void tl__http_exchange_drop(
    tl_http_exchange *x); /* its connection's first; back to the spare ones */
void tl__http_exchange_free_spare(tl_http_loop *loop, size_t keep_count);
TL_MUST_USE bool tl__http_body_keep(tl_http_exchange *x, tl_bytes piece); /* false: no room */

/* answer.c */
void tl__http_refuse(tl__http_conn *conn, tl_http_exchange *x,
                     int status); /* a request that the application does not
                                                                             * see; x NULL: not even a head */
void tl__http_end_exchange(tl_http_exchange *x,
                           tl_http_gone why); /* on_gone, and the server's own answer */
void tl__http_continue(tl_http_exchange *x);
TL_MUST_USE bool
tl__http_answer_upgrade(tl_http_exchange *x,
                        tl_http_headers headers); /* false: such a head cannot be */
void tl__http_complete(tl_http_exchange *x);      /* the application, or the server, has answered */

/* out.c */
void tl__http_send(tl__http_conn *conn, const struct iovec *parts, size_t count);
void tl__http_send_bytes(tl__http_conn *conn, tl_bytes bytes);
TL_MUST_USE bool tl__http_queue_put(tl_http_loop *loop, tl__http_queue *queue, const void *bytes,
                                    size_t len);
void tl__http_queue_move(tl__http_queue *to, tl__http_queue *from);
void tl__http_queue_clear(tl_http_loop *loop, tl__http_queue *queue);
size_t tl__http_queue_parts(const tl__http_queue *queue, struct iovec *parts, size_t count_max);
void tl__http_queue_consume(tl_http_loop *loop, tl__http_queue *queue, size_t len);
void tl__http_out_flush(tl__http_conn *conn);
void tl__http_tls_pull(tl__http_conn *conn);

/* wheel.c */
void tl__http_wheel_file(tl__http_conn *conn); /* by its deadlines as they are now */
void tl__http_wheel_remove(tl__http_conn *conn);
void tl__http_wheel_turn(tl_http_loop *loop);

/* tunnel.c */
void tl__http_tunnel_input(tl__http_conn *conn, tl_bytes bytes);
void tl__http_tunnel_end(tl__http_conn *conn);

/* loop.c: init leaves nothing when it fails; then start, stop, join; or undo, for a thread that never ran; then free */
TL_MUST_USE tl_err tl__http_loop_init(tl_http_loop *loop, tl_http_server *server, size_t index,
                                      const tl_http_settings *settings, const tl_http_app *app,
                                      tl_errctx *ctx);
TL_MUST_USE tl_err tl__http_loop_start(tl_http_loop *loop, tl_errctx *ctx);
void tl__http_loop_stop(tl_http_loop *loop); /* ask it to drain and end */
void tl__http_loop_join(tl_http_loop *loop);
void tl__http_loop_undo(tl_http_loop *loop);
void tl__http_loop_free(tl_http_loop *loop);
void tl__http_loop_adopt(tl_http_loop *loop, int fd, const tl_net_addr *peer, bool is_counted);

/* addrs.c: how many connections each address has */
typedef struct tl__http_addrs tl__http_addrs;
tl__http_addrs *tl__http_addrs_new(size_t connection_count_max); /* NULL: no memory */
void tl__http_addrs_free(tl__http_addrs *addrs);
TL_MUST_USE bool tl__http_addrs_take(tl__http_addrs *addrs, const tl_net_addr *peer, size_t max);
void tl__http_addrs_give(tl__http_addrs *addrs, const tl_net_addr *peer);

/* server.c */
void tl__http_server_left(tl_http_server *server, const tl_net_addr *peer, bool is_counted);
void tl__http_listen_stop(tl_http_loop *loop);

#endif
