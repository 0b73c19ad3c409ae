/* datetime.fromisoformat of CPython 3.11, by the five rules of the listings oracle page; the accidents are part of it.
 *
 *   2025-09-30 T 10:00:00.5 +02:00        where the date ends depends on its form, and what stands there, any
 *   ---------- - ---------- ------        character at all, is skipped; the first sign behind it begins the zone
 *   date            clock    zone
 *
 * The text is copied to a buffer first, since "Z" becomes "+00:00" and the original reads a NUL behind its end. */
#include "core/listings/pyvalue/pyvalue_internal.h"

#include <string.h>

/* The longest text that can be read without a run of digits above RUN_MAX: a date, a separator, clock and zone of
 * eight characters, a point, a run, one character left over each. */
#define BUFFER_CAP 256
#define RUN_MAX    40

typedef struct clock {
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t micros;
    bool is_left_over; /* something stood behind it */
} clock;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* PY-3: copies text, NUL-terminated. Of a run of more than RUN_MAX digits an even number is dropped: no rule looks so
 * far into a run but for its parity (rule 1) and to skip decimals (rule 4). False: too long to be read, whatever it
 * says. */
static bool copy_text(char buffer[BUFFER_CAP], size_t *len_out, tl_str text, bool is_z_replaced)
{
    size_t len = 0;
    size_t run = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        run = is_digit(c) ? run + 1 : 0;
        if (run > RUN_MAX + 1) {
            run -= 2;
            len--;
            continue;
        }
        const bool is_zone = c == 'Z' && is_z_replaced;
        const size_t piece = is_zone ? 6 : 1;
        if (len + piece >= BUFFER_CAP) {
            return false;
        }
        memcpy(buffer + len, is_zone ? "+00:00" : &text.ptr[i], piece);
        len += piece;
        run = is_zone ? 2 : run;
    }
    buffer[len] = '\0';
    *len_out = len;
    return true;
}

/* count digits at p as a number; NULL: they are not all digits. The NUL behind the text is none. */
static const char *take_digits(int32_t *out, const char *p, size_t count)
{
    int32_t value = 0;
    for (size_t i = 0; i < count; i++, p++) {
        if (!is_digit(*p)) {
            return NULL;
        }
        value = value * 10 + (*p - '0');
    }
    *out = value;
    return p;
}

/* Rule 1. text has 7 characters at least; 0: bad. */
static size_t date_end(const char *text, size_t len)
{
    if (len == 7) {
        return 7;
    }
    if (text[4] == '-') {
        if (text[5] != 'W') {
            return 10;
        }
        if (text[8] != '-') {
            return 8;
        }
        return len == 9 ? 0 : is_digit(text[10]) ? 8 : 10;
    }
    if (text[4] == 'W') {
        size_t at = 7;
        while (is_digit(text[at])) {
            at++;
        }
        return at < 9 ? at : at % 2 == 0 ? 7 : 8;
    }
    return 8;
}

/* --- the calendar (proleptic Gregorian) --- */

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days of the years before this one: the first of January of year 1 is day 1, a Monday. */
static int32_t days_before(int32_t year)
{
    const int32_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

#define EPOCH_DAY 719163 /* 1970-01-01 */

static bool day_of_date(int32_t *out, int32_t year, int32_t month, int32_t day)
{
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month)) {
        return false;
    }
    int32_t days = days_before(year) + day;
    for (int32_t m = 1; m < month; m++) {
        days += month_days(year, m);
    }
    *out = days;
    return true;
}

/* The ISO calendar: week 1 holds the year's first Thursday; the years that begin on one, and the leap years that begin
 * on the Wednesday before it, have week 53. */
static bool day_of_week(int32_t *out, int32_t year, int32_t week, int32_t weekday)
{
    if (year < 1 || week < 1 || week > 53 || weekday < 1 || weekday > 7) {
        return false;
    }
    const int32_t first = days_before(year) + 1;
    const int32_t first_weekday = (first + 6) % 7; /* Monday 0 */
    const bool is_long = first_weekday == 3 || (first_weekday == 2 && is_leap(year));
    if (week == 53 && !is_long) {
        return false;
    }
    const int32_t monday = first - first_weekday + (first_weekday > 3 ? 7 : 0);
    const int32_t days = monday + (week - 1) * 7 + weekday - 1;
    if (days < 1 || days > days_before(10000)) { /* PY-2 */
        return false;
    }
    *out = days;
    return true;
}

