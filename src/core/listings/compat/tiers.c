/* Tier 1 and what stands in numbers: the versions' names, bounds, thresholds. */
#include "core/listings/compat/compat_internal.h"

static const char *const code_names[] = {"2025-10-03", "2025-10-29", "2025-11-26"};

const char *tl_compat_code_name(tl_compat_code code)
{
    return code_names[code];
}

bool tl_compat_code_parse(tl_compat_code *out, tl_str text)
{
    for (int i = TL_COMPAT_2025_10_03; i <= TL_COMPAT_2025_11_26; i++) {
        if (tl_str_eq_cstr(text, code_names[i])) {
            *out = (tl_compat_code)i;
            return true;
        }
    }
    return false;
}

bool tl__compat_is_november(tl_compat_code code)
{
    return code == TL_COMPAT_2025_11_26;
}

/* Python's int() of a finite double, saturated where an int64 ends. */
static int64_t cut(double value)
{
    return value >= 0x1p63 ? INT64_MAX : value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

tl_compat_bounds tl_compat_tier1(tl_compat_code code, bool has_expected, int64_t expected)
{
    const double e = has_expected ? (double)expected : 0;
    tl_compat_bounds bounds = {cut(e * 0.85), cut(e * 1.15), code != TL_COMPAT_2025_10_29};
    if (tl__compat_is_november(code)) {
        bounds.min = bounds.min > 1 ? bounds.min : 1;
        if (!has_expected || expected <= 0) {
            bounds = (tl_compat_bounds){1, 0, false};
        }
    }
    if (!bounds.has_max) {
        bounds.max = 0;
    }
    return bounds;
}

bool tl_compat_tier1_passes(const tl_compat_bounds *bounds, uint64_t actual)
{
    const bool is_enough = bounds->min <= 0 || actual >= (uint64_t)bounds->min;
    return is_enough && (!bounds->has_max || (bounds->max >= 0 && actual <= (uint64_t)bounds->max));
}

double tl__compat_completeness_min(tl_compat_code code)
{
    return tl__compat_is_november(code) ? 0.70 : 0.90;
}

double tl_compat_completeness(bool *passes, tl_compat_code code, uint64_t n, uint64_t incomplete)
{
    TL_ASSERT(incomplete <= n);
    const double rate = n != 0 ? (double)(n - incomplete) / (double)n : 0;
    *passes = rate >= tl__compat_completeness_min(code);
    return rate;
}

bool tl_compat_spot_passes(double *rate, uint32_t passed, uint32_t count)
{
    *rate = count != 0 ? (double)passed / (double)count : 0;
    return *rate >= 0.80;
}
