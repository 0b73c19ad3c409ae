/* The comparison, field by field. */
#include "core/listings/spot/spot.h"

#include <string.h>

/* Words for a house that can still be bought; whatever is silent counts as that. */
static bool is_on_market(tl_str status)
{
    static const char *const words[] = {"",        "FOR_SALE",    "FOR SALE", "ACTIVE",
                                        "PENDING", "COMING_SOON", "NEW",      "CONTINGENT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const tl_str word = tl_str_from_cstr(words[i]);
        bool same = word.len == status.len;
        for (size_t k = 0; same && k < word.len; k++) {
            const char c = status.ptr[k];
            same = word.ptr[k] == (c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static bool is_near(int64_t claimed, int64_t actual)
{
    const int64_t apart = claimed > actual ? claimed - actual : actual - claimed;
    return apart <= actual / 10000 * TL_SPOT_PRICE_BP + actual % 10000 * TL_SPOT_PRICE_BP / 10000;
}

static bool has(const tl_listing *l, tl_listing_field field)
{
    return (l->readable >> field & 1u) != 0;
}

static bool agrees(const tl_sample *claim, const tl_listing *world)
{
    if (world->zipcode[0] != 0 && strcmp(claim->zipcode, world->zipcode) != 0) {
        return false;
    }
    if (world->address.len > 0 && !tl_str_eq(claim->address, world->address)) {
        return false;
    }
    if (has(world, TL_FIELD_PRICE) && !is_near(claim->price_cents, world->price_cents)) {
        return false;
    }
    if (has(world, TL_FIELD_BEDROOMS) && claim->bedrooms_hundredths >= 0 &&
        claim->bedrooms_hundredths != world->bedrooms_hundredths) {
        return false;
    }
    if (has(world, TL_FIELD_BATHROOMS) && claim->bathrooms_hundredths >= 0 &&
        claim->bathrooms_hundredths != world->bathrooms_hundredths) {
        return false;
    }
    return is_on_market(claim->status) == is_on_market(world->text[TL_FIELD_LISTING_STATUS]);
}

tl_spot tl_spot_judge(const tl_sample *claim, const tl_listing *world, int64_t changed_ms,
                      int64_t since_ms)
{
    if (agrees(claim, world)) {
        return TL_SPOT_PASS;
    }
    return changed_ms >= since_ms && changed_ms != 0 ? TL_SPOT_NONE : TL_SPOT_FAIL; /* SPOT-1 */
}

tl_spot tl_spot_judge_absent(bool was_there, int64_t gone_ms, int64_t since_ms)
{
    return was_there && gone_ms >= since_ms ? TL_SPOT_NONE : TL_SPOT_FAIL; /* SPOT-1 */
}
