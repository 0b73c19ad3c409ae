/* The reader: every primitive asks take() for its bytes, and take() is the one place that can run out. */
#include <string.h>

#include "core/codec/scale/scale.h"

void tl_scale_reader_init(tl_scale_reader *r, tl_bytes input)
{
    *r = (tl_scale_reader){.input = input, .err = TL_OK};
}

/* The first failure sticks, and the cursor goes back to where the failed value began (SCALE-1). */
static void fail_at(tl_scale_reader *r, size_t at, tl_err err, const char *what)
{
    if (r->err == TL_OK) {
        r->at = at;
        r->err = err;
        r->what = what;
    }
}

void tl_scale_reader_fail(tl_scale_reader *r, tl_err err, const char *what)
{
    TL_ASSERT(err != TL_OK);
    fail_at(r, r->at, err, what);
}

static const uint8_t *take(tl_scale_reader *r, size_t len)
{
    if (r->err != TL_OK) {
        return NULL;
    }
    TL_ASSERT(r->at <= r->input.len);
    if (len > r->input.len - r->at) {
        fail_at(r, r->at, TL_ERR_SYNTAX, "the bytes end inside a value");
        return NULL;
    }
    static const uint8_t nothing[1];
    const uint8_t *p =
        len != 0 ? r->input.ptr + r->at : nothing; /* an empty input may have no pointer */
    r->at += len;
    return p;
}

