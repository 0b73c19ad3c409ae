/* Attacks btauth/1 with every case of the wire spec's vectors, then with what they leave out: each header twice, targets in
 * other forms, figures at the ends of what is a number, pins, routes that speak other protocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/auth/test/support.h"

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "sdk/replay/replay.h"

static const tl_auth_family *btauth(void)
{
    return tl_auth_family_at(TL_AUTH_BTAUTH);
}

/* A case of the vectors as a request. */
static tl_auth_verdict judge_case(tl_arena *arena, const tl_json *c, bool is_compat,
                                  tl_auth_claim *claim)
{
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, test_text(c, "self"));
    rules.is_compat = is_compat;
    const tl_json *asks = tl_json_get(c, "require_receiver");
    rules.is_receiver_waived = asks != NULL && !asks->boolean;
    const tl_auth_request request = {test_text(c, "method"), test_text(c, "path"),
                                     test_headers(arena, tl_json_get(c, "headers"))};
    bool is_ambiguous;
    assert_ptr_equal(tl_auth_detect(&is_ambiguous, request.headers), btauth());
    return test_judge(arena, btauth(), &request, test_hex(arena, test_text(c, "body")), &rules,
                      test_i64(c, "now"), claim);
}

/* The same through a replay store, after the case that came before it. */
static tl_auth_verdict judge_after(tl_arena *arena, const tl_json *c)
{
    tl_replay *store;
    assert_int_equal(tl_replay_open_memory(&store, NULL, NULL), TL_OK);
    const tl_json *before = tl_json_get(c, "after");
    const tl_json *steps[] = {before != NULL ? before : c, c};
    tl_auth_verdict verdict = {TL_AUTH_OK, {NULL, 0}};
    for (size_t i = before != NULL ? 0 : 1; i < 2; i++) {
        tl_auth_claim claim;
        verdict = judge_case(arena, steps[i], false, &claim);
        if (verdict.kind == TL_AUTH_OK &&
            tl_replay_keep(store, &claim.mark, test_i64(steps[i], "now")) != TL_REPLAY_FRESH) {
            tl_auth_refuse_replayed(&verdict, claim.family);
        }
    }
    assert_int_equal(tl_replay_close(store, NULL), TL_OK);
    return verdict;
}

static void each_payload_of_the_spec_is_signed_byte_for_byte(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *group = tl_json_get(test_golden(arena, "btauth.json"), "btauth_payload");
    assert_int_equal(group->count, 8);
    for (uint32_t i = 0; i < group->count; i++) {
        const tl_json *c = &group->items[i];
        const tl_bytes body = test_hex(arena, test_text(c, "body"));
        const tl_scheme *scheme = tl_scheme_by_name(test_text(c, "scheme"));
        tl_hash32 hash;
        tl_sha256(&hash, body.ptr, body.len);
        tl_auth_claim claim = {.family = btauth(),
                               .scheme = scheme,
                               .sender_text = test_text(c, "sender"),
                               .receiver_text = test_text(c, "receiver"),
                               .nonce_text = test_text(c, "nonce"),
                               .method = test_text(c, "method"),
                               .target = test_text(c, "path")};
        if (tl_str_eq_cstr(claim.method, "post")) { /* upper case is what the head's check gives */
            claim.method = TL_STR("POST");
        }
        tl_bytes message;
        assert_int_equal(tl_auth_message(&message, arena, &claim, &hash, NULL), TL_OK);
        const tl_bytes want = test_hex(arena, test_text(c, "payload"));
        assert_int_equal(message.len, want.len);
        assert_memory_equal(message.ptr, want.ptr, want.len);
    }
    tl_arena_free(arena);
}

