/* Attacks backups: a drill from SQLite and a folder to PostgreSQL and S3 and back, which must end with the digest that it
 * began with; every byte of a manifest bent, and one of every file; stores that are not empty; a disk that is full; a
 * service that writes meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/backup/backup_internal.h"
#include "io/objects/test/s3_server.h"
#include "io/sql/test/worlds.h"
#include "io/sys/sys.h"

enum { ROWS = 1203 }; /* more than two pages */

static char dir[64];
static tl_arena *arena;
static tl_manual_clock manual;
static tl_clock clock_;
static unsigned serial;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* --- stores --- */

typedef struct service {
    char dir[128];
    tl_backup_stores stores;
} service;

static void open_service(service *s, const char *postgres_url, const tl_objects_options *s3)
{
    char database[160];
    char objects[160];
    tl_errctx ctx = TL_ERRCTX_INIT;
    (void)tl_str_print(database, sizeof database, "%s/service.db", s->dir);
    (void)tl_str_print(objects, sizeof objects, "%s/objects", s->dir);
    const tl_sql_options sql = {.path = postgres_url == NULL ? database : NULL,
                                .url = postgres_url};
    const tl_objects_options folder = {.dir = objects};
    s->stores = (tl_backup_stores){.dir = s->dir};
    if (tl_records_open(&s->stores.records, &sql, TL_RECORDS_USE, &ctx) != TL_OK ||
        tl_objects_open(&s->stores.objects, s3 != NULL ? s3 : &folder, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

static void new_service(service *s, const char *postgres_url, const tl_objects_options *s3)
{
    (void)tl_str_print(s->dir, sizeof s->dir, "%s/service-%u", dir, serial++);
    assert_int_equal(mkdir(s->dir, 0700), 0);
    open_service(s, postgres_url, s3);
}

static void close_service(service *s)
{
    tl_objects_close(s->stores.objects);
    tl_records_close(s->stores.records);
}

static void new_path(char out[128])
{
    (void)tl_str_print(out, 128, "%s/backup-%u", dir, serial++);
}

static void exec(const service *s, const char *text)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_sql_exec(tl_records_sql(s->stores.records), text, &ctx) != TL_OK) {
        fail_msg("%s: %s", text, ctx.message);
    }
}

static void write_state(const service *s, const char *name, const char *text)
{
    char path[256];
    (void)tl_str_print(path, sizeof path, "%s/%s", s->dir, name);
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(tl_str_from_cstr(text)), 0600, NULL),
                     TL_OK);
}

/* Rows that a dialect could hurt: texts of any letters, bytes of all kinds, no value, the largest and the least number. */
static void fill_rows(const service *s)
{
    tl_sql *sql = tl_records_sql(s->stores.records);
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    exec(s,
         "INSERT INTO epochs (id, profile, state, round, version, start_ms, end_ms, extended_ms,"
         " deadline_ms, selection_seed, nonce, nonce_commit, beacon, draw_commit, draw_secret,"
         " target_listings, tolerance_percent, parameters, moved_ms, beacon_ms, evidence_closed_ms,"
         " commits_closed_ms, results_closed_ms, settled_ms) VALUES ('e1', 'tally', 'open', 0, 1, "
         "1, 2,"
         " 0, 2, '', '', '', '', '', '', 1, 10, x'', 0, 0, 0, 0, 0, 0)");
    assert_int_equal(tl_sql_begin(sql, NULL), TL_OK);
    for (int i = 0; i < ROWS; i++) {
        tl_sql_stmt q;
        char name[64];
        (void)tl_str_print(name, sizeof name, "n%d \"\\\n\t\x01 \xC3\xA9 \xE6\x97\xA5 '", i % 7);
        tl_sql_prepare(&q, sql, "fill", "INSERT INTO counters (name, day, used) VALUES (?, ?, ?)");
        tl_sql_put_str(&q, tl_str_from_cstr(name));
        tl_sql_put_i64(&q, i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i);
        tl_sql_put_i64(&q, i);
        assert_int_equal(tl_sql_end(&q, NULL, NULL), TL_OK);
    }
    for (int i = 0; i < 3; i++) {
        tl_sql_stmt q;
        uint8_t key[32] = {(uint8_t)(200 - i), 0, (uint8_t)i};
        tl_sql_prepare(
            &q, sql, "fill",
            "INSERT INTO submissions (epoch_id, hotkey, coldkey, uid, content_hash,"
            " received_ms, metadata, correlation) VALUES ('e1', ?, ?, 4294967295, ?, 5, ?, ?)");
        for (int k = 0; k < 3; k++) {
            tl_sql_put_bytes(&q, (tl_bytes){key, sizeof key});
        }
        tl_sql_put_bytes(&q, (tl_bytes){bytes, i == 0 ? 0 : sizeof bytes});
        tl_sql_put_str(&q, TL_STR(""));
        assert_int_equal(tl_sql_end(&q, NULL, NULL), TL_OK);
        tl_sql_prepare(
            &q, sql, "fill",
            "INSERT INTO ballots (epoch_id, round, hotkey, stake_rao, commit_hash, committed_ms,"
            " revealed_ms) VALUES ('e1', 1, ?, 9223372036854775807, ?, 1, 0)"); /* with NULLs */
        tl_sql_put_bytes(&q, (tl_bytes){key, sizeof key});
        tl_sql_put_bytes(&q, (tl_bytes){key, sizeof key});
        assert_int_equal(tl_sql_end(&q, NULL, NULL), TL_OK);
    }
    assert_int_equal(tl_sql_commit(sql, NULL), TL_OK);
}

