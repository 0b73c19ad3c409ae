/* cli: the program: one table of commands, each a thin shell around the rooms below.
 * For         people and scripts
 * Takes       words of a command line, a configuration, the environment
 * Gives       results on standard output, everything else on standard error, an exit code
 * Calls       all rooms                        Called by   main, and the end-to-end tests through the binary
 * Owns        tl_app owns what the program owns; commands borrow it
 * Threads     commands run on the main thread and hand shards to the pool
 * Invariants  CLI-1 with --json standard output holds the result and nothing else, an error too being a result
 *             CLI-2 the exit code follows from the error's code, or is 1 when a check that was asked for does not hold
 * Read        table.c, then app.c, then any cmd_*.c
 *
 * A new command: write tl_cli_<name> in a cmd_*.c, describe it in a const tl_cmd beside it, add one line to table.c.
 */
#ifndef TALLY_APP_CLI_H
#define TALLY_APP_CLI_H

#include "app/config/config.h"
#include "base/arena/arena.h"
#include "base/cmd/cmd.h"
#include "base/error/error.h"
#include "base/json/json.h"
#include "base/log/log.h"
#include "base/str/str.h"
#include "core/num/money/money.h"
#include "io/store/store.h"
#include "io/sys/sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* tl_app: what the program owns. Commands read it; only app.c writes it, but for exit_code. */
typedef struct tl_app {
    tl_arena *arena;           /* of the process */
    const tl_cmd_table *table; /* what this program can do */
    const tl_cmd_call *call;
    bool is_json;     /* --json */
    bool is_quiet;    /* -q: no progress, no remarks */
    bool is_verbose;  /* -v */
    bool has_color;   /* a terminal, and neither --no-color nor NO_COLOR */
    tl_config config; /* of a command that is not bare */
    tl_log log;       /* to standard error */
    int exit_code;    /* what a command that returned TL_OK ends with */
} tl_app;

/* tl_cli_main: the program. Returns its exit code. */
int tl_cli_main(int argc, char *const *argv);

/* tl_cli_table: the table of commands. Constant. */
const tl_cmd_table *tl_cli_table(void);

/* tl_cli_settings: the schema of the settings. Constant. */
const tl_setting *tl_cli_settings(size_t *count);

/* --- for commands --- */

/* tl_app_print: text to standard output, all of it. TL_ERR_IO when it cannot be written. */
TL_MUST_USE tl_err tl_app_print(tl_app *app, tl_str text, tl_errctx *ctx);

/* tl_app_say: a line for the person at the terminal, on standard error; nothing under -q. */
void tl_app_say(const tl_app *app, const char *format, ...) TL_PRINTF(2, 3);

/* tl_app_check_failed: the command did its work, and the check that was asked for does not hold: exit code 1. */
void tl_app_check_failed(tl_app *app);

/* tl_app_print_sb: the builder's text to standard output. */
TL_MUST_USE tl_err tl_app_print_sb(tl_app *app, tl_sb *sb, tl_errctx *ctx);

/* tl_app_print_help: the help that a call asks for; the table itself under --json. */
TL_MUST_USE tl_err tl_app_print_help(tl_app *app, const tl_cmd_call *call, tl_errctx *ctx);

/* tl_app_state_dir: the state folder: --dir, else the setting state.dir, else the user's own. */
TL_MUST_USE tl_err tl_app_state_dir(tl_app *app, const char **out, tl_errctx *ctx);

/* tl_app_open_store: the store of the state folder; the caller closes it. */
TL_MUST_USE tl_err tl_app_open_store(tl_app *app, tl_store **out, tl_store_mode mode,
                                     tl_errctx *ctx);

/* tl_app_new_pool: threads by the setting pool.threads, but no more than there is work. The caller frees it. */
TL_MUST_USE tl_err tl_app_new_pool(const tl_app *app, tl_pool **out, size_t work_count,
                                   tl_errctx *ctx);

/* tl_app_put_rao: an amount as the spec wants it in JSON: key "…_rao", an integer. */
void tl_app_put_rao(tl_json_writer *w, const char *key, tl_rao amount);

/* tl_app_put_tao: an amount as text for people: TAO with nine places, to the right of width columns. */
void tl_app_put_tao(tl_sb *sb, tl_rao amount, size_t width);

/* tl_app_put_error: {"error":{"code","message","field","hint"}}. */
void tl_app_put_error(tl_json_writer *w, tl_err err, const tl_errctx *ctx);

/* --- the commands, a const tl_cmd each --- */

extern const tl_cmd tl_cli_axon_run;
extern const tl_cmd tl_cli_completion;
extern const tl_cmd tl_cli_config_check;
extern const tl_cmd tl_cli_config_show;
extern const tl_cmd tl_cli_conformance;
extern const tl_cmd tl_cli_coordinator_audit;
extern const tl_cmd tl_cli_coordinator_extend;
extern const tl_cmd tl_cli_coordinator_key;
extern const tl_cmd tl_cli_coordinator_run;
extern const tl_cmd tl_cli_coordinator_token;
extern const tl_cmd tl_cli_db_migrate;
extern const tl_cmd tl_cli_db_status;
extern const tl_cmd tl_cli_db_verify;
extern const tl_cmd tl_cli_backup_create;
extern const tl_cmd tl_cli_backup_verify;
extern const tl_cmd tl_cli_backup_restore;
extern const tl_cmd tl_cli_demo;
extern const tl_cmd tl_cli_dendrite_query;
extern const tl_cmd tl_cli_doctor;
extern const tl_cmd tl_cli_epoch_export;
extern const tl_cmd tl_cli_epoch_list;
extern const tl_cmd tl_cli_epoch_pack;
extern const tl_cmd tl_cli_epoch_replay;
extern const tl_cmd tl_cli_epoch_show;
extern const tl_cmd tl_cli_epoch_verify;
extern const tl_cmd tl_cli_help;
extern const tl_cmd tl_cli_http_sign;
extern const tl_cmd tl_cli_http_verify;
extern const tl_cmd tl_cli_man;
extern const tl_cmd tl_cli_market_serve;
extern const tl_cmd tl_cli_metrics;
extern const tl_cmd tl_cli_miner_run;
extern const tl_cmd tl_cli_portfolio_run;
extern const tl_cmd tl_cli_portfolio_score;
extern const tl_cmd tl_cli_portfolio_submit;
extern const tl_cmd tl_cli_listings_check;
extern const tl_cmd tl_cli_listings_evaluate;
extern const tl_cmd tl_cli_ledger_balances;
extern const tl_cmd tl_cli_ledger_journal;
extern const tl_cmd tl_cli_ledger_verify;
extern const tl_cmd tl_cli_validator_run;
extern const tl_cmd tl_cli_worker_run;
extern const tl_cmd tl_cli_version;
extern const tl_cmd tl_cli_wallet_create;
extern const tl_cmd tl_cli_wallet_list;
extern const tl_cmd tl_cli_wallet_new_coldkey;
extern const tl_cmd tl_cli_wallet_new_hotkey;
extern const tl_cmd tl_cli_wallet_regen_coldkey;
extern const tl_cmd tl_cli_wallet_regen_hotkey;
extern const tl_cmd tl_cli_wallet_rotate_password;
extern const tl_cmd tl_cli_wallet_show;
extern const tl_cmd tl_cli_wallet_sign;
extern const tl_cmd tl_cli_wallet_verify;
extern const tl_cmd tl_cli_yuma_run;

#ifdef __cplusplus
}
#endif

#endif
