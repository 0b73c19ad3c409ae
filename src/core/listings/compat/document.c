/* What stands in the original's design document only: the verdict on invented data, and the honeypot. */
#include "core/listings/compat/compat_internal.h"

void tl_compat_synthetic_judge(tl_compat_synthetic *out, const tl_compat_anomalies *rates)
{
    const struct {
        const char *pattern;
        double rate;
        double limit;
    } rules[TL_COMPAT_PATTERNS] = {
        {"price_anomalies", rates->price, 0.10},
        {"geographic_inconsistencies", rates->geography, 0.05},
        {"temporal_inconsistencies", rates->time, 0.05},
        {"cross_miner_duplicates", rates->duplicates, 0.10},
    };
    *out = (tl_compat_synthetic){0};
    for (size_t i = 0; i < TL_COMPAT_PATTERNS; i++) {
        if (rules[i].rate > rules[i].limit) {
            out->patterns[out->pattern_count++] = rules[i].pattern;
        }
    }
    out->is_synthetic = out->pattern_count >= 2;
    if (out->is_synthetic) {
        const double confidence = 0.3 + 0.2 * (double)out->pattern_count;
        out->confidence = confidence < 0.95 ? confidence : 0.95;
    }
}

bool tl_compat_honeypot_hit(const tl_py_value *zipcodes, size_t count, const tl_str *honeypots,
                            size_t honeypot_count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t h = 0; zipcodes[i].kind == TL_PY_STR && h < honeypot_count; h++) {
            if (tl_str_eq(zipcodes[i].text, honeypots[h])) {
                return true;
            }
        }
    }
    return false;
}
