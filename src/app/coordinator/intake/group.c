/* One commit for all rows that wait. The thread takes the whole queue, writes it, wakes everybody; meanwhile the next
 * queue gathers. */
#include "app/coordinator/intake/intake_internal.h"

typedef struct batch {
    tl_intake *intake;
    tl__intake_wait *const *waits;
    size_t count;
} batch;

/* Rows, and the status of each that was kept. */
static tl_err keep_with_statuses(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const batch *b = self;
    (void)sql;
    TL_TRY(
        tl_records_keep(b->intake->records, b->intake->receipts, b->intake->rows, b->count, ctx));
    for (size_t i = 0; i < b->count; i++) {
        if (b->waits[i]->status != NULL && b->intake->receipts[i].kept == TL_RECORD_KEPT) {
            TL_TRY(tl_records_put_status(b->intake->records, b->waits[i]->status, ctx));
        }
    }
    return TL_OK;
}

/* What a miner says of itself must not stand in the way of anybody's submission: a status that is refused (another end was
 * told meanwhile) costs the batch its statuses, and no row. */
static tl_err keep_batch(batch *b, tl_errctx *ctx)
{
    const tl_err err =
        tl_sql_transact(tl_records_sql(b->intake->records), keep_with_statuses, b, ctx);
    if (err != TL_ERR_STATE && err != TL_ERR_NOT_FOUND) {
        return err;
    }
    tl_errctx_reset(ctx);
    return tl_records_keep(b->intake->records, b->intake->receipts, b->intake->rows, b->count, ctx);
}

/* A batch that fails as a whole says nothing about any single row: each is told the failure, and may come again. */
static void write_batch(tl_intake *intake, tl__intake_wait *const *waits, size_t count)
{
    tl_errctx why = TL_ERRCTX_INIT;
    batch b = {.intake = intake, .waits = waits, .count = count};
    for (size_t i = 0; i < count; i++) {
        intake->rows[i] = *waits[i]->submission;
    }
    const tl_err err = keep_batch(&b, &why);
    (void)pthread_mutex_lock(&intake->lock);
    for (size_t i = 0; i < count; i++) {
        waits[i]->err = err;
        if (err == TL_OK) {
            waits[i]->receipt = intake->receipts[i];
        } else {
            waits[i]->why = why;
        }
        waits[i]->is_done = true;
    }
    (void)pthread_cond_broadcast(&intake->done);
    (void)pthread_mutex_unlock(&intake->lock);
}

/* Those at the head of the queue, or none when the end has come and nobody waits. */
static size_t take_batch(tl_intake *intake, tl__intake_wait *waits[TL__INTAKE_BATCH_MAX])
{
    size_t count = 0;
    (void)pthread_mutex_lock(&intake->lock);
    while (intake->first == NULL && !intake->is_ending) {
        (void)pthread_cond_wait(&intake->more, &intake->lock);
    }
    while (intake->first != NULL && count < TL__INTAKE_BATCH_MAX) {
        waits[count] = intake->first;
        intake->first = waits[count++]->next;
    }
    if (intake->first == NULL) {
        intake->last = &intake->first;
    }
    intake->count -= count;
    (void)pthread_mutex_unlock(&intake->lock);
    return count;
}

static void *run(void *self)
{
    tl_intake *intake = self;
    tl__intake_wait *waits[TL__INTAKE_BATCH_MAX];
    for (size_t count = take_batch(intake, waits); count > 0; count = take_batch(intake, waits)) {
        write_batch(intake, waits, count);
    }
    return NULL;
}

tl_err tl__intake_write(tl_intake *intake, tl_record_receipt *out,
                        const tl_record_submission *submission, const tl_record_status *status,
                        tl_errctx *ctx)
{
    tl__intake_wait wait = {.submission = submission, .status = status, .why = TL_ERRCTX_INIT};
    (void)pthread_mutex_lock(&intake->lock);
    if (intake->count >= TL_INTAKE_WAITING_MAX || intake->is_ending) {
        (void)pthread_mutex_unlock(&intake->lock);
        return tl_fail(ctx, TL_ERR_LOCKED, "too many reports wait to be written");
    }
    *intake->last = &wait;
    intake->last = &wait.next;
    intake->count++;
    (void)pthread_cond_signal(&intake->more);
    while (!wait.is_done) {
        (void)pthread_cond_wait(&intake->done, &intake->lock);
    }
    (void)pthread_mutex_unlock(&intake->lock);
    if (wait.err != TL_OK) {
        if (ctx != NULL) {
            *ctx = wait.why;
        }
        return wait.err;
    }
    *out = wait.receipt;
    return TL_OK;
}

size_t tl_intake_waiting(tl_intake *intake)
{
    (void)pthread_mutex_lock(&intake->lock);
    const size_t count = intake->count;
    (void)pthread_mutex_unlock(&intake->lock);
    return count;
}

tl_err tl__intake_group_start(tl_intake *intake, const tl_sql_options *sql, tl_errctx *ctx)
{
    (void)pthread_mutex_init(&intake->lock, NULL);
    (void)pthread_cond_init(&intake->more, NULL);
    (void)pthread_cond_init(&intake->done, NULL);
    intake->last = &intake->first;
    TL_TRY(tl_records_open(&intake->records, sql, TL_RECORDS_USE, ctx));
    if (pthread_create(&intake->thread, NULL, run, intake) != 0) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no thread for the intake");
    }
    intake->has_thread = true;
    return TL_OK;
}

void tl__intake_group_stop(tl_intake *intake)
{
    (void)pthread_mutex_lock(&intake->lock);
    intake->is_ending = true;
    (void)pthread_cond_broadcast(&intake->more);
    (void)pthread_mutex_unlock(&intake->lock);
    if (intake->has_thread) {
        (void)pthread_join(intake->thread, NULL);
    }
    tl_records_close(intake->records);
    (void)pthread_cond_destroy(&intake->done);
    (void)pthread_cond_destroy(&intake->more);
    (void)pthread_mutex_destroy(&intake->lock);
}
