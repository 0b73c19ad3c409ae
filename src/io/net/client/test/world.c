#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void same_for_all(void *self, const scripted_request *request, scripted_act *act)
{
    world *w = (world *)self;
    (void)tl_str_print(w->seen, sizeof w->seen, "%.*s\n%.*s", TL_STR_ARG(request->head),
                       TL_STR_ARG(request->body));
    *act = w->act;
    if (w->act_count > 0) {
        *act = w->acts[request->index < w->act_count ? request->index : w->act_count - 1];
    }
}

void world_start(world *w, scripted_fn script)
{
    w->server = scripted_start(script != NULL ? script : same_for_all, w);
    assert_int_equal(tl_client_new(&w->client, &w->options, NULL), TL_OK);
    w->spec.request.host = TL_STR("127.0.0.1");
    w->spec.request.port = scripted_port(w->server);
    w->spec.request.method = TL_STR("POST");
    w->spec.request.target = TL_STR("/x");
    w->spec.self = w->spec.self != NULL ? w->spec.self : w;
    w->spec.timeout_ms = w->spec.timeout_ms != 0 ? w->spec.timeout_ms : 20000;
}

void world_stop(world *w)
{
    tl_client_free(w->client);
    scripted_stop(w->server);
}

tl_client_call *world_begin(world *w)
{
    tl_client_call *call = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_client_start(&call, w->client, &w->spec, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return call;
}

tl_client_call *world_ask(world *w)
{
    tl_client_call *call = world_begin(w);
    assert_int_equal(tl_client_run(w->client, NULL), TL_OK);
    assert_true(tl_client_is_done(call));
    return call;
}
