/* Attacks a state folder in good order: every call made twice, at the wrong time, with other arguments, by a second
 * process; a folder closed and opened between any two steps; epochs without agreement; files that were changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/subnet/portfolio/portfolio.h"
#include "engine_world.h"
#include "io/store/store.h"
#include "io/sys/sys.h"

#define TAO 1000000000

typedef struct fixture {
    tl_arena *arena;
    const char *home;
    const char *dir;
    engine_world world;
    tl_engine *engine;
} fixture;

static tl_engine *open_engine(const fixture *f)
{
    tl_engine *engine = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_engine_open(&engine, f->arena, f->dir, true, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
    return engine;
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    const random_world_options options = {
        .miners = 5, .epochs = 2, .tickers = 7, .emission_rao = 1000000000000};
    assert_int_equal(tl_arena_new(&f.arena, NULL, (size_t)4 << 30, NULL, NULL), TL_OK);
    const bool has_shm = access("/dev/shm", W_OK) == 0;
    assert_int_equal(tl_sys_make_fresh_dir(
                         &f.home, f.arena,
                         has_shm ? "/dev/shm/tally-test-engine" : "/tmp/tally-test-engine", NULL),
                     TL_OK);
    assert_int_equal(tl_sys_join(&f.dir, f.arena, f.home, "state", NULL), TL_OK);
    assert_int_equal(engine_world_make(&f.world, f.arena, 7, &options, NULL), TL_OK);
    f.engine = open_engine(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    const fixture *f = (const fixture *)*state;
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

static void reopen(fixture *f)
{
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    f->engine = open_engine(f);
}

static void begin(const fixture *f, size_t epoch)
{
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (engine_world_begin(f->engine, &f->world, epoch, &ctx) != TL_OK) {
        fail_msg("%s", ctx.message);
    }
}

static tl_str line(const fixture *f, size_t epoch, size_t index)
{
    const tl_str *lines = NULL;
    assert_int_equal(engine_world_lines(&lines, &f->world, epoch, NULL), TL_OK);
    return lines[index];
}

static tl_engine_receipt submit(const fixture *f, tl_str text)
{
    tl_engine_receipt r = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (tl_engine_submit(f->engine, &r, f->arena, text, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return r;
}

/* A signal of miner `miner` (of the world's names) with five equal positions. */
static tl_str made(const fixture *f, const char *prefix, size_t miner, size_t epoch,
                   unsigned long commit, long long ante)
{
    char hotkey[TL_SS58_CAP];
    char id[TL_EPOCH_ID_CAP];
    random_world_hotkey(hotkey, prefix, miner);
    engine_world_epoch_id(id, epoch);
    tl_sb sb;
    tl_str text = {NULL, 0};
    tl_sb_init(&sb, f->arena);
    tl_sb_printf(&sb,
                 "{\"hotkey\":\"%s\",\"epoch_id\":\"%s\",\"ante_rao\":%lld,\"commit_height\":%lu,"
                 "\"reveal_height\":%lu,\"positions\":[",
                 hotkey, id, ante, commit, commit + 5000);
    for (size_t i = 0; i < 5; i++) {
        tl_sb_printf(&sb, "%s{\"ticker\":\"TA%c\",\"weight_millionths\":200000}", i > 0 ? "," : "",
                     (char)('A' + i));
    }
    tl_sb_put_cstr(&sb, "]}");
    assert_int_equal(tl_sb_finish(&text, &sb, NULL), TL_OK);
    return text;
}

static tl_assembled settle(const fixture *f, size_t epoch, uint64_t height, size_t blind)
{
    tl_assembled out = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    if (engine_world_settle(&out, f->engine, &f->world, epoch, height, blind, &ctx) != TL_OK) {
        fail_msg("%s: %s", ctx.field, ctx.message);
    }
    return out;
}

static int64_t balance(const fixture *f, tl_account_kind kind, size_t miner, size_t epoch)
{
    char text[TL_SS58_CAP];
    char id[TL_EPOCH_ID_CAP];
    tl_hotkey hotkey;
    random_world_hotkey(text, "miner", miner);
    engine_world_epoch_id(id, epoch);
    assert_int_equal(tl_ss58_decode(&hotkey, tl_str_from_cstr(text), NULL), TL_OK);
    return tl_rao_to_i64(tl_ledger_balance(tl_engine_borrow_ledger(f->engine),
                                           tl_account_of_hotkey(kind, &hotkey),
                                           tl_str_from_cstr(id)));
}

