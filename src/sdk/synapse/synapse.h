/* synapse: typed messages of the v10 wire, each from one description.
 * For         parse, validate, default, serialise, hash and document a message without writing that code again
 * Takes       a tl_synapse_spec (a table in C, or docs/synapse-file.md's JSON), headers and bodies of strangers
 * Gives       a tl_synapse; headers and bodies byte for byte as the SDK's; text about the definition
 * Calls       base, core/codec, core/crypto/hash, io/net/message, sdk/value
 * Called by   sdk/auth, sdk/axon, sdk/dendrite, app/cli
 * Owns        nothing: definitions and messages live in the arena that they were made in; texts of a parsed message
 *             look into the body or the headers, which must live as long
 * Threads     a finished definition is only read, by anyone; one message, one thread
 * Invariants  SYN-1 a message that was made or parsed holds, in each field, a value of the field's type (None while a
 *                   required one waits; {} for a nested model or tensor in a message made of headers)
 *             SYN-2 a hashed field exists; the hash takes the fields in the order of the definition's hash list
 *             SYN-3 no header value that leaves holds CR, LF or NUL, or a character beyond Latin-1
 * Read        define.c, then check.c, then parse.c, then write.c
 *
 * (Wire spec section 1.)  The life of a message:
 *
 *      client   tl_synapse_new ─▶ tl_synapse_assign ─▶ fill timeout, axon, dendrite ─▶ tl_synapse_body_hash ─▶ sign
 *               ─▶ tl_synapse_put_headers ─▶ tl_synapse_request_body … answer … ─▶ tl_synapse_take_response
 *      server   tl_synapse_from_headers ─▶ verify ─▶ tl_synapse_from_body ─▶ tl_synapse_body_hash == header
 *               ─▶ handler ─▶ tl_synapse_response_body, tl_synapse_put_headers     (a model made from the body)
 *               refused at any step: tl_synapse_error_body, tl_synapse_put_headers (the model made from the headers)
 *
 * Who sent a message is what its verified headers say, never what stands in its body: "dendrite" and "axon" in a body
 * are figures to send back, and nothing else reads them.
 *
 * Where we differ from the SDK: a nested model or a tensor whose required header holds {} counts as given (the SDK
 * fails there with 500 for each of its own clients); "axon" or "dendrite" null in a body is one without figures;
 * header names count by their beginning, not by a part of them. NaN and equal keys: sdk/value.
 */
#ifndef TALLY_SDK_SYNAPSE_H
#define TALLY_SDK_SYNAPSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "io/net/message/message.h"
#include "sdk/value/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- what a message is: the description --- */

/* tl_synapse_field_spec: one field. type is Python's annotation: str int float bool any tensor, list list[T] tuple
 * tuple[T] dict dict[T] (keys are text), the name of a model; T? or T | None or Optional[T] take None too. */
typedef struct tl_synapse_field_spec {
    const char *name;
    const char *type;
    const char *value; /* the default as JSON text; NULL: the field is required */
    const char *doc;   /* a sentence; NULL none */
} tl_synapse_field_spec;

/* tl_synapse_spec: one message, or one nested model (which uses name, fields and refuses_unknown only). A static table
 * in C; zeroed fields mean none. */
typedef struct tl_synapse_spec {
    const char *name; /* the class name and the path: letters, digits and '_' */
    const char *doc;
    const char
        *versions; /* for negotiation: the highest minor of each major, "1.2, 2.0"; NULL is "1.0" */
    const tl_synapse_field_spec *fields;
    size_t field_count;
    const char *const *hashed; /* names of fields, in the order in which they are hashed */
    size_t hashed_count;
    const struct tl_synapse_spec *models; /* the nested ones that types name */
    size_t model_count;
    bool is_streaming; /* the answer is a stream of chunks */
    bool
        refuses_unknown; /* a key that no field has is an error; false: ignored, as on the SDK's wire */
} tl_synapse_spec;

