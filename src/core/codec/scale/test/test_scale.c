/* Attacks the reader with ends inside values, forms longer than needed, counts beyond the input, values beyond their
 * type; holds the writer to published bytes, and both to each other over edges and random values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/codec/scale/scale.h"

static tl_arena *arena;

static int open_arena(void **state)
{
    (void)state;
    return tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK ? 0 : -1;
}

static int close_arena(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_bytes finish(tl_sb *sb)
{
    tl_str text;
    assert_int_equal(tl_sb_finish(&text, sb, NULL), TL_OK);
    return tl_str_bytes(text);
}

static tl_bytes from_hex(const char *hex)
{
    tl_bytes bytes;
    assert_int_equal(tl_hex_decode_bytes(&bytes, arena, tl_str_from_cstr(hex), NULL), TL_OK);
    return bytes;
}

static void assert_written(tl_sb *sb, const char *hex)
{
    const tl_bytes want = from_hex(hex);
    const tl_bytes got = finish(sb);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, want.len);
    sb->len = 0;
}

static void published_bytes_come_out(void **state)
{
    (void)
        state; /* the examples of Substrate's SCALE documentation, and of parity-scale-codec's tests */
    static const struct {
        uint64_t value;
        const char *hex;
    } compacts[] = {{0, "00"},
                    {1, "04"},
                    {42, "a8"},
                    {63, "fc"},
                    {64, "0101"},
                    {69, "1501"},
                    {16383, "fdff"},
                    {16384, "02000100"},
                    {65535, "feff0300"},
                    {1073741823, "feffffff"},
                    {1073741824, "0300000040"},
                    {4294967295, "03ffffffff"},
                    {4294967296, "070000000001"},
                    {100000000000000, "0b00407a10f35a"},
                    {UINT64_C(1) << 56, "130000000000000001"},
                    {UINT64_MAX, "13ffffffffffffffff"}};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < sizeof compacts / sizeof *compacts; i++) {
        tl_scale_put_compact(&sb, compacts[i].value);
        assert_written(&sb, compacts[i].hex);
        tl_scale_reader r;
        tl_scale_reader_init(&r, from_hex(compacts[i].hex));
        assert_true(tl_scale_read_compact_u64(&r) == compacts[i].value);
        assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
    }
    tl_scale_put_i8(&sb, 69);
    assert_written(&sb, "45");
    tl_scale_put_u16(&sb, 42);
    assert_written(&sb, "2a00");
    tl_scale_put_u32(&sb, 16777215);
    assert_written(&sb, "ffffff00");
    tl_scale_put_i64(&sb, -2);
    assert_written(&sb, "feffffffffffffff");
    tl_scale_put_str(&sb, TL_STR("Hamlet"));
    assert_written(&sb, "1848616d6c6574");
    tl_scale_put_str(&sb, TL_STR("\xE6\x88\x98\xE4\xBA\x89\xE4\xB8\x8E\xE5\x92\x8C\xE5\xB9\xB3"));
    assert_written(&sb, "3ce68898e4ba89e4b88ee5928ce5b9b3");
    tl_scale_put_bool(&sb, false);
    tl_scale_put_bool(&sb, true);
    assert_written(&sb, "0001");
    static const uint16_t fibonacci[] = {4, 8, 15, 16, 23, 42};
    tl_scale_put_compact(&sb, 6);
    for (size_t i = 0; i < 6; i++) {
        tl_scale_put_u16(&sb, fibonacci[i]);
    }
    assert_written(&sb, "18040008000f00100017002a00");
}

