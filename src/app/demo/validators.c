/* validators.c: five validators: two that are sound, one whose prices are damaged now and then, two that have friends.
 *
 *   index   0      1      2              3         4
 *   stake   40 %   25 %   15 %           12 %      8 %
 *           sound  sound  damaged feed   colluder  colluder
 *
 * The colluders score everybody as the rules say, look where their friends ended, and decide then: the smaller one lies
 * when a friend is not among the better half, the larger one joins in only when none of them is. Who lies gives the
 * friends the best score of all and the best three rivals nothing. */
#include "app/demo/world.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"

#define DAMAGED_VALIDATOR 2
#define LARGER_COLLUDER   3
#define SMALLER_COLLUDER  4
#define RIVALS            3
#define DAMAGE_SHARE      0.4 /* of the epochs */
#define DAMAGE_DAYS       60 /* errors lie in the last so many days: older ones would have been noticed */

/* --- a damaged feed --- */

/* Errors as vendors make them: a slipped decimal point, a spike, a price that stands still for some days. */
static void damage_once(tl_price *price, const tl_price_table *t, size_t from, size_t to,
                        tl_xoshiro *rng)
{
    const size_t row = from + (size_t)tl_xoshiro_below(rng, to - from);
    const size_t ticker = (size_t)tl_xoshiro_below(rng, t->ticker_count);
    const uint64_t kind = tl_xoshiro_below(rng, 3);
    const uint64_t size = tl_xoshiro_below(rng, 30);
    tl_price *cell = &price[row * t->ticker_count + ticker];
    if (cell->digits == 0) {
        return;
    }
    if (kind == 0) {
        cell->exponent += 1;
        return;
    }
    if (kind == 1) {
        cell->digits *= 110 + size; /* 10 to 39 % */
        cell->exponent -= 2;
        return;
    }
    for (size_t day = row + 1; day < to && day < row + 2 + size / 10; day++) {
        price[day * t->ticker_count + ticker] = *cell;
    }
}

/* A copy of the table with three to eight errors among its last days; NULL in an epoch without damage. */
static tl_err damaged_feed(const tl_price_table **out, tl_arena *arena, const tl_demo_world *world,
                           uint32_t index, size_t to, tl_errctx *ctx)
{
    *out = NULL;
    tl_xoshiro rng;
    tl__demo_rng(&rng, world, "feed", "", index);
    if (tl_xoshiro_unit(&rng) >= DAMAGE_SHARE) {
        return TL_OK;
    }
    const tl_price_table *t = world->table;
    tl_price_table *copy = TL_NEW(arena, tl_price_table, 1);
    tl_price *price = TL_NEW(arena, tl_price, t->day_count * t->ticker_count);
    if (copy == NULL || price == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < t->day_count * t->ticker_count; i++) {
        price[i] = t->price[i];
    }
    const uint64_t errors = 3 + tl_xoshiro_below(&rng, 6);
    for (uint64_t i = 0; i < errors; i++) {
        damage_once(price, t, to > DAMAGE_DAYS ? to - DAMAGE_DAYS : 0, to, &rng);
    }
    *copy = *t;
    copy->price = price;
    *out = copy;
    return TL_OK;
}

/* --- the colluders' own view --- */

typedef struct view {
    const tl_submission **peers; /* in order of commit height */
    size_t count;
    tl_scoreboard board;
} view;

static tl_err read_accepted(tl_submission *out, tl_arena *arena, const tl_str *accepted,
                            size_t count, const tl_road_params *params, tl_errctx *ctx)
{
    for (size_t i = 0; i < count; i++) {
        const tl_json *tree = NULL;
        TL_TRY(tl_json_parse(&tree, arena, accepted[i], NULL, ctx));
        TL_TRY(tl_road_submission_read(&out[i], arena, &tl_subnet_portfolio, params, tree, ctx));
    }
    return TL_OK;
}

/* Stations 2 and 5 of the road on the sound feed: what an honest row would say. */
static tl_err score_honestly(view *out, tl_arena *arena, const tl_demo_epoch *epoch,
                             tl_str evidence, const tl_str *accepted, size_t count, tl_str records,
                             const tl_road_params *params, tl_errctx *ctx)
{
    const tl_subnet *subnet = &tl_subnet_portfolio;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "{\"records\":");
    tl_sb_put(&sb, records);
    tl_sb_put_char(&sb, '}');
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    const tl_json *inputs = NULL;
    const tl_json *seen = NULL;
    TL_TRY(tl_json_parse(&inputs, arena, text, NULL, ctx));
    TL_TRY(tl_json_parse(&seen, arena, evidence, NULL, ctx));
    tl_carry carry = {NULL, 0};
    TL_TRY(tl_carry_read(&carry, arena, subnet, tl_json_get(inputs, "records"), ctx));
    const tl_subnet_task task = {epoch->id, epoch->span, inputs, seen, params->subnet};
    void *opened = NULL;
    TL_TRY(subnet->open(&opened, arena, &task, ctx));
    tl_submission *signals = TL_NEW(arena, tl_submission, count);
    tl_admission *admissions = TL_NEW(arena, tl_admission, count);
    const tl_submission **peers = TL_NEW(arena, const tl_submission *, count);
    if (signals == NULL || admissions == NULL || peers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(read_accepted(signals, arena, accepted, count, params, ctx));
    TL_TRY(tl_road_admit(admissions, arena, subnet, opened, params, epoch->id, &carry, NULL,
                         signals, count, ctx));
    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (admissions[i].state == TL_ADMIT_VALID) {
            peers[out->count++] = &signals[i];
        }
    }
    out->peers = peers;
    return subnet->score(&out->board, arena, opened, 0, peers, out->count, ctx);
}

