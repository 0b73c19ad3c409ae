/* tally_listings make DIR MINERS ZIPCODES ROWS: the objects of an epoch as files, DIR/ZIPCODE/MINER.json, and their hashes.
 * tally_listings run DIR MINERS ZIPCODES ROWS THREADS: from these files to the epoch's hash, as a validator does it: each
 * file is read, held against its hash, decoded, judged; copies are looked for; samples are drawn; evidence of three
 * validators is merged; the race is run. One line of JSON.
 *
 * Every miner brings 97 to 100 % of a zipcode's houses in an order of its own, seen at a time of its own. The samples'
 * verdicts are given (all pass): what the world answers is not what is measured. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/data/data.h"
#include "app/market/market.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/race/race.h"
#include "core/listings/shard/shard.h"
#include "core/num/rng/rng.h"
#include "io/sys/sys.h"

#define START_MS   INT64_C(1790006400000)
#define EPOCH_MS   INT64_C(14400000)
#define DAY_MS     INT64_C(86400000)
#define OBJECT_MAX ((size_t)16 << 20)
#define VALIDATORS 3
#define PATH_CAP   512
#define BEACON     "5b1f0a7c9d3e42868a1f0c2d4e6b8a907f1e3d5c7b9a0f2e4d6c8b0a1f3e5d7c"

typedef struct epoch {
    tl_arena *arena;
    const char *dir;
    size_t miners;
    size_t zipcodes;
    uint32_t rows;
    tl_place *places;
    tl_hash32 *hashes; /* zipcodes x miners */
    char (*hotkeys)[TL_SS58_CAP];
    tl_hotkey *keys;
} epoch;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- who and where --- */

static tl_err open_epoch(epoch *e, tl_arena *arena, char **argv, tl_errctx *ctx)
{
    tl_places all;
    e->arena = arena;
    e->dir = argv[2];
    e->miners = strtoul(argv[3], NULL, 10);
    e->zipcodes = strtoul(argv[4], NULL, 10);
    e->rows = (uint32_t)strtoul(argv[5], NULL, 10);
    TL_TRY(tl_data_zipcodes(&all, arena, NULL, ctx));
    e->places = TL_NEW(arena, tl_place, e->zipcodes);
    e->hashes = TL_NEW(arena, tl_hash32, e->zipcodes * e->miners);
    e->keys = TL_NEW(arena, tl_hotkey, e->miners);
    e->hotkeys = tl_arena_alloc(arena, e->miners, sizeof *e->hotkeys, 1);
    if (e->places == NULL || e->hashes == NULL || e->keys == NULL || e->hotkeys == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t i = 0; i < all.count && count < e->zipcodes; i += 311) {
        if (all.items[i].expected > 0) {
            e->places[count] = all.items[i];
            e->places[count++].expected = e->rows;
        }
    }
    if (count < e->zipcodes) {
        return tl_fail(ctx, TL_ERR_RANGE, "so many zipcodes are not in the table");
    }
    for (size_t i = 0; i < e->miners; i++) {
        tl_hash32 id;
        tl_sha256(&id, &i, sizeof i);
        memcpy(&e->keys[i], &id, sizeof e->keys[i]);
        (void)tl_ss58_encode(e->hotkeys[i], &e->keys[i], TL_SS58_PREFIX_GENERIC);
    }
    return TL_OK;
}

static void path_of(char out[PATH_CAP], const epoch *e, size_t zip, size_t miner)
{
    (void)snprintf(out, PATH_CAP, "%s/%s/%04zu.json", e->dir, e->places[zip].zipcode, miner);
}

/* --- making --- */

/* The houses of a zipcode as JSON, each without its last brace. */
static tl_err make_houses(tl_str *out, tl_arena *arena, const epoch *e, size_t zip, tl_errctx *ctx)
{
    const tl_market market = {11, &e->places[zip], 1};
    uint32_t count = 0;
    for (uint32_t slot = 0; count < e->rows; slot++) {
        tl_market_item item;
        tl_sb sb;
        tl_json_writer w;
        /* A slot that is empty today was not so a month ago. */
        const int64_t at_ms = START_MS - (int64_t)(slot / e->rows) * 40 * DAY_MS;
        if (!tl_market_at(&item, &market, &e->places[zip], slot % e->rows, at_ms)) {
            continue;
        }
        tl_sb_init(&sb, arena);
        tl_json_writer_init(&w, &sb, 0, false);
        tl_market_put(&w, &item, at_ms);
        TL_TRY(tl_sb_finish(&out[count], &sb, ctx));
        out[count++].len--;
    }
    return TL_OK;
}

