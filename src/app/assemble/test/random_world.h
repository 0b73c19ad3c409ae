/* random_world: prices and signals from a seed, for tests that want a whole epoch. */
#ifndef TALLY_APP_ASSEMBLE_TEST_RANDOM_WORLD_H
#define TALLY_APP_ASSEMBLE_TEST_RANDOM_WORLD_H

#include "app/assemble/assemble.h"
#include "core/num/rng/rng.h"

typedef struct random_world {
    tl_str prices;  /* CSV */
    tl_str signals; /* JSON lines, in random order */
    tl_str params;  /* JSON */
    tl_str *lines;  /* the signals one by one, in the order in which they were made */
    size_t line_count;
} random_world;

typedef struct random_world_options {
    size_t miners;
    size_t epochs; /* weekly, from 2024-01-08 on */
    size_t tickers;
    size_t validators; /* 0: the default five */
    bool has_oddities; /* broken rules, late and early reveals, copies */
    bool has_gaps;     /* missing prices */
    int64_t emission_rao;
} random_world_options;

/* Texts live in the arena; asserts that there is room. */
void random_world_make(random_world *out, tl_arena *arena, tl_xoshiro *rng,
                       const random_world_options *options);

/* The lines in another random order. */
tl_str random_world_shuffle(const random_world *world, tl_arena *arena, tl_xoshiro *rng);

void random_world_hotkey(char out[TL_SS58_CAP], const char *prefix, size_t index);

#endif
