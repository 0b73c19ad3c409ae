/* The intake on a real database and a real folder. Attacked: metadata.json of every bad kind (TAKE-3), another's folder,
 * objects that differ from what is said, reports twice and by many threads (TAKE-2), a process that is killed between the
 * copies and the row, and right after the acknowledgement (TAKE-1). */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "app/coordinator/intake/intake.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"

enum { MINERS = 24, WAIT_TURNS = 2000 };

#define EPOCH    "2025-10-03T12-00-00"
#define START_MS INT64_C(1759492800000)
#define SS58     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define FOLDER   "data/hotkey=" SS58 "/epoch=" EPOCH "/"
#define OBJECT   "{\"zipcode\":\"98101\",\"listings\":[]}"

typedef struct world {
    tl_arena *arena;
    const char *dir;
    tl_sql_options sql;
    tl_objects_options objects_options;
    tl_objects *objects;
    tl_records *records;
    tl_record_assignment zipcodes[2];
} world;

/* What the test leaves on the disk goes with it. */
static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int make_world(void **state)
{
    world *w = test_calloc(1, sizeof *w);
    assert_int_equal(tl_arena_new(&w->arena, NULL, 0, NULL, NULL), TL_OK);
    assert_int_equal(tl_sys_make_fresh_dir(&w->dir, w->arena, "/tmp/tally-intake", NULL), TL_OK);
    assert_int_equal(tl_sys_join(&w->sql.path, w->arena, w->dir, TL_RECORDS_FILE, NULL), TL_OK);
    assert_int_equal(tl_sys_join(&w->objects_options.dir, w->arena, w->dir, "objects", NULL),
                     TL_OK);
    assert_int_equal(tl_objects_open(&w->objects, &w->objects_options, NULL), TL_OK);
    assert_int_equal(tl_records_open(&w->records, &w->sql, TL_RECORDS_USE, NULL), TL_OK);
    w->zipcodes[0] = (tl_record_assignment){.zipcode = TL_STR("98101"), .expected = 300};
    w->zipcodes[1] = (tl_record_assignment){.zipcode = TL_STR("98103"), .expected = 300};
    const tl_record_epoch epoch = {.id = TL_STR(EPOCH),
                                   .profile = TL_STR("tally"),
                                   .state = TL_EPOCH_OPEN,
                                   .start_ms = START_MS,
                                   .end_ms = START_MS + 14400000,
                                   .nonce = TL_STR("00112233445566778899aabbccddeeff"),
                                   .nonce_commit = TL_STR("00"),
                                   .selection_seed = TL_STR("00"),
                                   .parameters = tl_str_bytes(TL_STR("{}"))};
    assert_int_equal(tl_records_create_epoch(w->records, &epoch, w->zipcodes, 2, NULL, NULL),
                     TL_OK);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    world *w = *state;
    tl_records_close(w->records);
    tl_objects_close(w->objects);
    remove_tree(w->dir);
    tl_arena_free(w->arena);
    test_free(w);
    return 0;
}

static tl_intake_claim claim_of(const world *w)
{
    return (tl_intake_claim){.epoch_id = TL_STR(EPOCH),
                             .ss58 = TL_STR(SS58),
                             .hotkey = {.b = {7}},
                             .coldkey = {.b = {8}},
                             .uid = 3,
                             .received_ms = START_MS + 1000,
                             .correlation = TL_STR("test"),
                             .zipcodes = w->zipcodes,
                             .zipcode_count = 2};
}

static void put(world *w, const char *key, const char *text)
{
    assert_int_equal(tl_objects_put(w->objects, NULL, tl_str_from_cstr(key),
                                    tl_str_bytes(tl_str_from_cstr(text)), NULL, NULL),
                     TL_OK);
}

static const char *sha_of(world *w, const char *text)
{
    tl_hash32 hash;
    char *hex = TL_NEW(w->arena, char, 65);
    tl_sha256(&hash, text, strlen(text));
    tl_hex_write(hex, hash.b, sizeof hash.b);
    return hex;
}

