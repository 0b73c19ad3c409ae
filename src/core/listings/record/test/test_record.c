/* Attacks the decoder of objects with values of every kind in every place, pieces of JSON that are not, keys that come
 * twice, and one listing after the other; figures by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/listings/record/record.h"

#define HAS(bits, field) (((bits) >> TL_FIELD_##field & 1) != 0)

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    return arena;
}

/* The first listing of an object that has this one alone. */
static tl_listing read_one(tl_arena *arena, const char *listing)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "{\"zipcode\":\"98103\",\"listings\":[%s]}", listing);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    tl_listing_reader reader;
    tl_listing out;
    bool has_listing = false;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_record_open(&reader, arena, text, 0, &ctx), TL_OK);
    const tl_err err = tl_record_next(&reader, &out, &has_listing, &ctx);
    assert_string_equal(ctx.message, "");
    assert_int_equal(err, TL_OK);
    assert_true(has_listing);
    tl_listing none;
    assert_int_equal(tl_record_next(&reader, &none, &has_listing, &ctx), TL_OK);
    assert_false(has_listing);
    assert_string_equal(reader.zipcode, "98103");
    return out;
}

/* Reads to the end or to the first error, whose code it returns. */
static tl_err read_all(tl_arena *arena, const char *text, tl_errctx *ctx)
{
    tl_listing_reader reader;
    bool has_listing = true;
    tl_err err = tl_record_open(&reader, arena, tl_str_from_cstr(text), 0, ctx);
    while (err == TL_OK && has_listing) {
        tl_listing listing;
        err = tl_record_next(&reader, &listing, &has_listing, ctx);
    }
    if (err != TL_OK) {
        tl_listing listing;
        assert_int_equal(tl_record_next(&reader, &listing, &has_listing, NULL),
                         err); /* it sticks */
    }
    return err;
}

