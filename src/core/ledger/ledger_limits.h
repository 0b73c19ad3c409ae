/* ledger_limits: the ledger's maxima, each with its unit and reason. */
#ifndef TALLY_CORE_LEDGER_LIMITS_H
#define TALLY_CORE_LEDGER_LIMITS_H

#include <stdint.h>

/* rao in one posting and in issuance: 2^62, so that one sum of two never wraps. 21 million TAO are
 * 2.1e16 < 2^55. */
#define TL_LEDGER_AMOUNT_MAX ((int64_t)1 << 62)

/* rao; the least ante of a signal is 10 TAO (portfolio spec 1) */
#define TL_LEDGER_ANTE_MIN 10000000000

/* bytes of an epoch's id: "2024-Q1-W3" has 10, "2024-01-31T23-59-59" 19 */
#define TL_LEDGER_EPOCH_LEN_MAX 31

/* bytes of the text that says why; one line in a journal */
#define TL_LEDGER_TEXT_LEN_MAX 160

/* participants of one settlement; power-law weights of 2^48 each then sum below 2^64 */
#define TL_LEDGER_MINERS_MAX 65535

/* postings of one entry: an ante has at most 4, so a settlement of TL_LEDGER_MINERS_MAX fits */
#define TL_LEDGER_POSTINGS_MAX 262144

/* entries of one journal and accounts in it: indexes are 32 bit */
#define TL_LEDGER_ENTRIES_MAX  UINT32_MAX
#define TL_LEDGER_ACCOUNTS_MAX (1u << 30)

/* basis points; R + B <= T needs a rake of at most one half, since at most one half of T is burned
 * */
#define TL_LEDGER_RAKE_BP_MAX 5000
#define TL_LEDGER_FEE_BP_MAX  5000

/* exponents of the power law (portfolio spec 7) */
#define TL_LEDGER_GAMMA_MIN 1.0
#define TL_LEDGER_GAMMA_MAX 2.0

#endif
