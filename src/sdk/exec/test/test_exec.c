/* Attacks the room with programs that crash, hang, lie about lengths, answer what they were not asked, stream and break off,
 * and with more requests than they can take. The programs are Python, run as programs are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "sdk/exec/exec.h"

#define PRELUDE                                                                                    \
    "import json,os,struct,sys,time\n"                                                             \
    "o=sys.stdout.buffer; i=sys.stdin.buffer\n"                                                    \
    "def send(h,b=b''):\n"                                                                         \
    " t=json.dumps(h).encode(); o.write(struct.pack('<II',len(t),len(b))+t+b); o.flush()\n"        \
    "def take():\n"                                                                                \
    " l=i.read(8)\n"                                                                               \
    " if len(l)<8: sys.exit(0)\n"                                                                  \
    " h,b=struct.unpack('<II',l); return json.loads(i.read(h)),i.read(b)\n"

enum { SEEN_MAX = 512 };

/* What came back, for whoever waits. */
typedef struct seen {
    pthread_mutex_t lock;
    pthread_cond_t has_news;
    int lasts[8]; /* by outcome */
    int last_count;
    int status;
    size_t text_len;
    char text[SEEN_MAX];
    char content_type[64];
} seen;

static void begin(seen *s)
{
    memset(s, 0, sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->has_news, NULL);
}

static void on_answer(void *self, const tl_exec_answer *answer)
{
    seen *s = self;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < answer->body.len && s->text_len < SEEN_MAX - 1; i++) {
        s->text[s->text_len++] = (char)answer->body.ptr[i];
    }
    (void)snprintf(s->content_type, sizeof s->content_type, "%.*s",
                   TL_STR_ARG(answer->content_type));
    s->lasts[answer->outcome]++;
    s->status = answer->status;
    s->last_count += answer->outcome != TL_EXEC_PIECE ? 1 : 0;
    (void)pthread_cond_broadcast(&s->has_news);
    (void)pthread_mutex_unlock(&s->lock);
}

static void wait_for(seen *s, int last_count)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->last_count < last_count) {
        (void)pthread_cond_wait(&s->has_news, &s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static tl_exec *open_program(const char *program, tl_exec_settings settings)
{
    const char *const argv[] = {"python3", "-c", program, NULL};
    tl_exec *exec = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    settings.argv = argv;
    settings.backoff_s = 0.05;
    settings.backoff_s_max = 0.1;
    if (tl_exec_open(&exec, &settings, &why) != TL_OK) {
        print_message("%s\n", why.message);
        fail();
    }
    return exec;
}

static tl_err ask(tl_exec *exec, uint64_t *id, const char *body, double timeout_s, seen *s)
{
    const tl_exec_request request = {
        .kind = TL_STR("route"),
        .method = TL_STR("POST"),
        .target = TL_STR("/x?y=\"1\""),
        .timeout_s = timeout_s,
        .body = {(const uint8_t *)body, strlen(body)},
    };
    return tl_exec_ask(exec, id, &request, on_answer, s, NULL);
}

static void a_program_answers_each_request_once(void **state)
{
    (void)state;
    tl_exec *exec =
        open_program(PRELUDE "send({'tally_exec':1,'routes':['POST /x'],'in_flight':3})\n"
                             "while True:\n"
                             " h,b=take()\n"
                             " assert h['target']=='/x?y=\"1\"' and h['method']=='POST', h\n"
                             " send({'id':h['id'],'status':201,'content_type':'text/"
                             "x'},b+b'.'+str(os.getpid()).encode()[:0])\n",
                     (tl_exec_settings){.processes = 2});
    assert_int_equal(tl_json_get(tl_exec_borrow_hello(exec), "routes")->count, 1);
    seen s;
    begin(&s);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(exec, NULL, "ab", 20, &s), TL_OK);
    }
    wait_for(&s, 100);
    assert_int_equal(s.lasts[TL_EXEC_ANSWER], 100); /* EXEC-1 */
    assert_int_equal(s.text_len, 300);
    assert_int_equal(s.status, 201);
    assert_string_equal(s.content_type, "text/x");
    assert_int_equal(tl_exec_get_load(exec).in_flight, 0);
    tl_exec_close(exec);
}

static void a_stream_comes_in_order(void **state)
{
    (void)state;
    tl_exec *exec =
        open_program(PRELUDE "send({'tally_exec':1})\n"
                             "while True:\n"
                             " h,b=take()\n"
                             " for c in b: send({'id':h['id'],'more':True},bytes([c]))\n"
                             " send({'id':h['id']},b'!')\n",
                     (tl_exec_settings){0});
    seen s;
    begin(&s);
    assert_int_equal(ask(exec, NULL, "abc", 20, &s), TL_OK);
    wait_for(&s, 1);
    assert_string_equal(s.text, "abc!");
    assert_int_equal(s.lasts[TL_EXEC_PIECE], 3);
    tl_exec_close(exec);
}

