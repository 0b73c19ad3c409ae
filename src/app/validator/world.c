/* world.c: a zipcode as the source has it now: listings by every name they go by, traps, and the judging of samples. */
#include <stdlib.h>
#include <string.h>

#include "app/validator/validator_internal.h"
#include "base/map/map.h"
#include "base/vec/vec.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard.h"
#include "core/listings/spot/spot.h"

/* One listing of the world. */
typedef struct house {
    tl_listing listing;
    int64_t changed_ms; /* 0: not told */
} house;

struct tl__world {
    tl_arena *arena;
    tl_source *source;
    const tl_place *place;
    int64_t since_ms;
    bool is_silent;            /* it could not be collected: nothing can be said */
    tl_map names;              /* identity, address → house */
    const uint64_t *honeypots; /* tl_shard_identity of them */
    size_t honeypot_count;
};

/* The listings of a batch through the reader that submissions go through, so that both sides have one form. */
static tl_err read_batch(tl_listing **out, tl_arena *arena, const tl_place *place,
                         const tl_source_batch *batch, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str object = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "zipcode");
    tl_json_put_cstr(&w, place->zipcode);
    tl_json_put_key(&w, "listings");
    tl_json_put_array(&w);
    for (size_t i = 0; i < batch->count; i++) {
        tl_json_put_tree(&w, batch->items[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    TL_TRY(tl_sb_finish(&object, &sb, ctx));
    tl_listing *all = TL_NEW(arena, tl_listing, batch->count);
    if (all == NULL && batch->count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    tl_listing_reader reader;
    TL_TRY(tl_record_open(&reader, arena, object, 0, ctx));
    for (size_t i = 0; i < batch->count; i++) {
        bool has = false;
        TL_TRY(tl_record_next(&reader, &all[i], &has, ctx));
        TL_ASSERT(has);
    }
    *out = all;
    return TL_OK;
}

static tl_err name_house(tl__world *w, house *h, const char *kind, tl_str text, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str name = {NULL, 0};
    if (text.len == 0) {
        return TL_OK;
    }
    tl_sb_init(&sb, w->arena);
    tl_sb_put_cstr(&sb, kind);
    tl_sb_put(&sb, text);
    TL_TRY(tl_sb_finish(&name, &sb, ctx));
    return tl_map_put(&w->names, tl_str_bytes(name), h, ctx);
}

static tl_err add_house(tl__world *w, const tl_listing *listing, const tl_json *item,
                        tl_errctx *ctx)
{
    house *h = TL_NEW(w->arena, house, 1);
    if (h == NULL) {
        return tl_arena_fail(w->arena, ctx);
    }
    *h = (house){.listing = *listing};
    const tl_json *at = tl_json_get(item, "updated_at");
    if (at == NULL || !tl_record_moment(&h->changed_ms, at->text)) {
        h->changed_ms = 0;
    }
    TL_TRY(name_house(w, h, "zpid:", listing->text[TL_FIELD_ZPID], ctx));
    TL_TRY(name_house(w, h, "uri:", listing->text[TL_FIELD_SOURCE_URL], ctx));
    TL_TRY(name_house(w, h, "mls:", listing->text[TL_FIELD_MLS_ID], ctx));
    TL_TRY(name_house(w, h, "", listing->identity, ctx));
    return name_house(w, h, "address:", listing->address, ctx);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Traps: what the second-hand copy offers and the market itself never knew. What nobody answers about is no trap. */
static tl_err find_traps(tl__world *w, tl_errctx *ctx)
{
    tl_source_batch mirror = {NULL, NULL, 0};
    tl_listing *listings = NULL;
    const tl_str zipcode = tl_str_from_cstr(w->place->zipcode);
    const tl_err err = tl_source_collect(w->source, &mirror, w->arena, zipcode, true, ctx);
    if (err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM) {
        return err;
    }
    if (err != TL_OK) {
        return TL_OK;
    }
    TL_TRY(read_batch(&listings, w->arena, w->place, &mirror, ctx));
    tl_str *ids = TL_NEW(w->arena, tl_str, mirror.count);
    size_t *of = TL_NEW(w->arena, size_t, mirror.count);
    tl_source_look *looks = TL_NEW(w->arena, tl_source_look, mirror.count);
    uint64_t *traps = TL_NEW(w->arena, uint64_t, mirror.count);
    if (mirror.count > 0 && (ids == NULL || of == NULL || looks == NULL || traps == NULL)) {
        return tl_arena_fail(w->arena, ctx);
    }
    size_t asked = 0;
    for (size_t i = 0; i < mirror.count; i++) {
        const tl_json *id = tl_json_get(mirror.items[i], "id");
        if (id != NULL && id->text.len > 0 &&
            tl_map_get(&w->names, tl_str_bytes(listings[i].identity)) == NULL) {
            ids[asked] = id->text;
            of[asked++] = i;
        }
    }
    TL_TRY(tl_source_ask(w->source, looks, w->arena, zipcode, ids, asked, ctx));
    size_t count = 0;
    for (size_t i = 0; i < asked; i++) {
        const tl_str identity = listings[of[i]].identity;
        if (looks[i].state == TL_SOURCE_UNKNOWN && identity.len > 0) {
            traps[count++] = tl_shard_identity(identity);
        }
    }
    qsort(traps, count, sizeof *traps, by_number);
    w->honeypots = traps;
    w->honeypot_count = count;
    return TL_OK;
}

tl_err tl__world_open(tl__world **out, tl_arena *arena, tl_source *source, const tl_place *place,
                      int64_t since_ms, tl_errctx *ctx)
{
    tl__world *w = TL_NEW(arena, tl__world, 1);
    tl_source_batch batch = {NULL, NULL, 0};
    tl_listing *listings = NULL;
    if (w == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *w = (tl__world){.arena = arena, .source = source, .place = place, .since_ms = since_ms};
    tl_map_init(&w->names, arena);
    *out = w;
    const tl_err err =
        tl_source_collect(source, &batch, arena, tl_str_from_cstr(place->zipcode), false, ctx);
    if (err == TL_ERR_INTERRUPTED || err == TL_ERR_NOMEM) {
        return err;
    }
    if (err != TL_OK) {
        w->is_silent = true;
        return TL_OK;
    }
    TL_TRY(read_batch(&listings, arena, place, &batch, ctx));
    for (size_t i = 0; i < batch.count; i++) {
        TL_TRY(add_house(w, &listings[i], batch.items[i], ctx));
    }
    return tl_source_has_mirror(source) ? find_traps(w, ctx) : TL_OK;
}

void tl__world_honeypots(const tl__world *world, const uint64_t **out, size_t *count)
{
    *out = world->honeypots;
    *count = world->honeypot_count;
}

static const house *find_house(const tl__world *w, const tl_sample *sample)
{
    return (const house *)tl_map_get(&w->names, tl_str_bytes(sample->identity));
}

/* The market's own number in an identity; empty: it has none. */
static tl_str number_of(const tl_sample *sample)
{
    const tl_str zpid = TL_STR("zpid:");
    return tl_str_starts_with(sample->identity, zpid)
               ? tl_str_slice(sample->identity, zpid.len, sample->identity.len)
               : (tl_str){NULL, 0};
}

static tl_err judge_asked(const tl__world *w, char *verdict, const tl_sample *sample,
                          const tl_source_look *look, tl_arena *scratch, tl_errctx *ctx)
{
    switch (look->state) {
    case TL_SOURCE_SILENT:
        *verdict = TL_SPOT_NONE;
        return TL_OK;
    case TL_SOURCE_GONE:
        *verdict = (char)tl_spot_judge_absent(true, look->gone_ms, w->since_ms);
        return TL_OK;
    case TL_SOURCE_UNKNOWN:
        *verdict = (char)tl_spot_judge_absent(false, 0, w->since_ms);
        return TL_OK;
    case TL_SOURCE_HERE:
        break;
    }
    /* It came since the pages were read, or lies in another zipcode. */
    tl_listing *listing = NULL;
    const tl_json *item = look->item;
    const tl_source_batch one = {&item, NULL, 1};
    int64_t changed_ms = 0;
    TL_TRY(read_batch(&listing, scratch, w->place, &one, ctx));
    const tl_json *at = tl_json_get(item, "updated_at");
    if (at == NULL || !tl_record_moment(&changed_ms, at->text)) {
        changed_ms = 0;
    }
    *verdict = (char)tl_spot_judge(sample, listing, changed_ms, w->since_ms);
    return TL_OK;
}

tl_err tl__world_judge(tl__world *w, char *verdicts, const tl_sample *samples, size_t count,
                       tl_arena *scratch, tl_errctx *ctx)
{
    tl_str ids[TL_SAMPLES_MAX];
    size_t of[TL_SAMPLES_MAX];
    tl_source_look looks[TL_SAMPLES_MAX];
    size_t asked = 0;
    TL_ASSERT(count <= TL_SAMPLES_MAX);
    for (size_t i = 0; i < count; i++) {
        const house *h = find_house(w, &samples[i]);
        verdicts[i] = TL_SPOT_NONE;
        if (h != NULL) {
            verdicts[i] = (char)tl_spot_judge(&samples[i], &h->listing, h->changed_ms, w->since_ms);
        } else if (!w->is_silent && number_of(&samples[i]).len > 0) {
            ids[asked] = number_of(&samples[i]);
            of[asked++] = i;
        } else if (!w->is_silent) {
            /* Without a number nobody can tell that it was sold: else inventions without one would be excused. */
            verdicts[i] = TL_SPOT_FAIL;
        }
    }
    TL_TRY(tl_source_ask(w->source, looks, scratch, tl_str_from_cstr(w->place->zipcode), ids, asked,
                         ctx));
    for (size_t i = 0; i < asked; i++) {
        TL_TRY(judge_asked(w, &verdicts[of[i]], &samples[of[i]], &looks[i], scratch, ctx));
    }
    return TL_OK;
}
