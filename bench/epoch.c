/* epoch: an epoch of 1,000 miners end to end: a table of prices as CSV and a year of monthly signals as lines of JSON
 * (12 a miner, 30 positions of a universe of 480 each, a record of 252 days) become a settled epoch, published as a
 * bundle, read back and verified by replay. */
#include "app/assemble/assemble.h"
#include "bench.h"
#include "core/crypto/hash/hash.h"
#include "core/subnet/portfolio/portfolio.h"

enum { UNIVERSE = 480, POSITIONS = 30, STRIDE = UNIVERSE / POSITIONS, MONTHS = 12 };
enum { DAYS_BEFORE = 5, DAYS = BENCH_DAYS + DAYS_BEFORE };
enum { BLOCKS_A_MONTH = 216000, REVEAL_AFTER = 5000 };

#define WEIGHT_SUM 1000000U

typedef struct epoch_work {
    tl_str prices;
    tl_str signals;
    size_t bundle_len;
    double qs_sum;     /* of all miners, in millionths */
    double reward_top; /* of the first, in TAO */
} epoch_work;

/* The ticker of a column: three letters, ascending. */
static void put_ticker(tl_sb *sb, unsigned column)
{
    const char text[3] = {(char)('A' + column / 676), (char)('A' + column / 26 % 26),
                          (char)('A' + column % 26)};
    tl_sb_put_bytes(sb, text, sizeof text);
}

