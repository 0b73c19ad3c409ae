/* near.c: from sketches to findings. Read tl_near_finish. */
#include <string.h>

#include "core/crypto/key/key.h"
#include "core/listings/near/near_internal.h"
#include "core/num/stats/stats.h"

/* Some 160 bytes a listing, given back before return; the parent's ceiling counts too. */
#define SCRATCH_LEN_MAX ((size_t)4 << 30)

/* --- who came when --- */

static int compare_arrival(const void *a, const void *b, void *self)
{
    const tl_near_entry *entries = self;
    const uint32_t index_a = *(const uint32_t *)a;
    const uint32_t index_b = *(const uint32_t *)b;
    const tl_near_entry *one = &entries[index_a];
    const tl_near_entry *other = &entries[index_b];
    if (one->received_ms != other->received_ms) {
        return one->received_ms < other->received_ms ? -1 : 1;
    }
    tl_hotkey key;
    tl_hotkey other_key;
    const bool is_key = tl_ss58_decode(&key, one->hotkey, NULL) == TL_OK;
    if (is_key != (tl_ss58_decode(&other_key, other->hotkey, NULL) == TL_OK)) {
        return is_key ? -1 : 1; /* a check of files has names that are no addresses */
    }
    const int order =
        is_key ? tl_hotkey_cmp(&key, &other_key) : tl_str_cmp(one->hotkey, other->hotkey);
    return order != 0 ? order : (index_a > index_b) - (index_a < index_b);
}

static tl_err put_in_order(tl__near_work *work, tl_errctx *ctx)
{
    const size_t n = work->entry_count;
    tl_near_entry *entries = TL_NEW(work->scratch, tl_near_entry, n);
    work->order = TL_NEW(work->scratch, uint32_t, n);
    work->rank = TL_NEW(work->scratch, uint32_t, n);
    work->begin = TL_NEW(work->scratch, uint32_t, n + 2);
    if (entries == NULL || work->order == NULL || work->rank == NULL || work->begin == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    memcpy(entries, work->entries, n * sizeof *entries); /* the comparator's own, not const */
    for (uint32_t i = 0; i < n; i++) {
        work->order[i] = i;
    }
    TL_TRY(
        tl_sort(work->order, n, sizeof *work->order, compare_arrival, entries, work->scratch, ctx));
    for (uint32_t rank = 0; rank < n; rank++) {
        work->rank[work->order[rank]] = rank;
    }
    return TL_OK;
}

static const tl__near_row *row_at(const tl_near *near, size_t at)
{
    tl__near_row *const *chunks = near->chunks.items;
    return &chunks[at / TL__NEAR_CHUNK][at % TL__NEAR_CHUNK];
}

static int compare_index(const void *a, const void *b, void *self)
{
    (void)self;
    const uint32_t index_a = ((const tl__near_row *)a)->index;
    const uint32_t index_b = ((const tl__near_row *)b)->index;
    return (index_a > index_b) - (index_a < index_b);
}

/* Most come as they stand in their objects. */
static bool is_by_index(const tl__near_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (rows[i - 1].index > rows[i].index) {
            return false;
        }
    }
    return true;
}

