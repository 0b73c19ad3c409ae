/* Steps 16 and 17: stored bonds, their moving average toward this epoch's weights, dividends (chain spec 1.6). */
#include "core/consensus/yuma/yuma_internal.h"

/* The sentinel of a merge: larger than any uid. */
enum { UID_NONE = UINT16_MAX };

_Static_assert(TL_YUMA_NEURONS_MAX < UID_NONE, "no uid is the sentinel");

/* One epoch's bonds at work. */
typedef struct bonds {
    tl__epoch *e;
    const tl_yuma_entry *stored;
    const uint32_t *starts;
    bool *keeps_uid;     /* n: step 16 keeps bonds to this uid */
    tl__cells ema;       /* EB */
    tl_i32f32 *sums;     /* n, of EB's columns, saturating */
    tl__columns deltas;  /* divisors of A * Wb (classic) */
    tl__columns olds;    /* divisors of B (classic) */
    tl__columns columns; /* divisors of EB */
    tl_i32f32 *dense_new;
    tl_i32f32 *dense_old;
    tl_i32f32 alpha;
    tl_i32f32 rest; /* 1 - alpha */
} bonds;

static inline bool is_kept(const bonds *b, uint16_t uid)
{
    return uid < b->e->n && b->keeps_uid[uid];
}

/* The reference block of step 16: a bond to whoever registered at or after it is void. */
static uint64_t reference_block(const tl_yuma_input *in)
{
    if (in->last_step_block == 0) {
        const uint64_t tempo = in->params->tempo_blocks;
        return in->now_block > tempo ? in->now_block - tempo : 0;
    }
    return in->last_step_block == UINT64_MAX ? UINT64_MAX : in->last_step_block + 1;
}

/* alpha = 1 - floor32(bonds_moving_average / 1e6); above 1e6 it is negative, which the chain does not refuse. */
static tl_i32f32 ema_alpha(uint64_t bonds_moving_average)
{
    const tl_i64f64 ratio = tl_i64f64_from_u64(bonds_moving_average) / 1000000;
    return tl_i32f32_sub(TL_I32F32_ONE, tl_i32f32_from_i64f64(ratio));
}

