/* random.sample as CPython 3.11 draws it: from a pool when that is small, against a set when it is not. */
#include "core/num/rng/rng.h"

/* Above this n CPython keeps a set: 21 + 4^ceil(log4(3k)) for k > 5, 21 otherwise. 3k is never a power of four, and
 * below 3 * TL_MT_SAMPLE_MAX its floating logarithm never rounds to an integer: whole numbers give the same. */
static uint64_t pool_count_max(uint64_t k)
{
    if (k <= 5) {
        return 21;
    }
    uint64_t power = 1;
    while (power < 3 * k) {
        power *= 4;
    }
    return 21 + power;
}

/* The pool holds what is not drawn yet in its first n - i places: the drawn one is replaced by the last. */
static tl_err sample_from_pool(tl_mt *mt, uint64_t *out, uint64_t n, uint64_t k, tl_arena *scratch,
                               tl_errctx *ctx)
{
    uint32_t *pool = TL_NEW(scratch, uint32_t, (size_t)n);
    if (pool == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (uint64_t i = 0; i < n; i++) {
        pool[i] = (uint32_t)i; /* n is at most pool_count_max(2^24), below 2^32 */
    }
    for (uint64_t i = 0; i < k; i++) {
        const uint64_t j = tl_mt_randbelow(mt, n - i);
        out[i] = pool[j];
        pool[j] = pool[n - i - 1];
    }
    return TL_OK;
}

/* Open addressing, a slot holds the index into out plus one; never more than half full. True when drawn anew. */
static bool set_add(uint32_t *slots, uint64_t mask, const uint64_t *out, uint64_t value, uint32_t i)
{
    uint64_t mixed = value;
    uint64_t at = tl_splitmix64(&mixed) & mask;
    while (slots[at] != 0) {
        if (out[slots[at] - 1] == value) {
            return false;
        }
        at = (at + 1) & mask;
    }
    slots[at] = i + 1;
    return true;
}

static tl_err sample_against_set(tl_mt *mt, uint64_t *out, uint64_t n, uint64_t k,
                                 tl_arena *scratch, tl_errctx *ctx)
{
    uint64_t cap = 8;
    while (cap < 2 * k) {
        cap *= 2;
    }
    uint32_t *slots = TL_NEW(scratch, uint32_t, (size_t)cap);
    if (slots == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (uint64_t i = 0; i < k; i++) {
        uint64_t j = tl_mt_randbelow(mt, n);
        while (!set_add(slots, cap - 1, out, j, (uint32_t)i)) { /* RNG-2 */
            j = tl_mt_randbelow(mt, n);
        }
        out[i] = j;
    }
    return TL_OK;
}

tl_err tl_mt_sample(tl_mt *mt, uint64_t *out, uint64_t n, uint64_t k, tl_arena *scratch,
                    tl_errctx *ctx)
{
    if (k > n) {
        return tl_fail(ctx, TL_ERR_RANGE, "a sample of %llu from %llu: larger than the population",
                       (unsigned long long)k, (unsigned long long)n);
    }
    if (k > TL_MT_SAMPLE_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "a sample of %llu is above the limit of %llu",
                       (unsigned long long)k, (unsigned long long)TL_MT_SAMPLE_MAX);
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    const tl_err err = n <= pool_count_max(k) ? sample_from_pool(mt, out, n, k, scratch, ctx)
                                              : sample_against_set(mt, out, n, k, scratch, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}
