/* Attacks the copy detectors: noise, lags, holes, equal heights, and honest strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/num/rng/rng.h"
#include "core/subnet/portfolio/copies.h"

enum { DAYS = 300, PEERS = 3 };

typedef struct fixture {
    tl_arena *arena;
    tl_day days[DAYS];
    tl__prices prices;
    tl_submission submissions[PEERS];
    tl_position positions[PEERS][5];
    tl_portfolio portfolios[PEERS];
    double active[PEERS][DAYS];
    uint32_t day[PEERS][DAYS];
    tl__peer peers[PEERS];
} fixture;

static const tl_str names[10] = {{"A", 1}, {"B", 1}, {"C", 1}, {"D", 1}, {"E", 1},
                                 {"F", 1}, {"G", 1}, {"H", 1}, {"I", 1}, {"J", 1}};

/* Peer i commits at height i, holds five tickers of its own, and has `count` independent random days. */
static void set_up(fixture *f, size_t count)
{
    *f = (fixture){0};
    assert_int_equal(tl_arena_new(&f->arena, NULL, 0, NULL, NULL), TL_OK);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 42);
    for (size_t d = 0; d < DAYS; d++) {
        f->days[d] = (tl_day)d;
    }
    f->prices =
        (tl__prices){.days = f->days, .day_count = DAYS, .tickers = names, .ticker_count = 10};
    for (size_t i = 0; i < PEERS; i++) {
        f->submissions[i] = (tl_submission){.commit_height = i, .hotkey = {{(uint8_t)(i + 1)}}};
        for (size_t k = 0; k < 5; k++) {
            f->positions[i][k] = (tl_position){names[i + k + (i > 1 ? 3 : 0)], 200000};
        }
        f->portfolios[i] = (tl_portfolio){f->positions[i], 5};
        for (size_t d = 0; d < count; d++) {
            f->active[i][d] = (tl_xoshiro_unit(&rng) - 0.5) * 0.02;
            f->day[i][d] = (uint32_t)d;
        }
        f->peers[i] =
            (tl__peer){.submission = &f->submissions[i],
                       .portfolio = &f->portfolios[i],
                       .record = {.count = count, .returns = f->active[i], .day = f->day[i]},
                       .active = f->active[i]};
    }
}

static const tl_flag *flag_of(const tl__peer *peer, tl_portfolio_rule rule)
{
    for (size_t i = 0; i < peer->flag_count; i++) {
        if (peer->flags[i].rule == (uint32_t)rule) {
            return &peer->flags[i];
        }
    }
    return NULL;
}

/* The flag that must be there. */
static tl_flag expect_flag(const tl__peer *peer, tl_portfolio_rule rule)
{
    const tl_flag *flag = flag_of(peer, rule);
    if (flag == NULL) {
        fail_msg("no flag %s", tl_portfolio_rule_name(rule));
        return (tl_flag){0};
    }
    return *flag;
}

static void find(fixture *f)
{
    for (size_t i = 0; i < PEERS; i++) {
        f->peers[i].flag_count = 0;
    }
    assert_int_equal(tl__copies_find(f->peers, PEERS, &f->prices, f->arena, NULL), TL_OK);
}

static void strangers_are_left_alone(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 200);
    find(&f);
    for (size_t i = 0; i < PEERS; i++) {
        assert_int_equal(f.peers[i].flag_count, 0);
    }
    tl_arena_free(f.arena);
}

static void a_copy_with_noise_pays_and_the_original_does_not(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 200);
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 1);
    for (size_t d = 0; d < 200; d++) {
        f.active[2][d] = f.active[0][d] + (tl_xoshiro_unit(&rng) - 0.5) * 0.004;
    }
    find(&f);
    const tl_flag flag = expect_flag(&f.peers[2], TL_RULE_CORRELATION);
    assert_true(flag.value > 0.9 && flag.factor < 0.34 && flag.peer.b[0] == 1 && flag.days == 200);
    assert_int_equal(f.peers[0].flag_count, 0);
    tl_arena_free(f.arena);
}

static void a_lagged_copy_is_found_at_its_lag_only(void **state)
{
    (void)state;
    for (uint32_t lag = 1; lag <= 6; lag++) {
        fixture f;
        set_up(&f, 200);
        for (size_t d = lag; d < 200; d++) {
            f.active[1][d] = f.active[0][d - lag];
        }
        find(&f);
        const tl_flag *flag = flag_of(&f.peers[1], TL_RULE_LAG_COPY);
        assert_int_equal(flag != NULL, lag <= 5);
        assert_true(flag == NULL || (flag->factor == 0.5 && flag->days == 200 - lag));
        assert_null(flag_of(&f.peers[1], TL_RULE_CORRELATION));
        assert_null(flag_of(&f.peers[0], TL_RULE_LAG_COPY)); /* whoever is copied does not lag */
        tl_arena_free(f.arena);
    }
}

