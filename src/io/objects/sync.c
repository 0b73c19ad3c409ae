/* One sync of the file system for everybody who waits: five hundred submissions of 25 objects each are then a handful of
 * syncs and not 12,500. Who comes while one runs waits for the next, since the running one may have passed its files.
 *
 *      asks (needs started + 1) ─▶ nobody syncs? ─▶ leads: started++, syncfs, finished = started, wakes all
 *                                        └─ somebody does ─▶ waits, asks again
 */
#include <errno.h>
#include <unistd.h>

#include "io/objects/objects_internal.h"

void tl__sync_init(tl__sync *sync)
{
    *sync = (tl__sync){.started = 0};
    (void)pthread_mutex_init(&sync->lock, NULL);
    (void)pthread_cond_init(&sync->ended, NULL);
}

void tl__sync_deinit(tl__sync *sync)
{
    (void)pthread_cond_destroy(&sync->ended);
    (void)pthread_mutex_destroy(&sync->lock);
}

tl_err tl__sync_wait(tl__sync *sync, int fd, const char *path, tl_errctx *ctx)
{
    (void)pthread_mutex_lock(&sync->lock);
    const uint64_t needed = sync->started + 1;
    while (sync->finished < needed) {
        if (sync->is_running) {
            (void)pthread_cond_wait(&sync->ended, &sync->lock);
            continue;
        }
        const uint64_t mine = ++sync->started;
        sync->is_running = true;
        (void)pthread_mutex_unlock(&sync->lock);
        const int errnum = syncfs(fd) == 0 ? 0 : errno;
        (void)pthread_mutex_lock(&sync->lock);
        sync->is_running = false;
        sync->finished = mine;
        if (errnum != 0) {
            sync->failed = mine;
            sync->errnum = errnum;
        }
        (void)pthread_cond_broadcast(&sync->ended);
    }
    /* A later sync that failed counts as well: better an acknowledgement too few. */
    const int errnum = sync->failed >= needed ? sync->errnum : 0;
    (void)pthread_mutex_unlock(&sync->lock);
    return errnum == 0 ? TL_OK
                       : tl__objects_fail_errno(ctx, errnum, "sync", tl_str_from_cstr(path));
}
