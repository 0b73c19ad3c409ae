/* merge.c: what all validators' evidence together says of each submission, by stake. */
#include <string.h>

#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

/* A row of a submission that one validator calls a honeypot listing. */
typedef struct hit {
    size_t entry;
    uint32_t index;
    int64_t stake;
} hit;

typedef struct hits {
    tl_arena *arena;
    hit *items;
    size_t count;
    size_t cap;
} hits;

static tl_err add_hit(hits *all, size_t entry, uint32_t index, int64_t stake, tl_errctx *ctx)
{
    if (all->count == all->cap) {
        const size_t cap = all->cap == 0 ? 64 : all->cap * 2;
        hit *wider = TL_NEW(all->arena, hit, cap);
        if (wider == NULL) {
            return tl_arena_fail(all->arena, ctx);
        }
        if (all->count > 0) {
            memcpy(wider, all->items, all->count * sizeof *wider);
        }
        all->items = wider;
        all->cap = cap;
    }
    all->items[all->count++] = (hit){entry, index, stake};
    return TL_OK;
}

/* One item of one validator, about this entry: evidence about another submission is about nothing here. */
static tl_err count_item(tl__race *race, hits *all, size_t e, const tl_evidence_item *item,
                         int64_t stake, tl_errctx *ctx)
{
    const tl_sheet *sheet = &race->entries[e].of->sheet;
    if (tl_hash32_cmp(&item->content_hash, &sheet->content_hash) != 0) {
        return TL_OK;
    }
    for (size_t i = 0; item->verdicts.len == sheet->sample_count && i < sheet->sample_count; i++) {
        const char c = item->verdicts.ptr[i];
        race->tallies[e].pass[i] += c == 'P' ? stake : 0;
        race->tallies[e].fail[i] += c == 'F' ? stake : 0;
    }
    for (size_t i = 0; i < item->honeypot_count; i++) {
        if (item->honeypots[i] < sheet->rows) {
            TL_TRY(add_hit(all, e, item->honeypots[i], stake, ctx));
        }
    }
    return TL_OK;
}

/* Items and by_hotkey have one order, so that one pass over both is enough. */
static tl_err count_validator(tl__race *race, hits *all, const tl_race_validator *v, tl_errctx *ctx)
{
    size_t at = 0;
    for (size_t i = 0; i < race->in->sheet_count && at < v->evidence->count; i++) {
        const tl_race_entry *entry = &race->entries[race->by_hotkey[i]];
        for (; at < v->evidence->count; at++) {
            const tl_evidence_item *item = &v->evidence->items[at];
            int order = tl__zipcode_cmp(item->zipcode, entry->of->zipcode);
            order = order != 0 ? order : tl_hotkey_cmp(&item->hotkey, &entry->hotkey);
            if (order > 0) {
                break;
            }
            if (order == 0) {
                TL_TRY(
                    count_item(race, all, race->by_hotkey[i], item, tl_rao_to_i64(v->stake), ctx));
            }
        }
    }
    return TL_OK;
}

/* --- honeypots --- */

static int hit_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const hit *x = (const hit *)a;
    const hit *y = (const hit *)b;
    if (x->entry != y->entry) {
        return x->entry < y->entry ? -1 : 1;
    }
    return (x->index > y->index) - (x->index < y->index);
}

/* A row is a hit when those who say so hold more than half of the stake that gave evidence at all: whoever has none about
 * this submission does not help to accuse it. */
