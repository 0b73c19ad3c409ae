/* data: the tables that ship with the program, found wherever it runs.
 * For         the demos, the market and the coordinator: prices and zipcodes without a path on the command line
 * Takes       a file's name                    Gives       its path; the table of zipcodes, read
 * Calls       io/sys, core/listings/place      Called by   app
 * Owns        nothing: results live in the arena passed in
 * Threads     any: no state
 * Invariants  DATA-1 a path that is given is the one that is read: no search behind the user's back
 * Read        data.c
 *
 * The search: ../../data, ../data and ../share/tally from the folder of the running program (a build folder, a folder of
 * binaries in the project, an installation), then data in the working folder.
 */
#ifndef TALLY_APP_DATA_H
#define TALLY_APP_DATA_H

#include "core/listings/place/place.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_DATA_PRICES   "us_stocks_daily_close.csv.gz"
#define TL_DATA_ZIPCODES "us_zipcodes.csv.gz"

/* tl_data_find: the path of a table. Errors: TL_ERR_NOT_FOUND. */
TL_MUST_USE tl_err tl_data_find(const char **out, tl_arena *arena, const char *name,
                                tl_errctx *ctx);

/* tl_data_zipcodes: the table at path, CSV or gzip of it; NULL: the one that ships.
 * Errors: those of io/sys and tl_places_read, the path named. */
TL_MUST_USE tl_err tl_data_zipcodes(tl_places *out, tl_arena *arena, const char *path,
                                    tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
