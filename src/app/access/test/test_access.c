/* Attacks tokens with every bit turned, other algorithms, other keys, times around the edges; keys with revocation, expiry,
 * rotation and look-alikes; and asks the audit log whether it saw all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/access/access_internal.h"
#include "io/sys/sys.h"

#define S     INT64_C(1000000000)
#define NOW_S INT64_C(1800000000)

static tl_arena *arena;
static tl_records *records;
static tl_access *access_;
static tl_manual_clock clock_;
static char dir[64];
static const tl_access_actor actor = {{"cli:uid:7", 9}, {"trace", 5}};

static void open_access(void)
{
    const tl_access_options options = {
        .dir = dir, .records = records, .clock = tl_manual_clock_start(&clock_, NOW_S * S)};
    assert_int_equal(tl_access_open(&access_, &options, NULL), TL_OK);
}

static int begin(void **state)
{
    (void)state;
    char path[128];
    tl_str_print(dir, sizeof dir, "/tmp/tally-access.XXXXXX");
    assert_non_null(mkdtemp(dir));
    tl_str_print(path, sizeof path, "%s/service.db", dir);
    const tl_sql_options sql = {.path = path};
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_records_open(&records, &sql, TL_RECORDS_USE, NULL), TL_OK);
    open_access();
    return 0;
}

static int end(void **state)
{
    (void)state;
    tl_access_close(access_);
    tl_records_close(records);
    tl_arena_free(arena);
    const char *const *names;
    size_t count;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_list_dir(&names, &count, arena, dir, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        tl_str_print(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    tl_arena_free(arena);
    return 0;
}

/* --- tokens --- */

static tl_str make_token(tl_api_role role, int64_t ttl_s)
{
    tl_str token;
    int64_t expires_s;
    char jti[33];
    assert_int_equal(tl_access_make_token(access_, &token, &expires_s, jti, arena, role, ttl_s,
                                          TL_STR("somebody"), NULL),
                     TL_OK);
    assert_int_equal(expires_s, clock_.wall_ns / S + ttl_s);
    return token;
}

static tl_err check(tl_str token)
{
    tl_api_caller caller = {.role = TL_API_ROLE_NONE};
    const tl_err err = tl_access_check_token(access_, &caller, token, NULL);
    assert_int_equal(caller.role == TL_API_ROLE_NONE, err != TL_OK);
    return err;
}

static void a_token_has_its_role_for_its_time(void **state)
{
    (void)state;
    for (int role = TL_API_ROLE_VIEWER; role <= TL_API_ROLE_ADMIN; role++) {
        tl_api_caller caller = {.role = TL_API_ROLE_NONE};
        const tl_str token = make_token((tl_api_role)role, 100);
        assert_int_equal(tl_access_check_token(access_, &caller, token, NULL), TL_OK);
        assert_int_equal(caller.role, role);
        assert_int_equal(strlen(caller.subject), 6 + 32);
    }
    const tl_str token = make_token(TL_API_ROLE_ADMIN, 100);
    clock_.wall_ns = (NOW_S + 100 + TL_ACCESS_SKEW_S) * S - 1; /* ACCESS-2 */
    assert_int_equal(check(token), TL_OK);
    clock_.wall_ns += 1;
    assert_int_equal(check(token), TL_ERR_REFUSED);
    clock_.wall_ns = (NOW_S - TL_ACCESS_SKEW_S) * S;
    assert_int_equal(check(token), TL_OK);
    clock_.wall_ns -= S;
    assert_int_equal(check(token), TL_ERR_REFUSED);
}

static void a_turned_bit_is_seen_wherever_it_is(void **state)
{
    (void)state;
    const tl_str token = make_token(TL_API_ROLE_VIEWER, 100);
    char bent[TL_ACCESS_TOKEN_LEN_MAX];
    for (size_t i = 0; i < token.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bent, token.ptr, token.len);
            bent[i] = (char)(bent[i] ^ (1 << bit));
            assert_int_equal(check((tl_str){bent, token.len}), TL_ERR_REFUSED);
        }
        assert_int_equal(check(tl_str_slice(token, 0, i)), TL_ERR_REFUSED);
    }
    memcpy(bent, token.ptr, token.len);
    static const char *const tails[] = {".", "=", "A", "\n"};
    for (size_t i = 0; i < 4; i++) {
        bent[token.len] = tails[i][0];
        assert_int_equal(check((tl_str){bent, token.len + 1}), TL_ERR_REFUSED);
    }
}

