/* Attacks messages from both sides: texts and hashes are held against what SDK 10.5.0 printed (golden/sdk.json) and the
 * wire spec's vectors (golden/wire.json); descriptions, headers and bodies are given wrong in each way that has an
 * error of its own; each allocation fails in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/sys/sys.h"
#include "sdk/synapse/synapse.h"

static tl_arena *arena;
static const tl_json *sdk;
static const tl_json *wire;
static tl_synapse_defs defs;

/* The classes of golden/sdk.py, as a file would define them. */
static const char every_file[] =
    "{\"synapses\": [{\"name\": \"Every\", \"doc\": \"All kinds.\", \"versions\": \"1.2, 3.0\","
    " \"models\": [{\"name\": \"Inner\", \"fields\": [{\"name\": \"x\", \"type\": \"int\"},"
    "   {\"name\": \"note\", \"type\": \"str?\", \"default\": null}]}],"
    " \"hash\": [\"inner\", \"any\", \"t\", \"d\", \"l\", \"b\", \"f\", \"n\", \"s\", \"maybe\", "
    "\"words\"],"
    " \"fields\": [{\"name\": \"n\", \"type\": \"int\"}, {\"name\": \"f\", \"type\": \"float\"},"
    "  {\"name\": \"s\", \"type\": \"str\"}, {\"name\": \"b\", \"type\": \"bool\"},"
    "  {\"name\": \"l\", \"type\": \"list[float]\"}, {\"name\": \"t\", \"type\": \"tuple[int, "
    "...]\"},"
    "  {\"name\": \"d\", \"type\": \"dict\"}, {\"name\": \"any\", \"type\": \"Any\"},"
    "  {\"name\": \"inner\", \"type\": \"Inner\", \"doc\": \"A nested one.\"},"
    "  {\"name\": \"maybe\", \"type\": \"Optional[int]\", \"default\": null},"
    "  {\"name\": \"words\", \"type\": \"list[str]\", \"default\": [\"a\"]}]}]}";

