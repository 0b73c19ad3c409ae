/* The race of one epoch. Attacked: each tier and each rule that keeps a submission from its place, ties of time, two
 * hotkeys of one coldkey, empty places, evidence that is missing, split or about something else, honeypots that a minority
 * calls so, held pay, second offences; and inputs that contradict themselves. Figures are worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/race/test/race_world.h"

#define TAO INT64_C(1000000000)

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static tl_race_result run(world *w)
{
    tl_race_result r = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_race_run(&r, w->arena, &w->input, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return r;
}

static tl_race_outcome outcome(const tl_race_result *r, const world *w, unsigned m, unsigned z)
{
    return world_entry(r, w, m, z)->outcome;
}

/* 1,000 TAO: 550, 300, 100, and 50 for the two beyond. */
static void the_first_three_are_paid_and_those_behind_share_five_percent(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 3);
    for (unsigned m = 0; m < 5; m++) {
        (void)world_add_sheet(w, m, 0, 1000 * (5 - m));
    }
    world_tell(w);
    const tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 4, 0), TL_RACE_FIRST);
    assert_int_equal(outcome(&r, w, 3, 0), TL_RACE_SECOND);
    assert_int_equal(outcome(&r, w, 2, 0), TL_RACE_THIRD);
    assert_int_equal(outcome(&r, w, 1, 0), TL_RACE_PARTICIPANT);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_PARTICIPANT);
    assert_true(world_reward(&r, 4) == 550 * TAO);
    assert_true(world_reward(&r, 3) == 300 * TAO);
    assert_true(world_reward(&r, 2) == 100 * TAO);
    assert_true(world_reward(&r, 1) == 25 * TAO);
    assert_true(world_reward(&r, 0) == 25 * TAO);
    assert_true(tl_rao_is_zero(r.burn));
    assert_int_equal(world_line(&r, 4)->weight_u16, 65535);
    assert_int_equal(world_line(&r, 3)->weight_u16, 35746); /* 300 / 550 of 65,535, half up */
    assert_int_equal(world_line(&r, 0)->weight_u16, 2979);
    assert_int_equal(r.burn_weight_u16, 0);
    assert_int_equal(r.finding_count, 0); /* slower is no offence */
    assert_int_equal(world_line(&r, 4)->score_millionths, 550000);
    /* 25 + 35 + 25 + 15 · 0.5 */
    assert_int_equal(world_line(&r, 4)->quality_millionths, 925000);
    tl_arena_free(arena);
}

/* A zipcode weighs what its winners brought: 300 listings against 100. */
static void zipcodes_weigh_by_their_winners_listings(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 2, 2);
    for (unsigned m = 0; m < 3; m++) {
        (void)world_add_sheet(w, m, 0, 1000 + m);
    }
    (void)world_add_sheet(w, 3, 1, 1000);
    world_tell(w);
    const tl_race_result r = run(w);
    assert_true(world_reward(&r, 0) == 750 * 55 * TAO / 100);
    assert_true(world_reward(&r, 3) == 250 * 55 * TAO / 100);
    /* second and third of the other zipcode, and all participation, burn */
    assert_true(tl_rao_to_i64(r.burn) == 250 * 40 * TAO / 100 + 50 * TAO);
    tl_arena_free(arena);
}

static void an_epoch_without_winners_burns(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 2, 2);
    tl_race_result r = run(w);
    assert_true(tl_rao_to_i64(r.burn) == 1000 * TAO);
    assert_int_equal(r.burn_weight_u16, 65535);
    assert_int_equal(r.line_count, 0);
    world_add_sheet(w, 0, 0, 1)->sheet.passes_tier1 = false;
    r = run(w);
    assert_true(tl_rao_to_i64(r.burn) == 1000 * TAO);
    assert_true(world_reward(&r, 0) == 0);
    tl_arena_free(arena);
}

