/* upload.c: a presigned form, the objects, metadata.json, the status that asks for the acknowledgement. */
#include <string.h>

#include "app/miner/miner_internal.h"
#include "core/codec/hex/hex.h"
#include "core/listings/record/record.h"
#include "io/sys/sys.h"

#define FORM_NAME     "form.json"
#define FORM_LEN_MAX  ((size_t)64 << 10)
#define FORM_SPARE_MS 300000
#define BOUNDARY      "tally-7d1f0a9c3b5e4e8f8a2d6c4b"

/* tl__form: what lends us a place to write. */
typedef struct form {
    tl_str url;
    tl_str folder; /* ends with '/' */
    const tl_json *fields;
    int64_t expires_ms;
} form;

static tl_err read_form(form *out, const tl_json *json, tl_errctx *ctx)
{
    tl_str expiry;
    TL_TRY(tl_json_want_str(&out->url, json, "url", ctx));
    TL_TRY(tl_json_want_str(&out->folder, json, "folder", ctx));
    TL_TRY(tl_json_want(&out->fields, json, "fields", TL_JSON_OBJECT, ctx));
    const tl_json *when = tl_json_get(json, "expiry");
    uint64_t seconds = 0;
    if (when != NULL && when->kind == TL_JSON_NUMBER && tl_str_parse_u64(&seconds, when->text)) {
        out->expires_ms = (int64_t)seconds * 1000;
        return TL_OK;
    }
    TL_TRY(tl_json_want_str(&expiry, json, "expiry", ctx));
    return tl_record_moment(&out->expires_ms, expiry)
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_SYNTAX, "expiry", "no time");
}

static tl_err form_path(const char **out, const tl__work *work, tl_errctx *ctx)
{
    const char *dir = NULL;
    TL_TRY(tl_sys_join(&dir, work->arena, work->options->dir, "miner", ctx));
    return tl_sys_join(out, work->arena, dir, FORM_NAME, ctx);
}

/* The form of an earlier epoch serves as long as it lasts: there are twenty a day. */
static bool find_form(form *out, const tl__work *work)
{
    const char *path = NULL;
    tl_str text = {NULL, 0};
    const tl_json *json = NULL;
    return form_path(&path, work, NULL) == TL_OK && tl_sys_exists(path) &&
           tl_sys_read_file(&text, work->arena, path, FORM_LEN_MAX, NULL) == TL_OK &&
           tl_json_parse(&json, work->arena, text, NULL, NULL) == TL_OK &&
           read_form(out, json, NULL) == TL_OK &&
           out->expires_ms > tl_peer_now_ms(work->options->peer) + FORM_SPARE_MS;
}

