/* read.c: an epoch from three JSON trees. Types, ranges and limits are checked here; that there is one form only is road.c's
 * question, which writes all of it again (LROAD-1). */
#include <string.h>

#include "core/codec/hex/hex.h"
#include "core/subnet/listings/listings_internal.h"

#define EPOCH_ID_MAX 31 /* bytes, as in the ledger */

/* --- members --- */

static tl_err read_hotkey(tl_hotkey *out, const tl_json *item, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, "hotkey", ctx));
    const tl_err err = tl_ss58_decode(out, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "hotkey");
    }
    return err;
}

static tl_err read_rao(tl_rao *out, const tl_json *item, const char *key, tl_errctx *ctx)
{
    int64_t rao = 0;
    TL_TRY(tl_json_want_i64(&rao, item, key, ctx));
    if (rao < 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%lld is below 0", (long long)rao);
    }
    *out = tl_rao_from_i64(rao);
    return TL_OK;
}

static tl_err read_u32(uint32_t *out, const tl_json *item, const char *key, uint32_t max,
                       tl_errctx *ctx)
{
    uint64_t value = 0;
    TL_TRY(tl_json_want_u64(&value, item, key, ctx));
    if (value > max) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "%llu, above %u", (unsigned long long)value,
                             max);
    }
    *out = (uint32_t)value;
    return TL_OK;
}

static tl_err read_hash(tl_hash32 *out, const tl_json *item, const char *key, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, key, ctx));
    const tl_err err = tl_hex_decode(out->b, sizeof out->b, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "%s", key);
    }
    return err;
}

static tl_err read_zipcode(char out[6], const tl_json *item, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, item, "zipcode", ctx));
    if (!tl_zipcode_is_valid(text)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "zipcode", "is not five digits");
    }
    memcpy(out, text.ptr, 5);
    out[5] = '\0';
    return TL_OK;
}

/* --- items --- */

static tl_err read_one_zipcode(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_race_zipcode *z = (tl_race_zipcode *)out;
    TL_TRY(read_u32(&z->expected, item, "expected", UINT32_MAX, ctx));
    TL_TRY(tl_json_want_bool(&z->is_honeypot, item, "is_honeypot", ctx));
    return read_zipcode(z->zipcode, item, ctx);
}

static tl_err read_one_sheet(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    tl_race_sheet *s = (tl_race_sheet *)out;
    const tl_json *sheet = NULL;
    TL_TRY(tl_json_want(&sheet, item, "sheet", TL_JSON_OBJECT, ctx));
    const tl_err err = tl_sheet_read(&s->sheet, arena, sheet, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "sheet");
        return err;
    }
    return read_zipcode(s->zipcode, item, ctx);
}

static tl_err read_one_held(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_race_held *h = (tl_race_held *)out;
    TL_TRY(read_rao(&h->amount, item, "amount_rao", ctx));
    TL_TRY(tl_json_want_str(&h->epoch_id, item, "epoch_id", ctx));
    return read_hotkey(&h->hotkey, item, ctx);
}

static tl_err read_one_strike(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_race_strike *s = (tl_race_strike *)out;
    TL_TRY(read_u32(&s->count, item, "count", UINT32_MAX, ctx));
    if (s->count == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "count", "is 0");
    }
    return read_hotkey(&s->hotkey, item, ctx);
}

static tl_err read_one_contribution(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_contribution *c = (tl_contribution *)out;
    TL_TRY(read_hotkey(&c->hotkey, item, ctx));
    TL_TRY(tl_json_want_str(&c->secret, item, "secret", ctx));
    if (!tl_secret_is_valid(c->secret)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "secret", "is no secret");
    }
    return TL_OK;
}

static tl_err read_one_validator(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_race_validator *v = (tl_race_validator *)out;
    TL_TRY(read_hotkey(&v->hotkey, item, ctx));
    return read_rao(&v->stake, item, "stake_rao", ctx);
}

static tl_err read_one_weight(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    (void)arena;
    tl_race_weight *w = (tl_race_weight *)out;
    const tl_json *hotkey = tl_json_get(item, "hotkey");
    uint32_t weight = 0;
    if (hotkey == NULL || hotkey->kind != TL_JSON_NULL) { /* null is the burn: zeros */
        TL_TRY(read_hotkey(&w->hotkey, item, ctx));
    }
    TL_TRY(read_u32(&weight, item, "weight_u16", UINT16_MAX, ctx));
    w->weight_u16 = (uint16_t)weight;
    return TL_OK;
}

/* --- lists --- */

typedef tl_err (*read_one)(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx);

