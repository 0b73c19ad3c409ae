/* Attacks what goes out and how answers are read: the request of the vectors byte for byte, every behaviour of servers
 * that the SDK's client was measured with, nonces of a clock that stands still or goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sys/sys.h"
#include "support.h"

/* --- the request (V:dendrite_request) --- */

static void the_request_of_the_vectors_comes_out_byte_for_byte(void **state)
{
    (void)state;
    party_kit kit = {.options = {.ip = {"127.0.0.1", 9}, .version = 10002000}};
    kit_start(&kit, true);
    const tl_json *golden = tl_json_get(kit_golden(kit.arena), "dendrite_request");
    const tl_json *headers = tl_json_get(golden, "headers_in_order");
    memcpy(kit.dendrite->uuid, "5ecbd69c-1cec-11ee-b0dc-e29ce36fec1a", TL__UUID_CAP);
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Echo", "{\"a\": 5}"));
    const tl_dendrite_target target = {
        .host = TL_STR("127.0.0.1"), .port = 18091, .hotkey = TL_STR(ALICE)};
    tl_dendrite_reply reply = {.target = &target};
    tl__batch batch = {.dendrite = kit.dendrite,
                       .arena = kit.arena,
                       .targets = &target,
                       .count = 1,
                       .query = &query};
    tl__ask ask = {.batch = &batch, .reply = &reply};
    tl_client_attempt attempt = {.arena = kit.arena};
    batch.asks = &ask;
    assert_int_equal(tl__query_check(&batch), TL_OK);
    assert_int_equal(tl__v10_name(&batch), TL_OK);
    assert_int_equal(tl__v10_begin(&ask, NULL), TL_OK);
    assert_int_equal(tl__v10_prepare(&ask, &attempt, NULL), TL_OK);
    assert_true(tl_str_eq_cstr(batch.path, "/Echo"));
    const tl_http_headers got = attempt.request.headers;
    assert_int_equal(got.count, headers->count + 2); /* Accept and Content-Type come behind */
    for (uint32_t i = 0; i < headers->count; i++) {
        assert_true(tl_str_eq(got.at[i].name, headers->items[i].items[0].text));
        assert_true(tl_str_eq(got.at[i].value, headers->items[i].items[1].text));
    }
    const tl_str body = {(const char *)attempt.request.body.ptr, attempt.request.body.len};
    assert_true(tl_str_eq(body, kit_text(golden, "body_text")));
    kit_stop(&kit);
}

static void nonces_rise_although_the_clock_does_not(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, true);
    int64_t last = tl__dendrite_nonce(kit.dendrite); /* DEND-1 */
    assert_int_equal(last, 1700000000000000000);
    for (int i = 0; i < 100; i++) {
        kit.time.wall_ns += i == 50 ? -1000000 : 0;
        assert_int_equal(tl__dendrite_nonce(kit.dendrite), last + 1);
        last++;
    }
    kit.time.wall_ns += 5000000;
    assert_true(tl__dendrite_nonce(kit.dendrite) > last + 1000);
    kit_stop(&kit);
}

static void a_uuid_is_of_version_one_and_of_one_dendrite(void **state)
{
    (void)state;
    party_kit a = {.arena = NULL};
    party_kit b = {.arena = NULL};
    kit_start(&a, false);
    kit_start(&b, false);
    const tl_str uuid = tl_dendrite_uuid(a.dendrite);
    assert_int_equal(uuid.len, 36);
    assert_int_equal(uuid.ptr[14], '1');
    assert_non_null(strchr("89ab", uuid.ptr[19]));
    assert_false(tl_str_eq(uuid, tl_dendrite_uuid(b.dendrite)));
    kit_stop(&a);
    kit_stop(&b);
    party_kit c = {.arena = NULL};
    kit_start(&c, true); /* 2023-11-14T22:13:20Z, no luck at all */
    assert_string_equal(tl_dendrite_uuid(c.dendrite).ptr, "04afc000-833b-11ee-8000-010000000000");
    kit_stop(&c);
}

/* --- statuses (V:dendrite_status) --- */

#define MODEL_HEAD "{\"name\":\"Slow\",\"seconds\":1.5,\"done\":true,"
#define MODEL_OK   MODEL_HEAD "\"axon\":{\"status_code\":200,\"status_message\":\"Success\"}}"

static char long_header[9200];

