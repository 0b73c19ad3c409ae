/* Attacks plain key files: every form that a release writes is read as that release reads it, what is written is what all
 * of them open, and a file that says two things is refused, whichever two. */
#include "sdk/wallet/test/golden.h"

#include "sdk/wallet/wallet_internal.h"

#define PHRASE "old leopard transfer rib spatial phone calm indicate online fire caution review"
#define SEED   "0xda3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143"
#define PRIVATE                                                                                    \
    "0x1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a9cffd34d9fb01cae1fba61aeed" \
    "18"                                                                                           \
    "4c817442a2186d5172416729a4b54dd4b84e"
#define PUBLIC     "0xe4359ad3e2716c539a1d663ebd0a51bdc5c98a12e663bb4c4402db47828c9446"
#define ADDRESS    "5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX"
#define PUBLIC_ED  "0xf90bc712b5f2864051353177a9d627605d4bf7ec36c7df568cfdcea9f237c185"
#define ADDRESS_ED "5HhFH9GvwCST4kRVoFREE7qDJcjYteR5unhQCrBGhhGuRgNb"
#define ALICE      "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define ONES       "0x1111111111111111111111111111111111111111111111111111111111111111"

static tl_err decode(tl_keypair **out, const char *text, tl_errctx *ctx)
{
    return tl_keyfile_decode(out, tl_str_bytes(tl_str_from_cstr(text)), ctx);
}

static void assert_pair(const tl_keypair *pair, const char *address, unsigned code, bool can_sign)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
    assert_string_equal(text, address);
    assert_int_equal(tl_keypair_scheme(pair)->code, code);
    assert_int_equal(tl_keypair_can_sign(pair), can_sign);
}

static void reads(const char *text, const char *address, unsigned code, bool can_sign)
{
    tl_keypair *pair = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = decode(&pair, text, &ctx);
    if (err != TL_OK) {
        print_message("# %s: %s\n", text, ctx.message);
    }
    assert_int_equal(err, TL_OK);
    assert_int_equal(ctx.code, TL_OK);
    assert_pair(pair, address, code, can_sign);
    tl_keypair_free(pair);
}

static void refuses(const char *text, tl_err want_err, const char *field)
{
    tl_keypair *pair = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = decode(&pair, text, &ctx);
    if (err != want_err) {
        print_message("# %s: %s, %s\n", text, tl_err_name(err), ctx.message);
    }
    assert_int_equal(err, want_err);
    assert_int_equal(ctx.code, want_err);
    assert_null(pair);
    assert_string_equal(ctx.field, field);
    assert_null(strstr(ctx.message, "leopard")); /* no secret is repeated */
    assert_null(strstr(ctx.message, "da3cf5b1e9"));
}

/* --- V:keyfile_read, V:keyfile_json --- */

static void one_case_is_read(const tl_json *c)
{
    const tl_json *signs = tl_json_get(c, "signs");
    const tl_str file = json_text(tl_json_get(c, "file"));
    tl_keypair *pair = NULL;
    bool is_readable = false;
    assert_int_equal(tl_json_want_bool(&is_readable, c, "readable", NULL), TL_OK);
    const tl_err err = tl_keyfile_decode(&pair, tl_str_bytes(file), NULL);
    if ((err == TL_OK) != is_readable) {
        print_message("# %.*s\n", TL_STR_ARG(want(c, "note")));
    }
    assert_int_equal(err == TL_OK, is_readable);
    if (is_readable) {
        uint64_t code = 9;
        const char *address = NULL;
        assert_int_equal(tl_json_want_u64(&code, c, "crypto_type", NULL), TL_OK);
        assert_int_equal(tl_str_copy_cstr(&address, arena, want(c, "ss58_42"), NULL), TL_OK);
        assert_pair(pair, address, (unsigned)code, signs != NULL && signs->boolean);
        tl_keypair_free(pair);
    }
}

static void files_are_read_as_releases_read_them(void **state)
{
    (void)state;
    const tl_json *cases = tl_json_get(golden, "keyfile_read");
    assert_non_null(cases);
    assert_true(cases->count >= 18);
    for (uint32_t i = 0; i < cases->count; i++) {
        one_case_is_read(&cases->items[i]);
    }
}