/* Rule 2: the first end characters. */
static bool read_date(int32_t *out, const char *text, size_t end)
{
    int32_t year;
    int32_t month;
    int32_t day = 1;
    const char *p = take_digits(&year, text, 4);
    if (p == NULL) {
        return false;
    }
    const bool has_dash = *p == '-';
    p += has_dash ? 1 : 0;
    const bool is_week = *p == 'W';
    p = take_digits(&month, p + (is_week ? 1 : 0), 2); /* or the week */
    if (p == NULL) {
        return false;
    }
    if (!is_week || (size_t)(p - text) < end) {
        if (has_dash && *p++ != '-') {
            return false;
        }
        p = take_digits(&day, p, is_week ? 1 : 2);
    }
    if (p == NULL || (size_t)(p - text) != end) {
        return false;
    }
    return is_week ? day_of_week(out, year, month, day) : day_of_date(out, year, month, day);
}

/* --- clock and zone --- */

/* Rule 4: up to six digits from p on are millionths; the text goes on to end. */
static bool read_decimals(clock *out, const char *p, const char *end)
{
    const size_t rest = (size_t)(end - p);
    const size_t count = rest < 6 ? rest : 6;
    p = take_digits(&out->micros, p, count);
    if (p == NULL) {
        return false;
    }
    for (size_t i = count; i < 6; i++) {
        out->micros *= 10;
    }
    while (is_digit(*p)) {
        p++;
    }
    out->is_left_over = p < end && *p != '\0';
    return true;
}

/* Rule 3, from p to end, which is a sign or the text's end; neither is a digit. */
static bool read_clock(clock *out, const char *p, const char *end)
{
    *out = (clock){0};
    int32_t *const parts[] = {&out->hour, &out->minute, &out->second};
    bool has_colon = false;
    for (size_t i = 0; i < 3; i++) {
        p = take_digits(parts[i], p, 2);
        if (p == NULL) {
            return false;
        }
        if (p >= end) {
            return true;
        }
        const char c = *p;
        has_colon = i == 0 ? c == ':' : has_colon;
        if (p + 1 == end) {
            out->is_left_over = c != '\0';
            return true;
        }
        if (c == '.' || c == ',') {
            return read_decimals(out, p + 1, end);
        }
        if (has_colon && c != ':') {
            return false;
        }
        p += has_colon ? 1 : 0;
    }
    return read_decimals(out, p, end);
}

static int64_t clock_us(const clock *c)
{
    return ((int64_t)c->hour * 3600 + (int64_t)c->minute * 60 + c->second) * 1000000 + c->micros;
}

/* What stands behind the date and its separator. */
static bool read_rest(clock *time, int64_t *zone_us, bool *has_zone, const char *p, const char *end)
{
    const char *sign = p;
    while (sign < end && *sign != '+' && *sign != '-' && *sign != 'Z') {
        sign++;
    }
    *zone_us = 0;
    *has_zone = sign < end;
    if (!read_clock(time, p, sign)) {
        return false;
    }
    if (time->hour > 23 || time->minute > 59 || time->second > 59) {
        return false;
    }
    if (!*has_zone) {
        return !time->is_left_over; /* rule 5 */
    }
    if (*sign == 'Z') {
        return sign[1] == '\0';
    }
    clock zone;
    if (!read_clock(&zone, sign + 1, end) || zone.is_left_over || clock_us(&zone) >= TL_PY_DAY_US) {
        return false;
    }
    const int64_t offset_us = clock_us(&zone) < 1000000 ? 0 : clock_us(&zone);
    *zone_us = *sign == '-' ? -offset_us : offset_us;
    return true;
}

/* How many bytes the separator has: the first byte of a character of UTF-8 tells it. */
static size_t separator_len(char first)
{
    const uint8_t byte = (uint8_t)first;
    return byte < 0x80 ? 1 : (byte & 0xf0) == 0xe0 ? 3 : (byte & 0xf0) == 0xf0 ? 4 : 2;
}

static bool read_time(tl_py_time *out, tl_str text, bool is_z_replaced)
{
    char buffer[BUFFER_CAP];
    size_t len;
    if (!copy_text(buffer, &len, text, is_z_replaced) || len < 7) {
        return false;
    }
    const size_t end = date_end(buffer, len);
    int32_t days;
    if (end == 0 || end > len || !read_date(&days, buffer, end)) {
        return false;
    }
    clock time = {0};
    int64_t zone_us = 0;
    bool has_zone = false;
    if (end < len) {
        const size_t begin = end + separator_len(buffer[end]);
        if (begin >= len || !read_rest(&time, &zone_us, &has_zone, buffer + begin, buffer + len)) {
            return false;
        }
    }
    TL_ASSERT(days >= 1 && zone_us > -TL_PY_DAY_US && zone_us < TL_PY_DAY_US); /* PY-2 */
    out->utc_us = ((int64_t)days - EPOCH_DAY) * TL_PY_DAY_US + clock_us(&time) - zone_us;
    out->zone_us = zone_us;
    out->has_zone = has_zone;
    return true;
}

bool tl_py_fromisoformat(tl_py_time *out, tl_str text)
{
    return read_time(out, text, false);
}

bool tl_py_fromisoformat_z(tl_py_time *out, tl_str text)
{
    return read_time(out, text, true);
}
