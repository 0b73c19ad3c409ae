/* Attacks what happens around a request: nonces of retries and hedges, bytes that must not change, streams that break,
 * breakers, caches that are too old or asked for something else, targets that fail one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

#define BUSY "HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
#define MODEL                                                                                      \
    "{\"seconds\":1.0,\"done\":true,\"axon\":{\"status_code\":200,\"status_message\":\"Success\"}" \
    "}"
#define GOOD  JSON_OK "content-length: 81\r\n\r\n" MODEL
#define HELLO "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
#define NOBODY                                                                                     \
    "HTTP/1.1 403 No\r\ncontent-type: application/json\r\ncontent-length: 49\r\n\r\n"              \
    "{\"error\":\"WrongReceiver\",\"message\":\"not for me\"}\n"

/* A server that plays acts in turn, the last one again and again, and keeps what it saw. */
typedef struct play {
    scripted *server;
    const scripted_act *acts;
    size_t act_count;
    char heads[16][2048];
    char bodies[16][4096];
} play;

static void act_in_turn(void *self, const scripted_request *request, scripted_act *act)
{
    play *p = (play *)self;
    const unsigned i = request->index;
    if (i < 16) {
        (void)tl_str_print(p->heads[i], sizeof p->heads[i], "%.*s", TL_STR_ARG(request->head));
        (void)tl_str_print(p->bodies[i], sizeof p->bodies[i], "%.*s", TL_STR_ARG(request->body));
    }
    *act = p->acts[i < p->act_count ? i : p->act_count - 1];
}

static void play_start(play *p, const scripted_act *acts, size_t count)
{
    p->acts = acts;
    p->act_count = count;
    p->server = scripted_start(act_in_turn, p);
}

static tl_str seen(const play *p, unsigned i, const char *name)
{
    return scripted_header(tl_str_from_cstr(p->heads[i]), name);
}

static tl_dendrite_reply ask_one(party_kit *kit, const tl_dendrite_target *target,
                                 const tl_dendrite_query *query)
{
    tl_dendrite_reply reply;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_dendrite_ask_all(kit->dendrite, kit->arena, &reply, target, 1, query, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return reply;
}

/* --- who asked --- */

static bool is_within(tl_str text, const void *object, size_t len)
{
    return (uintptr_t)text.ptr >= (uintptr_t)object &&
           (uintptr_t)text.ptr < (uintptr_t)object + len;
}

/* A stream's answer need not repeat who asked: then the reply shows what was sent, also when the dendrite is gone. */
static void a_reply_outlives_its_dendrite(void **state)
{
    (void)state;
    static const scripted_act acts[] = {
        {.bytes =
             "HTTP/1.1 200 OK\r\nbt_header_axon_status_code: 200\r\ncontent-length: 2\r\n\r\nab"}};
    party_kit kit = {.arena = NULL};
    play p = {.acts = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 1);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Stream", "{}"));
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_true(reply.is_ok);
    assert_non_null(reply.synapse);
    const tl_value *shown[] = {&reply.synapse->dendrite.ip, &reply.synapse->dendrite.uuid,
                               &reply.synapse->dendrite.hotkey, &reply.synapse->dendrite.signature};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        assert_int_equal(shown[i]->kind, TL_VALUE_STR);
        assert_false(is_within(shown[i]->text, kit.dendrite, sizeof *kit.dendrite));
    }
    tl_dendrite_free(kit.dendrite);
    kit.dendrite = NULL;
    assert_true(tl_str_eq(reply.synapse->dendrite.hotkey.text, TL_STR(BOB)));
    assert_int_equal(reply.synapse->dendrite.uuid.text.len, 36);
    scripted_stop(p.server);
    kit_stop(&kit);
}

/* --- signed anew --- */

