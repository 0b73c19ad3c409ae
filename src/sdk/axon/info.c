/* The record of an endpoint as the chain keeps it (wire spec section 6). */
#include "sdk/axon/axon_internal.h"
#include "sdk/weights/weights.h"

/* The release of the SDK whose wire this is: others read the protocol from it. */
#define WIRE_VERSION 10005000u

tl_err tl_axon_get_info(tl_axon_info *out, const tl_axon *axon, tl_errctx *ctx)
{
    const tl_axon_settings *s = &axon->settings;
    tl_ip ip;
    if (s->external_ip == NULL) {
        const tl_err err = tl_fail_field(ctx, TL_ERR_MISSING, "external_ip",
                                         "the address that the chain is told is not configured");
        tl_errctx_hint(ctx, "it is never asked of the internet");
        return err;
    }
    const tl_str text = tl_str_from_cstr(s->external_ip);
    TL_TRY(tl_ip_parse(&ip, text, ctx));
    *out = (tl_axon_info){
        .version = WIRE_VERSION,
        .ip = text,
        .port = s->external_port != 0 ? s->external_port : tl_axon_port(axon),
        .ip_type = (uint8_t)tl_ip_version(&ip),
        .hotkey = tl_str_from_cstr(axon->ss58),
        .coldkey = tl_str_from_cstr(s->coldkey_ss58),
        .protocol = TL_AXON_PROTOCOL,
    };
    return TL_OK;
}
