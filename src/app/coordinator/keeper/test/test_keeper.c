/* A keeper on a real database under a clock of the test's own: days pass in seconds. The validators are played by writing
 * their rows. Attacked: two leaders at once, a leader that dies, an outage, a seed that somebody could choose, votes that
 * disagree, a lone validator, results that claim what their hash does not bind. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/coordinator/keeper/keeper.h"
#include "app/data/data.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/race/race.h"
#include "io/sys/sys.h"

#define MS_NS   INT64_C(1000000)
#define HOUR_MS INT64_C(3600000)
#define NOON_MS INT64_C(1758283200000)

enum { VALIDATORS = 3, SS58_PREFIX = 42 };

typedef struct world {
    tl_arena *arena;
    const char *dir;
    tl_manual_clock clock;
    tl_seeded_entropy entropy;
    tl_places places;
    tl_keeper_settings settings;
    tl_records *records; /* the test's own handle: the validators' */
    tl_keeper_peer peers[VALIDATORS];
    size_t peer_count;
} world;

static size_t list_peers(void *self, tl_keeper_peer *out, size_t cap)
{
    const world *w = self;
    for (size_t i = 0; i < w->peer_count && i < cap; i++) {
        out[i] = w->peers[i];
    }
    return w->peer_count;
}

static int64_t now_ms(const world *w)
{
    return w->clock.wall_ns / MS_NS;
}

/* What the test leaves on the disk goes with it. */
static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int make_world(void **state)
{
    world *w = test_calloc(1, sizeof *w);
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w->dir, w->arena, "/tmp/tally-keeper", NULL), TL_OK);
    assert_int_equal(
        tl_data_zipcodes(&w->places, w->arena, TL_SOURCE_ROOT "/data/us_zipcodes.csv.gz", NULL),
        TL_OK);
    w->settings = (tl_keeper_settings){
        .holder = "one",
        .epoch_seconds = 14400,
        .places = &w->places,
        .clock = tl_manual_clock_start(&w->clock, (NOON_MS + 17 * 60000) * MS_NS),
        .entropy = tl_seeded_entropy_start(&w->entropy, 7),
        .self = w,
        .peers = list_peers};
    assert_int_equal(tl_sys_join(&w->settings.sql.path, w->arena, w->dir, TL_RECORDS_FILE, NULL),
                     TL_OK);
    assert_int_equal(tl_records_open(&w->records, &w->settings.sql, TL_RECORDS_USE, NULL), TL_OK);
    w->peer_count = VALIDATORS;
    for (size_t i = 0; i < VALIDATORS; i++) {
        w->peers[i].hotkey.b[0] = (uint8_t)(i + 1);
        w->peers[i].member = (tl_api_member){
            .uid = (uint32_t)i + 10, .stake_rao = INT64_C(1000000000), .has_permit = true};
        w->peers[i].member.coldkey.b[31] = (uint8_t)(i + 1);
    }
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    world *w = *state;
    tl_records_close(w->records);
    remove_tree(w->dir);
    tl_arena_free(w->arena);
    test_free(w);
    return 0;
}

static tl_keeper *open_keeper(world *w, const char *holder)
{
    tl_keeper *keeper = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    w->settings.holder = holder;
    if (tl_keeper_new(&keeper, &w->settings, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return keeper;
}

static void turn(tl_keeper *keeper)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_keeper_turn(keeper, NULL, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

static void step_ms(world *w, int64_t by_ms)
{
    tl_manual_clock_step(&w->clock, by_ms * MS_NS);
}

/* On to a time, in steps that a leader would not sleep through. */
static void run_until(world *w, tl_keeper *keeper, int64_t end_ms, int64_t by_ms)
{
    while (now_ms(w) < end_ms) {
        const int64_t left_ms = end_ms - now_ms(w);
        step_ms(w, left_ms < by_ms ? left_ms : by_ms);
        turn(keeper);
    }
}

static tl_record_epoch epoch_at(world *w, int64_t start_ms)
{
    char id[TL_SLOT_ID_CAP];
    tl_record_epoch epoch;
    tl_slot_print(id, start_ms);
    assert_int_equal(
        tl_records_get_epoch(w->records, &epoch, (tl_str){id, TL_SLOT_ID_LEN}, w->arena, NULL),
        TL_OK);
    return epoch;
}

/* --- the validators' part --- */

static tl_str secret_of(world *w, size_t i)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, w->arena);
    tl_sb_printf(&sb, "the secret of validator %zu", i);
    for (size_t k = 0; k < sb.len; k++) {
        sb.text[k] = sb.text[k] == ' ' ? '-' : sb.text[k];
    }
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static void join(world *w, tl_str id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tl_hash32 commit;
        tl_secret_commit(&commit, secret_of(w, i));
        assert_int_equal(
            tl_records_join(w->records, id, &w->peers[i].hotkey, &commit, now_ms(w), NULL), TL_OK);
    }
}

static void reveal_secrets(world *w, tl_str id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(tl_records_reveal_secret(w->records, id, &w->peers[i].hotkey,
                                                  secret_of(w, i), now_ms(w), NULL),
                         TL_OK);
    }
}

