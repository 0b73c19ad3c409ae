/* listings_internal: an epoch on its way to text and back. */
#ifndef TALLY_CORE_SUBNET_LISTINGS_INTERNAL_H
#define TALLY_CORE_SUBNET_LISTINGS_INTERNAL_H

#include "core/subnet/listings/listings.h"

#define TL__LISTINGS_VERSION 1
#define TL__SECRETS_MAX      1024 /* contributions */

/* sort.c: copies of all lists in the order in which they are written. Errors: TL_ERR_DUPLICATE;
 * those of an address; those of the arena. */
tl_err tl__listings_sort(tl_listings_epoch *out, tl_arena *arena, const tl_listings_epoch *epoch,
                         tl_errctx *ctx);

/* put.c: the sections of a sorted epoch; the results. */
tl_err tl__listings_put(tl_str sections[TL_BUNDLE_SECTIONS], tl_arena *arena,
                        const tl_listings_epoch *epoch, tl_errctx *ctx);
tl_err tl__listings_put_results(tl_listings_result *io, tl_arena *arena, tl_errctx *ctx);
void tl__listings_put_params(tl_json_writer *w, const tl_listings_params *params);

/* read.c: an epoch from its trees, unchecked but for types and ranges. */
tl_err tl__listings_read(tl_listings_epoch *out, tl_arena *arena, const tl_json *inputs,
                         const tl_json *evidence, const tl_json *parameters, tl_errctx *ctx);

#endif
