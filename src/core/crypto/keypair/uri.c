/* Secret URIs: phrase, junctions, password. Which of these a URI has, how long they are and what the junctions say may
 * show in the time; what the phrase, the password and the hex say does not. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/crypto/keypair/keypair_internal.h"

/* All of Substrate's development keys come of this phrase. */
#define DEVELOPMENT_PHRASE "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

typedef struct uri_parts {
    tl_str phrase;   /* empty: the development phrase */
    tl_str path;     /* junctions with their slashes */
    tl_str password; /* without its slashes */
} uri_parts;

/* One question with one answer: the way there does not tell a digit from a letter. */
static bool is_phrase_char(char c)
{
    const unsigned x = (unsigned char)c, letter = (x | 32U) - 'a', digit = x - '0';
    const unsigned is_letter = (letter - 26U) & ~letter, is_digit = (digit - 10U) & ~digit;
    const unsigned is_space = (x ^ ' ') - 1U;
    return tl_reveal((is_letter | is_digit | is_space) >> 31 != 0); /* below 26, below 10, zero */
}

static tl_err fail_at(tl_errctx *ctx, size_t offset, const char *what)
{
    const tl_err err = tl_fail(ctx, TL_ERR_SYNTAX, "%s", what);
    tl_errctx_at(ctx, offset, 0, 0);
    return err;
}

/* One junction at path[*at], which is a slash: its text, and whether it is soft. */
static tl_err next_junction(tl_str *out, bool *out_is_soft, tl_str path, size_t *at, tl_errctx *ctx)
{
    const bool is_hard = *at + 1 < path.len && path.ptr[*at + 1] == '/';
    const size_t from = *at + (is_hard ? 2 : 1);
    size_t to = from;
    while (to < path.len && path.ptr[to] != '/') {
        to++;
    }
    if (to == from) {
        return fail_at(ctx, from, "a junction without text behind its slash");
    }
    *out = tl_str_slice(path, from, to);
    *out_is_soft = !is_hard;
    *at = to;
    return TL_OK;
}

static bool has_line_feed(tl_str password)
{
    unsigned found = 0;
    for (size_t i = 0; i < password.len; i++) {
        found |= ((unsigned)(unsigned char)password.ptr[i] ^ '\n') - 1U;
    }
    return tl_reveal(found >> 31 != 0);
}

/* That the junctions are UTF-8 is tl_junction_chain_code's to see; a password is bytes. */
static tl_err split(uri_parts *out, tl_str uri, tl_errctx *ctx)
{
    if (uri.len > TL_URI_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a secret URI of %zu bytes, above %d", uri.len,
                       TL_URI_LEN_MAX);
    }
    size_t at = 0;
    while (at < uri.len && is_phrase_char(uri.ptr[at])) {
        at++;
    }
    out->phrase = tl_str_slice(uri, 0, at);
    if (at < uri.len && uri.ptr[at] != '/') {
        return fail_at(ctx, at, "a phrase is letters, digits and spaces, then slashes");
    }
    size_t end = at;
    while (end < uri.len && !tl_str_starts_with(tl_str_slice(uri, end, uri.len), TL_STR("///"))) {
        end++;
    }
    out->path = tl_str_slice(uri, at, end);
    out->password = end < uri.len ? tl_str_slice(uri, end + 3, uri.len) : (tl_str){NULL, 0};
    if (has_line_feed(out->password)) {
        return fail_at(ctx, end, "the password holds a line feed");
    }
    return TL_OK;
}

