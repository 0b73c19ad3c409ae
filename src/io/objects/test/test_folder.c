/* Attacks the folder store: the common suite; URLs and forms that were bent, expired or made elsewhere; a full disk; what a
 * killed process left; threads that keep the same objects. */
#include "io/objects/test/store_suite.h"

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/sys/sys.h"

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static tl_objects *open_store(const char *name, const char *sign_file)
{
    char path[128];
    char sign[160];
    tl_objects *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_str_print(path, sizeof path, "%s/%s", dir, name);
    tl_str_print(sign, sizeof sign, "%s/%s", dir, sign_file);
    const tl_objects_options options = {
        .dir = path, .sign_file = sign, .public_url = TL_STR("http://127.0.0.1:8080/")};
    if (tl_objects_open(&store, &options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return store;
}

static tl_arena *arena;

/* --- URLs --- */

/* Cut a URL of the store's: http://127.0.0.1:8080/objects/KEY?QUERY. */
static void cut_url(tl_str url, tl_str *path, tl_str *query)
{
    const tl_str start = TL_STR("http://127.0.0.1:8080");
    assert_true(tl_str_starts_with(url, start));
    const tl_str rest = tl_str_slice(url, start.len, url.len);
    const size_t mark = tl_str_find(rest, '?');
    *path = tl_str_slice(rest, 0, mark);
    *query = tl_str_slice(rest, mark + 1, rest.len);
}

static void a_url_lends_one_object_for_one_verb(void **state)
{
    (void)state;
    tl_objects *store = open_store("urls", "sign.key");
    const tl_str key = TL_STR("data/hotkey=5F/a b?&#%ü.json");
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_str url;
    tl_str path;
    tl_str query;
    tl_str got;
    assert_int_equal(tl_objects_presign(store, &url, arena, TL_OBJECTS_GET, key, 60, &ctx), TL_OK);
    cut_url(url, &path, &query);
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"), path, query, &ctx),
                     TL_OK);
    assert_true(tl_str_eq(got, key));
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("HEAD"), path, query, &ctx),
                     TL_OK);
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("PUT"), path, query, &ctx),
                     TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "signature");
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("DELETE"), path, query, &ctx),
                     TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "method");
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"),
                                          TL_STR("/objects/other"), query, &ctx),
                     TL_ERR_REFUSED);
    /* Every byte of the query counts. */
    char bent[256];
    for (size_t i = 0; i < query.len; i++) {
        tl_str_print(bent, sizeof bent, "%.*s", TL_STR_ARG(query));
        bent[i] ^= 1;
        const tl_err err = tl_objects_check_url(store, &got, arena, TL_STR("GET"), path,
                                                tl_str_from_cstr(bent), &ctx);
        assert_true(err == TL_ERR_REFUSED || err == TL_ERR_SYNTAX);
    }
    static const char *const bad_paths[] = {
        "/objects",      "/objects/",  "/objects/../x", "/objects/%2e%2e/x",
        "/objects/a%00", "/objects/%", "/other/a",      "/objects/.parts/1"};
    for (size_t i = 0; i < sizeof bad_paths / sizeof bad_paths[0]; i++) {
        assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"),
                                              tl_str_from_cstr(bad_paths[i]), query, &ctx),
                         TL_ERR_SYNTAX);
        assert_string_equal(ctx.field, "path");
    }
    static const char *const bad_queries[] = {"", "expires=1", "signature=aa", "x=1"};
    for (size_t i = 0; i < sizeof bad_queries / sizeof bad_queries[0]; i++) {
        assert_int_not_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"), path,
                                                  tl_str_from_cstr(bad_queries[i]), &ctx),
                             TL_OK);
    }
    tl_objects_close(store);
    /* The key is in the sign file: another process knows its URLs, another store does not. */
    store = open_store("urls", "sign.key");
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"), path, query, &ctx),
                     TL_OK);
    tl_objects_close(store);
    store = open_store("urls", "other.key");
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("GET"), path, query, &ctx),
                     TL_ERR_REFUSED);
    tl_objects_close(store);
}