/* The text has each member of fields, and nothing else but cryptoType. */
static void assert_fields(tl_str text, const tl_json *fields)
{
    const tl_json *got = NULL;
    assert_int_equal(tl_json_parse(&got, arena, text, NULL, NULL), TL_OK);
    for (uint32_t i = 0; i < fields->count; i++) {
        const tl_json *value = tl_json_get_str(got, fields->members[i].key);
        assert_non_null(value);
        assert_text(value->text, fields->members[i].value.text);
    }
    assert_int_equal(got->count, fields->count);
}

static void what_is_written_is_what_all_releases_open(void **state)
{
    (void)state;
    const tl_json *cases = tl_json_get(golden, "keyfile_json");
    tl_keypair *pair = NULL;
    tl_keypair *again = NULL;
    tl_str text = {NULL, 0};
    assert_int_equal(
        tl_keypair_from_mnemonic(&pair, tl_scheme_sr25519(), TL_STR(PHRASE), TL_STR(""), NULL),
        TL_OK);
    assert_int_equal(tl_keyfile_encode(&text, arena, pair, NULL), TL_OK);
    assert_fields(text, tl_json_get(&cases->items[0], "fields")); /* six, without cryptoType */
    assert_int_equal(tl_keyfile_encode_public(&text, arena, pair, NULL), TL_OK);
    assert_fields(text, tl_json_get(&cases->items[1], "fields"));
    tl_keypair_free(pair);
    const tl_bytes key = want_hex(&cases->items[2], "privateKey");
    assert_int_equal(tl_keypair_from_private(&pair, tl_scheme_sr25519(), key, NULL), TL_OK);
    assert_int_equal(tl_keyfile_encode(&text, arena, pair, NULL), TL_OK);
    assert_int_equal(tl_keyfile_decode(&again, tl_str_bytes(text), NULL), TL_OK);
    assert_pair(again, ADDRESS, 1, true);
    tl_keypair_free(again);
    tl_keypair_free(pair);
}

static void ed25519_is_written_with_its_number_and_seed(void **state)
{
    (void)state;
    tl_keypair *pair = NULL;
    tl_str text = {NULL, 0};
    const tl_json *got = NULL;
    uint64_t code = 9;
    assert_int_equal(
        tl_keypair_from_mnemonic(&pair, tl_scheme_ed25519(), TL_STR(PHRASE), TL_STR(""), NULL),
        TL_OK);
    assert_int_equal(tl_keyfile_encode(&text, arena, pair, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&got, arena, text, NULL, NULL), TL_OK);
    assert_int_equal(tl_json_want_u64(&code, got, "cryptoType", NULL), TL_OK);
    assert_int_equal(code, 0);
    assert_text(want(got, "privateKey"), TL_STR(SEED));
    assert_text(want(got, "secretSeed"), TL_STR(SEED));
    assert_text(want(got, "publicKey"), TL_STR(PUBLIC_ED));
    assert_text(want(got, "ss58Address"), TL_STR(ADDRESS_ED));
    assert_int_equal(got->count, 7);
    assert_int_equal(tl_keyfile_encode_public(&text, arena, pair, NULL), TL_OK);
    assert_int_equal(tl_json_parse(&got, arena, text, NULL, NULL), TL_OK);
    assert_int_equal(got->count, 4); /* with cryptoType: 4.1 and SDK 11 look for it there too */
    tl_keypair_free(pair);
}

/* --- other forms --- */

static void the_address_finds_the_scheme(void **state)
{
    (void)state;
    reads("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"" ADDRESS_ED "\"}", ADDRESS_ED, 0,
          true);
    reads("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"" ADDRESS_ED "\",\"cryptoType\":1}",
          ADDRESS_ED, 0, true);
    reads("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"" ADDRESS "\",\"cryptoType\":0}",
          ADDRESS, 1, true);
    reads("{\"privateKey\":\"" SEED "\",\"ss58Address\":\"" ADDRESS_ED "\"}", ADDRESS_ED, 0, true);
    reads("{\"privateKey\":\"" PRIVATE "\",\"ss58Address\":\"" ADDRESS "\",\"cryptoType\":0}",
          ADDRESS, 1, true);
}

