/* Attacks the form reader with anything, whole and in pieces: both must tell the same tale (FORM-1), keep no more than the
 * limits (FORM-2), and a body that ends well ends with its last boundary (FORM-3).
 *
 * The input: a byte that chooses the pieces; the boundary up to a line feed (empty: "XX"); the body. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "io/net/form/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FIELDS_MAX = 4, FIELD_LEN_MAX = 64 };

typedef struct tale {
    tl_sha256_state hash;
    size_t fields;
    bool has_file;
    bool in_file;
} tale;

static void tell(tale *t, tl_str s)
{
    const uint64_t len = s.len;
    tl_sha256_update(&t->hash, &len, sizeof len);
    tl_sha256_update(&t->hash, s.ptr, s.len);
}

static tl_err on_field(void *self, tl_str name, tl_str value, tl_errctx *ctx)
{
    tale *t = self;
    (void)ctx;
    TL_ASSERT(!t->has_file && ++t->fields <= FIELDS_MAX && value.len <= FIELD_LEN_MAX);
    TL_ASSERT(name.len > 0 && tl_str_is_utf8(name) && tl_str_is_utf8(value));
    tell(t, name);
    tell(t, value);
    return TL_OK;
}

static tl_err on_file_begin(void *self, const tl_form_file *file, tl_errctx *ctx)
{
    tale *t = self;
    (void)ctx;
    TL_ASSERT(!t->has_file);
    t->has_file = true;
    t->in_file = true;
    tell(t, file->name);
    tell(t, file->filename);
    tell(t, file->content_type);
    return TL_OK;
}

static tl_err on_file(void *self, tl_bytes piece, tl_errctx *ctx)
{
    tale *t = self;
    (void)ctx;
    TL_ASSERT(t->in_file && piece.len > 0);
    tl_sha256_update(&t->hash, piece.ptr, piece.len);
    return TL_OK;
}

static tl_err on_file_end(void *self, tl_errctx *ctx)
{
    tale *t = self;
    (void)ctx;
    TL_ASSERT(t->in_file);
    t->in_file = false;
    return TL_OK;
}

static tl_err read_form(tl_hash32 *out, tl_str type, tl_bytes body, size_t step)
{
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 1 << 20, NULL, NULL) != TL_OK) {
        return TL_ERR_NOMEM;
    }
    tale t = {.fields = 0};
    tl_sha256_init(&t.hash);
    const tl_form_calls calls = {&t, on_field, on_file_begin, on_file, on_file_end};
    const tl_form_limits limits = {.fields_max = FIELDS_MAX, .field_len_max = FIELD_LEN_MAX};
    tl_form *form = NULL;
    tl_err err = tl_form_new(&form, arena, type, &limits, &calls, NULL);
    for (size_t at = 0; err == TL_OK && at < body.len; at += step) {
        const size_t len = body.len - at < step ? body.len - at : step;
        err = tl_form_feed(form, (tl_bytes){body.ptr + at, len}, NULL);
    }
    if (form != NULL) {
        const tl_err end = tl_form_finish(form, NULL);
        TL_ASSERT(err == TL_OK || end == err);
        TL_ASSERT(end != TL_OK || !t.in_file);
        TL_ASSERT(t.has_file == tl_form_has_file(form));
        err = end;
    }
    tl_sha256_final(&t.hash, out);
    tl_arena_free(arena);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *line = len > 1 ? memchr(data + 1, '\n', len - 1) : NULL;
    if (line == NULL) {
        return 0;
    }
    const size_t named_len = (size_t)(line - data) - 1;
    const tl_str named = {(const char *)data + 1, named_len < 100 ? named_len : 100};
    const tl_str boundary = named.len > 0 ? named : TL_STR("XX");
    char type[160];
    const size_t type_len = tl_str_print(
        type, sizeof type, "multipart/form-data; boundary=\"%.*s\"", TL_STR_ARG(boundary));
    const tl_bytes body = {line + 1, len - (size_t)(line + 1 - data)};
    tl_hash32 whole;
    tl_hash32 pieces;
    const tl_err a = read_form(&whole, (tl_str){type, type_len}, body, body.len + 1);
    const tl_err b = read_form(&pieces, (tl_str){type, type_len}, body, 1 + (size_t)(data[0] % 17));
    TL_ASSERT(a == b);
    TL_ASSERT(a != TL_OK || memcmp(&whole, &pieces, sizeof whole) == 0);
    return 0;
}
