/* Attacks the buffer: every type and shape as NumPy writes it (golden/sdk.json) and as the wire spec's vectors have it;
 * then pickles, shapes that promise more than there is, and each byte of a good buffer changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/base64/base64.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"
#include "sdk/tensor/tensor.h"

static tl_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static const tl_json *read_rows(const char *path)
{
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    assert_int_equal(tl_sys_read_file(&text, arena, path, (size_t)1 << 24, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&json, arena, text, NULL, NULL), TL_OK);
    return tl_json_get(json, "tensor");
}

static tl_value dict_of(const char *buffer, const char *dtype, tl_value shape)
{
    tl_value_member *const members = TL_NEW(arena, tl_value_member, 3);
    members[0] = (tl_value_member){TL_STR("buffer"), tl_value_from_str(tl_str_from_cstr(buffer))};
    members[1] = (tl_value_member){TL_STR("dtype"), tl_value_from_str(tl_str_from_cstr(dtype))};
    members[2] = (tl_value_member){TL_STR("shape"), shape};
    return tl_value_from_members(members, 3);
}

static tl_value list_of(const int64_t *lengths, size_t count)
{
    tl_value *const items = TL_NEW(arena, tl_value, count);
    for (size_t i = 0; i < count; i++) {
        items[i] = tl_value_from_i64(lengths[i]);
    }
    return tl_value_from_items(items, count);
}

static void tensors_are_read_and_written_as_numpy_does(void **state)
{
    (void)state; /* TEN-1 */
    const tl_json *const rows = read_rows(TL_SOURCE_ROOT "/src/sdk/tensor/test/golden/sdk.json");
    assert_true(rows->count > 20);
    for (uint32_t i = 0; i < rows->count; i++) {
        const tl_json *const row = &rows->items[i];
        tl_value dict = tl_value_none();
        tl_tensor tensor;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_value_from_json(&dict, arena, row, NULL), TL_OK);
        if (tl_tensor_decode(&tensor, arena, &dict, &ctx) != TL_OK) {
            fail_msg("row %u: %s: %s", (unsigned)i, ctx.field, ctx.message);
        }
        const tl_json *const inner = tl_json_get(row, "inner");
        assert_int_equal(tensor.dim_count, inner->count);
        tl_bytes data = {NULL, 0};
        assert_int_equal(tl_hex_decode_bytes(&data, arena, tl_json_get(row, "data")->text, NULL),
                         TL_OK);
        assert_int_equal(tensor.data.len, data.len);
        assert_true(data.len == 0 || memcmp(tensor.data.ptr, data.ptr, data.len) == 0);
        const tl_json *const values = tl_json_get(row, "values");
        assert_int_equal(tl_tensor_count(&tensor), values->count);
        for (uint32_t k = 0; k < values->count; k++) {
            double value = 0;
            assert_int_equal(tl_json_as_f64(&value, &values->items[k], NULL, NULL), TL_OK);
            assert_true(tl_tensor_at(&tensor, k) == value);
        }
        tl_value again = tl_value_none();
        assert_int_equal(tl_tensor_encode(&again, arena, &tensor, NULL), TL_OK);
        const char *const keys[] = {"buffer", "dtype", "shape"};
        for (size_t k = 0; k < 3; k++) {
            assert_true(tl_str_eq_cstr(again.members[k].key, keys[k]));
            assert_true(tl_value_eq(&again.members[k].value,
                                    tl_value_get(&dict, tl_str_from_cstr(keys[k]))));
        }
    }
}

static void the_vectors_hold(void **state)
{
    (void)state;
    const tl_json *const rows = read_rows(TL_SOURCE_ROOT "/src/sdk/tensor/test/golden/wire.json");
    static const double expected[4][4] = {{1, 2, 3, 0}, {1, 2, 3, 4}, {5, 0, 0, 0}, {1, 0, 0, 0}};
    static const size_t counts[4] = {3, 4, 1, 2};
    assert_int_equal(rows->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        tl_value dict = tl_value_none();
        tl_tensor tensor;
        assert_int_equal(tl_value_from_json(&dict, arena, &rows->items[i], NULL), TL_OK);
        assert_int_equal(tl_tensor_decode(&tensor, arena, &dict, NULL), TL_OK);
        assert_int_equal(tl_tensor_count(&tensor), counts[i]);
        for (size_t k = 0; k < counts[i]; k++) {
            assert_true(tl_tensor_at(&tensor, k) == expected[i][k]);
        }
        tl_value again = tl_value_none();
        assert_int_equal(tl_tensor_encode(&again, arena, &tensor, NULL), TL_OK);
        assert_true(tl_value_eq(&again.members[0].value, tl_value_get(&dict, TL_STR("buffer"))));
    }
}

/* The map of float32 [1, 2], as bytes. */
static const uint8_t good[] = {
    0x85, 0xC4, 2,   'n', 'd', 0xC3, 0xC4, 4,    't', 'y',  'p',  'e', 0xA3, '<', 'f',  '4', 0xC4,
    4,    'k',  'i', 'n', 'd', 0xC4, 0,    0xC4, 5,   's',  'h',  'a', 'p',  'e', 0x91, 2,   0xC4,
    4,    'd',  'a', 't', 'a', 0xC4, 8,    0,    0,   0x80, 0x3F, 0,   0,    0,   0x40};

