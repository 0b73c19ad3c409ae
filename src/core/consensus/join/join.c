/* From scores to one result: read tl_consensus_agree() at the end first, then upwards. */
#include "core/consensus/join/join.h"

#include <string.h>

#include "core/consensus/yuma/yuma.h"
#include "core/num/stats/stats.h"

#define NOT_A_VALIDATOR UINT32_MAX

enum { FLAG_BITS = 32 };

_Static_assert(TL_JOIN_PARTICIPANTS_MAX <= TL_YUMA_NEURONS_MAX, "participants are neurons");

/* One join at work. Participants are all hotkeys, ascending; the index of one is its uid. */
typedef struct join {
    tl_arena *arena;   /* results */
    tl_arena *scratch; /* gone at the end */
    tl_errctx *ctx;
    const tl_join_input *in;
    const tl_hotkey *miner_keys; /* miner_count */
    uint32_t *miner_order;       /* miners by hotkey */
    tl_hotkey *keys;             /* participants */
    size_t key_count;
    tl_agreed_validator *validators;
    tl_agreed_miner *miners;
    tl_yuma_output yuma;
    tl_agreement *out;
} join;

const char *tl_join_outcome_name(tl_join_outcome outcome)
{
    switch (outcome) {
    case TL_JOIN_RANKED:
        return "ranked";
    case TL_JOIN_NOT_RANKED:
        return "not_ranked";
    case TL_JOIN_ELIMINATED:
        return "eliminated";
    case TL_JOIN_NO_INCENTIVE:
        return "no_incentive";
    case TL_JOIN_DISQUALIFIED:
        return "disqualified";
    }
    TL_ASSERT(false && "an outcome that is none");
    return "not_ranked";
}

tl_err tl_join_split(tl_emission_split *out, tl_rao emission, tl_errctx *ctx)
{
    if (tl_rao_is_negative(emission)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "emission", "the emission is below 0");
    }
    tl_emission_split split;
    TL_TRY(tl_rao_mul_div_floor(&split.miners, emission, 41, 100, ctx));
    split.validators = split.miners;
    TL_TRY(tl_rao_sub(&split.owner, emission, split.miners, ctx));
    TL_TRY(tl_rao_sub(&split.owner, split.owner, split.validators, ctx));
    TL_ASSERT(!tl_rao_is_negative(split.owner)); /* JOIN-2 */
    *out = split;
    return TL_OK;
}

static bool has_stake(const tl_join_validator *v)
{
    return tl_rao_cmp(v->stake, TL_RAO_ZERO) > 0;
}

/* --- who takes part --- */

static tl_err check_rows(const join *j)
{
    for (size_t v = 0; v < j->in->validator_count; v++) {
        const tl_row *row = j->in->validators[v].row;
        for (size_t m = 0; row != NULL && m < j->in->miner_count; m++) {
            if (row->qs_millionths[m] > TL_JOIN_QS_MILLIONTHS_MAX) {
                return tl_fail_field(j->ctx, TL_ERR_RANGE, "qs", "a score of %u millionths",
                                     row->qs_millionths[m]);
            }
        }
    }
    return TL_OK;
}

static tl_err check_input(const join *j)
{
    if (j->in->validator_count == 0) {
        return tl_fail_field(j->ctx, TL_ERR_MISSING, "validators", "no validator");
    }
    if (j->in->validator_count > TL_JOIN_PARTICIPANTS_MAX ||
        j->in->miner_count > TL_JOIN_PARTICIPANTS_MAX - j->in->validator_count) {
        return tl_fail_field(j->ctx, TL_ERR_LIMIT, "miners",
                             "%zu validators and %zu miners, at most %d", j->in->validator_count,
                             j->in->miner_count, TL_JOIN_PARTICIPANTS_MAX);
    }
    return check_rows(j);
}

/* JOIN-1: uids are places in the order of hotkeys, whatever the order of the input. */
static int cmp_hotkey_items(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(a, b);
}

