/* source: where listings come from, and where they are checked.
 * For         the miner, which collects a zipcode, and the validator, which asks about single listings
 * Takes       "http://HOST:PORT" (a market's API), "file:PATH", "exec:PROGRAM", or a function
 * Gives       listings as JSON objects; what became of a listing
 * Calls       sdk/caller, io/sys               Called by   app/miner, app/validator, app/listdemo
 * Owns        connections, the process that runs just now
 * Threads     one tl_source, one thread
 * Invariants  SOURCE-1 a zipcode is collected whole, or there is an error: a page that is missing is no small zipcode
 *             SOURCE-2 what a program or server sends is bounded, and it is not waited for without end
 *             SOURCE-3 silence is told from absence: an answer that never came says nothing about a listing
 *
 *      http    GET /v1/listings?zipcode=Z, page by page; GET /v1/listings/ID; GET /v1/mirror?zipcode=Z: politely: so many
 *              requests a second, few at once, 429 and Retry-After obeyed, a breaker
 *      file    a folder of ZIPCODE.json, or one file: an array of listings with a "zipcode", or an object of arrays by
 *              zipcode; gzip is read too. Read again when it has changed
 *      exec    the program is run with the zipcode as its argument and prints a JSON array; exit 0, within two minutes
 *
 * file and exec have no history: a listing that is not there never was.
 */
#ifndef TALLY_APP_SOURCE_H
#define TALLY_APP_SOURCE_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "base/world/world.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SOURCE_LISTINGS_MAX ((size_t)100000)   /* of a zipcode */
#define TL_SOURCE_LEN_MAX      ((size_t)64 << 20) /* bytes of a zipcode's listings */
#define TL_SOURCE_PROGRAM_MS   120000

typedef struct tl_source tl_source;

/* tl_source_batch: the listings of a zipcode, in the source's order; in the arena of the call. */
typedef struct tl_source_batch {
    const tl_json *const *items; /* objects */
    const int64_t *seen_ms;      /* when each was seen, by the source's clock; NULL: now */
    size_t count;
} tl_source_batch;

/* tl_source_fn: a source that is part of the program. is_mirror: the second-hand copy is wanted. */
typedef tl_err (*tl_source_fn)(void *self, tl_source_batch *out, tl_arena *arena, tl_str zipcode,
                               bool is_mirror, tl_errctx *ctx);

/* tl_source_options: zero means the default. */
typedef struct tl_source_options {
    const char *spec; /* as above; copied. NULL: collect is set */
    tl_source_fn collect;
    void *self;
    uint32_t per_s;      /* requests a second to a server: 200 */
    uint32_t flight_max; /* at once: 8 */
    tl_clock clock;      /* empty: the machine's */
    tl_entropy entropy;
} tl_source_options;

/* Errors: TL_ERR_SYNTAX (spec; field "source"), TL_ERR_NOT_FOUND (no such file), those of tl_caller_new. */
TL_MUST_USE tl_err tl_source_open(tl_source **out, const tl_source_options *options,
                                  tl_errctx *ctx);
void tl_source_close(tl_source *source); /* NULL is fine */

/* tl_source_collect: all listings of a zipcode (SOURCE-1).
 * Errors: TL_ERR_NOT_FOUND: it does not know the zipcode; TL_ERR_IO: it did not answer, or not all of it; TL_ERR_SYNTAX and
 * TL_ERR_TYPE: what it sent is no list of listings; TL_ERR_LIMIT; TL_ERR_INTERRUPTED; the arena's. */
TL_MUST_USE tl_err tl_source_collect(tl_source *source, tl_source_batch *out, tl_arena *arena,
                                     tl_str zipcode, bool is_mirror, tl_errctx *ctx);

/* tl_source_want: one zipcode of several. */
typedef struct tl_source_want {
    tl_str zipcode;
    uint32_t expected; /* listings, about */
    tl_source_batch batch;
    tl_err err; /* as of tl_source_collect */
    tl_errctx why;
} tl_source_want;

/* tl_source_collect_many: several zipcodes at once, as a visitor would: a server's pages are asked for in three rounds, of
 * all zipcodes by turns, a second apart. Nobody's listings are then all seen in one second, which is what a made-up list
 * looks like (listings spec section 9), and a server is not asked for a thousand pages in one breath.
 * The batch or the err of each is set. Errors: TL_ERR_INTERRUPTED, the arena's. */
TL_MUST_USE tl_err tl_source_collect_many(tl_source *source, tl_source_want *wants, size_t count,
                                          tl_arena *arena, tl_errctx *ctx);

/* tl_source_has_mirror: is there a second-hand copy to hold against it? */
bool tl_source_has_mirror(const tl_source *source);

typedef enum tl_source_state {
    TL_SOURCE_HERE,
    TL_SOURCE_GONE,    /* it was there, until gone_ms */
    TL_SOURCE_UNKNOWN, /* it never was */
    TL_SOURCE_SILENT   /* nobody answered (SOURCE-3) */
} tl_source_state;

typedef struct tl_source_look {
    tl_source_state state;
    const tl_json *item; /* when HERE */
    int64_t gone_ms;     /* when GONE; 0: not told */
} tl_source_look;

/* tl_source_ask: what became of single listings, by the id that the source gave them, of one zipcode. out: count.
 * Errors: TL_ERR_INTERRUPTED, the arena's; whatever else fails is SILENT. */
TL_MUST_USE tl_err tl_source_ask(tl_source *source, tl_source_look *out, tl_arena *arena,
                                 tl_str zipcode, const tl_str *ids, size_t count, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
