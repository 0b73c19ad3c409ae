/* The vectors of this room, and what its tests do with them. */
#ifndef TALLY_SDK_WALLET_TEST_GOLDEN_H
#define TALLY_SDK_WALLET_TEST_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json/json.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"
#include "sdk/wallet/wallet.h"

#ifndef TL_SOURCE_ROOT
#    define TL_SOURCE_ROOT "." /* only where this header is compiled alone */
#endif

static tl_arena *arena;
static const tl_json *golden;

static int open_golden(void **state)
{
    (void)state;
    tl_str text;
    return tl_wallet_arena_new(&arena, NULL) == TL_OK &&
                   tl_sys_read_file(&text, arena,
                                    TL_SOURCE_ROOT "/src/sdk/wallet/test/golden/wallet.json",
                                    1 << 20, NULL) == TL_OK &&
                   tl_json_parse(&golden, arena, text, NULL, NULL) == TL_OK
               ? 0
               : -1;
}

static int close_golden(void **state)
{
    (void)state;
    tl_arena_free(arena);
    return 0;
}

/* The text of a member, which must be there. */
static inline tl_str want(const tl_json *object, const char *key)
{
    tl_str text = {NULL, 0};
    assert_int_equal(tl_json_want_str(&text, object, key, NULL), TL_OK);
    return text;
}

static inline tl_bytes want_hex(const tl_json *object, const char *key)
{
    tl_bytes bytes = {NULL, 0};
    tl_str text = want(object, key);
    if (tl_str_starts_with(text, TL_STR("0x"))) {
        text = tl_str_slice(text, 2, text.len);
    }
    assert_int_equal(tl_hex_decode_bytes(&bytes, arena, text, NULL), TL_OK);
    return bytes;
}

static inline void assert_text(tl_str got, tl_str wanted)
{
    assert_int_equal(got.len, wanted.len);
    assert_memory_equal(got.ptr, wanted.ptr, wanted.len);
}

static inline tl_str json_text(const tl_json *value)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_tree(&w, value);
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

#endif
