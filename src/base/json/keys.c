/* The keys of an object: who is there twice, and where is whom. Keys are chosen by strangers, so nothing here is worse
 * than sorting, and nothing depends on a hash.
 *
 *     members of a large object:  │ member 0 │ member 1 │ … │ member n-1 │ n numbers: the members by ascending key │
 *
 * Small objects have no such index: a scan is faster there. */
#include <string.h>

#include "base/json/json_internal.h"

enum { SMALL_COUNT_MAX = 32 };

/* --- small objects --- */

/* Equal keys have equal marks, and few others do: a byte made of length and three bytes of the key. */
static uint32_t mark_of(tl_str key)
{
    uint32_t mark = (uint32_t)key.len;
    if (key.len != 0) {
        const unsigned char *const p = (const unsigned char *)key.ptr;
        mark = mark << 24 ^ ((uint32_t)p[0] << 16 | (uint32_t)p[key.len / 2] << 8 | p[key.len - 1]);
    }
    return mark * UINT32_C(2654435761) >> 24;
}

/* The index of the first key that stood before, at *before; or count. Whoever picks keys of one mark gains at most
 * SMALL_COUNT_MAX comparisons a key. */
static size_t find_repeated(size_t *before, const tl_json_member *members, size_t count)
{
    uint64_t seen[256 / 64] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        const uint32_t mark = mark_of(members[i].key);
        const uint64_t bit = UINT64_C(1) << (mark % 64);
        if ((seen[mark / 64] & bit) != 0) {
            for (size_t k = 0; k < i; k++) {
                if (tl_str_eq(members[k].key, members[i].key)) {
                    *before = k;
                    return i;
                }
            }
        }
        seen[mark / 64] |= bit;
    }
    return count;
}

static tl_err check_small(const tl_json_member **duplicate, uint32_t *count,
                          tl_json_member *members, bool keeps_last)
{
    size_t before = 0;
    size_t at = find_repeated(&before, members, *count);
    while (at != *count) {
        if (!keeps_last) {
            *duplicate = &members[at];
            return TL_ERR_DUPLICATE;
        }
        members[before].value = members[at].value;
        memmove(members + at, members + at + 1, (*count - at - 1) * sizeof *members);
        --*count;
        at = find_repeated(&before, members, *count);
    }
    return TL_OK;
}

/* --- large objects --- */

/* A key to sort: eight bytes at hand decide most comparisons without a look at the text. */
typedef struct ref {
    uint64_t head; /* first bytes, big-endian, zeros behind a short key */
    uint32_t index;
} ref;

static uint64_t key_head(tl_str key)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++) {
        head = head << 8 | (i < key.len ? (unsigned char)key.ptr[i] : 0U);
    }
    return head;
}

static int cmp_keys(const ref *a, const ref *b, const tl_json_member *members)
{
    if (a->head != b->head) {
        return a->head < b->head ? -1 : 1;
    }
    return tl_str_cmp(members[a->index].key, members[b->index].key);
}

/* Merges [from, middle) and [middle, to) of in to out; of equal keys the left one comes first. */
static void merge(ref *out, const ref *in, size_t from, size_t middle, size_t to,
                  const tl_json_member *members)
{
    size_t left = from;
    size_t right = middle;
    for (size_t i = from; i < to; i++) {
        const bool is_left =
            right == to || (left < middle && cmp_keys(&in[left], &in[right], members) <= 0);
        out[i] = is_left ? in[left++] : in[right++];
    }
}

/* The members by key, equal ones as in the text; in the scratch arena, or NULL. */
static const ref *sort_keys(tl_arena *scratch, const tl_json_member *members, size_t count)
{
    ref *sorted = TL_NEW(scratch, ref, count);
    ref *other = TL_NEW(scratch, ref, count);
    if (sorted == NULL || other == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (ref){key_head(members[i].key), (uint32_t)i};
    }
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t from = 0; from < count; from += 2 * width) {
            const size_t middle = from + width < count ? from + width : count;
            const size_t to = middle + width < count ? middle + width : count;
            merge(other, sorted, from, middle, to, members);
        }
        ref *const swap = sorted;
        sorted = other;
        other = swap;
    }
    return sorted;
}

