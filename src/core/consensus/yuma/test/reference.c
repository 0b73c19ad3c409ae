#include "core/consensus/yuma/test/reference.h"

#include <string.h>

#define ONE ((int64_t)1 << 32)

__extension__ typedef __int128 wide;

static int64_t mul(int64_t a, int64_t b)
{
    const wide p = (wide)a * b;
    return (int64_t)(p >= 0 ? p / ONE : -((-p + ONE - 1) / ONE));
}

static int64_t div0(int64_t a, int64_t b)
{
    return b == 0 ? 0 : (int64_t)((wide)a * ONE / b);
}

static void normalise(int64_t *x, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i];
    }
    for (int i = 0; i < n && sum != 0; i++) {
        x[i] = div0(x[i], sum);
    }
}

static void columns_over(ref_row *m, int n, bool by_largest)
{
    for (int j = 0; j < n; j++) {
        int64_t divisor = 0;
        for (int i = 0; i < n; i++) {
            const int64_t cell = m[i].has[j] ? m[i].cell[j] : 0;
            divisor = !by_largest ? divisor + cell : cell > divisor ? cell : divisor;
        }
        for (int i = 0; i < n; i++) {
            if (m[i].has[j] && divisor != 0) {
                m[i].cell[j] = div0(m[i].cell[j], divisor);
            }
        }
    }
}

static void put(ref_row *row, int uid, int64_t cell)
{
    row->uid[row->count++] = uid;
    row->has[uid] = true;
    row->cell[uid] = cell;
}

static void stakes(ref_result *r, const tl_yuma_input *in, bool *old_permit)
{
    const tl_yuma_params *p = in->params;
    const int n = (int)in->n;
    wide filtered[REF_N_MAX];
    wide sum = 0;
    for (int i = 0; i < n; i++) {
        const bool is_owner = i == p->owner_uid;
        const bool is_low = (uint64_t)(in->stake[i] >> 64) < p->stake_threshold;
        filtered[i] = is_low && !is_owner ? 0 : in->stake[i];
        sum += filtered[i];
        old_permit[i] = in->validator_permit[i] || is_owner;
    }
    for (int i = 0; i < n; i++) {
        /* Stakes of the tests are below 2^26, so that 32 more bits fit; the quotient's low bits are dropped anyway. */
        r->stake[i] =
            sum == 0 ? (int64_t)(filtered[i] >> 32) : (int64_t)((filtered[i] << 32) / sum);
    }
    for (int i = 0; i < n;
         i++) { /* permitted: fewer than k stand above, of equals the higher uid stands above */
        int above = 0;
        for (int k = 0; k < n; k++) {
            above += r->stake[k] > r->stake[i] || (r->stake[k] == r->stake[i] && k > i);
        }
        r->permit[i] = (above < p->max_allowed_validators && r->stake[i] != 0) || i == p->owner_uid;
        const bool is_inactive =
            in->last_update_block[i] + p->activity_cutoff_blocks < in->now_block;
        r->active[i] = is_inactive || !old_permit[i] ? 0 : r->stake[i];
    }
    normalise(r->active, n);
}

static void weights(ref_row *w, const tl_yuma_input *in, const bool *old_permit)
{
    for (int i = 0; i < (int)in->n; i++) {
        for (uint32_t k = in->weights.starts[i]; k < in->weights.starts[i + 1]; k++) {
            const int j = in->weights.entries[k].uid;
            if (j < (int)in->n && old_permit[i] && (i != j || i == in->params->owner_uid) &&
                in->last_update_block[i] > in->block_at_registration[j]) {
                put(&w[i], j, (int64_t)in->weights.entries[k].value * ONE);
            }
        }
        normalise(w[i].cell, (int)in->n);
    }
}

/* The least score among all rows whose stake of scores <= it exceeds the minority, else the largest. */
static void medians(ref_result *r, const ref_row *w, int n, uint16_t kappa)
{
    int64_t s[REF_N_MAX] = {0};
    for (int i = 0; i < n; i++) {
        s[i] = r->active[i] > 0 ? r->active[i] : 0;
    }
    normalise(s, n);
    int64_t minority = -div0(kappa * ONE, 65535 * ONE);
    for (int i = 0; i < n; i++) {
        minority += s[i];
    }
    for (int j = 0; j < n; j++) {
        int64_t best = INT64_MAX;
        int64_t largest = 0;
        for (int i = 0; i < n; i++) {
            int64_t held = 0;
            for (int k = 0; k < n; k++) {
                held += w[k].cell[j] <= w[i].cell[j] ? s[k] : 0;
            }
            if (r->active[i] > 0) {
                best = held > minority && w[i].cell[j] < best ? w[i].cell[j] : best;
                largest = w[i].cell[j] > largest ? w[i].cell[j] : largest;
            }
        }
        r->consensus[j] = best == INT64_MAX ? largest : best;
    }
}

