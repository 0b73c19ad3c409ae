/* Attacks an axon before it serves: settings and routes that are wrong, a record without an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "axon_world.h"
#include "sdk/weights/weights.h"

static void the_record_says_what_is_configured_and_asks_nobody(void **state)
{
    (void)state;
    world w;
    tl_axon_info info;
    tl_errctx why = TL_ERRCTX_INIT;
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(tl_axon_get_info(&info, w.axon, &why), TL_ERR_MISSING);
    assert_string_equal(why.field, "external_ip");
    tl_axon_free(w.axon);
    w.axon = NULL;
    w.settings.external_ip = "203.0.113.7";
    w.settings.external_port = 9000;
    w.settings.coldkey_ss58 = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    world_axon(&w);
    assert_int_equal(tl_axon_get_info(&info, w.axon, NULL), TL_OK);
    tl_sb sb;
    tl_str json;
    tl_sb_init(&sb, w.arena);
    tl_axon_info_put_json(&sb, &info);
    assert_int_equal(tl_sb_finish(&json, &sb, NULL), TL_OK);
    assert_string_equal(json.ptr,
                        "{\"version\": 10005000, \"ip\": \"203.0.113.7\", \"port\": 9000, "
                        "\"ip_type\": 4, "
                        "\"hotkey\": \"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\", "
                        "\"coldkey\": \"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty\", "
                        "\"protocol\": 4, \"placeholder1\": 0, \"placeholder2\": 0}");
    world_end(&w);
}

static void wrong_settings_are_named(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    const char *const bad_allow[] = {"127.0.0.1", "no address"};
    const struct {
        tl_axon_settings settings;
        tl_err err;
        const char *field;
    } cases[] = {
        {{.key = NULL}, TL_ERR_MISSING, "key"},
        {{.key = w.alice, .tls_cert = "a.pem"}, TL_ERR_MISSING, "tls_key"},
        {{.key = w.alice, .workers = 10000}, TL_ERR_RANGE, "workers"},
        {{.key = w.alice, .loops = 1000}, TL_ERR_RANGE, "loops"},
        {{.key = w.alice, .waiting_max = UINT32_MAX}, TL_ERR_RANGE, "handlers_max"},
        {{.key = w.alice, .allow = bad_allow, .allow_count = 2}, TL_ERR_SYNTAX, "allow[1]"},
        {{.key = w.alice, .block = bad_allow, .block_count = 2}, TL_ERR_SYNTAX, "block[1]"},
        {{.key = w.alice, .redis_url = "ftp://x"}, TL_ERR_SYNTAX, "redis"},
        {{.key = w.alice, .tls_cert = "/nowhere", .tls_key = "/nowhere"}, TL_ERR_NOT_FOUND, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_axon *axon = NULL;
        assert_int_equal(tl_axon_new(&axon, &cases[i].settings, &why), cases[i].err);
        assert_true(strncmp(why.field, cases[i].field, strlen(cases[i].field)) == 0);
    }
    world_end(&w);
}

static tl_err forward_nothing(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    (void)self;
    (void)call;
    (void)ctx;
    return TL_OK;
}

static void wrong_routes_are_refused(void **state)
{
    (void)state;
    world w;
    world_begin(&w);
    world_axon(&w);
    assert_int_equal(tl_axon_attach_echo(w.axon, NULL), TL_OK);
    const struct {
        tl_axon_route route;
        tl_err err;
    } cases[] = {
        {{.method = "POST", .path = "/x"}, TL_ERR_MISSING},
        {{.method = "POST", .path = "x", .forward = forward_nothing}, TL_ERR_MISSING},
        {{.path = "/x", .forward = forward_nothing}, TL_ERR_MISSING},
        {{.method = "POST", .path = "/echo", .forward = forward_nothing}, TL_ERR_DUPLICATE},
        {{.method = "POST", .path = "/Echo", .forward = forward_nothing}, TL_ERR_DUPLICATE},
        {{.synapse = tl_synapse_base(), .forward = forward_nothing}, TL_ERR_DUPLICATE},
        {{.method = "PUT", .path = "/x", .forward = forward_nothing, .timeout_s = 121},
         TL_ERR_RANGE},
        {{.method = "PUT", .path = "/x", .forward = forward_nothing, .window_back_s = -1},
         TL_ERR_RANGE},
        {{.method = "PUT", .path = "/echo", .forward = forward_nothing}, TL_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tl_axon_attach(w.axon, &cases[i].route, NULL), cases[i].err);
    }
    for (int i = 0;; i++) {
        char path[16];
        const char *kept;
        (void)tl_str_print(path, sizeof path, "/r%d", i);
        assert_int_equal(tl_str_copy_cstr(&kept, w.arena, tl_str_from_cstr(path), NULL), TL_OK);
        const tl_axon_route route = {.method = "PUT", .path = kept, .forward = forward_nothing};
        const tl_err err = tl_axon_attach(w.axon, &route, NULL);
        if (err != TL_OK) {
            assert_int_equal(err, TL_ERR_LIMIT);
            assert_true(i > 200);
            break;
        }
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_says_what_is_configured_and_asks_nobody),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(wrong_routes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
