#include "app/api/test/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/crypto/hash/hash.h"
#include "io/sys/sys.h"
#include "sdk/auth/auth.h"

/* --- handlers --- */

static toy *toy_of(tl_api_call *call)
{
    toy *t = tl_api_call_self(call);
    t->handled++;
    return t;
}

static tl_err list_books(tl_api_call *call, tl_errctx *ctx)
{
    toy *t = toy_of(call);
    assert_non_null(tl_api_call_worker(call));
    const int64_t limit = tl_api_param_i64(call, "limit", 0);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (int64_t i = 0; i < limit && i < t->books; i++) {
        tl_json_put_object(&w);
        tl_json_put_key(&w, "id");
        tl_json_put_i64(&w, i);
        tl_json_put_key(&w, "title");
        tl_json_put_cstr(&w, "a book whose title is long enough for gzip to be worth it");
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "nextCursor");
    tl_json_put_null(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static tl_err make_book(tl_api_call *call, tl_errctx *ctx)
{
    toy *t = toy_of(call);
    tl_str title;
    TL_TRY(tl_json_want_str(&title, tl_api_call_json(call), "title", ctx));
    const tl_json *year = tl_json_get(tl_api_call_json(call), "year");
    int64_t number = 0;
    if (year != NULL) {
        TL_TRY(tl_json_as_i64(&number, year, "/year", ctx));
    }
    if (tl_str_eq(title, TL_STR("taken"))) {
        return tl_api_fail(call, TL_API_CONFLICT, "/title", "There is a book of this title");
    }
    t->books++;
    char text[64];
    const size_t len = tl_str_print(text, sizeof text, "{\"id\":%d,\"title\":\"x\"}", t->books - 1);
    tl_api_answer(call, 201, (tl_str){text, len});
    return TL_OK;
}

static tl_err get_book(tl_api_call *call, tl_errctx *ctx)
{
    toy *t = toy_of(call);
    const int64_t id = tl_api_param_i64(call, "bookId", -1);
    if (id < 0 || id >= t->books) {
        return tl_fail(ctx, TL_ERR_NOT_FOUND, "no such book");
    }
    tl_sb sb;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_printf(&sb, "{\"id\":%lld,\"title\":\"x\"}", (long long)id);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static tl_err remove_book(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    (void)toy_of(call);
    tl_api_answer_empty(call);
    return TL_OK;
}

static tl_err who_am_i(tl_api_call *call, tl_errctx *ctx)
{
    (void)toy_of(call);
    const tl_api_caller *c = tl_api_call_caller(call);
    tl_sb sb;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_printf(&sb, "{\"subject\":\"%s\",\"address\":\"%s\",\"uid\":%u,\"role\":%d}", c->subject,
                 c->address, c->member.uid, (int)c->role);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static tl_err take_upload(tl_api_call *call, tl_errctx *ctx)
{
    (void)toy_of(call);
    uint64_t len;
    tl_str media;
    const int fd = tl_api_call_file(call, &len, &media);
    uint64_t sum = 0;
    uint64_t seen = 0;
    uint8_t bytes[4096];
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0; seen += (uint64_t)n) {
        for (ssize_t i = 0; i < n; i++) {
            sum += bytes[i];
        }
    }
    assert_int_equal(seen, len);
    tl_sb sb;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_sb_printf(&sb, "{\"len\":%llu,\"sum\":%llu}", (unsigned long long)len,
                 (unsigned long long)sum);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static tl_err misbehave(tl_api_call *call, tl_errctx *ctx)
{
    (void)toy_of(call);
    const tl_str how = tl_api_param_str(call, "how");
    if (tl_str_eq(how, TL_STR("status"))) {
        tl_api_answer(call, 418, TL_STR("{}"));
        return TL_OK;
    }
    if (tl_str_eq(how, TL_STR("schema"))) {
        tl_api_answer(call, 200, TL_STR("{\"id\":\"one\"}"));
        return TL_OK;
    }
    if (tl_str_eq(how, TL_STR("store"))) {
        return tl_fail(ctx, TL_ERR_IO, "the password is hunter2");
    }
    if (tl_str_eq(how, TL_STR("input"))) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "how", "it is out of range");
    }
    if (tl_str_eq(how, TL_STR("bug"))) {
        return tl_fail(ctx, TL_ERR_INTERNAL, "the password is hunter2");
    }
    return TL_OK; /* answers nothing */
}

static tl_err hold(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    toy *t = toy_of(call);
    t->holding++;
    while (t->is_held) {
        (void)nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    t->holding--;
    tl_api_answer(call, 200, TL_STR("{\"status\":\"ok\"}"));
    return TL_OK;
}

static tl_err show_page(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer_page(call, 200, toy_of(call)->page);
    return TL_OK;
}

/* --- the table --- */

#define INTEGER(low, high) "{'type':'integer','minimum':" #low ",'maximum':" #high "}"

static const tl_api_schema schemas[] = {
    {"Book",
     "{'type':'object','required':['id','title'],'additionalProperties':false,'properties':{"
     "'id':{'type':'integer','minimum':0},'title':{'type':'string'}}}"},
    {"Books", "{'type':'object','required':['items','nextCursor'],'properties':{'items':{'type':"
              "'array','items':{'$ref':'#/components/schemas/Book'}},'nextCursor':{'type':['string'"
              ",'null']}}}"},
    {"NewBook", "{'type':'object','required':['title'],'additionalProperties':false,'properties':{"
                "'title':{'type':'string','minLength':1,'maxLength':40},'year':" INTEGER(
                    0, 3000) ","
                             "'tags':{'type':'array','maxItems':4,'items':{'type':'string','"
                             "pattern':'^[a-z]{1,8}$'}},"
                             "'hotkey':{'type':'string','pattern':'^[1-9A-HJ-NP-Za-km-z]{48}$'}}}"},
    {"NewBookCompat",
     "{'type':'object','required':['title','hotkey','signature','timestamp'],"
     "'properties':{'title':{'type':'string'},'hotkey':{'type':'string'},"
     "'signature':{'type':'string'},'timestamp':" INTEGER(1600000000, 2147483647) "}}"},
    {"Caller",
     "{'type':'object','required':['subject','address'],'properties':{'subject':{'type':"
     "'string'},'address':{'type':'string'},'uid':{'type':'integer'},'role':{'type':'integer'}}}"},
    {"Upload", "{'type':'object','required':['len','sum']}"},
};

static const tl_api_param list_params[] = {
    {.name = "limit",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'integer','minimum':1,'maximum':200,'default':50}",
     .what = "How many at most."},
    {.name = "cursor",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'string','pattern':'^[0-9]{1,9}$'}"},
};
static const tl_api_param book_params[] = {
    {.name = "bookId", .in = TL_API_IN_PATH, .schema = INTEGER(0, 999999)}};
static const tl_api_param how_params[] = {
    {.name = "how",
     .in = TL_API_IN_QUERY,
     .is_required = true,
     .schema = "{'enum':['status','schema','store','input','bug','silence'],'type':'string'}"}};
static const tl_api_param held_params[] = {
    {.name = "X-Tag", .in = TL_API_IN_HEADER, .schema = "{'type':'string','maxLength':4}"}};

static const tl_api_reply list_replies[] = {{200, "Books.", "Books", NULL}};
static const tl_api_reply book_replies[] = {{200, "A book.", "Book", NULL}};
static const tl_api_reply made_replies[] = {{201, "Made.", "Book", NULL},
                                            {409, "There is one already.", NULL, NULL}};
static const tl_api_reply gone_replies[] = {{204, "Removed.", NULL, NULL}};
static const tl_api_reply who_replies[] = {{200, "You.", "Caller", NULL}};
static const tl_api_reply upload_replies[] = {{200, "Taken.", "Upload", NULL}};
static const tl_api_reply held_replies[] = {{200, "At last.", "Health", NULL}};

static const char *const make_commitments[] = {"book:make:{title}:{timestamp}",
                                               "book:new:{hotkey}:{timestamp}", NULL};
static const char *const who_commitments[] = {"who:{timestamp}", NULL};

static const tl_api_route routes[] = {
    {.method = TL_API_GET,
     .path = "/v1/books",
     .id = "listBooks",
     .tag = "books",
     .summary = "Books.",
     .limits = {{.count = 3, .window_s = 86400, .by = TL_API_BY_ADDRESS}},
     TL_API_PARAMS(list_params),
     TL_API_REPLIES(list_replies),
     .handle = list_books},
    {.method = TL_API_POST,
     .path = "/v1/books",
     .id = "makeBook",
     .tag = "books",
     .summary = "One more.",
     .auth = TL_API_MEMBER,
     .limits = {{.count = 4, .window_s = 86400},
                {.count = 6, .window_s = 86400, .by = TL_API_BY_ALL, .group = "making"}},
     .body = TL_API_BODY_JSON,
     .body_schema = "NewBook",
     .body_schema_compat = "NewBookCompat",
     TL_API_REPLIES(made_replies),
     .commitments = make_commitments,
     .handle = make_book},
    {.method = TL_API_GET,
     .path = "/v1/books/{bookId}",
     .id = "getBook",
     .tag = "books",
     .summary = "One.",
     TL_API_PARAMS(book_params),
     TL_API_REPLIES(book_replies),
     .handle = get_book},
    {.method = TL_API_DELETE,
     .path = "/v1/books/{bookId}",
     .id = "removeBook",
     .tag = "books",
     .summary = "One less.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(book_params),
     TL_API_REPLIES(gone_replies),
     .handle = remove_book},
    {.method = TL_API_GET,
     .path = "/v1/books/page",
     .id = "getPage",
     .tag = "books",
     .summary = "A page that is made once.",
     .runs = TL_API_INLINE,
     TL_API_REPLIES(list_replies),
     .handle = show_page},
    {.method = TL_API_GET,
     .path = "/v1/who",
     .id = "getWho",
     .summary = "Who calls?",
     .auth = TL_API_SIGNED,
     TL_API_REPLIES(who_replies),
     .commitments = who_commitments,
     .is_uncached = true,
     .handle = who_am_i},
    {.method = TL_API_GET,
     .path = "/v1/viewer",
     .id = "getViewer",
     .summary = "For viewers.",
     .auth = TL_API_VIEWER,
     TL_API_REPLIES(who_replies),
     .handle = who_am_i},
    {.method = TL_API_POST,
     .path = "/v1/operator",
     .id = "doOperator",
     .summary = "For operators.",
     .auth = TL_API_OPERATOR,
     TL_API_REPLIES(who_replies),
     .handle = who_am_i},
    {.method = TL_API_PUT,
     .path = "/v1/admin",
     .id = "putAdmin",
     .summary = "For admins.",
     .auth = TL_API_ADMIN,
     TL_API_REPLIES(who_replies),
     .handle = who_am_i},
    {.method = TL_API_POST,
     .path = "/v1/upload",
     .id = "upload",
     .summary = "A form.",
     .body = TL_API_BODY_FILE,
     .body_media = "multipart/form-data",
     .body_schema = "{'type':'object'}",
     .body_len_max = 300000,
     TL_API_REPLIES(upload_replies),
     .handle = take_upload},
    {.method = TL_API_GET,
     .path = "/v1/bad",
     .id = "misbehave",
     .summary = "Does what is wrong.",
     TL_API_PARAMS(how_params),
     TL_API_REPLIES(book_replies),
     .handle = misbehave},
    {.method = TL_API_GET,
     .path = "/v1/held",
     .id = "getHeld",
     .summary = "Takes its time.",
     TL_API_PARAMS(held_params),
     TL_API_REPLIES(held_replies),
     .handle = hold},
};

/* --- hooks --- */

static tl_err worker_start(void *self, void **worker, tl_errctx *ctx)
{
    (void)ctx;
    toy *t = self;
    t->workers++;
    *worker = t;
    return TL_OK;
}

static void worker_end(void *self, void *worker)
{
    assert_ptr_equal(self, worker);
    ((toy *)self)->workers--;
}

static bool member(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    toy *t = self;
    const tl_keypair *pairs[] = {t->miner, t->validator, t->poor};
    for (uint32_t i = 0; i < 3; i++) {
        if (tl_hotkey_eq(hotkey, tl_keypair_public(pairs[i]))) {
            *out = (tl_api_member){.uid = i, .has_permit = i > 0, .stake_rao = i == 1 ? 100 : 99};
            return true;
        }
    }
    return false;
}

static tl_err token(void *self, void *worker, tl_api_caller *out, tl_str text, tl_errctx *ctx)
{
    assert_ptr_equal(self, worker);
    static const char *const names[] = {"none", "viewer", "operator", "admin"};
    for (int i = 1; i < 4; i++) {
        if (tl_str_eq_cstr(text, names[i])) {
            out->role = (tl_api_role)i;
            tl_str_print(out->subject, sizeof out->subject, "token:%s", names[i]);
            return TL_OK;
        }
    }
    return tl_str_eq_cstr(text, "broken") ? tl_fail(ctx, TL_ERR_IO, "no database")
                                          : tl_fail(ctx, TL_ERR_REFUSED, "no such token");
}

static bool is_ready(void *self, void *worker, tl_sb *why)
{
    (void)worker;
    tl_sb_put_cstr(why, "The books are wet");
    return ((toy *)self)->is_ready;
}

static void write_line(void *self, tl_str line)
{
    toy *t = self;
    const size_t at = atomic_fetch_add(&t->lines_len, line.len);
    if (at + line.len < sizeof t->lines) {
        memcpy(t->lines + at, line.ptr, line.len);
    }
}

/* --- begin and end --- */

static tl_keypair *pair_of(const char *uri)
{
    tl_keypair *pair = NULL;
    assert_int_equal(tl_keypair_from_uri(&pair, tl_scheme_sr25519(), tl_str_from_cstr(uri), NULL),
                     TL_OK);
    return pair;
}

static void make_page(toy *t)
{
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, t->arena);
    tl_sb_put_cstr(&sb, "{\"items\":[");
    for (int i = 0; i < 100; i++) {
        tl_sb_printf(&sb, "%s{\"id\":%d,\"title\":\"page\"}", i > 0 ? "," : "", i);
    }
    tl_sb_put_cstr(&sb, "],\"nextCursor\":null}");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    assert_int_equal(tl_api_page_new(&t->page, text, NULL), TL_OK);
}

void toy_begin(toy *t)
{
    memset(t, 0, sizeof *t);
    assert_int_equal(tl_arena_new(&t->arena, NULL, 0, NULL, NULL), TL_OK);
    t->service = pair_of("//Alice");
    t->miner = pair_of("//Bob");
    t->validator = pair_of("//Carol");
    t->poor = pair_of("//Dave");
    t->stranger = pair_of("//Eve");
    t->is_ready = true;
    make_page(t);
    (void)tl_ss58_encode(t->ss58, tl_keypair_public(t->service), TL_SS58_PREFIX_GENERIC);
    tl_str_print(t->dir, sizeof t->dir, "/tmp/tally-api.XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    const tl_clock clock = tl_sys_clock();
    tl_log_init(&t->log, TL_LOG_INFO, true, &clock, write_line, t);
    t->settings = (tl_api_settings){.title = "Toy",
                                    .version = "7",
                                    .workers = 2,
                                    .routes = routes,
                                    .route_count = sizeof routes / sizeof routes[0],
                                    .schemas = schemas,
                                    .schema_count = sizeof schemas / sizeof schemas[0],
                                    .self = t,
                                    .worker_start = worker_start,
                                    .worker_end = worker_end,
                                    .self_ss58 = tl_str_from_cstr(t->ss58),
                                    .member = member,
                                    .validator_stake_rao = 100,
                                    .token = token,
                                    .key = token,
                                    .is_ready = is_ready,
                                    .dir = t->dir,
                                    .log = &t->log,
                                    .checks_answers = true};
}

void toy_start(toy *t)
{
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_api_new(&t->api, &t->settings, &why) != TL_OK || tl_api_start(t->api, &why) != TL_OK) {
        fail_msg("%s: %s", why.field, why.message);
    }
}

void toy_end(toy *t)
{
    tl_api_free(t->api);
    assert_int_equal(t->workers, 0);
    tl_api_page_unref(t->page);
    tl_keypair_free(t->service);
    tl_keypair_free(t->miner);
    tl_keypair_free(t->validator);
    tl_keypair_free(t->poor);
    tl_keypair_free(t->stranger);
    tl_arena_free(t->arena);
    char path[128];
    tl_str_print(path, sizeof path, "%s/replay.marks", t->dir);
    (void)unlink(path);
    (void)rmdir(t->dir);
}

/* --- the client --- */

int toy_connect(const toy *t)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tl_api_port(t->api))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_storage storage;
    memset(&storage, 0, sizeof storage);
    memcpy(&storage, &to, sizeof to);
    assert_int_equal(connect(fd, (const struct sockaddr *)&storage, sizeof to), 0);
    return fd;
}