static void assert_text(tl_str text, const char *expected)
{
    assert_string_equal(expected, text.len == 0 ? "" : expected);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void a_listing_is_read_field_by_field(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    const tl_listing l = read_one(
        arena,
        "{\"zpid\":441100,\"address\":\"100 N.E. Main Street, Apt. #5B, Seattle, WA 98103-1234, "
        "USA\",\"price\":500000.5,\"bedrooms\":\"3\",\"bathrooms\":2.5,\"sqft\":\" 1800 \","
        "\"listing_date\":\"2025-10-01\",\"property_type\":\"Single Family Home\","
        "\"listing_status\":\"for_sale\",\"days_on_market\":4,\"mls_id\":\"M0\","
        "\"source_url\":\"https://l.example/1\",\"scraped_timestamp\":\"2025-10-03T01:00:00Z\","
        "\"zipcode\":\"98103\",\"city\":\"Seattle\",\"state\":\"WA\",\"latitude\":47.6731234,"
        "\"longitude\":-122.3415,\"description\":\"a \\\"fine\\\" \\u00e9\",\"other\":[1,{}]}");
    assert_int_equal(l.present, (UINT32_C(1) << TL_LISTING_FIELD_COUNT) - 1);
    assert_int_equal(l.readable, l.present);
    assert_text(l.identity, "zpid:441100");
    assert_text(l.address, "100 NE MAIN ST UNIT 5B SEATTLE WA 98103");
    assert_int_equal(l.price_cents, 50000050);
    assert_int_equal(l.bedrooms_hundredths, 300);
    assert_int_equal(l.bathrooms_hundredths, 250);
    assert_int_equal(l.sqft_hundredths, 180000);
    assert_int_equal(l.days_on_market, 4);
    assert_true(l.listed_ms == INT64_C(1759276800000));
    assert_true(l.scraped_ms == INT64_C(1759453200000));
    assert_int_equal(l.property_type, TL_PROPERTY_SINGLE_FAMILY);
    assert_int_equal(l.latitude_e6, 47673123);
    assert_int_equal(l.longitude_e6, -122341500);
    assert_string_equal(l.zipcode, "98103");
    assert_text(l.text[TL_FIELD_DESCRIPTION], "a \"fine\" \xC3\xA9");
    assert_text(l.text[TL_FIELD_PRICE], "500000.5");
    tl_arena_free(arena);
}

static void what_says_nothing_is_absent(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    const tl_listing l =
        read_one(arena, "{\"price\":null,\"sqft\":NaN,\"address\":\"\",\"mls_id\":\" "
                        "\\t\\u00a0\",\"bedrooms\":\"nan\",\"city\":\"NaN \","
                        "\"bathrooms\":0,\"zpid\":false,\"state\":[],"
                        "\"source_url\":Infinity}");
    assert_false(HAS(l.present, PRICE) || HAS(l.present, SQFT) || HAS(l.present, ADDRESS));
    assert_false(HAS(l.present, MLS_ID) || HAS(l.present, BEDROOMS) || HAS(l.present, CITY));
    assert_true(HAS(l.present, BATHROOMS) && HAS(l.readable, BATHROOMS));
    assert_true(HAS(l.present, ZPID) && !HAS(l.readable, ZPID));
    assert_true(HAS(l.present, STATE) && !HAS(l.readable, STATE));
    assert_true(HAS(l.present, SOURCE_URL) && !HAS(l.readable, SOURCE_URL));
    assert_int_equal(l.identity.len, 0);
    tl_arena_free(arena);
}

static void what_cannot_be_read_is_there_and_unreadable(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    const tl_listing l = read_one(arena, "{\"price\":\"$5\",\"bedrooms\":\"1,000\",\"sqft\":1e40,"
                                         "\"listing_date\":\"yesterday\",\"latitude\":91,"
                                         "\"zipcode\":\"9810\",\"days_on_market\":\"-\","
                                         "\"longitude\":\"-180.0000001\",\"address\":7}");
    assert_int_equal(l.present & ~l.readable & 0x3FFFF,
                     l.present & ~(UINT32_C(1) << TL_FIELD_LONGITUDE));
    assert_int_equal(l.longitude_e6, -180000000);
    assert_int_equal(l.price_cents, 0);
    assert_string_equal(l.zipcode, "");
    tl_arena_free(arena);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t decimals;
        bool is_number;
        int64_t value;
    } cases[] = {
        {"0", 2, true, 0},
        {"-0.0", 2, true, 0},
        {"1.225e+006", 2, true, 122500000},
        {"1.225E6", 2, true, 122500000},
        {"122500000e-2", 2, true, 122500000},
        {"0.29", 2, true, 29}, /* 28.999999999999996 as doubles */
        {"1.005", 2, true, 100},
        {"-1.999", 2, true, -199},
        {" +007 ", 2, true, 700},
        {"9999999999999.99", 2, true, INT64_C(999999999999999)},
        {"10000000000000", 2, true, INT64_C(1000000000000000)},
        {"10000000000000.01", 2, false, 0},
        {"0.000000000000000000000000000001e30", 0, true, 1},
        {"123456789012345678901234567890e-20", 0, true, INT64_C(1234567890)},
        {"1e-999999999999999999999", 2, true, 0},
        {"0e999999999999999999999", 2, true, 0},
        {"1e999999999999999999999", 2, false, 0},
        {"4.9", 0, true, 4},
        {"", 2, false, 0},
        {"-", 2, false, 0},
        {".5", 2, false, 0},
        {"5.", 2, false, 0},
        {"1_000", 2, false, 0},
        {"1 000", 2, false, 0},
        {"0x10", 2, false, 0},
        {"1e", 2, false, 0},
        {"1e+", 2, false, 0},
        {"+-1", 2, false, 0},
        {"inf", 2, false, 0},
        {"NaN", 2, false, 0},
        {"\xD9\xA1", 2, false, 0}, /* an Arabic one */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = -7;
        const bool is_number =
            tl_record_number(&value, tl_str_from_cstr(cases[i].text), cases[i].decimals);
        if (is_number != cases[i].is_number || value != (is_number ? cases[i].value : -7)) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, is_number, (long long)value); /* REC-2 */
        }
    }
}

