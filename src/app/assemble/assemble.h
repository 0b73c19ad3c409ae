/* assemble: from what people have (tables, signals, parameters) to the sections of an epoch.
 * For         tally portfolio run, the demo, the benches: all go the same road
 * Takes       CSV text of prices, signals as JSON, parameters as JSON
 * Gives       inputs, evidence and parameters as canonical JSON; an epoch run and published
 * Calls       core/epoch, core/codec           Called by   app/cli, app/demo, bench
 * Owns        nothing: everything lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  ASM-1 the order in which signals and validators are given changes no byte
 *             ASM-2 a price keeps its decimal text: integer · 10^-scale is what the table said, unless a column
 *                   needs more than 62 bits: then its last places are rounded, far below a double of its largest
 * Read        assemble.c, then prices.c
 */
#ifndef TALLY_APP_ASSEMBLE_H
#define TALLY_APP_ASSEMBLE_H

#include "core/epoch/bundle/bundle.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- prices (prices.c) --- */

/* A price as the table wrote it: digits · 10^exponent; digits 0: none. */
typedef struct tl_price {
    uint64_t digits;
    int32_t exponent;
} tl_price;

/* tl_price_table: tickers ascending, days ascending; price[day * ticker_count + ticker]. */
typedef struct tl_price_table {
    const tl_day *days;
    size_t day_count;
    const tl_str *tickers;
    size_t ticker_count;
    tl_price *price;
} tl_price_table;

/* tl_price_table_read: a CSV with a date column first (any name, YYYY-MM-DD ascending) and a column of closes a ticker;
 * an empty cell is a missing price. Errors: those of core/codec/csv, with line and column; TL_ERR_RANGE for a price that
 * is not above 0, a date that does not follow. */
TL_MUST_USE tl_err tl_price_table_read(tl_price_table *out, tl_arena *arena, tl_str csv,
                                       tl_errctx *ctx);

/* The price as the nearest double; 0 when there is none. */
double tl_price_to_f64(tl_price price);

/* tl_validator_view: what a validator saw. */
typedef struct tl_validator_view {
    tl_hotkey hotkey;
    tl_rao stake;
    bool has_feed; /* false: its row did not come in time */
    size_t feed;   /* index of a table */
    tl_str row;    /* its own row as JSON, or empty: what its feed says */
} tl_validator_view;

/* tl_assemble_evidence: the rows [from, to) of the tables, which share days and tickers; views in any order. */
TL_MUST_USE tl_err tl_assemble_evidence(tl_str *out, tl_arena *arena,
                                        const tl_price_table *const *tables, size_t table_count,
                                        size_t from, size_t to, const tl_validator_view *views,
                                        size_t view_count, tl_errctx *ctx);

/* tl_assemble_rows: the rows that an epoch's scoring needs: from three closes before first to the last day that is not
 * after last. TL_ERR_MISSING when the table has no trading day of [last_epoch_first, last]. */
TL_MUST_USE tl_err tl_assemble_rows(size_t *from, size_t *to, const tl_price_table *table,
                                    tl_day first, tl_epoch_span settled, tl_str epoch_id,
                                    tl_errctx *ctx);

/* --- inputs (assemble.c) --- */

/* tl_assemble_inputs_spec: every member may be in any order; texts are canonical JSON, or empty for null or none. */
typedef struct tl_assemble_inputs_spec {
    tl_str epoch_id;
    uint64_t height;
    const tl_submission *submissions; /* will be sorted in a copy */
    size_t submission_count;
    const tl_validator_view *validators;
    size_t validator_count;
    tl_str records;  /* carried: a list */
    tl_str bonds;    /* carried: a list */
    tl_str balances; /* an object */
    tl_str stakes;   /* an object */
    bool was_extended;
} tl_assemble_inputs_spec;

TL_MUST_USE tl_err tl_assemble_inputs(tl_str *out, tl_arena *arena, const tl_subnet *subnet,
                                      const tl_assemble_inputs_spec *spec, tl_errctx *ctx);

/* tl_assembled: an epoch that was run and published. */
typedef struct tl_assembled {
    tl_road_result result;
    tl_str bundle; /* bytes of the file */
    tl_hash32 digest;
} tl_assembled;

/* tl_assemble_publish: parse the sections, run the road, publish. Texts must live as long as out. */
TL_MUST_USE tl_err tl_assemble_publish(tl_assembled *out, tl_arena *arena, const tl_subnet *subnet,
                                       tl_str inputs, tl_str evidence, tl_str parameters,
                                       tl_errctx *ctx);

/* --- a file of signals (portfolio.c) --- */

/* tl_assemble_portfolio: what `tally portfolio run` does: settle the latest epoch among the signals, earlier ones make
 * the records.
 *
 * prices    CSV text
 * signals   one JSON object a line; empty lines are skipped
 * given     the parameters file as JSON text, or empty
 * Errors    bad input with line and field; broken rules of a signal are no errors
 *
 * Where the spec is silent, decision 011 says what was chosen: a signal that names no epoch is a line of the settled one,
 * and balances are tested for that one only.
 */
TL_MUST_USE tl_err tl_assemble_portfolio(tl_assembled *out, tl_arena *arena, tl_str prices,
                                         tl_str signals, tl_str given, tl_errctx *ctx);

/* tl_assemble_default_validators: five, with the stakes of the portfolio spec's section 9: 40, 25, 15, 12 and 8 % of
 * 1,000,000 TAO; hotkeys are SHA-256 of "tally/validator/1" to "/5". */
#define TL_ASSEMBLE_VALIDATORS 5
void tl_assemble_default_validators(tl_validator_view out[TL_ASSEMBLE_VALIDATORS]);

#ifdef __cplusplus
}
#endif

#endif
