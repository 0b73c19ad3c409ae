/* weights: what validators do to weights before they go to the chain, and how an endpoint stands there.
 * For         validators that must set the same weights as the SDK would, to the last bit
 * Takes       weights as floats, uids                  Gives   normalised rows, 16-bit values, commit hashes, endpoints
 * Calls       base, core/codec, core/crypto, sdk/value
 * Called by   validators, sdk/axon (serve-info), app/cli
 * Owns        nothing
 * Threads     pure functions, anywhere
 * Invariants  WGT-1 sums of floats are NumPy's: eight lanes in blocks of 128, halves above
 *             WGT-2 values that split a whole add up to 65535
 *             WGT-3 a refused input leaves the outputs untouched
 * Read        normalize.c, then process.c, emit.c, endpoint.c
 *
 * (Wire spec sections 6 and 7.5.)  The SDK computes in float32 with NumPy 2's promotion: a Python float beside a
 * float32 becomes a float32, a NumPy float64 does not. So one function mixes the two widths, and so do we. Every single
 * operation is done in double and rounded to float where the SDK has float32: for + - * / that is the same float, since
 * 53 bits are more than twice 24 and two.
 */
#ifndef TALLY_SDK_WEIGHTS_H
#define TALLY_SDK_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_WEIGHTS_COUNT_MAX 65536 /* uids are 16 bits wide */

/* tl_weights_normalize: normalize_max_weight. The weights divided by their sum, none above limit of the whole: what is
 * above is cut, and the rest shares it. All equal when the sum is 0 or the limit is too low for count of them.
 *
 * out     count floats; may be weights
 * weights count of them, finite, at least 0 (TL_ERR_RANGE)
 * limit   above 0, at most 1 (TL_ERR_RANGE)
 * Cost:   a sort; scratch is rewound
 */
TL_MUST_USE tl_err tl_weights_normalize(float *out, const float *weights, size_t count,
                                        double limit, tl_arena *scratch, tl_errctx *ctx);

/* tl_weights_set: weights of some uids, each list with count entries. */
typedef struct tl_weights_set {
    uint16_t *uids;
    double *weights; /* float32 values, but where the SDK itself answers with float64 */
    size_t count;
} tl_weights_set;

/* tl_weights_rules: of a subnet. */
typedef struct tl_weights_rules {
    size_t neuron_count;       /* 1 … TL_WEIGHTS_COUNT_MAX */
    size_t allowed_min;        /* fewest weights above 0 */
    double weight_max;         /* highest share of one */
    uint16_t exclude_quantile; /* of 65535: the lowest that are left out */
} tl_weights_rules;

/* tl_weights_process: process_weights; the result lives in arena. TL_ERR_RANGE for a uid that is no index of the
 * neurons (where it is used as one), for weights and limits as above. */
TL_MUST_USE tl_err tl_weights_process(tl_weights_set *out, tl_arena *arena, const uint16_t *uids,
                                      const float *weights, size_t count,
                                      const tl_weights_rules *rules, tl_errctx *ctx);

/* tl_weights_emit: convert_weights_and_uids_for_emit: scaled so that the largest is 65535, rounded half to even, zeros
 * dropped. *out_count may be 0.
 *
 * out_uids, out_values  room for count of each; may be nobody else's
 * Errors: TL_ERR_RANGE names uids or weights: a negative or infinite one, a uid above 65535; TL_ERR_MISSING for none.
 */
TL_MUST_USE tl_err tl_weights_emit(uint16_t *out_uids, uint16_t *out_values, size_t *out_count,
                                   const int64_t *uids, const float *weights, size_t count,
                                   tl_errctx *ctx);

/* tl_weights_split: convert_maybe_split_to_u16: shares of 65535, the rounding rest on the largest, the first of equal
 * ones (WGT-2). TL_ERR_RANGE for a negative or infinite part, a sum of 0, or a rest beyond the largest. */
TL_MUST_USE tl_err tl_weights_split(uint16_t *out, const double *parts, size_t count,
                                    tl_arena *scratch, tl_errctx *ctx);

/* tl_weights_row: convert_weight_uids_and_vals_to_tensor: a row of row_count floats, values at their uids, divided by
 * the sum if that is above 0. TL_ERR_RANGE for a uid beyond the row. */
TL_MUST_USE tl_err tl_weights_row(float *out, size_t row_count, const uint16_t *uids,
                                  const uint16_t *values, size_t count, tl_arena *scratch,
                                  tl_errctx *ctx);

/* tl_weights_root_row: the same for root weights: a uid's place is its index in subnets; a uid that is none is left
 * out. subnet_count floats. */
