/* One zipcode's race: by the time's text, stable; tiers 1, 2, 3; the third winner ends it. */
#include "core/listings/compat/compat_internal.h"

#include "base/map/map.h"
#include "core/num/stats/stats.h"

const double tl__compat_shares[TL_COMPAT_WINNERS_MAX] = {0.55, 0.30, 0.10};

static int cmp_time(const void *a, const void *b, void *self)
{
    const tl_compat_submission *const all = self;
    const size_t x = *(const size_t *)a;
    const size_t y = *(const size_t *)b;
    return tl_str_cmp(all[x].time,
                      all[y].time); /* UTF-8 sorts as code points do; tl_sort is stable */
}

/* How one submission fares: 0 passes all three, else the tier that it fails. */
static tl_err judge(uint32_t *failed, tl_compat_winner *out, tl_py_error *raised,
                    const tl_compat_race_input *input, const tl_compat_judge *judge, size_t index,
                    tl_arena *arena, tl_errctx *ctx)
{
    const tl_compat_submission *const s = &input->submissions[index];
    const tl_compat_bounds bounds =
        tl_compat_tier1(input->code, input->has_expected, input->expected);
    *failed = 1;
    if (!tl_compat_tier1_passes(&bounds, s->count)) {
        return TL_OK;
    }
    *failed = 2;
    tl_compat_rates rates = {0};
    if (s->count != 0) { /* without listings nothing is asked: it fails */
        TL_TRY(judge->quality(judge->self, &rates, index, ctx));
    }
    *raised = rates.error;
    if (*raised != TL_PY_OK || !rates.passes || s->count == 0) {
        return TL_OK;
    }
    *failed = 3;
    tl_str text;
    TL_TRY(tl_compat_draw_text(&text, arena, input->nonce, s->hotkey, s->time, s->count, ctx));
    TL_TRY(tl_compat_draw_sample(&out->draw, input->code, text, s->count, arena, ctx));
    *raised = out->draw.error;
    if (*raised != TL_PY_OK) {
        return TL_OK;
    }
    uint32_t passed = 0;
    for (uint32_t i = 0; i < out->draw.count; i++) {
        bool is_accurate = false;
        TL_TRY(judge->verify(judge->self, &is_accurate, index, out->draw.indices[i], ctx));
        passed += is_accurate ? 1 : 0;
    }
    *failed = tl_compat_spot_passes(&out->rate, passed, out->draw.count) ? 0 : 3;
    return TL_OK;
}

/* The shares by hotkey: who won twice keeps the first one's place in the list and the last one's share. */
static void pay(tl_compat_race *race, const tl_compat_race_input *input)
{
    for (size_t w = 0; w < race->winner_count; w++) {
        const tl_compat_submission *const s = &input->submissions[race->winners[w].index];
        size_t at = 0;
        while (at < race->reward_count && !tl_str_eq(race->rewards[at].hotkey, s->hotkey)) {
            at++;
        }
        race->reward_count += at == race->reward_count ? 1 : 0;
        race->rewards[at] =
            (tl_compat_reward){s->hotkey, race->winners[w].rank, s->count, tl__compat_shares[w]};
        race->total_listings_found += s->count;
    }
}

/* Submissions whose hotkey is a winner's or a participant's, those never looked at among them. */
static tl_err count_validated(tl_compat_race *race, const tl_compat_race_input *input,
                              tl_arena *scratch, tl_errctx *ctx)
{
    tl_map seen;
    tl_map_init(&seen, scratch);
    for (size_t w = 0; w < race->winner_count; w++) {
        const tl_str hotkey = input->submissions[race->winners[w].index].hotkey;
        TL_TRY(tl_map_put(&seen, tl_str_bytes(hotkey), race, ctx));
    }
    for (size_t p = 0; p < race->participant_count; p++) {
        const tl_str hotkey = input->submissions[race->participants[p].index].hotkey;
        TL_TRY(tl_map_put(&seen, tl_str_bytes(hotkey), race, ctx));
    }
    for (size_t i = 0; i < input->submission_count; i++) {
        const tl_str hotkey = input->submissions[i].hotkey;
        race->total_validated += tl_map_find(&seen, tl_str_bytes(hotkey)) != NULL ? 1 : 0;
    }
    return TL_OK;
}

