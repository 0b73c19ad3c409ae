/* The run: epochs one after the other; bundles read back and run again; flags, standings, the ledger. */
#include "app/listdemo/listdemo.h"

#include <string.h>

#include "app/listdemo/listdemo_internal.h"
#include "base/vec/vec.h"
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"
#include "io/store/store.h"
#include "io/sys/sys.h"

#define EPOCH_ARENA_MAX ((size_t)2 << 30)
#define BUNDLE_LEN_MAX  ((size_t)256 << 20)
#define STEPS_AN_EPOCH  4
#define YEAR_BEGIN_MS   INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define SLOTS           1800                   /* of the year, among which the seed chooses */

typedef struct run {
    tl_arena *arena;
    const tl_listdemo_options *options;
    const tl_listdemo_watch *watch;
    tl__play *play;
    tl_ledger *ledger;
    tl_store *store;
    uint64_t stored; /* entries */
    tl_listdemo_chapter *chapters;
    size_t chapter_count;
    tl_vec flags;                                        /* tl_listdemo_flag */
    tl_listdemo_standing standings[TL_LISTDEMO_MEMBERS]; /* by member */
    tl_rao burned;
    uint64_t done;
} run;

static void step(run *r)
{
    r->done++;
    if (r->watch != NULL && r->watch->step != NULL) {
        r->watch->step(r->watch->self, r->done, (uint64_t)r->options->epochs * STEPS_AN_EPOCH + 1);
    }
}

static tl_err tell(const run *r, tl_str text, tl_errctx *ctx)
{
    return r->watch != NULL && r->watch->text != NULL ? r->watch->text(r->watch->self, text, ctx)
                                                      : TL_OK;
}

/* --- the ledger --- */

static tl_err open_ledger(run *r, tl_errctx *ctx)
{
    const tl_ledger_options options = {.ante_min = tl_rao_from_i64(1)};
    TL_TRY(tl_store_open(&r->store, r->options->dir, TL_STORE_WRITE, ctx));
    return tl_ledger_new(&r->ledger, r->arena, &options, ctx);
}

static tl_err append_entries(run *r, tl_arena *arena, tl_errctx *ctx)
{
    for (uint64_t i = r->stored; i < tl_ledger_count(r->ledger); i++) {
        tl_store_entry entry = {.serial = i, .hash = tl_ledger_entry_at(r->ledger, i).hash};
        TL_TRY(tl_ledger_encode(&entry.body, r->ledger, i, arena, ctx));
        TL_TRY(tl_store_append_entry(r->store, &entry, ctx));
    }
    return TL_OK;
}

/* What is posted lies in the folder before it is told. */
static tl_err keep_entries(run *r, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(tl_store_begin(r->store, ctx));
    const tl_err err = append_entries(r, arena, ctx);
    if (err != TL_OK) {
        tl_store_rollback(r->store);
        return err;
    }
    TL_TRY(tl_store_commit(r->store, ctx));
    tl_ledger_seal(r->ledger);
    r->stored = tl_ledger_count(r->ledger);
    return TL_OK;
}

/* --- bundles --- */

/* From its file, with nothing of what is known here. */
static tl_err verify_one(tl_bundle *bundle, bool *is_ok, tl_hash32 *digest, tl_arena *arena,
                         const char *path, tl_errctx *ctx)
{
    static const tl_subnet *const subnets[] = {&tl_subnet_listings};
    tl_str bytes = {NULL, 0};
    tl_bundle_report report;
    TL_TRY(tl_sys_read_file(&bytes, arena, path, BUNDLE_LEN_MAX, ctx));
    TL_TRY(tl_bundle_read(bundle, arena, bytes, ctx));
    TL_TRY(tl_bundle_verify(&report, arena, bundle, subnets, 1, ctx));
    *is_ok = report.is_ok;
    *digest = report.digest;
    return TL_OK;
}

