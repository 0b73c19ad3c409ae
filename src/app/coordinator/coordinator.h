/* coordinator: the service of a competitive-mining subnet: epochs, assignments, submissions, votes, results.
 * For         tally coordinator run, the demo of the listings network, tests
 * Takes       a key, who is registered, a table of zipcodes, stores, a clock
 * Gives       the REST API of the cli and listings specs; everything acknowledged is durable
 * Calls       app/api, app/access, app/coordinator/{schedule,keeper,intake}, io/{records,objects,redis}, core/listings
 * Called by   app/cli, app/listdemo
 * Owns        its stores' handles and threads, from new to free
 * Threads     new, start, stop and free belong to one thread
 * Invariants  COORD-1 nothing of an epoch that a miner must not know leaves before its time: nonce, honeypots, the next
 *                     epoch's zipcodes
 *             COORD-2 a report counts by the moment in which its head arrived, and these moments never go back
 *             COORD-3 every administrative act stands in the audit log, or did not happen
 * Read        routes.c (what there is), assignments.c and status.c (a miner), votes.c (a validator), admin.c (people)
 *
 *   miner      assignments ─▶ folder access ─▶ objects ─▶ status COMPLETED ─▶ acknowledgement
 *   validator  contribution: commit … reveal ─▶ submissions ─▶ evidence ─▶ results: commit … reveal ─▶ results
 *   keeper     opens and closes, fixes the beacon, judges, settles; handlers answer from its roster
 *
 * Where the spec leaves a choice:
 *   - A COMPLETED report that comes again gets the acknowledgement of the first whole set, whatever lies in the folder by
 *     then: the client sees by contentHash which one counts. Another word after COMPLETED is 409.
 *   - What metadata.json names and does not lie there as named is 409 Conflict with the key in the message; a
 *     metadata.json that is malformed is 400 with its member as field. Either may be mended and reported again.
 *   - A validator sees submissions once the beacon is fixed: before that the list may still grow, and whoever reads it
 *     early could copy from it. Until then it is 409. A miner sees its own at any time.
 *   - Results are 404 until the epoch is judged. A failed epoch has a result too: its status says why nothing was paid.
 */
#ifndef TALLY_APP_COORDINATOR_H
#define TALLY_APP_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/coordinator/keeper/keeper.h"
#include "base/error/error.h"
#include "base/log/log.h"
#include "base/world/world.h"
#include "core/crypto/keypair/keypair.h"
#include "core/listings/place/place.h"
#include "io/objects/objects.h"
#include "io/sql/sql.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_coordinator tl_coordinator;

/* tl_coordinator_settings: zero means the default where one is named. Borrowed until free. */
typedef struct tl_coordinator_settings {
    const char *subnet; /* "listings" */
    uint32_t netuid;    /* 46 */
    bool is_compat;
    uint32_t epoch_seconds; /* 14,400 */
    int64_t validator_stake_rao;
    const tl_places *places;
    const tl_select_options *bounds; /* of an epoch's zipcodes; NULL: the spec's */
    const tl_keypair *key;           /* the Receiver of signed requests */
    const char *dir;                 /* the state folder, which exists and is this process's */

    /* Who is registered: one hotkey, or all by hotkey bytes (at most cap; returns how many there are). From any thread. */
    void *peers_self;
    bool (*find)(void *self, tl_api_member *out, const tl_hotkey *hotkey);
    size_t (*peers)(void *self, tl_keeper_peer *out, size_t cap);

    tl_sql_options sql;
    tl_objects_options
        objects; /* its sign_file, public_url, clock and entropy are set here where they are not */
    const char *redis_url; /* NULL: in the process */
    const char *redis_password;

    const char *host; /* 127.0.0.1 */
    uint16_t port;    /* 0 takes a free one */
    unsigned loops;
    unsigned workers;
    const char *tls_cert;
    const char *tls_key;
    double limits_factor; /* 1 */
    bool is_unlimited;
    bool limits_loopback;
    const char *const *trusted_proxies;
    size_t trusted_proxy_count;
    const char *const *cors;
    size_t cors_count;

    const tl_log *log;
    tl_clock clock;      /* zero: the machine's */
    tl_entropy entropy;  /* zero: the machine's */
    bool is_driven;      /* tests: no thread turns, tl_coordinator_turn does */
    bool checks_answers; /* tests: every answer is held against its schema */
} tl_coordinator_settings;

