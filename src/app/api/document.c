/* The OpenAPI 3.1 document, written from the table that the gates read: what it says is what they do. */
#include <string.h>

#include "app/api/api_internal.h"

#define HEADER_REF "#/components/headers/"

static void put_text(tl_json_writer *w, const char *key, const char *text)
{
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, text);
}

static void put_ref(tl_json_writer *w, const char *key, const char *prefix, const char *name)
{
    char ref[128];
    tl_str_print(ref, sizeof ref, "%s%s", prefix, name);
    if (key != NULL) {
        tl_json_put_key(w, key);
    }
    tl_json_put_object(w);
    put_text(w, "$ref", ref);
    tl_json_put_end(w);
}

/* A schema as the table gives it: a name becomes a reference, text stands as it is. */
static void put_schema(tl_json_writer *w, const char *name, const tl_schema *schema)
{
    if (name[0] != '{') {
        put_ref(w, "schema", "#/components/schemas/", name);
        return;
    }
    tl_json_put_key(w, "schema");
    tl_json_put_tree(w, tl_schema_json(schema));
}

/* --- parameters --- */

static void put_param(tl_json_writer *w, const tl__route *route, size_t i)
{
    static const char *const places[] = {"path", "query", "header"};
    const tl_api_param *param = &route->spec->params[i];
    tl_json_put_object(w);
    put_text(w, "name", param->name);
    put_text(w, "in", places[param->in]);
    if (param->what != NULL) {
        put_text(w, "description", param->what);
    }
    tl_json_put_key(w, "required");
    tl_json_put_bool(w, param->is_required || param->in == TL_API_IN_PATH);
    put_schema(w, param->schema, route->params[i]);
    tl_json_put_end(w);
}

/* The original's signature in the query, where that is where it stands. */
static const char *const commitment_params[] = {"hotkey", "signature", "timestamp"};

static bool has_commitments(const tl_api *api, const tl_api_route *spec)
{
    return api->settings.is_compat && spec->commitments != NULL;
}

