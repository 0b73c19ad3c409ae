/* Members that many answers have. */
#include "app/coordinator/coordinator_internal.h"
#include "core/codec/hex/hex.h"

enum { SS58_PREFIX = 42, MS_NS = 1000000 };

void tl__coordinator_put_time(tl_json_writer *w, const char *key, int64_t ms)
{
    char text[TL_TIME_TEXT_CAP];
    tl_json_put_key(w, key);
    if (ms <= 0) {
        tl_json_put_null(w);
        return;
    }
    tl_time_text(text, ms * MS_NS);
    tl_json_put_cstr(w, text);
}

void tl__coordinator_put_text(tl_json_writer *w, const char *key, tl_str text)
{
    tl_json_put_key(w, key);
    tl_json_put_str(w, text);
}

void tl__coordinator_put_text_or_null(tl_json_writer *w, const char *key, tl_str text)
{
    tl_json_put_key(w, key);
    if (text.len > 0) {
        tl_json_put_str(w, text);
    } else {
        tl_json_put_null(w);
    }
}

void tl__coordinator_put_number(tl_json_writer *w, const char *key, int64_t number)
{
    tl_json_put_key(w, key);
    tl_json_put_i64(w, number);
}

void tl__coordinator_put_bool(tl_json_writer *w, const char *key, bool value)
{
    tl_json_put_key(w, key);
    tl_json_put_bool(w, value);
}

void tl__coordinator_put_hotkey(tl_json_writer *w, const char *key, const tl_hotkey *hotkey)
{
    char ss58[TL_SS58_CAP];
    const size_t len = tl_ss58_encode(ss58, hotkey, SS58_PREFIX);
    tl__coordinator_put_text(w, key, (tl_str){ss58, len});
}

void tl__coordinator_put_hash(tl_json_writer *w, const char *key, const tl_hash32 *hash)
{
    tl_json_put_key(w, key);
    tl_json_put_hex(w, hash->b, sizeof hash->b);
}

/* What a miner may know of its zipcodes: which of them are honeypots is no part of it (COORD-1). */
void tl__coordinator_put_zipcodes(tl_json_writer *w, const char *key,
                                  const tl_record_assignment *zipcodes, size_t count)
{
    tl_json_put_key(w, key);
    tl_json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        const tl_record_assignment *z = &zipcodes[i];
        tl_json_put_object(w);
        tl__coordinator_put_text(w, "zipcode", z->zipcode);
        tl__coordinator_put_number(w, "expectedListings", z->expected);
        tl__coordinator_put_text(w, "state", z->state);
        tl__coordinator_put_text(w, "city", z->city);
        tl__coordinator_put_text(w, "county", z->county);
        tl__coordinator_put_text(w, "marketTier", tl_str_from_cstr(tl_market_tier_name(z->tier)));
        tl__coordinator_put_text(w, "geographicRegion",
                                 tl_str_from_cstr(tl_region_name(z->region)));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
}

tl_err tl__coordinator_want_hash(tl_hash32 *out, const tl_json *object, const char *key,
                                 tl_errctx *ctx)
{
    tl_str text;
    TL_TRY(tl_json_want_str(&text, object, key, ctx));
    return tl_hex_decode(out->b, sizeof out->b, text, NULL) == TL_OK
               ? TL_OK
               : tl_fail_field(ctx, TL_ERR_SYNTAX, key, "no 64 hex digits");
}

const char *tl__coordinator_status_word(tl_epoch_state state)
{
    switch (state) {
    case TL_EPOCH_PENDING:
        return "PENDING";
    case TL_EPOCH_OPEN:
    case TL_EPOCH_REVEAL:
    case TL_EPOCH_EXTENDED:
        return "ACTIVE";
    case TL_EPOCH_SCORING:
    case TL_EPOCH_AGREED:
    case TL_EPOCH_SETTLED:
    case TL_EPOCH_FAILED:
        return "COMPLETED";
    case TL_EPOCH_ARCHIVED:
    case TL_EPOCH_STATE_COUNT:
        break;
    }
    return "ARCHIVED";
}