/* An axon takes only rising nonces of one hotkey and uuid, and requests at once overtake each other. */
static void targets_of_one_hotkey_are_asked_under_uuids_of_their_own(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = GOOD}};
    party_kit kit = {.arena = NULL};
    play p = {.acts = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 1);
    const tl_dendrite_target targets[] = {kit_target(p.server, ALICE), kit_target(p.server, ALICE),
                                          kit_target(p.server, CHARLIE),
                                          kit_target(p.server, ALICE)};
    enum { COUNT = sizeof targets / sizeof *targets };
    tl_dendrite_reply replies[COUNT];
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    assert_int_equal(
        tl_dendrite_ask_all(kit.dendrite, kit.arena, replies, targets, COUNT, &query, NULL), TL_OK);
    unsigned own = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        const tl_str uuid = seen(&p, i, "bt_header_dendrite_uuid");
        assert_int_equal(uuid.len, 36);
        assert_int_equal(uuid.ptr[14], '1');
        own += !tl_str_eq(uuid, tl_dendrite_uuid(kit.dendrite));
        for (unsigned k = 0; k < i; k++) {
            const bool is_same = tl_str_eq(uuid, seen(&p, k, "bt_header_dendrite_uuid"));
            assert_false(is_same && tl_str_eq(seen(&p, i, "bt_header_axon_hotkey"),
                                              seen(&p, k, "bt_header_axon_hotkey")));
        }
    }
    assert_int_equal(own, 2);
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void check_v10(const play *p, unsigned i, int64_t *last_nonce)
{
    int64_t nonce = 0;
    const tl_str head = tl_str_from_cstr(p->heads[i]);
    assert_true(tl_str_parse_i64(&nonce, scripted_header(head, "bt_header_dendrite_nonce")));
    assert_true(nonce > *last_nonce); /* DEND-1, DEND-2 */
    *last_nonce = nonce;
    const tl_str signature = scripted_header(head, "bt_header_dendrite_signature");
    assert_int_equal(signature.len, 130);
    char text[160];
    (void)tl_str_print(text, sizeof text, "\"signature\": \"%.*s\"", TL_STR_ARG(signature));
    assert_non_null(strstr(p->bodies[i], text));
    (void)tl_str_print(text, sizeof text, "\"nonce\": %lld,", (long long)nonce);
    assert_non_null(strstr(p->bodies[i], text));
}

static void retries_are_signed_anew(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = BUSY}, {.closes = true}, {.bytes = GOOD}};
    play p;
    party_kit kit = {.arena = NULL};
    int64_t last = 0;
    kit_start(&kit, false);
    play_start(&p, acts, 3);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    query.retry = (tl_backoff){.retries_max = 2, .base_ms = 1};
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_true(reply.is_ok);
    assert_int_equal(reply.attempts, 3);
    for (unsigned i = 0; i < 3; i++) {
        check_v10(&p, i, &last);
    }
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void without_retries_there_is_one_request(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = BUSY}, {.bytes = GOOD}};
    play p;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 2);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_int_equal(reply.status_code, 503);
    assert_int_equal(scripted_requests(p.server), 1);
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void hedges_are_signed_anew(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.hangs = true}, {.bytes = HELLO}};
    play p;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 2);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    tl_dendrite_query query = kit_raw("btauth", "/x", "body");
    query.hedge_ms = 20;
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_true(reply.is_ok);
    assert_int_equal(reply.attempts, 2);
    assert_false(tl_str_eq(seen(&p, 0, "x-bittensor-nonce"), seen(&p, 1, "x-bittensor-nonce")));
    assert_false(
        tl_str_eq(seen(&p, 0, "x-bittensor-signature"), seen(&p, 1, "x-bittensor-signature")));
    scripted_stop(p.server);
    kit_stop(&kit);
}

/* --- bytes --- */

/* What the server got, judged by the verifier as a server of ours would. */
static void verify(party_kit *kit, const play *p, const char *family, const char *method,
                   const char *target, tl_bytes body)
{
    static const char *const btauth[] = {"X-Bittensor-Version", "X-Bittensor-Hotkey",
                                         "X-Bittensor-Nonce", "X-Bittensor-Signature",
                                         "X-Bittensor-Receiver"};
    static const char *const epistula[] = {"Epistula-Version",    "Epistula-Timestamp",
                                           "Epistula-Uuid",       "Epistula-Signed-By",
                                           "Epistula-Signed-For", "Epistula-Request-Signature"};
    const bool is_btauth = strcmp(family, "btauth") == 0;
    tl_http_header headers[6];
    size_t count = 0;
    for (size_t i = 0; i < (is_btauth ? 5u : 6u); i++) {
        const char *name = is_btauth ? btauth[i] : epistula[i];
        headers[count++] = (tl_http_header){tl_str_from_cstr(name), seen(p, 0, name)};
        assert_true(headers[i].value.len > 0);
    }
    tl_auth_rules rules;
    tl_auth_claim claim;
    tl_auth_verdict verdict;
    tl_bytes message;
    tl_hash32 hash;
    const tl_auth_request request = {
        tl_str_from_cstr(method), tl_str_from_cstr(target), {headers, count}};
    tl_auth_rules_init(&rules, TL_STR(ALICE));
    assert_int_equal(tl_auth_check_head(&claim, &verdict, kit->arena,
                                        tl_auth_family_by_name(tl_str_from_cstr(family)), &request,
                                        &rules, kit->time.wall_ns, NULL),
                     TL_OK);
    assert_string_equal(tl_auth_class_name(verdict.kind), "");
    tl_sha256(&hash, body.ptr, body.len);
    assert_int_equal(tl_auth_message(&message, kit->arena, &claim, &hash, NULL), TL_OK);
    assert_int_equal(tl_auth_verify(&verdict, kit->arena, &claim, message, NULL), TL_OK);
    assert_string_equal(tl_auth_class_name(verdict.kind), "");
}

