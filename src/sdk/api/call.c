/* A request in a handler's hands. */
#include "sdk/api/api_internal.h"
#include "sdk/axon/axon.h"

/* A tally_call is a tl_axon_call that nobody outside can look into. */
static const tl_axon_call *look(const tally_call *call)
{
    return (const tl_axon_call *)(const void *)call;
}

static tl_axon_call *hold(tally_call *call)
{
    return (tl_axon_call *)(void *)call;
}

const char *tally_call_sender(const tally_call *call)
{
    return tl__api_cstr(tl_axon_call_arena(look(call)), tl_axon_call_caller(look(call))->ss58);
}

const char *tally_call_protocol(const tally_call *call)
{
    return tl_axon_protocol_name(tl_axon_call_caller(look(call))->protocol);
}

const char *tally_call_peer(const tally_call *call)
{
    return tl_axon_call_caller(look(call))->address;
}

const char *tally_call_target(const tally_call *call)
{
    return tl__api_cstr(tl_axon_call_arena(look(call)), tl_axon_call_target(look(call)));
}

const uint8_t *tally_call_body(const tally_call *call, size_t *len)
{
    const tl_bytes body = tl_axon_call_body(look(call));
    *len = body.len;
    return body.ptr;
}

/* --- fields --- */

static const tl_value *find(const tally_call *call, const char *field)
{
    const tl_synapse *const synapse = tl_axon_call_synapse(look(call));
    return synapse != NULL ? tl_synapse_field_get(synapse, tl_str_from_cstr(field)) : NULL;
}

int tally_call_get_int(const tally_call *call, const char *field, int64_t *out)
{
    const tl_value *const value = find(call, field);
    return value != NULL ? (int)tl_value_as_i64(out, value, field, NULL) : TALLY_ERR_UNKNOWN;
}

int tally_call_get_float(const tally_call *call, const char *field, double *out)
{
    const tl_value *const value = find(call, field);
    return value != NULL ? (int)tl_value_as_f64(out, value, field, NULL) : TALLY_ERR_UNKNOWN;
}

const char *tally_call_get_text(const tally_call *call, const char *field)
{
    const tl_value *const value = find(call, field);
    return value != NULL && value->kind == TL_VALUE_STR
               ? tl__api_cstr(tl_axon_call_arena(look(call)), value->text)
               : NULL;
}

const char *tally_call_get_json(const tally_call *call, const char *field)
{
    const tl_value *const value = find(call, field);
    return value != NULL ? tl__api_json(tl_axon_call_arena(look(call)), value) : NULL;
}

static int set(tally_call *call, const char *field, const tl_value *value, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_synapse *const synapse = tl_axon_call_synapse(hold(call));
    if (synapse == NULL) {
        return tl__api_fail(error, TL_ERR_STATE, field, "the request is not for a synapse");
    }
    return tl__api_error(tl_synapse_set(synapse, tl_axon_call_arena(hold(call)),
                                        tl_str_from_cstr(field), value, &ctx),
                         &ctx, error);
}

int tally_call_set_int(tally_call *call, const char *field, int64_t value, tally_error *error)
{
    const tl_value made = tl_value_from_i64(value);
    return set(call, field, &made, error);
}

int tally_call_set_float(tally_call *call, const char *field, double value, tally_error *error)
{
    const tl_value made = tl_value_from_f64(value);
    return set(call, field, &made, error);
}

int tally_call_set_text(tally_call *call, const char *field, const char *value, tally_error *error)
{
    tl_value made = tl_value_none();
    if (value != NULL) {
        const char *const copy =
            tl__api_cstr(tl_axon_call_arena(hold(call)), tl_str_from_cstr(value));
        if (copy == NULL || !tl_str_is_utf8(tl_str_from_cstr(copy))) {
            return tl__api_fail(error, copy == NULL ? TL_ERR_NOMEM : TL_ERR_ENCODING, field,
                                copy == NULL ? "out of memory" : "the text is not UTF-8");
        }
        made = tl_value_from_str(tl_str_from_cstr(copy));
    }
    return set(call, field, &made, error);
}

int tally_call_set_json(tally_call *call, const char *field, const char *json, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *const arena = tl_axon_call_arena(hold(call));
    tl_str text = {NULL, 0};
    tl_value value = tl_value_none();
    tl_err err = tl_str_copy(&text, arena, tl_str_from_cstr(json), &ctx);
    if (err == TL_OK) {
        err = tl_value_parse(&value, arena, text, NULL, &ctx);
    }
    return err == TL_OK ? set(call, field, &value, error) : tl__api_error(err, &ctx, error);
}

/* --- answers --- */

void tally_call_answer(tally_call *call, int status, const char *content_type, const void *body,
                       size_t len)
{
    tl_axon_answer(hold(call), status, content_type, (tl_bytes){(const uint8_t *)body, len});
}

void tally_call_set_status(tally_call *call, int status, const char *message)
{
    tl_axon_set_status(hold(call), status, message);
}

void tally_call_stream_begin(tally_call *call, const char *content_type)
{
    tl_axon_stream_begin(hold(call), content_type != NULL ? content_type : "text/event-stream");
}

bool tally_call_stream_write(tally_call *call, const void *piece, size_t len)
{
    return tl_axon_stream_write(hold(call), (tl_bytes){(const uint8_t *)piece, len});
}

bool tally_call_is_gone(const tally_call *call)
{
    return tl_axon_call_is_gone(look(call));
}
