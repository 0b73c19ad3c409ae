/* The stores of a service, chosen by the same options in every command that has them (cli spec, "Stores"):
 *
 *      --postgres URL    libpq's form; default SQLite in the state folder, service.db
 *      --redis URL       default: in the process
 *      --s3 URL          http://HOST:PORT/BUCKET; default the folder objects in the state folder
 *
 * An option goes before its setting (stores.postgres, stores.redis, stores.s3). Secrets never stand on the command line:
 * PGPASSWORD or a passfile, TALLY_REDIS_PASSWORD, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION; or the references
 * of the settings (stores.postgres_password, stores.redis_password, stores.s3_access_key, stores.s3_secret_key), which the
 * environment's own variables go before.
 *
 * A command has these options by writing TL_APP_STORE_OPTIONS in its array of options:
 *
 *      tl_app_stores stores;
 *      TL_TRY(tl_app_stores_read(app, call, &stores, ctx));       before any thread runs: it may set PGPASSWORD
 *      tl_records *records;
 *      TL_TRY(tl_app_open_records(&records, &stores, TL_RECORDS_USE, ctx));
 */
#ifndef TALLY_APP_CLI_STORES_H
#define TALLY_APP_CLI_STORES_H

#include "app/cli/cli.h"
#include "io/objects/objects.h"
#include "io/records/records.h"
#include "io/redis/redis.h"
#include "io/sql/sql.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_APP_POSTGRES_OPTION                                                                     \
    {                                                                                              \
        .name = "postgres", .type = TL_CMD_TEXT, .metavar = "URL",                                 \
        .help = "the database, as libpq writes it, without a password (default SQLite in the "     \
                "state folder)"                                                                    \
    }

#define TL_APP_REDIS_OPTION                                                                        \
    {                                                                                              \
        .name = "redis", .type = TL_CMD_TEXT, .metavar = "URL",                                    \
        .help = "redis://HOST:PORT for limits and replay marks (default in the process)"           \
    }

#define TL_APP_S3_OPTION                                                                           \
    {                                                                                              \
        .name = "s3", .type = TL_CMD_TEXT, .metavar = "URL",                                       \
        .help = "http://HOST:PORT/BUCKET for objects (default a folder in the state folder)"       \
    }

/* All of them, as elements of an array of options. */
#define TL_APP_STORE_OPTIONS TL_APP_POSTGRES_OPTION, TL_APP_REDIS_OPTION, TL_APP_S3_OPTION

/* tl_app_stores: what the call says, as the rooms below take it. Texts live in the program's arena. */
typedef struct tl_app_stores {
    const char *dir; /* the state folder; made by tl_app_stores_read */
    tl_sql_options sql;
    tl_objects_options
        objects;           /* sign_file is set for a folder; public_url is the caller's to set */
    const char *redis_url; /* NULL: in the process */
    const char *redis_password; /* NULL: none */
} tl_app_stores;

/* tl_app_stores_read: options, settings and environment; nothing is opened. A command may lack some of the options.
 * Errors: USAGE (a URL that is none, with its option as field), REFUSED (a password in a URL), MISSING (keys of S3), those
 * of the state folder. */
TL_MUST_USE tl_err tl_app_stores_read(tl_app *app, const tl_cmd_call *call, tl_app_stores *out,
                                      tl_errctx *ctx);

/* tl_app_stores_read_in: the same with another folder than the state folder; it is made. */
TL_MUST_USE tl_err tl_app_stores_read_in(tl_app *app, const tl_cmd_call *call, const char *dir,
                                         tl_app_stores *out, tl_errctx *ctx);

/* tl_app_open_records, _objects, _redis: the caller closes them. _redis gives NULL where there is none. */
TL_MUST_USE tl_err tl_app_open_records(tl_records **out, const tl_app_stores *stores,
                                       tl_records_mode mode, tl_errctx *ctx);
TL_MUST_USE tl_err tl_app_open_objects(tl_objects **out, const tl_app_stores *stores,
                                       tl_errctx *ctx);
TL_MUST_USE tl_err tl_app_open_redis(tl_redis **out, const tl_app_stores *stores, tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
