/* Sets of definitions. */
#include <stdlib.h>
#include <string.h>

#include "sdk/api/api_internal.h"

static tl_err describe(tally_synapses *set, tl_errctx *ctx)
{
    for (size_t i = 0; i < set->defs.count; i++) {
        tl_sb sb;
        tl_str text = {NULL, 0};
        tl_sb_init(&sb, set->arena);
        tl_synapse_put_doc(&sb, set->defs.at[i]);
        TL_TRY(tl_sb_finish(&text, &sb, ctx));
        set->docs[i] = text.ptr;
        TL_TRY(tl_str_copy_cstr(&set->names[i], set->arena, set->defs.at[i]->model.name, ctx));
    }
    return TL_OK;
}

static tl_err make(tally_synapses **out, tl_arena *arena, const char *json, tl_errctx *ctx)
{
    tally_synapses *const set = TL_NEW(arena, tally_synapses, 1);
    tl_synapse_defs defs = {NULL, 0};
    if (set == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_synapse_echo_set(&defs, arena, ctx));
    if (json != NULL) {
        tl_str text = {NULL, 0};
        TL_TRY(tl_str_copy(&text, arena, tl_str_from_cstr(json), ctx));
        TL_TRY(tl_synapse_load(&defs, arena, defs, text, ctx));
    }
    set->arena = arena;
    set->defs = defs;
    set->names = TL_NEW(arena, const char *, defs.count);
    set->docs = TL_NEW(arena, const char *, defs.count);
    if (set->names == NULL || set->docs == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(describe(set, ctx));
    *out = set; /* API-2 */
    return TL_OK;
}

int tally_synapses_new(tally_synapses **out, const char *json, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = make(out, arena, json, &ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
    }
    return tl__api_error(err, &ctx, error);
}

void tally_synapses_free(tally_synapses *synapses)
{
    if (synapses != NULL) {
        tl_arena_free(synapses->arena); /* the set itself lies in it */
    }
}

size_t tally_synapses_count(const tally_synapses *synapses)
{
    return synapses->defs.count;
}

const char *tally_synapses_name(const tally_synapses *synapses, size_t index)
{
    TL_ASSERT(index < synapses->defs.count);
    return synapses->names[index];
}

const char *tally_synapses_doc(const tally_synapses *synapses, const char *name)
{
    for (size_t i = 0; i < synapses->defs.count; i++) {
        if (strcmp(synapses->names[i], name) == 0) {
            return synapses->docs[i];
        }
    }
    return NULL;
}
