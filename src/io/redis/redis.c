/* Connections to Redis: taken for a call, given back when all its replies came, closed when anything went wrong. */
#include "io/redis/redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/redis/redis_internal.h"

#define CONNECT_MS_DEFAULT  500
#define CALL_MS_DEFAULT     250
#define RETRY_MS_DEFAULT    200
#define CONNECTIONS_DEFAULT 8
#define CONNECTIONS_MAX     1024
#define MS_MAX              600000

struct tl_redis {
    tl__redis_place place;
    char password[512];
    size_t password_len;
    uint32_t connect_ms;
    uint32_t call_ms;
    uint32_t retry_ms;
    uint32_t connections_max;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t given_back;
    redisContext *idle[CONNECTIONS_MAX];
    uint32_t idle_count;
    uint32_t open_count; /* idle ones and those in a call */
    int64_t retry_at_ms; /* steady time before which nobody connects */
};

static int64_t steady_ms(void)
{
    struct timespec t;
    TL_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static tl_err set_ms(uint32_t *out, uint32_t wanted, uint32_t fallback, const char *field,
                     tl_errctx *ctx)
{
    if (wanted > MS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, field, "%u ms, above %d", wanted, MS_MAX);
    }
    *out = wanted == 0 ? fallback : wanted;
    return TL_OK;
}

static tl_err fill(tl_redis *r, const tl_redis_options *o, tl_errctx *ctx)
{
    TL_TRY(tl__redis_parse_url(&r->place, o->url, ctx));
    TL_TRY(set_ms(&r->connect_ms, o->connect_ms, CONNECT_MS_DEFAULT, "connect_ms", ctx));
    TL_TRY(set_ms(&r->call_ms, o->call_ms, CALL_MS_DEFAULT, "call_ms", ctx));
    TL_TRY(set_ms(&r->retry_ms, o->retry_ms, RETRY_MS_DEFAULT, "retry_ms", ctx));
    r->connections_max = o->connections_max == 0 ? CONNECTIONS_DEFAULT : o->connections_max;
    if (r->connections_max > CONNECTIONS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "connections_max", "%u, above %d",
                             r->connections_max, CONNECTIONS_MAX);
    }
    if (o->password.len >= sizeof r->password) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "password", "longer than %zu bytes",
                             sizeof r->password - 1);
    }
    if (o->password.len > 0) {
        memcpy(r->password, o->password.ptr, o->password.len);
    }
    r->password_len = o->password.len;
    return TL_OK;
}

tl_err tl_redis_open(tl_redis **out, const tl_redis_options *options, tl_errctx *ctx)
{
    tl_redis *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a Redis handle");
    }
    const tl_err err = fill(r, options, ctx);
    if (err != TL_OK) {
        explicit_bzero(r, sizeof *r);
        free(r);
        return err;
    }
    pthread_condattr_t attr;
    TL_ASSERT(pthread_mutex_init(&r->lock, NULL) == 0 && pthread_condattr_init(&attr) == 0 &&
              pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&r->given_back, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    *out = r;
    return TL_OK;
}

void tl_redis_close(tl_redis *r)
{
    if (r == NULL) {
        return;
    }
    TL_ASSERT(r->idle_count == r->open_count); /* no call is under way */
    for (uint32_t i = 0; i < r->idle_count; i++) {
        redisFree(r->idle[i]);
    }
    (void)pthread_cond_destroy(&r->given_back);
    (void)pthread_mutex_destroy(&r->lock);
    explicit_bzero(r, sizeof *r); /* the password */
    free(r);
}

uint32_t tl_redis_wait_ms(const tl_redis *r)
{
    return r->connect_ms + r->call_ms;
}

