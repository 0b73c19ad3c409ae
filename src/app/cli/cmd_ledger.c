/* tally ledger balances, journal and verify. */
#include "app/cli/cli.h"
#include "core/ledger/ledger.h"
#include "io/store/store.h"

static tl_err see_entry(void *self, const tl_store_entry *entry, tl_errctx *ctx)
{
    const tl_err err = tl_ledger_load((tl_ledger *)self, entry->body, &entry->hash, ctx);
    if (err != TL_OK) {
        tl_errctx_wrap(ctx, "journal entry %llu", (unsigned long long)entry->serial);
    }
    return err;
}

/* The journal of the state folder, checked entry by entry as if it were new. */
static tl_err load(tl_ledger **out, tl_app *app, tl_errctx *ctx)
{
    const char *dir = NULL;
    TL_TRY(tl_app_state_dir(app, &dir, ctx));
    tl_store *store = NULL;
    TL_TRY(tl_store_open(&store, dir, TL_STORE_READ, ctx));
    const tl_ledger_options options = {.ante_min = tl_rao_from_i64(1)};
    tl_err err = tl_ledger_new(out, app->arena, &options, ctx);
    err = err != TL_OK ? err : tl_store_each_entry(store, 0, see_entry, *out, ctx);
    const tl_err closed = tl_store_close(store, err == TL_OK ? ctx : NULL);
    return err != TL_OK ? err : closed;
}

static void account_text(char out[TL_SS58_CAP], const tl_account *account)
{
    tl_hotkey hotkey;
    for (size_t i = 0; i < sizeof hotkey.b; i++) {
        hotkey.b[i] = account->id.b[i];
    }
    (void)tl_ss58_encode(out, &hotkey, TL_SS58_PREFIX_GENERIC);
}

static bool has_id(tl_account_kind kind)
{
    return kind == TL_ACCOUNT_MINER || kind == TL_ACCOUNT_VALIDATOR || kind == TL_ACCOUNT_ESCROW;
}

static void put_account(tl_json_writer *w, const tl_account *account)
{
    tl_json_put_key(w, "account");
    tl_json_put_cstr(w, tl_account_kind_name(account->kind));
    tl_json_put_key(w, "hotkey");
    if (has_id(account->kind)) {
        char address[TL_SS58_CAP];
        account_text(address, account);
        tl_json_put_cstr(w, address);
    } else {
        tl_json_put_null(w);
    }
}

/* --- balances --- */

static void put_balance(tl_sb *sb, bool is_json, const tl_ledger_line *line)
{
    if (is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, sb, 0, false);
        tl_json_put_object(&w);
        put_account(&w, &line->account);
        tl_json_put_key(&w, "balance_rao");
        tl_json_put_i64(&w, tl_rao_to_i64(line->balance));
        tl_json_put_key(&w, "epoch_id");
        if (line->epoch.len > 0) {
            tl_json_put_str(&w, line->epoch);
        } else {
            tl_json_put_null(&w);
        }
        tl_json_put_key(&w, "postings");
        tl_json_put_u64(&w, line->posting_count);
        tl_json_put_end(&w);
        tl_sb_put_char(sb, '\n');
        return;
    }
    char address[TL_SS58_CAP] = "";
    if (has_id(line->account.kind)) {
        account_text(address, &line->account);
    }
    tl_sb_printf(sb, "%-10s %-14.*s %-48s ", tl_account_kind_name(line->account.kind),
                 TL_STR_ARG(line->epoch), address);
    tl_rao_print(sb, line->balance);
    tl_sb_put_cstr(sb, " TAO\n");
}

static tl_err run_balances(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    tl_app *app = (tl_app *)self;
    tl_ledger *ledger = NULL;
    TL_TRY(load(&ledger, app, ctx));
    const tl_ledger_line *lines = NULL;
    size_t count = 0;
    TL_TRY(tl_ledger_balances(&lines, &count, ledger, app->arena, ctx));
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    for (size_t i = 0; i < count; i++) {
        put_balance(&sb, app->is_json, &lines[i]);
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const balances_examples[] = {"tally ledger balances --dir build/example", NULL};

const tl_cmd tl_cli_ledger_balances = {
    .name = "ledger balances",
    .summary = "every account that ever moved, a line each",
    .examples = balances_examples,
    .run = run_balances,
};

/* --- journal --- */

static void put_entry_json(tl_sb *sb, const tl_ledger *ledger, const tl_ledger_entry *e)
{
    tl_json_writer w;
    tl_json_writer_init(&w, sb, 0, false);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "index");
    tl_json_put_u64(&w, e->index);
    tl_json_put_key(&w, "height");
    tl_json_put_u64(&w, e->height);
    tl_json_put_key(&w, "cause");
    tl_json_put_cstr(&w, tl_cause_name(e->cause));
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, e->epoch);
    tl_json_put_key(&w, "text");
    tl_json_put_str(&w, e->text);
    tl_json_put_key(&w, "postings");
    tl_json_put_array(&w);
    for (uint32_t i = 0; i < e->posting_count; i++) {
        const tl_posting p = tl_ledger_posting_at(ledger, e->index, i);
        tl_json_put_object(&w);
        put_account(&w, &p.account);
        tl_json_put_key(&w, "amount_rao");
        tl_json_put_i64(&w, tl_rao_to_i64(p.amount));
        tl_json_put_end(&w);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "previous");
    tl_json_put_hex(&w, e->previous.b, sizeof e->previous.b);
    tl_json_put_key(&w, "hash");
    tl_json_put_hex(&w, e->hash.b, sizeof e->hash.b);
    tl_json_put_end(&w);
    tl_sb_put_char(sb, '\n');
}