/* The submissions by their times; of equal ones the first to arrive. */
static tl_err order_by_time(size_t **out, tl_arena *arena, const tl_compat_race_input *input,
                            tl_errctx *ctx)
{
    const size_t n = input->submission_count;
    size_t *order = TL_NEW(arena, size_t, n);
    if (order == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    union {
        const tl_compat_submission *all;
        void *self;
    } borrowed = {input->submissions};
    TL_TRY(tl_sort(order, n, sizeof *order, cmp_time, borrowed.self, arena, ctx));
    *out = order;
    return TL_OK;
}

static tl_err run(tl_compat_race *race, tl_compat_participant *participants, tl_arena *arena,
                  const tl_compat_race_input *input, const tl_compat_judge *judges, tl_errctx *ctx)
{
    size_t *order;
    TL_TRY(order_by_time(&order, arena, input, ctx));
    for (size_t i = 0; i < input->submission_count; i++) {
        uint32_t failed;
        tl_py_error raised = TL_PY_OK;
        tl_compat_winner winner = {.index = order[i]};
        TL_TRY(judge(&failed, &winner, &raised, input, judges, order[i], arena, ctx));
        if (raised != TL_PY_OK) {
            *race = (tl_compat_race){.error = raised};
            return TL_OK;
        }
        if (failed > 1) {
            participants[race->participant_count++] =
                (tl_compat_participant){order[i], failed, winner.draw, winner.rate};
        } else if (failed == 0) {
            winner.rank = (uint32_t)race->winner_count + 1;
            race->winners[race->winner_count++] = winner;
            if (race->winner_count == TL_COMPAT_WINNERS_MAX) { /* COMPAT-2 */
                break;
            }
        }
    }
    race->total_submissions_processed = input->submission_count;
    pay(race, input);
    return count_validated(race, input, arena, ctx);
}

tl_err tl_compat_race_run(tl_compat_race *out, tl_arena *arena, const tl_compat_race_input *input,
                          const tl_compat_judge *judges, tl_errctx *ctx)
{
    if (tl__compat_is_november(input->code)) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "code", "code \"%s\" has no race to reproduce",
                             tl_compat_code_name(input->code));
    }
    tl_compat_participant *participants =
        TL_NEW(arena, tl_compat_participant, input->submission_count);
    if (participants == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    tl_compat_race race = {.participants = participants};
    const tl_err err = run(&race, participants, arena, input, judges, ctx);
    tl_arena_rewind(arena, mark);
    if (err == TL_OK) {
        TL_ASSERT(race.winner_count <= TL_COMPAT_WINNERS_MAX); /* COMPAT-2 */
        *out = race;
    }
    return err;
}

tl_err tl_compat_race_zipcode(tl_compat_zipcode *out, tl_arena *arena, tl_str zipcode,
                              const tl_compat_race_input *input, const tl_compat_race *race,
                              tl_errctx *ctx)
{
    tl_compat_win *winners = TL_NEW(arena, tl_compat_win, race->winner_count);
    tl_str *participants = TL_NEW(arena, tl_str, race->participant_count);
    if (winners == NULL || participants == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t w = 0; w < race->winner_count; w++) {
        const tl_compat_submission *const s = &input->submissions[race->winners[w].index];
        winners[w] = (tl_compat_win){s->hotkey, s->count};
    }
    for (size_t p = 0; p < race->participant_count; p++) {
        participants[p] = input->submissions[race->participants[p].index].hotkey;
    }
    *out = (tl_compat_zipcode){zipcode, winners, race->winner_count, participants,
                               race->participant_count};
    return TL_OK;
}
