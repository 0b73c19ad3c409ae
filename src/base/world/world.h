/* world: clock and entropy as arguments.
 * For         code that must not ask the machine what time it is, or for luck
 * Takes       whoever made the interface       Gives       nanoseconds, random bytes
 * Calls       the functions in the interface   Called by   log, core/epoch, io, app
 * Owns        nothing: an interface is two words, copied freely; what self points at belongs to its maker
 * Threads     as the maker says: io/sys's from anywhere, the manual ones here from one thread
 * Invariants  WORLD-1 a manual clock moves only when it is told to, and its steady time never goes back
 *             WORLD-2 a seeded entropy gives the same bytes for the same seed, on every machine
 */
#ifndef TALLY_BASE_WORLD_H
#define TALLY_BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_clock: two times. wall_ns may jump when someone sets the clock; steady_ns never goes back, and only differences of
 * it mean something. */
typedef struct tl_clock {
    void *self;
    int64_t (*wall_ns)(void *self);   /* since 1970-01-01 UTC, without leap seconds */
    int64_t (*steady_ns)(void *self); /* since some moment */
} tl_clock;

int64_t tl_clock_wall_ns(const tl_clock *clock);
int64_t tl_clock_steady_ns(const tl_clock *clock);

/* tl_entropy: random bytes that nobody can guess (or, in tests and the demo, that everybody can repeat). */
typedef struct tl_entropy {
    void *self;
    tl_err (*fill)(void *self, void *out, size_t len, tl_errctx *ctx);
} tl_entropy;

TL_MUST_USE tl_err tl_entropy_fill(const tl_entropy *entropy, void *out, size_t len,
                                   tl_errctx *ctx);

/* --- worlds that a test or a simulator owns --- */

typedef struct tl_manual_clock {
    int64_t wall_ns;
    int64_t steady_ns;
} tl_manual_clock;

/* tl_manual_clock_start: at that wall time; steady time begins at 0. The interface borrows the storage. */
tl_clock tl_manual_clock_start(tl_manual_clock *clock, int64_t wall_ns);

/* tl_manual_clock_step: both times go on by that many nanoseconds, 0 or more (asserted). */
void tl_manual_clock_step(tl_manual_clock *clock, int64_t by_ns);

typedef struct tl_seeded_entropy {
    uint64_t state;
} tl_seeded_entropy;

/* tl_seeded_entropy_start: SplitMix64 from a seed, its words little-endian. Not for secrets. */
tl_entropy tl_seeded_entropy_start(tl_seeded_entropy *entropy, uint64_t seed);

/* tl_time_text: a wall time as "2009-02-13T23:31:30.000Z", in UTC; years 1970 to 9999, else cut to their ends. */
#define TL_TIME_TEXT_CAP 32
void tl_time_text(char out[TL_TIME_TEXT_CAP], int64_t wall_ns);

#ifdef __cplusplus
}
#endif

#endif
