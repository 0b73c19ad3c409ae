/* show.c: what the demo tells: epochs, flags in words, the end as text and as JSON. */
#include "app/demo/demo.h"
#include "core/subnet/portfolio/portfolio.h"

#define WINNERS_SHOWN 3
#define FLAGS_SHOWN   12

/* --- figures --- */

/* A figure with a fixed number of places, rounded half up; far from where doubles lose integers. */
static void put_fixed(tl_sb *sb, double value, uint32_t places)
{
    uint64_t scale = 1;
    for (uint32_t i = 0; i < places; i++) {
        scale *= 10;
    }
    const double size = value < 0.0 ? -value : value;
    const uint64_t scaled = size < 1e9 ? (uint64_t)(size * (double)scale + 0.5) : UINT64_MAX;
    if (scaled == UINT64_MAX) {
        tl_sb_put_cstr(sb, "very large");
        return;
    }
    tl_sb_printf(sb, "%s%llu", value < 0.0 && scaled > 0 ? "-" : "",
                 (unsigned long long)(scaled / scale));
    if (places > 0) {
        tl_sb_printf(sb, ".%0*llu", (int)places, (unsigned long long)(scaled % scale));
    }
}

/* Padded on the left. */
static void put_rao_wide(tl_sb *sb, tl_rao amount, size_t width)
{
    const size_t before = sb->len;
    tl_rao_print(sb, amount);
    const size_t len = sb->len - before;
    if (sb->err != TL_OK || len >= width) {
        return;
    }
    tl_sb_put_repeat(sb, ' ', width - len);
    for (size_t i = len; sb->err == TL_OK && i > 0; i--) { /* move it behind the spaces */
        sb->text[before + width - len + i - 1] = sb->text[before + i - 1];
    }
    for (size_t i = 0; sb->err == TL_OK && i < width - len; i++) {
        sb->text[before + i] = ' ';
    }
}

const char *tl__demo_name(const tl_demo_world *world, const tl_hotkey *hotkey)
{
    static const char *const validators[TL_ASSEMBLE_VALIDATORS] = {
        "validator 1", "validator 2", "validator 3", "validator 4", "validator 5"};
    for (size_t i = 0; i < world->miner_count; i++) {
        if (tl_hotkey_eq(&world->miners[i].hotkey, hotkey)) {
            return world->miners[i].name;
        }
    }
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    for (size_t i = 0; i < TL_ASSEMBLE_VALIDATORS; i++) {
        if (tl_hotkey_eq(&views[i].hotkey, hotkey)) {
            return validators[i];
        }
    }
    return "somebody";
}

/* --- flags --- */

