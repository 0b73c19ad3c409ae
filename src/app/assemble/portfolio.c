/* portfolio.c: a file of signals and a table of prices become one settled epoch (portfolio spec, section 6). */
#include "core/subnet/portfolio/portfolio.h"
#include "app/assemble/assemble.h"
#include "core/codec/canon/canon.h"
#include "core/num/stats/stats.h"

#define LINE_LEN_MAX ((size_t)4 << 20)

/* What is being put together. */
typedef struct work {
    tl_arena *arena;
    const tl_subnet *subnet;
    tl_road_params params;
    tl_str parameters; /* canonical */
    const tl_json *given;
    tl_submission *all;
    size_t count;
    tl_submission *settled; /* of the latest epoch, and those that name none */
    size_t settled_count;
    tl_str epoch_id;
    tl_epoch_span span;
    tl_validator_view *views;
    size_t view_count;
    tl_str balances; /* canonical objects, or empty */
    tl_str stakes;
    tl_price_table table;
    size_t from; /* rows of the table that are evidence */
    size_t to;
    tl_str evidence;
    tl_carry carry;
} work;

/* A byte order mark, as some editors write it, is no part of a text. */
static tl_str without_mark(tl_str text)
{
    const tl_str mark = TL_STR("\xef\xbb\xbf");
    return tl_str_starts_with(text, mark) ? tl_str_slice(text, mark.len, text.len) : text;
}

/* --- parameters --- */

static const char *const own_members[] = {"validators", "balances_rao", "stakes_rao", NULL};

static tl_err read_engine_parameters(work *k, tl_str given, tl_errctx *ctx)
{
    if (given.len > 0) {
        TL_TRY(tl_json_parse(&k->given, k->arena, without_mark(given), NULL, ctx));
    }
    tl_sb sb;
    tl_sb_init(&sb, k->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    TL_TRY(tl_road_params_put(&w, k->subnet, k->given, own_members, k->arena, ctx));
    TL_TRY(tl_sb_finish(&k->parameters, &sb, ctx));
    const tl_json *tree = NULL;
    TL_TRY(tl_json_parse(&tree, k->arena, k->parameters, NULL, ctx));
    return tl_road_params_read(&k->params, k->subnet, tree, ctx);
}

static tl_err read_validator(tl_validator_view *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str hotkey = {NULL, 0};
    int64_t stake = 0;
    TL_TRY(tl_json_want_str(&hotkey, item, "hotkey", ctx));
    const tl_err err = tl_ss58_decode(&out->hotkey, hotkey, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "hotkey");
        return err;
    }
    TL_TRY(tl_json_want_i64(&stake, item, "stake_rao", ctx));
    if (stake < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "stake_rao", "%lld is below 0", (long long)stake);
    }
    out->stake = tl_rao_from_i64(stake);
    out->has_feed = true;
    return TL_OK;
}

static tl_err read_validators(work *k, tl_errctx *ctx)
{
    const tl_json *list = tl_json_get(k->given, "validators");
    k->view_count = list != NULL ? list->count : TL_ASSEMBLE_VALIDATORS;
    if (list != NULL && (list->kind != TL_JSON_ARRAY || list->count == 0)) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "validators",
                             "is no list of at least one validator");
    }
    k->views = TL_NEW(k->arena, tl_validator_view, k->view_count);
    if (k->views == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    if (list == NULL) {
        tl_assemble_default_validators(k->views);
        return TL_OK;
    }
    tl_rao whole = TL_RAO_ZERO;
    for (uint32_t i = 0; i < list->count; i++) {
        tl_err err = read_validator(&k->views[i], &list->items[i], ctx);
        err = err != TL_OK ? err : tl_rao_add(&whole, whole, k->views[i].stake, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "validators[%u]", i);
            return err;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (tl_hotkey_eq(&k->views[j].hotkey, &k->views[i].hotkey)) {
                return tl_fail_field(ctx, TL_ERR_DUPLICATE, "validators",
                                     "validators[%u] is validators[%u] again", i, j);
            }
        }
    }
    return TL_OK;
}

