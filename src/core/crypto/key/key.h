/* key: who someone is: 32 bytes of a public key, and the text that people pass around.
 * For         naming participants; breaking ties by hotkey bytes
 * Takes       SS58 addresses                   Gives       hotkeys, compared by bytes and never by text
 * Calls       codec/base58, crypto/hash        Called by   ledger, consensus, epoch, subnet, io, app
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  KEY-1 decode(encode(key, prefix)) is (key, prefix), and encode(decode(text)) is text, for each prefix
 *                   that decode takes
 *             KEY-2 a refused text leaves out untouched
 *             KEY-3 order and equality are those of the 32 bytes
 *
 *      text = base58( prefix ‖ public key, 32 bytes ‖ checksum, 2 bytes )
 *      checksum = the first two bytes of BLAKE2b-512( "SS58PRE" ‖ prefix ‖ public key )
 *      prefix   0 … 63      one byte                     [prefix]
 *               64 … 16383  two bytes                    [01pppppp] [ppqqqqqq]   p: bits 7 … 0, q: bits 13 … 8
 *
 * The prefix names a network, not a key: one key has one valid spelling a prefix, and all of them mean the same
 * participant. So a hotkey in a submission may carry any prefix of one byte that gives 48 characters (42, the
 * generic one, in practice), and whoever looks for two submissions of one key compares keys. Prefixes 46 and 47 are
 * reserved and refused everywhere. On the wire and in wallets the prefix must be a registered one besides, as the
 * SDKs ask (wire spec section 4.7); a submission's may be any, since the portfolio spec does not ask. Encoding takes any
 * valid prefix.
 */
#ifndef TALLY_CORE_CRYPTO_KEY_H
#define TALLY_CORE_CRYPTO_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_hotkey: a participant. Wherever a rule breaks ties "by hotkey bytes", it means tl_hotkey_cmp. */
typedef struct tl_hotkey {
    uint8_t b[32];
} tl_hotkey;

int tl_hotkey_cmp(const tl_hotkey *a, const tl_hotkey *b); /* < 0, 0, > 0; by unsigned bytes */
bool tl_hotkey_eq(const tl_hotkey *a, const tl_hotkey *b);

#define TL_SS58_PREFIX_GENERIC 42
#define TL_SS58_PREFIX_MAX     16383
#define TL_SS58_HOTKEY_LEN     48 /* characters of a hotkey's address */
#define TL_SS58_TEXT_MAX       50 /* longest of any prefix: 36 bytes */
#define TL_SS58_CAP            (TL_SS58_TEXT_MAX + 1)

/* tl_ss58_prefix_is_valid: 0 … TL_SS58_PREFIX_MAX, but not 46 and 47. */
bool tl_ss58_prefix_is_valid(uint16_t prefix);

/* tl_ss58_prefix_is_registered: is it some network's in the SS58 registry? All but 59 to 62 and the reserved two below
 * 64, and some ninety above. */
bool tl_ss58_prefix_is_registered(uint16_t prefix);

/* tl_ss58_decode: the hotkey of a 48-character address; any valid prefix of one byte.
 * Errors, each with a message of its own: TL_ERR_SYNTAX for the length (characters, then bytes) and for a character
 * (with its offset), TL_ERR_RANGE for the prefix, TL_ERR_CORRUPT for the checksum. */
TL_MUST_USE tl_err tl_ss58_decode(tl_hotkey *out, tl_str text, tl_errctx *ctx);

/* tl_ss58_decode_any: the key and the prefix of an address of any registered prefix, whatever its length: the decoder
 * of wallets and of requests.
 * Errors: as tl_ss58_decode, TL_ERR_RANGE for an unregistered prefix too; TL_ERR_CANONICAL when a prefix below 64 is written as two bytes. */
TL_MUST_USE tl_err tl_ss58_decode_any(tl_hotkey *out, uint16_t *out_prefix, tl_str text,
                                      tl_errctx *ctx);

/* tl_ss58_encode: the address, NUL-terminated; returns its length. An invalid prefix is our own mistake: asserted. */
size_t tl_ss58_encode(char out[TL_SS58_CAP], const tl_hotkey *key, uint16_t prefix);

/* tl_hotkey_print: the address with the generic prefix, into a builder. */
void tl_hotkey_print(tl_sb *sb, const tl_hotkey *key);

#ifdef __cplusplus
}
#endif

#endif
