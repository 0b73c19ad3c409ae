/* house.c: what a house is like: type, size, price, address, place on the map, words. */
#include "app/market/market_internal.h"

static const char *const streets[] = {
    "Maple",     "Oak",      "Cedar",    "Pine",    "Elm",    "Walnut",     "Chestnut",
    "Birch",     "Willow",   "Spruce",   "Lake",    "Hill",   "River",      "Sunset",
    "Highland",  "Meadow",   "Park",     "Church",  "Mill",   "Washington", "Lincoln",
    "Jefferson", "Madison",  "Franklin", "Jackson", "Adams",  "Monroe",     "Grant",
    "Prospect",  "Pleasant", "Spring",   "Valley",  "Forest", "Ridge",      "Orchard",
    "Garden",    "Harbor",   "Canyon",   "Prairie", "Summit", "Fairview",   "Glenwood",
    "Laurel",    "Magnolia", "Hickory",  "Juniper", "Poplar", "Sycamore",   "Dogwood",
    "Hawthorne", "Linden",   "Cherry",   "Peach",   "Vine",   "Union",      "Liberty",
    "Center",    "Court",    "School",   "College", "Market", "Bridge",     "Quarry",
    "Railroad"};

static const char *const suffixes[] = {"St", "Ave", "Dr",   "Ln",  "Rd",  "Ct",
                                       "Pl", "Way", "Blvd", "Ter", "Cir", "Pkwy"};

static const char *const directions[] = {"", "", "", "", "", "N ", "S ", "E ", "W ", "NE ", "SW "};

static const char *const openings[] = {"Bright",   "Well-kept", "Updated", "Spacious",
                                       "Charming", "Quiet",     "Classic", "Sunny"};
static const char *const features[] = {"new roof",           "large yard",     "open kitchen",
                                       "hardwood floors",    "finished attic", "mountain views",
                                       "walk-in closet",     "two-car garage", "covered porch",
                                       "mature fruit trees", "gas fireplace",  "remodeled bath"};

#define PICK(list, luck) ((list)[(luck) % (sizeof(list) / sizeof *(list))])

/* Types by share, in hundredths. */
static tl_property_type pick_type(uint64_t luck)
{
    const uint64_t percent = luck % 100;
    return percent < 62   ? TL_PROPERTY_SINGLE_FAMILY
           : percent < 80 ? TL_PROPERTY_CONDO
           : percent < 91 ? TL_PROPERTY_TOWNHOUSE
           : percent < 97 ? TL_PROPERTY_MULTI_FAMILY
                          : TL_PROPERTY_MANUFACTURED;
}

/* About normal: the mean of 0 and a deviation of 1,000, of twelve uniforms. */
static int64_t bell(tl_xoshiro *rng)
{
    int64_t sum = 0;
    for (int i = 0; i < 12; i++) {
        sum += (int64_t)tl_xoshiro_below(rng, 1001);
    }
    return sum - 6000;
}

/* Dollars a square foot: the zipcode's level, the type, and a quarter of luck. */
static int64_t price_of(const tl_market *market, const tl_place *place, tl_property_type type,
                        uint32_t sqft, int64_t luck)
{
    static const int64_t of_type[] = {
        [TL_PROPERTY_SINGLE_FAMILY] = 100, [TL_PROPERTY_CONDO] = 112,
        [TL_PROPERTY_TOWNHOUSE] = 104,     [TL_PROPERTY_MULTI_FAMILY] = 88,
        [TL_PROPERTY_MANUFACTURED] = 52,   [TL_PROPERTY_LAND] = 100,
        [TL_PROPERTY_APARTMENT] = 100,     [TL_PROPERTY_OTHER] = 100};
    uint64_t zip = 0;
    for (size_t i = 0; i < 5; i++) {
        zip = zip * 10 + (uint64_t)(place->zipcode[i] - '0');
    }
    const int64_t level =
        110 + (int64_t)(tl__market_mix(market, zip, 0, UINT64_C(0x6c6576656c)) % 540);
    const int64_t percent = 100 + luck * 18 / 1000; /* three deviations: 46 to 154 */
    const int64_t dollars =
        (int64_t)sqft * level * of_type[type] / 100 * (percent < 40 ? 40 : percent) / 100;
    const int64_t rounded = (dollars + 500) / 1000 * 1000 - (luck % 2 == 0 ? 100 : 0);
    return rounded < 15000 ? 15000 : rounded;
}