static const tl_json *read_json(const char *path)
{
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    assert_int_equal(tl_sys_read_file(&text, arena, path, (size_t)1 << 24, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&json, arena, text, NULL, NULL), TL_OK);
    return json;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    sdk = read_json(TL_SOURCE_ROOT "/src/sdk/synapse/test/golden/sdk.json");
    wire = read_json(TL_SOURCE_ROOT "/src/sdk/synapse/test/golden/wire.json");
    tl_synapse_defs echo = {NULL, 0};
    assert_int_equal(tl_synapse_echo_set(&echo, arena, NULL), TL_OK);
    assert_int_equal(tl_synapse_load(&defs, arena, echo, tl_str_from_cstr(every_file), NULL),
                     TL_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static const tl_synapse_def *def_of(const char *name)
{
    const tl_synapse_def *const def = tl_synapse_find(defs, tl_str_from_cstr(name));
    assert_non_null(def);
    return def;
}

static tl_synapse *new_message(const tl_synapse_def *def, tl_str input)
{
    tl_synapse *synapse = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_synapse_new(&synapse, arena, def, &ctx), TL_OK);
    if (tl_synapse_assign(synapse, arena, input, &ctx) != TL_OK) {
        fail_msg("%.*s: %s: %s", TL_STR_ARG(input), ctx.field, ctx.message);
    }
    return synapse;
}

static tl_value text_value(const char *text)
{
    return tl_value_from_str(tl_str_from_cstr(text));
}

static void assert_str(const char *what, tl_str text, tl_str expected)
{
    if (!tl_str_eq(text, expected)) {
        fail_msg("%s: \"%.*s\", not \"%.*s\"", what, TL_STR_ARG(text), TL_STR_ARG(expected));
    }
}

/* --- against the SDK --- */

/* The terminals of every golden message. */
static void fill(tl_synapse *s, int64_t version, const char *signature)
{
    s->dendrite.ip = text_value("127.0.0.1");
    s->dendrite.version = tl_value_from_i64(version);
    s->dendrite.nonce = tl_value_from_i64(1700000000000000000);
    s->dendrite.uuid = text_value("5ecbd69c-1cec-11ee-b0dc-e29ce36fec1a");
    s->dendrite.hotkey = text_value("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty");
    s->dendrite.signature = text_value(signature);
    s->axon.ip = text_value("127.0.0.1");
    s->axon.port = tl_value_from_i64(18091);
    s->axon.hotkey = text_value("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
}

static void assert_headers(tl_http_headers headers, const tl_json *expected, bool with_sizes)
{
    assert_int_equal(headers.count, expected->count);
    for (uint32_t i = 0; i < expected->count; i++) {
        const tl_json *const row = &expected->items[i];
        const tl_str name = row->items[0].text;
        assert_str("a header's name", headers.at[i].name, name);
        if (with_sizes || !tl_str_ends_with(name, TL_STR("total_size"))) {
            assert_str("a header's value", headers.at[i].value, row->items[1].text);
        }
    }
}

static void messages_are_those_of_the_sdk(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(sdk, "messages");
    assert_true(rows->count >= 4);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        tl_str name = {NULL, 0};
        assert_int_equal(tl_json_want_str(&name, row, "synapse", NULL), TL_OK);
        const tl_synapse_def *const def = tl_synapse_find(defs, name);
        tl_synapse *const s = new_message(def, tl_json_get(row, "input")->text);
        char signature[131] = "0x";
        for (size_t k = 2; k < 130; k += 2) {
            memcpy(&signature[k], "ab", 3);
        }
        fill(s, 10005000, signature);
        tl_http_headers headers = {NULL, 0};
        assert_int_equal(tl_synapse_put_headers(&headers, arena, s, NULL), TL_OK);
        assert_headers(headers, tl_json_get(row, "headers"), false);
        int64_t total_size = 0;
        assert_int_equal(tl_json_want_i64(&total_size, row, "total_size", NULL), TL_OK);
        s->total_size = tl_value_from_i64(total_size);
        tl_str text = {NULL, 0};
        assert_int_equal(tl_synapse_request_body(&text, arena, s, NULL), TL_OK);
        assert_str("request", text, tl_json_get(row, "request")->text);
        char hash[TL_SYNAPSE_HASH_CAP];
        assert_int_equal(tl_synapse_body_hash(hash, s, arena, NULL), TL_OK);
        assert_str("body_hash", tl_str_from_cstr(hash), tl_json_get(row, "body_hash")->text);

        tl_synapse *read = NULL; /* what was written is read, and written again the same */
        assert_int_equal(tl_synapse_from_body(&read, arena, def, text, NULL, NULL), TL_OK);
        assert_int_equal(tl_synapse_body_hash(hash, read, arena, NULL), TL_OK);
        assert_str("body_hash", tl_str_from_cstr(hash), tl_json_get(row, "body_hash")->text);
        assert_int_equal(tl_synapse_response_body(&text, arena, read, NULL), TL_OK);
        assert_str("response", text, tl_json_get(row, "response")->text);
    }
}

static void fields_are_coerced_as_the_model_coerces_them(void **state)
{
    (void)state; /* SYN-1 */
    const tl_json *const rows = tl_json_get(sdk, "coerce");
    assert_true(rows->count > 500);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        const tl_str type = tl_json_get(row, "type")->text;
        const tl_str json = tl_json_get(row, "json")->text;
        const tl_json *const expected = tl_json_get(row, "repr");
        const char *type_text = NULL;
        assert_int_equal(tl_str_copy_cstr(&type_text, arena, type, NULL), TL_OK);
        const tl_synapse_field_spec field = {.name = "v", .type = type_text};
        const tl_synapse_spec spec = {.name = "T", .fields = &field, .field_count = 1};
        const tl_synapse_def *def = NULL;
        assert_int_equal(tl_synapse_define(&def, arena, &spec, NULL), TL_OK);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_printf(&sb, "{\"v\": %.*s}", TL_STR_ARG(json));
        tl_str body = {NULL, 0};
        assert_int_equal(tl_sb_finish(&body, &sb, NULL), TL_OK);
        tl_synapse *s = NULL;
        const tl_err err = tl_synapse_from_body(&s, arena, def, body, NULL, NULL);
        if ((err == TL_OK) != (expected->kind == TL_JSON_STRING)) {
            fail_msg("%.*s as %.*s: %s", TL_STR_ARG(json), TL_STR_ARG(type), tl_err_name(err));
        }
        if (err == TL_OK) {
            tl_sb_init(&sb, arena);
            tl_value_put_repr(&sb, &s->fields[0]);
            tl_str text = {NULL, 0};
            assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
            assert_str(type_text, text, expected->text);
        }
    }
}

/* --- the vectors of the wire spec --- */

static void body_hashes_are_those_of_the_vectors(void **state)
{
    (void)state; /* SYN-2 */
    const tl_json *const rows = tl_json_get(wire, "body_hash");
    assert_int_equal(rows->count, 15);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const names = tl_json_get(&rows->items[i], "fields");
        const tl_json *const values = tl_json_get(&rows->items[i], "values");
        tl_synapse_field_spec fields[4];
        const char *hashed[4];
        assert_in_range(names->count, 0, 4);
        for (uint32_t k = 0; k < names->count; k++) {
            assert_int_equal(
                tl_str_copy_cstr(&hashed[k], arena, names->items[names->count - 1 - k].text, NULL),
                TL_OK);
            fields[k] = (tl_synapse_field_spec){.name = hashed[k], .type = "any"};
        }
        for (uint32_t k = 0; k < names->count; k++) {
            hashed[k] = fields[names->count - 1 - k].name;
        }
        const tl_synapse_spec spec = {.name = "H",
                                      .fields = fields,
                                      .field_count = names->count,
                                      .hashed = hashed,
                                      .hashed_count = names->count};
        const tl_synapse_def *def = NULL;
        assert_int_equal(tl_synapse_define(&def, arena, &spec, NULL), TL_OK);
        tl_synapse *s = NULL;
        assert_int_equal(tl_synapse_new(&s, arena, def, NULL), TL_OK);
        for (uint32_t k = 0; k < values->count; k++) {
            tl_value value = tl_value_none();
            assert_int_equal(tl_value_from_json(&value, arena, &values->members[k].value, NULL),
                             TL_OK);
            assert_int_equal(tl_synapse_set(s, arena, values->members[k].key, &value, NULL), TL_OK);
        }
        char hash[TL_SYNAPSE_HASH_CAP];
        assert_int_equal(tl_synapse_body_hash(hash, s, arena, NULL), TL_OK);
        assert_str("hash", tl_str_from_cstr(hash), tl_json_get(&rows->items[i], "sha3_256")->text);
    }
    tl_synapse *base = NULL;
    char hash[TL_SYNAPSE_HASH_CAP];
    assert_int_equal(tl_synapse_new(&base, arena, tl_synapse_base(), NULL), TL_OK);
    assert_int_equal(tl_synapse_body_hash(hash, base, arena, NULL), TL_OK);
    assert_str("empty", tl_str_from_cstr(hash), tl_json_get(wire, "sha3_256_of_empty")->text);
}