/* Equal times: SHA-256(nonce ‖ content hash) decides, not the hotkey; another nonce, another order. */
static void ties_of_time_are_drawn_by_the_nonce(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    size_t first[6] = {0};
    for (unsigned round = 0; round < 60; round++) {
        world *w = world_new(arena, 1, 2);
        for (unsigned m = 0; m < 6; m++) {
            (void)world_add_sheet(w, m, 0, 1000);
        }
        world_tell(w);
        char nonce[33];
        (void)tl_str_print(nonce, sizeof nonce, "%032x", round * 2654435761u);
        w->input.nonce = tl_str_from_cstr(nonce);
        const tl_race_result r = run(w);
        for (size_t i = 1; i < r.entry_count; i++) {
            assert_true(tl_hash32_cmp(&r.entries[i - 1].tie, &r.entries[i].tie) < 0);
        }
        for (unsigned m = 0; m < 6; m++) {
            first[m] += outcome(&r, w, m, 0) == TL_RACE_FIRST ? 1 : 0;
        }
    }
    for (unsigned m = 0; m < 6; m++) {
        assert_in_range(first[m], 2, 25);
    }
    tl_arena_free(arena);
}

static void set_finding(world *w, tl_race_sheet *s, tl_listing_rule rule)
{
    tl_finding *f = TL_NEW(w->arena, tl_finding, 1);
    if (f == NULL) {
        fail();
        return;
    }
    *f = (tl_finding){.rule = rule, .count = 7, .rate_millionths = 70000};
    s->sheet.findings = f;
    s->sheet.finding_count = 1;
}

/* Each rule that keeps a submission from its place is a finding, tiers too. */
static void what_keeps_a_submission_is_told(void **state)
{
    (void)state;
    static const struct {
        tl_listing_rule rule;
        bool tier1;
        bool tier2;
        bool is_kept;
    } cases[] = {
        {TL_LISTING_QUANTITY, false, true, true},   {TL_LISTING_COMPLETENESS, true, false, true},
        {TL_LISTING_VALUES, true, false, true},     {TL_LISTING_CONSISTENCY, true, false, true},
        {TL_LISTING_DUPLICATES, true, false, true}, {TL_LISTING_COPY, true, true, true},
        {TL_LISTING_SYBIL, true, true, true},       {TL_LISTING_GEOGRAPHY, true, true, false},
        {TL_LISTING_TIME, true, true, false},       {TL_LISTING_PRICE_ANOMALY, true, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_arena *arena = new_arena();
        world *w = world_new(arena, 1, 2);
        tl_race_sheet *s = world_add_sheet(w, 0, 0, 1);
        s->sheet.passes_tier1 = cases[i].tier1;
        s->sheet.passes_tier2 = cases[i].tier2;
        set_finding(w, s, cases[i].rule);
        (void)world_add_sheet(w, 1, 0, 2);
        world_tell(w);
        const tl_race_result r = run(w);
        assert_int_equal(r.finding_count, 1);
        const tl_race_finding *f = world_finding(&r, w, 0, 0, cases[i].rule);
        assert_true(world_found(f));
        assert_int_equal(f->keeps, cases[i].is_kept);
        assert_int_equal(f->finding.count, 7);
        assert_int_equal(outcome(&r, w, 0, 0), cases[i].is_kept ? TL_RACE_FAILED : TL_RACE_FIRST);
        assert_int_equal(outcome(&r, w, 1, 0), cases[i].is_kept ? TL_RACE_FIRST : TL_RACE_SECOND);
        assert_int_equal(world_reward(&r, 0) > 0, !cases[i].is_kept); /* RACE-4 */
        tl_arena_free(arena);
    }
}

static void who_is_late_or_fails_unexplained_is_told_so(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 2);
    (void)world_add_sheet(w, 0, 0, 14400000);     /* at the deadline: in time */
    (void)world_add_sheet(w, 1, 0, 14400000 + 1); /* after it */
    world_add_sheet(w, 2, 0, 1)->sheet.passes_tier1 = false;
    world_add_sheet(w, 3, 0, 1)->sheet.passes_tier2 = false;
    world_tell(w);
    const tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST);
    assert_true(world_found(world_finding(&r, w, 1, 0, TL_LISTING_LATE)));
    assert_true(world_found(world_finding(&r, w, 2, 0, TL_LISTING_QUANTITY)));
    assert_true(world_found(world_finding(&r, w, 3, 0, TL_LISTING_VALUES)));
    assert_int_equal(r.finding_count, 3);
    tl_arena_free(arena);
}

