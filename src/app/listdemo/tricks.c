/* tricks.c: where each miner's listings come from. What the market showed is the same for all; what a member makes of it
 * is its own, and follows from the seed, its operator, the epoch and the zipcode. */
#include <string.h>

#include "app/listdemo/listdemo_internal.h"
#include "base/vec/vec.h"
#include "io/sys/sys.h"

#define FIRST_READ_MS  60000 /* into the epoch: the earliest moment in which a row was read */
#define OBJECT_LEN_MAX ((size_t)64 << 20)

/* In thousandths of the rows. */
#define GAP_LEAST   30 /* what an honest miner misses: 3 to 6 % */
#define GAP_SPAN    30
#define SHORT_KEEPS 550
#define TWICE_KEEPS 740
#define TWICE_ADDS  260 /* of all, listed a second time */
#define COPY_DROPS  10
#define COPY_SHAKES 60
#define SYBIL_DROPS 4
#define STALE       15 /* prices that the market has changed since */
#define LOST        14 /* values that were not read */

/* --- the window onto the market --- */

static const tl__page *find_page(const tl__reading *r, tl_str zipcode, bool is_mirror)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->pages[i].is_mirror == is_mirror && tl_str_eq_cstr(zipcode, r->pages[i].zipcode)) {
            return &r->pages[i];
        }
    }
    return NULL;
}

static tl_err read_page(const tl__page **out, tl__reading *r, tl_str zipcode, bool is_mirror,
                        tl_errctx *ctx)
{
    if (r->count == TL__PAGES_MAX || zipcode.len != 5) {
        return tl_fail(ctx, TL_ERR_LIMIT, "above %d zipcodes of one epoch", TL__PAGES_MAX);
    }
    tl__page *page = &r->pages[r->count];
    *page = (tl__page){.is_mirror = is_mirror};
    memcpy(page->zipcode, zipcode.ptr, 5);
    TL_TRY(tl_source_collect(r->source, &page->batch, r->arena, tl_str_from_cstr(page->zipcode),
                             is_mirror, ctx));
    r->count++;
    *out = page;
    return TL_OK;
}

