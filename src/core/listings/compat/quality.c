/* Tier 2: each listing is judged by its own values, one after the other; only distinct keys are remembered.
 *
 * The October program goes through all listings for each of four questions, so of two exceptions the one that an
 * earlier question meets is raised, whichever listing comes first; November's goes through them once. */
#include "core/listings/compat/compat_internal.h"

#include <string.h>

#include "core/crypto/hash/hash.h"

#define COUNT_MAX    (UINT64_C(1) << 32)
#define SEEN_CAP_MIN 64 /* slots; a power of two */

/* The largest whole numbers and doubles inside, both ends. */
#define PRICE_MIN 10000
#define PRICE_MAX 50000000
#define ROOMS_MAX 20
#define SQFT_MIN  100
#define SQFT_MAX  100000

tl_err tl_compat_listing_read(tl_compat_listing *out, const tl_json *object, tl_errctx *ctx)
{
    if (object == NULL || object->kind != TL_JSON_OBJECT) {
        return tl_fail(ctx, TL_ERR_TYPE, "a listing is an object");
    }
    *out = (tl_compat_listing){0};
    for (size_t f = 0; f < TL_COMPAT_FIELDS; f++) {
        const char *key = tl_listing_field_key((tl_listing_field)f);
        out->field[f] = tl_py_of_json(tl_json_get(object, key));
    }
    return TL_OK;
}

void tl_compat_quality_init(tl_compat_quality *quality, tl_arena *arena,
                            const tl_compat_quality_options *options)
{
    *quality = (tl_compat_quality){.options = *options, .arena = arena};
}

/* --- complete --- */

static bool is_present(tl_py_value value)
{
    return value.kind != TL_PY_MISSING && value.kind != TL_PY_NONE;
}

static bool is_complete_october(const tl_compat_listing *listing)
{
    for (size_t f = 0; f < TL_LISTING_FIELDS_ASKED; f++) {
        if (!is_present(listing->field[f]) || tl_py_is_blank(listing->field[f])) {
            return false;
        }
    }
    return true;
}

static bool is_complete_november(const tl_compat_listing *listing)
{
    return is_present(listing->field[TL_FIELD_ZPID]) &&
           is_present(listing->field[TL_FIELD_ADDRESS]) &&
           is_present(listing->field[TL_FIELD_PRICE]) &&
           is_present(listing->field[TL_FIELD_PROPERTY_TYPE]) &&
           is_present(listing->field[TL_FIELD_LISTING_STATUS]);
}

/* --- reasonable --- */

/* A program that catches ValueError and TypeError takes them for unreasonable; any other ends it. */
static bool is_caught(tl_py_error error, tl_py_error *raised)
{
    if (error != TL_PY_OK && error != TL_PY_ValueError && error != TL_PY_TypeError &&
        *raised == TL_PY_OK) {
        *raised = error;
    }
    return error != TL_PY_OK;
}

/* Not judged when it is not there; nan is in no range. */
static bool float_is_within(tl_py_value value, double low, double high, tl_py_error *raised)
{
    double number;
    return !is_present(value) ||
           (!is_caught(tl_py_float(&number, value), raised) && low <= number && number <= high);
}

static bool int_is_within(tl_py_value value, int64_t low, int64_t high, tl_py_error *raised)
{
    int64_t number;
    return !is_present(value) ||
           (!is_caught(tl_py_int(&number, value), raised) && low <= number && number <= high);
}

static bool is_reasonable_october(const tl_compat_listing *listing, tl_py_error *raised)
{
    const tl_py_value *const f = listing->field;
    bool is_reasonable = float_is_within(f[TL_FIELD_PRICE], PRICE_MIN, PRICE_MAX, raised);
    is_reasonable &= int_is_within(f[TL_FIELD_BEDROOMS], 0, ROOMS_MAX, raised);
    is_reasonable &= float_is_within(f[TL_FIELD_BATHROOMS], 0, ROOMS_MAX, raised);
    is_reasonable &= int_is_within(f[TL_FIELD_SQFT], SQFT_MIN, SQFT_MAX, raised);
    return is_reasonable;
}

