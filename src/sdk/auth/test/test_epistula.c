/* Attacks Epistula v2: the vectors of the wire spec, each header missing, odd or twice, the window's two ends, uuids of every
 * length, another's secret signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/auth/test/support.h"

#include "core/crypto/hash/hash.h"

#define MS  INT64_C(1752076800000)
#define NOW (MS * 1000000)

static const tl_auth_family *epistula(void)
{
    return tl_auth_family_at(TL_AUTH_EPISTULA);
}

static const tl_json *vector(tl_arena *arena, uint32_t index)
{
    const tl_json *group = tl_json_get(test_golden(arena, "epistula.json"), "epistula");
    assert_int_equal(group->count, 3);
    return &group->items[index];
}

/* The request that a vector describes. */
static tl_http_headers headers_of(tl_arena *arena, const tl_json *c)
{
    tl_http_header *at = TL_NEW(arena, tl_http_header, 8);
    size_t n = 0;
    at[n++] = (tl_http_header){TL_STR("Epistula-Version"), TL_STR("2")};
    at[n++] = (tl_http_header){TL_STR("Epistula-Timestamp"), test_text(c, "timestamp")};
    at[n++] = (tl_http_header){TL_STR("Epistula-Uuid"), test_text(c, "uuid")};
    at[n++] = (tl_http_header){TL_STR("Epistula-Signed-By"), test_text(c, "signed_by")};
    at[n++] = (tl_http_header){TL_STR("Epistula-Request-Signature"), test_text(c, "signature")};
    if (test_text(c, "signed_for").len > 0) {
        at[n++] = (tl_http_header){TL_STR("Epistula-Signed-For"), test_text(c, "signed_for")};
    }
    return (tl_http_headers){at, n};
}

static tl_auth_verdict judge(tl_arena *arena, const tl_json *c, tl_http_headers headers,
                             const tl_auth_rules *rules, int64_t now_ns, tl_auth_claim *claim)
{
    const tl_auth_request request = {TL_STR("POST"), TL_STR("/any?thing"), headers};
    return test_judge(arena, epistula(), &request, test_hex(arena, test_text(c, "body")), rules,
                      now_ns, claim);
}

static void the_bound_request_of_the_spec_passes_in_both_modes(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 0);
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(BOB));
    for (int is_compat = 0; is_compat < 2; is_compat++) {
        rules.is_compat = is_compat != 0;
        tl_auth_claim claim;
        assert_kind(judge(arena, c, headers_of(arena, c), &rules, NOW, &claim), TL_AUTH_OK);
        const tl_bytes body = test_hex(arena, test_text(c, "body"));
        tl_hash32 hash;
        tl_sha256(&hash, body.ptr, body.len);
        tl_bytes message;
        assert_int_equal(tl_auth_message(&message, arena, &claim, &hash, NULL), TL_OK);
        const tl_str want = test_text(c, "message");
        assert_int_equal(message.len, want.len);
        assert_memory_equal(message.ptr, want.ptr, want.len);
        assert_int_equal(claim.mark.rule, TL_AUTH_ONCE_UUID);
        assert_int_equal(claim.mark.keep_until_ns, NOW + 8000000000); /* AUTH-4 */
    }
    tl_arena_free(arena);
}

static void a_request_for_nobody_passes_only_where_the_receiver_is_waived(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 1);
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(BOB));
    assert_kind(judge(arena, c, headers_of(arena, c), &rules, NOW, NULL), TL_AUTH_RECEIVER);
    rules.is_receiver_waived = true;
    assert_kind(judge(arena, c, headers_of(arena, c), &rules, NOW, NULL), TL_AUTH_OK);
    rules.self_ss58 = TL_STR(ALICE); /* waived or not: what is bound to another is another's */
    assert_kind(
        judge(arena, vector(arena, 0), headers_of(arena, vector(arena, 0)), &rules, NOW, NULL),
        TL_AUTH_RECEIVER);
    tl_arena_free(arena);
}

static void the_obsolete_first_version_is_not_served(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 2);
    const tl_http_header at[] = {{TL_STR("Body-Signature"), test_text(c, "signature")}};
    bool is_ambiguous;
    assert_null(tl_auth_detect(&is_ambiguous, (tl_http_headers){at, 1}));
    tl_arena_free(arena);
}