static void moments_are_iso(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"2014-10-13", INT64_C(1413158400000)},
        {"20141013", INT64_C(1413158400000)},
        {"20141013T000000", INT64_C(1413158400000)},
        {"2014-10-13 01:02:03", INT64_C(1413162123000)},
        {"2014-10-13t01:02", INT64_C(1413162120000)},
        {"20141013T0102", INT64_C(1413162120000)},
        {"2014-10-13T01:02:03.5", INT64_C(1413162123500)},
        {"2014-10-13T01:02:03,123999Z", INT64_C(1413162123123)},
        {"2014-10-13T01:02:03+02:30", INT64_C(1413153123000)},
        {"2014-10-13T01:02:03-0800", INT64_C(1413190923000)},
        {"2014-10-13T01:02:03+02", INT64_C(1413154923000)},
        {" 2014-10-13 ", INT64_C(1413158400000)},
        {"2024-02-29", INT64_C(1709164800000)},
        {"0001-01-01", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59.999", INT64_C(253402300799999)},
        {"2023-02-29", -1},
        {"1900-02-29", -1},
        {"2014-13-01", -1},
        {"2014-00-01", -1},
        {"2014-10-00", -1},
        {"2014-10-32", -1},
        {"0000-01-01", -1},
        {"2014-1013", -1},
        {"201410-13", -1},
        {"2014-10", -1},
        {"2014-W40-2", -1},
        {"14-10-13", -1},
        {"2014-10-13T", -1},
        {"2014-10-13T01", -1},
        {"2014-10-13Z", -1},
        {"2014-10-13T24:00", -1},
        {"2014-10-13T01:60", -1},
        {"2014-10-13T01:02:60", -1},
        {"2014-10-13T01:02:03.", -1},
        {"2014-10-13T01:0203", -1},
        {"2014-10-13T01:02:03ZZ", -1},
        {"2014-10-13T01:02:03+24:00", -1},
        {"2014-10-13T01:02:03+2", -1},
        {"2014-10-13T01:02:03+02:", -1},
        {"2014-10-13T01:02:03 PST", -1},
        {"10/13/2014", -1},
        {"1413158400", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        const bool is_moment = tl_record_moment(&ms, tl_str_from_cstr(cases[i].text));
        if (ms != cases[i].ms || is_moment != (cases[i].ms != -1)) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, is_moment, (long long)ms);
        }
    }
}

static void addresses_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *form;
    } cases[] = {
        {"12 Oak Street, Seattle, WA 98103", "12 OAK ST SEATTLE WA 98103"},
        {"  12  oak st. , seattle wa 98103-0001 ", "12 OAK ST SEATTLE WA 98103"},
        {"12 Oak St, Seattle, WA 98103, USA", "12 OAK ST SEATTLE WA 98103"},
        {"12 Oak St, Seattle, WA 98103-0001, United States", "12 OAK ST SEATTLE WA 98103"},
        {"500 North West 5th Ave", "500 N W 5TH AVE"},
        {"500 N.W. 5th Avenue", "500 NW 5TH AVE"},
        {"1 O'Brien Boulevard Suite 200", "1 OBRIEN BLVD UNIT 200"},
        {"1 Obrien Blvd #200", "1 OBRIEN BLVD UNIT 200"},
        {"1 Obrien Blvd Apt #200", "1 OBRIEN BLVD UNIT 200"},
        {"34-12 Crescent Lane", "34 12 CRES LN"},
        {"Saint Mount Parkway", "ST MT PKWY"},
        {"98103-1234", "98103"},
        {"#", "UNIT"},
        {"###", "UNIT"},
        {"", ""},
        {" .,'- ", ""},
        {"USA", "USA"},
        {"Stra\xC3\x9F"
         "e 5",
         "STRA\xC3\x9F"
         "E 5"},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_str once = {NULL, 0};
        tl_str twice = {NULL, 0};
        assert_int_equal(tl_record_address(&once, arena, tl_str_from_cstr(cases[i].raw), NULL),
                         TL_OK);
        if (!tl_str_eq_cstr(once, cases[i].form)) {
            fail_msg("\"%s\" is \"%.*s\"", cases[i].raw, TL_STR_ARG(once));
        }
        assert_int_equal(tl_record_address(&twice, arena, once, NULL), TL_OK);
        assert_true(tl_str_eq(once, twice)); /* REC-3 */
    }
    char long_raw[3000];
    memset(long_raw, '#', sizeof long_raw);
    for (size_t i = 1; i < sizeof long_raw; i += 2) {
        long_raw[i] = 'a';
    }
    tl_str form = {NULL, 0};
    assert_int_equal(tl_record_address(&form, arena, (tl_str){long_raw, sizeof long_raw}, NULL),
                     TL_OK);
    assert_true(form.len <= TL_RECORD_ADDRESS_MAX && form.len > TL_RECORD_ADDRESS_MAX - 10);
    tl_arena_free(arena);
}

static void identities_follow_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *listing;
        const char *identity;
    } cases[] = {
        {"{\"zpid\":\" 7 \",\"uri\":\"u\",\"source_url\":\"s\",\"mls_id\":\"m\",\"address\":\"a\"}",
         "zpid:7"},
        {"{\"zpid\":7.0}", "zpid:7"},
        {"{\"zpid\":7.5}", "zpid:7.5"},
        {"{\"zpid\":null,\"uri\":\"u\",\"source_url\":\"s\",\"mls_id\":\"m\"}", "uri:u"},
        {"{\"zpid\":[],\"uri\":\"\",\"source_url\":\"\\u0073\",\"mls_id\":\"m\"}", "uri:s"},
        {"{\"zpid\":NaN,\"mls_id\":12}", "mls:12"},
        {"{\"mls_id\":\"nan\",\"address\":\"1 Oak Street\"}", "address:1 OAK ST"},
        {"{\"address\":5}", ""},
        {"{}", ""},
        {"null", ""},
        {"[{\"zpid\":1}]", ""},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tl_listing l = read_one(arena, cases[i].listing);
        assert_text(l.identity, cases[i].identity);
    }
    tl_arena_free(arena);
}

