/* tally_fanout serve COUNT: so many axons in one process, each with a port, a hotkey and a store of nonces of its own.
 *     First line: {"port", "pid", "axons": ["127.0.0.1:PORT:SS58", …]}; serves until its standard input ends.
 * tally_fanout ask FILE: one dendrite asks all targets of the file (a line each) at once, Echo over v10, again and again;
 *     the time of a round is from the call to the last checked answer. Prints one line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/crypto/keypair/keypair.h"
#include "io/sys/sys.h"
#include "sdk/axon/axon.h"
#include "sdk/dendrite/dendrite.h"
#include "sdk/synapse/synapse.h"

enum { AXONS_MAX = 1024, LINE_MAX_LEN = 256, ROUNDS_MIN = 5, ROUNDS_MAX = 200, TEXT_LEN = 256 };

/* --- serving --- */

typedef struct served {
    tl_keypair *keys[AXONS_MAX];
    tl_axon *axons[AXONS_MAX];
    size_t count;
} served;

static tl_err start_one(served *s, size_t i, tl_errctx *ctx)
{
    char uri[32];
    const size_t len = tl_str_print(uri, sizeof uri, "//axon%zu", i);
    TL_TRY(tl_keypair_from_uri(&s->keys[i], tl_scheme_sr25519(), (tl_str){uri, len}, ctx));
    const tl_axon_settings settings = {.host = "127.0.0.1", .workers = 1, .key = s->keys[i]};
    TL_TRY(tl_axon_new(&s->axons[i], &settings, ctx));
    TL_TRY(tl_axon_attach_echo(s->axons[i], ctx));
    return tl_axon_start(s->axons[i], ctx);
}

static tl_err serve(size_t count, tl_errctx *ctx)
{
    static served s;
    for (s.count = 0; s.count < count; s.count++) {
        TL_TRY(start_one(&s, s.count, ctx));
    }
    (void)printf("{\"port\":%u,\"pid\":%d,\"axons\":[", tl_axon_port(s.axons[0]), (int)getpid());
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s\"127.0.0.1:%u:%s\"", i > 0 ? "," : "", tl_axon_port(s.axons[i]),
                     tl_axon_ss58(s.axons[i]));
    }
    (void)printf("]}\n");
    (void)fflush(stdout);
    while (getchar() != EOF) {
    }
    for (size_t i = 0; i < count; i++) {
        tl_axon_free(s.axons[i]);
        tl_keypair_free(s.keys[i]);
    }
    return TL_OK;
}

/* --- asking --- */

typedef struct asker {
    tl_arena *arena;
    tl_keypair *key;
    tl_dendrite *dendrite;
    tl_dendrite_target targets[AXONS_MAX];
    tl_dendrite_reply replies[AXONS_MAX];
    size_t count;
    tl_dendrite_query query;
} asker;

static tl_err read_targets(asker *a, const char *path, tl_errctx *ctx)
{
    tl_str rest = {NULL, 0};
    tl_str line = {NULL, 0};
    TL_TRY(tl_sys_read_file(&rest, a->arena, path, 1 << 20, ctx));
    while (tl_str_split(&line, &rest, '\n')) {
        if (tl_str_trim(line).len == 0) {
            continue;
        }
        if (a->count == AXONS_MAX) {
            return tl_fail(ctx, TL_ERR_LIMIT, "more than %d targets", AXONS_MAX);
        }
        TL_TRY(tl_dendrite_target_parse(&a->targets[a->count++], tl_str_trim(line), ctx));
    }
    return TL_OK;
}

