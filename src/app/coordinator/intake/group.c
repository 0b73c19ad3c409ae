/* One commit for all rows that wait. The thread takes the whole queue, writes it, wakes everybody; meanwhile the next
 * queue gathers. */
#include "app/coordinator/intake/intake_internal.h"

/* A batch that fails as a whole says nothing about any single row: each is told the failure, and may come again. */
static void write_batch(tl_intake *intake, tl__intake_wait *const *batch, size_t count)
{
    tl_errctx why = TL_ERRCTX_INIT;
    for (size_t i = 0; i < count; i++) {
        intake->rows[i] = *batch[i]->submission;
    }
    const tl_err err =
        tl_records_keep(intake->records, intake->receipts, intake->rows, count, &why);
    (void)pthread_mutex_lock(&intake->lock);
    for (size_t i = 0; i < count; i++) {
        batch[i]->err = err;
        if (err == TL_OK) {
            batch[i]->receipt = intake->receipts[i];
        } else {
            batch[i]->why = why;
        }
        batch[i]->is_done = true;
    }
    (void)pthread_cond_broadcast(&intake->done);
    (void)pthread_mutex_unlock(&intake->lock);
}

/* Those at the head of the queue, or none when the end has come and nobody waits. */
static size_t take_batch(tl_intake *intake, tl__intake_wait *batch[TL__INTAKE_BATCH_MAX])
{
    size_t count = 0;
    (void)pthread_mutex_lock(&intake->lock);
    while (intake->first == NULL && !intake->is_ending) {
        (void)pthread_cond_wait(&intake->more, &intake->lock);
    }
    while (intake->first != NULL && count < TL__INTAKE_BATCH_MAX) {
        batch[count] = intake->first;
        intake->first = batch[count++]->next;
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
    tl__intake_wait *batch[TL__INTAKE_BATCH_MAX];
    for (size_t count = take_batch(intake, batch); count > 0; count = take_batch(intake, batch)) {
        write_batch(intake, batch, count);
    }
    return NULL;
}

tl_err tl__intake_write(tl_intake *intake, tl_record_receipt *out,
                        const tl_record_submission *submission, tl_errctx *ctx)
{
    tl__intake_wait wait = {.submission = submission, .why = TL_ERRCTX_INIT};
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
