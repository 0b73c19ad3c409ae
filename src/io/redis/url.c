/* redis://[user@]host[:port][/database], or unix:///path. */
#include "io/redis/redis_internal.h"

#include <string.h>

#define PORT_DEFAULT 6379
#define DATABASE_MAX 65535

static tl_err fail(tl_errctx *ctx, const char *what)
{
    const tl_err err = tl_fail_field(ctx, TL_ERR_SYNTAX, "redis", "%s", what);
    tl_errctx_hint(ctx, "redis://[user@]host[:port][/database], or unix:///path; the password "
                        "comes from elsewhere");
    return err;
}

/* text into cap bytes, as a C string without surprises. */
static bool copy(char *out, size_t cap, tl_str text)
{
    if (text.len == 0 || text.len >= cap) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static tl_err parse_host(tl__redis_place *place, tl_str text, tl_errctx *ctx)
{
    tl_str host = text;
    tl_str port = {NULL, 0};
    if (text.len > 0 && text.ptr[0] == '[') { /* an IPv6 address */
        const size_t end = tl_str_find(text, ']');
        if (end == text.len) {
            return fail(ctx, "a bracket is open");
        }
        host = tl_str_slice(text, 1, end);
        const tl_str rest = tl_str_slice(text, end + 1, text.len);
        if (rest.len > 0 && rest.ptr[0] != ':') {
            return fail(ctx, "only a port may follow the address");
        }
        port = tl_str_slice(rest, 1, rest.len);
    } else {
        const size_t colon = tl_str_find(text, ':');
        host = tl_str_slice(text, 0, colon);
        port = tl_str_slice(text, colon + 1, text.len);
    }
    if (!copy(place->host, sizeof place->host, host)) {
        return fail(ctx, "no host");
    }
    uint64_t number = PORT_DEFAULT;
    if (port.len > 0 && (!tl_str_parse_u64(&number, port) || number == 0 || number > 65535)) {
        return fail(ctx, "no port of 1 to 65535");
    }
    place->port = (int)number;
    return TL_OK;
}

tl_err tl__redis_parse_url(tl__redis_place *out, tl_str url, tl_errctx *ctx)
{
    tl__redis_place place = {.port = PORT_DEFAULT};
    if (tl_str_starts_with(url, TL_STR("unix://"))) {
        const tl_str path = tl_str_slice(url, 7, url.len);
        if (!tl_str_starts_with(path, TL_STR("/")) || !copy(place.path, sizeof place.path, path)) {
            return fail(ctx, "no path of a socket");
        }
        *out = place;
        return TL_OK;
    }
    if (!tl_str_starts_with(url, TL_STR("redis://"))) {
        return fail(ctx, "neither redis:// nor unix://");
    }
    tl_str rest = tl_str_slice(url, 8, url.len);
    const size_t at = tl_str_find(rest, '@');
    if (at < rest.len) {
        const tl_str user = tl_str_slice(rest, 0, at);
        if (tl_str_find(user, ':') < user.len) { /* it would stand in lists of processes */
            return fail(ctx, "a password in the address");
        }
        if (!copy(place.user, sizeof place.user, user)) {
            return fail(ctx, "no user before the @");
        }
        rest = tl_str_slice(rest, at + 1, rest.len);
    }
    const size_t slash = tl_str_find(rest, '/');
    const tl_str database = tl_str_slice(rest, slash + 1, rest.len);
    uint64_t number = 0;
    if (database.len > 0 && (!tl_str_parse_u64(&number, database) || number > DATABASE_MAX)) {
        return fail(ctx, "no number of a database");
    }
    place.database = (uint32_t)number;
    TL_TRY(parse_host(&place, tl_str_slice(rest, 0, slash), ctx));
    *out = place;
    return TL_OK;
}
