/* Attacks the table of schemes: spellings of names and codes, verdicts of the vectors through the table, wrapped
 * messages, weak keys of every scheme, pins and allow lists. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "core/crypto/keypair/keypair.h"

static tl_arena *scratch;

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 || tl_arena_new(&scratch, NULL, 0, NULL, NULL) != TL_OK ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    tl_arena_free(scratch);
    return 0;
}

static void the_table_lists_each_scheme_once(void **state)
{
    (void)state;
    assert_int_equal(tl_scheme_count(), 2);
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        const tl_scheme *scheme = tl_scheme_at(i);
        assert_ptr_equal(tl_scheme_by_code(scheme->code), scheme);
        assert_ptr_equal(tl_scheme_by_name(tl_str_from_cstr(scheme->name)), scheme);
        assert_non_null(strstr(tl_scheme_names(), scheme->name));
    }
    assert_ptr_equal(tl_scheme_by_code(0), tl_scheme_ed25519());
    assert_ptr_equal(tl_scheme_by_code(1), tl_scheme_sr25519());
    assert_null(tl_scheme_by_code(2));
    assert_null(tl_scheme_by_code(UINT64_MAX));
    assert_null(tl_scheme_by_name(TL_STR("SR25519")));
    assert_null(tl_scheme_by_name(TL_STR("")));
}

static void people_may_write_name_or_code_in_any_case(void **state)
{
    (void)state;
    static const char *const sr[] = {"sr25519", "1", " SR25519\t", "Sr25519", "\n1 "};
    static const char *const ed[] = {"ed25519", "0", "ED25519", " 0"};
    static const char *const none[] = {"",
                                       " ",
                                       "01",
                                       "00",
                                       "+1",
                                       "2",
                                       "-0",
                                       "sr 25519",
                                       "sr25519x",
                                       "rs25519",
                                       "18446744073709551617",
                                       "ed25519ed25519ed25519",
                                       "1.0",
                                       "0x1"};
    for (size_t i = 0; i < sizeof sr / sizeof *sr; i++) {
        assert_ptr_equal(tl_scheme_parse(tl_str_from_cstr(sr[i])), tl_scheme_sr25519());
    }
    for (size_t i = 0; i < sizeof ed / sizeof *ed; i++) {
        assert_ptr_equal(tl_scheme_parse(tl_str_from_cstr(ed[i])), tl_scheme_ed25519());
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_null(tl_scheme_parse(tl_str_from_cstr(none[i])));
    }
}

/* Verdicts of a group through the table: plain, and wrapped as the SDKs retry. */
static void judge(golden g, const char *group, const tl_scheme *scheme, const char *verdict)
{
    const tl_json *rows = golden_rows(&g, group);
    size_t only_wrapped = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const tl_json *row = &rows->items[i];
        const tl_bytes key = golden_hex(&g, row, "public"),
                       signature = golden_hex(&g, row, "signature");
        const tl_bytes message = tl_str_bytes(golden_str(row, "message"));
        const tl_str note = golden_has(row, "note") ? golden_str(row, "note") : (tl_str){NULL, 0};
        const bool needs_wrapper = tl_str_starts_with(note, TL_STR("over <Bytes>")) ||
                                   tl_str_starts_with(note, TL_STR("the SDK verify wrapper"));
        const bool want = golden_bool(row, verdict) || needs_wrapper;
        assert_int_equal(tl_scheme_verify(scheme, key, message, signature), want && !needs_wrapper);
        assert_int_equal(tl_scheme_verify_wrapped(scheme, key, message, signature, scratch), want);
        only_wrapped += needs_wrapper;
        /* one scheme's signature is none of the other */
        const tl_scheme *other = scheme->code == 0 ? tl_scheme_sr25519() : tl_scheme_ed25519();
        assert_false(tl_scheme_verify_wrapped(other, key, message, signature, scratch));
    }
    assert_int_equal(only_wrapped, 1);
    golden_close(&g);
}

static void verdicts_are_those_of_the_vectors(void **state)
{
    (void)state;
    judge(golden_open("sr25519/test/golden/sr25519.json"), "sr25519_verify", tl_scheme_sr25519(),
          "valid");
    judge(golden_open("ed25519/test/golden/ed25519.json"), "ed25519_verify", tl_scheme_ed25519(),
          "tally");
}

static void nobody_signs_under_a_weak_key(void **state)
{
    (void)state; /* PAIR-2 */
    static const uint8_t zeros[64] = {0};
    uint8_t forged[64] = {0};
    const tl_bytes message = {(const uint8_t *)"send all", 8};
    forged[63] =
        0x80; /* sr25519: s = 0 and R the identity satisfy the equation under the identity */
    const tl_bytes identity = {zeros, 32};
    assert_false(tl_scheme_key_is_strong(tl_scheme_sr25519(), identity));
    assert_false(tl_scheme_verify(tl_scheme_sr25519(), identity, message, (tl_bytes){forged, 64}));
    uint8_t one[32] = {1}; /* ed25519: the identity */
    memset(forged, 0, sizeof forged);
    forged[0] = 1;
    assert_false(tl_scheme_key_is_strong(tl_scheme_ed25519(), (tl_bytes){one, 32}));
    assert_false(tl_scheme_verify(tl_scheme_ed25519(), (tl_bytes){one, 32}, message,
                                  (tl_bytes){forged, 64}));
    tl_hotkey key;
    tl_keypair *pair = NULL;
    memcpy(key.b, zeros, 32);
    assert_int_equal(tl_keypair_from_public(&pair, tl_scheme_sr25519(), &key, NULL), TL_ERR_RANGE);
    memcpy(key.b, one, 32);
    assert_int_equal(tl_keypair_from_public(&pair, tl_scheme_ed25519(), &key, NULL), TL_ERR_RANGE);
    assert_null(pair);
}

