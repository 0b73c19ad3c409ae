/* record: a miner's object, byte by byte, as listings.
 * For         reading what a stranger uploaded, once, at the speed of a scan, and never holding more than one listing
 * Takes       an object's bytes: {"zipcode","listings":[{…}…]}, other keys ignored
 * Gives       tl_listing after tl_listing; addresses, identities, dates and numbers in one form each
 * Calls       base/json (its scan), core/listings/model     Called by   core/listings/shard, app
 * Owns        nothing: texts look into the object's bytes, or into the scratch arena when they had to be decoded
 * Threads     one reader, one thread; the other functions are pure
 * Invariants  REC-1 what the strict reader of base/json refuses is refused, and what it accepts is read
 *             REC-2 numbers become integers digit by digit, cut and never rounded: no double, no locale
 *             REC-3 normalising a normalised address changes nothing
 *             REC-4 a reader with a memo reads what one without it reads
 * Read        decode.c (the pass over the bytes), fields.c (what a value means), address.c, moment.c, memo.c
 *
 * The grammar is that of tl_json_next with allow_nonfinite, for Python writes NaN: depth, UTF-8, escapes, numbers. A key
 * that this room knows and that comes twice in one object is refused (TL_ERR_DUPLICATE), as the tree reader does; keys
 * that it does not know may repeat, nobody reads them. Anything else than an object in "listings" counts as a listing
 * with nothing in it.
 *
 * What a value means (listings spec section 5):
 *
 *      absent      no key, null, NaN, and text that is blank or "nan" in any case
 *      numbers     JSON numbers, or text of the same grammar with spaces around, a '+' before or zeros in front;
 *                  1.225e+006 is one. No separators, no units. Kept as hundredths, what follows is cut toward zero;
 *                  days on market as whole days, coordinates as millionths. What leaves ±10^15 is unreadable (REC-2)
 *      dates       2014-10-13, 20141013, and either with T or a space and hh:mm, hh:mm:ss, hhmm, hhmmss, then an optional
 *                  fraction (any digits, cut to ms), then nothing, Z, z, or ±hh, ±hhmm, ±hh:mm (at most 23:59). The day
 *                  must exist, years 1 to 9999, no leap second, no 24:00. Without a zone: UTC
 *      types       the vocabulary's eight words; the usual names are mapped ("single family home", "townhome",
 *                  "CONDO", "multi-family (2-4 unit)"), whatever else is OTHER
 *      zipcodes    five digits, or five and four with a hyphen; a JSON number is padded with zeros in front
 *
 * Identity: "zpid:" and the zpid, else "uri:" and uri or source_url, else "mls:" and the mls_id, else "address:" and the
 * normalised address; texts trimmed, otherwise as they stand; a number that is an integer is written as one.
 */
#ifndef TALLY_CORE_LISTINGS_RECORD_H
#define TALLY_CORE_LISTINGS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_RECORD_LEN_MAX ((size_t)64 << 20) /* bytes of an object (cli spec) */
#define TL_RECORD_ADDRESS_MAX                                                                      \
    ((size_t)512) /* bytes of an address, and of an identity, that count */
#define TL_RECORD_TEXT_MAX                                                                         \
    ((size_t)65536) /* bytes of any text; what follows is as if it were not there */

/* tl_listing_reader: the caller's storage; fields are the room's but for the first three, is_ours, memo
 * and note.
 *
 *      tl_record_open(&reader, scratch, object, 0, ctx)
 *      for (;;) {
 *          const tl_arena_mark mark = tl_arena_get_mark(scratch);
 *          TL_TRY(tl_record_next(&reader, &listing, &has_listing, ctx));
 *          if (!has_listing) { break; }
 *          …                                       listing is good until the rewind
 *          tl_arena_rewind(scratch, mark);
 *      }                                           reader.zipcode is known now, wherever it stood
 */