/* tl_coordinator_new: stores open, the first epoch opened. Errors: those of the stores, of keys, of the table. */
TL_MUST_USE tl_err tl_coordinator_new(tl_coordinator **out, const tl_coordinator_settings *settings,
                                      tl_errctx *ctx);
void tl_coordinator_free(tl_coordinator *coordinator); /* stops it first; NULL is fine */

/* tl_coordinator_start: listen and serve. tl_coordinator_stop: finish what was begun, at most 10 s. */
TL_MUST_USE tl_err tl_coordinator_start(tl_coordinator *coordinator, tl_errctx *ctx);
void tl_coordinator_stop(tl_coordinator *coordinator);

/* tl_coordinator_turn: one turn of its keeper, where no thread takes them. */
TL_MUST_USE tl_err tl_coordinator_turn(tl_coordinator *coordinator, tl_errctx *ctx);

/* tl_coordinator_tend: what can wait: once an hour, if this coordinator leads, what was kept long enough goes: uploads and
 * workers' documents after 8 days, archived epochs' submissions and kept copies after 30, what validators uploaded after 180
 * (listings spec, sections 1 and 4). Objects age by the machine's clock: not for a coordinator on another.
 * Blocks while it deletes; from one thread, any. Errors: those of io/objects and io/records. */
TL_MUST_USE tl_err tl_coordinator_tend(tl_coordinator *coordinator, tl_errctx *ctx);

const char *tl_coordinator_url(const tl_coordinator *coordinator);  /* "http://127.0.0.1:8080" */
const char *tl_coordinator_ss58(const tl_coordinator *coordinator); /* its hotkey */

/* tl_coordinator_epoch_id: of the epoch that runs; false when there is none (another coordinator leads, and is late). */
bool tl_coordinator_epoch_id(tl_coordinator *coordinator, char out[TL_SLOT_ID_CAP]);

/* tl_coordinator_document: the OpenAPI document; lives as long as the coordinator. */
tl_str tl_coordinator_document(const tl_coordinator *coordinator);

/* --- emergency extension (extend.c): a signed record that lengthens an epoch --- */

/* tl_coordinator_extend: sign it, keep it, note it in the audit log.
 *
 * out     the record as JSON, in the arena:
 *         {"epochId","seconds","reason","submissionDeadline","signedAt","hotkey","signature","delegation"}; what is signed
 *         is the text "tally-extension/1\n" epochId "\n" seconds "\n" submissionDeadline "\n" reason "\n"
 * certificate  of key, where it is the state folder's (tl_coordinator_delegate): it stands in the record; else empty
 * actor   who asked for it, for the audit log
 * Errors  NOT_FOUND (no such epoch), STATE (its deadline has passed, or it is not open), RANGE (seconds 1 … 86,400; a
 *         reason of 1 … 500 characters) */
TL_MUST_USE tl_err tl_coordinator_extend(tl_str *out, tl_arena *arena, tl_records *records,
                                         const tl_keypair *key, tl_str certificate, tl_str epoch_id,
                                         int64_t seconds, tl_str reason, tl_str actor,
                                         tl_str correlation, int64_t now_ms, tl_errctx *ctx);

/* tl_coordinator_delegate: the key of a state folder that may sign extensions, which the caller frees, and its certificate
 * by the coordinator's own key: {"hotkey","delegate","signature"}, over "tally-delegate/1\n" delegate "\n". A coordinator
 * makes both when it first runs. Errors: NOT_FOUND (none ran there), CORRUPT, those of files. */
TL_MUST_USE tl_err tl_coordinator_delegate(tl_keypair **out, tl_str *certificate, tl_arena *arena,
                                           const char *dir, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
