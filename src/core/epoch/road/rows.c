/* rows.c: from scoreboards to the rows that validators vote with. */
#include "core/epoch/road/road_internal.h"

/* A row whose arrays may still be written. */
typedef struct open_row {
    uint32_t *qs;
    uint32_t *drawdown;
    bool *disqualify;
    uint32_t *flags;
} open_row;

static tl_err new_row(open_row *out, tl_arena *arena, size_t count, tl_errctx *ctx)
{
    out->qs = TL_NEW(arena, uint32_t, count);
    out->drawdown = TL_NEW(arena, uint32_t, count);
    out->disqualify = TL_NEW(arena, bool, count);
    out->flags = TL_NEW(arena, uint32_t, count);
    const bool is_whole =
        out->qs != NULL && out->drawdown != NULL && out->disqualify != NULL && out->flags != NULL;
    return is_whole ? TL_OK : tl_arena_fail(arena, ctx);
}

static void fill_from_board(open_row *row, const tl_scoreboard *board)
{
    for (size_t i = 0; i < board->count; i++) {
        const tl_score *s = &board->scores[i];
        row->qs[i] = s->qs_millionths;
        row->drawdown[i] = s->max_drawdown_millionths;
        row->disqualify[i] = s->is_disqualified;
        for (size_t k = 0; k < s->flag_count; k++) {
            TL_ASSERT(s->flags[k].rule < 32); /* SUB-2 */
            row->flags[i] |= UINT32_C(1) << s->flags[k].rule;
        }
    }
}

static size_t peer_of(const tl__run *run, const tl_hotkey *hotkey)
{
    size_t low = 0;
    size_t high = run->peer_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = tl_hotkey_cmp(&run->peers[run->peer_order[mid]]->hotkey, hotkey);
        if (order == 0) {
            return run->peer_order[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return run->peer_count;
}

static tl_err read_flags(uint32_t *out, const tl__run *run, const tl_json *list, tl_errctx *ctx)
{
    *out = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        tl_str name = {NULL, 0};
        TL_TRY(tl_json_as_str(&name, &list->items[i], "flags", ctx));
        size_t rule = 0;
        while (rule < run->subnet->rule_count && !tl_str_eq_cstr(name, run->subnet->rules[rule])) {
            rule++;
        }
        if (rule == run->subnet->rule_count) {
            return tl_fail_field(ctx, TL_ERR_UNKNOWN, "flags", "\"%.*s\" is no rule",
                                 TL_STR_ARG(tl_str_slice(name, 0, 40)));
        }
        *out |= UINT32_C(1) << rule;
    }
    return TL_OK;
}

static tl_err read_millionths(uint32_t *out, const tl_json *item, const char *key, tl_errctx *ctx)
{
    uint64_t value = 0;
    TL_TRY(tl_json_want_u64(&value, item, key, ctx));
    if (value > 1000000) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%llu, above 1000000",
                             (unsigned long long)value);
    }
    *out = (uint32_t)value;
    return TL_OK;
}

/* A reported row: a list of {"disqualify","flags","hotkey","max_drawdown_millionths","qs_millionths"}; miners that it
 * does not name have zeros. */
static tl_err fill_from_report(open_row *row, const tl__run *run, const tl_json *list,
                               tl_errctx *ctx)
{
    if (list->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "row", "is neither null nor a list");
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_json *item = &list->items[i];
        tl_str text = {NULL, 0};
        tl_hotkey hotkey;
        TL_TRY(tl_json_want_str(&text, item, "hotkey", ctx));
        TL_TRY(tl_ss58_decode(&hotkey, text, ctx));
        const size_t at = peer_of(run, &hotkey);
        if (at == run->peer_count) {
            return tl_fail_field(ctx, TL_ERR_UNKNOWN, "row", "%.*s is no miner of this epoch",
                                 TL_STR_ARG(text));
        }
        const tl_json *flags = NULL;
        TL_TRY(read_millionths(&row->qs[at], item, "qs_millionths", ctx));
        TL_TRY(read_millionths(&row->drawdown[at], item, "max_drawdown_millionths", ctx));
        TL_TRY(tl_json_want_bool(&row->disqualify[at], item, "disqualify", ctx));
        TL_TRY(tl_json_want(&flags, item, "flags", TL_JSON_ARRAY, ctx));
        TL_TRY(read_flags(&row->flags[at], run, flags, ctx));
    }
    return TL_OK;
}

static bool are_equal(const open_row *a, const open_row *b, size_t count)
{
    bool is_equal = true;
    for (size_t i = 0; i < count; i++) {
        is_equal = is_equal && a->qs[i] == b->qs[i] && a->drawdown[i] == b->drawdown[i] &&
                   a->disqualify[i] == b->disqualify[i] && a->flags[i] == b->flags[i];
    }
    return is_equal;
}

tl_err tl__row_of(tl_row *out, tl__run *run, size_t v, tl_errctx *ctx)
{
    tl_road_validator *validator = &run->validators[v];
    open_row honest;
    TL_TRY(new_row(&honest, run->arena, run->peer_count, ctx));
    fill_from_board(&honest, &run->boards[validator->feed]);
    open_row said = honest;
    validator->is_faithful = true;
    if (run->reported[v]->kind != TL_JSON_NULL) {
        TL_TRY(new_row(&said, run->arena, run->peer_count, ctx));
        const tl_err err = fill_from_report(&said, run, run->reported[v], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "validators[%zu]", v);
            return err;
        }
        validator->is_faithful = are_equal(&said, &honest, run->peer_count);
    }
    *out = (tl_row){said.qs, said.drawdown, said.disqualify, said.flags};
    return TL_OK;
}
