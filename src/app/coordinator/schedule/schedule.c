/* The acts of a moment: first those of slots, then one for each epoch whose stage is over. */
#include "app/coordinator/schedule/schedule.h"

static const char *const act_text[TL_ACT_COUNT] = {
#define TL_SCHEDULE_ACT_ROW(name, text) text,
    TL_SCHEDULE_ACT_MAP(TL_SCHEDULE_ACT_ROW)
#undef TL_SCHEDULE_ACT_ROW
};

const char *tl_schedule_act_text(tl_schedule_act_kind kind)
{
    TL_ASSERT((unsigned)kind < TL_ACT_COUNT);
    return act_text[kind];
}

/* What one step has gathered. */
typedef struct gathered {
    tl_schedule_act *acts;
    size_t count;
    int64_t now_ms;
    int64_t wake_ms;
} gathered;

static void act(gathered *g, tl_schedule_act_kind kind, int64_t start_ms)
{
    if (g->count < TL_SCHEDULE_ACTS_MAX) {
        tl_schedule_act *made = &g->acts[g->count++];
        made->kind = kind;
        made->start_ms = start_ms;
    }
}

/* Is that time over? If not, it is one to wake at. */
static bool is_over(gathered *g, int64_t at_ms)
{
    if (g->now_ms >= at_ms) {
        return true;
    }
    g->wake_ms = at_ms < g->wake_ms ? at_ms : g->wake_ms;
    return false;
}

static const tl_schedule_epoch *find(const tl_schedule_epoch *epochs, size_t count,
                                     int64_t start_ms)
{
    for (size_t i = 0; i < count; i++) {
        if (epochs[i].start_ms == start_ms) {
            return &epochs[i];
        }
    }
    return NULL;
}

/* The slot that runs and the next one have an epoch; those that an outage swallowed are recorded, the newest of them. */
static void look_at_slots(gathered *g, const tl_schedule_rules *rules,
                          const tl_schedule_epoch *epochs, size_t count, int64_t newest_ms)
{
    const int64_t slot_ms = tl_schedule_slot(rules->epoch_ms, g->now_ms);
    int64_t missed_ms = slot_ms - TL_SCHEDULE_MISSED_MAX * rules->epoch_ms;
    if (newest_ms >= 0 && newest_ms + rules->epoch_ms > missed_ms) {
        missed_ms = tl_schedule_slot(rules->epoch_ms, newest_ms) + rules->epoch_ms;
    }
    for (; newest_ms >= 0 && missed_ms < slot_ms && g->count + 4 < TL_SCHEDULE_ACTS_MAX;
         missed_ms += rules->epoch_ms) {
        act(g, TL_ACT_MISS, missed_ms);
    }
    if (newest_ms >= 0 && missed_ms < slot_ms) {
        return; /* the rest of them first: what is newest only grows */
    }
    const int64_t next_ms = slot_ms + rules->epoch_ms;
    if (find(epochs, count, slot_ms) == NULL) {
        act(g, TL_ACT_PREPARE, slot_ms);
    }
    if (find(epochs, count, next_ms) == NULL && is_over(g, next_ms - rules->epoch_ms / 2)) {
        act(g, TL_ACT_PREPARE, next_ms);
    }
    (void)is_over(g, slot_ms + rules->epoch_ms);
}

static void look_at_pending(gathered *g, const tl_schedule_epoch *epoch)
{
    if (is_over(g, epoch->start_ms + epoch->length_ms)) {
        act(g, TL_ACT_VOID, epoch->start_ms); /* SCHED-2: its slot went by while nobody led */
    } else if (is_over(g, epoch->start_ms)) {
        act(g, TL_ACT_OPEN, epoch->start_ms);
    }
}

static void look_at_scoring(gathered *g, const tl_schedule_epoch *epoch)
{
    tl_schedule_windows until;
    tl_schedule_windows_of(&until, epoch);
    /* Whoever missed the evidence may be back for the second vote: it waits for all who joined. */
    const bool is_complete = !epoch->was_extended || epoch->committed >= epoch->joined;
    switch (epoch->stage) { /* SCHED-3 */
    case TL_STAGE_EVIDENCE:
        if ((epoch->joined > 0 && epoch->posted_joined >= epoch->joined) ||
            is_over(g, until.evidence_until_ms)) {
            act(g, TL_ACT_EVIDENCE, epoch->start_ms);
        }
        return;
    case TL_STAGE_COMMITS:
        if ((epoch->posted > 0 && epoch->committed_posted >= epoch->posted && is_complete) ||
            is_over(g, until.commit_until_ms)) {
            act(g, TL_ACT_COMMITS, epoch->start_ms);
        }
        return;
    case TL_STAGE_RESULTS:
        if (epoch->shown >= epoch->committed || is_over(g, until.results_until_ms)) {
            act(g, TL_ACT_JUDGE, epoch->start_ms);
        }
        return;
    case TL_STAGE_NONE:
        break;
    }
    TL_ASSERT(false && "an epoch that is scored has a stage"); /* SCHED-1 */
}

