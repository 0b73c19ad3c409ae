/* yuma: the fixed load of chain spec 1.11, third epoch, one thread, in three forms; each must reach the spec's digest.
 * A tenth of the work is a subnet with a tenth of the entries: neurons and validators over the square root of ten. */
#include <string.h>

#include "bench.h"
#include "core/codec/hex/hex.h"
#include "core/consensus/yuma/test/workload.h"
#include "core/num/rng/rng.h"

static const char *const form_name[YUMA_FORM_COUNT] = {"classic", "yuma3", "liquid"};

typedef struct yuma_work {
    const yuma_workload *ready; /* two epochs have run */
    tl_yuma_output output;
    tl_hash32 digest;
} yuma_work;

static tl_err run(void *self, tl_arena *scratch, tl_errctx *ctx)
{
    yuma_work *w = (yuma_work *)self;
    yuma_workload third = *w->ready;
    return yuma_workload_run(&third, scratch, &w->output, ctx);
}

/* The same, and its digest: not timed. */
static tl_err run_digest(yuma_work *w, tl_arena *arena, tl_errctx *ctx)
{
    TL_TRY(run(w, arena, ctx));
    yuma_workload_digest(&w->digest, &w->output);
    return TL_OK;
}

static tl_err check_digest(const tl_hash32 *found, const char *wanted, tl_arena *arena,
                           tl_errctx *ctx)
{
    tl_sb sb;
    tl_str hex = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_hex_encode(&sb, found->b, sizeof found->b);
    TL_TRY(tl_sb_finish(&hex, &sb, ctx));
    return tl_str_eq_cstr(hex, wanted)
               ? TL_OK
               : tl_fail(ctx, TL_ERR_CHECK, "digest %.*s, not %s", TL_STR_ARG(hex), wanted);
}

/* A shape with about a tenth of the entries; they are counted by drawing them. */
static yuma_shape tenth_of(const yuma_shape *whole)
{
    yuma_shape s = *whole;
    s.n = (uint32_t)((double)whole->n * 0.31622776601683794);
    s.validators = (uint32_t)((double)whole->validators * 0.31622776601683794);
    s.entries = 0;
    uint64_t seed = 1;
    for (uint32_t i = 0; i < s.validators; i++) {
        (void)tl_splitmix64(&seed);
    }
    for (uint32_t i = 0; i < s.validators; i++) {
        const uint64_t density =
            s.density_min + tl_splitmix64(&seed) % (s.density_max - s.density_min + 1);
        for (uint32_t j = 0; j < s.n; j++) {
            s.entries += (tl_splitmix64(&seed) & 255) < density;
        }
    }
    return s;
}

static tl_err bench_form(bench_report *out, tl_arena *arena, const yuma_shape *shape, bool is_whole,
                         yuma_form form, tl_errctx *ctx)
{
    yuma_workload workload;
    tl_yuma_output before;
    TL_TRY(yuma_workload_new(&workload, arena, shape, form, ctx));
    TL_TRY(yuma_workload_run(&workload, arena, &before, ctx));
    TL_TRY(yuma_workload_run(&workload, arena, &before, ctx));
    yuma_work w = {.ready = &workload};
    TL_TRY(run_digest(&w, arena, ctx));
    if (is_whole) {
        TL_TRY(check_digest(&w.digest, shape->digest[form], arena, ctx));
    }
    for (size_t i = 0; i < shape->n; i++) { /* the peer's: where the incentives lie */
        out->figures[form] += (double)w.output.incentive_raw[i] * 0x1p-32 * (double)(i % 97);
        out->figures[form] += (double)w.output.dividends_raw[i] * 0x1p-32 * (double)(i % 89);
    }
    return bench_time(out, run, &w, ctx);
}

static tl_err bench_shape(bench_report *out, tl_arena *arena, unsigned percent, size_t index,
                          char also[256], tl_errctx *ctx)
{
    const bool is_whole = percent == 100;
    const yuma_shape shape = is_whole ? YUMA_SHAPES[index] : tenth_of(&YUMA_SHAPES[index]);
    double worst = 0.0;
    double seconds[YUMA_FORM_COUNT];
    for (unsigned form = 0; form < YUMA_FORM_COUNT; form++) {
        TL_TRY(bench_form(out, arena, &shape, is_whole, (yuma_form)form, ctx));
        seconds[form] = out->seconds;
        worst = out->seconds > worst ? out->seconds : worst;
    }
    out->seconds = worst;
    out->figure_count = YUMA_FORM_COUNT;
    (void)snprintf(also, 256, ",\"forms\":{\"%s\":%.9f,\"%s\":%.9f,\"%s\":%.9f}", form_name[0],
                   seconds[0], form_name[1], seconds[1], form_name[2], seconds[2]);
    out->also = also;
    return TL_OK;
}

tl_err bench_yuma_256(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    static char also[256];
    return bench_shape(out, arena, percent, YUMA_SHAPE_256, also, ctx);
}

tl_err bench_yuma_4096(bench_report *out, tl_arena *arena, unsigned percent, tl_errctx *ctx)
{
    static char also[256];
    return bench_shape(out, arena, percent, YUMA_SHAPE_4096, also, ctx);
}
