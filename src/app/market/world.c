/* world.c: slots, lives and numbers: which house stands where, when, under which number. */
#include <string.h>

#include "app/market/market_internal.h"

/* Lives are counted from here: 2025-01-01T00:00:00Z. Before it nothing was for sale. */
#define WORLD_BEGIN_MS INT64_C(1735689600000)
#define MINUTE_MS      INT64_C(60000)
#define DAY_MS         INT64_C(86400000)

/* Parts of a number. A fast slot counts its lives by the day: 512 for each. */
#define GENERATION_BITS 24
#define SLOT_BITS       13
#define HALF_BITS       27 /* a number has 54 bits: two halves; 17 are left for the zipcode */
#define HALF_MASK       ((UINT64_C(1) << HALF_BITS) - 1)
#define ROUNDS          4

uint64_t tl__market_mix(const tl_market *market, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t state = market->seed;
    uint64_t h = tl_splitmix64(&state) ^ a;
    h = tl_splitmix64(&h) ^ b;
    h = tl_splitmix64(&h) ^ c;
    return tl_splitmix64(&h);
}

static uint64_t zip_number(const tl_place *place)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 5; i++) {
        n = n * 10 + (uint64_t)(place->zipcode[i] - '0');
    }
    return n;
}

uint64_t tl__market_luck(const tl_market *market, const tl_place *place, uint32_t slot,
                         uint32_t generation)
{
    return tl__market_mix(market, zip_number(place), slot, generation);
}

/* --- numbers: a permutation of (zipcode, slot, generation) under the seed (MARKET-1) --- */

static uint64_t round_of(const tl_market *market, uint64_t half, unsigned round)
{
    return tl__market_mix(market, half, round, UINT64_C(0x6e756d62657273)) & HALF_MASK;
}

static uint64_t number_of(const tl_market *market, const tl_place *place, uint32_t slot,
                          uint32_t generation)
{
    const uint64_t plain = zip_number(place) << (SLOT_BITS + GENERATION_BITS) |
                           (uint64_t)slot << GENERATION_BITS | generation;
    uint64_t left = plain >> HALF_BITS;
    uint64_t right = plain & HALF_MASK;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint64_t next = left ^ round_of(market, right, i);
        left = right;
        right = next;
    }
    return left << HALF_BITS | right;
}

static bool number_split(const tl_market *market, uint64_t number, const tl_place **place,
                         uint32_t *slot, uint32_t *generation)
{
    if (number >> (2 * HALF_BITS) != 0) {
        return false;
    }
    uint64_t left = number >> HALF_BITS;
    uint64_t right = number & HALF_MASK;
    for (unsigned i = ROUNDS; i > 0; i--) {
        const uint64_t before = right ^ round_of(market, left, i - 1);
        right = left;
        left = before;
    }
    const uint64_t plain = left << HALF_BITS | right;
    const uint64_t zip = plain >> (SLOT_BITS + GENERATION_BITS);
    if (zip > 99999) {
        return false;
    }
    char text[6];
    (void)tl_str_print(text, sizeof text, "%05u", (unsigned)zip);
    *place = tl_market_place(market, tl_str_from_cstr(text));
    *slot = (uint32_t)(plain >> GENERATION_BITS) & ((1u << SLOT_BITS) - 1);
    *generation = (uint32_t)plain & ((1u << GENERATION_BITS) - 1);
    return *place != NULL;
}

/* --- lives: one after the other, so that a slot has one house at most (MARKET-2) --- */

typedef struct life {
    uint32_t generation;
    int64_t begin_ms;
    int64_t end_ms; /* the next one's begin, less a gap */
} life;

static bool is_fast(const tl_market *market, const tl_place *place, uint32_t slot)
{
    return tl__market_mix(market, zip_number(place), slot, UINT64_C(0x66617374)) % 100 == 0;
}

/* How long the house of a generation stands for sale, and the pause behind it. */
static int64_t length_of(const tl_market *market, const tl_place *place, uint32_t slot,
                         uint32_t generation, bool fast, int64_t *gap)
{
    const uint64_t luck =
        tl__market_mix(market, zip_number(place) << 13 | slot, generation, UINT64_C(0x6c696665));
    const int64_t span = (int64_t)(luck >> 32 & 0xffff);
    *gap = luck % 8 == 0 ? (fast ? MINUTE_MS / 2 : DAY_MS) : 0;
    return fast ? 5 * MINUTE_MS + span * 25 * MINUTE_MS / 65536
                : 5 * DAY_MS + span * 55 * DAY_MS / 65536;
}

/* Where the chain of lives begins that now lies in: slots do not change all at once, and a fast slot's chain is begun
 * anew every day, its generations counted on from the day's number. */
static life first_life(const tl_market *market, const tl_place *place, uint32_t slot, bool fast,
                       int64_t now_ms)
{
    const uint64_t luck =
        tl__market_mix(market, zip_number(place) << 13 | slot, 0, UINT64_C(0x626567696e));
    if (!fast) {
        return (life){0, WORLD_BEGIN_MS - (int64_t)(luck % 60) * DAY_MS, 0};
    }
    const int64_t day = (now_ms - WORLD_BEGIN_MS) / DAY_MS;
    return (life){(uint32_t)day * 512, WORLD_BEGIN_MS + day * DAY_MS, 0};
}

