/* race.c: reading what the race is run on, its order, and the run. Read tl_race_run() first. */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/listings/race/race_internal.h"
#include "core/num/stats/stats.h"

static const char *const outcome_names[TL_RACE_OUTCOME_COUNT] = {
#define OUTCOME_NAME(name, text) [TL_RACE_##name] = (text),
    TL_RACE_OUTCOME_MAP(OUTCOME_NAME)
#undef OUTCOME_NAME
};

const char *tl_race_outcome_name(tl_race_outcome outcome)
{
    TL_ASSERT((unsigned)outcome < TL_RACE_OUTCOME_COUNT);
    return outcome_names[outcome];
}

const char *tl_race_check_name(tl_race_check check)
{
    static const char *const names[] = {"pass", "fail", "no_evidence"};
    TL_ASSERT((unsigned)check < sizeof names / sizeof *names);
    return names[check];
}

/* --- limits and lists --- */

static tl_err check_limits(const tl_race_input *in, tl_errctx *ctx)
{
    const struct {
        const char *name;
        size_t count;
        size_t max;
    } lists[] = {
        {"zipcodes", in->zipcode_count, TL_RACE_ZIPCODES_MAX},
        {"submissions", in->sheet_count, TL_RACE_SHEETS_MAX},
        {"validators", in->validator_count, TL_RACE_VALIDATORS_MAX},
        {"held", in->held_count, TL_RACE_HELD_MAX},
        {"strikes", in->strike_count, TL_RACE_HELD_MAX},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (lists[i].count > lists[i].max) {
            return tl_fail_field(ctx, TL_ERR_LIMIT, lists[i].name, "%zu, above %zu", lists[i].count,
                                 lists[i].max);
        }
    }
    const tl_listings_params *p = in->params;
    const uint64_t shares =
        (uint64_t)p->place_bp[0] + p->place_bp[1] + p->place_bp[2] + p->participation_bp;
    if (shares > TL__WHOLE_BP || tl_rao_is_negative(p->emission)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "place_bp",
                             "the places' shares are %llu of 10,000, or the emission is negative",
                             (unsigned long long)shares);
    }
    return TL_OK;
}

static int by_zipcode_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl__zipcode_cmp(((const tl_race_zipcode *)a)->zipcode,
                           ((const tl_race_zipcode *)b)->zipcode);
}

static int by_validator_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_race_validator *)a)->hotkey,
                         &((const tl_race_validator *)b)->hotkey);
}

/* A sorted copy without twins. */
static tl_err sort_copy(void **out, tl_arena *arena, const void *items, size_t count, size_t size,
                        tl_compare cmp, const char *what, tl_errctx *ctx)
{
    char *copy = (char *)tl_arena_alloc(arena, count, size, _Alignof(max_align_t));
    if (copy == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    if (count > 0) {
        memcpy(copy, items, count * size);
    }
    TL_TRY(tl_sort(copy, count, size, cmp, NULL, arena, ctx));
    for (size_t i = 1; i < count; i++) {
        if (cmp(copy + (i - 1) * size, copy + i * size, NULL) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, what, "one of them stands twice");
        }
    }
    *out = copy;
    return TL_OK;
}

static tl_err sort_lists(tl__race *race, tl_errctx *ctx)
{
    const tl_race_input *in = race->in;
    void *zipcodes = NULL;
    void *validators = NULL;
    TL_TRY(sort_copy(&zipcodes, race->arena, in->zipcodes, in->zipcode_count, sizeof *in->zipcodes,
                     by_zipcode_cmp, "zipcodes", ctx));
    TL_TRY(sort_copy(&validators, race->arena, in->validators, in->validator_count,
                     sizeof *in->validators, by_validator_cmp, "validators", ctx));
    race->zipcodes = (const tl_race_zipcode *)zipcodes;
    race->validators = (const tl_race_validator *)validators;
    tl_rao sum = TL_RAO_ZERO;
    for (size_t v = 0; v < in->validator_count; v++) {
        if (tl_rao_is_negative(race->validators[v].stake)) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "validators", "a stake is negative");
        }
        TL_TRY(tl_rao_add(&sum, sum, race->validators[v].stake, ctx));
        const tl_evidence *evidence = race->validators[v].evidence;
        if (evidence != NULL && !tl__evidence_is_of(evidence, in->epoch_id)) {
            return tl_fail_field(ctx, TL_ERR_CANONICAL, "validators",
                                 "evidence is out of order, or of another epoch");
        }
    }
    return TL_OK;
}

/* --- entries, in the order of the race --- */

static const tl_race_zipcode *find_zipcode(const tl__race *race, const char zipcode[6])
{
    size_t low = 0;
    size_t high = race->in->zipcode_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (tl__zipcode_cmp(race->zipcodes[mid].zipcode, zipcode) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < race->in->zipcode_count &&
                   tl__zipcode_cmp(race->zipcodes[low].zipcode, zipcode) == 0
               ? &race->zipcodes[low]
               : NULL;
}

static void hash_tie(tl_hash32 *out, tl_str nonce, const tl_hash32 *content_hash)
{
    char text[2 * sizeof content_hash->b + 1];
    tl_hex_write(text, content_hash->b, sizeof content_hash->b);
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, nonce.ptr, nonce.len);
    tl_sha256_update(&hash, text, sizeof text - 1);
    tl_sha256_final(&hash, out);
}

