/* Holds the document against the table: each route and each status of it, each reference, each rule of who may call; and the
 * original's signatures and error shape, which only the compat service has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/api/api_internal.h"
#include "app/api/test/toy.h"
#include "core/codec/hex/hex.h"
#include "io/redis/test/server.h"
#include "io/sys/sys.h"

static toy t;
static toy_answer a;

static int begin(void **state)
{
    (void)state;
    toy_begin(&t);
    return 0;
}

static int end(void **state)
{
    (void)state;
    toy_end(&t);
    return 0;
}

/* --- the document --- */

static const tl_json *document(void)
{
    const tl_json *json;
    const tl_str text = tl_api_document(t.api);
    assert_int_equal(tl_json_parse(&json, t.arena, text, NULL, NULL), TL_OK);
    return json;
}

static const tl_json *at(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    if (value == NULL) {
        fail_msg("there is no \"%s\"", key);
    }
    return value;
}

static const tl_json *follow(const tl_json *root, tl_str ref)
{
    assert_true(tl_str_starts_with(ref, TL_STR("#/")));
    tl_str rest = tl_str_slice(ref, 2, ref.len);
    const tl_json *value = root;
    for (tl_str part; value != NULL && tl_str_split(&part, &rest, '/');) {
        value = tl_json_get_str(value, part);
    }
    return value;
}

static void check_refs(const tl_json *root, const tl_json *value)
{
    for (uint32_t i = 0; i < value->count && value->kind == TL_JSON_ARRAY; i++) {
        check_refs(root, &value->items[i]);
    }
    for (uint32_t i = 0; i < value->count && value->kind == TL_JSON_OBJECT; i++) {
        const tl_json_member *m = &value->members[i];
        if (tl_str_eq_cstr(m->key, "$ref") && follow(root, m->value.text) == NULL) {
            fail_msg("%.*s leads nowhere", TL_STR_ARG(m->value.text));
        }
        check_refs(root, &m->value);
    }
}

static void every_route_and_status_is_in_it(void **state)
{
    (void)state;
    toy_start(&t);
    const tl_json *root = document();
    assert_true(tl_str_eq_cstr(at(root, "openapi")->text, "3.1.0"));
    check_refs(root, root);
    static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
    size_t found = 0;
    for (size_t i = 0; i < t.api->route_count; i++) {
        const tl__route *route = &t.api->routes[i];
        const tl_json *item = tl_json_get_str(at(root, "paths"), route->path);
        assert_non_null(item);
        const tl_json *op = at(item, methods[route->spec->method]);
        assert_true(tl_str_eq_cstr(at(op, "operationId")->text, route->spec->id));
        const tl_json *responses = at(op, "responses");
        for (int status = 200; status < TL__API_STATUS_MAX; status++) {
            char digits[8];
            tl_str_print(digits, sizeof digits, "%d", status);
            const bool is_shown = tl_json_get(responses, digits) != NULL;
            assert_int_equal(is_shown, tl_api_has_status(t.api, route->spec->id, status));
            found += is_shown;
            if (is_shown) {
                (void)at(at(tl_json_get(responses, digits), "headers"), "X-Correlation-Id");
            }
        }
        assert_int_equal(at(op, "security")->count > 0, route->spec->auth != TL_API_PUBLIC);
        assert_int_equal(tl_json_get(op, "requestBody") != NULL,
                         route->spec->body != TL_API_BODY_NONE);
    }
    assert_true(found > 100);
    toy_ask(&t, &a, "GET", "/openapi.json", NULL, NULL);
    const tl_str served = {a.body, a.body_len};
    assert_true(tl_str_eq(served, tl_api_document(t.api)));
}

static void what_the_kit_answers_itself_is_named(void **state)
{
    (void)state;
    toy_start(&t);
    static const struct {
        const char *id;
        int status;
        bool is_there;
    } cases[] = {
        {"listBooks", 200, true},  {"listBooks", 304, true},  {"listBooks", 400, true},
        {"listBooks", 401, false}, {"listBooks", 404, false}, {"listBooks", 415, false},
        {"listBooks", 429, true},  {"listBooks", 503, true},  {"makeBook", 401, true},
        {"makeBook", 403, true},   {"makeBook", 409, true},   {"makeBook", 413, true},
        {"makeBook", 415, true},   {"makeBook", 304, false},  {"makeBook", 200, false},
        {"getBook", 404, true},    {"getWho", 304, false},    {"removeBook", 204, true},
        {"nobody", 200, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tl_api_has_status(t.api, cases[i].id, cases[i].status), cases[i].is_there);
    }
}

/* --- tables that are none --- */

static tl_err answer(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer_empty(call);
    return TL_OK;
}

static const tl_api_param path_params[] = {
    {.name = "x", .in = TL_API_IN_PATH, .schema = "{'type':'string'}"}};
