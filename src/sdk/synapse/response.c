/* An answer changes the message that was sent, as the SDK's client does it (wire spec section 3.2). */
#include "sdk/synapse/synapse_internal.h"

/* application/json, or application/…+json, in any case; parameters behind ';' do not matter. */
static bool is_json(tl_str content_type)
{
    const tl_str type = tl_str_trim(tl_str_slice(content_type, 0, tl_str_find(content_type, ';')));
    const tl_str application = TL_STR("application/");
    if (!tl_http_name_starts_with(type, application)) {
        return false;
    }
    const tl_str sub = tl_str_slice(type, application.len, type.len);
    const tl_str tail = tl_str_slice(sub, sub.len > 5 ? sub.len - 5 : sub.len, sub.len);
    return tl_http_name_eq(sub, TL_STR("json")) || tl_http_name_eq(tail, TL_STR("+json"));
}

/* Header names of an answer count only in lower case: the SDK's client compares them as they come. */
static tl_err lower_case_only(tl_http_headers *out, tl_arena *arena, tl_http_headers headers,
                              tl_errctx *ctx)
{
    tl_http_header *const kept = TL_NEW(arena, tl_http_header, headers.count);
    if (kept == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < headers.count; i++) {
        const tl_str name = headers.at[i].name;
        if (!tl_http_name_starts_with(name, TL_STR("bt_header_")) ||
            tl_str_starts_with(name, TL_STR("bt_header_"))) {
            kept[count++] = headers.at[i];
        }
    }
    *out = (tl_http_headers){kept, count};
    return TL_OK;
}

static void merge(tl_terminal *into, const tl_terminal *from)
{
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        const tl_value *const figure = tl__terminal_look(from, i);
        if (figure->kind != TL_VALUE_NONE) {
            *tl__terminal_at(into, i) = *figure;
        }
    }
}

static tl_err take_headers(tl_synapse *synapse, tl_arena *arena, tl_http_headers headers,
                           tl_errctx *ctx)
{
    tl_http_headers counted = {NULL, 0};
    tl_synapse *figures = NULL;
    TL_TRY(lower_case_only(&counted, arena, headers, ctx));
    TL_TRY(tl_synapse_from_headers(&figures, arena, tl_synapse_base(), counted, true, ctx));
    merge(&synapse->dendrite, &figures->dendrite);
    merge(&synapse->axon, &figures->axon);
    synapse->dendrite.status_code = synapse->axon.status_code;
    synapse->dendrite.status_message = synapse->axon.status_message;
    return TL_OK;
}

/* Status 200: the model anew; the body hash of the request stays (the field is frozen there). */
static tl_err take_model(tl_synapse *synapse, tl_arena *arena, tl_str body,
                         const tl_value_limits *limits, tl_errctx *ctx)
{
    tl_synapse *answer = NULL;
    TL_TRY(tl_synapse_from_body(&answer, arena, synapse->def, body, limits, ctx));
    answer->computed_body_hash = synapse->computed_body_hash;
    *synapse = *answer;
    return TL_OK;
}

static tl_err take_refusal(tl_synapse *synapse, tl_arena *arena, int status, tl_str body,
                           const tl_value_limits *limits, tl_errctx *ctx)
{
    tl_value value = tl_value_none();
    TL_TRY(tl_value_parse(&value, arena, body, limits, ctx));
    if (value.kind != TL_VALUE_DICT) {
        return tl_fail(ctx, TL_ERR_TYPE, "an object is expected, found %s",
                       tl_value_type_name(&value));
    }
    const tl_value *const message = tl_value_get(&value, TL_STR("message"));
    if (message != NULL && message->kind != TL_VALUE_STR && message->kind != TL_VALUE_NONE) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "message", "str is expected, found %s",
                             tl_value_type_name(message));
    }
    synapse->axon.status_code = tl_value_from_i64(status);
    synapse->axon.status_message = message != NULL ? *message : tl_value_none();
    return TL_OK;
}

tl_err tl_synapse_take_response(tl_synapse *synapse, tl_arena *arena, int status,
                                tl_str content_type, tl_http_headers headers, tl_str body,
                                const tl_value_limits *limits, tl_errctx *ctx)
{
    if (!is_json(content_type)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "content-type",
                             "application/json is expected, found \"%.*s\"",
                             TL_STR_ARG(tl_str_slice(content_type, 0, 64)));
    }
    TL_TRY(status == 200 ? take_model(synapse, arena, body, limits, ctx)
                         : take_refusal(synapse, arena, status, body, limits, ctx));
    return take_headers(synapse, arena, headers, ctx);
}

tl_err tl_synapse_take_stream_end(tl_synapse *synapse, tl_arena *arena, tl_http_headers headers,
                                  tl_errctx *ctx)
{
    return take_headers(synapse, arena, headers, ctx);
}
