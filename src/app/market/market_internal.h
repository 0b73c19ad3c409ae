/* market_internal: what the files of this room tell each other. */
#ifndef TALLY_APP_MARKET_INTERNAL_H
#define TALLY_APP_MARKET_INTERNAL_H

#include "app/market/market.h"
#include "core/num/rng/rng.h"

/* world.c: 64 bits that follow from the seed and three words. */
uint64_t tl__market_mix(const tl_market *market, uint64_t a, uint64_t b, uint64_t c);
uint64_t tl__market_luck(const tl_market *market, const tl_place *place, uint32_t slot,
                         uint32_t generation);

/* house.c: everything that does not change while the house is for sale. */
void tl__market_fill(tl_market_item *out, const tl_market *market, const tl_place *place,
                     uint32_t slot, uint32_t generation);

/* house.c: what changes: price, status, last change; listed_ms and gone_ms are set. */
void tl__market_age(tl_market_item *item, int64_t now_ms);

#endif