/* One object, and the metadata.json that names it. */
static void upload(world *w)
{
    tl_sb sb;
    tl_str text;
    put(w, FOLDER "zipcode=98101/data_1.json", OBJECT);
    tl_sb_init(&sb, w->arena);
    tl_sb_printf(
        &sb,
        "{\"epochId\":\"" EPOCH "\",\"hotkey\":\"" SS58 "\",\"objects\":[{\"key\":\"" FOLDER
        "zipcode=98101/data_1.json\",\"zipcode\":\"98101\",\"sha256\":\"%s\",\"bytes\":%zu,"
        "\"rows\":0}],\"more\":1}",
        sha_of(w, OBJECT), strlen(OBJECT));
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    put(w, FOLDER "metadata.json", text.ptr);
}

static tl_err take(world *w, tl_intake *intake, tl_intake_ack *ack, const tl_intake_claim *claim,
                   tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    (void)w;
    assert_int_equal(tl_arena_new(&scratch, NULL, 0, NULL, NULL), TL_OK);
    const tl_err err = tl_intake_take(intake, ack, scratch, claim, ctx);
    tl_arena_free(scratch);
    return err;
}

static bool has_row(world *w)
{
    tl_record_submission row;
    const tl_intake_claim claim = claim_of(w);
    return tl_records_submission(w->records, &row, TL_STR(EPOCH), &claim.hotkey, w->arena, NULL) ==
           TL_OK;
}

static bool is_kept(world *w)
{
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_hash32 hash;
    tl_objects_info info;
    tl_sha256(&hash, OBJECT, strlen(OBJECT));
    tl_objects_kept_key(key, &hash);
    return tl_objects_head(w->objects, &info, tl_str_from_cstr(key), NULL) == TL_OK;
}

/* --- metadata.json --- */

static void what_a_metadata_file_must_not_say(void **state)
{
    world *w = *state;
    tl_intake_claim claim = claim_of(w);
    const tl_record_object *rows;
    size_t count;
#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "{\"epochId\":\"" EPOCH "\",\"hotkey\":\"" SS58 "\",\"objects\":["
#define ROW(key, zip, sha, bytes, rows)                                                            \
    "{\"key\":\"" key "\",\"zipcode\":\"" zip "\",\"sha256\":\"" sha "\",\"bytes\":" bytes         \
    ",\"rows\":" rows "}"
#define FULL(key) ROW(FOLDER key, "98101", HASH, "67108864", "0")
    static const struct {
        const char *text;
        tl_err err;
        const char *field;
    } cases[] = {
        {"", TL_ERR_SYNTAX, ""},
        {"[]", TL_ERR_TYPE, ""},
        {"{\"hotkey\":\"" SS58 "\",\"objects\":[]}", TL_ERR_MISSING, "epochId"},
        {"{\"epochId\":\"2025-10-03T16-00-00\",\"hotkey\":\"" SS58 "\",\"objects\":[]}",
         TL_ERR_UNKNOWN, "epochId"},
        {"{\"epochId\":\"" EPOCH "\",\"hotkey\":\"5F\",\"objects\":[]}", TL_ERR_UNKNOWN, "hotkey"},
        {HEAD "]}", TL_ERR_MISSING, "objects"},
        {HEAD "7]}", TL_ERR_TYPE, "objects[0]"},
        {HEAD ROW("data/hotkey=5F/x", "98101", HASH, "1", "0") "]}", TL_ERR_UNKNOWN,
         "objects[0].key"},
        {HEAD ROW(FOLDER "../x", "98101", HASH, "1", "0") "]}", TL_ERR_SYNTAX, "objects[0].key"},
        {HEAD ROW(FOLDER, "98101", HASH, "1", "0") "]}", TL_ERR_UNKNOWN, "objects[0].key"},
        {HEAD ROW(FOLDER "x", "98102", HASH, "1", "0") "]}", TL_ERR_UNKNOWN, "objects[0].zipcode"},
        {HEAD ROW(FOLDER "x", "98101", "00", "1", "0") "]}", TL_ERR_SYNTAX, "objects[0].sha256"},
        {HEAD ROW(FOLDER "x", "98101", HASH, "0", "0") "]}", TL_ERR_RANGE, "objects[0].bytes"},
        {HEAD ROW(FOLDER "x", "98101", HASH, "67108865", "0") "]}", TL_ERR_RANGE,
         "objects[0].bytes"},
        {HEAD ROW(FOLDER "x", "98101", HASH, "1", "100001") "]}", TL_ERR_RANGE, "objects[0].rows"},
        {HEAD ROW(FOLDER "x", "98101", HASH, "1", "-1") "]}", TL_ERR_RANGE, "objects[0].rows"},
        {HEAD ROW(FOLDER "x", "98101", HASH, "1", "0") "," ROW(FOLDER "x", "98103", HASH, "1",
                                                               "0") "]}",
         TL_ERR_DUPLICATE, "objects"},
        {HEAD FULL("a") "," FULL("b") "," FULL("c") "," FULL("d") "," ROW(FOLDER "e", "98101", HASH,
                                                                          "1", "0") "]}",
         TL_ERR_LIMIT, "objects[4].bytes"}, /* no validator holds so much of one zipcode */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err =
            tl_intake_read(&rows, &count, w->arena, tl_str_from_cstr(cases[i].text), &claim, &ctx);
        if (err != cases[i].err || strcmp(ctx.field, cases[i].field) != 0) {
            fail_msg("%s: %s, field \"%s\"", cases[i].text, tl_err_name(err), ctx.field);
        }
    }
    assert_int_equal(tl_intake_read(&rows, &count, w->arena,
                                    TL_STR(HEAD ROW(FOLDER "x", "98101", HASH, "1", "0") "," ROW(
                                        FOLDER "y", "98103", HASH, "67108864", "100000") "]}"),
                                    &claim, NULL),
                     TL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].bytes, 67108864);
}

