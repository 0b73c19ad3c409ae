/* pyvalue: JSON values as CPython 3.11 reads them: float(), int(), str(), strip, lower, fromisoformat.
 * For         the compat profile, which must judge a listing's values as the original's Python does
 * Takes       one JSON value: of a tree, or of a streaming decoder (kind and text, nothing allocated)
 * Gives       a number, a text, a time; or the name of the exception that Python raises
 * Calls       base/decimal, base/json          Called by   core/listings/compat, app
 * Owns        nothing: values are views, results are the caller's
 * Threads     pure functions, anywhere
 * Invariants  PY-1 what is refused leaves the output as it was and names an exception
 *             PY-2 a time that is read lies in the years 1 to 9999, its zone is under 24 hours
 *             PY-3 whatever the text, a call takes one pass over it and a stack of fixed size
 * Read        pyvalue.c, number.c, then iso.c, then unicode.c
 *
 * Unicode is CPython 3.11's 14.0 (tables/unicode14.c, made by unicode14.py beside it): blanks, decimal digits, lower
 * case with the two rules that look further (dotted capital I, final sigma), word characters, printables.
 */
#ifndef TALLY_CORE_LISTINGS_PYVALUE_H
#define TALLY_CORE_LISTINGS_PYVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal/decimal.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_py_kind {
    TL_PY_MISSING, /* no such key; zeroed memory */
    TL_PY_NONE,
    TL_PY_FALSE,
    TL_PY_TRUE,
    TL_PY_INT,   /* a JSON number without point and exponent: of any size */
    TL_PY_FLOAT, /* any other, NaN, Infinity and -Infinity among them */
    TL_PY_STR,
    TL_PY_LIST,
    TL_PY_DICT
} tl_py_kind;

/* tl_py_value: a view.
 * text   INT, FLOAT: as written; STR: decoded, UTF-8 (asserted nowhere: a byte that is none is a strange character)
 * count  LIST, DICT: how many
 * tree   LIST, DICT: the value itself, for str() of it; NULL when nobody will ask */
typedef struct tl_py_value {
    tl_py_kind kind;
    uint32_t count;
    tl_str text;
    const tl_json *tree;
} tl_py_value;

/* X(name): the exceptions that the original's code meets. */
#define TL_PY_ERROR_MAP(X)                                                                         \
    X(ValueError)                                                                                  \
    X(TypeError)                                                                                   \
    X(OverflowError)                                                                               \
    X(AttributeError)

typedef enum tl_py_error {
    TL_PY_OK = 0,
#define TL_PY_ERROR_ENUM(name) TL_PY_##name,
    TL_PY_ERROR_MAP(TL_PY_ERROR_ENUM)
#undef TL_PY_ERROR_ENUM
} tl_py_error;

/* tl_py_error_name: "ValueError"; "" for TL_PY_OK. Static text. */
const char *tl_py_error_name(tl_py_error error);

/* tl_py_of_json: a value of a tree; NULL is missing. tl_py_number: of a number's text alone. */
tl_py_value tl_py_of_json(const tl_json *value);
tl_py_value tl_py_of_number(tl_str text);

#define TL_PY_INT_DIGITS_MAX 4300 /* CPython refuses longer ones, in JSON and in int() */

/* tl_py_is_loadable: would json.loads take it? Not an integer of more than TL_PY_INT_DIGITS_MAX digits (ValueError). */
bool tl_py_is_loadable(tl_py_value value);

/* tl_py_truth: bool(value); a missing one is false. */
bool tl_py_truth(tl_py_value value);

/* tl_py_is_blank: is str(value).strip() empty? Only text can be; a missing value is (nobody has it). */
bool tl_py_is_blank(tl_py_value value);

/* tl_py_float: float(value). ValueError: text that is no number; TypeError: missing, None, list, dict; OverflowError:
 * an integer beyond a double. Text may be infinite or nan, so may FLOAT. */
tl_py_error tl_py_float(double *out, tl_py_value value);

/* tl_py_int: int(value), saturated to int64: the limits that are asked for are far inside. ValueError: text that is no
 * integer, nan; TypeError as above; OverflowError: infinite. */
tl_py_error tl_py_int(int64_t *out, tl_py_value value);

/* tl_py_str: str(value) of a scalar; looks into value.text, static text or buffer. A missing value is the empty text.
 * Lists and dicts: false, and tl_py_str_put is needed. */
bool tl_py_str(tl_str *out, char buffer[TL_F64_TEXT_CAP], tl_py_value value);

/* tl_py_str_put: str(value) of anything, repr of what lists and dicts hold; one without a tree is put as its count of
 * commas, which no Python prints. */
void tl_py_str_put(tl_sb *sb, tl_py_value value);

/* --- text --- */

bool tl_py_is_space(uint32_t code_point);     /* str.isspace: what strip() takes */
int32_t tl_py_digit(uint32_t code_point);     /* 0 to 9 of any script (category Nd); -1: none */
bool tl_py_is_word(uint32_t code_point);      /* \w of re on text */
bool tl_py_is_printable(uint32_t code_point); /* str.isprintable */

/* tl_py_strip: str.strip(). */
tl_str tl_py_strip(tl_str text);

/* tl_py_lower: str.lower() piece by piece, for whoever hashes or stores it: writes at most 16 bytes for the character
 * at *at, moves *at behind it and gives the bytes' count; 0 at the end. */
#define TL_PY_LOWER_CAP 16
size_t tl_py_lower_next(char out[TL_PY_LOWER_CAP], tl_str text, size_t *at);
void tl_py_lower_put(tl_sb *sb, tl_str text);

/* tl_py_find_zipcode: re.search(r"\b\d{5}\b", text).group(0): the first five digits that stand alone. False: none. */
bool tl_py_find_zipcode(tl_str *out, tl_str text);

/* --- times --- */

#define TL_PY_DAY_US INT64_C(86400000000)

/* tl_py_time: what datetime.fromisoformat read. */
typedef struct tl_py_time {
    int64_t utc_us;  /* microseconds since 1970 of the clock, less the zone's offset */
    int64_t zone_us; /* of the offset; 0 without one */
    bool has_zone;   /* aware? */
} tl_py_time;

/* tl_py_fromisoformat: datetime.fromisoformat(text). False (ValueError), out untouched, when CPython 3.11 refuses it. */
bool tl_py_fromisoformat(tl_py_time *out, tl_str text);

/* tl_py_fromisoformat_z: the same of text.replace("Z", "+00:00"). */
bool tl_py_fromisoformat_z(tl_py_time *out, tl_str text);

#ifdef __cplusplus
}
#endif

#endif
