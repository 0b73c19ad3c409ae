/* Attacks the reading of a submission's file with anything: the first byte chooses the version. What is read in one pass
 * is judged as the tree of the same text is. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/listings/compat/compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void attack(tl_arena *arena, tl_arena *scratch, const tl_compat_quality_options *options,
                   tl_str text)
{
    tl_compat_quality quality;
    tl_compat_file file;
    tl_compat_rates rates;
    tl_compat_rates want;
    tl_compat_quality_init(&quality, arena, options);
    if (tl_compat_file_read(&file, &quality, text, scratch, NULL) != TL_OK) {
        return;
    }
    tl_compat_quality_finish(&rates, &quality);
    const tl_json_options lax = {.allow_duplicate_keys = true, .allow_nonfinite = true};
    const tl_json *tree = NULL;
    tl_err err = tl_json_parse(&tree, scratch, text, &lax, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_compat_quality_run(&want, tl_json_get(tree, "listings"), options, scratch, NULL);
    TL_ASSERT(err == TL_OK && want.count == file.count && want.count == rates.count);
    TL_ASSERT(want.error == rates.error && want.passes == rates.passes);
    TL_ASSERT(is_same(want.field_completeness, rates.field_completeness));
    TL_ASSERT(is_same(want.reasonable_values, rates.reasonable_values));
    TL_ASSERT(is_same(want.data_consistency, rates.data_consistency));
    TL_ASSERT(is_same(want.duplicate_rate, rates.duplicate_rate));
    TL_ASSERT(is_same(want.epoch_compliance, rates.epoch_compliance));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    tl_arena *scratch = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    const tl_str zipcodes[] = {TL_STR("98103"), TL_STR("98109")};
    const tl_compat_quality_options options = {(tl_compat_code)(data[0] % 3),
                                               INT64_C(1759521600000000), (data[0] & 4) != 0,
                                               zipcodes, (data[0] & 8) != 0 ? 2 : 0};
    if (tl_arena_new(&scratch, arena, 0, NULL, NULL) == TL_OK) {
        attack(arena, scratch, &options, (tl_str){(const char *)data + 1, len - 1});
    }
    tl_arena_free(arena);
    return 0;
}
