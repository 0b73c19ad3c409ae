/* Attacks the life of a call: handlers that are late, block, fail, answer from other threads or not at all in time; callers
 * that leave; streams that break; a drain in the middle; programs behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "axon_world.h"
#include "sdk/exec/exec.h"

/* A gate at which handlers wait, and a count of those that are there. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t has_news;
    int inside;
    int left;
    bool is_open;
    atomic_int meddled; /* others took from a call's memory while its handler ran */
} gate;

static void gate_begin(gate *g)
{
    memset(g, 0, sizeof *g);
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_cond_init(&g->has_news, NULL);
}

static void gate_open(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->is_open = true;
    (void)pthread_cond_broadcast(&g->has_news);
    (void)pthread_mutex_unlock(&g->lock);
}

static void gate_wait_inside(gate *g, int count)
{
    (void)pthread_mutex_lock(&g->lock);
    while (g->inside < count) {
        (void)pthread_cond_wait(&g->has_news, &g->lock);
    }
    (void)pthread_mutex_unlock(&g->lock);
}

static void gate_pass(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->inside++;
    (void)pthread_cond_broadcast(&g->has_news);
    while (!g->is_open) {
        (void)pthread_cond_wait(&g->has_news, &g->lock);
    }
    g->left++;
    (void)pthread_mutex_unlock(&g->lock);
}

static tl_err forward_gate(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)ctx;
    gate *g = self;
    tl_arena *arena = tl_axon_call_arena(call);
    const char *mine = tl_arena_alloc(arena, 1, 1, 1);
    gate_pass(g);
    if ((const char *)tl_arena_alloc(arena, 1, 1, 1) != mine + 1) {
        (void)atomic_fetch_add(&g->meddled, 1);
    }
    tl_axon_answer(call, 200, "text/plain", tl_axon_call_body(call));
    return TL_OK;
}

static tl_err forward_large(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    static const uint8_t large[(size_t)16 << 20];
    tl_axon_answer(call, 200, NULL, (tl_bytes){large, sizeof large});
    return TL_OK;
}

/* Answers from a thread of its own, when the gate opens. */
typedef struct errand {
    gate *g;
    tl_axon_call *call;
} errand;

static void *run_errand(void *argument)
{
    errand *e = argument;
    gate_pass(e->g);
    tl_axon_answer(e->call, 201, NULL, tl_str_bytes(TL_STR("later")));
    tl_axon_finish(e->call, TL_OK, NULL);
    free(e);
    return NULL;
}

static tl_err forward_errand(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)ctx;
    pthread_t thread;
    errand *e = malloc(sizeof *e);
    assert_non_null(e);
    *e = (errand){self, call};
    tl_axon_later(call);
    assert_int_equal(pthread_create(&thread, NULL, run_errand, e), 0);
    (void)pthread_detach(thread);
    return TL_OK;
}

static void begin(world *w, gate *g)
{
    gate_begin(g);
    world_begin(w);
    w->settings.handlers_max = 2;
    w->settings.waiting_max = 2;
    world_axon(w);
    const tl_axon_route routes[] = {
        {.method = "POST", .path = "/worker", .forward = forward_gate, .self = g, .timeout_s = 20},
        {.method = "POST", .path = "/short", .forward = forward_gate, .self = g, .timeout_s = 0.2},
        {.method = "POST",
         .path = "/later",
         .forward = forward_errand,
         .self = g,
         .runs = TL_AXON_ASYNC,
         .timeout_s = 20},
        {.method = "GET", .path = "/large", .forward = forward_large},
    };
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        assert_int_equal(tl_axon_attach(w->axon, &routes[i], NULL), TL_OK);
    }
    assert_int_equal(tl_axon_attach_echo(w->axon, NULL), TL_OK);
    world_start(w);
}

static int start_request(world *w, const tl_keypair *from, const char *path, const char *body)
{
    const int fd = world_connect(w);
    const world_request request = world_btauth(w, from, "POST", path, body);
    world_send(fd, &request);
    return fd;
}

