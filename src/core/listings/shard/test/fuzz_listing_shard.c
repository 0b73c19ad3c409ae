/* Attacks a shard with objects of any bytes (SHARD-3): three miners, of whom one brings the input whole, one cut in two and
 * one twice. There is a sheet for each, its figures within the rows, and its text reads back as the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/listings/shard/shard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA_LIMIT = 1 << 27 };

static void check_sheet(tl_arena *arena, const tl_sheet *sheet)
{
    TL_ASSERT(sheet->rows <= TL_SUBMISSION_ROWS_MAX);
    TL_ASSERT(sheet->data_quality_millionths <= 1000000);
    TL_ASSERT(sheet->sample_asked <= sheet->sample_count && sheet->sample_count <= TL_SAMPLES_MAX);
    TL_ASSERT(sheet->sample_count == 0 || (sheet->passes_tier1 && sheet->passes_tier2));
    tl_sb sb;
    tl_json_writer w;
    tl_str once = {NULL, 0};
    tl_str twice = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_sheet_put(&w, sheet);
    const tl_err once_err = tl_sb_finish(&once, &sb, NULL);
    const tl_json *tree = NULL;
    const tl_err parse_err = tl_json_parse(&tree, arena, once, NULL, NULL);
    TL_ASSERT(once_err == TL_OK && parse_err == TL_OK);
    tl_sheet again;
    const tl_err read_err = tl_sheet_read(&again, arena, tree, NULL);
    TL_ASSERT(read_err == TL_OK);
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_sheet_put(&w, &again);
    const tl_err twice_err = tl_sb_finish(&twice, &sb, NULL);
    TL_ASSERT(twice_err == TL_OK && tl_str_eq(once, twice));
}

static void check(tl_arena *arena, tl_arena *scratch, const uint8_t *data, size_t len)
{
    tl_listings_params params;
    tl_listings_params_default(&params);
    const tl_place place = {.zipcode = "98103",
                            .city = TL_STR("Seattle"),
                            .state = TL_STR("WA"),
                            .latitude_e4 = 476731,
                            .longitude_e4 = -1223415};
    const tl_shard_context context = {.params = &params,
                                      .epoch_id = TL_STR("2025-10-03T00-00-00"),
                                      .start_ms = INT64_C(1759449600000),
                                      .deadline_ms = INT64_C(1759464000000),
                                      .beacon = TL_STR("5b"),
                                      .place = &place,
                                      .expected = len % 16};
    const tl_bytes whole = {data, len};
    const tl_bytes cut[] = {{data, len / 2}, {data + len / 2, len - len / 2}};
    const tl_bytes twice[] = {whole, whole};
    const tl_shard_entry entries[] = {{.hotkey = TL_STR("a"),
                                       .received_ms = INT64_C(1759460000000),
                                       .objects = &whole,
                                       .object_count = 1},
                                      {.hotkey = TL_STR("b"),
                                       .received_ms = INT64_C(1759460000001),
                                       .objects = cut,
                                       .object_count = 2},
                                      {.hotkey = TL_STR("c"),
                                       .received_ms = INT64_C(1759460000002),
                                       .objects = twice,
                                       .object_count = 2}};
    tl_shard *shard = NULL;
    const tl_err new_err = tl_shard_new(&shard, arena, &context, NULL);
    TL_ASSERT(new_err == TL_OK);
    for (size_t i = 0; i < 3; i++) {
        const tl_err err = tl_shard_add(shard, &entries[i], scratch, NULL);
        TL_ASSERT(err == TL_OK);
    }
    tl_shard_result result;
    const tl_err err = tl_shard_finish(shard, &result, NULL);
    TL_ASSERT(err == TL_OK && result.count == 3);
    for (size_t i = 0; i < result.count; i++) {
        check_sheet(arena, &result.sheets[i]);
        TL_ASSERT(result.faults[i].len == 0 || result.sheets[i].rows == 0);
    }
    TL_ASSERT(result.sheets[2].rows == 2 * result.sheets[0].rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    tl_arena *scratch = NULL;
    if (len <= 1 << 15 && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK &&
        tl_arena_new(&scratch, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, scratch, data, len);
    }
    tl_arena_free(scratch);
    tl_arena_free(arena);
    return 0;
}
