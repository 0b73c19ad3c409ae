/* listdemo_internal: the play, shared by the files of the room and by its threads. */
#ifndef TALLY_APP_LISTDEMO_INTERNAL_H
#define TALLY_APP_LISTDEMO_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/listdemo/listdemo.h"
#include "app/market/market.h"
#include "app/miner/miner.h"
#include "app/validator/validator.h"
#include "core/num/rng/rng.h"

#define TL__LISTDEMO_EPOCH_S    14400
#define TL__LISTDEMO_EPOCH_MS   ((int64_t)TL__LISTDEMO_EPOCH_S * 1000)
#define TL__LISTDEMO_COLLECT_MS (INT64_C(20) * 60000) /* into an epoch: all have read the market */

/* --- clock.c --- */

/* tl__demo_clock: the machine's clock, moved to another day and ahead. Any thread. */
typedef struct tl__demo_clock {
    tl_clock real;
    int64_t base_wall_ns;
    int64_t base_steady_ns;
    _Atomic int64_t ahead_ns;
} tl__demo_clock;

void tl__demo_clock_start(tl__demo_clock *clock, int64_t wall_ms);
tl_clock tl__demo_clock_view(tl__demo_clock *clock);
int64_t tl__demo_clock_ms(tl__demo_clock *clock);
void tl__demo_clock_reach(tl__demo_clock *clock, int64_t wall_ms); /* not before that; never back */

/* --- cast.c --- */

typedef struct tl__member {
    tl_listdemo_role role;
    uint32_t number;      /* within its role, from 1 */
    uint32_t operator_id; /* members with one operator share a source */
    uint32_t rank;        /* of its report among the miners\', in this epoch */
    char name[TL_LISTDEMO_NAME_CAP];
    char ss58[TL_SS58_CAP];
    tl_keypair *key;
    tl_hotkey hotkey;
    tl_api_member row; /* uid: its index in the cast */
} tl__member;

/* tl__cast_make: keys from URIs. Miners come first, then the validators. tl__cast_deal: the ranks of one epoch. */
TL_MUST_USE tl_err tl__cast_make(tl__member *out, tl_errctx *ctx);
void tl__cast_deal(tl__member *cast, uint64_t seed, int64_t start_ms);
void tl__cast_free(tl__member *cast);

/* The registry, as the coordinator asks for it. self: a tl__play. */
bool tl__cast_find(void *self, tl_api_member *out, const tl_hotkey *hotkey);
size_t tl__cast_peers(void *self, tl_keeper_peer *out, size_t cap);

/* tl__cast_of: index of the member, or TL_LISTDEMO_MEMBERS. */
uint32_t tl__cast_of(const tl__member *cast, const tl_hotkey *hotkey);

/* --- the play --- */

/* tl__reading: what the market showed in this epoch. Miners of one house look at the market through one window, so that
 * a demo is no load test; what each makes of it is its own. */
typedef struct tl__page {
    char zipcode[6];
    bool is_mirror;
    tl_source_batch batch;
} tl__page;

#define TL__PAGES_MAX 128

typedef struct tl__reading {
    pthread_mutex_t lock; /* of all below */
    tl_source *source;
    tl_arena *arena; /* of the epoch */
    tl__page pages[TL__PAGES_MAX];
    size_t count;
} tl__reading;

/* tl__outcome: how an epoch went for a miner. */
typedef struct tl__outcome {
    bool is_done;
    bool is_acknowledged;
    bool is_late; /* the coordinator refused its report: the epoch was closed */
    uint64_t listings;
    int64_t reported_ms;
    tl_err err; /* of the thread */
    tl_errctx why;
} tl__outcome;

#define TL__PATH_CAP 512

/* tl__verdict: what a validator said of an epoch. */
typedef struct tl__verdict {
    bool is_told;
    char status[24];
    bool has_hash;
    tl_hash32 hash;
    uint32_t rate_millionths;
    uint64_t listings;
    size_t submissions;
    char bundle[TL__PATH_CAP];
    char error[TL_ERR_MESSAGE_CAP];
} tl__verdict;

