/* fields.c: what the values of a listing mean: which are there, which can be read, and as what. */
#include <string.h>

#include "core/listings/record/record_internal.h"

#define LATITUDE_MAX_E6  90000000
#define LONGITUDE_MAX_E6 180000000

/* --- keys --- */

/* Whether a key of that length is the literal: a comparison of words, not a call. */
#define IS(literal) (memcmp(key.ptr, (literal), sizeof(literal) - 1) == 0)

static unsigned field_of_short_key(tl_str key)
{
    switch (key.len) {
    case 3:
        return IS("uri") ? TL__FIELD_URI : TL__VALUE_COUNT;
    case 4:
        return IS("zpid")   ? TL_FIELD_ZPID
               : IS("sqft") ? TL_FIELD_SQFT
               : IS("city") ? TL_FIELD_CITY
                            : TL__VALUE_COUNT;
    case 5:
        return IS("price") ? TL_FIELD_PRICE : IS("state") ? TL_FIELD_STATE : TL__VALUE_COUNT;
    case 6:
        return IS("mls_id") ? TL_FIELD_MLS_ID : TL__VALUE_COUNT;
    case 7:
        return IS("address")   ? TL_FIELD_ADDRESS
               : IS("zipcode") ? TL_FIELD_ZIPCODE
                               : TL__VALUE_COUNT;
    case 8:
        return IS("bedrooms")   ? TL_FIELD_BEDROOMS
               : IS("latitude") ? TL_FIELD_LATITUDE
                                : TL__VALUE_COUNT;
    default:
        return TL__VALUE_COUNT;
    }
}

unsigned tl__field_of_key(tl_str key)
{
    switch (key.len) {
    case 9:
        return IS("bathrooms")   ? TL_FIELD_BATHROOMS
               : IS("longitude") ? TL_FIELD_LONGITUDE
                                 : TL__VALUE_COUNT;
    case 10:
        return IS("source_url") ? TL_FIELD_SOURCE_URL : TL__VALUE_COUNT;
    case 11:
        return IS("description") ? TL_FIELD_DESCRIPTION : TL__VALUE_COUNT;
    case 12:
        return IS("listing_date") ? TL_FIELD_LISTING_DATE : TL__VALUE_COUNT;
    case 13:
        return IS("property_type") ? TL_FIELD_PROPERTY_TYPE : TL__VALUE_COUNT;
    case 14:
        return IS("listing_status")   ? TL_FIELD_LISTING_STATUS
               : IS("days_on_market") ? TL_FIELD_DAYS_ON_MARKET
                                      : TL__VALUE_COUNT;
    case 17:
        return IS("scraped_timestamp") ? TL_FIELD_SCRAPED_TIMESTAMP : TL__VALUE_COUNT;
    default:
        return field_of_short_key(key);
    }
}

#undef IS

/* --- blanks --- */

static bool is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The length of the blank that a text begins with, or 0. */
static size_t blank_at(tl_str text, size_t at)
{
    const unsigned char c = (unsigned char)text.ptr[at];
    if (c < 0x80) {
        return is_blank(c) ? 1 : 0;
    }
    uint32_t code_point = 0;
    const size_t len = tl_str_utf8_at(&code_point, text, at);
    return is_blank(code_point) ? len : 0;
}

/* A byte that is a character of its own and no blank. */
static bool is_graphic(char c)
{
    return c > 0x20 && c < 0x7F;
}

tl_str tl__trim(tl_str text)
{
    if (text.len != 0 && is_graphic(text.ptr[0]) && is_graphic(text.ptr[text.len - 1])) {
        return text;
    }
    size_t from = 0;
    for (size_t len = 1; from < text.len && len != 0; from += len) {
        len = blank_at(text, from);
    }
    size_t to = text.len;
    while (to > from) {
        size_t begin = to - 1;
        while (begin > from && ((unsigned char)text.ptr[begin] & 0xC0) == 0x80) {
            begin--;
        }
        if (blank_at(text, begin) != to - begin) {
            break;
        }
        to = begin;
    }
    return tl_str_slice(text, from, to);
}

/* Blank, or "nan" in any case: pandas' word for nothing. */
static bool is_nothing(tl_str text)
{
    if (text.len > 3 && is_graphic(text.ptr[0]) && is_graphic(text.ptr[3])) {
        return false;
    }
    const tl_str t = tl__trim(text);
    return t.len == 0 || (t.len == 3 && (t.ptr[0] | 0x20) == 'n' && (t.ptr[1] | 0x20) == 'a' &&
                          (t.ptr[2] | 0x20) == 'n');
}

