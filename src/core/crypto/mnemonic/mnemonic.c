/* Phrases and their entropy. Bits run from the high end of each byte: word i holds bits 11 i to 11 i + 10 of the
 * entropy with its checksum behind it. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/crypto/mnemonic/mnemonic_internal.h"

#define BITS_A_WORD 11

_Static_assert(1 << BITS_A_WORD == TL__MNEMONIC_WORDS_COUNT, "a word is 11 bits");
_Static_assert(TL_MNEMONIC_WORDS_MAX *BITS_A_WORD <= (TL_MNEMONIC_ENTROPY_MAX + 1) * 8,
               "24 words are 32 bytes and one of checksum");

/* All ones when a is b, else zero; no branch. */
static uint64_t mask_eq(uint64_t a, uint64_t b)
{
    const uint64_t differ = a ^ b;
    return ((differ | (0 - differ)) >> 63) - 1;
}

static uint64_t packed(const char word[TL__MNEMONIC_WORD_LEN_MAX])
{
    uint64_t x;
    memcpy(&x, word, sizeof x);
    return x;
}

uint32_t tl__mnemonic_find(const char word[TL__MNEMONIC_WORD_LEN_MAX])
{
    const uint64_t want = packed(word);
    uint64_t found = TL__MNEMONIC_WORDS_COUNT;
    for (uint64_t i = 0; i < TL__MNEMONIC_WORDS_COUNT; i++) { /* MNEM-2 */
        found ^= (found ^ i) & mask_eq(want, packed(tl__mnemonic_words[i]));
    }
    return (uint32_t)found;
}

void tl__mnemonic_pick(char out[TL__MNEMONIC_WORD_LEN_MAX], uint32_t index)
{
    uint64_t word = 0;
    for (uint64_t i = 0; i < TL__MNEMONIC_WORDS_COUNT; i++) { /* MNEM-2 */
        word |= packed(tl__mnemonic_words[i]) & mask_eq(i, index);
    }
    memcpy(out, &word, sizeof word);
}

static bool is_entropy_len(size_t len)
{
    return len >= 16 && len <= TL_MNEMONIC_ENTROPY_MAX && len % 4 == 0;
}

/* Entropy with its checksum's byte behind it. */
static void add_checksum(uint8_t bits[TL_MNEMONIC_ENTROPY_MAX + 1], size_t len)
{
    tl_sha256_state sha; /* its block holds the entropy */
    tl_hash32 digest;
    tl_sha256_init(&sha);
    tl_sha256_update(&sha, bits, len);
    tl_sha256_final(&sha, &digest);
    bits[len] = digest.b[0];
    tl_wipe(&sha, sizeof sha);
    tl_wipe(&digest, sizeof digest);
}

static uint32_t bits_at(const uint8_t *bits, size_t first)
{
    uint32_t value = 0;
    for (size_t i = first; i < first + BITS_A_WORD; i++) {
        value = value << 1 | (uint32_t)(bits[i / 8] >> (7 - i % 8) & 1);
    }
    return value;
}

tl_err tl_mnemonic_from_entropy(char out[TL_MNEMONIC_CAP], const uint8_t *entropy, size_t len,
                                tl_errctx *ctx)
{
    if (!is_entropy_len(len)) {
        return tl_fail(ctx, TL_ERR_RANGE,
                       "entropy of %zu bytes: a phrase holds 16, 20, 24, 28 or 32", len);
    }
    uint8_t bits[TL_MNEMONIC_ENTROPY_MAX + 1] = {0};
    memcpy(bits, entropy, len);
    add_checksum(bits, len);
    const size_t words = len / 4 * 3;
    size_t at = 0;
    for (size_t i = 0; i < words; i++) {
        char word[TL__MNEMONIC_WORD_LEN_MAX];
        tl__mnemonic_pick(word, bits_at(bits, i * BITS_A_WORD));
        for (size_t k = 0; k < sizeof word && tl_reveal(word[k] != '\0'); k++) {
            out[at++] = word[k];
        }
        out[at++] = ' ';
        tl_wipe(word, sizeof word);
    }
    TL_ASSERT(at <= TL_MNEMONIC_CAP);
    out[at - 1] = '\0';
    tl_wipe(bits, sizeof bits);
    return TL_OK;
}

tl_err tl_mnemonic_generate(char out[TL_MNEMONIC_CAP], size_t words, const tl_entropy *entropy,
                            tl_errctx *ctx)
{
    if (words % 3 != 0 || words > TL_MNEMONIC_WORDS_MAX || !is_entropy_len(words / 3 * 4)) {
        return tl_fail(ctx, TL_ERR_RANGE,
                       "a phrase of %zu words: 12, 15, 18, 21 or 24 are possible", words);
    }
    uint8_t bytes[TL_MNEMONIC_ENTROPY_MAX];
    tl_err err = tl_entropy_fill(entropy, bytes, words / 3 * 4, ctx);
    if (err == TL_OK) {
        err = tl_mnemonic_from_entropy(out, bytes, words / 3 * 4, ctx);
    }
    tl_wipe(bytes, sizeof bytes);
    return err;
}

