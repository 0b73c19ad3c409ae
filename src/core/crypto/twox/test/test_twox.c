/* Attacks twox with the names that every Substrate chain hashes and with lengths around xxHash's blocks. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/crypto/strobe/test/golden.h"

#include "core/crypto/twox/twox.h"

/* Storage prefixes of a public chain: twox128 of the names of pallet and item. */
static void storage_prefixes_are_those_of_the_chain(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *hex;
    } known[] = {
        {"System", "26aa394eea5630e07c48ae0c9558cef7"},
        {"Account", "b99d880ec681799c0cf30e8886371da9"},
        {"Timestamp", "f0c365c3cf59d671eb72da0e7a4113c4"},
        {"Now", "9f1f0515f462cdcf84e0f1d6045dfcbb"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t want[16], got[16];
        assert_int_equal(tl_hex_decode(want, 16, tl_str_from_cstr(known[i].hex), NULL), TL_OK);
        tl_twox128(got, known[i].name, strlen(known[i].name));
        assert_memory_equal(got, want, 16);
    }
}

static void every_length_is_xxhash_under_each_seed(void **state)
{
    (void)state; /* TWOX-1 */
    static uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 131 + 5);
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        uint8_t one[8], two[16], four[32];
        tl_twox64(one, len != 0 ? data : NULL, len);
        tl_twox128(two, data, len);
        tl_twox256(four, data, len);
        assert_memory_equal(one, four, 8);
        assert_memory_equal(two, four, 16);
        for (size_t seed = 0; seed < 4; seed++) {
            XXH64_canonical_t big_endian;
            XXH64_canonicalFromHash(&big_endian, XXH64(data, len, seed));
            for (size_t k = 0; k < 8; k++) {
                assert_int_equal(four[8 * seed + k], big_endian.digest[7 - k]);
            }
        }
    }
}

static void the_empty_text_has_the_published_hash(void **state)
{
    (void)state;
    uint8_t got[8];
    static const uint8_t want[8] = {0x99, 0xe9, 0xd8, 0x51,
                                    0x37, 0xdb, 0x46, 0xef}; /* xxHash's own figure */
    tl_twox64(got, NULL, 0);
    assert_memory_equal(got, want, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_prefixes_are_those_of_the_chain),
        cmocka_unit_test(every_length_is_xxhash_under_each_seed),
        cmocka_unit_test(the_empty_text_has_the_published_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
