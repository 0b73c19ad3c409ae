/* value: data as Python has it, because the v10 wire is Python's text.
 * For         message fields: what json.loads made of a body, and the str() of it that is hashed and signed
 * Takes       JSON text or values made in C        Gives    Python's str() and repr(), json.dumps in two styles
 * Calls       base                                 Called by   sdk/synapse, sdk/tensor, sdk/dendrite, sdk/axon
 * Owns        nothing: values are plain and live in the arena (or the text) that they were made from
 * Threads     a finished value is only read, by anyone
 * Invariants  VAL-1 an integer that fits 64 bits is TL_VALUE_INT, only others are TL_VALUE_BIGINT: one form each
 *             VAL-2 what json text gave prints, in either style, as what Python prints for json.loads of it
 *             VAL-3 repr escapes exactly the characters that CPython's str.isprintable refuses
 * Read        parse.c, then text.c, then number.c
 *
 * Where Python's json.loads is laxer than JSON we follow it in three things, since Python's clients rely on them: the
 * words NaN, Infinity and -Infinity are numbers; of equal keys the last value counts, in the first one's place;
 * numbers have any size (1e400 is inf; integers up to 4300 digits, as CPython has it). We do not follow it in these:
 * half a surrogate pair, UTF-16 or UTF-32 text and a byte order mark are refused.
 */
#ifndef TALLY_SDK_VALUE_H
#define TALLY_SDK_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_value_kind {
    TL_VALUE_NONE, /* so that zeroed memory is None */
    TL_VALUE_BOOL,
    TL_VALUE_INT,
    TL_VALUE_BIGINT, /* an integer beyond 64 bits: its digits in canonical form */
    TL_VALUE_FLOAT,  /* may be nan or infinite */
    TL_VALUE_STR,    /* UTF-8 */
    TL_VALUE_LIST,
    TL_VALUE_TUPLE,
    TL_VALUE_DICT
} tl_value_kind;

typedef struct tl_value tl_value;
typedef struct tl_value_member tl_value_member;

/* Look at kind before anything else. */
struct tl_value {
    tl_value_kind kind;
    uint32_t count; /* of items or members; else 0 */
    union {
        bool boolean;
        int64_t i64;
        double f64;
        tl_str text;                    /* STR, BIGINT */
        const tl_value *items;          /* LIST, TUPLE: count of them */
        const tl_value_member *members; /* DICT: count of them, in the order of the text */
    };
};

struct tl_value_member {
    tl_str key;
    tl_value value;
};

/* Values without an arena; text is borrowed and must be UTF-8. */
tl_value tl_value_none(void);
tl_value tl_value_from_bool(bool value);
tl_value tl_value_from_i64(int64_t value);
tl_value tl_value_from_f64(double value);
tl_value tl_value_from_str(tl_str text);
tl_value tl_value_from_items(const tl_value *items, size_t count); /* a list; count below 2^32 */
tl_value tl_value_from_members(const tl_value_member *members, size_t count); /* keys differ */

/* tl_value_limits: what one text may ask for; zero means the default. */
typedef struct tl_value_limits {
    uint32_t depth_max; /* nested lists and dicts; default TL_VALUE_DEPTH_MAX */
    uint32_t count_max; /* values in all; default TL_VALUE_COUNT_MAX */
    size_t len_max;     /* bytes of text; default TL_VALUE_LEN_MAX */
} tl_value_limits;

#define TL_VALUE_DEPTH_MAX  128
#define TL_VALUE_COUNT_MAX  1000000u          /* some 80 MB of memory */
#define TL_VALUE_LEN_MAX    ((size_t)1 << 28) /* bodies have a lower limit of their own */
#define TL_VALUE_DIGITS_MAX 4300              /* of an integer, as CPython's int() */

/* tl_value_parse: what Python's json.loads makes of text.
 *
 * text    borrowed: strings without escapes look into it
 * limits  may be NULL
 * Errors: TL_ERR_SYNTAX, TL_ERR_ENCODING, TL_ERR_LIMIT with offset, line and column; the arena is then as it was.
 */
TL_MUST_USE tl_err tl_value_parse(tl_value *out, tl_arena *arena, tl_str text,
                                  const tl_value_limits *limits, tl_errctx *ctx);

/* tl_value_from_json: the same from a parsed tree, which must outlive the value. */
TL_MUST_USE tl_err tl_value_from_json(tl_value *out, tl_arena *arena, const tl_json *json,
                                      tl_errctx *ctx);

