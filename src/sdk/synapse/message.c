/* A message in hand: made with its defaults, filled field by field, hashed. */
#include <stddef.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "sdk/synapse/synapse_internal.h"

#define FIGURE(name, kind)                                                                         \
    {                                                                                              \
#        name, offsetof(tl_terminal, name), TL_VALUE_##kind                                        \
    }

const tl__terminal_figure tl__terminal_figures[TL__TERMINAL_COUNT] = {
    FIGURE(status_code, INT), FIGURE(status_message, STR), FIGURE(process_time, FLOAT),
    FIGURE(ip, STR),          FIGURE(port, INT),           FIGURE(version, INT),
    FIGURE(nonce, INT),       FIGURE(uuid, STR),           FIGURE(hotkey, STR),
    FIGURE(signature, STR),
};

_Static_assert(sizeof(tl_terminal) == TL__TERMINAL_COUNT * sizeof(tl_value),
               "a figure that the table lacks would not be sent");

tl_err tl_synapse_new(tl_synapse **out, tl_arena *arena, const tl_synapse_def *def, tl_errctx *ctx)
{
    tl_synapse *const synapse = TL_NEW(arena, tl_synapse, 1);
    tl_value *const fields = TL_NEW(arena, tl_value, def->model.field_count);
    if (synapse == NULL || fields == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < def->model.field_count; i++) {
        fields[i] = def->model.fields[i].value;
    }
    synapse->def = def;
    synapse->timeout = tl_value_from_f64(TL_SYNAPSE_TIMEOUT_S);
    synapse->total_size = tl_value_from_i64(0);
    synapse->header_size = tl_value_from_i64(0);
    synapse->computed_body_hash = tl_value_from_str(TL_STR(""));
    synapse->fields = fields;
    *out = synapse;
    return TL_OK;
}

const tl_value *tl_synapse_field_get(const tl_synapse *synapse, tl_str name)
{
    const size_t i = tl__synapse_field_index(&synapse->def->model, name);
    return i < synapse->def->model.field_count ? &synapse->fields[i] : NULL;
}

tl_err tl_synapse_set(tl_synapse *synapse, tl_arena *arena, tl_str name, const tl_value *value,
                      tl_errctx *ctx)
{
    const tl_synapse_model *const model = &synapse->def->model;
    const size_t i = tl__synapse_field_index(model, name);
    const tl_str shown = tl_str_slice(name, 0, 64);
    tl_err err = TL_OK;
    if (i == model->field_count) {
        err = tl_fail(ctx, TL_ERR_UNKNOWN, "\"%.*s\" has no field of that name",
                      TL_STR_ARG(model->name));
    } else {
        err = tl__synapse_check(&synapse->fields[i], arena, &model->fields[i].type, value, ctx);
    }
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%.*s", TL_STR_ARG(shown));
    }
    return err;
}

tl_err tl_synapse_assign(tl_synapse *synapse, tl_arena *arena, tl_str json, tl_errctx *ctx)
{
    tl_value input = tl_value_none();
    TL_TRY(tl_value_parse(&input, arena, json, NULL, ctx));
    if (input.kind != TL_VALUE_DICT) {
        return tl_fail(ctx, TL_ERR_TYPE, "an object of fields is expected, found %s",
                       tl_value_type_name(&input));
    }
    for (uint32_t i = 0; i < input.count; i++) {
        TL_TRY(tl_synapse_set(synapse, arena, input.members[i].key, &input.members[i].value, ctx));
    }
    const tl_synapse_model *const model = &synapse->def->model;
    for (size_t i = 0; i < model->field_count; i++) {
        const tl_synapse_field *const field = &model->fields[i];
        const bool may_be_none = field->type.is_optional || field->type.kind == TL_SYNAPSE_ANY;
        const bool is_given = synapse->fields[i].kind != TL_VALUE_NONE ||
                              (may_be_none && tl_value_get(&input, field->name) != NULL);
        if (field->is_required && !is_given) {
            const tl_err err = tl_fail(ctx, TL_ERR_MISSING, "a required field is missing");
            tl_errctx_under(ctx, "%.*s", TL_STR_ARG(field->name));
            return err;
        }
    }
    return TL_OK;
}

/* H(x): the 64 hex digits of SHA3-256. */
static void put_hash(char out[TL_SYNAPSE_HASH_CAP], tl_str text)
{
    tl_hash32 digest;
    tl_sha3_256(&digest, text.ptr, text.len);
    tl_hex_write(out, digest.b, sizeof digest.b);
}

/* H( H(str(v1)) + H(str(v2)) + … ), in the order of the hash list (SYN-2); H of nothing when it is empty. */
tl_err tl_synapse_body_hash(char out[TL_SYNAPSE_HASH_CAP], const tl_synapse *synapse,
                            tl_arena *scratch, tl_errctx *ctx)
{
    const tl_synapse_def *const def = synapse->def;
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_keccak_state all;
    tl_keccak_init(&all);
    tl_err err = TL_OK;
    for (size_t i = 0; i < def->hashed_count && err == TL_OK; i++) {
        TL_ASSERT(def->hashed[i] < def->model.field_count); /* SYN-2 */
        const tl_value *const value = &synapse->fields[def->hashed[i]];
        char one[TL_SYNAPSE_HASH_CAP];
        tl_str text = {NULL, 0};
        if (value->kind == TL_VALUE_STR) {
            text = value->text;
        } else {
            tl_sb sb;
            tl_sb_init(&sb, scratch);
            tl_value_put_str(&sb, value);
            err = tl_sb_finish(&text, &sb, ctx);
        }
        if (err == TL_OK) {
            put_hash(one, text);
            tl_keccak_update(&all, one, TL_SYNAPSE_HASH_CAP - 1);
        }
        tl_arena_rewind(scratch, mark);
    }
    if (err == TL_OK) {
        tl_hash32 digest;
        tl_sha3_256_final(&all, &digest);
        tl_hex_write(out, digest.b, sizeof digest.b);
    }
    return err;
}
