/* places.c: what each submission comes to, why, and how many units of the pay each miner has. */
#include <string.h>

#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

#define PLACES 3

/* What every miner of the epoch is known by: disqualification reaches over all zipcodes. */
static int by_key_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_line *)a)->hotkey, &((const tl_race_line *)b)->hotkey);
}

tl_race_line *tl__race_line_find(tl_race_line *lines, size_t count, const tl_hotkey *hotkey)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (tl_hotkey_cmp(&lines[mid].hotkey, hotkey) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < count && tl_hotkey_eq(&lines[low].hotkey, hotkey) ? &lines[low] : NULL;
}

/* A line for everyone who handed something in or is owed something. */
static tl_err make_lines(tl__race *race, tl_errctx *ctx)
{
    const tl_race_input *in = race->in;
    const size_t most = in->sheet_count + in->held_count;
    tl_race_line *lines = TL_NEW(race->arena, tl_race_line, most);
    if (lines == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    for (size_t i = 0; i < in->sheet_count; i++) {
        lines[i].hotkey = race->entries[i].hotkey;
    }
    for (size_t i = 0; i < in->held_count; i++) {
        lines[in->sheet_count + i].hotkey = in->held[i].hotkey;
    }
    TL_TRY(tl_sort(lines, most, sizeof *lines, by_key_cmp, NULL, race->arena, ctx));
    size_t count = 0;
    for (size_t i = 0; i < most; i++) {
        if (count == 0 || !tl_hotkey_eq(&lines[count - 1].hotkey, &lines[i].hotkey)) {
            lines[count++] = lines[i];
        }
    }
    race->lines = lines;
    race->out->lines = lines;
    race->out->line_count = count;
    race->paid_units = TL_NEW(race->arena, uint64_t, count);
    race->held_units = TL_NEW(race->arena, uint64_t, count);
    if (race->paid_units == NULL || race->held_units == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    return TL_OK;
}

static tl_race_line *line_of(const tl__race *race, const tl_race_entry *entry)
{
    tl_race_line *line = tl__race_line_find(race->lines, race->out->line_count, &entry->hotkey);
    TL_ASSERT(line != NULL);
    return line;
}

/* --- disqualified --- */

/* The rule that a disqualified sheet is told: the first of the patterns in it. */
static tl_listing_rule pattern_of(const tl_sheet *sheet)
{
    for (size_t i = 0; i < sheet->finding_count; i++) {
        if (sheet->findings[i].rule >= TL_LISTING_PRICE_ANOMALY) {
            return sheet->findings[i].rule;
        }
    }
    return TL_LISTING_PRICE_ANOMALY;
}

static void disqualify(tl__race *race)
{
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        const tl_race_entry *entry = &race->entries[e];
        const bool has_hit = entry->honeypot_count > 0;
        if (!has_hit && !entry->of->sheet.is_disqualified) {
            continue;
        }
        tl_race_line *line = line_of(race, entry);
        const tl_listing_rule rule = has_hit ? TL_LISTING_HONEYPOT : pattern_of(&entry->of->sheet);
        if (!line->is_disqualified || rule == TL_LISTING_HONEYPOT) {
            line->disqualified_by = rule;
        }
        line->is_disqualified = true;
    }
}

/* --- places --- */

/* Does the sheet itself keep it from a place, and by which rule first? Late is asked again: it is the race's own. */
static bool is_kept(tl_race_entry *entry, const tl__race *race)
{
    const tl_sheet *s = &entry->of->sheet;
    entry->has_kept_by = true;
    if (s->received_ms > race->in->deadline_ms) {
        entry->kept_by = TL_LISTING_LATE;
        return true;
    }
    for (size_t i = 0; i < s->finding_count; i++) {
        const tl_listing_rule rule = s->findings[i].rule;
        const bool is_tier2 = rule >= TL_LISTING_COMPLETENESS && rule <= TL_LISTING_DUPLICATES;
        if ((rule == TL_LISTING_QUANTITY && !s->passes_tier1) || (is_tier2 && !s->passes_tier2)) {
            entry->kept_by = rule;
            return true;
        }
    }
    if (!s->passes_tier1 || !s->passes_tier2) { /* no finding says why */
        entry->kept_by = s->passes_tier1 ? TL_LISTING_VALUES : TL_LISTING_QUANTITY;
        return true;
    }
    if (entry->check == TL_RACE_CHECK_FAIL) {
        entry->kept_by = TL_LISTING_SPOT_CHECK;
        return true;
    }
    for (size_t i = 0; i < s->finding_count; i++) {
        if (s->findings[i].rule == TL_LISTING_COPY || s->findings[i].rule == TL_LISTING_SYBIL) {
            entry->kept_by = s->findings[i].rule;
            return true;
        }
    }
    entry->has_kept_by = false;
    return false;
}

static void decide_entry(tl__race *race, tl_race_entry *entry)
{
    const tl_race_line *line = line_of(race, entry);
    if (line->is_disqualified) { /* RACE-4 */
        entry->outcome = TL_RACE_DISQUALIFIED;
        entry->has_kept_by = true;
        entry->kept_by = line->disqualified_by;
    } else if (is_kept(entry, race)) {
        entry->outcome = TL_RACE_FAILED;
    } else {
        entry->outcome = TL_RACE_PARTICIPANT;
    }
}

static int coldkey_cmp(const void *a, const void *b, void *self)
{
    const tl_race_entry *entries = (const tl_race_entry *)self;
    const size_t x = *(const size_t *)a;
    const size_t y = *(const size_t *)b;
    const int order = tl_hotkey_cmp(&entries[x].coldkey, &entries[y].coldkey);
    return order != 0 ? order : (x > y) - (x < y);
}

/* Of one zipcode's passers of one coldkey only the first one races (RACE-3). passers: indexes, in race order. */
static tl_err part_coldkeys(tl__race *race, const size_t *passers, size_t count, size_t *sorted,
                            tl_errctx *ctx)
{
    memcpy(sorted, passers, count * sizeof *sorted);
    TL_TRY(tl_sort(sorted, count, sizeof *sorted, coldkey_cmp, race->entries, race->arena, ctx));
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        tl_race_entry *entry = &race->entries[sorted[i]];
        if (!tl_hotkey_eq(&race->entries[sorted[first]].coldkey, &entry->coldkey)) {
            first = i;
        } else {
            race->first_of_coldkey[sorted[i]] = sorted[first];
            entry->outcome = TL_RACE_SAME_COLDKEY;
            entry->has_kept_by = true;
            entry->kept_by = TL_LISTING_SYBIL;
        }
    }
    return TL_OK;
}