static void raw_requests_arrive_as_they_were_signed(void **state)
{
    (void)state; /* DEND-4 */
    static const scripted_act acts[] = {{.bytes = HELLO}};
    static const char *const families[] = {"btauth", "epistula"};
    static const uint8_t body[] = {0xff, 0, '\r', '\n', 'x'};
    for (size_t i = 0; i < 2; i++) {
        play p;
        party_kit kit = {.arena = NULL};
        kit_start(&kit, true);
        play_start(&p, acts, 1);
        const tl_dendrite_target target = kit_target(p.server, ALICE);
        const tl_http_header own = {TL_STR("Content-Type"), TL_STR("application/x-model")};
        tl_dendrite_query query = kit_raw(families[i], "/a%2Fb//x?q=%7e&p=a?b&c", "");
        query.method = TL_STR("PUT");
        query.body = (tl_bytes){body, sizeof body};
        query.headers = (tl_http_headers){&own, 1};
        const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
        assert_true(reply.is_ok);
        assert_memory_equal(reply.body.ptr, "hello", 5);
        assert_true(tl_str_starts_with(tl_str_from_cstr(p.heads[0]),
                                       TL_STR("PUT /a%2Fb//x?q=%7e&p=a?b&c HTTP/1.1\r\n")));
        assert_true(tl_str_eq_cstr(seen(&p, 0, "content-type"), "application/x-model"));
        verify(&kit, &p, families[i], "PUT", "/a%2Fb//x?q=%7e&p=a?b&c", query.body);
        scripted_stop(p.server);
        kit_stop(&kit);
    }
}

static void a_refusal_is_told_by_its_class(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = NOBODY}};
    play p;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 1);
    tl_dendrite_target target = kit_target(p.server, "");
    const tl_dendrite_query query = kit_raw("btauth", "/x", "");
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_false(reply.is_ok);
    assert_int_equal(reply.status_code, 403);
    assert_true(tl_str_eq_cstr(reply.error, "WrongReceiver: not for me"));
    assert_int_equal(seen(&p, 0, "x-bittensor-receiver").len, 0); /* bound to nobody */
    scripted_stop(p.server);
    kit_stop(&kit);
}

/* --- streams --- */

typedef struct chunks {
    char text[64];
    size_t len;
    bool gives_up;
} chunks;

static bool take(void *self, size_t index, tl_bytes chunk)
{
    chunks *c = (chunks *)self;
    assert_int_equal(index, 0);
    assert_true(c->len + chunk.len < sizeof c->text);
    memcpy(c->text + c->len, chunk.ptr, chunk.len);
    c->len += chunk.len;
    return !c->gives_up;
}

#define STREAM                                                                                     \
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nbt_header_axon_status_code: 200\r\n"    \
    "bt_header_axon_status_message: Success\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"

static void streams_end_with_the_figures_of_their_headers(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = STREAM "2\r\nde\r\n0\r\n\r\n"},
                                        {.bytes = STREAM "2\r\nde\r\n0\r\n\r\n"},
                                        {.bytes = STREAM, .closes = true},
                                        {.bytes = STREAM, .hangs = true}};
    play p;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 4);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    tl_dendrite_query query = kit_v10(kit_message(&kit, "Stream", "{\"a\": 5}"));
    tl_dendrite_reply reply = ask_one(&kit, &target, &query); /* collected */
    assert_true(reply.is_ok && reply.body.len == 5);
    assert_memory_equal(reply.body.ptr, "abcde", 5);
    assert_int_equal(tl_synapse_field_get(reply.synapse, TL_STR("a"))->i64, 5);
    chunks c = {.len = 0};
    query.self = &c;
    query.on_chunk = take;
    reply = ask_one(&kit, &target, &query); /* handed out */
    assert_true(reply.is_ok && reply.body.len == 0);
    assert_string_equal(c.text, "abcde");
    c = (chunks){.len = 0};
    reply = ask_one(&kit, &target, &query); /* cut without its last chunk: not the whole */
    assert_false(reply.is_ok);
    assert_int_equal(reply.status_code, 400);
    assert_true(tl_str_starts_with(reply.status_message, TL_STR("Payload error: ")));
    c = (chunks){.gives_up = true};
    reply = ask_one(&kit, &target, &query);
    assert_false(reply.is_ok || reply.has_status);
    assert_int_equal(reply.fault, TL_CLIENT_STOPPED);
    scripted_stop(p.server);
    kit_stop(&kit);
}

