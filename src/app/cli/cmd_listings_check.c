/* tally listings check: what the validator will say of submission objects, from the validator's own code. */
#include <string.h>

#include "app/cli/cli.h"
#include "app/cli/listings_check.h"
#include "app/data/data.h"
#include "base/vec/vec.h"
#include "core/codec/csv/csv.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/record/record.h"
#include "core/listings/shard/shard.h"
#include "core/num/stats/stats.h"

#define MILLION  1e6
#define EPOCH_MS (INT64_C(1000) * TL_SLOT_SECONDS)

/* What a call asks for. */
typedef struct request {
    char zipcode[6];
    uint32_t expected;
    bool is_compat;
    tl_compat_code code;
    int64_t start_ms;
    int64_t deadline_ms;
    const tl_places *places; /* NULL: there is no table */
    tl_place place;
    tl_listings_params params;
    const tl_app_world *world; /* NULL: nobody asks it */
} request;

/* --- files --- */

/* A file's bytes in an arena of its own, which the caller frees. */
static tl_err read_object(tl_arena **out_arena, tl_str *out, const tl_app *app, const char *path,
                          tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    TL_TRY(tl_arena_new(&arena, app->arena, 0, NULL, ctx));
    const tl_err err = tl_sys_read_text(out, arena, path, TL_RECORD_LEN_MAX, ctx);
    if (err != TL_OK) {
        tl_arena_free(arena);
        return err;
    }
    *out_arena = arena;
    return TL_OK;
}

/* The scrape times of a file's listings as far as they can be read; *latest stays when there is none. */
static tl_err list_scrapes(tl_vec *times, int64_t *latest, const tl_app *app, const char *path,
                           tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_str object = {NULL, 0};
    TL_TRY(read_object(&arena, &object, app, path, ctx));
    tl_listing_reader reader;
    bool has_listing = true;
    tl_err err = tl_record_open(&reader, arena, object, 0, NULL);
    const tl_arena_mark mark = tl_arena_get_mark(arena);
    while (err == TL_OK && has_listing) {
        tl_listing l;
        err = tl_record_next(&reader, &l, &has_listing, NULL);
        const bool has_time = err == TL_OK && has_listing &&
                              (l.readable >> TL_FIELD_SCRAPED_TIMESTAMP & 1) != 0 &&
                              l.scraped_ms >= 0 && l.scraped_ms < TL_SLOT_MS_CEILING;
        if (has_time) {
            double *const time = (double *)tl_vec_push(times);
            if (time == NULL) {
                tl_arena_free(arena);
                return tl_arena_fail(times->arena, ctx);
            }
            *time = (double)l.scraped_ms;
            *latest = l.scraped_ms > *latest ? l.scraped_ms : *latest;
        }
        tl_arena_rewind(arena, mark);
    }
    tl_arena_free(arena); /* what is wrong with the object is told later, by who judges it */
    return TL_OK;
}

/* --- the epoch --- */

/* A moment as listings write it, an epoch's id, or Unix seconds. */
static tl_err read_moment(int64_t *out_ms, const tl_cmd_call *call, const char *name,
                          tl_errctx *ctx)
{
    const tl_str text = tl_str_from_cstr(tl_cmd_text(call, name));
    int64_t seconds = 0;
    if (tl_record_moment(out_ms, text) || tl_slot_parse(out_ms, text, NULL) == TL_OK) {
        return TL_OK;
    }
    if (tl_str_parse_i64(&seconds, text) && seconds >= 0 && seconds < TL_SLOT_MS_CEILING / 1000) {
        *out_ms = seconds * 1000;
        return TL_OK;
    }
    return tl_fail_field(ctx, TL_ERR_USAGE, name,
                         "\"%.*s\" is no time: 2025-10-03T04:00:00Z, an epoch's id or Unix seconds",
                         TL_STR_ARG(tl_str_slice(text, 0, 40)));
}