static tl_objects *open_at(const char *name, tl_manual_clock *clock, int64_t wall_s)
{
    char path[128];
    char sign[160];
    tl_objects *store = NULL;
    tl_str_print(path, sizeof path, "%s/%s", dir, name);
    tl_str_print(sign, sizeof sign, "%s/sign.key", dir);
    const tl_objects_options options = {.dir = path,
                                        .sign_file = sign,
                                        .public_url = TL_STR("http://127.0.0.1:8080"),
                                        .clock = tl_manual_clock_start(clock, wall_s * 1000000000)};
    assert_int_equal(tl_objects_open(&store, &options, NULL), TL_OK);
    return store;
}

static void a_url_ends_with_its_time(void **state)
{
    (void)state;
    tl_manual_clock clock;
    tl_objects *store = open_at("urls", &clock, 1700000000);
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_str url;
    tl_str path;
    tl_str query;
    tl_str got;
    assert_int_equal(tl_objects_presign(store, &url, arena, TL_OBJECTS_PUT, TL_STR("a"), 60, &ctx),
                     TL_OK);
    cut_url(url, &path, &query);
    tl_manual_clock_step(&clock, (int64_t)60 * 1000000000);
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("PUT"), path, query, &ctx),
                     TL_OK);
    tl_manual_clock_step(&clock, (int64_t)1000000000);
    assert_int_equal(tl_objects_check_url(store, &got, arena, TL_STR("PUT"), path, query, &ctx),
                     TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "expires");
    tl_objects_close(store);
}

/* --- forms --- */

typedef struct sheet {
    tl_objects_field fields[TL_OBJECTS_POST_FIELDS + 2];
    size_t count;
} sheet;

static sheet fill(const tl_objects_post *post, const char *key)
{
    sheet s = {.count = post->count};
    for (size_t i = 0; i < post->count; i++) {
        s.fields[i] = post->fields[i];
        if (tl_str_eq(post->fields[i].name, TL_STR("key")) && key != NULL) {
            s.fields[i].value = tl_str_from_cstr(key);
        }
    }
    return s;
}

static tl_err check(tl_objects *store, tl_objects_grant *grant, const sheet *s,
                    const char *filename, tl_errctx *ctx)
{
    return tl_objects_check_post(store, grant, arena, s->fields, s->count,
                                 tl_str_from_cstr(filename), ctx);
}

