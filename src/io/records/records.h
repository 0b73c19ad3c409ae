/* records: the tables of a service of competitive mining, in SQLite or PostgreSQL.
 * For         the coordinator, its workers, backup and the database commands
 * Takes       typed rows, times (never asked of the database)
 * Gives       durable rows; leases with fencing tokens; a queue of shards; counters; a chained audit log
 * Calls       io/sql, core/crypto, core/epoch/machine         Called by   app
 * Owns        the database handle until tl_records_close
 * Threads     one tl_records, one thread: each worker thread opens its own
 * Invariants  REC-1 a submission that was acknowledged is there after a crash at any point, and stands unchanged
 *             REC-2 of a miner's submissions of an epoch the first that came in time counts, and no other is kept
 *             REC-3 what is committed or revealed is written once: the same again is fine, anything else is refused
 *             REC-4 a shard or a lease that is alive has one holder; a token is never given twice, and grows
 *             REC-5 who lost the lease writes nothing under its token, whatever its clock says
 *             REC-6 the audit log has no gaps, and no row of it changes
 * Read        schema.c, then epochs.c, submissions.c, votes.c, leases.c, shards.c, results.c, access.c
 *
 * Within a transaction of the handle (tl_sql_begin, tl_sql_transact on tl_records_sql) each function is a part of it;
 * else it is one by itself, done again while the database answers LOCKED, and durable when it returns.
 * Times are Unix milliseconds, 0: not yet. Texts that come back lie in the arena. Lists give at most limit rows, whose
 * order is told; the last row's key is the cursor of the next page. limit is 1 … TL_RECORDS_PAGE_MAX (RANGE).
 * Errors everywhere: those of io/sql; LIMIT for a text or body above its bound.
 */
#ifndef TALLY_IO_RECORDS_H
#define TALLY_IO_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "core/epoch/machine/machine.h"
#include "core/listings/model/model.h"
#include "core/num/money/money.h"
#include "io/sql/sql.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_records tl_records;

#define TL_RECORDS_FILE     "service.db" /* within the state folder, where there is no server */
#define TL_RECORDS_PAGE_MAX ((size_t)65536)
#define TL_RECORDS_TEXT_MAX ((size_t)4096) /* ids, names, causes */

typedef enum tl_records_mode {
    TL_RECORDS_USE,    /* migrated when it is older; VERSION when it is newer */
    TL_RECORDS_STRICT, /* VERSION unless its schema is this program's */
    TL_RECORDS_INSPECT /* whatever its schema: for status, migrate and verify */
} tl_records_mode;

/* tl_records_open: errors also VERSION, CORRUPT (migrations changed, or the database is somebody else's). */
TL_MUST_USE tl_err tl_records_open(tl_records **out, const tl_sql_options *options,
                                   tl_records_mode mode, tl_errctx *ctx);
void tl_records_close(tl_records *records); /* NULL is fine */
tl_sql *tl_records_sql(tl_records *records);

