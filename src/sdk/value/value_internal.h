/* value, inside the room: what more than one source needs. */
#ifndef TALLY_SDK_VALUE_INTERNAL_H
#define TALLY_SDK_VALUE_INTERNAL_H

#include "sdk/value/value.h"

/* tl__value_canonical_int: an integer from its sign and its digits (leading zeros allowed, at least one digit): INT, or
 * BIGINT with digits copied to the arena. False without memory, or when arena is NULL and it wants one. */
bool tl__value_canonical_int(tl_value *out, tl_arena *arena, bool is_negative, tl_str digits);

#endif
