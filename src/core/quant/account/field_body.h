/* Eight portfolios at a time, one a lane; included once an instance with FIELD_NAME and FIELD_TARGET set.
 *
 *                 p  p+1 …  p+7        a vector: the same asset's place in eight portfolios
 *   weights   k   ▒   ▒  …   ▒   ──▶   running sum k mod 8 of eight: tl_dot's lanes, so folding them is tl_dot's tree
 *
 * A weight waits for its shrinking until the next day reads it: one pass a day. */

/* tl_dot's tree over lanes that are vectors. */
#define FIELD_FOLDED(lane)                                                                         \
    (((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7])))

/* term(k mod 8) for each k below count; written out, so that the lanes stay in registers. */
#define FIELD_EACH(term, k, count)                                                                 \
    for (; (k) + 8 <= (count); (k) += 8) {                                                         \
        term(0) term(1) term(2) term(3) term(4) term(5) term(6) term(7)                            \
    }                                                                                              \
    if ((k) + 4 <= (count)) {                                                                      \
        term(0) term(1) term(2) term(3) if ((k) + 6 <= (count))                                    \
        {                                                                                          \
            term(4) term(5) if ((k) + 7 <= (count))                                                \
            {                                                                                      \
                term(6)                                                                            \
            }                                                                                      \
        }                                                                                          \
        else if ((k) + 5 <= (count))                                                               \
        {                                                                                          \
            term(4)                                                                                \
        }                                                                                          \
    } else if ((k) + 2 <= (count)) {                                                               \
        term(0) term(1) if ((k) + 3 <= (count))                                                    \
        {                                                                                          \
            term(2)                                                                                \
        }                                                                                          \
    } else if ((k) + 1 <= (count)) {                                                               \
        term(0)                                                                                    \
    }

#define FIELD_ONES ((eight){1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0})

/* A day: what is earned; the weights grow but do not shrink yet. */
FIELD_TARGET static inline void live_one_day(eight *earned, eight *weights, const eight *shrink,
                                             const double *row, const uint32_t *index, size_t count,
                                             size_t portfolios)
{
    const eight by = *shrink;
    eight lane[8] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
    size_t k = 0;
#define FIELD_TERM(j)                                                                              \
    {                                                                                              \
        const uint32_t *at = index + (k + (j)) * portfolios;                                       \
        const eight r = {row[at[0]], row[at[1]], row[at[2]], row[at[3]],                           \
                         row[at[4]], row[at[5]], row[at[6]], row[at[7]]};                          \
        const eight w = weights[k + (j)] * by;                                                     \
        lane[j] += w * r;                                                                          \
        weights[k + (j)] = w * (1.0 + r);                                                          \
    }
    FIELD_EACH(FIELD_TERM, k, count)
#undef FIELD_TERM
    *earned = FIELD_FOLDED(lane);
}

/* A rebalance: the turnover against what is held; the target is held from now on. The next one is far off in memory: it
 * is called for now. */
FIELD_TARGET static inline void rebalance(eight *turnover, eight *weights, const eight *shrink,
                                          const double *target, const double *next, size_t count,
                                          size_t portfolios, signs *is_fine)
{
    eight lane[8] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
    const eight by = *shrink;
    signs fine = *is_fine;
    size_t k = 0;
#define FIELD_TERM(j)                                                                              \
    {                                                                                              \
        eight t;                                                                                   \
        memcpy(&t, target + (k + (j)) * portfolios, sizeof t);                                     \
        __builtin_prefetch(next + (k + (j)) * portfolios);                                         \
        fine &= TL__MAGNITUDE(t) <= TL__WEIGHT_MAX;                                                \
        lane[j] += TL__MAGNITUDE(t - weights[k + (j)] * by);                                       \
        weights[k + (j)] = t;                                                                      \
    }
    FIELD_EACH(FIELD_TERM, k, count)
#undef FIELD_TERM
    *is_fine = fine;
    *turnover = 0.5 * FIELD_FOLDED(lane);
}

FIELD_TARGET bool FIELD_NAME(const tl__account_group *g, const tl_account_field *f, size_t p)
{
    eight *weights = (eight *)(void *)g->weights;
    eight shrink = FIELD_ONES;
    signs is_fine = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (size_t k = 0; k < f->count; k++) {
        weights[k] = (eight){0};
    }
    size_t target = 0;
    for (size_t t = 0; t < f->days; t++) {
        if (t % f->rebalance_every == 0 && target < f->target_count) {
            eight turnover;
            const double *now = f->targets + target * f->count * f->portfolios + p;
            const bool is_last = target + 1 == f->target_count;
            rebalance(&turnover, weights, &shrink, now,
                      is_last ? now : now + f->count * f->portfolios, f->count, f->portfolios,
                      &is_fine);
            for (size_t j = 0; j < 8 && target > 0; j++) {
                g->turnovers[j * g->rebalances + target - 1] = turnover[j];
            }
            shrink = FIELD_ONES;
            target++;
        }
        eight earned;
        live_one_day(&earned, weights, &shrink, f->returns + t * f->stride, f->index + p, f->count,
                     f->portfolios);
        is_fine &= (earned > -1.0) & (earned <= TL_RETURN_MAX);
        shrink = 1.0 / (1.0 + earned);
        for (size_t j = 0; j < 8; j++) {
            g->returns[j * f->days + t] = earned[j];
        }
    }
    for (size_t k = 0; k < f->count; k++) {
        is_fine &= TL__MAGNITUDE(weights[k] * shrink) <= TL__WEIGHT_MAX;
    }
    return (is_fine[0] & is_fine[1] & is_fine[2] & is_fine[3] & is_fine[4] & is_fine[5] &
            is_fine[6] & is_fine[7]) != 0;
}

#undef FIELD_FOLDED
#undef FIELD_EACH
#undef FIELD_ONES
