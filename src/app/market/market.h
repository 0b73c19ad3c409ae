/* market: a made world of houses for sale, the same for everyone who has its seed, changing with the time of day.
 * For         tests, demos and a newcomer's first hour: miners collect from it, validators check against it
 * Takes       a seed, places, a time            Gives   listings, a second-hand copy with traps, a server
 * Calls       core/num/rng, core/crypto/hash, io/net/http      Called by   app/cli, app/listdemo
 * Owns        nothing but the server's threads: the world is a function of seed, place, slot and time
 * Threads     a tl_market is only read, by any
 * Invariants  MARKET-1 a listing's number tells nothing: those of traps are made as all others are
 *             MARKET-2 at one time a slot has at most one listing, and what it says follows from seed, slot and time alone
 *             MARKET-3 a trap stands in the mirror only: the market itself never knew it
 *
 * A zipcode has as many slots as listings are expected of it. In each slot one house follows another:
 *
 *      slot 17   ──[house 0: 31 days]──┬─[house 1: 12 days]──┬────[house 2: 54 days]────┬─ …      most slots
 *      slot 18   ─[9 min]┬[14 min]┬[22 min]┬─ …                                                   one slot in a hundred
 *
 * so that nearly everything holds still for an epoch, and something always has just been sold. A house may become cheaper
 * half-way. Prices are of the zipcode (a level of its own), of the type and size, and of luck.
 *
 * The mirror is what a careless miner copies from: the market as it stood three days ago, and traps: houses that nobody
 * ever offered, whose numbers and words look like all others.
 */
#ifndef TALLY_APP_MARKET_H
#define TALLY_APP_MARKET_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_MARKET_SLOTS_MAX   8000 /* of a zipcode; above it no numbers are left for traps */
#define TL_MARKET_ADDRESS_CAP 112
#define TL_MARKET_TEXT_CAP    160

/* tl_market: the world. places is borrowed, ascending by zipcode. */
typedef struct tl_market {
    uint64_t seed;
    const tl_place *places;
    size_t place_count;
} tl_market;

/* tl_market_item: one listing at one time. */
typedef struct tl_market_item {
    uint64_t number; /* zpid */
    const tl_place *place;
    tl_property_type property_type;
    int64_t price; /* dollars */
    uint32_t bedrooms;
    uint32_t bathrooms_halves;
    uint32_t sqft;
    uint32_t mls;
    int64_t listed_ms;  /* Unix time */
    int64_t gone_ms;    /* when it will be sold */
    int64_t updated_ms; /* last change that anyone could see by now */
    bool is_pending;
    int32_t latitude_e6;
    int32_t longitude_e6;
    char address[TL_MARKET_ADDRESS_CAP];
    char description[TL_MARKET_TEXT_CAP];
} tl_market_item;

/* tl_market_place: the place of a zipcode, or NULL. */
const tl_place *tl_market_place(const tl_market *market, tl_str zipcode);

/* tl_market_slot_count: how many slots a place has. */
uint32_t tl_market_slot_count(const tl_place *place);

/* tl_market_at: what stands in a slot at that time. False: nothing does just then. */
bool tl_market_at(tl_market_item *out, const tl_market *market, const tl_place *place,
                  uint32_t slot, int64_t now_ms);

typedef enum tl_market_answer {
    TL_MARKET_HERE,
    TL_MARKET_GONE,   /* it was there */
    TL_MARKET_UNKNOWN /* it never was */
} tl_market_answer;

/* tl_market_find: a listing by its number as text. out is set when HERE and when GONE (as it last was). */
tl_market_answer tl_market_find(tl_market_item *out, const tl_market *market, tl_str id,
                                int64_t now_ms);

/* tl_market_trap_count, tl_market_trap: the houses of a place's mirror that never were. index below the count. */
uint32_t tl_market_trap_count(const tl_place *place);
void tl_market_trap(tl_market_item *out, const tl_market *market, const tl_place *place,
                    uint32_t index, int64_t now_ms);

#define TL_MARKET_MIRROR_AGE_MS INT64_C(259200000)

/* tl_market_put: the listing as one JSON object. */
void tl_market_put(tl_json_writer *w, const tl_market_item *item, int64_t now_ms);

/* tl_market_page: {"items","next_cursor","as_of"} of a zipcode, from the slot that cursor names.
 * cursor  empty: from the beginning     limit  1 … TL_MARKET_PAGE_MAX
 * Errors: TL_ERR_NOT_FOUND (no such zipcode), TL_ERR_SYNTAX (cursor), the arena's. */
#define TL_MARKET_PAGE_MAX     200
#define TL_MARKET_PAGE_DEFAULT 100
TL_MUST_USE tl_err tl_market_page(tl_str *out, tl_arena *arena, const tl_market *market,
                                  tl_str zipcode, uint32_t limit, tl_str cursor, bool is_mirror,
                                  int64_t now_ms, tl_errctx *ctx);

/* --- the server (serve.c) --- */

typedef struct tl_market_server tl_market_server;

/* tl_market_options: zero means the default.
 * fail_millionths  that share of answers is a 500, a 429 or late */
typedef struct tl_market_options {
    tl_str listen_ip; /* 127.0.0.1 */
    uint16_t listen_port;
    uint32_t fail_millionths;
    size_t loop_count; /* 1 */
    tl_clock clock;    /* empty: the machine's */
} tl_market_options;

/* market is borrowed until tl_market_server_free. Errors: those of tl_http_server_start. */
TL_MUST_USE tl_err tl_market_server_start(tl_market_server **out, const tl_market *market,
                                          const tl_market_options *options, tl_errctx *ctx);
uint16_t tl_market_server_port(const tl_market_server *server);
void tl_market_server_free(tl_market_server *server); /* stops it; NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