static tl_err verify_bundles(run *r, tl_listdemo_chapter *chapter, tl_bundle *first,
                             tl_arena *arena, tl_errctx *ctx)
{
    chapter->is_agreed = true;
    for (size_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {
        const tl__verdict *verdict = &r->play->verdicts[i];
        tl_bundle bundle;
        bool is_ok = false;
        tl_hash32 digest;
        if (verdict->bundle[0] == '\0') {
            return tl_fail(ctx, TL_ERR_STATE, "validator %zu has no bundle of epoch %.*s: %s",
                           i + 1, TL_STR_ARG(chapter->epoch_id), verdict->error);
        }
        TL_TRY(tl_str_copy_cstr(&chapter->bundles[i], r->arena, tl_str_from_cstr(verdict->bundle),
                                ctx));
        const tl_err err = verify_one(&bundle, &is_ok, &digest, arena, chapter->bundles[i], ctx);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "%s", chapter->bundles[i]);
            return err;
        }
        chapter->verified_count += is_ok ? 1U : 0U;
        chapter->hashes[i] = verdict->hash;
        if (i == 0) {
            *first = bundle;
            chapter->digest = digest;
        }
        chapter->is_agreed = chapter->is_agreed && verdict->has_hash &&
                             tl_hash32_cmp(&verdict->hash, &chapter->hashes[0]) == 0 &&
                             tl_hash32_cmp(&digest, &chapter->digest) == 0; /* LDEMO-2 */
    }
    return TL_OK;
}

/* The result in full: who got which place, and why. */
static tl_err replay(tl_listings_result *out, tl_arena *arena, const tl_bundle *bundle,
                     tl_errctx *ctx)
{
    return tl_listings_road_run(out, arena, bundle->tree[TL_BUNDLE_INPUTS],
                                bundle->tree[TL_BUNDLE_EVIDENCE],
                                bundle->tree[TL_BUNDLE_PARAMETERS], ctx);
}

/* --- flags --- */

static tl_err add_flag(run *r, uint32_t member, const char *rule, uint32_t zipcodes,
                       tl_str evidence, tl_str reason, tl_errctx *ctx)
{
    tl_listdemo_flag *flag = (tl_listdemo_flag *)tl_vec_push(&r->flags);
    if (flag == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    *flag = (tl_listdemo_flag){.chapter = (uint32_t)r->chapter_count,
                               .member = member,
                               .rule = rule,
                               .zipcodes = zipcodes};
    r->standings[member].flags++;
    TL_TRY(tl_str_copy(&flag->evidence, r->arena, evidence, ctx));
    return tl_str_copy(&flag->reason, r->arena, reason, ctx);
}

/* tally: what one rule said of one member, over all zipcodes. */
typedef struct said {
    uint32_t zipcodes;
    size_t worst; /* index of a finding */
} said;

static void put_finding(tl_json_writer *w, const tl_race_result *race, const tl_race_finding *f,
                        uint32_t zipcodes)
{
    const tl_race_entry *entry = &race->entries[f->entry];
    tl_json_put_object(w);
    tl_json_put_key(w, "content_hash");
    tl_json_put_hex(w, &entry->of->sheet.content_hash, sizeof entry->of->sheet.content_hash);
    tl_json_put_key(w, "indices");
    tl_json_put_array(w);
    for (uint32_t i = 0; i < f->finding.index_count; i++) {
        tl_json_put_u64(w, f->finding.indices[i]);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "listings");
    tl_json_put_u64(w, f->finding.count);
    tl_json_put_key(w, "peer");
    if (f->finding.peer.len > 0) {
        tl_json_put_str(w, f->finding.peer);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "rate");
    tl_json_put_f64(w, (double)f->finding.rate_millionths / 1e6);
    tl_json_put_key(w, "zipcode");
    tl_json_put_cstr(w, entry->of->zipcode);
    tl_json_put_key(w, "zipcodes");
    tl_json_put_u64(w, zipcodes);
    tl_json_put_end(w);
}

static const char *name_of(const run *r, tl_str ss58)
{
    for (size_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        if (tl_str_eq_cstr(ss58, r->play->cast[i].ss58)) {
            return r->play->cast[i].name;
        }
    }
    return "somebody";
}

static tl_err tell_said(run *r, const tl_race_result *race, uint32_t member, const said *s,
                        tl_arena *arena, tl_errctx *ctx)
{
    const tl_race_finding *f = &race->findings[s->worst];
    const char *rule = tl_listing_rule_name(f->finding.rule);
    tl_sb sb;
    tl_json_writer w;
    tl_str evidence = {NULL, 0};
    tl_str reason = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    put_finding(&w, race, f, s->zipcodes);
    tl_json_writer_done(&w);
    TL_TRY(tl_sb_finish(&evidence, &sb, ctx));
    TL_TRY(tl__listdemo_reason(&reason, arena, rule, &f->finding, s->zipcodes,
                               name_of(r, f->finding.peer), ctx));
    return add_flag(r, member, rule, s->zipcodes, evidence, reason, ctx);
}

/* The report that came too late is in no bundle: what is known of it is the coordinator's refusal. */
static tl_err keep_late(run *r, tl_arena *arena, tl_errctx *ctx)
{
    const tl_finding none = {.rule = TL_LISTING_LATE};
    for (uint32_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        const tl__outcome *o = &r->play->outcomes[i];
        char at[TL_TIME_TEXT_CAP];
        tl_sb sb;
        tl_json_writer w;
        tl_str evidence = {NULL, 0};
        tl_str reason = {NULL, 0};
        if (!o->is_late) {
            continue;
        }
        tl_time_text(at, o->reported_ms * 1000000);
        tl_sb_init(&sb, arena);
        tl_json_writer_init(&w, &sb, 0, true);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "answer");
        tl_json_put_cstr(&w, o->why.message);
        tl_json_put_key(&w, "listings");
        tl_json_put_u64(&w, o->listings);
        tl_json_put_key(&w, "reported_at");
        tl_json_put_cstr(&w, at);
        tl_json_put_end(&w);
        TL_TRY(tl_sb_finish(&evidence, &sb, ctx));
        TL_TRY(tl__listdemo_reason(&reason, arena, "late", &none, 0, "", ctx));
        TL_TRY(add_flag(r, i, tl_listing_rule_name(TL_LISTING_LATE), 0, evidence, reason, ctx));
    }
    return TL_OK;
}

