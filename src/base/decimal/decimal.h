/* decimal: doubles as text and back, without the locale and without a lost bit.
 * For         JSON, CSV, canonical text
 * Takes       a finite double, or decimal text      Gives   the shortest text that reads back; the nearest double
 * Calls       libc's memcpy                         Called by   json, codec, io, app
 * Invariants  DEC-1 parse(print(x)) is x, bit for bit, for every finite x
 *             DEC-2 print(x) is the text of Python's repr(x)
 *             DEC-3 parse rounds to nearest, ties to even, for any number of digits
 */
#ifndef TALLY_BASE_DECIMAL_H
#define TALLY_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_F64_TEXT_CAP 32 /* longest: -2.2250738585072014e-308, and a NUL */

/* tl_f64_print: Python's repr(value) ("1e+22", "0.1", "5.0", "-0.0", "inf", "nan"), NUL-terminated.
 * Returns its length. */
size_t tl_f64_print(char out[TL_F64_TEXT_CAP], double value);

/* tl_f64_shortest: value = ± digits * 10^exponent with the fewest digits that read back (at most 17).
 * value finite. 0 gives digits 0, exponent 0; digits have no trailing zero otherwise. */
void tl_f64_shortest(uint64_t *digits, int32_t *exponent, bool *is_negative, double value);

/* tl_f64_from_decimal: the double nearest to digits * 10^exponent (infinite when too large). */
double tl_f64_from_decimal(uint64_t digits, int32_t exponent);

/* tl_f64_parse: the whole text as a JSON number (-?int frac? exp?); the nearest double, infinite when too large.
 * False, out untouched, when it is no number. */
bool tl_f64_parse(double *out, tl_str text);

#ifdef __cplusplus
}
#endif

#endif
