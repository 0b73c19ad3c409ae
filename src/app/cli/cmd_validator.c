/* tally validator: score what miners handed in, agree with the others, set weights. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/keys.h"
#include "app/cli/stores.h"
#include "app/data/data.h"
#include "app/validator/validator.h"
#include "app/worker/worker.h"

static const char *const subnets[] = {"listings", NULL};
static const char *const profiles[] = {"tally", "compat", NULL};

typedef struct running {
    tl_app *app;
    tl_keypair *key;
    tl_peer peer;
    const char *dir;
    const char *weights_path;
    tl_places places;
    tl_objects *objects; /* where workers lay their documents; NULL: there are none */
    tl_shelf *shelf;
} running;

static tl_err print_ready(const running *r, const char *url, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, r->app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, r->peer.own_ss58);
    tl_json_put_key(&w, "coordinator");
    tl_json_put_cstr(&w, url);
    tl_json_put_key(&w, "pid");
    tl_json_put_i64(&w, getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(r->app, &sb, ctx);
}

/* --- a line an epoch --- */

static void put_root(tl_json_writer *w, const char *key, bool has, const tl_hash32 *root)
{
    tl_json_put_key(w, key);
    if (has) {
        tl_json_put_hex(w, root, sizeof *root);
    } else {
        tl_json_put_null(w);
    }
}

/* Millionths as a decimal number. */
static void put_share(tl_json_writer *w, const char *key, uint32_t millionths)
{
    tl_json_put_key(w, key);
    tl_json_put_f64(w, (double)millionths / 1e6);
}

static void put_weights(tl_json_writer *w, const uint32_t *uids, const uint16_t *weights,
                        size_t count)
{
    tl_json_put_key(w, "uids");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_u64(w, uids[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "weights");
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_u64(w, weights[i]);
    }
    tl_json_put_end(w);
}

static void put_epoch(tl_json_writer *w, const tl_validator_epoch *e)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_str(w, e->epoch_id);
    tl_json_put_key(w, "status");
    tl_json_put_cstr(w, e->status);
    put_share(w, "rate", e->rate_millionths);
    put_root(w, "hash", e->has_hash, &e->roots.hash);
    put_root(w, "evidence_root", e->has_roots, &e->roots.evidence);
    put_root(w, "score_root", e->has_roots, &e->roots.score);
    put_root(w, "weight_root", e->has_roots, &e->roots.weight);
    put_weights(w, e->uids, e->weights, e->weight_count);
    tl_json_put_key(w, "submissions");
    tl_json_put_u64(w, e->submissions);
    tl_json_put_key(w, "listings");
    tl_json_put_u64(w, e->listings);
    put_share(w, "no_evidence_rate", e->no_evidence_millionths);
    tl_json_put_key(w, "outliers");
    tl_json_put_array(w);
    for (size_t i = 0; i < e->outlier_count; i++) {
        tl_json_put_str(w, e->outliers[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "bundle");
    tl_json_put_cstr(w, e->bundle);
    tl_json_put_key(w, "error");
    tl_json_put_cstr(w, e->err != TL_OK ? e->error : NULL);
    tl_json_put_end(w);
}

static tl_err print_epoch(void *self, const tl_validator_epoch *e, tl_errctx *ctx)
{
    const running *r = (const running *)self;
    tl_arena *arena = NULL;
    tl_sb sb;
    tl_json_writer w;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_sb_init(&sb, arena);
    if (r->app->is_json) {
        tl_json_writer_init(&w, &sb, 0, false);
        put_epoch(&w, e);
    } else {
        tl_sb_printf(&sb, "%.*s  %-18s  %zu submissions  %llu listings  %zu weights  %s",
                     TL_STR_ARG(e->epoch_id), e->status, e->submissions,
                     (unsigned long long)e->listings, e->weight_count, e->error);
    }
    tl_sb_put_char(&sb, '\n');
    const tl_err err = tl_app_print_sb(r->app, &sb, ctx);
    tl_arena_free(arena);
    return err;
}

/* --- weights --- */

static tl_err append_weights(void *self, tl_str epoch_id, uint32_t netuid, const uint32_t *uids,
                             const uint16_t *weights, size_t count, tl_errctx *ctx)
{
    const running *r = (const running *)self;
    tl_sb sb;
    tl_json_writer w;
    tl_str line = {NULL, 0};
    tl_sb_init(&sb, r->app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, epoch_id);
    tl_json_put_key(&w, "netuid");
    tl_json_put_u64(&w, netuid);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, r->peer.own_ss58);
    put_weights(&w, uids, weights, count);
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    TL_TRY(tl_sb_finish(&line, &sb, ctx));
    const int fd = open(r->weights_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return tl_fail_field(ctx, TL_ERR_IO, "weights-out", "cannot open \"%s\"", r->weights_path);
    }
    tl_err err = tl_sys_write_all(fd, tl_str_bytes(line), r->weights_path, ctx);
    if (fsync(fd) != 0 && err == TL_OK && errno != EINVAL && errno != EROFS) {
        err = tl_fail_field(ctx, TL_ERR_IO, "weights-out", "cannot sync \"%s\"", r->weights_path);
    }
    (void)close(fd);
    return err;
}

/* --- the command --- */

