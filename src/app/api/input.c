/* Parameters and bodies, decoded once and held against the schemas of the document (API-4). */
#include <string.h>

#include "app/api/api_internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Percent-encoding undone; in a query '+' is a space. False: a broken escape, no UTF-8, too long, or no memory. */
bool tl__input_decode(tl_str *out, tl_arena *arena, tl_str text, bool is_query)
{
    if (text.len > TL_API_TEXT_MAX * 3) {
        return false;
    }
    char *to = tl_arena_alloc(arena, text.len + 1, 1, 1);
    size_t len = 0;
    if (to == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            const int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            const int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        to[len++] = c;
    }
    *out = (tl_str){to, len};
    return len <= TL_API_TEXT_MAX && tl_str_is_utf8(*out);
}

/* The raw value of a name in the query; *is_twice when it comes again. Names are compared decoded. */
static bool find_raw(tl_str *out, tl_api_call *call, tl_str name, bool *is_twice)
{
    tl_str rest = call->query;
    tl_str pair;
    bool is_found = false;
    while (rest.ptr != NULL && tl_str_split(&pair, &rest, '&')) {
        const size_t equals = tl_str_find(pair, '=');
        tl_str key = tl_str_slice(pair, 0, equals);
        if (tl_str_find(key, '%') < key.len && !tl__input_decode(&key, call->arena, key, true)) {
            continue;
        }
        if (tl_str_eq(key, name)) {
            *is_twice = *is_twice || is_found;
            *out = tl_str_slice(pair, equals + 1, pair.len);
            is_found = true;
        }
    }
    return is_found;
}

bool tl__input_query(tl_str *out, tl_api_call *call, tl_str name, bool *is_twice)
{
    tl_str raw;
    return find_raw(&raw, call, name, is_twice) && tl__input_decode(out, call->arena, raw, true);
}

static bool refuse_param(tl_api_call *call, const char *name, const char *message)
{
    tl__api_refuse(call, TL_API_INVALID_REQUEST, name, message);
    return false;
}

/* --- parameters --- */

/* The value as it came, decoded; ptr NULL when there is none. */
static bool read_param(tl_str *out, tl_api_call *call, const tl_api_param *param)
{
    const tl_str name = tl_str_from_cstr(param->name);
    *out = (tl_str){NULL, 0};
    switch (param->in) {
    case TL_API_IN_PATH:
        for (size_t i = 0; i < call->route->segment_count; i++) {
            if (call->route->is_param[i] && tl_str_eq(call->route->segments[i], name)) {
                return tl__input_decode(out, call->arena, call->segments[i], false) ||
                       refuse_param(call, param->name, "It is badly encoded or too long");
            }
        }
        return true;
    case TL_API_IN_QUERY: {
        bool is_twice = false;
        tl_str raw;
        if (!find_raw(&raw, call, name, &is_twice)) {
            return true;
        }
        if (is_twice) {
            return refuse_param(call, param->name, "It comes twice");
        }
        return tl__input_decode(out, call->arena, raw, true) ||
               refuse_param(call, param->name, "It is badly encoded or too long");
    }
    case TL_API_IN_HEADER: {
        const tl_http_header *header = tl_http_find(call->headers, name);
        if (header == NULL) {
            return true;
        }
        *out = header->value.ptr != NULL ? header->value : TL_STR("");
        return (header->value.len <= TL_API_TEXT_MAX && tl_str_is_utf8(*out)) ||
               refuse_param(call, param->name, "It is badly encoded or too long");
    }
    }
    return true;
}

static bool pass_params(tl_api_call *call)
{
    const tl_api_route *spec = call->route->spec;
    for (size_t i = 0; i < spec->param_count; i++) {
        const tl_api_param *param = &spec->params[i];
        if (!read_param(&call->values[i], call, param)) {
            return false;
        }
        if (call->values[i].ptr == NULL) {
            if (param->is_required) {
                return refuse_param(call, param->name, "It is missing");
            }
            (void)tl_schema_default(&call->values[i], call->route->params[i]);
            continue;
        }
        tl_errctx ctx = TL_ERRCTX_INIT;
        if (tl_schema_check_text(call->route->params[i], call->values[i], param->name, &ctx) !=
            TL_OK) {
            return refuse_param(call, param->name, ctx.message);
        }
    }
    return true;
}

/* --- body --- */

/* "application/json; charset=utf-8" is "application/json". */
static tl_str media_of(const tl_api_call *call)
{
    const tl_http_header *type = tl_http_find(call->headers, TL_STR("content-type"));
    if (type == NULL) {
        return (tl_str){NULL, 0};
    }
    return tl_str_trim(tl_str_slice(type->value, 0, tl_str_find(type->value, ';')));
}