static uint64_t entries(const fixture *f)
{
    return tl_ledger_count(tl_engine_borrow_ledger(f->engine));
}

/* What the database says is what the ledger in memory says, and both are in order. */
static void check_ledger(fixture *f)
{
    tl_ledger_report before = {0};
    tl_ledger_report after = {0};
    assert_int_equal(tl_ledger_verify(&before, tl_engine_borrow_ledger(f->engine), f->arena, NULL),
                     TL_OK);
    reopen(f);
    assert_int_equal(tl_ledger_verify(&after, tl_engine_borrow_ledger(f->engine), f->arena, NULL),
                     TL_OK);
    assert_true(before.is_balanced && after.is_balanced);
    assert_int_equal(before.entry_count, after.entry_count); /* ENG-4 */
    assert_memory_equal(before.head.b, after.head.b, sizeof before.head.b);
}

/* --- signals --- */

static void a_signal_sent_again_gets_the_receipt_that_it_had(void **state)
{
    fixture *f = (fixture *)*state;
    begin(f, 0);
    const tl_engine_receipt first = submit(f, line(f, 0, 0));
    assert_true(first.is_accepted && first.is_new && first.code == NULL);
    const uint64_t count = entries(f);
    const tl_engine_receipt later = submit(f, line(f, 0, 1));
    assert_true(later.is_accepted);
    for (int i = 0; i < 2; i++) { /* ENG-1, ENG-3: also after the folder was left */
        const tl_engine_receipt again = submit(f, line(f, 0, 0));
        assert_true(again.is_accepted && !again.is_new);
        assert_memory_equal(again.commitment.b, first.commitment.b, sizeof first.commitment.b);
        reopen(f);
    }
    assert_int_equal(entries(f), 2 * count);
}

static void other_spelling_is_the_same_signal(void **state)
{
    fixture *f = (fixture *)*state;
    begin(f, 0);
    const tl_str text = made(f, "miner", 0, 0, 100, 10LL * TAO);
    const tl_engine_receipt first = submit(f, text);
    tl_sb sb;
    tl_str spaced = {NULL, 0};
    tl_sb_init(&sb, f->arena);
    tl_sb_put_cstr(&sb, " {  \"note\" : [1, 2],");
    tl_sb_put(&sb, tl_str_slice(text, 1, text.len));
    assert_int_equal(tl_sb_finish(&spaced, &sb, NULL), TL_OK);
    const tl_engine_receipt again = submit(f, spaced);
    assert_true(first.is_new && !again.is_new && again.is_accepted);
}

static void a_second_signal_is_refused_and_locks_nothing(void **state)
{
    fixture *f = (fixture *)*state;
    begin(f, 0);
    assert_true(submit(f, made(f, "miner", 0, 0, 100, 10LL * TAO)).is_accepted);
    const uint64_t count = entries(f);
    for (int i = 0; i < 2; i++) {
        const tl_engine_receipt second = submit(f, made(f, "miner", 0, 0, 101, 50LL * TAO));
        assert_false(second.is_accepted);
        assert_string_equal(second.code, "E009");
        assert_int_equal(second.is_new, i == 0);
        reopen(f);
    }
    assert_int_equal(entries(f), count);
    assert_int_equal(balance(f, TL_ACCOUNT_MINER, 0, 0), 0);
}

static void the_first_that_comes_in_is_the_first(void **state)
{
    fixture *f = (fixture *)*state;
    begin(f, 0);
    assert_true(submit(f, made(f, "miner", 0, 0, 100, 10LL * TAO)).is_accepted);
    assert_true(submit(f, made(f, "miner", 1, 0, 99, 10LL * TAO)).is_accepted);
    const uint64_t count = entries(f);
    for (int i = 0; i < 2; i++) {
        const tl_str late[3] = {made(f, "miner", 0, 0, 99, 10LL * TAO), /* behind, but came later */
                                made(f, "miner", 0, 0, 100, 11LL * TAO),
                                made(f, "miner", 0, 0, 101, 11LL * TAO)};
        for (size_t k = 0; k < 3; k++) {
            const tl_engine_receipt r = submit(f, late[k]);
            assert_false(r.is_accepted);
            assert_string_equal(r.code, "E009");
        }
        assert_string_equal(submit(f, made(f, "miner", 0, 0, 100, TAO)).code, "E005");
        assert_int_equal(entries(f), count);
        reopen(f);
    }
    const tl_assembled epoch = settle(f, 0, engine_world_close(0), 0);
    assert_int_equal(epoch.result.line_count, 4); /* the two first, E005, and the E009 behind */
    check_ledger(f);
}

