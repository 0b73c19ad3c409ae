/* For the room alone: the head of a part, and what a Content-Type says. */
#ifndef TALLY_IO_NET_FORM_INTERNAL_H
#define TALLY_IO_NET_FORM_INTERNAL_H

#include "io/net/form/form.h"

/* tl__form_head: what a part's head lines say; texts are copied into the arena. */
typedef struct tl__form_head {
    tl_str name;
    tl_str filename;
    tl_str content_type;
    bool is_file; /* named "file", or with a filename */
} tl__form_head;

/* tl__form_boundary: the boundary of a multipart/form-data media type, a view or, unescaped, in the arena. */
tl_err tl__form_boundary(tl_str *out, tl_arena *arena, tl_str content_type, tl_errctx *ctx);

/* tl__form_parse_head: the lines, each with its CRLF, without the empty one. */
tl_err tl__form_parse_head(tl__form_head *out, tl_arena *arena, tl_str lines, tl_errctx *ctx);

/* tl__form_eq_nocase: equal but for the case of ASCII letters. */
bool tl__form_eq_nocase(tl_str a, tl_str b);

#endif
