/* Requests: taken from any thread, handed to the process with most room, answered once. */
#include "sdk/exec/exec.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/exec/exec_internal.h"

#define NS_PER_S      1000000000.0
#define SCRATCH_LEN   ((size_t)4 << 20)
#define CALM_S        60.0 /* a process that lived so long is started at the first back-off again */
#define KILL_AT_CLOSE 1.0

int64_t tl__exec_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t after_s(double seconds)
{
    return tl__exec_now_ns() + (int64_t)(seconds * NS_PER_S);
}

void tl__exec_free_ask(tl__exec_ask *ask)
{
    TL_ASSERT(ask->is_cancel || ask->on_answer == NULL); /* EXEC-1 */
    free(ask->frame);
    free(ask);
}

void tl__exec_answer(tl__exec_ask *ask, const tl_exec_answer *answer)
{
    const tl_exec_on_answer on_answer = ask->on_answer;
    if (on_answer == NULL) {
        return;
    }
    if (answer->outcome != TL_EXEC_PIECE) {
        ask->on_answer = NULL; /* EXEC-1 */
    }
    on_answer(ask->self, answer);
}

static void answer_with(tl__exec_ask *ask, tl_exec_outcome outcome, const char *error)
{
    tl__exec_answer(ask, &(tl_exec_answer){
                             .outcome = outcome, .status = 500, .error = tl_str_from_cstr(error)});
}

/* --- the waiting list --- */

static void let_go(tl_exec *exec)
{
    (void)pthread_mutex_lock(&exec->lock);
    TL_ASSERT(exec->held > 0);
    exec->held--;
    (void)pthread_mutex_unlock(&exec->lock);
}

/* Removes *at from the waiting list and gives it. */
static tl__exec_ask *unlink_waiting(tl_exec *exec, tl__exec_ask **at)
{
    tl__exec_ask *ask = *at;
    *at = ask->next;
    if (*at == NULL) {
        exec->waiting_end = at;
    }
    let_go(exec);
    return ask;
}

static tl__process *find_room(tl_exec *exec)
{
    tl__process *best = NULL;
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process *p = &exec->processes[i];
        if (p->state == TL__PROCESS_READY && p->ask_count < p->room &&
            (best == NULL || p->ask_count < best->ask_count)) {
            best = p;
        }
    }
    return best;
}

static void dispatch(tl_exec *exec)
{
    tl__process *p;
    while (exec->waiting != NULL && !exec->is_ending && (p = find_room(exec)) != NULL) {
        tl__process_hand(p, unlink_waiting(exec, &exec->waiting));
    }
}

/* --- what a process reports --- */

static void open_is_over(tl_exec *exec, tl_err err, const tl_errctx *why)
{
    (void)pthread_mutex_lock(&exec->lock);
    if (!exec->has_opened) {
        exec->has_opened = true;
        exec->failure = err;
        exec->why = why != NULL ? *why : (tl_errctx)TL_ERRCTX_INIT;
        (void)pthread_cond_signal(&exec->has_news);
    }
    (void)pthread_mutex_unlock(&exec->lock);
}

/* The first hello of all is kept; those of other processes and later starts must only be well formed. */
static tl_err read_hello(tl__process *p, tl_str head, tl_errctx *ctx)
{
    tl_exec *exec = p->exec;
    tl_exec_hello hello;
    TL_TRY(tl_exec_hello_parse(&hello, exec->scratch, head, ctx));
    p->room = hello.in_flight;
    if (exec->hello == NULL) {
        tl_str copy;
        TL_TRY(tl_str_copy(&copy, exec->hello_arena, head, ctx));
        TL_TRY(tl_exec_hello_parse(&hello, exec->hello_arena, copy, ctx));
        (void)pthread_mutex_lock(&exec->lock);
        exec->hello = hello.head;
        (void)pthread_mutex_unlock(&exec->lock);
    }
    return TL_OK;
}