/* A token of any header and claims, signed with the service's own key: what only the claims can be refused for. */
static tl_str forge(const char *header, const char *claims)
{
    tl_sb sb;
    tl_str text;
    uint8_t tag[32];
    tl_sb_init(&sb, arena);
    tl__base64url_put(&sb, header, strlen(header));
    tl_sb_put_char(&sb, '.');
    tl__base64url_put(&sb, claims, strlen(claims));
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    crypto_auth_hmacsha256(tag, (const unsigned char *)text.ptr, text.len, access_->secret);
    tl_sb_put_char(&sb, '.');
    tl__base64url_put(&sb, tag, sizeof tag);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

#define GOOD_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define JTI         "\"jti\":\"00000000000000000000000000000000\""
#define TIMES       "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800000100"
#define GOOD_CLAIMS "{\"iss\":\"tally\",\"role\":\"admin\"," JTI "," TIMES "}"

static void headers_choose_nothing(void **state)
{
    (void)state; /* ACCESS-1 */
    assert_int_equal(check(forge(GOOD_HEADER, GOOD_CLAIMS)), TL_OK);
    assert_int_equal(check(forge("{\"alg\":\"HS256\"}", GOOD_CLAIMS)), TL_OK);
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":[\"HS256\"]}",
        "{}",
        "[]",
        "{\"alg\":\"HS256\",\"typ\":\"JWE\"}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        assert_int_equal(check(forge(headers[i], GOOD_CLAIMS)), TL_ERR_REFUSED);
    }
    const tl_str token = forge("{\"alg\":\"none\"}", GOOD_CLAIMS);
    size_t last = token.len;
    while (token.ptr[last - 1] != '.') {
        last--;
    }
    assert_int_equal(check(tl_str_slice(token, 0, last)), TL_ERR_REFUSED); /* no signature */
}

static void claims_are_all_asked_for(void **state)
{
    (void)state;
    static const char *const claims[] = {
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI ",\"iat\":1800000000,\"nbf\":1800000000}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI ",\"iat\":1800000000,\"exp\":1800000100}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI ",\"nbf\":1800000000,\"exp\":1800000100}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI
        ",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":\"1800000100\"}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI
        ",\"iat\":1800000000,\"nbf\":1800000061,\"exp\":1800000100}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," JTI
        ",\"iat\":1800000061,\"nbf\":1800000000,\"exp\":1800000100}",
        "{\"iss\":\"other\",\"role\":\"admin\"," JTI "," TIMES "}",
        "{\"role\":\"admin\"," JTI "," TIMES "}",
        "{\"iss\":\"tally\",\"role\":\"root\"," JTI "," TIMES "}",
        "{\"iss\":\"tally\",\"role\":\"\"," JTI "," TIMES "}",
        "{\"iss\":\"tally\"," JTI "," TIMES "}",
        "{\"iss\":\"tally\",\"role\":\"admin\"," TIMES "}",
        "{\"iss\":\"tally\",\"role\":\"admin\",\"jti\":\"short\"," TIMES "}",
        "[]",
        "",
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        assert_int_equal(check(forge(GOOD_HEADER, claims[i])), TL_ERR_REFUSED);
    }
    static char large[TL_ACCESS_TOKEN_LEN_MAX + 2];
    memset(large, 'a', sizeof large - 1);
    assert_int_equal(check((tl_str){large, sizeof large - 1}), TL_ERR_REFUSED);
    assert_int_equal(check((tl_str){NULL, 0}), TL_ERR_REFUSED);
}

static void a_lifetime_has_bounds(void **state)
{
    (void)state;
    tl_str token;
    int64_t expires_s;
    char jti[33];
    static const int64_t bad[] = {0, -1, TL_ACCESS_TOKEN_S_MAX + 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tl_access_make_token(access_, &token, &expires_s, jti, arena,
                                              TL_API_ROLE_VIEWER, bad[i], TL_STR(""), NULL),
                         TL_ERR_RANGE);
    }
}

