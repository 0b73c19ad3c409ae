/* Attacks the signing: AWS's own published figures, queries and headers in every order, texts and times that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"
#include "io/sigv4/sigv4.h"
#include "io/sys/sys.h"

static tl_str text_of(const tl_json *object, const char *key)
{
    tl_str out;
    assert_int_equal(tl_json_want_str(&out, object, key, NULL), TL_OK);
    return out;
}

static const tl_json *golden(tl_arena *arena, const char *list)
{
    tl_str text;
    const tl_json *doc;
    assert_int_equal(tl_sys_read_file(&text, arena,
                                      TL_SOURCE_ROOT "/src/io/sigv4/test/golden/aws.json", 1 << 20,
                                      NULL),
                     TL_OK);
    assert_int_equal(tl_json_parse(&doc, arena, text, NULL, NULL), TL_OK);
    const tl_json *items = tl_json_get(doc, list);
    assert_non_null(items);
    assert_true(items->count > 0);
    return items;
}

static int64_t read_case(tl_sigv4_keys *keys, tl_sigv4_request *request, tl_http_header *headers,
                         const tl_json *item)
{
    *keys = (tl_sigv4_keys){text_of(item, "access_key"), text_of(item, "secret_key"),
                            text_of(item, "region"), text_of(item, "service")};
    const tl_json *list = tl_json_get(item, "headers");
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        headers[i] = (tl_http_header){list->items[i].items[0].text, list->items[i].items[1].text};
    }
    if (list != NULL) {
        *request = (tl_sigv4_request){.method = text_of(item, "method"),
                                      .path = text_of(item, "path"),
                                      .query = text_of(item, "query"),
                                      .headers = {headers, list->count},
                                      .payload_hash = text_of(item, "payload_hash")};
    }
    int64_t time_s;
    assert_true(tl_sigv4_parse_time(&time_s, text_of(item, "time")));
    return time_s;
}

static void published_signatures_are_ours(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const tl_json *items = golden(arena, "requests");
    for (uint32_t i = 0; i < items->count; i++) {
        const tl_json *item = &items->items[i];
        tl_sigv4_keys keys;
        tl_sigv4_request request;
        tl_http_header headers[16];
        tl_str out;
        const int64_t time_s = read_case(&keys, &request, headers, item);
        assert_int_equal(tl_sigv4_authorize(&out, arena, &keys, &request, time_s, NULL), TL_OK);
        assert_true(out.len > 64);
        const tl_str signature = tl_str_slice(out, out.len - 64, out.len);
        assert_memory_equal(signature.ptr, text_of(item, "signature").ptr, 64);
        assert_null(
            memmem(out.ptr, out.len, keys.secret_key.ptr, keys.secret_key.len)); /* SIGV4-2 */

        /* SIGV4-1: another order, another case of names. */
        for (size_t a = 0, b = request.headers.count - 1; a < b; a++, b--) {
            const tl_http_header swapped = headers[a];
            headers[a] = headers[b];
            headers[b] = swapped;
        }
        tl_str again;
        assert_int_equal(tl_sigv4_authorize(&again, arena, &keys, &request, time_s, NULL), TL_OK);
        assert_true(tl_str_eq(out, again));
    }
    tl_arena_free(arena);
}

static void published_urls_and_policies_are_ours(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_sigv4_keys keys;
    tl_sigv4_request request;
    tl_http_header headers[16];
    const tl_json *item = &golden(arena, "presigned")->items[0];
    int64_t time_s = read_case(&keys, &request, headers, item);
    tl_str query;
    assert_int_equal(tl_sigv4_presign(&query, arena, &keys, &request, time_s, 86400, NULL), TL_OK);
    assert_true(tl_str_ends_with(query, text_of(item, "signature")));
    assert_true(tl_str_starts_with(
        query, TL_STR("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
                      "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
                      "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=")));
    item = &golden(arena, "policies")->items[0];
    time_s = read_case(&keys, &request, headers, item);
    char signature[TL_SIGV4_SIGNATURE_LEN + 1];
    assert_int_equal(tl_sigv4_sign_policy(signature, &keys, text_of(item, "policy"), time_s, NULL),
                     TL_OK);
    assert_true(tl_str_eq_cstr(text_of(item, "signature"), signature));
    tl_arena_free(arena);
}

static void a_query_is_sorted_by_name_then_value(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    static const char *const orders[] = {"a=1&a=2&a-b=0&b&aa=", "b&aa=&a=2&a-b=0&a=1",
                                         "&aa&b=&a-b=0&a=1&&a=2&"};
    const tl_http_header headers[] = {{TL_STR("Host"), TL_STR("h")}};
    const tl_sigv4_keys keys = {TL_STR("A"), TL_STR("S"), TL_STR("r"), TL_STR("s3")};
    tl_str first = {0};
    for (size_t i = 0; i < 3; i++) {
        const tl_sigv4_request request = {TL_STR("GET"),
                                          TL_STR("/b"),
                                          tl_str_from_cstr(orders[i]),
                                          {headers, 1},
                                          TL_SIGV4_UNSIGNED};
        tl_str out;
        assert_int_equal(tl_sigv4_authorize(&out, arena, &keys, &request, 0, NULL), TL_OK);
        assert_true(i == 0 || tl_str_eq(first, out));
        first = out;
    }
    tl_arena_free(arena);
}

