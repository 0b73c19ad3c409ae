/* Attacks migrations on both databases: changed texts, gaps, a newer schema, a step that fails halfway, somebody else's
 * database, many that migrate at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sql/test/worlds.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const tl_sql_migration steps[] = {
    {1, "first",
     "CREATE TABLE a (id {serial}, n {int} NOT NULL CHECK (n > 0), w {text}, b {blob}{table};\n"
     "--sqlite\nCREATE TABLE only_lite (n {int}{table};\n"
     "--postgres\nCREATE TABLE only_server (n {int}{table};\n"
     "--both\nINSERT INTO a (n, w) VALUES (7, 'x');"},
    {2, "second", "CREATE TABLE c (id {int} PRIMARY KEY{table};"},
    {3, "third", "CREATE TABLE d (id {int} PRIMARY KEY REFERENCES c (id){table};"},
};

static tl_err migrate(tl_sql *sql, const tl_sql_migration *ours, size_t count, tl_errctx *why)
{
    size_t applied = 0;
    return tl_sql_migrate(sql, &applied, ours, count, why);
}

static void steps_are_applied_once(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    size_t applied = 99;
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(tl_sql_check_schema(sql, steps, 3, &why), TL_ERR_VERSION);
    assert_int_equal(tl_sql_migrate(sql, &applied, steps, 1, &why), TL_OK);
    assert_int_equal(applied, 1);
    assert_int_equal(tl_sql_migrate(sql, &applied, steps, 3, &why), TL_OK);
    assert_int_equal(applied, 2);
    assert_int_equal(tl_sql_migrate(sql, &applied, steps, 3, &why), TL_OK);
    assert_int_equal(applied, 0);
    assert_int_equal(tl_sql_check_schema(sql, steps, 3, &why), TL_OK);
    assert_int_equal(tl_sql_world_number(sql, "SELECT n FROM a WHERE w = 'x'"), 7);
    const char *own = world->kind == TL_SQL_SQLITE ? "SELECT count(*) FROM only_lite"
                                                   : "SELECT count(*) FROM only_server";
    assert_int_equal(tl_sql_world_number(sql, own), 0);
    const tl_str *findings = NULL;
    size_t count = 99;
    assert_int_equal(tl_sql_verify(sql, &findings, &count, world->arena, &why), TL_OK);
    assert_int_equal(count, 0);
    tl_sql_close(sql);
}

static void each_step_tells_its_state(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    const tl_sql_step *rows = NULL;
    size_t count = 0;
    assert_int_equal(migrate(sql, steps, 2, NULL), TL_OK);
    tl_sql_world_exec(sql, "UPDATE migrations SET checksum = 'bent' WHERE number = 2;"
                           "INSERT INTO migrations (number, name, checksum) VALUES (9, 'z', 'q')");
    assert_int_equal(tl_sql_steps(sql, &rows, &count, steps, 3, world->arena, NULL), TL_OK);
    assert_int_equal(count, 4);
    const char *const names[] = {"applied", "changed", "unknown", "pending"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(tl_sql_step_state_name(rows[i].state), names[i]);
    }
    assert_int_equal(strlen(rows[0].checksum), 64);
    assert_int_equal(rows[2].number, 9);
    tl_sql_close(sql);
}

static void a_newer_or_changed_schema_is_not_written_to(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(migrate(sql, steps, 2, NULL), TL_OK);
    assert_int_equal(migrate(sql, steps, 1, &why), TL_ERR_VERSION); /* a program of yesterday */
    assert_non_null(strstr(why.message, "migration 2"));
    tl_sql_world_exec(sql, "UPDATE migrations SET checksum = 'bent' WHERE number = 2");
    assert_int_equal(migrate(sql, steps, 3, &why), TL_ERR_CORRUPT);
    assert_int_equal(tl_sql_check_schema(sql, steps, 3, NULL), TL_ERR_CORRUPT);
    tl_sql_world_exec(sql, "DELETE FROM migrations WHERE number = 1");
    assert_int_equal(migrate(sql, steps, 3, NULL), TL_ERR_CORRUPT);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM migrations"), 1);
    tl_sql_close(sql);
}