/* Is an epoch before it still without a result? What that one leaves (held pay, strikes) belongs to the next. */
static bool is_before_judged(const tl_schedule_epoch *epochs, const tl_schedule_epoch *epoch)
{
    for (const tl_schedule_epoch *e = epochs; e < epoch; e++) {
        if (e->state == TL_EPOCH_OPEN || e->state == TL_EPOCH_REVEAL ||
            e->state == TL_EPOCH_SCORING || e->state == TL_EPOCH_EXTENDED) {
            return false;
        }
    }
    return true;
}

static void look_at(gathered *g, const tl_schedule_rules *rules, const tl_schedule_epoch *epochs,
                    const tl_schedule_epoch *epoch)
{
    tl_schedule_windows until;
    switch (epoch->state) {
    case TL_EPOCH_PENDING:
        look_at_pending(g, epoch);
        return;
    case TL_EPOCH_OPEN:
        if (is_over(g, epoch->end_ms)) {
            act(g, TL_ACT_CLOSE, epoch->start_ms);
        }
        return;
    case TL_EPOCH_REVEAL:
        tl_schedule_windows_of(&until, epoch);
        if (((epoch->in_flight == 0 && epoch->revealed >= epoch->joined) ||
             is_over(g, until.reveal_until_ms)) &&
            is_before_judged(epochs, epoch)) {
            act(g, TL_ACT_BEACON, epoch->start_ms);
        }
        return;
    case TL_EPOCH_SCORING:
        look_at_scoring(g, epoch);
        return;
    case TL_EPOCH_EXTENDED:
        act(g, TL_ACT_RETRY, epoch->start_ms);
        return;
    case TL_EPOCH_AGREED:
        act(g, TL_ACT_SETTLE, epoch->start_ms);
        return;
    case TL_EPOCH_SETTLED:
    case TL_EPOCH_FAILED:
        if (is_over(g, epoch->moved_ms + rules->keep_ms)) {
            act(g, TL_ACT_ARCHIVE, epoch->start_ms);
        }
        return;
    case TL_EPOCH_ARCHIVED:
    case TL_EPOCH_STATE_COUNT:
        return;
    }
}

size_t tl_schedule_step(tl_schedule_act *out, int64_t *wake_ms, const tl_schedule_rules *rules,
                        const tl_schedule_epoch *epochs, size_t count, int64_t newest_ms,
                        int64_t now_ms)
{
    TL_ASSERT(rules->epoch_ms > 0 && TL_SCHEDULE_DAY_MS % rules->epoch_ms == 0);
    gathered g = {.acts = out, .now_ms = now_ms, .wake_ms = now_ms + rules->epoch_ms};
    look_at_slots(&g, rules, epochs, count, newest_ms);
    for (size_t i = 0; i < count; i++) {
        look_at(&g, rules, epochs, &epochs[i]);
    }
    *wake_ms = g.wake_ms;
    return g.count;
}

int64_t tl_schedule_after_outage(const tl_schedule_epoch *epoch, int64_t from_ms, int64_t to_ms)
{
    const int64_t first_ms = from_ms > epoch->anchor_ms ? from_ms : epoch->anchor_ms;
    return to_ms > first_ms ? epoch->anchor_ms + (to_ms - first_ms) : epoch->anchor_ms;
}

size_t tl_schedule_current(const tl_schedule_epoch *epochs, size_t count, int64_t now_ms)
{
    size_t found = count;
    for (size_t i = 0; i < count; i++) {
        const tl_schedule_epoch *epoch = &epochs[i];
        const bool has_begun =
            epoch->state == TL_EPOCH_PENDING && now_ms >= epoch->start_ms && now_ms < epoch->end_ms;
        const bool is_open = epoch->state == TL_EPOCH_OPEN && now_ms < epoch->end_ms;
        if ((has_begun || is_open) &&
            (found == count || epochs[found].start_ms < epoch->start_ms)) {
            found = i;
        }
    }
    return found;
}

void tl_schedule_windows_of(tl_schedule_windows *out, const tl_schedule_epoch *epoch)
{
    const int64_t a = epoch->anchor_ms;
    const int64_t n = epoch->length_ms;
    out->reveal_until_ms = a + n / 20;
    out->evidence_until_ms = a + n / 4;
    out->commit_until_ms = a + (epoch->was_extended ? 5 : 3) * n / 8;
    out->results_until_ms = a + (epoch->was_extended ? 3 * n / 4 : n / 2);
}

int64_t tl_schedule_slot(int64_t epoch_ms, int64_t now_ms)
{
    TL_ASSERT(now_ms >= 0);
    return now_ms - now_ms % epoch_ms; /* a day of Unix time begins at midnight UTC */
}