static void with_funds_an_ante_beyond_them_is_refused(void **state)
{
    fixture *f = (fixture *)*state;
    tl_engine_fund fund = {.amount = tl_rao_from_i64(15LL * TAO)};
    char hotkey[TL_SS58_CAP];
    random_world_hotkey(hotkey, "miner", 0);
    assert_int_equal(tl_ss58_decode(&fund.hotkey, tl_str_from_cstr(hotkey), NULL), TL_OK);
    const tl_str none = {NULL, 0};
    assert_int_equal(tl_engine_seed(f->engine, none, &fund, 1, NULL), TL_OK);
    assert_int_equal(tl_engine_seed(f->engine, none, &fund, 1, NULL), TL_OK); /* ENG-3 */
    reopen(f);
    assert_int_equal(tl_engine_seed(f->engine, none, &fund, 1, NULL), TL_OK);
    assert_int_equal(balance(f, TL_ACCOUNT_MINER, 0, 0), 15LL * TAO);
    begin(f, 0);
    assert_string_equal(submit(f, made(f, "miner", 0, 0, 1, 15LL * TAO + 1)).code, "E005");
    assert_true(submit(f, made(f, "miner", 0, 0, 2, 15LL * TAO)).is_accepted);
    assert_int_equal(balance(f, TL_ACCOUNT_MINER, 0, 0), 0);
    assert_string_equal(submit(f, made(f, "miner", 0, 0, 3, 15LL * TAO)).code, "E009");
    assert_string_equal(submit(f, made(f, "miner", 1, 0, 4, 10LL * TAO)).code, "E005");
    check_ledger(f);
}

static void without_funds_the_ante_comes_along(void **state)
{
    fixture *f = (fixture *)*state;
    begin(f, 0);
    assert_string_equal(submit(f, made(f, "miner", 0, 0, 1, 10LL * TAO - 1)).code, "E005");
    assert_int_equal(entries(f), 0);
    assert_true(submit(f, made(f, "miner", 0, 0, 2, 10LL * TAO)).is_accepted);
    assert_int_equal(entries(f), 2); /* deposited, locked */
    assert_int_equal(balance(f, TL_ACCOUNT_MINER, 0, 0), 0);
}

static void bad_signals_are_errors_and_nothing_is_kept(void **state)
{
    fixture *f = (fixture *)*state;
    tl_engine_receipt r = {.is_new = true};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_engine_submit(f->engine, &r, f->arena, line(f, 0, 0), &ctx), TL_ERR_STATE);
    begin(f, 0);
    assert_true(tl_engine_submit(f->engine, &r, f->arena, TL_STR("{"), &ctx) != TL_OK);
    assert_true(tl_engine_submit(f->engine, &r, f->arena, TL_STR("[]"), &ctx) != TL_OK);
    assert_int_equal(tl_engine_submit(f->engine, &r, f->arena, TL_STR("{}"), &ctx), TL_ERR_MISSING);
    assert_true(r.is_new && !r.is_accepted); /* untouched */
    assert_int_equal(entries(f), 0);
}

/* --- epochs --- */

static void epochs_open_one_at_a_time(void **state)
{
    fixture *f = (fixture *)*state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    char id[TL_EPOCH_ID_CAP];
    assert_false(tl_engine_has_open_epoch(f->engine));
    assert_true(tl_engine_begin(f->engine, TL_STR("2024-Q9-W1"), f->world.parameters, 0, &ctx) !=
                TL_OK);
    assert_false(tl_engine_has_open_epoch(f->engine));
    begin(f, 0);
    for (int i = 0; i < 2; i++) {
        begin(f, 0); /* ENG-3 */
        assert_true(tl_engine_has_open_epoch(f->engine));
        assert_int_equal(engine_world_begin(f->engine, &f->world, 1, &ctx), TL_ERR_STATE);
        engine_world_epoch_id(id, 0);
        assert_int_equal(tl_engine_begin(f->engine, tl_str_from_cstr(id), TL_STR("{}"), 0, &ctx),
                         TL_ERR_DUPLICATE);
        reopen(f);
    }
    (void)settle(f, 0, engine_world_close(0), 0);
    assert_int_equal(engine_world_begin(f->engine, &f->world, 0, &ctx), TL_ERR_STATE);
    begin(f, 1);
}

