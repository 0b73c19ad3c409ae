/* listdemo: the listings network on one machine: market, coordinator, three validators, 24 miners, and who is caught.
 * For         a newcomer's first look at the network, and the proof that all of it holds together
 * Takes       a table of zipcodes, a seed, stores, a folder
 * Gives       settled epochs, each validator's bundles, flags in words, a ledger that adds up
 * Calls       app/market, app/coordinator, app/miner, app/validator, core/subnet/listings, io/store     Called by   app/cli
 * Owns        while it runs: the folder, two servers on loopback, a thread a member
 * Threads     tl_listdemo_run belongs to one thread; those that it starts end before it returns
 * Invariants  LDEMO-1 nobody is scripted to win or to be caught: members meet only over HTTP, through the code that
 *                     tally miner and tally validator run; a cheat's part is where its listings come from
 *             LDEMO-2 an epoch counts when every validator told the same hash and every bundle ran again to its bytes
 *             LDEMO-3 what the members have is what the ledger says, to the rao
 * Read        cast.c (who plays), tricks.c (how), network.c (the machines), listdemo.c (the run), show.c (what is told)
 *
 *   market ◀──collect── 24 miners ──upload, report──▶ coordinator ◀──evidence, ballots── 3 validators ──▶ bundles
 *     ▲                                                                                      │              │
 *     └────────────────────────────── spot checks ───────────────────────────────────────────┘     replay ──┴─▶ ledger
 *
 * Time. All members share one clock. It runs as the machine's does, ahead of it by as much as the keeper of time says:
 * who has nothing left to do until the end of an epoch need not wait for it. Nobody's work is hurried by that: the keeper
 * moves the clock on only when all who are still at work have finished. The first epoch begins at a slot of 2026 that
 * follows from the seed.
 *
 * What repeats. The same seed and zipcodes' table give the same market, roles, keys, gaps and order of reports. Which
 * zipcodes are drawn follows from secrets that the coordinator and the validators make, as in life: so winners, hashes
 * and digest are another time others.
 */
#ifndef TALLY_APP_LISTDEMO_H
#define TALLY_APP_LISTDEMO_H

#include "app/coordinator/coordinator.h"
#include "core/listings/place/place.h"
#include "core/subnet/listings/listings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where nothing else is said. With seed 89 nine honest miners come first, second and third in three epochs, and once a
 * cheat reports before all others; with many other seeds the first of the sybils wins an epoch: that one is nobody's copy,
 * and is paid for honest work. */
#define TL_LISTDEMO_SEED       89
#define TL_LISTDEMO_EPOCHS     3
#define TL_LISTDEMO_EPOCHS_MAX 100
#define TL_LISTDEMO_MINERS     24
#define TL_LISTDEMO_VALIDATORS 3
#define TL_LISTDEMO_MEMBERS    (TL_LISTDEMO_MINERS + TL_LISTDEMO_VALIDATORS)
#define TL_LISTDEMO_NAME_CAP   24

/* X(NAME, word, how many, what they do) */
#define TL_LISTDEMO_ROLE_MAP(X)                                                                    \
    X(HONEST, "honest", 12, "collects everything, misses some, and says what it saw")              \
    X(LATE, "late", 1, "honest work, reported after the deadline")                                 \
    X(SHORT, "short", 2, "collects about half of a zipcode")                                       \
    X(DUPLICATING, "duplicating", 1, "fills up with houses that it lists twice")                   \
    X(SYNTHETIC, "synthetic", 2, "makes houses up")                                                \
    X(COPYING, "copying", 2, "takes another miner's work and shakes it")                           \
    X(HONEYPOT, "honeypot", 1, "collects from a second-hand copy of the market")                   \
    X(SYBIL, "sybil", 3, "one operator's work under several hotkeys and coldkeys")                 \
    X(VALIDATOR, "validator", 3, "scores, spot-checks and agrees with the others")

typedef enum tl_listdemo_role {
#define TL_LISTDEMO_ROLE_ENUM(name, word, count, what) TL_LISTDEMO_##name,
    TL_LISTDEMO_ROLE_MAP(TL_LISTDEMO_ROLE_ENUM)
#undef TL_LISTDEMO_ROLE_ENUM
        TL_LISTDEMO_ROLE_COUNT
} tl_listdemo_role;

const char *tl_listdemo_role_name(tl_listdemo_role role);
const char *tl_listdemo_role_text(tl_listdemo_role role);

/* tl_listdemo_flag: one rule that kept one miner from its place in one epoch, in some zipcodes. */
typedef struct tl_listdemo_flag {
    uint32_t chapter;
    uint32_t member;
    const char *rule;
    uint32_t zipcodes; /* in which it spoke */
    tl_str evidence;   /* JSON: the worst of them, as a miner can look it up */
    tl_str reason;     /* in words */
} tl_listdemo_flag;