void toy_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        const ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* refused early: the answer tells */
        }
        at += sent;
        len -= (size_t)sent;
    }
}

void toy_receive(int fd, toy_answer *out)
{
    memset(out, 0, sizeof *out);
    for (ssize_t len = 1; len > 0 && out->len < TOY_ANSWER_CAP - 1;) {
        len = recv(fd, out->text + out->len, TOY_ANSWER_CAP - 1 - out->len, 0);
        out->len += len > 0 ? (size_t)len : 0;
    }
    const char *end = strstr(out->text, "\r\n\r\n");
    out->body = end != NULL ? end + 4 : "";
    out->body_len = end != NULL ? out->len - (size_t)(out->body - out->text) : 0;
    out->status = end != NULL ? atoi(out->text + 9) : 0;
}

void toy_ask(const toy *t, toy_answer *out, const char *method, const char *target,
             const char *headers, const char *body)
{
    char head[16384];
    const int fd = toy_connect(t);
    const size_t body_len = body != NULL ? strlen(body) : 0;
    int len = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n%s",
                       method, target, headers != NULL ? headers : "");
    if (body != NULL) {
        len += snprintf(head + len, sizeof head - (size_t)len, "Content-Length: %zu\r\n", body_len);
    }
    len += snprintf(head + len, sizeof head - (size_t)len, "\r\n");
    toy_send(fd, head, (size_t)len);
    toy_send(fd, body, body_len);
    toy_receive(fd, out);
    (void)close(fd);
}

