/* The service over HTTP on loopback, under a clock of the test's own; every answer is held against its schema. Attacked:
 * what a miner must not know yet (COORD-1), a clock that is set back between two reports (COORD-2), acts of people that
 * fail, which must leave no note (COORD-3). */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/access/access.h"
#include "app/coordinator/coordinator.h"
#include "app/data/data.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"
#include "sdk/caller/caller.h"

#define MS_NS   INT64_C(1000000)
#define HOUR_MS INT64_C(3600000)
#define NOON_MS INT64_C(1758283200000)
#define NOON_ID "2025-09-19T12-00-00"

enum { PEERS = 3, SS58_PREFIX = 42 };

static const char *const uris[PEERS] = {"//M1", "//M2", "//V1"};

typedef struct world {
    tl_arena *arena;
    const char *dir;
    tl_manual_clock clock;
    tl_places places;
    tl_keypair *keys[PEERS];
    tl_keypair *own;
    tl_coordinator_settings settings;
    tl_coordinator *coordinator;
    tl_caller *callers[PEERS];
} world;

static tl_api_member member_of(size_t i)
{
    return (tl_api_member){.uid = (uint32_t)i,
                           .coldkey = {.b = {(uint8_t)(i + 1)}},
                           .stake_rao = i == 2 ? INT64_C(100000000000000) : 0,
                           .has_permit = i == 2};
}

static bool find(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    const world *w = self;
    for (size_t i = 0; i < PEERS; i++) {
        if (tl_hotkey_cmp(tl_keypair_public(w->keys[i]), hotkey) == 0) {
            *out = member_of(i);
            return true;
        }
    }
    return false;
}

static size_t list(void *self, tl_keeper_peer *out, size_t cap)
{
    const world *w = self;
    for (size_t i = 0; i < PEERS && i < cap; i++) {
        size_t place = 0; /* by hotkey bytes */
        for (size_t k = 0; k < PEERS; k++) {
            place +=
                tl_hotkey_cmp(tl_keypair_public(w->keys[k]), tl_keypair_public(w->keys[i])) < 0;
        }
        if (place < cap) {
            out[place] = (tl_keeper_peer){*tl_keypair_public(w->keys[i]), member_of(i)};
        }
    }
    return PEERS;
}

static void open_callers(world *w)
{
    for (size_t i = 0; i < PEERS; i++) {
        const tl_caller_options options = {
            .url = tl_str_from_cstr(tl_coordinator_url(w->coordinator)),
            .keypair = w->keys[i],
            .receiver = tl_str_from_cstr(tl_coordinator_ss58(w->coordinator))};
        assert_int_equal(tl_caller_new(&w->callers[i], &options, NULL), TL_OK);
    }
}

/* What the test leaves on the disk goes with it. */
static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int make_world(void **state)
{
    world *w = test_calloc(1, sizeof *w);
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w->dir, w->arena, "/tmp/tally-coordinator", NULL),
                     TL_OK);
    assert_int_equal(
        tl_data_zipcodes(&w->places, w->arena, TL_SOURCE_ROOT "/data/us_zipcodes.csv.gz", NULL),
        TL_OK);
    for (size_t i = 0; i < PEERS; i++) {
        assert_int_equal(
            tl_keypair_from_uri(&w->keys[i], tl_scheme_sr25519(), tl_str_from_cstr(uris[i]), NULL),
            TL_OK);
    }
    assert_int_equal(tl_keypair_from_uri(&w->own, tl_scheme_sr25519(), TL_STR("//Coord"), NULL),
                     TL_OK);
    w->settings = (tl_coordinator_settings){
        .places = &w->places,
        .key = w->own,
        .dir = w->dir,
        .peers_self = w,
        .find = find,
        .peers = list,
        .workers = 2,
        .is_unlimited = true,
        .clock = tl_manual_clock_start(&w->clock, (NOON_MS + HOUR_MS) * MS_NS),
        .is_driven = true,
        .checks_answers = true};
    if (tl_coordinator_new(&w->coordinator, &w->settings, &ctx) != TL_OK ||
        tl_coordinator_start(w->coordinator, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    open_callers(w);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < PEERS; i++) {
        tl_caller_free(w->callers[i]);
        tl_keypair_free(w->keys[i]);
    }
    tl_coordinator_free(w->coordinator);
    tl_keypair_free(w->own);
    remove_tree(w->dir);
    tl_arena_free(w->arena);
    test_free(w);
    return 0;
}

