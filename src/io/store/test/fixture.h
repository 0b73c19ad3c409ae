/* A store in a folder of its own, for the tests of this room. */
#ifndef TALLY_IO_STORE_TEST_FIXTURE_H
#define TALLY_IO_STORE_TEST_FIXTURE_H

#include "io/store/store.h"

typedef struct tl_test_store {
    tl_arena *arena;
    const char *dir;
    tl_store *store;
} tl_test_store;

int tl_test_store_set_up(void **state);
int tl_test_store_tear_down(void **state);

#define TL_STORE_TEST(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tl_test_store_set_up, tl_test_store_tear_down)

/* tl_test_reopen: close and open again. */
void tl_test_reopen(tl_test_store *f, tl_store_mode mode);

/* tl_test_submission: one of epoch 7 whose key, hotkey, height and commitment follow from a number. */
tl_store_submission tl_test_submission(uint8_t number, const char *body);

#endif