static tl_err prepare(asker *a, const char *path, tl_errctx *ctx)
{
    static char input[TEXT_LEN + 32];
    static char text[TEXT_LEN + 1];
    tl_synapse_defs defs = {NULL, 0};
    tl_synapse *echo = NULL;
    memset(text, 'x', TEXT_LEN);
    (void)tl_str_print(input, sizeof input, "{\"a\":1,\"text\":\"%s\"}", text);
    TL_TRY(tl_arena_new(&a->arena, NULL, 0, NULL, ctx));
    TL_TRY(read_targets(a, path, ctx));
    TL_TRY(tl_keypair_from_uri(&a->key, tl_scheme_sr25519(), TL_STR("//Bob"), ctx));
    TL_TRY(tl_synapse_echo_set(&defs, a->arena, ctx));
    TL_TRY(tl_synapse_new(&echo, a->arena, tl_synapse_find(defs, TL_STR("Echo")), ctx));
    TL_TRY(tl_synapse_assign(echo, a->arena, tl_str_from_cstr(input), ctx));
    const tl_dendrite_options options = {.key = a->key, .parallel = AXONS_MAX};
    TL_TRY(tl_dendrite_new(&a->dendrite, &options, ctx));
    a->query = (tl_dendrite_query){.family = tl_auth_family_at(TL_AUTH_V10), .synapse = echo};
    return TL_OK;
}

/* An answer counts when it is good and the echo is right. */
static tl_err round_of(asker *a, tl_errctx *ctx)
{
    TL_TRY(tl_dendrite_ask_all(a->dendrite, a->arena, a->replies, a->targets, a->count, &a->query,
                               ctx));
    for (size_t i = 0; i < a->count; i++) {
        const tl_dendrite_reply *r = &a->replies[i];
        const tl_value *out = r->is_ok ? tl_synapse_field_get(r->synapse, TL_STR("out")) : NULL;
        if (out == NULL || out->kind != TL_VALUE_STR || out->text.len != TEXT_LEN) {
            return tl_fail(ctx, TL_ERR_CHECK, "target %zu: %.*s", i, TL_STR_ARG(r->error));
        }
    }
    return TL_OK;
}

static double cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static tl_err ask(const char *path, tl_errctx *ctx)
{
    static asker a;
    struct rusage usage;
    const tl_clock clock = tl_sys_clock();
    double best = 1e9;
    double best_cpu = 1e9;
    double first = 0.0;
    double spent = 0.0;
    unsigned rounds = 0;
    TL_TRY(prepare(&a, path, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(a.arena);
    while (rounds < ROUNDS_MAX && (rounds < ROUNDS_MIN || spent < 1.0)) {
        const int64_t start_ns = tl_clock_steady_ns(&clock);
        const double cpu = cpu_s();
        TL_TRY(round_of(&a, ctx));
        const double took = (double)(tl_clock_steady_ns(&clock) - start_ns) * 1e-9;
        best_cpu = cpu_s() - cpu < best_cpu ? cpu_s() - cpu : best_cpu;
        best = took < best ? took : best;
        first = rounds == 0 ? took : first;
        spent += took;
        rounds++;
        tl_arena_rewind(a.arena, mark);
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf(
        "{\"name\":\"dendrite_256\",\"seconds\":%.9f,\"runs\":%u,\"threads\":1,\"rss_mb\":%.1f,"
        "\"figures\":[%zu],\"first_s\":%.9f,\"cpu_s\":%.9f,\"mean_s\":%.9f}\n",
        best, rounds, (double)usage.ru_maxrss / 1024.0, a.count, first, best_cpu, spent / rounds);
    tl_dendrite_free(a.dendrite);
    tl_keypair_free(a.key);
    tl_arena_free(a.arena);
    return TL_OK;
}

int main(int argc, char **argv)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = TL_ERR_USAGE;
    uint64_t count = 0;
    if (argc == 3 && strcmp(argv[1], "serve") == 0 &&
        tl_str_parse_u64(&count, tl_str_from_cstr(argv[2])) && count > 0 && count <= AXONS_MAX) {
        err = serve(count, &ctx);
    } else if (argc == 3 && strcmp(argv[1], "ask") == 0) {
        err = ask(argv[2], &ctx);
    } else {
        (void)tl_fail(&ctx, err, "tally_fanout serve COUNT | ask FILE");
    }
    if (err != TL_OK) {
        (void)fprintf(stderr, "tally_fanout: %s\n", ctx.message);
    }
    return tl_err_exit(err);
}