static tl_err settle_hits(tl__race *race, hits *all, int64_t stake_posted, tl_errctx *ctx)
{
    TL_TRY(tl_sort(all->items, all->count, sizeof *all->items, hit_cmp, NULL, race->arena, ctx));
    for (size_t i = 0; i < all->count;) {
        const size_t e = all->items[i].entry;
        size_t end = i;
        while (end < all->count && all->items[end].entry == e) {
            end++;
        }
        uint32_t *indices = TL_NEW(race->arena, uint32_t, end - i);
        if (indices == NULL) {
            return tl_arena_fail(race->arena, ctx);
        }
        size_t count = 0;
        while (i < end) {
            const uint32_t index = all->items[i].index;
            tl_i128 stake = 0;
            for (; i < end && all->items[i].index == index; i++) {
                stake += all->items[i].stake;
            }
            if (stake * 2 > stake_posted) { /* RACE-5 */
                indices[count++] = index;
            }
        }
        race->entries[e].honeypots = indices;
        race->entries[e].honeypot_count = count;
    }
    return TL_OK;
}

/* --- the spot check --- */

/* 1 pass, 0 fail, -1: it leaves the sample. */
static int verdict_of(const tl__race *race, size_t e, size_t sample, int64_t stake_total)
{
    const int64_t pass = race->tallies[e].pass[sample];
    const int64_t fail = race->tallies[e].fail[sample];
    const tl_i128 with_evidence = (tl_i128)pass + fail;
    if (with_evidence == 0 || pass == fail ||
        with_evidence * TL__WHOLE_BP <
            (tl_i128)stake_total * race->in->params->evidence_stake_bp_min) {
        return -1;
    }
    return pass > fail ? 1 : 0; /* RACE-5 */
}

static void check_entry(tl__race *race, size_t e, int64_t stake_total)
{
    tl_race_entry *entry = &race->entries[e];
    const tl_sheet *sheet = &entry->of->sheet;
    const tl_listings_params *params = race->in->params;
    entry->judged = 0;
    entry->passed = 0;
    for (size_t i = 0; i < sheet->sample_count && entry->judged < sheet->sample_asked; i++) {
        const int verdict = verdict_of(race, e, i, stake_total);
        if (verdict >= 0) {
            entry->judged++;
            entry->passed += verdict == 1 ? 1 : 0;
            race->fails[e][i] = verdict == 0;
        }
    }
    const size_t least = params->sample_judged_min < sheet->sample_asked ? params->sample_judged_min
                                                                         : sheet->sample_asked;
    if (sheet->sample_asked == 0) { /* nothing that could be asked about: nothing speaks for it */
        entry->check = TL_RACE_CHECK_FAIL;
    } else if (entry->judged < least) {
        entry->check = TL_RACE_CHECK_NONE;
    } else {
        const uint64_t passed_bp = (uint64_t)entry->passed * TL__WHOLE_BP;
        entry->check = passed_bp >= (uint64_t)params->spot_check_bp_min * entry->judged
                           ? TL_RACE_CHECK_PASS
                           : TL_RACE_CHECK_FAIL;
    }
}

tl_err tl__race_merge(tl__race *race, tl_errctx *ctx)
{
    const tl_race_input *in = race->in;
    race->tallies = TL_NEW(race->arena, tl__tally, in->sheet_count);
    race->fails = (bool(*)[TL_SAMPLES_MAX])tl_arena_alloc(race->arena, in->sheet_count,
                                                          sizeof *race->fails, 1);
    if (race->tallies == NULL || race->fails == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    hits all = {.arena = race->arena};
    int64_t stake_total = 0; /* their sum was checked */
    int64_t stake_posted = 0;
    for (size_t v = 0; v < in->validator_count; v++) {
        const tl_race_validator *validator = &race->validators[v];
        stake_total += tl_rao_to_i64(validator->stake);
        if (validator->evidence != NULL) {
            stake_posted += tl_rao_to_i64(validator->stake);
            TL_TRY(count_validator(race, &all, validator, ctx));
            const uint32_t none = tl_evidence_none_millionths(validator->evidence);
            race->out->no_evidence_millionths =
                none > race->out->no_evidence_millionths ? none : race->out->no_evidence_millionths;
        }
    }
    TL_TRY(settle_hits(race, &all, stake_posted, ctx));
    for (size_t e = 0; e < in->sheet_count; e++) {
        check_entry(race, e, stake_total);
    }
    return TL_OK;
}
