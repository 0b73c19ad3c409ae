/* What lives, read from the database: plans for the schedule, rosters for everybody. */
#include <stdlib.h>
#include <string.h>

#include "app/coordinator/keeper/keeper_internal.h"

tl_epoch_machine tl_keeper_machine(const tl_record_epoch *epoch)
{
    return (tl_epoch_machine){.state = epoch->state,
                              .height = epoch->moved_ms > 0 ? (uint64_t)epoch->moved_ms : 0,
                              .was_extended = epoch->round > 0};
}

tl_str tl_keeper_nonce_of(const tl_record_epoch *epoch, int64_t now_ms)
{
    const bool is_over = epoch->state != TL_EPOCH_PENDING && epoch->state != TL_EPOCH_OPEN &&
                         now_ms >= epoch->end_ms + epoch->extended_ms; /* KEEP-4 */
    const bool is_public =
        tl_str_eq_cstr(epoch->profile, "compat") && epoch->state != TL_EPOCH_PENDING;
    return is_over || is_public ? epoch->nonce : (tl_str){NULL, 0};
}

static tl_schedule_stage stage_of(const tl_record_epoch *epoch)
{
    if (epoch->state != TL_EPOCH_SCORING) {
        return TL_STAGE_NONE;
    }
    if (epoch->evidence_closed_ms == 0) {
        return TL_STAGE_EVIDENCE;
    }
    return epoch->commits_closed_ms == 0 ? TL_STAGE_COMMITS : TL_STAGE_RESULTS;
}

void tl_keeper_plan(tl_schedule_epoch *out, const tl_record_epoch *epoch, int64_t anchor_ms,
                    int64_t length_ms)
{
    const int64_t end_ms = epoch->end_ms + epoch->extended_ms;
    *out = (tl_schedule_epoch){.start_ms = epoch->start_ms,
                               .end_ms = end_ms,
                               .anchor_ms = anchor_ms > end_ms ? anchor_ms : end_ms,
                               .length_ms =
                                   length_ms > 0 ? length_ms : epoch->end_ms - epoch->start_ms,
                               .moved_ms = epoch->moved_ms,
                               .state = epoch->state,
                               .stage = stage_of(epoch),
                               .was_extended = epoch->round > 0};
}

static tl_err read_anchor(tl_keeper *keeper, int64_t *out, tl_str epoch_id, tl_errctx *ctx)
{
    char name[TL_KEEPER_NAME_CAP];
    tl_bytes value;
    *out = 0;
    tl_keeper_value_name(name, "anchor", epoch_id);
    const tl_err err =
        tl_records_get_value(keeper->records, &value, tl_str_from_cstr(name), keeper->scratch, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    if (!tl_str_parse_i64(out, (tl_str){(const char *)value.ptr, value.len})) {
        return tl_fail(ctx, TL_ERR_CORRUPT, "the value \"%s\" is no time", name);
    }
    return TL_OK;
}

static bool has_joined(const tl_record_contribution *joined, size_t count, const tl_hotkey *hotkey)
{
    for (size_t i = 0; i < count; i++) {
        if (tl_hotkey_cmp(&joined[i].hotkey, hotkey) == 0) {
            return true;
        }
    }
    return false;
}

/* A ballot of somebody who gave no evidence is nobody's whom the others wait for: else a few such, cast at once, would close
 * the commitments before those who did the work. */
static bool has_posted(const tl_record_evidence *posted, size_t count, const tl_hotkey *hotkey)
{
    for (size_t i = 0; i < count; i++) {
        if (posted[i].received_ms != TL__KEEPER_ABSENT &&
            tl_hotkey_cmp(&posted[i].hotkey, hotkey) == 0) {
            return true;
        }
    }
    return false;
}

/* Whom the stages of an epoch wait for, and who was heard. */
static tl_err count_voices(tl_keeper *keeper, tl_schedule_epoch *plan, const tl_record_epoch *epoch,
                           tl_errctx *ctx)
{
    const tl_record_contribution *joined;
    const tl_record_evidence *posted;
    const tl_record_ballot *ballots;
    size_t joined_count;
    size_t posted_count;
    size_t count;
    TL_TRY(tl_records_contributions(keeper->records, &joined, &joined_count, epoch->id,
                                    keeper->scratch, ctx));
    plan->joined = (uint32_t)joined_count;
    for (size_t i = 0; i < joined_count; i++) {
        plan->revealed += joined[i].secret.len > 0;
    }
    if (epoch->state != TL_EPOCH_SCORING) {
        return TL_OK;
    }
    TL_TRY(tl_records_evidence(keeper->records, &posted, &posted_count, epoch->id, 0, false,
                               keeper->scratch, ctx));
    for (size_t i = 0; i < posted_count; i++) {
        if (posted[i].received_ms == TL__KEEPER_ABSENT) {
            continue;
        }
        plan->posted++;
        plan->posted_joined += has_joined(joined, joined_count, &posted[i].hotkey);
    }
    TL_TRY(tl_records_ballots(keeper->records, &ballots, &count, epoch->id, epoch->round,
                              keeper->scratch, ctx));
    plan->committed = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        plan->committed_posted += has_posted(posted, posted_count, &ballots[i].hotkey);
        plan->shown += ballots[i].is_revealed;
    }
    return TL_OK;
}

