/* An epoch of the listings network as a bundle. Attacked: every digit of a published file; results that say another winner,
 * another reward, another hash, packed well; lists out of order; ballots of strangers, ballots that agree on a false hash;
 * beacons and honeypots that were not promised; paying twice, and releasing what was never held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/race/test/race_world.h"
#include "core/subnet/listings/test/listings_world.h"

static const tl_subnet *const subnets[] = {&tl_subnet_listings};

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

static tl_str publish(tl_listings_result *result, tl_arena *arena, const tl_listings_epoch *epoch)
{
    tl_str file = {NULL, 0};
    tl_hash32 digest;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_listings_publish(&file, &digest, result, arena, epoch, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return file;
}

static tl_bundle_report verify(tl_arena *arena, tl_str file)
{
    tl_bundle bundle = {0};
    tl_bundle_report report = {0};
    assert_int_equal(tl_bundle_read(&bundle, arena, file, NULL), TL_OK);
    assert_int_equal(tl_bundle_verify(&report, arena, &bundle, subnets, 1, NULL), TL_OK);
    return report;
}

static void a_published_epoch_verifies(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_result r = {0};
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    const tl_str file = publish(&r, arena, &epoch);
    assert_int_equal(r.state, TL_EPOCH_SETTLED);
    assert_int_equal(r.verdict.status, TL_RACE_PERFECT_CONSENSUS);
    assert_true(r.matches_replay && r.has_right_beacon && r.has_right_honeypots);
    const tl_bundle_report report = verify(arena, file);
    if (!report.is_ok) {
        fail_msg("%s: %s; %.*s", report.replay.field, report.replay.message,
                 report.differ_count > 0 ? (int)report.differs[0].len : 0,
                 report.differ_count > 0 ? report.differs[0].ptr : "");
    }
    /* lists in another order are the same epoch: the same bytes */
    tl_race_sheet *sheets = TL_NEW(arena, tl_race_sheet, epoch.race.sheet_count);
    assert_non_null(sheets);
    for (size_t i = 0; i < epoch.race.sheet_count; i++) {
        sheets[i] = epoch.race.sheets[epoch.race.sheet_count - 1 - i];
    }
    epoch.race.sheets = sheets;
    assert_true(tl_str_eq(publish(NULL, arena, &epoch), file));
    tl_arena_free(arena);
}

/* The file of this epoch as it was once published: whoever changes a rule sees it here. */
static void the_published_example_is_this_epoch(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    (void)epoch_of_ten(&epoch, arena);
    const tl_str file = publish(NULL, arena, &epoch);
    FILE *f = fopen(TL_SOURCE_ROOT "/tests/e2e/listings/" WORLD_EPOCH ".bundle", "rb");
    assert_non_null(f);
    char *bytes = TL_NEW(arena, char, file.len + 1);
    assert_non_null(bytes);
    const size_t len = fread(bytes, 1, file.len + 1, f);
    (void)fclose(f);
    assert_true(tl_str_eq(file, (tl_str){bytes, len}));
    tl_arena_free(arena);
}

/* A copy of a text with the first `from` replaced. */
static tl_str replaced(tl_arena *arena, tl_str text, const char *from, const char *to)
{
    const size_t len = strlen(from);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.ptr + i, from, len) == 0) {
            tl_sb sb;
            tl_str out = {NULL, 0};
            tl_sb_init(&sb, arena);
            tl_sb_put(&sb, tl_str_slice(text, 0, i));
            tl_sb_put_cstr(&sb, to);
            tl_sb_put(&sb, tl_str_slice(text, i + len, text.len));
            assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
            return out;
        }
    }
    fail_msg("\"%s\" is not in the text", from);
    return text;
}

/* The file again with another text in one section, digests all right. */
static tl_str repacked(tl_arena *arena, tl_str file, const char *from, const char *to)
{
    tl_bundle bundle = {0};
    tl_str json = {NULL, 0};
    tl_str out = {NULL, 0};
    tl_hash32 digest;
    assert_int_equal(tl_bundle_read(&bundle, arena, file, NULL), TL_OK);
    assert_int_equal(tl_bundle_export(&json, arena, &bundle, NULL), TL_OK);
    assert_int_equal(tl_bundle_pack(&out, &digest, arena, replaced(arena, json, from, to), NULL),
                     TL_OK);
    return out;
}

