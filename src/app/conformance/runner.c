/* The runner: a vector file is read, each case is computed and compared, and the sink is told. */
#include "app/conformance/conformance.h"

#include "io/sys/sys.h"

/* What all cases of a file share. */
typedef struct file_run {
    tl_str file;
    const tl_conform_kind *kind;
    tl_str data_dir;
    tl_conform_tables *tables;
    tl_arena *arena;
    const tl_conform_sink *sink;
} file_run;

tl_err tl_conform_actual(tl_str *out, const tl_conform_kind *kind, const tl_json *input,
                         tl_conform_env *env, tl_errctx *ctx)
{
    tl_sb sb;
    tl_sb_init(&sb, env->arena);
    tl_json_writer writer;
    tl_json_writer_init(&writer, &sb, 0, false);
    TL_TRY(kind->run(&writer, input, env, ctx));
    TL_TRY(tl_sb_finish(out, &sb, ctx));
    tl_json_writer_done(&writer);
    return TL_OK;
}

/* Compute and compare; what the kind itself fails with becomes the case's error. */
static tl_err judge(tl_conform_case *result, tl_conform_diff diffs[TL_CONFORM_DIFFS_MAX],
                    const tl_json *item, tl_conform_env *env, const file_run *run, tl_errctx *ctx)
{
    const tl_json *input;
    TL_TRY(tl_json_want(&input, item, "input", TL_JSON_OBJECT, ctx));
    const tl_json *expect = tl_json_get(item, "expect");
    if (expect == NULL) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "expect", "a case has no expect");
    }
    tl_str text;
    tl_errctx *own = TL_NEW(env->arena, tl_errctx, 1);
    if (own == NULL) {
        return tl_arena_fail(env->arena, ctx);
    }
    result->error = tl_conform_actual(&text, run->kind, input, env, own);
    if (result->error == TL_ERR_NOMEM || result->error == TL_ERR_INTERRUPTED) {
        return tl_fail(ctx, result->error, "%s", own->message); /* says nothing about the case */
    }
    if (result->error != TL_OK) {
        result->message = own->message;
        return TL_OK;
    }
    const tl_json *actual;
    TL_TRY(tl_json_parse(&actual, env->arena, text, NULL, ctx));
    TL_TRY(tl_conform_compare(diffs, &result->diff_count_full, expect, actual,
                              tl_json_get(item, "tolerance"), env->arena, ctx));
    result->diffs = diffs;
    result->diff_count = result->diff_count_full < TL_CONFORM_DIFFS_MAX ? result->diff_count_full
                                                                        : TL_CONFORM_DIFFS_MAX;
    result->is_passed = result->diff_count_full == 0;
    return TL_OK;
}

static tl_err run_case(const file_run *run, const tl_json *item, tl_errctx *ctx)
{
    tl_conform_case result = {.file = run->file, .kind = tl_str_from_cstr(run->kind->name)};
    TL_TRY(tl_json_want_str(&result.id, item, "id", ctx));
    tl_arena *arena;
    TL_TRY(tl_arena_new(&arena, run->arena, 0, NULL, ctx));
    tl_conform_env env = {arena, run->data_dir, run->tables};
    tl_conform_diff diffs[TL_CONFORM_DIFFS_MAX];
    tl_err err = judge(&result, diffs, item, &env, run, ctx);
    if (err == TL_OK) {
        err = run->sink->on_case(run->sink->self, &result, ctx);
    }
    tl_arena_free(arena);
    return err;
}

static tl_err run_cases(file_run *run, const tl_json *root, tl_errctx *ctx)
{
    tl_str schema;
    tl_str kind;
    const tl_json *cases;
    TL_TRY(tl_json_want_str(&schema, root, "schema", ctx));
    if (!tl_str_eq(schema, TL_STR("tally-vectors/1"))) {
        return tl_fail_field(ctx, TL_ERR_VERSION, "schema",
                             "schema is \"%.*s\", known is \"tally-vectors/1\"",
                             TL_STR_ARG(schema));
    }
    TL_TRY(tl_json_want_str(&kind, root, "kind", ctx));
    run->kind = tl_conform_find(kind);
    if (run->kind == NULL) { /* CONF-1 */
        return tl_fail_field(ctx, TL_ERR_UNKNOWN, "kind", "unknown kind of vectors \"%.*s\"",
                             TL_STR_ARG(kind));
    }
    TL_TRY(tl_json_want(&cases, root, "cases", TL_JSON_ARRAY, ctx));
    if (cases->count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "cases", "there is no case in cases");
    }
    for (uint32_t i = 0; i < cases->count; i++) {
        TL_TRY(tl_sys_check_interrupt(ctx));
        const tl_err err = run_case(run, &cases->items[i], ctx);
        if (err != TL_OK) {
            tl_errctx_under(ctx, "cases[%u]", i);
            return err;
        }
    }
    return TL_OK;
}

tl_err tl_conform_file(const char *path, tl_str data_dir, tl_conform_tables *tables,
                       tl_arena *arena, const tl_conform_sink *sink, tl_errctx *ctx)
{
    tl_arena *file_arena;
    TL_TRY(tl_arena_new(&file_arena, arena, 0, NULL, ctx));
    file_run run = {tl_str_from_cstr(path), NULL, data_dir, tables, file_arena, sink};
    tl_str text;
    tl_err err = tl_sys_read_text(&text, file_arena, path, TL_SYS_FILE_LEN_MAX, ctx);
    if (err == TL_OK) {
        const tl_json *root = NULL;
        const tl_json_options lax = {.allow_nonfinite = true}; /* listings as Python writes them */
        err = tl_json_parse(&root, file_arena, text, &lax, ctx);
        if (err == TL_OK) {
            err = run_cases(&run, root, ctx);
        }
        if (err != TL_OK) {
            tl_errctx_wrap(ctx, "%s", path);
        }
    }
    tl_arena_free(file_arena);
    return err;
}
