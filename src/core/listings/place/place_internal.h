/* place_internal: what draws share. */
#ifndef TALLY_CORE_LISTINGS_PLACE_INTERNAL_H
#define TALLY_CORE_LISTINGS_PLACE_INTERNAL_H

#include "core/listings/place/place.h"
#include "core/num/rng/rng.h"

/* A generator whose whole state is the digest: four words, little-endian. */
void tl__place_rng(tl_xoshiro *out, const tl_hash32 *digest);

#endif
