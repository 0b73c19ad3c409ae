/* Attacks the reader of targets: any path and query through the table's search and its parameters' schemas. Nothing may crash;
 * a route that is found fits the path; what a handler would see is UTF-8 within its schema (API-4), and reading it twice gives
 * the same. */
#include <stdlib.h>
#include <string.h>

#include "app/api/api_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static tl_err answer(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer_empty(call);
    return TL_OK;
}

static const tl_api_param list_params[] = {
    {.name = "limit",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'integer','minimum':1,'maximum':200,'default':50}"},
    {.name = "zip", .in = TL_API_IN_QUERY, .schema = "{'type':'string','pattern':'^[0-9]{5}$'}"},
    {.name = "deep", .in = TL_API_IN_QUERY, .schema = "{'type':'boolean'}"},
    {.name = "rate", .in = TL_API_IN_QUERY, .schema = "{'type':'number','minimum':0}"},
};
static const tl_api_param item_params[] = {
    {.name = "id", .in = TL_API_IN_PATH, .schema = "{'type':'string','maxLength':9}"},
    {.name = "part", .in = TL_API_IN_PATH, .schema = "{'type':'integer','minimum':0}"},
};

static const tl_api_route routes[] = {
    {.path = "/v1/items",
     .id = "list",
     .summary = "L.",
     TL_API_PARAMS(list_params),
     .handle = answer},
    {.path = "/v1/items/{id}/parts/{part}",
     .id = "part",
     .summary = "P.",
     TL_API_PARAMS(item_params),
     .handle = answer},
    {.path = "/v1/items/all/parts/{part}",
     .id = "all",
     .summary = "A.",
     .params = &item_params[1],
     .param_count = 1,
     .handle = answer},
};

static tl_api *api;

static void check_values(const tl_api_call *call)
{
    for (size_t i = 0; i < call->route->spec->param_count; i++) {
        const tl_str value = call->values[i];
        TL_ASSERT(value.ptr == NULL || tl_str_is_utf8(value));
        TL_ASSERT(value.len <= TL_API_TEXT_MAX);
        TL_ASSERT(value.ptr == NULL ||
                  tl_schema_check_text(call->route->params[i], value, "x", NULL) == TL_OK);
    }
    if (strcmp(call->route->spec->id, "list") == 0) {
        const int64_t limit = tl_api_param_i64(call, "limit", -1);
        TL_ASSERT(limit >= 1 && limit <= 200);
    }
}

static bool read_target(tl_api_call *call, tl_arena *arena, tl_str target)
{
    *call = (tl_api_call){.api = api, .arena = arena, .fd = -1};
    call->path = tl_str_slice(target, 0, tl_str_find(target, '?'));
    if (call->path.len < target.len) {
        call->query = tl_str_slice(target, call->path.len + 1, target.len);
    }
    call->route = tl__route_match(api, call->path, call->segments);
    return call->route != NULL && tl__input_pass(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (api == NULL) {
        const tl_api_settings settings = {.routes = routes, .route_count = 3};
        TL_ASSERT(tl_api_new(&api, &settings, NULL) == TL_OK);
    }
    static tl_api_call one;
    static tl_api_call two;
    tl_arena *arena;
    TL_ASSERT(tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK);
    const tl_str target = {(const char *)data, len};
    if (read_target(&one, arena, target)) {
        check_values(&one);
        TL_ASSERT(read_target(&two, arena, target));
        for (size_t i = 0; i < one.route->spec->param_count; i++) {
            TL_ASSERT(tl_str_eq(one.values[i], two.values[i]));
        }
        TL_ASSERT(!one.is_answered);
    } else if (one.route != NULL) {
        TL_ASSERT(one.is_answered && one.status == 400 && one.answer.len > 0);
    }
    tl_arena_free(arena);
    return 0;
}