static tl_err bonds_new(bonds *b, tl__epoch *e, tl_errctx *ctx)
{
    const tl_yuma_input *in = e->in;
    const size_t n = e->n;
    /* One to spare for a cell that is not kept. */
    const size_t cap = (size_t)e->weights.begin[n] + in->bonds.starts[n] - in->bonds.starts[0] + 1;
    *b = (bonds){
        .e = e,
        .stored = in->bonds.entries,
        .starts = in->bonds.starts,
        .keeps_uid = TL_NEW(e->scratch, bool, n),
        .ema = {.begin = TL_NEW(e->scratch, uint32_t, n + 1),
                .end = TL_NEW(e->scratch, uint32_t, n + 1),
                .uid = TL_NEW(e->scratch, uint16_t, cap),
                .raw = TL_NEW(e->scratch, tl_i32f32, cap)},
        .sums = TL_NEW(e->scratch, tl_i32f32, n),
        .deltas = {.ratio = TL_NEW(e->scratch, tl_ratio, n)},
        .olds = {.ratio = TL_NEW(e->scratch, tl_ratio, n)},
        .columns = {.ratio = TL_NEW(e->scratch, tl_ratio, n)},
        .dense_new = TL_NEW(e->scratch, tl_i32f32, n),
        .dense_old = TL_NEW(e->scratch, tl_i32f32, n),
        .alpha = ema_alpha(e->params->bonds_moving_average),
    };
    if (b->keeps_uid == NULL || b->ema.begin == NULL || b->ema.end == NULL || b->ema.uid == NULL ||
        b->ema.raw == NULL || b->sums == NULL || b->deltas.ratio == NULL || b->olds.ratio == NULL ||
        b->columns.ratio == NULL || b->dense_new == NULL || b->dense_old == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    b->rest = tl_i32f32_sub(TL_I32F32_ONE, b->alpha);
    const uint64_t reference = reference_block(in);
    for (size_t j = 0; j < n; j++) {
        b->keeps_uid[j] = reference > in->block_at_registration[j];
    }
    return TL_OK;
}

/* Append one cell of EB if it is positive. The cell is written in any case: there is one to spare. */
TL__TEMPLATE void ema_push(bonds *b, uint32_t *at, uint16_t uid, tl_i32f32 value, bool is_quick)
{
    b->ema.uid[*at] = uid;
    b->ema.raw[*at] = value;
    if (value > 0) {
        b->sums[uid] = tl__add(b->sums[uid], value, is_quick);
        (*at)++;
    }
}

/* The new side of one cell's average: what the weight asks for. */
TL__TEMPLATE tl_i32f32 new_side(const bonds *b, tl_i32f32 active, uint16_t uid, tl_i32f32 weight,
                                bool is_yuma3, bool is_quick)
{
    return is_yuma3 ? weight
                    : tl__divide(b->deltas.ratio, uid, tl__mul(active, weight, is_quick), is_quick);
}

/* The old side: what the stored bond says. Columns of stored bonds always divide quickly. */
TL__TEMPLATE tl_i32f32 old_side(const bonds *b, uint16_t uid, uint16_t stored, bool is_yuma3)
{
    return is_yuma3 ? tl_i32f32_from_u16_proportion(stored)
                    : tl__divide(b->olds.ratio, uid, tl_i32f32_from_int(stored), true);
}

TL__TEMPLATE tl_i32f32 average(const bonds *b, tl_i32f32 new_value, tl_i32f32 old_value,
                               bool is_quick)
{
    return tl__add(tl__mul(b->alpha, new_value, is_quick), tl__mul(b->rest, old_value, is_quick),
                   is_quick);
}

/* EB of a row whose weights and bonds both ascend: merge them. */
TL__TEMPLATE uint32_t ema_row_merged(bonds *b, size_t i, uint32_t at, bool is_yuma3, bool is_quick)
{
    const tl__cells *w = &b->e->weights;
    const tl_i32f32 active = b->e->active[i];
    uint32_t wk = w->begin[i];
    uint32_t bk = b->starts[i];
    const uint32_t w_end = w->end[i];
    const uint32_t b_end = b->starts[i + 1];
    for (;;) {
        while (bk < b_end && !is_kept(b, b->stored[bk].uid)) {
            bk++;
        }
        const uint16_t w_uid = wk < w_end ? w->uid[wk] : UID_NONE;
        const uint16_t b_uid = bk < b_end ? b->stored[bk].uid : UID_NONE;
        const uint16_t uid = w_uid < b_uid ? w_uid : b_uid;
        if (uid == UID_NONE) {
            return at;
        }
        tl_i32f32 new_value = 0;
        tl_i32f32 old_value = 0;
        if (w_uid == uid) {
            new_value = new_side(b, active, uid, w->raw[wk++], is_yuma3, is_quick);
        }
        if (b_uid == uid) {
            old_value = old_side(b, uid, b->stored[bk++].value, is_yuma3);
        }
        ema_push(b, &at, uid, average(b, new_value, old_value, is_quick), is_quick);
    }
}

/* Do weights and bonds of a row name the same uids in the same order, and is every bond kept? So it is in most rows of
 * a settled subnet. */
static bool names_the_same(const bonds *b, size_t i)
{
    const tl__cells *w = &b->e->weights;
    const uint32_t count = w->end[i] - w->begin[i];
    if (count != b->starts[i + 1] - b->starts[i]) {
        return false;
    }
    const uint16_t *uids = w->uid + w->begin[i];
    const tl_yuma_entry *stored = b->stored + b->starts[i];
    uint32_t differences = 0;
    for (uint32_t k = 0; k < count; k++) {
        differences += uids[k] != stored[k].uid || !b->keeps_uid[uids[k]];
    }
    return differences == 0;
}

/* EB of such a row: no merging. Plain pointers, since the compiler must see that nothing else moves. */
TL__TEMPLATE uint32_t ema_row_paired(bonds *b, size_t i, uint32_t at, bool is_yuma3, bool is_quick)
{
    const tl__cells *w = &b->e->weights;
    const uint16_t *uids = w->uid + w->begin[i];
    const tl_i32f32 *weights = w->raw + w->begin[i];
    const tl_yuma_entry *stored = b->stored + b->starts[i];
    const uint32_t count = w->end[i] - w->begin[i];
    const bonds fixed = *b;
    const tl_i32f32 active = b->e->active[i];
    for (uint32_t k = 0; k < count; k++) {
        const uint16_t uid = uids[k];
        const tl_i32f32 new_value = new_side(&fixed, active, uid, weights[k], is_yuma3, is_quick);
        const tl_i32f32 old_value = old_side(&fixed, uid, stored[k].value, is_yuma3);
        const tl_i32f32 value = average(&fixed, new_value, old_value, is_quick);
        fixed.ema.uid[at] = uid;
        fixed.ema.raw[at] = value;
        fixed.sums[uid] = tl__add(fixed.sums[uid], value > 0 ? value : 0, is_quick);
        at += value > 0;
    }
    return at;
}

/* EB of a row in any order: spread both sides out, then collect ascending. */
TL__TEMPLATE uint32_t ema_row_spread(bonds *b, size_t i, uint32_t at, bool is_yuma3, bool is_quick)
{
    const tl__cells *w = &b->e->weights;
    for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
        b->dense_new[w->uid[k]] =
            new_side(b, b->e->active[i], w->uid[k], w->raw[k], is_yuma3, is_quick);
    }
    for (uint32_t k = b->starts[i]; k < b->starts[i + 1]; k++) {
        if (is_kept(b, b->stored[k].uid)) {
            b->dense_old[b->stored[k].uid] =
                old_side(b, b->stored[k].uid, b->stored[k].value, is_yuma3);
        }
    }
    for (size_t j = 0; j < b->e->n; j++) {
        ema_push(b, &at, (uint16_t)j, average(b, b->dense_new[j], b->dense_old[j], is_quick),
                 is_quick);
        b->dense_new[j] = 0;
        b->dense_old[j] = 0;
    }
    return at;
}