static void an_epoch_that_is_settled_again_gives_the_same_bytes(void **state)
{
    fixture *f = (fixture *)*state;
    const uint64_t close = engine_world_close(0);
    begin(f, 0);
    for (size_t i = 0; i < f->world.miners; i++) {
        (void)submit(f, line(f, 0, i));
    }
    const tl_assembled first = settle(f, 0, close, 0);
    assert_int_equal(first.result.state, TL_EPOCH_SETTLED);
    const uint64_t count = entries(f);
    for (int i = 0; i < 2; i++) { /* ENG-3: whatever is asked for with it */
        const tl_assembled again = settle(f, 0, close + 77, 2);
        assert_true(tl_str_eq(again.bundle, first.bundle));
        assert_memory_equal(again.digest.b, first.digest.b, sizeof first.digest.b);
        assert_true(tl_str_eq(again.result.json, first.result.json));
        assert_int_equal(entries(f), count);
        reopen(f);
    }
    check_ledger(f);
}

/* Steps of a life, and after each the folder is left and opened: the end is the same as in one go. */
static tl_hash32 live(fixture *f, bool is_restless)
{
    for (size_t e = 0; e < f->world.epochs; e++) {
        begin(f, e);
        for (size_t i = 0; i < f->world.miners; i++) {
            (void)submit(f, line(f, e, i));
            if (is_restless) {
                reopen(f);
            }
        }
        const tl_assembled blind = settle(f, e, engine_world_close(e), 2);
        assert_int_equal(blind.result.state, TL_EPOCH_EXTENDED);
        if (is_restless) {
            reopen(f);
        }
        const tl_assembled epoch = settle(f, e, engine_world_close(e) + 1, 0);
        assert_int_equal(epoch.result.state, TL_EPOCH_SETTLED);
        if (is_restless) {
            reopen(f);
        }
    }
    return tl_ledger_head(tl_engine_borrow_ledger(f->engine));
}

static void leaving_and_coming_back_changes_nothing(void **state)
{
    fixture *f = (fixture *)*state;
    const tl_hash32 wanted = live(f, false);
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    assert_int_equal(tl_sys_join(&f->dir, f->arena, f->home, "restless", NULL), TL_OK);
    f->engine = open_engine(f);
    const tl_hash32 found = live(f, true);
    assert_memory_equal(wanted.b, found.b, sizeof wanted.b);
    check_ledger(f);
}

/* --- without agreement --- */

/* Each of three groups of validators saw other prices: 40, 25 and 35 % of the stake. */
static tl_err settle_apart(const fixture *f, tl_assembled *out, uint64_t height, tl_errctx *ctx)
{
    tl_price_table tables[3] = {f->world.table, f->world.table, f->world.table};
    const size_t cells = tables[0].day_count * tables[0].ticker_count;
    for (size_t k = 1; k < 3; k++) {
        tl_price *price = TL_NEW(f->arena, tl_price, cells);
        assert_non_null(price);
        for (size_t i = 0; i < cells; i++) {
            price[i] = f->world.table.price[i];
            price[i].digits *= 1 + (i / tables[0].ticker_count + k) % 3; /* wild days */
        }
        tables[k].price = price;
    }
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    for (size_t v = 0; v < TL_ASSEMBLE_VALIDATORS; v++) {
        views[v].feed = v < 2 ? v : 2;
    }
    const tl_price_table *all[3] = {&tables[0], &tables[1], &tables[2]};
    char id[TL_EPOCH_ID_CAP];
    size_t from = 0;
    size_t to = 0;
    tl_str evidence = {NULL, 0};
    engine_world_epoch_id(id, 0);
    const tl_str epoch_id = tl_str_from_cstr(id);
    TL_TRY(
        tl_assemble_rows(&from, &to, all[0], f->world.first.first, f->world.first, epoch_id, ctx));
    TL_TRY(tl_assemble_evidence(&evidence, f->arena, all, 3, from, to, views,
                                TL_ASSEMBLE_VALIDATORS, ctx));
    return tl_engine_settle(f->engine, out, f->arena, epoch_id, height, views,
                            TL_ASSEMBLE_VALIDATORS, evidence, (tl_str){NULL, 0}, ctx);
}

