/* Hosts: what is known of those that were asked, within a bound. */
#include <stdlib.h>
#include <string.h>

#include "io/net/client/client_internal.h"

enum { KEY_CAP = TL_CLIENT_HOST_LEN_MAX + 8, ENTRIES_LEN_MAX = 64 << 20 };

static tl_bytes key_of(char out[KEY_CAP], tl_str host, uint16_t port)
{
    TL_ASSERT(host.len <= TL_CLIENT_HOST_LEN_MAX);
    const size_t len = tl_str_print(out, KEY_CAP, "%.*s %u", TL_STR_ARG(host), (unsigned)port);
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(out[i] >= 'A' && out[i] <= 'Z' ? out[i] - 'A' + 'a' : out[i]);
    }
    return (tl_bytes){(const uint8_t *)out, len};
}

tl__host *tl__host_find(const tl_client *client, tl_str host, uint16_t port)
{
    char key[KEY_CAP];
    if (host.len > TL_CLIENT_HOST_LEN_MAX) {
        return NULL;
    }
    return (tl__host *)tl_map_get(&client->hosts, key_of(key, host, port));
}

static int by_use(const void *a, const void *b)
{
    const int64_t *x = (const int64_t *)a;
    const int64_t *y = (const int64_t *)b;
    return (*x > *y) - (*x < *y);
}

/* The time that half of the hosts were not used after. */
static tl_err find_median(int64_t *out, const tl_client *client, tl_errctx *ctx)
{
    int64_t *times = (int64_t *)malloc(client->hosts.count * sizeof *times);
    if (times == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for %zu hosts", client->hosts.count);
    }
    size_t count = 0;
    for (const tl_map_entry *e = client->hosts.first; e != NULL; e = e->next) {
        times[count++] = ((const tl__host *)e->value)->used_ns;
    }
    qsort(times, count, sizeof *times, by_use);
    *out = times[count / 2];
    free(times);
    return TL_OK;
}

/* The map has no removal: what stays moves to a new one. */
static tl_err forget_half(tl_client *client, tl_errctx *ctx)
{
    int64_t median_ns = 0;
    tl_arena *arena = NULL;
    TL_TRY(find_median(&median_ns, client, ctx));
    TL_TRY(tl_arena_new(&arena, NULL, ENTRIES_LEN_MAX, NULL, ctx));
    tl_map kept;
    tl_map_init(&kept, arena);
    for (const tl_map_entry *e = client->hosts.first; e != NULL; e = e->next) {
        const tl__host *host = (const tl__host *)e->value;
        if (host->holders > 0 || host->used_ns > median_ns) {
            const tl_err err = tl_map_put(&kept, e->key, e->value, ctx);
            if (err != TL_OK) {
                tl_arena_free(arena);
                return err;
            }
        }
    }
    for (const tl_map_entry *e = client->hosts.first; e != NULL; e = e->next) {
        if (tl_map_find(&kept, e->key) == NULL) {
            free(e->value);
        }
    }
    tl_arena_free(client->host_arena);
    client->host_arena = arena;
    client->hosts = kept;
    return TL_OK;
}

tl_err tl__host_slot(tl__host **out, tl_client *client, tl_str host, uint16_t port, tl_errctx *ctx)
{
    tl__host *found = tl__host_find(client, host, port);
    if (found == NULL) {
        if (client->hosts.count >= TL_CLIENT_HOSTS_MAX) {
            TL_TRY(forget_half(client, ctx));
        }
        char key[KEY_CAP];
        found = (tl__host *)calloc(1, sizeof *found);
        if (found == NULL) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a host");
        }
        const tl_err err = tl_map_put(&client->hosts, key_of(key, host, port), found, ctx);
        if (err != TL_OK) {
            free(found);
            return err;
        }
    }
    found->used_ns = tl__client_now(client);
    *out = found;
    return TL_OK;
}

void tl__hosts_free(tl_client *client)
{
    for (const tl_map_entry *e = client->hosts.first; e != NULL; e = e->next) {
        free(e->value);
    }
    tl_arena_free(client->host_arena);
}
