/* shelf.c: what workers have finished, as a validator takes it. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/worker/worker.h"
#include "io/sys/sys.h"

enum { LOOK_MS = 100, WAIT_MS = 25, MS_NS = 1000000, EPOCH_CAP = 32 };

struct tl_shelf {
    tl_objects *objects;
    tl_clock clock;
    pthread_mutex_t lock; /* guards what follows */
    tl_records *records;
    tl_arena *arena; /* of the rows */
    char epoch_id[EPOCH_CAP];
    const tl_record_shard *rows; /* as they were at looked_ms */
    size_t count;
    int64_t looked_ms;
};

static int64_t now_ms(const tl_shelf *shelf)
{
    return tl_clock_wall_ns(&shelf->clock) / MS_NS;
}

tl_err tl_shelf_open(tl_shelf **out, const tl_sql_options *sql, tl_objects *objects, tl_clock clock,
                     tl_errctx *ctx)
{
    tl_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the shelf");
    }
    shelf->objects = objects;
    shelf->clock = clock;
    (void)pthread_mutex_init(&shelf->lock, NULL);
    tl_err err = tl_arena_new(&shelf->arena, NULL, 0, NULL, ctx);
    err = err == TL_OK ? tl_records_open(&shelf->records, sql, TL_RECORDS_USE, ctx) : err;
    if (err != TL_OK) {
        tl_shelf_close(shelf);
        return err;
    }
    *out = shelf;
    return TL_OK;
}

void tl_shelf_close(tl_shelf *shelf)
{
    if (shelf != NULL) {
        tl_records_close(shelf->records);
        tl_arena_free(shelf->arena);
        (void)pthread_mutex_destroy(&shelf->lock);
        free(shelf);
    }
}

/* The rows of the epoch, at most so often. A database that is away shows what it showed last. */
static void look(tl_shelf *shelf, tl_str epoch_id)
{
    const int64_t at_ms = now_ms(shelf);
    const bool is_same = tl_str_eq_cstr(epoch_id, shelf->epoch_id);
    if (is_same && at_ms >= shelf->looked_ms && at_ms - shelf->looked_ms < LOOK_MS) {
        return;
    }
    tl_arena *arena = NULL;
    const tl_record_shard *rows = NULL;
    size_t count = 0;
    shelf->looked_ms = at_ms;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return;
    }
    if (tl_records_shards(shelf->records, &rows, &count, epoch_id, arena, NULL) != TL_OK) {
        tl_arena_free(arena);
        return;
    }
    tl_arena_free(shelf->arena);
    shelf->arena = arena;
    shelf->rows = rows;
    shelf->count = count;
    (void)tl_str_print(shelf->epoch_id, sizeof shelf->epoch_id, "%.*s", TL_STR_ARG(epoch_id));
}

/* Is one to be expected? *key is set once it is there. */
static tl_err find(tl_shelf *shelf, bool *is_expected, tl_str *key, tl_arena *arena,
                   tl_str epoch_id, tl_str zipcode, tl_errctx *ctx)
{
    tl_err err = TL_OK;
    *is_expected = false;
    (void)pthread_mutex_lock(&shelf->lock);
    look(shelf, epoch_id);
    const bool is_known = tl_str_eq_cstr(epoch_id, shelf->epoch_id);
    for (size_t i = 0; is_known && i < shelf->count; i++) {
        const tl_record_shard *row = &shelf->rows[i];
        if (tl_str_eq(row->zipcode, zipcode)) {
            *is_expected = row->state != TL_RECORD_SHARD_FAILED;
            if (row->state == TL_RECORD_SHARD_DONE) {
                err = tl_str_copy(key, arena, row->result_key, ctx);
            }
        }
    }
    *is_expected = *is_expected || !is_known;
    (void)pthread_mutex_unlock(&shelf->lock);
    return err;
}

tl_err tl_shelf_take(void *self, tl_str *document, tl_arena *arena, tl_str epoch_id, tl_str zipcode,
                     int64_t until_ms, tl_errctx *ctx)
{
    tl_shelf *shelf = self;
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    *document = (tl_str){NULL, 0};
    for (;;) {
        bool is_expected = false;
        tl_str key = {NULL, 0};
        tl_bytes bytes;
        TL_TRY(tl_sys_check_interrupt(ctx));
        TL_TRY(find(shelf, &is_expected, &key, arena, epoch_id, zipcode, ctx));
        if (key.len > 0 && tl_objects_get(shelf->objects, &bytes, arena, key,
                                          TL_SCORING_DOCUMENT_MAX, NULL) == TL_OK) {
            *document = (tl_str){(const char *)bytes.ptr, bytes.len};
            return TL_OK;
        }
        if (!is_expected || key.len > 0 || now_ms(shelf) >= until_ms) {
            return TL_OK;
        }
        (void)nanosleep(&pause, NULL);
    }
}
