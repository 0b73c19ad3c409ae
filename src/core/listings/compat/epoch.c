/* The weights of an epoch, in doubles and in the original's order: zipcodes as given, miners as they first scored.
 *
 *   zipcode weight   listings of its winners / listings of all winners
 *   score            sum over the zipcodes of share * zipcode weight, added one by one
 *   participants     0.05 / paid, for each of the paid: who took part and won nowhere
 *   normalised       score / total, the total summed left to right */
#include "core/listings/compat/compat_internal.h"

#include "base/map/map.h"
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"

#define PARTICIPATION 0.05
#define LISTINGS_MAX                                                                               \
    (UINT64_C(1) << 53) /* below it, Python's quotient of integers is that of the doubles */

/* One hotkey; the map's entries point at these. */
typedef struct miner {
    tl_str hotkey;
    double score;
    bool is_winner;      /* of any zipcode so far */
    bool is_participant; /* of one, not having won before or in it */
    bool is_listed;      /* in the order of scores */
} miner;

typedef struct world {
    tl_arena *arena;
    tl_map miners;
    tl_map zipcodes; /* to doubles in weights */
    miner **order;   /* as they first scored */
    size_t order_count;
    tl_compat_score *weights;
    size_t weight_count;
} world;

static tl_err miner_of(miner **out, world *w, tl_str hotkey, tl_errctx *ctx)
{
    tl_map_entry *entry;
    TL_TRY(tl_map_slot(&entry, &w->miners, tl_str_bytes(hotkey), ctx));
    if (entry->value == NULL) {
        miner *m = TL_NEW(w->arena, miner, 1);
        if (m == NULL) {
            return tl_arena_fail(w->arena, ctx);
        }
        m->hotkey = hotkey;
        entry->value = m;
    }
    *out = entry->value;
    return TL_OK;
}

static void list(world *w, miner *m)
{
    if (!m->is_listed) {
        m->is_listed = true;
        w->order[w->order_count++] = m;
    }
}

/* compat's own sum: plain, left to right, as CPython 3.11 adds. */
static double python_sum(miner *const *order, size_t count, bool of_winners, bool of_others)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        if (order[i]->is_winner ? of_winners : of_others) {
            total += order[i]->score;
        }
    }
    return total;
}

static tl_err count_listings(uint64_t *out, const tl_compat_zipcode *zipcodes, size_t count,
                             tl_errctx *ctx)
{
    uint64_t total = 0;
    for (size_t z = 0; z < count; z++) {
        for (size_t i = 0; i < zipcodes[z].winner_count; i++) {
            const uint64_t more = zipcodes[z].winners[i].count;
            if (more >= LISTINGS_MAX || total + more >= LISTINGS_MAX) {
                return tl_fail_field(ctx, TL_ERR_RANGE, "winners",
                                     "2^53 listings or more in an epoch");
            }
            total += more;
        }
    }
    *out = total;
    return TL_OK;
}

/* A zipcode given twice keeps its first place and its last weight, which then both entries use. */
static tl_err weigh_zipcodes(world *w, const tl_compat_zipcode *zipcodes, size_t count,
                             uint64_t total, tl_errctx *ctx)
{
    for (size_t z = 0; z < count; z++) {
        uint64_t listings = 0;
        for (size_t i = 0; i < zipcodes[z].winner_count; i++) {
            listings += zipcodes[z].winners[i].count;
        }
        tl_map_entry *entry;
        TL_TRY(tl_map_slot(&entry, &w->zipcodes, tl_str_bytes(zipcodes[z].zipcode), ctx));
        if (entry->value == NULL) {
            tl_compat_score *weight = &w->weights[w->weight_count++];
            weight->id = zipcodes[z].zipcode;
            entry->value = weight;
        }
        ((tl_compat_score *)entry->value)->score = (double)listings / (double)total;
    }
    return TL_OK;
}

/* The shares of one zipcode's winners; of a hotkey's two places the last counts, in the first one's turn. */
static tl_err pay_winners(world *w, const tl_compat_zipcode *zipcode, tl_errctx *ctx)
{
    const tl_map_entry *entry = tl_map_find(&w->zipcodes, tl_str_bytes(zipcode->zipcode));
    const double weight = ((const tl_compat_score *)entry->value)->score;
    miner *paid[TL_COMPAT_WINNERS_MAX];
    double shares[TL_COMPAT_WINNERS_MAX];
    size_t paid_count = 0;
    for (size_t i = 0; i < zipcode->winner_count && i < TL_COMPAT_WINNERS_MAX; i++) {
        miner *m;
        TL_TRY(miner_of(&m, w, zipcode->winners[i].hotkey, ctx));
        size_t at = 0;
        while (at < paid_count && paid[at] != m) {
            at++;
        }
        paid_count += at == paid_count ? 1 : 0;
        paid[at] = m;
        shares[at] = tl__compat_shares[i];
    }
    for (size_t i = 0; i < paid_count; i++) {
        paid[i]->score += shares[i] * weight;
        paid[i]->is_winner = true;
        list(w, paid[i]);
    }
    return TL_OK;
}