static tl_err read_items(void **out, size_t *count, tl_arena *arena, const tl_json *list,
                         const char *name, size_t max, size_t size, read_one read, tl_errctx *ctx)
{
    if (list->count > max) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, name, "%u of them, above %zu", list->count, max);
    }
    char *items = (char *)tl_arena_alloc(arena, list->count, size, _Alignof(max_align_t));
    if (items == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const tl_err err = read(items + i * size, arena, &list->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "%s[%u]", name, i);
            return err;
        }
    }
    *out = items;
    *count = list->count;
    return TL_OK;
}

static tl_err read_list(void **out, size_t *count, tl_arena *arena, const tl_json *object,
                        const char *name, size_t max, size_t size, read_one read, tl_errctx *ctx)
{
    const tl_json *list = NULL;
    TL_TRY(tl_json_want(&list, object, name, TL_JSON_ARRAY, ctx));
    return read_items(out, count, arena, list, name, max, size, read, ctx);
}

static tl_err read_one_ballot(void *out, tl_arena *arena, const tl_json *item, tl_errctx *ctx)
{
    tl_listings_ballot *b = (tl_listings_ballot *)out;
    const tl_json *roots = NULL;
    b->ballot.has_result = true;
    TL_TRY(read_hotkey(&b->ballot.hotkey, item, ctx));
    TL_TRY(tl_json_want(&roots, item, "roots", TL_JSON_OBJECT, ctx));
    TL_TRY(read_hash(&b->ballot.roots.evidence, roots, "evidence", ctx));
    TL_TRY(read_hash(&b->ballot.roots.hash, roots, "hash", ctx));
    TL_TRY(read_hash(&b->ballot.roots.score, roots, "score", ctx));
    TL_TRY(read_hash(&b->ballot.roots.weight, roots, "weight", ctx));
    const tl_json *weights = tl_json_get(item, "weights");
    if (weights != NULL && weights->kind == TL_JSON_NULL) {
        return TL_OK;
    }
    void *list = NULL;
    TL_TRY(read_list(&list, &b->weight_count, arena, item, "weights", TL_RACE_HELD_MAX,
                     sizeof(tl_race_weight), read_one_weight, ctx));
    b->weights = (const tl_race_weight *)list;
    return TL_OK;
}

/* --- sections --- */

static tl_err read_times(tl_race_input *race, const tl_json *inputs, tl_errctx *ctx)
{
    int64_t start = 0;
    TL_TRY(tl_json_want_str(&race->epoch_id, inputs, "epoch_id", ctx));
    TL_TRY(tl_json_want_i64(&race->start_ms, inputs, "start_ms", ctx));
    TL_TRY(tl_json_want_i64(&race->deadline_ms, inputs, "deadline_ms", ctx));
    const tl_err err = tl_slot_parse(&start, race->epoch_id, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "epoch_id");
        return err;
    }
    if (start != race->start_ms || race->deadline_ms <= start ||
        race->deadline_ms >= TL_SLOT_MS_CEILING) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "deadline_ms",
                             "an epoch starts when its id says, and ends later");
    }
    return TL_OK;
}

static bool is_beacon(tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return text.len == TL_BEACON_LEN;
}

static tl_err read_secrets(tl_listings_epoch *out, tl_arena *arena, const tl_json *inputs,
                           tl_errctx *ctx)
{
    TL_TRY(tl_json_want_str(&out->race.nonce, inputs, "nonce", ctx));
    TL_TRY(tl_json_want_str(&out->race.beacon, inputs, "beacon", ctx));
    if (!tl_nonce_is_valid(out->race.nonce)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "nonce", "is no nonce");
    }
    if (!is_beacon(out->race.beacon)) {
        return tl_fail_field(ctx, TL_ERR_SYNTAX, "beacon", "is no beacon");
    }
    void *list = NULL;
    TL_TRY(read_list(&list, &out->contribution_count, arena, inputs, "contributions",
                     TL__SECRETS_MAX, sizeof(tl_contribution), read_one_contribution, ctx));
    out->contributions = (const tl_contribution *)list;
    return TL_OK;
}

static tl_err read_inputs(tl_listings_epoch *out, tl_arena *arena, const tl_json *inputs,
                          tl_errctx *ctx)
{
    tl_race_input *race = &out->race;
    void *list = NULL;
    TL_TRY(read_times(race, inputs, ctx));
    TL_TRY(read_secrets(out, arena, inputs, ctx));
    TL_TRY(read_u32(&out->round, inputs, "round", 2, ctx));
    if (out->round == 0) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "round", "is 0");
    }
    TL_TRY(read_list(&list, &race->zipcode_count, arena, inputs, "zipcodes", TL_RACE_ZIPCODES_MAX,
                     sizeof(tl_race_zipcode), read_one_zipcode, ctx));
    race->zipcodes = (const tl_race_zipcode *)list;
    TL_TRY(read_list(&list, &race->sheet_count, arena, inputs, "submissions", TL_RACE_SHEETS_MAX,
                     sizeof(tl_race_sheet), read_one_sheet, ctx));
    race->sheets = (const tl_race_sheet *)list;
    TL_TRY(read_list(&list, &race->held_count, arena, inputs, "held", TL_RACE_HELD_MAX,
                     sizeof(tl_race_held), read_one_held, ctx));
    race->held = (const tl_race_held *)list;
    TL_TRY(read_list(&list, &race->strike_count, arena, inputs, "strikes", TL_RACE_HELD_MAX,
                     sizeof(tl_race_strike), read_one_strike, ctx));
    race->strikes = (const tl_race_strike *)list;
    return TL_OK;
}