static void give_evidence(world *w, tl_str id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const tl_record_evidence evidence = {.hotkey = w->peers[i].hotkey,
                                             .stake = tl_rao_from_i64(1000000000),
                                             .body = tl_str_bytes(TL_STR("{}")),
                                             .received_ms = now_ms(w)};
        assert_int_equal(tl_records_put_evidence(w->records, id, 0, &evidence, NULL), TL_OK);
    }
}

/* A result: which one (0 the honest), and what its sender tells besides. */
static tl_record_ballot ballot_of(world *w, size_t i, unsigned which)
{
    tl_record_ballot ballot = {.hotkey = w->peers[i].hotkey,
                               .stake = tl_rao_from_i64(w->peers[i].member.stake_rao),
                               .is_revealed = true,
                               .salt = TL_STR("a-salt-of-sixteen"),
                               .committed_ms = now_ms(w),
                               .revealed_ms = now_ms(w)};
    ballot.evidence_root.b[0] = 1;
    ballot.score_root.b[0] = (uint8_t)(2 + which);
    ballot.weight_root.b[0] = (uint8_t)(3 + which);
    tl_race_roots roots = {
        .evidence = ballot.evidence_root, .score = ballot.score_root, .weight = ballot.weight_root};
    tl_race_roots_hash(&roots);
    ballot.hash = roots.hash;
    tl_race_commit(&ballot.commit, &ballot.hash, ballot.salt);
    return ballot;
}

static tl_bytes body_of(world *w, const char *text)
{
    char ss58[TL_SS58_CAP];
    tl_sb sb;
    tl_str out;
    (void)tl_ss58_encode(ss58, &w->peers[0].hotkey, SS58_PREFIX);
    tl_sb_init(&sb, w->arena);
    tl_sb_printf(&sb,
                 "{\"uids\":[10,11],\"weights\":[65535,%s],\"findings\":[],\"winners\":[],"
                 "\"held\":[{\"amount_rao\":5}],\"strikes\":[],\"scoreboard\":[{\"hotkey\":\"%s\","
                 "\"reward_rao\":90,\"places\":[1,2,0],\"listings\":7,\"score_millionths\":9}]}",
                 text, ss58);
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
    return tl_str_bytes(out);
}

static void commit_ballots(world *w, tl_str id, uint32_t round, const unsigned *which, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const tl_record_ballot ballot = ballot_of(w, i, which[i]);
        assert_int_equal(tl_records_commit_ballot(w->records, id, round, &ballot, NULL), TL_OK);
    }
}

static void reveal_ballots(world *w, tl_str id, uint32_t round, const unsigned *which,
                           const char *const *weights, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tl_record_ballot ballot = ballot_of(w, i, which[i]);
        ballot.body = body_of(w, weights[i]);
        assert_int_equal(tl_records_reveal_ballot(w->records, id, round, &ballot, NULL), TL_OK);
    }
}

