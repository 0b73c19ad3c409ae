/* Attacks the epoch with any numbers in any place: stakes that overflow, steepness and averages past their ranges, uids
 * that stand twice or past n, blocks at the end of time. Nothing may crash, no assertion may be reached, every bond row
 * must stay in its bounds, and a second run must give the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/consensus/yuma/yuma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { N_MAX = 9, ROW_MAX = 12 };

/* Bytes as numbers; zeros when they are used up. */
typedef struct cursor {
    const uint8_t *at;
    size_t left;
} cursor;

static uint64_t take(cursor *c, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width && c->left > 0; i++) {
        value = value << 8 | *c->at++;
        c->left--;
    }
    return value;
}

/* Small or anything, so that both are met. */
static uint64_t take_any(cursor *c)
{
    const uint64_t how = take(c, 1);
    return how < 128 ? how : how < 160 ? UINT64_MAX - (how - 128) : take(c, 8);
}

typedef struct subject {
    tl_yuma_params params;
    tl_yuma_input input;
    tl_i64f64 stake[N_MAX];
    bool permit[N_MAX];
    uint64_t registered[N_MAX];
    uint64_t updated[N_MAX];
    uint64_t committed[N_MAX];
    uint32_t weight_starts[N_MAX + 1];
    uint32_t bond_starts[N_MAX + 1];
    tl_yuma_entry weights[N_MAX * ROW_MAX];
    tl_yuma_entry bonds[N_MAX * ROW_MAX];
} subject;

static uint32_t take_row(cursor *c, tl_yuma_entry *row)
{
    const uint32_t count = (uint32_t)(take(c, 1) % (ROW_MAX + 1));
    for (uint32_t k = 0; k < count; k++) {
        const uint16_t uid = (uint16_t)take(c, 1);
        row[k] = (tl_yuma_entry){uid % (N_MAX + 2), (uint16_t)take(c, 2)};
    }
    return count;
}

static void take_params(cursor *c, tl_yuma_params *p, size_t n)
{
    const uint64_t switches = take(c, 1);
    p->yuma3 = (switches & 1) != 0;
    p->liquid_alpha = (switches & 2) != 0;
    p->kappa = (uint16_t)take(c, 2);
    p->bonds_penalty = (switches & 4) != 0 ? UINT16_MAX : (uint16_t)take(c, 2);
    p->bonds_moving_average = take_any(c);
    p->alpha_low = (uint16_t)take(c, 2);
    p->alpha_high = (uint16_t)take(c, 2);
    p->alpha_sigmoid_steepness = (int16_t)(take(c, 2) - 32768);
    p->max_allowed_validators = (uint16_t)take(c, 1);
    p->stake_threshold = (switches & 8) != 0 ? take_any(c) : 0;
    p->activity_cutoff_blocks = take_any(c);
    p->tempo_blocks = take_any(c);
    p->owner_uid = (switches & 16) != 0 && n > 0 ? (int32_t)(take(c, 1) % n) : TL_YUMA_NO_OWNER;
}

static void take_subject(cursor *c, subject *s)
{
    memset(s, 0, sizeof *s);
    tl_yuma_input *in = &s->input;
    in->n = (size_t)(take(c, 1) % (N_MAX + 1));
    take_params(c, &s->params, in->n);
    in->now_block = take_any(c);
    in->last_step_block = take_any(c);
    in->rao_emission = take_any(c);
    for (size_t i = 0; i < in->n; i++) {
        const tl_u128 high = take_any(c);
        const tl_u128 stake = high << 64 | take(c, 4);
        memcpy(&s->stake[i], &stake, sizeof stake);
        s->permit[i] = take(c, 1) % 4 != 0;
        s->registered[i] = take_any(c);
        s->updated[i] = take_any(c);
        s->committed[i] = take_any(c);
        s->weight_starts[i + 1] =
            s->weight_starts[i] + take_row(c, s->weights + s->weight_starts[i]);
        s->bond_starts[i + 1] = s->bond_starts[i] + take_row(c, s->bonds + s->bond_starts[i]);
    }
    in->params = &s->params;
    in->stake = s->stake;
    in->validator_permit = s->permit;
    in->block_at_registration = s->registered;
    in->last_update_block = s->updated;
    in->commit_block = take(c, 1) % 2 != 0 ? s->committed : NULL;
    in->weights = (tl_yuma_rows){s->weight_starts, s->weights};
    in->bonds = (tl_yuma_rows){s->bond_starts, s->bonds};
    in->wants_legacy = true;
}

static void check_output(const tl_yuma_output *a, const tl_yuma_output *b)
{
    TL_ASSERT(memcmp(a->dividends_raw, b->dividends_raw, a->n * sizeof *a->dividends_raw) == 0);
    TL_ASSERT(memcmp(a->incentive_raw, b->incentive_raw, a->n * sizeof *a->incentive_raw) == 0);
    TL_ASSERT(memcmp(a->emission, b->emission, a->n * sizeof *a->emission) == 0);
    for (size_t i = 0; i < a->n; i++) {
        TL_ASSERT(a->bonds.starts[i] <= a->bonds.starts[i + 1]);
        TL_ASSERT(a->validator_permit[i] ||
                  a->bonds.starts[i] == a->bonds.starts[i + 1]); /* YUMA-3 */
    }
    for (uint32_t k = 0; k < a->bonds.starts[a->n]; k++) {
        TL_ASSERT(a->bonds.entries[k].uid < a->n); /* YUMA-3 */
        TL_ASSERT(a->bonds.entries[k].value == b->bonds.entries[k].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cursor c = {data, len};
    subject s;
    take_subject(&c, &s);
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    tl_yuma_output first;
    tl_yuma_output again;
    const tl_err err = tl_yuma_epoch(arena, &first, &s.input, NULL);
    TL_ASSERT(err == TL_OK);
    TL_ASSERT(tl_yuma_epoch(arena, &again, &s.input, NULL) == TL_OK);
    check_output(&first, &again);
    tl_arena_free(arena);
    return 0;
}
