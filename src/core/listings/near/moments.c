/* moments.c: times as marks. The millisecond in which a miner read a row is its own, and so are the steps from one house
 * to the next: these stay when all times are moved alike. That holds only where times were read off a clock, and finely:
 *
 *     whole seconds    more than half of them: too coarse, two who start together coincide
 *     dense            fewer than 64 ms a row: the same
 *     even             more than a quarter of the steps in time are equal: counted, not read off
 *
 * A miner whose times are such has no marks of this kind; chance then makes two others' coincide at most once in 64. Steps
 * need a time for each row besides: where a page of rows has one, the pages of a source are what its readers share. */
#include "core/listings/near/marks_internal.h"

#define MOMENTS_MIN 4
#define DENSITY_MS  64
#define STEP_MS_MAX (INT64_C(1) << 40)

static bool is_whole_second(int64_t at_ms)
{
    return at_ms % 1000 == 0;
}

/* Is the commonest of the steps more than a quarter of them? The steps of one miner, sorted. */
static bool is_even(const tl__near_key *steps, size_t count)
{
    size_t longest = 0;
    for (size_t at = 0, len; at < count; at += len) {
        len = 1;
        while (at + len < count && steps[at + len].key == steps[at].key) {
            len++;
        }
        longest = len > longest ? len : longest;
    }
    return longest * 4 > count;
}

/* The times of one miner: work->keys[0 … count), ascending, each once. */
static bool tells(tl__near_finder *f, const tl__near_key *times, size_t count)
{
    if (count < MOMENTS_MIN) {
        return false;
    }
    size_t whole = 0;
    for (size_t i = 0; i < count; i++) {
        whole += is_whole_second((int64_t)times[i].key);
    }
    const uint64_t span = times[count - 1].key - times[0].key;
    if (whole * 2 > count || span < (uint64_t)count * DENSITY_MS) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        f->steps[i - 1] = (tl__near_key){times[i].key - times[i - 1].key, 0, 0};
    }
    tl__near_sort(f->steps, f->spare, count - 1);
    return !is_even(f->steps, count - 1);
}

/* The distinct times of one miner, behind those that are there. Returns how many; *rows: of how many rows. */
static size_t collect(tl__near_finder *f, tl__near_key *keys, uint32_t entry, size_t *rows)
{
    const tl__near_work *work = f->work;
    size_t count = 0;
    for (uint32_t i = work->begin[entry]; i < work->begin[entry + 1]; i++) {
        if (work->rows[i].scraped_ms >= 0) {
            keys[count++] = (tl__near_key){(uint64_t)work->rows[i].scraped_ms, i, entry};
        }
    }
    tl__near_sort(keys, f->spare, count);
    *rows = count;
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (distinct == 0 || keys[distinct - 1].key != keys[i].key) {
            keys[distinct++] = keys[i];
        }
    }
    return distinct;
}

/* Runs of equal keys are marks; a run that half of the miners share is how all get their times. */
static tl_err put_runs(tl__near_finder *f, tl__near_field field, tl__near_key *keys, size_t count,
                       tl_errctx *ctx)
{
    tl__near_sort(keys, f->spare, count);
    for (size_t at = 0, len; at < count; at += len) {
        tl__near_claim claims[TL__NEAR_GROUP_MAX];
        for (len = 1; at + len < count && keys[at + len].key == keys[at].key; len++) {
        }
        if (len > TL__NEAR_GROUP_MAX ||
            (f->work->miner_count >= TL_NEAR_MINERS_MIN && len * 2 > f->work->miner_count)) {
            continue;
        }
        for (size_t i = 0; i < len; i++) {
            claims[i] = (tl__near_claim){keys[at + i].entry, keys[at + i].at, 0};
        }
        TL_TRY(tl__near_put_mark(f, field, claims, len, ctx));
    }
    return TL_OK;
}

tl_err tl__near_put_moments(tl__near_finder *f, tl_errctx *ctx)
{
    size_t count = 0;
    for (uint32_t entry = 0; entry < f->work->entry_count; entry++) {
        size_t rows;
        const size_t distinct = collect(f, &f->keys[count], entry, &rows);
        f->is_timed[entry] = tells(f, &f->keys[count], distinct);
        f->has_steps[entry] = f->is_timed[entry] && distinct * 2 > rows;
        count += f->is_timed[entry] ? distinct : 0;
    }
    return put_runs(f, TL__NEAR_F_MOMENT, f->keys, count, ctx);
}

tl_err tl__near_put_steps(tl__near_finder *f, size_t house, const uint32_t *rows, size_t count,
                          tl_errctx *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++) {
        const tl__near_row *row = &f->work->rows[rows[i]];
        tl__near_last *last = &f->last[row->entry];
        if (!f->has_steps[row->entry] || row->scraped_ms < 0) {
            continue;
        }
        if (last->is_there && last->at_ms != row->scraped_ms) {
            const uint64_t way = tl__near_mix(last->house, house);
            const uint64_t step = (uint64_t)(row->scraped_ms - last->at_ms + STEP_MS_MAX);
            TL_ASSERT(f->step_count < f->work->row_count);
            f->steps[f->step_count++] =
                (tl__near_key){tl__near_mix(way, step), rows[i], row->entry};
        }
        *last = (tl__near_last){row->scraped_ms, (uint32_t)house, true};
    }
    return TL_OK;
}

tl_err tl__near_finish_steps(tl__near_finder *f, tl_errctx *ctx)
{
    return put_runs(f, TL__NEAR_F_STEP, f->steps, f->step_count, ctx);
}