/* What was given; else the four hours that hold the middle one of all scrape times; else those of the clock. */
static tl_err find_epoch(request *r, const tl_cmd_call *call, tl_vec *times, tl_errctx *ctx)
{
    const bool has_start = tl_cmd_is_given(call, "epoch-start");
    const bool has_deadline = tl_cmd_is_given(call, "deadline");
    if (has_start) {
        TL_TRY(read_moment(&r->start_ms, call, "epoch-start", ctx));
    }
    if (has_deadline) {
        TL_TRY(read_moment(&r->deadline_ms, call, "deadline", ctx));
    }
    if (!has_start && !has_deadline) {
        const tl_clock clock = tl_sys_clock();
        double *const items = (double *)times->items;
        int64_t middle = tl_clock_wall_ns(&clock) / 1000000;
        if (times->count != 0) {
            tl_sort_f64(items, times->count);
            middle = (int64_t)items[times->count / 2];
        }
        r->start_ms = tl_slot_start(middle, TL_SLOT_SECONDS);
    }
    if (!has_deadline) {
        r->deadline_ms = r->start_ms + EPOCH_MS;
    } else if (!has_start) {
        r->start_ms = r->deadline_ms - EPOCH_MS;
    }
    if (r->deadline_ms <= r->start_ms) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "deadline", "the deadline is not after the start");
    }
    return TL_OK;
}

/* --- the request --- */

static tl_err read_profile(request *r, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *const code = tl_cmd_text(call, "code");
    r->is_compat = tl_str_eq_cstr(tl_str_from_cstr(tl_cmd_text(call, "profile")), "compat");
    if (code != NULL && !r->is_compat) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "code", "only the profile compat has versions");
    }
    if (code != NULL && !tl_compat_code_parse(&r->code, tl_str_from_cstr(code))) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "code",
                             "\"%s\" is no version: 2025-10-03, 2025-10-29 or 2025-11-26", code);
    }
    return TL_OK;
}

/* The place by the table; one that no table knows is compared by its zipcode alone. */
static tl_err find_place(request *r, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_places *const places = TL_NEW(app->arena, tl_places, 1);
    if (places == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    const char *const path = tl_cmd_text(call, "zipcodes");
    const tl_err err = tl_data_zipcodes(places, app->arena, path, ctx);
    if (err != TL_OK && (path != NULL || err != TL_ERR_NOT_FOUND)) {
        return err;
    }
    const tl_place *const place =
        err == TL_OK ? tl_place_find(places, tl_str_from_cstr(r->zipcode)) : NULL;
    if (place != NULL) {
        r->place = *place;
        r->places = places;
    } else {
        tl_errctx_reset(ctx);
        tl_app_say(app,
                   "no table of zipcodes has %s: cities, states and coordinates are not compared",
                   r->zipcode);
        memcpy(r->place.zipcode, r->zipcode, sizeof r->place.zipcode);
    }
    return TL_OK;
}

static tl_err read_request(request *r, const tl_cmd_call *call, tl_errctx *ctx)
{
    memset(r, 0, sizeof *r);
    if (!tl_record_zipcode(r->zipcode, tl_str_from_cstr(tl_cmd_text(call, "zipcode")))) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "zipcode", "\"%s\" is no zipcode",
                             tl_cmd_text(call, "zipcode"));
    }
    const uint64_t expected = tl_cmd_u64(call, "expected");
    if (expected > TL_SHARD_EXPECTED_MAX) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "expected", "%llu listings, above %u",
                             (unsigned long long)expected, TL_SHARD_EXPECTED_MAX);
    }
    r->expected = (uint32_t)expected;
    tl_listings_params_default(&r->params);
    return read_profile(r, call, ctx);
}