/* RACE-3 */
static void one_coldkey_has_one_place_a_zipcode(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 2, 2);
    for (unsigned m = 0; m < 5; m++) {
        for (unsigned z = 0; z < 2; z++) {
            tl_race_sheet *s = world_add_sheet(w, m, z, 1000 + m);
            if (m < 3) {
                s->sheet.coldkey = world_address(w, 150);
            }
        }
    }
    world_tell(w);
    const tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST);
    assert_int_equal(outcome(&r, w, 1, 0), TL_RACE_SAME_COLDKEY);
    assert_int_equal(outcome(&r, w, 2, 1), TL_RACE_SAME_COLDKEY);
    assert_int_equal(outcome(&r, w, 3, 0), TL_RACE_SECOND);
    assert_int_equal(outcome(&r, w, 4, 0), TL_RACE_THIRD);
    const tl_race_finding *f = world_finding(&r, w, 2, 1, TL_LISTING_SYBIL);
    assert_true(world_found(f));
    assert_true(f->keeps && tl_str_eq(f->finding.peer, world_address(w, 1)));
    assert_true(world_reward(&r, 1) == 0 && world_reward(&r, 2) == 0);
    tl_arena_free(arena);
}

/* Participation: one part a coldkey. */
static void twenty_hotkeys_of_one_coldkey_are_one_participant(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 4, 2);
    for (unsigned z = 0; z < 4; z++) {
        for (unsigned m = 0; m < 3; m++) {
            (void)world_add_sheet(w, m, z, 1000 + m);
        }
        world_add_sheet(w, 10 + z, z, 2000)->sheet.coldkey = world_address(w, 150);
    }
    (void)world_add_sheet(w, 20, 0, 3000);
    world_tell(w);
    const tl_race_result r = run(w);
    int64_t cluster = 0;
    for (unsigned m = 10; m < 14; m++) {
        cluster += world_reward(&r, m);
    }
    assert_true(cluster == 25 * TAO);
    assert_true(world_reward(&r, 20) == 25 * TAO);
    tl_arena_free(arena);
}

static void honeypot_zipcodes_are_not_raced(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 2, 2);
    w->zipcodes[1].is_honeypot = true;
    (void)world_add_sheet(w, 0, 0, 1);
    (void)world_add_sheet(w, 0, 1, 1);
    world_add_sheet(w, 1, 1, 1)->sheet.passes_tier1 = false;
    world_tell(w);
    const tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 0, 1), TL_RACE_NOT_RACED);
    assert_int_equal(outcome(&r, w, 1, 1), TL_RACE_NOT_RACED);
    assert_true(world_reward(&r, 0) == 550 * TAO);
    assert_int_equal(r.finding_count, 0);
    tl_arena_free(arena);
}

/* --- evidence --- */