/* From joining to the end of the evidence. */
static tl_record_epoch play_until_commits(world *w, tl_keeper *keeper, size_t validators)
{
    const int64_t start_ms = tl_schedule_slot(4 * HOUR_MS, now_ms(w));
    tl_record_epoch epoch = epoch_at(w, start_ms);
    join(w, epoch.id, validators);
    run_until(w, keeper, start_ms + 4 * HOUR_MS, HOUR_MS);
    reveal_secrets(w, epoch.id, validators);
    turn(keeper);
    give_evidence(w, epoch.id, validators);
    turn(keeper);
    epoch = epoch_at(w, start_ms);
    assert_int_equal(epoch.state, TL_EPOCH_SCORING);
    assert_true(epoch.evidence_closed_ms > 0);
    return epoch;
}

static const tl_json *result_of(world *w, tl_str id)
{
    tl_record_result result;
    const tl_json *json;
    assert_int_equal(tl_records_get_result(w->records, &result, id, w->arena, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&json, w->arena,
                                   (tl_str){(const char *)result.document.ptr, result.document.len},
                                   NULL, NULL),
                     TL_OK);
    return json;
}

static const char *word(world *w, const tl_json *object, const char *key)
{
    tl_str text;
    const char *out;
    assert_int_equal(tl_json_want_str(&text, object, key, NULL), TL_OK);
    assert_int_equal(tl_str_copy_cstr(&out, w->arena, text, NULL), TL_OK);
    return out;
}

/* --- tests --- */

static void the_slot_of_the_start_is_open_at_once_and_the_next_is_ready(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    const tl_keeper_roster *roster = tl_keeper_roster_get(keeper);
    const tl_keeper_live *live = tl_keeper_current(roster, now_ms(w));
    assert_non_null(live);
    assert_true(roster->is_leader);
    assert_int_equal(live->record.start_ms, NOON_MS);
    assert_in_range(live->zipcode_count, 20, 30);
    size_t honeypots = 0;
    for (size_t i = 0; i < live->zipcode_count; i++) {
        honeypots += live->zipcodes[i].is_honeypot;
    }
    assert_in_range(honeypots, 1, 3);
    assert_int_equal(tl_keeper_nonce_of(&live->record, now_ms(w)).len, 0); /* KEEP-4 */
    tl_keeper_roster_drop(keeper, roster);
    run_until(w, keeper, NOON_MS + 2 * HOUR_MS, HOUR_MS);
    assert_int_equal(epoch_at(w, NOON_MS + 4 * HOUR_MS).state, TL_EPOCH_PENDING);
    step_ms(w, 2 * HOUR_MS); /* the boundary, and no turn: the next one is served all the same */
    roster = tl_keeper_roster_get(keeper);
    live = tl_keeper_current(roster, now_ms(w));
    assert_int_equal(live->record.start_ms, NOON_MS + 4 * HOUR_MS);
    tl_keeper_roster_drop(keeper, roster);
    tl_keeper_free(keeper);
}

static void three_days_pass_and_no_zipcode_comes_twice_within_one(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    run_until(w, keeper, NOON_MS + 3 * TL_SCHEDULE_DAY_MS, 30 * 60000);
    for (int64_t slot = 0; slot < 18; slot++) {
        const tl_record_epoch epoch = epoch_at(w, NOON_MS + slot * 4 * HOUR_MS);
        assert_int_equal(epoch.state, slot < 17 ? TL_EPOCH_FAILED : TL_EPOCH_SCORING);
        if (slot < 17) { /* nobody voted: it is told */
            assert_string_equal(word(w, result_of(w, epoch.id), "status"), "NO_OTHER_VALIDATORS");
        }
    }
    for (int64_t slot = 0; slot < 13 * 5; slot++) {
        const int64_t first = slot / 5; /* and each of the five behind it: less than 24 hours */
        const tl_record_assignment *a;
        const tl_record_assignment *b;
        size_t a_count;
        size_t b_count;
        assert_int_equal(tl_records_assignments(w->records, &a, &a_count,
                                                epoch_at(w, NOON_MS + first * 4 * HOUR_MS).id,
                                                w->arena, NULL),
                         TL_OK);
        const int64_t other = first + 1 + slot % 5;
        assert_int_equal(tl_records_assignments(w->records, &b, &b_count,
                                                epoch_at(w, NOON_MS + other * 4 * HOUR_MS).id,
                                                w->arena, NULL),
                         TL_OK);
        for (size_t i = 0; i < a_count; i++) {
            for (size_t k = 0; k < b_count; k++) {
                assert_false(tl_str_eq(a[i].zipcode, b[k].zipcode));
            }
        }
    }
    tl_keeper_free(keeper);
}

