/* What the kinds of quant share: series of returns, and metrics as JSON. Part of the conformance
 * room. */
#ifndef TALLY_APP_CONFORMANCE_KIND_QUANT_H
#define TALLY_APP_CONFORMANCE_KIND_QUANT_H

#include "app/conformance/conformance.h"
#include "core/quant/corr/corr.h"
#include "core/quant/metrics/metrics.h"

/* tl__returns: an admitted series without gaps. */
typedef struct tl__returns {
    const double *r;
    size_t n;
} tl__returns;

/* tl__want_returns: the input's "prices" or "returns". Errors carry the member's name. */
TL_MUST_USE tl_err tl__want_returns(tl__returns *out, const tl_json *input, tl_conform_env *env,
                                    tl_errctx *ctx);

/* tl__read_gapped: a list with nulls, or a slice; values admitted as returns. */
TL_MUST_USE tl_err tl__read_gapped(tl_corr_series *out, size_t *n, const tl_json *value,
                                   const char *field, tl_conform_env *env, tl_errctx *ctx);

/* tl__want_rates: "rf_annual" (absent: 0) and "periods_per_year". */
TL_MUST_USE tl_err tl__want_rates(double *rf_annual, double *periods, const tl_json *input,
                                  tl_errctx *ctx);

/* tl__want_u64_or: an integer, also as a string; fallback when absent or null. */
TL_MUST_USE tl_err tl__want_u64_or(uint64_t *out, const tl_json *input, const char *key,
                                   uint64_t fallback, tl_errctx *ctx);

/* tl__want_weights: a list of finite weights of at most 1e9 in size. */
TL_MUST_USE tl_err tl__want_weights(const double **out, size_t *count, const tl_json *list,
                                    const char *field, tl_conform_env *env, tl_errctx *ctx);

/* Undefined is null. */
void tl__put_metric_value(tl_json_writer *out, tl_metric m);
void tl__put_metric(tl_json_writer *out, const char *key, tl_metric m);

#endif
