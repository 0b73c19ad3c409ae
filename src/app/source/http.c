/* http.c: a market's API, page by page. */
#include "app/source/source_internal.h"

#include <string.h>
#include <time.h>

#include "base/vec/vec.h"
#include "core/listings/record/record.h"
#include "io/sys/sys.h"

#define PAGES_MAX     2000
#define PAGE_MAX      200
#define ROUNDS        3
#define ROUND_MS      1050
#define PAGE_OF_SMALL 20 /* listings of a page at least */

static tl_err page_target(tl_str *out, tl_arena *arena, tl_str zipcode, tl_str cursor,
                          uint32_t limit, bool is_mirror, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, is_mirror ? "/v1/mirror?zipcode=" : "/v1/listings?zipcode=");
    tl_sb_put(&sb, zipcode);
    tl_sb_printf(&sb, "&limit=%u", limit);
    if (cursor.len > 0) {
        tl_sb_put_cstr(&sb, "&cursor=");
        tl_sb_put(&sb, cursor);
    }
    return tl_sb_finish(out, &sb, ctx);
}

/* A cursor goes back into a URL as it came, so it must be of harmless characters. */
static bool is_harmless(tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool is_good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (!is_good) {
            return false;
        }
    }
    return text.len <= 256;
}

static tl_err take_page(tl_vec *all, tl_str *cursor, tl_arena *arena, const tl_json *page,
                        tl_errctx *ctx)
{
    tl_source_batch batch = {NULL, NULL, 0};
    TL_TRY(tl__source_take(&batch, arena, tl_json_get(page, "items"), ctx));
    if (batch.count + all->count > TL_SOURCE_LISTINGS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "source", "above %zu listings of one zipcode",
                             TL_SOURCE_LISTINGS_MAX);
    }
    for (size_t i = 0; i < batch.count; i++) {
        const tl_json **slot = (const tl_json **)tl_vec_push(all);
        if (slot == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        *slot = batch.items[i];
    }
    const tl_json *next = tl_json_get(page, "next_cursor");
    *cursor = (tl_str){NULL, 0};
    if (next != NULL && next->kind == TL_JSON_STRING) {
        if (!is_harmless(next->text)) {
            return tl_fail_field(ctx, TL_ERR_SYNTAX, "source", "its cursor is none");
        }
        *cursor = next->text;
    }
    return TL_OK;
}

tl_err tl__source_collect_http(tl_source *source, tl_source_batch *out, tl_arena *arena,
                               tl_str zipcode, bool is_mirror, tl_errctx *ctx)
{
    tl_vec all;
    tl_vec_init(&all, arena, sizeof(const tl_json *));
    tl_str cursor = {NULL, 0};
    for (size_t pages = 0; pages < PAGES_MAX; pages++) {
        tl_caller_request request = {.is_repeatable = true};
        tl_caller_answer answer;
        TL_TRY(page_target(&request.target, arena, zipcode, cursor, PAGE_MAX, is_mirror, ctx));
        TL_TRY(tl_caller_want(source->caller, &answer, arena, &request, ctx));
        TL_TRY(take_page(&all, &cursor, arena, answer.json, ctx));
        if (cursor.len == 0) {
            *out = (tl_source_batch){(const tl_json *const *)all.items, NULL, all.count};
            return TL_OK;
        }
    }
    return tl_fail_field(ctx, TL_ERR_LIMIT, "source", "a zipcode of above %d pages", PAGES_MAX);
}

/* --- several zipcodes by turns --- */

/* walk: how far one zipcode has been read. */
typedef struct walk {
    tl_source_want *want;
    tl_vec items;
    tl_vec seen;
    tl_str cursor;
    uint32_t limit;
    uint32_t pages_a_round;
    bool is_done;
} walk;

static void start_walk(walk *w, tl_source_want *want, tl_arena *arena)
{
    const uint32_t third = want->expected * 2 / 5 + 1; /* three of them are all, with some room */
    *w = (walk){.want = want};
    w->limit = third > PAGE_MAX ? PAGE_MAX : third < PAGE_OF_SMALL ? PAGE_OF_SMALL : third;
    w->pages_a_round = (want->expected / w->limit + ROUNDS) / ROUNDS;
    tl_vec_init(&w->items, arena, sizeof(const tl_json *));
    tl_vec_init(&w->seen, arena, sizeof(int64_t));
    want->err = TL_OK;
    want->why = (tl_errctx)TL_ERRCTX_INIT;
}

static tl_err note_seen(walk *w, int64_t now_ms, tl_arena *arena, tl_errctx *ctx)
{
    while (w->seen.count < w->items.count) {
        int64_t *slot = (int64_t *)tl_vec_push(&w->seen);
        if (slot == NULL) {
            return tl_arena_fail(arena, ctx);
        }
        *slot = now_ms;
    }
    return TL_OK;
}

static void end_walk(walk *w, tl_err err)
{
    w->is_done = true;
    w->want->err = err;
    w->want->batch = (tl_source_batch){(const tl_json *const *)w->items.items,
                                       (const int64_t *)w->seen.items, w->items.count};
}

