/* The service's tables, fresh for each test, on each database; and rows to fill them with. */
#ifndef TALLY_IO_RECORDS_TEST_FIXTURE_H
#define TALLY_IO_RECORDS_TEST_FIXTURE_H

#include "io/records/records.h"
#include "io/sql/test/worlds.h"

/* tl_test_records: a handle on the tables of a world, migrated; closed by the caller. */
tl_records *tl_test_records(const tl_sql_world *world);

#define TL_TEST_EPOCH TL_STR("2030-01-01T00-00-00")
#define TL_TEST_START INT64_C(1893456000000)
#define TL_TEST_END   (TL_TEST_START + 14400000)

/* tl_test_epoch: the epoch above, in a state, with two zipcodes (10001, 60601) and a honeypot (94105). */
void tl_test_epoch(tl_records *records, tl_epoch_state state);

/* tl_test_move: that epoch to another state; marks: how many of beacon, evidence, commits, results are closed. */
void tl_test_move(tl_records *records, tl_arena *arena, tl_epoch_state state, uint32_t round,
                  int marks);

/* tl_test_key: a hotkey that follows from a number, in the order of numbers. */
tl_hotkey tl_test_key(uint32_t number);
tl_hash32 tl_test_hash(uint32_t number);

/* tl_test_submission: of hotkey number, received so many ms before the deadline; three objects, two of them of 10001. */
tl_record_submission tl_test_submission(uint32_t number, int64_t before_ms);

/* tl_test_ok: fails with the message. */
#define tl_test_ok(call)                                                                           \
    do {                                                                                           \
        tl_errctx why_ = TL_ERRCTX_INIT;                                                           \
        tl_errctx *ctx = &why_;                                                                    \
        if ((call) != TL_OK) {                                                                     \
            fail_msg(#call ": %s", why_.message);                                                  \
        }                                                                                          \
    } while (0)

#endif
