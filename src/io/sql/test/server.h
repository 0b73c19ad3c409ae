/* A real PostgreSQL for tests, on a port of its own, by tests/services/postgres.sh. It ends with the test program,
 * however that ends. Without PostgreSQL on the machine the tests fail: scripts/deps installs it. */
#ifndef TALLY_IO_SQL_TEST_SERVER_H
#define TALLY_IO_SQL_TEST_SERVER_H

#include <stddef.h>

typedef struct tl_pg_server {
    char dir[64];
    char url[128];
    int guard_fd; /* while it is open, the guard leaves the server alone */
    int guard_pid;
    unsigned fresh_count;
} tl_pg_server;

void tl_pg_server_start(tl_pg_server *server);
void tl_pg_server_stop(tl_pg_server *server);

/* tl_pg_server_kill: SIGKILL to the whole server. tl_pg_server_resume: runs it again, where it was. */
void tl_pg_server_kill(tl_pg_server *server);
void tl_pg_server_resume(tl_pg_server *server);

/* tl_pg_server_fresh: the URL of a new, empty database of the server. */
void tl_pg_server_fresh(tl_pg_server *server, char *url, size_t cap);

#endif
