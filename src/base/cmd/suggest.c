/* Near misses: which names a mistyped word may have meant. */
#include "base/cmd/cmd.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table of Levenshtein, the third for swaps of neighbours. */
size_t tl_cmd_distance(tl_str a, tl_str b)
{
    a = tl_str_slice(a, 0, TL_CMD_EDIT_CAP);
    b = tl_str_slice(b, 0, TL_CMD_EDIT_CAP);
    size_t rows[3][TL_CMD_EDIT_CAP + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b.len; j++) {
        before[j] = 0; /* read from the second row of the table on only */
        last[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t change = last[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), change);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b.len];
}

/* A third of the word may be wrong; what the word begins is meant too. */
static bool is_near(tl_str word, tl_str candidate, size_t *distance)
{
    *distance = tl_cmd_distance(word, candidate);
    const size_t allowed = word.len / 3 > 1 ? word.len / 3 : 1;
    return *distance <= allowed || (word.len >= 3 && tl_str_starts_with(candidate, word));
}

tl_err tl_cmd_suggest(tl_str *out, tl_arena *arena, tl_str word, const char *const *candidates,
                      tl_errctx *ctx)
{
    const char *found[TL_CMD_SUGGESTIONS_MAX];
    size_t distances[TL_CMD_SUGGESTIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; candidates[i] != NULL; i++) {
        size_t distance;
        if (!is_near(word, tl_str_from_cstr(candidates[i]), &distance)) {
            continue;
        }
        size_t at = count; /* nearest first, equals in the order of the table */
        while (at > 0 && distances[at - 1] > distance) {
            at--;
        }
        if (at == TL_CMD_SUGGESTIONS_MAX) {
            continue;
        }
        count = least(count + 1, TL_CMD_SUGGESTIONS_MAX);
        for (size_t k = count - 1; k > at; k--) {
            found[k] = found[k - 1];
            distances[k] = distances[k - 1];
        }
        found[at] = candidates[i];
        distances[at] = distance;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < count; i++) {
        tl_sb_printf(&sb, "%s\"%s\"", i == 0 ? "did you mean " : " or ", found[i]);
    }
    tl_sb_put_cstr(&sb, count > 0 ? "?" : "");
    return tl_sb_finish(out, &sb, ctx);
}