static void the_window_is_eight_seconds_back_and_two_ahead_ends_included(void **state)
{
    (void)state;
    static const struct {
        int64_t off_ns;
        tl_auth_class kind;
    } cases[] = {{8000000000, TL_AUTH_OK},
                 {8000000001, TL_AUTH_STALE},
                 {-2000000000, TL_AUTH_OK},
                 {-2000000001, TL_AUTH_STALE}};
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 0);
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(BOB));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_kind(judge(arena, c, headers_of(arena, c), &rules, NOW + cases[i].off_ns, NULL),
                    cases[i].kind);
    }
    tl_arena_free(arena);
}

static void each_header_is_needed_once_and_in_form(void **state)
{
    (void)state; /* AUTH-2, AUTH-3 */
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 0);
    const tl_http_headers good = headers_of(arena, c);
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(BOB));
    static const struct {
        size_t index;
        const char *value;
        tl_auth_class kind;
    } odd[] = {
        {0, "1", TL_AUTH_MALFORMED},
        {0, "2 ", TL_AUTH_MALFORMED},
        {1, "01752076800000", TL_AUTH_MALFORMED},
        {1, "+1752076800000", TL_AUTH_MALFORMED},
        {1, "1752076800000.0", TL_AUTH_MALFORMED},
        {1, "", TL_AUTH_MALFORMED},
        {1, "99999999999999999999999999999999999999", TL_AUTH_STALE},
        {1, "9999999999999999999999999999999999999999", TL_AUTH_MALFORMED},
        {1, "9223372036854775807", TL_AUTH_STALE},
        {1, "0", TL_AUTH_STALE},
        {2, "", TL_AUTH_MALFORMED},
        {2, "a b", TL_AUTH_MALFORMED},
        {2, "\xc3\xa9", TL_AUTH_MALFORMED},
        {2, "other", TL_AUTH_SIGNATURE},
        {3, "", TL_AUTH_MALFORMED},
        {3, "5Grwva", TL_AUTH_MALFORMED},
        {3, BOB, TL_AUTH_SIGNATURE},
        {4, "", TL_AUTH_MALFORMED},
        {4, "0x", TL_AUTH_MALFORMED},
        {4, "0x00", TL_AUTH_MALFORMED},
        {4, "0xzz", TL_AUTH_MALFORMED},
        {5, "", TL_AUTH_RECEIVER},
        {5, ALICE, TL_AUTH_RECEIVER},
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        tl_http_header all[8];
        memcpy(all, good.at, good.count * sizeof *all);
        all[odd[i].index].value = tl_str_from_cstr(odd[i].value);
        assert_kind(judge(arena, c, (tl_http_headers){all, good.count}, &rules, NOW, NULL),
                    odd[i].kind);
    }
    for (size_t i = 0; i < good.count; i++) {
        tl_http_header all[8];
        memcpy(all, good.at, good.count * sizeof *all);
        all[good.count] = good.at[i];
        for (int is_compat = 0; is_compat < 2; is_compat++) {
            rules.is_compat = is_compat != 0;
            assert_kind(judge(arena, c, (tl_http_headers){all, good.count + 1}, &rules, NOW, NULL),
                        TL_AUTH_MALFORMED);
        }
        rules.is_compat = false;
        all[i] = (tl_http_header){TL_STR("x"), TL_STR("y")};
        assert_kind(judge(arena, c, (tl_http_headers){all, good.count}, &rules, NOW, NULL),
                    i == 5 ? TL_AUTH_RECEIVER : TL_AUTH_MALFORMED);
    }
    tl_arena_free(arena);
}

static void the_version_is_read_by_default_and_not_in_compat(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 0);
    const tl_http_headers good = headers_of(arena, c);
    const tl_http_headers without = {good.at + 1, good.count - 1};
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(BOB));
    assert_kind(judge(arena, c, without, &rules, NOW, NULL), TL_AUTH_MALFORMED);
    rules.is_compat = true;
    assert_kind(judge(arena, c, without, &rules, NOW, NULL), TL_AUTH_OK);
    tl_arena_free(arena);
}

/* The header of that name, or the empty text. */
static tl_str value_of(tl_http_headers headers, const char *name)
{
    const tl_http_header *h = tl_http_find(headers, tl_str_from_cstr(name));
    return h != NULL ? h->value : TL_STR("");
}

