/* engine_world: random miners and prices for tests of a state folder: what to send, and what validators saw. */
#ifndef TALLY_APP_ENGINE_TEST_ENGINE_WORLD_H
#define TALLY_APP_ENGINE_TEST_ENGINE_WORLD_H

#include "app/assemble/test/random_world.h"
#include "app/engine/engine.h"

#define ENGINE_WORLD_BLOCKS 50400 /* an epoch */

typedef struct engine_world {
    tl_arena *arena;
    random_world random;
    size_t miners;
    size_t epochs;
    tl_price_table table;
    tl_str parameters; /* canonical, complete */
    tl_epoch_span first;
} engine_world;

/* The world of a seed; it lives in the arena. */
tl_err engine_world_make(engine_world *out, tl_arena *arena, uint64_t seed,
                         const random_world_options *options, tl_errctx *ctx);

void engine_world_epoch_id(char out[TL_EPOCH_ID_CAP], size_t epoch);

/* The height at which an epoch is closed. */
uint64_t engine_world_close(size_t epoch);

/* Open an epoch, or find it open. */
tl_err engine_world_begin(tl_engine *engine, const engine_world *world, size_t epoch,
                          tl_errctx *ctx);

/* The signals of an epoch in the order of their heights, one a miner. */
tl_err engine_world_lines(const tl_str **out, const engine_world *world, size_t epoch,
                          tl_errctx *ctx);

/* Settle with default validators, the first `blind` of whom saw nothing: with two of them 65 % of the stake. */
tl_err engine_world_settle(tl_assembled *out, tl_engine *engine, const engine_world *world,
                           size_t epoch, uint64_t height, size_t blind, tl_errctx *ctx);

#endif
