#include "core/epoch/calendar/calendar.h"

/* Days are counted in eras of 400 years that begin on 1 March, so that the leap day is a year's last. */
tl_day tl_day_from_ymd(int32_t year, int32_t month, int32_t mday)
{
    const int32_t y = month <= 2 ? year - 1 : year;
    const int32_t era = (y >= 0 ? y : y - 399) / 400;
    const int32_t year_of_era = y - era * 400;
    const int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1;
    const int32_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void tl_day_to_ymd(tl_day day, int32_t *year, int32_t *month, int32_t *mday)
{
    const int32_t shifted = day + 719468;
    const int32_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int32_t day_of_era = shifted - era * 146097;
    const int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int32_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int32_t month_from_march = (5 * day_of_year + 2) / 153;
    *mday = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

int32_t tl_day_weekday(tl_day day)
{
    const int32_t since_monday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
    return since_monday < 0 ? since_monday + 7 : since_monday;
}

static bool digits(int32_t *out, tl_str text, size_t from, size_t to)
{
    int32_t value = 0;
    for (size_t i = from; i < to; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (text.ptr[i] - '0');
    }
    *out = value;
    return true;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

tl_err tl_day_parse(tl_day *out, tl_str text, tl_errctx *ctx)
{
    int32_t year;
    int32_t month;
    int32_t mday;
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' || !digits(&year, text, 0, 4) ||
        !digits(&month, text, 5, 7) || !digits(&mday, text, 8, 10)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no date of the form YYYY-MM-DD",
                       TL_STR_ARG(tl_str_slice(text, 0, 40)));
    }
    if (year < 1 || month < 1 || month > 12 || mday < 1 || mday > month_days(year, month)) {
        return tl_fail(ctx, TL_ERR_RANGE, "there is no day %.*s", TL_STR_ARG(text));
    }
    *out = tl_day_from_ymd(year, month, mday);
    return TL_OK;
}

void tl_day_print(char out[TL_DAY_TEXT_CAP], tl_day day)
{
    int32_t year;
    int32_t month;
    int32_t mday;
    tl_day_to_ymd(day, &year, &month, &mday);
    TL_ASSERT(year >= 1 && year <= 9999); /* CAL-1 */
    const int32_t parts[10] = {year / 1000, year / 100 % 10, year / 10 % 10, year % 10,
                               -1,          month / 10,      month % 10,     -1,
                               mday / 10,   mday % 10};
    for (size_t i = 0; i < 10; i++) {
        out[i] = parts[i] < 0 ? '-' : (char)('0' + parts[i]);
    }
    out[10] = '\0';
}

static tl_day first_monday(int32_t year, int32_t quarter)
{
    const tl_day start = tl_day_from_ymd(year, 3 * quarter - 2, 1);
    return start + (7 - tl_day_weekday(start)) % 7;
}

static tl_err weekly(tl_epoch_span *out, tl_str id, tl_errctx *ctx)
{
    int32_t year;
    int32_t quarter;
    int32_t week;
    const bool formed = digits(&year, id, 0, 4) && id.ptr[4] == '-' && id.ptr[5] == 'Q' &&
                        digits(&quarter, id, 6, 7) && id.ptr[7] == '-' && id.ptr[8] == 'W' &&
                        digits(&week, id, 9, id.len) && id.ptr[9] != '0';
    if (!formed || year < 1 || year > 9998 || quarter < 1 || quarter > 4) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no epoch id", TL_STR_ARG(id));
    }
    const tl_day monday = first_monday(year, quarter) + 7 * (week - 1);
    const tl_day next =
        quarter == 4 ? tl_day_from_ymd(year + 1, 1, 1) : tl_day_from_ymd(year, 3 * quarter + 1, 1);
    if (monday >= next) {
        return tl_fail(ctx, TL_ERR_RANGE, "the quarter of %.*s has no such week", TL_STR_ARG(id));
    }
    *out = (tl_epoch_span){monday, monday + 6};
    return TL_OK;
}

tl_err tl_epoch_span_parse(tl_epoch_span *out, tl_str id, tl_errctx *ctx)
{
    if (id.len == 10 || id.len == 11) {
        return weekly(out, id, ctx);
    }
    int32_t year;
    int32_t month;
    if (id.len != 8 || !digits(&year, id, 0, 4) || id.ptr[4] != '-' || id.ptr[5] != 'M' ||
        !digits(&month, id, 6, 8) || year < 1 || year > 9998 || month < 1 || month > 12) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no epoch id",
                       TL_STR_ARG(tl_str_slice(id, 0, 40)));
    }
    const tl_day first = tl_day_from_ymd(year, month, 1);
    *out = (tl_epoch_span){first, first + month_days(year, month) - 1};
    return TL_OK;
}

void tl_epoch_id_weekly(char out[TL_EPOCH_ID_CAP], tl_day day)
{
    const tl_day monday = day - tl_day_weekday(day);
    int32_t year;
    int32_t month;
    int32_t mday;
    tl_day_to_ymd(monday, &year, &month, &mday);
    TL_ASSERT(year >= 1 && year <= 9998); /* CAL-2 */
    const int32_t quarter = (month + 2) / 3;
    const int32_t week = (monday - first_monday(year, quarter)) / 7 + 1;
    (void)tl_str_print(out, TL_EPOCH_ID_CAP, "%04u-Q%u-W%u", (unsigned)year % 10000U,
                       (unsigned)quarter % 10U, (unsigned)week % 100U);
}
