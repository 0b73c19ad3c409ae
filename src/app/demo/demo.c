/* demo.c: the run: read tl_demo_run() first. Every call of the engine may be made again, so a run that was killed is
 * simply begun anew: what is settled already comes back from its bundle. */
#include "app/demo/demo.h"
#include "app/engine/engine.h"
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

#define MARKER          "demo.json"
#define MARKER_LEN_MAX  4096
#define FUND_TAO        50 /* of each miner, an epoch: no ante is larger */
#define FLAGS_A_MINER   TL_RULE_COUNT
#define SETTLE_ROUNDS   2 /* an extended epoch is settled again, and then it is over */
#define BUNDLE_LEN_MAX  ((size_t)1 << 29)
#define EPOCH_ARENA_MAX ((size_t)2 << 30)

/* What a run knows. */
typedef struct run {
    tl_arena *arena; /* of the report */
    const tl_demo_options *options;
    const tl_demo_watch *watch;
    tl_demo_world *world;
    tl_engine *engine;
    tl_str parameters; /* canonical */
    tl_road_params params;
    tl_str stakes;
    tl_str records; /* carried into the next epoch */
    tl_demo_chapter *chapters;
    tl_demo_flag *flags;
    size_t flag_count;
    tl_demo_standing *standings;
    size_t verified_count;
    uint64_t done; /* steps */
    uint64_t total;
    tl_arena *step; /* of the current epoch */
} run;

/* A place where nothing is half done: tell how far it is, and stop if asked to. */
static tl_err breathe(run *r, uint64_t steps, tl_errctx *ctx)
{
    r->done += steps;
    if (r->watch != NULL && r->watch->step != NULL) {
        r->watch->step(r->watch->self, r->done, r->total);
    }
    return tl_sys_check_interrupt(ctx);
}

/* --- the folder --- */

static void hash_u64(tl_sha256_state *state, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    tl_sha256_update(state, bytes, sizeof bytes);
}

static tl_hash32 table_digest(const tl_price_table *t)
{
    tl_sha256_state state;
    tl_sha256_init(&state);
    hash_u64(&state, t->day_count);
    hash_u64(&state, t->ticker_count);
    for (size_t i = 0; i < t->ticker_count; i++) {
        hash_u64(&state, t->tickers[i].len);
        tl_sha256_update(&state, t->tickers[i].ptr, t->tickers[i].len);
    }
    for (size_t i = 0; i < t->day_count; i++) {
        hash_u64(&state, (uint64_t)(int64_t)t->days[i]);
    }
    for (size_t i = 0; i < t->day_count * t->ticker_count; i++) {
        hash_u64(&state, t->price[i].digits);
        hash_u64(&state, (uint64_t)(int64_t)t->price[i].exponent);
    }
    tl_hash32 hash;
    tl_sha256_final(&state, &hash);
    return hash;
}

