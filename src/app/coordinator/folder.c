/* Lent access to the object store: forms to write, URLs to read. */
#include "app/coordinator/coordinator_internal.h"

enum {
    DAY_S = 86400,
    OBJECT_LEN_MIN = 1,
    READ_S = DAY_S,
    WINNER_LEN_MAX = 64 << 20,
    RETENTION_DAYS_MAX = 180,
    PREFIX_CAP = 160
};

/* --- forms --- */

static void put_fields(tl_json_writer *w, const tl_objects_post *form)
{
    tl_json_put_key(w, "fields");
    tl_json_put_object(w);
    for (size_t i = 0; i < form->count; i++) {
        tl_json_put_key_str(w, form->fields[i].name);
        tl_json_put_str(w, form->fields[i].value);
    }
    tl_json_put_end(w);
}

/* The folder store's URL begins with "/": it is ours, as the caller reaches us. */
static tl_err put_url(tl_api_call *call, tl_json_writer *w, tl_str url, tl_arena *arena,
                      tl_errctx *ctx)
{
    tl_str base = {NULL, 0};
    tl_sb sb;
    tl_str whole = url;
    if (url.len > 0 && url.ptr[0] == '/') {
        TL_TRY(tl__coordinator_base_url(call, &base, ctx));
        tl_sb_init(&sb, arena);
        tl_sb_put(&sb, base);
        tl_sb_put(&sb, url);
        TL_TRY(tl_sb_finish(&whole, &sb, ctx));
    }
    tl__coordinator_put_text(w, "url", whole);
    return TL_OK;
}

static tl_err lend(tl_api_call *call, const tl_objects_post_rule *rule, tl_errctx *ctx)
{
    tl_coordinator *c = tl__coordinator_of(call);
    tl_objects_post form;
    tl_sb sb;
    tl_json_writer w;
    TL_TRY(tl_objects_presign_post(c->objects, &form, tl_api_call_arena(call), rule, ctx));
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_bool(&w, "success", true);
    TL_TRY(put_url(call, &w, form.url, tl_api_call_arena(call), ctx));
    put_fields(&w, &form);
    tl__coordinator_put_text(&w, "folder", rule->prefix);
    tl__coordinator_put_time(&w, "expiry", form.expires_ms);
    tl__coordinator_put_number(&w, "minBytes", (int64_t)rule->len_min);
    tl__coordinator_put_number(&w, "maxBytes", (int64_t)rule->len_max);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

tl_err tl__coordinator_lend_folder(tl_api_call *call, tl_errctx *ctx)
{
    char prefix[PREFIX_CAP];
    if (!tl__coordinator_coldkey_is_own(call)) {
        return TL_OK;
    }
    const size_t len =
        tl_str_print(prefix, sizeof prefix, "data/hotkey=%s/", tl_api_call_caller(call)->ss58);
    const tl_objects_post_rule rule = {.prefix = {prefix, len},
                                       .len_min = OBJECT_LEN_MIN,
                                       .len_max = TL_INTAKE_OBJECT_LEN_MAX,
                                       .expires_s = DAY_S};
    return lend(call, &rule, ctx);
}

/* Results and winner documents of a validator, below its own name and the epoch's. */
tl_err tl__coordinator_lend_validator_upload(tl_api_call *call, tl_errctx *ctx)
{
    char prefix[PREFIX_CAP];
    tl_str epoch_id;
    int64_t start_ms;
    TL_TRY(tl_json_want_str(&epoch_id, tl_api_call_json(call), "epochId", ctx));
    if (tl_slot_parse(&start_ms, epoch_id, ctx) != TL_OK) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/epochId", "It is no epoch's id");
    }
    const size_t len = tl_str_print(prefix, sizeof prefix, "validators/%s/%.*s/",
                                    tl_api_call_caller(call)->ss58, TL_STR_ARG(epoch_id));
    const tl_objects_post_rule rule = {.prefix = {prefix, len},
                                       .len_min = OBJECT_LEN_MIN,
                                       .len_max = WINNER_LEN_MAX,
                                       .expires_s = DAY_S};
    return lend(call, &rule, ctx);
}

/* --- submissions, with URLs to read what was kept --- */

