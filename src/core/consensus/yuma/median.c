/* Step 11: the stake-weighted median of every column of W (chain spec 1.5).
 *
 * The chain selects with a pivot in each column over all rows. The sums are exact, so any exact method gives the same
 * score: the least one whose stake of all scores <= it exceeds the minority, else the largest. Ours looks only at the
 * cells that exist; all rows without a cell score 0 together:
 *
 *     column j:   0 0 0 0 0 0 0 | 3 5 5 9 …          rows without a cell hold zero_stake = total - Σ of the cells
 *                 zero_stake      cells               zero_stake > minority: the median is 0, without looking further
 *
 * Cells are packed as score * 4096 + row (33 + 12 bits), so that one 8-byte store transposes a cell, and selected by
 * buckets of score ranges: each round is two passes without a branch to mispredict, and narrows the range at least
 * 32-fold, so the worst case is seven rounds. About 2 ns a cell; bench: yuma_4096 */
#include "core/consensus/yuma/yuma_internal.h"

enum { ROW_BITS = 12, SMALL_MAX = 12, BUCKET_BITS = 6, BUCKET_COUNT = 1 << BUCKET_BITS };

_Static_assert(TL_YUMA_NEURONS_MAX <= 1 << ROW_BITS, "a row's index fits a packed cell");

static uint64_t score_of(uint64_t cell)
{
    return cell >> ROW_BITS;
}

static size_t row_of(uint64_t cell)
{
    return (size_t)(cell & ((1u << ROW_BITS) - 1));
}

/* The answer among few cells: sort, then walk. */
static tl_i32f32 select_small(uint64_t *cells, size_t count, const tl_i32f32 *stake, tl_i32f32 rest)
{
    for (size_t i = 1; i < count; i++) {
        const uint64_t cell = cells[i];
        size_t at = i;
        for (; at > 0 && cells[at - 1] > cell; at--) {
            cells[at] = cells[at - 1];
        }
        cells[at] = cell;
    }
    tl_i32f32 held = 0;
    for (size_t i = 0; i < count; i++) {
        held += stake[row_of(cells[i])];
        if (held > rest) {
            return (tl_i32f32)score_of(cells[i]);
        }
    }
    return (tl_i32f32)score_of(cells[count - 1]);
}

/* The least score whose stake of all cells <= it exceeds rest, else the largest. cells are reordered and lost. */
static tl_i32f32 select_score(uint64_t *cells, size_t count, const tl_i32f32 *stake, tl_i32f32 rest)
{
    while (count > SMALL_MAX) {
        uint64_t low = UINT64_MAX;
        uint64_t high = 0;
        for (size_t i = 0; i < count; i++) {
            low = cells[i] < low ? cells[i] : low;
            high = cells[i] > high ? cells[i] : high;
        }
        low = score_of(low);
        high = score_of(high);
        if (low == high) {
            return (tl_i32f32)low;
        }
        const unsigned bits = 64 - (unsigned)__builtin_clzll(high - low);
        const unsigned shift = bits > BUCKET_BITS ? bits - BUCKET_BITS : 0;
        tl_i32f32 held[BUCKET_COUNT] = {0};
        for (size_t i = 0; i < count; i++) {
            held[(score_of(cells[i]) - low) >> shift] += stake[row_of(cells[i])];
        }
        size_t bucket = 0;
        while (bucket < BUCKET_COUNT && held[bucket] <= rest) {
            rest -= held[bucket++];
        }
        if (bucket == BUCKET_COUNT) {
            return (tl_i32f32)high;
        }
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            const uint64_t cell = cells[i];
            cells[kept] = cell;
            kept += (score_of(cell) - low) >> shift == bucket;
        }
        count = kept;
    }
    return select_small(cells, count, stake, rest);
}

/* The voters: rows with active stake, their stake renormalised. stake[i] is 0 for the others. */
typedef struct voters {
    tl_i32f32 *stake; /* n */
    size_t count;
    tl_i32f32 total;
    tl_i32f32 minority;
} voters;