static bool stored_ascends(const bonds *b, size_t i)
{
    for (uint32_t k = b->starts[i] + 1; k < b->starts[i + 1]; k++) {
        if (b->stored[k - 1].uid >= b->stored[k].uid) {
            return false;
        }
    }
    return true;
}

/* EB with one alpha for all cells: ascending rows of cells > 0. */
TL__TEMPLATE void ema_rows(bonds *b, bool is_yuma3, bool is_quick)
{
    uint32_t at = 0;
    for (size_t i = 0; i < b->e->n; i++) {
        b->ema.begin[i] = at;
        if (!b->e->weights.ascends[i]) {
            at = ema_row_spread(b, i, at, is_yuma3, is_quick);
        } else if (names_the_same(b, i)) {
            at = ema_row_paired(b, i, at, is_yuma3, is_quick);
        } else if (stored_ascends(b, i)) {
            at = ema_row_merged(b, i, at, is_yuma3, is_quick);
        } else {
            at = ema_row_spread(b, i, at, is_yuma3, is_quick);
        }
        b->ema.end[i] = at;
    }
    b->ema.begin[b->e->n] = at;
}

static void ema_plain(bonds *b)
{
    const bool is_average = b->alpha >= 0 && b->rest >= 0; /* else cells may leave [0, 1] */
    if (b->e->params->yuma3) {
        if (is_average) {
            ema_rows(b, true, true);
        } else {
            ema_rows(b, true, false);
        }
    } else if (is_average && b->deltas.is_quick) {
        ema_rows(b, false, true);
    } else {
        ema_rows(b, false, false);
    }
}

/* EB with liquid alpha: only the cells of Wb's row, in its order.
 *
 * The chain finds w and b of a cell's alpha by one forward pass over uids with a cursor in each row, so an entry that
 * stands after a higher uid is not seen there: an entry is seen when its uid is above all before it in the row. The
 * average itself uses the true values. dense_old holds the true bond, dense_new the seen one. */