/* REDIS-1: what is left of a call's time, as the library wants it; at least a millisecond. */
static struct timeval left_until(int64_t end_ms)
{
    int64_t left = end_ms - steady_ms();
    left = left < 1 ? 1 : left;
    return (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
}

static tl_err fail_io(tl_errctx *ctx, const char *what, const redisContext *c)
{
    if (c == NULL || c->err == 0) {
        return tl_fail_field(ctx, TL_ERR_IO, "redis", "%s", what);
    }
    const bool is_slow = c->err == REDIS_ERR_IO && errno == EAGAIN;
    return tl_fail_field(ctx, TL_ERR_IO, "redis", "%s: %s", what,
                         is_slow ? "no answer in time" : c->errstr);
}

/* One command on a connection that nobody else has; its answer is only looked at for an error. */
static bool tell(redisContext *c, int argc, const char **argv, const size_t *lens)
{
    redisReply *reply = redisCommandArgv(c, argc, argv, lens);
    const bool is_fine = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    return is_fine;
}

static bool greet(const tl_redis *r, redisContext *c)
{
    const char *argv[3] = {"AUTH", r->place.user, r->password};
    size_t lens[3] = {4, strlen(r->place.user), r->password_len};
    if (r->place.user[0] == '\0') {
        argv[1] = r->password;
        lens[1] = r->password_len;
    }
    if (r->password_len > 0 && !tell(c, r->place.user[0] == '\0' ? 2 : 3, argv, lens)) {
        return false;
    }
    if (r->place.database == 0) {
        return true;
    }
    char number[16];
    const size_t len = tl_str_print(number, sizeof number, "%u", r->place.database);
    const char *select_argv[2] = {"SELECT", number};
    const size_t select_lens[2] = {6, len};
    return tell(c, 2, select_argv, select_lens);
}

static tl_err connect_new(redisContext **out, tl_redis *r, tl_errctx *ctx)
{
    const int64_t end_ms = steady_ms() + r->connect_ms;
    const struct timeval left = left_until(end_ms);
    redisContext *c = r->place.path[0] != '\0'
                          ? redisConnectUnixWithTimeout(r->place.path, left)
                          : redisConnectWithTimeout(r->place.host, r->place.port, left);
    tl_err err = TL_OK;
    if (c == NULL || c->err != 0) {
        err = fail_io(ctx, "no connection", c);
    } else if (redisSetTimeout(c, left) != REDIS_OK || !greet(r, c)) {
        err = fail_io(ctx, "the server refuses user, password or database", NULL);
    }
    if (err != TL_OK) {
        redisFree(c);
        return err;
    }
    *out = c;
    return TL_OK;
}

/* Whether an idle connection was closed by the other side, or says what nobody asked for. */
static bool is_stale(const redisContext *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, 0) != 0;
}

/* A slot for a connection: an idle one in *out, or NULL in it for the right to open one. */
static tl_err take(redisContext **out, tl_redis *r, int64_t end_ms, tl_errctx *ctx)
{
    tl_err err = TL_OK;
    *out = NULL;
    TL_ASSERT(pthread_mutex_lock(&r->lock) == 0);
    while (r->idle_count == 0 && r->open_count >= r->connections_max && err == TL_OK) {
        const struct timespec until = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
        if (pthread_cond_timedwait(&r->given_back, &r->lock, &until) == ETIMEDOUT) {
            err = fail_io(ctx, "every connection is busy", NULL);
        }
    }
    while (err == TL_OK && *out == NULL && r->idle_count > 0) {
        *out = r->idle[--r->idle_count];
        if (is_stale(*out)) {
            redisFree(*out);
            *out = NULL;
            r->open_count--;
        }
    }
    if (err == TL_OK && *out == NULL) {
        if (steady_ms() < r->retry_at_ms) { /* REDIS-3 */
            err = fail_io(ctx, "no connection: the last try failed a moment ago", NULL);
        } else {
            r->open_count++;
        }
    }
    TL_ASSERT(pthread_mutex_unlock(&r->lock) == 0);
    return err;
}

/* REDIS-2: only a connection on which every question was answered comes back. */
static void give_back(tl_redis *r, redisContext *c, bool is_good, bool is_connect_failed)
{
    if (c != NULL && !is_good) {
        redisFree(c);
    }
    TL_ASSERT(pthread_mutex_lock(&r->lock) == 0);
    if (is_good) {
        r->idle[r->idle_count++] = c;
    } else {
        r->open_count--;
        if (is_connect_failed) {
            r->retry_at_ms = steady_ms() + r->retry_ms;
        }
    }
    TL_ASSERT(r->idle_count <= r->open_count && r->open_count <= r->connections_max);
    (void)pthread_cond_signal(&r->given_back);
    TL_ASSERT(pthread_mutex_unlock(&r->lock) == 0);
}

