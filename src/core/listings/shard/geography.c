/* geography.c: does a listing say of itself that it lies somewhere else?
 *
 * Zipcode and state are held against the table's row. A city has many names that no table knows, and a neighbour's name is
 * no lie: a name disagrees only when it is not this place's, the table knows it, and none of the state's zipcodes of that
 * name lies within TL_SHARD_CITY_METRES. Without a table, another name disagrees. */
#include <string.h>

#include "core/listings/place/place.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard_internal.h"
#include "core/num/stats/stats.h"

#define BIT(field) (UINT32_C(1) << TL_FIELD_##field)

static int str_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_str_cmp(*(const tl_str *)a, *(const tl_str *)b);
}

static bool has_name(const tl_str *names, size_t count, tl_str name)
{
    size_t from = 0;
    size_t to = count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (tl_str_cmp(names[middle], name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < count && tl_str_eq(names[from], name);
}

static bool has_coordinates(const tl_place *place)
{
    return place->latitude_e4 != 0 || place->longitude_e4 != 0;
}

/* The names, normalised and ascending, of the places of the state that lie within so many metres; all of them: UINT32_MAX. */
static tl_err list_cities(const tl_str **out, size_t *count, const tl__place_check *check,
                          tl_arena *arena, uint32_t metres, tl_errctx *ctx)
{
    const tl_places *const table = check->places;
    tl_vec names;
    tl_vec_init(&names, arena, sizeof(tl_str));
    for (size_t i = 0; i < table->count; i++) {
        const tl_place *const p = &table->items[i];
        const bool is_asked =
            metres == UINT32_MAX || (tl_str_eq(p->state, check->place->state) &&
                                     tl_place_metres_to(check->place, p->latitude_e4 * 100,
                                                        p->longitude_e4 * 100) <= metres);
        if (is_asked && p->city.len != 0) {
            tl_str *const name = (tl_str *)tl_vec_push(&names);
            if (name == NULL) {
                return tl_arena_fail(arena, ctx);
            }
            TL_TRY(tl_record_address(name, arena, p->city, ctx));
        }
    }
    TL_TRY(tl_sort(names.items, names.count, sizeof(tl_str), str_cmp, NULL, arena, ctx));
    *out = (const tl_str *)names.items;
    *count = names.count;
    return TL_OK;
}

tl_err tl__geography_init(tl__place_check *check, tl_arena *arena, const tl_shard_context *context,
                          tl_errctx *ctx)
{
    memset(check, 0, sizeof *check);
    check->place = context->place;
    check->places = context->places;
    check->metres_max = context->params->geography_metres;
    TL_TRY(tl_record_address(&check->city, arena, context->place->city, ctx));
    if (check->places == NULL || !has_coordinates(check->place)) {
        check->places = NULL;
        return TL_OK;
    }
    return list_cities(&check->near_cities, &check->near_count, check, arena, TL_SHARD_CITY_METRES,
                       ctx);
}

static tl_err city_agrees(bool *out, tl__place_check *check, tl_arena *arena, tl_arena *scratch,
                          tl_str raw, tl_errctx *ctx)
{
    tl_str name = {NULL, 0};
    TL_TRY(tl_record_address(&name, scratch, raw, ctx));
    *out = tl_str_eq(name, check->city) || has_name(check->near_cities, check->near_count, name);
    if (*out || check->places == NULL) {
        return TL_OK;
    }
    if (check->all_cities == NULL) {
        TL_TRY(list_cities(&check->all_cities, &check->all_count, check, arena, UINT32_MAX, ctx));
    }
    *out = !has_name(check->all_cities, check->all_count, name);
    return TL_OK;
}

static bool zipcode_of_address(char out[6], tl_str address)
{
    if (address.len < 7 || address.ptr[address.len - 6] != ' ') {
        return false;
    }
    return tl_record_zipcode(out, tl_str_slice(address, address.len - 5, address.len));
}

bool tl__zipcodes_agree(bool *differ, const tl_listing *l, const char *zipcode)
{
    char of_address[6] = "";
    const bool has_address_zip = zipcode_of_address(of_address, l->address);
    const bool has_zip = l->zipcode[0] != '\0';
    *differ = (has_zip && memcmp(l->zipcode, zipcode, 5) != 0) ||
              (has_address_zip && memcmp(of_address, zipcode, 5) != 0);
    return has_zip && !*differ;
}

tl_err tl__is_elsewhere(bool *out, tl__place_check *check, tl_arena *arena, tl_arena *scratch,
                        const tl_listing *l, tl_errctx *ctx)
{
    const tl_place *const place = check->place;
    (void)tl__zipcodes_agree(out, l, place->zipcode);
    const tl_str state = l->text[TL_FIELD_STATE];
    if (!*out && (l->readable & BIT(STATE)) != 0 && place->state.len != 0 &&
        !tl_str_eq(state, place->state)) { /* as most write it: no look into the list of states */
        *out = !tl_str_eq(tl_state_code(tl_str_trim(state)), place->state);
    }
    const uint32_t point = BIT(LATITUDE) | BIT(LONGITUDE);
    if (!*out && (l->readable & point) == point && has_coordinates(place)) {
        *out = tl_place_metres_to(place, l->latitude_e6, l->longitude_e6) > check->metres_max;
    }
    if (*out || (l->readable & BIT(CITY)) == 0 || check->city.len == 0) {
        return TL_OK;
    }
    const tl_str city = l->text[TL_FIELD_CITY];
    if (tl_str_eq(city, place->city)) {
        return TL_OK;
    }
    bool agrees = false;
    TL_TRY(city_agrees(&agrees, check, arena, scratch, city, ctx));
    *out = !agrees;
    return TL_OK;
}
