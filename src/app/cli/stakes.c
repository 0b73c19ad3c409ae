/* Stakes by hotkey: a sorted table that is replaced as a whole. */
#include "app/cli/stakes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json/json.h"
#include "io/sys/sys.h"

typedef tl_app_stake row;

struct tl_app_stakes {
    const char *path;
    struct timespec changed; /* of the file that was read */
    off_t size;
    pthread_rwlock_t lock; /* guards the two below */
    row *rows;             /* by hotkey bytes */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return tl_hotkey_cmp(&((const row *)a)->hotkey, &((const row *)b)->hotkey);
}

/* What a row need not say. */
static tl_err read_more(row *out, const tl_json *value, uint32_t index, tl_errctx *ctx)
{
    const tl_json *uid = tl_json_get(value, "uid");
    const tl_json *coldkey = tl_json_get(value, "coldkey");
    const tl_json *permit = tl_json_get(value, "validator_permit");
    uint64_t number = index;
    out->coldkey = out->hotkey;
    if (uid != NULL) {
        TL_TRY(tl_json_as_u64(&number, uid, "uid", ctx));
    }
    if (number >= TL_APP_STAKES_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "uid", "a uid of %llu, above %d",
                             (unsigned long long)number, TL_APP_STAKES_MAX - 1);
    }
    out->uid = (uint32_t)number;
    if (coldkey != NULL && coldkey->kind != TL_JSON_NULL) {
        tl_str ss58;
        uint16_t prefix;
        TL_TRY(tl_json_as_str(&ss58, coldkey, "coldkey", ctx));
        const tl_err err = tl_ss58_decode_any(&out->coldkey, &prefix, ss58, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "coldkey");
            return err;
        }
    }
    return permit != NULL ? tl_json_as_bool(&out->has_permit, permit, "validator_permit", ctx)
                          : TL_OK;
}

static tl_err read_row(row *out, const tl_json *value, uint32_t index, tl_errctx *ctx)
{
    tl_str ss58;
    uint16_t prefix;
    TL_TRY(tl_json_want_str(&ss58, value, "hotkey", ctx));
    TL_TRY(tl_ss58_decode_any(&out->hotkey, &prefix, ss58, ctx));
    TL_TRY(tl_json_want_i64(&out->stake_rao, value, "stake_rao", ctx));
    if (out->stake_rao < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "stake_rao", "a stake below 0");
    }
    return read_more(out, value, index, ctx);
}

/* A uid names one hotkey: weights go by it. */
static tl_err check_uids(const row *rows, uint32_t count, tl_arena *scratch, const char *path,
                         tl_errctx *ctx)
{
    bool *is_taken = TL_NEW(scratch, bool, TL_APP_STAKES_MAX);
    if (is_taken == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (is_taken[rows[i].uid]) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "uid", "the uid %u comes twice in \"%s\"",
                                 rows[i].uid, path);
        }
        is_taken[rows[i].uid] = true;
    }
    return TL_OK;
}

static tl_err read_rows(row **out, size_t *count, tl_arena *scratch, const char *path,
                        tl_errctx *ctx)
{
    tl_str text;
    const tl_json *root;
    TL_TRY(tl_sys_read_text(&text, scratch, path, TL_APP_STAKES_FILE_MAX, ctx));
    TL_TRY(tl_json_parse(&root, scratch, text, NULL, ctx));
    if (root->kind != TL_JSON_ARRAY || root->count > TL_APP_STAKES_MAX) {
        return tl_fail(ctx, TL_ERR_TYPE, "\"%s\" is no array of at most %d hotkeys", path,
                       TL_APP_STAKES_MAX);
    }
    row *rows = TL_NEW(scratch, row, root->count);
    if (rows == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (uint32_t i = 0; i < root->count; i++) {
        const tl_err err = read_row(&rows[i], &root->items[i], i, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "[%u]", i);
            return err;
        }
    }
    qsort(rows, root->count, sizeof *rows, compare);
    for (uint32_t i = 1; i < root->count; i++) {
        if (compare(&rows[i - 1], &rows[i]) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "hotkey", "a hotkey comes twice in \"%s\"",
                                 path);
        }
    }
    TL_TRY(check_uids(rows, root->count, scratch, path, ctx));
    *out = rows;
    *count = root->count;
    return TL_OK;
}

