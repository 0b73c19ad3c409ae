/* cells.c: what people write into cells, and how they call their columns. */
#include "app/evaluate/evaluate_internal.h"
#include "base/decimal/decimal.h"

/* --- numbers --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equals_word(tl_str text, const char *word)
{
    size_t i = 0;
    for (; i < text.len && word[i] != '\0'; i++) {
        if (lower(text.ptr[i]) != word[i]) {
            return false;
        }
    }
    return i == text.len && word[i] == '\0';
}

tl_str tl__cell_text(tl_str text)
{
    static const char *const nothing[] = {"na", "n/a", "nan", "null", "none",
                                          "-",  "?",   "nil", "#n/a"};
    text = tl_str_trim(text);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        if (equals_word(text, nothing[i])) {
            return (tl_str){NULL, 0};
        }
    }
    return text;
}

bool tl__cell_number(double *out, tl_str text)
{
    char plain[64];
    size_t len = 0;
    text = tl__cell_text(text);
    for (size_t i = 0; i < text.len && len < sizeof plain - 1; i++) {
        const char c = text.ptr[i];
        const bool is_mark =
            c == '$' || c == ' ' || c == ',' || c == '+' ||
            (c == '0' && len == 0 && i + 1 < text.len && is_digit(text.ptr[i + 1]));
        if (is_mark && (c != '+' || i == 0)) {
            continue; /* currency, thousands, a sign, zeros in front */
        }
        if (c == '.' && (len == 0 || (len == 1 && plain[0] == '-'))) {
            plain[len++] = '0';
        }
        plain[len++] = c;
    }
    if (len > 0 && plain[len - 1] == '.') {
        len--;
    }
    double value;
    if (!tl_f64_parse(&value, (tl_str){plain, len}) || value > 1e15 || value < -1e15) {
        return false;
    }
    *out = value;
    return true;
}

bool tl__cell_hundredths(int64_t *out, tl_str text)
{
    double value;
    if (!tl__cell_number(&value, text) || value > 1e12 || value < -1e12) {
        return false;
    }
    *out = (int64_t)(value * 100.0 + (value < 0 ? -0.5 : 0.5));
    return true;
}

bool tl__cell_degrees(int32_t *out_e6, tl_str text, int32_t most)
{
    double value;
    if (!tl__cell_number(&value, text) || value > most || value < -most || value == 0.0) {
        return false;
    }
    *out_e6 = (int32_t)(value * 1e6 + (value < 0 ? -0.5 : 0.5));
    return true;
}

/* --- zipcodes --- */

bool tl__cell_zipcode(char out[6], tl_str text)
{
    text = tl__cell_text(text);
    size_t digits = 0;
    while (digits < text.len && is_digit(text.ptr[digits])) {
        digits++;
    }
    const tl_str rest = tl_str_slice(text, digits, text.len);
    const bool is_plain = rest.len == 0 || tl_str_eq(rest, TL_STR(".0"));
    const bool has_four =
        digits == 5 && rest.len == 5 && (rest.ptr[0] == '-' || rest.ptr[0] == ' ');
    if (digits == 9 && rest.len == 0) {
        digits = 5; /* zip+4 without its hyphen */
    }
    if (digits < 3 || digits > 5 || !(is_plain || has_four)) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) { /* a spreadsheet takes the zeros in front away */
        out[i] = i < 5 - digits ? '0' : text.ptr[i - (5 - digits)];
    }
    out[5] = '\0';
    return true;
}

bool tl__cell_address_zipcode(char out[6], tl_str address)
{
    for (size_t end = address.len; end >= 5; end--) {
        size_t begin = end;
        while (begin > 0 && is_digit(address.ptr[begin - 1])) {
            begin--;
        }
        if (begin == end) {
            continue;
        }
        const bool is_suffix = end - begin == 4 && begin > 0 && address.ptr[begin - 1] == '-';
        if (!is_suffix) {
            return begin > 0 && end - begin == 5 &&
                   tl__cell_zipcode(out, tl_str_slice(address, begin, end));
        }
        end = begin; /* zip+4: what stands before */
    }
    return false;
}