static void the_signing_key_is_kept_for_its_owner(void **state)
{
    (void)state;
    const tl_str token = make_token(TL_API_ROLE_VIEWER, 100);
    char path[128];
    struct stat st;
    tl_str_print(path, sizeof path, "%s/%s", dir, TL_ACCESS_KEY_FILE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tl_access_close(access_);
    open_access();
    assert_int_equal(check(token), TL_OK);
    tl_access_close(access_);
    assert_int_equal(unlink(path), 0);
    open_access(); /* another key: what was signed before counts no more */
    assert_int_equal(check(token), TL_ERR_REFUSED);
    tl_access_close(access_);
    assert_int_equal(truncate(path, 31), 0);
    tl_access *damaged;
    const tl_access_options options = {.dir = dir, .records = records};
    assert_int_equal(tl_access_open(&damaged, &options, NULL), TL_ERR_CORRUPT);
    assert_int_equal(unlink(path), 0);
    open_access();
}

/* --- keys --- */

static tl_access_new_key make_key(const char *scopes)
{
    tl_access_new_key key;
    assert_int_equal(tl_access_make_key(access_, records, &key, arena, tl_str_from_cstr(scopes),
                                        TL_STR("a test"), &actor, NULL),
                     TL_OK);
    return key;
}

static tl_api_role role_of(tl_str key)
{
    tl_api_caller caller = {.role = TL_API_ROLE_NONE};
    const tl_err err = tl_access_check_key(access_, records, &caller, key, NULL);
    assert_true(err == TL_OK || err == TL_ERR_REFUSED);
    assert_int_equal(caller.role == TL_API_ROLE_NONE, err != TL_OK);
    return caller.role;
}

static void a_key_has_its_highest_scope(void **state)
{
    (void)state;
    assert_int_equal(role_of(make_key("read").key), TL_API_ROLE_VIEWER);
    assert_int_equal(role_of(make_key("operate").key), TL_API_ROLE_OPERATOR);
    assert_int_equal(role_of(make_key("admin read").key), TL_API_ROLE_ADMIN);
    static const struct {
        const char *scopes;
        tl_err err;
    } bad[] = {{"", TL_ERR_UNKNOWN},
               {"root", TL_ERR_UNKNOWN},
               {"read read", TL_ERR_DUPLICATE},
               {"read  admin", TL_ERR_UNKNOWN}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tl_access_new_key key;
        tl_errctx ctx = TL_ERRCTX_INIT;
        assert_int_equal(tl_access_make_key(access_, records, &key, arena,
                                            tl_str_from_cstr(bad[i].scopes), TL_STR(""), &actor,
                                            &ctx),
                         bad[i].err);
        assert_string_equal(ctx.field, "scope");
    }
}

static void keys_that_are_none_are_refused(void **state)
{
    (void)state;
    const tl_access_new_key key = make_key("admin");
    char bent[64];
    for (size_t i = 0; i < key.key.len; i++) {
        memcpy(bent, key.key.ptr, key.key.len);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_int_equal(role_of((tl_str){bent, key.key.len}), TL_API_ROLE_NONE);
    }
    assert_int_equal(role_of(tl_str_slice(key.key, 0, key.key.len - 1)), TL_API_ROLE_NONE);
    assert_int_equal(role_of((tl_str){NULL, 0}), TL_API_ROLE_NONE);
    assert_int_equal(role_of(key.id), TL_API_ROLE_NONE);
    tl_record_key row; /* ACCESS-3: the tables do not hold it */
    assert_int_equal(tl_records_get_key(records, &row, key.id, arena, NULL), TL_OK);
    assert_memory_not_equal(row.hash.b, key.key.ptr + 3, 32);
}

static void keys_expire_are_revoked_and_rotated(void **state)
{
    (void)state; /* ACCESS-3 */
    const tl_access_new_key one = make_key("operate");
    const int64_t days = TL_ACCESS_KEY_DAYS;
    assert_int_equal(one.expires_ms, (NOW_S + days * 86400) * 1000);
    clock_.wall_ns = (NOW_S + days * 86400) * S - 1000000;
    assert_int_equal(role_of(one.key), TL_API_ROLE_OPERATOR);
    clock_.wall_ns += 1000000;
    assert_int_equal(role_of(one.key), TL_API_ROLE_NONE);
    clock_.wall_ns = NOW_S * S;
    tl_access_new_key two;
    assert_int_equal(tl_access_rotate_key(access_, records, &two, arena, one.id, &actor, NULL),
                     TL_OK);
    assert_int_equal(role_of(one.key), TL_API_ROLE_NONE);
    assert_int_equal(role_of(two.key), TL_API_ROLE_OPERATOR);
    tl_access_new_key three;
    assert_int_equal(tl_access_rotate_key(access_, records, &three, arena, one.id, &actor, NULL),
                     TL_ERR_STATE);
    assert_int_equal(tl_access_revoke_key(access_, records, two.id, &actor, NULL), TL_OK);
    assert_int_equal(role_of(two.key), TL_API_ROLE_NONE);
    assert_int_equal(tl_access_revoke_key(access_, records, TL_STR("nobody"), &actor, NULL),
                     TL_ERR_NOT_FOUND);
}

static void every_change_is_in_the_audit_log(void **state)
{
    (void)state; /* ACCESS-4 */
    const tl_access_new_key one = make_key("read");
    tl_access_new_key two;
    assert_int_equal(tl_access_rotate_key(access_, records, &two, arena, one.id, &actor, NULL),
                     TL_OK);
    assert_int_equal(tl_access_revoke_key(access_, records, two.id, &actor, NULL), TL_OK);
    assert_int_equal(tl_access_rotate_key(access_, records, &two, arena, one.id, &actor, NULL),
                     TL_ERR_STATE); /* and what did not happen is not in it */
    const tl_record_act *acts;
    size_t count;
    assert_int_equal(tl_records_acts(records, &acts, &count, 0, 100, arena, NULL), TL_OK);
    static const char *const names[] = {"key.create", "key.rotate", "key.revoke"};
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(tl_str_eq_cstr(acts[i].act, names[i]));
        assert_true(tl_str_eq(acts[i].actor, actor.name));
        assert_true(tl_str_eq(acts[i].correlation, actor.correlation));
        assert_int_equal(tl_str_find(acts[i].detail, '_'), acts[i].detail.len); /* no "tk_" */
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_token_has_its_role_for_its_time),
        T(a_turned_bit_is_seen_wherever_it_is),
        T(headers_choose_nothing),
        T(claims_are_all_asked_for),
        T(a_lifetime_has_bounds),
        T(the_signing_key_is_kept_for_its_owner),
        T(a_key_has_its_highest_scope),
        T(keys_that_are_none_are_refused),
        T(keys_expire_are_revoked_and_rotated),
        T(every_change_is_in_the_audit_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
