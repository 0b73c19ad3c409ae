/* A definition as text for people. */
#include "sdk/synapse/synapse_internal.h"

static void put_field(tl_sb *sb, const tl_synapse_field *field, int widest)
{
    tl_sb_printf(sb, "    %-*.*s  %.*s", widest, TL_STR_ARG(field->name),
                 TL_STR_ARG(field->type_text));
    if (field->is_required) {
        tl_sb_put_cstr(sb, ", required");
    } else {
        tl_sb_put_cstr(sb, ", default ");
        tl_value_put_json(sb, &field->value, TL_VALUE_REQUEST);
    }
    if (field->doc.len != 0) {
        tl_sb_printf(sb, "    %.*s", TL_STR_ARG(field->doc));
    }
    tl_sb_put_char(sb, '\n');
}

/* A value that a required field of this type could have. */
static const char *example_of(tl_synapse_kind kind)
{
    switch (kind) {
    case TL_SYNAPSE_ANY:
        return "null";
    case TL_SYNAPSE_BOOL:
        return "false";
    case TL_SYNAPSE_INT:
        return "1";
    case TL_SYNAPSE_FLOAT:
        return "0.5";
    case TL_SYNAPSE_STR:
        return "\"text\"";
    case TL_SYNAPSE_LIST:
    case TL_SYNAPSE_TUPLE:
        return "[]";
    case TL_SYNAPSE_DICT:
    case TL_SYNAPSE_TENSOR:
    case TL_SYNAPSE_MODEL:
        return "{}";
    }
    return "null";
}

static void put_example(tl_sb *sb, const tl_synapse_model *model)
{
    tl_sb_put_cstr(sb, "Input   {");
    bool is_first = true;
    for (size_t i = 0; i < model->field_count; i++) {
        if (model->fields[i].is_required) {
            tl_sb_printf(sb, "%s\"%.*s\": %s", is_first ? "" : ", ",
                         TL_STR_ARG(model->fields[i].name), example_of(model->fields[i].type.kind));
            is_first = false;
        }
    }
    tl_sb_put_cstr(sb, "}\n");
}

void tl_synapse_put_doc(tl_sb *sb, const tl_synapse_def *def)
{
    const tl_synapse_model *const model = &def->model;
    int widest = 0;
    for (size_t i = 0; i < model->field_count; i++) {
        const int len = (int)model->fields[i].name.len;
        widest = len > widest ? len : widest;
    }
    tl_sb_printf(sb, "%.*s   POST /%.*s%s\n", TL_STR_ARG(model->name), TL_STR_ARG(model->name),
                 def->is_streaming ? ", answered by a stream" : "");
    if (def->doc.len != 0) {
        tl_sb_printf(sb, "%.*s\n", TL_STR_ARG(def->doc));
    }
    tl_sb_put_cstr(sb, "Version ");
    tl_synapse_put_versions(sb, def);
    tl_sb_put_cstr(sb, model->refuses_unknown ? "; unknown fields are refused\n"
                                              : "; unknown fields are ignored\n");
    tl_sb_put_cstr(sb, model->field_count != 0 ? "Fields\n" : "No fields\n");
    for (size_t i = 0; i < model->field_count; i++) {
        put_field(sb, &model->fields[i], widest);
    }
    tl_sb_put_cstr(sb, "Hashed  ");
    for (size_t i = 0; i < def->hashed_count; i++) {
        tl_sb_printf(sb, "%s%.*s", i > 0 ? ", " : "",
                     TL_STR_ARG(model->fields[def->hashed[i]].name));
    }
    tl_sb_put_cstr(sb, def->hashed_count != 0 ? "\n" : "nothing: no signature covers the body\n");
    put_example(sb, model);
}
