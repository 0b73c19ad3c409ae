/* The two size headers. Nobody checks them; they are an account of memory in the sender's Python. We count as CPython
 * 3.11 does on a 64-bit machine: sys.getsizeof() of the dict of headers, and the SDK's recursive sum over the model. It
 * counts an object once however often it is met, which we follow for None, small integers aside; another Python, or
 * another pydantic, has other figures. */
#include "sdk/synapse/synapse_internal.h"

enum {
    /* An empty message, less its name: measured with the SDK of the golden request. */
    EMPTY_MESSAGE_SIZE = 2144,
    OBJECT_SIZE = 49, /* of an empty str */
    DICT_MINIMUM = 184
};

/* A dict of text keys: entries of 16 bytes for two thirds of a table of a power of two, and the table of indexes. */
int64_t tl__synapse_header_size(size_t count)
{
    static const struct {
        size_t count_max;
        int64_t size;
    } steps[] = {{5, DICT_MINIMUM}, {10, 272},   {21, 464},   {42, 832},
                 {85, 1584},        {170, 3328}, {341, 6576}, {682, 13056}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (count <= steps[i].count_max) {
            return steps[i].size;
        }
    }
    return steps[sizeof steps / sizeof steps[0] - 1].size * 2;
}

/* A str: one byte a character when all are ASCII, else a longer head and 1, 2 or 4 bytes each. */
static int64_t text_size(tl_str text)
{
    uint32_t widest = 0;
    int64_t count = 0;
    for (size_t at = 0; at < text.len; count++) {
        uint32_t c = 0xFFFD;
        const size_t step = tl_str_utf8_at(&c, text, at);
        widest = c > widest ? c : widest;
        at += step != 0 ? step : 1;
    }
    if (widest < 0x80) {
        return OBJECT_SIZE + count;
    }
    return widest < 0x100 ? 73 + count : widest < 0x10000 ? 74 + 2 * count : 76 + 4 * count;
}

static int64_t value_size(const tl_value *value)
{
    int64_t size = 0;
    switch (value->kind) {
    case TL_VALUE_NONE:
        return 0; /* one object, counted with the empty message */
    case TL_VALUE_BOOL:
        return 28;
    case TL_VALUE_INT:
        return value->i64 > -(1 << 30) && value->i64 < 1 << 30 ? 28 : 32;
    case TL_VALUE_BIGINT:
        return 36 + (int64_t)value->text.len / 9 * 4;
    case TL_VALUE_FLOAT:
        return 24;
    case TL_VALUE_STR:
        return text_size(value->text);
    case TL_VALUE_LIST:
    case TL_VALUE_TUPLE:
        size = value->kind == TL_VALUE_LIST ? 56 : 40;
        for (uint32_t i = 0; i < value->count; i++) {
            size += 8 + value_size(&value->items[i]);
        }
        return size;
    case TL_VALUE_DICT:
        size = value->count == 0 ? 64 : tl__synapse_header_size(value->count);
        for (uint32_t i = 0; i < value->count; i++) {
            size += text_size(value->members[i].key) + value_size(&value->members[i].value);
        }
        return size;
    }
    return size;
}

static int64_t terminal_size(const tl_terminal *terminal)
{
    int64_t size = 0;
    for (size_t i = 0; i < TL__TERMINAL_COUNT; i++) {
        size += value_size(tl__terminal_look(terminal, i));
    }
    return size;
}

int64_t tl__synapse_total_size(const tl_synapse *synapse)
{
    const tl_synapse_model *const model = &synapse->def->model;
    int64_t size = EMPTY_MESSAGE_SIZE + text_size(model->name) +
                   tl__synapse_header_size(7 + model->field_count) - tl__synapse_header_size(7) +
                   terminal_size(&synapse->dendrite) + terminal_size(&synapse->axon);
    for (size_t i = 0; i < model->field_count; i++) {
        size += text_size(model->fields[i].name) + value_size(&synapse->fields[i]);
    }
    return size;
}
