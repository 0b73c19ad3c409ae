/* The table as data becomes a table that is searched: templates cut into segments, schemas compiled, the kit's own statuses
 * added to the route's. */
#include <stdlib.h>
#include <string.h>

#include "app/api/api_internal.h"

static const char *const method_names[TL__API_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

const char *tl__method_name(tl_api_method method)
{
    return method_names[method];
}

bool tl__method_parse(tl_api_method *out, tl_str text)
{
    for (int i = 0; i < TL__API_METHODS; i++) {
        if (tl_str_eq_cstr(text, method_names[i])) {
            *out = (tl_api_method)i;
            return true;
        }
    }
    return false;
}

void tl__route_put_allow(tl_sb *sb, const tl__route *route)
{
    for (int i = 0; i < TL__API_METHODS; i++) {
        if (route->methods[i] != NULL) {
            tl_sb_put_cstr(sb, method_names[i]);
            tl_sb_put_cstr(sb, i == TL_API_GET ? ", HEAD, " : ", ");
        }
    }
    tl_sb_put_cstr(sb, "OPTIONS");
}

/* --- what the kit answers by itself --- */

static const struct {
    int status;
    const char *what;
} own_replies[] = {
    {400, "The request is not what this document asks for."},
    {401, "There are no credentials, or they do not hold."},
    {403, "The caller may not do this."},
    {404, "There is no such thing."},
    {408, "The body did not come in time."},
    {413, "The body is too large."},
    {415, "The body has another media type than the one that is taken."},
    {429, "Too many requests; Retry-After says how long to wait."},
    {500, "The service failed."},
    {503, "The service is busy or out of order."},
};

static bool is_given_by_kit(const tl_api_route *spec, int status)
{
    switch (status) {
    case 401:
        return spec->auth != TL_API_PUBLIC;
    case 404:
        return strchr(spec->path, '{') != NULL;
    case 415:
        return spec->body != TL_API_BODY_NONE;
    default:
        return true;
    }
}

const tl__reply *tl__route_reply(const tl__route *route, int status)
{
    for (size_t i = 0; i < route->reply_count; i++) {
        if (route->replies[i].status == status) {
            return &route->replies[i];
        }
    }
    return NULL;
}

static tl_err add_reply(tl_api *api, tl__route *route, const tl_api_reply *spec, tl_errctx *ctx)
{
    if (spec->status < 200 || spec->status >= TL__API_STATUS_MAX ||
        tl__route_reply(route, spec->status) != NULL) {
        return tl_fail(ctx, TL_ERR_RANGE, "the status %d is none, or comes twice", spec->status);
    }
    tl__reply *reply = &route->replies[route->reply_count++];
    *reply = (tl__reply){spec->status, spec->what, NULL, spec->schema, spec->media};
    const bool has_body = spec->status != 204 && spec->status != 304;
    if (spec->media == NULL && has_body) {
        reply->media = "application/json";
        reply->schema_name = spec->schema != NULL ? spec->schema : "Error";
        TL_TRY(tl_schema_compile(&reply->schema, api->schemas, reply->schema_name, ctx));
    }
    return TL_OK;
}

static tl_err add_replies(tl_api *api, tl__route *route, tl_errctx *ctx)
{
    const tl_api_route *spec = route->spec;
    const size_t own = sizeof own_replies / sizeof own_replies[0];
    route->replies = TL_NEW(api->arena, tl__reply, spec->reply_count + own + 1);
    if (route->replies == NULL) {
        return tl_arena_fail(api->arena, ctx);
    }
    for (size_t i = 0; i < spec->reply_count; i++) {
        TL_TRY(add_reply(api, route, &spec->replies[i], ctx));
    }
    for (size_t i = 0; i < own; i++) {
        const tl_api_reply reply = {own_replies[i].status, own_replies[i].what, NULL, NULL};
        if (is_given_by_kit(spec, reply.status) && tl__route_reply(route, reply.status) == NULL) {
            TL_TRY(add_reply(api, route, &reply, ctx));
        }
    }
    if (spec->method == TL_API_GET && !spec->is_uncached) {
        const tl_api_reply same = {304, "It is as If-None-Match says.", NULL, NULL};
        TL_TRY(add_reply(api, route, &same, ctx));
    }
    return TL_OK;
}

/* --- a row --- */

static tl_err cut_path(tl__route *route, tl_errctx *ctx)
{
    route->path = tl_str_from_cstr(route->spec->path);
    if (route->path.len == 0 || route->path.ptr[0] != '/') {
        return tl_fail(ctx, TL_ERR_SYNTAX, "the path does not begin with a slash");
    }
    tl_str rest = tl_str_slice(route->path, 1, route->path.len);
    tl_str segment;
    while (tl_str_split(&segment, &rest, '/')) {
        if (route->segment_count == TL__API_SEGMENTS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "the path has more than %d segments",
                           TL__API_SEGMENTS_MAX);
        }
        const bool is_param =
            segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
        route->is_param[route->segment_count] = is_param;
        route->segments[route->segment_count++] =
            is_param ? tl_str_slice(segment, 1, segment.len - 1) : segment;
    }
    return TL_OK;
}