enum { /* limits of a description */
       TL_SYNAPSE_FIELDS_MAX = 256,
       TL_SYNAPSE_MODELS_MAX = 64,
       TL_SYNAPSE_NAME_MAX = 128, /* bytes of a name */
       TL_SYNAPSE_TYPE_DEPTH_MAX = 16,
       TL_SYNAPSE_KEYS_MAX = 4096, /* of a body or a nested model, known or not */
       TL_SYNAPSE_DEFS_MAX = 1024  /* in one set */
};

typedef enum tl_synapse_kind {
    TL_SYNAPSE_ANY,
    TL_SYNAPSE_BOOL,
    TL_SYNAPSE_INT,
    TL_SYNAPSE_FLOAT,
    TL_SYNAPSE_STR,
    TL_SYNAPSE_LIST,
    TL_SYNAPSE_TUPLE,
    TL_SYNAPSE_DICT,
    TL_SYNAPSE_TENSOR, /* a dict with buffer, dtype, shape; its buffer is looked at by sdk/tensor */
    TL_SYNAPSE_MODEL
} tl_synapse_kind;

typedef struct tl_synapse_model tl_synapse_model;

/* tl_synapse_type: what a field takes. */
typedef struct tl_synapse_type {
    tl_synapse_kind kind;
    bool is_optional;                   /* None too */
    const struct tl_synapse_type *item; /* LIST, TUPLE, DICT: of each item; NULL: any */
    const tl_synapse_model *model;      /* MODEL */
} tl_synapse_type;

typedef struct tl_synapse_field {
    tl_str name;
    tl_str doc;
    tl_str type_text;
    tl_synapse_type type;
    bool is_required;
    tl_value value; /* the default; None when required */
} tl_synapse_field;

struct tl_synapse_model {
    tl_str name;
    const tl_synapse_field *fields;
    size_t field_count;
    bool refuses_unknown;
};

/* tl_synapse_version: of a definition. */
typedef struct tl_synapse_version {
    uint32_t major;
    uint32_t minor;
} tl_synapse_version;

/* tl_synapse_def: a description that was checked. Read only. */
typedef struct tl_synapse_def {
    tl_synapse_model model; /* name and own fields */
    tl_str doc;
    const tl_synapse_version *versions; /* at least one; majors ascend */
    size_t version_count;
    const size_t *hashed; /* indexes of fields, in the order in which they are hashed (SYN-2) */
    size_t hashed_count;
    bool is_streaming;
} tl_synapse_def;

/* tl_synapse_define: check a description. Errors name the field: TL_ERR_SYNTAX (name, type, default's JSON),
 * TL_ERR_UNKNOWN (model, hashed field), TL_ERR_DUPLICATE, TL_ERR_TYPE (a default of another type), TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_synapse_define(const tl_synapse_def **out, tl_arena *arena,
                                     const tl_synapse_spec *spec, tl_errctx *ctx);

/* tl_synapse_defs: a set of definitions, in the order in which they were attached; names differ. */
typedef struct tl_synapse_defs {
    const tl_synapse_def *const *at;
    size_t count;
} tl_synapse_defs;

/* tl_synapse_find: the definition of that name (case counts), or NULL. */
const tl_synapse_def *tl_synapse_find(tl_synapse_defs defs, tl_str name);

/* tl_synapse_base: the message without fields of its own, /Synapse, the ping. Static. */
const tl_synapse_def *tl_synapse_base(void);

/* tl_synapse_echo_set: Synapse, Echo, Slow, Stream, Boom (cli spec, --echo). */
TL_MUST_USE tl_err tl_synapse_echo_set(tl_synapse_defs *out, tl_arena *arena, tl_errctx *ctx);

/* tl_synapse_load: definitions from a file's text (docs/synapse-file.md), behind those of known, which may be empty.
 * TL_ERR_DUPLICATE when a name is known already. */