static bool pass_media(tl_api_call *call, const char *wanted)
{
    const tl_str media = media_of(call);
    if ((media.ptr == NULL && call->fd < 0) || tl_http_name_eq(media, tl_str_from_cstr(wanted))) {
        return true;
    }
    char message[96];
    tl_str_print(message, sizeof message, "The body is to be %s", wanted);
    tl__api_refuse(call, TL_API_UNSUPPORTED_MEDIA_TYPE, NULL, message);
    return false;
}

/* The standard's integers may be written 320.0 or 3.2e2; handlers read them as 320. The tree is the call's own. */
static void fold_integers(tl_arena *arena, const tl_json *value)
{
    for (uint32_t i = 0; value->kind == TL_JSON_ARRAY && i < value->count; i++) {
        fold_integers(arena, &value->items[i]);
    }
    for (uint32_t i = 0; value->kind == TL_JSON_OBJECT && i < value->count; i++) {
        fold_integers(arena, &value->members[i].value);
    }
    int64_t number;
    if (value->kind != TL_JSON_NUMBER || tl_str_parse_i64(&number, value->text) ||
        !tl_schema_is_integer(&number, value)) {
        return;
    }
    char digits[24];
    tl_str text = {digits, tl_str_print(digits, sizeof digits, "%lld", (long long)number)};
    if (tl_str_copy(&text, arena, text, NULL) == TL_OK) {
        tl_json *own;
        memcpy(&own, &value, sizeof own);
        own->text = text;
    }
}

static bool pass_json(tl_api_call *call)
{
    const tl_api_route *spec = call->route->spec;
    if (call->body.len == 0) {
        return spec->is_body_optional || refuse_param(call, NULL, "A body is missing");
    }
    if (!pass_media(call, "application/json")) {
        return false;
    }
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_str text = {(const char *)call->body.ptr, call->body.len};
    if (call->json == NULL && tl_json_parse(&call->json, call->arena, text, NULL, &ctx) != TL_OK) {
        return refuse_param(call, NULL, "The body is not one JSON value");
    }
    if (tl_schema_check(call->route->body, call->json, &ctx) != TL_OK) {
        return refuse_param(call, ctx.field, ctx.message);
    }
    fold_integers(call->arena, call->json);
    return true;
}

/* Whoever signs speaks for itself: a hotkey that is named beside the signature is the signer's. */
static bool pass_own_hotkey(tl_api_call *call)
{
    if (!call->caller.is_signed) {
        return true;
    }
    const tl_json *member = tl_json_get(call->json, "hotkey");
    tl_str named =
        member != NULL && member->kind == TL_JSON_STRING ? member->text : (tl_str){NULL, 0};
    for (size_t i = 0; i < call->route->spec->param_count; i++) {
        if (strcmp(call->route->spec->params[i].name, "hotkey") == 0) {
            named = call->values[i];
        }
    }
    tl_hotkey hotkey;
    if (named.ptr == NULL || (tl_ss58_decode(&hotkey, named, NULL) == TL_OK &&
                              tl_hotkey_eq(&hotkey, &call->caller.hotkey))) {
        return true;
    }
    tl__api_refuse(call, TL_API_NOT_PERMITTED, "hotkey", "It is not the signer's");
    return false;
}

bool tl__input_pass(tl_api_call *call)
{
    if (!pass_params(call)) {
        return false;
    }
    const tl_api_route *spec = call->route->spec;
    switch (spec->body) {
    case TL_API_BODY_NONE:
        break;
    case TL_API_BODY_JSON:
        if (!pass_json(call)) {
            return false;
        }
        break;
    case TL_API_BODY_FILE:
        if (!pass_media(call, spec->body_media)) {
            return false;
        }
        break;
    }
    return pass_own_hotkey(call);
}

/* --- what handlers ask for --- */

tl_str tl_api_param_str(const tl_api_call *call, const char *name)
{
    for (size_t i = 0; i < call->route->spec->param_count; i++) {
        if (strcmp(call->route->spec->params[i].name, name) == 0) {
            return call->values[i];
        }
    }
    return (tl_str){NULL, 0}; /* routes that share a handler may declare different ones */
}

int64_t tl_api_param_i64(const tl_api_call *call, const char *name, int64_t otherwise)
{
    int64_t value = otherwise;
    (void)tl_str_parse_i64(&value, tl_api_param_str(call, name));
    return value;
}

const tl_json *tl_api_call_json(const tl_api_call *call)
{
    return call->json;
}

tl_bytes tl_api_call_body(const tl_api_call *call)
{
    return call->body;
}

int tl_api_call_file(const tl_api_call *call, uint64_t *len, tl_str *media)
{
    TL_ASSERT(call->route->spec->body == TL_API_BODY_FILE);
    const tl_http_header *type = tl_http_find(call->headers, TL_STR("content-type"));
    *len = call->fd_len;
    *media = type != NULL ? type->value : (tl_str){NULL, 0};
    return call->fd;
}
