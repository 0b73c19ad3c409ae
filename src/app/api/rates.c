/* How much a caller may ask for: windows by address before the signature, by hotkey and in all after it, counted on the real
 * clock. */
#include "app/api/api_internal.h"

/* The factor multiplies what counts by caller; at least one call is always left. */
static uint32_t scaled(const tl_api *api, uint32_t count)
{
    const double factor = api->settings.limits_factor > 0 ? api->settings.limits_factor : 1;
    const double value = (double)count * factor;
    return value >= (double)UINT32_MAX ? UINT32_MAX : value < 1 ? 1 : (uint32_t)value;
}

static bool is_wanted(const tl_api_call *call, const tl_api_limit *limit, bool by_address)
{
    if (limit->count == 0 || (limit->by == TL_API_BY_ADDRESS) != by_address) {
        return false;
    }
    return by_address ? !call->is_exempt : !call->api->settings.is_unlimited;
}

/* An IPv6 address counts by its /64, as everywhere (LIMIT-3 of io/net/limit). */
static void cut_address(char out[TL_NET_IP_TEXT_CAP], const tl_net_addr *peer)
{
    tl_net_addr network = *peer;
    for (size_t i = 8; !tl_net_is_v4(peer) && i < sizeof network.ip; i++) {
        network.ip[i] = 0;
    }
    (void)tl_net_ip_text(out, &network);
}

static tl_err key_of(tl_str *out, tl_api_call *call, const tl_api_limit *limit)
{
    const char *group = limit->group != NULL ? limit->group : call->route->spec->id;
    char address[TL_NET_IP_TEXT_CAP];
    cut_address(address, &call->peer);
    const char *who = limit->by == TL_API_BY_ALL       ? "all"
                      : limit->by == TL_API_BY_ADDRESS ? address
                                                       : call->caller.subject;
    tl_sb sb;
    tl_sb_init(&sb, call->arena);
    tl_sb_printf(&sb, "%s:%u:%s", group, limit->window_s, who);
    return tl_sb_finish(out, &sb, NULL);
}

static bool pass(tl_api_call *call, bool by_address)
{
    tl_windows_ask asks[TL_API_ROUTE_LIMITS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < TL_API_ROUTE_LIMITS_MAX; i++) {
        const tl_api_limit *limit = &call->route->spec->limits[i];
        if (!is_wanted(call, limit, by_address)) {
            continue;
        }
        const uint32_t most = call->caller.is_validator && limit->count_validator > 0
                                  ? limit->count_validator
                                  : limit->count;
        asks[count].count = by_address ? most : scaled(call->api, most);
        asks[count].window_s = limit->window_s;
        if (key_of(&asks[count].key, call, limit) != TL_OK) {
            tl__api_refuse(call, TL_API_BUSY, NULL, "There is no memory for it");
            return false;
        }
        count++;
    }
    if (count == 0) {
        return true;
    }
    const int64_t now_s = tl_clock_wall_ns(&call->api->real) / INT64_C(1000000000);
    tl_windows_take(call->api->windows, &call->windows, asks, count, now_s);
    call->has_windows = true;
    if (!call->windows.is_taken) {
        call->retry_after_s = call->windows.retry_after_s;
        tl__api_refuse(call, TL_API_TOO_MANY_REQUESTS, NULL, "The limit of this route is reached");
    }
    return call->windows.is_taken;
}

bool tl__rates_pass_address(tl_api_call *call)
{
    return pass(call, true);
}

bool tl__rates_pass_caller(tl_api_call *call)
{
    return pass(call, false);
}
