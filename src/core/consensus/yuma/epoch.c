/* One epoch of one mechanism, in the order of chain spec 1.4: the step numbers here are its own. */
#include "core/consensus/yuma/yuma.h"

#include <string.h>

#include "core/consensus/yuma/yuma_internal.h"

tl_yuma_params tl_yuma_params_default(void)
{
    return (tl_yuma_params){
        .kappa = 32767,
        .bonds_penalty = UINT16_MAX,
        .bonds_moving_average = 900000,
        .yuma3 = false,
        .liquid_alpha = false,
        .alpha_low = 45875,
        .alpha_high = 58982,
        .alpha_sigmoid_steepness = 1000,
        .max_allowed_validators = 128,
        .stake_threshold = 0,
        .activity_cutoff_blocks = 5000,
        .tempo_blocks = 360,
        .owner_uid = TL_YUMA_NO_OWNER,
    };
}

/* The output's arrays, still writable. */
typedef struct results {
    bool *active;
    bool *permit;
    uint16_t *stake_weight;
    uint16_t *consensus;
    uint16_t *incentive;
    uint16_t *dividends;
    uint16_t *trust;
    uint64_t *server;
    uint64_t *validator;
    uint64_t *combined;
} results;

static tl_err check_rows(const tl_yuma_rows *rows, size_t n, const char *name, tl_errctx *ctx)
{
    for (size_t i = 0; i < n; i++) {
        if (rows->starts[i] > rows->starts[i + 1]) {
            return tl_fail_field(ctx, TL_ERR_RANGE, name, "row %zu ends before it begins", i);
        }
        if (rows->starts[i + 1] - rows->starts[i] > TL_YUMA_NEURONS_MAX) {
            return tl_fail_field(ctx, TL_ERR_LIMIT, name, "row %zu has more than %d entries", i,
                                 TL_YUMA_NEURONS_MAX);
        }
    }
    return TL_OK;
}

static tl_err check_input(const tl_yuma_input *in, tl_errctx *ctx)
{
    if (in->n > TL_YUMA_NEURONS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "n", "%zu neurons, at most %d", in->n,
                             TL_YUMA_NEURONS_MAX);
    }
    const int32_t owner = in->params->owner_uid;
    if (owner < TL_YUMA_NO_OWNER || (owner >= 0 && (size_t)owner >= in->n)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "owner_uid", "owner %d is no uid below %zu", owner,
                             in->n);
    }
    TL_TRY(check_rows(&in->weights, in->n, "weights", ctx));
    return check_rows(&in->bonds, in->n, "bonds", ctx);
}