static void every_valid_request_of_the_spec_passes_in_both_modes(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *group = tl_json_get(test_golden(arena, "btauth.json"), "btauth_valid");
    assert_int_equal(group->count, 11);
    for (uint32_t i = 0; i < group->count; i++) {
        const tl_json *c = &group->items[i];
        print_message("# %.*s\n", TL_STR_ARG(test_text(c, "note")));
        for (int is_compat = 0; is_compat < 2; is_compat++) {
            tl_auth_claim claim;
            assert_kind(judge_case(arena, c, is_compat != 0, &claim), TL_AUTH_OK);
            const tl_json *caller = tl_json_get(c, "caller");
            assert_true(tl_str_eq(claim.sender_text, test_text(caller, "hotkey")));
            assert_true(tl_str_eq(claim.mark.id, test_text(caller, "nonce")));
            int64_t code;
            assert_int_equal(tl_json_want_i64(&code, caller, "crypto_type", NULL), TL_OK);
            assert_int_equal(claim.scheme->code, code);
            /* AUTH-4: ten seconds after its nonce it is stale, so until then it is remembered */
            assert_int_equal(claim.mark.keep_until_ns, test_i64(caller, "nonce") + 10000000000);
        }
        assert_kind(judge_after(arena, c), TL_AUTH_OK);
    }
    tl_arena_free(arena);
}

static void every_bad_request_of_the_spec_is_refused_by_its_class(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *group = tl_json_get(test_golden(arena, "btauth.json"), "btauth_reject");
    assert_int_equal(group->count, 33);
    for (uint32_t i = 0; i < group->count; i++) {
        const tl_json *c = &group->items[i];
        print_message("# %.*s\n", TL_STR_ARG(test_text(c, "note")));
        const tl_auth_verdict verdict = judge_after(arena, c);
        assert_true(tl_str_eq_cstr(test_text(c, "error"), tl_auth_class_name(verdict.kind)));
        if (tl_json_get(c, "after") == NULL) {
            assert_int_equal(judge_case(arena, c, true, NULL).kind, verdict.kind);
        }
    }
    tl_arena_free(arena);
}

static void lenient_forms_have_both_verdicts_of_the_spec(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *group = tl_json_get(test_golden(arena, "btauth.json"), "btauth_lenient");
    assert_int_equal(group->count, 17);
    size_t weak = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        const tl_json *c = &group->items[i];
        print_message("# %.*s\n", TL_STR_ARG(test_text(c, "note")));
        const tl_auth_verdict strict = judge_case(arena, c, false, NULL);
        const tl_auth_verdict compat = judge_case(arena, c, true, NULL);
        const tl_str tally = test_text(c, "tally");
        const tl_str sdk = test_text(c, "sdk");
        assert_true(tl_str_eq_cstr(
            tally, strict.kind == TL_AUTH_OK ? "accepted" : tl_auth_class_name(strict.kind)));
        if (strict.kind == TL_AUTH_SIGNATURE) { /* AUTH-2: weak keys, whatever the SDK says */
            assert_kind(compat, TL_AUTH_SIGNATURE);
            weak++;
            continue;
        }
        assert_true(tl_str_eq_cstr(
            sdk, compat.kind == TL_AUTH_OK ? "accepted" : tl_auth_class_name(compat.kind)));
    }
    assert_int_equal(weak, 2);
    tl_arena_free(arena);
}

/* A request of Alice to Bob, signed here. */
typedef struct made {
    tl_auth_request request;
    tl_http_headers headers;
    tl_auth_rules rules;
    tl_bytes body;
} made;

#define NOW INT64_C(1752076800000000000)

static void make(made *m, tl_arena *arena, const char *target, const tl_scheme *scheme)
{
    tl_keypair *pair = test_pair("//Alice", scheme);
    const tl_entropy zero = test_zero_entropy();
    m->body = (tl_bytes){(const uint8_t *)"hello", 5};
    tl_auth_outgoing what = {.method = TL_STR("post"),
                             .target = tl_str_from_cstr(target),
                             .receiver = TL_STR(BOB),
                             .now_ns = NOW};
    tl_sha256(&what.body_sha256, m->body.ptr, m->body.len);
    assert_int_equal(tl_auth_sign(&m->headers, arena, btauth(), pair, &what, &zero, NULL), TL_OK);
    tl_keypair_free(pair);
    m->request = (tl_auth_request){TL_STR("POST"), what.target, m->headers};
    tl_auth_rules_init(&m->rules, TL_STR(BOB));
}