static bool is_reasonable_november(const tl_compat_listing *listing, tl_py_error *raised)
{
    const tl_py_value *const f = listing->field;
    bool is_reasonable = !tl_py_truth(f[TL_FIELD_PRICE]) ||
                         int_is_within(f[TL_FIELD_PRICE], PRICE_MIN, PRICE_MAX, raised);
    is_reasonable &= int_is_within(f[TL_FIELD_BEDROOMS], 0, ROOMS_MAX, raised);
    is_reasonable &= float_is_within(f[TL_FIELD_BATHROOMS], 0, ROOMS_MAX, raised);
    return is_reasonable;
}

/* --- consistent --- */

/* Nothing there, 0, "" and false are not looked at; what is no text has no replace(). */
static bool is_time(tl_py_value value, tl_py_time *time, bool *is_asked, tl_py_error *raised)
{
    *is_asked = tl_py_truth(value);
    if (*is_asked && value.kind != TL_PY_STR) {
        *raised = *raised == TL_PY_OK ? TL_PY_AttributeError : *raised;
        return false;
    }
    return !*is_asked || tl_py_fromisoformat_z(time, value.text);
}

static int64_t floor_days(int64_t micros)
{
    return micros / TL_PY_DAY_US - (micros % TL_PY_DAY_US < 0 ? 1 : 0);
}

static bool is_consistent(const tl_compat_listing *listing, int64_t now_us, tl_py_error *raised)
{
    tl_py_time time = {0};
    bool is_asked;
    const tl_py_value zipcode = listing->field[TL_FIELD_ZIPCODE];
    if (tl_py_truth(zipcode) && zipcode.kind != TL_PY_STR && *raised == TL_PY_OK) {
        *raised =
            TL_PY_TypeError; /* it is looked for in the address, to no end: only text can be */
    }
    const bool is_listed = is_time(listing->field[TL_FIELD_LISTING_DATE], &time, &is_asked, raised);
    if (!is_time(listing->field[TL_FIELD_SCRAPED_TIMESTAMP], &time, &is_asked, raised)) {
        return false;
    }
    return is_listed && (!is_asked || (time.has_zone && floor_days(now_us - time.utc_us) <= 1));
}

/* --- distinct --- */

/* Lower case goes to the hash in pieces; ASCII, which is nearly all, without a call a character. */
static void hash_lower(tl_sha256_state *state, tl_str text)
{
    char buffer[256 + TL_PY_LOWER_CAP];
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        const char c = text.ptr[at];
        if ((uint8_t)c < 0x80) {
            buffer[len++] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
            at++;
        } else {
            len += tl_py_lower_next(buffer + len, text, &at);
        }
        if (len >= 256) {
            tl_sha256_update(state, buffer, len);
            len = 0;
        }
    }
    tl_sha256_update(state, buffer, len);
}

/* The first 128 bits of the SHA-256 of "address:price". */
static tl_err key_of(uint64_t key[2], const tl_compat_listing *listing, tl_arena *arena,
                     tl_errctx *ctx)
{
    char buffer[TL_F64_TEXT_CAP];
    tl_str price;
    tl_sha256_state state;
    tl_sha256_init(&state);
    hash_lower(&state, tl_py_strip(listing->field[TL_FIELD_ADDRESS].text));
    tl_sha256_update(&state, ":", 1);
    if (tl_py_str(&price, buffer, listing->field[TL_FIELD_PRICE])) {
        tl_sha256_update(&state, price.ptr, price.len);
    } else {
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_sb sb;
        tl_sb_init(&sb, arena);
        tl_py_str_put(&sb, listing->field[TL_FIELD_PRICE]);
        TL_TRY(tl_sb_finish(&price, &sb, ctx));
        tl_sha256_update(&state, price.ptr, price.len);
        tl_arena_rewind(arena, mark);
    }
    tl_hash32 digest;
    tl_sha256_final(&state, &digest);
    memcpy(key, digest.b, 16);
    return TL_OK;
}

