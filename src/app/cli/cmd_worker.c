/* tally worker: scores shards for the validators that share its database and object store. */
#include <unistd.h>

#include "app/cli/cli.h"
#include "app/cli/stores.h"
#include "app/data/data.h"
#include "app/worker/worker.h"
#include "core/codec/hex/hex.h"

enum { ID_BYTES = 8 };

static tl_err print_ready(tl_app *app, const char *id, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, app->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "ready");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "worker");
    tl_json_put_cstr(&w, id);
    tl_json_put_key(&w, "pid");
    tl_json_put_i64(&w, getpid());
    tl_json_put_end(&w);
    tl_sb_put_char(&sb, '\n');
    return tl_app_print_sb(app, &sb, ctx);
}

static void put_shard(tl_sb *sb, const tl_worker_shard *shard)
{
    tl_json_writer w;
    char name[64];
    (void)tl_str_print(name, sizeof name, "%.*s/%.*s", TL_STR_ARG(shard->epoch_id),
                       TL_STR_ARG(shard->zipcode));
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "shard");
    tl_json_put_cstr(&w, name);
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, shard->epoch_id);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_str(&w, shard->zipcode);
    tl_json_put_key(&w, "attempt");
    tl_json_put_u64(&w, shard->attempt);
    tl_json_put_key(&w, "seconds");
    tl_json_put_f64(&w, (double)shard->elapsed_ns / 1e9);
    tl_json_put_key(&w, "error");
    tl_json_put_cstr(&w, shard->error);
    tl_json_put_end(&w);
}

static tl_err print_shard(void *self, const tl_worker_shard *shard, tl_errctx *ctx)
{
    tl_app *app = self;
    tl_arena *arena = NULL;
    tl_sb sb;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_sb_init(&sb, arena);
    if (app->is_json) {
        put_shard(&sb, shard);
    } else {
        tl_sb_printf(&sb, "%.*s  %.*s  attempt %u  %.3f s  %s", TL_STR_ARG(shard->epoch_id),
                     TL_STR_ARG(shard->zipcode), shard->attempt, (double)shard->elapsed_ns / 1e9,
                     shard->error != NULL ? shard->error : "done");
    }
    tl_sb_put_char(&sb, '\n');
    const tl_err err = tl_app_print_sb(app, &sb, ctx);
    tl_arena_free(arena);
    return err;
}

static tl_err make_id(char out[2 * ID_BYTES + 1], tl_errctx *ctx)
{
    uint8_t bytes[ID_BYTES];
    const tl_entropy entropy = tl_sys_entropy();
    TL_TRY(tl_entropy_fill(&entropy, bytes, sizeof bytes, ctx));
    tl_hex_write(out, bytes, sizeof bytes);
    return TL_OK;
}

static tl_err work(tl_app *app, const tl_cmd_call *call, tl_objects **objects, tl_errctx *ctx)
{
    tl_app_stores stores;
    tl_places places;
    char id[2 * ID_BYTES + 1];
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const uint64_t given = tl_cmd_u64(call, "slots");
    const uint64_t slots = given > 0 ? given : cores > 0 ? (uint64_t)cores : 1;
    if (slots > TL_WORKER_SLOTS_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "slots", "%llu is above %d",
                             (unsigned long long)slots, TL_WORKER_SLOTS_MAX);
    }
    TL_TRY(tl_app_stores_read(app, call, &stores, ctx));
    stores.objects.sign_file = NULL; /* it signs nothing */
    TL_TRY(tl_data_zipcodes(&places, app->arena, NULL, ctx));
    TL_TRY(tl_app_open_objects(objects, &stores, ctx));
    TL_TRY(make_id(id, ctx));
    const tl_worker_options options = {.sql = stores.sql,
                                       .objects = *objects,
                                       .places = &places,
                                       .id = id,
                                       .slots = (unsigned)slots,
                                       .clock = tl_sys_clock(),
                                       .log = &app->log,
                                       .on_shard = print_shard,
                                       .self = app};
    TL_TRY(print_ready(app, id, ctx));
    return tl_worker_run(&options, ctx);
}

static tl_err run_worker(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_objects *objects = NULL;
    const tl_err err = work((tl_app *)self, call, &objects, ctx);
    tl_objects_close(objects);
    return err;
}

static const tl_cmd_option options[] = {
    TL_APP_POSTGRES_OPTION,
    TL_APP_S3_OPTION,
    {.name = "slots",
     .type = TL_CMD_U64,
     .metavar = "N",
     .fallback = "0",
     .help = "shards at a time (0: one a core)"},
};
static const char *const examples[] = {"tally worker run --slots 1", NULL};

const tl_cmd tl_cli_worker_run = {
    .name = "worker run",
    .summary = "score shards of epochs for the validators of one operator",
    .text = "A shard is one zipcode of one epoch. Workers lease shards from the coordinator's "
            "database, read what miners handed in from its object store, and leave the sheets "
            "there; a validator with the same --postgres and --s3 takes them instead of making "
            "them. A line an attempt. Asked to end, a worker gives its leases back; killed, it "
            "loses them when they lapse, and another one does the shard.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .examples = examples,
    .run = run_worker,
};