static void wait_metric(const world *w, const char *line, long value)
{
    while (world_metric(w, line) != value) {
        (void)sched_yield();
    }
}

static void handlers_and_places_to_wait_are_bounded(void **state)
{
    (void)state;
    world w;
    gate g;
    world_answer a;
    int fds[5];
    begin(&w, &g);
    fds[0] = start_request(&w, w.bob, "/worker", "0");
    fds[1] = start_request(&w, w.bob, "/later", "1");
    gate_wait_inside(&g, 2);
    fds[2] = start_request(&w, w.bob, "/worker", "2");
    wait_metric(&w, "\ntally_axon_queue_depth ", 1);
    fds[3] = start_request(&w, w.carol, "/later", "3");
    wait_metric(&w, "\ntally_axon_queue_depth ", 2);
    assert_int_equal(world_metric(&w, "\ntally_axon_handlers "), 2); /* AXON-4 */
    fds[4] = start_request(&w, w.carol, "/worker", "4");
    world_receive(fds[4], &a);
    assert_int_equal(a.status, 503); /* AXON-4 */
    assert_non_null(strstr(a.body, "\"Busy\""));
    gate_open(&g);
    const int statuses[] = {200, 201, 200, 201};
    const char *const bodies[] = {"0", "later", "2", "later"};
    for (int i = 0; i < 4; i++) {
        world_receive(fds[i], &a);
        assert_int_equal(a.status, statuses[i]);
        assert_string_equal(a.body, bodies[i]);
    }
    for (int i = 0; i < 5; i++) {
        (void)close(fds[i]);
    }
    world_end(&w);
}

static void a_late_answer_is_dropped(void **state)
{
    (void)state;
    world w;
    gate g;
    world_answer a;
    begin(&w, &g);
    const int fd = start_request(&w, w.bob, "/short", "x");
    world_receive(fd, &a);
    assert_int_equal(a.status, 408);
    assert_non_null(strstr(a.body, "\"Timeout\""));
    assert_non_null(strstr(a.body, "0.2s"));
    gate_open(&g);
    wait_metric(&w, "\ntally_axon_handlers ",
                0); /* it has had its say, and nobody heard it: AXON-3 */
    assert_int_equal(atomic_load(&g.meddled), 0); /* AXON-6 */
    const world_request next = world_btauth(&w, w.bob, "POST", "/echo", "next");
    world_send(fd, &next); /* the same connection goes on, and gets its own answer */
    world_receive(fd, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "next");
    (void)close(fd);
    world_end(&w);
}

static void an_answer_may_be_larger_than_its_request(void **state)
{
    (void)state;
    world w;
    gate g;
    world_answer a;
    begin(&w, &g);
    const world_request request = world_btauth(&w, w.bob, "GET", "/large", "");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(world_header(&a, "Content-Length"), "16777216");
    world_end(&w);
}

