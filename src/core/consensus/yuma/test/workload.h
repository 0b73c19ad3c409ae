/* workload: the fixed load of chain spec 1.11, for the tests, the golden digest and the bench.
 * A subnet of n neurons, the first V of them validators with random stakes and random rows of a random density; three
 * epochs at blocks 1000, 1360 and 1720, bonds and permits carried. The digest of the third is in the spec. */
#ifndef TALLY_CORE_CONSENSUS_YUMA_WORKLOAD_H
#define TALLY_CORE_CONSENSUS_YUMA_WORKLOAD_H

#include "base/str/str.h"
#include "core/consensus/yuma/yuma.h"

typedef enum yuma_form { YUMA_CLASSIC, YUMA_YUMA3, YUMA_LIQUID } yuma_form;

#define YUMA_FORM_COUNT      3
#define YUMA_WORKLOAD_EPOCHS 3

/* yuma_shape: how large; a row takes a cell when 8 random bits are below t, t uniform in density_min … density_max. */
typedef struct yuma_shape {
    const char *name;
    uint32_t n;
    uint32_t validators;
    uint32_t density_min;
    uint32_t density_max;
    uint32_t entries; /* that come out, to check the generator */
    const char *digest[YUMA_FORM_COUNT];
} yuma_shape;

enum { YUMA_SHAPE_CHECK, YUMA_SHAPE_256, YUMA_SHAPE_4096, YUMA_SHAPE_COUNT };

extern const yuma_shape YUMA_SHAPES[YUMA_SHAPE_COUNT];

/* yuma_workload: a subnet between epochs; everything lives in the arena. */
typedef struct yuma_workload {
    tl_arena *arena;
    tl_yuma_params params;
    tl_yuma_input input; /* of the next epoch */
    uint32_t epoch;      /* how many have run */
} yuma_workload;

TL_MUST_USE tl_err yuma_workload_new(yuma_workload *out, tl_arena *arena, const yuma_shape *shape,
                                     yuma_form form, tl_errctx *ctx);

/* yuma_workload_run: the next epoch; what the one after needs is kept. out lives in arena, which may be another. */
TL_MUST_USE tl_err yuma_workload_run(yuma_workload *workload, tl_arena *arena, tl_yuma_output *out,
                                     tl_errctx *ctx);

/* yuma_workload_digest: SHA-256 over u16 consensus, incentive, dividends, trust, u64 emission, then a uid: u16 count and
 * (u16 uid, u16 bond); all little-endian. */
void yuma_workload_digest(tl_hash32 *digest, const tl_yuma_output *out);

#endif
