/* What the tests of core/crypto share: figures of a golden file by name, as bytes and text. */
#ifndef TALLY_CORE_CRYPTO_TEST_GOLDEN_H
#define TALLY_CORE_CRYPTO_TEST_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena/arena.h"
#include "base/json/json.h"
#include "base/str/str.h"
#include "core/codec/hex/hex.h"

#define GOLDEN_LEN_MAX ((size_t)1 << 18)

typedef struct golden {
    tl_arena *arena;
    const tl_json *root;
} golden;

/* golden_open: the file below src/core/crypto; freed by golden_close. */
#define golden_open(path) golden_open_file(TL_SOURCE_ROOT "/src/core/crypto/" path)

static inline golden golden_open_file(const char *path)
{
    golden g = {NULL, NULL};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(tl_arena_new(&g.arena, NULL, 0, NULL, NULL), TL_OK);
    char *text = TL_NEW(g.arena, char, GOLDEN_LEN_MAX);
    assert_non_null(text);
    const size_t len = fread(text, 1, GOLDEN_LEN_MAX, f);
    assert_true(len > 0 && len < GOLDEN_LEN_MAX);
    (void)fclose(f);
    assert_int_equal(tl_json_parse(&g.root, g.arena, (tl_str){text, len}, NULL, NULL), TL_OK);
    return g;
}

static inline void golden_close(golden *g)
{
    tl_arena_free(g->arena);
    *g = (golden){NULL, NULL};
}

/* The array of that name, which must not be empty. */
static inline const tl_json *golden_rows(const golden *g, const char *name)
{
    const tl_json *rows = tl_json_get(g->root, name);
    assert_non_null(rows);
    assert_int_equal(rows->kind, TL_JSON_ARRAY);
    assert_true(rows->count > 0);
    return rows;
}

static inline bool golden_has(const tl_json *row, const char *name)
{
    return tl_json_get(row, name) != NULL;
}

static inline tl_str golden_str(const tl_json *row, const char *name)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_json_want_str(&text, row, name, NULL), TL_OK);
    return text;
}

static inline int64_t golden_i64(const tl_json *row, const char *name)
{
    int64_t value = 0;
    assert_int_equal(tl_json_want_i64(&value, row, name, NULL), TL_OK);
    return value;
}

static inline bool golden_bool(const tl_json *row, const char *name)
{
    bool value = false;
    assert_int_equal(tl_json_want_bool(&value, row, name, NULL), TL_OK);
    return value;
}

/* Hex text as bytes, with or without 0x. */
static inline tl_bytes golden_unhex(const golden *g, tl_str text)
{
    tl_bytes bytes = {NULL, 0};
    if (tl_str_starts_with(text, TL_STR("0x"))) {
        text = tl_str_slice(text, 2, text.len);
    }
    assert_int_equal(tl_hex_decode_bytes(&bytes, g->arena, text, NULL), TL_OK);
    return bytes;
}

static inline tl_bytes golden_hex(const golden *g, const tl_json *row, const char *name)
{
    return golden_unhex(g, golden_str(row, name));
}

/* The bytes of that name, exactly len of them. */
static inline const uint8_t *golden_bytes(const golden *g, const tl_json *row, const char *name,
                                          size_t len)
{
    const tl_bytes bytes = golden_hex(g, row, name);
    assert_int_equal(bytes.len, len);
    return bytes.ptr;
}

#endif