static void a_form_lends_its_prefix_and_nothing_else(void **state)
{
    (void)state;
    tl_manual_clock clock;
    tl_objects *store = open_at("forms", &clock, 1700000000);
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_post post;
    tl_objects_grant grant;
    const tl_objects_post_rule rule = {TL_STR("data/hotkey=5F/"), 1, 64 << 20, 86400};
    assert_int_equal(tl_objects_presign_post(store, &post, arena, &rule, &ctx), TL_OK);
    assert_true(tl_str_eq(post.url, TL_STR("http://127.0.0.1:8080/objects")));
    assert_true(post.expires_ms == (int64_t)1700086400 * 1000);
    sheet s = fill(&post, NULL);
    assert_int_equal(check(store, &grant, &s, "C:\\up\\load.json", &ctx), TL_OK);
    assert_true(tl_str_eq(grant.key, TL_STR("data/hotkey=5F/load.json")));
    assert_true(grant.len_min == 1 && grant.len_max == 64 << 20);
    s = fill(&post, "data/hotkey=5F/epoch=e/zipcode=02139/data_1.json");
    assert_int_equal(check(store, &grant, &s, "", &ctx), TL_OK);
    static const struct {
        const char *key;
        tl_err want;
    } keys[] = {{"data/hotkey=6F/x", TL_ERR_REFUSED},         {"kept/sha256/ab/x", TL_ERR_REFUSED},
                {"data/hotkey=5F/../6/x", TL_ERR_SYNTAX},     {"data/hotkey=5F/", TL_ERR_SYNTAX},
                {"data/hotkey=5F", TL_ERR_REFUSED},           {"", TL_ERR_REFUSED},
                {"data/hotkey=5F/${filename}", TL_ERR_SYNTAX}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        s = fill(&post, keys[i].key);
        assert_int_equal(check(store, &grant, &s, "..", &ctx), keys[i].want);
        assert_string_equal(ctx.field, "key");
    }
    /* Any bent value of any other field, any missing one, and one that the policy does not know. */
    for (size_t i = 0; i < post.count; i++) {
        s = fill(&post, "data/hotkey=5F/x");
        if (tl_str_eq(s.fields[i].name, TL_STR("key"))) {
            continue;
        }
        char bent[2048];
        tl_str_print(bent, sizeof bent, "%.*s", TL_STR_ARG(s.fields[i].value));
        bent[s.fields[i].value.len / 2] ^= 1;
        s.fields[i].value = tl_str_from_cstr(bent);
        assert_int_equal(check(store, &grant, &s, "", &ctx), TL_ERR_REFUSED);
        s.fields[i] = s.fields[--s.count];
        assert_int_equal(check(store, &grant, &s, "", &ctx), TL_ERR_MISSING);
    }
    s = fill(&post, "data/hotkey=5F/x");
    s.fields[s.count++] = (tl_objects_field){TL_STR("acl"), TL_STR("public-read")};
    assert_int_equal(check(store, &grant, &s, "", &ctx), TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "acl");
    s.fields[s.count - 1].name = TL_STR("X-Ignore-Me");
    assert_int_equal(check(store, &grant, &s, "", &ctx), TL_OK);
    tl_manual_clock_step(&clock, (int64_t)86401 * 1000000000);
    assert_int_equal(check(store, &grant, &s, "", &ctx), TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "policy");
    tl_objects_close(store);
}

static void a_form_of_another_store_is_refused(void **state)
{
    (void)state;
    tl_objects *store = open_store("forms", "sign.key");
    tl_objects *other = open_store("forms", "other.key");
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_post post;
    tl_objects_grant grant;
    const tl_objects_post_rule rule = {TL_STR("data/"), 1, 2, 60};
    assert_int_equal(tl_objects_presign_post(other, &post, arena, &rule, &ctx), TL_OK);
    const sheet s = fill(&post, "data/x");
    assert_int_equal(check(store, &grant, &s, "", &ctx), TL_ERR_REFUSED);
    assert_string_equal(ctx.field, "x-amz-signature");
    tl_objects_close(other);
    tl_objects_close(store);
}

/* --- options --- */

