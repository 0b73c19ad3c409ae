/* The schema of the settings: what a file of settings may say. */
#include "app/cli/cli.h"

#include "io/sys/sys.h"

static const char *const levels[] = {"debug", "info", "warn", "error", "off", NULL};
static const char *const formats[] = {"text", "json", NULL};

static const tl_setting settings[] = {
    {"log.format", TL_SETTING_CHOICE, "text", formats, 0,
     "how a line on standard error is written"},
    {"log.level", TL_SETTING_CHOICE, "warn", levels, 0,
     "the least level that is told; -v is debug, -q is error"},
    {"pool.threads", TL_SETTING_U64, "0", NULL, TL_POOL_THREADS_MAX,
     "threads for heavy work; 0 is one a processor; results do not depend on it"},
    {"state.dir", TL_SETTING_PATH, NULL, NULL, 0,
     "the state folder; --dir goes before it; not set is $XDG_STATE_HOME/tally"},
    {"stores.postgres", TL_SETTING_TEXT, NULL, NULL, 0,
     "the database of a service; --postgres goes before it; not set is SQLite in the state folder"},
    {"stores.postgres_password", TL_SETTING_SECRET, NULL, NULL, 0,
     "its password; PGPASSWORD goes before it"},
    {"stores.redis", TL_SETTING_TEXT, NULL, NULL, 0,
     "where limits and replay marks are shared; --redis goes before it; not set is in the process"},
    {"stores.redis_password", TL_SETTING_SECRET, NULL, NULL, 0,
     "its password; TALLY_REDIS_PASSWORD goes before it"},
    {"stores.s3", TL_SETTING_TEXT, NULL, NULL, 0,
     "where objects lie; --s3 goes before it; not set is a folder in the state folder"},
    {"stores.s3_access_key", TL_SETTING_SECRET, NULL, NULL, 0,
     "its access key; AWS_ACCESS_KEY_ID goes before it"},
    {"stores.s3_secret_key", TL_SETTING_SECRET, NULL, NULL, 0,
     "its secret key; AWS_SECRET_ACCESS_KEY goes before it"},
};

const tl_setting *tl_cli_settings(size_t *count)
{
    *count = sizeof settings / sizeof settings[0];
    return settings;
}
