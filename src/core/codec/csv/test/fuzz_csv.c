/* Attacks the reader with anything: the first byte chooses the options. Whatever is accepted is written again, and the
 * new text must be read as the same table. */
#include <float.h>
#include <stddef.h>
#include <stdint.h>

#include "core/codec/csv/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ROWS_MAX 1000

/* Writes what a reader gives, a row a line; false when the text is refused. */
static bool copy_table(tl_str *out, tl_arena *arena, tl_str text, const tl_csv_options *options)
{
    tl_csv csv;
    tl_sb sb;
    bool has_row = true;
    tl_sb_init(&sb, arena);
    if (tl_csv_init(&csv, arena, text, options, NULL) != TL_OK) {
        return false;
    }
    const char separator = options->separator;
    for (size_t i = 0; !options->has_no_header && i < csv.column_count; i++) {
        if (i != 0) {
            tl_sb_put_char(&sb, separator);
        }
        tl_csv_put(&sb, tl_csv_name(&csv, i), separator);
    }
    if (!options->has_no_header) {
        tl_sb_put_char(&sb, '\n');
    }
    for (size_t rows = 0; rows < ROWS_MAX; rows++) {
        const tl_err err = tl_csv_next(&csv, &has_row, NULL);
        if (err != TL_OK) {
            TL_ASSERT(tl_csv_next(&csv, &has_row, NULL) == TL_ERR_STATE); /* CSV-2 */
            return false;
        }
        if (!has_row) {
            break;
        }
        TL_ASSERT(csv.row_index == rows && csv.line >= 1);
        for (size_t i = 0; i < csv.column_count; i++) {
            double number = 0.0;
            const tl_err got = tl_csv_f64(&number, &csv, i, NULL);
            TL_ASSERT(got != TL_OK || (number >= -DBL_MAX && number <= DBL_MAX));
            if (i != 0) {
                tl_sb_put_char(&sb, separator);
            }
            tl_csv_put(&sb, tl_csv_field(&csv, i), separator);
        }
        tl_sb_put_char(&sb, '\n');
    }
    return tl_sb_finish(out, &sb, NULL) == TL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_csv_options options = {.separator = (data[0] & 1) != 0 ? ';' : ',',
                              .comment = (data[0] & 2) != 0 ? '#' : '\0',
                              .has_no_header = (data[0] & 4) != 0};
    options.header_has = (data[0] & 12) == 8 ? "date" : NULL;
    const tl_str text = {(const char *)data + 1, len - 1};
    tl_str first;
    tl_str second;
    if (copy_table(&first, arena, text, &options)) {
        TL_ASSERT(copy_table(&second, arena, first, &options));
        TL_ASSERT(tl_str_eq(first, second));
    }
    tl_arena_free(arena);
    return 0;
}
