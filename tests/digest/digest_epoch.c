/* Area epoch: the whole road. Four monthly epochs of the portfolio subnet, 24 miners of every kind, three validators who
 * see two worlds; each epoch is run, published as a bundle and verified by replay, and its records and bonds go on to the
 * next. The bytes of every bundle count. */
#include "core/codec/canon/canon.h"
#include "core/epoch/bundle/bundle.h"
#include "core/epoch/calendar/calendar.h"
#include "core/epoch/road/road.h"
#include "core/subnet/portfolio/portfolio.h"

#include "digest.h"

#define EPOCHS     4
#define MINERS     24
#define TICKERS    12
#define DAYS_MAX   130
#define VALIDATORS 3

typedef struct market {
    tl_day days[DAYS_MAX];
    size_t day_count;
    int64_t cents[DAYS_MAX][TICKERS];
} market;

static const char *const EPOCH_IDS[EPOCHS] = {"2024-M01", "2024-M02", "2024-M03", "2024-M04"};

static void address_of(char out[TL_SS58_CAP], const char *kind, size_t number)
{
    tl_sha256_state sha;
    tl_hash32 hash;
    tl_hotkey key;
    const uint8_t byte = (uint8_t)number;
    tl_sha256_init(&sha);
    tl_sha256_update(&sha, kind, tl_str_from_cstr(kind).len);
    tl_sha256_update(&sha, &byte, 1);
    tl_sha256_final(&sha, &hash);
    for (size_t i = 0; i < sizeof key.b; i++) {
        key.b[i] = i == 0 && kind[0] == 'v' ? byte : hash.b[i]; /* validators ascend by number */
    }
    (void)tl_ss58_encode(out, &key, TL_SS58_PREFIX_GENERIC);
}

/* Working days from 18 December; a random walk in cents for each ticker. */
static void make_market(market *m, digest *d)
{
    int64_t now[TICKERS];
    for (size_t k = 0; k < TICKERS; k++) {
        now[k] = 5000 + (int64_t)digest_below(d, 20000);
    }
    const tl_day begin = tl_day_from_ymd(2023, 12, 18);
    const tl_day end = tl_day_from_ymd(2024, 4, 30);
    m->day_count = 0;
    for (tl_day day = begin; day <= end; day++) {
        if (tl_day_weekday(day) >= 5) {
            continue;
        }
        TL_ASSERT(m->day_count < DAYS_MAX);
        for (size_t k = 0; k < TICKERS; k++) {
            const int64_t step = (int64_t)digest_below(d, 401) - 199;
            now[k] += now[k] * step / 10000;
            m->cents[m->day_count][k] = now[k];
        }
        m->days[m->day_count++] = day;
    }
}

/* Two feeds: the second has one price that is two cents off. */
static void put_evidence(tl_json_writer *w, const market *m, size_t day_count)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "dates");
    tl_json_put_array(w);
    for (size_t t = 0; t < day_count; t++) {
        char text[TL_DAY_TEXT_CAP];
        tl_day_print(text, m->days[t]);
        tl_json_put_cstr(w, text);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "feeds");
    tl_json_put_array(w);
    for (size_t feed = 0; feed < 2; feed++) {
        tl_json_put_object(w);
        tl_json_put_key(w, "prices");
        tl_json_put_array(w);
        for (size_t k = 0; k < TICKERS; k++) {
            tl_json_put_array(w);
            for (size_t t = 0; t < day_count; t++) {
                const bool is_off = feed == 1 && k == 3 && t == day_count - 5;
                tl_json_put_i64(w, m->cents[t][k] + (is_off ? 2 : 0));
            }
            tl_json_put_end(w);
        }
        tl_json_put_end(w);
        tl_json_put_key(w, "scales");
        tl_json_put_array(w);
        for (size_t k = 0; k < TICKERS; k++) {
            tl_json_put_u64(w, 2);
        }
        tl_json_put_end(w);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "tickers");
    tl_json_put_array(w);
    for (char k = 0; k < TICKERS; k++) {
        const char ticker[2] = {(char)('A' + k), '\0'};
        tl_json_put_cstr(w, ticker);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t v = 0; v < VALIDATORS; v++) {
        char address[TL_SS58_CAP];
        address_of(address, "validator", v);
        tl_json_put_object(w);
        tl_json_put_key(w, "feed");
        tl_json_put_u64(w, v == 2 ? 1 : 0);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, address);
        tl_json_put_key(w, "row");
        tl_json_put_null(w);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
}

/* Six of the tickers, each near a sixth. Miner 20 copies miner 0, miner 21 breaks the weight rule, 22 never reveals,
 * 23 committed to something else. */