static void fill_address(tl_market_item *out, tl_xoshiro *rng)
{
    const tl_place *p = out->place;
    const uint64_t number = 1 + tl_xoshiro_below(rng, 9899);
    const uint64_t luck = tl_xoshiro_next(rng);
    char unit[16] = "";
    if (out->property_type == TL_PROPERTY_CONDO) {
        (void)tl_str_print(unit, sizeof unit, " Apt %u", (unsigned)(1 + luck % 480));
    }
    (void)tl_str_print(out->address, sizeof out->address, "%u %s%s %s%s, %.*s, %.*s %s",
                       (unsigned)number, PICK(directions, luck >> 10), PICK(streets, luck >> 20),
                       PICK(suffixes, luck >> 34), unit, TL_STR_ARG(tl_str_slice(p->city, 0, 40)),
                       TL_STR_ARG(p->state), p->zipcode);
    (void)tl_str_print(out->description, sizeof out->description,
                       "%s %u-bedroom home in %.*s with %s and %s.", PICK(openings, luck >> 44),
                       out->bedrooms, TL_STR_ARG(tl_str_slice(p->city, 0, 40)),
                       PICK(features, luck >> 50), PICK(features, luck >> 55));
}

/* Within some four kilometres of the centroid: 0.036 degrees each way, a longitude's being shorter. */
static void fill_position(tl_market_item *out, tl_xoshiro *rng)
{
    const tl_place *p = out->place;
    out->latitude_e6 = p->latitude_e4 * 100 + (int32_t)tl_xoshiro_below(rng, 72001) - 36000;
    out->longitude_e6 = p->longitude_e4 * 100 + (int32_t)tl_xoshiro_below(rng, 72001) - 36000;
}

void tl__market_fill(tl_market_item *out, const tl_market *market, const tl_place *place,
                     uint32_t slot, uint32_t generation)
{
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, tl__market_luck(market, place, slot, generation));
    *out = (tl_market_item){.place = place, .property_type = pick_type(tl_xoshiro_next(&rng))};
    out->bedrooms = 1 + (uint32_t)tl_xoshiro_below(&rng, 3) + (uint32_t)tl_xoshiro_below(&rng, 3);
    out->bathrooms_halves = 2 + (uint32_t)tl_xoshiro_below(&rng, 2 * out->bedrooms);
    const int64_t size = 520 + 430 * (int64_t)out->bedrooms + bell(&rng) * 160 / 1000;
    out->sqft = (uint32_t)(size < 350 ? 350 : size);
    out->price = price_of(market, place, out->property_type, out->sqft, bell(&rng));
    out->mls = 10000000 + (uint32_t)tl_xoshiro_below(&rng, 89999999);
    fill_address(out, &rng);
    fill_position(out, &rng);
}

void tl__market_age(tl_market_item *item, int64_t now_ms)
{
    const int64_t length = item->gone_ms - item->listed_ms;
    const int64_t cut_ms = item->listed_ms + length / 2;
    const int64_t pending_ms = item->listed_ms + length / 10 * 9;
    item->updated_ms = item->listed_ms;
    if (item->mls % 5 == 0 && now_ms >= cut_ms) { /* one house in five becomes 3 % cheaper */
        item->price = item->price / 100 * 97;
        item->updated_ms = cut_ms;
    }
    if (now_ms >= pending_ms) {
        item->is_pending = true;
        item->updated_ms = pending_ms;
    }
}