static tl_err put_marker(tl_str *out, const run *r, tl_errctx *ctx)
{
    const tl_hash32 prices = table_digest(r->world->table);
    tl_sb sb;
    tl_sb_init(&sb, r->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epochs");
    tl_json_put_u64(&w, r->options->epochs);
    tl_json_put_key(&w, "format");
    tl_json_put_cstr(&w, "tally-demo/1");
    tl_json_put_key(&w, "prices");
    tl_json_put_hex(&w, prices.b, sizeof prices.b);
    tl_json_put_key(&w, "seed");
    tl_json_put_u64(&w, r->options->seed);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_sb_finish(out, &sb, ctx);
}

/* The marker is written before anything else, so a folder with other things in it and no marker is somebody's own. */
static tl_err claim_folder(run *r, tl_errctx *ctx)
{
    const char *dir = r->options->dir;
    const char *path = NULL;
    tl_str marker = {NULL, 0};
    TL_TRY(put_marker(&marker, r, ctx));
    TL_TRY(tl_sys_make_dir(dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(tl_sys_join(&path, r->arena, dir, MARKER, ctx));
    tl_str found = {NULL, 0};
    if (tl_sys_exists(path)) {
        TL_TRY(tl_sys_read_file(&found, r->arena, path, MARKER_LEN_MAX, ctx));
        if (tl_str_eq(found, marker)) {
            return TL_OK;
        }
        const tl_err err = tl_fail_field(ctx, TL_ERR_REFUSED, "dir", /* DEMO-3 */
                                         "\"%s\" belongs to a demo with other arguments", dir);
        tl_errctx_hint(ctx, "use another folder, or the same --seed, --epochs and prices");
        return err;
    }
    const char *const *names = NULL;
    size_t count = 0;
    TL_TRY(tl_sys_list_dir(&names, &count, r->arena, dir, ctx));
    for (size_t i = 0; i < count; i++) {
        if (tl_str_starts_with(tl_str_from_cstr(names[i]), TL_STR(MARKER))) {
            continue; /* a marker that was not finished */
        }
        const tl_err err = tl_fail_field(ctx, TL_ERR_REFUSED, "dir",
                                         "\"%s\" is not empty and no demo made it", dir);
        tl_errctx_hint(ctx, "give an empty folder, or none for a fresh one");
        return err;
    }
    return tl_sys_write_file(path, tl_str_bytes(marker), 0644, ctx);
}

/* --- preparation --- */

static tl_err prepare_parameters(run *r, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, r->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    TL_TRY(tl_road_params_put(&w, &tl_subnet_portfolio, NULL, NULL, r->arena, ctx));
    TL_TRY(tl_sb_finish(&r->parameters, &sb, ctx));
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, r->arena, r->parameters, NULL, ctx));
    return tl_road_params_read(&r->params, &tl_subnet_portfolio, tree, ctx);
}

static tl_err seed_engine(run *r, tl_errctx *ctx)
{
    const size_t count = r->world->miner_count;
    tl_engine_fund *funds = TL_NEW(r->arena, tl_engine_fund, count);
    if (funds == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        funds[i] = (tl_engine_fund){
            r->world->miners[i].hotkey,
            tl_rao_from_i64(FUND_TAO * (int64_t)r->options->epochs * TL_RAO_PER_TAO)};
    }
    TL_TRY(tl_demo_records(&r->records, r->arena, r->world, ctx));
    return tl_engine_seed(r->engine, r->records, funds, count, ctx);
}

static tl_err prepare(run *r, const tl_price_table *table, tl_errctx *ctx)
{
    TL_TRY(
        tl_demo_world_new(&r->world, r->arena, table, r->options->seed, r->options->epochs, ctx));
    r->total = (uint64_t)r->options->epochs * 4 + 1;
    r->chapters = TL_NEW(r->arena, tl_demo_chapter, r->options->epochs);
    r->standings = TL_NEW(r->arena, tl_demo_standing, r->world->miner_count);
    r->flags = TL_NEW(r->arena, tl_demo_flag,
                      r->options->epochs * (r->world->miner_count * FLAGS_A_MINER +
                                            TL_ASSEMBLE_VALIDATORS * TL_ASSEMBLE_VALIDATORS));
    if (r->chapters == NULL || r->standings == NULL || r->flags == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < r->world->miner_count; i++) {
        r->standings[i].miner = &r->world->miners[i];
    }
    TL_TRY(prepare_parameters(r, ctx));
    TL_TRY(tl_demo_stakes(&r->stakes, r->arena, r->world, ctx));
    return claim_folder(r, ctx);
}

/* --- one epoch --- */

/* All signals of the epoch, in the order in which they arrive; accepted: those that were taken. */
static tl_err submit_all(run *r, const tl_demo_epoch *epoch, tl_str *accepted, size_t *count,
                         tl_errctx *ctx)
{
    for (size_t i = 0; i < epoch->signal_count; i++) {
        tl_errctx why = TL_ERRCTX_INIT;
        tl_engine_receipt receipt = {0};
        const tl_err err =
            tl_engine_submit(r->engine, &receipt, r->step, epoch->signals[i].json, &why);
        const bool is_unreadable = err != TL_OK && tl_err_exit(err) == tl_err_exit(TL_ERR_SYNTAX);
        if (err != TL_OK && !is_unreadable) {
            if (ctx != NULL) {
                *ctx = why;
            }
            return err;
        }
        if (err == TL_OK && receipt.is_accepted) {
            accepted[(*count)++] = epoch->signals[i].json;
        }
        TL_TRY(tl_sys_check_interrupt(ctx));
    }
    return TL_OK;
}

static tl_err play_epoch(run *r, tl_assembled *out, const tl_demo_epoch *epoch, uint32_t index,
                         tl_errctx *ctx)
{
    if (tl_engine_is_settled(r->engine, epoch->id)) {
        return tl_engine_settle(r->engine, out, r->step, epoch->id, epoch->settle_height, NULL, 0,
                                (tl_str){NULL, 0}, (tl_str){NULL, 0}, ctx);
    }
    TL_TRY(tl_engine_begin(r->engine, epoch->id, r->parameters, epoch->open_height, ctx));
    tl_str *accepted = TL_NEW(r->step, tl_str, epoch->signal_count);
    if (accepted == NULL) {
        return tl_arena_fail(r->step, ctx);
    }
    size_t count = 0;
    TL_TRY(submit_all(r, epoch, accepted, &count, ctx));
    TL_TRY(breathe(r, 1, ctx));
    tl_demo_sight sight;
    TL_TRY(tl_demo_look(&sight, r->step, r->world, index, epoch, accepted, count, r->records,
                        &r->params, ctx));
    TL_TRY(breathe(r, 1, ctx));
    for (uint64_t round = 0; round < SETTLE_ROUNDS; round++) {
        TL_TRY(tl_engine_settle(r->engine, out, r->step, epoch->id, epoch->settle_height + round,
                                sight.views, TL_ASSEMBLE_VALIDATORS, sight.evidence, r->stakes,
                                ctx));
        if (out->result.state != TL_EPOCH_EXTENDED) {
            return TL_OK;
        }
    }
    return tl_fail(ctx, TL_ERR_INTERNAL, "epoch %.*s does not end", TL_STR_ARG(epoch->id));
}

/* DEMO-2: from its file, with nothing of what is known here. */
static tl_err verify_bundle(run *r, tl_demo_chapter *chapter, tl_errctx *ctx)
{
    static const tl_subnet *const subnets[] = {&tl_subnet_portfolio};
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, r->step, EPOCH_ARENA_MAX, NULL, ctx));
    tl_str bytes = {NULL, 0};
    tl_bundle bundle = {0};
    tl_bundle_report report = {0};
    tl_err err = tl_sys_read_file(&bytes, scratch, chapter->bundle, BUNDLE_LEN_MAX, ctx);
    err = err != TL_OK ? err : tl_bundle_read(&bundle, scratch, bytes, ctx);
    err = err != TL_OK ? err : tl_bundle_verify(&report, scratch, &bundle, subnets, 1, ctx);
    chapter->is_verified =
        err == TL_OK && report.is_ok && tl_hash32_cmp(&report.digest, &chapter->digest) == 0;
    r->verified_count += chapter->is_verified ? 1U : 0U;
    tl_arena_free(scratch);
    return err;
}

