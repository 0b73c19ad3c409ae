/* The machine's clock, entropy and memory. */
#include "io/sys/sys.h"

#include <errno.h>
#include <malloc.h>
#include <sys/random.h>
#include <time.h>

#include "io/sys/sys_internal.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    const int rc = clock_gettime(id, &t);
    TL_ASSERT(rc == 0); /* fails for an unknown clock or a bad pointer only */
    return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_nsec;
}

static int64_t wall_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static int64_t steady_ns(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

tl_clock tl_sys_clock(void)
{
    return (tl_clock){NULL, wall_ns, steady_ns};
}

static tl_err fill(void *self, void *out, size_t len, tl_errctx *ctx)
{
    (void)self;
    uint8_t *bytes = out;
    size_t done = 0;
    while (done < len) {
        const ssize_t n = getrandom(bytes + done, len - done, 0);
        if (n < 0 && errno != EINTR) {
            return tl__sys_fail_errno(ctx, errno, "read", "the system's entropy");
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return TL_OK;
}

tl_entropy tl_sys_entropy(void)
{
    return (tl_entropy){NULL, fill};
}

/* Of a zipcode's working memory some 50 MB come and go; the larger figure is that of a few zipcodes at once. The smaller
 * one is the most that glibc takes. */
#define KEPT_MAX      (256 << 20)
#define FROM_HEAP_MAX (32 << 20)

void tl_sys_keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
    (void)mallopt(M_MMAP_THRESHOLD, FROM_HEAP_MAX);
}