/* tl_listdemo_chapter: one epoch. */
typedef struct tl_listdemo_chapter {
    tl_str epoch_id;
    size_t zipcodes;
    size_t honeypot_zipcodes;
    size_t submissions; /* acknowledged */
    uint64_t listings;  /* scored by one validator */
    const char *status; /* of the agreement; "FAILED" when a validator could not take part */
    uint32_t rate_millionths;
    tl_hash32 hashes[TL_LISTDEMO_VALIDATORS];
    const char *bundles[TL_LISTDEMO_VALIDATORS];
    size_t verified_count;  /* of these */
    tl_hash32 digest;       /* of the first */
    bool is_agreed;         /* one hash, one digest (LDEMO-2) */
    const tl_str *outliers; /* hotkeys */
    size_t outlier_count;
    tl_rao emission;
    tl_rao burn;
    double seconds; /* that it took, of the machine's time */
} tl_listdemo_chapter;

/* tl_listdemo_standing: by reward, then score, then hotkey bytes; validators come last. */
typedef struct tl_listdemo_standing {
    uint32_t member;
    char name[TL_LISTDEMO_NAME_CAP];
    char ss58[TL_SS58_CAP];
    tl_listdemo_role role;
    uint32_t ranked;             /* epochs in which it had a place or took part */
    uint32_t places[3];          /* zipcodes won, over all epochs */
    uint64_t quality_millionths; /* sum over the epochs that ranked it */
    tl_rao reward;
    uint32_t flags;
} tl_listdemo_standing;

typedef struct tl_listdemo_report {
    const char *dir;
    const tl_listdemo_chapter *chapters;
    size_t chapter_count;
    const tl_listdemo_flag *flags;
    size_t flag_count;
    const tl_listdemo_standing *standings;
    size_t standing_count;
    char ss58[TL_LISTDEMO_MEMBERS][TL_SS58_CAP]; /* by member */
    char names[TL_LISTDEMO_MEMBERS][TL_LISTDEMO_NAME_CAP];
    size_t verified_count; /* bundles */
    size_t bundle_count;
    bool is_balanced; /* the ledger, and LDEMO-3 */
    uint64_t entry_count;
    tl_rao issuance;
    tl_rao burned;
    tl_hash32 head;
    tl_hash32
        digest; /* SHA-256 over the digests of each epoch's first bundle, in order, and the ledger's head */
} tl_listdemo_report;

/* tl_listdemo_watch: told while it runs, on the caller's thread; any may be NULL. */
typedef struct tl_listdemo_watch {
    void *self;
    void (*step)(void *self, uint64_t done, uint64_t total);
    tl_err (*text)(void *self, tl_str text, tl_errctx *ctx);
} tl_listdemo_watch;

typedef struct tl_listdemo_options {
    uint64_t seed;
    uint32_t epochs; /* 1 … TL_LISTDEMO_EPOCHS_MAX */
    const char *dir; /* claimed */
    const tl_places *places;
    const tl_select_options *bounds; /* of an epoch's zipcodes; NULL: the spec's */
    tl_sql_options sql; /* the coordinator's stores; nothing set: embedded ones in dir */
    tl_objects_options objects;
    const char *redis_url;
    const char *redis_password;
    const tl_log *log; /* of the coordinator; its sink bears several threads; may be NULL */
} tl_listdemo_options;

#define TL_LISTDEMO_SERVICE_DIR "coordinator" /* in dir: the service's state folder */

/* tl_listdemo_claim: make the folder. Errors: TL_ERR_REFUSED, field "dir": it is not empty. */
TL_MUST_USE tl_err tl_listdemo_claim(const char *dir, tl_arena *scratch, tl_errctx *ctx);

/* tl_listdemo_run: play all epochs, in a folder that was claimed.
 *
 * out      lives in the arena
 * watch    may be NULL
 * Errors   TL_ERR_REFUSED: the database has epochs already; TL_ERR_INTERRUPTED; TL_ERR_STATE: an epoch did not come to its
 *          end in ten minutes; those of stores, servers and files */
TL_MUST_USE tl_err tl_listdemo_run(tl_listdemo_report *out, tl_arena *arena,
                                   const tl_listdemo_options *options,
                                   const tl_listdemo_watch *watch, tl_errctx *ctx);

/* tl_listdemo_is_well: all agreed, verified and balanced? */
bool tl_listdemo_is_well(const tl_listdemo_report *report);

/* tl_listdemo_put_json: one line, as the cli spec says. tl_listdemo_put_text: the end, for people. */
void tl_listdemo_put_json(tl_sb *sb, const tl_listdemo_report *report);
void tl_listdemo_put_text(tl_sb *sb, const tl_listdemo_report *report);

#ifdef __cplusplus
}
#endif

#endif