static void fill_objects(const service *s)
{
    static const char *const keys[] = {"data/hotkey=5F/epoch=e1/zipcode=02139/data_1.json",
                                       "data/hotkey=5F/epoch=e1/metadata.json", "kept/sha256/ab/x",
                                       "empty", "odd/a b&\xC3\xA9"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = i == 3 ? "" : i < 3 ? "the same bytes" : "others";
        assert_int_equal(tl_objects_put(s->stores.objects, NULL, tl_str_from_cstr(keys[i]),
                                        tl_str_bytes(tl_str_from_cstr(text)), NULL, NULL),
                         TL_OK);
    }
}

static void fill(const service *s)
{
    fill_rows(s);
    fill_objects(s);
    write_state(s, "objects.key", "0123456789abcdef0123456789abcdef");
    write_state(s, "pins.json", "{}");
    write_state(s, "lock", "1");
    write_state(s, "replay.marks", "marks");
    write_state(s, "coordinator.id", "me");
}

static tl_backup_report create(const service *s, char path[128])
{
    tl_backup_report report;
    tl_errctx ctx = TL_ERRCTX_INIT;
    new_path(path);
    if (tl_backup_create(&report, path, &s->stores, &clock_, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return report;
}

static void restore(const service *s, const char *path, const tl_backup_report *want)
{
    tl_backup_report report;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_backup_restore(&report, path, &s->stores, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    assert_memory_equal(report.digest, want->digest, 64);
}

static size_t verify(const char *path)
{
    tl_backup_report report;
    const tl_str *differs;
    size_t count = 0;
    const tl_err err = tl_backup_verify(&report, &differs, &count, arena, path, NULL);
    assert_true(err == TL_OK || err == TL_ERR_SYNTAX || err == TL_ERR_VERSION);
    return err == TL_OK ? count : SIZE_MAX;
}

/* --- the drill --- */

static void check_report(const tl_backup_report *r)
{
    assert_int_equal(r->rows, ROWS + 1 + 3 + 3 +
                                  1); /* counters, epoch, submissions, ballots, the audit's head */
    assert_int_equal(r->objects, 5);
    assert_int_equal(r->keys, 2);
}

static void a_drill_over_all_stores_ends_where_it_began(void **state)
{
    const tl_sql_world *world = *state;
    tl_pg_server *postgres = world->server;
    s3_server s3;
    tl_objects_options s3_options = {.dir = NULL};
    service first;
    service second;
    service third;
    char path[128];
    char url[128];
    const bool has_s3 = s3_server_is_here();
    if (has_s3) {
        s3_server_start(&s3);
        s3_options = s3_server_options(&s3);
    }
    new_service(&first, NULL, NULL);
    fill(&first);
    const tl_backup_report made = create(&first, path);
    check_report(&made);
    assert_int_equal(verify(path), 0);

    tl_pg_server_fresh(postgres, url, sizeof url);
    new_service(&second, url, has_s3 ? &s3_options : NULL);
    restore(&second, path, &made);
    const tl_backup_report again = create(&second, path);
    assert_string_equal(again.digest,
                        made.digest); /* PostgreSQL and S3 hold the same rows and bytes */

    new_service(&third, NULL, NULL);
    restore(&third, path, &again);
    const tl_backup_report last = create(&third, path);
    assert_string_equal(last.digest, made.digest);

    /* What counts by itself goes on behind what came. */
    for (int i = 0; i < 2; i++) {
        const service *s = i == 0 ? &second : &third;
        tl_sql_stmt q;
        uint8_t key[32] = {7};
        tl_sql_prepare(
            &q, tl_records_sql(s->stores.records), "fill",
            "INSERT INTO extensions (epoch_id, added_ms, reason, actor, body, signature, at_ms)"
            " VALUES ('e1', 1, '', '', ?, ?, 0)");
        tl_sql_put_bytes(&q, (tl_bytes){key, 2});
        tl_sql_put_bytes(&q, (tl_bytes){key, 2});
        assert_int_equal(tl_sql_end(&q, NULL, NULL), TL_OK);
        tl_sql_prepare(&q, tl_records_sql(s->stores.records), "fill",
                       "INSERT INTO submissions (epoch_id, hotkey, coldkey, uid, content_hash,"
                       " received_ms, metadata, correlation) VALUES ('e1', ?, ?, 1, ?, 5, ?, ?)");
        for (int k = 0; k < 4; k++) {
            tl_sql_put_bytes(&q, (tl_bytes){key, sizeof key});
        }
        tl_sql_put_str(&q, TL_STR("x"));
        assert_int_equal(tl_sql_end(&q, NULL, NULL), TL_OK);
    }
    close_service(&first);
    close_service(&second);
    close_service(&third);
    if (has_s3) {
        s3_server_stop(&s3);
    }
}

/* --- changed bytes --- */

static void flip(const char *path, size_t at)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    assert_int_equal(close(fd), 0);
}

static size_t bent_files;

static int flip_each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F) {
        return 0;
    }
    const char *root_end = strstr(path, "/backup-");
    char root[128];
    (void)tl_str_print(root, sizeof root, "%.*s",
                       (int)(strcspn(root_end + 1, "/") + 1 + (size_t)(root_end - path)), path);
    const bool is_manifest = strstr(path, "MANIFEST") != NULL;
    const size_t len = (size_t)st->st_size;
    for (size_t i = 0; i < len; i += is_manifest ? 1 : len / 2 + 1) {
        flip(path, i);
        assert_true(verify(root) > 0); /* BACKUP-3 */
        flip(path, i);
    }
    bent_files += len > 0 ? 1 : 0;
    return 0;
}