/* The least index of a key that stood before; or count. */
static size_t first_repeated(const ref *sorted, const tl_json_member *members, size_t count)
{
    size_t first = count;
    for (size_t i = 1; i < count; i++) {
        if (sorted[i].index < first && cmp_keys(&sorted[i - 1], &sorted[i], members) == 0) {
            first = sorted[i].index;
        }
    }
    return first;
}

/* Each run of equal keys becomes its first member with the last one's value. Returns how many stay. */
static size_t keep_last(const ref *sorted, tl_json_member *members, size_t count)
{
    size_t from = 0;
    while (from < count) {
        size_t to = from + 1;
        while (to < count && cmp_keys(&sorted[from], &sorted[to], members) == 0) {
            to++;
        }
        members[sorted[from].index].value = members[sorted[to - 1].index].value;
        for (size_t i = from + 1; i < to; i++) {
            members[sorted[i].index].value.kind = TL_JSON_NULL;
            members[sorted[i].index].value.count = 1; /* no null counts anything: a mark */
        }
        from = to;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (members[i].value.kind != TL_JSON_NULL || members[i].value.count == 0) {
            members[kept++] = members[i];
        }
    }
    return kept;
}

static tl_err check_large(const tl_json_member **duplicate, uint32_t *count, const ref **sorted,
                          tl_arena *scratch, tl_json_member *members, bool keeps_last,
                          tl_errctx *ctx)
{
    *sorted = sort_keys(scratch, members, *count);
    if (*sorted == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    const size_t first = first_repeated(*sorted, members, *count);
    if (first == *count) {
        return TL_OK;
    }
    if (!keeps_last) {
        *duplicate = &members[first];
        return TL_ERR_DUPLICATE;
    }
    *count = (uint32_t)keep_last(*sorted, members, *count);
    *sorted = sort_keys(scratch, members, *count);
    return *sorted != NULL ? TL_OK : tl_arena_fail(scratch, ctx);
}

/* --- both --- */

static uint32_t *index_of(tl_json_member *members, size_t count)
{
    void *const behind = members + count;
    return (uint32_t *)behind;
}

static tl_err fill(tl_json *object, const tl_json_member **duplicate, tl_arena *arena,
                   tl_arena *scratch, tl_json_member *children, bool keeps_last, tl_errctx *ctx)
{
    uint32_t count = object->count;
    const ref *sorted = NULL;
    if (count <= SMALL_COUNT_MAX) {
        TL_TRY(check_small(duplicate, &count, children, keeps_last));
    } else {
        TL_TRY(check_large(duplicate, &count, &sorted, scratch, children, keeps_last, ctx));
    }
    const size_t index_len = count > SMALL_COUNT_MAX ? count * sizeof(uint32_t) : 0;
    const size_t spare = (index_len + sizeof(tl_json_member) - 1) / sizeof(tl_json_member);
    tl_json_member *members = TL_NEW(arena, tl_json_member, count + spare);
    if (members == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (count != 0) {
        memcpy(members, children, count * sizeof *members);
    }
    for (size_t i = 0; i < index_len / sizeof(uint32_t); i++) {
        index_of(members, count)[i] = sorted[i].index;
    }
    object->members = members;
    object->count = count;
    return TL_OK;
}

tl_err tl__json_object_fill(tl_json *object, const tl_json_member **duplicate, tl_arena *arena,
                            tl_arena *scratch, tl_json_member *children, bool keeps_last,
                            tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    const tl_err err = fill(object, duplicate, arena, scratch, children, keeps_last, ctx);
    tl_arena_rewind(scratch, mark);
    return err;
}

const tl_json *tl__json_object_find(const tl_json *object, tl_str key)
{
    const tl_json_member *members = object->members;
    if (object->count <= SMALL_COUNT_MAX) {
        for (size_t i = 0; i < object->count; i++) {
            if (members[i].key.len == key.len && tl_str_eq(members[i].key, key)) {
                return &members[i].value;
            }
        }
        return NULL;
    }
    const void *const behind = members + object->count;
    const uint32_t *index = (const uint32_t *)behind;
    size_t from = 0;
    size_t to = object->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = tl_str_cmp(members[index[middle]].key, key);
        if (order == 0) {
            return &members[index[middle]].value;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}
