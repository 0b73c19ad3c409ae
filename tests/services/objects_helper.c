/* What the services' tests ask of our S3 client: one command a line on standard input, one line of JSON each.
 *
 *      put KEY FILE | get KEY FILE | keep KEY | list PREFIX | presign GET|PUT KEY SECONDS AGO
 *      post PREFIX MIN MAX SECONDS AGO
 *
 * Words are separated by tabs. AGO: so many seconds ago, to make what has expired. The store: argv[1], a URL of a bucket;
 * the keys come from the environment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/json.h"
#include "io/objects/objects.h"
#include "io/sys/sys.h"

enum { WORDS_MAX = 8, LINE_MAX_LEN = 8192 };

typedef struct helper {
    const char *url;
    tl_objects *store;
    tl_arena *arena;
    tl_json_writer w;
    tl_errctx ctx;
} helper;

static uint64_t number(tl_str word)
{
    uint64_t value = 0;
    return tl_str_parse_u64(&value, word) ? value : 0;
}

static tl_err write_piece(void *self, tl_bytes piece, tl_errctx *ctx)
{
    return fwrite(piece.ptr, 1, piece.len, (FILE *)self) == piece.len
               ? TL_OK
               : tl_fail(ctx, TL_ERR_IO, "cannot write the file");
}

static tl_err run_put(helper *h, const tl_str *words)
{
    tl_objects_stream *stream = NULL;
    tl_objects_info info;
    tl_str text;
    const char *path;
    TL_TRY(tl_str_copy_cstr(&path, h->arena, words[2], &h->ctx));
    TL_TRY(tl_sys_read_file(&text, h->arena, path, (size_t)1 << 29, &h->ctx));
    TL_TRY(tl_objects_stream_begin(&stream, h->store, words[1], NULL, &h->ctx));
    const tl_err err = tl_objects_stream_write(stream, tl_str_bytes(text), &h->ctx);
    if (err != TL_OK) {
        tl_objects_stream_abort(stream);
        return err;
    }
    TL_TRY(tl_objects_stream_finish(stream, &info, &h->ctx));
    tl_json_put_key(&h->w, "sha256");
    tl_json_put_hex(&h->w, info.sha256.b, sizeof info.sha256.b);
    return TL_OK;
}

static tl_err run_get(helper *h, const tl_str *words)
{
    tl_objects_info info;
    const char *path;
    TL_TRY(tl_str_copy_cstr(&path, h->arena, words[2], &h->ctx));
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return tl_fail(&h->ctx, TL_ERR_IO, "cannot write \"%s\"", path);
    }
    const tl_err err = tl_objects_read(h->store, &info, words[1], write_piece, file, &h->ctx);
    (void)fclose(file);
    if (err == TL_OK) {
        tl_json_put_key(&h->w, "sha256");
        tl_json_put_hex(&h->w, info.sha256.b, sizeof info.sha256.b);
    }
    return err;
}

static tl_err run_keep(helper *h, const tl_str *words)
{
    tl_objects_info info;
    char key[TL_OBJECTS_KEPT_KEY_LEN + 1];
    TL_TRY(tl_objects_read(h->store, &info, words[1], NULL, NULL, &h->ctx));
    TL_TRY(tl_objects_keep(h->store, words[1], &info.sha256, info.bytes, &h->ctx));
    tl_objects_kept_key(key, &info.sha256);
    tl_json_put_key(&h->w, "key");
    tl_json_put_cstr(&h->w, key);
    return TL_OK;
}

static tl_err run_list(helper *h, const tl_str *words)
{
    tl_objects_page page = {.count = 0};
    tl_str after = {0};
    tl_json_put_key(&h->w, "keys");
    tl_json_put_array(&h->w);
    do { /* short pages, so that they go on */
        const tl_err err = tl_objects_list(h->store, &page, h->arena, words[1], after, 3, &h->ctx);
        if (err != TL_OK) {
            tl_json_put_end(&h->w);
            return err;
        }
        for (size_t i = 0; i < page.count; i++) {
            tl_json_put_str(&h->w, page.items[i].key);
            after = page.items[i].key;
        }
    } while (page.has_more);
    tl_json_put_end(&h->w);
    return TL_OK;
}

/* A store whose clock is so many seconds behind. */
static tl_err open_ago(helper *h, tl_objects **out, tl_manual_clock *clock, tl_str ago)
{
    tl_objects_options options = {.s3_url = h->url};
    const tl_clock now = tl_sys_clock();
    TL_TRY(tl_objects_read_env(&options, &h->ctx));
    if (number(ago) > 0) {
        /* Its door needs the true time; what follows, the other. */
        options.clock = tl_manual_clock_start(clock, tl_clock_wall_ns(&now));
    }
    TL_TRY(tl_objects_open(out, &options, &h->ctx));
    clock->wall_ns -= (int64_t)number(ago) * 1000000000;
    return TL_OK;
}