/* Decimal u64 as Rust's parser takes it: a plus and leading zeros are fine; false when it is text. */
static bool parse_number(uint64_t *out, tl_str text)
{
    const size_t digits = tl_str_starts_with(text, TL_STR("+")) ? 1 : 0;
    uint64_t value = 0;
    for (size_t i = digits; i < text.len; i++) {
        const unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return text.len > digits;
}

/* SCALE text: its length as a compact number of one or two bytes, then itself. */
static size_t scale_text(uint8_t out[2 + TL_URI_LEN_MAX], tl_str text)
{
    size_t at = 0;
    if (text.len < 64) {
        out[at++] = (uint8_t)(text.len << 2);
    } else {
        out[at++] = (uint8_t)(text.len << 2 | 1);
        out[at++] = (uint8_t)(text.len >> 6);
    }
    memcpy(out + at, text.ptr, text.len);
    return at + text.len;
}

_Static_assert(TL_URI_LEN_MAX < 1 << 14, "a junction's length fits two bytes");

tl_err tl_junction_chain_code(uint8_t out[TL_CHAIN_CODE_LEN], tl_str junction, tl_errctx *ctx)
{
    if (junction.len == 0 || tl_str_find(junction, '/') < junction.len) {
        return tl_fail(ctx, TL_ERR_SYNTAX,
                       "a junction is one or more characters other than a slash");
    }
    if (junction.len > TL_URI_LEN_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "a junction of %zu bytes, above %d", junction.len,
                       TL_URI_LEN_MAX);
    }
    if (!tl_str_is_utf8(junction)) {
        return tl_fail(ctx, TL_ERR_ENCODING, "the junction is no UTF-8 text");
    }
    uint8_t text[2 + TL_URI_LEN_MAX];
    uint64_t number;
    if (parse_number(&number, junction)) {
        memset(out, 0, TL_CHAIN_CODE_LEN);
        for (size_t i = 0; i < 8; i++) {
            out[i] = (uint8_t)(number >> (8 * i));
        }
        return TL_OK;
    }
    const size_t len = scale_text(text, junction);
    if (len > TL_CHAIN_CODE_LEN) {
        tl_blake2b(out, TL_CHAIN_CODE_LEN, text, len);
    } else {
        memset(out, 0, TL_CHAIN_CODE_LEN);
        memcpy(out, text, len);
    }
    return TL_OK;
}

/* The mini-secret that phrase and password mean. A seed in hex is one already: a password behind it changes nothing. */
static tl_err root_seed(uint8_t out[TL_SEED_LEN], const uri_parts *parts, tl_errctx *ctx)
{
    if (tl_str_starts_with(parts->phrase, TL_STR("0x"))) {
        return tl_secret_unhex(out, TL_SEED_LEN, parts->phrase, ctx);
    }
    const tl_str phrase = parts->phrase.len != 0 ? parts->phrase : TL_STR(DEVELOPMENT_PHRASE);
    uint8_t seed[TL_MNEMONIC_SEED_LEN];
    TL_TRY(tl_mnemonic_seed(seed, phrase, parts->password, ctx));
    memcpy(out, seed, TL_SEED_LEN);
    tl_wipe(seed, sizeof seed);
    return TL_OK;
}

tl_err tl__secret_from_uri(tl__secret *out, const tl_scheme *scheme, tl_str uri, tl_errctx *ctx)
{
    uri_parts parts;
    uint8_t seed[TL_SEED_LEN];
    TL_TRY(split(&parts, uri, ctx));
    TL_TRY(root_seed(seed, &parts, ctx));
    scheme->ops->from_seed(out, seed);
    tl_wipe(seed, sizeof seed);
    size_t junctions = 0;
    for (size_t at = 0; at < parts.path.len;) {
        tl_str junction;
        bool is_soft;
        uint8_t chain_code[TL_CHAIN_CODE_LEN];
        if (++junctions > TL_URI_JUNCTIONS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "a secret URI of more than %d junctions",
                           TL_URI_JUNCTIONS_MAX);
        }
        TL_TRY(next_junction(&junction, &is_soft, parts.path, &at, ctx));
        TL_TRY(tl_junction_chain_code(chain_code, junction, ctx));
        TL_TRY(scheme->ops->derive(out, is_soft, chain_code, ctx));
    }
    return TL_OK;
}
