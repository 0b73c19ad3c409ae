/* twice.c: one house listed twice in one submission: under one identity, or as another one that is the same in all that
 * the spot check would not ask about: numbers and letters of the address, rooms, area, price, day and type. Units of one
 * building that differ in any of these are no duplicates. */
#include "core/listings/near/near_internal.h"

#define LOOK_BACK         16 /* rows of one block and miner that a row is compared with */
#define PRICE_THOUSANDTHS 30

static bool is_repeat_of(const tl__near_row *row, const tl__near_row *earlier)
{
    return tl__near_is_same_house(row, earlier) && row->day == earlier->day &&
           row->type == earlier->type &&
           tl__near_within(row->price, earlier->price, PRICE_THOUSANDTHS);
}

/* Runs of equal keys are rows of one miner that may be one house; the earliest of them is never a repeat. */
static void mark_runs(tl__near_work *work, size_t count, bool by_identity, bool *is_repeat)
{
    tl__near_sort(work->keys, work->spare, count);
    for (size_t i = 1; i < count; i++) {
        const tl__near_row *row = &work->rows[work->keys[i].at];
        for (size_t back = 1; back <= LOOK_BACK && back <= i; back++) {
            const tl__near_key *other = &work->keys[i - back];
            if (other->key != work->keys[i].key || other->entry != row->entry) {
                break;
            }
            const tl__near_row *earlier = &work->rows[other->at];
            if (by_identity ? row->identity == earlier->identity : is_repeat_of(row, earlier)) {
                is_repeat[work->keys[i].at] = true;
                break;
            }
        }
    }
}

void tl__near_find_twice(tl__near_work *work, bool *is_repeat)
{
    size_t with_block = 0;
    for (uint32_t i = 0; i < work->row_count; i++) {
        const tl__near_row *row = &work->rows[i];
        if (row->block != 0) {
            const uint64_t key = (uint64_t)row->block << 32 | row->entry;
            work->keys[with_block++] = (tl__near_key){key, i, row->entry};
        }
    }
    mark_runs(work, with_block, false, is_repeat);
    size_t with_identity = 0;
    for (uint32_t i = 0; i < work->row_count; i++) {
        const tl__near_row *row = &work->rows[i];
        if (row->identity != 0) {
            const uint64_t key = tl__near_mix(row->identity, row->entry);
            work->keys[with_identity++] = (tl__near_key){key, i, row->entry};
        }
    }
    mark_runs(work, with_identity, true, is_repeat);
}
