/* Where a server listens, as every command writes it: HOST:PORT, [IPv6]:PORT, :PORT or PORT alone. */
#ifndef TALLY_APP_CLI_LISTEN_H
#define TALLY_APP_CLI_LISTEN_H

#include "app/cli/cli.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_app_listen {
    const char *host; /* without brackets as it was given */
    uint16_t port;    /* 0: any that is free */
} tl_app_listen;

/* tl_app_listen_parse: default_host where the text names none; both live in the program's arena.
 * Errors: TL_ERR_USAGE, field "listen". */
TL_MUST_USE tl_err tl_app_listen_parse(tl_app_listen *out, tl_app *app, const char *text,
                                       const char *default_host, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
