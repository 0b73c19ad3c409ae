/* objects: named bytes, in a folder or on an S3 server, behind one interface.
 * For         submissions, results, bundles: what is too large for a row and must outlive a crash
 * Takes       keys ("data/hotkey=…/epoch=…/zipcode=…/data_1.json"), bytes, the rules of a retention
 * Gives       objects with their SHA-256; copies named by their hash; URLs and forms that lend access for a while
 * Calls       io/sys, io/sigv4, io/net/client, core/crypto/hash, OpenSSL (HMAC)      Called by   app
 * Owns        its connections, its open files; the secrets in its options, wiped when it closes
 * Threads     a store serves any number of threads at once; a stream belongs to one
 * Invariants  OBJ-1 a key names an object of the store and nothing outside: no "..", no empty part, no control
 *             OBJ-2 an object is there wholly or not at all, and never changes: a second put replaces it
 *             OBJ-3 what tl_objects_keep has acknowledged has the bytes its name says, is durable, and no presigned form
 *                   or URL can write there
 *             OBJ-4 the suite of the room holds on both kinds of store
 *             OBJ-5 no secret stands in a message, a URL or a log
 * Read        key.c, folder.c and keep.c; then s3.c; then presign.c and post.c
 *
 *      raw                                            kept
 *      data/hotkey=5F…/epoch=…/zipcode=…/data_1.json  kept/sha256/ab/abcdef…    ◀── keep: hash verified, then durable
 *        ▲ presigned forms of miners write here         ▲ nobody but the coordinator; validators read by presigned GET
 *
 * Durability. A plain put into the folder is atomic but not synced unless is_durable asks for it: five hundred miners
 * upload within seconds, and what they upload counts only once it is kept. tl_objects_keep_many returns when all of its
 * objects are durable; calls from many threads share their syncs (keep.c). S3 is as durable as its server.
 *
 * Errors: NOT_FOUND (no such object), REFUSED (credentials, permission), STATE (is_new and it is there; a folder store
 * where a key's parent is an object), CORRUPT (bytes against their checksum), LIMIT (longer than asked for; an answer
 * beyond its limits), SYNTAX (a key; a URL), IO (disk, network, a server that fails after all retries), NOMEM,
 * INTERRUPTED. The field is the key.
 */
#ifndef TALLY_IO_OBJECTS_H
#define TALLY_IO_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "base/world/world.h"
#include "core/crypto/hash/hash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- keys (key.c) --- */

#define TL_OBJECTS_KEY_LEN_MAX  1024 /* S3's */
#define TL_OBJECTS_PART_LEN_MAX 255  /* between two slashes: a file name's */

/* tl_objects_check_key: 1 … 1,024 bytes of UTF-8 in parts between '/', each 1 … 255 bytes, none beginning with a dot;
 * no control characters, no backslash. TL_ERR_SYNTAX names the key. (OBJ-1) */
TL_MUST_USE tl_err tl_objects_check_key(tl_str key, tl_errctx *ctx);

/* Where kept objects lie: "kept/sha256/ab/" and 64 hexadecimal digits that begin with ab. */
#define TL_OBJECTS_KEPT_PREFIX  "kept/"
#define TL_OBJECTS_KEPT_KEY_LEN (12 + 3 + 64)

void tl_objects_kept_key(char out[TL_OBJECTS_KEPT_KEY_LEN + 1], const tl_hash32 *sha256);

/* --- a store (objects.c) --- */

typedef struct tl_objects tl_objects;

/* tl_objects_options: dir or s3_url, not both. Texts are copied; zero means the default. */
typedef struct tl_objects_options {
    const char *dir; /* the folder; made when it is missing */
    const char
        *s3_url; /* http://HOST:PORT/BUCKET or https://…; the bucket is made when it is missing */
    tl_str access_key;   /* S3: of AWS_ACCESS_KEY_ID … */
    tl_str secret_key;   /* … and AWS_SECRET_ACCESS_KEY */
    tl_str region;       /* us-east-1 */
    const char *ca_file; /* authorities of an https server in PEM; NULL: the machine's */
    const char *
        sign_file; /* folder: the key that signs its URLs and forms, 32 bytes made when it is missing; NULL:
                                there are no presigned URLs of this store */
    tl_str
        public_url; /* folder: what its URLs begin with, "https://host:port"; empty: they begin with "/" */
    tl_clock clock;     /* wall time of signatures and expiry; zero: the machine's */
    tl_entropy entropy; /* zero: the machine's */
    uint32_t
        timeout_ms; /* S3: of one attempt; TL_OBJECTS_TIMEOUT_MS, and 1 ms more for each 64 KiB of a body */
    uint32_t retries_max;   /* S3: after the first attempt; TL_OBJECTS_RETRIES; UINT32_MAX: none */
    uint32_t retry_base_ms; /* S3: first wait; TL_OBJECTS_RETRY_BASE_MS */
    size_t
        part_len; /* S3: longer streams go up in parts of this; TL_OBJECTS_PART_LEN, 5 MiB at least */
    bool
        is_existing; /* nothing is made: TL_ERR_NOT_FOUND when the folder or the bucket is missing */
} tl_objects_options;

