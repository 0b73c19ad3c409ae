/* Attacks the miner: a source that fails in the middle, a coordinator that says yes without an acknowledgement, a second
 * life in the same folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/miner/miner.h"
#include "io/net/client/test/scripted.h"
#include "io/sys/sys.h"

#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define ROWS  20
#define HASH  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

typedef struct world {
    scripted *server;
    tl_arena *arena;
    tl_keypair *key;
    tl_peer peer;
    tl_source *source;
    const char *dir;
    char answers_of[64][4096]; /* by request: a connection sends while another asks */
    char metadata[8192];
    const char *status_answer;
    unsigned uploads; /* of objects; metadata.json is not counted */
    unsigned collected;
    bool source_fails; /* for the second zipcode */
    tl_miner_epoch told;
} world;

static const tl_place places[] = {{.zipcode = "98101", .expected = ROWS},
                                  {.zipcode = "98102", .expected = ROWS}};

static const char *body_of(world *w, const scripted_request *r)
{
    static char form[512];
    if (tl_str_starts_with(r->head, TL_STR("GET /api/v1/info"))) {
        return "{\"hotkey\":\"" ALICE "\",\"subnet\":\"listings\",\"profile\":\"tally\",\"netuid\":"
               "46,\"epochSeconds\":60,\"time\":\"2026-01-01T00:00:01.000Z\"}";
    }
    if (tl_str_starts_with(r->head, TL_STR("POST /get-folder-access"))) {
        (void)tl_str_print(form, sizeof form,
                           "{\"url\":\"http://127.0.0.1:%u/objects\",\"fields\":{\"key\":\"d/"
                           "${filename}\",\"policy\":\"p\"},\"folder\":\"d/\",\"expiry\":\"2030-01-"
                           "01T00:00:00Z\"}",
                           scripted_port(w->server));
        return form;
    }
    if (tl_str_starts_with(r->head, TL_STR("POST /objects"))) {
        const bool is_metadata = memmem(r->body.ptr, r->body.len, "/metadata.json", 14) != NULL;
        w->uploads += !is_metadata;
        if (is_metadata) {
            (void)tl_str_print(w->metadata, sizeof w->metadata, "%.*s", TL_STR_ARG(r->body));
        }
        return "{}";
    }
    return w->status_answer;
}

static void play(void *self, const scripted_request *request, scripted_act *act)
{
    world *w = (world *)self;
    const char *body = body_of(w, request);
    char *answer = w->answers_of[request->index % 64];
    (void)tl_str_print(answer, sizeof w->answers_of[0],
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                       "%zu\r\n\r\n%s",
                       strlen(body), body);
    act->bytes = answer;
}

static tl_err collect(void *self, tl_source_batch *out, tl_arena *arena, tl_str zipcode,
                      bool is_mirror, tl_errctx *ctx)
{
    world *w = (world *)self;
    tl_sb sb;
    tl_str text;
    const tl_json *json = NULL;
    (void)is_mirror;
    w->collected++;
    if (w->source_fails && tl_str_eq_cstr(zipcode, "98102")) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "half of it, then nothing");
    }
    tl_sb_init(&sb, arena);
    tl_sb_put_char(&sb, '[');
    for (int i = 0; i < ROWS; i++) {
        tl_sb_printf(
            &sb,
            "%s{\"zpid\":\"%d\",\"address\":\"%d Oak St, Seattle, WA %.*s\",\"price\":"
            "500000,\"bedrooms\":3,\"bathrooms\":2,\"sqft\":1800,\"listing_date\":\"2025-"
            "12-01\",\"property_type\":\"CONDO\",\"listing_status\":\"FOR_SALE\",\"days_on_"
            "market\":4,\"mls_id\":\"M%d\",\"source_url\":\"https://h.example/%d\"}",
            i > 0 ? "," : "", i, 100 + i, TL_STR_ARG(zipcode), i, i);
    }
    tl_sb_put_char(&sb, ']');
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl_json_parse(&json, arena, text, NULL, ctx));
    const tl_json **items = TL_NEW(arena, const tl_json *, json->count);
    for (uint32_t i = 0; items != NULL && i < json->count; i++) {
        items[i] = &json->items[i];
    }
    *out = (tl_source_batch){items, NULL, json->count};
    return TL_OK;
}

