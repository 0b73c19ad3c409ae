#include "core/epoch/bundle/bundle.h"

#include <string.h>

#include "core/codec/canon/canon.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"
#include "core/epoch/bundle/bundle_internal.h"

#define FORMAT "tally-bundle/1"

static const char *const section_name[TL_BUNDLE_SECTIONS] = {"evidence", "inputs", "parameters",
                                                             "results"};

const char *tl_bundle_section_name(tl_bundle_section section)
{
    TL_ASSERT((unsigned)section < TL_BUNDLE_SECTIONS);
    return section_name[section];
}

/* --- digests --- */

void tl__bundle_hash_section(tl_hash32 *out, size_t section, tl_str text)
{
    static const char tag[] = "tally/bundle/1/";
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, tag, sizeof tag - 1);
    tl_sha256_update(&hash, section_name[section], strlen(section_name[section]) + 1);
    tl_sha256_update(&hash, text.ptr, text.len);
    tl_sha256_final(&hash, out);
}

void tl__bundle_hash_whole(tl_hash32 *out, const tl_hash32 digest[TL_BUNDLE_SECTIONS])
{
    static const char tag[] = "tally/bundle/1";
    tl_sha256_state hash;
    tl_sha256_init(&hash);
    tl_sha256_update(&hash, tag, sizeof tag);
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        tl_sha256_update(&hash, digest[i].b, sizeof digest[i].b);
    }
    tl_sha256_final(&hash, out);
}

/* --- writing --- */

static void put_hash(tl_json_writer *w, const char *key, const tl_hash32 *hash)
{
    tl_json_put_key(w, key);
    tl_json_put_hex(w, hash->b, sizeof hash->b);
}

static void put_digests(tl_json_writer *w, const tl_hash32 digest[TL_BUNDLE_SECTIONS],
                        const tl_hash32 *whole)
{
    tl_json_put_key(w, "digests");
    tl_json_put_object(w);
    put_hash(w, "bundle", whole);
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        put_hash(w, section_name[i], &digest[i]);
    }
    tl_json_put_end(w);
}

static void put_section(tl_json_writer *w, size_t section, tl_str text)
{
    tl_json_put_key(w, section_name[section]);
    tl_json_put_raw(w, text);
}

/* The one form of a file (BUN-1); keys ascend. */
static void put_file(tl_sb *sb, const tl_str sections[TL_BUNDLE_SECTIONS],
                     const tl_hash32 digest[TL_BUNDLE_SECTIONS], const tl_hash32 *whole)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, true);
    tl_json_put_object(&w);
    put_digests(&w, digest, whole);
    put_section(&w, TL_BUNDLE_EVIDENCE, sections[TL_BUNDLE_EVIDENCE]);
    tl_json_put_key(&w, "format");
    tl_json_put_cstr(&w, FORMAT);
    for (size_t i = TL_BUNDLE_INPUTS; i < TL_BUNDLE_SECTIONS; i++) {
        put_section(&w, i, sections[i]);
    }
    tl_json_put_key(&w, "signature");
    tl_json_put_null(&w);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    tl_sb_put_char(sb, '\n');
}

/* ROAD 8/8 publish: inputs, evidence, parameters and results become the epoch's bundle. Comes from core/epoch/road, goes
 * out to anyone: `tally epoch verify` needs nothing but this file. */
tl_err tl_bundle_publish(tl_str *out, tl_hash32 *digest, tl_arena *arena,
                         const tl_str sections[TL_BUNDLE_SECTIONS], tl_errctx *ctx)
{
    tl_hash32 digests[TL_BUNDLE_SECTIONS];
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        tl__bundle_hash_section(&digests[i], i, sections[i]);
    }
    tl_hash32 whole;
    tl__bundle_hash_whole(&whole, digests);
    tl_sb sb;
    tl_sb_init(&sb, arena);
    put_file(&sb, sections, digests, &whole);
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &sb, ctx));
    *out = text;
    *digest = whole;
    return TL_OK;
}

