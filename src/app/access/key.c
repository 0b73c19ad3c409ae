/* Keys: 32 random bytes that a program shows; the tables hold their SHA-256 (ACCESS-3). They are random in full, so a plain
 * hash is enough: there is nothing to guess, and each request must check it. */
#include <sodium.h>
#include <string.h>

#include "app/access/access_internal.h"
#include "core/codec/hex/hex.h"
#include "core/crypto/hash/hash.h"

#define PREFIX TL_STR("tk_")
#define DAY_MS INT64_C(86400000)

enum { RANDOM_LEN = 32, ID_LEN = 8, KEY_LEN = 3 + 43 };

static const char *const scope_names[] = {"read", "operate", "admin"};

/* --- scopes --- */

static int scope_of(tl_str text)
{
    for (int i = 0; i < 3; i++) {
        if (tl_str_eq_cstr(text, scope_names[i])) {
            return i;
        }
    }
    return -1;
}

static tl_err check_scopes(tl_str scopes, tl_errctx *ctx)
{
    unsigned seen = 0;
    tl_str scope;
    while (tl_str_split(&scope, &scopes, ' ')) {
        const int which = scope_of(scope);
        if (which < 0) {
            return tl_fail_field(ctx, TL_ERR_UNKNOWN, "scope",
                                 "\"%.*s\" is none of read, operate and admin",
                                 TL_STR_ARG(tl_str_slice(scope, 0, 40)));
        }
        if ((seen & 1u << which) != 0) {
            return tl_fail_field(ctx, TL_ERR_DUPLICATE, "scope", "\"%s\" comes twice",
                                 scope_names[which]);
        }
        seen |= 1u << which;
    }
    return seen != 0 ? TL_OK : tl_fail_field(ctx, TL_ERR_MISSING, "scope", "a key needs a scope");
}

static tl_api_role role_of(tl_str scopes)
{
    int highest = -1;
    tl_str scope;
    while (tl_str_split(&scope, &scopes, ' ')) {
        const int which = scope_of(scope);
        highest = which > highest ? which : highest;
    }
    return (tl_api_role)(highest + 1);
}

/* --- making --- */

/* What is written in one transaction: the row, and the line in the audit log (ACCESS-4). */
typedef struct change {
    const tl_access *access;
    tl_records *records;
    const tl_record_key *key; /* to put; NULL: revoke id */
    tl_str id;
    const tl_access_actor *actor;
    const char *act;
    tl_str detail;
} change;

static tl_err write_change(void *self, tl_sql *sql, tl_errctx *ctx)
{
    (void)sql;
    const change *c = self;
    if (c->key != NULL) {
        TL_TRY(tl_records_put_key(c->records, c->key, ctx));
    } else {
        TL_TRY(tl_records_revoke_key(c->records, c->id, tl__access_now_ms(c->access), ctx));
    }
    return tl_access_note(c->access, c->records, c->actor, tl_str_from_cstr(c->act), c->id,
                          c->detail, ctx);
}

