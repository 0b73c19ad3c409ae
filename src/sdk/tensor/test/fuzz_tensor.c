/* Attacks the tensor's buffer: the input is the msgpack map itself, after one byte that chooses the dtype. What is
 * accepted survives encode and decode, and every number of it can be looked at. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/codec/base64/base64.h"
#include "sdk/tensor/tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(tl_arena *arena, const tl_value *dict)
{
    tl_tensor tensor;
    if (tl_tensor_decode(&tensor, arena, dict, NULL) != TL_OK) {
        return;
    }
    const size_t count = tl_tensor_count(&tensor);
    TL_ASSERT(tensor.data.len == count * tl_tensor_dtype_len(tensor.dtype)); /* TEN-1 */
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += tl_tensor_at(&tensor, i);
    }
    (void)sum;
    tl_value again = tl_value_none();
    tl_err err = tl_tensor_encode(&again, arena, &tensor, NULL);
    TL_ASSERT(err == TL_OK);
    tl_tensor other;
    err = tl_tensor_decode(&other, arena, &again, NULL);
    TL_ASSERT(err == TL_OK);
    TL_ASSERT(other.dtype == tensor.dtype && other.dim_count == tensor.dim_count);
    TL_ASSERT(other.data.len == tensor.data.len);
    TL_ASSERT(tensor.data.len == 0 ||
              memcmp(other.data.ptr, tensor.data.ptr, tensor.data.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, (size_t)1 << 26, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_base64_encode(&sb, data + 1, len - 1);
    if (tl_sb_finish(&text, &sb, NULL) == TL_OK) {
        const char *const name =
            tl_tensor_dtype_name((tl_tensor_dtype)(data[0] % TL_TENSOR_DTYPE_COUNT));
        tl_value zero = tl_value_from_i64(0);
        const tl_value_member members[3] = {
            {TL_STR("buffer"), tl_value_from_str(text)},
            {TL_STR("dtype"), tl_value_from_str(tl_str_from_cstr(name))},
            {TL_STR("shape"), tl_value_from_items(&zero, 1)}};
        const tl_value dict = tl_value_from_members(members, 3);
        check(arena, &dict);
    }
    tl_arena_free(arena);
    return 0;
}
