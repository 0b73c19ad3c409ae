/* store: what must outlive the process, in one SQLite file of the state folder.
 * For         epochs, submissions, receipts and ledger entries that are never lost once acknowledged
 * Takes       bytes, ids, heights; it does not look into them
 * Gives       durable rows, read back in the order in which they came; migrations with checksums
 * Calls       io/sys, core/crypto, SQLite      Called by   app
 * Owns        the database and the folder's lock until tl_store_close
 * Threads     one tl_store, one thread; one writing process a folder, readers beside it
 * Invariants  STORE-1 what tl_store_keep or a commit acknowledged is there after a crash at any point
 *             STORE-2 a submission is kept once: the same key gives the receipt of the first time
 *             STORE-3 a transaction is there wholly or not at all; one failed step fails it
 *             STORE-4 serials of submissions and ledger entries have no gaps, and no row of them changes
 *             STORE-5 a database that was not made by this program's migrations is not written to
 * Read        keep.c for the road, then migrate.c, then sql.c
 *
 *      DIR/tally.db      WAL, synchronous=FULL: a commit returns when the log is on the disk
 *      DIR/lock          held by the process that writes
 *
 * Errors of every function here: IO (disk full, device), CORRUPT (damaged file), LOCKED (another process), REFUSED
 * (permission), NOMEM. The message names the file. What else a function fails with stands beside it.
 */
#ifndef TALLY_IO_STORE_H
#define TALLY_IO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_store tl_store;

#define TL_STORE_FILE "tally.db"
#define TL_STORE_BODY_MAX                                                                          \
    ((size_t)64 << 20) /* bytes of one row's body; SQLite itself ends at 1 GB */
#define TL_STORE_ROWS_MAX ((size_t)1 << 20) /* of one list that is read at once */

typedef enum tl_store_mode {
    TL_STORE_INSPECT, /* as READ, whatever its schema: for status and verify */
    TL_STORE_READ,    /* it must exist and have this program's schema; takes no lock */
    TL_STORE_WRITE,   /* made if it is missing, migrated if it is older; takes the folder's lock */
    TL_STORE_ADMIN    /* as WRITE, but made and migrated by nobody yet: for tl_store_migrate */
} tl_store_mode;

/* tl_store_open: the store of a folder, which WRITE and ADMIN make if it is missing.
 * Errors: NOT_FOUND (READ: no such store), LOCKED (another process writes), VERSION (the file is newer than this
 * program; READ: or older), CORRUPT (migrations changed; no database). */
TL_MUST_USE tl_err tl_store_open(tl_store **out, const char *dir, tl_store_mode mode,
                                 tl_errctx *ctx);

/* tl_store_close: an open transaction is rolled back. The store is gone, also when it fails. NULL is fine. */
tl_err tl_store_close(tl_store *store, tl_errctx *ctx);

/* tl_store_path: the file's path; lives as long as the store. */
const char *tl_store_path(const tl_store *store);

/* --- transactions: without one each function below is its own --- */

/* tl_store_begin: from here on nothing is durable until commit. They do not nest (asserted). */
TL_MUST_USE tl_err tl_store_begin(tl_store *store, tl_errctx *ctx);

/* tl_store_commit: all of it, durable (STORE-1); if a step failed: nothing of it, and that step's error (STORE-3). */
TL_MUST_USE tl_err tl_store_commit(tl_store *store, tl_errctx *ctx);

/* tl_store_rollback: nothing of it. Fine when none is open. */
void tl_store_rollback(tl_store *store);

/* --- submissions and receipts (keep.c) --- */

typedef struct tl_store_submission {
    uint64_t serial; /* from 1, in the order of arrival; the store's */
    tl_hash32 key;   /* what makes two submissions the same, by the engine's choice */
    tl_str epoch_id;
    tl_hotkey hotkey;
    uint64_t height; /* when it was received */
    tl_bytes body;
    bool has_commitment;
    tl_hash32 commitment;
    bool is_accepted;
    tl_str code; /* why not; empty when accepted */
} tl_store_submission;

/* tl_store_receipt: what the sender may be told once it returns. */
typedef struct tl_store_receipt {
    uint64_t serial;
    bool is_new; /* false: it had been kept before (STORE-2) */
} tl_store_receipt;

/* tl_store_keep: durable when it returns TL_OK outside of a transaction; serial of the argument is ignored.
 * Errors: LIMIT (body), RANGE (an id beyond 2^63 - 1), DUPLICATE (the key is kept with another body). */
TL_MUST_USE tl_err tl_store_keep(tl_store *store, tl_store_receipt *out,
                                 const tl_store_submission *submission, tl_errctx *ctx);

/* tl_store_submissions: those of an epoch by serial, deep in the arena. LIMIT: more than TL_STORE_ROWS_MAX. */
TL_MUST_USE tl_err tl_store_submissions(tl_store *store, const tl_store_submission **out,
                                        size_t *count, tl_str epoch_id, tl_arena *arena,
                                        tl_errctx *ctx);

/* tl_store_submission_count: all that were ever kept. */
TL_MUST_USE tl_err tl_store_submission_count(tl_store *store, uint64_t *out, tl_errctx *ctx);

/* tl_store_put_receipt: the bytes that the sender of a submission was given. Errors: NOT_FOUND (no such serial),
 * DUPLICATE (it has one, with other bytes; the same bytes again are fine). */