/* One page of every zipcode that has one left. */
static tl_err turn(tl_source *source, walk *walks, size_t count, tl_arena *arena, tl_errctx *ctx)
{
    tl_caller_request *requests = TL_NEW(arena, tl_caller_request, count);
    tl_caller_answer *answers = TL_NEW(arena, tl_caller_answer, count);
    walk **of = TL_NEW(arena, walk *, count);
    size_t asked = 0;
    if (count > 0 && (requests == NULL || answers == NULL || of == NULL)) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        if (!walks[i].is_done) {
            TL_TRY(page_target(&requests[asked].target, arena, walks[i].want->zipcode,
                               walks[i].cursor, walks[i].limit, false, ctx));
            requests[asked].is_repeatable = true;
            of[asked++] = &walks[i];
        }
    }
    TL_TRY(tl_caller_run(source->caller, answers, arena, requests, asked, ctx));
    const int64_t now_ms = tl_clock_wall_ns(&source->options.clock) / 1000000;
    for (size_t i = 0; i < asked; i++) {
        walk *w = of[i];
        tl_err err = tl_caller_fail(&answers[i], &w->want->why);
        err = err == TL_OK ? take_page(&w->items, &w->cursor, arena, answers[i].json, &w->want->why)
                           : err;
        TL_TRY(note_seen(w, now_ms, arena, ctx));
        if (err != TL_OK || w->cursor.len == 0 || w->items.count > (size_t)PAGES_MAX * w->limit) {
            end_walk(w, err);
        }
    }
    return TL_OK;
}

static tl_err pause_until(int64_t until_ns, tl_errctx *ctx)
{
    const tl_clock clock = tl_sys_clock();
    while (tl_clock_steady_ns(&clock) < until_ns) {
        const struct timespec pause = {.tv_nsec = 50000000};
        TL_TRY(tl_sys_check_interrupt(ctx));
        (void)nanosleep(&pause, NULL);
    }
    return TL_OK;
}

static bool is_all_done(const walk *walks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!walks[i].is_done) {
            return false;
        }
    }
    return true;
}

tl_err tl__source_collect_many_http(tl_source *source, tl_source_want *wants, size_t count,
                                    tl_arena *arena, tl_errctx *ctx)
{
    const tl_clock steady = tl_sys_clock();
    uint32_t pages = 1;
    walk *walks = TL_NEW(arena, walk, count);
    if (walks == NULL && count > 0) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        start_walk(&walks[i], &wants[i], arena);
        pages = walks[i].pages_a_round > pages ? walks[i].pages_a_round : pages;
    }
    for (unsigned round = 0; !is_all_done(walks, count) && round < PAGES_MAX; round++) {
        const int64_t begun_ns = tl_clock_steady_ns(&steady);
        for (uint32_t page = 0; page < pages && !is_all_done(walks, count); page++) {
            TL_TRY(turn(source, walks, count, arena, ctx));
        }
        if (!is_all_done(walks, count)) {
            TL_TRY(pause_until(begun_ns + INT64_C(1000000) * ROUND_MS, ctx));
        }
    }
    return TL_OK;
}

/* --- single listings --- */

static tl_source_look read_look(const tl_caller_answer *answer)
{
    tl_source_look look = {.state = TL_SOURCE_SILENT};
    if (answer->fault != TL_CLIENT_NONE) {
        return look;
    }
    if (answer->status == 200 && answer->json != NULL && answer->json->kind == TL_JSON_OBJECT) {
        look = (tl_source_look){.state = TL_SOURCE_HERE, .item = answer->json};
    } else if (answer->status == 404 && tl_str_eq_cstr(answer->code, "gone")) {
        const tl_json *at = tl_json_get(answer->json, "gone_at");
        look.state = TL_SOURCE_GONE;
        if (at == NULL || !tl_record_moment(&look.gone_ms, at->text)) {
            look.gone_ms = 0;
        }
    } else if (answer->status == 404 && tl_str_eq_cstr(answer->code, "unknown")) {
        look.state = TL_SOURCE_UNKNOWN;
    }
    return look;
}

tl_err tl__source_ask_http(tl_source *source, tl_source_look *out, tl_arena *arena,
                           const tl_str *ids, size_t count, tl_errctx *ctx)
{
    tl_caller_request *requests = TL_NEW(arena, tl_caller_request, count);
    tl_caller_answer *answers = TL_NEW(arena, tl_caller_answer, count);
    size_t *of = TL_NEW(arena, size_t, count);
    if (count > 0 && (requests == NULL || answers == NULL || of == NULL)) {
        return tl_arena_fail(arena, ctx);
    }
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        tl_sb sb;
        out[i] = (tl_source_look){.state = TL_SOURCE_UNKNOWN};
        if (ids[i].len == 0 || !is_harmless(ids[i])) {
            continue; /* no id of this market */
        }
        tl_sb_init(&sb, arena);
        tl_sb_put_cstr(&sb, "/v1/listings/");
        tl_sb_put(&sb, ids[i]);
        TL_TRY(tl_sb_finish(&requests[asked].target, &sb, ctx));
        requests[asked].is_repeatable = true;
        of[asked++] = i;
    }
    TL_TRY(tl_caller_run(source->caller, answers, arena, requests, asked, ctx));
    for (size_t i = 0; i < asked; i++) {
        out[of[i]] = read_look(&answers[i]);
    }
    return TL_OK;
}
