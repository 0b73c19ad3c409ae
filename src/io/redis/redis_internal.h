/* Where a server is. */
#ifndef TALLY_IO_REDIS_INTERNAL_H
#define TALLY_IO_REDIS_INTERNAL_H

#include "io/redis/redis.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl__redis_place {
    char host[256];
    int port;
    char path[108]; /* of a Unix socket; empty: host and port */
    char user[128]; /* empty: the default one */
    uint32_t database;
} tl__redis_place;

TL_MUST_USE tl_err tl__redis_parse_url(tl__redis_place *out, tl_str url, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