static tl_err score(world *w, tl_compat_epoch *out, const tl_compat_zipcode *zipcodes, size_t count,
                    tl_errctx *ctx)
{
    for (size_t z = 0; z < count; z++) {
        TL_TRY(pay_winners(w, &zipcodes[z], ctx));
        for (size_t p = 0; p < zipcodes[z].participant_count; p++) {
            miner *m;
            TL_TRY(miner_of(&m, w, zipcodes[z].participants[p], ctx));
            m->is_participant = m->is_participant || !m->is_winner;
        }
    }
    size_t paid = 0;
    for (const tl_map_entry *e = w->miners.first; e != NULL; e = e->next) {
        const miner *const m = e->value;
        out->total_winners += m->is_winner ? 1 : 0;
        out->total_participants += m->is_participant ? 1 : 0;
        paid += m->is_participant && !m->is_winner ? 1 : 0;
    }
    for (const tl_map_entry *e = w->miners.first; e != NULL; e = e->next) {
        miner *const m = e->value;
        if (m->is_participant && !m->is_winner) { /* equal and last, so their order is no matter */
            m->score += PARTICIPATION / (double)paid;
            list(w, m);
        }
    }
    return TL_OK;
}

static tl_err normalise(world *w, tl_compat_epoch *out, tl_errctx *ctx)
{
    out->raw_total = python_sum(w->order, w->order_count, true, true);
    if (!(out->raw_total > 0)) {
        return TL_OK;
    }
    tl_compat_score *scores = TL_NEW(w->arena, tl_compat_score, w->order_count);
    if (scores == NULL) {
        return tl_arena_fail(w->arena, ctx);
    }
    for (size_t i = 0; i < w->order_count; i++) {
        w->order[i]->score /= out->raw_total;
        scores[i] = (tl_compat_score){w->order[i]->hotkey, w->order[i]->score};
    }
    out->miner_scores = scores;
    out->miner_count = w->order_count;
    out->winners_total_reward = python_sum(w->order, w->order_count, true, false);
    out->participants_total_reward = python_sum(w->order, w->order_count, false, true);
    const double all = out->winners_total_reward + out->participants_total_reward;
    TL_ASSERT(all > 0.999 && all < 1.001); /* COMPAT-3 */
    return TL_OK;
}

tl_err tl_compat_epoch_run(tl_compat_epoch *out, tl_arena *arena, const tl_compat_zipcode *zipcodes,
                           size_t count, tl_errctx *ctx)
{
    tl_compat_epoch epoch = {0};
    TL_TRY(count_listings(&epoch.total_epoch_listings, zipcodes, count, ctx));
    if (epoch.total_epoch_listings == 0) {
        *out = epoch;
        return TL_OK;
    }
    size_t names = 0; /* at most so many different hotkeys */
    for (size_t z = 0; z < count; z++) {
        names += zipcodes[z].winner_count + zipcodes[z].participant_count;
    }
    world w = {.arena = arena,
               .order = TL_NEW(arena, miner *, names),
               .weights = TL_NEW(arena, tl_compat_score, count)};
    if (w.order == NULL || w.weights == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_map_init(&w.miners, arena);
    tl_map_init(&w.zipcodes, arena);
    TL_TRY(weigh_zipcodes(&w, zipcodes, count, epoch.total_epoch_listings, ctx));
    TL_TRY(score(&w, &epoch, zipcodes, count, ctx));
    TL_TRY(normalise(&w, &epoch, ctx));
    epoch.zipcode_weights = w.weights;
    epoch.zipcode_count = w.weight_count;
    *out = epoch;
    return TL_OK;
}

/* --- the consensus text --- */

static void put_double(tl_json_writer *w, double value)
{
    if (value != value) {
        tl_json_put_raw(w, TL_STR("NaN"));
    } else if (value - value != 0) {
        tl_json_put_raw(w, value > 0 ? TL_STR("Infinity") : TL_STR("-Infinity"));
    } else {
        tl_json_put_f64(w, value);
    }
}

/* [[id, score], …] by code point, which is the order of UTF-8's bytes. */
static tl_err put_scores(tl_json_writer *w, const char *key, const tl_compat_score *scores,
                         size_t count, tl_arena *scratch, tl_errctx *ctx)
{
    tl_map sorted;
    tl_map_init(&sorted, scratch);
    for (size_t i = 0; i < count; i++) {
        tl_map_entry *entry;
        TL_TRY(tl_map_slot(&entry, &sorted, tl_str_bytes(scores[i].id), ctx));
        union {
            const tl_compat_score *score;
            void *value;
        } borrowed = {&scores[i]};
        entry->value = borrowed.value;
    }
    tl_json_put_key(w, key);
    tl_json_put_array(w);
    for (const tl_map_entry *e = sorted.first; e != NULL; e = e->next) {
        const tl_compat_score *const s = e->value;
        tl_json_put_array(w);
        tl_json_put_str(w, s->id);
        put_double(w, s->score);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

tl_err tl_compat_epoch_text(tl_str *out, tl_arena *arena, tl_str nonce,
                            const tl_compat_epoch *epoch, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epoch_nonce");
    tl_json_put_str(&w, nonce);
    TL_TRY(put_scores(&w, "miner_scores", epoch->miner_scores, epoch->miner_count, arena, ctx));
    tl_json_put_key(&w, "total_epoch_listings");
    tl_json_put_u64(&w, epoch->total_epoch_listings);
    tl_json_put_key(&w, "total_participants");
    tl_json_put_u64(&w, epoch->total_participants);
    tl_json_put_key(&w, "total_winners");
    tl_json_put_u64(&w, epoch->total_winners);
    TL_TRY(put_scores(&w, "zipcode_weights", epoch->zipcode_weights, epoch->zipcode_count, arena,
                      ctx));
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_compat_epoch_hash(tl_hash32 *out, tl_arena *scratch, tl_str nonce,
                            const tl_compat_epoch *epoch, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_str text;
    const tl_err err = tl_compat_epoch_text(&text, scratch, nonce, epoch, ctx);
    if (err == TL_OK) {
        tl_sha256(out, text.ptr, text.len);
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