/* --- from upload to receipt --- */

static void a_whole_set_is_kept_and_the_next_one_is_told_of_it(void **state)
{
    world *w = *state;
    tl_intake *intake = NULL;
    tl_intake_ack ack;
    tl_intake_ack again;
    tl_intake_claim claim = claim_of(w);
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_intake_new(&intake, &w->sql, w->objects, NULL), TL_OK);
    assert_int_equal(take(w, intake, &ack, &claim, &ctx), TL_ERR_NOT_FOUND);
    assert_string_equal(ctx.field, FOLDER "metadata.json");
    upload(w);
    put(w, FOLDER "zipcode=98101/data_1.json", "{\"zipcode\":\"98101\",\"listings\":[7]}");
    assert_int_equal(take(w, intake, &ack, &claim, &ctx), TL_ERR_CORRUPT);
    assert_false(has_row(w));
    upload(w);
    assert_int_equal(take(w, intake, &ack, &claim, NULL), TL_OK);
    assert_int_equal(ack.receipt.kept, TL_RECORD_KEPT);
    assert_int_equal(ack.receipt.received_ms, START_MS + 1000);
    assert_true(is_kept(w) && has_row(w));
    put(w, FOLDER "zipcode=98101/data_1.json", "gone"); /* the form outlives the report */
    assert_true(is_kept(w));
    upload(w);
    claim.received_ms += 5000;
    assert_int_equal(take(w, intake, &again, &claim, NULL), TL_OK);
    assert_int_equal(again.receipt.kept, TL_RECORD_KEPT_BEFORE);
    assert_int_equal(again.receipt.received_ms, START_MS + 1000);
    claim.received_ms = START_MS + 14400000;
    claim.hotkey.b[0] = 9;
    assert_int_equal(take(w, intake, &again, &claim, NULL), TL_OK);
    assert_int_equal(again.receipt.kept, TL_RECORD_TOO_LATE);
    tl_intake_free(intake);
}

typedef struct crowd {
    world *w;
    tl_intake *intake;
    uint8_t miner;
    tl_record_kept kept[2];
} crowd;

static void *report_twice(void *self)
{
    crowd *c = self;
    tl_intake_claim claim = claim_of(c->w);
    claim.hotkey.b[0] = c->miner;
    for (size_t i = 0; i < 2; i++) {
        tl_intake_ack ack;
        assert_int_equal(take(c->w, c->intake, &ack, &claim, NULL), TL_OK);
        c->kept[i] = ack.receipt.kept;
    }
    return NULL;
}

