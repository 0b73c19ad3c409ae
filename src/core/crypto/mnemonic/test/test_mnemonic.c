/* Attacks phrases: the published ones both ways, every length, each word wrong, swapped or cut in turn, white space and
 * capitals, entropy that fails; and the word list itself by its digest. */
#include "core/crypto/strobe/test/golden.h"

#include <sodium.h>

#include "base/world/world.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/mnemonic/mnemonic.h"
#include "core/crypto/mnemonic/mnemonic_internal.h"

#define DEVELOPMENT "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

static tl_str word_at(size_t index)
{
    size_t len = 0;
    while (len < TL__MNEMONIC_WORD_LEN_MAX && tl__mnemonic_words[index][len] != '\0') {
        len++;
    }
    return (tl_str){tl__mnemonic_words[index], len};
}

static void the_list_is_bip_39s(void **state)
{
    (void)state;
    tl_sha256_state sha;
    tl_hash32 digest;
    char hex[65];
    tl_sha256_init(&sha);
    for (size_t i = 0; i < TL__MNEMONIC_WORDS_COUNT; i++) {
        const tl_str word = word_at(i);
        tl_sha256_update(&sha, word.ptr, word.len);
        tl_sha256_update(&sha, "\n", 1);
    }
    tl_sha256_final(&sha, &digest);
    tl_hex_write(hex, digest.b, 32);
    assert_string_equal(hex, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

static void each_word_is_found_and_picked_at_its_place(void **state)
{
    (void)state; /* MNEM-2: the whole list is read for the first word and for the last */
    for (uint32_t i = 0; i < TL__MNEMONIC_WORDS_COUNT; i++) {
        char word[TL__MNEMONIC_WORD_LEN_MAX];
        tl__mnemonic_pick(word, i);
        assert_memory_equal(word, tl__mnemonic_words[i], sizeof word);
        assert_int_equal(tl__mnemonic_find(word), i);
        word[2] = '\1';
        assert_int_equal(tl__mnemonic_find(word), TL__MNEMONIC_WORDS_COUNT);
    }
    static const char none[TL__MNEMONIC_WORD_LEN_MAX] = {0};
    assert_int_equal(tl__mnemonic_find(none), TL__MNEMONIC_WORDS_COUNT);
}

static void published_phrases_go_both_ways_and_give_their_seeds(void **state)
{
    (void)state; /* MNEM-1 */
    golden g = golden_open("mnemonic/test/golden/substrate_bip39.json");
    const tl_json *group = tl_json_get(g.root, "substrate_bip39");
    const tl_str password = golden_str(group, "password");
    const tl_json *rows = tl_json_get(group, "vectors");
    assert_true(rows->count >= 24);
    for (size_t i = 0; i < rows->count; i++) {
        const tl_str phrase = golden_str(&rows->items[i], "phrase");
        const tl_bytes want = golden_hex(&g, &rows->items[i], "entropy");
        uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX], seed[TL_MNEMONIC_SEED_LEN];
        char text[TL_MNEMONIC_CAP];
        size_t len;
        assert_int_equal(tl_mnemonic_to_entropy(entropy, &len, phrase, NULL), TL_OK);
        assert_int_equal(len, want.len);
        assert_memory_equal(entropy, want.ptr, len);
        assert_int_equal(tl_mnemonic_from_entropy(text, entropy, len, NULL), TL_OK);
        assert_true(tl_str_eq_cstr(phrase, text));
        assert_int_equal(tl_mnemonic_seed(seed, phrase, password, NULL), TL_OK);
        assert_memory_equal(seed, golden_bytes(&g, &rows->items[i], "seed64", 64), 64);
    }
    const tl_json *bare = tl_json_get(group, "empty_password");
    assert_true(bare->count >= 2);
    for (size_t i = 0; i < bare->count; i++) {
        uint8_t seed[TL_MNEMONIC_SEED_LEN];
        const tl_str none = {NULL, 0};
        assert_int_equal(tl_mnemonic_seed(seed, golden_str(&bare->items[i], "phrase"), none, NULL),
                         TL_OK);
        assert_memory_equal(seed, golden_bytes(&g, &bare->items[i], "seed32", 32), 32);
    }
    golden_close(&g);
}

static void random_entropy_of_each_length_survives(void **state)
{
    (void)state; /* MNEM-1 */
    tl_seeded_entropy seeded;
    const tl_entropy entropy = tl_seeded_entropy_start(&seeded, 39);
    for (size_t round = 0; round < 200; round++) {
        const size_t words = 12 + 3 * (round % 5), len = words / 3 * 4;
        uint8_t bytes[TL_MNEMONIC_ENTROPY_MAX], back[TL_MNEMONIC_ENTROPY_MAX];
        char text[TL_MNEMONIC_CAP], again[TL_MNEMONIC_CAP];
        size_t back_len;
        assert_int_equal(tl_entropy_fill(&entropy, bytes, len, NULL), TL_OK);
        assert_int_equal(tl_mnemonic_from_entropy(text, bytes, len, NULL), TL_OK);
        assert_true(strlen(text) <= TL_MNEMONIC_TEXT_MAX);
        assert_int_equal(tl_mnemonic_to_entropy(back, &back_len, tl_str_from_cstr(text), NULL),
                         TL_OK);
        assert_int_equal(back_len, len);
        assert_memory_equal(back, bytes, len);
        assert_int_equal(tl_mnemonic_generate(again, words, &entropy, NULL), TL_OK);
        assert_int_equal(tl_mnemonic_check(tl_str_from_cstr(again), NULL), TL_OK);
        assert_string_not_equal(again, text);
    }
}

static tl_err check(const char *phrase, tl_errctx *ctx)
{
    return tl_mnemonic_check(tl_str_from_cstr(phrase), ctx);
}

static void case_and_white_space_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(check(DEVELOPMENT, NULL), TL_OK);
    assert_int_equal(
        check("\n Bottom  DRIVE\tobey lake curtain smoke\r\nbasket hold race lonely fit walk \n",
              NULL),
        TL_OK);
    assert_int_equal(
        check("bottomdrive obey lake curtain smoke basket hold race lonely fit walk", NULL),
        TL_ERR_RANGE);
}

