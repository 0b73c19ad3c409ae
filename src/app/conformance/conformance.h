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

/* tl_conform_tables: the tables that were read, so that each is read once a run. */
typedef struct tl_conform_tables tl_conform_tables;

/* tl_conform_tables_new: an empty cache; it and what it reads live in the arena. */
TL_MUST_USE tl_err tl_conform_tables_new(tl_conform_tables **out, tl_arena *arena, tl_errctx *ctx);

/* tl_conform_env: what a kind may use besides its input. */
typedef struct tl_conform_env {
    tl_arena *arena;           /* of this case: everything may be left in it */
    tl_str data_dir;           /* --data: the tables that inputs name; empty when not given */
    tl_conform_tables *tables; /* the cache of read tables; never NULL */
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
tl_err tl_conform_listings_consensus_hash(tl_json_writer *out, const tl_json *input,
                                          tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_listings_consensus_status(tl_json_writer *out, const tl_json *input,
                                            tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_listings_epoch_weights(tl_json_writer *out, const tl_json *input,
                                         tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_listings_field_completeness(tl_json_writer *out, const tl_json *input,
                                              tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_listings_honeypot(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);
tl_err tl_conform_listings_quality(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx);
tl_err tl_conform_listings_ranking(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                   tl_errctx *ctx);
tl_err tl_conform_listings_spot_check(tl_json_writer *out, const tl_json *input,
                                      tl_conform_env *env, tl_errctx *ctx);
tl_err tl_conform_listings_synthetic(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                     tl_errctx *ctx);
tl_err tl_conform_listings_tier1(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                 tl_errctx *ctx);
tl_err tl_conform_python_float_repr(tl_json_writer *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);
tl_err tl_conform_python_random_sample(tl_json_writer *out, const tl_json *input,
                                       tl_conform_env *env, tl_errctx *ctx);

/* tl_conform_series: a list of numbers, or a slice {file, column, from, to} of a table in env->data_dir (both dates
 * included, sorted by date). A null in a list, an empty field in a table: refused where missing is NULL; else the
 * value is 0 and (*missing)[i] is true. *missing is always count long. */
TL_MUST_USE tl_err tl_conform_series(const double **out, size_t *count, const bool **missing,
                                     const tl_json *value, tl_conform_env *env, tl_errctx *ctx);

/* tl_conform_find: the kind of that name, or NULL. */
const tl_conform_kind *tl_conform_find(tl_str name);

/* tl_conform_actual: what a kind gives for an input, as one line of JSON in env->arena. */
TL_MUST_USE tl_err tl_conform_actual(tl_str *out, const tl_conform_kind *kind, const tl_json *input,
                                     tl_conform_env *env, tl_errctx *ctx);

/* A place where expect and actual part. Both sides are JSON text, cut when long; "absent" when there is nothing. */
typedef struct tl_conform_diff {
    tl_str path; /* "steps[0].raw.stake[3]" */
    tl_str expected;
    tl_str actual;
} tl_conform_diff;

#define TL_CONFORM_DIFFS_MAX 16 /* told of one case; the rest is only counted */

/* tl_conform_case: how one case went. Lives until the sink returns. */
typedef struct tl_conform_case {
    tl_str file;
    tl_str kind;
    tl_str id;
    bool is_passed;
    tl_err error;           /* what the kind itself failed with, or TL_OK */
    const char *message;    /* of that error */
    size_t diff_count;      /* in diffs */
    size_t diff_count_full; /* all that were found */
    const tl_conform_diff *diffs;
} tl_conform_case;

/* tl_conform_sink: is told of each case in the order of the file. */
typedef struct tl_conform_sink {
    void *self;
    tl_err (*on_case)(void *self, const tl_conform_case *result, tl_errctx *ctx);
} tl_conform_sink;

/* tl_conform_file: run a vector file.
 *
 * arena   a child of it holds the file, and children of that the cases: all are freed before the return
 * tables  shared by the files of a run
 * Errors  NOT_FOUND no such file; UNKNOWN a kind that is not in the table (CONF-1); SYNTAX, TYPE, MISSING a file that
 *         is no vector file; what the sink returned. A kind that fails makes its case fail, not the run.
 */
TL_MUST_USE tl_err tl_conform_file(const char *path, tl_str data_dir, tl_conform_tables *tables,
                                   tl_arena *arena, const tl_conform_sink *sink, tl_errctx *ctx);

/* tl_conform_compare: expect against actual by the rules of the vectors (CONF-2).
 *
 * out, count_full  at most TL_CONFORM_DIFFS_MAX differences; how many there are
 * actual           NULL: absent
 * tolerance        NULL or a tolerance of the vectors
 * Errors           TYPE, RANGE: the tolerance is none; MISSING: expect has nothing to compare
 *
 * Integers are compared as integers, however long; other numbers by the bits of their doubles; 5 equals 5.0. Under a
 * tolerance both sides are doubles and |actual - expect| <= absolute + relative * |expect|.
 */
TL_MUST_USE tl_err tl_conform_compare(tl_conform_diff out[TL_CONFORM_DIFFS_MAX], size_t *count_full,
                                      const tl_json *expect, const tl_json *actual,
                                      const tl_json *tolerance, tl_arena *arena, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
