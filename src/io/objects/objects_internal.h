/* What the files of io/objects share: the store itself, and what each kind of it can do. */
#ifndef TALLY_IO_OBJECTS_INTERNAL_H
#define TALLY_IO_OBJECTS_INTERNAL_H

#include <limits.h>
#include <pthread.h>

#include "io/net/message/message.h"
#include "io/objects/objects.h"
#include "io/sigv4/sigv4.h"

#define TL__PARTS_DIR                                                                              \
    ".parts" /* of a folder store: files that are being written; no key begins with a dot */
#define TL__SIGN_KEY_LEN   32
#define TL__PART_AGE_MAX_S 86400 /* an upload that nobody finished in a day is nobody's */
#define TL__READ_STEP_LEN  ((size_t)1 << 18)
#define TL__FOLDER_ACCESS                                                                          \
    "tally" /* stands where S3 has an access key in the forms of a folder store */
#define TL__URL_PATH "/objects"
#define TL__SYNC_ALONE_COUNT                                                                       \
    4 /* up to so many objects are synced one by one; more share a sync of the file system */

/* --- the sync that many share (sync.c) ---
 * A sync counts for whoever asked before it began: started and finished number them. */
typedef struct tl__sync {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t ended;
    uint64_t started;
    uint64_t finished;
    uint64_t failed; /* the last that failed */
    int errnum;      /* its error */
    bool is_running;
} tl__sync;

void tl__sync_init(tl__sync *sync);
void tl__sync_deinit(tl__sync *sync);
/* All that was written below the file system of fd before this call is durable on TL_OK. */
tl_err tl__sync_wait(tl__sync *sync, int fd, const char *path, tl_errctx *ctx);

/* --- hashes of files that this process wrote or read (memo.c): they never change (OBJ-2) --- */
typedef struct tl__memo tl__memo;
tl__memo *tl__memo_new(void); /* NULL: no memory; all calls bear it and know nothing */
void tl__memo_free(tl__memo *memo);
void tl__memo_put(tl__memo *memo, int fd, const tl_hash32 *sha256);
bool tl__memo_get(tl__memo *memo, int fd, tl_hash32 *out);

typedef struct tl__s3 tl__s3;

struct tl_objects {
    tl_arena *arena; /* of its texts; used by one thread, at the start */
    tl_clock clock;
    tl_entropy entropy;
    tl_str public_url;
    bool is_folder;
    /* folder */
    const char *root;
    int root_fd;
    tl__sync sync;
    tl__memo *memo;
    pthread_rwlock_t
        keep_lock; /* read: a kept object is looked at and made younger; write: an old one is deleted */
    uint64_t kept_dirs[4]; /* bit n: kept/sha256/n is there, durable; atomic */
    uint64_t part_serial;  /* atomic: names of files being written */
    bool has_sign_key;
    uint8_t sign_key[TL__SIGN_KEY_LEN];
    char secret[TL_SIGV4_SECRET_LEN_MAX + 1]; /* what keys.secret_key views */
    /* S3 */
    tl__s3 *s3;
    tl_sigv4_keys keys; /* of forms too: a folder store signs them with its own */
    size_t part_len;
};

/* tl__objects_name: the key as an error's field and the message's object. */
#define tl__objects_fail(ctx, code, key, ...)                                                      \
    tl_err_is_set(tl__objects_fail_text(ctx, code, key, __VA_ARGS__))
tl_err tl__objects_fail_text(tl_errctx *ctx, tl_err code, tl_str key, const char *format, ...)
    TL_PRINTF(4, 5);

/* tl__objects_fail_errno: "cannot VERB "KEY": why". */
#define tl__objects_fail_errno(ctx, ...)                                                           \
    tl_err_is_set(tl__objects_fail_errno_text(ctx, __VA_ARGS__))
tl_err tl__objects_fail_errno_text(tl_errctx *ctx, int errnum, const char *verb, tl_str key);

int64_t tl__objects_now_s(const tl_objects *store);

/* --- a stream: what both kinds have, then each its own --- */
struct tl_objects_stream {
    tl_objects *store;
    tl_arena *arena;
    tl_str key;
    tl_objects_put_options options;
    tl_sha256_state hash;
    uint64_t len;
    bool has_failed;
    /* folder */
    int fd;
    char part[PATH_MAX];
    /* S3: what waits for the next part */
    uint8_t *buffer;
    size_t buffer_len;
    tl_str upload_id; /* empty before the first part went up */
    uint32_t part_count;
    struct tl__s3_part *parts;
};