static void required_fields_send_an_empty_value_of_their_type(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(wire, "input_obj_defaults");
    static const char *const given[] = {"\"text\"", "5", "2.5", "true", "[1]", "[2]", "{\"a\":1}"};
    assert_int_equal(rows->count, sizeof given / sizeof given[0]);
    for (uint32_t i = 0; i < rows->count; i++) {
        const char *type = NULL;
        assert_int_equal(
            tl_str_copy_cstr(&type, arena, tl_json_get(&rows->items[i], "type")->text, NULL),
            TL_OK);
        const tl_synapse_field_spec field = {.name = "v", .type = type};
        const tl_synapse_spec spec = {.name = "I", .fields = &field, .field_count = 1};
        const tl_synapse_def *def = NULL;
        assert_int_equal(tl_synapse_define(&def, arena, &spec, NULL), TL_OK);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_printf(&sb, "{\"v\":%s}", given[i]);
        tl_str input = {NULL, 0};
        assert_int_equal(tl_sb_finish(&input, &sb, NULL), TL_OK);
        tl_http_headers headers = {NULL, 0};
        assert_int_equal(tl_synapse_put_headers(&headers, arena, new_message(def, input), NULL),
                         TL_OK);
        const tl_http_header *const header = tl_http_find(headers, TL_STR("bt_header_input_obj_v"));
        assert_non_null(header);
        assert_str(type, header->value, tl_json_get(&rows->items[i], "header_value")->text);
        tl_synapse *read = NULL;
        assert_int_equal(tl_synapse_from_headers(&read, arena, def, headers, false, NULL), TL_OK);
        assert_string_equal(tl_value_type_name(&read->fields[0]), type);
    }
}

static void the_golden_request_is_made_byte_for_byte(void **state)
{
    (void)state;
    const tl_json *const golden = tl_json_get(wire, "dendrite_request");
    const tl_json *const expected = tl_json_get(golden, "headers_in_order");
    const char *signature = NULL;
    for (uint32_t i = 0; i < expected->count; i++) {
        if (tl_str_eq_cstr(expected->items[i].items[0].text, "bt_header_dendrite_signature")) {
            assert_int_equal(
                tl_str_copy_cstr(&signature, arena, expected->items[i].items[1].text, NULL), TL_OK);
        }
    }
    tl_synapse *const s = new_message(def_of("Echo"), TL_STR("{\"a\": 5}"));
    fill(s, 10002000, signature);
    tl_http_headers headers = {NULL, 0};
    assert_int_equal(tl_synapse_put_headers(&headers, arena, s, NULL), TL_OK);
    assert_headers(headers, expected, true);
    tl_str body = {NULL, 0};
    assert_int_equal(tl_synapse_request_body(&body, arena, s, NULL), TL_OK);
    assert_str("body", body, tl_json_get(golden, "body_text")->text);

    tl_synapse *read = NULL; /* and the server reads what it says */
    assert_int_equal(tl_synapse_from_headers(&read, arena, def_of("Echo"), headers, false, NULL),
                     TL_OK);
    assert_int_equal(read->dendrite.nonce.i64, 1700000000000000000);
    assert_true(read->timeout.f64 == 12.0);
    char hash[TL_SYNAPSE_HASH_CAP];
    assert_int_equal(tl_synapse_from_body(&read, arena, def_of("Echo"), body, NULL, NULL), TL_OK);
    assert_int_equal(tl_synapse_body_hash(hash, read, arena, NULL), TL_OK);
    const tl_http_header *const sent = tl_http_find(headers, TL_STR("Computed_Body_Hash"));
    assert_str("hash", tl_str_from_cstr(hash), sent->value);
}

/* --- headers of strangers --- */

static tl_err read_headers(tl_synapse **out, const tl_http_header *at, size_t count,
                           bool is_lenient, tl_errctx *ctx)
{
    return tl_synapse_from_headers(out, arena, def_of("Echo"), (tl_http_headers){at, count},
                                   is_lenient, ctx);
}

#define HEADER(name, value)                                                                        \
    {                                                                                              \
        {name, sizeof(name) - 1},                                                                  \
        {                                                                                          \
            value, sizeof(value) - 1                                                               \
        }                                                                                          \
    }

