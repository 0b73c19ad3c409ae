/* The handshake of RFC 6455 section 4, both sides' parts. */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "io/net/ws/ws_internal.h"

void tl__ws_accept_for(char out[TL__WS_ACCEPT_CAP], tl_str key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[64 + sizeof guid];
    uint8_t digest[SHA_DIGEST_LENGTH];
    TL_ASSERT(key.len <= 64);
    memcpy(text, key.ptr, key.len);
    memcpy(text + key.len, guid, sizeof guid - 1);
    (void)SHA1((const uint8_t *)text, key.len + sizeof guid - 1, digest);
    (void)EVP_EncodeBlock((uint8_t *)out, digest, sizeof digest);
}

tl_err tl__ws_make_key(char out[TL__WS_KEY_CAP], const tl_entropy *entropy, tl_errctx *ctx)
{
    uint8_t bytes[16];
    TL_TRY(tl_entropy_fill(entropy, bytes, sizeof bytes, ctx));
    (void)EVP_EncodeBlock((uint8_t *)out, bytes, sizeof bytes);
    return TL_OK;
}

bool tl__ws_has_token(tl_http_headers headers, tl_str name, tl_str token)
{
    for (size_t i = 0; i < headers.count; i++) {
        tl_str rest = headers.at[i].value;
        tl_str item;
        while (tl_http_name_eq(headers.at[i].name, name) && tl_str_split(&item, &rest, ',')) {
            if (tl_http_name_eq(tl_str_trim(item), token)) {
                return true;
            }
        }
    }
    return false;
}

/* --- a client's URL --- */

static tl_err no_url(tl_str url, const char *why, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_SYNTAX, "url", "\"%.*s\" is no WebSocket address: %s",
                         TL_STR_ARG(url), why);
}

static tl_err read_authority(tl__ws_url *out, tl_str url, tl_errctx *ctx)
{
    tl_str host = out->authority;
    tl_str port = {0};
    const bool is_bracketed = host.len > 0 && host.ptr[0] == '[';
    const size_t end = is_bracketed ? tl_str_find(host, ']') : tl_str_find(host, ':');
    if (is_bracketed && end == host.len) {
        return no_url(url, "a bracket is not closed", ctx);
    }
    if (is_bracketed) {
        port = tl_str_slice(host, end + 1, host.len);
        host = tl_str_slice(host, 1, end);
    } else {
        port = tl_str_slice(host, end, host.len);
        host = tl_str_slice(host, 0, end);
    }
    if (host.len == 0 || host.len >= sizeof out->host || memchr(host.ptr, '@', host.len) != NULL) {
        return no_url(url, "it has no host", ctx);
    }
    memcpy(out->host, host.ptr, host.len);
    out->host[host.len] = 0;
    out->port = out->is_secure ? 443 : 80;
    if (port.len > 0) {
        uint64_t number;
        if (port.ptr[0] != ':' || !tl_str_parse_u64(&number, tl_str_slice(port, 1, port.len)) ||
            number == 0 || number > UINT16_MAX) {
            return no_url(url, "its port is none", ctx);
        }
        out->port = (uint16_t)number;
    }
    return TL_OK;
}

tl_err tl__ws_url_parse(tl__ws_url *out, tl_str url, tl_errctx *ctx)
{
    tl__ws_url parsed = {0};
    parsed.is_secure = tl_str_starts_with(url, TL_STR("wss://"));
    if (!parsed.is_secure && !tl_str_starts_with(url, TL_STR("ws://"))) {
        return no_url(url, "it begins with neither ws:// nor wss://", ctx);
    }
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] >= 0x7f || url.ptr[i] == '#') {
            return no_url(url, "it has a character that may not be in it", ctx);
        }
    }
    const tl_str rest = tl_str_slice(url, parsed.is_secure ? 6 : 5, url.len);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?') {
        end++;
    }
    parsed.authority = tl_str_slice(rest, 0, end);
    parsed.target = tl_str_slice(rest, end, rest.len);
    if (parsed.target.len == 0) {
        parsed.target = TL_STR("/");
    } else if (parsed.target.ptr[0] == '?') {
        return no_url(url, "its query has no path before it", ctx);
    }
    TL_TRY(read_authority(&parsed, url, ctx));
    *out = parsed;
    return TL_OK;
}

/* --- a server's answer --- */

enum { ANSWER_FIELDS_MAX = 100 };

/* The fields of an answer's head; false when a line is none. */
static bool read_fields(tl_http_header *fields, size_t *count, tl_str rest)
{
    tl_str line;
    *count = 0;
    while (tl_str_split(&line, &rest, '\n')) {
        if (line.len == 0 || line.ptr[line.len - 1] != '\r') {
            return false;
        }
        line.len--;
        if (line.len == 0) {
            return true;
        }
        const size_t colon = tl_str_find(line, ':');
        if (*count == ANSWER_FIELDS_MAX || colon == 0 || colon == line.len || line.ptr[0] == ' ' ||
            line.ptr[0] == '\t') {
            return false;
        }
        fields[(*count)++] = (tl_http_header){tl_str_slice(line, 0, colon),
                                              tl_str_trim(tl_str_slice(line, colon + 1, line.len))};
    }
    return false;
}

const char *tl__ws_check_answer(tl_str head, tl_str key, tl_str protocol)
{
    tl_http_header at[ANSWER_FIELDS_MAX];
    tl_http_headers fields = {at, 0};
    const size_t end = tl_str_find(head, '\n');
    if (!tl_str_starts_with(head, TL_STR("HTTP/1.1 101 "))) {
        return tl_str_starts_with(head, TL_STR("HTTP/1.")) ? "the server refuses the upgrade"
                                                           : "the answer is no HTTP";
    }
    if (!read_fields(at, &fields.count, tl_str_slice(head, end + 1, head.len))) {
        return "the answer's head is malformed";
    }
    char accept[TL__WS_ACCEPT_CAP];
    tl__ws_accept_for(accept, key);
    const tl_http_header *said = tl_http_find(fields, TL_STR("Sec-WebSocket-Accept"));
    if (said == NULL || !tl_str_eq_cstr(said->value, accept) ||
        !tl__ws_has_token(fields, TL_STR("Upgrade"), TL_STR("websocket")) ||
        !tl__ws_has_token(fields, TL_STR("Connection"), TL_STR("upgrade"))) {
        return "the answer is not to our handshake";
    }
    if (tl_http_find(fields, TL_STR("Sec-WebSocket-Extensions")) != NULL) {
        return "the server uses an extension that nobody offered";
    }
    const tl_http_header *chosen = tl_http_find(fields, TL_STR("Sec-WebSocket-Protocol"));
    const bool is_chosen = chosen != NULL && tl_str_eq(chosen->value, protocol);
    return (protocol.len > 0 ? is_chosen : chosen == NULL)
               ? NULL
               : "the server speaks another sub-protocol";
}
