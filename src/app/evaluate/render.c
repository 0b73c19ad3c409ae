/* render.c: rows as the object that a miner uploads, in the miner's own way of writing. */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"

#define ADDRESS_CAP 640

/* --- addresses --- */

/* Words that may be written two ways. */
static const char *const words[][2] = {{"St", "Street"}, {"Ave", "Avenue"},    {"Rd", "Road"},
                                       {"Dr", "Drive"},  {"Ln", "Lane"},       {"Ct", "Court"},
                                       {"Pl", "Place"},  {"Blvd", "Boulevard"}};

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return upper(c) >= 'A' && upper(c) <= 'Z';
}

static bool is_word(tl_str text, const char *word)
{
    size_t i = 0;
    while (i < text.len && word[i] != '\0' && lower(text.ptr[i]) == lower(word[i])) {
        i++;
    }
    return i == text.len && word[i] == '\0';
}

static tl_str other_word(tl_str word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (size_t way = 0; way < 2; way++) {
            if (is_word(word, words[i][way])) {
                return tl_str_from_cstr(words[i][1 - way]);
            }
        }
    }
    return word;
}

typedef struct text {
    char at[ADDRESS_CAP];
    size_t len;
} text;

static void put(text *t, tl_str s)
{
    for (size_t i = 0; i < s.len && t->len < ADDRESS_CAP; i++) {
        t->at[t->len++] = s.ptr[i];
    }
}

/* The longest word of letters alone, where a slip of the pen is a slip and not another house. */
static tl_str longest_word(tl_str street)
{
    tl_str best = {NULL, 0};
    for (size_t at = 0; at < street.len;) {
        size_t end = at;
        while (end < street.len && is_letter(street.ptr[end])) {
            end++;
        }
        if (end - at > best.len) {
            best = tl_str_slice(street, at, end);
        }
        at = end + 1;
    }
    return best;
}

/* One letter doubled, dropped, or two swapped. */
static void put_typo(text *t, tl_str street, uint32_t typo)
{
    const tl_str word = longest_word(street);
    const size_t at = word.ptr == NULL ? 0 : (size_t)(word.ptr - street.ptr) + word.len / 2;
    if (word.len < 4) {
        put(t, street); /* too short to be misspelled and still be the same */
        return;
    }
    put(t, tl_str_slice(street, 0, at));
    const char swapped[2] = {street.ptr[at + 1], street.ptr[at]};
    if (typo % 3 == 0) {
        put(t, tl_str_slice(street, at - 1, street.len));
    } else if (typo % 3 == 1 || at + 2 > street.len || swapped[0] == swapped[1]) {
        put(t, tl_str_slice(street, at + 1, street.len));
    } else {
        put(t, (tl_str){swapped, 2});
        put(t, tl_str_slice(street, at + 2, street.len));
    }
}

static void put_words(text *t, tl_str street, tl__spelling spelling)
{
    tl_str rest = street;
    tl_str word;
    bool is_first = true;
    while (tl_str_split(&word, &rest, ' ')) {
        if (!is_first) {
            put(t, TL_STR(" "));
        }
        is_first = false;
        const tl_str other = other_word(word);
        put(t, spelling == TL__OTHER_WORDS ? other : word);
        if (spelling == TL__DOTTED && other.ptr != word.ptr && word.len < 5) {
            put(t, TL_STR("."));
        }
    }
}

/* The number in front, or another. */
static tl_str skip_number(tl_str street)
{
    size_t at = 0;
    while (at < street.len && street.ptr[at] >= '0' && street.ptr[at] <= '9') {
        at++;
    }
    return tl_str_slice(street, at, street.len);
}

static bool ends_with_zipcode(tl_str address, const char *zipcode)
{
    char own[6];
    return tl__cell_address_zipcode(own, address) && memcmp(own, zipcode, 5) == 0;
}

static void put_address(text *t, const tl__row *row, const tl__style *style, tl_str city,
                        tl_str state)
{
    text street = {.len = 0};
    char digits[16];
    tl_str written = row->house->address;
    if (row->number != 0) {
        put(&street, (tl_str){digits, tl_str_print(digits, sizeof digits, "%u", row->number)});
        put(&street, skip_number(written));
        written = (tl_str){street.at, street.len};
    }
    const bool has_zipcode = ends_with_zipcode(written, row->house->zipcode);
    text spelled = {.len = 0};
    if (row->typo != 0) {
        put_typo(&spelled, written, row->typo);
        written = (tl_str){spelled.at, spelled.len};
    }
    if (style->spelling == TL__OTHER_WORDS || style->spelling == TL__DOTTED) {
        put_words(t, written, style->spelling);
    } else {
        put(t, written);
    }
    if (!has_zipcode) {
        if (city.len != 0) {
            put(t, style->spelling == TL__DOTTED ? TL_STR(",  ") : TL_STR(", "));
            put(t, city);
        }
        put(t, state.len != 0 ? TL_STR(", ") : TL_STR(""));
        put(t, state);
        put(t, state.len != 0 ? TL_STR(" ") : TL_STR(", "));
        put(t, (tl_str){row->zipcode, 5});
        put(t, style->adds_four ? TL_STR("-1234") : TL_STR(""));
    }
    for (size_t i = 0; i < t->len; i++) {
        t->at[i] = style->spelling == TL__UPPER   ? upper(t->at[i])
                   : style->spelling == TL__LOWER ? lower(t->at[i])
                                                  : t->at[i];
    }
}

