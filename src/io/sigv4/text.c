/* The small texts of a signature: encoded names, times, and the HMAC under all of it. */
#include "io/sigv4/sigv4.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <time.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void tl_sigv4_encode(tl_sb *sb, tl_str s, bool keep_slash)
{
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        if (is_plain(c) || (c == '/' && keep_slash)) {
            tl_sb_put_char(sb, c);
        } else {
            tl_sb_printf(sb, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

tl_err tl_sigv4_decode(tl_str *out, tl_arena *arena, tl_str s, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '%') {
            tl_sb_put_char(&sb, s.ptr[i]);
            continue;
        }
        const int high = i + 2 < s.len ? digit(s.ptr[i + 1]) : -1;
        const int low = i + 2 < s.len ? digit(s.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            const tl_err err = tl_fail(ctx, TL_ERR_SYNTAX, "a bad %% in an encoded text");
            tl_errctx_at(ctx, i, 0, 0);
            return err;
        }
        tl_sb_put_char(&sb, (char)(high * 16 + low));
        i += 2;
    }
    return tl_sb_finish(out, &sb, ctx);
}

void tl_sigv4_time(char out[TL_SIGV4_TIME_CAP], int64_t time_s)
{
    const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
    const time_t t = (time_t)(time_s < 0 ? 0 : time_s > last ? last : time_s);
    struct tm tm = {0};
    (void)gmtime_r(&t, &tm);
    (void)tl_str_print(out, TL_SIGV4_TIME_CAP, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool tl_sigv4_parse_time(int64_t *out, tl_str text)
{
    static const char form[] = "ddddddddTddddddZ";
    int at[14];
    size_t count = 0;
    if (text.len != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (form[i] != 'd' && text.ptr[i] != form[i]) {
            return false;
        }
        if (form[i] == 'd') {
            at[count] = text.ptr[i] - '0';
            if (at[count] < 0 || at[count] > 9) {
                return false;
            }
            count++;
        }
    }
    struct tm tm = {
        .tm_year = at[0] * 1000 + at[1] * 100 + at[2] * 10 + at[3] - 1900,
        .tm_mon = at[4] * 10 + at[5] - 1,
        .tm_mday = at[6] * 10 + at[7],
        .tm_hour = at[8] * 10 + at[9],
        .tm_min = at[10] * 10 + at[11],
        .tm_sec = at[12] * 10 + at[13],
    };
    const time_t t = timegm(&tm);
    char again[TL_SIGV4_TIME_CAP];
    tl_sigv4_time(again, (int64_t)t);
    if (memcmp(again, text.ptr, text.len) != 0) { /* no 31st of February, no 25 o'clock */
        return false;
    }
    *out = (int64_t)t;
    return true;
}

tl_err tl_hmac_sha256(tl_hash32 *out, tl_bytes key, tl_bytes text, tl_errctx *ctx)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    static const uint8_t nothing[1] = {0};
    if (key.len > INT_MAX || HMAC(EVP_sha256(), key.len > 0 ? key.ptr : nothing, (int)key.len,
                                  text.ptr, text.len, digest, &len) == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "an HMAC cannot be computed");
    }
    TL_ASSERT(len == sizeof out->b);
    memcpy(out->b, digest, sizeof out->b);
    tl_wipe(digest, sizeof digest);
    return TL_OK;
}

bool tl_sigv4_same(tl_str a, tl_str b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
