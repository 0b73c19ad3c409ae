/* Attacks the join with any validators and miners: hotkeys that meet, stakes up to the end of the type, rows that are
 * missing, bonds carried from anywhere. It either says what is wrong, or gives a result in which the money adds up and
 * the ranks are whole (JOIN-2, JOIN-3). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/consensus/join/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { V_MAX = 5, M_MAX = 7, BONDS_MAX = 12 };

typedef struct cursor {
    const uint8_t *at;
    size_t left;
} cursor;

static uint64_t take(cursor *c, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width && c->left > 0; i++) {
        value = value << 8 | *c->at++;
        c->left--;
    }
    return value;
}

static int64_t take_amount(cursor *c)
{
    const uint64_t how = take(c, 1);
    return how < 200 ? (int64_t)how : (int64_t)take(c, 8);
}

static tl_hotkey take_key(cursor *c)
{
    tl_hotkey key = {{0}};
    key.b[0] = (uint8_t)(take(c, 1) % 24); /* few, so that they meet */
    return key;
}

typedef struct subject {
    tl_join_input input;
    tl_join_validator validators[V_MAX];
    tl_join_miner miners[M_MAX];
    tl_row rows[V_MAX];
    uint32_t qs[V_MAX][M_MAX];
    uint32_t drawdown[V_MAX][M_MAX];
    bool votes[V_MAX][M_MAX];
    uint32_t flags[V_MAX][M_MAX];
    tl_bond bonds[BONDS_MAX];
} subject;

static void take_subject(cursor *c, subject *s)
{
    memset(s, 0, sizeof *s);
    tl_join_input *in = &s->input;
    in->domain = TL_STR("fuzz");
    in->validators = s->validators;
    in->miners = s->miners;
    in->validator_count = (size_t)(take(c, 1) % (V_MAX + 1));
    in->miner_count = (size_t)(take(c, 1) % (M_MAX + 1));
    in->emission = tl_rao_from_i64(take_amount(c));
    for (size_t m = 0; m < in->miner_count; m++) {
        s->miners[m] = (tl_join_miner){take_key(c), take(c, 1), (uint32_t)take(c, 1)};
    }
    for (size_t v = 0; v < in->validator_count; v++) {
        s->rows[v] = (tl_row){s->qs[v], s->drawdown[v], s->votes[v], s->flags[v]};
        s->validators[v].hotkey = take_key(c);
        s->validators[v].stake = tl_rao_from_i64(take_amount(c));
        s->validators[v].row = take(c, 1) % 8 == 0 ? NULL : &s->rows[v];
        for (size_t m = 0; m < in->miner_count; m++) {
            const uint64_t how = take(c, 1);
            s->qs[v][m] = how < 128 ? (uint32_t)how : (uint32_t)take(c, 4);
            s->drawdown[v][m] = (uint32_t)take(c, 1) << (how % 25);
            s->votes[v][m] = how % 5 == 0;
            s->flags[v][m] = (uint32_t)1 << (how % 32);
        }
    }
    const size_t bond_count = (size_t)(take(c, 1) % (BONDS_MAX + 1));
    for (size_t k = 0; k < bond_count; k++) {
        s->bonds[k] = (tl_bond){take_key(c), take_key(c), (uint16_t)take(c, 2)};
    }
    in->bonds = (tl_bonds){s->bonds, bond_count};
}

static void check_result(const tl_join_input *in, const tl_agreement *a)
{
    tl_rao paid = TL_RAO_ZERO;
    for (size_t v = 0; v < a->validator_count; v++) {
        TL_ASSERT(!tl_rao_is_negative(a->validators[v].pay));
        TL_ASSERT(tl_rao_add(&paid, paid, a->validators[v].pay, NULL) == TL_OK);
    }
    TL_ASSERT(tl_rao_eq(paid, a->verdict.pays ? a->split.validators : TL_RAO_ZERO)); /* JOIN-2 */
    tl_rao whole = a->split.owner;
    TL_ASSERT(tl_rao_add(&whole, whole, a->split.miners, NULL) == TL_OK);
    TL_ASSERT(tl_rao_add(&whole, whole, a->split.validators, NULL) == TL_OK);
    TL_ASSERT(tl_rao_eq(whole, in->emission)); /* JOIN-2 */
    for (size_t i = 0; i < a->ranked_count; i++) {
        TL_ASSERT(a->miners[a->rank_order[i]].rank == i + 1); /* JOIN-3 */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cursor c = {data, len};
    subject s;
    take_subject(&c, &s);
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_agreement a;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_consensus_agree(arena, &a, &s.input, &ctx);
    TL_ASSERT(err == TL_OK || ctx.field[0] != '\0' || err == TL_ERR_OVERFLOW);
    if (err == TL_OK) {
        check_result(&s.input, &a);
    }
    tl_arena_free(arena);
    return 0;
}