/* What kept a submission from its place is a flag: one a member and rule, with the worst zipcode as its evidence. */
static tl_err keep_flags(run *r, const tl_race_result *race, tl_arena *arena, tl_errctx *ctx)
{
    said all[TL_LISTDEMO_MINERS][TL_LISTING_RULE_COUNT] = {{{0, 0}}};
    for (size_t i = 0; i < race->finding_count; i++) {
        const tl_race_finding *f = &race->findings[i];
        const uint32_t member = tl__cast_of(r->play->cast, &race->entries[f->entry].hotkey);
        if (!f->keeps || member >= TL_LISTDEMO_MINERS) {
            continue;
        }
        said *s = &all[member][f->finding.rule];
        if (s->zipcodes == 0 || f->finding.count > race->findings[s->worst].finding.count) {
            s->worst = i;
        }
        s->zipcodes++;
    }
    for (uint32_t member = 0; member < TL_LISTDEMO_MINERS; member++) {
        for (size_t rule = 0; rule < TL_LISTING_RULE_COUNT; rule++) {
            if (all[member][rule].zipcodes > 0) {
                TL_TRY(tell_said(r, race, member, &all[member][rule], arena, ctx));
            }
        }
    }
    return keep_late(r, arena, ctx);
}

/* --- standings --- */

static tl_err keep_standings(run *r, const tl_race_result *race, tl_errctx *ctx)
{
    for (size_t i = 0; i < race->line_count; i++) {
        const tl_race_line *line = &race->lines[i];
        const uint32_t member = tl__cast_of(r->play->cast, &line->hotkey);
        if (member >= TL_LISTDEMO_MEMBERS) {
            return tl_fail(ctx, TL_ERR_STATE, "a result names a hotkey that nobody has");
        }
        tl_listdemo_standing *s = &r->standings[member];
        uint32_t taken = line->participations;
        for (size_t k = 0; k < 3; k++) {
            s->places[k] += line->places[k];
            taken += line->places[k];
        }
        if (taken > 0) {
            s->ranked++;
            s->quality_millionths += line->quality_millionths;
        }
        TL_TRY(tl_rao_add(&s->reward, s->reward, line->reward, ctx));
    }
    return tl_rao_add(&r->burned, r->burned, race->burn, ctx);
}

