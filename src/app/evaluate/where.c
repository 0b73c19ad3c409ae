/* where.c: where a zipcode lies, for the rule on geography. The table of zipcodes says it, wherever the data agrees: a few
 * rows may lie elsewhere, that is what the rule is for. Where the data as a whole has another place (postcodes of another
 * country, towns by another name), its own is taken; where it has none, that part is not compared. */
#include <string.h>

#include "app/evaluate/evaluate_internal.h"
#include "core/num/stats/stats.h"

/* The rule speaks above 5 % of the rows, all parts together. */
#define APART_POSITIONS 20 /* at most one in so many … */
#define APART_CITIES    60
#define APART_STATES    200
#define REACH_METRES    UINT32_C(15000)

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_same_name(tl_str a, tl_str b)
{
    bool same = a.len == b.len;
    for (size_t i = 0; same && i < a.len; i++) {
        same = upper(a.ptr[i]) == upper(b.ptr[i]);
    }
    return same;
}

/* --- coordinates --- */

static size_t count_apart(const tl__zip *zip, const tl_place *place, size_t *told)
{
    size_t apart = 0;
    *told = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const tl_evaluate_house *h = &zip->houses[i];
        if (h->has_position) {
            (*told)++;
            apart += tl_place_metres_to(place, h->latitude_e6, h->longitude_e6) > REACH_METRES;
        }
    }
    return apart;
}

/* The middle of the houses: the mean of those within half a degree of the first that has half of the others there. */
static bool find_middle(tl_place *place, const tl__zip *zip)
{
    for (size_t i = 0; i < zip->count && i < 16; i++) {
        const tl_evaluate_house *h = &zip->houses[i];
        int64_t latitude = 0;
        int64_t longitude = 0;
        int64_t near = 0;
        int64_t told = 0;
        for (size_t j = 0; j < zip->count && h->has_position; j++) {
            const tl_evaluate_house *other = &zip->houses[j];
            const int64_t dy = (int64_t)other->latitude_e6 - h->latitude_e6;
            const int64_t dx = (int64_t)other->longitude_e6 - h->longitude_e6;
            told += other->has_position;
            if (other->has_position && dy * dy + dx * dx < INT64_C(250000000000)) {
                latitude += other->latitude_e6;
                longitude += other->longitude_e6;
                near++;
            }
        }
        if (near > 0 && near * 2 > told) {
            place->latitude_e4 = (int32_t)(latitude / near / 100);
            place->longitude_e4 = (int32_t)(longitude / near / 100);
            return true;
        }
    }
    return false;
}

/* False: not where the table of zipcodes has it. */
static bool set_position(tl__zip *zip, const tl_place *known)
{
    size_t told;
    if (known != NULL && (known->latitude_e4 != 0 || known->longitude_e4 != 0)) {
        zip->place.latitude_e4 = known->latitude_e4;
        zip->place.longitude_e4 = known->longitude_e4;
        if (count_apart(zip, known, &told) * APART_POSITIONS <= told) {
            return true;
        }
    }
    if (!find_middle(&zip->place, zip) ||
        count_apart(zip, &zip->place, &told) * APART_POSITIONS > told) {
        (void)count_apart(zip, &zip->place, &told);
        zip->place.latitude_e4 = 0;
        zip->place.longitude_e4 = 0;
        zip->is_open = zip->is_open || told > 0;
    }
    return false;
}

/* --- names --- */

static tl_str name_of(const tl_evaluate_house *h, bool is_state)
{
    if (!is_state) {
        return h->city;
    }
    const tl_str code = tl_state_code(h->state);
    return code.len != 0 ? code : h->state;
}

static bool is_agreed(const tl__zip *zip, tl_str name, bool is_state, size_t one_in)
{
    size_t told = 0;
    size_t apart = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const tl_str theirs = name_of(&zip->houses[i], is_state);
        told += theirs.len != 0;
        apart += theirs.len != 0 && !is_same_name(theirs, name);
    }
    return apart * one_in <= told;
}

/* False: not what the table of zipcodes has. */
static bool set_name(tl_str *out, tl__zip *zip, tl_str known, bool is_state, size_t one_in)
{
    if (known.len != 0 && is_agreed(zip, known, is_state, one_in)) {
        *out = known;
        return true;
    }
    for (size_t i = 0; i < zip->count && i < 16; i++) {
        const tl_str name = name_of(&zip->houses[i], is_state);
        if (name.len != 0 && is_agreed(zip, name, is_state, one_in)) {
            *out = name;
            return false;
        }
    }
    for (size_t i = 0; i < zip->count; i++) {
        zip->is_open = zip->is_open || name_of(&zip->houses[i], is_state).len != 0;
    }
    *out = (tl_str){NULL, 0};
    return false;
}

void tl__find_place(tl__zip *zip, const tl_places *places)
{
    const tl_place *known =
        places == NULL ? NULL : tl_place_find(places, tl_str_from_cstr(zip->houses->zipcode));
    const tl_str none = {NULL, 0};
    if (known != NULL) {
        zip->place = *known;
    }
    memcpy(zip->place.zipcode, zip->houses->zipcode, sizeof zip->place.zipcode);
    const bool is_there = set_position(zip, known);
    const bool has_city = set_name(&zip->place.city, zip, known != NULL ? known->city : none, false,
                                   APART_CITIES);
    const bool has_state = set_name(&zip->place.state, zip, known != NULL ? known->state : none,
                                    true, APART_STATES);
    zip->is_known = is_there && has_city && has_state;
}