static void a_listing_is_judged_by_the_majority_of_stake(void **state)
{
    (void)state;
    static const struct {
        int64_t stakes[3];
        const char *says[3];
        tl_race_check check;
        uint32_t judged;
        uint32_t passed;
    } cases[] = {
        {{10, 10, 10}, {"PPPPPPPPPPPPPPP", "PPPPPPPPPPPPPPP", "FFFFFFFFFFFFFFF"}, 0, 10, 10},
        {{10, 10, 21}, {"PPPPPPPPPPPPPPP", "PPPPPPPPPPPPPPP", "FFFFFFFFFFFFFFF"}, 1, 10, 0},
        /* a tie is no evidence */
        {{10, 10, 20}, {"PPPPPPPPPPPPPPP", "PPPPPPPPPPPPPPP", "FFFFFFFFFFFFFFF"}, 2, 0, 0},
        /* eight of ten are enough, seven are not */
        {{10, 10, 10}, {"PPPPPPPPFFPPPPP", "PPPPPPPPFFPPPPP", "PPPPPPPPFFPPPPP"}, 0, 10, 8},
        {{10, 10, 10}, {"PPPPPPPFFFPPPPP", "PPPPPPPFFFPPPPP", "PPPPPPPFFFPPPPP"}, 1, 10, 7},
        /* what nobody could see leaves; the reserve enters */
        {{10, 10, 10}, {"NNNPPPPPPPPPPPP", "NNNPPPPPPPPPPPP", "NNNPPPPPPPPPPPP"}, 0, 10, 10},
        {{10, 10, 10}, {"NNNPPPPPPPPPPFF", "NNNPPPPPPPPPPFF", "NNNPPPPPPPPPPFF"}, 0, 10, 10},
        {{10, 10, 10}, {"NNNPPPPPPPFFFFF", "NNNPPPPPPPFFFFF", "NNNPPPPPPPFFFFF"}, 1, 10, 7},
        /* seven are out: eight are left to judge */
        {{10, 10, 10}, {"NNNNNNNPPPPPPPP", "NNNNNNNPPPPPPPP", "NNNNNNNPPPPPPPP"}, 0, 8, 8},
        /* a third of the stake is enough evidence, less is none */
        {{10, 10, 10}, {"PPPPPPPPPPPPPPP", "---------------", "NNNNNNNNNNNNNNN"}, 0, 10, 10},
        {{9, 10, 11}, {"PPPPPPPPPPPPPPP", "---------------", "NNNNNNNNNNNNNNN"}, 2, 0, 0},
        /* fewer than three judged */
        {{10, 10, 10}, {"PPNNNNNNNNNNNNN", "PPNNNNNNNNNNNNN", "PFNNNNNNNNNNNNN"}, 2, 2, 2},
        {{10, 10, 10}, {"PPPNNNNNNNNNNNN", "PPPNNNNNNNNNNNN", "PPPNNNNNNNNNNNN"}, 0, 3, 3},
        /* verdicts that are not one a sample say nothing */
        {{10, 10, 10}, {"PPPPPPPPPPPPPPP", "FFFF", ""}, 0, 10, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_arena *arena = new_arena();
        world *w = world_new(arena, 1, 3);
        (void)world_add_sheet(w, 0, 0, 1);
        (void)world_add_sheet(w, 1, 0, 2);
        world_tell(w);
        for (size_t v = 0; v < 3; v++) {
            w->validators[v].stake = tl_rao_from_i64(cases[i].stakes[v]);
            world_say(w, v, 0, 0, cases[i].says[v]);
        }
        const tl_race_result r = run(w);
        const tl_race_entry *e = world_entry(&r, w, 0, 0);
        assert_int_equal(e->check, cases[i].check);
        assert_int_equal(e->judged, cases[i].judged);
        assert_int_equal(e->passed, cases[i].passed);
        const tl_race_finding *f = world_finding(&r, w, 0, 0, TL_LISTING_SPOT_CHECK);
        assert_int_equal(world_found(f), e->check == TL_RACE_CHECK_FAIL);
        assert_int_equal(e->outcome,
                         e->check == TL_RACE_CHECK_FAIL ? TL_RACE_FAILED : TL_RACE_FIRST);
        if (world_found(f)) {
            assert_int_equal(f->finding.count, e->judged - e->passed);
            for (uint32_t k = 1; k < f->finding.index_count; k++) {
                assert_true(f->finding.indices[k - 1] < f->finding.indices[k]);
            }
        }
        tl_arena_free(arena);
    }
}

/* Two samples in all: both are judged, and three are not asked of it. */
static void a_short_submission_is_judged_by_what_it_has(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 2);
    tl_race_sheet *s = world_add_sheet(w, 0, 0, 1);
    s->sheet.sample_count = 2;
    s->sheet.sample_asked = 2;
    tl_race_sheet *none = world_add_sheet(w, 1, 0, 2);
    none->sheet.sample_count = 0;
    none->sheet.sample_asked = 0;
    world_tell(w);
    tl_race_result r = run(w);
    assert_int_equal(world_entry(&r, w, 0, 0)->check, TL_RACE_CHECK_PASS);
    assert_int_equal(outcome(&r, w, 1, 0), TL_RACE_FAILED);
    world_say(w, 0, 0, 0, "PN");
    world_say(w, 1, 0, 0, "PN");
    r = run(w);
    assert_int_equal(world_entry(&r, w, 0, 0)->check, TL_RACE_CHECK_NONE);
    tl_arena_free(arena);
}

