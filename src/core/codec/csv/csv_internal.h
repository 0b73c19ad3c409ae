/* What the reader's two files share. */
#ifndef TALLY_CORE_CODEC_CSV_INTERNAL_H
#define TALLY_CORE_CODEC_CSV_INTERNAL_H

#include "core/codec/csv/csv.h"

/* tl__csv_skip_line: past the end of the physical line that the reader is in; is there more? */
bool tl__csv_skip_line(tl_csv *csv);

#endif
