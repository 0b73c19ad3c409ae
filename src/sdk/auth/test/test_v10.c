/* Attacks the v10 verification: the nonce rules of the SDK (vectors) in compatibility mode, a table of Tally's own in the
 * default, each text of the wire spec's section 1.8, numbers as Python reads them, headers that come twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/auth/test/support.h"

#include "core/crypto/hash/hash.h"

#define S    INT64_C(1000000000)
#define NOW  (INT64_C(1700000000) * S)
#define WHY  "Not Verified with error: "
#define HASH "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"

static const tl_auth_family *v10(void)
{
    return tl_auth_family_at(TL_AUTH_V10);
}

/* A memory of one endpoint. */
typedef struct memory {
    tl_auth_memory face;
    bool is_known;
    int64_t last;
} memory;

static bool last_of(void *self, const tl_auth_mark *mark, int64_t *nonce)
{
    const memory *m = self;
    assert_int_equal(mark->rule, TL_AUTH_RISING);
    *nonce = m->last;
    return m->is_known;
}

/* What a request of Bob to Alice says; NULL leaves a header out. */
typedef struct ask {
    const char *nonce;
    const char *version;
    const char *timeout;
    const char *uuid;
    const char *hotkey;
    const char *body_hash;
    const char *signature; /* NULL: a good one; "": none; else as it stands */
} ask;

typedef struct world {
    tl_arena *arena;
    tl_auth_rules rules;
    memory mind;
    int64_t now_ns;
    tl_auth_claim claim;
} world;

static void begin(world *w, bool is_compat)
{
    *w = (world){.arena = test_arena(), .now_ns = NOW};
    w->mind.face = (tl_auth_memory){&w->mind, last_of};
    tl_auth_rules_init(&w->rules, TL_STR(ALICE));
    w->rules.is_compat = is_compat;
}

static void put(tl_http_header *at, size_t *n, const char *name, const char *value)
{
    if (value != NULL) {
        at[(*n)++] = (tl_http_header){tl_str_from_cstr(name), tl_str_from_cstr(value)};
    }
}

/* The signature over what the server will see: numbers in canonical form. */
static tl_str sign(world *w, const ask *a, const char *canonical)
{
    tl_keypair *bob = test_pair("//Bob", tl_scheme_sr25519());
    const tl_entropy zero = test_zero_entropy();
    const tl_auth_outgoing what = {
        .nonce = tl_str_from_cstr(canonical),
        .receiver = TL_STR(ALICE),
        .uuid = tl_str_from_cstr(a->uuid == NULL ? "None" : a->uuid),
        .body_hash = tl_str_from_cstr(a->body_hash == NULL ? "None" : a->body_hash)};
    tl_http_headers out;
    assert_int_equal(tl_auth_sign(&out, w->arena, v10(), bob, &what, &zero, NULL), TL_OK);
    tl_keypair_free(bob);
    return tl_http_find(out, TL_STR("bt_header_dendrite_signature"))->value;
}

static tl_auth_verdict judge_signed(world *w, const ask *a, const char *canonical)
{
    tl_http_header at[8];
    size_t n = 0;
    put(at, &n, "bt_header_dendrite_nonce", a->nonce);
    put(at, &n, "bt_header_dendrite_version", a->version);
    put(at, &n, "timeout", a->timeout);
    put(at, &n, "bt_header_dendrite_uuid", a->uuid);
    put(at, &n, "bt_header_dendrite_hotkey", a->hotkey);
    put(at, &n, "computed_body_hash", a->body_hash);
    if (a->signature == NULL) {
        at[n++] = (tl_http_header){TL_STR("bt_header_dendrite_signature"), sign(w, a, canonical)};
    } else if (a->signature[0] != '-') {
        put(at, &n, "bt_header_dendrite_signature", a->signature);
    }
    w->rules.memory = &w->mind.face;
    const tl_auth_request request = {TL_STR("POST"), TL_STR("/Echo"), {at, n}};
    return test_judge(w->arena, v10(), &request, (tl_bytes){NULL, 0}, &w->rules, w->now_ns,
                      &w->claim);
}

static tl_auth_verdict judge(world *w, const ask *a)
{
    return judge_signed(w, a, a->nonce == NULL ? "1" : a->nonce);
}

/* A good request; its figures are changed by who asks. */
static ask good(char nonce[24], int64_t at_ns)
{
    tl_str_print(nonce, 24, "%lld", (long long)at_ns);
    return (ask){nonce, "10005000", "12.0", "5ecbd69c-1cec-11ee-b0dc-e29ce36fec1a",
                 BOB,   HASH,       NULL};
}