TL_MUST_USE tl_err tl_store_put_receipt(tl_store *store, uint64_t serial, tl_bytes body,
                                        tl_errctx *ctx);

/* tl_store_get_receipt: NOT_FOUND when there is none. */
TL_MUST_USE tl_err tl_store_get_receipt(tl_store *store, tl_bytes *out, uint64_t serial,
                                        tl_arena *arena, tl_errctx *ctx);

/* --- epochs (epochs.c) --- */

typedef struct tl_store_epoch {
    tl_str id; /* "2024-Q1-W3" */
    tl_str state;
    uint64_t opened_height;
    bool is_settled;
    uint64_t settled_height; /* when is_settled */
    bool has_bundle;
    tl_str bundle_path; /* within the folder: "bundles/2024-Q1-W3.bundle" */
    tl_hash32 bundle_digest;
} tl_store_epoch;

/* tl_store_put_epoch: the epoch as it is now; replaces what was there under its id. */
TL_MUST_USE tl_err tl_store_put_epoch(tl_store *store, const tl_store_epoch *epoch, tl_errctx *ctx);

/* tl_store_get_epoch: NOT_FOUND when there is none. */
TL_MUST_USE tl_err tl_store_get_epoch(tl_store *store, tl_store_epoch *out, tl_str id,
                                      tl_arena *arena, tl_errctx *ctx);

/* tl_store_epochs: all, in the order in which they came. */
TL_MUST_USE tl_err tl_store_epochs(tl_store *store, const tl_store_epoch **out, size_t *count,
                                   tl_arena *arena, tl_errctx *ctx);

typedef struct tl_store_transition {
    tl_str epoch_id;
    tl_str from;
    tl_str to;
    tl_str cause;
    uint64_t height;
} tl_store_transition;

/* tl_store_put_transition: behind the others of its epoch. NOT_FOUND: no such epoch. */
TL_MUST_USE tl_err tl_store_put_transition(tl_store *store, const tl_store_transition *transition,
                                           tl_errctx *ctx);

/* tl_store_transitions: those of an epoch, in order. */
TL_MUST_USE tl_err tl_store_transitions(tl_store *store, const tl_store_transition **out,
                                        size_t *count, tl_str epoch_id, tl_arena *arena,
                                        tl_errctx *ctx);

/* --- the ledger's entries (entries.c) --- */

typedef struct tl_store_entry {
    uint64_t serial; /* from 0 */
    tl_bytes body;
    tl_hash32 hash;
} tl_store_entry;

/* tl_store_append_entry: STATE when serial is not the next one (STORE-4). */
TL_MUST_USE tl_err tl_store_append_entry(tl_store *store, const tl_store_entry *entry,
                                         tl_errctx *ctx);

/* tl_store_each_entry: calls see for each entry from a serial on, in order; the entry lives until see returns; its
 * error ends the walk. see must not write to the store. */
TL_MUST_USE tl_err tl_store_each_entry(tl_store *store, uint64_t from_serial,
                                       tl_err (*see)(void *self, const tl_store_entry *entry,
                                                     tl_errctx *ctx),
                                       void *self, tl_errctx *ctx);

TL_MUST_USE tl_err tl_store_entry_count(tl_store *store, uint64_t *out, tl_errctx *ctx);

/* --- small things by name (entries.c) --- */

TL_MUST_USE tl_err tl_store_put_value(tl_store *store, tl_str key, tl_bytes value, tl_errctx *ctx);
TL_MUST_USE tl_err tl_store_get_value(tl_store *store, tl_bytes *out, tl_str key, tl_arena *arena,
                                      tl_errctx *ctx); /* NOT_FOUND when there is none */

/* --- migrations (migrate.c) --- */

typedef enum tl_store_migration_state {
    TL_STORE_APPLIED,
    TL_STORE_PENDING, /* this program has it, the file does not */
    TL_STORE_CHANGED, /* applied with another text than this program's */
    TL_STORE_UNKNOWN  /* the file has it, this program does not: the file is newer */
} tl_store_migration_state;

typedef struct tl_store_migration {
    uint32_t number;
    tl_str name;
    char checksum[65]; /* SHA-256 of its text in hex; of the file's where it has one */
    tl_store_migration_state state;
} tl_store_migration;

const char *tl_store_migration_state_name(tl_store_migration_state state);

/* tl_store_migrations: all that program or file know, by number. */
TL_MUST_USE tl_err tl_store_migrations(tl_store *store, const tl_store_migration **out,
                                       size_t *count, tl_arena *arena, tl_errctx *ctx);

/* tl_store_migrate: apply what is pending, each in a transaction of its own; *applied is how many.
 * Errors: VERSION (unknown ones), CORRUPT (changed ones): nothing is written then (STORE-5). */
TL_MUST_USE tl_err tl_store_migrate(tl_store *store, size_t *applied, tl_errctx *ctx);

/* tl_store_verify: are all migrations applied and unchanged, the schema what they make, pages and references sound,
 * serials without gaps? findings: texts in the arena, none when all is well; at most TL_STORE_FINDINGS_MAX. */
#define TL_STORE_FINDINGS_MAX 64
TL_MUST_USE tl_err tl_store_verify(tl_store *store, const tl_str **findings, size_t *count,
                                   tl_arena *arena, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