/* --- dates --- */

static bool take_number(int64_t *out, tl_str text, size_t *at, size_t digits_max)
{
    size_t digits = 0;
    int64_t value = 0;
    while (*at < text.len && is_digit(text.ptr[*at]) && digits < digits_max) {
        value = value * 10 + (text.ptr[(*at)++] - '0');
        digits++;
    }
    *out = value;
    return digits > 0;
}

/* Days since 1970-01-01 of a day that exists (Hinnant's days_from_civil). */
static bool day_of(int64_t *out, int64_t year, int64_t month, int64_t day)
{
    static const int64_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] - (month == 2 && !is_leap)) {
        return false;
    }
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t of_era = y % 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    *out = y / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return true;
}

/* "Wed May 21 00:00:00 EDT 2008", "Oct 13, 2014", "13-Oct-2014": a month by name, a day, a year. */
static bool named_day(int64_t *out, tl_str text)
{
    static const char *const months = "janfebmaraprmayjunjulaugsepoctnovdec";
    int64_t month = 0;
    int64_t day = 0;
    int64_t year = 0;
    for (size_t i = 0; i < text.len;) {
        int64_t number;
        if (is_digit(text.ptr[i])) {
            const size_t from = i;
            (void)take_number(&number, text, &i, 9);
            const bool is_clock =
                (i < text.len && text.ptr[i] == ':') || (from > 0 && text.ptr[from - 1] == ':');
            if (number > 31) {
                year = number;
            } else if (!is_clock && day == 0) {
                day = number;
            }
            continue;
        }
        for (int64_t m = 0; m < 12 && month == 0 && i + 3 <= text.len; m++) {
            const bool begins =
                i == 0 || lower(text.ptr[i - 1]) < 'a' || lower(text.ptr[i - 1]) > 'z';
            if (begins && lower(text.ptr[i]) == months[3 * m] &&
                lower(text.ptr[i + 1]) == months[3 * m + 1] &&
                lower(text.ptr[i + 2]) == months[3 * m + 2]) {
                month = m + 1;
            }
        }
        i++;
    }
    return day_of(out, year, month, day);
}

bool tl__cell_day(int64_t *out_day, tl_str text)
{
    text = tl__cell_text(text);
    size_t at = 0;
    int64_t a = 0;
    int64_t b = 0;
    int64_t c = 0;
    const bool has_first = take_number(&a, text, &at, 8);
    if (has_first && at == 8) { /* 20141013 and what follows */
        return day_of(out_day, a / 10000, a / 100 % 100, a % 100);
    }
    const char mark = at < text.len ? text.ptr[at] : '\0';
    if (has_first && (mark == '-' || mark == '/' || mark == '.')) {
        at++;
        if (take_number(&b, text, &at, 2) && at < text.len && text.ptr[at] == mark) {
            at++;
            if (take_number(&c, text, &at, 4)) {
                if (a > 31) {
                    return day_of(out_day, a, b, c); /* 2014-10-13 */
                }
                const int64_t year = c < 50 ? c + 2000 : c < 100 ? c + 1900 : c;
                return mark == '/' ? day_of(out_day, year, a, b) || day_of(out_day, year, b, a)
                                   : day_of(out_day, year, b, a);
            }
        }
    }
    if (has_first && a > 1900 &&
        (at == text.len || tl_str_eq(tl_str_slice(text, at, text.len), TL_STR(".0")))) {
        return day_of(out_day, a, 1, 1); /* a year alone */
    }
    return named_day(out_day, text);
}

/* --- columns by their usual names, the best first; lower case, letters and digits alone --- */

