/* The table: a mark is looked for and put down in one page, under that page's lock. Stores are ordered so that a process
 * killed between any two of them leaves the page as if the mark had never come, or as if it had. */
#include "sdk/replay/replay_internal.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

_Static_assert((TL__REPLAY_SLOTS + TL__REPLAY_PAGE_SLOTS * TL__REPLAY_SLOT_WORDS) * 8 ==
                   TL__REPLAY_PAGE_LEN,
               "a page is full of slots");

/* Pages are filled to two thirds by marks_max, so that chance fills no page before the table is. */
uint64_t tl__replay_pages_for(uint64_t marks_max)
{
    uint64_t pages = 1;
    while (pages * (TL__REPLAY_PAGE_SLOTS * 2 / 3) < marks_max) {
        pages *= 2;
    }
    return pages;
}

void tl__replay_table_init(tl__replay_table *table)
{
    for (size_t i = 0; i < TL__REPLAY_LOCKS; i++) {
        TL_ASSERT(pthread_mutex_init(&table->locks[i], NULL) == 0);
    }
}

void tl__replay_table_deinit(tl__replay_table *table)
{
    for (size_t i = 0; i < TL__REPLAY_LOCKS; i++) {
        (void)pthread_mutex_destroy(&table->locks[i]);
    }
}

void tl__replay_hash(tl_hash32 *out, const uint8_t secret[16], const tl_auth_mark *mark)
{
    const uint8_t rule = (uint8_t)mark->rule;
    tl_blake2b_state state;
    tl_blake2b_init(&state, sizeof out->b);
    tl_blake2b_update(&state, secret, 16);
    tl_blake2b_update(&state, &rule, 1);
    tl_blake2b_update(&state, mark->sender.b, sizeof mark->sender.b);
    tl_blake2b_update(&state, mark->id.ptr, mark->id.len);
    tl_blake2b_final(&state, out->b);
}

/* 4 bytes that tell a slot of this page from what anything else left there. */
static uint64_t check_of(uint64_t page, uint64_t hash, uint64_t tail)
{
    uint64_t x = hash ^ (tail << 32 | tail >> 32) ^ (page + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) & UINT64_C(0xffffffff);
}

static tl__replay_place place_of(const tl__replay_table *table, const tl_auth_mark *mark)
{
    tl_hash32 hash;
    tl__replay_hash(&hash, table->secret, mark);
    uint64_t words[3];
    memcpy(words, hash.b, sizeof words);
    tl__replay_place p = {.page = words[0] & (table->page_count - 1), .hash = words[1]};
    const uint64_t tail = words[2] & UINT64_C(0xffffffff);
    p.tail = tail | check_of(p.page, p.hash, tail) << 32;
    return p;
}

