/* Attacks the made world: numbers that tell, traps that the market knows, a house in two slots, time that changes the past,
 * and the server with questions that nobody should ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/market/market.h"
#include "sdk/caller/caller.h"

#define NOW_MS    INT64_C(1790000000000)
#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)

static const tl_place places[] = {{.zipcode = "10001",
                                   .city = {"New York", 8},
                                   .state = {"NY", 2},
                                   .latitude_e4 = 407484,
                                   .longitude_e4 = -739967,
                                   .expected = 400},
                                  {.zipcode = "98103",
                                   .city = {"Seattle", 7},
                                   .state = {"WA", 2},
                                   .latitude_e4 = 476733,
                                   .longitude_e4 = -1223426,
                                   .expected = 300}};

static const tl_market market = {7, places, 2};

static void print_item(char out[32], uint64_t number)
{
    (void)tl_str_print(out, 32, "%llu", (unsigned long long)number);
}

static void test_a_slot_has_one_house_that_can_be_found(void **state)
{
    (void)state;
    size_t here = 0;
    for (uint32_t slot = 0; slot < 400; slot++) {
        tl_market_item item;
        tl_market_item again;
        char id[32];
        if (!tl_market_at(&item, &market, &places[0], slot, NOW_MS)) {
            continue;
        }
        here++;
        print_item(id, item.number);
        assert_int_equal(tl_market_find(&again, &market, tl_str_from_cstr(id), NOW_MS),
                         TL_MARKET_HERE);
        assert_int_equal(memcmp(&item, &again, sizeof item), 0); /* MARKET-2 */
        assert_true(item.listed_ms <= NOW_MS && NOW_MS < item.gone_ms);
        assert_int_equal(
            tl_market_find(&again, &market, tl_str_from_cstr(id), item.gone_ms + MINUTE_MS),
            TL_MARKET_GONE);
        assert_int_equal(
            tl_market_find(&again, &market, tl_str_from_cstr(id), item.listed_ms - MINUTE_MS),
            TL_MARKET_UNKNOWN);
        assert_true(item.price >= 10000 && item.price <= 50000000);
        assert_true(item.sqft >= 100 && item.bedrooms >= 1 && item.bedrooms <= 20);
    }
    assert_in_range(here, 375, 400);
}

static void test_changes_little_in_an_epoch_and_much_in_a_season(void **state)
{
    (void)state;
    size_t same[3] = {0, 0, 0};
    static const int64_t later[3] = {4 * 60 * MINUTE_MS, 5 * DAY_MS, 90 * DAY_MS};
    for (uint32_t slot = 0; slot < 300; slot++) {
        tl_market_item a;
        tl_market_item b;
        for (size_t i = 0; i < 3; i++) {
            same[i] += tl_market_at(&a, &market, &places[1], slot, NOW_MS) &&
                       tl_market_at(&b, &market, &places[1], slot, NOW_MS + later[i]) &&
                       a.number == b.number;
        }
    }
    assert_in_range(same[0], 275, 299);
    assert_true(same[1] < same[0] && same[1] > 200);
    assert_true(same[2] < 20);
}

static void test_traps_are_unknown_and_look_alike(void **state)
{
    (void)state;
    char id[32];
    tl_market_item item;
    tl_market_item trap;
    for (uint32_t i = 0; i < tl_market_trap_count(&places[0]); i++) {
        tl_market_trap(&trap, &market, &places[0], i, NOW_MS);
        print_item(id, trap.number);
        assert_int_equal(tl_market_find(&item, &market, tl_str_from_cstr(id), NOW_MS),
                         TL_MARKET_UNKNOWN); /* MARKET-3 */
        assert_true(trap.listed_ms <= NOW_MS && trap.gone_ms > NOW_MS);
        assert_true(trap.number >> 54 == 0);
    }
    /* MARKET-1: the numbers of traps and of houses lie in the same range, about evenly. */
    size_t low[2] = {0, 0};
    for (uint32_t i = 0; i < 400; i++) {
        low[0] += tl_market_at(&item, &market, &places[0], i, NOW_MS) && item.number < 1ull << 53;
    }
    for (uint32_t i = 0; i < tl_market_trap_count(&places[0]); i++) {
        tl_market_trap(&trap, &market, &places[0], i, NOW_MS);
        low[1] += trap.number < 1ull << 53;
    }
    assert_in_range(low[0], 150, 250);
    assert_in_range(low[1], 1, tl_market_trap_count(&places[0]) - 1);
}

