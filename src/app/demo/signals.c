/* signals.c: how miners send what they hold: when they commit, when they reveal, and what they get wrong on purpose.
 *
 *   open ── honest miners, in an order drawn anew each epoch ── gamers ── followers ──▶      reveals 14 to 48 h later
 *
 * A follower has to wait for what leaks to it, so it commits last. Nobody else has a reason to. */
#include "app/demo/world.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/epoch/commit/commit.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"

#define SLOT_BLOCKS     40 /* between one commit and the next, less than a quarter of an hour */
#define SIGNALS_A_MINER 5
#define POSITIONS_ROOM  40

/* A signal before it is text. */
typedef struct draft {
    const tl_demo_miner *miner;
    tl_position positions[POSITIONS_ROOM];
    size_t position_count;
    const char *epoch_id;
    tl_rao ante;
    uint64_t commit_height;
    bool has_reveal;
    uint64_t reveal_height;
    bool is_registered;
    bool has_commitment; /* false: the right one of these positions */
    tl_hash32 commitment;
} draft;

/* What is being written. */
typedef struct desk {
    tl_arena *arena;
    const tl_demo_world *world;
    const tl_road_params *params;
    const uint32_t *weights;
    int32_t week;
    uint32_t index;
    const char *id;
    const char *id_before;
    uint64_t open_height;
    uint64_t next_slot;
    tl_demo_signal *signals;
    size_t count;
} desk;

/* --- text --- */

static tl_hash32 salt_of(const desk *k, const draft *d)
{
    char text[160];
    const size_t len = tl_str_print(text, sizeof text, "tally/demo/salt/%llu/%s/%s/%llu",
                                    (unsigned long long)k->world->seed, k->id, d->miner->name,
                                    (unsigned long long)d->commit_height);
    tl_hash32 salt;
    tl_sha256(&salt, text, len);
    return salt;
}

static tl_err commitment_of(tl_hash32 *out, const desk *k, const draft *d, tl_errctx *ctx)
{
    const tl_portfolio body = {d->positions, d->position_count};
    tl_hash32 hash;
    TL_TRY(tl_portfolio_hash(&hash, &body, k->arena, ctx));
    const tl_commit_scope scope = {tl_str_from_cstr(tl_subnet_portfolio.commit_domain),
                                   k->params->chain_id, k->params->netuid,
                                   tl_str_from_cstr(d->epoch_id)};
    const tl_hash32 salt = salt_of(k, d);
    tl_commit_hash(out, &scope, &d->miner->hotkey, &hash, &salt);
    return TL_OK;
}

static void put_draft(tl_json_writer *w, const desk *k, const draft *d, const tl_hash32 *commitment)
{
    const tl_hash32 salt = salt_of(k, d);
    tl_json_put_object(w);
    tl_json_put_key(w, "ante_rao");
    tl_json_put_i64(w, tl_rao_to_i64(d->ante));
    tl_json_put_key(w, "commit_height");
    tl_json_put_u64(w, d->commit_height);
    tl_json_put_key(w, "commitment");
    tl_json_put_hex(w, commitment->b, sizeof commitment->b);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_cstr(w, d->epoch_id);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, d->miner->address);
    const tl_portfolio body = {d->positions, d->position_count};
    tl_subnet_portfolio.encode(w, &body);
    tl_json_put_key(w, "registered");
    tl_json_put_bool(w, d->is_registered);
    tl_json_put_key(w, "reveal_height");
    if (d->has_reveal) {
        tl_json_put_u64(w, d->reveal_height);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "salt");
    tl_json_put_hex(w, salt.b, sizeof salt.b);
    tl_json_put_end(w);
}

