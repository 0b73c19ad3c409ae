/* The record of an endpoint as the chain keeps it (wire spec section 6). */
#include <string.h>

#include "sdk/axon/axon_internal.h"

/* The release of the SDK whose wire this is: others read the protocol from it. */
#define WIRE_VERSION  10005000u
#define INFO_PROTOCOL 4

tl_err tl_axon_info_parse_ip(tl_axon_info *out, const char *text, tl_errctx *ctx)
{
    tl_net_addr addr;
    if (text == NULL || !tl_net_ip_parse(&addr, tl_str_from_cstr(text), 0)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "external_ip", "\"%.64s\" is no IP address",
                             text != NULL ? text : "");
    }
    const bool is_v4 = tl_net_is_v4(&addr);
    memcpy(out->ip, addr.ip, sizeof out->ip);
    if (is_v4) {
        memset(out->ip, 0, 12); /* the record has the bare number, not the mapped form */
    }
    out->ip_type = is_v4 ? 4 : 6;
    return TL_OK;
}

tl_err tl_axon_get_info(tl_axon_info *out, const tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    if (s->external_ip == NULL) {
        const tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "external_ip",
                                         "the address that the chain is told is not configured");
        tl_errctx_hint(ctx, "it is never asked of the internet");
        return err;
    }
    tl_axon_info info = {.version = WIRE_VERSION, .protocol = INFO_PROTOCOL};
    TL_TRY(tl_axon_info_parse_ip(&info, s->external_ip, ctx));
    info.port = s->external_port != 0 ? s->external_port : tl_axon_port(axon);
    info.hotkey = axon->hotkey;
    info.coldkey = s->coldkey;
    *out = info;
    return TL_OK;
}

static void info_addr(tl_net_addr *out, const tl_axon_info *info)
{
    *out = (tl_net_addr){.port = info->port};
    memcpy(out->ip, info->ip, sizeof out->ip);
    if (info->ip_type == 4) {
        out->ip[10] = 0xff;
        out->ip[11] = 0xff;
    }
}

void tl_axon_info_print(tl_sb *sb, const tl_axon_info *info)
{
    tl_net_addr addr;
    char text[TL_NET_IP_TEXT_CAP];
    info_addr(&addr, info);
    (void)tl_net_ip_text(text, &addr);
    tl_sb_printf(sb, "/ipv%u/%s:%u", info->ip_type, text, info->port);
}

void tl_axon_info_print_int(tl_sb *sb, const tl_axon_info *info)
{
    uint8_t rest[16];
    char digits[40]; /* 2^128 has 39 */
    size_t at = sizeof digits;
    memcpy(rest, info->ip, sizeof rest);
    bool is_zero;
    do { /* long division by ten, the remainder is the next digit from the right */
        unsigned carry = 0;
        is_zero = true;
        for (size_t i = 0; i < sizeof rest; i++) {
            const unsigned part = carry << 8 | rest[i];
            rest[i] = (uint8_t)(part / 10);
            carry = part % 10;
            is_zero = is_zero && rest[i] == 0;
        }
        digits[--at] = (char)('0' + carry);
    } while (!is_zero);
    tl_sb_put_bytes(sb, digits + at, sizeof digits - at);
}

static void put_hotkey(tl_json_writer *w, const char *key, const tl_hotkey *hotkey)
{
    char text[TL_SS58_CAP];
    (void)tl_ss58_encode(text, hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_key(w, key);
    tl_json_put_cstr(w, text);
}

void tl_axon_info_put_json(tl_sb *sb, const tl_axon_info *info)
{
    tl_net_addr addr;
    char text[TL_NET_IP_TEXT_CAP];
    tl_json_writer w;
    info_addr(&addr, info);
    (void)tl_net_ip_text(text, &addr);
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "version");
    tl_json_put_u64(&w, info->version);
    tl_json_put_key(&w, "ip");
    tl_json_put_cstr(&w, text);
    tl_json_put_key(&w, "port");
    tl_json_put_u64(&w, info->port);
    tl_json_put_key(&w, "ip_type");
    tl_json_put_u64(&w, info->ip_type);
    put_hotkey(&w, "hotkey", &info->hotkey);
    put_hotkey(&w, "coldkey", &info->coldkey);
    tl_json_put_key(&w, "protocol");
    tl_json_put_u64(&w, info->protocol);
    tl_json_put_key(&w, "placeholder1");
    tl_json_put_u64(&w, 0);
    tl_json_put_key(&w, "placeholder2");
    tl_json_put_u64(&w, 0);
    tl_json_put_end(&w);
}
