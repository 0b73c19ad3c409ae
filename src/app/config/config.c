/* Loading: defaults, then the file, then the environment; each value is checked where it is read. */
#include "app/config/config.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "io/sys/sys.h"

#define MASK "***"

const char *tl_config_origin_name(tl_config_origin origin)
{
    static const char *const names[] = {"default", "file", "env"};
    return names[origin];
}

void tl_config_env_name(char out[TL_CONFIG_ENV_NAME_CAP], const char *setting)
{
    static const char prefix[] = "TALLY_";
    size_t len = sizeof prefix - 1;
    memcpy(out, prefix, len);
    for (const char *c = setting; *c != '\0' && len + 1 < TL_CONFIG_ENV_NAME_CAP; c++) {
        const bool is_lower = *c >= 'a' && *c <= 'z';
        out[len++] = is_lower ? (char)(*c - 'a' + 'A') : *c == '.' ? '_' : *c;
    }
    out[len] = '\0';
}

/* --- checking a value --- */

static tl_err check_choice(const tl_setting *setting, const char *text, tl_errctx *ctx)
{
    char list[TL_ERR_HINT_CAP] = "";
    size_t len = 0;
    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            return TL_OK;
        }
        const int put =
            snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "", setting->choices[i]);
        len = put > 0 && (size_t)put < sizeof list - len ? len + (size_t)put : len;
    }
    const tl_err err =
        tl_fail_field(ctx, TL_ERR_RANGE, setting->name, "%s cannot be \"%s\"", setting->name, text);
    tl_errctx_hint(ctx, "choose one of %s", list);
    return err;
}

static bool has_scheme(const char *text)
{
    const tl_str s = tl_str_from_cstr(text);
    return (tl_str_starts_with(s, TL_STR("env:")) && s.len > 4) ||
           (tl_str_starts_with(s, TL_STR("file:")) && s.len > 5);
}

static tl_err check_value(const tl_setting *setting, const char *text, tl_errctx *ctx)
{
    uint64_t number;
    switch (setting->type) {
    case TL_SETTING_TEXT:
        return TL_OK;
    case TL_SETTING_PATH:
        return text[0] != '\0' ? TL_OK
                               : tl_fail_field(ctx, TL_ERR_RANGE, setting->name,
                                               "%s is an empty path", setting->name);
    case TL_SETTING_U64:
        if (!tl_str_parse_u64(&number, tl_str_from_cstr(text))) {
            return tl_fail_field(ctx, TL_ERR_TYPE, setting->name,
                                 "%s wants a whole number, not \"%s\"", setting->name, text);
        }
        if (number > setting->max) {
            return tl_fail_field(ctx, TL_ERR_RANGE, setting->name, "%s is %llu, above %llu",
                                 setting->name, (unsigned long long)number,
                                 (unsigned long long)setting->max);
        }
        return TL_OK;
    case TL_SETTING_CHOICE:
        return check_choice(setting, text, ctx);
    case TL_SETTING_SECRET:
        if (!has_scheme(text)) { /* CFG-2; the value is not repeated: it may be the secret */
            const tl_err err =
                tl_fail_field(ctx, TL_ERR_REFUSED, setting->name,
                              "%s is a secret: it stands in no file of settings", setting->name);
            tl_errctx_hint(ctx, "refer to it by env:NAME or file:PATH");
            return err;
        }
        return TL_OK;
    }
    return TL_OK;
}

/* --- the file --- */

typedef struct loader {
    tl_arena *arena;
    const tl_setting *settings;
    size_t count;
    tl_config_value *values;
    const char *path;
    tl_str rest; /* of the file's text */
    uint32_t line;
    tl_err err; /* the first one */
    tl_errctx why;
} loader;

/* The index of a setting, or count. */
static size_t find(const tl_setting *settings, size_t count, tl_str name)
{
    size_t i = 0;
    while (i < count && !tl_str_eq_cstr(name, settings[i].name)) {
        i++;
    }
    return i;
}

static void fail_at_line(loader *l, tl_err err)
{
    tl_errctx_wrap(&l->why, "%s:%u", l->path, l->line);
    l->err = err;
}

/* inih's reader: one line into its buffer. A line that does not fit would be cut without a word. */
static char *next_line(char *out, int cap, void *self)
{
    loader *l = self;
    if (l->err != TL_OK || l->rest.ptr == NULL || l->rest.len == 0) {
        return NULL;
    }
    tl_str text;
    (void)tl_str_split(&text, &l->rest, '\n');
    l->line++;
    if (text.len + 2 > (size_t)cap || memchr(text.ptr, '\0', text.len) != NULL) {
        fail_at_line(
            l, tl_fail(&l->why, TL_ERR_SYNTAX, "a line of %zu bytes, or a NUL in it", text.len));
        return NULL;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\n';
    out[text.len + 1] = '\0';
    return out;
}

static tl_err take(loader *l, const char *section, const char *key, const char *value)
{
    char name[TL_CONFIG_ENV_NAME_CAP];
    (void)snprintf(name, sizeof name, "%s.%s", section, key);
    const size_t i = find(l->settings, l->count, tl_str_from_cstr(name));
    if (i == l->count) { /* CFG-1 */
        const tl_err err =
            tl_fail_field(&l->why, TL_ERR_UNKNOWN, name, "there is no setting \"%s\"", name);
        tl_errctx_hint(&l->why, "tally config show lists the settings");
        return err;
    }
    if (l->values[i].origin == TL_CONFIG_FILE) {
        return tl_fail_field(&l->why, TL_ERR_DUPLICATE, name, "%s stands in line %u already", name,
                             l->values[i].line);
    }
    tl_str text = tl_str_from_cstr(value);
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        text = tl_str_slice(text, 1, text.len - 1); /* "quoted", as in TOML */
    }
    tl_config_value *v = &l->values[i];
    TL_TRY(tl_str_copy_cstr(&v->text, l->arena, text, &l->why));
    v->origin = TL_CONFIG_FILE;
    v->line = l->line;
    return check_value(&l->settings[i], v->text, &l->why);
}

