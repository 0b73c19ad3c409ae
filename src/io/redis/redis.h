/* redis: commands to a Redis server, over a few connections that mend themselves.
 * For         limits and replay stores that several processes share; never the truth
 * Takes       an address, commands as lists of bytes, scripts      Gives   replies in an arena, or TL_ERR_IO
 * Calls       hiredis                                              Called by   io/net/limit, sdk/replay, app
 * Owns        its connections
 * Threads     everything from any thread: a call takes a connection of its own for its length
 * Invariants  REDIS-1 a call ends within its time limit, also when the server is gone or silent
 *             REDIS-2 a connection on which anything went wrong is closed, so that no reply meets another question
 *             REDIS-3 after a failed connect the next try waits: nobody queues behind a dead server
 * Read        redis.c from tl_redis_call() down
 */
#ifndef TALLY_IO_REDIS_H
#define TALLY_IO_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_redis tl_redis;

/* tl_redis_options: zero means the default. Texts are copied. */
typedef struct tl_redis_options {
    tl_str url; /* redis://[user@]host[:port][/database], unix:///path; never with a password */
    tl_str password;          /* empty: none */
    uint32_t connect_ms;      /* 500 */
    uint32_t call_ms;         /* 250: a whole call, a pipeline of many commands too */
    uint32_t retry_ms;        /* 200: pause after a failed connect */
    uint32_t connections_max; /* 8; a call beyond them waits for one, within its time limit */
} tl_redis_options;

/* tl_redis_open: a handle; the first connection is made by the first call.
 * Errors: TL_ERR_SYNTAX (the url; field "redis"), TL_ERR_RANGE, TL_ERR_NOMEM. */
TL_MUST_USE tl_err tl_redis_open(tl_redis **out, const tl_redis_options *options, tl_errctx *ctx);
void tl_redis_close(tl_redis *redis); /* NULL is fine; no call may be under way */

/* tl_redis_wait_ms: how long a call takes at most. */
uint32_t tl_redis_wait_ms(const tl_redis *redis);

/* tl_redis_command: words of one command: words[0] is its name. */
typedef struct tl_redis_command {
    const tl_bytes *words;
    size_t count;
} tl_redis_command;

typedef enum tl_redis_kind {
    TL_REDIS_NIL,
    TL_REDIS_INTEGER,
    TL_REDIS_TEXT, /* a status or a string */
    TL_REDIS_ARRAY,
    TL_REDIS_ERROR /* what the server said about this one command */
} tl_redis_kind;

typedef struct tl_redis_reply {
    tl_redis_kind kind;
    int64_t integer;
    tl_str text;
    const struct tl_redis_reply *items;
    size_t count;
} tl_redis_reply;

#define TL_REDIS_REPLY_DEPTH_MAX 4

/* tl_redis_call: count commands in one round trip; out has room for count replies, which live in the arena.
 * Errors: TL_ERR_IO (no connection, cut, too slow: what was done there is then unknown), the arena's. */
TL_MUST_USE tl_err tl_redis_call(tl_redis *redis, tl_redis_reply *out, tl_arena *arena,
                                 const tl_redis_command *commands, size_t count, tl_errctx *ctx);

/* tl_redis_script: a Lua script that the server runs as one step. sha1 of its text is asked for first, the text sent when
 * the server does not know it. */
typedef struct tl_redis_script {
    tl_str text;
    char sha1[41];
} tl_redis_script;

void tl_redis_script_init(tl_redis_script *script, tl_str text);

/* tl_redis_run: count runs of a script in one round trip; each command holds the keys' number, keys and arguments
 * (what stands behind the script in EVAL). */
TL_MUST_USE tl_err tl_redis_run(tl_redis *redis, tl_redis_reply *out, tl_arena *arena,
                                const tl_redis_script *script, const tl_redis_command *runs,
                                size_t count, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
