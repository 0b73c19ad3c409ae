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

static uint32_t count_members(const tl__near_work *work, const tl__near_marks *marks,
                              const tl__near_group *group)
{
    const tl__near_member *members = marks->members.items;
    uint32_t count = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        count +=
            !marks->is_style[group->field * work->entry_count + members[group->begin + i].entry];
    }
    return count;
}

/* p is the largest of: twice the share of such marks that another miner was found to bear; what the others than the two
 * bear of this one; 1 in 1,024. */
void tl__near_weigh_marks(const tl__near_work *work, tl__near_marks *marks)
{
    uint64_t shared[TL__NEAR_FIELD_COUNT] = {0};
    uint64_t asked[TL__NEAR_FIELD_COUNT] = {0};
    tl__near_group *groups = marks->groups.items;
    find_styles(work, marks);
    for (size_t i = 0; i < marks->groups.count; i++) {
        const uint64_t k = count_members(work, marks, &groups[i]);
        shared[groups[i].field] += k > 0 ? k * (k - 1) : 0;
    }
    const uint64_t others = work->miner_count > 1 ? work->miner_count - 1 : 1;
    for (unsigned field = 0; field < TL__NEAR_FIELD_COUNT; field++) {
        for (size_t entry = 0; entry < work->entry_count; entry++) {
            const size_t at = field * work->entry_count + entry;
            asked[field] += marks->is_style[at] ? 0 : marks->total[at] * others;
        }
    }
    for (size_t i = 0; i < marks->groups.count; i++) {
        tl__near_group *group = &groups[i];
        const tl__near_kind kind = tl__near_kind_of(group->field);
        if (kind == TL__NEAR_MOMENT || kind == TL__NEAR_STEP) {
            group->bits_q8 = MOMENT_BITS << 8;
            continue;
        }
        const uint32_t usual =
            rarity_q8(2 * (shared[group->field] + PRIOR_SHARED), asked[group->field] + PRIOR_ASKED);
        const uint32_t k = count_members(work, marks, group);
        const uint32_t here = k > 2 && others > 1 ? rarity_q8(k - 2, others - 1) : UINT32_MAX;
        group->bits_q8 = usual < here ? usual : here;
        group->bits_q8 = group->bits_q8 < RARE_BITS << 8 ? group->bits_q8 : RARE_BITS << 8;
    }
}
