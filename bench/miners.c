/* tally_miners PORT RECEIVER MINERS BOUNDARY_MS ROWS PAUSE_MS: an epoch's transition as its miners make it, all in this
 * process. Before each object a miner pauses for PAUSE_MS on average (half to one and a half of it): a zipcode is collected
 * before it is uploaded; without pauses the latency would be that of a queue of all miners, whatever the server does.
 *
 * Each miner has a key (//Load0, //Load1 …) and its own chain of requests, one at a time: within a second of the boundary it
 * asks for the assignments, then for a form, uploads an object of ROWS listings for each zipcode and metadata.json, and
 * reports. Prints a line of JSON: for each route count, errors and latencies; when the first assignments were served and
 * the last submission acknowledged, in seconds from the boundary; the content hashes that were acknowledged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json/json.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/crypto/keypair/keypair.h"
#include "core/num/rng/rng.h"
#include "io/net/client/client.h"
#include "io/sys/sys.h"
#include "sdk/auth/auth.h"

#define MINERS_MAX   4096
#define ZIPCODES_MAX 64
#define BOUNDARY     "tally-load-4f6c1d"
#define TIMEOUT_MS   30000

typedef enum route { ASSIGNMENTS, FOLDER, UPLOAD, STATUS, ROUTES } route;
static const char *const route_names[ROUTES] = {"assignments", "get-folder-access", "upload",
                                                "status"};

typedef struct sample {
    double *ms;
    size_t count;
    size_t cap;
    size_t errors;
} sample;

typedef struct miner miner;

typedef struct load {
    tl_arena *arena;
    tl_client *client;
    tl_clock clock;
    tl_entropy entropy;
    tl_str receiver;
    uint16_t port;
    int64_t boundary_ms;
    uint32_t rows;
    uint32_t pause_ms;
    tl_xoshiro rng;
    tl_str listings; /* the array of an object */
    miner *miners;
    size_t miner_count;
    size_t done;
    size_t acknowledged;
    int64_t first_served_ms;
    int64_t last_acknowledged_ms;
    sample samples[ROUTES];
    char first_error[256];
} load;

struct miner {
    load *l;
    tl_keypair *key;
    char ss58[TL_SS58_CAP];
    tl_arena *arena;
    int64_t start_ms;
    bool has_begun;
    bool is_pausing; /* until start_ms, then the next upload */
    route at;
    size_t zip; /* next to upload; zip_count: metadata */
    size_t zip_count;
    char zips[ZIPCODES_MAX][6];
    char epoch_id[32];
    tl_str url_target;
    tl_str folder;
    const tl_json *fields;
    tl_hash32 hashes[ZIPCODES_MAX];
    size_t bytes[ZIPCODES_MAX];
    tl_str keys[ZIPCODES_MAX];
    char content_hash[65];
    tl_client_call *call;
    tl_str target;
    tl_str method;
    tl_str body;
    tl_hash32 body_sha256;
    bool is_signed;
    tl_str content_type;
    int64_t begun_ns;
};

static int64_t wall_ms(const load *l)
{
    return tl_clock_wall_ns(&l->clock) / 1000000;
}

static void must(tl_err err, const tl_errctx *ctx)
{
    if (err != TL_OK) {
        (void)fprintf(stderr, "tally_miners: %s: %s\n", ctx->field, ctx->message);
        exit(6);
    }
}

/* --- one request --- */

static tl_err prepare(void *self, tl_client_attempt *attempt, tl_errctx *ctx)
{
    miner *m = (miner *)self;
    tl_http_headers own = {NULL, 0};
    if (m->is_signed) {
        const tl_auth_outgoing what = {.method = attempt->request.method,
                                       .target = attempt->request.target,
                                       .body_sha256 = m->body_sha256,
                                       .receiver = m->l->receiver,
                                       .now_ns = tl_clock_wall_ns(&m->l->clock)};
        TL_TRY(tl_auth_sign(&own, attempt->arena, tl_auth_family_at(TL_AUTH_BTAUTH), m->key, &what,
                            &m->l->entropy, ctx));
    }
    tl_http_header *all = TL_NEW(attempt->arena, tl_http_header, own.count + 1);
    if (all == NULL) {
        return tl_arena_fail(attempt->arena, ctx);
    }
    for (size_t i = 0; i < own.count; i++) {
        all[i] = own.at[i];
    }
    all[own.count].name = TL_STR("Content-Type");
    all[own.count].value = m->content_type;
    attempt->request.headers =
        (tl_http_headers){all, own.count + (m->content_type.len > 0 ? 1u : 0u)};
    m->begun_ns = tl_clock_steady_ns(&m->l->clock);
    return TL_OK;
}

