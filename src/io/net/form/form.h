/* form: reads multipart/form-data as it arrives, in memory that its sender cannot choose.
 * For         uploads by a presigned form: fields first, then one file of any length
 * Takes       a request's Content-Type, then its body in pieces, cut anywhere
 * Gives       each field as name and value; the file piece by piece
 * Calls       base                             Called by   app/coordinator
 * Owns        nothing: a reader lives in the arena it was made in
 * Threads     one reader, one thread
 * Invariants  FORM-1 how the body is cut into pieces changes nothing
 *             FORM-2 what is kept is at most fields_max fields of field_len_max bytes and one head of a part
 *             FORM-3 a body that is not whole and well formed never ends well: tl_form_finish says so
 * Read        tl_form_feed(), then the states in form.c
 *
 *      body = [line] --boundary CRLF part { CRLF --boundary CRLF part } CRLF --boundary-- [anything]
 *      part = head lines, CRLF, bytes                 (RFC 7578; RFC 2046 section 5.1)
 *
 *      start ─▶ head ─▶ field ─┬▶ head …      the part named "file", or with a filename, is the file. What stands
 *                 └───▶ file ──┴▶ end         behind it is read over, as S3 does; it must be well formed all the same
 *
 * The bytes of a file may hold anything but CRLF, "--" and the boundary together; the reader finds these wherever a
 * piece ends, and hands on all else as it stands.
 */
#ifndef TALLY_IO_NET_FORM_H
#define TALLY_IO_NET_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_FORM_BOUNDARY_LEN_MAX 70 /* RFC 2046 */
#define TL_FORM_HEAD_LEN_MAX     4096
#define TL_FORM_NAME_LEN_MAX     256
#define TL_FORM_FIELDS_MAX       32
#define TL_FORM_FIELD_LEN_MAX    ((size_t)20 << 10) /* a policy in base64 is the longest */

/* tl_form_limits: zero means the default. */
typedef struct tl_form_limits {
    size_t fields_max;    /* TL_FORM_FIELDS_MAX */
    size_t field_len_max; /* of one field's value; TL_FORM_FIELD_LEN_MAX */
} tl_form_limits;

/* tl_form_file: the head of the part that is a file. Views live until on_file_end. */
typedef struct tl_form_file {
    tl_str name;         /* "file" in presigned forms */
    tl_str filename;     /* as sent; a name, never a path to be trusted */
    tl_str content_type; /* empty when none was given */
} tl_form_file;

/* tl_form_calls: what is told as it is read. Any may be NULL; an error ends the reading with that error.
 * on_field  name and value are in the reader's arena: they live as long as it */
typedef struct tl_form_calls {
    void *self;
    tl_err (*on_field)(void *self, tl_str name, tl_str value, tl_errctx *ctx);
    tl_err (*on_file_begin)(void *self, const tl_form_file *file, tl_errctx *ctx);
    tl_err (*on_file)(void *self, tl_bytes piece, tl_errctx *ctx);
    tl_err (*on_file_end)(void *self, tl_errctx *ctx);
} tl_form_calls;

typedef struct tl_form tl_form;

/* tl_form_new: a reader for one body.
 *
 * arena         of the request: fields live there
 * content_type  the header's value: multipart/form-data with a boundary, quoted or not
 * limits        NULL: the defaults
 * calls         copied
 *
 * Errors: TL_ERR_TYPE when it is another media type; TL_ERR_SYNTAX (no boundary or a bad one), TL_ERR_RANGE (limits),
 * TL_ERR_NOMEM, TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_form_new(tl_form **out, tl_arena *arena, tl_str content_type,
                               const tl_form_limits *limits, const tl_form_calls *calls,
                               tl_errctx *ctx);

/* tl_form_feed: the next piece. Errors stick: TL_ERR_SYNTAX (offset: in the body), TL_ERR_LIMIT (field: the form field),
 * TL_ERR_DUPLICATE (a field twice, in whatever case), TL_ERR_ENCODING (no UTF-8), what a callback returned. */
TL_MUST_USE tl_err tl_form_feed(tl_form *form, tl_bytes piece, tl_errctx *ctx);

/* tl_form_finish: the body is over. TL_ERR_SYNTAX when it was cut short (FORM-3), or the error that stuck. */
TL_MUST_USE tl_err tl_form_finish(tl_form *form, tl_errctx *ctx);

/* tl_form_has_file: did a file begin? A form without one ends well: whether that is enough is the caller's question. */
bool tl_form_has_file(const tl_form *form);

#ifdef __cplusplus
}
#endif

#endif