/* The seed is what the header says, from values that were fixed before anybody could know it. */
static void a_seed_follows_from_the_beacon_and_a_committed_secret(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    run_until(w, keeper, NOON_MS + 11 * HOUR_MS, 10 * 60000);
    const tl_record_epoch first = epoch_at(w, NOON_MS);
    const tl_record_epoch second = epoch_at(w, NOON_MS + 4 * HOUR_MS);
    const tl_record_epoch third = epoch_at(w, NOON_MS + 8 * HOUR_MS);
    tl_hash32 hash;
    char hex[65];
    char text[512];
    tl_secret_commit(&hash, second.draw_secret);
    tl_hex_write(hex, hash.b, sizeof hash.b);
    assert_true(tl_str_eq_cstr(second.draw_commit, hex));
    const size_t len = tl_str_print(text, sizeof text, "tally-selection/1\n%.*s\n%.*s\n%.*s",
                                    TL_STR_ARG(first.beacon), TL_STR_ARG(third.id),
                                    TL_STR_ARG(second.draw_secret));
    assert_int_equal(first.beacon.len, TL_BEACON_LEN);
    tl_sha256(&hash, text, len);
    tl_hex_write(hex, hash.b, sizeof hash.b);
    assert_true(tl_str_eq_cstr(third.selection_seed, hex));
    tl_keeper_free(keeper);
}

static void agreement_is_published_with_its_standings(void **state)
{
    world *w = *state;
    static const unsigned same[VALIDATORS] = {0, 0, 0};
    /* The third one lies in what its hash does not bind: it is outvoted there too. */
    static const char *const weights[VALIDATORS] = {"1", "1", "9"};
    const tl_record_leader *leaders;
    size_t count;
    tl_keeper *keeper = open_keeper(w, "one");
    const tl_record_epoch epoch = play_until_commits(w, keeper, VALIDATORS);
    commit_ballots(w, epoch.id, 0, same, VALIDATORS);
    turn(keeper);
    reveal_ballots(w, epoch.id, 0, same, weights, VALIDATORS);
    turn(keeper);
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_SETTLED);
    const tl_json *result = result_of(w, epoch.id);
    assert_string_equal(word(w, result, "status"), "PERFECT_CONSENSUS");
    const tl_json *told = tl_json_get(result, "weights");
    assert_int_equal(told->count, 2);
    assert_true(tl_str_eq_cstr(told->items[1].text, "1"));
    assert_int_equal(tl_json_get(result, "outliers")->count, 0);
    assert_int_equal(tl_records_leaderboard(w->records, &leaders, &count, NULL, 10, w->arena, NULL),
                     TL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(leaders[0].wins, 3);
    assert_int_equal(tl_rao_to_i64(leaders[0].paid), 90);
    assert_int_equal(leaders[0].uid, 10);
    tl_keeper_free(keeper);
}

static void what_an_epoch_leaves_is_fixed_for_the_next(void **state)
{
    world *w = *state;
    static const unsigned which[VALIDATORS] = {0, 0, 1};
    static const char *const weights[VALIDATORS] = {"1", "1", "1"};
    char name[TL_KEEPER_NAME_CAP];
    tl_bytes text;
    const tl_json *carry;
    tl_keeper *keeper = open_keeper(w, "one");
    w->peers[2].member.stake_rao = 1000000; /* a small one, off the majority */
    tl_record_epoch epoch = play_until_commits(w, keeper, VALIDATORS);
    commit_ballots(w, epoch.id, 0, which, VALIDATORS);
    turn(keeper);
    reveal_ballots(w, epoch.id, 0, which, weights, VALIDATORS);
    turn(keeper);
    const tl_json *result = result_of(w, epoch.id);
    assert_string_equal(word(w, result, "status"), "MAJORITY_CONSENSUS");
    assert_int_equal(tl_json_get(result, "outliers")->count, 1);
    assert_string_equal(word(w, &tl_json_get(result, "outliers")->items[0], "section"), "score");
    const tl_record_epoch next = play_until_commits(w, keeper, 1);
    tl_keeper_value_name(name, "carry", next.id);
    assert_int_equal(
        tl_records_get_value(w->records, &text, tl_str_from_cstr(name), w->arena, NULL), TL_OK);
    assert_int_equal(
        tl_json_parse(&carry, w->arena, (tl_str){(const char *)text.ptr, text.len}, NULL, NULL),
        TL_OK);
    assert_int_equal(tl_keeper_streak(carry, &w->peers[2].hotkey), 1);
    assert_int_equal(tl_keeper_streak(carry, &w->peers[0].hotkey), 0);
    assert_int_equal(tl_json_get(carry, "held")->count, 1);
    tl_keeper_free(keeper);
}