static void a_program_that_dies_answers_nobody_and_comes_back(void **state)
{
    (void)state;
    tl_exec *exec =
        open_program(PRELUDE "send({'tally_exec':1})\n"
                             "while True:\n"
                             " h,b=take()\n"
                             " if b==b'die': sys.stderr.write('dying\\n'); os.kill(os.getpid(),9)\n"
                             " if b==b'exit': send({'id':h['id']},b'last'); sys.exit(3)\n"
                             " if b==b'lie': o.write(struct.pack('<II',70000,0)); o.flush()\n"
                             " elif b==b'other': send({'id':h['id']+1000})\n"
                             " elif b==b'json': o.write(struct.pack('<II',1,0)+b'{'); o.flush()\n"
                             " elif b==b'error': send({'id':h['id'],'error':'no model'})\n"
                             " else: send({'id':h['id']},b)\n",
                     (tl_exec_settings){0});
    const char *const deaths[] = {"die", "lie", "other", "json"};
    seen s;
    begin(&s);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(exec, NULL, deaths[i], 20, &s), TL_OK);
        wait_for(&s, 2 * i + 1);
        assert_int_equal(s.lasts[TL_EXEC_CRASHED], i + 1); /* EXEC-3 */
        assert_int_equal(ask(exec, NULL, "ok", 20, &s), TL_OK);
        wait_for(&s, 2 * i + 2);
        assert_int_equal(s.lasts[TL_EXEC_ANSWER], i + 1);
    }
    assert_int_equal(tl_exec_get_load(exec).restarts, 4);
    assert_int_equal(ask(exec, NULL, "error", 20, &s), TL_OK);
    wait_for(&s, 9);
    assert_int_equal(s.lasts[TL_EXEC_FAILED], 1);
    s.text_len = 0;
    memset(s.text, 0, sizeof s.text);
    assert_int_equal(ask(exec, NULL, "exit", 20, &s), TL_OK);
    wait_for(&s, 10);
    assert_string_equal(s.text, "last"); /* its last act is not lost */
    assert_int_equal(s.lasts[TL_EXEC_ANSWER], 5);
    tl_exec_close(exec);
}

static void who_is_late_is_told_and_who_hangs_is_killed(void **state)
{
    (void)state;
    tl_exec *exec = open_program(PRELUDE "send({'tally_exec':1})\n"
                                         "while True:\n"
                                         " h,b=take()\n"
                                         " if b==b'hang': time.sleep(3600)\n"
                                         " if b==b'slow': time.sleep(0.4)\n"
                                         " if h['kind']!='cancel': send({'id':h['id']},b)\n",
                                 (tl_exec_settings){.kill_after_s = 1.5, .waiting_max = 3});
    seen s;
    begin(&s);
    assert_int_equal(ask(exec, NULL, "slow", 0.1, &s), TL_OK);
    wait_for(&s, 1);
    assert_int_equal(s.lasts[TL_EXEC_TIMEOUT], 1);
    assert_int_equal(ask(exec, NULL, "ok", 20, &s), TL_OK); /* its late answer is nobody's */
    wait_for(&s, 2);
    assert_int_equal(s.lasts[TL_EXEC_ANSWER], 1);
    assert_int_equal(tl_exec_get_load(exec).restarts, 0);
    uint64_t id = 0;
    assert_int_equal(ask(exec, &id, "hang", 20, &s), TL_OK);
    while (tl_exec_get_load(exec).in_flight == 0) {
        (void)sched_yield();
    }
    tl_exec_cancel(exec, id);
    wait_for(&s, 3);
    assert_int_equal(s.lasts[TL_EXEC_CANCELLED], 1);
    assert_int_equal(ask(exec, NULL, "waits", 0.2, &s), TL_OK);
    wait_for(&s, 4);
    assert_int_equal(s.lasts[TL_EXEC_TIMEOUT], 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(exec, NULL, "waits", 60, &s), TL_OK);
    }
    assert_int_equal(ask(exec, NULL, "too many", 60, &s), TL_ERR_LIMIT);
    assert_int_equal(tl_exec_get_load(exec).waiting, 3);
    tl_exec_close(exec); /* kills it, and tells those who wait (EXEC-1) */
    assert_int_equal(s.last_count, 7);
    assert_int_equal(s.lasts[TL_EXEC_CANCELLED], 4);
}

static void a_hanging_program_is_killed_for_a_deadline(void **state)
{
    (void)state;
    tl_exec *exec = open_program(PRELUDE "send({'tally_exec':1})\n"
                                         "while True:\n"
                                         " h,b=take()\n"
                                         " if b==b'hang': time.sleep(3600)\n"
                                         " send({'id':h['id']},b)\n",
                                 (tl_exec_settings){.kill_after_s = 0.1});
    seen s;
    begin(&s);
    assert_int_equal(ask(exec, NULL, "hang", 0.1, &s), TL_OK);
    assert_int_equal(ask(exec, NULL, "ok", 60, &s), TL_OK);
    wait_for(&s, 2);
    assert_int_equal(s.lasts[TL_EXEC_TIMEOUT], 1);
    assert_int_equal(s.lasts[TL_EXEC_ANSWER], 1);
    assert_int_equal(tl_exec_get_load(exec).restarts, 1); /* EXEC-3 */
    tl_exec_close(exec);
}

