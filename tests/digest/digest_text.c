/* Area text: doubles printed and read, tables read, documents in canonical form. */
#include <string.h>

#include "base/decimal/decimal.h"
#include "base/json/json.h"
#include "core/codec/canon/canon.h"
#include "core/codec/csv/csv.h"

#include "digest.h"

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Doubles of all magnitudes by their bits; each is printed, and its text read back. */
static void doubles(digest *d)
{
    for (size_t i = 0; i < 4000; i++) {
        const uint64_t bits = digest_random(d);
        const uint64_t exponent = bits >> 52 & 0x7FF;
        const double value = from_bits(exponent == 0x7FF ? bits & ~(UINT64_C(1) << 62) : bits);
        char text[TL_F64_TEXT_CAP];
        const size_t len = tl_f64_print(text, value);
        digest_str(d, (tl_str){text, len});
        double back = 0.0;
        if (tl_f64_parse(&back, (tl_str){text, len})) {
            digest_f64(d, back);
        }
    }
    for (size_t i = 0; i < 4000; i++) {
        const uint64_t digits = digest_sized(d, 64);
        digest_f64(d, tl_f64_from_decimal(digits, (int32_t)digest_below(d, 700) - 360));
    }
}

static void tables(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_sb sb;
    tl_sb_init(&sb, d->arena);
    tl_sb_put_cstr(&sb, "name,price,count\r\n");
    for (size_t i = 0; i < 200; i++) {
        char text[TL_F64_TEXT_CAP];
        const size_t len = tl_f64_print(text, digest_uniform(d, 0.01, 1000.0));
        const tl_str names[] = {TL_STR("plain"), TL_STR("with, comma"), TL_STR("two\nlines"),
                                TL_STR("a \"quote\"")};
        tl_csv_put(&sb, names[digest_below(d, 4)], ',');
        tl_sb_printf(&sb, ",%.*s,%d\n", (int)len, text, (int)digest_below(d, 100000) - 50000);
    }
    tl_str text;
    DIGEST_OK(tl_sb_finish(&text, &sb, &ctx), &ctx);
    digest_str(d, text);
    tl_csv csv;
    DIGEST_OK(tl_csv_init(&csv, d->arena, text, NULL, &ctx), &ctx);
    for (bool has_row = true;;) {
        DIGEST_OK(tl_csv_next(&csv, &has_row, &ctx), &ctx);
        if (!has_row) {
            break;
        }
        double price = 0.0;
        int64_t count = 0;
        DIGEST_OK(tl_csv_f64(&price, &csv, 1, &ctx), &ctx);
        DIGEST_OK(tl_csv_i64(&count, &csv, 2, &ctx), &ctx);
        digest_str(d, tl_csv_field(&csv, 0));
        digest_f64(d, price);
        digest_i64(d, count);
    }
}

/* A random document of bounded depth, keys in no order, numbers in several spellings. */
static void put_document(digest *d, tl_sb *sb, size_t depth)
{
    const uint64_t kind = digest_below(d, depth < 5 ? 6 : 4);
    char text[TL_F64_TEXT_CAP];
    switch (kind) {
    case 0:
        tl_sb_put_i64(sb, digest_signed(d, 63));
        return;
    case 1:
        (void)tl_f64_print(text, digest_uniform(d, -1e6, 1e6));
        tl_sb_put_cstr(sb, text);
        tl_sb_put_cstr(sb, "e-3");
        return;
    case 2:
        tl_sb_put_cstr(sb, "\"a\\u00e9\\n\xE2\x82\xAC\"");
        return;
    case 3:
        tl_sb_put_cstr(sb, digest_below(d, 2) == 0 ? "null" : "true");
        return;
    default:
        break;
    }
    tl_sb_put_char(sb, kind == 4 ? '[' : '{');
    for (uint64_t i = 0; i < 6; i++) {
        tl_sb_put_cstr(sb, i != 0 ? ", " : " ");
        if (kind == 5) {
            tl_sb_printf(sb, "\"k%u\" : ", (unsigned)(i * 5 % 7));
        }
        put_document(d, sb, depth + 1);
    }
    tl_sb_put_char(sb, kind == 4 ? ']' : '}');
}

static void documents(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    for (size_t i = 0; i < 40; i++) {
        tl_sb sb;
        tl_str source;
        tl_str canonical;
        tl_sb_init(&sb, d->arena);
        put_document(d, &sb, 0);
        DIGEST_OK(tl_sb_finish(&source, &sb, &ctx), &ctx);
        DIGEST_OK(tl_canon_text(&canonical, d->arena, source, &ctx), &ctx);
        DIGEST_OK(tl_canon_check(canonical, d->arena, &ctx), &ctx);
        digest_str(d, canonical);
    }
}

void digest_area_text(digest *d)
{
    doubles(d);
    tables(d);
    documents(d);
}
