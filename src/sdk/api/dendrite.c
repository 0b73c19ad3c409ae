/* The client: queries and their replies. */
#include "sdk/dendrite/dendrite.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/api/api_internal.h"

struct tally_dendrite {
    tl_dendrite *dendrite;
};

struct tally_replies {
    tl_arena *arena;
    size_t count;
    tl_dendrite_target *targets;
    tl_dendrite_reply *at;
    const char **messages;
};

int tally_dendrite_new(tally_dendrite **out, const tally_key *key, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    const tl_dendrite_options options = {.key = key->pair};
    tally_dendrite *const dendrite = (tally_dendrite *)malloc(sizeof *dendrite);
    if (dendrite == NULL) {
        return tl__api_fail(error, TL_ERR_NOMEM, "", "out of memory");
    }
    const tl_err err = tl_dendrite_new(&dendrite->dendrite, &options, &ctx);
    if (err != TL_OK) {
        free(dendrite);
        return tl__api_error(err, &ctx, error);
    }
    *out = dendrite; /* API-2 */
    return TALLY_OK;
}

void tally_dendrite_free(tally_dendrite *dendrite)
{
    if (dendrite != NULL) {
        tl_dendrite_free(dendrite->dendrite);
        free(dendrite);
    }
}

/* --- what is asked --- */

static tl_err read_synapse(tl_dendrite_query *out, tl_arena *arena, const tally_query *given,
                           tl_errctx *ctx)
{
    if (given->synapses == NULL || given->synapse == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "synapse", "a v10 query names a synapse");
    }
    const tl_synapse_def *const def =
        tl_synapse_find(given->synapses->defs, tl_str_from_cstr(given->synapse));
    if (def == NULL) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "synapse", "the set has no \"%.64s\"",
                             given->synapse);
    }
    tl_str input = {NULL, 0};
    tl_synapse *synapse = NULL;
    TL_TRY(tl_synapse_new(&synapse, arena, def, ctx));
    TL_TRY(tl_str_copy(&input, arena, tl_str_from_cstr(given->input != NULL ? given->input : "{}"),
                       ctx));
    const tl_err err = tl_synapse_assign(synapse, arena, input, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "input");
    }
    out->synapse = synapse;
    return err;
}

static tl_err read_query(tl_dendrite_query *out, tl_arena *arena, const tally_query *query,
                         tl_errctx *ctx)
{
    tally_query given;
    memset(&given, 0, sizeof given);
    memset(out, 0, sizeof *out);
    if (query->size < offsetof(tally_query, synapses)) {
        return tl_fail_field(ctx, TL_ERR_USAGE, "size", "a query begins with TALLY_QUERY_INIT");
    }
    memcpy(&given, query, query->size < sizeof given ? query->size : sizeof given);
    const char *const protocol = given.protocol != NULL ? given.protocol : "v10";
    out->family = tl_auth_family_by_name(tl_str_from_cstr(protocol));
    if (out->family == NULL) {
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "protocol",
                             "\"%.40s\" is no protocol: v10, btauth, epistula", protocol);
    }
    out->timeout_s = given.timeout_s;
    out->retry =
        (tl_backoff){.retries_max = given.retries, .jitter_percent = TL_BACKOFF_JITTER_PERCENT};
    if (out->family->id == TL_AUTH_V10) {
        return read_synapse(out, arena, &given, ctx);
    }
    out->method = tl_str_from_cstr(given.method);
    out->target = tl_str_from_cstr(given.target);
    out->body = (tl_bytes){(const uint8_t *)given.body, given.body_len};
    return TL_OK;
}

static tl_err read_targets(tally_replies *replies, const char *const *targets, tl_errctx *ctx)
{
    for (size_t i = 0; i < replies->count; i++) {
        tl_str text = {NULL, 0};
        TL_TRY(tl_str_copy(&text, replies->arena, tl_str_from_cstr(targets[i]), ctx));
        const tl_err err = tl_dendrite_target_parse(&replies->targets[i], text, ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "targets[%zu]", i);
            return err;
        }
    }
    return TL_OK;
}

static tl_err keep_messages(tally_replies *replies, tl_errctx *ctx)
{
    for (size_t i = 0; i < replies->count; i++) {
        const tl_dendrite_reply *const reply = &replies->at[i];
        TL_TRY(tl_str_copy_cstr(&replies->messages[i], replies->arena,
                                reply->has_message ? reply->status_message : reply->error, ctx));
    }
    return TL_OK;
}