static const char *const names[TL_EVALUATE_COLUMN_COUNT][16] = {
    [TL_EVALUATE_PRICE] = {"price", "saleprice", "soldprice", "listprice", "listingprice",
                           "askingprice", "closeprice", "saleamount", "amount", "lastsoldprice",
                           "purchaseprice", "priceusd", "totalprice", NULL},
    [TL_EVALUATE_ZIPCODE] = {"zipcode", "zip", "zipcode5", "postalcode", "postcode", "propertyzip",
                             "regionzip", "addresszipcode", "zip5", NULL},
    [TL_EVALUATE_ADDRESS] = {"address", "fulladdress", "streetaddress", "street", "propertyaddress",
                             "addressline1", "siteaddress", "formattedaddress", NULL},
    [TL_EVALUATE_BEDROOMS] = {"bedrooms", "beds", "bedroom", "bed", "br", "bedroomcnt",
                              "bedroomcount", "numbedrooms", "bedroomabvgr", "totalbedrooms", NULL},
    [TL_EVALUATE_BATHROOMS] = {"bathrooms", "baths", "bathroom", "bath", "ba", "bathroomcnt",
                               "bathroomcount", "numbathrooms", "totalbathrooms", "fullbath", NULL},
    [TL_EVALUATE_SQFT] = {"sqft", "sqftliving", "livingarea", "livingsqft", "squarefeet",
                          "squarefootage", "area", "housesize", "grossarea", "grosssquarefeet",
                          "grlivarea", "finishedsqft", "buildingarea", "size", "propertysqft",
                          NULL},
    [TL_EVALUATE_DATE] = {"listingdate", "listdate", "date", "saledate", "solddate", "datesold",
                          "listed", "closedate", "prevsolddate", "lastsolddate", "contractdate",
                          "recordingdate", "dateoftransfer", NULL},
    [TL_EVALUATE_TYPE] = {"propertytype", "type", "hometype", "housetype", "buildingtype",
                          "propertysubtype", NULL},
    [TL_EVALUATE_STATUS] = {"listingstatus", "status", "homestatus", NULL},
    [TL_EVALUATE_DAYS] = {"daysonmarket", "dom", "daysonzillow", "daysonsite", NULL},
    [TL_EVALUATE_MLS_ID] = {"mlsid", "mls", "mlsnumber", "mlsno", "mlsnum", NULL},
    [TL_EVALUATE_URL] = {"sourceurl", "url", "uri", "link", "detailurl", "propertyurl", NULL},
    [TL_EVALUATE_ZPID] = {"zpid", NULL},
    [TL_EVALUATE_ID] = {"id", "parcelid", "parcelnumber", "parcel", "pid", "apn", "propertyid",
                        "houseid", "listingid", "pin", NULL},
    [TL_EVALUATE_CITY] = {"city", "town", "cityname", "municipality", "propertycity", NULL},
    [TL_EVALUATE_STATE] = {"state", "statecode", "stateabbr", "st", NULL},
    [TL_EVALUATE_LATITUDE] = {"latitude", "lat", NULL},
    [TL_EVALUATE_LONGITUDE] = {"longitude", "long", "lng", "lon", NULL},
};

static const char *const keys[TL_EVALUATE_COLUMN_COUNT] = {
#define COLUMN_KEY(name, key) [TL_EVALUATE_##name] = (key),
    TL_EVALUATE_COLUMN_MAP(COLUMN_KEY)
#undef COLUMN_KEY
};

const char *tl_evaluate_column_key(tl_evaluate_column column)
{
    TL_ASSERT((unsigned)column < TL_EVALUATE_COLUMN_COUNT);
    return keys[column];
}

static bool is_name(tl_str text, const char *name)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = lower(text.ptr[i]);
        if (is_digit(c) || (c >= 'a' && c <= 'z')) {
            if (name[at] != c) {
                return false;
            }
            at++;
        }
    }
    return name[at] == '\0' && at > 0;
}

size_t tl__column_rank(tl_evaluate_column column, tl_str name)
{
    for (size_t i = 0; names[column][i] != NULL; i++) {
        if (is_name(name, names[column][i])) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool tl__column_of(tl_evaluate_column *out, tl_str name)
{
    for (unsigned c = 0; c < TL_EVALUATE_COLUMN_COUNT; c++) {
        if (tl__column_rank((tl_evaluate_column)c, name) != SIZE_MAX) {
            *out = (tl_evaluate_column)c;
            return true;
        }
    }
    return false;
}