static void turn(world *w)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_coordinator_turn(w->coordinator, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

/* who: an index of uris, or -1: nobody signs. key: X-API-Key, or NULL. */
static tl_caller_answer call(world *w, int who, const char *method, const char *target,
                             const char *body, const char *key)
{
    tl_caller_answer answer;
    const tl_http_header header = {TL_STR("X-API-Key"), tl_str_from_cstr(key)};
    const tl_caller_request request = {.method = tl_str_from_cstr(method),
                                       .target = tl_str_from_cstr(target),
                                       .body = tl_str_bytes(tl_str_from_cstr(body)),
                                       .headers = {&header, key != NULL},
                                       .is_signed = who >= 0};
    assert_int_equal(
        tl_caller_run(w->callers[who >= 0 ? who : 0], &answer, w->arena, &request, 1, NULL), TL_OK);
    assert_int_equal(answer.fault, TL_CLIENT_NONE);
    return answer;
}

static const tl_json *get(world *w, int who, const char *target)
{
    const tl_caller_answer answer = call(w, who, "GET", target, NULL, NULL);
    if (answer.status != 200) {
        fail_msg("%s: %u %.*s", target, answer.status, TL_STR_ARG(answer.message));
    }
    return answer.json;
}

static bool is_null(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    return value != NULL && value->kind == TL_JSON_NULL;
}

/* --- tests --- */

static void every_public_answer_holds_to_its_schema(void **state)
{
    world *w = *state;
    static const char *const targets[] = {
        "/api/v1/info",
        "/structure-info",
        "/commitment-formats",
        "/rate-limits",
        "/api/v1/zipcode-assignments/stats",
        "/api/v1/epochs?limit=1",
        ("/api/v1/epochs/" NOON_ID),
        "/api/v1/leaderboard",
        "/openapi.json",
        "/readyz",
    };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        (void)get(w, -1, targets[i]);
    }
    (void)get(w, 0, "/api/v1/zipcode-assignments/current");
    (void)get(w, 0, "/api/v1/epochs/" NOON_ID "/submissions");
    (void)get(w, 2, "/api/v1/epochs/" NOON_ID "/ballots");
    (void)get(w, 2, "/api/v1/epochs/" NOON_ID "/evidence");
    assert_int_equal(call(w, -1, "GET", "/api/v1/epochs/" NOON_ID "/results", NULL, NULL).status,
                     404);
    assert_int_equal(call(w, 0, "GET", "/api/v1/epochs/" NOON_ID "/ballots", NULL, NULL).status,
                     403);
    assert_int_equal(call(w, 2, "POST", "/get-validator-access", "{}", NULL).status, 404);
    assert_int_equal(call(w, 2, "POST", "/api/v1/s3-access/validator-upload",
                          "{\"epochId\":\"" NOON_ID "\",\"purpose\":\"results\"}", NULL)
                         .status,
                     200);
}

