/* One statement text for two databases. */
#include "io/sql/sql_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t tl__sql_hash(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    }
    return hash;
}

static size_t count_of(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == c;
    }
    return n;
}

char *tl__sql_translate(const char *text, tl_sql_kind kind)
{
    const size_t cap = strlen(text) + count_of(text, '?') * 10 + 1; /* $ and at most ten digits */
    char *out = malloc(cap);
    if (out == NULL) {
        return NULL;
    }
    size_t len = 0;
    unsigned number = 0;
    char quote = 0;
    bool is_left_out = false;
    for (const char *p = text; *p != '\0'; p++) {
        if (quote != 0) {
            quote = *p == quote ? 0 : quote;
        } else if (*p == '\'' || *p == '"') {
            quote = *p;
        } else if (*p == '{' || *p == '}') {
            is_left_out = *p == '{' && kind == TL_SQL_SQLITE;
            continue;
        } else if (*p == '?' && kind == TL_SQL_POSTGRES) {
            len += (size_t)snprintf(out + len, cap - len, "$%u", ++number);
            continue;
        }
        if (!is_left_out) {
            out[len++] = *p;
        }
    }
    out[len] = '\0';
    return out;
}
