/* Is a request fit to be sent? Whatever could become another request on the wire is refused here (CLIENT-1). */
#include <arpa/inet.h>
#include <string.h>

#include "io/net/client/client_internal.h"

static bool is_token(tl_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return s.len > 0;
}

static bool is_name(tl_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_') {
            return false;
        }
    }
    return s.len > 0;
}

static bool is_ipv6(tl_str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.len >= sizeof text || memchr(s.ptr, '\0', s.len) != NULL) {
        return false;
    }
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

static tl_err check_place(const tl_client_request *request, tl_errctx *ctx)
{
    const tl_str host = request->host;
    if (host.len > TL_CLIENT_HOST_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "host", "host has %zu characters, above %d",
                             host.len, TL_CLIENT_HOST_LEN_MAX);
    }
    if (host.len == 0 || (tl_str_find(host, ':') < host.len ? !is_ipv6(host) : !is_name(host))) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "host", "\"%.*s\" is no name and no address",
                             TL_STR_ARG(host));
    }
    if (request->port == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "port", "port is 0");
    }
    if (!is_token(request->method) || request->method.len > 32) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "method", "\"%.*s\" is no method",
                             TL_STR_ARG(tl_str_slice(request->method, 0, 64)));
    }
    return TL_OK;
}

static tl_err check_target(tl_str target, tl_errctx *ctx)
{
    if (target.len > TL_CLIENT_TARGET_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "target", "target has %zu bytes, above %d",
                             target.len, TL_CLIENT_TARGET_LEN_MAX);
    }
    if (target.len == 0 || target.ptr[0] != '/') {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "target", "target does not begin with \"/\"");
    }
    for (size_t i = 0; i < target.len; i++) {
        const unsigned char c = (unsigned char)target.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '#') {
            (void)tl_fail_field(ctx, TL_ERR_SYNTAX, "target",
                                "byte 0x%02x may not stand in a target", c);
            if (ctx != NULL) {
                tl_errctx_at(ctx, i, 0, 0);
            }
            return TL_ERR_SYNTAX;
        }
    }
    return TL_OK;
}

static bool is_ours(tl_str name)
{
    static const char *const names[] = {"host",       "content-length", "transfer-encoding",
                                        "connection", "expect",         "upgrade"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (tl_http_name_eq(name, tl_str_from_cstr(names[i]))) {
            return true;
        }
    }
    return false;
}

static tl_err check_header(const tl_http_header *header, tl_errctx *ctx)
{
    if (header->name.len + header->value.len > TL_CLIENT_FIELD_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "headers", "a header has %zu bytes, above %d",
                             header->name.len + header->value.len, TL_CLIENT_FIELD_LEN_MAX);
    }
    if (!is_token(header->name)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "headers", "\"%.*s\" is no name of a header",
                             TL_STR_ARG(tl_str_slice(header->name, 0, 64)));
    }
    if (is_ours(header->name)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "headers", "\"%.*s\" is set by the client itself",
                             TL_STR_ARG(header->name));
    }
    for (size_t i = 0; i < header->value.len; i++) {
        const unsigned char c = (unsigned char)header->value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "headers",
                                 "byte 0x%02x may not stand in the header \"%.*s\"", c,
                                 TL_STR_ARG(header->name));
        }
    }
    return TL_OK;
}

tl_err tl__request_check(const tl_client_request *request, tl_errctx *ctx)
{
    TL_TRY(check_place(request, ctx));
    TL_TRY(check_target(request->target, ctx));
    if (request->headers.count > TL_CLIENT_REQUEST_FIELDS) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "headers", "%zu headers, above %d",
                             request->headers.count, TL_CLIENT_REQUEST_FIELDS);
    }
    for (size_t i = 0; i < request->headers.count; i++) {
        TL_TRY(check_header(&request->headers.at[i], ctx));
    }
    return TL_OK;
}