static void numbers_in_headers_take_pythons_forms(void **state)
{
    (void)state;
    static const tl_http_header rows[] = {
        HEADER("BT_Header_Dendrite_NONCE", " +1_700_000 "),
        HEADER("bt_header_dendrite_version", "99999999999999999999999"),
        HEADER("bt_header_axon_process_time", "1E+3"),
        HEADER("timeout", "nan"),
        HEADER("bt_header_axon_status_message", "caf\xE9"),
        HEADER("bt_header_axon_unheard_of", "x"),
        HEADER("bt_header_input_obj_unheard_of", "x"),
        HEADER("bt_header_input_obj_a", "MA==")};
    tl_synapse *s = NULL;
    assert_int_equal(read_headers(&s, rows, sizeof rows / sizeof rows[0], false, NULL), TL_OK);
    assert_int_equal(s->dendrite.nonce.i64, 1700000);
    assert_int_equal(s->dendrite.version.kind, TL_VALUE_BIGINT);
    assert_str("canonical", s->dendrite.version.text, TL_STR("99999999999999999999999"));
    assert_true(s->axon.process_time.f64 == 1000.0);
    assert_true(s->timeout.f64 != s->timeout.f64);
    assert_str("latin1", s->axon.status_message.text, TL_STR("caf\xC3\xA9"));
    assert_int_equal(s->computed_body_hash.kind, TL_VALUE_NONE);
    tl_http_headers back = {NULL, 0};
    assert_int_equal(tl_synapse_put_headers(&back, arena, s, NULL), TL_OK);
    assert_str("latin1 again", tl_http_find(back, TL_STR("bt_header_axon_status_message"))->value,
               TL_STR("caf\xE9"));
}

static void wrong_headers_name_themselves(void **state)
{
    (void)state;
    static const struct {
        tl_http_header header;
        tl_err code;
        const char *field;
    } rows[] = {
        {HEADER("bt_header_axon_port", "80 80"), TL_ERR_TYPE, "bt_header_axon_port"},
        {HEADER("bt_header_dendrite_nonce", ""), TL_ERR_TYPE, "bt_header_dendrite_nonce"},
        {HEADER("timeout", "0x10"), TL_ERR_TYPE, "timeout"},
        {HEADER("total_size", "1.0"), TL_ERR_TYPE, "total_size"},
        {HEADER("bt_header_input_obj_text", "NQ=="), TL_ERR_TYPE, "bt_header_input_obj_text"},
        {HEADER("bt_header_input_obj_a", "MA=="), TL_ERR_DUPLICATE, ""},
        {HEADER("Timeout", "3"), TL_ERR_DUPLICATE, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tl_http_header headers[3] = {HEADER("bt_header_input_obj_a", "MA=="),
                                           HEADER("timeout", "5"), rows[i].header};
        const bool keeps_timeout = rows[i].field[0] != 't';
        tl_http_header some[3] = {headers[0], headers[2], headers[1]};
        tl_synapse *s = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(
            read_headers(&s, keeps_timeout ? headers : some, keeps_timeout ? 3 : 2, false, &ctx),
            rows[i].code);
        assert_string_equal(ctx.field, rows[i].field);
        if (rows[i].code == TL_ERR_DUPLICATE) { /* the first counts, where that is asked for */
            assert_int_equal(read_headers(&s, headers, 3, true, &ctx), TL_OK);
            assert_true(s->timeout.f64 == 5.0);
        }
    }
}

static void a_name_may_come_once(void **state)
{
    (void)state;
    const tl_http_header headers[3] = {HEADER("bt_header_input_obj_a", "MA=="),
                                       HEADER("name", "Echo"), HEADER("Name", "Echo")};
    tl_synapse *s = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(read_headers(&s, headers, 2, false, &ctx), TL_OK);
    assert_int_equal(read_headers(&s, headers, 3, false, &ctx), TL_ERR_DUPLICATE);
    assert_int_equal(read_headers(&s, headers, 3, true, &ctx), TL_OK);
}

static void a_required_field_must_have_its_header(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "MA=", "e30", "WyI=", "!!!!"};
    tl_synapse *s = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(read_headers(&s, NULL, 0, true, &ctx), TL_ERR_MISSING);
    assert_string_equal(ctx.field, "bt_header_input_obj_a");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const tl_http_header header = {TL_STR("bt_header_input_obj_a"), tl_str_from_cstr(texts[i])};
        assert_int_equal(read_headers(&s, &header, 1, true, &ctx), TL_ERR_MISSING);
    }
    static const tl_http_header nested[] = {
        HEADER("bt_header_input_obj_n", "MA=="),     HEADER("bt_header_input_obj_f", "MC4w"),
        HEADER("bt_header_input_obj_s", "IiI="),     HEADER("bt_header_input_obj_b", "ZmFsc2U="),
        HEADER("bt_header_input_obj_l", "W10="),     HEADER("bt_header_input_obj_t", "W10="),
        HEADER("bt_header_input_obj_d", "e30="),     HEADER("bt_header_input_obj_any", "IiI="),
        HEADER("bt_header_input_obj_inner", "e30="),
    };
    assert_int_equal(tl_synapse_from_headers(&s, arena, def_of("Every"),
                                             (tl_http_headers){nested, 9}, false, &ctx),
                     TL_OK);
}

