/* Who the coordinator is, and what it asks for. */
#include "app/peer/peer.h"

#include <string.h>
#include <time.h>

#include "core/listings/record/record.h"
#include "io/sys/sys.h"

#define PINS_NAME    "coordinators.pins"
#define PINS_LEN_MAX ((size_t)1 << 20)

/* Of one question: some five seconds. Whoever can wait longer asks with tl_peer_get_until. */
#define RETRIES      5
#define RETRY_CAP_MS 2000
#define ASK_AGAIN_MS 500

/* --- the pin --- */

static tl_err read_pins(tl_str *out, tl_arena *arena, const char *path, tl_errctx *ctx)
{
    *out = (tl_str){NULL, 0};
    return tl_sys_exists(path) ? tl_sys_read_file(out, arena, path, PINS_LEN_MAX, ctx) : TL_OK;
}

static bool find_pin(tl_str *hotkey, tl_str pins, tl_str url)
{
    tl_str line = {NULL, 0};
    while (tl_str_split(&line, &pins, '\n')) {
        tl_str rest = line;
        tl_str first = {NULL, 0};
        if (tl_str_split(&first, &rest, ' ') && tl_str_eq(first, url)) {
            *hotkey = rest;
            return true;
        }
    }
    return false;
}

static tl_err add_pin(tl_arena *arena, const char *path, tl_str pins, tl_str url, tl_str hotkey,
                      tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, pins);
    tl_sb_put(&sb, url);
    tl_sb_put_char(&sb, ' ');
    tl_sb_put(&sb, hotkey);
    tl_sb_put_char(&sb, '\n');
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    return tl_sys_write_file(path, tl_str_bytes(text), TL_SYS_FILE_MODE, ctx);
}

static tl_err refuse_other(tl_str known, tl_str shown, const char *hint, tl_errctx *ctx)
{
    const tl_err err = tl_fail_field(
        ctx, TL_ERR_REFUSED, "receiver", "the coordinator is %.*s now, not %.*s",
        TL_STR_ARG(tl_str_slice(shown, 0, 64)), TL_STR_ARG(tl_str_slice(known, 0, 64)));
    tl_errctx_hint(ctx, "%s", hint);
    return err;
}

/* PEER-1. */
static tl_err check_pin(const tl_peer_options *o, tl_str shown, tl_arena *arena, tl_errctx *ctx)
{
    const char *path = NULL;
    tl_str pins = {NULL, 0};
    tl_str known = {NULL, 0};
    if (o->receiver.len > 0) {
        return tl_str_eq(o->receiver, shown)
                   ? TL_OK
                   : refuse_other(o->receiver, shown, "--receiver names another one", ctx);
    }
    TL_TRY(tl_sys_join(&path, arena, o->dir, PINS_NAME, ctx));
    TL_TRY(read_pins(&pins, arena, path, ctx));
    if (!find_pin(&known, pins, o->url)) {
        return add_pin(arena, path, pins, o->url, shown, ctx);
    }
    return tl_str_eq(known, shown)
               ? TL_OK
               : refuse_other(known, shown,
                              "if its key was changed, remove its line from coordinators.pins",
                              ctx);
}

/* --- who it is --- */

static tl_err read_info(tl_peer *peer, const tl_json *info, tl_errctx *ctx)
{
    tl_str hotkey;
    tl_str subnet;
    tl_str profile;
    tl_str time;
    uint64_t netuid = 0;
    uint64_t seconds = 0;
    int64_t time_ms = 0;
    TL_TRY(tl_json_want_str(&hotkey, info, "hotkey", ctx));
    TL_TRY(tl_json_want_str(&subnet, info, "subnet", ctx));
    TL_TRY(tl_json_want_str(&profile, info, "profile", ctx));
    TL_TRY(tl_json_want_u64(&netuid, info, "netuid", ctx));
    TL_TRY(tl_json_want_u64(&seconds, info, "epochSeconds", ctx));
    TL_TRY(tl_json_want_str(&time, info, "time", ctx));
    if (!tl_record_moment(&time_ms, time)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "time", "no time");
    }
    if (seconds == 0 || seconds > 86400 || netuid > UINT16_MAX ||
        hotkey.len >= sizeof peer->hotkey || subnet.len >= sizeof peer->subnet) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "info", "its figures are out of range");
    }
    (void)tl_str_print(peer->hotkey, sizeof peer->hotkey, "%.*s", TL_STR_ARG(hotkey));
    (void)tl_str_print(peer->subnet, sizeof peer->subnet, "%.*s", TL_STR_ARG(subnet));
    peer->is_compat = tl_str_eq_cstr(profile, "compat");
    peer->netuid = (uint32_t)netuid;
    peer->epoch_seconds = (uint32_t)seconds;
    peer->skew_ms = time_ms - tl_clock_wall_ns(&peer->clock) / 1000000;
    return TL_OK;
}