/* --- fields --- */

static void put_number(tl_json_writer *w, const char *key, int64_t hundredths, unsigned way)
{
    char digits[40];
    const long long whole = (long long)(hundredths / 100);
    const long long part = (long long)(hundredths % 100);
    size_t len = part != 0
                     ? tl_str_print(digits, sizeof digits, "%lld.%02lld", whole, part)
                     : tl_str_print(digits, sizeof digits, way == 1 ? "%lld.0" : "%lld", whole);
    tl_json_put_key(w, key);
    if (way == 2) {
        tl_json_put_str(w, (tl_str){digits, len});
    } else {
        tl_json_put_raw(w, (tl_str){digits, len});
    }
}

static void put_date(tl_json_writer *w, const char *key, int64_t at_ms, unsigned way)
{
    char time[TL_TIME_TEXT_CAP];
    tl_time_text(time, at_ms * 1000000);
    tl_json_put_key(w, key);
    if (way == 0) {
        tl_json_put_str(w, (tl_str){time, 10});
    } else if (way == 1) {
        memcpy(time + 19, "Z", 2);
        tl_json_put_cstr(w, time);
    } else {
        char basic[20];
        const size_t len = tl_str_print(basic, sizeof basic,
                                        "%.4s%.2s%.2s"
                                        "T%.2s%.2s%.2s",
                                        time, time + 5, time + 8, time + 11, time + 14, time + 17);
        tl_json_put_str(w, (tl_str){basic, len});
    }
}

static void put_time(tl_json_writer *w, int64_t at_ms, bool has_ms)
{
    char time[TL_TIME_TEXT_CAP];
    tl_time_text(time, at_ms * 1000000);
    if (!has_ms) {
        memcpy(time + 19, "Z", 2);
    }
    tl_json_put_key(w, "scraped_timestamp");
    tl_json_put_cstr(w, time);
}

static void put_degrees(tl_json_writer *w, const char *key, int32_t value_e6)
{
    char digits[24];
    const int64_t size = value_e6 < 0 ? -(int64_t)value_e6 : value_e6;
    const size_t len = tl_str_print(digits, sizeof digits, "%s%lld.%06lld", value_e6 < 0 ? "-" : "",
                                    (long long)(size / 1000000), (long long)(size % 1000000));
    tl_json_put_key(w, key);
    tl_json_put_raw(w, (tl_str){digits, len});
}

static void put_id(tl_json_writer *w, const char *key, tl_str id, uint32_t variant)
{
    char other[320];
    tl_json_put_key(w, key);
    if (variant == 0) {
        tl_json_put_str(w, id);
        return;
    }
    const size_t len =
        tl_str_print(other, sizeof other, "%.*s%u", TL_STR_ARG(tl_str_slice(id, 0, 256)), variant);
    tl_json_put_str(w, (tl_str){other, len});
}

static void put_row(tl_json_writer *w, const tl__row *row, const tl__style *style)
{
    const tl_evaluate_house *h = row->house;
    const tl_str city = row->city.ptr != NULL ? row->city : h->city;
    const tl_str state = row->state.ptr != NULL ? row->state : h->state;
    text address = {.len = 0};
    put_address(&address, row, style, city, state);
    tl_json_put_object(w);
    tl_json_put_key(w, "address");
    tl_json_put_str(w, (tl_str){address.at, address.len});
    put_number(w, "price", row->price_cents, style->numbers);
    if ((row->absent & TL__NO_ROOMS) == 0) {
        put_number(w, "bedrooms", row->bedrooms_hundredths, 0);
    }
    if ((row->absent & TL__NO_BATHS) == 0) {
        put_number(w, "bathrooms", row->bathrooms_hundredths, style->numbers);
    }
    if ((row->absent & TL__NO_AREA) == 0) {
        put_number(w, "sqft", row->sqft_hundredths, style->numbers);
    }
    put_date(w, "listing_date", row->listed_ms, style->dates);
    if ((row->absent & TL__NO_TYPE) == 0) {
        tl_json_put_key(w, "property_type");
        tl_json_put_str(w, h->type);
    }
    tl_json_put_key(w, "listing_status");
    tl_json_put_str(w, h->status);
    tl_json_put_key(w, "days_on_market");
    tl_json_put_i64(w, row->days_on_market);
    put_id(w, "mls_id", h->mls_id, row->variant);
    put_id(w, "source_url", h->url, row->variant);
    put_time(w, row->scraped_ms, style->has_ms);
    if (h->zpid.len != 0) {
        put_id(w, "zpid", h->zpid, row->variant);
    }
    tl_json_put_key(w, "zipcode");
    tl_json_put_str(w, (tl_str){row->zipcode, 5});
    if (city.len != 0) {
        tl_json_put_key(w, "city");
        tl_json_put_str(w, city);
    }
    if (state.len != 0) {
        tl_json_put_key(w, "state");
        tl_json_put_str(w, state);
    }
    if (h->has_position) {
        put_degrees(w, "latitude", row->latitude_e6);
        put_degrees(w, "longitude", row->longitude_e6);
    }
    tl_json_put_end(w);
}

tl_err tl__render(tl_str *out, tl_arena *arena, const tl__zip *zip, const tl__row *rows,
                  size_t count, const tl__style *style, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_str(&w, (tl_str){zip->place.zipcode, 5});
    tl_json_put_key(&w, "listings");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        put_row(&w, &rows[i], style);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}
