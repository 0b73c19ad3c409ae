/* checked: integer arithmetic that says when it does not fit.
 * For         sizes that a stranger chooses, counters, amounts
 * Takes       two integers                     Gives       true and the result, or false and an untouched out
 * Calls       the compiler's overflow builtins Called by   everything
 * Invariants  CHK-1 a result is written only when it is exact
 */
#ifndef TALLY_BASE_CHECKED_H
#define TALLY_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One generator, since the six functions differ in nothing but the type. Each returns whether *out was written (CHK-1). */
#define TL_CHECKED_MAP(X) X(i64, int64_t) X(u64, uint64_t) X(u32, uint32_t) X(size, size_t)

#define TL_CHECKED_DEFINE(name, type)                                                              \
    static inline bool tl_##name##_add(type *out, type a, type b)                                  \
    {                                                                                              \
        type r;                                                                                    \
        const bool fits = !__builtin_add_overflow(a, b, &r);                                       \
        if (fits) {                                                                                \
            *out = r;                                                                              \
        }                                                                                          \
        return fits;                                                                               \
    }                                                                                              \
    static inline bool tl_##name##_sub(type *out, type a, type b)                                  \
    {                                                                                              \
        type r;                                                                                    \
        const bool fits = !__builtin_sub_overflow(a, b, &r);                                       \
        if (fits) {                                                                                \
            *out = r;                                                                              \
        }                                                                                          \
        return fits;                                                                               \
    }                                                                                              \
    static inline bool tl_##name##_mul(type *out, type a, type b)                                  \
    {                                                                                              \
        type r;                                                                                    \
        const bool fits = !__builtin_mul_overflow(a, b, &r);                                       \
        if (fits) {                                                                                \
            *out = r;                                                                              \
        }                                                                                          \
        return fits;                                                                               \
    }
TL_CHECKED_MAP(TL_CHECKED_DEFINE)
#undef TL_CHECKED_DEFINE

#ifdef __cplusplus
}
#endif

#endif