/* Open addressing, never more than half full; a pair of zeros is a free slot. True when it was not there. */
static bool seen_put(uint64_t *seen, size_t cap, const uint64_t key[2])
{
    size_t at = (size_t)key[0] & (cap - 1);
    while ((seen[2 * at] | seen[2 * at + 1]) != 0) {
        if (seen[2 * at] == key[0] && seen[2 * at + 1] == key[1]) {
            return false;
        }
        at = (at + 1) & (cap - 1);
    }
    seen[2 * at] = key[0];
    seen[2 * at + 1] = key[1];
    return true;
}

static tl_err seen_grow(tl_compat_quality *quality, tl_errctx *ctx)
{
    const size_t cap = quality->seen_cap != 0 ? quality->seen_cap * 2 : SEEN_CAP_MIN;
    uint64_t *seen = TL_NEW(quality->arena, uint64_t, cap * 2);
    if (seen == NULL) {
        return tl_arena_fail(quality->arena, ctx);
    }
    for (size_t i = 0; i < quality->seen_cap; i++) {
        const uint64_t *const key = quality->seen + 2 * i;
        if ((key[0] | key[1]) != 0) {
            (void)seen_put(seen, cap, key);
        }
    }
    quality->seen = seen;
    quality->seen_cap = cap;
    return TL_OK;
}

static tl_err add_key(tl_compat_quality *quality, const tl_compat_listing *listing, tl_errctx *ctx)
{
    const tl_py_kind kind = listing->field[TL_FIELD_ADDRESS].kind;
    if (kind != TL_PY_STR && kind != TL_PY_MISSING) { /* None and numbers have no strip() */
        quality->error_duplicate = TL_PY_AttributeError;
        return TL_OK;
    }
    uint64_t key[2];
    if (quality->seen_count * 2 >= quality->seen_cap) {
        TL_TRY(seen_grow(quality, ctx));
    }
    TL_TRY(key_of(key, listing, quality->arena, ctx));
    if ((key[0] | key[1]) == 0) {
        quality->seen_count += quality->has_zero ? 0 : 1;
        quality->has_zero = true;
    } else {
        quality->seen_count += seen_put(quality->seen, quality->seen_cap, key) ? 1 : 0;
    }
    return TL_OK;
}

/* --- in the epoch --- */

/* Whether a value is one of a set of texts: only text can be, and a list or a dict cannot be asked (TypeError). */
static bool is_in_epoch(const tl_compat_quality *quality, const tl_compat_listing *listing,
                        tl_py_error *raised)
{
    tl_py_value zipcode = listing->field[TL_FIELD_ZIPCODE];
    const tl_py_value address = listing->field[TL_FIELD_ADDRESS];
    tl_py_error error = TL_PY_OK;
    if (!tl_py_truth(zipcode)) {
        if (address.kind != TL_PY_STR && address.kind != TL_PY_MISSING) {
            error = TL_PY_TypeError; /* re.search wants text */
        }
        zipcode = (tl_py_value){.kind = TL_PY_STR};
        if (!tl_py_find_zipcode(&zipcode.text, address.text)) {
            zipcode.kind = TL_PY_NONE;
        }
    } else if (zipcode.kind == TL_PY_LIST || zipcode.kind == TL_PY_DICT) {
        error = TL_PY_TypeError;
    }
    if (error != TL_PY_OK) {
        *raised = *raised == TL_PY_OK ? error : *raised;
        return false;
    }
    for (size_t i = 0; zipcode.kind == TL_PY_STR && i < quality->options.zipcode_count; i++) {
        if (tl_str_eq(zipcode.text, quality->options.zipcodes[i])) {
            return true;
        }
    }
    return false;
}