static void two_attempts_without_agreement_give_the_antes_back(void **state)
{
    fixture *f = (fixture *)*state;
    const uint64_t close = engine_world_close(0);
    tl_assembled out = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    begin(f, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_true(
            submit(f, made(f, "miner", i, 0, 10 + i, (10LL + (long long)i) * TAO)).is_accepted);
    }
    const uint64_t count = entries(f);
    assert_int_equal(settle_apart(f, &out, close, &ctx), TL_OK);
    assert_int_equal(out.result.state, TL_EPOCH_EXTENDED);
    assert_int_equal(entries(f), count); /* the antes stay locked */
    assert_true(tl_engine_has_open_epoch(f->engine));
    reopen(f);
    tl_engine_receipt again = submit(f, made(f, "miner", 0, 0, 10, 10LL * TAO));
    assert_true(again.is_accepted &&
                !again.is_new); /* a receipt stays; new signals come too late */
    assert_int_equal(
        tl_engine_submit(f->engine, &again, f->arena, made(f, "miner", 3, 0, 50, 10LL * TAO), &ctx),
        TL_ERR_STATE);
    assert_int_equal(settle_apart(f, &out, close, &ctx), TL_OK); /* the same attempt: ENG-3 */
    assert_int_equal(out.result.state, TL_EPOCH_EXTENDED);
    assert_int_equal(engine_world_settle(&out, f->engine, &f->world, 0, close, 0, &ctx),
                     TL_ERR_STATE); /* other evidence needs another height */
    assert_int_equal(entries(f), count);
    assert_int_equal(settle_apart(f, &out, close + 1, &ctx), TL_OK);
    assert_int_equal(out.result.state, TL_EPOCH_FAILED);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(balance(f, TL_ACCOUNT_MINER, i, 0), (10LL + (long long)i) * TAO);
    }
    assert_false(tl_engine_has_open_epoch(f->engine));
    assert_int_equal(settle_apart(f, &out, close + 2, &ctx), TL_OK);
    assert_int_equal(out.result.state, TL_EPOCH_FAILED);
    check_ledger(f);
    begin(f, 1);
}

static void evidence_that_cannot_be_read_leaves_the_epoch_open(void **state)
{
    fixture *f = (fixture *)*state;
    tl_assembled out = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    char id[TL_EPOCH_ID_CAP];
    tl_validator_view views[TL_ASSEMBLE_VALIDATORS];
    tl_assemble_default_validators(views);
    engine_world_epoch_id(id, 0);
    begin(f, 0);
    assert_true(submit(f, line(f, 0, 0)).is_accepted);
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"validators\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(tl_engine_settle(f->engine, &out, f->arena, tl_str_from_cstr(id),
                                     engine_world_close(0), views, TL_ASSEMBLE_VALIDATORS,
                                     tl_str_from_cstr(bad[i]), (tl_str){NULL, 0}, &ctx) != TL_OK);
    }
    assert_int_equal(engine_world_settle(&out, f->engine, &f->world, 1, 90000, 0, &ctx),
                     TL_ERR_STATE); /* not the open one */
    assert_int_equal(settle(f, 0, engine_world_close(0), 0).result.state, TL_EPOCH_SETTLED);
    check_ledger(f);
}

/* --- other processes, changed files --- */