static void callers_may_leave_at_any_time(void **state)
{
    (void)state;
    world w;
    gate g;
    begin(&w, &g);
    int fds[4];
    fds[0] = start_request(&w, w.bob, "/worker", "0");
    fds[1] = start_request(&w, w.bob, "/later", "1");
    gate_wait_inside(&g, 2);
    fds[2] = start_request(&w, w.bob, "/later", "2"); /* these two wait */
    fds[3] = start_request(&w, w.carol, "/worker", "3");
    wait_metric(&w, "\ntally_axon_queue_depth ", 2);
    for (int i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    wait_metric(&w, "\ntally_axon_queue_depth ", 0);
    gate_open(&g);
    wait_metric(&w, "\ntally_axon_handlers ", 0);
    assert_int_equal(g.left, 2); /* who had left before its turn never ran */
    world_end(&w);
}

static void a_drain_lets_handlers_finish(void **state)
{
    (void)state;
    world w;
    gate g;
    world_answer a;
    begin(&w, &g);
    const int fd = start_request(&w, w.bob, "/worker", "0");
    gate_wait_inside(&g, 1);
    pthread_t thread;
    assert_int_equal(
        pthread_create(&thread, NULL, (void *(*)(void *))(void (*)(void))gate_open, &g), 0);
    tl_axon_stop(w.axon);
    world_receive(fd, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(fd);
    world_end(&w);
}

/* --- streams --- */

typedef struct pieces {
    int left;
    bool fails;
} pieces;

static void step(void *self, tl_axon_call *call)
{
    pieces *p = self;
    if (p->left-- == 0) {
        tl_axon_finish(call, p->fails ? TL_ERR_CHECK : TL_OK, "as planned");
        return;
    }
    assert_true(tl_axon_stream_write(call, tl_str_bytes(TL_STR("piece"))));
    tl_axon_after(call, 1, step, p);
}

static tl_err forward_stream(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)ctx;
    pieces *p = self;
    p->left = 3;
    p->fails = tl_axon_call_body(call).len > 0;
    tl_axon_later(call);
    tl_axon_stream_begin(call, "text/plain");
    step(p, call);
    return TL_OK;
}

/* A worker writes until nobody takes more. */
static tl_err forward_flood(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    static const uint8_t piece[65536];
    atomic_size_t *most = self;
    tl_axon_stream_begin(call, NULL);
    for (int i = 0; i < 100000; i++) {
        if (!tl_axon_stream_write(call, (tl_bytes){piece, sizeof piece})) {
            if (tl_axon_call_is_gone(call)) {
                return tl_fail(ctx, TL_ERR_STATE, "the caller left");
            }
            (void)sched_yield();
        }
        const size_t waiting = tl_axon_stream_waiting(call);
        if (waiting > atomic_load(most)) {
            atomic_store(most, waiting);
        }
        while (tl_axon_stream_waiting(call) >= TL_AXON_STREAM_WAITING_MAX &&
               !tl_axon_call_is_gone(call)) {
            (void)sched_yield();
        }
    }
    return TL_OK;
}

static void streams_come_whole_or_are_cut(void **state)
{
    (void)state;
    world w;
    world_answer a;
    pieces p = {0};
    atomic_size_t most = 0;
    world_begin(&w);
    world_axon(&w);
    const tl_axon_route routes[] = {
        {.method = "POST",
         .path = "/stream",
         .forward = forward_stream,
         .self = &p,
         .runs = TL_AXON_ASYNC},
        {.method = "POST", .path = "/flood", .forward = forward_flood, .self = &most},
    };
    assert_int_equal(tl_axon_attach(w.axon, &routes[0], NULL), TL_OK);
    assert_int_equal(tl_axon_attach(w.axon, &routes[1], NULL), TL_OK);
    assert_int_equal(tl_axon_attach_echo(w.axon, NULL), TL_OK);
    world_start(&w);
    world_request request = world_btauth(&w, w.bob, "POST", "/stream", "");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n");
    request = world_btauth(&w, w.bob, "POST", "/stream", "fail");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n"); /* no last chunk */
    request = world_v10(&w, "Stream", "{\"a\": 2, \"text\": \"ab\"}",
                        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(world_header(&a, "content-type"), "text/event-stream");
    assert_string_equal(world_header(&a, "bt_header_axon_status_code"), "200");
    assert_string_equal(a.body, "2\r\nab\r\n2\r\nab\r\n0\r\n\r\n");
    const int fd = start_request(&w, w.bob, "/flood", "");
    while (atomic_load(&most) < TL_AXON_STREAM_WAITING_MAX) { /* nobody reads: it is held up */
        (void)sched_yield();
    }
    assert_true(atomic_load(&most) < TL_AXON_STREAM_WAITING_MAX + 2 * 65536);
    (void)close(fd);
    wait_metric(&w, "\ntally_axon_handlers ", 0);
    world_end(&w);
}

/* --- programs --- */

static void requests_go_to_a_program_and_back(void **state)
{
    (void)state;
    static const char *const program[] = {"python3", TL_SOURCE_ROOT "/examples/exec_echo.py", NULL};
    world w;
    world_answer a;
    tl_exec *exec = NULL;
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(
        tl_exec_open(&exec, &(tl_exec_settings){.argv = program, .processes = 2}, NULL), TL_OK);
    assert_int_equal(tl_axon_attach_exec(w.axon, exec, NULL), TL_OK);
    world_start(&w);
    world_request request = world_btauth(&w, w.bob, "POST", "/shout", "louder");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "LOUDER");
    assert_string_equal(world_header(&a, "content-type"), "text/plain");
    char hash[65];
    world_hash(hash, (const char *const[]){"quiet"}, 1);
    request = world_v10(&w, "Shout", "{\"text\": \"quiet\"}", hash);
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"text\":\"quiet\",\"out\":\"QUIET\"}"));
    request = world_v10(&w, "Shout", "{\"text\": \"other\"}", hash);
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 500); /* the program never sees what was not signed */
    wait_metric(&w, "\ntally_axon_exec_processes ", 2);
    tl_axon_stop(w.axon);
    tl_exec_close(exec);
    world_end(&w);
}