static void a_program_that_cannot_be_opened_says_why(void **state)
{
    (void)state;
    const char *const none[] = {"/does/not/exist", NULL};
    const char *const mute[] = {"sleep", "60", NULL};
    const char *const dead[] = {"sh", "-c", "exit 4", NULL};
    const char *const other[] = {"python3", "-c", PRELUDE "send({'tally_exec':2})\ntake()\n", NULL};
    const char *const greedy[] = {"python3", "-c",
                                  PRELUDE "send({'tally_exec':1,'in_flight':65})\ntake()\n", NULL};
    const struct {
        const char *const *argv;
        tl_err err;
        const char *text;
    } cases[] = {
        {none, TL_ERR_IO, "no such file"},
        {mute, TL_ERR_IO, "in time"},
        {dead, TL_ERR_IO, "exit code 4"},
        {other, TL_ERR_VERSION, "version 2"},
        {greedy, TL_ERR_RANGE, "65"},
        {(const char *const[]){NULL}, TL_ERR_MISSING, "no program"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_exec *exec = NULL;
        tl_errctx why = TL_ERRCTX_INIT;
        const tl_exec_settings settings = {.argv = cases[i].argv,
                                           .start_s = cases[i].argv == mute ? 0.2 : 10};
        assert_int_equal(tl_exec_open(&exec, &settings, &why), cases[i].err);
        assert_non_null(strstr(why.message, cases[i].text));
    }
}

static void frames_are_what_stands_there(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_sb sb;
    tl_str text;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_sb_init(&sb, arena);
    for (int i = 0; i < 50; i++) {
        tl_exec_frame_put(&sb, TL_STR("{\"id\":1}"), (tl_bytes){(const uint8_t *)"\0\1body", 6});
    }
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    for (size_t piece = 1; piece < 60; piece++) {
        tl_exec_reader reader;
        tl_exec_frame frame;
        bool has_one;
        int count = 0;
        tl_exec_reader_init(&reader, 6);
        for (size_t at = 0; at < text.len; at += piece) {
            const tl_str part = tl_str_slice(text, at, at + piece);
            assert_int_equal(tl_exec_reader_feed(&reader, tl_str_bytes(part), NULL), TL_OK);
            while (tl_exec_reader_next(&reader, &frame, &has_one, NULL) == TL_OK && has_one) {
                assert_memory_equal(frame.head.ptr, "{\"id\":1}", 8);
                assert_memory_equal(frame.body.ptr, "\0\1body", 6);
                count++;
            }
        }
        assert_int_equal(count, 50);
        tl_exec_reader_deinit(&reader);
        tl_exec_reader_init(&reader, 5); /* one byte less than the body */
        assert_int_equal(tl_exec_reader_feed(&reader, tl_str_bytes(text), NULL), TL_OK);
        assert_int_equal(tl_exec_reader_next(&reader, &frame, &has_one, NULL), TL_ERR_LIMIT);
        assert_int_equal(tl_exec_reader_next(&reader, &frame, &has_one, NULL), TL_ERR_SYNTAX);
        tl_exec_reader_deinit(&reader); /* EXEC-2 */
    }
    tl_arena_free(arena);
}

static void a_reply_cannot_smuggle_a_header(void **state)
{
    (void)state;
    const struct {
        const char *head;
        tl_err err;
    } cases[] = {
        {"{\"id\":1,\"content_type\":\"a\\r\\nb: c\"}", TL_ERR_ENCODING},
        {"{\"id\":1,\"content_type\":7}", TL_ERR_TYPE},
        {"{\"id\":1,\"status\":199}", TL_ERR_RANGE},
        {"{\"id\":1,\"status\":600}", TL_ERR_RANGE},
        {"{\"id\":-1}", TL_ERR_RANGE},
        {"{\"status\":200}", TL_ERR_MISSING},
        {"{\"id\":1,\"error\":\"x\",\"more\":true}", TL_ERR_STATE},
        {"[]", TL_ERR_TYPE},
        {"{\"id\":1,\"unknown\":[{}]}", TL_OK},
    };
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_exec_reply reply;
        assert_int_equal(tl_exec_reply_parse(&reply, arena, tl_str_from_cstr(cases[i].head), NULL),
                         cases[i].err);
    }
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_answers_each_request_once),
        cmocka_unit_test(a_stream_comes_in_order),
        cmocka_unit_test(a_program_that_dies_answers_nobody_and_comes_back),
        cmocka_unit_test(who_is_late_is_told_and_who_hangs_is_killed),
        cmocka_unit_test(a_hanging_program_is_killed_for_a_deadline),
        cmocka_unit_test(a_program_that_cannot_be_opened_says_why),
        cmocka_unit_test(frames_are_what_stands_there),
        cmocka_unit_test(a_reply_cannot_smuggle_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
