/* The small operations of chain spec 1.5 to 1.7 and 3.5, one function each. */
#include "core/consensus/yuma/yuma.h"

#include "core/consensus/yuma/yuma_internal.h"

tl_i32f32 tl__sum(const tl_i32f32 *values, size_t n)
{
    tl_i32f32 sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum = tl_i32f32_add_wrapping(sum, values[i]);
    }
    return sum;
}

void tl__normalise(tl_i32f32 *out, const tl_i32f32 *values, size_t n)
{
    tl_i128 exact = 0;
    bool has_negative = false;
    for (size_t i = 0; i < n; i++) {
        exact += values[i];
        has_negative |= values[i] < 0;
    }
    const tl_i32f32 sum = (tl_i32f32)(uint64_t)(tl_u128)exact;
    if (!has_negative && exact > 0 && exact < TL_RATIO_DIVISOR_MAX) {
        const tl_ratio ratio = tl_ratio_make(sum);
        for (size_t i = 0; i < n; i++) {
            out[i] = tl_ratio_of(values[i], ratio);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = sum == 0 ? values[i] : tl_i32f32_div_or_zero(values[i], sum);
    }
}

void tl__columns_seal(tl__columns *columns, const tl_i32f32 *divisors, size_t n,
                      bool cells_are_within)
{
    columns->is_quick = cells_are_within;
    for (size_t j = 0; j < n; j++) {
        columns->is_quick &= divisors[j] >= 0 && divisors[j] < TL_RATIO_DIVISOR_MAX;
    }
    for (size_t j = 0; j < n; j++) {
        columns->ratio[j] = divisors[j] > 0      ? tl_ratio_make(divisors[j])
                            : !columns->is_quick ? (tl_ratio){divisors[j], 0.0}
                                                 : (tl_ratio){1, 0.0};
    }
}

tl_i32f32 tl_yuma_weighted_median(const tl_i32f32 *stake, const tl_i32f32 *score, size_t count,
                                  tl_i32f32 minority, tl_i32f32 lo, tl_i32f32 hi, uint32_t *scratch)
{
    uint32_t *list = scratch;
    uint32_t *upper = scratch + count;
    size_t left = count;
    for (size_t i = 0; i < count; i++) {
        list[i] = (uint32_t)i;
    }
    for (size_t turn = 0; turn <= count; turn++) {
        if (left == 0) {
            return 0;
        }
        if (left == 1) {
            return score[list[0]];
        }
        const tl_i32f32 pivot = score[list[left / 2]];
        size_t lower_count = 0;
        size_t upper_count = 0;
        tl_i32f32 lower_stake = 0;
        tl_i32f32 upper_stake = 0;
        for (size_t i = 0; i < left; i++) { /* in order; what is lower moves to the front */
            const uint32_t at = list[i];
            if (score[at] < pivot) {
                list[lower_count++] = at;
                lower_stake = tl_i32f32_add(lower_stake, stake[at]);
            } else if (score[at] > pivot) {
                upper[upper_count++] = at;
                upper_stake = tl_i32f32_add(upper_stake, stake[at]);
            }
        }
        const tl_i32f32 up_to_lower = tl_i32f32_add(lo, lower_stake);
        const tl_i32f32 below_upper = tl_i32f32_sub(hi, upper_stake);
        if (minority < up_to_lower && lower_count != 0) {
            hi = up_to_lower;
            left = lower_count;
        } else if (below_upper <= minority && upper_count != 0) {
            lo = below_upper;
            left = upper_count;
            for (size_t i = 0; i < upper_count; i++) {
                list[i] = upper[i];
            }
        } else {
            return pivot;
        }
    }
    return 0; /* each turn drops the pivot at least, so the list ends first */
}

/* Sink the entry at root of a heap whose top is the entry that the chain's sort puts last of those kept out: order by
 * (value, index) ascending. */
static void heap_sink(uint32_t *heap, size_t root, size_t count, const tl_i32f32 *values)
{
    for (;;) {
        size_t least = root;
        for (size_t child = 2 * root + 1; child <= 2 * root + 2 && child < count; child++) {
            const uint32_t a = heap[child];
            const uint32_t b = heap[least];
            if (values[a] < values[b] || (values[a] == values[b] && a < b)) {
                least = child;
            }
        }
        if (least == root) {
            return;
        }
        const uint32_t moved = heap[root];
        heap[root] = heap[least];
        heap[least] = moved;
        root = least;
    }
}

void tl_yuma_topk(bool *out, const tl_i32f32 *values, size_t n, size_t k, bool skips_zero,
                  uint32_t *scratch)
{
    size_t others = 0; /* that are not 0 */
    bool has_negative = false;
    for (size_t i = 0; i < n; i++) {
        out[i] = !skips_zero || values[i] != 0;
        scratch[i] = (uint32_t)i;
        others += values[i] != 0;
        has_negative |= values[i] < 0;
    }
    /* Zeros are the least when nothing is negative: with enough of them, nobody else falls out. */
    if (n <= k || (skips_zero && !has_negative && others <= k)) {
        return;
    }
    /* The n - k least by (value, index) fall out: take them from a heap, one after the other. */
    for (size_t root = n / 2; root-- > 0;) {
        heap_sink(scratch, root, n, values);
    }
    for (size_t left = n; left > k; left--) {
        out[scratch[0]] = false;
        scratch[0] = scratch[left - 1];
        heap_sink(scratch, 0, left - 1, values);
    }
}

tl_i32f32 tl_yuma_sigmoid(tl_i32f32 x, tl_i32f32 rho, tl_i32f32 kappa)
{
    const tl_i32f32 offset = tl_i32f32_sub(x, kappa);
    const tl_i32f32 minus_rho = tl_i32f32_mul(rho, -TL_I32F32_ONE);
    const tl_i32f32 power = tl_i32f32_exp_safe(tl_i32f32_mul(minus_rho, offset));
    return tl_i32f32_div_or_zero(TL_I32F32_ONE, tl_i32f32_add(power, TL_I32F32_ONE));
}

tl_yuma_alpha tl_yuma_alpha_make(uint16_t low, uint16_t high, int16_t steepness)
{
    return (tl_yuma_alpha){
        .low = tl_i32f32_from_u16_proportion(low),
        .high = tl_i32f32_from_u16_proportion(high),
        .slope = tl_i32f32_div_saturating(tl_i32f32_from_int(steepness), tl_i32f32_from_int(-100)),
    };
}

tl_i32f32 tl__alpha_distance(tl_i32f32 consensus, tl_i32f32 weight, tl_i32f32 bond)
{
    const tl_i32f32 distance =
        weight >= bond ? tl_i32f32_sub(weight, consensus) : tl_i32f32_sub(bond, weight);
    return tl_i32f32_clamp(distance, 0, TL_I32F32_ONE);
}

tl_i32f32 tl__alpha_at(const tl_yuma_alpha *alpha, tl_i32f32 distance)
{
    const tl_i32f32 power =
        tl_i32f32_exp_safe(tl_i32f32_mul(alpha->slope, distance - TL_I32F32_HALF));
    const tl_i32f32 g = tl_i32f32_inverse(tl_i32f32_add(TL_I32F32_ONE, power));
    const tl_i32f32 a =
        tl_i32f32_add(alpha->low, tl_i32f32_mul(g, tl_i32f32_sub(alpha->high, alpha->low)));
    return tl_i32f32_clamp(a, alpha->low, alpha->high);
}

tl_i32f32 tl_yuma_alpha_cell(const tl_yuma_alpha *alpha, tl_i32f32 consensus, tl_i32f32 weight,
                             tl_i32f32 bond)
{
    return tl__alpha_at(alpha, tl__alpha_distance(consensus, weight, bond));
}

tl_i32f32 tl_yuma_ema_cell(tl_i32f32 alpha, tl_i32f32 new_value, tl_i32f32 old_value)
{
    const tl_i32f32 kept = tl_i32f32_mul(tl_i32f32_sub(TL_I32F32_ONE, alpha), old_value);
    const tl_i32f32 bought = tl_i32f32_mul(alpha, new_value);
    const tl_i32f32 sum = tl_i32f32_add(kept, bought > 0 ? bought : 0);
    return sum < TL_I32F32_ONE ? sum : TL_I32F32_ONE;
}

/* What each value is multiplied with and divided by so that the largest becomes 65535. */
static uint16_t upscale_one(tl_i32f32 value, tl_i32f32 largest)
{
    const tl_i32f32 full = tl_i32f32_from_int(UINT16_MAX);
    const tl_i32f32 scaled = largest <= tl_i32f32_from_int(32768)
                                 ? tl_i32f32_div_or_zero(tl_i32f32_mul(value, full), largest)
                                 : tl_i32f32_mul(value, tl_i32f32_div_or_zero(full, largest));
    return tl_i32f32_to_u16(tl_i32f32_round(scaled));
}

void tl_yuma_upscale(uint16_t *out, const tl_i32f32 *values, size_t count)
{
    tl_i32f32 largest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = largest == 0 ? 0 : upscale_one(values[i], largest);
    }
}

