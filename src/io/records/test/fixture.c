/* See fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/records/test/fixture.h"

tl_records *tl_test_records(const tl_sql_world *world)
{
    tl_records *records = NULL;
    tl_test_ok(tl_records_open(&records, &world->options, TL_RECORDS_USE, ctx));
    return records;
}

static const tl_place places[] = {
    {"10001",
     {"New York", 8},
     {"NY", 2},
     {"New York", 8},
     407506,
     -739973,
     420,
     21102,
     16800,
     TL_TIER_PREMIUM,
     TL_REGION_NORTHEAST},
    {"60601",
     {"Chicago", 7},
     {"IL", 2},
     {"Cook", 4},
     418858,
     -876181,
     390,
     9642,
     15600,
     TL_TIER_STANDARD,
     TL_REGION_MIDWEST},
    {"94105",
     {"San Francisco", 13},
     {"CA", 2},
     {"", 0},
     377891,
     -1223942,
     200,
     0,
     0,
     TL_TIER_EMERGING,
     TL_REGION_WEST},
};

void tl_test_epoch(tl_records *records, tl_epoch_state state)
{
    tl_test_ok(tl_records_put_zipcodes(records, places, 3, 5000, ctx));
    tl_record_assignment rows[3];
    for (size_t i = 0; i < 3; i++) {
        rows[i] = (tl_record_assignment){tl_str_from_cstr(places[i].zipcode),
                                         places[i].expected,
                                         places[i].city,
                                         places[i].state,
                                         places[i].county,
                                         places[i].tier,
                                         places[i].region,
                                         i == 2};
    }
    const tl_record_epoch epoch = {.id = TL_TEST_EPOCH,
                                   .profile = TL_STR("tally"),
                                   .state = state,
                                   .start_ms = TL_TEST_START,
                                   .end_ms = TL_TEST_END,
                                   .selection_seed = TL_STR("seed"),
                                   .nonce = TL_STR("0123456789abcdef"),
                                   .nonce_commit = TL_STR("commit"),
                                   .target_listings = 10000,
                                   .tolerance_percent = 10,
                                   .parameters = {(const uint8_t *)"{}", 2}};
    tl_test_ok(tl_records_create_epoch(records, &epoch, rows, 3, NULL, ctx));
}

void tl_test_move(tl_records *records, tl_arena *arena, tl_epoch_state state, uint32_t round,
                  int marks)
{
    tl_record_epoch epoch;
    tl_test_ok(tl_records_get_epoch(records, &epoch, TL_TEST_EPOCH, arena, ctx));
    epoch.state = state;
    epoch.round = round;
    epoch.beacon = marks > 0 ? TL_STR("be") : TL_STR("");
    epoch.beacon_ms = marks > 0;
    epoch.evidence_closed_ms = marks > 1;
    epoch.commits_closed_ms = marks > 2;
    epoch.results_closed_ms = marks > 3;
    tl_test_ok(
        tl_records_update_epoch(records, &epoch, TL_STR("the test"), TL_TEST_END, NULL, ctx));
}

tl_hotkey tl_test_key(uint32_t number)
{
    tl_hotkey key = {{0}};
    for (int i = 0; i < 4; i++) {
        key.b[i] = (uint8_t)(number >> (24 - 8 * i));
    }
    key.b[31] = 0xee;
    return key;
}

tl_hash32 tl_test_hash(uint32_t number)
{
    tl_hash32 hash;
    memset(hash.b, (int)(number & 0xff), sizeof hash.b);
    hash.b[0] = (uint8_t)(number >> 8);
    return hash;
}

tl_record_submission tl_test_submission(uint32_t number, int64_t before_ms)
{
    static tl_record_object objects[3];
    static const char *const codes[] = {"10001", "60601", "10001"};
    for (uint32_t i = 0; i < 3; i++) {
        objects[i] = (tl_record_object){TL_STR("data/x.json"), tl_str_from_cstr(codes[i]),
                                        tl_test_hash(100 + i), 1000 + i, 50 + i};
    }
    return (tl_record_submission){.epoch_id = TL_TEST_EPOCH,
                                  .hotkey = tl_test_key(number),
                                  .coldkey = tl_test_key(number + 1000000),
                                  .uid = number,
                                  .content_hash = tl_test_hash(number),
                                  .received_ms = TL_TEST_END - before_ms,
                                  .metadata = {(const uint8_t *)"{\"a\":1}", 7},
                                  .correlation = TL_STR("c-1"),
                                  .objects = objects,
                                  .object_count = 3};
}