static tl_err decode_bytes(const uint8_t *bytes, size_t len, const char *dtype, tl_tensor *out)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, bytes, len);
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    const int64_t shape[] = {0};
    const tl_value dict = dict_of(text.ptr, dtype, list_of(shape, 1));
    return tl_tensor_decode(out, arena, &dict, NULL);
}

static void objects_are_refused(void **state)
{
    (void)state; /* TEN-2 */
    uint8_t pickle[sizeof good + 1];
    memcpy(pickle, good, 23);
    pickle[23] = 1;
    pickle[24] = 'O';
    memcpy(pickle + 25, good + 24, sizeof good - 24);
    tl_tensor tensor;
    assert_int_equal(decode_bytes(pickle, sizeof pickle, "float32", &tensor), TL_ERR_REFUSED);
    pickle[24] = 'V';
    assert_int_equal(decode_bytes(pickle, sizeof pickle, "float32", &tensor), TL_ERR_REFUSED);
    assert_int_equal(decode_bytes(good, sizeof good, "float32", &tensor), TL_OK);
    assert_int_equal(decode_bytes(good, sizeof good, "torch.float32", &tensor), TL_OK);
    assert_true(tensor.is_torch);
    assert_int_equal(decode_bytes(good, sizeof good, "int32", &tensor), TL_ERR_REFUSED);
    assert_int_equal(decode_bytes(good, sizeof good, "object", &tensor), TL_ERR_UNKNOWN);
}

static void each_changed_byte_is_harmless(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof good; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            uint8_t bytes[sizeof good];
            memcpy(bytes, good, sizeof good);
            bytes[at] = (uint8_t)(bytes[at] ^ flip);
            tl_tensor tensor;
            const tl_arena_mark mark = tl_arena_get_mark(arena);
            if (decode_bytes(bytes, sizeof bytes, "float32", &tensor) == TL_OK) {
                assert_int_equal(tensor.data.len, tl_tensor_count(&tensor) * 4);
                assert_true(at >= sizeof good - 8); /* only the numbers are free */
            }
            tl_arena_rewind(arena, mark);
        }
    }
    for (size_t len = 0; len < sizeof good; len++) {
        tl_tensor tensor;
        assert_int_equal(decode_bytes(good, len, "float32", &tensor), TL_ERR_SYNTAX);
    }
}

static void a_shape_must_fit_its_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t shape[3];
        size_t count;
        tl_err code;
    } rows[] = {{{2}, 1, TL_OK},           {{1, 2}, 2, TL_OK},
                {{2, 1, 1}, 3, TL_OK},     {{3}, 1, TL_ERR_RANGE},
                {{-1}, 1, TL_ERR_RANGE},   {{-1, -2}, 2, TL_ERR_RANGE},
                {{0, 2}, 2, TL_ERR_RANGE}, {{INT64_MAX, INT64_MAX, 2}, 3, TL_ERR_RANGE},
                {{0}, 0, TL_ERR_LIMIT}};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, good, sizeof good);
    tl_str text = {NULL, 0};
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_tensor tensor;
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_value dict = dict_of(text.ptr, "float32", list_of(rows[i].shape, rows[i].count));
        assert_int_equal(tl_tensor_decode(&tensor, arena, &dict, &ctx), rows[i].code);
        assert_string_equal(ctx.field, rows[i].code == TL_OK ? "" : "shape");
    }
    tl_tensor tensor = {.dtype = TL_TENSOR_int16, .dim_count = 1, .shape = {3}};
    tensor.data = (tl_bytes){good, 5};
    tl_value out = tl_value_none();
    assert_int_equal(tl_tensor_encode(&out, arena, &tensor, NULL), TL_ERR_RANGE);
    tensor.shape[0] = -3;
    assert_int_equal(tl_tensor_encode(&out, arena, &tensor, NULL), TL_ERR_RANGE);
}

static void fields_of_another_type_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        tl_err code;
        const char *field;
    } rows[] = {{"{}", TL_ERR_TYPE, "dtype"},
                {"[]", TL_ERR_TYPE, "dtype"},
                {"{\"dtype\":\"int8\"}", TL_ERR_TYPE, "buffer"},
                {"{\"dtype\":\"int8\",\"buffer\":null}", TL_ERR_TYPE, "buffer"},
                {"{\"dtype\":\"int8\",\"buffer\":\"a\"}", TL_ERR_SYNTAX, "buffer"},
                {"{\"dtype\":\"int8\",\"buffer\":\"\"}", TL_ERR_SYNTAX, "buffer"},
                {"{\"dtype\":5,\"buffer\":\"\"}", TL_ERR_TYPE, "dtype"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tl_value value = tl_value_none();
        tl_tensor tensor;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_value_parse(&value, arena, tl_str_from_cstr(rows[i].json), NULL, NULL),
                         TL_OK);
        assert_int_equal(tl_tensor_decode(&tensor, arena, &value, &ctx), rows[i].code);
        assert_string_equal(ctx.field, rows[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_read_and_written_as_numpy_does),
        cmocka_unit_test(the_vectors_hold),
        cmocka_unit_test(objects_are_refused),
        cmocka_unit_test(each_changed_byte_is_harmless),
        cmocka_unit_test(a_shape_must_fit_its_numbers),
        cmocka_unit_test(fields_of_another_type_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
