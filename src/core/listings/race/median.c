/* median.c: one row of weights out of several, by stake, when no hash has a majority. */
#include <string.h>

#include "core/consensus/agree/agree.h"
#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

static int key_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp((const tl_hotkey *)a, (const tl_hotkey *)b);
}

/* Everyone whom some row names, ascending, once. */
static tl_err list_hotkeys(tl_hotkey **out, size_t *out_count, tl_arena *arena,
                           const tl_race_row *rows, size_t row_count, tl_errctx *ctx)
{
    size_t most = 0;
    for (size_t r = 0; r < row_count; r++) {
        for (size_t i = 1; i < rows[r].count; i++) {
            if (tl_hotkey_cmp(&rows[r].weights[i - 1].hotkey, &rows[r].weights[i].hotkey) >= 0) {
                return tl_fail(ctx, TL_ERR_CANONICAL, "rows[%zu]: hotkeys do not ascend", r);
            }
        }
        most += rows[r].count;
    }
    tl_hotkey *keys = TL_NEW(arena, tl_hotkey, most);
    if (keys == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t n = 0;
    for (size_t r = 0; r < row_count; r++) {
        for (size_t i = 0; i < rows[r].count; i++) {
            keys[n++] = rows[r].weights[i].hotkey;
        }
    }
    TL_TRY(tl_sort(keys, n, sizeof *keys, key_cmp, NULL, arena, ctx));
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !tl_hotkey_eq(&keys[kept - 1], &keys[i])) {
            keys[kept++] = keys[i];
        }
    }
    *out = keys;
    *out_count = kept;
    return TL_OK;
}

/* A walk along all rows at once: each has its own place, and moves on where it names the hotkey. */
static tl_err take_medians(tl_race_weight *out, tl_arena *arena, const tl_hotkey *keys,
                           size_t key_count, const tl_race_row *rows, size_t row_count,
                           tl_errctx *ctx)
{
    size_t *at = TL_NEW(arena, size_t, row_count);
    uint32_t *values = TL_NEW(arena, uint32_t, row_count);
    tl_rao *stakes = TL_NEW(arena, tl_rao, row_count);
    if (at == NULL || values == NULL || stakes == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t r = 0; r < row_count; r++) {
        stakes[r] = rows[r].stake;
    }
    for (size_t k = 0; k < key_count; k++) {
        for (size_t r = 0; r < row_count; r++) {
            const bool is_named =
                at[r] < rows[r].count && tl_hotkey_eq(&rows[r].weights[at[r]].hotkey, &keys[k]);
            values[r] = is_named ? rows[r].weights[at[r]].weight_u16 : 0;
            at[r] += is_named ? 1 : 0;
        }
        uint32_t median = 0;
        TL_TRY(tl_agree_median(&median, arena, values, stakes, row_count, ctx));
        out[k] = (tl_race_weight){keys[k], (uint16_t)median};
    }
    return TL_OK;
}

tl_err tl_race_median(const tl_race_weight **out, size_t *out_count, tl_arena *arena,
                      const tl_race_row *rows, size_t row_count, tl_errctx *ctx)
{
    tl_hotkey *keys = NULL;
    size_t count = 0;
    TL_TRY(list_hotkeys(&keys, &count, arena, rows, row_count, ctx));
    tl_race_weight *weights = TL_NEW(arena, tl_race_weight, count);
    if (weights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(take_medians(weights, arena, keys, count, rows, row_count, ctx));
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = weights[i].weight_u16 > largest ? weights[i].weight_u16 : largest;
    }
    for (size_t i = 0; i < count && largest > 0; i++) {
        weights[i].weight_u16 =
            (uint16_t)((weights[i].weight_u16 * UINT64_C(2) * UINT16_MAX + largest) /
                       (UINT64_C(2) * largest));
    }
    *out = weights;
    *out_count = count;
    return TL_OK;
}
