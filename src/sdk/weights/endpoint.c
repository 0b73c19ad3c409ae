/* Endpoints: addresses as the chain's integer, the text and the JSON that the SDK has of them, versions as one number. */
#include <arpa/inet.h>
#include <string.h>

#include "base/json/json.h"
#include "sdk/value/value.h"
#include "sdk/weights/weights.h"

/* --- addresses --- */

int tl_ip_version(const tl_ip *ip)
{
    for (size_t i = 0; i < 12; i++) {
        if (ip->b[i] != 0) {
            return 6;
        }
    }
    return 4;
}

tl_err tl_ip_parse(tl_ip *out, tl_str text, tl_errctx *ctx)
{
    char cstr[TL_IP_CAP];
    tl_ip ip;
    memset(&ip, 0, sizeof ip);
    const bool fits = text.len < sizeof cstr && tl_str_find(text, '\0') == text.len;
    tl_str_print(cstr, sizeof cstr, "%.*s", TL_STR_ARG(text));
    if (fits && inet_pton(AF_INET, cstr, &ip.b[12]) == 1) {
        *out = ip;
        return TL_OK;
    }
    if (!fits || inet_pton(AF_INET6, cstr, ip.b) != 1) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%s\" is no address", cstr);
    }
    if (tl_ip_version(&ip) == 4) {
        return tl_fail(ctx, TL_ERR_RANGE, "\"%s\" cannot be told from an IPv4 address on the chain",
                       cstr);
    }
    *out = ip;
    return TL_OK;
}

size_t tl_ip_print(char out[TL_IP_CAP], const tl_ip *ip)
{
    const bool is_v6 = tl_ip_version(ip) == 6;
    const char *const text =
        inet_ntop(is_v6 ? AF_INET6 : AF_INET, is_v6 ? ip->b : &ip->b[12], out, TL_IP_CAP);
    TL_ASSERT(text != NULL);
    return strlen(text);
}

tl_err tl_ip_from_decimal(tl_ip *out, tl_str text, tl_errctx *ctx)
{
    __extension__ typedef unsigned __int128 u128;
    const u128 whole = ~(u128)0;
    u128 value = 0;
    bool fits = text.len != 0 && (text.len == 1 || text.ptr[0] != '0');
    for (size_t i = 0; i < text.len && fits; i++) {
        const unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
        fits = digit <= 9 && (value < whole / 10 || (value == whole / 10 && digit <= whole % 10));
        value = value * 10 + digit;
    }
    if (!fits) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no integer of 128 bits",
                       TL_STR_ARG(tl_str_slice(text, 0, 48)));
    }
    for (size_t i = 0; i < sizeof out->b; i++) {
        out->b[15 - i] = (uint8_t)(value >> 8 * i);
    }
    return TL_OK;
}

void tl_ip_put_decimal(tl_sb *sb, const tl_ip *ip)
{
    __extension__ typedef unsigned __int128 u128;
    u128 value = 0;
    for (size_t i = 0; i < sizeof ip->b; i++) {
        value = value << 8 | ip->b[i];
    }
    char digits[40];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    tl_sb_put_bytes(sb, digits + at, sizeof digits - at);
}

/* --- endpoints --- */

bool tl_axon_info_is_serving(const tl_axon_info *info)
{
    return !tl_str_eq(info->ip, TL_STR("0.0.0.0"));
}

void tl_axon_info_put_text(tl_sb *sb, const tl_axon_info *info)
{
    tl_sb_printf(sb, "/ipv%u/%.*s:%u", (unsigned)info->ip_type, TL_STR_ARG(info->ip),
                 (unsigned)info->port);
}

static void put_text(tl_sb *sb, const char *before, tl_str text)
{
    tl_sb_put_cstr(sb, before);
    tl_value_put_json_str(sb, text, TL_VALUE_REQUEST);
}

void tl_axon_info_put_json(tl_sb *sb, const tl_axon_info *info)
{
    tl_sb_printf(sb, "{\"version\": %u", (unsigned)info->version);
    put_text(sb, ", \"ip\": ", info->ip);
    tl_sb_printf(sb, ", \"port\": %u, \"ip_type\": %u", (unsigned)info->port,
                 (unsigned)info->ip_type);
    put_text(sb, ", \"hotkey\": ", info->hotkey);
    put_text(sb, ", \"coldkey\": ", info->coldkey);
    tl_sb_printf(sb, ", \"protocol\": %u, \"placeholder1\": %u, \"placeholder2\": %u}",
                 (unsigned)info->protocol, (unsigned)info->placeholder1,
                 (unsigned)info->placeholder2);
}

