/* Attacks the public library as a program outside would use it: through include/tally alone. A miner and a validator
 * speak over loopback; keys go into wallets and come back; what is wrong is told by code and field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tally/tally.h>

static const char alice_address[] = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

static tally_key *alice;
static tally_key *bob;
static tally_synapses *synapses;

static int set_up(void **state)
{
    (void)state;
    tally_error error = {0};
    assert_int_equal(tally_key_from_uri(&alice, "//Alice", NULL, &error), TALLY_OK);
    assert_int_equal(tally_key_from_uri(&bob, "//Bob", "sr25519", &error), TALLY_OK);
    assert_int_equal(tally_synapses_new(&synapses, NULL, &error), TALLY_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tally_synapses_free(synapses);
    tally_key_free(alice);
    tally_key_free(bob);
    tally_key_free(NULL);
    tally_synapses_free(NULL);
    tally_axon_free(NULL);
    tally_dendrite_free(NULL);
    tally_replies_free(NULL);
    tally_headers_free(NULL);
    return 0;
}

/* --- keys --- */

static void keys_sign_and_verify(void **state)
{
    (void)state;
    uint8_t signature[256];
    size_t len = 0;
    size_t public_len = 0;
    tally_error error = {0};
    tally_key *named = NULL;
    assert_string_equal(tally_key_address(alice), alice_address);
    assert_string_equal(tally_key_scheme(alice), "sr25519");
    assert_non_null(tally_key_public(alice, &public_len));
    assert_int_equal(public_len, 32);
    assert_in_range(tally_key_signature_max(alice), 64, sizeof signature);
    assert_int_equal(tally_key_sign(alice, "hello", 5, signature, sizeof signature, &len, &error),
                     TALLY_OK);
    assert_int_equal(tally_key_from_address(&named, alice_address, NULL, &error), TALLY_OK);
    assert_true(tally_key_verify(named, "hello", 5, signature, len));
    assert_false(tally_key_verify(named, "hellp", 5, signature, len));
    assert_false(tally_key_verify(named, "hello", 5, signature, len - 1));
    assert_false(tally_key_verify(bob, "hello", 5, signature, len));
    assert_int_equal(tally_key_sign(named, "hello", 5, signature, sizeof signature, &len, &error),
                     TALLY_ERR_STATE);
    assert_int_equal(tally_key_sign(alice, "hello", 5, signature, 1, &len, NULL), TALLY_ERR_LIMIT);
    tally_key_free(named);
}

static void what_makes_no_key_is_named(void **state)
{
    (void)state; /* API-2 */
    tally_key *key = (tally_key *)0x1;
    tally_error error = {0};
    char phrase[TALLY_PHRASE_CAP];
    assert_int_equal(tally_key_from_uri(&key, "//Alice", "rsa", &error), TALLY_ERR_UNKNOWN);
    assert_string_equal(error.field, "scheme");
    assert_int_equal(error.code, TALLY_ERR_UNKNOWN);
    assert_true(error.message[0] != '\0');
    assert_int_not_equal(tally_key_from_uri(&key, "no such words", NULL, &error), TALLY_OK);
    assert_int_not_equal(tally_key_from_address(&key, "5Grw", NULL, &error), TALLY_OK);
    assert_ptr_equal(key, (tally_key *)0x1);
    assert_int_equal(tally_phrase_generate(phrase, 13, &error), TALLY_ERR_RANGE);
    assert_int_equal(tally_phrase_generate(phrase, 12, NULL), TALLY_OK);
    assert_int_equal(tally_key_from_uri(&key, phrase, "ed25519", &error), TALLY_OK);
    assert_string_equal(tally_key_scheme(key), "ed25519");
    tally_key_free(key);
}

static void wallets_keep_keys(void **state)
{
    (void)state;
    char folder[] = "/tmp/tally-api-XXXXXX";
    char command[128];
    tally_key *key = NULL;
    tally_error error = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tally_key_save(alice, folder, "w", "h", NULL, false, &error), TALLY_OK);
    assert_int_equal(tally_key_save(bob, folder, "w", "h", NULL, false, &error), TALLY_ERR_REFUSED);
    assert_int_equal(tally_key_from_wallet(&key, folder, "w", "h", NULL, &error), TALLY_OK);
    assert_string_equal(tally_key_address(key), alice_address);
    tally_key_free(key);
    assert_int_equal(tally_key_from_wallet(&key, folder, "w", NULL, NULL, &error),
                     TALLY_ERR_NOT_FOUND);
    assert_int_not_equal(tally_key_from_wallet(&key, folder, "../w", "h", NULL, &error), TALLY_OK);
    assert_string_equal(error.field, "wallet");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- definitions --- */

