/* Attacks encrypted key files: the published ones open, one changed byte or another password does not, and a file that
 * cannot be whole is found before a password costs anything. Argon2i runs three times in all: the rest uses its key. */
#include "sdk/wallet/test/golden.h"

#include "sdk/wallet/wallet_internal.h"

static tl_bytes text_bytes(tl_str s)
{
    return tl_str_bytes(s);
}

/* A copy that can be bent. */
static uint8_t *copy_of(tl_bytes bytes)
{
    uint8_t *copy = TL_NEW(arena, uint8_t, bytes.len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    return copy;
}

/* With the right key the file opens, and with a wrong one, or any byte of it changed, it does not. */
static void only_the_whole_file_opens(tl_bytes file, const uint8_t *key, tl_str plaintext)
{
    tl__sealed sealed;
    tl_str plain = {NULL, 0};
    assert_int_equal(tl__seal_parse(&sealed, arena, file, NULL), TL_OK);
    assert_int_equal(tl__seal_open(&plain, arena, &sealed, key, NULL), TL_OK);
    assert_text(plain, plaintext);
    uint8_t other[TL__ANSIBLE_KEY_LEN];
    memcpy(other, key, TL__NACL_KEY_LEN);
    memset(other + TL__NACL_KEY_LEN, 0, sizeof other - TL__NACL_KEY_LEN);
    other[3] ^= 1;
    assert_int_equal(tl__seal_open(&plain, arena, &sealed, other, NULL), TL_ERR_REFUSED);
    uint8_t *bent = copy_of(file);
    for (size_t i = 0; i < file.len; i++) {
        bent[i] ^= 1;
        const tl_bytes now = {bent, file.len};
        tl_err err = TL_ERR_CORRUPT;
        if (tl_keyfile_kind_of(now) != TL_KEYFILE_PLAIN) {
            err = tl__seal_parse(&sealed, arena, now, NULL);
        }
        if (err == TL_OK) {
            err = tl__seal_open(&plain, arena, &sealed, key, NULL);
        }
        assert_true(err == TL_ERR_REFUSED || err == TL_ERR_CORRUPT || err == TL_ERR_VERSION);
        bent[i] ^= 1;
    }
    for (size_t len = 0; len < file.len; len++) { /* and cut anywhere */
        const tl_bytes now = {bent, len};
        if (tl_keyfile_kind_of(now) != TL_KEYFILE_PLAIN &&
            tl__seal_parse(&sealed, arena, now, NULL) == TL_OK) {
            assert_int_not_equal(tl__seal_open(&plain, arena, &sealed, key, NULL), TL_OK);
        }
    }
}

static const tl_json *first_of(const char *group)
{
    const tl_json *cases = tl_json_get(golden, group);
    assert_true(cases != NULL && cases->count > 0);
    return &cases->items[0];
}

static void nacl_files_open(void **state)
{
    (void)state;
    const tl_json *v = first_of("keyfile_nacl");
    const tl_bytes file = want_hex(v, "file");
    uint8_t key[TL__ANSIBLE_KEY_LEN];
    tl__sealed sealed;
    assert_int_equal(tl_keyfile_kind_of(file), TL_KEYFILE_NACL);
    assert_int_equal(tl__seal_parse(&sealed, arena, file, NULL), TL_OK);
    assert_int_equal(tl__seal_key(key, &sealed, want(v, "password"), NULL), TL_OK);
    assert_memory_equal(key, want_hex(v, "key").ptr, TL__NACL_KEY_LEN);
    only_the_whole_file_opens(file, key, want(v, "plaintext"));
}

static void what_was_encrypted_opens(void **state)
{
    (void)state;
    tl_seeded_entropy seed;
    const tl_entropy entropy = tl_seeded_entropy_start(&seed, 1);
    const tl_str plain = TL_STR("{\"secretSeed\":\"0x00\"}");
    tl_bytes file = {NULL, 0};
    tl_str again = {NULL, 0};
    assert_int_equal(tl_keyfile_encrypt(&file, arena, plain,
                                        TL_STR("Gr\xc3\xbc\xc3\x9f"
                                               "e!"),
                                        &entropy, NULL),
                     TL_OK);
    assert_int_equal(tl_keyfile_kind_of(file), TL_KEYFILE_NACL);
    assert_int_equal(file.len, 5 + 24 + 16 + plain.len);
    assert_int_equal(tl_keyfile_decrypt(&again, arena, file,
                                        TL_STR("Gr\xc3\xbc\xc3\x9f"
                                               "e!"),
                                        NULL),
                     TL_OK);
    assert_text(again, plain);
}

static void a_short_password_encrypts_nothing(void **state)
{
    (void)state;
    tl_seeded_entropy seed;
    const tl_entropy entropy = tl_seeded_entropy_start(&seed, 1);
    tl_bytes file = {NULL, 0};
    const tl_str plain = TL_STR("{}");
    assert_int_equal(tl_keyfile_encrypt(&file, arena, plain, TL_STR("short"), &entropy, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_keyfile_encrypt(&file, arena, plain, TL_STR(""), &entropy, NULL),
                     TL_ERR_RANGE);
    assert_null(file.ptr);
}

static void ansible_files_open(void **state)
{
    (void)state;
    const tl_json *v = first_of("keyfile_ansible");
    const tl_bytes file = text_bytes(want(v, "file"));
    tl_str plain = {NULL, 0};
    uint8_t key[TL__ANSIBLE_KEY_LEN];
    tl__sealed sealed;
    assert_int_equal(tl_keyfile_kind_of(file), TL_KEYFILE_ANSIBLE);
    assert_int_equal(tl_keyfile_decrypt(&plain, arena, file, want(v, "password"), NULL), TL_OK);
    assert_text(plain, want(v, "plaintext"));
    assert_int_equal(tl_keyfile_decrypt(&plain, arena, file, TL_STR("another"), NULL),
                     TL_ERR_REFUSED);
    assert_int_equal(tl__seal_parse(&sealed, arena, file, NULL), TL_OK);
    assert_int_equal(tl__seal_key(key, &sealed, want(v, "password"), NULL), TL_OK);
    uint8_t *bent = copy_of(file);
    for (size_t i = 200; i < file.len; i += 7) { /* behind the salt, which gives another key */
        const uint8_t was = bent[i];
        bent[i] = was == '3' ? '4' : '3';
        const tl_bytes now = {bent, file.len};
        if (tl_keyfile_kind_of(now) == TL_KEYFILE_ANSIBLE &&
            tl__seal_parse(&sealed, arena, now, NULL) == TL_OK) {
            assert_int_equal(tl__seal_open(&plain, arena, &sealed, key, NULL), TL_ERR_REFUSED);
        }
        bent[i] = was;
    }
    static const char *const broken[] = {
        "$ANSIBLE_VAULT;1.2;AES256\n3132",   "$ANSIBLE_VAULT;1.1;AES256",
        "$ANSIBLE_VAULT;1.1;AES256\n",       "$ANSIBLE_VAULT;1.1;AES256\nzz",
        "$ANSIBLE_VAULT;1.1;AES256\n313",    "$ANSIBLE_VAULT;1.1;AES256\n31320a31320a3132",
        "$ANSIBLE_VAULT;1.1;AES256\n0a0a0a",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const tl_err err = tl_keyfile_decrypt(
            &plain, arena, text_bytes(tl_str_from_cstr(broken[i])), TL_STR("x"), NULL);
        assert_true(err == TL_ERR_CORRUPT || err == TL_ERR_VERSION);
    }
}

static void fernet_files_open(void **state)
{
    (void)state;
    const tl_json *v = first_of("keyfile_fernet");
    const tl_bytes file = text_bytes(want(v, "file"));
    const tl_bytes key = want_hex(v, "key");
    uint8_t got[TL__ANSIBLE_KEY_LEN];
    tl__sealed sealed;
    tl_str plain = {NULL, 0};
    assert_int_equal(tl_keyfile_kind_of(file), TL_KEYFILE_FERNET);
    assert_int_equal(tl__seal_parse(&sealed, arena, file, NULL), TL_OK);
    assert_int_equal(tl__seal_key(got, &sealed, want(v, "password"), NULL),
                     TL_OK); /* 10^7 rounds */
    assert_memory_equal(got, key.ptr, key.len);
    only_the_whole_file_opens(file, got, want(v, "plaintext"));
    assert_int_equal(
        tl_keyfile_decrypt(&plain, arena, text_bytes(TL_STR("gAAAAA==")), TL_STR("x"), NULL),
        TL_ERR_CORRUPT);
    assert_int_equal(
        tl_keyfile_decrypt(&plain, arena, text_bytes(TL_STR("gAAAAAB!")), TL_STR("x"), NULL),
        TL_ERR_CORRUPT);
}

static void kinds_have_the_names_that_releases_report(void **state)
{
    (void)state;
    assert_string_equal(tl_keyfile_kind_name(TL_KEYFILE_NACL), "NaCl");
    assert_string_equal(tl_keyfile_kind_name(TL_KEYFILE_ANSIBLE), "Ansible Vault");
    assert_string_equal(tl_keyfile_kind_name(TL_KEYFILE_FERNET), "legacy");
    assert_string_equal(tl_keyfile_kind_name(TL_KEYFILE_PLAIN), "plain");
    assert_int_equal(tl_keyfile_kind_of((tl_bytes){NULL, 0}), TL_KEYFILE_PLAIN);
    assert_int_equal(tl_keyfile_kind_of(text_bytes(TL_STR("$NAC"))), TL_KEYFILE_PLAIN);
}

/* --- passwords --- */

static void the_environment_gives_the_password(void **state)
{
    (void)state;
    const tl_json *cases = tl_json_get(golden, "password_env");
    assert_true(cases != NULL && cases->count >= 6);
    for (uint32_t i = 0; i < cases->count; i++) {
        const tl_json *c = &cases->items[i];
        const tl_json *path = tl_json_get(c, "path");
        const char *name = NULL;
        const char *value = NULL;
        tl_str got = {NULL, 0};
        assert_int_equal(tl_str_copy_cstr(&name, arena,
                                          want(c, path != NULL ? "name" : "env_name_prefix"), NULL),
                         TL_OK);
        assert_int_equal(tl_str_copy_cstr(&value, arena, want(c, "value"), NULL), TL_OK);
        assert_int_equal(tl_password_env_decode(&got, arena, name, value, NULL), TL_OK);
        assert_text(got, want(c, "password"));
        assert_int_equal(tl_password_env_encode(&got, arena, name, want(c, "password"), NULL),
                         TL_OK);
        assert_text(got, want(c, "value"));
    }
    tl_str got = {NULL, 0};
    assert_int_equal(tl_password_env_decode(&got, arena, "BT_PW_X", "no base64!", NULL),
                     TL_ERR_ENCODING);
}

static void the_variable_is_named_after_the_path(void **state)
{
    (void)state;
    const tl_json *cases = tl_json_get(golden, "password_env");
    size_t seen = 0;
    for (uint32_t i = 0; i < cases->count; i++) {
        const char *path = NULL;
        const char *name = NULL;
        if (tl_json_get(&cases->items[i], "path") == NULL) {
            continue;
        }
        assert_int_equal(tl_str_copy_cstr(&path, arena, want(&cases->items[i], "path"), NULL),
                         TL_OK);
        assert_int_equal(tl_password_env_name(&name, arena, path, NULL), TL_OK);
        assert_text(tl_str_from_cstr(name), want(&cases->items[i], "name"));
        seen++;
    }
    assert_true(seen >= 3);
}

static void the_rule_of_passwords(void **state)
{
    (void)state;
    static char long_one[TL_PASSWORD_LEN_MAX + 1];
    memset(long_one, 'x', sizeof long_one);
    assert_int_equal(tl_password_check(TL_STR(""), NULL), TL_ERR_RANGE);
    assert_int_equal(tl_password_check(TL_STR("12345"), NULL), TL_ERR_RANGE);
    assert_int_equal(tl_password_check(TL_STR("123456"), NULL), TL_OK);
    assert_int_equal(tl_password_check(TL_STR("\xc3\xa4\xc3\xa4\xc3\xa4"), NULL), TL_ERR_RANGE);
    assert_int_equal(tl_password_check((tl_str){long_one, TL_PASSWORD_LEN_MAX}, NULL), TL_OK);
    assert_int_equal(tl_password_check((tl_str){long_one, sizeof long_one}, NULL), TL_ERR_LIMIT);
    assert_true(tl_password_is_weak(TL_STR("123456")));
    assert_true(tl_password_is_weak(TL_STR("password123")));
    assert_true(tl_password_is_weak(TL_STR("aaaaaaaaaaaaaaaaaaaa")));
    assert_true(tl_password_is_weak(TL_STR("qwertzuiop")));
    assert_false(tl_password_is_weak(TL_STR("correct horse battery staple")));
    assert_false(tl_password_is_weak(TL_STR("Tr0ub4dor&3")));
}

static void secrets_lie_in_locked_memory(void **state) /* WAL-4 */
{
    (void)state;
    tl_arena *locked = NULL;
    assert_int_equal(tl_wallet_arena_new(&locked, NULL), TL_OK);
    for (size_t size = 1; size < 20000; size = size * 3 + 1) { /* aligned, whatever its size */
        const void *p = tl_arena_alloc(locked, 1, size, 64);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
    }
    assert_null(TL_NEW(locked, uint8_t, TL_WALLET_SECRETS_LEN_MAX));
    assert_int_equal(tl_arena_fail(locked, NULL), TL_ERR_LIMIT);
    tl_arena_free(locked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nacl_files_open),
        cmocka_unit_test(what_was_encrypted_opens),
        cmocka_unit_test(a_short_password_encrypts_nothing),
        cmocka_unit_test(ansible_files_open),
        cmocka_unit_test(fernet_files_open),
        cmocka_unit_test(kinds_have_the_names_that_releases_report),
        cmocka_unit_test(the_environment_gives_the_password),
        cmocka_unit_test(the_variable_is_named_after_the_path),
        cmocka_unit_test(the_rule_of_passwords),
        cmocka_unit_test(secrets_lie_in_locked_memory),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