static void put_signal(tl_json_writer *w, digest *d, size_t epoch, size_t miner)
{
    char address[TL_SS58_CAP];
    address_of(address, "miner", miner);
    const uint64_t kept = d->random;
    const uint64_t own_ante = digest_below(d, 40);
    const uint64_t height = 200000 * (epoch + 1) + 3 * miner;
    d->random = 1000 * (epoch + 1) + (miner == 20 ? 0 : miner);
    const uint64_t first = digest_below(d, TICKERS);
    tl_json_put_object(w);
    tl_json_put_key(w, "hotkey");
    tl_json_put_cstr(w, address);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_cstr(w, EPOCH_IDS[epoch]);
    tl_json_put_key(w, "ante_rao");
    tl_json_put_i64(w, (int64_t)(10 + own_ante) * TL_RAO_PER_TAO);
    tl_json_put_key(w, "positions");
    tl_json_put_array(w);
    for (uint64_t i = 0; i < 6; i += 2) {
        const int64_t shift = (int64_t)digest_below(d, 33000);
        for (uint64_t k = 0; k < 2; k++) {
            const char ticker[2] = {(char)('A' + (char)((first + i + k) % TICKERS)), '\0'};
            int64_t weight = 166666 + (k == 0 ? shift : -shift);
            weight += miner == 21 && i + k == 0 ? 100000 : 0;
            tl_json_put_object(w);
            tl_json_put_key(w, "ticker");
            tl_json_put_cstr(w, ticker);
            tl_json_put_key(w, "weight_millionths");
            tl_json_put_i64(w, weight);
            tl_json_put_end(w);
        }
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "commit_height");
    tl_json_put_u64(w, height);
    tl_json_put_key(w, "reveal_height");
    if (miner == 22) {
        tl_json_put_null(w);
    } else {
        tl_json_put_u64(w, height + 5000);
    }
    if (miner == 23) {
        const uint8_t other[32] = {1};
        tl_json_put_key(w, "commitment");
        tl_json_put_hex(w, other, sizeof other);
    }
    tl_json_put_end(w);
    d->random = kept + 1; /* the next miner's ante is another */
}

static void put_signals(tl_json_writer *w, digest *d, size_t epoch, const tl_json *parameters)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_road_params params;
    tl_submission submissions[MINERS];
    DIGEST_OK(tl_road_params_read(&params, &tl_subnet_portfolio, parameters, &ctx), &ctx);
    for (size_t i = 0; i < MINERS; i++) {
        tl_sb sb;
        tl_json_writer one;
        tl_str text;
        const tl_json *tree;
        tl_sb_init(&sb, d->arena);
        tl_json_writer_init(&one, &sb, 0, false);
        put_signal(&one, d, epoch, i);
        DIGEST_OK(tl_sb_finish(&text, &sb, &ctx), &ctx);
        DIGEST_OK(tl_json_parse(&tree, d->arena, text, NULL, &ctx), &ctx);
        DIGEST_OK(tl_road_submission_read(&submissions[i], d->arena, &tl_subnet_portfolio, &params,
                                          tree, &ctx),
                  &ctx);
    }
    DIGEST_OK(tl_road_submissions_sort(submissions, MINERS, &tl_subnet_portfolio, d->arena, &ctx),
              &ctx);
    tl_json_put_array(w);
    for (size_t i = 0; i < MINERS; i++) {
        tl_road_submission_put(w, &tl_subnet_portfolio, &submissions[i]);
    }
    tl_json_put_end(w);
}

/* carry: what the epoch before left, or NULL. */
static void put_inputs(tl_json_writer *w, digest *d, size_t epoch, const tl_json *carry,
                       const tl_json *parameters)
{
    static const int64_t stakes_tao[VALIDATORS] = {500000, 420000, 80000};
    tl_json_put_object(w);
    tl_json_put_key(w, "balances_rao");
    tl_json_put_null(w);
    tl_json_put_key(w, "bonds");
    if (carry != NULL) {
        tl_json_put_tree(w, tl_json_get(carry, "bonds"));
    } else {
        tl_json_put_raw(w, TL_STR("[]"));
    }
    tl_json_put_key(w, "epoch_id");
    tl_json_put_cstr(w, EPOCH_IDS[epoch]);
    tl_json_put_key(w, "height");
    tl_json_put_u64(w, 200000 * (epoch + 1) + 20000);
    tl_json_put_key(w, "records");
    if (carry != NULL) {
        tl_json_put_tree(w, tl_json_get(carry, "records"));
    } else {
        tl_json_put_raw(w, TL_STR("[]"));
    }
    tl_json_put_key(w, "signals");
    put_signals(w, d, epoch, parameters);
    tl_json_put_key(w, "stakes_rao");
    tl_json_put_null(w);
    tl_json_put_key(w, "validators");
    tl_json_put_array(w);
    for (size_t v = 0; v < VALIDATORS; v++) {
        char address[TL_SS58_CAP];
        address_of(address, "validator", v);
        tl_json_put_object(w);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, address);
        tl_json_put_key(w, "stake_rao");
        tl_json_put_i64(w, stakes_tao[v] * TL_RAO_PER_TAO);
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    tl_json_put_key(w, "was_extended");
    tl_json_put_bool(w, false);
    tl_json_put_end(w);
}