static tl_err replace(tl_app_stakes *stakes, tl_errctx *ctx)
{
    tl_arena *scratch = NULL;
    row *rows = NULL;
    size_t count = 0;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    tl_err err = read_rows(&rows, &count, scratch, stakes->path, ctx);
    row *kept = err == TL_OK ? malloc(count * sizeof *kept + 1) : NULL;
    if (err == TL_OK && kept == NULL) {
        err = tl_fail(ctx, TL_ERR_NOMEM, "no memory for %zu stakes", count);
    }
    if (err == TL_OK) {
        memcpy(kept, rows, count * sizeof *kept);
        (void)pthread_rwlock_wrlock(&stakes->lock);
        row *old = stakes->rows;
        stakes->rows = kept;
        stakes->count = count;
        (void)pthread_rwlock_unlock(&stakes->lock);
        free(old);
    }
    tl_arena_free(scratch);
    return err;
}

tl_err tl_app_stakes_refresh(tl_app_stakes *stakes, bool *was_read, tl_errctx *ctx)
{
    struct stat now;
    *was_read = false;
    if (stat(stakes->path, &now) != 0) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "\"%s\" is not there", stakes->path);
    }
    if (now.st_size == stakes->size && now.st_mtim.tv_sec == stakes->changed.tv_sec &&
        now.st_mtim.tv_nsec == stakes->changed.tv_nsec) {
        return TL_OK;
    }
    stakes->size = now.st_size; /* a broken file is told once, not at every look */
    stakes->changed = now.st_mtim;
    *was_read = true;
    return replace(stakes, ctx);
}

tl_err tl_app_stakes_open(tl_app_stakes **out, const char *path, tl_errctx *ctx)
{
    tl_app_stakes *stakes = calloc(1, sizeof *stakes);
    if (stakes == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for stakes");
    }
    stakes->path = path;
    stakes->size = -1;
    (void)pthread_rwlock_init(&stakes->lock, NULL);
    bool was_read;
    const tl_err err = tl_app_stakes_refresh(stakes, &was_read, ctx);
    if (err != TL_OK) {
        tl_app_stakes_close(stakes);
        return err;
    }
    *out = stakes;
    return TL_OK;
}

void tl_app_stakes_close(tl_app_stakes *stakes)
{
    if (stakes != NULL) {
        (void)pthread_rwlock_destroy(&stakes->lock);
        free(stakes->rows);
        free(stakes);
    }
}

bool tl_app_stakes_find(tl_app_stakes *stakes, tl_app_stake *out, const tl_hotkey *hotkey)
{
    const row wanted = {.hotkey = *hotkey};
    (void)pthread_rwlock_rdlock(&stakes->lock);
    const row *found = stakes->count > 0 ? bsearch(&wanted, stakes->rows, stakes->count,
                                                   sizeof *stakes->rows, compare)
                                         : NULL;
    if (found != NULL) {
        *out = *found;
    }
    (void)pthread_rwlock_unlock(&stakes->lock);
    return found != NULL;
}

size_t tl_app_stakes_list(tl_app_stakes *stakes, tl_app_stake *out, size_t cap)
{
    (void)pthread_rwlock_rdlock(&stakes->lock);
    const size_t count = stakes->count;
    if (count > 0 && cap > 0) {
        memcpy(out, stakes->rows, (count < cap ? count : cap) * sizeof *out);
    }
    (void)pthread_rwlock_unlock(&stakes->lock);
    return count;
}

int64_t tl_app_stakes_of(void *self, const tl_hotkey *hotkey)
{
    tl_app_stake found;
    return tl_app_stakes_find(self, &found, hotkey) ? found.stake_rao : 0;
}
