/* One answer out of many: equal answers are counted by their canonical bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/map/map.h"
#include "sdk/dendrite/dendrite_internal.h"

/* --- canonical bytes --- */

enum { DEPTH_MAX = TL_VALUE_DEPTH_MAX + 1 };

static int by_key(const void *a, const void *b)
{
    const tl_value_member *const *x = (const tl_value_member *const *)a;
    const tl_value_member *const *y = (const tl_value_member *const *)b;
    return tl_str_cmp((*x)->key, (*y)->key);
}

static void put_value(tl_sb *sb, const tl_value *value, unsigned depth);

static void put_members(tl_sb *sb, const tl_value *value, unsigned depth)
{
    const tl_value_member **sorted = TL_NEW(sb->arena, const tl_value_member *, value->count);
    if (sorted == NULL) {
        sb->err = TL_ERR_NOMEM; /* STR-1: the whole text is then none */
        return;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        sorted[i] = &value->members[i];
    }
    qsort(sorted, value->count, sizeof *sorted, by_key);
    tl_sb_put_char(sb, '{');
    for (uint32_t i = 0; i < value->count; i++) {
        tl_value_put_json_str(sb, sorted[i]->key, TL_VALUE_REQUEST);
        tl_sb_put_char(sb, ':');
        put_value(sb, &sorted[i]->value, depth + 1);
        tl_sb_put_char(sb, ',');
    }
    tl_sb_put_char(sb, '}');
}

/* Lists and tuples are one thing here, as they are in JSON. */
static void put_value(tl_sb *sb, const tl_value *value, unsigned depth)
{
    TL_ASSERT(depth <= DEPTH_MAX + 1);
    if (value->kind == TL_VALUE_DICT) {
        put_members(sb, value, depth);
    } else if (value->kind == TL_VALUE_LIST || value->kind == TL_VALUE_TUPLE) {
        tl_sb_put_char(sb, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            put_value(sb, &value->items[i], depth + 1);
            tl_sb_put_char(sb, ',');
        }
        tl_sb_put_char(sb, ']');
    } else {
        tl_value_put_json(sb, value, TL_VALUE_REQUEST);
    }
}

void tl__put_canonical_fields(tl_sb *sb, const tl_synapse *synapse)
{
    const tl_synapse_model *model = &synapse->def->model;
    for (size_t i = 0; i < model->field_count; i++) { /* in the definition's order: one for all */
        tl_value_put_json_str(sb, model->fields[i].name, TL_VALUE_REQUEST);
        tl_sb_put_char(sb, ':');
        put_value(sb, &synapse->fields[i], 0);
        tl_sb_put_char(sb, ',');
    }
}

/* A stream's answer is its chunks, which no field holds. */
void tl_dendrite_put_canonical(tl_sb *sb, const tl_dendrite_reply *reply)
{
    if (reply->synapse != NULL) {
        tl__put_canonical_fields(sb, reply->synapse);
    }
    if (reply->synapse == NULL || reply->synapse->def->is_streaming) {
        tl_sb_put_bytes(sb, reply->body.ptr, reply->body.len);
    }
}

/* --- counting --- */

/* Replies that say the same. */
typedef struct party {
    size_t count;
    const tl_dendrite_reply *lowest; /* by hotkey */
} party;

typedef struct gathering {
    tl_dendrite_rule rule;
    tl_map parties; /* party by canonical bytes */
    const tl_dendrite_reply *first;
    size_t good;
    size_t good_min;
    size_t quorum;
} gathering;

/* By key; the texts decide between addresses that are none or of one key. */
static bool is_lower(const tl_dendrite_reply *a, const tl_dendrite_reply *b)
{
    tl_hotkey x;
    tl_hotkey y;
    uint16_t prefix = 0;
    const bool has_keys = tl_ss58_decode_any(&x, &prefix, a->target->hotkey, NULL) == TL_OK &&
                          tl_ss58_decode_any(&y, &prefix, b->target->hotkey, NULL) == TL_OK;
    const int order = has_keys ? tl_hotkey_cmp(&x, &y) : 0;
    if (order != 0) {
        return order < 0;
    }
    const int text = tl_str_cmp(a->target->hotkey, b->target->hotkey);
    return text != 0 ? text < 0 : a->index < b->index;
}

static tl_err join_party(gathering *g, tl_arena *arena, const tl_dendrite_reply *reply,
                         tl_errctx *ctx)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_map_entry *entry = NULL;
    tl_sb_init(&sb, arena);
    tl_dendrite_put_canonical(&sb, reply);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl_map_slot(&entry, &g->parties, tl_str_bytes(text), ctx));
    if (entry->value == NULL) {
        entry->value = TL_NEW(arena, party, 1);
        if (entry->value == NULL) {
            return tl_arena_fail(arena, ctx);
        }
    }
    party *p = (party *)entry->value;
    p->count++;
    if (p->lowest == NULL || is_lower(reply, p->lowest)) {
        p->lowest = reply;
    }
    return TL_OK;
}