/* An integer of at most max; left alone when it is missing and may be. */
static tl_err read_uint(uint64_t *out, const tl_json *object, const char *key, uint64_t max,
                        bool is_required, tl_errctx *ctx)
{
    uint64_t value = *out;
    if (is_required || tl_json_get(object, key) != NULL) {
        TL_TRY(tl_json_want_u64(&value, object, key, ctx));
    }
    if (value > max) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%llu is above %llu",
                             (unsigned long long)value, (unsigned long long)max);
    }
    *out = value;
    return TL_OK;
}

static tl_err read_text(tl_str *out, tl_arena *arena, const tl_json *object, const char *key,
                        tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    return tl_str_copy(out, arena, text, ctx);
}

static tl_err check_keys(const tl_json *object, tl_errctx *ctx)
{
    static const char *const keys[] = {"version",  "ip",           "port",
                                       "ip_type",  "hotkey",       "coldkey",
                                       "protocol", "placeholder1", "placeholder2"};
    if (object->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "an endpoint is a JSON object");
    }
    for (uint32_t i = 0; i < object->count; i++) {
        size_t k = 0;
        while (k < sizeof keys / sizeof keys[0] &&
               !tl_str_eq_cstr(object->members[i].key, keys[k])) {
            k++;
        }
        if (k == sizeof keys / sizeof keys[0]) {
            return tl_fail(ctx, TL_ERR_UNKNOWN, "an endpoint has no \"%.*s\"",
                           TL_STR_ARG(tl_str_slice(object->members[i].key, 0, 64)));
        }
    }
    return TL_OK;
}

tl_err tl_axon_info_from_json(tl_axon_info *out, tl_arena *arena, tl_str json, tl_errctx *ctx)
{
    const tl_json *object = NULL;
    const tl_json_options options = {.allow_duplicate_keys = true};
    tl_axon_info info;
    memset(&info, 0, sizeof info);
    uint64_t version = 0;
    uint64_t port = 0;
    uint64_t ip_type = 0;
    uint64_t rest[3] = {TL_AXON_PROTOCOL, 0, 0};
    TL_TRY(tl_json_parse(&object, arena, json, &options, ctx));
    TL_TRY(check_keys(object, ctx));
    TL_TRY(read_uint(&version, object, "version", UINT32_MAX, true, ctx));
    TL_TRY(read_text(&info.ip, arena, object, "ip", ctx));
    TL_TRY(read_uint(&port, object, "port", UINT16_MAX, true, ctx));
    TL_TRY(read_uint(&ip_type, object, "ip_type", UINT8_MAX, true, ctx));
    TL_TRY(read_text(&info.hotkey, arena, object, "hotkey", ctx));
    TL_TRY(read_text(&info.coldkey, arena, object, "coldkey", ctx));
    TL_TRY(read_uint(&rest[0], object, "protocol", UINT8_MAX, false, ctx));
    TL_TRY(read_uint(&rest[1], object, "placeholder1", UINT8_MAX, false, ctx));
    TL_TRY(read_uint(&rest[2], object, "placeholder2", UINT8_MAX, false, ctx));
    info.version = (uint32_t)version;
    info.port = (uint16_t)port;
    info.ip_type = (uint8_t)ip_type;
    info.protocol = (uint8_t)rest[0];
    info.placeholder1 = (uint8_t)rest[1];
    info.placeholder2 = (uint8_t)rest[2];
    *out = info; /* WGT-3 */
    return TL_OK;
}

/* --- versions --- */

static bool take_number(uint64_t *out, tl_str *text)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9') {
        len++;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len && value < 1000000; i++) {
        value = value * 10 + (uint64_t)(text->ptr[i] - '0');
    }
    *text = tl_str_slice(*text, len, text->len);
    *out = value;
    return len != 0;
}

static bool take_dot(tl_str *text)
{
    const bool has_dot = text->len != 0 && text->ptr[0] == '.';
    *text = tl_str_slice(*text, has_dot ? 1 : 0, text->len);
    return has_dot;
}

tl_err tl_version_as_int(uint32_t *out, tl_str version, tl_errctx *ctx)
{
    uint64_t part[3] = {0, 0, 0};
    tl_str rest = version;
    if (!take_number(&part[0], &rest) || !take_dot(&rest) || !take_number(&part[1], &rest) ||
        !take_dot(&rest) || !take_number(&part[2], &rest)) {
        return tl_fail(ctx, TL_ERR_SYNTAX, "\"%.*s\" is no version of three numbers",
                       TL_STR_ARG(tl_str_slice(version, 0, 40)));
    }
    const uint64_t number = part[0] * 1000000 + part[1] * 1000 + part[2];
    if (part[1] > 999 || part[2] > 999 || number > INT32_MAX) {
        return tl_fail(ctx, TL_ERR_RANGE, "\"%.*s\" does not fit the version's number",
                       TL_STR_ARG(tl_str_slice(version, 0, 40)));
    }
    *out = (uint32_t)number;
    return TL_OK;
}