static int set_up(void **state)
{
    static world w;
    memset(&w, 0, sizeof w);
    tl_errctx ctx = TL_ERRCTX_INIT;
    char url[64];
    w.server = scripted_start(play, &w);
    w.status_answer = "{\"success\":true,\"submission\":{\"contentHash\":\"" HASH
                      "\",\"receivedAt\":\"2026-01-01T00:00:05.000Z\",\"objects\":2}}";
    assert_int_equal(tl_arena_new(&w.arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&w.key, tl_scheme_sr25519(), TL_STR("//Bob"), NULL),
                     TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w.dir, w.arena, "/tmp/tally-miner", NULL), TL_OK);
    (void)tl_str_print(url, sizeof url, "http://127.0.0.1:%u", scripted_port(w.server));
    const tl_peer_options peer = {.url = tl_str_from_cstr(url), .keypair = w.key, .dir = w.dir};
    if (tl_peer_open(&w.peer, &peer, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    const tl_source_options source = {.collect = collect, .self = &w};
    assert_int_equal(tl_source_open(&w.source, &source, NULL), TL_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = (world *)*state;
    tl_source_close(w->source);
    tl_peer_close(&w->peer);
    scripted_stop(w->server);
    tl_keypair_free(w->key);
    tl_arena_free(w->arena);
    return 0;
}

static void mine(world *w, tl_err expected)
{
    const int64_t now_ms = tl_peer_now_ms(&w->peer);
    const tl_miner_options options = {.peer = &w->peer, .source = w->source, .dir = w->dir};
    const tl_peer_assignment assignment = {.epoch_id = TL_STR("2026-01-01T00-00-00"),
                                           .start_ms = now_ms - 1000,
                                           .end_ms = now_ms + 3000,
                                           .deadline_ms = now_ms + 3000,
                                           .places = places,
                                           .place_count = 2};
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_miner_once(&w->told, w->arena, &options, &assignment, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    if (w->told.err != expected) {
        fail_msg("%d, not %d: %s", w->told.err, expected, w->told.error);
    }
}

static void test_a_second_life_does_not_work_twice(void **state)
{
    world *w = (world *)*state;
    mine(w, TL_OK);
    assert_int_equal(w->uploads, 2);
    assert_int_equal(w->told.zipcodes, 2);
    assert_int_equal(w->told.listings, 2 * ROWS);
    const unsigned collected = w->collected;
    mine(w, TL_OK);
    assert_int_equal(w->uploads, 2); /* MINER-1 */
    assert_int_equal(w->collected, collected);
    assert_int_equal(w->told.listings, 2 * ROWS);
}

static void test_yes_is_no_acknowledgement(void **state)
{
    world *w = (world *)*state;
    static const char *const answers[] = {
        "{\"success\":true}", "{\"success\":true,\"submission\":null}",
        "{\"success\":true,\"submission\":{\"contentHash\":\"abc\",\"receivedAt\":\"x\"}}", "[]"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        w->status_answer = answers[i];
        const tl_miner_options options = {.peer = &w->peer, .source = w->source, .dir = w->dir};
        const int64_t now_ms = tl_peer_now_ms(&w->peer);
        const tl_peer_assignment assignment = {.epoch_id = TL_STR("2026-01-01T00-00-00"),
                                               .start_ms = now_ms - 1000,
                                               .end_ms = now_ms + 3000,
                                               .deadline_ms = now_ms + 3000,
                                               .places = places,
                                               .place_count = 2};
        assert_int_equal(tl_miner_once(&w->told, w->arena, &options, &assignment, NULL), TL_OK);
        assert_true(w->told.err != TL_OK); /* MINER-2 */
        assert_string_equal(w->told.status, "FAILED");
        assert_false(w->told.has_content_hash);
    }
}

static void test_half_a_zipcode_is_not_handed_in(void **state)
{
    world *w = (world *)*state;
    w->source_fails = true;
    mine(w, TL_OK);
    assert_int_equal(w->told.zipcodes, 1);
    assert_non_null(strstr(w->metadata, "98101"));
    assert_null(strstr(w->metadata, "98102")); /* MINER-3 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_second_life_does_not_work_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_yes_is_no_acknowledgement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_zipcode_is_not_handed_in, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
