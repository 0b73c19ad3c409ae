/* config: settings from a file and the environment, each checked against a schema.
 * For         a program whose settings are all known, typed and explained
 * Takes       a table of settings, an INI file, variables TALLY_SECTION_KEY
 * Gives       a checked value and its origin for each setting, or the file and line at fault
 * Calls       io/sys, inih                     Called by   app/cli
 * Owns        nothing: all of it lives in the arena
 * Threads     a loaded tl_config never changes
 * Invariants  CFG-1 every value was checked by its setting's type; a name that is no setting is an error
 *             CFG-2 a secret stands in no file of settings: only a reference to it, env:NAME or file:PATH
 *             CFG-3 what is shown of a secret is a mask
 * Read        config.c
 *
 *      default  ◀── file ([section] key = value)  ◀── environment (TALLY_SECTION_KEY)        the right one wins
 */
#ifndef TALLY_APP_CONFIG_H
#define TALLY_APP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_setting_type {
    TL_SETTING_TEXT,
    TL_SETTING_PATH,
    TL_SETTING_U64,
    TL_SETTING_CHOICE,
    TL_SETTING_SECRET
} tl_setting_type;

typedef struct tl_setting {
    const char *name; /* "log.level": section and key, lower case, underscores */
    tl_setting_type type;
    const char *fallback;       /* NULL: none */
    const char *const *choices; /* of a CHOICE; ends with NULL */
    uint64_t max;               /* of a U64, included */
    const char *meaning;
} tl_setting;

typedef enum tl_config_origin { TL_CONFIG_DEFAULT, TL_CONFIG_FILE, TL_CONFIG_ENV } tl_config_origin;

typedef struct tl_config_value {
    const char *text; /* NULL: not set */
    tl_config_origin origin;
    uint32_t line; /* in the file */
} tl_config_value;

typedef struct tl_config {
    const tl_setting *settings;
    size_t count;
    const tl_config_value *values; /* beside settings */
    const char *path;              /* of the file; NULL: none */
} tl_config;

#define TL_CONFIG_FILE_LEN_MAX ((size_t)1 << 20)
#define TL_CONFIG_SECRET_MAX   4096 /* bytes of a secret's file */

/* tl_config_env: a variable's value, or NULL. */
typedef const char *(*tl_config_env)(void *self, const char *name);

/* tl_config_load: the settings as they hold.
 * path    the file; NULL: none
 * env     the environment; NULL: none
 * Errors: those of reading the file; SYNTAX (no INI), UNKNOWN (no such setting), DUPLICATE, TYPE, RANGE, with the file
 *         and line in the message and the setting as field. */
TL_MUST_USE tl_err tl_config_load(tl_config *out, tl_arena *arena, const tl_setting *settings,
                                  size_t count, const char *path, tl_config_env env, void *env_self,
                                  tl_errctx *ctx);

/* Reading. A name that is no setting is our mistake: asserted. */
const char *tl_config_text(const tl_config *config, const char *name); /* NULL: not set */
uint64_t tl_config_u64(const tl_config *config, const char *name);     /* 0: not set */

/* tl_config_secret: what a SECRET refers to, without the line end of a file; empty when it is not set.
 * Errors: NOT_FOUND (no such variable or file), LIMIT. Wipe it after use: it lies in the arena. */
TL_MUST_USE tl_err tl_config_secret(tl_str *out, tl_arena *arena, const tl_config *config,
                                    const char *name, tl_config_env env, void *env_self,
                                    tl_errctx *ctx);

/* tl_config_shown: a value as it may be shown (CFG-3); NULL: not set. */
const char *tl_config_shown(const tl_config *config, size_t index);

const char *tl_config_origin_name(tl_config_origin origin); /* "default", "file", "env" */

/* tl_config_env_name: "TALLY_LOG_LEVEL" of "log.level". */
#define TL_CONFIG_ENV_NAME_CAP 96
void tl_config_env_name(char out[TL_CONFIG_ENV_NAME_CAP], const char *setting);

#ifdef __cplusplus
}
#endif

#endif
