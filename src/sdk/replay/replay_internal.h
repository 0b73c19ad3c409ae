/* The table of pages that the file and the memory store share, and the store that hides which one it is. */
#ifndef TALLY_SDK_REPLAY_INTERNAL_H
#define TALLY_SDK_REPLAY_INTERNAL_H

#include <pthread.h>

#include "sdk/replay/replay.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A page is 512 words of 8 bytes: two of its own, six spare, then slots of four words. */
enum {
    TL__REPLAY_PAGE_LEN = 4096,
    TL__REPLAY_FORGOTTEN = 0, /* the latest keep_until that gave way to another mark */
    TL__REPLAY_FLOOR = 1,     /* nothing signed up to then is fresh in this page */
    TL__REPLAY_SLOTS = 8,     /* the first slot's word */
    TL__REPLAY_SLOT_WORDS = 4,
    TL__REPLAY_PAGE_SLOTS = 126,
    /* words of a slot */
    TL__REPLAY_HASH = 0,
    TL__REPLAY_TAIL = 1, /* 4 bytes of hash, 4 of check */
    TL__REPLAY_NONCE = 2,
    TL__REPLAY_KEEP = 3, /* 0: free */
    TL__REPLAY_LOCKS = 64
};

/* Pages, wherever they live. The lock of a page is locks[page % TL__REPLAY_LOCKS]. */
typedef struct tl__replay_table {
    uint64_t *words; /* page_count * 512 */
    uint64_t page_count;
    uint8_t secret[16]; /* so that nobody can choose whose page a mark falls into */
    int64_t floor_ns;   /* of all pages */
    pthread_mutex_t locks[TL__REPLAY_LOCKS];
} tl__replay_table;

/* Where a mark belongs. */
typedef struct tl__replay_place {
    uint64_t page;
    uint64_t hash;
    uint64_t tail;
} tl__replay_place;

/* tl__replay_hash: 32 bytes of rule, sender and id under a secret. */
void tl__replay_hash(tl_hash32 *out, const uint8_t secret[16], const tl_auth_mark *mark);

/* --- table.c --- */

uint64_t tl__replay_pages_for(uint64_t marks_max);
void tl__replay_table_init(
    tl__replay_table *table); /* the locks; words and figures are set by then or later */
void tl__replay_table_deinit(tl__replay_table *table);
tl_replay_answer tl__replay_table_keep(tl__replay_table *table, const tl_auth_mark *mark,
                                       int64_t now_ns);
bool tl__replay_table_last(tl__replay_table *table, const tl_auth_mark *mark, int64_t *nonce);

/* tl__replay_page_check: free the slots of a page that do not check; true when there were any. live counts the others. */
bool tl__replay_page_check(uint64_t *words, uint64_t page, int64_t keep_max_ns, uint64_t *live);

/* --- file.c --- */

typedef struct tl__replay_file {
    int fd;       /* -1: memory */
    bool is_made; /* there was no such file */
    uint8_t *map;
    size_t map_len;
} tl__replay_file;

/* --- redis.c --- */

typedef struct tl__replay_redis {
    tl_redis *redis; /* NULL: a table */
    char prefix[128];
    tl_redis_script rising;
} tl__replay_redis;

void tl__replay_redis_keep(tl__replay_redis *r, tl_replay_answer *out,
                           const tl_auth_mark *const *marks, size_t count, int64_t now_ns);
bool tl__replay_redis_last(tl__replay_redis *r, const tl_auth_mark *mark, int64_t *nonce);

struct tl_replay {
    tl__replay_table table;
    tl__replay_file file;
    tl__replay_redis shared;
    tl_auth_memory memory;
    tl_replay_start start;
};

/* tl__replay_check_options: defaults filled in. */
TL_MUST_USE tl_err tl__replay_check_options(tl_replay_options *out,
                                            const tl_replay_options *options, tl_errctx *ctx);
TL_MUST_USE tl_err tl__replay_new(tl_replay **out, tl_errctx *ctx);
void tl__replay_free(tl_replay *store);
TL_MUST_USE tl_err tl__replay_file_close(tl_replay *store, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
