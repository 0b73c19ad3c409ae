/* read.c: the coordinator's answers: the epoch, its submissions, what is carried from the epoch before. */
#include <string.h>

#include "app/validator/validator_internal.h"
#include "base/vec/vec.h"
#include "core/codec/hex/hex.h"
#include "core/listings/record/record.h"

#define SUBMISSIONS_MAX 65536

static tl_err want_moment(int64_t *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    return tl_record_moment(out, text) ? TL_OK : tl_fail_field(ctx, TL_ERR_SYNTAX, key, "no time");
}

static tl_str text_or_none(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    return value != NULL && value->kind == TL_JSON_STRING ? value->text : (tl_str){NULL, 0};
}

static tl_err want_hash(tl_hash32 *out, const tl_json *object, const char *key, tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    const tl_err err = tl_hex_decode((uint8_t *)out, sizeof *out, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", key);
    }
    return err;
}

/* --- the epoch --- */

static bool is_listed(const tl_json *list, const char *zipcode)
{
    for (uint32_t i = 0; list != NULL && list->kind == TL_JSON_ARRAY && i < list->count; i++) {
        if (tl_str_eq_cstr(list->items[i].text, zipcode)) {
            return true;
        }
    }
    return false;
}

static tl_err read_zipcodes(tl__view *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    const tl_json *honeypots = tl_json_get(json, "honeypotZipcodes");
    const tl_json *list = tl_json_get(json, "zipcodes");
    if (list == NULL || list->kind == TL_JSON_NULL) {
        return TL_OK; /* not shown before the end */
    }
    TL_TRY(tl_peer_places(&out->places, &out->place_count, arena, list, ctx));
    tl_race_zipcode *zipcodes = TL_NEW(arena, tl_race_zipcode, out->place_count);
    if (zipcodes == NULL && out->place_count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < out->place_count; i++) {
        memcpy(zipcodes[i].zipcode, out->places[i].zipcode, sizeof zipcodes[i].zipcode);
        zipcodes[i].expected = out->places[i].expected;
        zipcodes[i].is_honeypot = is_listed(honeypots, out->places[i].zipcode);
    }
    out->zipcodes = zipcodes;
    return TL_OK;
}

/* Only those that were revealed; the rest of the list says who joined. */
static tl_err read_contributions(tl__view *out, tl_arena *arena, const tl_json *json,
                                 tl_errctx *ctx)
{
    const tl_json *list = tl_json_get(json, "contributions");
    const uint32_t count = list != NULL && list->kind == TL_JSON_ARRAY ? list->count : 0;
    tl_contribution *all = TL_NEW(arena, tl_contribution, count);
    if (all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        tl_str hotkey;
        const tl_str secret = text_or_none(&list->items[i], "secret");
        if (secret.len > 0) {
            tl_contribution *c = &all[out->contribution_count++];
            c->secret = secret;
            TL_TRY(tl_json_want_str(&hotkey, &list->items[i], "hotkey", ctx));
            TL_TRY(tl_ss58_decode(&c->hotkey, hotkey, ctx));
        }
    }
    out->contributions = all;
    return TL_OK;
}

tl_err tl__read_view(tl__view *out, tl_arena *arena, const tl_json *json, tl_errctx *ctx)
{
    tl__view view = {.nonce = {NULL, 0}};
    TL_TRY(tl_json_want_str(&view.state, json, "state", ctx));
    TL_TRY(want_moment(&view.start_ms, json, "epochStart", ctx));
    TL_TRY(want_moment(&view.end_ms, json, "epochEnd", ctx));
    TL_TRY(want_moment(&view.deadline_ms, json, "submissionDeadline", ctx));
    view.nonce = text_or_none(json, "nonce");
    view.beacon = text_or_none(json, "beacon");
    view.carry = tl_json_get(json, "carry");
    const tl_json *parameters = tl_json_get(json, "parameters");
    if (parameters != NULL && parameters->kind == TL_JSON_OBJECT) {
        view.parameters = parameters;
    }
    TL_TRY(read_zipcodes(&view, arena, json, ctx));
    TL_TRY(read_contributions(&view, arena, json, ctx));
    *out = view;
    return TL_OK;
}

/* --- submissions --- */

static tl_err read_object(tl__object *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str zipcode;
    TL_TRY(tl_json_want_str(&zipcode, item, "zipcode", ctx));
    TL_TRY(want_hash(&out->sha256, item, "sha256", ctx));
    TL_TRY(tl_json_want_u64(&out->bytes, item, "bytes", ctx));
    TL_TRY(tl_json_want_str(&out->url, item, "url", ctx));
    return tl_record_zipcode(out->zipcode, zipcode)
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_SYNTAX, "zipcode", "no zipcode");
}

