/* memo.c: a listing whose bytes were read before is not read again.
 *
 * The miners of a zipcode list the same houses, and from one source in the same words: what differs is when each read
 * them. A listing is known by its bytes, all but those between the quotes of its scraped_timestamp; it is looked for by a
 * hash of how it begins, and held against every byte. One JSON string in the place of another leaves all around it as it
 * was, so what is found needs no second scan (REC-4).
 *
 * Four places a hash; of five that want them the oldest is forgotten. When the memory is used up, all is forgotten; when
 * little is found, or memory is short, nothing is kept any more. */
#include <string.h>

#include "core/listings/record/record_internal.h"

#define LEN_MAX     ((size_t)32 << 20) /* of what is kept */
#define TEXT_MAX    ((size_t)16384)    /* longer listings are not kept */
#define PLACES_MAX  ((size_t)1 << 16)
#define BEGIN_BYTES ((size_t)128) /* that the hash looks at */
#define WAYS        ((size_t)4)
#define PATIENCE    4 /* places read in vain, before it is given up */

typedef struct known {
    tl_str text;
    size_t
        from; /* the value of scraped_timestamp, quotes outside; both text.len: it is as the rest */
    size_t to;
    tl_listing listing; /* texts in the memo's own memory */
    void *note;
} known;

typedef struct place {
    uint64_t hash;
    known *known;
} place;

struct tl_record_memo {
    tl_arena *arena; /* its own, a child of the caller's */
    tl_arena_mark bare;
    place *places;
    size_t mask;
    size_t note_len;
    size_t used;
    uint64_t found;
    uint64_t missed;
    bool is_off;
};

