/* Which target next, and what when it fails: primaries, backups, the cache. */
#include <string.h>

#include "core/num/rng/rng.h"
#include "sdk/dendrite/dendrite_internal.h"

/* --- picking --- */

static bool is_open(const bool *is_tried, size_t i)
{
    return is_tried == NULL || !is_tried[i];
}

static size_t pick_in_turn(tl_dendrite_balancer *b, size_t count, const bool *is_tried)
{
    for (size_t k = 0; k < count; k++) {
        const size_t i = (b->next + k) % count;
        if (is_open(is_tried, i)) {
            b->next = (i + 1) % count;
            return i;
        }
    }
    return SIZE_MAX;
}

static size_t pick_least_loaded(const tl_dendrite *d, const tl_dendrite_target *targets,
                                size_t count, const bool *is_tried)
{
    size_t best = SIZE_MAX;
    uint32_t least = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_open(is_tried, i)) {
            const uint32_t load = tl_client_flight(d->client, targets[i].host, targets[i].port);
            if (best == SIZE_MAX || load < least) {
                best = i;
                least = load;
            }
        }
    }
    return best;
}

static double weight_of(const tl_dendrite_target *target, bool is_equal)
{
    if (is_equal) {
        return 1.0;
    }
    return target->weight > 0.0 && target->weight < 1e300 ? target->weight : 0.0;
}

/* A point of the open targets' weights laid end to end; without any weight all are equal. */
static size_t pick_by_weight(tl_dendrite_balancer *b, const tl_dendrite_target *targets,
                             size_t count, const bool *is_tried, bool is_equal)
{
    double whole = 0.0;
    for (size_t i = 0; i < count; i++) {
        whole += is_open(is_tried, i) ? weight_of(&targets[i], is_equal) : 0.0;
    }
    if (!(whole > 0.0)) {
        return is_equal ? SIZE_MAX : pick_by_weight(b, targets, count, is_tried, true);
    }
    double point = (double)(tl_splitmix64(&b->seed) >> 11) * 0x1p-53 * whole;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const double weight = is_open(is_tried, i) ? weight_of(&targets[i], is_equal) : 0.0;
        if (weight > 0.0) {
            last = i;
            if (point < weight) {
                return i;
            }
            point -= weight;
        }
    }
    return last; /* rounding left the point at the very end */
}

size_t tl_dendrite_pick(tl_dendrite *dendrite, tl_dendrite_balancer *balancer,
                        const tl_dendrite_target *targets, size_t count, const bool *is_tried)
{
    tl_dendrite_balancer in_order = {.kind = TL_DENDRITE_IN_ORDER};
    switch (balancer->kind) {
    case TL_DENDRITE_IN_ORDER:
        return pick_in_turn(&in_order, count, is_tried);
    case TL_DENDRITE_ROUND_ROBIN:
        return pick_in_turn(balancer, count, is_tried);
    case TL_DENDRITE_RANDOM:
        return pick_by_weight(balancer, targets, count, is_tried, true);
    case TL_DENDRITE_LEAST_LOADED:
        return pick_least_loaded(dendrite, targets, count, is_tried);
    case TL_DENDRITE_WEIGHTED:
        return pick_by_weight(balancer, targets, count, is_tried, false);
    }
    return SIZE_MAX;
}

/* --- falling back --- */

typedef struct fallback {
    tl_dendrite *dendrite;
    tl_arena *arena;
    const tl_dendrite_query *query;
    tl_sb causes;
    tl_errctx *ctx;
} fallback;

static tl_err ask_one(bool *is_done, fallback *f, tl_dendrite_reply *reply,
                      const tl_dendrite_target *target)
{
    TL_TRY(tl_dendrite_ask_all(f->dendrite, f->arena, reply, target, 1, f->query, f->ctx));
    *is_done = reply->is_ok;
    if (!reply->is_ok) {
        if (f->causes.len > 0) {
            tl_sb_put_char(&f->causes, '\n');
        }
        tl_dendrite_put_target(&f->causes, target);
        tl_sb_printf(&f->causes, ": %.*s", TL_STR_ARG(reply->error));
    }
    return TL_OK;
}

static tl_err ask_primaries(bool *is_done, fallback *f, tl_dendrite_reply *reply,
                            const tl_dendrite_target *targets, size_t count,
                            tl_dendrite_balancer *balancer)
{
    bool *is_tried = TL_NEW(f->arena, bool, count);
    if (is_tried == NULL) {
        return tl_arena_fail(f->arena, f->ctx);
    }
    for (size_t k = 0; k < count && !*is_done; k++) {
        const size_t i = tl_dendrite_pick(f->dendrite, balancer, targets, count, is_tried);
        TL_ASSERT(i < count);
        is_tried[i] = true;
        TL_TRY(ask_one(is_done, f, reply, &targets[i]));
        reply->index = i;
    }
    return TL_OK;
}

/* The first target for which the cache has anything, however old. */
static tl_err ask_cache(bool *is_done, fallback *f, tl_dendrite_reply *reply,
                        const tl_dendrite_target *targets, size_t count)
{
    const tl_dendrite *d = f->dendrite;
    const int64_t now_ns = tl_clock_steady_ns(&d->options.clock);
    tl__batch batch = {.dendrite = f->dendrite,
                       .arena = f->arena,
                       .targets = targets,
                       .count = count,
                       .query = f->query,
                       .ctx = f->ctx};
    TL_TRY(tl__query_check(&batch));
    for (size_t i = 0; i < count && !*is_done; i++) {
        tl__ask ask = {.batch = &batch, .reply = reply};
        TL_TRY(tl__cache_key(&ask.key, &batch, &targets[i], f->ctx));
        const tl__cached *entry = tl__cache_get(d->cache, &ask.key, now_ns, INT64_MAX);
        if (entry == NULL) {
            continue;
        }
        *reply = (tl_dendrite_reply){.index = i, .target = &targets[i]};
        if (tl__is_v10(f->query)) {
            TL_TRY(tl__v10_begin(&ask, f->ctx));
        }
        TL_TRY(tl__cache_answer(&ask, entry, true, f->ctx));
        *is_done = reply->is_ok;
    }
    return TL_OK;
}

tl_err tl_dendrite_ask(tl_dendrite *dendrite, tl_arena *arena, tl_dendrite_reply *reply,
                       const tl_dendrite_target *primaries, size_t primary_count,
                       const tl_dendrite_target *backups, size_t backup_count,
                       tl_dendrite_balancer *balancer, const tl_dendrite_query *query,
                       tl_errctx *ctx)
{
    bool is_done = false;
    fallback f = {.dendrite = dendrite, .arena = arena, .query = query, .ctx = ctx};
    tl_sb_init(&f.causes, arena);
    if (primary_count + backup_count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "targets", "nobody to ask");
    }
    TL_TRY(ask_primaries(&is_done, &f, reply, primaries, primary_count, balancer));
    for (size_t i = 0; i < backup_count && !is_done; i++) {
        TL_TRY(ask_one(&is_done, &f, reply, &backups[i]));
        reply->index = primary_count + i;
    }
    const tl_dendrite_reply last = *reply;
    if (!is_done && dendrite->cache != NULL && query->is_cached) {
        TL_TRY(ask_cache(&is_done, &f, reply, primaries, primary_count));
        if (!is_done) {
            TL_TRY(ask_cache(&is_done, &f, reply, backups, backup_count));
            reply->index += is_done ? primary_count : 0;
        }
    }
    if (is_done) {
        return TL_OK;
    }
    *reply = last;
    return tl_sb_finish(&reply->error, &f.causes, ctx);
}