/* --- zipcodes --- */

static bool is_digits(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
    }
    return true;
}

bool tl_record_zipcode(char out[6], tl_str text)
{
    const tl_str t = tl__trim(text);
    const bool has_more = t.len == 10 && t.ptr[5] == '-' && is_digits(t.ptr + 6, 4);
    if ((t.len != 5 && !has_more) || !is_digits(t.ptr, 5)) {
        return false;
    }
    memcpy(out, t.ptr, 5);
    out[5] = '\0';
    return true;
}

bool tl__zipcode_from_number(char out[6], tl_str text)
{
    int64_t hundredths = 0;
    if (!tl_record_number(&hundredths, text, 2) || hundredths < 100 || hundredths > 9999900 ||
        hundredths % 100 != 0) {
        return false;
    }
    int64_t code = hundredths / 100;
    for (size_t i = 5; i-- > 0;) {
        out[i] = (char)('0' + code % 10);
        code /= 10;
    }
    out[5] = '\0';
    return true;
}

/* --- types --- */

typedef struct type_word {
    tl_str word;
    tl_property_type type;
} type_word;

/* clang-format off */
/* The vocabulary itself, the commonest first. */
static const type_word type_codes[] = {
    {{"SINGLE_FAMILY", 13}, TL_PROPERTY_SINGLE_FAMILY}, {{"CONDO", 5}, TL_PROPERTY_CONDO},
    {{"TOWNHOUSE", 9}, TL_PROPERTY_TOWNHOUSE},          {{"MULTI_FAMILY", 12}, TL_PROPERTY_MULTI_FAMILY},
    {{"APARTMENT", 9}, TL_PROPERTY_APARTMENT},          {{"MANUFACTURED", 12}, TL_PROPERTY_MANUFACTURED},
    {{"LAND", 4}, TL_PROPERTY_LAND},                    {{"OTHER", 5}, TL_PROPERTY_OTHER},
};

/* Names by their letters alone, upper case. */
static const type_word type_names[] = {
    {{"LAND", 4}, TL_PROPERTY_LAND},         {{"LOT", 3}, TL_PROPERTY_LAND},
    {{"LOTS", 4}, TL_PROPERTY_LAND},         {{"LOTLAND", 7}, TL_PROPERTY_LAND},
    {{"LOTSLAND", 8}, TL_PROPERTY_LAND},     {{"APT", 3}, TL_PROPERTY_APARTMENT},
    {{"HOUSE", 5}, TL_PROPERTY_SINGLE_FAMILY}, {{"HOME", 4}, TL_PROPERTY_SINGLE_FAMILY},
    {{"SFR", 3}, TL_PROPERTY_SINGLE_FAMILY}, {{"SFH", 3}, TL_PROPERTY_SINGLE_FAMILY},
    {{"RESIDENTIAL", 11}, TL_PROPERTY_SINGLE_FAMILY},
};

/* What such letters contain; the first that they do decides. */
static const type_word type_parts[] = {
    {{"MULTI", 5}, TL_PROPERTY_MULTI_FAMILY},     {{"DUPLEX", 6}, TL_PROPERTY_MULTI_FAMILY},
    {{"TRIPLEX", 7}, TL_PROPERTY_MULTI_FAMILY},   {{"FOURPLEX", 8}, TL_PROPERTY_MULTI_FAMILY},
    {{"QUADPLEX", 8}, TL_PROPERTY_MULTI_FAMILY},  {{"TOWNHO", 6}, TL_PROPERTY_TOWNHOUSE},
    {{"ROWHO", 5}, TL_PROPERTY_TOWNHOUSE},        {{"CONDO", 5}, TL_PROPERTY_CONDO},
    {{"COOP", 4}, TL_PROPERTY_CONDO},             {{"MANUFACTURED", 12}, TL_PROPERTY_MANUFACTURED},
    {{"MOBILE", 6}, TL_PROPERTY_MANUFACTURED},    {{"APARTMENT", 9}, TL_PROPERTY_APARTMENT},
    {{"VACANT", 6}, TL_PROPERTY_LAND},            {{"ACREAGE", 7}, TL_PROPERTY_LAND},
    {{"SINGLEFAMILY", 12}, TL_PROPERTY_SINGLE_FAMILY}, {{"DETACHED", 8}, TL_PROPERTY_SINGLE_FAMILY},
};
/* clang-format on */

