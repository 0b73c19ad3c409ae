/* What the sources of the room share: the word list and the look-up that does not tell what it looks for. */
#ifndef TALLY_CORE_CRYPTO_MNEMONIC_INTERNAL_H
#define TALLY_CORE_CRYPTO_MNEMONIC_INTERNAL_H

#include <stdint.h>

#include "core/crypto/mnemonic/mnemonic.h"

#define TL__MNEMONIC_WORDS_COUNT  2048
#define TL__MNEMONIC_WORD_LEN_MAX 8

/* Padded with NULs, no NUL behind a word of eight letters. */
extern const char tl__mnemonic_words[TL__MNEMONIC_WORDS_COUNT][TL__MNEMONIC_WORD_LEN_MAX];

/* The index of a padded word, or TL__MNEMONIC_WORDS_COUNT: reads the whole list, whatever the word (MNEM-2). */
uint32_t tl__mnemonic_find(const char word[TL__MNEMONIC_WORD_LEN_MAX]);

/* The padded word at an index below TL__MNEMONIC_WORDS_COUNT: reads the whole list, too. */
void tl__mnemonic_pick(char out[TL__MNEMONIC_WORD_LEN_MAX], uint32_t index);

#endif
