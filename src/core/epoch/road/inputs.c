/* inputs.c: signals from JSON and back. */
#include "core/codec/hex/hex.h"
#include "core/epoch/commit/commit.h"
#include "core/epoch/road/road.h"
#include "core/num/stats/stats.h"

static tl_err read_hash(tl_hash32 *out, bool *is_given, const tl_json *signal, const char *key,
                        tl_errctx *ctx)
{
    const tl_json *member = tl_json_get(signal, key);
    *is_given = member != NULL && member->kind != TL_JSON_NULL;
    if (!*is_given) {
        return TL_OK;
    }
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_as_str(&text, member, key, ctx));
    if (text.len != 64 || tl_hex_decode(out->b, sizeof out->b, text, NULL) != TL_OK) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, key, "is not 64 hexadecimal digits");
    }
    return TL_OK;
}

static tl_err read_verdict(bool *out, const tl_json *signal, const char *key, tl_errctx *ctx)
{
    const tl_json *member = tl_json_get(signal, key);
    *out = true;
    return member != NULL ? tl_json_as_bool(out, member, key, ctx) : TL_OK;
}

static tl_err read_heights(tl_submission *out, const tl_json *signal, tl_errctx *ctx)
{
    TL_TRY(tl_json_want_u64(&out->commit_height, signal, "commit_height", ctx));
    const tl_json *reveal = tl_json_get(signal, "reveal_height");
    if (reveal == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "reveal_height", "is missing");
    }
    out->has_reveal = reveal->kind != TL_JSON_NULL;
    if (out->has_reveal) {
        TL_TRY(tl_json_as_u64(&out->reveal_height, reveal, "reveal_height", ctx));
    }
    if (out->commit_height > INT64_MAX || out->reveal_height > INT64_MAX) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "commit_height", "a height is above 2^63 - 1");
    }
    return TL_OK;
}

tl_err tl_road_submission_read(tl_submission *out, tl_arena *arena, const tl_subnet *subnet,
                               const tl_road_params *params, const tl_json *signal, tl_errctx *ctx)
{
    if (signal->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "a signal is no JSON object");
    }
    tl_submission s = {0};
    TL_TRY(tl_json_want_str(&s.hotkey_text, signal, "hotkey", ctx));
    s.has_hotkey = tl_ss58_decode(&s.hotkey, s.hotkey_text, NULL) == TL_OK;
    TL_TRY(tl_json_want_str(&s.epoch_id, signal, "epoch_id", ctx));
    s.has_span = tl_epoch_span_parse(&s.span, s.epoch_id, NULL) == TL_OK;
    int64_t ante = 0;
    TL_TRY(tl_json_want_i64(&ante, signal, "ante_rao", ctx));
    s.ante = tl_rao_from_i64(ante);
    TL_TRY(subnet->decode(&s, arena, signal, ctx));
    TL_TRY(read_heights(&s, signal, ctx));
    bool has_salt = false;
    bool has_commitment = false;
    TL_TRY(read_hash(&s.salt, &has_salt, signal, "salt", ctx));
    TL_TRY(read_hash(&s.commitment, &has_commitment, signal, "commitment", ctx));
    TL_TRY(read_verdict(&s.is_registered, signal, "registered", ctx));
    TL_TRY(read_verdict(&s.is_signature_valid, signal, "signature_valid", ctx));
    const tl_commit_scope scope = {tl_str_from_cstr(subnet->commit_domain), params->chain_id,
                                   params->netuid, s.epoch_id};
    tl_hash32 right;
    tl_commit_hash(&right, &scope, &s.hotkey, &s.body_hash, &s.salt);
    s.is_commitment_right = !has_commitment || tl_hash32_cmp(&right, &s.commitment) == 0;
    if (!has_commitment) {
        s.commitment = right;
    }
    *out = s;
    return TL_OK;
}

void tl_road_submission_put(tl_json_writer *w, const tl_subnet *subnet,
                            const tl_submission *submission)
{
    tl_json_put_object(w);
    tl_json_put_key(w, "ante_rao");
    tl_json_put_i64(w, tl_rao_to_i64(submission->ante));
    tl_json_put_key(w, "commit_height");
    tl_json_put_u64(w, submission->commit_height);
    tl_json_put_key(w, "commitment");
    tl_json_put_hex(w, submission->commitment.b, sizeof submission->commitment.b);
    tl_json_put_key(w, "epoch_id");
    tl_json_put_str(w, submission->epoch_id);
    tl_json_put_key(w, "hotkey");
    tl_json_put_str(w, submission->hotkey_text);
    subnet->encode(w, submission->body);
    tl_json_put_key(w, "registered");
    tl_json_put_bool(w, submission->is_registered);
    tl_json_put_key(w, "reveal_height");
    if (submission->has_reveal) {
        tl_json_put_u64(w, submission->reveal_height);
    } else {
        tl_json_put_null(w);
    }
    tl_json_put_key(w, "salt");
    tl_json_put_hex(w, submission->salt.b, sizeof submission->salt.b);
    tl_json_put_key(w, "signature_valid");
    tl_json_put_bool(w, submission->is_signature_valid);
    tl_json_put_end(w);
}

/* A submission with its canonical text, which decides between two that are otherwise equal. */
typedef struct sortable {
    tl_submission submission;
    tl_str text;
} sortable;

static int sortable_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    const sortable *x = (const sortable *)a;
    const sortable *y = (const sortable *)b;
    if (x->submission.commit_height != y->submission.commit_height) {
        return x->submission.commit_height < y->submission.commit_height ? -1 : 1;
    }
    const int by_commitment = tl_hash32_cmp(&x->submission.commitment, &y->submission.commitment);
    return by_commitment != 0 ? by_commitment : tl_str_cmp(x->text, y->text);
}

tl_err tl_road_submissions_sort(tl_submission *submissions, size_t count, const tl_subnet *subnet,
                                tl_arena *scratch, tl_errctx *ctx)
{
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    sortable *all = TL_NEW(scratch, sortable, count);
    if (all == NULL) {
        return tl_arena_fail(scratch, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        tl_sb sb;
        tl_sb_init(&sb, scratch);
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, true);
        tl_road_submission_put(&w, subnet, &submissions[i]);
        all[i].submission = submissions[i];
        TL_TRY(tl_sb_finish(&all[i].text, &sb, ctx));
    }
    TL_TRY(tl_sort(all, count, sizeof *all, sortable_cmp, NULL, scratch, ctx));
    for (size_t i = 0; i < count; i++) {
        submissions[i] = all[i].submission;
    }
    tl_arena_rewind(scratch, mark);
    return TL_OK;
}
