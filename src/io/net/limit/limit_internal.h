/* A table's entries, and the script that does the same in Redis. */
#ifndef TALLY_IO_NET_LIMIT_INTERNAL_H
#define TALLY_IO_NET_LIMIT_INTERNAL_H

#include <pthread.h>

#include "io/net/limit/limit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TL__LIMIT_WAYS = 15, TL__LIMIT_LOCKS = 64, TL__LIMIT_KEY_MAX = 64 };

/* One bucket. An entry with hash 0, 0 is free. */
typedef struct tl__limit_entry {
    uint64_t hash[2];
    double tokens;
    int64_t at_ns;      /* when tokens was right */
    int64_t until_ns;   /* end of the last penalty; 0: there was none */
    uint32_t penalty_s; /* its length; the next one is twice as long */
} tl__limit_entry;

/* Entries that may stand for each other; those who find no place share the last one. */
typedef struct tl__limit_set {
    tl__limit_entry entries[TL__LIMIT_WAYS];
    tl__limit_entry shared;
} tl__limit_set;

struct tl_limit {
    tl_limit_rules rules;
    uint64_t set_count; /* a power of two */
    tl__limit_set *sets;
    uint8_t secret[16];
    pthread_mutex_t locks[TL__LIMIT_LOCKS]; /* of set % TL__LIMIT_LOCKS */
    tl_redis *redis;                        /* NULL: in this process alone */
    char prefix[128];
    tl_redis_script script;
};

/* tl__limit_shared: ask Redis; false when it does not answer. */
bool tl__limit_shared(tl_limit *limit, tl_bytes key, bool is_peek, uint32_t *wait_ms);
void tl__limit_shared_init(tl_limit *limit, tl_redis *redis, tl_str prefix);

#ifdef __cplusplus
}
#endif

#endif