static void the_number_may_be_text(void **state)
{
    (void)state;
    reads("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":\"0\"}", ADDRESS_ED, 0, true);
    reads("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":\" 1\"}", ADDRESS, 1, true);
    reads("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":\"ed25519\"}", ADDRESS, 1,
          true); /* ignored */
    reads("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":null}", ADDRESS, 1, true);
    reads("{\"ss58Address\":\"" ADDRESS "\",\"cryptoType\":0}", ADDRESS, 0, false);
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":\"7\"}", TL_ERR_UNKNOWN, "cryptoType");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":-1}", TL_ERR_UNKNOWN, "cryptoType");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":1.0}", TL_ERR_UNKNOWN, "cryptoType");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":257}", TL_ERR_UNKNOWN, "cryptoType");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"cryptoType\":18446744073709551617}", TL_ERR_UNKNOWN,
            "cryptoType");
}

static void bare_seeds_and_phrases_are_read(void **state)
{
    (void)state;
    reads(SEED, ADDRESS, 1, true);
    reads("  da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143\n", ADDRESS, 1, true);
    reads(PRIVATE, ADDRESS, 1, true);
    reads(" " PHRASE "\r\n", ADDRESS, 1, true);
    refuses("", TL_ERR_SYNTAX, "");
    refuses(ADDRESS, TL_ERR_SYNTAX, "");
    refuses("//Alice", TL_ERR_SYNTAX, "");
    refuses("\"" PHRASE "\"", TL_ERR_UNKNOWN, ""); /* the first word is "old with a quote */
    refuses("0xda3c", TL_ERR_RANGE, "seed");
    refuses("[1]", TL_ERR_SYNTAX, "");
    refuses("\xef\xbb\xbf{\"secretSeed\":\"" SEED "\"}", TL_ERR_SYNTAX, "");
}

static void ed25519_private_keys_of_two_halves(void **state)
{
    (void)state;
    const char *const digits = "da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143";
    char text[512];
    (void)tl_str_print(text, sizeof text, "{\"cryptoType\":0,\"privateKey\":\"%s%s\"}", digits,
                       &PUBLIC_ED[2]);
    reads(text, ADDRESS_ED, 0, true);
    (void)tl_str_print(text, sizeof text, "{\"cryptoType\":0,\"privateKey\":\"%s%s\"}", digits,
                       &PUBLIC[2]);
    refuses(text, TL_ERR_CORRUPT, "privateKey");
}

/* --- contradictions --- */

static void contradictions_are_refused(void **state) /* WAL-1 */
{
    (void)state;
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"" ALICE "\"}", TL_ERR_CORRUPT,
            "ss58Address");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"xyz\"}", TL_ERR_CORRUPT,
            "ss58Address");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"ss58Address\":\"\"}", TL_ERR_CORRUPT,
            "ss58Address");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"publicKey\":\"" PUBLIC_ED "\"}", TL_ERR_CORRUPT,
            "publicKey");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"accountId\":\"" ONES "\"}", TL_ERR_CORRUPT,
            "accountId");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"publicKey\":\"0x12\"}", TL_ERR_SYNTAX, "publicKey");
    refuses("{\"secretPhrase\":\"" PHRASE "\",\"secretSeed\":\"" ONES "\"}", TL_ERR_CORRUPT,
            "secretSeed");
    refuses("{\"secretSeed\":\"" SEED "\",\"privateKey\":\"" ONES "\"}", TL_ERR_CORRUPT,
            "privateKey");
    refuses("{\"ss58Address\":\"" ADDRESS "\",\"publicKey\":\"" PUBLIC_ED "\"}", TL_ERR_CORRUPT,
            "publicKey");
    refuses("{\"cryptoType\":0,\"secretPhrase\":\"" PHRASE "\",\"publicKey\":\"" PUBLIC "\"}",
            TL_ERR_CORRUPT, "publicKey");
    refuses("{\"secretSeed\":\"" SEED "\",\"secretSeed\":\"" SEED "\"}", TL_ERR_DUPLICATE,
            "secretSeed");
    /* one key, spelled for another network: as SDK 11, not for a secret, but for an address alone */
    reads("{\"ss58Address\":\"16ADqpMa4yzfmWs3nuTSMhfZ2ckeGtvqhPWCNqECEGDcGgU2\"}", ADDRESS, 1,
          false);
    refuses("{\"secretPhrase\":\"" PHRASE
            "\",\"ss58Address\":\"16ADqpMa4yzfmWs3nuTSMhfZ2ckeGtvqhPWCNqECEGDcGgU2\"}",
            TL_ERR_CORRUPT, "ss58Address");
}

