/* Attacks headers: lines of "name: value" after one byte that chooses definition and mode. What is accepted and can be
 * sent at all survives: the headers made of it are read again as the same figures, and none of them splits a head. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdk/synapse/synapse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { HEADERS_MAX = 64 };

static bool same_terminal(const tl_terminal *a, const tl_terminal *b)
{
    return tl_value_eq(&a->status_code, &b->status_code) &&
           tl_value_eq(&a->status_message, &b->status_message) &&
           tl_value_eq(&a->process_time, &b->process_time) && tl_value_eq(&a->ip, &b->ip) &&
           tl_value_eq(&a->port, &b->port) && tl_value_eq(&a->version, &b->version) &&
           tl_value_eq(&a->nonce, &b->nonce) && tl_value_eq(&a->uuid, &b->uuid) &&
           tl_value_eq(&a->hotkey, &b->hotkey) && tl_value_eq(&a->signature, &b->signature);
}

static size_t split_lines(tl_http_header *out, tl_str text)
{
    size_t count = 0;
    tl_str line = {NULL, 0};
    while (count < HEADERS_MAX && tl_str_split(&line, &text, '\n')) {
        const size_t colon = tl_str_find(line, ':');
        out[count++] =
            (tl_http_header){tl_str_slice(line, 0, colon), tl_str_slice(line, colon + 1, line.len)};
    }
    return count;
}

static void check(tl_arena *arena, tl_synapse_defs defs, const uint8_t *data, size_t len)
{
    const tl_synapse_def *const def = defs.at[data[0] / 2 % defs.count];
    tl_http_header lines[HEADERS_MAX];
    const size_t count = split_lines(lines, (tl_str){(const char *)data + 1, len - 1});
    tl_synapse *s = NULL;
    tl_http_headers headers = {NULL, 0};
    if (tl_synapse_from_headers(&s, arena, def, (tl_http_headers){lines, count}, data[0] % 2 == 1,
                                NULL) != TL_OK ||
        tl_synapse_put_headers(&headers, arena, s, NULL) != TL_OK) {
        return;
    }
    for (size_t i = 0; i < headers.count; i++) { /* SYN-3 */
        const tl_str value = headers.at[i].value;
        TL_ASSERT(tl_str_find(value, '\r') == value.len && tl_str_find(value, '\n') == value.len &&
                  tl_str_find(value, '\0') == value.len);
    }
    if (s->timeout.kind == TL_VALUE_NONE) {
        return; /* "None", as the SDK writes it, is no number */
    }
    tl_synapse *again = NULL;
    const tl_err err = tl_synapse_from_headers(&again, arena, def, headers, false, NULL);
    TL_ASSERT(err == TL_OK);
    TL_ASSERT(same_terminal(&s->axon, &again->axon));
    TL_ASSERT(same_terminal(&s->dendrite, &again->dendrite));
    TL_ASSERT(tl_value_eq(&s->timeout, &again->timeout));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, (size_t)1 << 26, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_synapse_defs defs = {NULL, 0};
    const tl_err err = tl_synapse_echo_set(&defs, arena, NULL);
    TL_ASSERT(err == TL_OK);
    check(arena, defs, data, len);
    tl_arena_free(arena);
    return 0;
}