#define COUNT(words) (sizeof(words) / sizeof *(words))

static bool contains(tl_str text, tl_str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (text.ptr[i] == word.ptr[0] && memcmp(text.ptr + i, word.ptr, word.len) == 0) {
            return true;
        }
    }
    return false;
}

tl_property_type tl_record_property_type(tl_str text)
{
    for (size_t i = 0; i < COUNT(type_codes); i++) {
        if (tl_str_eq(text, type_codes[i].word)) {
            return type_codes[i].type;
        }
    }
    char letters[40];
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < sizeof letters; i++) {
        const char upper = (char)(text.ptr[i] & ~0x20);
        if (upper >= 'A' && upper <= 'Z') {
            letters[len++] = upper;
        }
    }
    const tl_str folded = {letters, len};
    for (size_t i = 0; i < COUNT(type_names); i++) {
        if (tl_str_eq(folded, type_names[i].word)) {
            return type_names[i].type;
        }
    }
    for (size_t i = 0; i < COUNT(type_parts); i++) {
        if (contains(folded, type_parts[i].word)) {
            return type_parts[i].type;
        }
    }
    return TL_PROPERTY_OTHER;
}

/* --- a listing --- */

static bool read_coordinate(int32_t *out, tl_str text, int32_t most_e6)
{
    int64_t value = 0;
    if (!tl_record_number(&value, text, 6) || value > most_e6 || value < -most_e6) {
        return false;
    }
    *out = (int32_t)value;
    return true;
}

/* Whether a field that is there reads as what it means; numbers and moments are then set. */
static bool read_field(tl_listing *out, tl_listing_field field, tl_str text, bool is_string)
{
    switch (field) {
    case TL_FIELD_PRICE:
        return tl_record_number(&out->price_cents, text, 2);
    case TL_FIELD_BEDROOMS:
        return tl_record_number(&out->bedrooms_hundredths, text, 2);
    case TL_FIELD_BATHROOMS:
        return tl_record_number(&out->bathrooms_hundredths, text, 2);
    case TL_FIELD_SQFT:
        return tl_record_number(&out->sqft_hundredths, text, 2);
    case TL_FIELD_DAYS_ON_MARKET:
        return tl_record_number(&out->days_on_market, text, 0);
    case TL_FIELD_LISTING_DATE:
        return tl_record_moment(&out->listed_ms, text);
    case TL_FIELD_SCRAPED_TIMESTAMP:
        return tl_record_moment(&out->scraped_ms, text);
    case TL_FIELD_LATITUDE:
        return read_coordinate(&out->latitude_e6, text, LATITUDE_MAX_E6);
    case TL_FIELD_LONGITUDE:
        return read_coordinate(&out->longitude_e6, text, LONGITUDE_MAX_E6);
    case TL_FIELD_ZIPCODE:
        return is_string ? tl_record_zipcode(out->zipcode, text)
                         : tl__zipcode_from_number(out->zipcode, text);
    case TL_FIELD_PROPERTY_TYPE:
        out->property_type = is_string ? tl_record_property_type(text) : TL_PROPERTY_OTHER;
        return is_string;
    case TL_FIELD_MLS_ID:
    case TL_FIELD_ZPID:
        return true;
    case TL_FIELD_ADDRESS:
    case TL_FIELD_LISTING_STATUS:
    case TL_FIELD_SOURCE_URL:
    case TL_FIELD_CITY:
    case TL_FIELD_STATE:
    case TL_FIELD_DESCRIPTION:
        return is_string;
    case TL_LISTING_FIELD_COUNT:
        break;
    }
    return false;
}

/* What of a value counts as its text, and whether the value is there at all. */
static tl_err read_value(tl_str *text, bool *is_there, tl_arena *arena, const tl__value *value,
                         tl_errctx *ctx)
{
    *is_there = false;
    *text = TL_STR("");
    if (value->kind == TL__ABSENT || value->kind == TL__NULL) {
        return TL_OK;
    }
    if (value->has_escapes || value->text.len > TL_RECORD_TEXT_MAX) {
        TL_TRY(tl__unescape(text, arena, value, ctx));
    } else {
        *text = value->text;
    }
    *is_there = value->kind == TL__OTHER || !is_nothing(*text);
    return TL_OK;
}

