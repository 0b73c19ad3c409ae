/* Attacks a service with every kind of caller it must turn away, and with input that does not hold to its document; reads its
 * headers, forms and figures; makes its handlers misbehave. Over sockets, as strangers come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "app/api/test/toy.h"
#include "io/observe/metrics/metrics.h"
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

static void ask(const char *method, const char *target, const char *headers, const char *body)
{
    toy_ask(&t, &a, method, target, headers, body);
}

static void ask_signed(const tl_keypair *from, const char *method, const char *target,
                       const char *body)
{
    ask(method, target, toy_sign(&t, from, method, target, body), body);
}

static bool has_header(const char *name, const char *value)
{
    const char *found = toy_header(&a, name);
    return found != NULL && (value == NULL || strcmp(found, value) == 0);
}

/* --- paths and methods --- */

static void paths_and_methods_are_the_tables(void **state)
{
    (void)state;
    toy_start(&t);
    ask("GET", "/v1/none", NULL, NULL);
    toy_refused(&a, 404, "NotFound", NULL);
    ask("GET", "/v1/books/", NULL, NULL); /* a trailing slash is another path */
    toy_refused(&a, 404, "NotFound", NULL);
    ask("GET", "/v1//books", NULL, NULL);
    toy_refused(&a, 404, "NotFound", NULL);
    ask("PATCH", "/v1/books", NULL, NULL);
    toy_refused(&a, 405, "MethodNotAllowed", NULL);
    assert_true(has_header("Allow", "GET, HEAD, POST, OPTIONS"));
    ask("GET", "/v1/operator", NULL, NULL);
    toy_refused(&a, 405, "MethodNotAllowed", NULL);
    assert_true(has_header("Allow", "POST, OPTIONS"));
    ask("QUERY", "/v1/books", NULL, "{}"); /* a method that no parser of ours knows */
    toy_refused(&a, 405, "MethodNotAllowed", NULL);
    ask("get", "/v1/books", NULL, NULL);
    toy_refused(&a, 405, "MethodNotAllowed", NULL);
    ask("TRACE", "/v1/books", NULL, NULL);
    toy_refused(&a, 405, "MethodNotAllowed", NULL);
    ask("OPTIONS", "/v1/books/3", NULL, NULL);
    assert_int_equal(a.status, 204);
    assert_true(has_header("Allow", "GET, HEAD, DELETE, OPTIONS"));
    ask("OPTIONS", "/v1/none", NULL, NULL);
    toy_refused(&a, 404, "NotFound", NULL);
    ask("GET", "/v1/books/page", NULL, NULL); /* the literal wins over {bookId} */
    assert_int_equal(a.status, 200);
    ask("HEAD", "/v1/books", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body_len, 0);
    assert_true(has_header("Content-Length", "30"));
}

/* --- parameters --- */

static void parameters_hold_to_their_schemas(void **state)
{
    (void)state;
    toy_start(&t);
    static const char *const bad[] = {"limit=0",  "limit=201",  "limit=",     "limit=1&limit=2",
                                      "limit=a",  "limit=1.0",  "limit=%31%", "limit=%ff",
                                      "limit=+1", "limit=null", "limit",      "li%6dit=0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char target[64];
        (void)snprintf(target, sizeof target, "/v1/books?%s", bad[i]);
        ask("GET", target, NULL, NULL);
        toy_refused(&a, 400, "InvalidRequest", "limit"); /* API-4 */
    }
    ask("GET", "/v1/books?cursor=12a", NULL, NULL);
    toy_refused(&a, 400, "InvalidRequest", "cursor");
    ask("GET", "/v1/bad", NULL, NULL);
    toy_refused(&a, 400, "InvalidRequest", "how");
    ask("GET", "/v1/books/x", NULL, NULL);
    toy_refused(&a, 400, "InvalidRequest", "bookId");
    ask("GET", "/v1/books/%00", NULL, NULL);
    toy_refused(&a, 400, "InvalidRequest", "bookId");
    ask("GET", "/v1/held", "X-Tag: abcde\r\n", NULL);
    toy_refused(&a, 400, "InvalidRequest", "X-Tag");
    assert_int_equal(t.handled, 0);
    ask("GET", "/v1/books/%37", NULL, NULL); /* decoded, then looked up */
    toy_refused(&a, 404, "NotFound", NULL);
    ask("GET", "/v1/books?lim%69t=2&other=1&other=2&=&%zz=1", NULL, NULL);
    assert_int_equal(a.status, 200);
}

