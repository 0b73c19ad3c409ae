/* clock.c: the machine's time, on another day, ahead by what was skipped. */
#include "app/listdemo/listdemo_internal.h"
#include "io/sys/sys.h"

#define MS_NS INT64_C(1000000)

static int64_t wall_ns(void *self)
{
    tl__demo_clock *clock = (tl__demo_clock *)self;
    return clock->base_wall_ns + (tl_clock_steady_ns(&clock->real) - clock->base_steady_ns) +
           atomic_load(&clock->ahead_ns);
}

/* Waiting for an answer, and leases, go by the machine's own pace. */
static int64_t steady_ns(void *self)
{
    const tl__demo_clock *clock = (const tl__demo_clock *)self;
    return tl_clock_steady_ns(&clock->real);
}

void tl__demo_clock_start(tl__demo_clock *clock, int64_t wall_ms)
{
    clock->real = tl_sys_clock();
    clock->base_wall_ns = wall_ms * MS_NS;
    clock->base_steady_ns = tl_clock_steady_ns(&clock->real);
    atomic_init(&clock->ahead_ns, 0);
}

tl_clock tl__demo_clock_view(tl__demo_clock *clock)
{
    return (tl_clock){clock, wall_ns, steady_ns};
}

int64_t tl__demo_clock_ms(tl__demo_clock *clock)
{
    return wall_ns(clock) / MS_NS;
}

void tl__demo_clock_reach(tl__demo_clock *clock, int64_t wall_ms)
{
    int64_t ahead = atomic_load(&clock->ahead_ns);
    for (;;) {
        const int64_t now_ns = clock->base_wall_ns +
                               (tl_clock_steady_ns(&clock->real) - clock->base_steady_ns) + ahead;
        const int64_t short_ns = wall_ms * MS_NS - now_ns;
        if (short_ns <= 0 ||
            atomic_compare_exchange_weak(&clock->ahead_ns, &ahead, ahead + short_ns)) {
            return;
        }
    }
}
