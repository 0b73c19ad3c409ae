/* scoring: one zipcode of one epoch judged, wherever that is done, and its result as bytes.
 * For         validators, and workers that do their shards for them
 * Takes       what the epoch asks for, who handed in which objects, a way to fetch these
 * Gives       sheets, and the identities of their listings; a document that is the same bytes wherever it is made
 * Calls       core/listings/shard         Called by   app/validator, app/worker
 * Owns        nothing after return
 * Threads     any
 * Invariants  SCORE-1 a document tells the digest of all that it follows from: whoever takes it knows whether he would have
 *                     made the same
 *             SCORE-2 an object is judged only when it is the bytes that its hash names
 * Read        tl_scoring_run(), then document.c
 *
 * A place is the one of the table of zipcodes where that has it under the same city and state, else what the coordinator
 * says of it, which has no coordinates. Samples are judged by whoever can ask the source, and a honeypot listing is known
 * by its identity: so a worker needs neither the source nor the honeypots.
 */
#ifndef TALLY_APP_SCORING_H
#define TALLY_APP_SCORING_H

#include "core/listings/model/model.h"
#include "core/listings/place/place.h"
#include "core/listings/shard/shard.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_SCORING_DOCUMENT_MAX ((size_t)256 << 20)

typedef struct tl_scoring_object {
    tl_hash32 sha256;
    uint64_t bytes;
} tl_scoring_object;

/* tl_scoring_entry: one miner's objects of the zipcode, in the order of metadata.json. */
typedef struct tl_scoring_entry {
    tl_str hotkey; /* SS58 */
    tl_str coldkey;
    tl_hash32 content_hash;
    int64_t received_ms;
    const tl_scoring_object *objects;
    size_t object_count;
} tl_scoring_entry;

typedef struct tl_scoring_job {
    const tl_listings_params *params;
    const tl_places *places; /* the table that ships; NULL: none */
    tl_str epoch_id;
    int64_t start_ms;
    int64_t deadline_ms;
    tl_str beacon;
    const tl_place *place;           /* as the coordinator says: zipcode, city, state, expected */
    const tl_scoring_entry *entries; /* any order */
    size_t entry_count;
} tl_scoring_job;

/* tl_scoring_fetch: the bytes of entries[entry].objects[object], in the arena. */
typedef tl_err (*tl_scoring_fetch)(void *self, tl_bytes *out, size_t entry, size_t object,
                                   tl_arena *arena, tl_errctx *ctx);

typedef struct tl_scoring_result {
    const tl_sheet *sheets; /* by (received_ms, hotkey bytes, content hash) */
    size_t count;
    const uint64_t *const *identities; /* of each sheet's rows */
    uint64_t listings;
} tl_scoring_result;

/* tl_scoring_run: what a shard holds at a time is one miner's objects. out lives in the arena.
 * Errors: fetch's; CORRUPT (SCORE-2); those of tl_shard_new, _add and _finish. */
TL_MUST_USE tl_err tl_scoring_run(tl_scoring_result *out, tl_arena *arena,
                                  const tl_scoring_job *job, tl_scoring_fetch fetch, void *self,
                                  tl_errctx *ctx);

/* tl_scoring_digest: SHA-256 over all of the job, in a form that does not depend on the order of entries. */
TL_MUST_USE tl_err tl_scoring_digest(tl_hash32 *out, const tl_scoring_job *job, tl_errctx *ctx);

/* tl_scoring_write: the document: {"identities":["0011…"],"inputs":HEX,"listings":N,"sheets":[…]}, 16 digits a row. */
TL_MUST_USE tl_err tl_scoring_write(tl_str *out, tl_arena *arena, const tl_hash32 *inputs,
                                    const tl_scoring_result *result, tl_errctx *ctx);

/* tl_scoring_read: a document of those inputs. out looks into the arena. Errors: STATE (it is of others), those of JSON,
 * CORRUPT (identities that are not one a row). */
TL_MUST_USE tl_err tl_scoring_read(tl_scoring_result *out, tl_arena *arena, const tl_hash32 *inputs,
                                   tl_str document, tl_errctx *ctx);

/* tl_scoring_hits: rows of a sheet whose identity is among traps (tl_shard_identity, ascending). */
TL_MUST_USE tl_err tl_scoring_hits(tl_shard_hits *out, tl_arena *arena,
                                   const tl_scoring_result *result, size_t sheet,
                                   const uint64_t *traps, size_t trap_count, tl_errctx *ctx);

/* tl_scoring_place: the place that a job is judged by. */
tl_place tl_scoring_place(const tl_scoring_job *job);

#ifdef __cplusplus
}
#endif

#endif
