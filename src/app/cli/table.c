/* The table of commands, in the order in which the help lists them. */
#include "app/cli/cli.h"

#include "tally/version.h"

static const tl_cmd_option globals[] = {
    {.name = "json",
     .type = TL_CMD_FLAG,
     .help = "machine output on standard output, nothing else there"},
    {.name = "config",
     .type = TL_CMD_FILE,
     .metavar = "FILE",
     .help = "read settings from this file"},
    {.name = "dir",
     .type = TL_CMD_DIR,
     .metavar = "DIR",
     .help = "the state folder (default $XDG_STATE_HOME/tally or ~/.local/state/tally)"},
    {.name = "quiet", .letter = 'q', .type = TL_CMD_FLAG, .help = "no progress and no remarks"},
    {.name = "verbose", .letter = 'v', .type = TL_CMD_FLAG, .help = "tell more on standard error"},
    {.name = "no-color", .type = TL_CMD_FLAG, .help = "no colour, as does the variable NO_COLOR"},
};

static const tl_cmd *const commands[] = {
    /* the road */
    &tl_cli_demo,
    &tl_cli_portfolio_submit,
    &tl_cli_portfolio_score,
    &tl_cli_portfolio_run,
    &tl_cli_epoch_list,
    &tl_cli_epoch_show,
    &tl_cli_epoch_verify,
    &tl_cli_epoch_export,
    &tl_cli_epoch_pack,
    &tl_cli_epoch_replay,
    &tl_cli_ledger_balances,
    &tl_cli_ledger_journal,
    &tl_cli_ledger_verify,
    /* keys */
    &tl_cli_wallet_create,
    &tl_cli_wallet_new_coldkey,
    &tl_cli_wallet_new_hotkey,
    &tl_cli_wallet_regen_coldkey,
    &tl_cli_wallet_regen_hotkey,
    &tl_cli_wallet_list,
    &tl_cli_wallet_show,
    &tl_cli_wallet_sign,
    &tl_cli_wallet_verify,
    &tl_cli_wallet_rotate_password,
    /* signed requests */
    &tl_cli_http_sign,
    &tl_cli_http_verify,
    /* its parts */
    &tl_cli_yuma_run,
    &tl_cli_metrics,
    &tl_cli_conformance,
    /* the wire */
    &tl_cli_axon_run,
    &tl_cli_dendrite_query,
    /* the listings network */
    &tl_cli_market_serve,
    &tl_cli_coordinator_run,
    &tl_cli_coordinator_extend,
    &tl_cli_coordinator_token,
    &tl_cli_coordinator_key,
    &tl_cli_coordinator_audit,
    &tl_cli_miner_run,
    &tl_cli_listings_check,
    &tl_cli_listings_evaluate,
    &tl_cli_validator_run,
    &tl_cli_worker_run,
    &tl_cli_doctor,
    /* the state folder */
    &tl_cli_db_migrate,
    &tl_cli_db_status,
    &tl_cli_db_verify,
    &tl_cli_backup_create,
    &tl_cli_backup_verify,
    &tl_cli_backup_restore,
    /* the program */
    &tl_cli_config_show,
    &tl_cli_config_check,
    &tl_cli_completion,
    &tl_cli_man,
    &tl_cli_version,
    &tl_cli_help,
};

static const tl_cmd_table table = {
    .program = "tally",
    .version = TALLY_VERSION,
    .summary = "an incentive network: miners work, validators score, every rao is accounted for",
    .text = "Results go to standard output, everything else to standard error. Exit codes: 0 done; "
            "1 the check that was asked for does not hold; 2 usage; 3 bad input; 4 not found; "
            "5 refused; 6 the outside world failed; 70 our own fault; 130 interrupted.",
    .globals = globals,
    .global_count = sizeof globals / sizeof globals[0],
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

const tl_cmd_table *tl_cli_table(void)
{
    return &table;
}