static void definitions_are_read_and_described(void **state)
{
    (void)state;
    tally_error error = {0};
    tally_synapses *more = NULL;
    assert_int_equal(tally_synapses_count(synapses), 5);
    assert_string_equal(tally_synapses_name(synapses, 1), "Echo");
    assert_non_null(strstr(tally_synapses_doc(synapses, "Echo"), "POST /Echo"));
    assert_null(tally_synapses_doc(synapses, "echo"));
    assert_int_equal(
        tally_synapses_new(
            &more,
            "{\"synapses\":[{\"name\":\"X\",\"fields\":[{\"name\":\"a\",\"type\":\"int?\"}]}]}",
            &error),
        TALLY_OK);
    assert_int_equal(tally_synapses_count(more), 6);
    tally_synapses_free(more);
    assert_int_equal(tally_synapses_new(&more, "{\"synapses\":[{\"name\":\"Echo\"}]}", &error),
                     TALLY_ERR_DUPLICATE);
    assert_string_equal(error.field, "synapses[0].name");
}

/* --- a miner and a validator --- */

/* Handlers run on the axon's threads, where cmocka's assertions have no way back: they count what is wrong. */
static atomic_int wrong_count;

static void expect(bool holds)
{
    atomic_fetch_add(&wrong_count, holds ? 0 : 1);
}

static int forward(void *self, tally_call *call, tally_error *error)
{
    int64_t a = 0;
    double also = 0;
    expect(self == synapses);
    expect(strcmp(tally_call_sender(call), tally_key_address(bob)) == 0);
    expect(strcmp(tally_call_protocol(call), "v10") == 0);
    expect(strcmp(tally_call_peer(call), "127.0.0.1") == 0);
    expect(tally_call_get_int(call, "a", &a) == TALLY_OK);
    expect(tally_call_get_float(call, "a", &also) == TALLY_OK);
    expect(tally_call_get_int(call, "text", &a) == TALLY_ERR_TYPE);
    expect(tally_call_get_int(call, "none", &a) == TALLY_ERR_UNKNOWN);
    expect(tally_call_get_text(call, "out") == NULL);
    expect(strcmp(tally_call_get_json(call, "out"), "null") == 0);
    expect(tally_call_set_int(call, "out", 5, error) == TALLY_ERR_TYPE);
    expect(tally_call_set_text(call, "out", "\xFF", error) == TALLY_ERR_ENCODING);
    expect(tally_call_set_json(call, "text", "[", error) == TALLY_ERR_SYNTAX);
    if (a == 13) {
        snprintf(error->message, sizeof error->message, "thirteen");
        return TALLY_ERR_RANGE;
    }
    return tally_call_set_text(call, "out", tally_call_get_text(call, "text"), error);
}

static int answer(void *self, tally_call *call, tally_error *error)
{
    (void)self;
    (void)error;
    size_t len = 0;
    const uint8_t *const body = tally_call_body(call, &len);
    expect(strcmp(tally_call_target(call), "/turn?x=1") == 0);
    char out[64];
    expect(len < sizeof out);
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)body[len - 1 - i];
    }
    tally_call_answer(call, 201, "text/plain", out, len);
    return 0;
}

static bool nobody(void *self, const tally_call *call)
{
    (void)self;
    (void)call;
    return false;
}

static tally_axon *start_axon(void)
{
    tally_error error = {0};
    tally_axon *axon = NULL;
    tally_axon_options options = TALLY_AXON_OPTIONS_INIT;
    options.key = alice;
    options.host = "127.0.0.1";
    assert_int_equal(tally_axon_new(&axon, &options, &error), TALLY_OK);
    assert_int_equal(tally_axon_attach(axon, synapses, "Echo", forward, NULL, synapses, &error),
                     TALLY_OK);
    assert_int_equal(tally_axon_attach(axon, synapses, "Boom", forward, nobody, NULL, &error),
                     TALLY_OK);
    assert_int_equal(tally_axon_attach(axon, synapses, "Nope", forward, NULL, NULL, &error),
                     TALLY_ERR_UNKNOWN);
    assert_int_equal(tally_axon_attach_route(axon, "POST", "/turn", answer, NULL, NULL, &error),
                     TALLY_OK);
    if (tally_axon_start(axon, &error) != TALLY_OK) {
        fail_msg("%s: %s", error.field, error.message);
    }
    return axon;
}

static void ask(tally_dendrite *dendrite, tally_replies **replies, const char *target,
                const tally_query *query)
{
    tally_error error = {0};
    if (tally_dendrite_ask(dendrite, replies, &target, 1, query, &error) != TALLY_OK) {
        fail_msg("%s: %s", error.field, error.message);
    }
    assert_int_equal(tally_replies_count(*replies), 1);
}