/* Entries [from, to) are one zipcode's. */
static tl_err place_zipcode(tl__race *race, size_t from, size_t to, size_t *passers, size_t *sorted,
                            tl_errctx *ctx)
{
    size_t count = 0;
    for (size_t e = from; e < to; e++) {
        decide_entry(race, &race->entries[e]);
        if (race->entries[e].outcome == TL_RACE_PARTICIPANT) {
            passers[count++] = e;
        }
    }
    if (count > 0) {
        TL_TRY(part_coldkeys(race, passers, count, sorted, ctx));
    }
    size_t place = 0;
    for (size_t i = 0; i < count && place < PLACES; i++) {
        tl_race_entry *entry = &race->entries[passers[i]];
        if (entry->outcome == TL_RACE_PARTICIPANT) {
            entry->outcome = (tl_race_outcome)(TL_RACE_FIRST + place);
            place++;
        }
    }
    return TL_OK;
}

static tl_err place_all(tl__race *race, tl_errctx *ctx)
{
    const size_t n = race->in->sheet_count;
    size_t *passers = TL_NEW(race->arena, size_t, n);
    size_t *sorted = TL_NEW(race->arena, size_t, n);
    race->first_of_coldkey = TL_NEW(race->arena, size_t, n);
    if (passers == NULL || sorted == NULL || race->first_of_coldkey == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && tl__zipcode_cmp(race->entries[from].of->zipcode,
                                         race->entries[to].of->zipcode) == 0) {
            to++;
        }
        if (race->entries[from].outcome != TL_RACE_NOT_RACED) {
            TL_TRY(place_zipcode(race, from, to, passers, sorted, ctx));
        }
        from = to;
    }
    return TL_OK;
}

/* --- findings --- */

static bool keeps_place(const tl_race_entry *entry, tl_listing_rule rule)
{
    if (rule == TL_LISTING_HONEYPOT) {
        return true;
    }
    if (entry->outcome == TL_RACE_NOT_RACED) {
        return false;
    }
    switch (rule) {
    case TL_LISTING_LATE:
    case TL_LISTING_QUANTITY:
    case TL_LISTING_COMPLETENESS:
    case TL_LISTING_VALUES:
    case TL_LISTING_CONSISTENCY:
    case TL_LISTING_DUPLICATES:
        return !entry->of->sheet.passes_tier1 || !entry->of->sheet.passes_tier2 ||
               rule == TL_LISTING_LATE;
    case TL_LISTING_SPOT_CHECK:
    case TL_LISTING_COPY:
    case TL_LISTING_SYBIL:
    case TL_LISTING_HONEYPOT:
        return true;
    case TL_LISTING_PRICE_ANOMALY:
    case TL_LISTING_GEOGRAPHY:
    case TL_LISTING_TIME:
        return entry->of->sheet.is_disqualified;
    case TL_LISTING_RULE_COUNT:
        break;
    }
    return false;
}

