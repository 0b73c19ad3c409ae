/* The room's own. */
#ifndef TALLY_APP_ACCESS_INTERNAL_H
#define TALLY_APP_ACCESS_INTERNAL_H

#include "app/access/access.h"

enum { TL__ACCESS_SECRET_LEN = 32 };

struct tl_access {
    uint8_t secret[TL__ACCESS_SECRET_LEN]; /* in locked memory */
    tl_clock clock;
    tl_entropy entropy;
};

int64_t tl__access_now_ms(const tl_access *access);

/* base64url without padding (RFC 7515, appendix C): strict, and canonical. */
void tl__base64url_put(tl_sb *sb, const void *bytes, size_t len);
TL_MUST_USE tl_err tl__base64url_decode(tl_bytes *out, tl_arena *arena, tl_str text,
                                        tl_errctx *ctx);

#endif
