/* memory: connections whose other end is a buffer, so that tests and the fuzzer decide what each call of the system gives. */
#ifndef TALLY_IO_NET_HTTP_TEST_MEMORY_H
#define TALLY_IO_NET_HTTP_TEST_MEMORY_H

#include "echo_app.h"
#include "io/net/http/http_internal.h"

enum { MEMORY_LINES_MAX = 8 };

/* memory_line: the far end of one connection. */
typedef struct memory_line {
    tl__http_conn *conn; /* NULL: closed, and freed */
    char *sent;          /* all that came out; a NUL behind it */
    size_t sent_len;
    size_t sent_cap;
    size_t room;     /* what the socket still takes at once; SIZE_MAX: all */
    bool is_writing; /* write_out waits for memory_take */
    bool is_reading;
    bool is_shut;
    bool is_closed;
    bool is_lost; /* writing fails */
} memory_line;

typedef struct memory_world {
    tl_http_loop loop;
    tl_http_settings settings;
    echo_app echo;
    memory_line lines[MEMORY_LINES_MAX];
    size_t line_count;
} memory_world;

/* settings NULL: the defaults. */
void memory_open(memory_world *w, const tl_http_settings *settings);
void memory_close(memory_world *w); /* what is still open is aborted; all must be gone then */
memory_line *memory_connect(memory_world *w);                      /* NULL: no memory for it */
void memory_send(memory_line *line, tl_str bytes);                 /* no turn after it */
void memory_turn(memory_world *w);                                 /* the turn's end */
void memory_say(memory_world *w, memory_line *line, tl_str bytes); /* both */
void memory_take(memory_world *w,
                 memory_line *line); /* the peer reads: what write_out waits for is done */
void memory_later(memory_world *w, int64_t ms); /* time passes; deadlines act */

#endif