static void put_entry_text(tl_sb *sb, const tl_ledger *ledger, const tl_ledger_entry *e)
{
    tl_sb_printf(sb, "%llu  height %llu  %s  %.*s  %.*s  %02x%02x%02x%02x\n",
                 (unsigned long long)e->index, (unsigned long long)e->height,
                 tl_cause_name(e->cause), TL_STR_ARG(e->epoch), TL_STR_ARG(e->text), e->hash.b[0],
                 e->hash.b[1], e->hash.b[2], e->hash.b[3]);
    for (uint32_t i = 0; i < e->posting_count; i++) {
        const tl_posting p = tl_ledger_posting_at(ledger, e->index, i);
        char address[TL_SS58_CAP] = "";
        if (has_id(p.account.kind)) {
            account_text(address, &p.account);
        }
        tl_sb_printf(sb, "     %-10s %-48s ", tl_account_kind_name(p.account.kind), address);
        tl_rao_print(sb, p.amount);
        tl_sb_put_char(sb, '\n');
    }
}

static tl_err run_journal(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    tl_app *app = (tl_app *)self;
    tl_ledger *ledger = NULL;
    TL_TRY(load(&ledger, app, ctx));
    const uint64_t count = tl_ledger_count(ledger);
    for (uint64_t i = 0; i < count; i++) {
        const tl_arena_mark mark = tl_arena_get_mark(app->arena);
        const tl_ledger_entry e = tl_ledger_entry_at(ledger, i);
        tl_sb sb;
        tl_sb_init(&sb, app->arena);
        if (app->is_json) {
            put_entry_json(&sb, ledger, &e);
        } else {
            put_entry_text(&sb, ledger, &e);
        }
        TL_TRY(tl_app_print_sb(app, &sb, ctx));
        tl_arena_rewind(app->arena, mark);
    }
    return TL_OK;
}

static const char *const journal_examples[] = {"tally ledger journal --dir build/example", NULL};

const tl_cmd tl_cli_ledger_journal = {
    .name = "ledger journal",
    .summary = "every entry with its postings and the hash chain",
    .examples = journal_examples,
    .run = run_journal,
};

/* --- verify --- */

static tl_err run_verify(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    (void)call;
    tl_app *app = (tl_app *)self;
    tl_ledger *ledger = NULL;
    tl_ledger_report report = {0};
    tl_errctx why = TL_ERRCTX_INIT;
    tl_err err = load(&ledger, app, &why);
    if (err == TL_OK) {
        err = tl_ledger_verify(&report, ledger, app->arena, &why);
    }
    const bool is_damaged = err == TL_ERR_CORRUPT || err == TL_ERR_STATE || err == TL_ERR_FUNDS;
    if (err != TL_OK && !is_damaged) {
        if (ctx != NULL) {
            *ctx = why;
        }
        return err;
    }
    if (err != TL_OK || !report.is_balanced) {
        tl_app_check_failed(app);
    }
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    if (app->is_json) {
        tl_json_writer w;
        tl_json_writer_init(&w, &sb, 0, false);
        tl_json_put_object(&w);
        tl_json_put_key(&w, "balanced");
        tl_json_put_bool(&w, err == TL_OK && report.is_balanced);
        tl_json_put_key(&w, "entries");
        tl_json_put_u64(&w, report.entry_count);
        tl_json_put_key(&w, "issuance_rao");
        tl_json_put_i64(&w, tl_rao_to_i64(report.issuance));
        tl_json_put_key(&w, "postings");
        tl_json_put_u64(&w, report.posting_count);
        tl_json_put_key(&w, "head");
        tl_json_put_hex(&w, report.head.b, sizeof report.head.b);
        tl_json_put_key(&w, "error");
        tl_json_put_cstr(&w, err != TL_OK ? why.message : NULL);
        tl_json_put_end(&w);
        tl_sb_put_char(&sb, '\n');
    } else if (err != TL_OK) {
        tl_sb_printf(&sb, "bad  %s\n", why.message);
    } else {
        tl_sb_printf(&sb, "%s  %llu entries, %llu postings, issuance ",
                     report.is_balanced ? "balanced" : "NOT balanced",
                     (unsigned long long)report.entry_count,
                     (unsigned long long)report.posting_count);
        tl_rao_print(&sb, report.issuance);
        tl_sb_put_cstr(&sb, " TAO\n");
    }
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const verify_examples[] = {"tally ledger verify --dir build/example", NULL};

const tl_cmd tl_cli_ledger_verify = {
    .name = "ledger verify",
    .summary = "recompute chain, balances, issuance and escrow from the entries",
    .text = "Exit code 1 when the journal does not hold.",
    .examples = verify_examples,
    .run = run_verify,
};
