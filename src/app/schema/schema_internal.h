/* What a compiled schema is: the room's own. */
#ifndef TALLY_APP_SCHEMA_INTERNAL_H
#define TALLY_APP_SCHEMA_INTERNAL_H

#include <regex.h>

#include "app/schema/schema.h"

/* Types as a set of bits. An integer is a number too. */
enum {
    TL__SCHEMA_NULL = 1,
    TL__SCHEMA_BOOLEAN = 2,
    TL__SCHEMA_INTEGER = 4,
    TL__SCHEMA_NUMBER = 8,
    TL__SCHEMA_STRING = 16,
    TL__SCHEMA_ARRAY = 32,
    TL__SCHEMA_OBJECT = 64,
    TL__SCHEMA_ANY = 127
};

typedef struct tl__schema_member {
    tl_str key;
    const tl_schema *schema;
} tl__schema_member;

/* A bound of numbers: is_set says whether it holds. */
typedef struct tl__schema_bound {
    bool is_set;
    bool is_exclusive;
    double value;
} tl__schema_bound;

struct tl_schema {
    const tl_json *json;
    unsigned types;
    const tl_json *enumeration; /* an array; NULL: none */
    const tl_json *constant;
    tl_str ref_name; /* empty: no $ref */
    const tl_schema *ref;
    const tl_schema **any_of;
    size_t any_of_count;
    const tl_schema **one_of;
    size_t one_of_count;
    const tl_schema **all_of;
    size_t all_of_count;
    tl__schema_member *properties;
    size_t property_count;
    const tl_json *required; /* an array of strings; NULL: none */
    bool is_closed;          /* additionalProperties: false */
    const tl_schema *others; /* additionalProperties: a schema */
    const tl_schema *items;
    bool is_unique;
    uint32_t count_min[3]; /* TL__SCHEMA_OF_…: shortest and longest */
    uint32_t count_max[3];
    regex_t *pattern;
    tl__schema_bound least;
    tl__schema_bound most;
    tl_schema *next_ref; /* of the set: those whose $ref waits for tl_schemas_finish */
};

enum { TL__SCHEMA_OF_STRING, TL__SCHEMA_OF_ARRAY, TL__SCHEMA_OF_OBJECT };

typedef struct tl__schema_named {
    tl_str name;
    const tl_schema *schema;
} tl__schema_named;

struct tl_schemas {
    tl_arena *arena;
    tl__schema_named named[TL_SCHEMA_NAMED_MAX];
    size_t count;
    tl_schema *refs;
    bool is_finished;
};

#endif
