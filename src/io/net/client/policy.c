/* When to ask again, when to stop asking, how fast to ask: pure functions of time and luck. */
#include <string.h>

#include "core/epoch/calendar/calendar.h"
#include "io/net/client/client.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000, DAY_S = 86400 };

const char *tl_client_fault_text(tl_client_fault fault)
{
    static const char *const texts[] = {
#define TEXT(name, text) text,
        TL_CLIENT_FAULT_MAP(TEXT)
#undef TEXT
    };
    TL_ASSERT((unsigned)fault < TL_CLIENT_FAULT_COUNT);
    return texts[fault];
}

/* --- back-off --- */

uint64_t tl_backoff_ms(const tl_backoff *rule, uint32_t k, uint32_t luck)
{
    const uint64_t base = rule->base_ms != 0 ? rule->base_ms : TL_BACKOFF_BASE_MS;
    const uint64_t cap = rule->cap_ms != 0 ? rule->cap_ms : TL_BACKOFF_CAP_MS;
    const uint64_t whole = k >= 32 || base << k > cap ? cap : base << k;
    const uint64_t percent = rule->jitter_percent > 100 ? 100 : rule->jitter_percent;
    return whole - ((whole * percent / 100 * luck) >> 32);
}

/* --- Retry-After --- */

typedef struct date_parts {
    uint32_t year;
    uint32_t month; /* from 1 */
    uint32_t day;
    uint32_t seconds; /* of the day */
} date_parts;

