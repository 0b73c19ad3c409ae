/* Attacks admission: each window at its border, each code in its order, bans, second signals; and what is carried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/epoch/road/road.h"

/* A subnet whose only rule is that the body is not "bad". */
static tl_err decode(tl_submission *io, tl_arena *arena, const tl_json *signal, tl_errctx *ctx)
{
    tl_str *body = TL_NEW(arena, tl_str, 1);
    if (body == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_json_want_str(body, signal, "payload", ctx));
    io->body = body;
    io->body_hash.b[0] = (uint8_t)body->len;
    return TL_OK;
}

static void encode(tl_json_writer *w, const void *body)
{
    tl_json_put_key(w, "payload");
    tl_json_put_str(w, *(const tl_str *)body);
}

static const char *check(const void *world, const tl_submission *s)
{
    (void)world;
    return tl_str_eq(*(const tl_str *)s->body, TL_STR("bad")) ? "E001" : NULL;
}

static tl_err params(tl_json_writer *w, const tl_json *given, tl_errctx *ctx)
{
    if (given->count > 0) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "no parameter");
    }
    tl_json_put_object(w);
    tl_json_put_end(w);
    return TL_OK;
}

static const tl_subnet subnet = {.name = "test",
                                 .version = 1,
                                 .commit_domain = "test/commit/1",
                                 .decode = decode,
                                 .encode = encode,
                                 .check = check,
                                 .params = params};

typedef struct fixture {
    tl_arena *arena;
    tl_road_params params;
    tl_carry carry;
} fixture;

static const char *const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
static const char *const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    tl_sb sb;
    tl_sb_init(&sb, f.arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    assert_int_equal(tl_road_params_put(&w, &subnet, NULL, NULL, f.arena, NULL), TL_OK);
    tl_str text;
    const tl_json *tree = NULL;
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&tree, f.arena, text, NULL, NULL), TL_OK);
    assert_int_equal(tl_road_params_read(&f.params, &subnet, tree, NULL), TL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    tl_arena_free(((fixture *)*state)->arena);
    return 0;
}

static tl_submission signal_of(const fixture *f, const char *hotkey, uint64_t commit,
                               int64_t reveal_after, const char *more)
{
    tl_sb sb;
    tl_sb_init(&sb, f->arena);
    tl_sb_printf(&sb,
                 "{\"hotkey\":\"%s\",\"epoch_id\":\"2024-M03\",\"ante_rao\":10000000000,\"commit_"
                 "height\":%llu,",
                 hotkey, (unsigned long long)commit);
    if (reveal_after >= 0) {
        tl_sb_printf(&sb, "\"reveal_height\":%llu",
                     (unsigned long long)commit + (unsigned long long)reveal_after);
    } else {
        tl_sb_put_cstr(&sb, "\"reveal_height\":null");
    }
    tl_sb_printf(&sb, "%s}", more != NULL ? more : ",\"payload\":\"good\"");
    tl_str text;
    const tl_json *tree = NULL;
    tl_submission s = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&tree, f->arena, text, NULL, &ctx), TL_OK);
    assert_int_equal(tl_road_submission_read(&s, f->arena, &subnet, &f->params, tree, &ctx), TL_OK);
    return s;
}

static tl_admission admit_one(const fixture *f, const tl_submission *s)
{
    tl_admission a = {0};
    assert_int_equal(tl_road_admit(&a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                   &f->carry, NULL, s, 1, NULL),
                     TL_OK);
    return a;
}

static void assert_code(const char *got, const char *want)
{
    if (want == NULL) {
        assert_null(got);
    } else {
        assert_non_null(got);
        assert_string_equal(got, want);
    }
}