static const struct {
    const char *behaviour;
    const char *head; /* with what is behind Content-Length; NULL: the body is the whole answer */
    const char *body;
    int closes;
} behaviours[] = {
    {"200, JSON body with axon.status_code 200, no bt headers", JSON_OK, MODEL_OK, 0},
    {"200, body {}, header bt_header_axon_status_code 200",
     JSON_OK "bt_header_axon_status_code: 200\r\nbt_header_axon_status_message: Success\r\n", "{}",
     0},
    {"200, body {}, no bt headers", JSON_OK, "{}", 0},
    {"200, body {}, bt headers in upper or title case (ignored)",
     JSON_OK "BT_HEADER_AXON_STATUS_CODE: 200\r\nBt_Header_Axon_Status_Message: Success\r\n", "{}",
     0},
    {"200, body says 200, headers say 403 / hdr",
     JSON_OK "bt_header_axon_status_code: 403\r\nbt_header_axon_status_message: hdr\r\n", MODEL_OK,
     0},
    {"429, JSON object without message", "HTTP/1.1 429 Slow\r\ncontent-type: application/json\r\n",
     "{\"a\":1}", 0},
    {"200, content-type text/plain", "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n", MODEL_OK,
     0},
    {"200, no content-type", "HTTP/1.1 200 OK\r\n", MODEL_OK, 0},
    {"500, text/plain", "HTTP/1.1 500 Err\r\ncontent-type: text/plain\r\n", "Internal Server Error",
     0},
    {"500, JSON list", "HTTP/1.1 500 Err\r\ncontent-type: application/json\r\n", "[1]", 0},
    {"200, broken JSON", JSON_OK, "{\"a\":", 0},
    {"200, field fails validation", JSON_OK, "{\"seconds\":\"much\"}", 0},
    {"200, bt_header_axon_port not an integer", JSON_OK "bt_header_axon_port: 80a\r\n", MODEL_OK,
     0},
    {"closed before any byte", NULL, "", 1},
    {"body shorter than content-length", NULL, JSON_OK "content-length: 500\r\n\r\n{}", 1},
    {"response header value of 9000 bytes", NULL, long_header, 1},
    {"nothing listens", NULL, NULL, 0},
    {"no answer within timeout 1.0", NULL, NULL, 2},
};

typedef struct axon {
    char bytes[16384];
    scripted_act act;
} axon;

static void answer(void *self, const scripted_request *request, scripted_act *act)
{
    (void)request;
    *act = ((axon *)self)->act;
}

static bool is_as_told(const tl_json *expected, const tl_dendrite_reply *r, tl_arena *arena)
{
    const tl_json *code = tl_json_get(expected, "status_code");
    tl_str message = kit_text(expected, "status_message");
    int64_t wanted = 0;
    if (code->kind == TL_JSON_NULL) {
        return !r->has_status && !r->has_message && !r->is_ok;
    }
    if (tl_json_as_i64(&wanted, code, NULL, NULL) != TL_OK || !r->has_status ||
        r->status_code != wanted || r->is_ok != (wanted == 200)) {
        return false;
    }
    if (tl_str_ends_with(message, TL_STR("IP:PORT/NAME"))) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_put(&sb, tl_str_slice(message, 0, message.len - 12));
        tl_dendrite_put_target(&sb, r->target);
        tl_sb_put_cstr(&sb, "/Slow");
        assert_int_equal(tl_sb_finish(&message, &sb, NULL), TL_OK);
    }
    if (tl_json_get(expected, "status_message")->kind == TL_JSON_NULL) {
        return !r->has_message;
    }
    return tl_str_ends_with(message, TL_STR(": ")) ? tl_str_starts_with(r->status_message, message)
                                                   : tl_str_eq(r->status_message, message);
}

static void check_behaviour(party_kit *kit, const tl_json *expected, size_t i)
{
    axon a = {.act = {.closes = behaviours[i].closes == 1, .hangs = behaviours[i].closes == 2}};
    if (behaviours[i].head != NULL) {
        (void)tl_str_print(a.bytes, sizeof a.bytes, "%scontent-length: %zu\r\n\r\n%s",
                           behaviours[i].head, strlen(behaviours[i].body), behaviours[i].body);
        a.act.bytes = a.bytes;
    } else {
        a.act.bytes = behaviours[i].body;
    }
    scripted *server = scripted_start(answer, &a);
    tl_dendrite_target target = kit_target(server, ALICE);
    if (behaviours[i].body == NULL && behaviours[i].closes == 0) {
        target.port = scripted_dead_port();
    }
    tl_dendrite_query query = kit_v10(kit_message(kit, "Slow", "{}"));
    query.timeout_s = behaviours[i].closes == 2 ? 1.0 : 0.0;
    tl_dendrite_reply reply;
    assert_int_equal(
        tl_dendrite_ask_all(kit->dendrite, kit->arena, &reply, &target, 1, &query, NULL), TL_OK);
    if (!is_as_told(expected, &reply, kit->arena)) {
        fail_msg("%s: %lld \"%.*s\"", behaviours[i].behaviour, (long long)reply.status_code,
                 TL_STR_ARG(reply.status_message));
    }
    assert_true((reply.error.len == 0) == reply.is_ok);
    assert_int_equal(reply.has_time, reply.fault == TL_CLIENT_NONE && reply.status_code != 422);
    if (reply.has_status) { /* the message says the same */
        assert_int_equal(tl_value_clamp_i64(&reply.synapse->dendrite.status_code, 0),
                         reply.status_code);
    }
    scripted_stop(server);
}

