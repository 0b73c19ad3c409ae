/* What the files of account share. Nothing outside this room includes it. */
#ifndef TALLY_CORE_QUANT_ACCOUNT_INTERNAL_H
#define TALLY_CORE_QUANT_ACCOUNT_INTERNAL_H

#include <string.h>

#include "core/quant/account/account.h"
#include "core/quant/metrics/metrics.h"

/* Long portfolios stay below 1; debts and shorts may drift apart, and a billion times the equity
 * is no portfolio. */
#define TL__WEIGHT_MAX 1e9

/* tl__account_group: where eight portfolios that are followed side by side write. */
typedef struct tl__account_group {
    double *weights;   /* count x 8, 64-byte aligned */
    double *returns;   /* 8 rows of days */
    double *turnovers; /* 8 rows of rebalances */
    size_t rebalances;
} tl__account_group;

/* tl__account_eight: portfolios p … p + 7. False when one of them was ruined, or left the bounds of
 * tl_account_run: then nothing that was written counts. */
typedef bool tl__account_eight(const tl__account_group *g, const tl_account_field *f, size_t p);

tl__account_eight tl__account_eight_portable;

#if defined(__x86_64__)
#    define TL__ACCOUNT_WITH_X86 1
bool tl__account_has_avx2(void);
bool tl__account_has_avx512(void);
tl__account_eight tl__account_eight_avx2;
tl__account_eight tl__account_eight_avx512;
#else
#    define TL__ACCOUNT_WITH_X86 0
#endif

typedef double eight __attribute__((vector_size(64)));
typedef long long signs __attribute__((vector_size(64))); /* 0 or -1 a lane */

/* Inlined into each instance, so that no vector is handed from one to another. */
#define TL__MAGNITUDE(x) ((eight)((signs)(x)&INT64_MAX))

#endif
