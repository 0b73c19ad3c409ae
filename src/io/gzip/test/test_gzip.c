/* What is packed is read back by the reader of files, whatever its length and however it repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/world/world.h"
#include "io/gzip/gzip.h"
#include "io/sys/sys.h"

static void what_was_packed_comes_back(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    static const size_t lens[] = {0, 1, 100, 65536, sizeof bytes};
    tl_seeded_entropy seed;
    const tl_entropy entropy = tl_seeded_entropy_start(&seed, 11);
    for (int is_random = 0; is_random < 2; is_random++) {
        memset(bytes, 'a', sizeof bytes);
        if (is_random != 0) {
            assert_int_equal(tl_entropy_fill(&entropy, bytes, sizeof bytes, NULL), TL_OK);
        }
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            tl_arena *arena;
            tl_bytes packed;
            tl_str back;
            assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
            assert_int_equal(tl_gzip(&packed, arena, (tl_bytes){bytes, lens[i]}, 1 + (int)i, NULL),
                             TL_OK);
            assert_true(is_random != 0 || packed.len < lens[i] / 100 + 40);
            assert_int_equal(tl_sys_gunzip(&back, arena,
                                           (tl_str){(const char *)packed.ptr, packed.len},
                                           sizeof bytes, NULL),
                             TL_OK);
            assert_int_equal(back.len, lens[i]); /* GZIP-1 */
            assert_memory_equal(back.ptr, bytes, lens[i]);
            tl_arena_free(arena);
        }
    }
}

static void the_same_bytes_give_the_same_gzip(void **state)
{
    (void)state;
    tl_arena *arena;
    tl_bytes a;
    tl_bytes b;
    const tl_bytes text = tl_str_bytes(TL_STR("no name and no time are written"));
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_gzip(&a, arena, text, 6, NULL), TL_OK);
    assert_int_equal(tl_gzip(&b, arena, text, 6, NULL), TL_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
    assert_int_equal(a.ptr[4] | a.ptr[5] | a.ptr[6] | a.ptr[7], 0); /* MTIME */
    tl_arena_free(arena);
}

static void what_cannot_be_packed_is_refused(void **state)
{
    (void)state;
    tl_arena *arena;
    tl_bytes out;
    static const uint8_t zeros[4096];
    assert_int_equal(tl_arena_new(&arena, NULL, 64, NULL, NULL), TL_OK);
    assert_int_equal(tl_gzip(&out, arena, (tl_bytes){zeros, 1}, 0, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_gzip(&out, arena, (tl_bytes){zeros, 1}, 10, NULL), TL_ERR_RANGE);
    assert_int_equal(tl_gzip(&out, arena, (tl_bytes){zeros, ((size_t)1 << 30) + 1}, 1, NULL),
                     TL_ERR_LIMIT);
    assert_int_equal(tl_gzip(&out, arena, (tl_bytes){zeros, sizeof zeros}, 1, NULL), TL_ERR_LIMIT);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_comes_back),
        cmocka_unit_test(the_same_bytes_give_the_same_gzip),
        cmocka_unit_test(what_cannot_be_packed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
