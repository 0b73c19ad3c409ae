/* spot: is what a miner says of a house what the world says of it?
 * For         the spot check (listings spec section 6): one comparison for the validator, the evaluation and the check
 * Takes       a sample's claims, the listing as the world has it, when the world last changed it
 * Gives       pass, fail, or no evidence
 * Calls       core/listings/model              Called by   app
 * Owns        nothing
 * Threads     pure, anywhere
 * Invariants  SPOT-1 a difference that the world's own change may explain is no evidence, never a failure
 *
 *      zipcode, address      equal (the address in its normalised form)
 *      price                 within 5 % of the world's
 *      bedrooms, bathrooms   equal, where both say
 *      status                both on the market, or both not
 */
#ifndef TALLY_CORE_LISTINGS_SPOT_H
#define TALLY_CORE_LISTINGS_SPOT_H

#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_spot: as evidence documents write it. */
typedef enum tl_spot { TL_SPOT_PASS = 'P', TL_SPOT_FAIL = 'F', TL_SPOT_NONE = 'N' } tl_spot;

#define TL_SPOT_PRICE_BP 500

/* tl_spot_judge: what the world has under the claim's identity.
 *
 * world       read by core/listings/record, so that both sides have one form
 * changed_ms  when the world last changed it; 0: it does not tell, and counts as unchanged
 * since_ms    the earliest time at which the miner may have seen it: an hour before the epoch */
tl_spot tl_spot_judge(const tl_sample *claim, const tl_listing *world, int64_t changed_ms,
                      int64_t since_ms);

/* tl_spot_judge_absent: the world has no such listing. was_there: it had one, until gone_ms. */
tl_spot tl_spot_judge_absent(bool was_there, int64_t gone_ms, int64_t since_ms);

#ifdef __cplusplus
}
#endif

#endif
