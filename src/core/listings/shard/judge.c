/* judge.c: what is wrong with one listing. */
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "core/listings/shard/shard_internal.h"

#define HOUR_MS        INT64_C(3600000)
#define PRICE_CENTS_LO INT64_C(1000000) /* 10,000 */
#define PRICE_CENTS_HI INT64_C(5000000000)
#define ROOMS_HI       2000 /* hundredths */
#define SQFT_LO        10000
#define SQFT_HI        10000000

#define BIT(field) (UINT32_C(1) << TL_FIELD_##field)

static bool is_within(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

/* Absent passes, unreadable does not. */
static bool is_reasonable(const tl_listing *l)
{
    const uint32_t asked = BIT(PRICE) | BIT(BEDROOMS) | BIT(BATHROOMS) | BIT(SQFT);
    const uint32_t there = l->present & asked;
    return (l->readable & there) == there &&
           ((there & BIT(PRICE)) == 0 ||
            is_within(l->price_cents, PRICE_CENTS_LO, PRICE_CENTS_HI)) &&
           is_within(l->bedrooms_hundredths, 0, ROOMS_HI) &&
           is_within(l->bathrooms_hundredths, 0, ROOMS_HI) &&
           ((there & BIT(SQFT)) == 0 || is_within(l->sqft_hundredths, SQFT_LO, SQFT_HI));
}

/* The clock's part of consistency and of the rule time. */
static bool is_in_time(const tl_shard_context *c, const tl_listing *l)
{
    const bool has_scraped = (l->readable & BIT(SCRAPED_TIMESTAMP)) != 0;
    const bool has_listed = (l->readable & BIT(LISTING_DATE)) != 0;
    if (has_scraped && !is_within(l->scraped_ms, c->start_ms - HOUR_MS, c->deadline_ms)) {
        return false;
    }
    return !has_scraped || !has_listed || l->listed_ms <= l->scraped_ms;
}

static bool dates_are_readable(const tl_listing *l)
{
    const uint32_t dates = BIT(LISTING_DATE) | BIT(SCRAPED_TIMESTAMP);
    return (l->present & dates & ~l->readable) == 0;
}

static uint64_t load_le(const char *p, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)(unsigned char)p[i] << (8 * i);
    }
    return word;
}

/* Both halves of a product folded: each bit of a decides over some of the result. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    const tl_u128 product = (tl_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* 64 bits of an identity, to count distinct ones within one submission: whoever makes two collide loses a row of its own.
 * Multiply and fold, eight bytes a step; the constants are the fractions of the square roots of 2, 3 and 5. */
uint64_t tl_shard_identity(tl_str identity)
{
    uint64_t h = UINT64_C(0x6A09E667F3BCC908) ^ identity.len;
    size_t i = 0;
    for (; i + 8 <= identity.len; i += 8) {
        h = mix(h ^ load_le(identity.ptr + i, 8), UINT64_C(0xBB67AE8584CAA73B));
    }
    h ^= i < identity.len ? load_le(identity.ptr + i, identity.len - i) : 0;
    return mix(h, UINT64_C(0x3C6EF372FE94F82B));
}

static bool is_honeypot(const tl_shard_context *c, tl_str identity)
{
    if (c->honeypot_count == 0 || identity.len == 0) {
        return false;
    }
    tl_hash32 hash;
    tl_sha256(&hash, identity.ptr, identity.len);
    size_t from = 0;
    size_t to = c->honeypot_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = tl_hash32_cmp(&c->honeypots[middle], &hash);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return false;
}

static int64_t second_of(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
}

tl_err tl__know(tl__known *out, tl_shard *shard, const tl_listing *l, tl_arena *scratch,
                tl_errctx *ctx)
{
    TL_TRY(tl__is_elsewhere(&out->is_elsewhere, &shard->geography, shard->arena, scratch, l, ctx));
    out->identity = tl_shard_identity(l->identity);
    out->is_honeypot = is_honeypot(&shard->context, l->identity);
    out->price_x = tl__price_x(l);
    tl_near_sketch_of(&out->sketch, l);
    out->is_set = true;
    return TL_OK;
}

void tl__judge(tl__row *row, const tl_shard *shard, const tl__known *known, const tl_listing *l)
{
    const tl_shard_context *const c = &shard->context;
    const uint32_t asked = (UINT32_C(1) << TL_LISTING_FIELDS_ASKED) - 1;
    bool differ = false;
    const bool agrees = tl__zipcodes_agree(&differ, l, shard->zipcode);
    const bool in_time = is_in_time(c, l);
    const bool is_negative = (l->readable & BIT(DAYS_ON_MARKET)) != 0 && l->days_on_market < 0;
    unsigned flags = 0;
    flags |= (l->present & asked) != asked ? TL__INCOMPLETE : 0;
    flags |= !is_reasonable(l) ? TL__UNREASONABLE : 0;
    flags |= !agrees || !in_time || !dates_are_readable(l) ? TL__INCONSISTENT : 0;
    flags |= known->is_elsewhere ? TL__ELSEWHERE : 0;
    flags |= !in_time || is_negative ? TL__UNTIMELY : 0;
    flags |= known->is_honeypot ? TL__HONEYPOT : 0;
    row->flags = (uint8_t)flags;
    row->identity = known->identity;
    row->scraped_s =
        (l->readable & BIT(SCRAPED_TIMESTAMP)) != 0 ? second_of(l->scraped_ms) : TL__NO_SECOND;
    row->type = (uint8_t)l->property_type;
    row->price_x = known->price_x;
}