static void test_pages_hold_everything_once(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    size_t count[2] = {0, 0};
    for (int is_mirror = 0; is_mirror < 2; is_mirror++) {
        tl_str cursor = {NULL, 0};
        for (int pages = 0; pages < 20; pages++) {
            tl_str text;
            const tl_json *page = NULL;
            assert_int_equal(tl_market_page(&text, arena, &market, TL_STR("98103"), 100, cursor,
                                            is_mirror == 1, NOW_MS, NULL),
                             TL_OK);
            assert_int_equal(tl_json_parse(&page, arena, text, NULL, NULL), TL_OK);
            count[is_mirror] += tl_json_get(page, "items")->count;
            const tl_json *next = tl_json_get(page, "next_cursor");
            if (next->kind == TL_JSON_NULL) {
                break;
            }
            cursor = next->text;
        }
    }
    assert_in_range(count[0], 280, 300);
    assert_in_range(count[1], 280, 300 + tl_market_trap_count(&places[1]));
    tl_str text;
    assert_int_equal(tl_market_page(&text, arena, &market, TL_STR("00000"), 1, (tl_str){NULL, 0},
                                    false, NOW_MS, NULL),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_market_page(&text, arena, &market, TL_STR("98103"), 1, TL_STR("9999"),
                                    false, NOW_MS, NULL),
                     TL_ERR_SYNTAX);
    tl_arena_free(arena);
}

static void ask(tl_caller *caller, tl_arena *arena, const char *target, uint16_t status)
{
    tl_caller_answer answer;
    const tl_caller_request r = {.target = tl_str_from_cstr(target)};
    assert_int_equal(tl_caller_call(caller, &answer, arena, &r, NULL), TL_OK);
    if (answer.status != status) {
        fail_msg("%s: %u, not %u", target, answer.status, status);
    }
}

static void test_serves_and_fails_on_purpose(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    tl_market_server *server = NULL;
    tl_market_options options = {0};
    assert_int_equal(tl_market_server_start(&server, &market, &options, NULL), TL_OK);
    char url[64];
    (void)tl_str_print(url, sizeof url, "http://127.0.0.1:%u", tl_market_server_port(server));
    tl_caller *caller = NULL;
    const tl_caller_options to = {.url = tl_str_from_cstr(url)};
    assert_int_equal(tl_caller_new(&caller, &to, NULL), TL_OK);
    ask(caller, arena, "/healthz", 200);
    ask(caller, arena, "/v1/listings?zipcode=98103&limit=200", 200);
    ask(caller, arena, "/v1/mirror?zipcode=98103", 200);
    ask(caller, arena, "/metrics", 200);
    ask(caller, arena, "/v1/listings?zipcode=98103&limit=0", 400);
    ask(caller, arena, "/v1/listings?zipcode=98103&limit=201", 400);
    ask(caller, arena, "/v1/listings?zipcode=98103&cursor=x", 400);
    ask(caller, arena, "/v1/listings?zipcode=11111", 404);
    ask(caller, arena, "/v1/listings", 400);
    ask(caller, arena, "/v1/listings/1", 404);
    ask(caller, arena, "/v1/listings/99999999999999999999999", 404);
    ask(caller, arena, "/nothing", 404);
    tl_market_server_free(server);
    options.fail_millionths = 1000000;
    assert_int_equal(tl_market_server_start(&server, &market, &options, NULL), TL_OK);
    tl_caller_free(caller);
    (void)tl_str_print(url, sizeof url, "http://127.0.0.1:%u", tl_market_server_port(server));
    assert_int_equal(tl_caller_new(&caller, &to, NULL), TL_OK);
    tl_caller_request many[24];
    tl_caller_answer answers[24];
    for (size_t i = 0; i < 24; i++) {
        many[i] = (tl_caller_request){.target = TL_STR("/v1/listings?zipcode=98103")};
    }
    assert_int_equal(tl_caller_run(caller, answers, arena, many, 24, NULL), TL_OK);
    size_t count[3] = {0, 0, 0};
    for (size_t i = 0; i < 24; i++) {
        count[0] += answers[i].status == 500;
        count[1] += answers[i].status == 429;
        count[2] += answers[i].status == 200;
    }
    assert_int_equal(count[0] + count[1] + count[2], 24);
    assert_true(count[0] > 0 && count[1] > 0 && count[2] > 0);
    tl_caller_free(caller);
    tl_market_server_free(server);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slot_has_one_house_that_can_be_found),
        cmocka_unit_test(test_changes_little_in_an_epoch_and_much_in_a_season),
        cmocka_unit_test(test_traps_are_unknown_and_look_alike),
        cmocka_unit_test(test_pages_hold_everything_once),
        cmocka_unit_test(test_serves_and_fails_on_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