static tl_err results_new(tl_arena *arena, results *r, tl__epoch *e, tl_errctx *ctx)
{
    const size_t n = e->n;
    *r = (results){
        .active = TL_NEW(arena, bool, n),
        .permit = TL_NEW(arena, bool, n),
        .stake_weight = TL_NEW(arena, uint16_t, n),
        .consensus = TL_NEW(arena, uint16_t, n),
        .incentive = TL_NEW(arena, uint16_t, n),
        .dividends = TL_NEW(arena, uint16_t, n),
        .trust = TL_NEW(arena, uint16_t, n),
        .server = TL_NEW(arena, uint64_t, n),
        .validator = TL_NEW(arena, uint64_t, n),
        .combined = TL_NEW(arena, uint64_t, n),
    };
    tl_i32f32 *raws = TL_NEW(arena, tl_i32f32, 7 * n);
    tl_i32f32 *legacy = e->in->wants_legacy ? TL_NEW(arena, tl_i32f32, n) : raws;
    e->old_permit = TL_NEW(e->scratch, bool, n);
    if (r->active == NULL || r->permit == NULL || r->stake_weight == NULL || r->consensus == NULL ||
        r->incentive == NULL || r->dividends == NULL || r->trust == NULL || r->server == NULL ||
        r->validator == NULL || r->combined == NULL || raws == NULL || legacy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (e->old_permit == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    e->stake = raws;
    e->active = raws + n;
    e->consensus = raws + 2 * n;
    e->trust = raws + 3 * n;
    e->ranks = raws + 4 * n;
    e->incentive = raws + 5 * n;
    e->dividends = raws + 6 * n;
    e->preranks = e->in->wants_legacy ? legacy : NULL;
    e->new_permit = r->permit;
    return TL_OK;
}

/* Steps 1 to 5: who is active, S, the new permits, A. */
static tl_err find_stakes(tl__epoch *e, results *r, tl_errctx *ctx)
{
    const tl_yuma_input *in = e->in;
    const tl_yuma_params *p = e->params;
    tl_i64f64 *filtered = TL_NEW(e->scratch, tl_i64f64, e->n);
    uint32_t *heap = TL_NEW(e->scratch, uint32_t, e->n);
    if (filtered == NULL || heap == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    tl_i64f64 total = 0;
    e->is_tame = true;
    for (size_t i = 0; i < e->n; i++) {
        uint64_t last_block;
        const bool is_endless = __builtin_add_overflow(in->last_update_block[i],
                                                       p->activity_cutoff_blocks, &last_block);
        r->active[i] = is_endless || last_block >= in->now_block;
        const bool is_owner = tl__is_owner(p, i);
        const bool is_enough = is_owner || tl_i64f64_to_u64(in->stake[i]) >= p->stake_threshold;
        filtered[i] = is_enough ? in->stake[i] : 0;
        e->is_tame &= filtered[i] >= 0 && !__builtin_add_overflow(total, filtered[i], &total);
        e->old_permit[i] = in->validator_permit[i] || is_owner;
    }
    tl_yuma_normalise_64(e->stake, filtered, e->n);
    tl_yuma_topk(r->permit, e->stake, e->n, p->max_allowed_validators, true, heap);
    for (size_t i = 0; i < e->n; i++) {
        r->permit[i] |= tl__is_owner(p, i);
        e->active[i] = r->active[i] && e->old_permit[i] ? e->stake[i] : 0;
    }
    tl__normalise(e->active, e->active, e->n);
    return TL_OK;
}

/* Which weights of row i the masks of steps 7 to 9 leave. */
typedef struct row_mask {
    uint64_t since; /* an entry to whoever registered at or after this block is void */
    bool takes_all; /* nobody registered that late */
    size_t self;    /* n when self-weight is allowed */
} row_mask;

static row_mask row_mask_make(const tl__epoch *e, size_t i, uint64_t last_registration)
{
    const tl_yuma_input *in = e->in;
    /* Step 8 keeps last_update > registered; step 9 keeps commit >= registered, i.e. commit + 1 > registered. */
    uint64_t since = in->last_update_block[i];
    if (in->commit_block != NULL && in->commit_block[i] < since) {
        since = in->commit_block[i] + 1;
    }
    return (row_mask){
        .since = since,
        .takes_all = since > last_registration,
        .self = tl__is_owner(e->params, i) ? e->n : i,
    };
}

/* Copy the entries that the masks leave to w from at on; returns where they end. *sum: of their values, at most
 * 4096 * 65535. A cell is always written, and counted only when it is taken: no branch to mispredict. */
TL__TEMPLATE uint32_t take_entries(tl__epoch *e, size_t i, const row_mask *mask, uint32_t at,
                                   uint32_t *sum, bool *ascends, bool takes_all)
{
    const tl_yuma_rows *rows = &e->in->weights;
    const uint64_t *registered = e->in->block_at_registration;
    uint16_t *uids = e->weights.uid;
    tl_i32f32 *raws = e->weights.raw;
    uint32_t total = 0;
    bool in_order = true;
    int32_t last_uid = -1;
    for (uint32_t k = rows->starts[i]; k < rows->starts[i + 1]; k++) {
        const tl_yuma_entry entry = rows->entries[k];
        const bool is_taken = entry.uid < e->n && entry.uid != mask->self &&
                              (takes_all || mask->since > registered[entry.uid]);
        uids[at] = entry.uid;
        raws[at] = entry.value;
        total += is_taken ? entry.value : 0;
        in_order &= !is_taken || last_uid < entry.uid;
        last_uid = is_taken ? entry.uid : last_uid;
        at += is_taken;
    }
    *sum = total;
    *ascends = in_order;
    return at;
}

/* Steps 6 to 10 for one row: the entries that stay, divided by their sum. */
static uint32_t build_row(tl__epoch *e, size_t i, const row_mask *mask, uint32_t at)
{
    const uint32_t begin = at;
    uint32_t sum;
    bool *ascends = &e->weights.ascends[i];
    at = mask->takes_all ? take_entries(e, i, mask, at, &sum, ascends, true)
                         : take_entries(e, i, mask, at, &sum, ascends, false);
    if (sum > 0) {
        const tl_ratio ratio = tl_ratio_make(sum);
        tl_i32f32 *raws = e->weights.raw;
        for (uint32_t k = begin; k < at; k++) {
            raws[k] = tl_ratio_of(raws[k], ratio);
        }
    }
    return at;
}

static tl_err build_weights(tl__epoch *e, tl_errctx *ctx)
{
    const size_t n = e->n;
    const size_t cap = e->in->weights.starts[n] - e->in->weights.starts[0];
    e->weights = (tl__cells){
        .begin = TL_NEW(e->scratch, uint32_t, n + 1),
        .end = TL_NEW(e->scratch, uint32_t, n + 1),
        .uid = TL_NEW(e->scratch, uint16_t, cap + 1), /* one to spare for a cell not taken */
        .raw = TL_NEW(e->scratch, tl_i32f32, cap + 1),
        .ascends = TL_NEW(e->scratch, bool, n),
    };
    const tl__cells *w = &e->weights;
    if (w->begin == NULL || w->end == NULL || w->uid == NULL || w->raw == NULL ||
        w->ascends == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    uint64_t last_registration = 0;
    for (size_t j = 0; j < n; j++) {
        const uint64_t block = e->in->block_at_registration[j];
        last_registration = block > last_registration ? block : last_registration;
    }
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        w->begin[i] = at;
        w->ascends[i] = true;
        if (e->old_permit[i]) {
            const row_mask mask = row_mask_make(e, i, last_registration);
            at = build_row(e, i, &mask, at);
        }
        w->end[i] = at;
    }
    w->begin[n] = at;
    TL_ASSERT(at <= cap);
    return TL_OK;
}

static void find_preranks(tl__epoch *e)
{
    for (size_t i = 0; i < e->n; i++) {
        for (uint32_t k = e->weights.begin[i]; k < e->weights.end[i]; k++) {
            tl_i32f32 *sum = &e->preranks[e->weights.uid[k]];
            *sum = tl_i32f32_add(*sum, tl_i32f32_mul(e->active[i], e->weights.raw[k]));
        }
    }
}

/* Sort one row of positive cells by uid: spread it out over zeros, then collect. dense is n zeros, and is again. */
static void sort_row(tl__epoch *e, size_t i, tl_i32f32 *dense)
{
    tl__cells *w = &e->weights;
    for (uint32_t k = w->begin[i]; k < w->end[i]; k++) {
        dense[w->uid[k]] = w->raw[k];
    }
    uint32_t at = w->begin[i];
    for (size_t j = 0; j < e->n && at < w->end[i]; j++) {
        w->uid[at] = (uint16_t)j;
        w->raw[at] = dense[j];
        at += dense[j] != 0;
        dense[j] = 0;
    }
    w->end[i] = at;
    w->ascends[i] = true;
}

/* How Wb is made of W and Wc. */
typedef enum bond_mode { BOND_CLIPPED, BOND_UNCLIPPED, BOND_BETWEEN } bond_mode;

/* Steps 12 to 15 for one row: trust, ranks, and Wb in the place of W. is_quick: all values are in [0, 1]. */
TL__TEMPLATE void clip_cells(tl__epoch *e, size_t i, tl_i32f32 penalty, bond_mode mode,
                             bool is_quick)
{
    uint16_t *uids = e->weights.uid;
    tl_i32f32 *raws = e->weights.raw;
    tl_i32f32 *ranks = e->ranks;
    const tl_i32f32 *consensus = e->consensus;
    const tl_i32f32 active = e->active[i];
    const uint32_t end = e->weights.end[i];
    tl_i32f32 trust = 0;
    uint32_t at = e->weights.begin[i];
    for (uint32_t k = at; k < end; k++) {
        const uint16_t uid = uids[k];
        const tl_i32f32 weight = raws[k];
        const tl_i32f32 limit = consensus[uid];
        const tl_i32f32 clipped = weight < limit ? weight : limit;
        trust = tl_i32f32_add_wrapping(trust, clipped);
        ranks[uid] = tl__add(ranks[uid], tl__mul(active, clipped, is_quick), is_quick);
        tl_i32f32 bond = weight;
        bool is_kept = true;
        if (mode == BOND_CLIPPED) {
            bond = clipped;
            is_kept = clipped > 0 ||
                      weight == 0; /* clipped to nothing: dropped; a zero of its own stays */
        } else if (mode == BOND_BETWEEN) {
            bond = tl_i32f32_add(weight, tl_i32f32_mul(penalty, tl_i32f32_sub(clipped, weight)));
            is_kept = bond > 0;
        }
        uids[at] = uid;
        raws[at] = bond;
        at += is_kept;
        if (mode != BOND_CLIPPED && is_kept) { /* else the ranks are the sums of A * Wb */
            e->bond_deltas[uid] = tl_i32f32_add(e->bond_deltas[uid], tl_i32f32_mul(active, bond));
        }
    }
    e->weights.end[i] = at;
    e->trust[i] = trust;
}

static void clip_row(tl__epoch *e, size_t i, tl_i32f32 penalty)
{
    if (penalty == TL_I32F32_ONE && e->is_tame) {
        clip_cells(e, i, penalty, BOND_CLIPPED, true);
    } else if (penalty == TL_I32F32_ONE) {
        clip_cells(e, i, penalty, BOND_CLIPPED, false);
    } else if (penalty == 0) {
        clip_cells(e, i, penalty, BOND_UNCLIPPED, false);
    } else {
        clip_cells(e, i, penalty, BOND_BETWEEN, false);
    }
}

static tl_err clip_weights(tl__epoch *e, tl_errctx *ctx)
{
    const tl_i32f32 penalty = tl_i32f32_from_u16_proportion(e->params->bonds_penalty);
    tl_i32f32 *dense = TL_NEW(e->scratch, tl_i32f32, e->n);
    /* At penalty 1 the sums of A * Wb are the ranks. */
    e->bond_deltas = penalty == TL_I32F32_ONE ? e->ranks : TL_NEW(e->scratch, tl_i32f32, e->n);
    if (dense == NULL || e->bond_deltas == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    for (size_t i = 0; i < e->n; i++) {
        clip_row(e, i, penalty);
        if (penalty != TL_I32F32_ONE && penalty != 0 && !e->weights.ascends[i]) {
            sort_row(e, i, dense);
        }
    }
    tl__normalise(e->incentive, e->ranks, e->n);
    return TL_OK;
}

/* Steps 18 to 20: shares of the emission, and amounts. */
static tl_err share_emission(tl__epoch *e, results *r, tl_errctx *ctx)
{
    const size_t n = e->n;
    tl_i32f32 *combined = TL_NEW(e->scratch, tl_i32f32, 3 * n);
    if (combined == NULL) {
        return tl_arena_fail(e->scratch, ctx);
    }
    tl_i32f32 *server = combined + n;
    tl_i32f32 *validator = combined + 2 * n;
    for (size_t i = 0; i < n; i++) {
        combined[i] = tl_i32f32_add(e->incentive[i], e->dividends[i]);
    }
    const tl_i32f32 sum = tl__sum(combined, n);
    const tl_i32f32 *fallback = tl__sum(e->active, n) == 0 ? e->stake : e->active;
    for (size_t i = 0; i < n; i++) {
        server[i] = sum == 0 ? e->incentive[i] : tl_i32f32_div_or_zero(e->incentive[i], sum);
        validator[i] = sum == 0 ? fallback[i] : tl_i32f32_div_or_zero(e->dividends[i], sum);
        combined[i] = sum == 0 ? fallback[i] : tl_i32f32_div_or_zero(combined[i], sum);
        r->server[i] = tl_i32f32_amount(server[i], e->in->rao_emission);
        r->validator[i] = tl_i32f32_amount(validator[i], e->in->rao_emission);
        r->combined[i] = tl_i32f32_amount(combined[i], e->in->rao_emission);
    }
    return TL_OK;
}

static void check_share(const tl_i32f32 *values, size_t n)
{
    tl_i128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        TL_ASSERT(values[i] >= 0); /* YUMA-1 */
        sum += values[i];
    }
    TL_ASSERT(sum <= TL_I32F32_ONE); /* YUMA-1 */
}

/* YUMA-1 to YUMA-4 on every run: O(n), nothing beside the O(entries) above. */
static void check_results(const tl__epoch *e, const results *r)
{
    size_t permits = 0;
    for (size_t i = 0; i < e->n; i++) {
        permits += r->permit[i] && !tl__is_owner(e->params, i);
    }
    TL_ASSERT(permits <= e->params->max_allowed_validators); /* YUMA-4 */
    if (!e->is_tame) {
        return;
    }
    check_share(e->stake, e->n);
    check_share(e->active, e->n);
    check_share(e->incentive, e->n);
    check_share(e->dividends, e->n);
    tl_u128 paid = 0;
    tl_u128 combined = 0;
    for (size_t i = 0; i < e->n; i++) {
        TL_ASSERT(e->consensus[i] >= 0 && e->consensus[i] <= TL_I32F32_ONE); /* YUMA-1 */
        TL_ASSERT(e->trust[i] >= 0 && e->trust[i] <= TL_I32F32_ONE);         /* YUMA-1 */
        TL_ASSERT(r->server[i] <= r->combined[i]);                           /* YUMA-2 */
        TL_ASSERT(r->validator[i] <= r->combined[i] - r->server[i]);         /* YUMA-2 */
        paid += (tl_u128)r->server[i] + r->validator[i];
        combined += r->combined[i];
    }
    TL_ASSERT(paid <= combined && combined <= e->in->rao_emission); /* YUMA-2 */
}

/* Step 21: truncate for storage. */
static void truncate_results(const tl__epoch *e, results *r)
{
    for (size_t i = 0; i < e->n; i++) {
        r->stake_weight[i] = tl_i32f32_to_u16_proportion(e->stake[i]);
        r->consensus[i] = tl_i32f32_to_u16_proportion(e->consensus[i]);
        r->incentive[i] = tl_i32f32_to_u16_proportion(e->incentive[i]);
        r->dividends[i] = tl_i32f32_to_u16_proportion(e->dividends[i]);
        r->trust[i] = tl_i32f32_to_u16_proportion(e->trust[i]);
    }
}

/* The trust of old: what is left of a rank after clipping. */
static tl_err find_trust_legacy(tl_arena *arena, const tl_i32f32 **out, const tl__epoch *e,
                                tl_errctx *ctx)
{
    *out = NULL;
    if (e->preranks == NULL) {
        return TL_OK;
    }
    tl_i32f32 *trust = TL_NEW(arena, tl_i32f32, e->n);
    if (trust == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t j = 0; j < e->n; j++) {
        trust[j] = tl_i32f32_div_or_zero(e->ranks[j], e->preranks[j]);
    }
    *out = trust;
    return TL_OK;
}

static tl_err run(tl_arena *arena, tl_yuma_output *out, tl__epoch *e, tl_errctx *ctx)
{
    results r;
    TL_TRY(results_new(arena, &r, e, ctx));
    TL_TRY(find_stakes(e, &r, ctx));    /*  1 …  5 */
    TL_TRY(build_weights(e, ctx));      /*  6 … 10 */
    TL_TRY(tl__consensus_find(e, ctx)); /* 11 */
    if (e->preranks != NULL) {
        find_preranks(e);
    }
    TL_TRY(clip_weights(e, ctx)); /* 12 … 15 */
    tl_yuma_rows bonds;
    TL_TRY(tl__bonds_update(arena, &bonds, e, ctx)); /* 16, 17 */
    TL_TRY(share_emission(e, &r, ctx));              /* 18 … 20 */
    truncate_results(e, &r);                         /* 21 */
    check_results(e, &r);
    const tl_i32f32 *trust_legacy;
    TL_TRY(find_trust_legacy(arena, &trust_legacy, e, ctx));
    *out = (tl_yuma_output){
        .n = e->n,
        .active = r.active,
        .validator_permit = r.permit,
        .stake_weight = r.stake_weight,
        .consensus = r.consensus,
        .incentive = r.incentive,
        .dividends = r.dividends,
        .validator_trust = r.trust,
        .server_emission = r.server,
        .validator_emission = r.validator,
        .emission = r.combined,
        .bonds = bonds,
        .stake_raw = e->stake,
        .active_stake_raw = e->active,
        .consensus_raw = e->consensus,
        .incentive_raw = e->incentive,
        .dividends_raw = e->dividends,
        .validator_trust_raw = e->trust,
        .ranks_raw = e->ranks,
        .preranks_raw = e->preranks,
        .trust_legacy_raw = trust_legacy,
    };
    return TL_OK;
}

tl_err tl_yuma_epoch(tl_arena *arena, tl_yuma_output *out, const tl_yuma_input *input,
                     tl_errctx *ctx)
{
    TL_TRY(check_input(input, ctx));
    tl__epoch e = {.in = input, .params = input->params, .n = input->n};
    TL_TRY(tl_arena_new(&e.scratch, arena, 0, NULL, ctx));
    const tl_err err = run(arena, out, &e, ctx);
    tl_arena_free(e.scratch);
    return err;
}
