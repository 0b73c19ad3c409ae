/* houses.c: which rows are one house, across the miners.
 *
 * Rows of one normalised address are one house; where a miner lists several there (a building without unit numbers),
 * address and identity together. What is spelled otherwise by a few is put to its house within its block, the addresses
 * that hold the same numbers: locality-sensitive hashing, with the numbers as the hash. Blocks of more spellings than
 * SPELLINGS_MAX are left as they are. */
#include "core/listings/near/near_internal.h"

#define SPELLINGS_MAX     64
#define PRICE_THOUSANDTHS 100 /* a price may have moved between two visits */

/* spelling: a house by its address as written. */
typedef struct spelling {
    uint32_t row; /* its first */
    uint32_t support;
    uint32_t house; /* first its own number, then that of the spelling it was put to */
} spelling;

static bool has_miner_twice(const tl__near_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (keys[i].entry == keys[i - 1].entry) {
            return true;
        }
    }
    return false;
}

static size_t run_length(const tl__near_key *keys, size_t count)
{
    size_t len = 1;
    while (len < count && keys[len].key == keys[0].key) {
        len++;
    }
    return len;
}

/* Rows by address; then each run of equal keys is a spelling. */
static uint32_t find_spellings(tl__near_work *work, spelling *spellings)
{
    size_t count = 0;
    for (uint32_t i = 0; i < work->row_count; i++) {
        work->house_of[i] = TL__NEAR_NO_HOUSE;
        if (work->rows[i].address != 0) {
            work->keys[count++] = (tl__near_key){work->rows[i].address, i, work->rows[i].entry};
        }
    }
    tl__near_sort(work->keys, work->spare, count);
    uint32_t found = 0;
    for (size_t at = 0, len; at < count; at += len) {
        tl__near_key *run = &work->keys[at];
        len = run_length(run, count - at);
        if (has_miner_twice(run, len)) {
            for (size_t i = 0; i < len; i++) {
                run[i].key = tl__near_mix(run[i].key, work->rows[run[i].at].identity);
            }
            tl__near_sort(run, work->spare, len);
        }
        for (size_t i = 0; i < len; i++) {
            if (i == 0 || run[i].key != run[i - 1].key) {
                spellings[found] = (spelling){run[i].at, 0, found};
                found++;
            }
            spellings[found - 1].support++;
            work->house_of[run[i].at] = found - 1;
        }
    }
    return found;
}

static void sort_by_support(uint32_t *items, size_t count, const spelling *spellings)
{
    for (size_t i = 1; i < count; i++) {
        const uint32_t item = items[i];
        size_t at = i;
        for (; at > 0 && spellings[items[at - 1]].support < spellings[item].support; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

/* A rare spelling goes to the most frequent one that may be the same house. */
static void merge_block(const tl__near_work *work, spelling *spellings, uint32_t *items,
                        size_t count)
{
    const uint32_t rare = work->miner_count / 8 > 1 ? work->miner_count / 8 : 1;
    sort_by_support(items, count, spellings);
    for (size_t i = 1; i < count; i++) {
        spelling *one = &spellings[items[i]];
        const tl__near_row *row = &work->rows[one->row];
        for (size_t j = 0; j < i && one->support <= rare; j++) {
            const spelling *other = &spellings[items[j]];
            const tl__near_row *theirs = &work->rows[other->row];
            if (other->house == items[j] && tl__near_is_same_house(row, theirs) &&
                tl__near_within(row->price, theirs->price, PRICE_THOUSANDTHS)) {
                one->house = items[j];
                break;
            }
        }
    }
}

static void merge_spellings(tl__near_work *work, spelling *spellings, uint32_t count)
{
    size_t with_block = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t block = work->rows[spellings[i].row].block;
        if (block != 0) {
            work->keys[with_block++] = (tl__near_key){block, i, 0};
        }
    }
    tl__near_sort(work->keys, work->spare, with_block);
    for (size_t at = 0, len; at < with_block; at += len) {
        uint32_t items[SPELLINGS_MAX];
        len = run_length(&work->keys[at], with_block - at);
        if (len < 2 || len > SPELLINGS_MAX) {
            continue;
        }
        for (size_t i = 0; i < len; i++) {
            items[i] = work->keys[at + i].at;
        }
        merge_block(work, spellings, items, len);
    }
}

/* Spellings become houses, numbered without gaps; rows by house, and within it by rank. */
static tl_err gather(tl__near_work *work, const spelling *spellings, uint32_t count, tl_errctx *ctx)
{
    uint32_t *number = TL_NEW(work->scratch, uint32_t, count);
    work->houses = TL_NEW(work->scratch, tl__near_house, count);
    work->by_house = TL_NEW(work->scratch, uint32_t, work->row_count);
    if (number == NULL || work->houses == NULL || work->by_house == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (spellings[i].house == i) {
            number[i] = work->house_count++;
        }
    }
    for (uint32_t i = 0; i < work->row_count; i++) {
        if (work->house_of[i] != TL__NEAR_NO_HOUSE) {
            work->house_of[i] = number[spellings[work->house_of[i]].house];
            work->houses[work->house_of[i]].end++;
        }
    }
    uint32_t next = 0;
    for (uint32_t i = 0; i < work->house_count; i++) {
        const uint32_t rows = work->houses[i].end;
        work->houses[i] = (tl__near_house){next, next};
        next += rows;
    }
    for (uint32_t i = 0; i < work->row_count; i++) {
        if (work->house_of[i] != TL__NEAR_NO_HOUSE) {
            work->by_house[work->houses[work->house_of[i]].end++] = i;
        }
    }
    return TL_OK;
}

tl_err tl__near_find_houses(tl__near_work *work, tl_errctx *ctx)
{
    work->house_of = TL_NEW(work->scratch, uint32_t, work->row_count);
    spelling *spellings = TL_NEW(work->scratch, spelling, work->row_count);
    if (work->house_of == NULL || spellings == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    const uint32_t count = find_spellings(work, spellings);
    merge_spellings(work, spellings, count);
    return gather(work, spellings, count, ctx);
}