/* COORD-1 */
static void what_a_miner_must_not_know_comes_at_its_time(void **state)
{
    world *w = *state;
    const tl_caller_answer a = call(w, 0, "GET", "/api/v1/zipcode-assignments/current", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_null(memmem(a.body.ptr, a.body.len, "oneypot", 7));
    assert_null(tl_json_get(a.json, "nonce"));
    const tl_json *epoch = get(w, 0, "/api/v1/epochs/" NOON_ID);
    assert_true(is_null(epoch, "nonce") && is_null(epoch, "honeypotZipcodes") &&
                is_null(epoch, "zipcodes") && is_null(epoch, "drawSecret") &&
                is_null(epoch, "beacon"));
    tl_manual_clock_step(&w->clock, HOUR_MS * MS_NS);
    turn(w); /* the next epoch is prepared: nobody hears for what */
    epoch = get(w, 0, "/api/v1/epochs/2025-09-19T16-00-00");
    assert_true(is_null(epoch, "selectionSeed") && is_null(epoch, "zipcodes"));
    assert_int_equal(
        call(w, 2, "GET", "/api/v1/zipcode-assignments/epoch/2025-09-19T16-00-00", NULL, NULL)
            .status,
        409);
    tl_manual_clock_step(&w->clock, 2 * HOUR_MS * MS_NS);
    turn(w);
    epoch = get(w, 0, "/api/v1/epochs/" NOON_ID);
    tl_str nonce;
    tl_str commit;
    tl_hash32 hash;
    char hex[65];
    assert_int_equal(tl_json_want_str(&nonce, epoch, "nonce", NULL), TL_OK);
    assert_int_equal(tl_json_want_str(&commit, epoch, "nonceCommit", NULL), TL_OK);
    tl_sha256(&hash, nonce.ptr, nonce.len);
    tl_hex_write(hex, hash.b, sizeof hash.b);
    assert_true(tl_str_eq_cstr(commit, hex));
    assert_in_range(tl_json_get(epoch, "honeypotZipcodes")->count, 1, 3);
    (void)get(w, 2, "/api/v1/zipcode-assignments/epoch/" NOON_ID);
}

/* Objects and metadata.json of a miner, put where its form would put them. */
static void upload(world *w, size_t i, const char *zipcode)
{
    tl_objects *objects = NULL;
    const char *folder;
    char ss58[TL_SS58_CAP];
    char key[256];
    char text[1024];
    tl_hash32 hash;
    char hex[65];
    assert_int_equal(tl_sys_join(&folder, w->arena, w->dir, "objects", NULL), TL_OK);
    const tl_objects_options options = {.dir = folder};
    assert_int_equal(tl_objects_open(&objects, &options, NULL), TL_OK);
    (void)tl_ss58_encode(ss58, tl_keypair_public(w->keys[i]), SS58_PREFIX);
    (void)tl_str_print(key, sizeof key, "data/hotkey=%s/epoch=" NOON_ID "/data.json", ss58);
    assert_int_equal(tl_objects_put(objects, NULL, tl_str_from_cstr(key),
                                    tl_str_bytes(TL_STR("{}")), NULL, NULL),
                     TL_OK);
    tl_sha256(&hash, "{}", 2);
    tl_hex_write(hex, hash.b, sizeof hash.b);
    (void)tl_str_print(text, sizeof text,
                       "{\"epochId\":\"" NOON_ID
                       "\",\"hotkey\":\"%s\",\"objects\":[{\"key\":\"%s\","
                       "\"zipcode\":\"%s\",\"sha256\":\"%s\",\"bytes\":2,\"rows\":0}]}",
                       ss58, key, zipcode, hex);
    (void)tl_str_print(key, sizeof key, "data/hotkey=%s/epoch=" NOON_ID "/metadata.json", ss58);
    assert_int_equal(tl_objects_put(objects, NULL, tl_str_from_cstr(key),
                                    tl_str_bytes(tl_str_from_cstr(text)), NULL, NULL),
                     TL_OK);
    tl_objects_close(objects);
}

static const char *report(world *w, size_t i)
{
    tl_str at;
    const char *text;
    const tl_caller_answer a = call(
        w, (int)i, "POST", "/api/v1/zipcode-assignments/status",
        "{\"epochId\":\"" NOON_ID "\",\"status\":\"COMPLETED\",\"s3UploadComplete\":true}", NULL);
    if (a.status != 200) {
        fail_msg("%u %.*s", a.status, TL_STR_ARG(a.message));
    }
    assert_int_equal(tl_json_want_str(&at, tl_json_get(a.json, "submission"), "receivedAt", NULL),
                     TL_OK);
    assert_int_equal(tl_str_copy_cstr(&text, w->arena, at, NULL), TL_OK);
    return text;
}

/* COORD-2 */
static void a_clock_that_is_set_back_gives_nobody_a_better_place(void **state)
{
    world *w = *state;
    tl_str zipcode;
    const tl_json *a = get(w, 0, "/api/v1/zipcode-assignments/current");
    assert_int_equal(
        tl_json_want_str(&zipcode, &tl_json_get(a, "zipcodes")->items[0], "zipcode", NULL), TL_OK);
    const char *code;
    assert_int_equal(tl_str_copy_cstr(&code, w->arena, zipcode, NULL), TL_OK);
    upload(w, 0, code);
    upload(w, 1, code);
    const char *first = report(w, 0);
    w->clock.wall_ns -= HOUR_MS / 2 * MS_NS;
    const char *second = report(w, 1);
    assert_true(strcmp(first, second) <= 0);
    assert_string_equal(report(w, 0), first);
    assert_int_equal(
        tl_json_get(get(w, 0, "/api/v1/epochs/" NOON_ID "/submissions"), "items")->count, 1);
}

static const char *admin_key(world *w)
{
    tl_records *records = NULL;
    tl_access *access = NULL;
    tl_access_new_key made;
    const char *key;
    const tl_access_actor actor = {.name = TL_STR("test")};
    tl_sql_options sql = {.path = NULL};
    assert_int_equal(tl_sys_join(&sql.path, w->arena, w->dir, TL_RECORDS_FILE, NULL), TL_OK);
    assert_int_equal(tl_records_open(&records, &sql, TL_RECORDS_STRICT, NULL), TL_OK);
    const tl_access_options options = {
        .dir = w->dir, .records = records, .clock = w->settings.clock};
    assert_int_equal(tl_access_open(&access, &options, NULL), TL_OK);
    assert_int_equal(tl_access_make_key(access, records, &made, w->arena, TL_STR("admin"),
                                        TL_STR("test"), &actor, NULL),
                     TL_OK);
    assert_int_equal(tl_str_copy_cstr(&key, w->arena, made.key, NULL), TL_OK);
    tl_access_close(access);
    tl_records_close(records);
    return key;
}

static uint32_t count_acts(world *w, const char *key)
{
    const tl_caller_answer a = call(w, -1, "GET", "/api/v1/admin/audit", NULL, key);
    assert_int_equal(a.status, 200);
    return tl_json_get(a.json, "items")->count;
}

/* COORD-3 */
static void an_act_is_noted_or_did_not_happen(void **state)
{
    world *w = *state;
    const char *key = admin_key(w);
    const char *extend = "/api/v1/admin/epochs/" NOON_ID "/extend";
    const char *body = "{\"seconds\":600,\"reason\":\"a test\"}";
    assert_int_equal(call(w, -1, "POST", "/api/v1/admin/keys", "{\"scopes\":\"read\"}", key).status,
                     201);
    assert_int_equal(count_acts(w, key), 2);
    tl_caller_answer a = call(w, -1, "POST", extend, body, key);
    assert_int_equal(a.status, 200);
    assert_int_equal(count_acts(w, key), 3);
    turn(w);
    const tl_json *epoch = get(w, 0, "/api/v1/epochs/" NOON_ID);
    assert_int_equal(tl_json_get(epoch, "extensions")->count, 1);
    tl_manual_clock_step(&w->clock, (3 * HOUR_MS + 600000) * MS_NS);
    turn(w); /* now it is over */
    assert_int_equal(call(w, -1, "POST", extend, body, key).status, 409);
    assert_int_equal(count_acts(w, key), 3);
    a = call(w, -1, "POST", "/api/v1/admin/epochs/" NOON_ID "/void", "{\"reason\":\"a test\"}",
             key);
    assert_int_equal(a.status, 200);
    assert_int_equal(
        call(w, -1, "POST", "/api/v1/admin/epochs/" NOON_ID "/void", "{\"reason\":\"a test\"}", key)
            .status,
        409);
    assert_int_equal(count_acts(w, key), 4);
    turn(w);
    epoch = get(w, 0, "/api/v1/epochs/" NOON_ID);
    assert_true(tl_str_eq_cstr(tl_json_get(epoch, "state")->text, "failed"));
}

static size_t count_objects(world *w, const char *prefix)
{
    tl_objects *objects = NULL;
    tl_objects_page page;
    const char *folder;
    assert_int_equal(tl_sys_join(&folder, w->arena, w->dir, "objects", NULL), TL_OK);
    const tl_objects_options options = {.dir = folder};
    assert_int_equal(tl_objects_open(&objects, &options, NULL), TL_OK);
    assert_int_equal(tl_objects_list(objects, &page, w->arena, tl_str_from_cstr(prefix),
                                     (tl_str){NULL, 0}, 0, NULL),
                     TL_OK);
    tl_objects_close(objects);
    return page.count;
}

static void old_objects_go_by_their_rules(void **state)
{
    world *w = *state;
    tl_str zipcode;
    const char *code;
    const tl_clock clock = tl_sys_clock(); /* files are as old as the machine says */
    const tl_json *a = get(w, 0, "/api/v1/zipcode-assignments/current");
    assert_int_equal(
        tl_json_want_str(&zipcode, &tl_json_get(a, "zipcodes")->items[0], "zipcode", NULL), TL_OK);
    assert_int_equal(tl_str_copy_cstr(&code, w->arena, zipcode, NULL), TL_OK);
    upload(w, 0, code);
    (void)report(w, 0);
    w->clock.wall_ns = tl_clock_wall_ns(&clock) + 7 * TL_DAY_MS * MS_NS;
    assert_int_equal(tl_coordinator_tend(w->coordinator, NULL), TL_OK);
    assert_int_equal(count_objects(w, "data/"), 2);
    w->clock.wall_ns += 2 * TL_DAY_MS * MS_NS;
    assert_int_equal(tl_coordinator_tend(w->coordinator, NULL), TL_OK);
    assert_int_equal(count_objects(w, "data/"), 0);
    assert_int_equal(count_objects(w, "kept/"), 2);
    w->clock.wall_ns += 22 * TL_DAY_MS * MS_NS;
    assert_int_equal(tl_coordinator_tend(w->coordinator, NULL), TL_OK);
    assert_int_equal(count_objects(w, "kept/"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_public_answer_holds_to_its_schema),
        TEST(what_a_miner_must_not_know_comes_at_its_time),
        TEST(a_clock_that_is_set_back_gives_nobody_a_better_place),
        TEST(an_act_is_noted_or_did_not_happen),
        TEST(old_objects_go_by_their_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
