/* Pages: a body with its tag and its gzip form, made once; whoever answers with it holds a reference. */
#include <string.h>

#include "app/api/api_internal.h"
#include "io/gzip/gzip.h"

enum { LEVEL = 6 };

static tl_err fill(tl_api_page *page, tl_str json, tl_errctx *ctx)
{
    tl_str copy;
    TL_TRY(tl_str_copy(&copy, page->arena, json, ctx));
    page->body = tl_str_bytes(copy);
    tl__encode_etag(page->etag, page->body);
    if (json.len >= TL__API_GZIP_LEN_MIN) {
        TL_TRY(tl_gzip(&page->gzip, page->arena, page->body, LEVEL, ctx));
        if (page->gzip.len >= page->body.len) {
            page->gzip = (tl_bytes){NULL, 0};
        }
    }
    return TL_OK;
}

tl_err tl_api_page_new(tl_api_page **out, tl_str json, tl_errctx *ctx)
{
    tl_arena *arena;
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_api_page *page = TL_NEW(arena, tl_api_page, 1);
    if (page == NULL) {
        const tl_err err = tl_arena_fail(arena, ctx);
        tl_arena_free(arena);
        return err;
    }
    page->arena = arena;
    atomic_init(&page->refs, 1);
    const tl_err err = fill(page, json, ctx);
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out = page;
    return TL_OK;
}

tl_api_page *tl_api_page_ref(tl_api_page *page)
{
    atomic_fetch_add(&page->refs, 1);
    return page;
}

void tl_api_page_unref(tl_api_page *page)
{
    if (page != NULL && atomic_fetch_sub(&page->refs, 1) == 1) {
        tl_arena_free(page->arena);
    }
}
