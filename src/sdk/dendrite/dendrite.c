/* The dendrite itself: its identity, its nonces, its targets' names. */
#include <stdlib.h>
#include <string.h>

#include "io/sys/sys.h"
#include "sdk/dendrite/dendrite_internal.h"

/* --- identity --- */

/* UUID version 1 (RFC 4122): 100 ns since 1582-10-15, a random clock sequence, a random node with the multicast bit. */
static tl_err make_uuid(char out[TL__UUID_CAP], const tl_dendrite_options *options, tl_errctx *ctx)
{
    const uint64_t gregorian = 0x01b21dd213814000u;
    uint8_t luck[8];
    TL_TRY(tl_entropy_fill(&options->entropy, luck, sizeof luck, ctx));
    const uint64_t ticks = (uint64_t)tl_clock_wall_ns(&options->clock) / 100 + gregorian;
    const unsigned low = (unsigned)(ticks & 0xffffffffu);
    const unsigned middle = (unsigned)((ticks >> 32) & 0xffffu);
    const unsigned high = (unsigned)((ticks >> 48) & 0x0fffu) | 0x1000u;
    const unsigned sequence = ((unsigned)(luck[0] & 0x3fu) << 8 | luck[1]) | 0x8000u;
    (void)tl_str_print(out, TL__UUID_CAP, "%08x-%04x-%04x-%04x-%02x%02x%02x%02x%02x%02x", low,
                       middle, high, sequence, luck[2] | 1u, luck[3], luck[4], luck[5], luck[6],
                       luck[7]);
    return TL_OK;
}

tl_err tl__dendrite_make_uuid(char out[TL__UUID_CAP], const tl_dendrite *dendrite, tl_errctx *ctx)
{
    return make_uuid(out, &dendrite->options, ctx);
}

tl_str tl_dendrite_uuid(const tl_dendrite *dendrite)
{
    return tl_str_from_cstr(dendrite->uuid);
}

int64_t tl__dendrite_nonce(tl_dendrite *dendrite)
{
    const int64_t now_ns = tl_clock_wall_ns(&dendrite->options.clock);
    const int64_t nonce = now_ns > dendrite->last_nonce ? now_ns : dendrite->last_nonce + 1;
    TL_ASSERT(nonce > dendrite->last_nonce); /* DEND-1 */
    dendrite->last_nonce = nonce;
    return nonce;
}

/* --- beginning and end --- */

static tl_err take_options(tl_dendrite_options *out, const tl_dendrite_options *options,
                           tl_errctx *ctx)
{
    *out = *options;
    if (!tl_keypair_can_sign(options->key)) {
        return tl_fail_field(ctx, TL_ERR_STATE, "key", "the key cannot sign");
    }
    if (out->cache_max > TL_DENDRITE_CACHE_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "cache_max", "%u cached answers, above %u",
                             out->cache_max, TL_DENDRITE_CACHE_MAX);
    }
    out->clock = out->clock.wall_ns != NULL ? out->clock : tl_sys_clock();
    out->entropy = out->entropy.fill != NULL ? out->entropy : tl_sys_entropy();
    out->ip = out->ip.len > 0 ? out->ip : TL_STR("0.0.0.0");
    out->version = out->version != 0 ? out->version : TL_DENDRITE_VERSION;
    out->cache_ms = out->cache_ms != 0 ? out->cache_ms : TL_DENDRITE_CACHE_MS;
    return TL_OK;
}

static tl_err set_up(tl_dendrite *d, tl_errctx *ctx)
{
    const tl_dendrite_options *o = &d->options;
    const tl_client_options client = {
        .clock = o->clock,
        .entropy = o->entropy,
        .flight_max = o->parallel,
        .host_flight_max = o->host_parallel,
        .idle_s = o->idle_s,
        .breaker = o->breaker,
        .pace = o->pace,
        .ca_file = o->ca_file,
    };
    TL_TRY(make_uuid(d->uuid, o, ctx));
    tl_ss58_encode(d->hotkey, tl_keypair_public(o->key), TL_SS58_PREFIX_GENERIC);
    if (o->cache_max > 0) {
        TL_TRY(tl__cache_new(&d->cache, o->cache_max, ctx));
    }
    return tl_client_new(&d->client, &client, ctx);
}

