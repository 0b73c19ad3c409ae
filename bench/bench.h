/* bench: how long Tally takes for its works, and how much memory.
 * For         make bench, which runs the same works in NumPy beside it (bench/peers)
 * Takes       the name of a work and its size: 100 is the whole, 10 a tenth of it
 * Gives       one line of JSON: seconds, runs, threads, peak memory, figures that the peer must reach as well
 * Calls       app, io and core, as any program does
 * Threads     a work says how many it takes; never more than BENCH_THREADS
 * Invariants  BENCH-1 inputs are made before the clock starts, from seeds that the peer has too
 *             BENCH-2 every run of a work gives the same figures
 * Read        main.c, then the work that you care for
 */
#ifndef TALLY_BENCH_H
#define TALLY_BENCH_H

#include <stdio.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#define BENCH_THREADS     2
#define BENCH_FIGURES_MAX 4
#define BENCH_DAYS        252

/* bench_report: what a work says of itself. */
typedef struct bench_report {
    double seconds; /* of the best run */
    unsigned runs;
    unsigned threads;
    double figures[BENCH_FIGURES_MAX]; /* the peer compares its own with them */
    size_t figure_count;
    const char *also; /* further members of the JSON object, or NULL: ,"key":value */
} bench_report;

/* bench_run: once through the work; results that are no longer needed may stay in scratch, which is rewound. */
typedef tl_err (*bench_run)(void *self, tl_arena *scratch, tl_errctx *ctx);

/* bench_time: runs it at least three times and for at least a second, at most 200 times; keeps the best. */
TL_MUST_USE tl_err bench_time(bench_report *out, bench_run run, void *self, tl_errctx *ctx);

/* The first n numbers in [0, 1) of a stream: splitmix64 from seed. */
void bench_units(double *out, size_t n, uint64_t seed);

/* bench_returns: rows x columns daily returns, between -3 and +3 %. */
void bench_returns(double *out, size_t n, uint64_t seed);

/* --- the works: arena is theirs for inputs and results --- */

TL_MUST_USE tl_err bench_score(bench_report *out, tl_arena *arena, unsigned percent,
                               tl_errctx *ctx);
TL_MUST_USE tl_err bench_correlation(bench_report *out, tl_arena *arena, unsigned percent,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err bench_bootstrap(bench_report *out, tl_arena *arena, unsigned percent,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err bench_yuma_256(bench_report *out, tl_arena *arena, unsigned percent,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err bench_yuma_4096(bench_report *out, tl_arena *arena, unsigned percent,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err bench_postings(bench_report *out, tl_arena *arena, unsigned percent,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err bench_epoch(bench_report *out, tl_arena *arena, unsigned percent,
                               tl_errctx *ctx);
TL_MUST_USE tl_err bench_sr25519_verify(bench_report *out, tl_arena *arena, unsigned percent,
                                        tl_errctx *ctx);
TL_MUST_USE tl_err bench_sr25519_verify_seen(bench_report *out, tl_arena *arena, unsigned percent,
                                             tl_errctx *ctx);
TL_MUST_USE tl_err bench_sr25519_batch(bench_report *out, tl_arena *arena, unsigned percent,
                                       tl_errctx *ctx);

/* --- what a peer cannot make itself, as files --- */

/* The journal of the postings' work: the canonical bytes of each entry, after their length as u32, little-endian. */
TL_MUST_USE tl_err bench_postings_write(FILE *entries, tl_arena *arena, unsigned percent,
                                        tl_errctx *ctx);

/* The table of prices and the signals of the epoch's work. */
TL_MUST_USE tl_err bench_epoch_write(FILE *prices, FILE *signals, tl_arena *arena, unsigned percent,
                                     tl_errctx *ctx);

/* The signed messages of the sr25519 works: key, signature and message, 32 + 64 + 200 bytes, one after the other. */
TL_MUST_USE tl_err bench_sr25519_write(FILE *signatures, tl_arena *arena, unsigned percent,
                                       tl_errctx *ctx);

#endif
