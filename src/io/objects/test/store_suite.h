/* The tests that hold on every kind of store (OBJ-4). */
#ifndef TALLY_IO_OBJECTS_TEST_STORE_SUITE_H
#define TALLY_IO_OBJECTS_TEST_STORE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/objects/objects.h"

#define STORE_SUITE_MAX 32

/* Puts its tests into out, which has room for STORE_SUITE_MAX, and gives their number. Each runs on the store that
 * store_suite_use named, whose objects it deletes first. */
size_t store_suite_tests(struct CMUnitTest *out);
void store_suite_use(tl_objects *store);

#endif