void tl_yuma_upscale_u16(uint16_t *out, const uint16_t *values, size_t count)
{
    uint16_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = largest == 0
                     ? 0
                     : upscale_one(tl_i32f32_from_int(values[i]), tl_i32f32_from_int(largest));
    }
}

bool tl_yuma_is_limited(const uint16_t *values, size_t count, uint16_t limit)
{
    const tl_i32f32 limit_raw = tl_i32f32_from_u16_proportion(limit);
    tl_i32f32 sum = 0;
    uint16_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        sum = tl_i32f32_add_wrapping(sum, tl_i32f32_from_int(values[i]));
        largest = values[i] > largest ? values[i] : largest;
    }
    if (count == 0) {
        return true;
    }
    const tl_i32f32 largest_raw = tl_i32f32_from_int(largest);
    return (sum == 0 ? largest_raw : tl_i32f32_div_or_zero(largest_raw, sum)) <= limit_raw;
}

bool tl_yuma_weights_are_limited(uint16_t uid, const uint16_t *uids, const uint16_t *values,
                                 size_t count, uint16_t limit)
{
    const bool is_self_weight = count == 1 && uids[0] == uid;
    return is_self_weight || limit == UINT16_MAX || tl_yuma_is_limited(values, count, limit);
}

/* a * b in Q32, saturated. */
static uint64_t q32_mul(uint64_t a, uint64_t b)
{
    const tl_u128 wide = ((tl_u128)a * b) >> 32;
    return wide > UINT64_MAX ? UINT64_MAX : (uint64_t)wide;
}

/* base^exponent in Q32 by squaring, each product floored: the order of the chain. */
static uint64_t q32_pow(uint64_t base, uint16_t exponent)
{
    uint64_t result = (uint64_t)1 << 32;
    for (uint32_t power = exponent; power > 0; power >>= 1) {
        if ((power & 1) == 1) {
            result = q32_mul(result, base);
        }
        base = q32_mul(base, base);
    }
    return result;
}

uint64_t tl_yuma_burn_factor(uint16_t half_life_blocks)
{
    const uint64_t one = (uint64_t)1 << 32;
    if (half_life_blocks == 0) {
        return one;
    }
    uint64_t lo = 0;
    uint64_t hi = one;
    while (lo + 1 < hi) {
        const uint64_t middle = lo + (hi - lo) / 2;
        if (q32_pow(middle, half_life_blocks) > one / 2) {
            hi = middle;
        } else {
            lo = middle;
        }
    }
    return lo;
}

uint64_t tl_yuma_burn_decay(uint64_t burn, uint64_t factor_q32)
{
    return q32_mul(burn, factor_q32);
}