static tl_auth_class kind_of(const made *m, tl_arena *arena)
{
    return test_judge(arena, btauth(), &m->request, m->body, &m->rules, NOW + 1, NULL).kind;
}

static void what_we_sign_we_accept_under_both_schemes(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/a?b=%7e", tl_scheme_sr25519());
    assert_int_equal(m.headers.count, 5);
    assert_int_equal(kind_of(&m, arena), TL_AUTH_OK);
    make(&m, arena, "/a?b=%7e", tl_scheme_ed25519());
    assert_int_equal(m.headers.count, 6);
    assert_int_equal(kind_of(&m, arena), TL_AUTH_OK);
    m.body.len = 4;
    assert_int_equal(kind_of(&m, arena), TL_AUTH_SIGNATURE);
    tl_arena_free(arena);
}

static void a_header_that_comes_twice_is_refused_and_in_compat_the_last_counts(void **state)
{
    (void)state; /* AUTH-3 */
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/", tl_scheme_ed25519());
    for (size_t i = 0; i < m.headers.count; i++) {
        for (int good_is_last = 0; good_is_last < 2; good_is_last++) {
            tl_http_header all[8];
            memcpy(all + 1, m.headers.at, m.headers.count * sizeof *all);
            const tl_http_header bad = {m.headers.at[i].name, TL_STR("x")};
            all[0] = bad;
            all[m.headers.count + 1] = bad;
            m.request.headers =
                (tl_http_headers){good_is_last != 0 ? all : all + 1, m.headers.count + 1};
            m.rules.is_compat = false;
            assert_int_equal(kind_of(&m, arena), TL_AUTH_MALFORMED);
            m.rules.is_compat = true;
            assert_int_equal(kind_of(&m, arena) == TL_AUTH_OK, good_is_last);
        }
    }
    tl_arena_free(arena);
}

static void an_absolute_target_counts_as_path_and_query(void **state)
{
    (void)state;
    static const struct {
        const char *signed_target;
        const char *sent;
        bool is_same;
    } cases[] = {
        {"/a?b", "http://host:80/a?b", true},
        {"/a?b", "HTTPS://h/a?b", true},
        {"/", "http://host", true},
        {"/?q", "http://host?q", true},
        {"/a", "ftp://host/a", false},
        {"/a?b", "/a?b&", false},
        {"/a//b", "/a/b", false},
        {"/a%2Fb", "/a/b", false},
        {"/a?", "/a", false},
    };
    tl_arena *arena = test_arena();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made m;
        make(&m, arena, cases[i].signed_target, tl_scheme_sr25519());
        m.request.target = tl_str_from_cstr(cases[i].sent);
        assert_int_equal(kind_of(&m, arena), cases[i].is_same ? TL_AUTH_OK : TL_AUTH_SIGNATURE);
    }
    tl_arena_free(arena);
}

static void a_pinned_hotkey_signs_by_its_scheme_alone(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/", tl_scheme_sr25519());
    tl_scheme_pin pin = {.scheme = tl_scheme_ed25519()};
    assert_int_equal(tl_ss58_decode(&pin.key, TL_STR(ALICE), NULL), TL_OK);
    tl_scheme_policy policy = {.pins = &pin, .pins_count = 1};
    m.rules.schemes = &policy;
    assert_int_equal(kind_of(&m, arena), TL_AUTH_SIGNATURE);
    pin.scheme = tl_scheme_sr25519();
    assert_int_equal(kind_of(&m, arena), TL_AUTH_OK);
    const tl_scheme *const allowed[] = {tl_scheme_ed25519()};
    policy = (tl_scheme_policy){.allowed = allowed, .allowed_count = 1};
    assert_int_equal(kind_of(&m, arena), TL_AUTH_SIGNATURE);
    tl_arena_free(arena);
}

