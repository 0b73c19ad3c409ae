/* confidence.c: the bootstrap shown beside a score, and a score as JSON (portfolio spec, section 6). */
#include <math.h>

#include "core/crypto/hash/hash.h"
#include "core/num/rng/rng.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"
#include "core/subnet/portfolio/portfolio.h"

#define WINDOW_DAYS_MAX 90
#define DAYS_MIN        20
#define ARS_REVIEW      0.60

uint64_t tl_portfolio_bootstrap_seed(tl_str epoch_id, const tl_hotkey *hotkey)
{
    static const char tag[] = "tally/portfolio/boot";
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, tag, sizeof tag - 1);
    tl_sha256_update(&hash, epoch_id.ptr, epoch_id.len);
    tl_sha256_update(&hash, hotkey->b, sizeof hotkey->b);
    tl_hash32 digest;
    tl_sha256_final(&hash, &digest);
    uint64_t seed = 0;
    for (size_t i = 8; i-- > 0;) {
        seed = seed << 8 | digest.b[i];
    }
    return seed;
}

/* 95 %: the 25th and the 975th of 1,000, and the same shares of another number of resamples. */
static void percentiles(tl_portfolio_confidence *out, double *sample, size_t count)
{
    tl_sort_f64(sample, count);
    const size_t low = count * 25 / 1000;
    const size_t high = count * 975 / 1000;
    out->low = sample[low > 0 ? low - 1 : 0];
    out->high = sample[high > 0 ? high - 1 : 0];
}

tl_err tl_portfolio_bootstrap(tl_portfolio_confidence *out, tl_arena *scratch,
                              const double *returns, size_t n, double turnover_per_week,
                              const tl_portfolio_score *score, uint32_t resamples, uint64_t seed,
                              const tl_score_options *options, tl_errctx *ctx)
{
    const double point = (double)score->qs_millionths / 1e6;
    if (n < DAYS_MIN || resamples == 0) {
        *out = (tl_portfolio_confidence){point * 0.9, point * 1.1, 1.0, false};
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double *sample = TL_NEW(scratch, double, resamples);
    if (sample == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    const size_t window = n < WINDOW_DAYS_MAX ? n : WINDOW_DAYS_MAX;
    const double *from = returns + (n - window);
    const tl_flag factor = {.rule = TL_RULE_VARIANCE, .factor = score->factor};
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    for (uint32_t b = 0; b < resamples; b++) {
        double drawn[WINDOW_DAYS_MAX];
        for (size_t i = 0; i < window; i++) {
            drawn[i] = from[tl_xoshiro_below(&rng, window)];
        }
        tl_portfolio_score s;
        tl_portfolio_score_record(&s, drawn, window, turnover_per_week, &factor, 1, options);
        sample[b] = (double)s.qs_millionths / 1e6;
    }
    const double mean = tl_sum(sample, resamples) / (double)resamples;
    const double deviation = sqrt(tl_sum_sq_dev(sample, resamples, mean) / (double)resamples);
    percentiles(out, sample, resamples);
    out->ars = mean > 0.0 ? 1.0 - deviation / mean : 0.0;
    out->needs_review = out->ars < ARS_REVIEW;
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

static void put_number(tl_json_writer *w, const char *key, double value)
{
    tl_json_put_key(w, key);
    tl_json_put_f64(w, value == 0.0 ? 0.0 : value); /* -0.0 is printed as 0.0 (D5) */
}

static void put_horizon(tl_json_writer *w, const tl_horizon *h)
{
    tl_json_put_object(w);
    put_number(w, "annualised", h->annualised);
    put_number(w, "calmar", h->calmar);
    put_number(w, "composite", h->composite);
    tl_json_put_key(w, "days");
    tl_json_put_u64(w, h->days);
    put_number(w, "max_drawdown", h->max_drawdown);
    tl_json_put_key(w, "normalised");
    tl_json_put_object(w);
    put_number(w, "calmar", h->part_calmar);
    put_number(w, "drawdown", h->part_drawdown);
    put_number(w, "pnl", h->part_pnl);
    put_number(w, "sharpe", h->part_sharpe);
    put_number(w, "sortino", h->part_sortino);
    put_number(w, "turnover", h->part_turnover);
    tl_json_put_end(w);
    put_number(w, "sharpe", h->sharpe);
    put_number(w, "sortino", h->sortino);
    tl_json_put_end(w);
}

void tl_portfolio_put_score(tl_json_writer *w, const tl_portfolio_score *score)
{
    tl_json_put_key(w, "composite");
    if (score->has_composite) {
        tl_json_put_f64(w, score->composite);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "days");
    tl_json_put_u64(w, score->days);
    put_number(w, "factor", score->factor);
    tl_json_put_key(w, "horizons");
    tl_json_put_array(w);
    for (size_t i = 0; i < score->horizon_count; i++) {
        put_horizon(w, &score->horizons[i]);
    }
    tl_json_put_end(w);
    put_number(w, "max_drawdown", score->max_drawdown);
    tl_json_put_key(w, "max_drawdown_millionths");
    tl_json_put_u64(w, score->max_drawdown_millionths);
    tl_json_put_key(w, "qs_millionths");
    tl_json_put_u64(w, score->qs_millionths);
    put_number(w, "ramp", score->ramp);
    tl_json_put_key(w, "status");
    tl_json_put_cstr(w, tl_portfolio_status_name(score->status));
}