static void a_changed_byte_is_found_wherever_it_is(void **state)
{
    (void)state;
    service s;
    char path[128];
    char file[256];
    new_service(&s, NULL, NULL);
    fill_objects(&s);
    write_state(&s, "objects.key", "key");
    (void)create(&s, path);
    bent_files = 0;
    (void)nftw(path, flip_each, 16, FTW_PHYS);
    assert_true(bent_files > 24); /* tables, objects, the key, the manifest */
    assert_int_equal(verify(path), 0);

    /* A file that is gone, a line too many, a manifest without its end. */
    (void)tl_str_print(file, sizeof file, "%s/state/objects.key", path);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(verify(path), 1);
    tl_str manifest;
    (void)tl_str_print(file, sizeof file, "%s/MANIFEST", path);
    assert_int_equal(tl_sys_read_file(&manifest, arena, file, 1 << 20, NULL), TL_OK);
    FILE *more = fopen(file, "a");
    assert_non_null(more);
    (void)fputs("{\"kind\":\"end\"}\n", more);
    assert_int_equal(fclose(more), 0);
    assert_true(verify(path) >= 1);
    for (size_t len = 0; len < manifest.len; len += 97) {
        assert_int_equal(truncate(file, (off_t)len), 0);
        assert_true(verify(path) >= 1);
        assert_int_equal(tl_sys_write_file(file, tl_str_bytes(manifest), 0600, NULL), TL_OK);
    }
    close_service(&s);
}