TL_MUST_USE tl_err tl_weights_root_row(float *out, const uint16_t *subnets, size_t subnet_count,
                                       const uint16_t *uids, const uint16_t *values, size_t count,
                                       tl_arena *scratch, tl_errctx *ctx);

/* tl_weights_bonds: convert_bond_uids_and_vals_to_tensor: a row of integers, not normalised. */
TL_MUST_USE tl_err tl_weights_bonds(int64_t *out, size_t row_count, const uint16_t *uids,
                                    const uint16_t *bonds, size_t count, tl_errctx *ctx);

/* tl_weights_commit: what a commit of weights is hashed from, and its hash: hotkey, storage index, uids, values, salt,
 * version key (SCALE, little-endian). */
typedef struct tl_weights_commit {
    tl_hotkey hotkey;
    uint16_t storage_index; /* tl_weights_storage_index */
    const uint16_t *uids;
    const uint16_t *values;
    size_t count;
    const uint16_t *salt;
    size_t salt_count;
    uint64_t version_key;
} tl_weights_commit;

TL_MUST_USE tl_err tl_weights_commit_hash(tl_hash32 *out, const tl_weights_commit *commit,
                                          tl_arena *scratch, tl_errctx *ctx);

/* tl_weights_storage_index: mechid * 4096 + netuid. TL_ERR_RANGE when that is above 65535, or netuid above 4095. */
TL_MUST_USE tl_err tl_weights_storage_index(uint16_t *out, uint32_t mechid, uint32_t netuid,
                                            tl_errctx *ctx);

/* --- an endpoint, as it stands on the chain --- */

#define TL_IP_CAP        46 /* of an address's text, with the NUL */
#define TL_AXON_TEXT_CAP 64 /* of "/ipv6/…:65535" */
#define TL_AXON_PROTOCOL 4

/* tl_ip: an address as the chain's integer: 16 bytes, most significant first; below 2^32 it is an IPv4 address. */
typedef struct tl_ip {
    uint8_t b[16];
} tl_ip;

/* tl_ip_parse: TL_ERR_SYNTAX when text is neither an IPv4 nor an IPv6 address (no brackets, no zone). An IPv6 address
 * below 2^32 cannot be told from an IPv4 one on the chain: TL_ERR_RANGE. */
TL_MUST_USE tl_err tl_ip_parse(tl_ip *out, tl_str text, tl_errctx *ctx);

/* tl_ip_from_decimal, tl_ip_put_decimal: the integer in decimal digits, as JSON of the chain has it. */
TL_MUST_USE tl_err tl_ip_from_decimal(tl_ip *out, tl_str text, tl_errctx *ctx);
void tl_ip_put_decimal(tl_sb *sb, const tl_ip *ip);

/* tl_ip_print: the address as text; returns its length. tl_ip_version: 4 or 6. */
size_t tl_ip_print(char out[TL_IP_CAP], const tl_ip *ip);
int tl_ip_version(const tl_ip *ip);

/* tl_axon_info: an endpoint and whose it is. Texts are borrowed or in an arena. */
typedef struct tl_axon_info {
    uint32_t version; /* tl_version_as_int */
    tl_str ip;
    uint16_t port;
    uint8_t ip_type; /* 4 or 6 */
    tl_str hotkey;   /* SS58 */
    tl_str coldkey;
    uint8_t protocol;
    uint8_t placeholder1;
    uint8_t placeholder2;
} tl_axon_info;

/* tl_axon_info_is_serving: is its address another than 0.0.0.0? */
bool tl_axon_info_is_serving(const tl_axon_info *info);

/* tl_axon_info_put_text: "/ipv4/1.2.3.4:8091", an IPv6 address without brackets. */
void tl_axon_info_put_text(tl_sb *sb, const tl_axon_info *info);

/* tl_axon_info_put_json: the nine fields as the SDK's to_string. */
void tl_axon_info_put_json(tl_sb *sb, const tl_axon_info *info);

/* tl_axon_info_from_json: text of that form; protocol and placeholders may be left out. Where the SDK answers an
 * unreadable text with an empty endpoint we return the error. TL_ERR_UNKNOWN, TL_ERR_MISSING, TL_ERR_TYPE name the
 * field. */
TL_MUST_USE tl_err tl_axon_info_from_json(tl_axon_info *out, tl_arena *arena, tl_str json,
                                          tl_errctx *ctx);

/* tl_version_as_int: "10.2.0" is 10002000; what follows the third number (rc1, .dev0) is cut. TL_ERR_SYNTAX, and
 * TL_ERR_RANGE for a minor or patch above 999 or a result beyond 31 bits. */
TL_MUST_USE tl_err tl_version_as_int(uint32_t *out, tl_str version, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
