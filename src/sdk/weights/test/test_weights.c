/* Attacks the arithmetic to the last bit: every function against the wire spec's vectors (golden/wire.json) and against
 * what the SDK's functions over NumPy returned for random weights (golden/sdk.json); then weights that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"
#include "sdk/weights/weights.h"
#include "sdk/weights/weights_internal.h"

enum { COUNT_MAX = 512 };

static tl_arena *arena;
static const tl_json *sdk;
static const tl_json *wire;

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
    sdk = read_json(TL_SOURCE_ROOT "/src/sdk/weights/test/golden/sdk.json");
    wire = read_json(TL_SOURCE_ROOT "/src/sdk/weights/test/golden/wire.json");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

/* --- figures of the goldens --- */

static uint64_t hex_bits(tl_str text, size_t i, size_t digits)
{
    uint64_t bits = 0;
    for (size_t k = 0; k < digits; k++) {
        const char c = text.ptr[i * digits + k];
        bits = bits << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return bits;
}

static size_t floats_of(float *out, const tl_json *row, const char *key)
{
    const tl_str text = tl_json_get(row, key)->text;
    for (size_t i = 0; i < text.len / 8; i++) {
        memcpy(&out[i], &(uint32_t){(uint32_t)hex_bits(text, i, 8)}, sizeof out[i]);
    }
    return text.len / 8;
}

static size_t doubles_of(double *out, const tl_json *row, const char *key)
{
    const tl_str text = tl_json_get(row, key)->text;
    for (size_t i = 0; i < text.len / 16; i++) {
        memcpy(&out[i], &(uint64_t){hex_bits(text, i, 16)}, sizeof out[i]);
    }
    return text.len / 16;
}

static void assert_floats(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0) {
            fail_msg("float %zu is %.9g, not %.9g", i, (double)a[i], (double)b[i]);
        }
    }
}

static double number_of(const tl_json *value)
{
    double number = 0;
    assert_int_equal(tl_json_as_f64(&number, value, NULL, NULL), TL_OK);
    return number;
}

static int64_t integer_of(const tl_json *value)
{
    int64_t number = 0;
    assert_int_equal(tl_json_as_i64(&number, value, NULL, NULL), TL_OK);
    return number;
}

static void assert_u16s(const uint16_t *values, const tl_json *expected)
{
    for (uint32_t i = 0; i < expected->count; i++) {
        assert_int_equal(values[i], integer_of(&expected->items[i]));
    }
}

static size_t u16s_of(uint16_t *out, const tl_json *array)
{
    for (uint32_t i = 0; i < array->count; i++) {
        out[i] = (uint16_t)integer_of(&array->items[i]);
    }
    return array->count;
}

/* --- against NumPy --- */

static void sums_have_numpys_bits(void **state)
{
    (void)state; /* WGT-1 */
    const tl_json *const rows = tl_json_get(sdk, "sums");
    assert_true(rows->count > 10);
    for (uint32_t i = 0; i < rows->count; i++) {
        float x[COUNT_MAX];
        float narrow = 0;
        double wide[COUNT_MAX];
        double expected = 0;
        const size_t n = floats_of(x, &rows->items[i], "x");
        for (size_t k = 0; k < n; k++) {
            wide[k] = (double)x[k];
        }
        (void)floats_of(&narrow, &rows->items[i], "narrow");
        (void)doubles_of(&expected, &rows->items[i], "wide");
        const float sum = (float)tl__weights_sum(wide, n, true);
        assert_floats(&sum, &narrow, 1);
        assert_true(tl__weights_sum(wide, n, false) == expected);
    }
}