static void expect(world *w, const ask *a, const char *message)
{
    const tl_auth_verdict v = judge(w, a);
    if (message == NULL) {
        assert_kind(v, TL_AUTH_OK);
        assert_int_equal(v.message.len, 0);
        return;
    }
    if (!tl_str_eq_cstr(v.message, message)) {
        print_message("# expected %s\n# is       %.*s\n", message, TL_STR_ARG(v.message));
    }
    assert_kind(v, TL_AUTH_NOT_VERIFIED);
    assert_true(tl_str_eq_cstr(v.message, message));
    assert_int_equal(tl_auth_class_status(v.kind), 401);
}

static void the_request_of_the_spec_passes(void **state)
{
    (void)state;
    world w;
    begin(&w, false);
    const tl_json *c = tl_json_get(test_golden(w.arena, "v10.json"), "dendrite_request");
    const tl_auth_request request = {test_text(c, "method"), test_text(c, "path"),
                                     test_headers(w.arena, tl_json_get(c, "headers_in_order"))};
    for (int is_compat = 0; is_compat < 2; is_compat++) {
        w.rules.is_compat = is_compat != 0;
        tl_auth_claim claim;
        assert_kind(
            test_judge(w.arena, v10(), &request, (tl_bytes){NULL, 0}, &w.rules, NOW + S, &claim),
            TL_AUTH_OK);
        tl_bytes message;
        assert_int_equal(tl_auth_message(&message, w.arena, &claim, NULL, NULL), TL_OK);
        const tl_str want = test_text(c, "signed_message");
        assert_int_equal(message.len, want.len);
        assert_memory_equal(message.ptr, want.ptr, want.len);
    }
    tl_arena_free(w.arena);
}

/* One case of nonce_rules in compatibility mode. */
static void run_rule(world *w, const tl_json *c, const char *timeout)
{
    const int64_t last = NOW - S;
    char text[24];
    int64_t nonce = NOW;
    int64_t age_s = 0;
    if (tl_json_get(c, "age_s") != NULL) {
        assert_int_equal(tl_json_want_i64(&age_s, c, "age_s", NULL), TL_OK);
        nonce = NOW - age_s * S;
    } else if (tl_json_get(c, "nonce") != NULL) {
        assert_int_equal(tl_json_want_i64(&nonce, c, "nonce", NULL), TL_OK);
    }
    const tl_str relation = test_text(c, "nonce_relation");
    if (relation.len > 0) {
        nonce = last + (tl_str_eq_cstr(relation, "equal")     ? 0
                        : tl_str_eq_cstr(relation, "smaller") ? -1
                                                              : 1);
    }
    w->mind.is_known = tl_str_eq_cstr(test_text(c, "endpoint"), "seen");
    w->mind.last = last;
    ask a = good(text, nonce);
    char version[24];
    int64_t number = 0;
    const tl_json *v = tl_json_get(c, "version");
    a.timeout = timeout;
    if (v != NULL) {
        a.version = tl_json_as_i64(&number, v, NULL, NULL) == TL_OK ? version : NULL;
        tl_str_print(version, sizeof version, "%lld", (long long)number);
    }
    w->now_ns = NOW + S / 100; /* the measured server was asked a moment later */
    const tl_auth_verdict verdict = judge(w, &a);
    const bool accept = tl_json_get(c, "accept")->boolean;
    assert_int_equal(verdict.kind == TL_AUTH_OK, accept);
    const tl_str message = test_text(c, "message");
    if (message.len > 0) {
        assert_true(tl_str_starts_with(verdict.message, TL_STR(WHY)));
        assert_true(
            tl_str_eq(tl_str_slice(verdict.message, strlen(WHY), verdict.message.len), message));
    }
}

static void the_sdks_nonce_rules_hold_in_compat(void **state)
{
    (void)state;
    world w;
    begin(&w, true);
    const tl_json *rules = tl_json_get(test_golden(w.arena, "v10.json"), "nonce_rules");
    const tl_json *cases = tl_json_get(rules, "cases");
    assert_int_equal(cases->count, 11);
    for (uint32_t i = 0; i < cases->count; i++) {
        const tl_json *timeout = tl_json_get(&cases->items[i], "timeout");
        char text[32] = "12.0";
        if (timeout != NULL) {
            tl_str_print(text, sizeof text, "%.*s", TL_STR_ARG(timeout->text));
        }
        print_message("# rule %u\n", i);
        run_rule(&w, &cases->items[i], text);
    }
    tl_arena_free(w.arena);
}

