/* pay.c: units become rao, and rao become weights. Nothing is made and nothing is lost (RACE-2). */
#include <string.h>

#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

/* One who is paid: a line's own, a line's held, or the burn. */
typedef struct payee {
    size_t line; /* SIZE_MAX: the burn */
    bool is_held;
    uint64_t units;
    uint64_t rest; /* of emission · units / all */
    int64_t amount;
} payee;

static uint64_t units_of(const tl__race *race, size_t line)
{
    return race->paid_units[line] + race->held_units[line];
}

/* By rank: units, then hotkey bytes; lines ascend by hotkey. */
static int rank_cmp(const void *a, const void *b, void *self)
{
    const tl__race *race = (const tl__race *)self;
    const size_t x = *(const size_t *)a;
    const size_t y = *(const size_t *)b;
    if (units_of(race, x) != units_of(race, y)) {
        return units_of(race, x) > units_of(race, y) ? -1 : 1;
    }
    return (x > y) - (x < y);
}

static int rest_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const payee *x = (const payee *)a;
    const payee *y = (const payee *)b;
    return (x->rest < y->rest) - (x->rest > y->rest); /* stable: ties stay in rank order */
}

/* In rank order, the burn last. */
static tl_err list_payees(tl__race *race, payee **out, size_t *out_count, tl_errctx *ctx)
{
    const size_t n = race->out->line_count;
    size_t *order = TL_NEW(race->arena, size_t, n);
    payee *payees = TL_NEW(race->arena, payee, 2 * n + 1);
    if (order == NULL || payees == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    TL_TRY(tl_sort(order, n, sizeof *order, rank_cmp, race, race->arena, ctx));
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        payees[count++] = (payee){.line = order[i], .units = race->paid_units[order[i]]};
        payees[count++] =
            (payee){.line = order[i], .is_held = true, .units = race->held_units[order[i]]};
    }
    payees[count++] = (payee){.line = SIZE_MAX, .units = race->burn_units};
    *out = payees;
    *out_count = count;
    return TL_OK;
}

/* Largest remainder: floors first, then one rao each by rest. */
static tl_err split(tl__race *race, payee *payees, size_t count, tl_errctx *ctx)
{
    const int64_t emission = tl_rao_to_i64(race->in->params->emission);
    int64_t left = emission;
    for (size_t i = 0; i < count; i++) {
        const tl_u128 product = (tl_u128)(uint64_t)emission * payees[i].units;
        payees[i].amount = (int64_t)(product / race->all_units);
        payees[i].rest = (uint64_t)(product % race->all_units);
        left -= payees[i].amount;
    }
    TL_ASSERT(left >= 0 && (uint64_t)left < count);
    TL_TRY(tl_sort(payees, count, sizeof *payees, rest_cmp, NULL, race->arena, ctx));
    for (size_t i = 0; i < count && left > 0; i++) {
        if (payees[i].rest > 0) { /* who has no units has no rest */
            payees[i].amount++;
            left--;
        }
    }
    TL_ASSERT(left == 0); /* RACE-2 */
    return TL_OK;
}

static void book(tl__race *race, const payee *payees, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const tl_rao amount = tl_rao_from_i64(payees[i].amount);
        if (payees[i].line == SIZE_MAX) {
            race->out->burn = amount;
            continue;
        }
        tl_race_line *line = &race->lines[payees[i].line];
        if (payees[i].is_held) {
            line->held = amount;
        } else {
            line->earned = amount;
        }
        line->score_millionths =
            (uint32_t)((tl_u128)units_of(race, payees[i].line) * TL__MILLION / race->all_units);
    }
}

/* --- what was held before --- */

static int held_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_race_held *x = (const tl_race_held *)a;
    const tl_race_held *y = (const tl_race_held *)b;
    const int order = tl_hotkey_cmp(&x->hotkey, &y->hotkey);
    return order != 0 ? order : tl_str_cmp(x->epoch_id, y->epoch_id);
}

