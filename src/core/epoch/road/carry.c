/* carry.c: what an epoch leaves to the next: portfolios that count, reveals, commitments that expired, bans. */
#include "core/epoch/road/road.h"
#include "core/num/stats/stats.h"

const tl_carry_miner *tl_carry_find(const tl_carry *carry, const tl_hotkey *hotkey)
{
    size_t low = 0;
    size_t high = carry->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = tl_hotkey_cmp(&carry->miners[mid].hotkey, hotkey);
        if (order == 0) {
            return &carry->miners[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* --- reading --- */

static tl_err read_ban(tl_carry_miner *out, const tl_json *item, tl_errctx *ctx)
{
    const tl_json *ban = tl_json_get(item, "ban");
    if (ban == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "ban", "is missing");
    }
    out->is_banned = ban->kind != TL_JSON_NULL;
    if (out->is_banned) {
        TL_TRY(tl_json_want_u64(&out->ban_from, ban, "from_height", ctx));
        TL_TRY(tl_json_want_u64(&out->ban_until, ban, "until_height", ctx));
    }
    return TL_OK;
}

static tl_err read_unrevealed(tl_carry_miner *out, tl_arena *arena, const tl_json *item,
                              tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, item, "unrevealed", TL_JSON_ARRAY, ctx));
    uint64_t *heights = TL_NEW(arena, uint64_t, list->count);
    if (heights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        TL_TRY(tl_json_as_u64(&heights[i], &list->items[i], "unrevealed", ctx));
    }
    out->unrevealed = heights;
    out->unrevealed_count = list->count;
    return TL_OK;
}

static tl_err read_reveals(tl_carry_miner *out, tl_arena *arena, const tl_json *item,
                           tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, item, "reveals", TL_JSON_ARRAY, ctx));
    bool *reveals = TL_NEW(arena, bool, list->count);
    if (reveals == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        TL_TRY(tl_json_as_bool(&reveals[i], &list->items[i], "reveals", ctx));
    }
    out->reveals = reveals;
    out->reveal_count = list->count;
    return TL_OK;
}

static tl_err read_epochs(tl_carry_miner *out, tl_arena *arena, const tl_subnet *subnet,
                          const tl_json *item, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, item, "epochs", TL_JSON_ARRAY, ctx));
    tl_carry_epoch *epochs = TL_NEW(arena, tl_carry_epoch, list->count);
    if (epochs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        tl_submission s = {0};
        tl_err err = tl_json_want_str(&epochs[i].epoch_id, &list->items[i], "epoch_id", ctx);
        err = err != TL_OK ? err : subnet->decode(&s, arena, &list->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "epochs[%u]", i);
            return err;
        }
        epochs[i].body = s.body;
    }
    out->epochs = epochs;
    out->epoch_count = list->count;
    return TL_OK;
}

static tl_err read_miner(tl_carry_miner *out, tl_arena *arena, const tl_subnet *subnet,
                         const tl_json *item, tl_errctx *ctx)
{
    tl_str hotkey = {NULL, 0};
    TL_TRY(tl_json_want_str(&hotkey, item, "hotkey", ctx));
    const tl_err err = tl_ss58_decode(&out->hotkey, hotkey, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "hotkey");
        return err;
    }
    TL_TRY(read_ban(out, item, ctx));
    TL_TRY(read_unrevealed(out, arena, item, ctx));
    TL_TRY(read_reveals(out, arena, item, ctx));
    return read_epochs(out, arena, subnet, item, ctx);
}

tl_err tl_carry_read(tl_carry *out, tl_arena *arena, const tl_subnet *subnet,
                     const tl_json *records, tl_errctx *ctx)
{
    tl_carry_miner *miners = TL_NEW(arena, tl_carry_miner, records->count);
    if (miners == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < records->count; i++) {
        tl_err err = read_miner(&miners[i], arena, subnet, &records->items[i], ctx);
        if (err == TL_OK && i > 0 &&
            tl_hotkey_cmp(&miners[i - 1].hotkey, &miners[i].hotkey) >= 0) { /* ROAD-1 */
            err = tl_fail_field(ctx, TL_ERR_CANONICAL, "hotkey",
                                "records do not ascend by hotkey bytes");
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "records[%u]", i);
            return err;
        }
    }
    *out = (tl_carry){miners, records->count};
    return TL_OK;
}

/* --- writing --- */

