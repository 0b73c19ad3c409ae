/* How an answer travels: its strong ETag, whether the caller has it already, whether it takes gzip. */
#include "app/api/api_internal.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

void tl__encode_etag(char out[TL__API_ETAG_CAP], tl_bytes body)
{
    tl_hash32 digest;
    tl_sha256(&digest, body.ptr, body.len);
    char hex[33];
    tl_hex_write(hex, digest.b, 16);
    tl_str_print(out, TL__API_ETAG_CAP, "\"%s\"", hex);
}

/* Is q 0 in the parameters of an element ("gzip;q=0.000")? */
static bool is_refused(tl_str params)
{
    tl_str param;
    while (tl_str_split(&param, &params, ';')) {
        param = tl_str_trim(param);
        if (param.len < 3 || (param.ptr[0] | 0x20) != 'q' || param.ptr[1] != '=') {
            continue;
        }
        for (size_t i = 2; i < param.len; i++) {
            if (param.ptr[i] != '0' && param.ptr[i] != '.') {
                return false;
            }
        }
        return true;
    }
    return false;
}

/* gzip by its name (or x-gzip) wins over "*" wherever they stand. */
bool tl__encode_takes_gzip(tl_http_headers headers)
{
    int by_name = -1;
    int by_star = -1;
    for (size_t i = 0; i < headers.count; i++) {
        if (!tl_http_name_eq(headers.at[i].name, TL_STR("accept-encoding"))) {
            continue;
        }
        tl_str list = headers.at[i].value;
        tl_str element;
        while (tl_str_split(&element, &list, ',')) {
            tl_str params = element;
            tl_str name;
            if (!tl_str_split(&name, &params, ';')) {
                continue;
            }
            name = tl_str_trim(name);
            const int takes = is_refused(params) ? 0 : 1;
            if (tl_http_name_eq(name, TL_STR("gzip")) || tl_http_name_eq(name, TL_STR("x-gzip"))) {
                by_name = takes;
            } else if (tl_str_eq_cstr(name, "*")) {
                by_star = takes;
            }
        }
    }
    return by_name >= 0 ? by_name == 1 : by_star == 1;
}

/* The bare tag of an entity tag: without W/, quotes and the mark of the gzip form. */
static tl_str bare(tl_str tag)
{
    tag = tl_str_trim(tag);
    if (tl_str_starts_with(tag, TL_STR("W/"))) {
        tag = tl_str_slice(tag, 2, tag.len);
    }
    if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"') {
        tag = tl_str_slice(tag, 1, tag.len - 1);
    }
    return tl_str_ends_with(tag, TL_STR("-gz")) ? tl_str_slice(tag, 0, tag.len - 3) : tag;
}

/* Weak comparison (RFC 9110, section 13.1.2): both forms of one body are the same here. */
bool tl__encode_matches(tl_http_headers headers, const char *etag)
{
    const tl_str own = bare(tl_str_from_cstr(etag));
    for (size_t i = 0; i < headers.count; i++) {
        if (!tl_http_name_eq(headers.at[i].name, TL_STR("if-none-match"))) {
            continue;
        }
        tl_str list = headers.at[i].value;
        tl_str element;
        while (tl_str_split(&element, &list, ',')) {
            if (tl_str_eq(bare(element), own) || tl_str_eq_cstr(tl_str_trim(element), "*")) {
                return true;
            }
        }
    }
    return false;
}