static void put_evidence(tl_json_writer *w, const tl_flag *flag)
{
    char text[TL_DAY_TEXT_CAP];
    tl_json_put_object(w);
    tl_json_put_key(w, "days");
    if (flag->has_days) {
        tl_json_put_u64(w, flag->days);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "from");
    tl_day_print(text, flag->has_span ? flag->from : 0);
    tl_json_put_cstr(w, flag->has_span ? text : NULL);
    tl_json_put_key(w, "limit");
    if (flag->has_limit) {
        tl_json_put_f64(w, flag->limit);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "peer");
    char address[TL_SS58_CAP];
    (void)tl_ss58_encode(address, &flag->peer, TL_SS58_PREFIX_GENERIC);
    tl_json_put_cstr(w, flag->has_peer ? address : NULL);
    tl_json_put_key(w, "to");
    tl_day_print(text, flag->has_span ? flag->to : 0);
    tl_json_put_cstr(w, flag->has_span ? text : NULL);
    tl_json_put_key(w, "value");
    if (flag->has_value) {
        tl_json_put_f64(w, flag->value == 0.0 ? 0.0 : flag->value);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_end(w);
}

/* What a rule says: the words before and after its figure; PEER stands for whom it resembles. */
typedef struct saying {
    const char *rule;
    const char *before;
    uint32_t places;
    const char *after;
} saying;

static const saying sayings[] = {
    {"variance", "a volatility of ", 2, " a year and little earned by it"},
    {"correlation", "its active returns correlate ", 2, " with PEER, who committed earlier"},
    {"plagiarism", "", 3, " of its weights are those of PEER, who committed earlier"},
    {"lag_copy", "its active returns repeat those of PEER days later: correlation ", 2, ""},
    {"fence_swinging", "its three largest weights hold ", 2, " of a wild portfolio"},
    {"churn", "turns its portfolio over ", 1, " times a year"},
    {"streak", "gained on ", 0, " days in a row"},
    {"sybil", "stake, age and history come to ", 2, " only"},
    {"data_quality", "", 0, " days with more than a tenth of it without a price"},
    {"collusion", "its row correlates ", 2,
     " with that of PEER, and neither is like what was agreed"},
};

static void put_words(tl_sb *sb, const char *words, const char *peer)
{
    const tl_str mark = TL_STR("PEER");
    for (const char *c = words; *c != '\0'; c++) {
        if (tl_str_starts_with(tl_str_from_cstr(c), mark)) {
            tl_sb_put_cstr(sb, peer);
            c += mark.len - 1;
        } else {
            tl_sb_put_char(sb, *c);
        }
    }
}

static void put_consequence(tl_sb *sb, const char *rule, double factor)
{
    if (tl_str_eq_cstr(TL_STR("collusion"), rule)) {
        tl_sb_put_cstr(sb, ": reported to people");
    } else if (factor == 0.0) {
        tl_sb_put_cstr(sb, tl_str_eq_cstr(TL_STR("plagiarism"), rule) ? ": disqualified"
                                                                      : ": score x 0");
    } else if (factor == 1.0) {
        tl_sb_put_cstr(sb, ": for review, costs nothing");
    } else {
        tl_sb_put_cstr(sb, ": score x ");
        put_fixed(sb, factor, 3);
    }
}

tl_err tl__demo_reason(tl_str *out, tl_str *evidence, tl_arena *arena, const tl_demo_world *world,
                       const char *rule, const tl_flag *flag, tl_errctx *ctx)
{
    tl_sb json;
    tl_sb_init(&json, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &json, 0, true);
    put_evidence(&w, flag);
    tl_json_writer_done(&w);
    TL_TRY(tl_sb_finish(evidence, &json, ctx));
    const saying *s = NULL;
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
        s = tl_str_eq_cstr(tl_str_from_cstr(rule), sayings[i].rule) ? &sayings[i] : s;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    if (s != NULL) {
        const char *peer = flag->has_peer ? tl__demo_name(world, &flag->peer) : "nobody";
        put_words(&sb, s->before, peer);
        put_fixed(&sb, flag->value, s->places);
        put_words(&sb, s->after, peer);
    }
    if (flag->has_limit && flag->limit > 0.0) {
        tl_sb_put_cstr(&sb, " (limit ");
        put_fixed(&sb, flag->limit, flag->limit < 2.0 ? 2 : 0);
        tl_sb_put_char(&sb, ')');
    }
    put_consequence(&sb, rule, flag->factor);
    return tl_sb_finish(out, &sb, ctx);
}

/* --- one epoch --- */

static void put_agreement(tl_sb *sb, const tl_demo_world *world, const tl_road_result *r)
{
    const tl_verdict *v = &r->agreement.verdict;
    const int64_t whole = tl_rao_to_i64(v->stake_total);
    tl_sb_printf(sb, "  agreement  %s: ", tl_agree_status_name(v->status));
    put_fixed(sb, whole > 0 ? 100.0 * (double)tl_rao_to_i64(v->stake_on_top) / (double)whole : 0.0,
              1);
    tl_sb_printf(sb, " %% of the stake on one row, %s",
                 v->pays ? "which pays" : "too little to pay");
    for (size_t i = 0; i < v->outlier_count; i++) {
        const tl_road_validator *x = &r->validators[v->outliers[i]];
        tl_sb_printf(sb, "%s%s (%s)", i == 0 ? "; apart: " : ", ", tl__demo_name(world, &x->hotkey),
                     x->is_faithful ? "other prices" : "a row that its prices do not give");
    }
    tl_sb_put_char(sb, '\n');
}

/* Signals refused at commit, by code. */
static void put_signals(tl_sb *sb, const tl_demo_epoch *epoch, const tl_road_result *r)
{
    size_t refused = 0;
    for (size_t i = 0; i < r->line_count; i++) {
        refused += r->lines[i].has_outcome ? 0U : 1U;
    }
    tl_sb_printf(sb, "  signals    %zu sent, %zu taken", epoch->signal_count,
                 r->line_count - refused);
    if (epoch->signal_count > r->line_count) {
        tl_sb_printf(sb, ", %zu unreadable", epoch->signal_count - r->line_count);
    }
    for (size_t i = 0; i < r->line_count; i++) {
        if (!r->lines[i].has_outcome && r->lines[i].admission.code != NULL) {
            tl_sb_printf(sb, ", %s", r->lines[i].admission.code);
        }
    }
    tl_sb_put_char(sb, '\n');
}

static void put_winners(tl_sb *sb, const tl_demo_world *world, const tl_road_result *r)
{
    for (size_t i = 0; i < r->line_count; i++) {
        const tl_road_line *line = &r->lines[i];
        if (line->payout == NULL || line->payout->rank == 0 || line->payout->rank > WINNERS_SHOWN) {
            continue;
        }
        tl_sb_printf(sb, "  %-10s %u  %-20s score ", line->payout->rank == 1 ? "winners" : "",
                     line->payout->rank, tl__demo_name(world, &line->submission->hotkey));
        put_fixed(sb, (double)line->agreed->qs_millionths / 1e6, 6);
        tl_sb_put_cstr(sb, "  reward ");
        put_rao_wide(sb, line->payout->reward, 14);
        tl_sb_put_cstr(sb, " TAO\n");
    }
}

static void put_lost(tl_sb *sb, const tl_demo_world *world, const tl_road_result *r)
{
    bool is_first = true;
    for (size_t i = 0; i < r->line_count; i++) {
        const tl_road_line *line = &r->lines[i];
        if (!line->has_outcome || line->outcome == TL_OUTCOME_RANKED) {
            continue;
        }
        tl_sb_printf(sb, "  %-10s %-23s %s%s%s", is_first ? "unranked" : "",
                     tl__demo_name(world, &line->submission->hotkey),
                     tl_outcome_name(line->outcome), line->admission.code != NULL ? " " : "",
                     line->admission.code != NULL ? line->admission.code : "");
        tl_rao lost = TL_RAO_ZERO;
        if (line->payout != NULL &&
            tl_rao_sub(&lost, line->submission->ante, line->payout->ante_back, NULL) == TL_OK &&
            !tl_rao_is_zero(lost)) {
            tl_sb_put_cstr(sb, ", loses ");
            tl_rao_print(sb, lost);
            tl_sb_put_cstr(sb, " TAO");
        }
        tl_sb_put_char(sb, '\n');
        is_first = false;
    }
}

static void put_flags(tl_sb *sb, const tl_demo_flag *flags, size_t count)
{
    for (size_t i = 0; i < count && i < FLAGS_SHOWN; i++) {
        tl_sb_printf(sb, "  %-10s %-20s %s, %.*s\n", i == 0 ? "flags" : "", flags[i].name,
                     flags[i].rule, TL_STR_ARG(flags[i].reason));
    }
    if (count > FLAGS_SHOWN) {
        tl_sb_printf(sb, "             and %zu more\n", count - FLAGS_SHOWN);
    }
}

static void put_amount(tl_sb *sb, const char *before, tl_rao amount)
{
    tl_sb_put_cstr(sb, before);
    tl_rao_print(sb, amount);
}

static void put_money(tl_sb *sb, const tl_road_result *r)
{
    const tl_settlement *s = &r->settlement;
    if (r->state != TL_EPOCH_SETTLED) {
        tl_sb_put_cstr(sb, "  money      nothing is paid, all antes go back\n");
        return;
    }
    put_amount(sb, "  money in   ", s->total_in);
    put_amount(sb, " TAO, of which emission ", s->emission);
    put_amount(sb, "\n  money out  ", s->total_out);
    put_amount(sb, " TAO: rewards ", s->rewarded);
    put_amount(sb, ", antes back ", s->returned);
    put_amount(sb, ", burned ", s->burned);
    put_amount(sb, ", rake ", s->rake);
    put_amount(sb, "\n  besides    validators ", r->agreement.split.validators);
    put_amount(sb, " TAO, owner ", r->agreement.split.owner);
    tl_sb_put_cstr(sb, "\n");
}

tl_err tl__demo_epoch_text(tl_str *out, tl_arena *arena, const tl_demo_world *world, uint32_t index,
                           const tl_demo_epoch *epoch, const tl_assembled *settled,
                           const tl_demo_flag *flags, size_t count, tl_errctx *ctx)
{
    char first[TL_DAY_TEXT_CAP];
    char last[TL_DAY_TEXT_CAP];
    tl_day_print(first, epoch->span.first);
    tl_day_print(last, epoch->span.last);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "epoch %u of %u  %.*s  (%s to %s)  %s\n", index + 1, world->epochs,
                 TL_STR_ARG(epoch->id), first, last, tl_epoch_state_text(settled->result.state));
    put_agreement(&sb, world, &settled->result);
    put_signals(&sb, epoch, &settled->result);
    put_winners(&sb, world, &settled->result);
    put_lost(&sb, world, &settled->result);
    put_flags(&sb, flags, count);
    put_money(&sb, &settled->result);
    tl_sb_put_char(&sb, '\n');
    return tl_sb_finish(out, &sb, ctx);
}