static void the_first_part_decides_though_a_later_one_is_good(void **state)
{
    (void)state;
    refuses("{\"secretPhrase\":\"\",\"secretSeed\":\"" SEED "\"}", TL_ERR_RANGE, "secretPhrase");
    refuses("{\"secretSeed\":\"0x\",\"privateKey\":\"" PRIVATE "\"}", TL_ERR_RANGE, "secretSeed");
    refuses("{\"secretSeed\":\"" PRIVATE "\"}", TL_ERR_RANGE, "secretSeed");
    refuses("{\"privateKey\":\"0x12\",\"ss58Address\":\"" ADDRESS "\"}", TL_ERR_RANGE,
            "privateKey");
    refuses("{\"privateKey\":\"" ONES "zz\"}", TL_ERR_RANGE, "privateKey");
    refuses("{\"secretSeed\":\"0X"
            "da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143\"}",
            TL_ERR_RANGE, "secretSeed");
    reads("{\"secretPhrase\":5,\"secretSeed\":\"" SEED "\"}", ADDRESS, 1,
          true); /* no text: not there */
    reads("{\"secretSeed\":\"" SEED "\",\"privateKey\":\"broken\"}", ADDRESS, 1, true);
    refuses("{\"publicKey\":\"" PUBLIC "\"}", TL_ERR_MISSING, "");
    refuses("{\"ss58Address\":\"5" ADDRESS "\"}", TL_ERR_SYNTAX, "ss58Address");
}

static void files_too_long_are_not_looked_at(void **state)
{
    (void)state;
    static char text[TL_KEYFILE_LEN_MAX + 2];
    tl_keypair *pair = NULL;
    memset(text, ' ', sizeof text - 1);
    memcpy(text, SEED, sizeof SEED - 1);
    assert_int_equal(
        tl_keyfile_decode(&pair, (tl_bytes){(const uint8_t *)text, TL_KEYFILE_LEN_MAX}, NULL),
        TL_OK);
    tl_keypair_free(pair);
    refuses(text, TL_ERR_LIMIT, "");
}

/* --- polkadot-js --- */

/* The JSON of the vector, with one piece of it replaced. */
static tl_str polkadot_json(const char *find, const char *put)
{
    tl_sb sb;
    tl_str text = json_text(tl_json_get(golden, "polkadot_json_v3"));
    tl_str out = {NULL, 0};
    const char *at = find != NULL ? strstr(text.ptr, find) : NULL;
    if (find == NULL) {
        return text;
    }
    assert_non_null(at);
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, tl_str_slice(text, 0, (size_t)(at - text.ptr)));
    tl_sb_put_cstr(&sb, put);
    tl_sb_put_cstr(&sb, at + strlen(find));
    assert_int_equal(tl_sb_finish(&out, &sb, NULL), TL_OK);
    return out;
}

static tl_err import(const char *find, const char *put, const char *password)
{
    tl_keypair *pair = NULL;
    const tl_err err = tl_keyfile_import_polkadot(&pair, polkadot_json(find, put),
                                                  tl_str_from_cstr(password), NULL);
    assert_int_equal(pair != NULL, err == TL_OK);
    tl_keypair_free(pair);
    return err;
}

static void polkadot_json_is_imported(void **state)
{
    (void)state;
    const tl_json *v = tl_json_get(golden, "polkadot_json_v3");
    tl_keypair *pair = NULL;
    tl_bytes key = {NULL, 0};
    assert_int_equal(tl_keyfile_import_polkadot(&pair, json_text(v), want(v, "passphrase"), NULL),
                     TL_OK);
    assert_pair(pair, "5CuByUQBWZci5AtXonuHHhcbRL3yxM5xDdJsTNaYN3vPDY6f", 1, true);
    assert_true(tl_keypair_borrow_private(&key, pair));
    const tl_bytes want_key = want_hex(v, "secret64_canonical");
    assert_int_equal(key.len, want_key.len);
    assert_memory_equal(key.ptr, want_key.ptr, key.len);
    tl_keypair_free(pair);
}

