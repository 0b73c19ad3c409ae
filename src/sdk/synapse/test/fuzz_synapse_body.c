/* Attacks a body: the first byte chooses the definition. What is accepted survives: the model written as a request, and
 * as an answer if it is finite, is read again as the same values, and its hash stays. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdk/synapse/synapse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char more[] =
    "{\"synapses\": [{\"name\": \"Every\", \"hash\": [\"any\", \"t\", \"m\", \"ten\"],"
    " \"models\": [{\"name\": \"M\", \"refuse_unknown\": true, \"fields\": ["
    "   {\"name\": \"x\", \"type\": \"int\"}, {\"name\": \"y\", \"type\": \"bool?\", \"default\": "
    "null}]}],"
    " \"fields\": [{\"name\": \"any\", \"type\": \"any\", \"default\": null},"
    "  {\"name\": \"t\", \"type\": \"tuple[float]\", \"default\": []},"
    "  {\"name\": \"l\", \"type\": \"list[list[int?]]\", \"default\": []},"
    "  {\"name\": \"d\", \"type\": \"dict[bool]\", \"default\": {}},"
    "  {\"name\": \"m\", \"type\": \"list[M]\", \"default\": []},"
    "  {\"name\": \"ten\", \"type\": \"tensor?\", \"default\": null}]}]}";

static void check_again(tl_arena *arena, const tl_synapse *s, tl_str text)
{
    tl_synapse *again = NULL;
    const tl_err err = tl_synapse_from_body(&again, arena, s->def, text, NULL, NULL);
    TL_ASSERT(err == TL_OK);
    for (size_t i = 0; i < s->def->model.field_count; i++) {
        TL_ASSERT(tl_value_eq(&again->fields[i], &s->fields[i]));
    }
    TL_ASSERT(tl_value_eq(&again->timeout, &s->timeout));
    TL_ASSERT(tl_value_eq(&again->axon.nonce, &s->axon.nonce));
    TL_ASSERT(tl_value_eq(&again->dendrite.hotkey, &s->dendrite.hotkey));
    char before[TL_SYNAPSE_HASH_CAP];
    char after[TL_SYNAPSE_HASH_CAP];
    if (tl_synapse_body_hash(before, s, arena, NULL) == TL_OK &&
        tl_synapse_body_hash(after, again, arena, NULL) == TL_OK) {
        TL_ASSERT(memcmp(before, after, sizeof before) == 0); /* SYN-2 */
    }
}

static void check(tl_arena *arena, tl_synapse_defs defs, const uint8_t *data, size_t len)
{
    const tl_synapse_def *const def = defs.at[data[0] % defs.count];
    const tl_value_limits limits = {.depth_max = 64};
    tl_synapse *s = NULL;
    tl_str text = {NULL, 0};
    if (tl_synapse_from_body(&s, arena, def, (tl_str){(const char *)data + 1, len - 1}, &limits,
                             NULL) != TL_OK) {
        return;
    }
    if (tl_synapse_request_body(&text, arena, s, NULL) == TL_OK) {
        check_again(arena, s, text);
    }
    if (tl_synapse_response_body(&text, arena, s, NULL) == TL_OK) {
        check_again(arena, s, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, (size_t)1 << 28, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_synapse_defs echo = {NULL, 0};
    tl_synapse_defs defs = {NULL, 0};
    tl_err err = tl_synapse_echo_set(&echo, arena, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_synapse_load(&defs, arena, echo, tl_str_from_cstr(more), NULL);
    TL_ASSERT(err == TL_OK);
    check(arena, defs, data, len);
    tl_arena_free(arena);
    return 0;
}