static bool is_declared(const tl_api_route *spec, const char *name)
{
    for (size_t i = 0; i < spec->param_count; i++) {
        if (strcmp(spec->params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void put_params(tl_json_writer *w, const tl_api *api, const tl__route *route)
{
    const bool has_more =
        has_commitments(api, route->spec) && route->spec->body == TL_API_BODY_NONE;
    if (route->spec->param_count == 0 && !has_more) {
        return;
    }
    tl_json_put_key(w, "parameters");
    tl_json_put_array(w);
    for (size_t i = 0; i < route->spec->param_count; i++) {
        put_param(w, route, i);
    }
    for (size_t i = 0; has_more && i < sizeof commitment_params / sizeof commitment_params[0];
         i++) {
        if (!is_declared(route->spec, commitment_params[i])) {
            tl_json_put_object(w);
            put_text(w, "name", commitment_params[i]);
            put_text(w, "in", "query");
            tl_json_put_key(w, "schema");
            tl_json_put_raw(w, TL_STR("{\"type\":\"string\"}"));
            tl_json_put_end(w);
        }
    }
    tl_json_put_end(w);
}

static void put_body(tl_json_writer *w, const tl_api *api, const tl__route *route)
{
    const tl_api_route *spec = route->spec;
    if (spec->body == TL_API_BODY_NONE) {
        return;
    }
    tl_json_put_key(w, "requestBody");
    tl_json_put_object(w);
    tl_json_put_key(w, "required");
    tl_json_put_bool(w, !spec->is_body_optional);
    tl_json_put_key(w, "content");
    tl_json_put_object(w);
    tl_json_put_key(w, spec->body == TL_API_BODY_JSON ? "application/json" : spec->body_media);
    tl_json_put_object(w);
    if (route->body != NULL) {
        const bool is_compat = api->settings.is_compat && spec->body_schema_compat != NULL;
        put_schema(w, is_compat ? spec->body_schema_compat : spec->body_schema, route->body);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* --- replies --- */

static void put_header_refs(tl_json_writer *w, const tl__route *route, int status)
{
    tl_json_put_key(w, "headers");
    tl_json_put_object(w);
    put_ref(w, "X-Correlation-Id", HEADER_REF, "CorrelationId");
    if (route->spec->limits[0].count > 0) {
        put_ref(w, "X-RateLimit-Limit", HEADER_REF, "RateLimit");
        put_ref(w, "X-RateLimit-Remaining", HEADER_REF, "RateRemaining");
        put_ref(w, "X-RateLimit-Reset", HEADER_REF, "RateReset");
    }
    if (status == 429 || status == 503) {
        put_ref(w, "Retry-After", HEADER_REF, "RetryAfter");
    }
    if (tl__route_reply(route, 304) != NULL && (status == 200 || status == 304)) {
        put_ref(w, "ETag", HEADER_REF, "ETag");
    }
    tl_json_put_end(w);
}

static void put_reply(tl_json_writer *w, const tl__route *route, const tl__reply *reply)
{
    char digits[12];
    tl_str_print(digits, sizeof digits, "%d", reply->status);
    tl_json_put_key(w, digits);
    tl_json_put_object(w);
    put_text(w, "description", reply->what);
    put_header_refs(w, route, reply->status);
    if (reply->media != NULL) {
        tl_json_put_key(w, "content");
        tl_json_put_object(w);
        tl_json_put_key(w, reply->media);
        tl_json_put_object(w);
        if (reply->schema != NULL) {
            put_schema(w, reply->schema_name, reply->schema);
        } else {
            tl_json_put_key(w, "schema");
            tl_json_put_raw(w, TL_STR("{\"type\":\"string\"}"));
        }
        tl_json_put_end(w);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

/* Ascending, so that the document does not depend on how a table was typed. */
static void put_replies(tl_json_writer *w, const tl__route *route)
{
    tl_json_put_key(w, "responses");
    tl_json_put_object(w);
    for (int status = 200; status < TL__API_STATUS_MAX; status++) {
        const tl__reply *reply = tl__route_reply(route, status);
        if (reply != NULL) {
            put_reply(w, route, reply);
        }
    }
    tl_json_put_end(w);
}

/* --- security --- */

static void put_requirement(tl_json_writer *w, const char *const *names, size_t count)
{
    tl_json_put_object(w);
    for (size_t i = 0; i < count; i++) {
        tl_json_put_key(w, names[i]);
        tl_json_put_array(w);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static const char *const signed_schemes[] = {"btauthVersion", "btauthHotkey", "btauthNonce",
                                             "btauthSignature", "btauthReceiver"};

static void put_security(tl_json_writer *w, const tl_api *api, const tl_api_route *spec)
{
    static const char *const bearer[] = {"bearer"};
    static const char *const key[] = {"apiKey"};
    tl_json_put_key(w, "security");
    tl_json_put_array(w);
    if (spec->auth >= TL_API_VIEWER) {
        put_requirement(w, bearer, 1);
        put_requirement(w, key, 1);
    } else if (spec->auth != TL_API_PUBLIC) {
        put_requirement(w, signed_schemes, sizeof signed_schemes / sizeof signed_schemes[0]);
        if (has_commitments(api, spec)) {
            put_requirement(w, NULL, 0); /* or the original's strings, in query or body */
        }
    }
    tl_json_put_end(w);
}

static void put_schemes(tl_json_writer *w)
{
    static const struct {
        const char *scheme;
        const char *header;
        const char *what;
    } headers[] = {
        {"btauthVersion", "X-Bittensor-Version", "1"},
        {"btauthHotkey", "X-Bittensor-Hotkey", "The sender's SS58 address."},
        {"btauthNonce", "X-Bittensor-Nonce", "Unix time in nanoseconds."},
        {"btauthSignature", "X-Bittensor-Signature", "Of btauth/1, 0x and 128 hex digits."},
        {"btauthReceiver", "X-Bittensor-Receiver", "The service's SS58 address."},
        {"apiKey", "X-API-Key", "A key with the scopes read, operate or admin."},
    };
    tl_json_put_key(w, "securitySchemes");
    tl_json_put_object(w);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        tl_json_put_key(w, headers[i].scheme);
        tl_json_put_object(w);
        put_text(w, "type", "apiKey");
        put_text(w, "in", "header");
        put_text(w, "name", headers[i].header);
        put_text(w, "description", headers[i].what);
        tl_json_put_end(w);
    }
    tl_json_put_key(w, "bearer");
    tl_json_put_raw(w,
                    TL_STR("{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}"));
    tl_json_put_end(w);
}

/* --- routes --- */

static const char *auth_text(tl_api_auth auth)
{
    switch (auth) {
    case TL_API_PUBLIC:
        return "Public.";
    case TL_API_SIGNED:
        return "Signed by any hotkey.";
    case TL_API_MEMBER:
        return "Signed by a registered hotkey.";
    case TL_API_VALIDATOR:
        return "Signed by a validator: registered, with a permit and the stake asked for.";
    case TL_API_VIEWER:
        return "Role viewer, operator or admin; scope read, operate or admin.";
    case TL_API_OPERATOR:
        return "Role operator or admin; scope operate or admin.";
    case TL_API_ADMIN:
        return "Role admin; scope admin.";
    }
    return "";
}

static void put_about(tl_json_writer *w, const tl_api *api, const tl_api_route *spec)
{
    static const char *const by[] = {"caller", "address", "service"};
    char text[512];
    size_t len = tl_str_print(text, sizeof text, "%s", auth_text(spec->auth));
    for (size_t i = 0; i < TL_API_ROUTE_LIMITS_MAX; i++) {
        const tl_api_limit *limit = &spec->limits[i];
        if (limit->count > 0) {
            len += tl_str_print(text + len, sizeof text - len, " At most %u in %u s by %s.",
                                limit->count, limit->window_s, by[limit->by]);
        }
    }
    for (const char *const *form = spec->commitments; has_commitments(api, spec) && *form != NULL;
         form++) {
        len += tl_str_print(text + len, sizeof text - len, " Or signed: %s.", *form);
    }
    put_text(w, "description", text);
}

static void put_route(tl_json_writer *w, const tl_api *api, const tl__route *route)
{
    static const char *const keys[] = {"get", "post", "put", "patch", "delete"};
    const tl_api_route *spec = route->spec;
    tl_json_put_key(w, keys[spec->method]);
    tl_json_put_object(w);
    put_text(w, "operationId", spec->id);
    put_text(w, "summary", spec->summary);
    put_about(w, api, spec);
    if (spec->tag != NULL) {
        tl_json_put_key(w, "tags");
        tl_json_put_array(w);
        tl_json_put_cstr(w, spec->tag);
        tl_json_put_end(w);
    }
    put_security(w, api, spec);
    put_params(w, api, route);
    put_body(w, api, route);
    put_replies(w, route);
    tl_json_put_end(w);
}

static void put_paths(tl_json_writer *w, const tl_api *api)
{
    tl_json_put_key(w, "paths");
    tl_json_put_object(w);
    for (size_t i = 0; i < api->route_count; i++) {
        const tl__route *route = &api->routes[i];
        bool is_first = true;
        for (size_t k = 0; k < i; k++) {
            is_first = is_first && !tl_str_eq(api->routes[k].path, route->path);
        }
        if (!is_first) {
            continue;
        }
        tl_json_put_key_str(w, route->path);
        tl_json_put_object(w);
        for (int m = 0; m < TL__API_METHODS; m++) {
            if (route->methods[m] != NULL) {
                put_route(w, api, route->methods[m]);
            }
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_headers(tl_json_writer *w)
{
    static const struct {
        const char *name;
        const char *what;
        const char *schema;
    } headers[] = {
        {"CorrelationId", "The caller's X-Correlation-Id, or one that was made.",
         "{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"},
        {"RateLimit", "Calls in the window.", "{\"type\":\"integer\"}"},
        {"RateRemaining", "Calls that are left in it.", "{\"type\":\"integer\"}"},
        {"RateReset", "Unix time in seconds at which it ends.", "{\"type\":\"integer\"}"},
        {"RetryAfter", "Seconds to wait.", "{\"type\":\"integer\"}"},
        {"ETag", "Of this body.", "{\"type\":\"string\"}"},
    };
    tl_json_put_key(w, "headers");
    tl_json_put_object(w);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        tl_json_put_key(w, headers[i].name);
        tl_json_put_object(w);
        put_text(w, "description", headers[i].what);
        tl_json_put_key(w, "schema");
        tl_json_put_raw(w, tl_str_from_cstr(headers[i].schema));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_components(tl_json_writer *w, const tl_api *api)
{
    tl_json_put_key(w, "components");
    tl_json_put_object(w);
    tl_json_put_key(w, "schemas");
    tl_json_put_object(w);
    tl_str name;
    const tl_schema *schema;
    for (size_t i = 0; (schema = tl_schemas_named(api->schemas, i, &name)) != NULL; i++) {
        tl_json_put_key_str(w, name);
        tl_json_put_tree(w, tl_schema_json(schema));
    }
    tl_json_put_end(w);
    put_headers(w);
    put_schemes(w);
    tl_json_put_end(w);
}

tl_err tl__document_write(tl_api *api, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, api->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    put_text(&w, "openapi", "3.1.0");
    tl_json_put_key(&w, "info");
    tl_json_put_object(&w);
    put_text(&w, "title", api->settings.title);
    put_text(&w, "version", api->settings.version);
    tl_json_put_end(&w);
    put_paths(&w, api);
    put_components(&w, api);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    TL_TRY(tl_sb_finish(&api->document, &sb, ctx));
    return tl_api_page_new(&api->document_page, api->document, ctx);
}
