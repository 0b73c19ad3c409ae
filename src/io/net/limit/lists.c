/* Who may come: allow and block lists of hotkeys, addresses and ranges. Ranges are kept by their length, so that a look-up
 * asks once for each length that occurs, however many ranges there are. */
#include "io/net/limit/limit.h"

#include <string.h>

#include "base/map/map.h"

#define BITS_MAX 128

typedef struct list {
    tl_map hotkeys;
    tl_map *ranges[BITS_MAX + 1]; /* by bits of the range; NULL: none so long */
    size_t address_count;
} list;

struct tl_limit_lists {
    tl_arena *arena;
    list allow;
    list block;
    size_t count;
};

tl_err tl_limit_lists_new(tl_limit_lists **out, tl_arena *arena, tl_errctx *ctx)
{
    tl_limit_lists *lists = TL_NEW(arena, tl_limit_lists, 1);
    if (lists == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    lists->arena = arena;
    tl_map_init(&lists->allow.hotkeys, arena);
    tl_map_init(&lists->block.hotkeys, arena);
    *out = lists;
    return TL_OK;
}

/* The first bits of an address; the others become 0. */
static void mask(uint8_t out[16], const uint8_t ip[16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        const unsigned begin = i * 8;
        const unsigned kept = bits <= begin ? 0 : bits - begin >= 8 ? 8 : bits - begin;
        out[i] = (uint8_t)(ip[i] & (0xff00U >> kept));
    }
}

static tl_err add_range(tl_limit_lists *lists, list *to, tl_str entry, tl_errctx *ctx)
{
    const size_t slash = tl_str_find(entry, '/');
    tl_net_addr addr;
    if (!tl_net_ip_parse(&addr, tl_str_slice(entry, 0, slash), 0)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no address", TL_STR_ARG(entry));
    }
    const unsigned offset = tl_net_is_v4(&addr) ? 96 : 0;
    uint64_t bits = BITS_MAX - offset;
    if (slash < entry.len && (!tl_str_parse_u64(&bits, tl_str_slice(entry, slash + 1, entry.len)) ||
                              bits > BITS_MAX - offset)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\": bits are 0 to %u", TL_STR_ARG(entry),
                       BITS_MAX - offset);
    }
    const unsigned all = offset + (unsigned)bits;
    uint8_t first[16];
    mask(first, addr.ip, all);
    if (memcmp(first, addr.ip, sizeof first) != 0) {
        const tl_err err = tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" has bits set behind its range",
                                   TL_STR_ARG(entry));
        tl_errctx_hint(ctx, "write the first address of the range, or leave the bits out");
        return err;
    }
    if (to->ranges[all] == NULL) {
        tl_map *map = TL_NEW(lists->arena, tl_map, 1);
        if (map == NULL) {
            return tl_arena_fail(lists->arena, ctx);
        }
        tl_map_init(map, lists->arena);
        to->ranges[all] = map;
    }
    TL_TRY(tl_map_put(to->ranges[all], (tl_bytes){first, sizeof first}, lists, ctx));
    to->address_count++;
    return TL_OK;
}

static tl_err add(tl_limit_lists *lists, list *to, tl_str entry, tl_errctx *ctx)
{
    if (lists->count >= TL_LIMIT_LIST_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %u entries", TL_LIMIT_LIST_MAX);
    }
    if (tl_str_find(entry, '.') < entry.len || tl_str_find(entry, ':') < entry.len) {
        TL_TRY(add_range(lists, to, entry, ctx));
    } else {
        tl_hotkey key;
        uint16_t prefix;
        if (tl_ss58_decode_any(&key, &prefix, entry, ctx) != TL_OK) {
            return tl_fail(ctx, TL_ERR_SYNTAX,
                           "\"%.*s\" is no SS58 address, no IP address and no range",
                           TL_STR_ARG(entry));
        }
        TL_TRY(tl_map_put(&to->hotkeys, (tl_bytes){key.b, sizeof key.b}, lists, ctx));
    }
    lists->count++;
    return TL_OK;
}

tl_err tl_limit_lists_allow(tl_limit_lists *lists, tl_str entry, tl_errctx *ctx)
{
    return add(lists, &lists->allow, entry, ctx);
}

tl_err tl_limit_lists_block(tl_limit_lists *lists, tl_str entry, tl_errctx *ctx)
{
    return add(lists, &lists->block, entry, ctx);
}

static bool names_ip(const list *l, const tl_net_addr *ip)
{
    /* "::/0" means IPv6, not the IPv4 addresses that are mapped into it */
    const unsigned shortest = tl_net_is_v4(ip) ? 96 : 0;
    for (unsigned bits = shortest; bits <= BITS_MAX && l->address_count > 0; bits++) {
        if (l->ranges[bits] == NULL) {
            continue;
        }
        uint8_t first[16];
        mask(first, ip->ip, bits);
        if (tl_map_find(l->ranges[bits], (tl_bytes){first, sizeof first}) != NULL) {
            return true;
        }
    }
    return false;
}

bool tl_limit_lists_admits_ip(const tl_limit_lists *lists, const tl_net_addr *ip)
{
    if (names_ip(&lists->block, ip)) { /* LIMIT-4 */
        return false;
    }
    return lists->allow.address_count == 0 || names_ip(&lists->allow, ip);
}

bool tl_limit_lists_admits_hotkey(const tl_limit_lists *lists, const tl_hotkey *hotkey)
{
    const tl_bytes key = {hotkey->b, sizeof hotkey->b};
    if (tl_map_find(&lists->block.hotkeys, key) != NULL) {
        return false;
    }
    return lists->allow.hotkeys.count == 0 || tl_map_find(&lists->allow.hotkeys, key) != NULL;
}

bool tl_limit_lists_exempts(const tl_limit_lists *lists, const tl_net_addr *ip,
                            bool limits_loopback)
{
    return tl_net_is_loopback(ip) ? !limits_loopback : names_ip(&lists->allow, ip);
}