static void no_header_that_leaves_splits_the_head(void **state)
{
    (void)state; /* SYN-3 */
    static const char *const texts[] = {"a\r\nX: y", "a\n", "\r", "\xE2\x98\x83"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tl_synapse *s = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_synapse_new(&s, arena, tl_synapse_base(), NULL), TL_OK);
        s->dendrite.uuid = text_value(texts[i]);
        tl_http_headers headers = {NULL, 0};
        assert_int_equal(tl_synapse_put_headers(&headers, arena, s, &ctx), TL_ERR_ENCODING);
        assert_string_equal(ctx.field, "bt_header_dendrite_uuid");
        s->dendrite.uuid = tl_value_from_str((tl_str){"a\0b", 3});
        assert_int_equal(tl_synapse_put_headers(&headers, arena, s, &ctx), TL_ERR_ENCODING);
    }
}

/* --- bodies of strangers --- */

static void wrong_bodies_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        tl_err code;
        const char *field;
    } rows[] = {
        {"", TL_ERR_SYNTAX, ""},
        {"{\"a\": 1", TL_ERR_SYNTAX, ""},
        {"{\"a\": \"\xFF\"}", TL_ERR_ENCODING, "a"},
        {"[]", TL_ERR_TYPE, ""},
        {"null", TL_ERR_TYPE, ""},
        {"{}", TL_ERR_MISSING, "a"},
        {"{\"a\": null}", TL_ERR_TYPE, "a"},
        {"{\"a\": 1.5}", TL_ERR_RANGE, "a"},
        {"{\"a\": 1, \"text\": 5}", TL_ERR_TYPE, "text"},
        {"{\"a\": 1, \"timeout\": \"x\"}", TL_ERR_TYPE, "timeout"},
        {"{\"a\": 1, \"timeout\": []}", TL_ERR_TYPE, "timeout"},
        {"{\"a\": 1, \"total_size\": 1e300}", TL_ERR_RANGE, "total_size"},
        {"{\"a\": 1, \"axon\": []}", TL_ERR_TYPE, "axon"},
        {"{\"a\": 1, \"axon\": {\"port\": {}}}", TL_ERR_TYPE, "axon.port"},
        {"{\"a\": 1, \"dendrite\": {\"ip\": 5}}", TL_ERR_TYPE, "dendrite.ip"},
        {"{\"a\": 1, \"computed_body_hash\": 5}", TL_ERR_TYPE, "computed_body_hash"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_synapse *s = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_synapse_from_body(&s, arena, def_of("Echo"),
                                                tl_str_from_cstr(rows[i].body), NULL, &ctx);
        if (err != rows[i].code || strcmp(ctx.field, rows[i].field) != 0) {
            fail_msg("%s: %s, \"%s\"", rows[i].body, tl_err_name(err), ctx.field);
        }
    }
}

static void a_partial_body_is_filled(void **state)
{
    (void)state;
    tl_synapse *s = NULL;
    const tl_str body =
        TL_STR("{\"name\": 7, \"a\": \"5\", \"zzz\": [NaN], \"a\": 6, \"timeout\": true, "
               "\"axon\": null, \"dendrite\": {\"port\": 80.9, \"version\": \"7\"}}");
    assert_int_equal(tl_synapse_from_body(&s, arena, def_of("Echo"), body, NULL, NULL), TL_OK);
    assert_int_equal(tl_synapse_field_get(s, TL_STR("a"))->i64, 6);
    assert_str("text", tl_synapse_field_get(s, TL_STR("text"))->text, TL_STR("x"));
    assert_null(tl_synapse_field_get(s, TL_STR("zzz")));
    assert_true(s->timeout.f64 == 1.0);
    assert_int_equal(s->dendrite.port.i64, 80);
    assert_int_equal(s->dendrite.version.i64, 7);
    assert_int_equal(s->axon.status_code.kind, TL_VALUE_NONE);
    tl_str out = {NULL, 0};
    assert_int_equal(tl_synapse_response_body(&out, arena, s, NULL), TL_OK);
    assert_true(tl_str_starts_with(out, TL_STR("{\"name\":\"Echo\",\"timeout\":1.0,")));
}

static void too_many_keys_are_refused(void **state)
{
    (void)state;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "{\"a\":1");
    for (int i = 0; i < TL_SYNAPSE_KEYS_MAX; i++) {
        tl_sb_printf(&sb, ",\"k%d\":0", i);
    }
    tl_sb_put_cstr(&sb, "}");
    tl_str body = {NULL, 0};
    assert_int_equal(tl_sb_finish(&body, &sb, NULL), TL_OK);
    tl_synapse *s = NULL;
    assert_int_equal(tl_synapse_from_body(&s, arena, def_of("Echo"), body, NULL, NULL),
                     TL_ERR_RANGE);
    const tl_value_limits limits = {.count_max = 100};
    assert_int_equal(tl_synapse_from_body(&s, arena, def_of("Echo"), body, &limits, NULL),
                     TL_ERR_LIMIT);
}

