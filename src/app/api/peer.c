/* Whose request it is, behind proxies that are believed: the last address in X-Forwarded-For or Forwarded that is no trusted
 * proxy itself. What a stranger writes into these headers stands further left and is never reached. */
#include "app/api/api_internal.h"

enum { HOPS_MAX = 32 };

/* "1.2.3.4", "1.2.3.4:80", "[::1]:80", "::1", each perhaps in quotes. */
static bool read_address(tl_net_addr *out, tl_str text)
{
    text = tl_str_trim(text);
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        text = tl_str_slice(text, 1, text.len - 1);
    }
    if (text.len > 0 && text.ptr[0] == '[') {
        text = tl_str_slice(text, 0, tl_str_find(text, ']') + 1);
        return tl_net_ip_parse(out, text, 0);
    }
    const size_t colon = tl_str_find(text, ':');
    const tl_str rest = tl_str_slice(text, colon + 1, text.len);
    if (colon < text.len && tl_str_find(rest, ':') == rest.len) {
        text = tl_str_slice(text, 0, colon); /* one colon: a port of IPv4 */
    }
    return tl_net_ip_parse(out, text, 0);
}

/* The value of for= in one element of Forwarded; empty when there is none. */
static tl_str forwarded_for(tl_str element)
{
    tl_str pair;
    while (tl_str_split(&pair, &element, ';')) {
        pair = tl_str_trim(pair);
        if (tl_http_name_starts_with(pair, TL_STR("for="))) {
            return tl_str_slice(pair, 4, pair.len);
        }
    }
    return (tl_str){NULL, 0};
}

/* One step to the left: the last element of the list goes into *out. */
static bool take_last(tl_str *out, tl_str *list)
{
    if (list->ptr == NULL) {
        return false;
    }
    size_t at = list->len;
    while (at > 0 && list->ptr[at - 1] != ',') {
        at--;
    }
    *out = tl_str_slice(*list, at, list->len);
    *list = at > 0 ? tl_str_slice(*list, 0, at - 1) : (tl_str){NULL, 0};
    return true;
}

tl_net_addr tl__peer_of(const tl_api *api, const tl_http_request *request)
{
    tl_net_addr peer = request->peer;
    if (api->settings.trusted_proxy_count == 0) {
        return peer;
    }
    int hops = 0;
    bool is_forwarded = tl_http_find(request->headers, TL_STR("x-forwarded-for")) == NULL;
    const tl_str name = is_forwarded ? TL_STR("forwarded") : TL_STR("x-forwarded-for");
    for (size_t i = request->headers.count; i-- > 0;) { /* the last line was written last */
        if (!tl_http_name_eq(request->headers.at[i].name, name)) {
            continue;
        }
        tl_str list = request->headers.at[i].value;
        tl_str element;
        while (take_last(&element, &list)) {
            tl_net_addr next;
            const tl_str text = is_forwarded ? forwarded_for(element) : element;
            if (hops++ == HOPS_MAX || !tl_limit_lists_admits_ip(api->proxies, &peer) ||
                !read_address(&next, text)) {
                return peer;
            }
            peer = next;
        }
    }
    return peer;
}
