/* Attacks printing with Python's own figures and with every exponent, and parsing with ties, one digit above and below
 * them, thousands of digits, exponents out of every range, and what is no number. libc's strtod is the second opinion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal/decimal.h"

static const uint64_t exponent_mask = UINT64_C(0x7FF) << 52;

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void assert_prints(double value, const char *expected)
{
    char text[TL_F64_TEXT_CAP];
    const size_t len = tl_f64_print(text, value);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void assert_parses_to(const char *text, uint64_t bits)
{
    double value = -7.0;
    if (!tl_f64_parse(&value, tl_str_from_cstr(text)) || to_bits(value) != bits) {
        fail_msg("%.60s read as %a", text, value);
    }
}

/* DEC-1, and DEC-2 as far as libc can say: no text with one digit less reads back. */
static void check_one(uint64_t bits, bool is_thorough)
{
    if ((bits & exponent_mask) == exponent_mask) {
        return;
    }
    const double value = from_bits(bits);
    char text[TL_F64_TEXT_CAP];
    assert_true(tl_f64_print(text, value) < TL_F64_TEXT_CAP);
    assert_parses_to(text, bits); /* DEC-1 */
    uint64_t digits;
    int32_t exponent;
    bool is_negative;
    tl_f64_shortest(&digits, &exponent, &is_negative, value);
    const double again = tl_f64_from_decimal(digits, exponent);
    assert_true(to_bits(is_negative ? -again : again) == bits);
    if (!is_thorough) {
        return;
    }
    assert_true(to_bits(strtod(text, NULL)) == bits);
    int count = 0;
    for (uint64_t rest = digits; rest != 0; rest /= 10) {
        count++;
    }
    if (count > 1) {
        char shorter[64];
        (void)snprintf(shorter, sizeof shorter, "%.*e", count - 2, value);
        assert_true(to_bits(strtod(shorter, NULL)) != bits); /* DEC-2: fewest digits */
    }
}

static void python_prints_the_same(void **state)
{
    (void)state; /* DEC-2 */
    FILE *f = fopen(TL_SOURCE_ROOT "/src/base/decimal/test/golden/python_float_repr.json", "r");
    assert_non_null(f);
    char line[256];
    size_t cases = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        char hex[32];
        char repr[64];
        if (sscanf(line, " {\"f64\": \"%16[0-9a-f]\", \"repr\": \"%40[^\"]\"}", hex, repr) == 2) {
            const uint64_t bits = strtoull(hex, NULL, 16);
            assert_prints(from_bits(bits), repr);
            if ((bits & exponent_mask) != exponent_mask) {
                assert_parses_to(repr, bits);
            }
            cases++;
        }
    }
    (void)fclose(f);
    assert_int_equal(cases, 360);
}

static void what_is_not_finite_prints_as_in_python(void **state)
{
    (void)state;
    assert_prints(from_bits(exponent_mask), "inf");
    assert_prints(-from_bits(exponent_mask), "-inf");
    assert_prints(from_bits(exponent_mask | 1), "nan");
    assert_prints(from_bits(exponent_mask | UINT64_C(1) << 63 | 1), "nan");
    assert_prints(-2.2250738585072014e-308, "-2.2250738585072014e-308");
}

static void every_exponent_and_its_edges_round_trip(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 0x7FF; exponent++) {
        for (uint64_t i = 0; i < 4; i++) {
            check_one(exponent << 52 | i,
                      i != 0); /* a power of two may have a nearer, longer text */
            check_one((exponent << 52 | ((UINT64_C(1) << 52) - 1)) - i, true);
        }
    }
    for (uint64_t subnormal = 1; subnormal < 5000; subnormal++) {
        check_one(subnormal, true);
    }
}

static void a_million_random_doubles_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 20; /* the whole state: the run is the same each time */
    for (size_t i = 0; i < 1000000; i++) {
        check_one(next_random(&seed), i % 8 == 0);
    }
}

/* Decimals as people write them, against strtod. */
static void written_decimals_read_as_libc_reads_them(void **state)
{
    (void)state;
    uint64_t seed = 21;
    char text[128];
    for (size_t i = 0; i < 100000; i++) {
        const uint64_t r = next_random(&seed);
        const uint64_t whole = next_random(&seed) >> (r & 63);
        const uint64_t fraction = next_random(&seed) >> (r >> 6 & 63);
        const int exponent = (int)(r >> 12 & 1023) - 512;
        (void)snprintf(text, sizeof text, (r >> 24 & 1) != 0 ? "%llu.%llue%d" : "-%llu.%019lluE%+d",
                       (unsigned long long)whole, (unsigned long long)fraction, exponent);
        assert_parses_to(text, to_bits(strtod(text, NULL)));
    }
}

/* value as an exact decimal, then a tail; "%.1100f" of glibc is exact. */
static void check_tie_above(uint64_t bits)
{
    static char text[4096];
    const long double tie = ((long double)from_bits(bits) + (long double)from_bits(bits + 1)) / 2;
    int len = snprintf(text, 2000, "%.1100Lf", tie);
    assert_true(len > 1100 && len < 2000);
    const uint64_t even = (bits & 1) == 0 ? bits : bits + 1;
    assert_parses_to(text, even); /* DEC-3 */
    memset(text + len, '0', 900);
    memcpy(text + len + 900, "1", 2);
    assert_parses_to(text, bits + 1);
    while (text[len - 1] == '0') {
        len--;
    }
    text[len - 1] = text[len - 1] == '.' ? '.' : (char)(text[len - 1] - 1);
    if (text[len - 1] != '.') {
        memset(text + len, '9', 900);
        text[len + 900] = '\0';
        assert_parses_to(text, bits);
    }
}

