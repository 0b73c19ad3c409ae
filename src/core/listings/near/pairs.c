/* pairs.c: what two miners' common marks add up to, and who belongs together. Twice: a mark that ten sybils bear looks common,
 * until it is known that they are one.
 *
 * Marks are an inverted index: for each miner, only those who share a mark with it are looked at, at most
 * TL__NEAR_GROUP_MAX a mark. No pair is made that shares nothing. */
#include <string.h>

#include "core/listings/near/near_internal.h"

/* log2 of the share s of marks that survive, and of 1 - s, in 1/256, rounded down. */
static const struct {
    int32_t kept_q8;
    int32_t lost_q8;
} survival[] = {{-39, -851}, {-256, -256}, {-595, -83}}; /* 0.9, 0.5, 0.2 */

#define CHOICE_BITS                                                                                \
    7 /* three kinds with four hypotheses each, and two directions: log2(4 * 4 * 4 * 2) */
#define OMISSION_BITS_MAX 24 /* gaps alone convict nobody: two may use one source that has them */

/* What a pair shares, by kind. */
typedef struct sums {
    uint32_t shared[TL__NEAR_KIND_COUNT];
    uint32_t bits_q8[TL__NEAR_KIND_COUNT];
} sums;

typedef struct finder {
    tl__near_work *work;
    const tl__near_marks *marks;
    uint32_t *begin; /* of each rank's groups in borne; one more for the end */
    uint32_t *borne;
    uint32_t *total; /* [kind][rank]: marks, styles not counted */
    sums *with;      /* of one miner with each other */
    uint32_t *touched;
    size_t touched_count;
} finder;

/* The log-likelihood ratio of one kind in 1/256 bits: the best hypothesis, that of chance (0) among them. */
static int64_t kind_bits_q8(uint32_t shared, uint32_t bits_q8, uint32_t total)
{
    TL_ASSERT(shared <= total);
    int64_t best = 0;
    for (size_t s = 0; s < sizeof survival / sizeof survival[0]; s++) {
        const int64_t bits = (int64_t)bits_q8 + (int64_t)shared * survival[s].kept_q8 +
                             (int64_t)(total - shared) * survival[s].lost_q8;
        best = bits > best ? bits : best;
    }
    return best;
}

/* How a miner's marks are borne by another. */
static tl__near_tie tie_of(const finder *f, uint32_t of, uint32_t by)
{
    const sums *with = &f->with[by];
    int64_t bits[TL__NEAR_KIND_COUNT];
    uint32_t total[TL__NEAR_KIND_COUNT];
    for (unsigned kind = 0; kind < TL__NEAR_KIND_COUNT; kind++) {
        total[kind] = f->total[kind * f->work->entry_count + of];
        bits[kind] = kind_bits_q8(with->shared[kind], with->bits_q8[kind], total[kind]);
    }
    /* Steps are made of moments: the better of the two counts. */
    const tl__near_kind times =
        bits[TL__NEAR_STEP] > bits[TL__NEAR_MOMENT] ? TL__NEAR_STEP : TL__NEAR_MOMENT;
    const int64_t gaps_max = OMISSION_BITS_MAX << 8;
    const int64_t gaps = bits[TL__NEAR_OMISSION] < gaps_max ? bits[TL__NEAR_OMISSION] : gaps_max;
    const int64_t sum = (gaps + bits[TL__NEAR_VALUE] + bits[times]) / 256 - CHOICE_BITS;
    return (tl__near_tie){by,
                          sum < 0             ? 0
                          : sum >= UINT32_MAX ? UINT32_MAX - 1
                                              : (uint32_t)sum,
                          with->shared[TL__NEAR_OMISSION] + with->shared[TL__NEAR_VALUE] +
                              with->shared[times],
                          total[TL__NEAR_OMISSION] + total[TL__NEAR_VALUE] + total[times]};
}

/* --- who belongs together --- */