static tl_err make_object(tl_str *out, tl_arena *arena, const epoch *e, size_t zip, size_t miner,
                          const tl_str *houses, uint32_t *order, tl_errctx *ctx)
{
    tl_xoshiro rng;
    tl_sb sb;
    tl_xoshiro_seed(&rng, zip << 32 | miner);
    const uint32_t rows = e->rows - (uint32_t)tl_xoshiro_below(&rng, e->rows / 33 + 1);
    for (uint32_t i = 0; i < e->rows; i++) {
        order[i] = i;
    }
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "{\"zipcode\":\"%s\",\"listings\":[", e->places[zip].zipcode);
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t k = i + (uint32_t)tl_xoshiro_below(&rng, e->rows - i);
        const uint32_t taken = order[k];
        char seen[TL_TIME_TEXT_CAP];
        order[k] = order[i];
        tl_time_text(seen, (START_MS + (int64_t)tl_xoshiro_below(&rng, 3600000)) * 1000000);
        tl_sb_put_cstr(&sb, i > 0 ? "," : "");
        tl_sb_put(&sb, houses[taken]);
        tl_sb_printf(&sb, ",\"scraped_timestamp\":\"%s\"}", seen);
    }
    tl_sb_put_cstr(&sb, "]}");
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err make(epoch *e, tl_errctx *ctx)
{
    char path[PATH_CAP];
    tl_str *houses = TL_NEW(e->arena, tl_str, e->rows);
    uint32_t *order = TL_NEW(e->arena, uint32_t, e->rows);
    if (houses == NULL || order == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t z = 0; z < e->zipcodes; z++) {
        (void)snprintf(path, sizeof path, "%s/%s", e->dir, e->places[z].zipcode);
        TL_TRY(tl_sys_make_dir(path, TL_SYS_DIR_MODE, ctx));
        const tl_arena_mark mark = tl_arena_get_mark(e->arena);
        TL_TRY(make_houses(houses, e->arena, e, z, ctx));
        for (size_t m = 0; m < e->miners; m++) {
            const tl_arena_mark inner = tl_arena_get_mark(e->arena);
            tl_str object;
            TL_TRY(make_object(&object, e->arena, e, z, m, houses, order, ctx));
            path_of(path, e, z, m);
            FILE *f = fopen(path, "wb");
            if (f == NULL || fwrite(object.ptr, 1, object.len, f) != object.len || fclose(f) != 0) {
                return tl_fail(ctx, TL_ERR_IO, "cannot write \"%s\"", path);
            }
            tl_sha256(&e->hashes[z * e->miners + m], object.ptr, object.len);
            tl_arena_rewind(e->arena, inner);
        }
        tl_arena_rewind(e->arena, mark);
    }
    (void)snprintf(path, sizeof path, "%s/hashes", e->dir);
    return tl_sys_write_file(
        path, (tl_bytes){(const uint8_t *)e->hashes, e->zipcodes * e->miners * sizeof *e->hashes},
        0644, ctx);
}

/* --- running --- */

typedef struct zip_result {
    tl_arena *arena;
    tl_shard_result result;
    uint64_t bytes;
} zip_result;

typedef struct run {
    const epoch *e;
    tl_listings_params params;
    zip_result *zips;
    uint8_t **buffers; /* one a thread, of two objects */
    double seconds;
    double cpu_seconds;
} run;

static tl_err read_object(tl_bytes *out, uint8_t *buffer, const char *path, tl_errctx *ctx)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return tl_fail(ctx, TL_ERR_IO, "cannot open \"%s\"", path);
    }
    size_t len = 0;
    ssize_t got = 0;
    while (len < OBJECT_MAX && (got = read(fd, buffer + len, OBJECT_MAX - len)) > 0) {
        len += (size_t)got;
    }
    (void)close(fd);
    *out = (tl_bytes){buffer, len};
    return got == 0 ? TL_OK : tl_fail(ctx, TL_ERR_IO, "cannot read \"%s\"", path);
}

static tl_err add_object(tl_shard *shard, run *r, size_t zip, size_t miner, tl_bytes object,
                         const tl_hash32 *found, tl_arena *scratch, tl_errctx *ctx)
{
    if (tl_hash32_cmp(found, &r->e->hashes[zip * r->e->miners + miner]) != 0) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "an object is not what its hash says");
    }
    const tl_shard_entry entry = {.hotkey = tl_str_from_cstr(r->e->hotkeys[miner]),
                                  .coldkey = tl_str_from_cstr(r->e->hotkeys[miner]),
                                  .content_hash = *found,
                                  .received_ms = START_MS + 3600000 + (int64_t)miner,
                                  .objects = &object,
                                  .object_count = 1};
    return tl_shard_add(shard, &entry, scratch, ctx);
}

