/* str: text and bytes as views, and a builder that fails once and stays failed.
 * For         everything that is not at libc's edge; NUL-terminated text lives only there
 * Takes       pointer and length               Gives       views; built text in the arena
 * Calls       base/arena                       Called by   everything
 * Owns        nothing: a view lives as long as what it looks at
 * Invariants  STR-1 a builder that failed once gives no text, only its error
 *             STR-2 tl_sb_finish gives text with a NUL behind it that len does not count
 */
#ifndef TALLY_BASE_STR_H
#define TALLY_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A view of text; ptr may be NULL when len is 0. Not NUL-terminated unless a function says so. */
typedef struct tl_str {
    const char *ptr;
    size_t len;
} tl_str;

/* A view of bytes. */
typedef struct tl_bytes {
    const uint8_t *ptr;
    size_t len;
} tl_bytes;

/* 32 bytes by value: digests, public keys, commitments. */
typedef struct tl_hash32 {
    uint8_t b[32];
} tl_hash32;

#define TL_STR(literal)  ((tl_str){"" literal, sizeof(literal) - 1})
#define TL_STR_ARG(view) (int)(view).len, ((view).ptr != NULL ? (view).ptr : "") /* for "%.*s" */

tl_str tl_str_from_cstr(const char *text); /* NULL gives the empty view */
tl_bytes tl_str_bytes(tl_str s);
bool tl_str_eq(tl_str a, tl_str b);
bool tl_str_eq_cstr(tl_str a, const char *b);
bool tl_str_starts_with(tl_str s, tl_str prefix);
bool tl_str_ends_with(tl_str s, tl_str suffix);

/* tl_str_cmp, tl_bytes_cmp, tl_hash32_cmp: total order by unsigned bytes, shorter first: < 0, 0, > 0. */
int tl_str_cmp(tl_str a, tl_str b);
int tl_bytes_cmp(tl_bytes a, tl_bytes b);
int tl_hash32_cmp(const tl_hash32 *a, const tl_hash32 *b);

/* tl_str_slice: [from, to), both cut to the view's length. */
tl_str tl_str_slice(tl_str s, size_t from, size_t to);

/* tl_str_find: index of the first byte c, or s.len. */
size_t tl_str_find(tl_str s, char c);

/* tl_str_split: cut *rest at the first separator: returns what stands before it; *rest becomes what follows.
 * false when *rest had been used up (ptr NULL). */
bool tl_str_split(tl_str *out, tl_str *rest, char separator);

/* tl_str_trim: without spaces, tabs, CR and LF at both ends. */
tl_str tl_str_trim(tl_str s);

/* tl_str_parse_u64, _i64: the whole text as a decimal integer: no sign but '-', no plus, no space, no leading zeros.
 * False (out untouched) when it is none or does not fit. */
bool tl_str_parse_u64(uint64_t *out, tl_str s);
bool tl_str_parse_i64(int64_t *out, tl_str s);

/* tl_str_is_utf8: well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? */
bool tl_str_is_utf8(tl_str s);

/* tl_str_utf8_at: the length of the well-formed UTF-8 sequence that begins at offset at (below s.len) and its code
 * point; 0, *code_point untouched, when there is none. code_point may be NULL. */
size_t tl_str_utf8_at(uint32_t *code_point, tl_str s, size_t at);

/* tl_reveal: a yes or no that depends on a secret becomes public here, on purpose (does the checksum hold, is the word
 * at its end): a branch that no compiler folds into what follows. The memory checker that proves the rest blind to its
 * secrets passes over this one function (tests/proofs/secrets.sh), so each call of it is a thing that time may show. */
bool tl_reveal(bool secret);

/* tl_wipe: overwrite a secret with zeros, and no compiler takes the write away. Any len, 0 too. */
void tl_wipe(void *secret, size_t len);

/* copy_: deep copies in the arena; cstr has a NUL behind it. */
TL_MUST_USE tl_err tl_str_copy(tl_str *out, tl_arena *arena, tl_str s, tl_errctx *ctx);
TL_MUST_USE tl_err tl_str_copy_cstr(const char **out, tl_arena *arena, tl_str s, tl_errctx *ctx);

/* tl_sb: builds text in an arena. Errors stick: look at them once, in tl_sb_finish. */
typedef struct tl_sb {
    tl_arena *arena;
    char *text;
    size_t len;
    size_t cap;
    tl_err err;
} tl_sb;

void tl_sb_init(tl_sb *sb, tl_arena *arena);
void tl_sb_put(tl_sb *sb, tl_str s);
void tl_sb_put_cstr(tl_sb *sb, const char *text);
void tl_sb_put_bytes(tl_sb *sb, const void *bytes, size_t len);
void tl_sb_put_char(tl_sb *sb, char c);
void tl_sb_put_repeat(tl_sb *sb, char c, size_t count);
void tl_sb_put_u64(tl_sb *sb, uint64_t value);
void tl_sb_put_i64(tl_sb *sb, int64_t value);
void tl_sb_printf(tl_sb *sb, const char *format, ...)
    TL_PRINTF(2, 3); /* no %f, %g: the locale speaks there */

/* tl_sb_finish: the text; the builder may go on, and the view then sees the old text only. */
TL_MUST_USE tl_err tl_sb_finish(tl_str *out, tl_sb *sb, tl_errctx *ctx);

/* tl_str_print: format into the caller's cap bytes (at least 1), NUL-terminated, cut when it does not fit. Returns the
 * length that stands there. For short texts of known size; no %f, %g. */
size_t tl_str_print(char *out, size_t cap, const char *format, ...) TL_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
