/* reference: the epoch of chain spec 1.4 to 1.6 once more, slow and obvious: dense matrices, 128-bit integers, no
 * reciprocals, the median by trying every score. It shares no code with the room. For small n, without commit masks. */
#ifndef TALLY_CORE_CONSENSUS_YUMA_REFERENCE_H
#define TALLY_CORE_CONSENSUS_YUMA_REFERENCE_H

#include "core/consensus/yuma/yuma.h"

#define REF_N_MAX 12

/* One row in its stored order, and all cells by uid. */
typedef struct ref_row {
    int count;
    int uid[REF_N_MAX];
    bool has[REF_N_MAX];
    int64_t cell[REF_N_MAX];
} ref_row;

typedef struct ref_result {
    bool permit[REF_N_MAX];
    int64_t stake[REF_N_MAX];
    int64_t active[REF_N_MAX];
    int64_t consensus[REF_N_MAX];
    int64_t trust[REF_N_MAX];
    int64_t ranks[REF_N_MAX];
    int64_t incentive[REF_N_MAX];
    int64_t dividends[REF_N_MAX];
    uint64_t server[REF_N_MAX];
    uint64_t validator[REF_N_MAX];
    uint64_t combined[REF_N_MAX];
    ref_row bonds[REF_N_MAX]; /* cells are u16 */
} ref_result;

void ref_epoch(ref_result *out, const tl_yuma_input *in);

#endif
