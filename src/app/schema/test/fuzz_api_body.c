/* Attacks the check of bodies: any JSON against schemas that use every word. Nothing may crash or take long; a verdict does not
 * depend on how the JSON is spaced, and a refusal names a place (SCHEMA-3). */
#include <string.h>

#include "app/schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const texts[] = {
    "{'type':'object','required':['id'],'additionalProperties':false,'properties':{'id':{'type':"
    "'integer','minimum':1,'maximum':99},'tags':{'type':'array','maxItems':4,'uniqueItems':true,"
    "'items':{'type':'string','pattern':'^[a-z]{1,8}$','minLength':1,'maxLength':6}},'more':{'$ref'"
    ":"
    "'#/components/schemas/Tree'}}}",
    "{'anyOf':[{'type':'number','exclusiveMinimum':0,'exclusiveMaximum':1},{'enum':[1,'a',null,[1]]"
    "}"
    ",{'const':{'a':{'b':[]}}}]}",
    "{'oneOf':[{'type':'array','minItems':2},{'type':'array','maxItems':3}],'allOf':[{'items':{}}]"
    "}",
    "{'type':'object','minProperties':1,'maxProperties':3,'additionalProperties':{'type':'string'}"
    "}",
    "Tree",
};
enum { COUNT = sizeof texts / sizeof texts[0] };

static tl_arena *kept;
static const tl_schema *schemas[COUNT];

static void begin(void)
{
    tl_schemas *set;
    TL_ASSERT(tl_arena_new(&kept, NULL, 0, NULL, NULL) == TL_OK);
    TL_ASSERT(tl_schemas_new(&set, kept, NULL) == TL_OK);
    TL_ASSERT(tl_schemas_name(set, "Tree",
                              "{'type':['object','array','integer'],'items':{'$ref':"
                              "'#/components/schemas/Tree'},'additionalProperties':{'$ref':"
                              "'#/components/schemas/Tree'}}",
                              NULL) == TL_OK);
    TL_ASSERT(tl_schemas_finish(set, NULL) == TL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        TL_ASSERT(tl_schema_compile(&schemas[i], set, texts[i], NULL) == TL_OK);
    }
}

static const tl_json *respaced(tl_arena *arena, const tl_json *json)
{
    tl_sb sb;
    tl_str text;
    tl_json_writer w;
    const tl_json *again;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 2, false);
    tl_json_put_tree(&w, json);
    TL_ASSERT(tl_sb_finish(&text, &sb, NULL) == TL_OK);
    TL_ASSERT(tl_json_parse(&again, arena, text, NULL, NULL) == TL_OK);
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (kept == NULL) {
        begin();
    }
    tl_arena *arena;
    const tl_json *json;
    const tl_str text = {(const char *)data, len};
    TL_ASSERT(tl_arena_new(&arena, NULL, 0, NULL, NULL) == TL_OK);
    if (tl_json_parse(&json, arena, text, NULL, NULL) == TL_OK) {
        const tl_json *again = respaced(arena, json);
        for (size_t i = 0; i < COUNT; i++) {
            tl_errctx one = TL_ERRCTX_INIT;
            tl_errctx two = TL_ERRCTX_INIT;
            const tl_err err = tl_schema_check(schemas[i], json, &one);
            TL_ASSERT(err == TL_OK || err == TL_ERR_CHECK);
            TL_ASSERT(tl_schema_check(schemas[i], again, &two) == err);
            TL_ASSERT(strcmp(one.field, two.field) == 0 && strcmp(one.message, two.message) == 0);
            TL_ASSERT(err == TL_OK ||
                      (one.message[0] != 0 && (one.field[0] == 0 || one.field[0] == '/')));
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        const tl_err err = tl_schema_check_text(schemas[i], text, "name", NULL);
        TL_ASSERT(err == TL_OK || err == TL_ERR_CHECK);
    }
    tl_arena_free(arena);
    return 0;
}