static void disagreement_is_voted_on_once_more_and_then_by_median(void **state)
{
    world *w = *state;
    static const unsigned which[VALIDATORS] = {0, 1, 2};
    static const char *const weights[VALIDATORS] = {"100", "300", "65535"};
    tl_keeper *keeper = open_keeper(w, "one");
    tl_record_epoch epoch = play_until_commits(w, keeper, VALIDATORS);
    for (uint32_t round = 0; round < 2; round++) {
        commit_ballots(w, epoch.id, round, which, VALIDATORS);
        turn(keeper);
        reveal_ballots(w, epoch.id, round, which, weights, VALIDATORS);
        turn(keeper);
        epoch = epoch_at(w, NOON_MS);
        assert_int_equal(epoch.round, 1);
    }
    assert_int_equal(epoch.state, TL_EPOCH_SETTLED);
    const tl_json *result = result_of(w, epoch.id);
    assert_string_equal(word(w, result, "status"), "MEDIAN_WEIGHTS");
    assert_true(tl_str_eq_cstr(tl_json_get(result, "weights")->items[1].text, "300"));
    assert_int_equal(tl_json_get(result, "scoreboard")->count, 0);
    tl_keeper_free(keeper);
}

/* Who gave no evidence may vote, but nobody's turn ends with that vote. */
static void a_vote_without_evidence_shuts_nobody_out(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    const tl_record_epoch epoch = play_until_commits(w, keeper, 2);
    const tl_record_ballot stranger = ballot_of(w, 2, 1);
    assert_int_equal(tl_records_commit_ballot(w->records, epoch.id, 0, &stranger, NULL), TL_OK);
    static const unsigned same[2] = {0, 0};
    commit_ballots(w, epoch.id, 0, same, 1);
    turn(keeper);
    assert_int_equal(epoch_at(w, NOON_MS).commits_closed_ms, 0);
    commit_ballots(w, epoch.id, 0, same, 2); /* the slower one, in time */
    turn(keeper);
    assert_true(epoch_at(w, NOON_MS).commits_closed_ms > 0);
    tl_keeper_free(keeper);
}

static void one_validator_alone_settles_nothing(void **state)
{
    world *w = *state;
    static const unsigned same[1] = {0};
    static const char *const weights[1] = {"1"};
    tl_keeper *keeper = open_keeper(w, "one");
    tl_record_epoch epoch = play_until_commits(w, keeper, 1);
    for (uint32_t round = 0; round < 2; round++) {
        commit_ballots(w, epoch.id, round, same, 1);
        turn(keeper);
        reveal_ballots(w, epoch.id, round, same, weights, 1);
        turn(keeper);
    }
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_FAILED);
    const tl_json *result = result_of(w, epoch.id);
    assert_string_equal(word(w, result, "status"), "NO_OTHER_VALIDATORS");
    assert_int_equal(tl_json_get(result, "weights")->count, 0);
    tl_keeper_free(keeper);
}