static tl_err run_presign(helper *h, const tl_str *words)
{
    tl_objects *store = NULL;
    tl_manual_clock clock = {0};
    tl_str url = {0};
    TL_TRY(open_ago(h, &store, &clock, words[4]));
    const tl_objects_method method =
        tl_str_eq(words[1], TL_STR("PUT")) ? TL_OBJECTS_PUT : TL_OBJECTS_GET;
    const tl_err err = tl_objects_presign(store, &url, h->arena, method, words[2],
                                          (uint32_t)number(words[3]), &h->ctx);
    tl_objects_close(store);
    if (err == TL_OK) {
        tl_json_put_key(&h->w, "url");
        tl_json_put_str(&h->w, url);
    }
    return err;
}

static tl_err run_post(helper *h, const tl_str *words)
{
    tl_objects *store = NULL;
    tl_manual_clock clock = {0};
    tl_objects_post post;
    const tl_objects_post_rule rule = {words[1], number(words[2]), number(words[3]),
                                       (uint32_t)number(words[4])};
    TL_TRY(open_ago(h, &store, &clock, words[5]));
    const tl_err err = tl_objects_presign_post(store, &post, h->arena, &rule, &h->ctx);
    tl_objects_close(store);
    if (err != TL_OK) {
        return err;
    }
    tl_json_put_key(&h->w, "url");
    tl_json_put_str(&h->w, post.url);
    tl_json_put_key(&h->w, "fields");
    tl_json_put_object(&h->w);
    for (size_t i = 0; i < post.count; i++) {
        tl_json_put_key_str(&h->w, post.fields[i].name);
        tl_json_put_str(&h->w, post.fields[i].value);
    }
    tl_json_put_end(&h->w);
    return TL_OK;
}

static tl_err run(helper *h, const tl_str *words, size_t count)
{
    static const struct {
        const char *name;
        size_t words;
        tl_err (*run)(helper *h, const tl_str *words);
    } commands[] = {{"put", 3, run_put},   {"get", 3, run_get},         {"keep", 2, run_keep},
                    {"list", 2, run_list}, {"presign", 5, run_presign}, {"post", 6, run_post}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (tl_str_eq_cstr(words[0], commands[i].name) && count == commands[i].words) {
            return commands[i].run(h, words);
        }
    }
    return tl_fail(&h->ctx, TL_ERR_USAGE, "no such command");
}

static void answer(helper *h, tl_str line)
{
    tl_str words[WORDS_MAX];
    size_t count = 0;
    tl_sb sb;
    tl_str text;
    tl_str rest = line;
    while (count < WORDS_MAX && tl_str_split(&words[count], &rest, '\t')) {
        count++;
    }
    tl_errctx_reset(&h->ctx);
    tl_sb_init(&sb, h->arena);
    tl_json_writer_init(&h->w, &sb, 0, false);
    tl_json_put_object(&h->w);
    const tl_err err = count > 0 ? run(h, words, count) : TL_ERR_USAGE;
    tl_json_put_key(&h->w, "error");
    tl_json_put_cstr(&h->w, err == TL_OK ? NULL : tl_err_name(err));
    tl_json_put_key(&h->w, "message");
    tl_json_put_cstr(&h->w, h->ctx.message);
    tl_json_put_end(&h->w);
    if (tl_sb_finish(&text, &sb, NULL) == TL_OK) {
        (void)printf("%.*s\n", TL_STR_ARG(text));
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    helper h = {.url = argc > 1 ? argv[1] : ""};
    tl_objects_options options = {.s3_url = h.url, .part_len = (size_t)5 << 20};
    char line[LINE_MAX_LEN];
    if (tl_objects_read_env(&options, &h.ctx) != TL_OK ||
        tl_objects_open(&h.store, &options, &h.ctx) != TL_OK) {
        (void)fprintf(stderr, "%s\n", h.ctx.message);
        return tl_err_exit(h.ctx.code);
    }
    while (fgets(line, sizeof line, stdin) != NULL &&
           tl_arena_new(&h.arena, NULL, 0, NULL, NULL) == TL_OK) {
        const size_t len = strcspn(line, "\n");
        answer(&h, (tl_str){line, len});
        tl_arena_free(h.arena);
    }
    tl_objects_close(h.store);
    return 0;
}