/* --- breaker --- */

static void a_broken_axon_is_left_alone(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = BUSY}, {.bytes = GOOD}};
    play p;
    party_kit kit = {.options = {.breaker = {.failures_max = 1, .open_ms = 1000, .probes_max = 1}}};
    kit_start(&kit, true);
    play_start(&p, acts, 2);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    assert_int_equal(ask_one(&kit, &target, &query).status_code, 503);
    const tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_int_equal(reply.fault, TL_CLIENT_BREAKER);
    assert_int_equal(reply.status_code, 503);
    assert_int_equal(scripted_requests(p.server), 1);
    tl_manual_clock_step(&kit.time, 1000000000);
    assert_true(ask_one(&kit, &target, &query).is_ok);
    scripted_stop(p.server);
    kit_stop(&kit);
}

/* --- the cache --- */

static void the_cache_answers_the_same_question_for_a_while(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = GOOD}};
    play p;
    party_kit kit = {.options = {.cache_max = 4, .cache_ms = 1000}};
    kit_start(&kit, true);
    play_start(&p, acts, 1);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    tl_dendrite_target other = target;
    other.hotkey = TL_STR(BOB);
    tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    assert_false(ask_one(&kit, &target, &query).is_from_cache); /* not asked to keep it */
    query.is_cached = true;
    assert_false(ask_one(&kit, &target, &query).is_from_cache);
    tl_dendrite_reply reply = ask_one(&kit, &target, &query);
    assert_true(reply.is_from_cache && reply.is_ok && !reply.is_stale);
    assert_true(tl_synapse_field_get(reply.synapse, TL_STR("done"))->boolean);
    assert_int_equal(scripted_requests(p.server), 2);
    tl_dendrite_query another = query; /* other figures, another hotkey: other questions */
    another.synapse = kit_message(&kit, "Slow", "{\"seconds\": 2}");
    assert_false(ask_one(&kit, &target, &another).is_from_cache);
    assert_false(ask_one(&kit, &other, &query).is_from_cache);
    tl_manual_clock_step(&kit.time, 1000000000);
    assert_false(ask_one(&kit, &target, &query).is_from_cache);
    assert_int_equal(scripted_requests(p.server), 5);
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void failures_are_not_cached(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = BUSY}, {.bytes = GOOD}};
    play p;
    party_kit kit = {.options = {.cache_max = 4}};
    kit_start(&kit, true);
    play_start(&p, acts, 2);
    const tl_dendrite_target target = kit_target(p.server, ALICE);
    tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    query.is_cached = true;
    assert_false(ask_one(&kit, &target, &query).is_ok);
    assert_true(ask_one(&kit, &target, &query).is_ok);
    assert_int_equal(scripted_requests(p.server), 2);
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void the_cache_stays_within_its_bounds(void **state)
{
    (void)state;
    static uint8_t body[(4 << 20)];
    tl__cache *cache = NULL;
    size_t kept = 0;
    assert_int_equal(tl__cache_new(&cache, 16, NULL), TL_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        tl_hash32 key = {{0}};
        tl_sha256(&key, &i, sizeof i);
        tl__cache_put(cache, &key, (int64_t)i * 1000000, 200, (tl_http_headers){NULL, 0},
                      (tl_bytes){body, i % 100 == 0 ? sizeof body : 10});
        const tl__cached *newest = tl__cache_get(cache, &key, (int64_t)i * 1000000, 1);
        assert_non_null(newest);
        assert_int_equal(newest->body_len, i % 100 == 0 ? sizeof body : 10);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        tl_hash32 key = {{0}};
        tl_sha256(&key, &i, sizeof i);
        kept += tl__cache_get(cache, &key, 1000000000, INT64_MAX) != NULL;
    }
    assert_in_range(kept, 8, 16);
    tl_hash32 key = {{7}};
    static uint8_t large[TL_DENDRITE_CACHE_LEN / 4 + 1];
    tl__cache_put(cache, &key, 0, 200, (tl_http_headers){NULL, 0}, (tl_bytes){large, sizeof large});
    assert_null(tl__cache_get(cache, &key, 0, INT64_MAX));
    tl__cache_free(cache);
    assert_int_equal(tl__cache_new(&cache, 4096, NULL), TL_OK);
    for (uint32_t i = 0; i < 40; i++) { /* 160 MiB through 64 */
        tl_sha256(&key, &i, sizeof i);
        tl__cache_put(cache, &key, i, 200, (tl_http_headers){NULL, 0},
                      (tl_bytes){body, sizeof body});
    }
    kept = 0;
    for (uint32_t i = 0; i < 40; i++) {
        tl_sha256(&key, &i, sizeof i);
        kept += tl__cache_get(cache, &key, 40, INT64_MAX) != NULL;
    }
    assert_int_equal(kept, 15);
    tl__cache_free(cache);
}

