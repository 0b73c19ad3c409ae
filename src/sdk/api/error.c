/* Codes and contexts, across the border. */
#include <string.h>

#include "sdk/api/api_internal.h"

#define SAME_CODE(name, exit_code, text)                                                           \
    _Static_assert((int)TALLY_ERR_##name == (int)TL_ERR_##name, "API-1");
#define TALLY_ERR_INTERRUPTED TL_ERR_INTERRUPTED /* not public: nothing here is interrupted */
TL_ERR_MAP(SAME_CODE)

_Static_assert(sizeof(((tally_error *)0)->field) == TL_ERR_FIELD_CAP, "a field fits");
_Static_assert(sizeof(((tally_error *)0)->message) == TL_ERR_MESSAGE_CAP, "a message fits");
_Static_assert(sizeof(((tally_error *)0)->hint) == TL_ERR_HINT_CAP, "a hint fits");

const char *tally_code_name(int code)
{
    return tl_err_name(code >= 0 && code < TL_ERR_COUNT ? (tl_err)code : TL_ERR_INTERNAL);
}

const char *tally_version(void)
{
    return TALLY_VERSION;
}

int tl__api_error(tl_err err, const tl_errctx *ctx, tally_error *error)
{
    if (err != TL_OK && error != NULL) {
        error->code = (int)err;
        memcpy(error->field, ctx->field, sizeof error->field);
        memcpy(error->message, ctx->message, sizeof error->message);
        memcpy(error->hint, ctx->hint, sizeof error->hint);
    }
    return (int)err;
}

void tl__api_ctx(tl_errctx *ctx, int code, const tally_error *error)
{
    const tl_err err = code > 0 && code < TL_ERR_COUNT ? (tl_err)code : TL_ERR_INTERNAL;
    (void)tl_fail(ctx, err, "%.*s", (int)strnlen(error->message, sizeof error->message),
                  error->message);
}

int tl__api_fail(tally_error *error, tl_err err, const char *field, const char *message)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    return tl__api_error(tl_fail_field(&ctx, err, field, "%s", message), &ctx, error);
}

const char *tl__api_cstr(tl_arena *arena, tl_str text)
{
    const char *out = NULL;
    const bool is_cut = tl_str_find(text, '\0') < text.len;
    return !is_cut && tl_str_copy_cstr(&out, arena, text, NULL) == TL_OK ? out : NULL;
}

const char *tl__api_json(tl_arena *arena, const tl_value *value)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_value_put_json(&sb, value, TL_VALUE_REQUEST);
    return tl_sb_finish(&text, &sb, NULL) == TL_OK ? text.ptr : NULL;
}