void tl__exec_on_hello(tl__process *p, const tl_exec_frame *frame)
{
    tl_exec *exec = p->exec;
    const tl_arena_mark mark = tl_arena_get_mark(exec->scratch);
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = read_hello(p, frame->head, &why);
    tl_arena_rewind(exec->scratch, mark);
    if (err != TL_OK) {
        tl_errctx_wrap(&why, "first frame of \"%s\"", exec->words[0]);
        open_is_over(exec, err, &why);
        tl__process_kill(p, why.message);
        return;
    }
    p->state = TL__PROCESS_READY;
    (void)atomic_fetch_add(&exec->ready, 1);
    open_is_over(exec, TL_OK, NULL);
    dispatch(exec);
}

static tl__exec_ask **find_ask(tl__process *p, uint64_t id)
{
    tl__exec_ask **at = &p->asks;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

static void take_reply(tl__process *p, const tl_exec_reply *reply, tl_bytes body)
{
    tl__exec_ask **at = find_ask(p, reply->id);
    if (*at == NULL) {
        tl__process_kill(p, "it answered what it was not asked");
        return;
    }
    tl__exec_ask *ask = *at;
    const tl_exec_outcome outcome = reply->is_error  ? TL_EXEC_FAILED
                                    : reply->is_more ? TL_EXEC_PIECE
                                                     : TL_EXEC_ANSWER;
    if (!reply->is_more) {
        *at = ask->next;
        p->ask_count--;
        (void)atomic_fetch_sub(&p->exec->in_flight, 1);
        p->backoff_s =
            p->exec->settings.backoff_s; /* it works: a later fall starts from the beginning */
    }
    tl__exec_answer(
        ask, &(tl_exec_answer){outcome, reply->status, reply->content_type, reply->error, body});
    if (!reply->is_more) {
        tl__exec_free_ask(ask);
        dispatch(p->exec);
    }
}

void tl__exec_on_reply(tl__process *p, const tl_exec_frame *frame)
{
    const tl_arena_mark mark = tl_arena_get_mark(p->exec->scratch);
    tl_errctx why = TL_ERRCTX_INIT;
    tl_exec_reply reply;
    if (tl_exec_reply_parse(&reply, p->exec->scratch, frame->head, &why) != TL_OK) {
        tl__process_kill(p, why.message);
    } else {
        take_reply(p, &reply, frame->body);
    }
    tl_arena_rewind(p->exec->scratch, mark);
}

void tl__exec_on_down(tl__process *p, const char *why)
{
    tl_exec *exec = p->exec;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err =
        tl_fail(&ctx, TL_ERR_IO, "the program \"%s\" is gone before its first frame: %s",
                exec->words[0], why);
    open_is_over(exec, err, &ctx);
    while (p->asks != NULL) {
        tl__exec_ask *ask = p->asks;
        p->asks = ask->next;
        (void)atomic_fetch_sub(&exec->in_flight, 1);
        answer_with(ask, TL_EXEC_CRASHED, why); /* EXEC-1 */
        tl__exec_free_ask(ask);
    }
    p->ask_count = 0;
    if ((double)(tl__exec_now_ns() - p->started_ns) > CALM_S * NS_PER_S) {
        p->backoff_s = exec->settings.backoff_s;
    }
    p->retry_ns = after_s(p->backoff_s); /* EXEC-3 */
    p->backoff_s = p->backoff_s * 2 < exec->settings.backoff_s_max ? p->backoff_s * 2
                                                                   : exec->settings.backoff_s_max;
}

/* --- time --- */

static void expire_waiting(tl_exec *exec, int64_t now_ns)
{
    for (tl__exec_ask **at = &exec->waiting; *at != NULL;) {
        if ((*at)->deadline_ns > now_ns) {
            at = &(*at)->next;
            continue;
        }
        tl__exec_ask *ask = unlink_waiting(exec, at);
        answer_with(ask, TL_EXEC_TIMEOUT, "no process had room in time");
        tl__exec_free_ask(ask);
    }
}

/* Overdue requests of a process: their callers are answered, and who is later still is killed (EXEC-3). */
static void expire_asks(tl__process *p, int64_t now_ns)
{
    const int64_t grace_ns = (int64_t)(p->exec->settings.kill_after_s * NS_PER_S);
    bool is_late = false;
    for (tl__exec_ask *ask = p->asks; ask != NULL; ask = ask->next) {
        if (ask->deadline_ns <= now_ns) {
            answer_with(ask, TL_EXEC_TIMEOUT, "no answer in time");
            is_late = is_late || ask->deadline_ns + grace_ns <= now_ns;
        }
    }
    if (is_late) {
        tl__process_kill(p, "it does not answer");
    }
}

static void step_process(tl__process *p, int64_t now_ns)
{
    const tl_exec *exec = p->exec;
    tl__process_step(p, now_ns);
    switch (p->state) {
    case TL__PROCESS_DOWN:
        if (p->retry_ns <= now_ns) {
            (void)atomic_fetch_add(&p->exec->restarts, 1);
            tl__process_start(p);
        }
        return;
    case TL__PROCESS_STARTING:
        if (p->started_ns + (int64_t)(exec->settings.start_s * NS_PER_S) <= now_ns) {
            tl__process_kill(p, "it did not say its first frame in time");
        }
        return;
    case TL__PROCESS_READY:
        expire_asks(p, now_ns);
        return;
    case TL__PROCESS_ENDING:
        return;
    }
}

static bool all_down(const tl_exec *exec)
{
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        if (exec->processes[i].state != TL__PROCESS_DOWN) {
            return false;
        }
    }
    return true;
}

