/* Agreement: how many hold the same hash, heads counted, not stake. */
#include "core/listings/compat/compat_internal.h"

#include "base/map/map.h"

#define FALLBACK_MIN 0.70

const char *tl_compat_status_name(tl_compat_status status)
{
    static const char *const names[] = {"PERFECT_CONSENSUS", "MAJORITY_CONSENSUS",
                                        "CONSENSUS_FAILED"};
    return names[status];
}

const char *tl_compat_fallback_name(tl_compat_fallback fallback)
{
    static const char *const names[] = {"CONSENSUS_OK", "MAJORITY_FALLBACK", "STOP"};
    return names[fallback];
}

/* The votes as Python's dictionary holds them: a name's first place, its last hash; "self" at the end, unless somebody
 * is called so. */
static tl_err gather(tl_compat_vote **out, size_t *out_count, tl_arena *arena,
                     const tl_compat_vote *votes, size_t count, tl_str own_hash, tl_errctx *ctx)
{
    tl_compat_vote *all = TL_NEW(arena, tl_compat_vote, count + 1);
    if (all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_map names;
    tl_map_init(&names, arena);
    size_t used = 0;
    for (size_t i = 0; i <= count; i++) {
        const tl_compat_vote vote =
            i < count ? votes[i] : (tl_compat_vote){TL_STR("self"), own_hash};
        tl_map_entry *entry;
        TL_TRY(tl_map_slot(&entry, &names, tl_str_bytes(vote.validator), ctx));
        if (entry->value == NULL) {
            entry->value = &all[used];
            all[used++].validator = vote.validator;
        }
        ((tl_compat_vote *)entry->value)->hash = vote.hash;
    }
    *out = all;
    *out_count = used;
    return TL_OK;
}

/* The hash that most hold; of equally many the one that was seen first. */
static tl_err find_majority(tl_str *out, size_t *held, size_t *distinct, tl_arena *arena,
                            const tl_compat_vote *all, size_t count, tl_errctx *ctx)
{
    size_t *counts = TL_NEW(arena, size_t, count); /* by the place of a hash's first vote */
    if (counts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_map hashes;
    tl_map_init(&hashes, arena);
    for (size_t i = 0; i < count; i++) {
        tl_map_entry *entry;
        TL_TRY(tl_map_slot(&entry, &hashes, tl_str_bytes(all[i].hash), ctx));
        if (entry->value == NULL) {
            entry->value = &counts[i];
        }
        ++*(size_t *)entry->value;
    }
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = counts[i] > counts[best] ? i : best;
    }
    *out = all[best].hash;
    *held = counts[best];
    *distinct = hashes.count;
    return TL_OK;
}

tl_err tl_compat_agree(tl_compat_agreement *out, tl_arena *arena, const tl_compat_vote *votes,
                       size_t count, tl_str own_hash, double threshold, tl_errctx *ctx)
{
    tl_compat_vote *all;
    size_t all_count;
    size_t held;
    size_t distinct;
    tl_compat_agreement result = {.rate = 1};
    TL_TRY(gather(&all, &all_count, arena, votes, count, own_hash, ctx));
    TL_TRY(find_majority(&result.majority_hash, &held, &distinct, arena, all, all_count, ctx));
    if (distinct > 1) {
        result.rate = (double)held / (double)all_count;
        result.status =
            result.rate >= threshold ? TL_COMPAT_MAJORITY_CONSENSUS : TL_COMPAT_CONSENSUS_FAILED;
    }
    if (result.status == TL_COMPAT_CONSENSUS_FAILED) {
        result.fallback =
            result.rate >= FALLBACK_MIN ? TL_COMPAT_MAJORITY_FALLBACK : TL_COMPAT_STOP;
    }
    tl_str *outliers = TL_NEW(arena, tl_str, all_count);
    if (outliers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < all_count; i++) {
        if (!tl_str_eq(all[i].hash, result.majority_hash)) {
            outliers[result.outlier_count++] = all[i].validator;
        }
    }
    result.outliers = outliers;
    result.total_validators = all_count;
    result.matches_majority = tl_str_eq(own_hash, result.majority_hash);
    *out = result;
    return TL_OK;
}