static void on_done(void *self, tl_client_call *call);
static void pause_miner(miner *m);

static void ask(miner *m, const char *method, tl_str target, tl_str body, tl_str type, bool sign)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    m->method = tl_str_from_cstr(method);
    m->target = target;
    m->body = body;
    m->content_type = type;
    m->is_signed = sign;
    tl_sha256(&m->body_sha256, body.ptr, body.len);
    const tl_client_spec spec = {.request = {.host = TL_STR("127.0.0.1"),
                                             .port = m->l->port,
                                             .method = m->method,
                                             .target = target,
                                             .body = tl_str_bytes(body)},
                                 .timeout_ms = TIMEOUT_MS,
                                 .self = m,
                                 .prepare = prepare,
                                 .on_done = on_done};
    must(tl_client_start(&m->call, m->l->client, &spec, &ctx), &ctx);
}

static tl_str finish(tl_sb *sb)
{
    tl_str text = {NULL, 0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    must(tl_sb_finish(&text, sb, &ctx), &ctx);
    return text;
}

/* --- the chain --- */

static tl_str form_body(miner *m, tl_str key, tl_str object)
{
    tl_sb sb;
    tl_sb_init(&sb, m->arena);
    for (uint32_t i = 0; i < m->fields->count; i++) {
        const tl_json_member *f = &m->fields->members[i];
        const tl_str value = tl_str_eq_cstr(f->key, "key") ? key : f->value.text;
        tl_sb_printf(&sb, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n",
                     TL_STR_ARG(f->key));
        tl_sb_put(&sb, value);
        tl_sb_put_cstr(&sb, "\r\n");
    }
    if (tl_json_get(m->fields, "key") == NULL) {
        tl_sb_put_cstr(&sb,
                       "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n");
        tl_sb_put(&sb, key);
        tl_sb_put_cstr(&sb, "\r\n");
    }
    tl_sb_put_cstr(&sb, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
                        "filename=\"o.json\"\r\nContent-Type: application/json\r\n\r\n");
    tl_sb_put(&sb, object);
    tl_sb_put_cstr(&sb, "\r\n--" BOUNDARY "--\r\n");
    return finish(&sb);
}

static void upload(miner *m, tl_str key, tl_str object)
{
    m->at = UPLOAD;
    ask(m, "POST", m->url_target, form_body(m, key, object),
        TL_STR("multipart/form-data; boundary=" BOUNDARY), false);
}

static void upload_zip(miner *m)
{
    tl_sb sb;
    const size_t i = m->zip;
    tl_sb_init(&sb, m->arena);
    tl_sb_printf(&sb, "{\"zipcode\":\"%s\",\"miner\":\"%s\",\"listings\":", m->zips[i], m->ss58);
    tl_sb_put(&sb, m->l->listings);
    tl_sb_put_cstr(&sb, "}");
    const tl_str object = finish(&sb);
    tl_sb_init(&sb, m->arena);
    tl_sb_put(&sb, m->folder);
    tl_sb_printf(&sb, "epoch=%s/zipcode=%s/data_1.json", m->epoch_id, m->zips[i]);
    m->keys[i] = finish(&sb);
    m->bytes[i] = object.len;
    tl_sha256(&m->hashes[i], object.ptr, object.len);
    upload(m, m->keys[i], object);
}

static void upload_metadata(miner *m)
{
    tl_sb sb;
    char hex[65];
    tl_sb_init(&sb, m->arena);
    tl_sb_printf(&sb, "{\"epochId\":\"%s\",\"hotkey\":\"%s\",\"objects\":[", m->epoch_id, m->ss58);
    for (size_t i = 0; i < m->zip_count; i++) {
        tl_hex_write(hex, &m->hashes[i], sizeof m->hashes[i]);
        tl_sb_printf(&sb,
                     "%s{\"key\":\"%.*s\",\"zipcode\":\"%s\",\"sha256\":\"%s\",\"bytes\":%zu,"
                     "\"rows\":%u}",
                     i > 0 ? "," : "", TL_STR_ARG(m->keys[i]), m->zips[i], hex, m->bytes[i],
                     m->l->rows);
    }
    tl_sb_put_cstr(&sb, "]}");
    const tl_str metadata = finish(&sb);
    tl_hash32 content;
    tl_sha256(&content, metadata.ptr, metadata.len);
    tl_hex_write(m->content_hash, &content, sizeof content);
    tl_sb_init(&sb, m->arena);
    tl_sb_put(&sb, m->folder);
    tl_sb_printf(&sb, "epoch=%s/metadata.json", m->epoch_id);
    upload(m, finish(&sb), metadata);
}

static void report_status(miner *m)
{
    tl_sb sb;
    tl_sb_init(&sb, m->arena);
    tl_sb_printf(&sb,
                 "{\"epochId\":\"%s\",\"status\":\"COMPLETED\",\"listingsScraped\":%zu,"
                 "\"zipcodesCompleted\":[],\"s3UploadComplete\":true}",
                 m->epoch_id, m->zip_count * m->l->rows);
    m->at = STATUS;
    ask(m, "POST", TL_STR("/api/v1/zipcode-assignments/status"), finish(&sb),
        TL_STR("application/json"), true);
}

static bool take_assignments(miner *m, const tl_json *json)
{
    const tl_json *id = tl_json_get(json, "epochId");
    const tl_json *zips = tl_json_get(json, "zipcodes");
    if (id == NULL || zips == NULL || zips->count == 0 || zips->count > ZIPCODES_MAX) {
        return false;
    }
    (void)tl_str_print(m->epoch_id, sizeof m->epoch_id, "%.*s", TL_STR_ARG(id->text));
    m->zip_count = zips->count;
    for (uint32_t i = 0; i < zips->count; i++) {
        const tl_json *zip = tl_json_get(&zips->items[i], "zipcode");
        const tl_str text = zip != NULL ? zip->text : (tl_str){NULL, 0};
        (void)tl_str_print(m->zips[i], sizeof m->zips[i], "%.*s", TL_STR_ARG(text));
    }
    m->at = FOLDER;
    ask(m, "POST", TL_STR("/get-folder-access"), TL_STR("{}"), TL_STR("application/json"), true);
    return true;
}

static bool take_form(miner *m, const tl_json *json)
{
    const tl_json *url = tl_json_get(json, "url");
    const tl_json *folder = tl_json_get(json, "folder");
    m->fields = tl_json_get(json, "fields");
    tl_url at;
    if (url == NULL || folder == NULL || m->fields == NULL) {
        return false;
    }
    m->folder = folder->text;
    m->url_target = url->text.ptr[0] == '/' || tl_url_parse(&at, url->text, NULL) != TL_OK
                        ? url->text
                        : at.target;
    pause_miner(m);
    return true;
}

static bool take_status(miner *m, const tl_json *json)
{
    const tl_json *hash = tl_json_get(tl_json_get(json, "submission"), "contentHash");
    load *l = m->l;
    if (hash == NULL || !tl_str_eq_cstr(hash->text, m->content_hash)) {
        return false;
    }
    l->acknowledged++;
    l->last_acknowledged_ms = wall_ms(l);
    l->done++;
    return true;
}

static bool go_on(miner *m, const tl_json *json)
{
    load *l = m->l;
    switch (m->at) {
    case ASSIGNMENTS:
        l->first_served_ms = l->first_served_ms == 0 ? wall_ms(l) : l->first_served_ms;
        return take_assignments(m, json);
    case FOLDER:
        return take_form(m, json);
    case UPLOAD:
        m->zip++;
        if (m->zip < m->zip_count) {
            pause_miner(m);
        } else if (m->zip == m->zip_count) {
            upload_metadata(m);
        } else {
            report_status(m);
        }
        return true;
    case STATUS:
        return take_status(m, json);
    case ROUTES:
        break;
    }
    return false;
}

static void note(sample *s, double ms)
{
    if (s->count < s->cap) {
        s->ms[s->count++] = ms;
    }
}

static void on_done(void *self, tl_client_call *call)
{
    miner *m = (miner *)self;
    load *l = m->l;
    const tl_client_answer *a = tl_client_borrow_answer(call);
    const route at = m->at;
    const tl_json *json = NULL;
    tl_str body = {NULL, 0};
    note(&l->samples[at], (double)(tl_clock_steady_ns(&l->clock) - m->begun_ns) / 1e6);
    bool is_good = a->fault == TL_CLIENT_NONE && a->status >= 200 && a->status < 300;
    if (is_good && a->body.len > 0) {
        is_good = tl_str_copy(&body, m->arena, (tl_str){(const char *)a->body.ptr, a->body.len},
                              NULL) == TL_OK &&
                  (at == UPLOAD || tl_json_parse(&json, m->arena, body, NULL, NULL) == TL_OK);
    }
    char why[160];
    (void)tl_str_print(why, sizeof why, "%s: %u %s %.*s", route_names[at], a->status, a->why,
                       (int)(a->body.len < 80 ? a->body.len : 80), (const char *)a->body.ptr);
    m->call = NULL;
    is_good = is_good && go_on(m, json);
    if (!is_good) {
        l->samples[at].errors++;
        l->done++;
        if (l->first_error[0] == 0) {
            (void)tl_str_print(l->first_error, sizeof l->first_error, "%s", why);
        }
    }
    tl_client_call_free(call);
}

/* --- start and end --- */

static void pause_miner(miner *m)
{
    load *l = m->l;
    const uint64_t span = l->pause_ms > 0 ? tl_xoshiro_below(&l->rng, l->pause_ms) : 0;
    m->is_pausing = true;
    m->start_ms = wall_ms(l) + l->pause_ms / 2 + (int64_t)span;
}

static void make_miners(load *l, size_t count)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, 5);
    l->miners = TL_NEW(l->arena, miner, count);
    l->miner_count = count;
    for (size_t i = 0; i < count && l->miners != NULL; i++) {
        miner *m = &l->miners[i];
        char uri[32];
        m->l = l;
        (void)tl_str_print(uri, sizeof uri, "//Load%zu", i);
        must(tl_keypair_from_uri(&m->key, tl_scheme_sr25519(), tl_str_from_cstr(uri), &ctx), &ctx);
        (void)tl_ss58_encode(m->ss58, tl_keypair_public(m->key), TL_SS58_PREFIX_GENERIC);
        must(tl_arena_new(&m->arena, NULL, (size_t)64 << 20, NULL, &ctx), &ctx);
        m->start_ms = l->boundary_ms + (int64_t)tl_xoshiro_below(&rng, 1000);
    }
    for (size_t r = 0; r < ROUTES; r++) {
        l->samples[r].cap = count * (ZIPCODES_MAX + 1);
        l->samples[r].ms = TL_NEW(l->arena, double, l->samples[r].cap);
    }
}