/* Closing: input is closed already; after a second the rest is killed; when all are gone, so is the loop. */
static void step_ending(tl_exec *exec, int64_t now_ns)
{
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process_step(&exec->processes[i], now_ns);
    }
    if (now_ns > exec->ending_ns) {
        exec->is_killing = true;
        for (unsigned i = 0; i < exec->settings.processes; i++) {
            tl__process_kill(&exec->processes[i], "closing");
        }
    }
    if (all_down(exec) && !uv_is_closing((uv_handle_t *)&exec->tick)) {
        uv_close((uv_handle_t *)&exec->tick, NULL);
        uv_close((uv_handle_t *)&exec->wake, NULL);
    }
}

static void on_tick(uv_timer_t *tick)
{
    tl_exec *exec = tick->data;
    const int64_t now_ns = tl__exec_now_ns();
    if (exec->is_ending) {
        step_ending(exec, now_ns);
        return;
    }
    expire_waiting(exec, now_ns);
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        step_process(&exec->processes[i], now_ns);
    }
}

/* --- from other threads --- */

static void cancel(tl_exec *exec, uint64_t id)
{
    for (tl__exec_ask **at = &exec->waiting; *at != NULL; at = &(*at)->next) {
        if ((*at)->id == id) {
            tl__exec_ask *ask = unlink_waiting(exec, at);
            answer_with(ask, TL_EXEC_CANCELLED, "cancelled");
            tl__exec_free_ask(ask);
            return;
        }
    }
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process *p = &exec->processes[i];
        tl__exec_ask *ask = *find_ask(p, id);
        if (ask != NULL && ask->on_answer != NULL) {
            answer_with(ask, TL_EXEC_CANCELLED, "cancelled");
            tl__process_cancel(p, id);
            return;
        }
    }
}

static void begin_ending(tl_exec *exec)
{
    if (exec->is_ending) {
        return;
    }
    exec->is_ending = true;
    exec->ending_ns = after_s(KILL_AT_CLOSE);
    while (exec->waiting != NULL) {
        tl__exec_ask *ask = unlink_waiting(exec, &exec->waiting);
        answer_with(ask, TL_EXEC_CANCELLED, "closing");
        tl__exec_free_ask(ask);
    }
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process *p = &exec->processes[i];
        for (tl__exec_ask *ask = p->asks; ask != NULL; ask = ask->next) {
            answer_with(ask, TL_EXEC_CANCELLED, "closing");
        }
        tl__process_close_input(p);
    }
}