static void another_number_of_words_is_refused(void **state)
{
    (void)state;
    char phrase[600] = "";
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t words = 0; words <= 40; words++) {
        const tl_err err = check(phrase, &ctx);
        const bool is_possible = words >= 12 && words <= 24 && words % 3 == 0;
        assert_true(is_possible ? err == TL_OK || err == TL_ERR_CORRUPT : err == TL_ERR_RANGE);
        (void)strcat(phrase, "abandon ");
    }
    char text[TL_MNEMONIC_CAP];
    uint8_t bytes[64] = {0};
    tl_seeded_entropy seeded;
    const tl_entropy entropy = tl_seeded_entropy_start(&seeded, 1);
    for (size_t n = 0; n <= 64; n++) {
        const bool is_words = n >= 12 && n <= 24 && n % 3 == 0;
        assert_int_equal(tl_mnemonic_generate(text, n, &entropy, NULL),
                         is_words ? TL_OK : TL_ERR_RANGE);
        const bool is_len = n >= 16 && n <= 32 && n % 4 == 0;
        assert_int_equal(tl_mnemonic_from_entropy(text, bytes, n, NULL),
                         is_len ? TL_OK : TL_ERR_RANGE);
    }
}

static void a_wrong_word_is_named_by_its_place_alone(void **state)
{
    (void)state; /* MNEM-3 */
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(
        check("bottom drive obey lake curtain smoke baskets hold race lonely fit walk", &ctx),
        TL_ERR_UNKNOWN);
    assert_non_null(strstr(ctx.message, "word 7"));
    assert_null(strstr(ctx.message, "basket"));
    assert_int_equal(
        check("bottom drive obey lake curtain smoke ba\xC3\xA9ket hold race lonely fit walk", &ctx),
        TL_ERR_UNKNOWN);
    assert_int_equal(
        check("drive bottom obey lake curtain smoke basket hold race lonely fit walk", &ctx),
        TL_ERR_CORRUPT);
    assert_null(strstr(ctx.message, "drive"));
    uint8_t out[TL_MNEMONIC_ENTROPY_MAX];
    memset(out, 0xA5, sizeof out);
    size_t len = 77;
    assert_int_equal(
        tl_mnemonic_to_entropy(
            out, &len,
            TL_STR("walk drive obey lake curtain smoke basket hold race lonely fit bottom"), NULL),
        TL_ERR_CORRUPT);
    assert_true(len == 77 && out[0] == 0xA5 && out[31] == 0xA5);
}

