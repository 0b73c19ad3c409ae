/* Signals become a flag. It is the one variable of the process that changes: a handler gets nothing but the number. */
#include "io/sys/sys.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "io/sys/sys_internal.h"

static volatile sig_atomic_t interrupted = 0;

static void on_interrupt(int number)
{
    (void)number;
    if (interrupted != 0) {
        _exit(tl_err_exit(TL_ERR_INTERRUPTED)); /* asked twice: at once */
    }
    interrupted = 1;
}

/* A failed assertion said what it had to say before it called abort. */
static void on_abort(int number)
{
    (void)number;
    _exit(tl_err_exit(TL_ERR_INTERNAL));
}

static tl_err watch(int number, void (*handler)(int), tl_errctx *ctx)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0) {
        return tl__sys_fail_errno(ctx, errno, "watch", "signals");
    }
    return TL_OK;
}

tl_err tl_sys_watch_interrupts(tl_errctx *ctx)
{
    TL_TRY(watch(SIGINT, on_interrupt, ctx));
    TL_TRY(watch(SIGTERM, on_interrupt, ctx));
    TL_TRY(watch(SIGPIPE, SIG_IGN, ctx));
    return watch(SIGABRT, on_abort, ctx);
}

bool tl_sys_is_interrupted(void)
{
    return interrupted != 0;
}

tl_err tl_sys_check_interrupt(tl_errctx *ctx)
{
    return interrupted == 0 ? TL_OK : tl_fail(ctx, TL_ERR_INTERRUPTED, "interrupted");
}