/* What validator v of the evidence says, if it gave any; the two lists have one order. */
static tl_err read_document(tl_race_validator *io, tl_arena *arena, const tl_json *item,
                            tl_errctx *ctx)
{
    tl_hotkey twin;
    TL_TRY(read_hotkey(&twin, item, ctx));
    if (!tl_hotkey_eq(&twin, &io->hotkey)) {
        return tl_fail_field(ctx, TL_ERR_CANONICAL, "hotkey", "the documents are those of others");
    }
    const tl_json *document = tl_json_get(item, "document");
    if (document != NULL && document->kind == TL_JSON_NULL) {
        return TL_OK;
    }
    tl_evidence *evidence = TL_NEW(arena, tl_evidence, 1);
    if (evidence == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_json_want(&document, item, "document", TL_JSON_OBJECT, ctx));
    const tl_err err = tl_evidence_read(evidence, arena, document, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "document");
        return err;
    }
    io->evidence = evidence;
    return TL_OK;
}

static tl_err read_validators(tl_listings_epoch *out, tl_arena *arena, const tl_json *inputs,
                              const tl_json *evidence, tl_errctx *ctx)
{
    void *list = NULL;
    const tl_json *documents = NULL;
    TL_TRY(read_list(&list, &out->race.validator_count, arena, inputs, "validators",
                     TL_RACE_VALIDATORS_MAX, sizeof(tl_race_validator), read_one_validator, ctx));
    tl_race_validator *validators = (tl_race_validator *)list;
    TL_TRY(tl_json_want(&documents, evidence, "validators", TL_JSON_ARRAY, ctx));
    if (documents->count != out->race.validator_count) {
        return tl_fail_field(ctx, TL_ERR_RANGE, "validators",
                             "%zu validators with %u places for evidence",
                             out->race.validator_count, documents->count);
    }
    for (uint32_t i = 0; i < documents->count; i++) {
        const tl_err err = read_document(&validators[i], arena, &documents->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "validators[%u]", i);
            return err;
        }
    }
    out->race.validators = validators;
    TL_TRY(read_list(&list, &out->ballot_count, arena, evidence, "ballots", TL_RACE_VALIDATORS_MAX,
                     sizeof(tl_listings_ballot), read_one_ballot, ctx));
    out->ballots = (const tl_listings_ballot *)list;
    return TL_OK;
}

static tl_err read_params(tl_listings_epoch *out, tl_arena *arena, const tl_json *parameters,
                          tl_errctx *ctx)
{
    const tl_json *versions = NULL;
    const tl_json *subnet = NULL;
    uint64_t version = 0;
    TL_TRY(tl_json_want(&versions, parameters, "versions", TL_JSON_OBJECT, ctx));
    TL_TRY(tl_json_want_u64(&version, versions, "subnet_version", ctx));
    if (version != TL__LISTINGS_VERSION) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "versions.subnet_version",
                             "made by rules %llu, not %d", (unsigned long long)version,
                             TL__LISTINGS_VERSION);
    }
    TL_TRY(tl_json_want(&subnet, parameters, "subnet", TL_JSON_OBJECT, ctx));
    tl_listings_params *params = TL_NEW(arena, tl_listings_params, 1);
    if (params == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    TL_TRY(tl_listings_params_read(params, subnet, ctx));
    out->race.params = params;
    return TL_OK;
}

tl_err tl__listings_read(tl_listings_epoch *out, tl_arena *arena, const tl_json *inputs,
                         const tl_json *evidence, const tl_json *parameters, tl_errctx *ctx)
{
    tl_listings_epoch epoch = {0};
    TL_TRY(read_params(&epoch, arena, parameters, ctx));
    TL_TRY(read_inputs(&epoch, arena, inputs, ctx));
    TL_TRY(read_validators(&epoch, arena, inputs, evidence, ctx));
    for (size_t i = 0; i < epoch.race.held_count; i++) {
        if (epoch.race.held[i].epoch_id.len > EPOCH_ID_MAX) {
            return tl_fail_field(ctx, TL_ERR_RANGE, "held", "an epoch's id is too long");
        }
    }
    *out = epoch;
    return TL_OK;
}
