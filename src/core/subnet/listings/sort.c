/* sort.c: all lists of an epoch in the order in which they are written. */
#include <string.h>

#include "core/num/stats/stats.h"
#include "core/subnet/listings/listings_internal.h"

static int zipcode_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return memcmp(((const tl_race_zipcode *)a)->zipcode, ((const tl_race_zipcode *)b)->zipcode, 5);
}

static int validator_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_validator *)a)->hotkey,
                         &((const tl_race_validator *)b)->hotkey);
}

static int held_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_race_held *x = (const tl_race_held *)a;
    const tl_race_held *y = (const tl_race_held *)b;
    const int order = tl_hotkey_cmp(&x->hotkey, &y->hotkey);
    return order != 0 ? order : tl_str_cmp(x->epoch_id, y->epoch_id);
}

static int strike_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_strike *)a)->hotkey,
                         &((const tl_race_strike *)b)->hotkey);
}

static int contribution_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_contribution *)a)->hotkey,
                         &((const tl_contribution *)b)->hotkey);
}

static int ballot_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_listings_ballot *)a)->ballot.hotkey,
                         &((const tl_listings_ballot *)b)->ballot.hotkey);
}

static int weight_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_weight *)a)->hotkey,
                         &((const tl_race_weight *)b)->hotkey);
}

/* A sorted copy without twins. */
static tl_err sort_copy(void **out, tl_arena *arena, const void *items, size_t count, size_t size,
                        tl_compare cmp, const char *name, tl_errctx *ctx)
{
    char *copy = (char *)tl_arena_alloc(arena, count, size, _Alignof(max_align_t));
    if (copy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (count > 0) {
        memcpy(copy, items, count * size);
    }
    TL_TRY(tl_sort(copy, count, size, cmp, NULL, arena, ctx));
    for (size_t i = 1; i < count; i++) {
        if (cmp(copy + (i - 1) * size, copy + i * size, NULL) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, name, "one of them stands twice");
        }
    }
    *out = copy;
    return TL_OK;
}

/* --- submissions: by zipcode, then the bytes of the hotkey, which is text in a sheet --- */

typedef struct keyed {
    tl_hotkey hotkey;
    tl_race_sheet sheet;
} keyed;

static int keyed_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const keyed *x = (const keyed *)a;
    const keyed *y = (const keyed *)b;
    const int order = memcmp(x->sheet.zipcode, y->sheet.zipcode, 5);
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

static tl_err sort_sheets(tl_race_input *io, tl_arena *arena, tl_errctx *ctx)
{
    keyed *all = TL_NEW(arena, keyed, io->sheet_count);
    tl_race_sheet *sheets = TL_NEW(arena, tl_race_sheet, io->sheet_count);
    if (all == NULL || sheets == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < io->sheet_count; i++) {
        all[i].sheet = io->sheets[i];
        const tl_err err = tl_ss58_decode(&all[i].hotkey, io->sheets[i].sheet.hotkey, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "submissions[%zu].sheet.hotkey", i);
            return err;
        }
    }
    TL_TRY(tl_sort(all, io->sheet_count, sizeof *all, keyed_cmp, NULL, arena, ctx));
    for (size_t i = 0; i < io->sheet_count; i++) {
        if (i > 0 && keyed_cmp(&all[i - 1], &all[i], NULL) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "submissions",
                                 "a miner has two submissions of zipcode %s", all[i].sheet.zipcode);
        }
        sheets[i] = all[i].sheet;
    }
    io->sheets = sheets;
    return TL_OK;
}

/* --- ballots: those with a result and of validators of the epoch --- */

static bool is_validator(const tl_race_input *race, const tl_hotkey *hotkey)
{
    size_t low = 0;
    size_t high = race->validator_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (tl_hotkey_cmp(&race->validators[mid].hotkey, hotkey) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < race->validator_count && tl_hotkey_eq(&race->validators[low].hotkey, hotkey);
}

static tl_err sort_ballots(tl_listings_epoch *io, tl_arena *arena, tl_errctx *ctx)
{
    tl_listings_ballot *kept = TL_NEW(arena, tl_listings_ballot, io->ballot_count);
    if (kept == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < io->ballot_count; i++) {
        const tl_listings_ballot *b = &io->ballots[i];
        /* who is no validator of the epoch has no stake in it: nobody's result, and no reason to stop */
        if (b->ballot.has_result && is_validator(&io->race, &b->ballot.hotkey)) {
            kept[count++] = *b;
        }
    }
    void *list = NULL;
    for (size_t i = 0; i < count; i++) {
        TL_TRY(sort_copy(&list, arena, kept[i].weights, kept[i].weight_count,
                         sizeof(tl_race_weight), weight_cmp, "ballots", ctx));
        kept[i].weights = kept[i].weights != NULL ? (const tl_race_weight *)list : NULL;
    }
    TL_TRY(sort_copy(&list, arena, kept, count, sizeof *kept, ballot_cmp, "ballots", ctx));
    io->ballots = (const tl_listings_ballot *)list;
    io->ballot_count = count;
    return TL_OK;
}

tl_err tl__listings_sort(tl_listings_epoch *out, tl_arena *arena, const tl_listings_epoch *epoch,
                         tl_errctx *ctx)
{
    tl_listings_epoch e = *epoch;
    tl_race_input *race = &e.race;
    void *list = NULL;
    TL_TRY(sort_copy(&list, arena, race->zipcodes, race->zipcode_count, sizeof *race->zipcodes,
                     zipcode_cmp, "zipcodes", ctx));
    race->zipcodes = (const tl_race_zipcode *)list;
    TL_TRY(sort_copy(&list, arena, race->validators, race->validator_count,
                     sizeof *race->validators, validator_cmp, "validators", ctx));
    race->validators = (const tl_race_validator *)list;
    TL_TRY(sort_copy(&list, arena, race->held, race->held_count, sizeof *race->held, held_cmp,
                     "held", ctx));
    race->held = (const tl_race_held *)list;
    TL_TRY(sort_copy(&list, arena, race->strikes, race->strike_count, sizeof *race->strikes,
                     strike_cmp, "strikes", ctx));
    race->strikes = (const tl_race_strike *)list;
    TL_TRY(sort_copy(&list, arena, e.contributions, e.contribution_count, sizeof *e.contributions,
                     contribution_cmp, "contributions", ctx));
    e.contributions = (const tl_contribution *)list;
    TL_TRY(sort_sheets(race, arena, ctx));
    TL_TRY(sort_ballots(&e, arena, ctx));
    *out = e;
    return TL_OK;
}
