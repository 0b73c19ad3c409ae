/* Token buckets and penalties in a table of fixed size. */
#include "io/net/limit/limit_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"

#define NS_PER_S         INT64_C(1000000000)
#define NS_PER_MS        INT64_C(1000000)
#define FORGET_DEFAULT_S 600
#define SECONDS_MAX      86400
#define RATE_MAX         1e9

tl_limit_rules tl_limit_strangers(void)
{
    return (tl_limit_rules){
        .rate_per_s = 10.0, .burst = 20.0, .penalty_s = 60, .penalty_max_s = 300};
}

/* Rules with their defaults filled in. */
static tl_err check_rules(tl_limit_rules *out, const tl_limit_rules *rules, tl_errctx *ctx)
{
    tl_limit_rules r = *rules;
    if (!(r.rate_per_s >= 0.0 && r.rate_per_s <= RATE_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "rate_per_s", "not 0 to a billion");
    }
    if (r.rate_per_s > 0.0 && !(r.burst >= 1.0 && r.burst <= RATE_MAX)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "burst", "not 1 to a billion");
    }
    r.penalty_max_s = r.penalty_max_s < r.penalty_s ? r.penalty_s : r.penalty_max_s;
    if (r.penalty_max_s > SECONDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "penalty_max_s", "%u, above %d", r.penalty_max_s,
                             SECONDS_MAX);
    }
    r.forget_s = r.forget_s == 0 ? FORGET_DEFAULT_S : r.forget_s;
    if (r.forget_s > SECONDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "forget_s", "%u, above %d", r.forget_s,
                             SECONDS_MAX);
    }
    r.entries_max = r.entries_max == 0 ? TL_LIMIT_ENTRIES_DEFAULT : r.entries_max;
    if (r.entries_max > TL_LIMIT_ENTRIES_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "entries_max", "%u, above %u", r.entries_max,
                             TL_LIMIT_ENTRIES_MAX);
    }
    *out = r;
    return TL_OK;
}

tl_err tl_limit_new(tl_limit **out, const tl_limit_rules *rules, tl_errctx *ctx)
{
    tl_limit_rules checked;
    TL_TRY(check_rules(&checked, rules, ctx));
    tl_limit *limit = calloc(1, sizeof *limit);
    if (limit == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a limit");
    }
    limit->rules = checked;
    limit->set_count = 1;
    while (limit->set_count * TL__LIMIT_WAYS < checked.entries_max) {
        limit->set_count *= 2;
    }
    limit->sets = calloc(limit->set_count, sizeof *limit->sets); /* touched as they are used */
    const tl_entropy entropy = tl_sys_entropy();
    const tl_err err =
        limit->sets == NULL
            ? tl_fail(ctx, TL_ERR_NOMEM, "no memory for %u addresses or keys", checked.entries_max)
            : tl_entropy_fill(&entropy, limit->secret, sizeof limit->secret, ctx);
    if (err != TL_OK) {
        free(limit->sets);
        free(limit);
        return err;
    }
    for (size_t i = 0; i < TL__LIMIT_LOCKS; i++) {
        TL_ASSERT(pthread_mutex_init(&limit->locks[i], NULL) == 0);
    }
    *out = limit;
    return TL_OK;
}

tl_err tl_limit_new_shared(tl_limit **out, const tl_limit_rules *rules, tl_redis *redis,
                           tl_str prefix, tl_errctx *ctx)
{
    tl_limit *limit;
    if (prefix.len == 0 || prefix.len >= sizeof limit->prefix) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "prefix", "not 1 to %zu bytes",
                             sizeof limit->prefix - 1);
    }
    TL_TRY(tl_limit_new(&limit, rules, ctx));
    tl__limit_shared_init(limit, redis, prefix);
    *out = limit;
    return TL_OK;
}

void tl_limit_free(tl_limit *limit)
{
    if (limit == NULL) {
        return;
    }
    for (size_t i = 0; i < TL__LIMIT_LOCKS; i++) {
        (void)pthread_mutex_destroy(&limit->locks[i]);
    }
    free(limit->sets);
    free(limit);
}

static void refill(tl__limit_entry *e, const tl_limit_rules *rules, int64_t now_ns)
{
    int64_t passed_ns = now_ns - e->at_ns;
    passed_ns = passed_ns < 0 ? 0 : passed_ns; /* LIMIT-2 */
    e->tokens = fmin(rules->burst, e->tokens + rules->rate_per_s * ((double)passed_ns / 1e9));
    e->at_ns = now_ns;
    TL_ASSERT(e->tokens >= 0.0 && e->tokens <= rules->burst);
}

/* What is left of a penalty, in nanoseconds; 0: none runs. */
static int64_t penalty_left_ns(tl__limit_entry *e, int64_t now_ns)
{
    const int64_t length_ns = e->penalty_s * NS_PER_S;
    if (e->until_ns - now_ns > length_ns) { /* LIMIT-2: the clock went back */
        e->until_ns = now_ns + length_ns;
    }
    return e->until_ns > now_ns ? e->until_ns - now_ns : 0;
}

/* How far an entry is from knowing nothing: seconds until its bucket is full; under penalty endless. */
static double unrest(tl__limit_entry *e, const tl_limit_rules *rules, int64_t now_ns)
{
    if (penalty_left_ns(e, now_ns) > 0) {
        return HUGE_VAL;
    }
    const double passed_s = fmax(0.0, (double)(now_ns - e->at_ns) / 1e9);
    return fmax(0.0, (rules->burst - e->tokens) / rules->rate_per_s - passed_s);
}

/* The entry of a key: its own, a new one, one taken from who needs it least, or the one that is shared. is_peek: no
 * entry is made; NULL then when there is none. */
