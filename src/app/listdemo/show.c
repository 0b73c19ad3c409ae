/* show.c: what the demo tells: who plays, epochs, flags in words, the end as text and as JSON. */
#include "app/listdemo/listdemo_internal.h"

#define HASH_SHOWN    12 /* characters of one */
#define WINNERS_SHOWN 5

/* --- figures --- */

static void put_hash(tl_sb *sb, const tl_hash32 *hash, size_t characters)
{
    for (size_t i = 0; i < sizeof hash->b && 2 * i < characters; i++) {
        tl_sb_printf(sb, "%02x", hash->b[i]);
    }
}

/* Tenths of a per cent, of millionths. */
static void put_percent(tl_sb *sb, uint32_t millionths)
{
    const uint32_t tenths = (millionths + 500) / 1000;
    tl_sb_printf(sb, "%u.%u %%", tenths / 10, tenths % 10);
}

/* TAO, padded on the left. */
static void put_tao(tl_sb *sb, tl_rao amount, size_t width)
{
    tl_sb text;
    tl_str shown = {NULL, 0};
    tl_sb_init(&text, sb->arena);
    tl_rao_print(&text, amount);
    if (tl_sb_finish(&shown, &text, NULL) == TL_OK && shown.len < width) {
        tl_sb_put_repeat(sb, ' ', width - shown.len);
    }
    tl_sb_put(sb, shown);
}

static uint32_t score_millionths(const tl_listdemo_standing *s)
{
    return s->ranked > 0 ? (uint32_t)(s->quality_millionths / s->ranked) : 0;
}

/* --- flags --- */

static const char *ending_of(const char *rule)
{
    static const struct {
        const char *rule;
        const char *text;
    } endings[] = {
        {"late", "its report came after the deadline: the coordinator closed the epoch before it"},
        {"quantity", "listings of a zipcode are too few or too many: 85 to 115 % of those expected "
                     "are wanted"},
        {"completeness", "listings lack fields that are asked for; a tenth may"},
        {"values", "listings have values that no house has; a twentieth may"},
        {"consistency", "listings contradict themselves; a tenth may"},
        {"duplicates", "listings name a house that the same submission lists before; 5 % may"},
        {"spot_check",
         "listings drawn by the beacon are not in the market as claimed; a fifth may"},
        {"price_anomaly", "listings have prices far from all others of the zipcode"},
        {"geography", "listings lie far outside the zipcode"},
        {"time", "listings have dates or readings that cannot be"},
        {"copy", "marks that only one collection could have left are those of"},
        {"sybil", "marks show one collection under several hotkeys; among them"},
        {"honeypot", "listings stand in the second-hand copy alone: the market never knew them"},
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (tl_str_eq_cstr(tl_str_from_cstr(rule), endings[i].rule)) {
            return endings[i].text;
        }
    }
    return "listings were found fault with";
}

tl_err tl__listdemo_reason(tl_str *out, tl_arena *arena, const char *rule,
                           const tl_finding *finding, uint32_t zipcodes, const char *peer,
                           tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    if (finding->rule != TL_LISTING_LATE) {
        tl_sb_printf(&sb, "in %u zipcode%s; at worst ", zipcodes, zipcodes == 1 ? "" : "s");
        if (finding->rate_millionths > 0) {
            tl_sb_printf(&sb, "%u (", finding->count);
            put_percent(&sb, finding->rate_millionths);
            tl_sb_put_cstr(&sb, ") ");
        } else {
            tl_sb_printf(&sb, "%u ", finding->count);
        }
    }
    tl_sb_put_cstr(&sb, ending_of(rule));
    if (finding->peer.len > 0) {
        tl_sb_printf(&sb, " %s", peer);
    }
    return tl_sb_finish(out, &sb, ctx);
}

/* --- who plays --- */

tl_err tl__listdemo_cast_text(tl_str *out, tl_arena *arena, const tl__play *play, tl_errctx *ctx)
{
    uint32_t counts[TL_LISTDEMO_ROLE_COUNT] = {0};
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        counts[play->cast[i].role]++;
    }
    tl_sb_printf(&sb, "market       %s\ncoordinator  %s  %s\n\n", play->market_url,
                 tl_coordinator_url(play->coordinator), tl_coordinator_ss58(play->coordinator));
    for (size_t role = 0; role < TL_LISTDEMO_ROLE_COUNT; role++) {
        tl_sb_printf(&sb, "%3u %-12s %s\n", counts[role],
                     tl_listdemo_role_name((tl_listdemo_role)role),
                     tl_listdemo_role_text((tl_listdemo_role)role));
    }
    tl_sb_put_char(&sb, '\n');
    return tl_sb_finish(out, &sb, ctx);
}

/* --- one epoch --- */

