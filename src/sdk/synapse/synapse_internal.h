/* synapse, inside the room: what define, check, parse and write share. */
#ifndef TALLY_SDK_SYNAPSE_INTERNAL_H
#define TALLY_SDK_SYNAPSE_INTERNAL_H

#include "sdk/synapse/synapse.h"

/* One figure of a terminal: where it lies, and what it is. */
typedef struct tl__terminal_figure {
    const char *name;
    size_t offset;      /* in tl_terminal */
    tl_value_kind kind; /* INT, FLOAT or STR */
} tl__terminal_figure;

enum { TL__TERMINAL_COUNT = 10 };

extern const tl__terminal_figure
    tl__terminal_figures[TL__TERMINAL_COUNT]; /* in the order of the wire */

static inline tl_value *tl__terminal_at(tl_terminal *terminal, size_t i)
{
    return (tl_value *)(void *)((char *)terminal + tl__terminal_figures[i].offset);
}

static inline const tl_value *tl__terminal_look(const tl_terminal *terminal, size_t i)
{
    return (const tl_value *)(const void *)((const char *)terminal +
                                            tl__terminal_figures[i].offset);
}

/* tl__synapse_is_own: is it the name of a figure that every message has (name, timeout, … computed_body_hash)? */
bool tl__synapse_is_own(tl_str name);

/* tl__synapse_check: in as a value of type, with the conversions of a lax model: "5" for an int, 1 for a bool (SYN-1).
 * Errors: TL_ERR_TYPE, TL_ERR_RANGE, TL_ERR_MISSING, TL_ERR_UNKNOWN, TL_ERR_LIMIT; the field is the path below it. */
TL_MUST_USE tl_err tl__synapse_check(tl_value *out, tl_arena *arena, const tl_synapse_type *type,
                                     const tl_value *in, tl_errctx *ctx);

/* tl__synapse_check_members: the values of a model's fields from a dict's members; keys in own (of every message) are
 * passed over when has_own. */
TL_MUST_USE tl_err tl__synapse_check_members(tl_value *values, tl_arena *arena,
                                             const tl_synapse_model *model, const tl_value *dict,
                                             bool has_own, tl_errctx *ctx);

/* tl__synapse_field_index: of that name, or model->field_count. */
size_t tl__synapse_field_index(const tl_synapse_model *model, tl_str name);

/* tl__synapse_read_type: a type from its text; models are the nested ones that may be named. */
TL_MUST_USE tl_err tl__synapse_read_type(tl_synapse_type *out, tl_arena *arena, tl_str text,
                                         const tl_synapse_model *models, size_t model_count,
                                         tl_errctx *ctx);

/* tl__synapse_read_versions: "1.2, 2.0". Majors ascend. TL_ERR_SYNTAX, TL_ERR_DUPLICATE, TL_ERR_LIMIT. */
enum { TL__VERSIONS_MAX = 16 };
TL_MUST_USE tl_err tl__synapse_read_versions(tl_synapse_version out[TL__VERSIONS_MAX],
                                             size_t *count, tl_str text, tl_errctx *ctx);

/* tl__synapse_header_size, _total_size: what CPython says of the dict of count headers, and of the model. */
int64_t tl__synapse_header_size(size_t count);
int64_t tl__synapse_total_size(const tl_synapse *synapse);

#endif