/* Evidence about other bytes, another miner, another zipcode is about nothing. */
static void evidence_about_something_else_does_not_count(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 3);
    (void)world_add_sheet(w, 0, 0, 1);
    world_tell(w);
    static const uint32_t rows[] = {1, 2};
    for (size_t v = 0; v < 2; v++) {
        tl_evidence_item *item = world_item(w, v, 0, 0);
        item->content_hash.b[0] ^= 1;
        item->verdicts = TL_STR("FFFFFFFFFFFFFFF");
        item->honeypots = rows;
        item->honeypot_count = 2;
    }
    tl_race_result r = run(w);
    assert_int_equal(world_entry(&r, w, 0, 0)->passed, 10);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST);
    /* rows that the submission does not have are no hits */
    static const uint32_t beyond[] = {WORLD_ROWS};
    for (size_t v = 0; v < 2; v++) {
        tl_evidence_item *item = world_item(w, v, 0, 0);
        item->content_hash.b[0] ^= 1;
        item->verdicts = TL_STR("PPPPPPPPPPPPPPP");
        item->honeypots = beyond;
        item->honeypot_count = 1;
    }
    r = run(w);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST);
    tl_arena_free(arena);
}

/* RACE-5: two of five in stake call honest listings honeypots; three of five are needed. */
static void a_honeypot_is_what_the_majority_of_stake_found(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 2, 5);
    (void)world_add_sheet(w, 0, 0, 1);
    (void)world_add_sheet(w, 0, 1, 1);
    (void)world_add_sheet(w, 1, 0, 2);
    world_tell(w);
    static const uint32_t rows[] = {3, 9};
    static const uint32_t other[] = {9};
    for (size_t v = 0; v < 2; v++) {
        world_item(w, v, 0, 0)->honeypots = rows;
        world_item(w, v, 0, 0)->honeypot_count = 2;
    }
    tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST);
    assert_int_equal(r.finding_count, 0);
    world_item(w, 2, 0, 0)->honeypots = other;
    world_item(w, 2, 0, 0)->honeypot_count = 1;
    r = run(w);
    const tl_race_finding *f = world_finding(&r, w, 0, 0, TL_LISTING_HONEYPOT);
    assert_true(world_found(f));
    assert_int_equal(f->finding.count, 1);
    assert_int_equal(f->finding.indices[0], 9);
    /* for the whole epoch, all zipcodes (RACE-4) */
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_DISQUALIFIED);
    assert_int_equal(outcome(&r, w, 0, 1), TL_RACE_DISQUALIFIED);
    assert_int_equal(world_entry(&r, w, 0, 1)->kept_by, TL_LISTING_HONEYPOT);
    assert_true(world_reward(&r, 0) == 0);
    assert_int_equal(outcome(&r, w, 1, 0), TL_RACE_FIRST);
    assert_int_equal(r.strike_count, 1);
    assert_int_equal(world_line(&r, 0)->strikes, 1);
    assert_false(world_line(&r, 0)->forfeits_deposit);
    tl_arena_free(arena);
}