static tl__limit_entry *entry_of(tl_limit *limit, tl__limit_set *set, const uint64_t hash[2],
                                 int64_t now_ns, bool is_peek)
{
    tl__limit_entry *victim = NULL;
    double least = HUGE_VAL;
    for (size_t i = 0; i < TL__LIMIT_WAYS; i++) {
        tl__limit_entry *e = &set->entries[i];
        if (e->hash[0] == hash[0] && e->hash[1] == hash[1]) {
            return e;
        }
        const double rest =
            (e->hash[0] | e->hash[1]) == 0 ? -1.0 : unrest(e, &limit->rules, now_ns);
        if (rest < least) {
            least = rest;
            victim = e;
        }
    }
    tl__limit_entry *place = victim != NULL ? victim : &set->shared; /* LIMIT-1 */
    if (is_peek) {
        return victim != NULL ? NULL : place;
    }
    if (victim != NULL) {
        *place = (tl__limit_entry){
            .hash = {hash[0], hash[1]}, .tokens = limit->rules.burst, .at_ns = now_ns};
    } else if (place->at_ns == 0) {
        *place = (tl__limit_entry){.tokens = limit->rules.burst, .at_ns = now_ns};
    }
    return place;
}

static uint32_t as_ms(int64_t ns)
{
    const int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static uint32_t start_penalty(tl__limit_entry *e, const tl_limit_rules *rules, int64_t now_ns)
{
    const bool is_forgotten = e->until_ns == 0 || now_ns - e->until_ns > rules->forget_s * NS_PER_S;
    const uint64_t next = is_forgotten ? rules->penalty_s : (uint64_t)e->penalty_s * 2;
    e->penalty_s = next > rules->penalty_max_s ? rules->penalty_max_s : (uint32_t)next;
    e->until_ns = now_ns + e->penalty_s * NS_PER_S;
    return as_ms(e->penalty_s * NS_PER_S);
}

static uint32_t take_here(tl_limit *limit, tl_bytes key, int64_t now_ns, bool is_peek)
{
    uint64_t words[3];
    tl_hash32 digest;
    tl_blake2b_state state;
    tl_blake2b_init(&state, sizeof digest.b);
    tl_blake2b_update(&state, limit->secret, sizeof limit->secret);
    tl_blake2b_update(&state, key.ptr, key.len);
    tl_blake2b_final(&state, digest.b);
    memcpy(words, digest.b, sizeof words);
    words[1] |= 1; /* no key has the hash of a free entry */
    const uint64_t index = words[0] & (limit->set_count - 1);
    pthread_mutex_t *lock = &limit->locks[index % TL__LIMIT_LOCKS];
    TL_ASSERT(pthread_mutex_lock(lock) == 0);
    tl__limit_entry *e = entry_of(limit, &limit->sets[index], &words[1], now_ns, is_peek);
    uint32_t wait_ms = 0;
    if (e != NULL) {
        const int64_t left_ns = penalty_left_ns(e, now_ns);
        if (left_ns > 0) {
            wait_ms = as_ms(left_ns);
        } else if (!is_peek) {
            refill(e, &limit->rules, now_ns);
            if (e->tokens >= 1.0) {
                e->tokens -= 1.0;
            } else if (limit->rules.penalty_s > 0) {
                wait_ms = start_penalty(e, &limit->rules, now_ns);
            } else {
                const double wait_s = (1.0 - e->tokens) / limit->rules.rate_per_s;
                wait_ms =
                    wait_s >= SECONDS_MAX ? SECONDS_MAX * 1000U : (uint32_t)ceil(wait_s * 1000.0);
                wait_ms = wait_ms == 0 ? 1 : wait_ms;
            }
        }
    }
    TL_ASSERT(pthread_mutex_unlock(lock) == 0);
    return wait_ms;
}

static uint32_t ask(tl_limit *limit, tl_bytes key, int64_t now_ns, bool is_peek)
{
    TL_ASSERT(key.len <= TL__LIMIT_KEY_MAX);
    if (limit->rules.rate_per_s == 0.0) {
        return 0;
    }
    uint32_t wait_ms;
    if (limit->redis != NULL && tl__limit_shared(limit, key, is_peek, &wait_ms)) {
        return wait_ms;
    }
    return take_here(limit, key, now_ns, is_peek);
}

uint32_t tl_limit_take(tl_limit *limit, tl_bytes key, int64_t now_ns)
{
    return ask(limit, key, now_ns, false);
}

uint32_t tl_limit_peek(tl_limit *limit, tl_bytes key, int64_t now_ns)
{
    return ask(limit, key, now_ns, true);
}

/* LIMIT-3: a customer has a /64, and all addresses in it. */
static tl_bytes ip_key(const tl_net_addr *ip)
{
    return (tl_bytes){ip->ip, tl_net_is_v4(ip) ? 16 : 8};
}

uint32_t tl_limit_take_ip(tl_limit *limit, const tl_net_addr *ip, int64_t now_ns)
{
    return ask(limit, ip_key(ip), now_ns, false);
}

uint32_t tl_limit_peek_ip(tl_limit *limit, const tl_net_addr *ip, int64_t now_ns)
{
    return ask(limit, ip_key(ip), now_ns, true);
}

uint32_t tl_limit_take_hotkey(tl_limit *limit, const tl_hotkey *hotkey, int64_t now_ns)
{
    return ask(limit, (tl_bytes){hotkey->b, sizeof hotkey->b}, now_ns, false);
}

uint32_t tl_limit_retry_after_s(uint32_t wait_ms)
{
    return wait_ms / 1000 + (wait_ms % 1000 != 0 ? 1 : 0);
}