static void each_integer_type_survives_at_its_edges(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0,
                                     1,
                                     0x7F,
                                     0x80,
                                     0xFF,
                                     0x7FFF,
                                     0x8000,
                                     0xFFFF,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     INT64_MAX,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        const uint64_t v = edges[i];
        const tl_u128 wide = (tl_u128)v << 64 | ~v;
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_scale_put_u8(&sb, (uint8_t)v);
        tl_scale_put_u16(&sb, (uint16_t)v);
        tl_scale_put_u32(&sb, (uint32_t)v);
        tl_scale_put_u64(&sb, v);
        tl_scale_put_u128(&sb, wide);
        tl_scale_put_i8(&sb, (int8_t)v);
        tl_scale_put_i16(&sb, (int16_t)v);
        tl_scale_put_i32(&sb, (int32_t)v);
        tl_scale_put_i64(&sb, (int64_t)v);
        tl_scale_put_i128(&sb, (tl_i128)wide);
        tl_scale_reader r;
        tl_scale_reader_init(&r, finish(&sb));
        assert_int_equal(tl_scale_read_u8(&r), (uint8_t)v);
        assert_int_equal(tl_scale_read_u16(&r), (uint16_t)v);
        assert_int_equal(tl_scale_read_u32(&r), (uint32_t)v);
        assert_true(tl_scale_read_u64(&r) == v);
        assert_true(tl_scale_read_u128(&r) == wide);
        assert_int_equal(tl_scale_read_i8(&r), (int8_t)v);
        assert_int_equal(tl_scale_read_i16(&r), (int16_t)v);
        assert_int_equal(tl_scale_read_i32(&r), (int32_t)v);
        assert_true(tl_scale_read_i64(&r) == (int64_t)v);
        assert_true(tl_scale_read_i128(&r) == (tl_i128)wide);
        assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
    }
}

/* The form of a value, by the table of the documentation: what the writer must choose. */
static size_t shortest_len(tl_u128 value)
{
    if (value < 64) {
        return 1;
    }
    if (value < 16384) {
        return 2;
    }
    if (value < UINT64_C(1) << 30) {
        return 4;
    }
    size_t bytes = 4;
    while (bytes < 16 && value >> (8 * bytes) != 0) {
        bytes++;
    }
    return 1 + bytes;
}

static void compacts_of_all_sizes_survive_in_their_shortest_form(void **state)
{
    (void)state; /* SCALE-2 */
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (unsigned bit = 0; bit < 128; bit++) {
        for (int delta = -1; delta <= 1; delta++) {
            const tl_u128 value = ((tl_u128)1 << bit) + (tl_u128)delta;
            sb.len = 0;
            tl_scale_put_compact_u128(&sb, value);
            const tl_bytes bytes = finish(&sb);
            assert_int_equal(bytes.len, shortest_len(value));
            tl_scale_reader r;
            tl_scale_reader_init(&r, bytes);
            assert_true(tl_scale_read_compact_u128(&r) == value);
            assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
        }
    }
    uint8_t wide[TL_SCALE_COMPACT_MAX];
    for (size_t len = 0; len <= sizeof wide; len++) {
        memset(wide, 0, sizeof wide);
        memset(wide, 0xA5, len);
        sb.len = 0;
        tl_scale_put_compact_wide(&sb, wide, sizeof wide);
        tl_scale_reader r;
        uint8_t back[TL_SCALE_COMPACT_MAX];
        tl_scale_reader_init(&r, finish(&sb));
        assert_int_equal(tl_scale_read_compact_wide(&r, back), len);
        assert_memory_equal(back, wide, sizeof wide);
        assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
    }
}

static void longer_forms_are_refused(void **state)
{
    (void)state;                                   /* SCALE-2 */
    const char *longer[] = {"0100",                /* 0 in two bytes */
                            "fd00",                /* 63 in two bytes */
                            "02000000",            /* 0 in four bytes */
                            "feff0000",            /* 16383 in four bytes */
                            "0300000000",          /* 0 in the long form */
                            "03ffffff3f",          /* 2^30 - 1 in the long form */
                            "070000004000",        /* 2^30 in five bytes */
                            "13ffffffffffffff00"}; /* 2^56 - 1 in eight bytes */
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        tl_scale_reader r;
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_scale_reader_init(&r, from_hex(longer[i]));
        assert_true(tl_scale_read_compact_u128(&r) == 0);
        assert_int_equal(tl_scale_reader_finish(&r, &ctx), TL_ERR_CANONICAL);
        assert_true(ctx.has_offset && ctx.offset == 0);
    }
}

static void all_texts_of_two_bytes_are_canonical_or_refused(void **state)
{
    (void)state; /* SCALE-2, exhaustively: what is accepted is what the writer writes */
    size_t accepted = 0;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (unsigned v = 0; v < 65536; v++) {
        const uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
        tl_scale_reader r;
        tl_scale_reader_init(&r, (tl_bytes){bytes, 2});
        const uint64_t first = tl_scale_read_compact_u64(&r);
        const size_t len = r.at;
        if (r.err != TL_OK) {
            assert_true(first == 0 && len == 0);
            continue;
        }
        accepted++;
        sb.len = 0;
        tl_scale_put_compact(&sb, first);
        const tl_bytes again = finish(&sb);
        assert_int_equal(again.len, len);
        assert_memory_equal(again.ptr, bytes, len);
    }
    assert_int_equal(accepted, 64 * 256 + (16384 - 64));
}