static void make_listings(load *l)
{
    tl_sb sb;
    tl_sb_init(&sb, l->arena);
    tl_sb_put_char(&sb, '[');
    for (uint32_t i = 0; i < l->rows; i++) {
        tl_sb_printf(
            &sb,
            "%s{\"address\":\"%u Maple St, Seattle, WA 98103\",\"price\":%u,\"bedrooms\":3,"
            "\"bathrooms\":2.5,\"sqft\":1800,\"listing_date\":\"2026-09-01\","
            "\"property_type\":\"SINGLE_FAMILY\",\"listing_status\":\"FOR_SALE\","
            "\"days_on_market\":4,\"mls_id\":\"M%u\",\"source_url\":\"https://homes.example/"
            "%u\",\"scraped_timestamp\":\"2026-09-05T01:00:00Z\",\"zpid\":\"%u\"}",
            i > 0 ? "," : "", 100 + i, 500000 + i, i, i, 44000 + i);
    }
    tl_sb_put_char(&sb, ']');
    l->listings = finish(&sb);
}

static void drive(load *l)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    while (l->done < l->miner_count) {
        const int64_t now_ms = wall_ms(l);
        for (size_t i = 0; i < l->miner_count; i++) {
            miner *m = &l->miners[i];
            if (m->is_pausing && m->start_ms <= now_ms) {
                m->is_pausing = false;
                upload_zip(m);
            } else if (!m->has_begun && m->start_ms <= now_ms) {
                m->has_begun = true;
                m->at = ASSIGNMENTS;
                ask(m, "GET", TL_STR("/api/v1/zipcode-assignments/current"), (tl_str){NULL, 0},
                    (tl_str){NULL, 0}, true);
            }
        }
        must(tl_client_step(l->client, 2, &ctx), &ctx);
        if (now_ms > l->boundary_ms + 120000) {
            break;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const sample *s, double q)
{
    return s->count > 0 ? s->ms[(size_t)((double)(s->count - 1) * q)] : 0.0;
}

static void print(load *l)
{
    (void)printf("{\"miners\":%zu,\"acknowledged\":%zu,\"unfinished\":%zu,\"first_served_s\":%.3f,"
                 "\"last_acknowledged_s\":%.3f,\"epoch_id\":\"%s\",\"first_error\":",
                 l->miner_count, l->acknowledged, l->miner_count - l->done,
                 (double)(l->first_served_ms - l->boundary_ms) / 1e3,
                 (double)(l->last_acknowledged_ms - l->boundary_ms) / 1e3, l->miners[0].epoch_id);
    for (char *c = l->first_error; *c != 0; c++) {
        *c = *c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? '\'' : *c;
    }
    (void)printf("\"%s\",\"routes\":{", l->first_error);
    for (size_t r = 0; r < ROUTES; r++) {
        sample *s = &l->samples[r];
        qsort(s->ms, s->count, sizeof *s->ms, by_size);
        (void)printf("%s\"%s\":{\"count\":%zu,\"errors\":%zu,\"p50_ms\":%.3f,\"p95_ms\":%.3f,"
                     "\"p99_ms\":%.3f}",
                     r > 0 ? "," : "", route_names[r], s->count, s->errors, quantile(s, 0.5),
                     quantile(s, 0.95), quantile(s, 0.99));
    }
    (void)printf("},\"content_hashes\":{");
    bool is_first = true;
    for (size_t i = 0; i < l->miner_count; i++) {
        if (l->miners[i].content_hash[0] != 0) {
            (void)printf("%s\"%s\":\"%s\"", is_first ? "" : ",", l->miners[i].ss58,
                         l->miners[i].content_hash);
            is_first = false;
        }
    }
    (void)printf("}}\n");
}

int main(int argc, char **argv)
{
    load l = {.clock = tl_sys_clock(), .entropy = tl_sys_entropy()};
    tl_errctx ctx = TL_ERRCTX_INIT;
    const size_t count = argc == 7 ? strtoul(argv[3], NULL, 10) : 0;
    if (count == 0 || count > MINERS_MAX) {
        (void)fprintf(stderr,
                      "usage: tally_miners PORT RECEIVER MINERS BOUNDARY_MS ROWS PAUSE_MS\n");
        return 2;
    }
    l.port = (uint16_t)strtoul(argv[1], NULL, 10);
    l.receiver = tl_str_from_cstr(argv[2]);
    l.boundary_ms = strtoll(argv[4], NULL, 10);
    l.rows = (uint32_t)strtoul(argv[5], NULL, 10);
    l.pause_ms = (uint32_t)strtoul(argv[6], NULL, 10);
    tl_xoshiro_seed(&l.rng, 9);
    must(tl_arena_new(&l.arena, NULL, (size_t)1 << 30, NULL, &ctx), &ctx);
    const tl_client_options options = {.flight_max = (uint32_t)count};
    must(tl_client_new(&l.client, &options, &ctx), &ctx);
    make_miners(&l, count);
    make_listings(&l);
    (void)printf("{\"ready\":true}\n");
    (void)fflush(stdout);
    drive(&l);
    print(&l);
    return 0;
}