static void zipcodes_come_from_the_field_or_the_address(void **state)
{
    (void)state;
    static const struct {
        const char *listing;
        const char *zipcode;
    } cases[] = {
        {"{\"zipcode\":2134}", "02134"},
        {"{\"zipcode\":98101.0}", "98101"},
        {"{\"zipcode\":98101.5}", ""},
        {"{\"zipcode\":981010}", ""},
        {"{\"zipcode\":\" 98101-2222 \"}", "98101"},
        {"{\"zipcode\":\"2134\"}", ""},
        {"{\"zipcode\":\"\",\"address\":\"1 Oak St 98102-1111\"}", "98102"},
        {"{\"address\":\"98102\"}", ""},
        {"{\"address\":\"1 Oak 981022\"}", ""},
        {"{\"zipcode\":\"98101\",\"address\":\"1 Oak St 98102\"}", "98101"},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(read_one(arena, cases[i].listing).zipcode, cases[i].zipcode);
    }
    tl_arena_free(arena);
}

static void types_have_one_vocabulary(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_property_type type;
    } cases[] = {
        {"SINGLE_FAMILY", TL_PROPERTY_SINGLE_FAMILY},
        {"Single Family Residential", TL_PROPERTY_SINGLE_FAMILY},
        {"house", TL_PROPERTY_SINGLE_FAMILY},
        {"CONDO", TL_PROPERTY_CONDO},
        {"condominium", TL_PROPERTY_CONDO},
        {"TOWNHOUSE", TL_PROPERTY_TOWNHOUSE},
        {"townhome", TL_PROPERTY_TOWNHOUSE},
        {"MULTI_FAMILY", TL_PROPERTY_MULTI_FAMILY},
        {"Multi-Family (2-4 Unit)", TL_PROPERTY_MULTI_FAMILY},
        {"Duplex", TL_PROPERTY_MULTI_FAMILY},
        {"MANUFACTURED", TL_PROPERTY_MANUFACTURED},
        {"Mobile / Manufactured", TL_PROPERTY_MANUFACTURED},
        {"LAND", TL_PROPERTY_LAND},
        {"Lots/Land", TL_PROPERTY_LAND},
        {"vacant lot", TL_PROPERTY_LAND},
        {"APARTMENT", TL_PROPERTY_APARTMENT},
        {"OTHER", TL_PROPERTY_OTHER},
        {"castle", TL_PROPERTY_OTHER},
        {"", TL_PROPERTY_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tl_record_property_type(tl_str_from_cstr(cases[i].text)), cases[i].type);
    }
}

static void bad_objects_are_errors_with_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tl_err err;
        const char *field;
    } cases[] = {
        {"", TL_ERR_SYNTAX, ""},
        {"[]", TL_ERR_TYPE, ""},
        {"7", TL_ERR_TYPE, ""},
        {"{}", TL_ERR_MISSING, "listings"},
        {"{\"listings\":{}}", TL_ERR_TYPE, "listings"},
        {"{\"listings\":[],\"listings\":[]}", TL_ERR_DUPLICATE, "listings"},
        {"{\"zipcode\":\"1\",\"listings\":[]}", TL_ERR_RANGE, "zipcode"},
        {"{\"zipcode\":98101,\"zipcode\":98101,\"listings\":[]}", TL_ERR_DUPLICATE, "zipcode"},
        {"{\"listings\":[{\"price\":1,\"pr\\u0069ce\":2}]}", TL_ERR_DUPLICATE, "price"},
        {"{\"listings\":[{\"uri\":\"\",\"uri\":\"\"}]}", TL_ERR_DUPLICATE, "uri"},
        {"{\"listings\":[]", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[],}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[,]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{},]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{} {}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\" 1}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":01}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":1.}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":-}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":tru}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":\"\n\"}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":\"\\x\"}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":\"\\ud800\"}]}", TL_ERR_ENCODING, ""},
        {"{\"listings\":[{\"a\":\"\x80\"}]}", TL_ERR_ENCODING, ""},
        {"{\"listings\":[{a:1}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":[1}]}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[{\"a\":{\"b\":[}}]}", TL_ERR_SYNTAX, ""},
        {"{\"listings\":[]} 1", TL_ERR_SYNTAX, ""},
        {"\xEF\xBB\xBF{\"listings\":[]}", TL_ERR_SYNTAX, ""},
    };
    tl_arena *const arena = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = read_all(arena, cases[i].text, &ctx);
        if (err != cases[i].err || strcmp(ctx.field, cases[i].field) != 0 || !ctx.has_offset) {
            fail_msg("%s: %s, field \"%s\"", cases[i].text, tl_err_name(err), ctx.field);
        }
    }
    assert_int_equal(read_all(arena, " { \"a\" : [ ] , \"listings\" : [ ] } ", NULL),
                     TL_OK); /* REC-1 */
    tl_arena_free(arena);
}