static void bond_weights(ref_row *wb, ref_result *r, const ref_row *w, const tl_yuma_input *in)
{
    const int n = (int)in->n;
    const int64_t penalty = div0(in->params->bonds_penalty * ONE, 65535 * ONE);
    for (int i = 0; i < n; i++) {
        int64_t clipped[REF_N_MAX] = {0};
        for (int j = 0; j < n; j++) {
            clipped[j] = w[i].cell[j] < r->consensus[j] ? w[i].cell[j] : r->consensus[j];
            r->trust[i] += clipped[j];
            r->ranks[j] += mul(r->active[i], clipped[j]);
        }
        for (int k = 0; k < w[i].count && (penalty == 0 || penalty == ONE); k++) {
            const int j = w[i].uid[k];
            if (penalty == 0) {
                put(&wb[i], j, w[i].cell[j]);
            } else if (w[i].cell[j] == 0 || clipped[j] > 0) {
                put(&wb[i], j, clipped[j]);
            }
        }
        for (int j = 0; j < n && penalty != 0 && penalty != ONE; j++) {
            const int64_t cell = w[i].cell[j] + mul(penalty, clipped[j] - w[i].cell[j]);
            if (cell > 0) {
                put(&wb[i], j, cell);
            }
        }
    }
}

static void stored_bonds(ref_row *b, const tl_yuma_input *in)
{
    const uint64_t reference = in->last_step_block != 0 ? in->last_step_block + 1
                               : in->now_block > in->params->tempo_blocks
                                   ? in->now_block - in->params->tempo_blocks
                                   : 0;
    for (int i = 0; i < (int)in->n; i++) {
        for (uint32_t k = in->bonds.starts[i]; k < in->bonds.starts[i + 1]; k++) {
            const tl_yuma_entry e = in->bonds.entries[k];
            if (e.uid < in->n && reference > in->block_at_registration[e.uid]) {
                put(&b[i], e.uid,
                    in->params->yuma3 ? div0(e.value * ONE, 65535 * ONE) : e.value * ONE);
            }
        }
    }
}

static void average(ref_row *eb, const ref_row *fresh, const ref_row *old, int n, int64_t alpha)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const int64_t cell = mul(alpha, fresh[i].cell[j]) + mul(ONE - alpha, old[i].cell[j]);
            if (cell > 0) {
                put(&eb[i], j, cell);
            }
        }
    }
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    x = x < high ? x : high;
    return x > low ? x : low;
}

static int64_t power_of_e(int64_t x)
{
    x = clamp(x, -20 * ONE, 20 * ONE);
    if (x == 0 || x == ONE) {
        return x == 0 ? ONE : 11674931200;
    }
    const wide y = x < 0 ? -x : x;
    wide sum = ONE + y;
    wide term = y;
    for (int i = 2; i <= 31; i++) {
        term = term * y / ONE / i;
        sum += term;
    }
    return (int64_t)(x < 0 ? (wide)ONE * ONE / sum : sum);
}

/* What one forward pass over uids with a cursor finds at uid j: 0 for an entry that stands after a higher uid. */
static int64_t seen(const ref_row *row, int j)
{
    int at = 0;
    while (at < row->count && row->uid[at] < j) {
        at++;
    }
    return at < row->count && row->uid[at] == j ? row->cell[j] : 0;
}