static const tl_api_param bad_params[] = {
    {.name = "q", .in = TL_API_IN_QUERY, .schema = "{'type':'txt'}"}};
static const tl_api_reply twice[] = {{200, "One.", "Error", NULL}, {200, "Two.", "Error", NULL}};
static const tl_api_reply unknown[] = {{200, "One.", "Nothing", NULL}};

static void a_table_that_contradicts_itself_does_not_start(void **state)
{
    (void)state;
    static const struct {
        tl_api_route route;
        tl_err err;
    } cases[] = {
        {{.path = "/a", .id = "a", .summary = "A.", .handle = NULL}, TL_ERR_MISSING},
        {{.path = "a", .id = "a", .summary = "A.", .handle = answer}, TL_ERR_SYNTAX},
        {{.path = "/a/{x}", .id = "a", .summary = "A.", .handle = answer}, TL_ERR_MISSING},
        {{.path = "/a/{y}",
          .id = "a",
          .summary = "A.",
          TL_API_PARAMS(path_params),
          .handle = answer},
         TL_ERR_MISSING},
        {{.path = "/a", .id = "a", .summary = "A.", TL_API_PARAMS(bad_params), .handle = answer},
         TL_ERR_UNKNOWN},
        {{.path = "/a", .id = "a", .summary = "A.", TL_API_REPLIES(twice), .handle = answer},
         TL_ERR_RANGE},
        {{.path = "/a", .id = "a", .summary = "A.", TL_API_REPLIES(unknown), .handle = answer},
         TL_ERR_UNKNOWN},
        {{.path = "/healthz", .id = "a", .summary = "A.", .handle = answer}, TL_ERR_DUPLICATE},
        {{.path = "/a", .id = "isAlive", .summary = "A.", .handle = answer}, TL_ERR_DUPLICATE},
        {{.path = "/a",
          .id = "a",
          .summary = "A.",
          .auth = TL_API_MEMBER,
          .runs = TL_API_INLINE,
          .handle = answer},
         TL_ERR_RANGE},
        {{.method = TL_API_POST,
          .path = "/a",
          .id = "a",
          .summary = "A.",
          .body = TL_API_BODY_JSON,
          .handle = answer},
         TL_ERR_MISSING},
        {{.path = "/a", .id = "a", .summary = "A.", .limits = {{.count = 1}}, .handle = answer},
         TL_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_api *api = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_api_settings settings = {.routes = &cases[i].route, .route_count = 1};
        assert_int_equal(tl_api_new(&api, &settings, &ctx), cases[i].err);
        assert_string_equal(ctx.field, cases[i].route.id);
    }
}

/* --- compat --- */

static void hex_of_signature(char out[131], const tl_keypair *pair, const char *text)
{
    uint8_t signature[64];
    const tl_entropy entropy = tl_sys_entropy();
    size_t len;
    assert_int_equal(tl_keypair_sign(signature, sizeof signature, &len, pair,
                                     tl_str_bytes(tl_str_from_cstr(text)), &entropy, NULL),
                     TL_OK);
    memcpy(out, "0x", 2);
    tl_hex_write(out + 2, signature, sizeof signature);
}

static void ask_who(const tl_keypair *pair, int64_t time_s, const char *signed_text)
{
    char text[128];
    char signature[131];
    char ss58[TL_SS58_CAP];
    char target[512];
    (void)snprintf(text, sizeof text, "who:%lld", (long long)time_s);
    hex_of_signature(signature, pair, signed_text != NULL ? signed_text : text);
    (void)tl_ss58_encode(ss58, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    (void)snprintf(target, sizeof target, "/v1/who?hotkey=%s&signature=%s&timestamp=%lld", ss58,
                   signature + 2 * (time_s % 2), (long long)time_s); /* with and without 0x */
    toy_ask(&t, &a, "GET", target, NULL, NULL);
}

static int64_t now_s(void)
{
    const tl_clock clock = tl_sys_clock();
    return tl_clock_wall_ns(&clock) / INT64_C(1000000000);
}

static bool says(int status, const char *message)
{
    char head[64];
    (void)snprintf(head, sizeof head, "{\"statusCode\":%d,\"message\":[\"", status);
    return a.status == status && strncmp(a.body, head, strlen(head)) == 0 &&
           strstr(a.body, message) != NULL && toy_header(&a, "X-Correlation-Id") != NULL;
}

static void the_originals_signatures_count_once_within_their_time(void **state)
{
    (void)state;
    t.settings.is_compat = true;
    toy_start(&t);
    const int64_t now = now_s();
    ask_who(t.stranger, now, NULL);
    assert_int_equal(a.status, 200);
    ask_who(t.stranger, now - 290, NULL);
    assert_int_equal(a.status, 200);
    ask_who(t.stranger, now + 50, NULL);
    assert_int_equal(a.status, 200);
    ask_who(t.stranger, now - 302, NULL);
    assert_true(says(401, "too old"));
    ask_who(t.stranger, now + 70, NULL);
    assert_true(says(401, "too old or in the future"));
    ask_who(t.stranger, 1500000000, NULL);
    assert_true(says(401, "malformed"));
    ask_who(t.stranger, now, "who:1");
    assert_true(says(401, "does not hold"));
    toy_ask(&t, &a, "GET", "/v1/who?hotkey=x", NULL, NULL);
    assert_true(says(401, "needed"));
    toy_ask(&t, &a, "GET", "/v1/who", toy_sign(&t, t.stranger, "GET", "/v1/who", NULL), NULL);
    assert_int_equal(a.status, 200); /* btauth too */
}

static void a_body_carries_the_originals_signature(void **state)
{
    (void)state;
    t.settings.is_compat = true;
    t.settings.is_unlimited = true;
    toy_start(&t);
    char text[256];
    char body[512];
    char signature[131];
    char ss58[TL_SS58_CAP];
    const long long now = now_s();
    (void)tl_ss58_encode(ss58, tl_keypair_public(t.miner), TL_SS58_PREFIX_GENERIC);
    for (int form = 0; form < 2; form++) { /* either string is taken */
        if (form == 0) {
            (void)snprintf(text, sizeof text, "book:make:b:%lld", now);
        } else {
            (void)snprintf(text, sizeof text, "book:new:%s:%lld", ss58, now);
        }
        hex_of_signature(signature, t.miner, text);
        (void)snprintf(
            body, sizeof body,
            "{\"title\":\"b\",\"hotkey\":\"%s\",\"signature\":\"%s\",\"timestamp\":%lld}", ss58,
            signature, now);
        toy_ask(&t, &a, "POST", "/v1/books", "Content-Type: application/json\r\n", body);
        assert_int_equal(a.status, 201);
        toy_ask(&t, &a, "POST", "/v1/books", "Content-Type: application/json\r\n", body);
        assert_true(says(401, "used before"));
    }
    toy_ask(&t, &a, "POST", "/v1/books", "Content-Type: application/json\r\n", "{");
    assert_true(says(401, "needed"));
}

static void the_tally_service_takes_none_of_them(void **state)
{
    (void)state;
    toy_start(&t);
    ask_who(t.stranger, now_s(), NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
    const tl_json *who = at(at(at(document(), "paths"), "/v1/who"), "get");
    assert_null(tl_json_get(who, "parameters"));
    toy_end(&t);
    toy_begin(&t);
    t.settings.is_compat = true;
    toy_start(&t);
    const tl_json *root = document();
    check_refs(root, root);
    who = at(at(at(root, "paths"), "/v1/who"), "get");
    assert_int_equal(at(who, "parameters")->count, 3);
    assert_non_null(tl_json_get(
        at(at(at(at(root, "components"), "schemas"), "Error"), "properties"), "statusCode"));
}

/* --- several processes, one Redis --- */

static void services_on_one_redis_share_limits_and_signatures(void **state)
{
    (void)state;
    redis_server server;
    assert_true(redis_server_start(&server, NULL));
    tl_redis *redis = NULL;
    const tl_redis_options options = {.url = tl_str_from_cstr(server.socket_url), .call_ms = 5000};
    assert_int_equal(tl_redis_open(&redis, &options, NULL), TL_OK);
    static toy other;
    toy_begin(&other);
    t.settings.redis = redis;
    other.settings.redis = redis;
    toy_start(&t);
    toy_start(&other);
    const char *headers = toy_sign(&t, t.stranger, "GET", "/v1/who", NULL);
    toy_ask(&t, &a, "GET", "/v1/who", headers, NULL);
    assert_int_equal(a.status, 200);
    toy_ask(&other, &a, "GET", "/v1/who", headers, NULL);
    toy_refused(&a, 401, "ReplayedRequest", NULL);
    static const char body[] = "{\"title\":\"a\"}";
    for (int i = 0; i < 5; i++) {
        toy *one = i % 2 == 0 ? &t : &other;
        toy_ask(one, &a, "POST", "/v1/books", toy_sign(one, t.miner, "POST", "/v1/books", body),
                body);
        assert_int_equal(a.status, i < 4 ? 201 : 429);
    }
    toy_end(&other);
    tl_api_stop(t.api);
    tl_api_free(t.api);
    t.api = NULL;
    tl_redis_close(redis);
    redis_server_stop(&server);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_route_and_status_is_in_it),
        T(what_the_kit_answers_itself_is_named),
        T(a_table_that_contradicts_itself_does_not_start),
        T(the_originals_signatures_count_once_within_their_time),
        T(a_body_carries_the_originals_signature),
        T(the_tally_service_takes_none_of_them),
        T(services_on_one_redis_share_limits_and_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
