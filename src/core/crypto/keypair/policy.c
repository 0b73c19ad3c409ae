/* Which scheme for whom. */
#include "core/crypto/keypair/keypair.h"

/* Down the heap from root: the larger child comes up until what is there is larger (Williams 1964). */
static void sift(tl_scheme_pin *pins, size_t root, size_t count)
{
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && tl_hotkey_cmp(&pins[child].key, &pins[child + 1].key) < 0) {
            child++;
        }
        if (tl_hotkey_cmp(&pins[root].key, &pins[child].key) >= 0) {
            return;
        }
        const tl_scheme_pin swapped = pins[root];
        pins[root] = pins[child];
        pins[child] = swapped;
        root = child;
    }
}

tl_err tl_scheme_pins_sort(tl_scheme_pin *pins, size_t count, tl_errctx *ctx)
{
    for (size_t root = count / 2; root-- > 0;) {
        sift(pins, root, count);
    }
    for (size_t end = count; end-- > 1;) {
        const tl_scheme_pin last = pins[end];
        pins[end] = pins[0];
        pins[0] = last;
        sift(pins, 0, end);
    }
    for (size_t i = 1; i < count; i++) {
        if (tl_hotkey_eq(&pins[i - 1].key, &pins[i].key)) {
            char address[TL_SS58_CAP];
            (void)tl_ss58_encode(address, &pins[i].key, TL_SS58_PREFIX_GENERIC);
            return tl_fail(ctx, TL_ERR_DUPLICATE, "the scheme of \"%s\" is given twice", address);
        }
    }
    return TL_OK;
}

static const tl_scheme *pinned(const tl_scheme_policy *policy, const tl_hotkey *key)
{
    size_t low = 0, high = policy->pins_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = tl_hotkey_cmp(&policy->pins[middle].key, key);
        if (order == 0) {
            return policy->pins[middle].scheme;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool is_allowed(const tl_scheme_policy *policy, const tl_scheme *scheme)
{
    for (size_t i = 0; i < policy->allowed_count; i++) {
        if (policy->allowed[i] == scheme) {
            return true;
        }
    }
    return policy->allowed == NULL;
}

tl_err tl_scheme_admit(const tl_scheme_policy *policy, const tl_hotkey *key,
                       const tl_scheme *scheme, tl_errctx *ctx)
{
    static const tl_scheme_policy open = {NULL, 0, NULL, 0};
    const tl_scheme_policy *rules = policy != NULL ? policy : &open;
    if (!is_allowed(rules, scheme)) {
        return tl_fail(ctx, TL_ERR_REFUSED, "signatures of scheme %s are not taken here",
                       scheme->name);
    }
    const tl_scheme *own = pinned(rules, key);
    if (own != NULL && own != scheme) {
        return tl_fail(ctx, TL_ERR_REFUSED, "this key signs by %s, not by %s", own->name,
                       scheme->name);
    }
    return TL_OK;
}
