/* weigh.c: how unlikely it is that an independent miner bears a mark too. */
#include "core/listings/near/marks_internal.h"

#define STYLE_MIN    8  /* marks of one field, and … */
#define STYLE_SHARE  4  /* … more than a quarter of the rows: a style */
#define RARE_BITS    10 /* nothing is taken to be rarer than 1 in 1,024 */
#define MOMENT_BITS  6  /* moments.c: at most once in 64 */
#define PRIOR_SHARED 4  /* before anything is seen: 4 of 64 */
#define PRIOR_ASKED  64

uint32_t tl__near_log2_q8(uint64_t value)
{
    TL_ASSERT(value != 0);
    uint32_t whole = 63 - (uint32_t)__builtin_clzll(value);
    uint64_t one = value << (63 - whole) >> 32; /* in [1, 2) as 2^31 … 2^32 */
    uint32_t part = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        const uint64_t square = one * one >> 31;
        const uint32_t is_above = (uint32_t)(square >> 32);
        part = part << 1 | is_above;
        one = square >> is_above;
    }
    return whole << 8 | part;
}

/* -log2(part / whole), at least 0. */
static uint32_t rarity_q8(uint64_t part, uint64_t whole)
{
    return part >= whole ? 0 : tl__near_log2_q8(whole) - tl__near_log2_q8(part);
}

/* A difference that runs through one's rows is how one works, not what one did. */
static void find_styles(const tl__near_work *work, tl__near_marks *marks)
{
    for (unsigned field = 0; field <= TL__NEAR_F_PRESENT; field++) {
        for (size_t entry = 0; entry < work->entry_count; entry++) {
            const size_t at = field * work->entry_count + entry;
            const uint32_t rows = work->begin[entry + 1] - work->begin[entry];
            marks->is_style[at] =
                marks->total[at] >= STYLE_MIN && (uint64_t)marks->total[at] * STYLE_SHARE > rows;
        }
    }
}

/* Members of a group to whom it is no style; those who are known to belong together count once. */
static uint32_t count_members(const tl__near_work *work, const tl__near_marks *marks,
                              const uint32_t *root, const tl__near_group *group)
{
    const tl__near_member *members = marks->members.items;
    uint32_t roots[TL__NEAR_GROUP_MAX];
    uint32_t count = 0;
    TL_ASSERT(group->count <= TL__NEAR_GROUP_MAX);
    for (uint32_t i = 0; i < group->count; i++) {
        const uint32_t entry = members[group->begin + i].entry;
        uint32_t known = 0;
        while (known < count && roots[known] != root[entry]) {
            known++;
        }
        if (known == count && !marks->is_style[group->field * work->entry_count + entry]) {
            roots[count++] = root[entry];
        }
    }
    return count;
}

/* tally of one field: marks that another miner was found to bear, of those that were looked at. */
typedef struct usual {
    uint64_t shared;
    uint64_t asked;
} usual;

/* How often marks of a field are shared by miners who work apart. Cheats share theirs, so the half of the miners that shares
 * least is taken, and the caller doubles what it gives. shared: of each miner. */
static usual usual_of(const tl__near_work *work, const tl__near_marks *marks, unsigned field,
                      const uint32_t *shared)
{
    const uint64_t others = work->miner_count > 1 ? work->miner_count - 1 : 1;
    size_t count = 0;
    for (uint32_t entry = 0; entry < work->entry_count; entry++) {
        const size_t at = field * work->entry_count + entry;
        if (marks->total[at] > 0 && !marks->is_style[at]) {
            const uint64_t rate = ((uint64_t)shared[entry] << 24) / marks->total[at];
            work->keys[count++] = (tl__near_key){rate, entry, entry};
        }
    }
    tl__near_sort(work->keys, work->spare, count);
    usual sum = {0, 0};
    for (size_t i = 0; i < (count + 1) / 2; i++) {
        const uint32_t entry = work->keys[i].entry;
        sum.shared += shared[entry];
        sum.asked += marks->total[field * work->entry_count + entry] * others;
    }
    return sum;
}

/* -log2 p of a group's mark. p is the largest of: twice the usual share; what the others than the two bear of this one;
 * 1 in 1,024. */
static uint32_t bits_of(const tl__near_work *work, uint32_t k, const usual *sum)
{
    const uint64_t others = work->miner_count > 1 ? work->miner_count - 1 : 1;
    const uint32_t often = rarity_q8(2 * (sum->shared + PRIOR_SHARED), sum->asked + PRIOR_ASKED);
    const uint32_t here = k > 2 && others > 1 ? rarity_q8(k - 2, others - 1) : UINT32_MAX;
    const uint32_t most = RARE_BITS << 8;
    const uint32_t bits = often < here ? often : here;
    return bits < most ? bits : most;
}

tl_err tl__near_weigh_marks(const tl__near_work *work, tl__near_marks *marks, const uint32_t *root,
                            tl_errctx *ctx)
{
    tl__near_group *groups = marks->groups.items;
    const tl__near_member *members = marks->members.items;
    uint32_t *shared = TL_NEW(work->scratch, uint32_t, work->entry_count * TL__NEAR_FIELD_COUNT);
    usual sums[TL__NEAR_FIELD_COUNT];
    if (shared == NULL) {
        return tl_arena_fail(work->scratch, ctx);
    }
    find_styles(work, marks);
    for (size_t i = 0; i < marks->groups.count; i++) {
        const size_t row = groups[i].field * work->entry_count;
        const uint32_t k = count_members(work, marks, root, &groups[i]);
        for (uint32_t m = groups[i].begin; m < groups[i].begin + groups[i].count; m++) {
            shared[row + members[m].entry] += k > 0 ? k - 1 : 0;
        }
    }
    for (unsigned field = 0; field <= TL__NEAR_F_PRESENT; field++) {
        sums[field] = usual_of(work, marks, field, &shared[field * work->entry_count]);
    }
    for (size_t i = 0; i < marks->groups.count; i++) {
        tl__near_group *group = &groups[i];
        const tl__near_kind kind = tl__near_kind_of(group->field);
        const bool is_time = kind == TL__NEAR_MOMENT || kind == TL__NEAR_STEP;
        group->bits_q8 =
            is_time ? MOMENT_BITS << 8
                    : bits_of(work, count_members(work, marks, root, group), &sums[group->field]);
    }
    return TL_OK;
}