static void tallys_own_nonce_rules_hold_by_default(void **state)
{
    (void)state;
    static const char old_12[] =
        WHY "Nonce is too old: acceptable delta is 16.00 seconds but request was 16.00 seconds old";
    static const char newer[] = WHY "Nonce is too old, a newer one was last processed";
    static const char ahead[] = WHY "Nonce is too far in the future: acceptable delta is 2.00 "
                                    "seconds but request was 3600.00 seconds ahead";
    static const struct {
        int64_t nonce_ns; /* against now */
        const char *version;
        const char *timeout;
        bool is_known;
        int64_t last_ns;     /* against now */
        const char *message; /* NULL: accepted */
    } rules[] = {
        {0, "10005000", "12.0", false, 0, NULL},
        /* the age counts for every version, and for known keys */
        {-16 * S, "10005000", "12.0", false, 0, old_12},
        {-16 * S + 1, "10005000", "12.0", false, 0, NULL},
        {-16 * S, "7001999", "12.0", false, 0, old_12},
        {-16 * S, NULL, "12.0", false, 0, old_12},
        {-16 * S, "10005000", "12.0", true, -20 * S, old_12},
        {-15 * S, NULL, "12.0", true, -20 * S, NULL},
        /* the comparison comes before the age */
        {-16 * S, "10005000", "12.0", true, -16 * S, newer},
        {-1, "10005000", "12.0", true, 0, newer},
        {0, "10005000", "12.0", true, 0, newer},
        {1, "10005000", "12.0", true, 0, NULL},
        {0, NULL, "12.0", true, 0, newer},
        /* the timeout counts as 0 to 120 s, nan as 12, none as 0 */
        {-4 * S, "10005000", NULL, false, 0,
         WHY "Nonce is too old: acceptable delta is 4.00 seconds but request was 4.00 seconds old"},
        {-4 * S + 1, "10005000", NULL, false, 0, NULL},
        {-4 * S, "10005000", "-5", false, 0,
         WHY "Nonce is too old: acceptable delta is 4.00 seconds but request was 4.00 seconds old"},
        {-123 * S, "10005000", "1e9", false, 0, NULL},
        {-124 * S, "10005000", "1e9", false, 0,
         WHY "Nonce is too old: acceptable delta is 124.00 seconds but request was 124.00 seconds "
             "old"},
        {-124 * S, "10005000", "inf", false, 0,
         WHY "Nonce is too old: acceptable delta is 124.00 seconds but request was 124.00 seconds "
             "old"},
        {-16 * S, "10005000", "nan", false, 0, old_12},
        {-16 * S + 1, "10005000", "NaN", false, 0, NULL},
        /* the future ends after 2 s */
        {2 * S, "10005000", "12.0", false, 0, NULL},
        {3600 * S, "10005000", "12.0", false, 0, ahead},
        {3600 * S, NULL, "12.0", true, 0, ahead},
        {2 * S + 5000001, "10005000", "12.0", false, 0,
         WHY "Nonce is too far in the future: acceptable delta is 2.00 seconds but request was "
             "2.01 seconds ahead"},
    };
    world w;
    begin(&w, false);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char nonce[24];
        ask a = good(nonce, NOW + rules[i].nonce_ns);
        a.version = rules[i].version;
        a.timeout = rules[i].timeout;
        w.mind.is_known = rules[i].is_known;
        w.mind.last = NOW + rules[i].last_ns;
        print_message("# rule %zu\n", i);
        expect(&w, &a, rules[i].message);
        if (rules[i].message == NULL) { /* AUTH-4: whatever timeout a copy of it names */
            assert_true(w.claim.mark.keep_until_ns >= w.claim.mark.nonce + 124 * S);
        }
    }
    tl_arena_free(w.arena);
}

static void compat_takes_windows_that_the_timeout_moves(void **state)
{
    (void)state;
    static const struct {
        int64_t nonce_ns;
        const char *timeout;
        const char *message;
    } rules[] = {
        {-4 * S, NULL,
         WHY "Nonce is too old: acceptable delta is 4.00 seconds but request was 4.00 seconds old"},
        {-4 * S + 1, "0.0", NULL},
        {0, "-inf",
         WHY "Nonce is too old: acceptable delta is -inf seconds but request was 0.00 seconds old"},
        {-4000 * S, "inf", NULL},
        {0, "-10",
         WHY
         "Nonce is too old: acceptable delta is -6.00 seconds but request was 0.00 seconds old"},
        {-1000 * S, "995.999",
         WHY
         "Nonce is too old: acceptable delta is 1000.00 seconds but request was 1000.00 seconds "
         "old"},
    };
    world w;
    begin(&w, true);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char nonce[24];
        ask a = good(nonce, NOW + rules[i].nonce_ns);
        a.timeout = rules[i].timeout;
        print_message("# rule %zu\n", i);
        expect(&w, &a, rules[i].message);
    }
    tl_arena_free(w.arena);
}

