/* peer: a plain blocking client over loopback, which says just the bytes that a test gives it. */
#ifndef TALLY_IO_NET_HTTP_TEST_PEER_H
#define TALLY_IO_NET_HTTP_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_CAP = 1 << 16 };

int peer_open(uint16_t port);                         /* -1: refused */
bool peer_say(int fd, const void *bytes, size_t len); /* false: the other side is gone */
size_t
peer_hear(int fd, char *out,
          size_t len); /* at most len bytes; a NUL behind; 0: closed, reset, or 5 s of silence */
size_t peer_hear_all(int fd, char out[PEER_CAP]); /* until it closes */
bool peer_ask(int fd, const char *request,
              char out[PEER_CAP]); /* one answer with a Content-Length, whole */
bool peer_is_closed(int fd);       /* waits up to 5 s for it */

#endif
