/* json: the strict JSON reader and writer, one for everything.
 * For         requests, vectors, parameters, bundles: exact numbers, exact places of errors, hard limits
 * Takes       UTF-8 text (RFC 8259, nothing more: no comments, no trailing commas, no BOM; NaN only by an option)
 * Gives       a pull reader; a tree in the arena; text from the writer
 * Calls       base/str, base/decimal           Called by   codec, epoch, io, app
 * Owns        nothing: trees live in the arena; strings without escapes and numbers look into the text, which must
 *             live as long as the tree
 * Threads     one reader or writer, one thread; a finished tree is only read, by anyone
 * Invariants  JSON-1 a number keeps its digits: whoever reads it decides what it is, and loses nothing
 *             JSON-2 text that is accepted is well-formed UTF-8, lone surrogate escapes are refused
 *             JSON-3 the writer asserts that what it wrote is one JSON value
 * Read        reader.c, then tree.c, then writer.c
 */
#ifndef TALLY_BASE_JSON_H
#define TALLY_BASE_JSON_H

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tl_json_kind {
    TL_JSON_NULL,
    TL_JSON_BOOL,
    TL_JSON_NUMBER,
    TL_JSON_STRING,
    TL_JSON_ARRAY,
    TL_JSON_OBJECT
} tl_json_kind;

/* tl_json_options: zero means the default. */
typedef struct tl_json_options {
    bool
        allow_duplicate_keys; /* the last value wins, in the first one's place, as in Python; default:
                                  TL_ERR_DUPLICATE */
    bool allow_nonfinite; /* NaN, Infinity and -Infinity are numbers, as in Python; whoever reads
                                  a value as a double gets TL_ERR_TYPE for them all the same */
    uint32_t depth_max;   /* nested arrays and objects; default TL_JSON_DEPTH_MAX, at most
                                  TL_JSON_DEPTH_CEILING */
    size_t len_max;       /* bytes of text; default and ceiling TL_JSON_LEN_MAX */
} tl_json_options;

#define TL_JSON_DEPTH_MAX     128
#define TL_JSON_DEPTH_CEILING 1024
#define TL_JSON_LEN_MAX       ((size_t)1 << 30) /* so that a count of values fits 32 bits */

/* --- the pull reader: no tree, no allocation but for strings with escapes --- */

typedef enum tl_json_event {
    TL_JSON_EV_END, /* the whole text was read */
    TL_JSON_EV_NULL,
    TL_JSON_EV_FALSE,
    TL_JSON_EV_TRUE,
    TL_JSON_EV_NUMBER, /* reader.text is the number as written */
    TL_JSON_EV_STRING, /* reader.text is the decoded string */
    TL_JSON_EV_KEY,    /* reader.text is the decoded key; its value follows */
    TL_JSON_EV_ARRAY_BEGIN,
    TL_JSON_EV_ARRAY_END,
    TL_JSON_EV_OBJECT_BEGIN,
    TL_JSON_EV_OBJECT_END
} tl_json_event;

/* tl_json_reader: the caller's storage; fields are the room's but for text and offset. The pull reader does not look
 * for duplicate keys (it keeps none); the tree does. */
typedef struct tl_json_reader {
    tl_str text;   /* of the last event */
    size_t offset; /* where the last event's token began */
    tl_str input;
    size_t at;
    tl_arena *arena;
    uint32_t depth;
    uint32_t depth_max;
    bool allow_nonfinite;
    uint8_t state;
    uint8_t failed;                            /* the first error, which stays */
    uint64_t nest[TL_JSON_DEPTH_CEILING / 64]; /* one bit a level: 1 object, 0 array */
} tl_json_reader;

/* input  the whole text, borrowed as long as the reader and what it gave are used
 * arena  where strings with escapes are decoded
 * Errors: TL_ERR_LIMIT when the text is longer than len_max; TL_ERR_RANGE when an option is above its ceiling. */
TL_MUST_USE tl_err tl_json_reader_init(tl_json_reader *reader, tl_arena *arena, tl_str input,
                                       const tl_json_options *options, tl_errctx *ctx);

/* tl_json_next: the next event; after TL_JSON_EV_END again TL_JSON_EV_END. Errors stick; TL_ERR_SYNTAX,
 * TL_ERR_ENCODING and TL_ERR_LIMIT (depth) carry offset, line and column (from 1, in bytes). */
TL_MUST_USE tl_err tl_json_next(tl_json_reader *reader, tl_json_event *out, tl_errctx *ctx);

/* --- the tree --- */

typedef struct tl_json tl_json;
typedef struct tl_json_member tl_json_member;

/* Look at kind before anything else. */
struct tl_json {
    tl_json_kind kind;
    uint32_t count; /* of items or members; else 0 */
    tl_str text;    /* TL_JSON_NUMBER: as written; TL_JSON_STRING: decoded; else empty */
    union {
        bool boolean;                  /* TL_JSON_BOOL */
        const tl_json *items;          /* TL_JSON_ARRAY, count of them */
        const tl_json_member *members; /* TL_JSON_OBJECT, count of them, in the order of the text */
    };
    size_t offset; /* in the text */
};