static void a_value_beyond_its_type_is_out_of_range(void **state)
{
    (void)state;
    tl_sb sb;
    tl_scale_reader r;
    tl_sb_init(&sb, arena);
    tl_scale_put_compact(&sb, UINT64_C(1) << 16);
    tl_scale_reader_init(&r, finish(&sb));
    assert_int_equal(tl_scale_read_compact_u16(&r), 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_RANGE);
    sb.len = 0;
    tl_scale_put_compact(&sb, UINT64_C(1) << 32);
    tl_scale_reader_init(&r, finish(&sb));
    assert_int_equal(tl_scale_read_compact_u32(&r), 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_RANGE);
    sb.len = 0;
    tl_scale_put_compact_u128(&sb, (tl_u128)1 << 64);
    tl_scale_reader_init(&r, finish(&sb));
    assert_true(tl_scale_read_compact_u64(&r) == 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_RANGE);
    uint8_t wide[17] = {0};
    wide[16] = 1;
    sb.len = 0;
    tl_scale_put_compact_wide(&sb, wide, sizeof wide);
    tl_scale_reader_init(&r, finish(&sb));
    assert_true(tl_scale_read_compact_u128(&r) == 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_RANGE);
}

/* One record with every primitive, as a caller would read it. */
static tl_err read_record(tl_bytes bytes, tl_errctx *ctx)
{
    tl_scale_reader r;
    tl_scale_reader_init(&r, bytes);
    (void)tl_scale_read_u8(&r);
    (void)tl_scale_read_u128(&r);
    (void)tl_scale_read_bool(&r);
    if (tl_scale_read_option(&r)) {
        (void)tl_scale_read_compact_u128(&r);
    }
    (void)tl_scale_read_variant(&r, 3);
    const size_t count = tl_scale_read_count(&r, 10, 4);
    for (size_t i = 0; i < count; i++) {
        (void)tl_scale_read_u32(&r);
    }
    uint8_t fixed[5];
    tl_scale_read_fixed(&r, fixed, sizeof fixed);
    (void)tl_scale_read_str(&r, 20);
    (void)tl_scale_read_bytes(&r, 20);
    return tl_scale_reader_finish(&r, ctx);
}

static tl_bytes write_record(void)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_scale_put_u8(&sb, 9);
    tl_scale_put_u128(&sb, ~(tl_u128)0);
    tl_scale_put_bool(&sb, true);
    tl_scale_put_bool(&sb, true);
    tl_scale_put_compact_u128(&sb, (tl_u128)1 << 100);
    tl_scale_put_u8(&sb, 2);
    tl_scale_put_compact(&sb, 3);
    for (uint32_t i = 0; i < 3; i++) {
        tl_scale_put_u32(&sb, i);
    }
    tl_sb_put_bytes(&sb, "fixed", 5);
    tl_scale_put_str(&sb, TL_STR("text"));
    tl_scale_put_bytes(&sb, "\x00\xFF", 2);
    return finish(&sb);
}

