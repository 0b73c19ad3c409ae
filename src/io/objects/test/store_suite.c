#include "io/objects/test/store_suite.h"

#include <stdlib.h>
#include <string.h>

static tl_objects *store;
static tl_arena *arena;

static int begin(void **state)
{
    (void)state;
    tl_objects_page page;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    do {
        assert_int_equal(tl_objects_list(store, &page, arena, (tl_str){0}, (tl_str){0}, 0, NULL),
                         TL_OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(tl_objects_delete(store, page.items[i].key, NULL), TL_OK);
        }
    } while (page.has_more);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

static tl_bytes bytes_of(const char *text)
{
    return tl_str_bytes(tl_str_from_cstr(text));
}

static tl_str key_of(const char *text)
{
    return tl_str_from_cstr(text);
}

static void put(const char *key, const char *text)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_objects_put(store, NULL, key_of(key), bytes_of(text), NULL, &ctx);
    if (err != TL_OK) {
        fail_msg("%s: %s", key, ctx.message);
    }
}

static void expect(const char *key, const char *want)
{
    tl_bytes got;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_objects_get(store, &got, arena, key_of(key), 1 << 20, &ctx);
    if (err != TL_OK) {
        fail_msg("%s: %s", key, ctx.message);
    }
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static tl_err get_err(const char *key)
{
    tl_bytes got;
    return tl_objects_get(store, &got, arena, key_of(key), 1 << 20, NULL);
}

/* --- */

static void what_was_put_is_got_and_replaced_whole(void **state)
{
    (void)state;
    tl_objects_info info;
    tl_hash32 want;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_objects_put(store, &info,
                                    key_of("data/hotkey=5F/epoch=2026/a b+c%&=~ü.json"),
                                    bytes_of("{}"), NULL, &ctx),
                     TL_OK);
    tl_sha256(&want, "{}", 2);
    assert_true(info.has_sha256 && info.bytes == 2 && tl_hash32_cmp(&info.sha256, &want) == 0);
    expect("data/hotkey=5F/epoch=2026/a b+c%&=~ü.json", "{}");
    put("data/hotkey=5F/epoch=2026/a b+c%&=~ü.json", "longer than before");
    expect("data/hotkey=5F/epoch=2026/a b+c%&=~ü.json", "longer than before");
    put("empty", "");
    expect("empty", "");
    assert_int_equal(tl_objects_head(store, &info, key_of("empty"), &ctx), TL_OK);
    assert_true(info.bytes == 0 && info.modified_ms > 1600000000000);
    assert_int_equal(tl_objects_probe(store, &ctx), TL_OK);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    tl_objects_info info;
    tl_errctx ctx = TL_ERRCTX_INIT;
    put("data/a/b", "x");
    assert_int_equal(get_err("data/none"), TL_ERR_NOT_FOUND);
    assert_int_equal(get_err("data/a"), TL_ERR_NOT_FOUND); /* a folder is no object */
    assert_int_equal(tl_objects_head(store, &info, key_of("none"), &ctx), TL_ERR_NOT_FOUND);
    assert_string_equal(ctx.field, "none");
    assert_int_equal(tl_objects_delete(store, key_of("none/at/all"), &ctx), TL_OK);
    assert_int_equal(tl_objects_copy(store, key_of("none"), key_of("other"), &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(get_err("other"), TL_ERR_NOT_FOUND);
    assert_int_equal(tl_objects_delete(store, key_of("data/a/b"), &ctx), TL_OK);
    assert_int_equal(get_err("data/a/b"), TL_ERR_NOT_FOUND);
}

static void ranges_are_cut_at_the_end(void **state)
{
    (void)state;
    tl_bytes got;
    put("r", "0123456789");
    static const struct {
        uint64_t offset;
        size_t len;
        const char *want;
    } cases[] = {{0, 4, "0123"}, {3, 1, "3"}, {8, 100, "89"},
                 {10, 5, ""},    {0, 0, ""},  {0, 10, "0123456789"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tl_objects_get_range(store, &got, arena, key_of("r"), cases[i].offset,
                                              cases[i].len, NULL),
                         TL_OK);
        assert_int_equal(got.len, strlen(cases[i].want));
        assert_memory_equal(got.ptr, cases[i].want, got.len);
    }
    assert_int_equal(tl_objects_get_range(store, &got, arena, key_of("r"), 11, 1, NULL),
                     TL_ERR_RANGE);
    assert_int_equal(tl_objects_get(store, &got, arena, key_of("r"), 9, NULL), TL_ERR_LIMIT);
}

static void only_new_never_replaces(void **state)
{
    (void)state;
    const tl_objects_put_options options = {.is_new = true, .is_durable = true};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_objects_put(store, NULL, key_of("n/1"), bytes_of("first"), &options, &ctx),
                     TL_OK);
    assert_int_equal(tl_objects_put(store, NULL, key_of("n/1"), bytes_of("second"), &options, &ctx),
                     TL_ERR_STATE);
    assert_string_equal(ctx.field, "n/1");
    expect("n/1", "first");
}

/* Bytes that do not repeat within a part. */
static uint8_t *pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    uint64_t x = 88172645463325252u;
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
    return bytes;
}