static void each_refusal_has_the_sdks_text_in_both_modes(void **state)
{
    (void)state; /* AUTH-2 */
    for (int is_compat = 0; is_compat < 2; is_compat++) {
        world w;
        begin(&w, is_compat != 0);
        const tl_json *absent = tl_json_get(test_golden(w.arena, "v10.json"), "absent_signature");
        char nonce[24];
        char missing[128];
        tl_str_print(missing, sizeof missing, WHY "%.*s",
                     TL_STR_ARG(test_text(&absent->items[0], "since_10_5_0")));
        const struct {
            const char *hotkey;
            const char *signature;
            bool has_nonce;
            const char *message;
        } cases[] = {
            {BOB, "-", true, missing},
            {BOB, "", true, missing},
            {BOB, "-", false, WHY "Missing Nonce"},
            {NULL, "-", false, WHY "No SS58 formatted address or public key provided."},
            {"", "-", false, WHY "Invalid SS58 address: Length is bad"},
            {"abc", "-", true, WHY "Invalid SS58 address: Length is bad"},
            {"0OIl", "-", true, WHY "Invalid SS58 address: Base 58 requirement is violated"},
            {"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ1", "-", true,
             WHY "Invalid SS58 address: Invalid checksum"},
            {"5Grwva", "-", true, WHY "Invalid SS58 address: Invalid SS58 prefix byte."},
            {BOB, "zz", true, WHY "Invalid signature format. Expected hex string."},
            {BOB, "0X00", true, WHY "Invalid signature format. Expected hex string."},
            {BOB, "0x0", true, WHY "Invalid hex string: OddLength"},
            {BOB, "0xzz", true, WHY "Invalid hex string: InvalidHexCharacter { c: 'z', index: 0 }"},
            {BOB, "0x00", true, WHY "Invalid SR25519 signature."},
            {BOB, "0x", true, WHY "Invalid SR25519 signature."},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            ask a = good(nonce, NOW);
            a.hotkey = cases[i].hotkey;
            a.signature = cases[i].signature;
            a.nonce = cases[i].has_nonce ? nonce : NULL;
            expect(&w, &a, cases[i].message);
        }
        tl_arena_free(w.arena);
    }
}

static void a_mismatch_names_message_and_signature_and_stays_a_header(void **state)
{
    (void)state;
    world w;
    begin(&w, false);
    char nonce[24];
    ask a = good(nonce, NOW);
    char zeros[131] = "0x";
    memset(zeros + 2, '0', 128);
    a.signature = zeros;
    char want[1024];
    tl_str_print(want, sizeof want, WHY "Signature mismatch with %s.%s.%s.%s.%s and %s", nonce, BOB,
                 ALICE, a.uuid, HASH, zeros);
    expect(&w, &a, want);
    char uuid[6000]; /* text that would break a header, and more of it than a header takes */
    memset(uuid, 'u', sizeof uuid - 1);
    uuid[sizeof uuid - 1] = '\0';
    memcpy(uuid, "\r\n\xff\x01", 4);
    a.uuid = uuid;
    const tl_auth_verdict v = judge(&w, &a);
    assert_kind(v, TL_AUTH_NOT_VERIFIED);
    assert_true(v.message.len <= TL_AUTH_MESSAGE_MAX);
    for (size_t i = 0; i < v.message.len; i++) {
        assert_true(v.message.ptr[i] >= 0x20 && v.message.ptr[i] <= 0x7e);
    }
    tl_arena_free(w.arena);
}

static void numbers_are_pythons_and_the_canonical_figure_is_signed(void **state)
{
    (void)state;
    static const char *const forms[] = {"+1700000000000000000", " 1700000000000000000 ",
                                        "001_700_000_000_000_000_000", "1700000000000000000"};
    for (int is_compat = 0; is_compat < 2; is_compat++) {
        world w;
        begin(&w, is_compat != 0);
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
            char nonce[24];
            ask a = good(nonce, NOW);
            a.nonce = forms[i];
            assert_kind(judge_signed(&w, &a, "1700000000000000000"), TL_AUTH_OK);
        }
        char nonce[24];
        ask a = good(nonce, NOW);
        a.nonce = "12a";
        assert_kind(judge_signed(&w, &a, "1"), TL_AUTH_UNPARSED);
        a = good(nonce, NOW);
        a.version = "1.0";
        assert_kind(judge(&w, &a), TL_AUTH_UNPARSED);
        a = good(nonce, NOW);
        a.timeout = "soon";
        assert_kind(judge(&w, &a), TL_AUTH_UNPARSED);
        tl_arena_free(w.arena);
    }
}