static tl_err read_submission(tl__submission *out, tl_arena *arena, const tl_json *item,
                              tl_errctx *ctx)
{
    const tl_json *objects = NULL;
    uint64_t uid = 0;
    TL_TRY(tl_json_want_str(&out->hotkey, item, "hotkey", ctx));
    TL_TRY(tl_json_want_str(&out->coldkey, item, "coldkey", ctx));
    TL_TRY(tl_json_want_u64(&uid, item, "uid", ctx));
    TL_TRY(want_hash(&out->content_hash, item, "contentHash", ctx));
    TL_TRY(tl_json_want_i64(&out->received_ms, item, "receivedMs", ctx));
    TL_TRY(tl_json_want(&objects, item, "objects", TL_JSON_ARRAY, ctx));
    tl__object *all = TL_NEW(arena, tl__object, objects->count);
    if (all == NULL && objects->count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < objects->count; i++) {
        const tl_err err = read_object(&all[i], &objects->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "objects[%u]", i);
            return err;
        }
    }
    out->uid = (uint32_t)uid;
    out->objects = all;
    out->object_count = objects->count;
    return TL_OK;
}

static tl_err fetch_page(tl_vec *all, tl_str *cursor, tl__epoch *e, tl_errctx *ctx)
{
    char tail[400];
    const tl_json *page = NULL;
    const tl_json *items = NULL;
    tl_str target = {NULL, 0};
    (void)tl_str_print(tail, sizeof tail, "/submissions?limit=200%s%.*s",
                       cursor->len > 0 ? "&cursor=" : "", TL_STR_ARG(*cursor));
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, tail, ctx));
    TL_TRY(tl_peer_get_until(e->options->peer, &page, e->arena, target, true, e->until_ms, ctx));
    TL_TRY(tl_json_want(&items, page, "items", TL_JSON_ARRAY, ctx));
    for (uint32_t i = 0; i < items->count; i++) {
        tl__submission *slot = (tl__submission *)tl_vec_push(all);
        if (slot == NULL) {
            return tl_arena_fail(e->arena, ctx);
        }
        const tl_err err = read_submission(slot, e->arena, &items->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "items[%u]", i);
            return err;
        }
    }
    *cursor = text_or_none(page, "nextCursor");
    return TL_OK;
}

tl_err tl__fetch_submissions(tl__epoch *e, tl_errctx *ctx)
{
    tl_vec all;
    tl_str cursor = {NULL, 0};
    tl_vec_init(&all, e->arena, sizeof(tl__submission));
    do {
        TL_TRY(fetch_page(&all, &cursor, e, ctx));
        if (all.count > SUBMISSIONS_MAX || cursor.len > 256) {
            return tl_fail(ctx, TL_ERR_LIMIT, "a list of submissions without end");
        }
    } while (cursor.len > 0);
    e->submissions = (const tl__submission *)all.items;
    e->submission_count = all.count;
    return TL_OK;
}

/* --- what the epoch before left: pay that was held, disqualifications --- */

static tl_err read_held(tl__epoch *e, const tl_json *list, tl_errctx *ctx)
{
    tl_race_held *held = TL_NEW(e->arena, tl_race_held, list->count);
    if (held == NULL && list->count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_str hotkey;
        int64_t amount = 0;
        TL_TRY(tl_json_want_str(&hotkey, &list->items[i], "hotkey", ctx));
        TL_TRY(tl_json_want_str(&held[i].epoch_id, &list->items[i], "epoch_id", ctx));
        TL_TRY(tl_json_want_i64(&amount, &list->items[i], "amount_rao", ctx));
        TL_TRY(tl_ss58_decode(&held[i].hotkey, hotkey, ctx));
        held[i].amount = tl_rao_from_i64(amount);
    }
    e->held = held;
    e->held_count = list->count;
    return TL_OK;
}

static tl_err read_strikes(tl__epoch *e, const tl_json *list, tl_errctx *ctx)
{
    tl_race_strike *strikes = TL_NEW(e->arena, tl_race_strike, list->count);
    if (strikes == NULL && list->count > 0) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_str hotkey;
        uint64_t count = 0;
        TL_TRY(tl_json_want_str(&hotkey, &list->items[i], "hotkey", ctx));
        TL_TRY(tl_json_want_u64(&count, &list->items[i], "count", ctx));
        TL_TRY(tl_ss58_decode(&strikes[i].hotkey, hotkey, ctx));
        strikes[i].count = (uint32_t)count;
    }
    e->strikes = strikes;
    e->strike_count = list->count;
    return TL_OK;
}

tl_err tl__read_carried(tl__epoch *e, tl_errctx *ctx)
{
    const tl_json *held = tl_json_get(e->view.carry, "held");
    const tl_json *strikes = tl_json_get(e->view.carry, "strikes");
    tl_listings_params_default(&e->params);
    if (e->view.parameters != NULL) {
        TL_TRY(tl_listings_params_read(&e->params, e->view.parameters, ctx));
    }
    if (held != NULL && held->kind == TL_JSON_ARRAY) {
        TL_TRY(read_held(e, held, ctx));
    }
    if (strikes != NULL && strikes->kind == TL_JSON_ARRAY) {
        TL_TRY(read_strikes(e, strikes, ctx));
    }
    return TL_OK;
}