static void liquid(ref_row *eb, const ref_row *wb, const ref_row *b, const ref_result *r,
                   const tl_yuma_params *p, int n)
{
    const int64_t low = div0(p->alpha_low * ONE, 65535 * ONE);
    const int64_t high = div0(p->alpha_high * ONE, 65535 * ONE);
    const int64_t slope = (int64_t)((wide)p->alpha_sigmoid_steepness * ONE / -100);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < wb[i].count; k++) {
            const int j = wb[i].uid[k];
            const int64_t w = seen(&wb[i], j);
            const int64_t bond = seen(&b[i], j);
            const int64_t d = clamp(w >= bond ? w - r->consensus[j] : bond - w, 0, ONE);
            const int64_t g =
                (int64_t)((wide)ONE * ONE / (ONE + power_of_e(mul(slope, d - ONE / 2))));
            const int64_t a = clamp(low + mul(g, high - low), low, high);
            const int64_t bought = mul(a, wb[i].cell[j]);
            const int64_t cell = mul(ONE - a, b[i].cell[j]) + (bought > 0 ? bought : 0);
            if (cell > 0) {
                put(&eb[i], j, cell < ONE ? cell : ONE);
            }
        }
    }
}

static uint16_t u16_of(int64_t x)
{
    const wide share = (wide)x * 65535 / ONE;
    return share > 65535 ? 65535 : (uint16_t)share;
}

static void dividends(ref_result *r, ref_row *eb, int n, bool is_yuma3)
{
    ref_row normal[REF_N_MAX];
    memcpy(normal, eb, sizeof normal);
    columns_over(normal, n, false);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            r->dividends[i] += mul(normal[i].cell[j], r->incentive[j]);
        }
        if (is_yuma3) {
            r->dividends[i] = mul(r->dividends[i], r->active[i]);
        }
    }
    normalise(r->dividends, n);
    if (!is_yuma3) {
        columns_over(normal, n, true);
        memcpy(eb, normal, sizeof normal);
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < eb[i].count && r->permit[i]; k++) {
            put(&r->bonds[i], eb[i].uid[k], u16_of(eb[i].cell[eb[i].uid[k]]));
        }
    }
}

static void emission(ref_result *r, int n, uint64_t rao)
{
    int64_t server[REF_N_MAX];
    int64_t validator[REF_N_MAX];
    int64_t combined[REF_N_MAX];
    int64_t sum = 0;
    int64_t active = 0;
    for (int i = 0; i < n; i++) {
        sum += r->incentive[i] + r->dividends[i];
        active += r->active[i];
    }
    for (int i = 0; i < n; i++) {
        const int64_t fallback = active == 0 ? r->stake[i] : r->active[i];
        server[i] = div0(r->incentive[i], sum);
        validator[i] = sum == 0 ? fallback : div0(r->dividends[i], sum);
        combined[i] = sum == 0 ? fallback : div0(r->incentive[i] + r->dividends[i], sum);
        r->server[i] = (uint64_t)((wide)server[i] * (wide)rao / ONE);
        r->validator[i] = (uint64_t)((wide)validator[i] * (wide)rao / ONE);
        r->combined[i] = (uint64_t)((wide)combined[i] * (wide)rao / ONE);
    }
}

void ref_epoch(ref_result *out, const tl_yuma_input *in)
{
    const int n = (int)in->n;
    const tl_yuma_params *p = in->params;
    bool old_permit[REF_N_MAX] = {false};
    ref_row w[REF_N_MAX] = {{0}};
    ref_row wb[REF_N_MAX] = {{0}};
    ref_row b[REF_N_MAX] = {{0}};
    ref_row eb[REF_N_MAX] = {{0}};
    bool has_consensus = false;
    memset(out, 0, sizeof *out);
    stakes(out, in, old_permit);
    weights(w, in, old_permit);
    medians(out, w, n, p->kappa);
    bond_weights(wb, out, w, in);
    memcpy(out->incentive, out->ranks, sizeof out->ranks);
    normalise(out->incentive, n);
    stored_bonds(b, in);
    for (int j = 0; j < n; j++) {
        has_consensus |= out->consensus[j] != 0;
    }
    const int64_t alpha = ONE - (int64_t)((wide)p->bonds_moving_average * ONE / 1000000);
    if (!p->yuma3) {
        columns_over(b, n, false);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                wb[i].cell[j] = mul(out->active[i], wb[i].cell[j]);
            }
        }
        columns_over(wb, n, false);
    }
    if (p->yuma3 && p->liquid_alpha && has_consensus) {
        liquid(eb, wb, b, out, p, n);
    } else {
        average(eb, wb, b, n, alpha);
    }
    dividends(out, eb, n, p->yuma3);
    emission(out, n, in->rao_emission);
}