static void options_that_make_no_store_are_refused(void **state)
{
    (void)state;
    tl_objects *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    char path[128];
    char sign[160];
    tl_str_print(path, sizeof path, "%s/none", dir);
    tl_str_print(sign, sizeof sign, "%s/short.key", dir);
    const tl_objects_options neither = {.dir = NULL};
    const tl_objects_options both = {.dir = path, .s3_url = "http://127.0.0.1:1/abc"};
    const tl_objects_options absent = {.dir = path, .is_existing = true};
    const tl_objects_options damaged = {.dir = path, .sign_file = sign};
    assert_int_equal(tl_objects_open(&store, &neither, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_objects_open(&store, &both, &ctx), TL_ERR_RANGE);
    assert_int_equal(tl_objects_open(&store, &absent, &ctx), TL_ERR_NOT_FOUND);
    assert_false(tl_sys_exists(path));
    assert_int_equal(tl_sys_write_file(sign, (tl_bytes){(const uint8_t *)"abc", 3}, 0600, &ctx),
                     TL_OK);
    assert_int_equal(tl_objects_open(&store, &damaged, &ctx), TL_ERR_CORRUPT);
    const tl_objects_options unsigned_store = {.dir = path};
    tl_str url;
    assert_int_equal(tl_objects_open(&store, &unsigned_store, &ctx), TL_OK);
    assert_int_equal(tl_objects_presign(store, &url, arena, TL_OBJECTS_GET, TL_STR("a"), 60, &ctx),
                     TL_ERR_STATE);
    tl_objects_close(store);
}

/* --- faults --- */

static size_t count_parts(const char *name)
{
    char path[128];
    const char *const *names;
    size_t count;
    tl_str_print(path, sizeof path, "%s/%s/.parts", dir, name);
    assert_int_equal(tl_sys_list_dir(&names, &count, arena, path, NULL), TL_OK);
    return count;
}

static void a_full_disk_leaves_what_was_there(void **state)
{
    (void)state;
    tl_objects *store = open_store("full", "sign.key");
    tl_errctx ctx = TL_ERRCTX_INIT;
    uint8_t *bytes = calloc(1, 1 << 20);
    tl_bytes got;
    assert_non_null(bytes);
    assert_int_equal(tl_objects_put(store, NULL, TL_STR("a"), (tl_bytes){bytes, 10}, NULL, &ctx),
                     TL_OK);
    struct rlimit was;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    const struct rlimit small = {.rlim_cur = 100000, .rlim_max = was.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const tl_objects_put_options durable = {.is_durable = true};
    const tl_err err =
        tl_objects_put(store, NULL, TL_STR("a"), (tl_bytes){bytes, 1 << 20}, &durable, &ctx);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(err, TL_ERR_IO);
    assert_string_equal(ctx.field, "a");
    assert_int_equal(tl_objects_get(store, &got, arena, TL_STR("a"), 100, &ctx), TL_OK);
    assert_int_equal(got.len, 10);
    assert_int_equal(count_parts("full"), 0);
    free(bytes);
    tl_objects_close(store);
}

static void a_killed_writer_leaves_no_object(void **state)
{
    (void)state;
    tl_objects *store = open_store("killed", "sign.key");
    tl_objects_swept swept;
    tl_bytes got;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        tl_objects_stream *stream = NULL;
        if (tl_objects_stream_begin(&stream, store, TL_STR("data/x"), NULL, NULL) == TL_OK &&
            tl_objects_stream_write(stream, (tl_bytes){(const uint8_t *)"half", 4}, NULL) ==
                TL_OK) {
            (void)raise(SIGKILL);
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(tl_objects_get(store, &got, arena, TL_STR("data/x"), 100, NULL),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(count_parts("killed"), 1);
    const int64_t now_ms = (int64_t)time(NULL) * 1000;
    assert_int_equal(tl_objects_sweep(store, &swept, NULL, 0, now_ms, NULL), TL_OK);
    assert_int_equal(swept.parts, 0); /* it might still be somebody's */
    assert_int_equal(tl_objects_sweep(store, &swept, NULL, 0, now_ms + (int64_t)90000 * 1000, NULL),
                     TL_OK);
    assert_int_equal(swept.parts, 1);
    assert_int_equal(count_parts("killed"), 0);
    tl_objects_close(store);
}

static void a_torn_kept_object_is_mended(void **state)
{
    (void)state;
    tl_objects *store = open_store("torn", "sign.key");
    tl_hash32 hash;
    char kept[TL_OBJECTS_KEPT_KEY_LEN + 1];
    char path[256];
    tl_bytes got;
    tl_sha256(&hash, "whole", 5);
    tl_objects_kept_key(kept, &hash);
    assert_int_equal(tl_objects_put(store, NULL, TL_STR("data/x"),
                                    (tl_bytes){(const uint8_t *)"whole", 5}, NULL, NULL),
                     TL_OK);
    assert_int_equal(tl_objects_keep(store, TL_STR("data/x"), &hash, 5, NULL), TL_OK);
    tl_str_print(path, sizeof path, "%s/torn/%s", dir, kept);
    /* As after a power cut: the name is there, the bytes are not. */
    assert_int_equal(tl_sys_write_file(path, (tl_bytes){(const uint8_t *)"who\0\0", 5}, 0400, NULL),
                     TL_OK);
    assert_int_equal(tl_objects_keep(store, TL_STR("data/x"), &hash, 5, NULL), TL_OK);
    assert_int_equal(tl_objects_get(store, &got, arena, tl_str_from_cstr(kept), 5, NULL), TL_OK);
    assert_memory_equal(got.ptr, "whole", 5);
    tl_objects_close(store);
}

typedef struct keeper {
    tl_objects *store;
    unsigned index;
    tl_err err;
} keeper;

enum { KEEPERS = 8, ROUNDS = 5, OBJECTS = 12 };

/* Half of each keeper's objects have the same bytes as its neighbours'. */
static void *keep_rounds(void *arg)
{
    keeper *k = arg;
    for (unsigned round = 0; round < ROUNDS && k->err == TL_OK; round++) {
        tl_objects_keep_item items[OBJECTS];
        char keys[OBJECTS][64];
        for (unsigned i = 0; i < OBJECTS && k->err == TL_OK; i++) {
            char text[64];
            const size_t len =
                tl_str_print(text, sizeof text, "%u %u %u", i % 2 == 0 ? k->index : 0, round, i);
            tl_str_print(keys[i], sizeof keys[i], "data/%u/%u/%u", k->index, round, i);
            items[i] = (tl_objects_keep_item){.key = tl_str_from_cstr(keys[i]), .bytes = len};
            tl_sha256(&items[i].sha256, text, len);
            k->err = tl_objects_put(k->store, NULL, items[i].key,
                                    (tl_bytes){(const uint8_t *)text, len}, NULL, NULL);
        }
        if (k->err == TL_OK) {
            k->err = tl_objects_keep_many(k->store, items, round == 0 ? 3 : OBJECTS, NULL);
        }
    }
    return NULL;
}

static void many_threads_keep_at_once(void **state)
{
    (void)state;
    tl_objects *store = open_store("threads", "sign.key");
    keeper keepers[KEEPERS];
    pthread_t threads[KEEPERS];
    tl_objects_page page;
    for (unsigned i = 0; i < KEEPERS; i++) {
        keepers[i] = (keeper){store, i, TL_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, keep_rounds, &keepers[i]), 0);
    }
    for (unsigned i = 0; i < KEEPERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(keepers[i].err, TL_OK);
    }
    assert_int_equal(tl_objects_list(store, &page, arena, TL_STR("kept/"), (tl_str){0}, 0, NULL),
                     TL_OK);
    /* Of 12 objects a round 6 are each keeper's own, but for keeper 0's, and 6 are shared; 2 and 1 in the first. */
    assert_int_equal(page.count, (ROUNDS - 1) * (6 * KEEPERS + 6) + 2 * KEEPERS + 1);
    assert_int_equal(count_parts("threads"), 0);
    tl_objects_close(store);
}

int main(void)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(a_url_lends_one_object_for_one_verb),
        cmocka_unit_test(a_url_ends_with_its_time),
        cmocka_unit_test(a_form_lends_its_prefix_and_nothing_else),
        cmocka_unit_test(a_form_of_another_store_is_refused),
        cmocka_unit_test(options_that_make_no_store_are_refused),
        cmocka_unit_test(a_full_disk_leaves_what_was_there),
        cmocka_unit_test(a_killed_writer_leaves_no_object),
        cmocka_unit_test(a_torn_kept_object_is_mended),
        cmocka_unit_test(many_threads_keep_at_once),
    };
    tl_str_print(dir, sizeof dir, "/tmp/tally-objects.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    struct CMUnitTest tests[STORE_SUITE_MAX + sizeof own / sizeof own[0]];
    memset(tests, 0, sizeof tests);
    const size_t count = store_suite_tests(tests);
    memcpy(tests + count, own, sizeof own);
    tl_objects *store = open_store("store", "sign.key");
    store_suite_use(store);
    const int failed = _cmocka_run_group_tests("objects_folder", tests,
                                               count + sizeof own / sizeof own[0], NULL, NULL);
    tl_objects_close(store);
    tl_arena_free(arena);
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