static void normalised_weights_have_the_sdks_bits(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(sdk, "normal");
    assert_true(rows->count >= 40);
    for (uint32_t i = 0; i < rows->count; i++) {
        float x[COUNT_MAX];
        float expected[COUNT_MAX];
        const size_t n = floats_of(x, &rows->items[i], "x");
        (void)floats_of(expected, &rows->items[i], "y");
        const double limit = number_of(tl_json_get(&rows->items[i], "limit"));
        assert_int_equal(tl_weights_normalize(x, x, n, limit, arena, NULL), TL_OK);
        assert_floats(x, expected, n);
    }
    const tl_json *const vectors = tl_json_get(wire, "normalize_max_weight");
    assert_int_equal(vectors->count, 5);
    for (uint32_t i = 0; i < vectors->count; i++) {
        const tl_json *const row = &vectors->items[i];
        const tl_json *const values = tl_json_get(row, "x");
        const tl_json *const bits = tl_json_get(row, "y_f32_hex");
        float x[8];
        float y[8];
        for (uint32_t k = 0; k < values->count; k++) {
            x[k] = (float)number_of(&values->items[k]);
            memcpy(&y[k], &(uint32_t){(uint32_t)hex_bits(bits->items[k].text, 0, 8)}, sizeof y[k]);
        }
        assert_int_equal(tl_weights_normalize(x, x, values->count,
                                              number_of(tl_json_get(row, "limit")), arena, NULL),
                         TL_OK);
        assert_floats(x, y, values->count);
    }
}

static void processed_weights_have_the_sdks_bits(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(sdk, "process");
    assert_true(rows->count >= 80);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        const tl_json *const given = tl_json_get(row, "rules");
        float x[COUNT_MAX];
        uint16_t uids[COUNT_MAX];
        double y[COUNT_MAX];
        const size_t n = floats_of(x, row, "x");
        for (size_t k = 0; k < n; k++) {
            uids[k] = (uint16_t)(3 * k);
        }
        const tl_weights_rules rules = {.neuron_count = (size_t)integer_of(&given->items[0]),
                                        .allowed_min = (size_t)integer_of(&given->items[1]),
                                        .weight_max = number_of(&given->items[2]),
                                        .exclude_quantile = (uint16_t)integer_of(&given->items[3])};
        tl_weights_set set = {NULL, NULL, 0};
        assert_int_equal(tl_weights_process(&set, arena, uids, x, n, &rules, NULL), TL_OK);
        const tl_json *const expected = tl_json_get(row, "uids");
        if (set.count != expected->count) {
            fail_msg("row %u: %zu weights, not %u", (unsigned)i, set.count,
                     (unsigned)expected->count);
        }
        assert_u16s(set.uids, expected);
        (void)doubles_of(y, row, "y");
        for (size_t k = 0; k < set.count; k++) {
            if (memcmp(&set.weights[k], &y[k], sizeof y[k]) != 0) {
                fail_msg("row %u, weight %zu is %.17g, not %.17g", (unsigned)i, k, set.weights[k],
                         y[k]);
            }
        }
    }
    const tl_json *const vectors = tl_json_get(wire, "process_weights");
    assert_int_equal(vectors->count, 4);
    for (uint32_t i = 0; i < vectors->count; i++) {
        const tl_json *const in = tl_json_get(&vectors->items[i], "in");
        const tl_json *const weights = tl_json_get(in, "weights");
        const tl_json *const expected = tl_json_get(&vectors->items[i], "weights");
        uint16_t uids[8];
        float x[8];
        (void)u16s_of(uids, tl_json_get(in, "uids"));
        for (uint32_t k = 0; k < weights->count; k++) {
            x[k] = (float)number_of(&weights->items[k]);
        }
        const tl_weights_rules rules = {
            .neuron_count = (size_t)integer_of(tl_json_get(in, "num_neurons")),
            .allowed_min = (size_t)integer_of(tl_json_get(in, "min_allowed")),
            .weight_max = number_of(tl_json_get(in, "max_limit")),
            .exclude_quantile = (uint16_t)integer_of(tl_json_get(in, "exclude_quantile"))};
        tl_weights_set set = {NULL, NULL, 0};
        assert_int_equal(tl_weights_process(&set, arena, uids, x, weights->count, &rules, NULL),
                         TL_OK);
        assert_int_equal(set.count, expected->count);
        assert_u16s(set.uids, tl_json_get(&vectors->items[i], "uids"));
        for (uint32_t k = 0; k < expected->count; k++) {
            assert_true(set.weights[k] == number_of(&expected->items[k]));
        }
    }
}

