/* One line a call, built in fixed storage: a log must work when memory is short. */
#include "base/log/log.h"

#include <string.h>

#define MASK "***"
#define CUT  "...cut"
enum {
    MESSAGE_LEN_MAX = 256
};                      /* with each character escaped it fits a line, and fields follow it */
enum { TAIL_LEN = 16 }; /* room kept for the end of a line that was cut */

/* A line that is being built: characters that do not fit are dropped and remembered. */
typedef struct line {
    char text[TL_LOG_LINE_CAP];
    size_t len;
    bool is_cut;
} line;

static void put(line *l, const char *text, size_t len)
{
    const size_t room = TL_LOG_LINE_CAP - TAIL_LEN - l->len;
    if (l->is_cut || len > room) {
        l->is_cut = true; /* what is left out begins at a whole piece: no escape is cut in two */
        return;
    }
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void put_cstr(line *l, const char *text)
{
    put(l, text, strlen(text));
}

static void put_number(line *l, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    put(l, digits + at, sizeof digits - at);
}

/* A string of JSON: quotes, backslashes and controls escaped, bytes that are no UTF-8 replaced by the caller. */
static void put_escaped(line *l, tl_str text)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\') {
            const char pair[2] = {'\\', (char)c};
            put(l, pair, 2);
        } else if (c < 0x20 || c == 0x7f) {
            const char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            put(l, escape, 6);
        } else {
            put(l, (const char *)&c, 1);
        }
    }
}

/* The longest part of text that is well-formed and ends at a whole character. */
static tl_str utf8_part(tl_str text, bool *is_whole)
{
    *is_whole = tl_str_is_utf8(text);
    tl_str part = text;
    while (!*is_whole && part.len > 0 && !tl_str_is_utf8(part)) {
        part.len--;
    }
    return part;
}

static void put_string(line *l, tl_str text)
{
    bool is_whole;
    const tl_str cut = tl_str_slice(text, 0, TL_LOG_LINE_CAP);
    const tl_str part = utf8_part(cut, &is_whole);
    put_cstr(l, "\"");
    put_escaped(l, part);
    put_cstr(l, is_whole ? "\"" : "?\"");
}

/* Is the value plain enough to stand without quotes in a text line? */
static bool is_plain(tl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static void put_value(line *l, const tl_log_field *field, bool is_json)
{
    if (tl_log_is_secret(tl_str_from_cstr(field->key))) { /* LOG-2 */
        put_cstr(l, is_json ? "\"" MASK "\"" : MASK);
    } else if (field->is_number) {
        put_number(l, field->number);
    } else if (!is_json && is_plain(field->text)) {
        put(l, field->text.ptr, field->text.len);
    } else {
        put_string(l, field->text);
    }
}

static void put_json(line *l, const tl_log *log, const char *time, tl_log_level level,
                     const char *message)
{
    put_cstr(l, "{\"time\":\"");
    put_cstr(l, time);
    put_cstr(l, "\",\"level\":\"");
    put_cstr(l, tl_log_level_name(level));
    put_cstr(l, "\",\"message\":");
    put_string(l, tl_str_slice(tl_str_from_cstr(message), 0, MESSAGE_LEN_MAX));
    if (log->correlation[0] != '\0') {
        put_cstr(l, ",\"correlation_id\":");
        put_string(l, tl_str_from_cstr(log->correlation));
    }
}

static void put_text(line *l, const tl_log *log, const char *time, tl_log_level level,
                     const char *message)
{
    static const char *const names[] = {" DEBUG ", " INFO  ", " WARN  ", " ERROR ", " OFF   "};
    put_cstr(l, time);
    put_cstr(l, names[level]);
    for (size_t i = 0; message[i] != '\0' && i < MESSAGE_LEN_MAX; i++) {
        put(l, (unsigned char)message[i] < ' ' ? " " : &message[i], 1); /* LOG-1 */
    }
    if (log->correlation[0] != '\0') {
        put_cstr(l, " correlation=");
        put_cstr(l, log->correlation);
    }
}

static void put_field(line *l, const tl_log_field *field, bool is_json)
{
    const size_t before = l->len;
    put_cstr(l, is_json ? ",\"" : " ");
    put_cstr(l, field->key);
    put_cstr(l, is_json ? "\":" : "=");
    put_value(l, field, is_json);
    if (l->is_cut) {
        l->len = before; /* all of a field or nothing: what is left stays well-formed */
    }
}

void tl_log_say(tl_log *log, tl_log_level level, const char *message, const tl_log_field *fields,
                size_t count)
{
    if (log == NULL || level < log->level) { /* LOG-3 */
        return;
    }
    char time[TL_TIME_TEXT_CAP];
    tl_time_text(time, tl_clock_wall_ns(&log->clock));
    line l;
    l.len = 0;
    l.is_cut = false;
    (log->is_json ? put_json : put_text)(&l, log, time, level, message);
    for (size_t i = 0; i < count && !l.is_cut; i++) {
        put_field(&l, &fields[i], log->is_json);
    }
    const char *tail =
        log->is_json ? (l.is_cut ? ",\"cut\":true}\n" : "}\n") : (l.is_cut ? " " CUT "\n" : "\n");
    const size_t tail_len = strlen(tail);
    memcpy(l.text + l.len, tail, tail_len);
    log->write(log->self, (tl_str){l.text, l.len + tail_len}); /* LOG-1 */
}

void tl_log_init(tl_log *log, tl_log_level level, bool is_json, const tl_clock *clock,
                 void (*write)(void *self, tl_str line), void *self)
{
    *log =
        (tl_log){.level = level, .is_json = is_json, .clock = *clock, .self = self, .write = write};
}

void tl_log_correlate(tl_log *log, tl_str id)
{
    const tl_str kept = tl_str_slice(id, 0, TL_LOG_CORRELATION_CAP - 1);
    for (size_t i = 0; i < kept.len; i++) {
        const char c = kept.ptr[i];
        log->correlation[i] = c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
    }
    log->correlation[kept.len] = '\0';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_at(tl_str key, size_t at, const char *word)
{
    for (size_t i = 0; word[i] != '\0'; i++) {
        if (at + i >= key.len || lower(key.ptr[at + i]) != word[i]) {
            return false;
        }
    }
    return true;
}

bool tl_log_is_secret(tl_str key)
{
    static const char *const words[] = {"password",      "passphrase",  "secret", "mnemonic",
                                        "seed_phrase",   "private_key", "token",  "api_key",
                                        "authorization", "credential"};
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        for (size_t at = 0; at < key.len; at++) {
            if (has_at(key, at, words[w])) {
                return true;
            }
        }
    }
    return false;
}

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

bool tl_log_level_parse(tl_log_level *out, tl_str text)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (tl_str_eq_cstr(text, level_names[i])) {
            *out = (tl_log_level)i;
            return true;
        }
    }
    return false;
}

const char *tl_log_level_name(tl_log_level level)
{
    return level_names[level];
}