static uint32_t root_of(uint32_t *root, uint32_t rank)
{
    while (root[rank] != rank) {
        root[rank] = root[root[rank]];
        rank = root[rank];
    }
    return rank;
}

/* The first of two clusters is that of both. */
static void join(tl__near_pairs *pairs, uint32_t a, uint32_t b)
{
    const uint32_t root_a = root_of(pairs->root, a);
    const uint32_t root_b = root_of(pairs->root, b);
    const uint32_t first = root_a < root_b ? root_a : root_b;
    pairs->root[root_a] = first;
    pairs->root[root_b] = first;
}

/* Each rank's root is its cluster's first. */
static void settle(const tl__near_work *work, tl__near_pairs *pairs)
{
    for (uint32_t rank = 0; rank < work->entry_count; rank++) {
        pairs->root[rank] = root_of(pairs->root, rank);
    }
}

static bool are_of_one_owner(const tl__near_work *work, uint32_t a, uint32_t b)
{
    const tl_near_entry *one = &work->entries[work->order[a]];
    const tl_near_entry *other = &work->entries[work->order[b]];
    return one->coldkey.len != 0 && tl_str_eq(one->coldkey, other->coldkey);
}

/* The later of a pair is tied to the earlier, by its strongest tie. */
static void keep_tie(tl__near_pairs *pairs, uint32_t a, uint32_t b, tl__near_tie tie)
{
    const uint32_t later = a > b ? a : b;
    tl__near_tie *kept = &pairs->ties[later];
    tie.peer = a > b ? b : a;
    if (kept->peer == UINT32_MAX || kept->bits < tie.bits ||
        (kept->bits == tie.bits && tie.peer < kept->peer)) {
        *kept = tie;
    }
}

static void touch(finder *f, uint32_t of)
{
    const tl__near_group *groups = f->marks->groups.items;
    const tl__near_member *members = f->marks->members.items;
    for (uint32_t i = f->begin[of]; i < f->begin[of + 1]; i++) {
        const tl__near_group *group = &groups[f->borne[i]];
        const tl__near_kind kind = tl__near_kind_of(group->field);
        const bool *is_style = &f->marks->is_style[group->field * f->work->entry_count];
        if (is_style[of]) {
            continue;
        }
        for (uint32_t m = group->begin; m < group->begin + group->count; m++) {
            const uint32_t other = members[m].entry;
            sums *with = &f->with[other];
            if (other == of || is_style[other]) {
                continue;
            }
            bool is_new = true;
            for (unsigned k = 0; k < TL__NEAR_KIND_COUNT; k++) {
                is_new = is_new && with->shared[k] == 0;
            }
            if (is_new) {
                f->touched[f->touched_count++] = other;
            }
            with->shared[kind]++;
            with->bits_q8[kind] += group->bits_q8;
        }
    }
}

static void find_of(finder *f, uint32_t of, tl__near_pairs *out)
{
    f->touched_count = 0;
    touch(f, of);
    for (size_t i = 0; i < f->touched_count; i++) {
        const uint32_t other = f->touched[i];
        const tl__near_tie tie = tie_of(f, of, other);
        const uint32_t needed =
            are_of_one_owner(f->work, of, other) ? TL_NEAR_BITS_SAME : TL_NEAR_BITS_MIN;
        if (tie.shared >= TL_NEAR_MARKS_MIN && tie.bits >= needed) {
            join(out, of, other);
            keep_tie(out, of, other, tie);
        }
        memset(&f->with[other], 0, sizeof f->with[other]);
    }
}

/* --- equal contents --- */

static bool is_equal(const tl__near_content *a, const tl__near_content *b)
{
    return a->rows == b->rows && a->sum[0] == b->sum[0] && a->sum[1] == b->sum[1];
}

