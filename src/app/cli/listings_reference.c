/* listings_reference.c: the world of 'tally listings check --reference': a table of real houses to hold listings against.
 *
 * A listing is looked for by its identity (the table's zpid and id both count as one), else by its normalised address; what
 * is not there was never for sale. All rows are asked, not a sample: nobody knows before the deadline which ones are drawn,
 * and the share of all is what a sample finds on the average. */
#include <string.h>

#include "app/cli/listings_check.h"
#include "app/evaluate/evaluate.h"
#include "base/map/map.h"
#include "core/listings/record/record.h"
#include "core/listings/spot/spot.h"

struct tl_app_world {
    tl_arena *arena;
    tl_map houses; /* tl_listing by identity */
};

static tl_err put_name(tl_app_world *world, const char *prefix, tl_str name, tl_listing *house,
                       tl_errctx *ctx)
{
    const tl_str text = tl_str_trim(name);
    if (text.len == 0) {
        return TL_OK;
    }
    tl_sb sb;
    tl_str key = {NULL, 0};
    tl_sb_init(&sb, world->arena);
    tl_sb_put_cstr(&sb, prefix);
    tl_sb_put(&sb, text);
    TL_TRY(tl_sb_finish(&key, &sb, ctx));
    tl_map_entry *slot = NULL;
    TL_TRY(tl_map_slot(&slot, &world->houses, tl_str_bytes(key), ctx));
    slot->value = house; /* of two sales of one house the later row */
    return TL_OK;
}

static void say(tl_listing *l, tl_listing_field field, int64_t *member, int64_t value)
{
    if (value >= 0) {
        *member = value;
        l->present |= UINT32_C(1) << field;
        l->readable |= UINT32_C(1) << field;
    }
}

static tl_err put_house(tl_app_world *world, const tl_evaluate_house *h, tl_errctx *ctx)
{
    tl_listing *const l = TL_NEW(world->arena, tl_listing, 1);
    if (l == NULL) {
        return tl_arena_fail(world->arena, ctx);
    }
    memcpy(l->zipcode, h->zipcode, sizeof l->zipcode);
    say(l, TL_FIELD_PRICE, &l->price_cents, h->price_cents);
    say(l, TL_FIELD_BEDROOMS, &l->bedrooms_hundredths, h->bedrooms_hundredths);
    say(l, TL_FIELD_BATHROOMS, &l->bathrooms_hundredths, h->bathrooms_hundredths);
    l->text[TL_FIELD_LISTING_STATUS] = h->status;
    TL_TRY(tl_record_address(&l->address, world->arena, h->address, ctx));
    TL_TRY(put_name(world, "zpid:", h->id, l, ctx));
    TL_TRY(put_name(world, "zpid:", h->zpid, l, ctx));
    TL_TRY(put_name(world, "uri:", h->url, l, ctx));
    TL_TRY(put_name(world, "mls:", h->mls_id, l, ctx));
    return put_name(world, "address:", l->address, l, ctx);
}