static void a_route_refuses_families_that_it_does_not_speak(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/", tl_scheme_sr25519());
    m.rules.families = 1U << TL_AUTH_EPISTULA | 1U << TL_AUTH_V10;
    assert_int_equal(kind_of(&m, arena), TL_AUTH_MALFORMED);
    tl_arena_free(arena);
}

static void headers_of_two_families_belong_to_neither(void **state)
{
    (void)state; /* AUTH-3 */
    static const char *const of[] = {"Bt_Header_Axon_Ip", "X-BITTENSOR-Anything", "epistula-x"};
    bool is_ambiguous;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            const tl_http_header at[] = {{TL_STR("host"), TL_STR("h")},
                                         {tl_str_from_cstr(of[i]), TL_STR("")},
                                         {tl_str_from_cstr(of[j]), TL_STR("")}};
            const tl_auth_family *found = tl_auth_detect(&is_ambiguous, (tl_http_headers){at, 3});
            assert_int_equal(is_ambiguous, i != j);
            assert_true(found == (i == j ? tl_auth_family_at((tl_auth_family_id)i) : NULL));
        }
    }
    assert_null(tl_auth_detect(&is_ambiguous, (tl_http_headers){NULL, 0}));
    assert_false(is_ambiguous);
}

static void a_window_of_its_own_is_kept_as_long_as_the_longest(void **state)
{
    (void)state; /* AUTH-4 */
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/", tl_scheme_sr25519());
    m.rules.back_ns = 30000000000;
    m.rules.ahead_ns = 0;
    tl_auth_claim claim;
    assert_kind(
        test_judge(arena, btauth(), &m.request, m.body, &m.rules, NOW + 30000000000, &claim),
        TL_AUTH_OK);
    assert_int_equal(claim.mark.keep_until_ns, NOW + 30000000000);
    assert_kind(test_judge(arena, btauth(), &m.request, m.body, &m.rules, NOW + 30000000001, NULL),
                TL_AUTH_STALE);
    assert_kind(test_judge(arena, btauth(), &m.request, m.body, &m.rules, NOW - 1, NULL),
                TL_AUTH_STALE);
    m.rules.keep_back_ns = 60000000000;
    assert_kind(test_judge(arena, btauth(), &m.request, m.body, &m.rules, NOW, &claim), TL_AUTH_OK);
    assert_int_equal(claim.mark.keep_until_ns, NOW + 60000000000);
    tl_arena_free(arena);
}

static void a_refusal_repeats_nothing_that_was_sent(void **state)
{
    (void)state; /* AUTH-1: whatever a header holds, the texts are ours and few */
    tl_arena *arena = test_arena();
    made m;
    make(&m, arena, "/", tl_scheme_sr25519());
    for (size_t i = 0; i < m.headers.count; i++) {
        tl_http_header all[8];
        memcpy(all, m.headers.at, m.headers.count * sizeof *all);
        all[i].value = TL_STR("Zebra<script>");
        m.request.headers = (tl_http_headers){all, m.headers.count};
        const tl_auth_verdict v =
            test_judge(arena, btauth(), &m.request, m.body, &m.rules, NOW, NULL);
        assert_int_not_equal(v.kind, TL_AUTH_OK);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_auth_put_error(&sb, v.kind, v.message);
        tl_sb_put_char(&sb, '\0');
        tl_str body;
        assert_int_equal(tl_sb_finish(&body, &sb, NULL), TL_OK);
        assert_null(strstr(body.ptr, "Zebra"));
        assert_non_null(strstr(body.ptr, tl_auth_class_name(v.kind)));
    }
    tl_arena_free(arena);
}