static void a_step_that_fails_takes_all_back(void **state)
{
    const tl_sql_world *world = *state;
    const tl_sql_migration bad[] = {
        {1, "good", "CREATE TABLE a (n {int}{table};"},
        {2, "bad", "CREATE TABLE b (n {int}{table}; INSERT INTO nowhere VALUES (1);"}};
    tl_sql *sql = tl_sql_world_open(world);
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(migrate(sql, bad, 2, &why), TL_ERR_CORRUPT);
    assert_non_null(strstr(why.message, "migration 2"));
    assert_int_equal(migrate(sql, bad, 1, NULL), TL_OK); /* nothing of it is left in the way */
    assert_int_equal(migrate(sql, steps, 3, NULL), TL_ERR_CORRUPT);
    tl_sql_close(sql);
}

static void *migrate_thread(void *self)
{
    const tl_sql_world *world = self;
    static char failed;
    tl_sql *sql = NULL;
    tl_err err = tl_sql_open(&sql, &world->options, NULL);
    if (err == TL_OK) {
        err = migrate(sql, steps, 3, NULL);
    }
    tl_sql_close(sql);
    return err == TL_OK ? NULL : &failed;
}

static void many_migrate_at_once_and_one_does_it(void **state)
{
    tl_sql_world *world = *state;
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_thread, world), 0);
    }
    for (size_t i = 0; i < 6; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tl_sql *sql = tl_sql_world_open(world);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM migrations"), 3);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM a"), 1);
    tl_sql_close(sql);
}

static void somebody_elses_file_is_left_alone(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    tl_sql_world_exec(sql, "CREATE TABLE theirs (n INTEGER)");
    tl_errctx why = TL_ERRCTX_INIT;
    assert_int_equal(migrate(sql, steps, 3, &why), TL_ERR_CORRUPT);
    assert_int_equal(tl_sql_world_number(sql, "SELECT count(*) FROM sqlite_schema"), 1);
    tl_sql_close(sql);
}

static void a_new_file_is_for_its_owner_alone(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    assert_int_equal(migrate(sql, steps, 3, NULL), TL_OK);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[256];
        struct stat at;
        tl_str_print(path, sizeof path, "%s%s", world->path, ends[i]);
        assert_int_equal(stat(path, &at), 0);
        assert_int_equal(at.st_mode & 0777, 0600);
    }
    tl_sql_close(sql);
}

static void a_damaged_file_is_corrupt(void **state)
{
    const tl_sql_world *world = *state;
    tl_sql *sql = tl_sql_world_open(world);
    assert_int_equal(migrate(sql, steps, 3, NULL), TL_OK);
    tl_sql_world_exec(sql, "PRAGMA wal_checkpoint(TRUNCATE)");
    tl_sql_close(sql);
    const int fd = open(world->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    static const char garbage[8192] = "nothing that a database would say";
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 4096), sizeof garbage);
    sql = tl_sql_world_open(world);
    const tl_str *findings = NULL;
    size_t count = 0;
    const tl_err err = tl_sql_verify(sql, &findings, &count, world->arena, NULL);
    assert_true(err == TL_ERR_CORRUPT || (err == TL_OK && count > 0));
    tl_sql_close(sql);
    assert_int_equal(pwrite(fd, garbage, 100, 0), 100);
    (void)close(fd);
    tl_errctx why = TL_ERRCTX_INIT;
    sql = NULL;
    assert_int_equal(tl_sql_open(&sql, &world->options, &why), TL_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TL_ON_BOTH(steps_are_applied_once),
        TL_ON_BOTH(each_step_tells_its_state),
        TL_ON_BOTH(a_newer_or_changed_schema_is_not_written_to),
        TL_ON_BOTH(a_step_that_fails_takes_all_back),
        TL_ON_BOTH(many_migrate_at_once_and_one_does_it),
        TL_ON_SQLITE(somebody_elses_file_is_left_alone),
        TL_ON_SQLITE(a_new_file_is_for_its_owner_alone),
        TL_ON_SQLITE(a_damaged_file_is_corrupt),
    };
    return cmocka_run_group_tests_name("sql_migrate", tests, tl_sql_worlds_start,
                                       tl_sql_worlds_stop);
}