/* The participants: validators and miners, once each, by hotkey bytes. */
static tl_err find_participants(join *j)
{
    const size_t vn = j->in->validator_count;
    const size_t mn = j->in->miner_count;
    tl_hotkey *validator_keys = TL_NEW(j->scratch, tl_hotkey, vn);
    tl_hotkey *miner_keys = TL_NEW(j->scratch, tl_hotkey, mn);
    uint32_t *order = TL_NEW(j->scratch, uint32_t, vn);
    j->miner_order = TL_NEW(j->scratch, uint32_t, mn);
    j->keys = TL_NEW(j->scratch, tl_hotkey, vn + mn);
    if (validator_keys == NULL || miner_keys == NULL || order == NULL || j->miner_order == NULL ||
        j->keys == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    for (size_t v = 0; v < vn; v++) {
        validator_keys[v] = j->in->validators[v].hotkey;
        j->keys[v] = validator_keys[v];
    }
    for (size_t m = 0; m < mn; m++) {
        miner_keys[m] = j->in->miners[m].hotkey;
        j->keys[vn + m] = miner_keys[m];
    }
    j->miner_keys = miner_keys;
    tl_err err = tl_row_order(order, j->scratch, validator_keys, vn, j->ctx);
    if (err != TL_OK) {
        tl_errctx_under(j->ctx, "validators");
        return err;
    }
    err = tl_row_order(j->miner_order, j->scratch, miner_keys, mn, j->ctx);
    if (err != TL_OK) {
        tl_errctx_under(j->ctx, "miners");
        return err;
    }
    TL_TRY(tl_sort(j->keys, vn + mn, sizeof *j->keys, cmp_hotkey_items, NULL, j->scratch, j->ctx));
    for (size_t i = 0; i < vn + mn; i++) { /* one uid for whoever is both */
        if (j->key_count == 0 || !tl_hotkey_eq(&j->keys[j->key_count - 1], &j->keys[i])) {
            j->keys[j->key_count++] = j->keys[i];
        }
    }
    for (size_t i = 1; i < j->key_count; i++) {
        TL_ASSERT(tl_hotkey_cmp(&j->keys[i - 1], &j->keys[i]) < 0); /* JOIN-1 */
    }
    return TL_OK;
}

/* The uid of a hotkey; false when it takes no part. */
static bool find_uid(uint16_t *out, const join *j, const tl_hotkey *key)
{
    size_t low = 0;
    size_t high = j->key_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = tl_hotkey_cmp(&j->keys[middle], key);
        if (order == 0) {
            *out = (uint16_t)middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static tl_err make_results(join *j)
{
    j->validators = TL_NEW(j->arena, tl_agreed_validator, j->in->validator_count);
    j->miners = TL_NEW(j->arena, tl_agreed_miner, j->in->miner_count);
    if (j->validators == NULL || j->miners == NULL) {
        return tl_arena_fail(j->arena, j->ctx);
    }
    for (size_t v = 0; v < j->in->validator_count; v++) {
        const bool is_found = find_uid(&j->validators[v].uid, j, &j->in->validators[v].hotkey);
        TL_ASSERT(is_found);
    }
    for (size_t m = 0; m < j->in->miner_count; m++) {
        const bool is_found = find_uid(&j->miners[m].uid, j, &j->in->miners[m].hotkey);
        TL_ASSERT(is_found);
    }
    return TL_OK;
}

/* --- rows: hashed, and upscaled --- */

static tl_err upscale_row(join *j, tl_agreed_validator *v, const tl_row *row, tl_i32f32 *scores)
{
    uint16_t *upscaled = TL_NEW(j->arena, uint16_t, j->in->miner_count);
    if (upscaled == NULL) {
        return tl_arena_fail(j->arena, j->ctx);
    }
    for (size_t m = 0; m < j->in->miner_count; m++) {
        scores[m] = tl_i32f32_from_int((int32_t)row->qs_millionths[m]);
    }
    tl_yuma_upscale(upscaled, scores, j->in->miner_count);
    v->u16_row = upscaled;
    return TL_OK;
}

static tl_err judge_rows(join *j)
{
    const size_t vn = j->in->validator_count;
    tl_ballot *ballots = TL_NEW(j->scratch, tl_ballot, vn);
    tl_i32f32 *scores = TL_NEW(j->scratch, tl_i32f32, j->in->miner_count);
    if (ballots == NULL || scores == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    for (size_t v = 0; v < vn; v++) {
        const tl_row *row = j->in->validators[v].row;
        tl_agreed_validator *out = &j->validators[v];
        ballots[v].stake = j->in->validators[v].stake;
        ballots[v].has_row = row != NULL;
        out->has_row = row != NULL;
        if (row != NULL) {
            tl_row_hash(&out->row_hash, j->in->domain, j->miner_keys, j->miner_order, row,
                        j->in->miner_count);
            ballots[v].hash = out->row_hash;
            TL_TRY(upscale_row(j, out, row, scores));
        }
    }
    TL_TRY(tl_agree_verdict(j->arena, &j->out->verdict, ballots, vn, j->ctx));
    for (size_t i = 0; i < j->out->verdict.outlier_count; i++) {
        j->validators[j->out->verdict.outliers[i]].is_outlier = true;
    }
    return TL_OK;
}

/* --- Yuma --- */

/* Stored weights: the rows of validators, miners by ascending uid, zeros included. */
static tl_err yuma_weights(tl_yuma_rows *out, const join *j, const uint32_t *validator_of)
{
    size_t row_count = 0;
    for (size_t v = 0; v < j->in->validator_count; v++) {
        row_count += j->validators[v].has_row;
    }
    uint32_t *starts = TL_NEW(j->scratch, uint32_t, j->key_count + 1);
    tl_yuma_entry *entries = TL_NEW(j->scratch, tl_yuma_entry, row_count * j->in->miner_count);
    if (starts == NULL || entries == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    uint32_t at = 0;
    for (size_t uid = 0; uid < j->key_count; uid++) {
        const uint32_t v = validator_of[uid];
        const uint16_t *row = v == NOT_A_VALIDATOR ? NULL : j->validators[v].u16_row;
        for (size_t i = 0; row != NULL && i < j->in->miner_count; i++) {
            const uint32_t m = j->miner_order[i];
            entries[at++] = (tl_yuma_entry){j->miners[m].uid, row[m]};
        }
        starts[uid + 1] = at;
    }
    *out = (tl_yuma_rows){starts, entries};
    return TL_OK;
}

/* A carried bond that still has both its ends. */
typedef struct placed_bond {
    uint16_t from;
    tl_yuma_entry entry;
} placed_bond;

static int cmp_placed(const void *a, const void *b, void *self)
{
    (void)self;
    const placed_bond *x = a;
    const placed_bond *y = b;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                              : (x->entry.uid > y->entry.uid) - (x->entry.uid < y->entry.uid);
}

static tl_err yuma_bonds(tl_yuma_rows *out, const join *j)
{
    const tl_bonds *carried = &j->in->bonds;
    placed_bond *placed = TL_NEW(j->scratch, placed_bond, carried->count);
    uint32_t *starts = TL_NEW(j->scratch, uint32_t, j->key_count + 1);
    tl_yuma_entry *entries = TL_NEW(j->scratch, tl_yuma_entry, carried->count);
    if (placed == NULL || starts == NULL || entries == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    size_t count = 0;
    for (size_t k = 0; k < carried->count; k++) {
        const tl_bond *bond = &carried->items[k];
        placed_bond *to = &placed[count];
        if (find_uid(&to->from, j, &bond->validator) && find_uid(&to->entry.uid, j, &bond->miner)) {
            to->entry.value = bond->bond_u16;
            count++;
        }
    }
    TL_TRY(tl_sort(placed, count, sizeof *placed, cmp_placed, NULL, j->scratch, j->ctx));
    for (size_t k = 0; k < count; k++) {
        if (k > 0 && cmp_placed(&placed[k - 1], &placed[k], NULL) == 0) {
            return tl_fail_field(j->ctx, TL_ERR_DUPLICATE, "bonds", "a bond is carried twice");
        }
        entries[k] = placed[k].entry;
        starts[placed[k].from + 1]++;
    }
    for (size_t uid = 0; uid < j->key_count; uid++) {
        starts[uid + 1] += starts[uid];
    }
    *out = (tl_yuma_rows){starts, entries};
    return TL_OK;
}

/* Defaults of chain spec 1.9, and nothing masked but self-weights: all registered at block 0, set their weights now, and
 * the reference block of bonds is after 0. No cap on validators: every one with stake has a permit. */
static tl_err run_yuma(join *j)
{
    const size_t n = j->key_count;
    tl_yuma_params params = tl_yuma_params_default();
    params.max_allowed_validators = UINT16_MAX;
    const uint64_t now = params.tempo_blocks + 1;
    tl_i64f64 *stake = TL_NEW(j->scratch, tl_i64f64, n);
    bool *permit = TL_NEW(j->scratch, bool, n);
    uint64_t *registered = TL_NEW(j->scratch, uint64_t, n);
    uint64_t *updated = TL_NEW(j->scratch, uint64_t, n);
    uint32_t *validator_of = TL_NEW(j->scratch, uint32_t, n);
    if (stake == NULL || permit == NULL || registered == NULL || updated == NULL ||
        validator_of == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    for (size_t uid = 0; uid < n; uid++) {
        updated[uid] = now;
        validator_of[uid] = NOT_A_VALIDATOR;
    }
    for (size_t v = 0; v < j->in->validator_count; v++) {
        const uint16_t uid = j->validators[v].uid;
        stake[uid] = tl_i64f64_from_u64((uint64_t)tl_rao_to_i64(j->in->validators[v].stake));
        permit[uid] = has_stake(&j->in->validators[v]); /* JOIN-5 */
        validator_of[uid] = (uint32_t)v;
    }
    tl_yuma_input input = {
        .params = &params,
        .n = n,
        .now_block = now,
        .stake = stake,
        .validator_permit = permit,
        .block_at_registration = registered,
        .last_update_block = updated,
    };
    TL_TRY(yuma_weights(&input.weights, j, validator_of));
    TL_TRY(yuma_bonds(&input.bonds, j));
    return tl_yuma_epoch(j->scratch, &j->yuma, &input, j->ctx);
}

/* --- miners --- */

/* Medians, votes and flags of one miner, over the validators that gave a row. values, stakes: room for validators. */
static tl_err agree_miner(join *j, size_t m, uint32_t *values, tl_rao *stakes)
{
    tl_agreed_miner *out = &j->miners[m];
    tl_rao flag_stakes[FLAG_BITS] = {{0}};
    uint32_t any_flags = 0;
    size_t count = 0;
    out->disqualify_stake = TL_RAO_ZERO;
    for (size_t v = 0; v < j->in->validator_count; v++) {
        const tl_row *row = j->in->validators[v].row;
        if (row == NULL) {
            continue;
        }
        const tl_rao stake = j->in->validators[v].stake;
        values[count] = row->max_drawdown_millionths[m];
        stakes[count++] = stake;
        if (row->disqualify[m]) {
            TL_TRY(tl_rao_add(&out->disqualify_stake, out->disqualify_stake, stake, j->ctx));
        }
        for (unsigned bit = 0; bit < FLAG_BITS; bit++) {
            if ((row->flags[m] >> bit & 1) != 0) {
                TL_TRY(tl_rao_add(&flag_stakes[bit], flag_stakes[bit], stake, j->ctx));
                any_flags |= (uint32_t)1 << bit;
            }
        }
    }
    const tl_rao whole = j->out->verdict.stake_total;
    for (unsigned bit = 0; bit < FLAG_BITS; bit++) {
        const bool is_set = (any_flags >> bit & 1) != 0;
        if (is_set && tl_agree_is_more_than_half(flag_stakes[bit], whole)) {
            out->flags |= (uint32_t)1 << bit;
        }
    }
    TL_TRY(
        tl_agree_median(&out->max_drawdown_millionths, j->scratch, values, stakes, count, j->ctx));
    count = 0;
    for (size_t v = 0; v < j->in->validator_count; v++) {
        if (j->in->validators[v].row != NULL) {
            values[count++] = j->in->validators[v].row->qs_millionths[m];
        }
    }
    return tl_agree_median(&out->qs_millionths, j->scratch, values, stakes, count, j->ctx);
}

static tl_join_outcome outcome_of(const join *j, size_t m)
{
    const tl_agreed_miner *miner = &j->miners[m];
    if (tl_agree_is_more_than_half(miner->disqualify_stake, j->out->verdict.stake_total)) {
        return TL_JOIN_DISQUALIFIED;
    }
    if (miner->incentive_raw > 0) {
        return TL_JOIN_RANKED;
    }
    if (j->in->miners[m].days < TL_JOIN_DAYS_MIN) {
        return TL_JOIN_NOT_RANKED;
    }
    return miner->max_drawdown_millionths > TL_JOIN_ELIMINATION_MILLIONTHS ? TL_JOIN_ELIMINATED
                                                                           : TL_JOIN_NO_INCENTIVE;
}

static tl_err agree_miners(join *j)
{
    uint32_t *values = TL_NEW(j->scratch, uint32_t, j->in->validator_count);
    tl_rao *stakes = TL_NEW(j->scratch, tl_rao, j->in->validator_count);
    if (values == NULL || stakes == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    for (size_t m = 0; m < j->in->miner_count; m++) {
        tl_agreed_miner *miner = &j->miners[m];
        miner->consensus_raw = j->yuma.consensus_raw[miner->uid];
        miner->incentive_raw = j->yuma.incentive_raw[miner->uid];
        TL_TRY(agree_miner(j, m, values, stakes));
        miner->outcome = outcome_of(j, m);
    }
    return TL_OK;
}

/* Incentive descending, agreed MaxDD ascending, commit height ascending, hotkey bytes. */
static int cmp_rank(const void *a, const void *b, void *self)
{
    const join *j = self;
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    const tl_agreed_miner *mx = &j->miners[x];
    const tl_agreed_miner *my = &j->miners[y];
    if (mx->incentive_raw != my->incentive_raw) {
        return mx->incentive_raw > my->incentive_raw ? -1 : 1;
    }
    if (mx->max_drawdown_millionths != my->max_drawdown_millionths) {
        return mx->max_drawdown_millionths < my->max_drawdown_millionths ? -1 : 1;
    }
    const uint64_t hx = j->in->miners[x].commit_height;
    const uint64_t hy = j->in->miners[y].commit_height;
    return hx != hy ? (hx > hy) - (hx < hy)
                    : tl_hotkey_cmp(&j->in->miners[x].hotkey, &j->in->miners[y].hotkey);
}

static tl_err rank_miners(join *j)
{
    uint32_t *order = TL_NEW(j->arena, uint32_t, j->in->miner_count);
    if (order == NULL) {
        return tl_arena_fail(j->arena, j->ctx);
    }
    size_t count = 0;
    for (size_t m = 0; m < j->in->miner_count; m++) {
        if (j->miners[m].outcome == TL_JOIN_RANKED) {
            order[count++] = (uint32_t)m;
        }
    }
    TL_TRY(tl_sort(order, count, sizeof *order, cmp_rank, j, j->scratch, j->ctx));
    for (size_t i = 0; i < count; i++) {
        tl_agreed_miner *miner = &j->miners[order[i]];
        TL_ASSERT(miner->rank == 0 && miner->incentive_raw > 0); /* JOIN-3 */
        miner->rank = (uint32_t)i + 1;
    }
    j->out->rank_order = order;
    j->out->ranked_count = count;
    return TL_OK;
}

/* --- validators' pay --- */

typedef struct payee {
    uint32_t index;
    uint64_t weight;
    const tl_hotkey *hotkey;
} payee;

static int cmp_payees(const void *a, const void *b, void *self)
{
    (void)self;
    const payee *x = a;
    const payee *y = b;
    if (x->weight != y->weight) {
        return x->weight > y->weight ? -1 : 1;
    }
    return tl_hotkey_cmp(x->hotkey, y->hotkey);
}

static tl_err pay_validators(join *j)
{
    const size_t vn = j->in->validator_count;
    payee *payees = TL_NEW(j->scratch, payee, vn);
    uint64_t *weights = TL_NEW(j->scratch, uint64_t, vn);
    size_t *order = TL_NEW(j->scratch, size_t, vn);
    tl_rao *pay = TL_NEW(j->scratch, tl_rao, vn);
    if (payees == NULL || weights == NULL || order == NULL || pay == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    bool has_dividends = false;
    for (size_t v = 0; v < vn; v++) {
        j->validators[v].dividends_raw = j->yuma.dividends_raw[j->validators[v].uid];
        has_dividends |= j->validators[v].dividends_raw > 0;
        TL_ASSERT(has_stake(&j->in->validators[v]) || j->in->bonds.count > 0 ||
                  j->validators[v].dividends_raw == 0); /* JOIN-5 */
    }
    if (!j->out->verdict.pays) {
        return TL_OK; /* JOIN-4: pay stays 0 */
    }
    const tl_i32f32 *shares = has_dividends ? j->yuma.dividends_raw : j->yuma.active_stake_raw;
    for (size_t v = 0; v < vn; v++) {
        const tl_i32f32 share = shares[j->validators[v].uid];
        TL_ASSERT(share >= 0);
        weights[v] = (uint64_t)share;
        payees[v] = (payee){(uint32_t)v, weights[v], &j->in->validators[v].hotkey};
    }
    TL_TRY(tl_sort(payees, vn, sizeof *payees, cmp_payees, NULL, j->scratch, j->ctx));
    for (size_t i = 0; i < vn; i++) {
        order[i] = payees[i].index;
    }
    TL_TRY(tl_rao_split_pro_rata(pay, j->out->split.validators, weights, vn, order, j->ctx));
    tl_rao paid;
    TL_TRY(tl_rao_sum(&paid, pay, vn, j->ctx));
    TL_ASSERT(tl_rao_eq(paid, j->out->split.validators)); /* JOIN-2 */
    for (size_t v = 0; v < vn; v++) {
        j->validators[v].pay = pay[v];
    }
    return TL_OK;
}

/* --- what goes on to the next epoch, and what people should see --- */

static tl_err carry_bonds(join *j)
{
    const tl_yuma_rows *rows = &j->yuma.bonds;
    const size_t count = j->out->verdict.pays ? rows->starts[j->key_count] : j->in->bonds.count;
    tl_bond *bonds = TL_NEW(j->arena, tl_bond, count);
    if (bonds == NULL) {
        return tl_arena_fail(j->arena, j->ctx);
    }
    if (j->out->verdict.pays) {
        for (size_t uid = 0; uid < j->key_count; uid++) {
            for (uint32_t k = rows->starts[uid]; k < rows->starts[uid + 1]; k++) {
                bonds[k] =
                    (tl_bond){j->keys[uid], j->keys[rows->entries[k].uid], rows->entries[k].value};
            }
        }
    } else {
        for (size_t k = 0; k < count; k++) {
            bonds[k] = j->in->bonds.items[k]; /* JOIN-4 */
        }
    }
    j->out->bonds = (tl_bonds){bonds, count};
    return TL_OK;
}

static tl_err report_collusion(join *j)
{
    const size_t vn = j->in->validator_count;
    const size_t mn = j->in->miner_count;
    const double **rows = TL_NEW(j->scratch, const double *, vn);
    double *agreed = TL_NEW(j->scratch, double, mn);
    if (rows == NULL || agreed == NULL) {
        return tl_arena_fail(j->scratch, j->ctx);
    }
    for (size_t v = 0; v < vn; v++) {
        if (!j->validators[v].has_row) {
            continue;
        }
        double *row = TL_NEW(j->scratch, double, mn);
        if (row == NULL) {
            return tl_arena_fail(j->scratch, j->ctx);
        }
        for (size_t i = 0; i < mn;
             i++) { /* in one order, so that the order of input changes no bit */
            row[i] = j->validators[v].u16_row[j->miner_order[i]];
        }
        rows[v] = row;
    }
    for (size_t i = 0; i < mn; i++) {
        agreed[i] = (double)j->miners[j->miner_order[i]].consensus_raw;
    }
    return tl_collusion_find(j->arena, &j->out->collusion, rows, vn, agreed, mn, j->ctx);
}

static tl_err run(join *j)
{
    TL_TRY(check_input(j));
    TL_TRY(tl_join_split(&j->out->split, j->in->emission, j->ctx));
    TL_TRY(find_participants(j));
    TL_TRY(make_results(j));
    TL_TRY(judge_rows(j));
    TL_TRY(run_yuma(j));
    TL_TRY(agree_miners(j));
    TL_TRY(rank_miners(j));
    TL_TRY(pay_validators(j));
    TL_TRY(carry_bonds(j));
    return report_collusion(j);
}

/* ROAD 6/8 agree: the scoreboards of all validators become one tl_agreement. Comes from the subnet's score (5/8), goes on
 * to tl_ledger_settle (7/8). Only what validators said counts here: nothing is scored again. */
tl_err tl_consensus_agree(tl_arena *arena, tl_agreement *out, const tl_join_input *input,
                          tl_errctx *ctx)
{
    tl_agreement result = {.validator_count = input->validator_count,
                           .miner_count = input->miner_count};
    join j = {.arena = arena, .ctx = ctx, .in = input, .out = &result};
    TL_TRY(tl_arena_new(&j.scratch, arena, 0, NULL, ctx));
    const tl_err err = run(&j);
    tl_arena_free(j.scratch);
    TL_TRY(err);
    result.validators = j.validators;
    result.miners = j.miners;
    *out = result;
    return TL_OK;
}
