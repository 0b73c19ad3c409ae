#include "core/consensus/yuma/test/world.h"

#include <string.h>

static uint64_t below(tl_xoshiro *rng, uint64_t n)
{
    return tl_xoshiro_below(rng, n);
}

static bool one_in(tl_xoshiro *rng, uint64_t n)
{
    return below(rng, n) == 0;
}

static uint16_t edgy_u16(tl_xoshiro *rng)
{
    switch (below(rng, 6)) {
    case 0:
        return 0;
    case 1:
        return UINT16_MAX;
    case 2:
        return (uint16_t)below(rng, 4);
    default:
        return (uint16_t)below(rng, 65536);
    }
}

void world_bind(world *w)
{
    w->input.params = &w->params;
    w->input.stake = w->stake;
    w->input.validator_permit = w->permit;
    w->input.block_at_registration = w->registered;
    w->input.last_update_block = w->updated;
    w->input.weights = (tl_yuma_rows){w->weight_starts, w->weights};
    w->input.bonds = (tl_yuma_rows){w->bond_starts, w->bonds};
}

/* A random selection of uids in random order: of each row some shuffled, most ascending. */
static uint32_t random_row(tl_yuma_entry *row, uint32_t n, tl_xoshiro *rng)
{
    const uint64_t density = below(rng, 5);
    uint32_t count = 0;
    for (uint32_t j = 0; j < n; j++) {
        if (below(rng, 4) < density) {
            row[count++] = (tl_yuma_entry){(uint16_t)j, edgy_u16(rng)};
        }
    }
    if (one_in(rng, 3)) {
        for (uint32_t k = count; k > 1; k--) {
            const uint64_t other = below(rng, k);
            const tl_yuma_entry moved = row[k - 1];
            row[k - 1] = row[other];
            row[other] = moved;
        }
    }
    return count;
}

static void random_params(tl_yuma_params *p, uint32_t n, tl_xoshiro *rng)
{
    *p = tl_yuma_params_default();
    p->kappa = one_in(rng, 2) ? p->kappa : edgy_u16(rng);
    p->bonds_penalty = one_in(rng, 2) ? UINT16_MAX : edgy_u16(rng);
    p->bonds_moving_average = one_in(rng, 3) ? below(rng, 1200001) : 900000;
    p->yuma3 = one_in(rng, 2);
    p->liquid_alpha = one_in(rng, 2);
    p->alpha_low = (uint16_t)(1638 + below(rng, 60000));
    p->alpha_high = (uint16_t)(p->alpha_low + below(rng, UINT16_MAX - p->alpha_low + 1u));
    p->alpha_sigmoid_steepness = (int16_t)((int64_t)below(rng, 65536) - 32768);
    p->max_allowed_validators = (uint16_t)below(rng, n + 2);
    p->stake_threshold = one_in(rng, 3) ? below(rng, 1000000) : 0;
    p->activity_cutoff_blocks = one_in(rng, 3) ? below(rng, 200) : 5000;
    p->owner_uid = one_in(rng, 3) && n > 0 ? (int32_t)below(rng, n) : TL_YUMA_NO_OWNER;
}

void world_random(world *w, tl_xoshiro *rng)
{
    memset(w, 0, sizeof *w);
    const uint32_t n = (uint32_t)below(rng, REF_N_MAX + 1);
    random_params(&w->params, n, rng);
    w->input.n = n;
    w->input.now_block = 1000 + below(rng, 400);
    w->input.last_step_block = one_in(rng, 2) ? 0 : below(rng, 1000);
    w->input.rao_emission = one_in(rng, 4) ? tl_xoshiro_next(rng) : below(rng, 2000000000);
    for (uint32_t i = 0; i < n; i++) {
        w->stake[i] = one_in(rng, 3) ? 0 : (tl_i64f64)below(rng, (uint64_t)1 << 26) << 64;
        w->stake[i] += one_in(rng, 3) ? (tl_i64f64)tl_xoshiro_next(rng) : 0;
        w->permit[i] = !one_in(rng, 4);
        w->registered[i] = below(rng, 1100);
        w->updated[i] = 900 + below(rng, 200);
        if (one_in(rng, 2)) {
            w->registered[i] = 0;
        }
        w->weight_starts[i + 1] =
            w->weight_starts[i] + random_row(w->weights + w->weight_starts[i], n, rng);
        w->bond_starts[i + 1] =
            w->bond_starts[i] + random_row(w->bonds + w->bond_starts[i], n, rng);
    }
    world_bind(w);
}

void world_carry(world *w, const tl_yuma_output *out)
{
    memcpy(w->bond_starts, out->bonds.starts, (out->n + 1) * sizeof *w->bond_starts);
    memcpy(w->bonds, out->bonds.entries, w->bond_starts[out->n] * sizeof *w->bonds);
    memcpy(w->permit, out->validator_permit, out->n * sizeof *w->permit);
    w->input.last_step_block = w->input.now_block;
    w->input.now_block += w->params.tempo_blocks;
}