static void the_second_strike_forfeits_the_deposit(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 2);
    tl_race_sheet *s = world_add_sheet(w, 0, 0, 1);
    s->sheet.is_synthetic = true;
    s->sheet.is_disqualified = true;
    s->sheet.confidence_millionths = 700000;
    set_finding(w, s, TL_LISTING_GEOGRAPHY);
    world_tell(w);
    const tl_race_strike before[] = {{world_key(1), 1}, {world_key(9), 3}};
    w->input.strikes = before;
    w->input.strike_count = 2;
    const tl_race_result r = run(w);
    assert_int_equal(world_line(&r, 0)->strikes, 2);
    assert_true(world_line(&r, 0)->forfeits_deposit);
    assert_int_equal(world_line(&r, 0)->disqualified_by, TL_LISTING_GEOGRAPHY);
    assert_true(world_finding(&r, w, 0, 0, TL_LISTING_GEOGRAPHY)->keeps);
    assert_int_equal(r.strike_count, 2);
    tl_arena_free(arena);
}

/* --- pay that waits --- */

static void pay_without_evidence_waits_an_epoch_and_comes(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    world *w = world_new(arena, 1, 2);
    for (unsigned m = 0; m < 4; m++) {
        (void)world_add_sheet(w, m, 0, 1 + m);
    }
    world_tell(w);
    for (size_t v = 0; v < 2; v++) {
        world_say(w, v, 0, 0, "NNNNNNNNNNNNNNN");
        world_say(w, v, 3, 0, "NNNNNNNNNNNNNNN");
    }
    tl_race_result r = run(w);
    assert_int_equal(outcome(&r, w, 0, 0), TL_RACE_FIRST); /* it keeps its place */
    assert_true(world_reward(&r, 0) == 0 && world_line(&r, 0)->weight_u16 == 0);
    assert_true(tl_rao_to_i64(world_line(&r, 0)->held) == 550 * TAO);
    assert_true(tl_rao_to_i64(world_line(&r, 3)->held) == 50 * TAO);
    assert_true(world_reward(&r, 1) == 300 * TAO);
    assert_int_equal(world_line(&r, 1)->weight_u16, 65535);
    assert_int_equal(r.held_count, 2);
    assert_int_equal(r.no_evidence_millionths, 500000);
    /* the next epoch: released to whoever is not disqualified */
    const tl_race_held held[] = {r.held[0], r.held[1]};
    world *next = world_new(arena, 1, 2);
    tl_race_sheet *s = world_add_sheet(next, 3, 0, 1);
    s->sheet.is_disqualified = true;
    world_tell(next);
    next->input.held = held;
    next->input.held_count = 2;
    r = run(next);
    assert_true(world_reward(&r, 0) == 550 * TAO); /* although it handed nothing in */
    assert_true(world_reward(&r, 3) == 0);
    assert_true(tl_rao_to_i64(r.burn) == 1050 * TAO);
    assert_true(tl_rao_to_i64(r.released_burnt) == 50 * TAO);
    assert_int_equal(r.held_count, 0);
    tl_arena_free(arena);
}

/* --- what is refused --- */

