/* slot.c: epochs' ids and the slots of a day. */
#include <string.h>

#include "core/epoch/calendar/calendar.h"
#include "core/listings/place/place.h"

#define SECOND_MS 1000

bool tl_slot_seconds_are_valid(uint32_t seconds)
{
    return seconds > 0 && seconds <= TL_DAY_SECONDS && TL_DAY_SECONDS % seconds == 0;
}

int64_t tl_slot_start(int64_t at_ms, uint32_t seconds)
{
    TL_ASSERT(tl_slot_seconds_are_valid(seconds));
    TL_ASSERT(at_ms >= 0 && at_ms < TL_SLOT_MS_CEILING);
    return at_ms - at_ms % ((int64_t)seconds * SECOND_MS); /* days begin at multiples of a day */
}

void tl_slot_print(char out[TL_SLOT_ID_CAP], int64_t start_ms)
{
    TL_ASSERT(start_ms >= 0 && start_ms < TL_SLOT_MS_CEILING && start_ms % SECOND_MS == 0);
    char day[TL_DAY_TEXT_CAP];
    tl_day_print(day, (tl_day)(start_ms / TL_DAY_MS));
    const uint32_t s = (uint32_t)(start_ms % TL_DAY_MS / SECOND_MS);
    (void)tl_str_print(out, TL_SLOT_ID_CAP, "%sT%02u-%02u-%02u", day, s / 3600, s / 60 % 60,
                       s % 60);
}

/* Two digits at an offset; 100 when they are none. */
static uint32_t two_digits(tl_str id, size_t at)
{
    const unsigned a = (unsigned)((unsigned char)id.ptr[at] - '0');
    const unsigned b = (unsigned)((unsigned char)id.ptr[at + 1] - '0');
    return a <= 9 && b <= 9 ? a * 10 + b : 100;
}

/* Every place of the text is looked at, so that no two texts are one time (PLACE-4). */
tl_err tl_slot_parse(int64_t *start_ms, tl_str id, tl_errctx *ctx)
{
    if (id.len != TL_SLOT_ID_LEN || id.ptr[10] != 'T' || id.ptr[13] != '-' || id.ptr[16] != '-') {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no epoch id: YYYY-MM-DDTHH-MM-SS",
                       TL_STR_ARG(tl_str_slice(id, 0, 40)));
    }
    tl_day day = 0;
    TL_TRY(tl_day_parse(&day, tl_str_slice(id, 0, 10), ctx));
    const uint32_t h = two_digits(id, 11);
    const uint32_t m = two_digits(id, 14);
    const uint32_t s = two_digits(id, 17);
    if (h == 100 || m == 100 || s == 100) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no epoch id: YYYY-MM-DDTHH-MM-SS",
                       TL_STR_ARG(id));
    }
    if (h > 23 || m > 59 || s > 59 || day < 0) {
        return tl_fail(ctx, TL_ERR_RANGE, "\"%.*s\" is no time from 1970 on", TL_STR_ARG(id));
    }
    *start_ms = (int64_t)day * TL_DAY_MS + ((int64_t)h * 3600 + m * 60 + s) * SECOND_MS;
    return TL_OK;
}