static void set_indices(tl_finding *f, const uint32_t *indices, size_t count)
{
    f->count = (uint32_t)count;
    f->index_count = count < TL_FINDING_INDICES_MAX ? (uint32_t)count : TL_FINDING_INDICES_MAX;
    for (uint32_t i = 0; i < f->index_count; i++) {
        f->indices[i] = indices[i];
    }
}

static void tell_spot_check(tl_finding *f, const tl__race *race, size_t e)
{
    const tl_sheet *s = &race->entries[e].of->sheet;
    uint32_t failed[TL_SAMPLES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->sample_count; i++) {
        if (race->fails[e][i]) { /* kept ascending: insertion among fifteen at most */
            size_t at = count++;
            for (; at > 0 && failed[at - 1] > s->samples[i].index; at--) {
                failed[at] = failed[at - 1];
            }
            failed[at] = s->samples[i].index;
        }
    }
    set_indices(f, failed, count);
    const uint32_t judged = race->entries[e].judged;
    f->rate_millionths =
        judged == 0 ? TL__MILLION : (uint32_t)((uint64_t)count * TL__MILLION / judged);
}

/* A finding of the race itself. */
static tl_finding tell(const tl__race *race, size_t e, tl_listing_rule rule)
{
    const tl_race_entry *entry = &race->entries[e];
    const uint32_t rows = entry->of->sheet.rows;
    tl_finding f = {.rule = rule, .count = rows, .rate_millionths = TL__MILLION};
    if (rule == TL_LISTING_SPOT_CHECK) {
        tell_spot_check(&f, race, e);
    } else if (rule == TL_LISTING_HONEYPOT) {
        set_indices(&f, entry->honeypots, entry->honeypot_count);
        f.rate_millionths =
            rows == 0 ? 0 : (uint32_t)((uint64_t)entry->honeypot_count * TL__MILLION / rows);
    } else if (rule == TL_LISTING_SYBIL) {
        f.peer = race->entries[race->first_of_coldkey[e]].of->sheet.hotkey;
    }
    return f;
}

/* The race adds a rule where it spoke and the sheet does not have it. */
static bool adds_rule(const tl_race_entry *entry, tl_listing_rule rule)
{
    if (rule == TL_LISTING_HONEYPOT) {
        return entry->honeypot_count > 0;
    }
    return entry->outcome != TL_RACE_NOT_RACED && entry->outcome != TL_RACE_DISQUALIFIED &&
           entry->has_kept_by && entry->kept_by == rule;
}

static size_t put_findings_of(tl_race_finding *out, const tl__race *race, size_t e)
{
    const tl_race_entry *entry = &race->entries[e];
    const tl_sheet *s = &entry->of->sheet;
    size_t count = 0;
    size_t at = 0;
    for (unsigned r = 0; r < TL_LISTING_RULE_COUNT; r++) {
        const tl_listing_rule rule = (tl_listing_rule)r;
        while (at < s->finding_count && s->findings[at].rule < rule) {
            at++;
        }
        if (at < s->finding_count && s->findings[at].rule == rule) {
            out[count++] = (tl_race_finding){e, s->findings[at], keeps_place(entry, rule)};
        } else if (adds_rule(entry, rule)) {
            out[count++] = (tl_race_finding){e, tell(race, e, rule), true};
        }
    }
    return count;
}

static tl_err find(tl__race *race, tl_errctx *ctx)
{
    size_t most = 0;
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        most += race->entries[e].of->sheet.finding_count + 2; /* its own, kept_by, honeypot */
    }
    tl_race_finding *all = TL_NEW(race->arena, tl_race_finding, most);
    if (all == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    size_t count = 0;
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        count += put_findings_of(all + count, race, e);
        TL_ASSERT(count <= most);
    }
    race->out->findings = all;
    race->out->finding_count = count;
    return TL_OK;
}

/* --- lines and units --- */

static bool is_placed(const tl_race_entry *entry)
{
    return entry->outcome <= TL_RACE_THIRD;
}

static int participant_cmp(const void *a, const void *b, void *self)
{
    const tl_race_entry *entries = (const tl_race_entry *)self;
    const tl_race_entry *x = &entries[*(const size_t *)a];
    const tl_race_entry *y = &entries[*(const size_t *)b];
    int order = tl_hotkey_cmp(&x->coldkey, &y->coldkey);
    if (order == 0) { /* those that were checked stand before those without evidence */
        order = (x->check == TL_RACE_CHECK_NONE) - (y->check == TL_RACE_CHECK_NONE);
    }
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

/* One part a coldkey, to its lowest hotkey that was checked; held when none was. *parts: how many. */
static tl_err gather_participants(tl__race *race, size_t **out, size_t *parts, tl_errctx *ctx)
{
    size_t *list = TL_NEW(race->arena, size_t, race->in->sheet_count);
    if (list == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    size_t n = 0;
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        if (race->entries[e].outcome == TL_RACE_PARTICIPANT) {
            list[n++] = e;
        }
    }
    TL_TRY(tl_sort(list, n, sizeof *list, participant_cmp, race->entries, race->arena, ctx));
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !tl_hotkey_eq(&race->entries[list[kept - 1]].coldkey,
                                       &race->entries[list[i]].coldkey)) {
            list[kept++] = list[i];
        }
    }
    *out = list;
    *parts = kept;
    return TL_OK;
}

