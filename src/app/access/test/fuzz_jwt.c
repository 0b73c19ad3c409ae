/* Attacks the reader of tokens. An input without a NUL is a token as it comes; one with a NUL is header and claims, which are
 * then signed with the right key, so that what lies behind the signature is met too. Nothing may crash; whatever counts has
 * HS256 in its header, a role of ours, and times around now. */
#include <sodium.h>
#include <string.h>

#include "app/access/access_internal.h"
#include "base/json/json.h"
#include "io/sys/sys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW_S INT64_C(1800000000)

static tl_str sign(const tl_access *access, tl_arena *arena, tl_str header, tl_str claims)
{
    tl_sb sb;
    tl_str text;
    uint8_t tag[32];
    tl_sb_init(&sb, arena);
    tl__base64url_put(&sb, header.ptr, header.len);
    tl_sb_put_char(&sb, '.');
    tl__base64url_put(&sb, claims.ptr, claims.len);
    TL_ASSERT(tl_sb_finish(&text, &sb, NULL) == TL_OK);
    crypto_auth_hmacsha256(tag, (const unsigned char *)text.ptr, text.len, access->secret);
    tl_sb_put_char(&sb, '.');
    tl__base64url_put(&sb, tag, sizeof tag);
    TL_ASSERT(tl_sb_finish(&text, &sb, NULL) == TL_OK);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static tl_access access;
    static tl_manual_clock clock;
    access.clock = tl_manual_clock_start(&clock, NOW_S * INT64_C(1000000000));
    access.entropy = tl_sys_entropy();
    memset(access.secret, 7, sizeof access.secret);
    tl_arena *arena;
    TL_ASSERT(tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK);
    const tl_str input = {(const char *)data, len};
    const size_t nul = tl_str_find(input, '\0');
    const tl_str header = tl_str_slice(input, 0, nul);
    const tl_str claims = tl_str_slice(input, nul + 1, len);
    const bool is_forged = nul < len;
    const tl_str token = is_forged ? sign(&access, arena, header, claims) : input;
    tl_api_caller caller = {.role = TL_API_ROLE_NONE};
    const tl_err err = tl_access_check_token(&access, &caller, token, NULL);
    TL_ASSERT(err == TL_OK || err == TL_ERR_REFUSED);
    TL_ASSERT((err == TL_OK) == (caller.role != TL_API_ROLE_NONE));
    if (err == TL_OK) {
        const tl_json *json;
        int64_t expires_s;
        tl_str algorithm;
        TL_ASSERT(is_forged); /* nobody guesses an HMAC */
        TL_ASSERT(tl_json_parse(&json, arena, header, NULL, NULL) == TL_OK);
        TL_ASSERT(tl_json_want_str(&algorithm, json, "alg", NULL) == TL_OK);
        TL_ASSERT(tl_str_eq(algorithm, TL_STR("HS256"))); /* ACCESS-1 */
        TL_ASSERT(tl_json_parse(&json, arena, claims, NULL, NULL) == TL_OK);
        TL_ASSERT(tl_json_want_i64(&expires_s, json, "exp", NULL) == TL_OK);
        TL_ASSERT(expires_s > NOW_S - TL_ACCESS_SKEW_S); /* ACCESS-2 */
    }
    tl_arena_free(arena);
    return 0;
}