static void unknown_fields_are_refused_where_that_is_asked_for(void **state)
{
    (void)state;
    static const tl_synapse_field_spec inner[] = {{"x", "int", "1", NULL}};
    static const tl_synapse_spec model = {
        .name = "M", .fields = inner, .field_count = 1, .refuses_unknown = true};
    static const tl_synapse_field_spec fields[] = {{"m", "list[M]", "[]", NULL}};
    static const tl_synapse_spec spec = {.name = "Strict",
                                         .fields = fields,
                                         .field_count = 1,
                                         .models = &model,
                                         .model_count = 1,
                                         .refuses_unknown = true};
    const tl_synapse_def *def = NULL;
    tl_synapse *s = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_synapse_define(&def, arena, &spec, NULL), TL_OK);
    assert_int_equal(
        tl_synapse_from_body(&s, arena, def, TL_STR("{\"m\":[{}],\"axon\":{\"z\":1}}"), NULL, NULL),
        TL_OK);
    assert_int_equal(tl_synapse_from_body(&s, arena, def, TL_STR("{\"n\":1}"), NULL, &ctx),
                     TL_ERR_UNKNOWN);
    assert_int_equal(
        tl_synapse_from_body(&s, arena, def, TL_STR("{\"m\":[{},{\"y\":1}]}"), NULL, &ctx),
        TL_ERR_UNKNOWN);
    assert_string_equal(ctx.field, "m[1]");
}

