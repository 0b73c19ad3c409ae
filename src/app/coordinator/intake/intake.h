/* intake: from a miner's word that all is uploaded to an acknowledgement that is never lost.
 * For         the status route of the coordinator
 * Takes       who reports for which epoch; the metadata.json and the objects that lie in the miner's folder
 * Gives       the content hash and the time of receipt, once everything is durable
 * Calls       io/objects, io/records           Called by   app/coordinator
 * Owns        a thread that writes rows, with a database handle of its own
 * Threads     tl_intake_take from any number of threads at once; new and free from one
 * Invariants  TAKE-1 what is acknowledged is there with the bytes its hashes name, where no miner can write, and its row is
 *                    durable: in this order, so a crash at any point leaves copies that nobody needs, never a row without them
 *             TAKE-2 of a miner's reports of an epoch the first whole set counts; each later one is told that one
 *             TAKE-3 a metadata.json names only objects of its own miner and epoch, and only zipcodes that were assigned
 * Read        tl_intake_take(), then metadata.c, then group.c
 *
 *      metadata.json ──read, checked──▶ objects ──hash verified, copied, durable──▶ row ──one commit for many──▶ receipt
 *      (in the miner's folder)          kept/sha256/…                              (group.c)
 *
 * Reports that come while a commit runs wait for the next one, all together: a disk that syncs a hundred times a second
 * acknowledges thousands.
 */
#ifndef TALLY_APP_COORDINATOR_INTAKE_H
#define TALLY_APP_COORDINATOR_INTAKE_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "io/objects/objects.h"
#include "io/records/records.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_intake tl_intake;

#define TL_INTAKE_METADATA_LEN_MAX ((size_t)4 << 20)
#define TL_INTAKE_OBJECTS_MAX      4096
#define TL_INTAKE_OBJECT_LEN_MAX   TL_OBJECTS_KEEP_LEN_MAX
#define TL_INTAKE_ZIPCODE_LEN_MAX                                                                  \
    ((uint64_t)256 << 20) /* of its objects for one zipcode: a validator holds these at once */
#define TL_INTAKE_BYTES_MAX   ((uint64_t)4 << 30) /* of a submission's objects together */
#define TL_INTAKE_WAITING_MAX 4096                /* reports that wait for a commit */

/* tl_intake_new: objects is borrowed until free. Errors: those of io/records; NOMEM. */
TL_MUST_USE tl_err tl_intake_new(tl_intake **out, const tl_sql_options *sql, tl_objects *objects,
                                 tl_errctx *ctx);

/* tl_intake_free: what waits is written first. NULL is fine. */
void tl_intake_free(tl_intake *intake);

/* tl_intake_claim: a report, by a caller who is known. */
typedef struct tl_intake_claim {
    tl_str epoch_id;
    tl_str ss58; /* of the hotkey, as in the keys of objects */
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    uint32_t uid;
    int64_t received_ms;
    tl_str correlation;
    const tl_record_assignment *zipcodes; /* by code */
    size_t zipcode_count;
    const tl_record_status *status; /* noted with the row, in the same commit; NULL: nothing */
} tl_intake_claim;

typedef struct tl_intake_ack {
    tl_record_receipt receipt;
    size_t object_count; /* of this report's metadata.json */
} tl_intake_ack;

/* tl_intake_folder: "data/hotkey={hk}/epoch={id}/": where a submission lies. In the arena. */
TL_MUST_USE tl_err tl_intake_folder(tl_str *out, tl_arena *arena, tl_str ss58, tl_str epoch_id,
                                    tl_errctx *ctx);

/* tl_intake_take: look at what was uploaded, keep it, write the row (TAKE-1).
 *
 * scratch  for metadata.json and what is read from it; may be rewound afterwards
 * Errors   NOT_FOUND: metadata.json or an object of it is not there; CORRUPT: an object is not what metadata.json says;
 *          those of tl_intake_read; IO, LOCKED, LIMIT (too many wait): nothing was kept, a repeat may succeed. The field
 *          is the key of the object, or a member of metadata.json
 */
TL_MUST_USE tl_err tl_intake_take(tl_intake *intake, tl_intake_ack *out, tl_arena *scratch,
                                  const tl_intake_claim *claim, tl_errctx *ctx);

/* tl_intake_waiting: reports that wait for a commit now, for metrics. */
size_t tl_intake_waiting(tl_intake *intake);

/* tl_intake_read: metadata.json as rows (metadata.c). out lies in the arena, its texts look into text.
 * Errors: those of base/json; UNKNOWN (a key outside of the folder, a zipcode that was not assigned, another epoch or
 * hotkey), DUPLICATE (a key twice), RANGE (bytes, rows), LIMIT, MISSING (no object), with the member as field. */
TL_MUST_USE tl_err tl_intake_read(const tl_record_object **out, size_t *count, tl_arena *arena,
                                  tl_str text, const tl_intake_claim *claim, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