/* --- the end --- */

static double mean_score(const tl_demo_standing *s)
{
    return s->ranked > 0 ? (double)s->qs_millionths / (double)s->ranked / 1e6 : 0.0;
}

static void put_hash(tl_sb *sb, const tl_hash32 *hash)
{
    for (size_t i = 0; i < sizeof hash->b; i++) {
        tl_sb_printf(sb, "%02x", hash->b[i]);
    }
}

void tl_demo_put_text(tl_sb *sb, const tl_demo_report *report)
{
    tl_sb_put_cstr(
        sb, "rank  miner                ranked  score     reward (TAO)     ante lost (TAO)\n");
    for (size_t i = 0; i < report->standing_count; i++) {
        const tl_demo_standing *s = &report->standings[i];
        tl_sb_printf(sb, "%4zu  %-20s %6u  ", i + 1, s->miner->name, s->ranked);
        put_fixed(sb, mean_score(s), 6);
        put_rao_wide(sb, s->reward, 18);
        put_rao_wide(sb, s->ante_lost, 18);
        tl_sb_printf(sb, "  %s\n", s->miner->what);
    }
    tl_sb_printf(sb, "\nledger     %s, %llu entries, issuance ",
                 report->is_balanced ? "balanced" : "NOT BALANCED",
                 (unsigned long long)report->entry_count);
    tl_rao_print(sb, report->issuance);
    tl_sb_put_cstr(sb, " TAO, head ");
    put_hash(sb, &report->head);
    tl_sb_printf(sb, "\nbundles    %zu of %zu ran again to the same bytes\n",
                 report->verified_count, report->chapter_count);
    for (size_t i = 0; i < report->chapter_count; i++) {
        tl_sb_printf(sb, "  %.*s  ", TL_STR_ARG(report->chapters[i].epoch_id));
        put_hash(sb, &report->chapters[i].digest);
        tl_sb_printf(sb, "  %s\n", report->chapters[i].is_verified ? "verified" : "DIFFERS");
    }
    tl_sb_put_cstr(sb, "digest     ");
    put_hash(sb, &report->digest);
    tl_sb_printf(sb, "\nfolder     %s\nverify     tally epoch verify %s/bundles/*.bundle\n",
                 report->dir, report->dir);
    tl_sb_printf(sb, "           tally ledger verify --dir %s\n", report->dir);
}