static void add_units(tl__race *race, const tl_race_entry *entry, uint64_t units)
{
    const size_t i = (size_t)(line_of(race, entry) - race->lines);
    (entry->check == TL_RACE_CHECK_NONE ? race->held_units : race->paid_units)[i] += units;
}

/* A zipcode weighs what its winners brought. */
static uint64_t weigh_zipcode(const tl__race *race, size_t e)
{
    const char *zipcode = race->entries[e].of->zipcode;
    uint64_t weight = 0;
    for (; e < race->in->sheet_count && tl__zipcode_cmp(race->entries[e].of->zipcode, zipcode) == 0;
         e++) {
        weight += is_placed(&race->entries[e]) ? race->entries[e].of->sheet.distinct : 0;
    }
    return weight;
}

_Static_assert((uint64_t)TL_RACE_ZIPCODES_MAX *PLACES *TL_SUBMISSION_ROWS_MAX *TL__WHOLE_BP <
                   (UINT64_C(1) << 62) / TL_RACE_SHEETS_MAX,
               "all units fit 62 bits");

/* Units are parts of one basis point of one listing, so many as there are participation parts: all integers. */
static tl_err share_units(tl__race *race, tl_errctx *ctx)
{
    size_t *participants = NULL;
    size_t parts = 0;
    TL_TRY(gather_participants(race, &participants, &parts, ctx));
    const uint64_t scale = parts > 0 ? parts : 1;
    const tl_listings_params *p = race->in->params;
    uint64_t listings = 0;
    uint64_t given = 0;
    uint64_t weight = 0;
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        const tl_race_entry *entry = &race->entries[e];
        if (e == 0 || tl__zipcode_cmp(race->entries[e - 1].of->zipcode, entry->of->zipcode) != 0) {
            weight = weigh_zipcode(race, e);
            listings += weight;
        }
        if (is_placed(entry)) {
            const uint64_t units = weight * p->place_bp[entry->outcome - TL_RACE_FIRST] * scale;
            add_units(race, entry, units);
            given += units;
        }
    }
    for (size_t i = 0; i < parts && listings > 0; i++) {
        const uint64_t units = listings * p->participation_bp;
        add_units(race, &race->entries[participants[i]], units);
        given += units;
    }
    race->all_units = listings * TL__WHOLE_BP * scale;
    TL_ASSERT(given <= race->all_units);
    race->burn_units = race->all_units - given;
    if (race->all_units == 0) { /* nobody won anywhere */
        race->all_units = 1;
        race->burn_units = 1;
    }
    return TL_OK;
}

static void fill_lines(tl__race *race)
{
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        const tl_race_entry *entry = &race->entries[e];
        tl_race_line *line = line_of(race, entry);
        line->submissions++;
        line->participations += entry->outcome == TL_RACE_PARTICIPANT ? 1 : 0;
        if (is_placed(entry)) {
            TL_ASSERT(!line->is_disqualified); /* RACE-4 */
            line->places[entry->outcome - TL_RACE_FIRST]++;
            line->listings += entry->of->sheet.distinct;
        }
    }
}

/* The mean; summed apart, since a line holds 32 bits. */
static tl_err fill_quality(tl__race *race, tl_errctx *ctx)
{
    uint64_t *sums = TL_NEW(race->arena, uint64_t, race->out->line_count);
    if (sums == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    for (size_t e = 0; e < race->in->sheet_count; e++) {
        sums[line_of(race, &race->entries[e]) - race->lines] += race->entries[e].quality_millionths;
    }
    for (size_t i = 0; i < race->out->line_count; i++) {
        tl_race_line *line = &race->lines[i];
        line->quality_millionths =
            line->submissions == 0 ? 0 : (uint32_t)(sums[i] / line->submissions);
    }
    return TL_OK;
}

tl_err tl__race_place(tl__race *race, tl_errctx *ctx)
{
    TL_TRY(make_lines(race, ctx));
    disqualify(race);
    TL_TRY(place_all(race, ctx));
    TL_TRY(find(race, ctx));
    fill_lines(race);
    TL_TRY(fill_quality(race, ctx));
    return share_units(race, ctx);
}