static tl_err print_detail(tl_str *out, tl_arena *arena, const tl_record_key *key, tl_errctx *ctx)
{
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "label");
    tl_json_put_str(&w, key->label);
    if (key->replaces.len > 0) {
        tl_json_put_key(&w, "replaces");
        tl_json_put_str(&w, key->replaces);
    }
    tl_json_put_key(&w, "scopes");
    tl_json_put_str(&w, key->scopes);
    tl_json_put_end(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err put_new(const tl_access *access, tl_records *records, tl_access_new_key *out,
                      tl_arena *arena, tl_record_key *row, const char *act,
                      const tl_access_actor *actor, tl_errctx *ctx)
{
    uint8_t random[RANDOM_LEN];
    uint8_t id_bytes[ID_LEN];
    char id[2 * ID_LEN + 1];
    tl_sb sb;
    tl_str key;
    TL_TRY(tl_entropy_fill(&access->entropy, random, sizeof random, ctx));
    TL_TRY(tl_entropy_fill(&access->entropy, id_bytes, sizeof id_bytes, ctx));
    tl_hex_write(id, id_bytes, sizeof id_bytes);
    tl_sb_init(&sb, arena);
    tl_sb_put(&sb, PREFIX);
    tl__base64url_put(&sb, random, sizeof random);
    tl_wipe(random, sizeof random);
    TL_TRY(tl_sb_finish(&key, &sb, ctx));
    TL_ASSERT(key.len == KEY_LEN);
    TL_TRY(tl_str_copy(&row->id, arena, tl_str_from_cstr(id), ctx));
    tl_sha256(&row->hash, key.ptr, key.len);
    row->created_ms = tl__access_now_ms(access);
    row->expires_ms = row->created_ms + TL_ACCESS_KEY_DAYS * DAY_MS;
    change c = {.access = access,
                .records = records,
                .key = row,
                .id = row->id,
                .actor = actor,
                .act = act};
    TL_TRY(print_detail(&c.detail, arena, row, ctx));
    TL_TRY(tl_sql_transact(tl_records_sql(records), write_change, &c, ctx));
    *out = (tl_access_new_key){row->id, key, row->expires_ms};
    return TL_OK;
}

tl_err tl_access_make_key(const tl_access *access, tl_records *records, tl_access_new_key *out,
                          tl_arena *arena, tl_str scopes, tl_str label,
                          const tl_access_actor *actor, tl_errctx *ctx)
{
    TL_TRY(check_scopes(scopes, ctx));
    if (label.len > TL_ACCESS_LABEL_MAX) {
        return tl_fail_field(ctx, TL_ERR_LIMIT, "label", "more than %d bytes", TL_ACCESS_LABEL_MAX);
    }
    tl_record_key row = {.scopes = scopes, .label = label};
    return put_new(access, records, out, arena, &row, "key.create", actor, ctx);
}

tl_err tl_access_rotate_key(const tl_access *access, tl_records *records, tl_access_new_key *out,
                            tl_arena *arena, tl_str id, const tl_access_actor *actor,
                            tl_errctx *ctx)
{
    tl_record_key old;
    TL_TRY(tl_records_get_key(records, &old, id, arena, ctx));
    tl_record_key row = {.scopes = old.scopes, .label = old.label, .replaces = old.id};
    return put_new(access, records, out, arena, &row, "key.rotate", actor, ctx);
}

tl_err tl_access_revoke_key(const tl_access *access, tl_records *records, tl_str id,
                            const tl_access_actor *actor, tl_errctx *ctx)
{
    change c = {
        .access = access, .records = records, .id = id, .actor = actor, .act = "key.revoke"};
    return tl_sql_transact(tl_records_sql(records), write_change, &c, ctx);
}

/* --- checking --- */

static tl_err judge(const tl_access *access, tl_api_caller *out, const tl_record_key *row,
                    const tl_hash32 *hash, tl_errctx *ctx)
{
    const int64_t now_ms = tl__access_now_ms(access);
    if (sodium_memcmp(row->hash.b, hash->b, sizeof hash->b) != 0 || row->revoked_ms != 0 ||
        (row->expires_ms != 0 && now_ms >= row->expires_ms)) {
        return tl_fail(ctx, TL_ERR_REFUSED, "the key is revoked or expired"); /* ACCESS-3 */
    }
    out->role = role_of(row->scopes);
    tl_str_print(out->subject, sizeof out->subject, "key:%.*s", TL_STR_ARG(row->id));
    return TL_OK;
}

tl_err tl_access_check_key(const tl_access *access, tl_records *records, tl_api_caller *out,
                           tl_str key, tl_errctx *ctx)
{
    if (key.len != KEY_LEN || !tl_str_starts_with(key, PREFIX)) {
        return tl_fail(ctx, TL_ERR_REFUSED, "that is no key");
    }
    tl_hash32 hash;
    tl_arena *arena;
    tl_record_key row;
    tl_sha256(&hash, key.ptr, key.len);
    TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
    tl_err err = tl_records_find_key(records, &row, &hash, arena, ctx);
    if (err == TL_OK) {
        err = judge(access, out, &row, &hash, ctx);
    } else if (err == TL_ERR_NOT_FOUND) {
        err = tl_fail(ctx, TL_ERR_REFUSED, "there is no such key");
    }
    tl_arena_free(arena);
    return err;
}
