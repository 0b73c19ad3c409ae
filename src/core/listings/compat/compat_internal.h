/* What the sources of compat share. */
#ifndef TALLY_CORE_LISTINGS_COMPAT_INTERNAL_H
#define TALLY_CORE_LISTINGS_COMPAT_INTERNAL_H

#include "core/listings/compat/compat.h"

bool tl__compat_is_november(tl_compat_code code);
double tl__compat_completeness_min(tl_compat_code code);

/* The shares of the three places. */
extern const double tl__compat_shares[TL_COMPAT_WINNERS_MAX];

#endif