#define TL_OBJECTS_TIMEOUT_MS    10000
#define TL_OBJECTS_RETRIES       5
#define TL_OBJECTS_RETRY_BASE_MS 200
#define TL_OBJECTS_PART_LEN      ((size_t)8 << 20)

/* tl_objects_read_env: fill access_key, secret_key and region from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_REGION (views of the environment). TL_ERR_MISSING when one of the first two is not set. */
TL_MUST_USE tl_err tl_objects_read_env(tl_objects_options *options, tl_errctx *ctx);

/* tl_objects_open: asks an S3 server for its bucket, so that wrong keys are told here. Further errors: RANGE (options),
 * SYNTAX (the URL). */
TL_MUST_USE tl_err tl_objects_open(tl_objects **out, const tl_objects_options *options,
                                   tl_errctx *ctx);
void tl_objects_close(tl_objects *store); /* NULL is fine */

bool tl_objects_is_folder(const tl_objects *store);

/* tl_objects_set_public_url: once its server knows its port; before other threads use the store. */
TL_MUST_USE tl_err tl_objects_set_public_url(tl_objects *store, tl_str url, tl_errctx *ctx);

/* tl_objects_probe: can the store be written and read now? For health routes: puts, reads and deletes a small object. */
TL_MUST_USE tl_err tl_objects_probe(tl_objects *store, tl_errctx *ctx);

/* --- objects --- */

typedef struct tl_objects_info {
    uint64_t bytes;
    int64_t modified_ms; /* wall time of the last put */
    bool has_sha256;     /* S3: not for objects that came without it, nor for those in parts */
    tl_hash32 sha256;
} tl_objects_info;

typedef struct tl_objects_put_options {
    tl_str content_type; /* S3 keeps it; application/octet-stream */
    bool is_new;         /* TL_ERR_STATE when the object is there (If-None-Match: *) */
    bool is_durable;     /* folder: synced before the call returns */
    uint64_t len_max;    /* streams: more is TL_ERR_LIMIT, nothing is kept; 0: TL_OBJECTS_LEN_MAX */
} tl_objects_put_options;

#define TL_OBJECTS_LEN_MAX ((uint64_t)5 << 40) /* S3's */

/* tl_objects_put: the whole object. options and out may be NULL. */
TL_MUST_USE tl_err tl_objects_put(tl_objects *store, tl_objects_info *out, tl_str key,
                                  tl_bytes bytes, const tl_objects_put_options *options,
                                  tl_errctx *ctx);

/* A put in pieces; its SHA-256 is computed on the way. The folder takes it to a temporary file, S3 in parts. */
typedef struct tl_objects_stream tl_objects_stream;

TL_MUST_USE tl_err tl_objects_stream_begin(tl_objects_stream **out, tl_objects *store, tl_str key,
                                           const tl_objects_put_options *options, tl_errctx *ctx);
TL_MUST_USE tl_err tl_objects_stream_write(tl_objects_stream *stream, tl_bytes piece,
                                           tl_errctx *ctx);
/* tl_objects_stream_finish: the object is there on TL_OK. The stream is gone, also when it fails. out may be NULL. */
TL_MUST_USE tl_err tl_objects_stream_finish(tl_objects_stream *stream, tl_objects_info *out,
                                            tl_errctx *ctx);
void tl_objects_stream_abort(tl_objects_stream *stream);         /* nothing is left; NULL is fine */
uint64_t tl_objects_stream_len(const tl_objects_stream *stream); /* bytes so far */

/* tl_objects_get: the whole object in the arena; longer than len_max: TL_ERR_LIMIT. */
TL_MUST_USE tl_err tl_objects_get(tl_objects *store, tl_bytes *out, tl_arena *arena, tl_str key,
                                  size_t len_max, tl_errctx *ctx);