/* Rows by rank, then by index: from here on nothing knows in which order they were added (NEAR-1). */
static tl_err gather_rows(tl__near_work *work, const tl_near *near, tl_errctx *ctx)
{
    work->row_count = (uint32_t)near->row_count;
    work->rows = TL_NEW(work->scratch, tl__near_row, near->row_count);
    work->keys = TL_NEW(work->scratch, tl__near_key, near->row_count);
    work->spare = TL_NEW(work->scratch, tl__near_key, near->row_count);
    if (work->rows == NULL || work->keys == NULL || work->spare == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    for (size_t i = 0; i < near->row_count; i++) {
        TL_ASSERT(row_at(near, i)->entry < work->entry_count);
        work->begin[work->rank[row_at(near, i)->entry] + 2]++;
    }
    for (size_t rank = 0; rank < work->entry_count; rank++) {
        work->miner_count += work->begin[rank + 2] > 0;
        work->begin[rank + 2] += work->begin[rank + 1];
    }
    for (size_t i = 0; i < near->row_count; i++) {
        const tl__near_row *row = row_at(near, i);
        const uint32_t rank = work->rank[row->entry];
        tl__near_row *here = &work->rows[work->begin[rank + 1]++];
        *here = *row;
        here->entry = rank;
    }
    for (size_t rank = 0; rank < work->entry_count; rank++) {
        const uint32_t begin = work->begin[rank];
        const size_t count = work->begin[rank + 1] - begin;
        if (!is_by_index(&work->rows[begin], count)) {
            TL_TRY(tl_sort(&work->rows[begin], count, sizeof *work->rows, compare_index, NULL,
                           work->scratch, ctx));
        }
    }
    return TL_OK;
}

/* --- findings --- */

typedef struct writer {
    const tl__near_work *work;
    const tl__near_marks *marks;
    const tl__near_pairs *pairs;
    const bool *is_repeat;
    bool *bears;       /* of each row: a mark in common with the peer */
    uint32_t *cluster; /* miners of each root's cluster */
    tl_vec out;        /* of tl_near_finding */
} writer;

static uint32_t millionths(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : part >= whole ? 1000000 : (uint32_t)(part * 1000000 / whole);
}

static void put_index(tl_finding *finding, uint32_t index)
{
    if (finding->index_count < TL_FINDING_INDICES_MAX) {
        finding->indices[finding->index_count++] = index;
    }
}

/* Which rows of a miner bear a mark that its peer bears too. */
static void find_bearers(writer *w, uint32_t rank, uint32_t peer)
{
    const tl__near_group *groups = w->marks->groups.items;
    const tl__near_member *members = w->marks->members.items;
    for (uint32_t i = w->pairs->begin[rank]; i < w->pairs->begin[rank + 1]; i++) {
        const tl__near_group *group = &groups[w->pairs->borne[i]];
        const bool *is_style = &w->marks->is_style[group->field * w->work->entry_count];
        uint32_t own = TL__NEAR_NO_ROW;
        bool is_theirs = false;
        for (uint32_t m = group->begin; m < group->begin + group->count; m++) {
            own = members[m].entry == rank ? members[m].row : own;
            is_theirs = is_theirs || members[m].entry == peer;
        }
        if (is_theirs && own != TL__NEAR_NO_ROW && !is_style[rank] && !is_style[peer]) {
            w->bears[own] = true;
        }
    }
}

static tl_err put_twice(writer *w, uint32_t rank, tl_errctx *ctx)
{
    const tl__near_work *work = w->work;
    const uint32_t entry = work->order[rank];
    const uint32_t rows = work->entries[entry].rows;
    tl_finding finding = {.rule = TL_LISTING_DUPLICATES};
    for (uint32_t i = work->begin[rank]; i < work->begin[rank + 1]; i++) {
        if (w->is_repeat[i]) {
            finding.count++;
            put_index(&finding, work->rows[i].index);
        }
    }
    if ((uint64_t)finding.count * 10000 <= (uint64_t)rows * work->params->duplicates_bp_max) {
        return TL_OK;
    }
    tl_near_finding *out = tl_vec_push(&w->out);
    if (out == NULL) {
        return tl_arena_fail(w->out.arena, ctx);
    }
    finding.rate_millionths = millionths(finding.count, rows);
    *out = (tl_near_finding){entry, finding, 0};
    return TL_OK;
}

static tl_err put_alike(writer *w, uint32_t rank, tl_errctx *ctx)
{
    const tl__near_work *work = w->work;
    const tl__near_tie *tie = &w->pairs->ties[rank];
    if (tie->peer == UINT32_MAX) {
        return TL_OK;
    }
    TL_ASSERT(tie->peer < rank && w->pairs->root[rank] < rank); /* NEAR-2 */
    const tl_near_entry *entry = &work->entries[work->order[rank]];
    const tl_near_entry *peer = &work->entries[work->order[tie->peer]];
    const bool is_cluster = w->cluster[w->pairs->root[rank]] > 2;
    const bool is_same = entry->coldkey.len != 0 && tl_str_eq(entry->coldkey, peer->coldkey);
    tl_finding finding = {.rule = is_cluster || is_same ? TL_LISTING_SYBIL : TL_LISTING_COPY,
                          .count = tie->shared,
                          .rate_millionths = millionths(tie->shared, tie->total),
                          .peer = peer->hotkey};
    if (tie->bits != UINT32_MAX) {
        find_bearers(w, rank, tie->peer);
    }
    for (uint32_t i = work->begin[rank]; i < work->begin[rank + 1]; i++) {
        if (tie->bits == UINT32_MAX || w->bears[i]) {
            put_index(&finding, work->rows[i].index);
        }
    }
    tl_near_finding *out = tl_vec_push(&w->out);
    if (out == NULL) {
        return tl_arena_fail(w->out.arena, ctx);
    }
    *out = (tl_near_finding){work->order[rank], finding, tie->bits};
    return TL_OK;
}

/* By entry; duplicates come before copy and sybil in the order of rules. */
static tl_err write_findings(writer *w, tl_errctx *ctx)
{
    const size_t n = w->work->entry_count;
    w->bears = TL_NEW(w->work->scratch, bool, w->work->row_count);
    w->cluster = TL_NEW(w->work->scratch, uint32_t, n);
    if (w->bears == NULL || w->cluster == NULL) {
        return tl_arena_fail(w->work->scratch, ctx);
    }
    for (size_t rank = 0; rank < n; rank++) {
        w->cluster[w->pairs->root[rank]]++;
    }
    for (size_t entry = 0; entry < n; entry++) {
        TL_TRY(put_twice(w, w->work->rank[entry], ctx));
        TL_TRY(put_alike(w, w->work->rank[entry], ctx));
    }
    return TL_OK;
}

static tl_err find_all(tl_near *near, tl__near_work *work, tl_vec *out, tl_errctx *ctx)
{
    tl__near_marks marks;
    tl__near_pairs pairs;
    TL_TRY(put_in_order(work, ctx));
    TL_TRY(gather_rows(work, near, ctx));
    while (near->contents.count < work->entry_count) { /* miners of whom nothing was added */
        if (tl_vec_push(&near->contents) == NULL) {
            return tl_arena_fail(near->arena, ctx);
        }
    }
    bool *is_repeat = TL_NEW(work->scratch, bool, work->row_count);
    if (is_repeat == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    tl__near_find_twice(work, is_repeat);
    TL_TRY(tl__near_find_houses(work, ctx));
    TL_TRY(tl__near_find_marks(work, &marks, ctx));
    TL_TRY(tl__near_find_pairs(work, &marks, near->contents.items, &pairs, ctx));
    writer w = {
        .work = work, .marks = &marks, .pairs = &pairs, .is_repeat = is_repeat, .out = *out};
    const tl_err err = write_findings(&w, ctx);
    *out = w.out;
    return err;
}

tl_err tl_near_finish(tl_near *near, const tl_near_entry *entries, size_t count,
                      tl_near_finding **out, size_t *out_count, tl_errctx *ctx)
{
    TL_ASSERT(!near->is_finished);
    near->is_finished = true;
    if (count > TL_ENTRIES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "%zu miners of one zipcode, above %zu", count,
                       TL_ENTRIES_MAX);
    }
    tl_vec findings;
    tl_vec_init(&findings, near->arena, sizeof(tl_near_finding));
    tl__near_work work = {.params = near->params, .entries = entries, .entry_count = count};
    TL_TRY(tl_arena_new(&work.scratch, near->arena, SCRATCH_LEN_MAX, NULL, ctx));
    const tl_err err = find_all(near, &work, &findings, ctx);
    tl_arena_free(work.scratch);
    if (err == TL_OK) {
        *out = findings.items;
        *out_count = findings.count;
    }
    return err;
}
