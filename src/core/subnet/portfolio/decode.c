/* decode.c: the body of a signal, its hash, and its canonical JSON. */
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio_internal.h"

static int position_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_position *x = (const tl_position *)a;
    const tl_position *y = (const tl_position *)b;
    const int by_ticker = tl_str_cmp(x->ticker, y->ticker);
    return by_ticker != 0 ? by_ticker
                          : (x->weight_millionths > y->weight_millionths) -
                                (x->weight_millionths < y->weight_millionths);
}

tl_err tl__decode_positions(const tl_portfolio **out, tl_arena *arena, const tl_json *list,
                            tl_errctx *ctx)
{
    if (list->count > TL_PORTFOLIO_POSITIONS_DECODED_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "positions", "%u positions, above %d", list->count,
                             TL_PORTFOLIO_POSITIONS_DECODED_MAX);
    }
    tl_portfolio *portfolio = TL_NEW(arena, tl_portfolio, 1);
    tl_position *positions = TL_NEW(arena, tl_position, list->count);
    if (portfolio == NULL || positions == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *item = &list->items[i];
        tl_err err = tl_json_want_str(&positions[i].ticker, item, "ticker", ctx);
        if (err == TL_OK) {
            err = tl_json_want_i64(&positions[i].weight_millionths, item, "weight_millionths", ctx);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "positions[%u]", i);
            return err;
        }
    }
    TL_TRY(tl_sort(positions, list->count, sizeof *positions, position_cmp, NULL, arena, ctx));
    *portfolio = (tl_portfolio){positions, list->count};
    *out = portfolio;
    return TL_OK;
}

tl_err tl_portfolio_hash(tl_hash32 *out, const tl_portfolio *portfolio, tl_arena *scratch,
                         tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_sb sb;
    tl_sb_init(&sb, scratch);
    for (size_t i = 0; i < portfolio->count; i++) {
        if (i != 0) {
            tl_sb_put_char(&sb, '|');
        }
        tl_sb_put(&sb, portfolio->positions[i].ticker);
        tl_sb_put_char(&sb, ':');
        tl_sb_put_i64(&sb, portfolio->positions[i].weight_millionths);
    }
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_sha256(out, text.ptr, text.len);
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}

/* ROAD 1/8 decode: a miner's JSON becomes a tl_submission; the engine reads the common fields (core/epoch/road/inputs.c),
 * this function the portfolio. Goes on to core/epoch/road/admit.c. Whether the portfolio obeys the rules is asked there:
 * here only its form counts, and a wrong form is an error that names the field. */
tl_err tl__decode(tl_submission *io, tl_arena *arena, const tl_json *signal, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, signal, "positions", TL_JSON_ARRAY, ctx));
    const tl_portfolio *portfolio = NULL;
    TL_TRY(tl__decode_positions(&portfolio, arena, list, ctx));
    TL_TRY(tl_portfolio_hash(&io->body_hash, portfolio, arena, ctx));
    io->body = portfolio;
    return TL_OK;
}

void tl__encode(tl_json_writer *w, const void *body)
{
    const tl_portfolio *portfolio = (const tl_portfolio *)body;
    tl_json_put_key(w, "positions");
    tl_json_put_array(w);
    for (size_t i = 0; i < portfolio->count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "ticker");
        tl_json_put_str(w, portfolio->positions[i].ticker);
        tl_json_put_key(w, "weight_millionths");
        tl_json_put_i64(w, portfolio->positions[i].weight_millionths);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}
