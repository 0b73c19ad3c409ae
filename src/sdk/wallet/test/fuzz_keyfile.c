/* Attacks key files with anything: plain ones, encrypted ones up to the password, polkadot-js JSON up to the password and
 * behind it. What is read as a key is written in our form, and that gives the same key, byte for byte again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdk/wallet/wallet_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static tl_str encoded(tl_arena *arena, const tl_keypair *pair)
{
    tl_str text = {NULL, 0};
    const tl_err err = tl_keyfile_encode(&text, arena, pair, NULL);
    TL_ASSERT(err == TL_OK);
    return text;
}

static void read_plain(tl_arena *arena, tl_bytes file)
{
    tl_keypair *pair = NULL;
    tl_keypair *again = NULL;
    if (tl_keyfile_decode(&pair, file, NULL) != TL_OK) {
        TL_ASSERT(pair == NULL);
        return;
    }
    const tl_str text = encoded(arena, pair);
    const tl_err err = tl_keyfile_decode(&again, tl_str_bytes(text), NULL);
    TL_ASSERT(err == TL_OK); /* WAL-1: what we write does not contradict itself */
    TL_ASSERT(tl_hotkey_eq(tl_keypair_public(pair), tl_keypair_public(again)));
    TL_ASSERT(tl_keypair_scheme(pair) == tl_keypair_scheme(again));
    TL_ASSERT(tl_keypair_can_sign(pair) == tl_keypair_can_sign(again));
    TL_ASSERT(tl_str_eq(text, encoded(arena, again)));
    tl_keypair_free(pair);
    tl_keypair_free(again);
}

static void open_sealed(tl_arena *arena, tl_bytes file)
{
    static const uint8_t key[TL__ANSIBLE_KEY_LEN]; /* deriving one takes 512 MiB: any will do */
    tl__sealed sealed;
    tl_str plain = {NULL, 0};
    if (tl__seal_parse(&sealed, arena, file, NULL) == TL_OK) {
        TL_ASSERT(sealed.kind == tl_keyfile_kind_of(file));
        if (tl__seal_open(&plain, arena, &sealed, key, NULL) == TL_OK) {
            read_plain(arena, tl_str_bytes(plain));
        }
    }
}

static void read_polkadot(tl_arena *arena, tl_bytes file)
{
    tl__polkadot parts;
    tl_keypair *pair = NULL;
    if (tl__polkadot_parse(&parts, arena, (tl_str){(const char *)file.ptr, file.len}, NULL) ==
        TL_OK) {
        TL_ASSERT(parts.nonce.len == 24 && parts.box.len > 16);
    }
    if (tl__polkadot_key(&pair, file, TL_STR(""), NULL) == TL_OK) {
        (void)encoded(arena, pair);
        tl_keypair_free(pair);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_bytes file = {data, len};
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    if (tl_keyfile_kind_of(file) == TL_KEYFILE_PLAIN) {
        read_plain(arena, file);
        read_polkadot(arena, file);
    } else {
        open_sealed(arena, file);
    }
    tl_arena_free(arena);
    return 0;
}