static void the_windows_of_a_reveal_are_closed_at_both_ends(void **state)
{
    const fixture *f = *state;
    const struct {
        int64_t after;
        tl_admit_state admitted;
        const char *code;
    } rows[] = {{-1, TL_ADMIT_NOT_REVEALED, NULL},     {0, TL_ADMIT_REVEALED_EARLY, NULL},
                {1799, TL_ADMIT_REVEALED_EARLY, NULL}, {1800, TL_ADMIT_NOT_REVEALED, "E007"},
                {4199, TL_ADMIT_NOT_REVEALED, "E007"}, {4200, TL_ADMIT_VALID, NULL},
                {14400, TL_ADMIT_VALID, NULL},         {14401, TL_ADMIT_NOT_REVEALED, "E007"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tl_submission s = signal_of(f, alice, 1000, rows[i].after, NULL);
        const tl_admission a = admit_one(f, &s);
        assert_int_equal(a.state, rows[i].admitted);
        assert_code(a.code, rows[i].code);
    }
    tl_submission s = signal_of(f, alice, 1000, 0, NULL);
    s.reveal_height = 999; /* before its own commit */
    assert_int_equal(admit_one(f, &s).state, TL_ADMIT_NOT_REVEALED);
}

static void the_first_broken_rule_gives_the_code(void **state)
{
    const fixture *f = *state;
    tl_submission s =
        signal_of(f, "nobody", 1000, 5000, ",\"payload\":\"bad\",\"registered\":false");
    s.ante = tl_rao_from_i64(9999999999);
    s.has_span = false;
    assert_code(admit_one(f, &s).code, "E005");
    s.ante = tl_rao_from_i64(10000000000);
    assert_code(admit_one(f, &s).code, "E007");
    s.has_span = true;
    assert_code(admit_one(f, &s).code, "E008");
    s = signal_of(f, alice, 1000, 5000, ",\"payload\":\"bad\",\"signature_valid\":false");
    assert_code(admit_one(f, &s).code, "E008");
    s = signal_of(f, alice, 1000, 5000, ",\"payload\":\"bad\"");
    assert_code(admit_one(f, &s).code, "E001");
    assert_int_equal(admit_one(f, &s).state, TL_ADMIT_INVALID);
    s.is_commitment_right = false;
    assert_code(admit_one(f, &s).code, "E006");
    s.epoch_id = TL_STR("2024-M04");
    assert_code(admit_one(f, &s).code, "E007");
}

static void a_second_signal_changes_nothing(void **state)
{
    const fixture *f = *state;
    tl_submission s[3] = {signal_of(f, alice, 1000, 5000, NULL),
                          signal_of(f, alice, 1000, 5000, ",\"payload\":\"other\""),
                          signal_of(f, bob, 999, 5000, NULL)};
    assert_int_equal(tl_road_submissions_sort(s, 3, &subnet, f->arena, NULL), TL_OK);
    tl_admission a[3];
    assert_int_equal(tl_road_admit(a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                   &f->carry, NULL, s, 3, NULL),
                     TL_OK);
    assert_int_equal(a[0].state, TL_ADMIT_VALID); /* bob, the earliest */
    assert_int_equal(a[1].state,
                     TL_ADMIT_VALID); /* at equal height the smaller commitment is the first */
    assert_true(tl_hash32_cmp(&s[1].commitment, &s[2].commitment) < 0);
    assert_code(a[2].code, "E009");
}

static void a_refused_signal_does_not_stand_in_the_way(void **state)
{
    const fixture *f = *state;
    tl_submission s[2] = {signal_of(f, alice, 1000, 5000, NULL),
                          signal_of(f, alice, 1001, 5000, NULL)};
    s[0].ante = TL_RAO_ZERO;
    tl_admission a[2];
    assert_int_equal(tl_road_admit(a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                   &f->carry, NULL, s, 2, NULL),
                     TL_OK);
    assert_code(a[0].code, "E005");
    assert_int_equal(a[1].state, TL_ADMIT_VALID);
}

static void an_ante_above_the_balance_is_refused(void **state)
{
    const fixture *f = *state;
    const tl_submission s = signal_of(f, alice, 1000, 5000, NULL);
    const char *texts[] = {"{}",
                           "{\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\":9999999999}",
                           "{\"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\":10000000000}"};
    for (size_t i = 0; i < 3; i++) {
        const tl_json *balances = NULL;
        tl_admission a;
        assert_int_equal(tl_json_parse(&balances, f->arena, tl_str_from_cstr(texts[i]), NULL, NULL),
                         TL_OK);
        assert_int_equal(tl_road_admit(&a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                       &f->carry, balances, &s, 1, NULL),
                         TL_OK);
        assert_code(a.code, i < 2 ? "E005" : NULL);
    }
}

static void an_ante_above_all_there_is_stops_nothing_but_itself(void **state)
{
    const fixture *f = *state;
    tl_submission s = signal_of(f, alice, 1000, 5000, NULL);
    s.ante = tl_rao_from_i64(21000000000000000);
    assert_code(admit_one(f, &s).code, NULL);
    s.ante = tl_rao_from_i64(21000000000000001);
    assert_code(admit_one(f, &s).code, "E005");
    s.ante = tl_rao_from_i64(INT64_MAX);
    assert_code(admit_one(f, &s).code, "E005");
}

static tl_carry carry_after(const fixture *f, const tl_carry *before, const tl_submission *s)
{
    tl_admission a;
    tl_carry after;
    assert_int_equal(tl_road_admit(&a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                   before, NULL, s, 1, NULL),
                     TL_OK);
    assert_int_equal(
        tl_carry_advance(&after, f->arena, before, &f->params, TL_STR("2024-M03"), s, &a, 1, NULL),
        TL_OK);
    return after;
}

static void the_third_silence_within_the_window_bans(void **state)
{
    const fixture *f = *state; /* ROAD-3 */
    tl_carry c = {0};
    const uint64_t commits[3] = {0, 300000, 648000};
    for (size_t i = 0; i < 3; i++) {
        const tl_submission s = signal_of(f, alice, commits[i], -1, NULL);
        c = carry_after(f, &c, &s);
        assert_int_equal(c.miners[0].is_banned,
                         i == 2); /* 648,000 blocks after the first: still within */
    }
    const uint64_t from = 648000 + 14400;
    assert_true(c.miners[0].ban_from == from && c.miners[0].ban_until == from + 216000);
    fixture banned = *f;
    banned.carry = c;
    tl_submission s = signal_of(f, alice, from - 1, 5000, NULL);
    assert_int_equal(admit_one(&banned, &s).state, TL_ADMIT_VALID);
    s.commit_height = from;
    s.reveal_height = from + 5000;
    assert_code(admit_one(&banned, &s).code, "E008");
    s.commit_height = from + 216000;
    s.reveal_height = s.commit_height + 5000;
    assert_int_equal(admit_one(&banned, &s).state, TL_ADMIT_VALID);
}

/* The codes of alice's second signals at these heights, after a first one. */
static void assert_second(const fixture *f, const tl_submission *first, uint64_t height,
                          const char *code)
{
    const tl_submission s[2] = {*first, signal_of(f, alice, height, 5000, NULL)};
    tl_admission a[2];
    assert_int_equal(tl_road_admit(a, f->arena, &subnet, NULL, &f->params, TL_STR("2024-M03"),
                                   &f->carry, NULL, s, 2, NULL),
                     TL_OK);
    assert_true(a[0].state != TL_ADMIT_REFUSED);
    assert_code(a[1].code, code);
}

static void a_hash_that_differs_bans_for_the_rest_of_the_epoch(void **state)
{
    const fixture *f = *state;
    tl_submission first = signal_of(f, alice, 1000, 5000, NULL);
    assert_second(f, &first, 6000, "E009");
    first.is_commitment_right = false;
    assert_second(f, &first, 5999, "E009"); /* nobody knows yet */
    assert_second(f, &first, 6000, "E008");
    first.reveal_height = 1000 + 14401; /* too late: never revealed, so nothing differs */
    assert_second(f, &first, 16000, "E009");
}

static void a_third_silence_bans_within_its_own_epoch(void **state)
{
    fixture f = *(const fixture *)*state;
    for (uint64_t i = 0; i < 2; i++) {
        const tl_submission s = signal_of(&f, alice, 50400 * i, -1, NULL);
        f.carry = carry_after(&f, &f.carry, &s);
    }
    const tl_submission third = signal_of(&f, alice, 100800, -1, NULL);
    assert_second(&f, &third, 100800 + 14399, "E009");
    assert_second(&f, &third, 100800 + 14400, "E008");
    assert_second(&f, &third, 100800 + 14400 + 216000, "E009");
}

static void silences_far_apart_do_not_ban(void **state)
{
    const fixture *f = *state;
    tl_carry c = {0};
    const uint64_t commits[3] = {0, 300000, 648001};
    for (size_t i = 0; i < 3; i++) {
        const tl_submission s = signal_of(f, alice, commits[i], -1, NULL);
        c = carry_after(f, &c, &s);
    }
    assert_false(c.miners[0].is_banned);
    assert_int_equal(c.miners[0].unrevealed_count, 2); /* the oldest can never count again */
}

static void what_is_carried_reads_back_as_it_was_written(void **state)
{
    const fixture *f = *state; /* ROAD-4 */
    tl_carry c = {0};
    for (size_t i = 0; i < 14; i++) {
        const tl_submission s =
            signal_of(f, i % 3 == 0 ? bob : alice, 1000 * i, i % 4 == 0 ? -1 : 5000, NULL);
        c = carry_after(f, &c, &s);
    }
    assert_int_equal(c.count, 2);
    tl_str texts[2];
    for (size_t i = 0; i < 2; i++) {
        tl_sb sb;
        tl_sb_init(&sb, f->arena);
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_carry_put(&w, &subnet, &c);
        assert_int_equal(tl_sb_finish(&texts[i], &sb, NULL), TL_OK);
        const tl_json *tree = NULL;
        assert_int_equal(tl_json_parse(&tree, f->arena, texts[i], NULL, NULL), TL_OK);
        assert_int_equal(tl_carry_read(&c, f->arena, &subnet, tree, NULL), TL_OK);
    }
    assert_true(tl_str_eq(texts[0], texts[1]));
}

static void a_wrong_form_is_an_error_with_its_field(void **state)
{
    const fixture *f = *state;
    const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"{}", "hotkey"},
        {"{\"hotkey\":5}", "hotkey"},
        {"{\"hotkey\":\"x\"}", "epoch_id"},
        {"{\"hotkey\":\"x\",\"epoch_id\":\"y\",\"ante_rao\":1.5}", "ante_rao"},
        {"{\"hotkey\":\"x\",\"epoch_id\":\"y\",\"ante_rao\":1}", "payload"},
        {"{\"hotkey\":\"x\",\"epoch_id\":\"y\",\"ante_rao\":1,\"payload\":\"\",\"commit_height\":-"
         "1}",
         "commit_height"},
        {"{\"hotkey\":\"x\",\"epoch_id\":\"y\",\"ante_rao\":1,\"payload\":\"\",\"commit_height\":"
         "1}",
         "reveal_height"},
        {"{\"hotkey\":\"x\",\"epoch_id\":\"y\",\"ante_rao\":1,\"payload\":\"\",\"commit_height\":1,"
         "\"reveal_height\":"
         "null,\"salt\":\"00\"}",
         "salt"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tl_json *tree = NULL;
        tl_submission s;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_json_parse(&tree, f->arena, tl_str_from_cstr(rows[i].text), NULL, NULL),
                         TL_OK);
        assert_int_not_equal(tl_road_submission_read(&s, f->arena, &subnet, &f->params, tree, &ctx),
                             TL_OK);
        assert_string_equal(ctx.field, rows[i].field);
    }
}