static void emitted_values_are_the_sdks(void **state)
{
    (void)state;
    int64_t uids[COUNT_MAX];
    float x[COUNT_MAX];
    uint16_t out_uids[COUNT_MAX];
    uint16_t out_values[COUNT_MAX];
    size_t count = 0;
    const tl_json *const rows = tl_json_get(sdk, "emit");
    for (uint32_t i = 0; i < rows->count; i++) {
        const size_t n = floats_of(x, &rows->items[i], "x");
        for (size_t k = 0; k < n; k++) {
            uids[k] = (int64_t)k;
        }
        assert_int_equal(tl_weights_emit(out_uids, out_values, &count, uids, x, n, NULL), TL_OK);
        assert_int_equal(count, tl_json_get(&rows->items[i], "uids")->count);
        assert_u16s(out_uids, tl_json_get(&rows->items[i], "uids"));
        assert_u16s(out_values, tl_json_get(&rows->items[i], "values"));
    }
    const tl_json *const vectors = tl_json_get(wire, "convert_for_emit");
    assert_int_equal(vectors->count, 5);
    for (uint32_t i = 0; i < vectors->count; i++) {
        const tl_json *const row = &vectors->items[i];
        const tl_json *const weights = tl_json_get(row, "weights_f32");
        for (uint32_t k = 0; k < weights->count; k++) {
            x[k] = (float)number_of(&weights->items[k]);
            uids[k] = integer_of(&tl_json_get(row, "uids")->items[k]);
        }
        assert_int_equal(
            tl_weights_emit(out_uids, out_values, &count, uids, x, weights->count, NULL), TL_OK);
        assert_int_equal(count, tl_json_get(row, "out_uids")->count);
        assert_u16s(out_uids, tl_json_get(row, "out_uids"));
        assert_u16s(out_values, tl_json_get(row, "out_vals"));
    }
}

static void splits_add_up(void **state)
{
    (void)state; /* WGT-2 */
    double parts[COUNT_MAX];
    uint16_t out[COUNT_MAX];
    const tl_json *const rows = tl_json_get(sdk, "split");
    for (uint32_t i = 0; i < rows->count; i++) {
        const size_t n = doubles_of(parts, &rows->items[i], "x");
        assert_int_equal(tl_weights_split(out, parts, n, arena, NULL), TL_OK);
        assert_u16s(out, tl_json_get(&rows->items[i], "values"));
    }
    const tl_json *const vectors = tl_json_get(wire, "split_to_u16");
    for (uint32_t i = 0; i < vectors->count; i++) {
        const tl_json *const in = tl_json_get(&vectors->items[i], "in");
        for (uint32_t k = 0; k < in->count; k++) {
            parts[k] = number_of(&in->items[k]);
        }
        assert_int_equal(tl_weights_split(out, parts, in->count, arena, NULL), TL_OK);
        assert_u16s(out, tl_json_get(&vectors->items[i], "out"));
    }
    static double many[200000]; /* each rounds to 0: the rest is more than one can hold */
    static uint16_t room[200000];
    for (size_t i = 0; i < 200000; i++) {
        many[i] = 1.0;
    }
    assert_int_equal(tl_weights_split(room, many, 200000, arena, NULL), TL_OK);
    assert_int_equal(room[0], 65535);
    assert_int_equal(tl_weights_split(room, many, 100000, arena, NULL), TL_ERR_RANGE);
}