static void of_two_keepers_one_leads_and_the_other_takes_over(void **state)
{
    world *w = *state;
    tl_keeper *one = open_keeper(w, "one");
    tl_keeper *two = open_keeper(w, "two");
    const tl_keeper_roster *roster = tl_keeper_roster_get(two);
    assert_false(roster->is_leader);
    assert_non_null(tl_keeper_current(roster, now_ms(w))); /* a follower serves too */
    tl_keeper_roster_drop(two, roster);
    step_ms(w, TL_KEEPER_LEASE_MS / 2);
    turn(two); /* the first is silent, but its lease holds */
    roster = tl_keeper_roster_get(two);
    assert_false(roster->is_leader);
    tl_keeper_roster_drop(two, roster);
    step_ms(w, TL_KEEPER_LEASE_MS);
    turn(two);
    roster = tl_keeper_roster_get(two);
    assert_true(roster->is_leader);
    tl_keeper_roster_drop(two, roster);
    turn(one); /* KEEP-1: it wakes, and is none any more */
    roster = tl_keeper_roster_get(one);
    assert_false(roster->is_leader);
    tl_keeper_roster_drop(one, roster);
    run_until(w, two, NOON_MS + 5 * HOUR_MS, HOUR_MS);
    turn(one);
    assert_int_equal(epoch_at(w, NOON_MS + 4 * HOUR_MS).state, TL_EPOCH_OPEN);
    tl_keeper_free(two); /* gives the lease back: no waiting */
    turn(one);
    roster = tl_keeper_roster_get(one);
    assert_true(roster->is_leader);
    tl_keeper_roster_drop(one, roster);
    tl_keeper_free(one);
}

static void after_an_outage_the_open_epoch_is_finished_with_its_whole_windows(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    const tl_record_epoch open = epoch_at(w, NOON_MS);
    join(w, open.id, VALIDATORS);
    run_until(w, keeper, NOON_MS + 3 * HOUR_MS, HOUR_MS);
    tl_keeper_free(keeper);
    step_ms(w, 15 * HOUR_MS); /* from 15:00 to 06:00 */
    keeper = open_keeper(w, "one");
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_REVEAL);
    assert_int_equal(epoch_at(w, NOON_MS + 4 * HOUR_MS).state, TL_EPOCH_FAILED); /* was prepared */
    assert_int_equal(epoch_at(w, NOON_MS + 8 * HOUR_MS).state, TL_EPOCH_FAILED); /* never was */
    assert_int_equal(epoch_at(w, NOON_MS + 12 * HOUR_MS).state, TL_EPOCH_FAILED);
    assert_int_equal(epoch_at(w, NOON_MS + 16 * HOUR_MS).state, TL_EPOCH_OPEN);
    reveal_secrets(w, open.id, VALIDATORS);
    turn(keeper);
    give_evidence(w, open.id, VALIDATORS - 1);
    step_ms(w, 40 * 60000); /* within N / 4 of the return */
    turn(keeper);
    assert_int_equal(epoch_at(w, NOON_MS).evidence_closed_ms, 0);
    step_ms(w, 30 * 60000);
    turn(keeper);
    assert_true(epoch_at(w, NOON_MS).evidence_closed_ms > 0);
    /* who gave none stands in the list all the same, with the stake that its absence counts for */
    const tl_record_evidence *listed = NULL;
    size_t count = 0;
    assert_int_equal(
        tl_records_evidence(w->records, &listed, &count, open.id, 0, true, w->arena, NULL), TL_OK);
    assert_int_equal(count, VALIDATORS);
    const tl_record_evidence *absent = &listed[VALIDATORS - 1];
    assert_true(tl_hotkey_eq(&absent->hotkey, &w->peers[VALIDATORS - 1].hotkey));
    assert_int_equal(tl_rao_to_i64(absent->stake), w->peers[VALIDATORS - 1].member.stake_rao);
    assert_true(tl_str_eq_cstr((tl_str){(const char *)absent->body.ptr, absent->body.len}, "null"));
    assert_true(absent->received_ms == 0 && listed[0].received_ms > 0);
    tl_keeper_free(keeper);
}

static void a_report_in_flight_holds_the_beacon(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    tl_keeper_enter(keeper, NOON_MS);
    tl_keeper_enter(keeper, NOON_MS);
    tl_keeper_leave(keeper, NOON_MS);
    run_until(w, keeper, NOON_MS + 4 * HOUR_MS, HOUR_MS);
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_REVEAL);
    tl_keeper_leave(keeper, NOON_MS);
    turn(keeper);
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_SCORING);
    tl_keeper_free(keeper);
}

