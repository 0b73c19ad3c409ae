/* What a keeper holds, and the parts of a turn. */
#ifndef TALLY_APP_COORDINATOR_KEEPER_INTERNAL_H
#define TALLY_APP_COORDINATOR_KEEPER_INTERNAL_H

#include <pthread.h>

#include "app/coordinator/keeper/keeper.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TL__KEEPER_LIVE_MAX = 4096, /* epochs that are neither settled nor failed */
    TL__KEEPER_FLIGHTS = 32,    /* epochs with reports in flight at once */
    TL__KEEPER_TURNS = 256      /* looks within one turn: an outage's missed slots among them */
};

typedef struct tl__keeper_flight {
    int64_t start_ms;
    uint32_t count; /* 0: the place is free */
} tl__keeper_flight;

/* A roster on its shelf: gone when nobody holds it and a newer one is there. */
typedef struct tl__keeper_shelf {
    tl_keeper_roster roster; /* first: a roster is its shelf */
    tl_arena *arena;
    size_t holders;
} tl__keeper_shelf;

struct tl_keeper {
    tl_keeper_settings s;
    tl_schedule_rules rules;
    tl_records *records;
    tl_arena *scratch; /* of a turn */
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* guards the five below */
    pthread_cond_t wake;
    bool is_ending;
    bool is_poked;
    tl__keeper_shelf *shelf;
    tl__keeper_flight flights[TL__KEEPER_FLIGHTS];

    /* the turning thread's alone */
    bool is_leader;
    bool was_away; /* the database was, since the lease was renewed */
    tl_record_lease lease;
    int64_t renewed_ms;
    int64_t swept_ms; /* when epochs to archive were looked for */
    int64_t said_ms;  /* when the last failure was told */
};

/* What a turn reads: live epochs, oldest first, and what the schedule needs of each. */
typedef struct tl__keeper_view {
    const tl_record_epoch *records;
    tl_schedule_epoch *plans;
    size_t count;
    int64_t newest_ms; /* below 0: there never was one */
} tl__keeper_view;

int64_t tl__keeper_now_ms(const tl_keeper *keeper);
void tl__keeper_say(const tl_keeper *keeper, tl_log_level level, const char *message,
                    tl_str epoch_id, const char *key, tl_str text);

/* roster.c */
TL_MUST_USE tl_err tl__keeper_read(tl_keeper *keeper, tl__keeper_view *out, bool with_counts,
                                   int64_t now_ms, tl_errctx *ctx);
TL_MUST_USE tl_err tl__keeper_refresh(tl_keeper *keeper, const tl__keeper_view *view,
                                      int64_t now_ms, tl_errctx *ctx);
uint32_t tl__keeper_in_flight(tl_keeper *keeper, int64_t start_ms);

/* acts.c */
TL_MUST_USE tl_err tl__keeper_carry_out(tl_keeper *keeper, const tl_schedule_act *act,
                                        int64_t now_ms, tl_errctx *ctx);

/* prepare.c */
TL_MUST_USE tl_err tl__keeper_prepare(tl_keeper *keeper, int64_t start_ms, bool is_missed,
                                      tl_errctx *ctx);

/* judge.c: within the transaction of the act; the row's marks and the event that follows. */
TL_MUST_USE tl_err tl__keeper_judge(tl_keeper *keeper, const tl_record_epoch *epoch,
                                    tl_epoch_event *event, tl_str *cause, int64_t now_ms,
                                    tl_errctx *ctx);
/* absent.c: within the transaction in which the evidence closes. */
#define TL__KEEPER_ABSENT 0 /* received_ms of evidence that was never given; its body is null */
TL_MUST_USE tl_err tl__keeper_note_absent(tl_keeper *keeper, const tl_record_epoch *epoch,
                                          tl_errctx *ctx);
/* carry.c */
TL_MUST_USE tl_err tl__keeper_write_carry(tl_keeper *keeper, const tl_record_epoch *epoch,
                                          int64_t now_ms, tl_errctx *ctx);
TL_MUST_USE tl_err tl__keeper_beacon(tl_keeper *keeper, tl_record_epoch *epoch, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