static void an_answer_is_finite(void **state)
{
    (void)state;
    tl_str out = {NULL, 0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_synapse *const s = new_message(def_of("Slow"), TL_STR("{\"seconds\": NaN}"));
    assert_int_equal(tl_synapse_response_body(&out, arena, s, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "seconds");
    assert_int_equal(tl_synapse_request_body(&out, arena, s, &ctx), TL_OK);
    assert_true(tl_str_ends_with(out, TL_STR("\"seconds\": NaN, \"done\": false}")));
    s->fields[0] = tl_value_from_f64(1.0);
    s->timeout = tl_value_from_f64(__builtin_inf());
    assert_int_equal(tl_synapse_response_body(&out, arena, s, &ctx), TL_ERR_RANGE);
    s->timeout = tl_value_none();
    s->axon.process_time = tl_value_from_f64(__builtin_nan(""));
    assert_int_equal(tl_synapse_response_body(&out, arena, s, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_synapse_error_body(&out, arena, TL_STR("no \"\xC3\xA9\"\n"), NULL), TL_OK);
    assert_str("error", out, TL_STR("{\"message\":\"no \\\"\xC3\xA9\\\"\\n\"}"));
}

/* --- answers --- */

static tl_synapse *answered(tl_err code, int status, const char *content_type,
                            const tl_http_header *header, const char *body)
{
    tl_synapse *const s = new_message(def_of("Echo"), TL_STR("{\"a\": 2, \"text\": \"mine\"}"));
    fill(s, 10005000, "0x00");
    s->computed_body_hash = text_value("kept");
    const tl_http_headers headers = {header, header != NULL ? 1 : 0};
    assert_int_equal(tl_synapse_take_response(s, arena, status, tl_str_from_cstr(content_type),
                                              headers, tl_str_from_cstr(body), NULL, NULL),
                     code);
    return s;
}

static void answers_are_taken_as_the_sdk_takes_them(void **state)
{
    (void)state;
    static const tl_http_header ok = HEADER("bt_header_axon_status_code", "200");
    static const tl_http_header title = HEADER("Bt_header_axon_status_code", "200");
    static const tl_http_header bad = HEADER("bt_header_axon_port", "x");
    static const tl_http_header refused = HEADER("bt_header_axon_status_code", "403");
    const char *const json = "application/json";
    tl_synapse *s =
        answered(TL_OK, 200, json, NULL,
                 "{\"a\":3,\"axon\":{\"status_code\":200,\"status_message\":\"Success\"}}");
    assert_int_equal(s->dendrite.status_code.i64, 200);
    assert_str("message", s->dendrite.status_message.text, TL_STR("Success"));
    assert_int_equal(s->fields[0].i64, 3);
    assert_str("left out", s->fields[1].text, TL_STR("x"));
    assert_str("hash", s->computed_body_hash.text, TL_STR("kept"));
    assert_int_equal(s->axon.hotkey.kind, TL_VALUE_NONE);
    s = answered(TL_OK, 200, "Application/JSON; charset=utf-8", &ok, "{\"a\":3}");
    assert_int_equal(s->dendrite.status_code.i64, 200);
    s = answered(TL_OK, 200, "application/problem+json", NULL, "{\"a\":3}");
    assert_int_equal(s->dendrite.status_code.kind, TL_VALUE_NONE);
    s = answered(TL_OK, 200, json, &title, "{\"a\":3}");
    assert_int_equal(s->dendrite.status_code.kind, TL_VALUE_NONE);
    s = answered(TL_OK, 200, json, &refused, "{\"a\":3,\"axon\":{\"status_code\":200}}");
    assert_int_equal(s->dendrite.status_code.i64, 403);
    s = answered(TL_OK, 429, json, NULL, "{\"detail\":1}");
    assert_int_equal(s->dendrite.status_code.i64, 429);
    assert_int_equal(s->dendrite.status_message.kind, TL_VALUE_NONE);
    assert_str("kept", s->fields[1].text, TL_STR("mine"));
    (void)answered(TL_ERR_TYPE, 200, "text/plain", &ok, "{\"a\":3}");
    (void)answered(TL_ERR_TYPE, 200, "", &ok, "{\"a\":3}");
    (void)answered(TL_ERR_TYPE, 500, json, NULL, "[1]");
    (void)answered(TL_ERR_TYPE, 500, json, NULL, "{\"message\":[]}");
    (void)answered(TL_ERR_SYNTAX, 200, json, NULL, "{\"a\"");
    (void)answered(TL_ERR_MISSING, 200, json, NULL, "{}");
    (void)answered(TL_ERR_TYPE, 200, json, &bad, "{\"a\":3}");

    s = new_message(def_of("Stream"), TL_STR("{}"));
    assert_int_equal(tl_synapse_take_stream_end(s, arena, (tl_http_headers){&ok, 1}, NULL), TL_OK);
    assert_int_equal(s->dendrite.status_code.i64, 200);
}

/* --- descriptions --- */

static void wrong_descriptions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        tl_err code;
    } rows[] = {
        {"{}", TL_ERR_MISSING},
        {"[]", TL_ERR_TYPE},
        {"{\"synapse\":[]}", TL_ERR_UNKNOWN},
        {"{\"synapses\":{}}", TL_ERR_TYPE},
        {"{\"synapses\":[{}]}", TL_ERR_MISSING},
        {"{\"synapses\":[{\"name\":\"Echo\"}]}", TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"A\"},{\"name\":\"A\"}]}", TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"a b\"}]}", TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"1a\"}]}", TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A/..\"}]}", TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\\u0000\"}]}", TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\"}]}]}", TL_ERR_MISSING},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"set\"}]}]}",
         TL_ERR_UNKNOWN},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"list[int\"}]}]}",
         TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int]\"}]}]}",
         TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int|str\"}]}]}",
         TL_ERR_TYPE},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"None\"}]}]}",
         TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"dict[int, "
         "int]\"}]}]}",
         TL_ERR_TYPE},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"tuple[int, "
         "int]\"}]}]}",
         TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"timeout\",\"type\":\"int\"}]}]}",
         TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"},{\"name\":"
         "\"x\",\"type\":\"int\"}]}]}",
         TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\",\"default\":"
         "null}]}]}",
         TL_ERR_TYPE},
        {"{\"synapses\":[{\"name\":\"A\",\"hash\":[\"x\"]}]}", TL_ERR_LIMIT},
        {"{\"synapses\":[{\"name\":\"A\",\"hash\":[\"y\"],\"fields\":[{\"name\":\"x\",\"type\":"
         "\"int\"}]}]}",
         TL_ERR_UNKNOWN},
        {"{\"synapses\":[{\"name\":\"A\",\"versions\":\"1\"}]}", TL_ERR_SYNTAX},
        {"{\"synapses\":[{\"name\":\"A\",\"versions\":\"1.0, 1.2\"}]}", TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"A\",\"models\":[{\"name\":\"M\"},{\"name\":\"M\"}]}]}",
         TL_ERR_DUPLICATE},
        {"{\"synapses\":[{\"name\":\"A\",\"models\":[{\"name\":\"M\",\"hash\":[]}]}]}",
         TL_ERR_UNKNOWN},
        {"{\"synapses\":[{\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"list[list[list["
         "list[list[list[list[list[list[list[list[list[list[list[list[list[list[list[int]]]]]]]]]]]"
         "]]]]]]]\"}]}]}",
         TL_ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_synapse_defs out = {NULL, 7};
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_synapse_load(&out, arena, defs, tl_str_from_cstr(rows[i].file), &ctx);
        if (err != rows[i].code || out.count != 7) {
            fail_msg("%s: %s, %s", rows[i].file, tl_err_name(err), ctx.message);
        }
    }
}

static void the_echo_set_is_what_the_command_line_says(void **state)
{
    (void)state;
    static const char *const names[] = {"Synapse", "Echo", "Slow", "Stream", "Boom", "Every"};
    assert_int_equal(defs.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_str("name", defs.at[i]->model.name, tl_str_from_cstr(names[i]));
        assert_int_equal(defs.at[i]->doc.len, strlen(defs.at[i]->doc.ptr));
    }
    assert_null(tl_synapse_find(defs, TL_STR("echo")));
    assert_true(def_of("Stream")->is_streaming);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_synapse_put_doc(&sb, def_of("Echo"));
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_str(
        "doc", text,
        TL_STR("Echo   POST /Echo\nRepeats a text.\nVersion 1.0; unknown fields are ignored\n"
               "Fields\n    a     int, required    How many times.\n"
               "    text  str, default \"x\"    What is repeated.\n"
               "    out   str?, default null    text repeated a times; empty for a below 1.\n"
               "Hashed  a, text\nInput   {\"a\": 1}\n"));
}

static void input_is_checked_before_it_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        tl_err code;
        const char *field;
    } rows[] = {{"{}", TL_ERR_MISSING, "a"},      {"{\"a\":1,\"b\":2}", TL_ERR_UNKNOWN, "b"},
                {"{\"a\":[]}", TL_ERR_TYPE, "a"}, {"{\"a\":1.5}", TL_ERR_RANGE, "a"},
                {"[]", TL_ERR_TYPE, ""},          {"{", TL_ERR_SYNTAX, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_synapse *s = NULL;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_synapse_new(&s, arena, def_of("Echo"), NULL), TL_OK);
        assert_int_equal(tl_synapse_assign(s, arena, tl_str_from_cstr(rows[i].input), &ctx),
                         rows[i].code);
        assert_string_equal(ctx.field, rows[i].field);
    }
}

