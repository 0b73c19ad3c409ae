/**
 * @file
 * Keys and wallets: sr25519 and ed25519 key pairs in locked memory, and the files that Bittensor's wallets keep.
 *
 * A tally_key never changes: any number of threads may use it, one frees it.
 */
#ifndef TALLY_KEY_H
#define TALLY_KEY_H

#include <tally/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A key pair, or the public half of one. */
typedef struct tally_key tally_key;

/** Room for a phrase of 24 words. */
#define TALLY_PHRASE_CAP 256

/** A key from a secret URI: "//Alice", a mnemonic or 0x and a seed, each with derivations behind it.
 * @param out freed by tally_key_free()
 * @param uri the secret
 * @param scheme "sr25519" or "ed25519"; NULL is sr25519
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_key_from_uri(tally_key **out, const char *uri, const char *scheme,
                                 tally_error *error);

/** The public half alone: it verifies and is named, but does not sign.
 * @param out freed by tally_key_free()
 * @param address SS58
 * @param scheme "sr25519" or "ed25519"; NULL is sr25519
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_key_from_address(tally_key **out, const char *address, const char *scheme,
                                     tally_error *error);

/** A key from a wallet's file.
 * @param out freed by tally_key_free()
 * @param root the folder of wallets; NULL is ~/.bittensor/wallets
 * @param wallet its name; NULL is "default"
 * @param hotkey the hotkey's name; NULL reads the coldkey
 * @param password of an encrypted file; NULL if it is plain
 * @param error may be NULL
 * @return 0 or a code; TALLY_ERR_REFUSED for a wrong password */
TALLY_API int tally_key_from_wallet(tally_key **out, const char *root, const char *wallet,
                                    const char *hotkey, const char *password, tally_error *error);

/** Writes a key into a wallet, so that every release of Bittensor's wallets opens it.
 * @param key it can sign
 * @param root the folder of wallets; NULL is ~/.bittensor/wallets
 * @param wallet its name; NULL is "default"
 * @param hotkey the hotkey's name; NULL writes the coldkey
 * @param password encrypts the file; NULL leaves it plain
 * @param may_overwrite otherwise a file that is there stays, and TALLY_ERR_REFUSED is returned
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_key_save(const tally_key *key, const char *root, const char *wallet,
                             const char *hotkey, const char *password, bool may_overwrite,
                             tally_error *error);

/** A new mnemonic, from the system's entropy.
 * @param out the words, ended by a NUL; wipe it when it is stored elsewhere
 * @param words 12, 15, 18, 21 or 24
 * @param error may be NULL
 * @return 0 or a code */
TALLY_API int tally_phrase_generate(char out[TALLY_PHRASE_CAP], unsigned words, tally_error *error);

/** Wipes and frees.
 * @param key NULL is fine */
TALLY_API void tally_key_free(tally_key *key);

/** The SS58 address.
 * @param key whose
 * @return lives as long as the key */
TALLY_API const char *tally_key_address(const tally_key *key);

/** The name of the scheme.
 * @param key whose
 * @return "sr25519" or "ed25519" */
TALLY_API const char *tally_key_scheme(const tally_key *key);

/** The public key.
 * @param key whose
 * @param len receives its length in bytes
 * @return lives as long as the key */
TALLY_API const uint8_t *tally_key_public(const tally_key *key, size_t *len);

/** How many bytes a signature of this key has at most.
 * @param key whose
 * @return 64 for the schemes of today; newer ones have more */
TALLY_API size_t tally_key_signature_max(const tally_key *key);

/** Signs a message as it is.
 * @param key it can sign
 * @param message the bytes
 * @param message_len how many
 * @param signature room for them
 * @param cap at least tally_key_signature_max()
 * @param signature_len receives the length
 * @param error may be NULL
 * @return 0 or a code; TALLY_ERR_STATE when the key has no secret */
TALLY_API int tally_key_sign(const tally_key *key, const void *message, size_t message_len,
                             uint8_t *signature, size_t cap, size_t *signature_len,
                             tally_error *error);

/** Does a signature hold? Weak keys and other lengths are false.
 * @param key whose signature it should be
 * @param message the bytes
 * @param message_len how many
 * @param signature the bytes
 * @param signature_len how many
 * @return the verdict */
TALLY_API bool tally_key_verify(const tally_key *key, const void *message, size_t message_len,
                                const uint8_t *signature, size_t signature_len);

#ifdef __cplusplus
}
#endif

#endif