static void a_miner_answers_a_validator(void **state)
{
    (void)state;
    char target[128];
    double number = 0;
    size_t len = 0;
    tally_axon *const axon = start_axon();
    tally_dendrite *dendrite = NULL;
    tally_replies *replies = NULL;
    snprintf(target, sizeof target, "127.0.0.1:%u:%s", (unsigned)tally_axon_port(axon),
             alice_address);
    assert_int_equal(tally_dendrite_new(&dendrite, bob, NULL), TALLY_OK);

    tally_query query = TALLY_QUERY_INIT;
    query.synapses = synapses;
    query.synapse = "Echo";
    query.input = "{\"a\": 2, \"text\": \"caf\\u00e9\"}";
    ask(dendrite, &replies, target, &query);
    assert_true(tally_reply_is_ok(replies, 0));
    assert_int_equal(tally_reply_status(replies, 0), 200);
    assert_string_equal(tally_reply_message(replies, 0), "Success");
    assert_string_equal(tally_reply_text(replies, 0, "out"), "caf\xC3\xA9");
    assert_string_equal(tally_reply_json(replies, 0, "out"), "\"caf\\u00e9\"");
    assert_int_equal(tally_reply_float(replies, 0, "a", &number), TALLY_OK);
    assert_true(number == 2.0);
    assert_int_equal(tally_reply_float(replies, 0, "out", &number), TALLY_ERR_TYPE);
    assert_null(tally_reply_json(replies, 0, "none"));
    assert_true(tally_reply_seconds(replies, 0) > 0.0);
    tally_replies_free(replies);

    query.input = "{\"a\": 13}"; /* a handler that fails */
    ask(dendrite, &replies, target, &query);
    assert_false(tally_reply_is_ok(replies, 0));
    assert_int_equal(tally_reply_status(replies, 0), 500);
    tally_replies_free(replies);

    query.synapse = "Boom"; /* a gate that is shut */
    query.input = NULL;
    ask(dendrite, &replies, target, &query);
    assert_int_equal(tally_reply_status(replies, 0), 403);
    tally_replies_free(replies);

    tally_query signed_query = TALLY_QUERY_INIT;
    signed_query.protocol = "btauth";
    signed_query.target = "/turn?x=1";
    signed_query.body = "abc";
    signed_query.body_len = 3;
    ask(dendrite, &replies, target, &signed_query);
    assert_true(tally_reply_is_ok(replies, 0));
    assert_int_equal(tally_reply_status(replies, 0), 201);
    assert_memory_equal(tally_reply_body(replies, 0, &len), "cba", 3);
    assert_int_equal(len, 3);
    tally_replies_free(replies);

    tally_axon_stop(axon);
    assert_int_equal(atomic_load(&wrong_count), 0);
    query.synapse = "Echo";
    query.input = "{\"a\": 1}";
    ask(dendrite, &replies, target, &query);
    assert_int_equal(tally_reply_status(replies, 0), 503);
    assert_true(tally_reply_message(replies, 0)[0] != '\0');
    tally_replies_free(replies);
    tally_dendrite_free(dendrite);
    tally_axon_free(axon);
}

static void wrong_settings_and_queries_are_named(void **state)
{
    (void)state; /* API-2 */
    tally_error error = {0};
    tally_axon *axon = NULL;
    tally_axon_options options = TALLY_AXON_OPTIONS_INIT;
    assert_int_equal(tally_axon_new(&axon, &options, &error), TALLY_ERR_MISSING);
    assert_string_equal(error.field, "key");
    options.size = 0;
    assert_int_equal(tally_axon_new(&axon, &options, &error), TALLY_ERR_USAGE);
    options.size = sizeof options;
    options.key = alice;
    const char *const block[] = {"nobody", NULL};
    options.block = block;
    assert_int_not_equal(tally_axon_new(&axon, &options, &error), TALLY_OK);
    assert_null(axon);

    tally_dendrite *dendrite = NULL;
    tally_replies *replies = NULL;
    const char *const target = "127.0.0.1:1:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const char *const wrong = "127.0.0.1:99999:5Grw";
    tally_query query = TALLY_QUERY_INIT;
    assert_int_equal(tally_dendrite_new(&dendrite, bob, &error), TALLY_OK);
    assert_int_equal(tally_dendrite_ask(dendrite, &replies, &target, 1, &query, &error),
                     TALLY_ERR_MISSING);
    assert_string_equal(error.field, "synapse");
    query.synapses = synapses;
    query.synapse = "Nope";
    assert_int_equal(tally_dendrite_ask(dendrite, &replies, &target, 1, &query, &error),
                     TALLY_ERR_UNKNOWN);
    query.synapse = "Echo";
    assert_int_equal(tally_dendrite_ask(dendrite, &replies, &target, 1, &query, &error),
                     TALLY_ERR_MISSING);
    assert_string_equal(error.field, "input.a");
    query.input = "{\"a\":1}";
    assert_int_not_equal(tally_dendrite_ask(dendrite, &replies, &wrong, 1, &query, &error),
                         TALLY_OK);
    assert_true(strncmp(error.field, "targets[0]", 10) == 0);
    query.protocol = "v11";
    assert_int_equal(tally_dendrite_ask(dendrite, &replies, &target, 1, &query, &error),
                     TALLY_ERR_UNKNOWN);
    query.size = 1;
    assert_int_equal(tally_dendrite_ask(dendrite, &replies, &target, 1, &query, &error),
                     TALLY_ERR_USAGE);
    assert_null(replies);
    tally_dendrite_free(dendrite);
}

