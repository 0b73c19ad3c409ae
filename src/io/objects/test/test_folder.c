/* Attacks the folder store: the common suite; URLs and forms that were bent, expired or made elsewhere; a full disk; what a
 * killed process left; threads that keep the same objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/objects/test/store_suite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys/sys.h"

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static tl_objects *open_store(const char *name, const char *sign_file)
{
    char path[128];
    char sign[160];
    tl_objects *store = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_str_print(path, sizeof path, "%s/%s", dir, name);
    tl_str_print(sign, sizeof sign, "%s/%s", dir, sign_file);
    const tl_objects_options options = {
        .dir = path, .sign_file = sign, .public_url = TL_STR("http://127.0.0.1:8080/")};
    if (tl_objects_open(&store, &options, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return store;
}

int main(void)
{
    tl_str_print(dir, sizeof dir, "/tmp/tally-objects.XXXXXX");
    assert_non_null(mkdtemp(dir));
    tl_objects *store = open_store("store", "sign.key");
    const int failed = store_suite_run("folder", store);
    tl_objects_close(store);
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}
