/* admit.c: may this hotkey submit this, now, once? (portfolio spec, sections 1 and 2) */
#include "core/epoch/road/road.h"
#include "core/num/stats/stats.h"

/* The window of a reveal, in blocks after the commit:
 *
 *   0 ──────────── 1,800 ─────────────── 4,200 ────────────────────── 14,400 ─────▶
 *   early: costs     refused (E007),       counts, both ends included     refused (E007)
 *   half of the ante may come again
 */
static tl_admission judge_window(const tl_submission *s, const tl_road_params *params)
{
    if (!s->has_reveal) {
        return (tl_admission){TL_ADMIT_NOT_REVEALED, NULL};
    }
    if (s->reveal_height < s->commit_height) {
        return (tl_admission){TL_ADMIT_NOT_REVEALED, "E007"};
    }
    const uint64_t after = s->reveal_height - s->commit_height;
    if (after < params->reveal_early_blocks) {
        return (tl_admission){TL_ADMIT_REVEALED_EARLY, NULL};
    }
    if (after < params->reveal_delay_blocks || after > params->reveal_expiry_blocks) {
        return (tl_admission){TL_ADMIT_NOT_REVEALED, "E007"};
    }
    return s->is_commitment_right ? (tl_admission){TL_ADMIT_VALID, NULL}
                                  : (tl_admission){TL_ADMIT_HASH_DIFFERS, "E006"};
}

static tl_admission judge_reveal(const tl_submission *s, const tl_road_params *params,
                                 const tl_subnet *subnet, const void *world)
{
    const tl_admission window = judge_window(s, params);
    if (window.state != TL_ADMIT_VALID) {
        return window;
    }
    const char *code = subnet->check(world, s);
    return (tl_admission){code == NULL ? TL_ADMIT_VALID : TL_ADMIT_INVALID, code};
}

static bool is_within(uint64_t height, uint64_t from, uint64_t blocks)
{
    return height >= from && height - from < blocks;
}

/* What became of the hotkey's live signal bans it within the same epoch: a hash that differs for the rest of it, from the
 * height of that reveal on; a third silence as always. */
static bool is_banned_by(const tl_submission *live, const tl_road_params *params,
                         const tl_carry_miner *past, uint64_t height)
{
    const tl_admit_state state = judge_window(live, params).state;
    if (state == TL_ADMIT_NOT_REVEALED) {
        const uint64_t expiry = live->commit_height + params->reveal_expiry_blocks;
        return is_within(height, expiry, params->ban_blocks) &&
               tl_carry_silences(past, params, expiry) + 1 >= params->unrevealed_limit;
    }
    return state == TL_ADMIT_HASH_DIFFERS && height >= live->reveal_height;
}

const char *tl_road_admit_commit(const tl_submission *s, const tl_road_params *params,
                                 tl_str epoch_id, const tl_carry *carry, const tl_rao *free_balance,
                                 const tl_submission *live)
{
    if (tl_rao_cmp(s->ante, params->ante_min) < 0 ||
        tl_rao_cmp(s->ante, tl_rao_from_i64(TL_ROAD_ANTE_MAX)) > 0 ||
        (free_balance != NULL && tl_rao_cmp(s->ante, *free_balance) > 0)) {
        return "E005";
    }
    if (!s->has_span || !tl_str_eq(s->epoch_id, epoch_id)) {
        return "E007";
    }
    if (!s->has_hotkey || !s->is_registered || !s->is_signature_valid) {
        return "E008";
    }
    const tl_carry_miner *past = tl_carry_find(carry, &s->hotkey);
    if (past != NULL && past->is_banned && s->commit_height >= past->ban_from &&
        s->commit_height < past->ban_until) {
        return "E008";
    }
    if (live != NULL && is_banned_by(live, params, past, s->commit_height)) {
        return "E008";
    }
    return live != NULL ? "E009" : NULL;
}

/* Hotkeys that have a live signal in this epoch, found by their bytes. */
typedef struct by_hotkey {
    tl_hotkey hotkey;
    size_t index; /* in the order of the inputs */
} by_hotkey;

static int by_hotkey_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const by_hotkey *x = (const by_hotkey *)a;
    const by_hotkey *y = (const by_hotkey *)b;
    const int order = tl_hotkey_cmp(&x->hotkey, &y->hotkey);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static tl_err free_balance_of(tl_rao *out, const tl_json *balances, const tl_submission *s,
                              tl_errctx *ctx)
{
    *out = TL_RAO_ZERO;
    const tl_json *member = tl_json_get_str(balances, s->hotkey_text);
    if (member != NULL) {
        int64_t rao = 0;
        TL_TRY(tl_json_as_i64(&rao, member, "balances_rao", ctx));
        *out = tl_rao_from_i64(rao);
    }
    return TL_OK;
}

/* ROAD 2/8 admit: a tl_submission becomes a tl_admission: accepted, or refused with the code of the first rule that it
 * breaks. Comes from core/epoch/road/inputs.c and the subnet's decode; what is accepted goes on to io/store (3/8 keep),
 * and at the end of the epoch to the subnet's score. */
tl_err tl_road_admit(tl_admission *out, tl_arena *scratch, const tl_subnet *subnet,
                     const void *world, const tl_road_params *params, tl_str epoch_id,
                     const tl_carry *carry, const tl_json *balances,
                     const tl_submission *submissions, size_t count, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    by_hotkey *order = TL_NEW(scratch, by_hotkey, count);
    if (order == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (by_hotkey){submissions[i].hotkey, i};
    }
    TL_TRY(tl_sort(order, count, sizeof *order, by_hotkey_cmp, NULL, scratch, ctx));
    const tl_submission *live = NULL;
    for (size_t k = 0; k < count; k++) {
        if (k > 0 && !tl_hotkey_eq(&order[k - 1].hotkey, &order[k].hotkey)) {
            live = NULL;
        }
        const tl_submission *s = &submissions[order[k].index];
        tl_rao free_balance = TL_RAO_ZERO;
        if (balances != NULL) {
            TL_TRY(free_balance_of(&free_balance, balances, s, ctx));
        }
        const char *code = tl_road_admit_commit(s, params, epoch_id, carry,
                                                balances != NULL ? &free_balance : NULL, live);
        live = code == NULL ? s : live;
        out[order[k].index] = code != NULL ? (tl_admission){TL_ADMIT_REFUSED, code}
                                           : judge_reveal(s, params, subnet, world);
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