static void absent_uuid_and_hash_are_signed_as_none(void **state)
{
    (void)state;
    world w;
    begin(&w, false);
    char nonce[24];
    ask a = good(nonce, NOW);
    a.uuid = NULL;
    a.body_hash = NULL;
    expect(&w, &a, NULL);
    assert_true(tl_str_eq_cstr(w.claim.mark.id, "None"));
    tl_arena_free(w.arena);
}

static void a_header_twice_is_refused_and_in_compat_the_first_counts(void **state)
{
    (void)state; /* AUTH-3 */
    world w;
    begin(&w, false);
    const tl_json *c = tl_json_get(test_golden(w.arena, "v10.json"), "dendrite_request");
    const tl_http_headers all = test_headers(w.arena, tl_json_get(c, "headers_in_order"));
    size_t looked_at = 0;
    for (size_t i = 0; i < all.count; i++) {
        tl_http_header at[32];
        memcpy(at, all.at, all.count * sizeof *at);
        at[all.count] = (tl_http_header){all.at[i].name, TL_STR("7")};
        const tl_auth_request request = {TL_STR("POST"), TL_STR("/Echo"), {at, all.count + 1}};
        w.rules.is_compat = false;
        const tl_auth_verdict v =
            test_judge(w.arena, v10(), &request, (tl_bytes){NULL, 0}, &w.rules, NOW, NULL);
        looked_at += v.kind == TL_AUTH_DUPLICATE ? 1 : 0;
        assert_int_equal(tl_auth_class_status(TL_AUTH_DUPLICATE), 400);
        w.rules.is_compat = true;
        assert_kind(test_judge(w.arena, v10(), &request, (tl_bytes){NULL, 0}, &w.rules, NOW, NULL),
                    TL_AUTH_OK);
    }
    assert_int_equal(looked_at, 7); /* nonce, version, uuid, hotkey, signature, timeout, hash */
    tl_arena_free(w.arena);
}

static void the_axons_answer_is_signed_as_the_spec_says(void **state)
{
    (void)state;
    tl_arena *arena = test_arena();
    const tl_json *c = tl_json_get(test_golden(arena, "v10.json"), "axon_signature");
    const tl_str signed_message = test_text(c, "signed_message");
    tl_str rest = signed_message;
    tl_str part[4];
    for (size_t i = 0; i < 4; i++) {
        assert_true(tl_str_split(&part[i], &rest, '.'));
    }
    tl_keypair *alice = test_pair("//Alice", tl_scheme_sr25519());
    const tl_entropy zero = test_zero_entropy();
    tl_str text;
    assert_int_equal(tl_auth_sign_v10_answer(&text, arena, alice, part[0], part[1], part[2],
                                             part[3], &zero, NULL),
                     TL_OK);
    assert_true(tl_str_eq(text, test_text(c, "signature")));
    /* an axon that was not named is None, which is another text */
    assert_int_equal(tl_auth_sign_v10_answer(&text, arena, alice, part[0], part[1], TL_STR(""),
                                             part[3], &zero, NULL),
                     TL_OK);
    const tl_str none = TL_STR("None");
    tl_str same;
    assert_int_equal(
        tl_auth_sign_v10_answer(&same, arena, alice, part[0], part[1], none, part[3], &zero, NULL),
        TL_OK);
    assert_true(tl_str_eq(text, same));
    assert_false(tl_str_eq(text, test_text(c, "signature")));
    tl_keypair_free(alice);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_of_the_spec_passes),
        cmocka_unit_test(the_sdks_nonce_rules_hold_in_compat),
        cmocka_unit_test(tallys_own_nonce_rules_hold_by_default),
        cmocka_unit_test(compat_takes_windows_that_the_timeout_moves),
        cmocka_unit_test(each_refusal_has_the_sdks_text_in_both_modes),
        cmocka_unit_test(a_mismatch_names_message_and_signature_and_stays_a_header),
        cmocka_unit_test(numbers_are_pythons_and_the_canonical_figure_is_signed),
        cmocka_unit_test(absent_uuid_and_hash_are_signed_as_none),
        cmocka_unit_test(a_header_twice_is_refused_and_in_compat_the_first_counts),
        cmocka_unit_test(the_axons_answer_is_signed_as_the_spec_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
