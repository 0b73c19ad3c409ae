/* Hotkeys and their SS58 addresses. */
#include "core/crypto/key/key.h"

#include <string.h>

#include "core/codec/base58/base58.h"
#include "core/crypto/hash/hash.h"

#define CHECKSUM_LEN 2
#define PAYLOAD_MAX  (2 + sizeof(tl_hotkey) + CHECKSUM_LEN)

_Static_assert(sizeof(tl_hotkey) == 32, "a hotkey is its 32 bytes");
_Static_assert(PAYLOAD_MAX <= TL_BASE58_BYTES_MAX, "an address fits base58's limit");

int tl_hotkey_cmp(const tl_hotkey *a, const tl_hotkey *b)
{
    return memcmp(a->b, b->b, sizeof a->b); /* KEY-3 */
}

bool tl_hotkey_eq(const tl_hotkey *a, const tl_hotkey *b)
{
    return tl_hotkey_cmp(a, b) == 0;
}

bool tl_ss58_prefix_is_valid(uint16_t prefix)
{
    return prefix <= TL_SS58_PREFIX_MAX && prefix != 46 && prefix != 47;
}

/* The prefixes of the SS58 registry (paritytech/ss58-registry), reserved ones left out: what the wallets of this network
 * take, measured with SDK 11.3 over all 16384. Ascending. */
static const uint16_t REGISTERED[] = {
    0,     1,     2,     3,     4,     5,     6,    7,    8,    9,     10,    11,    12,    13,
    14,    15,    16,    17,    18,    19,    20,   21,   22,   23,    24,    25,    26,    27,
    28,    29,    30,    31,    32,    33,    34,   35,   36,   37,    38,    39,    40,    41,
    42,    43,    44,    45,    48,    49,    50,   51,   52,   53,    54,    55,    56,    57,
    58,    63,    65,    66,    67,    68,    69,   71,   72,   73,    77,    78,    81,    88,
    89,    90,    92,    93,    98,    99,    100,  101,  105,  110,   113,   117,   126,   128,
    129,   131,   136,   137,   172,   252,   255,  268,  420,  440,   666,   777,   789,   995,
    1110,  1221,  1222,  1284,  1285,  1328,  1337, 1516, 1985, 2007,  2009,  2021,  2024,  2032,
    2092,  2106,  2112,  2199,  2206,  2207,  2254, 3333, 4450, 5234,  5845,  6094,  7007,  7013,
    7306,  7391,  8866,  8883,  8886,  8888,  9072, 9807, 9935, 10041, 11330, 11331, 11486, 11820,
    12155, 12191, 12850, 13116, 14697, 14998,
};

bool tl_ss58_prefix_is_registered(uint16_t prefix)
{
    size_t low = 0, high = sizeof REGISTERED / sizeof *REGISTERED;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (REGISTERED[middle] < prefix) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sizeof REGISTERED / sizeof *REGISTERED && REGISTERED[low] == prefix;
}

static void checksum(uint8_t out[CHECKSUM_LEN], const uint8_t *payload, size_t len)
{
    static const char domain[] = "SS58PRE";
    uint8_t digest[TL_BLAKE2B_OUT_MAX];
    tl_blake2b_state state;
    tl_blake2b_init(&state, sizeof digest);
    tl_blake2b_update(&state, domain, sizeof domain - 1);
    tl_blake2b_update(&state, payload, len);
    tl_blake2b_final(&state, digest);
    memcpy(out, digest, CHECKSUM_LEN);
}

size_t tl_ss58_encode(char out[TL_SS58_CAP], const tl_hotkey *key, uint16_t prefix)
{
    TL_ASSERT(tl_ss58_prefix_is_valid(prefix));
    uint8_t payload[PAYLOAD_MAX];
    size_t len = 0;
    if (prefix < 64) {
        payload[len++] = (uint8_t)prefix;
    } else {
        payload[len++] = (uint8_t)(0x40 | (prefix & 0xFC) >> 2);
        payload[len++] = (uint8_t)(prefix >> 8 | (prefix & 3) << 6);
    }
    memcpy(payload + len, key->b, sizeof key->b);
    len += sizeof key->b;
    checksum(payload + len, payload, len);
    len += CHECKSUM_LEN;
    char text[TL_BASE58_CAP];
    const size_t text_len = tl_base58_encode_var(text, payload, len);
    TL_ASSERT(text_len <= TL_SS58_TEXT_MAX);
    memcpy(out, text, text_len + 1);
    return text_len;
}

