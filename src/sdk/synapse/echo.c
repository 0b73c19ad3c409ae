/* The echo set: what connectivity and load tests need (cli spec, --echo). */
#include "sdk/synapse/synapse_internal.h"

static const tl_synapse_field_spec echo_fields[] = {
    {"a", "int", NULL, "How many times."},
    {"text", "str", "\"x\"", "What is repeated."},
    {"out", "str?", "null", "text repeated a times; empty for a below 1."},
};
static const char *const echo_hashed[] = {"a", "text"};

static const tl_synapse_field_spec slow_fields[] = {
    {"seconds", "float", "3.0", "How long the answer takes."},
    {"done", "bool", "false", "True in the answer."},
};
static const char *const slow_hashed[] = {"seconds"};

static const tl_synapse_field_spec stream_fields[] = {
    {"a", "int", "3", "How many chunks, at most 1000."},
    {"text", "str", "\"x\"", "Each chunk."},
};

static const tl_synapse_field_spec boom_fields[] = {
    {"a", "int", "1", "Nothing comes of it."},
};

static const tl_synapse_spec specs[] = {
    {.name = "Echo",
     .doc = "Repeats a text.",
     .fields = echo_fields,
     .field_count = 3,
     .hashed = echo_hashed,
     .hashed_count = 2},
    {.name = "Slow",
     .doc = "Answers late.",
     .fields = slow_fields,
     .field_count = 2,
     .hashed = slow_hashed,
     .hashed_count = 1},
    {.name = "Stream",
     .doc = "Answers with chunks, 10 ms apart.",
     .fields = stream_fields,
     .field_count = 2,
     .is_streaming = true},
    {.name = "Boom", .doc = "Its handler fails.", .fields = boom_fields, .field_count = 1},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

tl_err tl_synapse_echo_set(tl_synapse_defs *out, tl_arena *arena, tl_errctx *ctx)
{
    const tl_synapse_def **const defs = TL_NEW(arena, const tl_synapse_def *, SPEC_COUNT + 1);
    if (defs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    defs[0] = tl_synapse_base();
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        TL_TRY(tl_synapse_define(&defs[i + 1], arena, &specs[i], ctx));
    }
    *out = (tl_synapse_defs){defs, SPEC_COUNT + 1};
    return TL_OK;
}