static tl_err keep_chapter(run *r, tl_listdemo_chapter *chapter, const tl_listings_result *result,
                           tl_errctx *ctx)
{
    const tl_race_verdict_out *v = &result->verdict;
    const tl_race_input *input = &result->epoch.race;
    chapter->zipcodes = input->zipcode_count;
    for (size_t i = 0; i < input->zipcode_count; i++) {
        chapter->honeypot_zipcodes += input->zipcodes[i].is_honeypot ? 1U : 0U;
    }
    chapter->submissions = r->play->verdicts[0].submissions;
    chapter->listings = r->play->verdicts[0].listings;
    chapter->status = tl_race_status_name(v->status);
    chapter->rate_millionths = v->rate_millionths;
    chapter->emission = result->race.emission;
    chapter->burn = result->race.burn;
    tl_str *outliers = TL_NEW(r->arena, tl_str, v->outlier_count);
    if (outliers == NULL && v->outlier_count > 0) {
        return tl_arena_fail(r->arena, ctx);
    }
    for (size_t i = 0; i < v->outlier_count; i++) {
        char text[TL_SS58_CAP];
        (void)tl_ss58_encode(text, &input->validators[v->outliers[i].ballot].hotkey,
                             TL_SS58_PREFIX_GENERIC);
        TL_TRY(tl_str_copy(&outliers[i], r->arena, tl_str_from_cstr(text), ctx));
    }
    chapter->outliers = outliers;
    chapter->outlier_count = v->outlier_count;
    return TL_OK;
}

/* --- one epoch --- */

static tl_err settle(run *r, tl_listdemo_chapter *chapter, int64_t begun_ns, tl_arena *arena,
                     tl_errctx *ctx)
{
    tl_bundle bundle = {0};
    tl_listings_result result = {.state = TL_EPOCH_FAILED};
    const size_t flags_before = r->flags.count;
    TL_TRY(tl_str_copy(&chapter->epoch_id, r->arena, tl_str_from_cstr(r->play->epoch_id), ctx));
    TL_TRY(verify_bundles(r, chapter, &bundle, arena, ctx));
    step(r);
    TL_TRY(replay(&result, arena, &bundle, ctx));
    TL_TRY(tl_listings_pay(r->ledger, &result, r->chapter_count + 1, arena, ctx));
    TL_TRY(keep_entries(r, arena, ctx));
    TL_TRY(keep_flags(r, &result.race, arena, ctx));
    TL_TRY(keep_standings(r, &result.race, ctx));
    TL_TRY(keep_chapter(r, chapter, &result, ctx));
    chapter->seconds = (double)(tl_clock_steady_ns(&r->play->clock.real) - begun_ns) / 1e9;
    tl_str text = {NULL, 0};
    const tl_listdemo_flag *flags = (const tl_listdemo_flag *)r->flags.items;
    TL_TRY(tl__listdemo_epoch_text(&text, arena, r->play, chapter, &result,
                                   flags == NULL ? NULL : flags + flags_before,
                                   r->flags.count - flags_before, ctx));
    r->chapter_count++;
    return tell(r, text, ctx);
}

static tl_err live_epoch(run *r, uint32_t index, tl_errctx *ctx)
{
    const int64_t begun_ns = tl_clock_steady_ns(&r->play->clock.real);
    const int64_t start_ms = r->play->start_ms + (int64_t)index * TL__LISTDEMO_EPOCH_MS;
    tl_arena *arena = NULL;
    TL_TRY(tl__network_epoch(r->play, start_ms, ctx));
    step(r);
    TL_TRY(tl_arena_new(&arena, NULL, EPOCH_ARENA_MAX, NULL, ctx));
    const tl_err err = settle(r, &r->chapters[index], begun_ns, arena, ctx);
    tl_arena_free(arena);
    step(r);
    return err;
}

