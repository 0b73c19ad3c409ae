/* boot: how sure a figure is: the stationary bootstrap of a series of returns.
 * For         intervals beside scores, the review of a Sharpe ratio
 * Takes       admitted returns (metrics), a seed, a mean block length
 * Gives       percentile and basic intervals, standard error, how many resamples had no value
 * Calls       num/rng, num/stats, metrics      Called by   subnet, app
 * Owns        nothing: scratch is given back
 * Threads     any: a series and its seed determine the result; batches are cut by series
 * Invariants  BOOT-1 a result depends on its series, seed and options alone, never on its
 *             neighbours or threads
 *             BOOT-2 every index lies in [0, n)
 *             BOOT-3 lower <= upper in both intervals; the basic one mirrors the percentile one at
 *                    the point
 *             BOOT-4 used + skipped = resamples; more than 5 % skipped: too_few
 * Read        boot.c, then resample.c, then block.c
 *
 * Stationary bootstrap (Politis and Romano 1994; quant-math spec section 7). Mean block L >= 1, p
 * = 1/L. Index 0 is below(n). For i >= 1 draw unit: if unit < p the index is below(n), else the
 * one before plus 1, wrapping at n. One xoshiro256** runs through all resamples in order. All
 * statistics see the same resamples.
 *
 *      r      0 1 2 3 4 5 6 7 8 9
 *      draw   [6 7 8] [2 3] [9 0 1 2 …      blocks of geometric length, wrapping
 *
 * Intervals at level c, a = (1 - c)/2: percentile [q_a, q_(1-a)] of the B values (quantile type
 * 7); basic [2 t - q_(1-a), 2 t - q_a], t the statistic of the data; standard error: std (B - 1)
 * of the values.
 *
 * Automatic L: Politis and White 2004 with the correction by Patton, Politis and White 2009, in
 * the details of the spec.
 */
#ifndef TALLY_CORE_QUANT_BOOT_H
#define TALLY_CORE_QUANT_BOOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "core/num/rng/rng.h"
#include "core/quant/metrics/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_BOOT_RESAMPLES_DEFAULT 1000
#define TL_BOOT_RESAMPLES_MAX     1000000

typedef enum tl_boot_stat {
    TL_BOOT_MEAN,
    TL_BOOT_VOLATILITY,
    TL_BOOT_SHARPE,
    TL_BOOT_SORTINO,
    TL_BOOT_TOTAL_RETURN,
    TL_BOOT_CAGR,
    TL_BOOT_MAX_DRAWDOWN,
    TL_BOOT_CALMAR,
    TL_BOOT_STAT_COUNT /* not a statistic: how many there are */
} tl_boot_stat;

/* tl_boot_stat_name: "mean", "volatility", "sharpe", "sortino", "total_return", "cagr",
 * "max_drawdown", "calmar". */
const char *tl_boot_stat_name(tl_boot_stat stat);

typedef struct tl_boot_options {
    double mean_block;  /* L, 1 … 1e9 */
    uint32_t resamples; /* B, 1 … TL_BOOT_RESAMPLES_MAX */
    double level;       /* c, in (0, 1) */
    double rf;          /* per period */
    double periods;     /* P */
} tl_boot_options;

typedef struct tl_boot_interval {
    tl_metric lower;
    tl_metric upper;
} tl_boot_interval;

typedef struct tl_boot_result {
    tl_metric point;
    tl_boot_interval percentile; /* both ends have the same status */
    tl_boot_interval basic;
    tl_metric standard_error;
    uint32_t skipped; /* resamples whose statistic is undefined */
} tl_boot_result;

/* tl_boot_seed: the seed of a miner's resamples: splitmix64(epoch_seed XOR the first 8 bytes of
 * its public key, little endian), so that results never depend on who else is scored. */
uint64_t tl_boot_seed(uint64_t epoch_seed, const uint8_t public_key[32]);

/* tl_boot_indices: one resample: n indices below n. n in 1 … TL_SERIES_PERIODS_MAX, mean_block >=
 * 1 (asserted). */
void tl_boot_indices(uint32_t *out, size_t n, double mean_block, tl_xoshiro *rng);

/* tl_boot_run: bootstrap one series.
 *
 * out      stat_count results, in the order of stats
 * n        0: every figure is too_few
 * scratch  3 n + stat_count * resamples doubles, given back
 * Errors: TL_ERR_RANGE for options outside the bounds above; those of the arena. */
TL_MUST_USE tl_err tl_boot_run(tl_boot_result *out, const double *r, size_t n,
                               const tl_boot_stat *stats, size_t stat_count, uint64_t seed,
                               const tl_boot_options *options, tl_arena *scratch, tl_errctx *ctx);

/* tl_boot_batch: tl_boot_run of the series [from, to) of a table; shards of one table may run in
 * several threads.
 *
 * out    series_count * stat_count results; row s holds those of series s; only rows [from, to)
 *        are written
 * r      series s is r[s * n] … r[s * n + n - 1]
 * seeds  one a series
 * Cost:  eight series go side by side when blocks are not tiny (mean_block >= 3, n <= 2048): some
 *        1.5 ns a value for mean and Sharpe ratio, else 3. Shards of 8 and more make good use of it.
 *        scratch: eight times that of one series, and up to 512 KiB of draws. */
TL_MUST_USE tl_err tl_boot_batch(tl_boot_result *out, const double *r, size_t n,
                                 const uint64_t *seeds, size_t from, size_t to,
                                 const tl_boot_stat *stats, size_t stat_count,
                                 const tl_boot_options *options, tl_arena *scratch, tl_errctx *ctx);

/* tl_boot_block_length: the automatic L, before the floor of 1 that its users apply. n < 11:
 * too_few; degenerate spread or S = 0: zero_denominator. scratch: n doubles and some sqrt(n),
 * given back. Errors: those of the arena. */
TL_MUST_USE tl_err tl_boot_block_length(tl_metric *out, const double *r, size_t n,
                                        tl_arena *scratch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