/* A fast slot's chain ends with its day. */
static int64_t end_of(const life *at, int64_t length, bool fast)
{
    const int64_t end_ms = at->begin_ms + length;
    const int64_t day_end_ms =
        WORLD_BEGIN_MS + ((at->begin_ms - WORLD_BEGIN_MS) / DAY_MS + 1) * DAY_MS;
    return fast && end_ms > day_end_ms ? day_end_ms : end_ms;
}

static bool life_at(life *out, const tl_market *market, const tl_place *place, uint32_t slot,
                    int64_t now_ms)
{
    if (now_ms < WORLD_BEGIN_MS) {
        return false;
    }
    const bool fast = is_fast(market, place, slot);
    life at = first_life(market, place, slot, fast, now_ms);
    for (;;) {
        int64_t gap = 0;
        at.end_ms = end_of(&at, length_of(market, place, slot, at.generation, fast, &gap), fast);
        if (now_ms < at.end_ms + gap) {
            *out = at;
            return now_ms < at.end_ms;
        }
        at.begin_ms = at.end_ms + gap;
        at.generation++;
    }
}

/* The life of a generation, if it has begun by now. */
static bool life_of(life *out, const tl_market *market, const tl_place *place, uint32_t slot,
                    uint32_t generation, int64_t now_ms)
{
    const bool fast = is_fast(market, place, slot);
    const int64_t day_ms = WORLD_BEGIN_MS + (int64_t)(generation / 512) * DAY_MS;
    life at = first_life(market, place, slot, fast, fast ? day_ms : now_ms);
    while (at.begin_ms <= now_ms) {
        int64_t gap = 0;
        at.end_ms = end_of(&at, length_of(market, place, slot, at.generation, fast, &gap), fast);
        if (at.generation == generation) {
            *out = at;
            return !fast || at.begin_ms < day_ms + DAY_MS;
        }
        at.begin_ms = at.end_ms + gap;
        at.generation++;
        if (at.generation > generation) {
            break;
        }
    }
    return false;
}

/* --- what others ask --- */

const tl_place *tl_market_place(const tl_market *market, tl_str zipcode)
{
    if (zipcode.len != 5) {
        return NULL;
    }
    size_t low = 0;
    size_t high = market->place_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = memcmp(market->places[middle].zipcode, zipcode.ptr, 5);
        if (order == 0) {
            return &market->places[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

uint32_t tl_market_slot_count(const tl_place *place)
{
    return place->expected < TL_MARKET_SLOTS_MAX ? place->expected : TL_MARKET_SLOTS_MAX;
}

bool tl_market_at(tl_market_item *out, const tl_market *market, const tl_place *place,
                  uint32_t slot, int64_t now_ms)
{
    life at = {0, 0, 0};
    if (slot >= tl_market_slot_count(place) || !life_at(&at, market, place, slot, now_ms)) {
        return false;
    }
    tl__market_fill(out, market, place, slot, at.generation);
    out->number = number_of(market, place, slot, at.generation);
    out->listed_ms = at.begin_ms;
    out->gone_ms = at.end_ms;
    tl__market_age(out, now_ms);
    return true;
}

tl_market_answer tl_market_find(tl_market_item *out, const tl_market *market, tl_str id,
                                int64_t now_ms)
{
    uint64_t number = 0;
    const tl_place *place = NULL;
    uint32_t slot = 0;
    uint32_t generation = 0;
    life at = {0, 0, 0};
    if (!tl_str_parse_u64(&number, id) ||
        !number_split(market, number, &place, &slot, &generation) ||
        slot >= tl_market_slot_count(place) ||
        !life_of(&at, market, place, slot, generation, now_ms)) {
        return TL_MARKET_UNKNOWN; /* MARKET-3: a trap's slot is above every count */
    }
    tl__market_fill(out, market, place, slot, generation);
    out->number = number;
    out->listed_ms = at.begin_ms;
    out->gone_ms = at.end_ms;
    const bool is_here = now_ms < at.end_ms;
    tl__market_age(out, is_here ? now_ms : at.end_ms - 1);
    return is_here ? TL_MARKET_HERE : TL_MARKET_GONE;
}

uint32_t tl_market_trap_count(const tl_place *place)
{
    return 3 + place->expected / 50;
}

void tl_market_trap(tl_market_item *out, const tl_market *market, const tl_place *place,
                    uint32_t index, int64_t now_ms)
{
    TL_ASSERT(index < tl_market_trap_count(place));
    const uint32_t slot = TL_MARKET_SLOTS_MAX + index % ((1u << SLOT_BITS) - TL_MARKET_SLOTS_MAX);
    const uint32_t generation = index;
    const uint64_t luck = tl__market_luck(market, place, slot, generation);
    tl__market_fill(out, market, place, slot, generation);
    out->number = number_of(market, place, slot, generation);
    /* Listed again every forty days, each at a time of its own: what stands still looks real. */
    const int64_t phase_ms = (int64_t)(luck % (40 * 1440)) * MINUTE_MS;
    out->listed_ms = now_ms - (now_ms - phase_ms) % (40 * DAY_MS);
    out->gone_ms = out->listed_ms + 44 * DAY_MS;
    tl__market_age(out, now_ms);
}
