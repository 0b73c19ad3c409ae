#include "io/net/message/message.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool tl_http_name_starts_with(tl_str name, tl_str prefix)
{
    if (name.len < prefix.len) {
        return false;
    }
    for (size_t i = 0; i < prefix.len; i++) {
        if (lower(name.ptr[i]) != lower(prefix.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool tl_http_name_eq(tl_str a, tl_str b)
{
    return a.len == b.len && tl_http_name_starts_with(a, b);
}

const tl_http_header *tl_http_find(tl_http_headers headers, tl_str name)
{
    for (size_t i = 0; i < headers.count; i++) {
        if (tl_http_name_eq(headers.at[i].name, name)) {
            return &headers.at[i];
        }
    }
    return NULL;
}

size_t tl_http_count(tl_http_headers headers, tl_str name)
{
    size_t count = 0;
    for (size_t i = 0; i < headers.count; i++) {
        count += tl_http_name_eq(headers.at[i].name, name) ? 1 : 0;
    }
    return count;
}