tl_err tl_app_world_open(tl_app_world **out, tl_arena *arena, tl_str csv, const char *zipcode,
                         const char *const *maps, size_t map_count, tl_errctx *ctx)
{
    tl_app_world *const world = TL_NEW(arena, tl_app_world, 1);
    if (world == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_evaluate_table table;
    TL_TRY(tl_evaluate_table_read(&table, arena, csv, maps, map_count, ctx));
    world->arena = arena;
    tl_map_init(&world->houses, arena);
    for (size_t i = 0; i < table.count; i++) {
        if (strcmp(table.houses[i].zipcode, zipcode) == 0) {
            TL_TRY(put_house(world, &table.houses[i], ctx));
        }
    }
    *out = world;
    return TL_OK;
}

static const tl_listing *find(const tl_app_world *world, const tl_listing *l)
{
    const tl_listing *const by_identity =
        (const tl_listing *)tl_map_get(&world->houses, tl_str_bytes(l->identity));
    if (by_identity != NULL || l->address.len == 0) {
        return by_identity;
    }
    char key[TL_RECORD_ADDRESS_MAX + 16];
    const size_t len = tl_str_print(key, sizeof key, "address:%.*s", TL_STR_ARG(l->address));
    return (const tl_listing *)tl_map_get(&world->houses, (tl_bytes){(const uint8_t *)key, len});
}

static tl_spot judge(const tl_app_world *world, const tl_listing *l, const char *zipcode)
{
    const tl_listing *const house = find(world, l);
    if (house == NULL) {
        return tl_spot_judge_absent(false, 0, 0);
    }
    const bool has_beds = (l->readable >> TL_FIELD_BEDROOMS & 1) != 0;
    const bool has_baths = (l->readable >> TL_FIELD_BATHROOMS & 1) != 0;
    tl_sample claim = {.index = l->index,
                       .identity = l->identity,
                       .address = l->address,
                       .price_cents = l->price_cents,
                       .bedrooms_hundredths = has_beds ? l->bedrooms_hundredths : -1,
                       .bathrooms_hundredths = has_baths ? l->bathrooms_hundredths : -1,
                       .status = tl_str_trim(l->text[TL_FIELD_LISTING_STATUS])};
    memcpy(claim.zipcode, l->zipcode[0] != '\0' ? l->zipcode : zipcode, sizeof claim.zipcode);
    return tl_spot_judge(&claim, house, 0, 0);
}

/* The line's findings with one of spot_check among them, in the order of the rules. */
static tl_err add_finding(tl_app_check_line *line, tl_arena *arena, const tl_finding *finding,
                          tl_errctx *ctx)
{
    tl_finding *const all = TL_NEW(arena, tl_finding, line->finding_count + 1);
    if (all == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t at = 0;
    while (at < line->finding_count && line->findings[at].rule < finding->rule) {
        at++;
    }
    for (size_t i = 0; i < line->finding_count; i++) {
        all[i < at ? i : i + 1] = line->findings[i];
    }
    all[at] = *finding;
    line->findings = all;
    line->finding_count++;
    return TL_OK;
}

static tl_err conclude(tl_app_check_line *line, tl_arena *arena, tl_finding *failed, uint32_t rows,
                       const tl_listings_params *params, tl_errctx *ctx)
{
    if (rows < params->sample_judged_min) {
        return TL_OK; /* too few to say */
    }
    const uint64_t passed = rows - failed->count;
    line->has_accuracy = true;
    line->accuracy = (double)passed / rows;
    tl_app_check_add_rate(line, "spot_check", line->accuracy);
    if (passed * 10000 >= (uint64_t)rows * params->spot_check_bp_min) {
        return TL_OK;
    }
    failed->rate_millionths = (uint32_t)((uint64_t)failed->count * 1000000 / rows);
    line->tier = line->tier != 0 ? line->tier : 3;
    line->passes = false;
    return add_finding(line, arena, failed, ctx);
}

tl_err tl_app_world_judge(tl_app_check_line *line, tl_arena *arena, const tl_app_world *world,
                          tl_str object, const char *zipcode, const tl_listings_params *params,
                          tl_errctx *ctx)
{
    tl_listing_reader reader;
    bool has_listing = true;
    tl_finding failed = {.rule = TL_LISTING_SPOT_CHECK};
    tl_err err = tl_record_open(&reader, arena, object, 0, NULL);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    while (err == TL_OK && has_listing) {
        tl_listing l;
        err = tl_record_next(&reader, &l, &has_listing, NULL);
        if (err == TL_OK && has_listing && judge(world, &l, zipcode) == TL_SPOT_FAIL) {
            if (failed.index_count < TL_FINDING_INDICES_MAX) {
                failed.indices[failed.index_count++] = l.index;
            }
            failed.count++;
        }
        tl_arena_rewind(arena, mark);
    }
    if (err != TL_OK) {
        return TL_OK; /* the line says already what is wrong with it */
    }
    return conclude(line, arena, &failed, reader.count, params, ctx);
}
