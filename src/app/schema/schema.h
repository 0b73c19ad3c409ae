/* schema: JSON Schema as text, compiled once, held against values often.
 * For         a service whose document and whose checks are one and the same text
 * Takes       schemas (2020-12, the words below; ' may stand for "), JSON trees, texts of parameters
 * Gives       yes, or the JSON pointer of what does not hold and why; the text as the document shows it
 * Calls       base/json, POSIX regular expressions          Called by   app/api
 * Owns        compiled patterns, until the arena of the set dies
 * Threads     made by one thread; then only read, by any
 * Invariants  SCHEMA-1 a word that is not known is refused when the schema is compiled, never skipped when it is used
 *             SCHEMA-2 a check ends: its depth is bounded by the value's, its steps by value times schema
 *             SCHEMA-3 a message names the place and what was asked for, and repeats nothing of the value
 * Read        compile.c, then check.c
 *
 * Words that are checked:
 *   type (one or a list), enum, const, $ref ("#/components/schemas/NAME"), anyOf, oneOf, allOf
 *   properties, required, additionalProperties (a schema or a boolean), minProperties, maxProperties
 *   items, minItems, maxItems, uniqueItems         minLength, maxLength (in code points), pattern
 *   minimum, maximum, exclusiveMinimum, exclusiveMaximum
 * Words that only tell: title, description, default, examples, example, format, deprecated, readOnly, writeOnly,
 *   contentMediaType, contentEncoding
 *
 * Narrower than the standard, on purpose: an integer fits 64 bits; one that is written with point or exponent (1.0, 1e3: the
 * standard takes them) is below 2^53. In a parameter it has neither. A pattern is a POSIX extended one that means the same in ECMA 262 (no \d, no look-around).
 */
#ifndef TALLY_APP_SCHEMA_H
#define TALLY_APP_SCHEMA_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_schema tl_schema;   /* a compiled schema */
typedef struct tl_schemas tl_schemas; /* a set: what $ref can name */

#define TL_SCHEMA_DEPTH_MAX  32  /* of the text of a schema, and of $ref after $ref on one value */
#define TL_SCHEMA_NAMED_MAX  512 /* schemas of a set */
#define TL_SCHEMA_UNIQUE_MAX 256 /* items of a list that must differ: each is compared with each */

/* tl_schemas_new: an empty set in the arena. */
TL_MUST_USE tl_err tl_schemas_new(tl_schemas **out, tl_arena *arena, tl_errctx *ctx);

/* tl_schemas_name: one more that $ref can name; those that it names itself may come later.
 * Errors: TL_ERR_DUPLICATE, TL_ERR_LIMIT, those of tl_schema_compile; the name is the error's field. */
TL_MUST_USE tl_err tl_schemas_name(tl_schemas *set, const char *name, const char *text,
                                   tl_errctx *ctx);

/* tl_schemas_finish: every $ref of the set finds its schema. Errors: TL_ERR_UNKNOWN with the name. */
TL_MUST_USE tl_err tl_schemas_finish(tl_schemas *set, tl_errctx *ctx);

/* tl_schema_compile: a schema of its own that may refer to the set's. text: JSON, in which ' stands for "; or, when it does
 * not begin with '{', the name of one of the set.
 * Errors: TL_ERR_SYNTAX (no JSON, a pattern), TL_ERR_UNKNOWN (a word, a type), TL_ERR_TYPE, TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_schema_compile(const tl_schema **out, tl_schemas *set, const char *text,
                                     tl_errctx *ctx);

/* tl_schemas_named: the set's i-th, by the order of naming; its name in *name. NULL behind the last one. */
const tl_schema *tl_schemas_named(const tl_schemas *set, size_t index, tl_str *name);

/* tl_schema_json: the schema as JSON, as it goes into a document. */
const tl_json *tl_schema_json(const tl_schema *schema);

/* tl_schema_check: does the value hold to the schema? Errors: TL_ERR_CHECK, the field a JSON pointer ("" is the whole). */
TL_MUST_USE tl_err tl_schema_check(const tl_schema *schema, const tl_json *value, tl_errctx *ctx);

/* tl_schema_check_text: the same for a value that stands as text in a path, query or header: read as the type that the
 * schema names (a string where it names several). Errors: TL_ERR_CHECK, with name as the field. */
TL_MUST_USE tl_err tl_schema_check_text(const tl_schema *schema, tl_str value, const char *name,
                                        tl_errctx *ctx);

/* tl_schema_is_integer: is a JSON number an integer, as the type has it? Not for other kinds: false. */
bool tl_schema_is_integer(int64_t *out, const tl_json *value);

/* tl_schema_default: the default as text; false when there is none. */
bool tl_schema_default(tl_str *out, const tl_schema *schema);

#ifdef __cplusplus
}
#endif

#endif