static tl_err send(desk *k, const draft *d, tl_errctx *ctx)
{
    tl_hash32 commitment = d->commitment;
    if (!d->has_commitment) {
        TL_TRY(commitment_of(&commitment, k, d, ctx));
    }
    tl_sb sb;
    tl_sb_init(&sb, k->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    put_draft(&w, k, d, &commitment);
    tl_json_writer_done(&w);
    tl_demo_signal *signal = &k->signals[k->count++];
    *signal = (tl_demo_signal){.miner = d->miner, .commit_height = d->commit_height};
    return tl_sb_finish(&signal->json, &sb, ctx);
}

/* --- drafts --- */

static void set_positions(draft *d, const desk *k, const uint32_t *weights)
{
    const tl_price_table *t = k->world->table;
    d->position_count = 0;
    for (size_t i = 0; i < t->ticker_count && d->position_count < TL_PORTFOLIO_POSITIONS_MAX; i++) {
        if (weights[i] > 0) {
            d->positions[d->position_count++] = (tl_position){t->tickers[i], weights[i]};
        }
    }
}

/* A signal as it should be: the miner's portfolio, committed in its slot, revealed in time (WORLD-4). */
static draft new_draft(desk *k, size_t miner, tl_xoshiro *rng)
{
    draft d = {.miner = &k->world->miners[miner],
               .epoch_id = k->id,
               .has_reveal = true,
               .is_registered = true};
    d.ante = d.miner->ante;
    set_positions(&d, k, k->weights + miner * k->world->table->ticker_count);
    d.commit_height = k->open_height + SLOT_BLOCKS * k->next_slot++ +
                      tl_xoshiro_below(rng, SLOT_BLOCKS); /* WORLD-3 */
    const uint64_t window = k->params->reveal_expiry_blocks - k->params->reveal_delay_blocks;
    d.reveal_height =
        d.commit_height + k->params->reveal_delay_blocks + tl_xoshiro_below(rng, window + 1);
    return d;
}

/* --- conducts --- */

static tl_err send_late(desk *k, size_t miner, tl_xoshiro *rng, tl_errctx *ctx)
{
    draft d = new_draft(k, miner, rng);
    const double mood = tl_xoshiro_unit(rng);
    if (mood < 0.40) {
        d.reveal_height =
            d.commit_height + k->params->reveal_expiry_blocks + 1 + tl_xoshiro_below(rng, 7200);
    }
    d.has_reveal = mood < 0.65;
    return send(k, &d, ctx);
}

static tl_err send_early(desk *k, size_t miner, tl_xoshiro *rng, tl_errctx *ctx)
{
    draft d = new_draft(k, miner, rng);
    if (tl_xoshiro_unit(rng) < 0.5) {
        d.reveal_height =
            d.commit_height + tl_xoshiro_below(rng, k->params->reveal_delay_blocks / 2);
    }
    return send(k, &d, ctx);
}

static tl_err send_twice(desk *k, size_t miner, tl_xoshiro *rng, tl_errctx *ctx)
{
    const draft first = new_draft(k, miner, rng);
    TL_TRY(send(k, &first, ctx));
    draft second = new_draft(k, miner, rng);
    const size_t other = (miner + 1) % k->world->miner_count;
    set_positions(&second, k, k->weights + other * k->world->table->ticker_count);
    return send(k, &second, ctx);
}

/* Commits to its own portfolio; then it likes a neighbour's better. */
static tl_err send_turned(desk *k, size_t miner, tl_xoshiro *rng, tl_errctx *ctx)
{
    draft d = new_draft(k, miner, rng);
    if (tl_xoshiro_unit(rng) < 0.5) {
        TL_TRY(commitment_of(&d.commitment, k, &d, ctx));
        d.has_commitment = true;
        const size_t other = (miner + 1) % k->world->miner_count;
        set_positions(&d, k, k->weights + other * k->world->table->ticker_count);
    }
    return send(k, &d, ctx);
}

/* One way of six to break a rule about positions. */
static void spoil(draft *d, uint32_t way)
{
    tl_position *p = d->positions;
    switch (way % 6) {
    case 0: /* a weight above 0.20, the sum untouched */
        for (size_t i = 1; i < 4; i++) {
            p[0].weight_millionths += p[i].weight_millionths - 1;
            p[i].weight_millionths = 1;
        }
        break;
    case 1: /* nobody trades this */
        p[d->position_count - 1].ticker = TL_STR("ZZZZZ");
        break;
    case 2: /* too few */
        d->position_count = TL_PORTFOLIO_POSITIONS_MIN - 1;
        break;
    case 3: /* more than there is */
        p[0].weight_millionths += 150;
        p[1].weight_millionths += 150;
        break;
    case 4: /* one ticker twice */
        p[1].ticker = p[0].ticker;
        p[1].weight_millionths += p[0].weight_millionths; /* in the order that is hashed */
        break;
    default: /* nothing of one */
        p[0].weight_millionths = 0;
        break;
    }
}

/* First what is refused at once and costs nothing, then one that is found out when it is revealed. */
static tl_err send_scribbles(desk *k, size_t miner, tl_xoshiro *rng, tl_errctx *ctx)
{
    draft poor = new_draft(k, miner, rng);
    poor.ante = tl_rao_from_i64(tl_rao_to_i64(k->params->ante_min) - 1);
    TL_TRY(send(k, &poor, ctx));
    draft stale = new_draft(k, miner, rng);
    stale.epoch_id = k->id_before;
    TL_TRY(send(k, &stale, ctx));
    draft stranger = new_draft(k, miner, rng);
    stranger.is_registered = false;
    TL_TRY(send(k, &stranger, ctx));
    draft torn = new_draft(k, miner, rng);
    TL_TRY(send(k, &torn, ctx));
    tl_str *json = &k->signals[k->count - 1].json;
    json->len = (size_t)tl_xoshiro_below(rng, json->len); /* the line broke off */
    draft bad = new_draft(k, miner, rng);
    tl_xoshiro ways;
    tl__demo_rng(&ways, k->world, "ways", bad.miner->name, 0);
    spoil(&bad, k->index + (uint32_t)tl_xoshiro_below(&ways, 6));
    return send(k, &bad, ctx);
}

static tl_err play(desk *k, size_t miner, tl_errctx *ctx)
{
    const tl_demo_miner *m = &k->world->miners[miner];
    tl_xoshiro rng;
    tl__demo_rng(&rng, k->world, "conduct", m->name, k->week);
    switch (m->conduct) {
    case TL_DEMO_LATE:
        return send_late(k, miner, &rng, ctx);
    case TL_DEMO_EARLY:
        return send_early(k, miner, &rng, ctx);
    case TL_DEMO_SCRIBBLE:
        return send_scribbles(k, miner, &rng, ctx);
    case TL_DEMO_DOUBLE:
        return send_twice(k, miner, &rng, ctx);
    case TL_DEMO_TURNCOAT:
        return send_turned(k, miner, &rng, ctx);
    case TL_DEMO_PLAIN:
        break;
    }
    const draft d = new_draft(k, miner, &rng);
    return send(k, &d, ctx);
}

/* --- the order of commits --- */

typedef struct turn {
    bool is_follower;
    uint64_t draw;
    size_t miner;
} turn;

static int turn_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const turn *x = (const turn *)a;
    const turn *y = (const turn *)b;
    if (x->is_follower != y->is_follower) {
        return x->is_follower ? 1 : -1;
    }
    if (x->draw != y->draw) {
        return x->draw < y->draw ? -1 : 1;
    }
    return (x->miner > y->miner) - (x->miner < y->miner);
}