typedef struct tl__play tl__play;

typedef struct tl__miner {
    tl__play *play;
    uint32_t index;
    const char *dir;
    tl_peer peer;
    bool is_open;
    pthread_t thread;
    bool has_thread;
} tl__miner;

typedef struct tl__validator {
    tl__play *play;
    uint32_t index; /* among the validators */
    const char *dir;
    tl_peer peer;
    bool is_open;
    pthread_t thread;
    bool has_thread;
    bool has_ended; /* under the play's lock */
    tl_err err;
    tl_errctx why;
} tl__validator;

struct tl__play {
    const tl_listdemo_options *options;
    tl_arena *arena;
    tl__demo_clock clock;
    int64_t start_ms; /* of the first epoch */
    tl__member cast[TL_LISTDEMO_MEMBERS];
    tl_market market;
    tl_market_server *server;
    char market_url[64];
    tl_keypair *service_key;
    tl_coordinator *coordinator;
    tl_source_options check; /* the validators' source */
    tl__reading reading;
    tl__miner miners[TL_LISTDEMO_MINERS];
    tl__validator validators[TL_LISTDEMO_VALIDATORS];

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t moved;
    bool is_ending;    /* everybody goes home */
    bool is_over;      /* the deadline has passed: who is late reports */
    uint32_t turn;     /* the rank that may report */
    int64_t report_ms; /* when the first one may */
    tl__outcome outcomes[TL_LISTDEMO_MINERS];
    tl__verdict verdicts[TL_LISTDEMO_VALIDATORS]; /* of the epoch that is scored */
    char epoch_id[TL_SLOT_ID_CAP];                /* of it */
};

/* tl__play_wait: until somebody moved, at most a tenth of a second. The lock is held. TL_ERR_INTERRUPTED when the process
 * or the play ends. */
TL_MUST_USE tl_err tl__play_wait(tl__play *play, tl_errctx *ctx);

/* tl__miner_file: where a miner keeps an object of an epoch, in the arena. */
TL_MUST_USE tl_err tl__miner_file(const char **out, tl_arena *arena, const tl__miner *miner,
                                  const char *zipcode, tl_errctx *ctx);

/* --- tricks.c: where a miner's listings come from; a tl_source_fn of a tl__miner --- */

tl_err tl__trick_collect(void *self, tl_source_batch *out, tl_arena *arena, tl_str zipcode,
                         bool is_mirror, tl_errctx *ctx);

/* --- network.c --- */

/* tl__network_open: market, coordinator, peers, validators' threads. tl__network_close: all of it ended, also of one that was
 * not opened whole. */
TL_MUST_USE tl_err tl__network_open(tl__play *play, tl_errctx *ctx);
void tl__network_close(tl__play *play);

/* tl__network_epoch: everybody's part in the epoch that begins at start_ms, until all validators have told its result. */
TL_MUST_USE tl_err tl__network_epoch(tl__play *play, int64_t start_ms, tl_errctx *ctx);

/* --- show.c --- */

TL_MUST_USE tl_err tl__listdemo_epoch_text(tl_str *out, tl_arena *arena, const tl__play *play,
                                           const tl_listdemo_chapter *chapter,
                                           const tl_listings_result *result,
                                           const tl_listdemo_flag *flags, size_t count,
                                           tl_errctx *ctx);
TL_MUST_USE tl_err tl__listdemo_cast_text(tl_str *out, tl_arena *arena, const tl__play *play,
                                          tl_errctx *ctx);

/* tl__listdemo_reason: a rule in words: what was found, and why it counts. */
TL_MUST_USE tl_err tl__listdemo_reason(tl_str *out, tl_arena *arena, const char *rule,
                                       const tl_finding *finding, uint32_t zipcodes,
                                       const char *peer, tl_errctx *ctx);

#endif