/* --- their decision --- */

static bool is_friend(const tl_demo_world *world, const tl_submission *peer)
{
    for (size_t i = 0; i < world->miner_count; i++) {
        if (world->miners[i].is_crony && tl_hotkey_eq(&world->miners[i].hotkey, &peer->hotkey)) {
            return true;
        }
    }
    return false;
}

/* How many peers score better. */
static size_t place_of(const view *v, size_t peer)
{
    size_t better = 0;
    for (size_t i = 0; i < v->count; i++) {
        better += v->board.scores[i].qs_millionths > v->board.scores[peer].qs_millionths ? 1U : 0U;
    }
    return better;
}

static void put_member(tl_json_writer *w, const tl_submission *peer, const tl_score *score,
                       uint32_t qs, bool is_favoured)
{
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, &peer->hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_object(w);
    tl_json_put_key(w, "disqualify");
    tl_json_put_bool(w, score->is_disqualified && !is_favoured);
    tl_json_put_key(w, "flags");
    tl_json_put_array(w);
    for (size_t i = 0; i < score->flag_count && !is_favoured; i++) {
        tl_json_put_cstr(w, tl_portfolio_rule_name((tl_portfolio_rule)score->flags[i].rule));
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, address);
    tl_json_put_key(w, "max_drawdown_millionths");
    tl_json_put_u64(w, score->max_drawdown_millionths);
    tl_json_put_key(w, "qs_millionths");
    tl_json_put_u64(w, qs);
    tl_json_put_end(w);
}

/* The row of who lies: both colluders write the same one. */
static tl_err put_false_row(tl_str *out, tl_arena *arena, const tl_demo_world *world, const view *v,
                            tl_errctx *ctx)
{
    uint32_t best = 0;
    for (size_t i = 0; i < v->count; i++) {
        const uint32_t qs = v->board.scores[i].qs_millionths;
        best = qs > best ? qs : best;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_array(&w);
    for (size_t i = 0; i < v->count; i++) {
        const tl_score *score = &v->board.scores[i];
        const bool is_favoured = is_friend(world, v->peers[i]);
        const bool is_rival = !is_favoured && place_of(v, i) < RIVALS;
        const uint32_t qs = is_favoured ? best : is_rival ? 0 : score->qs_millionths;
        put_member(&w, v->peers[i], score, qs, is_favoured);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err collude(tl_demo_sight *sight, tl_arena *arena, const tl_demo_world *world,
                      const view *v, tl_errctx *ctx)
{
    size_t friends = 0;
    size_t well_off = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (is_friend(world, v->peers[i])) {
            friends++;
            well_off += 2 * place_of(v, i) < v->count ? 1U : 0U;
        }
    }
    if (friends == 0 || well_off == friends) {
        return TL_OK;
    }
    tl_str row = {NULL, 0};
    TL_TRY(put_false_row(&row, arena, world, v, ctx));
    sight->views[SMALLER_COLLUDER].row = row;
    sight->liar_count = 1;
    if (well_off == 0) {
        sight->views[LARGER_COLLUDER].row = row;
        sight->liar_count = 2;
    }
    return TL_OK;
}

tl_err tl_demo_look(tl_demo_sight *out, tl_arena *arena, const tl_demo_world *world, uint32_t index,
                    const tl_demo_epoch *epoch, const tl_str *accepted, size_t accepted_count,
                    tl_str records, const tl_road_params *params, tl_errctx *ctx)
{
    tl_demo_sight sight = {0};
    tl_assemble_default_validators(sight.views);
    size_t from = 0;
    size_t to = 0;
    TL_TRY(tl_assemble_rows(&from, &to, world->table,
                            tl__demo_monday(world, -(int32_t)world->record_weeks), epoch->span,
                            epoch->id, ctx));
    const tl_price_table *tables[2] = {world->table, NULL};
    tl_str sound = {NULL, 0};
    TL_TRY(tl_assemble_evidence(&sound, arena, tables, 1, from, to, sight.views, 1, ctx));
    view v = {0};
    TL_TRY(score_honestly(&v, arena, epoch, sound, accepted, accepted_count, records, params, ctx));
    TL_TRY(collude(&sight, arena, world, &v, ctx));
    TL_TRY(damaged_feed(&tables[1], arena, world, index, to, ctx));
    sight.is_feed_damaged = tables[1] != NULL;
    sight.views[DAMAGED_VALIDATOR].feed = sight.is_feed_damaged ? 1 : 0;
    TL_TRY(tl_assemble_evidence(&sight.evidence, arena, tables, sight.is_feed_damaged ? 2 : 1, from,
                                to, sight.views, TL_ASSEMBLE_VALIDATORS, ctx));
    *out = sight;
    return TL_OK;
}
