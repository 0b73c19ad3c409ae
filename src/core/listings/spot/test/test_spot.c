/* Attacks the comparison: each field a little off, at its limit and beyond it; changes that excuse, and such as do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/spot/spot.h"

#define SINCE 1000

static tl_sample claim(void)
{
    return (tl_sample){.address = TL_STR("1 OAK ST SEATTLE WA 98103"),
                       .zipcode = "98103",
                       .price_cents = 100000000,
                       .bedrooms_hundredths = 300,
                       .bathrooms_hundredths = 250,
                       .status = TL_STR("FOR_SALE")};
}

static tl_listing world(void)
{
    tl_listing l = {.address = TL_STR("1 OAK ST SEATTLE WA 98103"),
                    .zipcode = "98103",
                    .price_cents = 100000000,
                    .bedrooms_hundredths = 300,
                    .bathrooms_hundredths = 250};
    l.readable = 1u << TL_FIELD_PRICE | 1u << TL_FIELD_BEDROOMS | 1u << TL_FIELD_BATHROOMS;
    l.text[TL_FIELD_LISTING_STATUS] = TL_STR("for_sale");
    return l;
}

static void expect(const tl_sample *c, const tl_listing *w, tl_spot unchanged)
{
    assert_int_equal(tl_spot_judge(c, w, 0, SINCE), unchanged);
    assert_int_equal(tl_spot_judge(c, w, SINCE - 1, SINCE), unchanged);
    /* SPOT-1: what changed since the miner may have looked excuses a difference. */
    assert_int_equal(tl_spot_judge(c, w, SINCE, SINCE),
                     unchanged == TL_SPOT_PASS ? TL_SPOT_PASS : TL_SPOT_NONE);
}

static void test_each_field(void **state)
{
    (void)state;
    tl_sample c = claim();
    tl_listing w = world();
    expect(&c, &w, TL_SPOT_PASS);
    static const struct {
        int64_t price_cents;
        tl_spot verdict;
    } prices[] = {{95000000, TL_SPOT_PASS},
                  {94999999, TL_SPOT_FAIL},
                  {105000000, TL_SPOT_PASS},
                  {105000001, TL_SPOT_FAIL},
                  {0, TL_SPOT_FAIL}};
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        c = claim();
        c.price_cents = prices[i].price_cents;
        expect(&c, &w, prices[i].verdict);
    }
    c = claim();
    c.address = TL_STR("2 OAK ST SEATTLE WA 98103");
    expect(&c, &w, TL_SPOT_FAIL);
    c = claim();
    memcpy(c.zipcode, "98104", 6);
    expect(&c, &w, TL_SPOT_FAIL);
    c = claim();
    c.bedrooms_hundredths = 400;
    expect(&c, &w, TL_SPOT_FAIL);
    c.bedrooms_hundredths = -1; /* not claimed: not judged */
    expect(&c, &w, TL_SPOT_PASS);
    c.bathrooms_hundredths = 200;
    expect(&c, &w, TL_SPOT_FAIL);
    c = claim();
    c.status = TL_STR("PENDING");
    expect(&c, &w, TL_SPOT_PASS);
    c.status = TL_STR("SOLD");
    expect(&c, &w, TL_SPOT_FAIL);
}

static void test_absent(void **state)
{
    (void)state;
    assert_int_equal(tl_spot_judge_absent(false, 0, SINCE), TL_SPOT_FAIL);
    assert_int_equal(tl_spot_judge_absent(true, SINCE, SINCE), TL_SPOT_NONE);
    assert_int_equal(tl_spot_judge_absent(true, SINCE - 1, SINCE), TL_SPOT_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_field),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
