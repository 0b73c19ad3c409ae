#include "random_world.h"

#include <stdio.h>

#include "core/crypto/hash/hash.h"

void random_world_hotkey(char out[TL_SS58_CAP], const char *prefix, size_t index)
{
    char name[64];
    const size_t len = tl_str_print(name, sizeof name, "%s/%zu", prefix, index);
    tl_hash32 key;
    tl_hotkey hotkey;
    tl_sha256(&key, name, len);
    for (size_t i = 0; i < sizeof key.b; i++) {
        hotkey.b[i] = key.b[i];
    }
    (void)tl_ss58_encode(out, &hotkey, TL_SS58_PREFIX_GENERIC);
}

static tl_str finish(tl_sb *sb)
{
    tl_str text = {NULL, 0};
    TL_ASSERT(tl_sb_finish(&text, sb, NULL) == TL_OK);
    return text;
}

static void make_prices(random_world *out, tl_arena *arena, tl_xoshiro *rng,
                        const random_world_options *o)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_put_cstr(&sb, "Date");
    int64_t cents[32];
    for (size_t k = 0; k < o->tickers; k++) {
        tl_sb_printf(&sb, ",T%c%c", (char)('A' + k / 26), (char)('A' + k % 26));
        cents[k] = 1000 + (int64_t)tl_xoshiro_below(rng, 90000);
    }
    const tl_day first = tl_day_from_ymd(2023, 12, 27);
    const tl_day last = tl_day_from_ymd(2024, 1, 8) + (tl_day)(7 * o->epochs);
    for (tl_day d = first; d <= last; d++) {
        if (tl_day_weekday(d) >= 5) {
            continue;
        }
        char text[TL_DAY_TEXT_CAP];
        tl_day_print(text, d);
        tl_sb_printf(&sb, "\n%s", text);
        for (size_t k = 0; k < o->tickers; k++) {
            const int64_t move = (int64_t)tl_xoshiro_below(rng, 601) - 300; /* ±3 % */
            cents[k] = cents[k] + cents[k] * move / 10000;
            cents[k] = cents[k] < 100 ? 100 : cents[k];
            const bool is_missing = o->has_gaps && tl_xoshiro_below(rng, 25) == 0;
            if (is_missing) {
                tl_sb_put_char(&sb, ',');
            } else {
                tl_sb_printf(&sb, ",%lld.%02lld", (long long)(cents[k] / 100),
                             (long long)(cents[k] % 100));
            }
        }
    }
    tl_sb_put_char(&sb, '\n');
    out->prices = finish(&sb);
}

