/* api: what include/tally promises, done with what the rooms have.
 * For         programs outside this tree: opaque handles, C strings, plain numbers, no type of ours
 * Takes       what include/tally/….h says               Gives       the same
 * Calls       every room of sdk and below               Called by   programs that link libtally
 * Owns        what a handle names, until it is freed; each handle has an arena of its own
 * Threads     as each public header says
 * Invariants  API-1 what the public headers number is what base/error numbers
 *             API-2 a handle that was not made leaves out untouched
 * Read        error.c, then key.c, synapse.c, axon.c, call.c, dendrite.c, auth.c, weights.c
 *
 * The public names begin with tally_, ours with tl_: only the former are exported. A public struct of settings begins
 * with its size, so that one that grows still knows the programs that were built before.
 */
#ifndef TALLY_SDK_API_INTERNAL_H
#define TALLY_SDK_API_INTERNAL_H

#include <tally/tally.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "core/crypto/keypair/keypair.h"
#include "sdk/synapse/synapse.h"

struct tally_key {
    tl_keypair *pair;
    char address[TL_SS58_CAP];
};

struct tally_synapses {
    tl_arena *arena;
    tl_synapse_defs defs;
    const char **names;
    const char **docs;
};

/* tl__api_error: hands an error over; error may be NULL. Returns the code. */
int tl__api_error(tl_err err, const tl_errctx *ctx, tally_error *error);

/* tl__api_ctx: the other way: what a handler reported, as our context. */
void tl__api_ctx(tl_errctx *ctx, int code, const tally_error *error);

/* tl__api_fail: an error of this room's own. */
int tl__api_fail(tally_error *error, tl_err err, const char *field, const char *message);

/* tl__api_cstr: text in an arena with a NUL behind it; NULL without memory, or when text is NULL inside. */
const char *tl__api_cstr(tl_arena *arena, tl_str text);

/* tl__api_json: a value as JSON text in an arena; NULL without memory. */
const char *tl__api_json(tl_arena *arena, const tl_value *value);

#endif
