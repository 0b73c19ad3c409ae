/* Questions to the person at the terminal. While a secret is typed the terminal shows nothing, and whatever ends the
 * wait, a signal too, leaves it as it was:
 *
 *      SIGINT, SIGTERM, SIGTSTP and SIGQUIT are blocked ─▶ echo off ─▶ ppoll lets the first two in ─▶ echo as before ─▶ unblocked
 *
 * A signal that came before the wait is seen by ppoll at once; a second one, which ends the process, is let in only when
 * the terminal is as before. */
#include "io/sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "io/sys/sys_internal.h"

bool tl_sys_can_prompt(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

/* One line of the terminal: in canonical mode read gives no more than that. */
static tl_err read_line(size_t *len, char *text, size_t cap, const sigset_t *while_waiting,
                        tl_errctx *ctx)
{
    for (;;) {
        TL_TRY(tl_sys_check_interrupt(ctx));
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        ssize_t n = ppoll(&input, 1, NULL, while_waiting);
        if (n > 0) {
            n = read(STDIN_FILENO, text, cap);
        }
        if (n >= 0) {
            *len = (size_t)n;
            return TL_OK;
        }
        if (errno != EINTR) {
            return tl__sys_fail_errno(ctx, errno, "read", "the terminal");
        }
    }
}

static tl_err ask_terminal(size_t *len, char *text, size_t cap, const char *question,
                           bool is_secret, tl_errctx *ctx)
{
    sigset_t held;
    sigset_t before;
    struct termios shown;
    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return tl__sys_fail_errno(ctx, errno, "ask", "the terminal");
    }
    (void)sigemptyset(&held); /* none of these can fail with signals that exist */
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGTSTP);
    (void)sigaddset(&held, SIGQUIT);
    (void)sigprocmask(SIG_BLOCK, &held, &before);
    sigset_t while_waiting = before;
    (void)sigaddset(&while_waiting, SIGTSTP);
    (void)sigaddset(&while_waiting, SIGQUIT);
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    hidden.c_lflag |= (tcflag_t)(ICANON | ECHONL);
    tl_err err = TL_OK;
    if (is_secret && tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) {
        err = tl__sys_fail_errno(ctx, errno, "hide what is typed on", "the terminal");
    }
    if (err == TL_OK) {
        err = tl_sys_write_all(STDERR_FILENO, tl_str_bytes(tl_str_from_cstr(question)),
                               "standard error", ctx);
    }
    if (err == TL_OK) {
        err = read_line(len, text, cap, &while_waiting, ctx);
    }
    if (is_secret) {
        /* flushed: the rest of an answer that is too long must not reach the next reader */
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return err;
}

tl_err tl_sys_prompt(tl_str *out, tl_arena *arena, const char *question, bool is_secret,
                     tl_errctx *ctx)
{
    if (!tl_sys_can_prompt()) {
        return tl_fail(ctx, TL_ERR_REFUSED, "there is no terminal to ask at");
    }
    char *text = TL_NEW(arena, char, TL_SYS_ANSWER_MAX + 2);
    if (text == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t len = 0;
    const tl_err err = ask_terminal(&len, text, TL_SYS_ANSWER_MAX + 2, question, is_secret, ctx);
    if (err != TL_OK) {
        return err;
    }
    if (len == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "the terminal gave no answer");
    }
    if (len > TL_SYS_ANSWER_MAX && text[len - 1] != '\n') {
        return tl_fail(ctx, TL_ERR_LIMIT, "the answer has more than %d bytes", TL_SYS_ANSWER_MAX);
    }
    *out = tl_str_trim((tl_str){text, len});
    return TL_OK;
}

tl_err tl_sys_prompt_yes(bool *out, tl_arena *scratch, const char *question, tl_errctx *ctx)
{
    tl_str answer = {NULL, 0};
    TL_TRY(tl_sys_prompt(&answer, scratch, question, false, ctx));
    *out = tl_str_eq_cstr(answer, "y") || tl_str_eq_cstr(answer, "Y") ||
           tl_str_eq_cstr(answer, "yes") || tl_str_eq_cstr(answer, "Yes") ||
           tl_str_eq_cstr(answer, "YES");
    return TL_OK;
}