/* The largest party, of equals that with the lowest hotkey, and the size of the next one. */
static const party *find_leader(const gathering *g, size_t *second)
{
    const party *leader = NULL;
    *second = 0;
    for (const tl_map_entry *e = g->parties.first; e != NULL; e = e->next) {
        const party *p = (const party *)e->value;
        const bool leads = leader == NULL || p->count > leader->count ||
                           (p->count == leader->count && is_lower(p->lowest, leader->lowest));
        const party *behind = leads ? leader : p;
        leader = leads ? p : leader;
        *second = behind != NULL && behind->count > *second ? behind->count : *second;
    }
    return leader;
}

/* Can the replies that are still to come change nothing any more? */
static bool is_settled(const gathering *g, size_t left)
{
    size_t second = 0;
    const party *leader = NULL;
    if (g->good + left < g->good_min) {
        return true;
    }
    switch (g->rule) {
    case TL_DENDRITE_ALL:
        return false; /* who asks all wants to hear all */
    case TL_DENDRITE_FIRST:
        return g->good >= g->good_min;
    case TL_DENDRITE_QUORUM:
        leader = find_leader(g, &second);
        return (leader != NULL && leader->count >= g->quorum && g->good >= g->good_min) ||
               (leader != NULL ? leader->count : 0) + left < g->quorum;
    case TL_DENDRITE_MAJORITY:
        leader = find_leader(g, &second);
        return leader != NULL && leader->count > second + left && g->good >= g->good_min;
    }
    return false;
}

static void hear(void *self, tl__batch *batch, const tl_dendrite_reply *reply)
{
    gathering *g = (gathering *)self;
    if (reply->is_ok && !batch->is_stopped) {
        g->good++;
        g->first = g->first != NULL ? g->first : reply;
        batch->err = join_party(g, batch->arena, reply, batch->ctx);
        if (batch->err != TL_OK) {
            return;
        }
    }
    if (!batch->is_stopped && batch->left > 0 && is_settled(g, batch->left)) {
        tl__batch_stop(batch);
    }
}

/* How many agree with the one that was chosen. */
static size_t party_of(const gathering *g, tl_arena *scratch, const tl_dendrite_reply *reply)
{
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, scratch);
    tl_dendrite_put_canonical(&sb, reply);
    if (tl_sb_finish(&text, &sb, NULL) != TL_OK) {
        return 0;
    }
    const party *p = (const party *)tl_map_get(&g->parties, tl_str_bytes(text));
    return p != NULL ? p->count : 0;
}

static void conclude(tl_dendrite_gathered *out, const gathering *g, tl_arena *arena, size_t count)
{
    size_t second = 0;
    const party *leader = find_leader(g, &second);
    const bool is_enough = g->good >= g->good_min;
    *out = (tl_dendrite_gathered){.good = g->good};
    switch (g->rule) {
    case TL_DENDRITE_ALL:
        out->holds = g->good == count && is_enough;
        return;
    case TL_DENDRITE_FIRST:
        out->chosen = is_enough ? g->first : NULL;
        out->agreeing = out->chosen != NULL ? party_of(g, arena, out->chosen) : 0;
        break;
    case TL_DENDRITE_QUORUM:
    case TL_DENDRITE_MAJORITY:
        if (leader != NULL && is_enough &&
            (g->rule == TL_DENDRITE_MAJORITY || leader->count >= g->quorum)) {
            out->chosen = leader->lowest;
            out->agreeing = leader->count;
        }
        break;
    }
    out->holds = out->chosen != NULL;
}

bool tl_dendrite_rule_parse(tl_dendrite_rule *out, tl_str text)
{
    static const char *const names[] = {"all", "first", "quorum", "majority"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (tl_str_eq_cstr(text, names[i])) {
            *out = (tl_dendrite_rule)i;
            return true;
        }
    }
    return false;
}

tl_err tl_dendrite_gather(tl_dendrite *dendrite, tl_arena *arena, tl_dendrite_gathered *out,
                          tl_dendrite_reply *replies, const tl_dendrite_target *targets,
                          size_t count, const tl_dendrite_query *query, tl_dendrite_rule rule,
                          size_t good_min, tl_errctx *ctx)
{
    gathering g = {
        .rule = rule,
        .good_min = good_min != 0 ? good_min : 1,
        .quorum = (2 * count + 2) / 3,
    };
    tl_map_init(&g.parties, arena);
    tl__batch batch = {
        .dendrite = dendrite,
        .arena = arena,
        .replies = replies,
        .targets = targets,
        .count = count,
        .query = query,
        .self = &g,
        .on_reply = hear,
        .ctx = ctx,
    };
    TL_TRY(tl__batch_run(&batch));
    conclude(out, &g, arena, count);
    return TL_OK;
}