TL_MUST_USE tl_err tl_synapse_load(tl_synapse_defs *out, tl_arena *arena, tl_synapse_defs known,
                                   tl_str json, tl_errctx *ctx);

/* tl_synapse_put_doc: the definition as text for people: fields, types, defaults, what is hashed, an example. */
void tl_synapse_put_doc(tl_sb *sb, const tl_synapse_def *def);

/* --- a message --- */

/* tl_terminal: who speaks, in the order of the wire. Each is TL_VALUE_NONE when absent; status_code, port, version and
 * nonce are INT or BIGINT (the canonical figure, which is what gets signed: tl_value_put_str), process_time is FLOAT,
 * the others are STR. */
typedef struct tl_terminal {
    tl_value status_code;
    tl_value status_message;
    tl_value process_time; /* seconds */
    tl_value ip;
    tl_value port;
    tl_value version;
    tl_value nonce; /* Unix time in ns */
    tl_value uuid;
    tl_value hotkey;    /* SS58 */
    tl_value signature; /* "0x" and hex */
} tl_terminal;

/* tl_synapse: a message. Plain: fill what the wire wants; fields has one value for each of def->model.fields. */
typedef struct tl_synapse {
    const tl_synapse_def *def;
    tl_value timeout;     /* FLOAT seconds, or None */
    tl_value total_size;  /* INT, or None; informative, never checked */
    tl_value header_size; /* INT, or None; informative, never checked */
    tl_terminal dendrite;
    tl_terminal axon;
    tl_value computed_body_hash; /* STR, or None */
    tl_value *fields;
} tl_synapse;

#define TL_SYNAPSE_TIMEOUT_S 12.0 /* of a new message */

/* tl_synapse_new: a message with every default; a required field is None until it is assigned. */
TL_MUST_USE tl_err tl_synapse_new(tl_synapse **out, tl_arena *arena, const tl_synapse_def *def,
                                  tl_errctx *ctx);

/* tl_synapse_field: the value of a field by name, or NULL. */
const tl_value *tl_synapse_field_get(const tl_synapse *synapse, tl_str name);

/* tl_synapse_set: one field, validated (SYN-1). TL_ERR_UNKNOWN, TL_ERR_TYPE and TL_ERR_RANGE name it. */
TL_MUST_USE tl_err tl_synapse_set(tl_synapse *synapse, tl_arena *arena, tl_str name,
                                  const tl_value *value, tl_errctx *ctx);

/* tl_synapse_assign: fields from a JSON object, for a message that is to be sent: unknown names are refused, and after
 * it each required field must hold something (TL_ERR_MISSING). */
TL_MUST_USE tl_err tl_synapse_assign(tl_synapse *synapse, tl_arena *arena, tl_str json,
                                     tl_errctx *ctx);

/* tl_synapse_from_headers: the message that the headers of a request make: terminals, figures, and an empty value of
 * its type for each required field.
 *
 * is_lenient  a v10 header that comes twice: false refuses it, true takes the first (compatibility mode)
 * Errors: TL_ERR_DUPLICATE (status 400); TL_ERR_SYNTAX, TL_ERR_TYPE, TL_ERR_MISSING (a required field has no
 * bt_header_input_obj_) name the header (status 500).
 */
TL_MUST_USE tl_err tl_synapse_from_headers(tl_synapse **out, tl_arena *arena,
                                           const tl_synapse_def *def, tl_http_headers headers,
                                           bool is_lenient, tl_errctx *ctx);

/* tl_synapse_from_body: the message that a request's body makes; its "name" is overwritten by the definition's.
 *
 * limits  of the JSON; NULL: those of sdk/value
 * Errors: TL_ERR_SYNTAX, TL_ERR_ENCODING, TL_ERR_LIMIT: no JSON that we take (status 422). TL_ERR_MISSING, TL_ERR_TYPE,
 * TL_ERR_RANGE, TL_ERR_UNKNOWN: it fails validation (status 500); the field is named.
 */
