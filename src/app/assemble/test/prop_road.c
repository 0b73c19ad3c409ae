/* Attacks the whole road with random worlds: money is conserved, scores stay in bounds, the order of signals and of
 * validators changes no byte, a validator without stake changes nobody's result, verify holds for what is honest and
 * fails for what is not. The seed is printed; an argument replays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec/vec.h"
#include "core/subnet/portfolio/portfolio.h"
#include "random_world.h"

static uint64_t seed = 20240108;

static tl_arena *new_arena(void)
{
    tl_arena *arena = NULL;
    assert_int_equal(tl_arena_new(&arena, NULL, (size_t)2 << 30, NULL, NULL), TL_OK);
    return arena;
}

static void run_world(tl_assembled *out, tl_arena *arena, const random_world *w)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_err err = tl_assemble_portfolio(out, arena, w->prices, w->signals, w->params, &ctx);
    if (err != TL_OK) {
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, ctx.field, ctx.message);
    }
}

static random_world_options some_options(tl_xoshiro *rng)
{
    return (random_world_options){
        .miners = (size_t)tl_xoshiro_below(rng, 12),
        .epochs = 1 + (size_t)tl_xoshiro_below(rng, 5),
        .tickers = 6 + (size_t)tl_xoshiro_below(rng, 10),
        .validators = (size_t)tl_xoshiro_below(rng, 6),
        .has_oddities = tl_xoshiro_below(rng, 3) > 0,
        .has_gaps = tl_xoshiro_below(rng, 2) > 0,
        .emission_rao = (int64_t)(tl_xoshiro_next(rng) >> (20 + tl_xoshiro_below(rng, 40)))};
}

static int64_t rao(tl_rao a)
{
    return tl_rao_to_i64(a);
}

/* Conservation and bounds, recomputed from the lines. */
static void check_money(const tl_road_result *r)
{
    const tl_settlement *s = &r->settlement;
    int64_t antes = 0;
    int64_t out = rao(s->rake) + rao(s->carry);
    for (size_t i = 0; i < r->line_count; i++) {
        const tl_payout *p = r->lines[i].payout;
        assert_int_equal(p != NULL, r->lines[i].has_outcome); /* ROAD-2 */
        if (p != NULL) {
            const int64_t ante = rao(r->lines[i].submission->ante);
            antes += ante;
            assert_true(rao(p->reward) >= 0 && rao(p->ante_back) >= 0);
            assert_int_equal(ante, rao(p->ante_back) + rao(p->burned) + rao(p->redistributed) +
                                       rao(p->deficit));
            out += rao(p->reward) + rao(p->ante_back) + rao(p->burned);
        }
    }
    assert_int_equal(out, antes + rao(r->agreement.split.miners) + rao(r->params.external));
    int64_t pay = 0;
    for (size_t v = 0; v < r->validator_count; v++) {
        pay += rao(r->validators[v].agreed->pay);
    }
    assert_int_equal(pay, rao(r->agreement.split.validators));
    assert_int_equal(rao(r->params.emission), rao(r->agreement.split.miners) +
                                                  rao(r->agreement.split.validators) +
                                                  rao(r->agreement.split.owner));
}

static void check_scores(const tl_road_result *r)
{
    uint32_t rank = 0;
    for (size_t i = 0; i < r->line_count; i++) {
        const tl_road_line *line = &r->lines[i];
        if (line->agreed == NULL) {
            continue;
        }
        assert_true(line->agreed->qs_millionths <= 1000000 &&
                    line->agreed->max_drawdown_millionths <= 1000000);
        if (line->agreed->rank > 0) {
            assert_int_equal(line->agreed->rank, ++rank); /* lines are by rank */
            assert_true(line->agreed->qs_millionths > 0);
        }
    }
}

static bool has_signal(const random_world *w)
{
    return w->line_count > 0;
}