static void on_wake(uv_async_t *wake)
{
    tl_exec *exec = wake->data;
    (void)pthread_mutex_lock(&exec->lock);
    tl__exec_ask *list = exec->inbox;
    exec->inbox = NULL;
    exec->inbox_end = &exec->inbox;
    const bool wants_end = exec->wants_end;
    (void)pthread_mutex_unlock(&exec->lock);
    while (list != NULL) {
        tl__exec_ask *next = list->next;
        list->next = NULL;
        if (list->is_cancel) {
            cancel(exec, list->id);
            tl__exec_free_ask(list);
        } else {
            *exec->waiting_end = list;
            exec->waiting_end = &list->next;
        }
        list = next;
    }
    if (wants_end) {
        begin_ending(exec);
        return;
    }
    dispatch(exec);
}

static void post(tl_exec *exec, tl__exec_ask *ask)
{
    *exec->inbox_end = ask;
    exec->inbox_end = &ask->next;
    (void)uv_async_send(&exec->wake);
}

static void put_text(tl_json_writer *w, const char *key, tl_str value)
{
    if (value.len > 0) {
        tl_json_put_key(w, key);
        tl_json_put_str(w, value);
    }
}

static tl_err write_frame(tl__exec_ask *ask, tl_arena *arena, const tl_exec_request *request,
                          tl_errctx *ctx)
{
    tl_sb head;
    tl_json_writer w;
    tl_str text;
    tl_sb_init(&head, arena);
    tl_json_writer_init(&w, &head, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "id");
    tl_json_put_u64(&w, ask->id);
    put_text(&w, "kind", request->kind);
    put_text(&w, "name", request->name);
    put_text(&w, "method", request->method);
    put_text(&w, "target", request->target);
    put_text(&w, "protocol", request->protocol);
    put_text(&w, "hotkey", request->hotkey);
    put_text(&w, "address", request->address);
    put_text(&w, "correlation_id", request->correlation_id);
    tl_json_put_key(&w, "timeout_s");
    tl_json_put_f64(&w, request->timeout_s);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&text, &head, ctx));
    tl_sb lengths; /* of the frame whose body is copied only once, behind them */
    tl_str front;
    tl_sb_init(&lengths, arena);
    tl_exec_frame_put(&lengths, text, (tl_bytes){NULL, 0});
    TL_TRY(tl_sb_finish(&front, &lengths, ctx));
    ask->frame_len = front.len + request->body.len;
    ask->frame = malloc(ask->frame_len);
    if (ask->frame == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a frame of %zu bytes", ask->frame_len);
    }
    memcpy(ask->frame, front.ptr, front.len);
    for (size_t i = 0; i < 4; i++) {
        ask->frame[4 + i] = (char)(request->body.len >> (8 * i));
    }
    if (request->body.len > 0) {
        memcpy(ask->frame + front.len, request->body.ptr, request->body.len);
    }
    return TL_OK;
}

/* A place among those who wait, or not; the id comes with it. */
static tl_err take_place(tl_exec *exec, tl__exec_ask *ask, tl_errctx *ctx)
{
    (void)pthread_mutex_lock(&exec->lock);
    const bool has_room = exec->held < exec->settings.waiting_max && !exec->wants_end;
    if (has_room) {
        exec->held++;
        ask->id = ++exec->last_id;
    }
    (void)pthread_mutex_unlock(&exec->lock);
    return has_room ? TL_OK
                    : tl_fail(ctx, TL_ERR_LIMIT, "%u requests wait for the program",
                              exec->settings.waiting_max);
}