static tl_err put_object(tl_api_call *call, tl_json_writer *w, const tl_record_object *object,
                         tl_arena *arena, tl_errctx *ctx)
{
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    tl_str url;
    tl_objects_kept_key(key, &object->sha256);
    TL_TRY(tl_objects_presign(tl__coordinator_of(call)->objects, &url, arena, TL_OBJECTS_GET,
                              (tl_str){key, TL_OBJECTS_KEPT_KEY_LEN}, READ_S, ctx));
    tl_json_put_object(w);
    tl__coordinator_put_text(w, "key", object->key);
    tl__coordinator_put_text(w, "zipcode", object->zipcode);
    tl__coordinator_put_hash(w, "sha256", &object->sha256);
    tl__coordinator_put_number(w, "bytes", (int64_t)object->bytes);
    tl__coordinator_put_number(w, "rows", object->rows);
    TL_TRY(put_url(call, w, url, arena, ctx));
    tl_json_put_end(w);
    return TL_OK;
}

static tl_err put_submission(tl_api_call *call, tl_json_writer *w, const tl_record_submission *s,
                             tl_arena *arena, tl_errctx *ctx)
{
    tl_json_put_object(w);
    tl__coordinator_put_text(w, "epochId", s->epoch_id);
    tl__coordinator_put_hotkey(w, "hotkey", &s->hotkey);
    tl__coordinator_put_hotkey(w, "coldkey", &s->coldkey);
    tl__coordinator_put_number(w, "uid", s->uid);
    tl__coordinator_put_hash(w, "contentHash", &s->content_hash);
    tl__coordinator_put_time(w, "receivedAt", s->received_ms);
    tl__coordinator_put_number(w, "receivedMs", s->received_ms);
    tl__coordinator_put_text(w, "correlationId", s->correlation);
    tl_json_put_key(w, "objects");
    tl_json_put_array(w);
    for (size_t i = 0; i < s->object_count; i++) {
        TL_TRY(put_object(call, w, &s->objects[i], arena, ctx));
    }
    tl_json_put_end(w);
    tl_json_put_end(w);
    return TL_OK;
}

/* The cursor of a list of submissions is the last one's serial. */
typedef struct page {
    tl_str epoch_id;
    const tl_hotkey *only; /* NULL: of all miners */
    uint64_t after;
    size_t limit;
} page;