static tl_err voters_find(voters *out, tl__epoch *e, tl_errctx *ctx)
{
    out->stake = TL_NEW(e->scratch, tl_i32f32, e->n);
    if (out->stake == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    out->count = 0;
    for (size_t i = 0; i < e->n; i++) {
        out->stake[i] = e->active[i] > 0 ? e->active[i] : 0;
        out->count += e->active[i] > 0;
    }
    tl__normalise(out->stake, out->stake, e->n);
    out->total = tl__sum(out->stake, e->n);
    out->minority = tl_i32f32_sub(out->total, tl_i32f32_from_u16_proportion(e->params->kappa));
    return TL_OK;
}

/* Cells of voters' rows, column by column: column j is [starts[j], starts[j + 1]). */
static tl_err transpose(uint64_t **cells_out, uint32_t **starts_out, tl__epoch *e, tl_errctx *ctx)
{
    const tl__cells *w = &e->weights;
    uint32_t *next = TL_NEW(e->scratch, uint32_t, e->n + 2);
    if (next == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    for (size_t i = 0; i < e->n; i++) {
        if (e->active[i] > 0) {
            for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
                next[w->uid[k] + 2]++;
            }
        }
    }
    for (size_t j = 2; j < e->n + 2; j++) { /* next[j + 1] is now where column j begins */
        next[j] += next[j - 1];
    }
    uint64_t *cells = TL_NEW(e->scratch, uint64_t, next[e->n + 1]);
    if (cells == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    for (size_t i = 0; i < e->n; i++) {
        if (e->active[i] > 0) {
            for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
                cells[next[w->uid[k] + 1]++] = (uint64_t)w->raw[k] << ROW_BITS | i;
            }
        }
    }
    *cells_out =
        cells; /* next[j + 1] has moved on to where column j ends, which is where j + 1 begins */
    *starts_out = next;
    return TL_OK;
}

static tl_err find_quick(tl__epoch *e, const voters *v, tl_errctx *ctx)
{
    uint64_t *cells;
    uint32_t *starts;
    TL_TRY(transpose(&cells, &starts, e, ctx));
    for (size_t j = 0; j < e->n; j++) {
        uint64_t *column = cells + starts[j];
        const size_t count = starts[j + 1] - starts[j];
        tl_i32f32 zero_stake = v->total;
        for (size_t k = 0; k < count; k++) {
            zero_stake -= v->stake[row_of(column[k])];
        }
        const bool zeros_decide = count < v->count && zero_stake > v->minority;
        e->consensus[j] = zeros_decide || count == 0
                              ? 0
                              : select_score(column, count, v->stake, v->minority - zero_stake);
    }
    return TL_OK;
}

/* Sums wrap or saturate here, so the order of the chain's own partial sums could matter: select exactly as it does. */
static tl_err find_literally(tl__epoch *e, const voters *v, tl_errctx *ctx)
{
    const tl__cells *w = &e->weights;
    tl_i32f32 *stake = TL_NEW(e->scratch, tl_i32f32, v->count);
    tl_i32f32 *score = TL_NEW(e->scratch, tl_i32f32, v->count);
    uint32_t *list = TL_NEW(e->scratch, uint32_t, 2 * v->count);
    if (stake == NULL || score == NULL || list == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    for (size_t j = 0; j < e->n; j++) {
        size_t at = 0;
        for (size_t i = 0; i < e->n; i++) {
            if (e->active[i] <= 0) {
                continue;
            }
            stake[at] = v->stake[i];
            score[at] = 0;
            for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
                score[at] = w->uid[k] == j ? w->raw[k] : score[at];
            }
            at++;
        }
        e->consensus[j] = tl_yuma_weighted_median(stake, score, at, v->minority, 0, v->total, list);
    }
    return TL_OK;
}

tl_err tl__consensus_find(tl__epoch *epoch, tl_errctx *ctx)
{
    voters v;
    TL_TRY(voters_find(&v, epoch, ctx));
    return epoch->is_tame ? find_quick(epoch, &v, ctx) : find_literally(epoch, &v, ctx);
}
