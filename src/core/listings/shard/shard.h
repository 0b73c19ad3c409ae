/* shard: one zipcode of one epoch: what every miner brought, judged.
 * For         the sheets that validators rank, compare and publish; the same bits wherever they are made
 * Takes       the miners' objects of the zipcode, the beacon, the place, the parameters
 * Gives       a sheet a miner: tiers 1 and 2, findings, quality, the samples of the spot check
 * Calls       core/listings/record, near, place, core/num, core/crypto/hash      Called by   core/subnet/listings, app
 * Owns        nothing after finish: results live in the arena given to new
 * Threads     one shard, one thread; shards know nothing of each other
 * Invariants  SHARD-1 the order in which miners are added changes nothing
 *             SHARD-2 how a miner's rows are cut into objects changes no figure and no index, only its content hash
 *             SHARD-3 whatever a stranger's bytes are, they make a sheet, never an error
 *             SHARD-4 the sample is drawn from beacon, hotkey, content hash, zipcode and count, and from nothing else
 *             SHARD-5 one miner's rows move no other miner's price verdict, however wrong they are
 * Read        shard.c, then judge.c (a listing), tiers.c (a submission), price.c, sample.c
 *
 *      add: objects ─▶ record ─▶ one listing at a time ─▶ counts, bits a row ──▶ a row of the shard, some 40 bytes a listing
 *                                        └▶ near (sketches)
 *      finish: order by (received, hotkey bytes) ─▶ prices against the zipcode ─▶ copies and sybils ─▶ patterns ─▶ sheets
 *
 * Tier 1   rows within tolerance of expected, in integers, both ends in; received at or before the deadline.
 * Tier 2   four rates over n rows, n = 0 fails:
 *            complete    all twelve fields present
 *            reasonable  price 10,000 to 50,000,000, rooms 0 to 20, area 100 to 100,000, all in; absent passes,
 *                        unreadable does not
 *            consistent  listing_date and scraped_timestamp, where present, read; scraped within [start - 1 h, deadline];
 *                        listed <= scraped (a listing_date without a time of day: its day's first second); the zipcode
 *                        in the address and that of the field, where they are, the assigned one, and at least one is
 *            distinct    identities; rows without one count as one
 *          near duplicates within the submission (core/listings/near) fail tier 2 too, by the rule `duplicates`.
 * A submission outside tier 1's count cannot win, participate, or be copied from: beyond the upper bound its rows are
 * counted and no longer looked at, so what a shard holds is bounded by miners times 1.15 expected.
 *
 * Price (SHARD-5): z = 0.6745 (x - median) / MAD (Iglewicz and Hoaglin 1993) over x = log(price / area), within the type,
 * in 2^-20 steps. Each miner makes a median and a MAD of its own rows of a type (8 at least); the zipcode's are the
 * medians of these, one vote a coldkey, from three coldkeys on: so that whoever shifts them must hold half the coldkeys.
 * Below three votes each submission is held against its own. MAD 0: no finding of that type.
 *
 * Late submissions and those that fail tier 1 or 2 do not vote.
 *
 * Findings: count = rows (or pairs) accused, rate = count / rows in millionths, indices = the first 16 ascending. But
 * `quantity`: count = rows, rate = rows / expected; `late`: count = rows, rate = 1. Tier 2's rules are findings when their
 * rate fails.
 *
 * Synthetic (listings spec section 9): k of the patterns price_anomaly, geography, time, and copy or sybil; from two on
 * confidence min(.95, .3 + .2 k); at params.synthetic_bp_min the sheet is disqualified.
 *
 * The sample (SHARD-4): seed = the first four bytes, big-endian, of SHA-256("beacon:hotkey:contentHash:zipcode:n");
 * k = rows * sample_bp / 10,000 within [sample_min, sample_max]; CPython's random.sample(range(n), k) (listings oracle
 * page). The same generator goes on for the reserve: a draw below n, again while it was taken before, until sample_reserve
 * more are there or none is left. n < k takes all, ascending, without reserve. Only submissions that pass both tiers and
 * are not disqualified are sampled.
 */