static tl_err ask_who(tl_peer *peer, const tl_peer_options *o, tl_arena *arena, tl_errctx *ctx)
{
    const tl_json *info = NULL;
    TL_TRY(tl_peer_get(peer, &info, arena, TL_STR("/api/v1/info"), false, ctx));
    if (read_info(peer, info, ctx) != TL_OK) {
        return tl_fail(ctx, TL_ERR_IO, "what answers there is no coordinator");
    }
    tl_hotkey key;
    const tl_str shown = tl_str_from_cstr(peer->hotkey);
    TL_TRY(tl_ss58_decode(&key, shown, ctx));
    TL_TRY(check_pin(o, shown, arena, ctx));
    tl_caller_set_receiver(peer->caller, shown);
    return TL_OK;
}

tl_err tl_peer_open(tl_peer *out, const tl_peer_options *options, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    *out = (tl_peer){.clock = options->clock.wall_ns != NULL ? options->clock : tl_sys_clock()};
    if (options->keypair != NULL) {
        char text[TL_SS58_CAP];
        (void)tl_ss58_encode(text, tl_keypair_public(options->keypair), TL_SS58_PREFIX_GENERIC);
        (void)tl_str_print(out->own_ss58, sizeof out->own_ss58, "%s", text);
    }
    const tl_caller_options caller = {.url = options->url,
                                      .keypair = options->keypair,
                                      .retries_max = RETRIES,
                                      .retry_cap_ms = RETRY_CAP_MS,
                                      .flight_max = options->flight_max,
                                      .clock = options->clock,
                                      .entropy = options->entropy};
    TL_TRY(tl_caller_new(&out->caller, &caller, ctx));
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, ctx);
    if (err == TL_OK) {
        err = ask_who(out, options, arena, ctx);
        tl_arena_free(arena);
    }
    if (err != TL_OK) {
        tl_peer_close(out);
    }
    return err;
}

void tl_peer_close(tl_peer *peer)
{
    tl_caller_free(peer->caller);
    peer->caller = NULL;
}

int64_t tl_peer_now_ms(const tl_peer *peer)
{
    return tl_clock_wall_ns(&peer->clock) / 1000000 + peer->skew_ms;
}

tl_err tl_peer_wait(const tl_peer *peer, int64_t until_ms, tl_errctx *ctx)
{
    for (;;) {
        TL_TRY(tl_sys_check_interrupt(ctx));
        const int64_t left_ms = until_ms - tl_peer_now_ms(peer);
        if (left_ms <= 0) {
            return TL_OK;
        }
        const struct timespec pause = {.tv_nsec = (left_ms < 100 ? left_ms : 100) * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
}

/* --- questions --- */

tl_err tl_peer_get(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target,
                   bool is_signed, tl_errctx *ctx)
{
    tl_caller_answer answer;
    const tl_caller_request request = {.target = target,
                                       .is_signed = is_signed,
                                       .is_repeatable = true,
                                       .answer_len_max = (size_t)256 << 20};
    TL_TRY(tl_caller_want(peer->caller, &answer, arena, &request, ctx));
    if (answer.json == NULL) {
        return tl_fail(ctx, TL_ERR_IO, "its answer to %.*s is no JSON: status %u, %zu bytes",
                       TL_STR_ARG(tl_str_slice(target, 0, 100)), answer.status, answer.body.len);
    }
    *out = answer.json;
    return TL_OK;
}

tl_err tl_peer_post(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target, tl_str body,
                    bool is_repeatable, tl_errctx *ctx)
{
    tl_caller_answer answer;
    const tl_caller_request request = {.method = TL_STR("POST"),
                                       .target = target,
                                       .body = tl_str_bytes(body),
                                       .is_signed = true,
                                       .is_repeatable = is_repeatable};
    TL_TRY(tl_caller_want(peer->caller, &answer, arena, &request, ctx));
    *out = answer.json;
    return TL_OK;
}

/* PEER-2: an outage is waited out; what was answered stands. */
static bool may_pass(tl_peer *peer, tl_err err, int64_t until_ms)
{
    return (err == TL_ERR_IO || err == TL_ERR_LIMIT) &&
           tl_peer_now_ms(peer) + ASK_AGAIN_MS < until_ms;
}

tl_err tl_peer_get_until(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target,
                         bool is_signed, int64_t until_ms, tl_errctx *ctx)
{
    tl_err err = tl_peer_get(peer, out, arena, target, is_signed, ctx);
    while (may_pass(peer, err, until_ms)) {
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + ASK_AGAIN_MS, ctx));
        tl_errctx_reset(ctx);
        err = tl_peer_get(peer, out, arena, target, is_signed, ctx);
    }
    return err;
}

