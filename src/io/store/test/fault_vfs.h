/* A SQLite file system that goes on to the real one, and fails or kills the process at its n-th write or sync. */
#ifndef TALLY_IO_STORE_TEST_FAULT_VFS_H
#define TALLY_IO_STORE_TEST_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tl_fault {
    size_t at;      /* the n-th operation from now on, from 1; 0: never */
    bool is_deadly; /* end the process there, instead of an error */
    bool is_torn;   /* a deadly write first writes half of its bytes */
    size_t count;   /* operations seen */
} tl_fault;

/* tl_fault_install: make it SQLite's default file system. The state is shared by all files opened from then on. */
tl_fault *tl_fault_install(void);

#define TL_FAULT_EXIT 77 /* exit status of a process that ended at a deadly fault */

#endif
