/* marks_internal.h: what marks.c, moments.c and weigh.c share. */
#ifndef TALLY_CORE_LISTINGS_NEAR_MARKS_INTERNAL_H
#define TALLY_CORE_LISTINGS_NEAR_MARKS_INTERNAL_H

#include "core/listings/near/near_internal.h"

/* tl__near_claim: one miner's word about one field of one house. */
typedef struct tl__near_claim {
    uint32_t entry;
    uint32_t row;
    uint32_t value;
} tl__near_claim;

typedef struct tl__near_span {
    int64_t first; /* above last: nothing */
    int64_t last;
} tl__near_span;

/* tl__near_last: the house that a miner listed last, in the order of houses, and when it read it. */
typedef struct tl__near_last {
    int64_t at_ms;
    uint32_t house;
    bool is_there;
} tl__near_last;

typedef struct tl__near_finder {
    tl__near_work *work;
    tl__near_marks *out;
    tl__near_key *keys;
    tl__near_key *spare;
    tl__near_claim *claims; /* room for a miner each, as the next ones */
    tl__near_claim *apart;
    uint32_t *reporters;
    uint32_t *habit;   /* fields that a miner's rows have in more than half */
    int64_t *usual_ms; /* the mean of its times */
    uint32_t *cover;   /* common houses that it lists */
    bool *covers;
    size_t cover_count;
    bool *is_timed;  /* its times tell something (moments.c) */
    bool *has_steps; /* so do the steps between them */
    tl__near_last *last;
    tl__near_key *steps; /* room for row_count */
    size_t step_count;
} tl__near_finder;

/* tl__near_put_mark: miners who say the same and stand apart. */
TL_MUST_USE tl_err tl__near_put_mark(tl__near_finder *f, tl__near_field field,
                                     const tl__near_claim *claims, size_t count, tl_errctx *ctx);

/* tl__near_put_moments: whose times tell something, and which times several share. */
TL_MUST_USE tl_err tl__near_put_moments(tl__near_finder *f, tl_errctx *ctx);

/* tl__near_put_steps: from each reporter's house before to this one; tl__near_finish_steps: which are shared. */
TL_MUST_USE tl_err tl__near_put_steps(tl__near_finder *f, size_t house, const uint32_t *rows,
                                      size_t count, tl_errctx *ctx);
TL_MUST_USE tl_err tl__near_finish_steps(tl__near_finder *f, tl_errctx *ctx);

#endif