/* The objects of two miners, or of the last one. */
static tl_err add_miners(tl_shard *shard, run *r, size_t zip, size_t miner, uint8_t *buffer,
                         tl_arena *scratch, uint64_t *bytes, tl_errctx *ctx)
{
    char path[PATH_CAP];
    tl_bytes objects[2] = {{NULL, 0}, {NULL, 0}};
    tl_hash32 found[2];
    const size_t count = miner + 1 < r->e->miners ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        path_of(path, r->e, zip, miner + i);
        TL_TRY(read_object(&objects[i], buffer + i * OBJECT_MAX, path, ctx));
        *bytes += objects[i].len;
    }
    tl_sha256_two(found, objects[0], objects[1]);
    for (size_t i = 0; i < count; i++) {
        TL_TRY(add_object(shard, r, zip, miner + i, objects[i], &found[i], scratch, ctx));
    }
    return TL_OK;
}

static tl_err run_zip(void *self, size_t zip, size_t worker, tl_errctx *ctx)
{
    run *r = (run *)self;
    zip_result *out = &r->zips[zip];
    tl_shard *shard = NULL;
    tl_arena *scratch = NULL;
    const tl_shard_context context = {.params = &r->params,
                                      .epoch_id = TL_STR("2026-09-21T16-00-00"),
                                      .start_ms = START_MS,
                                      .deadline_ms = START_MS + EPOCH_MS,
                                      .beacon = TL_STR(BEACON),
                                      .place = &r->e->places[zip],
                                      .expected = r->e->rows};
    TL_TRY(tl_arena_new(&out->arena, NULL, 0, NULL, ctx));
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    tl_err err = tl_shard_new(&shard, out->arena, &context, ctx);
    for (size_t m = 0; err == TL_OK && m < r->e->miners; m += 2) {
        err = add_miners(shard, r, zip, m, r->buffers[worker], scratch, &out->bytes, ctx);
    }
    err = err == TL_OK ? tl_shard_finish(shard, &out->result, ctx) : err;
    tl_arena_free(scratch);
    return err;
}

/* Three validators that found every sample as claimed. */
static tl_err make_evidence(tl_evidence *out, run *r, tl_errctx *ctx)
{
    static const char passes[TL_SAMPLES_MAX + 1] = "PPPPPPPPPPPPPPP";
    size_t count = 0;
    for (size_t z = 0; z < r->e->zipcodes; z++) {
        count += r->zips[z].result.count;
    }
    tl_evidence_item *items = TL_NEW(r->e->arena, tl_evidence_item, count);
    if (items == NULL) {
        return tl_arena_fail(r->e->arena, ctx);
    }
    count = 0;
    for (size_t z = 0; z < r->e->zipcodes; z++) {
        for (size_t k = 0; k < r->zips[z].result.count; k++) {
            const tl_sheet *sheet = &r->zips[z].result.sheets[k];
            tl_evidence_item *item = &items[count++];
            *item = (tl_evidence_item){.content_hash = sheet->content_hash,
                                       .verdicts = {passes, sheet->sample_count}};
            memcpy(item->zipcode, r->e->places[z].zipcode, sizeof item->zipcode);
            TL_TRY(tl_ss58_decode(&item->hotkey, sheet->hotkey, ctx));
        }
    }
    TL_TRY(tl_evidence_sort(items, count, r->e->arena, ctx));
    *out = (tl_evidence){TL_STR("2026-09-21T16-00-00"), items, count};
    return TL_OK;
}

