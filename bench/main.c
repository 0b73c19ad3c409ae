/* tally_bench NAME PERCENT: one work, one process, so that its memory is its own.
 * tally_bench inputs PERCENT FOLDER: what the peers cannot make themselves: entries.bin, prices.csv, signals.jsonl,
 * signatures.bin. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"
#include "core/num/rng/rng.h"

#define ARENA_LEN_MAX ((size_t)8 << 30)

typedef tl_err (*work_fn)(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx);

static const struct {
    const char *name;
    work_fn run;
} works[] = {
    {"score", bench_score},
    {"correlation", bench_correlation},
    {"bootstrap", bench_bootstrap},
    {"yuma_256", bench_yuma_256},
    {"yuma_4096", bench_yuma_4096},
    {"postings", bench_postings},
    {"epoch_1000", bench_epoch},
    {"sr25519_verify", bench_sr25519_verify},
    {"sr25519_verify_seen", bench_sr25519_verify_seen},
    {"sr25519_batch", bench_sr25519_batch},
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

tl_err bench_time(bench_report *out, bench_run run, void *self, tl_errctx *ctx)
{
    enum { RUNS_MIN = 3, RUNS_MAX = 200 };
    tl_arena *scratch = NULL;
    TL_TRY(tl_arena_new(&scratch, NULL, ARENA_LEN_MAX, NULL, ctx));
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    double spent = 0.0;
    tl_err err = TL_OK;
    out->runs = 0;
    while (err == TL_OK && out->runs < RUNS_MAX && (out->runs < RUNS_MIN || spent < 1.0)) {
        const double start = now_s();
        err = run(self, scratch, ctx);
        const double took = now_s() - start;
        out->seconds = out->runs == 0 || took < out->seconds ? took : out->seconds;
        spent += took;
        out->runs++;
        tl_arena_rewind(scratch, mark);
    }
    tl_arena_free(scratch);
    return err;
}

void bench_units(double *out, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (double)(tl_splitmix64(&seed) >> 11) * 0x1p-53;
    }
}

void bench_returns(double *out, size_t n, uint64_t seed)
{
    bench_units(out, n, seed);
    for (size_t i = 0; i < n; i++) {
        out[i] = (out[i] - 0.49) * 0.06;
    }
}

static void print(const char *name, const bench_report *r)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("{\"name\":\"%s\",\"seconds\":%.9f,\"runs\":%u,\"threads\":%u,\"rss_mb\":%.1f,"
                 "\"figures\":[",
                 name, r->seconds, r->runs, r->threads, (double)usage.ru_maxrss / 1024.0);
    for (size_t i = 0; i < r->figure_count; i++) {
        (void)printf("%s%.17g", i > 0 ? "," : "", r->figures[i]);
    }
    (void)printf("]%s}\n", r->also != NULL ? r->also : "");
}

static tl_err open_in(FILE **out, const char *folder, const char *name, tl_errctx *ctx)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    *out = fopen(path, "wb");
    return *out != NULL ? TL_OK : tl_fail(ctx, TL_ERR_IO, "cannot write \"%s\"", path);
}

static tl_err close_all(FILE *const *files, size_t count, tl_errctx *ctx)
{
    bool is_fine = true;
    for (size_t i = 0; i < count; i++) {
        is_fine = (files[i] == NULL || fclose(files[i]) == 0) && is_fine;
    }
    return is_fine ? TL_OK : tl_fail(ctx, TL_ERR_IO, "cannot write the inputs");
}

static tl_err write_inputs(const char *folder, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    static const char *const names[4] = {"entries.bin", "prices.csv", "signals.jsonl",
                                         "signatures.bin"};
    FILE *files[4] = {NULL, NULL, NULL, NULL};
    tl_err err = TL_OK;
    for (size_t i = 0; i < 4 && err == TL_OK; i++) {
        err = open_in(&files[i], folder, names[i], ctx);
    }
    if (err == TL_OK) {
        err = bench_postings_write(files[0], arena, percent, ctx);
    }
    if (err == TL_OK) {
        err = bench_epoch_write(files[1], files[2], arena, percent, ctx);
    }
    if (err == TL_OK) {
        err = bench_sr25519_write(files[3], arena, percent, ctx);
    }
    const tl_err closed = close_all(files, 4, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static tl_err dispatch(int argc, char **argv, tl_arena *arena, tl_errctx *ctx)
{
    const unsigned percent = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
    if (argc > 3 && strcmp(argv[1], "inputs") == 0) {
        return write_inputs(argv[3], arena, percent, ctx);
    }
    for (size_t i = 0; argc > 1 && i < sizeof works / sizeof *works; i++) {
        if (strcmp(argv[1], works[i].name) == 0 && (percent == 10 || percent == 100)) {
            bench_report report = {.threads = 1};
            TL_TRY(works[i].run(&report, arena, percent, ctx));
            print(works[i].name, &report);
            return TL_OK;
        }
    }
    return tl_fail(ctx, TL_ERR_USAGE, "usage: tally_bench NAME 10|100");
}

int main(int argc, char **argv)
{
    tl_arena *arena = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_err err = tl_arena_new(&arena, NULL, ARENA_LEN_MAX, NULL, &ctx);
    if (err == TL_OK) {
        err = dispatch(argc, argv, arena, &ctx);
    }
    if (err != TL_OK) {
        (void)fprintf(stderr, "tally_bench: %s\n", ctx.message);
    }
    tl_arena_free(arena);
    return tl_err_exit(err);
}