static void put_winners(tl_sb *sb, const tl__play *play, const tl_race_result *race)
{
    size_t shown = 0;
    size_t paid = 0;
    for (size_t i = 0; i < race->line_count; i++) {
        const tl_race_line *line = &race->lines[i];
        const uint32_t member = tl__cast_of(play->cast, &line->hotkey);
        if (tl_rao_is_zero(line->reward) || member >= TL_LISTDEMO_MEMBERS) {
            continue;
        }
        paid++;
        if (shown < WINNERS_SHOWN) {
            tl_sb_printf(sb, "  %-11s %-14s %2u first %2u second %2u third ",
                         shown == 0 ? "paid" : "", play->cast[member].name, line->places[0],
                         line->places[1], line->places[2]);
            put_tao(sb, line->reward, 16);
            tl_sb_put_cstr(sb, " TAO\n");
            shown++;
        }
    }
    if (paid > shown) {
        tl_sb_printf(sb, "              and %zu more\n", paid - shown);
    }
}

static void put_flags(tl_sb *sb, const tl__play *play, const tl_listdemo_flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tl_sb_printf(sb, "  %-11s %-14s %-13s %.*s\n", i == 0 ? "caught" : "",
                     play->cast[flags[i].member].name, flags[i].rule, TL_STR_ARG(flags[i].reason));
    }
}

