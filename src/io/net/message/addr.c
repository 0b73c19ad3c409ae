#include <arpa/inet.h>
#include <string.h>

#include "io/net/message/message.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool tl_net_ip_parse(tl_net_addr *out, tl_str ip, uint16_t port)
{
    char text[TL_NET_IP_TEXT_CAP];
    const bool is_bracketed = ip.len >= 2 && ip.ptr[0] == '[' && ip.ptr[ip.len - 1] == ']';
    if (is_bracketed) {
        ip = tl_str_slice(ip, 1, ip.len - 1);
    }
    if (ip.len == 0 || ip.len >= sizeof text || memchr(ip.ptr, 0, ip.len) != NULL) {
        return false;
    }
    memcpy(text, ip.ptr, ip.len);
    text[ip.len] = 0;
    tl_net_addr addr = {.port = port};
    if (!is_bracketed && inet_pton(AF_INET, text, addr.ip + sizeof mapped) == 1) {
        memcpy(addr.ip, mapped, sizeof mapped);
    } else if (inet_pton(AF_INET6, text, addr.ip) != 1) {
        return false;
    }
    *out = addr;
    return true;
}

/* Four numbers with dots, by hand: a server asks for them with every request. */
static size_t put_v4(char *out, const uint8_t ip[4])
{
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        if (ip[i] >= 100) {
            out[len++] = (char)('0' + ip[i] / 100);
        }
        if (ip[i] >= 10) {
            out[len++] = (char)('0' + ip[i] / 10 % 10);
        }
        out[len++] = (char)('0' + ip[i] % 10);
        out[len++] = '.';
    }
    out[--len] = 0;
    return len;
}

size_t tl_net_ip_text(char out[TL_NET_IP_TEXT_CAP], const tl_net_addr *addr)
{
    if (tl_net_is_v4(addr)) {
        return put_v4(out, addr->ip + sizeof mapped);
    }
    const char *text = inet_ntop(AF_INET6, addr->ip, out, TL_NET_IP_TEXT_CAP);
    TL_ASSERT(text != NULL); /* there is room for the longest */
    return strlen(out);
}

bool tl_net_is_v4(const tl_net_addr *addr)
{
    return memcmp(addr->ip, mapped, sizeof mapped) == 0;
}

bool tl_net_is_loopback(const tl_net_addr *addr)
{
    static const uint8_t one[16] = {[15] = 1};
    return tl_net_is_v4(addr) ? addr->ip[12] == 127 : memcmp(addr->ip, one, sizeof one) == 0;
}

bool tl_net_ip_eq(const tl_net_addr *a, const tl_net_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}