static void ema_liquid(bonds *b)
{
    const tl_yuma_params *p = b->e->params;
    const tl_yuma_alpha alpha =
        tl_yuma_alpha_make(p->alpha_low, p->alpha_high, p->alpha_sigmoid_steepness);
    /* Weights at or below the consensus that are still above their bonds: most cells of a settled subnet. */
    const tl_i32f32 alpha_near = tl__alpha_at(&alpha, 0);
    const tl__cells *w = &b->e->weights;
    uint32_t at = 0;
    for (size_t i = 0; i < b->e->n; i++) {
        int32_t last_seen = -1;
        for (uint32_t k = b->starts[i]; k < b->starts[i + 1]; k++) {
            const uint16_t uid = b->stored[k].uid;
            if (is_kept(b, uid)) {
                const bool is_seen = uid > last_seen;
                last_seen = is_seen ? uid : last_seen;
                b->dense_old[uid] = tl_i32f32_from_u16_proportion(b->stored[k].value);
                b->dense_new[uid] = is_seen ? b->dense_old[uid] : 0;
            }
        }
        b->ema.begin[i] = at;
        last_seen = -1;
        for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
            const uint16_t uid = w->uid[k];
            const bool is_seen = uid > last_seen;
            last_seen = is_seen ? uid : last_seen;
            const tl_i32f32 distance = tl__alpha_distance(
                b->e->consensus[uid], is_seen ? w->raw[k] : 0, b->dense_new[uid]);
            const tl_i32f32 a = distance == 0 ? alpha_near : tl__alpha_at(&alpha, distance);
            const tl_i32f32 value = tl_yuma_ema_cell(a, w->raw[k], b->dense_old[uid]);
            ema_push(b, &at, uid, value, false);
        }
        b->ema.end[i] = at;
        for (uint32_t k = b->starts[i]; k < b->starts[i + 1]; k++) {
            if (is_kept(b, b->stored[k].uid)) {
                b->dense_old[b->stored[k].uid] = 0;
                b->dense_new[b->stored[k].uid] = 0;
            }
        }
    }
    b->ema.begin[b->e->n] = at;
}

/* Classic: sums of the stored bonds' columns, as integers: at most 4096 * 65535, nothing saturates. */
static void seal_stored_columns(bonds *b)
{
    const tl_yuma_entry *stored = b->stored;
    const bool *keeps = b->keeps_uid;
    const size_t n = b->e->n;
    tl_i32f32 *sums = b->sums; /* borrowed: EB's sums come later */
    for (uint32_t k = b->starts[0]; k < b->starts[n]; k++) {
        if (stored[k].uid < n && keeps[stored[k].uid]) {
            sums[stored[k].uid] += tl_i32f32_from_int(stored[k].value);
        }
    }
    tl__columns_seal(&b->olds, sums, b->e->n, true);
    for (size_t j = 0; j < b->e->n; j++) {
        sums[j] = 0;
    }
}

/* Classic: D = normalised Σ EB·I over column-normalised EB, which then is divided by each column's largest. */
TL__TEMPLATE void dividends_classic(bonds *b, tl_i32f32 *largest, bool is_quick)
{
    tl__epoch *e = b->e;
    const tl_ratio *ratios = b->columns.ratio;
    const uint16_t *uids = b->ema.uid;
    tl_i32f32 *raws = b->ema.raw;
    const tl_i32f32 *incentive = e->incentive;
    for (size_t i = 0; i < e->n; i++) {
        tl_i32f32 dividend = 0;
        const uint32_t end = b->ema.end[i];
        for (uint32_t k = b->ema.begin[i]; k < end; k++) {
            const uint16_t uid = uids[k];
            const tl_i32f32 value = tl__divide(ratios, uid, raws[k], is_quick);
            raws[k] = value;
            largest[uid] = value > largest[uid] ? value : largest[uid];
            dividend = tl__add(dividend, tl__mul(incentive[uid], value, is_quick), is_quick);
        }
        e->dividends[i] = dividend;
    }
}

/* Yuma3: D = normalised t·A with t = Σ EBn·I; EB itself is what is stored. */
TL__TEMPLATE void dividends_yuma3(bonds *b, bool is_quick)
{
    tl__epoch *e = b->e;
    const tl_ratio *ratios = b->columns.ratio;
    const uint16_t *uids = b->ema.uid;
    const tl_i32f32 *raws = b->ema.raw;
    const tl_i32f32 *incentive = e->incentive;
    for (size_t i = 0; i < e->n; i++) {
        tl_i32f32 t = 0;
        const uint32_t end = b->ema.end[i];
        for (uint32_t k = b->ema.begin[i]; k < end; k++) {
            const uint16_t uid = uids[k];
            const tl_i32f32 value = tl__divide(ratios, uid, raws[k], is_quick);
            t = tl_i32f32_add_wrapping(t, tl__mul(value, incentive[uid], is_quick));
        }
        e->dividends[i] = tl_i32f32_mul_or_zero(t, e->active[i]);
    }
}

