/* bundle: one epoch in one file that anyone can check.
 * For         publishing an epoch; verifying it years later on another machine
 * Takes       the four sections as canonical JSON     Gives   the file's bytes; a report of what does not hold
 * Calls       base/json, core/codec/canon, core/crypto/hash, core/epoch/road       Called by   app
 * Owns        nothing: everything lives in the arena passed in
 * Threads     pure functions, anywhere
 * Invariants  BUN-1 a file has one form: whoever reads it and writes it again gets the same bytes, or it is refused
 *             BUN-2 no byte of a file can change unnoticed: digests cover the sections, the form covers the rest
 *             BUN-3 verify believes no digest: it runs the epoch again and compares the results byte by byte
 *
 *   {"digests":{"bundle":…,"evidence":…,"inputs":…,"parameters":…,"results":…},"evidence":{…},"format":"tally-bundle/1",
 *    "inputs":{…},"parameters":{…},"results":{…},"signature":null}⏎
 *
 * A section's digest is SHA-256("tally/bundle/1/NAME" ‖ 0 ‖ its canonical bytes); the bundle's is SHA-256 over the tag
 * "tally/bundle/1" ‖ 0 and the four digests in the order evidence, inputs, parameters, results. The signature stands
 * outside: it is the publisher's over the bundle's digest, and null until publishers have keys.
 */
#ifndef TALLY_CORE_EPOCH_BUNDLE_H
#define TALLY_CORE_EPOCH_BUNDLE_H

#include "core/epoch/road/road.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_bundle_section {
    TL_BUNDLE_EVIDENCE,
    TL_BUNDLE_INPUTS,
    TL_BUNDLE_PARAMETERS,
    TL_BUNDLE_RESULTS,
    TL_BUNDLE_SECTIONS
} tl_bundle_section;

const char *tl_bundle_section_name(tl_bundle_section section);

/* tl_bundle: a file that was read; trees and texts live in its arena. */
typedef struct tl_bundle {
    const tl_json *tree[TL_BUNDLE_SECTIONS];
    tl_str text[TL_BUNDLE_SECTIONS];      /* canonical */
    tl_hash32 digest[TL_BUNDLE_SECTIONS]; /* as the file says */
    tl_hash32 whole;
} tl_bundle;

/* tl_bundle_publish: the bytes of a file from four canonical sections, digests computed. Borrowed for the call. */
TL_MUST_USE tl_err tl_bundle_publish(tl_str *out, tl_hash32 *digest, tl_arena *arena,
                                     const tl_str sections[TL_BUNDLE_SECTIONS], tl_errctx *ctx);

/* tl_bundle_read: the form of a file: JSON, exactly these members, canonical. Digests are read, not checked.
 * bytes must live as long as out.
 * Errors: TL_ERR_SYNTAX …, TL_ERR_MISSING, TL_ERR_UNKNOWN, TL_ERR_VERSION, TL_ERR_CANONICAL */
TL_MUST_USE tl_err tl_bundle_read(tl_bundle *out, tl_arena *arena, tl_str bytes, tl_errctx *ctx);

#define TL_BUNDLE_DIFFERS_MAX 20

/* tl_bundle_report: what does not hold. Paths look like "results.scoreboard[3].reward_rao", "digests.inputs". */
typedef struct tl_bundle_report {
    bool is_ok;
    tl_hash32 digest; /* computed over what the file says */
    const tl_str *differs;
    size_t differ_count;   /* at most TL_BUNDLE_DIFFERS_MAX are listed */
    tl_errctx replay;      /* code TL_OK, or why the epoch cannot be run again */
    tl_road_result result; /* of the replay, when it ran on the engine's road; else zeros */
} tl_bundle_report;

/* tl_bundle_verify: digests, then a full replay with the subnet that the parameters name (BUN-3), on the engine's road or
 * on the subnet's own.
 * subnets: count tables. Errors: TL_ERR_NOMEM, TL_ERR_LIMIT only; all else is in the report. */
TL_MUST_USE tl_err tl_bundle_verify(tl_bundle_report *out, tl_arena *arena, const tl_bundle *bundle,
                                    const tl_subnet *const *subnets, size_t subnet_count,
                                    tl_errctx *ctx);

/* tl_bundle_export: the sections and digests as one JSON object, canonical. */
TL_MUST_USE tl_err tl_bundle_export(tl_str *out, tl_arena *arena, const tl_bundle *bundle,
                                    tl_errctx *ctx);

/* tl_bundle_pack: such JSON back into a file; digests are computed over whatever it says, true or not.
 * Errors: as of JSON; TL_ERR_MISSING, TL_ERR_UNKNOWN, TL_ERR_TYPE */
TL_MUST_USE tl_err tl_bundle_pack(tl_str *out, tl_hash32 *digest, tl_arena *arena, tl_str json,
                                  tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
