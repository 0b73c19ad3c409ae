/* backup: a service's rows, objects and keys in one folder, and back.
 * For         disasters, moves from SQLite to PostgreSQL or from a folder to S3, and back
 * Takes       open stores, the state folder; a folder that a backup makes
 * Gives       a backup whose every byte is under one digest; stores as they were
 * Calls       io/records, io/sql, io/objects, io/sys             Called by   cli
 * Owns        nothing after return
 * Threads     one call, one thread; the service may run meanwhile
 * Invariants  BACKUP-1 the rows are of one moment: one transaction reads them all
 *             BACKUP-2 a backup is at its path wholly or not at all
 *             BACKUP-3 a changed byte anywhere in what the manifest names, or in the manifest, is found
 *             BACKUP-4 only empty stores are restored into, and their rows come last, in one transaction
 * Read        manifest.c, tables.c, create.c, verify.c, restore.c
 *
 * The folder, format tally-backup/1, for its owner alone: it holds the keys.
 *
 *      MANIFEST              lines of JSON: a head, one for each of what follows, and the end with the digest
 *      tables/NAME.jsonl     the columns, then a row a line: numbers, texts, bytes as base64, null. No dialect: a backup of
 *                            SQLite goes into PostgreSQL and back
 *      objects/ab/SHA256     the objects' bytes, once for all keys that have the same
 *      state/NAME            files of the state folder: keys, pins. Not the lock, the databases, the process's own name, nor
 *                            the marks of requests seen, which are of one machine and of two minutes
 *
 *      {"format":"tally-backup/1","created":TIME,"schema":[checksums]}
 *      {"kind":"table","name":"epochs","rows":3,"bytes":N,"sha256":HEX}
 *      {"kind":"state","name":"objects.key","bytes":32,"sha256":HEX}
 *      {"kind":"object","name":"data/…","bytes":N,"sha256":HEX}
 *      {"kind":"end","digest":HEX,"rows":N,"objects":N,"keys":N,"bytes":N}     digest: SHA-256 of all lines above
 *
 * Objects are read after the rows were: what the rows name was there by then and is still, since kept objects outlive
 * their rows' use. An object that is deleted in between is left out, one that comes in is taken along: neither hurts.
 * A restore asks for the schema that the backup was made with: restore first, then upgrade.
 */
#ifndef TALLY_APP_BACKUP_H
#define TALLY_APP_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "io/objects/objects.h"
#include "io/records/records.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_backup_stores: what is read or filled. objects without a sign file, which is one of the state files. */
typedef struct tl_backup_stores {
    tl_records *records;
    tl_objects *objects;
    const char *dir; /* the state folder */
} tl_backup_stores;

/* tl_backup_report: what a backup holds. */
typedef struct tl_backup_report {
    uint64_t rows;
    uint64_t objects;
    uint64_t keys;  /* files of the state folder */
    uint64_t bytes; /* of tables, objects (each key's) and state files */
    char digest[65];
} tl_backup_report;

#define TL_BACKUP_STATE_LEN_MAX ((size_t)1 << 20) /* of a file of the state folder */
#define TL_BACKUP_DIFFERS_MAX   1000              /* told; the others are counted */

/* tl_backup_create: to path, which must not exist (STATE); durable on return. Errors of the stores; IO. */
TL_MUST_USE tl_err tl_backup_create(tl_backup_report *out, const char *path,
                                    const tl_backup_stores *stores, const tl_clock *clock,
                                    tl_errctx *ctx);

/* tl_backup_verify: *differs: names of what is not as the manifest says ("tables/epochs.jsonl", "objects/KEY",
 * "MANIFEST"), none when all is well. Errors: NOT_FOUND (no such path), SYNTAX (no backup at all), VERSION. */
TL_MUST_USE tl_err tl_backup_verify(tl_backup_report *out, const tl_str **differs, size_t *count,
                                    tl_arena *arena, const char *path, tl_errctx *ctx);

/* tl_backup_restore: verified whole before anything is written (CORRUPT). Errors: STATE (a store is not empty), VERSION
 * (another schema), those of the stores. After a failure the stores are to be emptied. */
TL_MUST_USE tl_err tl_backup_restore(tl_backup_report *out, const char *path,
                                     const tl_backup_stores *stores, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