static tl_err open_world(request *r, tl_app *app, const tl_cmd_call *call, tl_errctx *ctx)
{
    const char *const path = tl_cmd_text(call, "reference");
    const size_t map_count = tl_cmd_count(call, "map");
    if (path == NULL) {
        return map_count == 0 ? TL_OK
                              : tl_fail_field(ctx, TL_ERR_USAGE, "map",
                                              "there is no table to map: --reference FILE");
    }
    const char **const maps = TL_NEW(app->arena, const char *, map_count);
    if (maps == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    for (size_t i = 0; i < map_count; i++) {
        maps[i] = tl_cmd_text_at(call, "map", i);
    }
    tl_str csv = {NULL, 0};
    tl_app_world *world = NULL;
    TL_TRY(tl_sys_read_text(&csv, app->arena, path, TL_CSV_LEN_MAX, ctx));
    const tl_err err = tl_app_world_open(&world, app->arena, csv, r->zipcode, maps, map_count, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", path);
        return err;
    }
    r->world = world;
    return TL_OK;
}

/* --- a line a file --- */

void tl_app_check_add_rate(tl_app_check_line *line, const char *name, double value)
{
    TL_ASSERT(line->rate_count < TL_APP_CHECK_RATES_MAX);
    line->rates[line->rate_count++] = (tl_app_check_rate){name, value};
}

/* 25, 35, 25 and 15 parts (listings spec section 9); where nobody asked the world, of the three others. */
static double quality_of(const tl_app_check_line *l)
{
    const double known = 0.25 * l->data_quality + 0.25 * l->completeness + 0.15 * l->timeliness;
    return l->has_accuracy ? known + 0.35 * l->accuracy : known / 0.65;
}

static void put_f64(tl_json_writer *w, const char *key, double value)
{
    tl_json_put_key(w, key);
    tl_json_put_f64(w, value);
}

static void put_findings(tl_json_writer *w, const tl_app_check_line *l)
{
    tl_json_put_key(w, "findings");
    tl_json_put_array(w);
    for (size_t i = 0; i < l->finding_count; i++) {
        const tl_finding *const f = &l->findings[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "rule");
        tl_json_put_cstr(w, tl_listing_rule_name(f->rule));
        put_f64(w, "rate", f->rate_millionths / MILLION);
        tl_json_put_key(w, "count");
        tl_json_put_u64(w, f->count);
        tl_json_put_key(w, "indices");
        tl_json_put_array(w);
        for (uint32_t k = 0; k < f->index_count; k++) {
            tl_json_put_u64(w, f->indices[k]);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "peer");
        if (f->peer.len != 0) {
            tl_json_put_str(w, f->peer);
        } else {
            tl_json_put_null(w);
        }
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_parts(tl_json_writer *w, const tl_app_check_line *l)
{
    put_f64(w, "quality", quality_of(l));
    tl_json_put_key(w, "quality_parts");
    tl_json_put_object(w);
    put_f64(w, "data_quality", l->data_quality);
    tl_json_put_key(w, "accuracy");
    if (l->has_accuracy) {
        tl_json_put_f64(w, l->accuracy);
    } else {
        tl_json_put_null(w);
    }
    put_f64(w, "completeness", l->completeness);
    put_f64(w, "timeliness", l->timeliness);
    tl_json_put_end(w);
}

static void put_json(tl_sb *sb, const tl_app_check_line *l)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "file");
    tl_json_put_cstr(&w, l->file);
    tl_json_put_key(&w, "passes");
    tl_json_put_bool(&w, l->passes);
    tl_json_put_key(&w, "tier");
    if (l->tier != 0) {
        tl_json_put_u64(&w, l->tier);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_key(&w, "rates");
    tl_json_put_object(&w);
    for (size_t i = 0; i < l->rate_count; i++) {
        put_f64(&w, l->rates[i].name, l->rates[i].value);
    }
    tl_json_put_end(&w);
    put_findings(&w, l);
    tl_json_put_key(&w, "synthetic");
    tl_json_put_bool(&w, l->is_synthetic);
    put_f64(&w, "confidence", l->confidence);
    put_parts(&w, l);
    tl_json_put_key(&w, "error");
    if (l->error.len != 0) {
        tl_json_put_str(&w, l->error);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_text(tl_sb *sb, const tl_app_check_line *l)
{
    tl_sb_printf(sb, "%s  %s", l->passes ? "ok  " : "bad ", l->file);
    if (l->tier != 0) {
        tl_sb_printf(sb, "  fails tier %u", l->tier);
    }
    if (l->error.len != 0) {
        tl_sb_printf(sb, "  %.*s", TL_STR_ARG(l->error));
    }
    tl_sb_put_char(sb, '\n');
    for (size_t i = 0; i < l->finding_count; i++) {
        const tl_finding *const f = &l->findings[i];
        tl_sb_printf(sb, "      %-14s %3u.%02u%%", tl_listing_rule_name(f->rule),
                     f->rate_millionths / 10000, f->rate_millionths / 100 % 100);
        for (uint32_t k = 0; k < f->index_count; k++) {
            tl_sb_printf(sb, "%s%u", k == 0 ? "  rows " : " ", f->indices[k]);
        }
        if (f->peer.len != 0) {
            tl_sb_printf(sb, "  like %.*s", TL_STR_ARG(f->peer));
        }
        tl_sb_put_char(sb, '\n');
    }
}

/* The line as far as the object itself says it; then what the world says, and out. */
static tl_err tell(tl_app *app, tl_app_check_line *line, const request *r, tl_errctx *ctx)
{
    if (r->world != NULL) {
        tl_arena *arena = NULL;
        tl_str object = {NULL, 0};
        TL_TRY(read_object(&arena, &object, app, line->file, ctx));
        const tl_err err =
            tl_app_world_judge(line, app->arena, r->world, object, r->zipcode, &r->params, ctx);
        tl_arena_free(arena);
        TL_TRY(err);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    (app->is_json ? put_json : put_text)(&sb, line);
    if (!line->passes) {
        tl_app_check_failed(app);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

/* --- the profile tally --- */

static void fill_line(tl_app_check_line *out, const tl_sheet *s, tl_str fault, uint32_t expected)
{
    const double n = s->rows != 0 ? s->rows : 1;
    bool is_kept = s->is_disqualified;
    for (size_t i = 0; i < s->finding_count; i++) { /* core/listings/race gives these no place */
        is_kept = is_kept || s->findings[i].rule == TL_LISTING_COPY ||
                  s->findings[i].rule == TL_LISTING_SYBIL;
    }
    out->tier = !s->passes_tier1 ? 1 : !s->passes_tier2 ? 2 : 0;
    out->passes = out->tier == 0 && !is_kept;
    out->is_synthetic = s->is_synthetic;
    out->confidence = s->confidence_millionths / MILLION;
    out->data_quality = s->data_quality_millionths / MILLION;
    out->completeness = s->completeness_millionths / MILLION;
    out->timeliness = s->timeliness_millionths / MILLION;
    out->findings = s->findings;
    out->finding_count = s->finding_count;
    out->error = fault;
    tl_app_check_add_rate(out, "quantity", expected != 0 ? (double)s->rows / expected : 0);
    tl_app_check_add_rate(out, "completeness", s->complete / n);
    tl_app_check_add_rate(out, "values", s->reasonable / n);
    tl_app_check_add_rate(out, "consistency", s->consistent / n);
    tl_app_check_add_rate(out, "duplicates", (s->rows - s->distinct) / n);
}

/* When a file counts as received: when its last row was scraped, but after the files before it, and within the epoch. */
static int64_t receive(int64_t latest, int64_t before, const request *r, size_t left)
{
    const int64_t last = r->deadline_ms - (int64_t)left;
    int64_t at = latest > before ? latest : before + 1;
    at = at < r->start_ms ? r->start_ms : at;
    return at < last ? at : last;
}

static tl_err add_file(tl_shard *shard, const tl_app *app, const char *path, int64_t received_ms,
                       tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_str object = {NULL, 0};
    TL_TRY(read_object(&arena, &object, app, path, ctx));
    const tl_bytes bytes = tl_str_bytes(object);
    tl_shard_entry entry = {.hotkey = tl_str_from_cstr(path),
                            .received_ms = received_ms,
                            .objects = &bytes,
                            .object_count = 1};
    tl_sha256(&entry.content_hash, object.ptr, object.len);
    const tl_err err = tl_shard_add(shard, &entry, arena, ctx);
    tl_arena_free(arena);
    return err;
}

static tl_err check_tally(tl_app *app, const request *r, const tl_cmd_call *call,
                          const int64_t *latest, tl_errctx *ctx)
{
    const tl_shard_context context = {.params = &r->params,
                                      .epoch_id = TL_STR(""),
                                      .start_ms = r->start_ms,
                                      .deadline_ms = r->deadline_ms,
                                      .beacon = TL_STR(""),
                                      .place = &r->place,
                                      .places = r->places,
                                      .expected = r->expected};
    tl_shard *shard = NULL;
    TL_TRY(tl_shard_new(&shard, app->arena, &context, ctx));
    int64_t at = r->start_ms - 1;
    for (size_t i = 0; i < call->arg_count; i++) {
        at = receive(latest[i], at, r, call->arg_count - 1 - i);
        TL_TRY(add_file(shard, app, call->args[i], at, ctx));
    }
    tl_shard_result result;
    TL_TRY(tl_shard_finish(shard, &result, ctx));
    for (size_t i = 0; i < call->arg_count; i++) {
        tl_app_check_line line = {.file = call->args[i]};
        for (size_t k = 0; k < result.count; k++) {
            if (tl_str_eq_cstr(result.sheets[k].hotkey, line.file)) {
                fill_line(&line, &result.sheets[k], result.faults[k], r->expected);
            }
        }
        TL_TRY(tell(app, &line, r, ctx));
    }
    return TL_OK;
}

/* --- the profile compat --- */

static tl_err check_compat(tl_app *app, const request *r, const tl_cmd_call *call,
                           const int64_t *latest, tl_errctx *ctx)
{
    for (size_t i = 0; i < call->arg_count; i++) {
        tl_app_check_line line = {.file = call->args[i]};
        tl_arena *arena = NULL;
        tl_str object = {NULL, 0};
        TL_TRY(read_object(&arena, &object, app, line.file, ctx));
        tl_err err =
            tl_app_check_compat(&line, arena, object, r->code, tl_str_from_cstr(r->zipcode),
                                r->expected, r->deadline_ms, ctx);
        if (err == TL_OK) {
            const int64_t left = r->deadline_ms - receive(latest[i], r->start_ms, r, 0);
            line.timeliness = (double)left / (double)(r->deadline_ms - r->start_ms);
            err = tell(app, &line, r, ctx);
        }
        tl_arena_free(arena);
        TL_TRY(err);
    }
    return TL_OK;
}

static tl_err run_check(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *const app = (tl_app *)self;
    request r;
    TL_TRY(read_request(&r, call, ctx));
    int64_t *const latest = TL_NEW(app->arena, int64_t, call->arg_count);
    if (latest == NULL) {
        return tl_arena_fail(app->arena, ctx);
    }
    tl_vec times;
    tl_vec_init(&times, app->arena, sizeof(double));
    for (size_t i = 0; i < call->arg_count; i++) {
        TL_TRY(list_scrapes(&times, &latest[i], app, call->args[i], ctx));
    }
    TL_TRY(find_epoch(&r, call, &times, ctx));
    TL_TRY(open_world(&r, app, call, ctx));
    if (r.is_compat) {
        return check_compat(app, &r, call, latest, ctx);
    }
    TL_TRY(find_place(&r, app, call, ctx));
    return check_tally(app, &r, call, latest, ctx);
}

static const char *const profiles[] = {"tally", "compat", NULL};

static const tl_cmd_option options[] = {
    {.name = "zipcode",
     .type = TL_CMD_TEXT,
     .metavar = "Z",
     .help = "the zipcode that was assigned",
     .is_required = true},
    {.name = "expected",
     .type = TL_CMD_U64,
     .metavar = "N",
     .help = "how many listings the assignment expects there",
     .is_required = true},
    {.name = "reference",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a CSV table of houses that stands for the world, as 'listings evaluate' reads it: "
             "every row is held against it"},
    {.name = "map",
     .type = TL_CMD_TEXT,
     .metavar = "FIELD=COLUMN,...",
     .help = "what the table's columns are, where their names do not tell",
     .is_repeatable = true},
    {.name = "epoch-start",
     .type = TL_CMD_TEXT,
     .metavar = "T",
     .help = "when the epoch begins: 2025-10-03T00:00:00Z, its id, or Unix seconds (default four "
             "hours before the deadline; without both, the four hours that the listings name)"},
    {.name = "deadline",
     .type = TL_CMD_TEXT,
     .metavar = "T",
     .help = "when it ends (default four hours after its start)"},
    {.name = "profile",
     .type = TL_CMD_CHOICE,
     .metavar = "P",
     .fallback = "tally",
     .choices = profiles,
     .help = "whose rules: tally, or compat, the original's"},
    {.name = "code",
     .type = TL_CMD_TEXT,
     .metavar = "VERSION",
     .help = "of the original: 2025-10-03 (the default), 2025-10-29 or 2025-11-26"},
    {.name = "zipcodes",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a table of zipcodes (default the one that ships with the program)"},
};
static const tl_cmd_option args[] = {
    {.name = "file",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "a submission's object: {\"zipcode\",\"listings\":[...]}",
     .is_required = true,
     .is_repeatable = true},
};
static const char *const examples[] = {
    "tally listings check tests/e2e/listings/98103.json --zipcode 98103 --expected 12", NULL};

const tl_cmd tl_cli_listings_check = {
    .name = "listings check",
    .summary = "what the validator will say of a submission",
    .text = "Each file is one miner's object; several are judged together, for copies, and count "
            "as received in the order given, each when its last row was scraped. A file passes "
            "when it fails no tier and nothing else keeps it from a place. Nobody knows before "
            "the deadline which rows the spot check draws. Exit code 1 when a file fails.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args = args,
    .arg_count = 1,
    .examples = examples,
    .run = run_check,
};
