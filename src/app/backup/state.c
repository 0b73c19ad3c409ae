/* Which files of a state folder belong into a backup: its keys and pins, whatever they are called. */
#include <string.h>
#include <sys/stat.h>

#include "app/backup/backup_internal.h"
#include "base/vec/vec.h"
#include "io/sys/sys.h"

enum { NAME_LEN_MAX = 64 };

bool tl__backup_is_state_name(tl_str name)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX || name.ptr[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

/* What is of this machine or this process alone, and the databases, whose rows are dumped. A restored coordinator must not
 * take the name of one that lives: they would share a lease. */
static bool is_left_out(tl_str name)
{
    static const char *const names[] = {"lock", "replay.marks", "coordinator.id"};
    static const char *const ends[] = {".db", ".db-wal", ".db-shm", ".db-journal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (tl_str_eq_cstr(name, names[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (tl_str_ends_with(name, tl_str_from_cstr(ends[i]))) {
            return true;
        }
    }
    const tl_str half_written = TL_STR(".part-");
    for (size_t i = 0; i < name.len; i++) {
        if (tl_str_starts_with(tl_str_slice(name, i, name.len), half_written)) {
            return true;
        }
    }
    return false;
}

tl_err tl__backup_state_names(const char *const **out, size_t *count, tl_arena *arena,
                              const char *dir, tl_errctx *ctx)
{
    const char *const *all;
    size_t all_count;
    tl_vec names;
    TL_TRY(tl_sys_list_dir(&all, &all_count, arena, dir, ctx));
    tl_vec_init(&names, arena, sizeof(const char *));
    for (size_t i = 0; i < all_count; i++) {
        const tl_str name = tl_str_from_cstr(all[i]);
        const char *path;
        struct stat st;
        if (!tl__backup_is_state_name(name) || is_left_out(name)) {
            continue;
        }
        TL_TRY(tl_sys_join(&path, arena, dir, all[i], ctx));
        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        const char **room = (const char **)tl_vec_push(&names);
        if (room == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        *room = all[i];
    }
    *out = (const char *const *)names.items;
    *count = names.count;
    return TL_OK;
}
