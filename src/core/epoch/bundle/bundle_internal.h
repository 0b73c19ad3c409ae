/* bundle_internal: what reading and verifying share. */
#ifndef TALLY_CORE_EPOCH_BUNDLE_INTERNAL_H
#define TALLY_CORE_EPOCH_BUNDLE_INTERNAL_H

#include "core/epoch/bundle/bundle.h"

void tl__bundle_hash_section(tl_hash32 *out, size_t section, tl_str text);
void tl__bundle_hash_whole(tl_hash32 *out, const tl_hash32 digest[TL_BUNDLE_SECTIONS]);

#endif