static void random_epochs_conserve_every_rao(void **state)
{
    (void)state;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    int settled = 0;
    for (int i = 0; i < 150; i++) {
        tl_arena *arena = new_arena();
        const random_world_options o = some_options(&rng);
        random_world w;
        random_world_make(&w, arena, &rng, &o);
        tl_assembled a = {0};
        tl_errctx ctx = TL_ERRCTX_INIT;
        const tl_err err = tl_assemble_portfolio(&a, arena, w.prices, w.signals, w.params, &ctx);
        if (!has_signal(&w)) {
            assert_int_equal(err, TL_ERR_MISSING);
        } else if (err == TL_OK) {
            assert_int_equal(a.result.state, TL_EPOCH_SETTLED);
            settled++;
            check_money(&a.result);
            check_scores(&a.result);
        } else {
            assert_true(o.has_oddities); /* the only signal of the world may name no epoch */
            assert_int_equal(err, TL_ERR_MISSING);
        }
        tl_arena_free(arena);
    }
    assert_true(settled >= 100);
}

static void the_order_of_signals_changes_no_byte(void **state)
{
    (void)state; /* ASM-1, ROAD-1, PORT-4, SUB-1 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed + 1);
    for (int i = 0; i < 25; i++) {
        tl_arena *arena = new_arena();
        random_world_options o = some_options(&rng);
        o.miners += 3;
        random_world w;
        random_world_make(&w, arena, &rng, &o);
        tl_assembled a = {0};
        tl_assembled b = {0};
        if (tl_assemble_portfolio(&a, arena, w.prices, w.signals, w.params, NULL) == TL_OK) {
            w.signals = random_world_shuffle(&w, arena, &rng);
            run_world(&b, arena, &w);
            assert_true(tl_str_eq(a.bundle, b.bundle));
        }
        tl_arena_free(arena);
    }
}

static void a_validator_without_stake_changes_nobody(void **state)
{
    (void)state; /* JOIN-5 through the whole road */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed + 2);
    for (int i = 0; i < 15; i++) {
        tl_arena *arena = new_arena();
        random_world_options o = some_options(&rng);
        o.miners += 4;
        o.validators = 2;
        o.has_oddities = false;
        random_world w;
        random_world_make(&w, arena, &rng, &o);
        tl_assembled a = {0};
        tl_assembled b = {0};
        run_world(&a, arena, &w);
        char ghost[TL_SS58_CAP];
        random_world_hotkey(ghost, "ghost", (size_t)i);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_put(&sb, tl_str_slice(w.params, 0, w.params.len - 2));
        tl_sb_printf(&sb, ",{\"hotkey\":\"%s\",\"stake_rao\":0}]}", ghost);
        assert_int_equal(tl_sb_finish(&w.params, &sb, NULL), TL_OK);
        run_world(&b, arena, &w);
        assert_int_equal(a.result.line_count, b.result.line_count);
        for (size_t k = 0; k < a.result.line_count; k++) {
            const tl_road_line *x = &a.result.lines[k];
            const tl_road_line *y = &b.result.lines[k];
            assert_true(tl_hotkey_eq(&x->submission->hotkey, &y->submission->hotkey));
            assert_int_equal(rao(x->payout->reward), rao(y->payout->reward));
            assert_int_equal(x->agreed->incentive_raw, y->agreed->incentive_raw);
        }
        tl_arena_free(arena);
    }
}

/* --- bundles --- */

static const tl_subnet *const subnets[] = {&tl_subnet_portfolio};

static tl_err verify(bool *is_ok, tl_arena *arena, tl_str bytes)
{
    tl_bundle b = {0};
    tl_bundle_report report = {0};
    TL_TRY(tl_bundle_read(&b, arena, bytes, NULL));
    TL_TRY(tl_bundle_verify(&report, arena, &b, subnets, 1, NULL));
    *is_ok = report.is_ok;
    return TL_OK;
}

static void make_epoch(tl_assembled *out, tl_arena *arena, tl_xoshiro *rng)
{
    const random_world_options o = {.miners = 7,
                                    .epochs = 3,
                                    .tickers = 9,
                                    .has_oddities = false,
                                    .emission_rao = 1000000000000};
    random_world w;
    random_world_make(&w, arena, rng, &o);
    run_world(out, arena, &w);
}