/* --- the folder (folder.c, walk.c, keep.c) --- */
tl_err tl__folder_open(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx);
void tl__folder_close(tl_objects *store);
tl_err tl__folder_path(char out[PATH_MAX], const tl_objects *store, tl_str key, tl_errctx *ctx);
tl_err tl__folder_begin(tl_objects_stream *stream, tl_errctx *ctx);
tl_err tl__folder_write(tl_objects_stream *stream, tl_bytes piece, tl_errctx *ctx);
tl_err tl__folder_finish(tl_objects_stream *stream, const tl_hash32 *sha256, tl_objects_info *out,
                         tl_errctx *ctx);
void tl__folder_abort(tl_objects_stream *stream);
/* The object's file, open for reading; its length and time of change. */
tl_err tl__folder_open_object(int *out_fd, tl_objects_info *out, tl_objects *store, tl_str key,
                              tl_errctx *ctx);
tl_err tl__folder_delete(tl_objects *store, tl_str key, tl_errctx *ctx);
/* Delete it if it is still older than that; a keep that made it younger meanwhile wins (OBJ-3). */
tl_err tl__folder_delete_old(tl_objects *store, tl_str key, int64_t before_ms, bool *is_deleted,
                             tl_errctx *ctx);
tl_err tl__folder_list(tl_objects *store, tl_objects_page *out, tl_arena *arena, tl_str prefix,
                       tl_str after, size_t count_max, tl_errctx *ctx);
tl_err tl__folder_sweep_parts(tl_objects *store, uint64_t *count, int64_t now_ms, tl_errctx *ctx);
tl_err tl__folder_keep(tl_objects *store, const tl_objects_keep_item *items, size_t count,
                       tl_errctx *ctx);
/* A name for a new file in .parts. */
void tl__folder_part_name(char out[PATH_MAX], tl_objects *store);
/* Where the bytes of an open file come to: to take, or, NULL, to nobody. */
tl_err tl__folder_read_fd(tl_hash32 *out, int fd, uint64_t bytes, tl_str key, tl_objects_take take,
                          void *self, tl_errctx *ctx);

/* --- S3: the wire (s3.c), what is on it (xml.c), the calls (s3_objects.c, s3_parts.c, s3_many.c) --- */

#define TL__S3_FIELDS_MAX 8

/* tl__s3_request: one call. key empty: of the bucket. Views; borrowed until the call is over. */
typedef struct tl__s3_request {
    tl_str method;
    tl_str key;
    tl_str query; /* encoded */
    tl_http_header fields[TL__S3_FIELDS_MAX];
    size_t field_count;
    tl_bytes body;
    tl_hash32 body_sha256; /* of the body, computed by whoever has it */
    size_t answer_len_max; /* of the body; 0: TL__S3_TEXT_LEN_MAX */
} tl__s3_request;

#define TL__S3_TEXT_LEN_MAX ((size_t)8 << 20) /* a page of 1,000 keys is a fifth of that */

/* tl__s3_answer: in the caller's arena. */
typedef struct tl__s3_answer {
    uint16_t status;
    tl_http_headers headers;
    tl_bytes body;
    uint32_t attempts;
} tl__s3_answer;

/* tl__s3_send: any answer at all is TL_OK, after the retries; no answer is an error. */
tl_err tl__s3_send(tl_objects *store, tl__s3_answer *out, tl_arena *arena,
                   const tl__s3_request *request, tl_errctx *ctx);
/* tl__s3_ask: as tl__s3_send, and any status but 2xx is an error, in the server's words. */
tl_err tl__s3_ask(tl_objects *store, tl__s3_answer *out, tl_arena *arena,
                  const tl__s3_request *request, tl_errctx *ctx);
tl_err tl__s3_fail(const tl__s3_answer *answer, const tl__s3_request *request, tl_errctx *ctx);
void tl__s3_add(tl__s3_request *request, tl_str name, tl_str value);
/* tl__s3_date: "Sun, 06 Nov 1994 08:49:37 GMT" or "1994-11-06T08:49:37.123Z" as milliseconds; 0 for anything else. */
int64_t tl__s3_date(tl_str text);
/* x-amz-checksum-sha256 of a hash: base64, in the arena. */
tl_err tl__s3_checksum(tl_str *out, tl_arena *arena, const tl_hash32 *sha256, tl_errctx *ctx);

