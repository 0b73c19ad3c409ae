/* world: random and enumerated subnets for the tests of this room. */
#ifndef TALLY_CORE_CONSENSUS_YUMA_WORLD_H
#define TALLY_CORE_CONSENSUS_YUMA_WORLD_H

#include "core/consensus/yuma/test/reference.h"
#include "core/num/rng/rng.h"

/* A small subnet that owns its arrays. */
typedef struct world {
    tl_yuma_params params;
    tl_yuma_input input;
    tl_i64f64 stake[REF_N_MAX];
    bool permit[REF_N_MAX];
    uint64_t registered[REF_N_MAX];
    uint64_t updated[REF_N_MAX];
    uint32_t weight_starts[REF_N_MAX + 1];
    uint32_t bond_starts[REF_N_MAX + 1];
    tl_yuma_entry weights[REF_N_MAX * REF_N_MAX];
    tl_yuma_entry bonds[REF_N_MAX * REF_N_MAX];
} world;

/* Point the input at the world's own arrays (after it was copied). */
void world_bind(world *w);

/* A random subnet with a taste for edges; rows in random order. */
void world_random(world *w, tl_xoshiro *rng);

/* Keep what an epoch leaves for the next one. */
void world_carry(world *w, const tl_yuma_output *out);

#endif
