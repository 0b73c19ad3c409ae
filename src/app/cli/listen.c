/* listen.c: HOST:PORT. */
#include "app/cli/listen.h"

tl_err tl_app_listen_parse(tl_app_listen *out, tl_app *app, const char *text,
                           const char *default_host, tl_errctx *ctx)
{
    const tl_str listen = tl_str_from_cstr(text);
    size_t colon = listen.len;
    while (colon > 0 && listen.ptr[colon - 1] != ':' && listen.ptr[colon - 1] != ']') {
        colon--;
    }
    const bool has_host = colon > 0 && listen.ptr[colon - 1] == ':';
    tl_str host = tl_str_slice(listen, 0, has_host ? colon - 1 : 0);
    uint64_t port;
    if (!tl_str_parse_u64(&port, tl_str_slice(listen, has_host ? colon : 0, listen.len)) ||
        port > UINT16_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "listen", "\"%s\" is no HOST:PORT", text);
    }
    host = host.len > 0 ? host : tl_str_from_cstr(default_host);
    TL_TRY(tl_str_copy_cstr(&out->host, app->arena, host, ctx));
    out->port = (uint16_t)port;
    return TL_OK;
}