/* --- signatures alone --- */

static void signed_requests_are_verified(void **state)
{
    (void)state;
    static const char *const protocols[] = {"btauth", "epistula"};
    for (size_t p = 0; p < 2; p++) {
        tally_error error = {0};
        tally_headers *headers = NULL;
        tally_header list[16];
        tally_verdict verdict;
        tally_request request = {
            .method = "POST", .target = "/a?b=c", .body = "body", .body_len = 4};
        assert_int_equal(
            tally_auth_sign(&headers, protocols[p], bob, &request, alice_address, &error),
            TALLY_OK);
        request.header_count = tally_headers_count(headers);
        assert_in_range(request.header_count, 3, 16);
        for (size_t i = 0; i < request.header_count; i++) {
            list[i] = tally_headers_at(headers, i);
        }
        request.headers = list;
        assert_int_equal(tally_auth_verify(&verdict, &request, alice_address, &error), TALLY_OK);
        assert_true(verdict.is_ok);
        assert_int_equal(verdict.status, 200);
        assert_string_equal(verdict.sender, tally_key_address(bob));
        assert_string_equal(verdict.protocol, protocols[p]);
        request.body = "bodz";
        assert_int_equal(tally_auth_verify(&verdict, &request, alice_address, &error), TALLY_OK);
        assert_false(verdict.is_ok);
        assert_string_equal(verdict.reason, "BadSignature");
        assert_string_equal(verdict.sender, "");
        request.body = "body";
        assert_int_equal(tally_auth_verify(&verdict, &request, tally_key_address(bob), &error),
                         TALLY_OK);
        assert_string_equal(verdict.reason, "WrongReceiver");
        assert_int_equal(verdict.status, 403);
        request.header_count = 0;
        assert_int_equal(tally_auth_verify(&verdict, &request, alice_address, &error), TALLY_OK);
        assert_string_equal(verdict.reason, "MalformedAuth");
        request.header_count = 257;
        assert_int_equal(tally_auth_verify(&verdict, &request, alice_address, &error),
                         TALLY_ERR_LIMIT);
        tally_headers_free(headers);
        assert_int_equal(tally_auth_sign(&headers, "v10", bob, &request, alice_address, &error),
                         TALLY_ERR_UNKNOWN);
    }
}

/* --- the rest --- */

static void weights_and_codes(void **state)
{
    (void)state; /* API-1 */
    float weights[3] = {1.0f, 1.0f, 2.0f};
    const int64_t uids[3] = {5, 6, 7};
    uint16_t out_uids[3];
    uint16_t out_values[3];
    size_t count = 0;
    tally_error error = {0};
    assert_int_equal(tally_weights_normalize(weights, weights, 3, 1.0, &error), TALLY_OK);
    assert_true(weights[2] == 0.5f);
    assert_int_equal(tally_weights_emit(out_uids, out_values, &count, uids, weights, 3, &error),
                     TALLY_OK);
    assert_int_equal(count, 3);
    assert_int_equal(out_values[2], 65535);
    assert_int_equal(tally_weights_normalize(weights, weights, 3, 2.0, &error), TALLY_ERR_RANGE);
    assert_string_equal(error.field, "limit");
    assert_string_equal(tally_code_name(TALLY_ERR_RANGE), "TL_ERR_RANGE");
    assert_string_equal(tally_code_name(-5), "TL_ERR_INTERNAL");
    assert_string_equal(tally_version(), TALLY_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sign_and_verify),
        cmocka_unit_test(what_makes_no_key_is_named),
        cmocka_unit_test(wallets_keep_keys),
        cmocka_unit_test(definitions_are_read_and_described),
        cmocka_unit_test(a_miner_answers_a_validator),
        cmocka_unit_test(wrong_settings_and_queries_are_named),
        cmocka_unit_test(signed_requests_are_verified),
        cmocka_unit_test(weights_and_codes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