static void polkadot_json_that_is_wrong_is_refused(void **state)
{
    (void)state;
    assert_int_equal(import(NULL, NULL, "Password124"), TL_ERR_REFUSED);
    assert_int_equal(import("\"version\":\"3\"", "\"version\":\"2\"", "x"), TL_ERR_VERSION);
    assert_int_equal(import("\"sr25519\"", "\"ed25519\"", "x"), TL_ERR_UNKNOWN);
    assert_int_equal(import("\"xsalsa20-poly1305\"", "\"none\"", "x"), TL_ERR_UNKNOWN);
    assert_int_equal(import("\"encoded\"", "\"coded\"", "x"), TL_ERR_MISSING);
    assert_int_equal(import("\"encoding\"", "\"coding\"", "x"), TL_ERR_MISSING);
    assert_int_equal(import("Z1yzxASu", "Z1yzxAS-", "x"), TL_ERR_ENCODING);
    assert_int_equal(import("Z1yzxASu", "", "x"), TL_ERR_CORRUPT);    /* six bytes short */
    assert_int_equal(import("\"scrypt\",", "", "x"), TL_ERR_CORRUPT); /* then it is too long */
    /* scrypt that would cost more than polkadot-js ever asks for: N 2^26, N no power of two, p 11, r 9, N 0 */
    assert_int_equal(import("yZgAgAAAAQAAAAgAAACS", "yZgAAAAEAQAAAAgAAACS", "x"), TL_ERR_LIMIT);
    assert_int_equal(import("yZgAgAAAAQAAAAgAAACS", "yZgAgQAAAQAAAAgAAACS", "x"), TL_ERR_LIMIT);
    assert_int_equal(import("yZgAgAAAAQAAAAgAAACS", "yZgAgAAACwAAAAgAAACS", "x"), TL_ERR_LIMIT);
    assert_int_equal(import("yZgAgAAAAQAAAAgAAACS", "yZgAgAAAAQAAAAkAAACS", "x"), TL_ERR_LIMIT);
    assert_int_equal(import("yZgAgAAAAQAAAAgAAACS", "yZgAAAAAAQAAAAgAAACS", "x"), TL_ERR_LIMIT);
    assert_int_equal(
        import("5CuByUQBWZci5AtXonuHHhcbRL3yxM5xDdJsTNaYN3vPDY6f", ALICE, "Password123"),
        TL_ERR_CORRUPT); /* WAL-1 */
}

static void what_polkadot_json_hides_is_checked_too(void **state)
{
    (void)state;
    const tl_bytes good = want_hex(tl_json_get(golden, "polkadot_json_v3"), "pkcs8");
    uint8_t bytes[128];
    tl_keypair *pair = NULL;
    assert_int_equal(tl__polkadot_key(&pair, good, TL_STR(""), NULL), TL_OK);
    tl_keypair_free(pair);
    pair = NULL;
    static const size_t bent[] = {0, 15, 16, 47, 80, 84, 85, 116}; /* each part, at its ends */
    for (size_t i = 0; i < sizeof bent / sizeof *bent; i++) {
        memcpy(bytes, good.ptr, good.len);
        bytes[bent[i]] ^= 1;
        assert_int_not_equal(tl__polkadot_key(&pair, (tl_bytes){bytes, good.len}, TL_STR(""), NULL),
                             TL_OK);
    }
    assert_int_equal(tl__polkadot_key(&pair, (tl_bytes){good.ptr, good.len - 1}, TL_STR(""), NULL),
                     TL_ERR_CORRUPT);
    assert_null(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_releases_read_them),
        cmocka_unit_test(what_is_written_is_what_all_releases_open),
        cmocka_unit_test(ed25519_is_written_with_its_number_and_seed),
        cmocka_unit_test(the_address_finds_the_scheme),
        cmocka_unit_test(the_number_may_be_text),
        cmocka_unit_test(bare_seeds_and_phrases_are_read),
        cmocka_unit_test(ed25519_private_keys_of_two_halves),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(the_first_part_decides_though_a_later_one_is_good),
        cmocka_unit_test(files_too_long_are_not_looked_at),
        cmocka_unit_test(polkadot_json_is_imported),
        cmocka_unit_test(polkadot_json_that_is_wrong_is_refused),
        cmocka_unit_test(what_polkadot_json_hides_is_checked_too),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
