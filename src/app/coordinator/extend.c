/* Emergency extension: signed by the coordinator's key, so that everybody can hold it to what it said. */
#include "app/coordinator/coordinator_internal.h"
#include "io/sys/sys.h"

enum { SECONDS_MAX = 86400, REASON_MAX = 500, SS58_PREFIX = 42, MS = 1000, MS_NS = 1000000 };

typedef struct extension {
    tl_str epoch_id;
    int64_t seconds;
    tl_str reason;
    tl_str certificate;  /* JSON; empty: the key needs none */
    int64_t deadline_ms; /* the new one */
    int64_t at_ms;
    char ss58[TL_SS58_CAP];
} extension;

static tl_err sign(tl_bytes *out, tl_arena *arena, const tl_keypair *key, const extension *e,
                   tl_errctx *ctx)
{
    char deadline[TL_TIME_TEXT_CAP];
    const tl_entropy entropy = tl_sys_entropy();
    tl_sb sb;
    tl_str text;
    uint8_t *signature = TL_NEW(arena, uint8_t, tl_keypair_scheme(key)->signature_len_max);
    size_t len = 0;
    if (signature == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_time_text(deadline, e->deadline_ms * MS_NS);
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "tally-extension/1\n%.*s\n%lld\n%s\n%.*s\n", TL_STR_ARG(e->epoch_id),
                 (long long)e->seconds, deadline, TL_STR_ARG(e->reason));
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    TL_TRY(tl_keypair_sign(signature, tl_keypair_scheme(key)->signature_len_max, &len, key,
                           tl_str_bytes(text), &entropy, ctx));
    *out = (tl_bytes){signature, len};
    return TL_OK;
}

static tl_err put_record(tl_str *out, tl_arena *arena, const extension *e, tl_bytes signature,
                         tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "epochId", e->epoch_id);
    tl__coordinator_put_number(&w, "seconds", e->seconds);
    tl__coordinator_put_text(&w, "reason", e->reason);
    tl__coordinator_put_time(&w, "submissionDeadline", e->deadline_ms);
    tl__coordinator_put_time(&w, "signedAt", e->at_ms);
    tl__coordinator_put_text(&w, "hotkey", tl_str_from_cstr(e->ss58));
    tl_json_put_key(&w, "signature");
    tl_json_put_hex(&w, signature.ptr, signature.len);
    tl_json_put_key(&w, "delegation");
    if (e->certificate.len > 0) {
        tl_json_put_raw(&w, e->certificate);
    } else {
        tl_json_put_null(&w);
    }
    tl_json_put_end(&w);
    return tl_sb_finish(out, &sb, ctx);
}

typedef struct extend_work {
    tl_records *records;
    tl_arena *arena;
    const tl_keypair *key;
    extension e;
    tl_str actor;
    tl_str correlation;
    tl_str json;
} extend_work;

/* The record and its note in the audit log are one transaction (COORD-3). */
static tl_err extend(void *self, tl_sql *sql, tl_errctx *ctx)
{
    extend_work *work = self;
    tl_record_epoch epoch;
    tl_bytes signature;
    (void)sql;
    TL_TRY(tl_records_lock_epoch(work->records, &epoch, work->e.epoch_id, work->arena, ctx));
    const int64_t deadline_ms = epoch.end_ms + epoch.extended_ms;
    const bool is_open = epoch.state == TL_EPOCH_OPEN || epoch.state == TL_EPOCH_PENDING;
    if (!is_open) {
        return tl_fail_field(ctx, TL_ERR_STATE, "epoch", "the epoch is %s: its end has come",
                             tl_epoch_state_text(epoch.state));
    }
    work->e.deadline_ms = deadline_ms + work->e.seconds * MS;
    if (work->e.deadline_ms <= work->e.at_ms) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "seconds", "the new deadline has passed too");
    }
    TL_TRY(sign(&signature, work->arena, work->key, &work->e, ctx));
    TL_TRY(put_record(&work->json, work->arena, &work->e, signature, ctx));
    const tl_record_extension record = {.epoch_id = work->e.epoch_id,
                                        .added_ms = work->e.seconds * MS,
                                        .reason = work->e.reason,
                                        .actor = work->actor,
                                        .body = tl_str_bytes(work->json),
                                        .signature = signature,
                                        .at_ms = work->e.at_ms};
    TL_TRY(tl_records_extend(work->records, &record, ctx));
    tl_record_act act = {.at_ms = work->e.at_ms,
                         .actor = work->actor,
                         .act = TL_STR("epoch.extend"),
                         .subject = work->e.epoch_id,
                         .detail = work->json,
                         .correlation = work->correlation};
    return tl_records_note(work->records, &act, ctx);
}

tl_err tl_coordinator_extend(tl_str *out, tl_arena *arena, tl_records *records,
                             const tl_keypair *key, tl_str certificate, tl_str epoch_id,
                             int64_t seconds, tl_str reason, tl_str actor, tl_str correlation,
                             int64_t now_ms, tl_errctx *ctx)
{
    extend_work work = {.records = records,
                        .arena = arena,
                        .key = key,
                        .e = {.epoch_id = epoch_id,
                              .seconds = seconds,
                              .reason = reason,
                              .certificate = certificate,
                              .at_ms = now_ms},
                        .actor = actor,
                        .correlation = correlation};
    if (seconds < 1 || seconds > SECONDS_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "seconds", "%lld is not 1 to %d",
                             (long long)seconds, SECONDS_MAX);
    }
    if (reason.len < 1 || reason.len > REASON_MAX || !tl_str_is_utf8(reason)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "reason",
                             "a reason of 1 to %d characters is wanted", REASON_MAX);
    }
    (void)tl_ss58_encode(work.e.ss58, tl_keypair_public(key), SS58_PREFIX);
    TL_TRY(tl_sql_transact(tl_records_sql(records), extend, &work, ctx));
    *out = work.json;
    return TL_OK;
}