static tl_err make_entry(tl_race_entry *out, const tl__race *race, const tl_race_sheet *sheet,
                         tl_errctx *ctx)
{
    const tl_race_zipcode *zipcode = find_zipcode(race, sheet->zipcode);
    if (zipcode == NULL) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "zipcode", "%.5s was not asked for",
                             sheet->zipcode);
    }
    if (sheet->sheet.rows > TL_SUBMISSION_ROWS_MAX || sheet->sheet.distinct > sheet->sheet.rows ||
        sheet->sheet.sample_count > TL_SAMPLES_MAX ||
        sheet->sheet.sample_asked > sheet->sheet.sample_count ||
        sheet->sheet.finding_count > TL_SHEET_FINDINGS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "sheet", "its counts are no sheet's");
    }
    *out = (tl_race_entry){.of = sheet, .check = TL_RACE_CHECK_NONE};
    tl_err err = tl_ss58_decode(&out->hotkey, sheet->sheet.hotkey, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "hotkey");
        return err;
    }
    out->coldkey = out->hotkey; /* one whose coldkey nobody knows is its own */
    if (sheet->sheet.coldkey.len > 0) {
        err = tl_ss58_decode(&out->coldkey, sheet->sheet.coldkey, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "coldkey");
            return err;
        }
    }
    out->outcome = zipcode->is_honeypot ? TL_RACE_NOT_RACED : TL_RACE_FAILED;
    hash_tie(&out->tie, race->in->nonce, &sheet->sheet.content_hash);
    return TL_OK;
}

/* Zipcode, time of receipt, SHA-256(nonce ‖ content hash), hotkey bytes: total, since a hotkey stands once a zipcode, so that
 * the order of arrival is forgotten here (RACE-1). */
static int entry_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const tl_race_entry *x = (const tl_race_entry *)a;
    const tl_race_entry *y = (const tl_race_entry *)b;
    int order = tl__zipcode_cmp(x->of->zipcode, y->of->zipcode);
    if (order != 0) {
        return order;
    }
    if (x->of->sheet.received_ms != y->of->sheet.received_ms) {
        return x->of->sheet.received_ms < y->of->sheet.received_ms ? -1 : 1;
    }
    order = tl_hash32_cmp(&x->tie, &y->tie);
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

static int by_hotkey_cmp(const void *a, const void *b, void *self)
{
    const tl_race_entry *entries = (const tl_race_entry *)self;
    const tl_race_entry *x = &entries[*(const size_t *)a];
    const tl_race_entry *y = &entries[*(const size_t *)b];
    const int order = tl__zipcode_cmp(x->of->zipcode, y->of->zipcode);
    return order != 0 ? order : tl_hotkey_cmp(&x->hotkey, &y->hotkey);
}

static tl_err make_entries(tl__race *race, tl_errctx *ctx)
{
    const size_t n = race->in->sheet_count;
    race->entries = TL_NEW(race->arena, tl_race_entry, n);
    race->by_hotkey = TL_NEW(race->arena, size_t, n);
    if (race->entries == NULL || race->by_hotkey == NULL) {
        return tl_arena_fail(race->arena, ctx);
    }
    for (size_t i = 0; i < n; i++) {
        const tl_err err = make_entry(&race->entries[i], race, &race->in->sheets[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "submissions[%zu]", i);
            return err;
        }
        race->by_hotkey[i] = i;
    }
    TL_TRY(tl_sort(race->entries, n, sizeof *race->entries, entry_cmp, NULL, race->arena, ctx));
    TL_TRY(tl_sort(race->by_hotkey, n, sizeof *race->by_hotkey, by_hotkey_cmp, race->entries,
                   race->arena, ctx));
    for (size_t i = 1; i < n; i++) { /* RACE-3 */
        if (by_hotkey_cmp(&race->by_hotkey[i - 1], &race->by_hotkey[i], race->entries) == 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "submissions",
                                 "a miner has two submissions of zipcode %s",
                                 race->entries[race->by_hotkey[i]].of->zipcode);
        }
    }
    race->out->entries = race->entries;
    race->out->entry_count = n;
    return TL_OK;
}

/* Section 9's quality: 25 data quality, 35 accuracy, 25 completeness of the zipcode, 15 timeliness. */
static void grade(tl_race_entry *entry)
{
    const tl_sheet *s = &entry->of->sheet;
    entry->accuracy_millionths =
        entry->judged == 0 ? 0 : (uint32_t)((uint64_t)entry->passed * TL__MILLION / entry->judged);
    const uint64_t completeness =
        s->completeness_millionths < TL__MILLION ? s->completeness_millionths : TL__MILLION;
    entry->quality_millionths =
        (uint32_t)(((uint64_t)s->data_quality_millionths * 25 +
                    (uint64_t)entry->accuracy_millionths * 35 + completeness * 25 +
                    (uint64_t)s->timeliness_millionths * 15) /
                   100);
}

tl_err tl_race_run(tl_race_result *out, tl_arena *arena, const tl_race_input *input, tl_errctx *ctx)
{
    tl_race_result result = {.input = input};
    tl__race race = {.arena = arena, .in = input, .out = &result};
    TL_TRY(check_limits(input, ctx));
    TL_TRY(sort_lists(&race, ctx));
    TL_TRY(make_entries(&race, ctx));
    TL_TRY(tl__race_merge(&race, ctx));
    for (size_t e = 0; e < input->sheet_count; e++) {
        grade(&race.entries[e]);
    }
    TL_TRY(tl__race_place(&race, ctx));
    TL_TRY(tl__race_pay(&race, ctx));
    TL_TRY(tl__race_root(&race, ctx));
    *out = result;
    return TL_OK;
}
