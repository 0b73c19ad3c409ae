#include "core/epoch/machine/machine.h"

static const char *const state_text[TL_EPOCH_STATE_COUNT] = {
#define TL_EPOCH_STATE_ROW(name, text) text,
    TL_EPOCH_STATE_MAP(TL_EPOCH_STATE_ROW)
#undef TL_EPOCH_STATE_ROW
};

static const char *const event_text[TL_EPOCH_EVENT_COUNT] = {
    "open", "close", "agree", "disagree", "retry", "settle", "archive", "void",
};

const char *tl_epoch_state_text(tl_epoch_state state)
{
    TL_ASSERT((unsigned)state < TL_EPOCH_STATE_COUNT);
    return state_text[state];
}

bool tl_epoch_state_parse(tl_epoch_state *out, tl_str text)
{
    for (unsigned i = 0; i < TL_EPOCH_STATE_COUNT; i++) {
        if (tl_str_eq_cstr(text, state_text[i])) {
            *out = (tl_epoch_state)i;
            return true;
        }
    }
    return false;
}

/* The drawing of the header as a table: an event leads from one state to one other. */
typedef struct edge {
    tl_epoch_state from;
    tl_epoch_event event;
    tl_epoch_state to;
    tl_epoch_action actions;
} edge;

static const edge edges[] = {
    {TL_EPOCH_PENDING, TL_EPOCH_EV_OPEN, TL_EPOCH_OPEN, TL_EPOCH_DO_TAKE_COMMITS},
    {TL_EPOCH_OPEN, TL_EPOCH_EV_CLOSE, TL_EPOCH_REVEAL, TL_EPOCH_DO_TAKE_REVEALS},
    {TL_EPOCH_REVEAL, TL_EPOCH_EV_CLOSE, TL_EPOCH_SCORING, TL_EPOCH_DO_GATHER_EVIDENCE},
    {TL_EPOCH_SCORING, TL_EPOCH_EV_AGREE, TL_EPOCH_AGREED, TL_EPOCH_DO_PAY},
    {TL_EPOCH_SCORING, TL_EPOCH_EV_DISAGREE, TL_EPOCH_EXTENDED, TL_EPOCH_DO_GATHER_EVIDENCE},
    {TL_EPOCH_EXTENDED, TL_EPOCH_EV_RETRY, TL_EPOCH_SCORING, TL_EPOCH_DO_GATHER_EVIDENCE},
    {TL_EPOCH_AGREED, TL_EPOCH_EV_SETTLE, TL_EPOCH_SETTLED, TL_EPOCH_DO_PUBLISH},
    {TL_EPOCH_SETTLED, TL_EPOCH_EV_ARCHIVE, TL_EPOCH_ARCHIVED, TL_EPOCH_DO_NOTHING},
    {TL_EPOCH_FAILED, TL_EPOCH_EV_ARCHIVE, TL_EPOCH_ARCHIVED, TL_EPOCH_DO_NOTHING},
    {TL_EPOCH_PENDING, TL_EPOCH_EV_VOID, TL_EPOCH_FAILED, TL_EPOCH_DO_REFUND},
    {TL_EPOCH_OPEN, TL_EPOCH_EV_VOID, TL_EPOCH_FAILED, TL_EPOCH_DO_REFUND},
    {TL_EPOCH_REVEAL, TL_EPOCH_EV_VOID, TL_EPOCH_FAILED, TL_EPOCH_DO_REFUND},
    {TL_EPOCH_SCORING, TL_EPOCH_EV_VOID, TL_EPOCH_FAILED, TL_EPOCH_DO_REFUND},
    {TL_EPOCH_EXTENDED, TL_EPOCH_EV_VOID, TL_EPOCH_FAILED, TL_EPOCH_DO_REFUND},
};

static const edge *find_edge(tl_epoch_state state, tl_epoch_event event)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (edges[i].from == state && edges[i].event == event) {
            return &edges[i];
        }
    }
    return NULL;
}

tl_err tl_epoch_step(tl_epoch_machine *machine, tl_epoch_transition *out, tl_epoch_event event,
                     uint64_t height, const char *cause, tl_errctx *ctx)
{
    TL_ASSERT((unsigned)machine->state < TL_EPOCH_STATE_COUNT);
    TL_ASSERT((unsigned)event < TL_EPOCH_EVENT_COUNT);
    const edge *way = find_edge(machine->state, event);
    if (way == NULL) { /* EPO-1 */
        return tl_fail(ctx, TL_ERR_STATE, "an epoch that is %s knows no \"%s\"",
                       state_text[machine->state], event_text[event]);
    }
    if (height < machine->height) { /* EPO-2 */
        return tl_fail(ctx, TL_ERR_RANGE, "height %llu lies before %llu, where the epoch became %s",
                       (unsigned long long)height, (unsigned long long)machine->height,
                       state_text[machine->state]);
    }
    tl_epoch_state to = way->to;
    tl_epoch_action actions = way->actions;
    if (to == TL_EPOCH_EXTENDED && machine->was_extended) { /* EPO-3 */
        to = TL_EPOCH_FAILED;
        actions = TL_EPOCH_DO_REFUND;
    }
    *out = (tl_epoch_transition){machine->state, to, height, actions, {0}};
    (void)tl_str_print(out->cause, sizeof out->cause, "%s", cause);
    machine->was_extended = machine->was_extended || to == TL_EPOCH_EXTENDED;
    machine->state = to;
    machine->height = height;
    return TL_OK;
}
