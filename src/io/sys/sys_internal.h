/* What the files of io/sys share. */
#ifndef TALLY_IO_SYS_INTERNAL_H
#define TALLY_IO_SYS_INTERNAL_H

#include "base/error/error.h"

/* tl__sys_fail_errno: "cannot <verb> "<path>": <why>" with the code that fits errnum; the path is the field. */
#define tl__sys_fail_errno(ctx, ...) tl_err_is_set(tl__sys_fail_errno_text(ctx, __VA_ARGS__))
tl_err tl__sys_fail_errno_text(tl_errctx *ctx, int errnum, const char *verb, const char *path);

#endif
