/* keypair: signature schemes as a table, and a key pair that stays in locked memory.
 * For         whoever signs a request or verifies one, without knowing how many schemes there are
 * Takes       seeds, phrases, secret URIs, private keys; public keys and signatures of any length
 * Gives       tl_keypair; signatures; strict verdicts
 * Calls       crypto/srverify, sr25519, ed25519, mnemonic, libsodium's guarded memory
 * Called by   sdk/wallet, sdk/auth, sdk/dendrite, app
 * Owns        a tl_keypair owns its pages: locked, guarded, read-only once made, wiped when freed
 * Threads     a tl_keypair never changes, so any number of threads may use it; free it from one
 * Invariants  PAIR-1 the public key of a pair is that of its secret: nobody signs with one under another
 *             PAIR-2 weak public keys (sr25519 identity; small-order or non-canonical ed25519) are refused everywhere
 *             PAIR-3 a refused seed, phrase, URI or key leaves out untouched, and no message repeats any of it
 *             PAIR-4 a pair holds a phrase only with its seed, and a seed only with its private key
 * Read        scheme.c, then keypair.c, then uri.c
 *
 *      from_mnemonic ─▶ phrase, seed, private        from_uri     ─▶ private
 *      from_seed     ─▶         seed, private        from_private ─▶ private     from_public ─▶ (cannot sign)
 *
 * A secret URI is  phrase  [ /soft | //hard ]*  [ ///password ]. No phrase means the development phrase, which the
 * whole world knows; a phrase that begins with 0x is 32 bytes of hex. A junction is a number (decimal u64: 8 bytes
 * little-endian) or text (SCALE), padded or hashed to 32 bytes. Wire spec sections 4.5, 4.6, 4.8, 4.10 and 9.3.
 */
#ifndef TALLY_CORE_CRYPTO_KEYPAIR_H
#define TALLY_CORE_CRYPTO_KEYPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/key/key.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- schemes: the allow list of the whole program --- */

/* tl_scheme: one row of the table; compare rows by pointer. The functions behind a row are the room's. */
typedef struct tl_scheme_ops tl_scheme_ops;
typedef struct tl_scheme {
    const char *name;     /* as it is signed and printed: "sr25519" */
    uint8_t code;         /* as key files and headers number it */
    uint16_t public_len;  /* bytes of a public key */
    uint16_t private_len; /* bytes of a private key as key files hold it */
    uint32_t signature_len_max;
    bool has_soft; /* are there soft junctions? */
    const tl_scheme_ops *ops;
} tl_scheme;

const tl_scheme *tl_scheme_sr25519(void);
const tl_scheme *tl_scheme_ed25519(void);

/* The table in the order of the codes. tl_scheme_at asserts index < tl_scheme_count(). */
size_t tl_scheme_count(void);
const tl_scheme *tl_scheme_at(size_t index);

/* Exactly that name, or that number; NULL when there is none. */
const tl_scheme *tl_scheme_by_name(tl_str name);
const tl_scheme *tl_scheme_by_code(uint64_t code);

/* tl_scheme_parse: as people and headers write it: name in any case or code ("sr25519", "Ed25519", "1", "0"), with
 * spaces around it. "01" is neither. NULL when it is no scheme. */
const tl_scheme *tl_scheme_parse(tl_str text);

/* tl_scheme_names: "ed25519 (0) or sr25519 (1)", for messages. Static text. */
const char *tl_scheme_names(void);

/* tl_scheme_key_is_strong: right length, a point, and none under which anyone can sign (PAIR-2). */
bool tl_scheme_key_is_strong(const tl_scheme *scheme, tl_bytes public_key);

/* tl_scheme_verify: strict. A key or signature of another length is false, as is a weak key (PAIR-2). The time
 * depends on the input: all of it is public. */
bool tl_scheme_verify(const tl_scheme *scheme, tl_bytes public_key, tl_bytes message,
                      tl_bytes signature);

/* tl_scheme_verify_wrapped: also true when the signature is over "<Bytes>" message "</Bytes>", which is what browser
 * extensions sign. The second form is tried only when the first fails.
 * scratch  for the wrapped copy, rewound on return; when it cannot hold that copy, the second form is not tried. */
bool tl_scheme_verify_wrapped(const tl_scheme *scheme, tl_bytes public_key, tl_bytes message,
                              tl_bytes signature, tl_arena *scratch);

/* --- which scheme for whom --- */

/* tl_scheme_pin: this key signs by this scheme and no other. An opponent who breaks one scheme must not be able to
 * choose it for a key of another one. */
typedef struct tl_scheme_pin {
    tl_hotkey key;
    const tl_scheme *scheme;
} tl_scheme_pin;

/* tl_scheme_policy: zero allows every scheme of the table and pins nothing. Views, the caller's. */
typedef struct tl_scheme_policy {
    const tl_scheme *const *allowed; /* NULL: all */
    size_t allowed_count;
    const tl_scheme_pin *pins; /* sorted by tl_scheme_pins_sort */
    size_t pins_count;
} tl_scheme_policy;

/* tl_scheme_pins_sort: by key bytes. Errors: TL_ERR_DUPLICATE when a key comes twice, its address in the message. */
TL_MUST_USE tl_err tl_scheme_pins_sort(tl_scheme_pin *pins, size_t count, tl_errctx *ctx);

