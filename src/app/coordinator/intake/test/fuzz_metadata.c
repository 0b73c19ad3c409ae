/* metadata.json is a stranger's: whatever it says, it is read or refused, and what is read keeps its bounds. */
#include <stddef.h>
#include <stdint.h>

#include "app/coordinator/intake/intake.h"

#define FOLDER                                                                                     \
    "data/hotkey=5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty/epoch=2025-10-03T12-00-00/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tl_record_assignment zipcodes[] = {{.zipcode = {"98101", 5}},
                                                    {.zipcode = {"98103", 5}}};
    const tl_intake_claim claim = {.epoch_id = TL_STR("2025-10-03T12-00-00"),
                                   .ss58 =
                                       TL_STR("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
                                   .zipcodes = zipcodes,
                                   .zipcode_count = 2};
    tl_arena *arena = NULL;
    const tl_record_object *rows;
    size_t count;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    if (tl_intake_read(&rows, &count, arena, (tl_str){(const char *)data, size}, &claim, NULL) ==
        TL_OK) {
        TL_ASSERT(count > 0 && count <= TL_INTAKE_OBJECTS_MAX);
        for (size_t i = 0; i < count; i++) {
            TL_ASSERT(tl_str_starts_with(rows[i].key, TL_STR(FOLDER)));
            TL_ASSERT(rows[i].bytes > 0 && rows[i].bytes <= TL_INTAKE_OBJECT_LEN_MAX);
            TL_ASSERT(tl_str_eq_cstr(rows[i].zipcode, "98101") ||
                      tl_str_eq_cstr(rows[i].zipcode, "98103"));
        }
    }
    tl_arena_free(arena);
    return 0;
}
