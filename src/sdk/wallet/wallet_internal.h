/* What the files of this room share: the parts of encrypted files, so that damage is found before a password is tried,
 * and tests can open with a key that they know. */
#ifndef TALLY_SDK_WALLET_INTERNAL_H
#define TALLY_SDK_WALLET_INTERNAL_H

#include "sdk/wallet/wallet.h"

enum { TL__NACL_KEY_LEN = 32, TL__FERNET_KEY_LEN = 32, TL__ANSIBLE_KEY_LEN = 80 };

/* tl__sealed: an encrypted file taken apart; views into the file, or into an arena where it was decoded. */
typedef struct tl__sealed {
    tl_keyfile_kind kind;
    tl_bytes nonce;   /* NaCl: 24 bytes; Fernet: the IV, 16 bytes */
    tl_bytes salt;    /* Ansible */
    tl_bytes mac;     /* Ansible, Fernet: HMAC-SHA256, 32 bytes */
    tl_bytes covered; /* what mac is over */
    tl_bytes box;     /* the cipher text; NaCl: its tag first */
} tl__sealed;

/* tl__seal_parse: CORRUPT when the file cannot be whole. file is of another kind than plain (asserted). */
TL_MUST_USE tl_err tl__seal_parse(tl__sealed *out, tl_arena *arena, tl_bytes file, tl_errctx *ctx);

/* tl__seal_key: the key of a password: the costly step. out has room for TL__ANSIBLE_KEY_LEN bytes. */
TL_MUST_USE tl_err tl__seal_key(uint8_t *out, const tl__sealed *sealed, tl_str password,
                                tl_errctx *ctx);

/* tl__seal_open: the plain text. REFUSED when the key does not fit. */
TL_MUST_USE tl_err tl__seal_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed,
                                 const uint8_t *key, tl_errctx *ctx);

/* The two formats on OpenSSL's primitives (vault.c). */
TL_MUST_USE tl_err tl__ansible_parse(tl__sealed *out, tl_arena *arena, tl_bytes file,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err tl__ansible_key(uint8_t *out, const tl__sealed *sealed, tl_str password,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err tl__ansible_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed,
                                    const uint8_t *key, tl_errctx *ctx);
TL_MUST_USE tl_err tl__fernet_parse(tl__sealed *out, tl_arena *arena, tl_bytes file,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__fernet_key(uint8_t *out, tl_str password, tl_errctx *ctx);
TL_MUST_USE tl_err tl__fernet_open(tl_str *out, tl_arena *arena, const tl__sealed *sealed,
                                   const uint8_t *key, tl_errctx *ctx);

/* tl__wrong_password: the one answer to a key that does not fit. */
tl_err tl__wrong_password(tl_errctx *ctx);

/* tl__polkadot: a polkadot-js JSON taken apart. */
typedef struct tl__polkadot {
    bool has_scrypt;
    uint32_t n, p, r;
    tl_bytes salt;  /* 32 bytes where has_scrypt */
    tl_bytes nonce; /* 24 bytes */
    tl_bytes box;
    tl_str address; /* empty: none */
} tl__polkadot;

TL_MUST_USE tl_err tl__polkadot_parse(tl__polkadot *out, tl_arena *arena, tl_str json,
                                      tl_errctx *ctx);

/* tl__polkadot_key: the key pair of the decrypted bytes. */
TL_MUST_USE tl_err tl__polkadot_key(tl_keypair **out, tl_bytes pkcs8, tl_str address,
                                    tl_errctx *ctx);

/* tl__name_cmp: numbers by value, letters without case, then bytes: a total order. */
int tl__name_cmp(const char *a, const char *b);

#endif