TL_MUST_USE tl_err tl_synapse_from_body(tl_synapse **out, tl_arena *arena,
                                        const tl_synapse_def *def, tl_str body,
                                        const tl_value_limits *limits, tl_errctx *ctx);

#define TL_SYNAPSE_HASH_CAP 65 /* 64 hex digits and a NUL */

/* tl_synapse_body_hash: wire spec section 1.5, lower-case hex. scratch is rewound. */
TL_MUST_USE tl_err tl_synapse_body_hash(char out[TL_SYNAPSE_HASH_CAP], const tl_synapse *synapse,
                                        tl_arena *scratch, tl_errctx *ctx);

/* tl_synapse_put_headers: the headers of a request or an answer in the order of the wire: name, timeout,
 * bt_header_axon_*, bt_header_dendrite_*, bt_header_input_obj_*, header_size, total_size, computed_body_hash; sets
 * synapse->total_size as the SDK does (so a request's headers are made before its body, an answer's after).
 * Errors: TL_ERR_ENCODING names a figure that no header can carry (SYN-3). */
TL_MUST_USE tl_err tl_synapse_put_headers(tl_http_headers *out, tl_arena *arena,
                                          tl_synapse *synapse, tl_errctx *ctx);

/* tl_synapse_request_body: the whole model as json.dumps writes it. */
TL_MUST_USE tl_err tl_synapse_request_body(tl_str *out, tl_arena *arena, const tl_synapse *synapse,
                                           tl_errctx *ctx);

/* tl_synapse_response_body: the whole model, compact UTF-8. TL_ERR_RANGE names a field with nan or infinity. */
TL_MUST_USE tl_err tl_synapse_response_body(tl_str *out, tl_arena *arena, const tl_synapse *synapse,
                                            tl_errctx *ctx);

/* tl_synapse_error_body: {"message":"…"}. */
TL_MUST_USE tl_err tl_synapse_error_body(tl_str *out, tl_arena *arena, tl_str message,
                                         tl_errctx *ctx);

/* tl_synapse_take_response: what an answer makes of the message that was sent (wire spec section 3.2). Status 200: the
 * model is rebuilt from the body, a field left out falls to its default; otherwise axon.status_* are the status and
 * the body's "message". Then figures of the headers override. dendrite.status_* become axon's, None if neither had it.
 *
 * content_type  the header's value, empty if there is none: application/json or …+json, with any parameters
 * Errors: what the SDK answers with 422, "Failed to parse response: …"; synapse may then be half taken.
 */
TL_MUST_USE tl_err tl_synapse_take_response(tl_synapse *synapse, tl_arena *arena, int status,
                                            tl_str content_type, tl_http_headers headers,
                                            tl_str body, const tl_value_limits *limits,
                                            tl_errctx *ctx);

/* tl_synapse_take_stream_end: the same for a stream of status 200, whose figures stand in its headers alone. */
TL_MUST_USE tl_err tl_synapse_take_stream_end(tl_synapse *synapse, tl_arena *arena,
                                              tl_http_headers headers, tl_errctx *ctx);

/* --- versions: a header of our own, which others ignore --- */

#define TL_SYNAPSE_VERSION_HEADER "x-tally-synapse-version"

/* tl_synapse_negotiate: which version serves the caller. asked is the header's value: the highest minor of each major
 * that the caller speaks, "1.2, 2.0". The highest common major, and the lower of the two minors.
 * Errors: TL_ERR_VERSION when no major is common (status 426, ours in the message and by tl_synapse_put_versions),
 * TL_ERR_SYNTAX (status 400). */
TL_MUST_USE tl_err tl_synapse_negotiate(tl_synapse_version *out, const tl_synapse_def *def,
                                        tl_str asked, tl_errctx *ctx);

/* tl_synapse_put_versions: ours, as the header's value. */
void tl_synapse_put_versions(tl_sb *sb, const tl_synapse_def *def);

#ifdef __cplusplus
}
#endif

#endif
