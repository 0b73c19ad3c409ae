/* What the files of this room share: working matrices, columns as divisors, the state of one epoch. */
#ifndef TALLY_CORE_CONSENSUS_YUMA_INTERNAL_H
#define TALLY_CORE_CONSENSUS_YUMA_INTERNAL_H

#include "core/consensus/yuma/yuma.h"

/* tl__cells: sparse rows while they are worked on; row i is [begin[i], end[i]). Rows shrink in place. */
typedef struct tl__cells {
    uint32_t *begin;
    uint32_t *end;
    uint16_t *uid;
    tl_i32f32 *raw;
    bool *ascends; /* a row: its uids ascend */
} tl__cells;

/* tl__columns: a divisor a column. is_quick: every cell is in [0, divisor] and every divisor below 2^62, so that
 * tl_ratio_of serves; a column without anything then divides 0 by 1. Otherwise the general division, and a divisor of
 * 0 leaves cells as they are. */
typedef struct tl__columns {
    tl_ratio *ratio;
    bool is_quick;
} tl__columns;

/* A loop that is written once and compiled for each of its constant switches. */
#define TL__TEMPLATE static inline __attribute__((always_inline))

/* a * b for two values in [0, 2]: no saturation to look for. */
static inline tl_i32f32 tl__mul_unit(tl_i32f32 a, tl_i32f32 b)
{
    return (tl_i32f32)(((tl_u128)(uint64_t)a * (uint64_t)b) >> 32);
}

/* tl_i32f32_mul and tl_i32f32_add, or the short forms where nothing can overflow. */
TL__TEMPLATE tl_i32f32 tl__mul(tl_i32f32 a, tl_i32f32 b, bool is_quick)
{
    return is_quick ? tl__mul_unit(a, b) : tl_i32f32_mul(a, b);
}

TL__TEMPLATE tl_i32f32 tl__add(tl_i32f32 a, tl_i32f32 b, bool is_quick)
{
    return is_quick ? a + b : tl_i32f32_add(a, b);
}

/* A cell over its column's divisor; ratios are those of a tl__columns, is_quick its is_quick. */
TL__TEMPLATE tl_i32f32 tl__divide(const tl_ratio *ratios, uint16_t uid, tl_i32f32 value,
                                  bool is_quick)
{
    const tl_ratio ratio = ratios[uid];
    if (is_quick) {
        return tl_ratio_of(value, ratio);
    }
    return ratio.divisor == 0 ? value : tl_i32f32_div_or_zero(value, ratio.divisor);
}

/* tl__columns_seal: make divisors of n sums (or maxima). cells_are_within: no cell is negative or above its divisor. */
void tl__columns_seal(tl__columns *columns, const tl_i32f32 *divisors, size_t n,
                      bool cells_are_within);

/* tl__normalise: each value over their wrapping sum; sum 0: as they are. out may be values. */
void tl__normalise(tl_i32f32 *out, const tl_i32f32 *values, size_t n);

/* The wrapping sum. */
tl_i32f32 tl__sum(const tl_i32f32 *values, size_t n);

/* Work of one epoch. Arrays of n in results are written into the output directly. */
typedef struct tl__epoch {
    const tl_yuma_input *in;
    const tl_yuma_params *params;
    size_t n;
    tl_arena *scratch;
    bool
        is_tame; /* no stake is negative and they sum to less than 2^63: nothing saturates or wraps */
    bool *old_permit; /* with the owner's */
    tl_i32f32 *stake;
    tl_i32f32 *active;
    tl__cells weights; /* W, then Wb in its place */
    tl_i32f32 *consensus;
    tl_i32f32 *trust;
    tl_i32f32 *ranks;
    tl_i32f32 *incentive;
    tl_i32f32 *dividends;
    tl_i32f32 *preranks;    /* NULL unless wanted */
    tl_i32f32 *bond_deltas; /* sums over rows of A * Wb; ranks itself at penalty 1 */
    const bool *new_permit;
} tl__epoch;

static inline bool tl__is_owner(const tl_yuma_params *params, size_t uid)
{
    return params->owner_uid >= 0 && (size_t)params->owner_uid == uid;
}

/* tl__consensus_find: step 11: epoch->consensus from epoch->weights and epoch->active. */
TL_MUST_USE tl_err tl__consensus_find(tl__epoch *epoch, tl_errctx *ctx);

/* tl__bonds_update: steps 16 and 17: epoch->dividends, and the rows to store, in the arena. */
TL_MUST_USE tl_err tl__bonds_update(tl_arena *arena, tl_yuma_rows *out, tl__epoch *epoch,
                                    tl_errctx *ctx);

/* tl__alpha_distance: d of a liquid alpha cell, in [0, 1]; tl__alpha_at: the alpha that it gives (math.c). */
tl_i32f32 tl__alpha_distance(tl_i32f32 consensus, tl_i32f32 weight, tl_i32f32 bond);
tl_i32f32 tl__alpha_at(const tl_yuma_alpha *alpha, tl_i32f32 distance);

#endif