/* --- picking and falling back --- */

static void balancers_pick_as_they_say(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, true);
    tl_dendrite_target t[4] = {{.weight = 0.0}, {.weight = 1.0}, {.weight = 3.0}, {.weight = 0.0}};
    for (unsigned i = 0; i < 4; i++) {
        t[i].host = TL_STR("127.0.0.1");
        t[i].port = (uint16_t)(i + 1);
    }
    bool tried[4] = {false, true, false, false};
    tl_dendrite_balancer order = {.kind = TL_DENDRITE_IN_ORDER};
    assert_int_equal(tl_dendrite_pick(kit.dendrite, &order, t, 4, NULL), 0);
    assert_int_equal(tl_dendrite_pick(kit.dendrite, &order, t, 4, NULL), 0);
    tl_dendrite_balancer robin = {.kind = TL_DENDRITE_ROUND_ROBIN};
    static const size_t turns[] = {0, 2, 3, 0, 2, 3};
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(tl_dendrite_pick(kit.dendrite, &robin, t, 4, tried), turns[i]);
    }
    unsigned count[4] = {0};
    tl_dendrite_balancer weighted = {.kind = TL_DENDRITE_WEIGHTED, .seed = 5};
    for (unsigned i = 0; i < 4000; i++) {
        count[tl_dendrite_pick(kit.dendrite, &weighted, t, 4, NULL)]++;
    }
    assert_int_equal(count[0] + count[3], 0);
    assert_in_range(count[1], 900, 1100);
    const bool heavy_tried[4] = {false, true, true, false};
    assert_true(tl_dendrite_pick(kit.dendrite, &weighted, t, 4, heavy_tried) % 3 == 0);
    tl_dendrite_balancer a = {.kind = TL_DENDRITE_RANDOM, .seed = 9};
    tl_dendrite_balancer b = a;
    memset(count, 0, sizeof count);
    for (unsigned i = 0; i < 4000; i++) {
        const size_t pick = tl_dendrite_pick(kit.dendrite, &a, t, 4, NULL);
        assert_int_equal(tl_dendrite_pick(kit.dendrite, &b, t, 4, NULL), pick);
        count[pick]++;
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_in_range(count[i], 850, 1150);
    }
    const bool all[4] = {true, true, true, true};
    for (int kind = TL_DENDRITE_IN_ORDER; kind <= TL_DENDRITE_WEIGHTED; kind++) {
        tl_dendrite_balancer none = {.kind = (tl_dendrite_balance)kind};
        assert_true(tl_dendrite_pick(kit.dendrite, &none, t, 4, all) == SIZE_MAX);
        assert_true(tl_dendrite_pick(kit.dendrite, &none, t, 0, NULL) == SIZE_MAX);
    }
    kit_stop(&kit);
}

typedef struct busy_check {
    party_kit *kit;
    tl_dendrite_target targets[2];
    size_t picked;
} busy_check;

static bool pick_while_busy(void *self, size_t index, tl_bytes chunk)
{
    (void)index;
    (void)chunk;
    busy_check *b = (busy_check *)self;
    tl_dendrite_balancer least = {.kind = TL_DENDRITE_LEAST_LOADED};
    b->picked = tl_dendrite_pick(b->kit->dendrite, &least, b->targets, 2, NULL);
    return true;
}

