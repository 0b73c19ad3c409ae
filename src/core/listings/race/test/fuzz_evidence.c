/* Attacks what a validator posts as its evidence. What is read is put again, and what was put is read and put to the same
 * bytes; a race takes it without falling over. */
#include <stddef.h>
#include <stdint.h>

#include "core/listings/race/race.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 1 << 16 };
#define ARENA_LIMIT ((size_t)1 << 28)

static tl_err put(tl_str *out, tl_arena *arena, const tl_evidence *evidence)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_evidence_put(&w, evidence);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, NULL);
}

/* One miner of the document is the sheet: with the rest it is about nothing. */
static void race(tl_arena *arena, const tl_evidence *evidence)
{
    tl_listings_params params;
    tl_listings_params_default(&params);
    tl_race_zipcode zipcode = {.expected = 100};
    tl_race_sheet sheet = {.sheet = {.rows = 1000,
                                     .distinct = 900,
                                     .passes_tier1 = true,
                                     .passes_tier2 = true,
                                     .sample_count = TL_SAMPLES_MAX,
                                     .sample_asked = 10}};
    tl_sample samples[TL_SAMPLES_MAX] = {{0}};
    char address[TL_SS58_CAP];
    sheet.sheet.samples = samples;
    if (evidence->count > 0) {
        const tl_evidence_item *item = &evidence->items[evidence->count / 2];
        for (size_t i = 0; i < sizeof zipcode.zipcode; i++) {
            zipcode.zipcode[i] = item->zipcode[i];
            sheet.zipcode[i] = item->zipcode[i];
        }
        sheet.sheet.content_hash = item->content_hash;
        sheet.sheet.sample_count = item->verdicts.len;
        sheet.sheet.sample_asked = item->verdicts.len < 10 ? item->verdicts.len : 10;
        sheet.sheet.hotkey =
            (tl_str){address, tl_ss58_encode(address, &item->hotkey, TL_SS58_PREFIX_GENERIC)};
    }
    const tl_race_validator validator = {.stake = tl_rao_from_i64(5), .evidence = evidence};
    const tl_race_input input = {.params = &params,
                                 .epoch_id = evidence->epoch_id,
                                 .deadline_ms = 5,
                                 .zipcodes = &zipcode,
                                 .zipcode_count = 1,
                                 .sheets = &sheet,
                                 .sheet_count = evidence->count > 0 ? 1 : 0,
                                 .validators = &validator,
                                 .validator_count = 1};
    tl_race_result result = {0};
    const tl_err err = tl_race_run(&result, arena, &input, NULL);
    TL_ASSERT(err == TL_OK || err == TL_ERR_LIMIT || err == TL_ERR_NOMEM);
}

static void check(tl_arena *arena, tl_str bytes)
{
    const tl_json *tree = NULL;
    tl_evidence evidence = {0};
    tl_str once = {NULL, 0};
    tl_str twice = {NULL, 0};
    if (tl_json_parse(&tree, arena, bytes, NULL, NULL) != TL_OK ||
        tl_evidence_read(&evidence, arena, tree, NULL) != TL_OK ||
        put(&once, arena, &evidence) != TL_OK) {
        return;
    }
    tl_err err = tl_json_parse(&tree, arena, once, NULL, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_evidence_read(&evidence, arena, tree, NULL);
    TL_ASSERT(err == TL_OK);
    if (put(&twice, arena, &evidence) == TL_OK) {
        TL_ASSERT(tl_str_eq(once, twice));
        race(arena, &evidence);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    if (len <= INPUT_MAX && tl_arena_new(&arena, NULL, ARENA_LIMIT, NULL, NULL) == TL_OK) {
        check(arena, (tl_str){(const char *)data, len});
        tl_arena_free(arena);
    }
    return 0;
}