static void bodies_hold_to_their_schemas(void **state)
{
    (void)state;
    t.settings.is_unlimited = true;
    toy_start(&t);
    static const struct {
        const char *body;
        const char *field;
    } bad[] = {
        {"", NULL},
        {"{", NULL},
        {"{\"title\":\"a\",\"title\":\"b\"}", NULL},
        {"{\"title\":\"\xff\"}", NULL},
        {"[]", NULL},
        {"{}", "/title"},
        {"{\"title\":1}", "/title"},
        {"{\"title\":\"\"}", "/title"},
        {"{\"title\":\"a\",\"year\":3001}", "/year"},
        {"{\"title\":\"a\",\"year\":\"1\"}", "/year"},
        {"{\"title\":\"a\",\"more\":1}", "/more"},
        {"{\"title\":\"a\",\"tags\":[\"a\",\"B\"]}", "/tags/1"},
        {"{\"title\":\"a\",\"tags\":[\"a\",\"a\",\"a\",\"a\",\"a\"]}", "/tags"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask_signed(t.miner, "POST", "/v1/books", bad[i].body);
        toy_refused(&a, 400, "InvalidRequest", bad[i].field);
    }
    assert_int_equal(t.handled, 0); /* API-4 */
    ask_signed(t.miner, "POST", "/v1/books", "{\"title\":\"a\",\"tags\":[\"a\"],\"year\":0}");
    assert_int_equal(a.status, 201);
    ask_signed(t.miner, "POST", "/v1/books", "{\"title\":\"a\",\"year\":1.984e3}");
    assert_int_equal(a.status, 201); /* an integer, as JSON Schema has it */
    ask_signed(t.miner, "POST", "/v1/books", "{\"title\":\"taken\"}");
    toy_refused(&a, 409, "Conflict", "/title");
}

static const char *without_json(const char *headers, const char *media)
{
    static char text[4096];
    const char *cut = strstr(headers, "Content-Type");
    (void)snprintf(text, sizeof text, "%.*s%s", (int)(cut - headers), headers, media);
    return text;
}

static void media_types_are_told_apart(void **state)
{
    (void)state;
    toy_start(&t);
    static const char body[] = "{\"title\":\"a\"}";
    const char *headers = toy_sign(&t, t.miner, "POST", "/v1/books", body);
    ask("POST", "/v1/books", without_json(headers, "Content-Type: text/plain\r\n"), body);
    toy_refused(&a, 415, "UnsupportedMediaType", NULL);
    headers = toy_sign(&t, t.miner, "POST", "/v1/books", body);
    ask("POST", "/v1/books",
        without_json(headers, "Content-Type: Application/JSON ; charset=utf-8\r\n"), body);
    assert_int_equal(a.status, 201);
    headers = toy_sign(&t, t.miner, "POST", "/v1/books", body);
    ask("POST", "/v1/books", without_json(headers, ""), body);
    assert_int_equal(a.status, 201);
    ask("POST", "/v1/upload", "Content-Type: application/json\r\n", "{}");
    toy_refused(&a, 415, "UnsupportedMediaType", NULL);
    ask("POST", "/v1/upload", NULL, "{}");
    toy_refused(&a, 415, "UnsupportedMediaType", NULL);
}

/* --- who calls --- */

static void signatures_are_asked_for_and_count_once(void **state)
{
    (void)state;
    toy_start(&t);
    ask("GET", "/v1/who", NULL, NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
    assert_true(has_header("WWW-Authenticate", "btauth"));
    const char *headers = toy_sign(&t, t.stranger, "GET", "/v1/who", NULL);
    ask("GET", "/v1/who", headers, NULL);
    assert_int_equal(a.status, 200);
    ask("GET", "/v1/who", headers, NULL);
    toy_refused(&a, 401, "ReplayedRequest", NULL); /* API-1 */
    headers = toy_sign(&t, t.stranger, "GET", "/v1/who?x=1", NULL);
    ask("GET", "/v1/who", headers, NULL);
    toy_refused(&a, 401, "BadSignature", NULL);
    ask("GET", "/v1/who?x=1", headers, "a body that was not signed");
    toy_refused(&a, 401, "BadSignature", NULL);
    ask("GET", "/v1/who?x=1", headers, NULL); /* its nonce was not used up by the refusals */
    assert_int_equal(a.status, 200);
    ask("GET", "/v1/who", "X-Bittensor-Version: 1\r\n", NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
    const int handled = t.handled;
    assert_int_equal(handled, 2);
}

static void members_and_validators_are_told_apart(void **state)
{
    (void)state;
    t.settings.is_unlimited = true;
    toy_start(&t);
    static const char body[] = "{\"title\":\"a\"}";
    ask_signed(t.stranger, "POST", "/v1/books", body);
    toy_refused(&a, 403, "NotRegistered", NULL);
    ask_signed(t.miner, "POST", "/v1/books", body);
    assert_int_equal(a.status, 201);
    ask_signed(t.stranger, "DELETE", "/v1/books/0", NULL);
    toy_refused(&a, 403, "NotRegistered", NULL);
    ask_signed(t.miner, "DELETE", "/v1/books/0", NULL);
    toy_refused(&a, 403, "NotPermitted", NULL);
    ask_signed(t.poor, "DELETE", "/v1/books/0", NULL); /* a permit, 99 of 100 */
    toy_refused(&a, 403, "NotPermitted", NULL);
    ask_signed(t.miner, "DELETE", "/v1/books/x", NULL); /* who asks comes before what is asked */
    toy_refused(&a, 403, "NotPermitted", NULL);
    ask_signed(t.validator, "DELETE", "/v1/books/x", NULL);
    toy_refused(&a, 400, "InvalidRequest", "bookId");
    ask_signed(t.validator, "DELETE", "/v1/books/0", NULL);
    assert_int_equal(a.status, 204);
    assert_int_equal(a.body_len, 0);
}

static void a_hotkey_speaks_for_itself_alone(void **state)
{
    (void)state;
    t.settings.is_unlimited = true;
    toy_start(&t);
    char body[160];
    char ss58[TL_SS58_CAP];
    (void)tl_ss58_encode(ss58, tl_keypair_public(t.validator), TL_SS58_PREFIX_GENERIC);
    (void)snprintf(body, sizeof body, "{\"title\":\"a\",\"hotkey\":\"%s\"}", ss58);
    ask_signed(t.miner, "POST", "/v1/books", body);
    toy_refused(&a, 403, "NotPermitted", "hotkey");
    ask_signed(t.validator, "POST", "/v1/books", body);
    assert_int_equal(a.status, 201);
}

static void roles_are_ordered(void **state)
{
    (void)state;
    toy_start(&t);
    static const struct {
        const char *method;
        const char *target;
    } routes[] = {{"GET", "/v1/viewer"}, {"POST", "/v1/operator"}, {"PUT", "/v1/admin"}};
    static const char *const roles[] = {"viewer", "operator", "admin"};
    for (size_t route = 0; route < 3; route++) {
        ask(routes[route].method, routes[route].target, NULL, NULL);
        toy_refused(&a, 401, "MalformedAuth", NULL);
        assert_true(has_header("WWW-Authenticate", "Bearer"));
        for (size_t role = 0; role < 3; role++) {
            char headers[128];
            (void)snprintf(headers, sizeof headers, "%s%s\r\n",
                           role == 1 ? "X-API-Key: " : "Authorization: Bearer ", roles[role]);
            ask(routes[route].method, routes[route].target, headers, NULL);
            if (role < route) {
                toy_refused(&a, 403, "NotPermitted", NULL);
            } else {
                assert_int_equal(a.status, 200);
            }
        }
    }
    ask("GET", "/v1/viewer", "Authorization: Bearer nobody\r\n", NULL);
    toy_refused(&a, 401, "BadCredentials", NULL);
    ask("GET", "/v1/viewer", "X-API-Key: nobody\r\n", NULL);
    toy_refused(&a, 401, "BadCredentials", NULL);
    ask("GET", "/v1/viewer", "Authorization: Basic dmlld2Vy\r\n", NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
    ask("GET", "/v1/viewer", "X-API-Key: viewer\r\nAuthorization: Bearer viewer\r\n", NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
    ask("GET", "/v1/viewer", "Authorization: Bearer broken\r\n", NULL);
    toy_refused(&a, 503, "Busy", NULL);
    ask("GET", "/v1/viewer", toy_sign(&t, t.validator, "GET", "/v1/viewer", NULL), NULL);
    toy_refused(&a, 401, "MalformedAuth", NULL);
}

/* --- how much --- */

static void limits_by_caller_are_exact(void **state)
{
    (void)state;
    toy_start(&t);
    static const char body[] = "{\"title\":\"a\"}";
    for (int i = 0; i < 4; i++) {
        char left[8];
        (void)snprintf(left, sizeof left, "%d", 3 - i);
        ask_signed(t.miner, "POST", "/v1/books", i == 2 ? "[]" : body);
        assert_int_equal(a.status, i == 2 ? 400 : 201);
        assert_true(has_header("X-RateLimit-Limit", "4"));
        assert_true(has_header("X-RateLimit-Remaining", left));
        assert_int_equal(strtoll(toy_header(&a, "X-RateLimit-Reset"), NULL, 10) % 86400, 0);
    }
    ask_signed(t.miner, "POST", "/v1/books", body);
    toy_refused(&a, 429, "TooManyRequests", NULL);
    assert_true(has_header("X-RateLimit-Remaining", "0"));
    assert_true(strtol(toy_header(&a, "Retry-After"), NULL, 10) > 0);
    ask_signed(t.stranger, "POST", "/v1/books", body); /* who may not call takes nothing */
    toy_refused(&a, 403, "NotRegistered", NULL);
    for (int i = 0; i < 3; i++) { /* six in all */
        ask_signed(t.validator, "POST", "/v1/books", body);
        assert_int_equal(a.status, i < 2 ? 201 : 429);
    }
}

static void a_factor_widens_limits_by_caller(void **state)
{
    (void)state;
    t.settings.limits_factor = 1.5;
    toy_start(&t);
    ask_signed(t.miner, "POST", "/v1/books", "{\"title\":\"a\"}");
    assert_true(has_header("X-RateLimit-Limit", "6"));
}

static void limits_by_address_spare_loopback_unless_told(void **state)
{
    (void)state;
    toy_start(&t);
    for (int i = 0; i < 5; i++) {
        ask("GET", "/v1/books", NULL, NULL);
        assert_int_equal(a.status, 200);
        assert_false(has_header("X-RateLimit-Limit", NULL));
    }
    toy_end(&t);
    toy_begin(&t);
    t.settings.limits_loopback = true;
    toy_start(&t);
    for (int i = 0; i < 5; i++) {
        ask("GET", "/v1/books", NULL, NULL);
        if (i < 3) {
            assert_int_equal(a.status, 200);
        } else {
            toy_refused(&a, 429, "TooManyRequests", NULL);
        }
        assert_true(has_header("X-RateLimit-Limit", "3"));
    }
}

static void guessers_are_shut_out(void **state)
{
    (void)state;
    t.settings.limits_loopback = true;
    toy_start(&t);
    int refused = 0;
    a.status = 0;
    for (int i = 0; i < 40 && a.status != 429; i++) {
        ask("GET", "/v1/viewer", "X-API-Key: guess\r\n", NULL);
        refused += a.status == 401;
    }
    toy_refused(&a, 429, "TooManyRequests", NULL);
    assert_in_range(refused, 20, 39);
    assert_true(strtol(toy_header(&a, "Retry-After"), NULL, 10) > 50);
    ask("GET", "/v1/viewer", "X-API-Key: viewer\r\n", NULL); /* a right guess comes too late */
    toy_refused(&a, 429, "TooManyRequests", NULL);
}

static void bodies_have_a_length(void **state)
{
    (void)state;
    t.settings.body_len_max = 1000;
    toy_start(&t);
    static char body[70000];
    memset(body, 'a', sizeof body - 1);
    ask("POST", "/v1/books", NULL, body); /* size comes before the signature */
    toy_refused(&a, 413, "TooLarge", NULL);
    ask("GET", "/v1/held", NULL, body);
    toy_refused(&a, 413, "TooLarge", NULL);
    const int fd = toy_connect(&t);
    static const char head[] =
        "POST /v1/books HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n"
        "X-Bittensor-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n";
    toy_send(fd, head, sizeof head - 1);
    toy_send(fd, body, 1024);
    toy_send(fd, "\r\n0\r\n\r\n", 7);
    toy_receive(fd, &a);
    (void)close(fd);
    toy_refused(&a, 413, "TooLarge", NULL);
}

/* --- proxies and lists --- */

static void proxies_are_believed_when_they_are_trusted(void **state)
{
    (void)state;
    toy_start(&t);
    const char *headers = toy_sign(&t, t.miner, "GET", "/v1/who", NULL);
    char more[2048];
    (void)snprintf(more, sizeof more, "%sX-Forwarded-For: 9.9.9.9\r\n", headers);
    ask("GET", "/v1/who", more, NULL);
    assert_non_null(strstr(a.body, "\"127.0.0.1\""));
    toy_end(&t);

    toy_begin(&t);
    static const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8"};
    static const char *const blocked[] = {"6.6.6.0/24"};
    t.settings.trusted_proxies = trusted;
    t.settings.trusted_proxy_count = 2;
    t.settings.block = blocked;
    t.settings.block_count = 1;
    toy_start(&t);
    static const struct {
        const char *headers;
        const char *address;
    } cases[] = {
        {"X-Forwarded-For: 9.9.9.9\r\n", "9.9.9.9"},
        {"X-Forwarded-For: 1.1.1.1, 9.9.9.9, 10.1.2.3\r\n", "9.9.9.9"},
        {"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 8.8.8.8:443\r\n", "8.8.8.8"},
        {"X-Forwarded-For: 9.9.9.9, nonsense\r\n", "127.0.0.1"},
        {"X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"},
        {"Forwarded: for=1.1.1.1, for=\"[2001:db8::1]:80\";proto=https\r\n", "2001:db8::1"},
        {"Forwarded: proto=https\r\n", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        headers = toy_sign(&t, t.miner, "GET", "/v1/who", NULL);
        (void)snprintf(more, sizeof more, "%s%s", headers, cases[i].headers);
        ask("GET", "/v1/who", more, NULL);
        char quoted[64];
        (void)snprintf(quoted, sizeof quoted, "\"address\":\"%s\"", cases[i].address);
        if (strstr(a.body, quoted) == NULL) {
            fail_msg("%s gives %s", cases[i].headers, a.body);
        }
    }
    ask("GET", "/v1/who", "X-Forwarded-For: 6.6.6.6\r\n", NULL);
    toy_refused(&a, 403, "Forbidden", NULL);
}

/* --- headers and forms --- */

static void correlation_ids_are_kept_or_made(void **state)
{
    (void)state;
    toy_start(&t);
    ask("GET", "/healthz", "X-Correlation-Id: it-is-me/7\r\n", NULL);
    assert_true(has_header("X-Correlation-Id", "it-is-me/7"));
    ask("GET", "/healthz", NULL, NULL);
    char made[65];
    (void)snprintf(made, sizeof made, "%s", toy_header(&a, "X-Correlation-Id"));
    assert_int_equal(strlen(made), 16);
    ask("GET", "/healthz", "X-Correlation-Id: two words\r\n", NULL);
    assert_int_equal(strlen(toy_header(&a, "X-Correlation-Id")), 16);
    assert_false(has_header("X-Correlation-Id", made));
    char headers[128];
    (void)snprintf(headers, sizeof headers, "X-Correlation-Id: %065d\r\n", 1);
    ask("GET", "/healthz", headers, NULL);
    assert_int_equal(strlen(toy_header(&a, "X-Correlation-Id")), 16);
    (void)snprintf(headers, sizeof headers, "X-Correlation-Id: %064d\r\n", 1);
    ask("GET", "/nothing", headers, NULL);
    toy_refused(&a, 404, "NotFound", NULL);
    assert_int_equal(strlen(toy_header(&a, "X-Correlation-Id")), 64);
}

static void tags_save_the_way(void **state)
{
    (void)state;
    toy_start(&t);
    static const char *const targets[] = {"/v1/books", "/v1/books/page", "/openapi.json"};
    for (size_t i = 0; i < 3; i++) {
        ask("GET", targets[i], NULL, NULL);
        assert_int_equal(a.status, 200);
        char tag[64];
        (void)snprintf(tag, sizeof tag, "%s", toy_header(&a, "ETag"));
        char headers[256];
        static const char *const forms[] = {"%s", "W/%s", "\"other\", %s", "%s, \"other\""};
        for (size_t k = 0; k < 4; k++) {
            (void)snprintf(headers, sizeof headers, "If-None-Match: ");
            const size_t at = strlen(headers);
            const char *form = forms[k];
            const char *hole = strstr(form, "%s");
            (void)snprintf(headers + at, sizeof headers - at, "%.*s%s%s\r\n", (int)(hole - form),
                           form, tag, hole + 2);
            ask("GET", targets[i], headers, NULL);
            assert_int_equal(a.status, 304);
            assert_int_equal(a.body_len, 0);
            assert_true(has_header("ETag", tag));
        }
        ask("GET", targets[i], "If-None-Match: *\r\n", NULL);
        assert_int_equal(a.status, 304);
        ask("GET", targets[i], "If-None-Match: \"00000000000000000000000000000000\"\r\n", NULL);
        assert_int_equal(a.status, 200);
    }
    ask("GET", "/healthz", NULL, NULL);
    assert_false(has_header("ETag", NULL));
    assert_true(has_header("Cache-Control", "no-store"));
}

static void gzip_is_given_to_those_who_take_it(void **state)
{
    (void)state;
    t.books = 60;
    toy_start(&t);
    static const char *const targets[] = {"/v1/books", "/v1/books/page"};
    for (size_t i = 0; i < 2; i++) {
        ask("GET", targets[i], NULL, NULL);
        assert_false(has_header("Content-Encoding", NULL));
        char plain_tag[64];
        (void)snprintf(plain_tag, sizeof plain_tag, "%s", toy_header(&a, "ETag"));
        tl_str plain;
        assert_int_equal(tl_str_copy(&plain, t.arena, (tl_str){a.body, a.body_len}, NULL), TL_OK);
        ask("GET", targets[i], "Accept-Encoding: br, gzip;q=0.5\r\n", NULL);
        assert_true(has_header("Content-Encoding", "gzip"));
        assert_non_null(strstr(toy_header(&a, "Vary"), "Accept-Encoding"));
        assert_false(has_header("ETag", plain_tag));
        tl_str back;
        assert_int_equal(tl_sys_gunzip(&back, t.arena, (tl_str){a.body, a.body_len}, 1 << 20, NULL),
                         TL_OK);
        assert_true(tl_str_eq(back, plain));
        char headers[160];
        (void)snprintf(headers, sizeof headers, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n",
                       toy_header(&a, "ETag"));
        ask("GET", targets[i], headers, NULL);
        assert_int_equal(a.status, 304);
        assert_false(has_header("Content-Encoding", NULL));
        static const char *const refusing[] = {
            "gzip;q=0", "gzip; q=0.000, *", "identity", "", "*;q=0", "br"};
        for (size_t k = 0; k < sizeof refusing / sizeof refusing[0]; k++) {
            (void)snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", refusing[k]);
            ask("GET", targets[i], headers, NULL);
            assert_false(has_header("Content-Encoding", NULL));
        }
        ask("GET", targets[i], "Accept-Encoding: *\r\n", NULL);
        assert_true(has_header("Content-Encoding", "gzip"));
    }
    ask("GET", "/healthz", "Accept-Encoding: gzip\r\n", NULL); /* too short */
    assert_false(has_header("Content-Encoding", NULL));
}

static void origins_are_those_of_the_configuration(void **state)
{
    (void)state;
    static const char *const origins[] = {"https://a.example", "https://b.example"};
    t.settings.cors = origins;
    t.settings.cors_count = 2;
    toy_start(&t);
    ask("GET", "/healthz", "Origin: https://b.example\r\n", NULL);
    assert_true(has_header("Access-Control-Allow-Origin", "https://b.example"));
    assert_non_null(strstr(toy_header(&a, "Vary"), "Origin"));
    ask("GET", "/healthz", "Origin: https://evil.example\r\n", NULL);
    assert_int_equal(a.status, 200);
    assert_false(has_header("Access-Control-Allow-Origin", NULL));
    ask("OPTIONS", "/v1/books",
        "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n", NULL);
    assert_int_equal(a.status, 204);
    assert_non_null(strstr(toy_header(&a, "Access-Control-Allow-Methods"), "POST"));
    assert_non_null(strstr(toy_header(&a, "Access-Control-Allow-Headers"), "X-API-Key"));
    ask("GET", "/v1/none", "Origin: https://a.example\r\n", NULL);
    assert_true(has_header("Access-Control-Allow-Origin", "https://a.example"));
}

/* --- uploads --- */

static void uploads_go_to_a_file(void **state)
{
    (void)state;
    toy_start(&t);
    static char body[250001];
    memset(body, 3, sizeof body - 1);
    ask("POST", "/v1/upload", "Content-Type: multipart/form-data; boundary=x\r\n", body);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"len\":250000,\"sum\":750000}");
    static char large[300002];
    memset(large, 3, sizeof large - 1);
    ask("POST", "/v1/upload", "Content-Type: multipart/form-data; boundary=x\r\n", large);
    toy_refused(&a, 413, "TooLarge", NULL);
    const int handled = t.handled;
    assert_int_equal(handled, 1);
}

/* --- handlers that misbehave --- */

static void what_a_handler_does_wrong_stays_inside(void **state)
{
    (void)state;
    toy_start(&t);
    static const struct {
        const char *how;
        int status;
        const char *code;
        const char *field;
    } cases[] = {
        {"status", 500, "Internal", NULL}, /* API-2 */
        {"schema", 500, "Internal", NULL},       {"store", 503, "Busy", NULL},
        {"bug", 500, "Internal", NULL},          {"silence", 500, "Internal", NULL},
        {"input", 400, "InvalidRequest", "how"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[64];
        (void)snprintf(target, sizeof target, "/v1/bad?how=%s", cases[i].how);
        ask("GET", target, NULL, NULL);
        toy_refused(&a, cases[i].status, cases[i].code, cases[i].field);
        assert_null(strstr(a.text, "hunter2"));
    }
    assert_true(tl_api_has_status(t.api, "misbehave", 200));
    assert_false(tl_api_has_status(t.api, "misbehave", 418));
    tl_api_stop(t.api);
    assert_non_null(strstr(t.lines, "a status that the route does not name"));
    assert_non_null(strstr(t.lines, "an answer does not hold to its schema"));
}

/* Does the service's own count say so? Asked from inside: its workers are busy. */
static bool says(const char *line)
{
    const tl_arena_mark mark = tl_arena_get_mark(t.arena);
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, t.arena);
    tl_metrics_print(&sb, tl_api_metrics(t.api));
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    const bool is_there = strstr(text.ptr, line) != NULL;
    tl_arena_rewind(t.arena, mark);
    return is_there;
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    enum { WORKERS = 2, WAITING = 3 };
    t.settings.waiting_max = WAITING;
    t.is_held = true;
    toy_start(&t);
    static const char request[] = "GET /v1/held HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n";
    int fds[WORKERS + WAITING];
    for (size_t i = 0; i < WORKERS + WAITING; i++) {
        fds[i] = toy_connect(&t);
        toy_send(fds[i], request, sizeof request - 1);
        while (i == WORKERS - 1 && t.holding < WORKERS) {
            (void)usleep(1000);
        }
    }
    while (!says("tally_http_queue_depth 3\n")) {
        (void)usleep(1000);
    }
    ask("GET", "/v1/held", NULL, NULL);
    toy_refused(&a, 503, "Busy", NULL); /* API-5 */
    assert_true(has_header("Retry-After", NULL));
    ask("GET", "/healthz", NULL, NULL); /* the loop lives */
    assert_int_equal(a.status, 200);
    (void)close(fds[0]); /* its peer leaves while a worker has it */
    (void)close(fds[WORKERS]);
    t.is_held = false;
    for (size_t i = 1; i < WORKERS + WAITING; i++) {
        if (i != WORKERS) {
            toy_receive(fds[i], &a);
            assert_int_equal(a.status, 200);
            (void)close(fds[i]);
        }
    }
}

static void a_call_has_a_time(void **state)
{
    (void)state;
    t.settings.call_timeout_ms = 150;
    t.is_held = true;
    toy_start(&t);
    ask("GET", "/v1/held", NULL, NULL);
    toy_refused(&a, 503, "Busy", NULL);
    t.is_held = false;
}

/* --- health --- */

static void health_tells_alive_from_ready(void **state)
{
    (void)state;
    toy_start(&t);
    static const char *const alive[] = {"/healthz", "/health", "/healthcheck"};
    for (size_t i = 0; i < 3; i++) {
        ask("GET", alive[i], NULL, NULL);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, "{\"status\":\"ok\"}");
    }
    ask("GET", "/readyz", NULL, NULL);
    assert_int_equal(a.status, 200);
    t.is_ready = false;
    ask("GET", "/readyz", NULL, NULL);
    toy_refused(&a, 503, "Busy", NULL);
    assert_non_null(strstr(a.body, "The books are wet"));
    ask("GET", "/healthz", NULL, NULL);
    assert_int_equal(a.status, 200);
}

static void metrics_and_lines_tell_of_each_request(void **state)
{
    (void)state;
    toy_start(&t);
    ask("GET", "/v1/books?limit=1", "X-Correlation-Id: trace-me\r\n", NULL);
    ask("GET", "/v1/books?limit=0", NULL, NULL);
    ask("WEIRD", "/v1/books", NULL, NULL);
    ask("GET", "/metrics", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(
        strstr(a.body,
               "tally_http_requests_total{route=\"listBooks\",method=\"GET\",status=\"200\"} 1\n"));
    assert_non_null(strstr(a.body, "tally_http_refusals_total{code=\"InvalidRequest\"} 1\n"));
    assert_non_null(strstr(a.body, "tally_http_request_seconds_count{route=\"listBooks\"} 2\n"));
    assert_non_null(strstr(a.body, "tally_http_workers_busy 1\n"));
    tl_api_stop(t.api);
    const char *line = strstr(t.lines, "\"correlation_id\":\"trace-me\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"status\":200"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0) { /* for clients from outside */
        toy_begin(&t);
        t.settings.port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 0);
        toy_start(&t);
        (void)printf("http://127.0.0.1:%u\n", tl_api_port(t.api));
        (void)fflush(stdout);
        (void)getchar();
        toy_end(&t);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        T(paths_and_methods_are_the_tables),
        T(parameters_hold_to_their_schemas),
        T(bodies_hold_to_their_schemas),
        T(media_types_are_told_apart),
        T(signatures_are_asked_for_and_count_once),
        T(members_and_validators_are_told_apart),
        T(a_hotkey_speaks_for_itself_alone),
        T(roles_are_ordered),
        T(limits_by_caller_are_exact),
        T(a_factor_widens_limits_by_caller),
        T(limits_by_address_spare_loopback_unless_told),
        T(guessers_are_shut_out),
        T(bodies_have_a_length),
        T(proxies_are_believed_when_they_are_trusted),
        T(correlation_ids_are_kept_or_made),
        T(tags_save_the_way),
        T(gzip_is_given_to_those_who_take_it),
        T(origins_are_those_of_the_configuration),
        T(uploads_go_to_a_file),
        T(what_a_handler_does_wrong_stays_inside),
        T(a_full_queue_says_so),
        T(a_call_has_a_time),
        T(health_tells_alive_from_ready),
        T(metrics_and_lines_tell_of_each_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