static void what_we_sign_is_what_the_spec_signs(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = vector(arena, 0);
    tl_keypair *alice = test_pair("//Alice", tl_scheme_sr25519());
    const tl_entropy zero = test_zero_entropy();
    const tl_bytes body = test_hex(arena, test_text(c, "body"));
    tl_auth_outgoing what = {.receiver = TL_STR(BOB),
                             .now_ns = NOW + 999999, /* cut to whole milliseconds */
                             .uuid = test_text(c, "uuid")};
    tl_sha256(&what.body_sha256, body.ptr, body.len);
    tl_http_headers out;
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), alice, &what, &zero, NULL), TL_OK);
    assert_int_equal(out.count, 9);
    assert_true(tl_str_eq(value_of(out, "Epistula-Request-Signature"), test_text(c, "signature")));
    assert_true(tl_str_eq(value_of(out, "Epistula-Timestamp"), test_text(c, "timestamp")));
    const tl_json *secrets = tl_json_get(c, "secrets");
    assert_int_equal(secrets->count, 3);
    static const char *const names[] = {"Epistula-Secret-Signature-0",
                                        "Epistula-Secret-Signature-1",
                                        "Epistula-Secret-Signature-2"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(tl_str_eq(value_of(out, names[i]), test_text(&secrets->items[i], "signature")));
    }
    what.receiver = TL_STR("");
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), alice, &what, &zero, NULL), TL_OK);
    assert_int_equal(out.count, 5);
    assert_true(tl_str_eq(value_of(out, "Epistula-Request-Signature"),
                          test_text(vector(arena, 1), "signature")));
    tl_keypair_free(alice);
    tl_arena_free(arena);
}

static void a_signed_response_is_a_request_the_other_way_round(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    tl_keypair *bob = test_pair("//Bob", tl_scheme_sr25519());
    const tl_entropy zero = test_zero_entropy();
    tl_auth_outgoing what = {.receiver = TL_STR(ALICE), .now_ns = NOW, .omits_secrets = true};
    tl_sha256(&what.body_sha256, "answer", 6);
    tl_http_headers out;
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), bob, &what, &zero, NULL), TL_OK);
    assert_int_equal(out.count, 6);
    assert_int_equal(value_of(out, "Epistula-Uuid").len, 36);
    assert_int_equal(value_of(out, "Epistula-Uuid").ptr[14], '4');
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, TL_STR(ALICE));
    const tl_auth_request response = {TL_STR(""), TL_STR(""), out};
    tl_auth_claim claim;
    assert_kind(test_judge(arena, epistula(), &response, (tl_bytes){(const uint8_t *)"answer", 6},
                           &rules, NOW, &claim),
                TL_AUTH_OK);
    assert_memory_equal(claim.sender.b, tl_keypair_public(bob)->b, 32);
    tl_keypair_free(bob);
    tl_arena_free(arena);
}

static void only_sr25519_keys_sign(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    tl_keypair *pair = test_pair("//Alice", tl_scheme_ed25519());
    const tl_entropy zero = test_zero_entropy();
    const tl_auth_outgoing what = {.now_ns = NOW};
    tl_http_headers out;
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), pair, &what, &zero, NULL),
                     TL_ERR_REFUSED);
    const tl_auth_outgoing late = {.receiver = TL_STR(BOB), .nonce = TL_STR("9223372036854775807")};
    const tl_auth_outgoing odd = {.receiver = TL_STR(BOB), .now_ns = NOW, .uuid = TL_STR("a b")};
    tl_keypair *alice = test_pair("//Alice", tl_scheme_sr25519());
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), alice, &late, &zero, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_auth_sign(&out, arena, epistula(), alice, &odd, &zero, NULL),
                     TL_ERR_SYNTAX);
    tl_keypair_free(alice);
    tl_keypair_free(pair);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_request_of_the_spec_passes_in_both_modes),
        cmocka_unit_test(a_request_for_nobody_passes_only_where_the_receiver_is_waived),
        cmocka_unit_test(the_obsolete_first_version_is_not_served),
        cmocka_unit_test(the_window_is_eight_seconds_back_and_two_ahead_ends_included),
        cmocka_unit_test(each_header_is_needed_once_and_in_form),
        cmocka_unit_test(the_version_is_read_by_default_and_not_in_compat),
        cmocka_unit_test(what_we_sign_is_what_the_spec_signs),
        cmocka_unit_test(a_signed_response_is_a_request_the_other_way_round),
        cmocka_unit_test(only_sr25519_keys_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