static uint64_t load_le(const uint8_t *p, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

static uint64_t read_le(tl_scale_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    return p != NULL ? load_le(p, len) : 0;
}

uint8_t tl_scale_read_u8(tl_scale_reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t tl_scale_read_u16(tl_scale_reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t tl_scale_read_u32(tl_scale_reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t tl_scale_read_u64(tl_scale_reader *r)
{
    return read_le(r, 8);
}

tl_u128 tl_scale_read_u128(tl_scale_reader *r)
{
    const uint8_t *p = take(r, 16);
    return p != NULL ? (tl_u128)load_le(p + 8, 8) << 64 | load_le(p, 8) : 0;
}

/* Two's complement: the conversions are the compilers' documented ones, and the tests hold them. */
int8_t tl_scale_read_i8(tl_scale_reader *r)
{
    return (int8_t)tl_scale_read_u8(r);
}

int16_t tl_scale_read_i16(tl_scale_reader *r)
{
    return (int16_t)tl_scale_read_u16(r);
}

int32_t tl_scale_read_i32(tl_scale_reader *r)
{
    return (int32_t)tl_scale_read_u32(r);
}

int64_t tl_scale_read_i64(tl_scale_reader *r)
{
    return (int64_t)tl_scale_read_u64(r);
}

tl_i128 tl_scale_read_i128(tl_scale_reader *r)
{
    return (tl_i128)tl_scale_read_u128(r);
}

bool tl_scale_read_bool(tl_scale_reader *r)
{
    const size_t begin = r->at;
    const uint8_t value = tl_scale_read_u8(r);
    if (value > 1) {
        fail_at(r, begin, TL_ERR_SYNTAX, "a bool that is neither 0 nor 1");
    }
    return value == 1;
}

bool tl_scale_read_option(tl_scale_reader *r)
{
    const size_t begin = r->at;
    const uint8_t value = tl_scale_read_u8(r);
    if (value > 1) {
        fail_at(r, begin, TL_ERR_SYNTAX, "an option that is neither 0 nor 1");
    }
    return value == 1;
}

uint8_t tl_scale_read_variant(tl_scale_reader *r, unsigned count)
{
    TL_ASSERT(count >= 1 && count <= 256);
    const size_t begin = r->at;
    const uint8_t value = tl_scale_read_u8(r);
    if (value >= count) {
        fail_at(r, begin, TL_ERR_SYNTAX, "an enum has no such variant");
        return 0;
    }
    return value;
}

/* Bytes of the value without trailing zeros; the form must be the shortest (SCALE-2). */
size_t tl_scale_read_compact_wide(tl_scale_reader *r, uint8_t out[TL_SCALE_COMPACT_MAX])
{
    const size_t begin = r->at;
    memset(out, 0, TL_SCALE_COMPACT_MAX);
    const uint8_t *first = take(r, 1);
    if (first == NULL) {
        return 0;
    }
    const unsigned form = *first & 3U;
    const size_t more = form == 0 ? 0 : form == 1 ? 1 : form == 2 ? 3 : (*first >> 2) + 4U;
    const uint8_t *rest = take(r, more);
    if (rest == NULL) {
        r->at = begin;
        return 0;
    }
    bool is_shortest;
    size_t len = 0;
    if (form == 3) {
        len = more;
        memcpy(out, rest, len);
        is_shortest = out[len - 1] != 0 && (len > 4 || out[3] >= 0x40);
    } else {
        const uint64_t value = (load_le(rest, more) << 8 | *first) >> 2;
        is_shortest = form == 0 || value >> (form == 1 ? 6 : 14) != 0;
        for (uint64_t left = value; left != 0; left >>= 8) {
            out[len++] = (uint8_t)left;
        }
    }
    if (!is_shortest) {
        fail_at(r, begin, TL_ERR_CANONICAL, "a compact integer in a longer form than needed");
        memset(out, 0, TL_SCALE_COMPACT_MAX);
        return 0;
    }
    return len;
}

static uint64_t read_compact(tl_scale_reader *r, size_t len_max)
{
    const size_t begin = r->at;
    uint8_t wide[TL_SCALE_COMPACT_MAX];
    const size_t len = tl_scale_read_compact_wide(r, wide);
    if (len > len_max) {
        fail_at(r, begin, TL_ERR_RANGE, "a compact integer too large for its type");
        return 0;
    }
    return load_le(wide, len);
}

uint16_t tl_scale_read_compact_u16(tl_scale_reader *r)
{
    return (uint16_t)read_compact(r, 2);
}

uint32_t tl_scale_read_compact_u32(tl_scale_reader *r)
{
    return (uint32_t)read_compact(r, 4);
}

uint64_t tl_scale_read_compact_u64(tl_scale_reader *r)
{
    return read_compact(r, 8);
}

tl_u128 tl_scale_read_compact_u128(tl_scale_reader *r)
{
    const size_t begin = r->at;
    uint8_t wide[TL_SCALE_COMPACT_MAX];
    if (tl_scale_read_compact_wide(r, wide) > 16) {
        fail_at(r, begin, TL_ERR_RANGE, "a compact integer too large for its type");
        return 0;
    }
    return (tl_u128)load_le(wide + 8, 8) << 64 | load_le(wide, 8);
}

size_t tl_scale_read_count(tl_scale_reader *r, size_t count_max, size_t element_len_min)
{
    const size_t begin = r->at;
    const uint64_t count = read_compact(r, 8);
    if (count > count_max) {
        fail_at(r, begin, TL_ERR_LIMIT, "a vector of too many elements");
        return 0;
    }
    if (element_len_min != 0 && count > (r->input.len - r->at) / element_len_min) { /* SCALE-3 */
        fail_at(r, begin, TL_ERR_SYNTAX, "a vector of more elements than bytes follow");
        return 0;
    }
    return (size_t)count;
}

tl_bytes tl_scale_read_view(tl_scale_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    return p != NULL ? (tl_bytes){p, len} : (tl_bytes){NULL, 0};
}

void tl_scale_read_fixed(tl_scale_reader *r, uint8_t *out, size_t len)
{
    const uint8_t *p = take(r, len);
    if (p == NULL) {
        memset(out, 0, len);
    } else if (len != 0) {
        memcpy(out, p, len);
    }
}

tl_bytes tl_scale_read_bytes(tl_scale_reader *r, size_t len_max)
{
    return tl_scale_read_view(r, tl_scale_read_count(r, len_max, 1));
}

tl_str tl_scale_read_str(tl_scale_reader *r, size_t len_max)
{
    const size_t begin = r->at;
    const tl_bytes bytes = tl_scale_read_bytes(r, len_max);
    const tl_str text = {(const char *)bytes.ptr, bytes.len};
    if (!tl_str_is_utf8(text)) {
        fail_at(r, begin, TL_ERR_ENCODING, "text that is not UTF-8");
        return (tl_str){NULL, 0};
    }
    return text;
}

tl_err tl_scale_reader_check(const tl_scale_reader *r, tl_errctx *ctx)
{
    if (r->err == TL_OK) {
        return TL_OK;
    }
    const tl_err err = tl_fail(ctx, r->err, "%s, at byte %zu of %zu", r->what, r->at, r->input.len);
    tl_errctx_at(ctx, r->at, 0, 0);
    return err;
}

tl_err tl_scale_reader_finish(const tl_scale_reader *r, tl_errctx *ctx)
{
    TL_TRY(tl_scale_reader_check(r, ctx));
    if (r->at != r->input.len) {
        const tl_err err =
            tl_fail(ctx, TL_ERR_SYNTAX, "%zu bytes follow the last value, at byte %zu",
                    r->input.len - r->at, r->at);
        tl_errctx_at(ctx, r->at, 0, 0);
        return err;
    }
    return TL_OK;
}