/* What was read stays as it is until the epoch's end, so it may be looked at without the lock. */
static tl_err look(tl__play *play, tl_source_batch *out, tl_str zipcode, bool is_mirror,
                   tl_errctx *ctx)
{
    tl__reading *r = &play->reading;
    (void)pthread_mutex_lock(&r->lock);
    const tl__page *page = find_page(r, zipcode, is_mirror);
    const tl_err err = page != NULL ? TL_OK : read_page(&page, r, zipcode, is_mirror, ctx);
    if (err == TL_OK) {
        *out = page->batch;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return err;
}

/* --- a member's own hand --- */

typedef struct hand {
    tl__play *play;
    const tl__member *member;
    tl_arena *arena;
    tl_xoshiro rng;
    int64_t first_ms; /* rows are read between these */
    int64_t last_ms;
    tl_vec items; /* const tl_json * */
    tl_vec seen;  /* int64_t */
} hand;

static uint64_t number_of(tl_str zipcode)
{
    uint64_t n = 0;
    for (size_t i = 0; i < zipcode.len; i++) {
        n = n * 10 + (uint64_t)(zipcode.ptr[i] - '0');
    }
    return n;
}

static void seed_hand(tl_xoshiro *out, const tl__play *play, uint32_t who, int64_t start_ms,
                      tl_str zipcode)
{
    uint64_t state = play->options->seed;
    uint64_t mixed = tl_splitmix64(&state) ^ who;
    mixed = tl_splitmix64(&mixed) ^ (uint64_t)start_ms;
    mixed = tl_splitmix64(&mixed) ^ number_of(zipcode);
    tl_xoshiro_seed(out, tl_splitmix64(&mixed));
}

static void start_hand(hand *h, const tl__miner *miner, tl_arena *arena, tl_str zipcode)
{
    tl__play *play = miner->play;
    const int64_t start_ms = play->report_ms - TL__LISTDEMO_COLLECT_MS;
    *h = (hand){.play = play, .member = &play->cast[miner->index], .arena = arena};
    h->first_ms = start_ms + FIRST_READ_MS;
    h->last_ms = play->report_ms;
    seed_hand(&h->rng, play, h->member->operator_id, start_ms, zipcode);
    tl_vec_init(&h->items, arena, sizeof(const tl_json *));
    tl_vec_init(&h->seen, arena, sizeof(int64_t));
}

static bool has_luck(hand *h, uint64_t thousandths)
{
    return tl_xoshiro_below(&h->rng, 1000) < thousandths;
}

static tl_err take(hand *h, const tl_json *item, tl_errctx *ctx)
{
    const tl_json **slot = (const tl_json **)tl_vec_push(&h->items);
    int64_t *seen = (int64_t *)tl_vec_push(&h->seen);
    if (slot == NULL || seen == NULL) {
        return tl_arena_fail(h->arena, ctx);
    }
    *slot = item;
    *seen = h->first_ms + (int64_t)tl_xoshiro_below(&h->rng, (uint64_t)(h->last_ms - h->first_ms));
    return TL_OK;
}

/* Its own order. */
static void shuffle(hand *h)
{
    const tl_json **items = (const tl_json **)h->items.items;
    for (size_t i = h->items.count; i > 1; i--) {
        const size_t k = (size_t)tl_xoshiro_below(&h->rng, i);
        const tl_json *swapped = items[i - 1];
        items[i - 1] = items[k];
        items[k] = swapped;
    }
}

static tl_err show_hand(const hand *h, tl_source_batch *out)
{
    *out = (tl_source_batch){(const tl_json *const *)h->items.items, (const int64_t *)h->seen.items,
                             h->items.count};
    return TL_OK;
}

/* --- listings with other values --- */

/* change: a member of a listing; of what kind and text instead; a null takes it away. */
typedef struct change {
    const char *key;
    tl_json_kind kind;
    tl_str text;
} change;

static const change *change_of(const change *changes, size_t count, tl_str key)
{
    for (size_t i = 0; i < count; i++) {
        if (tl_str_eq_cstr(key, changes[i].key)) {
            return &changes[i];
        }
    }
    return NULL;
}

static tl_err alter(const tl_json **out, tl_arena *arena, const tl_json *item,
                    const change *changes, size_t count, tl_errctx *ctx)
{
    tl_json *made = TL_NEW(arena, tl_json, 1);
    tl_json_member *members = TL_NEW(arena, tl_json_member, item->count);
    if (made == NULL || members == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < item->count; i++) {
        const change *c = change_of(changes, count, item->members[i].key);
        if (c != NULL && c->kind == TL_JSON_NULL) {
            continue;
        }
        members[kept] = item->members[i];
        if (c != NULL) {
            members[kept].value = (tl_json){.kind = c->kind, .text = c->text};
        }
        kept++;
    }
    *made = *item;
    made->members = members;
    made->count = kept;
    *out = made;
    return TL_OK;
}

static tl_err print_number(tl_str *out, tl_arena *arena, int64_t value, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "%lld", (long long)value);
    return tl_sb_finish(out, &sb, ctx);
}

static int64_t price_of(const tl_json *item)
{
    int64_t price = 0;
    return tl_json_as_i64(&price, tl_json_get(item, "price"), NULL, NULL) == TL_OK ? price : 100000;
}

/* --- the parts --- */

/* What a visit gets wrong: a price of yesterday, a value that was not read. */
static tl_err slip(hand *h, const tl_json **item, tl_errctx *ctx)
{
    static const char *const optional[] = {"days_on_market", "mls_id", "sqft", "bathrooms"};
    tl_str price = {NULL, 0};
    if (has_luck(h, STALE)) {
        const int64_t truth = price_of(*item);
        const int64_t per_mille = 1030 + (int64_t)tl_xoshiro_below(&h->rng, 50);
        TL_TRY(print_number(&price, h->arena, truth * per_mille / 1000, ctx));
        const change stale = {"price", TL_JSON_NUMBER, price};
        TL_TRY(alter(item, h->arena, *item, &stale, 1, ctx));
    }
    if (has_luck(h, LOST)) {
        const change lost = {optional[tl_xoshiro_below(&h->rng, 4)], TL_JSON_NULL, {NULL, 0}};
        TL_TRY(alter(item, h->arena, *item, &lost, 1, ctx));
    }
    return TL_OK;
}

/* A share of the market's rows, each with its own moment, in an order of its own. */
static tl_err take_share(hand *h, const tl_source_batch *all, uint64_t thousandths, tl_errctx *ctx)
{
    for (size_t i = 0; i < all->count; i++) {
        if (has_luck(h, thousandths)) {
            const tl_json *item = all->items[i];
            TL_TRY(slip(h, &item, ctx));
            TL_TRY(take(h, item, ctx));
        }
    }
    shuffle(h);
    return TL_OK;
}