static void versions_are_negotiated(void **state)
{
    (void)state;
    static const struct {
        const char *asked;
        tl_err code;
        uint32_t major;
        uint32_t minor;
    } rows[] = {{"1.0", TL_OK, 1, 0},
                {"1.9", TL_OK, 1, 2},
                {"3.5", TL_OK, 3, 0},
                {" 1.1 , 3.0,2.7", TL_OK, 3, 0},
                {"2.0", TL_ERR_VERSION, 0, 0},
                {"4.0, 2.1", TL_ERR_VERSION, 0, 0},
                {"", TL_ERR_SYNTAX, 0, 0},
                {"1", TL_ERR_SYNTAX, 0, 0},
                {"1.0.0", TL_ERR_SYNTAX, 0, 0},
                {"-1.0", TL_ERR_SYNTAX, 0, 0},
                {"1.0,", TL_ERR_SYNTAX, 0, 0},
                {"1.0,1.1", TL_ERR_DUPLICATE, 0, 0},
                {"4294967296.0", TL_ERR_SYNTAX, 0, 0},
                {"1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,11.0,12.0,13.0,14.0,15.0,16.0,17.0",
                 TL_ERR_LIMIT, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_synapse_version version = {0, 0};
        const tl_err err =
            tl_synapse_negotiate(&version, def_of("Every"), tl_str_from_cstr(rows[i].asked), NULL);
        if (err != rows[i].code || version.major != rows[i].major ||
            version.minor != rows[i].minor) {
            fail_msg("%s: %s", rows[i].asked, tl_err_name(err));
        }
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_synapse_put_versions(&sb, def_of("Every"));
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_str("versions", text, TL_STR("1.2, 3.0"));
}

/* --- the n-th allocation fails --- */

static size_t calls_left;

static void *flaky_alloc(void *self, size_t len)
{
    (void)self;
    if (calls_left == 0) {
        return NULL;
    }
    calls_left--;
    return aligned_alloc(64, (len + 63) / 64 * 64);
}

static void flaky_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static tl_err whole_life(tl_arena *scarce)
{
    const tl_synapse_defs none = {NULL, 0};
    tl_synapse_defs loaded = {NULL, 0};
    tl_synapse *s = NULL;
    tl_http_headers headers = {NULL, 0};
    tl_str body = {NULL, 0};
    TL_TRY(tl_synapse_load(&loaded, scarce, none, tl_str_from_cstr(every_file), NULL));
    TL_TRY(tl_synapse_new(&s, scarce, loaded.at[0], NULL));
    TL_TRY(tl_synapse_assign(s, scarce,
                             TL_STR("{\"n\":1,\"f\":1,\"s\":\"\",\"b\":1,\"l\":[1],\"t\":[1],"
                                    "\"d\":{},\"any\":[[1]],\"inner\":{\"x\":\"1\"}}"),
                             NULL));
    TL_TRY(tl_synapse_put_headers(&headers, scarce, s, NULL));
    TL_TRY(tl_synapse_from_headers(&s, scarce, loaded.at[0], headers, false, NULL));
    TL_TRY(tl_synapse_request_body(&body, scarce, s, NULL));
    return tl_synapse_take_response(
        s, scarce, 200, TL_STR("application/json"), headers,
        TL_STR("{\"n\":1,\"f\":1,\"s\":\"\",\"b\":1,\"l\":[1],\"t\":[1],"
               "\"d\":{},\"any\":[[1]],\"inner\":{\"x\":\"1\"}}"),
        NULL, NULL);
}

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
    static const tl_allocator flaky = {NULL, flaky_alloc, flaky_release};
    bool succeeded = false;
    for (size_t n = 1; n < 1000 && !succeeded; n++) {
        calls_left = n;
        tl_arena *scarce = NULL;
        if (tl_arena_new(&scarce, NULL, 0, &flaky, NULL) != TL_OK) {
            continue;
        }
        const tl_err err = whole_life(scarce);
        assert_true(err == TL_OK || err == TL_ERR_NOMEM);
        succeeded = err == TL_OK;
        tl_arena_free(scarce);
    }
    assert_true(succeeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_those_of_the_sdk),
        cmocka_unit_test(fields_are_coerced_as_the_model_coerces_them),
        cmocka_unit_test(body_hashes_are_those_of_the_vectors),
        cmocka_unit_test(required_fields_send_an_empty_value_of_their_type),
        cmocka_unit_test(the_golden_request_is_made_byte_for_byte),
        cmocka_unit_test(numbers_in_headers_take_pythons_forms),
        cmocka_unit_test(wrong_headers_name_themselves),
        cmocka_unit_test(a_name_may_come_once),
        cmocka_unit_test(a_required_field_must_have_its_header),
        cmocka_unit_test(no_header_that_leaves_splits_the_head),
        cmocka_unit_test(wrong_bodies_are_told_apart),
        cmocka_unit_test(a_partial_body_is_filled),
        cmocka_unit_test(too_many_keys_are_refused),
        cmocka_unit_test(unknown_fields_are_refused_where_that_is_asked_for),
        cmocka_unit_test(an_answer_is_finite),
        cmocka_unit_test(answers_are_taken_as_the_sdk_takes_them),
        cmocka_unit_test(wrong_descriptions_are_refused),
        cmocka_unit_test(the_echo_set_is_what_the_command_line_says),
        cmocka_unit_test(input_is_checked_before_it_is_sent),
        cmocka_unit_test(versions_are_negotiated),
        cmocka_unit_test(every_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
