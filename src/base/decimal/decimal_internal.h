/* decimal, inside the room: powers of ten as 128-bit fractions, and the nearest double of a run of digits.
 *
 *     10^q = (T + r) * 2^s     2^127 <= T < 2^128,   0 <= r < 1,   s = floor(log2(10^q)) - 127
 *
 * r is 0 exactly for 0 <= q <= TL__POWER_EXACT_MAX, because 5^55 < 2^128 <= 5^56.
 */
#ifndef TALLY_BASE_DECIMAL_INTERNAL_H
#define TALLY_BASE_DECIMAL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

__extension__ typedef unsigned __int128 tl__u128;

enum { TL__POWER_MIN = -342, TL__POWER_MAX = 324, TL__POWER_EXACT_MAX = 55 };

extern const uint64_t tl__powers[TL__POWER_MAX - TL__POWER_MIN + 1][2]; /* T, high half first */

/* floor(log2(10^q)); exact for |q| <= 1233. */
static inline int32_t tl__floor_log2_power(int32_t q)
{
    return (int32_t)(((int64_t)q * 1741647) >> 19);
}

static inline bool tl__power_is_exact(int32_t q)
{
    return q >= 0 && q <= TL__POWER_EXACT_MAX;
}

/* tl__nearest: the bits of the double nearest to a positive decimal, ties to even.
 *
 * head      its first digits as a number (all of them, or 19), not 0
 * exponent  of head: value = head * 10^exponent, and a little more when is_cut: less than (head + 1) * 10^exponent
 * digits    all digits, perhaps with one '.' among them, where head does not decide; the first is not 0 when is_cut
 */
uint64_t tl__nearest(uint64_t head, int64_t exponent, bool is_cut, tl_str digits);

#endif