static tl_err ask(tally_replies **out, tl_arena *arena, tally_dendrite *dendrite,
                  const char *const *targets, size_t count, const tally_query *given,
                  tl_errctx *ctx)
{
    if (count > TL_DENDRITE_TARGETS_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "targets", "%zu targets, above %u", count,
                             TL_DENDRITE_TARGETS_MAX);
    }
    tally_replies *const replies = TL_NEW(arena, tally_replies, 1);
    if (replies == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    *replies = (tally_replies){.arena = arena,
                               .count = count,
                               .targets = TL_NEW(arena, tl_dendrite_target, count),
                               .at = TL_NEW(arena, tl_dendrite_reply, count),
                               .messages = TL_NEW(arena, const char *, count)};
    if (replies->targets == NULL || replies->at == NULL || replies->messages == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    tl_dendrite_query query;
    TL_TRY(read_query(&query, arena, given, ctx));
    TL_TRY(read_targets(replies, targets, ctx));
    TL_TRY(tl_dendrite_ask_all(dendrite->dendrite, arena, replies->at, replies->targets, count,
                               &query, ctx));
    TL_TRY(keep_messages(replies, ctx));
    *out = replies; /* API-2 */
    return TL_OK;
}

int tally_dendrite_ask(tally_dendrite *dendrite, tally_replies **out, const char *const *targets,
                       size_t count, const tally_query *query, tally_error *error)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_arena *arena = NULL;
    tl_err err = tl_arena_new(&arena, NULL, 0, NULL, &ctx);
    if (err == TL_OK) {
        err = ask(out, arena, dendrite, targets, count, query, &ctx);
    }
    if (err != TL_OK) {
        tl_arena_free(arena);
    }
    return tl__api_error(err, &ctx, error);
}

/* --- replies --- */

static const tl_dendrite_reply *at(const tally_replies *replies, size_t index)
{
    TL_ASSERT(index < replies->count);
    return &replies->at[index];
}

void tally_replies_free(tally_replies *replies)
{
    if (replies != NULL) {
        tl_arena_free(replies->arena); /* the replies themselves lie in it */
    }
}

size_t tally_replies_count(const tally_replies *replies)
{
    return replies->count;
}

bool tally_reply_is_ok(const tally_replies *replies, size_t index)
{
    return at(replies, index)->is_ok;
}

int tally_reply_status(const tally_replies *replies, size_t index)
{
    const tl_dendrite_reply *const reply = at(replies, index);
    const bool fits = reply->status_code >= 0 && reply->status_code <= INT32_MAX;
    return reply->has_status && fits ? (int)reply->status_code : 0;
}

const char *tally_reply_message(const tally_replies *replies, size_t index)
{
    TL_ASSERT(index < replies->count);
    return replies->messages[index];
}

double tally_reply_seconds(const tally_replies *replies, size_t index)
{
    const tl_dendrite_reply *const reply = at(replies, index);
    return reply->has_time ? reply->process_time_s : 0.0;
}

static const tl_value *find(const tally_replies *replies, size_t index, const char *field)
{
    const tl_dendrite_reply *const reply = at(replies, index);
    return reply->synapse != NULL ? tl_synapse_field_get(reply->synapse, tl_str_from_cstr(field))
                                  : NULL;
}

const char *tally_reply_json(const tally_replies *replies, size_t index, const char *field)
{
    const tl_value *const value = find(replies, index, field);
    return value != NULL ? tl__api_json(replies->arena, value) : NULL;
}

const char *tally_reply_text(const tally_replies *replies, size_t index, const char *field)
{
    const tl_value *const value = find(replies, index, field);
    return value != NULL && value->kind == TL_VALUE_STR ? tl__api_cstr(replies->arena, value->text)
                                                        : NULL;
}

int tally_reply_float(const tally_replies *replies, size_t index, const char *field, double *out)
{
    const tl_value *const value = find(replies, index, field);
    return value != NULL ? (int)tl_value_as_f64(out, value, field, NULL) : TALLY_ERR_UNKNOWN;
}

const uint8_t *tally_reply_body(const tally_replies *replies, size_t index, size_t *len)
{
    const tl_bytes body = at(replies, index)->body;
    *len = body.len;
    return body.ptr;
}
