/* near: which submissions of one zipcode are the same work.
 * For         telling a copy or a sybil from honesty: honest miners of one zipcode report the same houses
 * Takes       the listings of each miner, a piece at a time; then who the miners are
 * Gives       findings of rules copy and sybil, and of duplicates for one house listed twice under other words
 * Calls       core/listings/model, base        Called by   core/listings/shard, app/evaluate
 * Owns        nothing after return: sketches and findings live in the arena
 * Threads     one tl_near, one thread; integers only, so the bits do not depend on the build
 * Invariants  NEAR-1 the findings do not depend on the order in which entries are numbered or added
 *             NEAR-2 the first received of a group of alike submissions is never accused of copy or sybil
 *             NEAR-3 a listing costs at most TL_NEAR_SKETCH_LEN bytes until tl_near_finish
 *             NEAR-4 no loop is longer than a fixed multiple of listings plus miners
 * Read        sketch.c, then houses.c, marks.c, moments.c, weigh.c, pairs.c, then near.c
 *
 * What two honest miners share is the world: which houses there are and what they cost. It tells nothing, and plain
 * overlap is not looked at. What they do not share are their own marks: a house that this one missed, a price that this
 * one had stale, an optional value that it lost, the millisecond in which it read a row. A copy carries the marks of its
 * original along, and noise poured over them (prices and areas shaken, rows shuffled, dropped, added, addresses
 * respelled, times moved) removes only those that it hits.
 *
 *     house      miner A     B          C          D   …    marks
 *     12 OAK ST  500,000     500,000    500,000    500,000
 *     14 OAK ST  –           –          410,000    410,000  A, B: missed
 *     3 ELM AV   655,000     651,000    620,000    620,000  A, B: another price, and the same one (within 1.5 %)
 *
 * The score of a pair is a likelihood ratio in bits: for each mark of A, log2(s / p) where B has it too, log2(1 - s)
 * where not. s is the share of marks that survive, the best of 0.9, 0.5 and 0.2, or chance alone, for gaps, values and
 * times apart; both directions are tried: 7 bits are taken off for so much choice. p is the chance that an independent
 * miner has that mark: twice the share of such marks that the half of the miners which shares least was found to share
 * (cheats share theirs, and do not set the measure), at least what the others than A and B bear of this one, at least
 * 1 in 1,024. Whoever was found to belong together counts once, and all is weighed again. If p is right, an honest pair
 * reaches b bits with a chance of at most 2^-b, whatever the size of the submissions. Gaps give at most 24 bits in all, so
 * they convict nobody alone.
 *
 * Marks that honesty can explain are no marks: a price, status, date, text or gap that all who came later (or earlier)
 * share (the world changed in between), a difference that runs through more than a quarter of one's rows (a style, a source of one's own), a value
 * that more than a quarter of the miners have (a source of several), times that are whole seconds, evenly spaced, or many a
 * second. Order is not looked at: it is one choice, and two honest miners may sort alike.
 *
 * Who is the copy: nothing is visible before the deadline, so alike work has one author. Two: the later received is the
 * copy (ties by hotkey bytes). Three or more, or two of one coldkey: a sybil cluster, all but the first.
 */
#ifndef TALLY_CORE_LISTINGS_NEAR_H
#define TALLY_CORE_LISTINGS_NEAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/listings/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_NEAR_SKETCH_LEN ((size_t)104)      /* bytes a listing */
#define TL_NEAR_ROWS_MAX   ((size_t)20000000) /* listings of one zipcode: 2 GB of sketches */
#define TL_NEAR_BITS_MIN   24                 /* of a pair: below, nobody is accused */
#define TL_NEAR_BITS_SAME  12                 /* of a pair of one coldkey */
#define TL_NEAR_MARKS_MIN  4                  /* marks in common, at the least */
#define TL_NEAR_MINERS_MIN 5 /* fewer miners: no majority that a mark could differ from */

typedef struct tl_near tl_near;

/* tl_near_entry: whose listings they are; texts are borrowed for the call, but for the hotkeys, which findings name. */
typedef struct tl_near_entry {
    tl_str hotkey;
    tl_str coldkey; /* empty: unknown, nobody's */
    tl_hash32 content_hash;
    int64_t received_ms;
    uint32_t rows; /* of the submission; rates are shares of it */
} tl_near_entry;

/* tl_near_finding: what is said of one entry.
 * finding.count  copy, sybil: marks in common with the peer (rows, where the contents are equal); duplicates: rows that
 *                repeat an earlier one of the same submission
 * finding.rate_millionths  of the marks of the two, or of the rows
 * finding.indices  rows of the entry that bear the marks (those of houses that are missing have none), or repeat
 * bits           of the pair; UINT32_MAX where the contents are equal; 0 for duplicates */
typedef struct tl_near_finding {
    size_t entry;
    tl_finding finding;
    uint32_t bits;
} tl_near_finding;

/* tl_near_new: an empty set of sketches in the arena. params is borrowed until tl_near_finish. */
TL_MUST_USE tl_err tl_near_new(tl_near **out, tl_arena *arena, const tl_listings_params *params,
                               tl_errctx *ctx);

/* tl_near_add: listings of one entry; several calls for one entry are its pieces. Nothing of the listings is kept.
 * Errors: TL_ERR_LIMIT above TL_NEAR_ROWS_MAX or TL_ENTRIES_MAX; the arena's.
 * Cost:   some 150 ns a listing. */
TL_MUST_USE tl_err tl_near_add(tl_near *near, size_t entry, const tl_listing *listings,
                               size_t count, tl_errctx *ctx);

/* tl_near_sketch: what is kept of a listing, for those who meet the same one again and again. */
typedef struct tl_near_sketch {
    uint64_t words[TL_NEAR_SKETCH_LEN / 8];
    uint64_t content; /* of its texts, but for scraped_timestamp */
} tl_near_sketch;

/* tl_near_sketch_of: whatever the listing's index and scraped_timestamp are. */
void tl_near_sketch_of(tl_near_sketch *out, const tl_listing *listing);

/* tl_near_add_sketched: as tl_near_add of one listing. sketch: of the listing, or of one that is the same but for
 * index and scraped_timestamp. */
TL_MUST_USE tl_err tl_near_add_sketched(tl_near *near, size_t entry, const tl_near_sketch *sketch,
                                        const tl_listing *listing, tl_errctx *ctx);

/* tl_near_finish: the findings by entry, then rule; at most one a rule and entry; to be called once.
 *
 * entries  count of them; all that were added have an index below count (asserted)
 * out      in the arena; peers look into the entries' hotkeys
 * Cost:    near-linear in listings; some 250 ns a listing
 */
TL_MUST_USE tl_err tl_near_finish(tl_near *near, const tl_near_entry *entries, size_t count,
                                  tl_near_finding **out, size_t *out_count, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
