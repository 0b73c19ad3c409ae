/* The digests of chain spec 1.11: three shapes, three forms, three epochs each. Attacked: whatever the golden cases are
 * too small for: long rows, packed cells of the median, cells of value 0 that are stored, carried bonds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/consensus/yuma/test/workload.h"

static void digests_are_the_specs(size_t shape_index)
{
    const yuma_shape *shape = &YUMA_SHAPES[shape_index];
    for (int form = 0; form < YUMA_FORM_COUNT; form++) {
        tl_arena *arena = NULL;
        assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
        yuma_workload workload;
        assert_int_equal(yuma_workload_new(&workload, arena, shape, (yuma_form)form, NULL), TL_OK);
        tl_yuma_output out;
        for (int epoch = 0; epoch < YUMA_WORKLOAD_EPOCHS; epoch++) {
            assert_int_equal(yuma_workload_run(&workload, arena, &out, NULL), TL_OK);
        }
        tl_hash32 digest;
        char text[2 * sizeof digest.b + 1];
        yuma_workload_digest(&digest, &out);
        tl_hex_write(text, digest.b, sizeof digest.b);
        assert_string_equal(text, shape->digest[form]);
        tl_arena_free(arena);
    }
}

static void the_check_load_has_the_digests_of_the_spec(void **state)
{
    (void)state;
    digests_are_the_specs(YUMA_SHAPE_CHECK);
}

static void yuma_256_has_the_digests_of_the_spec(void **state)
{
    (void)state;
    digests_are_the_specs(YUMA_SHAPE_256);
}

static void yuma_4096_has_the_digests_of_the_spec(void **state)
{
    (void)state;
    digests_are_the_specs(YUMA_SHAPE_4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_load_has_the_digests_of_the_spec),
        cmocka_unit_test(yuma_256_has_the_digests_of_the_spec),
        cmocka_unit_test(yuma_4096_has_the_digests_of_the_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
