/* The server: settings, routes, its life. */
#include "sdk/axon/axon.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/api/api_internal.h"

/* What was attached: our callbacks find the program's in it. */
typedef struct attached {
    tally_handler handler;
    tally_gate gate;
    void *self;
} attached;

struct tally_axon {
    tl_arena *arena;
    tl_axon *axon;
};

static tl_err forward(void *self, tl_axon_call *call, tl_errctx *ctx)
{
    const attached *const route = (const attached *)self;
    tally_error error;
    memset(&error, 0, sizeof error);
    const int code = route->handler(route->self, (tally_call *)(void *)call, &error);
    if (code == 0) {
        return TL_OK;
    }
    tl__api_ctx(ctx, code, &error);
    return ctx->code;
}

static bool gate(void *self, const tl_axon_call *call, char *reason, size_t cap)
{
    const attached *const route = (const attached *)self;
    (void)tl_str_print(reason, cap, "not allowed");
    return !route->gate(route->self, (const tally_call *)(const void *)call);
}

/* --- settings --- */

static size_t list_count(const char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL) {
        count++;
    }
    return count;
}

/* Zero for what the program's struct does not have yet. */
static tl_err read_options(tally_axon_options *out, const tally_axon_options *given, tl_errctx *ctx)
{
    memset(out, 0, sizeof *out);
    if (given->size < offsetof(tally_axon_options, host)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "size",
                             "options begin with TALLY_AXON_OPTIONS_INIT");
    }
    memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    if (out->key == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "key", "an axon has a hotkey");
    }
    return TL_OK;
}

static tl_err make(tally_axon **out, tl_arena *arena, const tally_axon_options *given,
                   tl_errctx *ctx)
{
    tally_axon_options options;
    TL_TRY(read_options(&options, given, ctx));
    tally_axon *const axon = TL_NEW(arena, tally_axon, 1);
    if (axon == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const tl_axon_settings settings = {
        .host = options.host,
        .port = options.port,
        .workers = options.workers,
        .key = options.key->pair,
        .is_compat_sdk = options.is_compat_sdk,
        .allow = options.allow,
        .allow_count = list_count(options.allow),
        .block = options.block,
        .block_count = list_count(options.block),
        .body_len_max = options.body_len_max,
        .dir = options.dir,
    };
    TL_TRY(tl_axon_new(&axon->axon, &settings, ctx));
    axon->arena = arena;
    *out = axon; /* API-2 */
    return TL_OK;
}

int tally_axon_new(tally_axon **out, const tally_axon_options *options, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = make(out, arena, options, &ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
    }
    return tl__api_error(err, &ctx, error);
}

/* --- routes --- */

static tl_err attach(tally_axon *axon, tl_axon_route *route, tally_handler handler,
                     tally_gate may_enter, void *self, tl_errctx *ctx)
{
    attached *const kept = TL_NEW(axon->arena, attached, 1);
    if (kept == NULL) {
        return tl_arena_fail(axon->arena, ctx);
    }
    *kept = (attached){handler, may_enter, self};
    route->forward = forward;
    route->blacklist = may_enter != NULL ? gate : NULL;
    route->self = kept;
    return tl_axon_attach(axon->axon, route, ctx);
}

int tally_axon_attach(tally_axon *axon, const tally_synapses *synapses, const char *name,
                      tally_handler handler, tally_gate may_enter, void *self, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_axon_route route = {.synapse = tl_synapse_find(synapses->defs, tl_str_from_cstr(name))};
    if (route.synapse == NULL) {
        return tl__api_fail(error, TL_ERR_UNKNOWN, "name", "the set has no synapse of that name");
    }
    return tl__api_error(attach(axon, &route, handler, may_enter, self, &ctx), &ctx, error);
}

int tally_axon_attach_route(tally_axon *axon, const char *method, const char *path,
                            tally_handler handler, tally_gate may_enter, void *self,
                            tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_axon_route route = {.method = method, .path = path};
    if (tl_str_copy_cstr(&route.method, axon->arena, tl_str_from_cstr(method), &ctx) != TL_OK ||
        tl_str_copy_cstr(&route.path, axon->arena, tl_str_from_cstr(path), &ctx) != TL_OK) {
        return tl__api_error(ctx.code, &ctx, error);
    }
    return tl__api_error(attach(axon, &route, handler, may_enter, self, &ctx), &ctx, error);
}

/* --- life --- */

int tally_axon_start(tally_axon *axon, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    return tl__api_error(tl_axon_start(axon->axon, &ctx), &ctx, error);
}

uint16_t tally_axon_port(const tally_axon *axon)
{
    return tl_axon_port(axon->axon);
}

void tally_axon_stop(tally_axon *axon)
{
    if (axon != NULL) {
        tl_axon_stop(axon->axon);
    }
}

void tally_axon_free(tally_axon *axon)
{
    if (axon != NULL) {
        tl_axon_free(axon->axon);
        tl_arena_free(axon->arena);
    }
}