/* Exactly count digits at the front of *rest, a space counting as a zero where it pads. */
static bool take_number(uint32_t *out, tl_str *rest, size_t count, bool may_pad)
{
    if (rest->len < count) {
        return false;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        const char c = rest->ptr[i];
        if (c == ' ' && may_pad && i == 0) {
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(c - '0');
    }
    *out = value;
    *rest = tl_str_slice(*rest, count, rest->len);
    return true;
}

static bool take_text(tl_str *rest, tl_str text)
{
    if (!tl_str_starts_with(*rest, text)) {
        return false;
    }
    *rest = tl_str_slice(*rest, text.len, rest->len);
    return true;
}

static bool take_month(uint32_t *out, tl_str *rest)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (uint32_t i = 0; i < 12; i++) {
        if (take_text(rest, (tl_str){names + i * 3, 3})) {
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_clock(uint32_t *out, tl_str *rest)
{
    uint32_t h = 0;
    uint32_t m = 0;
    uint32_t s = 0;
    if (!take_number(&h, rest, 2, false) || !take_text(rest, TL_STR(":")) ||
        !take_number(&m, rest, 2, false) || !take_text(rest, TL_STR(":")) ||
        !take_number(&s, rest, 2, false) || h > 23 || m > 59 || s > 60) {
        return false;
    }
    *out = h * 3600 + m * 60 + s;
    return true;
}

/* "06 Nov 1994 08:49:37 GMT", or with dashes and a year of two digits ("06-Nov-94"), which is of the hundred years that
 * end 50 years from now (RFC 9110 section 5.6.7). */
static bool take_day_first(date_parts *out, tl_str rest, uint32_t year_now)
{
    const bool is_short = rest.len > 2 && rest.ptr[2] == '-';
    const tl_str gap = is_short ? TL_STR("-") : TL_STR(" ");
    if (!take_number(&out->day, &rest, 2, false) || !take_text(&rest, gap) ||
        !take_month(&out->month, &rest) || !take_text(&rest, gap) ||
        !take_number(&out->year, &rest, is_short ? 2 : 4, false) ||
        !take_text(&rest, TL_STR(" ")) || !take_clock(&out->seconds, &rest) ||
        !tl_str_eq(rest, TL_STR(" GMT"))) {
        return false;
    }
    if (is_short) {
        out->year += year_now / 100 * 100;
        out->year -= out->year > year_now + 50 ? 100 : 0;
    }
    return true;
}

/* "Nov  6 08:49:37 1994" */
static bool take_month_first(date_parts *out, tl_str rest)
{
    return take_month(&out->month, &rest) && take_text(&rest, TL_STR(" ")) &&
           take_number(&out->day, &rest, 2, true) && take_text(&rest, TL_STR(" ")) &&
           take_clock(&out->seconds, &rest) && take_text(&rest, TL_STR(" ")) &&
           take_number(&out->year, &rest, 4, false) && rest.len == 0;
}

/* The day of the week is not compared: whoever writes it wrongly means the date. */
static bool parse_date(int64_t *out_s, tl_str value, int64_t wall_ns)
{
    char now[TL_TIME_TEXT_CAP];
    tl_time_text(now, wall_ns);
    tl_str now_text = tl_str_from_cstr(now);
    uint32_t year_now = 0;
    date_parts date = {0};
    const size_t comma = tl_str_find(value, ',');
    bool is_date = take_number(&year_now, &now_text, 4, false);
    if (comma < value.len) {
        tl_str rest = tl_str_slice(value, comma + 1, value.len);
        is_date = is_date && take_text(&rest, TL_STR(" ")) && take_day_first(&date, rest, year_now);
    } else {
        tl_str rest = tl_str_slice(value, tl_str_find(value, ' '), value.len);
        is_date = is_date && take_text(&rest, TL_STR(" ")) && take_month_first(&date, rest);
    }
    if (!is_date) {
        return false;
    }
    char text[TL_DAY_TEXT_CAP];
    const size_t len = tl_str_print(text, sizeof text, "%04u-%02u-%02u", date.year % 10000,
                                    date.month % 100, date.day % 100);
    tl_day day = 0;
    if (tl_day_parse(&day, (tl_str){text, len}, NULL) != TL_OK) {
        return false;
    }
    *out_s = (int64_t)day * DAY_S + date.seconds;
    return true;
}

bool tl_retry_after_ms(uint64_t *out, tl_str value, int64_t wall_ns)
{
    enum { SECONDS_MAX = 1 << 30 };
    uint64_t seconds = 0;
    if (tl_str_parse_u64(&seconds, value)) {
        *out = (seconds > SECONDS_MAX ? SECONDS_MAX : seconds) * 1000;
        return true;
    }
    int64_t then_s = 0;
    if (!parse_date(&then_s, value, wall_ns)) {
        return false;
    }
    const int64_t wait_ms = then_s * 1000 - wall_ns / NS_PER_MS;
    *out = wait_ms > 0 ? (uint64_t)wait_ms : 0;
    return true;
}

/* --- the breaker --- */

bool tl_breaker_ask(tl_breaker *breaker, const tl_breaker_rule *rule, int64_t steady_ns)
{
    if (rule->failures_max == 0) {
        return true;
    }
    const int64_t open_ms = rule->open_ms != 0 ? rule->open_ms : TL_BREAKER_OPEN_MS;
    if (breaker->state == TL_BREAKER_OPEN &&
        steady_ns - breaker->opened_ns >= open_ms * NS_PER_MS) {
        breaker->state = TL_BREAKER_HALF_OPEN;
        breaker->probes = 0;
        breaker->is_probing = false;
    }
    switch (breaker->state) {
    case TL_BREAKER_CLOSED:
        return true;
    case TL_BREAKER_OPEN:
        return false;
    case TL_BREAKER_HALF_OPEN:
        if (breaker->is_probing) {
            return false;
        }
        breaker->is_probing = true;
        return true;
    }
    return false;
}

static void open_breaker(tl_breaker *breaker, int64_t steady_ns)
{
    *breaker = (tl_breaker){.state = TL_BREAKER_OPEN, .opened_ns = steady_ns};
}

/* A request that went out before the breaker opened may end after it: it then changes nothing. */
void tl_breaker_tell(tl_breaker *breaker, const tl_breaker_rule *rule, bool is_good,
                     int64_t steady_ns)
{
    if (rule->failures_max == 0 || breaker->state == TL_BREAKER_OPEN) {
        return;
    }
    if (breaker->state == TL_BREAKER_CLOSED) {
        breaker->failures = is_good ? 0 : breaker->failures + 1;
        if (breaker->failures >= rule->failures_max) {
            open_breaker(breaker, steady_ns);
        }
        return;
    }
    if (!breaker->is_probing) {
        return;
    }
    breaker->is_probing = false;
    if (!is_good) {
        open_breaker(breaker, steady_ns);
    } else if (++breaker->probes >=
               (rule->probes_max != 0 ? rule->probes_max : TL_BREAKER_PROBES)) {
        *breaker = (tl_breaker){.state = TL_BREAKER_CLOSED};
    }
}

void tl_breaker_forget(tl_breaker *breaker)
{
    breaker->is_probing = false;
}

/* --- the pace --- */

/* The generic cell rate algorithm: a token costs a second / per_s; a bucket that will be full at full_ns lacks
 * (full_ns - now) / cost tokens of burst. */
int64_t tl_pace_take(tl_pace *pace, const tl_pace_rule *rule, int64_t steady_ns)
{
    if (rule->per_s == 0) {
        return 0;
    }
    const int64_t cost_ns = NS_PER_S / (int64_t)rule->per_s;
    const int64_t spare_ns = (rule->burst != 0 ? (int64_t)rule->burst - 1 : 0) * cost_ns;
    const int64_t full_ns = pace->full_ns > steady_ns ? pace->full_ns : steady_ns;
    if (full_ns - steady_ns > spare_ns) {
        return full_ns - steady_ns - spare_ns;
    }
    pace->full_ns = full_ns + cost_ns;
    return 0;
}