/* Each parameter of the path is declared, and each declared one stands in it. */
static tl_err check_path_params(const tl__route *route, tl_errctx *ctx)
{
    const tl_api_route *spec = route->spec;
    size_t in_path = 0;
    for (size_t i = 0; i < spec->param_count; i++) {
        in_path += spec->params[i].in == TL_API_IN_PATH;
    }
    size_t found = 0;
    for (size_t s = 0; s < route->segment_count; s++) {
        for (size_t i = 0; route->is_param[s] && i < spec->param_count; i++) {
            found += spec->params[i].in == TL_API_IN_PATH &&
                     tl_str_eq_cstr(route->segments[s], spec->params[i].name);
        }
        in_path -= route->is_param[s];
    }
    size_t wanted = 0;
    for (size_t s = 0; s < route->segment_count; s++) {
        wanted += route->is_param[s];
    }
    return in_path == 0 && found == wanted
               ? TL_OK
               : tl_fail(ctx, TL_ERR_MISSING, "path and parameters do not name the same");
}

static tl_err check_spec(const tl_api_route *spec, tl_errctx *ctx)
{
    if (spec->handle == NULL || spec->id == NULL || spec->summary == NULL) {
        return tl_fail(ctx, TL_ERR_MISSING, "a route needs a handler, an id and a summary");
    }
    if (spec->param_count > TL_API_PARAMS_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %d parameters", TL_API_PARAMS_MAX);
    }
    if (spec->runs == TL_API_INLINE &&
        (spec->auth != TL_API_PUBLIC || spec->body != TL_API_BODY_NONE)) {
        return tl_fail(ctx, TL_ERR_RANGE, "only a public route without a body runs on the loop");
    }
    if (spec->body == TL_API_BODY_FILE && spec->auth != TL_API_PUBLIC) {
        return tl_fail(ctx, TL_ERR_RANGE, "a body goes to a file on public routes only");
    }
    if (spec->body == TL_API_BODY_JSON && spec->body_schema == NULL) {
        return tl_fail(ctx, TL_ERR_MISSING, "a body needs a schema");
    }
    for (size_t i = 0; i < TL_API_ROUTE_LIMITS_MAX; i++) {
        if (spec->limits[i].count > 0 && spec->limits[i].window_s == 0) {
            return tl_fail(ctx, TL_ERR_RANGE, "a limit without a window");
        }
    }
    return TL_OK;
}

static tl_err compile_schemas(tl_api *api, tl__route *route, tl_errctx *ctx)
{
    const tl_api_route *spec = route->spec;
    for (size_t i = 0; i < spec->param_count; i++) {
        TL_TRY(tl_schema_compile(&route->params[i], api->schemas, spec->params[i].schema, ctx));
    }
    const char *body = api->settings.is_compat && spec->body_schema_compat != NULL
                           ? spec->body_schema_compat
                           : spec->body_schema;
    return body != NULL ? tl_schema_compile(&route->body, api->schemas, body, ctx) : TL_OK;
}

