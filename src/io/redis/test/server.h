/* A Redis server of a test's own: on a Unix socket in a folder of its own, and on a free loopback port. */
#ifndef TALLY_IO_REDIS_TEST_SERVER_H
#define TALLY_IO_REDIS_TEST_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/redis/redis.h"

typedef struct redis_server {
    char dir[64];
    char socket_url[128];
    uint16_t port;
    const char *password; /* NULL: none */
    pid_t pid;
} redis_server;

/* False when redis-server is not installed; anything else that fails fails the test. */
bool redis_server_start(redis_server *server, const char *password);
void redis_server_again(redis_server *server); /* after redis_server_kill: on the same places */
void redis_server_kill(redis_server *server);
void redis_server_stop(redis_server *server); /* kills, and removes the folder */

#endif
