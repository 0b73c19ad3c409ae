/* verdict.c: one round's ballots, and what follows from them. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

static const char *const status_names[TL_RACE_STATUS_COUNT] = {
#define STATUS_NAME(name, text) [TL_RACE_##name] = (text),
    TL_RACE_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const section_names[TL_RACE_SECTION_COUNT] = {
#define SECTION_NAME(name, text) [TL_RACE_SECTION_##name] = (text),
    TL_RACE_SECTION_MAP(SECTION_NAME)
#undef SECTION_NAME
};

const char *tl_race_status_name(tl_race_status status)
{
    TL_ASSERT((unsigned)status < TL_RACE_STATUS_COUNT);
    return status_names[status];
}

bool tl_race_status_parse(tl_race_status *out, tl_str text)
{
    for (unsigned i = 0; i < TL_RACE_STATUS_COUNT; i++) {
        if (tl_str_eq_cstr(text, status_names[i])) {
            *out = (tl_race_status)i;
            return true;
        }
    }
    return false;
}

const char *tl_race_section_name(tl_race_section section)
{
    TL_ASSERT((unsigned)section < TL_RACE_SECTION_COUNT);
    return section_names[section];
}

/* --- hashes --- */

void tl_race_roots_hash(tl_race_roots *io)
{
    static const char tag[] = "tally/listings/roots/1";
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, tag, sizeof tag);
    tl_sha256_update(&hash, io->evidence.b, sizeof io->evidence.b);
    tl_sha256_update(&hash, io->score.b, sizeof io->score.b);
    tl_sha256_update(&hash, io->weight.b, sizeof io->weight.b);
    tl_sha256_final(&hash, &io->hash);
}

void tl_race_commit(tl_hash32 *out, const tl_hash32 *hash, tl_str salt)
{
    char text[2 * sizeof hash->b + 1];
    tl_hex_write(text, hash->b, sizeof hash->b);
    tl_sha256_state state;
    tl_sha256_init(&state);
    tl_sha256_update(&state, text, sizeof text - 1);
    tl_sha256_update(&state, ":", 1);
    tl_sha256_update(&state, salt.ptr, salt.len);
    tl_sha256_final(&state, out);
}

/* --- the count --- */

typedef struct count_state {
    const tl_race_ballot *ballots;
    size_t *order; /* by hotkey bytes */
    size_t *by_hash;
    size_t count;
    int64_t stake_top;
} count_state;

static int by_hotkey_cmp(const void *a, const void *b, void *self)
{
    const tl_race_ballot *ballots = *(const tl_race_ballot *const *)self;
    return tl_hotkey_cmp(&ballots[*(const size_t *)a].hotkey, &ballots[*(const size_t *)b].hotkey);
}