/* --- reading --- */

static tl_err canonical_of(tl_str *out, tl_arena *arena, const tl_json *tree, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    TL_TRY(tl_canon_json(&sb, tree, arena, ctx));
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err read_sections(tl_bundle *out, tl_arena *arena, const tl_json *file, tl_errctx *ctx)
{
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        TL_TRY(tl_json_want(&out->tree[i], file, section_name[i], TL_JSON_OBJECT, ctx));
        TL_TRY(canonical_of(&out->text[i], arena, out->tree[i], ctx));
    }
    return TL_OK;
}

static tl_err read_hash(tl_hash32 *out, const tl_json *digests, const char *key, tl_errctx *ctx)
{
    tl_str text = {NULL, 0};
    TL_TRY(tl_json_want_str(&text, digests, key, ctx));
    const tl_err err = tl_hex_decode(out->b, sizeof out->b, text, ctx);
    if (err != TL_OK) {
        tl_errctx_under(ctx, "digests.%s", key);
    }
    return err;
}

static tl_err refuse_members_beyond(const tl_json *object, uint32_t count, const char *what,
                                    tl_errctx *ctx)
{
    if (object->count != count) {
        return tl_fail(ctx, TL_ERR_UNKNOWN, "%s has %u members, not %u", what, object->count,
                       count);
    }
    return TL_OK;
}

tl_err tl_bundle_read(tl_bundle *out, tl_arena *arena, tl_str bytes, tl_errctx *ctx)
{
    const tl_json *file = NULL;
    TL_TRY(tl_json_parse(&file, arena, bytes, NULL, ctx));
    tl_str format = {NULL, 0};
    TL_TRY(tl_json_want_str(&format, file, "format", ctx));
    if (!tl_str_eq_cstr(format, FORMAT)) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "format", "\"%.*s\" is not %s",
                             TL_STR_ARG(tl_str_slice(format, 0, 40)), FORMAT);
    }
    tl_bundle b = {0};
    TL_TRY(read_sections(&b, arena, file, ctx));
    const tl_json *digests = NULL;
    TL_TRY(tl_json_want(&digests, file, "digests", TL_JSON_OBJECT, ctx));
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        TL_TRY(read_hash(&b.digest[i], digests, section_name[i], ctx));
    }
    TL_TRY(read_hash(&b.whole, digests, "bundle", ctx));
    TL_TRY(refuse_members_beyond(digests, TL_BUNDLE_SECTIONS + 1, "digests", ctx));
    TL_TRY(refuse_members_beyond(file, TL_BUNDLE_SECTIONS + 3, "the bundle", ctx));
    tl_sb again;
    tl_sb_init(&again, arena);
    put_file(&again, b.text, b.digest, &b.whole);
    tl_str text = {NULL, 0};
    TL_TRY(tl_sb_finish(&text, &again, ctx));
    if (!tl_str_eq(text, bytes)) { /* BUN-1, BUN-2 */
        return tl_fail(ctx, TL_ERR_CANONICAL, "is not in canonical form");
    }
    *out = b;
    return TL_OK;
}

/* --- export and pack --- */

tl_err tl_bundle_export(tl_str *out, tl_arena *arena, const tl_bundle *bundle, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    put_digests(&w, bundle->digest, &bundle->whole);
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        put_section(&w, i, bundle->text[i]);
    }
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_bundle_pack(tl_str *out, tl_hash32 *digest, tl_arena *arena, tl_str json, tl_errctx *ctx)
{
    const tl_json *file = NULL;
    TL_TRY(tl_json_parse(&file, arena, json, NULL, ctx));
    tl_bundle b = {0};
    TL_TRY(read_sections(&b, arena, file, ctx));
    const uint32_t digests = tl_json_get(file, "digests") != NULL ? 1 : 0;
    TL_TRY(refuse_members_beyond(file, TL_BUNDLE_SECTIONS + digests, "the export", ctx));
    return tl_bundle_publish(out, digest, arena, b.text, ctx);
}
