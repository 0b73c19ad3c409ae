/* tally market: a made world of houses, to mine from and to check against. */
#include <time.h>
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/listen.h"
#include "app/data/data.h"
#include "app/market/market.h"
#include "base/decimal/decimal.h"

enum { WAIT_NS = 100000000 };

static tl_err print_ready(tl_app *app, const char *host, uint16_t port, uint64_t seed,
                          tl_errctx *ctx)
{
    char url[96];
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, app->arena);
    const bool is_any = tl_str_eq_cstr(tl_str_from_cstr(host), "0.0.0.0");
    (void)tl_str_print(url, sizeof url, "http://%s:%u", is_any ? "127.0.0.1" : host, port);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "url");
    tl_json_put_cstr(&w, url);
    tl_json_put_key(&w, "seed");
    tl_json_put_u64(&w, seed);
    tl_json_put_key(&w, "pid");
    tl_json_put_i64(&w, getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

/* --fail: a share, from 0 to 1. */
static tl_err read_fail(uint32_t *out, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *text = tl_cmd_text(call, "fail");
    double share = 0.0;
    if (text != NULL &&
        (!tl_f64_parse(&share, tl_str_from_cstr(text)) || !(share >= 0.0 && share <= 1.0))) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "fail", "\"%s\" is no share from 0 to 1", text);
    }
    *out = (uint32_t)(share * 1e6 + 0.5);
    return TL_OK;
}

static tl_err run_market(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = (tl_app *)self;
    tl_app_listen listen;
    tl_market_options options = {.loop_count = 1};
    tl_places places;
    tl_market_server *server = NULL;
    TL_TRY(tl_app_listen_parse(&listen, app, tl_cmd_text(call, "listen"), "127.0.0.1", ctx));
    TL_TRY(read_fail(&options.fail_millionths, call, ctx));
    TL_TRY(tl_data_zipcodes(&places, app->arena, tl_cmd_text(call, "zipcodes"), ctx));
    const tl_market market = {tl_cmd_u64(call, "seed"), places.items, places.count};
    options.listen_ip = tl_str_from_cstr(listen.host);
    options.listen_port = listen.port;
    TL_TRY(tl_market_server_start(&server, &market, &options, ctx));
    const tl_err err =
        print_ready(app, listen.host, tl_market_server_port(server), market.seed, ctx);
    while (err == TL_OK && !tl_sys_is_interrupted()) {
        const struct timespec pause = {.tv_nsec = WAIT_NS};
        (void)nanosleep(&pause, NULL);
    }
    tl_market_server_free(server);
    return err;
}

static const tl_cmd_option options[] = {
    {.name = "listen",
     .type = TL_CMD_TEXT,
     .metavar = "HOST:PORT",
     .fallback = "127.0.0.1:8090",
     .help = "where to listen; port 0 takes a free one"},
    {.name = "seed",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "7",
     .help = "which world: the same seed is the same world, at the same time of day"},
    {.name = "zipcodes",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a table of zipcodes (default the one that ships with the program)"},
    {.name = "fail",
     .type = TL_CMD_TEXT,
     .metavar = "RATE",
     .help = "that share of answers fails on purpose: 500, 429 or late (0 to 1)"},
};
static const char *const examples[] = {"tally market serve --seed 7 --listen 127.0.0.1:8090", NULL};

const tl_cmd tl_cli_market_serve = {
    .name = "market serve",
    .summary = "serve a made world of houses for sale",
    .text = "Miners of the listings subnet collect from it, validators check against it. Listings "
            "come, change and go with the time of day, and follow from the seed alone. GET "
            "/v1/listings?zipcode=Z gives pages, /v1/listings/ID one listing, or 404 with "
            "\"gone\" or \"unknown\"; /v1/mirror?zipcode=Z is a second-hand copy, three days old, "
            "with listings in it that never were. The first line tells the URL; it serves until "
            "SIGTERM.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_market,
};