static void rows_have_the_sdks_bits(void **state)
{
    (void)state;
    uint16_t uids[COUNT_MAX];
    uint16_t values[COUNT_MAX];
    float row[COUNT_MAX];
    float expected[COUNT_MAX];
    const tl_json *const rows = tl_json_get(sdk, "rows");
    for (uint32_t i = 0; i < rows->count; i++) {
        const size_t n = u16s_of(values, tl_json_get(&rows->items[i], "values"));
        for (size_t k = 0; k < n; k++) {
            uids[k] = (uint16_t)k;
        }
        (void)floats_of(expected, &rows->items[i], "y");
        assert_int_equal(tl_weights_row(row, n, uids, values, n, arena, NULL), TL_OK);
        assert_floats(row, expected, n);
    }
    const tl_json *const vectors = tl_json_get(wire, "row_weights");
    for (uint32_t i = 0; i < vectors->count; i++) {
        const tl_json *const one = &vectors->items[i];
        const tl_json *const out = tl_json_get(one, "out");
        const size_t n = u16s_of(uids, tl_json_get(one, "uids"));
        (void)u16s_of(values, tl_json_get(one, "weights"));
        assert_int_equal(tl_weights_row(row, out->count, uids, values, n, arena, NULL), TL_OK);
        for (uint32_t k = 0; k < out->count; k++) {
            assert_true(row[k] == (float)number_of(&out->items[k]));
        }
    }
    const uint16_t subnets[3] = {7, 9, 11};
    const uint16_t given[3] = {11, 8, 7};
    const uint16_t votes[3] = {3, 5, 1};
    int64_t bonds[12];
    assert_int_equal(tl_weights_root_row(row, subnets, 3, given, votes, 3, arena, NULL), TL_OK);
    assert_true(row[0] == 0.25f && row[1] == 0.0f && row[2] == 0.75f);
    assert_int_equal(tl_weights_bonds(bonds, 12, given, votes, 3, NULL), TL_OK);
    assert_int_equal(bonds[8], 5);
    assert_int_equal(bonds[0], 0);
    assert_int_equal(tl_weights_bonds(bonds, 11, given, votes, 3, NULL), TL_ERR_RANGE);
}

/* --- refused --- */

static void weights_that_are_none_are_refused(void **state)
{
    (void)state; /* WGT-3 */
    const float bad[3][2] = {{-1.0f, 1.0f}, {__builtin_nanf(""), 1.0f}, {1.0f, __builtin_inff()}};
    const tl_weights_rules rules = {2, 1, 0.5, 0};
    const int64_t uids[2] = {0, 1};
    const uint16_t small[2] = {0, 1};
    for (size_t i = 0; i < 3; i++) {
        float out[2] = {7.0f, 7.0f};
        uint16_t u16[2] = {7, 7};
        size_t count = 7;
        tl_weights_set set = {NULL, NULL, 7};
        assert_int_equal(tl_weights_normalize(out, bad[i], 2, 0.5, arena, NULL), TL_ERR_RANGE);
        assert_true(out[0] == 7.0f);
        assert_int_equal(tl_weights_process(&set, arena, small, bad[i], 2, &rules, NULL),
                         TL_ERR_RANGE);
        assert_int_equal(set.count, 7);
        assert_int_equal(tl_weights_emit(u16, u16, &count, uids, bad[i], 2, NULL), TL_ERR_RANGE);
        assert_int_equal(count, 7);
        const double parts[2] = {(double)bad[i][0], (double)bad[i][1]};
        assert_int_equal(tl_weights_split(u16, parts, 2, arena, NULL), TL_ERR_RANGE);
        assert_int_equal(u16[0], 7);
    }
    const float fine[2] = {1.0f, 1.0f};
    const int64_t bad_uids[2] = {-1, 0};
    const int64_t high_uids[2] = {0, 65536};
    float out[2];
    uint16_t u16[2];
    size_t count = 0;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_weights_emit(u16, u16, &count, bad_uids, fine, 2, &ctx), TL_ERR_RANGE);
    assert_string_equal(ctx.field, "uids");
    assert_int_equal(tl_weights_emit(u16, u16, &count, high_uids, fine, 2, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_weights_emit(u16, u16, &count, uids, fine, 0, &ctx), TL_ERR_MISSING);
    assert_int_equal(tl_weights_normalize(out, fine, 0, 0.5, arena, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_weights_normalize(out, fine, 2, 0.0, arena, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_weights_normalize(out, fine, 2, 1.5, arena, NULL), TL_ERR_RANGE);
    const double zeros[2] = {0.0, 0.0};
    assert_int_equal(tl_weights_split(u16, zeros, 2, arena, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_weights_split(u16, zeros, 0, arena, NULL), TL_ERR_RANGE);
}

/* --- commits and endpoints --- */

static void commits_hash_to_the_vectors(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(wire, "weight_commit_hash");
    assert_int_equal(rows->count, 3);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        uint16_t uids[COUNT_MAX];
        uint16_t values[COUNT_MAX];
        uint16_t salt[COUNT_MAX];
        tl_weights_commit commit = {.uids = uids, .values = values, .salt = salt};
        commit.count = u16s_of(uids, tl_json_get(row, "uids"));
        assert_int_equal(u16s_of(values, tl_json_get(row, "values")), commit.count);
        commit.salt_count = u16s_of(salt, tl_json_get(row, "salt"));
        commit.storage_index = (uint16_t)integer_of(tl_json_get(row, "storage_index"));
        commit.version_key = (uint64_t)integer_of(tl_json_get(row, "version_key"));
        assert_int_equal(tl_ss58_decode(&commit.hotkey, tl_json_get(row, "hotkey")->text, NULL),
                         TL_OK);
        tl_hash32 hash;
        assert_int_equal(tl_weights_commit_hash(&hash, &commit, arena, NULL), TL_OK);
        tl_sb sb;
        tl_str text = {NULL, 0};
        tl_sb_init(&sb, arena);
        tl_sb_put_cstr(&sb, "0x");
        tl_hex_encode(&sb, hash.b, sizeof hash.b);
        assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
        assert_true(tl_str_eq(text, tl_json_get(row, "hash")->text));
    }
    const tl_json *const index =
        &tl_json_get(tl_json_get(wire, "constants"), "storage_index")->items[0];
    uint16_t got = 0;
    assert_int_equal(
        tl_weights_storage_index(&got, (uint32_t)integer_of(tl_json_get(index, "mechid")),
                                 (uint32_t)integer_of(tl_json_get(index, "netuid")), NULL),
        TL_OK);
    assert_int_equal(got, integer_of(tl_json_get(index, "index")));
    assert_int_equal(tl_weights_storage_index(&got, 16, 0, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_weights_storage_index(&got, 0, 4096, NULL), TL_ERR_RANGE);
}

static tl_str finish(tl_sb *sb)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, sb, NULL), TL_OK);
    return text;
}

