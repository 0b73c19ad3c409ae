/* What the tests of this room share: golden files, requests made from them, key pairs by URI. */
#ifndef TALLY_SDK_AUTH_TEST_SUPPORT_H
#define TALLY_SDK_AUTH_TEST_SUPPORT_H

#include "base/json/json.h"
#include "sdk/auth/auth.h"

#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB   "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

tl_arena *test_arena(void);

/* The tree of a file in this room's golden folder. */
const tl_json *test_golden(tl_arena *arena, const char *name);

/* A member's text; "" when it is absent or null. */
tl_str test_text(const tl_json *object, const char *key);
int64_t test_i64(const tl_json *object, const char *key); /* of a number in text */
tl_bytes test_hex(tl_arena *arena, tl_str hex);

/* Headers from an object or a list of pairs. */
tl_http_headers test_headers(tl_arena *arena, const tl_json *value);

tl_keypair *test_pair(const char *uri, const tl_scheme *scheme);
tl_entropy test_zero_entropy(void);

/* The whole way of one request, without a replay store; *out_claim may be NULL. */
tl_auth_verdict test_judge(tl_arena *arena, const tl_auth_family *family,
                           const tl_auth_request *request, tl_bytes body,
                           const tl_auth_rules *rules, int64_t now_ns, tl_auth_claim *out_claim);

#define assert_kind(verdict, expected)                                                             \
    assert_string_equal(tl_auth_class_name((verdict).kind), tl_auth_class_name(expected))

#endif