/* --- keeping what the end tells --- */

static tl_err add_flag(run *r, tl_str epoch_id, const tl_hotkey *hotkey, const char *rule,
                       const tl_flag *spoken, tl_errctx *ctx)
{
    tl_str reason = {NULL, 0};
    tl_str evidence = {NULL, 0};
    TL_TRY(tl__demo_reason(&reason, &evidence, r->step, r->world, rule, spoken, ctx));
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, hotkey, TL_SS58_PREFIX_GENERIC);
    tl_demo_flag *flag = &r->flags[r->flag_count++];
    flag->epoch_id = epoch_id;
    flag->name = tl__demo_name(r->world, hotkey);
    flag->rule = rule;
    flag->factor = spoken->factor;
    TL_TRY(tl_str_copy(&flag->hotkey, r->arena, tl_str_from_cstr(address), ctx));
    TL_TRY(tl_str_copy(&flag->evidence, r->arena, evidence, ctx));
    return tl_str_copy(&flag->reason, r->arena, reason, ctx);
}

/* Pairs of validators that are alike and apart from what was agreed: each of the two is named. */
static tl_err keep_collusion(run *r, const tl_road_result *result, tl_str epoch_id, tl_errctx *ctx)
{
    const tl_collusion_report *collusion = &result->agreement.collusion;
    for (size_t i = 0; i < collusion->pair_count; i++) {
        const tl_collusion_pair *pair = &collusion->pairs[i];
        if (!pair->stands_apart) {
            continue;
        }
        const tl_hotkey *both[2] = {&result->validators[pair->first].hotkey,
                                    &result->validators[pair->second].hotkey};
        for (size_t k = 0; k < 2; k++) {
            const tl_flag flag = {.factor = 1.0,
                                  .has_peer = true,
                                  .peer = *both[1 - k],
                                  .has_value = true,
                                  .value = pair->rho,
                                  .has_limit = true,
                                  .limit = TL_COLLUSION_RHO_LIMIT};
            TL_TRY(add_flag(r, epoch_id, both[k], "collusion", &flag, ctx));
        }
    }
    return TL_OK;
}

