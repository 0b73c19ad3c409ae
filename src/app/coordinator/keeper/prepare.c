/* A new epoch: its secret, its seed, its zipcodes. */
#include <string.h>

#include "app/coordinator/keeper/keeper_internal.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

enum {
    NONCE_BYTES = 16,
    SECRET_BYTES = 32,
    TARGET_LISTINGS = 10000,
    TOLERANCE_PERCENT = 10,
    COOLDOWN_EPOCHS =
        6, /* 24 h of the original's four: it shrinks with the epoch as all else does */
    LOOK_BACK = 16
};

static tl_err random_hex(tl_keeper *keeper, tl_str *out, size_t len, tl_errctx *ctx)
{
    uint8_t bytes[SECRET_BYTES];
    char *text = TL_NEW(keeper->scratch, char, 2 * len + 1);
    TL_ASSERT(len <= sizeof bytes);
    if (text == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    TL_TRY(tl_entropy_fill(&keeper->s.entropy, bytes, len, ctx));
    tl_hex_write(text, bytes, len);
    tl_wipe(bytes, sizeof bytes);
    *out = (tl_str){text, 2 * len};
    return TL_OK;
}

static tl_err hash_hex(tl_keeper *keeper, tl_str *out, const tl_hash32 *hash, tl_errctx *ctx)
{
    char *text = TL_NEW(keeper->scratch, char, 65);
    if (text == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    tl_hex_write(text, hash->b, sizeof hash->b);
    *out = (tl_str){text, 64};
    return TL_OK;
}

static tl_err commit_hex(tl_keeper *keeper, tl_str *out, tl_str secret, tl_errctx *ctx)
{
    tl_hash32 commit;
    tl_secret_commit(&commit, secret);
    return hash_hex(keeper, out, &commit, ctx);
}

/* The newest beacon there is, and the secret that the epoch before committed to. With neither (the very first epoch) a
 * fresh secret stands in. */
static tl_err make_seed(tl_keeper *keeper, tl_str *out, tl_str epoch_id, tl_errctx *ctx)
{
    const tl_record_epoch *before;
    size_t count;
    tl_str beacon = {NULL, 0};
    tl_str secret = {NULL, 0};
    tl_sb sb;
    tl_str text;
    tl_hash32 hash;
    TL_TRY(tl_records_epochs(keeper->records, &before, &count, epoch_id, LOOK_BACK, keeper->scratch,
                             ctx));
    for (size_t i = 0; i < count; i++) {
        secret = secret.len == 0 ? before[i].draw_secret : secret;
        beacon = beacon.len == 0 ? before[i].beacon : beacon;
    }
    if (secret.len == 0) {
        TL_TRY(random_hex(keeper, &secret, SECRET_BYTES, ctx));
    }
    tl_sb_init(&sb, keeper->scratch);
    tl_sb_put_cstr(&sb, "tally-selection/1\n");
    tl_sb_put(&sb, beacon);
    tl_sb_put_char(&sb, '\n');
    tl_sb_put(&sb, epoch_id);
    tl_sb_put_char(&sb, '\n');
    tl_sb_put(&sb, secret);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    tl_sha256(&hash, text.ptr, text.len);
    return hash_hex(keeper, out, &hash, ctx);
}

static tl_err draw(tl_keeper *keeper, tl_record_assignment **out, size_t *count,
                   const tl_record_epoch *epoch, tl_errctx *ctx)
{
    const tl_record_cooling *cooling;
    size_t cooling_count;
    tl_selection selection;
    const int64_t cooldown_ms = COOLDOWN_EPOCHS * keeper->rules.epoch_ms;
    TL_TRY(tl_records_assigned_since(keeper->records, &cooling, &cooling_count,
                                     epoch->start_ms - cooldown_ms, keeper->scratch, ctx));
    tl_select_recent *recent = TL_NEW(keeper->scratch, tl_select_recent, cooling_count);
    if (recent == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    for (size_t i = 0; i < cooling_count; i++) {
        (void)tl_str_print(recent[i].zipcode, sizeof recent[i].zipcode, "%.*s",
                           TL_STR_ARG(cooling[i].zipcode));
        recent[i].assigned_ms = cooling[i].last_assigned_ms;
    }
    tl_select_options options = {.target = TARGET_LISTINGS,
                                 .tolerance_bp = TOLERANCE_PERCENT * 100};
    if (keeper->s.bounds != NULL) {
        options = *keeper->s.bounds;
    }
    options.seed = epoch->selection_seed;
    options.start_ms = epoch->start_ms;
    options.recent = recent;
    options.recent_count = cooling_count;
    options.cooldown_ms = cooldown_ms;
    TL_TRY(tl_select(&selection, keeper->scratch, keeper->s.places, &options, ctx));
    tl_record_assignment *rows = TL_NEW(keeper->scratch, tl_record_assignment, selection.count);
    tl_place *places = TL_NEW(keeper->scratch, tl_place, selection.count);
    bool *is_honeypot = TL_NEW(keeper->scratch, bool, selection.count);
    if (rows == NULL || places == NULL || is_honeypot == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    TL_TRY(tl_honeypots(is_honeypot, selection.count, epoch->nonce, ctx));
    for (size_t i = 0; i < selection.count; i++) {
        const tl_place *place = selection.items[i];
        places[i] = *place;
        rows[i] = (tl_record_assignment){.zipcode = tl_str_from_cstr(place->zipcode),
                                         .expected = place->expected,
                                         .city = place->city,
                                         .state = place->state,
                                         .county = place->county,
                                         .tier = place->tier,
                                         .region = place->region,
                                         .is_honeypot = is_honeypot[i]};
    }
    *out = rows;
    *count = selection.count;
    /* The master table holds what was ever assigned: there an epoch notes when it was, which is the cool-down. */
    return tl_records_put_zipcodes(keeper->records, places, selection.count, epoch->start_ms, ctx);
}

static tl_err put_parameters(tl_keeper *keeper, tl_bytes *out, tl_errctx *ctx)
{
    tl_listings_params params;
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    tl_listings_params_default(&params);
    tl_sb_init(&sb, keeper->scratch);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_listings_params_put(&w, &params);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = tl_str_bytes(text);
    return TL_OK;
}

tl_err tl__keeper_prepare(tl_keeper *keeper, int64_t start_ms, bool is_missed, tl_errctx *ctx)
{
    char id[TL_SLOT_ID_CAP];
    tl_record_assignment *zipcodes = NULL;
    size_t count = 0;
    tl_slot_print(id, start_ms);
    tl_record_epoch epoch = {.id = {id, TL_SLOT_ID_LEN},
                             .profile = keeper->s.is_compat ? TL_STR("compat") : TL_STR("tally"),
                             .state = is_missed ? TL_EPOCH_FAILED : TL_EPOCH_PENDING,
                             .start_ms = start_ms,
                             .end_ms = start_ms + keeper->rules.epoch_ms,
                             .target_listings = TARGET_LISTINGS,
                             .tolerance_percent = TOLERANCE_PERCENT};
    TL_TRY(random_hex(keeper, &epoch.nonce, NONCE_BYTES, ctx));
    TL_TRY(commit_hex(keeper, &epoch.nonce_commit, epoch.nonce, ctx));
    TL_TRY(random_hex(keeper, &epoch.draw_secret, SECRET_BYTES, ctx));
    TL_TRY(commit_hex(keeper, &epoch.draw_commit, epoch.draw_secret, ctx));
    TL_TRY(make_seed(keeper, &epoch.selection_seed, epoch.id, ctx));
    TL_TRY(put_parameters(keeper, &epoch.parameters, ctx));
    if (!is_missed) {
        TL_TRY(draw(keeper, &zipcodes, &count, &epoch, ctx));
    }
    const tl_err err =
        tl_records_create_epoch(keeper->records, &epoch, zipcodes, count, &keeper->lease, ctx);
    if (err == TL_ERR_DUPLICATE) { /* the leader before us was as far */
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    tl__keeper_say(keeper, is_missed ? TL_LOG_WARN : TL_LOG_INFO,
                   is_missed ? "a slot was missed" : "an epoch is prepared", epoch.id, NULL,
                   (tl_str){NULL, 0});
    return TL_OK;
}