static void each_truncation_is_noticed_where_it_is(void **state)
{
    (void)state; /* SCALE-1 */
    const tl_bytes whole = write_record();
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(read_record(whole, &ctx), TL_OK);
    for (size_t len = 0; len < whole.len; len++) {
        const tl_bytes cut = {len != 0 ? whole.ptr : NULL, len};
        assert_int_equal(read_record(cut, &ctx), TL_ERR_SYNTAX);
        assert_true(ctx.has_offset && ctx.offset <= len);
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_bytes(&sb, whole.ptr, whole.len);
    tl_scale_put_u8(&sb, 0);
    assert_int_equal(read_record(finish(&sb), &ctx), TL_ERR_SYNTAX);
    assert_int_equal(ctx.offset, whole.len);
    assert_non_null(strstr(ctx.message, "1 bytes follow"));
}

static void the_first_failure_sticks(void **state)
{
    (void)state; /* SCALE-1 */
    tl_scale_reader r;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_scale_reader_init(&r, from_hex("0102030405060708"));
    assert_int_equal(tl_scale_read_u8(&r), 1);
    assert_false(tl_scale_read_bool(&r)); /* 2 is no bool */
    assert_int_equal(r.at, 1);
    assert_int_equal(tl_scale_read_u8(&r), 0);
    assert_int_equal(tl_scale_read_u32(&r), 0);
    assert_true(tl_scale_read_u128(&r) == 0);
    assert_int_equal(tl_scale_read_count(&r, 100, 0), 0);
    assert_int_equal(tl_scale_read_variant(&r, 1), 0);
    assert_null(tl_scale_read_view(&r, 1).ptr);
    assert_int_equal(tl_scale_read_str(&r, 9).len, 0);
    uint8_t fixed[2] = {7, 7};
    tl_scale_read_fixed(&r, fixed, 2);
    assert_true(fixed[0] == 0 && fixed[1] == 0);
    tl_scale_reader_fail(&r, TL_ERR_RANGE, "a later opinion");
    assert_int_equal(tl_scale_reader_check(&r, &ctx), TL_ERR_SYNTAX);
    assert_int_equal(ctx.offset, 1);
    assert_non_null(strstr(ctx.message, "bool"));
}

static void a_callers_own_refusal_is_an_error(void **state)
{
    (void)state;
    tl_scale_reader r;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_scale_reader_init(&r, from_hex("0500"));
    assert_int_equal(tl_scale_reader_check(&r, &ctx), TL_OK);
    assert_int_equal(tl_scale_read_u16(&r), 5);
    tl_scale_reader_fail(&r, TL_ERR_UNKNOWN, "no such pallet");
    assert_int_equal(tl_scale_reader_finish(&r, &ctx), TL_ERR_UNKNOWN);
    assert_string_equal(ctx.message, "no such pallet, at byte 2 of 2");
}

static void a_count_never_promises_more_than_there_is(void **state)
{
    (void)state; /* SCALE-3 */
    tl_scale_reader r;
    tl_scale_reader_init(&r, from_hex("13ffffffffffffffff"));
    assert_int_equal(tl_scale_read_count(&r, SIZE_MAX, 1), 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_SYNTAX);
    tl_scale_reader_init(&r, from_hex("0c010203"));
    assert_int_equal(tl_scale_read_count(&r, 3, 1), 3);
    tl_scale_reader_init(&r, from_hex("0c010203"));
    assert_int_equal(tl_scale_read_count(&r, 3, 2), 0);
    assert_int_equal(r.err, TL_ERR_SYNTAX);
    tl_scale_reader_init(&r, from_hex("0c010203"));
    assert_int_equal(tl_scale_read_count(&r, 2, 1), 0);
    assert_int_equal(r.err, TL_ERR_LIMIT);
    tl_scale_reader_init(&r, from_hex("0c"));
    assert_int_equal(tl_scale_read_count(&r, 3, 0), 3); /* three empty elements */
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
}

static void wrong_variants_options_and_texts_are_refused(void **state)
{
    (void)state;
    tl_scale_reader r;
    tl_scale_reader_init(&r, from_hex("03"));
    assert_int_equal(tl_scale_read_variant(&r, 3), 0);
    assert_int_equal(r.err, TL_ERR_SYNTAX);
    tl_scale_reader_init(&r, from_hex("ff"));
    assert_int_equal(tl_scale_read_variant(&r, 256), 255);
    tl_scale_reader_init(&r, from_hex("02"));
    assert_false(tl_scale_read_option(&r));
    assert_int_equal(r.err, TL_ERR_SYNTAX);
    tl_scale_reader_init(&r, from_hex("08c080")); /* an overlong NUL */
    assert_int_equal(tl_scale_read_str(&r, 9).len, 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_ERR_ENCODING);
    tl_scale_reader_init(&r, from_hex("00"));
    assert_int_equal(tl_scale_read_str(&r, 0).len, 0);
    assert_int_equal(tl_scale_reader_finish(&r, NULL), TL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_bytes_come_out),
        cmocka_unit_test(each_integer_type_survives_at_its_edges),
        cmocka_unit_test(compacts_of_all_sizes_survive_in_their_shortest_form),
        cmocka_unit_test(longer_forms_are_refused),
        cmocka_unit_test(all_texts_of_two_bytes_are_canonical_or_refused),
        cmocka_unit_test(a_value_beyond_its_type_is_out_of_range),
        cmocka_unit_test(each_truncation_is_noticed_where_it_is),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(a_callers_own_refusal_is_an_error),
        cmocka_unit_test(a_count_never_promises_more_than_there_is),
        cmocka_unit_test(wrong_variants_options_and_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
