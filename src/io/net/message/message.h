/* message: what an HTTP request is made of, as views: shared by the server, the client and the signed protocols.
 * For         handing headers around without copying them or tying a protocol to a server
 * Takes       bytes that somebody else owns     Gives       look-ups by name; addresses of the network, by value
 * Calls       base                              Called by   io/net/http, io/net/client, sdk
 * Owns        nothing: a view lives as long as the request's arena
 * Threads     pure functions, anywhere
 */
#ifndef TALLY_IO_NET_MESSAGE_H
#define TALLY_IO_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_http_header: one header field as it stood: name in its own case, value without the white space around it. */
typedef struct tl_http_header {
    tl_str name;
    tl_str value;
} tl_http_header;

/* tl_http_headers: the fields in the order of the message; a name may come more than once. */
typedef struct tl_http_headers {
    const tl_http_header *at;
    size_t count;
} tl_http_headers;

/* tl_http_name_eq: are two header names the same? ASCII letters in any case. */
bool tl_http_name_eq(tl_str a, tl_str b);

/* tl_http_name_starts_with: does a header's name begin with prefix, in any case? */
bool tl_http_name_starts_with(tl_str name, tl_str prefix);

/* tl_http_find: the first field of that name, or NULL. */
const tl_http_header *tl_http_find(tl_http_headers headers, tl_str name);

/* tl_http_count: how many fields have that name. */
size_t tl_http_count(tl_http_headers headers, tl_str name);

/* tl_net_addr: one end of a connection. An IPv4 address stands as ::ffff:a.b.c.d, so that there is one kind. */
typedef struct tl_net_addr {
    uint8_t ip[16]; /* as on the wire */
    uint16_t port;
} tl_net_addr;

/* Room for tl_net_ip_text: 39 characters and a NUL are the most. */
#define TL_NET_IP_TEXT_CAP 48

/* tl_net_ip_parse: "127.0.0.1", "::1" or "[::1]" (no names, no zones) with that port. False, out untouched, when the
 * text is no address. */
bool tl_net_ip_parse(tl_net_addr *out, tl_str ip, uint16_t port);

/* tl_net_ip_text: the address without its port: "10.0.0.1" for a mapped one, "2001:db8::1"; NUL-terminated. Gives its
 * length. */
size_t tl_net_ip_text(char out[TL_NET_IP_TEXT_CAP], const tl_net_addr *addr);

bool tl_net_is_v4(const tl_net_addr *addr);                    /* mapped? */
bool tl_net_is_loopback(const tl_net_addr *addr);              /* 127.0.0.0/8, ::1 */
bool tl_net_ip_eq(const tl_net_addr *a, const tl_net_addr *b); /* whatever their ports */

/* tl_url: where an http or https URL points; views into its text. */
typedef struct tl_url {
    bool is_tls;
    tl_str host; /* an IPv6 address without its brackets */
    uint16_t port;
    tl_str target; /* path and query as they stand; empty: none */
} tl_url;

/* tl_url_parse: Errors: TL_ERR_SYNTAX, field "url": another scheme, a user or password, a fragment, blanks, no host, a bad
 * port. Escapes are not looked at. */
TL_MUST_USE tl_err tl_url_parse(tl_url *out, tl_str text, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