/* --- all of it --- */

static tl_err add_october(tl_compat_quality *quality, const tl_compat_listing *listing,
                          tl_errctx *ctx)
{
    quality->complete += is_complete_october(listing) ? 1 : 0;
    quality->reasonable += is_reasonable_october(listing, &quality->error_reasonable) ? 1 : 0;
    quality->consistent +=
        is_consistent(listing, quality->options.now_us, &quality->error_consistent) ? 1 : 0;
    return add_key(quality, listing, ctx);
}

static void add_november(tl_compat_quality *quality, const tl_compat_listing *listing)
{
    if (is_complete_november(listing)) {
        quality->complete++;
        quality->reasonable += is_reasonable_november(listing, &quality->error_reasonable) ? 1 : 0;
    }
    if (quality->options.has_zipcodes) {
        quality->compliant += is_in_epoch(quality, listing, &quality->error_reasonable) ? 1 : 0;
    }
}

tl_err tl_compat_quality_add(tl_compat_quality *quality, const tl_compat_listing *listing,
                             tl_errctx *ctx)
{
    if (quality->count == COUNT_MAX) {
        return tl_fail(ctx, TL_ERR_LIMIT, "more than %llu listings", (unsigned long long)COUNT_MAX);
    }
    quality->count++;
    if (tl__compat_is_november(quality->options.code)) {
        add_november(quality, listing);
        return TL_OK;
    }
    return add_october(quality, listing, ctx);
}

static tl_py_error first_error(const tl_compat_quality *quality)
{
    return quality->error_reasonable != TL_PY_OK   ? quality->error_reasonable
           : quality->error_consistent != TL_PY_OK ? quality->error_consistent
                                                   : quality->error_duplicate;
}

void tl_compat_quality_finish(tl_compat_rates *out, const tl_compat_quality *quality)
{
    *out = (tl_compat_rates){.count = quality->count, .error = first_error(quality)};
    if (quality->count == 0 || out->error != TL_PY_OK) {
        return;
    }
    const double n = (double)quality->count;
    const double complete_min = tl__compat_completeness_min(quality->options.code);
    out->field_completeness = (double)quality->complete / n;
    out->reasonable_values = (double)quality->reasonable / n;
    if (tl__compat_is_november(quality->options.code)) {
        const bool has_set = quality->options.has_zipcodes && quality->options.zipcode_count != 0;
        out->epoch_compliance = has_set ? (double)quality->compliant / n : 1;
        out->passes = out->field_completeness >= complete_min && out->reasonable_values >= 0.80 &&
                      out->epoch_compliance >= 0.60;
        return;
    }
    out->data_consistency = (double)quality->consistent / n;
    out->duplicate_rate = (double)(quality->count - quality->seen_count) / n;
    out->passes = out->field_completeness >= complete_min && out->reasonable_values >= 0.95 &&
                  out->data_consistency >= 0.90 && out->duplicate_rate <= 0.05;
}

tl_err tl_compat_quality_run(tl_compat_rates *out, const tl_json *listings,
                             const tl_compat_quality_options *options, tl_arena *scratch,
                             tl_errctx *ctx)
{
    if (listings == NULL || listings->kind != TL_JSON_ARRAY) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "listings", "listings are an array");
    }
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    tl_compat_quality quality;
    tl_compat_quality_init(&quality, scratch, options);
    tl_err err = TL_OK;
    for (uint32_t i = 0; i < listings->count && err == TL_OK; i++) {
        tl_compat_listing listing;
        err = tl_compat_listing_read(&listing, &listings->items[i], ctx);
        if (err == TL_OK) {
            err = tl_compat_quality_add(&quality, &listing, ctx);
        }
        if (err != TL_OK) {
            tl_errctx_under(ctx, "listings[%u]", i);
        }
    }
    if (err == TL_OK) {
        tl_compat_quality_finish(out, &quality);
    }
    tl_arena_rewind(scratch, mark);
    return err;
}
