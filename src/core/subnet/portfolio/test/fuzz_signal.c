/* Attacks what miners send. A signal that is read survives put and read unchanged: the second writing gives the same
 * bytes, and it has the same commitment; the code that admit gives it is one of those that can be given at commit. */
#include <stddef.h>
#include <stdint.h>

#include "core/epoch/road/road.h"
#include "core/subnet/portfolio/portfolio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ARENA_LIMIT = 1 << 26, INPUT_MAX = 1 << 15 };

static tl_str put(tl_arena *arena, const tl_submission *submission)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_road_submission_put(&w, &tl_subnet_portfolio, submission);
    const tl_err err = tl_sb_finish(&text, &sb, NULL);
    TL_ASSERT(err == TL_OK);
    return text;
}

static tl_err read(tl_submission *out, tl_arena *arena, const tl_road_params *params, tl_str text)
{
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, arena, text, NULL, NULL));
    return tl_road_submission_read(out, arena, &tl_subnet_portfolio, params, tree, NULL);
}

static void check_admission(const tl_submission *s, const tl_road_params *params)
{
    static const char *const codes[] = {"E005", "E007", "E008", "E009"};
    const tl_carry nobody = {NULL, 0};
    const tl_rao poor = tl_rao_from_i64(1);
    for (unsigned i = 0; i < 4; i++) {
        const char *code =
            tl_road_admit_commit(s, params, TL_STR("2024-Q1-W3"), &nobody,
                                 (i & 1U) != 0 ? &poor : NULL, (i & 2U) != 0 ? s : NULL);
        bool is_known = code == NULL;
        for (size_t k = 0; k < sizeof codes / sizeof *codes; k++) {
            is_known = is_known || tl_str_eq_cstr(tl_str_from_cstr(code), codes[k]);
        }
        TL_ASSERT(is_known);
        TL_ASSERT((i & 1U) == 0 || code != NULL); /* no ante is below one rao */
    }
}

static void check(tl_arena *arena, tl_str text)
{
    tl_sb sb;
    tl_json_writer w;
    tl_str parameters = {NULL, 0};
    const tl_json *tree = NULL;
    tl_road_params params;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_err err = tl_road_params_put(&w, &tl_subnet_portfolio, NULL, NULL, arena, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_sb_finish(&parameters, &sb, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_json_parse(&tree, arena, parameters, NULL, NULL);
    TL_ASSERT(err == TL_OK);
    err = tl_road_params_read(&params, &tl_subnet_portfolio, tree, NULL);
    TL_ASSERT(err == TL_OK);

    tl_submission first = {0};
    tl_submission second = {0};
    if (read(&first, arena, &params, text) != TL_OK) {
        return;
    }
    const tl_str once = put(arena, &first);
    err = read(&second, arena, &params, once);
    TL_ASSERT(err == TL_OK);
    TL_ASSERT(tl_str_eq(put(arena, &second), once));
    TL_ASSERT(tl_hash32_cmp(&first.commitment, &second.commitment) == 0);
    check_admission(&first, &params);
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
