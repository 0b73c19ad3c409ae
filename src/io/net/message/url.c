/* url.c: where an http or https URL points. */
#include "io/net/message/message.h"

static tl_err bad_url(const char *why, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_SYNTAX, "url", "%s", why);
}

/* The port behind a host: 1 to 65535, digits only. */
static bool read_port(uint16_t *out, tl_str text)
{
    uint32_t port = 0;
    if (text.len == 0 || text.len > 5) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

static tl_err read_authority(tl_url *url, tl_str authority, tl_errctx *ctx)
{
    size_t colon = authority.len;
    if (authority.len > 0 && authority.ptr[0] == '[') {
        size_t end = 1;
        while (end < authority.len && authority.ptr[end] != ']') {
            end++;
        }
        if (end == authority.len) {
            return bad_url("the bracket of an IPv6 address is not closed", ctx);
        }
        url->host = tl_str_slice(authority, 1, end);
        colon = end + 1;
        if (colon < authority.len && authority.ptr[colon] != ':') {
            return bad_url("something stands behind the IPv6 address", ctx);
        }
    } else {
        for (size_t i = 0; i < authority.len; i++) {
            if (authority.ptr[i] == '@') {
                return bad_url("a URL holds no user or password here", ctx);
            }
            if (authority.ptr[i] == ':' && colon == authority.len) {
                colon = i;
            }
        }
        url->host = tl_str_slice(authority, 0, colon);
    }
    if (url->host.len == 0) {
        return bad_url("a URL needs a host", ctx);
    }
    if (colon < authority.len &&
        !read_port(&url->port, tl_str_slice(authority, colon + 1, authority.len))) {
        return bad_url("the port is no number from 1 to 65535", ctx);
    }
    return TL_OK;
}

tl_err tl_url_parse(tl_url *out, tl_str text, tl_errctx *ctx)
{
    tl_url url = {.port = 80};
    size_t at = 7;
    if (tl_str_starts_with(text, TL_STR("https://"))) {
        url = (tl_url){.is_tls = true, .port = 443};
        at = 8;
    } else if (!tl_str_starts_with(text, TL_STR("http://"))) {
        return bad_url("a URL begins with http:// or https://", ctx);
    }
    for (size_t i = at; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '#') {
            return bad_url("a URL holds no blanks, controls or fragment", ctx);
        }
    }
    size_t end = at;
    while (end < text.len && text.ptr[end] != '/' && text.ptr[end] != '?') {
        end++;
    }
    TL_TRY(read_authority(&url, tl_str_slice(text, at, end), ctx));
    url.target = tl_str_slice(text, end, text.len);
    *out = url;
    return TL_OK;
}
