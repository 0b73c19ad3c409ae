/* Attacks a coordinator's view: another hotkey under the same address, answers that are no coordinator's, assignments with
 * every member missing, of another kind or out of range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/peer/peer.h"
#include "io/net/client/test/scripted.h"
#include "io/sys/sys.h"

#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB   "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define INFO(hotkey)                                                                               \
    "{\"hotkey\":\"" hotkey "\",\"subnet\":\"listings\",\"profile\":\"tally\",\"netuid\":46,"      \
    "\"epochSeconds\":14400,\"time\":\"2026-01-01T00:00:00.000Z\",\"version\":\"0\"}"
#define ZIP                                                                                        \
    "{\"zipcode\":\"98103\",\"expectedListings\":300,\"state\":\"WA\",\"city\":\"Seattle\","       \
    "\"county\":\"King\"}"
#define ASSIGNMENT(id, start, zips)                                                                \
    "{\"epochId\":" id ",\"epochStart\":" start ",\"epochEnd\":\"2026-01-01T04:00:00.000Z\","      \
    "\"submissionDeadline\":\"2026-01-01T04:00:00.000Z\",\"zipcodes\":" zips "}"
#define ID    "\"2026-01-01T00-00-00\""
#define START "\"2026-01-01T00:00:00.000Z\""

typedef struct world {
    scripted *server;
    tl_arena *arena;
    tl_keypair *key;
    const char *dir;
    char url[64];
    char answers_of[64][2048]; /* by request: a connection sends while another asks */
    const char *info;
    const char *assignment;
    unsigned answers; /* to the assignments' question */
} world;

static void play(void *self, const scripted_request *request, scripted_act *act)
{
    world *w = (world *)self;
    const bool is_info = tl_str_starts_with(request->head, TL_STR("GET /api/v1/info"));
    const char *body = is_info ? w->info : w->assignment;
    w->answers += !is_info;
    char *answer = w->answers_of[request->index % 64];
    (void)tl_str_print(answer, sizeof w->answers_of[0],
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                       "%zu\r\n\r\n%s",
                       strlen(body), body);
    act->bytes = answer;
}

static int set_up(void **state)
{
    static world w;
    memset(&w, 0, sizeof w);
    w.server = scripted_start(play, &w);
    w.info = INFO(ALICE);
    assert_int_equal(tl_arena_new(&w.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&w.key, tl_scheme_sr25519(), TL_STR("//Bob"), NULL),
                     TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w.dir, w.arena, "/tmp/tally-peer", NULL), TL_OK);
    (void)tl_str_print(w.url, sizeof w.url, "http://127.0.0.1:%u", scripted_port(w.server));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = (world *)*state;
    scripted_stop(w->server);
    tl_keypair_free(w->key);
    tl_arena_free(w->arena);
    return 0;
}

static tl_err visit(world *w, tl_peer *peer, const char *receiver, tl_errctx *ctx)
{
    const tl_peer_options options = {.url = tl_str_from_cstr(w->url),
                                     .receiver = receiver != NULL ? tl_str_from_cstr(receiver)
                                                                  : (tl_str){NULL, 0},
                                     .keypair = w->key,
                                     .dir = w->dir};
    return tl_peer_open(peer, &options, ctx);
}

static void test_another_hotkey_is_refused(void **state)
{
    world *w = (world *)*state;
    tl_peer peer;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(visit(w, &peer, NULL, &ctx), TL_OK);
    assert_string_equal(peer.hotkey, ALICE);
    assert_string_equal(peer.own_ss58, BOB);
    assert_int_equal(peer.epoch_seconds, 14400);
    tl_peer_close(&peer);
    w->info = INFO(BOB);
    assert_int_equal(visit(w, &peer, NULL, &ctx), TL_ERR_REFUSED); /* PEER-1 */
    assert_int_equal(visit(w, &peer, ALICE, &ctx), TL_ERR_REFUSED);
    assert_int_equal(visit(w, &peer, BOB, &ctx), TL_OK); /* whoever says so knows it */
    tl_peer_close(&peer);
    w->info = INFO(ALICE);
    assert_int_equal(visit(w, &peer, NULL, &ctx), TL_OK);
    tl_peer_close(&peer);
}

static void test_what_is_no_coordinator(void **state)
{
    world *w = (world *)*state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "null",
        "no json",
        INFO("5short"),
        "{\"hotkey\":1}",
        "{\"hotkey\":\"" ALICE "\",\"subnet\":\"listings\",\"profile\":\"tally\",\"netuid\":46,"
        "\"epochSeconds\":0,\"time\":\"2026-01-01T00:00:00Z\"}",
        "{\"hotkey\":\"" ALICE "\",\"subnet\":\"listings\",\"profile\":\"tally\",\"netuid\":46,"
        "\"epochSeconds\":60,\"time\":\"soon\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_peer peer;
        w->info = bad[i];
        assert_true(visit(w, &peer, NULL, NULL) != TL_OK);
    }
}

static void test_assignments_of_any_kind(void **state)
{
    world *w = (world *)*state;
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {{ASSIGNMENT(ID, START, "[" ZIP "]"), true},
                 {ASSIGNMENT(ID, START, "[]"), true},
                 {ASSIGNMENT("7", START, "[" ZIP "]"), false},
                 {ASSIGNMENT("\"\"", START, "[" ZIP "]"), false},
                 {ASSIGNMENT(ID, "\"soon\"", "[" ZIP "]"), false},
                 {ASSIGNMENT(ID, "\"2027-01-01T00:00:00Z\"", "[" ZIP "]"), false},
                 {ASSIGNMENT(ID, START, "{}"), false},
                 {ASSIGNMENT(ID, START, "[7]"), false},
                 {ASSIGNMENT(ID, START, "[{\"zipcode\":\"98103\"}]"), false},
                 {ASSIGNMENT(ID, START,
                             "[{\"zipcode\":\"../..\",\"expectedListings\":3,\"state\":\"\","
                             "\"city\":\"\",\"county\":\"\"}]"),
                  false},
                 {ASSIGNMENT(ID, START,
                             "[{\"zipcode\":\"98103\",\"expectedListings\":99999999999,\"state\":"
                             "\"\",\"city\":\"\",\"county\":\"\"}]"),
                  false},
                 {"{}", false}};
    tl_peer peer;
    assert_int_equal(visit(w, &peer, NULL, NULL), TL_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_peer_assignment a;
        const unsigned before = w->answers;
        w->assignment = cases[i].text;
        const tl_err err = tl_peer_assignments(&peer, &a, w->arena, NULL);
        if ((err == TL_OK) != cases[i].is_good) {
            fail_msg("case %zu: %d", i, err);
        }
        assert_int_equal(w->answers, before + 1); /* PEER-2: an answer, good or bad, is one */
    }
    tl_peer_close(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_another_hotkey_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_coordinator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_assignments_of_any_kind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