static void parameters_are_complete_and_checked(void **state)
{
    const fixture *f = *state;
    const char *bad[] = {"{\"gamma\":2.5}",
                         "{\"rake_bp\":-1}",
                         "{\"netuid\":70000}",
                         "{\"chain_id\":\"\"}",
                         "{\"emission_rao\":1.5}",
                         "{\"nonsense\":1}",
                         "[]",
                         "{\"reveal_delay_blocks\":20000}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const tl_json *given = NULL;
        tl_sb sb;
        tl_sb_init(&sb, f->arena);
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        assert_int_equal(tl_json_parse(&given, f->arena, tl_str_from_cstr(bad[i]), NULL, NULL),
                         TL_OK);
        assert_int_not_equal(tl_road_params_put(&w, &subnet, given, NULL, f->arena, NULL), TL_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_windows_of_a_reveal_are_closed_at_both_ends, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_first_broken_rule_gives_the_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_signal_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_signal_does_not_stand_in_the_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_ante_above_the_balance_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ante_above_all_there_is_stops_nothing_but_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_third_silence_within_the_window_bans, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hash_that_differs_bans_for_the_rest_of_the_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_third_silence_bans_within_its_own_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(silences_far_apart_do_not_ban, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_carried_reads_back_as_it_was_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_form_is_an_error_with_its_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters_are_complete_and_checked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