static void depth_has_the_strict_reader_s_limit(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    for (size_t inner = 124; inner <= 126; inner++) {
        tl_sb sb;
        tl_str text = {NULL, 0};
        tl_sb_init(&sb, arena);
        tl_sb_put_cstr(&sb, "{\"listings\":[{\"x\":");
        tl_sb_put_repeat(&sb, '[', inner);
        tl_sb_put_repeat(&sb, ']', inner);
        tl_sb_put_cstr(&sb, "}]}");
        assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
        assert_int_equal(read_all(arena, text.ptr, NULL), inner <= 125 ? TL_OK : TL_ERR_LIMIT);
    }
    tl_arena_free(arena);
}

static void memory_does_not_grow_with_the_rows(void **state)
{
    (void)state;
    tl_arena *const arena = new_arena();
    tl_arena *scratch = NULL;
    assert_int_equal(tl_arena_new(&scratch, NULL, 64 << 10, NULL, NULL), TL_OK);
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "{\"listings\":[");
    for (int i = 0; i < 20000; i++) {
        tl_sb_printf(&sb, "%s{\"address\":\"%d Oak Street\",\"city\":\"\\u0041\"}",
                     i > 0 ? "," : "", i);
    }
    tl_sb_put_cstr(&sb, "]}");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    tl_listing_reader reader;
    assert_int_equal(tl_record_open(&reader, scratch, text, 5, NULL), TL_OK);
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    for (uint32_t i = 0; i < 20000; i++) {
        tl_listing listing;
        tl_listing again;
        bool has_listing = false;
        assert_int_equal(tl_record_next(&reader, &listing, &has_listing, NULL), TL_OK);
        assert_true(has_listing && listing.index == 5 + i);
        assert_int_equal(tl_record_at(&again, scratch, text, reader.offset, i, NULL), TL_OK);
        assert_true(tl_str_eq(again.identity, listing.identity));
        tl_arena_rewind(scratch, mark);
    }
    tl_arena_free(scratch);
    tl_arena_free(arena);
}

/* An allocator whose n-th block is not to be had. */
typedef struct scarce {
    size_t left;
} scarce;

static void *scarce_alloc(void *self, size_t len)
{
    scarce *const s = (scarce *)self;
    return s->left-- == 0 ? NULL : aligned_alloc(64, (len + 63) / 64 * 64);
}

static void scarce_release(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static const char text[] =
        "{\"listings\":[{\"address\":\"1 \\u0041\",\"uri\":\"\\u0041\"},{\"zpid\":1}]}";
    bool is_done = false;
    for (size_t n = 0; !is_done; n++) {
        scarce s = {n};
        const tl_allocator allocator = {&s, scarce_alloc, scarce_release};
        tl_arena *arena = NULL;
        if (tl_arena_new(&arena, NULL, 0, &allocator, NULL) != TL_OK) {
            continue;
        }
        tl_listing_reader reader;
        tl_err err = tl_record_open(&reader, arena, tl_str_from_cstr(text), 0, NULL);
        bool has_listing = true;
        while (err == TL_OK && has_listing) {
            tl_listing listing;
            err = tl_record_next(&reader, &listing, &has_listing, NULL);
        }
        assert_true(err == TL_OK || (err == TL_ERR_NOMEM && reader.is_ours));
        is_done = err == TL_OK;
        tl_arena_free(arena);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing_is_read_field_by_field),
        cmocka_unit_test(what_says_nothing_is_absent),
        cmocka_unit_test(what_cannot_be_read_is_there_and_unreadable),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(moments_are_iso),
        cmocka_unit_test(addresses_have_one_form),
        cmocka_unit_test(identities_follow_their_order),
        cmocka_unit_test(zipcodes_come_from_the_field_or_the_address),
        cmocka_unit_test(types_have_one_vocabulary),
        cmocka_unit_test(bad_objects_are_errors_with_a_place),
        cmocka_unit_test(depth_has_the_strict_reader_s_limit),
        cmocka_unit_test(memory_does_not_grow_with_the_rows),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