tl_err tl__listdemo_epoch_text(tl_str *out, tl_arena *arena, const tl__play *play,
                               const tl_listdemo_chapter *chapter, const tl_listings_result *result,
                               const tl_listdemo_flag *flags, size_t count, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    const uint32_t tenths = (uint32_t)(chapter->seconds * 10.0 + 0.5);
    tl_sb_printf(&sb, "epoch %.*s  %s  in %u.%u s\n", TL_STR_ARG(chapter->epoch_id),
                 tl_epoch_state_text(result->state), tenths / 10, tenths % 10);
    tl_sb_printf(&sb, "  asked       %zu zipcodes, %zu of them honeypots\n", chapter->zipcodes,
                 chapter->honeypot_zipcodes);
    tl_sb_printf(&sb, "  handed in   %zu submissions, %llu listings\n", chapter->submissions,
                 (unsigned long long)chapter->listings);
    tl_sb_printf(&sb, "  agreement   %s, ", chapter->status);
    put_percent(&sb, chapter->rate_millionths);
    tl_sb_put_cstr(&sb, " of the stake on one hash\n");
    for (size_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {
        tl_sb_printf(&sb, "              %-14s ", play->cast[TL_LISTDEMO_MINERS + i].name);
        put_hash(&sb, &chapter->hashes[i], 64);
        tl_sb_put_char(&sb, '\n');
    }
    put_winners(&sb, play, &result->race);
    put_flags(&sb, play, flags, count);
    tl_sb_put_cstr(&sb, "  money       emission ");
    tl_rao_print(&sb, chapter->emission);
    tl_sb_put_cstr(&sb, " TAO, paid ");
    tl_rao_print(&sb, result->race.paid);
    tl_sb_put_cstr(&sb, ", burned ");
    tl_rao_print(&sb, chapter->burn);
    tl_sb_put_cstr(&sb, "\n\n");
    return tl_sb_finish(out, &sb, ctx);
}

/* --- the end, for people --- */

/* In how many epochs did a rule speak about a member? */
static void put_caught(tl_sb *sb, const tl_listdemo_report *report, uint32_t member)
{
    const char *done[TL_LISTING_RULE_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < report->flag_count; i++) {
        const tl_listdemo_flag *f = &report->flags[i];
        size_t k = 0;
        while (k < count && done[k] != f->rule) {
            k++;
        }
        if (f->member == member && k == count && count < TL_LISTING_RULE_COUNT) {
            tl_sb_printf(sb, "%s%s", count == 0 ? "" : ", ", f->rule);
            done[count++] = f->rule;
        }
    }
}

static void put_standings(tl_sb *sb, const tl_listdemo_report *report)
{
    tl_sb_put_cstr(sb, "rank  miner           score    places       reward (TAO)  caught by\n");
    for (size_t i = 0; i < report->standing_count; i++) {
        const tl_listdemo_standing *s = &report->standings[i];
        if (s->role == TL_LISTDEMO_VALIDATOR) {
            continue;
        }
        const uint32_t score = score_millionths(s);
        tl_sb_printf(sb, "%4zu  %-14s %u.%04u  %3u %3u %3u ", i + 1, s->name, score / 1000000,
                     score % 1000000 / 100, s->places[0], s->places[1], s->places[2]);
        put_tao(sb, s->reward, 17);
        tl_sb_put_cstr(sb, "  ");
        put_caught(sb, report, s->member);
        tl_sb_put_char(sb, '\n');
    }
}

void tl_listdemo_put_text(tl_sb *sb, const tl_listdemo_report *report)
{
    put_standings(sb, report);
    tl_sb_printf(sb, "\nledger     %s, %llu entries, issuance ",
                 report->is_balanced ? "balanced" : "NOT BALANCED",
                 (unsigned long long)report->entry_count);
    tl_rao_print(sb, report->issuance);
    tl_sb_put_cstr(sb, " TAO, burned ");
    tl_rao_print(sb, report->burned);
    tl_sb_put_cstr(sb, ", head ");
    put_hash(sb, &report->head, HASH_SHOWN);
    tl_sb_printf(sb, "…\nbundles    %zu of %zu ran again to the same bytes\n",
                 report->verified_count, report->bundle_count);
    for (size_t i = 0; i < report->chapter_count; i++) {
        const tl_listdemo_chapter *c = &report->chapters[i];
        tl_sb_printf(sb, "  %.*s  %s  ", TL_STR_ARG(c->epoch_id),
                     c->is_agreed ? "one hash" : "HASHES DIFFER");
        put_hash(sb, &c->hashes[0], 64);
        tl_sb_put_char(sb, '\n');
    }
    tl_sb_put_cstr(sb, "digest     ");
    put_hash(sb, &report->digest, 64);
    tl_sb_printf(sb,
                 "\nfolder     %s\nverify     tally epoch verify "
                 "%s/validators/*/bundles/*.bundle\n           tally ledger verify --dir %s\n",
                 report->dir, report->dir, report->dir);
}

/* --- the end, as JSON --- */

static void put_agreement(tl_json_writer *w, const tl_listdemo_report *report)
{
    tl_json_put_key(w, "agreement");
    tl_json_put_array(w);
    for (size_t i = 0; i < report->chapter_count; i++) {
        const tl_listdemo_chapter *c = &report->chapters[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "epoch");
        tl_json_put_str(w, c->epoch_id);
        tl_json_put_key(w, "hashes");
        tl_json_put_object(w);
        for (size_t k = 0; k < TL_LISTDEMO_VALIDATORS; k++) {
            tl_json_put_key(w, report->ss58[TL_LISTDEMO_MINERS + k]);
            tl_json_put_hex(w, &c->hashes[k], sizeof c->hashes[k]);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "outliers");
        tl_json_put_array(w);
        for (size_t k = 0; k < c->outlier_count; k++) {
            tl_json_put_str(w, c->outliers[k]);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "rate");
        tl_json_put_f64(w, (double)c->rate_millionths / 1e6);
        tl_json_put_key(w, "status");
        tl_json_put_cstr(w, c->status);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_all_flags(tl_json_writer *w, const tl_listdemo_report *report)
{
    tl_json_put_key(w, "flags");
    tl_json_put_array(w);
    for (size_t i = 0; i < report->flag_count; i++) {
        const tl_listdemo_flag *f = &report->flags[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "epoch");
        tl_json_put_str(w, report->chapters[f->chapter].epoch_id);
        tl_json_put_key(w, "evidence");
        tl_json_put_raw(w, f->evidence);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, report->ss58[f->member]);
        tl_json_put_key(w, "name");
        tl_json_put_cstr(w, report->names[f->member]);
        tl_json_put_key(w, "reason");
        tl_json_put_str(w, f->reason);
        tl_json_put_key(w, "rule");
        tl_json_put_cstr(w, f->rule);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

static void put_leaderboard(tl_json_writer *w, const tl_listdemo_report *report)
{
    tl_json_put_key(w, "leaderboard");
    tl_json_put_array(w);
    for (size_t i = 0; i < report->standing_count; i++) {
        const tl_listdemo_standing *s = &report->standings[i];
        tl_json_put_object(w);
        tl_json_put_key(w, "ante_lost_rao"); /* this subnet has none */
        tl_json_put_i64(w, 0);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, s->ss58);
        tl_json_put_key(w, "name");
        tl_json_put_cstr(w, s->name);
        tl_json_put_key(w, "rank");
        tl_json_put_u64(w, i + 1);
        tl_json_put_key(w, "reward_rao");
        tl_json_put_i64(w, tl_rao_to_i64(s->reward));
        tl_json_put_key(w, "role");
        tl_json_put_cstr(w, tl_listdemo_role_name(s->role));
        tl_json_put_key(w, "score");
        tl_json_put_f64(w, (double)score_millionths(s) / 1e6);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

void tl_listdemo_put_json(tl_sb *sb, const tl_listdemo_report *report)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    put_agreement(&w, report);
    tl_json_put_key(&w, "bundles_verified");
    tl_json_put_u64(&w, report->verified_count);
    tl_json_put_key(&w, "digest");
    tl_json_put_hex(&w, &report->digest, sizeof report->digest);
    tl_json_put_key(&w, "dir");
    tl_json_put_cstr(&w, report->dir);
    tl_json_put_key(&w, "epochs");
    tl_json_put_u64(&w, report->chapter_count);
    put_all_flags(&w, report);
    put_leaderboard(&w, report);
    tl_json_put_key(&w, "ledger");
    tl_json_put_object(&w);
    tl_json_put_key(&w, "balanced");
    tl_json_put_bool(&w, report->is_balanced);
    tl_json_put_key(&w, "burned_rao");
    tl_json_put_i64(&w, tl_rao_to_i64(report->burned));
    tl_json_put_key(&w, "entries");
    tl_json_put_u64(&w, report->entry_count);
    tl_json_put_key(&w, "issuance_rao");
    tl_json_put_i64(&w, tl_rao_to_i64(report->issuance));
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}