/* tl_scheme_admit: may this key sign by this scheme? policy NULL is the zero policy.
 * Errors: TL_ERR_REFUSED, for a scheme that is not allowed and for one that is not the key's. */
TL_MUST_USE tl_err tl_scheme_admit(const tl_scheme_policy *policy, const tl_hotkey *key,
                                   const tl_scheme *scheme, tl_errctx *ctx);

/* --- key pairs --- */

#define TL_SEED_LEN          32
#define TL_URI_LEN_MAX       2048 /* bytes of a secret URI */
#define TL_URI_JUNCTIONS_MAX 32
#define TL_CHAIN_CODE_LEN    32

typedef struct tl_keypair tl_keypair;

/* Each gives a pair that tl_keypair_free frees; TL_ERR_NOMEM besides the errors named. */
TL_MUST_USE tl_err tl_keypair_from_seed(tl_keypair **out, const tl_scheme *scheme,
                                        const uint8_t seed[TL_SEED_LEN], tl_errctx *ctx);

/* With a password the phrase alone would lead to another key, so such a pair holds its seed and not its phrase.
 * Errors: those of tl_mnemonic_seed. */
TL_MUST_USE tl_err tl_keypair_from_mnemonic(tl_keypair **out, const tl_scheme *scheme,
                                            tl_str phrase, tl_str password, tl_errctx *ctx);

/* Soft junctions make the new nonce seed without entropy: one URI is one private key, whenever it is read (wallets of
 * the field draw it at random; the public key is the same). A password behind a seed in hex is passed over, as those
 * wallets do: a URI names the same key everywhere.
 * Errors: TL_ERR_SYNTAX (form, hex), TL_ERR_LIMIT (length, junctions), TL_ERR_ENCODING (a junction is not UTF-8),
 * TL_ERR_TYPE (a soft junction where the scheme has none), and those of tl_mnemonic_seed. */
TL_MUST_USE tl_err tl_keypair_from_uri(tl_keypair **out, const tl_scheme *scheme, tl_str uri,
                                       tl_errctx *ctx);

/* key  sr25519: 64 bytes, canonical scalar and nonce seed; ed25519: the seed. 32 bytes are a seed in both.
 * Errors: TL_ERR_SYNTAX for another length, TL_ERR_CANONICAL for a bad scalar. */
TL_MUST_USE tl_err tl_keypair_from_private(tl_keypair **out, const tl_scheme *scheme, tl_bytes key,
                                           tl_errctx *ctx);

/* A pair that can verify and be named, but not sign. Errors: TL_ERR_RANGE for a weak key (PAIR-2). */
TL_MUST_USE tl_err tl_keypair_from_public(tl_keypair **out, const tl_scheme *scheme,
                                          const tl_hotkey *public_key, tl_errctx *ctx);

void tl_keypair_free(tl_keypair *pair); /* wipes; NULL is fine */

const tl_hotkey *tl_keypair_public(const tl_keypair *pair); /* lives as long as the pair */
const tl_scheme *tl_keypair_scheme(const tl_keypair *pair);
bool tl_keypair_can_sign(const tl_keypair *pair);

/* tl_keypair_sign: a signature over the message as it is.
 *
 * out, cap  room; scheme->signature_len_max always suffices
 * len       bytes written
 * entropy   for schemes that want it (sr25519: 32 bytes); NULL makes a signature that is a function of key and message:
 *           safe, but two signings of one message are then the same bytes
 * Errors: TL_ERR_STATE when the pair cannot sign, TL_ERR_LIMIT when cap is too small, those of the entropy; out and len
 * are then untouched. */
TL_MUST_USE tl_err tl_keypair_sign(uint8_t *out, size_t cap, size_t *len, const tl_keypair *pair,
                                   tl_bytes message, const tl_entropy *entropy, tl_errctx *ctx);

/* What a key file may hold. Views into the locked pages: they live as long as the pair, and whoever copies one wipes
 * the copy. False, out untouched, when the pair has none. The phrase is in lower case with single spaces. */
bool tl_keypair_borrow_phrase(tl_str *out, const tl_keypair *pair);
bool tl_keypair_borrow_seed(tl_bytes *out, const tl_keypair *pair);
bool tl_keypair_borrow_private(tl_bytes *out, const tl_keypair *pair);

/* tl_junction_chain_code: what a junction's text stands for, without its slashes.
 * Errors: TL_ERR_SYNTAX when it is empty or has a slash, TL_ERR_ENCODING, TL_ERR_LIMIT (TL_URI_LEN_MAX). */
TL_MUST_USE tl_err tl_junction_chain_code(uint8_t out[TL_CHAIN_CODE_LEN], tl_str junction,
                                          tl_errctx *ctx);

/* tl_secret_unhex: len bytes from exactly 2 * len hex digits, either case, with or without 0x before them, in a time
 * that does not depend on them. Errors: TL_ERR_SYNTAX, without saying where; out is then wiped. */
TL_MUST_USE tl_err tl_secret_unhex(uint8_t *out, size_t len, tl_str text, tl_errctx *ctx);

/* tl_secret_hex: the other way: 2 * len digits and a NUL into out. */
void tl_secret_hex(char *out, const void *secret, size_t len);

#ifdef __cplusplus
}
#endif

#endif