const char *toy_header(const toy_answer *answer, const char *name)
{
    static _Thread_local char value[4096];
    const char *at = strstr(answer->text, "\r\n");
    const char *end = strstr(answer->text, "\r\n\r\n");
    while (at != NULL && end != NULL && at < end) {
        at += 2;
        const char *line_end = strstr(at, "\r\n");
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        if (colon != NULL && (size_t)(colon - at) == strlen(name) &&
            memcmp(at, name, strlen(name)) == 0) {
            colon += 2;
            (void)snprintf(value, sizeof value, "%.*s", (int)(line_end - colon), colon);
            return value;
        }
        at = line_end;
    }
    return NULL;
}

const char *toy_sign(toy *t, const tl_keypair *from, const char *method, const char *target,
                     const char *body)
{
    const tl_clock clock = tl_sys_clock();
    const tl_entropy entropy = tl_sys_entropy();
    tl_auth_outgoing what = {.method = tl_str_from_cstr(method),
                             .target = tl_str_from_cstr(target),
                             .receiver = tl_str_from_cstr(t->ss58),
                             .now_ns = tl_clock_wall_ns(&clock)};
    tl_sha256(&what.body_sha256, body, body != NULL ? strlen(body) : 0);
    tl_http_headers headers;
    assert_int_equal(tl_auth_sign(&headers, t->arena, tl_auth_family_at(TL_AUTH_BTAUTH), from,
                                  &what, &entropy, NULL),
                     TL_OK);
    tl_sb sb;
    tl_str text;
    tl_sb_init(&sb, t->arena);
    for (size_t i = 0; i < headers.count; i++) {
        tl_sb_printf(&sb, "%.*s: %.*s\r\n", TL_STR_ARG(headers.at[i].name),
                     TL_STR_ARG(headers.at[i].value));
    }
    tl_sb_put_cstr(&sb, "Content-Type: application/json\r\n");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text.ptr;
}

