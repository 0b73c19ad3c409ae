/* validator_internal: one epoch's work, shared by the files of the room. */
#ifndef TALLY_APP_VALIDATOR_INTERNAL_H
#define TALLY_APP_VALIDATOR_INTERNAL_H

#include "app/validator/validator.h"
#include "core/listings/spot/spot.h"
#include "core/subnet/listings/listings.h"

#define TL__SECRET_LEN 32 /* hex characters of a secret or salt */

/* tl__view: the epoch as the coordinator shows it. Texts in the arena that it was read into. */
typedef struct tl__view {
    tl_str state; /* of the engine */
    int64_t start_ms;
    int64_t end_ms;
    int64_t deadline_ms;
    tl_str nonce; /* empty before the reveal */
    tl_str beacon;
    const tl_json *carry;      /* what the epoch before left; NULL or null before the beacon */
    const tl_json *parameters; /* of the subnet; NULL: the defaults */
    const tl_place *places;
    size_t place_count;
    const tl_race_zipcode *zipcodes;
    const tl_contribution
        *contributions; /* secrets that were revealed: what the beacon follows from */
    size_t contribution_count;
} tl__view;

/* tl__object: one object of a submission. */
typedef struct tl__object {
    char zipcode[6];
    tl_hash32 sha256;
    uint64_t bytes;
    tl_str url;
} tl__object;

/* tl__submission: what one miner handed in. */
typedef struct tl__submission {
    tl_str hotkey;
    tl_str coldkey;
    uint32_t uid;
    tl_hash32 content_hash;
    int64_t received_ms;
    const tl__object *objects;
    size_t object_count;
} tl__submission;

/* tl__zip: one shard's result, in an arena of its own. */
typedef struct tl__zip {
    tl_arena *arena;
    const tl_sheet *sheets;
    size_t count;
    tl_evidence_item *items; /* count of them */
    uint64_t listings;
} tl__zip;

typedef struct tl__epoch {
    const tl_validator_options *options;
    tl_pool *pool;
    tl_arena *arena;
    tl_str id;
    const char *dir;  /* DIR/validator/ID */
    int64_t until_ms; /* until then questions are asked again; later the epoch is out of reach */
    tl__view view;
    int64_t
        shelf_until_ms; /* until then a worker's document is waited for: half of the evidence's window */
    uint32_t round;
    const tl__submission *submissions;
    size_t submission_count;
    tl__zip *zips; /* view.place_count of them */
    tl_race_result race;
    tl_listings_params params;
    const tl_evidence *evidence; /* of all validators */
    const tl_race_validator *validators;
    size_t validator_count;
    const tl_race_held *held;
    size_t held_count;
    const tl_race_strike *strikes;
    size_t strike_count;
    char salt[TL__SECRET_LEN + 1];
    bool is_late;     /* the round went by without this validator's ballot */
    bool is_extended; /* the round that was cast found no agreement, and another one follows */
} tl__epoch;

/* epoch.c: from the end of the epoch to its verdict. out lives in e->arena. */
tl_err tl__validator_epoch(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx);

/* epoch.c: how often the coordinator is asked whether something has happened. */
int64_t tl__poll_ms(const tl_validator_options *options);

/* epoch.c: "/api/v1/epochs/ID" and a tail. */
tl_err tl__epoch_target(tl_str *out, tl_arena *arena, tl_str id, const char *tail, tl_errctx *ctx);

/* notes.c: small files of the epoch (VAL-1). A secret that is not there is made; evidence is what was written first. */
tl_err tl__note_secret(char out[TL__SECRET_LEN + 1], const tl_validator_options *options,
                       const char *dir, const char *name, tl_errctx *ctx);
tl_err tl__note_text(tl_str *io, tl_arena *arena, const char *dir, const char *name,
                     tl_errctx *ctx);

/* read.c: the coordinator's answers as ours. */
tl_err tl__read_view(tl__view *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx);
tl_err tl__fetch_submissions(tl__epoch *e, tl_errctx *ctx);
tl_err tl__read_carried(tl__epoch *e, tl_errctx *ctx); /* parameters, held pay, strikes */

/* shards.c: all zipcodes, on the pool: objects fetched, sheets made, samples judged. */
tl_err tl__run_shards(tl__epoch *e, tl_errctx *ctx);

/* world.c: what the source has of one zipcode. */
typedef struct tl__world tl__world;
tl_err tl__world_open(tl__world **out, tl_arena *arena, tl_source *source, const tl_place *place,
                      int64_t since_ms, tl_errctx *ctx);
void tl__world_honeypots(const tl__world *world, const uint64_t **out, size_t *count);
tl_err tl__world_judge(tl__world *world, char *verdicts, const tl_sample *samples, size_t count,
                       tl_arena *scratch, tl_errctx *ctx);

/* ballot.c: evidence posted and gathered; the race; commit and reveal; the bundle. */
tl_err tl__exchange_evidence(tl__epoch *e, tl_errctx *ctx);
tl_err tl__run_race(tl__epoch *e, tl_errctx *ctx);
tl_err tl__cast_ballot(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx);

/* ballot.c: its steps. Each waits for the others' part of it. What comes too late is left out, and the epoch is followed all
 * the same; *ballots is NULL when another round began meanwhile. */
tl_err tl__post_no_evidence(tl__epoch *e, tl_errctx *ctx);
tl_err tl__post_commit(tl__epoch *e, const tl_hash32 *hash, tl_errctx *ctx);
tl_err tl__post_reveal(const tl_json **ballots, tl__epoch *e, tl_str reveal, tl_errctx *ctx);

/* compat.c: the round of an epoch in the profile compat. */
tl_err tl__compat_round(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx);

#endif
