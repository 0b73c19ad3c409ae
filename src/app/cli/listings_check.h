/* What 'tally listings check' says of one file; shared by its two profiles. */
#ifndef TALLY_APP_CLI_LISTINGS_CHECK_H
#define TALLY_APP_CLI_LISTINGS_CHECK_H

#include "app/cli/cli.h"
#include "core/listings/compat/compat.h"
#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_APP_CHECK_RATES_MAX 8

typedef struct tl_app_check_rate {
    const char *name;
    double value;
} tl_app_check_rate;

typedef struct tl_app_check_line {
    const char *file;
    uint32_t tier; /* the first that fails, from 1; 0: none does */
    bool passes;   /* every tier, and nothing else keeps it from a place */
    bool is_synthetic;
    bool has_accuracy; /* someone asked the world */
    double confidence;
    double data_quality;
    double accuracy;
    double completeness;
    double timeliness;
    tl_app_check_rate rates[TL_APP_CHECK_RATES_MAX];
    size_t rate_count;
    const tl_finding *findings;
    size_t finding_count;
    tl_str error; /* why the file could not be judged; empty: it could */
} tl_app_check_line;

/* tl_app_check_compat: one file as the original's program judges it: tiers 1 and 2, without a spot check. */
TL_MUST_USE tl_err tl_app_check_compat(tl_app_check_line *out, tl_arena *arena, tl_str object,
                                       tl_compat_code code, tl_str zipcode, uint32_t expected,
                                       int64_t now_ms, tl_errctx *ctx);

/* tl_app_world: a table of houses, as 'listings evaluate' reads it, that stands for the world. */
typedef struct tl_app_world tl_app_world;

/* tl_app_world_open: the houses of a zipcode. csv must live as long as arena. maps: as tl_evaluate_table_read. */
TL_MUST_USE tl_err tl_app_world_open(tl_app_world **out, tl_arena *arena, tl_str csv,
                                     const char *zipcode, const char *const *maps, size_t map_count,
                                     tl_errctx *ctx);

/* tl_app_world_judge: accuracy, and tier 3: every row of the object is asked. What is added to line lives in arena. */
TL_MUST_USE tl_err tl_app_world_judge(tl_app_check_line *line, tl_arena *arena,
                                      const tl_app_world *world, tl_str object, const char *zipcode,
                                      const tl_listings_params *params, tl_errctx *ctx);

/* tl_app_check_add_rate: one rate more. */
void tl_app_check_add_rate(tl_app_check_line *line, const char *name, double value);

#ifdef __cplusplus
}
#endif

#endif
