/* error: how every room says that something went wrong.
 * For         one enum of stable codes, one context that says where and why, the two kinds of assertion
 * Takes       a code, a message for the person who must act, optionally a field path and a position
 * Gives       tl_err to return; a filled tl_errctx to print
 * Calls       libc only                        Called by   everything
 * Owns        nothing: the context is the caller's, of fixed size, and filling it never allocates
 * Threads     a context belongs to one thread; the functions have no state
 * Invariants  ERR-1 a filled context is always NUL-terminated text, cut at a whole UTF-8 character
 *             ERR-2 each code has one name, one text and one exit code
 * Read        TL_ERR_MAP, then tl_fail()
 *
 * Bad input, a full disk, a lost peer: an error, never an exit. An assertion is for our own mistakes only:
 * TL_ASSERT stays on in release (a wrong payout is not undone), TL_VERIFY is for costly checks (-Dverify=true).
 */
#ifndef TALLY_BASE_ERROR_H
#define TALLY_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_MUST_USE         __attribute__((warn_unused_result))
#define TL_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

/* X(name, exit code of the program, text). Codes reach JSON as TL_ERR_<name> and are never renumbered. */
#define TL_ERR_MAP(X)                                                                              \
    X(CHECK, 1, "the check does not hold")                                                         \
    X(USAGE, 2, "wrong usage")                                                                     \
    X(SYNTAX, 3, "malformed input")                                                                \
    X(TYPE, 3, "wrong type")                                                                       \
    X(RANGE, 3, "value out of range")                                                              \
    X(MISSING, 3, "something required is missing")                                                 \
    X(DUPLICATE, 3, "given twice")                                                                 \
    X(UNKNOWN, 3, "unknown name")                                                                  \
    X(LIMIT, 3, "a limit is exceeded")                                                             \
    X(OVERFLOW, 3, "arithmetic overflow")                                                          \
    X(ENCODING, 3, "bad text encoding")                                                            \
    X(CANONICAL, 3, "not in canonical form")                                                       \
    X(CORRUPT, 3, "damaged: a digest does not match")                                              \
    X(VERSION, 3, "unknown version")                                                               \
    X(NOT_FOUND, 4, "not found")                                                                   \
    X(REFUSED, 5, "refused")                                                                       \
    X(LOCKED, 5, "locked by another process")                                                      \
    X(STATE, 5, "not possible in this state")                                                      \
    X(FUNDS, 5, "not enough funds")                                                                \
    X(IO, 6, "input or output failed")                                                             \
    X(NOMEM, 6, "out of memory")                                                                   \
    X(INTERNAL, 70, "internal error")                                                              \
    X(INTERRUPTED, 130, "interrupted")

typedef enum tl_err {
    TL_OK = 0,
#define TL_ERR_ENUM(name, exit_code, text) TL_ERR_##name,
    TL_ERR_MAP(TL_ERR_ENUM)
#undef TL_ERR_ENUM
        TL_ERR_COUNT /* not a code: how many there are, TL_OK included */
} tl_err;

#define TL_ERR_FIELD_CAP   192
#define TL_ERR_MESSAGE_CAP 448
#define TL_ERR_HINT_CAP    192

/* tl_errctx: where and why. The caller's, zero it with TL_ERRCTX_INIT; every function takes NULL for it. */
typedef struct tl_errctx {
    tl_err code;                      /* TL_OK while nothing failed */
    uint32_t line;                    /* from 1; 0 unknown */
    uint32_t column;                  /* from 1, in bytes; 0 unknown */
    bool has_offset;                  /* is offset meaningful? */
    size_t offset;                    /* byte offset in the input */
    char field[TL_ERR_FIELD_CAP];     /* path of the field, "positions[3].weight"; "" unknown */
    char message[TL_ERR_MESSAGE_CAP]; /* lower case, no full stop, the value found and the limit */
    char hint[TL_ERR_HINT_CAP];       /* advice; "" none */
} tl_errctx;

#define TL_ERRCTX_INIT                                                                             \
    {                                                                                              \
        TL_OK, 0, 0, false, 0, {0}, {0},                                                           \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* tl_err_name: "TL_OK", "TL_ERR_RANGE" …; "TL_ERR_INTERNAL" for a value that is no code. Static text. */
const char *tl_err_name(tl_err code);

/* tl_err_text: the code in a few words. Static text. */
const char *tl_err_text(tl_err code);

/* tl_err_exit: the exit code of a program that ends with this error (spec of the command line); 0 for TL_OK. */
int tl_err_exit(tl_err code);

/* tl_errctx_reset: forget what the context says. ctx may be NULL. */
void tl_errctx_reset(tl_errctx *ctx);

/* tl_fail: fill ctx (field, position and hint become empty) and return code. Never allocates; ctx may be NULL.
 * Use: return tl_fail(ctx, TL_ERR_RANGE, "weight of \"%s\" is %d, above %d", …); */
#define tl_fail(ctx, ...) tl_err_is_set(tl_fail_text(ctx, __VA_ARGS__))
tl_err tl_fail_text(tl_errctx *ctx, tl_err code, const char *format, ...) TL_PRINTF(3, 4);

/* tl_err_is_set: tells the compiler what tl_fail promises, so that it can still find the path that forgot. */
static inline tl_err tl_err_is_set(tl_err code)
{
    if (code == TL_OK) {
        __builtin_unreachable();
    }
    return code;
}

/* tl_fail_field: as tl_fail, and sets the field path. */
#define tl_fail_field(ctx, ...) tl_err_is_set(tl_fail_field_text(ctx, __VA_ARGS__))
tl_err tl_fail_field_text(tl_errctx *ctx, tl_err code, const char *field, const char *format, ...)
    TL_PRINTF(4, 5);

/* tl_errctx_wrap: put "<text>: " before the message: what a caller knows (which epoch, whose hotkey). */
void tl_errctx_wrap(tl_errctx *ctx, const char *format, ...) TL_PRINTF(2, 3);

/* tl_errctx_under: put a parent's path before the field: "weight" under "positions[3]" is "positions[3].weight";
 * a field that begins with '[' follows without a dot. */
void tl_errctx_under(tl_errctx *ctx, const char *format, ...) TL_PRINTF(2, 3);

/* tl_errctx_hint: set the advice. */
void tl_errctx_hint(tl_errctx *ctx, const char *format, ...) TL_PRINTF(2, 3);

/* tl_errctx_at: set the position. line and column from 1, 0 when unknown. */
void tl_errctx_at(tl_errctx *ctx, size_t offset, uint32_t line, uint32_t column);

/* TL_TRY: return early with the error of expr. Only while nothing is held. Our only macro with control flow. */
#define TL_TRY(expr)                                                                               \
    do {                                                                                           \
        const tl_err tl_try_err_ = (expr);                                                         \
        if (tl_try_err_ != TL_OK) {                                                                \
            return tl_try_err_;                                                                    \
        }                                                                                          \
    } while (0)

/* tl_assert_failed: print claim and place, then abort. */
__attribute__((noreturn)) void tl_assert_failed(const char *claim, const char *file, int line);

#define TL_ASSERT(claim) ((claim) ? (void)0 : tl_assert_failed(#claim, __FILE__, __LINE__))

#ifdef TL_WITH_VERIFY
#    define TL_VERIFY(claim) TL_ASSERT(claim)
#else
#    define TL_VERIFY(claim) ((void)0)
#endif

#ifdef __cplusplus
}
#endif

#endif
