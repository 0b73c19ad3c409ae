/* Attacks files that somebody calls a bundle. What is read is canonical: its sections published again give the same bytes
 * unless a digest in it is false, and then verify says so; exported and packed it has the same sections. Whatever it
 * claims to hold can be run again: an error or an answer, the same one twice. */
#include <stddef.h>
#include <stdint.h>

#include "core/epoch/bundle/bundle.h"
#include "core/subnet/portfolio/portfolio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 1 << 16, RESAMPLES_MAX = 8 };
#define ARENA_LIMIT ((size_t)1 << 29)

/* The time of a replay grows with this parameter alone; the bytes cannot make it longer otherwise. */
static bool is_short(const tl_bundle *b)
{
    uint64_t n = 0;
    const tl_json *subnet = tl_json_get(b->tree[TL_BUNDLE_PARAMETERS], "subnet");
    const tl_json *given = subnet != NULL ? tl_json_get(subnet, "bootstrap_resamples") : NULL;
    return given != NULL && tl_json_as_u64(&n, given, "bootstrap_resamples", NULL) == TL_OK &&
           n <= RESAMPLES_MAX;
}

static void check_verify(tl_arena *arena, const tl_bundle *b, bool is_true)
{
    static const tl_subnet *const subnets[] = {&tl_subnet_portfolio};
    tl_bundle_report first = {0};
    tl_bundle_report second = {0};
    if (tl_bundle_verify(&first, arena, b, subnets, 1, NULL) != TL_OK ||
        tl_bundle_verify(&second, arena, b, subnets, 1, NULL) != TL_OK) {
        return; /* memory */
    }
    TL_ASSERT(first.is_ok == second.is_ok && first.differ_count == second.differ_count);
    TL_ASSERT(first.replay.code == second.replay.code);
    TL_ASSERT(is_true || !first.is_ok);
    TL_ASSERT(first.is_ok == (first.differ_count == 0 && first.replay.code == TL_OK));
}

static void check(tl_arena *arena, tl_str bytes)
{
    tl_bundle b = {0};
    tl_bundle again = {0};
    tl_str published = {NULL, 0};
    tl_str json = {NULL, 0};
    tl_str packed = {NULL, 0};
    tl_hash32 digest;
    if (tl_bundle_read(&b, arena, bytes, NULL) != TL_OK) {
        return;
    }
    tl_err err = tl_bundle_publish(&published, &digest, arena, b.text, NULL);
    TL_ASSERT(err == TL_OK);
    const bool is_true = tl_str_eq(published, bytes);
    err = tl_bundle_export(&json, arena, &b, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_bundle_pack(&packed, &digest, arena, json, NULL);
    TL_ASSERT(err == TL_OK && tl_str_eq(packed, published));
    err = tl_bundle_read(&again, arena, published, NULL);
    TL_ASSERT(err == TL_OK);
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        TL_ASSERT(tl_str_eq(again.text[i], b.text[i]));
    }
    if (is_short(&b)) {
        check_verify(arena, &b, is_true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= INPUT_MAX && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