static tl_err release(tl__race *race, tl_errctx *ctx)
{
    const tl_race_input *in = race->in;
    tl_race_held *sorted = TL_NEW(race->arena, tl_race_held, in->held_count);
    if (sorted == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    if (in->held_count > 0) {
        memcpy(sorted, in->held, in->held_count * sizeof *sorted);
    }
    TL_TRY(tl_sort(sorted, in->held_count, sizeof *sorted, held_cmp, NULL, race->arena, ctx));
    for (size_t i = 0; i < in->held_count; i++) {
        if (i > 0 && held_cmp(&sorted[i - 1], &sorted[i], NULL) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "held", "one of them stands twice");
        }
        if (tl_rao_to_i64(sorted[i].amount) <= 0) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "held", "an amount is not above 0");
        }
        tl_race_line *line =
            tl__race_line_find(race->lines, race->out->line_count, &sorted[i].hotkey);
        TL_ASSERT(line != NULL);
        if (line->is_disqualified) { /* RACE-4 */
            TL_TRY(tl_rao_add(&race->out->released_burnt, race->out->released_burnt,
                              sorted[i].amount, ctx));
        } else {
            TL_TRY(tl_rao_add(&line->released, line->released, sorted[i].amount, ctx));
        }
        TL_TRY(tl_rao_add(&race->out->released, race->out->released, sorted[i].amount, ctx));
    }
    return TL_OK;
}

/* --- totals, weights, what is carried --- */

static tl_err total(tl__race *race, tl_errctx *ctx)
{
    tl_race_result *out = race->out;
    tl_rao held = TL_RAO_ZERO;
    out->paid = TL_RAO_ZERO;
    out->emission = race->in->params->emission;
    TL_TRY(tl_rao_add(&out->burn, out->burn, out->released_burnt, ctx));
    for (size_t i = 0; i < out->line_count; i++) {
        tl_race_line *line = &race->lines[i];
        TL_TRY(tl_rao_add(&line->reward, line->earned, line->released, ctx));
        TL_TRY(tl_rao_add(&out->paid, out->paid, line->reward, ctx));
        TL_TRY(tl_rao_add(&held, held, line->held, ctx));
        TL_ASSERT(!line->is_disqualified || tl_rao_is_zero(line->reward)); /* RACE-4 */
    }
    const tl_i128 in = (tl_i128)tl_rao_to_i64(out->emission) + tl_rao_to_i64(out->released);
    const tl_i128 spent =
        (tl_i128)tl_rao_to_i64(out->paid) + tl_rao_to_i64(held) + tl_rao_to_i64(out->burn);
    TL_ASSERT(in == spent); /* RACE-2 */
    return TL_OK;
}

/* Half up: the largest becomes 65,535. */
static uint16_t upscale(int64_t value, int64_t largest)
{
    if (largest == 0) {
        return 0;
    }
    const tl_u128 twice = (tl_u128)(uint64_t)value * (2 * UINT16_MAX) + (uint64_t)largest;
    return (uint16_t)(twice / ((tl_u128)(uint64_t)largest * 2));
}

static void weigh(tl__race *race)
{
    tl_race_result *out = race->out;
    int64_t largest = tl_rao_to_i64(out->burn);
    for (size_t i = 0; i < out->line_count; i++) {
        const int64_t reward = tl_rao_to_i64(race->lines[i].reward);
        largest = reward > largest ? reward : largest;
    }
    out->burn_weight_u16 = upscale(tl_rao_to_i64(out->burn), largest);
    for (size_t i = 0; i < out->line_count; i++) {
        race->lines[i].weight_u16 = upscale(tl_rao_to_i64(race->lines[i].reward), largest);
    }
}

static tl_err carry_held(tl__race *race, tl_errctx *ctx)
{
    tl_race_held *held = TL_NEW(race->arena, tl_race_held, race->out->line_count);
    if (held == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < race->out->line_count; i++) {
        const tl_race_line *line = &race->lines[i];
        if (!tl_rao_is_zero(line->held)) {
            held[count++] = (tl_race_held){race->in->epoch_id, line->hotkey, line->held};
        }
    }
    race->out->held = held;
    race->out->held_count = count;
    return TL_OK;
}

static int strike_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_strike *)a)->hotkey,
                         &((const tl_race_strike *)b)->hotkey);
}