struct tl_json_member {
    tl_str key;
    tl_json value;
};

/* tl_json_parse: the whole text as one value. Errors also carry the path of the place ("a.b[3]") as field, and leave
 * the arena as it was. options may be NULL. Keys are compared in O(n log n), whoever chose them. */
TL_MUST_USE tl_err tl_json_parse(const tl_json **out, tl_arena *arena, tl_str text,
                                 const tl_json_options *options, tl_errctx *ctx);

/* tl_json_get: the member of that name, or NULL; NULL also when value is NULL or no object. A scan for small objects,
 * a binary search for large ones. value must come from tl_json_parse. */
const tl_json *tl_json_get(const tl_json *value, const char *key);
const tl_json *tl_json_get_str(const tl_json *value, tl_str key);

/* Reading a value: TL_ERR_MISSING when value is NULL, TL_ERR_TYPE when it is of another kind, TL_ERR_RANGE when it does
 * not fit. Integers are exact: 1; -0 is 0; 1.0 and 1e3 are no integers here (TL_ERR_TYPE).
 * field may be NULL; it becomes the error's field. */
TL_MUST_USE tl_err tl_json_as_i64(int64_t *out, const tl_json *value, const char *field,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_as_u64(uint64_t *out, const tl_json *value, const char *field,
                                  tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_as_bool(bool *out, const tl_json *value, const char *field,
                                   tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_as_str(tl_str *out, const tl_json *value, const char *field,
                                  tl_errctx *ctx);

/* tl_json_as_f64: the nearest double; TL_ERR_RANGE when it would be infinite. Integers are numbers too. */
TL_MUST_USE tl_err tl_json_as_f64(double *out, const tl_json *value, const char *field,
                                  tl_errctx *ctx);

/* tl_json_want_*: the member of an object, or TL_ERR_MISSING with the key as field; TL_ERR_TYPE when object is none. */
TL_MUST_USE tl_err tl_json_want(const tl_json **out, const tl_json *object, const char *key,
                                tl_json_kind kind, tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_want_i64(int64_t *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_want_u64(uint64_t *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_want_f64(double *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_want_bool(bool *out, const tl_json *object, const char *key,
                                     tl_errctx *ctx);
TL_MUST_USE tl_err tl_json_want_str(tl_str *out, const tl_json *object, const char *key,
                                    tl_errctx *ctx);

/* --- the writer: into a builder, whose error it leaves to tl_sb_finish --- */

enum {
    TL_JSON_WRITE_DEPTH_MAX = TL_JSON_DEPTH_CEILING + 64
}; /* the deepest tree, and what is around it */

typedef struct tl_json_writer {
    tl_sb *sb;
    uint32_t indent; /* 0: one line, no spaces: the canonical form; else spaces a level */
    uint32_t depth;
    bool sorted;   /* assert that keys ascend by bytes within each object */
    uint8_t state; /* the room's */
    uint64_t nest[TL_JSON_WRITE_DEPTH_MAX / 64];
    uint64_t filled[TL_JSON_WRITE_DEPTH_MAX / 64];
    tl_str last_key
        [TL_JSON_DEPTH_MAX]; /* of each open object, when sorted; deeper ones are not looked at */
} tl_json_writer;

/* Laid out as Python's json.dumps does: indent 0 with separators "," and ":". A wrong order of calls is our mistake
 * and asserted. indent 0 and sorted true is canonical JSON. Keys must live until their object ends. */
void tl_json_writer_init(tl_json_writer *w, tl_sb *sb, uint32_t indent, bool sorted);
void tl_json_put_object(tl_json_writer *w); /* ends with tl_json_put_end */
void tl_json_put_array(tl_json_writer *w);
void tl_json_put_end(tl_json_writer *w);
void tl_json_put_key(tl_json_writer *w, const char *key);
void tl_json_put_key_str(tl_json_writer *w, tl_str key);
void tl_json_put_null(tl_json_writer *w);
void tl_json_put_bool(tl_json_writer *w, bool value);
void tl_json_put_i64(tl_json_writer *w, int64_t value);
void tl_json_put_u64(tl_json_writer *w, uint64_t value);

/* Python's repr; finite (asserted); -0.0 is printed as -0.0. */
void tl_json_put_f64(tl_json_writer *w, double value);

/* Escapes as Python's json.dumps: non-ASCII as \uXXXX. A byte that is no UTF-8 becomes \ufffd. */
void tl_json_put_str(tl_json_writer *w, tl_str value);
void tl_json_put_cstr(tl_json_writer *w, const char *value); /* NULL writes null */

/* Lower-case hex as a string. */
void tl_json_put_hex(tl_json_writer *w, const void *bytes, size_t len);

/* Numbers as written, keys as they come, sorted or not: they are not ours. */
void tl_json_put_tree(tl_json_writer *w, const tl_json *value);

/* Text that is known to be one JSON value, as it is. */
void tl_json_put_raw(tl_json_writer *w, tl_str json);

/* tl_json_writer_done: assert that one whole value was written (JSON-3). */
void tl_json_writer_done(const tl_json_writer *w);

#ifdef __cplusplus
}
#endif

#endif