static void what_is_no_backup_is_said_to_be_none(void **state)
{
    (void)state;
    tl_backup_report report;
    const tl_str *differs;
    size_t count;
    char path[128];
    char file[160];
    tl_errctx ctx = TL_ERRCTX_INIT;
    new_path(path);
    assert_int_equal(tl_backup_verify(&report, &differs, &count, arena, path, &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(tl_backup_verify(&report, &differs, &count, arena, path, &ctx), TL_ERR_SYNTAX);
    (void)tl_str_print(file, sizeof file, "%s/MANIFEST", path);
    static const struct {
        const char *text;
        tl_err want;
    } cases[] = {{"", TL_ERR_SYNTAX},
                 {"hello\n", TL_ERR_SYNTAX},
                 {"{\"format\":1}\n", TL_ERR_SYNTAX},
                 {"{\"format\":\"tally-backup/1\"}\n", TL_ERR_SYNTAX},
                 {"{\"format\":\"tally-backup/2\",\"schema\":\"\"}\n", TL_ERR_VERSION}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            tl_sys_write_file(file, tl_str_bytes(tl_str_from_cstr(cases[i].text)), 0600, NULL),
            TL_OK);
        assert_int_equal(tl_backup_verify(&report, &differs, &count, arena, path, &ctx),
                         cases[i].want);
    }
}

/* A manifest whose digest holds, made by somebody else, cannot lead out of the folders. */
static void names_that_lead_elsewhere_are_damage(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *name;
    } lines[] = {{"state", "../x"},
                 {"state", ".x"},
                 {"table", "epochs; DROP TABLE epochs"},
                 {"object", "a/../../b"},
                 {"other", "a"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char path[128];
        char file[160];
        char schema[65];
        char line[256];
        tl__backup_file f;
        tl_backup_report report = {.keys = 0};
        memset(schema, '0', 64);
        schema[64] = '\0';
        new_path(path);
        assert_int_equal(mkdir(path, 0700), 0);
        (void)tl_str_print(file, sizeof file, "%s/MANIFEST", path);
        assert_int_equal(tl__backup_write_open(&f, file, NULL), TL_OK);
        assert_int_equal(tl__backup_put_head(&f, arena, schema, &clock_, NULL), TL_OK);
        const int len = snprintf(
            line, sizeof line,
            "{\"kind\":\"%s\",\"name\":\"%s\",\"rows\":0,\"bytes\":0,\"sha256\":\"%064d\"}\n",
            lines[i].kind, lines[i].name, 0);
        assert_int_equal(tl__backup_write(&f, (tl_bytes){(const uint8_t *)line, (size_t)len}, NULL),
                         TL_OK);
        assert_int_equal(tl__backup_put_end(&f, arena, &report, NULL), TL_OK);
        assert_int_equal(verify(path), 1);
    }
}

/* --- restoring --- */

static tl_err restore_err(const service *s, const char *path, tl_errctx *ctx)
{
    tl_backup_report report;
    return tl_backup_restore(&report, path, &s->stores, ctx);
}

static void only_empty_stores_are_filled(void **state)
{
    (void)state;
    service from;
    service to;
    char path[128];
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_page page;
    new_service(&from, NULL, NULL);
    fill(&from);
    const tl_backup_report made = create(&from, path);

    new_service(&to, NULL, NULL);
    exec(&to, "INSERT INTO counters (name, day, used) VALUES ('a', 1, 1)");
    assert_int_equal(restore_err(&to, path, &ctx), TL_ERR_STATE); /* BACKUP-4 */
    assert_string_equal(ctx.field, "counters");
    exec(&to, "DELETE FROM counters");
    assert_int_equal(
        tl_objects_put(to.stores.objects, NULL, TL_STR("x"), (tl_bytes){NULL, 0}, NULL, NULL),
        TL_OK);
    assert_int_equal(restore_err(&to, path, &ctx), TL_ERR_STATE);
    assert_int_equal(tl_objects_delete(to.stores.objects, TL_STR("x"), NULL), TL_OK);
    write_state(&to, "objects.key", "another");
    assert_int_equal(restore_err(&to, path, &ctx), TL_ERR_STATE);
    assert_int_equal(
        tl_objects_list(to.stores.objects, &page, arena, (tl_str){0}, (tl_str){0}, 0, NULL), TL_OK);
    assert_int_equal(page.count, 0); /* nothing was written */
    char file[256];
    (void)tl_str_print(file, sizeof file, "%s/objects.key", to.dir);
    assert_int_equal(unlink(file), 0);

    /* Damage is seen before anything is written. */
    (void)tl_str_print(file, sizeof file, "%s/tables/counters.jsonl", path);
    flip(file, 100);
    assert_int_equal(restore_err(&to, path, &ctx), TL_ERR_CORRUPT);
    assert_int_equal(
        tl_objects_list(to.stores.objects, &page, arena, (tl_str){0}, (tl_str){0}, 0, NULL), TL_OK);
    assert_int_equal(page.count, 0);
    flip(file, 100);
    restore(&to, path, &made);
    close_service(&from);
    close_service(&to);
}

/* --- faults --- */

static void a_full_disk_leaves_no_backup(void **state)
{
    (void)state;
    service s;
    char path[128];
    tl_backup_report report;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const char *const *names;
    size_t count;
    struct rlimit was;
    new_service(&s, NULL, NULL);
    fill(&s);
    new_path(path);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    const struct rlimit small = {.rlim_cur = 20000, .rlim_max = was.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const tl_err err = tl_backup_create(&report, path, &s.stores, &clock_, &ctx);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(err, TL_ERR_IO);
    assert_int_equal(tl_sys_list_dir(&names, &count, arena, dir, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) { /* BACKUP-2: neither the backup nor its beginnings */
        const char *last = strrchr(path, '/') + 1;
        assert_false(tl_str_starts_with(tl_str_from_cstr(names[i]), tl_str_from_cstr(last)));
    }
    assert_int_equal(tl_backup_create(&report, path, &s.stores, &clock_, &ctx), TL_OK);
    assert_int_equal(tl_backup_create(&report, path, &s.stores, &clock_, &ctx), TL_ERR_STATE);
    close_service(&s);
}

/* --- a service that writes meanwhile --- */

typedef struct writer {
    service service;
    bool is_over; /* atomic */
    int written;
    tl_err err;
} writer;

static tl_err write_pair(void *self, tl_sql *sql, tl_errctx *ctx)
{
    const writer *w = self;
    tl_sql_stmt q;
    char name[32];
    (void)tl_str_print(name, sizeof name, "pair %d", w->written);
    tl_sql_prepare(&q, sql, "write", "INSERT INTO counters (name, day, used) VALUES (?, 0, 0)");
    tl_sql_put_str(&q, tl_str_from_cstr(name));
    TL_TRY(tl_sql_end(&q, NULL, ctx));
    tl_sql_prepare(&q, sql, "write", "INSERT INTO small_values (name, value) VALUES (?, ?)");
    tl_sql_put_str(&q, tl_str_from_cstr(name));
    tl_sql_put_bytes(&q, (tl_bytes){(const uint8_t *)name, 4});
    return tl_sql_end(&q, NULL, ctx);
}

static void *write_pairs(void *arg)
{
    writer *w = arg;
    while (!__atomic_load_n(&w->is_over, __ATOMIC_ACQUIRE) && w->err == TL_OK) {
        w->err = tl_sql_transact(tl_records_sql(w->service.stores.records), write_pair, w, NULL);
        w->written++;
    }
    return NULL;
}

static uint64_t rows_of(const char *path, const char *table)
{
    tl__backup_reader r;
    uint64_t rows = UINT64_MAX;
    assert_int_equal(tl__backup_reader_open(&r, path, NULL), TL_OK);
    while (!r.is_over) {
        tl__backup_item item;
        assert_int_equal(tl__backup_reader_next(&r, &item, NULL), TL_OK);
        if (!r.is_over && item.kind == TL__BACKUP_TABLE && tl_str_eq_cstr(item.name, table)) {
            rows = item.rows;
        }
    }
    tl__backup_reader_close(&r);
    return rows;
}

static void rows_are_of_one_moment(void **state)
{
    (void)state;
    writer w = {.written = 0};
    service reader;
    pthread_t thread;
    uint64_t last = 0;
    new_service(&w.service, NULL, NULL);
    reader = w.service;
    open_service(&reader, NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, write_pairs, &w), 0);
    for (int i = 0; i < 5; i++) {
        char path[128];
        (void)create(&reader, path);
        const uint64_t rows = rows_of(path, "counters");
        assert_int_equal(rows, rows_of(path, "small_values")); /* BACKUP-1 */
        assert_true(rows >= last);
        assert_int_equal(verify(path), 0);
        last = rows;
    }
    __atomic_store_n(&w.is_over, true, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.err, TL_OK);
    assert_true(w.written > 0);
    close_service(&reader);
    close_service(&w.service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_drill_over_all_stores_ends_where_it_began,
                                        tl_sql_world_set_up_postgres, tl_sql_world_tear_down),
        cmocka_unit_test(a_changed_byte_is_found_wherever_it_is),
        cmocka_unit_test(what_is_no_backup_is_said_to_be_none),
        cmocka_unit_test(names_that_lead_elsewhere_are_damage),
        cmocka_unit_test(only_empty_stores_are_filled),
        cmocka_unit_test(a_full_disk_leaves_no_backup),
        cmocka_unit_test(rows_are_of_one_moment),
    };
    clock_ = tl_manual_clock_start(&manual, (int64_t)1700000000 * 1000000000);
    (void)tl_str_print(dir, sizeof dir, "/tmp/tally-backup.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    const int failed = cmocka_run_group_tests(tests, tl_sql_worlds_start, tl_sql_worlds_stop);
    tl_arena_free(arena);
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