tl_err tl_peer_post_until(tl_peer *peer, const tl_json **out, tl_arena *arena, tl_str target,
                          tl_str body, int64_t until_ms, tl_errctx *ctx)
{
    tl_err err = tl_peer_post(peer, out, arena, target, body, true, ctx);
    while (may_pass(peer, err, until_ms)) {
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + ASK_AGAIN_MS, ctx));
        tl_errctx_reset(ctx);
        err = tl_peer_post(peer, out, arena, target, body, true, ctx);
    }
    return err;
}

static tl_err read_place(tl_place *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str zipcode;
    uint64_t expected = 0;
    TL_TRY(tl_json_want_str(&zipcode, item, "zipcode", ctx));
    TL_TRY(tl_json_want_u64(&expected, item, "expectedListings", ctx));
    if (!tl_record_zipcode(out->zipcode, zipcode)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "zipcode", "no zipcode");
    }
    if (expected == 0 || expected > TL_SUBMISSION_ROWS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "expectedListings", "%llu is out of range",
                             (unsigned long long)expected);
    }
    out->expected = (uint32_t)expected;
    TL_TRY(tl_json_want_str(&out->state, item, "state", ctx));
    TL_TRY(tl_json_want_str(&out->city, item, "city", ctx));
    return tl_json_want_str(&out->county, item, "county", ctx);
}

tl_err tl_peer_places(const tl_place **out, size_t *count, tl_arena *arena, const tl_json *array,
                      tl_errctx *ctx)
{
    if (array == NULL || array->kind != TL_JSON_ARRAY || array->count > TL_PEER_ZIPCODES_MAX) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "zipcodes", "no list of zipcodes");
    }
    tl_place *places = TL_NEW(arena, tl_place, array->count);
    if (places == NULL && array->count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < array->count; i++) {
        const tl_err err = read_place(&places[i], &array->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "zipcodes[%u]", i);
            return err;
        }
    }
    *out = places;
    *count = array->count;
    return TL_OK;
}

static tl_err want_moment(int64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    return tl_record_moment(out, text) ? TL_OK : tl_fail_field(ctx, TL_ERR_SYNTAX, key, "no time");
}

tl_err tl_peer_assignments(tl_peer *peer, tl_peer_assignment *out, tl_arena *arena, tl_errctx *ctx)
{
    const tl_json *json = NULL;
    tl_peer_assignment a = {.nonce = {NULL, 0}};
    TL_TRY(
        tl_peer_get(peer, &json, arena, TL_STR("/api/v1/zipcode-assignments/current"), true, ctx));
    TL_TRY(tl_json_want_str(&a.epoch_id, json, "epochId", ctx));
    TL_TRY(want_moment(&a.start_ms, json, "epochStart", ctx));
    TL_TRY(want_moment(&a.end_ms, json, "epochEnd", ctx));
    TL_TRY(want_moment(&a.deadline_ms, json, "submissionDeadline", ctx));
    const tl_json *nonce = tl_json_get(json, "nonce");
    if (nonce != NULL && nonce->kind == TL_JSON_STRING) {
        a.nonce = nonce->text;
    }
    if (a.epoch_id.len == 0 || a.epoch_id.len >= TL_PEER_EPOCH_CAP || a.end_ms <= a.start_ms) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "epochId", "no epoch");
    }
    TL_TRY(tl_peer_places(&a.places, &a.place_count, arena, tl_json_get(json, "zipcodes"), ctx));
    *out = a;
    return TL_OK;
}