static int64_t load(const uint64_t *word)
{
    return (int64_t)__atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Every store before it is in the page when this one is. */
static void store(uint64_t *word, int64_t value)
{
    __atomic_store_n(word, (uint64_t)value, __ATOMIC_RELEASE);
}

static uint64_t *page_at(tl__replay_table *table, uint64_t page)
{
    return table->words + page * (TL__REPLAY_PAGE_LEN / sizeof *table->words);
}

/* The slot of a place, or NULL; and a slot that may be taken, or NULL: a free one, else one whose time is over. */
static uint64_t *find(uint64_t *words, const tl__replay_place *place, int64_t now_ns,
                      uint64_t **room)
{
    uint64_t *over = NULL;
    *room = NULL;
    for (size_t i = 0; i < TL__REPLAY_PAGE_SLOTS; i++) {
        uint64_t *slot = words + TL__REPLAY_SLOTS + i * TL__REPLAY_SLOT_WORDS;
        const int64_t keep_ns = load(slot + TL__REPLAY_KEEP);
        if (keep_ns == 0) {
            *room = *room == NULL ? slot : *room;
        } else if (slot[TL__REPLAY_HASH] == place->hash && slot[TL__REPLAY_TAIL] == place->tail) {
            return slot;
        } else if (keep_ns < now_ns) {
            over = over == NULL ? slot : over;
        }
    }
    *room = *room == NULL ? over : *room;
    return NULL;
}

/* A known mark: seen, unless its nonce rises. */
static tl_replay_answer renew(uint64_t *slot, const tl_auth_mark *mark)
{
    if (mark->rule != TL_AUTH_RISING || mark->nonce <= load(slot + TL__REPLAY_NONCE)) {
        return TL_REPLAY_SEEN;
    }
    store(slot + TL__REPLAY_NONCE, mark->nonce);
    if (mark->keep_until_ns > load(slot + TL__REPLAY_KEEP)) {
        store(slot + TL__REPLAY_KEEP, mark->keep_until_ns);
    }
    return TL_REPLAY_FRESH;
}

static tl_replay_answer put(uint64_t *words, uint64_t *slot, const tl__replay_place *place,
                            const tl_auth_mark *mark)
{
    if (slot == NULL) {
        return TL_REPLAY_FULL; /* REPLAY-3 */
    }
    const int64_t given_up_ns = load(slot + TL__REPLAY_KEEP);
    if (given_up_ns > load(words + TL__REPLAY_FORGOTTEN)) {
        store(words + TL__REPLAY_FORGOTTEN, given_up_ns);
    }
    store(slot + TL__REPLAY_KEEP, 0);
    store(slot + TL__REPLAY_HASH, (int64_t)place->hash);
    store(slot + TL__REPLAY_TAIL, (int64_t)place->tail);
    store(slot + TL__REPLAY_NONCE, mark->nonce);
    store(slot + TL__REPLAY_KEEP, mark->keep_until_ns); /* REPLAY-2: from here on it is seen */
    return TL_REPLAY_FRESH;
}

tl_replay_answer tl__replay_table_keep(tl__replay_table *table, const tl_auth_mark *mark,
                                       int64_t now_ns)
{
    const tl__replay_place place = place_of(table, mark);
    uint64_t *words = page_at(table, place.page);
    pthread_mutex_t *lock = &table->locks[place.page % TL__REPLAY_LOCKS];
    TL_ASSERT(pthread_mutex_lock(lock) == 0); /* REPLAY-1: look-up and store are one step */
    uint64_t *room;
    uint64_t *slot = find(words, &place, now_ns, &room);
    tl_replay_answer answer;
    if (slot != NULL) {
        answer = renew(slot, mark);
    } else if (mark->keep_until_ns <= 0 || mark->keep_until_ns < now_ns ||
               mark->keep_until_ns <= load(words + TL__REPLAY_FORGOTTEN)) {
        answer = TL_REPLAY_SEEN; /* it may have been here: the clock was set back */
    } else if (mark->signed_ns <= table->floor_ns ||
               mark->signed_ns <= load(words + TL__REPLAY_FLOOR)) {
        answer = TL_REPLAY_SEEN; /* REPLAY-4 */
    } else {
        answer = put(words, room, &place, mark);
    }
    TL_ASSERT(pthread_mutex_unlock(lock) == 0);
    return answer;
}

bool tl__replay_table_last(tl__replay_table *table, const tl_auth_mark *mark, int64_t *nonce)
{
    const tl__replay_place place = place_of(table, mark);
    pthread_mutex_t *lock = &table->locks[place.page % TL__REPLAY_LOCKS];
    TL_ASSERT(pthread_mutex_lock(lock) == 0);
    uint64_t *room;
    const uint64_t *slot = find(page_at(table, place.page), &place, 0, &room);
    if (slot != NULL) {
        *nonce = load(slot + TL__REPLAY_NONCE);
    }
    TL_ASSERT(pthread_mutex_unlock(lock) == 0);
    return slot != NULL;
}

bool tl__replay_page_check(uint64_t *words, uint64_t page, int64_t keep_max_ns, uint64_t *live)
{
    bool is_damaged = false;
    for (size_t i = 0; i < TL__REPLAY_PAGE_SLOTS; i++) {
        uint64_t *slot = words + TL__REPLAY_SLOTS + i * TL__REPLAY_SLOT_WORDS;
        const int64_t keep_ns = load(slot + TL__REPLAY_KEEP);
        if (keep_ns == 0) {
            continue;
        }
        const uint64_t tail = slot[TL__REPLAY_TAIL] & UINT64_C(0xffffffff);
        if (keep_ns > 0 && keep_ns <= keep_max_ns &&
            slot[TL__REPLAY_TAIL] >> 32 == check_of(page, slot[TL__REPLAY_HASH], tail)) {
            (*live)++;
            continue;
        }
        store(slot + TL__REPLAY_KEEP, 0);
        is_damaged = true;
    }
    return is_damaged;
}
