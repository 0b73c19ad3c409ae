/* tally listings evaluate: detection and false-alarm rates of the rules, measured on anyone's table of houses. */
#include "app/cli/cli.h"
#include "app/data/data.h"
#include "app/evaluate/evaluate.h"

static void put_text_counts(tl_sb *sb, const tl_evaluate_count *count)
{
    for (size_t rule = 0; rule < TL_LISTING_RULE_COUNT; rule++) {
        if (count->by[rule] > 0) {
            tl_sb_printf(sb, "  %s %llu", tl_listing_rule_name((tl_listing_rule)rule),
                         (unsigned long long)count->by[rule]);
        }
    }
    tl_sb_put_char(sb, '\n');
}

static void put_text_line(tl_sb *sb, const char *name, const tl_evaluate_count *count)
{
    const uint64_t rate = count->played == 0 ? 0 : count->accused * 10000 / count->played;
    tl_sb_printf(sb, "%-18s %7llu  %3llu.%02llu %%", name, (unsigned long long)count->played,
                 (unsigned long long)(rate / 100), (unsigned long long)(rate % 100));
    put_text_counts(sb, count);
}

static void put_text(tl_sb *sb, const tl_evaluate_result *r)
{
    tl_sb_printf(sb,
                 "%zu rows, %zu skipped, %zu zipcodes of %d houses and more; %zu rounds, "
                 "%llu submissions of %llu listings, seed %llu\n",
                 r->rows, r->skipped, r->zipcodes, TL_EVALUATE_ZIP_MIN, r->rounds,
                 (unsigned long long)r->submissions, (unsigned long long)r->listings,
                 (unsigned long long)r->seed);
    if (r->places_own > 0) {
        tl_sb_printf(sb,
                     "%zu of the zipcodes lie where the data has them, not the table of zipcodes\n",
                     r->places_own);
    }
    tl_sb_put_cstr(sb, "made up:");
    for (unsigned c = 0; c < TL_EVALUATE_COLUMN_COUNT; c++) {
        if ((r->made_up >> c & 1) != 0) {
            tl_sb_printf(sb, " %s", tl_evaluate_column_key((tl_evaluate_column)c));
        }
    }
    tl_sb_put_cstr(sb, r->made_up == 0 ? " nothing\n\n" : "\n\n");
    tl_sb_put_cstr(sb, "                    played   accused  by\n");
    put_text_line(sb, "honest", &r->honest);
    for (unsigned c = 0; c < TL_EVALUATE_PLAYED_COUNT; c++) {
        put_text_line(sb, tl_evaluate_cheat_key((tl_evaluate_cheat)c), &r->cheats[c]);
    }
}

static void show_progress(void *self, uint64_t done, uint64_t total)
{
    tl_progress *progress = self;
    progress->total = total;
    tl_progress_step(progress, done);
}

static tl_err read_table(tl_evaluate_table *out, tl_app *app, const tl_cmd_call *call,
                         tl_errctx *ctx)
{
    const char *path = tl_cmd_text(call, "data");
    const size_t map_count = tl_cmd_count(call, "map");
    const char **maps = TL_NEW(app->arena, const char *, map_count);
    tl_str text;
    if (maps == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    for (size_t i = 0; i < map_count; i++) {
        maps[i] = tl_cmd_text_at(call, "map", i);
    }
    TL_TRY(tl_sys_read_text(&text, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    const tl_err err = tl_evaluate_table_read(out, app->arena, text, maps, map_count, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
    }
    return err;
}

static tl_err evaluate(tl_evaluate_result *out, tl_app *app, const tl_cmd_call *call,
                       tl_evaluate_table *table, tl_errctx *ctx)
{
    tl_progress progress;
    tl_listings_params params;
    tl_places places = {0};
    tl_pool *pool = NULL;
    const char *zipcodes = tl_cmd_is_given(call, "zipcodes") ? tl_cmd_text(call, "zipcodes") : NULL;
    tl_listings_params_default(&params);
    TL_TRY(tl_data_zipcodes(&places, app->arena, zipcodes, ctx));
    TL_TRY(tl_app_new_pool(app, &pool, 64, ctx));
    tl_progress_start(&progress, "rounds", 1, !app->is_quiet);
    const tl_evaluate_options options = {.seed = tl_cmd_u64(call, "seed"),
                                         .places = &places,
                                         .params = &params,
                                         .pool = pool,
                                         .progress = show_progress,
                                         .self = &progress};
    const tl_err err = tl_evaluate_run(out, app->arena, table, &options, ctx);
    tl_progress_end(&progress);
    tl_pool_free(pool);
    return err;
}

static tl_err run_evaluate(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_evaluate_table table;
    tl_evaluate_result result;
    TL_TRY(read_table(&table, app, call, ctx));
    const tl_err err = evaluate(&result, app, call, &table, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", tl_cmd_text(call, "data"));
        return err;
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_evaluate_put(&w, &result);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        put_text(&sb, &result);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option options[] = {
    {.name = "data",
     .type = TL_CMD_FILE,
     .metavar = "CSV",
     .help = "a table of sales or listings, gzip or not",
     .is_required = true},
    {.name = "map",
     .type = TL_CMD_TEXT,
     .metavar = "FIELD=COLUMN,...",
     .help = "which column is what, where the names do not tell; FIELD= leaves a field out",
     .is_repeatable = true},
    {.name = "seed",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "1",
     .help = "what honest miners and cheats are drawn from"},
    {.name = "zipcodes",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "the table of zipcodes (default: the one that ships)"},
};

static const char *const examples[] = {
    "tally listings evaluate --data tests/e2e/cases/sales.csv",
    "tally listings evaluate --data tests/e2e/cases/homes.csv --map "
    "price=Ask,address=Where,sqft=Interior --json",
    NULL};

const tl_cmd tl_cli_listings_evaluate = {
    .name = "listings evaluate",
    .summary = "measure how well the rules tell cheats from honest miners",
    .text = "Honest submissions and each cheat are made from the table's houses and judged by the "
            "code that "
            "validators run; the table itself answers the spot check. Needed are a price and a "
            "zipcode (a "
            "column, or the end of the address). What else a listing has and the table has not is "
            "made up.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_evaluate,
};