static void put_positions(tl_sb *sb, tl_xoshiro *rng, size_t tickers, bool is_broken)
{
    const size_t most = tickers < 12 ? tickers : 12;
    const size_t count = 5 + (size_t)tl_xoshiro_below(rng, most - 4);
    size_t order[32];
    for (size_t i = 0; i < tickers; i++) {
        order[i] = i;
    }
    for (size_t i = tickers - 1; i > 0; i--) {
        const size_t j = (size_t)tl_xoshiro_below(rng, i + 1);
        const size_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    tl_sb_put_cstr(sb, "\"positions\":[");
    int64_t left = 1000000;
    for (size_t i = 0; i < count; i++) {
        int64_t w = i + 1 == count ? left : 1000000 / (int64_t)count;
        left -= w;
        if (is_broken && i == 0) {
            w += (int64_t)tl_xoshiro_below(rng, 3) * 300000;
        }
        tl_sb_printf(sb, "%s{\"ticker\":\"T%c%c\",\"weight_millionths\":%lld}", i > 0 ? "," : "",
                     (char)('A' + order[i] / 26), (char)('A' + order[i] % 26), (long long)w);
    }
    tl_sb_put_char(sb, ']');
}

static tl_str make_line(tl_arena *arena, tl_xoshiro *rng, const random_world_options *o,
                        size_t epoch, size_t miner)
{
    char id[TL_EPOCH_ID_CAP];
    tl_epoch_id_weekly(id, tl_day_from_ymd(2024, 1, 8) + (tl_day)(7 * epoch));
    char hotkey[TL_SS58_CAP];
    random_world_hotkey(hotkey, "miner", miner);
    const uint64_t odd = o->has_oddities ? tl_xoshiro_below(rng, 16) : 16;
    const uint64_t commit = 50400 * epoch + tl_xoshiro_below(rng, 400);
    uint64_t reveal = commit + 4200 + tl_xoshiro_below(rng, 10201);
    reveal = odd == 0   ? commit + 100
             : odd == 1 ? commit + 20000
             : odd == 2 ? commit + 3000
                        : reveal;
    const int64_t ante =
        odd == 3 ? 9999999999 : 10000000000 + (int64_t)tl_xoshiro_below(rng, 1000000007);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb,
                 "{\"hotkey\":\"%s\",\"epoch_id\":\"%s\",\"ante_rao\":%lld,\"commit_height\":%llu,",
                 odd == 4 ? "5Nonsense" : hotkey, odd == 5 ? "2024-Q9-W9" : id, (long long)ante,
                 (unsigned long long)commit);
    put_positions(&sb, rng, o->tickers, odd == 6);
    if (odd == 7) {
        tl_sb_printf(&sb, ",\"commitment\":\"%064d\"", 0);
    }
    if (odd == 8) {
        tl_sb_put_cstr(&sb, ",\"registered\":false");
    }
    if (odd == 9) {
        tl_sb_put_cstr(&sb, ",\"reveal_height\":null}");
    } else {
        tl_sb_printf(&sb, ",\"reveal_height\":%llu}", (unsigned long long)reveal);
    }
    return finish(&sb);
}

static void make_params(random_world *out, tl_arena *arena, tl_xoshiro *rng,
                        const random_world_options *o)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "{\"emission_rao\":%lld,\"bootstrap_resamples\":20",
                 (long long)o->emission_rao);
    if (o->validators > 0) {
        tl_sb_put_cstr(&sb, ",\"validators\":[");
        for (size_t v = 0; v < o->validators; v++) {
            char hotkey[TL_SS58_CAP];
            random_world_hotkey(hotkey, "validator", v);
            tl_sb_printf(&sb, "%s{\"hotkey\":\"%s\",\"stake_rao\":%llu}", v > 0 ? "," : "", hotkey,
                         (unsigned long long)(1 + tl_xoshiro_below(rng, UINT64_C(1) << 50)));
        }
        tl_sb_put_char(&sb, ']');
    }
    tl_sb_put_char(&sb, '}');
    out->params = finish(&sb);
}

tl_str random_world_shuffle(const random_world *world, tl_arena *arena, tl_xoshiro *rng)
{
    size_t *order = TL_NEW(arena, size_t, world->line_count);
    TL_ASSERT(order != NULL);
    for (size_t i = 0; i < world->line_count; i++) {
        order[i] = i;
    }
    for (size_t i = world->line_count; i > 1; i--) {
        const size_t j = (size_t)tl_xoshiro_below(rng, i);
        const size_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (size_t i = 0; i < world->line_count; i++) {
        tl_sb_put(&sb, world->lines[order[i]]);
        tl_sb_put_char(&sb, '\n');
    }
    return finish(&sb);
}

void random_world_make(random_world *out, tl_arena *arena, tl_xoshiro *rng,
                       const random_world_options *options)
{
    *out = (random_world){0};
    make_prices(out, arena, rng, options);
    make_params(out, arena, rng, options);
    out->lines = TL_NEW(arena, tl_str, options->miners * options->epochs + 1);
    TL_ASSERT(out->lines != NULL);
    for (size_t e = 0; e < options->epochs; e++) {
        for (size_t m = 0; m < options->miners; m++) {
            out->lines[out->line_count++] = make_line(arena, rng, options, e, m);
        }
    }
    out->signals = random_world_shuffle(out, arena, rng);
}