static void a_second_process_is_refused(void **state)
{
    fixture *f = (fixture *)*state;
    const pid_t child = fork();
    if (child == 0) {
        tl_arena *arena = NULL;
        tl_engine *engine = NULL;
        tl_err err = tl_arena_new(&arena, NULL, 0, NULL, NULL);
        err = err != TL_OK ? err : tl_engine_open(&engine, arena, f->dir, true, NULL);
        _exit(err == TL_ERR_LOCKED ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    begin(f, 0);
}

static void a_folder_that_is_not_there_is_not_made_unasked(void **state)
{
    fixture *f = (fixture *)*state;
    tl_engine *engine = NULL;
    tl_errctx ctx = TL_ERRCTX_INIT;
    const char *dir = NULL;
    assert_int_equal(tl_sys_join(&dir, f->arena, f->home, "none", NULL), TL_OK);
    assert_int_equal(tl_engine_open(&engine, f->arena, dir, false, &ctx), TL_ERR_NOT_FOUND);
    assert_false(tl_sys_exists(dir));
    assert_int_equal(tl_engine_open(&engine, f->arena, "/dev/null", true, &ctx), TL_ERR_TYPE);
}

static void sql(const fixture *f, const char *text)
{
    const char *path = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(tl_sys_join(&path, f->arena, f->dir, TL_STORE_FILE, NULL), TL_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_changed_journal_is_corrupt(void **state)
{
    fixture *f = (fixture *)*state;
    tl_errctx ctx = TL_ERRCTX_INIT;
    begin(f, 0);
    (void)submit(f, line(f, 0, 0));
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    f->engine = NULL;
    sql(f, "CREATE TABLE spare AS SELECT * FROM ledger_entries; DROP TRIGGER ledger_entries_stay;");
    static const char *const changes[] = {
        "UPDATE ledger_entries SET body = x'00' WHERE serial = 1",
        "UPDATE ledger_entries SET hash = zeroblob(32) WHERE serial = 0",
        "UPDATE ledger_entries SET body = (SELECT body FROM spare WHERE serial = 0)"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        sql(f, changes[i]);
        assert_int_equal(tl_engine_open(&f->engine, f->arena, f->dir, true, &ctx), TL_ERR_CORRUPT);
        sql(f, "UPDATE ledger_entries SET body = s.body, hash = s.hash FROM spare AS s"
               " WHERE s.serial = ledger_entries.serial");
    }
    f->engine = open_engine(f);
    assert_int_equal(entries(f), 2);
}

/* The bundle of a settled epoch is what was settled: gone, cut, or another well-formed one is an error. */
static void a_changed_bundle_is_an_error(void **state)
{
    fixture *f = (fixture *)*state;
    const char *path = NULL;
    char id[TL_EPOCH_ID_CAP];
    tl_assembled out = {0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    const uint64_t close = engine_world_close(0);
    engine_world_epoch_id(id, 0);
    begin(f, 0);
    (void)submit(f, line(f, 0, 0));
    const tl_str bundle = settle(f, 0, close, 0).bundle;
    assert_int_equal(tl_engine_bundle_path(&path, f->arena, f->engine, tl_str_from_cstr(id), NULL),
                     TL_OK);
    const tl_bytes cut = tl_str_bytes(tl_str_slice(bundle, 0, bundle.len - 9));
    assert_int_equal(tl_sys_write_file(path, cut, 0644, NULL), TL_OK);
    assert_true(engine_world_settle(&out, f->engine, &f->world, 0, close, 0, &ctx) != TL_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(engine_world_settle(&out, f->engine, &f->world, 0, close, 0, &ctx),
                     TL_ERR_NOT_FOUND);
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    const char *first = f->dir;
    assert_int_equal(tl_sys_join(&f->dir, f->arena, f->home, "other", NULL), TL_OK);
    f->engine = open_engine(f);
    begin(f, 0);
    const tl_str other = settle(f, 0, close, 0).bundle; /* nobody sent anything */
    assert_int_equal(tl_engine_close(f->engine, NULL), TL_OK);
    f->dir = first;
    f->engine = open_engine(f);
    assert_int_equal(tl_sys_write_file(path, tl_str_bytes(other), 0644, NULL), TL_OK);
    assert_int_equal(engine_world_settle(&out, f->engine, &f->world, 0, close, 0, &ctx),
                     TL_ERR_CORRUPT);
}

#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_signal_sent_again_gets_the_receipt_that_it_had),
        ENGINE_TEST(other_spelling_is_the_same_signal),
        ENGINE_TEST(a_second_signal_is_refused_and_locks_nothing),
        ENGINE_TEST(the_first_that_comes_in_is_the_first),
        ENGINE_TEST(with_funds_an_ante_beyond_them_is_refused),
        ENGINE_TEST(without_funds_the_ante_comes_along),
        ENGINE_TEST(bad_signals_are_errors_and_nothing_is_kept),
        ENGINE_TEST(epochs_open_one_at_a_time),
        ENGINE_TEST(an_epoch_that_is_settled_again_gives_the_same_bytes),
        ENGINE_TEST(leaving_and_coming_back_changes_nothing),
        ENGINE_TEST(two_attempts_without_agreement_give_the_antes_back),
        ENGINE_TEST(evidence_that_cannot_be_read_leaves_the_epoch_open),
        ENGINE_TEST(a_second_process_is_refused),
        ENGINE_TEST(a_folder_that_is_not_there_is_not_made_unasked),
        ENGINE_TEST(a_changed_journal_is_corrupt),
        ENGINE_TEST(a_changed_bundle_is_an_error),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