/* What costs most comes first; otherwise as on the scoreboard. */
static int cost_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const double x = ((const tl_demo_flag *)a)->factor;
    const double y = ((const tl_demo_flag *)b)->factor;
    return (x > y) - (x < y);
}

static tl_err keep_flags(run *r, const tl_road_result *result, tl_str epoch_id, tl_errctx *ctx)
{
    const size_t before = r->flag_count;
    for (size_t i = 0; i < result->line_count; i++) {
        const tl_road_line *line = &result->lines[i];
        for (size_t k = 0; line->score != NULL && k < line->score->flag_count; k++) {
            const tl_flag *flag = &line->score->flags[k];
            TL_TRY(add_flag(r, epoch_id, &line->submission->hotkey,
                            tl_portfolio_rule_name((tl_portfolio_rule)flag->rule), flag, ctx));
        }
    }
    TL_TRY(keep_collusion(r, result, epoch_id, ctx));
    return tl_sort(r->flags + before, r->flag_count - before, sizeof *r->flags, cost_cmp, NULL,
                   r->step, ctx);
}

static tl_demo_standing *standing_of(run *r, const tl_hotkey *hotkey)
{
    for (size_t i = 0; i < r->world->miner_count; i++) {
        if (tl_hotkey_eq(&r->world->miners[i].hotkey, hotkey)) {
            return &r->standings[i];
        }
    }
    return NULL;
}

static tl_err keep_standings(run *r, const tl_road_result *result, tl_errctx *ctx)
{
    for (size_t i = 0; i < result->line_count; i++) {
        const tl_road_line *line = &result->lines[i];
        tl_demo_standing *s = standing_of(r, &line->submission->hotkey);
        if (s == NULL || line->payout == NULL) {
            continue;
        }
        tl_rao lost = TL_RAO_ZERO;
        TL_TRY(tl_rao_add(&s->reward, s->reward, line->payout->reward, ctx));
        TL_TRY(tl_rao_sub(&lost, line->submission->ante, line->payout->ante_back, ctx));
        TL_TRY(tl_rao_add(&s->ante_lost, s->ante_lost, lost, ctx));
        if (line->payout->rank > 0) {
            s->ranked++;
            s->qs_millionths += line->agreed->qs_millionths;
        }
    }
    return TL_OK;
}

static tl_err keep_chapter(run *r, tl_demo_chapter *chapter, const tl_assembled *settled,
                           tl_str epoch_id, tl_errctx *ctx)
{
    const tl_road_result *result = &settled->result;
    const tl_verdict *v = &result->agreement.verdict;
    const int64_t whole = tl_rao_to_i64(v->stake_total);
    *chapter = (tl_demo_chapter){.epoch_id = epoch_id,
                                 .status = tl_agree_status_name(v->status),
                                 .outlier_count = v->outlier_count,
                                 .digest = settled->digest};
    chapter->rate = whole > 0 ? (double)tl_rao_to_i64(v->stake_on_top) / (double)whole : 0.0;
    tl_str *outliers = TL_NEW(r->arena, tl_str, v->outlier_count);
    if (outliers == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < v->outlier_count; i++) {
        char address[TL_SS58_CAP];
        (void)tl_ss58_encode(address, &result->validators[v->outliers[i]].hotkey,
                             TL_SS58_PREFIX_GENERIC);
        TL_TRY(tl_str_copy(&outliers[i], r->arena, tl_str_from_cstr(address), ctx));
    }
    chapter->outliers = outliers;
    return tl_engine_bundle_path(&chapter->bundle, r->arena, r->engine, epoch_id, ctx);
}

static tl_err keep_records(run *r, const tl_road_result *result, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, r->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_carry_put(&w, &tl_subnet_portfolio, &result->carry);
    tl_json_writer_done(&w);
    return tl_sb_finish(&r->records, &sb, ctx);
}