/* An object of amounts by hotkey, as canonical text; empty when it is not given. */
static tl_err amounts(tl_str *out, const work *k, const char *key, tl_errctx *ctx)
{
    const tl_json *object = tl_json_get(k->given, key);
    *out = (tl_str){NULL, 0};
    if (object == NULL || object->kind == TL_JSON_NULL) {
        return TL_OK;
    }
    if (object->kind != TL_JSON_OBJECT) {
        return tl_fail_field(ctx, TL_ERR_TYPE, key, "is no object of amounts by hotkey");
    }
    for (uint32_t i = 0; i < object->count; i++) {
        int64_t rao = 0;
        TL_TRY(tl_json_as_i64(&rao, &object->members[i].value, key, ctx));
        if (rao < 0) {
            return tl_fail_field(ctx, TL_ERR_RANGE, key, "%lld is below 0", (long long)rao);
        }
    }
    tl_sb sb;
    tl_sb_init(&sb, k->arena);
    TL_TRY(tl_canon_json(&sb, object, k->arena, ctx));
    return tl_sb_finish(out, &sb, ctx);
}

/* Everything that the file of parameters says. */
static tl_err read_parameters(work *k, tl_str given, tl_errctx *ctx)
{
    TL_TRY(read_engine_parameters(k, given, ctx));
    TL_TRY(read_validators(k, ctx));
    TL_TRY(amounts(&k->balances, k, "balances_rao", ctx));
    return amounts(&k->stakes, k, "stakes_rao", ctx);
}

/* --- signals --- */

static tl_err read_signal(tl_submission *out, work *k, tl_str line, uint32_t number, tl_errctx *ctx)
{
    const tl_json *tree = NULL;
    tl_err err = line.len > LINE_LEN_MAX
                     ? tl_fail(ctx, TL_ERR_LIMIT, "longer than %zu bytes", LINE_LEN_MAX)
                     : tl_json_parse(&tree, k->arena, line, NULL, ctx);
    err = err != TL_OK ? err
                       : tl_road_submission_read(out, k->arena, k->subnet, &k->params, tree, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "signals, line %u", number);
        tl_errctx_at(ctx, ctx != NULL ? ctx->offset : 0, number, ctx != NULL ? ctx->column : 0);
    }
    return err;
}

static tl_err read_signals(work *k, tl_str text, tl_errctx *ctx)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n' ? 1U : 0U;
    }
    k->all = TL_NEW(k->arena, tl_submission, lines);
    if (k->all == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    tl_str rest = without_mark(text);
    tl_str line = {NULL, 0};
    for (uint32_t number = 1; tl_str_split(&line, &rest, '\n'); number++) {
        if (tl_str_trim(line).len > 0) {
            TL_TRY(read_signal(&k->all[k->count], k, line, number, ctx));
            k->count++;
        }
    }
    return tl_road_submissions_sort(k->all, k->count, k->subnet, k->arena, ctx);
}

static int span_cmp(const tl_submission *a, const tl_submission *b)
{
    if (a->span.first != b->span.first) {
        return a->span.first < b->span.first ? -1 : 1;
    }
    return (a->span.last > b->span.last) - (a->span.last < b->span.last);
}