static tl_err read_page(tl_api_call *call, const page *p, const tl_record_submission **out,
                        size_t *count, tl_arena *arena, tl_errctx *ctx)
{
    tl_records *records = tl__coordinator_records_of(call);
    *count = 0;
    if (p->only == NULL) {
        return tl_records_submissions(records, out, count, p->epoch_id, p->after, p->limit, arena,
                                      ctx);
    }
    tl_record_submission *one = TL_NEW(arena, tl_record_submission, 1);
    if (one == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *out = one;
    const tl_err err = tl_records_submission(records, one, p->epoch_id, p->only, arena, ctx);
    if (err == TL_ERR_NOT_FOUND) {
        tl_errctx_reset(ctx);
        return TL_OK;
    }
    TL_TRY(err);
    *count = one->serial > p->after;
    return TL_OK;
}

static tl_err answer_page(tl_api_call *call, const page *p, tl_errctx *ctx)
{
    const tl_record_submission *items = NULL;
    size_t count;
    tl_sb sb;
    tl_json_writer w;
    char cursor[24];
    tl_arena *arena = NULL;
    TL_TRY(tl__coordinator_wide_arena(call, &arena, ctx)); /* a submission may name 4,096 objects */
    TL_TRY(read_page(call, p, &items, &count, arena, ctx));
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_bool(&w, "success", true);
    tl__coordinator_put_text(&w, "epochId", p->epoch_id);
    tl_json_put_key(&w, "items");
    tl_json_put_array(&w);
    for (size_t i = 0; i < count; i++) {
        TL_TRY(put_submission(call, &w, &items[i], arena, ctx));
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "nextCursor");
    if (p->only == NULL && count == p->limit) {
        (void)tl_str_print(cursor, sizeof cursor, "%llu",
                           (unsigned long long)items[count - 1].serial);
        tl_json_put_cstr(&w, cursor);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static bool is_final(const tl_record_epoch *epoch)
{
    return epoch->beacon_ms > 0 || epoch->state == TL_EPOCH_FAILED ||
           epoch->state == TL_EPOCH_ARCHIVED;
}

static tl_err refuse_early(tl_api_call *call)
{
    return tl_api_fail(call, TL_API_CONFLICT, "epochId",
                       "Submissions are told to validators once the beacon is fixed");
}

tl_err tl__coordinator_list_submissions(tl_api_call *call, tl_errctx *ctx)
{
    const tl_api_caller *caller = tl_api_call_caller(call);
    const tl_str cursor = tl_api_param_str(call, "cursor");
    tl_record_epoch epoch;
    tl_err err = TL_OK;
    page p = {.limit = (size_t)tl_api_param_i64(call, "limit", 50)};
    if (cursor.ptr != NULL && !tl_str_parse_u64(&p.after, cursor)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, "cursor", "It is none of this list");
    }
    if (!tl__coordinator_want_epoch(call, &epoch, &err, ctx)) {
        return err;
    }
    if (caller->is_validator && !is_final(&epoch)) {
        return refuse_early(call);
    }
    p.epoch_id = epoch.id;
    p.only = caller->is_validator ? NULL : &caller->hotkey;
    return answer_page(call, &p, ctx);
}

/* --- the original's routes for validators: the same list, by body --- */

static tl_err read_epoch_of_body(tl_api_call *call, tl_record_epoch *out, bool *is_answered,
                                 tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    const tl_json *named = body != NULL ? tl_json_get(body, "epochId") : NULL;
    tl_records *records = tl__coordinator_records_of(call);
    tl_arena *arena = tl_api_call_arena(call);
    *is_answered = false;
    if (named != NULL) {
        tl_str id;
        TL_TRY(tl_json_as_str(&id, named, "epochId", ctx));
        const tl_err err = tl_records_get_epoch(records, out, id, arena, ctx);
        if (err == TL_ERR_NOT_FOUND) {
            tl_errctx_reset(ctx);
            *is_answered = true;
            return tl_api_fail(call, TL_API_NOT_FOUND, "/epochId", "There is no such epoch");
        }
        return err;
    }
    const tl_record_epoch *epochs;
    size_t count;
    TL_TRY(tl_records_epochs(records, &epochs, &count, (tl_str){NULL, 0}, 16, arena, ctx));
    for (size_t i = 0; i < count; i++) {
        if (epochs[i].beacon_ms > 0) {
            *out = epochs[i];
            return TL_OK;
        }
    }
    *is_answered = true;
    return tl_api_fail(call, TL_API_NOT_FOUND, NULL, "No epoch is over yet");
}

static tl_err list_by_body(tl_api_call *call, const tl_hotkey *only, tl_errctx *ctx)
{
    const tl_json *body = tl_api_call_json(call);
    tl_record_epoch epoch;
    bool is_answered;
    page p = {.only = only, .limit = 50};
    const tl_json *limit = body != NULL ? tl_json_get(body, "limit") : NULL;
    const tl_json *cursor = body != NULL ? tl_json_get(body, "cursor") : NULL;
    uint64_t number = p.limit;
    if (limit != NULL) {
        TL_TRY(tl_json_as_u64(&number, limit, "/limit", ctx));
    }
    p.limit = (size_t)number;
    if (cursor != NULL && cursor->kind == TL_JSON_STRING &&
        !tl_str_parse_u64(&p.after, cursor->text)) {
        return tl_api_fail(call, TL_API_NOT_FOUND, "/cursor", "It is none of this list");
    }
    TL_TRY(read_epoch_of_body(call, &epoch, &is_answered, ctx));
    if (is_answered) {
        return TL_OK;
    }
    if (!is_final(&epoch)) {
        return refuse_early(call);
    }
    p.epoch_id = epoch.id;
    return answer_page(call, &p, ctx);
}

tl_err tl__coordinator_list_for_validator(tl_api_call *call, tl_errctx *ctx)
{
    return list_by_body(call, NULL, ctx);
}

tl_err tl__coordinator_list_of_miner(tl_api_call *call, tl_errctx *ctx)
{
    tl_str ss58;
    tl_hotkey miner;
    TL_TRY(tl_json_want_str(&ss58, tl_api_call_json(call), "minerHotkey", ctx));
    if (tl_ss58_decode(&miner, ss58, NULL) != TL_OK) {
        return tl_api_fail(call, TL_API_INVALID_REQUEST, "/minerHotkey", "It is no address");
    }
    return list_by_body(call, &miner, ctx);
}
