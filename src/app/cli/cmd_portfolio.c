/* tally portfolio run and score: the road and the scoring, on files. */
#include "app/assemble/assemble.h"
#include "app/cli/cli.h"
#include "base/decimal/decimal.h"
#include "core/codec/csv/csv.h"
#include "core/subnet/portfolio/portfolio.h"
#include "io/sys/sys.h"

/* --- portfolio run --- */

static tl_err read_file(tl_str *out, tl_app *app, const char *path, tl_errctx *ctx)
{
    return tl_sys_read_text(out, app->arena, path, TL_SYS_FILE_LEN_MAX, ctx);
}

/* The bundle in the folder that was asked for, or nowhere. */
static tl_err write_bundle(const char **path, tl_app *app, const char *folder,
                           const tl_assembled *epoch, tl_errctx *ctx)
{
    *path = NULL;
    if (folder == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_sys_make_dir(folder, TL_SYS_DIR_MODE, ctx));
    tl_sb name;
    tl_sb_init(&name, app->arena);
    tl_sb_printf(&name, "%.*s.bundle", TL_STR_ARG(epoch->result.epoch_id));
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &name, ctx));
    TL_TRY(tl_sys_join(path, app->arena, folder, text.ptr, ctx));
    return tl_sys_write_file(*path, tl_str_bytes(epoch->bundle), 0644, ctx);
}

/* The parts of the results that the command promises, as they stand in the bundle. */
static tl_err put_run_json(tl_sb *sb, tl_app *app, const tl_assembled *epoch, const char *path,
                           tl_errctx *ctx)
{
    const tl_json *results = NULL;
    TL_TRY(tl_json_parse(&results, app->arena, epoch->result.json, NULL, ctx));
    static const char *const rest[] = {"epoch_id", "scoreboard", "settlement", "state",
                                       "validators"};
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "agreement");
    tl_json_put_tree(&w, tl_json_get(results, "agreement"));
    tl_json_put_key(&w, "bundle");
    tl_json_put_cstr(&w, path);
    tl_json_put_key(&w, "digest");
    tl_json_put_hex(&w, epoch->digest.b, sizeof epoch->digest.b);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        tl_json_put_key(&w, rest[i]);
        tl_json_put_tree(&w, tl_json_get(results, rest[i]));
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
    return TL_OK;
}

static void put_run_line(tl_sb *sb, const tl_road_line *line)
{
    if (line->agreed != NULL && line->agreed->rank > 0) {
        tl_sb_printf(sb, "%4u  ", line->agreed->rank);
    } else {
        tl_sb_put_cstr(sb, "   -  ");
    }
    tl_sb_printf(sb, "%-48.*s  ", TL_STR_ARG(tl_str_slice(line->submission->hotkey_text, 0, 48)));
    tl_sb_printf(sb, "%-14s", line->has_outcome ? tl_outcome_name(line->outcome) : "refused");
    tl_sb_printf(sb, "%-6s", line->admission.code != NULL ? line->admission.code : "");
    const uint32_t qs = line->agreed != NULL ? line->agreed->qs_millionths : 0;
    tl_sb_printf(sb, "%u.%06u  ", qs / 1000000, qs % 1000000);
    tl_rao_print(sb, line->payout != NULL ? line->payout->reward : TL_RAO_ZERO);
    tl_sb_put_cstr(sb, "  ");
    tl_rao_print(sb, line->payout != NULL ? line->payout->ante_back : TL_RAO_ZERO);
    tl_sb_put_char(sb, '\n');
}

