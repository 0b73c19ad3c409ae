/* Attacks price tables: cells that are no prices, dates out of order, columns whose places do not fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/assemble/assemble.h"
#include "base/decimal/decimal.h"

static int set_up(void **state)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    *state = arena;
    return 0;
}

static int tear_down(void **state)
{
    tl_arena_free((tl_arena *)*state);
    return 0;
}

static void a_bad_table_is_an_error_with_its_place(void **state)
{
    tl_arena *arena = *state;
    const struct {
        const char *text;
        tl_err err;
        uint32_t line;
    } rows[] = {
        {"", TL_ERR_MISSING, 0},
        {"Date\n2024-01-02\n", TL_ERR_MISSING, 0},
        {"Date,A\n2024-01-02,1\n2024-01-02,2\n", TL_ERR_RANGE, 3},
        {"Date,A\n2024-01-03,1\n2024-01-02,2\n", TL_ERR_RANGE, 3},
        {"Date,A\n2024-02-30,1\n", TL_ERR_RANGE, 2},
        {"Date,A\n2024-01-02,0\n", TL_ERR_RANGE, 2},
        {"Date,A\n2024-01-02,-5\n", TL_ERR_RANGE, 2},
        {"Date,A\n2024-01-02,abc\n", TL_ERR_SYNTAX, 2},
        {"Date,A\n2024-01-02,nan\n", TL_ERR_SYNTAX, 2},
        {"Date,A\n2024-01-02,1e999\n", TL_ERR_RANGE, 2},
        {"Date,A,A\n2024-01-02,1,2\n", TL_ERR_DUPLICATE, 0},
        {"Date,A\n2024-01-02,1,2\n", TL_ERR_SYNTAX, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tl_price_table t = {0};
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_price_table_read(&t, arena, tl_str_from_cstr(rows[i].text), &ctx);
        assert_int_equal(err, rows[i].err);
        assert_true(rows[i].line == 0 || ctx.line == rows[i].line);
    }
}

static void columns_are_sorted_and_empty_cells_are_missing(void **state)
{
    tl_arena *arena = *state;
    tl_price_table t = {0};
    assert_int_equal(tl_price_table_read(
                         &t, arena, TL_STR("day,B,A\n2024-01-02,2.50,\n2024-01-03,,0.125\n"), NULL),
                     TL_OK);
    assert_int_equal(t.ticker_count, 2);
    assert_true(tl_str_eq(t.tickers[0], TL_STR("A")));
    assert_true(tl_price_to_f64(t.price[0]) == 0.0 && tl_price_to_f64(t.price[1]) == 2.5);
    assert_true(tl_price_to_f64(t.price[2]) == 0.125 && tl_price_to_f64(t.price[3]) == 0.0);
}

/* The price that evidence gives back for a table's cell. */
static tl_str evidence_of(tl_arena *arena, const char *csv)
{
    tl_price_table t = {0};
    tl_str out = {NULL, 0};
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    assert_int_equal(tl_price_table_read(&t, arena, tl_str_from_cstr(csv), NULL), TL_OK);
    const tl_price_table *tables[1] = {&t};
    assert_int_equal(tl_assemble_evidence(&out, arena, tables, 1, 0, t.day_count, views, 1, NULL),
                     TL_OK);
    return out;
}

static void a_price_keeps_its_decimal_text(void **state)
{
    tl_arena *arena = *state; /* ASM-2 */
    const tl_str got = evidence_of(arena, "d,A,B\n2024-01-02,24.767,1.225e+006\n2024-01-03,0.5,\n");
    assert_true(tl_str_starts_with(
        got, TL_STR("{\"dates\":[\"2024-01-02\",\"2024-01-03\"],\"feeds\":[{\"prices\":"
                    "[[24767,500],[1225000,null]],\"scales\":[3,0]}],\"tickers\":[\"A\","
                    "\"B\"]")));
    /* Seventeen digits beside a large price: both come back as the doubles that they were. */
    const tl_str odd = evidence_of(arena, "d,A\n2024-01-02,24.766999999999996\n2024-01-03,90.1\n");
    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, odd, NULL, NULL), TL_OK);
    const tl_json *feed = &tl_json_get(tree, "feeds")->items[0];
    int64_t digits = 0;
    int64_t scale = 0;
    assert_int_equal(
        tl_json_as_i64(&digits, &tl_json_get(feed, "prices")->items[0].items[0], NULL, NULL),
        TL_OK);
    assert_int_equal(tl_json_as_i64(&scale, &tl_json_get(feed, "scales")->items[0], NULL, NULL),
                     TL_OK);
    assert_true(tl_f64_from_decimal((uint64_t)digits, -(int32_t)scale) == 24.766999999999996);
}

static void places_that_do_not_fit_are_rounded_and_nothing_vanishes(void **state)
{
    tl_arena *arena = *state;
    const tl_str got =
        evidence_of(arena, "d,A\n2024-01-02,0.12345678901234567\n2024-01-03,1234567.5\n");
    assert_true(tl_str_find(got, '[') < got.len);
    tl_price_table t = {0};
    tl_str out = {NULL, 0};
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    assert_int_equal(tl_price_table_read(&t, arena, TL_STR("d,A\n2024-01-02,1e-30\n"), NULL),
                     TL_OK);
    const tl_price_table *tables[1] = {&t};
    assert_int_equal(tl_assemble_evidence(&out, arena, tables, 1, 0, 1, views, 1, NULL),
                     TL_ERR_RANGE);
}

static void an_epoch_outside_the_table_is_refused(void **state)
{
    tl_arena *arena = *state;
    tl_price_table t = {0};
    assert_int_equal(tl_price_table_read(&t, arena,
                                         TL_STR("d,A\n2024-01-02,1\n2024-01-03,1\n2024-01-04,1\n"),
                                         NULL),
                     TL_OK);
    size_t from = 9;
    size_t to = 9;
    const tl_day d = tl_day_from_ymd(2024, 1, 3);
    assert_int_equal(
        tl_assemble_rows(&from, &to, &t, d, (tl_epoch_span){d, d + 6}, TL_STR("x"), NULL), TL_OK);
    assert_true(from == 0 && to == 3);
    assert_int_equal(
        tl_assemble_rows(&from, &to, &t, d, (tl_epoch_span){d + 20, d + 26}, TL_STR("x"), NULL),
        TL_ERR_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bad_table_is_an_error_with_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(columns_are_sorted_and_empty_cells_are_missing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_price_keeps_its_decimal_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_that_do_not_fit_are_rounded_and_nothing_vanishes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_outside_the_table_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