static void find_dividends(bonds *b)
{
    tl__epoch *e = b->e;
    const bool is_quick = b->columns.is_quick && e->is_tame;
    tl_i32f32 *largest = b->dense_new; /* zeros again after the average */
    if (e->params->yuma3) {
        if (is_quick) {
            dividends_yuma3(b, true);
        } else {
            dividends_yuma3(b, false);
        }
    } else if (is_quick) {
        dividends_classic(b, largest, true);
    } else {
        dividends_classic(b, largest, false);
    }
    tl__normalise(e->dividends, e->dividends, e->n);
    if (!e->params->yuma3) {
        tl__columns_seal(&b->columns, largest, e->n, true);
    }
}

/* One row as u16: Yuma3 stores EB, classic EB over its column's largest. */
TL__TEMPLATE void store_row(tl_yuma_entry *entries, const bonds *b, size_t i, bool is_yuma3,
                            bool is_quick)
{
    const tl_ratio *ratios = b->columns.ratio;
    const uint16_t *uids = b->ema.uid;
    const tl_i32f32 *raws = b->ema.raw;
    const uint32_t begin = b->ema.begin[i];
    const uint32_t end = b->ema.end[i];
    for (uint32_t k = begin; k < end; k++) {
        const uint16_t uid = uids[k];
        const tl_i32f32 raw = raws[k];
        const tl_i32f32 value = is_yuma3 ? raw : tl__divide(ratios, uid, raw, is_quick);
        entries[k - begin] = (tl_yuma_entry){uid, tl_i32f32_to_u16_proportion(value)};
    }
}

/* The rows of uids with a new permit. */
static tl_err store_rows(tl_arena *arena, tl_yuma_rows *out, const bonds *b, tl_errctx *ctx)
{
    const tl__epoch *e = b->e;
    uint32_t *starts = TL_NEW(arena, uint32_t, e->n + 1);
    if (starts == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < e->n; i++) {
        starts[i + 1] = starts[i] + (e->new_permit[i] ? b->ema.end[i] - b->ema.begin[i] : 0);
    }
    tl_yuma_entry *entries = TL_NEW(arena, tl_yuma_entry, starts[e->n]);
    if (entries == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < e->n; i++) {
        TL_ASSERT(e->new_permit[i] || starts[i] == starts[i + 1]); /* YUMA-3 */
        if (!e->new_permit[i]) {
            continue;
        }
        if (e->params->yuma3) {
            store_row(entries + starts[i], b, i, true, true);
        } else if (b->columns.is_quick) {
            store_row(entries + starts[i], b, i, false, true);
        } else {
            store_row(entries + starts[i], b, i, false, false);
        }
    }
    *out = (tl_yuma_rows){starts, entries};
    return TL_OK;
}

static bool has_consensus(const tl__epoch *e)
{
    for (size_t j = 0; j < e->n; j++) {
        if (e->consensus[j] != 0) {
            return true;
        }
    }
    return false;
}

tl_err tl__bonds_update(tl_arena *arena, tl_yuma_rows *out, tl__epoch *epoch, tl_errctx *ctx)
{
    bonds b;
    TL_TRY(bonds_new(&b, epoch, ctx));
    if (epoch->params->yuma3) {
        if (epoch->params->liquid_alpha && has_consensus(epoch)) {
            ema_liquid(&b);
        } else {
            ema_plain(&b);
        }
    } else {
        seal_stored_columns(&b);
        tl__columns_seal(&b.deltas, epoch->bond_deltas, epoch->n, epoch->is_tame);
        ema_plain(&b);
    }
    tl__columns_seal(&b.columns, b.sums, epoch->n, true); /* EB has positive cells only */
    find_dividends(&b);
    return store_rows(arena, out, &b, ctx);
}
