/* What is attached, found by path. */
#include <string.h>

#include "sdk/axon/axon_internal.h"

static const double NS_PER_S = 1e9;

const char *tl_axon_protocol_name(tl_axon_protocol protocol)
{
    switch (protocol) {
    case TL_AXON_V10:
        return "v10";
    case TL_AXON_BTAUTH:
        return "btauth";
    case TL_AXON_EPISTULA:
        return "epistula";
    }
    return "";
}

/* FNV-1a: the paths are ours, only the look-ups are a stranger's. */
static size_t cell_of(tl_str path)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < path.len; i++) {
        hash = (hash ^ (uint8_t)path.ptr[i]) * 0x100000001b3u;
    }
    return (size_t)(hash ^ (hash >> 32)) % TL__AXON_CELLS;
}

/* The cell of that path, or the free one where it belongs; there are twice as many cells as routes. */
static size_t find_cell(const tl_axon *axon, tl_str path)
{
    size_t at = cell_of(path);
    while (axon->cells[at] != NULL && !tl_str_eq(axon->cells[at]->path, path)) {
        at = (at + 1) % TL__AXON_CELLS;
    }
    return at;
}

tl__route *tl__route_find(const tl_axon *axon, tl_str path)
{
    tl__route *exact = axon->cells[find_cell(axon, path)];
    if (exact != NULL && !exact->is_prefix) {
        return exact;
    }
    tl__route *best = NULL; /* the longest of those that take all below */
    for (size_t i = 0; i < axon->route_count; i++) {
        tl__route *r = axon->routes[i];
        if (r->is_prefix && tl_str_starts_with(path, r->path) &&
            (best == NULL || r->path.len > best->path.len)) {
            best = axon->cells[find_cell(axon, r->path)];
        }
    }
    return best;
}

static tl_err check_route(const tl_axon_route *spec, tl_errctx *ctx)
{
    if (spec->forward == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "forward", "a route has no handler");
    }
    if (spec->synapse == NULL &&
        (spec->method == NULL || spec->path == NULL || spec->path[0] != '/')) {
        return tl_fail_field(
            ctx, TL_ERR_MISSING, "path",
            "a route needs a synapse, or a method and a path that begins with \"/\"");
    }
    if (!(spec->timeout_s >= 0 && spec->timeout_s <= TL_AXON_TIMEOUT_S_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "timeout_s", "not 0 to %d s",
                             (int)TL_AXON_TIMEOUT_S_MAX);
    }
    if (!(spec->window_back_s >= 0 && spec->window_back_s <= 3600 && spec->window_ahead_s >= 0 &&
          spec->window_ahead_s <= 3600)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "window_back_s", "a window is 0 to 3600 s");
    }
    return TL_OK;
}

static tl_err name_route(tl__route *route, tl_arena *arena, tl_errctx *ctx)
{
    const tl_axon_route *spec = &route->spec;
    tl_sb sb;
    tl_sb_init(&sb, arena);
    if (spec->synapse != NULL) {
        tl_sb_put_char(&sb, '/');
        tl_sb_put(&sb, spec->synapse->model.name);
        TL_TRY(tl_sb_finish(&route->path, &sb, ctx));
        route->name = tl_str_slice(route->path, 1, route->path.len);
        return TL_OK;
    }
    tl_sb_printf(&sb, "%s %s", spec->method, spec->path);
    TL_TRY(tl_sb_finish(&route->name, &sb, ctx));
    route->method = tl_str_slice(route->name, 0, strlen(spec->method));
    route->path = tl_str_slice(route->name, route->method.len + 1, route->name.len);
    route->is_prefix = tl_str_ends_with(route->path, TL_STR("/*"));
    if (route->is_prefix) {
        route->path.len--;
    }
    return TL_OK;
}

static void fill_route(tl__route *route, const tl_axon *axon)
{
    const tl_axon_settings *s = &axon->settings;
    const tl_axon_route *spec = &route->spec;
    route->body_len_max = spec->body_len_max > 0 ? spec->body_len_max : s->body_len_max;
    route->stake_rao_min = spec->stake_rao_min > 0 ? spec->stake_rao_min : s->stake_rao_min;
    route->timeout_s = spec->timeout_s > 0 ? spec->timeout_s : TL_AXON_TIMEOUT_S;
    tl_auth_rules_init(&route->rules, tl_str_from_cstr(axon->ss58));
    const unsigned wanted = spec->synapse != NULL  ? TL_AXON_V10
                            : spec->protocols != 0 ? spec->protocols & TL_AXON_SIGNED
                                                   : TL_AXON_SIGNED;
    route->rules.families = wanted & s->protocols;
    route->rules.is_compat = s->is_compat_sdk;
    route->rules.is_receiver_waived = spec->waives_receiver;
    if (spec->window_back_s > 0) {
        route->rules.back_ns = (int64_t)(spec->window_back_s * NS_PER_S);
    }
    if (spec->window_ahead_s > 0) {
        route->rules.ahead_ns = (int64_t)(spec->window_ahead_s * NS_PER_S);
    }
}

/* The chain of routes of one path: methods differ, and a synapse stands alone. */
static tl_err link_route(tl_axon *axon, tl__route *route, tl_errctx *ctx)
{
    tl__route **at = &axon->cells[find_cell(axon, route->path)];
    for (; *at != NULL; at = &(*at)->next) {
        const tl__route *other = *at;
        if (other->spec.synapse != NULL || route->spec.synapse != NULL ||
            other->is_prefix != route->is_prefix || tl_str_eq(other->method, route->method)) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "path", "\"%.*s\" is attached already",
                                 TL_STR_ARG(route->name));
        }
    }
    *at = route;
    axon->routes[axon->route_count++] = route;
    return TL_OK;
}

tl_err tl_axon_attach(tl_axon *axon, const tl_axon_route *spec, tl_errctx *ctx)
{
    TL_ASSERT(!axon->is_started);
    TL_TRY(check_route(spec, ctx));
    if (axon->route_count == TL_AXON_ROUTES_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %d routes", TL_AXON_ROUTES_MAX);
    }
    tl__route *route = TL_NEW(axon->arena, tl__route, 1);
    if (route == NULL) {
        return tl_arena_fail(axon->arena, ctx);
    }
    route->spec = *spec;
    TL_TRY(name_route(route, axon->arena, ctx));
    fill_route(route, axon);
    if (route->rules.families == 0) {
        return TL_OK; /* nobody can speak to it */
    }
    TL_TRY(link_route(axon, route, ctx));
    tl__observe_route(axon, route);
    return TL_OK;
}

tl_err tl__routes_finish(tl_axon *axon, tl_errctx *ctx)
{
    int64_t keep_back_ns = 0;
    for (size_t i = 0; i < axon->route_count; i++) {
        const int64_t back_ns = axon->routes[i]->rules.back_ns;
        keep_back_ns = back_ns > keep_back_ns ? back_ns : keep_back_ns;
    }
    tl_sb sb;
    tl_sb_init(&sb, axon->arena);
    tl_sb_put_char(&sb, '[');
    for (size_t i = 0; i < axon->route_count; i++) {
        tl__route *route = axon->routes[i];
        route->rules.keep_back_ns = keep_back_ns;
        route->rules.memory = axon->memory;
        if (route->spec.synapse != NULL) {
            tl_sb_put(&sb, sb.len > 1 ? TL_STR(", '") : TL_STR("'"));
            tl_sb_put(&sb, route->name);
            tl_sb_put_char(&sb, '\'');
        }
    }
    tl_sb_put_char(&sb, ']');
    return tl_sb_finish(&axon->known_names, &sb, ctx);
}
