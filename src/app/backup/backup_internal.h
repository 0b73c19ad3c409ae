/* What the files of app/backup share: the manifest's lines, files under a hash, the list of tables. */
#ifndef TALLY_APP_BACKUP_INTERNAL_H
#define TALLY_APP_BACKUP_INTERNAL_H

#include <limits.h>
#include <stdio.h>

#include "app/backup/backup.h"
#include "core/crypto/hash/hash.h"

#define TL__BACKUP_FORMAT   "tally-backup/1"
#define TL__BACKUP_LINE_MAX ((size_t)128 << 20) /* a row with a value of 64 MiB in base64 */

/* --- files under a hash (file.c) --- */

/* tl__backup_file: written or read through, hashed on the way. */
typedef struct tl__backup_file {
    FILE *stream;
    const char *path; /* borrowed */
    tl_sha256_state hash;
    uint64_t bytes;
    char *line; /* of the last read; malloc'd */
    size_t cap;
} tl__backup_file;

tl_err tl__backup_write_open(tl__backup_file *f, const char *path, tl_errctx *ctx);
tl_err tl__backup_write(tl__backup_file *f, tl_bytes bytes, tl_errctx *ctx);
tl_err tl__backup_read_open(tl__backup_file *f, const char *path, tl_errctx *ctx);
/* A line without its end; *is_there false at the file's end. CORRUPT for a last line without an end, LIMIT. */
tl_err tl__backup_read_line(tl__backup_file *f, tl_str *out, bool *is_there, tl_errctx *ctx);
/* The hash of all bytes so far; closes. Errors: IO (what was written does not reach the file). */
tl_err tl__backup_close(tl__backup_file *f, tl_hash32 *out, tl_errctx *ctx);
void tl__backup_abandon(tl__backup_file *f);
/* The length and hash of a file. NOT_FOUND. */
tl_err tl__backup_hash_file(tl_hash32 *out, uint64_t *bytes, const char *path, tl_errctx *ctx);

/* --- the manifest (manifest.c) --- */

typedef enum tl__backup_kind {
    TL__BACKUP_TABLE,
    TL__BACKUP_STATE,
    TL__BACKUP_OBJECT,
    TL__BACKUP_END
} tl__backup_kind;

typedef struct tl__backup_item {
    tl__backup_kind kind;
    tl_str name; /* valid: a table of ours, a plain file name, a key */
    uint64_t rows;
    uint64_t bytes;
    tl_hash32 sha256;
} tl__backup_item;

/* Where an item's bytes lie below a backup. */
void tl__backup_item_path(char out[PATH_MAX], const char *path, const tl__backup_item *item);
/* "tables/epochs.jsonl", "state/NAME", "objects/KEY": for people. */
tl_err tl__backup_item_label(tl_str *out, tl_arena *arena, const tl__backup_item *item,
                             tl_errctx *ctx);

tl_err tl__backup_put_head(tl__backup_file *f, tl_arena *scratch, const char *schema,
                           const tl_clock *clock, tl_errctx *ctx);
tl_err tl__backup_put_item(tl__backup_file *f, tl_arena *scratch, const tl__backup_item *item,
                           tl_errctx *ctx);
/* The end; fills report->digest. Closes the file. */
tl_err tl__backup_put_end(tl__backup_file *f, tl_arena *scratch, tl_backup_report *report,
                          tl_errctx *ctx);

/* tl__backup_reader: the items, one by one. */
typedef struct tl__backup_reader {
    tl__backup_file file;
    tl_arena *arena; /* of the item at hand */
    tl_arena_mark mark;
    char path[PATH_MAX];
    char schema[65];
    bool is_opened;
    bool is_over;            /* the end was read */
    tl_backup_report report; /* what the items add up to */
} tl__backup_reader;

/* Errors: NOT_FOUND, SYNTAX (no backup), VERSION (a newer format). */
tl_err tl__backup_reader_open(tl__backup_reader *r, const char *path, tl_errctx *ctx);
/* The next item, until is_over. CORRUPT when the manifest is not what was written. */
tl_err tl__backup_reader_next(tl__backup_reader *r, tl__backup_item *out, tl_errctx *ctx);
void tl__backup_reader_close(tl__backup_reader *r);

/* --- tables (tables.c) --- */

size_t tl__backup_table_count(void);
const char *
tl__backup_table_name(size_t index); /* in the order in which their rows refer to each other */
bool tl__backup_is_table(tl_str name);
/* One hash for the schema: of its steps' checksums. */
tl_err tl__backup_schema(char out[65], tl_records *records, tl_errctx *ctx);
tl_err tl__backup_dump_table(tl__backup_item *out, tl_sql *sql, size_t index, const char *path,
                             tl_errctx *ctx);
tl_err tl__backup_load_table(tl_sql *sql, const tl__backup_item *item, const char *path,
                             tl_errctx *ctx);
tl_err tl__backup_tables_are_empty(tl_sql *sql, tl_errctx *ctx);
/* After rows were put with numbers of their own: PostgreSQL's counters go on behind them. */
tl_err tl__backup_fix_serials(tl_sql *sql, tl_errctx *ctx);
/* Does the database have tables beside those listed? */
tl_err tl__backup_check_tables(tl_sql *sql, tl_errctx *ctx);

/* --- the state folder (state.c) --- */

bool tl__backup_is_state_name(tl_str name);
/* Its files that belong into a backup, sorted. */
tl_err tl__backup_state_names(const char *const **out, size_t *count, tl_arena *arena,
                              const char *dir, tl_errctx *ctx);

#endif
