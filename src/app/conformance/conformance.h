/* conformance: runs vector files, and shows where expected and actual part.
 * For         tally conformance; tally yuma run and tally metrics run one case through the same functions
 * Takes       files of schema tally-vectors/1  Gives       each failing case with both sides, then the counts
 * Calls       all of core                      Called by   app/cli
 * Invariants  CONF-1 a kind that is not in the table is an error, never a pass
 *             CONF-2 every field of expect is compared, and a field that we do not give fails
 * Read        kinds.c (the table), then compare.c, then any kind_*.c
 */
#ifndef TALLY_APP_CONFORMANCE_H
#define TALLY_APP_CONFORMANCE_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_conform_env: what a kind may use besides its input. */
typedef struct tl_conform_env {
    tl_arena *arena; /* of this case: everything may be left in it */
    tl_str data_dir; /* --data: the tables that inputs name; empty when not given */
    void *tables;    /* the room's cache of read tables */
} tl_conform_env;

/* tl_conform_run: compute the actual result of one case's input and write it as one JSON value with the fields of
 * expect (undefined: null). A case whose expect is an error writes what the kind's notes say. */
typedef tl_err (*tl_conform_run)(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                 tl_errctx *ctx);

typedef struct tl_conform_kind {
    const char *name; /* "yuma-epoch" */
    tl_conform_run run;
} tl_conform_kind;

/* One function a kind; each lives in a kind_<area>.c of this room. */
tl_err tl_conform_yuma_epoch(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                             tl_errctx *ctx);
tl_err tl_conform_yuma_math(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                            tl_errctx *ctx);
tl_err tl_conform_quant_returns(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                tl_errctx *ctx);
tl_err tl_conform_quant_portfolio(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx);
tl_err tl_conform_quant_correlation(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);
tl_err tl_conform_quant_prng(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                             tl_errctx *ctx);
tl_err tl_conform_quant_bootstrap(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx);
tl_err tl_conform_quant_deflated_sharpe(tl_json_writer *out, const tl_json *input,
                                        tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_quant_anti_gaming(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);
tl_err tl_conform_portfolio_score(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                  tl_errctx *ctx);
tl_err tl_conform_portfolio_settle(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx);
tl_err tl_conform_portfolio_join(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                 tl_errctx *ctx);
tl_err tl_conform_python_float_repr(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);
tl_err tl_conform_python_random_sample(tl_json_writer *out, const tl_json *input,
                                       tl_conform_env *env, tl_errctx *ctx);

/* tl_conform_series: a list of numbers, or a slice {file, column, from, to} of a table in env->data_dir (both dates
 * included, sorted by date). null items: has_nulls NULL refuses them, else NaN-free: *missing[i] tells. */
TL_MUST_USE tl_err tl_conform_series(const double **out, size_t *count, const bool **missing,
                                     const tl_json *value, tl_conform_env *env, tl_errctx *ctx);

/* tl_conform_find: the kind of that name, or NULL. */
const tl_conform_kind *tl_conform_find(tl_str name);

#ifdef __cplusplus
}
#endif

#endif
