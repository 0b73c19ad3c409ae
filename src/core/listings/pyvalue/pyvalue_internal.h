/* What the sources of pyvalue share: the tables of Unicode, and reading one character. */
#ifndef TALLY_CORE_LISTINGS_PYVALUE_INTERNAL_H
#define TALLY_CORE_LISTINGS_PYVALUE_INTERNAL_H

#include "core/listings/pyvalue/pyvalue.h"

extern const uint32_t tl__py_printable[];
extern const size_t tl__py_printable_count;
extern const uint32_t tl__py_word[];
extern const size_t tl__py_word_count;
extern const uint32_t tl__py_ignored[];
extern const size_t tl__py_ignored_count;
extern const uint32_t tl__py_cased[];
extern const size_t tl__py_cased_count;
extern const uint32_t tl__py_zeros[];
extern const size_t tl__py_zero_count;

typedef struct tl__py_lower_run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t difference;
} tl__py_lower_run;

extern const tl__py_lower_run tl__py_lower[];
extern const size_t tl__py_lower_count;

/* tl__py_next: the character at *at, which moves behind it; a byte that is no UTF-8 is 0xfffd. *at below text.len. */
uint32_t tl__py_next(tl_str text, size_t *at);

#endif