/* tl_objects_get_range: bytes [offset, offset + len), fewer where the object ends; RANGE when it ends before offset. */
TL_MUST_USE tl_err tl_objects_get_range(tl_objects *store, tl_bytes *out, tl_arena *arena,
                                        tl_str key, uint64_t offset, size_t len, tl_errctx *ctx);

/* tl_objects_read: the whole object, piece by piece, in order; an error of take ends it with that error. out may be
 * NULL; its sha256 is of what was read. An object that is cut short is an error, never a short success. */
typedef tl_err (*tl_objects_take)(void *self, tl_bytes piece, tl_errctx *ctx);
TL_MUST_USE tl_err tl_objects_read(tl_objects *store, tl_objects_info *out, tl_str key,
                                   tl_objects_take take, void *self, tl_errctx *ctx);

/* tl_objects_open_fd: folder: an open descriptor of the object for sendfile or mmap, the caller's to close; out_len
 * its length. TL_ERR_STATE on S3. */
TL_MUST_USE tl_err tl_objects_open_fd(tl_objects *store, int *out, uint64_t *out_len, tl_str key,
                                      tl_errctx *ctx);

TL_MUST_USE tl_err tl_objects_head(tl_objects *store, tl_objects_info *out, tl_str key,
                                   tl_errctx *ctx);

/* tl_objects_delete: fine when it is not there. delete_many: any number of keys; the first error is told, the others
 * are deleted all the same. */
TL_MUST_USE tl_err tl_objects_delete(tl_objects *store, tl_str key, tl_errctx *ctx);
TL_MUST_USE tl_err tl_objects_delete_many(tl_objects *store, const tl_str *keys, size_t count,
                                          tl_errctx *ctx);

/* tl_objects_copy: within the store; replaces what is at to. */
TL_MUST_USE tl_err tl_objects_copy(tl_objects *store, tl_str from, tl_str to, tl_errctx *ctx);

/* --- lists (list.c) --- */

typedef struct tl_objects_item {
    tl_str key;
    uint64_t bytes;
    int64_t modified_ms;
} tl_objects_item;

typedef struct tl_objects_page {
    tl_objects_item *items; /* ascending by the keys' bytes */
    size_t count;
    bool has_more; /* go on with after = the last item's key */
} tl_objects_page;

#define TL_OBJECTS_PAGE_MAX 1000

/* tl_objects_list: objects whose keys begin with prefix (may be empty, may end inside a part) and come after `after`
 * (may be empty). count_max 1 … 1,000; 0: 1,000. */
TL_MUST_USE tl_err tl_objects_list(tl_objects *store, tl_objects_page *out, tl_arena *arena,
                                   tl_str prefix, tl_str after, size_t count_max, tl_errctx *ctx);

/* --- keeping (keep.c): OBJ-3 --- */

typedef struct tl_objects_keep_item {
    tl_str key;       /* the upload */
    tl_hash32 sha256; /* what it must be */
    uint64_t bytes;   /* how long it must be; at most TL_OBJECTS_KEEP_LEN_MAX */
} tl_objects_keep_item;

#define TL_OBJECTS_KEEP_LEN_MAX ((uint64_t)64 << 20)

/* tl_objects_keep_many: copy uploads to the places that their hashes name, all verified and durable on return; done
 * again, nothing changes but their age. Errors: NOT_FOUND, CORRUPT (hash or length differ) with the item's key as field
 * and its index as offset: none of these objects is then promised, those that were kept stay. */
TL_MUST_USE tl_err tl_objects_keep_many(tl_objects *store, const tl_objects_keep_item *items,
                                        size_t count, tl_errctx *ctx);

/* tl_objects_keep: one. */
TL_MUST_USE tl_err tl_objects_keep(tl_objects *store, tl_str key, const tl_hash32 *sha256,
                                   uint64_t bytes, tl_errctx *ctx);

/* tl_objects_keep_bytes: bytes at hand (a metadata.json): named by their hash, durable on return. */
TL_MUST_USE tl_err tl_objects_keep_bytes(tl_objects *store, tl_hash32 *out_sha256, tl_bytes bytes,
                                         tl_errctx *ctx);

/* --- lending access (presign.c, post.c) --- */

#define TL_OBJECTS_EXPIRES_MAX_S (7 * 86400) /* S3's */

