/* How many connections each address has: open addressing with linear probing, entries closed up on removal. An IPv6
 * sender has its whole /64 to choose from, so that prefix counts as one address. Slots are found by a keyed hash, since
 * the addresses are strangers' to choose. One lock: it is taken once when a connection begins and once when it ends. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io/net/http/http_internal.h"
#include "io/sys/sys.h"

typedef struct entry {
    uint64_t high; /* the first 8 bytes of the address */
    uint64_t low;  /* the rest of an IPv4 one, 0 of an IPv6 one */
    size_t count;  /* 0: free */
} entry;

struct tl__http_addrs {
    pthread_mutex_t lock; /* guards the table */
    uint64_t key[2];
    size_t mask;
    entry table[];
};

tl__http_addrs *tl__http_addrs_new(size_t connection_count_max)
{
    size_t cap = 64;
    while (cap < 2 * connection_count_max) { /* at most half full */
        cap *= 2;
    }
    tl__http_addrs *addrs = calloc(1, sizeof *addrs + cap * sizeof(entry));
    const tl_entropy luck = tl_sys_entropy();
    if (addrs == NULL || tl_entropy_fill(&luck, addrs->key, sizeof addrs->key, NULL) != TL_OK) {
        free(addrs);
        return NULL;
    }
    addrs->mask = cap - 1;
    (void)pthread_mutex_init(&addrs->lock, NULL);
    return addrs;
}

void tl__http_addrs_free(tl__http_addrs *addrs)
{
    if (addrs != NULL) {
        (void)pthread_mutex_destroy(&addrs->lock);
        free(addrs);
    }
}

static entry entry_for(const tl_net_addr *peer)
{
    entry e = {0};
    memcpy(&e.high, peer->ip, sizeof e.high);
    if (tl_net_is_v4(peer)) {
        memcpy(&e.low, peer->ip + sizeof e.high, sizeof e.low);
    }
    return e;
}

/* Multiply, fold, twice, under a secret key. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t home(const tl__http_addrs *a, const entry *e)
{
    const uint64_t h = fold(e->high ^ a->key[0], 0x9e3779b97f4a7c15u);
    return (size_t)fold(h ^ e->low ^ a->key[1], 0xc2b2ae3d27d4eb4fu) & a->mask;
}

static size_t find(const tl__http_addrs *a, const entry *e)
{
    size_t i = home(a, e);
    while (a->table[i].count > 0 && (a->table[i].high != e->high || a->table[i].low != e->low)) {
        i = (i + 1) & a->mask;
    }
    return i;
}

bool tl__http_addrs_take(tl__http_addrs *addrs, const tl_net_addr *peer, size_t max)
{
    const entry e = entry_for(peer);
    (void)pthread_mutex_lock(&addrs->lock);
    entry *at = &addrs->table[find(addrs, &e)];
    const bool is_free = at->count < max;
    if (is_free) {
        at->high = e.high;
        at->low = e.low;
        at->count++;
    }
    (void)pthread_mutex_unlock(&addrs->lock);
    return is_free;
}

/* Close the gap: an entry behind it that would not be found past a free slot moves into it. */
static void close_gap(tl__http_addrs *a, size_t gap)
{
    for (size_t i = (gap + 1) & a->mask; a->table[i].count > 0; i = (i + 1) & a->mask) {
        const size_t from = home(a, &a->table[i]);
        if (((i - from) & a->mask) >= ((i - gap) & a->mask)) {
            a->table[gap] = a->table[i];
            a->table[i].count = 0;
            gap = i;
        }
    }
}

void tl__http_addrs_give(tl__http_addrs *addrs, const tl_net_addr *peer)
{
    const entry e = entry_for(peer);
    (void)pthread_mutex_lock(&addrs->lock);
    const size_t at = find(addrs, &e);
    TL_ASSERT(addrs->table[at].count > 0);
    if (--addrs->table[at].count == 0) {
        close_gap(addrs, at);
    }
    (void)pthread_mutex_unlock(&addrs->lock);
}
