/* Attacks look-ups that mind the case or take a part for the whole, and addresses that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/net/message/message.h"

static void names_are_found_in_any_case_and_whole(void **state)
{
    (void)state;
    const tl_http_header at[] = {{TL_STR("Content-Length"), TL_STR("1")},
                                 {TL_STR("X"), TL_STR("2")},
                                 {TL_STR("x"), TL_STR("3")}};
    const tl_http_headers headers = {at, 3};
    assert_ptr_equal(tl_http_find(headers, TL_STR("content-length")), &at[0]);
    assert_null(tl_http_find(headers, TL_STR("content-lengt")));
    assert_null(tl_http_find(headers, TL_STR("content_length")));
    assert_ptr_equal(tl_http_find(headers, TL_STR("x")), &at[1]);
    assert_int_equal(tl_http_count(headers, TL_STR("X")), 2);
    assert_true(tl_http_name_starts_with(TL_STR("BT_Header_x"), TL_STR("bt_header_")));
    assert_false(tl_http_name_starts_with(TL_STR("bt_"), TL_STR("bt_header_")));
    assert_false(tl_http_name_eq(TL_STR("a@"), TL_STR("a`"))); /* differ by the bit of case alone */
}

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out;
        bool is_v4;
        bool is_loopback;
    } cases[] = {{"127.0.0.1", "127.0.0.1", true, true},
                 {"127.255.0.9", "127.255.0.9", true, true},
                 {"10.0.0.1", "10.0.0.1", true, false},
                 {"::1", "::1", false, true},
                 {"[::1]", "::1", false, true},
                 {"::", "::", false, false},
                 {"::ffff:10.1.2.3", "10.1.2.3", true, false},
                 {"2001:DB8::1", "2001:db8::1", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_net_addr addr;
        char text[TL_NET_IP_TEXT_CAP];
        assert_true(tl_net_ip_parse(&addr, tl_str_from_cstr(cases[i].in), 80));
        assert_int_equal(tl_net_ip_text(text, &addr), strlen(cases[i].out));
        assert_string_equal(text, cases[i].out);
        assert_int_equal(tl_net_is_v4(&addr), cases[i].is_v4);
        assert_int_equal(tl_net_is_loopback(&addr), cases[i].is_loopback);
        tl_net_addr other = addr;
        other.port = 81;
        assert_true(tl_net_ip_eq(&addr, &other));
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "1.2.3", "1.2.3.4.5", "256.1.1.1", "[1.2.3.4]", "[::1",
        "::1]", ":::",   "::1%lo",    "localhost", " ::1",      "01.2.3.4x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tl_net_addr addr = {.port = 7};
        assert_false(tl_net_ip_parse(&addr, tl_str_from_cstr(bad[i]), 80));
        assert_int_equal(addr.port, 7);
    }
    tl_net_addr addr;
    assert_false(tl_net_ip_parse(&addr, (tl_str){"::1\0x", 5}, 80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_any_case_and_whole),
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