/* The prefix and how many bytes it takes. */
static tl_err read_prefix(uint16_t *out, size_t *out_len, const uint8_t *payload, size_t len,
                          tl_errctx *ctx)
{
    if (len < 2) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "the address holds %zu bytes: too few for a key", len);
    }
    if (payload[0] > 127) {
        return tl_fail(ctx, TL_ERR_RANGE, "the address begins with byte %u: no network's prefix",
                       payload[0]);
    }
    const bool is_simple = payload[0] < 64;
    const unsigned wide =
        (payload[0] & 0x3FU) << 2 | (unsigned)payload[1] >> 6 | (payload[1] & 0x3FU) << 8;
    const uint16_t prefix = is_simple ? payload[0] : (uint16_t)wide;
    if (!tl_ss58_prefix_is_valid(prefix)) {
        return tl_fail(ctx, TL_ERR_RANGE, "the address has the reserved prefix %u", prefix);
    }
    if (!is_simple && prefix < 64) {
        return tl_fail(ctx, TL_ERR_CANONICAL, "the address has prefix %u in two bytes, not one",
                       prefix);
    }
    *out = prefix;
    *out_len = is_simple ? 1 : 2;
    return TL_OK;
}

/* Key and prefix of any valid prefix, registered or not. */
static tl_err read_address(tl_hotkey *out, uint16_t *out_prefix, tl_str text, tl_errctx *ctx)
{
    if (text.len == 0 || text.len > TL_SS58_TEXT_MAX) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "an address of %zu characters: 1 to %d are possible",
                       text.len, TL_SS58_TEXT_MAX);
    }
    uint8_t payload[TL_BASE58_BYTES_MAX];
    size_t len;
    TL_TRY(tl_base58_decode_var(payload, &len, text, ctx));
    uint16_t prefix;
    size_t prefix_len;
    TL_TRY(read_prefix(&prefix, &prefix_len, payload, len, ctx));
    const size_t signed_len = prefix_len + sizeof out->b;
    if (len != signed_len + CHECKSUM_LEN) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "the address holds %zu bytes, not %zu", len,
                       signed_len + CHECKSUM_LEN);
    }
    uint8_t want[CHECKSUM_LEN];
    checksum(want, payload, signed_len);
    if (memcmp(want, payload + signed_len, CHECKSUM_LEN) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT,
                       "the checksum of the address does not match: a character is wrong");
    }
    memcpy(out->b, payload + prefix_len,
           sizeof out->b); /* KEY-1: one prefix form, one length; KEY-2 */
    *out_prefix = prefix;
    return TL_OK;
}

tl_err tl_ss58_decode_any(tl_hotkey *out, uint16_t *out_prefix, tl_str text, tl_errctx *ctx)
{
    tl_hotkey key;
    uint16_t prefix;
    TL_TRY(read_address(&key, &prefix, text, ctx));
    if (!tl_ss58_prefix_is_registered(prefix)) {
        return tl_fail(ctx, TL_ERR_RANGE, "the address has prefix %u, which no network registered",
                       prefix);
    }
    *out = key;
    *out_prefix = prefix;
    return TL_OK;
}

tl_err tl_ss58_decode(tl_hotkey *out, tl_str text, tl_errctx *ctx)
{
    if (text.len != TL_SS58_HOTKEY_LEN) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "a hotkey of %zu characters: its address has %d",
                       text.len, TL_SS58_HOTKEY_LEN);
    }
    /* 48 characters never hold the 36 bytes of a long prefix: those begin with 64 at least, which takes 49. */
    uint16_t prefix;
    return read_address(out, &prefix, text, ctx);
}

void tl_hotkey_print(tl_sb *sb, const tl_hotkey *key)
{
    char text[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(text, key, TL_SS58_PREFIX_GENERIC);
    tl_sb_put(sb, (tl_str){text, len});
}