static void inputs_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_race_result r = {.line_count = 77};
    tl_errctx ctx = TL_ERRCTX_INIT;
    world *w = world_new(arena, 2, 2);
    (void)world_add_sheet(w, 0, 0, 1);
    (void)world_add_sheet(w, 0, 0, 2);
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_DUPLICATE);
    memcpy(w->sheets[1].zipcode, "00000", 6);
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_UNKNOWN);
    assert_string_equal(ctx.field, "submissions[1].zipcode");
    memcpy(w->sheets[1].zipcode, w->zipcodes[1].zipcode, 6);
    w->sheets[1].sheet.hotkey = TL_STR("nobody");
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_SYNTAX);
    w->sheets[1].sheet.hotkey = w->sheets[0].sheet.hotkey;
    w->sheets[1].sheet.distinct = 101;
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_RANGE);
    w->sheets[1].sheet.distinct = 100;
    w->params.participation_bp = 501;
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_RANGE);
    w->params.participation_bp = 500;
    w->validators[1].hotkey = w->validators[0].hotkey;
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_DUPLICATE);
    w->validators[1].hotkey = world_key(202);
    w->validators[1].stake = tl_rao_from_i64(-1);
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_RANGE);
    w->validators[1].stake = tl_rao_from_i64(INT64_MAX);
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_OVERFLOW);
    w->validators[1].stake = tl_rao_from_i64(1);
    w->zipcodes[1] = w->zipcodes[0];
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_DUPLICATE);
    w = world_new(arena, 1, 2);
    w->input.validator_count = TL_RACE_VALIDATORS_MAX + 1;
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_LIMIT);
    w->input.validator_count = 2;
    const tl_race_held twice[] = {{TL_STR("a"), world_key(1), tl_rao_from_i64(5)},
                                  {TL_STR("a"), world_key(1), tl_rao_from_i64(5)}};
    w->input.held = twice;
    w->input.held_count = 2;
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_DUPLICATE);
    w->input.held_count = 0;
    world_tell(w);
    w->evidence[0].epoch_id = TL_STR("2025-10-03T08-00-00");
    assert_int_equal(tl_race_run(&r, arena, &w->input, &ctx), TL_ERR_CANONICAL);
    assert_int_equal(r.line_count, 77);
    tl_arena_free(arena);
}

/* --- evidence documents --- */

static tl_err read_document(tl_arena *arena, const char *json, tl_evidence *out)
{
    const tl_json *tree = NULL;
    const tl_err err = tl_json_parse(&tree, arena, tl_str_from_cstr(json), NULL, NULL);
    return err != TL_OK ? err : tl_evidence_read(out, arena, tree, NULL);
}

#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB   "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define HASH  "00000000000000000000000000000000000000000000000000000000000000ab"
#define ITEM(hash, pots, who, says, zip)                                                           \
    "{\"contentHash\":\"" hash "\",\"honeypots\":" pots ",\"hotkey\":\"" who                       \
    "\",\"verdicts\":\"" says "\",\"zipcode\":\"" zip "\"}"
#define DOCUMENT(items, rate)                                                                      \
    "{\"epochId\":\"" WORLD_EPOCH "\",\"items\":[" items "],\"noEvidenceRate\":" rate "}"

static void a_document_has_one_form(void **state)
{
    (void)state;
    static const char text[] =
        DOCUMENT(ITEM(HASH, "[0,7]", BOB, "PPN-F", "98101") "," ITEM(
                     HASH, "[]", ALICE, "", "98101") "," ITEM(HASH, "[]", BOB, "N", "98102"),
                 "400000");
    tl_arena *arena = new_arena();
    tl_evidence e = {0};
    assert_int_equal(read_document(arena, text, &e), TL_OK);
    assert_int_equal(e.count, 3);
    assert_int_equal(tl_evidence_none_millionths(&e), 400000);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_evidence_put(&w, &e);
    tl_json_writer_done(&w);
    tl_str again = {NULL, 0};
    assert_int_equal(tl_sb_finish(&again, &sb, NULL), TL_OK);
    assert_true(tl_str_eq_cstr(again, text));
    tl_evidence_item twice[2] = {e.items[0], e.items[0]};
    assert_int_equal(tl_evidence_sort(twice, 2, arena, NULL), TL_ERR_DUPLICATE);
    tl_arena_free(arena);
}