static void many_at_once_are_each_kept_once(void **state)
{
    world *w = *state;
    tl_intake *intake = NULL;
    pthread_t threads[MINERS];
    crowd crowds[MINERS];
    uint64_t count;
    upload(w);
    assert_int_equal(tl_intake_new(&intake, &w->sql, w->objects, NULL), TL_OK);
    for (size_t i = 0; i < MINERS; i++) { /* two threads a miner */
        crowds[i] = (crowd){.w = w, .intake = intake, .miner = (uint8_t)(100 + i / 2)};
        assert_int_equal(pthread_create(&threads[i], NULL, report_twice, &crowds[i]), 0);
    }
    size_t kept = 0;
    for (size_t i = 0; i < MINERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        kept += crowds[i].kept[0] == TL_RECORD_KEPT;
        assert_int_equal(crowds[i].kept[1], TL_RECORD_KEPT_BEFORE);
    }
    assert_int_equal(kept, MINERS / 2);
    assert_int_equal(tl_records_submission_count(w->records, &count, TL_STR(EPOCH), NULL), TL_OK);
    assert_int_equal(count, MINERS / 2);
    tl_intake_free(intake);
}

/* --- killed --- */

/* A child with stores of its own opens them, says so, takes the report when it is told to, and says so too. */
static pid_t fork_report(world *w, int *said, int *go)
{
    int ends[2];
    int starts[2];
    char opened = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(starts), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tl_objects *objects = NULL;
        tl_intake *intake = NULL;
        tl_intake_ack ack;
        const tl_intake_claim claim = claim_of(w);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        const char word = 'k';
        char started;
        bool fine = tl_objects_open(&objects, &w->objects_options, NULL) == TL_OK &&
                    tl_intake_new(&intake, &w->sql, objects, NULL) == TL_OK &&
                    write(ends[1], &word, 1) == 1 && read(starts[0], &started, 1) == 1 &&
                    take(w, intake, &ack, &claim, NULL) == TL_OK && write(ends[1], &word, 1) == 1;
        (void)fine;
        (void)pause(); /* until it is killed */
        _exit(0);
    }
    (void)close(ends[1]);
    (void)close(starts[0]);
    assert_int_equal(read(ends[0], &opened, 1), 1);
    *said = ends[0];
    *go = starts[1];
    return pid;
}

static void kill_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void killed_between_copies_and_row_there_is_no_row_and_no_harm(void **state)
{
    world *w = *state;
    int said;
    int go;
    tl_intake *intake = NULL;
    tl_intake_ack ack;
    const tl_intake_claim claim = claim_of(w);
    upload(w);
    const pid_t pid = fork_report(w, &said, &go);
    assert_int_equal(tl_sql_begin(tl_records_sql(w->records), NULL), TL_OK); /* its row must wait */
    assert_int_equal(write(go, "g", 1), 1);
    for (int i = 0; i < WAIT_TURNS && !is_kept(w); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_true(is_kept(w));
    kill_child(pid);
    tl_sql_rollback(tl_records_sql(w->records));
    assert_false(has_row(w));
    assert_int_equal(tl_intake_new(&intake, &w->sql, w->objects, NULL), TL_OK);
    assert_int_equal(take(w, intake, &ack, &claim, NULL), TL_OK);
    assert_int_equal(ack.receipt.kept, TL_RECORD_KEPT);
    tl_intake_free(intake);
    (void)close(said);
    (void)close(go);
}

static void killed_right_after_the_acknowledgement_everything_is_there(void **state)
{
    world *w = *state;
    int said;
    int go;
    char word = 0;
    upload(w);
    const pid_t pid = fork_report(w, &said, &go);
    assert_int_equal(write(go, "g", 1), 1);
    assert_int_equal(read(said, &word, 1), 1);
    kill_child(pid);
    assert_int_equal(word, 'k');
    assert_true(has_row(w) && is_kept(w));
    (void)close(said);
    (void)close(go);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_metadata_file_must_not_say),
        TEST(a_whole_set_is_kept_and_the_next_one_is_told_of_it),
        TEST(many_at_once_are_each_kept_once),
        TEST(killed_between_copies_and_row_there_is_no_row_and_no_harm),
        TEST(killed_right_after_the_acknowledgement_everything_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
