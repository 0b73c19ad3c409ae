/* Area num: functions on a grid, sums of every length, statistics, generators, money and wide integers. */
#include "core/num/fmath/fmath.h"
#include "core/num/money/money.h"
#include "core/num/rng/rng.h"
#include "core/num/stats/stats.h"
#include "core/num/sum/sum.h"

#include "digest.h"

/* Every function over 60 binary orders of magnitude, both signs, and densely where it bends. */
static void functions(digest *d)
{
    for (int e = -30; e < 30; e++) {
        for (int k = 0; k < 12; k++) {
            double scale = 1.0;
            for (int i = 0; i < (e < 0 ? -e : e); i++) {
                scale *= e < 0 ? 0.5 : 2.0;
            }
            const double x = scale * digest_uniform(d, 1.0, 2.0);
            const double small = x < 700.0 ? x : 700.0;
            digest_f64(d, tl_log(x));
            digest_f64(d, tl_log10(x));
            digest_f64(d, tl_log1p(x));
            digest_f64(d, tl_exp(small));
            digest_f64(d, tl_exp(-small));
            digest_f64(d, tl_expm1(small));
            digest_f64(d, tl_expm1(-small));
            digest_f64(d, tl_pow(x, digest_uniform(d, -20.0, 20.0)));
            digest_f64(d, tl_normal_cdf(x < 40.0 ? x : 40.0));
            digest_f64(d, tl_normal_cdf(x < 40.0 ? -x : -40.0));
        }
    }
    for (int k = 1; k < 1000; k++) {
        digest_f64(d, tl_normal_quantile((double)k / 1000.0));
        digest_f64(d, tl_pow(1.0 + (double)k / 1000.0, 252.0));
    }
}

static void sums_and_figures(digest *d)
{
    double *a = DIGEST_NEW(d, double, 1200);
    double *b = DIGEST_NEW(d, double, 1200);
    double *ranks = DIGEST_NEW(d, double, 1200);
    tl_errctx ctx = TL_ERRCTX_INIT;
    digest_series(d, a, 1200, 0.0005, 0.01);
    digest_series(d, b, 1200, 0.0002, 0.02);
    for (size_t n = 1; n <= 1200; n += 1 + n / 40) {
        const double mean_a = tl_mean(a, n);
        const double mean_b = tl_mean(b, n);
        digest_f64(d, tl_sum(a, n));
        digest_f64(d, tl_dot(a, b, n));
        digest_f64(d, tl_sum_sq_dev(a, n, mean_a));
        digest_f64(d, tl_sum_cross_dev(a, b, n, mean_a, mean_b));
        digest_f64(d, tl_std(a, n, 1));
        digest_f64(d, tl_cov(a, b, n, 1));
        double figure = 0.0;
        digest_u64(d, tl_skew(&figure, a, n));
        digest_f64(d, figure);
        digest_u64(d, tl_kurtosis_excess(&figure, a, n));
        digest_f64(d, figure);
    }
    for (size_t i = 0; i < 1200; i += 3) {
        a[i] = b[i / 2]; /* ties */
    }
    DIGEST_OK(tl_ranks_average(ranks, a, 1200, d->arena, &ctx), &ctx);
    digest_f64s(d, ranks, 1200);
    tl_sort_f64(a, 1200);
    digest_f64s(d, a, 1200);
    for (int k = 0; k <= 100; k++) {
        digest_f64(d, tl_quantile_sorted(a, 1200, (double)k / 100.0));
    }
    digest_f64(d, tl_median_select(b, 1199));
}

static void generators(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    uint64_t split = 42;
    tl_xoshiro xoshiro;
    tl_mt *mt = DIGEST_NEW(d, tl_mt, 1);
    tl_xoshiro_seed(&xoshiro, 42);
    tl_mt_seed_u64(mt, 42);
    for (size_t i = 0; i < 2000; i++) {
        digest_u64(d, tl_splitmix64(&split));
        digest_u64(d, tl_xoshiro_next(&xoshiro));
        digest_f64(d, tl_xoshiro_unit(&xoshiro));
        digest_u64(d, tl_xoshiro_below(&xoshiro, 3 * i + 1));
        digest_f64(d, tl_mt_random(mt));
        digest_u64(d, tl_mt_randbelow(mt, 3 * i + 1));
    }
    uint64_t sample[64];
    for (uint64_t n = 64; n < 1000000; n = n * 5 / 2) {
        DIGEST_OK(tl_mt_sample(mt, sample, n, 64, d->arena, &ctx), &ctx);
        for (size_t i = 0; i < 64; i++) {
            digest_u64(d, sample[i]);
        }
    }
}

static void digest_rao(digest *d, tl_rao amount)
{
    digest_i64(d, tl_rao_to_i64(amount));
}

static void money(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t i = 0; i < 500; i++) {
        const tl_rao a = tl_rao_from_i64(digest_signed(d, 60));
        const uint64_t den = 1 + digest_sized(d, 60);
        const uint64_t num = digest_below(d, den);
        tl_rao share;
        DIGEST_OK(tl_rao_mul_div_floor(&share, a, num, den, &ctx), &ctx);
        digest_rao(d, share);
        tl_sb sb;
        tl_str text;
        tl_sb_init(&sb, d->arena);
        tl_rao_print(&sb, share);
        DIGEST_OK(tl_sb_finish(&text, &sb, &ctx), &ctx);
        digest_str(d, text);
        const tl_u256 wide = tl_u256_mul((tl_u128)num << 64 | den, (tl_u128)den << 60 | num);
        tl_u128 rest;
        const tl_u256 quotient = tl_u256_div_floor(&rest, wide, (tl_u128)den << 40 | 1);
        for (size_t k = 0; k < 4; k++) {
            digest_u64(d, quotient.w[k]);
        }
        digest_u64(d, (uint64_t)rest);
        digest_u64(d, (uint64_t)(rest >> 64));
    }
    uint64_t weights[100];
    tl_rao shares[100];
    for (size_t i = 0; i < 100; i++) {
        weights[i] = digest_sized(d, 64);
    }
    DIGEST_OK(
        tl_rao_split_pro_rata(shares, tl_rao_from_i64(1000000000007), weights, 100, NULL, &ctx),
        &ctx);
    for (size_t i = 0; i < 100; i++) {
        digest_rao(d, shares[i]);
    }
}

void digest_area_num(digest *d)
{
    functions(d);
    sums_and_figures(d);
    generators(d);
    money(d);
}
