/* machine: the states of an epoch, and the only ways from one to the next.
 * For         every subnet: one engine, one set of states; APIs translate them to each original's words
 * Takes       a machine, an event, a height, a cause      Gives   the transition made and what the shell must do now
 * Calls       base                             Called by   core/epoch/road, app
 * Owns        nothing: a machine is a value
 * Invariants  EPO-1 no state is skipped: an event that the state does not know changes nothing and is an error
 *             EPO-2 heights never go back     EPO-3 an epoch is extended at most once
 *
 *   pending ─open─▶ open ─close─▶ reveal ─close─▶ scoring ─agree─▶ agreed ─settle─▶ settled ─archive─▶ archived
 *                                                 │  ▲                                                   ▲
 *                                        disagree │  │ retry                                             │
 *                                                 ▼  │                                                   │
 *                                              extended     scoring ─disagree, the second time─▶ failed ─┘ archive
 *   void, from any state before agreed ─▶ failed
 */
#ifndef TALLY_CORE_EPOCH_MACHINE_H
#define TALLY_CORE_EPOCH_MACHINE_H

#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, text in JSON and in the database). Never renumbered. */
#define TL_EPOCH_STATE_MAP(X)                                                                      \
    X(PENDING, "pending")                                                                          \
    X(OPEN, "open")                                                                                \
    X(REVEAL, "reveal")                                                                            \
    X(SCORING, "scoring")                                                                          \
    X(AGREED, "agreed")                                                                            \
    X(SETTLED, "settled")                                                                          \
    X(ARCHIVED, "archived")                                                                        \
    X(EXTENDED, "extended")                                                                        \
    X(FAILED, "failed")

typedef enum tl_epoch_state {
#define TL_EPOCH_STATE_ENUM(name, text) TL_EPOCH_##name,
    TL_EPOCH_STATE_MAP(TL_EPOCH_STATE_ENUM)
#undef TL_EPOCH_STATE_ENUM
        TL_EPOCH_STATE_COUNT
} tl_epoch_state;

typedef enum tl_epoch_event {
    TL_EPOCH_EV_OPEN,
    TL_EPOCH_EV_CLOSE,    /* submissions end, or reveals end */
    TL_EPOCH_EV_AGREE,    /* the top hash holds half of the stake or more */
    TL_EPOCH_EV_DISAGREE, /* it does not */
    TL_EPOCH_EV_RETRY,    /* an extended epoch is scored again */
    TL_EPOCH_EV_SETTLE,
    TL_EPOCH_EV_ARCHIVE,
    TL_EPOCH_EV_VOID, /* called off: antes go back */
    TL_EPOCH_EVENT_COUNT
} tl_epoch_event;

/* What the shell must do because of a transition: bits. */
typedef enum tl_epoch_action {
    TL_EPOCH_DO_NOTHING = 0,
    TL_EPOCH_DO_TAKE_COMMITS = 1,
    TL_EPOCH_DO_TAKE_REVEALS = 2,
    TL_EPOCH_DO_GATHER_EVIDENCE = 4,
    TL_EPOCH_DO_PAY = 8,
    TL_EPOCH_DO_PUBLISH = 16,
    TL_EPOCH_DO_REFUND = 32
} tl_epoch_action;

typedef struct tl_epoch_machine {
    tl_epoch_state state;
    uint64_t height; /* of the last transition */
    bool was_extended;
} tl_epoch_machine;

#define TL_EPOCH_CAUSE_CAP 64

typedef struct tl_epoch_transition {
    tl_epoch_state from;
    tl_epoch_state to;
    uint64_t height;
    tl_epoch_action actions;
    char cause[TL_EPOCH_CAUSE_CAP];
} tl_epoch_transition;

/* tl_epoch_step: make the transition of an event, or none.
 *
 * machine  changed only on success
 * out      the transition, with its cause and what the shell must do
 * cause    why, for people: at most 63 bytes are kept
 * Errors   TL_ERR_STATE: the state does not know the event; TL_ERR_RANGE: the height went back
 */
TL_MUST_USE tl_err tl_epoch_step(tl_epoch_machine *machine, tl_epoch_transition *out,
                                 tl_epoch_event event, uint64_t height, const char *cause,
                                 tl_errctx *ctx);

const char *tl_epoch_state_text(tl_epoch_state state);

/* tl_epoch_state_parse: false when there is no state of that text. */
bool tl_epoch_state_parse(tl_epoch_state *out, tl_str text);

#ifdef __cplusplus
}
#endif

#endif
