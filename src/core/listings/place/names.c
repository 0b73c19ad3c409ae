/* names.c: tiers, regions and states by their names. */
#include <string.h>

#include "core/listings/place/place.h"

static const char *const tier_names[] = {"EMERGING", "STANDARD", "PREMIUM"};
static const char *const region_names[] = {"Northeast", "Midwest", "South", "West", "Other"};

enum { TIER_COUNT = 3, REGION_COUNT = 5, NAME_CAP = 32 };

/* The states, the district and the territories that the postal service has codes for, by code. */
static const struct state {
    char code[3];
    char name[NAME_CAP - 3];
    tl_region region;
} states[] = {
    {"AA", "Armed Forces Americas", TL_REGION_NONE},
    {"AE", "Armed Forces Europe", TL_REGION_NONE},
    {"AK", "Alaska", TL_REGION_WEST},
    {"AL", "Alabama", TL_REGION_SOUTH},
    {"AP", "Armed Forces Pacific", TL_REGION_NONE},
    {"AR", "Arkansas", TL_REGION_SOUTH},
    {"AS", "American Samoa", TL_REGION_NONE},
    {"AZ", "Arizona", TL_REGION_WEST},
    {"CA", "California", TL_REGION_WEST},
    {"CO", "Colorado", TL_REGION_WEST},
    {"CT", "Connecticut", TL_REGION_NORTHEAST},
    {"DC", "District of Columbia", TL_REGION_SOUTH},
    {"DE", "Delaware", TL_REGION_SOUTH},
    {"FL", "Florida", TL_REGION_SOUTH},
    {"FM", "Micronesia", TL_REGION_NONE},
    {"GA", "Georgia", TL_REGION_SOUTH},
    {"GU", "Guam", TL_REGION_NONE},
    {"HI", "Hawaii", TL_REGION_WEST},
    {"IA", "Iowa", TL_REGION_MIDWEST},
    {"ID", "Idaho", TL_REGION_WEST},
    {"IL", "Illinois", TL_REGION_MIDWEST},
    {"IN", "Indiana", TL_REGION_MIDWEST},
    {"KS", "Kansas", TL_REGION_MIDWEST},
    {"KY", "Kentucky", TL_REGION_SOUTH},
    {"LA", "Louisiana", TL_REGION_SOUTH},
    {"MA", "Massachusetts", TL_REGION_NORTHEAST},
    {"MD", "Maryland", TL_REGION_SOUTH},
    {"ME", "Maine", TL_REGION_NORTHEAST},
    {"MH", "Marshall Islands", TL_REGION_NONE},
    {"MI", "Michigan", TL_REGION_MIDWEST},
    {"MN", "Minnesota", TL_REGION_MIDWEST},
    {"MO", "Missouri", TL_REGION_MIDWEST},
    {"MP", "Northern Mariana Islands", TL_REGION_NONE},
    {"MS", "Mississippi", TL_REGION_SOUTH},
    {"MT", "Montana", TL_REGION_WEST},
    {"NC", "North Carolina", TL_REGION_SOUTH},
    {"ND", "North Dakota", TL_REGION_MIDWEST},
    {"NE", "Nebraska", TL_REGION_MIDWEST},
    {"NH", "New Hampshire", TL_REGION_NORTHEAST},
    {"NJ", "New Jersey", TL_REGION_NORTHEAST},
    {"NM", "New Mexico", TL_REGION_WEST},
    {"NV", "Nevada", TL_REGION_WEST},
    {"NY", "New York", TL_REGION_NORTHEAST},
    {"OH", "Ohio", TL_REGION_MIDWEST},
    {"OK", "Oklahoma", TL_REGION_SOUTH},
    {"OR", "Oregon", TL_REGION_WEST},
    {"PA", "Pennsylvania", TL_REGION_NORTHEAST},
    {"PR", "Puerto Rico", TL_REGION_NONE},
    {"PW", "Palau", TL_REGION_NONE},
    {"RI", "Rhode Island", TL_REGION_NORTHEAST},
    {"SC", "South Carolina", TL_REGION_SOUTH},
    {"SD", "South Dakota", TL_REGION_MIDWEST},
    {"TN", "Tennessee", TL_REGION_SOUTH},
    {"TX", "Texas", TL_REGION_SOUTH},
    {"UT", "Utah", TL_REGION_WEST},
    {"VA", "Virginia", TL_REGION_SOUTH},
    {"VI", "Virgin Islands", TL_REGION_NONE},
    {"VT", "Vermont", TL_REGION_NORTHEAST},
    {"WA", "Washington", TL_REGION_WEST},
    {"WI", "Wisconsin", TL_REGION_MIDWEST},
    {"WV", "West Virginia", TL_REGION_SOUTH},
    {"WY", "Wyoming", TL_REGION_WEST},
};
enum { STATE_COUNT = sizeof states / sizeof *states };

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ASCII letters alone are folded: no locale. */
static bool is_same(tl_str text, const char *name)
{
    if (text.len != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (fold(text.ptr[i]) != fold(name[i])) {
            return false;
        }
    }
    return true;
}

const char *tl_market_tier_name(tl_market_tier tier)
{
    TL_ASSERT((unsigned)tier < TIER_COUNT);
    return tier_names[tier];
}

const char *tl_region_name(tl_region region)
{
    TL_ASSERT((unsigned)region < REGION_COUNT);
    return region_names[region];
}

bool tl_market_tier_parse(tl_market_tier *out, tl_str text)
{
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        if (is_same(text, tier_names[i])) {
            *out = (tl_market_tier)i;
            return true;
        }
    }
    return false;
}

bool tl_region_parse(tl_region *out, tl_str text)
{
    for (unsigned i = 0; i < REGION_COUNT; i++) {
        if (is_same(text, region_names[i])) {
            *out = (tl_region)i;
            return true;
        }
    }
    return false;
}

static const struct state *find_state(tl_str text)
{
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (is_same(text, states[i].code) || is_same(text, states[i].name)) {
            return &states[i];
        }
    }
    return NULL;
}

tl_str tl_state_code(tl_str text)
{
    const struct state *s = find_state(tl_str_trim(text));
    return tl_str_from_cstr(s != NULL ? s->code : NULL);
}

tl_str tl_state_name(tl_str code)
{
    const struct state *s = find_state(code);
    return tl_str_from_cstr(s != NULL ? s->name : NULL);
}

tl_region tl_state_region(tl_str code)
{
    const struct state *s = find_state(code);
    return s != NULL ? s->region : TL_REGION_NONE;
}