static tl_str member_of(const tl_json *object, const char *key)
{
    const tl_json *value = tl_json_get(object, key);
    assert_non_null(value);
    return value->text;
}

void toy_refused(const toy_answer *answer, int status, const char *code, const char *field)
{
    tl_arena *arena;
    const tl_json *json;
    assert_int_equal(tl_arena_new(&arena, NULL, 0, NULL, NULL), TL_OK);
    if (answer->status != status ||
        tl_json_parse(&json, arena, (tl_str){answer->body, answer->body_len}, NULL, NULL) !=
            TL_OK) {
        fail_msg("%d %s was wanted, not\n%s", status, code, answer->text);
    }
    const tl_json *error = tl_json_get(json, "error");
    assert_non_null(error);
    if (!tl_str_eq_cstr(member_of(error, "code"), code)) {
        fail_msg("%s was wanted, not\n%s", code, answer->text);
    }
    assert_true(member_of(error, "message").len > 0);
    const tl_str named = member_of(error, "field");
    if (!tl_str_eq(named, tl_str_from_cstr(field))) {
        fail_msg("field %s was wanted, not\n%s", field != NULL ? field : "null", answer->text);
    }
    const char *id = toy_header(answer, "X-Correlation-Id"); /* API-3 */
    assert_non_null(id);
    assert_true(tl_str_eq_cstr(member_of(error, "correlationId"), id));
    tl_arena_free(arena);
}
