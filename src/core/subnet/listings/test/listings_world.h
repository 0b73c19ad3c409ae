/* listings_world: an epoch of eight zipcodes, ten miners and three validators who agree, for the tests of its bundle. */
#ifndef TALLY_CORE_SUBNET_LISTINGS_WORLD_H
#define TALLY_CORE_SUBNET_LISTINGS_WORLD_H

#include "core/listings/race/test/race_world.h"
#include "core/subnet/listings/listings.h"

#define WORLD_NEXT_EPOCH "2025-10-03T08-00-00"

/* Every validator of the epoch finds the hash that its race gives, and its weights. */
static inline void agree_on(tl_listings_epoch *epoch, tl_arena *arena)
{
    tl_race_result r = {0};
    const size_t n = epoch->race.validator_count;
    tl_listings_ballot *ballots = TL_NEW(arena, tl_listings_ballot, n);
    const tl_err err = tl_race_run(&r, arena, &epoch->race, NULL);
    TL_ASSERT(err == TL_OK && ballots != NULL);
    for (size_t v = 0; v < n; v++) {
        ballots[v].ballot.hotkey = epoch->race.validators[v].hotkey;
        ballots[v].ballot.has_result = true;
        ballots[v].ballot.roots = r.roots;
    }
    epoch->ballots = ballots;
    epoch->ballot_count = n;
}

static inline world *epoch_of_ten(tl_listings_epoch *out, tl_arena *arena)
{
    world *w = world_new(arena, 8, 3);
    bool is_honeypot[8];
    char *beacon = TL_NEW(arena, char, TL_BEACON_CAP);
    tl_contribution *contributions = TL_NEW(arena, tl_contribution, 2);
    TL_ASSERT(beacon != NULL && contributions != NULL);
    tl_err err = tl_honeypots(is_honeypot, 8, TL_STR(WORLD_NONCE), NULL);
    TL_ASSERT(err == TL_OK);
    for (unsigned z = 0; z < 8; z++) {
        w->zipcodes[z].is_honeypot = is_honeypot[z];
    }
    const bool is_swapped = tl_hotkey_cmp(&w->validators[0].hotkey, &w->validators[1].hotkey) > 0;
    contributions[0].hotkey = w->validators[is_swapped ? 1 : 0].hotkey;
    contributions[0].secret = TL_STR("the-first-secret-16");
    contributions[1].hotkey = w->validators[is_swapped ? 0 : 1].hotkey;
    contributions[1].secret = TL_STR("the-second-secret-16");
    err = tl_beacon(beacon, TL_STR(WORLD_NONCE), contributions, 2, NULL);
    TL_ASSERT(err == TL_OK);
    w->input.beacon = (tl_str){beacon, TL_BEACON_LEN};
    for (unsigned m = 0; m < 10; m++) {
        for (unsigned z = 0; z < 8; z++) {
            if ((m + z) % 8 != 7) {
                (void)world_add_sheet(w, m, z, 1000 * ((m * 3 + z) % 10));
            }
        }
    }
    tl_finding *copy = TL_NEW(arena, tl_finding, 1);
    TL_ASSERT(copy != NULL);
    *copy = (tl_finding){.rule = TL_LISTING_COPY,
                         .count = 60,
                         .rate_millionths = 600000,
                         .indices = {1, 5, 9},
                         .index_count = 3,
                         .peer = world_address(w, 1)};
    w->sheets[10].sheet.findings = copy;
    w->sheets[10].sheet.finding_count = 1;
    world_tell(w);
    *out = (tl_listings_epoch){
        .race = w->input, .contributions = contributions, .contribution_count = 2, .round = 1};
    agree_on(out, arena);
    return w;
}

/* The same epoch four hours later, with pay that is due. held: borrowed. */
static inline void next_epoch(tl_listings_epoch *io, world *w, const tl_race_held *held,
                              size_t count)
{
    for (size_t v = 0; v < w->input.validator_count; v++) {
        w->evidence[v].epoch_id = TL_STR(WORLD_NEXT_EPOCH);
    }
    for (size_t i = 0; i < w->input.sheet_count; i++) {
        w->sheets[i].sheet.received_ms += 14400000;
    }
    io->race.epoch_id = TL_STR(WORLD_NEXT_EPOCH);
    io->race.start_ms += 14400000;
    io->race.deadline_ms += 14400000;
    io->race.held = held;
    io->race.held_count = count;
}

#endif