typedef struct compare {
    const uint8_t *want;
    size_t at;
    size_t stop_at; /* refuse there */
} compare;

static tl_err take(void *self, tl_bytes piece, tl_errctx *ctx)
{
    compare *c = self;
    if (c->at >= c->stop_at) {
        return tl_fail(ctx, TL_ERR_CHECK, "enough");
    }
    assert_memory_equal(c->want + c->at, piece.ptr, piece.len);
    c->at += piece.len;
    return TL_OK;
}

static void a_stream_of_any_length_arrives_with_its_hash(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 5 << 20, (5 << 20) + 1, (17 << 20) + 12345};
    uint8_t *bytes = pattern((17 << 20) + 12345);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        tl_objects_stream *stream = NULL;
        tl_objects_info info;
        tl_objects_info read_info;
        tl_hash32 want;
        tl_errctx ctx = TL_ERRCTX_INIT;
        tl_sha256(&want, bytes, lens[i]);
        assert_int_equal(tl_objects_stream_begin(&stream, store, key_of("s/tream"), NULL, &ctx),
                         TL_OK);
        for (size_t at = 0; at < lens[i];) {
            const size_t len = lens[i] - at < 1000003 ? lens[i] - at : 1000003;
            if (tl_objects_stream_write(stream, (tl_bytes){bytes + at, len}, &ctx) != TL_OK) {
                fail_msg("%s", ctx.message);
            }
            at += len;
        }
        assert_int_equal(tl_objects_stream_len(stream), lens[i]);
        if (tl_objects_stream_finish(stream, &info, &ctx) != TL_OK) {
            fail_msg("%s", ctx.message);
        }
        assert_true(info.bytes == lens[i] && tl_hash32_cmp(&info.sha256, &want) == 0);
        compare c = {bytes, 0, SIZE_MAX};
        if (tl_objects_read(store, &read_info, key_of("s/tream"), take, &c, &ctx) != TL_OK) {
            fail_msg("%s", ctx.message);
        }
        assert_true(c.at == lens[i] && read_info.bytes == lens[i] && read_info.has_sha256 &&
                    tl_hash32_cmp(&read_info.sha256, &want) == 0);
    }
    compare c = {bytes, 0, 1};
    assert_int_equal(tl_objects_read(store, NULL, key_of("s/tream"), take, &c, NULL), TL_ERR_CHECK);
    free(bytes);
}

static void a_stream_that_is_given_up_leaves_nothing(void **state)
{
    (void)state;
    tl_objects_stream *stream = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    uint8_t *bytes = pattern(11 << 20);
    assert_int_equal(tl_objects_stream_begin(&stream, store, key_of("a/b"), NULL, &ctx), TL_OK);
    assert_int_equal(tl_objects_stream_write(stream, (tl_bytes){bytes, 11 << 20}, &ctx), TL_OK);
    tl_objects_stream_abort(stream);
    assert_int_equal(get_err("a/b"), TL_ERR_NOT_FOUND);
    const tl_objects_put_options options = {.len_max = 3};
    put("a/b", "old");
    assert_int_equal(tl_objects_stream_begin(&stream, store, key_of("a/b"), &options, &ctx), TL_OK);
    assert_int_equal(tl_objects_stream_write(stream, bytes_of("123"), &ctx), TL_OK);
    assert_int_equal(tl_objects_stream_write(stream, bytes_of("4"), &ctx), TL_ERR_LIMIT);
    assert_int_equal(tl_objects_stream_write(stream, bytes_of(""), &ctx), TL_ERR_STATE);
    assert_int_equal(tl_objects_stream_finish(stream, NULL, &ctx), TL_ERR_STATE);
    expect("a/b", "old"); /* OBJ-2 */
    free(bytes);
}

