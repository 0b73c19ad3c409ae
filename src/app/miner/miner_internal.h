/* miner_internal: one epoch's work, shared by the files of the room. */
#ifndef TALLY_APP_MINER_INTERNAL_H
#define TALLY_APP_MINER_INTERNAL_H

#include "app/miner/miner.h"

/* tl__load: one zipcode of the epoch. */
typedef struct tl__load {
    const tl_place *place;
    const char *path; /* the object's file */
    const char *sent; /* exists: it was uploaded as it is */
    bool is_collected;
    bool is_hopeless; /* the source does not know the zipcode */
    uint32_t rows;
    uint64_t bytes;
    tl_hash32 sha256;
    tl_str key; /* in the object store */
} tl__load;

typedef struct tl__work {
    const tl_miner_options *options;
    const tl_peer_assignment *assignment;
    tl_arena *arena; /* of the epoch */
    const char *dir; /* of the epoch */
    tl__load *loads;
    size_t count;
    tl_errctx why; /* the last thing that went wrong */
} tl__work;

/* collect.c: every zipcode that is not yet there, as whole as the source gives it. Errors: INTERRUPTED, NOMEM, files'. */
tl_err tl__miner_collect(tl__work *work, tl_errctx *ctx);

/* upload.c: upload, metadata, status. out: as far as it came. TL_OK when it is acknowledged. */
tl_err tl__miner_hand_in(tl__work *work, tl_miner_epoch *out, tl_errctx *ctx);

#endif