static tl_err open_all(running *r, const tl_cmd_call *call, const char *url, tl_errctx *ctx)
{
    const char *receiver = tl_cmd_text(call, "receiver");
    const char *profile = tl_cmd_text(call, "profile");
    TL_TRY(tl_app_keypair(r->app, call, &r->key, ctx));
    TL_TRY(tl_app_state_dir(r->app, &r->dir, ctx));
    TL_TRY(tl_sys_make_dir(r->dir, TL_SYS_DIR_MODE, ctx));
    const tl_peer_options peer = {.url = tl_str_from_cstr(url),
                                  .receiver = receiver != NULL ? tl_str_from_cstr(receiver)
                                                               : (tl_str){NULL, 0},
                                  .keypair = r->key,
                                  .dir = r->dir,
                                  .clock = tl_sys_clock(),
                                  .entropy = tl_sys_entropy()};
    TL_TRY(tl_peer_open(&r->peer, &peer, ctx));
    if (profile != NULL &&
        r->peer.is_compat != tl_str_eq_cstr(tl_str_from_cstr(profile), "compat")) {
        return tl_fail_field(ctx, TL_ERR_REFUSED, "profile", "the coordinator runs %s",
                             r->peer.is_compat ? "compat" : "tally");
    }
    return TL_OK;
}

/* An operator with workers names the stores that they share; without, everything is done here. */
static tl_err open_shelf(running *r, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app_stores stores;
    TL_TRY(tl_app_stores_read(r->app, call, &stores, ctx));
    if (stores.sql.url == NULL || stores.objects.s3_url == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_app_open_objects(&r->objects, &stores, ctx));
    return tl_shelf_open(&r->shelf, &stores.sql, r->objects, tl_sys_clock(), ctx);
}

static tl_err validate(running *r, const tl_cmd_call *call, const char *url, tl_errctx *ctx)
{
    bool all_agreed = false;
    tl_source *probe = NULL;
    TL_TRY(open_all(r, call, url, ctx));
    TL_TRY(tl_data_zipcodes(&r->places, r->app->arena, NULL, ctx));
    TL_TRY(open_shelf(r, call, ctx));
    const tl_source_options source = {.spec = tl_cmd_text(call, "source"),
                                      .per_s = 2000,
                                      .flight_max = 16,
                                      .clock = tl_sys_clock(),
                                      .entropy = tl_sys_entropy()};
    TL_TRY(
        tl_source_open(&probe, &source, ctx)); /* what is wrong with it is told before the wait */
    tl_source_close(probe);
    TL_TRY(print_ready(r, url, ctx));
    r->weights_path = tl_cmd_text(call, "weights-out");
    const tl_validator_options options = {
        .peer = &r->peer,
        .url = url,
        .source = &source,
        .dir = r->dir,
        .epochs_max = tl_cmd_u64(call, "epochs"),
        .entropy = tl_sys_entropy(),
        .log = &r->app->log,
        .places = &r->places,
        .shelf = {r->shelf, r->shelf != NULL ? tl_shelf_take : NULL},
        .weights = {r, r->weights_path != NULL ? append_weights : NULL},
        .on_epoch = print_epoch,
        .self = r};
    const tl_err err = tl_validator_run(&all_agreed, &options, ctx);
    if (err == TL_ERR_INTERRUPTED && options.epochs_max == 0) {
        return TL_OK; /* for ever ends like this */
    }
    TL_TRY(err);
    if (!all_agreed) {
        r->app->exit_code = 6;
    }
    return TL_OK;
}

static tl_err run_validator(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    running r = {.app = (tl_app *)self};
    const char *url = tl_cmd_text(call, "coordinator");
    const tl_err err =
        url != NULL && tl_cmd_text(call, "source") != NULL
            ? validate(&r, call, url, ctx)
            : tl_fail_field(ctx, TL_ERR_USAGE, url == NULL ? "coordinator" : "source",
                            "--%s is missing", url == NULL ? "coordinator" : "source");
    tl_peer_close(&r.peer);
    tl_shelf_close(r.shelf);
    tl_objects_close(r.objects);
    tl_keypair_free(r.key);
    return err;
}

static const tl_cmd_option options[] = {
    TL_APP_KEY_OPTIONS,
    {.name = "postgres",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help =
         "with --s3: take finished shards from the workers of that database (tally worker run)"},
    {.name = "s3",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help = "http://HOST:PORT/BUCKET where the workers lay them"},
    {.name = "subnet",
     .type = TL_CMD_CHOICE,
     .metavar = "NAME",
     .choices = subnets,
     .fallback = "listings",
     .help = "which subnet"},
    {.name = "coordinator",
     .type = TL_CMD_TEXT,
     .metavar = "URL",
     .help = "the subnet's coordinator"},
    {.name = "receiver",
     .type = TL_CMD_TEXT,
     .metavar = "SS58",
     .help = "its hotkey (default: learned the first time, then pinned in the state folder)"},
    {.name = "source",
     .type = TL_CMD_TEXT,
     .metavar = "SOURCE",
     .help = "what listings are checked against: the URL of a market, file:PATH or exec:PROGRAM"},
    {.name = "epochs",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "0",
     .help = "so many epochs, from the one that runs now (0: for ever)"},
    {.name = "weights-out",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "append a line of JSON for each setting of weights"},
    {.name = "profile",
     .type = TL_CMD_CHOICE,
     .metavar = "P",
     .choices = profiles,
     .help = "refuse a coordinator of another profile"},
};
static const char *const examples[] = {
    "tally validator run --subnet listings --coordinator http://127.0.0.1:8080 --source "
    "http://127.0.0.1:8090 --uri //Validator",
    NULL};

const tl_cmd tl_cli_validator_run = {
    .name = "validator run",
    .summary = "validate a subnet: score, agree with the others, set weights",
    .text = "Waits for the end of the epoch, fetches what miners handed in, judges each zipcode in "
            "three tiers, asks the source about a sample that nobody could foresee, exchanges the "
            "evidence, commits to a result before it sees another's, and compares: a line an "
            "epoch. DIR/bundles holds each epoch in a file that tally epoch verify runs again. "
            "Exit code 0 when each epoch ended in an agreement, 6 when one did not.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_validator,
};