static void put_agreements(tl_json_writer *w, const tl_demo_report *report)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < report->chapter_count; i++) {
        const tl_demo_chapter *c = &report->chapters[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "epoch");
        tl_json_put_str(w, c->epoch_id);
        tl_json_put_key(w, "outliers");
        tl_json_put_array(w);
        for (size_t k = 0; k < c->outlier_count; k++) {
            tl_json_put_str(w, c->outliers[k]);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "rate");
        tl_json_put_f64(w, c->rate);
        tl_json_put_key(w, "status");
        tl_json_put_cstr(w, c->status);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_all_flags(tl_json_writer *w, const tl_demo_report *report)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < report->flag_count; i++) {
        const tl_demo_flag *f = &report->flags[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "epoch");
        tl_json_put_str(w, f->epoch_id);
        tl_json_put_key(w, "evidence");
        tl_json_put_raw(w, f->evidence);
        tl_json_put_key(w, "hotkey");
        tl_json_put_str(w, f->hotkey);
        tl_json_put_key(w, "rule");
        tl_json_put_cstr(w, f->rule);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_leaderboard(tl_json_writer *w, const tl_demo_report *report)
{
    tl_json_put_array(w);
    for (size_t i = 0; i < report->standing_count; i++) {
        const tl_demo_standing *s = &report->standings[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "ante_lost_rao");
        tl_json_put_i64(w, tl_rao_to_i64(s->ante_lost));
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, s->miner->address);
        tl_json_put_key(w, "name");
        tl_json_put_cstr(w, s->miner->name);
        tl_json_put_key(w, "rank");
        tl_json_put_u64(w, i + 1);
        tl_json_put_key(w, "reward_rao");
        tl_json_put_i64(w, tl_rao_to_i64(s->reward));
        tl_json_put_key(w, "score");
        tl_json_put_f64(w, mean_score(s));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

void tl_demo_put_json(tl_sb *sb, const tl_demo_report *report)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "agreement");
    put_agreements(&w, report);
    tl_json_put_key(&w, "bundles_verified");
    tl_json_put_u64(&w, report->verified_count);
    tl_json_put_key(&w, "digest");
    tl_json_put_hex(&w, report->digest.b, sizeof report->digest.b);
    tl_json_put_key(&w, "dir");
    tl_json_put_cstr(&w, report->dir);
    tl_json_put_key(&w, "epochs");
    tl_json_put_u64(&w, report->chapter_count);
    tl_json_put_key(&w, "flags");
    put_all_flags(&w, report);
    tl_json_put_key(&w, "leaderboard");
    put_leaderboard(&w, report);
    tl_json_put_key(&w, "ledger");
    tl_json_put_object(&w);
    tl_json_put_key(&w, "balanced");
    tl_json_put_bool(&w, report->is_balanced);
    tl_json_put_key(&w, "entries");
    tl_json_put_u64(&w, report->entry_count);
    tl_json_put_key(&w, "issuance_rao");
    tl_json_put_i64(&w, tl_rao_to_i64(report->issuance));
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}