static void servers_are_read_as_the_sdk_reads_them(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    const tl_json *golden = tl_json_get(kit_golden(kit.arena), "dendrite_status");
    size_t len = tl_str_print(long_header, sizeof long_header, "%s", JSON_OK "x-long: ");
    memset(long_header + len, 'a', 9000);
    memcpy(long_header + len + 9000, "\r\ncontent-length: 2\r\n\r\n{}", 26);
    const size_t count = sizeof behaviours / sizeof *behaviours;
    assert_int_equal(golden->count, count);
    for (uint32_t k = 0; k < golden->count; k++) {
        const tl_str name = kit_text(&golden->items[k], "server_behaviour");
        size_t i = 0;
        while (i < count && !tl_str_eq_cstr(name, behaviours[i].behaviour)) {
            i++;
        }
        assert_true(i < count);
        check_behaviour(&kit, &golden->items[k], i);
    }
    kit_stop(&kit);
}

static void a_good_answer_rebuilds_the_message(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    axon a = {.act = {.closes = false}};
    (void)tl_str_print(a.bytes, sizeof a.bytes, JSON_OK "content-length: %zu\r\n\r\n%s",
                       strlen(MODEL_OK), MODEL_OK);
    a.act.bytes = a.bytes;
    scripted *server = scripted_start(answer, &a);
    const tl_dendrite_target target = kit_target(server, ALICE);
    const tl_dendrite_query query = kit_v10(kit_message(&kit, "Slow", "{\"seconds\": 9}"));
    tl_dendrite_reply reply;
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &target, 1, &query, NULL),
                     TL_OK);
    assert_true(reply.is_ok && reply.has_time && reply.process_time_s > 0.0);
    assert_true(tl_synapse_field_get(reply.synapse, TL_STR("done"))->boolean);
    assert_true(tl_synapse_field_get(reply.synapse, TL_STR("seconds"))->f64 == 1.5);
    assert_true(tl_synapse_field_get(query.synapse, TL_STR("seconds"))->f64 == 9.0);
    scripted_stop(server);
    kit_stop(&kit);
}

/* --- what is refused before anything is sent --- */

static void targets_are_read_with_care(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
        const char *host_or_field;
        int port;
    } cases[] = {
        {"127.0.0.1:8091:" ALICE, TL_OK, "127.0.0.1", 8091},
        {"[::1]:1:" ALICE, TL_OK, "::1", 1},
        {"axon.example:65535:" BOB, TL_OK, "axon.example", 65535},
        {"127.0.0.1:8091", TL_ERR_SYNTAX, "port", 0},
        {"127.0.0.1", TL_ERR_SYNTAX, "host", 0},
        {"", TL_ERR_SYNTAX, "host", 0},
        {":80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"[]:80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"[[a]:80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"[a.b]:80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"a b:80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"a/b:80:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"[::1]8091:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"[::1", TL_ERR_SYNTAX, "host", 0},
        {"::1:8091:" ALICE, TL_ERR_SYNTAX, "host", 0},
        {"a:0:" ALICE, TL_ERR_RANGE, "port", 0},
        {"a:65536:" ALICE, TL_ERR_RANGE, "port", 0},
        {"a:-1:" ALICE, TL_ERR_SYNTAX, "port", 0},
        {"a:80:", TL_ERR_SYNTAX, "hotkey", 0},
        {"a:80:" ALICE "x", TL_ERR_SYNTAX, "hotkey", 0},
        {"a:80:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", TL_ERR_CORRUPT, "hotkey", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_dendrite_target t = {.port = 7};
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_dendrite_target_parse(&t, tl_str_from_cstr(cases[i].text), &ctx);
        if (cases[i].err == TL_OK) {
            assert_int_equal(err, TL_OK);
            assert_true(tl_str_eq_cstr(t.host, cases[i].host_or_field));
            assert_int_equal(t.port, cases[i].port);
        } else {
            assert_true(err != TL_OK);
            if (strcmp(ctx.field, cases[i].host_or_field) != 0) {
                fail_msg("%s: %s: %s", cases[i].text, ctx.field, ctx.message);
            }
            assert_int_equal(t.port, 7);
        }
    }
}

static void queries_that_cannot_be_sent_are_refused(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    kit_start(&kit, false);
    const tl_dendrite_target good = {
        .host = TL_STR("127.0.0.1"), .port = 9, .hotkey = TL_STR(ALICE)};
    tl_dendrite_target bad = good;
    tl_dendrite_reply reply;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_dendrite_query q = kit_v10(NULL);
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &good, 1, &q, &ctx),
                     TL_ERR_MISSING);
    assert_string_equal(ctx.field, "synapse");
    q = kit_v10(kit_message(&kit, "Slow", "{}"));
    bad.hotkey = TL_STR("");
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &bad, 1, &q, &ctx),
                     TL_ERR_MISSING);
    assert_string_equal(ctx.field, "hotkey");
    q.timeout_s = 1e9;
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &good, 1, &q, &ctx),
                     TL_ERR_RANGE);
    q.timeout_s = -1.0;
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &good, 1, &q, &ctx),
                     TL_ERR_RANGE);
    assert_string_equal(ctx.field, "timeout");
    q = kit_raw("btauth", "no-slash", "");
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &good, 1, &q, &ctx),
                     TL_ERR_SYNTAX);
    assert_string_equal(ctx.field, "target");
    q = kit_raw("btauth", "/", "");
    bad = good;
    bad.host = TL_STR("a b");
    assert_int_equal(tl_dendrite_ask_all(kit.dendrite, kit.arena, &reply, &bad, 1, &q, &ctx),
                     TL_ERR_SYNTAX);
    assert_string_equal(ctx.field, "host");
    kit_stop(&kit);
}