static void a_changed_bit_is_never_accepted(void **state)
{
    (void)state; /* BUN-1, BUN-2 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed + 3);
    tl_arena *arena = new_arena();
    tl_assembled a = {0};
    make_epoch(&a, arena, &rng);
    bool is_ok = false;
    assert_int_equal(verify(&is_ok, arena, a.bundle), TL_OK);
    assert_true(is_ok);
    char *copy = TL_NEW(arena, char, a.bundle.len);
    assert_non_null(copy);
    memcpy(copy, a.bundle.ptr, a.bundle.len);
    for (int i = 0; i < 400; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        const size_t at = (size_t)tl_xoshiro_below(&rng, a.bundle.len);
        const char bit = (char)(1 << tl_xoshiro_below(&rng, 8));
        copy[at] = (char)(copy[at] ^ bit);
        is_ok = false;
        const tl_err err = verify(&is_ok, arena, (tl_str){copy, a.bundle.len});
        assert_true(err != TL_OK || !is_ok);
        copy[at] = (char)(copy[at] ^ bit);
        is_ok = false;
        const size_t cut = (size_t)tl_xoshiro_below(&rng, a.bundle.len);
        assert_true(verify(&is_ok, arena, (tl_str){copy, cut}) != TL_OK);
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

/* Every integer of a tree, in a list. */
static void gather_numbers(tl_vec *out, const tl_json *value)
{
    if (value->kind == TL_JSON_NUMBER) {
        const tl_json **slot = (const tl_json **)tl_vec_push(out);
        assert_non_null(slot);
        *slot = value;
    }
    for (uint32_t i = 0; value->kind == TL_JSON_ARRAY && i < value->count; i++) {
        gather_numbers(out, &value->items[i]);
    }
    for (uint32_t i = 0; value->kind == TL_JSON_OBJECT && i < value->count; i++) {
        gather_numbers(out, &value->members[i].value);
    }
}

static void a_well_formed_lie_is_found_by_replay(void **state)
{
    (void)state; /* BUN-3 */
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed + 4);
    tl_arena *arena = new_arena();
    tl_assembled a = {0};
    make_epoch(&a, arena, &rng);
    tl_bundle b = {0};
    assert_int_equal(tl_bundle_read(&b, arena, a.bundle, NULL), TL_OK);
    tl_str honest = {NULL, 0};
    assert_int_equal(tl_bundle_export(&honest, arena, &b, NULL), TL_OK);
    tl_str packed = {NULL, 0};
    tl_hash32 digest;
    assert_int_equal(tl_bundle_pack(&packed, &digest, arena, honest, NULL), TL_OK);
    assert_true(tl_str_eq(packed, a.bundle));

    const tl_json *tree = NULL;
    assert_int_equal(tl_json_parse(&tree, arena, honest, NULL, NULL), TL_OK);
    tl_vec numbers;
    tl_vec_init(&numbers, arena, sizeof(const tl_json *));
    gather_numbers(&numbers, tl_json_get(tree, "results"));
    assert_true(numbers.count > 100);
    for (int i = 0; i < 150; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        const tl_json *victim =
            ((const tl_json **)numbers.items)[tl_xoshiro_below(&rng, numbers.count)];
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_sb_put_bytes(&sb, honest.ptr, victim->offset);
        tl_sb_put_cstr(&sb, "7");
        tl_sb_put(&sb, tl_str_slice(honest, victim->offset, honest.len));
        tl_str lie = {NULL, 0};
        assert_int_equal(tl_sb_finish(&lie, &sb, NULL), TL_OK);
        if (tl_bundle_pack(&packed, &digest, arena, lie, NULL) == TL_OK) {
            bool is_ok = true;
            assert_int_equal(verify(&is_ok, arena, packed), TL_OK);
            assert_false(is_ok);
        }
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        seed = strtoull(argv[2], NULL, 10);
    }
    (void)printf("# seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_epochs_conserve_every_rao),
        cmocka_unit_test(the_order_of_signals_changes_no_byte),
        cmocka_unit_test(a_validator_without_stake_changes_nobody),
        cmocka_unit_test(a_changed_bit_is_never_accepted),
        cmocka_unit_test(a_well_formed_lie_is_found_by_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