static tl_err copy_reply(tl_redis_reply *out, tl_arena *arena, const redisReply *reply,
                         uint32_t depth, tl_errctx *ctx)
{
    *out = (tl_redis_reply){.kind = TL_REDIS_NIL};
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        return TL_OK;
    case REDIS_REPLY_INTEGER:
        out->kind = TL_REDIS_INTEGER;
        out->integer = reply->integer;
        return TL_OK;
    case REDIS_REPLY_ERROR:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING:
        out->kind = reply->type == REDIS_REPLY_ERROR ? TL_REDIS_ERROR : TL_REDIS_TEXT;
        return tl_str_copy(&out->text, arena, (tl_str){reply->str, reply->len}, ctx);
    case REDIS_REPLY_ARRAY:
        break;
    default:
        return fail_io(ctx, "an answer of a kind that was not asked for", NULL);
    }
    if (depth == TL_REDIS_REPLY_DEPTH_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "redis", "an answer nested deeper than %d",
                             TL_REDIS_REPLY_DEPTH_MAX);
    }
    tl_redis_reply *items = TL_NEW(arena, tl_redis_reply, reply->elements);
    if (items == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < reply->elements; i++) {
        TL_TRY(copy_reply(&items[i], arena, reply->element[i], depth + 1, ctx));
    }
    out->kind = TL_REDIS_ARRAY;
    out->items = items;
    out->count = reply->elements;
    return TL_OK;
}

static tl_err send_all(redisContext *c, tl_arena *arena, const tl_redis_command *commands,
                       size_t count, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const char **argv = TL_NEW(arena, const char *, commands[i].count);
        size_t *lens = TL_NEW(arena, size_t, commands[i].count);
        if (argv == NULL || lens == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        for (size_t w = 0; w < commands[i].count; w++) {
            argv[w] = (const char *)commands[i].words[w].ptr;
            lens[w] = commands[i].words[w].len;
        }
        if (redisAppendCommandArgv(c, (int)commands[i].count, argv, lens) != REDIS_OK) {
            return fail_io(ctx, "a command cannot be sent", c);
        }
    }
    return TL_OK;
}

static tl_err exchange(redisContext *c, tl_redis_reply *out, tl_arena *arena,
                       const tl_redis_command *commands, size_t count, int64_t end_ms,
                       tl_errctx *ctx)
{
    TL_TRY(send_all(c, arena, commands, count, ctx));
    for (size_t i = 0; i < count; i++) {
        /* the library's limit is for one read: what is left of the whole call is set anew before each (REDIS-1) */
        const struct timeval left = left_until(end_ms);
        void *reply = NULL;
        if (steady_ms() >= end_ms) {
            return fail_io(ctx, "no answer in time", NULL);
        }
        if (redisSetTimeout(c, left) != REDIS_OK || redisGetReply(c, &reply) != REDIS_OK) {
            return fail_io(ctx, "the connection failed", c);
        }
        const tl_err err = copy_reply(&out[i], arena, reply, 1, ctx);
        freeReplyObject(reply);
        TL_TRY(err);
    }
    return TL_OK;
}

tl_err tl_redis_call(tl_redis *r, tl_redis_reply *out, tl_arena *arena,
                     const tl_redis_command *commands, size_t count, tl_errctx *ctx)
{
    const int64_t begin_ms = steady_ms();
    redisContext *c;
    TL_TRY(take(&c, r, begin_ms + r->call_ms, ctx));
    int64_t end_ms = begin_ms + r->call_ms;
    if (c == NULL) {
        const tl_err err = connect_new(&c, r, ctx);
        if (err != TL_OK) {
            give_back(r, NULL, false, true);
            return err;
        }
        end_ms = steady_ms() + r->call_ms;
    }
    const tl_err err = exchange(c, out, arena, commands, count, end_ms, ctx);
    give_back(r, c, err == TL_OK, false);
    return err;
}
