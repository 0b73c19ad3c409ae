/* world: the demo's world as a pure function of a price table and a seed: who plays, and what each of them sends.
 * For         the demo and its tests; whatever else wants a crowd of miners with mixed intentions
 * Takes       a table of real closes, a seed, the number of epochs
 * Gives       miners, their funds and records, each epoch's signals as JSON, what each validator saw and reported
 * Calls       app/assemble, core/subnet/house, core/num        Called by   demo.c
 * Owns        nothing: everything lives in the arena given to tl_demo_world_new, or in that of the call
 * Threads     one world, one thread
 * Invariants  WORLD-1 a portfolio is chosen from closes before its epoch's first day: later prices change none of it
 *             WORLD-2 the same table, seed and index give the same bytes
 *             WORLD-3 no two signals of an epoch have one commit height, and they come in its order
 *             WORLD-4 an honest miner sends one signal an epoch, and it breaks no rule
 * Read        cast.c (who plays), honest.c and gamers.c (what they hold), signals.c (how they send it), validators.c
 *
 * Nobody here knows the rules that will judge them, and nobody is told what becomes of them: each miner has a strategy
 * and a way to behave, and both are played out blindly. What is caught is caught by the road.
 *
 *      weeks      -25 … -1           0        1        …        epochs - 1
 *                 records             each an epoch: decided at the close before its Monday
 */
#ifndef TALLY_APP_DEMO_WORLD_H
#define TALLY_APP_DEMO_WORLD_H

#include "app/assemble/assemble.h"
#include "core/num/rng/rng.h"
#include "core/subnet/portfolio/portfolio.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_DEMO_EPOCHS_MAX  104 /* two years */
#define TL_DEMO_RECORD_DAYS 120 /* trading days of record before the first epoch */
#define TL_DEMO_WINDOW_WEEKS                                                                       \
    260 /* the first epoch lies within so many weeks before the last possible one */
#define TL_DEMO_WEEK_BLOCKS  50400 /* of 12 seconds */
#define TL_DEMO_LOOKBACK_MAX 300   /* closes that a strategy is shown */

/* How a miner behaves, apart from what it holds. */
typedef enum tl_demo_conduct {
    TL_DEMO_PLAIN,    /* commits once, reveals what it committed, in time */
    TL_DEMO_LATE,     /* often reveals after expiry, or not at all */
    TL_DEMO_EARLY,    /* often reveals before it may */
    TL_DEMO_SCRIBBLE, /* signals that break the rules, one way or another */
    TL_DEMO_DOUBLE,   /* commits a second portfolio in the same epoch */
    TL_DEMO_TURNCOAT  /* often reveals another portfolio than it committed */
} tl_demo_conduct;

/* A signal leaks before its reveal to whoever follows; a follower commits after everybody else. */
typedef struct tl_demo_miner tl_demo_miner;
typedef struct tl_demo_world tl_demo_world;

/* What a strategy sees when it decides. */
typedef struct tl_demo_seat {
    const tl_demo_world *world;
    const tl_demo_miner *miner;
    int32_t week; /* 0: the first epoch; before it the record */
    const double *
        closes; /* day_count rows of ticker_count; the last row is the decision day's; 0: no price */
    size_t day_count;
    const uint32_t *leaked; /* of a follower: its victim's weights of this week; else NULL */
} tl_demo_seat;

/* tl_demo_pick: weights in millionths by ticker of the table; they sum to 1,000,000. */
typedef tl_err (*tl_demo_pick)(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                               tl_errctx *ctx);

struct tl_demo_miner {
    const char *name;
    const char *what; /* one line for people */
    bool is_honest;
    bool is_crony; /* a friend of the colluding validators */
    tl_demo_conduct conduct;
    tl_demo_pick pick;
    const char *house;      /* the house strategy that pick follows, or NULL */
    uint32_t lookback_days; /* of the house strategy; 0: its own default */
    uint32_t positions_max;
    double volatility_target; /* of trend; 0: its own default */
    double noise;             /* of a follower, on each weight; 0: follows nobody */
    size_t victim;            /* of a follower: index of the miner whose signals leak to it */
    tl_hotkey hotkey;         /* SHA-256 of "tally/demo/miner/NAME" */
    char address[TL_SS58_CAP];
    tl_rao ante;
    tl_rao stake;
};

struct tl_demo_world {
    const tl_price_table *table;
    const double *closes; /* the table as doubles */
    uint64_t seed;
    uint32_t epochs;
    tl_day first_monday;
    uint32_t record_weeks;
    const tl_demo_miner *miners; /* victims stand before their followers */
    size_t miner_count;
};