tl_err tl_record_memo_new(tl_record_memo **out, tl_arena *arena, uint32_t listings, size_t note_len,
                          tl_errctx *ctx)
{
    size_t places = 64;
    while (places < PLACES_MAX && places < (size_t)listings * 4) {
        places *= 2;
    }
    tl_record_memo *const memo = TL_NEW(arena, tl_record_memo, 1);
    if (memo == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    memo->note_len = note_len;
    memo->mask = places - 1;
    TL_TRY(tl_arena_new(&memo->arena, arena, 2 * LEN_MAX, NULL, ctx));
    memo->places = TL_NEW(memo->arena, place, places);
    if (memo->places == NULL) {
        return tl_arena_fail(memo->arena, ctx);
    }
    memo->bare = tl_arena_get_mark(memo->arena);
    *out = memo;
    return TL_OK;
}

/* Both halves of a product folded: what is stored under one hash is compared anyhow. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    const tl_u128 product =
        (tl_u128)(a ^ UINT64_C(0x6A09E667F3BCC908)) * (b ^ UINT64_C(0xBB67AE8584CAA73B));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* text has BEGIN_BYTES. Two chains, since a product waits for the one before. */
static uint64_t hash_begin(const char *text)
{
    uint64_t even = 0;
    uint64_t odd = 0;
    for (size_t i = 0; i < BEGIN_BYTES; i += 32) {
        even = mix(even ^ word_at(text + i), word_at(text + i + 8));
        odd = mix(odd ^ word_at(text + i + 16), word_at(text + i + 24));
    }
    return mix(even, odd);
}

/* How many bytes at p are this listing with another time, or 0. *scraped: what stands there. */
static size_t match(tl_str *scraped, const known *k, const char *p, size_t len)
{
    if (k == NULL || len < k->from || memcmp(p, k->text.ptr, k->from) != 0) {
        return 0;
    }
    size_t at = k->from;
    if (k->from < k->text.len) {
        tl__cursor c = {p + at - 1, p + len};
        tl__value value;
        if (!tl__scan_string(&c, &value) || value.has_escapes ||
            value.text.len > TL_RECORD_TEXT_MAX) {
            return 0;
        }
        *scraped = value.text;
        at += value.text.len;
    }
    const size_t rest = k->text.len - k->to;
    return len - at >= rest && memcmp(p + at, k->text.ptr + k->to, rest) == 0 ? at + rest : 0;
}

static place *places_of(const tl_record_memo *memo, uint64_t hash)
{
    return &memo->places[hash & memo->mask & ~(WAYS - 1)];
}

bool tl__memo_find(tl_listing_reader *r, tl_listing *out)
{
    tl_record_memo *const memo = r->memo;
    const size_t len = (size_t)(r->end - r->at);
    if (memo->is_off || len < BEGIN_BYTES) {
        return false;
    }
    const uint64_t hash = hash_begin(r->at);
    place *const places = places_of(memo, hash);
    for (size_t way = 0; way < WAYS; way++) {
        const place *const p = &places[way];
        tl_str scraped = {NULL, 0};
        const size_t read = p->hash == hash ? match(&scraped, p->known, r->at, len) : 0;
        if (read != 0) {
            *out = p->known->listing;
            if (p->known->from < p->known->text.len) {
                tl__listing_set_scraped(out, scraped);
            }
            r->note = p->known->note;
            r->at += read;
            memo->found++;
            return true;
        }
    }
    memo->missed++;
    memo->is_off = memo->missed > PATIENCE * memo->mask && memo->found < memo->missed;
    return false;
}

/* Texts of the listing: those in its bytes go along with them, those that were decoded are copied. */
static bool keep_text(tl_record_memo *memo, tl_str *text, tl_str from, const char *to)
{
    if (text->len == 0) {
        *text = TL_STR("");
        return true;
    }
    if (text->ptr >= from.ptr && text->ptr < from.ptr + from.len) {
        text->ptr = to + (text->ptr - from.ptr);
        return true;
    }
    memo->used += text->len;
    return tl_str_copy(text, memo->arena, *text, NULL) == TL_OK;
}

static known *keep(tl_record_memo *memo, tl_str text, const tl_listing *listing)
{
    known *const k = TL_NEW(memo->arena, known, 1);
    if (k == NULL || tl_str_copy(&k->text, memo->arena, text, NULL) != TL_OK) {
        return NULL;
    }
    k->note = tl_arena_alloc(memo->arena, 1, memo->note_len, _Alignof(uint64_t));
    k->listing = *listing;
    bool is_kept = k->note != NULL && keep_text(memo, &k->listing.address, text, k->text.ptr) &&
                   keep_text(memo, &k->listing.identity, text, k->text.ptr);
    for (size_t i = 0; is_kept && i < TL_LISTING_FIELD_COUNT; i++) {
        is_kept = keep_text(memo, &k->listing.text[i], text, k->text.ptr);
    }
    memo->used += sizeof *k + text.len + memo->note_len;
    return is_kept ? k : NULL;
}

void tl__memo_keep(tl_listing_reader *r, tl_str text, const tl__value *scraped,
                   const tl_listing *listing)
{
    tl_record_memo *const memo = r->memo;
    if (memo->is_off || text.len < BEGIN_BYTES || text.len > TEXT_MAX || text.ptr[0] != '{') {
        return; /* what is no object does not say where it ends */
    }
    if (memo->used > LEN_MAX) {
        tl_arena_rewind(memo->arena, memo->bare);
        memset(memo->places, 0, (memo->mask + 1) * sizeof *memo->places);
        memo->used = 0;
    }
    known *const k = keep(memo, text, listing);
    if (k == NULL) { /* the caller's memory is short: what remains is the caller's */
        memo->is_off = true;
        return;
    }
    const bool is_free = scraped->kind == TL__STRING && !scraped->has_escapes;
    k->from = is_free ? (size_t)(scraped->text.ptr - text.ptr) : text.len;
    k->to = k->from + (is_free ? scraped->text.len : 0);
    const uint64_t hash = hash_begin(text.ptr);
    place *const places = places_of(memo, hash);
    memmove(&places[1], &places[0], (WAYS - 1) * sizeof *places);
    places[0] = (place){hash, k};
    r->note = k->note;
}
