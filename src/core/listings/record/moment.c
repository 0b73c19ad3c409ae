/* moment.c: dates and date-times as listings write them, in ms of Unix time. The header has the grammar. */
#include "core/epoch/calendar/calendar.h"
#include "core/listings/record/record_internal.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (INT64_C(1440) * MINUTE_MS)

/* What is left of the text. */
typedef struct rest {
    const char *at;
    const char *end;
} rest;

/* Exactly n digits, as a number; -1 when they are not there, at then stays. */
static int32_t take_digits(rest *r, int n)
{
    if (r->end - r->at < n) {
        return -1;
    }
    int32_t value = 0;
    for (int i = 0; i < n; i++) {
        if (r->at[i] < '0' || r->at[i] > '9') {
            return -1;
        }
        value = value * 10 + (r->at[i] - '0');
    }
    r->at += n;
    return value;
}

static bool take_char(rest *r, char c)
{
    const bool is_there = r->at < r->end && *r->at == c;
    r->at += is_there ? 1 : 0;
    return is_there;
}

static int32_t days_in(int32_t year, int32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool take_date(rest *r, int64_t *ms)
{
    const int32_t year = take_digits(r, 4);
    const bool has_hyphens = take_char(r, '-');
    const int32_t month = take_digits(r, 2);
    if (year < 1 || month < 1 || month > 12 || (has_hyphens && !take_char(r, '-'))) {
        return false;
    }
    const int32_t day = take_digits(r, 2);
    if (day < 1 || day > days_in(year, month)) {
        return false;
    }
    *ms = tl_day_from_ymd(year, month, day) * DAY_MS;
    return true;
}

/* .5 or ,500: to whole milliseconds, further digits cut. */
static bool take_fraction(rest *r, int64_t *ms)
{
    if (!take_char(r, '.') && !take_char(r, ',')) {
        return true;
    }
    const char *const begin = r->at;
    int64_t unit = 100;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        *ms += unit * (*r->at - '0');
        unit /= 10;
    }
    return r->at > begin;
}

static bool take_clock(rest *r, int64_t *ms)
{
    const int32_t hour = take_digits(r, 2);
    const bool has_colons = take_char(r, ':');
    const int32_t minute = take_digits(r, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        return false;
    }
    *ms += (hour * 60 + minute) * MINUTE_MS;
    const bool has_seconds =
        has_colons ? take_char(r, ':') : r->at < r->end && *r->at >= '0' && *r->at <= '9';
    if (!has_seconds) {
        return true;
    }
    const int32_t second = take_digits(r, 2);
    *ms += second * INT64_C(1000);
    return second >= 0 && second <= 59 && take_fraction(r, ms);
}

static bool take_zone(rest *r, int64_t *ms)
{
    if (r->at == r->end) {
        return true;
    }
    if (take_char(r, 'Z') || take_char(r, 'z')) {
        return r->at == r->end;
    }
    const bool is_west = take_char(r, '-');
    if (!is_west && !take_char(r, '+')) {
        return false;
    }
    const int32_t hours = take_digits(r, 2);
    const bool has_colon = take_char(r, ':');
    const int32_t minutes = !has_colon && r->at == r->end ? 0 : take_digits(r, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || r->at != r->end) {
        return false;
    }
    const int64_t offset_ms = (hours * 60 + minutes) * MINUTE_MS;
    *ms -= is_west ? -offset_ms : offset_ms;
    return true;
}

bool tl_record_moment(int64_t *out_ms, tl_str text)
{
    const tl_str trimmed = tl__trim(text);
    rest r = {trimmed.ptr, trimmed.ptr + trimmed.len};
    int64_t ms = 0;
    if (!take_date(&r, &ms)) {
        return false;
    }
    if (r.at < r.end) {
        if (!take_char(&r, 'T') && !take_char(&r, 't') && !take_char(&r, ' ')) {
            return false;
        }
        if (!take_clock(&r, &ms) || !take_zone(&r, &ms)) {
            return false;
        }
    }
    *out_ms = ms;
    return true;
}
