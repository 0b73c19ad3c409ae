/* libpq, found by name. */
#include "io/sql/pq.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static tl__pq found; /* written once, under once */
static const char *missing = "libpq.so.5";

static void load(void)
{
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        return;
    }
    void *symbol = NULL;
#define FIND(name)                                                                                 \
    symbol = dlsym(library, "PQ" #name);                                                           \
    if (symbol == NULL) {                                                                          \
        missing = "PQ" #name;                                                                      \
        return;                                                                                    \
    }                                                                                              \
    memcpy(&found.name, &symbol, sizeof symbol);
    TL__PQ_MAP(FIND)
#undef FIND
    missing = NULL;
}

tl_err tl__pq_load(const tl__pq **out, tl_errctx *ctx)
{
    (void)pthread_once(&once, load);
    if (missing != NULL) {
        (void)tl_fail(ctx, TL_ERR_IO, "cannot load libpq: no %s", missing);
        tl_errctx_hint(ctx, "install libpq5");
        return TL_ERR_IO;
    }
    *out = &found;
    return TL_OK;
}
