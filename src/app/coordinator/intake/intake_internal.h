/* The queue of rows that wait for a commit. */
#ifndef TALLY_APP_COORDINATOR_INTAKE_INTERNAL_H
#define TALLY_APP_COORDINATOR_INTAKE_INTERNAL_H

#include <pthread.h>

#include "app/coordinator/intake/intake.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One that waits: on the stack of the thread that waits. */
typedef struct tl__intake_wait {
    struct tl__intake_wait *next;
    const tl_record_submission *submission;
    const tl_record_status *status; /* NULL: none */
    tl_record_receipt receipt;
    tl_err err;
    tl_errctx why;
    bool is_done;
} tl__intake_wait;

enum { TL__INTAKE_BATCH_MAX = 512 };

struct tl_intake {
    tl_objects *objects;
    tl_records *records; /* this and the next two: the thread's */
    tl_record_submission rows[TL__INTAKE_BATCH_MAX];
    tl_record_receipt receipts[TL__INTAKE_BATCH_MAX];
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;  /* something waits, or the end */
    pthread_cond_t done;  /* a batch is written */
    tl__intake_wait *first;
    tl__intake_wait **last;
    size_t count;
    bool is_ending;
};

/* group.c: the row, durable on return, in one commit with all that wait. */
TL_MUST_USE tl_err tl__intake_write(tl_intake *intake, tl_record_receipt *out,
                                    const tl_record_submission *submission,
                                    const tl_record_status *status, tl_errctx *ctx);
TL_MUST_USE tl_err tl__intake_group_start(tl_intake *intake, const tl_sql_options *sql,
                                          tl_errctx *ctx);
void tl__intake_group_stop(tl_intake *intake);

#ifdef __cplusplus
}
#endif

#endif