static tl_err play_all(desk *k, tl_errctx *ctx)
{
    turn *turns = TL_NEW(k->arena, turn, k->world->miner_count);
    if (turns == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    for (size_t i = 0; i < k->world->miner_count; i++) {
        const tl_demo_miner *m = &k->world->miners[i];
        tl_xoshiro rng;
        tl__demo_rng(&rng, k->world, "turn", m->name, k->week);
        turns[i] = (turn){m->noise > 0.0, tl_xoshiro_next(&rng), i};
    }
    TL_TRY(tl_sort(turns, k->world->miner_count, sizeof *turns, turn_cmp, NULL, k->arena, ctx));
    for (size_t i = 0; i < k->world->miner_count; i++) {
        TL_TRY(play(k, turns[i].miner, ctx));
    }
    return TL_OK;
}

tl_err tl_demo_epoch_at(tl_demo_epoch *out, tl_arena *arena, const tl_demo_world *world,
                        uint32_t index, const tl_road_params *params, tl_errctx *ctx)
{
    TL_ASSERT(index < world->epochs);
    const int32_t week = (int32_t)index;
    const tl_day monday = tl__demo_monday(world, week);
    char id[TL_EPOCH_ID_CAP];
    char before[TL_EPOCH_ID_CAP];
    tl_epoch_id_weekly(id, monday);
    tl_epoch_id_weekly(before, monday - 7);
    tl_str text = {NULL, 0};
    TL_TRY(tl_str_copy(&text, arena, tl_str_from_cstr(id), ctx));
    desk k = {.arena = arena,
              .world = world,
              .params = params,
              .week = week,
              .index = index,
              .id = id,
              .id_before = before,
              .open_height = (uint64_t)(index + 1) * TL_DEMO_WEEK_BLOCKS};
    k.signals = TL_NEW(arena, tl_demo_signal, world->miner_count * SIGNALS_A_MINER);
    if (k.signals == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_demo_portfolios(&k.weights, arena, world, week, ctx));
    TL_TRY(play_all(&k, ctx));
    *out = (tl_demo_epoch){.id = text,
                           .span = {monday, monday + 6},
                           .open_height = k.open_height,
                           .settle_height = k.open_height + TL_DEMO_WEEK_BLOCKS - 1,
                           .signals = k.signals,
                           .signal_count = k.count};
    return TL_OK;
}
