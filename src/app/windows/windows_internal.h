/* What the table in the process and the one in Redis have in common. */
#ifndef TALLY_APP_WINDOWS_INTERNAL_H
#define TALLY_APP_WINDOWS_INTERNAL_H

#include <pthread.h>

#include "app/windows/windows.h"

enum { TL__WINDOWS_WAYS = 8, TL__WINDOWS_PREFIX_CAP = 97 };

typedef struct tl__windows_entry {
    uint64_t hash[2];
    int64_t end_s; /* of its window */
    uint32_t count;
} tl__windows_entry;

struct tl_windows {
    pthread_mutex_t lock; /* of entries */
    tl__windows_entry *entries;
    tl_redis *redis;
    tl_redis_script script;
    char prefix[TL__WINDOWS_PREFIX_CAP];
};

/* One window after a take: how many were counted in it, this one too, and when it ends. */
typedef struct tl__windows_count {
    uint32_t count; /* before this take */
    int64_t end_s;
} tl__windows_count;

/* tl__windows_shared: false when Redis did not answer. */
bool tl__windows_shared(tl_windows *windows, tl__windows_count *out, int64_t *now_s,
                        const tl_windows_ask *asks, size_t count);
void tl__windows_shared_init(tl_windows *windows);

#endif
