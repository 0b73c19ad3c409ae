/* See worlds.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/sql/test/worlds.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "io/sys/sys.h"

static tl_pg_server server;

int tl_sql_worlds_start(void **state)
{
    (void)state;
    tl_pg_server_start(&server);
    return 0;
}

int tl_sql_worlds_stop(void **state)
{
    (void)state;
    tl_pg_server_stop(&server);
    return 0;
}

static tl_sql_world *new_world(void)
{
    static tl_sql_world world;
    world = (tl_sql_world){.kind = TL_SQL_SQLITE};
    assert_int_equal(tl_arena_new(&world.arena, NULL, 0, NULL, NULL), TL_OK);
    return &world;
}

int tl_sql_world_set_up_sqlite(void **state)
{
    tl_sql_world *world = new_world();
    const bool has_shm = access("/dev/shm", W_OK) == 0; /* no power is lost here */
    const char *prefix = has_shm ? "/dev/shm/tally-test-sql" : "/tmp/tally-test-sql";
    assert_int_equal(tl_sys_make_fresh_dir(&world->dir, world->arena, prefix, NULL), TL_OK);
    assert_int_equal(tl_sys_join(&world->path, world->arena, world->dir, "test.db", NULL), TL_OK);
    world->options.path = world->path;
    *state = world;
    return 0;
}

int tl_sql_world_set_up_postgres(void **state)
{
    tl_sql_world *world = new_world();
    world->kind = TL_SQL_POSTGRES;
    world->server = &server;
    tl_pg_server_fresh(&server, world->url, sizeof world->url);
    world->options.url = world->url;
    *state = world;
    return 0;
}

int tl_sql_world_tear_down(void **state)
{
    tl_sql_world *world = *state;
    const char *const *names = NULL;
    size_t count = 0;
    if (world->dir != NULL) {
        assert_int_equal(tl_sys_list_dir(&names, &count, world->arena, world->dir, NULL), TL_OK);
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = NULL;
        assert_int_equal(tl_sys_join(&path, world->arena, world->dir, names[i], NULL), TL_OK);
        (void)unlink(path);
    }
    if (world->dir != NULL) {
        assert_int_equal(rmdir(world->dir), 0);
    }
    tl_arena_free(world->arena);
    return 0;
}

tl_sql *tl_sql_world_open(const tl_sql_world *world)
{
    tl_sql *sql = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_sql_open(&sql, &world->options, &why) != TL_OK) {
        fail_msg("%s", why.message);
    }
    return sql;
}

void tl_sql_world_exec(tl_sql *sql, const char *text)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_sql_exec(sql, text, &why) != TL_OK) {
        fail_msg("%s", why.message);
    }
}

int64_t tl_sql_world_number(tl_sql *sql, const char *query)
{
    int64_t value = -1;
    tl_errctx why = TL_ERRCTX_INIT;
    tl_sql_stmt s;
    tl_sql_prepare(&s, sql, "ask", query);
    if (tl_sql_row(&s)) {
        value = tl_sql_get_i64(&s, 0);
    }
    if (tl_sql_end(&s, NULL, &why) != TL_OK) {
        fail_msg("%s", why.message);
    }
    return value;
}

void tl_sql_world_sleep(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