static void records_with_holes_give_what_whole_ones_give(void **state)
{
    (void)state; /* the pairwise path beside the unit vectors */
    fixture f;
    set_up(&f, 200);
    for (size_t d = 0; d < 200; d++) {
        f.active[1][d] = f.active[0][d] * (d % 2 == 0 ? 1.0 : 0.8);
    }
    find(&f);
    const double whole = expect_flag(&f.peers[1], TL_RULE_CORRELATION).value;
    f.peers[1].record.count = 150; /* the same days at the front, fifty fewer */
    find(&f);
    const tl_flag flag = expect_flag(&f.peers[1], TL_RULE_CORRELATION);
    assert_int_equal(flag.days, 150);
    assert_true(flag.value > whole - 0.02 && flag.value < whole + 0.02);
    for (size_t d = 0; d < 200; d++) {
        f.day[0][d] = (uint32_t)d;
        f.day[1][d] = (uint32_t)(d < 100 ? d : d + 50); /* a hole in the suspect's record */
    }
    f.peers[1].record.count = 200;
    find(&f);
    assert_int_equal(flag_of(&f.peers[1], TL_RULE_CORRELATION) != NULL,
                     false); /* the second half no longer fits */
    tl_arena_free(f.arena);
}

static void the_evidence_names_the_common_days(void **state)
{
    (void)state;
    for (uint32_t lag = 0; lag <= 3; lag += 3) {
        fixture f;
        set_up(&f, 200);
        f.peers[0].record.count = 150; /* days 40 to 189 of the suspect's 0 to 199 */
        for (uint32_t d = 0; d < 150; d++) {
            f.day[0][d] = d + 40;
            f.active[1][d + 40 + lag] = f.active[0][d];
        }
        find(&f);
        const tl_portfolio_rule rule = lag == 0 ? TL_RULE_CORRELATION : TL_RULE_LAG_COPY;
        const tl_flag flag = expect_flag(&f.peers[1], rule);
        assert_int_equal(flag.days, 150);
        assert_int_equal(flag.from, 40 + lag);
        assert_int_equal(flag.to, 189 + lag);
        tl_arena_free(f.arena);
    }
}

static void few_common_days_prove_nothing(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 29);
    for (size_t d = 0; d < 29; d++) {
        f.active[1][d] = f.active[0][d];
    }
    find(&f);
    assert_null(flag_of(&f.peers[1], TL_RULE_CORRELATION));
    tl_arena_free(f.arena);
}

static void a_constant_record_correlates_with_nothing(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 100);
    for (size_t d = 0; d < 100; d++) {
        f.active[0][d] = 0.001;
        f.active[1][d] = 0.001;
    }
    find(&f);
    assert_null(flag_of(&f.peers[1], TL_RULE_CORRELATION));
    assert_null(flag_of(&f.peers[1], TL_RULE_LAG_COPY));
    tl_arena_free(f.arena);
}

static void the_same_weights_later_disqualify(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 10);
    f.portfolios[1] = f.portfolios[0];
    find(&f);
    const tl_flag flag = expect_flag(&f.peers[1], TL_RULE_PLAGIARISM);
    assert_true(flag.factor == 0.0 && flag.value == 1.0);
    tl_position nearly[5];
    for (size_t k = 0; k < 5; k++) {
        nearly[k] = f.positions[0][k];
    }
    nearly[0].weight_millionths = 150000; /* overlap exactly 0.95: not above the limit */
    f.portfolios[1] = (tl_portfolio){nearly, 5};
    find(&f);
    assert_null(flag_of(&f.peers[1], TL_RULE_PLAGIARISM));
    tl_arena_free(f.arena);
}

static void a_short_that_one_lacks_is_a_difference(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 10);
    tl_position more[6];
    for (size_t k = 0; k < 5; k++) {
        more[k] = f.positions[0][k];
    }
    f.portfolios[1] = (tl_portfolio){more, 6};
    for (size_t i = 0; i < 2; i++) {
        more[5] = (tl_position){names[9], i == 0 ? -50000 : -49999};
        find(&f);
        assert_int_equal(flag_of(&f.peers[1], TL_RULE_PLAGIARISM) != NULL, i == 1);
    }
    tl_arena_free(f.arena);
}

static void of_two_at_one_height_neither_loses(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 100);
    f.submissions[1].commit_height = 0;
    f.portfolios[1] = f.portfolios[0];
    for (size_t d = 0; d < 100; d++) {
        f.active[1][d] = f.active[0][d];
    }
    find(&f);
    for (size_t i = 0; i < 2; i++) {
        assert_true(expect_flag(&f.peers[i], TL_RULE_PLAGIARISM).factor == 1.0);
        assert_true(expect_flag(&f.peers[i], TL_RULE_CORRELATION).factor == 1.0);
    }
    tl_arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_are_left_alone),
        cmocka_unit_test(a_copy_with_noise_pays_and_the_original_does_not),
        cmocka_unit_test(a_lagged_copy_is_found_at_its_lag_only),
        cmocka_unit_test(records_with_holes_give_what_whole_ones_give),
        cmocka_unit_test(the_evidence_names_the_common_days),
        cmocka_unit_test(few_common_days_prove_nothing),
        cmocka_unit_test(a_constant_record_correlates_with_nothing),
        cmocka_unit_test(the_same_weights_later_disqualify),
        cmocka_unit_test(a_short_that_one_lacks_is_a_difference),
        cmocka_unit_test(of_two_at_one_height_neither_loses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