static tl_err find_latest_epoch(work *k, tl_errctx *ctx)
{
    const tl_submission *latest = NULL;
    for (size_t i = 0; i < k->count; i++) {
        if (k->all[i].has_span && (latest == NULL || span_cmp(&k->all[i], latest) > 0)) {
            latest = &k->all[i];
        }
    }
    if (latest == NULL) {
        return tl_fail(ctx, TL_ERR_MISSING, "signals: none names an epoch");
    }
    k->epoch_id = latest->epoch_id;
    k->span = latest->span;
    k->settled = TL_NEW(k->arena, tl_submission, k->count);
    if (k->settled == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    for (size_t i = 0; i < k->count; i++) {
        if (!k->all[i].has_span || tl_str_eq(k->all[i].epoch_id, k->epoch_id)) {
            k->settled[k->settled_count++] = k->all[i];
        }
    }
    return TL_OK;
}

/* --- earlier epochs: only their admissions count; what is admitted makes the records --- */

static tl_err open_world(void **out, work *k, tl_errctx *ctx)
{
    const tl_json *inputs = NULL;
    const tl_json *evidence = NULL;
    TL_TRY(tl_json_parse(&inputs, k->arena, TL_STR("{\"records\":[]}"), NULL, ctx));
    TL_TRY(tl_json_parse(&evidence, k->arena, k->evidence, NULL, ctx));
    const tl_subnet_task task = {k->epoch_id, k->span, inputs, evidence, k->params.subnet};
    return k->subnet->open(out, k->arena, &task, ctx);
}

/* The next epoch after `after` among the signals, or false. */
static bool next_epoch(const tl_submission **out, const work *k, const tl_submission *after)
{
    const tl_submission *next = NULL;
    for (size_t i = 0; i < k->count; i++) {
        const tl_submission *s = &k->all[i];
        const bool is_later = s->has_span && (after == NULL || span_cmp(s, after) > 0);
        if (is_later && (next == NULL || span_cmp(s, next) < 0)) {
            next = s;
        }
    }
    *out = next;
    return next != NULL && !tl_str_eq(next->epoch_id, k->epoch_id);
}

static tl_err live_one_epoch(work *k, const void *world, const tl_submission *of, tl_errctx *ctx)
{
    size_t count = 0;
    for (size_t i = 0; i < k->count; i++) {
        count += tl_str_eq(k->all[i].epoch_id, of->epoch_id);
    }
    tl_submission *own = TL_NEW(k->arena, tl_submission, count);
    if (own == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    for (size_t i = 0, at = 0; i < k->count; i++) {
        if (tl_str_eq(k->all[i].epoch_id, of->epoch_id)) {
            own[at++] = k->all[i];
        }
    }
    tl_admission *admissions = TL_NEW(k->arena, tl_admission, count);
    if (admissions == NULL) {
        return tl_arena_fail(k->arena, ctx);
    }
    TL_TRY(tl_road_admit(admissions, k->arena, k->subnet, world, &k->params, of->epoch_id,
                         &k->carry, NULL, own, count, ctx));
    return tl_carry_advance(&k->carry, k->arena, &k->carry, &k->params, of->epoch_id, own,
                            admissions, count, ctx);
}

static tl_err live_earlier_epochs(work *k, tl_errctx *ctx)
{
    void *world = NULL;
    TL_TRY(open_world(&world, k, ctx));
    const tl_submission *epoch = NULL;
    while (next_epoch(&epoch, k, epoch)) {
        TL_TRY(live_one_epoch(k, world, epoch, ctx));
    }
    return TL_OK;
}

static tl_err read_prices(work *k, tl_str prices, tl_errctx *ctx)
{
    const tl_submission *first = NULL;
    (void)next_epoch(&first, k, NULL);
    TL_TRY(tl_price_table_read(&k->table, k->arena, prices, ctx));
    return tl_assemble_rows(&k->from, &k->to, &k->table, first->span.first, k->span, k->epoch_id,
                            ctx);
}

static tl_err gather_evidence(work *k, tl_str prices, tl_errctx *ctx)
{
    const tl_price_table *tables[1] = {&k->table};
    tl_err err = read_prices(k, prices, ctx);
    err = err != TL_OK ? err
                       : tl_assemble_evidence(&k->evidence, k->arena, tables, 1, k->from, k->to,
                                              k->views, k->view_count, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "prices");
    }
    return err;
}

static tl_err put_records(tl_str *out, const work *k, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, k->arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_carry_put(&w, k->subnet, &k->carry);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_assemble_portfolio(tl_assembled *out, tl_arena *arena, tl_str prices, tl_str signals,
                             tl_str given, tl_errctx *ctx)
{
    work k = {.arena = arena, .subnet = &tl_subnet_portfolio};
    const tl_err err = read_parameters(&k, given, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "parameters");
        return err;
    }
    TL_TRY(read_signals(&k, signals, ctx));
    TL_TRY(find_latest_epoch(&k, ctx));
    TL_TRY(gather_evidence(&k, prices, ctx));
    TL_TRY(live_earlier_epochs(&k, ctx));
    tl_assemble_inputs_spec spec = {.epoch_id = k.epoch_id,
                                    .submissions = k.settled,
                                    .submission_count = k.settled_count,
                                    .validators = k.views,
                                    .validator_count = k.view_count,
                                    .balances = k.balances,
                                    .stakes = k.stakes};
    for (size_t i = 0; i < k.settled_count; i++) {
        const uint64_t end = k.settled[i].commit_height + k.params.reveal_expiry_blocks;
        spec.height = end > spec.height ? end : spec.height;
    }
    TL_TRY(put_records(&spec.records, &k, ctx));
    tl_str inputs = {NULL, 0};
    TL_TRY(tl_assemble_inputs(&inputs, arena, k.subnet, &spec, ctx));
    return tl_assemble_publish(out, arena, k.subnet, inputs, k.evidence, k.parameters, ctx);
}