static void addresses_are_those_of_the_vectors(void **state)
{
    (void)state;
    const tl_json *const rows = tl_json_get(wire, "ip");
    assert_int_equal(rows->count, 5);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        const tl_str decimal = tl_json_get(row, "int")->text;
        const tl_str text = tl_json_get(row, "text")->text;
        tl_ip ip;
        tl_ip parsed;
        char printed[TL_IP_CAP];
        tl_sb sb;
        assert_int_equal(tl_ip_from_decimal(&ip, decimal, NULL), TL_OK);
        assert_int_equal(tl_ip_parse(&parsed, text, NULL), TL_OK);
        assert_memory_equal(&ip, &parsed, sizeof ip);
        assert_int_equal(tl_ip_version(&ip), integer_of(tl_json_get(row, "version")));
        assert_int_equal(tl_ip_print(printed, &ip), text.len);
        assert_true(tl_str_eq_cstr(text, printed));
        tl_sb_init(&sb, arena);
        tl_ip_put_decimal(&sb, &ip);
        assert_true(tl_str_eq(finish(&sb), decimal));
        const tl_axon_info info = {
            .ip = text, .port = 8888, .ip_type = (uint8_t)tl_ip_version(&ip)};
        tl_sb_init(&sb, arena);
        tl_axon_info_put_text(&sb, &info);
        assert_true(tl_str_eq(finish(&sb), tl_json_get(row, "axon_text")->text));
        assert_int_equal(tl_axon_info_is_serving(&info), i != 0);
    }
    static const char *const wrong[] = {
        "",        "1.2.3",     "1.2.3.4.5", "01.2.3.4",   "1.2.3.4 ",
        "[::1:0]", "fe80::1%1", "g::",       "1.2.3.4:80", "::1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        tl_ip ip;
        const tl_err err = tl_ip_parse(&ip, tl_str_from_cstr(wrong[i]), NULL);
        assert_int_equal(err,
                         i + 1 == sizeof wrong / sizeof wrong[0] ? TL_ERR_RANGE : TL_ERR_SYNTAX);
    }
    static const char *const numbers[] = {"",
                                          "-1",
                                          "01",
                                          "1x",
                                          "0x10",
                                          "340282366920938463463374607431768211456",
                                          "3402823669209384634633746074317682114550"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        tl_ip ip;
        assert_int_equal(tl_ip_from_decimal(&ip, tl_str_from_cstr(numbers[i]), NULL),
                         TL_ERR_SYNTAX);
    }
}

