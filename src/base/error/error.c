#include "base/error/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ERR-2: the rows and the codes are one map. */
static const struct {
    const char *name;
    const char *text;
    int exit_code;
} err_table[TL_ERR_COUNT] = {{"TL_OK", "ok", 0},
#define TL_ERR_ROW(name, exit_code, text) {"TL_ERR_" #name, text, exit_code},
                             TL_ERR_MAP(TL_ERR_ROW)
#undef TL_ERR_ROW
};

static unsigned known(tl_err code)
{
    return (unsigned)code < TL_ERR_COUNT ? (unsigned)code : (unsigned)TL_ERR_INTERNAL;
}

const char *tl_err_name(tl_err code)
{
    return err_table[known(code)].name;
}

const char *tl_err_text(tl_err code)
{
    return err_table[known(code)].text;
}

int tl_err_exit(tl_err code)
{
    return err_table[known(code)].exit_code;
}

void tl_errctx_reset(tl_errctx *ctx)
{
    if (ctx != NULL) {
        *ctx = (tl_errctx)TL_ERRCTX_INIT;
    }
}

/* ERR-1: vsnprintf cuts at a byte; step back over a character that was cut in two. */
static void trim_cut_character(char *text, size_t cap, int wanted)
{
    if (wanted < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)wanted < cap) {
        return;
    }
    size_t end = cap - 1;
    size_t start = end;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0U) == 0x80U) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0U) {
        const unsigned char lead = (unsigned char)text[start - 1];
        const size_t need = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
        if (end - (start - 1) < need) {
            text[start - 1] = '\0';
        }
    }
}

__attribute__((format(printf, 3, 0))) static void put(char *text, size_t cap, const char *format,
                                                      va_list args)
{
    trim_cut_character(text, cap, vsnprintf(text, cap, format, args));
}

tl_err tl_fail_text(tl_errctx *ctx, tl_err code, const char *format, ...)
{
    TL_ASSERT(code != TL_OK);
    if (ctx != NULL) {
        tl_errctx_reset(ctx);
        ctx->code = code;
        va_list args;
        va_start(args, format);
        put(ctx->message, sizeof ctx->message, format, args);
        va_end(args);
    }
    return code;
}

tl_err tl_fail_field_text(tl_errctx *ctx, tl_err code, const char *field, const char *format, ...)
{
    TL_ASSERT(code != TL_OK);
    if (ctx != NULL) {
        tl_errctx_reset(ctx);
        ctx->code = code;
        const int wanted = snprintf(ctx->field, sizeof ctx->field, "%s", field);
        trim_cut_character(ctx->field, sizeof ctx->field, wanted);
        va_list args;
        va_start(args, format);
        put(ctx->message, sizeof ctx->message, format, args);
        va_end(args);
    }
    return code;
}

void tl_errctx_wrap(tl_errctx *ctx, const char *format, ...)
{
    if (ctx == NULL || ctx->code == TL_OK) {
        return;
    }
    char outer[TL_ERR_MESSAGE_CAP];
    va_list args;
    va_start(args, format);
    put(outer, sizeof outer, format, args);
    va_end(args);
    char whole[2 * TL_ERR_MESSAGE_CAP + 2];
    (void)snprintf(whole, sizeof whole, "%s: %s", outer, ctx->message);
    const int wanted = snprintf(ctx->message, sizeof ctx->message, "%s", whole);
    trim_cut_character(ctx->message, sizeof ctx->message, wanted);
}

void tl_errctx_under(tl_errctx *ctx, const char *format, ...)
{
    if (ctx == NULL || ctx->code == TL_OK) {
        return;
    }
    char parent[TL_ERR_FIELD_CAP];
    va_list args;
    va_start(args, format);
    put(parent, sizeof parent, format, args);
    va_end(args);
    const bool joint = ctx->field[0] != '\0' && ctx->field[0] != '[' && parent[0] != '\0';
    char whole[2 * TL_ERR_FIELD_CAP + 2];
    (void)snprintf(whole, sizeof whole, "%s%s%s", parent, joint ? "." : "", ctx->field);
    const int wanted = snprintf(ctx->field, sizeof ctx->field, "%s", whole);
    trim_cut_character(ctx->field, sizeof ctx->field, wanted);
}

void tl_errctx_hint(tl_errctx *ctx, const char *format, ...)
{
    if (ctx == NULL || ctx->code == TL_OK) {
        return;
    }
    va_list args;
    va_start(args, format);
    put(ctx->hint, sizeof ctx->hint, format, args);
    va_end(args);
}

void tl_errctx_at(tl_errctx *ctx, size_t offset, uint32_t line, uint32_t column)
{
    if (ctx == NULL || ctx->code == TL_OK) {
        return;
    }
    ctx->has_offset = true;
    ctx->offset = offset;
    ctx->line = line;
    ctx->column = column;
}

void tl_assert_failed(const char *claim, const char *file, int line)
{
    (void)fprintf(stderr, "tally: broken invariant: %s (%s:%d)\n", claim, file, line);
    abort();
}