static void put_miner(tl_json_writer *w, const tl_subnet *subnet, const tl_carry_miner *m)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "ban");
    if (m->is_banned) {
        tl_json_put_object(w);
        tl_json_put_key(w, "from_height");
        tl_json_put_u64(w, m->ban_from);
        tl_json_put_key(w, "until_height");
        tl_json_put_u64(w, m->ban_until);
        tl_json_put_end(w);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "epochs");
    tl_json_put_array(w);
    for (size_t i = 0; i < m->epoch_count; i++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "epoch_id");
        tl_json_put_str(w, m->epochs[i].epoch_id);
        subnet->encode(w, m->epochs[i].body);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, &m->hotkey, TL_SS58_PREFIX_GENERIC);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, address);
    tl_json_put_key(w, "reveals");
    tl_json_put_array(w);
    for (size_t i = 0; i < m->reveal_count; i++) {
        tl_json_put_bool(w, m->reveals[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "unrevealed");
    tl_json_put_array(w);
    for (size_t i = 0; i < m->unrevealed_count; i++) {
        tl_json_put_u64(w, m->unrevealed[i]);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

void tl_carry_put(tl_json_writer *w, const tl_subnet *subnet, const tl_carry *carry)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < carry->count; i++) {
        put_miner(w, subnet, &carry->miners[i]);
    }
    tl_json_put_end(w);
}

/* --- advancing --- */

/* What lies further back than the window can never count again. */
static bool is_in_window(uint64_t then, uint64_t height, const tl_road_params *params)
{
    return then >= height || height - then <= params->unrevealed_window_blocks;
}

size_t tl_carry_silences(const tl_carry_miner *miner, const tl_road_params *params, uint64_t height)
{
    size_t count = 0;
    for (size_t i = 0; miner != NULL && i < miner->unrevealed_count; i++) {
        count += is_in_window(miner->unrevealed[i], height, params);
    }
    return count;
}

/* A commitment expired: remember when, and ban a miner for whom it was the third time within the window. */
static tl_err add_unrevealed(tl_carry_miner *m, tl_arena *arena, const tl_road_params *params,
                             uint64_t height, tl_errctx *ctx)
{
    uint64_t *heights = TL_NEW(arena, uint64_t, m->unrevealed_count + 1);
    if (heights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < m->unrevealed_count; i++) {
        if (is_in_window(m->unrevealed[i], height, params)) {
            heights[count++] = m->unrevealed[i];
        }
    }
    heights[count++] = height;
    m->unrevealed = heights;
    m->unrevealed_count = count;
    if (count >= params->unrevealed_limit) {
        m->is_banned = true;
        m->ban_from = height;
        m->ban_until = height + params->ban_blocks;
    }
    return TL_OK;
}

static tl_err add_reveal(tl_carry_miner *m, tl_arena *arena, bool is_valid, tl_errctx *ctx)
{
    bool *reveals = TL_NEW(arena, bool, TL_ROAD_HISTORY_MAX);
    if (reveals == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    const size_t kept =
        m->reveal_count < TL_ROAD_HISTORY_MAX ? m->reveal_count : TL_ROAD_HISTORY_MAX - 1;
    for (size_t i = 0; i < kept; i++) {
        reveals[i] = m->reveals[m->reveal_count - kept + i];
    }
    reveals[kept] = is_valid;
    m->reveals = reveals;
    m->reveal_count = kept + 1;
    return TL_OK;
}

static tl_err add_epoch(tl_carry_miner *m, tl_arena *arena, tl_str epoch_id, const void *body,
                        tl_errctx *ctx)
{
    tl_carry_epoch *epochs = TL_NEW(arena, tl_carry_epoch, m->epoch_count + 1);
    if (epochs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < m->epoch_count; i++) {
        epochs[i] = m->epochs[i];
    }
    epochs[m->epoch_count] = (tl_carry_epoch){epoch_id, body};
    m->epochs = epochs;
    m->epoch_count++;
    return TL_OK;
}

static int miner_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_carry_miner *)a)->hotkey,
                         &((const tl_carry_miner *)b)->hotkey);
}

tl_err tl_carry_advance(tl_carry *out, tl_arena *arena, const tl_carry *before,
                        const tl_road_params *params, tl_str epoch_id,
                        const tl_submission *submissions, const tl_admission *admissions,
                        size_t count, tl_errctx *ctx)
{
    tl_carry_miner *miners = TL_NEW(arena, tl_carry_miner, before->count + count);
    if (miners == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < before->count; i++) {
        miners[i] = before->miners[i];
    }
    size_t total = before->count;
    for (size_t i = 0; i < count; i++) {
        if (admissions[i].state == TL_ADMIT_REFUSED) {
            continue;
        }
        const tl_carry_miner *known = tl_carry_find(before, &submissions[i].hotkey);
        tl_carry_miner *m = known != NULL ? &miners[known - before->miners] : &miners[total++];
        m->hotkey =
            submissions[i].hotkey; /* at most one live signal a hotkey, so no miner comes twice */
        const bool is_valid = admissions[i].state == TL_ADMIT_VALID;
        TL_TRY(add_reveal(m, arena, is_valid, ctx));
        if (is_valid) {
            TL_TRY(add_epoch(m, arena, epoch_id, submissions[i].body, ctx));
        } else if (admissions[i].state == TL_ADMIT_NOT_REVEALED) {
            TL_TRY(add_unrevealed(m, arena, params,
                                  submissions[i].commit_height + params->reveal_expiry_blocks,
                                  ctx));
        }
    }
    TL_TRY(tl_sort(miners, total, sizeof *miners, miner_cmp, NULL, arena, ctx));
    *out = (tl_carry){miners, total};
    return TL_OK;
}
