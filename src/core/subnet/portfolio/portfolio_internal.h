/* portfolio_internal: what the sources of this room share. */
#ifndef TALLY_CORE_SUBNET_PORTFOLIO_INTERNAL_H
#define TALLY_CORE_SUBNET_PORTFOLIO_INTERNAL_H

#include "core/subnet/portfolio/portfolio.h"

/* --- parameters (params.c) --- */

typedef struct tl__params {
    tl_score_options score;
    bool allow_short;
    uint32_t bootstrap_resamples;
} tl__params;

tl_err tl__params_put(tl_json_writer *w, const tl_json *given, tl_errctx *ctx);
tl_err tl__params_read(tl__params *out, const tl_json *parameters, tl_errctx *ctx);

/* --- evidence (evidence.c) --- */

#define TL__DAYS_MAX    20000 /* eighty years of trading days */
#define TL__TICKERS_MAX 4096
#define TL__FEEDS_MAX   256
#define TL__SCALE_MAX   18 /* decimal places of a price */

/* Price tables: one calendar and one universe for all feeds. price[feed][day * ticker_count + ticker]; 0: missing. */
typedef struct tl__prices {
    const tl_day *days;
    size_t day_count;
    const tl_str *tickers; /* ascending by bytes */
    size_t ticker_count;
    const double *const *price;
    size_t feed_count;
} tl__prices;

tl_err tl__prices_read(tl__prices *out, tl_arena *arena, const tl_json *evidence, tl_errctx *ctx);

/* The ticker's index, or ticker_count when it is not in the universe. */
size_t tl__prices_find(const tl__prices *prices, tl_str ticker);

/* The first day of the table that is not before `day`; day_count when there is none. */
size_t tl__prices_day_at(const tl__prices *prices, tl_day day);

/* --- records (record.c) --- */

/* One rebalance: the weights of one epoch, held from the close before `first` to the close of `last`. */
typedef struct tl__holding {
    size_t first; /* index of the first day that the weights earn */
    size_t last;
    const tl_portfolio *portfolio;
} tl__holding;

/* A miner's past: what it held, and how often it revealed. */
typedef struct tl__past {
    tl_hotkey hotkey;
    const tl__holding *holdings; /* ascending, without overlap */
    size_t holding_count;
    uint32_t epochs;  /* of its last 12 */
    uint32_t reveals; /* among them, valid */
} tl__past;

/* A record: one row a day, all arrays of count. */
typedef struct tl__record {
    size_t count;
    const double *returns;
    const uint32_t *day;    /* index in the price table */
    const double *turnover; /* τ of a rebalance whose weights first earn on that day, else 0 */
    const bool *is_blind;   /* more than 10 % of the exposure had no price of that day */
} tl__record;

tl_err tl__record_build(tl__record *out, tl_arena *arena, const tl__prices *prices, size_t feed,
                        const tl__holding *holdings, size_t holding_count, tl_errctx *ctx);

/* T: 5·Στ/m over the last m = min(d, 90) days; 0 without days. */
double tl__record_turnover(const tl__record *record);

/* The mean return of the universe on each day of the table, day_count of them; 0 on the first. */
tl_err tl__universe_returns(const double **out, tl_arena *arena, const tl__prices *prices,
                            size_t feed, tl_errctx *ctx);

/* --- the world (subnet.c) and its flags (flags.c) --- */

typedef struct tl__world {
    tl__params params;
    tl_str epoch_id;
    tl_epoch_span span;
    tl__prices prices;
    size_t first_day; /* of the epoch, in the price table; day_count when it has none */
    size_t last_day;
    const tl__past *pasts; /* ascending by hotkey */
    size_t past_count;
    const tl_json *stakes; /* members SS58 to rao, or NULL: the sybil rule is off */
} tl__world;

/* One peer while it is scored. */
typedef struct tl__peer {
    const tl_submission *submission;
    const tl_portfolio *portfolio;
    const tl__past *past; /* NULL: none */
    tl__record record;
    double turnover_per_week;
    double *active; /* returns less those of the universe; record.count of them */
    tl_flag flags[TL_RULE_COUNT];
    size_t flag_count;
} tl__peer;

const tl__past *tl__past_of(const tl__world *world, const tl_hotkey *hotkey);

/* All flags of all peers, in the order of their bits. peers: in order of commit height, then hotkey. */
tl_err tl__flags_raise(tl__peer *peers, size_t count, const tl__world *world, tl_arena *scratch,
                       tl_errctx *ctx);

/* --- decode.c --- */
tl_err tl__decode(tl_submission *io, tl_arena *arena, const tl_json *signal, tl_errctx *ctx);
tl_err tl__decode_positions(const tl_portfolio **out, tl_arena *arena, const tl_json *positions,
                            tl_errctx *ctx);
void tl__encode(tl_json_writer *w, const void *body);

#endif
