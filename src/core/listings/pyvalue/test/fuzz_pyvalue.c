/* Attacks every reader of a text with anything. What one reader says must fit what another says of the same text, and
 * what is refused leaves its output alone. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/listings/pyvalue/pyvalue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void attack_numbers(tl_str text)
{
    const tl_py_value value = {.kind = TL_PY_STR, .text = text};
    double number = 77;
    int64_t whole = 77;
    const tl_py_error as_float = tl_py_float(&number, value);
    const tl_py_error as_int = tl_py_int(&whole, value);
    TL_ASSERT(as_float != TL_PY_OK ? as_float == TL_PY_ValueError && number == 77
                                   : true); /* PY-1 */
    TL_ASSERT(as_int != TL_PY_OK ? as_int == TL_PY_ValueError && whole == 77 : true);
    if (as_int ==
        TL_PY_OK) { /* an integer is a float too, and the same one while a double holds it */
        TL_ASSERT(as_float == TL_PY_OK);
        const int64_t exact = INT64_C(1) << 53;
        TL_ASSERT(whole <= -exact || whole >= exact || (double)whole == number);
    }
    if (as_float == TL_PY_OK && number == number) { /* its own text reads back */
        char buffer[TL_F64_TEXT_CAP];
        const tl_str own = {buffer, tl_f64_print(buffer, number)};
        double again = 0;
        const tl_py_value printed = {.kind = TL_PY_STR, .text = own};
        TL_ASSERT(tl_py_float(&again, printed) == TL_PY_OK && memcmp(&again, &number, 8) == 0);
    }
    const tl_py_value json = tl_py_of_number(text);
    (void)tl_py_float(&number, json);
    (void)tl_py_int(&whole, json);
    (void)tl_py_truth(json);
}

static void attack_times(tl_str text)
{
    tl_py_time plain = {77, 77, true};
    tl_py_time replaced = plain;
    const bool is_plain = tl_py_fromisoformat(&plain, text);
    const bool is_replaced = tl_py_fromisoformat_z(&replaced, text);
    TL_ASSERT(is_plain || plain.utc_us == 77); /* PY-1 */
    if (tl_str_find(text, 'Z') == text.len) {
        TL_ASSERT(is_plain == is_replaced && plain.utc_us == replaced.utc_us &&
                  plain.zone_us == replaced.zone_us && plain.has_zone == replaced.has_zone);
    }
    TL_ASSERT(plain.zone_us < TL_PY_DAY_US && plain.zone_us > -TL_PY_DAY_US); /* PY-2 */
    TL_ASSERT(plain.has_zone || plain.zone_us == 0);
}

static void attack_text(tl_str text)
{
    const tl_str inner = tl_py_strip(text);
    TL_ASSERT(inner.len <= text.len && tl_py_strip(inner).len == inner.len);
    TL_ASSERT((inner.len == 0) == tl_py_is_blank((tl_py_value){.kind = TL_PY_STR, .text = text}));
    char piece[TL_PY_LOWER_CAP];
    size_t at = 0;
    for (size_t before = 0; tl_py_lower_next(piece, text, &at) != 0; before = at) {
        TL_ASSERT(at > before && at <= text.len);
    }
    TL_ASSERT(at == text.len);
    tl_str zipcode = {NULL, 0};
    if (tl_py_find_zipcode(&zipcode, text)) {
        int64_t number;
        const tl_py_value value = {.kind = TL_PY_STR, .text = zipcode};
        TL_ASSERT(zipcode.len >= 5 && tl_py_int(&number, value) == TL_PY_OK && number <= 99999);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const tl_str text = {(const char *)data, len};
    attack_numbers(text);
    attack_times(text);
    attack_text(text);
    return 0;
}
