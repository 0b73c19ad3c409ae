/* log: what happened, for people or for machines, without what must not be told.
 * For         every line that the program says about itself
 * Takes       a level, a message, fields; a sink and a clock from its maker
 * Gives       one line a call, as text or as one JSON object, to the sink
 * Calls       base/json, base/world            Called by   io, app
 * Owns        nothing: a tl_log is the caller's; a line is built in fixed storage
 * Threads     one tl_log, one thread, unless its sink takes lines from several
 * Invariants  LOG-1 a line is whole: it is one write of the sink, ends with one line end and has no other
 *             LOG-2 the value of a field whose key names a secret is never formatted
 *             LOG-3 a line below the level costs a comparison
 *
 * Text:  2009-02-13T23:31:30.123Z WARN  cannot reach a peer correlation=7f3a peer=10.0.0.7
 * JSON:  {"time":"…","level":"warn","message":"…","correlation_id":"…","peer":"10.0.0.7"}
 */
#ifndef TALLY_BASE_LOG_H
#define TALLY_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str/str.h"
#include "base/world/world.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_log_level {
    TL_LOG_DEBUG,
    TL_LOG_INFO,
    TL_LOG_WARN,
    TL_LOG_ERROR,
    TL_LOG_OFF /* of a log: says nothing */
} tl_log_level;

/* A field of a line. */
typedef struct tl_log_field {
    const char *key; /* snake_case */
    bool is_number;
    int64_t number;
    tl_str text;
} tl_log_field;

#define TL_LOG_TEXT(key, text)     ((tl_log_field){(key), false, 0, (text)})
#define TL_LOG_NUMBER(key, number) ((tl_log_field){(key), true, (number), {NULL, 0}})

#define TL_LOG_LINE_CAP        2048 /* longer lines are cut, and say so */
#define TL_LOG_CORRELATION_CAP 65   /* 64 visible characters and a NUL */

typedef struct tl_log {
    tl_log_level level; /* lines below it are not made */
    bool is_json;
    char correlation[TL_LOG_CORRELATION_CAP]; /* on every line; empty: none */
    tl_clock clock;
    void *self;
    void (*write)(void *self, tl_str line);
} tl_log;

/* tl_log_init: a log into a sink. */
void tl_log_init(tl_log *log, tl_log_level level, bool is_json, const tl_clock *clock,
                 void (*write)(void *self, tl_str line), void *self);

/* tl_log_correlate: that id from now on; characters that are not visible ASCII become '?', the rest is cut. */
void tl_log_correlate(tl_log *log, tl_str id);

/* tl_log_say: one line. log may be NULL: nobody listens. count fields; duplicate keys are the caller's mistake. */
void tl_log_say(tl_log *log, tl_log_level level, const char *message, const tl_log_field *fields,
                size_t count);

/* tl_log_is_secret: does a key name a secret? Matched without case as part of the key: password, passphrase, secret,
 * mnemonic, seed_phrase, private_key, token, api_key, authorization, credential. */
bool tl_log_is_secret(tl_str key);

/* tl_log_level_parse: "debug", "info", "warn", "error", "off". False, out untouched, for another word. */
bool tl_log_level_parse(tl_log_level *out, tl_str text);
const char *tl_log_level_name(tl_log_level level);

#ifdef __cplusplus
}
#endif

#endif
