/* tensor, inside the room: what reading and writing share. */
#ifndef TALLY_SDK_TENSOR_INTERNAL_H
#define TALLY_SDK_TENSOR_INTERNAL_H

#include "sdk/tensor/tensor.h"

/* NumPy's names of the types, three characters each. */
extern const char *const tl__tensor_types[TL_TENSOR_DTYPE_COUNT];

/* tl__tensor_count: the product of a shape; false when a length is negative, or 8 times the product does not fit. */
bool tl__tensor_count(size_t *out, const int64_t *shape, uint32_t dim_count);

#endif