/* tl_demo_world_new: choose the weeks and the cast. table: borrowed as long as the world.
 * Errors: TL_ERR_RANGE (epochs not 1 to TL_DEMO_EPOCHS_MAX), TL_ERR_MISSING (the table is too short) */
TL_MUST_USE tl_err tl_demo_world_new(tl_demo_world **out, tl_arena *arena,
                                     const tl_price_table *table, uint64_t seed, uint32_t epochs,
                                     tl_errctx *ctx);

/* tl_demo_portfolios: what each miner would hold in a week: miner_count rows of ticker_count millionths. */
TL_MUST_USE tl_err tl_demo_portfolios(const uint32_t **out, tl_arena *arena,
                                      const tl_demo_world *world, int32_t week, tl_errctx *ctx);

/* tl_demo_records: what is carried into the first epoch, as tl_carry_put writes it. */
TL_MUST_USE tl_err tl_demo_records(tl_str *out, tl_arena *arena, const tl_demo_world *world,
                                   tl_errctx *ctx);

/* tl_demo_stakes: {address: rao}, canonical. */
TL_MUST_USE tl_err tl_demo_stakes(tl_str *out, tl_arena *arena, const tl_demo_world *world,
                                  tl_errctx *ctx);

/* tl_demo_signal: one message to the network. */
typedef struct tl_demo_signal {
    const tl_demo_miner *miner;
    uint64_t commit_height;
    tl_str json; /* what is sent; of a scribbler perhaps no JSON at all */
} tl_demo_signal;

typedef struct tl_demo_epoch {
    tl_str id;
    tl_epoch_span span;
    uint64_t open_height;
    uint64_t settle_height;
    const tl_demo_signal *signals; /* in the order in which they arrive */
    size_t signal_count;
} tl_demo_epoch;

/* tl_demo_epoch_at: the epoch of that index; params tell where its commitments count. */
TL_MUST_USE tl_err tl_demo_epoch_at(tl_demo_epoch *out, tl_arena *arena, const tl_demo_world *world,
                                    uint32_t index, const tl_road_params *params, tl_errctx *ctx);

/* --- validators (validators.c): five with the stakes of the portfolio spec's section 9 --- */

/* tl_demo_sight: the evidence of an epoch, and who saw what. */
typedef struct tl_demo_sight {
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_str evidence;
    bool is_feed_damaged; /* the third validator's */
    uint32_t liar_count;  /* colluders that report another row than their own evidence gives */
} tl_demo_sight;

/* tl_demo_look: what the validators see and report.
 *
 * accepted  signals that the network took, in the order of their commits; the colluders score them as anyone would
 * records   carried into the epoch, canonical JSON
 */
TL_MUST_USE tl_err tl_demo_look(tl_demo_sight *out, tl_arena *arena, const tl_demo_world *world,
                                uint32_t index, const tl_demo_epoch *epoch, const tl_str *accepted,
                                size_t accepted_count, tl_str records, const tl_road_params *params,
                                tl_errctx *ctx);

/* --- for the files of this room --- */

/* tl__demo_rng: a stream of its own for each purpose, name and key. */
void tl__demo_rng(tl_xoshiro *rng, const tl_demo_world *world, const char *purpose,
                  const char *name, int64_t key);

/* tl__demo_monday, tl__demo_decision_row: a week's Monday; the last row of the table before it. */
tl_day tl__demo_monday(const tl_demo_world *world, int32_t week);
size_t tl__demo_decision_row(const tl_demo_world *world, int32_t week);

/* tl__demo_portfolio: a row of weights as the body of a signal. */
TL_MUST_USE tl_err tl__demo_portfolio(tl_portfolio *out, tl_arena *arena,
                                      const tl_demo_world *world, const uint32_t *weights,
                                      tl_errctx *ctx);

/* tl__demo_cast: the miners, without what depends on the seed. */
const tl_demo_miner *tl__demo_cast(size_t *count);

/* Strategies. honest.c: */
TL_MUST_USE tl_err tl__pick_house(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_patient(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_restless(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                     tl_errctx *ctx);
/* gamers.c: */
TL_MUST_USE tl_err tl__pick_copy(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                 tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_wildest(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_churn(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_doubling(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err tl__pick_streak(uint32_t *out, const tl_demo_seat *seat, tl_arena *scratch,
                                   tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