static void a_programs_route_has_switches_of_its_own(void **state)
{
    (void)state;
    static const char *const program[] = {
        "python3", "-c",
        "import json,struct,sys\n"
        "def send(h,b=b''):\n"
        " t=json.dumps(h).encode()\n"
        " sys.stdout.buffer.write(struct.pack('<II',len(t),len(b))+t+b); sys.stdout.flush()\n"
        "send({'tally_exec':1,'routes':[{'route':'POST /wide','waives_receiver':True,"
        "'window_back_s':30,'max_body':4},'POST /strict']})\n"
        "while True:\n"
        " l=sys.stdin.buffer.read(8)\n"
        " if len(l)<8: break\n"
        " h,b=struct.unpack('<II',l); h=json.loads(sys.stdin.buffer.read(h))\n"
        " send({'id':h['id']},sys.stdin.buffer.read(b)) if h['kind']!='cancel' else 0\n",
        NULL};
    world w;
    world_answer a;
    tl_exec *exec = NULL;
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(tl_exec_open(&exec, &(tl_exec_settings){.argv = program}, NULL), TL_OK);
    assert_int_equal(tl_axon_attach_exec(w.axon, exec, NULL), TL_OK);
    world_start(&w);
    const struct {
        world_request request;
        int status;
    } rows[] = {
        {world_unbound(&w, "/wide", "body", 20), 200},
        {world_unbound(&w, "/wide", "body", 40), 401},
        {world_unbound(&w, "/wide", "body5", 0), 413},
        {world_unbound(&w, "/strict", "body5", 0), 403},
        {world_btauth(&w, NULL, "POST", "/strict", "body5"), 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_ask(&w, &rows[i].request, &a);
        assert_int_equal(a.status, rows[i].status);
    }
    tl_axon_stop(w.axon);
    tl_exec_close(exec);
    world_end(&w);
}

/* Large bodies to a handler that does not end: the memory for them has a bound, beyond it they are refused. */
static void large_bodies_in_slow_handlers_are_bounded(void **state)
{
    (void)state;
    enum { BODY = 9 << 20, SENT = 33 };
    world w;
    gate g;
    int fds[SENT];
    gate_begin(&g);
    world_begin(&w);
    world_axon(&w);
    const tl_axon_route route = {.method = "POST",
                                 .path = "/later",
                                 .forward = forward_errand,
                                 .self = &g,
                                 .runs = TL_AXON_ASYNC,
                                 .timeout_s = 100};
    assert_int_equal(tl_axon_attach(w.axon, &route, NULL), TL_OK);
    world_start(&w);
    char *body = malloc(BODY + 1);
    assert_non_null(body);
    memset(body, 'x', BODY);
    body[BODY] = 0;
    for (int i = 0; i < SENT; i++) {
        fds[i] = start_request(&w, w.bob, "/later", body);
    }
    static const char *const busy =
        "tally_axon_requests_total{route=\"POST /later\",protocol=\"btauth\","
        "status=\"503\",reason=\"Busy\"} ";
    while (world_metric(&w, busy) < SENT - ((1 << 30) / (4 * BODY + 65536))) {
        (void)sched_yield();
    }
    gate_open(&g);
    for (int i = 0; i < SENT; i++) {
        (void)close(fds[i]);
    }
    free(body);
    world_end(&w);
}

/* One request is with the program, one waits for it; a third is told so. */
static void a_slow_program_is_busy_or_late_and_no_failure(void **state)
{
    (void)state;
    static const char *const program[] = {
        "python3", "-c",
        "import json,struct,sys,time\n"
        "t=json.dumps({'tally_exec':1,'routes':[{'route':'POST "
        "/slow','timeout_s':3}]}).encode()\n"
        "sys.stdout.buffer.write(struct.pack('<II',len(t),0)+t); sys.stdout.flush()\n"
        "sys.stdin.buffer.read()\n",
        NULL};
    world w;
    world_answer a;
    tl_exec *exec = NULL;
    int fds[2];
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(
        tl_exec_open(&exec, &(tl_exec_settings){.argv = program, .waiting_max = 1}, NULL), TL_OK);
    assert_int_equal(tl_axon_attach_exec(w.axon, exec, NULL), TL_OK);
    world_start(&w);
    fds[0] = start_request(&w, w.bob, "/slow", "0");
    wait_metric(&w, "\ntally_axon_exec_in_flight ", 1);
    fds[1] = start_request(&w, w.bob, "/slow", "1");
    wait_metric(&w, "\ntally_axon_exec_queue_depth ", 1);
    const world_request third = world_btauth(&w, w.bob, "POST", "/slow", "2");
    world_ask(&w, &third, &a);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.body, "\"Busy\""));
    for (int i = 0; i < 2; i++) {
        world_receive(fds[i], &a);
        assert_int_equal(a.status, 408);
        assert_non_null(strstr(a.body, "\"Timeout\""));
        (void)close(fds[i]);
    }
    tl_axon_stop(w.axon);
    tl_exec_close(exec);
    world_end(&w);
}