static void endpoints_survive_their_json(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\": 10002000, \"ip\": \"1.2.3.4\", \"port\": 8091, \"ip_type\": 4, \"hotkey\": "
        "\"h\\u00e9\", \"coldkey\": \"c\", \"protocol\": 4, \"placeholder1\": 0, "
        "\"placeholder2\": 0}";
    tl_axon_info info;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sb sb;
    assert_int_equal(tl_axon_info_from_json(&info, arena, tl_str_from_cstr(text), &ctx), TL_OK);
    tl_sb_init(&sb, arena);
    tl_axon_info_put_json(&sb, &info);
    assert_true(tl_str_eq_cstr(finish(&sb), text));
    assert_int_equal(tl_axon_info_from_json(&info, arena,
                                            TL_STR("{\"version\":1,\"ip\":\"\",\"port\":1,\"ip_"
                                                   "type\":4,\"hotkey\":\"\",\"coldkey\":\"\"}"),
                                            &ctx),
                     TL_OK);
    assert_int_equal(info.protocol, 4);
    static const struct {
        const char *json;
        tl_err code;
        const char *field;
    } rows[] = {{"nothing", TL_ERR_SYNTAX, ""},
                {"[]", TL_ERR_TYPE, ""},
                {"{}", TL_ERR_MISSING, "version"},
                {"{\"version\":1,\"x\":2}", TL_ERR_UNKNOWN, ""},
                {"{\"version\":4294967296}", TL_ERR_RANGE, "version"},
                {"{\"version\":1,\"ip\":1}", TL_ERR_TYPE, "ip"},
                {"{\"version\":1,\"ip\":\"\",\"port\":65536}", TL_ERR_RANGE, "port"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctx = (tl_errctx)TL_ERRCTX_INIT;
        assert_int_equal(tl_axon_info_from_json(&info, arena, tl_str_from_cstr(rows[i].json), &ctx),
                         rows[i].code);
        assert_string_equal(ctx.field, rows[i].field);
    }
}

static void versions_are_one_number(void **state)
{
    (void)state;
    const tl_json *const constants = tl_json_get(wire, "constants");
    static const char *const texts[] = {"10.2.0", "10.5.0", "7.2.0"};
    static const char *const keys[] = {"version_10_2_0_as_int", "version_10_5_0_as_int",
                                       "version_7_2_0_as_int"};
    uint32_t version = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tl_version_as_int(&version, tl_str_from_cstr(texts[i]), NULL), TL_OK);
        assert_int_equal(version, integer_of(tl_json_get(constants, keys[i])));
    }
    assert_int_equal(tl_version_as_int(&version, TL_STR("10.5.0rc1"), NULL), TL_OK);
    assert_int_equal(version, 10005000);
    assert_int_equal(tl_version_as_int(&version, TL_STR("2147.483.647"), NULL), TL_OK);
    assert_int_equal(tl_version_as_int(&version, TL_STR("2147.483.648"), NULL), TL_ERR_RANGE);
    assert_int_equal(tl_version_as_int(&version, TL_STR("1.1000.0"), NULL), TL_ERR_RANGE);
    assert_int_equal(tl_version_as_int(&version, TL_STR("99999999999999999999.1.1"), NULL),
                     TL_ERR_RANGE);
    static const char *const wrong[] = {"", "1", "1.2", "1.2.", ".1.2", "1..2", "v1.2.3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(tl_version_as_int(&version, tl_str_from_cstr(wrong[i]), NULL),
                         TL_ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_numpys_bits),
        cmocka_unit_test(normalised_weights_have_the_sdks_bits),
        cmocka_unit_test(processed_weights_have_the_sdks_bits),
        cmocka_unit_test(emitted_values_are_the_sdks),
        cmocka_unit_test(splits_add_up),
        cmocka_unit_test(rows_have_the_sdks_bits),
        cmocka_unit_test(weights_that_are_none_are_refused),
        cmocka_unit_test(commits_hash_to_the_vectors),
        cmocka_unit_test(addresses_are_those_of_the_vectors),
        cmocka_unit_test(endpoints_survive_their_json),
        cmocka_unit_test(versions_are_one_number),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
