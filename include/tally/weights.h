/**
 * @file
 * Weights of validators, computed as the SDK computes them, to the last bit.
 */
#ifndef TALLY_WEIGHTS_H
#define TALLY_WEIGHTS_H

#include <tally/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Divides weights by their sum so that none is above a share of the whole (the SDK's normalize_max_weight).
 * @param out count floats; may be weights
 * @param weights finite, at least 0
 * @param count 1 to 65536
 * @param limit the highest share, above 0 and at most 1
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_weights_normalize(float *out, const float *weights, size_t count, double limit,
                                      tally_error *error);

/** 16-bit weights for the chain: the largest is 65535, zeros are dropped.
 * @param out_uids room for count
 * @param out_values room for count
 * @param out_count receives how many are left
 * @param uids 0 to 65535
 * @param weights finite, at least 0
 * @param count at least 1
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_weights_emit(uint16_t *out_uids, uint16_t *out_values, size_t *out_count,
                                 const int64_t *uids, const float *weights, size_t count,
                                 tally_error *error);

#ifdef __cplusplus
}
#endif

#endif