tl_err tl__keeper_read(tl_keeper *keeper, tl__keeper_view *out, bool with_counts, int64_t now_ms,
                       tl_errctx *ctx)
{
    const tl_record_epoch *newest;
    size_t newest_count;
    (void)now_ms;
    TL_TRY(
        tl_records_open_epochs(keeper->records, &out->records, &out->count, keeper->scratch, ctx));
    TL_TRY(tl_records_epochs(keeper->records, &newest, &newest_count, (tl_str){NULL, 0}, 1,
                             keeper->scratch, ctx));
    out->newest_ms = newest_count > 0 ? newest[0].start_ms : -1;
    out->plans = TL_NEW(keeper->scratch, tl_schedule_epoch, out->count);
    if (out->plans == NULL) {
        return tl_arena_fail(keeper->scratch, ctx);
    }
    for (size_t i = 0; i < out->count; i++) {
        const tl_record_epoch *epoch = &out->records[i];
        const bool has_ended = epoch->state != TL_EPOCH_PENDING && epoch->state != TL_EPOCH_OPEN;
        int64_t anchor_ms;
        TL_TRY(read_anchor(keeper, &anchor_ms, epoch->id, ctx));
        tl_keeper_plan(&out->plans[i], epoch, anchor_ms, 0);
        if (with_counts && has_ended) {
            TL_TRY(count_voices(keeper, &out->plans[i], epoch, ctx));
        }
        out->plans[i].in_flight = tl__keeper_in_flight(keeper, epoch->start_ms);
    }
    return TL_OK;
}

/* --- rosters --- */

static bool is_same(const tl_keeper *keeper, const tl__keeper_shelf *shelf,
                    const tl__keeper_view *view)
{
    if (shelf == NULL || shelf->roster.count != view->count ||
        shelf->roster.is_leader != keeper->is_leader) {
        return false;
    }
    for (size_t i = 0; i < view->count; i++) {
        const tl_keeper_live *live = &shelf->roster.epochs[i];
        if (live->record.start_ms != view->records[i].start_ms ||
            live->record.version != view->records[i].version ||
            live->record.extended_ms != view->records[i].extended_ms ||
            live->record.state != view->records[i].state ||
            live->plan.anchor_ms != view->plans[i].anchor_ms) {
            return false;
        }
    }
    return true;
}

static void free_shelf(tl__keeper_shelf *shelf)
{
    for (size_t i = 0; i < shelf->roster.count; i++) {
        tl_api_page_unref(shelf->roster.epochs[i].page);
    }
    tl_arena_free(shelf->arena);
    free(shelf);
}

/* The page of before, while what stands on it is the same. */
static tl_err find_page(tl_keeper *keeper, tl_keeper_live *live, tl_errctx *ctx)
{
    const tl__keeper_shelf *old = keeper->shelf; /* this thread alone replaces it */
    for (size_t i = 0; old != NULL && i < old->roster.count; i++) {
        const tl_keeper_live *before = &old->roster.epochs[i];
        if (before->record.start_ms == live->record.start_ms &&
            before->record.extended_ms == live->record.extended_ms && before->page != NULL) {
            live->page = tl_api_page_ref(before->page);
            return TL_OK;
        }
    }
    const bool is_served =
        live->record.state == TL_EPOCH_PENDING || live->record.state == TL_EPOCH_OPEN;
    return keeper->s.page != NULL && is_served
               ? keeper->s.page(keeper->s.self, &live->page, live, ctx)
               : TL_OK;
}

static tl_err fill_shelf(tl_keeper *keeper, tl__keeper_shelf *shelf, const tl__keeper_view *view,
                         tl_errctx *ctx)
{
    const tl_record_epoch *records;
    size_t count;
    TL_TRY(tl_records_open_epochs(keeper->records, &records, &count, shelf->arena, ctx));
    tl_keeper_live *epochs = TL_NEW(shelf->arena, tl_keeper_live, count);
    if (epochs == NULL) {
        return tl_arena_fail(shelf->arena, ctx);
    }
    shelf->roster.epochs = epochs;
    for (size_t i = 0; i < count; i++) {
        tl_keeper_live *live = &epochs[i];
        live->record = records[i];
        tl_keeper_plan(&live->plan, &records[i], 0, 0);
        for (size_t k = 0; k < view->count; k++) {
            if (view->records[k].start_ms == records[i].start_ms) {
                live->plan.anchor_ms = view->plans[k].anchor_ms;
            }
        }
        TL_TRY(tl_records_assignments(keeper->records, &live->zipcodes, &live->zipcode_count,
                                      records[i].id, shelf->arena, ctx));
        shelf->roster.count = i + 1;
        TL_TRY(find_page(keeper, live, ctx));
    }
    return TL_OK;
}

