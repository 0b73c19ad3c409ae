/* where.c: where a zipcode lies, for the rule on geography. The table of zipcodes says it, wherever the data means the same
 * place: a few rows may lie elsewhere, that is what the rule is for. Where the data as a whole is somewhere else (postcodes
 * of another country, a zipcode as wide as a county), its own middle and names are taken; where it has none, that part is
 * not compared. The result counts which was done how often. */
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

/* By the houses themselves; nowhere, where they do not keep together. */
static void set_own_position(tl__zip *zip)
{
    size_t told;
    if (!find_middle(&zip->place, zip) ||
        count_apart(zip, &zip->place, &told) * APART_POSITIONS > told) {
        (void)count_apart(zip, &zip->place, &told);
        zip->place.latitude_e4 = 0;
        zip->place.longitude_e4 = 0;
        zip->is_open = zip->is_open || told > 0;
    }
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

/* Does at most one in so many rows that tell a name tell another? told: how many tell one. */
static bool is_agreed(size_t *told, const tl__zip *zip, tl_str name, bool is_state, size_t one_in)
{
    size_t apart = 0;
    *told = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const tl_str theirs = name_of(&zip->houses[i], is_state);
        *told += theirs.len != 0;
        apart += theirs.len != 0 && !is_same_name(theirs, name);
    }
    return apart * one_in <= *told;
}

static void set_own_name(tl_str *out, tl__zip *zip, bool is_state, size_t one_in)
{
    size_t told = 0;
    *out = (tl_str){NULL, 0};
    for (size_t i = 0; i < zip->count && i < 16; i++) {
        const tl_str name = name_of(&zip->houses[i], is_state);
        if (name.len != 0 && is_agreed(&told, zip, name, is_state, one_in)) {
            *out = name;
            return;
        }
    }
    zip->is_open = zip->is_open || told > 0;
}

/* Is it the zipcode that the table of zipcodes means? By coordinates and state; by the city where neither is told. */
static bool is_that_place(const tl__zip *zip, const tl_place *known)
{
    size_t located;
    size_t stated;
    size_t named;
    if (count_apart(zip, known, &located) * APART_POSITIONS > located ||
        !is_agreed(&stated, zip, known->state, true, APART_STATES)) {
        return false;
    }
    return located + stated > 0 || is_agreed(&named, zip, known->city, false, APART_CITIES);
}

void tl__find_place(tl__zip *zip, const tl_places *places)
{
    const tl_place *known =
        places == NULL ? NULL : tl_place_find(places, tl_str_from_cstr(zip->houses->zipcode));
    zip->is_known = known != NULL && is_that_place(zip, known);
    if (zip->is_known) {
        zip->place = *known;
        return;
    }
    memcpy(zip->place.zipcode, zip->houses->zipcode, sizeof zip->place.zipcode);
    set_own_position(zip);
    set_own_name(&zip->place.city, zip, false, APART_CITIES);
    set_own_name(&zip->place.state, zip, true, APART_STATES);
}
