/* What migrations.c tells migrate.c. */
#ifndef TALLY_IO_STORE_MIGRATIONS_H
#define TALLY_IO_STORE_MIGRATIONS_H

#include <stddef.h>
#include <stdint.h>

typedef struct tl__migration {
    uint32_t number; /* from 1, without gaps */
    const char *name;
    const char *sql;
} tl__migration;

/* tl__migrations: all of them, by number. */
const tl__migration *tl__migrations(size_t *count);

#endif
