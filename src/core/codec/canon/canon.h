/* canon: one JSON value, one text: what is hashed, compared and signed.
 * For         digests of submissions, parameters and results; equality of documents
 * Takes       a tree of base/json              Gives       text without a choice in it
 * Calls       base/json, base/decimal, num/stats            Called by   epoch, subnet, app
 * Owns        nothing: the text is in the builder, scratch in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  CANON-1 canon(parse(canon(x))) is canon(x)
 *             CANON-2 the text is that of Python's json.dumps(x, sort_keys=True, separators=(",", ":")) for what
 *                     json.loads made of the source
 *
 * The rules, each as Python has it:
 *
 *      objects   members by key, ascending by bytes of UTF-8, which is the order of code points; keys once
 *      strings   ASCII: \" \\ \b \f \n \r \t, all else outside 0x20 … 0x7e as \u and four lower-case digits, above
 *                U+FFFF as two surrogates
 *      integers  (no '.', no exponent in the source) digit by digit, however many: 0 for -0
 *      others    the nearest double, as its shortest text: 1e3 is 1000.0, 1E400 is refused, -0.0 stays -0.0
 *
 * -0.0 and 0.0 are two texts, since Python tells them apart; core never makes a -0.0 of its own (rule D5).
 */
#ifndef TALLY_CORE_CODEC_CANON_H
#define TALLY_CORE_CODEC_CANON_H

#include "base/arena/arena.h"
#include "base/json/json.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_canon_json: the canonical text of a tree, into a builder.
 *
 * arena  for scratch, rewound before return; may be the builder's own: then it is not rewound
 * Errors: TL_ERR_RANGE (a number beyond doubles), TL_ERR_DUPLICATE (a key given twice), TL_ERR_LIMIT (deeper than
 * TL_JSON_DEPTH_MAX), TL_ERR_NOMEM; offset is that of the value in the tree's text. The builder then holds a part.
 */
TL_MUST_USE tl_err tl_canon_json(tl_sb *sb, const tl_json *value, tl_arena *arena, tl_errctx *ctx);

/* tl_canon_text: parse a text and give its canonical one, in the arena.
 * Errors: those of tl_json_parse and tl_canon_json. */
TL_MUST_USE tl_err tl_canon_text(tl_str *out, tl_arena *arena, tl_str text, tl_errctx *ctx);

/* tl_canon_check: TL_OK when the text is its own canonical one; TL_ERR_CANONICAL, with the offset of the first byte
 * that differs, when it is not. Errors besides: those of tl_canon_text. */
TL_MUST_USE tl_err tl_canon_check(tl_str text, tl_arena *arena, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
