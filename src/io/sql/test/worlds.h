/* One test, two databases: a SQLite file and a database of a real PostgreSQL, fresh for each test. */
#ifndef TALLY_IO_SQL_TEST_WORLDS_H
#define TALLY_IO_SQL_TEST_WORLDS_H

#include "io/sql/sql.h"
#include "io/sql/test/server.h"

typedef struct tl_sql_world {
    tl_sql_kind kind;
    tl_arena *arena;
    const char *dir; /* of the SQLite file */
    const char *path;
    char url[128];
    tl_sql_options options; /* how a test opens its database */
    tl_pg_server *server;   /* NULL: SQLite */
} tl_sql_world;

/* The group's set-up and tear-down: the server that its tests share. */
int tl_sql_worlds_start(void **state);
int tl_sql_worlds_stop(void **state);

int tl_sql_world_set_up_sqlite(void **state);
int tl_sql_world_set_up_postgres(void **state);
int tl_sql_world_tear_down(void **state);

/* tl_sql_world_open: a handle, or the test fails. */
tl_sql *tl_sql_world_open(const tl_sql_world *world);

/* tl_sql_world_exec: a text of statements that must go well. */
void tl_sql_world_exec(tl_sql *sql, const char *text);

/* tl_sql_world_number: the number that a query gives. */
int64_t tl_sql_world_number(tl_sql *sql, const char *query);

/* tl_sql_world_sleep: for tests that wait for another process, never for a fact. */
void tl_sql_world_sleep(unsigned ms);

/* TL_ON_BOTH(test): the same test on each database. */
#define TL_ON_SQLITE(test)                                                                         \
    {                                                                                              \
        "sqlite: " #test, test, tl_sql_world_set_up_sqlite, tl_sql_world_tear_down, NULL           \
    }
#define TL_ON_POSTGRES(test)                                                                       \
    {                                                                                              \
        "postgres: " #test, test, tl_sql_world_set_up_postgres, tl_sql_world_tear_down, NULL       \
    }
#define TL_ON_BOTH(test) TL_ON_SQLITE(test), TL_ON_POSTGRES(test)

#endif
