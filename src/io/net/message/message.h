/* message: what an HTTP request is made of, as views: shared by the server, the client and the signed protocols.
 * For         handing headers around without copying them or tying a protocol to a server
 * Takes       bytes that somebody else owns     Gives       look-ups by name
 * Calls       base                              Called by   io/net/http, io/net/client, sdk
 * Owns        nothing: a view lives as long as the request's arena
 * Threads     pure functions, anywhere
 */
#ifndef TALLY_IO_NET_MESSAGE_H
#define TALLY_IO_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

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

#ifdef __cplusplus
}
#endif

#endif
