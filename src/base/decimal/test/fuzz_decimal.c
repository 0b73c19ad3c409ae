/* Attacks the number grammar with anything, and the printer with any bits: what is accepted prints, and reads back as
 * the same double; the first eight bytes as a double do too. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal/decimal.h"
#include "base/error/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    char text[TL_F64_TEXT_CAP];
    const size_t text_len = tl_f64_print(text, value);
    TL_ASSERT(text_len < sizeof text && text[text_len] == '\0');
    double again;
    if ((bits >> 52 & 0x7FF) == 0x7FF) {
        TL_ASSERT(!tl_f64_parse(&again, (tl_str){text, text_len}));
        return;
    }
    TL_ASSERT(tl_f64_parse(&again, (tl_str){text, text_len}));
    TL_ASSERT(memcmp(&again, &value, sizeof value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    double value;
    if (tl_f64_parse(&value, (tl_str){(const char *)data, len})) {
        check(value);
    }
    if (len >= sizeof value) {
        memcpy(&value, data, sizeof value);
        check(value);
    }
    return 0;
}