TL_MUST_USE tl_err tl_records_steps(tl_records *records, const tl_sql_step **out, size_t *count,
                                    tl_arena *arena, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_migrate(tl_records *records, size_t *applied, tl_errctx *ctx);

/* tl_records_verify: migrations, the database's own checks, the audit chain, counts that must agree. findings: none
 * when all is well. */
TL_MUST_USE tl_err tl_records_verify(tl_records *records, const tl_str **findings, size_t *count,
                                     tl_arena *arena, tl_errctx *ctx);

/* --- leases (leases.c): leader election, and whatever one process at a time may do --- */

/* tl_record_lease: token grows with each change of hands, also after a lapse (REC-4). */
typedef struct tl_record_lease {
    tl_str name;   /* "leader" */
    tl_str holder; /* a name that no other process has */
    uint64_t token;
    int64_t until_ms;
} tl_record_lease;

/* tl_records_take_lease: take or renew it: *is_ours when holder has it now, until now_ms + ttl_ms; else *out names who
 * does. A holder that renews in time keeps its token; whoever takes a lapsed one gets a new token. A lease that ends
 * further ahead than twice its own length was taken by a clock that was wrong, and counts as lapsed: the token, not the
 * clock, keeps its holder from writing. out's texts are copied into the arena. ttl_ms is above 0 (RANGE). */
TL_MUST_USE tl_err tl_records_take_lease(tl_records *records, tl_record_lease *out, bool *is_ours,
                                         tl_str name, tl_str holder, int64_t now_ms, int64_t ttl_ms,
                                         tl_arena *arena, tl_errctx *ctx);

/* tl_records_drop_lease: give it back; fine when it is lost already. */
TL_MUST_USE tl_err tl_records_drop_lease(tl_records *records, const tl_record_lease *lease,
                                         tl_errctx *ctx);

/* tl_records_check_lease: within a transaction: is the token the newest one? REFUSED when it is not; holds until the
 * transaction's end (REC-5). NULL is fine: whoever has no lease is not fenced. */
TL_MUST_USE tl_err tl_records_check_lease(tl_records *records, const tl_record_lease *lease,
                                          tl_errctx *ctx);

/* --- epochs (epochs.c) --- */

typedef struct tl_record_epoch {
    tl_str id;
    tl_str profile; /* "tally", "compat" */
    tl_epoch_state state;
    uint32_t round;   /* 0; 1 once it was extended for another vote */
    uint64_t version; /* counts its updates; the database's */
    int64_t start_ms;
    int64_t end_ms;      /* as planned */
    int64_t extended_ms; /* added by emergency extensions: the deadline is end_ms + extended_ms */
    tl_str selection_seed;
    tl_str nonce; /* secret until the deadline */
    tl_str nonce_commit;
    tl_str beacon;      /* empty: not fixed */
    tl_str draw_commit; /* commitment to the next epoch's randomness; empty: none */
    tl_str draw_secret; /* its opening; never shown before its time */
    uint32_t target_listings;
    uint32_t tolerance_percent;
    tl_bytes parameters; /* JSON */
    int64_t moved_ms;    /* when it came into its state */
    int64_t
        beacon_ms; /* when it was fixed; the next three: when that window was closed, 0 while it is open */
    int64_t evidence_closed_ms;
    int64_t commits_closed_ms;
    int64_t results_closed_ms;
    int64_t settled_ms;
} tl_record_epoch;

typedef struct tl_record_assignment {
    tl_str zipcode;
    uint32_t expected;
    tl_str city;
    tl_str state;
    tl_str county;
    tl_market_tier tier;
    tl_region region;
    bool is_honeypot;
} tl_record_assignment;

/* tl_records_create_epoch: the epoch with its zipcodes, whose last_assigned becomes its start. version, moved_ms and the
 * marks of the argument are ignored. Errors: DUPLICATE (it is there: another leader was first), REFUSED (the fence). */
TL_MUST_USE tl_err tl_records_create_epoch(tl_records *records, const tl_record_epoch *epoch,
                                           const tl_record_assignment *assignments, size_t count,
                                           const tl_record_lease *fence, tl_errctx *ctx);

/* tl_records_get_epoch: NOT_FOUND. tl_records_lock_epoch: the same within a transaction; no submission, contribution,
 * evidence or ballot of it comes in until that ends, and no other lock. */
TL_MUST_USE tl_err tl_records_get_epoch(tl_records *records, tl_record_epoch *out, tl_str id,
                                        tl_arena *arena, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_lock_epoch(tl_records *records, tl_record_epoch *out, tl_str id,
                                         tl_arena *arena, tl_errctx *ctx);

/* tl_records_epoch_at: the one whose start <= at_ms < its deadline; NOT_FOUND. The latest when two overlap. */
TL_MUST_USE tl_err tl_records_epoch_at(tl_records *records, tl_record_epoch *out, int64_t at_ms,
                                       tl_arena *arena, tl_errctx *ctx);

/* tl_records_epochs: newest first, those before the id before (empty: from the newest). */
TL_MUST_USE tl_err tl_records_epochs(tl_records *records, const tl_record_epoch **out,
                                     size_t *count, tl_str before, size_t limit, tl_arena *arena,
                                     tl_errctx *ctx);

/* tl_records_open_epochs: those that are neither settled, failed nor archived, oldest first. */
TL_MUST_USE tl_err tl_records_open_epochs(tl_records *records, const tl_record_epoch **out,
                                          size_t *count, tl_arena *arena, tl_errctx *ctx);

/* tl_records_update_epoch: all but id, profile, start, end, extended_ms, nonce, nonce_commit, seed and parameters become
 * what epoch says, provided that nobody updated it since it was read (version). A new state is noted as a transition.
 * epoch->version and moved_ms are brought up to date. Errors: STATE (updated since: read again), NOT_FOUND, REFUSED. */
TL_MUST_USE tl_err tl_records_update_epoch(tl_records *records, tl_record_epoch *epoch,
                                           tl_str cause, int64_t at_ms,
                                           const tl_record_lease *fence, tl_errctx *ctx);

typedef struct tl_record_transition {
    tl_epoch_state from;
    tl_epoch_state to;
    tl_str cause;
    int64_t at_ms;
} tl_record_transition;

TL_MUST_USE tl_err tl_records_transitions(tl_records *records, const tl_record_transition **out,
                                          size_t *count, tl_str epoch_id, tl_arena *arena,
                                          tl_errctx *ctx);

/* tl_records_assignments: by zipcode. */
TL_MUST_USE tl_err tl_records_assignments(tl_records *records, const tl_record_assignment **out,
                                          size_t *count, tl_str epoch_id, tl_arena *arena,
                                          tl_errctx *ctx);

/* tl_record_extension: the signed record that lengthens an epoch. */
typedef struct tl_record_extension {
    tl_str epoch_id;
    int64_t added_ms; /* above 0 */
    tl_str reason;
    tl_str actor;
    tl_bytes body; /* as it was signed */
    tl_bytes signature;
    int64_t at_ms;
} tl_record_extension;

/* tl_records_extend: note it and move the deadline. Errors: NOT_FOUND, STATE (it is no longer open), RANGE. */
TL_MUST_USE tl_err tl_records_extend(tl_records *records, const tl_record_extension *extension,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_extensions(tl_records *records, const tl_record_extension **out,
                                         size_t *count, tl_str epoch_id, tl_arena *arena,
                                         tl_errctx *ctx);

/* --- the table of zipcodes (zipcodes.c) --- */

typedef struct tl_record_zipcode {
    tl_place place;
    int64_t last_assigned_ms; /* 0: never */
    int64_t data_updated_ms;
} tl_record_zipcode;

/* tl_records_put_zipcodes: insert or replace; last_assigned stays. */
TL_MUST_USE tl_err tl_records_put_zipcodes(tl_records *records, const tl_place *places,
                                           size_t count, int64_t updated_ms, tl_errctx *ctx);

/* tl_records_zipcodes: by code, those behind after (empty: from the first). */
TL_MUST_USE tl_err tl_records_zipcodes(tl_records *records, const tl_record_zipcode **out,
                                       size_t *count, tl_str after, size_t limit, tl_arena *arena,
                                       tl_errctx *ctx);

typedef struct tl_record_cooling {
    tl_str zipcode;
    int64_t last_assigned_ms;
} tl_record_cooling;

/* tl_records_assigned_since: zipcodes whose last assignment is since_ms or later, by code. */
TL_MUST_USE tl_err tl_records_assigned_since(tl_records *records, const tl_record_cooling **out,
                                             size_t *count, int64_t since_ms, tl_arena *arena,
                                             tl_errctx *ctx);

/* --- submissions (submissions.c) --- */

typedef struct tl_record_object {
    tl_str key; /* where the miner put it; the kept copy is named by sha256 */
    tl_str zipcode;
    tl_hash32 sha256;
    uint64_t bytes;
    uint32_t rows;
} tl_record_object;

typedef struct tl_record_submission {
    uint64_t serial; /* the database's, growing */
    tl_str epoch_id;
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    uint32_t uid;
    tl_hash32 content_hash;
    int64_t received_ms;
    tl_bytes metadata;               /* the bytes of metadata.json */
    tl_str correlation;              /* of the request that brought it */
    const tl_record_object *objects; /* in the order of metadata.json */
    size_t object_count;
} tl_record_submission;

typedef enum tl_record_kept {
    TL_RECORD_KEPT,        /* this one */
    TL_RECORD_KEPT_BEFORE, /* another or the same came first: content_hash and received_ms are of that */
    TL_RECORD_TOO_LATE, /* received at or after the deadline, or the epoch is closed */
    TL_RECORD_NO_EPOCH
} tl_record_kept;

typedef struct tl_record_receipt {
    tl_record_kept kept;
    tl_hash32 content_hash;
    int64_t received_ms;
} tl_record_receipt;

/* tl_records_keep: many submissions in one durable transaction (REC-1, REC-2); a receipt for each. What is wrong with one
 * of them is its receipt's; an error is of all, and then nothing was kept. */
TL_MUST_USE tl_err tl_records_keep(tl_records *records, tl_record_receipt *receipts,
                                   const tl_record_submission *submissions, size_t count,
                                   tl_errctx *ctx);

/* tl_records_submission: NOT_FOUND. */
TL_MUST_USE tl_err tl_records_submission(tl_records *records, tl_record_submission *out,
                                         tl_str epoch_id, const tl_hotkey *hotkey, tl_arena *arena,
                                         tl_errctx *ctx);

/* tl_records_forget_submissions: of an archived epoch (else STATE): its submissions, scores, statuses, evidence and shards
 * go, when their time of keeping is over; result, ballots and standings stay. *forgotten: submissions. The objects in
 * the store are the caller's. */
TL_MUST_USE tl_err tl_records_forget_submissions(tl_records *records, uint64_t *forgotten,
                                                 tl_str epoch_id, const tl_record_lease *fence,
                                                 tl_errctx *ctx);

/* tl_records_submissions: by serial, those behind after_serial (0: from the first), objects with them; metadata is empty,
 * for it may be long. While an epoch takes submissions, one whose transaction was slow may come to stand before a cursor
 * that has passed it. */
TL_MUST_USE tl_err tl_records_submissions(tl_records *records, const tl_record_submission **out,
                                          size_t *count, tl_str epoch_id, uint64_t after_serial,
                                          size_t limit, tl_arena *arena, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_submission_count(tl_records *records, uint64_t *out, tl_str epoch_id,
                                               tl_errctx *ctx);

/* tl_records_entries: the submissions that have objects of one zipcode, with these alone, by (received_ms, hotkey): what
 * a shard is made of. metadata is empty. */
TL_MUST_USE tl_err tl_records_entries(tl_records *records, const tl_record_submission **out,
                                      size_t *count, tl_str epoch_id, tl_str zipcode,
                                      tl_arena *arena, tl_errctx *ctx);

/* X(NAME, text) */
#define TL_RECORD_VALIDATION_MAP(X)                                                                \
    X(PENDING, "PENDING")                                                                          \
    X(VALIDATED, "VALIDATED")                                                                      \
    X(FAILED, "FAILED")

typedef enum tl_record_validation {
#define TL_RECORD_VALIDATION_ENUM(name, text) TL_RECORD_VALIDATION_##name,
    TL_RECORD_VALIDATION_MAP(TL_RECORD_VALIDATION_ENUM)
#undef TL_RECORD_VALIDATION_ENUM
        TL_RECORD_VALIDATION_COUNT
} tl_record_validation;

/* tl_record_zip: what was brought for one zipcode, and what became of it. Made with the submission. */
typedef struct tl_record_zip {
    tl_hotkey hotkey;
    tl_str zipcode;
    uint32_t listings;
    tl_record_validation validation;
    int64_t score_millionths; /* once validated */
} tl_record_zip;

/* tl_records_set_zips: validation and score of zips; those of no submission are NOT_FOUND. */
TL_MUST_USE tl_err tl_records_set_zips(tl_records *records, tl_str epoch_id,
                                       const tl_record_zip *zips, size_t count, tl_errctx *ctx);

/* tl_records_zips: of an epoch by (hotkey, zipcode); hotkey NULL: of all miners. */
TL_MUST_USE tl_err tl_records_zips(tl_records *records, const tl_record_zip **out, size_t *count,
                                   tl_str epoch_id, const tl_hotkey *hotkey, tl_arena *arena,
                                   tl_errctx *ctx);

/* --- what miners say of themselves (statuses.c) --- */

/* X(NAME, text): in the order in which a miner may go: from the first to any other, and no further. */
#define TL_RECORD_STATUS_MAP(X)                                                                    \
    X(IN_PROGRESS, "IN_PROGRESS")                                                                  \
    X(COMPLETED, "COMPLETED")                                                                      \
    X(FAILED, "FAILED")                                                                            \
    X(TIMEOUT, "TIMEOUT")

typedef enum tl_record_status_word {
#define TL_RECORD_STATUS_ENUM(name, text) TL_RECORD_STATUS_##name,
    TL_RECORD_STATUS_MAP(TL_RECORD_STATUS_ENUM)
#undef TL_RECORD_STATUS_ENUM
        TL_RECORD_STATUS_COUNT
} tl_record_status_word;

const char *tl_record_status_text(tl_record_status_word word);
bool tl_record_status_parse(tl_record_status_word *out, tl_str text);

typedef struct tl_record_status {
    tl_str epoch_id;
    tl_hotkey hotkey;
    tl_record_status_word word;
    uint32_t listings;
    bool is_upload_complete;
    tl_bytes zipcodes; /* JSON, as it was told */
    int64_t updated_ms;
} tl_record_status;

/* tl_records_put_status: IN_PROGRESS may be told again and again; COMPLETED, FAILED and TIMEOUT are the end: the same word
 * again changes nothing, another is STATE. Errors: NOT_FOUND (no such epoch). */
TL_MUST_USE tl_err tl_records_put_status(tl_records *records, const tl_record_status *status,
                                         tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_get_status(tl_records *records, tl_record_status *out,
                                         tl_str epoch_id, const tl_hotkey *hotkey, tl_arena *arena,
                                         tl_errctx *ctx); /* NOT_FOUND */
TL_MUST_USE tl_err tl_records_count_statuses(tl_records *records,
                                             uint64_t out[TL_RECORD_STATUS_COUNT], tl_str epoch_id,
                                             tl_errctx *ctx);

/* --- what validators say (votes.c). Errors of the put functions: NOT_FOUND (no such epoch), STATE (not in this window),
 * DUPLICATE (something else is there already) --- */

typedef struct tl_record_contribution {
    tl_hotkey hotkey;
    tl_hash32 commit;
    tl_str secret; /* empty: not revealed */
    int64_t committed_ms;
    int64_t revealed_ms;
} tl_record_contribution;

/* tl_records_join: while the epoch is pending or open, before its deadline. */
TL_MUST_USE tl_err tl_records_join(tl_records *records, tl_str epoch_id, const tl_hotkey *hotkey,
                                   const tl_hash32 *commit, int64_t at_ms, tl_errctx *ctx);

/* tl_records_reveal_secret: in the reveal, until the beacon is fixed. CHECK: SHA-256 of the secret is not the commit;
 * NOT_FOUND: who did not join. */
TL_MUST_USE tl_err tl_records_reveal_secret(tl_records *records, tl_str epoch_id,
                                            const tl_hotkey *hotkey, tl_str secret, int64_t at_ms,
                                            tl_errctx *ctx);

/* tl_records_contributions: by hotkey bytes. */
TL_MUST_USE tl_err tl_records_contributions(tl_records *records, const tl_record_contribution **out,
                                            size_t *count, tl_str epoch_id, tl_arena *arena,
                                            tl_errctx *ctx);

typedef struct tl_record_evidence {
    tl_hotkey hotkey;
    tl_rao stake;
    tl_hash32 sha256; /* of body */
    tl_bytes body;
    int64_t received_ms;
} tl_record_evidence;

/* tl_records_put_evidence: in scoring or extended, while evidence_closed_ms is 0. sha256 of the argument is ignored. */
TL_MUST_USE tl_err tl_records_put_evidence(tl_records *records, tl_str epoch_id, uint32_t round,
                                           const tl_record_evidence *evidence, tl_errctx *ctx);

/* tl_records_evidence: by hotkey bytes; the bodies only when wanted. */
TL_MUST_USE tl_err tl_records_evidence(tl_records *records, const tl_record_evidence **out,
                                       size_t *count, tl_str epoch_id, uint32_t round,
                                       bool with_bodies, tl_arena *arena, tl_errctx *ctx);

typedef struct tl_record_ballot {
    tl_hotkey hotkey;
    tl_rao stake;
    tl_hash32 commit;
    bool is_revealed;
    tl_hash32 hash; /* the rest: once revealed */
    tl_str salt;
    tl_hash32 evidence_root;
    tl_hash32 score_root;
    tl_hash32 weight_root;
    tl_bytes body; /* the whole document as it was sent */
    int64_t committed_ms;
    int64_t revealed_ms;
} tl_record_ballot;

/* tl_records_commit_ballot: hotkey, stake, commit, committed_ms of ballot; while commits_closed_ms is 0. */
TL_MUST_USE tl_err tl_records_commit_ballot(tl_records *records, tl_str epoch_id, uint32_t round,
                                            const tl_record_ballot *ballot, tl_errctx *ctx);

/* tl_records_reveal_ballot: the rest, once commits are closed and while results_closed_ms is 0. CHECK: SHA-256 of
 * "hash:salt" (hash as 64 lower-case hex characters) is not the commit; NOT_FOUND: no commit. */
TL_MUST_USE tl_err tl_records_reveal_ballot(tl_records *records, tl_str epoch_id, uint32_t round,
                                            const tl_record_ballot *ballot, tl_errctx *ctx);

/* tl_records_ballots: by hotkey bytes. */
TL_MUST_USE tl_err tl_records_ballots(tl_records *records, const tl_record_ballot **out,
                                      size_t *count, tl_str epoch_id, uint32_t round,
                                      tl_arena *arena, tl_errctx *ctx);

/* --- results, pay, standing (results.c) --- */

typedef struct tl_record_result {
    tl_str epoch_id;
    tl_str status; /* of the consensus: "PERFECT_CONSENSUS" … */
    uint32_t rate_millionths;
    tl_str hash;       /* hex; empty: none */
    tl_bytes document; /* JSON */
    int64_t at_ms;
} tl_record_result;

/* tl_records_put_result: once (REC-3: DUPLICATE for another document). Errors: REFUSED (fence), NOT_FOUND. */
TL_MUST_USE tl_err tl_records_put_result(tl_records *records, const tl_record_result *result,
                                         const tl_record_lease *fence, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_get_result(tl_records *records, tl_record_result *out,
                                         tl_str epoch_id, tl_arena *arena,
                                         tl_errctx *ctx); /* NOT_FOUND */

/* tl_record_standing: what one epoch gave one hotkey. */
typedef struct tl_record_standing {
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    uint32_t uid;
    int64_t score_millionths;
    tl_rao paid;
    uint32_t wins; /* places taken */
    uint32_t listings;
} tl_record_standing;

/* tl_records_put_standings: of an epoch that settles, all at once; the leaderboard takes them up. The same epoch again
 * changes nothing. */
TL_MUST_USE tl_err tl_records_put_standings(tl_records *records, tl_str epoch_id,
                                            const tl_record_standing *standings, size_t count,
                                            const tl_record_lease *fence, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_standings(tl_records *records, const tl_record_standing **out,
                                        size_t *count, tl_str epoch_id, tl_arena *arena,
                                        tl_errctx *ctx); /* by hotkey */

typedef struct tl_record_leader {
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    uint32_t uid; /* the latest */
    uint32_t epochs;
    uint32_t wins;
    uint64_t listings;
    int64_t score_millionths; /* the sum */
    tl_rao paid;              /* the sum */
    tl_str last_epoch;
} tl_record_leader;

/* tl_records_leaderboard: by (paid descending, hotkey), behind the row after (NULL: from the top). */
TL_MUST_USE tl_err tl_records_leaderboard(tl_records *records, const tl_record_leader **out,
                                          size_t *count, const tl_record_leader *after,
                                          size_t limit, tl_arena *arena, tl_errctx *ctx);

/* tl_record_held: pay that waits for evidence, one epoch at most. */
typedef struct tl_record_held {
    tl_str epoch_id;
    tl_str zipcode;
    tl_hotkey hotkey;
    tl_rao amount;
    tl_str reason;
    int64_t at_ms;
    tl_str outcome; /* empty while it is held; then "paid", "burned" */
    int64_t released_ms;
} tl_record_held;

TL_MUST_USE tl_err tl_records_hold_pay(tl_records *records, const tl_record_held *held,
                                       const tl_record_lease *fence, tl_errctx *ctx);

/* tl_records_release_pay: outcome and released_ms of held; once (REC-3). NOT_FOUND. */
TL_MUST_USE tl_err tl_records_release_pay(tl_records *records, const tl_record_held *held,
                                          const tl_record_lease *fence, tl_errctx *ctx);

/* tl_records_held_pay: what is still held of epochs up to epoch_id (empty: of all), by (epoch, zipcode, hotkey). */
TL_MUST_USE tl_err tl_records_held_pay(tl_records *records, const tl_record_held **out,
                                       size_t *count, tl_str epoch_id, tl_arena *arena,
                                       tl_errctx *ctx);

/* tl_record_penalty: a validator off the majority, a miner disqualified. One a hotkey, epoch and kind. */
typedef struct tl_record_penalty {
    tl_str epoch_id;
    tl_hotkey hotkey;
    tl_str kind;   /* "outlier", "absent", "disqualified" */
    tl_str detail; /* the first section that differs, the rule */
    int64_t at_ms;
} tl_record_penalty;

TL_MUST_USE tl_err tl_records_put_penalty(tl_records *records, const tl_record_penalty *penalty,
                                          const tl_record_lease *fence, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_count_penalties(tl_records *records, uint64_t *out,
                                              const tl_hotkey *hotkey, tl_str kind,
                                              int64_t since_ms, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_penalties(tl_records *records, const tl_record_penalty **out,
                                        size_t *count, tl_str epoch_id, tl_arena *arena,
                                        tl_errctx *ctx);

/* --- shards (shards.c): one zipcode of one epoch, scored by whoever leases it --- */

/* X(NAME, text) */
#define TL_RECORD_SHARD_MAP(X)                                                                     \
    X(READY, "ready")                                                                              \
    X(LEASED, "leased")                                                                            \
    X(DONE, "done")                                                                                \
    X(FAILED, "failed")

typedef enum tl_record_shard_state {
#define TL_RECORD_SHARD_ENUM(name, text) TL_RECORD_SHARD_##name,
    TL_RECORD_SHARD_MAP(TL_RECORD_SHARD_ENUM)
#undef TL_RECORD_SHARD_ENUM
        TL_RECORD_SHARD_COUNT
} tl_record_shard_state;

#define TL_RECORD_ATTEMPTS_MAX 8 /* of a shard that errors; a lapsed lease counts too */

typedef struct tl_record_shard {
    tl_str epoch_id;
    tl_str zipcode;
    tl_record_shard_state state;
    tl_str holder;
    uint64_t token; /* of the lease; grows with each claim */
    int64_t until_ms;
    uint32_t attempts;
    tl_str input_key; /* says what the work follows from: the epoch's beacon */
    tl_str result_key;
    tl_str error; /* of the last attempt */
} tl_record_shard;

/* tl_records_put_shards: those that are not there yet; epoch_id, zipcode and input_key of each. */
TL_MUST_USE tl_err tl_records_put_shards(tl_records *records, const tl_record_shard *shards,
                                         size_t count, tl_errctx *ctx);

/* tl_records_claim_shards: up to want shards that are ready or whose lease has lapsed, oldest epoch first, leased to
 * holder until now_ms + ttl_ms; none is fine. One that lapsed TL_RECORD_ATTEMPTS_MAX times becomes failed instead. */
TL_MUST_USE tl_err tl_records_claim_shards(tl_records *records, const tl_record_shard **out,
                                           size_t *count, tl_str holder, size_t want,
                                           int64_t now_ms, int64_t ttl_ms, tl_arena *arena,
                                           tl_errctx *ctx);

/* tl_records_renew_shard: the lease goes on until now_ms + ttl_ms; REFUSED when the token is not the newest. */
TL_MUST_USE tl_err tl_records_renew_shard(tl_records *records, const tl_record_shard *shard,
                                          int64_t now_ms, int64_t ttl_ms, tl_errctx *ctx);

/* tl_records_complete_shard: done, with shard->result_key. Of a shard that is done already: fine when the key is the
 * same (results are named by their hash), CORRUPT when it is not: two workers came to two results. A lapsed lease may
 * still complete: the work is pure. */
TL_MUST_USE tl_err tl_records_complete_shard(tl_records *records, const tl_record_shard *shard,
                                             tl_errctx *ctx);

/* tl_records_fail_shard: this attempt failed with shard->error: ready again, or failed after TL_RECORD_ATTEMPTS_MAX. One
 * whose token is not the newest, or that is done, stays as it is. */
TL_MUST_USE tl_err tl_records_fail_shard(tl_records *records, const tl_record_shard *shard,
                                         tl_errctx *ctx);

/* tl_records_release_shards: all leases of holder are given back, their attempts uncounted. */
TL_MUST_USE tl_err tl_records_release_shards(tl_records *records, tl_str holder, uint64_t *released,
                                             tl_errctx *ctx);

/* tl_records_close_shards: nobody waits for an epoch's shards any more: what is not done has failed. */
TL_MUST_USE tl_err tl_records_close_shards(tl_records *records, tl_str epoch_id, tl_errctx *ctx);

/* tl_records_shards: of an epoch, by zipcode. */
TL_MUST_USE tl_err tl_records_shards(tl_records *records, const tl_record_shard **out,
                                     size_t *count, tl_str epoch_id, tl_arena *arena,
                                     tl_errctx *ctx);
/* tl_records_count_shards: by state; epoch_id empty: of all epochs. */
TL_MUST_USE tl_err tl_records_count_shards(tl_records *records, uint64_t out[TL_RECORD_SHARD_COUNT],
                                           tl_str epoch_id, tl_errctx *ctx);

/* --- API keys, counters, audit, small values (access.c) --- */

typedef struct tl_record_key {
    tl_str id;
    tl_hash32 hash; /* SHA-256 of the key */
    tl_str scopes;  /* parted by spaces */
    tl_str label;
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    int64_t revoked_ms; /* 0: not */
    tl_str replaces;    /* id of the key that it was rotated from; empty: none */
} tl_record_key;

/* tl_records_put_key: DUPLICATE (id or hash). Where replaces is set, that key is revoked at created_ms in the same
 * step: NOT_FOUND, STATE (it is revoked already). */
TL_MUST_USE tl_err tl_records_put_key(tl_records *records, const tl_record_key *key,
                                      tl_errctx *ctx);
/* tl_records_find_key: by hash, revoked and expired ones too: the caller judges. NOT_FOUND. */
TL_MUST_USE tl_err tl_records_find_key(tl_records *records, tl_record_key *out,
                                       const tl_hash32 *hash, tl_arena *arena, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_get_key(tl_records *records, tl_record_key *out, tl_str id,
                                      tl_arena *arena, tl_errctx *ctx); /* NOT_FOUND */
TL_MUST_USE tl_err tl_records_revoke_key(tl_records *records, tl_str id, int64_t at_ms,
                                         tl_errctx *ctx); /* NOT_FOUND; twice is fine */
/* tl_records_keys: by id, behind after. */
TL_MUST_USE tl_err tl_records_keys(tl_records *records, const tl_record_key **out, size_t *count,
                                   tl_str after, size_t limit, tl_arena *arena, tl_errctx *ctx);

/* tl_records_count: add by to a counter of a UTC day (days since 1970) unless that would pass limit: *is_allowed says
 * which, *used what it has now. Atomic among all processes. */
TL_MUST_USE tl_err tl_records_count(tl_records *records, bool *is_allowed, uint64_t *used,
                                    tl_str name, int64_t day, uint64_t by, uint64_t limit,
                                    tl_errctx *ctx);
/* tl_records_forget_counts: counters of days before day go. */
TL_MUST_USE tl_err tl_records_forget_counts(tl_records *records, int64_t day, tl_errctx *ctx);

typedef struct tl_record_act {
    uint64_t serial; /* from 1, without gaps; the database's */
    int64_t at_ms;
    tl_str actor;       /* who, by which credential */
    tl_str act;         /* "epoch.extend" */
    tl_str subject;     /* what it was done to */
    tl_str detail;      /* JSON, at most 64 KiB */
    tl_str correlation; /* of the request */
    tl_hash32 previous; /* hash of the act before; zeros for the first */
    tl_hash32 hash;     /* tl_record_act_hash */
} tl_record_act;

/* tl_record_act_hash: SHA-256 over "tally-audit/1\n", previous, serial and at_ms (eight bytes each, big-endian) and the
 * five texts, each behind its length (eight bytes, big-endian). */
void tl_record_act_hash(tl_hash32 *out, const tl_record_act *act);

/* tl_records_note: append; serial, previous and hash of the argument are set. */
TL_MUST_USE tl_err tl_records_note(tl_records *records, tl_record_act *act, tl_errctx *ctx);
/* tl_records_acts: by serial, behind after. */
TL_MUST_USE tl_err tl_records_acts(tl_records *records, const tl_record_act **out, size_t *count,
                                   uint64_t after, size_t limit, tl_arena *arena, tl_errctx *ctx);

/* tl_records_put_value, get_value: small things by name. get: NOT_FOUND. */
TL_MUST_USE tl_err tl_records_put_value(tl_records *records, tl_str name, tl_bytes value,
                                        const tl_record_lease *fence, tl_errctx *ctx);
TL_MUST_USE tl_err tl_records_get_value(tl_records *records, tl_bytes *out, tl_str name,
                                        tl_arena *arena, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