/* Results first, by hash; then hotkey bytes. */
static int by_hash_cmp(const void *a, const void *b, void *self)
{
    const tl_race_ballot *ballots = *(const tl_race_ballot *const *)self;
    const tl_race_ballot *x = &ballots[*(const size_t *)a];
    const tl_race_ballot *y = &ballots[*(const size_t *)b];
    if (x->has_result != y->has_result) {
        return x->has_result ? -1 : 1;
    }
    const int order = x->has_result ? tl_hash32_cmp(&x->roots.hash, &y->roots.hash) : 0;
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

static tl_err order_ballots(count_state *c, tl_race_verdict_out *out, tl_arena *arena,
                            tl_errctx *ctx)
{
    c->order = TL_NEW(arena, size_t, c->count);
    c->by_hash = TL_NEW(arena, size_t, c->count);
    if (c->order == NULL || c->by_hash == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < c->count; i++) {
        const tl_race_ballot *b = &c->ballots[i];
        c->order[i] = i;
        c->by_hash[i] = i;
        if (tl_rao_is_negative(b->stake)) {
            return tl_fail(ctx, TL_ERR_RANGE, "ballots[%zu]: a stake is negative", i);
        }
        TL_TRY(tl_rao_add(&out->stake_total, out->stake_total, b->stake, ctx));
        if (b->has_result) {
            out->result_count++;
            TL_TRY(tl_rao_add(&out->stake_with_result, out->stake_with_result, b->stake, ctx));
        }
    }
    void *self = &c->ballots; /* only read */
    TL_TRY(tl_sort(c->order, c->count, sizeof *c->order, by_hotkey_cmp, self, arena, ctx));
    TL_TRY(tl_sort(c->by_hash, c->count, sizeof *c->by_hash, by_hash_cmp, self, arena, ctx));
    for (size_t i = 1; i < c->count; i++) { /* the own vote counts once */
        if (by_hotkey_cmp(&c->order[i - 1], &c->order[i], self) == 0) {
            return tl_fail(ctx, TL_ERR_DUPLICATE, "ballots[%zu]: a validator votes twice",
                           c->order[i]);
        }
    }
    return TL_OK;
}

/* The hash with most stake; none when two have as much. */
static void find_top(count_state *c, tl_race_verdict_out *out)
{
    bool is_tie = false;
    size_t top = 0;
    for (size_t i = 0; i < out->result_count;) {
        const tl_race_ballot *first = &c->ballots[c->by_hash[i]];
        int64_t stake = 0;
        size_t k = i;
        for (; k < out->result_count &&
               tl_hash32_cmp(&c->ballots[c->by_hash[k]].roots.hash, &first->roots.hash) == 0;
             k++) {
            stake += tl_rao_to_i64(c->ballots[c->by_hash[k]].stake);
        }
        if (i == 0 || stake > c->stake_top) {
            c->stake_top = stake;
            top = c->by_hash[i];
            is_tie = false;
        } else if (stake == c->stake_top) {
            is_tie = true;
        }
        i = k;
    }
    out->has_top = out->result_count > 0 && !is_tie;
    if (out->has_top) {
        out->top = c->ballots[top].roots;
    }
    const int64_t all = tl_rao_to_i64(out->stake_with_result);
    out->rate_millionths = all == 0 ? 0 : (uint32_t)((tl_i128)c->stake_top * TL__MILLION / all);
}

static tl_race_section first_difference(const tl_race_roots *a, const tl_race_roots *b)
{
    if (tl_hash32_cmp(&a->evidence, &b->evidence) != 0) {
        return TL_RACE_SECTION_EVIDENCE;
    }
    if (tl_hash32_cmp(&a->score, &b->score) != 0) {
        return TL_RACE_SECTION_SCORE;
    }
    if (tl_hash32_cmp(&a->weight, &b->weight) != 0) {
        return TL_RACE_SECTION_WEIGHT;
    }
    return TL_RACE_SECTION_HASH;
}

static tl_err list_outliers(const count_state *c, tl_race_verdict_out *out, tl_arena *arena,
                            tl_errctx *ctx)
{
    tl_race_outlier *outliers = TL_NEW(arena, tl_race_outlier, c->count);
    if (outliers == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < c->count && out->has_top; i++) {
        const tl_race_ballot *b = &c->ballots[c->order[i]];
        if (b->has_result && tl_hash32_cmp(&b->roots.hash, &out->top.hash) != 0) {
            outliers[out->outlier_count++] =
                (tl_race_outlier){c->order[i], first_difference(&b->roots, &out->top)};
        }
    }
    out->outliers = outliers;
    return TL_OK;
}

/* part / whole >= bp / 10,000, exactly. */
static bool reaches(int64_t part, int64_t whole, uint32_t bp)
{
    return whole > 0 && (tl_i128)part * TL__WHOLE_BP >= (tl_i128)whole * bp;
}

/* The table of verdict.h, line by line. */
static tl_race_status decide(const count_state *c, const tl_race_verdict_out *v,
                             const tl_listings_params *params, uint32_t round)
{
    const int64_t with_result = tl_rao_to_i64(v->stake_with_result);
    const int64_t whole = tl_rao_to_i64(v->stake_total);
    if (v->result_count <= 1) {
        return TL_RACE_NO_OTHER_VALIDATORS;
    }
    if (v->result_count < params->validators_min || with_result == 0 ||
        (tl_i128)with_result * TL__WHOLE_BP <= (tl_i128)whole * params->quorum_bp_min) {
        return TL_RACE_NO_QUORUM;
    }
    if (v->has_top && v->outlier_count == 0) {
        return TL_RACE_PERFECT_CONSENSUS;
    }
    if (v->has_top && reaches(c->stake_top, with_result, params->majority_bp_min)) {
        return TL_RACE_MAJORITY_CONSENSUS;
    }
    if (round == 1) {
        return TL_RACE_CONSENSUS_FAILED;
    }
    return v->has_top && reaches(c->stake_top, with_result, params->fallback_bp_min)
               ? TL_RACE_MAJORITY_FALLBACK
               : TL_RACE_MEDIAN_WEIGHTS;
}

static void follow(tl_race_verdict_out *v, uint32_t round)
{
    switch (v->status) {
    case TL_RACE_PERFECT_CONSENSUS:
    case TL_RACE_MAJORITY_CONSENSUS:
        v->pays = true;
        v->next = TL_RACE_AGREE;
        return;
    case TL_RACE_MAJORITY_FALLBACK:
    case TL_RACE_MEDIAN_WEIGHTS:
        v->pays = true;
        v->next = TL_RACE_AGREE;
        v->needs_review = true;
        return;
    case TL_RACE_NO_OTHER_VALIDATORS:
    case TL_RACE_NO_QUORUM:
    case TL_RACE_CONSENSUS_FAILED:
        v->pays = false;
        v->next = round == 1 ? TL_RACE_EXTEND : TL_RACE_FAIL;
        v->needs_review = round != 1;
        return;
    case TL_RACE_STATUS_COUNT:
        break;
    }
    TL_ASSERT(false);
}

tl_err tl_race_verdict(tl_race_verdict_out *out, tl_arena *arena, const tl_race_ballot *ballots,
                       size_t count, const tl_listings_params *params, uint32_t round,
                       tl_errctx *ctx)
{
    TL_ASSERT(round == 1 || round == 2);
    tl_race_verdict_out v = {0};
    count_state c = {.ballots = ballots, .count = count};
    TL_TRY(order_ballots(&c, &v, arena, ctx));
    find_top(&c, &v);
    TL_TRY(list_outliers(&c, &v, arena, ctx));
    v.status = decide(&c, &v, params, round);
    follow(&v, round);
    TL_ASSERT(v.pays == (v.next == TL_RACE_AGREE));
    *out = v;
    return TL_OK;
}

/* --- repeated outliers --- */

uint32_t tl_race_streak(uint32_t before, bool has_result, bool is_outlier)
{
    if (!has_result) {
        return before;
    }
    return !is_outlier ? 0 : before == UINT32_MAX ? before : before + 1;
}

tl_rao tl_race_stake_counted(tl_rao stake, uint32_t streak)
{
    if (streak >= TL_OUTLIER_NONE) {
        return TL_RAO_ZERO;
    }
    return streak >= TL_OUTLIER_HALF ? tl_rao_from_i64(tl_rao_to_i64(stake) / 2) : stake;
}
