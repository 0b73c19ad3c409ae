/* Many portfolios side by side; the instance for every machine, and which one runs here. */
#include "core/quant/account/account_internal.h"

#define FIELD_NAME tl__account_eight_portable
#define FIELD_TARGET
#include "core/quant/account/field_body.h"

static tl__account_eight *best(void)
{
#if TL__ACCOUNT_WITH_X86
    if (tl__account_has_avx512()) {
        return tl__account_eight_avx512;
    }
    if (tl__account_has_avx2()) {
        return tl__account_eight_avx2;
    }
#endif
    return tl__account_eight_portable;
}

size_t tl_account_field_rebalances(const tl_account_field *field)
{
    if (field->days == 0) {
        return 0;
    }
    const size_t turns = (field->days - 1) / field->rebalance_every;
    return turns < field->target_count - 1 ? turns : field->target_count - 1;
}

/* One portfolio by the definition: its columns gathered, its targets in rows. */
static tl_err follow_one(double *returns, double *turnovers, const tl_account_field *f, size_t p,
                         tl_arena *scratch, tl_errctx *ctx)
{
    double *held = TL_NEW(scratch, double, f->days * f->count);
    double *targets = TL_NEW(scratch, double, f->target_count * f->count);
    uint32_t *index = TL_NEW(scratch, uint32_t, f->count);
    if (held == NULL || targets == NULL || index == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t k = 0; k < f->count; k++) {
        index[k] = f->index[k * f->portfolios + p];
    }
    for (size_t k = 0; k < f->target_count * f->count; k++) {
        targets[k] = f->targets[k * f->portfolios + p];
    }
    tl_account_gather(held, f->returns, f->days, f->stride, index, f->count);
    const tl_account_plan plan = {targets, f->target_count, f->rebalance_every, false};
    tl_account_history h;
    TL_TRY(tl_account_run(&h, scratch, &plan, held, f->days, f->count, f->count, ctx));
    memcpy(returns, h.returns, f->days * sizeof *returns);
    memset(turnovers, 0, tl_account_field_rebalances(f) * sizeof *turnovers);
    memcpy(turnovers, h.turnovers, h.rebalances * sizeof *turnovers);
    return TL_OK;
}

static tl_err field_check(const tl_account_field *f, tl_errctx *ctx)
{
    if (f->count == 0 || f->count > TL_ACCOUNT_ASSETS_MAX || f->days > TL_SERIES_PERIODS_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu assets and %zu periods, not 1 to %d and at most %zu",
                       f->count, f->days, TL_ACCOUNT_ASSETS_MAX, TL_SERIES_PERIODS_MAX);
    }
    if (f->target_count == 0 || f->rebalance_every == 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "%zu targets every %zu periods is no plan",
                       f->target_count, f->rebalance_every);
    }
    for (size_t i = 0; i < f->portfolios * f->count; i++) {
        TL_ASSERT(f->index[i] < f->stride);
    }
    return TL_OK;
}

tl_err tl_account_field_run(double *returns, double *turnovers, const tl_account_field *field,
                            size_t from, size_t to, tl_arena *scratch, tl_errctx *ctx)
{
    TL_ASSERT(from <= to && to <= field->portfolios);
    TL_TRY(field_check(field, ctx));
    const size_t rebalances = tl_account_field_rebalances(field);
    tl__account_eight *const eight_at = best();
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *room = TL_NEW(scratch, double, (field->count + 1) * 8);
    if (room == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    tl__account_group g = {.rebalances = rebalances};
    g.weights = room + (64 - (uintptr_t)room % 64) % 64 / sizeof *room;
    tl_err err = TL_OK;
    for (size_t p = from; p < to && err == TL_OK;) {
        const size_t width = to - p < 8 ? to - p : 8;
        g.returns = returns + p * field->days;
        g.turnovers = turnovers + p * rebalances;
        const bool is_done = width == 8 && eight_at(&g, field, p);
        for (size_t j = 0; j < width && !is_done && err == TL_OK; j++) {
            const tl_arena_mark one = tl_arena_get_mark(scratch);
            err = follow_one(g.returns + j * field->days, g.turnovers + j * rebalances, field,
                             p + j, scratch, ctx);
            tl_arena_rewind(scratch, one);
        }
        p += width;
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