static tl_err be_honest(hand *h, const tl_source_batch *all, tl_errctx *ctx)
{
    const uint64_t gap = GAP_LEAST + tl_xoshiro_below(&h->rng, GAP_SPAN);
    return take_share(h, all, 1000 - gap, ctx);
}

/* A house under another number, as if another agent offered it. */
static tl_err list_again(hand *h, const tl_json *item, tl_errctx *ctx)
{
    tl_str number = {NULL, 0};
    const int64_t fresh = (int64_t)(tl_xoshiro_next(&h->rng) >> 12);
    TL_TRY(print_number(&number, h->arena, fresh, ctx));
    const change changes[] = {{"id", TL_JSON_STRING, number},
                              {"zpid", TL_JSON_STRING, number},
                              {"mls_id", TL_JSON_STRING, number},
                              {"source_url", TL_JSON_STRING, number}};
    TL_TRY(alter(&item, h->arena, item, changes, sizeof changes / sizeof *changes, ctx));
    return take(h, item, ctx);
}

static tl_err duplicate(hand *h, const tl_source_batch *all, tl_errctx *ctx)
{
    TL_TRY(take_share(h, all, TWICE_KEEPS, ctx));
    const size_t found = h->items.count;
    for (size_t i = 0; i < found; i++) {
        const tl_json *item = ((const tl_json *const *)h->items.items)[i];
        if (has_luck(h, TWICE_ADDS * 1000 / TWICE_KEEPS)) {
            TL_TRY(i % 2 == 0 ? take(h, item, ctx) : list_again(h, item, ctx));
        }
    }
    return TL_OK;
}

/* Houses of a world that nobody lives in: all plausible, none there. */
static tl_err dream(hand *h, tl_str zipcode, tl_errctx *ctx)
{
    const tl_market other = {h->play->market.seed ^ UINT64_C(0x647265616d), h->play->market.places,
                             h->play->market.place_count};
    tl_str cursor = {NULL, 0};
    do {
        tl_str page = {NULL, 0};
        const tl_json *json = NULL;
        TL_TRY(tl_market_page(&page, h->arena, &other, zipcode, TL_MARKET_PAGE_MAX, cursor, false,
                              h->last_ms, ctx));
        TL_TRY(tl_json_parse(&json, h->arena, page, NULL, ctx));
        const tl_json *items = tl_json_get(json, "items");
        for (uint32_t i = 0; items != NULL && i < items->count; i++) {
            TL_TRY(take(h, &items->items[i], ctx));
        }
        const tl_json *next = tl_json_get(json, "next_cursor");
        cursor = next != NULL ? next->text : (tl_str){NULL, 0};
    } while (cursor.len > 0);
    shuffle(h);
    return TL_OK;
}

/* Figures that cannot be: prices of another planet, a place a hundred kilometres off, dates that are to come. */
static tl_err invent(hand *h, const tl_source_batch *all, tl_errctx *ctx)
{
    for (size_t i = 0; i < all->count; i++) {
        const tl_json *item = all->items[i];
        tl_str price = {NULL, 0};
        const int64_t truth = price_of(item);
        TL_TRY(print_number(&price, h->arena, i % 2 == 0 ? truth / 9 + 16000 : truth * 7, ctx));
        const tl_json *latitude = tl_json_get(item, "latitude");
        double degrees = 40.0;
        TL_TRY(tl_json_as_f64(&degrees, latitude, "latitude", ctx));
        tl_sb sb;
        tl_str moved = {NULL, 0};
        tl_sb_init(&sb, h->arena);
        tl_sb_printf(&sb, "%lld.5", (long long)degrees + 2);
        TL_TRY(tl_sb_finish(&moved, &sb, ctx));
        const change changes[] = {{"price", TL_JSON_NUMBER, price},
                                  {"latitude", TL_JSON_NUMBER, moved},
                                  {"listing_date", TL_JSON_STRING, TL_STR("2031-01-01")}};
        TL_TRY(alter(&item, h->arena, item, changes, i % 4 == 3 ? 1 : 3, ctx));
        TL_TRY(take(h, item, ctx));
    }
    shuffle(h);
    return TL_OK;
}