static void put_run_text(tl_sb *sb, const tl_assembled *epoch, const char *path)
{
    const tl_road_result *r = &epoch->result;
    tl_sb_printf(sb, "epoch %.*s  %s  agreement %s\n", TL_STR_ARG(r->epoch_id),
                 tl_epoch_state_text(r->state), tl_agree_status_name(r->agreement.verdict.status));
    tl_sb_printf(sb, "rank  %-48s  outcome       code  score     reward (TAO)  ante back (TAO)\n",
                 "hotkey");
    for (size_t i = 0; i < r->line_count; i++) {
        put_run_line(sb, &r->lines[i]);
    }
    tl_sb_put_cstr(sb, "in ");
    tl_rao_print(sb, r->settlement.total_in);
    tl_sb_put_cstr(sb, " TAO, out ");
    tl_rao_print(sb, r->settlement.total_out);
    tl_sb_put_cstr(sb, " TAO\n");
    if (path != NULL) {
        tl_sb_printf(sb, "bundle %s\n", path);
    }
}

/* The rooms below say which of the three texts is wrong; people want the file. */
static void name_file(const tl_cmd_call *call, tl_errctx *ctx)
{
    static const char *const options[] = {"prices", "signals", "params"};
    const tl_str message = tl_str_from_cstr(ctx->message);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (tl_str_starts_with(message, tl_str_from_cstr(options[i])) ||
            (i == 2 && tl_str_starts_with(message, TL_STR("parameters")))) {
            tl_errctx_wrap(ctx, "%s", tl_cmd_text(call, options[i]));
            return;
        }
    }
}

