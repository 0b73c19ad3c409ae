/* sample.c: which listings the world is asked about (SHARD-4; the header has the rule). */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/shard/shard_internal.h"
#include "core/num/rng/rng.h"

static tl_err make_seed(uint32_t *out, const tl_shard *shard, const tl__entry *entry,
                        tl_arena *scratch, tl_errctx *ctx)
{
    const tl_sheet *const sheet = &entry->sheet;
    char hex[2 * sizeof sheet->content_hash.b + 1];
    tl_hex_write(hex, sheet->content_hash.b, sizeof sheet->content_hash.b);
    tl_sb sb;
    tl_sb_init(&sb, scratch);
    tl_sb_printf(&sb, "%.*s:%.*s:%s:%s:%u", TL_STR_ARG(shard->context.beacon),
                 TL_STR_ARG(sheet->hotkey), hex, shard->zipcode, sheet->rows);
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_hash32 hash;
    tl_sha256(&hash, text.ptr, text.len);
    *out = (uint32_t)hash.b[0] << 24 | (uint32_t)hash.b[1] << 16 | (uint32_t)hash.b[2] << 8 |
           hash.b[3];
    return TL_OK;
}

static bool is_drawn(const uint32_t *indices, size_t count, uint64_t index)
{
    for (size_t i = 0; i < count; i++) {
        if (indices[i] == index) {
            return true;
        }
    }
    return false;
}

static uint32_t sample_size(const tl_listings_params *p, uint32_t rows)
{
    const uint64_t share = (uint64_t)rows * p->sample_bp / TL__BP_ONE;
    const uint64_t raised = share < p->sample_min ? p->sample_min : share;
    return (uint32_t)(raised > p->sample_max ? p->sample_max : raised);
}

tl_err tl__draw(uint32_t out[TL_SAMPLES_MAX], size_t *count, size_t *asked, const tl_shard *shard,
                const tl__entry *entry, tl_arena *scratch, tl_errctx *ctx)
{
    const tl_listings_params *const p = shard->context.params;
    const uint32_t n = entry->sheet.rows;
    const uint32_t k = sample_size(p, n);
    TL_ASSERT(k + p->sample_reserve <= TL_SAMPLES_MAX);
    *count = *asked = n < k ? n : k;
    if (n < k) {
        for (uint32_t i = 0; i < n; i++) {
            out[i] = i;
        }
        return TL_OK;
    }
    uint32_t seed = 0;
    TL_TRY(make_seed(&seed, shard, entry, scratch, ctx));
    tl_mt mt;
    tl_mt_seed_u64(&mt, seed);
    uint64_t drawn[TL_SAMPLES_MAX];
    TL_TRY(tl_mt_sample(&mt, drawn, n, k, scratch, ctx));
    for (uint32_t i = 0; i < k; i++) {
        out[i] = (uint32_t)drawn[i];
    }
    while (*count < k + p->sample_reserve && *count < n) { /* n - count are left: it ends */
        const uint64_t index = tl_mt_randbelow(&mt, n);
        if (!is_drawn(out, *count, index)) {
            out[(*count)++] = (uint32_t)index;
        }
    }
    return TL_OK;
}
