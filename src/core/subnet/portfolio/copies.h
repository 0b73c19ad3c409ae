/* copies: a part of portfolio_internal.h: who follows whom. */
#ifndef TALLY_CORE_SUBNET_PORTFOLIO_COPIES_H
#define TALLY_CORE_SUBNET_PORTFOLIO_COPIES_H

#include "core/subnet/portfolio/portfolio_internal.h"

/* tl__copies_find: raise correlation, plagiarism and lag_copy on each peer, at most once a rule.
 * peers: in order of commit height, then hotkey. Cost: count²/2 · 6 dot products of the record's length. */
tl_err tl__copies_find(tl__peer *peers, size_t count, const tl__prices *prices, tl_arena *scratch,
                       tl_errctx *ctx);

#endif