static void lists_come_in_order_page_by_page(void **state)
{
    (void)state;
    /* In the order of their bytes: '-' < '.' < '/' < '0'; a folder's name sorts with its slash. */
    static const char *const keys[] = {"l/a-b/x", "l/a.b",  "l/a/b", "l/a/c/d", "l/a0",
                                       "l/b",     "l/bb/c", "m",     "é/1"};
    enum { COUNT = sizeof keys / sizeof keys[0] };
    tl_objects_page page;
    for (size_t i = 0; i < COUNT; i++) {
        put(keys[(i * 5) % COUNT], "xyz");
    }
    assert_int_equal(tl_objects_list(store, &page, arena, (tl_str){0}, (tl_str){0}, 0, NULL),
                     TL_OK);
    assert_int_equal(page.count, COUNT);
    assert_false(page.has_more);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(tl_str_eq_cstr(page.items[i].key, keys[i]));
        assert_true(page.items[i].bytes == 3 && page.items[i].modified_ms > 1600000000000);
    }
    for (size_t size = 1; size <= 4; size++) {
        tl_str after = {0};
        size_t at = 0;
        do {
            assert_int_equal(tl_objects_list(store, &page, arena, TL_STR("l/"), after, size, NULL),
                             TL_OK);
            assert_true(page.count >= 1 && page.count <= size);
            for (size_t i = 0; i < page.count; i++) {
                assert_true(tl_str_eq_cstr(page.items[i].key, keys[at++]));
            }
            after = page.items[page.count - 1].key;
        } while (page.has_more);
        assert_int_equal(at, COUNT - 2);
    }
    static const struct {
        const char *prefix;
        const char *after;
        size_t want;
    } cases[] = {{"l/a", "", 5},      {"l/a/", "", 2}, {"l/a/", "l/a/b", 1}, {"l/", "l/a/zz", 3},
                 {"l/a", "l/a/c", 2}, {"none", "", 0}, {"l/b", "l/b", 1},    {"", "z", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tl_objects_list(store, &page, arena, key_of(cases[i].prefix),
                                         key_of(cases[i].after), 0, NULL),
                         TL_OK);
        assert_int_equal(page.count, cases[i].want);
    }
    assert_int_equal(tl_objects_list(store, &page, arena, (tl_str){0}, (tl_str){0}, 1001, NULL),
                     TL_ERR_RANGE);
}

static void copies_and_bulk_deletes_hold(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    put("c/from & <to>", "copied");
    assert_int_equal(tl_objects_copy(store, key_of("c/from & <to>"), key_of("d/x/y"), &ctx), TL_OK);
    expect("d/x/y", "copied");
    put("d/z", "z");
    const tl_str keys[] = {key_of("d/x/y"), key_of("none"), key_of("c/from & <to>")};
    if (tl_objects_delete_many(store, keys, 3, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    assert_int_equal(get_err("d/x/y"), TL_ERR_NOT_FOUND);
    assert_int_equal(get_err("c/from & <to>"), TL_ERR_NOT_FOUND);
    expect("d/z", "z");
    assert_int_equal(tl_objects_delete_many(store, keys, 0, &ctx), TL_OK);
}

static void bad_keys_never_reach_the_store(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "/",   "a//b", "/a",   "a/",   "..",       "a/../b", ".",
        "a/.hidden", "./a", "a\\b", "a\nb", "\x7f", "\xff\xfe", "..%2f",  ".parts/1",
    };
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_bytes got;
    tl_str url;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) { /* OBJ-1 */
        const tl_str key = key_of(bad[i]);
        assert_int_equal(tl_objects_put(store, NULL, key, bytes_of("x"), NULL, &ctx),
                         TL_ERR_SYNTAX);
        assert_true(tl_str_is_utf8(key_of(ctx.field)) && ctx.field[0] != '\0');
        assert_int_equal(tl_objects_get(store, &got, arena, key, 10, &ctx), TL_ERR_SYNTAX);
        assert_int_equal(tl_objects_delete(store, key, &ctx), TL_ERR_SYNTAX);
        assert_int_equal(tl_objects_copy(store, key, key_of("x"), &ctx), TL_ERR_SYNTAX);
        assert_int_equal(tl_objects_copy(store, key_of("x"), key, &ctx), TL_ERR_SYNTAX);
        assert_int_equal(tl_objects_presign(store, &url, arena, TL_OBJECTS_GET, key, 60, &ctx),
                         TL_ERR_SYNTAX);
    }
    char longest[TL_OBJECTS_KEY_LEN_MAX + 2];
    memset(longest, 'k', sizeof longest);
    for (size_t i = 200; i < sizeof longest; i += 200) {
        longest[i] = '/';
    }
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(tl_objects_put(store, NULL, key_of(longest), bytes_of("x"), NULL, &ctx),
                     TL_ERR_SYNTAX);
    longest[TL_OBJECTS_KEY_LEN_MAX] = '\0';
    put(longest, "at the limit");
    expect(longest, "at the limit");
}