static void other_documents_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        tl_err err;
    } cases[] = {
        {"[]", TL_ERR_TYPE},
        {"{}", TL_ERR_MISSING},
        {DOCUMENT("", "0.5"), TL_ERR_TYPE},
        {DOCUMENT("", "1"), TL_ERR_RANGE},
        {DOCUMENT(ITEM(HASH, "[]", BOB, "PPX", "98101"), "0"), TL_ERR_RANGE},
        {DOCUMENT(ITEM(HASH, "[]", BOB, "PPPPPPPPPPPPPPPP", "98101"), "0"), TL_ERR_LIMIT},
        {DOCUMENT(ITEM(HASH, "[]", BOB, "P", "9810"), "0"), TL_ERR_SYNTAX},
        {DOCUMENT(ITEM(HASH, "[]", "bob", "P", "98101"), "0"), TL_ERR_SYNTAX},
        {DOCUMENT(ITEM("00", "[]", BOB, "P", "98101"), "0"), TL_ERR_SYNTAX},
        {DOCUMENT(ITEM("00000000000000000000000000000000000000000000000000000000000000AB", "[]",
                       BOB, "P", "98101"),
                  "0"),
         TL_ERR_CANONICAL},
        {DOCUMENT(ITEM(HASH, "[7,0]", BOB, "P", "98101"), "0"), TL_ERR_CANONICAL},
        {DOCUMENT(ITEM(HASH, "[7,7]", BOB, "P", "98101"), "0"), TL_ERR_CANONICAL},
        {DOCUMENT(ITEM(HASH, "[100000]", BOB, "P", "98101"), "0"), TL_ERR_RANGE},
        {DOCUMENT(ITEM(HASH, "[-1]", BOB, "P", "98101"), "0"), TL_ERR_RANGE},
        {DOCUMENT(ITEM(HASH, "[]", ALICE, "P", "98101") "," ITEM(HASH, "[]", BOB, "P", "98101"),
                  "0"),
         TL_ERR_CANONICAL},
        {DOCUMENT(ITEM(HASH, "[]", BOB, "P", "98101") "," ITEM(HASH, "[]", BOB, "P", "98101"), "0"),
         TL_ERR_CANONICAL},
        {DOCUMENT(
             ITEM(HASH, "[]", "12bzRJfh7arnnfPPUZHeJUaE62QLEwhK48QnH9LXeK2m1iZU", "P", "98101"),
             "0"),
         TL_ERR_CANONICAL}, /* a good address of another network */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_arena *arena = new_arena();
        tl_evidence e = {.count = 77};
        const tl_err err = read_document(arena, cases[i].json, &e);
        if (err != cases[i].err) {
            fail_msg("case %zu: %s, not %s", i, tl_err_name(err), tl_err_name(cases[i].err));
        }
        assert_int_equal(e.count, 77);
        tl_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_three_are_paid_and_those_behind_share_five_percent),
        cmocka_unit_test(zipcodes_weigh_by_their_winners_listings),
        cmocka_unit_test(an_epoch_without_winners_burns),
        cmocka_unit_test(ties_of_time_are_drawn_by_the_nonce),
        cmocka_unit_test(what_keeps_a_submission_is_told),
        cmocka_unit_test(who_is_late_or_fails_unexplained_is_told_so),
        cmocka_unit_test(one_coldkey_has_one_place_a_zipcode),
        cmocka_unit_test(twenty_hotkeys_of_one_coldkey_are_one_participant),
        cmocka_unit_test(honeypot_zipcodes_are_not_raced),
        cmocka_unit_test(a_listing_is_judged_by_the_majority_of_stake),
        cmocka_unit_test(a_short_submission_is_judged_by_what_it_has),
        cmocka_unit_test(evidence_about_something_else_does_not_count),
        cmocka_unit_test(a_honeypot_is_what_the_majority_of_stake_found),
        cmocka_unit_test(the_second_strike_forfeits_the_deposit),
        cmocka_unit_test(pay_without_evidence_waits_an_epoch_and_comes),
        cmocka_unit_test(inputs_that_contradict_themselves_are_refused),
        cmocka_unit_test(a_document_has_one_form),
        cmocka_unit_test(other_documents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