tl_err tl_exec_ask(tl_exec *exec, uint64_t *id, const tl_exec_request *request,
                   tl_exec_on_answer on_answer, void *self, tl_errctx *ctx)
{
    if (request->body.len > exec->settings.body_len_max) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a body of %zu bytes, above %zu", request->body.len,
                       exec->settings.body_len_max);
    }
    tl__exec_ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a request");
    }
    tl_err err = take_place(exec, ask, ctx);
    if (err != TL_OK) {
        free(ask);
        return err;
    }
    tl_arena *arena = NULL;
    err = tl_arena_new(&arena, NULL, 0, NULL, ctx);
    err = err == TL_OK ? write_frame(ask, arena, request, ctx) : err;
    tl_arena_free(arena);
    if (err != TL_OK) {
        let_go(exec);
        free(ask->frame);
        free(ask);
        return err;
    }
    ask->on_answer = on_answer;
    ask->self = self;
    ask->deadline_ns = after_s(request->timeout_s);
    (void)pthread_mutex_lock(&exec->lock);
    if (id != NULL) {
        *id = ask->id;
    }
    post(exec, ask);
    (void)pthread_mutex_unlock(&exec->lock);
    return TL_OK;
}

void tl_exec_cancel(tl_exec *exec, uint64_t id)
{
    tl__exec_ask *word = calloc(1, sizeof *word);
    if (word == NULL) {
        return; /* its deadline will end it */
    }
    word->is_cancel = true;
    word->id = id;
    (void)pthread_mutex_lock(&exec->lock);
    post(exec, word);
    (void)pthread_mutex_unlock(&exec->lock);
}

tl_exec_load tl_exec_get_load(tl_exec *exec)
{
    (void)pthread_mutex_lock(&exec->lock);
    const uint32_t held = exec->held;
    (void)pthread_mutex_unlock(&exec->lock);
    return (tl_exec_load){held, atomic_load(&exec->in_flight), atomic_load(&exec->ready),
                          atomic_load(&exec->restarts)};
}

const tl_json *tl_exec_borrow_hello(const tl_exec *exec)
{
    return exec->hello;
}

/* --- open and close --- */