static tl_err live(run *r, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(open_ledger(r, ctx));
    TL_TRY(tl__network_open(r->play, ctx));
    step(r);
    TL_TRY(tl__listdemo_cast_text(&text, r->arena, r->play, ctx));
    TL_TRY(tell(r, text, ctx));
    for (uint32_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        const tl__member *m = &r->play->cast[i];
        r->standings[i] = (tl_listdemo_standing){.member = i, .role = m->role};
        memcpy(r->standings[i].name, m->name, sizeof m->name);
        memcpy(r->standings[i].ss58, m->ss58, sizeof m->ss58);
    }
    for (uint32_t i = 0; i < r->options->epochs; i++) {
        TL_TRY(live_epoch(r, i, ctx));
    }
    return TL_OK;
}

/* --- the end --- */

static double score_of(const tl_listdemo_standing *s)
{
    return s->ranked > 0 ? (double)s->quality_millionths / (double)s->ranked : 0.0;
}

static int standing_cmp(const void *a, const void *b, void *self)
{
    const tl_listdemo_standing *x = (const tl_listdemo_standing *)a;
    const tl_listdemo_standing *y = (const tl_listdemo_standing *)b;
    const tl__play *play = (const tl__play *)self;
    const bool x_judges = x->role == TL_LISTDEMO_VALIDATOR;
    const bool y_judges = y->role == TL_LISTDEMO_VALIDATOR;
    if (x_judges != y_judges) {
        return x_judges ? 1 : -1;
    }
    int order = tl_rao_cmp(y->reward, x->reward);
    order = order != 0 ? order : (score_of(x) < score_of(y)) - (score_of(x) > score_of(y));
    return order != 0 ? order
                      : tl_hotkey_cmp(&play->cast[x->member].hotkey, &play->cast[y->member].hotkey);
}

/* LDEMO-3. What a member has in the ledger is what the epochs gave it. */
static bool has_its_due(const run *r)
{
    for (size_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        const tl_account account = tl_account_of_hotkey(TL_ACCOUNT_MINER, &r->play->cast[i].hotkey);
        const tl_rao balance = tl_ledger_balance(r->ledger, account, (tl_str){NULL, 0});
        if (tl_rao_cmp(balance, r->standings[i].reward) != 0) {
            return false;
        }
    }
    const tl_account burn = tl_account_of(TL_ACCOUNT_BURN);
    return tl_rao_cmp(tl_ledger_balance(r->ledger, burn, (tl_str){NULL, 0}), r->burned) == 0;
}