/* KEEP-2: judging fails in the middle, after its marks are set: nothing of it is there, and it is given again. */
static void an_act_that_fails_leaves_nothing_and_is_given_again(void **state)
{
    world *w = *state;
    static const unsigned same[VALIDATORS] = {0, 0, 0};
    static const char *const weights[VALIDATORS] = {"1", "1", "1"};
    char name[TL_KEEPER_NAME_CAP];
    tl_bytes carry;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_keeper *keeper = open_keeper(w, "one");
    tl_record_epoch epoch = play_until_commits(w, keeper, VALIDATORS);
    commit_ballots(w, epoch.id, 0, same, VALIDATORS);
    turn(keeper);
    reveal_ballots(w, epoch.id, 0, same, weights, VALIDATORS);
    tl_keeper_value_name(name, "carry", epoch.id);
    const tl_str key = tl_str_from_cstr(name);
    assert_int_equal(tl_records_get_value(w->records, &carry, key, w->arena, NULL), TL_OK);
    assert_int_equal(tl_records_put_value(w->records, key, tl_str_bytes(TL_STR("{")), NULL, NULL),
                     TL_OK);
    assert_int_equal(tl_keeper_turn(keeper, NULL, &ctx), TL_ERR_SYNTAX);
    assert_non_null(strstr(ctx.message, "judge 2025-"));
    epoch = epoch_at(w, NOON_MS);
    assert_int_equal(epoch.state, TL_EPOCH_SCORING);
    assert_int_equal(epoch.results_closed_ms, 0);
    assert_int_equal(tl_records_put_value(w->records, key, carry, NULL, NULL), TL_OK);
    turn(keeper);
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_SETTLED);
    tl_keeper_free(keeper);
}

/* KEEP-3 */
static void a_roster_stays_as_it_was_while_it_is_held(void **state)
{
    world *w = *state;
    tl_keeper *keeper = open_keeper(w, "one");
    const tl_keeper_roster *held = tl_keeper_roster_get(keeper);
    const tl_keeper_live *live = tl_keeper_current(held, now_ms(w));
    run_until(w, keeper, NOON_MS + 9 * HOUR_MS, HOUR_MS);
    const tl_keeper_roster *newest = tl_keeper_roster_get(keeper);
    assert_ptr_not_equal(newest, held);
    assert_int_equal(live->record.state, TL_EPOCH_OPEN);
    assert_int_equal(live->record.start_ms, NOON_MS);
    assert_in_range(live->zipcode_count, 20, 30);
    assert_null(tl_keeper_live_of(newest, live->record.id));
    tl_keeper_roster_drop(keeper, held);
    tl_keeper_roster_drop(keeper, newest);
    tl_keeper_free(keeper);
}

static void old_epochs_are_archived(void **state)
{
    world *w = *state;
    w->settings.keep_ms = TL_SCHEDULE_DAY_MS;
    tl_keeper *keeper = open_keeper(w, "one");
    run_until(w, keeper, NOON_MS + 2 * TL_SCHEDULE_DAY_MS, HOUR_MS);
    assert_int_equal(epoch_at(w, NOON_MS).state, TL_EPOCH_ARCHIVED);
    assert_int_equal(epoch_at(w, NOON_MS + 36 * HOUR_MS).state, TL_EPOCH_FAILED);
    tl_keeper_free(keeper);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_slot_of_the_start_is_open_at_once_and_the_next_is_ready),
        TEST(three_days_pass_and_no_zipcode_comes_twice_within_one),
        TEST(a_seed_follows_from_the_beacon_and_a_committed_secret),
        TEST(agreement_is_published_with_its_standings),
        TEST(what_an_epoch_leaves_is_fixed_for_the_next),
        TEST(disagreement_is_voted_on_once_more_and_then_by_median),
        TEST(a_vote_without_evidence_shuts_nobody_out),
        TEST(one_validator_alone_settles_nothing),
        TEST(of_two_keepers_one_leads_and_the_other_takes_over),
        TEST(after_an_outage_the_open_epoch_is_finished_with_its_whole_windows),
        TEST(a_report_in_flight_holds_the_beacon),
        TEST(an_act_that_fails_leaves_nothing_and_is_given_again),
        TEST(a_roster_stays_as_it_was_while_it_is_held),
        TEST(old_epochs_are_archived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