static void what_the_store_says_has_a_class_in_each_family(void **state)
{
    (void)state;
    for (size_t i = 0; i < TL_AUTH_FAMILY_COUNT; i++) {
        const tl_auth_family *family = tl_auth_family_at((tl_auth_family_id)i);
        const bool is_v10 = family->id == TL_AUTH_V10;
        tl_auth_verdict v;
        tl_auth_refuse_replayed(&v, family);
        assert_kind(v, is_v10 ? TL_AUTH_NOT_VERIFIED : TL_AUTH_REPLAYED);
        tl_auth_refuse_late(&v, family);
        assert_kind(v, is_v10 ? TL_AUTH_NOT_VERIFIED : TL_AUTH_STALE);
        tl_auth_refuse_busy(&v, family);
        assert_int_equal(tl_auth_class_status(v.kind), 503);
        assert_ptr_equal(tl_auth_family_by_name(family->name), family);
    }
    assert_null(tl_auth_family_by_name(TL_STR("v9")));
}

static void what_would_end_a_header_is_not_signed(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    tl_keypair *pair = test_pair("//Alice", tl_scheme_sr25519());
    const tl_entropy zero = test_zero_entropy();
    tl_http_headers out;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_auth_outgoing bad[] = {
        {.method = TL_STR("GE T"), .target = TL_STR("/")},
        {.method = TL_STR("GET"), .target = TL_STR("/\r\nx: y")},
        {.method = TL_STR("GET"), .target = TL_STR("/"), .receiver = TL_STR("a\nb")},
        {.method = TL_STR("GET"), .target = TL_STR("/"), .nonce = TL_STR("007")},
        {.method = TL_STR("GET"), .target = TL_STR("/"), .nonce = TL_STR("-1")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(tl_auth_sign(&out, arena, btauth(), pair, &bad[i], &zero, &ctx),
                         TL_ERR_SYNTAX);
        assert_true(ctx.field[0] != '\0');
    }
    const tl_auth_outgoing early = {.method = TL_STR("GET"), .target = TL_STR("/"), .now_ns = -1};
    assert_int_equal(tl_auth_sign(&out, arena, btauth(), pair, &early, &zero, &ctx), TL_ERR_RANGE);
    tl_keypair *public_pair = NULL;
    assert_int_equal(
        tl_keypair_from_public(&public_pair, tl_scheme_sr25519(), tl_keypair_public(pair), NULL),
        TL_OK);
    const tl_auth_outgoing good = {.method = TL_STR("GET"), .target = TL_STR("/"), .now_ns = 1};
    assert_int_equal(tl_auth_sign(&out, arena, btauth(), public_pair, &good, &zero, &ctx),
                     TL_ERR_REFUSED);
    tl_keypair_free(public_pair);
    tl_keypair_free(pair);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_payload_of_the_spec_is_signed_byte_for_byte),
        cmocka_unit_test(every_valid_request_of_the_spec_passes_in_both_modes),
        cmocka_unit_test(every_bad_request_of_the_spec_is_refused_by_its_class),
        cmocka_unit_test(lenient_forms_have_both_verdicts_of_the_spec),
        cmocka_unit_test(what_we_sign_we_accept_under_both_schemes),
        cmocka_unit_test(a_header_that_comes_twice_is_refused_and_in_compat_the_last_counts),
        cmocka_unit_test(an_absolute_target_counts_as_path_and_query),
        cmocka_unit_test(a_pinned_hotkey_signs_by_its_scheme_alone),
        cmocka_unit_test(a_route_refuses_families_that_it_does_not_speak),
        cmocka_unit_test(headers_of_two_families_belong_to_neither),
        cmocka_unit_test(a_window_of_its_own_is_kept_as_long_as_the_longest),
        cmocka_unit_test(a_refusal_repeats_nothing_that_was_sent),
        cmocka_unit_test(what_the_store_says_has_a_class_in_each_family),
        cmocka_unit_test(what_would_end_a_header_is_not_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
