/* calendar: days as numbers, and which days an epoch's name means.
 * For         epoch ids of the portfolio subnet: weekly and monthly, told apart by their form
 * Takes       texts                            Gives       days since 1970-01-01, spans of days, both ends included
 * Calls       base                             Called by   core/epoch, core/subnet, app
 * Invariants  CAL-1 print(parse(x)) is x for every date from 0001-01-01 to 9999-12-31
 *             CAL-2 weeks of all quarters follow each other without a gap or an overlap, and so do months
 *
 *      2024-Q1-W1   the week (Monday to Sunday) of the quarter's first Monday; W counts the Mondays of the quarter,
 *                   1 to 13 or 14, so a week belongs to the quarter in which its Monday lies
 *      2024-M03     the month of March (PROPOSED in the portfolio spec, section 1)
 */
#ifndef TALLY_CORE_EPOCH_CALENDAR_H
#define TALLY_CORE_EPOCH_CALENDAR_H

#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_day: days since 1970-01-01 in the proleptic Gregorian calendar. */
typedef int32_t tl_day;

#define TL_DAY_TEXT_CAP 11 /* YYYY-MM-DD and a NUL */

/* tl_day_parse: YYYY-MM-DD and nothing else. Errors: TL_ERR_SYNTAX, TL_ERR_RANGE (no such day). */
TL_MUST_USE tl_err tl_day_parse(tl_day *out, tl_str text, tl_errctx *ctx);

/* tl_day_print: the text, NUL-terminated. day within the years 1 to 9999. */
void tl_day_print(char out[TL_DAY_TEXT_CAP], tl_day day);

/* tl_day_from_ymd, tl_day_to_ymd: month 1 to 12, mday 1 to 31; the date must exist. */
tl_day tl_day_from_ymd(int32_t year, int32_t month, int32_t mday);
void tl_day_to_ymd(tl_day day, int32_t *year, int32_t *month, int32_t *mday);

/* tl_day_weekday: 0 Monday to 6 Sunday. */
int32_t tl_day_weekday(tl_day day);

/* tl_epoch_span: the days that an epoch id means, both included. */
typedef struct tl_epoch_span {
    tl_day first;
    tl_day last;
} tl_epoch_span;

#define TL_EPOCH_ID_CAP 16 /* the longest id, 2024-Q1-W14, and a NUL */

/* tl_epoch_span_parse: Errors: TL_ERR_SYNTAX (no epoch id), TL_ERR_RANGE (the quarter has no such week). */
TL_MUST_USE tl_err tl_epoch_span_parse(tl_epoch_span *out, tl_str id, tl_errctx *ctx);

/* tl_epoch_id_weekly: the id of the week that contains the day. */
void tl_epoch_id_weekly(char out[TL_EPOCH_ID_CAP], tl_day day);

#ifdef __cplusplus
}
#endif

#endif