tl_err tl_dendrite_new(tl_dendrite **out, const tl_dendrite_options *options, tl_errctx *ctx)
{
    tl_dendrite_options taken;
    TL_TRY(take_options(&taken, options, ctx));
    tl_dendrite *d = (tl_dendrite *)calloc(1, sizeof *d);
    if (d == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a dendrite");
    }
    d->options = taken;
    const tl_err err = set_up(d, ctx);
    if (err != TL_OK) {
        tl_dendrite_free(d);
        return err;
    }
    *out = d;
    return TL_OK;
}

void tl_dendrite_free(tl_dendrite *dendrite)
{
    if (dendrite == NULL) {
        return;
    }
    tl_client_free(dendrite->client);
    tl__cache_free(dendrite->cache);
    free(dendrite);
}

/* --- targets --- */

/* Letters that a name has, and an IPv4 address; with hex and colons for an IPv6 one. */
static bool is_host(tl_str s, bool is_ipv6)
{
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        const bool is_hex =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const bool is_letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!is_hex && c != '.' && (is_ipv6 ? c != ':' : !is_letter)) {
            return false;
        }
    }
    return is_ipv6 ? tl_str_find(s, ':') < s.len : s.len > 0;
}

/* "HOST" and the rest behind its colon; an address in brackets loses them. */
static tl_err split_host(tl_str *host, tl_str *rest, tl_str text, tl_errctx *ctx)
{
    if (text.len > 0 && text.ptr[0] == '[') {
        const size_t end = tl_str_find(text, ']');
        if (end + 1 >= text.len || text.ptr[end + 1] != ':') {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "host",
                                 "\"%.*s\" is no HOST:PORT:SS58: no \"]:\" after the address",
                                 TL_STR_ARG(text));
        }
        *host = tl_str_slice(text, 1, end);
        *rest = tl_str_slice(text, end + 2, text.len);
        return TL_OK;
    }
    const size_t colon = tl_str_find(text, ':');
    if (colon == 0 || colon == text.len) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "host", "\"%.*s\" is no HOST:PORT:SS58",
                             TL_STR_ARG(text));
    }
    *host = tl_str_slice(text, 0, colon);
    *rest = tl_str_slice(text, colon + 1, text.len);
    return TL_OK;
}

tl_err tl_dendrite_target_parse(tl_dendrite_target *out, tl_str text, tl_errctx *ctx)
{
    enum { TARGET_LEN_MAX = 512 };
    tl_dendrite_target target = {.weight = 1.0};
    tl_str rest = {NULL, 0};
    if (text.len > TARGET_LEN_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "host", "a target of %zu characters, above %d",
                             text.len, TARGET_LEN_MAX);
    }
    TL_TRY(split_host(&target.host, &rest, text, ctx));
    if (!is_host(target.host, text.ptr[0] == '[')) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "host", "\"%.*s\" is no name and no address",
                             TL_STR_ARG(target.host));
    }
    const size_t colon = tl_str_find(rest, ':');
    const tl_str port_text = tl_str_slice(rest, 0, colon);
    uint64_t port = 0;
    if (colon == rest.len || !tl_str_parse_u64(&port, port_text)) {
        (void)tl_fail_field(ctx, TL_ERR_SYNTAX, "port", "\"%.*s\" is no HOST:PORT:SS58",
                            TL_STR_ARG(text));
        tl_errctx_hint(ctx, "an IPv6 address stands in brackets: [::1]:8091:SS58");
        return TL_ERR_SYNTAX;
    }
    if (port == 0 || port > UINT16_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "port", "port %.*s is not within 1 to 65535",
                             TL_STR_ARG(port_text));
    }
    target.port = (uint16_t)port;
    target.hotkey = tl_str_slice(rest, colon + 1, rest.len);
    tl_hotkey key;
    uint16_t prefix = 0;
    const tl_err err = tl_ss58_decode_any(&key, &prefix, target.hotkey, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "hotkey \"%.*s\"", TL_STR_ARG(target.hotkey));
        tl_errctx_under(ctx, "hotkey");
        return err;
    }
    *out = target;
    return TL_OK;
}

void tl_dendrite_put_target(tl_sb *sb, const tl_dendrite_target *target)
{
    const bool is_ipv6 = tl_str_find(target->host, ':') < target->host.len;
    tl_sb_printf(sb, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", TL_STR_ARG(target->host),
                 (unsigned)target->port);
}