static void find_equal(tl__near_work *work, const tl__near_content *contents, tl__near_key *keys,
                       tl__near_key *spare, tl__near_pairs *out)
{
    size_t count = 0;
    for (uint32_t rank = 0; rank < work->entry_count; rank++) {
        const tl__near_content *content = &contents[work->order[rank]];
        if (content->rows > 0) {
            keys[count++] =
                (tl__near_key){tl__near_mix(content->sum[0], content->rows), rank, rank};
        }
    }
    tl__near_sort(keys, spare, count);
    for (size_t i = 1; i < count; i++) {
        const tl__near_content *content = &contents[work->order[keys[i].at]];
        if (is_equal(content, &contents[work->order[keys[i - 1].at]])) {
            const tl__near_tie tie = {0, UINT32_MAX, content->rows, content->rows};
            join(out, keys[i - 1].at, keys[i].at);
            keep_tie(out, keys[i - 1].at, keys[i].at, tie);
        }
    }
}

/* --- the index --- */

static tl_err make_index(finder *f, tl_errctx *ctx)
{
    const size_t n = f->work->entry_count;
    tl_arena *scratch = f->work->scratch;
    const tl__near_group *groups = f->marks->groups.items;
    const tl__near_member *members = f->marks->members.items;
    f->begin = TL_NEW(scratch, uint32_t, n + 2);
    f->borne = TL_NEW(scratch, uint32_t, f->marks->members.count);
    f->total = TL_NEW(scratch, uint32_t, n * TL__NEAR_KIND_COUNT);
    f->with = TL_NEW(scratch, sums, n);
    f->touched = TL_NEW(scratch, uint32_t, n);
    if (f->begin == NULL || f->borne == NULL || f->total == NULL || f->with == NULL ||
        f->touched == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < f->marks->members.count; i++) {
        f->begin[members[i].entry + 2]++;
    }
    for (size_t i = 2; i < n + 2; i++) {
        f->begin[i] += f->begin[i - 1];
    }
    for (uint32_t g = 0; g < f->marks->groups.count; g++) {
        for (uint32_t m = groups[g].begin; m < groups[g].begin + groups[g].count; m++) {
            f->borne[f->begin[members[m].entry + 1]++] = g;
        }
    }
    for (unsigned field = 0; field < TL__NEAR_FIELD_COUNT; field++) {
        uint32_t *total = &f->total[tl__near_kind_of((tl__near_field)field) * n];
        for (size_t entry = 0; entry < n; entry++) {
            total[entry] +=
                f->marks->is_style[field * n + entry] ? 0 : f->marks->total[field * n + entry];
        }
    }
    return TL_OK;
}

tl_err tl__near_find_pairs(tl__near_work *work, tl__near_marks *marks,
                           const tl__near_content *contents, tl__near_pairs *out, tl_errctx *ctx)
{
    finder f = {.work = work, .marks = marks};
    tl__near_key *keys = TL_NEW(work->scratch, tl__near_key, work->entry_count);
    tl__near_key *spare = TL_NEW(work->scratch, tl__near_key, work->entry_count);
    out->root = TL_NEW(work->scratch, uint32_t, work->entry_count);
    out->ties = TL_NEW(work->scratch, tl__near_tie, work->entry_count);
    if (keys == NULL || spare == NULL || out->root == NULL || out->ties == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    for (uint32_t rank = 0; rank < work->entry_count; rank++) {
        out->root[rank] = rank;
        out->ties[rank].peer = UINT32_MAX;
    }
    find_equal(work, contents, keys, spare, out);
    settle(work, out);
    for (int pass = 0; pass < 2; pass++) {
        TL_TRY(tl__near_weigh_marks(work, marks, out->root, ctx));
        TL_TRY(make_index(&f, ctx));
        for (uint32_t rank = 0; rank < work->entry_count; rank++) {
            find_of(&f, rank, out);
        }
        settle(work, out);
    }
    out->begin = f.begin;
    out->borne = f.borne;
    return TL_OK;
}