/* tl_value_copy: a deep copy, texts too. */
TL_MUST_USE tl_err tl_value_copy(tl_value *out, tl_arena *arena, const tl_value *value,
                                 tl_errctx *ctx);

/* tl_value_get: the member of a dict, or NULL; NULL also when value is NULL or no dict. A scan. */
const tl_value *tl_value_get(const tl_value *value, tl_str key);

/* tl_value_eq: same kind, same bits (nan equals nan, 0.0 is not -0.0), members in the same order. */
bool tl_value_eq(const tl_value *a, const tl_value *b);

/* tl_value_type_name: "NoneType", "bool", "int", "float", "str", "list", "tuple", "dict": for messages. */
const char *tl_value_type_name(const tl_value *value);

/* tl_value_as_*: the C value. TL_ERR_TYPE names field and kind; TL_ERR_RANGE for an integer beyond 64 bits. */
TL_MUST_USE tl_err tl_value_as_i64(int64_t *out, const tl_value *value, const char *field,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err tl_value_as_f64(double *out, const tl_value *value, const char *field,
                                   tl_errctx *ctx); /* integers too, rounded to nearest */
TL_MUST_USE tl_err tl_value_as_str(tl_str *out, const tl_value *value, const char *field,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err tl_value_as_bool(bool *out, const tl_value *value, const char *field,
                                    tl_errctx *ctx);

/* tl_value_clamp_i64: an integer, one beyond 64 bits cut to the nearest end; if_none for anything else. For comparing
 * figures that a stranger sent. */
int64_t tl_value_clamp_i64(const tl_value *value, int64_t if_none);

/* --- Python's text --- */

/* tl_value_put_str: str(value): a string as it is, anything else as tl_value_put_repr. */
void tl_value_put_str(tl_sb *sb, const tl_value *value);

/* tl_value_put_repr: repr(value): [1, 2.5, 'a', None, True], {'k': (1,)}, shortest floats. */
void tl_value_put_repr(tl_sb *sb, const tl_value *value);

/* tl_value_put_str_repr: repr of a string: quotes chosen, non-printables escaped (VAL-3). A byte that is no UTF-8
 * becomes U+FFFD. */
void tl_value_put_str_repr(tl_sb *sb, tl_str text);

/* --- JSON text --- */

typedef enum tl_value_style {
    TL_VALUE_REQUEST, /* json.dumps: ", " and ": ", non-ASCII as \uXXXX, NaN and Infinity as words */
    TL_VALUE_RESPONSE /* separators "," and ":", UTF-8 as it is, NaN and infinity refused */
} tl_value_style;

/* tl_value_put_json: JSON text in a style; tuples are arrays. Under TL_VALUE_RESPONSE the value must be finite: ask
 * tl_value_is_finite first (asserted). */
void tl_value_put_json(tl_sb *sb, const tl_value *value, tl_value_style style);
void tl_value_put_json_str(tl_sb *sb, tl_str text, tl_value_style style); /* quoted and escaped */

/* tl_value_is_finite: is there no nan and no infinity in it? */
bool tl_value_is_finite(const tl_value *value);

/* --- Python's int() and float() of text --- */

/* tl_value_parse_int: int(text): white space around it, a sign, digits with single '_' between them; at most
 * TL_VALUE_DIGITS_MAX digits. *out is canonical: INT or BIGINT (VAL-1), its digits in arena (NULL: an integer beyond
 * 64 bits is refused). Only ASCII digits. False, out untouched, when it is none. */
bool tl_value_parse_int(tl_value *out, tl_arena *arena, tl_str text);

/* tl_value_parse_float: float(text): white space around it, a sign, digits with single '_', point, exponent; nan, inf,
 * infinity in any case; at most 512 characters. False, out untouched, when it is none. */
bool tl_value_parse_float(double *out, tl_str text);

/* tl_value_parse_int_lax, _float_lax, _bool_lax: what a validating model makes of text for such a field: as above, but
 * int takes "5.0" too, and '_' may not stand at an end. */
bool tl_value_parse_int_lax(tl_value *out, tl_arena *arena, tl_str text);
bool tl_value_parse_float_lax(double *out, tl_str text);
bool tl_value_parse_bool_lax(bool *out,
                             tl_str text); /* 0 1 t f y n on off yes no true false, any case */

#ifdef __cplusplus
}
#endif

#endif
