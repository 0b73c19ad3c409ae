/* The interfaces, and the two worlds that need no machine. */
#include "base/world/world.h"

#include <string.h>

int64_t tl_clock_wall_ns(const tl_clock *clock)
{
    return clock->wall_ns(clock->self);
}

int64_t tl_clock_steady_ns(const tl_clock *clock)
{
    return clock->steady_ns(clock->self);
}

tl_err tl_entropy_fill(const tl_entropy *entropy, void *out, size_t len, tl_errctx *ctx)
{
    return entropy->fill(entropy->self, out, len, ctx);
}

/* --- the manual clock --- */

static int64_t manual_wall_ns(void *self)
{
    const tl_manual_clock *clock = self;
    return clock->wall_ns;
}

static int64_t manual_steady_ns(void *self)
{
    const tl_manual_clock *clock = self;
    return clock->steady_ns;
}

tl_clock tl_manual_clock_start(tl_manual_clock *clock, int64_t wall_ns)
{
    *clock = (tl_manual_clock){wall_ns, 0};
    return (tl_clock){clock, manual_wall_ns, manual_steady_ns};
}

void tl_manual_clock_step(tl_manual_clock *clock, int64_t by_ns)
{
    TL_ASSERT(by_ns >= 0); /* WORLD-1 */
    clock->wall_ns += by_ns;
    clock->steady_ns += by_ns;
}

/* --- seeded entropy --- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_word(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static tl_err seeded_fill(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)ctx; /* it always has more */
    tl_seeded_entropy *entropy = self;
    uint8_t *bytes = out;
    for (size_t i = 0; i < len;) {
        uint64_t word = next_word(&entropy->state);
        for (int k = 0; k < 8 && i < len; k++, i++) {
            bytes[i] = (uint8_t)word; /* WORLD-2: little-endian by shifts, not by the machine */
            word >>= 8;
        }
    }
    return TL_OK;
}

tl_entropy tl_seeded_entropy_start(tl_seeded_entropy *entropy, uint64_t seed)
{
    entropy->state = seed;
    return (tl_entropy){entropy, seeded_fill};
}

/* --- time as text --- */

enum { DAY_S = 86400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468 };

#define NS_PER_S  INT64_C(1000000000)
#define LAST_S    INT64_C(253402300799) /* 9999-12-31T23:59:59 */
#define NS_PER_MS INT64_C(1000000)

/* Digits of value, right to left, width of them. */
static void put_digits(char *out, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Days since 1970 to a date: eras of 400 years that begin on 1 March (Hinnant, "chrono-compatible date algorithms"). */
static void put_date(char *out, int64_t days)
{
    const int64_t z = days + DAYS_TO_1970;
    const int64_t era = z / ERA_DAYS;
    const int64_t doe = z % ERA_DAYS;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9;
    put_digits(out, yoe + era * 400 + (month <= 2), 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, doy - (153 * mp + 2) / 5 + 1, 2);
}

void tl_time_text(char out[TL_TIME_TEXT_CAP], int64_t wall_ns)
{
    const int64_t kept_ns = wall_ns < 0 ? 0 : wall_ns;
    int64_t seconds = kept_ns / NS_PER_S;
    seconds = seconds > LAST_S ? LAST_S : seconds;
    memcpy(out, "0000-00-00T00:00:00.000Z", sizeof "0000-00-00T00:00:00.000Z");
    put_date(out, seconds / DAY_S);
    const int64_t second = seconds % DAY_S;
    put_digits(out + 11, second / 3600, 2);
    put_digits(out + 14, second / 60 % 60, 2);
    put_digits(out + 17, second % 60, 2);
    put_digits(out + 20, kept_ns % NS_PER_S / NS_PER_MS, 3);
}