static void *thread_main(void *argument)
{
    tl_exec *exec = argument;
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process_start(&exec->processes[i]);
    }
    (void)uv_run(&exec->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void fill_defaults(tl_exec_settings *s)
{
    s->processes = s->processes > 0 ? s->processes : 1;
    s->waiting_max = s->waiting_max > 0 ? s->waiting_max : TL_EXEC_WAITING_DEFAULT;
    s->body_len_max = s->body_len_max > 0 ? s->body_len_max : TL_EXEC_BODY_DEFAULT;
    s->start_s = s->start_s > 0 ? s->start_s : 10;
    s->kill_after_s = s->kill_after_s > 0 ? s->kill_after_s : 5;
    s->backoff_s = s->backoff_s > 0 ? s->backoff_s : 0.5;
    s->backoff_s_max = s->backoff_s_max > s->backoff_s ? s->backoff_s_max : 30;
}

static void free_memory(tl_exec *exec)
{
    tl_arena_free(exec->scratch);
    tl_arena_free(exec->hello_arena);
    free(exec->processes);
    free(exec);
}

static tl_err copy_words(tl_exec *exec, tl_errctx *ctx)
{
    size_t count = 0;
    while (exec->settings.argv[count] != NULL) {
        count++;
    }
    exec->words = TL_NEW(exec->hello_arena, char *, count + 1);
    for (size_t i = 0; i < count && exec->words != NULL; i++) {
        const size_t len = strlen(exec->settings.argv[i]) + 1;
        exec->words[i] = TL_NEW(exec->hello_arena, char, len);
        if (exec->words[i] == NULL) {
            exec->words = NULL;
            break;
        }
        memcpy(exec->words[i], exec->settings.argv[i], len);
    }
    exec->settings.argv = NULL;
    return exec->words != NULL ? TL_OK : tl_arena_fail(exec->hello_arena, ctx);
}

static tl_err prepare(tl_exec *exec, tl_errctx *ctx)
{
    TL_TRY(tl_arena_new(&exec->scratch, NULL, SCRATCH_LEN, NULL, ctx));
    TL_TRY(tl_arena_new(&exec->hello_arena, NULL, SCRATCH_LEN, NULL, ctx));
    TL_TRY(copy_words(exec, ctx));
    exec->processes = calloc(exec->settings.processes, sizeof *exec->processes);
    if (exec->processes == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for %u processes", exec->settings.processes);
    }
    for (unsigned i = 0; i < exec->settings.processes; i++) {
        tl__process *p = &exec->processes[i];
        p->exec = exec;
        p->index = i;
        p->backoff_s = exec->settings.backoff_s;
        p->in.data = p;
    }
    exec->waiting_end = &exec->waiting;
    exec->inbox_end = &exec->inbox;
    if (uv_loop_init(&exec->loop) != 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot make an event loop");
    }
    return TL_OK;
}

/* The loop's own handles, the locks, the thread: with the loop made, these fail only for want of descriptors or memory. */
static tl_err start_thread(tl_exec *exec, tl_errctx *ctx)
{
    if (uv_async_init(&exec->loop, &exec->wake, on_wake) != 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot make a wake-up call");
    }
    (void)uv_timer_init(&exec->loop, &exec->tick);
    (void)uv_timer_start(&exec->tick, on_tick, TL__EXEC_TICK_MS, TL__EXEC_TICK_MS);
    exec->wake.data = exec;
    exec->tick.data = exec;
    (void)pthread_mutex_init(&exec->lock, NULL);
    (void)pthread_cond_init(&exec->has_news, NULL);
    if (pthread_create(&exec->thread, NULL, thread_main, exec) != 0) {
        uv_close((uv_handle_t *)&exec->wake, NULL);
        uv_close((uv_handle_t *)&exec->tick, NULL);
        (void)uv_run(&exec->loop, UV_RUN_DEFAULT);
        return tl_fail(ctx, TL_ERR_IO, "cannot start a thread");
    }
    return TL_OK;
}

static tl_err wait_for_hello(tl_exec *exec, tl_errctx *ctx)
{
    (void)pthread_mutex_lock(&exec->lock);
    while (!exec->has_opened) {
        (void)pthread_cond_wait(&exec->has_news, &exec->lock);
    }
    const tl_err err = exec->failure;
    if (err != TL_OK && ctx != NULL) {
        *ctx = exec->why;
    }
    (void)pthread_mutex_unlock(&exec->lock);
    return err;
}

tl_err tl_exec_open(tl_exec **out, const tl_exec_settings *settings, tl_errctx *ctx)
{
    if (settings->argv == NULL || settings->argv[0] == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "argv", "no program is named");
    }
    if (settings->processes > TL_EXEC_PROCESSES_MAX ||
        settings->body_len_max > TL_EXEC_BODY_CEILING) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "processes",
                             "at most %d processes, and bodies of at most %zu bytes",
                             TL_EXEC_PROCESSES_MAX, TL_EXEC_BODY_CEILING);
    }
    tl_exec *exec = calloc(1, sizeof *exec);
    if (exec == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a program");
    }
    exec->settings = *settings;
    fill_defaults(&exec->settings);
    tl_err err = prepare(exec, ctx);
    if (err != TL_OK) {
        free_memory(exec);
        return err;
    }
    err = start_thread(exec, ctx);
    if (err != TL_OK) {
        (void)uv_loop_close(&exec->loop);
        free_memory(exec);
        return err;
    }
    err = wait_for_hello(exec, ctx);
    if (err != TL_OK) {
        tl_exec_close(exec);
        return err;
    }
    *out = exec;
    return TL_OK;
}

void tl_exec_close(tl_exec *exec)
{
    if (exec == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&exec->lock);
    exec->wants_end = true;
    (void)uv_async_send(&exec->wake);
    (void)pthread_mutex_unlock(&exec->lock);
    (void)pthread_join(exec->thread, NULL);
    TL_ASSERT(uv_loop_close(&exec->loop) == 0);
    (void)pthread_cond_destroy(&exec->has_news);
    (void)pthread_mutex_destroy(&exec->lock);
    free_memory(exec);
}
