/* What the two files of the listings kinds share. Part of the conformance room. */
#ifndef TALLY_APP_CONFORMANCE_KIND_LISTINGS_H
#define TALLY_APP_CONFORMANCE_KIND_LISTINGS_H

#include "app/conformance/conformance.h"
#include "core/listings/compat/compat.h"

/* The member "code"; a double as {"f64": hex}; a list of texts; a count that may be null. */
TL_MUST_USE tl_err tl__listings_code(tl_compat_code *out, const tl_json *input, tl_errctx *ctx);
TL_MUST_USE tl_err tl__listings_f64(double *out, const tl_json *value, const char *field,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl__listings_texts(tl_str **out, size_t *count, tl_arena *arena,
                                      const tl_json *object, const char *key, tl_errctx *ctx);
TL_MUST_USE tl_err tl__listings_expected(bool *has_expected, int64_t *out, const tl_json *input,
                                         const char *key, tl_errctx *ctx);

void tl__listings_put_error(tl_json_writer *out, tl_py_error error);
void tl__listings_put_indices(tl_json_writer *out, const char *key, const uint64_t *indices,
                              uint32_t count);

#endif
