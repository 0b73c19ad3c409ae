/* An S3 server of a test's own: versitygw on a free loopback port, its objects in a folder of its own. It checks
 * signatures, so what it lets in is signed as S3 wants it. */
#ifndef TALLY_IO_OBJECTS_TEST_S3_SERVER_H
#define TALLY_IO_OBJECTS_TEST_S3_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/objects/objects.h"

#define S3_ACCESS "tallytest"
#define S3_SECRET "not/so+secret=but=long"

typedef struct s3_server {
    char dir[64];
    char url[96]; /* of a bucket: http://127.0.0.1:PORT/tally-test */
    uint16_t port;
    pid_t pid;
} s3_server;

/* Why there is none: build/deps/versitygw is missing. scripts/fetch-versitygw makes it where Go is. */
bool s3_server_is_here(void);

void s3_server_start(s3_server *server);
void s3_server_again(s3_server *server); /* after s3_server_kill: on the same port and folder */
void s3_server_again_in(s3_server *server, unsigned ms); /* so much later, without waiting for it */
void s3_server_kill(s3_server *server);
void s3_server_stop(s3_server *server); /* kills, and removes the folder */

/* Options for a store on it, with the right keys. */
tl_objects_options s3_server_options(const s3_server *server);

#endif