/* "prefix" and the text: trimmed; a number that is whole written as one. */
static tl_err make_identity(tl_str *out, tl_arena *arena, const char *prefix, tl_str text,
                            bool is_number, tl_errctx *ctx)
{
    tl_str body = tl__trim(text);
    int64_t thousandths = 0;
    char digits[24];
    if (is_number && tl_record_number(&thousandths, body, 3) && thousandths % 1000 == 0) {
        body.len = tl_str_print(digits, sizeof digits, "%lld", (long long)(thousandths / 1000));
        body.ptr = digits;
    }
    while (body.len > TL_RECORD_ADDRESS_MAX) { /* no character is cut */
        body.len = TL_RECORD_ADDRESS_MAX;
        while (body.len > 0 && ((unsigned char)body.ptr[body.len] & 0xC0) == 0x80) {
            body.len--;
        }
    }
    const size_t prefix_len = strlen(prefix);
    char *const p = TL_NEW(arena, char, prefix_len + body.len);
    if (p == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memcpy(p, prefix, prefix_len);
    memcpy(p + prefix_len, body.ptr, body.len);
    *out = (tl_str){p, prefix_len + body.len};
    return TL_OK;
}

/* One source of an identity: a field's value, when it is a text that is not blank, or a finite number. */
static bool is_nameable(const tl__value *value, tl_str text)
{
    const bool is_finite =
        value->kind == TL__NUMBER && text.len != 0 && is_digits(text.ptr + text.len - 1, 1);
    return (value->kind == TL__STRING && !is_nothing(text)) || is_finite;
}

static tl_err find_identity(tl_listing *out, tl_arena *arena, const tl__value *values,
                            tl_errctx *ctx)
{
    static const struct {
        unsigned field;
        const char *prefix;
    } sources[] = {{TL_FIELD_ZPID, "zpid:"},
                   {TL__FIELD_URI, "uri:"},
                   {TL_FIELD_SOURCE_URL, "uri:"},
                   {TL_FIELD_MLS_ID, "mls:"}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const tl__value *const value = &values[sources[i].field];
        if (value->kind == TL__ABSENT) {
            continue;
        }
        tl_str text = {NULL, 0};
        if (sources[i].field < TL_LISTING_FIELD_COUNT) {
            text = out->text[sources[i].field];
        } else {
            TL_TRY(tl__unescape(&text, arena, value, ctx));
        }
        if (is_nameable(value, text)) {
            return make_identity(&out->identity, arena, sources[i].prefix, text,
                                 value->kind == TL__NUMBER, ctx);
        }
    }
    return out->address.len == 0
               ? TL_OK
               : make_identity(&out->identity, arena, "address:", out->address, false, ctx);
}

void tl__listing_set_scraped(tl_listing *listing, tl_str text)
{
    const uint32_t bit = UINT32_C(1) << TL_FIELD_SCRAPED_TIMESTAMP;
    const bool is_there = !is_nothing(text);
    listing->present = is_there ? listing->present | bit : listing->present & ~bit;
    listing->text[TL_FIELD_SCRAPED_TIMESTAMP] = is_there ? text : TL_STR("");
    listing->scraped_ms = 0;
    const bool is_readable = is_there && tl_record_moment(&listing->scraped_ms, text);
    listing->readable = is_readable ? listing->readable | bit : listing->readable & ~bit;
}

tl_err tl__listing_make(tl_listing *out, tl_arena *arena, const tl__value *values, tl_errctx *ctx)
{
    memset(out, 0, sizeof *out);
    out->property_type = TL_PROPERTY_OTHER;
    for (unsigned i = 0; i < TL_LISTING_FIELD_COUNT; i++) {
        bool is_there = false;
        TL_TRY(read_value(&out->text[i], &is_there, arena, &values[i], ctx));
        if (!is_there) {
            out->text[i] = TL_STR("");
            continue;
        }
        out->present |= UINT32_C(1) << i;
        if (values[i].kind != TL__OTHER &&
            read_field(out, (tl_listing_field)i, out->text[i], values[i].kind == TL__STRING)) {
            out->readable |= UINT32_C(1) << i;
        }
    }
    if ((out->readable & UINT32_C(1) << TL_FIELD_ADDRESS) != 0) {
        TL_TRY(tl_record_address(&out->address, arena, out->text[TL_FIELD_ADDRESS], ctx));
    }
    if (out->zipcode[0] == '\0') {
        (void)tl__address_zipcode(out->zipcode, out->address);
    }
    return find_identity(out, arena, values, ctx);
}