/* inih's handler: 0 is an error to it, and the first one is kept. */
static int on_value(void *self, const char *section, const char *key, const char *value)
{
    loader *l = self;
    const tl_err err = l->err == TL_OK ? take(l, section, key, value) : TL_OK;
    if (err != TL_OK) {
        fail_at_line(l, err);
    }
    return l->err == TL_OK ? 1 : 0;
}

static tl_err load_file(loader *l, tl_errctx *ctx)
{
    TL_TRY(tl_sys_read_file(&l->rest, l->arena, l->path, TL_CONFIG_FILE_LEN_MAX, ctx));
    const int bad_line = ini_parse_stream(next_line, l, on_value, l);
    if (l->err == TL_OK && bad_line != 0) {
        l->line = bad_line > 0 ? (uint32_t)bad_line : l->line;
        fail_at_line(l,
                     tl_fail(&l->why, TL_ERR_SYNTAX, "this is neither [section] nor key = value"));
    }
    if (l->err != TL_OK && ctx != NULL) {
        *ctx = l->why;
    }
    return l->err;
}

/* --- the environment --- */

static tl_err load_env(loader *l, tl_config_env env, void *env_self, tl_errctx *ctx)
{
    for (size_t i = 0; i < l->count; i++) {
        char name[TL_CONFIG_ENV_NAME_CAP];
        tl_config_env_name(name, l->settings[i].name);
        const char *text = env(env_self, name);
        if (text == NULL) {
            continue;
        }
        const tl_err err = check_value(&l->settings[i], text, ctx);
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "variable %s", name);
            return err;
        }
        TL_TRY(tl_str_copy_cstr(&l->values[i].text, l->arena, tl_str_from_cstr(text), ctx));
        l->values[i].origin = TL_CONFIG_ENV;
        l->values[i].line = 0;
    }
    return TL_OK;
}

tl_err tl_config_load(tl_config *out, tl_arena *arena, const tl_setting *settings, size_t count,
                      const char *path, tl_config_env env, void *env_self, tl_errctx *ctx)
{
    loader l = {.arena = arena, .settings = settings, .count = count, .path = path};
    l.values = TL_NEW(arena, tl_config_value, count);
    if (l.values == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < count; i++) {
        l.values[i] = (tl_config_value){settings[i].fallback, TL_CONFIG_DEFAULT, 0};
    }
    if (path != NULL) {
        TL_TRY(load_file(&l, ctx));
    }
    if (env != NULL) {
        TL_TRY(load_env(&l, env, env_self, ctx));
    }
    *out = (tl_config){settings, count, l.values, path};
    return TL_OK;
}

/* --- reading --- */

const char *tl_config_text(const tl_config *config, const char *name)
{
    const size_t i = find(config->settings, config->count, tl_str_from_cstr(name));
    TL_ASSERT(i < config->count);
    return config->values[i].text;
}

uint64_t tl_config_u64(const tl_config *config, const char *name)
{
    uint64_t value = 0;
    const char *text = tl_config_text(config, name);
    const bool is_number = text == NULL || tl_str_parse_u64(&value, tl_str_from_cstr(text));
    TL_ASSERT(is_number); /* CFG-1 */
    return value;
}

const char *tl_config_shown(const tl_config *config, size_t index)
{
    const bool is_secret = config->settings[index].type == TL_SETTING_SECRET;
    const char *text = config->values[index].text;
    return text != NULL && is_secret ? MASK : text; /* CFG-3 */
}

tl_err tl_config_secret(tl_str *out, tl_arena *arena, const tl_config *config, const char *name,
                        tl_config_env env, void *env_self, tl_errctx *ctx)
{
    const char *text = tl_config_text(config, name);
    if (text == NULL) {
        *out = (tl_str){NULL, 0};
        return TL_OK;
    }
    if (strncmp(text, "env:", 4) == 0) {
        const char *value = env != NULL ? env(env_self, text + 4) : NULL;
        if (value == NULL) {
            return tl_fail_field(ctx, TL_ERR_NOT_FOUND, name,
                                 "%s refers to variable %s, which is not set", name, text + 4);
        }
        return tl_str_copy(out, arena, tl_str_from_cstr(value), ctx);
    }
    TL_ASSERT(strncmp(text, "file:", 5) == 0); /* CFG-2: the load refused everything else */
    const tl_err err = tl_sys_read_file(out, arena, text + 5, TL_CONFIG_SECRET_MAX, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "%s", name);
        return err;
    }
    *out = tl_str_trim(*out);
    return TL_OK;
}