static tl_err run_portfolio(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_str prices = {NULL, 0};
    tl_str signals = {NULL, 0};
    tl_str params = {NULL, 0};
    const char *signals_path = tl_cmd_text(call, "signals");
    TL_TRY(read_file(&prices, app, tl_cmd_text(call, "prices"), ctx));
    TL_TRY(read_file(&signals, app, signals_path, ctx));
    if (tl_cmd_is_given(call, "params")) {
        TL_TRY(read_file(&params, app, tl_cmd_text(call, "params"), ctx));
    }
    tl_assembled epoch = {0};
    const tl_err err = tl_assemble_portfolio(&epoch, app->arena, prices, signals, params, ctx);
    if (err != TL_OK) {
        name_file(call, ctx);
        return err;
    }
    const char *path = NULL;
    TL_TRY(write_bundle(&path, app, tl_cmd_text(call, "out"), &epoch, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        TL_TRY(put_run_json(&sb, app, &epoch, path, ctx));
    } else {
        put_run_text(&sb, &epoch, path);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const tl_cmd_option run_options[] = {
    {.name = "prices",
     .type = TL_CMD_FILE,
     .metavar = "CSV",
     .help = "a date column, then daily closes a ticker; may be gzip",
     .is_required = true},
    {.name = "signals",
     .type = TL_CMD_FILE,
     .metavar = "JSONL",
     .help = "one signal a line, as JSON",
     .is_required = true},
    {.name = "params",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "parameters, validators and balances, as JSON"},
    {.name = "out", .type = TL_CMD_DIR, .metavar = "DIR", .help = "write the epoch's bundle there"},
};
static const char *const run_examples[] = {
    "tally portfolio run --prices data/us_stocks_daily_close.csv.gz --signals "
    "tests/e2e/portfolio/signals.jsonl",
    NULL};

const tl_cmd tl_cli_portfolio_run = {
    .name = "portfolio run",
    .summary = "settle the latest epoch among a file of signals",
    .text =
        "Signals of earlier epochs make the records that are scored. No state folder is read or "
        "written. The order of the signals changes nothing, the bundle included.",
    .options = run_options,
    .option_count = sizeof run_options / sizeof run_options[0],
    .examples = run_examples,
    .run = run_portfolio,
};

/* --- portfolio score --- */

static tl_err read_returns(double **out, size_t *count, tl_app *app, tl_str text, tl_errctx *ctx)
{
    tl_csv csv;
    TL_TRY(tl_csv_init(&csv, app->arena, text, NULL, ctx));
    size_t date = 0;
    size_t column = 0;
    TL_TRY(tl_csv_column(&date, &csv, "date", ctx));
    TL_TRY(tl_csv_column(&column, &csv, "return", ctx));
    double *returns = TL_NEW(app->arena, double, text.len / 2 + 1);
    if (returns == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    tl_day before = INT32_MIN;
    for (size_t n = 0;; n++) {
        bool has_row = false;
        TL_TRY(tl_csv_next(&csv, &has_row, ctx));
        if (!has_row) {
            *out = returns;
            *count = n;
            return TL_OK;
        }
        tl_day day = 0;
        tl_err err = tl_day_parse(&day, tl_csv_field(&csv, date), ctx);
        if (err == TL_OK && day <= before) {
            err = tl_fail(ctx, TL_ERR_RANGE, "date %.*s does not follow the one before it",
                          TL_STR_ARG(tl_csv_field(&csv, date)));
        }
        if (err != TL_OK) {
            tl_csv_at(&csv, date, ctx);
            return err;
        }
        before = day;
        TL_TRY(tl_csv_f64(&returns[n], &csv, column, ctx));
    }
}

static void put_score_text(tl_sb *sb, const tl_portfolio_score *s)
{
    tl_sb_printf(sb, "score     %u.%06u  (%s, %u days of record)\n", s->qs_millionths / 1000000,
                 s->qs_millionths % 1000000, tl_portfolio_status_name(s->status), s->days);
    tl_sb_printf(sb, "drawdown  %u.%06u\n", s->max_drawdown_millionths / 1000000,
                 s->max_drawdown_millionths % 1000000);
    for (size_t i = 0; i < s->horizon_count; i++) {
        const tl_horizon *h = &s->horizons[i];
        char text[4][TL_F64_TEXT_CAP];
        (void)tl_f64_print(text[0], h->sharpe);
        (void)tl_f64_print(text[1], h->sortino);
        (void)tl_f64_print(text[2], h->calmar);
        (void)tl_f64_print(text[3], h->composite);
        tl_sb_printf(sb, "%2u days   sharpe %s  sortino %s  calmar %s  composite %s\n", h->days,
                     text[0], text[1], text[2], text[3]);
    }
}

static tl_err run_score(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    const char *path = tl_cmd_text(call, "returns");
    tl_str text = {NULL, 0};
    TL_TRY(read_file(&text, app, path, ctx));
    double *returns = NULL;
    size_t count = 0;
    const tl_err err = read_returns(&returns, &count, app, text, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    const double turnover = tl_cmd_f64(call, "turnover");
    if (!(turnover >= 0.0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "turnover", "is below 0");
    }
    const char *profile = tl_cmd_text(call, "profile");
    const tl_score_options options = {profile[0] == 'P'   ? TL_PROFILE_P
                                      : profile[0] == 'D' ? TL_PROFILE_D
                                                          : TL_PROFILE_A,
                                      false};
    tl_portfolio_score score;
    tl_portfolio_score_record(&score, returns, count, turnover, NULL, 0, &options);
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_object(&w);
        tl_portfolio_put_score(&w, &score);
        tl_json_put_end(&w);
        tl_json_writer_done(&w);
        tl_sb_put_char(&sb, '\n');
    } else {
        put_score_text(&sb, &score);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const profiles[] = {"A", "P", "D", NULL};
static const tl_cmd_option score_options[] = {
    {.name = "returns",
     .type = TL_CMD_FILE,
     .metavar = "CSV",
     .help = "columns date and return, oldest first",
     .is_required = true},
    {.name = "turnover",
     .type = TL_CMD_F64,
     .metavar = "T",
     .fallback = "0",
     .help = "turnover a week"},
    {.name = "profile",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .fallback = "A",
     .help = "weights of the composite",
     .choices = profiles},
};
static const char *const score_examples[] = {
    "tally portfolio score --returns tests/e2e/portfolio/returns.csv", NULL};

const tl_cmd tl_cli_portfolio_score = {
    .name = "portfolio score",
    .summary = "score one record of daily returns",
    .options = score_options,
    .option_count = sizeof score_options / sizeof score_options[0],
    .examples = score_examples,
    .run = run_score,
};