static void a_program_that_dies_is_a_failed_handler(void **state)
{
    (void)state;
    static const char *const program[] = {
        "python3", "-c",
        "import json,os,struct,sys\n"
        "t=json.dumps({'tally_exec':1,'routes':['POST /die']}).encode()\n"
        "sys.stdout.buffer.write(struct.pack('<II',len(t),0)+t); sys.stdout.flush()\n"
        "sys.stdin.buffer.read(8); os._exit(7)\n",
        NULL};
    world w;
    world_answer a;
    tl_exec *exec = NULL;
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(tl_exec_open(&exec, &(tl_exec_settings){.argv = program}, NULL), TL_OK);
    assert_int_equal(tl_axon_attach_exec(w.axon, exec, NULL), TL_OK);
    world_start(&w);
    const world_request request = world_btauth(&w, w.bob, "POST", "/die", "x");
    world_ask(&w, &request, &a);
    assert_int_equal(a.status, 500);
    assert_null(strstr(a.body, "exit code")); /* why is for the log */
    tl_axon_stop(w.axon);
    tl_exec_close(exec);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_and_places_to_wait_are_bounded),
        cmocka_unit_test(a_late_answer_is_dropped),
        cmocka_unit_test(an_answer_may_be_larger_than_its_request),
        cmocka_unit_test(callers_may_leave_at_any_time),
        cmocka_unit_test(a_drain_lets_handlers_finish),
        cmocka_unit_test(streams_come_whole_or_are_cut),
        cmocka_unit_test(requests_go_to_a_program_and_back),
        cmocka_unit_test(a_programs_route_has_switches_of_its_own),
        cmocka_unit_test(large_bodies_in_slow_handlers_are_bounded),
        cmocka_unit_test(a_slow_program_is_busy_or_late_and_no_failure),
        cmocka_unit_test(a_program_that_dies_is_a_failed_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
