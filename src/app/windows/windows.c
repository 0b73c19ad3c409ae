/* Counts in a table of fixed size: sets of eight entries, chosen by the hash of the key. */
#include "app/windows/windows_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash/hash.h"

#define SETS (TL_WINDOWS_ENTRIES_MAX / TL__WINDOWS_WAYS)
_Static_assert((SETS & (SETS - 1)) == 0, "a set is chosen by the low bits of a hash");

tl_err tl_windows_new(tl_windows **out, tl_redis *redis, tl_str prefix, tl_errctx *ctx)
{
    tl_windows *windows = calloc(1, sizeof *windows);
    tl__windows_entry *entries = calloc(TL_WINDOWS_ENTRIES_MAX, sizeof *entries); /* WINDOWS-3 */
    if (windows == NULL || entries == NULL || pthread_mutex_init(&windows->lock, NULL) != 0) {
        free(windows);
        free(entries);
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for the limits");
    }
    windows->entries = entries;
    windows->redis = redis;
    tl_str_print(windows->prefix, sizeof windows->prefix, "%.*s", TL_STR_ARG(prefix));
    tl__windows_shared_init(windows);
    *out = windows;
    return TL_OK;
}

void tl_windows_free(tl_windows *windows)
{
    if (windows == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&windows->lock);
    free(windows->entries);
    free(windows);
}

/* The entry of a key and a window: its own, else a place for it (WINDOWS-3). */
static tl__windows_entry *entry_of(tl_windows *windows, const tl_windows_ask *ask, int64_t end_s,
                                   int64_t now_s)
{
    tl_hash32 digest;
    uint64_t hash[2];
    tl_sha256_state sha;
    tl_sha256_init(&sha);
    const tl_str key = tl_str_slice(ask->key, 0, TL_WINDOWS_KEY_MAX);
    tl_sha256_update(&sha, &ask->window_s, sizeof ask->window_s);
    tl_sha256_update(&sha, key.ptr, key.len);
    tl_sha256_final(&sha, &digest);
    memcpy(hash, digest.b, sizeof hash);
    tl__windows_entry *set = &windows->entries[(hash[0] & (SETS - 1)) * TL__WINDOWS_WAYS];
    tl__windows_entry *place = set;
    for (size_t i = 0; i < TL__WINDOWS_WAYS; i++) {
        if (set[i].hash[0] == hash[0] && set[i].hash[1] == hash[1]) {
            place = &set[i];
            break;
        }
        place = set[i].end_s < place->end_s ? &set[i] : place;
    }
    const bool is_own = place->hash[0] == hash[0] && place->hash[1] == hash[1];
    /* a clock that went back stays in the window that it left: nobody gets a second one */
    const bool is_running = is_own && place->end_s >= end_s && place->end_s > now_s;
    if (!is_running) {
        *place = (tl__windows_entry){.hash = {hash[0], hash[1]}, .end_s = end_s, .count = 0};
    }
    return place;
}

static void take_here(tl_windows *windows, tl__windows_count *out, const tl_windows_ask *asks,
                      size_t count, int64_t now_s)
{
    bool is_free = true;
    (void)pthread_mutex_lock(&windows->lock);
    for (size_t i = 0; i < count; i++) {
        const int64_t len = asks[i].window_s;
        const tl__windows_entry *e = entry_of(windows, &asks[i], (now_s / len + 1) * len, now_s);
        out[i] = (tl__windows_count){e->count, e->end_s};
        is_free = is_free && e->count < asks[i].count;
    }
    for (size_t i = 0; i < count && is_free; i++) { /* WINDOWS-2 */
        tl__windows_entry *e = entry_of(windows, &asks[i], out[i].end_s, now_s);
        e->count++;
        TL_ASSERT(e->count <= asks[i].count); /* WINDOWS-1 */
    }
    (void)pthread_mutex_unlock(&windows->lock);
}

/* Which window's figures a caller is told: the one that holds longest of those that refuse, else the tightest. */
static bool is_tighter(const tl_windows_state *a, const tl_windows_state *b)
{
    if (a->is_taken != b->is_taken) {
        return !a->is_taken;
    }
    if (!a->is_taken || a->remaining == b->remaining) {
        return a->reset_s > b->reset_s;
    }
    return a->remaining < b->remaining;
}

void tl_windows_take(tl_windows *windows, tl_windows_state *out, const tl_windows_ask *asks,
                     size_t count, int64_t now_s)
{
    TL_ASSERT(count > 0 && count <= TL_WINDOWS_ASK_MAX);
    tl__windows_count counts[TL_WINDOWS_ASK_MAX];
    if (windows->redis == NULL || !tl__windows_shared(windows, counts, &now_s, asks, count)) {
        take_here(windows, counts, asks, count, now_s);
    }
    bool is_taken = true;
    for (size_t i = 0; i < count; i++) {
        is_taken = is_taken && counts[i].count < asks[i].count;
    }
    for (size_t i = 0; i < count; i++) {
        const bool has_room = counts[i].count < asks[i].count;
        const int64_t left_s = counts[i].end_s - now_s;
        const tl_windows_state state = {
            .is_taken = has_room,
            .limit = asks[i].count,
            .remaining = has_room ? asks[i].count - counts[i].count - (is_taken ? 1 : 0) : 0,
            .reset_s = counts[i].end_s,
            .retry_after_s = has_room ? 0 : (uint32_t)(left_s > 1 ? left_s : 1)};
        if (i == 0 || is_tighter(&state, out)) {
            *out = state;
        }
    }
    TL_ASSERT(out->is_taken == is_taken);
}