/* A section: what put() wrote, as text and as a tree. */
typedef struct section {
    tl_sb sb;
    tl_json_writer w;
    tl_str text;
    const tl_json *tree;
} section;

static void begin(section *s, digest *d)
{
    tl_sb_init(&s->sb, d->arena);
    tl_json_writer_init(&s->w, &s->sb, 0, true);
}

static void end(section *s, digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_json_writer_done(&s->w);
    DIGEST_OK(tl_sb_finish(&s->text, &s->sb, &ctx), &ctx);
    DIGEST_OK(tl_json_parse(&s->tree, d->arena, s->text, NULL, &ctx), &ctx);
}

static void verify(digest *d, tl_str bytes)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_subnet *const subnets[1] = {&tl_subnet_portfolio};
    tl_bundle bundle;
    tl_bundle_report report;
    DIGEST_OK(tl_bundle_read(&bundle, d->arena, bytes, &ctx), &ctx);
    DIGEST_OK(tl_bundle_verify(&report, d->arena, &bundle, subnets, 1, &ctx), &ctx);
    digest_ok(report.is_ok ? TL_OK : TL_ERR_CHECK, &report.replay, "an epoch replays");
    digest_bytes(d, report.digest.b, sizeof report.digest.b);
}

/* Runs an epoch and gives what it leaves to the next. */
static const tl_json *run_epoch(digest *d, const market *m, size_t epoch, const tl_json *carry)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    section *s = DIGEST_NEW(d, section, 4);
    section *inputs = &s[0];
    section *evidence = &s[1];
    section *parameters = &s[2];
    tl_epoch_span span;
    size_t day_count = 0;
    DIGEST_OK(tl_epoch_span_parse(&span, tl_str_from_cstr(EPOCH_IDS[epoch]), &ctx), &ctx);
    while (day_count < m->day_count && m->days[day_count] <= span.last) {
        day_count++;
    }
    begin(parameters, d);
    DIGEST_OK(tl_road_params_put(&parameters->w, &tl_subnet_portfolio, NULL, NULL, d->arena, &ctx),
              &ctx);
    end(parameters, d);
    begin(evidence, d);
    put_evidence(&evidence->w, m, day_count);
    end(evidence, d);
    begin(inputs, d);
    put_inputs(&inputs->w, d, epoch, carry, parameters->tree);
    end(inputs, d);
    tl_road_result *result = DIGEST_NEW(d, tl_road_result, 1);
    DIGEST_OK(tl_road_run(result, d->arena, &tl_subnet_portfolio, inputs->tree, evidence->tree,
                          parameters->tree, &ctx),
              &ctx);
    const tl_str sections[TL_BUNDLE_SECTIONS] = {[TL_BUNDLE_EVIDENCE] = evidence->text,
                                                 [TL_BUNDLE_INPUTS] = inputs->text,
                                                 [TL_BUNDLE_PARAMETERS] = parameters->text,
                                                 [TL_BUNDLE_RESULTS] = result->json};
    tl_str bytes;
    tl_hash32 hash;
    DIGEST_OK(tl_bundle_publish(&bytes, &hash, d->arena, sections, &ctx), &ctx);
    digest_str(d, bytes);
    verify(d, bytes);
    const tl_json *results;
    DIGEST_OK(tl_json_parse(&results, d->arena, result->json, NULL, &ctx), &ctx);
    return tl_json_get(results, "carry");
}

/* Scores of records of every length, beside the road: the three profiles, the bootstrap. */
static void scores(digest *d)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    double returns[120];
    for (size_t n = 0; n <= 120; n += n < 12 ? 1 : 9) {
        digest_series(d, returns, n, 0.001, 0.012);
        for (int profile = 0; profile < 3; profile++) {
            const tl_score_options options = {(tl_portfolio_profile)profile, profile == 2};
            tl_portfolio_score score;
            tl_portfolio_confidence confidence;
            tl_portfolio_score_record(&score, returns, n, 0.05 * (double)profile, NULL, 0,
                                      &options);
            DIGEST_OK(tl_portfolio_bootstrap(&confidence, d->arena, returns, n, 0.1, &score, 40, n,
                                             &options, &ctx),
                      &ctx);
            digest_u64(d, score.qs_millionths);
            digest_u64(d, score.max_drawdown_millionths);
            digest_f64(d, score.composite);
            digest_f64(d, score.ramp);
            digest_f64(d, confidence.low);
            digest_f64(d, confidence.high);
            digest_f64(d, confidence.ars);
        }
    }
}

void digest_area_epoch(digest *d)
{
    market *m = DIGEST_NEW(d, market, 1);
    const tl_json *carry = NULL;
    make_market(m, d);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        carry = run_epoch(d, m, epoch, carry);
    }
    scores(d);
}
