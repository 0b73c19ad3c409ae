/* epoch.c: one epoch, from its end to its verdict. */
#include <string.h>

#include "app/validator/validator_internal.h"

int64_t tl__poll_ms(const tl_validator_options *options)
{
    const int64_t ms = (int64_t)options->peer->epoch_seconds * 1000 / 100;
    return options->poll_ms > 0 ? (int64_t)options->poll_ms
           : ms < 100           ? 100
           : ms > 5000          ? 5000
                                : ms;
}

tl_err tl__epoch_target(tl_str *out, tl_arena *arena, tl_str id, const char *tail, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "/api/v1/epochs/");
    tl_sb_put(&sb, id);
    tl_sb_put_cstr(&sb, tail);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err look(tl__epoch *e, tl_errctx *ctx)
{
    tl_str target = {NULL, 0};
    const tl_json *json = NULL;
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, "", ctx));
    TL_TRY(tl_peer_get_until(e->options->peer, &json, e->arena, target, false, e->until_ms, ctx));
    TL_TRY(tl__read_view(&e->view, e->arena, json, ctx));
    e->until_ms = e->view.end_ms + (int64_t)e->options->peer->epoch_seconds * 1000;
    return TL_OK;
}

static tl_err post_secret(tl__epoch *e, tl_errctx *ctx)
{
    char secret[TL__SECRET_LEN + 1];
    char body[64 + TL__SECRET_LEN];
    tl_str target = {NULL, 0};
    const tl_json *answer = NULL;
    TL_TRY(tl__note_secret(secret, e->options, e->dir, "secret", ctx));
    const size_t len = tl_str_print(body, sizeof body, "{\"secret\":\"%s\"}", secret);
    TL_TRY(tl__epoch_target(&target, e->arena, e->id, "/contribution", ctx));
    return tl_peer_post_until(e->options->peer, &answer, e->arena, target, (tl_str){body, len},
                              e->until_ms, ctx);
}

/* Until the nonce is shown, then until the beacon is fixed. */
static tl_err wait_for_beacon(tl__epoch *e, tl_errctx *ctx)
{
    tl_peer *peer = e->options->peer;
    bool has_told = false;
    for (;;) {
        TL_TRY(look(e, ctx));
        if (e->view.end_ms > tl_peer_now_ms(peer)) { /* it was extended by a person */
            TL_TRY(tl_peer_wait(peer, e->view.end_ms, ctx));
            continue;
        }
        if (e->view.nonce.len > 0 && !has_told && e->view.beacon.len == 0) {
            tl_errctx why = TL_ERRCTX_INIT;
            const tl_err err = post_secret(e, &why);
            if (err != TL_OK && err != TL_ERR_STATE && err != TL_ERR_NOT_FOUND) {
                return tl_fail(ctx, err, "%s", why.message);
            }
            has_told = true; /* closed, or never joined: then the others' secrets do */
            continue;
        }
        if (e->view.beacon.len > 0) {
            return TL_OK;
        }
        if (tl_str_eq_cstr(e->view.state, "failed") || tl_str_eq_cstr(e->view.state, "archived")) {
            return tl_fail(ctx, TL_ERR_STATE, "the epoch is %.*s", TL_STR_ARG(e->view.state));
        }
        TL_TRY(tl_peer_wait(peer, tl_peer_now_ms(peer) + tl__poll_ms(e->options), ctx));
    }
}

static void free_zips(tl__epoch *e)
{
    for (size_t i = 0; e->zips != NULL && i < e->view.place_count; i++) {
        tl_arena_free(e->zips[i].arena);
    }
    e->zips = NULL;
}

static tl_err one_round(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx)
{
    if (e->options->peer->is_compat) {
        return tl__compat_round(e, out, ctx);
    }
    if (e->zips == NULL) { /* sheets are pure: another round votes on the same ones */
        TL_TRY(tl__run_shards(e, ctx));
    }
    out->listings = 0;
    for (size_t i = 0; i < e->view.place_count; i++) {
        out->listings += e->zips[i].listings;
    }
    TL_TRY(tl__exchange_evidence(e, ctx));
    TL_TRY(tl__run_race(e, ctx));
    return tl__cast_ballot(e, out, ctx);
}

static tl_err both_rounds(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx)
{
    TL_TRY(wait_for_beacon(e, ctx));
    if (e->view.zipcodes == NULL) {
        return tl_fail(ctx, TL_ERR_IO, "the coordinator does not show the epoch's zipcodes");
    }
    TL_TRY(tl__fetch_submissions(e, ctx));
    TL_TRY(tl__read_carried(e, ctx));
    out->submissions = e->submission_count;
    for (e->round = 1; e->round <= 2; e->round++) {
        const tl_err err = one_round(e, out, ctx);
        if (err != TL_OK || !e->is_extended || e->round == 2) {
            return err;
        }
    }
    return TL_OK;
}

/* What ends the program rather than the epoch. */
static bool is_ours(tl_err err)
{
    return err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM || err == TL_ERR_INTERNAL;
}

tl_err tl__validator_epoch(tl__epoch *e, tl_validator_epoch *out, tl_errctx *ctx)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_validator_epoch result = {.epoch_id = e->id, .status = "FAILED", .error = ""};
    const tl_err err = both_rounds(e, &result, &why);
    free_zips(e);
    if (is_ours(err)) {
        return tl_fail(ctx, err, "%s", why.message);
    }
    if (err != TL_OK) {
        char text[TL_ERR_MESSAGE_CAP + TL_ERR_FIELD_CAP + 4];
        (void)tl_str_print(text, sizeof text, "%s%s%s", why.field, why.field[0] != 0 ? ": " : "",
                           why.message);
        result.err = err;
        result.status = "FAILED";
        TL_TRY(tl_str_copy_cstr(&result.error, e->arena, tl_str_from_cstr(text), ctx));
    }
    *out = result;
    return TL_OK;
}
