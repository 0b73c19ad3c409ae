/* Runs of gains, and how probable they are. */
#include "core/quant/detect/detect.h"

/* The first longest run of returns above 0. */
static size_t longest_run(size_t *first, const double *r, size_t n)
{
    size_t longest = 0;
    size_t run = 0;
    *first = 0;
    for (size_t i = 0; i < n; i++) {
        run = r[i] > 0.0 ? run + 1 : 0;
        if (run > longest) {
            longest = run;
            *first = i + 1 - run;
        }
    }
    return longest;
}

tl_err tl_detect_run_probability(double *out, size_t n, size_t length, double p, tl_arena *scratch,
                                 tl_errctx *ctx)
{
    TL_ASSERT(p >= 0.0 && p <= 1.0);
    if (length == 0 || length > n) {
        *out = length == 0 ? 1.0 : 0.0;
        return TL_OK;
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    /* ended[t mod (L + 1)] = F(t); before t = L it is 0, as the arena gives it. */
    double *ended = TL_NEW(scratch, double, length + 1);
    if (ended == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    double all_succeed = 1.0;
    for (size_t i = 0; i < length; i++) {
        all_succeed *= p;
    }
    const double begins = (1.0 - p) * all_succeed; /* a failure, then L successes */
    double by_now = all_succeed;                   /* F(L) */
    ended[length] = by_now;
    for (size_t t = length + 1; t <= n; t++) {
        double *slot = &ended[t % (length + 1)]; /* holds F(t - L - 1) */
        by_now += (1.0 - *slot) * begins;
        *slot = by_now;
    }
    tl_arena_rewind(scratch, mark);
    *out = by_now > 1.0 ? 1.0 : by_now; /* DETECT-4 */
    return TL_OK;
}

tl_err tl_detect_streak_run(tl_detect_streak *out, const double *r, size_t n, tl_arena *scratch,
                            tl_errctx *ctx)
{
    size_t first;
    const size_t longest = longest_run(&first, r, n);
    size_t gains = 0;
    for (size_t i = 0; i < n; i++) {
        gains += r[i] > 0.0;
    }
    const double p = n == 0 ? 0.0 : (double)gains / (double)n;
    double probability;
    TL_TRY(tl_detect_run_probability(&probability, n, longest, p, scratch, ctx));
    const tl_metric value = {(double)longest, TL_METRIC_OK};
    const tl_evidence evidence = {.rule = TL_DETECT_RULE_STREAK,
                                  .is_flagged = longest > TL_DETECT_STREAK_DAYS, /* DETECT-F5 */
                                  .value = value,
                                  .limit = TL_DETECT_STREAK_DAYS,
                                  .peer = TL_DETECT_NO_PEER,
                                  .days = n,
                                  .from = first,
                                  .to = longest == 0 ? first : first + longest - 1};
    out->evidence = evidence;
    out->probability = probability;
    return TL_OK;
}
