#include "core/consensus/collusion/collusion.h"

#include <math.h>

#include "core/num/sum/sum.h"

/* One vector and its moments. */
typedef struct profile {
    const double *weights;
    double mean;
    double square_dev; /* Σ (w - mean)² */
} profile;

static profile profile_of(const double *weights, size_t count)
{
    const double mean = count == 0 ? 0.0 : tl_sum(weights, count) / (double)count;
    return (profile){weights, mean, tl_sum_sq_dev(weights, count, mean)};
}

/* rho = Σ (a - ā)(b - b̄) / √(Σ (a - ā)² · Σ (b - b̄)²); undefined when either side is constant or miners are few. */
static bool rho_of(double *out, const profile *a, const profile *b, size_t count)
{
    if (count < TL_COLLUSION_MINERS_MIN || !(a->square_dev > 0.0) || !(b->square_dev > 0.0)) {
        return false; /* COLL-2 */
    }
    /* COLL-1: every product here commutes, so (a, b) and (b, a) give the same bits. */
    const double cross = tl_sum_cross_dev(a->weights, b->weights, count, a->mean, b->mean);
    const double rho = cross / (sqrt(a->square_dev) * sqrt(b->square_dev));
    *out = rho > 1.0 ? 1.0 : rho < -1.0 ? -1.0 : rho;
    TL_ASSERT(*out >= -1.0 && *out <= 1.0); /* COLL-2 */
    return true;
}

bool tl_collusion_rho(double *rho, bool *is_above, const double *a, const double *b, size_t count)
{
    const profile pa = profile_of(a, count);
    const profile pb = profile_of(b, count);
    if (!rho_of(rho, &pa, &pb, count)) {
        return false;
    }
    *is_above = *rho > TL_COLLUSION_RHO_LIMIT;
    return true;
}

/* Is the vector like the agreed one? An undefined correlation is no likeness. */
static bool is_like(const profile *row, const profile *agreed, size_t count)
{
    double rho;
    return rho_of(&rho, row, agreed, count) && rho > TL_COLLUSION_RHO_LIMIT;
}

/* Count the pairs above the limit; write them too when pairs is not NULL. */
static size_t walk_pairs(tl_collusion_pair *pairs, const profile *rows, const bool *is_agreed,
                         size_t validator_count, size_t miner_count)
{
    size_t at = 0;
    for (size_t i = 0; i < validator_count; i++) {
        for (size_t k = i + 1; k < validator_count; k++) { /* COLL-1: each pair once */
            double rho;
            if (rows[i].weights == NULL || rows[k].weights == NULL ||
                !rho_of(&rho, &rows[i], &rows[k], miner_count) || !(rho > TL_COLLUSION_RHO_LIMIT)) {
                continue;
            }
            if (pairs != NULL) {
                pairs[at] = (tl_collusion_pair){(uint32_t)i, (uint32_t)k, rho,
                                                !is_agreed[i] && !is_agreed[k]};
            }
            at++;
        }
    }
    return at;
}

tl_err tl_collusion_find(tl_arena *arena, tl_collusion_report *out, const double *const *rows,
                         size_t validator_count, const double *agreed, size_t miner_count,
                         tl_errctx *ctx)
{
    profile *profiles = TL_NEW(arena, profile, validator_count);
    bool *is_agreed = TL_NEW(arena, bool, validator_count);
    if (profiles == NULL || is_agreed == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const profile agreed_profile = profile_of(agreed, miner_count);
    for (size_t i = 0; i < validator_count; i++) {
        if (rows[i] != NULL) {
            profiles[i] = profile_of(rows[i], miner_count);
            is_agreed[i] = is_like(&profiles[i], &agreed_profile, miner_count);
        }
    }
    const size_t count = walk_pairs(NULL, profiles, is_agreed, validator_count, miner_count);
    tl_collusion_pair *pairs = TL_NEW(arena, tl_collusion_pair, count);
    if (pairs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const size_t written = walk_pairs(pairs, profiles, is_agreed, validator_count, miner_count);
    TL_ASSERT(written == count);
    *out = (tl_collusion_report){pairs, count, 0};
    for (size_t i = 0; i < count; i++) {
        out->apart_count += pairs[i].stands_apart;
    }
    return TL_OK;
}