static void one_word_in_sixteen_passes_the_checksum(void **state)
{
    (void)state;
    static const char head[] = "bottom drive obey lake curtain smoke basket hold race lonely fit ";
    size_t passed = 0;
    for (size_t i = 0; i < TL__MNEMONIC_WORDS_COUNT; i++) {
        char phrase[128];
        const tl_str word = word_at(i);
        (void)snprintf(phrase, sizeof phrase, "%s%.*s", head, TL_STR_ARG(word));
        const tl_err err = check(phrase, NULL);
        assert_true(err == TL_OK || err == TL_ERR_CORRUPT);
        passed += err == TL_OK;
    }
    assert_int_equal(passed, TL__MNEMONIC_WORDS_COUNT / 16);
}

static void too_much_is_refused_before_it_is_read(void **state)
{
    (void)state;
    static char spaces[TL_MNEMONIC_INPUT_MAX + 1];
    memset(spaces, ' ', sizeof spaces);
    memcpy(spaces, DEVELOPMENT, sizeof DEVELOPMENT - 1);
    assert_int_equal(tl_mnemonic_check((tl_str){spaces, sizeof spaces - 1}, NULL), TL_OK);
    assert_int_equal(tl_mnemonic_check((tl_str){spaces, sizeof spaces}, NULL), TL_ERR_LIMIT);
    uint8_t seed[TL_MNEMONIC_SEED_LEN];
    static char password[TL_MNEMONIC_PASSPHRASE_MAX + 1];
    assert_int_equal(
        tl_mnemonic_seed(seed, TL_STR(DEVELOPMENT), (tl_str){password, sizeof password - 1}, NULL),
        TL_OK);
    assert_int_equal(
        tl_mnemonic_seed(seed, TL_STR(DEVELOPMENT), (tl_str){password, sizeof password}, NULL),
        TL_ERR_LIMIT);
}

static tl_err no_entropy(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    (void)out;
    (void)len;
    return tl_fail(ctx, TL_ERR_IO, "no entropy");
}

static void without_entropy_there_is_no_phrase(void **state)
{
    (void)state;
    const tl_entropy broken = {NULL, no_entropy};
    char text[TL_MNEMONIC_CAP] = "untouched";
    assert_int_equal(tl_mnemonic_generate(text, 12, &broken, NULL), TL_ERR_IO);
    assert_string_equal(text, "untouched");
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_bip_39s),
        cmocka_unit_test(each_word_is_found_and_picked_at_its_place),
        cmocka_unit_test(published_phrases_go_both_ways_and_give_their_seeds),
        cmocka_unit_test(random_entropy_of_each_length_survives),
        cmocka_unit_test(case_and_white_space_do_not_matter),
        cmocka_unit_test(another_number_of_words_is_refused),
        cmocka_unit_test(a_wrong_word_is_named_by_its_place_alone),
        cmocka_unit_test(one_word_in_sixteen_passes_the_checksum),
        cmocka_unit_test(too_much_is_refused_before_it_is_read),
        cmocka_unit_test(without_entropy_there_is_no_phrase),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