typedef struct tl_listing_reader {
    char zipcode[6]; /* the object's own, five digits; "" when it names none */
    uint32_t count;  /* listings read so far */
    size_t offset;   /* where the listing read last begins in the object */
    tl_arena *scratch;
    const char *begin;
    const char *at;
    const char *end;
    uint32_t first_index;
    uint8_t state;
    uint8_t failed;
    bool has_zipcode;
    bool has_listings;
    bool is_ours;                /* the error is of the arena, not of the object */
    struct tl_record_memo *memo; /* may be set after tl_record_open; NULL: none */
    void *note;                  /* of the listing read last, when the memo holds it; else NULL */
} tl_listing_reader;

/* tl_record_memo: listings that were read, by their bytes without the value of scraped_timestamp, for readers of many
 * objects that say the same (REC-4). Bounded: some 32 MiB; one that finds little gives up. Lives in the arena, in a child
 * of it; listings found look into it and die with the next one read. One memo, one thread.
 *
 * listings  of an object, about
 * note_len  bytes, zeroed, aligned for a uint64_t, that the caller may fill for each listing held: what follows from it
 *           whatever its index and its scraped_timestamp are. reader.note is it
 * Errors: those of the arena; what is short later only makes it forget. */
typedef struct tl_record_memo tl_record_memo;
TL_MUST_USE tl_err tl_record_memo_new(tl_record_memo **out, tl_arena *arena, uint32_t listings,
                                      size_t note_len, tl_errctx *ctx);

/* tl_record_open: begin.
 *
 * scratch      where texts with escapes, addresses and identities go; some hundred bytes a listing
 * object       borrowed as long as the reader and its listings are used
 * first_index  index of the object's first listing within the submission (LIST-2)
 * Errors: TL_ERR_LIMIT when the object is longer than TL_RECORD_LEN_MAX. */
TL_MUST_USE tl_err tl_record_open(tl_listing_reader *reader, tl_arena *scratch, tl_str object,
                                  uint32_t first_index, tl_errctx *ctx);

/* tl_record_next: the next listing; *has_listing is false when the whole object was read and found well-formed.
 * Errors stick. TL_ERR_SYNTAX, TL_ERR_ENCODING, TL_ERR_LIMIT (depth) as base/json's, with their place; TL_ERR_TYPE when
 * the object or its "listings" is of another kind; TL_ERR_RANGE for a "zipcode" that is none; TL_ERR_MISSING when there
 * are no "listings"; TL_ERR_DUPLICATE; those of the arena. */
TL_MUST_USE tl_err tl_record_next(tl_listing_reader *reader, tl_listing *out, bool *has_listing,
                                  tl_errctx *ctx);

/* tl_record_at: one listing again, by the offset that a reader had told of it. The bytes must be those that were read. */
TL_MUST_USE tl_err tl_record_at(tl_listing *out, tl_arena *scratch, tl_str object, size_t offset,
                                uint32_t index, tl_errctx *ctx);

/* tl_record_address: an address in its one form (listings spec section 5): ASCII letters upper case, punctuation dropped
 * ('#' becomes UNIT), suffixes and directions abbreviated, unit marks unified, single spaces, zip+4 cut, a country at the
 * end dropped. Bytes beyond ASCII stay. Only the first TL_RECORD_ADDRESS_MAX bytes count. out is raw's own bytes or the
 * arena's. */
TL_MUST_USE tl_err tl_record_address(tl_str *out, tl_arena *arena, tl_str raw, tl_errctx *ctx);

/* tl_record_moment: a date or date-time as above, in ms of Unix time. False, out untouched, when it is none. */
bool tl_record_moment(int64_t *out_ms, tl_str text);

/* tl_record_number: a number as above, times 10^decimals (0 to 9), cut toward zero. False, out untouched, when it is none
 * or leaves ±10^15. */
bool tl_record_number(int64_t *out, tl_str text, uint32_t decimals);

/* tl_record_property_type: by its usual names. */
tl_property_type tl_record_property_type(tl_str text);

/* tl_record_zipcode: "98101" or "98101-1234", spaces around allowed. False, out untouched, when it is neither. */
bool tl_record_zipcode(char out[6], tl_str text);

#ifdef __cplusplus
}
#endif

#endif