static bool is_same_template(const tl__route *a, const tl__route *b)
{
    if (a->segment_count != b->segment_count) {
        return false;
    }
    for (size_t i = 0; i < a->segment_count; i++) {
        if (a->is_param[i] != b->is_param[i] ||
            (!a->is_param[i] && !tl_str_eq(a->segments[i], b->segments[i]))) {
            return false;
        }
    }
    return true;
}

/* Routes of one path know each other by method. */
static tl_err join_methods(tl_api *api, tl__route *route, tl_errctx *ctx)
{
    for (tl__route *other = api->routes; other < route; other++) {
        if (strcmp(other->spec->id, route->spec->id) == 0) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "two routes have this id");
        }
    }
    route->methods[route->spec->method] = route;
    for (tl__route *other = api->routes; other < route; other++) {
        if (!is_same_template(other, route)) {
            continue;
        }
        if (other->methods[route->spec->method] != NULL) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "two routes have this path and method");
        }
        other->methods[route->spec->method] = route;
        route->methods[other->spec->method] = other;
    }
    return TL_OK;
}

static tl_err make_route(tl_api *api, tl__route *route, tl_errctx *ctx)
{
    const tl_api_route *spec = route->spec;
    TL_TRY(check_spec(spec, ctx));
    TL_TRY(cut_path(route, ctx));
    TL_TRY(check_path_params(route, ctx));
    TL_TRY(compile_schemas(api, route, ctx));
    TL_TRY(add_replies(api, route, ctx));
    route->body_len_max =
        spec->body_len_max > 0 ? spec->body_len_max : (uint64_t)api->settings.body_len_max;
    tl__api_observe_route(api, route);
    return join_methods(api, route, ctx);
}

tl_err tl__routes_make(tl_api *api, tl_errctx *ctx)
{
    const tl_api_settings *s = &api->settings;
    api->route_count = tl__health_route_count + s->route_count;
    if (api->route_count > TL_API_ROUTES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %d routes", TL_API_ROUTES_MAX);
    }
    api->routes = TL_NEW(api->arena, tl__route, api->route_count);
    if (api->routes == NULL) {
        return tl_arena_fail(api->arena, ctx);
    }
    for (size_t i = 0; i < api->route_count; i++) {
        tl__route *route = &api->routes[i];
        route->spec = i < tl__health_route_count ? &tl__health_routes[i]
                                                 : &s->routes[i - tl__health_route_count];
        const tl_err err = make_route(api, route, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "%s", route->spec->id != NULL ? route->spec->id : "route");
            return err;
        }
    }
    return TL_OK;
}

/* --- the search --- */

static bool fits(const tl__route *route, const tl_str *segments, size_t count)
{
    if (route->segment_count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (route->is_param[i] ? segments[i].len == 0
                               : !tl_str_eq(route->segments[i], segments[i])) {
            return false;
        }
    }
    return true;
}

/* A literal wins over a parameter, from the left. */
static bool is_closer(const tl__route *a, const tl__route *b)
{
    for (size_t i = 0; i < a->segment_count; i++) {
        if (a->is_param[i] != b->is_param[i]) {
            return b->is_param[i];
        }
    }
    return false;
}

tl__route *tl__route_match(tl_api *api, tl_str path, tl_str *segments)
{
    size_t count = 0;
    if (path.len == 0 || path.ptr[0] != '/') {
        return NULL;
    }
    tl_str rest = tl_str_slice(path, 1, path.len);
    for (tl_str segment; tl_str_split(&segment, &rest, '/');) {
        if (count == TL__API_SEGMENTS_MAX) {
            return NULL;
        }
        segments[count++] = segment;
    }
    tl__route *best = NULL;
    for (size_t i = 0; i < api->route_count; i++) {
        tl__route *route = &api->routes[i];
        if (fits(route, segments, count) && (best == NULL || is_closer(route, best))) {
            best = route;
        }
    }
    return best;
}