/* Those before, and one more for each that is disqualified now. */
static tl_err carry_strikes(tl__race *race, tl_errctx *ctx)
{
    const tl_race_input *in = race->in;
    tl_race_strike *all =
        TL_NEW(race->arena, tl_race_strike, in->strike_count + race->out->line_count);
    if (all == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    size_t n = 0;
    for (size_t i = 0; i < in->strike_count; i++) {
        all[n++] = in->strikes[i];
    }
    for (size_t i = 0; i < race->out->line_count; i++) {
        if (race->lines[i].is_disqualified) {
            all[n++] = (tl_race_strike){race->lines[i].hotkey, 1};
        }
    }
    TL_TRY(tl_sort(all, n, sizeof *all, strike_cmp, NULL, race->arena, ctx));
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (count == 0 || strike_cmp(&all[count - 1], &all[i], NULL) != 0) {
            all[count++] = all[i];
        } else {
            const uint64_t sum = (uint64_t)all[count - 1].count + all[i].count;
            all[count - 1].count = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
        }
    }
    for (size_t i = 0; i < count; i++) {
        tl_race_line *line = tl__race_line_find(race->lines, race->out->line_count, &all[i].hotkey);
        if (line != NULL) {
            line->strikes = all[i].count;
            line->forfeits_deposit = line->is_disqualified && all[i].count >= 2;
        }
    }
    race->out->strikes = all;
    race->out->strike_count = count;
    return TL_OK;
}

static int line_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_race_line *x = (const tl_race_line *)a;
    const tl_race_line *y = (const tl_race_line *)b;
    int order = tl_rao_cmp(y->reward, x->reward);
    order = order != 0 ? order : tl_rao_cmp(y->held, x->held);
    if (order == 0) {
        order = (x->score_millionths < y->score_millionths) -
                (x->score_millionths > y->score_millionths);
    }
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

/* From units to lines in their final order; the arrays of units are then no longer theirs. */
static tl_err pay(tl__race *race, tl_errctx *ctx)
{
    payee *payees = NULL;
    size_t count = 0;
    TL_TRY(list_payees(race, &payees, &count, ctx));
    TL_TRY(split(race, payees, count, ctx));
    book(race, payees, count);
    TL_TRY(total(race, ctx));
    weigh(race);
    TL_TRY(carry_held(race, ctx));
    return tl_sort(race->lines, race->out->line_count, sizeof *race->lines, line_cmp, NULL,
                   race->arena, ctx);
}

tl_err tl__race_pay(tl__race *race, tl_errctx *ctx)
{
    TL_TRY(release(race, ctx));
    TL_TRY(carry_strikes(race, ctx));
    return pay(race, ctx);
}

/* --- other weights --- */

static int key_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_line *)a)->hotkey, &((const tl_race_line *)b)->hotkey);
}

/* Disqualified miners are paid by nobody's weights (RACE-4). */
static void set_units(tl__race *race, const tl_race_weight *weights, size_t count)
{
    uint64_t given = 0;
    for (size_t i = 0; i < count; i++) {
        race->all_units += weights[i].weight_u16;
        const tl_race_line *line =
            tl__race_line_find(race->lines, race->out->line_count, &weights[i].hotkey);
        if (line != NULL && !line->is_disqualified) {
            race->paid_units[line - race->lines] += weights[i].weight_u16;
            given += weights[i].weight_u16;
        }
    }
    race->burn_units = race->all_units - given;
    if (race->all_units == 0) {
        race->all_units = 1;
        race->burn_units = 1;
    }
}

tl_err tl_race_repay(tl_race_result *io, tl_arena *arena, const tl_race_weight *weights,
                     size_t count, tl_errctx *ctx)
{
    tl_race_result result = *io;
    const size_t n = io->line_count;
    tl__race race = {.arena = arena, .in = io->input, .out = &result};
    race.lines = TL_NEW(arena, tl_race_line, n);
    race.paid_units = TL_NEW(arena, uint64_t, n);
    race.held_units = TL_NEW(arena, uint64_t, n);
    if (race.lines == NULL || race.paid_units == NULL || race.held_units == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (n > 0) {
        memcpy(race.lines, io->lines, n * sizeof *race.lines);
    }
    result.lines = race.lines;
    TL_TRY(tl_sort(race.lines, n, sizeof *race.lines, key_cmp, NULL, arena, ctx));
    set_units(&race, weights, count);
    TL_TRY(pay(&race, ctx));
    *io = result;
    return TL_OK;
}