static void a_key_that_cannot_sign_makes_no_dendrite(void **state)
{
    (void)state;
    tl_keypair *key = NULL;
    tl_keypair *public_only = NULL;
    tl_dendrite *d = NULL;
    assert_int_equal(tl_keypair_from_uri(&key, tl_scheme_sr25519(), TL_STR("//Bob"), NULL), TL_OK);
    assert_int_equal(
        tl_keypair_from_public(&public_only, tl_scheme_sr25519(), tl_keypair_public(key), NULL),
        TL_OK);
    const tl_dendrite_options cannot = {.key = public_only};
    assert_int_equal(tl_dendrite_new(&d, &cannot, NULL), TL_ERR_STATE);
    const tl_dendrite_options large = {.key = key, .cache_max = TL_DENDRITE_CACHE_MAX + 1};
    assert_int_equal(tl_dendrite_new(&d, &large, NULL), TL_ERR_RANGE);
    assert_null(d);
    tl_keypair_free(key);
    tl_keypair_free(public_only);
}

static void only_btauth_takes_an_ed25519_key(void **state)
{
    (void)state;
    party_kit kit = {.arena = NULL};
    tl_keypair *key = NULL;
    tl_dendrite *d = NULL;
    tl_dendrite_reply reply;
    tl_errctx ctx = TL_ERRCTX_INIT;
    kit_start(&kit, false);
    assert_int_equal(tl_keypair_from_uri(&key, tl_scheme_ed25519(), TL_STR("//Bob"), NULL), TL_OK);
    const tl_dendrite_options options = {.key = key};
    assert_int_equal(tl_dendrite_new(&d, &options, NULL), TL_OK);
    const tl_dendrite_target target = {
        .host = TL_STR("127.0.0.1"), .port = scripted_dead_port(), .hotkey = TL_STR(ALICE)};
    tl_dendrite_query q = kit_v10(kit_message(&kit, "Slow", "{}"));
    assert_int_equal(tl_dendrite_ask_all(d, kit.arena, &reply, &target, 1, &q, &ctx),
                     TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "key");
    q = kit_raw("epistula", "/", "");
    assert_int_equal(tl_dendrite_ask_all(d, kit.arena, &reply, &target, 1, &q, &ctx),
                     TL_ERR_REFUSED);
    q = kit_raw("btauth", "/", "");
    assert_int_equal(tl_dendrite_ask_all(d, kit.arena, &reply, &target, 1, &q, &ctx), TL_OK);
    assert_int_equal(reply.status_code, 503);
    tl_dendrite_free(d);
    tl_keypair_free(key);
    kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_of_the_vectors_comes_out_byte_for_byte),
        cmocka_unit_test(nonces_rise_although_the_clock_does_not),
        cmocka_unit_test(a_uuid_is_of_version_one_and_of_one_dendrite),
        cmocka_unit_test(servers_are_read_as_the_sdk_reads_them),
        cmocka_unit_test(a_good_answer_rebuilds_the_message),
        cmocka_unit_test(targets_are_read_with_care),
        cmocka_unit_test(queries_that_cannot_be_sent_are_refused),
        cmocka_unit_test(a_key_that_cannot_sign_makes_no_dendrite),
        cmocka_unit_test(only_btauth_takes_an_ed25519_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
