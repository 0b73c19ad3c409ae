/* json, inside the room: what reader.c, keys.c and tree.c share. */
#ifndef TALLY_BASE_JSON_INTERNAL_H
#define TALLY_BASE_JSON_INTERNAL_H

#include "base/json/json.h"

/* tl__json_placed: adds offset, line and column to an error that ctx has; the reader stays failed. Returns err. */
tl_err tl__json_placed(tl_json_reader *reader, size_t offset, tl_err err, tl_errctx *ctx);

/* tl__json_object_fill: object->count members from children into the arena, ready to be looked up.
 *
 * children    the room for their work too: reordered by no one, but shortened when keeps_last
 * keeps_last  a key that is given twice: its last value, in the first one's place; else TL_ERR_DUPLICATE, and
 *             *duplicate is the second one of the first such key
 * Cost:       O(n log n) comparisons of keys
 */
TL_MUST_USE tl_err tl__json_object_fill(tl_json *object, const tl_json_member **duplicate,
                                        tl_arena *arena, tl_arena *scratch,
                                        tl_json_member *children, bool keeps_last, tl_errctx *ctx);

/* tl__json_object_find: the member's value, or NULL. */
const tl_json *tl__json_object_find(const tl_json *object, tl_str key);

#endif