static void a_false_result_is_found_where_it_stands(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    const tl_str file = publish(NULL, arena, &epoch);
    static const struct {
        const char *from;
        const char *to;
        const char *differs;
    } lies[] = {
        {"\"place\":1", "\"place\":2", "results.winners[0].winners[0].place"},
        {"\"state\":\"settled\"", "\"state\":\"failed\"", "results.state"},
        {"\"strikes\":0,\"submissions\":7", "\"strikes\":0,\"submissions\":8",
         "results.scoreboard[0].submissions"},
        {"\"matches_replay\":true", "\"matches_replay\":false", "results.agreement.matches_replay"},
        {"\"checks\":{\"beacon\":true", "\"checks\":{\"beacon\":false", "results.checks.beacon"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const tl_bundle_report report =
            verify(arena, repacked(arena, file, lies[i].from, lies[i].to));
        assert_false(report.is_ok);
        assert_int_equal(report.differ_count, 1);
        assert_true(tl_str_eq_cstr(report.differs[0], lies[i].differs));
    }
    /* what was recorded changed: the results no longer follow from it */
    const tl_bundle_report report =
        verify(arena, repacked(arena, file, "\"passes_tier1\":true", "\"passes_tier1\":false"));
    assert_false(report.is_ok);
    assert_true(report.differ_count > 1);
    tl_arena_free(arena);
}

/* LROAD-1, BUN-2: no digit of a file changes unnoticed. */
static void no_byte_changes_unnoticed(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    const tl_str file = publish(NULL, arena, &epoch);
    char *bytes = TL_NEW(arena, char, file.len);
    assert_non_null(bytes);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    for (size_t i = 0; i < file.len; i += 997) {
        memcpy(bytes, file.ptr, file.len);
        bytes[i] = (char)(bytes[i] ^ 1);
        tl_bundle bundle = {0};
        tl_bundle_report report = {0};
        if (tl_bundle_read(&bundle, arena, (tl_str){bytes, file.len}, NULL) == TL_OK) {
            assert_int_equal(tl_bundle_verify(&report, arena, &bundle, subnets, 1, NULL), TL_OK);
            assert_false(report.is_ok);
        }
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

/* LROAD-1 */
static void what_is_not_in_its_one_form_is_refused(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    const tl_str file = publish(NULL, arena, &epoch);
    static const struct {
        const char *from;
        const char *to;
        tl_err err;
    } cases[] = {
        {"\"strikes\":[]", "\"strikes\":[],\"stripes\":[]", TL_ERR_CANONICAL},
        {"\"zipcodes\":[{\"expected\":100,\"is_honeypot\":false,\"zipcode\":\"98101\"}",
         "\"zipcodes\":[{\"expected\":100,\"is_honeypot\":false,\"zipcode\":\"98109\"}",
         TL_ERR_CANONICAL},
        {"\"round\":1,\"start_ms\"", "\"round\":3,\"start_ms\"", TL_ERR_RANGE},
        {"\"nonce\":\"01", "\"nonce\":\"0X", TL_ERR_SYNTAX},
        {"\"epoch_id\":\"2025-10-03T04-00-00\",\"held\"",
         "\"epoch_id\":\"2025-10-03T08-00-00\",\"held\"", TL_ERR_RANGE},
        {"\"subnet_version\":1", "\"subnet_version\":2", TL_ERR_VERSION},
        {"\"sample_max\":10", "\"sample_max\":16", TL_ERR_RANGE},
        {"\"sample_max\":10,", "", TL_ERR_CANONICAL},
        {"\"stake_rao\":1000}", "\"stake_rao\":-1}", TL_ERR_RANGE},
        {"\"verdicts\":\"PPP", "\"verdicts\":\"PPX", TL_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tl_bundle_report report =
            verify(arena, repacked(arena, file, cases[i].from, cases[i].to));
        if (report.replay.code != cases[i].err) {
            fail_msg("case %zu: %s %s: %s", i, tl_err_name(report.replay.code), report.replay.field,
                     report.replay.message);
        }
        assert_false(report.is_ok);
    }
    tl_arena_free(arena);
}

/* --- agreement --- */

/* LROAD-2 */
static void nothing_is_paid_on_a_hash_that_the_replay_does_not_find(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    tl_listings_ballot ballots[3];
    for (size_t v = 0; v < 3; v++) {
        ballots[v] = epoch.ballots[v];
        ballots[v].ballot.roots.hash.b[0] ^= 1;
    }
    epoch.ballots = ballots;
    tl_listings_result r = {0};
    tl_ledger *ledger = NULL;
    assert_int_equal(tl_ledger_new(&ledger, arena, NULL, NULL), TL_OK);
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_int_equal(r.verdict.status, TL_RACE_PERFECT_CONSENSUS);
    assert_false(r.matches_replay);
    assert_int_equal(r.state, TL_EPOCH_EXTENDED);
    assert_int_equal(tl_listings_pay(ledger, &r, 1, arena, NULL), TL_OK);
    assert_true(tl_ledger_count(ledger) == 0);
    epoch.round = 2;
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_int_equal(r.state, TL_EPOCH_FAILED);
    epoch.ballot_count = 0;
    epoch.round = 1;
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_int_equal(r.verdict.status, TL_RACE_NO_OTHER_VALIDATORS);
    assert_int_equal(r.state, TL_EPOCH_EXTENDED);
    tl_arena_free(arena);
}

static void the_second_round_pays_by_the_median(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    const tl_race_weight low[] = {{{{0}}, 100}, {world_key(1), 50}};
    const tl_race_weight high[] = {{world_key(2), 65535}, {world_key(1), 50}};
    tl_listings_ballot ballots[3];
    for (size_t v = 0; v < 3; v++) {
        ballots[v] = epoch.ballots[v];
        ballots[v].ballot.roots.score.b[0] = (uint8_t)v;
        tl_race_roots_hash(&ballots[v].ballot.roots);
        ballots[v].weights = v == 0 ? high : low;
        ballots[v].weight_count = 2;
    }
    epoch.ballots = ballots;
    epoch.round = 2;
    tl_listings_result r = {0};
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_int_equal(r.verdict.status, TL_RACE_MEDIAN_WEIGHTS);
    assert_true(r.verdict.needs_review);
    assert_int_equal(r.state, TL_EPOCH_SETTLED);
    /* medians 100 for the burn, 50 for the first miner, 0 for the second; scaled to 65,535 and 32,768 */
    const int64_t floor =
        INT64_C(1000000000000) * 32768 / 98303; /* one rao more: the larger rest */
    assert_in_range(world_reward(&r.race, 0), floor, floor + 1);
    assert_true(world_reward(&r.race, 1) == 0);
    tl_arena_free(arena);
}

/* A vote counts once; a stranger's counts nothing, and stops nobody. */
static void a_strangers_ballot_is_nobodys(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    tl_listings_ballot ballots[2] = {epoch.ballots[0], epoch.ballots[0]};
    tl_str file = {NULL, 0};
    tl_hash32 digest;
    epoch.ballots = ballots;
    epoch.ballot_count = 2;
    assert_int_equal(tl_listings_publish(&file, &digest, NULL, arena, &epoch, NULL),
                     TL_ERR_DUPLICATE);
    ballots[1].ballot.hotkey = world_key(250);
    tl_listings_result r = {0};
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_int_equal(r.verdict.result_count, 1);
    assert_int_equal(r.epoch.ballot_count, 1);
    tl_arena_free(arena);
}

static void broken_promises_are_told(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_listings_epoch epoch = {0};
    epoch_of_ten(&epoch, arena);
    tl_listings_result r = {0};
    epoch.contribution_count = 1; /* one secret was left out of the beacon */
    assert_true(verify(arena, publish(&r, arena, &epoch)).is_ok);
    assert_false(r.has_right_beacon);
    assert_true(r.has_right_honeypots);
    tl_race_zipcode zipcodes[WORLD_ZIPCODES_MAX];
    memcpy(zipcodes, epoch.race.zipcodes, epoch.race.zipcode_count * sizeof *zipcodes);
    for (size_t i = 0; i < epoch.race.zipcode_count; i++) {
        zipcodes[i].is_honeypot = false;
    }
    epoch.race.zipcodes = zipcodes;
    (void)publish(&r, arena, &epoch);
    assert_false(r.has_right_honeypots);
    tl_arena_free(arena);
}

/* --- money --- */

static int64_t balance(const tl_ledger *ledger, tl_account_kind kind)
{
    return tl_rao_to_i64(tl_ledger_balance(ledger, tl_account_of(kind), TL_STR("")));
}

static int64_t balance_of(const tl_ledger *ledger, unsigned m)
{
    const tl_hotkey key = world_key(m + 1);
    return tl_rao_to_i64(
        tl_ledger_balance(ledger, tl_account_of_hotkey(TL_ACCOUNT_MINER, &key), TL_STR("")));
}

/* LROAD-3: held in one epoch, released in the next, paid once. */
static void what_is_posted_is_what_was_won(void **state)
{
    (void)state;
    tl_arena *arena = new_arena();
    tl_ledger *ledger = NULL;
    assert_int_equal(tl_ledger_new(&ledger, arena, NULL, NULL), TL_OK);
    tl_listings_epoch epoch = {0};
    world *w = epoch_of_ten(&epoch, arena);
    for (size_t v = 0; v < 3; v++) {
        for (unsigned z = 0; z < 7; z++) {
            world_say(w, v, 0, z, "NNNNNNNNNNNNNNN");
        }
    }
    agree_on(&epoch, arena);
    tl_listings_result r = {0};
    (void)publish(&r, arena, &epoch);
    assert_int_equal(r.state, TL_EPOCH_SETTLED);
    assert_int_equal(r.race.held_count, 1);
    const int64_t held = tl_rao_to_i64(r.race.held[0].amount);
    tl_arena *scratch = new_arena();
    assert_int_equal(tl_listings_pay(ledger, &r, 7, scratch, NULL), TL_OK);
    assert_true(tl_rao_to_i64(tl_ledger_issuance(ledger)) == INT64_C(1000000000000));
    assert_true(balance(ledger, TL_ACCOUNT_CARRY) == held && held > 0);
    assert_true(balance_of(ledger, 0) == 0);
    for (unsigned m = 0; m < 10; m++) {
        assert_true(balance_of(ledger, m) == world_reward(&r.race, m));
    }
    assert_true(balance(ledger, TL_ACCOUNT_BURN) == tl_rao_to_i64(r.race.burn));
    assert_int_equal(tl_listings_pay(ledger, &r, 8, scratch, NULL), TL_ERR_STATE);
    const tl_race_held due[] = {r.race.held[0]};
    next_epoch(&epoch, w, due, 1);
    agree_on(&epoch, arena);
    tl_listings_result next = {0};
    (void)publish(&next, arena, &epoch);
    tl_ledger *other = NULL;
    assert_int_equal(tl_ledger_new(&other, arena, NULL, NULL), TL_OK);
    assert_int_equal(tl_listings_pay(other, &next, 9, scratch, NULL), TL_ERR_FUNDS);
    assert_true(tl_ledger_count(other) == 0); /* nothing half done */
    assert_int_equal(tl_listings_pay(ledger, &next, 9, scratch, NULL), TL_OK);
    assert_true(balance(ledger, TL_ACCOUNT_CARRY) == tl_rao_to_i64(next.race.held[0].amount));
    assert_true(balance_of(ledger, 0) == held);
    tl_ledger_report report = {0};
    assert_int_equal(tl_ledger_verify(&report, ledger, scratch, NULL), TL_OK);
    assert_true(report.is_balanced);
    tl_arena_free(scratch);
    tl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_epoch_verifies),
        cmocka_unit_test(the_published_example_is_this_epoch),
        cmocka_unit_test(a_false_result_is_found_where_it_stands),
        cmocka_unit_test(no_byte_changes_unnoticed),
        cmocka_unit_test(what_is_not_in_its_one_form_is_refused),
        cmocka_unit_test(nothing_is_paid_on_a_hash_that_the_replay_does_not_find),
        cmocka_unit_test(the_second_round_pays_by_the_median),
        cmocka_unit_test(a_strangers_ballot_is_nobodys),
        cmocka_unit_test(broken_promises_are_told),
        cmocka_unit_test(what_is_posted_is_what_was_won),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