static tl_err live_epoch(run *r, uint32_t index, tl_errctx *ctx)
{
    tl_demo_epoch epoch = {0};
    tl_assembled settled = {0};
    tl_demo_chapter *chapter = &r->chapters[index];
    const size_t flags_before = r->flag_count;
    TL_TRY(tl_demo_epoch_at(&epoch, r->step, r->world, index, &r->params, ctx));
    TL_TRY(play_epoch(r, &settled, &epoch, index, ctx));
    tl_str id = {NULL, 0};
    TL_TRY(tl_str_copy(&id, r->arena, epoch.id, ctx));
    TL_TRY(keep_chapter(r, chapter, &settled, id, ctx));
    TL_TRY(keep_flags(r, &settled.result, id, ctx));
    TL_TRY(keep_standings(r, &settled.result, ctx));
    TL_TRY(keep_records(r, &settled.result, ctx));
    r->done = (uint64_t)index * 4 + 3;
    TL_TRY(breathe(r, 0, ctx));
    TL_TRY(verify_bundle(r, chapter, ctx));
    if (r->watch != NULL && r->watch->epoch != NULL) {
        tl_str text = {NULL, 0};
        TL_TRY(tl__demo_epoch_text(&text, r->step, r->world, index, &epoch, &settled,
                                   r->flags + flags_before, r->flag_count - flags_before, ctx));
        TL_TRY(r->watch->epoch(r->watch->self, text, ctx));
    }
    return breathe(r, 1, ctx);
}

static tl_err live_epochs(run *r, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < r->options->epochs; i++) {
        TL_TRY(tl_arena_new(&r->step, r->arena, EPOCH_ARENA_MAX, NULL, ctx));
        const tl_err err = live_epoch(r, i, ctx);
        tl_arena_free(r->step);
        r->step = NULL;
        if (err != TL_OK) {
            return err;
        }
    }
    return TL_OK;
}

/* --- the end --- */

static int standing_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_demo_standing *x = (const tl_demo_standing *)a;
    const tl_demo_standing *y = (const tl_demo_standing *)b;
    int order = tl_rao_cmp(y->reward, x->reward);
    order = order != 0 ? order : tl_rao_cmp(x->ante_lost, y->ante_lost);
    if (order == 0) { /* means, compared by their products */
        const uint64_t left = x->qs_millionths * (y->ranked > 0 ? y->ranked : 1);
        const uint64_t right = y->qs_millionths * (x->ranked > 0 ? x->ranked : 1);
        order = (left < right) - (left > right);
    }
    return order != 0 ? order : tl_hotkey_cmp(&x->miner->hotkey, &y->miner->hotkey);
}

static tl_err conclude(tl_demo_report *out, run *r, tl_errctx *ctx)
{
    TL_TRY(tl_sort(r->standings, r->world->miner_count, sizeof *r->standings, standing_cmp, NULL,
                   r->arena, ctx));
    tl_ledger_report ledger = {0};
    TL_TRY(tl_ledger_verify(&ledger, tl_engine_borrow_ledger(r->engine), r->arena, ctx));
    tl_sha256_state state;
    tl_sha256_init(&state);
    for (uint32_t i = 0; i < r->options->epochs; i++) {
        tl_sha256_update(&state, r->chapters[i].digest.b, sizeof r->chapters[i].digest.b);
    }
    tl_sha256_update(&state, ledger.head.b, sizeof ledger.head.b);
    *out = (tl_demo_report){.dir = r->options->dir,
                            .chapters = r->chapters,
                            .chapter_count = r->options->epochs,
                            .verified_count = r->verified_count,
                            .flags = r->flags,
                            .flag_count = r->flag_count,
                            .standings = r->standings,
                            .standing_count = r->world->miner_count,
                            .is_balanced = ledger.is_balanced,
                            .entry_count = ledger.entry_count,
                            .issuance = ledger.issuance,
                            .head = ledger.head};
    tl_sha256_final(&state, &out->digest); /* DEMO-1 */
    return breathe(r, 1, ctx);
}

tl_err tl_demo_run(tl_demo_report *out, tl_arena *arena, const tl_price_table *table,
                   const tl_demo_options *options, const tl_demo_watch *watch, tl_errctx *ctx)
{
    run r = {.arena = arena, .options = options, .watch = watch};
    TL_TRY(prepare(&r, table, ctx));
    TL_TRY(tl_engine_open(&r.engine, arena, options->dir, true, ctx));
    tl_err err = seed_engine(&r, ctx);
    err = err != TL_OK ? err : live_epochs(&r, ctx);
    err = err != TL_OK ? err : conclude(out, &r, ctx);
    const tl_err closed = tl_engine_close(r.engine, err != TL_OK ? NULL : ctx);
    return err != TL_OK ? err : closed;
}