/* tl_objects_presign: a URL that lets whoever has it GET or PUT this one object for so many seconds from now.
 * Folder: PUBLIC/objects/KEY?expires=SECONDS&signature=HEX, HMAC-SHA-256 under the sign file's key. S3: a query of
 * SigV4. Errors: STATE (a folder without a sign file), RANGE (expires_s), REFUSED (a PUT below kept/). */
typedef enum tl_objects_method { TL_OBJECTS_GET, TL_OBJECTS_PUT } tl_objects_method;

TL_MUST_USE tl_err tl_objects_presign(tl_objects *store, tl_str *out, tl_arena *arena,
                                      tl_objects_method method, tl_str key, uint32_t expires_s,
                                      tl_errctx *ctx);

/* tl_objects_check_url: folder: what a request to such a URL may do.
 *
 * out_key  the object's key, decoded, in the arena
 * method   "GET", "HEAD" (as GET) or "PUT"
 * path     the request's, still encoded: /objects/…
 * query    behind the '?'
 *
 * Errors: REFUSED (signature, expired, method), SYNTAX (path or query). The field is "signature", "expires" or "path". */
TL_MUST_USE tl_err tl_objects_check_url(tl_objects *store, tl_str *out_key, tl_arena *arena,
                                        tl_str method, tl_str path, tl_str query, tl_errctx *ctx);

/* tl_objects_field: one field of a form. */
typedef struct tl_objects_field {
    tl_str name;
    tl_str value;
} tl_objects_field;

#define TL_OBJECTS_POST_FIELDS 8

/* tl_objects_post: a form that lets whoever has it upload. Its sender adds a field "key" (or uses the one given, which
 * ends with ${filename}), then the file, as the last field, named "file". */
typedef struct tl_objects_post {
    tl_str url;
    size_t count;
    tl_objects_field fields
        [TL_OBJECTS_POST_FIELDS]; /* key, policy, x-amz-algorithm, -credential, -date, -signature */
    int64_t expires_ms;           /* wall time */
} tl_objects_post;

typedef struct tl_objects_post_rule {
    tl_str prefix;    /* keys begin with it; it ends with '/' */
    uint64_t len_min; /* bytes of a file */
    uint64_t len_max;
    uint32_t expires_s;
} tl_objects_post_rule;

/* tl_objects_presign_post: the same fields on both kinds of store: a policy in base64 signed as SigV4 says; the folder's
 * URL is PUBLIC/objects. Errors: as tl_objects_presign. */
TL_MUST_USE tl_err tl_objects_presign_post(tl_objects *store, tl_objects_post *out, tl_arena *arena,
                                           const tl_objects_post_rule *rule, tl_errctx *ctx);

/* tl_objects_grant: what a form that came back allows. */
typedef struct tl_objects_grant {
    tl_str key; /* in the arena; valid, below the form's prefix */
    uint64_t len_min;
    uint64_t len_max;
} tl_objects_grant;

/* tl_objects_check_post: folder: judge the fields of a form before its file is read.
 *
 * fields    all that stood before the file, in any order
 * filename  of the file part; takes the place of ${filename} in the key
 *
 * Every field must be one that the policy allows, as on S3. The length is the caller's to hold: put_options.len_max while
 * it streams, len_min at the end. Errors: REFUSED (signature, expired, a condition does not hold), MISSING, SYNTAX,
 * CANONICAL. The field is the form field. */
TL_MUST_USE tl_err tl_objects_check_post(tl_objects *store, tl_objects_grant *out, tl_arena *arena,
                                         const tl_objects_field *fields, size_t count,
                                         tl_str filename, tl_errctx *ctx);

/* --- retention (sweep.c) --- */

typedef struct tl_objects_rule {
    tl_str prefix;      /* the longest that fits a key counts */
    uint32_t age_max_s; /* since it was put or last kept; 0: for ever */
} tl_objects_rule;

#define TL_OBJECTS_RULES_MAX 32

typedef struct tl_objects_swept {
    uint64_t objects; /* deleted */
    uint64_t bytes;
    uint64_t parts; /* uploads in parts and temporary files that nobody finished within a day */
} tl_objects_swept;

/* tl_objects_sweep: delete what is older than its rule allows at now_ms. Objects without a rule stay. Stops at the first
 * error; what was deleted is told all the same. */
TL_MUST_USE tl_err tl_objects_sweep(tl_objects *store, tl_objects_swept *out,
                                    const tl_objects_rule *rules, size_t count, int64_t now_ms,
                                    tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#endif