static tl_err ask_form(form *out, tl__work *work, tl_errctx *ctx)
{
    const tl_json *json = NULL;
    const char *path = NULL;
    tl_sb sb;
    tl_json_writer w;
    tl_str text = {NULL, 0};
    TL_TRY(tl_peer_post(work->options->peer, &json, work->arena, TL_STR("/get-folder-access"),
                        TL_STR("{}"), true, ctx));
    TL_TRY(read_form(out, json, ctx));
    tl_sb_init(&sb, work->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_tree(&w, json);
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(form_path(&path, work, ctx));
    return tl_sys_write_file(path, tl_str_bytes(text), TL_SYS_FILE_MODE, ctx);
}

static void put_field(tl_sb *sb, tl_str name, tl_str value)
{
    tl_sb_put_cstr(sb, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"");
    tl_sb_put(sb, name);
    tl_sb_put_cstr(sb, "\"\r\n\r\n");
    tl_sb_put(sb, value);
    tl_sb_put_cstr(sb, "\r\n");
}

static tl_err send(tl__work *work, const form *f, tl_str key, tl_str object, tl_arena *arena,
                   uint16_t *status, tl_errctx *ctx)
{
    tl_sb sb;
    tl_str body = {NULL, 0};
    tl_caller_answer answer;
    tl_sb_init(&sb, arena);
    for (uint32_t i = 0; i < f->fields->count; i++) {
        if (!tl_str_eq_cstr(f->fields->members[i].key, "key")) {
            put_field(&sb, f->fields->members[i].key, f->fields->members[i].value.text);
        }
    }
    put_field(&sb, TL_STR("key"), key);
    tl_sb_put_cstr(&sb, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
                        "filename=\"object.json\"\r\nContent-Type: application/json\r\n\r\n");
    tl_sb_put(&sb, object);
    tl_sb_put_cstr(&sb, "\r\n--" BOUNDARY "--\r\n");
    TL_TRY(tl_sb_finish(&body, &sb, ctx));
    const tl_caller_request request = {
        .method = TL_STR("POST"),
        .target = f->url,
        .body = tl_str_bytes(body),
        .content_type = TL_STR("multipart/form-data; boundary=" BOUNDARY),
        .is_repeatable = true, /* the same key, the same bytes */
    };
    TL_TRY(tl_caller_call(work->options->peer->caller, &answer, arena, &request, ctx));
    *status = answer.fault == TL_CLIENT_NONE ? answer.status : 0;
    return tl_caller_fail(&answer, ctx);
}

/* A form that is no longer good is asked for anew, once. */
static tl_err send_or_ask(tl__work *work, form *f, tl_str key, tl_str object, tl_arena *arena,
                          tl_errctx *ctx)
{
    uint16_t status = 0;
    const tl_err err = send(work, f, key, object, arena, &status, ctx);
    if (err == TL_OK || status < 400 || status >= 500) {
        return err;
    }
    TL_TRY(ask_form(f, work, ctx));
    return send(work, f, key, object, arena, &status, ctx);
}

static tl_err make_key(tl_str *out, const tl__work *work, const form *f, const tl__load *load,
                       tl_errctx *ctx)
{
    tl_sb sb;
    char hash[2 * sizeof load->sha256 + 1];
    tl_hex_write(hash, &load->sha256, sizeof load->sha256);
    tl_sb_init(&sb, work->arena);
    tl_sb_put(&sb, f->folder);
    tl_sb_put_cstr(&sb, "epoch=");
    tl_sb_put(&sb, work->assignment->epoch_id);
    tl_sb_printf(&sb, "/zipcode=%s/data_%.16s.json", load->place->zipcode, hash);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err upload_one(tl__work *work, form *f, tl__load *load, tl_errctx *ctx)
{
    tl_arena *arena = NULL;
    tl_str object = {NULL, 0};
    TL_TRY(make_key(&load->key, work, f, load, ctx));
    if (tl_sys_exists(load->sent)) {
        return TL_OK; /* MINER-1 */
    }
    TL_TRY(tl_arena_new(&arena, NULL, (size_t)256 << 20, NULL, ctx));
    tl_err err = tl_sys_read_file(&object, arena, load->path, (size_t)64 << 20, ctx);
    err = err == TL_OK ? send_or_ask(work, f, load->key, object, arena, ctx) : err;
    err = err == TL_OK
              ? tl_sys_write_file(load->sent, tl_str_bytes(load->key), TL_SYS_FILE_MODE, ctx)
              : err;
    tl_arena_free(arena);
    return err;
}

static void put_hash(tl_json_writer *w, const tl_hash32 *hash)
{
    tl_json_put_hex(w, hash, sizeof *hash);
}

static tl_err write_metadata(tl_str *out, const tl__work *work, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, work->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epochId");
    tl_json_put_str(&w, work->assignment->epoch_id);
    tl_json_put_key(&w, "hotkey");
    tl_json_put_cstr(&w, work->options->peer->own_ss58);
    tl_json_put_key(&w, "objects");
    tl_json_put_array(&w);
    for (size_t i = 0; i < work->count; i++) {
        const tl__load *load = &work->loads[i];
        if (!load->is_collected) {
            continue;
        }
        tl_json_put_object(&w);
        tl_json_put_key(&w, "key");
        tl_json_put_str(&w, load->key);
        tl_json_put_key(&w, "zipcode");
        tl_json_put_cstr(&w, load->place->zipcode);
        tl_json_put_key(&w, "sha256");
        put_hash(&w, &load->sha256);
        tl_json_put_key(&w, "bytes");
        tl_json_put_u64(&w, load->bytes);
        tl_json_put_key(&w, "rows");
        tl_json_put_u64(&w, load->rows);
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err write_status(tl_str *out, const tl__work *work, const tl_miner_epoch *epoch,
                           tl_errctx *ctx)
{
    char now[TL_TIME_TEXT_CAP];
    tl_sb sb;
    tl_json_writer w;
    tl_time_text(now, tl_peer_now_ms(work->options->peer) * 1000000);
    tl_sb_init(&sb, work->arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "epochId");
    tl_json_put_str(&w, work->assignment->epoch_id);
    if (work->assignment->nonce.len > 0) {
        tl_json_put_key(&w, "nonce");
        tl_json_put_str(&w, work->assignment->nonce);
    }
    tl_json_put_key(&w, "status");
    tl_json_put_cstr(&w, "COMPLETED");
    tl_json_put_key(&w, "listingsScraped");
    tl_json_put_u64(&w, epoch->listings);
    tl_json_put_key(&w, "zipcodesCompleted");
    tl_json_put_array(&w);
    for (size_t i = 0; i < work->count; i++) {
        if (work->loads[i].is_collected) {
            tl_json_put_object(&w);
            tl_json_put_key(&w, "zipcode");
            tl_json_put_cstr(&w, work->loads[i].place->zipcode);
            tl_json_put_key(&w, "listingsScraped");
            tl_json_put_u64(&w, work->loads[i].rows);
            tl_json_put_key(&w, "completedAt");
            tl_json_put_cstr(&w, now);
            tl_json_put_end(&w);
        }
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "s3UploadComplete");
    tl_json_put_bool(&w, true);
    tl_json_put_key(&w, "s3UploadTimestamp");
    tl_json_put_cstr(&w, now);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

/* The coordinator's own word (MINER-2). */
static tl_err report(tl__work *work, tl_miner_epoch *out, tl_errctx *ctx)
{
    tl_str body = {NULL, 0};
    tl_str hash = {NULL, 0};
    const tl_json *answer = NULL;
    const tl_json *submission = NULL;
    TL_TRY(write_status(&body, work, out, ctx));
    TL_TRY(tl_peer_post(work->options->peer, &answer, work->arena,
                        TL_STR("/api/v1/zipcode-assignments/status"), body, true, ctx));
    TL_TRY(tl_json_want(&submission, answer, "submission", TL_JSON_OBJECT, ctx));
    TL_TRY(tl_json_want_str(&hash, submission, "contentHash", ctx));
    TL_TRY(tl_json_want_str(&out->received_at, submission, "receivedAt", ctx));
    TL_TRY(tl_hex_decode((uint8_t *)&out->content_hash, sizeof out->content_hash, hash, ctx));
    out->has_content_hash = true;
    return TL_OK;
}

tl_err tl__miner_hand_in(tl__work *work, tl_miner_epoch *out, tl_errctx *ctx)
{
    form f = {.expires_ms = 0};
    tl_str metadata = {NULL, 0};
    tl_sb sb;
    tl_str key = {NULL, 0};
    for (size_t i = 0; i < work->count; i++) {
        out->zipcodes += work->loads[i].is_collected;
        out->listings += work->loads[i].rows;
    }
    if (out->zipcodes == 0) {
        return tl_fail(ctx, TL_ERR_MISSING, "nothing to hand in: %s",
                       work->why.code != TL_OK ? work->why.message : "no zipcode was collected");
    }
    if (!find_form(&f, work)) {
        TL_TRY(ask_form(&f, work, ctx));
    }
    for (size_t i = 0; i < work->count; i++) {
        if (work->loads[i].is_collected) {
            TL_TRY(upload_one(work, &f, &work->loads[i], ctx));
        }
    }
    TL_TRY(write_metadata(&metadata, work, ctx));
    tl_sb_init(&sb, work->arena);
    tl_sb_put(&sb, f.folder);
    tl_sb_put_cstr(&sb, "epoch=");
    tl_sb_put(&sb, work->assignment->epoch_id);
    tl_sb_put_cstr(&sb, "/metadata.json");
    TL_TRY(tl_sb_finish(&key, &sb, ctx));
    TL_TRY(send_or_ask(work, &f, key, metadata, work->arena, ctx));
    if (work->options->before_report != NULL) {
        TL_TRY(work->options->before_report(work->options->self, ctx));
    }
    return report(work, out, ctx);
}