#ifndef TALLY_CORE_LISTINGS_SHARD_H
#define TALLY_CORE_LISTINGS_SHARD_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/listings/model/model.h"
#include "core/listings/place/place.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SHARD_EXPECTED_MAX                                                                      \
    ((uint32_t)86000) /* so that its tolerance stays below TL_SUBMISSION_ROWS_MAX */
#define TL_SHARD_OBJECTS_MAX ((size_t)4096)    /* of one miner */
#define TL_SHARD_CITY_METRES ((uint32_t)40000) /* a city may have the name of a neighbour */

typedef struct tl_shard tl_shard;

/* tl_shard_context: what all submissions of the zipcode are judged by. Borrowed until finish. */
typedef struct tl_shard_context {
    const tl_listings_params *params;
    tl_str epoch_id;
    int64_t start_ms; /* of the epoch */
    int64_t deadline_ms;
    tl_str beacon; /* 64 hex digits; empty (a check before the epoch's end): no samples are drawn */
    const tl_place
        *place; /* its zipcode is the shard's; without city, state or coordinates (both 0)
                              these are not compared */
    const tl_places *places; /* the whole table, for the names of neighbouring cities; or NULL.
                                 Validators that shall agree use the same one */
    uint32_t expected;
    const tl_hash32 *honeypots; /* SHA-256 of identities, ascending; may be none */
    size_t honeypot_count;
    bool wants_identities; /* for whoever learns of honeypots later */
} tl_shard_context;

/* tl_shard_entry: one miner's objects of the zipcode, in the order of metadata.json. Borrowed for the call. */
typedef struct tl_shard_entry {
    tl_str hotkey; /* SS58 */
    tl_str coldkey;
    tl_hash32 content_hash;
    int64_t received_ms;
    const tl_bytes *objects;
    size_t object_count;
} tl_shard_entry;

/* tl_shard_hits: the rows of a sheet that are honeypot listings. */
typedef struct tl_shard_hits {
    const uint32_t *indices; /* ascending */
    size_t count;
} tl_shard_hits;

typedef struct tl_shard_result {
    const tl_sheet *sheets; /* by (received_ms, hotkey bytes, content hash) */
    size_t count;
    const tl_shard_hits *honeypots; /* count of them */
    const uint64_t *const *
        identities; /* where they were asked for, count of them: tl_shard_identity of each of a sheet's rows; else NULL */
    const tl_str
        *faults; /* count of them: why a submission's objects could not be read; mostly empty */
    uint64_t listings; /* read in all */
    uint64_t bytes;
} tl_shard_result;

/* tl_shard_identity: 64 bits of an identity. Equal ones are equal, and whoever makes two collide accuses himself. */
uint64_t tl_shard_identity(tl_str identity);

/* tl_shard_new: Errors: TL_ERR_RANGE (expected, deadline before start, a zipcode that is none); those of the arena. */
TL_MUST_USE tl_err tl_shard_new(tl_shard **out, tl_arena *arena, const tl_shard_context *context,
                                tl_errctx *ctx);

/* tl_shard_add: one miner. What it brought may be anything (SHARD-3): an object that cannot be read, that names another
 * zipcode, or more than TL_SUBMISSION_ROWS_MAX rows make a sheet of 0 rows that fails, with the reason among the faults.
 *
 * scratch  given back before return: its need does not grow with the rows
 * Errors: TL_ERR_LIMIT (more than TL_ENTRIES_MAX miners, the arena's ceiling), TL_ERR_NOMEM; the shard is then lost. */
TL_MUST_USE tl_err tl_shard_add(tl_shard *shard, const tl_shard_entry *entry, tl_arena *scratch,
                                tl_errctx *ctx);

/* tl_shard_finish: all sheets; once. Errors: TL_ERR_DUPLICATE when one hotkey was added twice; those of the arena. */
TL_MUST_USE tl_err tl_shard_finish(tl_shard *shard, tl_shard_result *out, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
