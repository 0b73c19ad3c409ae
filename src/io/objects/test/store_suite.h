/* The tests that hold on every kind of store (OBJ-4). */
#ifndef TALLY_IO_OBJECTS_TEST_STORE_SUITE_H
#define TALLY_IO_OBJECTS_TEST_STORE_SUITE_H

#include "io/objects/objects.h"

/* Runs all of them, each on a store whose objects were deleted. Gives the number of failures. */
int store_suite_run(const char *name, tl_objects *store);

#endif
