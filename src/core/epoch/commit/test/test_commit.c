/* Attacks the commitment: the published figure, and two inputs whose plain concatenation is one text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/hex/hex.h"
#include "core/epoch/commit/commit.h"

static void hash_of(tl_hash32 *out, const char *chain, const char *epoch)
{
    const tl_commit_scope scope = {TL_STR("tally/portfolio/commit/1"), tl_str_from_cstr(chain), 1,
                                   tl_str_from_cstr(epoch)};
    tl_hotkey hotkey;
    tl_hash32 body;
    tl_hash32 salt;
    memset(hotkey.b, 1, sizeof hotkey.b);
    memset(salt.b, 2, sizeof salt.b);
    assert_int_equal(
        tl_hex_decode(body.b, 32,
                      TL_STR("963b1129a6daf6c5940e52703251a5ad33ea0d2cb436246fba109746793bcf5f"),
                      NULL),
        TL_OK);
    tl_commit_hash(out, &scope, &hotkey, &body, &salt);
}

static void the_figure_of_the_spec_comes_out(void **state)
{
    (void)state;
    tl_hash32 got;
    tl_hash32 want;
    hash_of(&got, "tally", "2024-M03");
    assert_int_equal(
        tl_hex_decode(want.b, 32,
                      TL_STR("6c79588a75fd79da0ca19e66eeec1f8371e90c31ca92069a25630f8b32e3587d"),
                      NULL),
        TL_OK);
    assert_int_equal(tl_hash32_cmp(&got, &want), 0);
}

static void shifting_a_letter_between_fields_changes_the_hash(void **state)
{
    (void)state; /* COM-1 */
    tl_hash32 a;
    tl_hash32 b;
    hash_of(&a, "tally2", "024-M03");
    hash_of(&b, "tally", "2024-M03");
    assert_int_not_equal(tl_hash32_cmp(&a, &b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_figure_of_the_spec_comes_out),
        cmocka_unit_test(shifting_a_letter_between_fields_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
