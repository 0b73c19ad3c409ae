#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/auth/test/support.h"

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"

tl_arena *test_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, TL_ARENA_LIMIT_DEFAULT, NULL, NULL), TL_OK);
    return arena;
}

const tl_json *test_golden(tl_arena *arena, const char *name)
{
    char path[512];
    tl_str_print(path, sizeof path, TL_SOURCE_ROOT "/src/sdk/auth/test/golden/%s", name);
    tl_str text;
    const tl_json *tree = NULL;
    assert_int_equal(tl_sys_read_file(&text, arena, path, 1 << 20, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&tree, arena, text, NULL, NULL), TL_OK);
    return tree;
}

tl_str test_text(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    return value != NULL && value->kind == TL_JSON_STRING ? value->text : TL_STR("");
}

int64_t test_i64(const tl_json *object, const char *key)
{
    int64_t value = 0;
    assert_true(tl_str_parse_i64(&value, test_text(object, key)));
    return value;
}

tl_bytes test_hex(tl_arena *arena, tl_str hex)
{
    tl_bytes bytes;
    assert_int_equal(tl_hex_decode_bytes(&bytes, arena, hex, NULL), TL_OK);
    return bytes;
}

tl_http_headers test_headers(tl_arena *arena, const tl_json *value)
{
    tl_http_header *at = TL_NEW(arena, tl_http_header, value->count);
    assert_non_null(at);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->kind == TL_JSON_OBJECT) {
            at[i] = (tl_http_header){value->members[i].key, value->members[i].value.text};
        } else {
            assert_int_equal(value->items[i].count, 2);
            at[i] = (tl_http_header){value->items[i].items[0].text, value->items[i].items[1].text};
        }
    }
    return (tl_http_headers){at, value->count};
}

tl_keypair *test_pair(const char *uri, const tl_scheme *scheme)
{
    tl_keypair *pair = NULL;
    assert_int_equal(tl_keypair_from_uri(&pair, scheme, tl_str_from_cstr(uri), NULL), TL_OK);
    return pair;
}

static tl_err fill_zero(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    memset(out, 0, len);
    return TL_OK;
}

tl_entropy test_zero_entropy(void)
{
    return (tl_entropy){NULL, fill_zero};
}

tl_auth_verdict test_judge(tl_arena *arena, const tl_auth_family *family,
                           const tl_auth_request *request, tl_bytes body,
                           const tl_auth_rules *rules, int64_t now_ns, tl_auth_claim *out_claim)
{
    tl_auth_claim claim;
    tl_auth_verdict verdict;
    assert_int_equal(
        tl_auth_check_head(&claim, &verdict, arena, family, request, rules, now_ns, NULL), TL_OK);
    if (verdict.kind != TL_AUTH_OK) {
        return verdict;
    }
    tl_hash32 hash;
    tl_sha256(&hash, body.ptr, body.len);
    tl_bytes message;
    assert_int_equal(tl_auth_message(&message, arena, &claim, &hash, NULL), TL_OK);
    assert_int_equal(tl_auth_verify(&verdict, arena, &claim, message, NULL), TL_OK);
    if (out_claim != NULL) {
        *out_claim = claim;
    }
    return verdict;
}