/* The places of the spaces show, and of a letter no more than that it is none. */
static bool is_space(char c)
{
    const unsigned x = (unsigned char)c, control = x - '\t';
    const unsigned is_blank = (x ^ ' ') - 1U,
                   is_control = (control - 5U) & ~control; /* tab to CR */
    return tl_reveal((is_blank | is_control) >> 31 != 0);
}

/* The next word's index; false at the end. A word of more than eight letters is the index of none. */
static bool next_word(uint32_t *out, tl_str phrase, size_t *at)
{
    while (*at < phrase.len && is_space(phrase.ptr[*at])) {
        *at += 1;
    }
    if (*at == phrase.len) {
        return false;
    }
    char word[TL__MNEMONIC_WORD_LEN_MAX] = {0};
    size_t len = 0;
    for (; *at < phrase.len && !is_space(phrase.ptr[*at]); *at += 1, len++) {
        if (len < sizeof word) {
            const unsigned c = (unsigned char)phrase.ptr[*at];
            const unsigned is_upper = (c - 'A' < 26U);
            word[len] = (char)(c | is_upper << 5);
        }
    }
    *out = len <= sizeof word ? tl__mnemonic_find(word) : TL__MNEMONIC_WORDS_COUNT;
    tl_wipe(word, sizeof word);
    return true;
}

static void put_bits(uint8_t *bits, size_t first, uint32_t value)
{
    for (size_t i = 0; i < BITS_A_WORD; i++) {
        const size_t at = first + i;
        const uint32_t bit = value >> (BITS_A_WORD - 1 - i) & 1;
        bits[at / 8] = (uint8_t)(bits[at / 8] | bit << (7 - at % 8));
    }
}

/* All words as bits; how many there are. Which words is not told: a message is no place for a secret (MNEM-3). */
static tl_err read_words(uint8_t bits[TL_MNEMONIC_ENTROPY_MAX + 1], size_t *out_words,
                         tl_str phrase, tl_errctx *ctx)
{
    size_t words = 0, at = 0, unknown = 0;
    uint32_t index = 0;
    while (next_word(&index, phrase, &at)) {
        words++;
        if (tl_reveal(index == TL__MNEMONIC_WORDS_COUNT) && unknown == 0) {
            unknown = words;
        }
        if (words <= TL_MNEMONIC_WORDS_MAX && unknown == 0) {
            put_bits(bits, (words - 1) * BITS_A_WORD, index);
        }
    }
    index = 0;
    if (words % 3 != 0 || words > TL_MNEMONIC_WORDS_MAX || !is_entropy_len(words / 3 * 4)) {
        return tl_fail(ctx, TL_ERR_RANGE,
                       "a phrase of %zu words: 12, 15, 18, 21 or 24 are possible", words);
    }
    if (unknown != 0) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "word %zu of the phrase is not on the English list",
                       unknown);
    }
    *out_words = words;
    return TL_OK;
}

static tl_err check_sum(const uint8_t bits[TL_MNEMONIC_ENTROPY_MAX + 1], size_t len, tl_errctx *ctx)
{
    uint8_t again[TL_MNEMONIC_ENTROPY_MAX + 1];
    memcpy(again, bits, len);
    add_checksum(again, len);
    const unsigned unused = 8 - (unsigned)len / 4;
    const unsigned differ = (unsigned)(again[len] ^ bits[len]) >> unused;
    tl_wipe(again, sizeof again);
    if (tl_reveal(differ != 0)) {
        return tl_fail(
            ctx, TL_ERR_CORRUPT,
            "the checksum of the phrase does not match: a word is wrong or out of place");
    }
    return TL_OK;
}

tl_err tl_mnemonic_to_entropy(uint8_t out[TL_MNEMONIC_ENTROPY_MAX], size_t *out_len, tl_str phrase,
                              tl_errctx *ctx)
{
    if (phrase.len > TL_MNEMONIC_INPUT_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a phrase of %zu bytes, above %d", phrase.len,
                       TL_MNEMONIC_INPUT_MAX);
    }
    uint8_t bits[TL_MNEMONIC_ENTROPY_MAX + 1] = {0};
    size_t words = 0;
    tl_err err = read_words(bits, &words, phrase, ctx);
    const size_t len = words / 3 * 4;
    if (err == TL_OK) {
        err = check_sum(bits, len, ctx);
    }
    if (err == TL_OK) {
        memcpy(out, bits, len); /* MNEM-1, MNEM-3 */
        *out_len = len;
    }
    tl_wipe(bits, sizeof bits);
    return err;
}

tl_err tl_mnemonic_check(tl_str phrase, tl_errctx *ctx)
{
    uint8_t entropy[TL_MNEMONIC_ENTROPY_MAX];
    size_t len;
    const tl_err err = tl_mnemonic_to_entropy(entropy, &len, phrase, ctx);
    tl_wipe(entropy, sizeof entropy);
    return err;
}
