/* source_internal: the kinds of sources, behind one door. */
#ifndef TALLY_APP_SOURCE_INTERNAL_H
#define TALLY_APP_SOURCE_INTERNAL_H

#include "app/source/source.h"
#include "sdk/caller/caller.h"

typedef enum tl__source_kind {
    TL__SOURCE_HTTP,
    TL__SOURCE_FILE,
    TL__SOURCE_EXEC,
    TL__SOURCE_CALL
} tl__source_kind;

struct tl_source {
    tl_arena *arena;
    tl_source_options options;
    tl__source_kind kind;
    const char *place; /* path or program */
    tl_caller *caller; /* http */
};

tl_err tl__source_collect_http(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, bool is_mirror, tl_errctx *ctx);
tl_err tl__source_collect_many_http(tl_source *source, tl_source_want *wants, size_t count,
                                    tl_arena *arena, tl_errctx *ctx);
tl_err tl__source_ask_http(tl_source *source, tl_source_look *out, tl_arena *arena,
                           const tl_str *ids, size_t count, tl_errctx *ctx);
tl_err tl__source_collect_file(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, tl_errctx *ctx);
tl_err tl__source_collect_exec(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, tl_errctx *ctx);

/* tl__source_take: the objects of a JSON array as a batch. Errors: TL_ERR_TYPE, TL_ERR_LIMIT, the arena's. */
tl_err tl__source_take(tl_source_batch *out, tl_arena *arena, const tl_json *array, tl_errctx *ctx);

#endif
