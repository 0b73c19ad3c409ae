/* Attacks decoding and checking with anything: A, R, s and k as they come, and the one R that is right for them. What
 * decodes encodes to the same bytes, and every way of checking says what the plain sum says. */
#include <string.h>

#include "base/error/error.h"
#include "core/crypto/ristretto/point_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_all(const tl_ristretto_claim *claim, const tl_ristretto_table *table, bool want)
{
    enum { MANY = 5 };
    bool out[MANY];
    const tl_ristretto_claim many[MANY] = {*claim, *claim, *claim, *claim, *claim};
    TL_ASSERT(tl__check_portable(claim) == want); /* RIS-2 */
    TL_ASSERT(tl_ristretto_check(claim) == want);
    TL_ASSERT(tl__table_check_portable(table, claim) == want);
    TL_ASSERT(tl_ristretto_table_check(table, claim) == want);
    tl_ristretto_check_many(out, many, MANY);
    for (size_t i = 0; i < MANY; i++) {
        TL_ASSERT(out[i] == want);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t input[4][TL_RISTRETTO_LEN] = {{0}}; /* A, R, s, k */
    memcpy(input, data, len < sizeof input ? len : sizeof input);
    input[2][31] &= 0x1f; /* so that one in two is below L */
    input[3][31] &= 0x1f;
    tl_ristretto_claim claim = {.a = input[0], .r = input[1]};
    tl_ristretto a;
    tl_ristretto_table table;
    const bool is_element = tl_ristretto_decode(&a, input[0]);
    TL_ASSERT(tl_ristretto_table_make(&table, input[0]) == is_element);
    if (!tl_scalar_decode(&claim.s, input[2]) || !tl_scalar_decode(&claim.k, input[3])) {
        return 0;
    }
    if (!is_element) {
        TL_ASSERT(!tl_ristretto_check(&claim) && !tl__check_portable(&claim));
        return 0;
    }
    uint8_t again[TL_RISTRETTO_LEN];
    tl_ristretto_encode(again, &a);
    TL_ASSERT(memcmp(again, input[0], sizeof again) == 0); /* RIS-1 */
    tl_ristretto base;
    tl_ristretto sum;
    tl_ristretto_base(&base);
    tl_ristretto_mul(&base, &claim.s, &base);
    tl_ristretto_mul(&sum, &claim.k, &a);
    tl_ristretto_sub(&sum, &base, &sum);
    tl_ristretto_encode(again, &sum);
    check_all(&claim, &table, memcmp(again, input[1], sizeof again) == 0);
    claim.r = again;
    check_all(&claim, &table, true);
    return 0;
}