static void what_cannot_be_signed_is_refused(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sigv4_keys keys = {TL_STR("A"), TL_STR("S"), TL_STR("r"), TL_STR("s3")};
    tl_http_header headers[TL_SIGV4_HEADERS_MAX + 1] = {{TL_STR("Host"), TL_STR("h")},
                                                        {TL_STR("host"), TL_STR("i")}};
    tl_sigv4_request request = {TL_STR("GET"), TL_STR("/"), {0}, {headers, 2}, TL_SIGV4_UNSIGNED};
    tl_str out;
    assert_int_equal(tl_sigv4_authorize(&out, arena, &keys, &request, 0, &ctx), TL_ERR_DUPLICATE);
    request.headers.count = TL_SIGV4_HEADERS_MAX + 1;
    assert_int_equal(tl_sigv4_authorize(&out, arena, &keys, &request, 0, &ctx), TL_ERR_LIMIT);
    request.headers.count = 1;
    char query[3 * TL_SIGV4_QUERY_MAX + 8];
    for (size_t i = 0; i < TL_SIGV4_QUERY_MAX + 1; i++) {
        memcpy(query + 2 * i, "a&", 2);
    }
    request.query = (tl_str){query, 2 * (TL_SIGV4_QUERY_MAX + 1)};
    assert_int_equal(tl_sigv4_authorize(&out, arena, &keys, &request, 0, &ctx), TL_ERR_LIMIT);
    request.query = (tl_str){0};
    assert_int_equal(tl_sigv4_presign(&out, arena, &keys, &request, 0, 0, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_sigv4_presign(&out, arena, &keys, &request, 0, 604801, &ctx), TL_ERR_RANGE);
    char secret[TL_SIGV4_SECRET_LEN_MAX + 1];
    memset(secret, 's', sizeof secret);
    keys.secret_key = (tl_str){secret, sizeof secret};
    assert_int_equal(tl_sigv4_presign(&out, arena, &keys, &request, 0, 60, &ctx), TL_ERR_LIMIT);
    assert_null(strstr(ctx.message, "sss"));
    tl_arena_free(arena);
}

static void texts_come_back_and_bad_ones_do_not(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    char all[255];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (char)(i + 1);
    }
    for (int keep = 0; keep < 2; keep++) {
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sigv4_encode(&sb, (tl_str){all, sizeof all}, keep == 1);
        tl_str encoded;
        tl_str back;
        assert_int_equal(tl_sb_finish(&encoded, &sb, NULL), TL_OK);
        assert_int_equal(tl_sigv4_decode(&back, arena, encoded, NULL), TL_OK);
        assert_true(tl_str_eq(back, (tl_str){all, sizeof all}));
        assert_int_equal(tl_str_find(encoded, '/') < encoded.len, keep);
    }
    static const char *const bad[] = {"%", "a%2", "%zz", "%0", "%00", "%2", "a%"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tl_str out;
        assert_int_equal(tl_sigv4_decode(&out, arena, tl_str_from_cstr(bad[i]), NULL),
                         TL_ERR_SYNTAX);
    }
    char text[TL_SIGV4_TIME_CAP];
    static const int64_t times[] = {0, 951782399, 951782400, 1709164800, 4102444800, 253402300799};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t back = -1;
        tl_sigv4_time(text, times[i]);
        assert_true(tl_sigv4_parse_time(&back, tl_str_from_cstr(text)));
        assert_true(back == times[i]);
    }
    static const char *const no_times[] = {"",
                                           "20130524T000000",
                                           "20130230T000000Z",
                                           "20131301T000000Z",
                                           "20130524T250000Z",
                                           "2013-05-24T00:00Z",
                                           "20130524t000000Z"};
    for (size_t i = 0; i < sizeof no_times / sizeof no_times[0]; i++) {
        int64_t out;
        assert_false(tl_sigv4_parse_time(&out, tl_str_from_cstr(no_times[i])));
    }
    assert_true(tl_sigv4_same(TL_STR("abc"), TL_STR("abc")));
    assert_false(tl_sigv4_same(TL_STR("abc"), TL_STR("abd")));
    assert_false(tl_sigv4_same(TL_STR("abc"), TL_STR("ab")));
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_are_ours),
        cmocka_unit_test(published_urls_and_policies_are_ours),
        cmocka_unit_test(a_query_is_sorted_by_name_then_value),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
        cmocka_unit_test(texts_come_back_and_bad_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