static void lengths_other_than_the_schemes_are_false(void **state)
{
    (void)state;
    static const uint8_t bytes[8192] = {4};
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        const tl_scheme *scheme = tl_scheme_at(i);
        for (size_t len = 0; len < sizeof bytes; len += len < 70 ? 1 : 1009) {
            assert_false(tl_scheme_verify(scheme, (tl_bytes){bytes, len}, (tl_bytes){bytes, 3},
                                          (tl_bytes){bytes, 64}));
            assert_false(tl_scheme_verify(scheme, (tl_bytes){bytes, 32}, (tl_bytes){bytes, 3},
                                          (tl_bytes){bytes, len}));
            if (len != 32) {
                assert_false(tl_scheme_key_is_strong(scheme, (tl_bytes){bytes, len}));
            }
        }
    }
}

static void a_wrapped_copy_that_does_not_fit_is_not_tried(void **state)
{
    (void)state;
    golden g = golden_open("ed25519/test/golden/ed25519.json");
    const tl_json *row = &golden_rows(&g, "ed25519_verify")->items[3];
    tl_arena *small = NULL;
    assert_int_equal(tl_arena_new(&small, NULL, 1, NULL, NULL), TL_OK);
    const tl_bytes key = golden_hex(&g, row, "public"),
                   signature = golden_hex(&g, row, "signature");
    const tl_bytes message = tl_str_bytes(golden_str(row, "message"));
    assert_true(tl_scheme_verify_wrapped(tl_scheme_ed25519(), key, message, signature, scratch));
    assert_false(tl_scheme_verify_wrapped(tl_scheme_ed25519(), key, message, signature, small));
    tl_arena_free(small);
    golden_close(&g);
}

static void a_pinned_key_keeps_its_scheme(void **state)
{
    (void)state;
    enum { PINS = 37 };
    tl_scheme_pin pins[PINS];
    for (size_t i = 0; i < PINS; i++) {
        memset(pins[i].key.b, (int)(i * 101 % 251), sizeof pins[i].key.b);
        pins[i].scheme = tl_scheme_at(i % 2);
    }
    tl_scheme_pin unsorted[PINS];
    memcpy(unsorted, pins, sizeof pins);
    assert_int_equal(tl_scheme_pins_sort(pins, PINS, NULL), TL_OK);
    const tl_scheme_policy policy = {NULL, 0, pins, PINS};
    for (size_t i = 0; i < PINS; i++) {
        const tl_scheme *own = unsorted[i].scheme, *other = tl_scheme_at((i + 1) % 2);
        assert_int_equal(tl_scheme_admit(&policy, &unsorted[i].key, own, NULL), TL_OK);
        assert_int_equal(tl_scheme_admit(&policy, &unsorted[i].key, other, NULL), TL_ERR_REFUSED);
    }
    tl_hotkey stranger;
    memset(stranger.b, 0xFE, sizeof stranger.b);
    for (size_t i = 0; i < tl_scheme_count(); i++) {
        assert_int_equal(tl_scheme_admit(&policy, &stranger, tl_scheme_at(i), NULL), TL_OK);
        assert_int_equal(tl_scheme_admit(NULL, &stranger, tl_scheme_at(i), NULL), TL_OK);
    }
    pins[4] = pins[20];
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_scheme_pins_sort(pins, PINS, &ctx), TL_ERR_DUPLICATE);
    assert_int_equal(tl_scheme_pins_sort(NULL, 0, NULL), TL_OK);
}

static void what_is_not_allowed_is_refused_for_everyone(void **state)
{
    (void)state;
    const tl_scheme *const only[] = {tl_scheme_sr25519()};
    tl_scheme_pin pin = {.scheme = tl_scheme_ed25519()};
    const tl_scheme_policy policy = {only, 1, &pin, 1}, nobody = {only, 0, NULL, 0};
    tl_hotkey key = {{1}};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_scheme_admit(&policy, &key, tl_scheme_sr25519(), NULL), TL_OK);
    assert_int_equal(tl_scheme_admit(&policy, &key, tl_scheme_ed25519(), &ctx), TL_ERR_REFUSED);
    assert_non_null(strstr(ctx.message, "ed25519"));
    assert_int_equal(tl_scheme_admit(&policy, &pin.key, tl_scheme_ed25519(), NULL), TL_ERR_REFUSED);
    assert_int_equal(tl_scheme_admit(&nobody, &key, tl_scheme_sr25519(), NULL), TL_ERR_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_lists_each_scheme_once),
        cmocka_unit_test(people_may_write_name_or_code_in_any_case),
        cmocka_unit_test(verdicts_are_those_of_the_vectors),
        cmocka_unit_test(nobody_signs_under_a_weak_key),
        cmocka_unit_test(lengths_other_than_the_schemes_are_false),
        cmocka_unit_test(a_wrapped_copy_that_does_not_fit_is_not_tried),
        cmocka_unit_test(a_pinned_key_keeps_its_scheme),
        cmocka_unit_test(what_is_not_allowed_is_refused_for_everyone),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