static tl_err conclude(tl_listdemo_report *out, run *r, tl_errctx *ctx)
{
    tl_ledger_report ledger = {0};
    tl_sha256_state state;
    TL_TRY(tl_ledger_verify(&ledger, r->ledger, r->arena, ctx));
    *out = (tl_listdemo_report){.dir = r->options->dir,
                                .chapters = r->chapters,
                                .chapter_count = r->chapter_count,
                                .flags = (const tl_listdemo_flag *)r->flags.items,
                                .flag_count = r->flags.count,
                                .bundle_count = r->chapter_count * TL_LISTDEMO_VALIDATORS,
                                .is_balanced = ledger.is_balanced && has_its_due(r),
                                .entry_count = ledger.entry_count,
                                .issuance = ledger.issuance,
                                .burned = r->burned,
                                .head = ledger.head};
    tl_sha256_init(&state);
    for (size_t i = 0; i < r->chapter_count; i++) {
        out->verified_count += r->chapters[i].verified_count;
        tl_sha256_update(&state, r->chapters[i].digest.b, sizeof r->chapters[i].digest.b);
    }
    tl_sha256_update(&state, ledger.head.b, sizeof ledger.head.b);
    tl_sha256_final(&state, &out->digest);
    for (size_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        memcpy(out->ss58[i], r->play->cast[i].ss58, sizeof out->ss58[i]);
        memcpy(out->names[i], r->play->cast[i].name, sizeof out->names[i]);
    }
    TL_TRY(tl_sort(r->standings, TL_LISTDEMO_MEMBERS, sizeof *r->standings, standing_cmp, r->play,
                   r->arena, ctx));
    tl_listdemo_standing *standings = TL_NEW(r->arena, tl_listdemo_standing, TL_LISTDEMO_MEMBERS);
    if (standings == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    memcpy(standings, r->standings, sizeof r->standings);
    out->standings = standings;
    out->standing_count = TL_LISTDEMO_MEMBERS;
    return TL_OK;
}

bool tl_listdemo_is_well(const tl_listdemo_report *report)
{
    bool is_well = report->is_balanced && report->verified_count == report->bundle_count;
    for (size_t i = 0; i < report->chapter_count; i++) {
        is_well = is_well && report->chapters[i].is_agreed;
    }
    return is_well;
}

/* --- the beginning --- */

tl_err tl_listdemo_claim(const char *dir, tl_arena *scratch, tl_errctx *ctx)
{
    const char *const *names = NULL;
    size_t count = 0;
    TL_TRY(tl_sys_make_dir(dir, TL_SYS_DIR_MODE, ctx));
    TL_TRY(tl_sys_list_dir(&names, &count, scratch, dir, ctx));
    if (count == 0) {
        return TL_OK;
    }
    const tl_err err =
        tl_fail_field(ctx, TL_ERR_REFUSED, "dir", "the folder \"%s\" is not empty", dir);
    tl_errctx_hint(ctx, "a run of the listings network is not resumed: give it a new folder");
    return err;
}

/* Another run's epochs would be taken for this one's. */
static tl_err claim_database(const run *r, tl_errctx *ctx)
{
    tl_records *records = NULL;
    const tl_record_epoch *epochs = NULL;
    size_t count = 0;
    if (r->options->sql.url == NULL) {
        return TL_OK;
    }
    TL_TRY(tl_records_open(&records, &r->options->sql, TL_RECORDS_USE, ctx));
    tl_err err = tl_records_epochs(records, &epochs, &count, (tl_str){NULL, 0}, 1, r->arena, ctx);
    tl_records_close(records);
    if (err == TL_OK && count > 0) {
        err = tl_fail_field(ctx, TL_ERR_REFUSED, "postgres", "the database has epochs already");
        tl_errctx_hint(ctx, "a run begins with an empty database; make another one");
    }
    return err;
}

static tl_err prepare(run *r, tl_errctx *ctx)
{
    uint64_t state = r->options->seed;
    TL_ASSERT(r->options->epochs >= 1 && r->options->epochs <= TL_LISTDEMO_EPOCHS_MAX);
    TL_TRY(claim_database(r, ctx));
    r->play = TL_NEW(r->arena, tl__play, 1);
    r->chapters = TL_NEW(r->arena, tl_listdemo_chapter, r->options->epochs);
    if (r->play == NULL || r->chapters == NULL) {
        return tl_arena_fail(r->arena, ctx);
    }
    memset(r->play, 0, sizeof *r->play);
    memset(r->chapters, 0, r->options->epochs * sizeof *r->chapters);
    tl_vec_init(&r->flags, r->arena, sizeof(tl_listdemo_flag));
    r->play->options = r->options;
    r->play->arena = r->arena;
    r->play->start_ms =
        YEAR_BEGIN_MS + (int64_t)(tl_splitmix64(&state) % SLOTS) * TL__LISTDEMO_EPOCH_MS;
    tl__demo_clock_start(&r->play->clock, r->play->start_ms);
    (void)pthread_mutex_init(&r->play->lock, NULL);
    (void)pthread_mutex_init(&r->play->reading.lock, NULL);
    (void)pthread_cond_init(&r->play->moved, NULL);
    return TL_OK;
}

tl_err tl_listdemo_run(tl_listdemo_report *out, tl_arena *arena, const tl_listdemo_options *options,
                       const tl_listdemo_watch *watch, tl_errctx *ctx)
{
    run r = {.arena = arena, .options = options, .watch = watch};
    TL_TRY(prepare(&r, ctx));
    tl_err err = live(&r, ctx);
    tl__network_close(r.play);
    if (err == TL_OK) {
        err = conclude(out, &r, ctx);
    }
    const tl_err closed = tl_store_close(r.store, err == TL_OK ? ctx : NULL);
    (void)pthread_cond_destroy(&r.play->moved);
    (void)pthread_mutex_destroy(&r.play->reading.lock);
    (void)pthread_mutex_destroy(&r.play->lock);
    return err != TL_OK ? err : closed;
}