/* The leak: what the victim handed in lies in its folder. It is taken once the victim has its receipt. */
static tl_err read_leak(hand *h, const tl_json **out, tl_str zipcode, tl_errctx *ctx)
{
    tl__play *play = h->play;
    const uint32_t victim = (h->member->number * 5 + 1) % 12; /* the honest are the first twelve */
    const char *path = NULL;
    char code[6];
    tl_str text = {NULL, 0};
    tl_err err = TL_OK;
    TL_ASSERT(play->cast[victim].role == TL_LISTDEMO_HONEST);
    (void)pthread_mutex_lock(&play->lock);
    while (err == TL_OK && !play->outcomes[victim].is_done) {
        err = tl__play_wait(play, ctx);
    }
    (void)pthread_mutex_unlock(&play->lock);
    TL_TRY(err);
    (void)tl_str_print(code, sizeof code, "%.*s", TL_STR_ARG(zipcode));
    TL_TRY(tl__miner_file(&path, h->arena, &play->miners[victim], code, ctx));
    TL_TRY(tl_sys_read_file(&text, h->arena, path, OBJECT_LEN_MAX, ctx));
    const tl_json *json = NULL;
    TL_TRY(tl_json_parse(&json, h->arena, text, NULL, ctx));
    return tl_json_want(out, json, "listings", TL_JSON_ARRAY, ctx);
}

static tl_err copy(hand *h, tl_str zipcode, tl_errctx *ctx)
{
    const tl_json *leak = NULL;
    TL_TRY(read_leak(h, &leak, zipcode, ctx));
    for (uint32_t i = 0; i < leak->count; i++) {
        const tl_json *item = &leak->items[i];
        tl_str price = {NULL, 0};
        if (has_luck(h, COPY_DROPS)) {
            continue;
        }
        const int64_t truth = price_of(item);
        TL_TRY(print_number(&price, h->arena, truth + truth / 250, ctx));
        const change changes[] = {{"scraped_timestamp", TL_JSON_NULL, {NULL, 0}},
                                  {"price", TL_JSON_NUMBER, price}};
        TL_TRY(alter(&item, h->arena, item, changes, has_luck(h, COPY_SHAKES) ? 2 : 1, ctx));
        TL_TRY(take(h, item, ctx));
    }
    shuffle(h);
    return TL_OK;
}

/* The operator's one collection, and for each hotkey after the first a few rows less. */
static tl_err be_sybil(hand *h, const tl_source_batch *all, int64_t start_ms, tl_str zipcode,
                       tl_errctx *ctx)
{
    TL_TRY(be_honest(h, all, ctx));
    seed_hand(&h->rng, h->play, UINT32_C(1000) + h->member->number, start_ms, zipcode);
    const tl_json **items = (const tl_json **)h->items.items;
    int64_t *seen = (int64_t *)h->seen.items;
    size_t kept = 0;
    for (size_t i = 0; i < h->items.count; i++) {
        if (h->member->number == 1 || !has_luck(h, SYBIL_DROPS)) {
            items[kept] = items[i];
            seen[kept++] = seen[i];
        }
    }
    h->items.count = kept;
    h->seen.count = kept;
    return TL_OK;
}

tl_err tl__trick_collect(void *self, tl_source_batch *out, tl_arena *arena, tl_str zipcode,
                         bool is_mirror, tl_errctx *ctx)
{
    const tl__miner *miner = (const tl__miner *)self;
    hand h;
    tl_source_batch all = {NULL, NULL, 0};
    start_hand(&h, miner, arena, zipcode);
    const tl_listdemo_role role = h.member->role;
    const bool wants_copy = is_mirror || role == TL_LISTDEMO_HONEYPOT;
    TL_TRY(look(miner->play, &all, zipcode, wants_copy, ctx));
    tl_err err = TL_OK;
    switch (role) {
    case TL_LISTDEMO_HONEST:
    case TL_LISTDEMO_LATE:
        err = be_honest(&h, &all, ctx);
        break;
    case TL_LISTDEMO_SHORT:
        err = take_share(&h, &all, SHORT_KEEPS, ctx);
        break;
    case TL_LISTDEMO_DUPLICATING:
        err = duplicate(&h, &all, ctx);
        break;
    case TL_LISTDEMO_SYNTHETIC:
        err = h.member->number == 1 ? dream(&h, zipcode, ctx) : invent(&h, &all, ctx);
        break;
    case TL_LISTDEMO_COPYING:
        err = copy(&h, zipcode, ctx);
        break;
    case TL_LISTDEMO_HONEYPOT:
        err = take_share(&h, &all, 1000, ctx);
        break;
    case TL_LISTDEMO_SYBIL:
        err = be_sybil(&h, &all, h.first_ms - FIRST_READ_MS, zipcode, ctx);
        break;
    case TL_LISTDEMO_VALIDATOR:
    case TL_LISTDEMO_ROLE_COUNT:
        TL_ASSERT(false); /* they collect nothing */
        break;
    }
    return err == TL_OK ? show_hand(&h, out) : err;
}