static void a_tie_goes_to_even_and_a_far_digit_breaks_it(void **state)
{
    (void)state; /* DEC-3 */
#if __LDBL_MANT_DIG__ >= 64
    uint64_t seed = 22;
    for (size_t i = 0; i < 2000; i++) {
        /* below 2^60, so that the text ends in a fraction or in a digit that is not zero */
        const uint64_t bits = next_random(&seed) % (UINT64_C(1083) << 52);
        check_tie_above(i % 4 == 0 ? bits >> 12 : bits);
    }
    check_tie_above(0);
    check_tie_above(1);
    check_tie_above((UINT64_C(1) << 52) - 1);
#else
    check_tie_above(to_bits(1.0)); /* long double holds no tie of doubles here but the few it can */
#endif
    assert_parses_to("9007199254740993", to_bits(9007199254740992.0));
    assert_parses_to("9007199254740993.0", to_bits(9007199254740992.0));
    assert_parses_to("9007199254740993.00000000000000000001", to_bits(9007199254740994.0));
    assert_parses_to("9007199254740995e0", to_bits(9007199254740996.0));
    assert_parses_to("90071992547409929999999999", to_bits(90071992547409929999999999.0));
}

static void the_ends_of_the_range_hold(void **state)
{
    (void)state;
    const uint64_t largest = exponent_mask - 1;
    assert_parses_to("1.7976931348623157e308", largest);
    assert_parses_to("1.7976931348623158e308", largest);
    assert_parses_to("1.7976931348623159e308", exponent_mask);
    assert_parses_to("17976931348623158079e289", largest);
    assert_parses_to("17976931348623158080e289", exponent_mask);
    assert_parses_to("-1e309", exponent_mask | UINT64_C(1) << 63);
    assert_parses_to("2.4703282292062327e-324", 0);
    assert_parses_to("2.4703282292062328e-324", 1);
    assert_parses_to("1e-400", 0);
    assert_parses_to("-0e-7", UINT64_C(1) << 63);
    assert_parses_to("1e99999999999999999999999999", exponent_mask);
    assert_parses_to("1e-99999999999999999999999999", 0);
    assert_parses_to("0e99999999999999999999999999", 0);
    assert_true(to_bits(tl_f64_from_decimal(0, 400)) == 0);
    assert_true(to_bits(tl_f64_from_decimal(1, INT32_MAX)) == exponent_mask);
    assert_true(to_bits(tl_f64_from_decimal(UINT64_MAX, INT32_MIN)) == 0);
    assert_true(to_bits(tl_f64_from_decimal(UINT64_MAX, 0)) == to_bits(18446744073709551616.0));
}

static void zeros_in_any_number_move_only_the_point(void **state)
{
    (void)state;
    static char text[9000];
    for (size_t zeros = 1; zeros < 8000; zeros += 799) {
        memcpy(text, "0.", 2);
        memset(text + 2, '0', zeros);
        (void)snprintf(text + 2 + zeros, 64, "12345e%zu", zeros);
        assert_parses_to(text, to_bits(0.12345));
        text[0] = '7';
        memset(text + 1, '0', zeros);
        (void)snprintf(text + 1 + zeros, 64, ".25e-%zu", zeros);
        assert_parses_to(text, to_bits(strtod(text, NULL)));
    }
}

static void what_is_no_number_is_refused_and_leaves_out_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"",    "-",   "+1", "01",  "-01",   "1.",    ".5",   "1e",
                                        "1e+", "1.e", "1x", "--1", "1..5",  "1.5.5", "0x10", "nan",
                                        "inf", "1 ",  " 1", "1,5", "1e5.0", "1e5e",  "1_000"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double value = 42.5;
        assert_false(tl_f64_parse(&value, tl_str_from_cstr(texts[i])));
        assert_true(to_bits(value) == to_bits(42.5));
    }
    double value = 42.5;
    assert_false(tl_f64_parse(&value, (tl_str){"1\0", 2}));
    assert_true(tl_f64_parse(&value, (tl_str){"12", 1}));
    assert_true(to_bits(value) == to_bits(1.0));
}

static void the_shortest_digits_have_no_trailing_zero(void **state)
{
    (void)state;
    static const struct {
        double value;
        uint64_t digits;
        int32_t exponent;
        bool is_negative;
    } rows[] = {{0.0, 0, 0, false},       {-0.0, 0, 0, true},     {100.0, 1, 2, false},
                {-1.5, 15, -1, true},     {1e22, 1, 22, false},   {5e-324, 5, -324, false},
                {4096.0, 4096, 0, false}, {1e300, 1, 300, false}, {0.1, 1, -1, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t digits;
        int32_t exponent;
        bool is_negative;
        tl_f64_shortest(&digits, &exponent, &is_negative, rows[i].value);
        assert_int_equal(digits, rows[i].digits);
        assert_int_equal(exponent, rows[i].exponent);
        assert_int_equal(is_negative, rows[i].is_negative);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_prints_the_same),
        cmocka_unit_test(what_is_not_finite_prints_as_in_python),
        cmocka_unit_test(every_exponent_and_its_edges_round_trip),
        cmocka_unit_test(a_million_random_doubles_round_trip),
        cmocka_unit_test(written_decimals_read_as_libc_reads_them),
        cmocka_unit_test(a_tie_goes_to_even_and_a_far_digit_breaks_it),
        cmocka_unit_test(the_ends_of_the_range_hold),
        cmocka_unit_test(zeros_in_any_number_move_only_the_point),
        cmocka_unit_test(what_is_no_number_is_refused_and_leaves_out_alone),
        cmocka_unit_test(the_shortest_digits_have_no_trailing_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