static tl_err race(tl_race_result *out, run *r, size_t *sheet_count, tl_errctx *ctx)
{
    tl_arena *arena = r->e->arena;
    tl_evidence evidence;
    TL_TRY(make_evidence(&evidence, r, ctx));
    tl_race_zipcode *zipcodes = TL_NEW(arena, tl_race_zipcode, r->e->zipcodes);
    tl_race_sheet *sheets = TL_NEW(arena, tl_race_sheet, evidence.count);
    tl_race_validator *validators = TL_NEW(arena, tl_race_validator, VALIDATORS);
    if (zipcodes == NULL || sheets == NULL || validators == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    size_t count = 0;
    for (size_t z = 0; z < r->e->zipcodes; z++) {
        zipcodes[z] = (tl_race_zipcode){.expected = r->e->rows};
        memcpy(zipcodes[z].zipcode, r->e->places[z].zipcode, sizeof zipcodes[z].zipcode);
        for (size_t k = 0; k < r->zips[z].result.count; k++) {
            memcpy(sheets[count].zipcode, zipcodes[z].zipcode, sizeof zipcodes[z].zipcode);
            sheets[count++].sheet = r->zips[z].result.sheets[k];
        }
    }
    for (size_t i = 0; i < VALIDATORS; i++) {
        validators[i] = (tl_race_validator){.hotkey = r->e->keys[i],
                                            .stake = tl_rao_from_i64(1000000000000),
                                            .evidence = &evidence};
    }
    *sheet_count = count;
    const tl_race_input input = {.params = &r->params,
                                 .epoch_id = evidence.epoch_id,
                                 .start_ms = START_MS,
                                 .deadline_ms = START_MS + EPOCH_MS,
                                 .nonce = TL_STR("0123456789abcdef0123456789abcdef"),
                                 .beacon = TL_STR(BEACON),
                                 .zipcodes = zipcodes,
                                 .zipcode_count = r->e->zipcodes,
                                 .sheets = sheets,
                                 .sheet_count = count,
                                 .validators = validators,
                                 .validator_count = VALIDATORS};
    return tl_race_run(out, arena, &input, ctx);
}

static void report(const run *r, const tl_race_result *result, size_t threads, size_t sheets)
{
    struct rusage usage;
    uint64_t listings = 0;
    uint64_t bytes = 0;
    size_t passed = 0;
    char hash[2 * sizeof(tl_hash32) + 1];
    for (size_t z = 0; z < r->e->zipcodes; z++) {
        listings += r->zips[z].result.listings;
        bytes += r->zips[z].bytes;
        for (size_t k = 0; k < r->zips[z].result.count; k++) {
            passed += r->zips[z].result.sheets[k].passes_tier2;
        }
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    tl_hex_write(hash, &result->roots.hash, sizeof result->roots.hash);
    (void)printf(
        "{\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"threads\":%zu,\"listings\":%llu,\"bytes\":%llu,"
        "\"sheets\":%zu,\"passed\":%zu,\"rss_mb\":%.1f,\"hash\":\"%s\"}\n",
        r->seconds, r->cpu_seconds, threads, (unsigned long long)listings,
        (unsigned long long)bytes, sheets, passed, (double)usage.ru_maxrss / 1024.0, hash);
}

/* Processor time of all threads: what the machine's other work leaves as it is. */
static double cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static tl_err measure(epoch *e, size_t threads, tl_errctx *ctx)
{
    char path[PATH_CAP];
    tl_str hashes;
    tl_pool *pool = NULL;
    run r = {.e = e};
    tl_race_result result;
    size_t sheets = 0;
    tl_listings_params_default(&r.params);
    (void)snprintf(path, sizeof path, "%s/hashes", e->dir);
    TL_TRY(tl_sys_read_file(&hashes, e->arena, path, TL_SYS_FILE_LEN_MAX, ctx));
    if (hashes.len != e->zipcodes * e->miners * sizeof *e->hashes) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "\"%s\" is of another epoch", path);
    }
    memcpy(e->hashes, hashes.ptr, hashes.len);
    r.zips = TL_NEW(e->arena, zip_result, e->zipcodes);
    r.buffers = TL_NEW(e->arena, uint8_t *, threads);
    if (r.zips == NULL || r.buffers == NULL) {
        return tl_arena_fail(e->arena, ctx);
    }
    for (size_t i = 0; i < threads; i++) {
        r.buffers[i] = tl_arena_alloc(e->arena, 2, OBJECT_MAX, 16);
        if (r.buffers[i] == NULL) {
            return tl_arena_fail(e->arena, ctx);
        }
    }
    tl_sys_keep_memory(); /* as the validator does */
    TL_TRY(tl_pool_new(&pool, threads, ctx));
    const double cpu_before = cpu_s();
    const double start = now_s();
    tl_err err = tl_pool_run(pool, e->zipcodes, run_zip, &r, ctx);
    err = err == TL_OK ? race(&result, &r, &sheets, ctx) : err;
    r.seconds = now_s() - start;
    r.cpu_seconds = cpu_s() - cpu_before;
    tl_pool_free(pool);
    if (err == TL_OK) {
        report(&r, &result, threads, sheets);
    }
    return err;
}

static tl_err dispatch(int argc, char **argv, tl_arena *arena, tl_errctx *ctx)
{
    epoch e = {.arena = NULL};
    if (argc == 6 && strcmp(argv[1], "make") == 0) {
        TL_TRY(open_epoch(&e, arena, argv, ctx));
        return make(&e, ctx);
    }
    if (argc == 7 && strcmp(argv[1], "run") == 0) {
        TL_TRY(open_epoch(&e, arena, argv, ctx));
        return measure(&e, strtoul(argv[6], NULL, 10), ctx);
    }
    return tl_fail(ctx, TL_ERR_USAGE,
                   "usage: tally_listings make|run DIR MINERS ZIPCODES ROWS [THREADS]");
}

int main(int argc, char **argv)
{
    tl_arena *arena = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = tl_arena_new(&arena, NULL, (size_t)8 << 30, NULL, &ctx);
    if (err == TL_OK) {
        err = dispatch(argc, argv, arena, &ctx);
    }
    if (err != TL_OK) {
        (void)fprintf(stderr, "tally_listings: %s\n", ctx.message);
    }
    tl_arena_free(arena);
    return tl_err_exit(err);
}
