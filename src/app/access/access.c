/* The signing key of tokens: where it lies, and that two coordinators that start at once come to the same one. */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "app/access/access_internal.h"
#include "io/sys/sys.h"

#define VALUE_NAME TL_STR("access.tokens-key")
#define LEASE_NAME TL_STR("access.tokens-key")

enum { LEASE_MS = 5000, TRIES = 100, PAUSE_NS = 100000000 };

int64_t tl__access_now_ms(const tl_access *access)
{
    return tl_clock_wall_ns(&access->clock) / 1000000;
}

/* --- in the state folder --- */

static tl_err take_secret(tl_access *access, tl_str text, const char *where, tl_errctx *ctx)
{
    if (text.len != TL__ACCESS_SECRET_LEN) {
        return tl_fail_field(ctx, TL_ERR_CORRUPT, where, "the key of tokens has %zu bytes, not %d",
                             text.len, TL__ACCESS_SECRET_LEN);
    }
    memcpy(access->secret, text.ptr, TL__ACCESS_SECRET_LEN);
    void *read; /* in the scratch arena, which keeps no secret */
    memcpy(&read, &text.ptr, sizeof read);
    tl_wipe(read, text.len);
    return TL_OK;
}

static tl_err from_file(tl_access *access, const char *dir, tl_arena *scratch, tl_errctx *ctx)
{
    const char *path;
    tl_str text;
    TL_TRY(tl_sys_join(&path, scratch, dir, TL_ACCESS_KEY_FILE, ctx));
    if (tl_sys_exists(path)) {
        TL_TRY(tl_sys_read_file(&text, scratch, path, TL__ACCESS_SECRET_LEN, ctx));
        return take_secret(access, text, path, ctx);
    }
    TL_TRY(tl_entropy_fill(&access->entropy, access->secret, sizeof access->secret, ctx));
    return tl_sys_write_file(path, (tl_bytes){access->secret, sizeof access->secret},
                             TL_SYS_FILE_MODE, ctx);
}

/* --- in the database --- */

static tl_err from_value(tl_access *access, tl_records *records, tl_arena *scratch, tl_errctx *ctx)
{
    tl_bytes value;
    TL_TRY(tl_records_get_value(records, &value, VALUE_NAME, scratch, ctx));
    return take_secret(access, (tl_str){(const char *)value.ptr, value.len}, "access.tokens-key",
                       ctx);
}

/* Whoever holds the lease looks again and makes it; the others wait for that. */
static tl_err make_value(tl_access *access, tl_records *records, tl_arena *scratch, tl_errctx *ctx)
{
    uint64_t unique;
    char holder[32];
    TL_TRY(tl_entropy_fill(&access->entropy, &unique, sizeof unique, ctx));
    tl_str_print(holder, sizeof holder, "%016llx", (unsigned long long)unique);
    for (int i = 0; i < TRIES; i++) {
        tl_record_lease lease;
        bool is_ours;
        TL_TRY(tl_records_take_lease(records, &lease, &is_ours, LEASE_NAME,
                                     tl_str_from_cstr(holder), tl__access_now_ms(access), LEASE_MS,
                                     scratch, ctx));
        tl_err err = from_value(access, records, scratch, ctx);
        if (err == TL_ERR_NOT_FOUND && is_ours) {
            TL_TRY(tl_entropy_fill(&access->entropy, access->secret, sizeof access->secret, ctx));
            err = tl_records_put_value(records, VALUE_NAME,
                                       (tl_bytes){access->secret, sizeof access->secret}, &lease,
                                       ctx);
        }
        if (is_ours && tl_records_drop_lease(records, &lease, NULL) != TL_OK) {
            is_ours = false; /* it lapses by itself */
        }
        if (err != TL_ERR_NOT_FOUND) {
            return err;
        }
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        (void)nanosleep(&pause, NULL);
    }
    return tl_fail(ctx, TL_ERR_LOCKED, "another process makes the key of tokens, and does not end");
}

static tl_err load(tl_access *access, const tl_access_options *options, tl_errctx *ctx)
{
    tl_arena *scratch;
    TL_TRY(tl_arena_new(&scratch, NULL, 0, NULL, ctx));
    const bool is_shared = options->records != NULL &&
                           tl_sql_kind_of(tl_records_sql(options->records)) == TL_SQL_POSTGRES;
    tl_err err;
    if (!is_shared) {
        err = from_file(access, options->dir, scratch, ctx);
    } else {
        err = from_value(access, options->records, scratch, ctx);
        err = err == TL_ERR_NOT_FOUND ? make_value(access, options->records, scratch, ctx) : err;
    }
    tl_arena_free(scratch);
    return err;
}

tl_err tl_access_open(tl_access **out, const tl_access_options *options, tl_errctx *ctx)
{
    tl_access *access = sodium_init() >= 0 ? sodium_malloc(sizeof *access) : NULL;
    if (access == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no locked memory for a key");
    }
    memset(access, 0, sizeof *access);
    access->clock = options->clock.wall_ns != NULL ? options->clock : tl_sys_clock();
    access->entropy = options->entropy.fill != NULL ? options->entropy : tl_sys_entropy();
    const tl_err err = load(access, options, ctx);
    if (err != TL_OK) {
        tl_access_close(access);
        return err;
    }
    *out = access;
    return TL_OK;
}

void tl_access_close(tl_access *access)
{
    sodium_free(access); /* wipes */
}

/* --- roles --- */

static const char *const role_names[] = {"", "viewer", "operator", "admin"};

const char *tl_access_role_name(tl_api_role role)
{
    return role_names[role];
}

bool tl_access_role_parse(tl_api_role *out, tl_str text)
{
    for (int i = TL_API_ROLE_VIEWER; i <= TL_API_ROLE_ADMIN; i++) {
        if (tl_str_eq_cstr(text, role_names[i])) {
            *out = (tl_api_role)i;
            return true;
        }
    }
    return false;
}

/* --- the audit log --- */

tl_err tl_access_note(const tl_access *access, tl_records *records, const tl_access_actor *actor,
                      tl_str act, tl_str subject, tl_str detail, tl_errctx *ctx)
{
    tl_record_act row = {.at_ms = tl__access_now_ms(access),
                         .actor = actor->name,
                         .act = act,
                         .subject = subject,
                         .detail = detail.len > 0 ? detail : TL_STR("{}"),
                         .correlation = actor->correlation};
    return tl_records_note(records, &row, ctx);
}
