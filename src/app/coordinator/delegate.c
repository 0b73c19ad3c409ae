/* A key of the state folder that may sign extensions: made and certified by the coordinator's own when it runs, so that an
 * operator at the machine needs no wallet in an emergency. What it signs carries the certificate. */
#include "app/coordinator/coordinator_internal.h"
#include "core/codec/hex/hex.h"
#include "io/sys/sys.h"

enum { SS58_PREFIX = 42, CERTIFICATE_LEN_MAX = 4096 };

#define SEED_FILE        "extend.key"
#define CERTIFICATE_FILE "extend.cert"

static tl_err read_seed(tl_keypair **out, tl_arena *arena, const char *dir, tl_errctx *ctx)
{
    const char *path;
    tl_str seed;
    TL_TRY(tl_sys_join(&path, arena, dir, SEED_FILE, ctx));
    TL_TRY(tl_sys_read_file(&seed, arena, path, TL_SEED_LEN, ctx));
    union {
        const char *read;
        void *wiped;
    } as = {.read = seed.ptr};
    const tl_err err =
        seed.len == TL_SEED_LEN
            ? tl_keypair_from_seed(out, tl_scheme_sr25519(), (const uint8_t *)seed.ptr, ctx)
            : tl_fail_field(ctx, TL_ERR_CORRUPT, path, "%zu bytes are no key", seed.len);
    tl_wipe(as.wiped, seed.len);
    return err;
}

static tl_err read_certificate(tl_str *out, tl_arena *arena, const char *dir, tl_errctx *ctx)
{
    const char *path;
    const tl_json *json;
    TL_TRY(tl_sys_join(&path, arena, dir, CERTIFICATE_FILE, ctx));
    TL_TRY(tl_sys_read_file(out, arena, path, CERTIFICATE_LEN_MAX, ctx));
    return tl_json_parse(&json, arena, *out, NULL, ctx);
}

/* {"hotkey","delegate","signature"}: the signature is over "tally-delegate/1\n" delegate "\n". */
static tl_err certify(tl_str *out, tl_arena *arena, const tl_keypair *own, const tl_keypair *pair,
                      const tl_entropy *entropy, tl_errctx *ctx)
{
    char ss58[TL_SS58_CAP];
    char text[128];
    const size_t cap = tl_keypair_scheme(own)->signature_len_max;
    uint8_t *signature = TL_NEW(arena, uint8_t, cap);
    size_t len;
    tl_sb sb;
    tl_json_writer w;
    if (signature == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    (void)tl_ss58_encode(ss58, tl_keypair_public(pair), SS58_PREFIX);
    const size_t text_len = tl_str_print(text, sizeof text, "tally-delegate/1\n%s\n", ss58);
    TL_TRY(tl_keypair_sign(signature, cap, &len, own, (tl_bytes){(const uint8_t *)text, text_len},
                           entropy, ctx));
    tl_sb_init(&sb, arena);
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_hotkey(&w, "hotkey", tl_keypair_public(own));
    tl__coordinator_put_text(&w, "delegate", tl_str_from_cstr(ss58));
    tl_json_put_key(&w, "signature");
    tl_json_put_hex(&w, signature, len);
    tl_json_put_end(&w);
    return tl_sb_finish(out, &sb, ctx);
}

static tl_err write_new(const tl_keypair *own, tl_arena *arena, const char *dir,
                        const tl_entropy *entropy, tl_errctx *ctx)
{
    uint8_t seed[TL_SEED_LEN];
    const char *seed_path;
    const char *path;
    tl_keypair *pair = NULL;
    tl_str certificate;
    TL_TRY(tl_sys_join(&seed_path, arena, dir, SEED_FILE, ctx));
    TL_TRY(tl_sys_join(&path, arena, dir, CERTIFICATE_FILE, ctx));
    TL_TRY(tl_entropy_fill(entropy, seed, sizeof seed, ctx));
    tl_err err = tl_keypair_from_seed(&pair, tl_scheme_sr25519(), seed, ctx);
    if (err == TL_OK) {
        err = certify(&certificate, arena, own, pair, entropy, ctx);
    }
    if (err == TL_OK) { /* the certificate comes last: with it, both are there */
        err = tl_sys_write_file(seed_path, (tl_bytes){seed, sizeof seed}, TL_SYS_FILE_MODE, ctx);
    }
    if (err == TL_OK) {
        err = tl_sys_write_file(path, tl_str_bytes(certificate), TL_SYS_FILE_MODE, ctx);
    }
    tl_wipe(seed, sizeof seed);
    tl_keypair_free(pair);
    return err;
}

/* Is there a certificate by this key? */
static bool is_certified(const tl_keypair *own, tl_arena *arena, const char *dir)
{
    tl_str text;
    tl_str hotkey;
    const tl_json *json;
    char ss58[TL_SS58_CAP];
    (void)tl_ss58_encode(ss58, tl_keypair_public(own), SS58_PREFIX);
    return read_certificate(&text, arena, dir, NULL) == TL_OK &&
           tl_json_parse(&json, arena, text, NULL, NULL) == TL_OK &&
           tl_json_want_str(&hotkey, json, "hotkey", NULL) == TL_OK && tl_str_eq_cstr(hotkey, ss58);
}

tl_err tl__coordinator_make_delegate(const tl_keypair *own, tl_arena *arena, const char *dir,
                                     const tl_entropy *entropy, tl_errctx *ctx)
{
    return is_certified(own, arena, dir) ? TL_OK : write_new(own, arena, dir, entropy, ctx);
}

tl_err tl_coordinator_delegate(tl_keypair **out, tl_str *certificate, tl_arena *arena,
                               const char *dir, tl_errctx *ctx)
{
    TL_TRY(read_certificate(certificate, arena, dir, ctx));
    return read_seed(out, arena, dir, ctx);
}
