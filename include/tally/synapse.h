/**
 * @file
 * Definitions of messages: which fields a synapse has, their types and defaults, and what its body hash covers.
 *
 * A set is only read once it is made: any number of threads may use it, one frees it.
 */
#ifndef TALLY_SYNAPSE_H
#define TALLY_SYNAPSE_H

#include <tally/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A set of definitions. */
typedef struct tally_synapses tally_synapses;

/** The echo set (Synapse, Echo, Slow, Stream, Boom), and the definitions of a file.
 * @param out freed by tally_synapses_free()
 * @param json what docs/synapse-file.md describes; NULL for the echo set alone
 * @param error may be NULL
 * @return 0 or a code; the error's field says which definition */
TALLY_API int tally_synapses_new(tally_synapses **out, const char *json, tally_error *error);

/** Frees a set that no axon, dendrite or reply uses any more.
 * @param synapses NULL is fine */
TALLY_API void tally_synapses_free(tally_synapses *synapses);

/** How many definitions there are.
 * @param synapses the set
 * @return at least 5 */
TALLY_API size_t tally_synapses_count(const tally_synapses *synapses);

/** The name of one.
 * @param synapses the set
 * @param index below the count
 * @return lives as long as the set */
TALLY_API const char *tally_synapses_name(const tally_synapses *synapses, size_t index);

/** A definition as text for people: fields, types, defaults, what is hashed.
 * @param synapses the set
 * @param name case counts
 * @return lives as long as the set; NULL when there is none of that name */
TALLY_API const char *tally_synapses_doc(const tally_synapses *synapses, const char *name);

#ifdef __cplusplus
}
#endif

#endif