/* Many calls at once: a client lent out by the store, calls on it, and the client back. */
typedef struct tl__s3_flight tl__s3_flight;
tl_err tl__s3_lend(tl_objects *store, tl__s3_flight **out, tl_errctx *ctx);
void tl__s3_give_back(tl_objects *store, tl__s3_flight *flight);
/* tl__s3_launch: begin a call; index 0, 1, … TL__S3_FLIGHT_MAX - 1. The request must live until tl__s3_land. */
tl_err tl__s3_launch(tl__s3_flight *flight, size_t index, const tl__s3_request *request,
                     tl_errctx *ctx);
tl_err tl__s3_run(tl__s3_flight *flight, tl_errctx *ctx);
/* tl__s3_look: the answer of a call that is over: views until tl__s3_land. */
tl_err tl__s3_look(tl__s3_flight *flight, size_t index, tl__s3_answer *out, tl_errctx *ctx);
void tl__s3_land(tl__s3_flight *flight, size_t index);
#define TL__S3_FLIGHT_MAX 32

/* tl__xml: the elements of an answer, one after the other. */
typedef struct tl__xml {
    tl_str text;
    size_t at;
} tl__xml;
/* tl__xml_next: the next tag: its name and the text behind it, up to the next tag, undecoded. False at the end. */
bool tl__xml_next(tl__xml *xml, tl_str *name, bool *is_end, tl_str *text);
/* tl__xml_find: the text of the first element of that name; empty when there is none. */
tl_str tl__xml_find(tl_str xml, const char *name);
/* tl__xml_decode: without entities, in the arena; TL_ERR_SYNTAX for those that XML does not define by itself. */
tl_err tl__xml_decode(tl_str *out, tl_arena *arena, tl_str text, tl_errctx *ctx);
void tl__xml_put(tl_sb *sb, tl_str text); /* escaped */

tl_err tl__s3_open(tl_objects *store, const tl_objects_options *options, tl_errctx *ctx);
void tl__s3_close(tl_objects *store);
tl_err tl__s3_put(tl_objects *store, tl_objects_info *out, tl_str key, tl_bytes bytes,
                  const tl_hash32 *sha256, const tl_objects_put_options *options, tl_errctx *ctx);
tl_err tl__s3_begin(tl_objects_stream *stream, tl_errctx *ctx);
tl_err tl__s3_write(tl_objects_stream *stream, tl_bytes piece, tl_errctx *ctx);
tl_err tl__s3_finish(tl_objects_stream *stream, const tl_hash32 *sha256, tl_objects_info *out,
                     tl_errctx *ctx);
void tl__s3_abort(tl_objects_stream *stream);
tl_err tl__s3_read(tl_objects *store, tl_objects_info *out, tl_str key, uint64_t offset,
                   uint64_t len, tl_objects_take take, void *self, tl_errctx *ctx);
tl_err tl__s3_head(tl_objects *store, tl_objects_info *out, tl_str key, tl_errctx *ctx);
tl_err tl__s3_delete(tl_objects *store, tl_str key, tl_errctx *ctx);
tl_err tl__s3_delete_many(tl_objects *store, const tl_str *keys, size_t count, tl_errctx *ctx);
tl_err tl__s3_copy(tl_objects *store, tl_str from, tl_str to, tl_errctx *ctx);
tl_err tl__s3_list(tl_objects *store, tl_objects_page *out, tl_arena *arena, tl_str prefix,
                   tl_str after, size_t count_max, tl_errctx *ctx);
tl_err tl__s3_sweep_parts(tl_objects *store, uint64_t *count, int64_t now_ms, tl_errctx *ctx);
tl_err tl__s3_keep(tl_objects *store, const tl_objects_keep_item *items, size_t count,
                   tl_errctx *ctx);
tl_err tl__s3_presign(tl_objects *store, tl_str *out, tl_arena *arena, tl_str method, tl_str key,
                      uint32_t expires_s, tl_errctx *ctx);
/* The bucket's URL, and its name. */
tl_err tl__s3_url(const tl_objects *store, tl_str *out, tl_arena *arena, tl_errctx *ctx);
tl_str tl__s3_bucket(const tl_objects *store);

/* What a form's policy calls the bucket: of a folder, "tally". */
tl_str tl__objects_bucket(const tl_objects *store);

#endif
