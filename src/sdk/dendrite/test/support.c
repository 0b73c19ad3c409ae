#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sys/sys.h"

static tl_err fill_zero(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    (void)ctx;
    memset(out, 0, len);
    return TL_OK;
}

void kit_start(party_kit *kit, bool has_clock)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_arena_new(&kit->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_keypair_from_uri(&kit->key, tl_scheme_sr25519(), TL_STR("//Bob"), NULL),
                     TL_OK);
    assert_int_equal(tl_synapse_echo_set(&kit->defs, kit->arena, NULL), TL_OK);
    kit->options.key = kit->key;
    if (has_clock) {
        kit->options.clock = tl_manual_clock_start(&kit->time, 1700000000000000000);
        kit->options.entropy = (tl_entropy){NULL, fill_zero};
    }
    if (tl_dendrite_new(&kit->dendrite, &kit->options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

void kit_stop(party_kit *kit)
{
    tl_dendrite_free(kit->dendrite);
    tl_keypair_free(kit->key);
    tl_arena_free(kit->arena);
}

tl_synapse *kit_message(party_kit *kit, const char *name, const char *json)
{
    tl_synapse *s = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_synapse_def *def = tl_synapse_find(kit->defs, tl_str_from_cstr(name));
    assert_non_null(def);
    assert_int_equal(tl_synapse_new(&s, kit->arena, def, NULL), TL_OK);
    if (tl_synapse_assign(s, kit->arena, tl_str_from_cstr(json), &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return s;
}

tl_dendrite_query kit_v10(const tl_synapse *synapse)
{
    return (tl_dendrite_query){.family = tl_auth_family_at(TL_AUTH_V10), .synapse = synapse};
}

tl_dendrite_query kit_raw(const char *family, const char *target, const char *body)
{
    return (tl_dendrite_query){.family = tl_auth_family_by_name(tl_str_from_cstr(family)),
                               .target = tl_str_from_cstr(target),
                               .body = tl_str_bytes(tl_str_from_cstr(body))};
}

tl_dendrite_target kit_target(const scripted *server, const char *hotkey)
{
    return (tl_dendrite_target){.host = TL_STR("127.0.0.1"),
                                .port = scripted_port(server),
                                .hotkey = tl_str_from_cstr(hotkey),
                                .weight = 1.0};
}

const tl_json *kit_golden(tl_arena *arena)
{
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    assert_int_equal(tl_sys_read_file(&text, arena,
                                      TL_SOURCE_ROOT "/src/sdk/dendrite/test/golden/dendrite.json",
                                      1 << 20, NULL),
                     TL_OK);
    assert_int_equal(tl_json_parse(&json, arena, text, NULL, NULL), TL_OK);
    return json;
}

tl_str kit_text(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    assert_non_null(value);
    return value->kind == TL_JSON_STRING || value->kind == TL_JSON_NUMBER ? value->text
                                                                          : TL_STR("");
}
