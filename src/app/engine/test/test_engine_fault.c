/* Attacks the disk under a state folder: the n-th write or sync of the database fails, for n = 1, 2, 3 … until a step goes
 * well, and files that may not grow. After each failure the ledger in memory is the journal on disk (ENG-4), nothing of
 * the step is there (ENG-2), and the same step asked for again succeeds (ENG-3). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine_world.h"
#include "io/store/test/fault_vfs.h"
#include "io/sys/sys.h"

enum { POINTS_MAX = 200 };

typedef struct fixture {
    tl_arena *arena;
    const char *home;
    const char *dir;
    engine_world world;
    tl_engine *engine;
    tl_fault *fault;
} fixture;

static void open_engine(fixture *f)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_engine_open(&f->engine, f->arena, f->dir, true, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

static int set_up(void **state)
{
    static fixture f;
    tl_fault *fault = f.fault != NULL ? f.fault : tl_fault_install();
    f = (fixture){.fault = fault};
    const random_world_options options = {
        .miners = 3, .epochs = 1, .tickers = 6, .emission_rao = 1000000000000};
    assert_int_equal(tl_arena_new(&f.arena, NULL, (size_t)8 << 30, NULL, NULL), TL_OK);
    const bool has_shm = access("/dev/shm", W_OK) == 0;
    assert_int_equal(tl_sys_make_fresh_dir(
                         &f.home, f.arena,
                         has_shm ? "/dev/shm/tally-test-engine" : "/tmp/tally-test-engine", NULL),
                     TL_OK);
    assert_int_equal(tl_sys_join(&f.dir, f.arena, f.home, "state", NULL), TL_OK);
    assert_int_equal(engine_world_make(&f.world, f.arena, 11, &options, NULL), TL_OK);
    open_engine(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    const fixture *f = (const fixture *)*state;
    f->fault->at = 0;
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    tl_sb sb;
    tl_str command = {NULL, 0};
    tl_sb_init(&sb, f->arena);
    tl_sb_printf(&sb, "rm -r '%s'", f->home);
    assert_int_equal(tl_sb_finish(&command, &sb, NULL), TL_OK);
    assert_int_equal(system(command.ptr), 0);
    tl_arena_free(f->arena);
    return 0;
}

static tl_ledger_report books(const fixture *f)
{
    tl_ledger_report report = {0};
    assert_int_equal(tl_ledger_verify(&report, tl_engine_borrow_ledger(f->engine), f->arena, NULL),
                     TL_OK);
    assert_true(report.is_balanced);
    return report;
}

/* One step; true when it went well. */
typedef tl_err (*step_fn)(fixture *f, tl_errctx *ctx);

static tl_err begin_step(fixture *f, tl_errctx *ctx)
{
    return engine_world_begin(f->engine, &f->world, 0, ctx);
}

static tl_err submit_step(fixture *f, tl_errctx *ctx)
{
    const tl_str *lines = NULL;
    tl_engine_receipt receipt = {0};
    TL_TRY(engine_world_lines(&lines, &f->world, 0, ctx));
    return tl_engine_submit(f->engine, &receipt, f->arena, lines[0], ctx);
}

static tl_err settle_step(fixture *f, tl_errctx *ctx)
{
    tl_assembled out = {0};
    return engine_world_settle(&out, f->engine, &f->world, 0, engine_world_close(0), 0, ctx);
}

/* How often the step failed before it went well. */
static size_t fail_until_well(fixture *f, step_fn step)
{
    const tl_ledger_report before = books(f);
    for (size_t n = 1; n < POINTS_MAX; n++) {
        tl_errctx ctx = TL_ERRCTX_INIT;
        f->fault->count = 0;
        f->fault->at = n;
        const tl_err err = step(f, &ctx);
        f->fault->at = 0;
        const tl_ledger_report after = books(f);
        if (err == TL_OK) {
            return n - 1;
        }
        assert_true(ctx.message[0] != '\0');
        assert_int_equal(after.entry_count, before.entry_count); /* ENG-2 */
        assert_memory_equal(after.head.b, before.head.b, sizeof before.head.b);
        if (n % 3 == 0) { /* and so says the disk: ENG-4 */
            assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
            open_engine(f);
            const tl_ledger_report found = books(f);
            assert_memory_equal(found.head.b, before.head.b, sizeof before.head.b);
        }
    }
    fail_msg("still failing after %d points", POINTS_MAX);
    return 0;
}

static void each_failing_write_leaves_nothing_half_done(void **state)
{
    fixture *f = (fixture *)*state;
    assert_true(fail_until_well(f, begin_step) >= 3);
    assert_true(fail_until_well(f, submit_step) >= 3);
    assert_int_equal(books(f).entry_count, 2);
    assert_true(fail_until_well(f, settle_step) >= 3);
    const tl_ledger_report before = books(f);
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    open_engine(f);
    const tl_ledger_report after = books(f);
    assert_memory_equal(before.head.b, after.head.b, sizeof before.head.b);
    assert_true(before.entry_count > 5);
}

/* A bundle that cannot be written: nothing is posted, and the epoch can be settled later. */
static void a_bundle_that_cannot_be_written_settles_nothing(void **state)
{
    fixture *f = (fixture *)*state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(begin_step(f, &ctx), TL_OK);
    assert_int_equal(submit_step(f, &ctx), TL_OK);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit small = {4096, limit.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const tl_err err = settle_step(f, &ctx);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(err, TL_ERR_IO);
    assert_int_equal(books(f).entry_count, 2);
    assert_true(tl_engine_has_open_epoch(f->engine));
    assert_int_equal(settle_step(f, &ctx), TL_OK);
    assert_true(books(f).entry_count > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_failing_write_leaves_nothing_half_done, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bundle_that_cannot_be_written_settles_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("engine_fault", tests, NULL, NULL);
}