/* The weekdays of 2023 but eight, after the last five of 2022: 252 days of record. */
static unsigned calendar(char dates[DAYS][11])
{
    static const unsigned month_len[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned count = 0;
    for (; count < DAYS_BEFORE; count++) {
        (void)snprintf(dates[count], 11, "2022-12-%02u", 26 + count);
    }
    unsigned weekday = 0; /* Monday is 1; the first of January 2023 is a Sunday */
    unsigned seen = 0;
    for (unsigned month = 0; month < MONTHS; month++) {
        for (unsigned day = 1; day <= month_len[month]; day++, weekday = (weekday + 1) % 7) {
            const bool is_open = weekday >= 1 && weekday <= 5 && seen++ % 33 != 0;
            if (is_open && count < DAYS) {
                (void)snprintf(dates[count++], 11, "2023-%02u-%02u", month + 1, day);
            }
        }
    }
    return count;
}

static tl_err make_prices(tl_str *out, tl_arena *arena, tl_errctx *ctx)
{
    char dates[DAYS][11];
    const unsigned days = calendar(dates);
    TL_ASSERT(days == DAYS);
    double *returns = TL_NEW(arena, double, (size_t)DAYS *UNIVERSE);
    double *price = TL_NEW(arena, double, UNIVERSE);
    if (returns == NULL || price == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    bench_returns(returns, (size_t)DAYS * UNIVERSE, 6);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "date");
    for (unsigned k = 0; k < UNIVERSE; k++) {
        price[k] = 100.0;
        tl_sb_printf(&sb, ",");
        put_ticker(&sb, k);
    }
    for (unsigned d = 0; d < DAYS; d++) {
        tl_sb_printf(&sb, "\n%s", dates[d]);
        for (unsigned k = 0; k < UNIVERSE; k++) {
            price[k] *= 1.0 + returns[(size_t)d * UNIVERSE + k];
            tl_sb_printf(&sb, ",%.4f", price[k]);
        }
    }
    tl_sb_printf(&sb, "\n");
    return tl_sb_finish(out, &sb, ctx);
}

/* One line: weights in millionths that sum to a million; the first takes what rounding leaves. */
static void put_signal(tl_sb *sb, unsigned miner, unsigned month, const double *draws)
{
    unsigned weight[POSITIONS];
    double whole = 0.0;
    for (unsigned k = 0; k < POSITIONS; k++) {
        whole += 0.5 + draws[2 * k + 1];
    }
    unsigned left = WEIGHT_SUM;
    for (unsigned k = 0; k < POSITIONS; k++) {
        weight[k] = (unsigned)((0.5 + draws[2 * k + 1]) / whole * WEIGHT_SUM);
        left -= weight[k];
    }
    weight[0] += left;
    tl_hash32 id;
    tl_hotkey hotkey;
    char address[TL_SS58_CAP];
    tl_sha256(&id, &miner, sizeof miner);
    for (unsigned k = 0; k < sizeof hotkey.b; k++) {
        hotkey.b[k] = id.b[k];
    }
    (void)tl_ss58_encode(address, &hotkey, TL_SS58_PREFIX_GENERIC);
    const unsigned height = month * BLOCKS_A_MONTH + miner + 1;
    tl_sb_printf(sb,
                 "{\"hotkey\":\"%s\",\"epoch_id\":\"2023-M%02u\",\"ante_rao\":10000000000,"
                 "\"commit_height\":%u,\"reveal_height\":%u,\"positions\":[",
                 address, month + 1, height, height + REVEAL_AFTER);
    for (unsigned k = 0; k < POSITIONS; k++) {
        tl_sb_printf(sb, "%s{\"ticker\":\"", k > 0 ? "," : "");
        put_ticker(sb, k * STRIDE + (unsigned)(draws[2 * k] * STRIDE));
        tl_sb_printf(sb, "\",\"weight_millionths\":%u}", weight[k]);
    }
    tl_sb_printf(sb, "]}\n");
}

static tl_err make_signals(tl_str *out, tl_arena *arena, unsigned miners, tl_errctx *ctx)
{
    double draws[2 * POSITIONS];
    tl_sb sb;
    tl_sb_init(&sb, arena);
    for (unsigned month = 0; month < MONTHS; month++) {
        for (unsigned miner = 0; miner < miners; miner++) {
            bench_units(draws, 2 * (size_t)POSITIONS, ((uint64_t)miner << 32) + month);
            put_signal(&sb, miner, month, draws);
        }
    }
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err run(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    static const tl_subnet *const subnets[] = {&tl_subnet_portfolio};
    epoch_work *w = (epoch_work *)self;
    tl_assembled done;
    TL_TRY(tl_assemble_portfolio(&done, scratch, w->prices, w->signals, (tl_str){NULL, 0}, ctx));
    tl_bundle bundle;
    tl_bundle_report report;
    TL_TRY(tl_bundle_read(&bundle, scratch, done.bundle, ctx));
    TL_TRY(tl_bundle_verify(&report, scratch, &bundle, subnets, 1, ctx));
    w->bundle_len = done.bundle.len;
    w->qs_sum = 0.0;
    for (size_t i = 0; i < done.result.line_count; i++) {
        const tl_score *score = done.result.lines[i].score;
        w->qs_sum += score != NULL ? score->qs_millionths : 0.0;
    }
    w->reward_top = (double)tl_rao_to_i64(done.result.lines[0].payout->reward) / TL_RAO_PER_TAO;
    return report.is_ok ? TL_OK : tl_fail(ctx, TL_ERR_CHECK, "the bundle does not verify");
}

tl_err bench_epoch(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    epoch_work w = {.bundle_len = 0};
    TL_TRY(make_prices(&w.prices, arena, ctx));
    TL_TRY(make_signals(&w.signals, arena, 10 * percent, ctx));
    TL_TRY(bench_time(out, run, &w, ctx));
    static char also[64];
    (void)snprintf(also, sizeof also, ",\"bundle_mb\":%.1f", (double)w.bundle_len / 1e6);
    out->also = also;
    out->figures[0] = w.qs_sum;
    out->figures[1] = w.reward_top;
    out->figure_count = 2;
    return TL_OK;
}

tl_err bench_epoch_write(FILE *prices, FILE *signals, tl_arena *arena, unsigned percent,
                         tl_errctx *ctx)
{
    tl_str text[2];
    TL_TRY(make_prices(&text[0], arena, ctx));
    TL_TRY(make_signals(&text[1], arena, 10 * percent, ctx));
    const bool is_written = fwrite(text[0].ptr, 1, text[0].len, prices) == text[0].len &&
                            fwrite(text[1].ptr, 1, text[1].len, signals) == text[1].len;
    return is_written ? TL_OK : tl_fail(ctx, TL_ERR_IO, "cannot write the inputs");
}
