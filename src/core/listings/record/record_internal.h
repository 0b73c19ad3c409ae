/* record, inside the room: scanning JSON (scan.c), what a value means (fields.c). */
#ifndef TALLY_CORE_LISTINGS_RECORD_INTERNAL_H
#define TALLY_CORE_LISTINGS_RECORD_INTERNAL_H

#include "core/listings/record/record.h"

/* --- scan.c: one JSON value after the other, checked as strictly as base/json checks, nothing decoded --- */

#define TL__DEPTH_MAX 128 /* base/json's default, the object itself counted */

typedef struct tl__cursor {
    const char *at;
    const char *end;
} tl__cursor;

typedef enum tl__kind {
    TL__ABSENT, /* no such key yet */
    TL__NULL,
    TL__NUMBER, /* NaN and the infinities too */
    TL__STRING,
    TL__OTHER /* true, false, an array or an object: there, and never what a field means */
} tl__kind;

/* tl__value: where a value stands in the text; of a string what is between the quotes. */
typedef struct tl__value {
    tl_str text;
    tl__kind kind;
    bool has_escapes; /* of a string */
} tl__value;

/* Each steps over what it names and returns true, or returns false: the text is not JSON there. at then means nothing. */
bool tl__scan_string(tl__cursor *c, tl__value *out); /* at stands on the opening quote */
bool tl__scan_value(tl__cursor *c, tl__value *out, uint32_t depth); /* depth: of what holds it */

/* tl__scan_blank: over white space; true when a byte follows. */
static inline bool tl__scan_blank(tl__cursor *c)
{
    while (c->at < c->end &&
           (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t')) {
        c->at++;
    }
    return c->at < c->end;
}

/* tl__unescape: a scanned string's text, decoded into the arena when it has escapes, and no more of it than
 * TL_RECORD_TEXT_MAX. Other values stand as they are written. */
TL_MUST_USE tl_err tl__unescape(tl_str *out, tl_arena *arena, const tl__value *string,
                                tl_errctx *ctx);

/* tl__unescape_key: the same; a key too long for anyone to know is empty. */
TL_MUST_USE tl_err tl__unescape_key(tl_str *out, tl_arena *arena, const tl__value *key,
                                    tl_errctx *ctx);

/* --- fields.c --- */

#define TL__FIELD_URI   TL_LISTING_FIELD_COUNT /* read for the identity alone */
#define TL__VALUE_COUNT (TL_LISTING_FIELD_COUNT + 1)

/* tl__field_of_key: TL__VALUE_COUNT when nobody reads it. */
unsigned tl__field_of_key(tl_str key);

/* tl__listing_make: everything but the index. values: TL__VALUE_COUNT of them. */
TL_MUST_USE tl_err tl__listing_make(tl_listing *out, tl_arena *arena, const tl__value *values,
                                    tl_errctx *ctx);

/* tl__listing_set_scraped: as if text had stood in the place of scraped_timestamp. */
void tl__listing_set_scraped(tl_listing *listing, tl_str text);

/* tl__trim: without blanks at both ends, as Python's strip takes them away. */
tl_str tl__trim(tl_str text);

/* tl__zipcode_from_number: 98101, 2134 (padded), 98101.0. */
bool tl__zipcode_from_number(char out[6], tl_str text);

/* --- memo.c --- */

/* tl__memo_find: the listing at r->at, when the memo knows its bytes; r->at then stands behind it. */
bool tl__memo_find(tl_listing_reader *r, tl_listing *out);

/* tl__memo_keep: what was read from text. scraped: the value of scraped_timestamp, as it was scanned. */
void tl__memo_keep(tl_listing_reader *r, tl_str text, const tl__value *scraped,
                   const tl_listing *listing);

/* --- address.c --- */

/* tl__address_zipcode: the last word of a normalised address, when it is five digits and not the only word. */
bool tl__address_zipcode(char out[6], tl_str normalised);

#endif