tl_err tl__keeper_refresh(tl_keeper *keeper, const tl__keeper_view *view, int64_t now_ms,
                          tl_errctx *ctx)
{
    if (is_same(keeper, keeper->shelf, view)) {
        return TL_OK;
    }
    tl__keeper_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a roster");
    }
    tl_err err = tl_arena_new(&shelf->arena, NULL, 0, NULL, ctx);
    if (err == TL_OK) {
        err = fill_shelf(keeper, shelf, view, ctx);
    }
    if (err != TL_OK) {
        free_shelf(shelf);
        return err;
    }
    shelf->roster.is_leader = keeper->is_leader;
    shelf->roster.at_ms = now_ms;
    shelf->holders = 1;
    (void)pthread_mutex_lock(&keeper->lock);
    tl__keeper_shelf *old = keeper->shelf;
    keeper->shelf = shelf;
    (void)pthread_mutex_unlock(&keeper->lock);
    if (old != NULL) {
        tl_keeper_roster_drop(keeper, &old->roster);
    }
    return TL_OK;
}

const tl_keeper_roster *tl_keeper_roster_get(tl_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    tl__keeper_shelf *shelf = keeper->shelf;
    shelf->holders++;
    (void)pthread_mutex_unlock(&keeper->lock);
    return &shelf->roster;
}

void tl_keeper_roster_drop(tl_keeper *keeper, const tl_keeper_roster *roster)
{
    union {
        const tl_keeper_roster *seen;
        tl__keeper_shelf *owned; /* a roster is the first member of its shelf */
    } as = {.seen = roster};
    (void)pthread_mutex_lock(&keeper->lock);
    TL_ASSERT(as.owned->holders > 0); /* KEEP-3 */
    const bool is_last = --as.owned->holders == 0;
    (void)pthread_mutex_unlock(&keeper->lock);
    if (is_last) {
        free_shelf(as.owned);
    }
}

const tl_keeper_live *tl_keeper_live_of(const tl_keeper_roster *roster, tl_str epoch_id)
{
    for (size_t i = 0; i < roster->count; i++) {
        if (tl_str_eq(roster->epochs[i].record.id, epoch_id)) {
            return &roster->epochs[i];
        }
    }
    return NULL;
}

const tl_keeper_live *tl_keeper_current(const tl_keeper_roster *roster, int64_t now_ms)
{
    const tl_keeper_live *found = NULL;
    for (size_t i = 0; i < roster->count; i++) { /* oldest first: the newest that is served wins */
        if (tl_schedule_current(&roster->epochs[i].plan, 1, now_ms) == 0) {
            found = &roster->epochs[i];
        }
    }
    return found;
}

/* --- reports in flight --- */

void tl_keeper_enter(tl_keeper *keeper, int64_t start_ms)
{
    tl__keeper_flight *place = NULL;
    (void)pthread_mutex_lock(&keeper->lock);
    for (size_t i = 0; i < TL__KEEPER_FLIGHTS; i++) {
        tl__keeper_flight *at = &keeper->flights[i];
        if (at->count > 0 && at->start_ms == start_ms) {
            place = at;
            break;
        }
        place = place == NULL && at->count == 0 ? at : place;
    }
    if (place !=
        NULL) { /* with no place left its beacon does not wait: the limit would end that anyway */
        place->start_ms = start_ms;
        place->count++;
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}

void tl_keeper_leave(tl_keeper *keeper, int64_t start_ms)
{
    (void)pthread_mutex_lock(&keeper->lock);
    for (size_t i = 0; i < TL__KEEPER_FLIGHTS; i++) {
        if (keeper->flights[i].count > 0 && keeper->flights[i].start_ms == start_ms) {
            keeper->flights[i].count--;
        }
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}

uint32_t tl__keeper_in_flight(tl_keeper *keeper, int64_t start_ms)
{
    uint32_t count = 0;
    (void)pthread_mutex_lock(&keeper->lock);
    for (size_t i = 0; i < TL__KEEPER_FLIGHTS; i++) {
        if (keeper->flights[i].start_ms == start_ms) {
            count += keeper->flights[i].count;
        }
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    return count;
}
