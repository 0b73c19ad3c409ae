/* Tier 3: which listings are looked at, and what share of them must be right. The draw hangs on the time that the miner
 * itself states, so whoever may choose it chooses the draw (listings spec section 1): kept here, mended in the tally
 * profile. */
#include "core/listings/compat/compat_internal.h"

#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/num/rng/rng.h"

tl_err tl_compat_draw_text(tl_str *out, tl_arena *arena, tl_str nonce, tl_str hotkey, tl_str time,
                           uint64_t n, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, nonce);
    tl_sb_put_char(&sb, ':');
    tl_sb_put(&sb, hotkey);
    tl_sb_put_char(&sb, ':');
    tl_sb_put(&sb, time);
    tl_sb_put_char(&sb, ':');
    tl_sb_put_u64(&sb, n);
    return tl_sb_finish(out, &sb, ctx);
}

static uint32_t sample_count(tl_compat_code code, uint64_t n)
{
    if (code == TL_COMPAT_2025_10_29) {
        return 2;
    }
    const uint64_t tenth = n / 10;
    return tenth < 3 ? 3 : tenth > TL_COMPAT_SAMPLES_MAX ? TL_COMPAT_SAMPLES_MAX : (uint32_t)tenth;
}

static void sort_few(uint64_t *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const uint64_t item = items[i];
        uint32_t at = i;
        for (; at > 0 && items[at - 1] > item; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

tl_err tl_compat_draw_sample(tl_compat_draw *out, tl_compat_code code, tl_str text, uint64_t n,
                             tl_arena *scratch, tl_errctx *ctx)
{
    if (tl__compat_is_november(code)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "code",
                             "code \"%s\" draws its samples without a seed",
                             tl_compat_code_name(code));
    }
    tl_compat_draw draw = {.count = sample_count(code, n)};
    tl_sha256(&draw.sha256, text.ptr, text.len);
    for (size_t i = 0; i < 4; i++) {
        draw.seed = draw.seed << 8 | draw.sha256.b[i];
    }
    if (n < draw.count) {
        draw.error = TL_PY_ValueError;
        *out = draw;
        return TL_OK;
    }
    tl_mt mt;
    tl_mt_seed_u64(&mt, draw.seed);
    TL_TRY(tl_mt_sample(&mt, draw.drawn, n, draw.count, scratch, ctx));
    memcpy(draw.indices, draw.drawn, sizeof draw.indices);
    sort_few(draw.indices, draw.count);
    for (uint32_t i = 0; i < draw.count; i++) {
        TL_ASSERT(draw.indices[i] < n &&
                  (i == 0 || draw.indices[i - 1] < draw.indices[i])); /* COMPAT-1 */
    }
    *out = draw;
    return TL_OK;
}
