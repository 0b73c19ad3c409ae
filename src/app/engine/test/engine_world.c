#include "engine_world.h"

#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"

typedef struct sent {
    tl_str text;
    uint64_t height;
} sent;

static int sent_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const sent *x = (const sent *)a;
    const sent *y = (const sent *)b;
    if (x->height != y->height) {
        return x->height < y->height ? -1 : 1;
    }
    return tl_str_cmp(x->text, y->text);
}

void engine_world_epoch_id(char out[TL_EPOCH_ID_CAP], size_t epoch)
{
    tl_epoch_id_weekly(out, tl_day_from_ymd(2024, 1, 8) + (tl_day)(7 * epoch));
}

uint64_t engine_world_close(size_t epoch)
{
    return ENGINE_WORLD_BLOCKS * (uint64_t)(epoch + 1) - 2000;
}

static tl_err make_parameters(engine_world *w, tl_errctx *ctx)
{
    const tl_json *given = NULL;
    TL_TRY(tl_json_parse(&given, w->arena, w->random.params, NULL, ctx));
    tl_sb sb;
    tl_sb_init(&sb, w->arena);
    tl_json_writer writer;
    tl_json_writer_init(&writer, &sb, 0, true);
    TL_TRY(tl_road_params_put(&writer, &tl_subnet_portfolio, given, NULL, w->arena, ctx));
    return tl_sb_finish(&w->parameters, &sb, ctx);
}

tl_err engine_world_make(engine_world *out, tl_arena *arena, uint64_t seed,
                         const random_world_options *options, tl_errctx *ctx)
{
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed);
    *out = (engine_world){.arena = arena, .miners = options->miners, .epochs = options->epochs};
    random_world_make(&out->random, arena, &rng, options);
    TL_TRY(tl_price_table_read(&out->table, arena, out->random.prices, ctx));
    TL_TRY(make_parameters(out, ctx));
    char id[TL_EPOCH_ID_CAP];
    engine_world_epoch_id(id, 0);
    return tl_epoch_span_parse(&out->first, tl_str_from_cstr(id), ctx);
}

tl_err engine_world_begin(tl_engine *engine, const engine_world *world, size_t epoch,
                          tl_errctx *ctx)
{
    char id[TL_EPOCH_ID_CAP];
    engine_world_epoch_id(id, epoch);
    return tl_engine_begin(engine, tl_str_from_cstr(id), world->parameters,
                           ENGINE_WORLD_BLOCKS * (uint64_t)epoch, ctx);
}

tl_err engine_world_lines(const tl_str **out, const engine_world *world, size_t epoch,
                          tl_errctx *ctx)
{
    sent *all = TL_NEW(world->arena, sent, world->miners);
    tl_str *texts = TL_NEW(world->arena, tl_str, world->miners);
    if (all == NULL || texts == NULL) {
        return tl_arena_fail(world->arena, ctx);
    }
    for (size_t i = 0; i < world->miners; i++) {
        const tl_json *tree = NULL;
        all[i].text = world->random.lines[epoch * world->miners + i];
        TL_TRY(tl_json_parse(&tree, world->arena, all[i].text, NULL, ctx));
        TL_TRY(tl_json_want_u64(&all[i].height, tree, "commit_height", ctx));
    }
    TL_TRY(tl_sort(all, world->miners, sizeof *all, sent_cmp, NULL, world->arena, ctx));
    for (size_t i = 0; i < world->miners; i++) {
        texts[i] = all[i].text;
    }
    *out = texts;
    return TL_OK;
}

tl_err engine_world_settle(tl_assembled *out, tl_engine *engine, const engine_world *world,
                           size_t epoch, uint64_t height, size_t blind, tl_errctx *ctx)
{
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    for (size_t v = 0; v < blind; v++) {
        views[v].has_feed = false;
    }
    const tl_price_table *tables[1] = {&world->table};
    char id[TL_EPOCH_ID_CAP];
    engine_world_epoch_id(id, epoch);
    const tl_str epoch_id = tl_str_from_cstr(id);
    tl_epoch_span span = {0, 0};
    size_t from = 0;
    size_t to = 0;
    tl_str evidence = {NULL, 0};
    TL_TRY(tl_epoch_span_parse(&span, epoch_id, ctx));
    TL_TRY(tl_assemble_rows(&from, &to, &world->table, world->first.first, span, epoch_id, ctx));
    TL_TRY(tl_assemble_evidence(&evidence, world->arena, tables, 1, from, to, views,
                                TL_ASSEMBLE_VALIDATORS, ctx));
    return tl_engine_settle(engine, out, world->arena, epoch_id, height, views,
                            TL_ASSEMBLE_VALIDATORS, evidence, (tl_str){NULL, 0}, ctx);
}
