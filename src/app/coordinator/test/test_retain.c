/* Attacks retention: what is a day too young must stay, what is a day too old must go, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "app/coordinator/coordinator_internal.h"
#include "app/data/data.h"
#include "io/sys/sys.h"

#define DAY_S INT64_C(86400)

static bool find_nobody(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    (void)self;
    (void)out;
    (void)hotkey;
    return false;
}

static size_t list_nobody(void *self, tl_keeper_peer *out, size_t cap)
{
    (void)self;
    (void)out;
    (void)cap;
    return 0;
}

static void put(tl_coordinator *c, const char *key)
{
    assert_int_equal(tl_objects_put(c->objects, NULL, tl_str_from_cstr(key),
                                    tl_str_bytes(TL_STR("x")), NULL, NULL),
                     TL_OK);
}

static bool is_there(tl_coordinator *c, const char *key)
{
    tl_objects_info info;
    return tl_objects_head(c->objects, &info, tl_str_from_cstr(key), NULL) == TL_OK;
}

static void test_by_age_and_kind(void **state)
{
    (void)state;
    tl_arena *arena = NULL;
    tl_keypair *key = NULL;
    tl_coordinator *c = NULL;
    tl_places places;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&key, tl_scheme_sr25519(), TL_STR("//C"), NULL), TL_OK);
    assert_int_equal(
        tl_data_zipcodes(&places, arena, TL_SOURCE_ROOT "/data/us_zipcodes.csv.gz", NULL), TL_OK);
    tl_coordinator_settings s = {.places = &places,
                                 .key = key,
                                 .find = find_nobody,
                                 .peers = list_nobody,
                                 .is_driven = true};
    assert_int_equal(tl_sys_make_fresh_dir(&s.dir, arena, "/tmp/tally-retain", NULL), TL_OK);
    if (tl_coordinator_new(&c, &s, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    static const char *const keys[] = {"data/hotkey=a/o.json", "kept/sha256/ab/abcd",
                                       "validators/v/o.json", "other/o.json"};
    /* Days after which the first, the first two … are gone; the last is nobody's and stays. */
    static const struct {
        int64_t days;
        size_t gone;
    } steps[] = {{7, 0}, {9, 1}, {29, 1}, {31, 2}, {179, 2}, {181, 3}, {4000, 3}};
    for (size_t i = 0; i < 4; i++) {
        put(c, keys[i]);
    }
    const tl_clock clock = tl_sys_clock();
    const int64_t now_ms = tl_clock_wall_ns(&clock) / 1000000;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(tl__coordinator_retain(c, now_ms + steps[i].days * DAY_S * 1000, &ctx),
                         TL_OK);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(is_there(c, keys[k]), k >= steps[i].gone);
        }
    }
    tl_coordinator_free(c);
    tl_keypair_free(key);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_age_and_kind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