static void the_least_loaded_is_the_one_that_is_not_busy(void **state)
{
    (void)state;
    static const scripted_act acts[] = {{.bytes = HELLO}};
    play p;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    play_start(&p, acts, 1);
    busy_check b = {.kit = &kit, .picked = SIZE_MAX};
    b.targets[0] = kit_target(p.server, ALICE);
    b.targets[1] = b.targets[0];
    b.targets[1].port = (uint16_t)(b.targets[0].port ^ 1);
    tl_dendrite_query query = kit_raw("btauth", "/", "");
    query.self = &b;
    query.on_chunk = pick_while_busy;
    assert_true(ask_one(&kit, &b.targets[0], &query).is_ok);
    assert_int_equal(b.picked, 1);
    scripted_stop(p.server);
    kit_stop(&kit);
}

static void the_next_one_is_asked_and_every_cause_is_told(void **state)
{
    (void)state;
    static const scripted_act bad[] = {{.bytes = BUSY}};
    static const scripted_act good[] = {{.bytes = GOOD}, {.bytes = BUSY}};
    play p;
    play q;
    party_kit kit = {.options = {.cache_max = 8, .cache_ms = 1000}};
    kit_start(&kit, true);
    play_start(&p, bad, 1);
    play_start(&q, good, 2);
    tl_dendrite_target primaries[2] = {kit_target(p.server, ALICE), kit_target(p.server, ALICE)};
    primaries[0].port = scripted_dead_port();
    const tl_dendrite_target backups[1] = {kit_target(q.server, BOB)};
    tl_dendrite_balancer order = {.kind = TL_DENDRITE_IN_ORDER};
    tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{}"));
    tl_dendrite_reply reply;
    query.is_cached = true;
    assert_int_equal(tl_dendrite_ask(kit.dendrite, kit.arena, &reply, primaries, 2, backups, 1,
                                     &order, &query, NULL),
                     TL_OK);
    assert_true(reply.is_ok && !reply.is_from_cache);
    assert_int_equal(reply.index, 2);
    tl_manual_clock_step(&kit.time, 5000000000); /* what the cache has is too old to be fresh */
    assert_int_equal(tl_dendrite_ask(kit.dendrite, kit.arena, &reply, primaries, 2, backups, 1,
                                     &order, &query, NULL),
                     TL_OK);
    assert_true(reply.is_ok && reply.is_from_cache && reply.is_stale);
    assert_int_equal(reply.index, 2);
    query.is_cached = false;
    assert_int_equal(tl_dendrite_ask(kit.dendrite, kit.arena, &reply, primaries, 2, backups, 1,
                                     &order, &query, NULL),
                     TL_OK);
    assert_false(reply.is_ok);
    char expected[512];
    (void)tl_str_print(expected, sizeof expected,
                       "127.0.0.1:%u: Service unavailable at 127.0.0.1:%u/Slow\n"
                       "127.0.0.1:%u: status 503\n127.0.0.1:%u: status 503",
                       primaries[0].port, primaries[0].port, primaries[1].port, backups[0].port);
    assert_true(tl_str_eq_cstr(reply.error, expected));
    assert_int_equal(
        tl_dendrite_ask(kit.dendrite, kit.arena, &reply, NULL, 0, NULL, 0, &order, &query, NULL),
        TL_ERR_MISSING);
    scripted_stop(p.server);
    scripted_stop(q.server);
    kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_outlives_its_dendrite),
        cmocka_unit_test(targets_of_one_hotkey_are_asked_under_uuids_of_their_own),
        cmocka_unit_test(retries_are_signed_anew),
        cmocka_unit_test(without_retries_there_is_one_request),
        cmocka_unit_test(hedges_are_signed_anew),
        cmocka_unit_test(raw_requests_arrive_as_they_were_signed),
        cmocka_unit_test(a_refusal_is_told_by_its_class),
        cmocka_unit_test(streams_end_with_the_figures_of_their_headers),
        cmocka_unit_test(a_broken_axon_is_left_alone),
        cmocka_unit_test(the_cache_answers_the_same_question_for_a_while),
        cmocka_unit_test(failures_are_not_cached),
        cmocka_unit_test(the_cache_stays_within_its_bounds),
        cmocka_unit_test(balancers_pick_as_they_say),
        cmocka_unit_test(the_least_loaded_is_the_one_that_is_not_busy),
        cmocka_unit_test(the_next_one_is_asked_and_every_cause_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
