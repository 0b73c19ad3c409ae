/* Attacks the S3 store: the common suite on a real server that checks signatures; wrong keys, faults of the server and of
 * the network between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/objects/test/s3_server.h"
#include "io/objects/test/store_suite.h"

#include <stdio.h>

static s3_server server;

int main(void)
{
    if (!s3_server_is_here()) {
        (void)printf(
            "1..1\nok 1 - s3 # SKIP no build/deps/versitygw: scripts/fetch-versitygw needs Go\n");
        return 0;
    }
    s3_server_start(&server);
    tl_objects *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_objects_options options = s3_server_options(&server);
    options.part_len = (size_t)5 << 20;
    if (tl_objects_open(&store, &options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    const int failed = store_suite_run("s3", store);
    tl_objects_close(store);
    s3_server_stop(&server);
    return failed;
}