static void an_object_is_no_folder_of_another(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    put("f/a", "x");
    assert_int_equal(tl_objects_put(store, NULL, key_of("f/a/b"), bytes_of("y"), NULL, &ctx),
                     TL_ERR_STATE);
    assert_int_equal(tl_objects_put(store, NULL, key_of("f"), bytes_of("y"), NULL, &ctx),
                     TL_ERR_STATE);
    expect("f/a", "x");
}

/* --- keeping --- */

static void what_is_kept_outlives_its_upload(void **state)
{
    (void)state;
    enum { COUNT = 25 };
    tl_objects_keep_item items[COUNT];
    tl_errctx ctx = TL_ERRCTX_INIT;
    char keys[COUNT][64];
    for (size_t i = 0; i < COUNT; i++) {
        char text[64];
        tl_str_print(keys[i], sizeof keys[i], "data/hotkey=5X/epoch=e/zipcode=%05zu/data_1.json",
                     i);
        const size_t len =
            tl_str_print(text, sizeof text, "{\"zipcode\":\"%05zu\"}", i % 20); /* some twice */
        put(keys[i], text);
        items[i] = (tl_objects_keep_item){.key = key_of(keys[i]), .bytes = len};
        tl_sha256(&items[i].sha256, text, len);
    }
    for (size_t again = 0; again < 2; again++) {
        if (tl_objects_keep_many(store, items, COUNT, &ctx) != TL_OK) {
            fail_msg("%s", ctx.message);
        }
    }
    for (size_t i = 0; i < COUNT; i++) { /* OBJ-3 */
        char kept[TL_OBJECTS_KEPT_KEY_LEN + 1];
        tl_hash32 found;
        tl_bytes got;
        put(keys[i], "something else");
        assert_int_equal(tl_objects_delete(store, key_of(keys[i]), NULL), TL_OK);
        tl_objects_kept_key(kept, &items[i].sha256);
        assert_int_equal(strlen(kept), TL_OBJECTS_KEPT_KEY_LEN);
        assert_int_equal(tl_objects_get(store, &got, arena, key_of(kept), 100, &ctx), TL_OK);
        tl_sha256(&found, got.ptr, got.len);
        assert_int_equal(tl_hash32_cmp(&found, &items[i].sha256), 0);
    }
    assert_int_equal(tl_objects_keep_many(store, items, 0, &ctx), TL_OK);
    tl_hash32 sha256;
    assert_int_equal(tl_objects_keep_bytes(store, &sha256, bytes_of("meta"), &ctx), TL_OK);
    char kept[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_objects_kept_key(kept, &sha256);
    expect(kept, "meta");
}

static void what_is_not_as_said_is_not_kept(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_hash32 good;
    tl_hash32 bad;
    tl_sha256(&good, "good", 4);
    tl_sha256(&bad, "bad!", 4);
    put("data/g", "good");
    put("data/b", "good");
    put("data/long", "good and longer");
    assert_int_equal(tl_objects_keep(store, key_of("data/b"), &bad, 4, &ctx), TL_ERR_CORRUPT);
    assert_string_equal(ctx.field, "data/b");
    assert_int_equal(tl_objects_keep(store, key_of("data/b"), &good, 5, &ctx), TL_ERR_CORRUPT);
    assert_int_equal(tl_objects_keep(store, key_of("data/long"), &good, 4, &ctx), TL_ERR_CORRUPT);
    assert_int_equal(tl_objects_keep(store, key_of("data/none"), &good, 4, &ctx), TL_ERR_NOT_FOUND);
    assert_int_equal(
        tl_objects_keep(store, key_of("data/g"), &good, TL_OBJECTS_KEEP_LEN_MAX + 1, &ctx),
        TL_ERR_LIMIT);
    const tl_objects_keep_item items[] = {{key_of("data/g"), good, 4},
                                          {key_of("data/none"), bad, 4}};
    assert_int_equal(tl_objects_keep_many(store, items, 2, &ctx), TL_ERR_NOT_FOUND);
    assert_true(ctx.has_offset && ctx.offset == 1);
    char kept[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_objects_kept_key(kept, &bad);
    assert_int_equal(get_err(kept), TL_ERR_NOT_FOUND);
}

static void nobody_is_lent_the_kept_objects_to_write(void **state)
{
    (void)state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_post post;
    tl_str url;
    static const char *const prefixes[] = {"kept/", "kept/sha256/", "kept/sha256/ab/"};
    for (size_t i = 0; i < 3; i++) { /* OBJ-3 */
        const tl_objects_post_rule rule = {key_of(prefixes[i]), 1, 2, 60};
        assert_int_equal(tl_objects_presign_post(store, &post, arena, &rule, &ctx), TL_ERR_REFUSED);
    }
    assert_int_equal(
        tl_objects_presign(store, &url, arena, TL_OBJECTS_PUT, key_of("kept/sha256/x"), 60, &ctx),
        TL_ERR_REFUSED);
    assert_int_equal(
        tl_objects_presign(store, &url, arena, TL_OBJECTS_GET, key_of("kept/sha256/x"), 60, &ctx),
        TL_OK);
    static const struct {
        tl_objects_post_rule rule;
        tl_err want;
    } cases[] = {{{{"data", 4}, 1, 2, 60}, TL_ERR_SYNTAX},
                 {{{"../", 3}, 1, 2, 60}, TL_ERR_SYNTAX},
                 {{{"data/", 5}, 3, 2, 60}, TL_ERR_RANGE},
                 {{{"data/", 5}, 1, 2, 0}, TL_ERR_RANGE},
                 {{{"data/", 5}, 1, 2, 604801}, TL_ERR_RANGE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tl_objects_presign_post(store, &post, arena, &cases[i].rule, &ctx),
                         cases[i].want);
    }
}

/* --- retention --- */

static void what_is_too_old_is_swept(void **state)
{
    (void)state;
    const tl_objects_rule rules[] = {
        {TL_STR("data/"), 100}, {TL_STR("data/keep/"), 0}, {TL_STR("w/"), 1000}};
    tl_objects_info info;
    tl_objects_swept swept;
    tl_errctx ctx = TL_ERRCTX_INIT;
    put("data/a/1", "12345");
    put("data/keep/1", "1");
    put("w/1", "1");
    put("x/1", "1");
    assert_int_equal(tl_objects_head(store, &info, key_of("x/1"), &ctx), TL_OK);
    assert_int_equal(tl_objects_sweep(store, &swept, rules, 3, info.modified_ms + 90000, &ctx),
                     TL_OK);
    assert_int_equal(swept.objects, 0);
    assert_int_equal(tl_objects_sweep(store, &swept, rules, 3, info.modified_ms + 200000, &ctx),
                     TL_OK);
    assert_true(swept.objects == 1 && swept.bytes == 5);
    assert_int_equal(get_err("data/a/1"), TL_ERR_NOT_FOUND);
    expect("data/keep/1", "1");
    assert_int_equal(tl_objects_sweep(store, &swept, rules, 3, info.modified_ms + 2000000, &ctx),
                     TL_OK);
    assert_int_equal(swept.objects, 1);
    assert_int_equal(get_err("w/1"), TL_ERR_NOT_FOUND);
    expect("x/1", "1");
    assert_int_equal(tl_objects_sweep(store, &swept, rules, TL_OBJECTS_RULES_MAX + 1, 0, &ctx),
                     TL_ERR_LIMIT);
}

size_t store_suite_tests(struct CMUnitTest *out)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_is_got_and_replaced_whole, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_found, begin, end),
        cmocka_unit_test_setup_teardown(ranges_are_cut_at_the_end, begin, end),
        cmocka_unit_test_setup_teardown(only_new_never_replaces, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_of_any_length_arrives_with_its_hash, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_that_is_given_up_leaves_nothing, begin, end),
        cmocka_unit_test_setup_teardown(lists_come_in_order_page_by_page, begin, end),
        cmocka_unit_test_setup_teardown(copies_and_bulk_deletes_hold, begin, end),
        cmocka_unit_test_setup_teardown(bad_keys_never_reach_the_store, begin, end),
        cmocka_unit_test_setup_teardown(an_object_is_no_folder_of_another, begin, end),
        cmocka_unit_test_setup_teardown(what_is_kept_outlives_its_upload, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_as_said_is_not_kept, begin, end),
        cmocka_unit_test_setup_teardown(nobody_is_lent_the_kept_objects_to_write, begin, end),
        cmocka_unit_test_setup_teardown(what_is_too_old_is_swept, begin, end),
    };
    _Static_assert(sizeof tests / sizeof tests[0] <= STORE_SUITE_MAX, "the suite fits");
    memcpy(out, tests, sizeof tests);
    return sizeof tests / sizeof tests[0];
}

void store_suite_use(tl_objects *wanted)
{
    store = wanted;
}
