/* An arena whose blocks are libsodium's guarded pages: locked, between pages that fault, wiped when they go (WAL-4). */
#include "sdk/wallet/wallet.h"

#include <sodium.h>

enum { BLOCK_ALIGN = 64 }; /* the most that an arena aligns to */

/* libsodium puts the end of what it gives at a page's end: a multiple of the alignment is aligned. */
static void *locked_alloc(void *self, size_t len)
{
    (void)self;
    return len > SIZE_MAX - BLOCK_ALIGN
               ? NULL
               : sodium_malloc((len + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN);
}

static void locked_release(void *self, void *memory)
{
    (void)self;
    sodium_free(memory);
}

tl_err tl_wallet_arena_new(tl_arena **out, tl_errctx *ctx)
{
    static const tl_allocator locked = {NULL, locked_alloc, locked_release};
    if (sodium_init() < 0) {
        return tl_fail(ctx, TL_ERR_IO, "the cryptographic library finds no entropy");
    }
    return tl_arena_new(out, NULL, TL_WALLET_SECRETS_LEN_MAX, &locked, ctx);
}
